// sheet.go is a template.toml as a form: what people set in the studio, as texts that may still be wrong.

package video

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Sheet is what the studio lets people set of a template. What it leaves empty has its usual value. Nothing is checked
// here: a number that is none is a fault of the template.
type Sheet struct {
	Title    map[string]string `json:"title"` // by language
	Aspect   string            `json:"aspect"`
	Still    string            `json:"still"` // seconds
	Music    string            `json:"music"` // file in the folder
	Segments []Place           `json:"segments"`
	Texts    []Place           `json:"texts"` // the same for every name
	Images   []Image           `json:"images"`
	Voice    Speech            `json:"voice"`
}

// Place is where, when and how the name is shown, or another text. Times are seconds, the box is in pixels of the
// finished video.
type Place struct {
	Start     string            `json:"start"`
	End       string            `json:"end"`
	X         string            `json:"x"`
	Y         string            `json:"y"`
	W         string            `json:"w"`
	H         string            `json:"h"`
	Text      map[string]string `json:"text"` // by language, with {{.Name}}
	Size      string            `json:"size"`
	Font      string            `json:"font"`
	Style     string            `json:"style"`
	Color     string            `json:"color"` // one to three, with spaces between them
	Outline   string            `json:"outline"`
	Glow      string            `json:"glow"`
	Align     string            `json:"align"`
	Animation string            `json:"animation"`
}

// Image is a picture that lies on the film.
type Image struct {
	File      string `json:"file"` // in the folder
	Start     string `json:"start"`
	End       string `json:"end"`
	X         string `json:"x"`
	Y         string `json:"y"`
	W         string `json:"w"`
	H         string `json:"h"`
	Opacity   string `json:"opacity"`
	Animation string `json:"animation"`
}

// Speech is what the voice says. Without a text it says nothing.
type Speech struct {
	Text  map[string]string `json:"text"`
	Start string            `json:"start"`
	Duck  string            `json:"duck"`
}

// The words that a template has for how a name looks, is placed and appears.
var (
	Aspects    = []string{"portrait", "landscape", "square"}
	Styles     = []string{"gold", "silver", "plain"}
	Aligns     = []string{"left", "center", "right"}
	Animations = []string{"dance", "fade", "rise", "none"}
	Entrances  = []string{"fade", "rise", "none"} // of an image
)

// longestField is how many letters a field may have; more are a fault, not a longer template.
const longestField = 500

// ReadSheet reads what can be set of a template.toml.
func ReadSheet(text []byte, languages []string) (Sheet, error) {
	var values map[string]any
	if line := tooDeep(string(text)); line > 0 || len(text) > mostText {
		return Sheet{}, Faults{fmt.Sprintf("%s:%d: cannot be read", designFile, max(1, line))}
	}
	if _, err := toml.Decode(string(text), &values); err != nil {
		return Sheet{}, Faults{fmt.Sprintf("%s:1: %s", designFile, visible(oneLine(err)))}
	}
	s := Sheet{Title: wordsOf(values["title"], languages), Aspect: textIn(values["aspect"]),
		Still: secondsOf(values["still"]), Music: textIn(values["music"])}
	for _, t := range tablesOf(values["segment"]) {
		s.Segments = append(s.Segments, placeOf(t, languages))
	}
	for _, t := range tablesOf(values["text"]) {
		s.Texts = append(s.Texts, placeOf(t, languages))
	}
	for _, t := range tablesOf(values["image"]) {
		i := Image{File: textIn(t["file"]), Start: secondsOf(t["start"]), End: secondsOf(t["end"]),
			Opacity: textIn(t["opacity"]), Animation: textIn(t["animation"])}
		i.X, i.Y, i.W, i.H = boxOf(t)
		s.Images = append(s.Images, i)
	}
	if v, ok := values["voice"].(map[string]any); ok {
		s.Voice = Speech{wordsOf(v["text"], languages), secondsOf(v["start"]), textIn(v["duck"])}
	}
	return s, nil
}

// placeOf reads where a text is shown, and how.
func placeOf(t map[string]any, languages []string) Place {
	p := Place{Start: secondsOf(t["start"]), End: secondsOf(t["end"]), Text: wordsOf(t["text"], languages),
		Size: textIn(t["size"]), Font: textIn(t["font"]), Style: textIn(t["style"]), Outline: textIn(t["outline"]),
		Glow: textIn(t["glow"]), Align: textIn(t["align"]), Animation: textIn(t["animation"])}
	p.X, p.Y, p.W, p.H = boxOf(t)
	if list, ok := t["color"].([]any); ok {
		for _, c := range list {
			p.Color = strings.TrimSpace(p.Color + " " + textIn(c))
		}
	} else {
		p.Color = textIn(t["color"])
	}
	return p
}

func boxOf(t map[string]any) (x, y, w, h string) {
	box, ok := t["box"].([]any)
	if !ok || len(box) != 4 {
		return "", "", "", ""
	}
	return textIn(box[0]), textIn(box[1]), textIn(box[2]), textIn(box[3])
}

// Write returns a template.toml with what the sheet says and all else as it is in another: its film.
func (s Sheet) Write(over []byte, languages []string) ([]byte, error) {
	values := map[string]any{}
	if _, err := toml.Decode(string(over), &values); err != nil {
		return nil, Faults{fmt.Sprintf("%s:1: %s", designFile, visible(oneLine(err)))}
	}
	set(values, "title", wordsIn(s.Title, languages))
	set(values, "aspect", asText(s.Aspect))
	set(values, "still", asSeconds(s.Still))
	set(values, "music", asText(s.Music))
	values["segment"] = written(values["segment"], s.Segments, func(t map[string]any, p Place) { p.write(t, languages) })
	texts := written(values["text"], s.Texts, func(t map[string]any, p Place) { p.write(t, languages) })
	images := written(values["image"], s.Images, func(t map[string]any, i Image) {
		set(t, "start", asSeconds(i.Start))
		set(t, "end", asSeconds(i.End))
		set(t, "file", asText(i.File))
		set(t, "opacity", asNumber(i.Opacity))
		set(t, "animation", asText(i.Animation))
		t["box"] = asBox(i.X, i.Y, i.W, i.H)
	})
	for key, list := range map[string][]map[string]any{"text": texts, "image": images} {
		if delete(values, key); len(list) > 0 {
			values[key] = list
		}
	}
	delete(values, "voice")
	if text := wordsIn(s.Voice.Text, languages); text != nil {
		voice := map[string]any{"text": text}
		set(voice, "start", asSeconds(s.Voice.Start))
		set(voice, "duck", asNumber(s.Voice.Duck))
		values["voice"] = voice
	}
	var out bytes.Buffer
	encoder := toml.NewEncoder(&out)
	encoder.Indent = ""
	err := encoder.Encode(values)
	return out.Bytes(), err
}

// written are the tables of a list, each made from the one that stood in its place.
func written[T any](before any, list []T, write func(t map[string]any, of T)) []map[string]any {
	old, tables := tablesOf(before), []map[string]any{}
	for i, one := range list {
		t := map[string]any{}
		if i < len(old) {
			t = old[i]
		}
		write(t, one)
		tables = append(tables, t)
	}
	return tables
}

func (p Place) write(t map[string]any, languages []string) {
	set(t, "start", asSeconds(p.Start))
	set(t, "end", asSeconds(p.End))
	t["box"] = asBox(p.X, p.Y, p.W, p.H)
	set(t, "text", wordsIn(p.Text, languages))
	set(t, "size", asNumber(p.Size))
	set(t, "color", asColours(p.Color))
	for key, value := range map[string]string{"font": p.Font, "style": p.Style, "outline": p.Outline, "glow": p.Glow,
		"align": p.Align, "animation": p.Animation} {
		set(t, key, asText(value))
	}
}

// asBox is a box, or a text that is none.
func asBox(sides ...string) any {
	var box []int64
	for _, side := range sides {
		n, ok := asWhole(side).(int64)
		if !ok {
			return cut(strings.Join(sides, ", "))
		}
		box = append(box, n)
	}
	return box
}

// FieldsOf returns the faults of a template by the field that each is about, such as "segment[1].end" or "title"; that
// of a whole file is "". A field has its first.
func FieldsOf(faults Faults) map[string]string {
	fields := map[string]string{}
	for _, f := range faults {
		key, text := "", f
		if m := faultWithKey.FindStringSubmatch(f); m != nil {
			key, text = m[3], m[5]
			if m[1] != "" {
				key = fmt.Sprintf("%s[%s].%s", m[1], m[2], m[3])
			} else if m[3] == "voice" && m[4] != "" {
				key += "." + m[4]
			}
		}
		fields[key] = cmp.Or(fields[key], text)
	}
	return fields
}

// faultWithKey matches a fault as faultList.at writes it: the table and its number, the key, and what is inside it.
var faultWithKey = regexp.MustCompile(`^template\.toml:\d+: (?:(segment|text|image) (\d+): )?(\w+)(?: \d+)?: ` +
	`(?:(text|start|duck): )?(?:[a-z]{2}: )?(.*)$`)

func tablesOf(v any) []map[string]any {
	switch v := v.(type) {
	case []map[string]any:
		return v
	case []any:
		var out []map[string]any
		for _, one := range v {
			if t, ok := one.(map[string]any); ok {
				out = append(out, t)
			}
		}
		return out
	}
	return nil
}

// textIn is a value as a field shows it.
func textIn(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64, float64:
		return fmt.Sprint(v)
	}
	return ""
}

// secondsOf is a time as a field shows it.
func secondsOf(v any) string {
	if s, ok := v.(string); ok {
		if d, err := time.ParseDuration(s); err == nil {
			return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
		}
	}
	return textIn(v)
}

// wordsOf is a text in each language.
func wordsOf(v any, languages []string) map[string]string {
	out := map[string]string{}
	table, _ := v.(map[string]any)
	for _, l := range languages {
		if out[l] = textIn(v); table != nil {
			out[l] = textIn(table[l])
		}
	}
	return out
}

// wordsIn is a text in each language as a template has it: one for all if they are the same, nil if there is none. A
// language without a text is a fault unless all are.
func wordsIn(by map[string]string, languages []string) any {
	table, same := map[string]any{}, true
	for _, l := range languages {
		table[l] = cut(by[l])
		same = same && by[l] == by[languages[0]]
	}
	switch {
	case same && strings.TrimSpace(by[languages[0]]) == "":
		return nil
	case same:
		return table[languages[0]]
	}
	return table
}

// cut shortens what is too long for a field, so that what is left is short and still a fault wherever its length is.
func cut(text string) string {
	if runes := []rune(text); len(runes) > longestField {
		return string(runes[:longestField])
	}
	return text
}

// set sets a key, or takes it out for nil.
func set(table map[string]any, key string, value any) {
	if value == nil {
		delete(table, key)
	} else {
		table[key] = value
	}
}

func asText(text string) any {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	return cut(text)
}

// plainNumber matches a number as people type it, also with a comma.
var plainNumber = regexp.MustCompile(`^-?\d{1,9}([.,]\d{1,6})?$`)

func asNumber(text string) any {
	if text = strings.TrimSpace(text); plainNumber.MatchString(text) {
		n, _ := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64) // it is one
		return n
	}
	return asText(text)
}

func asSeconds(text string) any {
	if text = strings.TrimSpace(text); plainNumber.MatchString(text) {
		return strings.Replace(text, ",", ".", 1) + "s"
	}
	return asText(text)
}

// asWhole is a number of pixels; what a browser says in fractions is rounded.
func asWhole(text string) any {
	if n, ok := asNumber(text).(float64); ok && !strings.ContainsAny(text, ",.") {
		return int64(n)
	}
	return text
}

// asColours are one to three colours.
func asColours(text string) any {
	list := strings.FieldsFunc(cut(text), func(r rune) bool { return r == ' ' || r == ',' })
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return list
}
