// Tests that work which was sent or committed does not end with the browser that asked for it.

package desk

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDesk_WhatWasSentGoesOnWhenTheBrowserLeaves(t *testing.T) {
	for name, c := range map[string]struct {
		handler func(r *rig) Handler
		sent    sent
		want    []string // calls
	}{
		"checking a channel": {func(r *rig) Handler { return r.CheckChannel }, sent{id: "1"}, []string{"check"}},
		"disconnecting a channel": {func(r *rig) Handler { return r.Disconnect }, sent{id: "1"},
			[]string{"disconnect"}},
		"connecting a channel": {func(r *rig) Handler { return r.Connected }, sent{method: "GET"},
			[]string{"answer"}},
		"updating a publication": {func(r *rig) Handler { return r.UpdatePublished }, sent{body: "platform=YOUTUBE"},
			[]string{"update"}},
		"marking one as published": {func(r *rig) Handler { return r.MarkPublished },
			sent{body: "platform=YOUTUBE&url=https://youtu.be/abc"}, []string{"mark"}},
		"taking one back": {func(r *rig) Handler { return r.Unpublish }, sent{body: "platform=RUMBLE"},
			[]string{"remove"}},
		"deleting a video permanently": {func(r *rig) Handler {
			id := r.finished(8, "Gone")
			r.do(r.Delete, sent{id: id})
			return func(w http.ResponseWriter, q *http.Request) error {
				q.Body = io.NopCloser(strings.NewReader("do=erase&id=" + id))
				return r.RestoreOrErase(w, q)
			}
		}, sent{}, []string{"discard"}},
		"sending what is held": {func(r *rig) Handler { return r.DecideHeld }, sent{body: "send=yes"},
			[]string{"resume"}},
		"saving and then trying again": {func(r *rig) Handler { return r.SaveMetadata },
			sent{body: "title=x&made_for_kids=no&retry=YOUTUBE"}, []string{"retry"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			id := r.finished(8, "Party")
			r.published(id, "YOUTUBE")
			r.published(id, "RUMBLE")
			r.mutate(`INSERT INTO inbox (update_id, chat_id, raw, received, restore_hold) VALUES (1, 1, '{}', 0, 1)`)
			browser, leave := context.WithCancel(t.Context())
			r.out.on = func(ctx context.Context, call string) error {
				leave()
				if ctx.Err() != nil {
					t.Errorf("%s ended with the browser; want it to go on", call)
				}
				return nil
			}
			c.sent.ctx = browser
			if c.sent.id == "" {
				c.sent.id = id
			}
			r.do(c.handler(r), c.sent)
			if !slices.Equal(r.out.calls, c.want) {
				t.Errorf("got the calls %q; want %q", r.out.calls, c.want)
			}
		})
	}
}

func TestDesk_WhatWasSentEndsWithTheProgram(t *testing.T) {
	program, stop := context.WithCancel(t.Context())
	r := newRigOf(t, program)
	ended := false
	r.out.on = func(ctx context.Context, _ string) error {
		stop()
		ended = ctx.Err() != nil
		return ctx.Err()
	}
	if r.do(r.CheckChannel, sent{id: "1"}); !ended {
		t.Error("a check goes on after the program has stopped; want it to end")
	}
}

func TestSignedIn_ReadingNeedsNoWrite(t *testing.T) {
	r := newRig(t)
	session := hashOf("secret")
	r.mutate(`INSERT INTO sessions (hash, admin, created, seen) VALUES (?1, 8, ?2, ?2)`,
		session[:], r.store.Now().Add(-2*time.Hour).UnixMilli())
	r.mutate(`CREATE TRIGGER full BEFORE UPDATE ON sessions BEGIN SELECT raise(ABORT, 'database or disk is full'); END`)
	for _, json := range []bool{false, true} {
		if w := r.signed("secret", r.Library, json); w.Code != 200 {
			t.Errorf("JSON %v: got %d %s; want the library", json, w.Code, w.Body)
		}
	}
	if r.log.Len() == 0 {
		t.Error("got an empty log; want the failure in it")
	}
	r.mutate(`DROP TRIGGER full`)
	if w := r.signed("secret", r.Library, false); len(w.Result().Cookies()) != 1 {
		t.Errorf("got cookies %v; want the session prolonged as soon as the disk has room", w.Result().Cookies())
	}
}
