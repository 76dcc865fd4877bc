// Every request of these tests is compared with Google's discovery document of the YouTube Data API.

package youtube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/api/googleapi"
)

// discovery is the document, as far as requests need it.
type discovery struct {
	Parameters map[string]parameter
	Resources  map[string]struct{ Methods map[string]method }
	Schemas    map[string]schema
}

type parameter struct {
	Type, Location     string
	Required, Repeated bool
	Enum               []string
}

type method struct {
	ID, Path, HTTPMethod string
	Parameters           map[string]parameter
	Request              struct {
		Ref string `json:"$ref"`
	}
	Scopes      []string
	MediaUpload *struct {
		Protocols map[string]struct{ Path string }
	}
}

type schema struct {
	Type, Format, Description string
	Ref                       string `json:"$ref"`
	ReadOnly                  bool
	Enum                      []string
	Properties                map[string]schema
	Items                     *schema
	Additional                *schema `json:"additionalProperties"`
}

// document reads the discovery document, which comes with Google's client library.
var document = sync.OnceValues(func() (d discovery, err error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		return d, fmt.Errorf("find google.golang.org/api: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "youtube", "v3", "youtube-api.json"))
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	return d, err
})

// uploadWords are the parameters of Google's upload protocol, which no method lists.
var uploadWords = []string{"uploadType", "upload_id"}

// deviations returns what a request has that the document does not know or forbids, and what it lacks. Requests that
// are not for the API have none.
func (d discovery) deviations(r *http.Request, body []byte) (all []string) {
	path, isAPI := strings.CutPrefix(r.URL.Path, "/google/")
	upload := strings.HasPrefix(path, "upload/")
	if !isAPI || !strings.Contains(path, "youtube/v3/") {
		return nil
	}
	say := func(format string, args ...any) {
		all = append(all, fmt.Sprintf(r.Method+" "+path+": "+format, args...))
	}
	q := r.URL.Query()
	if q.Has("upload_id") { // a session, whose address the server made
		return nil
	}
	var m method
	for _, resource := range d.Resources {
		for _, one := range resource.Methods {
			at := one.Path
			if upload && one.MediaUpload != nil {
				at = strings.TrimPrefix(one.MediaUpload.Protocols["simple"].Path, "/")
			}
			if at == path && one.HTTPMethod == r.Method {
				m = one
			}
		}
	}
	if m.ID == "" {
		say("no such method")
		return all
	}
	for name, values := range q {
		p, ok := m.Parameters[name]
		if !ok {
			p, ok = d.Parameters[name]
		}
		switch {
		case !ok && !(upload && slices.Contains(uploadWords, name)):
			say("unknown parameter %s", name)
		case len(values) > 1 && !p.Repeated:
			say("parameter %s is given %d times", name, len(values))
		case p.Type == "boolean" && values[0] != "true" && values[0] != "false",
			len(p.Enum) > 0 && !slices.Contains(p.Enum, values[0]):
			say("parameter %s is %q", name, values[0])
		}
	}
	for name, p := range m.Parameters {
		if p.Required && !q.Has(name) {
			say("parameter %s is missing", name)
		}
	}
	if m.Request.Ref == "" || strings.HasPrefix(m.ID, "youtube.thumbnails") {
		if len(body) > 0 && !upload {
			say("a body is not expected")
		}
		return all
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		say("the body isn't JSON: %v", err)
		return all
	}
	for _, problem := range d.wrong(v, schema{Ref: m.Request.Ref}, m.Request.Ref) {
		say("%s", problem)
	}
	parts := strings.Split(q.Get("part"), ",")
	if fields, ok := v.(map[string]any); ok && q.Has("part") {
		for name := range fields {
			if name != "id" && name != "kind" && name != "etag" && !slices.Contains(parts, name) {
				say("%s is sent, but is not in part", name)
			}
		}
	}
	return all
}

// wrong compares a value with its schema.
func (d discovery) wrong(v any, s schema, at string) (all []string) {
	if s.Ref != "" {
		s = d.Schemas[s.Ref]
	}
	say := func(format string, args ...any) { all = append(all, at+": "+fmt.Sprintf(format, args...)) }
	kind := map[string]bool{}
	switch v := v.(type) {
	case map[string]any:
		if s.Type != "object" {
			say("is an object; want %s", s.Type)
			return all
		}
		for name, value := range v {
			switch p, ok := s.Properties[name]; {
			case ok && (p.ReadOnly || strings.Contains(p.Description, "Output only")):
				say("%s is read only", name)
			case ok:
				all = append(all, d.wrong(value, p, at+"."+name)...)
			case s.Additional == nil:
				say("has no field %s", name)
			}
		}
		return all
	case []any:
		if s.Type != "array" {
			say("is a list; want %s", s.Type)
			return all
		}
		for _, one := range v {
			all = append(all, d.wrong(one, *s.Items, at+"[]")...)
		}
		return all
	case string:
		kind["string"] = true
		if _, err := time.Parse(time.RFC3339, v); s.Format == "date-time" && err != nil {
			say("is %q; want a time", v)
		}
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
			say("is %q; want one of %v", v, s.Enum)
		}
	case bool:
		kind["boolean"] = true
	case float64:
		kind["number"], kind["integer"] = true, true
	}
	if !kind[s.Type] {
		say("is a %T; want %s", v, s.Type)
	}
	return all
}

// strict fails the test at each request that deviates from the document.
func strict(t *testing.T, next http.Handler) http.Handler {
	d, err := document()
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body []byte
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			body, _ = io.ReadAll(r.Body) // a broken one is found when it is read
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		for _, problem := range d.deviations(r, body) {
			t.Error(problem)
		}
		next.ServeHTTP(w, r)
	})
}

func TestDiscovery_FindsWhatTheDocumentDoesNotKnow(t *testing.T) {
	d, err := document()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct{ method, address, body, want string }{
		{"GET", "youtube/v3/videos?part=id&id=x", "", ""},
		{"GET", "youtube/v3/film?part=id", "", "no such method"},
		{"GET", "youtube/v3/videos?part=id&ids=x", "", "unknown parameter ids"},
		{"GET", "youtube/v3/videos?id=x", "", "parameter part is missing"},
		{"GET", "youtube/v3/channels?part=id&mine=yes", "", `parameter mine is "yes"`},
		{"PUT", "youtube/v3/videos?part=status", `{"status":{"privacyStatus":"secret"}}`,
			"want one of [public unlisted private]"},
		{"PUT", "youtube/v3/videos?part=snippet", `{"status":{"privacyStatus":"public"}}`,
			"status is sent, but is not in part"},
		{"PUT", "youtube/v3/videos?part=status", `{"status":{"kids":true}}`, "has no field kids"},
		{"PUT", "youtube/v3/videos?part=status", `{"status":{"selfDeclaredMadeForKids":"yes"}}`, "want boolean"},
		{"PUT", "youtube/v3/videos?part=status", `{"status":{"publishAt":"tomorrow"}}`, "want a time"},
		{"DELETE", "youtube/v3/videos", "", "parameter id is missing"},
	} {
		u, err := url.Parse("http://h/google/" + one.address)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(d.deviations(&http.Request{Method: one.method, URL: u}, []byte(one.body)), "; ")
		if one.want == "" && got != "" || !strings.Contains(got, one.want) {
			t.Errorf("%s %s: got %q; want %q", one.method, one.address, got, one.want)
		}
	}
}

// The fake's refusals are read by Google's own library as its own.
func TestFake_RefusesAsGoogleDoes(t *testing.T) {
	w := newWorld(t)
	w.tube.SetFault("badtoken", true)
	res, err := http.Get(w.front.URL + "/google/youtube/v3/channels?part=id&mine=true")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	e, ok := googleapi.CheckResponse(res).(*googleapi.Error)
	if !ok || e.Code != 401 || len(e.Errors) != 1 || e.Errors[0].Reason != "authError" {
		t.Errorf("got %+v; want authError", e)
	}
}
