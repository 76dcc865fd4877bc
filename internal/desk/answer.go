// How requests are answered: in the reader's language, as a page, as JSON, or by leading to another page.

package desk

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"

	"retake.example/internal/lang"
)

// langCookie is the name of the cookie with the language that somebody chose.
const langCookie = "lang"

// sayIn says the messages of a language.
func sayIn(language string) Say {
	return func(id string, vars Vars) string { return lang.Say(language, id, vars) }
}

// languageOf is what the client reads: what was chosen on the page, or else what the browser prefers. Programs read
// English.
func languageOf(r *http.Request) string {
	if chosen, err := r.Cookie(langCookie); err == nil && slices.Contains(lang.Languages, chosen.Value) {
		return chosen.Value
	}
	return lang.Prefer(r.Header.Get("Accept-Language"), "en")
}

// sayTo says messages in the client's language.
func sayTo(r *http.Request) Say { return sayIn(languageOf(r)) }

// page answers with a page.
func (d *Desk) page(w http.ResponseWriter, r *http.Request, status int, name string, frame Frame, view any) error {
	b, err := d.pages.Fill(languageOf(r), name, Page{Frame: frame, View: view})
	if err != nil {
		return err
	}
	return writeFor(w, r, status, "text/html; charset=UTF-8", b)
}

// answer gives what a program and a page show alike: as JSON, or in the template.
func (d *Desk) answer(w http.ResponseWriter, r *http.Request, name string, frame Frame, view any) error {
	if WantsJSON(r) {
		return JSON(w, http.StatusOK, view)
	}
	frame.SignedIn, frame.Notice = true, Notice(sayTo(r), r.URL.Query())
	return d.page(w, r, http.StatusOK, name, frame, view)
}

// refuse answers a form with faults at its fields: with the page that it stands on, or as JSON.
func (d *Desk) refuse(w http.ResponseWriter, r *http.Request, e HTTPError, name, title string, view any,
	faults map[string]string) error {
	if WantsJSON(r) {
		return JSON(w, e.Status, map[string]any{"success": false,
			"error": map[string]any{"code": e.Code, "message": e.Words(r), "fields": faults}})
	}
	return d.page(w, r, e.Status, name, Frame{Title: title, SignedIn: true}, view)
}

// Done answers a form, or a program, whose request was granted. It leads back to the page that the form was sent from.
func Done(w http.ResponseWriter, r *http.Request, outcome, id string) error {
	return doneAt(w, r, Back(r, outcome), outcome, id)
}

// doneAt is Done for a form that leads to another page than the one it was sent from.
func doneAt(w http.ResponseWriter, r *http.Request, to, outcome, id string) error {
	if WantsJSON(r) {
		return JSON(w, http.StatusOK, struct {
			Success bool   `json:"success"`
			Outcome string `json:"outcome"`
			ID      string `json:"id,omitzero"`
		}{true, outcome, id})
	}
	return redirect(w, to)
}

// JSON answers a program.
func JSON(w http.ResponseWriter, status int, view any) error {
	var b bytes.Buffer // an answer that cannot be written is an error, not half an answer
	if err := json.NewEncoder(&b).Encode(view); err != nil {
		return err
	}
	return write(w, status, "application/json", b.Bytes())
}

// redirect leads a browser to another page.
func redirect(w http.ResponseWriter, to string) error {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

func write(w http.ResponseWriter, status int, kind string, b []byte) error {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, err := w.Write(b)
	return err
}
