// Sending a video: what arrives, and what is known when it does not.

package rumble

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"testing"
	"time"
)

func TestPublish_VideoArrivesWithItsWords(t *testing.T) {
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
	if len(w.Videos()) != 1 || on.SHA256 != sum(w.film) || on.Title != words.Title ||
		on.Description != words.Description ||
		on.Guid != "p-1" || on.ChannelID != "77" || on.License != "0" || on.Name != "a1.mp4" ||
		on.Type != "video/mp4" ||
		!on.Thumb {
		t.Errorf("got %+v", on)
	}
	if got.ID != on.ID || got.URL != on.URL {
		t.Errorf("got %+v; want %s at %s", got, on.ID, on.URL)
	}
	if first, last := w.states[0], w.states[len(w.states)-1]; first != (State{"uploading", 0}) ||
		last != (State{"uploading", v.Size}) {
		t.Errorf("got states from %v to %v", first, last)
	}
}

func TestPublish_TitleStandsInForADescription(t *testing.T) {
	w := newWorld(t, 1000, nil)
	if _, err := w.client.Publish(t.Context(), w.video(), Metadata{Title: "Alone"}, State{}, w.save); err != nil {
		t.Fatal(err)
	}
	if d := w.Videos()[0].Description; d != "Alone" {
		t.Errorf("got description %q; want the title", d)
	}
}

func TestPublish_ProgressIsSavedSeldomAndNeverNamesAllBeforeTheEnd(t *testing.T) {
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

func TestPublish_MemoryStaysSmall(t *testing.T) {
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

func TestPublish_TroubleSaysWhatItAsksFor(t *testing.T) {
	for _, c := range []struct {
		fault, reason, step, field string
		permanent, again           bool // again: the state is cleared
		wait                       time.Duration
		videos                     int
	}{
		{fault: "unavailable", reason: "http503", again: true, wait: 5 * time.Second},
		{fault: "blocked", reason: "http403", again: true, wait: 30 * time.Second},
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
			if e.Reason() != c.reason || e.Step() != c.step || e.Field() != c.field || e.Permanent() != c.permanent ||
				waits(e) != c.wait {
				t.Errorf(
					"got reason %s, step %q, field %q, permanent %v, wait %v",
					e.Reason(),
					e.Step(),
					e.Field(),
					e.Permanent(),
					waits(e),
				)
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

func TestPublish_UnavailableIsToldBeforeTheVideoIsSent(t *testing.T) {
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
				_, err := w.client.Publish(
					attempt,
					Video{File: &reading{ReadSeeker: v.File, before: func(sent int64) error {
						if sent >= at {
							killed = true
							stop()
						}
						return nil
					}}, Size: v.Size, Name: v.Name},
					words,
					keep,
					func(s State) error {
						if !killed {
							return w.save(s)
						}
						return nil
					},
				)
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

func TestPublish_StopBeforeTheEndGivesTheStateBack(t *testing.T) {
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

func TestPublish_StopWhileTheAnswerIsAwaitedIsUnknown(t *testing.T) {
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
	if e := failure(
		t,
		err,
	); e.Step() != "unknown" || errors.Is(err, context.Canceled) ||
		w.state != (State{"uploading", v.Size}) {
		t.Errorf("got %v in state %+v; want unknown, which isn't a stop", err, w.state)
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
func TestPublish_NothingLeavesThatIsNotSaved(t *testing.T) {
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

func TestPublish_FileThatCannotBeReadKeepsItsError(t *testing.T) {
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

func TestPublish_SilenceEnds(t *testing.T) {
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

func TestPublish_WithoutTokenNothingIsSent(t *testing.T) {
	w := newWorld(t, 1000, nil)
	w.client.token = ""
	if w.client.Token() {
		t.Error("uploads by hand are taken for the API")
	}
	if _, err := w.publish(
		t.Context(),
		w.video(),
	); failure(t, err).Step() != "account" || w.Posts() != 0 ||
		len(w.states) != 0 {
		t.Errorf("got %v and %d uploads", err, w.Posts())
	}
}

func TestPublish_AThumbnailThatCannotBeReadIsAWarning(t *testing.T) {
	for name, thumb := range map[string]io.ReadSeeker{
		"gone": &reading{ReadSeeker: bytes.NewReader(film(100)),
			before: func(int64) error { return errors.New("it is gone") }},
		"no seek":   noSeek{},
		"too large": zeros{},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1000, nil)
			v := w.video()
			v.Thumb, v.ThumbType = thumb, "image/jpeg"
			got, err := w.publish(t.Context(), v)
			if err != nil || got.Warning != "rumble thumbnail-file: it cannot be read" || len(w.Videos()) != 1 ||
				w.Videos()[0].Thumb {
				t.Errorf("got %+v, %v; want the video without it", got, err)
			}
		})
	}
}

type noSeek struct{ io.Reader }

func (noSeek) Seek(int64, int) (int64, error) { return 0, errors.New("it is gone") }

// The transport may still read the video when it reports an error: what it read until it closes counts.
func TestPublish_WhatTheTransportReadsAfterItsErrorCounts(t *testing.T) {
	w := newWorld(t, 1000, nil)
	v := w.video()
	entered, judged := make(chan struct{}), make(chan struct{})
	w.client.transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		go func() {
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}()
		<-entered // the last bytes are about to leave
		return nil, errors.New("the connection broke")
	})
	failed := make(chan error, 1)
	go func() {
		_, err := w.client.Publish(context.Background(), v, words, State{}, func(s State) error {
			if s.Sent == v.Size {
				close(entered)
				select { // long enough for code that does not wait to judge too early
				case <-judged:
				case <-time.After(200 * time.Millisecond):
				}
			}
			return w.save(s)
		})
		close(judged)
		failed <- err
	}()
	if e := failure(t, <-failed); e.Step() != "unknown" || w.state != (State{"uploading", v.Size}) {
		t.Errorf("got %v in state %+v; want unknown", e, w.state)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestPublish_RumbleMayTakeLongerToAnswerThanBetweenTwoBytes(t *testing.T) {
	slow := func(after time.Duration) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				select {
				case <-time.After(after):
				case <-r.Context().Done():
					return
				}
				h.ServeHTTP(rw, r)
			})
		}
	}
	w := newWorld(t, 1000, slow(300*time.Millisecond))
	w.client.stall, w.client.answer = 100*time.Millisecond, 5*time.Second
	if _, err := w.publish(t.Context(), w.video()); err != nil || len(w.Videos()) != 1 {
		t.Errorf("got %v; want the answer waited for", err)
	}
	w = newWorld(t, 1000, slow(time.Minute))
	w.client.stall, w.client.answer = time.Minute, 100*time.Millisecond
	begun := time.Now()
	if _, err := w.publish(
		t.Context(),
		w.video(),
	); failure(t, err).Step() != "unknown" ||
		time.Since(begun) > 20*time.Second {
		t.Errorf("got %v after %v; want unknown soon", err, time.Since(begun))
	}
}
