// The templates that a user or an admin may choose from.

package video

import "slices"

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
