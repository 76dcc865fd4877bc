// The videos: their metadata and what is refused of it, how they are processed, and the lists they are in.

package youtube

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// video is one on the channel, or one that is still uploaded.
type video struct {
	id, channel, kind string
	size              int64
	sum               string
	snippet           snippet
	status            status
	notify            bool
	public            bool // it was once
	uploaded, ready   time.Time
	rejected          bool
	thumb             []byte
	thumbKind         string
}

// resource is a video in the API.
type resource struct {
	Kind       string            `json:"kind,omitempty"`
	ID         string            `json:"id,omitempty"`
	Snippet    *snippet          `json:"snippet,omitempty"`
	Status     *status           `json:"status,omitempty"`
	Processing map[string]string `json:"processingDetails,omitempty"`
	Content    map[string]string `json:"contentDetails,omitempty"`
	File       map[string]string `json:"fileDetails,omitempty"`
}

type snippet struct {
	ChannelID     string   `json:"channelId,omitempty"`
	PublishedAt   string   `json:"publishedAt,omitempty"`
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	Tags          []string `json:"tags,omitempty"`
	Category      string   `json:"categoryId"`
	Language      string   `json:"defaultLanguage,omitempty"`
	AudioLanguage string   `json:"defaultAudioLanguage,omitempty"`
}

type status struct {
	UploadStatus    string     `json:"uploadStatus,omitempty"`
	RejectionReason string     `json:"rejectionReason,omitempty"`
	Privacy         string     `json:"privacyStatus"`
	PublishAt       *time.Time `json:"publishAt,omitempty"`
	License         string     `json:"license"`
	Embeddable      *bool      `json:"embeddable,omitempty"`
	PublicStats     *bool      `json:"publicStatsViewable,omitempty"`
	MadeForKids     *bool      `json:"madeForKids,omitempty"` // what was said, read only
	Kids            *bool      `json:"selfDeclaredMadeForKids,omitempty"`
	Synthetic       *bool      `json:"containsSyntheticMedia,omitempty"`
}

// Video is a video that the server holds.
type Video struct {
	ID, Channel, Title, Description string
	Tags                            []string
	Category, Language              string
	Privacy, Status                 string // Status: uploaded, processed, rejected
	PublishAt                       time.Time
	Kids, Synthetic                 *bool // nil: not said
	Notify                          bool
	Size                            int64
	SHA256                          string
	ThumbSize                       int
	Playlists                       []string
	URL                             string // where it plays
}

// Videos returns the videos, the oldest first.
func (s *Server) Videos() []Video {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Video
	for _, v := range s.videos {
		now := s.settled(v)
		one := Video{
			ID:          v.id,
			Channel:     v.channel,
			Title:       v.snippet.Title,
			Description: v.snippet.Description,
			Tags:        slices.Clone(v.snippet.Tags),
			Category:    v.snippet.Category,
			Language:    v.snippet.Language,
			Privacy:     now.Privacy,
			Status:      now.UploadStatus,
			Kids:        v.status.Kids,
			Synthetic:   v.status.Synthetic,
			Notify:      v.notify,
			Size:        v.size,
			SHA256:      v.sum,
			ThumbSize:   len(v.thumb),
			URL:         s.opts.BaseURL + "/watch?v=" + v.id,
		}
		if now.PublishAt != nil {
			one.PublishAt = *now.PublishAt
		}
		for id, list := range s.playlist {
			if slices.Contains(list, v.id) {
				one.Playlists = append(one.Playlists, id)
			}
		}
		slices.Sort(one.Playlists)
		all = append(all, one)
	}
	return all
}

// categories are the ones that videos may be in.
var categories = strings.Fields("1 2 10 15 17 19 20 22 23 24 25 26 27 28 29")

// write replaces the given parts of the video, or returns what is wrong with them.
func (v *video) write(with resource, now time.Time) *apiError {
	if with.Snippet == nil && v.snippet.Title == "" {
		return bad("invalidVideoMetadata", "The request metadata is invalid.")
	}
	if s := with.Snippet; s != nil {
		switch {
		case s.Title == "" || s.Category == "":
			return bad("invalidVideoMetadata", "The request metadata is invalid.")
		case utf8.RuneCountInString(s.Title) > 100 || strings.ContainsAny(s.Title, "<>"):
			return bad("invalidTitle", "The request metadata specifies an invalid or empty video title.")
		case len(s.Description) > 5000 || strings.ContainsAny(s.Description, "<>"):
			return bad("invalidDescription", "The request metadata specifies an invalid video description.")
		case tagSize(s.Tags) > 500 || slices.ContainsFunc(s.Tags,
			func(t string) bool { return t == "" || strings.ContainsAny(t, "<>") }):
			return bad("invalidTags", "The request metadata specifies invalid video keywords.")
		case !slices.Contains(categories, s.Category):
			return bad("invalidCategoryId", "The snippet.categoryId property specifies an invalid category ID.")
		}
	}
	if t := with.Status; t != nil {
		switch {
		case t.Privacy == "":
			t.Privacy = "public"
		case !slices.Contains([]string{"private", "unlisted", "public"}, t.Privacy):
			return bad("invalidVideoMetadata", "The request metadata is invalid.")
		}
		if at := t.PublishAt; at != nil && (t.Privacy != "private" || v.public || !at.After(now)) {
			return bad("invalidPublishAt", "The request metadata specifies an invalid scheduled publishing time.")
		}
		if t.License == "" {
			t.License = "youtube"
		}
		yes := true
		if t.Embeddable == nil {
			t.Embeddable = &yes
		}
		if t.PublicStats == nil {
			t.PublicStats = &yes
		}
		v.status = *t
	}
	if with.Snippet != nil {
		v.snippet = *with.Snippet
	}
	return nil
}

// tagSize counts tags as YouTube does: a comma between two, and quotes around one with a space.
func tagSize(tags []string) int {
	n := max(len(tags)-1, 0)
	for _, t := range tags {
		if n += utf8.RuneCountInString(t); strings.Contains(t, " ") {
			n += 2
		}
	}
	return n
}

// finish puts an uploaded video on its channel.
func (s *Server) finish(v *video, sum string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.sum, v.uploaded, v.ready = sum, s.opts.Now(), s.opts.Now().Add(s.opts.Processing)
	if s.on["slow"] {
		v.ready = v.uploaded.Add(time.Minute)
	}
	if s.on["private"] {
		v.status.Privacy, v.status.PublishAt = "private", nil
	}
	v.rejected = s.on["rejected"]
	s.videos = append(s.videos, v)
}

// settled returns the video's status as it is now. The lock must be held.
func (s *Server) settled(v *video) status {
	now := s.opts.Now()
	if at := v.status.PublishAt; at != nil && !at.After(now) && !s.on["stuck"] {
		v.status.Privacy, v.status.PublishAt = "public", nil
	}
	t := v.status
	switch t.UploadStatus = "uploaded"; {
	case now.Before(v.ready):
	case v.rejected:
		t.UploadStatus, t.RejectionReason = "rejected", "copyright"
	case s.on["takedown"]:
		t.UploadStatus, t.RejectionReason = "rejected", "legal"
	default:
		t.UploadStatus = "processed"
		v.public = v.public || t.Privacy == "public"
	}
	t.MadeForKids = t.Kids
	return t
}

// resource returns the parts of a video.
func (s *Server) resource(v *video, parts string) resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.settled(v)
	r := resource{Kind: "youtube#video", ID: v.id}
	for part := range strings.SplitSeq(parts, ",") {
		switch part {
		case "snippet":
			text := v.snippet
			text.ChannelID, text.PublishedAt = v.channel, v.uploaded.UTC().Format(time.RFC3339)
			r.Snippet = &text
		case "status":
			r.Status = &now
		case "processingDetails":
			r.Processing = map[string]string{"processingStatus": "processing"}
			switch now.UploadStatus {
			case "processed":
				r.Processing["processingStatus"] = "succeeded"
			case "rejected":
				if r.Processing["processingStatus"] = "succeeded"; v.rejected { // before it was processed
					r.Processing["processingStatus"] = "terminated"
				}
			}
		case "contentDetails":
			r.Content = map[string]string{"definition": "hd"}
		case "fileDetails":
			r.File = map[string]string{"fileSize": strconv.FormatInt(v.size, 10)}
		}
	}
	return r
}

// find returns a video; of any channel when channel is "".
func (s *Server) find(id, channel string) *video {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(
		s.videos,
		func(v *video) bool { return v.id == id && (channel == "" || v.channel == channel) },
	)
	if i < 0 {
		return nil
	}
	return s.videos[i]
}

var errNoVideo = notFound("videoNotFound", "The video that you are trying to use cannot be found.")

// maxIDs is how many videos can be asked for at once.
const maxIDs = 50

func (s *Server) list(w http.ResponseWriter, r *http.Request, channel string) *apiError {
	items := []resource{}
	ids := r.URL.Query().Get("id")
	if strings.Count(ids, ",") >= maxIDs {
		return &apiError{
			http.StatusBadRequest,
			"youtube.parameter",
			"invalidFilters",
			"The request specifies too many IDs.",
		}
	}
	for id := range strings.SplitSeq(ids, ",") {
		if v := s.find(id, channel); v != nil {
			items = append(items, s.resource(v, r.URL.Query().Get("part")))
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"kind": "youtube#videoListResponse", "items": items})
	return nil
}

func (s *Server) update(w http.ResponseWriter, r *http.Request, channel string) *apiError {
	var with resource
	if err := readJSON(w, r, &with); err != nil {
		return err
	}
	v := s.find(with.ID, channel)
	if v == nil {
		return errNoVideo
	}
	parts := r.URL.Query().Get("part")
	if strings.Contains(parts, "snippet") != (with.Snippet != nil) ||
		strings.Contains(parts, "status") != (with.Status != nil) {
		return &apiError{http.StatusBadRequest, "youtube.part", "unexpectedPart", parts}
	}
	s.mu.Lock()
	s.settled(v)
	err := v.write(with, s.opts.Now())
	s.mu.Unlock()
	if err == nil {
		writeJSON(w, http.StatusOK, s.resource(v, parts))
	}
	return err
}

func (s *Server) remove(w http.ResponseWriter, r *http.Request, channel string) *apiError {
	v := s.find(r.URL.Query().Get("id"), channel)
	if v == nil {
		return errNoVideo
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.videos = slices.DeleteFunc(s.videos, func(o *video) bool { return o == v })
	for id, list := range s.playlist {
		s.playlist[id] = slices.DeleteFunc(list, func(o string) bool { return o == v.id })
	}
	if err := os.Remove(filepath.Join(s.dir, v.id)); err != nil {
		return broken(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

const maxThumb = 50 << 20

func (s *Server) setThumb(w http.ResponseWriter, r *http.Request, channel string) *apiError {
	v := s.find(r.URL.Query().Get("videoId"), channel)
	if v == nil {
		return errNoVideo
	}
	if s.fault("thumbnail") {
		return &apiError{http.StatusForbidden, "youtube.thumbnail", "forbidden",
			"The authenticated user doesn't have permissions to upload and set custom video thumbnails."}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxThumb))
	var tooLarge *http.MaxBytesError
	kind := http.DetectContentType(data)
	switch {
	case errors.As(err, &tooLarge):
		return &apiError{http.StatusRequestEntityTooLarge, "global", "uploadTooLarge", "Media larger than allowed"}
	case err != nil:
		panic(http.ErrAbortHandler) // the client is gone
	case kind != "image/jpeg" && kind != "image/png":
		return &apiError{
			http.StatusBadRequest,
			"youtube.thumbnail",
			"invalidImage",
			"The provided image content is invalid.",
		}
	}
	s.mu.Lock()
	v.thumb, v.thumbKind = data, kind
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"kind": "youtube#thumbnailSetResponse"})
	return nil
}

func (s *Server) channels(w http.ResponseWriter, r *http.Request, channel string) *apiError {
	items := []any{}
	for _, c := range s.opts.Channels {
		if c.ID == channel {
			item := map[string]any{"kind": "youtube#channel", "id": c.ID}
			for part := range strings.SplitSeq(r.URL.Query().Get("part"), ",") {
				switch part {
				case "snippet":
					item[part] = map[string]any{"title": c.Title}
				case "contentDetails":
					item[part] = map[string]any{"relatedPlaylists": map[string]any{"likes": "", "uploads": c.uploads()}}
				}
			}
			items = append(items, item)
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"kind": "youtube#channelListResponse", "items": items})
	return nil
}

type playlistItem struct {
	Kind    string `json:"kind,omitempty"`
	ID      string `json:"id,omitempty"`
	Snippet struct {
		Playlist    string `json:"playlistId"`
		PublishedAt string `json:"publishedAt,omitempty"`
		Resource    struct {
			Kind  string `json:"kind"`
			Video string `json:"videoId"`
		} `json:"resourceId"`
	} `json:"snippet"`
	Content *itemContent `json:"contentDetails,omitempty"`
}

type itemContent struct {
	Video string `json:"videoId"`
}

// noList is the id of a playlist that does not exist; all others do.
const noList = "PLnone"

func noPlaylist(id string) *apiError {
	if id == "" || id == noList {
		return &apiError{
			http.StatusNotFound,
			"youtube.playlistItem",
			"playlistNotFound",
			"The playlist cannot be found.",
		}
	}
	return nil
}

// listPlaylist lists a playlist in pages of five, or as many as are asked for. Each channel has one of its uploads.
func (s *Server) listPlaylist(w http.ResponseWriter, r *http.Request, channel string) *apiError {
	q := r.URL.Query()
	id, only := q.Get("playlistId"), q.Get("videoId")
	if err := noPlaylist(id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []playlistItem{}
	for _, v := range s.listed(id, channel) {
		if only == "" || only == v.id {
			item := playlistItem{Kind: "youtube#playlistItem", ID: id + "." + v.id, Content: &itemContent{v.id}}
			item.Snippet.Playlist, item.Snippet.Resource.Kind, item.Snippet.Resource.Video = id, "youtube#video", v.id
			item.Snippet.PublishedAt = v.uploaded.UTC().Format(time.RFC3339)
			all = append(all, item)
		}
	}
	most, _ := strconv.Atoi(q.Get("maxResults")) // 0 stands for none
	if most < 1 || most > maxIDs {
		most = 5
	}
	from, _ := strconv.Atoi(q.Get("pageToken"))
	from = min(max(from, 0), len(all))
	answer := map[string]any{"kind": "youtube#playlistItemListResponse", "items": all[from:min(from+most, len(all))]}
	if from+most < len(all) {
		answer["nextPageToken"] = strconv.Itoa(from + most)
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// listed returns the videos of a playlist; of one of uploads, the newest first. The lock must be held.
func (s *Server) listed(playlist, channel string) (all []*video) {
	if (Channel{ID: channel}).uploads() == playlist {
		for _, v := range slices.Backward(s.videos) {
			if v.channel == channel {
				all = append(all, v)
			}
		}
		return all
	}
	for _, id := range s.playlist[playlist] {
		if i := slices.IndexFunc(s.videos, func(v *video) bool { return v.id == id }); i >= 0 {
			all = append(all, s.videos[i])
		}
	}
	return all
}

// addToPlaylist adds a video, as often as it is asked to.
func (s *Server) addToPlaylist(w http.ResponseWriter, r *http.Request, channel string) *apiError {
	var item playlistItem
	if err := readJSON(w, r, &item); err != nil {
		return err
	}
	id, v := item.Snippet.Playlist, s.find(item.Snippet.Resource.Video, "")
	if err := noPlaylist(id); err != nil {
		return err
	}
	if v == nil {
		return errNoVideo
	}
	s.mu.Lock()
	s.playlist[id] = append(s.playlist[id], v.id)
	s.mu.Unlock()
	item.Kind, item.ID = "youtube#playlistItem", id+"."+v.id
	writeJSON(w, http.StatusOK, item)
	return nil
}

// PlaylistSize returns how many entries a playlist has; a video that is there twice counts as two.
func (s *Server) PlaylistSize(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.playlist[id])
}
