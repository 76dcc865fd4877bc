// espeak.go has espeak-ng speak: which voice for which writing, and a text in which nothing is a command.

package video

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode"
)

// espeak is the program that speaks unless the operator names another.
const espeak = "espeak-ng"

// espeakCommand is the command line of espeak-ng, which reads SSML from its stdin. The voice is the female one that
// comes with it, a little slower than it reads and a little higher: a greeting, not an announcement. It stays through
// changes of language.
func espeakCommand(lang, out string) []string {
	return []string{espeak, "-v", espeakVoice(lang) + "+f3", "-s", "145", "-p", "55", "-m", "--stdin", "-w", out}
}

// espeakVoice is the voice for a language, which usually has the same name.
func espeakVoice(lang string) string {
	if lang == "en" {
		return "en-us"
	}
	return lang
}

// A writing is a script and the voice that reads it when the voice of the text does not.
type writing struct {
	script *unicode.RangeTable
	voice  string
	langs  string // those written in it, with a space before and after each
}

// writings names only voices that espeak-ng has; to one that it lacks it pays no attention.
var writings = []writing{
	{unicode.Cyrillic, "ru", " ru uk be bg mk sr kk ky tt ba cv "},
	{unicode.Arabic, "ar", " ar fa ur sd ug "},
	{unicode.Hebrew, "he", " he "},
	{unicode.Greek, "el", " el "},
	{unicode.Armenian, "hy", " hy "},
	{unicode.Georgian, "ka", " ka "},
	{unicode.Devanagari, "hi", " hi mr ne kok "},
	{unicode.Bengali, "bn", " bn as bpy "},
	{unicode.Gurmukhi, "pa", " pa "},
	{unicode.Gujarati, "gu", " gu "},
	{unicode.Tamil, "ta", " ta "},
	{unicode.Telugu, "te", " te "},
	{unicode.Kannada, "kn", " kn "},
	{unicode.Malayalam, "ml", " ml "},
	{unicode.Sinhala, "si", " si "},
	{unicode.Thai, "th", " th "},
	{unicode.Myanmar, "my", " my "},
	{unicode.Ethiopic, "am", " am "},
	{unicode.Hangul, "ko", " ko "},
	{unicode.Hiragana, "ja", " ja "},
	{unicode.Katakana, "ja", " ja "},
	// The plain voice of Mandarin takes many names for English words, this one reads them.
	{unicode.Han, "cmn-latn-pinyin", " cmn yue hak ja "},
}

// neighbours are languages with letters that the voice of their script does not know. The first one counts.
var neighbours = []struct{ script, letters, voice string }{
	{"ru", "әғқңөұүһ", "kk"},
	{"ru", "єіїґ", "uk"},
	{"ru", "ў", "be"},
	{"ru", "ђћџљњј", "sr"},
	{"ar", "پچژگکی", "fa"},
}

// espeakText turns a text into SSML in which every word is read by a voice that knows its letters: the Russian voice
// would read «محمد» as "Arabic letter meem", and the English one would spell «Әлия». Whatever is not a letter, a digit
// or plain punctuation becomes a space. So nothing in a name is markup, a phoneme command ("[[x]]") or a sign that
// would be read by its name, and nothing is left to escape. stress returns the phonemes of a Russian word with a stress
// mark, "" if it cannot; the mark itself means nothing to espeak-ng.
func espeakText(text, lang string, stress func(word string) string) string {
	var out strings.Builder
	current := ""
	for _, w := range spokenWords(text) {
		voice := w.voice(lang)
		if voice != current {
			if current != "" {
				out.WriteString("</voice>")
			}
			out.WriteString(`<voice name="` + voice + `">`)
			current = voice
		}
		end := strings.IndexFunc(w.text, func(r rune) bool { return !unicode.IsLetter(r) && r != stressMark })
		if end < 0 {
			end = len(w.text)
		}
		if word := w.text[:end]; voice == "ru" && unstressed(word) != word {
			if phonemes := stress(word); phonemes != "" {
				// Without something in between, the end of the voice would be read aloud.
				out.WriteString("[[" + phonemes + "]]" + cmp.Or(unstressed(w.text[end:]), " "))
				continue
			}
		}
		out.WriteString(unstressed(w.text))
	}
	if current != "" {
		out.WriteString("</voice>")
	}
	return out.String()
}

// espeakPhonemes returns a function for espeakText that asks espeak-ng how it says a word, and moves the stress.
func espeakPhonemes(ctx context.Context) func(word string) string {
	return func(word string) string {
		var said bytes.Buffer
		p, err := start(ctx, child{argv: []string{espeak, "-v", "ru", "-q", "-x", "--stdin"}, stdout: &said, feed: true})
		if err != nil {
			return ""
		}
		_, err = p.stdin.Write([]byte(unstressed(word)))
		if err := errors.Join(err, p.stdin.Close(), p.wait()); err != nil {
			return ""
		}
		return moveStress(word, strings.TrimSpace(said.String()))
	}
}

// phoneme cuts what espeak-ng prints with -x into signs: a vowel with what says which kind it is, a vowel that stands
// for no letter ("@-"), the soft sign ("I^"), stress, and all else one by one.
var phoneme = regexp.MustCompile(`@-|I\^|[aAeEiIoOuUyYV@8][#2"]?|.`)

// What espeak-ng makes of Russian vowels. An unstressed ё does not exist; е is drawn towards и, о towards а.
var (
	stressedVowels = map[rune]string{'а': "A", 'е': "e", 'ё': "8", 'и': "i", 'о': "o", 'у': "u", 'ы': "y", 'э': "E",
		'ю': "u", 'я': "A"}
	unstressedVowels = map[rune]string{'а': "a", 'е': "i", 'ё': "i", 'и': "i", 'о': "V", 'у': "u", 'ы': "y", 'э': "E#",
		'ю': "u", 'я': "a"}
)

// moveStress returns the phonemes of a Russian word with the stress where its mark is, "" if vowels and letters do not
// match one to one.
func moveStress(word, phonemes string) string {
	var letters []rune
	at := -1
	for _, r := range strings.ToLower(word) {
		if _, vowel := stressedVowels[r]; vowel {
			letters = append(letters, r)
		} else if r == stressMark {
			at = len(letters) - 1
		}
	}
	var out strings.Builder
	n, stressed := 0, false
	for _, sign := range phoneme.FindAllString(phonemes, -1) {
		switch {
		case sign == "'" || sign == ",":
			stressed = stressed || sign == "'"
		case sign != "@-" && sign != "I^" && strings.ContainsRune("aAeEiIoOuUyYV@8", rune(sign[0])):
			switch {
			case n >= len(letters):
				return ""
			case n == at && !stressed:
				sign = "'" + stressedVowels[letters[n]]
			case n == at:
				sign = "'" + sign // it was right
			case stressed:
				sign = unstressedVowels[letters[n]]
			}
			out.WriteString(sign)
			n, stressed = n+1, false
		case strings.ContainsAny(sign, "<>&[]"): // markup, and the language of another voice
			return ""
		default:
			out.WriteString(sign)
		}
	}
	if n != len(letters) || at < 0 {
		return ""
	}
	return out.String()
}

// word is a run of letters of one script with what follows up to the next one: punctuation at the beginning of a voice
// would be read by its name.
type word struct {
	text   string
	script *writing // nil: Latin, or no letters
}

func spokenWords(text string) []word {
	words := []word{{}}
	letters, ended := false, false // the last word has letters, and something after them
	before := ' '
	for _, r := range text {
		last := &words[len(words)-1]
		switch {
		case r == 'ʼ':
			r = '’' // which is not read by its name
		case unicode.IsLetter(r):
			if strings.ContainsRune("!?", before) { // such a sign within a word would be read by its name
				last.text += " "
			}
			script := writingOf(r)
			if letters && (ended || script != last.script) {
				words = append(words, word{script: script})
				last = &words[len(words)-1]
			}
			last.script = script
			letters, ended = true, false
		case unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune("'’\u200c\u200d", r):
		// and so it would after a space
		case strings.ContainsRune(",;:-–—،、", r), strings.ContainsRune(".!?…؟।。", r) && before != ' ':
			ended = true
		default:
			r, ended = ' ', true
		}
		last.text += string(r)
		before = r
	}
	return words
}

// writingOf returns the writing of a letter, nil for Latin and what nobody here can read.
func writingOf(r rune) *writing {
	for i := range writings {
		if unicode.Is(writings[i].script, r) {
			return &writings[i]
		}
	}
	return nil
}

// voice is the one that reads the word in a text of a language.
func (w word) voice(lang string) string {
	own := espeakVoice(lang)
	if !strings.ContainsFunc(w.text, unicode.IsLetter) {
		return own
	}
	if w.script == nil {
		for _, other := range writings {
			if strings.Contains(other.langs, " "+lang+" ") {
				return "en-us" // Latin letters in a text that is not written in them
			}
		}
		return own
	}
	for _, n := range neighbours {
		if lang != n.script && strings.Contains(w.script.langs, " "+lang+" ") {
			continue // a language reads its own script in its own way
		}
		if n.script == w.script.voice && strings.ContainsAny(strings.ToLower(w.text), n.letters) {
			return n.voice
		}
	}
	if strings.Contains(w.script.langs, " "+lang+" ") {
		return own
	}
	return w.script.voice
}
