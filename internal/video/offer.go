// The templates that a user or an admin may choose from.

package video

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// Offer is a template that people may choose.
type Offer struct {
	ID    string                   // at most 32 of a–z, 0–9 and hyphen: it travels in a button
	Title func(lang string) string // what the button says; only asked for where there is a choice
	Order string                   // what orders say: of a template with versions the current one, "spring@2"; "": the id
}

// Template is what an order for the offer says.
func (o Offer) Template() string { return cmp.Or(o.Order, o.ID) }

// Offers are the templates that people may choose from. They may change while the program runs.
type Offers struct{ list atomic.Pointer[[]Offer] }

// NewOffers returns a choice of templates, at least one.
func NewOffers(list ...Offer) *Offers {
	o := &Offers{}
	o.Set(list)
	return o
}

// List returns the templates, the one for orders that name none first. Nobody changes the list.
func (o *Offers) List() []Offer { return *o.list.Load() }

// Set changes what is offered.
func (o *Offers) Set(list []Offer) {
	list = slices.Clone(list)
	o.list.Store(&list)
}

// Find returns an offer by the id of its template, or by that of one of its versions.
func (o *Offers) Find(id string) (Offer, bool) {
	id, _ = splitVersion(id)
	list := o.List()
	i := slices.IndexFunc(list, func(o Offer) bool { return o.ID == id })
	if i < 0 {
		return Offer{}, false
	}
	return list[i], true
}

// TitleOf returns the title of a template. It is the id if the template is no longer offered, and if it has no title:
// Telegram refuses a button without a text. All versions of a template have its title.
func TitleOf(offers []Offer, id, language string) string {
	id, _ = splitVersion(id)
	if i := slices.IndexFunc(offers, func(o Offer) bool { return o.ID == id }); i >= 0 {
		if title := offers[i].Title(language); title != "" {
			return title
		}
	}
	return id
}

// TemplateOf is the template of what orders call a version of it.
func TemplateOf(order string) string {
	id, _ := splitVersion(order)
	return id
}
