// sendDocument: a file of any kind.

package telegram

import (
	"mime"
	"path"
)

func (s *Server) sendDocument(r *request) (any, *apiError) { return s.sendFile(r, s.documentFile) }

func (s *Server) documentFile(r *request) (*file, *apiError) {
	up, uploaded := r.attached("document")
	switch {
	case !uploaded:
		return s.knownFile(r, "document")
	case len(up.data) == 0:
		return nil, bad("file must be non-empty")
	}
	f := &file{kind: "document", name: path.Base(up.name), mime: mime.TypeByExtension(path.Ext(up.name)), data: up.data}
	s.keep(f)
	return f, nil
}
