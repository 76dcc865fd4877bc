// The lists of words that no video greets: how they are written, read, and compared with a name.

package lang

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

//go:embed rude/*.txt
var rude embed.FS

// RudeWords returns the list of words that no video greets, as shipped: one entry a line, * at its end for any ending,
// # for remarks.
func RudeWords(lang string) string {
	text, err := rude.ReadFile("rude/" + lang + ".txt")
	if err != nil {
		return ""
	}
	return string(text)
}

// ParseWords reads such a list. It leaves out lines that could never match a name; OperatorsWords reports those.
func ParseWords(text string) []string {
	words, _ := parseList("", text)
	return words
}

// parseList returns the entries of a list, and an error for each line that could never match a name.
func parseList(file, text string) (words []string, err error) {
	var faults []error
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) { // editors of Windows put a mark first
		n++
		entry, _, _ := strings.Cut(line, "#")
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		if what := entryFault(entry); what != "" {
			faults = append(faults, fmt.Errorf("%s:%d: %s", file, n, what))
			continue
		}
		words = append(words, entry)
	}
	return words, errors.Join(faults...)
}

// entryFault says why an entry could never match a name; "": it can.
func entryFault(entry string) string {
	stem, _ := strings.CutSuffix(entry, "*")
	switch {
	case !utf8.ValidString(entry):
		return "this line is not UTF-8: save the file as UTF-8"
	case strings.Contains(stem, "*"):
		return "a * may only stand at the end of an entry"
	case strings.ContainsFunc(NameKey(stem), unicode.IsNumber):
		return "a name has no digits, so this entry matches none"
	case len(rudeForms(stem)) == 0:
		return "there is no letter in this entry"
	case strings.ContainsFunc(NameKey(stem), func(r rune) bool {
		return !isWritten(r) && !isSeparator([]rune{'x', r}, 1) && r != ' '
	}):
		return "a name has no such signs, so this entry matches none: one entry a line, letters only"
	}
	return ""
}

// OperatorsWords reads the operator's own lists in a folder, which begin as copies of ours. The error names the file
// and the line of each entry that could never match.
func OperatorsWords(dir string) (words []string, err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	for _, l := range Languages {
		path := filepath.Join(dir, l+".txt")
		text, readErr := os.ReadFile(path)
		if errors.Is(readErr, fs.ErrNotExist) {
			text = []byte(RudeWords(l))
			readErr = writeWhole(path, text)
		}
		if readErr != nil {
			return nil, readErr
		}
		if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
			err = errors.Join(err, fmt.Errorf("%s:1: this file is UTF-16: save it as UTF-8", path))
			continue
		}
		list, faults := parseList(path, string(text))
		words, err = append(words, list...), errors.Join(err, faults)
	}
	if err != nil {
		return nil, err
	}
	return words, nil
}

// writeWhole writes a file so that a crash leaves none or all of it.
func writeWhole(path string, text []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".rude-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(text)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// IsRude reports whether words of a folded name are an entry of such a list.
func IsRude(key string, list []string) bool {
	words := rudeForms(key)
	for _, entry := range list {
		stem, open := strings.CutSuffix(entry, "*")
		if hasRun(words, entryForms(stem), open) {
			return true
		}
	}
	return false
}

// hasRun reports whether the words of an entry follow each other in a name. open: the last may have any ending.
func hasRun(words, entry []string, open bool) bool {
	for i := 0; len(entry) > 0 && i+len(entry) <= len(words); i++ {
		last := len(entry) - 1
		same := words[i+last] == entry[last] || open && strings.HasPrefix(words[i+last], entry[last])
		for j := 0; same && j < last; j++ {
			same = words[i+j] == entry[j]
		}
		if same {
			return true
		}
	}
	return false
}

// entries keeps the forms of entries, which are compared with each name.
var entries sync.Map

func entryForms(stem string) []string {
	if forms, ok := entries.Load(stem); ok {
		return forms.([]string)
	}
	forms := rudeForms(stem)
	entries.Store(stem, forms)
	return forms
}

// rudeForms returns the words of a name as the lists are compared: with look-alike letters of all scripts as one,
// without accents and signs within, and single letters in a row as one word.
func rudeForms(name string) (forms []string) {
	single := false // the last form is made of single letters
	for _, word := range strings.FieldsFunc(NameKey(name), func(r rune) bool {
		return r == ' ' || r == '-' ||
			r == '.'
	}) {
		form := skeleton(word)
		alone := utf8.RuneCountInString(form) == 1
		switch {
		case form == "":
		case alone && single:
			forms[len(forms)-1] += form
		default:
			forms = append(forms, form)
			single = alone
		}
	}
	return forms
}

// skeleton drops all but letters and the marks that make another letter, and writes look-alikes in Latin.
func skeleton(word string) string {
	cyrillic := false
	base := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsMark(r):
			if cyrillic && (r == '\u0306' || r == '\u0308') { // й and ё are letters
				return r
			}
			if unicode.Is(unicode.Inherited, r) {
				return -1
			}
		case r == 'ـ' || !unicode.IsLetter(r):
			return -1
		default:
			cyrillic = unicode.Is(unicode.Cyrillic, r)
		}
		return r
	}, norm.NFD.String(word))
	return strings.Map(func(r rune) rune {
		if latin := foldedTwins[r][1]; latin != 0 {
			return latin
		}
		if i := strings.IndexRune(oddLetters, r); i >= 0 {
			return rune(likeLetters[utf8.RuneCountInString(oddLetters[:i])])
		}
		return r
	}, norm.NFC.String(base))
}

// Letters that are used to write a Latin word in other signs: small capitals, phonetic and rare Cyrillic ones.
const (
	oddLetters  = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢıɑɡɩʋѵԁԛԝһӏɾøłđħŧƒꞓ"
	likeLetters = "abcdefghijklmnoprstuvwyziagiuvdqwhlroldhtfc"
)
