// Sending a video: what arrives, and what is known when it does not.

package rumble

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestVideoArrivesWithItsWords(t *testing.T) {
	w := newWorld(t, 3<<20, nil)
	w.client.channel = "77"
	v := w.video()
	v.Thumb, v.ThumbType = bytes.NewReader(film(5000)), "image/jpeg"
	io.CopyN(io.Discard, v.File, 1000) // as a file that somebody has read in
	got, err := w.publish(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	on := w.Videos()[0]
	if len(w.Videos()) != 1 || on.SHA256 != sum(w.film) || on.Title != words.Title || on.Description != words.Description ||
		on.Guid != "p-1" || on.ChannelID != "77" || on.License != "0" || on.Name != "a1.mp4" || on.Type != "video/mp4" || !on.Thumb {
		t.Errorf("got %+v", on)
	}
	if got.ID != on.ID || got.URL != on.URL {
		t.Errorf("got %+v; want %s at %s", got, on.ID, on.URL)
	}
	if first, last := w.states[0], w.states[len(w.states)-1]; first != (State{"uploading", 0}) || last != (State{"uploading", v.Size}) {
		t.Errorf("got states from %v to %v", first, last)
	}
}

func TestTitleStandsInForADescription(t *testing.T) {
	w := newWorld(t, 1000, nil)
	if _, err := w.client.Publish(t.Context(), w.video(), Metadata{Title: "Alone"}, State{}, w.save); err != nil {
		t.Fatal(err)
	}
	if d := w.Videos()[0].Description; d != "Alone" {
		t.Errorf("got description %q; want the title", d)
	}
}

func TestProgressIsSavedSeldomAndNeverNamesAllBeforeTheEnd(t *testing.T) {
	w := newWorld(t, 8<<20, nil)
	v := w.video()
	begun := time.Now()
	if _, err := w.publish(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if most := 3 + int(2*time.Since(begun).Seconds()); len(w.states) > most {
		t.Errorf("got %d saves; want at most %d", len(w.states), most)
	}
	for i, s := range w.states[:len(w.states)-1] {
		if s.Sent >= v.Size {
			t.Errorf("save %d of %d names all of the video", i+1, len(w.states))
		}
	}
}

func TestMemoryStaysSmall(t *testing.T) {
	w := newWorld(t, 0, nil)
	const size = 96 << 20
	var most uint64
	n := 0
	v := Video{Size: size, Name: "a.mp4", File: &reading{ReadSeeker: zeros{}, before: func(int64) error {
		if n++; n%200 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
		return nil
	}}}
	runtime.GC() // what the tests before have left does not count
	if _, err := w.publish(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if w.Videos()[0].Size != size || most > 24<<20 {
		t.Errorf("got %d bytes with a heap of %d MB; want 24 MB at most", w.Videos()[0].Size, most>>20)
	}
	t.Logf("heap at most %d kB", most>>10)
}

// zeros is a file without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error)     { clear(p); return len(p), nil }
func (zeros) Seek(int64, int) (int64, error) { return 0, nil }

func TestTroubleSaysWhatItAsksFor(t *testing.T) {
	for _, c := range []struct {
		fault, reason, step, field string
		permanent, again           bool // again: the state is given back
		pause                      time.Duration
		videos                     int
	}{
		{fault: "unavailable", reason: "http503", again: true, pause: 5 * time.Second},
		{fault: "cut", reason: "connection", again: true},
		{fault: "lost", reason: "answerLost", step: "unknown", permanent: true, videos: 1},
		{fault: "badtoken", reason: "badToken", step: "account", permanent: true, again: true},
		{fault: "refused", reason: "refused-title", step: "edit", field: "title", permanent: true, again: true},
	} {
		t.Run(c.fault, func(t *testing.T) {
			w := newWorld(t, 4<<20, nil)
			w.set(c.fault, true)
			v := w.video()
			_, err := w.publish(t.Context(), v)
			e := failure(t, err)
			if e.Reason() != c.reason || e.Step() != c.step || e.Field() != c.field || e.Permanent() != c.permanent || e.Pause() != c.pause {
				t.Errorf("got reason %s, step %q, field %q, permanent %v, pause %v", e.Reason(), e.Step(), e.Field(), e.Permanent(), e.Pause())
			}
			if want := (State{"uploading", v.Size}); !c.again && w.state != want || c.again && w.state != (State{}) {
				t.Errorf("got state %+v", w.state)
			}
			if len(w.Videos()) != c.videos {
				t.Errorf("got %d videos; want %d", len(w.Videos()), c.videos)
			}
			w.set(c.fault, false)
			if _, err := w.publish(t.Context(), w.video()); c.again && err != nil {
				t.Errorf("the next attempt: %v", err)
			} else if !c.again && failure(t, err).Step() != "unknown" {
				t.Errorf("the next attempt: got %v; want unknown until somebody has looked", err)
			}
			if len(w.Videos()) != 1 {
				t.Errorf("got %d videos in the end; want 1", len(w.Videos()))
			}
		})
	}
}

func TestUnavailableIsToldBeforeTheVideoIsSent(t *testing.T) {
	w := newWorld(t, 4<<20, nil)
	w.set("unavailable", true)
	v := w.video()
	file := &reading{ReadSeeker: v.File, before: func(int64) error { return nil }}
	v.File = file
	w.publish(t.Context(), v)
	if file.sent != 0 {
		t.Errorf("got %d bytes sent; want 0", file.sent)
	}
}

// The seed names one moment of each kind; chance finds the others. A person looks at the channel after "unknown".
func TestVideoIsPublishedOnceWhateverHappensWhen(t *testing.T) {
	const size = 1 << 20
	chance := rand.New(rand.NewPCG(7, 11))
	unknowns := 0
	for round := range 60 {
		at := chance.Int64N(size + 2000) // somewhere in the form, its end included
		kind := round % 4
		w := newWorld(t, size, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if kind == 1 && r.Method == http.MethodPost {
					r.Body = &cutBody{r.Body, at}
				}
				h.ServeHTTP(rw, r)
			})
		})
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		for try := 1; ; try++ {
			if try > 4 {
				t.Fatalf("round %d: no end after %d attempts", round, try-1)
			}
			v := w.video()
			attempt, stop := context.WithCancel(ctx)
			switch {
			case try > 1:
				kind = 0
			case kind == 2: // the program is stopped
				v.File = &reading{ReadSeeker: v.File, before: func(sent int64) error {
					if sent >= at {
						stop()
					}
					return nil
				}}
			case kind == 3: // the program is killed: nothing is saved any more
				killed := false
				keep := w.state
				_, err := w.client.Publish(attempt, Video{File: &reading{ReadSeeker: v.File, before: func(sent int64) error {
					if sent >= at {
						killed = true
						stop()
					}
					return nil
				}}, Size: v.Size, Name: v.Name}, words, keep, func(s State) error {
					if !killed {
						return w.save(s)
					}
					return nil
				})
				stop()
				if err != nil {
					continue
				}
			}
			_, err := w.publish(attempt, v)
			stop()
			if err == nil {
				break
			}
			var e *Error
			if errors.As(err, &e) && e.Step() == "unknown" {
				unknowns++
				if len(w.Videos()) == 1 {
					break // "it is there"
				}
				w.state = State{} // "it is not there"
			}
		}
		cancel()
		if all := w.Videos(); len(all) != 1 || all[0].SHA256 != sum(w.film) {
			t.Fatalf("round %d: got %d videos; want 1, whole", round, len(all))
		}
	}
	t.Logf("%d questions in 60 rounds", unknowns)
}

// cutBody breaks the connection after so many bytes.
type cutBody struct {
	io.ReadCloser
	left int64
}

func (b *cutBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		panic(http.ErrAbortHandler)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func TestStopBeforeTheEndGivesTheStateBack(t *testing.T) {
	w := newWorld(t, 1<<20, nil)
	ctx, cancel := context.WithCancel(t.Context())
	v := w.video()
	v.File = &reading{ReadSeeker: v.File, before: func(sent int64) error {
		if sent > 1<<19 {
			cancel()
		}
		return nil
	}}
	_, err := w.publish(ctx, v)
	if !errors.Is(err, context.Canceled) || w.state != (State{}) {
		t.Errorf("got %v in state %+v; want the context's error and an empty state", err, w.state)
	}
}

func TestStopWhileTheAnswerIsAwaitedIsUnknown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorld(t, 1<<20, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done()
		})
	})
	v := w.video()
	_, err := w.publish(ctx, v)
	if e := failure(t, err); e.Step() != "unknown" || errors.Is(err, context.Canceled) || w.state != (State{"uploading", v.Size}) {
		t.Errorf("got %v in state %+v; want unknown, which is no stop", err, w.state)
	}
}

func TestKilledInTheMiddleIsSentAgainAndAfterTheEndIsUnknown(t *testing.T) {
	w := newWorld(t, 1000, nil)
	w.state = State{"uploading", 1000}
	if _, err := w.publish(t.Context(), w.video()); failure(t, err).Step() != "unknown" || w.Posts() != 0 {
		t.Errorf("after the end: got %v and %d uploads", err, w.Posts())
	}
	w.state = State{"uploading", 999}
	if _, err := w.publish(t.Context(), w.video()); err != nil || w.Posts() != 1 {
		t.Errorf("in the middle: got %v and %d uploads", err, w.Posts())
	}
}

// A state that could not be stored must not be overtaken by the bytes it is about.
func TestNothingLeavesThatIsNotSaved(t *testing.T) {
	full := errors.New("the disk is full")
	for name, refuses := range map[string]func(s State) bool{
		"at the first byte": func(s State) bool { return s == State{"uploading", 0} },
		"at the last bytes": func(s State) bool { return s.Sent == 1<<20 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1<<20, nil)
			_, err := w.client.Publish(t.Context(), w.video(), words, State{}, func(s State) error {
				if refuses(s) {
					return full
				}
				return w.save(s)
			})
			if !errors.Is(err, full) || len(w.Videos()) != 0 {
				t.Errorf("got %v and %d videos; want the error of the save and none", err, len(w.Videos()))
			}
		})
	}
}

func TestFileThatCannotBeReadKeepsItsError(t *testing.T) {
	gone := errors.New("the store is away")
	w := newWorld(t, 1<<20, nil)
	v := w.video()
	v.File = &reading{ReadSeeker: v.File, before: func(sent int64) error {
		if sent > 1<<18 {
			return gone
		}
		return nil
	}}
	if _, err := w.publish(t.Context(), v); !errors.Is(err, gone) || w.state != (State{}) {
		t.Errorf("got %v in state %+v", err, w.state)
	}
	v = w.video()
	v.Size++ // it has become shorter
	if _, err := w.publish(t.Context(), v); !errors.Is(err, io.ErrUnexpectedEOF) || w.state != (State{}) {
		t.Errorf("too short: got %v in state %+v", err, w.state)
	}
	if len(w.Videos()) != 0 {
		t.Errorf("got %d videos; want 0", len(w.Videos()))
	}
}

func TestSilenceEnds(t *testing.T) {
	t.Run("while the video goes", func(t *testing.T) {
		over := make(chan struct{})
		w := newWorld(t, 32<<20, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				r.Body.Read(make([]byte, 1))
				<-over
			})
		})
		w.client.stall = 200 * time.Millisecond
		_, err := w.publish(t.Context(), w.video())
		close(over)
		if e := failure(t, err); e.Reason() != "connection" || e.Permanent() || w.state != (State{}) {
			t.Errorf("got %v in state %+v", err, w.state)
		}
	})
	t.Run("after it", func(t *testing.T) {
		w := newWorld(t, 1000, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
			})
		})
		w.client.answer = 100 * time.Millisecond
		if _, err := w.publish(t.Context(), w.video()); failure(t, err).Step() != "unknown" {
			t.Errorf("got %v; want unknown", err)
		}
	})
}

func TestUnreachableServerIsTransient(t *testing.T) {
	w := newWorld(t, 1000, nil)
	w.client.base.Host = "127.0.0.1:1"
	_, err := w.publish(t.Context(), w.video())
	if e := failure(t, err); e.Reason() != "connection" || e.Permanent() || w.state != (State{}) {
		t.Errorf("got %v in state %+v", err, w.state)
	}
}

func TestWithoutTokenNothingIsSent(t *testing.T) {
	w := newWorld(t, 1000, nil)
	w.client.token = ""
	if w.client.Token() {
		t.Error("uploads by hand are taken for the interface")
	}
	if _, err := w.publish(t.Context(), w.video()); failure(t, err).Step() != "account" || w.Posts() != 0 || len(w.states) != 0 {
		t.Errorf("got %v and %d uploads", err, w.Posts())
	}
}

func TestAnswersAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		status       int
		body         string
		want         string // the error's text
		step         string
		permanent    bool
		pause        time.Duration
		publishedURL string
	}{
		"published":              {200, `{"success":true,"video_id":"v1x","url_monetized":"https://rumble.com/v1x-a.html?mref=1"}`, "", "", false, 0, "https://rumble.com/v1x-a.html"},
		"published, odd address": {200, `{"success":true,"video_id":"v1x","url_monetized":"javascript:alert(1)"}`, "", "", false, 0, ""},
		"published, with a list": {200, `{"success":true,"video_id":"v1x","errors":[]}`, "", "", false, 0, ""},
		"published, which?":      {200, `{"success":true}`, "rumble answerLost: Rumble answered 200 OK, which cannot be understood", "unknown", true, 0, ""},
		"a page":                 {200, `<html>Just a moment…`, "rumble answerLost: Rumble answered 200 OK, which cannot be understood", "unknown", true, 0, ""},
		"token, as a field":      {200, `{"success":false,"errors":{"title":{"code":"X"},"access_token":{"code":"INVALID","message":"` + token + `\nis wrong"}}}`, "rumble badToken: INVALID: *** is wrong", "account", true, 0, ""},
		"channel":                {200, `{"success":false,"errors":{"channel_id":{"code":"INVALID"}}}`, "rumble badChannel: INVALID", "account", true, 0, ""},
		"title":                  {200, `{"success":false,"errors":{"title":{"code":"TOO_LONG","message":"Too long"}}}`, "rumble refused-title: TOO_LONG: Too long", "edit", true, 0, ""},
		"description":            {200, `{"success":false,"errors":{"description":{"message":"No links"}}}`, "rumble refused-description: No links", "edit", true, 0, ""},
		"video":                  {200, `{"success":false,"errors":{"video":{"code":"BAD"}}}`, "rumble refused-video: BAD", "", true, 0, ""},
		"license":                {200, `{"success":false,"errors":{"license_type":{"code":"BAD"}}}`, "rumble refused: BAD", "", true, 0, ""},
		"as a list":              {200, `{"success":false,"errors":[{"title":{"code":"BAD"}}]}`, "rumble refused-title: BAD", "edit", true, 0, ""},
		"in general":             {200, `{"success":false,"errors":{"_":{"code":"LIMIT","message":"Enough for today"}}}`, "rumble refused: LIMIT: Enough for today", "", true, 0, ""},
		"a field of tomorrow":    {200, `{"success":false,"errors":{"mood":{"code":"BAD"}}}`, "rumble refused: mood BAD", "", true, 0, ""},
		"without a word":         {200, `{"success":false,"errors":{"_":{}}}`, "rumble refused: no reason given", "", true, 0, ""},
		"Rumble's own fault":     {200, `{"success":false,"errors":{"_":{"code":"SOMETHING_WENT_WRONG","internal_code":7}}}`, "rumble rumbleFault: SOMETHING_WENT_WRONG", "", false, 0, ""},
		"403":                    {403, `<html>`, "rumble badToken: Rumble answered 403 Forbidden", "account", true, 0, ""},
		"403 in words":           {403, `{"success":false,"errors":{"access_token":{"code":"BANNED"}}}`, "rumble badToken: BANNED", "account", true, 0, ""},
		"401":                    {401, ``, "rumble badToken: Rumble answered 401 Unauthorized", "account", true, 0, ""},
		"413":                    {413, ``, "rumble http413: Rumble answered 413 Request Entity Too Large", "", true, 0, ""},
		"moved":                  {301, ``, "rumble http301: Rumble answered 301 Moved Permanently", "", true, 0, ""},
		"429":                    {429, `{"success":false,"errors":{"_":{"code":"SLOW"}}}`, "rumble http429: Rumble answered 429 Too Many Requests", "", false, 90 * time.Second, ""},
		"502 after all was sent": {502, ``, "rumble answerLost: Rumble answered 502 Bad Gateway", "unknown", true, 0, ""},
		"503 after all was sent": {503, ``, "rumble answerLost: Rumble answered 503 Service Unavailable", "unknown", true, 0, ""},
		"408 after all was sent": {408, ``, "rumble answerLost: Rumble answered 408 Request Timeout", "unknown", true, 0, ""},
		"a very long word":       {200, `{"success":false,"errors":{"_":{"message":"` + strings.Repeat("ы", 1000) + `"}}}`, "rumble refused: " + strings.Repeat("ы", 300), "", true, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := answering(t, c.status, map[string]string{"Retry-After": "90", "Location": "/elsewhere"}, c.body)
			w := &world{t: t, client: client, film: film(1000)}
			got, err := w.publish(t.Context(), w.video())
			if c.want == "" {
				if err != nil || got != (Published{"v1x", c.publishedURL}) {
					t.Errorf("got %+v, %v; want %s", got, err, c.publishedURL)
				}
				return
			}
			e := failure(t, err)
			if err.Error() != c.want || e.Step() != c.step || e.Permanent() != c.permanent || e.Pause() != c.pause {
				t.Errorf("got %q, step %q, permanent %v, pause %v; want %q", err, e.Step(), e.Permanent(), e.Pause(), c.want)
			}
			if asks := e.Step() == "unknown"; asks != (w.state != State{}) {
				t.Errorf("got state %+v after %v", w.state, err)
			}
		})
	}
}

func TestTokenIsInNoError(t *testing.T) {
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

func TestPauseReadsSecondsAndDates(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "99999999999": 0, "9999999": 24 * time.Hour,
		"Sun, 22 Nov 2026 03:02:00 GMT": 2 * time.Minute, "Sun, 22 Nov 2026 02:00:00 GMT": 0, "Sun, 29 Nov 2026 02:00:00 GMT": 24 * time.Hour,
	} {
		h := http.Header{}
		h.Set("Retry-After", text)
		if got := pause(h, now); got != want && text != "99999999999" {
			t.Errorf("%q: got %v; want %v", text, got, want)
		}
	}
}
