// The templates that people may choose from, with their titles.

package video

import "slices"

// Offer is a template that people may choose.
type Offer struct {
	ID    string                   // at most 32 of a–z, 0–9 and hyphen: it travels in a button
	Title func(lang string) string // what the button says; not asked for while there is no choice
}

// TitleOf returns the title of a template. It returns the id of a template that is no longer offered or has no title, because
// Telegram refuses a button without a text.
func TitleOf(offers []Offer, id, language string) string {
	if i := slices.IndexFunc(offers, func(o Offer) bool { return o.ID == id }); i >= 0 {
		if title := offers[i].Title(language); title != "" {
			return title
		}
	}
	return id
}
