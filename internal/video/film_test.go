// film_test.go makes templates of films as operators have them, and looks at the videos that come out.

package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ownTemplate makes a template "mine" of a film, which ffmpeg makes of the given arguments, and of a template.toml.
func ownTemplate(t *testing.T, toml string, film ...string) *Maker {
	t.Helper()
	return ownMaker(t, ownFolder(t, toml, film...))
}

func ownFolder(t *testing.T, toml string, film ...string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "mine")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	ffmpeg(t, append(film, filepath.Join(folder, "film.mp4"))...)
	write(t, filepath.Join(folder, "template.toml"), toml)
	return folder
}

func ownMaker(t *testing.T, folder string) *Maker {
	t.Helper()
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	m := newMaker(t, func(c *Config) {
		c.Offered, c.Templates, c.Voice = []string{"mine"}, filepath.Dir(folder), VoiceConfig{Engine: VoiceCommand}
	})
	m.tools = proven
	return m
}

// makeOwn makes a video for a name, checks what holds for every video, and returns it with the prepared film.
func makeOwn(t *testing.T, m *Maker, name string) (Video, prepared) {
	t.Helper()
	v, err := m.Make(t.Context(), Order{Asset: "a1", Name: name, Lang: "ru", Template: "mine"}, nil)
	if err != nil {
		t.Fatalf("Make: got %v; want nil", err)
	}
	k, err := m.template("mine")
	if err != nil {
		t.Fatal(err)
	}
	films, err := m.prepare(t.Context(), m.tools, k)
	if err != nil {
		t.Fatal(err)
	}
	p := films["ru"]
	ffmpeg(t, "-xerror", "-i", v.Path, "-f", "null", "-")
	got, want := pictures(t, v.Path), pictures(t, p.path)
	if len(got) != p.frames || len(want) != p.frames {
		t.Fatalf("got %d frames, of %d in the prepared film; want %d", len(got), len(want), p.frames)
	}
	for i, line := range got {
		if strings.TrimSpace(strings.Split(line, ",")[2]) != strconv.Itoa(i) {
			t.Fatalf("frame %d: got %s; want it at time %d", i, line, i)
		}
		inside := slices.ContainsFunc(p.takes, func(k take) bool { return k.has(i) })
		if !inside && line != want[i] {
			t.Fatalf("frame %d, without the name: got %s; want the prepared one, %s", i, line, want[i])
		}
	}
	for _, k := range p.takes {
		if middle := (k.first + k.last) / 2; got[middle] == want[middle] {
			t.Errorf("frame %d: got the film; want a name on it", middle)
		}
	}
	film := open(t, v.Path)
	var lengths []time.Duration
	for _, handler := range []string{"vide", "soun"} {
		tr := film.track(handler)
		var sum int64
		for _, s := range tr.samples {
			sum += int64(s.duration)
		}
		lengths = append(lengths, time.Duration(sum)*time.Second/time.Duration(tr.scale))
	}
	if d := lengths[0] - lengths[1]; d > 50*time.Millisecond || d < -50*time.Millisecond {
		t.Errorf("got %v of pictures, %v of sound; want the same", lengths[0], lengths[1])
	}
	wantIndexFirst(t, v.Path)
	return v, p
}

func TestAnOperatorsFilmBecomesATemplateWithTenLines(t *testing.T) {
	m := ownTemplate(t, `title = { ru = "Часы", en = "Clock" }
film  = "film.mp4"

[[segment]]
start = "1s"
end   = "3s"
box   = [160, 90, 1600, 300]
`, "-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=25", "-f", "lavfi", "-i", "sine", "-t", "4", "-c:v", "libx264",
		"-preset", "veryfast", "-bf", "3", "-g", "250")
	v, p := makeOwn(t, m, "Александра-Виктория")
	if v.Width != 1920 || v.Height != 1080 || v.Duration != 4*time.Second || p.rate != (rate{25, 1}) {
		t.Errorf("got %d×%d, %v, %v frames a second; want 1920×1080, 4s, 25", v.Width, v.Height, v.Duration, p.rate)
	}
	if want := []int{25, 75}; p.takes[0].first != want[0] || p.takes[0].last != want[1] {
		t.Errorf("got frames %d to %d encoded for the name; want %v", p.takes[0].first, p.takes[0].last, want)
	}
	wantThumb(t, v, 320, 180)
	a, err := m.About(t.Context(), "mine")
	if err != nil || a.Width != 1920 || a.Rate != 25 || a.Drawn != 2*time.Second || len(a.Warnings) != 0 {
		t.Errorf("About: got %+v, %v; want 1920 pixels, 25 frames, 2s drawn, no warnings", a, err)
	}
}

func TestFilmsOfAllKinds(t *testing.T) {
	const one = "title = \"x\"\nfilm = \"film.mp4\"\n[[segment]]\nstart = 0.5\nend = 1.2\nbox = [10, 10, 150, 60]\n"
	source := func(options string) []string { return []string{"-f", "lavfi", "-i", "testsrc2=s=320x180:" + options} }
	tone := []string{"-f", "lavfi", "-i", "sine=r=44100"}
	for name, c := range map[string]struct {
		toml          string
		film          []string
		width, height int
		rate          rate
		frames        int
	}{
		"American television": {one, slices.Concat(source("r=30000/1001"), tone, []string{"-t", "2.002"}), 320, 180,
			rate{30000, 1001}, 60},
		"cinema without sound": {one, append(source("r=24"), "-t", "2"), 320, 180, rate{24, 1}, 48},
		"fifty frames": {one, slices.Concat(source("r=50"), tone, []string{"-t", "2"}), 320, 180,
			rate{50, 1}, 100},
		"a wavering pace": {one, append(source("r=30"), "-t", "2", "-vf",
			"select='mod(n,7)',setpts=PTS+0.004*random(1)/TB", "-fps_mode", "vfr"), 320, 180, rate{25, 1}, 0},
		"a telephone held upright": {one, append(source("r=30"), "-t", "2"), 180, 320, rate{30, 1}, 60},
		"an odd size": {one, append(source("r=30"), "-t", "2", "-vf", "crop=319:179", "-pix_fmt", "yuv444p"),
			318, 178, rate{30, 1}, 60},
		"sound that ends early": {one, slices.Concat(source("r=30"), []string{"-f", "lavfi", "-i", "sine=d=0.5"},
			[]string{"-t", "2"}), 320, 180, rate{30, 1}, 60},
		"sound of one ear": {one, slices.Concat(source("r=30"), tone,
			[]string{"-t", "2", "-ac", "1", "-c:a", "libmp3lame"}), 320, 180, rate{30, 1}, 60},
		"a shape that is cut": {"aspect = \"square\"\n" + one, append(source("r=30"), "-t", "2"), 720, 720,
			rate{30, 1}, 60},
		"the name to the very end": {strings.Replace(one, "end = 1.2", "end = 2", 1), append(source("r=30"), "-t", "2"),
			320, 180, rate{30, 1}, 60},
		"the name from the start": {strings.Replace(one, "start = 0.5", "start = 0", 1), append(source("r=30"), "-t", "2"),
			320, 180, rate{30, 1}, 60},
		"a still before any name": {"still = \"100ms\"\n" + one, append(source("r=30"), "-t", "2"), 320, 180,
			rate{30, 1}, 60},
		"a still in the last frame": {"still = \"1.99s\"\n" + one, append(source("r=30"), "-t", "2"), 320, 180,
			rate{30, 1}, 60},
		"sound that goes on": {one, slices.Concat(source("r=30:d=2"), []string{"-f", "lavfi", "-i", "sine=d=4"}), 320,
			180, rate{30, 1}, 60},
		"pixels that are not square": {one, append(source("r=30"), "-t", "2", "-vf", "setsar=4/3"), 426, 180,
			rate{30, 1}, 60},
		"the name twice": {one + "[[segment]]\nstart = 1.5\nend = 1.9\nbox = [10, 90, 150, 60]\n",
			append(source("r=30"), "-t", "2"), 320, 180, rate{30, 1}, 60},
		"two names at the same time": {one + "[[segment]]\nstart = 1\nend = 1.9\nbox = [10, 90, 150, 60]\nanimation = " +
			"\"rise\"\n", append(source("r=30"), "-t", "2"), 320, 180, rate{30, 1}, 60},
	} {
		t.Run(name, func(t *testing.T) {
			folder := ownFolder(t, c.toml, c.film...)
			if c.width < c.height { // only a copy takes a rotation
				film := filepath.Join(folder, "film.mp4")
				ffmpeg(t, "-i", film, "-c", "copy", "-metadata:s:v", "rotate=90", film+".mp4")
				if err := os.Rename(film+".mp4", film); err != nil {
					t.Fatal(err)
				}
			}
			v, p := makeOwn(t, ownMaker(t, folder), "Маша")
			if v.Width != c.width || v.Height != c.height {
				t.Errorf("got %d×%d; want %d×%d", v.Width, v.Height, c.width, c.height)
			}
			if c.frames != 0 && (p.rate != c.rate || p.frames != c.frames) {
				t.Errorf("got %d frames, %v a second; want %d, %v", p.frames, p.rate, c.frames, c.rate)
			}
		})
	}
}

// lit is the share of pixels in an area of a film's frame that are not black.
func lit(t *testing.T, path string, frame int, a area) float64 {
	t.Helper()
	raw := ffmpeg(
		t,
		"-i",
		path,
		"-map",
		"0:v",
		"-vf",
		fmt.Sprintf("select='eq(n,%d)',crop=%d:%d:%d:%d,format=gray", frame, a.w, a.h, a.x, a.y),
		"-frames:v",
		"1",
		"-f",
		"rawvideo",
		"-",
	)
	n := 0
	for _, v := range raw {
		if v > 40 {
			n++
		}
	}
	return float64(n) / float64(len(raw))
}

func TestNamesTextsAndImagesStandWhereAndWhenTheTemplateSays(t *testing.T) {
	folder := ownFolder(t, `title = "x"
film  = "film.mp4"
[[segment]]
start = 1
end   = 2
box   = [20, 20, 280, 100]
animation = "none"
text  = { ru = "Ура, {{.Name}}!", en = "Hooray, {{.Name}}!" }
[[segment]]
start = 3
end   = 4
box   = [340, 20, 280, 100]
animation = "none"
style = "plain"
[[text]]
text  = "Навсегда"
box   = [20, 240, 280, 100]
animation = "none"
[[image]]
file  = "logo.png"
box   = [500, 240, 100, 100]
start = 1
end   = 3
animation = "none"
`, "-f", "lavfi", "-i", "color=black:s=640x360:r=30", "-t", "5")
	logo := image.NewRGBA(image.Rect(0, 0, 10, 10))
	for i := range 100 {
		logo.Set(i%10, i/10, color.RGBA{255, 255, 255, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, logo); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "logo.png"), b.String())
	m := ownMaker(t, folder)
	v, _ := makeOwn(t, m, "Маша")
	first, second, text, image := area{
		20,
		20,
		280,
		100,
	}, area{
		340,
		20,
		280,
		100,
	}, area{
		20,
		240,
		280,
		100,
	}, area{
		500,
		240,
		100,
		100,
	}
	for _, c := range []struct {
		frame   int
		visible []area
	}{{15, []area{text}}, {45, []area{first, text, image}}, {75, []area{text, image}}, {105, []area{second, text}}, {140,
		[]area{text}}} {
		for name, a := range map[string]area{"the first name": first, "the second name": second, "the text": text,
			"the image": image} {
			share, want := lit(t, v.Path, c.frame, a), slices.Contains(c.visible, a)
			if (share > 0.05) != want || name == "the image" && want && share < 0.97 {
				t.Errorf("frame %d, %s: got %.0f %% of it lit; want it there: %v", c.frame, name, share*100, want)
			}
		}
	}

	t.Run("and the preview shows the same", func(t *testing.T) {
		still := filepath.Join(t.TempDir(), "still.png")
		if err := m.Still(t.Context(), Order{Name: "Маша", Lang: "ru", Template: "mine"}, 1500*time.Millisecond,
			still); err != nil {
			t.Fatal(err)
		}
		grey := func(path, filter string) []byte {
			return ffmpeg(t, "-i", path, "-vf", filter+"scale=160:90,format=gray", "-frames:v", "1", "-f", "rawvideo", "-")
		}
		if d := difference(grey(still, ""), grey(v.Path, "select='eq(n,45)',")); d > 2.5 {
			t.Errorf("got a mean difference of %.2f; want at most 2.5", d)
		}
	})
	t.Run("and there is no moment after the end", func(t *testing.T) {
		err := m.Still(
			t.Context(),
			Order{Name: "Маша", Lang: "ru", Template: "mine"},
			5*time.Second,
			filepath.Join(t.TempDir(), "x.png"),
		)
		if err == nil || !strings.Contains(err.Error(), "5s long") {
			t.Errorf("got %v; want how long it is", err)
		}
	})
}

func TestTheVoiceChangesOnlyTheSoundWhileItSpeaks(t *testing.T) {
	m := ownTemplate(t, `title = "x"
film  = "film.mp4"
[[segment]]
start = 1
end   = 2
box   = [10, 10, 300, 60]
[voice]
text  = "Привет, {{.Name}}!"
start = "3s"
`, "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30", "-f", "lavfi", "-i", "sine", "-t", "8")
	v, p := makeOwn(t, m, "Маша")
	packets := func(path string) []string {
		return strings.Split(string(ffmpeg(t, "-i", path, "-map", "0:a", "-c", "copy", "-f", "framemd5", "-")), "\n")
	}
	got, want := packets(v.Path), packets(p.path)
	if len(got) != len(want) {
		t.Fatalf("got %d lines about packets; want %d", len(got), len(want))
	}
	first, last := -1, -1
	for i := range got {
		if got[i] != want[i] {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	at := func(i int) float64 { return float64(i) * 1024 / soundRate }
	if first < 0 || at(first) < 2.5 || at(last) > 6 {
		t.Errorf("got other sound from %.2fs to %.2fs; want it from about 3s on, for a word or two", at(first), at(last))
	}
}

func TestSoundStaysInStepWithThePicture(t *testing.T) {
	// A flash and a beep at 1.5 s, in a film whose sound begins a second after its picture.
	m := ownTemplate(
		t,
		"title = \"x\"\nfilm = \"film.mp4\"\n[[segment]]\nstart = 0.2\nend = 0.8\nbox = [10, 10, 300, 60]\n",
		"-f",
		"lavfi",
		"-i",
		"color=black:s=320x180:r=30:d=3",
		"-itsoffset",
		"1",
		"-f",
		"lavfi",
		"-i",
		"aevalsrc='0.5*sin(2*PI*880*t)*between(t,0.5,0.7)':d=2",
	)
	v, _ := makeOwn(t, m, "Маша")
	raw := samples(ffmpeg(t, "-i", v.Path, "-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "s16le", "-"))
	loud := slices.IndexFunc(raw, func(s int16) bool { return s > 3000 || s < -3000 })
	if at := float64(loud) / soundRate; at < 1.4 || at > 1.6 {
		t.Errorf("got the beep at %.2fs; want it at 1.5s", at)
	}
}

func TestTheStillHasTheColoursOfTheVideo(t *testing.T) {
	v, _ := makeOwn(
		t,
		ownTemplate(
			t,
			"title = \"x\"\nfilm = \"film.mp4\"\nstill = 1.5\n[[segment]]\nstart = 0.2\nend = 0.8\nbox = [10, 10, 300, 60]\n",
			"-f",
			"lavfi",
			"-i",
			"color=red:s=320x180:r=30:d=2",
		),
		"Маша",
	)
	f, err := os.Open(v.Thumb)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := jpeg.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := picture.At(160, 150).RGBA(); r>>8 < 240 || g>>8 > 15 || b>>8 > 15 {
		t.Errorf("got %d, %d, %d; want red", r>>8, g>>8, b>>8)
	}
}

func TestAFilmThatCannotBeUsedIsRefusedWithWhatToDo(t *testing.T) {
	const one = "title = \"x\"\nfilm = \"film.mp4\"\n[[segment]]\nstart = 1\nend = 2\nbox = [10, 10, 300, 60]\n"
	good := []string{"-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=3"}
	for name, c := range map[string]struct {
		film       []string
		toml, want string
	}{
		"too short for its name": {[]string{"-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=1.5"}, one,
			"template.toml:5: segment 1: end: must not be after the film ends (1.5s)"},
		"too small for its name": {[]string{"-f", "lavfi", "-i", "testsrc2=s=160x90:r=30:d=3"}, one,
			"template.toml:6: segment 1: box:"},
		"without pictures": {[]string{"-f", "lavfi", "-i", "sine=d=3"}, one, "film.mp4: it is not a video"},
		"with music that is none": {good, "music = \"template.toml\"\n" + one,
			"template.toml: this is no sound that ffmpeg can read"},
		"with words that no font has": {good, one + "text = \"🎂 {{.Name}}\"\n",
			"template.toml:7: segment 1: text: no font here has all its signs"},
		"with a text that no font has": {good, one + "[[text]]\ntext = \"🎂\"\nbox = [10, 100, 100, 60]\n",
			"template.toml:8: text 1: text: no font here has all its signs"},
	} {
		t.Run(name, func(t *testing.T) {
			m := ownTemplate(t, c.toml, c.film...)
			for what, err := range map[string]error{
				"Ready":   m.Ready(t.Context()),
				"Prepare": m.Prepare(t.Context()),
				"About":   func() error { _, err := m.About(t.Context(), "mine"); return err }(),
				"Make": func() error {
					_, err := m.Make(t.Context(), Order{Name: "Маша", Lang: "ru"}, nil)
					return err
				}(),
			} {
				var faults Faults
				if what == "Make" && errors.Is(err, ErrCannotDraw) {
					continue // the order is refused even earlier
				}
				if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) || !isPermanent(err) {
					t.Errorf("%s: got %v; want faults with %q", what, err, c.want)
				}
			}
			wantEmpty(t, m)
		})
	}
}

func TestAPreparedFilmIsMadeAgainOnlyWhenSomethingChanged(t *testing.T) {
	toml := "title = \"x\"\nfilm = \"film.mp4\"\n[[segment]]\nstart = 1\nend = 2\nbox = [10, 10, 300, 60]\n"
	m := ownTemplate(t, toml, "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=3")
	films := func() []string {
		t.Helper()
		again, err := New(m.cfg)
		if err != nil {
			t.Fatal(err)
		}
		again.tools = m.tools
		if err := again.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		found, err := filepath.Glob(filepath.Join(m.cfg.Cache, "mine-"+strings.Repeat("[0-9a-f]", 16)+".mp4"))
		if err != nil || len(found) != 1 {
			t.Fatalf("got %v, %v; want one film for both languages", found, err)
		}
		info, err := os.Stat(found[0])
		if err != nil {
			t.Fatal(err)
		}
		return []string{found[0], info.ModTime().String()}
	}
	// A film of another template whose name begins with this one's is none of its business.
	other := filepath.Join(m.cfg.Cache, "mine-too-0123456789abcdef.mp4")
	write(t, other, "x")
	before := films()
	if after := films(); !slices.Equal(after, before) {
		t.Errorf("got %v; want the same film, %v", after, before)
	}
	write(t, filepath.Join(m.cfg.Templates, "mine", "template.toml"), strings.Replace(toml, "end = 2", "end = 2.5", 1))
	if after := films(); after[0] == before[0] {
		t.Errorf("got %v; want another film", after)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("the other template's film: got %v; want it there", err)
	}
}

func TestPrepare_TheCacheIsKeptInOrder(t *testing.T) {
	toml := "title = \"x\"\nfilm = \"film.mp4\"\n[voice]\ntext = \"{{.Name}}\"\n[[segment]]\nstart = 1\nend = 2\nbox = " +
		"[10, 10, 300, 60]\n"
	m := ownTemplate(t, toml, "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=3", "-f", "lavfi", "-i", "sine=d=3")
	m.cfg.Cache = filepath.Join(m.cfg.Cache, "[odd] *name?") // signs of a pattern
	if err := os.Mkdir(m.cfg.Cache, 0o700); err != nil {
		t.Fatal(err)
	}
	prepare := func() {
		t.Helper()
		if err := m.Prepare(t.Context()); err != nil {
			t.Fatalf("Prepare: got %v; want nil", err)
		}
	}
	prepare()
	old := time.Now().Add(-8 * 24 * time.Hour)
	files := map[string]bool{ // whether they stay
		"mine-0123456789abcdef.mp4": false, "mine-0123456789abcdef.wav": false, "mine-too-0123456789abcdef.mp4": true,
		"gone-0123456789abcdef.mp4": false, "mine-0123456789abcde.mp4": true, "note.mp4": true,
		"fresh-0123456789abcdef.mp4": true,
	}
	for name := range files {
		write(t, filepath.Join(m.cfg.Cache, name), "x")
		if strings.HasPrefix(name, "gone") {
			if err := os.Chtimes(filepath.Join(m.cfg.Cache, name), old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	k, err := m.template("mine")
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.locate(m.tools, k, "ru")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(p.music)
	if err != nil {
		t.Fatal(err)
	}
	write(t, p.music, string(b[:len(b)/2]))
	prepare()
	for name, want := range files {
		if _, err := os.Stat(filepath.Join(m.cfg.Cache, name)); (err == nil) != want {
			t.Errorf("%s: got there %v; want %v", name, err == nil, want)
		}
	}
	if info, err := os.Stat(p.music); err != nil || info.Size() != int64(len(b)) {
		t.Errorf("damaged music: got %v, %v; want it made again", info, err)
	}
}

func TestPrepare_AStopDuringTheLookIsNoTemplateOfNothing(t *testing.T) {
	const toml = "title = \"x\"\nfilm = \"film.mp4\"\nmusic = \"film.mp4\"\n[[segment]]\nstart = 1\nend = 2\nbox = [10, " +
		"10, 300, 60]\n"
	m := ownTemplate(t, toml, "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=3", "-f", "lavfi", "-i", "sine=d=3")
	ran := filepath.Join(t.TempDir(), "ffmpeg")
	write(t, ran, "#!/bin/sh\ncase \"$*\" in *0:a:0*) : >'"+ran+".runs'; sleep 0.3;; esac\nexec ffmpeg \"$@\"\n")
	m.tools = otherTools(m.tools, ran, m.tools.ffprobe)
	k, err := m.template("mine")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.look(whenThere(t, ran+".runs"), m.tools, k); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
}

func TestFilm_ALinkOutOfTheTemplatesFolderIsRefused(t *testing.T) {
	for _, what := range []string{"film", "music"} {
		const toml = "title = \"x\"\nfilm = \"film.mp4\"\nmusic = \"music.mp4\"\n[[segment]]\nstart = 0\nend = 1\nbox = " +
			"[0, 0, 64, 48]\n"
		folder := ownFolder(t, toml, "-i", clipWithSound(t), "-c", "copy")
		b, err := os.ReadFile(filepath.Join(folder, "film.mp4"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, "music.mp4"), string(b))
		m, link := ownMaker(t, folder), filepath.Join(folder, what+".mp4") // it becomes a link after it was read
		if err := errors.Join(os.Rename(link, folder+".mp4"), os.Symlink("../mine.mp4", link)); err != nil {
			t.Fatal(err)
		}
		again := &Maker{cfg: m.cfg, templates: map[string]*template{}}
		_, err = again.template("mine")
		for _, err := range []error{err, m.Ready(t.Context())} {
			if err == nil || !isPermanent(err) || !strings.Contains(err.Error(), "escapes") {
				t.Errorf("%s: got %v; want a fault", what, err)
			}
		}
	}
}
