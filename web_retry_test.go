// Tests of retrying on the page: one video, all of them, and what the page says before and after.

package main

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/retry"
	"retake.example/internal/store"
)

func TestRetryOnThePage(t *testing.T) {
	for _, c := range []struct {
		name     string
		arrange  func(t *testing.T, d *office) (id string)
		admin    int64
		platform string
		status   int
		word     string // outcome, or code of the error
	}{
		{"a failed video is tried again for everybody", func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1, 2)
			failForGood(t, d.queue)
			return a.ID
		}, 8, "", 200, "restarted"},
		{"an admin who made it may try it again", func(t *testing.T, d *office) string {
			w := d.send(call{method: "POST", path: "/assets", session: d.signIn(7), body: "name=Маша", json: true})
			d.want(200, w)
			return failForGood(t, d.queue).AssetID
		}, 7, "", 200, "restarted"},
		{"an admin who did not make it may not", func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			return a.ID
		}, 7, "", 403, "FORBIDDEN"},
		{"a video under way is joined", func(t *testing.T, d *office) string { return ask(t, d.store, "Маша", 1).ID }, 8, "",
			200, "joined"},
		{"a finished video is not failed", func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			d.filmed("v", "t")
			return a.ID
		}, 8, "", 409, "NOT_FAILED"},
		{"a video that is not there is not found", func(*testing.T, *office) string { return store.NewID() }, 8, "", 404,
			"NOT_FOUND"},
		{"a failed publication is tried again", func(t *testing.T, d *office) string {
			return publication(t, d.store, failedPublication)
		}, 8, "YOUTUBE", 200, "restarted"},
		{"a platform it is not on is not found", func(t *testing.T, d *office) string {
			return publication(t, d.store, failedPublication)
		}, 8, "RUMBLE", 404, "NOT_FOUND"},
		{"a published video is not failed", func(t *testing.T, d *office) string {
			return publication(t, d.store, completedPublication)
		}, 8, "YOUTUBE", 409, "NOT_FAILED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, err := json.Marshal(map[string]string{"platform": c.platform})
			if err != nil {
				t.Fatal(err)
			}
			for kind, sent := range map[string]call{
				"JSON":                     {body: string(body), json: true},
				"JSON, any answer":         {body: string(body), header: map[string]string{"Accept": "*/*"}},
				"a form that asks for one": {body: "platform=" + c.platform, json: true},
			} {
				d := newDesk(t, "http://localhost:8080")
				sent.method, sent.path, sent.session = "POST", "/assets/"+c.arrange(t, d)+"/retry", d.signIn(c.admin)
				got := d.want(c.status, d.send(sent))
				if c.status == 200 && strings.TrimSpace(got) != `{"success":true,"outcome":"`+c.word+`"}` ||
					c.status != 200 && refused(t, got) != c.word {
					t.Errorf("%s: got %s; want %s", kind, got, c.word)
				}
			}

			d := newDesk(t, "http://localhost:8080")
			w := d.send(
				call{
					method:  "POST",
					path:    "/assets/" + c.arrange(t, d) + "/retry",
					session: d.signIn(c.admin),
					body:    "platform=" + c.platform,
				},
			)
			if c.status != 200 {
				if got := d.want(c.status, w); !strings.Contains(got, `href="/"`) || strings.Contains(got, c.word) {
					t.Errorf("got %s; want words and a way back", got)
				}
				return
			}
			d.want(303, w)
			page := d.want(200, d.send(call{method: "GET", path: w.Header().Get("Location"), session: d.signIn(8)}))
			if notice := desk.Notice(voice("en"), url.Values{"notice": {c.word}}); notice == "" ||
				!strings.Contains(page, html.EscapeString(notice)) {
				t.Errorf("got %s; want the notice %q", page, notice)
			}
		})
	}
}

func TestRetryFailedReachesEverybodyAffected(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1, 2, 3)
	failForGood(t, d.queue)
	session := d.signIn(8)
	for _, outcome := range []string{"restarted", "joined", "joined"} {
		if got := d.want(200, d.send(call{method: "POST", path: "/assets/" + a.ID + "/retry", session: session,
			json: true})); !strings.Contains(
			got,
			outcome,
		) {
			t.Errorf("got %s; want %s", got, outcome)
		}
	}
	if n := count(t, d.store, `SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE a.retry_of = ?
		AND a.status = 'PENDING'`, a.ID); n != 3 {
		t.Errorf("got %d people on the new video; want 3", n)
	}
}

// needing makes what TestRetryAll begins with, oldest failure first: two videos of users, the second with a successor
// that failed, too; one of admin 7; one of admin 9 with the name of the first, which two more people asked for.
func needing(t *testing.T, d *office) (ids map[string]string) {
	t.Helper()
	began := time.Now()
	ids = map[string]string{}
	failed := func(name string) {
		began = began.Add(time.Second)
		setNow(d.store, func() time.Time { return began })
		ids[name] = failForGood(t, d.queue).AssetID
	}
	ask(t, d.store, "Маша", 1, 2)
	failed("first")
	ask(t, d.store, "Лев", 2, 3)
	failed("head")
	if _, err := d.queue.Retry(t.Context(), ids["head"], retry.ButtonPressed{User: 3, Chat: 3}); err != nil {
		t.Fatal(err)
	}
	failed("tail")
	madeByAdmin(t, d.store, 7, "Ева", "ева")
	failed("seven")
	madeByAdmin(t, d.store, 9, "Маша", "маша")
	ask(t, d.store, "Маша", 4, 5)
	failed("nine")
	began = began.Add(time.Second)
	return ids
}

// shown is the form of the page that asks.
func (d *office) shown(session string) (form url.Values) {
	d.t.Helper()
	page := d.want(200, d.send(call{method: "GET", path: "/retry-all", session: session}))
	form = url.Values{}
	for _, field := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="(\w*)">`).
		FindAllStringSubmatch(page, -1) {
		form.Set(field[1], field[2])
	}
	return form
}

// needsOf is what the library says to an admin, which must be the same in JSON.
func (d *office) needsOf(session string) (n int) {
	d.t.Helper()
	var got struct {
		NeedYou store.RetryNeeds `json:"need_you"`
	}
	if err := json.Unmarshal([]byte(d.want(200, d.send(call{method: "GET", path: "/", session: session, json: true}))),
		&got); err != nil {
		d.t.Fatal(err)
	}
	page := d.want(200, d.send(call{method: "GET", path: "/", session: session}))
	if found := regexp.MustCompile(`<strong>(\d+) videos? needs? your attention\.</strong>`).FindStringSubmatch(
		page); found != nil {
		fmt.Sscan(found[1], &n)
	}
	if n != got.NeedYou.Count || n > 0 != strings.Contains(page, `href="/retry-all"`) {
		d.t.Errorf("got %d on the page and %d in JSON; want the same, and a link if there are any", n, got.NeedYou.Count)
	}
	return n
}

func TestRetryAll(t *testing.T) {
	for _, c := range []struct {
		name   string
		admin  int64
		before func(t *testing.T, d *office, ids map[string]string, form url.Values) // between the question and the press
		need   int                                                                   // in the library, before
		status int
		answer string // JSON, or code of the error
		notice string
		left   int            // in the library, after
		then   map[string]int // queries and the number each must give
	}{
		{"an owner retries all of them", 8, nil, 4, 200,
			`{"success":true,"outcome":"restarted","restarted":3,"joined":1,"skipped":0}`,
			"3 videos are being tried again. 1 was on its way already.", 0, map[string]int{
				`SELECT count(*) FROM assets WHERE status = 'PENDING'`: 3,
				`SELECT count(*) FROM jobs WHERE kind = 'RENDER'`:      3,
				`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.status = 'PENDING' AND a.name = ` +
					`'Маша'`: 4,
				`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.status = 'PENDING' AND a.name = 'Лев'
					AND user_id IN (2, 3)`: 2,
				`SELECT count(*) FROM requests WHERE status = 'PENDING'`:                                    6,
				`SELECT count(*) FROM audit WHERE admin = 8 AND action = 'retry' AND outcome = 'restarted'`: 3,
				`SELECT count(*) FROM audit WHERE admin = 8 AND action = 'retry' AND outcome = 'joined'`:    1,
				`SELECT count(DISTINCT asset_id) FROM audit WHERE admin = 8 AND action = 'retry'`:           4,
			}},
		{"an admin retries what they made", 7, nil, 1, 200,
			`{"success":true,"outcome":"restarted","restarted":1,"joined":0,"skipped":0}`, "1 video is being tried again.", 0,
			map[string]int{
				`SELECT count(*) FROM assets WHERE status = 'PENDING' AND creator = 7`: 1,
				`SELECT count(*) FROM assets WHERE status = 'PENDING'`:                 1,
			}},
		{"what failed after the question is left alone", 8, func(t *testing.T, d *office, _ map[string]string, _ url.Values) {
			ask(t, d.store, "Аня", 6)
			failForGood(t, d.queue)
		}, 4, 200, `{"success":true,"outcome":"restarted","restarted":3,"joined":1,"skipped":0}`,
			"3 videos are being tried again. 1 was on its way already.", 1,
			map[string]int{`SELECT count(*) FROM assets WHERE name = 'Аня'`: 1}},
		{"what failed after the question does not take the place of what was retried since", 8,
			func(t *testing.T, d *office, ids map[string]string, _ url.Values) {
				ask(t, d.store, "Аня", 6)
				failForGood(t, d.queue)
				if _, err := d.queue.Retry(t.Context(), ids["seven"],
					retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
					t.Fatal(err)
				}
			}, 4, 200, `{"success":true,"outcome":"restarted","restarted":2,"joined":1,"skipped":0}`,
			"2 videos are being tried again. 1 was on its way already.", 1,
			map[string]int{`SELECT count(*) FROM assets WHERE name = 'Аня'`: 1}},
		{"no more than were shown are retried, the oldest failures first", 8,
			func(_ *testing.T, _ *office, _ map[string]string, form url.Values) {
				form.Set("count", "2")
			}, 4, 200, `{"success":true,"outcome":"restarted","restarted":2,"joined":0,"skipped":0}`,
			"2 videos are being tried again.", 2,
			map[string]int{`SELECT count(*) FROM assets WHERE status = 'PENDING' AND name IN ('Маша', 'Лев')`: 2}},
		{"what was retried since the question is not retried again", 8,
			func(t *testing.T, d *office, ids map[string]string, _ url.Values) {
				for _, name := range []string{"first", "seven"} {
					if _, err := d.queue.Retry(t.Context(), ids[name],
						retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
						t.Fatal(err)
					}
				}
			}, 4, 200, `{"success":true,"outcome":"restarted","restarted":1,"joined":1,"skipped":0}`,
			"1 video is being tried again. 1 was on its way already.", 0, map[string]int{
				`SELECT count(*) FROM assets WHERE status = 'PENDING'`: 3,
				`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.status = 'PENDING' AND a.name = ` +
					`'Маша'`: 4,
			}},
		{"nothing is left after another admin's press", 8,
			func(t *testing.T, d *office, _ map[string]string, form url.Values) {
				d.want(200, d.send(call{method: "POST", path: "/retry-all", session: d.signIn(8), body: form.Encode(), json: true}))
			}, 4, 409, "NOT_FAILED", "None of these is left to try again: they are on their way already, or gone.", 0,
			map[string]int{`SELECT count(*) FROM assets WHERE status = 'PENDING'`: 3, `SELECT count(*) FROM audit
				WHERE action = 'retry' AND admin = 8`: 4}},
		{"nothing is done when nobody can tell what was shown", 8,
			func(_ *testing.T, _ *office, _ map[string]string, form url.Values) {
				form.Set("newest", store.NewID())
			}, 4, 409, "NOT_FAILED", "None of these is left", 4, map[string]int{`SELECT count(*) FROM assets
				WHERE status = 'PENDING'`: 0}},
		{"a press without a number is refused", 8, func(_ *testing.T, _ *office, _ map[string]string, form url.Values) {
			form.Del("count")
		}, 4, 422, "INVALID", "", 4, map[string]int{`SELECT count(*) FROM assets WHERE status = 'PENDING'`: 0}},
		{"a press for none is refused", 8, func(_ *testing.T, _ *office, _ map[string]string,
			form url.Values) {
			form.Set("count", "0")
		},
			4, 422, "INVALID", "", 4, map[string]int{`SELECT count(*) FROM assets WHERE status = 'PENDING'`: 0}},
		{"a press without the newest is refused", 8,
			func(_ *testing.T, _ *office, _ map[string]string, form url.Values) { form.Del("newest") },
			4, 422, "INVALID", "", 4, map[string]int{`SELECT count(*) FROM assets WHERE status = 'PENDING'`: 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, kind := range []string{"a form", "JSON", "a form that asks for JSON"} {
				d := newDesk(t, "http://localhost:8080")
				ids := needing(t, d)
				session := d.signIn(c.admin)
				if n := d.needsOf(session); n != c.need {
					t.Errorf("%s: got %d that need the admin; want %d", kind, n, c.need)
				}
				form := d.shown(session)
				if c.before != nil {
					c.before(t, d, ids, form)
				}
				sent := call{method: "POST", path: "/retry-all", session: session, body: form.Encode(), json: kind != "a form"}
				if kind == "JSON" {
					fields := map[string]string{}
					for name := range form {
						fields[name] = form.Get(name)
					}
					b, err := json.Marshal(fields)
					if err != nil {
						t.Fatal(err)
					}
					sent.body = string(b)
				}
				w := d.send(sent)
				switch {
				case sent.json && c.status == 200:
					if got := strings.TrimSpace(d.want(200, w)); got != c.answer {
						t.Errorf("%s: got %s; want %s", kind, got, c.answer)
					}
				case sent.json:
					if got := refused(t, d.want(c.status, w)); got != c.answer {
						t.Errorf("%s: got %s; want %s", kind, got, c.answer)
					}
				case c.notice == "":
					if got := d.want(c.status, w); !strings.Contains(got, `href="/"`) {
						t.Errorf("got %s; want words and a way back", got)
					}
				default:
					d.want(303, w)
					if page := d.want(200, d.send(call{method: "GET", path: w.Header().Get("Location"),
						session: session})); !strings.Contains(
						page,
						c.notice,
					) {
						t.Errorf("got %s; want the notice %q", page, c.notice)
					}
				}
				if n := d.needsOf(session); n != c.left {
					t.Errorf("%s: got %d that need the admin afterwards; want %d", kind, n, c.left)
				}
				for query, want := range c.then {
					if got := count(t, d.store, query); got != want {
						t.Errorf("%s: %s: got %d; want %d", kind, query, got, want)
					}
				}
			}
		})
	}
}

func TestThePageThatAsksSaysWhatWillHappen(t *testing.T) {
	for name, c := range map[string]struct {
		arrange func(t *testing.T, d *office)
		admin   int64
		has     []string
		lacks   []string
	}{
		"one video that nobody waits for": {func(t *testing.T, d *office) {
			madeByAdmin(t, d.store, 7, "Ева", "ева")
			failForGood(t, d.queue)
		}, 7, []string{"Try 1 video again?", "Nobody is waiting for it.", "<li>Ева</li>", "Retry 1 video</button>",
			`<a class="btn" href="/">Back</a>`}, []string{"more"}},
		"each person is counted once, and not if no message reaches them": {func(t *testing.T, d *office) {
			needing(t, d)
			mutate(t, d.store, `UPDATE users SET unreachable = 1 WHERE id = 5`)
		}, 8, []string{"Try 4 videos again?", "<strong>4 people</strong> are waiting and will be notified.",
			"Retry 4 videos</button>"}, []string{"more"}},
		"somebody who has asked again since is not counted": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1, 2)
			failForGood(t, d.queue)
			ask(t, d.store, "Маша", 1)
		}, 8, []string{"Try 1 video again?", "<strong>1 person</strong> is waiting and will be notified."}, nil},
		"eleven videos": {func(t *testing.T, d *office) {
			for i := range int64(11) {
				ask(t, d.store, "Имя "+strings.Repeat("я", int(i)+1), i+1)
				failForGood(t, d.queue)
			}
		}, 8, []string{"Try 11 videos again?", "and 1 more", "<strong>11 people</strong>"}, nil},
		"a name that tries to be something else": {func(t *testing.T, d *office) {
			ask(t, d.store, hostile[0], 1)
			failForGood(t, d.queue)
		}, 8, []string{"<li>" + html.EscapeString(hostile[0]) + "</li>"}, []string{"<script>"}},
		"an admin sees only their own": {func(t *testing.T, d *office) { needing(t, d) }, 7,
			[]string{"Try 1 video again?", "<li>Ева</li>"}, []string{"Маша", "Лев"}},
		"a failure whose people have all gone on to a video of that name": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			ask(t, d.store, "Маша", 1)
			d.filmed("v", "t")
		}, 8, []string{"Nothing needs you", `href="/"`}, []string{"<form method=\"post\" action=\"/retry-all\"", "Маша"}},
		"nothing has failed": {func(t *testing.T, d *office) { ask(t, d.store, "Маша", 1) }, 8, []string{"Nothing needs you"},
			[]string{"Маша"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			c.arrange(t, d)
			page := d.want(200, d.send(call{method: "GET", path: "/retry-all", session: d.signIn(c.admin)}))
			for _, want := range c.has {
				if !strings.Contains(page, want) {
					t.Errorf("got %s; want %q in it", page, want)
				}
			}
			for _, not := range c.lacks {
				if strings.Contains(page, not) {
					t.Errorf("got %s; want no %q in it", page, not)
				}
			}
		})
	}
}

// TestASearchStaysWhileItIsRetried goes from a library that was searched to the press, as a browser does.
func TestASearchStaysWhileItIsRetried(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	needing(t, d)
	session := d.signIn(8)
	page := d.want(200, d.send(call{method: "GET", path: "/?q=маш", session: session}))
	link := regexp.MustCompile(`href="(/retry-all[^"]*)"`).FindStringSubmatch(page)
	if link == nil || !strings.Contains(page, "2 videos need your attention.") {
		t.Fatalf("got %s; want the notice of the two that were found", page)
	}
	form := url.Values{}
	page = d.want(200, d.send(call{method: "GET", path: html.UnescapeString(link[1]), session: session}))
	for _, field := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`).
		FindAllStringSubmatch(page, -1) {
		form.Set(field[1], html.UnescapeString(field[2]))
	}
	if !strings.Contains(page, `href="/?q=%D0%BC%D0%B0%D1%88">Back</a>`) {
		t.Errorf("got %s; want the way back to what was found", page)
	}
	form.Set("count", "100") // more than was found: the search alone keeps the others out
	got := d.want(200, d.send(call{method: "POST", path: "/retry-all", session: session, json: true, body: form.Encode()}))
	if n := count(t, d.store, `SELECT count(*) FROM assets WHERE status = 'PENDING' AND name_key <> 'маша'`); n != 0 ||
		!strings.Contains(got, `"skipped":0`) {
		t.Errorf("got %s and %d others tried again; want only what was found", got, n)
	}
	if n := count(t, d.store, `SELECT count(*) FROM assets WHERE status = 'PENDING' AND name_key = 'маша'`); n == 0 {
		t.Errorf("got nothing tried again; want what was found")
	}
}

func TestOnlyWhatTheFilterShowsIsRetried(t *testing.T) {
	for name, c := range map[string]struct {
		f    store.Filter
		want int
	}{
		"no filter means what has failed":     {store.Filter{}, 4},
		"the failed ones":                     {store.Filter{Status: store.Failed}, 4},
		"a page further on is no less":        {store.Filter{After: "nobody", Limit: 1}, 4},
		"a name":                              {store.Filter{Search: "маш"}, 2},
		"a name that is not there":            {store.Filter{Search: "зоя"}, 0},
		"a status that has nothing to retry":  {store.Filter{Status: store.Completed}, 0},
		"a name and another status than that": {store.Filter{Status: store.Pending, Search: "маш"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			newest, owner := needing(t, d)["nine"], store.Admin{ID: 8, Owner: true}
			if n, err := d.store.NeedYou(t.Context(), owner, c.f); err != nil || n.Count != c.want || len(n.Names) != c.want {
				t.Errorf("got %+v, %v; want %d", n, err, c.want)
			}
			if got, err := retry.All(t.Context(), d.store, d.queue, owner, c.f, newest, 100); err != nil ||
				got.Restarted+got.Joined != c.want {
				t.Errorf("got %+v, %v; want %d", got, err, c.want)
			}
		})
	}
}

func TestRetryAllOfPublications(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	failed := func(name string) string {
		id := publishes(t, d.store, connected(t, d.store, "UC1"), name)
		mutate(
			t,
			d.store,
			`UPDATE publications SET status = 'FAILED', error = 'youtube http503: x', completed = ? WHERE asset_id = ?`,
			time.Now().UnixMilli(),
			id,
		)
		mutate(t, d.store, `DELETE FROM jobs WHERE asset_id = ?`, id)
		return id
	}
	summer, winter := failed("Лето"), failed("Зима")
	ask(t, d.store, "Маша", 1)
	failForGood(t, d.queue)
	session := d.signIn(8)
	for _, c := range []struct {
		query               string
		count, publications int
	}{{"", 1, 2}, {"?q=зим", 0, 1}, {"?platform=YOUTUBE", 0, 2}, {"?platform=RUMBLE", 0, 0}, {"?status=COMPLETED", 0,
		2}, {"?status=FAILED", 1, 0}} {
		for _, path := range []string{"/", "/retry-all"} {
			var got struct {
				Need struct{ Count, Publications int } `json:"need_you"`
			}
			body := d.want(200, d.send(call{method: "GET", path: path + c.query, session: session, json: true}))
			if err := json.Unmarshal([]byte(body), &got); err != nil || got.Need.Count != c.count ||
				got.Need.Publications != c.publications {
				t.Errorf("%s%s: got %s, %v; want %d videos and %d publications", path, c.query, body, err, c.count, c.publications)
			}
		}
		page := d.want(200, d.send(call{method: "GET", path: "/" + c.query, session: session}))
		if link := `href="/retry-all` + strings.ReplaceAll(url.PathEscape(c.query), "%3F", "?"); c.count+c.publications > 0 &&
			!strings.Contains(page, link) &&
			c.query != "?q=зим" {
			t.Errorf("%s: got %s; want a link to %s", c.query, page, link)
		}
	}
	page := d.want(200, d.send(call{method: "GET", path: "/retry-all?q=зим", session: session}))
	if !strings.Contains(page, "Try 1 failed publication again?") {
		t.Errorf("got %s; want the question about one", page)
	}
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`).
		FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	body := d.want(
		200,
		d.send(call{method: "POST", path: "/retry-all", session: session, body: form.Encode(), json: true}),
	)
	if want := `{"success":true,"outcome":"restarted","restarted":1,"joined":0,"skipped":0}`; strings.TrimSpace(
		body,
	) != want {
		t.Errorf("got %s; want %s", body, want)
	}
	wantState(t, d.store, winter, "PENDING ")
	wantState(t, d.store, summer, "FAILED ")
	mutate(
		t,
		d.store,
		`UPDATE publications SET completed = completed + 60000 WHERE asset_id = ?`,
		summer,
	) // it failed after the question
	d.want(409, d.send(call{method: "POST", path: "/retry-all", session: session, body: form.Encode(), json: true}))
	wantState(t, d.store, summer, "FAILED ")
}

func TestRetryAllIsToldHowFarItCame(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		d := newDesk(t, "http://localhost:8080")
		needing(t, d)
		session := d.signIn(8)
		form := d.shown(session)
		mutate(
			t,
			d.store,
			`CREATE TRIGGER spoilt BEFORE INSERT ON assets WHEN new.name = 'Ева' BEGIN SELECT raise(ABORT, 'SECRET'); END`,
		)
		body := d.want(
			500,
			d.send(call{method: "POST", path: "/retry-all", session: session, body: form.Encode(), json: asJSON}),
		)
		if !strings.Contains(body, "after 3 of 4.") || strings.Contains(body, "SECRET") {
			t.Errorf("got %s; want how far it came, in neutral words", body)
		}
		if n := strings.Count(d.log.String(), "level=ERROR"); n != 1 || !strings.Contains(d.log.String(), "SECRET") ||
			strings.Contains(d.log.String(), "Ева") {
			t.Errorf("got log %s; want one line with the cause and without the name", &d.log)
		}
		if n := d.needsOf(session); n != 1 {
			t.Errorf("got %d that need the admin; want the one that was not reached", n)
		}
		mutate(t, d.store, `DROP TRIGGER spoilt`)
		d.want(303, d.send(call{method: "POST", path: "/retry-all", session: session, body: form.Encode()}))
		if n := d.needsOf(session); n != 0 {
			t.Errorf("got %d after a second press; want none", n)
		}
	}
}

func TestAVideoThatGoesDuringRetryAllIsSkipped(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	for i := range 2 {
		madeByAdmin(t, d.store, 8, "Лев", fmt.Sprint(i))
		failForGood(t, d.queue)
	}
	form := d.shown(d.signIn(8))
	// The one that is retried takes the other away, as far as Retry can see, whichever comes first.
	mutate(
		t,
		d.store,
		`CREATE TRIGGER gone AFTER INSERT ON assets BEGIN DELETE FROM assets WHERE status = 'FAILED'
			AND id <> new.retry_of; END`,
	)
	got, err := retry.All(
		t.Context(),
		d.store,
		d.queue,
		store.Admin{ID: 8, Owner: true},
		store.Filter{},
		form.Get("newest"),
		2,
	)
	if want := (retry.Tally{Outcome: retry.Restarted, Restarted: 1, Joined: 0, Skipped: 1}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

// TestManyPressesOnRetryAllMakeOneSuccessorEach has more videos than a batch, and presses that meet.
func TestManyPressesOnRetryAllMakeOneSuccessorEach(t *testing.T) {
	const videos = 2*retry.BatchSize + 50
	d := newDesk(t, "http://localhost:8080")
	for i := range int64(videos) {
		ask(t, d.store, "Имя "+strings.Repeat("я", int(i)+1), i%40+1)
		failForGood(t, d.queue)
	}
	mutate(t, d.store, `UPDATE assets SET finished = 5000`) // the ids decide
	session := d.signIn(8)
	form := d.shown(session)
	if form.Get("count") != fmt.Sprint(videos) {
		t.Errorf("got %v; want a form for %d", form, videos)
	}
	var wg sync.WaitGroup
	answers := make([]retry.Tally, 3)
	for i := range answers {
		wg.Go(func() {
			w := d.send(call{method: "POST", path: "/retry-all", session: session, body: form.Encode(), json: true})
			if err := json.Unmarshal(w.Body.Bytes(), &answers[i]); err != nil || w.Code != 200 && w.Code != 409 {
				t.Errorf("got %d %s, %v", w.Code, w.Body, err)
			}
		})
	}
	wg.Wait()
	restarted := 0
	for _, a := range answers {
		restarted += a.Restarted
	}
	for query, want := range map[string]int{
		`SELECT count(*) FROM assets WHERE retry_of IS NOT NULL`:                                    videos,
		`SELECT count(DISTINCT retry_of) FROM assets`:                                               videos,
		`SELECT count(*) FROM requests WHERE status = 'PENDING'`:                                    videos,
		`SELECT count(*) FROM jobs WHERE kind = 'RENDER'`:                                           videos,
		`SELECT count(*) FROM audit WHERE admin = 8 AND action = 'retry' AND outcome = 'restarted'`: videos,
	} {
		if got := count(t, d.store, query); got != want || restarted != videos {
			t.Errorf("%s: got %d, and answers %+v; want %d", query, got, answers, want)
		}
	}
}
