// Making a video on the page: a name, a template, and the video there is already if it will do.

package desk

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// MakeAsset makes a video with the name an admin typed, in the template and the language they picked, or finds the one
// there is.
func (d *Desk) MakeAsset(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	template, err := d.pick(sent["template"])
	if err != nil {
		return err
	}
	language := cmp.Or(sent["lang"], d.opts.Lang)
	if sent["lang"] != "" && !slices.Contains(lang.Languages, language) {
		return Invalid("error_language", Vars{"Offered": strings.Join(lang.Languages, ", ")})
	}
	named, problem, err := NameRules{CanDraw: d.opts.CanDraw}.Read(template, sent["name"])
	switch {
	case err != nil:
		return err
	case problem != "":
		return Invalid(problem, nil)
	}
	admin := AdminOf(r)
	var a store.Asset
	var grant store.Result
	err = d.store.Tx(r.Context(), func(tx *store.Tx) (err error) {
		order := store.Order{Admin: &admin.ID, Name: named.Name, Key: named.Key, Template: template, Lang: language}
		if a, grant, err = tx.ShareOrCreate(order, tx.Now().Add(-d.opts.ReuseFor)); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "make", AssetID: a.ID, Outcome: string(grant)})
	})
	if err != nil {
		return fmt.Errorf("make a video: %w", err)
	}
	return Done(w, r, string(grant), a.ID)
}

// pick returns what an order for an offered template says: for the first, unless one was asked for.
func (d *Desk) pick(id string) (string, error) {
	var ids []string
	for _, o := range d.opts.Offers.List() {
		if id == "" || video.TemplateOf(id) == o.ID {
			return o.Template(), nil
		}
		ids = append(ids, o.ID)
	}
	return "", Invalid("error_template", Vars{"Offered": strings.Join(ids, ", ")})
}
