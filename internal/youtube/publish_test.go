// Publishing against the fake: what arrives, what is saved when, and what trouble does to it.

package youtube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPublish_AVideoIsPublishedWithAllThatIsSaidAboutIt(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, sum := film(5 << 20)
	v.Thumb, v.ThumbType = png(), "image/png"
	m := about
	m.Playlist, m.Synthetic, m.Notify = "PLgreetings", true, true
	var s states
	if err := s.finish(w, a, v, m); err != nil {
		t.Fatal(err)
	}
	if len(w.tube.Videos()) != 1 {
		t.Fatalf("got %d videos; want 1", len(w.tube.Videos()))
	}
	got := w.tube.Videos()[0]
	if got.SHA256 != sum || got.Title != m.Title || got.Description != m.Description ||
		!slices.Equal(got.Tags, m.Tags) || got.Category != "22" ||
		got.Language != "en" || got.Privacy != "unlisted" || !got.Notify || got.Kids == nil || !*got.Kids ||
		got.Synthetic == nil || !*got.Synthetic ||
		got.ThumbSize == 0 || !slices.Equal(got.Playlists, []string{"PLgreetings"}) ||
		got.Channel != north {
		t.Errorf("got %+v", got)
	}
	if end := s.last; end.ID != got.ID || end.Step != "" || !end.ExtrasDone || end.Warning != "" || end.Session != "" ||
		end.Sent != v.Size {
		t.Errorf("got %#v", end)
	}
	if w.tube.BytesIn() != v.Size || w.tube.Inserts() != 1 {
		t.Errorf("got %d bytes in %d uploads; want %d in 1", w.tube.BytesIn(), w.tube.Inserts(), v.Size)
	}
	if at := w.client.Watch(got.ID); at != got.URL {
		t.Errorf("got %s; want %s", at, got.URL)
	}
	res, err := http.Get(got.URL)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("it does not play: %v", err)
	}
	res.Body.Close()
}

func TestPublish_WhatIsNotSoIsSaidToo(t *testing.T) {
	w := newWorld(t)
	v, _ := film(1000)
	m := about
	m.Kids, m.Tags, m.Language = false, nil, ""
	var s states
	if err := s.finish(w, w.account(), v, m); err != nil {
		t.Fatal(err)
	}
	got := w.tube.Videos()[0]
	if got.Kids == nil || *got.Kids || got.Synthetic == nil || *got.Synthetic || got.Notify {
		t.Errorf("got %+v", got)
	}
}

func TestPublish_TheSessionIsSavedBeforeTheFirstByteAndTheIDAtOnce(t *testing.T) {
	w := newWorld(t)
	v, _ := film(4 << 20)
	var last State
	saves := 0
	_, err := w.account().Publish(context.Background(), v, about, State{}, func(s State) error {
		saves++
		switch {
		case saves == 1 && (s.Session == "" || s.Step != "uploading" || w.tube.BytesIn() != 0):
			t.Errorf("first: got %#v after %d bytes", s, w.tube.BytesIn())
		case s.ID != "" && last.ID == "" && (s.Step != "processing" || s.Session != "" || s.Uploaded.IsZero()):
			t.Errorf("with the id: got %#v", s)
		}
		last = s
		return nil
	})
	if err != nil || last.ID == "" {
		t.Fatalf("got %#v, %v", last, err)
	}
	full := errors.New("the disk is full")
	if _, err := w.account().
		Publish(context.Background(), v, about, State{}, func(State) error { return full }); !errors.Is(
		err,
		full,
	) {
		t.Errorf("got %v; want %v", err, full)
	}
	if w.tube.BytesIn() != v.Size {
		t.Error("bytes were sent though the session could not be saved")
	}
}

func TestPublish_ProgressIsSavedTwiceASecondAtMost(t *testing.T) {
	w := newWorld(t)
	v, _ := film(8 << 20) // 32 chunks
	a := w.account()
	w.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == "PUT" {
			w.clock.Add(100 * time.Millisecond)
		}
		return false
	}
	var s states
	if _, err := s.publish(a, v, about); err != nil {
		t.Fatal(err)
	}
	var sent []int64
	for _, one := range s.all {
		if one.ID == "" {
			sent = append(sent, one.Sent>>18)
		}
	}
	if want := []int64{0, 5, 10, 15, 20, 25, 30, 31}; !slices.Equal(sent, want) {
		t.Errorf("got %v; want %v", sent, want)
	}
}

func TestPublish_ChunksAreAThirtySecondOfTheFileInSteps(t *testing.T) {
	for _, one := range [][2]int64{{1, 256 << 10}, {8 << 20, 256 << 10}, {8<<20 + 1, 256 << 10}, {9 << 20, 512 << 10},
		{100 << 20, 3328 << 10}, {1 << 40, 8 << 20}} {
		if got := chunkOf(one[0]); got != one[1] {
			t.Errorf("%d: got %d; want %d", one[0], got, one[1])
		}
	}
}

func TestPublish_ASchedule(t *testing.T) {
	w := newWorld(t)
	v, _ := film(1000)
	m := about
	m.Privacy, m.PublishAt = "public", w.clock.Now().Add(time.Hour)
	var s states
	if err := s.finish(w, w.account(), v, m); err != nil {
		t.Fatal(err)
	}
	if got := w.tube.Videos()[0]; got.Privacy != "private" || !got.PublishAt.Equal(m.PublishAt) ||
		s.last.Warning != "" {
		t.Errorf("got %+v, %q", got, s.last.Warning)
	}
	w.clock.Add(time.Hour)
	if got := w.tube.Videos()[0]; got.Privacy != "public" {
		t.Errorf("got %s; want public", got.Privacy)
	}
	late := states{} // the time passed while it waited
	if err := late.finish(w, w.account(), v, m); err != nil {
		t.Fatal(err)
	}
	if got := w.tube.Videos()[1]; got.Privacy != "public" || late.last.Warning != "" {
		t.Errorf("late: got %s, %q", got.Privacy, late.last.Warning)
	}
}

func TestPublish_TroubleThatEndsAndThePublicationGoesOn(t *testing.T) {
	for _, one := range []struct {
		fault, reason, step string
		wait                time.Duration
		ended               bool
	}{
		{fault: "unavailable", reason: "http503", wait: 30 * time.Second},
		{fault: "signin", reason: "http503", wait: 30 * time.Second},
		{fault: "blocked", reason: "http403", wait: 30 * time.Second},
		{fault: "cut", reason: "connection"},
		{fault: "quota", reason: "quotaExceeded", step: "quota", wait: 19 * time.Hour},
		{fault: "limit", reason: "uploadLimitExceeded", step: "limit", wait: 24 * time.Hour},
		{fault: "badtoken", reason: "authError", step: "reconnect", ended: true},
		{fault: "revoked", reason: "invalid_grant", step: "reconnect", ended: true},
	} {
		t.Run(one.fault, func(t *testing.T) {
			w := newWorld(t)
			a := w.account()
			v, sum := film(2 << 20)
			var s states
			w.clock.Add(time.Hour) // the token has to be refreshed
			w.tube.SetFault(one.fault, true)
			_, err := s.publish(a, v, about)
			e := wantError(t, err, one.reason)
			wait, waits := e.RetryAfter()
			if e.Step() != one.step || waits != (one.wait > 0) || wait != one.wait || e.AccessEnded() != one.ended ||
				e.WholeApp() != (one.step == "quota") {
				t.Errorf("got %q, wait %v", e.Step(), wait)
			}
			if len(w.tube.Videos()) != 0 {
				t.Error("there is a video")
			}
			w.tube.SetFault(one.fault, false)
			if err := s.finish(w, a, v, about); err != nil {
				t.Fatal(err)
			}
			if all := w.tube.Videos(); len(all) != 1 || all[0].SHA256 != sum || w.tube.Inserts() != 1 {
				t.Errorf("got %d videos of %d uploads", len(all), w.tube.Inserts())
			}
		})
	}
}

func TestALostLastAnswerIsNoSecondVideo(t *testing.T) {
	w := newWorld(t)
	v, sum := film(1 << 20)
	a := w.account()
	w.tube.SetFault("lost", true)
	var s states
	if err := s.finish(w, a, v, about); err != nil {
		t.Fatal(err)
	}
	if all := w.tube.Videos(); len(all) != 1 || all[0].SHA256 != sum || w.tube.BytesIn() != v.Size {
		t.Errorf("got %d videos, %d bytes", len(all), w.tube.BytesIn())
	}
}

func TestAVideoWhoseIDCouldNotBeSavedIsFoundAgain(t *testing.T) {
	w := newWorld(t)
	v, _ := film(1 << 20)
	a := w.account()
	var s states
	full := errors.New("the disk is full")
	_, err := a.Publish(context.Background(), v, about, State{}, func(next State) error {
		if next.ID != "" {
			return full
		}
		return s.save(next)
	})
	if !errors.Is(err, full) {
		t.Fatalf("got %v; want %v", err, full)
	}
	w.clock.Add(7 * 24 * time.Hour) // the session is old by now, but holds the video
	if err := s.finish(w, a, v, about); err != nil {
		t.Fatal(err)
	}
	if n := len(w.tube.Videos()); n != 1 || w.tube.Inserts() != 1 {
		t.Errorf("got %d videos of %d uploads; want 1 of 1", n, w.tube.Inserts())
	}
}

// halfway leaves an upload in the middle.
func halfway(w *world, a *Account, v Video) *states {
	w.Helper()
	s := &states{}
	n := 0
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != "PUT" {
			return false
		}
		w.clock.Add(time.Second)
		if n++; n < 4 {
			return false
		}
		io.Copy(io.Discard, r.Body)
		rw.WriteHeader(503)
		return true
	}
	_, err := s.publish(a, v, about)
	wantError(w.T, err, "http503")
	w.before = nil
	return s
}

func TestPublish_AGoneSessionIsReplacedOnceACall(t *testing.T) {
	for _, status := range []int{404, 410} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w := newWorld(t)
			a := w.account()
			v, sum := film(2 << 20)
			s := halfway(w, a, v)
			w.before = func(rw http.ResponseWriter, r *http.Request) bool {
				if r.Method == "PUT" {
					io.Copy(io.Discard, r.Body)
					rw.WriteHeader(status)
				}
				return r.Method == "PUT"
			}
			_, err := s.publish(a, v, about)
			if e := wantError(t, err, "sessionGone"); e.Permanent() || w.tube.Inserts() != 2 {
				t.Errorf("got %d uploads; want 2", w.tube.Inserts())
			}
			w.before = nil
			if err := s.finish(w, a, v, about); err != nil {
				t.Fatal(err)
			}
			if all := w.tube.Videos(); len(all) != 1 || all[0].SHA256 != sum {
				t.Errorf("got %d videos", len(all))
			}
		})
	}
}

func TestPublish_AnOldSessionIsGivenUp(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(2 << 20)
	s := halfway(w, a, v)
	w.clock.Add(6*24*time.Hour + time.Minute)
	if err := s.finish(w, a, v, about); err != nil {
		t.Fatal(err)
	}
	if w.tube.Inserts() != 2 || len(w.tube.Videos()) != 1 {
		t.Errorf("got %d videos of %d uploads; want 1 of 2", len(w.tube.Videos()), w.tube.Inserts())
	}
}

func TestPublish_AnUploadGoesOnWhereItStopped(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, sum := film(2 << 20)
	s := halfway(w, a, v)
	if s.last.Sent != 3*chunkUnit {
		t.Errorf("got %d saved; want %d", s.last.Sent, 3*chunkUnit)
	}
	if err := s.finish(w, a, v, about); err != nil {
		t.Fatal(err)
	}
	if all := w.tube.Videos(); len(all) != 1 || all[0].SHA256 != sum || w.tube.BytesIn() != v.Size {
		t.Errorf("got %d videos of %d bytes; want 1 of %d", len(all), w.tube.BytesIn(), v.Size)
	}
}

func TestPublish_AChunkThatArrivesLateIsNoFailure(t *testing.T) {
	for name, before := range map[string]int{"after the session was asked": 1,
		"after it has cut the one that is sent again": 3} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.account()
			v, sum := film(2 << 20)
			s := halfway(w, a, v)
			puts := 0
			w.before = func(rw http.ResponseWriter, r *http.Request) bool {
				if r.Method != "PUT" || puts == before {
					return false
				}
				puts++
				if r.ContentLength > 0 {
					panic(http.ErrAbortHandler)
				}
				rw.Header().Set("Range", fmt.Sprintf("bytes=0-%d", 2*chunkUnit-1)) // the third chunk is not in yet
				rw.WriteHeader(308)
				return true
			}
			if err := s.finish(w, a, v, about); err != nil {
				t.Fatal(err)
			}
			if all := w.tube.Videos(); len(all) != 1 || all[0].SHA256 != sum {
				t.Errorf("got %d videos", len(all))
			}
		})
	}
}

func TestPublish_ASessionThatRefusesEachChunkEndsTheUpload(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(2 << 20)
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != "PUT" {
			return false
		}
		rw.WriteHeader(map[bool]int{true: 308, false: 400}[r.ContentLength == 0])
		return true
	}
	_, err := new(states).publish(a, v, about)
	if e := wantError(t, err, "http400"); e.Permanent() || !e.Unreachable() {
		t.Error("an answer that isn't YouTube's ended the publication")
	}
}

func TestPublish_WithoutARangeNothingArrived(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, sum := film(2 << 20)
	n := 0
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != "PUT" {
			return false
		}
		if n++; n == 1 { // the first chunk is swallowed
			io.Copy(io.Discard, r.Body)
			rw.WriteHeader(308)
			return true
		}
		return false
	}
	var s states
	_, err := s.publish(a, v, about)
	if e := wantError(t, err, "connection"); e.Permanent() {
		t.Error("it is not tried again")
	}
	if err := s.finish(w, a, v, about); err != nil {
		t.Fatal(err)
	}
	if all := w.tube.Videos(); len(all) != 1 || all[0].SHA256 != sum {
		t.Errorf("got %d videos", len(all))
	}
}

func TestPublish_ASessionThatMovesIsNotFollowed(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1000)
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == "PUT" {
			http.Redirect(rw, r, "/elsewhere", http.StatusTemporaryRedirect)
		} else if r.URL.Path == "/elsewhere" {
			t.Error("the video was sent elsewhere")
		}
		return r.Method == "PUT"
	}
	_, err := new(states).publish(a, v, about)
	wantError(t, err, "http307")
}

func TestAStalledUploadEnds(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1 << 20)
	w.client.stall = 50 * time.Millisecond
	over := make(chan struct{})
	defer close(over)
	w.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == "PUT" {
			select {
			case <-over:
			case <-r.Context().Done():
			}
		}
		return r.Method == "PUT"
	}
	_, err := new(states).publish(a, v, about)
	if e := wantError(t, err, "connection"); !strings.Contains(e.Error(), "nothing moved") {
		t.Errorf("got %v", e)
	}
}

func TestPublish_AFileThatCannotBeReadIsNoConnectionProblem(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1 << 20)
	v.Size += 1000
	_, err := new(states).publish(a, v, about)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v; want %v", err, io.ErrUnexpectedEOF)
	}
}

func TestPublish_AFileIsNotReadOnceTheAnswerCame(t *testing.T) {
	file := strings.NewReader("bytes")
	s := &source{from: file, left: 5, moved: func() {}}
	s.stop()
	if n, err := s.Read(make([]byte, 5)); n != 0 || err == nil || file.Len() != 5 {
		t.Errorf("got %d bytes, %v", n, err)
	}
}

func TestPublish_ErrorsAndStatesOfFailedUploadsTellNoSecret(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(2 << 20)
	s := halfway(w, a, v)
	w.front.Close()
	_, err := s.publish(a, v, about)
	wantError(t, err, "connection")
	for _, secret := range []string{"Put ", "://", "upload_id", "ya29", "1//", s.last.Session} {
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, secret) {
			t.Errorf("got %s", text)
		}
	}
}

func TestPublish_WhatFailsAfterTheUploadIsAWarning(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1000)
	v.Thumb, v.ThumbType = png(), "image/png"
	m := about
	m.Playlist, m.Privacy = "PLnone", "public"
	w.tube.SetFault("thumbnail", true)
	w.tube.SetFault("private", true)
	var s states
	if err := s.finish(w, a, v, m); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.SplitSeq(s.last.Warning, "\n") {
		reason, _, _ := strings.Cut(strings.TrimPrefix(line, "youtube "), ":")
		got = append(got, reason)
	}
	if want := []string{
		"privacy-private",
		"thumbnail-forbidden",
		"playlist-playlistNotFound",
	}; !slices.Equal(
		got,
		want,
	) {
		t.Errorf("got %v; want %v", got, want)
	}
}

func TestPublish_APictureThatIsTakenOnlyAfterProcessingIsNoWarning(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1000)
	v.Thumb, v.ThumbType = png(), "image/png"
	m := about
	m.Playlist = "PLgreetings"
	w.tube.SetFault("thumbnail", true)
	var s states
	if _, err := s.publish(a, v, m); err != nil {
		t.Fatal(err)
	}
	w.tube.SetFault("thumbnail", false)
	w.clock.Add(10 * time.Second)
	if again, err := s.publish(a, v, m); err != nil || again != 0 {
		t.Fatalf("got %v, %v", again, err)
	}
	got := w.tube.Videos()[0]
	if s.last.Warning != "" || got.ThumbSize == 0 || !slices.Equal(got.Playlists, []string{"PLgreetings"}) {
		t.Errorf("got %q, %+v", s.last.Warning, got)
	}
}

func TestPublish_AVideoIsInItsPlaylistOnce(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	v, _ := film(1000)
	m := about
	m.Playlist = "PLgreetings"
	lost := false
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == "POST" && r.URL.Path == "/youtube/v3/playlistItems" && !lost {
			lost = true
			w.tube.ServeHTTP(discard{}, r)
			panic(http.ErrAbortHandler)
		}
		return false
	}
	var s states
	if err := s.finish(w, a, v, m); err != nil {
		t.Fatal(err)
	}
	if !lost || s.last.Warning != "" {
		t.Errorf("got %q", s.last.Warning)
	}
	if n := w.tube.PlaylistSize("PLgreetings"); n != 1 {
		t.Errorf("got %d times; want once", n)
	}
}

// discard is an answer that nobody gets.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

func TestPublish_YouTubeIsAskedLessAndLessOften(t *testing.T) {
	w := newWorld(t)
	v, _ := film(1000)
	a := w.account()
	w.tube.SetFault("slow", true)
	var s states
	var got []time.Duration
	for {
		again, err := s.publish(a, v, about)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, again/time.Second)
		if again == 0 {
			break
		}
		w.clock.Add(again)
	}
	if want := []time.Duration{10, 20, 40, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
}

func TestPublish_ProcessingThatNeverEndsIsAWarningAfterADay(t *testing.T) {
	w := newWorld(t)
	v, _ := film(1000)
	a := w.account()
	asked := 0
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != "GET" || r.URL.Path != "/youtube/v3/videos" {
			return false
		}
		if asked++; asked%2 == 0 { // a question that fails says nothing about the video
			rw.WriteHeader(503)
			return true
		}
		fmt.Fprint(rw, `{"kind":"youtube#videoListResponse","items":[{"id":"x","status":{"uploadStatus":"uploaded"}}]}`)
		return true
	}
	var s states
	began := w.clock.Now()
	if err := s.finish(w, a, v, about); err != nil {
		t.Fatal(err)
	}
	if took := w.clock.Now().Sub(began); took < 24*time.Hour || took > 25*time.Hour || asked > 300 {
		t.Errorf("got %v and %d questions", took, asked)
	}
	if !strings.HasPrefix(s.last.Warning, "youtube processing-slow: ") || s.last.Step != "" {
		t.Errorf("got %#v", s.last.Warning)
	}
}

func TestPublish_AVideoThatYouTubeRefusesAfterTheUpload(t *testing.T) {
	w := newWorld(t)
	v, _ := film(1000)
	a := w.account()
	w.tube.SetFault("rejected", true)
	var s states
	e := wantError(t, s.finish(w, a, v, about), "rejected-copyright")
	if !e.Permanent() || e.Step() != "rejected" || s.last.ID != w.tube.Videos()[0].ID {
		t.Errorf("got %q with the video %q", e.Step(), s.last.ID)
	}
	for _, one := range []struct{ status, reason, step string }{
		{`"status":{"uploadStatus":"failed","failureReason":"codec"}`, "processing-failed-codec", "rejected"},
		{`"status":{"uploadStatus":"uploaded"},` +
			`"processingDetails":{"processingStatus":"failed","processingFailureReason":"transcodeFailed"}`,
			"processing-failed-transcodeFailed", "rejected"},
		{`"status":{"uploadStatus":"uploaded"},"processingDetails":{"processingStatus":"terminated"}`,
			"processing-failed-terminated", "rejected"},
		{`"status":{"uploadStatus":"deleted"}`, "videoNotFound", "rejected"},
	} {
		w.before = func(rw http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprintf(rw, `{"kind":"youtube#videoListResponse","items":[{%s}]}`, one.status)
			return true
		}
		_, err := s.publish(a, v, about)
		if e := wantError(t, err, one.reason); !e.Permanent() || e.Step() != one.step {
			t.Errorf("%s: got %q", one.reason, e.Step())
		}
	}
}

func TestPublish_ANewVideoThatIsNotListedYetIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	v, _ := film(1000)
	a := w.account()
	var s states
	if _, err := s.publish(a, v, about); err != nil {
		t.Fatal(err)
	}
	w.before = func(rw http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(rw, `{"kind":"youtube#listResponse","items":[]}`)
		return true
	}
	if again, err := s.publish(a, v, about); err != nil || again == 0 {
		t.Errorf("got %v, %v", again, err)
	}
	w.clock.Add(time.Hour / 2)
	for range 2 { // one empty answer is not final, nor is a second one at once
		if again, err := s.publish(a, v, about); err != nil || again != MissingFor {
			t.Errorf("got %v, %v; want another look", again, err)
		}
	}
	w.clock.Add(MissingFor)
	_, err := s.publish(a, v, about)
	if e := wantError(t, err, "videoNotFound"); e.Step() != "rejected" || e.Code() != "youtube_gone" {
		t.Errorf("got %q, %q; want a Retry to upload it again", e.Step(), e.Code())
	}
	w.before = nil
	w.clock.Add(MissingFor)
	if again, err := s.publish(a, v, about); err != nil || again != 0 {
		t.Errorf("listed again: got %v, %v", again, err)
	}
}
