// Publishing: from a file to a video that YouTube has worked on.

package youtube

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// State is how far a publication has come; the caller keeps it.
type State struct {
	Session  string    `json:"session"` // the address of the upload: as good as a token while it lasts
	Since    time.Time `json:"since"`   // when the session began
	Sent     int64     `json:"sent"`    // bytes that YouTube has
	ID       string    `json:"id"`      // of the video, which exists from then on
	Step     string    `json:"step"`    // "uploading", "processing", "" when done
	Uploaded time.Time `json:"uploaded"`
	Dressed  bool      `json:"dressed"` // thumbnail and playlist were seen to
	Warning  string    `json:"warning"` // what went wrong though the video is published; a line each: "youtube REASON: message"
}

func (State) String() string       { return hidden }
func (State) GoString() string     { return hidden }
func (State) LogValue() slog.Value { return slog.StringValue(hidden) }

// Video is what is uploaded.
type Video struct {
	File      io.ReadSeeker
	Size      int64
	Type      string        // as video/mp4
	Thumb     io.ReadSeeker // nil: none
	ThumbType string
}

// Metadata is what is said about a video.
type Metadata struct {
	Title, Description          string
	Tags                        []string
	Language, Privacy, Category string
	Playlist                    string // id; "" none
	Kids, Synthetic, Notify     bool
	PublishAt                   time.Time // zero: at once
}

const (
	firstAsk   = 10 * time.Second // after the upload YouTube is asked how it is doing
	lastAsk    = 5 * time.Minute
	longestAsk = 24 * time.Hour
	listDelay  = 10 * time.Minute // a new video may not be listed at once
)

// Publish goes on from s until YouTube has the video and has worked on it. again > 0 asks for another call after that time;
// 0 and no error: done. save keeps the state: the session before the first byte, the id once there is a video, and how much was
// sent, twice a second at most.
func (a *Account) Publish(ctx context.Context, v Video, m Metadata, s State, save func(State) error) (again time.Duration, err error) {
	if s.ID == "" {
		if err := a.upload(ctx, v, m, &s, save); err != nil {
			return 0, err
		}
		// What fails now is tried once more when YouTube is done: some videos take no picture before.
		warnings, err := a.dress(ctx, v, m, s.ID)
		if err != nil {
			return 0, err
		}
		if len(warnings) == 0 {
			s.Dressed = true
			if err := save(s); err != nil {
				return 0, err
			}
		}
		return firstAsk, nil
	}
	age := a.c.now().Sub(s.Uploaded)
	warnings, done, err := a.look(ctx, m, s.ID, age)
	if err != nil {
		return 0, err
	}
	if !done {
		return min(max(age+firstAsk, firstAsk), lastAsk), nil
	}
	if !s.Dressed {
		more, err := a.dress(ctx, v, m, s.ID)
		if err != nil {
			return 0, err
		}
		warnings = append(warnings, more...)
	}
	s.Dressed, s.Step, s.Warning = true, "", strings.Join(warnings, "\n")
	return 0, save(s)
}

// dress adds the picture and puts the video into its playlist. What fails there is a warning: the video is published.
func (a *Account) dress(ctx context.Context, v Video, m Metadata, id string) (warnings []string, err error) {
	if v.Thumb != nil {
		warnings = warn(warnings, "thumbnail", a.picture(ctx, v, id))
	}
	if m.Playlist != "" {
		warnings = warn(warnings, "playlist", a.list(ctx, m.Playlist, id))
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return warnings, nil
}

// warn makes a warning of an error.
func warn(warnings []string, what string, err error) []string {
	var e *Error
	switch {
	case err == nil:
		return warnings
	case errors.As(err, &e):
		return append(warnings, (&Error{reason: what + "-" + e.reason, message: e.message}).Error())
	}
	return append(warnings, (&Error{reason: what + "-file", message: "it cannot be read"}).Error())
}

// picture sets the video's thumbnail.
func (a *Account) picture(ctx context.Context, v Video, id string) error {
	size, err := v.Thumb.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	r, err := a.c.api("POST", "/upload/youtube/v3/thumbnails/set", url.Values{"videoId": {id}, "uploadType": {"media"}}, nil)
	if err != nil {
		return err
	}
	r.header["Content-Type"] = v.ThumbType
	r.size, r.wait = size, a.c.stall
	r.body = func() (io.Reader, error) {
		_, err := v.Thumb.Seek(0, io.SeekStart)
		return v.Thumb, err
	}
	got, err := a.do(ctx, r)
	if err == nil && got.status/100 != 2 {
		err = a.c.refusal(got)
	}
	return err
}

// list puts the video into the playlist, unless it is there.
func (a *Account) list(ctx context.Context, playlist, id string) error {
	var v struct{ Items []struct{ ID string } }
	err := a.call(ctx, "GET", "/youtube/v3/playlistItems", url.Values{"part": {"id"}, "playlistId": {playlist}, "videoId": {id}}, nil, &v)
	if err != nil || len(v.Items) > 0 {
		return err
	}
	return a.call(ctx, "POST", "/youtube/v3/playlistItems", url.Values{"part": {"snippet"}}, map[string]any{"snippet": map[string]any{
		"playlistId": playlist, "resourceId": map[string]string{"kind": "youtube#video", "videoId": id},
	}}, nil)
}

// deleted is a video that somebody took away on YouTube: only a new upload helps, as with one that is rejected.
var deleted = &Error{class: rejected, reason: "videoNotFound", message: "the video is deleted"}

// look asks how YouTube is doing with the video. Trouble with the question is no trouble with the video: it is asked again.
func (a *Account) look(ctx context.Context, m Metadata, id string, age time.Duration) (warnings []string, done bool, err error) {
	late := age >= longestAsk
	defer func() {
		if late && err == nil && !done {
			warnings, done = []string{(&Error{reason: "processing-slow", message: "YouTube has worked on it for a day"}).Error()}, true
		}
	}()
	v, err := a.load(ctx, id, "status,processingDetails")
	var e *Error
	switch {
	case is(err, "videoNotFound") && age < listDelay:
		return nil, false, nil
	case errors.As(err, &e) && !e.Permanent():
		return nil, false, nil
	case is(err, "videoNotFound"):
		return nil, false, deleted
	case err != nil:
		return nil, false, err
	}
	switch p := v.Processing; {
	case v.Status.UploadStatus == "failed":
		return nil, false, &Error{class: rejected, reason: "processing-failed-" + tidy(v.Status.FailureReason)}
	case v.Status.UploadStatus == "rejected":
		return nil, false, &Error{class: rejected, reason: "rejected-" + tidy(v.Status.RejectionReason)}
	case v.Status.UploadStatus == "deleted":
		return nil, false, deleted
	case p != nil && p.ProcessingStatus == "failed":
		return nil, false, &Error{class: rejected, reason: "processing-failed-" + tidy(p.FailureReason)}
	case p != nil && p.ProcessingStatus == "terminated":
		return nil, false, &Error{class: rejected, reason: "processing-failed-terminated"}
	case v.Status.UploadStatus != "processed":
		return nil, false, nil
	}
	return a.seen(m, v.Status), true, nil
}

// seen compares who sees the video with who should.
func (a *Account) seen(m Metadata, is *status) []string {
	e := &Error{reason: "privacy-" + is.Privacy, message: "asked for " + m.Privacy}
	switch {
	case is.Privacy == m.Privacy && m.PublishAt.IsZero(), is.Privacy == "public" && !m.PublishAt.IsZero():
		return nil
	case is.Privacy == "private" && m.PublishAt.After(a.c.now()):
		if is.PublishAt != "" {
			return nil
		}
		e = &Error{reason: "privacy-unscheduled", message: "asked for " + m.PublishAt.UTC().Format(time.RFC3339)}
	}
	return []string{e.Error()}
}
