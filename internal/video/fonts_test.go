// fonts_test.go chooses faces: letter by letter, again after a scan that failed, and without parsing a file twice.

package video

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-text/typesetting/font"
)

// pickedFaces names the face of each rune that is drawn: "A" for the wanted one, "D" for the built-in one, "?" for
// another.
func pickedFaces(t *testing.T, f *fonts, text string) (drawn, faces string) {
	t.Helper()
	face, err := f.pick(text)
	if err != nil {
		t.Fatalf("%s: got %v; want faces", text, err)
	}
	builtIn, found, err := f.library()
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := f.wanted(found)
	if err != nil || wanted == nil {
		t.Fatalf("got %v, %v; want %s on this machine", wanted, err, wantedPackage)
	}
	runes, each := face.faced(text)
	for _, one := range each {
		switch one {
		case wanted:
			faces += "A"
		case builtIn:
			faces += "D"
		default:
			faces += "?"
		}
	}
	return string(runes), faces
}

func TestFonts_OneLetterDoesNotChangeTheOthers(t *testing.T) {
	f := &fonts{}
	for text, want := range map[string]string{
		"Маша":               "AAAA",
		"G\u02bbayrat":       "AAAAAAA", // an okina that looks like a quotation mark
		"O\u02bcConnor":      "AAAAAAAA",
		"Анна\u2010Мария":    "AAAAAAAAAA",
		"Анна\u2011Мария":    "AAAAAAAAAA",
		"Μαρία":              "DDDDD",
		"Анна Μαρία":         "AAAAADDDDD",
		"Zoe\u0308":          "AAA",
		"Әлия":               "AAAA",
		"Ma\u010fa \u05e0ו":  "AAAAADD",
		"محمد علي":           "DDDDDDDD",
		"Аня ❤":              "AAAAD", // a sign that the main face lacks
		"\u200eנועה, hello!": "DDDDDDDAAAAAA",
		"Иван\u200dИванович": "AAAAAAAAAAAAA",
		"\u0418\u0306рина":   "AAAAA",
		"С\u0301\u0323аша":   "AAAAAA",
	} {
		if _, got := pickedFaces(t, f, text); got != want {
			t.Errorf("%q: got faces %s; want %s", text, got, want)
		}
	}
}

func TestFonts_LookAlikesStandIn(t *testing.T) {
	f := &fonts{}
	builtIn, _, err := f.library()
	if err != nil {
		t.Fatal(err)
	}
	for text, forms := range lookAlikes {
		got, err := f.place(builtIn, []*face{builtIn}, nil, text)
		if err != nil || got.text != text && got.text != forms[0] && got.text != forms[len(forms)-1] {
			t.Errorf("%q: got %q, %v; want it, or one of %q", text, got.text, err, forms)
		}
	}
}

func TestFonts_AScanThatFailedIsTriedAgain(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_DATA_HOME", home)
	if err := os.Mkdir(filepath.Join(home, "fonts"), 0o700); err != nil {
		t.Fatal(err)
	}
	// The kernel answers a read of the first bytes of this file with an I/O error.
	bad := filepath.Join(home, "fonts", "bad.ttf")
	if err := os.Symlink("/proc/self/mem", bad); err != nil {
		t.Fatal(err)
	}
	m := newMaker(t, func(*Config) {})
	for _, name := range []string{"Маша", "\U00012000"} {
		if err := m.CanDraw("new-year", name); err == nil || isPermanent(err) || errors.Is(err, ErrCannotDraw) ||
			!strings.Contains(err.Error(), "look for fonts") {
			t.Errorf("%s while a font cannot be read: got %v; want an error that does not refuse the name", name, err)
		}
	}
	if _, here := m.Font(); here {
		t.Error("got that the font is here; want it not known")
	}
	if err := os.Remove(bad); err != nil {
		t.Fatal(err)
	}
	if err := m.CanDraw("new-year", "Маша"); err != nil {
		t.Errorf("once it can: got %v; want nil", err)
	}
	if err := m.CanDraw("new-year", "\U00012000"); !errors.Is(err, ErrCannotDraw) {
		t.Errorf("a name without a font: got %v; want ErrCannotDraw", err)
	}
}

func TestFonts_AreScannedWithoutWriting(t *testing.T) {
	m := newMaker(t, func(*Config) {})
	before, _ := os.ReadDir(m.cfg.Cache)
	if err := m.CanDraw("new-year", "Маша"); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadDir(m.cfg.Cache); err != nil || len(after) != len(before) {
		t.Errorf("got %v, %v in the cache; want nothing new: the disk may be full", after, err)
	}
}

func TestFonts_ScanSkipsWhatIsNoFont(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string]string{"text.ttf": "no font", "empty.otf": "", "list.txt": "x",
		"cut.ttc": "ttcf\x00\x01"} {
		write(t, filepath.Join(folder, name), content)
	}
	for link, to := range map[string]string{"gone.ttf": "/none/x.ttf", "loop": folder, "a.ttf": "b.ttf",
		"b.ttf": "a.ttf"} {
		if err := os.Symlink(to, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := scanFonts([]string{folder, "/none/such", filepath.Join(folder, "list.txt")}); err != nil ||
		len(found) > 0 {
		t.Errorf("got %v, %v; want nothing and no error", found, err)
	}
}

func TestFonts_AreParsedOnce(t *testing.T) {
	f := &fonts{}
	_, found, err := f.library()
	if err != nil || len(found) < 3 {
		t.Fatalf("got %d fonts, %v; want some", len(found), err)
	}
	first, err := f.open(found[0])
	if err != nil || first == nil {
		t.Fatal(err)
	}
	if again, err := f.open(found[0]); again != first || err != nil {
		t.Errorf("got another face, %v; want the same", err)
	}
	gone := found[0]
	gone.path += ".gone"
	if face, err := f.open(gone); face != nil || err != nil {
		t.Errorf("a font that was uninstalled: got %v, %v; want none", face, err)
	}
}

func TestFonts_KeepNoMoreThanTheirShareOfMemory(t *testing.T) {
	f := &fonts{}
	for i := range 5 {
		f.parsed = append(f.parsed, parsedFile{fmt.Sprint(i), 0, &face{size: maxParsed * 2 / 5}})
	}
	f.dropParsed()
	if len(f.parsed) != 2 || f.parsed[1].path != "4" {
		t.Errorf("got %v; want the last two", f.parsed)
	}
	f.parsed = []parsedFile{{"huge", 0, &face{size: 2 * maxParsed}}}
	if f.dropParsed(); len(f.parsed) != 1 {
		t.Error("got the only one dropped; want it kept")
	}
}

func TestFonts_HandwrittenRussianLettersAreNoticed(t *testing.T) {
	f := &fonts{}
	builtIn, found, err := f.library()
	if err != nil {
		t.Fatal(err)
	}
	upright, err := f.wanted(found)
	if err != nil || upright == nil {
		t.Fatalf("got %v, %v; want %s on this machine", upright, err, wantedPackage)
	}
	if got := append(upright.cursiveLetters(), builtIn.cursiveLetters()...); len(got) > 0 {
		t.Errorf("got %q in the faces that names are drawn with; want printed letters only", got)
	}
	i := slices.IndexFunc(
		found,
		func(o fontFile) bool { return o.family == wantedFamily && o.aspect.Style == font.StyleItalic },
	)
	italic, err := f.open(found[i])
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(italic.cursiveLetters(), " "); got != "и т п" {
		t.Errorf("got %q in italics; want и т п", got)
	}
	folder := filepath.Join(t.TempDir(), "letters")
	b, err := os.ReadFile(found[i].path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "italic.ttf"), string(b))
	write(
		t,
		filepath.Join(folder, designFile),
		strings.Replace(atTheEdge, "[[text]]", "font = \"italic.ttf\"\n[[text]]", 1),
	)
	for languages, want := range map[string]bool{"ru en": true, "en": false} {
		cfg := Config{Languages: strings.Fields(languages), Timeout: time.Minute}
		if warnings, err := TryTemplate(t.Context(), cfg, folder, "Anna", "en"); err != nil ||
			slices.ContainsFunc(warnings, func(w string) bool {
				return strings.Contains(w, `"italic.ttf" has и, т, п as in handwriting`)
			}) != want {
			t.Errorf("%s: got %q, %v; want a warning: %v", languages, warnings, err, want)
		}
	}
}
