// Tests of the page on which owners change what the bot says.

package desk

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"retake.example/internal/lang"
)

// change sends the form of a text.
func (r *rig) change(key string, json bool, fields ...string) (int, string) {
	r.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	w := r.do(func(w http.ResponseWriter, q *http.Request) error {
		q.SetPathValue("key", key)
		return r.ChangeText(w, q)
	},
		sent{path: "/texts/" + key, body: form.Encode(), json: json})
	return w.Code, w.Body.String()
}

func (r *rig) text(key, query string) string {
	r.Helper()
	return r.do(func(w http.ResponseWriter, q *http.Request) error { q.SetPathValue("key", key); return r.Text(w, q) },
		sent{method: "GET", path: "/texts/" + key + query}).Body.String()
}

func newTextRig(t *testing.T) *rig {
	r := newRig(t)
	t.Cleanup(func() { lang.Change(nil) })
	return r
}

func TestTexts_AChangeIsSaidAtOnceAndAfterAStart(t *testing.T) {
	r := newTextRig(t)
	before := lang.Say("ru", "confirm", lang.Vars{"Name": "Ева"})
	if code, body := r.change("confirm", false, "lang", "ru", "text_other", "  {{ .Name }}?\r\nДелаем? ", "version", "0"); code != 303 {
		t.Fatalf("got %d %s", code, body)
	}
	want := "Ева?\nДелаем?"
	if got := lang.Say("ru", "confirm", lang.Vars{"Name": "Ева"}); got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	lang.Change(nil) // another process
	if err := LoadTexts(t.Context(), r.store, r.Desk.log); err != nil {
		t.Fatal(err)
	}
	if got := lang.Say("ru", "confirm", lang.Vars{"Name": "Ева"}); got != want {
		t.Errorf("got %q after a start; want %q", got, want)
	}
	if got := lang.Say("en", "confirm", lang.Vars{"Name": "Ева"}); strings.Contains(got, "Делаем") {
		t.Errorf("got %q in English; want that it stays", got)
	}
	if n := r.number(`SELECT count(*) FROM audit WHERE action = 'change text' AND outcome = 'confirm (ru)' AND admin = 8
		AND NOT EXISTS (SELECT 1 FROM audit WHERE outcome LIKE '%Делаем%')`); n != 1 {
		t.Errorf("got %d lines of activity; want one, without the words", n)
	}
	if code, _ := r.change("confirm", false, "lang", "ru", "do", "reset"); code != 303 {
		t.Errorf("got %d for the reset", code)
	}
	if got := lang.Say("ru", "confirm", lang.Vars{"Name": "Ева"}); got != before {
		t.Errorf("got %q; want the default again", got)
	}
	if n := r.number(`SELECT count(*) FROM texts`); n != 0 {
		t.Errorf("got %d rows; want none", n)
	}
}

func TestTexts_WhatIsRefusedStaysInTheFieldWithTheReasonBesideIt(t *testing.T) {
	r := newTextRig(t)
	typed := "Making it for <b>you</b> \"now\""
	code, page := r.change("confirm", false, "lang", "en", "text_other", typed)
	if code != 422 || !strings.Contains(page, "Making it for &lt;b&gt;you&lt;/b&gt; &#34;now&#34;</textarea>") ||
		!strings.Contains(page, `id="text_other-fault"`) || !strings.Contains(page, "{{.Name}} is missing") {
		t.Errorf("got %d %s; want what was typed and why it is refused", code, page)
	}
	if got := lang.Say("en", "confirm", lang.Vars{"Name": "Eva"}); got != "Make a video for “Eva”?" {
		t.Errorf("got %q; want the default", got)
	}
	code, body := r.change("limit_open", true, "lang", "en", "text_one", "{{.Count}} {{.Age}}", "text_other", "")
	var answer struct {
		Success bool
		Error   struct {
			Code   string
			Fields map[string]string
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != 422 || answer.Error.Code != "INVALID" ||
		!strings.Contains(answer.Error.Fields["text_one"], "{{.Age}}") || answer.Error.Fields["text_other"] == "" {
		t.Errorf("got %d %s; want the reason at each field", code, body)
	}
	if n := r.number(`SELECT count(*) FROM texts`); n != 0 {
		t.Errorf("got %d rows; want none", n)
	}
}

func TestTexts_APreviewFillsEachFormAndSavesNothing(t *testing.T) {
	r := newTextRig(t)
	code, page := r.change("limit_open", false, "lang", "ru", "do", "preview", "text_one", "Уже {{.Count}} штука",
		"text_few", "Уже {{.Count}} штуки", "text_many", "Уже {{.Count}} штук")
	for _, want := range []string{">Уже 1 штука<", ">Уже 2 штуки<", ">Уже 5 штук<", "1, 21, 31"} {
		if !strings.Contains(page, want) {
			t.Errorf("got %d %s; want %s", code, page, want)
		}
	}
	if n := r.number(`SELECT count(*) FROM texts`); n != 0 {
		t.Errorf("got %d rows; want none", n)
	}
}

func TestTexts_TwoOwnersDoNotOverwriteEachOther(t *testing.T) {
	r := newTextRig(t)
	if code, body := r.change("done", false, "lang", "en", "text_other", "First", "version", "0"); code != 303 {
		t.Fatalf("got %d %s", code, body)
	}
	code, page := r.change("done", false, "lang", "en", "text_other", "Second", "version", "0")
	if code != 409 || !strings.Contains(page, "Second</textarea>") || lang.Say("en", "done", nil) != "First" {
		t.Fatalf("got %d %s; want that the first stays and the second is still in the field", code, page)
	}
	_, version, _ := strings.Cut(page, `name="version" value="`)
	version, _, _ = strings.Cut(version, `"`)
	if code, body := r.change("done", false, "lang", "en", "text_other", "Second", "version", version); code != 303 ||
		lang.Say("en", "done", nil) != "Second" {
		t.Errorf("got %d %s; want that the second can still be saved", code, body)
	}
}

func TestTexts_TheListFindsAndTellsWhatIsSetAside(t *testing.T) {
	r := newTextRig(t)
	r.mutate(`INSERT INTO texts (lang, key, form, text, changed, admin) VALUES ('en', 'confirm', 'other', 'For {{.Child}}?', 1, 8),
		('en', 'text_of_old', 'other', 'Bye', 1, 8), ('en', 'done', 'other', 'Voilà', 1, 8)`)
	if err := LoadTexts(t.Context(), r.store, r.Desk.log); err != nil {
		t.Fatal(err)
	}
	if got := lang.Say("en", "confirm", lang.Vars{"Name": "Eva"}); got != "Make a video for “Eva”?" {
		t.Errorf("got %q; want the default in the place of what no longer fits", got)
	}
	list := r.do(r.Texts, sent{method: "GET", path: "/texts"}).Body.String()
	for _, want := range []string{"For {{.Child}}?", "There is no variable {{.Child}} here", "Bye", "no such text any more", "Voilà"} {
		if !strings.Contains(list, want) {
			t.Errorf("got %s; want %q", list, want)
		}
	}
	if page := r.text("confirm", "?lang=en"); !strings.Contains(page, "For {{.Child}}?</textarea>") ||
		!strings.Contains(page, "kept but not used") || !strings.Contains(page, "There is no variable") {
		t.Errorf("got %s; want the text that is kept and why it isn't used", page)
	}
	if code, _ := r.change("text_of_old", false, "lang", "en", "do", "reset"); code != 303 ||
		r.number(`SELECT count(*) FROM texts WHERE key = 'text_of_old'`) != 0 {
		t.Errorf("got %d; want that the text of old is forgotten", code)
	}
	found := r.do(r.Texts, sent{method: "GET", path: "/texts?lang=en&q=VOIL%C3%80"}).Body.String()
	if !strings.Contains(found, `href="/texts/done?lang=en"`) || strings.Contains(found, `href="/texts/caption?`) {
		t.Errorf("got %s; want the one text that has it", found)
	}
	var answer Texts
	if err := json.Unmarshal(r.do(r.Texts, sent{method: "GET", path: "/texts?lang=ru", json: true}).Body.Bytes(), &answer); err != nil ||
		len(answer.List) != len(lang.Texts()) || len(answer.Aside) != 1 || answer.Lang != "ru" {
		t.Errorf("got %+v, %v; want every text, and what is set aside", answer, err)
	}
}

func TestTexts_ACommandsTextRenewsTheMenus(t *testing.T) {
	r := newTextRig(t)
	renewed := 0
	r.opts.RenewMenus = func() { renewed++ }
	r.change("command_new", false, "lang", "en", "text_other", "A new greeting")
	r.change("done", false, "lang", "en", "text_other", "Voilà")
	if renewed != 1 {
		t.Errorf("got menus renewed %d times; want once", renewed)
	}
}
