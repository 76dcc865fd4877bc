// The resumable upload: a session that outlives this program, asked what it has before anything is sent.

package youtube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	chunkUnit  = 256 << 10 // chunks are multiples of this, but for the last
	maxChunk   = 8 << 20
	sessionAge = 6 * 24 * time.Hour // sessions live for a week
	saveEvery  = 500 * time.Millisecond
)

// chunkOf returns the size of a chunk: what is lost when one is cut is a thirty-second of the file at most, or small.
func chunkOf(size int64) int64 {
	n := (size/32 + chunkUnit - 1) / chunkUnit * chunkUnit
	return min(max(n, chunkUnit), maxChunk)
}

// errGone says that there is no such session (any more).
var errGone = &Error{class: transient, reason: "sessionGone"}

// upload brings the file to YouTube and leaves the video's id in s. No second session is begun while the first one may still
// become a video.
func (a *Account) upload(ctx context.Context, v Video, m Metadata, s *State, save func(State) error) error {
	if s.Session != "" {
		id, err := a.goOn(ctx, v, s, save)
		if err == nil {
			return a.uploaded(s, id, save)
		}
		if !errors.Is(err, errGone) {
			return err
		}
	}
	session, err := a.begin(ctx, v, m)
	if err != nil {
		return err
	}
	*s = State{Session: session, Since: a.c.now(), Step: "uploading"}
	if err := save(*s); err != nil {
		return err
	}
	id, err := a.send(ctx, v, s, 0, save)
	if err != nil {
		return err
	}
	return a.uploaded(s, id, save)
}

func (a *Account) uploaded(s *State, id string, save func(State) error) error {
	*s = State{ID: id, Sent: s.Sent, Step: "processing", Uploaded: a.c.now()}
	return save(*s)
}

// begin opens a session. There is no video before its last byte.
func (a *Account) begin(ctx context.Context, v Video, m Metadata) (string, error) {
	r, err := a.c.api("POST", "/upload/youtube/v3/videos", url.Values{
		"uploadType": {"resumable"}, "part": {"snippet,status"}, "notifySubscribers": {strconv.FormatBool(m.Notify)},
	}, m.resource(a.c.now()))
	if err != nil {
		return "", err
	}
	r.header["X-Upload-Content-Type"] = v.Type
	r.header["X-Upload-Content-Length"] = strconv.FormatInt(v.Size, 10)
	got, err := a.do(ctx, r)
	if err != nil {
		return "", err
	}
	if got.status/100 != 2 {
		return "", a.c.refusal(got)
	}
	session := got.header.Get("Location")
	if session == "" {
		return "", cut("the answer has no session")
	}
	return session, nil
}

// goOn asks the session what it has and sends the rest. errGone asks for a new session; an old one is given up unless the video
// is in it.
func (a *Account) goOn(ctx context.Context, v Video, s *State, save func(State) error) (id string, err error) {
	at, id, err := a.put(ctx, v, s.Session, -1)
	old := a.c.now().Sub(s.Since) > sessionAge
	var refused *Error
	switch {
	case id != "":
		s.Sent = v.Size
		return id, nil
	case old && (err == nil || errors.As(err, &refused) && refused.class == permanent):
		return "", errGone
	case err != nil:
		return "", err
	}
	return a.send(ctx, v, s, at, save)
}

// send sends the file from at on. A cut connection is no failure as long as the upload comes forward: the session is asked, and
// the rest is sent. So is a chunk that is refused: an earlier one, sent before this program was killed, may have arrived since
// the session was asked, and may have cut another one before.
func (a *Account) send(ctx context.Context, v Video, s *State, at int64, save func(State) error) (id string, err error) {
	failedAt := int64(-1) // the furthest: when another chunk fails the session must be past it
	saved := a.c.now()
	if s.Sent = at; at > 0 {
		if err := save(*s); err != nil {
			return "", err
		}
	}
	for {
		next, id, err := a.put(ctx, v, s.Session, at)
		var e *Error
		asked := errors.As(err, &e) && (e.class == permanent || e.reason == "connection")
		if failed := err; asked {
			if next, id, err = a.put(ctx, v, s.Session, -1); err == nil && id == "" && next <= failedAt {
				err = failed
			}
			failedAt = max(failedAt, at)
		}
		switch {
		case err != nil:
			return "", err
		case id != "":
			s.Sent = v.Size
			return id, nil
		case next <= at && !asked:
			return "", cut("a chunk was taken, and is not there")
		}
		s.Sent, at = next, next
		if now := a.c.now(); now.Sub(saved) >= saveEvery {
			saved = now
			if err := save(*s); err != nil {
				return "", err
			}
		}
	}
}

// put sends the chunk that begins at at, or none to ask the session what it has (at < 0). It returns how much the session has, or
// the id of the finished video.
func (a *Account) put(ctx context.Context, v Video, session string, at int64) (next int64, id string, err error) {
	r := request{method: "PUT", url: session, header: map[string]string{"Content-Range": fmt.Sprintf("bytes */%d", v.Size)}, wait: a.c.stall}
	if at >= 0 {
		r.size = min(chunkOf(v.Size), v.Size-at)
		if r.size <= 0 {
			return 0, "", cut("all bytes are there, and no video")
		}
		r.header["Content-Range"] = fmt.Sprintf("bytes %d-%d/%d", at, at+r.size-1, v.Size)
		r.header["Content-Type"] = v.Type
		r.body = func() (io.Reader, error) {
			_, err := v.File.Seek(at, io.SeekStart)
			return v.File, err
		}
	}
	got, err := a.do(ctx, r)
	if err != nil {
		return 0, "", err
	}
	switch got.status {
	case http.StatusPermanentRedirect: // here: go on
		had := got.header.Get("Range")
		if had == "" {
			return 0, "", nil // it has nothing; what was sent is no proof
		}
		last, err := strconv.ParseInt(strings.TrimPrefix(had, "bytes=0-"), 10, 64)
		if err != nil || last < 0 || last >= v.Size {
			return 0, "", cut("the session has a range that cannot be")
		}
		return last + 1, "", nil
	case http.StatusOK, http.StatusCreated:
		var video struct{ ID string }
		if err := got.read(&video); err != nil {
			return 0, "", err
		}
		if video.ID == "" {
			return 0, "", cut("the answer has no video")
		}
		return 0, video.ID, nil
	case http.StatusNotFound, http.StatusGone:
		return 0, "", errGone
	}
	return 0, "", a.c.refusal(got)
}
