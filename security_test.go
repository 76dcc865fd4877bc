// Tests of what strangers, other sites, other admins and strange clients can do to the page: nothing.

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/video"

	"github.com/chromedp/chromedp"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/outage"
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
	page := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.Handler().ServeHTTP(w, r) })) // see change
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

// raw sends one request with its own connection. The target stands in the first line as it is.
func (d *office) raw(address, method, target string, header ...string) (*http.Response, string) {
	d.t.Helper()
	l := dial(d.t, address)
	l.say(append([]string{method + " " + target + " HTTP/1.1", "Host: localhost", "Connection: close"}, append(header, "")...)...)
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

// ---- rights

// right is what becomes of a request of a stranger, of an admin who did not make the video, of the admin who made it, and
// of an owner.
type right struct {
	form, json [4]int // status
	changes    [4]bool
	body       string // of the request; ID: that of the video
	finished   bool   // ID is a finished video's; otherwise a failed one's
}

var (
	everybody = right{form: [4]int{200, 200, 200, 200}, json: [4]int{200, 200, 200, 200}}
	admins    = right{form: [4]int{303, 200, 200, 200}, json: [4]int{401, 200, 200, 200}}
	adminsDo  = right{form: [4]int{303, 303, 303, 303}, json: [4]int{401, 200, 200, 200}, changes: [4]bool{false, true, true, true}}
	ownersSee = right{form: [4]int{303, 403, 403, 200}, json: [4]int{401, 403, 403, 200}}
	ownersDo  = right{form: [4]int{303, 403, 403, 303}, json: [4]int{401, 403, 403, 200}, changes: [4]bool{false, false, false, true}}
	makersSee = right{form: [4]int{303, 403, 200, 200}, json: [4]int{401, 403, 200, 200}}
	makersDo  = right{form: [4]int{303, 403, 303, 303}, json: [4]int{401, 403, 200, 200}, changes: [4]bool{false, false, true, true}}
)

func (r right) of(body string) right { r.body = body; return r }
func (r right) ready() right         { r.finished = true; return r }

// rights has every route. HEAD has the rights of GET.
var rights = map[string]right{
	"GET /healthz":       everybody,
	"GET /readyz":        everybody,
	"GET /static/*":      everybody,
	"GET /login":         everybody,
	"GET /login/:token":  everybody,
	"POST /language":     {form: [4]int{303, 303, 303, 303}, json: [4]int{200, 200, 200, 200}, body: "lang=ru"},
	"POST /login/:token": {form: [4]int{303, 303, 303, 303}, json: [4]int{303, 303, 303, 303}, changes: [4]bool{true, true, true, true}},

	"GET /":                   admins,
	"GET /assets/:id":         admins,
	"GET /activity":           admins,
	"GET /metrics":            admins,
	"GET /settings":           admins,
	"GET /templates/:picture": admins,
	"GET /media/:id":          admins.ready(),
	"GET /thumbs/:id":         admins.ready(),
	"GET /retry-all":          admins,
	"GET /events":             {form: [4]int{401, 200, 200, 200}, json: admins.json}, // no page that could send anybody to the door

	"POST /assets":            adminsDo.of("name=Эва"),
	"POST /logout":            adminsDo,
	"POST /logout-everywhere": adminsDo,
	"POST /try-now":           adminsDo,
	"POST /take-over":         {form: [4]int{303, 403, 403, 409}, json: [4]int{401, 403, 403, 409}},
	"POST /held":              ownersDo.of("send=no"),
	"POST /wishes":            ownersDo.of("take=no"),
	"POST /assets/:id/block":  ownersDo,
	"GET /upload":             admins,
	"POST /uploads":           {form: [4]int{303, 422, 422, 422}, json: [4]int{401, 422, 422, 422}, body: "title=x"}, // a file would be taken

	"GET /assets/:id/publish":    makersSee.ready(),
	"POST /assets/:id/publish":   makersDo.of("youtube=yes&title=x&made_for_kids=no").ready(),
	"POST /assets/:id/published": makersDo.of("platform=RUMBLE&url=https://rumble.com/v1.html").ready(),
	"POST /assets/:id/update":    makersDo.of("platform=RUMBLE").ready(),
	"GET /assets/:id/unpublish":  makersSee.ready(),
	"POST /assets/:id/unpublish": makersDo.of("platform=RUMBLE").ready(),

	"GET /channels":                 admins,
	"GET /channels/callback":        {form: ownersDo.form, json: ownersDo.json, changes: ownersDo.changes},
	"POST /channels/connect":        {form: ownersDo.form, json: ownersDo.json}, // Google is asked first
	"POST /channels/:id/check":      ownersDo,
	"GET /channels/:id/disconnect":  ownersSee,
	"POST /channels/:id/disconnect": ownersDo,

	"POST /assets/:id/retry":    makersDo,
	"POST /assets/:id/metadata": makersDo.of("title=x&made_for_kids=no").ready(),
	"GET /assets/:id/delete":    makersSee,
	"POST /assets/:id/delete":   makersDo,
	// Nothing of it is theirs, so there is nothing to do for the one who did not make it.
	"POST /retry-all": {form: [4]int{303, 303, 303, 303}, json: [4]int{401, 409, 200, 200}, changes: makersDo.changes, body: "count=1&newest=ID"},
}

// TestEveryRouteGivesEachTheirRights fails for a route that nobody has thought about.
func TestEveryRouteGivesEachTheirRights(t *testing.T) {
	var d *office
	var failed, finished string
	var sessions [4]string
	arrange := func() {
		d = newDesk(t, "http://localhost:8080")
		madeByAdmin(t, d.store, 7, "Маша", "маша")
		failed = failForGood(t, d.queue).AssetID
		madeByAdmin(t, d.store, 7, "Ева", "ева")
		finished = d.filmed("video", "thumb").AssetID
		d.channel("UC1", "Our greetings")
		mutate(t, d.store, `INSERT INTO publications (asset_id, platform, creator, created, step) VALUES (?, 'RUMBLE', 7, 0, 'manual')`, finished)
		d.queue.outages = outage.New(2, time.Hour, probeEvery)
		d.queue.outages.Resume(time.Now(), "no connection")
		mutate(t, d.store, `INSERT INTO inbox (update_id, chat_id, raw, received, held) VALUES (1, 1, '{}', 0, 1)`)
		sessions = [4]string{"", d.session(9), d.session(7), d.session(8)}
	}
	arrange()
	seen := map[string]bool{}
	for _, route := range d.echo.Routes() {
		if route.Method == "echo_route_not_found" {
			continue
		}
		key := strings.Replace(route.Method, http.MethodHead, http.MethodGet, 1) + " " + route.Path
		want, ok := rights[key]
		if seen[key] = true; !ok {
			t.Errorf("%s is in no list: say in rights who may do it", key)
			continue
		}
		for i, who := range []string{"a stranger", "another admin", "its maker", "an owner"} {
			for _, asJSON := range []bool{false, true} {
				id, path := failed, route.Path
				if want.finished {
					id = finished
				}
				if strings.Contains(path, ":token") {
					path = d.link(7)
				}
				before := d.tables()
				sent := call{method: route.Method, session: sessions[i], json: asJSON, body: strings.ReplaceAll(want.body, "ID", id),
					path: strings.NewReplacer("/channels/:id", "/channels/1", "/:id/unpublish", "/"+id+"/unpublish?platform=RUMBLE", ":id", id, ":picture", "new-year.jpg", "*", "style.css").Replace(path)}
				w := d.begin(sent)
				status, changed := want.form[i], d.tables() != before
				if asJSON {
					status = want.json[i]
				}
				if w.Code != status || changed != want.changes[i] {
					t.Errorf("%s %s by %s, JSON %v: got %d, changed %v; want %d, %v", route.Method, route.Path, who, asJSON, w.Code, changed, status, want.changes[i])
				}
				if asJSON && route.Method != http.MethodHead && status >= 400 {
					if code := refused(t, w.Body.String()); code != map[int]string{401: "UNAUTHORIZED", 403: "FORBIDDEN", 409: "NOT_FAILED", 422: "INVALID"}[status] {
						t.Errorf("%s %s by %s: got code %s", route.Method, route.Path, who, code)
					}
				}
				if to := w.Header().Get("Location"); i == 0 && status == 303 && !slices.Contains(public, route.Path) && to != "/login" {
					t.Errorf("%s %s by a stranger: got sent to %q; want /login", route.Method, route.Path, to)
				}
				if changed {
					arrange()
				}
			}
		}
	}
	for key := range rights {
		if !seen[key] {
			t.Errorf("%s is no route any more: take it out of rights", key)
		}
	}
}

// begin is send for an answer that may not end: of a stream of events it hears the beginning.
func (d *office) begin(c call) *httptest.ResponseRecorder {
	d.t.Helper()
	if c.path != "/events" {
		return d.send(c)
	}
	_, address := d.open(usual, nil)
	accept := "Accept: text/event-stream"
	if c.json {
		accept = "Accept: application/json"
	}
	resp, body := d.raw(address, c.method, c.path, d.as(c.session), accept)
	w := httptest.NewRecorder()
	maps.Copy(w.Header(), resp.Header)
	w.WriteHeader(resp.StatusCode)
	w.WriteString(body)
	return w
}

// TestNothingIsKnownOfAVideoThatIsNotThere asks each route about one, by page and by JSON.
func TestNothingIsKnownOfAVideoThatIsNotThere(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	for _, admin := range []int64{7, 8} {
		session := d.signIn(admin)
		for _, route := range d.echo.Routes() {
			if !strings.Contains(route.Path, ":id") || route.Method == http.MethodHead || admin != 8 && strings.HasPrefix(route.Path, "/channels/") {
				continue // channels are the owners' business
			}
			path := strings.ReplaceAll(route.Path, ":id", store.NewID())
			if body := d.want(404, d.send(call{method: route.Method, path: path, session: session})); !strings.Contains(body, voice("en")(desk.NotFound.ID, nil)) {
				t.Errorf("%s %s: got %s; want words", route.Method, route.Path, body)
			}
			if code := refused(t, d.want(404, d.send(call{method: route.Method, path: path, session: session, json: true}))); code != "NOT_FOUND" {
				t.Errorf("%s %s: got code %s; want NOT_FOUND", route.Method, route.Path, code)
			}
		}
	}
}

func TestAPublicationIsRetriedByWhoeverAskedForItOrAnOwner(t *testing.T) {
	for admin, want := range map[int64][2]int{7: {303, 200}, 8: {303, 200}, 9: {403, 403}} {
		for i, asJSON := range []bool{false, true} {
			d := newDesk(t, "http://localhost:8080")
			id := publication(t, d.store, failedPublication) // of admin 7
			w := d.send(call{method: "POST", path: "/assets/" + id + "/retry", session: d.signIn(admin), body: "platform=YOUTUBE", json: asJSON})
			if d.want(want[i], w); w.Code == 403 && asJSON && refused(t, w.Body.String()) != "FORBIDDEN" {
				t.Errorf("admin %d: got %s; want FORBIDDEN", admin, w.Body)
			}
			if n := count(t, d.store, `SELECT count(*) FROM publications WHERE status = 'PENDING'`); n == 1 != (want[i] < 400) {
				t.Errorf("admin %d: got %d that are tried again", admin, n)
			}
		}
	}
}

func TestWhoMayChangeWhat(t *testing.T) {
	seven, operator := int64(7), int64(0)
	for _, c := range []struct {
		name    string
		admin   store.Admin
		creator *int64
		want    bool
	}{
		{"an owner what a parent asked for", store.Admin{ID: 8, Owner: true}, nil, true},
		{"an owner what an admin made", store.Admin{ID: 8, Owner: true}, &seven, true},
		{"the operator what an admin made", store.Admin{ID: 0, Owner: true}, &seven, true},
		{"an admin what they made", store.Admin{ID: 7, Owner: false}, &seven, true},
		{"an admin what another made", store.Admin{ID: 9, Owner: false}, &seven, false},
		{"an admin what the operator made", store.Admin{ID: 9, Owner: false}, &operator, false},
		{"an admin what a parent asked for", store.Admin{ID: 7, Owner: false}, nil, false},
		{"nobody what a parent asked for", store.Admin{}, nil, false},
	} {
		if got := c.admin.MayChange(c.creator); got != c.want {
			t.Errorf("%s: got %v; want %v", c.name, got, c.want)
		}
	}
}

func TestAnOwnerWhoIsMadeAnAdminLosesTheRightsAtTheNextRequest(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	ask(t, d.store, "Маша", 1)
	id, session := failForGood(t, d.queue).AssetID, d.signIn(8)
	d.admins[8] = store.Admin{ID: 8}
	if page := d.want(200, d.send(call{method: "GET", path: "/assets/" + id, session: session})); strings.Contains(page, "Retry Failed") {
		t.Errorf("got %s; want no button", page)
	}
	d.want(403, d.send(call{method: "POST", path: "/assets/" + id + "/retry", session: session}))
	d.admins[8] = store.Admin{ID: 8, Owner: true}
	d.want(303, d.send(call{method: "POST", path: "/assets/" + id + "/retry", session: session}))
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
			if strings.Contains(what, "POST /channels/connect") && to == d.studio().about.Consent+"?state=s" { // Google's, whatever was sent
				continue
			}
			u, err := url.Parse(to)
			if err != nil || key != "Location" || u.IsAbs() || u.Host != "" || !slices.Contains([]string{"/", "/login", "/settings", "/channels", "/assets/" + id}, u.Path) || strings.HasPrefix(to, "//") || strings.Contains(to, evil) {
				t.Errorf("%s: got %s %q; want a page of ours", what, key, to)
			}
		}
	}
	query := url.Values{}
	for _, name := range []string{"next", "return", "return_to", "redirect", "url", "to", "q", "after", "status", "notice", "platform", "name", "lang"} {
		query.Set(name, "https://"+evil+"/")
	}
	headers := []string{"X-Forwarded-Host: " + evil, "X-Original-URL: //" + evil, "X-Rewrite-URL: //" + evil, "Forwarded: host=" + evil,
		"Referer: https://" + evil + "/", "X-Forwarded-Proto: https"}
	for _, route := range d.echo.Routes() {
		if route.Method == "echo_route_not_found" {
			continue
		}
		for _, id := range []string{id, url.PathEscape("//" + evil), evil} {
			target := strings.NewReplacer(":id", id, ":token", id, ":picture", id, "*", id).Replace(route.Path)
			for _, who := range []string{"X: stranger", d.as(d.session(8))} {
				resp, _ := d.raw(address, route.Method, target+"?"+query.Encode(), append(headers, who)...)
				follow(route.Method+" "+target, resp)
				body := query.Encode() + "&count=1&newest=" + id
				if route.Path == "/language" {
					body = strings.Replace(body, "lang=", "lang=ru&language=", 1)
				}
				resp, _ = d.raw(address, route.Method, target, append(headers, who, "Content-Type: application/x-www-form-urlencoded",
					fmt.Sprintf("Content-Length: %d", len(body)), "", body)...)
				follow(route.Method+" "+target+" with a form", resp)
			}
		}
	}
	for _, target := range []string{"//" + evil, "//" + evil + "/", "/" + `\` + evil, "/%5c" + evil, "/%2f" + evil, "/http://" + evil, "http://" + evil + "/", "http://" + evil,
		"/login/..//" + evil, "/.//" + evil, "/assets/..//" + evil + "/..", "/static//" + evil, "/login/%0d%0aLocation:%20http:%2f%2f" + evil, "/?next=//" + evil} {
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
		target := strings.NewReplacer(":id", a.ID, "/login/:token", d.link(7), ":picture", "new-year.jpg", "*", "style.css").Replace(route.Path)
		for _, accept := range []string{"Accept: text/html", "Accept: application/json"} {
			for _, who := range []string{"X: stranger", d.as(session)} {
				var said [2]string
				for i, hello := range [][]string{{"Host: localhost:8080"}, {"Host: " + evil, "X-Forwarded-Host: " + evil, "X-Forwarded-Proto: https",
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
	w := d.send(call{method: "POST", path: "http://" + evil + d.link(7), header: map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": evil}})
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Name != "retake" || c[0].Domain != "" || c[0].Secure {
		t.Errorf("got cookies %v; want that of the configured address", c)
	}
}

func TestTheCookieIsSecureHoweverHTTPSIsSpelt(t *testing.T) {
	d := newDesk(t, "HTTPS://retake.example.com")
	if c := d.send(call{method: "POST", path: d.link(7)}).Result().Cookies()[0]; !c.Secure || c.Name != "__Host-retake" {
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
		if target := strings.NewReplacer(":id", a.ID, ":token", "nope", ":picture", "new-year.jpg", "*", "style.css").Replace(route.Path); !slices.Contains(targets, target) {
			targets = append(targets, target)
		}
	}
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types retake"
	kinds := []string{"text/html; charset=UTF-8", "application/json", "text/plain; charset=UTF-8", "text/plain; charset=utf-8", "video/mp4", "image/jpeg", "text/css; charset=utf-8", "text/javascript; charset=utf-8", "text/event-stream",
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
			"Cross-Origin-Resource-Policy": "same-origin"} {
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
		if route.Method != http.MethodGet || route.Path == "/events" || route.Path == "/channels/callback" { // a stream has nothing to say without a body; an answer is spent
			continue
		}
		paths[strings.NewReplacer("/channels/:id", "/channels/1", ":id", a.ID, "/login/:token", d.link(7), ":picture", "new-year.jpg", "*", "style.css").Replace(route.Path)] = true
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
		for i, a := range []struct{ id, status, file, problem, after string }{{old, "FAILED", "", text, ""}, {waiting, "PENDING", "", "", old},
			{running, "PROCESSING", "", "", ""}, {failed, "FAILED", "", text, ""}, {done, "COMPLETED", "gone.mp4", "", ""}} {
			mutate(t, d.store, `INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, file, thumb, duration, error, created, finished, retry_of, metadata)
					VALUES (?1, ?2, ?7 || ?3, ?2, ?2, 'REQUEST', 8, ?4, ?5, ?5, 1000, ?6, ?3, iif(?4 IN ('COMPLETED', 'FAILED'), 5, NULL), ?8,
						iif(?4 = 'COMPLETED', json_object('title', ?2, 'description', ?2, 'tags', ?2, 'language', 'ru', 'privacy', 'public'), '{}'))`,
				a.id, text, i, a.status, null(a.file), null(a.problem), lang.NameKey(text), null(a.after))
			mutate(t, d.store, `INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error) VALUES (?, 'RENDER', 1, 1, 2, 'gave up', ?)`, a.id, text)
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
				path := strings.NewReplacer("/channels/:id", "/channels/1", "/:id/unpublish", "/"+id+"/unpublish?platform=YOUTUBE", ":id", id, ":token", word, ":picture", word, "*", word).Replace(route.Path)
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
		for _, field := range []string{"language", "made_for_kids", "privacy"} { // what is no choice comes back as it was sent
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
	plain := map[bool]map[string]string{false: pages("5 Маша"), true: pages("5 > Маша")} // a title must not have what tags are made of
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

// ---- files

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
		for _, way := range []string{"../outside", "../../outside", "..%2foutside", "%2e%2e%2foutside", "%2e%2e/outside", "..%5coutside", `..\outside`, "%2e%2e%5coutside",
			"....//outside", "..%252foutside", "..%c0%afoutside", "%00", "../outside%00.mp4", a.ID + "%00", a.ID + "%2f..%2f..%2foutside", a.ID + "/../stray.mp4", "%2fetc%2fpasswd",
			"/etc/passwd", outside, url.PathEscape(outside), "stray.mp4", "./stray.mp4", a.ID + ".mp4", "../web.go", "../templates/layout.html", "..%2ftemplates%2flayout.html",
			"web%2ftemplates%2flayout.html", "../../schema.sql", "..", ".", "", "new-year", "new-year.jpg%00", "../new-year.jpg/..", "~root", "file:%2f%2f%2fetc%2fpasswd"} {
			resp, body := d.raw(address, "GET", folder+way, in)
			if resp.StatusCode != 404 && resp.StatusCode != 400 || strings.Contains(body, "SECRET") || strings.Contains(body, "root:") || strings.Contains(body, "{{") || strings.Contains(body, "CREATE TABLE") {
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
				if body := d.want(404, d.send(call{method: "GET", path: folder + a.ID, session: session})); strings.Contains(body, "SECRET") {
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
		{"a part of the version that the browser has", "/media/", []string{"Range: bytes=0-3", "If-Range: " + tag}, 206, "video/mp4", page[:4]},
		{"a part of a version that is gone", "/media/", []string{"Range: bytes=0-3", `If-Range: "another"`}, 200, "video/mp4", page},
		{"a part of a weak version", "/media/", []string{"Range: bytes=0-3", "If-Range: W/" + tag}, 200, "video/mp4", page},
		{"a part of a version of long ago", "/media/", []string{"Range: bytes=0-3", "If-Range: Mon, 02 Jan 2006 15:04:05 GMT"}, 200, "video/mp4", page},
		{"a part beyond the end", "/media/", []string{"Range: bytes=1000-"}, 416, "", ""},
		{"a range that is none", "/media/", []string{"Range: bytes=x-y"}, 416, "", ""},
		{"a unit that is none", "/media/", []string{"Range: frames=0-3"}, 416, "", ""},
		{"parts that are more than the whole", "/media/", []string{"Range: bytes=" + strings.Repeat("0-,", 1000) + "0-"}, 200, "video/mp4", page},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, body := d.raw(address, "GET", c.path+a.ID, append(c.header, in)...)
			kind := resp.Header.Get("Content-Type")
			if resp.StatusCode != c.status || c.kind != "" && (kind != c.kind || body != c.body) || strings.HasPrefix(kind, "text/html") || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("got %s %v %q; want %d %s %q", resp.Status, resp.Header, body, c.status, c.kind, c.body)
			}
		})
	}
}

// ---- strange requests

func TestStrangeRequestsAreRefusedInWordsAndNeverLogged(t *testing.T) {
	const chunked = "Transfer-Encoding: chunked"
	form := func(body string) []string {
		return []string{"Content-Type: application/x-www-form-urlencoded", fmt.Sprintf("Content-Length: %d", len(body)), "", body}
	}
	asJSON := func(body string) []string {
		return []string{"Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(body)), "", body}
	}
	for _, c := range []struct {
		name, method, target string
		header               []string
		status               int
	}{
		{"a search that is no text", "GET", "/?q=Анна%ff", nil, 422},
		{"a search that is half a letter", "GET", "/?q=%d0", nil, 422},
		{"a search with a broken escape", "GET", "/?q=%zz", nil, 422},
		{"a search with a bare semicolon", "GET", "/?q=a;b", nil, 422},
		{"a parameter whose name is no text", "GET", "/?%ff=1", nil, 422},
		{"bytes that are no text", "GET", "/?q=\xff\xfe", nil, 422},
		{"a search that is longer than any name", "GET", "/?q=" + strings.Repeat("Анна", 1000), nil, 414},
		{"a question about all with a search that cannot be read", "GET", "/retry-all?q=%ff", nil, 422},
		{"a page of a list that is none", "GET", "/activity?after=" + strings.Repeat("9", 500), nil, 404},
		{"a page after nobody", "GET", "/?after=%00", nil, 404},
		{"a search for nothing that can be typed", "GET", "/?q=%00", nil, 200},
		{"an address that is longer than the server reads", "GET", "/?q=" + strings.Repeat("x", 100_000), nil, 431},
		{"a header that is longer than the server reads", "GET", "/", []string{"X-Long: " + strings.Repeat("x", 100_000)}, 431},
		{"more headers than the server reads", "GET", "/", slices.Repeat([]string{"X-Many: " + strings.Repeat("x", 90)}, 1000), 431},
		{"an id that is no text", "GET", "/assets/%ff", nil, 404},
		{"an id as long as a letter", "GET", "/assets/" + strings.Repeat("x", 10_000), nil, 404},
		{"a name that is no text", "POST", "/assets", form("name=Анна%ff"), 422},
		{"a name of bytes that are no text", "POST", "/assets", form("name=Анна\xff"), 422},
		{"a form with a broken escape", "POST", "/assets", form("name=Анна%zz"), 422},
		{"a name that is no text, in JSON", "POST", "/assets", asJSON("{\"name\":\"Анна\xff\"}"), 422},
		{"half a letter, in JSON", "POST", "/assets", asJSON(`{"name":"Анна\ud800"}`), 422},
		{"a name with a NUL", "POST", "/assets", form("name=Анна%00"), 422},
		{"JSON that is a list", "POST", "/assets", asJSON(`["Анна"]`), 422},
		{"JSON as deep as a well", "POST", "/assets", asJSON(strings.Repeat("[", 60_000)), 422},
		{"a search that is no text, for all", "POST", "/retry-all", form("count=1&newest=x&q=%ff"), 422},
		{"a number that is none", "POST", "/retry-all", form("newest=x&count=" + strings.Repeat("9", 100)), 422},
		{"a platform that is no text", "POST", "/assets/x/retry", form("platform=%ff"), 422},
		{"a form of parts", "POST", "/assets", []string{"Content-Type: multipart/form-data; boundary=b", "Content-Length: 5", "", "--b--"}, 422},
		{"two lengths", "POST", "/assets", []string{"Content-Length: 5", "Content-Length: 6", "", "name=Анна"}, 400},
		{"a length and pieces", "POST", "/assets", []string{"Content-Length: 5", chunked, "", "zz"}, 422},
		{"pieces that are none", "POST", "/assets", []string{chunked, "", "Анна"}, 422},
		{"a whole name in pieces that break off", "POST", "/assets", []string{chunked, "", "d", "name=Анна", "zz"}, 422},
		{"a length that is none", "POST", "/assets", []string{"Content-Length: -1", "", ""}, 400},
		{"a length that nobody has", "POST", "/assets", []string{"Content-Length: 99999999999999999999", "", ""}, 400},
		{"an encoding that nobody knows", "POST", "/assets", []string{"Transfer-Encoding: gzip", "", ""}, 501},
		{"a method that nobody knows", "BREW", "/", nil, 404},
		{"a header with a line break in it", "GET", "/", []string{"X: a\rb"}, 400},
		{"two hosts", "GET", "/", []string{"Host: " + evil}, 400},
		{"an expectation that nobody knows", "POST", "/assets", []string{"Expect: tea", "Content-Length: 0", "", ""}, 417},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			_, address := d.open(usual, nil)
			in := d.as(d.session(8))
			for _, accept := range []string{"Accept: text/html", "Accept: application/json"} {
				header := append([]string{in, accept}, c.header...)
				l := dial(t, address)
				// The server may hang up before it has heard all of it.
				io.WriteString(l, c.method+" "+c.target+" HTTP/1.1\r\nHost: localhost\r\n"+strings.Join(header, "\r\n")+"\r\n\r\n")
				resp, body := l.hear(c.method)
				if resp.StatusCode != c.status {
					t.Errorf("%s: got %s %s; want %d", accept, resp.Status, body, c.status)
				}
				ours := resp.Header.Get("Content-Security-Policy") != ""
				if ours && strings.HasSuffix(accept, "json") && c.status >= 400 {
					refused(t, body)
				}
				if !ours && strings.Contains(body, "<") {
					t.Errorf("got %s; want an answer of net/http without markup", body)
				}
			}
			if n := count(t, d.store, `SELECT count(*) FROM assets`); n != 0 {
				t.Errorf("got %d videos; want none made", n)
			}
			if d.log.Len() > 0 {
				t.Errorf("got log %s; want nothing", &d.log)
			}
		})
	}
}

// ---- slow clients, and the end

// drip sends a little at a time until the other side has had enough, for as long as that takes.
func (l line) drip() {
	l.Helper()
	more := time.NewTicker(10 * time.Millisecond)
	defer more.Stop()
	over := make(chan struct{})
	go func() { io.Copy(io.Discard, l.Reader); close(over) }()
	limit := time.After(30 * time.Second)
	for {
		select {
		case <-over:
			return
		case <-more.C:
			io.WriteString(l.Conn, "x")
		case <-limit:
			l.Error("the connection is still open; want it closed")
			return
		}
	}
}

func TestSlowClientsAreLeft(t *testing.T) {
	const short, long = 100 * time.Millisecond, time.Minute
	hasty := desk.Timeouts{Header: long, Form: long, Idle: long}
	header, body, idle := hasty, hasty, hasty
	header.Header, body.Form, idle.Idle = short, short, short
	for name, c := range map[string]struct {
		wait desk.Timeouts
		act  func(t *testing.T, d *office, l line, in string)
	}{
		"who connect and say nothing":        {header, func(t *testing.T, d *office, l line, in string) { l.ends() }},
		"who stop in the middle of a header": {header, func(t *testing.T, d *office, l line, in string) { l.say("GET / HTTP/1.1", "Host: localhost"); l.ends() }},
		"who drip a header":                  {header, func(t *testing.T, d *office, l line, in string) { io.WriteString(l, "GET / HTTP/1.1\r\nX: "); l.drip() }},
		"who stop in the middle of a form": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("POST /assets HTTP/1.1", "Host: localhost", in, "Content-Length: 100", "", "name=")
			if resp, said := l.hear("POST"); resp.StatusCode != 408 || !strings.Contains(said, "took too long to arrive") {
				t.Errorf("got %s %s; want 408 in words", resp.Status, said)
			}
			l.ends()
		}},
		"who stop in the middle of JSON": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("POST /assets HTTP/1.1", "Host: localhost", in, "Content-Type: application/json", "Content-Length: 100", "", `{"name":`)
			if resp, said := l.hear("POST"); resp.StatusCode != 408 || refused(t, said) != "TOO_SLOW" {
				t.Errorf("got %s %s; want 408 TOO_SLOW", resp.Status, said)
			}
			l.ends()
		}},
		"who drip a form": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("POST /assets HTTP/1.1", "Host: localhost", in, "Content-Length: 60000", "", "name=")
			l.drip()
		}},
		"who drip pieces of a form": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("POST /retry-all HTTP/1.1", "Host: localhost", in, "Transfer-Encoding: chunked", "", "ffff")
			l.drip()
		}},
		"who drip what nobody reads": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("GET / HTTP/1.1", "Host: localhost", in, "Content-Length: 60000", "", "x")
			l.drip()
		}},
		"who drip what a stranger has to say": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("POST /assets HTTP/1.1", "Host: localhost", "Content-Length: 60000", "", "x")
			l.drip()
		}},
		"who drip before they sign in": {body, func(t *testing.T, d *office, l line, in string) {
			l.say("POST /login/guess HTTP/1.1", "Host: localhost", "Content-Length: 60000", "", "x")
			l.drip()
		}},
		"who have an answer and ask nothing more": {idle, func(t *testing.T, d *office, l line, in string) {
			l.say("GET /healthz HTTP/1.1", "Host: localhost", "")
			if resp, _ := l.hear("GET"); resp.StatusCode != 200 {
				t.Errorf("got %s; want 200", resp.Status)
			}
			l.ends()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "http://localhost:8080")
			_, address := d.open(c.wait, nil)
			c.act(t, d, dial(t, address), d.as(d.session(8)))
			if n := count(t, d.store, `SELECT count(*) FROM assets`); n != 0 || d.log.Len() > 0 {
				t.Errorf("got %d videos and log %s; want nothing", n, &d.log)
			}
		})
	}
}

// TestWhatHasArrivedIsNotHurried has a server that works longer than it waits for a request.
func TestWhatHasArrivedIsNotHurried(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	wait := usual
	wait.Form = 300 * time.Millisecond
	_, address := d.open(wait, nil)
	d.change(func(o *desk.Options) {
		o.CanDraw = func(string, string) error { <-time.After(2 * wait.Form); return nil }
	})
	l, in := dial(t, address), d.as(d.session(8))
	io.WriteString(l, "POST /assets HTTP/1.1\r\nHost: localhost\r\n"+in+"\r\nContent-Length: 13\r\n\r\nname=Маша") // not a byte more
	if resp, body := l.hear("POST"); resp.StatusCode != 303 || resp.Header.Get("Location") != "/?notice=created" {
		t.Errorf("got %s %s; want the video in the queue", resp.Status, body)
	}
	d.change(func(o *desk.Options) {
		o.Ready = func(ctx context.Context) []string {
			select {
			case <-ctx.Done():
				t.Error("the request has ended; want it to wait for its answer")
			case <-time.After(2 * wait.Form):
			}
			return nil
		}
	})
	l.say("GET / HTTP/1.1", "Host: localhost", in, "")
	if resp, body := l.hear("GET"); resp.StatusCode != 200 || !strings.Contains(body, "</html>") {
		t.Errorf("got %s %s; want the whole page", resp.Status, body)
	}
}

func TestTheServerEndsAtOnceWhateverIsConnected(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	looking, look := make(chan struct{}), make(chan struct{})
	server, address := d.open(usual, func(page http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				close(looking)
				<-look
			}
			page.ServeHTTP(w, r)
		})
	})
	in := d.as(d.session(8))
	idle := dial(t, address)
	idle.say("GET /healthz HTTP/1.1", "Host: localhost", "")
	idle.hear("GET")
	half := dial(t, address)
	half.say("GET / HTTP/1.1", "Host: localhost")
	silent := dial(t, address)
	busy := dial(t, address)
	busy.say("GET / HTTP/1.1", "Host: localhost", in, "")
	<-looking
	begun := make(chan struct{})
	server.RegisterOnShutdown(func() { close(begun) })
	ended := make(chan error)
	go func() { ended <- server.Shutdown(t.Context()) }()
	<-begun
	select {
	case err := <-ended:
		t.Fatalf("got an end, %v, while somebody was being answered", err)
	default:
	}
	close(look)
	needed := time.Now()
	if err := <-ended; err != nil || time.Since(needed) > time.Second {
		t.Errorf("got %v after %v; want an end in less than a second", err, time.Since(needed))
	}
	if resp, body := busy.hear("GET"); resp.StatusCode != 200 || !strings.Contains(body, "</html>") {
		t.Errorf("got %s %s; want the whole page", resp.Status, body)
	}
	for _, l := range []line{idle, half, silent, busy} {
		l.ends()
	}
}

// ---- a real browser

// lan lets names of a home network mean this machine.
var lan = chromedp.Flag("host-resolver-rules", "MAP *.lan 127.0.0.1")

// visit is a request that reached the page, and its status.
type visit struct {
	*http.Request
	status int
}

// visits keeps the requests that reach a page.
type visits struct {
	mu   sync.Mutex
	list []visit
}

// keep passes requests on to a page.
func (v *visits) keep(page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &statusWriter{ResponseWriter: w}
		page.ServeHTTP(seen, r)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.list = append(v.list, visit{r, seen.status})
	})
}

// take returns the requests since the last take that fit.
func (v *visits) take(fits func(r *http.Request) bool) (list []visit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, seen := range v.list {
		if fits(seen.Request) {
			list = append(list, seen)
		}
	}
	v.list = nil
	return list
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func isPost(r *http.Request) bool { return r.Method == http.MethodPost }

// TestOtherSitesCanDoNothingInARealBrowser has an admin who is signed in and visits a page of an attacker.
func TestOtherSitesCanDoNothingInARealBrowser(t *testing.T) {
	b := newBrowser(t, lan)
	d := newDesk(t, "http://retake.lan")
	var seen visits
	_, address := d.open(usual, seen.keep)
	_, port, _ := net.SplitHostPort(address)
	ask(t, d.store, "Маша", 1)
	id := failForGood(t, d.queue).AssetID

	attacker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		to, body := html.EscapeString(q.Get("to")), html.EscapeString(q.Get("name"))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Referrer-Policy", q.Get("referrer"))
		fmt.Fprint(w, `<!doctype html><title>free kittens</title>`)
		switch q.Get("by") {
		case "form":
			fmt.Fprintf(w, `<form method="post" action="%s"><input name="name" value="%s"></form><script>document.forms[0].submit()</script>`, to, body)
		case "plain text":
			fmt.Fprintf(w, `<form method="post" action="%s" enctype="text/plain"><input name='{"name":"%s","x":"' value='"}'></form><script>document.forms[0].submit()</script>`, to, body)
		case "fetch":
			fmt.Fprintf(w, `<i data-to="%s"></i><script>fetch(document.querySelector('i').dataset.to, {method: 'POST', mode: 'no-cors', credentials: 'include',
				body: new URLSearchParams({name: 'Эва'})}).finally(() => { document.title = 'sent' })</script>`, to)
		case "frame":
			fmt.Fprintf(w, `<iframe src="%s"></iframe><iframe sandbox="allow-same-origin allow-scripts" src="%s"></iframe><object data="%s"></object><embed src="%s"><img src="%s"><script src="%s"></script>`,
				to, to, to, to, to, to)
		}
	}))
	t.Cleanup(attacker.Close)
	_, elsewhere, _ := net.SplitHostPort(attacker.Listener.Addr().String())

	enter := func(page string) {
		t.Helper()
		b.visit(page + d.link(8))
		b.js("document.querySelector('main form').submit()")
		b.until("location.pathname === '/' && document.readyState === 'complete' && document.body.innerText.includes('Library')")
	}
	for _, c := range []struct {
		name, host, from string
		cookie           bool // the browser sends it: only the look at the origin stands between
	}{
		{"another site, on plain http in the LAN", "retake.lan", "evil.lan", false},
		{"another port of the host, on plain http in the LAN", "retake.lan", "retake.lan", true},
		{"a host below it, on plain http in the LAN", "retake.lan", "guest.retake.lan", true},
		{"another port of localhost", "localhost", "localhost", true},
		{"another name of this machine", "localhost", "127.0.0.1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			page := "http://" + c.host + ":" + port
			enter(page)
			before := d.tables()
			for _, by := range []string{"form", "plain text", "fetch"} {
				for _, referrer := range []string{"", "no-referrer"} { // without one, Origin is null
					for _, path := range []string{"/assets", "/assets/" + id + "/retry", "/logout"} {
						if by != "form" && path != "/assets" {
							continue
						}
						seen.take(isPost)
						b.visit("http://" + c.from + ":" + elsewhere + "/?" +
							url.Values{"by": {by}, "to": {page + path}, "referrer": {referrer}, "name": {"Эва"}}.Encode())
						if by == "fetch" {
							b.until("document.title === 'sent'")
						} else {
							b.until("document.body?.innerText.includes('This request came from another site')")
						}
						posts := seen.take(isPost)
						if len(posts) != 1 || posts[0].status != 403 {
							t.Fatalf("%s to %s: got %v; want one that is refused", by, path, posts)
						}
						if _, err := posts[0].Cookie(d.cookie); (err == nil) != c.cookie {
							t.Errorf("%s to %s: got the cookie %v; want %v, or this test shows less than it says", by, path, err == nil, c.cookie)
						}
						if where := posts[0].Header.Get("Sec-Fetch-Site"); (where == "") != (c.host == "retake.lan") {
							t.Errorf("%s to %s: got Sec-Fetch-Site %q; want none on plain http in the LAN only", by, path, where)
						}
					}
				}
			}
			if d.tables() != before {
				t.Error("the database changed; want it as it was")
			}
		})
	}

	t.Run("the admin's own form works on plain http in the LAN", func(t *testing.T) {
		enter("http://retake.lan:" + port)
		seen.take(isPost)
		b.js("document.getElementById('name').value = 'Эва'")
		b.js("document.querySelector('form.make').submit()")
		b.until("document.body?.innerText.includes('in the queue')")
		posts := seen.take(isPost)
		if len(posts) != 1 || posts[0].Header.Get("Sec-Fetch-Site") != "" || posts[0].Header.Get("Origin") != "http://retake.lan:"+port {
			t.Errorf("got %v; want one, known by its origin alone", posts)
		}
	})

	t.Run("nobody frames the page", func(t *testing.T) {
		for host, from := range map[string]string{"retake.lan": "evil.lan", "localhost": "localhost"} {
			page := "http://" + host + ":" + port
			enter(page)
			for _, path := range []string{"/", "/login", "/assets/" + id, "/nope"} {
				seen.take(isPost)
				b.visit("http://" + from + ":" + elsewhere + "/?" + url.Values{"by": {"frame"}, "to": {page + path}}.Encode())
				all := seen.take(func(*http.Request) bool { return true })
				asked := false
				for _, v := range all {
					asked = asked || v.URL.Path == path
					// A page that is shown needs its style; one that stays empty does not.
					if v.URL.Path == "/static/style.css" || v.URL.Path == "/static/app.js" {
						t.Errorf("%s in a page of %s: got it shown", path, from)
					}
				}
				if !asked {
					t.Errorf("%s in a page of %s: nobody asked for it", path, from)
				}
			}
		}
	})

	t.Run("a hostile name is text, also where the script puts it", func(t *testing.T) {
		const set = `document.documentElement.dataset.owned=1`
		names := []string{`<img src=x onerror="` + set + `">`, `<script>` + set + `</script>`, `</title><script>` + set + `</script>`, `" autofocus onfocus="` + set,
			`</svg><svg onload="` + set + `">`, `<iframe srcdoc="<script>parent.` + set + `</script>"></iframe>`, `<a href="javascript:` + set + `">x</a>`}
		page := "http://localhost:" + port
		enter(page)
		paths := []string{"/", "/activity", "/settings", "/retry-all"}
		for i, name := range names {
			id := store.NewID()
			failure, file := null(name), null("")
			if i%2 == 0 {
				failure, file = file, null("gone.mp4")
			}
			mutate(t, d.store, `INSERT INTO assets (id, name, name_key, template, lang, origin, status, error, file, created, finished, metadata)
				VALUES (?1, ?2, ?3, 't', 'ru', 'REQUEST', iif(?4 IS NULL, 'COMPLETED', 'FAILED'), ?4, ?5, ?6, 1, json_object('title', ?2, 'description', ?2, 'privacy', 'public'))`,
				id, name, fmt.Sprint("hostile ", i), failure, file, time.Now().UnixMilli())
			write(t, d.store, func(tx *store.Tx) error { return tx.Note(store.Event{Action: name, AssetID: id, Outcome: name}) })
			word := url.QueryEscape(name)
			paths = append(paths, "/assets/"+id, "/?q="+word, "/retry-all?q="+word)
		}
		clean := func(where string) {
			t.Helper()
			if got := b.js(`document.documentElement.dataset.owned + ' ' + document.querySelectorAll('img:not([src^="/templates/"]), iframe, object, embed, base, script:not([src^="/static/"]), a[href^="javascript"]').length + ' ' +
				[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on') || a.name === 'srcdoc')).length`); got != "undefined 0 0" {
				t.Errorf("%s: got %s; want no element of the name's making", where, got)
			}
		}
		for _, path := range paths {
			b.visit(page + path)
			clean(path)
		}
		ask(t, d.store, "Лев", 1) // something that goes on
		b.visit(page + "/")
		ask(t, d.store, names[0]+" new", 1)
		b.until("[...document.querySelectorAll('h2 a')].some(a => a.textContent.endsWith(' new'))")
		clean("the library after a while")
	})
	if d.log.Len() > 0 {
		t.Errorf("got log %s; want nothing", &d.log)
	}
}

// ---- secrets

// TestNoSecretOfARunIsInItsLogOrOnItsPages runs the program as an operator does, with people and admins who make mistakes.
func TestNoSecretOfARunIsInItsLogOrOnItsPages(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	path := filepath.Join(v.dir, "config.toml")
	settings, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := listenNear("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	const parentID, adminID = 700000001, 800000001
	changed := strings.NewReplacer(`listen = "127.0.0.1:0"`, fmt.Sprintf("listen = %q\nbase_url = \"http://%s\"", address, address),
		"[telegram]\n", fmt.Sprintf("[telegram]\nowners = [%d]\n", adminID)).Replace(string(settings))
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	v.breaks()
	v.start(0)
	w := &world{T: t, tg: v.tg, log: v.log}
	link := regexp.MustCompile(`http://\S+/login/(\S+)`)
	w.until("the link", func() bool { return link.MatchString(v.log.String()) })
	w.until("the page", func() bool { _, code := retake(t, nil, "healthcheck", "-config", path); return code == 0 })
	setUp := link.FindStringSubmatch(v.log.String())

	parent, admin := v.tg.Person(parentID, "Розалинда", "ru"), v.tg.Person(adminID, "Клементина", "ru")
	w.asks(parent, "Сбой Аглая")
	w.hears(parent, "Упс!")
	admin.Send("/admin")
	w.hears(admin, "/login/")
	var sent []string
	for _, m := range admin.Messages() {
		if found := link.FindStringSubmatch(m.Text); found != nil {
			sent = found
		}
		for _, row := range m.Buttons {
			for _, button := range row {
				if found := link.FindStringSubmatch(button.URL); found != nil {
					sent = found
				}
			}
		}
	}
	if sent == nil {
		t.Fatal("got no link from the bot")
	}
	secrets := map[string]string{"the token of the bot": strings.SplitN(testToken, ":", 2)[1], "the set-up link": setUp[1], "the bot's link": sent[1]}
	var pages bytes.Buffer
	do := func(method, target, body string, cookie *http.Cookie, header ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+address+target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if cookie != nil {
			r.AddCookie(cookie)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if target != "/login/"+setUp[1] && target != "/login/"+sent[1] || resp.StatusCode != 200 { // a good link's button has its token
			pages.Write(b)
		}
		return resp, string(b)
	}
	var cookies []*http.Cookie
	for _, token := range []string{setUp[1], sent[1]} {
		do("GET", "/login/"+token, "", nil)
		do("POST", "/login/"+token, "", nil, "Origin", "https://"+evil)
		if resp, _ := do("POST", "/login/"+token, "", nil); len(resp.Cookies()) == 1 {
			cookies = append(cookies, resp.Cookies()[0])
		}
		do("POST", "/login/"+token, "", nil)
		do("GET", "/login/"+token, "", nil)
	}
	if len(cookies) != 2 {
		t.Fatalf("got %d sessions; want 2", len(cookies))
	}
	in := cookies[1]
	secrets["a session"], secrets["another session"] = cookies[0].Value, in.Value
	_, library := do("GET", "/", "", in)
	failed := regexp.MustCompile(`asset-(\w+)`).FindStringSubmatch(library)
	if failed == nil {
		t.Fatalf("got %s; want the failed video\n%s", library, v.log)
	}
	for _, accept := range []string{"text/html", "application/json"} {
		for _, target := range []string{"/", "/assets/" + failed[1], "/activity", "/settings", "/retry-all", "/?q=Аглая", "/?q=%ff", "/nope", "/media/" + failed[1], "/login", "/healthz", "/readyz"} {
			do("GET", target, "", in, "Accept", accept)
			do("GET", target, "", nil, "Accept", accept)
			do("BREW", target, "", in, "Accept", accept)
		}
		for _, body := range []string{"name=Аглая%ff", "name=Аглая+5", "name=" + strings.Repeat("Аглая", 20000), "", "name=Аглая"} {
			do("POST", "/assets", body, in, "Accept", accept)
			do("POST", "/assets", body, in, "Accept", accept, "Origin", "https://"+evil)
		}
		do("POST", "/assets/"+failed[1]+"/retry", "", in, "Accept", accept)
	}
	w.until("the retry's end", func() bool {
		_, list := do("GET", "/", "", in, "Accept", "application/json")
		return !strings.Contains(list, `"status":"PENDING"`) && !strings.Contains(list, `"status":"PROCESSING"`)
	})
	for _, target := range []string{"/", "/activity", "/settings"} {
		do("GET", target, "", in)
	}
	do("POST", "/logout", "", cookies[0])
	do("POST", "/logout-everywhere", "", in)

	// The program ends at once, though browsers are connected.
	for _, hello := range []string{"", "GET / HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"} {
		io.WriteString(dial(t, address), hello)
	}
	began := time.Now()
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-v.dead
	if code := v.cmd.ProcessState.ExitCode(); code != 0 || time.Since(began) > 4*time.Second {
		t.Errorf("got exit %d after %v; want 0 at once", code, time.Since(began))
	}

	said := strings.Replace(v.log.String(), setUp[0], "", 1) // printed for the operator, once
	if !strings.Contains(said, "retake is running") || !strings.Contains(pages.String(), "Sign out") {
		t.Fatalf("got log %s and pages %s; want something to look at", said, &pages)
	}
	for what, secret := range secrets {
		if strings.Contains(said, secret) {
			t.Errorf("%s is in the log: %s", what, said)
		}
		if strings.Contains(pages.String(), secret) {
			t.Errorf("%s is on a page", what)
		}
	}
	for _, private := range []string{"Аглая", "Розалинда", "Клементина", fmt.Sprint(parentID), fmt.Sprint(adminID)} {
		if strings.Contains(said, private) {
			t.Errorf("%s is in the log: %s", private, said)
		}
		if private != "Аглая" && strings.Contains(pages.String(), private) {
			t.Errorf("%s is on a page", private)
		}
	}
}
