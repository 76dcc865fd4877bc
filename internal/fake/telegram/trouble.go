// The bot as a whole in trouble: a webhook, a revoked token, logged out, a slow
// line. For trouble with single calls see Fault.

package telegram

import (
	"io"
	"net/http"
	"time"
)

// trouble is what is wrong with the bot as a whole. The server's lock guards it.
type trouble struct {
	webhook   string
	revoked   bool
	loggedOut bool
	rate      int64  // of uploads, bytes a second; 0: as fast as they come
	keepAs    string // what the next uploaded videos become; "": what they are
}

// SetWebhook gives the bot a webhook, which ends polling: getUpdates is refused
// until deleteWebhook or SetWebhook("").
func (s *Server) SetWebhook(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble.webhook = url
	if s.updates.poll != nil && url != "" {
		close(s.updates.poll)
		s.updates.poll = nil
	}
	s.broadcast()
}

// Webhook returns the URL of the webhook, "" if there is none.
func (s *Server) Webhook() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble.webhook
}

// SetRevoked makes the token unknown and known again, as BotFather's /revoke does.
func (s *Server) SetRevoked(revoked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble.revoked = revoked
	s.broadcast()
}

// SetLoggedOut makes the server refuse every call with "Logged out", as Telegram's
// own does for some minutes when a bot moves to another Bot API server.
func (s *Server) SetLoggedOut(out bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble.loggedOut = out
	s.broadcast()
}

// SetUploadRate makes calls with files arrive at so many bytes a second; 0 makes
// them as fast as they come.
func (s *Server) SetUploadRate(bytesPerSecond int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble.rate = bytesPerSecond
}

// KeepVideosAs makes the videos that are uploaded from now on animations or
// documents, as Telegram does with some; "" lets them be what they are.
func (s *Server) KeepVideosAs(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble.keepAs = kind
}

// refused returns what every call is told, nil if nothing is wrong.
func (s *Server) refused() *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.trouble.revoked:
		return &apiError{code: http.StatusUnauthorized, text: "Unauthorized"}
	case s.trouble.loggedOut:
		return &apiError{code: http.StatusBadRequest, text: "Logged out"}
	}
	return nil
}

// slowly wraps the body of an upload if the line is slow.
func (s *Server) slowly(r *http.Request) {
	s.mu.Lock()
	rate := s.trouble.rate
	s.mu.Unlock()
	if rate > 0 {
		r.Body = &slowBody{r.Body, r, s.done, rate}
	}
}

type slowBody struct {
	io.ReadCloser
	r    *http.Request
	done chan struct{}
	rate int64
}

func (b *slowBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(len(p), int(max(1, b.rate/20)))])
	select {
	case <-time.After(time.Duration(n) * time.Second / time.Duration(b.rate)):
	case <-b.r.Context().Done():
	case <-b.done:
	}
	return n, err
}
