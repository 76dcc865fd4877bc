// Finding out what became of a video: one whose answer was lost, and those that are published.

package youtube

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	findFor    = 10 * time.Minute // a video that arrived is listed by then
	findEvery  = time.Minute
	findPages  = 4 // of 50 uploads each
	clockDrift = 2 * time.Minute
)

// find looks for the video of a session that is gone, so that no second one is made. It returns the video's id, or ""
// if a new session is safe. While it cannot tell, the error asks to wait; after ten minutes it is unclear, and a
// person has to look.
func (a *Account) find(ctx context.Context, v Video, m Metadata, s *State) (id string, err error) {
	found, doubt, err := a.lookFor(ctx, v.Size, m.Title, s.Since)
	switch {
	case err != nil:
		return "", err
	case len(found) == 1:
		s.Sent = v.Size
		return found[0], nil
	case s.Uploaded.IsZero(): // the last chunk never left
		return "", nil
	case a.c.now().Sub(s.Uploaded) < findFor:
		return "", &Error{class: busy, code: "youtube_session", reason: "answerMissing", wait: findEvery,
			message: "the upload ended without an answer, so its video is looked for"}
	case len(found) > 1 || doubt:
		return "", known(
			"answerLost",
			"the upload ended without an answer, and several videos on the channel may be it",
		)
	}
	return "", known("answerLost", "the upload ended without an answer, and its video isn't listed")
}

// lookFor returns the videos of the channel that were uploaded after a moment and have that title and size. doubt
// says that there is another that may be the same: of the same size with another title, of a size that is not known,
// or from just before, because our clock may be ahead of YouTube's.
func (a *Account) lookFor(
	ctx context.Context,
	size int64,
	title string,
	since time.Time,
) (found []string, doubt bool, err error) {
	ids, err := a.uploadsSince(ctx, since.Add(-clockDrift))
	if err != nil || len(ids) == 0 {
		return nil, false, err
	}
	for some := range slices.Chunk(ids, maxIDs) {
		videos, err := a.videos(ctx, some, "snippet,status,fileDetails")
		if err != nil {
			return nil, false, err
		}
		for _, v := range videos {
			if v.Snippet == nil {
				continue
			}
			at, err := time.Parse(time.RFC3339, v.Snippet.PublishedAt)
			newer := err == nil && !at.Before(since.Truncate(time.Second))
			named, had := sameText(v.Snippet.Title, title), v.size()
			switch {
			case newer && named && had == size:
				found = append(found, v.ID)
			case had == size, named && had == 0:
				doubt = true
			}
		}
	}
	return found, doubt, nil
}

// uploadsSince returns the ids of the channel's uploads since a moment, the newest first.
func (a *Account) uploadsSince(ctx context.Context, since time.Time) (ids []string, err error) {
	mine, err := a.mine(ctx, "contentDetails")
	if err != nil {
		return nil, err
	}
	query := url.Values{"part": {"snippet,contentDetails"}, "playlistId": {mine.Content.Playlists.Uploads},
		"maxResults": {strconv.Itoa(maxIDs)}}
	for range findPages {
		var page struct {
			Next  string `json:"nextPageToken"`
			Items []struct {
				Snippet struct{ PublishedAt string }
				Content struct{ VideoID string } `json:"contentDetails"`
			}
		}
		err := a.call(ctx, "GET", "/youtube/v3/playlistItems", query, nil, &page)
		if is(err, "playlistNotFound") { // a channel has no list before its first upload
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			if at, err := time.Parse(time.RFC3339, item.Snippet.PublishedAt); err == nil && at.Before(since) {
				return ids, nil
			}
			ids = append(ids, item.Content.VideoID)
		}
		if page.Next == "" {
			break
		}
		query.Set("pageToken", page.Next)
	}
	return ids, nil
}

// Otherwise says that a video is not the one that it was taken for.
type Otherwise struct {
	What   string // "channel", "title" or "size"
	Theirs string // the channel, the title, or the size in bytes at YouTube
}

func (e *Otherwise) Error() string { return "youtube otherwise: the video has another " + e.What }

// Code returns "youtube_otherwise".
func (*Otherwise) Code() string { return "youtube_otherwise" }

// Permanent reports that only a person can help.
func (*Otherwise) Permanent() bool { return true }

// Confirm checks that a video is on a channel, whose id is given, and has that title and that size in bytes, as far
// as YouTube tells its size. It returns *Otherwise if not: somebody who names the address of another video would have
// it changed or deleted. It costs one unit of the quota.
func (a *Account) Confirm(ctx context.Context, id, channel, title string, size int64) error {
	videos, err := a.videos(ctx, []string{id}, "snippet,status,fileDetails")
	switch {
	case err != nil:
		return err
	case len(videos) == 0 || videos[0].Snippet == nil:
		return known("videoNotFound", "the channel has no such video")
	}
	v := videos[0]
	switch had := v.size(); {
	case v.Snippet.Channel != channel:
		return &Otherwise{"channel", v.Snippet.Channel}
	case !sameText(v.Snippet.Title, title):
		return &Otherwise{"title", v.Snippet.Title}
	case had != 0 && had != size:
		return &Otherwise{"size", strconv.FormatInt(had, 10)}
	}
	return nil
}

// Found is what YouTube tells about a published video.
type Found string

const (
	Public     Found = "public"
	Unlisted   Found = "unlisted"
	Private    Found = "private"
	Scheduled  Found = "scheduled"  // private until At. If that has passed, YouTube did not keep the schedule
	Processing Found = "processing" // YouTube works on it
	Failed     Found = "failed"     // YouTube could not process it
	Rejected   Found = "rejected"   // YouTube did not accept it
	TakenDown  Found = "taken down" // YouTube removed it after it had been published, or blocks it everywhere
	Missing    Found = "missing"    // not listed now, which can be a fault of the list: ask again after MissingFor
	Gone       Found = "gone"       // deleted, or not listed twice, MissingFor apart
)

// MissingFor is how far apart two answers without a video have to be before it is Gone.
const MissingFor = 10 * time.Minute

// Standing is how a published video was found.
type Standing struct {
	Is     Found
	Reason string    // YouTube's word, of Failed, Rejected and TakenDown
	At     time.Time // when it becomes public, of Scheduled
	Title  string

	video resource
}

const (
	maxIDs = 50 // in one question
	// StandingsCost is what one call of Standings costs of the daily quota of 10,000 units.
	StandingsCost = 1
)

// Standings asks how up to 50 videos of the channel are, in one call. The answer has all of them.
func (a *Account) Standings(ctx context.Context, ids []string) (map[string]Standing, error) {
	if len(ids) == 0 {
		return map[string]Standing{}, nil
	}
	if len(ids) > maxIDs {
		return nil, errors.New("youtube: more than 50 videos in one question")
	}
	videos, err := a.videos(ctx, ids, "snippet,status,processingDetails,contentDetails")
	if err != nil {
		return nil, err
	}
	all := map[string]Standing{}
	for _, v := range videos {
		if v.Status != nil && slices.Contains(ids, v.ID) {
			a.c.missing.seen(v.ID)
			all[v.ID] = v.standing()
		}
	}
	for _, id := range ids {
		if _, ok := all[id]; !ok {
			all[id] = Standing{Is: Missing}
			if a.c.missing.twice(id, a.c.now()) {
				all[id] = Standing{Is: Gone}
			}
		}
	}
	return all, nil
}

// standing reads how the video is.
func (v resource) standing() (s Standing) {
	s.video = v
	if v.Snippet != nil {
		s.Title = v.Snippet.Title
	}
	p := v.Processing
	if p == nil {
		p = &processing{}
	}
	t := v.Status
	at, err := time.Parse(time.RFC3339, t.PublishAt)
	switch {
	case t.UploadStatus == "deleted":
		s.Is = Gone
	case t.UploadStatus == "rejected" && p.Status == "succeeded":
		s.Is, s.Reason = TakenDown, tidy(t.RejectionReason)
	case t.UploadStatus == "rejected":
		s.Is, s.Reason = Rejected, tidy(t.RejectionReason)
	case t.UploadStatus == "failed":
		s.Is, s.Reason = Failed, tidy(t.FailureReason)
	case p.Status == "failed", p.Status == "terminated":
		s.Is, s.Reason = Failed, tidy(p.FailureReason)
	case v.blocked():
		s.Is, s.Reason = TakenDown, "blocked"
	case t.UploadStatus == "uploaded":
		s.Is = Processing
	case t.Privacy == "public":
		s.Is = Public
	case t.Privacy == "unlisted":
		s.Is = Unlisted
	case err == nil:
		s.Is, s.At = Scheduled, at
	default:
		s.Is = Private
	}
	return s
}

// blocked reports whether the video can be seen in no country: then the list of those where it is allowed is there
// and empty.
func (v resource) blocked() bool {
	c := v.Content
	return c != nil && c.Regions != nil && c.Regions.Allowed != nil && len(*c.Regions.Allowed) == 0
}

// size returns the size of the uploaded file in bytes; 0: YouTube did not tell.
func (v resource) size() int64 {
	if v.File == nil {
		return 0
	}
	n, _ := strconv.ParseInt(v.File.Size, 10, 64) // 0 stands for not told
	return n
}

// missing remembers since when videos were not listed. A program that starts again begins at nothing, which only
// makes it look once more.
type missing struct {
	mu    sync.Mutex
	since map[string]time.Time // by id
}

func (m *missing) seen(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.since, id)
}

// twice reports whether the video was missing before, long enough ago, and remembers that it is missing now.
func (m *missing) twice(id string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for other, at := range m.since {
		if now.Sub(at) > 8*24*time.Hour || at.After(now) { // nobody asked for it any more, or the clock was set back
			delete(m.since, other)
		}
	}
	at, was := m.since[id]
	if !was {
		m.since[id] = now
	}
	return was && now.Sub(at) >= MissingFor
}

// sameText compares what was sent with what YouTube answers, which trims it.
func sameText(a, b string) bool { return plain(a) == plain(b) }

func plain(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) }
