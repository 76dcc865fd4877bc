// rhvoice.go has RHVoice speak: natural voices for Russian and English that run on any machine.

package video

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// rhvoice is the program of RHVoice that speaks into a file.
const rhvoice = "RHVoice-test"

// rhvoiceVoices are the voice for each language, unless the operator names one, and the letters that it reads. Of
// others it says nothing. The licences of these voices allow every use.
var rhvoiceVoices = map[string]struct{ voice, letters string }{
	"ru": {"anna", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"},
	"en": {"slt", "abcdefghijklmnopqrstuvwxyz"},
}

// rhvoiceCommand is the command line of RHVoice, which reads a text from its stdin: a little slower than it usually is,
// for a greeting is not an announcement.
func (v VoiceConfig) rhvoiceCommand(lang, out string) []string {
	voice := v.Voice
	if voice == "" {
		voice = rhvoiceVoices[lang].voice
	}
	return []string{rhvoice, "-p", voice, "-r", "90", "-o", out}
}

// rhvoiceText returns a text with nothing in it but letters, digits and plain punctuation, and whether RHVoice reads
// all of its letters. The marks of Latin letters go: it knows none of them.
func rhvoiceText(text, lang string) (plain string, readable bool) {
	letters := rhvoiceVoices[lang].letters
	var out strings.Builder
	readable = true
	for _, r := range norm.NFC.String(text) {
		if unicode.Is(unicode.Latin, r) {
			for _, part := range norm.NFD.String(string(r)) {
				if !unicode.Is(unicode.M, part) {
					r = part
				}
			}
		}
		switch {
		case unicode.IsLetter(r) && !strings.ContainsRune(letters, unicode.ToLower(r)):
			readable = false
		case unicode.IsLetter(r), unicode.IsDigit(r), r == stressMark, strings.ContainsRune(" ,.!?;:'’-–—", r):
			out.WriteRune(r)
		case unicode.Is(unicode.M, r):
		default:
			out.WriteByte(' ')
		}
	}
	return out.String(), readable
}
