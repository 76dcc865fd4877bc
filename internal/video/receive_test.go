// Tests of films that another machine made: what is proved of them here, and that a kit makes the same film elsewhere.

package video

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// lent is a farm whose films come from another maker.
type lent struct {
	maker  *Maker
	change func(*Received)
	err    error
}

func (l lent) Ready() error { return l.err }

func (l lent) Film(ctx context.Context, o Order, to Reception, progress func(int)) error {
	if l.err != nil {
		return l.err
	}
	v, err := l.maker.Make(ctx, o, progress)
	if err != nil {
		return err
	}
	r := Received{Film: filepath.Join(to.Folder, "a.mp4"), Still: filepath.Join(to.Folder, "a.jpg"), Width: v.Width,
		Height: v.Height, Duration: v.Duration, Note: "a note"}
	err = errors.Join(os.Rename(v.Path, r.Film), os.Rename(v.Thumb, r.Still), v.Discard())
	if l.change != nil {
		l.change(&r)
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(r.Film)
	if err == nil {
		err = to.Room(info.Size())
	}
	if err != nil {
		return err
	}
	return to.Take(r)
}

func farmMaker(t *testing.T, f Farm) *Maker {
	t.Helper()
	return newMaker(t, func(c *Config) { c.Engine, c.Farm, c.FFmpeg = EngineFarm, f, "/none/ffmpeg" })
}

func TestFarm_AFilmIsProvedWithoutFFmpeg(t *testing.T) {
	t.Parallel()
	o := Order{Asset: "a", Name: "Маша", Lang: "ru", Attempt: 1}
	other := templateMaker(t)
	last := -1
	began := time.Now()
	v, err := farmMaker(t, lent{maker: other}).Make(t.Context(), o, func(p int) { last = p })
	if err != nil || v.Note != "a note" || v.Size == 0 || v.Duration < time.Second || v.Codec != "h264" || last != 100 {
		t.Fatalf("got %+v, %v, %d %% in %v; want a video", v, err, last, time.Since(began))
	}
	if err := v.Discard(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Received){
		"another size":     func(r *Received) { r.Width++ },
		"another duration": func(r *Received) { r.Duration += 2 * time.Second },
		"cut short": func(r *Received) {
			if info, err := os.Stat(r.Film); err != nil || os.Truncate(r.Film, info.Size()*3/4) != nil {
				t.Error(err)
			}
		},
		"not a film": func(r *Received) { write(t, r.Film, "x") },
		"empty":      func(r *Received) { write(t, r.Film, "") },
		"2 GB": func(r *Received) {
			if err := os.Truncate(r.Film, 2<<30); err != nil { // a hole, which needs no room
				t.Error(err)
			}
		},
	} {
		m := farmMaker(t, lent{maker: other, change: change})
		want := CodeUnplayable
		if name == "2 GB" {
			m.cfg.MaxBytes, want = 50<<20, CodeTooLarge
		}
		_, err := m.Make(t.Context(), o, nil)
		if CodeOf(err) != want || isPermanent(err) {
			t.Errorf("%s: got %v; want %s, which another try may cure", name, err, want)
		}
		if left, err := os.ReadDir(m.cfg.Work); err != nil || len(left) > 0 {
			t.Errorf("%s: got %v, %v left behind; want nothing", name, left, err)
		}
	}
	m := farmMaker(t, lent{maker: other})
	if _, err := m.Make(t.Context(), Order{Asset: "a", Name: "\U0001F9FF", Lang: "ru"}, nil); !errors.Is(err, ErrCannotDraw) {
		t.Errorf("got %v; want ErrCannotDraw before anything is ordered", err)
	}
}

func TestKit_MakesTheSameFilmElsewhere(t *testing.T) {
	t.Parallel()
	templates, forms := t.TempDir(), t.TempDir()
	write(t, filepath.Join(forms, "spoken-ru.txt"), "Маша = Ма́ша\n")
	if err := os.MkdirAll(filepath.Join(templates, "own"), 0o700); err != nil {
		t.Fatal(err)
	}
	design, err := builtIn.ReadFile("templates/new-year/template.toml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(templates, "own", designFile), string(design))
	here := newMaker(t, func(c *Config) {
		c.Offered, c.Templates, c.Forms, c.Voice.Key = []string{"own", "birthday"}, templates, forms, "secret"
	})
	k, err := here.Kit()
	if err != nil {
		t.Fatal(err)
	}
	if k.Voice.Key != "" || k.Files["templates/own/template.toml"] == "" || k.Files["forms/spoken-ru.txt"] == "" {
		t.Errorf("got %+v; want the template and the forms, and no key", k)
	}
	folder, fonts := t.TempDir(), 0
	for at, path := range k.Files {
		if strings.HasPrefix(at, "templates/birthday") {
			t.Errorf("got %s; want nothing of what is built in", at)
		}
		if strings.HasPrefix(at, "fonts/") {
			fonts++
		}
		to := filepath.Join(folder, filepath.FromSlash(at))
		b, err := os.ReadFile(path)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	there := newMaker(t, func(c *Config) { c.Voice.Key = "its own"; *c = c.With(k, folder) })
	if there.cfg.Voice.Key != "its own" || !slices.Equal(there.cfg.Offered, here.cfg.Offered) {
		t.Errorf("got %+v; want its own key and the same templates", there.cfg)
	}
	_, found, err := there.fonts.library()
	if err != nil || fonts > 0 && len(found) == 0 {
		t.Errorf("got %d faces in %d files, %v; want those of the kit", len(found), fonts, err)
	}
	for _, name := range []string{"Маша", "Emma", "Զարուհի", "李明"} { // whether both can draw it, and with which face
		a, b := here.CanDraw("own", name), there.CanDraw("own", name)
		if (a == nil) != (b == nil) {
			t.Errorf("%s: got %v here and %v there; want the same", name, a, b)
		}
		if a == nil {
			f, _ := here.fonts.pick(name)
			g, _ := there.fonts.pick(name)
			if f.sum != g.sum {
				t.Errorf("%s: drawn with another face there", name)
			}
		}
	}
}
