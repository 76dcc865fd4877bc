// Never two videos: lost answers, sessions that are gone, and progress that makes attempts count again.

package youtube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

// goOn calls Publish as the queue does: after each wait it comes back, with the clock moved on. It ends when the
// publication is done, with an error that asks for no wait, or after so many calls.
func (s *states) goOn(w *world, a *Account, v Video, m Metadata) (calls int, err error) {
	for calls = 1; calls <= 40; calls++ {
		again, err := s.publish(a, v, m)
		if e, ok := errors.AsType[*Error](err); ok {
			again, ok = e.RetryAfter()
			if !ok {
				return calls, err
			}
		} else if err != nil || again == 0 {
			return calls, err
		}
		w.clock.Add(again)
	}
	return calls, errors.New("no end")
}

// lose drops the answer to the last chunk of the next upload, which arrives, and answers that session with a status
// from then on.
func (w *world) lose(status int) {
	gone := ""
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		session := r.URL.Query().Get("upload_id")
		if session == "" {
			return false
		}
		if gone == session {
			io.Copy(io.Discard, r.Body)
			http.Error(rw, http.StatusText(status), status)
			return true
		}
		last, total := int64(0), int64(0)
		if n, _ := fmt.Sscanf(
			r.Header.Get("Content-Range"),
			"bytes %d-%d/%d",
			new(int64),
			&last,
			&total,
		); n != 3 ||
			last+1 < total {
			return false
		}
		gone = session
		w.tube.ServeHTTP(discard{}, r)
		panic(http.ErrAbortHandler)
	}
}

func TestUpload_ALostAnswerAndAGoneSessionAreOneVideo(t *testing.T) {
	for _, status := range []int{404, 410} {
		for _, size := range []int{1000, 2 << 20} {
			t.Run(fmt.Sprint(status, " ", size), func(t *testing.T) {
				w := newWorld(t)
				a := w.account()
				v, sum := film(size)
				w.lose(status)
				var s states
				if _, err := s.goOn(w, a, v, about); err != nil {
					t.Fatal(err)
				}
				all := w.tube.Videos()
				if len(all) != 1 || all[0].SHA256 != sum || s.last.ID != all[0].ID || s.last.Sent != v.Size ||
					w.tube.Inserts() != 1 {
					t.Errorf("got %d videos of %d uploads, %#v", len(all), w.tube.Inserts(), s.last)
				}
			})
		}
	}
}

func TestUpload_TheSwitchesOfTheFakeAreOneVideo(t *testing.T) {
	for _, fault := range []string{"lost", "forgotten", "expired", "hiccups"} {
		t.Run(fault, func(t *testing.T) {
			w := newWorld(t)
			a := w.account()
			v, sum := film(4 << 20)
			w.tube.SetFault(fault, true)
			if fault == "expired" { // the last answer too
				w.tube.SetFault("lost", true)
				w.tube.SetFault("expired", false)
				w.before = func(_ http.ResponseWriter, r *http.Request) bool {
					w.tube.SetFault("expired", w.tube.BytesIn() == v.Size)
					return false
				}
			}
			var s states
			if _, err := s.goOn(w, a, v, about); err != nil {
				t.Fatal(err)
			}
			if all := w.tube.Videos(); len(all) != 1 || all[0].SHA256 != sum || s.last.ID != all[0].ID ||
				w.tube.Inserts() != 1 {
				t.Errorf("got %d videos of %d uploads", len(all), w.tube.Inserts())
			}
		})
	}
}

func TestUpload_AVideoThatIsListedLateIsFound(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, sum := film(1 << 20)
	w.lose(404)
	lose, looks := w.before, 0
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == "GET" && r.URL.Path == "/youtube/v3/playlistItems" {
			if looks++; looks < 4 {
				fmt.Fprint(rw, `{"kind":"youtube#listResponse","items":[]}`)
				return true
			}
		}
		return lose(rw, r)
	}
	var s states
	if _, err := s.goOn(w, a, v, about); err != nil {
		t.Fatal(err)
	}
	if all := w.tube.Videos(); len(all) != 1 || all[0].SHA256 != sum || looks < 4 {
		t.Errorf("got %d videos after %d looks", len(all), looks)
	}
}

func TestUpload_WhatNobodyCanTellIsUnclearAndStaysSo(t *testing.T) {
	for name, spoil := range map[string]func(v map[string]any){
		"another title": func(v map[string]any) { v["snippet"].(map[string]any)["title"] = "Changed in Studio" },
		"another size":  func(v map[string]any) { v["fileDetails"] = map[string]any{"fileSize": "5"} },
		"no size":       func(v map[string]any) { delete(v, "fileDetails") },
		"older": func(v map[string]any) {
			v["snippet"].(map[string]any)["publishedAt"] = "2026-11-22T11:59:00Z"
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.account()
			v, _ := film(1 << 20)
			w.lose(404)
			lose := w.before
			w.before = func(rw http.ResponseWriter, r *http.Request) bool {
				if r.Method == "GET" && r.URL.Path == "/youtube/v3/videos" {
					video := map[string]any{
						"id":     "x",
						"status": map[string]any{"uploadStatus": "uploaded"},
						"snippet": map[string]any{
							"title":       about.Title,
							"publishedAt": w.clock.Now().Format(time.RFC3339),
						},
						"fileDetails": map[string]any{"fileSize": fmt.Sprint(v.Size)},
					}
					spoil(video)
					writeAnswer(rw, map[string]any{"kind": "youtube#videoListResponse", "items": []any{video}})
					return true
				}
				return lose(rw, r)
			}
			var s states
			for range 2 { // also when it is tried again
				calls, err := s.goOn(w, a, v, about)
				e := wantError(t, err, "answerLost")
				if e.Step() != "unknown" || !e.Permanent() || e.Code() != "youtube_unclear" || calls > 15 {
					t.Errorf("got %q, %q after %d calls", e.Step(), e.Code(), calls)
				}
			}
			if n := w.tube.Inserts(); n != 1 {
				t.Errorf("got %d uploads; want 1 until a person has looked", n)
			}
			w.before = nil
			s.last = State{} // "it is not there"
			if _, err := s.goOn(w, a, v, about); err != nil || w.tube.Inserts() != 2 {
				t.Errorf("got %v and %d uploads; want 2", err, w.tube.Inserts())
			}
		})
	}
}

func TestUpload_AChannelWithoutUploadsIsUnclearTooAfterTheLastByte(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1000)
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == "PUT" { // it swallows the bytes and forgets the session
			io.Copy(io.Discard, r.Body)
			http.NotFound(rw, r)
			return true
		}
		return false
	}
	var s states
	_, err := s.goOn(w, a, v, about)
	if e := wantError(t, err, "answerLost"); e.Step() != "unknown" || w.tube.Inserts() != 1 {
		t.Errorf("got %q and %d uploads", e.Step(), w.tube.Inserts())
	}
}

// Without the last byte there is no video, so a session that is gone is replaced.
func TestUpload_ASessionThatIsGoneBeforeTheLastChunkIsReplacedUnasked(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, sum := film(2 << 20)
	s := halfway(w, a, v)
	w.tube.SetFault("expired", true)
	w.before = func(_ http.ResponseWriter, r *http.Request) bool {
		w.tube.SetFault("expired", r.Method == "PUT" && w.tube.Inserts() == 1)
		return false
	}
	if _, err := s.goOn(w, a, v, about); err != nil {
		t.Fatal(err)
	}
	if all := w.tube.Videos(); len(all) != 1 || all[0].SHA256 != sum || w.tube.Inserts() != 2 {
		t.Errorf("got %d videos of %d uploads", len(all), w.tube.Inserts())
	}
}

func TestUpload_ALookThatFailsOpensNoNewSession(t *testing.T) {
	for _, path := range []string{"/youtube/v3/channels", "/youtube/v3/playlistItems", "/youtube/v3/videos"} {
		for _, answer := range badAnswers {
			t.Run(path+" "+answer.name, func(t *testing.T) {
				w := newWorld(t)
				a := w.account()
				v, _ := film(1000)
				w.lose(404)
				lose := w.before
				w.before = func(rw http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path == path && r.Method == "GET" {
						answer.give(rw)
						return true
					}
					return lose(rw, r)
				}
				var s states
				_, err := s.publish(a, v, about)
				wantAnswer(t, err, answer)
				if w.tube.Inserts() != 1 || s.last.Uploaded.IsZero() {
					t.Errorf("got %d uploads, %#v; want 1, and that its last bytes left", w.tube.Inserts(), s.last)
				}
			})
		}
	}
}

func TestUpload_AnotherVideoOfTheSameTitleAndSizeIsNotTakenForIt(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1000)
	var first states
	if err := first.finish(w, a, v, about); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(time.Hour)
	var s states
	w.lose(404)
	if _, err := s.goOn(w, a, v, about); err != nil {
		t.Fatal(err)
	}
	if all := w.tube.Videos(); len(all) != 2 || s.last.ID != all[1].ID || s.last.ID == first.last.ID {
		t.Errorf("got %d videos, %s; want the newer one", len(all), s.last.ID)
	}
}

// A program that is killed saves nothing any more. At each of these moments it is, and then the session is gone as
// well.
func TestUpload_KilledAtAnyMomentWithASessionThatIsGoneIsNeverTwoVideos(t *testing.T) {
	const size = 3 << 20
	random := rand.New(rand.NewPCG(3, 4))
	unclear := 0
	for i := range 60 {
		at := random.Int64N(size + size/8)
		forget := i%3 > 0 // otherwise the session lives
		t.Run(fmt.Sprintf("%d forget %t", at, forget), func(t *testing.T) {
			w := newWorld(t)
			a := w.account()
			v, sum := film(size)
			ctx, kill := context.WithCancel(context.Background())
			defer kill()
			var s states
			dead, over := false, ""
			w.before = func(rw http.ResponseWriter, r *http.Request) bool {
				session := r.URL.Query().Get("upload_id")
				if over != "" && session == over {
					io.Copy(io.Discard, r.Body)
					rw.WriteHeader(404)
					return true
				}
				if session == "" || dead {
					return false
				}
				if w.tube.BytesIn()+r.ContentLength > at { // on its way, or all of it there
					dead = true
					if forget {
						over = session
					}
					if i%2 == 0 {
						w.tube.ServeHTTP(discard{}, r)
					}
					kill()
					panic(http.ErrAbortHandler)
				}
				return false
			}
			a.Publish(ctx, v, about, State{}, func(next State) error {
				if !dead {
					return s.save(next)
				}
				return nil
			})
			for range 3 {
				_, err := s.goOn(w, a, v, about)
				if err == nil {
					break
				}
				if e, ok := errors.AsType[*Error](err); ok && e.Step() == "unknown" {
					unclear++
					if s.last.Uploaded.IsZero() || !forget {
						t.Errorf("unclear, but the last bytes never left, or the session lives: %#v", s.last)
					}
					if len(w.tube.Videos()) == 1 {
						t.Error("unclear, but the video is there to be found")
					}
					s.last = State{} // a person has looked
					continue
				}
				t.Log(err)
			}
			if all := w.tube.Videos(); len(all) != 1 || all[0].SHA256 != sum || s.last.ID != all[0].ID {
				t.Errorf("got %d videos, %#v", len(all), s.last)
			}
		})
	}
	t.Logf("%d questions in 60 rounds", unclear)
}

func TestUpload_EachErrorSaysWhetherYouTubeConfirmedMore(t *testing.T) {
	for _, status := range []int{500, 502, 503, 504, 429, 403, 0} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w := newWorld(t)
			a := w.account()
			v, sum := film(9 * chunkUnit)
			chunks, broken := 0, map[int]bool{}
			w.before = func(rw http.ResponseWriter, r *http.Request) bool {
				if r.Method != "PUT" {
					return false
				}
				if (chunks == 2 || chunks == 4 || chunks == 6) && !broken[chunks] {
					// A broken connection and a page make the client ask the session, which has to fail as well.
					broken[chunks] = status != 0 && status != 403 || r.ContentLength == 0
					bad{status: status, body: html}.give(rw)
					return true
				}
				if r.ContentLength > 0 {
					chunks++
				}
				return false
			}
			var s states
			failures := 0
			for {
				again, err := s.publish(a, v, about)
				if err == nil && again == 0 {
					break
				}
				if err == nil {
					w.clock.Add(again)
					continue
				}
				failures++
				on, ok := errors.AsType[interface {
					error
					Progressed() bool
				}](err)
				e, isOurs := errors.AsType[*Error](err)
				if !ok || !on.Progressed() || !isOurs || e.Permanent() {
					t.Fatalf("failure %d: got %v, progress %v; want an error with progress", failures, err, ok)
				}
				if failures > 3 {
					t.Fatal("no end")
				}
			}
			if all := w.tube.Videos(); failures != 3 || len(all) != 1 || all[0].SHA256 != sum || w.tube.Inserts() != 1 {
				t.Errorf("got %d failures, %d videos of %d uploads", failures, len(all), w.tube.Inserts())
			}
		})
	}
}

func TestUpload_AStandstillIsNotProgress(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(2 << 20)
	s := halfway(w, a, v)
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == "PUT" && r.ContentLength > 0 {
			io.Copy(io.Discard, r.Body)
			rw.WriteHeader(503)
			return true
		}
		return false
	}
	for range 3 {
		_, err := s.publish(a, v, about)
		if _, on := errors.AsType[interface {
			error
			Progressed() bool
		}](err); on || err == nil {
			t.Fatalf("got %v, progress %v; want none", err, on)
		}
	}
	if s.last.Sent != 3*chunkUnit {
		t.Errorf("got %d bytes; want %d", s.last.Sent, 3*chunkUnit)
	}
}

func TestUpload_WhatIsSavedNowIsSentUntilThereIsASession(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1000)
	var s states
	w.tube.SetFault("quota", true)
	if _, err := s.publish(a, v, about); err == nil {
		t.Fatal("it was not refused")
	}
	w.tube.SetFault("quota", false)
	m := about
	m.Privacy = "private" // saved while it waited
	if err := s.finish(w, a, v, m); err != nil || w.tube.Videos()[0].Privacy != "private" {
		t.Errorf("got %v, %s; want private", err, w.tube.Videos()[0].Privacy)
	}
}

// shut is a file that must not be touched.
type shut struct{ *testing.T }

func (s shut) Read([]byte) (int, error)       { s.Error("the file was read"); return 0, io.EOF }
func (s shut) Seek(int64, int) (int64, error) { s.Error("the file was opened"); return 0, io.EOF }

func TestPublish_NothingIsOpenedOnceTheVideoIsThere(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1000)
	v.Thumb, v.ThumbType = png(), "image/png"
	var s states
	if _, err := s.publish(a, v, about); err != nil || !s.last.ExtrasDone {
		t.Fatalf("got %v, %#v", err, s.last)
	}
	v.File, v.Thumb = shut{t}, shut{t}
	if err := s.finish(w, a, v, about); err != nil {
		t.Fatal(err)
	}
}

// broken is a file that is not there any more.
type broken struct{}

func (broken) Read([]byte) (int, error)       { return 0, errors.New("it is gone") }
func (broken) Seek(int64, int) (int64, error) { return 0, errors.New("it is gone") }

func TestPublish_AMissingThumbnailIsAWarning(t *testing.T) {
	w := newWorld(t)
	v, _ := film(1000)
	v.Thumb, v.ThumbType = broken{}, "image/png"
	var s states
	if err := s.finish(w, w.account(), v, about); err != nil {
		t.Fatal(err)
	}
	if WarningCode(s.last.Warning) != "youtube_thumbnail" || len(w.tube.Videos()) != 1 {
		t.Errorf("got %q", s.last.Warning)
	}
}

func TestPublish_AThumbnailThatMeetsTheQuotaIsSetWhenThatIsBack(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1000)
	v.Thumb, v.ThumbType = png(), "image/png"
	until := w.clock.Now().Add(20 * time.Hour)
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "thumbnails/set") && w.clock.Now().Before(until) {
			rw.WriteHeader(403)
			fmt.Fprint(rw, google("quotaExceeded"))
			return true
		}
		return false
	}
	var s states
	calls, err := s.goOn(w, a, v, about)
	if err != nil || calls > 4 || w.tube.Videos()[0].ThumbSize == 0 || s.last.Warning != "" {
		t.Errorf("got %v after %d calls, %q", err, calls, s.last.Warning)
	}
}
