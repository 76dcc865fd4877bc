// sendVoice: a spoken message, which people hear at a press.

package telegram

import "bytes"

func (s *Server) sendVoice(r *request) (any, *apiError) { return s.sendFile(r, s.voiceFile) }

func (s *Server) voiceFile(r *request) (*file, *apiError) {
	up, uploaded := r.attached("voice")
	switch {
	case !uploaded:
		return s.knownFile(r, "voice")
	case !bytes.HasPrefix(up.data, []byte("OggS")) || !bytes.Contains(up.data, []byte("OpusHead")):
		return nil, bad("wrong file type: a voice message is OGG with OPUS here")
	}
	f := &file{kind: "voice", mime: "audio/ogg", data: up.data, duration: int(r.number("duration"))}
	s.keep(f)
	return f, nil
}
