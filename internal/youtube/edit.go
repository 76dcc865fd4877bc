// The words about a video as YouTube writes them; changing them later; deleting the video.

package youtube

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// resource is a video in the API: what can be written of it, and what is read.
type resource struct {
	ID         string      `json:"id,omitempty"`
	Snippet    *snippet    `json:"snippet,omitempty"`
	Status     *status     `json:"status,omitempty"`
	Processing *processing `json:"processingDetails,omitempty"`
	Content    *content    `json:"contentDetails,omitempty"`
	File       *file       `json:"fileDetails,omitempty"`
}

type snippet struct {
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	Tags          []string `json:"tags"`
	Category      string   `json:"categoryId"`
	Language      string   `json:"defaultLanguage,omitempty"`
	AudioLanguage string   `json:"defaultAudioLanguage,omitempty"`

	// Read only.
	Channel     string `json:"channelId,omitempty"`
	PublishedAt string `json:"publishedAt,omitempty"`
}

type status struct {
	Privacy     string `json:"privacyStatus"`
	PublishAt   string `json:"publishAt,omitempty"`
	License     string `json:"license,omitempty"`
	Embeddable  *bool  `json:"embeddable,omitempty"`
	PublicStats *bool  `json:"publicStatsViewable,omitempty"`
	Kids        *bool  `json:"selfDeclaredMadeForKids,omitempty"` // madeForKids is YouTube's answer to it
	Synthetic   *bool  `json:"containsSyntheticMedia,omitempty"`

	// Read only.
	UploadStatus    string `json:"uploadStatus,omitempty"`
	FailureReason   string `json:"failureReason,omitempty"`
	RejectionReason string `json:"rejectionReason,omitempty"`
}

type processing struct {
	Status        string `json:"processingStatus,omitempty"`
	FailureReason string `json:"processingFailureReason,omitempty"`
}

type content struct {
	Regions *struct {
		Allowed *[]string `json:"allowed"`
	} `json:"regionRestriction"`
}

type file struct {
	Size string `json:"fileSize"`
}

// resource writes the metadata of a new video. It always says who sees it: YouTube takes public for granted.
func (m Metadata) resource(now time.Time) resource {
	v := resource{Snippet: &snippet{}, Status: &status{}}
	m.fill(&v, now, fields)
	return v
}

// fields are the names of what can be changed of a video. Privacy and the time of publishing are one: "privacy".
var fields = []string{"title", "description", "tags", "category", "language", "privacy", "made_for_kids", "synthetic"}

// fill writes those fields and nothing else. A time that has passed is not a schedule any more.
func (m Metadata) fill(v *resource, now time.Time, names []string) {
	s, t := v.Snippet, v.Status
	for _, name := range names {
		switch name {
		case "title":
			s.Title = m.Title
		case "description":
			s.Description = m.Description
		case "tags":
			s.Tags = append([]string{}, m.Tags...)
		case "category":
			s.Category = m.Category
		case "language":
			if m.Language != "" {
				s.Language, s.AudioLanguage = m.Language, m.Language
			}
		case "privacy":
			if t.Privacy, t.PublishAt = m.Privacy, ""; m.PublishAt.After(now) {
				t.Privacy, t.PublishAt = "private", m.PublishAt.UTC().Format(time.RFC3339)
			}
		case "made_for_kids":
			t.Kids = &m.Kids
		case "synthetic":
			t.Synthetic = &m.Synthetic
		}
	}
}

// videos reads parts of up to 50 videos. Those that YouTube does not list are left out.
func (a *Account) videos(ctx context.Context, ids []string, parts string) ([]resource, error) {
	var v struct{ Items []resource }
	query := url.Values{"part": {parts}, "id": {strings.Join(ids, ",")}}
	if len(ids) > 1 {
		query.Set("maxResults", "50")
	}
	err := a.call(ctx, "GET", "/youtube/v3/videos", query, nil, &v)
	return v.Items, err
}

// load reads parts of a video, the status among them.
func (a *Account) load(ctx context.Context, id, parts string) (resource, error) {
	v, err := a.videos(ctx, []string{id}, parts)
	if err == nil && (len(v) == 0 || v[0].Status == nil) {
		err = known("videoNotFound", "the channel has no such video")
	}
	if err != nil {
		return resource{}, err
	}
	return v[0], nil
}

// Show lets those people see a published video that the metadata name, at their time, whatever was chosen for it at
// YouTube. Nothing else of the video changes.
func (a *Account) Show(ctx context.Context, id string, m Metadata) error {
	was, err := a.loadWhole(ctx, id)
	if err != nil {
		return err
	}
	return a.change(ctx, was, m, []string{"privacy"}, "")
}

// loadWhole reads what can be changed of a video, without what can only be read.
func (a *Account) loadWhole(ctx context.Context, id string) (resource, error) {
	was, err := a.load(ctx, id, "snippet,status")
	if err != nil {
		return was, err
	}
	if was.Snippet == nil {
		return was, unreadable("the answer isn't whole")
	}
	was.ID = id
	was.Status.UploadStatus, was.Status.FailureReason, was.Status.RejectionReason = "", "", ""
	was.Snippet.Channel, was.Snippet.PublishedAt = "", ""
	was.Snippet.Tags = append([]string{}, was.Snippet.Tags...)
	if at, err := time.Parse(time.RFC3339, was.Status.PublishAt); err == nil {
		was.Status.PublishAt = at.UTC().Format(time.RFC3339)
	}
	return was, nil
}

// change sends the parts of a video in which one of those fields is another than it was, and puts it into a playlist,
// "" for none.
func (a *Account) change(ctx context.Context, was resource, m Metadata, names []string, playlist string) error {
	now := a.c.now()
	if slices.Contains(names, "privacy") && was.Status.Privacy == "public" && m.PublishAt.After(now) {
		return known("invalidPublishAt", "the video is public already")
	}
	listed := playlist == ""
	if !listed { // first: an unknown playlist must be refused before anything is changed
		var err error
		if listed, err = a.isListed(ctx, playlist, was.ID); err != nil {
			return err
		}
	}
	text, rights := *was.Snippet, *was.Status
	want := resource{ID: was.ID, Snippet: &text, Status: &rights}
	m.fill(&want, now, names)
	var parts []string
	if reflect.DeepEqual(want.Snippet, was.Snippet) {
		want.Snippet = nil
	} else {
		parts = append(parts, "snippet")
	}
	if reflect.DeepEqual(want.Status, was.Status) {
		want.Status = nil
	} else {
		parts = append(parts, "status")
	}
	if len(parts) > 0 {
		query := url.Values{"part": {strings.Join(parts, ",")}}
		if err := a.call(ctx, "PUT", "/youtube/v3/videos", query, want, nil); err != nil {
			return err
		}
	}
	if listed {
		return nil
	}
	return a.addTo(ctx, playlist, was.ID)
}

// Delete deletes a video. It is not an error if YouTube says that there is no such video; the answer of anything else
// that stands in between, such as a proxy's 404, is one.
func (a *Account) Delete(ctx context.Context, id string) error {
	err := a.call(ctx, "DELETE", "/youtube/v3/videos", url.Values{"id": {id}}, nil, nil)
	if e, ok := errors.AsType[*Error](err); ok && e.verdict && e.status == http.StatusNotFound {
		return nil
	}
	return err
}
