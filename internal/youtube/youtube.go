// The client: one call to YouTube and its answer, with a time limit.

// Package youtube speaks with YouTube: consent, resumable uploads, publishing, editing, deleting, and looking at what
// became of a video. Its errors carry a stable code and say what to do about them. They never hold tokens or the
// addresses of uploads, which are as good as tokens.
package youtube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// Config says who this program is to Google and where YouTube is.
type Config struct {
	ClientID, ClientSecret string
	BaseURL                string           // of the API, as https://www.googleapis.com
	AuthURL                string           // the consent page
	TokenURL               string           // ends in /token; tokens are revoked beside it, at /revoke
	RedirectURL            string           // where Google sends the admin back to
	WatchURL               string           // what a video's id is added to, as https://www.youtube.com/watch?v=
	Now                    func() time.Time // nil: the clock
}

const (
	patience  = 30 * time.Second // for a call that is not an upload
	stall     = 60 * time.Second // an upload fails if no byte moved for so long
	maxAnswer = 1 << 20
)

// Client is this program as YouTube knows it. It may be used by any number of goroutines.
type Client struct {
	conf    Config
	oauth   oauth2.Config
	http    *http.Client
	now     func() time.Time
	stall   time.Duration
	asks    asks
	missing missing
}

// New returns a client.
func New(conf Config) *Client {
	if conf.Now == nil {
		conf.Now = time.Now
	}
	return &Client{
		conf: conf,
		oauth: oauth2.Config{
			ClientID:     conf.ClientID,
			ClientSecret: conf.ClientSecret,
			RedirectURL:  conf.RedirectURL,
			Scopes:       scopes,
			Endpoint: oauth2.Endpoint{
				AuthURL:   conf.AuthURL,
				TokenURL:  conf.TokenURL,
				AuthStyle: oauth2.AuthStyleInParams,
			},
		},
		// A redirect could carry the token or the video elsewhere.
		http: &http.Client{
			Transport:     http.DefaultTransport.(*http.Transport).Clone(),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		now:     conf.Now,
		stall:   stall,
		asks:    asks{open: map[string]ask{}},
		missing: missing{since: map[string]time.Time{}},
	}
}

// Watch returns the address at which people see the video.
func (c *Client) Watch(id string) string { return c.conf.WatchURL + url.QueryEscape(id) }

// request is one call that can be sent again, because its body can be had again.
type request struct {
	method, url string
	header      map[string]string
	body        func() (io.Reader, error) // nil: none
	size        int64                     // of the body
	wait        time.Duration             // without a byte moved
}

// answer is what came back, whole.
type answer struct {
	status int
	header http.Header
	body   []byte
	unsent int64 // bytes of the request's body that never left, also of a call that failed
}

// send sends a request and reads the answer.
func (c *Client) send(ctx context.Context, r request, token string) (answer, error) {
	moving, end := context.WithCancel(ctx)
	defer end()
	watch := time.AfterFunc(r.wait, end)
	defer watch.Stop()
	req, err := http.NewRequestWithContext(moving, r.method, r.url, http.NoBody)
	if err != nil {
		return answer{unsent: r.size}, unreadable("the address that YouTube named isn't a valid URL")
	}
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	body := &source{left: r.size, moved: func() { watch.Reset(r.wait) }}
	defer body.stop()
	if r.body != nil {
		if body.from, err = r.body(); err != nil {
			return answer{unsent: r.size}, fmt.Errorf("read what is uploaded: %w", err)
		}
		req.Body, req.ContentLength = body, r.size
	}
	var got answer
	res, err := c.http.Do(req)
	if err == nil {
		got.status, got.header = res.StatusCode, res.Header
		got.body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		res.Body.Close()
	}
	if err == nil {
		return got, nil
	}
	body.stop()
	unsent, broken := body.rest()
	nothing := answer{unsent: unsent}
	switch {
	case ctx.Err() != nil:
		return nothing, context.Cause(ctx)
	case broken != nil:
		return nothing, fmt.Errorf("read what is uploaded: %w", broken)
	case moving.Err() != nil:
		return nothing, unreachable(fmt.Sprintf("nothing moved for %s", r.wait))
	}
	if at, ok := errors.AsType[*url.Error](err); ok { // its text is the address, which may be a secret
		err = at.Err
	}
	return nothing, unreachable(err.Error())
}

// source is a body while it is sent. The transport may read on after the answer came, so stop ends its reading: the
// same file is read again right afterwards.
type source struct {
	mu    sync.Mutex
	from  io.Reader
	left  int64
	moved func()
	err   error // of the file, not of the connection
	ended bool
}

func (s *source) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return 0, io.ErrClosedPipe
	}
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.from.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	s.moved()
	if err == io.EOF {
		if err = nil; s.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	s.err = err
	return n, err
}

func (s *source) Close() error { return nil }

func (s *source) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

// rest returns how many bytes were never read, and the error of the file.
func (s *source) rest() (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left, s.err
}

// api makes the request of a call that is not an upload.
func (c *Client) api(method, path string, query url.Values, in any) (request, error) {
	r := request{method: method, url: strings.TrimSuffix(c.conf.BaseURL, "/") + path + "?" + query.Encode(),
		header: map[string]string{}, wait: patience}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return r, err
		}
		r.header["Content-Type"] = "application/json; charset=UTF-8"
		r.body, r.size = text(string(body)), int64(len(body))
	}
	return r, nil
}

func text(s string) func() (io.Reader, error) {
	return func() (io.Reader, error) { return strings.NewReader(s), nil }
}

// read reads the JSON of an answer into v, unless that is nil. Everything of YouTube's says what kind it is. An answer
// that does not is of somebody in between, who has done nothing.
func (a answer) read(v any) error {
	var own struct{ Kind string }
	if json.Unmarshal(a.body, &own) != nil || !strings.HasPrefix(own.Kind, "youtube#") {
		return unreadable("the answer isn't YouTube's")
	}
	if v != nil && json.Unmarshal(a.body, v) != nil {
		return unreadable("the answer has another shape")
	}
	return nil
}
