// How requests are read: forms, JSON, addresses.

package desk

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxBody is how many bytes a form or a JSON object may have.
const MaxBody = 64 << 10

// MaxQuery is how many bytes an address may have after its question mark: a name, a few words and an id are far fewer.
const MaxQuery = 4 << 10

// What Fields returns for a body that it cannot read, and CheckQuery for an address.
var (
	ErrJSON  = errors.New("not a JSON object with texts in it")
	ErrForm  = errors.New("not a form")
	ErrSlow  = errors.New("too slow")
	ErrQuery = errors.New("not a query")
	ErrLong  = errors.New("too long a query")
)

func isJSON(header string) bool {
	kind, _, err := mime.ParseMediaType(header)
	return err == nil && kind == "application/json"
}

// WantsJSON reports whether the client is a program: it has a token, asks for JSON, or for events, or speaks JSON.
func WantsJSON(r *http.Request) bool {
	if _, ok := bearer(r); ok {
		return true
	}
	for accepted := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if isJSON(accepted) || accepted == "text/event-stream" {
			return true
		}
	}
	return isJSON(r.Header.Get("Content-Type"))
}

// Fields reads a form or a JSON object with texts in it. The error is ErrJSON, ErrForm, ErrSlow or *http.MaxBytesError.
func Fields(w http.ResponseWriter, r *http.Request) (map[string]string, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		drain(w, r.Body)
		return nil, err
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, ErrSlow
	case err != nil: // it breaks off, or is sent in a way that HTTP does not know
		return nil, ErrForm
	}
	if isJSON(r.Header.Get("Content-Type")) {
		var fields map[string]string
		if err := json.Unmarshal(body, &fields); err != nil && len(body) > 0 || !utf8.Valid(body) {
			return nil, ErrJSON
		}
		return fields, nil
	}
	form, err := readable(string(body))
	if err != nil {
		return nil, ErrForm
	}
	fields := map[string]string{}
	for name := range form {
		fields[name] = form.Get(name)
	}
	return fields, nil
}

// mostDrained is how many bytes of a body that is refused are read.
const mostDrained = 64 << 20

// drain reads what still comes of a body that is refused: a client that is cut off while it sends does not read why.
func drain(w http.ResponseWriter, body io.Reader) {
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(linger)); err != nil {
		return
	}
	io.CopyN(io.Discard, body, mostDrained)
}

// CheckQuery refuses an address with more after its question mark than a page has a use for, or with what cannot be
// read. Without it a search that cannot be read would be no search, and show everything. The error is ErrLong or
// ErrQuery.
func CheckQuery(r *http.Request) error {
	if len(r.URL.RawQuery) > MaxQuery {
		return ErrLong
	}
	if _, err := readable(r.URL.RawQuery); err != nil {
		return ErrQuery
	}
	return nil
}

// readable parses a query or a form, whose names and values must be text.
func readable(query string) (url.Values, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	if text, err := url.QueryUnescape(query); err != nil || !utf8.ValidString(text) {
		return nil, errors.New("not UTF-8")
	}
	return values, nil
}

// shows matches the pages that show videos.
var shows = regexp.MustCompile(`^/(assets/\w+)?$`)

// Back is the address of the page that a form was sent from, with a notice; that of the library when the browser does
// not say, or names a page without videos. The host that it names does not matter: only a path of ours is taken.
func Back(r *http.Request, notice string) string {
	from, err := url.Parse(r.Referer())
	if err != nil || !shows.MatchString(from.Path) {
		from = &url.URL{Path: "/"}
	}
	query := from.Query()
	query.Set("notice", notice)
	return from.Path + "?" + query.Encode()
}

// Address adds a query, as names and values in turn, to a path. What is empty is left out.
func Address(path string, query ...string) string {
	q := url.Values{}
	for i := 0; i < len(query); i += 2 {
		if query[i+1] != "" {
			q.Set(query[i], query[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
