// The page's HTTP server, and how long it waits for clients.

package desk

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"retake.example/internal/routine"
)

// Timeouts is how long the server waits for a client.
type Timeouts struct {
	Header time.Duration // to send what stands before the body
	Form   time.Duration // to send all of a request, unless its handler sets another deadline
	Idle   time.Duration // to ask again on the same connection
}

// NewServer returns the server of a page. Once a request has arrived its answer may take as long as it takes: videos
// are long. Its listener is one that MustRead returns. A handler that takes long uploads moves the deadline on with
// http.ResponseController.SetReadDeadline.
func NewServer(page http.Handler, wait Timeouts, log *slog.Logger) *http.Server {
	s := &http.Server{
		Handler:                      page,
		ReadHeaderTimeout:            wait.Header,
		ReadTimeout:                  wait.Form,
		IdleTimeout:                  wait.Idle,
		MaxHeaderBytes:               64 << 10,
		DisableGeneralOptionsHandler: true, // the page's own answers carry its headers
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	// Browsers connect in advance. Shutdown would wait five seconds for them to say something.
	var silent sync.Map
	s.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateNew {
			silent.Store(c, nil)
		} else {
			silent.Delete(c)
		}
	}
	s.RegisterOnShutdown(func() {
		silent.Range(func(c, _ any) bool {
			c.(net.Conn).Close()
			return true
		})
	})
	return s
}

// RunServer answers on a listener until ctx ends. Then requests under way have so long to finish.
func RunServer(ctx context.Context, s *http.Server, l net.Listener, rest time.Duration) error {
	ended := routine.Go(func() error { return s.Serve(l) })
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), rest)
	defer cancel()
	if err := s.Shutdown(bye); err != nil { // somebody is still watching a video
		return s.Close()
	}
	return nil
}
