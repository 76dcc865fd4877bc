// The templates that a user or an admin may choose from.

package video

import (
	"io/fs"
	"os"
	"path"
	"slices"
)

// Offer is a template that people may choose.
type Offer struct {
	ID    string                   // at most 32 of a–z, 0–9 and hyphen: it travels in a button
	Title func(lang string) string // what the button says; only asked for where there is a choice
}

// TitleOf returns the title of a template. It is the id if the template is no longer offered, and if it has no title:
// Telegram refuses a button without a text.
func TitleOf(offers []Offer, id, language string) string {
	if i := slices.IndexFunc(offers, func(o Offer) bool { return o.ID == id }); i >= 0 {
		if title := offers[i].Title(language); title != "" {
			return title
		}
	}
	return id
}

// Available lists the templates that could be offered: those built in, and those in the operator's folder that have no
// fault. Another engine than the template's knows only those that the settings name.
func (m *Maker) Available() (all []Offer) {
	ids := m.cfg.Offered
	if m.draws() {
		names, _ := fs.Glob(builtIn, "templates/*/"+designFile)
		if m.cfg.Templates != "" {
			own, _ := fs.Glob(os.DirFS(m.cfg.Templates), "*/"+designFile)
			names = append(names, own...)
		}
		for _, name := range names {
			ids = append(ids[:len(ids):len(ids)], path.Base(path.Dir(name)))
		}
	}
	for _, id := range ids {
		if slices.ContainsFunc(all, func(o Offer) bool { return o.ID == id }) {
			continue
		}
		if _, err := m.template(id); err == nil || !m.draws() {
			all = append(all, Offer{ID: id, Title: func(lang string) string { return m.Title(id, lang) }})
		}
	}
	return all
}
