// What may stand as the title of a video that an admin sends.

package lang

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// LongestTitle is how many characters a title has at most.
const LongestTitle = 100

// ParseTitle reads a title as somebody typed it: NFC, with single spaces; "" if there is nothing to see in it. problem
// is "" or the id of the message that says what is wrong.
func ParseTitle(text string) (title, problem string) {
	title = strings.Join(strings.Fields(norm.NFC.String(text)), " ")
	switch {
	case !utf8.ValidString(title) || strings.ContainsFunc(title, isHidden):
		return "", "title_hidden"
	case utf8.RuneCountInString(title) > LongestTitle:
		return "", "title_long"
	case !strings.ContainsFunc(title, isSeen):
		return "", ""
	}
	return title, ""
}

// TitleOf makes a title of the name that a file has on its sender's machine; "" if there is nothing to see in it.
func TitleOf(file string) string {
	file = file[strings.LastIndexAny(file, `/\`)+1:]
	if end := path.Ext(file); len(end) <= 6 { // not the rest of "1. My summer"
		file = strings.Trim(strings.TrimSuffix(file, end), ".")
	}
	file = Visible(strings.ToValidUTF8(file, ""))
	if letters := []rune(norm.NFC.String(file)); len(letters) > LongestTitle {
		file = string(letters[:LongestTitle])
	}
	title, _ := ParseTitle(file)
	return title
}

// Visible returns a text of several lines without what isHidden: such a character can make a text read as another one.
func Visible(text string) string {
	return strings.Map(func(r rune) rune {
		if isHidden(r) && !strings.ContainsRune("\n\r\t", r) {
			return -1
		}
		return r
	}, text)
}

// isHidden reports whether a character is not seen, or changes how others are: control, format, private use. The two
// joiners are part of how Persian and emoji are written.
func isHidden(r rune) bool {
	return unicode.In(r, unicode.C) && r != '\u200c' && r != '\u200d'
}

func isSeen(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && !ignorable(r)
}
