// The resumable upload: a session that outlives this program and is asked what it has before anything is sent.

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
	chunkUnit  = 256 << 10 // chunks are multiples of this, except for the last
	maxChunk   = 8 << 20
	sessionAge = 6 * 24 * time.Hour // sessions live for a week
	saveEvery  = 500 * time.Millisecond
)

// chunkOf returns the size of a chunk: a cut connection costs a thirty-second of the file at most, or little.
func chunkOf(size int64) int64 {
	n := (size/32 + chunkUnit - 1) / chunkUnit * chunkUnit
	return min(max(n, chunkUnit), maxChunk)
}

// errGone says that there is no such session any more.
var errGone = known("sessionGone", "")

// upload brings the file to YouTube and leaves the video's id in s. It opens no second session while the first one
// may still become a video, or may have become one.
func (a *Account) upload(ctx context.Context, v Video, m Metadata, s *State, save func(State) error) error {
	if s.Session != "" {
		id, err := a.resume(ctx, v, s, save)
		if errors.Is(err, errGone) {
			id, err = a.find(ctx, v, m, s)
		}
		if id != "" || err != nil {
			return a.uploaded(s, id, err, save)
		}
	}
	if err := invalid(m, a.c.now()); err != nil {
		return err
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
	if errors.Is(err, errGone) && !s.Uploaded.IsZero() {
		if id, err = a.find(ctx, v, m, s); id == "" && err == nil {
			err = errGone
		}
	}
	return a.uploaded(s, id, err, save)
}

// uploaded saves the id of the video, unless there is none.
func (a *Account) uploaded(s *State, id string, err error, save func(State) error) error {
	if err != nil {
		return err
	}
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
		return "", unreadable("the answer has no session")
	}
	return session, nil
}

// resume asks the session what it has and sends the rest. It returns errGone if a new session is needed: there is
// none any more, or it is old and has no video.
func (a *Account) resume(ctx context.Context, v Video, s *State, save func(State) error) (id string, err error) {
	at, id, _, err := a.put(ctx, v, s.Session, -1)
	old := a.c.now().Sub(s.Since) > sessionAge
	switch refused, isRefused := errors.AsType[*Error](err); {
	case id != "":
		s.Sent = v.Size
		return id, nil
	case old && err == nil:
		s.Uploaded = time.Time{} // it is not whole
		return "", errGone
	case old && isRefused && refused.status/100 == 4 && refused.class != ended && refused.class != busy:
		return "", errGone
	case err != nil:
		return "", err
	}
	return a.send(ctx, v, s, at, save)
}

// send sends the file from at on, and saves how far it came. A cut connection is not a failure as long as the upload
// makes progress: send asks the session, and goes on from there. It does the same if a chunk is refused, because an
// earlier one, sent before this program was killed, may have arrived since the session was asked.
//
// Before the last chunk leaves, it saves the time in s.Uploaded: from then on there may be a video, whatever becomes
// of the answer, until the session says that it does not have everything.
func (a *Account) send(
	ctx context.Context,
	v Video,
	s *State,
	at int64,
	save func(State) error,
) (id string, err error) {
	saved, last := *s, a.c.now()
	keep := func() error {
		saved, last = *s, a.c.now()
		return save(*s)
	}
	s.Sent, s.Uploaded = at, time.Time{}
	if *s != saved {
		if err := keep(); err != nil {
			return "", err
		}
	}
	defer func() {
		if err != nil && *s != saved {
			err = errors.Join(err, keep())
		}
	}()
	failedAt := int64(-1) // the furthest: when another chunk fails the session must be past it
	for {
		if at+chunkOf(v.Size) >= v.Size {
			s.Uploaded = a.c.now()
			if err := keep(); err != nil {
				return "", err
			}
		}
		next, id, whole, err := a.put(ctx, v, s.Session, at)
		if err != nil && !whole {
			s.Uploaded = time.Time{}
		}
		refused, isRefused := errors.AsType[*Error](err)
		asked := isRefused && refused != errGone && (refused.status == 0 || refused.status/100 == 4) &&
			refused.class != ended && refused.class != busy
		if failed := err; asked {
			if next, id, _, err = a.put(ctx, v, s.Session, -1); err == nil && id == "" {
				s.Sent, s.Uploaded = max(s.Sent, next), time.Time{} // it does not have everything
				if next <= failedAt {
					if err = failed; refused.status == 0 { // the session answers, so YouTube is not away: an attempt
						err = &Error{
							class:   again,
							code:    "youtube_connection",
							reason:  "connection",
							message: refused.message,
						}
					}
				}
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
			s.Uploaded = time.Time{}
			return "", unreadable("a chunk was accepted, but it isn't there")
		}
		s.Uploaded = time.Time{}
		s.Sent, at = next, next
		if a.c.now().Sub(last) >= saveEvery {
			if err := keep(); err != nil {
				return "", err
			}
		}
	}
}

// put sends the chunk that begins at at, or nothing to ask the session what it has (at < 0). It returns how much the
// session has, or the id of the finished video, and whether all bytes of the chunk left.
func (a *Account) put(
	ctx context.Context,
	v Video,
	session string,
	at int64,
) (next int64, id string, whole bool, err error) {
	r := request{method: "PUT", url: session, wait: a.c.stall,
		header: map[string]string{"Content-Range": fmt.Sprintf("bytes */%d", v.Size)}}
	if at >= 0 {
		r.size = min(chunkOf(v.Size), v.Size-at)
		if r.size <= 0 {
			return 0, "", false, unreadable("the session has all bytes, but no video")
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
		return 0, "", got.unsent == 0, err
	}
	next, id, err = a.c.had(got, v.Size)
	return next, id, true, err
}

// had reads the answer of a session: how much it has, or the id of the video.
func (c *Client) had(got answer, size int64) (next int64, id string, err error) {
	switch got.status {
	case http.StatusPermanentRedirect: // here: go on
		had := got.header.Get("Range")
		if had == "" {
			return 0, "", nil // it has nothing; that something was sent proves nothing
		}
		last, err := strconv.ParseInt(strings.TrimPrefix(had, "bytes=0-"), 10, 64)
		if err != nil || last < 0 || last >= size {
			return 0, "", unreadable("the session has an impossible range")
		}
		return last + 1, "", nil
	case http.StatusOK, http.StatusCreated:
		var video struct{ ID string }
		if err := got.read(&video); err != nil {
			return 0, "", err
		}
		if video.ID == "" {
			return 0, "", unreadable("the answer has no video")
		}
		return 0, video.ID, nil
	case http.StatusNotFound, http.StatusGone:
		return 0, "", errGone
	}
	return 0, "", c.refusal(got)
}
