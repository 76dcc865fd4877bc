// Tests of the page of videos in advance: which lines of a list are made, and what is said of the others.

package desk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"retake.example/internal/video"
)

// newAdvanceRig is a desk that cannot draw the letter ꙮ and has one rude word.
func newAdvanceRig(t *testing.T) *rig {
	r := newRig(t)
	r.opts.Rude = []string{"дурак*"}
	r.opts.CanDraw = func(_, name string) error {
		if strings.Contains(name, "ꙮ") {
			return video.ErrCannotDraw
		}
		return nil
	}
	return r
}

const someNames = "\ufeffМаша\r\n\r\nДурак\nм\n  маша \nКоля2\nꙮля\nАнна-Мария\n"

func TestAdvance_ListTellsTheLinesThatAreRefused(t *testing.T) {
	r := newAdvanceRig(t)
	form := url.Values{"names": {someNames}, "lang": {"ru"}}.Encode()
	w := r.do(r.AddAdvance, sent{path: "/advance", body: form, json: true})
	var got struct {
		Success bool
		Outcome string
		Queued  int
		Refused []struct {
			Line          int
			Text, Message string
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if !got.Success || got.Outcome != "queued" || got.Queued != 2 || len(got.Refused) != 4 {
		t.Errorf("got %+v; want two names on the list and four lines refused", got)
	}
	for i, want := range []struct {
		line          int
		text, message string
	}{{3, "Дурак", "I can't put that word"}, {4, "м", "very short"}, {6, "Коля2", "digits"}, {7, "ꙮля", "draw"}} {
		if i < len(got.Refused) {
			b := got.Refused[i]
			if b.Line != want.line || b.Text != want.text || !strings.Contains(b.Message, want.message) {
				t.Errorf("got %+v; want %+v", b, want)
			}
		}
	}
	if n := r.number(`SELECT count(*) FROM advance WHERE creator = 8 AND lang = 'ru' AND name_key IN ('маша', 'анна-мария')`); n != 2 {
		t.Errorf("%d names are on the list; want Маша and Анна-Мария", n)
	}

	w = r.do(r.AddAdvance, sent{path: "/advance", body: form})
	for _, want := range []string{"Line 3, “Дурак”: I can", "2 were on the list already.", "2 to make",
		`<li>Маша</li>`, `<option value="ru" lang="ru" selected>`} {
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("got %d, %s; want %q", w.Code, w.Body, want)
		}
	}
}

func TestAdvance_WhatIsNoListIsRefused(t *testing.T) {
	r := newAdvanceRig(t)
	for body, message := range map[string]string{
		"":                           "There is no name in the list.",
		"names=+%0A%0A":              "There is no name in the list.",
		"names=Emma&lang=xx":         "That language is not offered.",
		"names=Emma&template=no-one": "That template is not offered.",
	} {
		w := r.do(r.AddAdvance, sent{path: "/advance", body: body, json: true})
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), message) {
			t.Errorf("%q: got %d, %s; want %q", body, w.Code, w.Body, message)
		}
	}
	if n := r.number(`SELECT count(*) FROM advance`); n != 0 {
		t.Errorf("%d names are on the list; want none", n)
	}
}

// asked adds a finished video that so many people have asked for.
func (r *rig) asked(name string, people int) {
	r.Helper()
	id := r.finished(8, name)
	r.mutate(`UPDATE assets SET origin = 'REQUEST', template = 'new-year', creator = NULL WHERE id = ?`, id)
	for user := range people {
		r.mutate(`INSERT INTO users (id, lang, created) VALUES (?, 'en', 0) ON CONFLICT DO NOTHING`, user+1)
		r.mutate(`INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished)
			VALUES (?1, ?2, ?1, 'COMPLETED', 0, 1)`, user+1, id)
	}
}

func TestAdvance_PopularNames(t *testing.T) {
	r := newAdvanceRig(t)
	r.asked("Маша", 10)
	r.asked("Дурак", 12) // the list of rude words is newer
	r.asked("Яна", 9)
	w := r.do(r.AddAdvance, sent{path: "/advance", body: "popular=yes", json: true})
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"queued":1,"ready":0`) {
		t.Errorf("got %d, %s; want one name", w.Code, w.Body)
	}
	if n := r.number(`SELECT count(*) FROM advance WHERE name_key = 'маша' AND template = 'new-year' AND lang = 'en'`); n != 1 {
		t.Error("Маша is not on the list")
	}
}

func TestAdvance_PageSaysWhatIsLeft(t *testing.T) {
	r := newAdvanceRig(t)
	var names []string
	for i := range 25 {
		names = append(names, "Анна-"+strings.Repeat("а", i+1))
	}
	r.do(r.AddAdvance, sent{path: "/advance", body: url.Values{"names": {strings.Join(names, "\n")}}.Encode()})
	r.mutate(`UPDATE assets SET advance = 1 WHERE id = ?`, r.finished(8, "Маша"))
	w := r.do(r.Advance, sent{method: http.MethodGet, path: "/advance"})
	for _, want := range []string{"25 to make", "1 is ready", "and 5 more", `<progress max="26" value="1"`, "/advance/stop",
		"/advance/withdraw"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("got %s; want %q", w.Body, want)
		}
	}
	w = r.do(r.Advance, sent{method: http.MethodGet, path: "/advance", json: true})
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || fmt.Sprint(got["waiting"], got["ready"]) != "25 1" {
		t.Errorf("got %s, %v; want 25 waiting and 1 ready", w.Body, err)
	}
	w = r.do(r.StopAdvance, sent{path: "/advance/stop"})
	if to := w.Header().Get("Location"); to != "/advance?notice=stopped" {
		t.Errorf("got sent to %q", to)
	}
	r.do(r.WithdrawAdvance, sent{path: "/advance/withdraw"})
	if n := r.number(`SELECT (SELECT count(*) FROM advance) + (SELECT count(*) FROM assets WHERE advance = 1)`); n != 0 {
		t.Errorf("%d are left; want none", n)
	}
}
