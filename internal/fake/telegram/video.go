// sendVideo and its kin: an upload or a file that Telegram already has.

package telegram

import (
	"bytes"
	"image/jpeg"
	"path"
	"strings"
)

func (s *Server) sendVideo(r *request) (any, *apiError) { return s.sendFile(r, s.videoFile) }

// sendFile sends the file that pick finds in the call.
func (s *Server) sendFile(r *request, pick func(*request) (*file, *apiError)) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.target(r)
	if err != nil {
		return nil, err
	}
	text, entities, err := caption(r)
	if err != nil {
		return nil, err
	}
	buttons, err := keyboard(r)
	if err != nil {
		return nil, err
	}
	f, err := pick(r)
	if err != nil {
		return nil, err
	}
	m := &message{chat: c, from: s.bot, kind: f.kind, file: f, text: text, entities: entities, buttons: buttons,
		topic: int(r.number("message_thread_id"))}
	s.add(m)
	r.fileID = f.id
	return m.wire(), nil
}

// videoFile is the file that the call names or brings along.
func (s *Server) videoFile(r *request) (*file, *apiError) {
	up, uploaded := r.attached("video")
	switch {
	case uploaded && len(up.data) == 0:
		return nil, bad("file must be non-empty")
	case uploaded:
		return s.newVideo(r, up), nil
	}
	return s.knownFile(r, "video")
}

// knownFile is the file of a kind that the call names by its file_id. It can only be
// sent as what it is.
func (s *Server) knownFile(r *request, kind string) (*file, *apiError) {
	f := s.files[r.text(kind)]
	switch {
	case r.text(kind) == "":
		return nil, bad("there is no %s in the request", kind)
	case f == nil || f.gone:
		return nil, bad("wrong file identifier/HTTP URL specified")
	case f.kind != kind:
		return nil, bad("type of file mismatch")
	}
	return f, nil
}

func (s *Server) sendAnimation(r *request) (any, *apiError) {
	return s.sendFile(r, func(r *request) (*file, *apiError) { return s.knownFile(r, "animation") })
}

// attached finds a file that came with the call, either under the parameter's
// own name or under the name that its "attach://…" value gives.
func (r *request) attached(param string) (upload, bool) {
	name, ok := strings.CutPrefix(r.text(param), "attach://")
	if !ok {
		name = param
	}
	up, ok := r.files[name]
	return up, ok
}

// newVideo keeps an upload. What is not an MP4 is taken for a video without
// looking further, so that a test need not make a real one; a real MP4 without
// sound becomes an animation, which is what surprises people in Telegram.
func (s *Server) newVideo(r *request, up upload) *file {
	f := &file{kind: "video", name: path.Base(up.name), mime: "video/mp4", data: up.data}
	if seen, ok := inspect(up.data); ok {
		f.width, f.height, f.duration = seen.width, seen.height, seen.seconds
		if !seen.sound {
			f.kind = "animation"
		}
	}
	if n := int(r.number("width")); n > 0 {
		f.width = n
	}
	if n := int(r.number("height")); n > 0 {
		f.height = n
	}
	if n := int(r.number("duration")); n > 0 {
		f.duration = n
	}
	if s.trouble.keepAs != "" {
		f.kind = s.trouble.keepAs
	}
	f.thumb = s.thumbnail(r)
	s.keep(f)
	return f
}

// What Telegram takes as a thumbnail.
const (
	maxThumbBytes = 200 << 10
	maxThumbSide  = 320
)

// thumbnail keeps the picture that came along. One that breaks the rules is
// left out without an error, as Telegram does it.
func (s *Server) thumbnail(r *request) *file {
	up, ok := r.attached("thumbnail")
	if !ok || len(up.data) >= maxThumbBytes {
		return nil
	}
	size, err := jpeg.DecodeConfig(bytes.NewReader(up.data))
	if err != nil || size.Width > maxThumbSide || size.Height > maxThumbSide {
		return nil
	}
	f := &file{kind: "thumbnail", mime: "image/jpeg", data: up.data, width: size.Width, height: size.Height}
	s.keep(f)
	return f
}
