// What the page of the studio shows: the places of the name, other texts, images, and their fields.

package desk

import (
	"fmt"
	"slices"

	"retake.example/internal/video"
)

// StudioPlace is where the name or another text is shown, with its number.
type StudioPlace struct {
	Bench
	video.Place
	N    int
	Kind string // s: the name; t: another text
}

// Field is the name of one of its fields.
func (p StudioPlace) Field(name string) string { return fmt.Sprintf("%s%d.%s", p.Kind, p.N, name) }

// Named reports whether it shows the name.
func (p StudioPlace) Named() bool { return p.Kind == "s" }

// Removable reports whether the template can do without it.
func (p StudioPlace) Removable() bool { return !p.Named() || len(p.Sheet.Segments) > 1 }

// Remove is what the form does to remove it.
func (p StudioPlace) Remove() string { return fmt.Sprintf("%s:%d", removes[p.Kind], p.N) }

var removes = map[string]string{"s": "remove", "t": "remove-text", "i": "remove-image"}

// Places are the places of the name.
func (s Bench) Places() []StudioPlace { return s.placesOf("s", s.Sheet.Segments) }

// Texts are the other texts.
func (s Bench) Texts() []StudioPlace { return s.placesOf("t", s.Sheet.Texts) }

func (s Bench) placesOf(kind string, list []video.Place) (places []StudioPlace) {
	for i, p := range list {
		places = append(places, StudioPlace{s, p, i + 1, kind})
	}
	return places
}

// StudioImage is an image, with its number.
type StudioImage struct {
	Bench
	video.Image
	N int
}

// Field is the name of one of its fields.
func (i StudioImage) Field(name string) string { return fmt.Sprintf("i%d.%s", i.N, name) }

// Remove is what the form does to remove it.
func (i StudioImage) Remove() string { return fmt.Sprintf("%s:%d", removes["i"], i.N) }

// Entrance is the field of how it appears.
func (i StudioImage) Entrance() Words {
	return Words{i.Field("animation"), "studio_animation", i.Animation, video.Entrances, i.Bench}
}

// Source is the field of its file.
func (i StudioImage) Source() FileField {
	return FileField{i.Field("file"), "studio_image_file", i.File, "studio_none", i.Extras.Images, i.Bench}
}

// Images are the images.
func (s Bench) Images() (images []StudioImage) {
	for n, i := range s.Sheet.Images {
		images = append(images, StudioImage{s, i, n + 1})
	}
	return images
}

// Music is the field of the music.
func (s Bench) Music() FileField {
	return FileField{"music", "studio_music", s.Sheet.Music, "studio_as_film", s.Extras.Sounds, s}
}

// FileField is a field with files to choose from.
type FileField struct {
	Field, Label, Value, None string
	Files                     []string
	Bench                     Bench
}

// Missing reports whether the chosen file is none of them: it stays until another is chosen.
func (f FileField) Missing() bool { return f.Value != "" && !slices.Contains(f.Files, f.Value) }

// Words is a field with some words to choose from. Value "" is the usual one.
type Words struct {
	Field, Label, Value string
	Words               []string
	Bench               Bench
}

// Choices are the fields of a place that have words.
func (p StudioPlace) Choices() []Words {
	return []Words{{p.Field("style"), "studio_style", p.Style, video.Styles, p.Bench},
		{p.Field("animation"), "studio_animation", p.Animation, video.Animations, p.Bench},
		{p.Field("align"), "studio_align", p.Align, video.Aligns, p.Bench}}
}

// Shape is the field of the video's shape.
func (s Bench) Shape() Words {
	return Words{"aspect", "studio_aspect", s.Sheet.Aspect, video.Aspects, s}
}

// MorePlaces reports whether the name can be shown once more.
func (s Bench) MorePlaces() bool { return len(s.Sheet.Segments) < mostPlaces }

// MoreTexts and MoreImages report whether there can be another.
func (s Bench) MoreTexts() bool  { return len(s.Sheet.Texts) < mostPlaces }
func (s Bench) MoreImages() bool { return len(s.Sheet.Images) < mostPlaces }

// Areas are the names of all that has a box and a time: what the script drags.
func (s Bench) Areas() (names []string) {
	for _, of := range []struct {
		kind string
		n    int
	}{{"i", len(s.Sheet.Images)}, {"t", len(s.Sheet.Texts)}, {"s", len(s.Sheet.Segments)}} {
		for n := range of.n {
			names = append(names, fmt.Sprintf("%s%d", of.kind, n+1))
		}
	}
	return names
}

// lane is how high the timeline of each of them is.
const lane = 10

// Lane is where the timeline of one of them begins, and Lanes is how high all of them are.
func (s Bench) Lane(n int) int { return n*lane + 1 }
func (s Bench) Lanes() int     { return len(s.Areas()) * lane }
