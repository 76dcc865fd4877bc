// Tests of signing in on the page, of what strangers and other sites cannot do, and of what every answer carries.

package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"retake.example/internal/command"
	"retake.example/internal/config"
	"retake.example/internal/desk"
	"retake.example/internal/store"
)

func TestSigningIn(t *testing.T) {
	for name, test := range map[string]func(t *testing.T, d *office){
		"opening a link spends nothing, however often": func(t *testing.T, d *office) {
			link := d.link(7)
			for range 3 {
				if body := d.want(200, d.send(call{method: "GET", path: link})); !strings.Contains(body, `action="`+link+`"`) {
					t.Errorf("got %s; want a button that posts to the link", body)
				}
			}
			w := d.send(call{method: "POST", path: link})
			d.want(303, w)
			d.want(200, d.send(call{method: "GET", path: "/", session: sessionOf(t, w)}))
		},
		"a link works once": func(t *testing.T, d *office) {
			link := d.link(7)
			d.want(303, d.send(call{method: "POST", path: link}))
			for _, method := range []string{"POST", "GET"} {
				w := d.send(call{method: method, path: link})
				body := d.want(403, w)
				if len(w.Result().Cookies()) > 0 || !strings.Contains(body, "/admin") ||
					!strings.Contains(body, "retake admin link ID") {
					t.Errorf("got %v %s; want no cookie and how to get a new link", w.Result().Cookies(), body)
				}
			}
		},
		"a link ends after 15 minutes": func(t *testing.T, d *office) {
			link := d.link(7)
			setNow(d.store, func() time.Time { return time.Now().Add(15*time.Minute + time.Second) })
			d.want(403, d.send(call{method: "GET", path: link}))
			d.want(403, d.send(call{method: "POST", path: link}))
		},
		"ten presses at once make one session": func(t *testing.T, d *office) {
			link := d.link(7)
			var wg sync.WaitGroup
			codes := make([]int, 10)
			for i := range codes {
				wg.Go(func() { codes[i] = d.send(call{method: "POST", path: link}).Code })
			}
			wg.Wait()
			slices.Sort(codes)
			if n := count(t, d.store, `SELECT count(*) FROM sessions`); codes[0] != 303 || codes[1] != 403 || n != 1 {
				t.Errorf("got %v and %d sessions; want one 303, the rest 403, one session", codes, n)
			}
		},
		"somebody who is no admin is told the same as with a spent link": func(t *testing.T, d *office) {
			spent := d.link(7)
			d.want(303, d.send(call{method: "POST", path: spent}))
			w, other := d.send(call{method: "POST", path: d.link(1234)}), d.send(call{method: "POST", path: spent})
			if d.want(403, w) != d.want(403, other) || len(w.Result().Cookies()) > 0 {
				t.Errorf("got %s; want %s and no cookie", w.Body, other.Body)
			}
			if n := count(t, d.store, `SELECT count(*) FROM sessions WHERE admin = 1234`); n != 0 {
				t.Errorf("got %d sessions; want none", n)
			}
		},
		"an admin who is removed is out at the next request": func(t *testing.T, d *office) {
			session := d.signIn(7)
			d.want(200, d.send(call{method: "GET", path: "/", session: session}))
			delete(d.admins, 7)
			d.want(303, d.send(call{method: "GET", path: "/", session: session}))
			d.want(401, d.send(call{method: "POST", path: "/assets", session: session, json: true, body: "name=Маша"}))
		},
		"signing out ends the session on the server": func(t *testing.T, d *office) {
			session := d.signIn(7)
			w := d.send(call{method: "POST", path: "/logout", session: session})
			d.want(303, w)
			if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
				t.Errorf("got cookies %v; want it taken away", c)
			}
			d.want(303, d.send(call{method: "GET", path: "/", session: session}))
			if n := count(t, d.store, `SELECT count(*) FROM sessions`); n != 0 {
				t.Errorf("got %d sessions; want none", n)
			}
		},
		"the database and the log hold no token": func(t *testing.T, d *office) {
			spent, open := d.link(7), d.link(8)
			session := sessionOf(t, d.send(call{method: "POST", path: spent}))
			d.send(call{method: "POST", path: spent})
			_, token, _ := strings.Cut(open, "/login/")
			_, used, _ := strings.Cut(spent, "/login/")
			files, err := filepath.Glob(text(t, d.store, `SELECT file FROM pragma_database_list WHERE name = 'main'`) + "*")
			if err != nil || len(files) < 2 {
				t.Fatalf("got files %v, %v; want the database and its log", files, err)
			}
			for _, secret := range []string{token, used, session} {
				if len(secret) < 43 {
					t.Errorf("got a token of %d characters; want 32 bytes", len(secret))
				}
				for _, f := range files {
					if b, err := os.ReadFile(f); err != nil || bytes.Contains(b, []byte(secret)) {
						t.Errorf("%s holds a token, or cannot be read: %v", f, err)
					}
				}
				if strings.Contains(d.log.String(), secret) {
					t.Errorf("the log holds a token: %s", &d.log)
				}
			}
		},
		"a session from before is never adopted, and the browser's old one ends": func(t *testing.T, d *office) {
			old := d.signIn(7)
			w := d.send(call{method: "POST", path: d.link(8), session: old})
			if fresh := sessionOf(t, w); fresh == old {
				t.Error("got the session from before; want a new one")
			}
			d.want(303, d.send(call{method: "GET", path: "/", session: old}))
			planted := strings.Repeat("x", 43)
			if fresh := sessionOf(t, d.send(call{method: "POST", path: d.link(8), session: planted})); fresh == planted {
				t.Error("got the planted session; want a new one")
			}
		},
		"a session lasts 14 days after the last visit": func(t *testing.T, d *office) {
			session, began := d.signIn(7), time.Now()
			for days, want := range []int{0: 200, 10: 200, 20: 200, 33: 200, 48: 303} {
				if want == 0 {
					continue
				}
				setNow(d.store, func() time.Time { return began.AddDate(0, 0, days) })
				w := d.send(call{method: "GET", path: "/", session: session})
				d.want(want, w)
				if prolonged := len(w.Result().Cookies()) == 1; prolonged != (days > 0 && want == 200) {
					t.Errorf("day %d: got prolonged %v", days, prolonged)
				}
			}
		},
		"a burst of tries is stopped": func(t *testing.T, d *office) {
			for range 20 {
				d.want(403, d.send(call{method: "POST", path: "/login/guess"}))
			}
			d.want(429, d.send(call{method: "POST", path: "/login/guess"}))
		},
		"the way in is written on the door": func(t *testing.T, d *office) {
			if body := d.want(200, d.send(call{method: "GET", path: "/login"})); !strings.Contains(body, "/admin") ||
				!strings.Contains(body, "retake admin link ID") {
				t.Errorf("got %s; want both ways", body)
			}
		},
	} {
		t.Run(name, func(t *testing.T) { test(t, newDesk(t, "http://localhost:8080")) })
	}
}

func TestTheCookieFitsTheAddress(t *testing.T) {
	for base, want := range map[string]http.Cookie{
		"http://localhost:8080":       {Name: "retake-"},
		"https://retake.example.com/": {Name: "__Host-retake-", Secure: true},
	} {
		d := newDesk(t, strings.TrimSuffix(base, "/"))
		c := d.send(call{method: "POST", path: d.link(7)}).Result().Cookies()[0]
		if !strings.HasPrefix(c.Name, want.Name) || len(c.Name) != len(want.Name)+8 || c.Secure != want.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode ||
			c.Path != "/" ||
			c.Domain != "" ||
			c.MaxAge != 14*24*3600 {
			t.Errorf("%s: got %v", base, c)
		}
	}
}

// public lists the routes that need no session. TestEveryRoute fails for a route that answers a stranger and is not
// here.
var public = []string{"/healthz", "/readyz", "/static/*", "/login", "/login/:token", "/language"}

func TestEveryRouteAsksAStrangerToSignIn(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1)
	d.filmed("video", "thumb")
	seen := 0
	for _, r := range d.echo.Routes() {
		if slices.Contains(public, r.Path) || r.Method == "echo_route_not_found" {
			continue
		}
		seen++
		path := strings.ReplaceAll(r.Path, ":id", a.ID)
		before := d.tables()
		w := d.send(call{method: r.Method, path: path})
		d.want(303, w)
		if to := w.Header().Get("Location"); to != "/login" {
			t.Errorf("%s %s: got sent to %q; want /login", r.Method, r.Path, to)
		}
		if w = d.send(call{method: r.Method, path: path, json: true}); r.Method != http.MethodHead &&
			refused(t, w.Body.String()) != "UNAUTHORIZED" ||
			w.Code != 401 {
			t.Errorf("%s %s: got %d %s; want 401 UNAUTHORIZED", r.Method, r.Path, w.Code, w.Body)
		}
		if d.tables() != before {
			t.Errorf("%s %s: a stranger changed the database", r.Method, r.Path)
		}
	}
	if seen < 10 {
		t.Errorf("got %d routes; want all of them", seen)
	}
}

func TestOtherSitesCannotPress(t *testing.T) {
	d := newDesk(t, "http://desk.lan:8080")
	a := ask(t, d.store, "Маша", 1)
	failForGood(t, d.queue)
	session, link := d.signIn(8), d.link(8)
	before := d.tables()
	for name, header := range map[string]map[string]string{
		"another site":                  {"Sec-Fetch-Site": "cross-site"},
		"another host of the same site": {"Sec-Fetch-Site": "same-site"},
		"an old browser, another site":  {"Origin": "https://evil.example"},
		"a page without an origin":      {"Origin": "null"},
	} {
		for _, path := range []string{"/assets", "/assets/" + a.ID + "/retry", "/retry-all", "/logout",
			"/logout-everywhere", link} {
			for _, asJSON := range []bool{false, true} {
				w := d.send(
					call{
						method:  "POST",
						path:    "http://desk.lan:8080" + path,
						session: session,
						body:    "name=Эва&count=1&newest=" + a.ID,
						header:  header,
						json:    asJSON,
					},
				)
				if d.want(403, w); asJSON && refused(t, w.Body.String()) != "CROSS_ORIGIN" {
					t.Errorf("%s, POST %s: got %s; want CROSS_ORIGIN", name, path, w.Body)
				}
			}
		}
	}
	if d.tables() != before {
		t.Error("the database changed; want it as it was")
	}
	for name, header := range map[string]map[string]string{
		"a browser":                           {"Sec-Fetch-Site": "same-origin", "Origin": "http://desk.lan:8080"},
		"a browser on plain http in the LAN":  {"Origin": "http://desk.lan:8080"},
		"a program that sends neither header": {},
	} {
		w := d.send(
			call{method: "POST", path: "http://desk.lan:8080/assets", session: session, body: "name=Эва", header: header},
		)
		if w.Code != 303 {
			t.Errorf("%s: got %d %s; want 303", name, w.Code, w.Body)
		}
	}
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1)
	d.filmed("video", "thumb")
	session := d.signIn(8)
	calls := map[string]call{
		"library":    {method: "GET", path: "/", session: session},
		"JSON":       {method: "GET", path: "/", session: session, json: true},
		"asset":      {method: "GET", path: "/assets/" + a.ID, session: session},
		"activity":   {method: "GET", path: "/activity", session: session},
		"settings":   {method: "GET", path: "/settings", session: session},
		"template":   {method: "GET", path: "/templates/new-year.jpg", session: session},
		"video":      {method: "GET", path: "/media/" + a.ID, session: session},
		"style":      {method: "GET", path: "/static/style.css"},
		"health":     {method: "GET", path: "/healthz"},
		"sent away":  {method: "GET", path: "/"},
		"door":       {method: "GET", path: "/login"},
		"bad link":   {method: "GET", path: "/login/nope"},
		"not found":  {method: "GET", path: "/assets/nope", session: session},
		"no route":   {method: "GET", path: "/nope", session: session},
		"no method":  {method: "PUT", path: "/healthz"},
		"not failed": {method: "POST", path: "/assets/" + a.ID + "/retry", session: session},
		"invalid":    {method: "POST", path: "/assets", session: session, body: "name="},
		"other site": {
			method:  "POST",
			path:    "/assets",
			session: session,
			header:  map[string]string{"Sec-Fetch-Site": "cross-site"},
		},
	}
	for name, c := range calls {
		w := d.send(c)
		csp := w.Header().Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self';", "form-action 'self'",
			"frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: got policy %q; want %s in it", name, csp, part)
			}
		}
		for key, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
			if got := w.Header().Get(key); got != want {
				t.Errorf("%s: got %s %q; want %q", name, key, got, want)
			}
		}
		if cache := w.Header().Get("Cache-Control"); !strings.Contains(cache, "no-") {
			t.Errorf("%s: got Cache-Control %q; want nothing shown from a cache unasked", name, cache)
		}
	}
	if d.log.Len() > 0 {
		t.Errorf("got log %s; want nothing", &d.log)
	}
}

func TestAFaultOfOursIsNeutralAndLoggedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		call  call
		spoil func(d *office)
	}{
		"the database is gone": {call{method: "GET", path: "/"}, func(d *office) { d.store.Close() }},
		"a panic": {call{method: "GET", path: "/"}, func(d *office) {
			d.change(func(o *desk.Options) { o.Ready = func(context.Context) []string { panic("SECRET") } })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			c.call.session = d.signIn(8)
			c.spoil(d)
			w := d.send(c.call)
			if body := d.want(500, w); !strings.Contains(body, voice("en")(desk.Internal.ID, nil)) ||
				strings.Contains(body, "SECRET") ||
				strings.Contains(body, "closed") {
				t.Errorf("got %s; want neutral words", body)
			}
			if n := strings.Count(d.log.String(), "level=ERROR"); n != 1 || strings.Contains(d.log.String(), c.call.session) {
				t.Errorf("got log %s; want one line", &d.log)
			}
			if w.Header().Get("Content-Security-Policy") == "" {
				t.Error("got no policy; want one")
			}
		})
	}
	t.Run("a link whose token must not be logged", func(t *testing.T) {
		d := newDesk(t, "http://localhost:8080")
		link := d.link(8)
		d.store.Close()
		d.want(500, d.send(call{method: "POST", path: link}))
		if _, token, _ := strings.Cut(link, "/login/"); strings.Contains(d.log.String(), token) ||
			!strings.Contains(d.log.String(), "/login/:token") {
			t.Errorf("got log %s; want the route without the token", &d.log)
		}
	})
}

func TestHealth(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	for _, method := range []string{"GET", "HEAD"} {
		d.want(200, d.send(call{method: method, path: "/healthz"}))
		d.want(200, d.send(call{method: method, path: "/readyz"}))
	}
	d.missing = []string{"ffmpeg was not found.", "The bot has no token."}
	if got := d.want(503, d.send(call{method: "GET",
		path: "/readyz"})); got != "ffmpeg was not found.\nThe bot has no token.\n" {
		t.Errorf("got %q; want the sentences", got)
	}
	d.want(200, d.send(call{method: "GET", path: "/healthz"}))
	if page := d.want(200, d.send(call{method: "GET", path: "/", session: d.signIn(8)})); !strings.Contains(
		page,
		"ffmpeg was not found.",
	) {
		t.Errorf("got %s; want the sentences on the page", page)
	}
	d.store.Close()
	d.want(503, d.send(call{method: "GET", path: "/healthz"}))
	d.want(503, d.send(call{method: "GET", path: "/readyz"}))
	if d.log.Len() > 0 {
		t.Errorf("got log %s; want silence", &d.log)
	}
}

func TestAnErrorPageHasTheWayOnForWhoIsSignedIn(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	session := d.signIn(8)
	for path, status := range map[string]int{"/nowhere": 404, "/assets/none": 404, "/?status=x": 422} {
		if page := d.want(status, d.send(call{method: "GET", path: path, session: session})); !strings.Contains(
			page,
			`href="/activity"`,
		) {
			t.Errorf("%s: got %s; want the links of every page", path, page)
		}
	}
	if page := d.want(200, d.send(call{method: "GET", path: "/login"})); strings.Contains(page, `href="/activity"`) {
		t.Errorf("got %s; want no links for a stranger", page)
	}
}

func TestThePageSpeaksTheLanguageOfItsReader(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	ask(t, d.store, "Маша", 1)
	failForGood(t, d.queue)
	d.missing = []string{"problem_bot_off"}
	session := d.signIn(8)
	const en, ru = "en,ru;q=0.5", "ru-RU,ru;q=0.9,en;q=0.8"
	for _, c := range []struct {
		prefers, chose, path string
		want                 []string
	}{
		{en, "", "/", []string{`<html lang="en">`, "1 video needs your attention.", "The bot is off", "Retry Failed"}},
		{ru, "", "/", []string{`<html lang="ru">`, "1 видео требует внимания.", "Бот не подключён", "Повторить"}},
		{ru, "en", "/", []string{`<html lang="en">`, "Retry Failed"}},
		{en, "ru", "/", []string{`<html lang="ru">`, "извинений: 1"}},
		{en, "de", "/settings", []string{`<html lang="en">`, "1 owner and 2 admins"}},
		{"de,fr;q=0.5", "", "/activity", []string{`<html lang="en">`,
			"<strong>the program</strong> could not make it in attempt 1 and gave up"}},
		{"de,ru;q=0.5", "", "/activity", []string{`<html lang="ru">`, "<strong>вы</strong>: вход"}},
		{"nonsense;;;", "", "/?q=Лев", []string{`<html lang="en">`, "Nothing found for “Лев”"}},
	} {
		header := map[string]string{"Accept-Language": c.prefers}
		if c.chose != "" {
			header["Cookie"] = "lang=" + c.chose
		}
		page := d.want(200, d.send(call{method: "GET", path: c.path, session: session, header: header}))
		for _, want := range c.want {
			if !strings.Contains(page, want) {
				t.Errorf("%+v: got %s; want %q in it", c, page, want)
			}
		}
	}
	w := d.send(call{method: "POST", path: "/language", body: "lang=ru"})
	d.want(303, w)
	if chosen := w.Result().Cookies(); len(chosen) != 1 || chosen[0].Name != "lang" || chosen[0].Value != "ru" ||
		!chosen[0].HttpOnly {
		t.Errorf("got cookies %v; want the language that was chosen", chosen)
	}
	body := d.want(
		422,
		d.send(
			call{
				method: "POST",
				path:   "/language",
				body:   "lang=<b>",
				json:   true,
				header: map[string]string{"Accept-Language": "ru"},
			},
		),
	)
	if refused(t, body) != "INVALID" || !strings.Contains(body, "Такого языка здесь нет. Есть: ru, en.") {
		t.Errorf("got %s; want the languages there are, in Russian", body)
	}
}
func TestAnAdminWhoWasMadeByCommandIsNamedInTheActivityList(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	write(t, d.store, func(tx *store.Tx) error { return tx.Appoint(store.Admin{ID: 77}, 0, store.ByCommand) })
	write(t, d.store, func(tx *store.Tx) error { return tx.Appoint(store.Admin{ID: 78, Owner: true}, 0, store.ByCommand) })
	if body := d.want(http.StatusOK, d.send(call{path: "/settings", session: d.signIn(77),
		json: true})); !strings.Contains(
		body,
		`"owners":2,"admins":3`,
	) {
		t.Errorf("got %s; want them counted", body)
	}
	body := d.want(http.StatusOK, d.send(call{path: "/activity", session: d.signIn(78), json: true}))
	for _, want := range []string{`"who":"admin 3","what":"signed in"`, `"what":"made someone an admin"`,
		`"what":"made someone an owner"`} {
		if !strings.Contains(body, want) {
			t.Errorf("got %s; want %s in it", body, want)
		}
	}
	d.want(http.StatusForbidden, d.send(call{method: "POST", path: "/channels/connect", session: d.signIn(77)}))
}

func TestTheSetUpLinkIsPrintedUntilSomebodySignsIn(t *testing.T) {
	s, cfg := newStore(t), config.Config{}
	cfg.Telegram.Owners, cfg.Telegram.Token = []int64{8}, testToken
	var out bytes.Buffer
	for range 2 { // a start, and another before anybody used the link
		out.Reset()
		if err := command.SetUpLink(t.Context(), s, cfg, &out); err != nil {
			t.Fatal(err)
		}
	}
	_, token, _ := strings.Cut(strings.TrimSpace(out.String()), "/login/")
	write(t, s, func(tx *store.Tx) error {
		admin, err := tx.SpendLink(hashOf(token), hashOf("session"))
		if admin != 8 {
			t.Errorf("got a link of %d; want the owner's", admin)
		}
		return err
	})
	out.Reset()
	if err := command.SetUpLink(t.Context(), s, cfg, &out); err != nil || out.Len() != 0 {
		t.Errorf("got %q, %v; want nothing printed once somebody has signed in", &out, err)
	}
	for _, missing := range []config.Config{{}, cfg} { // without a token, and without an owner
		missing.Telegram.Owners = nil
		out.Reset()
		if err := command.SetUpLink(t.Context(), s, missing, &out); err != nil || !strings.Contains(out.String(), "set up your bot") {
			t.Errorf("got %q, %v; want a link as long as the bot is not set up", &out, err)
		}
	}
	write(t, s, func(tx *store.Tx) error { return tx.Appoint(store.Admin{ID: 5, Owner: true}, 0, store.ByPage) })
	out.Reset()
	cfg.Telegram.Owners = nil
	if err := command.SetUpLink(t.Context(), s, cfg, &out); err != nil || out.Len() != 0 {
		t.Errorf("got %q, %v; want nothing printed once there is an owner", &out, err)
	}
}
