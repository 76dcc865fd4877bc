// Changing a published video without undoing what somebody changed in YouTube Studio: a merge of three.

package youtube

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Conflict says that fields were changed both here and at YouTube, and not to the same. Nothing was sent. To keep
// ours, Merge again with Theirs as the base; to keep theirs, put them into ours and save that.
type Conflict struct {
	// in the order of the form: title, description, tags, category, language, privacy, made_for_kids, synthetic
	Fields []string
	Mine   Metadata
	Theirs Metadata // what is at YouTube now. Playlist and Notify are not read there: they are those of the base
}

func (e *Conflict) Error() string {
	return "youtube conflict: changed here and at YouTube: " + strings.Join(e.Fields, ", ")
}

// Code returns "youtube_conflict".
func (*Conflict) Code() string { return "youtube_conflict" }

// Permanent reports that only a person can help.
func (*Conflict) Permanent() bool { return true }

// Merge changes a published video as somebody changed it here. base is what was sent last, mine is what it should be:
// only the fields in which they differ are sent, and what was changed at YouTube since stays. It returns the video's
// metadata as they are then, which is the next base. It returns *Conflict, and sends nothing, if a field was changed
// to different values here and there.
func (a *Account) Merge(ctx context.Context, id string, base, mine Metadata) (now Metadata, err error) {
	if err := invalid(mine, a.c.now()); err != nil {
		return base, err
	}
	was, err := a.loadWhole(ctx, id)
	if err != nil {
		return base, err
	}
	theirs := was.metadata(base)
	var changed, conflicts []string
	for _, field := range fields {
		if a.same(field, base, mine) || a.same(field, mine, theirs) {
			continue
		}
		if changed = append(changed, field); !a.same(field, base, theirs) {
			conflicts = append(conflicts, field)
		}
	}
	if len(conflicts) > 0 {
		return base, &Conflict{conflicts, mine, theirs}
	}
	playlist := mine.Playlist
	if playlist == base.Playlist {
		playlist = ""
	}
	if err := a.change(ctx, was, mine, changed, playlist); err != nil {
		return base, err
	}
	now = theirs
	now.Playlist, now.Notify = mine.Playlist, mine.Notify
	now.take(changed, mine)
	return now, nil
}

// Edited returns the fields in which a video was found to differ from what was sent last, and what it is like at
// YouTube. It asks nobody.
func (a *Account) Edited(s Standing, sent Metadata) (edited []string, theirs Metadata) {
	if s.video.Snippet == nil || s.video.Status == nil {
		return nil, sent
	}
	theirs = s.video.metadata(sent)
	for _, field := range fields {
		if !a.same(field, sent, theirs) {
			edited = append(edited, field)
		}
	}
	return edited, theirs
}

// metadata reads what a video is like. What YouTube does not tell is as in the base.
func (v resource) metadata(base Metadata) Metadata {
	m, s, t := base, v.Snippet, v.Status
	m.Title, m.Description, m.Category, m.Tags = s.Title, s.Description, s.Category, slices.Clone(s.Tags)
	if s.Language != "" {
		m.Language = s.Language
	}
	if m.Privacy, m.PublishAt = t.Privacy, (time.Time{}); t.PublishAt != "" {
		if at, err := time.Parse(time.RFC3339, t.PublishAt); err == nil {
			m.Privacy, m.PublishAt = "public", at
		}
	}
	if t.Kids != nil {
		m.Kids = *t.Kids
	}
	if t.Synthetic != nil {
		m.Synthetic = *t.Synthetic
	}
	return m
}

// same reports whether a field says the same in both.
func (a *Account) same(field string, x, y Metadata) bool {
	switch field {
	case "title":
		return sameText(x.Title, y.Title)
	case "description":
		return sameText(x.Description, y.Description)
	case "tags":
		return slices.Equal(tidyTags(x.Tags), tidyTags(y.Tags))
	case "category":
		return x.Category == y.Category
	case "language": // without one nothing is said about it
		return strings.EqualFold(x.Language, y.Language) || x.Language == "" || y.Language == ""
	case "privacy":
		return a.sameView(x, y)
	case "made_for_kids":
		return x.Kids == y.Kids
	}
	return x.Synthetic == y.Synthetic
}

// sameView reports whether the same people see the video at the same times. A schedule whose time has come is the
// same as public, except if the video is still private: a schedule that was not kept.
func (a *Account) sameView(x, y Metadata) bool {
	seen := func(m Metadata) (string, int64) {
		if m.PublishAt.After(a.c.now()) {
			return "scheduled", m.PublishAt.Unix()
		}
		return m.Privacy, 0
	}
	kind, at := seen(x)
	other, otherAt := seen(y)
	return kind == other && at == otherAt
}

// tidyTags are tags without what YouTube does not keep: spaces around them, their order, and the second of two.
func tidyTags(tags []string) []string {
	var all []string
	for _, tag := range tags {
		if tag = strings.TrimSpace(tag); tag != "" {
			all = append(all, tag)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// take copies fields of another.
func (m *Metadata) take(names []string, from Metadata) {
	for _, name := range names {
		switch name {
		case "title":
			m.Title = from.Title
		case "description":
			m.Description = from.Description
		case "tags":
			m.Tags = slices.Clone(from.Tags)
		case "category":
			m.Category = from.Category
		case "language":
			m.Language = from.Language
		case "privacy":
			m.Privacy, m.PublishAt = from.Privacy, from.PublishAt
		case "made_for_kids":
			m.Kids = from.Kids
		case "synthetic":
			m.Synthetic = from.Synthetic
		}
	}
}
