// Reading a call: the same parameters may come as multipart form, urlencoded
// form, JSON or in the query string.

package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxParams bounds everything in a call that is not a file, in bytes.
const maxParams = 4 << 20

// request is one call with its parameters as text. JSON values that are no
// strings keep their JSON form.
type request struct {
	ctx    context.Context
	method string
	params map[string]string
	files  map[string]upload
	fileID string // what a send put out, for the record
	cut    bool   // the client went away before its request was complete
}

// upload is a file inside a multipart call.
type upload struct {
	name string
	data []byte
}

// text returns a parameter, "" when it was not given.
func (r *request) text(name string) string { return r.params[name] }

// number returns a whole-number parameter, 0 when it was not given or is none.
func (r *request) number(name string) int64 {
	n, _ := strconv.ParseInt(r.params[name], 10, 64) // Telegram reads nonsense as 0 too
	return n
}

func (r *request) flag(name string) bool {
	v := strings.ToLower(r.params[name])
	return v == "true" || v == "1" || v == "yes"
}

// readRequest takes the whole call in before anything is done with it. A file
// of more than limit bytes is read to its end and thrown away: an answer in
// the middle of an upload would reach many clients as a broken connection.
func readRequest(r *http.Request, method string, limit int64) (*request, *apiError) {
	req := &request{ctx: r.Context(), method: method, params: map[string]string{}, files: map[string]upload{}}
	req.addValues(r.URL.Query())
	kind, options, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var err error
	switch kind {
	case "multipart/form-data":
		err = req.readMultipart(r.Body, options["boundary"], limit)
	case "application/json":
		err = req.readJSON(r.Body)
	case "application/x-www-form-urlencoded":
		err = req.readForm(r.Body)
	}
	switch {
	case err == nil:
		return req, nil
	case errors.Is(err, errTooLarge):
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			req.cut = true
		}
		return req, &apiError{code: http.StatusRequestEntityTooLarge, text: "Request Entity Too Large"}
	case errors.Is(err, errNotJSON):
		return req, bad("can't parse request JSON object")
	default:
		req.cut = true
		return req, nil
	}
}

var (
	errTooLarge = errors.New("too large")
	errNotJSON  = errors.New("not a JSON object")
)

func (r *request) readMultipart(body io.Reader, boundary string, limit int64) error {
	form := multipart.NewReader(body, boundary)
	room := int64(maxParams)
	for n := 0; ; n++ {
		part, err := form.NextPart()
		if err == io.EOF || n == 0 && errors.Is(err, io.EOF) {
			return nil // a call without parameters has no parts at all, not even a last boundary
		}
		if err != nil {
			return err
		}
		bound := room
		if part.FileName() != "" {
			bound = limit
		}
		data, err := io.ReadAll(io.LimitReader(part, bound+1))
		switch {
		case err != nil:
			return err
		case int64(len(data)) > bound:
			return errTooLarge
		case part.FileName() != "":
			r.files[part.FormName()] = upload{name: part.FileName(), data: data}
		default:
			room -= int64(len(data))
			r.params[part.FormName()] = string(data)
		}
	}
}

func (r *request) readForm(body io.Reader) error {
	data, err := readBounded(body)
	if err != nil {
		return err
	}
	values, err := url.ParseQuery(string(data))
	if err != nil {
		return errNotJSON
	}
	r.addValues(values)
	return nil
}

func (r *request) readJSON(body io.Reader) error {
	data, err := readBounded(body)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return errNotJSON
	}
	for name, raw := range fields {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		r.params[name] = text
	}
	return nil
}

func readBounded(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxParams+1))
	if err == nil && len(data) > maxParams {
		err = errTooLarge
	}
	return data, err
}

func (r *request) addValues(values url.Values) {
	for name, v := range values {
		if len(v) > 0 {
			r.params[name] = v[0]
		}
	}
}
