// designfile_test.go reads templates, right and wrong ones, and looks at what their authors are told.

package video

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-fonts/dejavu/dejavusansbold"
)

// templateFolder is a folder with a template.toml and one file of each kind.
func templateFolder(text string) fstest.MapFS {
	files := fstest.MapFS{designFile: {Data: []byte(text)}, "sounds/deep.mp3": {Data: []byte("music")}}
	for name, content := range map[string][]byte{
		"film.mp4": []byte("film"), "music.mp3": []byte("music"), "bold.ttf": dejavusansbold.TTF,
		"broken.ttf": []byte("font"),
		"logo.png":   encoded("png", 40, 20), "photo.jpg": encoded("jpeg", 30, 60), "wide.png": encoded("png", 8193,
			1), "text.png": []byte("text"),
	} {
		files[name] = &fstest.MapFile{Data: content}
	}
	return files
}

// encoded is an image: its left half is red, its right half is blue, and a PNG is half transparent.
func encoded(format string, w, h int) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{255, 0, 0, 128}
			if x >= w/2 {
				c = color.NRGBA{0, 0, 255, 128}
			}
			if format == "jpeg" {
				c.A = 255
			}
			m.SetNRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	var err error
	if format == "jpeg" {
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 95})
	} else {
		err = png.Encode(&b, m)
	}
	if err != nil {
		panic(err) // of a picture in memory
	}
	return b.Bytes()
}

const wholeDesign = `# A template with everything.
title  = { ru = "С Новым годом", en = "Happy New Year" }
film   = "film.mp4"
aspect = "portrait"
still  = "5s"
music  = "sounds/deep.mp3"

[[segment]]
start = "2s"
end   = 6.5
box   = [44, 303, 632, 258]
text  = { ru = "{{ .Name }}!", en = "{{.Name}}" }
size  = 200
font  = "bold.ttf"
style = "silver"
color = ["#fffce2", "#f90"]
outline = "none"
glow  = "#ffbe54"
align = "left"
animation = "rise"

[[segment]]
start = "7s"
end   = "8s"
box   = [0, 0, 720, 1280]

[[text]]
text = """
Hello,
[[image]]
file = 3"""
box  = [0, 0, 100, 50]
style = "plain"
color = "#123456"
glow = "none"
font = "Comfortaa"
start = "750ms"

[[image]]
file = "logo.png"
box  = [600, 40, 80, 80]
opacity = 0.8
start = 1
end = 2
animation = "none"

[voice]
text  = { ru = "{{.Name}}, с Новым годом!", en = "Happy New Year, {{.Name}}!" }
start = "2.6s"
duck  = -12
`

func TestDesignIsRead(t *testing.T) {
	d, err := readDesign("my-template-2", templateFolder(wholeDesign), []string{"en", "ru"})
	if err != nil {
		t.Fatalf("got %v; want nil", err)
	}
	lines := d.lines
	d.text, d.files, d.lines = nil, nil, nil
	want := &design{
		id: "my-template-2", titles: phrase{"ru": "С Новым годом", "en": "Happy New Year"},
		film: "film.mp4", width: 720, height: 1280, music: "sounds/deep.mp3", still: 5 * time.Second,
		segments: []caption{
			{
				text:      phrase{"ru": "{{ .Name }}!", "en": "{{.Name}}"},
				start:     2 * time.Second,
				end:       6500 * time.Millisecond,
				box:       area{44, 303, 632, 258},
				size:      200,
				font:      "bold.ttf",
				align:     "left",
				animation: "rise",
				style: style{
					top:          rgb{255, 252, 226},
					middle:       rgb{255, 202.5, 113},
					bottom:       rgb{255, 153, 0},
					outline:      silver.outline,
					glow:         rgb{255, 190, 84},
					glowRadius:   silver.glowRadius,
					glowStrength: silver.glowStrength,
					relief:       silver.relief,
				},
			},
			{text: phrase{"": "{{.Name}}"}, start: 7 * time.Second, end: 8 * time.Second, box: area{0, 0, 720, 1280},
				size: 1000, style: gold, align: "center", animation: "dance"},
		},
		texts: []caption{
			{text: phrase{"": "Hello,\n[[image]]\nfile = 3"}, start: 750 * time.Millisecond, box: area{0, 0, 100, 50},
				size: 50, font: "Comfortaa", align: "center", animation: "fade",
				style: style{
					top:          rgb{18, 52, 86},
					middle:       rgb{18, 52, 86},
					bottom:       rgb{18, 52, 86},
					outline:      plain.outline,
					outlineWidth: plain.outlineWidth,
					glowRadius:   plain.glowRadius,
				}},
		},
		images: []picture{
			{
				file:      "logo.png",
				start:     time.Second,
				end:       2 * time.Second,
				box:       area{600, 40, 80, 80},
				opacity:   0.8,
				animation: "none",
			},
		},
		voice: &spoken{
			text:  phrase{"ru": "{{.Name}}, с Новым годом!", "en": "Happy New Year, {{.Name}}!"},
			start: 2600 * time.Millisecond,
			duck:  -12,
		},
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got\n%+v\nwant\n%+v", d, want)
	}
	for key, line := range map[string]int{"title": 2, "title.ru": 2, "segment[1]": 8, "segment[1].end": 10,
		"segment[2].start": 23, "text[1].box": 32, "image[1].file": 40, "voice.text.en": 48} {
		if got := lines.of(key); got != line {
			t.Errorf("line of %s: got %d; want %d", key, got, line)
		}
	}
}

func TestDesignHasDefaults(t *testing.T) {
	d, err := readDesign("x", templateFolder(`title = "Hi"
scene = "new-year"
aspect = "portrait"
segment = [{ start = 1, end = 3, box = [0, 0, 720, 300] }]
[[image]]
file = "photo.jpg"
box = [0, 0, 16, 16]
[voice]
text = "Hi"`), []string{"en", "ru"})
	if err != nil {
		t.Fatalf("got %v; want nil", err)
	}
	if d.titles.in("ru") != "Hi" || d.still != 2*time.Second || d.scene != "new-year" || d.film != "" || d.height != 1280 {
		t.Errorf("got %+v; want the title for all languages, the still in the middle of the segment, the scene", d)
	}
	if s := d.segments[0]; s.size != 300 || s.style != gold || s.align != "center" || s.animation != "dance" ||
		s.text.in("ru") != "{{.Name}}" {
		t.Errorf("segment: got %+v; want type as high as the box, gold, center, dance, the name", s)
	}
	if p := d.images[0]; p.opacity != 1 || p.animation != "fade" || p.start != 0 || p.end != 0 {
		t.Errorf("image: got %+v; want it whole, fading, for the whole film", p)
	}
	if d.voice.duck != -9 || d.voice.start != 0 {
		t.Errorf("voice: got %+v; want -9 decibels, from the start", d.voice)
	}
}

// aSegment is what a template needs beside the keys that a test is about.
const aSegment = "\n[[segment]]\nstart = 1\nend = 3\nbox = [0, 0, 100, 100]\n"

func TestDesignFaults(t *testing.T) {
	film := "title = \"Hi\"\nfilm = \"film.mp4\"\n"
	portrait := film + "aspect = \"portrait\"\n"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"nothing at all": {"", []string{
			`1: title: is missing: a text, or one for each language, such as { en = "…", ru = "…" }`,
			`1: film: is missing: name a file of the folder, film = "film.mp4", or a built-in scene, scene = "birthday"`,
			`1: segment: is missing: say with [[segment]] where and when the name is shown`}},
		"what is not TOML": {"title = \"Hi\"\nfilm = \n", []string{`2: expected value but found '\n' instead`}},
		"film and scene": {"title = \"Hi\"\nfilm = \"film.mp4\"\nscene = \"new-year\"\naspect = " +
			"\"portrait\"" + aSegment, []string{`3: scene: there is a film already: a template has one of film and scene`}},
		"an unknown scene": {"title = \"Hi\"\nscene = \"old-year\"\naspect = \"portrait\"" + aSegment,
			[]string{`2: scene: one of these is expected: ["birthday" "birthday-long" "new-year" "new-year-long"]`}},
		"a scene without aspect": {"title = \"Hi\"\nscene = \"new-year\"" + aSegment, []string{`1: aspect: is missing: a ` +
			`scene is "portrait" or "landscape"`}},
		"a square scene": {"title = \"Hi\"\nscene = \"new-year\"\naspect = \"square\"" + aSegment,
			[]string{`3: aspect: a scene is portrait or landscape`}},
		"an unknown aspect": {film + "aspect = \"wide\"" + aSegment, []string{`3: aspect: one of these is expected: ` +
			`["portrait" "landscape" "square"]`}},
		"an unknown key": {film + "soundtrack = 1" + aSegment, []string{`3: soundtrack: there is no such key`}},
		"a key that is near": {film + aSegment + `colour = "#fff"`, []string{`8: segment 1: colour: there is no such ` +
			`key: color is meant, perhaps`}},
		"two letters in disorder": {"tilte = \"Hi\"\nfilm = \"film.mp4\"" + aSegment, []string{`1: tilte: there is no such ` +
			`key: title is meant, perhaps`, `1: title: is missing: a text, or one for each language, such as { en = "…", ru = ` +
			`"…" }`}},
		"an unknown table": {film + aSegment + "[voices]\ntext = \"Hi\"", []string{`8: voices: there is no such ` +
			`key: voice is meant, perhaps`}},
		"a language that lacks": {"title = { ru = \"Привет\" }\nfilm = \"film.mp4\"" + aSegment,
			[]string{`1: title: en: this language is missing`}},
		"a language too many": {"[title]\nru = \"Привет\"\nen = \"Hi\"\nde = \"Hallo\"\n",
			[]string{`1: film: is missing: name a file of the folder, film = "film.mp4", or a built-in scene, scene = ` +
				`"birthday"`, `1: segment: is missing: say with [[segment]] where and when the name is shown`,
				`4: title: de: there is no such language: en, ru are expected`}},
		"an empty title": {"title = \" \"\nfilm = \"film.mp4\"" + aSegment, []string{`1: title: is empty`}},
		"types that are wrong": {"title = 1\nfilm = 2\nmusic = true\nstill = []\nvoice = 3\ntext = 4\nimage = " +
			"[5]\nsegment = \"x\"", []string{`1: title: a text in quotes, or one for each language, is expected`,
			`2: film: a text in quotes is expected`, `3: music: a text in quotes is expected`,
			`4: still: a time such as "2.5s" or "750ms", or a number of seconds, is expected`,
			`5: voice: is a table: write [voice], once`, `6: text: is a list of tables: write [[text]], with two brackets, ` +
				`above the keys of each`, `7: image: is a list of tables: write [[image]] above the keys of each`,
			`8: segment: is a list of tables: write [[segment]], with two brackets, above the keys of each`}},
		"a segment in one pair": {film + "[segment]\nstart = 1", []string{`3: segment: is a list of tables: write ` +
			`[[segment]], with two brackets, above the keys of each`}},
		"an empty segment": {film + "\n[[segment]]\n[[segment]]", []string{`4: segment 1: start: is missing: say ` +
			`when, such as "2s"`, `4: segment 1: end: is missing: say when, such as "2s"`,
			`4: segment 1: box: is missing: say where it stands, box = [x, y, width, height], in pixels`,
			`5: segment 2: start: is missing: say when, such as "2s"`, `5: segment 2: end: is missing: say when, such as "2s"`,
			`5: segment 2: box: is missing: say where it stands, box = [x, y, width, height], in pixels`}},
		"no segment in the list": {film + "segment = []", []string{`3: segment: is empty: say with [[segment]] where and ` +
			`when the name is shown`}},
		"an end before the start": {film + "[[segment]]\nbox = [0, 0, 99, 99]\nend = \"1s\"\nstart = \"2s\"",
			[]string{`5: segment 1: end: must be after start (2s)`}},
		"a segment too short": {film + "[[segment]]\nbox = [0, 0, 99, 99]\nstart = 2\nend = 2.1",
			[]string{`6: segment 1: end: must be 200ms or more after start (2s)`}},
		"a segment too long": {film + "[[segment]]\nbox = [0, 0, 99, 99]\nstart = 2\nend = \"62.1s\"",
			[]string{`6: segment 1: end: must be at most 1m0s after start (2s)`}},
		"times that are none": {film + "still = -1\n[voice]\ntext = \"x\"\nstart = \"soon\"\n[[image]]\nfile = " +
			"\"logo.png\"\nbox = [0, 0, 16, 16]\nstart = nan\nend = 1e9" + aSegment, []string{`3: still: must not be ` +
			`negative`, `6: voice: start: a time such as "2.5s" or "750ms", or a number of seconds, is expected`,
			`10: image 1: start: a time such as "2.5s" or "750ms", or a number of seconds, is expected`,
			`11: image 1: end: is too long: at most 24h0m0s`}},
		"boxes that are none": {portrait + "segment = [\n {start = 1, end = 2, box = [1, 2, 3]},\n {start = 1, end = 2, " +
			"box = [1, 2, 3.5, 4]},\n {start = 1, end = 2, box = [0, 0, 15, 99]},\n" +
			"{start = 1, end = 2, box = [-1, 0, 99, 99]},\n {start = 1, end = 2, box = [700, 0, 21, 99]},\n {start = 1, end = " +
			"2, box = [0, 0, 9223372036854775807, 99]},\n {start = 1, end = 2, box = 7}]",
			[]string{`4: segment 1: box: four whole numbers are expected: [x, y, width, height], in pixels`,
				`4: segment 2: box: four whole numbers are expected: [x, y, width, height], in pixels`,
				`4: segment 3: box: width and height must be 16 pixels or more`, `4: segment 4: box: x and y must not be negative`,
				`4: segment 5: box: is not inside the picture, which has 720×1280 pixels`,
				`4: segment 6: box: four whole numbers are expected: [x, y, width, height], in pixels`,
				`4: segment 7: box: four whole numbers are expected: [x, y, width, height], in pixels`}},
		"files that are not there": {"title = \"Hi\"\nfilm = \"movie.mp4\"\nmusic = \"../music.mp3\"\n[[image]]\nfile = " +
			"\"/logo.png\"\nbox = [0, 0, 16, 16]\n[[image]]\nbox = [0, 0, 16, 16]\n[[image]]\nfile = \"sounds\"\nbox = [0, 0, " +
			"16, 16]" + aSegment + "font = \"serif.ttf\"",
			[]string{`2: film: there is no file "movie.mp4" in the folder`,
				`3: music: a file in the folder of the template is expected, without a slash in front and without ..`,
				`5: image 1: file: a file in the folder of the template is expected, without a slash in front and ` +
					`without ..`, `7: image 2: file: is missing: name a PNG or JPEG image in the folder`,
				`10: image 3: file: "sounds" is not a file`, `16: segment 1: font: there is no file "serif.ttf" in the folder`}},
		"files that are broken": {film + "[[image]]\nfile = \"text.png\"\nbox = [0, 0, 16, 16]\n[[image]]\nfile = " +
			"\"wide.png\"\nbox = [0, 0, 16, 16]" + aSegment + "font = \"broken.ttf\"",
			[]string{`4: image 1: file: "text.png" is not a PNG or JPEG image that can be read`, `7: image 2: file: ` +
				`"wide.png" has 8193×1 pixels: at most 8192 on each side and 40 million in all are possible`,
				`13: segment 1: font: "broken.ttf" is not a font that can be read`}},
		"looks that are none": {film + aSegment + "size = 7.9\nstyle = \"bronze\"\ncolor = [\"#fff\", \"red\"]\noutline = " +
			"\"#12345\"\nglow = \"off\"\nalign = \"centre\"\nanimation = \"jump\"",
			[]string{`8: segment 1: size: a number from 8 to 1000 is expected`,
				`9: segment 1: style: one of these is expected: ["gold" "silver" "plain"]`,
				`10: segment 1: color: a colour such as "#ffda68", or a list of up to three, is expected`,
				`11: segment 1: outline: a colour such as "#ffda68", or "none", is expected`,
				`12: segment 1: glow: a colour such as "#ffda68", or "none", is expected`,
				`13: segment 1: align: one of these is expected: ["left" "center" "right"]`,
				`14: segment 1: animation: one of these is expected: ["dance" "fade" "rise" "none"]`}},
		"too many colours": {film + aSegment + `color = ["#fff", "#fff", "#fff", "#fff"]`,
			[]string{`8: segment 1: color: one, two or three colours are expected, from top to bottom`}},
		"an image that dances": {film + "[[image]]\nfile = \"logo.png\"\nbox = [0, 0, 16, 16]\nopacity = 1.1\nanimation " +
			"= \"dance\"" + aSegment, []string{`6: image 1: opacity: a number from 0 to 1 is expected`,
			`7: image 1: animation: one of these is expected: ["fade" "rise" "none"]`}},
		"a segment without name": {film + aSegment + `text = { en = "Hi", ru = "{{.Name}}" }`,
			[]string{`8: segment 1: text: en: must contain {{.Name}}, which stands for the name`}},
		"other things in braces": {film + aSegment + `text = "{{.Name}} {{.Lang}}"`, []string{`8: segment 1: text: only ` +
			`{{.Name}} can stand in double braces`}},
		"braces that stay open": {film + aSegment + `text = "{{.Name}} {{"`, []string{`8: segment 1: text: only {{.Name}} ` +
			`can stand in double braces`}},
		"a name in a fixed text": {film + "[[text]]\nbox = [0, 0, 16, 16]\ntext = \"{{.Name}}\"" + aSegment,
			[]string{`5: text 1: text: the name is shown by segments only: there must be no {{ here`}},
		"a text without words": {film + "[[text]]\nbox = [0, 0, 16, 16]" + aSegment, []string{`3: text 1: text: is ` +
			`missing: a text, or one for each language, such as { en = "…", ru = "…" }`}},
		"a voice without reason": {film + aSegment + "[voice]\nduck = 3\ntext = \"{{if}}\"",
			[]string{`9: voice: duck: a number from -40 to 0 is expected`,
				`10: voice: text: only {{.Name}} can stand in double braces`}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := readDesign("x", templateFolder(c.text), []string{"en", "ru"})
			got, _ := err.(Faults)
			var want Faults
			for _, w := range c.want {
				want = append(want, "template.toml:"+w)
			}
			if d != nil || !slices.Equal(got, want) {
				t.Errorf("got\n%v\nwant\n%v", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestDesignRefusesFolders(t *testing.T) {
	good := "title = \"Hi\"\nfilm = \"film.mp4\"" + aSegment
	for _, id := range []string{"", "Easter", "new year", "весна", "a.b", strings.Repeat("a", 33)} {
		if _, err := readDesign(id, templateFolder(good), nil); err == nil ||
			!strings.HasPrefix(err.Error(), "template.toml:1: the folder is called ") {
			t.Errorf("%q: got %v; want that the folder has another name", id, err)
		}
	}
	if _, err := readDesign("easter-2027", templateFolder(good), nil); err != nil {
		t.Errorf("got %v; want nil", err)
	}
	if _, err := readDesign("x", fstest.MapFS{}, nil); err == nil ||
		!strings.Contains(err.Error(), "template.toml:1: cannot be read: ") {
		t.Errorf("no template.toml: got %v; want that it cannot be read", err)
	}
}

func TestDesignMeetsItsFilm(t *testing.T) {
	const text = `title = "Hi"
film = "film.mp4"
still = 9
[[segment]]
start = 2
end = 6
box = [0, 0, 640, 480]
[[text]]
text = "Hi"
box = [0, 400, 100, 100]
[[image]]
file = "logo.png"
box = [0, 0, 16, 16]
start = 7
[voice]
text = "Hi"
start = 8
`
	read := func() *design {
		d, err := readDesign("x", templateFolder(text), nil)
		if err != nil {
			t.Fatalf("got %v; want nil", err)
		}
		return d
	}
	d := read()
	if faults := d.checkFilm(640, 500, 10*time.Second); faults != nil {
		t.Errorf("a film that is large and long enough: got %v; want nil", faults)
	}
	if got := []time.Duration{d.segments[0].end, d.texts[0].end, d.images[0].end}; !slices.Equal(
		got,
		[]time.Duration{6e9, 10e9, 10e9},
	) {
		t.Errorf("ends: got %v; want 6s and, where there was none, the film's 10s", got)
	}
	want := Faults{
		"template.toml:3: still: must be before the film ends (5s)",
		"template.toml:6: segment 1: end: must not be after the film ends (5s)",
		"template.toml:7: segment 1: box: is not inside the picture, which has 500×499 pixels",
		"template.toml:10: text 1: box: is not inside the picture, which has 500×499 pixels",
		"template.toml:14: image 1: start: must be before the film ends (5s)",
		"template.toml:17: voice: start: must be before the film ends (5s)",
	}
	if got := read().checkFilm(500, 499, 5*time.Second); !slices.Equal(got, want) {
		t.Errorf("a film that is too small and too short: got\n%v\nwant\n%v", got, want)
	}
}

func TestNamesAreDataInATemplate(t *testing.T) {
	p := phrase{"ru": "{{.Name}}, {{ .Name }}!", "": "Hi {{.Name}}"}
	for _, c := range []struct{ lang, name, want string }{
		{"ru", "Маша", "Маша, Маша!"},
		{"en", "Zoë", "Hi Zoë"},
		{"en", "{{.Name}}", "Hi {{.Name}}"},
		{"en", "$1 ${Name} \\0", "Hi $1 ${Name} \\0"},
	} {
		if got := p.say(c.lang, c.name); got != c.want {
			t.Errorf("%s, %s: got %q; want %q", c.lang, c.name, got, c.want)
		}
	}
}

func FuzzReadDesign(f *testing.F) {
	f.Add(wholeDesign)
	f.Add("title = 'Hi'\nscene = \"new-year\"\naspect = \"portrait\"\n" + aSegment)
	f.Add("title.ru = '''\n[[segment]]\n'''\n[[segment.text]]\nx = [ { a = 1 },\n\n # ]\n]\n")
	f.Add("\"\" = 1\n'a.b[' = { \"\\n\" = 1979-05-27 }\n[[segment]]\n[segment.text]\nru = \"{{\"\n")
	f.Add(
		"title = \"\\u202e\"\nfilm = \"../film.mp4\"\n\"\\u001b[31m\" = 1\n[voice]\ntext = { de = 'x', \"\\u202e\" = 'y' " +
			"}\nduck = nan",
	)
	f.Add(
		"film = 'film.mp4'\nmusic = \"\\u0007\"\ntitle = 'x'\nstill = inf\n[[segment]]\nbox = [9223372036854775807, 0, 16, " +
			"16]\nstart = -0.0\nend = 1e308\nsize = nan",
	)
	f.Add("segment = [ { start = 1, end = 2, box = [0, 0, 16, 16] }, 5 ]\ntitle = 'x'\nfilm = 'film.mp4'")
	const right = "film = 'film.mp4'\ntitle = 'x'\n[[segment]]\nstart = 1\nend = 2\nbox = [0, 0, 16, 16]\n"
	for _, more := range []string{"", "size = nan", "text = 'x'", "text = '{{.Name}} {{.Name }}'", "text = '{{.Name}}}}'",
		"[[text]]\ntext = 'x'\nbox = [-1, 0, 16, 16]", "[[text]]\ntext = 'x'\nbox = [0, 0, 16, 16]\nstart = 11",
		"[[image]]\nfile = 'logo.png'\nbox = [0, 0, 16, 16]\nopacity = nan", "[voice]\ntext = 'x'\nduck = nan",
		"[voice]\ntext = 'x'\nstart = 86400"} {
		f.Add(right + more)
	}
	files := templateFolder("")
	f.Fuzz(func(t *testing.T, text string) {
		folder := fstest.MapFS{}
		for name, file := range files {
			folder[name] = file
		}
		folder[designFile] = &fstest.MapFile{Data: []byte(text)}
		d, err := readDesign("x", fs.FS(folder), []string{"en", "ru"})
		faults, _ := err.(Faults)
		if (d == nil) != (len(faults) > 0) || (d == nil) != (err != nil) {
			t.Fatalf("got %v and %v; want a design or faults", d, err)
		}
		wantPlainFaults(t, text, faults)
		if d == nil {
			return
		}
		const width, height, length = 720, 1280, 10 * time.Second
		faults = d.checkFilm(width, height, length)
		wantPlainFaults(t, text, faults)
		if len(faults) > 0 {
			return
		}
		// What nobody finds fault with can be drawn.
		shown := func(start, end time.Duration, box area) {
			if start < 0 || start >= end || end > length || !box.inside(width, height) || box.w < smallestBox ||
				box.h < smallestBox {
				t.Errorf("got something shown from %v to %v in %v; want it in the film", start, end, box)
			}
		}
		if len(d.segments) == 0 || (d.film == "") == (d.scene == "") || d.still < 0 || d.still >= length {
			t.Errorf("got %+v; want a film or a scene, a segment, and a still of it", d)
		}
		phrases := []phrase{d.titles}
		for _, c := range slices.Concat(d.segments, d.texts) {
			shown(c.start, c.end, c.box)
			if !(c.size >= smallestSize && c.size <= largestSize) {
				t.Errorf("got letters of %v pixels", c.size)
			}
			phrases = append(phrases, c.text)
		}
		for _, p := range d.images {
			shown(p.start, p.end, p.box)
			if !(p.opacity >= 0 && p.opacity <= 1) || p.file == "" {
				t.Errorf("got an image of opacity %v, %q", p.opacity, p.file)
			}
		}
		if v := d.voice; v != nil {
			phrases = append(phrases, v.text)
			if !(v.duck >= -40 && v.duck <= 0) || v.start < 0 || v.start >= length {
				t.Errorf("got a voice %v softer from %v on", v.duck, v.start)
			}
		}
		for _, p := range phrases {
			for _, lang := range []string{"en", "ru"} {
				if strings.TrimSpace(p.in(lang)) == "" {
					t.Errorf("got %q in %s; want words", p, lang)
				}
			}
		}
		for _, c := range d.segments {
			if said := c.text.say("ru", "Аглая"); !strings.Contains(said, "Аглая") || strings.Contains(said, "{{") {
				t.Errorf("got %q; want the name in it", said)
			}
		}
	})
}

// wantPlainFaults checks whether each fault is one line that begins with a place there is, and that a terminal shows as
// it is.
func wantPlainFaults(t *testing.T, text string, faults Faults) {
	t.Helper()
	for _, line := range faults {
		rest, ok := strings.CutPrefix(line, "template.toml:")
		number, _, _ := strings.Cut(rest, ":")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 1 || n > strings.Count(text, "\n")+1 {
			t.Errorf("got %q; want a line that begins with its place", line)
		}
		if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsGraphic(r) }) {
			t.Errorf("got %q; want nothing in it that is not seen", line)
		}
	}
}

func TestDesign_HasLimits(t *testing.T) {
	const right = "film = 'film.mp4'\ntitle = 'x'\n[[segment]]\nstart = 1\nend = 2\nbox = [0, 0, 16, 16]\n"
	const image = "[[image]]\nfile = 'logo.png'\nbox = [0, 0, 16, 16]\n"
	most := (mostText - 10) / len("'a' . ")
	for name, c := range map[string]struct{ text, want string }{
		"a file without an end":  {right + strings.Repeat("#", mostText), "more than 65536 bytes"},
		"lists in lists":         {"x = " + strings.Repeat("[", mostText-10), ":1: lists and tables"},
		"closed lists in lists":  {"x = " + strings.Repeat("[", most) + strings.Repeat("]", most), ":1: lists and tables"},
		"over many lines":        {"x = " + strings.Repeat("[\n", most), ":17: lists and tables"},
		"tables in tables":       {"x = " + strings.Repeat("{a=", most) + strings.Repeat("}", most), ":1: lists and tables"},
		"a key of many parts":    {"\n" + strings.Repeat("a.", most) + "a = 1", ":2: lists and tables"},
		"quoted, with spaces":    {strings.Repeat("'a' . ", most) + "a = 1", ":1: lists and tables"},
		"a header of many parts": {"[" + strings.Repeat("a.", most) + "a]", ":1: lists and tables"},
		"many segments":          {right + strings.Repeat("[[segment]]\n", mostTables), "at most 64 are possible"},
		"many images":            {right + strings.Repeat(image, mostTables+1), "at most 64 are possible"},
		"texts in one line":      {"text = [" + strings.Repeat("{},", mostTables+1) + "]\n" + right, "at most 64 are possible"},
		"brackets and dots of a text": {"title = '''" + strings.Repeat("[.", 1000) + "'''\n" +
			strings.ReplaceAll(right, "title = 'x'\n", ""), ""},
	} {
		began := time.Now()
		_, err := readDesign("x", templateFolder(c.text), []string{"en", "ru"})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v; want %q", name, err, c.want)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
}
