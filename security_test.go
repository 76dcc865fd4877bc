// Tests of what strangers, other sites, other admins and strange clients can do to the page: nothing.

package main

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/outage"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// usual is more patience than any test needs.
var usual = desk.Timeouts{Header: time.Minute, Form: time.Minute, Idle: time.Minute}

// open serves the page as the program does, through pass, and returns its address.
func (d *office) open(wait desk.Timeouts, pass func(http.Handler) http.Handler) (*http.Server, string) {
	d.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		d.t.Fatal(err)
	}
	// see change
	page := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.Handler().ServeHTTP(w, r) }))
	if pass != nil {
		page = pass(page)
	}
	server := desk.NewServer(page, wait, d.logger)
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()
	d.t.Cleanup(func() {
		server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			d.t.Error(err)
		}
	})
	return server, listener.Addr().String()
}

// line is a connection on which anything can be said.
type line struct {
	testing.TB
	net.Conn
	*bufio.Reader
}

func dial(t testing.TB, address string) line {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute)) // an end of the test, no part of it
	return line{t, c, bufio.NewReader(c)}
}

func (l line) Read(p []byte) (int, error) { return l.Reader.Read(p) }

// say sends lines of a request, as they are.
func (l line) say(lines ...string) {
	l.Helper()
	if _, err := io.WriteString(l.Conn, strings.Join(lines, "\r\n")+"\r\n"); err != nil {
		l.Fatal(err)
	}
}

// hear reads an answer to a request with a method; of a stream of events, which does not end, the beginning.
func (l line) hear(method string) (*http.Response, string) {
	l.Helper()
	resp, err := http.ReadResponse(l.Reader, &http.Request{Method: method})
	if err != nil {
		l.Fatal(err)
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return resp, ""
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		l.Fatal(err)
	}
	return resp, string(body)
}

// ends waits until the other side has hung up.
func (l line) ends() {
	l.Helper()
	var timeout net.Error
	if _, err := io.Copy(io.Discard, l.Reader); errors.As(err, &timeout) && timeout.Timeout() {
		l.Error("the connection is still open; want it closed")
	}
}

// raw sends one request with its own connection. The target goes into the first line unchanged.
func (d *office) raw(address, method, target string, header ...string) (*http.Response, string) {
	d.t.Helper()
	l := dial(d.t, address)
	l.say(
		append(
			[]string{method + " " + target + " HTTP/1.1", "Host: localhost", "Connection: close"},
			append(header, "")...)...)
	return l.hear(method)
}

// as is the header of a signed-in browser.
func (d *office) as(session string) string { return "Cookie: " + d.cookie + "=" + session }

// session makes one without a sign-in, of which a client has twenty.
func (d *office) session(admin int64) string {
	d.t.Helper()
	session := newToken()
	write(d.t, d.store, func(tx *store.Tx) error {
		if err := tx.SaveLink(hashOf("of "+session), admin, tx.Now().Add(linkLife)); err != nil {
			return err
		}
		_, err := tx.SpendLink(hashOf("of "+session), hashOf(session))
		return err
	})
	return session
}

// ---- addresses

// evil is what an attacker would like the page to lead to.
const evil = "evil.example"

// TestEveryRedirectStaysOnThePage puts an address of another site wherever a client can put one.
func TestEveryRedirectStaysOnThePage(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	_, address := d.open(usual, nil)
	madeByAdmin(t, d.store, 7, "Маша", "маша")
	id, session := failForGood(t, d.queue).AssetID, d.signIn(8)
	led := 0
	follow := func(what string, resp *http.Response) {
		t.Helper()
		for _, key := range []string{"Location", "Refresh", "Content-Location", "Link"} {
			to := resp.Header.Get(key)
			if to == "" {
				continue
			}
			led++
			// Google's, whatever was sent
			if strings.Contains(what, "POST /channels/connect") && to == d.studio().about.Consent+"?state=s" {
				continue
			}
			u, err := url.Parse(to)
			if err != nil || key != "Location" || u.IsAbs() || u.Host != "" ||
				!slices.Contains([]string{"/", "/login", "/settings", "/channels", "/advance", "/scheduled", "/bin", "/backups", "/texts", "/texts/done", "/configuration",
					"/assets/" + id}, u.Path) ||
				strings.HasPrefix(to, "//") ||
				strings.Contains(to, evil) {
				t.Errorf("%s: got %s %q; want a page of ours", what, key, to)
			}
		}
	}
	query := url.Values{}
	for _, name := range []string{"next", "return", "return_to", "redirect", "url", "to", "q", "after", "status", "notice",
		"platform", "name", "lang"} {
		query.Set(name, "https://"+evil+"/")
	}
	headers := []string{
		"X-Forwarded-Host: " + evil,
		"X-Original-URL: //" + evil,
		"X-Rewrite-URL: //" + evil,
		"Forwarded: host=" + evil,
		"Referer: https://" + evil + "/",
		"X-Forwarded-Proto: https",
	}
	for _, route := range d.echo.Routes() {
		if route.Method == "echo_route_not_found" {
			continue
		}
		for _, id := range []string{id, url.PathEscape("//" + evil), evil} {
			target := strings.NewReplacer(":id", id, ":key", "done", ":token", id, ":picture", id, "*", id).Replace(route.Path)
			for _, who := range []string{"X: stranger", d.as(d.session(8))} {
				resp, _ := d.raw(address, route.Method, target+"?"+query.Encode(), append(headers, who)...)
				follow(route.Method+" "+target, resp)
				body := query.Encode() + "&count=1&newest=" + id
				if route.Path == "/language" {
					body = strings.Replace(body, "lang=", "lang=ru&language=", 1)
				}
				resp, _ = d.raw(
					address,
					route.Method,
					target,
					append(headers, who, "Content-Type: application/x-www-form-urlencoded",
						fmt.Sprintf("Content-Length: %d", len(body)), "", body)...)
				follow(route.Method+" "+target+" with a form", resp)
			}
		}
	}
	for _, target := range []string{"//" + evil, "//" + evil + "/", "/" + `\` + evil, "/%5c" + evil, "/%2f" + evil,
		"/http://" + evil, "http://" + evil + "/", "http://" + evil,
		"/login/..//" + evil, "/.//" + evil, "/assets/..//" + evil + "/..", "/static//" + evil,
		"/login/%0d%0aLocation:%20http:%2f%2f" + evil, "/?next=//" + evil} {
		for _, who := range []string{"X: stranger", d.as(session)} {
			resp, _ := d.raw(address, "GET", target, append(headers, who)...)
			follow("GET "+target, resp)
		}
	}
	if led < 50 {
		t.Errorf("got %d redirects; want many to look at", led)
	}
}

// TestTheHostHeaderChangesNothing compares the answers to two clients of whom one calls the page by another name.
func TestTheHostHeaderChangesNothing(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	_, address := d.open(usual, nil)
	a := ask(t, d.store, "Маша", 1)
	d.filmed("video", "thumb")
	session := d.signIn(8)
	for _, route := range d.echo.Routes() {
		if route.Method != http.MethodGet {
			continue
		}
		target := strings.NewReplacer(":id", a.ID, ":key", "done", "/login/:token", d.link(7), ":picture", "new-year.jpg", "*", "style.css").
			Replace(route.Path)
		for _, accept := range []string{"Accept: text/html", "Accept: application/json"} {
			for _, who := range []string{"X: stranger", d.as(session)} {
				var said [2]string
				for i, hello := range [][]string{{"Host: localhost:8080"},
					{"Host: " + evil, "X-Forwarded-Host: " + evil, "X-Forwarded-Proto: https",
						"X-Forwarded-Port: 99", "X-Forwarded-Prefix: //" + evil, "Forwarded: host=" + evil + ";proto=https"}} {
					l := dial(t, address)
					l.say(append([]string{"GET " + target + " HTTP/1.1"}, append(hello, "Connection: close", accept, who, "")...)...)
					resp, body := l.hear("GET")
					resp.Header.Del("Date")
					if target == "/metrics" && !strings.Contains(body, evil) { // its numbers go on
						body = ""
					}
					said[i] = fmt.Sprintln(resp.Status, resp.Header, body)
				}
				if said[0] != said[1] || strings.Contains(said[1], evil) {
					t.Errorf("GET %s: got %s; want %s", target, said[1], said[0])
				}
			}
		}
	}
	w := d.send(
		call{
			method: "POST",
			path:   "http://" + evil + d.link(7),
			header: map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": evil},
		},
	)
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Name != d.cookie || c[0].Domain != "" || c[0].Secure {
		t.Errorf("got cookies %v; want that of the configured address", c)
	}
}

func TestTheCookieIsSecureHoweverHTTPSIsSpelt(t *testing.T) {
	d := newDesk(t, "HTTPS://retake.example.com")
	if c := d.send(call{method: "POST", path: d.link(7)}).Result().Cookies()[0]; !c.Secure || !strings.HasPrefix(c.Name, "__Host-retake-") {
		t.Errorf("got %v; want a secure cookie", c)
	}
}

// ---- what answers carry

// TestNoAnswerOfTheServerIsWithoutItsHeaders sends every method to every route, and what no route is for.
func TestNoAnswerOfTheServerIsWithoutItsHeaders(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	_, address := d.open(usual, nil)
	a := ask(t, d.store, "Маша", 1)
	d.filmed("video", "thumb")
	targets := []string{"*", "/nope", "/static/nope", "/static/", "/static/app.js", "/assets/nope", "/media/nope", "/login/nope", "//", "/?q=%ff", "/?q=" + strings.Repeat("x", 5000), "/?status=BROKEN"}
	for _, route := range d.echo.Routes() {
		if target := strings.NewReplacer(":id", a.ID, ":key", "done", ":token", "nope", ":picture", "new-year.jpg", "*", "style.css").Replace(route.Path); !slices.Contains(targets, target) {
			targets = append(targets, target)
		}
	}
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types retake"
	kinds := []string{"text/html; charset=UTF-8", "text/csv; charset=UTF-8", "application/zip", "application/json", "text/plain; charset=UTF-8", "text/plain; charset=utf-8", "video/mp4", "image/jpeg", "text/css; charset=utf-8", "text/javascript; charset=utf-8", "text/event-stream",
		"text/plain; version=0.0.4; charset=utf-8; escaping=underscores"} // for Prometheus
	statuses := map[int]int{}
	look := func(method, target string, header ...string) {
		t.Helper()
		resp, body := d.raw(address, method, target, header...)
		statuses[resp.StatusCode]++
		policy := policy
		if target == "/channels" && resp.StatusCode == 200 { // the form there leads to Google
			policy = strings.Replace(policy, "form-action 'self'", "form-action 'self' https://accounts.google.com", 1)
		}
		for key, want := range map[string]string{"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			"Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()"} {
			if got := resp.Header.Values(key); len(got) != 1 || got[0] != want {
				t.Errorf("%s %s %v: %s, got %s %q; want %q", method, target, header, resp.Status, key, got, want)
			}
		}
		if kind := resp.Header.Get("Content-Type"); body != "" && !slices.Contains(kinds, kind) && !strings.HasPrefix(kind, "multipart/byteranges") {
			t.Errorf("%s %s %v: got a body of type %q", method, target, header, kind)
		}
	}
	for _, target := range targets {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "PROPFIND"} {
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
		paths[strings.NewReplacer("/channels/:id", "/channels/1", ":id", a.ID, ":key", "done", "/login/:token", d.link(7), ":picture", "new-year.jpg", "*", "style.css").Replace(route.Path)] = true
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
				l.say("HEAD "+path+" HTTP/1.1", "Host: localhost", "Accept: "+accept, who, "", "GET /healthz HTTP/1.1", "Host: localhost", "")
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
				if head.StatusCode != full.StatusCode || fmt.Sprint(head.Header) != fmt.Sprint(full.Header) || length != "" && length != want {
					t.Errorf("HEAD %s: got %s %v, length %q; want %s %v, %q", path, head.Status, head.Header, length, full.Status, full.Header, want)
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
				if scheme, _, found := strings.Cut(a.Value, ":"); found && (a.Name.Local == "href" || a.Name.Local == "src" || a.Name.Local == "action" || a.Name.Local == "poster") {
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
	notShort(t)
	pages := func(text string) map[string]string {
		d := newDesk(t, "http://localhost:8080")
		d.opts.Offers = video.NewOffers(titled("new-year", "?", text), titled("birthday", "?", text))
		d.missing = []string{text}
		d.change(func(o *desk.Options) {
			o.Offers = video.NewOffers(titled("new-year", "?", text), titled("birthday", "?", text))
			o.Limits = []desk.Limit{{Label: text, Value: 1}}
		})
		d.queue.outages = outage.New(2, time.Hour, probeEvery)
		d.queue.outages.Resume(time.Now(), text)
		waiting, running, failed, done, old := store.NewID(), store.NewID(), store.NewID(), store.NewID(), store.NewID()
		for i, a := range []struct{ id, status, file, problem, after string }{{old, "FAILED", "", text, ""}, {waiting, "PENDING", "", "", old},
			{running, "PROCESSING", "", "", ""}, {failed, "FAILED", "", text, ""}, {done, "COMPLETED", "gone.mp4", "", ""}} {
			mutate(t, d.store, `INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, file, thumb, duration, error, created, finished, retry_of, metadata)
					VALUES (?1, ?2, ?7 || ?3, ?2, ?2, 'REQUEST', 8, ?4, ?5, ?5, 1000, ?6, ?3, iif(?4 IN ('COMPLETED', 'FAILED'), 5, NULL), ?8,
						iif(?4 = 'COMPLETED', json_object('title', ?2, 'description', ?2, 'tags', ?2, 'language', 'ru', 'privacy', 'public'), '{}'))`,
				a.id, text, i, a.status, null(a.file), null(a.problem), lang.NameKey(text), null(a.after))
			mutate(t, d.store, `INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error) VALUES (?, 'RENDER', 1, 1, 2, 'gave_up', ?)`, a.id, text)
			mutate(t, d.store, `INSERT INTO publications (asset_id, platform, creator, created, status, step, metadata, remote_id, remote_url, error, warning, started, completed)
					VALUES (?1, 'YOUTUBE', 8, 0, 'FAILED', 'edit', json_object('title', ?2), ?2 || ?1, ?2, 'youtube invalidTitle: ' || ?2, ?2, 1, 2)`, a.id, text)
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
			for name, id := range map[string]string{"waiting": waiting, "running": running, "failed": failed, "done": done, "retried": old, "no": word} {
				path := strings.NewReplacer("/channels/:id", "/channels/1", "/:id/unpublish", "/"+id+"/unpublish?platform=YOUTUBE", ":id", id, ":key", "done", ":token", word, ":picture", word, "*", word).Replace(route.Path)
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
		for _, field := range []string{"youtube", "rumble", "channel", "at", "zone", "when", "category", "playlist", "title"} {
			out["POST publish "+field] = d.send(call{method: "POST", path: "/assets/" + done + "/publish", session: session, body: url.Values{field: {text}, "at": {text}}.Encode()}).Body.String()
			out["POST typed"] = d.send(call{method: "POST", path: "/assets/" + done + "/unpublish", session: session, body: url.Values{"platform": {"YOUTUBE"}, "title": {"~" + text}}.Encode()}).Body.String()
		}
		for name, body := range map[string]string{"name": "name=" + url.QueryEscape(text), "template": "name=Маша&template=" + url.QueryEscape(text)} {
			out["POST "+name] = d.send(call{method: "POST", path: "/assets", session: session, body: body}).Body.String()
		}
		return out
	}
	// a title must not have what tags are made of
	plain := map[bool]map[string]string{false: pages("5 Маша"), true: pages("5 > Маша")}
	if len(plain[false]) < 40 {
		t.Fatalf("got %d pages; want all of them", len(plain[false]))
	}
	for _, text := range append(hostile, `<iframe srcdoc="<script>alert(1)</script>">`, `<base href=//`+evil+`>`, `<form action=//`+evil+`><input name=q>`, "`${alert(1)}`", `--><script>`) {
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
