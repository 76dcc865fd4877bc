// The key of a name: what is equal for all spellings of the same name. Keys are stored, with unique indexes: a change
// of what NameKey returns needs a step in the database that computes them again.

package lang

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// NameKey folds a name or a title: letter case, invisible characters, stress marks, the kind of hyphen and apostrophe,
// letters in disguise (NFKC) and single letters of another script that look the same make no difference. It is empty
// only for a text in which nothing can be seen.
func NameKey(name string) string {
	for range 8 { // each pass can make work for the next; three are the most that the fuzzer has found
		key := foldOnce(name)
		if key == name {
			break
		}
		name = key
	}
	return name
}

var fold = cases.Fold()

func foldOnce(name string) string {
	// Unicode folds what is decomposed: otherwise a subscript iota moves.
	folded := fold.String(norm.NFD.String(plainSigns(name)))
	folded = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cherokee, r) { // folding turns small letters into capitals and the other way round
			return unicode.ToUpper(r)
		}
		return r
	}, folded)
	folded = WithoutStress(norm.NFKC.String(folded))
	return strings.Join(strings.Fields(oneScript(plainSigns(folded), foldedTwins)), " ")
}

// plainSigns drops what nobody sees and makes one sign of each kind of separator.
func plainSigns(name string) string {
	runes := []rune(name)
	out := runes[:0]
	for i, r := range runes {
		switch {
		case ignorable(r):
			continue
		case isHyphen(r):
			r = '-'
		case isApostrophe(r): // also what folding makes of ŉ
			r = '\''
		case isMiddleDot(r):
			if r = '-'; i > 0 && i+1 < len(runes) && isL(runes[i-1]) && isL(runes[i+1]) {
				r = catalanDot
			}
		}
		out = append(out, r)
	}
	return string(out)
}

func isL(r rune) bool { return r == 'l' || r == 'L' }

// WithoutStress drops the stress marks of Cyrillic: «Ве́ра» says how to speak the name, the picture shows «Вера».
func WithoutStress(name string) string {
	if !strings.Contains(norm.NFC.String(name), "\u0301") {
		return name
	}
	cyrillic := false
	return strings.Map(func(r rune) rune {
		if r == '\u0301' && cyrillic {
			return -1
		}
		if !unicode.IsMark(r) {
			cyrillic = unicode.Is(unicode.Cyrillic, r)
		}
		return r
	}, norm.NFC.String(name))
}

// SearchKey folds what somebody looks for as the tails of names in the database are folded: like a name, with single
// spaces, also for hyphens.
func SearchKey(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(NameKey(text), "-", " ")), " ")
}

// Letters that look the same in three scripts (Unicode Technical Standard #39, confusables.txt), one column each.
const (
	latinTwins    = "ABCEHIJKMNOPSTXYZËÏ"
	cyrillicTwins = "АВСЕНІЈКМ ОРЅТХУ ЁЇ"
	greekTwins    = "ΑΒ ΕΗΙ ΚΜΝΟΡ ΤΧΥΖ Ϊ"
	smallTwins    = "aceijopsxyëï" // of the small letters only these do
)

// twins returns what a letter looks like in the scripts, in the order of scripts; 0 where it looks like nothing.
type twins map[rune][3]rune

// scripts in which letters have twins, the likelier one first.
var scripts = [3]*unicode.RangeTable{unicode.Cyrillic, unicode.Latin, unicode.Greek}

var (
	shownTwins  = makeTwins(false)
	foldedTwins = makeTwins(true)
)

// makeTwins makes the table of letters as they are shown, or as they are folded: there a small letter is like its
// capital.
func makeTwins(folded bool) twins {
	out := twins{}
	cyrillic, greek := []rune(cyrillicTwins), []rune(greekTwins)
	for i, latin := range []rune(latinTwins) {
		capital := [3]rune{cyrillic[i], latin, greek[i]}
		var small [3]rune
		for j, r := range capital {
			if r == ' ' {
				capital[j] = 0
			} else {
				small[j] = unicode.ToLower(r)
			}
		}
		if strings.ContainsRune(smallTwins, small[1]) || folded {
			out.add(small)
		}
		if !folded {
			out.add(capital)
		}
	}
	return out
}

func (t twins) add(same [3]rune) {
	for _, r := range same {
		if r != 0 {
			t[r] = same
		}
	}
}

// oneScript writes each word that mixes scripts in the one of them that has all its letters.
func oneScript(name string, table twins) string {
	var out strings.Builder
	for len(name) > 0 {
		end := strings.IndexFunc(name, func(r rune) bool { return !isWritten(r) && !isApostrophe(r) })
		if end == 0 {
			end = len(firstRune(name))
		} else if end < 0 {
			end = len(name)
		}
		out.WriteString(oneWord(name[:end], table))
		name = name[end:]
	}
	return out.String()
}

func firstRune(s string) string {
	for i := range s {
		if i > 0 {
			return s[:i]
		}
	}
	return s
}

func oneWord(word string, table twins) string {
	var letters [3]int // of the word in each script
	able := [3]bool{true, true, true}
	mixed := 0
	for _, r := range word {
		i := scriptOf(r)
		if i < 0 {
			continue
		}
		if letters[i]++; letters[i] == 1 {
			mixed++
		}
		for j := range scripts {
			able[j] = able[j] && (i == j || table[r][j] != 0)
		}
	}
	best := -1
	for i := range scripts {
		if able[i] && letters[i] > 0 && (best < 0 || letters[i] > letters[best]) {
			best = i
		}
	}
	if mixed < 2 || best < 0 {
		return word
	}
	return strings.Map(func(r rune) rune {
		if scriptOf(r) == best || table[r][best] == 0 {
			return r
		}
		return table[r][best]
	}, word)
}

// scriptOf returns which of scripts a letter is of, or -1.
func scriptOf(r rune) int {
	if r >= 0x400 && r < 0x482 { // most letters here
		return 0
	}
	for i, script := range scripts {
		if unicode.Is(script, r) && unicode.IsLetter(r) {
			return i
		}
	}
	return -1
}
