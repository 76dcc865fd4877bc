// sendDocument: a file that is no video, as an upload.

package telegram

import (
	"mime"
	"path"
)

func (s *Server) sendDocument(r *request) (any, *apiError) {
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
	up, uploaded := r.attached("document")
	switch {
	case !uploaded:
		return nil, bad("there is no document in the request")
	case len(up.data) == 0:
		return nil, bad("file must be non-empty")
	}
	f := &file{kind: "document", name: path.Base(up.name), mime: mime.TypeByExtension(path.Ext(up.name)), data: up.data}
	s.keep(f)
	s.add(&message{chat: c, from: s.bot, kind: f.kind, file: f, text: text, entities: entities, buttons: buttons})
	r.fileID = f.id
	return c.messages[len(c.messages)-1].wire(), nil
}
