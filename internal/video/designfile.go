// designfile.go reads template.toml and tells its author everything that is wrong with it at once, line by line.

package video

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// designFile is the file in a template's folder that describes it.
const designFile = "template.toml"

// Limits of a template.
const (
	shortestSegment = 200 * time.Millisecond
	longestSegment  = 60 * time.Second
	longestTime     = 24 * time.Hour // of anything: a slip of the pen, not a moment of a film
	smallestBox     = 16             // pixels
	smallestSize    = 8              // of type, pixels per em
	largestSize     = 1000
	mostText        = 64 << 10 // bytes of template.toml
	mostTables      = 64       // of a kind: each costs time in every frame
	mostDeep        = 16       // lists and tables inside each other
	mostImage       = 64 << 20 // bytes of a font or an image
)

// Faults is everything that is wrong with a template, a line each:
// "template.toml:12: segment 1: end: must be after start (2s)".
type Faults []string

func (f Faults) Error() string { return strings.Join(f, "\n") }

// fault is one of the faults.
type fault struct {
	line int
	key  string
	text string
}

// templateID is what the folder of a template may be called.
var templateID = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// isTemplateID reports whether a folder may be called that, or a version of such a template.
func isTemplateID(id string) bool {
	id, _ = splitVersion(id)
	return templateID.MatchString(id)
}

// faultList collects faults and knows where keys stand.
type faultList struct {
	lines keyLines
	list  []fault
}

// at adds a fault of a key, such as "segment[1].end".
func (f *faultList) at(key, format string, args ...any) {
	text := fmt.Sprintf("%s:%d: ", designFile, f.lines.of(key))
	if key != "" {
		text += strings.NewReplacer("[", " ", "]", "", ".", ": ").Replace(key) + ": "
	}
	f.list = append(f.list, fault{f.lines.of(key), key, visible(text + fmt.Sprintf(format, args...))})
}

// all returns the faults in the order of their lines, nil without any.
func (f *faultList) all() Faults {
	slices.SortStableFunc(f.list, func(a, b fault) int { return cmp.Compare(a.line, b.line) })
	var out Faults
	for _, one := range f.list {
		out = append(out, one.text)
	}
	return out
}

// designReader reads one template.
type designReader struct {
	faultList
	files     fs.FS
	languages []string // that every text must have
	d         *design
}

// readDesign reads dir's template.toml. languages are those that every text must have. The error is Faults.
func readDesign(id string, files fs.FS, languages []string) (*design, error) {
	b, err := readUpTo(files, designFile, mostText)
	if err != nil {
		return nil, Faults{fmt.Sprintf("%s:1: cannot be read: %v", designFile, err)}
	}
	return parseDesign(id, b, files, languages)
}

// parseDesign is readDesign for the text of a template.toml that may not be in the folder.
func parseDesign(id string, b []byte, files fs.FS, languages []string) (*design, error) {
	if len(b) > mostText {
		return nil, Faults{fmt.Sprintf("%s:1: cannot be read: it has more than %d bytes", designFile, mostText)}
	}
	if line := tooDeep(string(b)); line > 0 {
		return nil, Faults{fmt.Sprintf("%s:%d: lists and tables are inside each other too deeply", designFile, line)}
	}
	var values map[string]any
	if _, err := toml.Decode(string(b), &values); err != nil {
		var parse toml.ParseError
		if errors.As(err, &parse) {
			return nil, Faults{
				fmt.Sprintf("%s:%d: %s", designFile, max(1, parse.Position.Line), visible(oneLine(errors.New(parse.Message)))),
			}
		}
		return nil, Faults{fmt.Sprintf("%s:1: %s", designFile, visible(oneLine(err)))}
	}
	lines := findKeys(string(b))
	d := &design{id: id, text: b, files: &fontFolder{files, map[string]*face{}}, lines: lines}
	r := designReader{faultList{lines: lines}, files, languages, d}
	if !isTemplateID(id) {
		r.at("", "the folder is called %q: its name may have the letters a to z, digits and hyphens, at most 32", id)
	}
	r.design(section{&r, "", values})
	if faults := r.all(); faults != nil {
		return nil, faults
	}
	return r.d, nil
}

func (r *designReader) design(s section) {
	s.known("title", "film", "scene", "aspect", "still", "music", "segment", "text", "image", "voice")
	d := r.d
	d.titles = s.phrase("title", "")
	r.source(s)
	d.music = s.file("music")
	segments := s.sections("segment")
	if _, there := s.values["segment"]; !there {
		s.fault("segment", "is missing: say with [[segment]] where and when the name is shown")
	}
	for _, t := range segments {
		d.segments = append(d.segments, t.caption(true))
	}
	for _, t := range s.sections("text") {
		d.texts = append(d.texts, t.caption(false))
	}
	for _, t := range s.sections("image") {
		d.images = append(d.images, t.picture())
	}
	if v, there := s.values["voice"]; there {
		if values, ok := v.(map[string]any); ok {
			d.voice = section{r, "voice", values}.spoken()
		} else {
			s.fault("voice", "is a table: write [voice], once")
		}
	}
	var given bool
	if d.still, given = s.duration("still"); !given && len(d.segments) > 0 {
		d.still = (d.segments[0].start + d.segments[0].end) / 2
	}
}

// source reads what the video is made from, and its size.
func (r *designReader) source(s section) {
	d := r.d
	_, film := s.values["film"]
	_, scene := s.values["scene"]
	switch {
	case film && scene:
		s.fault("scene", "there is a film already: a template has one of film and scene")
	case !film && !scene:
		s.fault(
			"film",
			`is missing: name a file of the folder, film = "film.mp4", or a built-in scene, scene = %q`,
			sceneNames()[0],
		)
	}
	d.film = s.file("film")
	d.scene = s.choice("scene", "", sceneNames()...)
	switch aspect := s.choice("aspect", "", "portrait", "landscape", "square"); aspect {
	case "portrait":
		d.width, d.height = 720, 1280
	case "landscape":
		d.width, d.height = 1280, 720
	case "square":
		d.width, d.height = 720, 720
		if scene && !film {
			s.fault("aspect", "a scene is portrait or landscape")
		}
	default:
		if _, there := s.values["aspect"]; scene && !film && !there {
			s.fault("aspect", `is missing: a scene is "portrait" or "landscape"`)
		}
	}
}

// section is a table of template.toml; its path is "" or like "segment[1]".
type section struct {
	r      *designReader
	path   string
	values map[string]any
}

func (s section) fault(key, format string, args ...any) { s.r.at(join(s.path, key), format, args...) }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// known refuses all other keys.
func (s section) known(keys ...string) {
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		if slices.Contains(keys, key) {
			continue
		}
		nearest := slices.MinFunc(keys, func(a, b string) int { return cmp.Compare(edits(key, a), edits(key, b)) })
		hint := ""
		if edits(key, nearest) <= min(2, len(nearest)/2) {
			hint = fmt.Sprintf(": %s is meant, perhaps", nearest)
		}
		s.fault(plainKey(key), "there is no such key%s", hint)
	}
}

// visible spells out what a terminal does not show, or takes for a command.
func visible(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return text
	}
	quoted := strconv.QuoteToGraphic(text)
	return quoted[1 : len(quoted)-1]
}

// plainKey quotes a key that would look like a path.
func plainKey(key string) string {
	if strings.ContainsAny(key, ".[]") || key == "" {
		return strconv.QuoteToASCII(strings.NewReplacer(".", "_", "[", "_", "]", "_").Replace(key))
	}
	return key
}

// edits is the number of letters to add, remove or change to turn one word into another.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, corner+1)
		}
	}
	return row[len(b)]
}

// sections returns the tables of an array such as [[segment]].
func (s section) sections(key string) (out []section) {
	var tables []map[string]any
	switch v := s.values[key].(type) {
	case nil:
		return nil
	case []map[string]any:
		tables = v
	case []any: // the same in one line
		for _, one := range v {
			values, ok := one.(map[string]any)
			if !ok {
				s.fault(key, "is a list of tables: write [[%s]] above the keys of each", key)
				return nil
			}
			tables = append(tables, values)
		}
	default:
		s.fault(key, "is a list of tables: write [[%s]], with two brackets, above the keys of each", key)
		return nil
	}
	if len(tables) > mostTables {
		s.fault(key, "there are %d of them: at most %d are possible", len(tables), mostTables)
		return nil
	}
	if len(tables) == 0 && key == "segment" {
		s.fault(key, "is empty: say with [[segment]] where and when the name is shown")
	}
	for i, values := range tables {
		out = append(out, section{s.r, fmt.Sprintf("%s[%d]", key, i+1), values})
	}
	return out
}

// text returns a text that is not empty, "" if there is none.
func (s section) text(key string) string {
	switch v := s.values[key].(type) {
	case nil:
		return ""
	case string:
		if strings.TrimSpace(v) == "" {
			s.fault(key, "is empty")
		}
		return v
	default:
		s.fault(key, "a text in quotes is expected")
		return ""
	}
}

// choice returns one of some words, the usual one unless the key is there.
func (s section) choice(key, usual string, words ...string) string {
	v, there := s.values[key]
	if !there {
		return usual
	}
	if word, ok := v.(string); ok && slices.Contains(words, word) {
		return word
	}
	s.fault(key, "one of these is expected: %q", words)
	return usual
}

// number returns a number within bounds, the usual one unless the key is there.
func (s section) number(key string, usual, least, most float64) float64 {
	var n float64
	switch v := s.values[key].(type) {
	case nil:
		return usual
	case int64:
		n = float64(v)
	case float64:
		n = v
	default:
		n = math.NaN()
	}
	if n >= least && n <= most {
		return n
	}
	s.fault(key, "a number from %v to %v is expected", least, most)
	return usual
}

// duration returns a time, and whether the key is there.
func (s section) duration(key string) (time.Duration, bool) {
	n := math.NaN()
	switch v := s.values[key].(type) {
	case nil:
		return 0, false
	case int64:
		n = float64(v)
	case float64:
		n = v
	case string:
		if d, err := time.ParseDuration(v); err == nil {
			n = d.Seconds()
		}
	}
	switch {
	case math.IsNaN(n):
		s.fault(key, `a time such as "2.5s" or "750ms", or a number of seconds, is expected`)
	case n < 0:
		s.fault(key, "must not be negative")
	case n > longestTime.Seconds():
		s.fault(key, "is too long: at most %v", longestTime)
	default:
		return time.Duration(math.Round(n * float64(time.Second))), true
	}
	return 0, true
}

// span returns when something is shown. The end is 0 if the key is not there.
func (s section) span() (start, end time.Duration) {
	start, _ = s.duration("start")
	end, given := s.duration("end")
	if given && end <= start && s.sound("start", "end") {
		s.fault("end", "must be after start (%v)", start)
	}
	return start, end
}

// sound reports whether nothing was wrong with some keys so far.
func (s section) sound(keys ...string) bool {
	return !slices.ContainsFunc(s.r.list, func(f fault) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return f.key == join(s.path, key) })
	})
}

// box returns where something is shown.
func (s section) box() area {
	v, there := s.values["box"]
	if !there {
		s.fault("box", "is missing: say where it stands, box = [x, y, width, height], in pixels")
		return area{}
	}
	list, _ := v.([]any)
	var n [4]int
	for i, one := range list {
		whole, ok := one.(int64)
		if !ok || whole < -1_000_000 || whole > 1_000_000 || i >= len(n) {
			list = nil
			break
		}
		n[i] = int(whole)
	}
	b := area{n[0], n[1], n[2], n[3]}
	switch {
	case len(list) != len(n):
		s.fault("box", "four whole numbers are expected: [x, y, width, height], in pixels")
	case b.x < 0 || b.y < 0:
		s.fault("box", "x and y must not be negative")
	case b.w < smallestBox || b.h < smallestBox:
		s.fault("box", "width and height must be %d pixels or more", smallestBox)
	case s.r.d.width > 0:
		if !b.inside(s.r.d.width, s.r.d.height) {
			s.fault("box", outsidePicture, s.r.d.width, s.r.d.height)
		}
	}
	return b
}

// outsidePicture says, with the size of the picture, that a box is not in it.
const outsidePicture = "is not inside the picture, which has %d×%d pixels"

func (a area) inside(width, height int) bool {
	return a.x >= 0 && a.y >= 0 && a.x+a.w <= width && a.y+a.h <= height
}

// file returns the name of a file in the folder, "" if there is none.
func (s section) file(key string) string {
	name := s.text(key)
	if strings.TrimSpace(name) == "" {
		return ""
	}
	if !fs.ValidPath(name) || name == "." || strings.Contains(name, `\`) {
		s.fault(key, "a file in the folder of the template is expected, without a slash in front and without ..")
		return ""
	}
	info, err := fs.Stat(s.r.files, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.fault(key, "there is no file %q in the folder", name)
	case err != nil:
		s.fault(key, "the file %q cannot be read: %v", name, plainError(err))
	case !info.Mode().IsRegular():
		s.fault(key, "%q is not a file", name)
	default:
		return name
	}
	return ""
}

// content returns a file in the folder and its bytes, nil if there is none.
func (s section) content(key string) (string, []byte) {
	name := s.file(key)
	if name == "" {
		return "", nil
	}
	b, err := readUpTo(s.r.files, name, mostImage)
	if err != nil {
		s.fault(key, "the file %q cannot be read: %v", name, err)
		return "", nil
	}
	return name, b
}

// caption reads a [[segment]], which shows the name, or a [[text]].
func (s section) caption(named bool) caption {
	s.known("start", "end", "box", "text", "size", "font", "style", "color", "outline", "glow", "align", "animation")
	var c caption
	c.start, c.end = s.span()
	animation := "fade"
	if named {
		animation = "dance"
		c.text = s.phrase("text", "{{.Name}}")
		s.checkNames("text", c.text, true)
		s.segmentTimes(c)
	} else {
		c.text = s.phrase("text", "")
		for _, lang := range slices.Sorted(maps.Keys(c.text)) {
			if strings.Contains(c.text[lang], "{{") {
				s.fault("text", "the name is shown by segments only: there must be no {{ here")
				break
			}
		}
	}
	c.box = s.box()
	usual := float64(min(largestSize, max(smallestSize, c.box.h)))
	c.size = float32(s.number("size", usual, smallestSize, largestSize))
	c.font = s.font()
	c.style = s.style()
	c.align = s.choice("align", "center", "left", "center", "right")
	c.animation = s.choice("animation", animation, "dance", "fade", "rise", "none")
	return c
}

// segmentTimes checks that a segment begins, ends, and is neither too short nor too long.
func (s section) segmentTimes(c caption) {
	for _, key := range []string{"start", "end"} {
		if _, there := s.values[key]; !there {
			s.fault(key, `is missing: say when, such as "2s"`)
		}
	}
	if !s.sound("start", "end") {
		return
	}
	switch shown := c.end - c.start; {
	case shown < shortestSegment:
		s.fault("end", "must be %v or more after start (%v)", shortestSegment, c.start)
	case shown > longestSegment:
		s.fault("end", "must be at most %v after start (%v)", longestSegment, c.start)
	}
}

// font returns the font that a caption asks for.
func (s section) font() string {
	asked := s.text("font")
	if !isFontFile(asked) {
		return asked
	}
	name, b := s.content("font")
	if b != nil {
		t, err := parseFont(b, 0)
		if err != nil {
			s.fault("font", "%q is not a font that can be read", name)
			return name
		}
		s.r.d.files.faces[name] = t
	}
	return name
}

// style returns how the letters of a caption look.
func (s section) style() style {
	styles := map[string]style{"gold": gold, "silver": silver, "plain": plain}
	st := styles[s.choice("style", "gold", "gold", "silver", "plain")]
	switch c := s.colours("color"); len(c) {
	case 1:
		st.top, st.middle, st.bottom = c[0], c[0], c[0]
	case 2:
		st.top, st.middle, st.bottom = c[0], mix(c[0], c[1], 0.5), c[1]
	case 3:
		st.top, st.middle, st.bottom = c[0], c[1], c[2]
	}
	if s.values["outline"] == "none" {
		st.outlineWidth = 0
	} else if c, ok := s.colour("outline"); ok {
		st.outline = c
	}
	if s.values["glow"] == "none" {
		st.glowStrength = 0
	} else if c, ok := s.colour("glow"); ok {
		st.glow = c
	}
	return st
}

// colour returns a colour, and whether there is one.
func (s section) colour(key string) (rgb, bool) {
	v, there := s.values[key]
	if !there {
		return rgb{}, false
	}
	c, ok := parseColour(v)
	if !ok {
		s.fault(key, `a colour such as "#ffda68", or "none", is expected`)
	}
	return c, ok
}

// colours returns one to three colours, none if there are none.
func (s section) colours(key string) (out []rgb) {
	v, there := s.values[key]
	if !there {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, one := range list {
		c, ok := parseColour(one)
		if !ok {
			s.fault(key, `a colour such as "#ffda68", or a list of up to three, is expected`)
			return nil
		}
		out = append(out, c)
	}
	if len(out) < 1 || len(out) > 3 {
		s.fault(key, "one, two or three colours are expected, from top to bottom")
		return nil
	}
	return out
}

// parseColour reads #rgb or #rrggbb.
func parseColour(v any) (rgb, bool) {
	text, _ := v.(string)
	digits, ok := strings.CutPrefix(text, "#")
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if !ok || len(digits) != 6 || err != nil {
		return rgb{}, false
	}
	return rgb{float32(n >> 16), float32(n >> 8 & 255), float32(n & 255)}, true
}

// picture reads an [[image]].
func (s section) picture() picture {
	s.known("file", "box", "opacity", "start", "end", "animation")
	p := picture{
		box:       s.box(),
		opacity:   float32(s.number("opacity", 1, 0, 1)),
		animation: s.choice("animation", "fade", "fade", "rise", "none"),
	}
	p.start, p.end = s.span()
	if _, there := s.values["file"]; !there {
		s.fault("file", "is missing: name a PNG or JPEG image in the folder")
	}
	name, b := s.content("file")
	if b != nil {
		if err := checkImage(b); err != nil {
			s.fault("file", "%q %v", name, err)
		}
	}
	p.file = name
	return p
}

// spoken reads the [voice].
func (s section) spoken() *spoken {
	s.known("text", "start", "duck")
	v := &spoken{text: s.phrase("text", ""), duck: s.number("duck", -9, -40, 0)}
	s.checkNames("text", v.text, false)
	v.start, _ = s.duration("start")
	return v
}

// checkFilm returns what is wrong with a template once its film or scene is known: the size of the finished video in
// pixels, and how long it is. Whatever has no end gets that of the film.
func (d *design) checkFilm(width, height int, length time.Duration) Faults {
	f := faultList{lines: d.lines}
	check := func(list string, i int, box area, start time.Duration, end *time.Duration) {
		path := fmt.Sprintf("%s[%d].", list, i+1)
		if !box.inside(width, height) {
			f.at(path+"box", outsidePicture, width, height)
		}
		if start >= length {
			f.at(path+"start", "must be before the film ends (%v)", length)
		} else if *end > length {
			f.at(path+"end", "must not be after the film ends (%v)", length)
		}
		if *end == 0 {
			*end = length
		}
	}
	for i := range d.segments {
		c := &d.segments[i]
		check("segment", i, c.box, c.start, &c.end)
	}
	for i := range d.texts {
		c := &d.texts[i]
		check("text", i, c.box, c.start, &c.end)
	}
	for i := range d.images {
		p := &d.images[i]
		check("image", i, p.box, p.start, &p.end)
	}
	if d.still >= length {
		f.at("still", "must be before the film ends (%v)", length)
	}
	if d.voice != nil && d.voice.start >= length {
		f.at("voice.start", "must be before the film ends (%v)", length)
	}
	return f.all()
}

// sceneNames are the built-in scenes that a template can have, in a fixed order.
func sceneNames() []string { return slices.Sorted(maps.Keys(scenes)) }
