// Who may do what: every route, by who asks and what for.

package main

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/outage"
	"retake.example/internal/store"
)

// right is what becomes of a request of a stranger, of an admin who did not make the video, of the admin who made it,
// and of an owner.
type right struct {
	form, json [4]int // status
	changes    [4]bool
	body       string      // of the request; ID: that of the video
	finished   bool        // ID is a finished video's; otherwise a failed one's
	scope      store.Scope // that a token needs; "": read for GET, everything for POST
}

// noToken is the scope of a route that no token opens.
const noToken store.Scope = "none"

var (
	everybody = right{form: [4]int{200, 200, 200, 200}, json: [4]int{200, 200, 200, 200}}
	admins    = right{form: [4]int{303, 200, 200, 200}, json: [4]int{401, 200, 200, 200}}
	adminsDo  = right{
		form:    [4]int{303, 303, 303, 303},
		json:    [4]int{401, 200, 200, 200},
		changes: [4]bool{false, true, true, true},
	}
	ownersSee = right{form: [4]int{303, 403, 403, 200}, json: [4]int{401, 403, 403, 200}}
	ownersDo  = right{
		form:    [4]int{303, 403, 403, 303},
		json:    [4]int{401, 403, 403, 200},
		changes: [4]bool{false, false, false, true},
	}
	makersSee = right{form: [4]int{303, 403, 200, 200}, json: [4]int{401, 403, 200, 200}}
	makersDo  = right{
		form:    [4]int{303, 403, 303, 303},
		json:    [4]int{401, 403, 200, 200},
		changes: [4]bool{false, false, true, true},
	}
)

func (r right) of(body string) right { r.body = body; return r }
func (r right) ready() right         { r.finished = true; return r }

// by is for a token of a scope, or a larger one.
func (r right) by(scope store.Scope) right { r.scope = scope; return r }

// rights has every route. HEAD has the rights of GET.
var rights = map[string]right{
	"GET /healthz":      everybody,
	"GET /readyz":       everybody,
	"GET /static/*":     everybody,
	"GET /login":        everybody,
	"GET /login/:token": everybody,
	"POST /language":    {form: [4]int{303, 303, 303, 303}, json: [4]int{200, 200, 200, 200}, body: "lang=ru"},
	"POST /login/:token": {
		form:    [4]int{303, 303, 303, 303},
		json:    [4]int{303, 303, 303, 303},
		changes: [4]bool{true, true, true, true},
	},

	"GET /":                   admins,
	"GET /assets/:id":         admins,
	"GET /activity":           admins,
	"GET /metrics":            admins,
	"GET /settings":           admins,
	"GET /templates/:picture": admins,
	"GET /media/:id":          admins.ready(),
	"GET /thumbs/:id":         admins.ready(),
	"GET /retry-all":          admins,
	"GET /attention":          admins,
	"GET /statistics":         admins,
	"GET /statistics.csv":     admins,
	"GET /selection":          admins,
	"GET /bin":                admins,

	// Nobody is told that a backup is not there who may not see any: the office of this test makes none.
	"GET /backups": {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404},
		scope: store.ScopeEverything},
	"GET /configuration":  ownersSee,
	"POST /configuration": ownersDo.of("limits.per_day=31"),
	"POST /backups":       {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}, body: "do=make"},
	// The office of this test has nothing to set up, and no bot to ask Telegram about.
	"GET /setup":  {form: [4]int{303, 403, 403, 303}, json: [4]int{401, 403, 403, 404}},
	"POST /setup": {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}, body: "do=code"},
	"GET /bot":    {form: [4]int{303, 409, 409, 409}, json: [4]int{401, 409, 409, 409}},
	"POST /bot":   {form: [4]int{303, 403, 403, 409}, json: [4]int{401, 403, 403, 409}, body: "name=x"},
	// requests of this test come from another machine
	"GET /debug/pprof/:profile": {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}},
	// The same of templates: the office of this test has no shelf.
	"GET /templates":           {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}},
	"POST /templates":          {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}, body: "do=offer&id=x"},
	"GET /studio":              {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}},
	"POST /studio":             {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}, body: "title=x"},
	"GET /studio/:id":          {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}},
	"POST /studio/:id":         {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}, body: "do=save"},
	"POST /studio/:id/files":   {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}, body: "title=x"},
	"GET /studio/:id/film":     {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}},
	"GET /studio/:id/trial/:f": {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}},
	"GET /texts":               ownersSee,
	"GET /texts/:key":          ownersSee,
	"POST /texts/:key":         ownersDo.of("lang=ru&text_other=Вот!"),
	"GET /announcements":       ownersSee,
	// The office of this test has written none.
	"GET /announcements/:id":  {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}},
	"POST /announcements/:id": {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}, body: "do=start"},
	"POST /selection": {form: [4]int{303, 422, 303, 303}, json: [4]int{401, 422, 200, 200},
		changes: makersDo.changes, body: "ids=ID", finished: true},
	// the page says of each video why it cannot be published
	"POST /selection/publish": {form: [4]int{303, 422, 303, 303}, json: [4]int{401, 422, 200, 200},
		changes: makersDo.changes, body: "ids=ID&to=1&title.ID=x&made_for_kids=no", finished: true,
		scope: store.ScopePublish},
	"POST /bin":    {form: [4]int{303, 404, 404, 404}, json: [4]int{401, 404, 404, 404}, body: "do=restore&id=ID"},
	"GET /admins":  ownersSee.by(noToken),
	"POST /admins": ownersDo.of("do=add&id=55").by(noToken),
	"GET /tokens":  ownersSee.by(noToken),
	"POST /tokens": {form: [4]int{303, 403, 403, 200}, json: ownersDo.json, changes: ownersDo.changes,
		body: "do=make&title=x&scope=read", scope: noToken}, // the page shows it, once
	// no page that could send anybody to the door
	"GET /events": {form: [4]int{401, 200, 200, 200}, json: admins.json},

	"POST /assets":            adminsDo.of("name=Эва").by(store.ScopeMake),
	"POST /logout":            adminsDo.by(noToken),
	"POST /logout-everywhere": adminsDo.by(noToken),
	"POST /try-now":           adminsDo.by(store.ScopeMake),
	"POST /take-over":         {form: [4]int{303, 403, 403, 409}, json: [4]int{401, 403, 403, 409}},
	"POST /trust-clock":       {form: [4]int{303, 403, 403, 409}, json: [4]int{401, 403, 403, 409}},
	"POST /purge":             {form: [4]int{303, 403, 403, 409}, json: [4]int{401, 403, 403, 409}},
	"POST /unanswered":        ownersDo,
	"POST /held":              ownersDo.of("send=no"),
	"POST /wishes":            ownersDo.of("take=no"),
	"GET /advance":            admins,
	"POST /farm/drain": {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404},
		body: "take=no&worker=x"}, // no farm is there
	"POST /advance": {
		form:    [4]int{303, 403, 403, 200}, // the page with what came of the list
		json:    ownersDo.json,
		changes: ownersDo.changes,
		body:    "names=Эва",
		scope:   store.ScopeMake,
	},
	"POST /advance/stop":     ownersDo.by(store.ScopeMake),
	"POST /advance/withdraw": ownersDo.by(store.ScopeMake),
	"POST /assets/:id/block": {form: [4]int{303, 403, 403, 404}, json: [4]int{401, 403, 403, 404}}, // nobody has asked for it
	"GET /upload":            admins,
	// a file would be taken
	"POST /uploads": {form: [4]int{303, 422, 422, 422}, json: [4]int{401, 422, 422, 422}, body: "title=x",
		scope: store.ScopeMake},

	"GET /assets/:id/publish":    makersSee.ready(),
	"POST /assets/:id/publish":   makersDo.of("youtube=yes&title=x&made_for_kids=no").ready().by(store.ScopePublish),
	"POST /assets/:id/published": makersDo.of("platform=RUMBLE&url=https://rumble.com/v1.html").ready().by(store.ScopePublish),
	"POST /assets/:id/update":    makersDo.of("platform=RUMBLE").ready().by(store.ScopePublish),
	"GET /assets/:id/unpublish":  makersSee.ready(),
	"POST /assets/:id/unpublish": makersDo.of("platform=RUMBLE").ready().by(store.ScopePublish),

	"GET /scheduled":                admins,
	"GET /channels":                 admins,
	"GET /channels/callback":        {form: ownersDo.form, json: ownersDo.json, changes: ownersDo.changes, scope: noToken},
	"POST /channels/connect":        {form: ownersDo.form, json: ownersDo.json, scope: noToken}, // Google is asked first
	"POST /channels/:id/check":      ownersDo,
	"POST /channels/:id/defaults":   ownersDo.of("privacy=public"),
	"GET /channels/:id/disconnect":  ownersSee,
	"POST /channels/:id/disconnect": ownersDo,

	"POST /assets/:id/retry":    makersDo.by(store.ScopeMake),
	"POST /assets/:id/metadata": makersDo.of("title=x&made_for_kids=no").ready().by(store.ScopePublish),
	"GET /assets/:id/delete":    makersSee,
	"POST /assets/:id/delete":   makersDo,
	// Nothing of it is theirs, so there is nothing to do for the one who did not make it.
	"POST /retry-all": {
		form:    [4]int{303, 303, 303, 303},
		json:    [4]int{401, 409, 200, 200},
		changes: makersDo.changes,
		body:    "count=1&newest=ID",
		scope:   store.ScopeMake,
	},
}

// TestEveryRouteGivesEachTheirRights fails for a route that nobody has thought about.
func TestEveryRouteGivesEachTheirRights(t *testing.T) {
	var d *office
	var failed, finished string
	var sessions [4]string
	var tokens [4]string // of the owner, by scope
	arrange := func() {
		d = newDesk(t, "http://localhost:8080")
		madeByAdmin(t, d.store, 7, "Маша", "маша")
		failed = failForGood(t, d.queue).AssetID
		madeByAdmin(t, d.store, 7, "Ева", "ева")
		finished = d.filmed("video", "thumb").AssetID
		d.channel("UC1", "Our greetings")
		mutate(
			t,
			d.store,
			`INSERT INTO publications (asset_id, platform, creator, created, step) VALUES (?, 'RUMBLE', 7, 0, 'manual')`,
			finished,
		)
		mutate(t, d.store, `INSERT INTO advance (name, name_key, template, lang, creator, created)
			VALUES ('Яна', 'яна', 'new-year', 'ru', 8, 0)`)
		mutate(t, d.store, `UPDATE assets SET advance = 1 WHERE id = ?`, finished)
		d.queue.outages = outage.New(2, time.Hour, probeEvery)
		d.queue.outages.Resume(time.Now(), "no connection")
		mutate(t, d.store, `INSERT INTO inbox (update_id, chat_id, raw, received, restore_hold) VALUES (1, 1, '{}', 0, 1)`)
		mutate(t, d.store, `INSERT INTO inbox (update_id, chat_id, raw, received, error, set_aside)
			VALUES (2, 2, '{}', 0, 'telegram_refused', 1)`)
		sessions = [4]string{"", d.session(9), d.session(7), d.session(8)}
		for i, scope := range store.Scopes {
			tokens[i] = d.token(8, scope)
		}
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
				sent := call{
					method:  route.Method,
					session: sessions[i],
					json:    asJSON,
					body:    strings.ReplaceAll(want.body, "ID", id),
					path:    pathOf(path, id),
				}
				w := d.begin(sent)
				status, changed := want.form[i], d.tables() != before
				if asJSON {
					status = want.json[i]
				}
				if w.Code != status || changed != want.changes[i] {
					t.Errorf(
						"%s %s by %s, JSON %v: got %d, changed %v; want %d, %v",
						route.Method,
						route.Path,
						who,
						asJSON,
						w.Code,
						changed,
						status,
						want.changes[i],
					)
				}
				if asJSON && route.Method != http.MethodHead && status >= 400 {
					if code := refused(t, w.Body.String()); code != map[int]string{401: "UNAUTHORIZED", 403: "FORBIDDEN",
						404: "NOT_FOUND", 409: "NOT_FAILED", 422: "INVALID"}[status] && code != desk.NoClient.Code {
						t.Errorf("%s %s by %s: got code %s", route.Method, route.Path, who, code)
					}
				}
				if to := w.Header().Get("Location"); i == 0 && status == 303 && !slices.Contains(public, route.Path) &&
					to != "/login" {
					t.Errorf("%s %s by a stranger: got sent to %q; want /login", route.Method, route.Path, to)
				}
				if changed {
					arrange()
				}
			}
		}
		if slices.Contains(public, route.Path) { // tokens are not asked for
			continue
		}
		for i, scope := range store.Scopes {
			opens := slices.Index(store.Scopes, scope) >= slices.Index(store.Scopes, want.needs(route.Method))
			if want.scope == noToken {
				opens = false
			}
			before := d.tables()
			id := failed
			if want.finished {
				id = finished
			}
			w := d.begin(call{
				method: route.Method,
				path:   pathOf(route.Path, id),
				body:   strings.ReplaceAll(want.body, "ID", id),
				header: map[string]string{"Authorization": "Bearer " + tokens[i]},
			})
			status, changes := want.json[3], want.changes[3] && opens
			if !opens {
				status = 403
			}
			// that a token was used is written once an hour
			changed := d.tables() != before
			if w.Code != status || changed != changes || strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				t.Errorf("%s %s by a token to %s: got %d, changed %v, %s; want %d, %v, and no page", route.Method,
					route.Path, scope, w.Code, changed, w.Header().Get("Content-Type"), status, changes)
			}
			if !opens && route.Method != http.MethodHead && refused(t, w.Body.String()) != "WRONG_SCOPE" {
				t.Errorf("%s %s by a token to %s: got %s; want WRONG_SCOPE", route.Method, route.Path, scope, w.Body)
			}
			if changed {
				arrange()
			}
		}
	}
	for key := range rights {
		if !seen[key] {
			t.Errorf("%s is no route any more: take it out of rights", key)
		}
	}
}

// needs is the scope that a token needs for a method.
func (r right) needs(method string) store.Scope {
	switch {
	case r.scope != "":
		return r.scope
	case method == http.MethodPost:
		return store.ScopeEverything
	}
	return store.ScopeRead
}

// pathOf is a path of a route.
func pathOf(route, id string) string {
	return strings.NewReplacer("/channels/:id", "/channels/1", "/selection/publish", "/selection/publish", "/selection",
		"/selection?do=delete&id="+id,
		"/:id/unpublish", "/"+id+"/unpublish?platform=RUMBLE", ":id", id, ":key", "done", ":picture", "new-year.jpg", "*", "style.css").
		Replace(route)
}

// token makes a token that has just been used.
func (d *office) token(admin int64, scope store.Scope) string {
	d.t.Helper()
	token := "retake_" + strings.Repeat("x", 43-len(scope)) + string(scope)
	write(d.t, d.store, func(tx *store.Tx) error {
		return errors.Join(tx.SaveToken(hashOf(token), admin, string(scope), scope, 0), tx.UsedToken(hashOf(token)))
	})
	return token
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
	who := d.as(c.session)
	if token := c.header["Authorization"]; token != "" {
		who = "Authorization: " + token
	}
	resp, body := d.raw(address, c.method, c.path, who, accept)
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
			if !strings.Contains(route.Path, ":id") || route.Method == http.MethodHead ||
				admin != 8 && (strings.HasPrefix(route.Path, "/channels/") || strings.HasPrefix(route.Path, "/studio/") ||
					strings.HasPrefix(route.Path, "/announcements/") || strings.HasSuffix(route.Path, "/block")) {
				continue // channels, templates, announcements and bans are the owners' business
			}
			path := strings.ReplaceAll(route.Path, ":id", store.NewID())
			if body := d.want(404, d.send(call{method: route.Method, path: path, session: session})); !strings.Contains(
				body,
				voice("en")(desk.NotFound.ID, nil),
			) {
				t.Errorf("%s %s: got %s; want words", route.Method, route.Path, body)
			}
			if code := refused(t, d.want(404, d.send(call{method: route.Method, path: path, session: session,
				json: true}))); code != "NOT_FOUND" {
				t.Errorf("%s %s: got code %s; want NOT_FOUND", route.Method, route.Path, code)
			}
		}
	}
}

func TestAPublicationIsRetriedByTheAdminWhoAskedForItOrAnOwner(t *testing.T) {
	for admin, want := range map[int64][2]int{7: {303, 200}, 8: {303, 200}, 9: {403, 403}} {
		for i, asJSON := range []bool{false, true} {
			d := newDesk(t, "http://localhost:8080")
			id := publication(t, d.store, failedPublication) // of admin 7
			w := d.send(
				call{
					method:  "POST",
					path:    "/assets/" + id + "/retry",
					session: d.signIn(admin),
					body:    "platform=YOUTUBE",
					json:    asJSON,
				},
			)
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
	if page := d.want(200, d.send(call{method: "GET", path: "/assets/" + id, session: session})); strings.Contains(
		page,
		"Retry Failed",
	) {
		t.Errorf("got %s; want no button", page)
	}
	d.want(403, d.send(call{method: "POST", path: "/assets/" + id + "/retry", session: session}))
	d.admins[8] = store.Admin{ID: 8, Owner: true}
	d.want(303, d.send(call{method: "POST", path: "/assets/" + id + "/retry", session: session}))
}
