// design.go says what a template is made of, as its template.toml describes it.

package video

import "time"

// design is a template as its author wrote it, without faults.
type design struct {
	id     string // name of the folder: letters a to z, digits and hyphens, at most 32; of a version, "spring@2"
	text   []byte // of its template.toml
	files  *fontFolder
	folder string // the same as a path; "" for a built-in template
	titles phrase

	film          string        // file in the folder; "" with a scene
	scene         string        // name of a built-in scene; "" with a film
	width, height int           // pixels of the finished video; 0: those of the film
	music         string        // file in the folder; "": the sound of the film or the scene
	still         time.Duration // when the still is taken; the middle of the first segment unless the author says

	segments []caption // with the name
	texts    []caption // the same for every name
	images   []picture
	voice    *spoken // nil: nothing is spoken

	lines keyLines // where template.toml says what, for the faults that only the film brings to light
}

// phrase is a text in each language; the key "" stands for every language.
type phrase map[string]string

// in returns the text for a language.
func (p phrase) in(lang string) string {
	if s, ok := p[lang]; ok {
		return s
	}
	return p[""]
}

// caption is a text and where, when and how it is shown.
type caption struct {
	text       phrase // in a segment {{.Name}} stands for the name
	start, end time.Duration
	box        area
	size       float32 // of the type, at most, in pixels per em
	font       string  // file in the folder, or family on this machine; "": the one that suits
	style      style
	align      string // "left", "center" or "right"
	animation  string // "dance", "fade", "rise" or "none"
}

// picture is an image that lies on the film.
type picture struct {
	file       string // PNG or JPEG in the folder
	start, end time.Duration
	box        area    // the image fits into it and keeps its shape
	opacity    float32 // 0 to 1
	animation  string  // "fade", "rise" or "none"
}

// area is a rectangle in pixels of the finished video.
type area struct{ x, y, w, h int }

// spoken is what the voice says.
type spoken struct {
	text  phrase // {{.Name}} stands for the name
	start time.Duration
	duck  float64 // how much softer the music is meanwhile: decibels, 0 or less
}
