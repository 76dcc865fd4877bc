// Publishing: from a file to a video that YouTube has processed.

package youtube

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// State is how far a publication has come; the caller stores it.
type State struct {
	Session string    `json:"session"` // the address of the upload: as good as a token while it lasts
	Since   time.Time `json:"since"`   // when the session began
	Sent    int64     `json:"sent"`    // bytes that YouTube has
	ID      string    `json:"id"`      // of the video, which exists from then on
	Step    string    `json:"step"`    // "uploading", "processing", "" when done
	// Uploaded is when YouTube had all of the video. Without an ID it is when the last bytes left: the video may
	// exist then.
	Uploaded   time.Time `json:"uploaded"`
	ExtrasDone bool      `json:"extras_done"` // thumbnail and playlist are done
	// what went wrong though the video is published; a line each: "youtube REASON: message"
	Warning string `json:"warning"`
}

func (State) String() string       { return hidden }
func (State) GoString() string     { return hidden }
func (State) LogValue() slog.Value { return slog.StringValue(hidden) }

// Video is what is uploaded. Nothing of it is read once there is an ID and the state is ExtrasDone.
type Video struct {
	File      io.ReadSeeker
	Size      int64         // in bytes
	Type      string        // as video/mp4
	Thumb     io.ReadSeeker // nil: none. One that cannot be read is a warning
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
	firstAsk   = 10 * time.Second // after the upload, until YouTube is asked for the state of the video
	lastAsk    = 5 * time.Minute
	longestAsk = 24 * time.Hour
	listDelay  = 10 * time.Minute // a new video may not be listed at once
)

// Publish goes on from s until YouTube has the video and has processed it. again > 0 asks for another call after that
// time; 0 and no error: done. save stores the state: the session before the first byte, that the last bytes leave
// before they do, the id once there is a video, and how much was sent, twice a second at most and when it fails.
//
// No second video is made. If the answer to the last bytes was lost and the session is gone, the error's Step is
// "unknown", and stays so until the caller, told by a person that the video is not there, begins with an empty state.
//
// An error that has Progressed() true says that YouTube confirmed more bytes during this call. Until there is a
// session, the metadata of each call count; from then on those that the session began with.
func (a *Account) Publish(
	ctx context.Context,
	v Video,
	m Metadata,
	s State,
	save func(State) error,
) (again time.Duration, err error) {
	before := s
	defer func() {
		same := before.Session == "" || before.Session == s.Session
		if err != nil && before.ID == "" && (s.ID != "" || same && s.Sent > before.Sent) {
			err = progressed{err}
		}
	}()
	if s.ID == "" {
		if err := a.upload(ctx, v, m, &s, save); err != nil {
			return 0, err
		}
		// What fails now is tried once more when YouTube is done: some videos take no thumbnail before.
		warnings, _, err := a.dress(ctx, v, m, s.ID)
		if err != nil {
			return 0, err
		}
		if len(warnings) == 0 {
			s.ExtrasDone = true
			if err := save(s); err != nil {
				return 0, err
			}
		}
		return firstAsk, nil
	}
	age := a.c.now().Sub(s.Uploaded)
	warnings, again, err := a.look(ctx, m, s.ID, age)
	if err != nil || again > 0 {
		return again, err
	}
	if !s.ExtrasDone {
		more, wait, err := a.dress(ctx, v, m, s.ID)
		if err != nil {
			return 0, err
		}
		warnings = append(warnings, more...)
		if wait > 0 && age < longestAsk { // the video is online; the rest goes on when the quota or YouTube is back
			s.Warning = strings.Join(warnings, "\n")
			return max(wait, firstAsk), save(s)
		}
	}
	s.ExtrasDone, s.Step, s.Warning = true, "", strings.Join(warnings, "\n")
	return 0, save(s)
}

// dress sets the thumbnail and puts the video into its playlist. What fails there is a warning, because the video is
// published. wait > 0 says that what failed can be tried again after that time.
func (a *Account) dress(
	ctx context.Context,
	v Video,
	m Metadata,
	id string,
) (warnings []string, wait time.Duration, err error) {
	var failures []error
	if v.Thumb != nil {
		err := a.picture(ctx, v, id)
		warnings, failures = warn(warnings, "thumbnail", err), append(failures, err)
	}
	if m.Playlist != "" {
		err := a.list(ctx, m.Playlist, id)
		warnings, failures = warn(warnings, "playlist", err), append(failures, err)
	}
	if ctx.Err() != nil {
		return nil, 0, context.Cause(ctx)
	}
	for _, err := range failures {
		if e, ok := errors.AsType[*Error](err); ok {
			if after, waits := e.RetryAfter(); waits {
				wait = max(wait, after)
			}
		}
	}
	return warnings, wait, nil
}

// warn makes a warning of an error.
func warn(warnings []string, what string, err error) []string {
	if err == nil {
		return warnings
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return append(warnings, (&Error{reason: what + "-" + e.reason, message: e.message}).Error())
	}
	return append(warnings, (&Error{reason: what + "-file", message: "it cannot be read"}).Error())
}

// WarningCode returns the code of a line of State.Warning, one of Codes.
func WarningCode(line string) string {
	reason, _, _ := strings.Cut(strings.TrimPrefix(line, "youtube "), ":")
	kind, rest, _ := strings.Cut(reason, "-")
	switch kind {
	case "thumbnail":
		if rest == "forbidden" { // it is the answer to channels without a confirmed phone number
			return "youtube_thumbnail_verify"
		}
		return "youtube_thumbnail"
	case "playlist":
		if code := meanings[rest].code; code == "youtube_playlist_unknown" {
			return code
		}
		return "youtube_playlist"
	case "processing":
		return "youtube_processing_slow"
	}
	return "youtube_privacy"
}

// picture sets the video's thumbnail.
func (a *Account) picture(ctx context.Context, v Video, id string) error {
	size, err := v.Thumb.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	r, err := a.c.api(
		"POST",
		"/upload/youtube/v3/thumbnails/set",
		url.Values{"videoId": {id}, "uploadType": {"media"}},
		nil,
	)
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
	switch {
	case err != nil:
		return err
	case got.status/100 != 2:
		return a.c.refusal(got)
	}
	return got.read(nil)
}

// list puts the video into the playlist, unless it is there.
func (a *Account) list(ctx context.Context, playlist, id string) error {
	listed, err := a.isListed(ctx, playlist, id)
	if err != nil || listed {
		return err
	}
	return a.addTo(ctx, playlist, id)
}

// isListed reports whether the video is in the playlist.
func (a *Account) isListed(ctx context.Context, playlist, id string) (bool, error) {
	var v struct{ Items []struct{ ID string } }
	query := url.Values{"part": {"id"}, "playlistId": {playlist}, "videoId": {id}}
	err := a.call(ctx, "GET", "/youtube/v3/playlistItems", query, nil, &v)
	return len(v.Items) > 0, err
}

// addTo puts the video at the end of the playlist.
func (a *Account) addTo(ctx context.Context, playlist, id string) error {
	return a.call(
		ctx,
		"POST",
		"/youtube/v3/playlistItems",
		url.Values{"part": {"snippet"}},
		map[string]any{"snippet": map[string]any{
			"playlistId": playlist, "resourceId": map[string]string{"kind": "youtube#video", "videoId": id},
		}},
		nil,
	)
}

// gone is the error of a video that somebody deleted at YouTube. Only a new upload helps, as with one that was
// rejected.
var gone = &Error{class: rejected, code: "youtube_gone", reason: "videoNotFound", message: "the video is deleted"}

// look asks for the state of the video. again > 0: YouTube is not done, or did not tell. A question that fails says
// nothing about the video, so it is asked again.
func (a *Account) look(
	ctx context.Context,
	m Metadata,
	id string,
	age time.Duration,
) (warnings []string, again time.Duration, err error) {
	notYet := func(wait time.Duration) ([]string, time.Duration, error) {
		if age >= longestAsk {
			return []string{
				(&Error{reason: "processing-slow", message: "YouTube has been processing it for a day"}).Error(),
			}, 0, nil
		}
		return nil, max(wait, min(max(age+firstAsk, firstAsk), lastAsk)), nil
	}
	v, err := a.load(ctx, id, "status,processingDetails")
	e, refused := errors.AsType[*Error](err)
	switch {
	case is(err, "videoNotFound") && age < listDelay:
		return notYet(0)
	case is(err, "videoNotFound") && !a.c.missing.twice(id, a.c.now()):
		return nil, MissingFor, nil // one answer is not enough to upload it again
	case is(err, "videoNotFound"):
		return nil, 0, gone
	case refused && !e.Permanent():
		return notYet(e.wait)
	case err != nil:
		return nil, 0, err
	}
	a.c.missing.seen(id)
	reason := ""
	switch p := cmp.Or(v.Processing, &processing{}); {
	case v.Status.UploadStatus == "failed":
		reason = "processing-failed-" + tidy(v.Status.FailureReason)
	case v.Status.UploadStatus == "rejected":
		return nil, 0, &Error{
			class:  rejected,
			code:   "youtube_rejected",
			reason: "rejected-" + tidy(v.Status.RejectionReason),
		}
	case v.Status.UploadStatus == "deleted":
		return nil, 0, gone
	case p.Status == "failed":
		reason = "processing-failed-" + tidy(p.FailureReason)
	case p.Status == "terminated":
		reason = "processing-failed-terminated"
	case v.Status.UploadStatus != "processed":
		return notYet(0)
	}
	if reason != "" {
		return nil, 0, &Error{class: rejected, code: "youtube_processing_failed", reason: reason}
	}
	return a.seen(m, v.Status), 0, nil
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
