// Tests of the pages Templates and studio: what is offered, what is refused, and what is noted.

package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/video"
)

// atelier is a rig with a shelf, on which lies a template of the owner's, made of a built-in one.
type atelier struct {
	*rig
	dir, id string
	work    string
}

func newAtelier(t *testing.T) *atelier {
	t.Helper()
	a := &atelier{rig: newRig(t), dir: filepath.Join(t.TempDir(), "templates"),
		work: t.TempDir()}
	t.Cleanup(a.Close)
	m, err := video.New(video.Config{Engine: video.EngineTemplate, Offered: []string{"new-year"},
		Languages: []string{"ru", "en"}, Timeout: time.Minute, Work: a.work, Cache: t.TempDir(), Templates: a.dir})
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

// Whatever the machine cannot do just now: the owner is told why, and the form has what was typed.
func TestStudio_KeepsWhatWasTypedWhenTheMachineCannotShowIt(t *testing.T) {
	a := newAtelier(t)
	if err := os.RemoveAll(a.work); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.work, nil, 0o600); err != nil { // where folders should be made
		t.Fatal(err)
	}
	body := url.Values{"do": {"show"}, "name": {"Александра"}, "lang": {"ru"}, "at": {"3"}, "title.ru": {"Мой фильм"}}
	w := a.do(a.WorkOnTemplate, sent{path: "/studio/" + a.id, id: a.id, body: body.Encode()})
	if page := w.Body.String(); w.Code != 503 || !strings.Contains(page, "Мой фильм") ||
		!strings.Contains(page, "What you typed is still here") {
		t.Errorf("got %d; want 503, the reason, and what was typed", w.Code)
	}
	status, answer := a.works("show", "name", "Александра", "at", "3")
	if status != 503 || answer.Error.Code != Unavailable {
		t.Errorf("got %d, %+v; want 503 %s", status, answer, Unavailable)
	}
	if log := a.log.String(); !strings.Contains(log, "show template") || strings.Contains(log, "Александра") {
		t.Errorf("got %s in the log; want the reason, and no name", log)
	}
}

// As above for what is saved: here the folder of the versions is a file.
func TestStudio_KeepsWhatWasTypedWhenTheMachineCannotSaveIt(t *testing.T) {
	a := newAtelier(t)
	versions := filepath.Join(a.dir, a.id, "versions")
	if err := os.RemoveAll(versions); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(versions, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	body := url.Values{"do": {"save"}, "title.ru": {"Мой фильм"}}
	w := a.do(a.WorkOnTemplate, sent{path: "/studio/" + a.id, id: a.id, body: body.Encode()})
	if page := w.Body.String(); w.Code != 503 || !strings.Contains(page, "Мой фильм") ||
		!strings.Contains(page, "What you typed is still here") {
		t.Errorf("got %d; want 503, the reason, and what was typed", w.Code)
	}
	if status, answer := a.works("save", "title.ru", "Мой фильм"); status != 503 || answer.Error.Code != Unavailable {
		t.Errorf("got %d, %+v; want 503 %s", status, answer, Unavailable)
	}
}

func TestStudio_TextsImagesAndMusicAreSetByFields(t *testing.T) {
	a := newAtelier(t)
	folder := filepath.Join(a.dir, a.id)
	if err := os.WriteFile(filepath.Join(folder, "star.png"), pngOf(t, 40, 40), 0o600); err != nil {
		t.Fatal(err)
	}
	w := a.do(a.Studio, sent{method: "GET", path: "/studio/" + a.id, id: a.id, json: true})
	var view Bench
	if err := json.Unmarshal(w.Body.Bytes(), &view); err != nil || !slices.Equal(view.Extras.Images, []string{"star.png"}) {
		t.Fatalf("got %s, %v; want the image among the files", w.Body, err)
	}
	texts := len(view.Sheet.Texts)
	n := strconv.Itoa(texts + 1)
	more := []string{"texts", n, "t" + n + ".text.ru", "Ура", "t" + n + ".text.en", "Hooray", "t" + n + ".x", "10",
		"t" + n + ".y", "10", "t" + n + ".w", "200", "t" + n + ".h", "60", "images", "1", "i1.file", "star.png", "i1.x", "5",
		"i1.y", "5", "i1.w", "40", "i1.h", "40", "i1.end", "2", "i1.opacity", "0,5"}
	if status, answer := a.works("show", append(more, "name", "Emma", "at", "1")...); status != 200 || answer.Picture == "" {
		t.Fatalf("got %d, %+v; want a still with both", status, answer)
	}
	if status, answer := a.works("save", append(more, "version", "1")...); status != 200 {
		t.Fatalf("got %d, %+v; want it saved", status, answer)
	}
	text, err := os.ReadFile(filepath.Join(folder, "template.toml"))
	if err != nil || !strings.Contains(string(text), "star.png") || !strings.Contains(string(text), "Hooray") ||
		!strings.Contains(string(text), "opacity = 0.5") {
		t.Errorf("got %s, %v; want the text and the image in it", text, err)
	}
	for field, c := range map[string][]string{
		"i1.file":         {"i1.file", "moon.png"},
		"i1.opacity":      {"i1.opacity", "2"},
		"i1.end":          {"i1.start", "3", "i1.end", "1"},
		"t" + n + ".text": {"t" + n + ".text.ru", "{{.Name}}", "t" + n + ".text.en", "{{.Name}}"},
		"t" + n + ".box":  {"t" + n + ".w", "5"},
		"music":           {"music", "song.mp3"},
	} {
		if status, answer := a.works("save", append(c, "version", "2")...); status != 422 || answer.Error.Fields[field] == "" {
			t.Errorf("%s: got %d, %+v; want a fault at the field", field, status, answer)
		}
	}
	// Each fault has its own words: those of a box are not those of a text.
	_, refused := a.works("save", "t"+n+".w", "5", "version", "2")
	ofText := sayIn("en")("studio_fault_words", Vars{"Sign": "{{.Name}}"})
	if got := refused.Error.Fields["t"+n+".box"]; got == "" || got == ofText {
		t.Errorf("got %q; want the words of a box", got)
	}
	// What is removed on the page is not there when it is saved.
	page := a.do(a.WorkOnTemplate, sent{path: "/studio/" + a.id, id: a.id, body: "do=remove-image:1&images=1"})
	if page.Code != 200 || strings.Contains(page.Body.String(), `name="i1.x"`) ||
		!strings.Contains(page.Body.String(), `name="images" value="0"`) {
		t.Errorf("got %d; want a page without the image", page.Code)
	}
	if status, _ := a.works("save", "images", "0", "texts", strconv.Itoa(texts), "version", "2"); status != 200 {
		t.Errorf("got %d; want it saved", status)
	}
	if text, err = os.ReadFile(filepath.Join(folder, "template.toml")); err != nil || strings.Contains(string(text), "star.png") ||
		strings.Contains(string(text), "Hooray") {
		t.Errorf("got %s, %v; want both gone", text, err)
	}
}

func TestStudio_FilesOfATemplateAreKeptOnce(t *testing.T) {
	a := newAtelier(t)
	var err error
	if a.opts.Uploads, err = NewUploads(filepath.Join(t.TempDir(), "uploads"), 1<<20, time.Minute,
		func(int64) error { return nil }); err != nil {
		t.Fatal(err)
	}
	send := func(content []byte) (status int, id, code string) {
		var b bytes.Buffer
		form := multipart.NewWriter(&b)
		w, err := form.CreateFormFile("file", "Звезда.png")
		if err != nil {
			t.Fatal(err)
		}
		w.Write(content)
		form.Close()
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			r = r.WithContext(context.WithValue(r.Context(), visitorKey{}, visitor{admin: store.Admin{ID: 8, Owner: true}}))
			r.SetPathValue("id", a.id)
			if err := a.AddStudioFile(rw, r); err != nil {
				a.Desk.Fail(rw, r, err, false)
			}
		}))
		defer server.Close()
		req, _ := http.NewRequest(http.MethodPost, server.URL, &b)
		req.Header.Set("Content-Type", form.FormDataContentType())
		req.Header.Set("Accept", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var answer struct {
			ID    string
			Error struct{ Code string }
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, answer.ID, answer.Error.Code
	}
	for _, want := range []string{"zvezda.png", "zvezda-2.png"} { // nothing is overwritten: older versions use it
		if status, id, _ := send(pngOf(t, 8, 8)); status != 200 || id != want {
			t.Errorf("got %d %s; want %s", status, id, want)
		}
	}
	for name, content := range map[string][]byte{"a page": []byte("<!doctype html><p>no picture"),
		"a broken picture": []byte("\x89PNG\r\n\x1a\nrubbish"), "a broken font": []byte("OTTO and nothing"),
		"no sound": []byte("ID3 and nothing")} {
		if status, id, code := send(content); status != 422 || code != "INVALID" {
			t.Errorf("%s: got %d %s %s; want it refused", name, status, id, code)
		}
	}
	if e, err := a.opts.Shelf.Extras(a.id); err != nil || len(e.Images) != 2 || len(e.Sounds)+len(e.Fonts) > 0 {
		t.Errorf("got %+v, %v; want the two pictures", e, err)
	}
	if n := a.number(`SELECT count(*) FROM audit WHERE action = 'template file'`); n != 2 {
		t.Errorf("got %d in the list of activity; want 2", n)
	}
}

// pngOf draws a picture.
func pngOf(t *testing.T, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What a field may hold is looked at before the template is written, with the field that the form has a place for.
func TestStudio_AFieldIsNeitherTooLongNorHidden(t *testing.T) {
	a := newAtelier(t)
	for field, place := range map[string]string{"title.ru": "title", "s1.text.ru": "s1.text", "s1.start": "s1.start",
		"voice.text.ru": "voice.text", "voice.start": "voice.start"} {
		for text, want := range map[string]string{
			strings.Repeat("1", longestStudioField+1): "300",
			"1\u202e2": sayIn("en")("studio_hidden", nil),
		} {
			status, answer := a.works("save", field, text)
			if got := answer.Error.Fields[place]; status != http.StatusUnprocessableEntity || !strings.Contains(got, want) {
				t.Errorf("%s: got %d and %v; want %q at %s", field, status, answer.Error.Fields, want, place)
			}
		}
	}
	_, answer := a.works("save", "title.ru", strings.Repeat("я", longestStudioField))
	if strings.Contains(answer.Error.Fields["title"], "300") {
		t.Errorf("the longest title: got %q", answer.Error.Fields["title"])
	}
}
