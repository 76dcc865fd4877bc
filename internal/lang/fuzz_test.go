// Properties of names, keys and titles that hold for every text.

package lang

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// strangeNames are what people and machines have typed where a name was expected.
var strangeNames = []string{"", " ", "Маша", "  анна   мария ", "МАША", "Жан-Жак", "жан‐жак", "O'Neil", "o’neil", "Zoë",
	"Zoe\u0308", "İpek", "ıpek", "ı\u0307x",
	"ŉaam", "ʼnaam", "ẞü", "ﬁona", "ǆana", "ǰan", "ΐα", "ᾳι", "α\u0345ι", "\u0345\u0301α", "Ωmega", "Kelvin", "ꭰᏸ",
	"محمد", "עמית", "さくら", "नेहा", "ไทย", "한별", "\u1112\u1161\u11ab별", "x\u200dy",
	"a\u202eb", "a\x00b", "a\nb", "a\u2028b", "\ue000x", "\U000e0041x", "Маша2", "Ⅷ", "x😀", "t.me/x", "www.x", "a@b",
	"маша.рф", "<b>x</b>", "' OR 1=1 --", "--", "а\u0301", "\u0301а", "\xff\xfe", strings.Repeat("я", 51),
	strings.Repeat("а\u0301\u0302", 16)}

func FuzzParseName(f *testing.F) {
	for _, s := range strangeNames {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, key, problem := ParseName(text)
		if problem != "" {
			if name != "" || key != "" || !slices.Contains([]string{"name_digits", "name_hidden", "name_characters",
				"name_link", "name_long", "name_short"}, problem) {
				t.Fatalf("got %q, %q, %q; want a problem that has a message, and nothing else", name, key, problem)
			}
			return
		}
		if n := utf8.RuneCountInString(name); n > longestName || n < shortestName && !strings.ContainsFunc(name,
			isOneLetterName) || !utf8.ValidString(name) {
			t.Errorf("got %q with %d characters; want %d to %d", name, n, shortestName, longestName)
		}
		if !norm.NFC.IsNormalString(name) || !norm.NFC.IsNormalString(key) {
			t.Errorf("got %+q, %+q; want NFC", name, key)
		}
		if !strings.ContainsFunc(name, unicode.IsLetter) {
			t.Errorf("got %+q; want a letter in it", name)
		}
		for i, r := range []rune(name) {
			if ignorable(r) && (i == 0 || !isJoiner(r) && !isMongolianMark([]rune(name), i)) || unicode.In(r,
				unicode.Cc, unicode.Co, unicode.N, unicode.Z) && r != ' ' {
				t.Errorf("got the name %+q; want no %U in it", name, r)
			}
		}
		for _, r := range key {
			if ignorable(r) || unicode.In(r, unicode.C, unicode.Nd, unicode.Z) && r != ' ' {
				t.Errorf("got the key %+q; want no %U in it", key, r)
			}
		}
		// The schema's rules, and what makes one name of two spellings.
		if key == "" || name != strings.Trim(name, " ") || strings.Contains(name, "  ") {
			t.Errorf("got %+q, %+q; want single spaces between words, and a key", name, key)
		}
		if again := NameKey(key); again != key {
			t.Errorf("got the key %+q of the key %+q; want it to stay", again, key)
		}
		if k := NameKey(name); k != key {
			t.Errorf("got the key %+q of the name %+q; want %+q", k, name, key)
		}
		for _, other := range []string{name, "\u00a0" + strings.ReplaceAll(name, " ", " \t ") + " ",
			norm.NFD.String(name), strings.ReplaceAll(name, "-", "\u2010"), strings.ReplaceAll(name, "'", "\u02bc")} {
			n, k, problem := ParseName(other)
			if k != key || problem != "" {
				t.Errorf("%+q: got %+q, %q; want the key %+q of %+q", other, k, problem, key, name)
			}
			if other == name && n != name {
				t.Errorf("got %+q for %+q; want it unchanged", n, name)
			}
		}
		if k := NameKey(norm.NFC.String(otherCase(name))); k != key {
			t.Errorf("got the key %+q of %+q; want the %+q of %+q", k, otherCase(name), key, name)
		}
		if IsRude(key, []string{"дурак*", "fool"}) != IsRude(NameKey(otherCase(name)), []string{"ДУРАК*", "Fool"}) {
			t.Errorf("%+q: it depends on letter case whether it is rude", name)
		}
	})
}

// otherCase changes the case of every letter that has one other.
func otherCase(s string) string {
	return strings.Map(func(r rune) rune {
		if other := unicode.SimpleFold(r); unicode.IsLetter(other) && unicode.SimpleFold(other) == r {
			return other
		}
		return r
	}, s)
}

func FuzzParseTitle(f *testing.F) {
	for _, s := range append(strangeNames, `C:\Users\x\Мой фильм.mp4`, "../../etc/passwd", "1. My summer", ".mp4",
		"a.tar.gz", "/", `\`, "x\u200d.mov", strings.Repeat("e\u0301", 101)) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		typed, problem := ParseTitle(text)
		if problem != "" && (typed != "" || problem != "title_hidden" && problem != "title_long") {
			t.Fatalf("got %q, %q; want a problem that has a message, and nothing else", typed, problem)
		}
		for _, title := range []string{typed, TitleOf(text)} {
			if title == "" {
				continue
			}
			if n := utf8.RuneCountInString(title); n > LongestTitle || !utf8.ValidString(title) ||
				!norm.NFC.IsNormalString(title) {
				t.Errorf("got %+q with %d characters; want NFC and at most %d", title, n, LongestTitle)
			}
			if strings.ContainsFunc(title, isHidden) || !strings.ContainsFunc(title, isSeen) ||
				title != strings.Trim(title, " ") || NameKey(title) == "" {
				t.Errorf("got %+q; want something to see, nothing hidden, and a key", title)
			}
			if again, problem := ParseTitle(title); again != title || problem != "" {
				t.Errorf("got %+q, %q for %+q; want it unchanged", again, problem, title)
			}
			if k := NameKey(title); NameKey(k) != k {
				t.Errorf("got the key %+q of the key %+q; want it to stay", NameKey(k), k)
			}
		}
	})
}
