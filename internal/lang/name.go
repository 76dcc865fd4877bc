// What may stand as a child's name in a video.

package lang

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// A name has so many characters, counted without its surrounding spaces.
const (
	shortestName = 2
	longestName  = 50
)

// ParseName reads a name as somebody typed it. name is what the video shows: NFC, with single spaces. key is its
// folded form: equal keys are the same name. problem is "" or the id of the message that says what is wrong.
func ParseName(text string) (name, key, problem string) {
	name = strings.Join(strings.Fields(norm.NFC.String(text)), " ")
	if name == strings.ToLower(name) { // typed in a hurry; the greeting deserves a capital
		name = norm.NFC.String(capitals(name)) // ı with a dot above it becomes İ, one character
	}
	letters, count := 0, 0
	for _, r := range name {
		count++
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsMark(r), r == ' ', strings.ContainsRune(hyphens+apostrophes, r):
		case unicode.IsDigit(r) || unicode.IsNumber(r):
			problem = worse(problem, "name_digits")
		case unicode.In(r, unicode.C, unicode.Zl, unicode.Zp):
			problem = worse(problem, "name_hidden")
		default:
			problem = worse(problem, "name_characters")
		}
	}
	switch {
	case isLink(name):
		problem = "name_link"
	case count > longestName:
		problem = "name_long"
	case problem != "":
	case letters == 0 && count > 0:
		problem = "name_characters"
	case count < shortestName:
		problem = "name_short"
	}
	if problem != "" {
		return "", "", problem
	}
	return name, NameKey(name), ""
}

const (
	hyphens     = "-\u2010\u2011"
	apostrophes = "'\u2019\u02bc"
)

// NameKey folds a name: letter case and the kind of hyphen and apostrophe make no difference.
func NameKey(name string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(hyphens, r):
			return '-'
		case strings.ContainsRune(apostrophes, r): // also what folding makes of ŉ
			return '\''
		case unicode.Is(unicode.Cherokee, r): // folding turns small letters into capitals and the other way round
			return unicode.ToUpper(r)
		}
		return r
	}, cases.Fold().String(norm.NFD.String(name)))) // Unicode folds what is decomposed: else a subscript iota moves
}

// SearchKey folds what somebody looks for as the tails of names in the database are: like a name, with single spaces, also
// for hyphens.
func SearchKey(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(NameKey(text), "-", " ")), " ")
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

func isLink(name string) bool {
	low := strings.ToLower(name)
	for _, sign := range []string{"://", "www.", "t.me/", "@"} {
		if strings.Contains(low, sign) {
			return true
		}
	}
	return domain.MatchString(low)
}

var domain = regexp.MustCompile(`^[\pL\d-]+(\.[\pL\d-]+)*\.\pL{2,}(/\S*)?$`)

func capitals(name string) string {
	first := true
	return strings.Map(func(r rune) rune {
		was := first
		first = r == ' ' || strings.ContainsRune(hyphens, r)
		if was && unicode.IsLetter(r) { // there is a mark that would become a letter
			return unicode.ToTitle(r)
		}
		return r
	}, name)
}

// IsRude reports whether a word of a folded name is on a list of RudeWords.
func IsRude(key string, list []string) bool {
	for _, word := range strings.FieldsFunc(key, func(r rune) bool { return r == ' ' || r == '-' }) {
		for _, bad := range list {
			stem, open := strings.CutSuffix(NameKey(bad), "*")
			if word == stem || open && strings.HasPrefix(word, stem) {
				return true
			}
		}
	}
	return false
}
