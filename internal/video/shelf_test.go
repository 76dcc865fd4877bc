// Tests of the shelf: what the studio writes is what hand-written templates are, and versions are kept.

package video

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// filmFile makes a small film that counts its frames.
func filmFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=3", "-f", "lavfi",
		"-i", "sine=d=3", "-pix_fmt", "yuv420p", "-shortest", path).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return path
}

func newShelf(t testing.TB) *Shelf {
	t.Helper()
	m, err := New(Config{Engine: EngineTemplate, Offered: []string{"new-year"}, Languages: []string{"ru", "en"},
		Timeout: 2 * time.Minute, Work: t.TempDir(), Cache: t.TempDir(), Workers: 1,
		Templates: filepath.Join(t.TempDir(), "templates")})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewShelf(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func addFilm(t testing.TB, s *Shelf, title string) string {
	t.Helper()
	id, err := s.AddFilm(t.Context(), title, filmFile(t), "mp4")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// edit is the text of a template after a change of its sheet.
func edit(t testing.TB, s *Shelf, id string, change func(*Sheet)) []byte {
	t.Helper()
	now, err := s.Template(id)
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := ReadSheet(now.Text, s.maker.cfg.Languages)
	if err != nil {
		t.Fatal(err)
	}
	change(&sheet)
	text, err := sheet.Write(now.Text, s.maker.cfg.Languages)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestShelf_WritesWhatTemplateCheckFindsRight(t *testing.T) {
	s := newShelf(t)
	id := addFilm(t, s, "Дед Мороз 2027")
	if id != "ded-moroz-2027" {
		t.Errorf("got the id %q", id)
	}
	text := edit(t, s, id, func(sheet *Sheet) {
		sheet.Title = map[string]string{"ru": "Дед Мороз", "en": "Grandfather Frost"}
		p := &sheet.Segments[0]
		p.Start, p.End, p.X, p.Y, p.W, p.H = "0,5", "2.5", "10", "20", "300", "100"
		p.Text = map[string]string{"ru": "Дорогая {{.Name}}!", "en": "Dear {{.Name}}!"}
		p.Style, p.Color, p.Outline, p.Glow = "silver", "#fff #ffda68", "#123456", "none"
		p.Align, p.Animation, p.Size = "left", "rise", "60"
		sheet.Segments = append(sheet.Segments, Place{Start: "2.6", End: "2.9", X: "0", Y: "0", W: "100", H: "40"})
		sheet.Voice = Speech{Text: map[string]string{"ru": "{{.Name}}!", "en": "{{.Name}}!"}, Start: "0.2", Duck: "-6"}
	})
	version, err := s.Save(t.Context(), id, text, 1)
	if err != nil || version != 2 {
		t.Fatalf("got version %d, %v; want 2", version, err)
	}
	said, err := CheckTemplate(t.Context(), s.maker.cfg, filepath.Join(s.dir, id))
	if err != nil || !strings.Contains(strings.Join(said, " "), "is right: 320×240") {
		t.Errorf("template check: got %q, %v", said, err)
	}
	d, err := readDesign(id, os.DirFS(filepath.Join(s.dir, id)), []string{"ru", "en"})
	if err != nil {
		t.Fatal(err)
	}
	p := d.segments[0]
	if p.start != 500*time.Millisecond || p.end != 2500*time.Millisecond || p.box != (area{10, 20, 300, 100}) ||
		p.text.say("ru", "Анна") != "Дорогая Анна!" || p.size != 60 || p.align != "left" || p.animation != "rise" ||
		p.style.glowStrength != 0 || len(d.segments) != 2 || d.voice == nil || d.voice.duck != -6 ||
		d.titles.in("en") != "Grandfather Frost" {
		t.Errorf("got %+v of what was set", d)
	}
	again := edit(t, s, id, func(*Sheet) {})
	if string(again) != string(text) {
		t.Errorf("got\n%s\nof an untouched sheet; want\n%s", again, text)
	}
	v, err := s.maker.Make(t.Context(), Order{Asset: "x", Name: "Анна", Lang: "ru", Template: s.maker.Current(id)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.Width != 320 || v.Height != 240 || v.Discard() != nil {
		t.Errorf("got %+v; want a video of the film's size", v)
	}
}

func TestShelf_AnOrderIsMadeWithItsVersion(t *testing.T) {
	s := newShelf(t)
	id := addFilm(t, s, "Spring")
	place := func(y string) []byte { return edit(t, s, id, func(sheet *Sheet) { sheet.Segments[0].Y = y }) }
	if _, err := s.Save(t.Context(), id, place("0"), 1); err != nil {
		t.Fatal(err)
	}
	before, err := s.maker.template("spring@2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), id, place("100"), 2); err != nil {
		t.Fatal(err)
	}
	fresh, err := New(s.maker.cfg) // after a restart, too
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Maker{s.maker, fresh} {
		for order, y := range map[string]int{"spring@2": 0, "spring@3": 100, "spring": 100} {
			k, err := m.template(order)
			if err != nil {
				t.Fatal(err)
			}
			if got := k.segments[0].box.y; got != y {
				t.Errorf("%s: got the box at %d; want %d", order, got, y)
			}
		}
	}
	if before.segments[0].box.y != 0 || s.maker.Current(id) != "spring@3" {
		t.Errorf("got %d, %s; want what is under way as it was, and the third version", before.segments[0].box.y,
			s.maker.Current(id))
	}
	// Somebody else's save is not overwritten, and going back is one step.
	if _, err := s.Save(t.Context(), id, place("50"), 2); !errors.Is(err, ErrNewerVersion) {
		t.Errorf("got %v; want ErrNewerVersion", err)
	}
	if err := s.Back(id, 2); err != nil || s.maker.Current(id) != "spring@2" {
		t.Errorf("got %v, %s; want the second version again", err, s.maker.Current(id))
	}
	if version, err := s.Save(t.Context(), id, place("60"), 2); err != nil || version != 4 {
		t.Errorf("got %d, %v; want a fourth version, and none lost", version, err)
	}
	if err := s.Back(id, 9); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v; want that there is no ninth", err)
	}
}

func TestShelf_KeepsWhatWasWrittenByHand(t *testing.T) {
	s := newShelf(t)
	folder := filepath.Join(s.dir, "own")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	hand := "# by hand\ntitle = \"Own\"\nscene = \"birthday\"\naspect = \"portrait\"\n[[segment]]\nstart = 2\nend = \"4s\"\n" +
		"box = [10, 20, 600, 200]\n[[text]]\ntext = \"Hello\"\nbox = [0, 0, 300, 100]\n"
	write(t, filepath.Join(folder, designFile), hand)
	if now, err := s.Template("own"); err != nil || now.Version != 0 || s.maker.Current("own") != "own" {
		t.Fatalf("got %+v, %v; want a template without versions", now, err)
	}
	text := edit(t, s, "own", func(sheet *Sheet) { sheet.Segments[0].X = "40" })
	version, err := s.Save(t.Context(), "own", text, 0)
	if err != nil || version != 2 {
		t.Fatalf("got %d, %v; want the second version", version, err)
	}
	kept, err := os.ReadFile(filepath.Join(folder, versionFile(1)))
	if err != nil || string(kept) != hand {
		t.Errorf("got %q, %v; want what was written by hand", kept, err)
	}
	k, err := s.maker.template("own@2")
	if err != nil || len(k.texts) != 1 || k.scene != "birthday" || k.segments[0].box.x != 40 {
		t.Errorf("got %+v, %v; want the other text and the scene as they were", k, err)
	}
	if err := s.Back("own", 1); err != nil {
		t.Fatal(err)
	}
	if now, _ := os.ReadFile(filepath.Join(folder, designFile)); string(now) != hand {
		t.Errorf("got %q; want what was written by hand", now)
	}
	// A hand at work beside the studio loses nothing either.
	write(t, filepath.Join(folder, designFile), hand+"# and more\n")
	if now, err := s.Template("own"); err != nil || now.Version != 0 {
		t.Fatalf("got %+v, %v; want that no version is current", now, err)
	}
	if err := s.Back("own", 2); err != nil {
		t.Fatal(err)
	}
	if kept, _ := os.ReadFile(filepath.Join(folder, versionFile(3))); string(kept) != hand+"# and more\n" {
		t.Errorf("got %q; want a third version of it", kept)
	}
}

func TestShelf_RefusesWhatIsHostile(t *testing.T) {
	s := newShelf(t)
	id := addFilm(t, s, "../../etc/passwd \u202e evil")
	if id != "etc-passwd-evil" {
		t.Errorf("got the folder %q", id)
	}
	for _, bad := range []string{"..", "../new-year", "a/b", "new-year@1/..", "@draft", ".new-x", "", "spring@0", "spring@-1",
		"spring@01", strings.Repeat("a", 33)} {
		if _, err := s.Template(bad); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: got %v; want that there is none", bad, err)
		}
		if s.Has(bad) {
			t.Errorf("%q: it is there", bad)
		}
	}
	for name, c := range map[string]struct {
		change func(*Sheet)
		field  string
	}{
		"huge numbers":           {func(s *Sheet) { s.Segments[0].X = "99999999999999999999999" }, "segment[1].box"},
		"no number":              {func(s *Sheet) { s.Segments[0].W = "1e9" }, "segment[1].box"},
		"outside":                {func(s *Sheet) { s.Segments[0].X = "300" }, "segment[1].box"},
		"a time without end":     {func(s *Sheet) { s.Segments[0].End = "999999999" }, "segment[1].end"},
		"after the film":         {func(s *Sheet) { s.Segments[0].End = "3.5" }, "segment[1].end"},
		"NaN":                    {func(s *Sheet) { s.Segments[0].Start = "NaN" }, "segment[1].start"},
		"a path":                 {func(s *Sheet) { s.Segments[0].Font = "../../etc/x.ttf" }, "segment[1].font"},
		"an absolute path":       {func(s *Sheet) { s.Segments[0].Font = "/etc/x.ttf" }, "segment[1].font"},
		"other braces":           {func(s *Sheet) { s.Segments[0].Text["ru"] = "{{.Name}} {{.Secret}}" }, "segment[1].text"},
		"without the name":       {func(s *Sheet) { s.Segments[0].Text["en"] = "Hello" }, "segment[1].text"},
		"emoji":                  {func(s *Sheet) { s.Segments[0].Text = map[string]string{"ru": "🎄{{.Name}}", "en": "🎄{{.Name}}"} }, "segment[1].text"},
		"a colour":               {func(s *Sheet) { s.Segments[0].Color = "red\"\n[evil]" }, "segment[1].color"},
		"four colours":           {func(s *Sheet) { s.Segments[0].Color = "#fff #fff #fff #fff" }, "segment[1].color"},
		"a huge type":            {func(s *Sheet) { s.Segments[0].Size = "100000" }, "segment[1].size"},
		"a word":                 {func(s *Sheet) { s.Aspect = "round" }, "aspect"},
		"no title":               {func(s *Sheet) { s.Title = nil }, "title"},
		"a voice without a name": {func(s *Sheet) { s.Voice.Text = map[string]string{"ru": "{{x}}", "en": "{{x}}"} }, "voice.text"},
		"a loud voice":           {func(s *Sheet) { s.Voice = Speech{map[string]string{"ru": "a", "en": "a"}, "", "5"} }, "voice.duck"},
		"no place":               {func(s *Sheet) { s.Segments = nil }, "segment"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Save(t.Context(), id, edit(t, s, id, c.change), 1)
			faults, _ := errors.AsType[Faults](err)
			if got := FieldsOf(faults); got[c.field] == "" {
				t.Errorf("got %v of %v; want a fault of %s", got, err, c.field)
			}
		})
	}
	five := append(edit(t, s, id, func(*Sheet) {}), []byte("\n#"+strings.Repeat("x", 5<<20))...)
	if _, err := s.Save(t.Context(), id, five, 1); err == nil || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("got %v of 5 MB; want that it is too much", err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, id, designFile), five, 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := s.All()
	at := slices.IndexFunc(all, func(e Entry) bool { return e.ID == id })
	if err != nil || at < 0 || !strings.Contains(all[at].Fault, "bytes") {
		t.Errorf("got %+v, %v; want that the list says what is wrong", all, err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, id, versionFile(2))); err == nil {
		t.Error("something was saved")
	}
	// No film: nothing is left.
	page := filepath.Join(t.TempDir(), "x")
	write(t, page, "<!doctype html>")
	if _, err := s.AddFilm(t.Context(), "x", page, "mp4"); len(FieldsOf(faultsOf(err))) == 0 {
		t.Errorf("got %v; want faults", err)
	}
	// A link out of the folder.
	if err := os.Symlink("/etc", filepath.Join(s.dir, "link")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("got %v, %v; want one template and the link", entries, err)
	}
}

func faultsOf(err error) Faults { f, _ := errors.AsType[Faults](err); return f }

func TestShelf_OfferChangesWhatIsMadeWithoutARestart(t *testing.T) {
	s := newShelf(t)
	id := addFilm(t, s, "Spring")
	offers := NewOffers()
	if err := s.Offer(offers, []string{id, "new-year"}); err != nil {
		t.Fatal(err)
	}
	if o, ok := offers.Find("spring@7"); !ok || o.Template() != "spring@1" || o.Title("en") != "Spring" {
		t.Errorf("got %+v, %v; want the current version", o, ok)
	}
	if err := s.Offer(offers, []string{"nothing"}); err == nil || len(offers.List()) != 2 {
		t.Errorf("got %v, %d offers; want it as it was", err, len(offers.List()))
	}
	if got := s.maker.offered(); !slices.Equal(got, []string{"spring@1", "new-year"}) {
		t.Errorf("got %v", got)
	}
}

func FuzzSheet(f *testing.F) {
	f.Add("1", "#fff", "{{.Name}}", "2")
	f.Add("-1e9", "\"\n[x]", "\u202e\x00", "NaN")
	f.Fuzz(func(t *testing.T, number, colour, text, other string) {
		langs := []string{"ru", "en"}
		s := Sheet{Title: map[string]string{"ru": text, "en": other}, Aspect: other, Still: number, Segments: []Place{{
			Start: number, End: other, X: number, Y: other, W: number, H: number, Text: map[string]string{"ru": text},
			Size: number, Font: text, Style: other, Color: colour, Outline: colour, Glow: other}},
			Voice: Speech{map[string]string{"en": text}, number, other}}
		b, err := s.Write([]byte("film = \"film.mp4\"\n"), langs)
		if err != nil {
			return
		}
		again, err := ReadSheet(b, langs)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, b)
		}
		if c, err := again.Write(b, langs); err != nil || len(c) > len(b)+64 {
			t.Fatalf("got %v; want the same again", err)
		}
	})
}

// BenchmarkStill shows how long somebody waits who types a name in the studio: less than a second.
func BenchmarkStill(b *testing.B) {
	s := newShelf(b)
	id := addFilm(b, s, "Spring")
	now, err := s.Template(id)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		d, err := s.Draft(id, now.Text)
		if err != nil {
			b.Fatal(err)
		}
		at := time.Duration(600+rand.IntN(900)) * time.Millisecond
		_, discard, err := d.Still(context.Background(), Order{Asset: "x", Name: "Анна", Lang: "ru"}, at)
		if err != nil {
			b.Fatal(err)
		}
		discard()
	}
}
