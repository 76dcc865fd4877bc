// The texts of the bot: their list, and the page on which an owner changes one. A change is said from the next message
// on.

package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
)

// Texts is the list.
type Texts struct {
	Success   bool           `json:"success"`
	Lang      string         `json:"lang"` // of the texts
	Query     string         `json:"-"`
	Subjects  []TextSubject  `json:"-"`
	List      []Text         `json:"texts"`
	Aside     []TextAside    `json:"set_aside,omitempty"` // in every language
	Languages []TextLanguage `json:"-"`
}

// TextLanguage is a language of the bot with the address of its list.
type TextLanguage struct {
	Language
	Address string
	Changed int // how many texts are
}

// TextSubject is a group of the list.
type TextSubject struct {
	Title string
	Texts []Text
}

// Text is a text of the bot.
type Text struct {
	Key     string            `json:"key"`
	Subject string            `json:"subject"`
	Kind    lang.Kind         `json:"kind"`
	Vars    []string          `json:"variables,omitempty"`
	Room    int               `json:"room"` // characters, with the variables as long as they can be
	Changed bool              `json:"changed"`
	Default map[string]string `json:"default"` // by plural form
	Said    map[string]string `json:"text"`    // what is said now
}

// First is the beginning of what is said, for the list.
func (t Text) First(language string) string {
	return t.Said[lang.TextOf(t.Key).Forms(language)[0]]
}

// textSubjects and textKinds are the messages that name them.
var (
	textSubjects = map[string]string{"start": "texts_start", "names": "texts_names", "progress": "texts_progress",
		"video": "texts_video", "failure": "texts_failure", "status": "texts_status", "limits": "texts_limits",
		"language": "texts_language", "privacy": "texts_privacy", "commands": "texts_commands",
		"news": "texts_news", "admins": "texts_admins"}
	textKinds = map[lang.Kind]string{lang.Message: "text_kind_message", lang.Caption: "text_kind_caption",
		lang.Button: "text_kind_button", lang.Toast: "text_kind_toast", lang.Command: "text_kind_command"}
)

// Where says in a message where Telegram shows the text.
func (t Text) Where() string { return textKinds[t.Kind] }

// TextAside is a changed text that is not said because it no longer fits.
type TextAside struct {
	Lang    string            `json:"lang"`
	Key     string            `json:"key"`
	Said    map[string]string `json:"text"`
	Problem string            `json:"problem"`
	Gone    bool              `json:"gone,omitzero"` // there is no such text any more
}

// textsMu keeps two changes from putting an older state in the place of a newer one.
var textsMu sync.Mutex

// LoadTexts has the bot say the texts that owners have changed. Those that don't fit are set aside: the default is
// said.
func LoadTexts(ctx context.Context, st *store.Store, log *slog.Logger) error {
	textsMu.Lock()
	defer textsMu.Unlock()
	all, err := st.Texts(ctx)
	if err != nil {
		return fmt.Errorf("read the changed texts: %w", err)
	}
	for _, a := range lang.Change(changedTexts(all)) {
		log.Warn("a changed text no longer fits: the default is used", "key", a.Key, "lang", a.Lang, "why", a.Fault.ID)
	}
	return nil
}

func changedTexts(all []store.Text) (texts []lang.Changed) {
	for _, t := range all {
		texts = append(texts, lang.Changed{Lang: t.Lang, Key: t.Key, Forms: t.Forms})
	}
	return texts
}

// textLang is the language of the texts that a request is about.
func textLang(r *http.Request, asked string) (string, error) {
	if asked == "" {
		asked = languageOf(r)
	}
	if !slices.Contains(lang.Languages, asked) {
		return "", Invalid("error_language", Vars{"Offered": strings.Join(lang.Languages, ", ")})
	}
	return asked, nil
}

// Texts answers with the list.
func (d *Desk) Texts(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	language, err := textLang(r, q.Get("lang"))
	if err != nil {
		return err
	}
	all, err := d.store.Texts(r.Context())
	if err != nil {
		return fmt.Errorf("texts: %w", err)
	}
	say := sayTo(r)
	view := Texts{Success: true, Lang: language, Query: strings.TrimSpace(q.Get("q")), List: []Text{},
		Aside: asideOf(say, all)}
	for _, l := range lang.Languages {
		view.Languages = append(view.Languages, TextLanguage{Language{l, languageName(l)},
			Address("/texts", "lang", l, "q", view.Query), changedIn(l)})
	}
	for _, id := range lang.Subjects() {
		subject := TextSubject{Title: say(textSubjects[id], nil)}
		for _, t := range lang.Texts() {
			if t.Subject != id {
				continue
			}
			if one := newText(t, language); one.matches(view.Query) {
				subject.Texts = append(subject.Texts, one)
			}
		}
		if view.List = append(view.List, subject.Texts...); len(subject.Texts) > 0 {
			view.Subjects = append(view.Subjects, subject)
		}
	}
	return d.answer(w, r, "texts", Frame{Title: say("texts", nil), Here: "/settings"}, view)
}

func newText(t *lang.Text, language string) Text {
	said, changed := t.Said(language)
	return Text{Key: t.Key, Subject: t.Subject, Kind: t.Kind, Vars: t.Vars, Room: t.Room(language), Changed: changed,
		Default: t.Default(language), Said: said}
}

// matches reports whether the text, or what it is called, holds what somebody looks for.
func (t Text) matches(query string) bool {
	query = strings.ToLower(query)
	for _, text := range slices.Concat([]string{t.Key}, slices.Collect(maps.Values(t.Said)),
		slices.Collect(maps.Values(t.Default))) {
		if strings.Contains(strings.ToLower(text), query) {
			return true
		}
	}
	return false
}

func changedIn(language string) (n int) {
	for _, t := range lang.Texts() {
		if _, changed := t.Said(language); changed {
			n++
		}
	}
	return n
}

// asideOf lists the changed texts that are not said.
func asideOf(say Say, all []store.Text) (aside []TextAside) {
	for _, t := range all {
		known := lang.TextOf(t.Key)
		gone := known == nil || known.Forms(t.Lang) == nil
		if !gone {
			if _, changed := known.Said(t.Lang); changed {
				continue
			}
		}
		problem := ""
		if faults := lang.Check(lang.Changed{Lang: t.Lang, Key: t.Key, Forms: t.Forms}); len(faults) > 0 {
			problem = say(faults[0].ID, faults[0].Vars)
		}
		aside = append(aside, TextAside{Lang: t.Lang, Key: t.Key, Said: t.Forms, Problem: problem, Gone: gone})
	}
	return aside
}

// ---- one text

// TextForm is the page of one text.
type TextForm struct {
	Success bool `json:"success"`
	Text
	Lang      string         `json:"lang"`
	Version   string         `json:"version"` // of what is kept: a form carries it
	Fields    []TextField    `json:"forms"`
	Faulty    bool           `json:"-"`
	Conflict  bool           `json:"-"` // somebody else has changed it since the page was opened
	Aside     bool           `json:"-"` // what is kept is not said
	Unsaved   bool           `json:"-"` // the fields hold something else than what is kept
	Languages []TextLanguage `json:"-"`
}

// TextField is the field of one form.
type TextField struct {
	Form    string         `json:"form"`
	Numbers string         `json:"numbers,omitzero"` // that it is for; "": there is one form only
	Value   string         `json:"text"`
	Bubble  string         `json:"preview"`
	N       int            `json:"characters"` // with the variables as long as they can be
	Fault   string         `json:"fault,omitzero"`
	Default string         `json:"-"`
	Samples map[string]any `json:"-"`
}

// Name is what the field is called in the form.
func (f TextField) Name() string { return "text_" + f.Form }

// Variables are the texts for the variables that the page shows, in their order.
func (f TextForm) Variables() (all []Pair) {
	for _, name := range f.Vars {
		all = append(all, Pair{"{{." + name + "}}", fmt.Sprint(f.Fields[0].Samples[name])})
	}
	return all
}

// Longest is for the script that counts.
func (f TextForm) Longest() map[string]int { return lang.TextOf(f.Key).Longest() }

// Rows is how high a field is.
func (f TextForm) Rows(field TextField) int {
	return min(12, max(2, 1+len(field.Value)/90+strings.Count(field.Value, "\n")))
}

// newTextForm makes the page with the texts of its fields.
func newTextForm(say Say, t *lang.Text, language string, kept *store.Text, typed map[string]string) TextForm {
	f := TextForm{Success: true, Text: newText(t, language), Lang: language, Version: "0"}
	values := f.Said
	if kept != nil {
		f.Version, f.Aside = strconv.FormatInt(kept.Changed.UnixMilli(), 10), !f.Changed
		values = kept.Forms
	}
	if typed != nil {
		f.Unsaved = !maps.Equal(typed, values)
		values = typed
	}
	faults := map[string]lang.Fault{}
	if typed != nil || f.Aside {
		for _, fault := range lang.Check(lang.Changed{Lang: language, Key: t.Key, Forms: values}) {
			faults[fault.Form] = fault
		}
	}
	for _, l := range lang.Languages {
		f.Languages = append(f.Languages, TextLanguage{Language: Language{l, languageName(l)},
			Address: Address("/texts/"+t.Key, "lang", l)})
	}
	forms := t.Forms(language)
	for _, form := range forms {
		field := TextField{Form: form, Value: values[form], Bubble: t.Preview(language, form, values[form]),
			N: t.Filled(values[form]), Default: f.Default[form], Samples: t.Sample(language, form)}
		if len(forms) > 1 {
			field.Numbers = strings.Trim(fmt.Sprint(lang.Numbers(language, form)), "[]")
			field.Numbers = strings.ReplaceAll(field.Numbers, " ", ", ")
		}
		if fault, ok := faults[form]; ok {
			field.Fault, f.Faulty = say(fault.ID, fault.Vars), true
		}
		f.Fields = append(f.Fields, field)
	}
	return f
}

// keptText returns what is kept of a text; nil: nothing.
func (d *Desk) keptText(ctx context.Context, language, key string) (*store.Text, error) {
	all, err := d.store.Texts(ctx)
	if err != nil {
		return nil, fmt.Errorf("texts: %w", err)
	}
	for _, t := range all {
		if t.Lang == language && t.Key == key {
			return &t, nil
		}
	}
	return nil, nil
}

func textFrame(r *http.Request, key string) Frame {
	return Frame{Title: sayTo(r)("text_title", Vars{"Key": key}), SignedIn: true, Here: "/settings"}
}

// Text answers with the page of one text.
func (d *Desk) Text(w http.ResponseWriter, r *http.Request) error {
	t := lang.TextOf(r.PathValue("key"))
	if t == nil {
		return NotFound
	}
	language, err := textLang(r, r.URL.Query().Get("lang"))
	if err != nil {
		return err
	}
	kept, err := d.keptText(r.Context(), language, t.Key)
	if err != nil {
		return err
	}
	return d.answer(w, r, "text", textFrame(r, t.Key), newTextForm(sayTo(r), t, language, kept, nil))
}

// ChangeText keeps a text, shows how it looks, or brings the default back.
func (d *Desk) ChangeText(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	key := r.PathValue("key")
	if sent["do"] == "reset" { // what is kept may be of a text, or a language, that is gone
		return d.resetText(w, r, sent["lang"], key)
	}
	t := lang.TextOf(key)
	if t == nil {
		return NotFound
	}
	language, err := textLang(r, sent["lang"])
	if err != nil {
		return err
	}
	kept, err := d.keptText(r.Context(), language, key)
	if err != nil {
		return err
	}
	typed := map[string]string{}
	for _, form := range t.Forms(language) {
		typed[form] = lang.Tidy(sent["text_"+form])
	}
	view := newTextForm(sayTo(r), t, language, kept, typed)
	switch {
	case sent["do"] == "preview" && WantsJSON(r):
		return JSON(w, http.StatusOK, view)
	case sent["do"] == "preview":
		return d.page(w, r, http.StatusOK, "text", textFrame(r, key), view)
	case view.Faulty:
		faults := map[string]string{}
		for _, f := range view.Fields {
			if f.Fault != "" {
				faults[f.Name()] = f.Fault
			}
		}
		return d.refuse(w, r, Invalid("error_fields", nil), "text", textFrame(r, key).Title, view, faults)
	case maps.Equal(typed, t.Default(language)):
		return d.resetText(w, r, language, key)
	}
	seen := time.Time{}
	if sent["version"] == "" && kept != nil { // a program that does not say what it has seen
		seen = kept.Changed
	} else if ms, _ := strconv.ParseInt(sent["version"], 10, 64); ms > 0 {
		seen = store.Moment(ms)
	}
	admin := AdminOf(r)
	err = d.store.Tx(r.Context(), func(tx *store.Tx) error {
		return tx.ChangeText(language, key, typed, seen, admin.ID)
	})
	if errors.Is(err, store.ErrConflict) {
		view.Conflict = true
		return d.refuse(w, r, Conflict, "text", textFrame(r, key).Title, view, nil)
	} else if err != nil {
		return fmt.Errorf("change a text: %w", err)
	}
	return d.textChanged(w, r, language, key, "saved")
}

// resetText brings the default back.
func (d *Desk) resetText(w http.ResponseWriter, r *http.Request, language, key string) error {
	admin := AdminOf(r)
	err := d.store.Tx(r.Context(), func(tx *store.Tx) error { return tx.ResetText(language, key, admin.ID) })
	if err != nil && !errors.Is(err, store.ErrNotFound) { // then it is as it should be
		return fmt.Errorf("reset a text: %w", err)
	}
	return d.textChanged(w, r, language, key, "text-reset")
}

// textChanged has the change said and answers.
func (d *Desk) textChanged(w http.ResponseWriter, r *http.Request, language, key, outcome string) error {
	if err := LoadTexts(d.ctx, d.store, d.log); err != nil {
		return err
	}
	if strings.HasPrefix(key, "command_") && d.opts.RenewMenus != nil {
		d.opts.RenewMenus()
	}
	to := "/texts/" + key
	if lang.TextOf(key) == nil || !slices.Contains(lang.Languages, language) {
		to, language = "/texts", ""
	}
	return doneAt(w, r, Address(to, "lang", language, "notice", outcome), outcome, "")
}
