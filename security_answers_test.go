// Tests of what every answer of the page has, of hostile text, and of which files are served.

package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/video"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/outage"
)

// TestNoAnswerOfTheServerIsWithoutItsHeaders sends every method to every route, and what no route is for.
func TestNoAnswerOfTheServerIsWithoutItsHeaders(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	_, address := d.open(usual, nil)
	a := ask(t, d.store, "Маша", 1)
	d.filmed("video", "thumb")
	targets := []string{
		"*",
		"/nope",
		"/static/nope",
		"/static/",
		"/static/app.js",
		"/assets/nope",
		"/media/nope",
		"/login/nope",
		"//",
		"/?q=%ff",
		"/?q=" + strings.Repeat("x", 5000),
		"/?status=BROKEN",
	}
	for _, route := range d.echo.Routes() {
		if target := strings.NewReplacer(":id", a.ID, ":token", "nope", ":picture", "new-year.jpg", "*",
			"style.css").Replace(route.Path); !slices.Contains(
			targets,
			target,
		) {
			targets = append(targets, target)
		}
	}
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; " +
		"connect-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types " +
		"retake"
	kinds := []string{
		"text/html; charset=UTF-8",
		"application/json",
		"text/plain; charset=UTF-8",
		"text/plain; charset=utf-8",
		"video/mp4",
		"image/jpeg",
		"text/css; charset=utf-8",
		"text/javascript; charset=utf-8",
		"text/event-stream",
		"text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
	} // for Prometheus
	statuses := map[int]int{}
	look := func(method, target string, header ...string) {
		t.Helper()
		resp, body := d.raw(address, method, target, header...)
		statuses[resp.StatusCode]++
		policy := policy
		if target == "/channels" && resp.StatusCode == 200 { // the form there leads to Google
			policy = strings.Replace(policy, "form-action 'self'", "form-action 'self' https://accounts.google.com", 1)
		}
		for key, want := range map[string]string{"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff",
			"Referrer-Policy":              "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin"} {
			if got := resp.Header.Values(key); len(got) != 1 || got[0] != want {
				t.Errorf("%s %s %v: %s, got %s %q; want %q", method, target, header, resp.Status, key, got, want)
			}
		}
		if kind := resp.Header.Get("Content-Type"); body != "" && !slices.Contains(kinds, kind) &&
			!strings.HasPrefix(kind, "multipart/byteranges") {
			t.Errorf("%s %s %v: got a body of type %q", method, target, header, kind)
		}
	}
	for _, target := range targets {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
			"PROPFIND"} {
			if target == "*" && method != "OPTIONS" {
				continue
			}
			look(method, target, "Accept: text/html")
			look(method, target, "Accept: application/json")
			for _, accept := range []string{"text/html", "application/json"} { // POST /logout signs out
				look(method, target, d.as(d.session(8)), "Accept: "+accept)
			}
		}
	}
	in := d.as(d.session(8))
	look("GET", "/media/"+a.ID, in, "Range: bytes=1-2")
	look("GET", "/media/"+a.ID, in, "Range: bytes=0-0,2-2")
	look("GET", "/media/"+a.ID, in, "Range: bytes=99-")
	look("GET", "/media/"+a.ID, in, `If-None-Match: "`+a.ID+`.mp4"`)
	look("POST", "/assets", in, "Sec-Fetch-Site: cross-site")
	look("POST", "/assets", in, "Content-Length: 0", "Transfer-Encoding: chunked", "", "zz")
	for range 30 {
		look("POST", "/login/nope")
	}
	d.store.Close()
	look("GET", "/healthz")
	look("GET", "/", in)
	for _, status := range []int{200, 204, 206, 303, 304, 401, 403, 404, 405, 414, 416, 422, 429, 500, 503} {
		if statuses[status] == 0 {
			t.Errorf("got no answer %d among %v; want to have seen one", status, statuses)
		}
	}
}

// TestHEADAnswersAsGETWithoutABody asks the real server: a recorder keeps what HEAD must not send.
func TestHEADAnswersAsGETWithoutABody(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	_, address := d.open(usual, nil)
	a := ask(t, d.store, "Маша", 1)
	d.filmed("video", "thumb")
	d.channel("UC1", "Our greetings")
	session, paths := d.signIn(8), map[string]bool{}
	for _, route := range d.echo.Routes() {
		// a stream has nothing to say without a body; an answer is spent
		if route.Method != http.MethodGet || route.Path == "/events" || route.Path == "/channels/callback" {
			continue
		}
		paths[strings.NewReplacer("/channels/:id", "/channels/1", ":id", a.ID, "/login/:token", d.link(7), ":picture",
			"new-year.jpg", "*", "style.css").Replace(route.Path)] = true
	}
	for _, path := range []string{"/nope", "/assets/nope", "/static/nope", "/login/nope"} {
		paths[path] = true
	}
	for path := range paths {
		for _, accept := range []string{"text/html", "application/json"} {
			for _, who := range []string{"X: stranger", d.as(session)} {
				full, _ := d.raw(address, "GET", path, "Accept: "+accept, who)
				// Connection: close would end a body that must not be there as well.
				l := dial(t, address)
				l.say(
					"HEAD "+path+" HTTP/1.1",
					"Host: localhost",
					"Accept: "+accept,
					who,
					"",
					"GET /healthz HTTP/1.1",
					"Host: localhost",
					"",
				)
				head, _ := l.hear("HEAD")
				next, body := l.hear("GET")
				if next.StatusCode != 200 || body != "ok\n" {
					t.Errorf("HEAD %s: got %s %q after it; want the next answer, so a body was sent", path, next.Status, body)
				}
				length, want := head.Header.Get("Content-Length"), full.Header.Get("Content-Length")
				for _, h := range []http.Header{head.Header, full.Header} {
					for _, key := range []string{"Date", "Content-Length", "Connection"} {
						h.Del(key)
					}
				}
				if head.StatusCode != full.StatusCode || fmt.Sprint(head.Header) != fmt.Sprint(full.Header) ||
					length != "" && length != want {
					t.Errorf(
						"HEAD %s: got %s %v, length %q; want %s %v, %q",
						path,
						head.Status,
						head.Header,
						length,
						full.Status,
						full.Header,
						want,
					)
				}
			}
		}
	}
}

// skeleton lists the elements of a page with the names of their attributes. Text is no part of it.
func skeleton(t *testing.T, page string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var b strings.Builder
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			return b.String() + err.Error()
		}
		switch e := token.(type) {
		case xml.StartElement:
			fmt.Fprintf(&b, "<%s", e.Name.Local)
			for _, a := range e.Attr {
				fmt.Fprintf(&b, " %s", a.Name.Local)
				if scheme, _, found := strings.Cut(a.Value, ":"); found && (a.Name.Local == "href" || a.Name.Local == "src" ||
					a.Name.Local == "action" || a.Name.Local == "poster") {
					fmt.Fprintf(&b, "=%s:", scheme)
				}
			}
			b.WriteString(">\n")
		case xml.EndElement:
			fmt.Fprintf(&b, "</%s>\n", e.Name.Local)
		case xml.Comment:
			b.WriteString("<!-- -->\n")
		}
	}
}

// TestHostileTextLeavesEveryPageAsItWas puts it wherever text comes from: names, errors, titles, settings, activity,
// addresses. A page must be built of the same elements as with a harmless name.
func TestHostileTextLeavesEveryPageAsItWas(t *testing.T) {
	pages := func(text string) map[string]string {
		d := newDesk(t, "http://localhost:8080")
		d.opts.Offers = []video.Offer{titled("new-year", "?", text), titled("birthday", "?", text)}
		d.missing = []string{text}
		d.change(func(o *desk.Options) {
			o.Offers = []video.Offer{titled("new-year", "?", text), titled("birthday", "?", text)}
			o.Limits = []desk.Limit{{Label: text, Value: 1}}
		})
		d.queue.outages = outage.New(2, time.Hour, probeEvery)
		d.queue.outages.Resume(time.Now(), text)
		waiting, running, failed, done, old := store.NewID(), store.NewID(), store.NewID(), store.NewID(), store.NewID()
		for i, a := range []struct{ id, status, file, problem, after string }{{old, "FAILED", "", text, ""},
			{waiting, "PENDING", "", "", old},
			{running, "PROCESSING", "", "", ""}, {failed, "FAILED", "", text, ""}, {done, "COMPLETED", "gone.mp4", "", ""}} {
			mutate(
				t,
				d.store,
				`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, file, thumb, duration, error,
					created, finished, retry_of, metadata)
					VALUES (?1, ?2, ?7 || ?3, ?2, ?2, 'REQUEST', 8, ?4, ?5, ?5, 1000, ?6, ?3, iif(?4 IN ('COMPLETED', 'FAILED'), 5,
					NULL), ?8,
						iif(?4 = 'COMPLETED', json_object('title', ?2, 'description', ?2, 'tags', ?2, 'language', 'ru', 'privacy',
						'public'), '{}'))`,
				a.id,
				text,
				i,
				a.status,
				null(a.file),
				null(a.problem),
				lang.NameKey(text),
				null(a.after),
			)
			mutate(
				t,
				d.store,
				`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error)
					VALUES (?, 'RENDER', 1, 1, 2, 'gave up', ?)`,
				a.id,
				text,
			)
			mutate(
				t,
				d.store,
				`INSERT INTO publications (asset_id, platform, creator, created, status, step, metadata, remote_id, remote_url,
					error, warning, started, completed)
					VALUES (?1, 'YOUTUBE', 8, 0, 'FAILED', 'edit', json_object('title', ?2), ?2, ?2, 'youtube invalidTitle: ' || ?2,
					?2, 1, 2)`,
				a.id,
				text,
			)
			write(t, d.store, func(tx *store.Tx) error {
				return tx.Note(store.Event{Action: text, AssetID: a.id, Platform: text, Outcome: text})
			})
		}
		d.channel("UC1", text)
		mutate(t, d.store, `UPDATE channels SET state = 'ENDED', error = 'youtube invalid_grant: ' || title`)
		session, out := d.signIn(8), map[string]string{}
		keep := func(name, path, session string) {
			t.Helper()
			w := d.send(call{method: "GET", path: path, session: session})
			if kind := w.Header().Get("Content-Type"); kind != "text/html; charset=UTF-8" {
				return
			}
			out[fmt.Sprint(name, " ", w.Code)] = w.Body.String()
		}
		word := url.PathEscape(text)
		for _, route := range d.echo.Routes() {
			if route.Method != http.MethodGet || route.Path == "/events" || route.Path == "/channels/callback" {
				continue
			}
			for name, id := range map[string]string{"waiting": waiting, "running": running, "failed": failed, "done": done,
				"retried": old, "no": word} {
				path := strings.NewReplacer("/channels/:id", "/channels/1", "/:id/unpublish", "/"+id+"/unpublish?platform=YOUTUBE",
					":id", id, ":token", word, ":picture", word, "*", word).
					Replace(route.Path)
				keep(route.Path+" "+name, path, session)
				keep(route.Path+" "+name+" by a stranger", path, "")
				if slices.Contains(public, route.Path) {
					continue
				}
				if strings.Contains(path, "?") {
					continue
				}
				for _, key := range []string{"q", "after", "status", "notice", "restarted", "fix"} {
					keep(route.Path+" "+name+" "+key, path+"?"+url.Values{key: {text}}.Encode(), session)
				}
				keep(route.Path+" "+name+" nothing found", path+"?"+url.Values{"q": {"ъ " + text}}.Encode(), session)
			}
		}
		keep("no route", "/"+word+"/"+word, session)
		// what is no choice comes back as it was sent
		for _, field := range []string{"language", "made_for_kids", "privacy"} {
			out["POST "+field] = d.send(call{method: "POST", path: "/assets/" + done + "/metadata", session: session,
				body: url.Values{"title": {"x"}, "description": {"x"}, "tags": {"x"}, field: {text}}.Encode()}).Body.String()
		}
		for _, field := range []string{"youtube", "rumble", "channel", "at", "zone", "when", "category",
			"playlist", "title"} {
			out["POST publish "+field] = d.send(
				call{
					method:  "POST",
					path:    "/assets/" + done + "/publish",
					session: session,
					body:    url.Values{field: {text}, "at": {text}}.Encode(),
				},
			).Body.String()
			out["POST typed"] = d.send(
				call{
					method:  "POST",
					path:    "/assets/" + done + "/unpublish",
					session: session,
					body:    url.Values{"platform": {"YOUTUBE"}, "title": {"~" + text}}.Encode(),
				},
			).Body.String()
		}
		for name, body := range map[string]string{"name": "name=" + url.QueryEscape(text),
			"template": "name=Маша&template=" + url.QueryEscape(text)} {
			out["POST "+name] = d.send(call{method: "POST", path: "/assets", session: session, body: body}).Body.String()
		}
		return out
	}
	// a title must not have what tags are made of
	plain := map[bool]map[string]string{false: pages("5 Маша"), true: pages("5 > Маша")}
	if len(plain[false]) < 40 {
		t.Fatalf("got %d pages; want all of them", len(plain[false]))
	}
	for _, text := range append(hostile, `<iframe srcdoc="<script>alert(1)</script>">`, `<base href=//`+evil+`>`,
		`<form action=//`+evil+`><input name=q>`, "`${alert(1)}`", `--><script>`) {
		for name, page := range pages(text) {
			want, ok := plain[strings.ContainsAny(text, "<>")][name]
			if !ok {
				t.Errorf("%s with %q: got a page that a harmless name has not", name, text)
				continue
			}
			if got, want := skeleton(t, page), skeleton(t, want); got != want {
				same := 0
				for same < min(len(got), len(want)) && got[same] == want[same] {
					same++
				}
				t.Errorf("%s with %q: got …%.300s; want …%.300s", name, text, got[same:], want[same:])
			}
		}
	}
}

func TestNoAddressLeadsOutOfAFolder(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	_, address := d.open(usual, nil)
	outside := filepath.Join(filepath.Dir(d.folder), "outside")
	if err := os.WriteFile(outside, []byte("SECRET"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.folder, "stray.mp4"), []byte("SECRET"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := ask(t, d.store, "Маша", 1)
	d.filmed("video", "thumb")
	in := d.as(d.session(8))
	for _, folder := range []string{"/media/", "/thumbs/", "/static/", "/templates/"} {
		for _, way := range []string{"../outside", "../../outside", "..%2foutside", "%2e%2e%2foutside", "%2e%2e/outside",
			"..%5coutside", `..\outside`, "%2e%2e%5coutside",
			"....//outside", "..%252foutside", "..%c0%afoutside", "%00", "../outside%00.mp4", a.ID + "%00",
			a.ID + "%2f..%2f..%2foutside", a.ID + "/../stray.mp4", "%2fetc%2fpasswd",
			"/etc/passwd", outside, url.PathEscape(outside), "stray.mp4", "./stray.mp4", a.ID + ".mp4", "../web.go",
			"../templates/layout.html", "..%2ftemplates%2flayout.html",
			"web%2ftemplates%2flayout.html", "../../schema.sql", "..", ".", "", "new-year", "new-year.jpg%00",
			"../new-year.jpg/..", "~root", "file:%2f%2f%2fetc%2fpasswd"} {
			resp, body := d.raw(address, "GET", folder+way, in)
			if resp.StatusCode != 404 && resp.StatusCode != 400 || strings.Contains(body, "SECRET") ||
				strings.Contains(body, "root:") ||
				strings.Contains(body, "{{") ||
				strings.Contains(body, "CREATE TABLE") {
				t.Errorf("GET %s%s: got %s %q; want 404", folder, way, resp.Status, body)
			}
		}
	}
	if d.log.Len() > 0 {
		t.Errorf("got log %s; want nothing", &d.log)
	}
}

func TestOnlyPlainFilesOfTheMediaFolderAreServed(t *testing.T) {
	for name, plant := range map[string]func(path string) error{
		"a link to a file outside": func(path string) error {
			outside := path + ".outside"
			return errors.Join(os.WriteFile(outside, []byte("SECRET"), 0o600), os.Symlink(outside, path))
		},
		"a link to a file inside": func(path string) error { return os.Symlink("stray.mp4", path) },
		"a link to nothing":       func(path string) error { return os.Symlink("nothing", path) },
		"a link to a folder":      func(path string) error { return os.Symlink("/", path) },
		"a folder":                func(path string) error { return os.Mkdir(path, 0o700) },
		"a pipe": func(path string) error {
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				return err
			}
			f, err := os.OpenFile(path, os.O_RDWR, 0) // so that one who opens it goes on, to a failure of this test
			t.Cleanup(func() { f.Close() })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			a := ask(t, d.store, "Маша", 1)
			file := d.filmed("video", "thumb").AssetID
			if err := os.WriteFile(filepath.Join(d.folder, "stray.mp4"), []byte("SECRET"), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{file + ".mp4", file + ".jpg"} {
				if err := errors.Join(os.Remove(filepath.Join(d.folder, path)), plant(filepath.Join(d.folder, path))); err != nil {
					t.Fatal(err)
				}
			}
			session := d.signIn(8)
			for _, folder := range []string{"/media/", "/thumbs/"} {
				if body := d.want(404, d.send(call{method: "GET", path: folder + a.ID, session: session})); strings.Contains(
					body,
					"SECRET",
				) {
					t.Errorf("%s: got %s", folder, body)
				}
			}
			if d.log.Len() > 0 {
				t.Errorf("got log %s; want nothing", &d.log)
			}
		})
	}
}

func TestAFileIsWhatWeSayItIsWhateverIsInIt(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	_, address := d.open(usual, nil)
	page := `<!doctype html><script>alert(1)</script>`
	a := ask(t, d.store, "Маша", 1)
	d.filmed(page, page)
	in := d.as(d.session(8))
	tag := `"` + a.ID + `.mp4"`
	for _, c := range []struct {
		name, path string
		header     []string
		status     int
		kind, body string
	}{
		{"a video that is a page", "/media/", nil, 200, "video/mp4", page},
		{"a picture that is a page", "/thumbs/", nil, 200, "image/jpeg", page},
		{"somebody who would rather have a page", "/media/", []string{"Accept: text/html"}, 200, "video/mp4", page},
		{"a part", "/media/", []string{"Range: bytes=0-3"}, 206, "video/mp4", page[:4]},
		{"a part of the version that the browser has", "/media/", []string{"Range: bytes=0-3", "If-Range: " + tag}, 206,
			"video/mp4", page[:4]},
		{"a part of a version that is gone", "/media/", []string{"Range: bytes=0-3", `If-Range: "another"`}, 200,
			"video/mp4", page},
		{"a part of a weak version", "/media/", []string{"Range: bytes=0-3", "If-Range: W/" + tag}, 200, "video/mp4", page},
		{"a part of a version of long ago", "/media/",
			[]string{"Range: bytes=0-3", "If-Range: Mon, 02 Jan 2006 15:04:05 GMT"}, 200, "video/mp4", page},
		{"a part beyond the end", "/media/", []string{"Range: bytes=1000-"}, 416, "", ""},
		{"a range that is none", "/media/", []string{"Range: bytes=x-y"}, 416, "", ""},
		{"a unit that is none", "/media/", []string{"Range: frames=0-3"}, 416, "", ""},
		{"parts that are more than the whole", "/media/", []string{"Range: bytes=" + strings.Repeat("0-,", 1000) + "0-"}, 200,
			"video/mp4", page},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, body := d.raw(address, "GET", c.path+a.ID, append(c.header, in)...)
			kind := resp.Header.Get("Content-Type")
			if resp.StatusCode != c.status || c.kind != "" && (kind != c.kind || body != c.body) ||
				strings.HasPrefix(kind, "text/html") ||
				resp.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("got %s %v %q; want %d %s %q", resp.Status, resp.Header, body, c.status, c.kind, c.body)
			}
		})
	}
}
