// The signs in and around a name: separators and their look-alikes, joiners, invisible characters, letters in disguise.

package lang

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// What people type for a separator. The first of each is how a key has it.
const (
	hyphens     = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u02d7\u2043\u058a\u05be\u1806\u30a0\ufe58\ufe63\uff0d"
	apostrophes = "'\u2019\u2018" + turned + raised + "\u05f3\u05f4"
	turned      = "`\u02bb\u02bf\u201b\uff40"                              // shown as ‘
	raised      = "\u02bc\u02be\u00b4\u2032\u02b9\u055a\ua78b\ua78c\uff07" // shown as ’
	middleDots  = "\u00b7\u2022\u2027\u2219\u22c5\u2e31\u30fb\uff65"
	catalanDot  = '\u00b7' // in l·l it is part of the spelling
)

var isHyphen, isApostrophe, isMiddleDot = setOf(hyphens), setOf(apostrophes), setOf(middleDots)

// setOf returns a test for characters of a list. Letters of the common scripts are not looked for.
func setOf(list string) func(r rune) bool {
	set := map[rune]bool{}
	for _, r := range list {
		set[r] = true
	}
	return func(r rune) bool {
		common := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= 0x400 && r < 0x530
		return !common && set[r]
	}
}

// separators shows look-alikes as what fonts have, and makes one of several in a row. Hebrew keeps its own.
func separators(name string) string {
	runes := []rune(name)
	for i, r := range runes {
		inHebrew := i > 0 && unicode.Is(unicode.Hebrew, runes[i-1])
		switch {
		case r == '"' && inHebrew && i+1 < len(runes):
			runes[i] = '\u05f4'
		case strings.ContainsRune("\u05be\u05f3\u05f4", r) && inHebrew:
		case isHyphen(r):
			runes[i] = '-'
		case strings.ContainsRune(turned, r):
			runes[i] = '‘'
		case strings.ContainsRune(raised, r), r == '\u05f3', r == '\u05f4':
			runes[i] = '’'
		case r == '\uff65':
			runes[i] = '・'
		case isMiddleDot(r) && r != '・':
			runes[i] = catalanDot
		case r == '\uff0e' && i > 0 && isOneLetterName(runes[i-1]):
			runes[i] = catalanDot
		case r == '\uff0e':
			runes[i] = '.'
		case r == '\u1361': // between words in Ethiopic
			runes[i] = ' '
		case r == '\u0f0c': // tsheg that does not break a line
			runes[i] = tsheg
		}
	}
	name = string(runes)
	if !strings.ContainsFunc(name, func(r rune) bool {
		return isHyphen(r) || isApostrophe(r) || isMiddleDot(r) ||
			r == '.'
	}) {
		return name
	}
	for _, squeeze := range []*regexp.Regexp{hyphensInRow, dotsInRow, apostrophesInRow, stopsInRow} {
		name = squeeze.ReplaceAllString(name, "$1")
	}
	return name
}

// Several in a row are one, with the spaces around those that join words.
var (
	hyphensInRow     = regexp.MustCompile(` ?([-\x{05be}])(?: ?[-\x{05be}])* ?`)
	dotsInRow        = regexp.MustCompile(` ?([·・])(?: ?[·・])* ?`)
	apostrophesInRow = regexp.MustCompile(`(['’‘\x{05f3}\x{05f4}])['’‘\x{05f3}\x{05f4}]+`)
	stopsInRow       = regexp.MustCompile(`(\.)\.+`)
)

// trimSigns takes away what stands around a name: punctuation, quotes, emoji. It leaves what looks like markup, a link
// or an amount, which is refused in words.
func trimSigns(name string) string {
	runes := []rune(name)
	if n := len(runes); n > 1 && isQuote(runes[0]) && isQuote(runes[n-1]) {
		runes = runes[1 : n-1]
	}
	for len(runes) > 0 && isTrimmable(runes[0]) && !(isApostrophe(runes[0]) && len(runes) > 1 && isLetter(runes[1])) {
		runes = runes[1:]
	}
	for n := len(runes); n > 0; n = len(runes) {
		last := runes[n-1]
		if unicode.IsMark(last) && marksBefore(runes) <= n && hasLetterBefore(runes) || belongsToTheEnd(runes) ||
			!isTrimmable(last) {
			break
		}
		runes = runes[:n-1]
	}
	return string(runes)
}

func isTrimmable(r rune) bool {
	switch {
	case strings.ContainsRune(`{}[]<>\/@#&%|+=^`, r):
		return false
	case unicode.In(r, unicode.P, unicode.Sm, unicode.So, unicode.Sk, unicode.M), r == ' ', isApostrophe(r),
		isHyphen(r):
		return true
	}
	return ignorable(r) && !isBidiOverride(r)
}

func isQuote(r rune) bool { return unicode.Is(unicode.Quotation_Mark, r) || isApostrophe(r) }

// hasLetterBefore reports whether the marks at the end are on a letter.
func hasLetterBefore(runes []rune) bool {
	for i := len(runes) - 1; i >= 0; i-- {
		if !unicode.IsMark(runes[i]) && !isJoiner(runes[i]) {
			return isLetter(runes[i])
		}
	}
	return false
}

// belongsToTheEnd reports whether the last sign is part of the name: the stop of an initial (J. R.), the geresh of
// ג׳ורג׳, the turned comma of Ulug‘, the joiner behind a virama (അനില്‍).
func belongsToTheEnd(runes []rune) bool {
	n := len(runes) - 1
	if n < 1 {
		return false
	}
	last, before := runes[n], runes[n-1]
	switch {
	case last == '.' || last == '\uff0e':
		start := n - 1
		for start > 0 && isNameMark(runes[start]) {
			start--
		}
		return start > 0 && isLetter(runes[start]) && (runes[start-1] == ' ' || runes[start-1] == '.' ||
			isHyphen(runes[start-1]))
	case isApostrophe(last) && unicode.Is(unicode.Hebrew, before):
		return true
	case last == '‘' || strings.ContainsRune(turned, last):
		return strings.ContainsRune("GgOo", before)
	}
	return isJoiner(last) && isVirama(before)
}

// ignorable reports whether a character is invisible: Default_Ignorable_Code_Point, which Unicode derives in
// this way (DerivedCoreProperties.txt).
func ignorable(r rune) bool {
	if r < '\u034f' && r != '\u00ad' || r > '\u034f' && r < '\u061c' {
		return false // most letters of most names
	}
	if unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
		return true
	}
	return unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) &&
		!(r >= 0xfff9 && r <= 0xfffb) && !(r >= 0x13430 && r <= 0x1343f)
}

// isDirecting reports characters that change how others are shown or that carry hidden text: they are refused inside a
// name, where other invisible ones are dropped.
func isDirecting(r rune) bool {
	return unicode.Is(unicode.Bidi_Control, r) || r >= 0x206a && r <= 0x206f || r >= 0xe0000 && r <= 0xe007f
}

func isBidiOverride(r rune) bool { return r >= 0x202a && r <= 0x202e }

// withoutInvisible drops characters that nobody sees. It keeps joiners between letters, which are judged later, and
// what is refused.
func withoutInvisible(name string) string {
	runes := []rune(joinersInRow.ReplaceAllString(name, "$1"))
	out := make([]rune, 0, len(runes))
	for i, r := range runes {
		switch {
		case isJoiner(r):
			between := i > 0 && i+1 < len(runes) && isWritten(runes[i-1]) && isWritten(runes[i+1])
			if !between && !joinerFits(runes, i) {
				continue
			}
		case ignorable(r) && !isDirecting(r) && !isMongolianMark(runes, i):
			continue
		}
		out = append(out, r)
	}
	return string(out)
}

var joinersInRow = regexp.MustCompile(`([\x{200c}\x{200d}])[\x{200c}\x{200d}]+`)

func isJoiner(r rune) bool { return r == '\u200c' || r == '\u200d' }

func isWritten(r rune) bool { return isLetter(r) || isNameMark(r) }

// joinerFits reports whether the script needs the joiner at i: beside a virama (UAX #31, A2 and B; Bengali and Kannada
// put it before), or between letters of a script that joins its letters (A1).
func joinerFits(runes []rune, i int) bool {
	if i == 0 || !isWritten(runes[i-1]) {
		return false
	}
	if isVirama(runes[i-1]) || i+1 < len(runes) && isVirama(runes[i+1]) {
		return true
	}
	before, after := i-1, i+1
	for before > 0 && isNameMark(runes[before]) {
		before--
	}
	return after < len(runes) && isCursive(runes[before]) && isCursive(runes[after])
}

// isVirama reports a sign that takes a consonant's vowel away: those have this combining class.
func isVirama(r rune) bool { return norm.NFD.PropertiesString(string(r)).CCC() == 9 }

func isCursive(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Mandaic, unicode.Nko, unicode.Mongolian, unicode.Adlam,
		unicode.Hanifi_Rohingya)
}

// isMongolianMark reports whether the character at i chooses the form of a Mongolian letter.
func isMongolianMark(runes []rune, i int) bool {
	if r := runes[i]; r < 0x180b || r > 0x180f || i == 0 {
		return false
	}
	return unicode.Is(unicode.Mongolian, runes[i-1]) && isLetter(runes[i-1])
}

// disguised are blocks whose letters only look special: fullwidth, bold, in circles, ligatures, Arabic in its shapes.
// Other letters with a compatibility mapping, such as the Thai sara am, are shown as typed.
var disguised = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x0132, Hi: 0x0133, Stride: 1}, {Lo: 0x013f, Hi: 0x0140, Stride: 1},
		{Lo: 0x2100, Hi: 0x214f, Stride: 1}, {Lo: 0x24b6, Hi: 0x24e9, Stride: 1}, {Lo: 0xfb00, Hi: 0xfdff, Stride: 1},
		{Lo: 0xfe70, Hi: 0xfefc, Stride: 1}, {Lo: 0xff21, Hi: 0xff3a, Stride: 1}, {Lo: 0xff41, Hi: 0xff5a, Stride: 1},
		{Lo: 0xff66, Hi: 0xffdc, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x1d400, Hi: 0x1d7cb, Stride: 1}, {Lo: 0x1f130, Hi: 0x1f149, Stride: 1},
		{Lo: 0x1f150, Hi: 0x1f169, Stride: 1}, {Lo: 0x1f170, Hi: 0x1f189, Stride: 1}},
}

// What only makes a word longer: it is decoration (Arabic and its neighbours, N'Ko).
const stretching = "\u0640\u07fa"

// plainLetters shows letters in disguise as what they are, and words that were stretched in their plain form.
func plainLetters(name string) string {
	odd := func(r rune) bool { return unicode.Is(disguised, r) || strings.ContainsRune(stretching, r) }
	if !strings.ContainsFunc(name, odd) {
		return name
	}
	var out strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case strings.ContainsRune(stretching, r):
		case r >= 0x1f150 && unicode.Is(disguised, r): // white on black; Unicode does not say what is in it
			if i > 0 && isInWord(runes[i-1]) || i+1 < len(runes) && isInWord(runes[i+1]) {
				r = 'A' + (r-0x1f130)%0x20
			}
			out.WriteRune(r)
		case unicode.Is(disguised, r) && (unicode.IsLetter(r) || unicode.Is(unicode.So, r)):
			out.WriteString(norm.NFKC.String(string(r)))
		default:
			out.WriteRune(r)
		}
	}
	return norm.NFC.String(out.String())
}

// isInWord tells a letter, also one in disguise, from an emoji that stands alone (🅰️ is a blood group).
func isInWord(r rune) bool { return isLetter(r) || unicode.Is(disguised, r) }

// The palochka of the languages of the Caucasus is on few keyboards: 1, I and l are typed for it.
var (
	palochka      = regexp.MustCompile(`([ГгКкПпТтФфХхЦцЧчШшъь])[1IІӀl]([аеёиоуыэюя])`)
	greatPalochka = regexp.MustCompile(`([ГКПТФХЦЧШЪЬ])1([АЕЁИОУЫЭЮЯ])`)
)

// withPalochka writes Г1айша as people read it: Гӏайша.
func withPalochka(name string) string {
	return greatPalochka.ReplaceAllString(palochka.ReplaceAllString(name, "${1}ӏ${2}"), "${1}Ӏ${2}")
}
