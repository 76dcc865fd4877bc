// What is said about a video, as YouTube writes it; changing it later; deleting the video.

package youtube

import (
	"context"
	"net/url"
	"reflect"
	"strings"
	"time"
)

// resource is a video in the API: what can be written of it, and what is read.
type resource struct {
	ID         string      `json:"id,omitempty"`
	Snippet    *snippet    `json:"snippet,omitempty"`
	Status     *status     `json:"status,omitempty"`
	Processing *processing `json:"processingDetails,omitempty"`
}

type snippet struct {
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	Tags          []string `json:"tags"`
	Category      string   `json:"categoryId"`
	Language      string   `json:"defaultLanguage,omitempty"`
	AudioLanguage string   `json:"defaultAudioLanguage,omitempty"`
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
	ProcessingStatus string `json:"processingStatus,omitempty"`
	FailureReason    string `json:"processingFailureReason,omitempty"`
}

// resource writes the metadata of a new video. Who sees it is always said: YouTube takes public for granted.
func (m Metadata) resource(now time.Time) resource {
	v := resource{Snippet: &snippet{}, Status: &status{}}
	m.fill(&v, now)
	return v
}

// fill changes what the metadata is about, and nothing else. A time that has passed is no schedule any more.
func (m Metadata) fill(v *resource, now time.Time) {
	s := v.Snippet
	s.Title, s.Description, s.Category, s.Tags = m.Title, m.Description, m.Category, append([]string{}, m.Tags...)
	if m.Language != "" {
		s.Language, s.AudioLanguage = m.Language, m.Language
	}
	t := v.Status
	t.Privacy, t.PublishAt, t.Kids, t.Synthetic = m.Privacy, "", &m.Kids, &m.Synthetic
	if m.PublishAt.After(now) {
		t.Privacy, t.PublishAt = "private", m.PublishAt.UTC().Format(time.RFC3339)
	}
}

// load reads parts of a video.
func (a *Account) load(ctx context.Context, id, parts string) (resource, error) {
	var v struct{ Items []resource }
	if err := a.call(ctx, "GET", "/youtube/v3/videos", url.Values{"part": {parts}, "id": {id}}, nil, &v); err != nil {
		return resource{}, err
	}
	if len(v.Items) == 0 || v.Items[0].Status == nil {
		return resource{}, failed("videoNotFound", "the channel has no such video")
	}
	return v.Items[0], nil
}

// Update changes a published video to what the metadata says. YouTube replaces a part of a video as a whole, so the parts are read
// first and what the metadata is not about is sent back as it was; what needs no change is not sent.
func (a *Account) Update(ctx context.Context, id string, m Metadata) error {
	was, err := a.load(ctx, id, "snippet,status")
	if err != nil {
		return err
	}
	if was.Snippet == nil {
		return cut("the answer is not whole")
	}
	now := a.c.now()
	if was.Status.Privacy == "public" && m.PublishAt.After(now) {
		return &Error{class: edit, reason: "invalidPublishAt", message: "the video is public already"}
	}
	was.Status.UploadStatus, was.Status.FailureReason, was.Status.RejectionReason = "", "", ""
	was.Snippet.Tags = append([]string{}, was.Snippet.Tags...)
	if at, err := time.Parse(time.RFC3339, was.Status.PublishAt); err == nil {
		was.Status.PublishAt = at.UTC().Format(time.RFC3339)
	}
	text, rights := *was.Snippet, *was.Status
	want := resource{ID: id, Snippet: &text, Status: &rights}
	m.fill(&want, now)
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
		if err := a.call(ctx, "PUT", "/youtube/v3/videos", url.Values{"part": {strings.Join(parts, ",")}}, want, nil); err != nil {
			return err
		}
	}
	if m.Playlist == "" {
		return nil
	}
	return a.list(ctx, m.Playlist, id)
}

// Delete deletes a video. One that is gone already is no error.
func (a *Account) Delete(ctx context.Context, id string) error {
	err := a.call(ctx, "DELETE", "/youtube/v3/videos", url.Values{"id": {id}}, nil, nil)
	if is(err, "videoNotFound", "http404") {
		return nil
	}
	return err
}
