// fonts.go chooses the faces for a text: those its author asks for, the one that suits the templates, then any other.

package video

import (
	"crypto/sha256"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/language"
	"golang.org/x/text/unicode/norm"
)

// typeface is what one text is drawn with: a face for each part of it. It may be used by many goroutines.
type typeface struct {
	faces []*face           // the most wanted first
	parts map[string]placed // of those that the first face cannot draw as they are
	sum   [sha256.Size]byte // of all faces, part of the key of what was drawn with them
}

// placed is a part of a text with the face that draws it, and as what: another sign may have to stand in for it.
type placed struct {
	face *face
	text string
}

// part is what has to be drawn with one face: a letter with its marks, or a word whose letters are joined.
type part struct {
	from, to int             // runes of the text
	script   language.Script // language.Common for signs, spaces and whatever has no script of its own
}

// pickFor returns the faces for a text, if possible of the font that a caption asks for, a file of the template's
// folder or a family of this machine. It returns ErrCannotDraw if no face here has one of the text's parts, and another
// error if the fonts of this machine cannot be read for now. A letter that a face lacks does not change the face of the
// others.
func (f *fonts) pickFor(files fs.FS, asked, text string) (*typeface, error) {
	preferred, others, err := f.candidates(files, asked)
	if err != nil {
		return nil, err
	}
	text = norm.NFC.String(text)
	runes := []rune(text)
	parts := cutParts(runes)
	chosen, main := make([]placed, len(parts)), map[language.Script]*face{}
	if strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }) == "" {
		return nil, ErrCannotDraw // there is nothing to see
	}
	for i, p := range parts {
		if p.script == language.Common {
			continue // drawn with its neighbours
		}
		if _, known := main[p.script]; !known {
			if main[p.script], err = f.mainFace(preferred, others, runes, parts, p.script); err != nil {
				return nil, err
			}
		}
		if chosen[i], err = f.place(main[p.script], preferred, others, string(runes[p.from:p.to])); err != nil {
			return nil, err
		}
	}
	// A sign belongs to the word before it, or to the first one.
	var near *face
	for _, c := range chosen {
		if near = c.face; near != nil {
			break
		}
	}
	for i, p := range parts {
		if p.script == language.Common {
			if chosen[i], err = f.place(near, preferred, others, string(runes[p.from:p.to])); err != nil {
				return nil, err
			}
		} else {
			near = chosen[i].face
		}
	}
	return newTypeface(runes, parts, chosen), nil
}

// candidates returns the faces that are preferred, one by one, and all others of this machine.
func (f *fonts) candidates(files fs.FS, asked string) (preferred []*face, others []fontFile, err error) {
	builtIn, found, err := f.library()
	if err != nil {
		return nil, nil, err
	}
	own, err := f.asked(files, asked)
	if err != nil {
		return nil, nil, err
	}
	if own != nil {
		preferred = append(preferred, own)
	}
	wanted, err := f.wanted(found)
	if err != nil {
		return nil, nil, err
	}
	if wanted != nil {
		preferred = append(preferred, wanted)
	}
	return append(preferred, builtIn), found, nil
}

// wanted returns the face that suits the templates, nil if it is not here.
func (f *fonts) wanted(found []fontFile) (*face, error) {
	for _, o := range found {
		// The regular one: it is made bolder, which also rounds it.
		if o.family == wantedFamily && o.aspect.Weight < font.WeightSemibold && o.aspect.Style != font.StyleItalic {
			if t, err := f.open(o); t != nil || err != nil {
				return t, err
			}
		}
	}
	return nil, nil
}

// asked returns the face that a caption asks for, whatever letters it has, nil if it is not there: a file of the
// template's folder, or of a family of this machine the upright bold face.
func (f *fonts) asked(files fs.FS, asked string) (*face, error) {
	if folder, ok := files.(*fontFolder); ok && isFontFile(asked) {
		return folder.faces[asked], nil
	}
	_, found, err := f.library()
	if err != nil {
		return nil, err
	}
	family := font.NormalizeFamily(asked)
	for _, o := range found { // the other faces of its family have no more letters
		if o.family == family && family != "" {
			if t, err := f.open(o); t != nil || err != nil {
				return t, err
			}
		}
	}
	return nil, nil
}

// fontFolder is a template's folder with the fonts in it, which are parsed once.
type fontFolder struct {
	fs.FS
	faces map[string]*face
}

// isFontFile tells the name of a file from that of a family.
func isFontFile(asked string) bool {
	switch strings.ToLower(path.Ext(asked)) {
	case ".ttf", ".otf", ".ttc":
		return true
	}
	return false
}

// cutParts cuts a text in Normalization Form C into parts.
func cutParts(text []rune) (parts []part) {
	for i, r := range text {
		script := language.LookupScript(r)
		if !script.Strong() {
			script = language.Common
		}
		if n := len(parts); n > 0 {
			last := &parts[n-1]
			switch {
			case unicode.Is(unicode.M, r), r == '\u200d', r == '\u200c', // belongs to the letter before it
				script == last.script && script != language.Common && joins(text[i-1]) && joins(r):
				last.to = i + 1
				continue
			}
		}
		if unicode.Is(unicode.M, r) {
			script = language.Latin // a mark without a letter is drawn as if it had one
		}
		parts = append(parts, part{i, i + 1, script})
	}
	return parts
}

// mainFace returns the face for the letters of one script in a text: the first of the preferred faces that has all of
// them or almost all, else the first other one that has all. It is nil if there is none.
func (f *fonts) mainFace(preferred []*face, others []fontFile, text []rune, parts []part,
	script language.Script) (*face, error) {
	var letters []string
	for _, p := range parts {
		if p.script == script {
			letters = append(letters, string(text[p.from:p.to]))
		}
	}
	missing := func(t *face) (n int) {
		for _, s := range letters {
			if !t.covers(s) {
				n++
			}
		}
		return n
	}
	for _, t := range preferred {
		// A letter from another face is better than another face for all; several of them are not.
		if n := missing(t); n <= max(1, len(letters)/6) && 2*n < len(letters) {
			return t, nil
		}
	}
	return f.search(others, strings.Join(letters, ""), func(t *face) bool { return missing(t) == 0 })
}

// search returns the first face of this machine that has the runes of a text and suits, nil if there is none.
func (f *fonts) search(others []fontFile, text string, suits func(*face) bool) (*face, error) {
	for _, o := range others {
		if !coversRunes(o, text) {
			continue
		}
		t, err := f.open(o)
		if err != nil {
			return nil, err
		}
		if t != nil && suits(t) {
			return t, nil
		}
	}
	return nil, nil
}

// place returns the face that draws a part of a text: the main one if it can, also by a sign that looks the same, else
// the first other one.
func (f *fonts) place(main *face, preferred []*face, others []fontFile, text string) (placed, error) {
	forms := append([]string{text}, lookAlikes[text]...)
	if invisible(text) {
		if main == nil {
			main = preferred[0]
		}
		return placed{main, text}, nil // shaping knows what to do with it, whatever the font has
	}
	for _, form := range forms {
		if main != nil && main.covers(form) {
			return placed{main, form}, nil
		}
	}
	for _, form := range forms {
		for _, t := range preferred {
			if t.covers(form) {
				return placed{t, form}, nil
			}
		}
		t, err := f.search(others, form, func(t *face) bool { return t.covers(form) })
		if t != nil || err != nil {
			return placed{t, form}, err
		}
	}
	return placed{}, ErrCannotDraw
}

// lookAlikes are signs of names that few fonts have, and what nobody can tell from them.
var lookAlikes = map[string][]string{
	"\u2010": {"-"}, "\u2011": {"-"}, "\u05be": {"-"}, "\u2013": {"-"}, "\u2212": {"-"},
	"\u02bb": {"‘", "'"}, "\u02bc": {"’", "'"}, "\u02b9": {"’", "'"}, "\u02bf": {"‘", "'"}, "\u02be": {"’", "'"},
	"\u2018": {"'"}, "\u2019": {"'"}, "`": {"‘", "'"}, "\u00b4": {"’", "'"}, "\u05f3": {"'"},
	"\uff07": {"'"}, "\u2032": {"'"},
	"\u30fb": {"·"}, "\u2027": {"·"}, "\u00a0": {" "}, "\u202f": {" "},
}

// invisible reports whether a text is nothing but signs that are never drawn, such as U+200E.
func invisible(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.In(r, unicode.Cf, unicode.Variation_Selector) })
}

// newTypeface remembers which faces a text needs, and which of its parts the first one does not draw as they are.
func newTypeface(text []rune, parts []part, chosen []placed) *typeface {
	t := &typeface{parts: map[string]placed{}}
	// The face of the first letter leads: what else may have to be drawn, such as a line's last hyphen, is up to it.
	lead := slices.IndexFunc(parts, func(p part) bool { return p.script != language.Common })
	t.faces = append(t.faces, chosen[max(0, lead)].face)
	h := sha256.New()
	h.Write(t.faces[0].sum[:])
	for i, p := range parts {
		if s := string(text[p.from:p.to]); chosen[i] != (placed{t.faces[0], s}) {
			t.parts[s] = chosen[i]
			h.Write(chosen[i].face.sum[:])
			h.Write([]byte(chosen[i].text))
		}
	}
	h.Sum(t.sum[:0])
	return t
}

// faced is a text in Normalization Form C, with the signs that stand in for others, and the face of each rune.
func (t *typeface) faced(text string) (runes []rune, faces []*face) {
	whole := []rune(norm.NFC.String(text))
	for _, p := range cutParts(whole) {
		c, known := t.parts[string(whole[p.from:p.to])]
		if !known {
			c = placed{t.closest(whole[p.from:p.to]), string(whole[p.from:p.to])}
		}
		for _, r := range c.text {
			runes, faces = append(runes, r), append(faces, c.face)
		}
	}
	return runes, faces
}

// closest is the face of a part that was not there when the faces were chosen: half of a word that was too long for one
// line is drawn as that word.
func (t *typeface) closest(text []rune) *face {
	s := string(text)
	for whole, c := range t.parts {
		if strings.Contains(whole, s) && !t.faces[0].covers(s) {
			return c.face
		}
	}
	return t.faces[0]
}

func coversRunes(f fontFile, text string) bool {
	for _, r := range text {
		if f.runes.Contains(r) || unicode.Is(unicode.Cf, r) {
			continue
		}
		for _, apart := range norm.NFD.String(string(r)) {
			if apart == r || !f.runes.Contains(apart) {
				return false
			}
		}
	}
	return true
}
