// The bot's own page: its link and QR code to pass on, and what Telegram shows of it before anybody has written to it.

package desk

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
)

// Bot is the page.
type Bot struct {
	Success  bool              `json:"success"`
	Link     string            `json:"link"`
	Language string            `json:"language"` // of the texts; "": of everybody whose language has none
	Profile  telegram.Profile  `json:"profile"`
	Version  string            `json:"version"` // of the profile, as a form that changes it sends it back
	QR       template.HTML     `json:"-"`
	Owner    bool              `json:"-"`
	Tabs     []Tab             `json:"-"` // of the languages; Status is the code
	Faults   map[string]string `json:"-"` // by field
}

// BotUnreachable says that Telegram, which knows the texts, does not answer.
var BotUnreachable = HTTPError{http.StatusServiceUnavailable, "UNREACHABLE", "bot_unreachable", nil}

// Most is how many characters each text may have.
func (Bot) Most(field string) int {
	return map[string]int{"name": telegram.MaxName, "description": telegram.MaxDescription,
		"short_description": telegram.MaxShort}[field]
}

// BotPage answers with the page.
func (d *Desk) BotPage(w http.ResponseWriter, r *http.Request) error {
	view, err := d.botView(r, r.URL.Query().Get("lang"))
	if err != nil {
		return err
	}
	return d.answer(w, r, "bot", Frame{Title: sayTo(r)("title_bot", nil), Here: "/settings"}, view)
}

func (d *Desk) botView(r *http.Request, language string) (b Bot, err error) {
	say := sayTo(r)
	b = Bot{Success: true, Language: language, Owner: AdminOf(r).Owner}
	switch {
	case d.opts.Bot == nil:
		return b, HTTPError{http.StatusConflict, "NOT_SET_UP", "problem_bot_off", nil}
	case language != "" && !slices.Contains(lang.Languages, language):
		return b, Invalid("error_language", Vars{"Offered": strings.Join(lang.Languages, ", ")})
	}
	if b.Link = d.botLink(r.Context()); b.Link == "" {
		return b, BotUnreachable
	}
	if b.Profile, err = d.opts.Bot.Profile(r.Context(), language); err != nil {
		d.log.Warn("ask Telegram for the bot's texts", "err", err)
		return b, BotUnreachable
	}
	b.Version = fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q", b.Profile)))[:16]
	for _, l := range append([]string{""}, lang.Languages...) {
		label := say("bot_everybody", nil)
		if l != "" {
			label = languageName(l)
		}
		b.Tabs = append(b.Tabs, Tab{Status: l, Label: label, On: l == language})
	}
	b.QR, err = qrOf(r, b.Link)
	return b, err
}

// ChangeBot gives the bot other texts.
func (d *Desk) ChangeBot(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	view, err := d.botView(r, sent["lang"])
	if err != nil {
		return err
	}
	was := view.Profile
	view.Profile = telegram.Profile{Name: lang.Tidy(sent["name"]), Description: lang.Tidy(sent["description"]),
		Short: lang.Tidy(sent["short_description"])}
	if seen := sent["version"]; seen != "" && seen != view.Version { // somebody else has changed it since
		return d.refuse(w, r, Conflict, "bot", sayTo(r)("title_bot", nil), view, nil)
	}
	if view.Faults = botFaults(sayTo(r), view); len(view.Faults) > 0 {
		return d.refuse(w, r, Invalid("bot_texts_long", nil), "bot", sayTo(r)("title_bot", nil), view, view.Faults)
	}
	switch err := d.opts.Bot.SetProfile(d.ctx, view.Language, was, view.Profile); {
	case telegram.ClassOf(err) == telegram.Refused:
		return fmt.Errorf("%w: %w", HTTPError{http.StatusUnprocessableEntity, "REFUSED", "bot_refused", nil}, err)
	case telegram.ClassOf(err) == telegram.Wait:
		return fmt.Errorf("%w: %w", HTTPError{http.StatusTooManyRequests, "TOO_MANY", "bot_wait", nil}, err)
	case err != nil:
		return errors.Join(BotUnreachable, err)
	}
	admin := AdminOf(r)
	if err := d.store.Tx(d.ctx, func(tx *store.Tx) error {
		return tx.Note(store.Event{Admin: &admin.ID, Action: "bot"})
	}); err != nil {
		return fmt.Errorf("change the bot: %w", err)
	}
	return doneAt(w, r, Address("/bot", "lang", view.Language, "notice", "saved"), "saved", "")
}

// botFaults says which texts are too long, by field.
func botFaults(say Say, b Bot) map[string]string {
	faults := map[string]string{}
	for field, text := range map[string]string{"name": b.Profile.Name, "description": b.Profile.Description,
		"short_description": b.Profile.Short} {
		if n := lang.Units(text); n > b.Most(field) {
			faults[field] = say("bot_too_long", Vars{"N": b.Most(field)})
		}
	}
	return faults
}
