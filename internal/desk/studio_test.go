// Tests of the pages Templates and studio: what is offered, what is refused, and what is noted.

package desk

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/video"
)

// atelier is a rig with a shelf, on which lies a template of the owner's, made of a built-in one.
type atelier struct {
	*rig
	dir, id string
}

func newAtelier(t *testing.T) *atelier {
	t.Helper()
	a := &atelier{rig: newRig(t), dir: filepath.Join(t.TempDir(), "templates")}
	t.Cleanup(a.Close)
	m, err := video.New(video.Config{Engine: video.EngineTemplate, Offered: []string{"new-year"},
		Languages: []string{"ru", "en"}, Timeout: time.Minute, Work: t.TempDir(), Cache: t.TempDir(), Templates: a.dir})
	if err != nil {
		t.Fatal(err)
	}
	if a.opts.Shelf, err = video.NewShelf(m); err != nil {
		t.Fatal(err)
	}
	a.opts.CanDraw = m.CanDraw
	w := a.do(a.ChangeTemplates, sent{body: "do=copy&id=birthday", json: true})
	var answer struct{ ID string }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 || answer.ID != "happy-birthday" {
		t.Fatalf("got %d %s; want a template", w.Code, w.Body)
	}
	a.id = answer.ID
	return a
}

// works sends fields to the studio, as name and value in turn.
func (a *atelier) works(do string, fields ...string) (status int, answer struct {
	Outcome, ID, Picture string
	Error                struct {
		Code   string
		Fields map[string]string
	}
}) {
	a.Helper()
	form := url.Values{"do": {do}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	w := a.do(a.WorkOnTemplate, sent{path: "/studio/" + a.id, id: a.id, body: form.Encode(), json: true})
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		a.Fatalf("%s: %v", w.Body, err)
	}
	return w.Code, answer
}

func (a *atelier) lists(do, id string) int {
	a.Helper()
	return a.do(a.ChangeTemplates, sent{body: "do=" + do + "&id=" + id}).Code
}

func TestTemplates_OfferOrderAndRetireAtOnce(t *testing.T) {
	a := newAtelier(t)
	for _, c := range []struct {
		do, id string
		status int
		want   []string
	}{
		{"retire", "new-year", 409, []string{"new-year"}}, // the last
		{"offer", a.id, 303, []string{"new-year", a.id}},
		{"offer", a.id, 303, []string{"new-year", a.id}}, // a second press
		{"up", a.id, 303, []string{a.id, "new-year"}},
		{"up", a.id, 303, []string{a.id, "new-year"}},
		{"offer", "birthday", 303, []string{a.id, "new-year", "birthday"}},
		{"down", "new-year", 303, []string{a.id, "birthday", "new-year"}},
		{"retire", "new-year", 303, []string{a.id, "birthday"}},
		{"offer", "nothing", 404, []string{a.id, "birthday"}},
		{"offer", "../x", 404, []string{a.id, "birthday"}},
		{"burn", a.id, 422, []string{a.id, "birthday"}},
	} {
		if got := a.lists(c.do, c.id); got != c.status {
			t.Errorf("%s %s: got %d; want %d", c.do, c.id, got, c.status)
		}
		kept, err := a.store.Offers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := a.offeredIDs(); !slices.Equal(got, c.want) || len(kept) > 0 && !slices.Equal(kept, c.want) {
			t.Errorf("%s %s: got %v, and %v is kept; want %v", c.do, c.id, got, kept, c.want)
		}
	}
	a.mutate(`INSERT INTO advance (name, name_key, template, lang, creator, created) VALUES ('Яна', 'яна', 'happy-birthday@1', 'ru', 8, 0)`)
	a.mutate(`INSERT INTO assets (id, name, name_key, template, lang, origin, status, advance, file, created, finished)
		VALUES ('AAAAAAAAAAAAAAAAAAAAAAAAAA', 'Ян', 'ян', 'happy-birthday@1', 'ru', 'REQUEST', 'COMPLETED', 1, 'x.mp4', 0, 1)`)
	if status, answer := a.works("save", "version", "1", "s1.y", "40"); status != 200 || answer.ID != a.id+"@2" {
		t.Errorf("got %d, %+v; want the second version", status, answer)
	}
	if o, _ := a.opts.Offers.Find(a.id); o.Template() != a.id+"@2" {
		t.Errorf("got %s offered; want the version that was saved", o.Template())
	}
	if got := a.number(`SELECT count(*) FROM advance WHERE template = 'happy-birthday@2'`); got != 1 {
		t.Error("a name that waits to be made in advance is made with the older version")
	}
	if got := a.number(`SELECT advance FROM assets WHERE name = 'Ян'`); got != 0 {
		t.Error("a video of the older version goes to everybody who asks")
	}
	if status, answer := a.works("back:1"); status != 200 || answer.ID != a.id+"@1" {
		t.Errorf("got %d, %+v; want the first version again", status, answer)
	}
	for action, want := range map[string]int{"template add": 1, "template offer": 3, "template retire": 1,
		"template order": 3, "template save": 1, "template back": 1} {
		if got := a.number(`SELECT count(*) FROM audit WHERE action = ? AND admin = 8`, action); got != want {
			t.Errorf("%s: got %d in the list of activity; want %d", action, got, want)
		}
	}
}

func TestStudio_SaysWhatIsWrongAtItsFieldAndSavesNothing(t *testing.T) {
	a := newAtelier(t)
	for name, c := range map[string]struct {
		field  string
		fields []string
		status int
	}{
		"outside":            {"s1.box", []string{"s1.x", "5000"}, 422},
		"a huge number":      {"s1.box", []string{"s1.w", strings.Repeat("9", 40)}, 422},
		"no number":          {"s1.start", []string{"s1.start", "soon"}, 422},
		"before it begins":   {"s1.end", []string{"s1.end", "1"}, 422},
		"without the name":   {"s1.text", []string{"s1.text.ru", "Привет", "s1.text.en", "Hello"}, 422},
		"letters turned":     {"s1.text", []string{"s1.text.ru", "{{.Name}}\u202e", "s1.text.en", "{{.Name}}"}, 422},
		"a control":          {"title", []string{"title.en", "a\x07"}, 422},
		"a title turned":     {"title", []string{"title.en", "a\u202eb"}, 422},
		"a long text":        {"s1.text", []string{"s1.text.ru", strings.Repeat("x", 400)}, 422},
		"no title":           {"title", []string{"title.ru", "", "title.en", ""}, 422},
		"a path":             {"s1.font", []string{"s1.font", "../../secret.ttf"}, 422},
		"no colour":          {"s1.outline", []string{"s1.outline", "javascript:"}, 422},
		"a shape":            {"aspect", []string{"aspect", "round"}, 422},
		"a voice":            {"voice.text", []string{"voice.text.ru", "{{.x}}", "voice.text.en", "{{.x}}"}, 422},
		"a thousand places":  {"", []string{"places", "1000"}, 200}, // as many as there are
		"another's language": {"", []string{"lang", "xx"}, 422},
	} {
		t.Run(name, func(t *testing.T) {
			do := "save"
			if c.status == 200 {
				do = "show"
			}
			status, answer := a.works(do, append(c.fields, "version", "1")...)
			if status != c.status || c.field != "" && answer.Error.Fields[c.field] == "" {
				t.Errorf("got %d, %v; want %d, and a fault of %q", status, answer.Error.Fields, c.status, c.field)
			}
		})
	}
	if status, answer := a.works("save", "version", "7", "s1.y", "40"); status != 409 || answer.Error.Code != "CONFLICT" {
		t.Errorf("got %d, %+v of a version that is not current; want a conflict", status, answer)
	}
	if status, _ := a.works("save", "s1.text.ru", strings.Repeat("x", 80<<10)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d of a large form; want 413", status)
	}
	if status, answer := a.works("show", "name", "12"); status != 422 || answer.Error.Fields["name"] == "" {
		t.Errorf("got %d, %+v; want a fault of the name", status, answer)
	}
	if _, err := os.Stat(filepath.Join(a.dir, a.id, "versions", "2.toml")); err == nil {
		t.Error("something was saved")
	}
	if got := a.number(`SELECT count(*) FROM audit WHERE action = 'template save'`); got != 0 {
		t.Errorf("got %d saves in the list of activity; want none", got)
	}
}

func TestStudio_ShowsAStillThatHasNoNameInItsAddress(t *testing.T) {
	a := newAtelier(t)
	status, answer := a.works("show", "name", "Александра", "lang", "ru", "at", "3", "s1.y", "40")
	if status != 200 || !strings.HasPrefix(answer.Picture, "/studio/"+a.id+"/trial/") {
		t.Fatalf("got %d, %+v; want a picture", status, answer)
	}
	req := sent{method: "GET", path: answer.Picture, id: a.id}
	get := func(h Handler) Handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			r.SetPathValue("f", filepath.Base(req.path))
			return h(w, r)
		}
	}
	if w := a.do(get(a.StudioTrial), req); w.Code != 200 || w.Header().Get("Content-Type") != "image/jpeg" ||
		!strings.HasPrefix(w.Body.String(), "\xff\xd8") {
		t.Errorf("got %d, %s; want a JPEG", w.Code, w.Header())
	}
	if log := a.log.String(); strings.Contains(log, "Александра") || strings.Contains(answer.Picture, "Але") {
		t.Errorf("got a name in %s, %s", log, answer.Picture)
	}
	for range mostTrials { // the oldest goes
		if _, err := a.trials.keep("x", ".jpg", func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if w := a.do(get(a.StudioTrial), req); w.Code != 404 {
		t.Errorf("got %d; want that it is gone", w.Code)
	}
	// The page itself, with one more place for the name than is saved.
	page := a.do(a.WorkOnTemplate, sent{path: "/studio/" + a.id, id: a.id, body: "do=add"})
	if page.Code != 200 || !strings.Contains(page.Body.String(), `name="s3.start"`) {
		t.Errorf("got %d; want a page with a third place", page.Code)
	}
}
