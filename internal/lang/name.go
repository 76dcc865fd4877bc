// A name as somebody types it: what ParseName accepts, what it tidies, and what it refuses with which message.

package lang

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	shortestName = 2   // letters; one is enough in the scripts of isOneLetterName
	longestName  = 50  // characters, counted after tidying
	longestText  = 500 // characters: more is not read
	mostMarks    = 5   // on one letter: more is a picture drawn with accents
)

// ParseName reads a name as somebody typed it. name is what the video shows: NFC, with single spaces and plain
// separators, without the signs and emoji around it. key is its folded form: equal keys are the same name. problem is
// "", or the id of the message that says what is wrong.
//
// Letters, marks and joiners follow Unicode Standard Annex #31 (sections 2.3 and 2.4); the separators that names have
// are added to it.
func ParseName(text string) (name, key, problem string) {
	if utf8.RuneCountInString(text) > longestText {
		return "", "", "name_long"
	}
	if strings.ContainsRune(text, utf8.RuneError) { // half a letter: nobody knows which name this was
		return "", "", "name_characters"
	}
	name = tidy(text)
	if problem := problemOf(text, name); problem != "" {
		return "", "", problem
	}
	return name, NameKey(name), ""
}

// tidy repeats its steps until nothing changes: a sign that goes can bring another one to the end. What does not come
// to rest, which no name does, is refused: nothing is left of it.
func tidy(text string) string {
	for range 100 {
		name := strings.Join(strings.Fields(norm.NFC.String(text)), " ")
		if name = plainLetters(name); strings.ContainsAny(name, "<:;=\u20e3") {
			name = emoticons.ReplaceAllString(name, "")
		}
		name = withPalochka(separators(trimSigns(withoutInvisible(name))))
		if name == strings.ToLower(name) { // typed in a hurry; the greeting deserves a capital
			name = norm.NFC.String(capitals(name)) // ı with a dot above it becomes İ, one character
		}
		name = norm.NFC.String(oneScript(name, shownTwins))
		if name == text {
			return name
		}
		text = name
	}
	return ""
}

// emoticons are the pictures at the end that are made of letters and digits, and digits in a box anywhere.
var emoticons = regexp.MustCompile(`(?i)(?:\s*(?:<3+|[:;=]-?[dpo3])\s*)+$|[0-9#*]\x{fe0f}?\x{20e3}`)

// problemOf returns the message about a tidied name, or "". text is what was typed: tidying hides that it is a link.
func problemOf(text, name string) string {
	letters, size, problem := count(name)
	switch {
	case isLink(text) || isLink(name):
		return "name_link"
	case utf8.RuneCountInString(name) > longestName:
		return "name_long"
	case problem != "":
		return problem
	case letters == 0 && strings.TrimSpace(text) != "":
		return "name_characters"
	case size >= shortestName || strings.ContainsFunc(name, isOneLetterName):
		return ""
	}
	return "name_short"
}

// count returns how many letters a tidied name has, and its size: the letters and the vowel signs. problem is the most
// useful message about what a name cannot have.
func count(name string) (letters, size int, problem string) {
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case isLetter(r):
			letters, size = letters+1, size+1
		case isNameMark(r) && i > 0 && marksBefore(runes[:i+1]) <= mostMarks:
			if !unicode.Is(unicode.Inherited, r) { // the vowel signs of Indic scripts have their own script
				size++
			}
		case r == ' ', isSeparator(runes, i), isJoiner(r) && joinerFits(runes, i), isMongolianMark(runes, i):
		case unicode.IsNumber(r):
			problem = worse(problem, "name_digits")
		case unicode.In(r, unicode.C), ignorable(r):
			problem = worse(problem, "name_hidden")
		default:
			problem = worse(problem, "name_characters")
		}
	}
	return letters, size, problem
}

// worse keeps the problem that is the most useful to hear about.
func worse(a, b string) string {
	for _, p := range []string{"name_hidden", "name_digits", "name_characters"} {
		if a == p || b == p {
			return p
		}
	}
	return b
}

// isLetter leaves out letters that nobody sees, such as the Hangul fillers, and signs that Unicode counts as letters of
// no script, such as the circumflex; but not the two Japanese ones: the long vowel, and the shime of 〆子. The zero of
// Chinese is a number to Unicode, and is in names.
func isLetter(r rune) bool {
	return unicode.IsLetter(r) && !ignorable(r) && (!unicode.In(r, unicode.Common, unicode.Inherited) ||
		r == 'ー' || r == '〆') || r == '〇'
}

func isNameMark(r rune) bool { return unicode.In(r, unicode.Mn, unicode.Mc) && !ignorable(r) }

// marksBefore counts the marks at the end; too many if there is no letter that has them.
func marksBefore(runes []rune) int {
	n := 0
	for i := len(runes) - 1; i >= 0; i-- {
		switch r := runes[i]; {
		case isNameMark(r):
			n++
		case isJoiner(r):
		case isLetter(r):
			return n
		default:
			return mostMarks + 1
		}
	}
	return mostMarks + 1
}

// isOneLetterName reports whether a letter alone is a name: it is a word or a syllable in its script.
func isOneLetterName(r rune) bool {
	const om = "\u0950\u0ad0\u0bd0" // Devanagari, Gujarati, Tamil
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Yi) ||
		r >= 0xac00 && r <= 0xd7a3 || strings.ContainsRune(om, r) // Hangul syllables, not its single sounds
}

// isSeparator reports whether the character at i separates the parts of a name there.
func isSeparator(runes []rune, i int) bool {
	r := runes[i]
	if r == '.' { // behind an initial or a short word: J. R., St. John
		word := wordBefore(runes, i)
		return word >= 1 && word <= 3
	}
	return isHyphen(r) || isApostrophe(r) || isMiddleDot(r) || r == tsheg
}

// tsheg ends a syllable in Tibetan.
const tsheg = '\u0f0b'

// wordBefore returns how many letters stand directly before i.
func wordBefore(runes []rune, i int) (n int) {
	for i--; i >= 0 && (isLetter(runes[i]) || isNameMark(runes[i])); i-- {
		if isLetter(runes[i]) {
			n++
		}
	}
	return n
}

func isLink(text string) bool {
	low := strings.ToLower(text)
	for _, sign := range []string{"://", "www.", "t.me/", "@"} {
		if strings.Contains(low, sign) {
			return true
		}
	}
	low = strings.Map(func(r rune) rune { // an apostrophe may be a letter to Unicode
		if isApostrophe(r) {
			return '\''
		}
		return r
	}, low)
	return domain.MatchString(low) && !initials.MatchString(text)
}

var (
	domain   = regexp.MustCompile(`^\s*[\pL\d-]+(\.[\pL\d-]+)*\.\pL{2,}(/\S*)?\s*$`)
	initials = regexp.MustCompile(`^\s*(\p{Lu}\.)+\p{Lu}\pL*\s*$`)
)

func capitals(name string) string {
	first := true
	return strings.Map(func(r rune) rune {
		was := first
		first = r == ' ' || r == '.' || isHyphen(r) || isMiddleDot(r) && r != catalanDot
		if was && unicode.IsLetter(r) { // there is a mark that would become a letter
			return unicode.ToTitle(r)
		}
		return r
	}, name)
}
