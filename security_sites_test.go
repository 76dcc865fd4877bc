// Tests of other sites in a real browser, and of the secrets of a run.

package main

import (
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"retake.example/internal/store"

	"github.com/chromedp/chromedp"
)

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
			fmt.Fprintf(
				w,
				`<form method="post" action="%s"><input name="name" value="%s"></form><script>document.forms[0].submit()</script>`,
				to,
				body,
			)
		case "plain text":
			fmt.Fprintf(
				w,
				`<form method="post" action="%s" enctype="text/plain"><input name='{"name":"%s","x":"' `+
					`value='"}'></form><script>document.forms[0].submit()</script>`,
				to,
				body,
			)
		case "fetch":
			fmt.Fprintf(
				w,
				`<i data-to="%s"></i><script>fetch(document.querySelector('i').dataset.to, {method: 'POST', mode: 'no-cors', credentials: 'include',
				body: new URLSearchParams({name: 'Эва'})}).finally(() => { document.title = 'sent' })</script>`,
				to,
			)
		case "frame":
			fmt.Fprintf(
				w,
				`<iframe src="%s"></iframe><iframe sandbox="allow-same-origin allow-scripts" src="%s"></iframe><object `+
					`data="%s"></object><embed src="%s"><img src="%s"><script src="%s"></script>`,
				to,
				to,
				to,
				to,
				to,
				to,
			)
		}
	}))
	t.Cleanup(attacker.Close)
	_, elsewhere, _ := net.SplitHostPort(attacker.Listener.Addr().String())

	enter := func(page string) {
		t.Helper()
		b.Visit(page + d.link(8))
		b.JS("document.querySelector('main form').submit()")
		b.Until(
			"location.pathname === '/' && document.readyState === 'complete' && document.body.innerText.includes('Library')",
		)
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
						b.Visit("http://" + c.from + ":" + elsewhere + "/?" +
							url.Values{"by": {by}, "to": {page + path}, "referrer": {referrer}, "name": {"Эва"}}.Encode())
						if by == "fetch" {
							b.Until("document.title === 'sent'")
						} else {
							b.Until("document.body?.innerText.includes('This request came from another site')")
						}
						posts := seen.take(isPost)
						if len(posts) != 1 || posts[0].status != 403 {
							t.Fatalf("%s to %s: got %v; want one that is refused", by, path, posts)
						}
						if _, err := posts[0].Cookie(d.cookie); (err == nil) != c.cookie {
							t.Errorf(
								"%s to %s: got the cookie %v; want %v, or this test shows less than it says",
								by,
								path,
								err == nil,
								c.cookie,
							)
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
		b.JS("document.getElementById('name').value = 'Эва'")
		b.JS("document.querySelector('form.make').submit()")
		b.Until("document.body?.innerText.includes('in the queue')")
		posts := seen.take(isPost)
		if len(posts) != 1 || posts[0].Header.Get("Sec-Fetch-Site") != "" ||
			posts[0].Header.Get("Origin") != "http://retake.lan:"+port {
			t.Errorf("got %v; want one, known by its origin alone", posts)
		}
	})

	t.Run("nobody frames the page", func(t *testing.T) {
		for host, from := range map[string]string{"retake.lan": "evil.lan", "localhost": "localhost"} {
			page := "http://" + host + ":" + port
			enter(page)
			for _, path := range []string{"/", "/login", "/assets/" + id, "/nope"} {
				seen.take(isPost)
				b.Visit("http://" + from + ":" + elsewhere + "/?" + url.Values{"by": {"frame"}, "to": {page + path}}.Encode())
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
		names := []string{
			`<img src=x onerror="` + set + `">`,
			`<script>` + set + `</script>`,
			`</title><script>` + set + `</script>`,
			`" autofocus onfocus="` + set,
			`</svg><svg onload="` + set + `">`,
			`<iframe srcdoc="<script>parent.` + set + `</script>"></iframe>`,
			`<a href="javascript:` + set + `">x</a>`,
		}
		page := "http://localhost:" + port
		enter(page)
		paths := []string{"/", "/activity", "/settings", "/retry-all"}
		for i, name := range names {
			id := store.NewID()
			failure, file := null(name), null("")
			if i%2 == 0 {
				failure, file = file, null("gone.mp4")
			}
			mutate(
				t,
				d.store,
				`INSERT INTO assets (id, name, name_key, template, lang, origin, status, error, file, created, finished, metadata)
				VALUES (?1, ?2, ?3, 't', 'ru', 'REQUEST', iif(?4 IS NULL, 'COMPLETED', 'FAILED'), ?4, ?5, ?6, 1,
				json_object('title', ?2, 'description', ?2, 'privacy', 'public'))`,
				id,
				name,
				fmt.Sprint("hostile ", i),
				failure,
				file,
				time.Now().UnixMilli(),
			)
			write(t, d.store, func(tx *store.Tx) error { return tx.Note(store.Event{Action: name, AssetID: id, Outcome: name}) })
			word := url.QueryEscape(name)
			paths = append(paths, "/assets/"+id, "/?q="+word, "/retry-all?q="+word)
		}
		clean := func(where string) {
			t.Helper()
			if got := b.JS(`document.documentElement.dataset.owned + ' ' +
				document.querySelectorAll('img:not([src^="/templates/"]), iframe, object, embed, base, ' +
					'script:not([src^="/static/"]), a[href^="javascript"]').length + ' ' +
				[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on') || a.name === 'srcdoc')).length`); got != "undefined 0 0" {
				t.Errorf("%s: got %s; want no element of the name's making", where, got)
			}
		}
		for _, path := range paths {
			b.Visit(page + path)
			clean(path)
		}
		ask(t, d.store, "Лев", 1) // something that goes on
		b.Visit(page + "/")
		ask(t, d.store, names[0]+" new", 1)
		b.Until("[...document.querySelectorAll('h2 a')].some(a => a.textContent.endsWith(' new'))")
		clean("the library after a while")
	})
	if d.log.Len() > 0 {
		t.Errorf("got log %s; want nothing", &d.log)
	}
}
