// Every call of the client against every kind of bad answer: what it asks for, and that nothing is done twice or
// taken for done.

package youtube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// bad is a kind of bad answer: of the API, or of the token server if token is set.
type bad struct {
	name   string
	status int // 0: the connection breaks
	body   string
	header string // Retry-After
	code   string
	wait   time.Duration // > 0: it is a wait
	over   bool          // it is permanent
}

// google is YouTube's own JSON.
func google(reason string) string {
	return fmt.Sprintf(`{"error":{"code":1,"message":"m","errors":[{"domain":"d","reason":%q}]}}`, reason)
}

const html = "<!DOCTYPE html><title>Attention Required!</title>"

var badAnswers = []bad{
	{name: "connection breaks", code: "youtube_unreachable", wait: awayPause},
	{name: "500 JSON", status: 500, body: google("backendError"), code: "youtube_unreachable", wait: awayPause},
	{name: "500 page", status: 500, body: html, code: "youtube_unreachable", wait: awayPause},
	{name: "502 page", status: 502, body: html, code: "youtube_unreachable", wait: awayPause},
	{name: "503 with time", status: 503, body: html, header: "120", code: "youtube_unreachable", wait: 2 * time.Minute},
	{name: "504", status: 504, code: "youtube_unreachable", wait: awayPause},
	{name: "429", status: 429, body: google("rateLimitExceeded"), code: "youtube_busy", wait: busyPause},
	{name: "429 page", status: 429, body: html, code: "youtube_busy", wait: busyPause},
	{name: "307", status: 307, body: html, code: "youtube_unreadable", wait: awayPause},
	{name: "400 page", status: 400, body: html, code: "youtube_unreadable", wait: awayPause},
	{name: "401 page", status: 401, body: html, code: "youtube_unreadable", wait: awayPause},
	{name: "403 page", status: 403, body: html, code: "youtube_unreadable", wait: awayPause},
	{name: "403 empty", status: 403, code: "youtube_unreadable", wait: awayPause},
	{name: "403 other JSON", status: 403, body: `{"blocked":true}`, code: "youtube_unreadable", wait: awayPause},
	{name: "200 page", status: 200, body: html, code: "youtube_unreadable", wait: awayPause},
	{name: "200 empty", status: 200, code: "youtube_unreadable", wait: awayPause},
	{name: "204", status: 204, code: "youtube_unreadable", wait: awayPause},
	{name: "206 page", status: 206, body: html, code: "youtube_unreadable", wait: awayPause},
	{name: "200 other JSON", status: 200, body: `{"status":"ok"}`, code: "youtube_unreadable", wait: awayPause},
	{name: "200 other kind", status: 200, body: `{"kind":"drive#fileList","items":[{"id":"x","status":{}}]}`,
		code: "youtube_unreadable", wait: awayPause},
	{name: "200 cut JSON", status: 200, body: `{"kind":"youtube#videoListResponse","items":[{"id":"`,
		code: "youtube_unreadable", wait: awayPause},
	{name: "200 list", status: 200, body: `[]`, code: "youtube_unreadable", wait: awayPause},
	{name: "200 null", status: 200, body: `null`, code: "youtube_unreadable", wait: awayPause},
	{name: "302 page", status: 302, body: html, code: "youtube_unreadable", wait: awayPause},
	{name: "308", status: 308, code: "youtube_unreadable", wait: awayPause},
	{name: "403 error of another", status: 403, body: `{"error":"blocked"}`, code: "youtube_unreadable",
		wait: awayPause},
	{name: "404 page", status: 404, body: html, code: "youtube_unreadable", wait: awayPause},
	{name: "407 page", status: 407, body: html, code: "youtube_unreadable", wait: awayPause},
	{name: "408", status: 408, code: "youtube_unreachable", wait: awayPause},
	{name: "511 page", status: 511, body: html, code: "youtube_unreachable", wait: awayPause},
	{name: "403 quota", status: 403, body: google("quotaExceeded"), code: "youtube_quota", wait: 20 * time.Hour},
	{name: "403 API off", status: 403, body: google("accessNotConfigured"), code: "youtube_api_disabled", over: true},
	{name: "403 forbidden", status: 403, body: google("forbidden"), code: "youtube_forbidden", over: true},
	{name: "401", status: 401, body: google("authError"), code: "youtube_access_ended", over: true},
	{name: "400 unknown", status: 400, body: google("somethingNew"), code: "youtube_refused"},
	{name: "412 unknown", status: 412, body: google("somethingNew"), code: "youtube_refused"},
}

// give answers a request so.
func (b bad) give(w http.ResponseWriter) {
	if b.status == 0 {
		panic(http.ErrAbortHandler)
	}
	if b.header != "" {
		w.Header().Set("Retry-After", b.header)
	}
	w.WriteHeader(b.status)
	fmt.Fprint(w, b.body)
}

// actions are the calls of the client on a published video. token: the answers that matter are those of the token
// server.
var actions = []struct {
	name, path string
	do         func(w *world, a *Account, id string) error
}{
	{"publish", "/upload/youtube/v3/videos", func(w *world, a *Account, _ string) error {
		v, _ := film(1000)
		_, err := new(states).publish(a, v, about)
		return err
	}},
	{"check", "/youtube/v3/channels", func(w *world, a *Account, _ string) error {
		_, err := a.Mine(context.Background())
		return err
	}},
	{"show", "/youtube/v3/videos", func(w *world, a *Account, id string) error {
		return a.Show(context.Background(), id, changed())
	}},
	{"merge", "/youtube/v3/videos", func(w *world, a *Account, id string) error {
		_, err := a.Merge(context.Background(), id, about, changed())
		return err
	}},
	{"playlist", "/youtube/v3/playlistItems", func(w *world, a *Account, id string) error {
		m := about
		m.Playlist = "PLgreetings"
		return second(a.Merge(context.Background(), id, about, m))
	}},
	{
		"remove",
		"/youtube/v3/videos",
		func(w *world, a *Account, id string) error { return a.Delete(context.Background(), id) },
	},
	{"standings", "/youtube/v3/videos", func(w *world, a *Account, id string) error {
		_, err := a.Standings(context.Background(), []string{id})
		return err
	}},
	{"confirm", "/youtube/v3/videos", func(w *world, a *Account, id string) error {
		return a.Confirm(context.Background(), id, north, about.Title, 1000)
	}},
	{"find", "/youtube/v3/channels", func(w *world, a *Account, id string) error {
		_, _, err := a.lookFor(context.Background(), 1000, about.Title, w.clock.Now())
		return err
	}},
	{"thumbnail", "/upload/youtube/v3/thumbnails/set", func(w *world, a *Account, id string) error {
		v, _ := film(1000)
		v.Thumb, v.ThumbType = png(), "image/png"
		return a.picture(context.Background(), v, id)
	}},
	{"connect", "/youtube/v3/channels", func(w *world, a *Account, _ string) error {
		back := w.decide(w.client.Ask(session, ""), "allow", north)
		_, err := w.client.Answer(context.Background(), session, back)
		return err
	}},
}

func changed() Metadata {
	m := about
	m.Title, m.Privacy = "Another", "private"
	return m
}

func TestActions_EachBadAnswerAsksForTheSameEverywhere(t *testing.T) {
	for _, action := range actions {
		for _, answer := range badAnswers {
			if answer.status == 204 && action.name == "remove" {
				continue // YouTube's own
			}
			t.Run(action.name+" "+answer.name, func(t *testing.T) {
				w := newWorld(t)
				a, id, _ := published(w, about)
				w.before = func(rw http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != action.path {
						return false
					}
					answer.give(rw)
					return true
				}
				wantAnswer(t, action.do(w, a, id), answer)
				got := w.tube.Videos()
				if len(got) != 1 || got[0].Title != about.Title || got[0].Privacy != about.Privacy {
					t.Errorf("got %d videos, %+v; want the earlier one, unchanged", len(got), got)
				}
			})
		}
	}
}

// wantAnswer looks at what an error says about a bad answer.
func wantAnswer(t *testing.T, err error, b bad) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v; want an error of this package", err)
	}
	wait, waits := e.RetryAfter()
	if e.Code() != b.code || e.Permanent() != b.over || waits != (b.wait > 0) || (wait-b.wait).Abs() > time.Minute/2 {
		t.Errorf(
			"got %q, permanent %v, wait %v %v (%v); want %q, %v, %v",
			e.Code(),
			e.Permanent(),
			wait,
			waits,
			e,
			b.code,
			b.over,
			b.wait,
		)
	}
}

func TestActions_ATokenServerThatIsAwayIsAWait(t *testing.T) {
	for _, action := range actions {
		for _, answer := range []bad{
			{name: "connection breaks", code: "youtube_unreachable", wait: awayPause},
			{name: "503", status: 503, body: html, code: "youtube_unreachable", wait: awayPause},
			{name: "500 JSON", status: 500, body: `{"error":"internal_failure"}`, code: "youtube_unreachable",
				wait: awayPause},
			{name: "403 page", status: 403, body: html, code: "youtube_unreadable", wait: awayPause},
			{name: "200 page", status: 200, body: html, code: "youtube_unreadable", wait: awayPause},
			{name: "200 empty", status: 200, code: "youtube_unreadable", wait: awayPause},
			{name: "200 other JSON", status: 200, body: `{"status":"ok"}`, code: "youtube_unreadable", wait: awayPause},
			{name: "200 cut JSON", status: 200, body: `{"access_token":"x`, code: "youtube_unreadable", wait: awayPause},
			{name: "204", status: 204, code: "youtube_unreadable", wait: awayPause},
			{name: "302 page", status: 302, body: html, code: "youtube_unreadable", wait: awayPause},
			{name: "307", status: 307, body: html, code: "youtube_unreadable", wait: awayPause},
			{name: "308", status: 308, code: "youtube_unreadable", wait: awayPause},
			{name: "429", status: 429, body: html, code: "youtube_busy", wait: busyPause},
			{name: "invalid_grant", status: 400, body: `{"error":"invalid_grant"}`, code: "youtube_access_ended",
				over: true},
			{name: "invalid_client", status: 401, body: `{"error":"invalid_client"}`, code: "youtube_client",
				over: true},
			{name: "redirect", status: 400, body: `{"error":"redirect_uri_mismatch"}`,
				code: "youtube_redirect_mismatch", over: true},
			{name: "unknown", status: 400, body: `{"error":"something_new"}`, code: "youtube_refused"},
		} {
			t.Run(action.name+" "+answer.name, func(t *testing.T) {
				w := newWorld(t)
				a, id, _ := published(w, about)
				w.clock.Add(2 * time.Hour) // the token has to be refreshed
				w.before = func(rw http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != "/token" {
						return false
					}
					answer.give(rw)
					return true
				}
				wantAnswer(t, action.do(w, a, id), answer)
			})
		}
	}
}

func TestActions_ADialErrorIsAWait(t *testing.T) {
	for _, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			w := newWorld(t)
			a, id, _ := published(w, about)
			back := w.decide(w.client.Ask(session, ""), "allow", north)
			w.client.http.CloseIdleConnections()
			w.client.http.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn,
				error) {
				return nil, &net.DNSError{Err: "no such host", Name: "www.googleapis.com", IsNotFound: true}
			}
			do := func() error { return action.do(w, a, id) }
			if action.name == "connect" {
				do = func() error { _, err := w.client.Answer(context.Background(), session, back); return err }
			}
			wantAnswer(t, do(), bad{code: "youtube_unreachable", wait: awayPause})
		})
	}
}

func TestDelete_OnlyYouTubesOwnNotFoundIsDeleted(t *testing.T) {
	w := newWorld(t)
	a, id, _ := published(w, about)
	for body, want := range map[string]bool{google("videoNotFound"): true, google("notFound"): true, html: false,
		"": false} {
		w.before = func(rw http.ResponseWriter, _ *http.Request) bool {
			rw.WriteHeader(http.StatusNotFound)
			fmt.Fprint(rw, body)
			return true
		}
		if err := a.Delete(context.Background(), id); (err == nil) != want {
			t.Errorf("404 %q: got %v; want deleted %v", body, err, want)
		}
	}
}

func TestUpdate_AnUnknownPlaylistIsNamedAndNothingIsChanged(t *testing.T) {
	w := newWorld(t)
	a, id, _ := published(w, about)
	m := changed()
	m.Playlist = "PLnone"
	e := wantError(t, second(a.Merge(context.Background(), id, about, m)), "playlistNotFound")
	if e.Code() != "youtube_playlist_unknown" || e.Field() != "playlist" || !e.Permanent() {
		t.Errorf("got %q at %q", e.Code(), e.Field())
	}
	if got := w.tube.Videos()[0]; got.Title != about.Title {
		t.Errorf("got %q; want nothing changed", got.Title)
	}
}

func second(_ Metadata, err error) error { return err }

func TestWarnings_HaveCodesOfTheList(t *testing.T) {
	known := strings.Join(Codes(), " ")
	for line, want := range map[string]string{
		"youtube thumbnail-forbidden: m":        "youtube_thumbnail_verify",
		"youtube thumbnail-quotaExceeded: m":    "youtube_thumbnail",
		"youtube thumbnail-file: m":             "youtube_thumbnail",
		"youtube playlist-playlistNotFound: m":  "youtube_playlist_unknown",
		"youtube playlist-http503":              "youtube_playlist",
		"youtube processing-slow: m":            "youtube_processing_slow",
		"youtube privacy-private: asked for it": "youtube_privacy",
		"youtube privacy-unscheduled: x":        "youtube_privacy",
	} {
		if got := WarningCode(line); got != want || !strings.Contains(known, got) {
			t.Errorf("%s: got %s; want %s", line, got, want)
		}
	}
}
