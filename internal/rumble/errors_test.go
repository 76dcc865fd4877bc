// What each answer and each broken connection means.

package rumble

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// waits is how long an error asks to wait; 0: it asks for another attempt, or for nothing.
func waits(e *Error) time.Duration {
	if wait, yes := e.RetryAfter(); yes {
		return wait
	}
	return 0
}

func TestPublish_WhatCannotBeReachedIsAWait(t *testing.T) {
	dial := map[string]error{
		"refused":   &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"no name":   &net.DNSError{Err: "no such host", Name: "rumble.com", IsNotFound: true},
		"no route":  &net.OpError{Op: "dial", Err: syscall.ENETUNREACH},
		"timed out": &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded},
	}
	for name, err := range dial {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1000, nil)
			w.client.transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn,
				error) {
				return nil, err
			}
			_, err := w.publish(t.Context(), w.video())
			e := failure(t, err)
			if e.Code() != "rumble_unreachable" || e.Permanent() || !e.Unreachable() || waits(e) != awayPause ||
				w.state != (State{}) {
				t.Errorf("got %v (%s), wait %v, in state %+v", err, e.Code(), waits(e), w.state)
			}
		})
	}
}

// Each attempt sends the whole video again, so a line that breaks each time is not waited for without end.
func TestPublish_ABreakOnTheWayIsAnAttempt(t *testing.T) {
	w := newWorld(t, 4<<20, nil)
	w.set("cut", true)
	_, err := w.publish(t.Context(), w.video())
	if e := failure(t, err); e.Code() != "rumble_connection" || e.Permanent() || waits(e) != 0 || e.Unreachable() {
		t.Errorf("got %v (%s), wait %v", err, e.Code(), waits(e))
	}
}

func TestPublish_AnswersAreJudged(t *testing.T) {
	const page = "<!DOCTYPE html><title>Just a moment…"
	long := strings.Repeat("ы", 1000)
	refuses := func(field, what string) string { return `{"success":false,"errors":{"` + field + `":` + what + `}}` }
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   string // the error's text; "": published
		code   string
		step   string // "unknown" says that it may be there
		over   bool   // it is permanent
		waits  bool   // for the 90 s that the answer asks for
		url    string
	}{
		{name: "published", status: 200,
			body: `{"success":true,"video_id":"v1x","url_monetized":"https://rumble.com/v1x-a.html?mref=1"}`,
			url:  "https://rumble.com/v1x-a.html"},
		{name: "published, odd address", status: 200,
			body: `{"success":true,"video_id":"v1x","url_monetized":"javascript:alert(1)"}`},
		{name: "published, with a list", status: 200, body: `{"success":true,"video_id":"v1x","errors":[]}`},

		{name: "published, which?", status: 200, body: `{"success":true}`, code: "rumble_unclear", step: "unknown",
			over: true,
			want: "rumble answerLost: Rumble answered 200 OK, which cannot be understood"},
		{name: "refused, why?", status: 200, body: `{"success":false}`, code: "rumble_unclear", step: "unknown",
			over: true,
			want: "rumble answerLost: Rumble answered 200 OK, which cannot be understood"},
		{name: "a page", status: 200, body: page, code: "rumble_unclear", step: "unknown", over: true,
			want: "rumble answerLost: Rumble answered 200 OK, which cannot be understood"},
		{name: "408", status: 408, code: "rumble_unclear", step: "unknown", over: true,
			want: "rumble answerLost: Rumble answered 408 Request Timeout"},
		{name: "500 JSON", status: 500, body: refuses("_", `{"code":"SOMETHING_WENT_WRONG"}`), code: "rumble_unclear",
			step: "unknown",
			over: true, want: "rumble answerLost: Rumble answered 500 Internal Server Error"},
		{name: "502", status: 502, body: page, code: "rumble_unclear", step: "unknown", over: true,
			want: "rumble answerLost: Rumble answered 502 Bad Gateway"},
		{name: "503", status: 503, code: "rumble_unclear", step: "unknown", over: true,
			want: "rumble answerLost: Rumble answered 503 Service Unavailable"},

		{name: "token, as a field", status: 200, code: "rumble_token", step: "account", over: true,
			want: "rumble badToken: INVALID: *** is wrong",
			body: `{"success":false,"errors":{"title":{"code":"X"},"access_token":{"code":"INVALID","message":"` +
				token + `\nis wrong"}}}`},
		{name: "channel", status: 200, body: refuses("channel_id", `{"code":"INVALID"}`), code: "rumble_channel",
			step: "account", over: true,
			want: "rumble badChannel: INVALID"},
		{name: "title", status: 200, body: refuses("title", `{"code":"TOO_LONG","message":"Too long"}`),
			code: "rumble_invalid_title",
			step: "edit", over: true, want: "rumble refused-title: TOO_LONG: Too long"},
		{name: "title, 422", status: 422, body: refuses("title", `{"code":"TOO_LONG"}`), code: "rumble_invalid_title",
			step: "edit", over: true,
			want: "rumble refused-title: TOO_LONG"},
		{name: "description", status: 200, body: refuses("description", `{"message":"No links"}`),
			code: "rumble_invalid_description",
			step: "edit", over: true, want: "rumble refused-description: No links"},
		{name: "video", status: 200, body: refuses("video", `{"code":"BAD"}`), code: "rumble_video", over: true,
			want: "rumble refused-video: BAD"},
		{name: "thumbnail", status: 200, body: refuses("thumb", `{"code":"BAD"}`), code: "rumble_thumbnail", over: true,
			want: "rumble refused-thumb: BAD"},
		{name: "twice", status: 200, body: refuses("guid", `{"code":"BAD"}`), code: "rumble_twice", over: true,
			want: "rumble refused-guid: BAD"},
		{name: "license", status: 200, body: refuses("license_type", `{"code":"BAD"}`), code: "rumble_refused",
			over: true,
			want: "rumble refused: BAD"},
		{name: "as a list", status: 200, body: `{"success":false,"errors":[{"title":{"code":"BAD"}}]}`,
			code: "rumble_invalid_title",
			step: "edit", over: true, want: "rumble refused-title: BAD"},
		{name: "403 in words", status: 403, body: refuses("access_token", `{"code":"BANNED"}`), code: "rumble_token",
			step: "account",
			over: true, want: "rumble badToken: BANNED"},
		{name: "403 of Rumble", status: 403, body: `{"success":false}`, code: "rumble_token", step: "account",
			over: true,
			want: "rumble badToken: Rumble answered 403 Forbidden"},
		{name: "401 of Rumble", status: 401, body: `{"success":false}`, code: "rumble_token", step: "account",
			over: true,
			want: "rumble badToken: Rumble answered 401 Unauthorized"},

		// Not known to be final: tried again.
		{name: "in general", status: 200, body: refuses("_", `{"code":"LIMIT","message":"Enough"}`),
			code: "rumble_refused",
			want: "rumble refused: LIMIT: Enough"},
		{name: "a new field", status: 200, body: refuses("mood", `{"code":"BAD"}`), code: "rumble_refused",
			want: "rumble refused: mood BAD"},
		{name: "without a word", status: 200, body: refuses("_", `{}`), code: "rumble_refused",
			want: "rumble refused: no reason given"},
		{name: "Rumble's own fault", status: 200, body: refuses("_",
			`{"code":"SOMETHING_WENT_WRONG","internal_code":7}`), code: "rumble_fault",
			want: "rumble rumbleFault: SOMETHING_WENT_WRONG"},
		{name: "a long message", status: 200, body: refuses("_", `{"message":"`+long+`"}`), code: "rumble_refused",
			want: "rumble refused: " + long[:600]},
		{name: "400 of Rumble", status: 400, body: `{"success":false}`, code: "rumble_refused",
			want: "rumble http400: Rumble answered 400 Bad Request"},

		// Not Rumble's: a wait.
		{name: "403 page", status: 403, body: page, code: "rumble_unreadable", waits: true,
			want: "rumble http403: Rumble answered 403 Forbidden, which isn't Rumble's own answer"},
		{name: "403 empty", status: 403, code: "rumble_unreadable", waits: true,
			want: "rumble http403: Rumble answered 403 Forbidden, which isn't Rumble's own answer"},
		{name: "403 other JSON", status: 403, body: `{"error":"blocked"}`, code: "rumble_unreadable", waits: true,
			want: "rumble http403: Rumble answered 403 Forbidden, which isn't Rumble's own answer"},
		{name: "401 page", status: 401, body: page, code: "rumble_unreadable", waits: true,
			want: "rumble http401: Rumble answered 401 Unauthorized, which isn't Rumble's own answer"},
		{name: "404 page", status: 404, body: page, code: "rumble_unreadable", waits: true,
			want: "rumble http404: Rumble answered 404 Not Found, which isn't Rumble's own answer"},
		{name: "413 page", status: 413, body: page, code: "rumble_unreadable", waits: true,
			want: "rumble http413: Rumble answered 413 Request Entity Too Large, which isn't Rumble's own answer"},
		{name: "moved", status: 307, code: "rumble_unreadable", waits: true,
			want: "rumble http307: Rumble answered 307 Temporary Redirect, which isn't Rumble's own answer"},
		{name: "429", status: 429, body: refuses("_", `{"code":"SLOW"}`), code: "rumble_busy", waits: true,
			want: "rumble http429: Rumble answered 429 Too Many Requests"},
		{name: "429 page", status: 429, body: page, code: "rumble_busy", waits: true,
			want: "rumble http429: Rumble answered 429 Too Many Requests"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := answering(t, c.status, map[string]string{"Retry-After": "90", "Location": "/elsewhere"}, c.body)
			w := &world{t: t, client: client, film: film(1000)}
			got, err := w.publish(t.Context(), w.video())
			if c.want == "" {
				if err != nil || got != (Published{ID: "v1x", URL: c.url}) {
					t.Errorf("got %+v, %v; want %s", got, err, c.url)
				}
				return
			}
			e := failure(t, err)
			if err.Error() != c.want || e.Code() != c.code || e.Step() != c.step || e.Permanent() != c.over ||
				(waits(e) == 90*time.Second) != c.waits {
				t.Errorf(
					"got %q (%s), step %q, permanent %v, wait %v; want %q (%s)",
					err,
					e.Code(),
					e.Step(),
					e.Permanent(),
					waits(e),
					c.want,
					c.code,
				)
			}
			if !slices.Contains(Codes(), e.Code()) {
				t.Errorf("%s is not in the list", e.Code())
			}
			if asks := e.Step() == "unknown"; asks != (w.state != State{}) {
				t.Errorf("got state %+v after %v", w.state, err)
			}
		})
	}
}

// Before the last bytes left, no answer can mean that the video is there.
func TestPublish_AnAnswerBeforeTheEndIsNeverUnclear(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		code   string
	}{
		{200, "<html>", "rumble_unreadable"}, {500, "", "rumble_unreachable"}, {502, "<html>", "rumble_unreachable"},
		{408, "", "rumble_unreachable"},
		{403, "<html>", "rumble_unreadable"}, {403, `{"success":false}`, "rumble_token"}, {429, "", "rumble_busy"},
		{307, "", "rumble_unreadable"},
	} {
		t.Run(fmt.Sprint(c.status, c.body), func(t *testing.T) {
			w := newWorld(t, 8<<20, func(http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					rw.Header().Set("Connection", "close")
					rw.WriteHeader(c.status)
					io.WriteString(rw, c.body)
				})
			})
			_, err := w.publish(t.Context(), w.video())
			if e := failure(t, err); e.Code() != c.code || w.state != (State{}) {
				t.Errorf("got %v (%s) in state %+v; want %s", err, e.Code(), w.state, c.code)
			}
		})
	}
}

func TestErrors_TokenIsInNone(t *testing.T) {
	w := newWorld(t, 1<<20, nil)
	for _, f := range w.Faults() {
		f.Set(true)
		w.state = State{}
		_, err := w.publish(t.Context(), w.video())
		for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v %#v", err, err)} {
			if strings.Contains(text, token) {
				t.Errorf("%s: the token is in %s", f.ID, text)
			}
		}
		f.Set(false)
	}
}

func TestPause_ReadsSecondsAndDates(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "99999999999": 0, "9999999": 24 * time.Hour,
		"Sun, 22 Nov 2026 03:02:00 GMT": 2 * time.Minute, "Sun, 22 Nov 2026 02:00:00 GMT": 0,
		"Sun, 29 Nov 2026 02:00:00 GMT": 24 * time.Hour,
	} {
		h := http.Header{}
		h.Set("Retry-After", text)
		if got := pause(h, now); got != want && text != "99999999999" {
			t.Errorf("%q: got %v; want %v", text, got, want)
		}
	}
}
