// Tests of the library: its search, its filters, what a card says, and how large and fast a page is.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"html"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// listing is what GET / answers as JSON.
type listing struct {
	Success   bool
	Assets    []desk.Card
	Counts    map[store.Status]int
	Templates []desk.Option
	After     string
}

func (d *office) list(session, query string) (l listing) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(d.want(200,
		d.send(call{method: "GET", path: "/" + query, session: session, json: true}))), &l); err != nil ||
		!l.Success {
		d.t.Fatalf("got %+v, %v", l, err)
	}
	return l
}

func TestThePageAndTheJSONSayTheSame(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	for i := range int64(2*pageSize + 5) {
		ask(t, d.store, "Имя "+strings.Repeat("я", int(i)+1), i+1)
		switch i % 3 {
		case 0:
			d.filmed("v", "t")
		case 1:
			failForGood(t, d.queue)
		}
	}
	card := regexp.MustCompile(
		`(?s)<li class="card" id="asset-(\w+)".*?<h2><a [^>]*>([^<]*)</a></h2><span class="pill ` +
			`\w+"><svg.*?</svg>(\w+)</span>`,
	)
	words := map[store.Status]string{
		store.Pending:    "Waiting",
		store.Processing: "Rendering",
		store.Completed:  "Ready",
		store.Failed:     "Failed",
	}
	session := d.signIn(8)
	for _, status := range []string{"", "PENDING", "COMPLETED", "FAILED"} {
		after, seen := "", 0
		for page := 0; page == 0 || after != ""; page++ {
			query := "?status=" + status + "&after=" + after
			got := d.list(session, query)
			cards := card.FindAllStringSubmatch(
				d.want(200, d.send(call{method: "GET", path: "/" + query, session: session})),
				-1,
			)
			if len(cards) != len(got.Assets) || page > 5 {
				t.Fatalf("%s: got %d cards and %d assets; want as many", query, len(cards), len(got.Assets))
			}
			for i, a := range got.Assets {
				if cards[i][1] != a.ID || html.UnescapeString(cards[i][2]) != a.Name ||
					cards[i][3] != words[store.Status(a.Status)] {
					t.Errorf("%s: got card %q and asset %+v; want the same", query, cards[i][1:], a)
				}
			}
			seen += len(got.Assets)
			after = got.After
		}
		want := count(t, d.store, `SELECT count(*) FROM assets WHERE status = ?1 OR ?1 = ''`, status)
		if seen != want {
			t.Errorf("status %q: got %d in all pages; want %d", status, seen, want)
		}
	}
	d.want(422, d.send(call{method: "GET", path: "/?status=BROKEN", session: session}))
}

func TestWhatACardSays(t *testing.T) {
	for name, c := range map[string]struct {
		arrange func(t *testing.T, d *office)
		admin   int64
		has     []string
		lacks   []string
	}{
		"a failed video has the reason, the raw text and the button": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1, 2)
			fail(t, d.queue, store.Render, retry.Permanent(errors.New("ffmpeg: took longer than 5m0s: <frame>")))
		}, 8, []string{"Retry Failed", "It took too long", "&lt;frame&gt;", "apology sent to 2",
			"Attempt 1: failed, given up"}, []string{"<video", "could not be told"}},
		"an admin who did not make it gets no button but is told why": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
		}, 7, []string{"Only an owner"}, []string{"Retry Failed"}},
		"a user whom no message reaches is counted": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1, 2)
			failForGood(t, d.queue)
			mutate(t, d.store, `DELETE FROM jobs WHERE kind = 'APOLOGISE' AND request_id = (SELECT max(id) FROM requests)`)
		}, 8, []string{"apology sent to 1", "1 could not be told"}, nil},
		"a failed video with a live successor leads there": {func(t *testing.T, d *office) {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			if _, err := d.queue.Retry(t.Context(), a.ID,
				retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
				t.Fatal(err)
			}
		}, 8, []string{"1 earlier try", "Retried", "Waiting"}, []string{"Retry Failed", "needs your attention"}},
		"a failed video whose successor failed, too, has the button": {func(t *testing.T, d *office) {
			a := ask(t, d.store, "Маша", 1)
			failForGood(t, d.queue)
			if _, err := d.queue.Retry(t.Context(), a.ID,
				retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
				t.Fatal(err)
			}
			failForGood(t, d.queue)
		}, 8, []string{"Retry Failed"}, []string{"Tried again"}},
		"a finished video plays": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1, 2)
			d.filmed("v", "t")
			mutate(t, d.store, `UPDATE requests SET status = 'COMPLETED', finished = 1, answer_id = 5 WHERE user_id = 1`)
		}, 7, []string{"<video controls", `preload="none"`, `poster="/thumbs/`, "1 has it", "1 waiting", "0:42"},
			[]string{"Retry Failed"}},
		"a video that could not be delivered is not one they wait for": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1, 2)
			d.filmed("v", "t")
			mutate(t, d.store, `DELETE FROM jobs WHERE kind = 'DELIVER' AND request_id = (SELECT max(id) FROM requests)`)
		}, 7, []string{"1 waiting", "1 could not be told"}, []string{"2 waiting"}},
		"a video that failed once says when it is tried again": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1)
			fail(t, d.queue, store.Render, errEngine)
		}, 7, []string{"Attempt 2 of 3", "next try", "Last attempt: The video could not be made.", "1 waiting"},
			[]string{"Retry Failed", "in the queue"}},
		"a video in the queue has its place": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1)
			ask(t, d.store, "Лев", 2)
		}, 7, []string{"Next in the queue", "Number 2 in the queue"}, nil},
		"a video being made shows how far it is": {func(t *testing.T, d *office) {
			ask(t, d.store, "Маша", 1)
			begin(t, d.store, store.Render)
		}, 7, []string{"<progress", "Attempt 1 of 3", "0 %"}, nil},
		"an empty library says what to do": {func(*testing.T, *office) {}, 7, []string{"No videos yet", "Make a video"},
			[]string{`class="card"`}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			c.arrange(t, d)
			session := d.signIn(c.admin)
			page := d.want(200, d.send(call{method: "GET", path: "/", session: session}))
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
			for _, a := range d.list(session, "").Assets {
				if body := d.want(200, d.send(call{method: "GET", path: "/assets/" + a.ID, session: session})); !strings.Contains(
					body,
					"<h1>"+a.Name+"</h1>",
				) {
					t.Errorf("got %s; want the page of %s", body, a.Name)
				}
				if body := d.want(200, d.send(call{method: "GET", path: "/assets/" + a.ID, session: session,
					json: true})); !strings.Contains(
					body,
					`"asset":{"id":"`+a.ID,
				) {
					t.Errorf("got %s; want %s", body, a.ID)
				}
			}
		})
	}
}

// TestAMisbehavingEngineIsSeenThroughToThePage runs real programs by the real queue: three attempts each, nothing left
// behind, and the reason on the page, without the name.
func TestAMisbehavingEngineIsSeenThroughToThePage(t *testing.T) {
	for name, c := range map[string]struct {
		script     string
		timeout    time.Duration
		words, raw string
	}{
		"that hangs and has forked": {"sleep 300 & setsid sleep 300 & sleep 300", 600 * time.Millisecond,
			"It took too long and was stopped.", "took longer than 600ms"},
		"that prints ten megabytes": {`head -c 10000000 /dev/zero | tr '\0' x >&2; echo "no model for $RETAKE_NAME" >&2; ` +
			`exit 1`, time.Minute, "The video engine failed.", "no model for [name]"},
		"that leaves garbage": {`head -c 100000 /dev/urandom >"$RETAKE_OUTPUT"`, time.Minute,
			"The video engine left a file that does not play.", "probe: "},
		"that leaves nothing": {"exit 0", time.Minute, "The video engine left no video behind.", "left no video file"},
		"that leaves more than fits": {`head -c 3000000 /dev/zero >"$RETAKE_OUTPUT"`, time.Minute,
			"The video is too large to be sent.", "it may have 2.0 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each waits for programs
			d := newDesk(t, "http://localhost:8080")
			work := t.TempDir()
			maker, err := video.New(
				video.Config{
					Engine:   video.EngineCommand,
					Offered:  []string{"new-year"},
					Command:  []string{"/bin/sh", "-c", c.script},
					Timeout:  c.timeout,
					MaxBytes: 2_000_000,
					Work:     work,
					Cache:    t.TempDir(),
					Workers:  1,
				},
			)
			if err != nil {
				t.Fatal(err)
			}
			if err := maker.Ready(t.Context()); err != nil { // not in the engine's time
				t.Fatal(err)
			}
			apologised := make(chan struct{}, 1)
			messages := &bench{tell: func(t store.Task) error {
				if t.Kind == store.Apologise {
					apologised <- struct{}{}
				}
				return nil
			}}
			asset := ask(t, d.store, "Аглая", 1)
			q := NewQueue(d.store, maker, messages, messages, Options{Workers: 1, Attempts: 3,
				Backoff: func(int) time.Duration { return time.Millisecond }}, slog.New(slog.NewTextHandler(&d.log, nil)))
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- q.Run(ctx) }()
			<-apologised
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}

			session := d.signIn(8)
			page := d.want(200, d.send(call{method: "GET", path: "/assets/" + asset.ID, session: session}))
			for _, want := range []string{c.words, c.raw, "Retry Failed", "Attempt 3"} {
				if !strings.Contains(page, want) {
					t.Errorf("page: got no %q in %s", want, page)
				}
			}
			if n := count(t, d.store, `SELECT count(*) FROM attempts WHERE kind = 'RENDER'`); n != 3 {
				t.Errorf("got %d attempts; want 3", n)
			}
			if left, err := os.ReadDir(work); err != nil || len(left) > 0 {
				t.Errorf("work folder: got %v, %v; want nothing in it", left, err)
			}
			if strings.Contains(d.log.String(), "Аглая") {
				t.Error("the log holds the name")
			}
			found, err := filepath.Glob("/proc/*/environ")
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range found {
				if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), "RETAKE_ASSET="+asset.ID) {
					t.Errorf("%s: got a process of the engine; want none", path)
				}
			}
		})
	}
}

func TestTelegramIdsAreNowhere(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 987654321)
	failForGood(t, d.queue)
	d.admins[987654322] = store.Admin{ID: 987654322, Owner: true}
	d.change(func(o *desk.Options) { o.Staff.Owners = []int64{8, 987654322} })
	d.signIn(987654322)
	session := d.signIn(8)
	for _, path := range []string{"/", "/assets/" + a.ID, "/activity", "/settings"} {
		for _, asJSON := range []bool{false, true} {
			if body := d.want(200, d.send(call{method: "GET", path: path, session: session, json: asJSON})); strings.Contains(
				body,
				"98765432",
			) {
				t.Errorf("%s: got %s; want nobody's id", path, body)
			}
		}
	}
}

func TestTheLibraryIsSearched(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	ids := map[string]string{}
	for i, name := range []string{"Маша", "Анна-Мария", "Ева Мария Белых", "О\u2019Нил", "100 % Лев", "Ма_ша", "Zoë",
		"Straße", "Зо𐐨"} {
		write(t, d.store, func(tx *store.Tx) error {
			if _, err := tx.UpsertUser(int64(i+1), "ru"); err != nil {
				return err
			}
			a, _, err := tx.ShareOrCreate(
				store.Order{
					User:     int64(i + 1),
					Chat:     int64(i + 1),
					Name:     name,
					Key:      lang.NameKey(name),
					Template: "new-year",
					Lang:     "ru",
				},
				time.Now(),
			)
			ids[name] = a.ID
			return err
		})
		if i == 0 {
			failForGood(t, d.queue)
		}
	}
	session := d.signIn(8)
	for name, c := range map[string]struct {
		query, status string
		want          []string // names, newest first
		counts        map[store.Status]int
	}{
		"the beginning of a name": {"ма", "", []string{"Ма_ша", "Ева Мария Белых", "Анна-Мария", "Маша"},
			map[store.Status]int{store.Pending: 3, store.Failed: 1}},
		"letter case and spaces around make none": {"  МАРИЯ ", "", []string{"Ева Мария Белых", "Анна-Мария"},
			map[store.Status]int{store.Pending: 2}},
		"the beginning of a later word": {"бел", "", []string{"Ева Мария Белых"},
			map[store.Status]int{store.Pending: 1}},
		"two words in their order": {"мария  б", "", []string{"Ева Мария Белых"},
			map[store.Status]int{store.Pending: 1}},
		"two words, however they are joined": {"анна мар", "", []string{"Анна-Мария"},
			map[store.Status]int{store.Pending: 1}},
		"another hyphen": {"анна\u2010мария", "", []string{"Анна-Мария"},
			map[store.Status]int{store.Pending: 1}},
		"another apostrophe": {"о'н", "", []string{"О\u2019Нил"},
			map[store.Status]int{store.Pending: 1}},
		"accents typed as two characters": {"zoe\u0308", "", []string{"Zoë"},
			map[store.Status]int{store.Pending: 1}},
		"a letter that folds to two": {"STRASS", "", []string{"Straße"},
			map[store.Status]int{store.Pending: 1}},
		"a letter that few computers know follows": {"зо", "", []string{"Зо𐐨"}, map[store.Status]int{store.Pending: 1}},
		"the middle of a word finds nothing":       {"аша", "", nil, nil},
		"a percent sign is a letter like any":      {"%", "", []string{"100 % Лев"}, map[store.Status]int{store.Pending: 1}},
		"an underscore is a letter like any":       {"ма_", "", []string{"Ма_ша"}, map[store.Status]int{store.Pending: 1}},
		"a star and a quote are letters like any":  {`м*"`, "", nil, nil},
		"an id": {ids["Маша"], "", []string{"Маша"},
			map[store.Status]int{store.Failed: 1}},
		"the beginning of an id finds nothing": {ids["Маша"][:25], "", nil, nil},
		"with a status, counts are still of all": {"ма", "FAILED", []string{"Маша"},
			map[store.Status]int{store.Pending: 3, store.Failed: 1}},
		"an id of another status is counted, not shown": {ids["Маша"], "PENDING", nil, map[store.Status]int{store.Failed: 1}},
		"nothing typed is no filter": {"  ", "FAILED", []string{"Маша"},
			map[store.Status]int{store.Pending: 8, store.Failed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			query := "?" + url.Values{"q": {c.query}, "status": {c.status}}.Encode()
			got := d.list(session, query)
			var names []string
			for _, a := range got.Assets {
				names = append(names, a.Name)
			}
			slices.Sort(names) // some are made in the same millisecond
			slices.Sort(c.want)
			if !slices.Equal(names, c.want) || !maps.Equal(got.Counts, c.counts) {
				t.Errorf("got %q, counted %v; want %q, counted %v", names, got.Counts, c.want, c.counts)
			}
			page := d.want(200, d.send(call{method: "GET", path: "/" + query, session: session}))
			typed := strings.TrimSpace(c.query)
			for what, has := range map[string]bool{
				`value="` + html.EscapeString(typed) + `" placeholder`:                             true,
				`<input type="hidden" name="status" value="` + c.status + `">`:                     c.status != "",
				"Nothing found for “" + strings.ReplaceAll(html.EscapeString(typed), "+", "&#43;"): len(c.want) == 0,
			} {
				if strings.Contains(page, what) != has {
					t.Errorf("got %s; want %q in it: %v", page, what, has)
				}
			}
			if n := strings.Count(page, `<li class="card"`); n != len(c.want) {
				t.Errorf("got %d cards; want %d", n, len(c.want))
			}
		})
	}
}

func TestASearchStaysWhileItIsBrowsed(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	for i := range int64(2*pageSize + 5) {
		ask(t, d.store, "Имя & "+strings.Repeat("я", int(i)+1), i+1)
		ask(t, d.store, "Ева "+strings.Repeat("я", int(i)+1), i+1)
	}
	session := d.signIn(8)
	link := regexp.MustCompile(`<a (?:class="btn" )?href="(/\?[^"]*|/)"(?: aria-current="true")?>(\w+)`)
	path, pages, cards := "/?q=имя+%26&status=PENDING", 0, 0
	for path != "" {
		page := d.want(200, d.send(call{method: "GET", path: path, session: session}))
		pages, cards, path = pages+1, cards+strings.Count(page, `<li class="card"`), ""
		for _, l := range link.FindAllStringSubmatch(page, -1) {
			to, err := url.Parse(html.UnescapeString(l[1]))
			if err != nil {
				t.Fatal(err)
			}
			status := map[string]string{"Failed": "FAILED", "Rendering": "PROCESSING", "Ready": "COMPLETED", "All": ""}
			want, isTab := status[l[2]]
			if !isTab {
				want = "PENDING"
			}
			if q := to.Query(); q.Get("q") != "имя &" || q.Get("status") != want || q.Has("after") != (l[2] == "Older") {
				t.Errorf("page %d, %s: got %s; want the search and status %q", pages, l[2], l[1], want)
			}
			if l[2] == "Older" {
				path = to.String()
			}
		}
		if !strings.Contains(page, "53 in all") {
			t.Errorf("page %d: got no count of what is found in %s", pages, page)
		}
	}
	if pages != 3 || cards != 2*pageSize+5 {
		t.Errorf("got %d cards on %d pages; want %d on 3", cards, pages, 2*pageSize+5)
	}
}

func TestAFullPageIsSmall(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	d.crowd(2000, 20)
	mutate(
		t,
		d.store,
		`UPDATE assets SET error = 'ffmpeg: exit status 1: ' || ? WHERE status = 'FAILED'`,
		strings.Repeat("no \"frame\" there\n", 120)+"the cause",
	)
	session := d.signIn(8)
	for _, a := range d.list(session, "?status=FAILED").Assets[:pageSize/2] {
		if _, err := d.queue.Retry(t.Context(), a.ID,
			retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
			t.Fatal(err)
		}
	}
	for _, status := range []string{"", "PENDING", "COMPLETED", "FAILED"} {
		page := d.want(200, d.send(call{method: "GET", path: "/?status=" + status, session: session}))
		if n := strings.Count(page, `<li class="card"`); n != pageSize {
			t.Fatalf("status %q: got %d cards; want %d", status, n, pageSize)
		}
		if len(page) >= 72_000 { // compressed, an eighth of it
			t.Errorf("status %q: got %d bytes; want less than 72 kB", status, len(page))
		}
		if n := strings.Count(page, "<code>ffmpeg: exit status 1:"); n != strings.Count(page, "the cause</code>") ||
			status == "FAILED" && n != pageSize {
			t.Errorf("status %q: got %d errors with beginning and end; want %d", status, n, pageSize)
		}
	}
}

// crowd fills a library with n videos of 2,000 names, all with their people and attempts: the newest hundredth waits,
// three are being made, of the others one in so many has failed.
func (d *office) crowd(n, oneIn int) {
	d.t.Helper()
	var names []string
	for _, first := range strings.Fields(
		`Агата Аглая Адам Айша Алексей Алиса Анна Антон Арина Артём Богдан Вадим Вера Виктор Глеб Дарья Денис Ева Егор Жанна
		Захар Злата Иван Илья Кира Лев Лука Майя Макар Марина Мария Марк Матвей Мирон Ника Олег Павел Роман София Тимур`) {
		for i := range 50 {
			names = append(
				names,
				first+" "+strings.Fields("Бел Вол Гор Дуб Жар Зим Кар Лип Мор Рож")[i/5]+[]string{"ева", "ин", "енко", "ский",
					"ых"}[i%5],
			)
		}
	}
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = lang.NameKey(name)
	}
	jsonOf := func(v []string) string { b, _ := json.Marshal(v); return string(b) }
	mutate(d.t, d.store, `
		WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n + 1 < ?3),
			s (n, status) AS (SELECT n, CASE WHEN n < 3 THEN 'PROCESSING' WHEN n < ?3 / 100 THEN 'PENDING'
			WHEN n % ?4 = 1 THEN 'FAILED' ELSE 'COMPLETED' END FROM i)
		INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, thumb, size, duration, width, height,
		error, created, finished)
		SELECT printf('%026d', n * 7919), ?1 ->> (n * 1777 % 2000), ?2 ->> (n * 1777 % 2000), 'new-year', 'ru', 'REQUEST',
		status,
			iif(status = 'COMPLETED', n || '.mp4', NULL), iif(status = 'COMPLETED', n || '.jpg', NULL), 4000000, 41900, 1280,
			720,
			iif(status = 'FAILED', 'ffmpeg: took longer than 5m0s', NULL), 1700000000000 - n * 60000, iif(status IN ('COMPLETED',
			'FAILED'), 1700000000000 - n * 60000 + 30000, NULL)
		FROM s`, jsonOf(names), jsonOf(keys), n, oneIn)
	for _, statement := range []string{
		`INSERT INTO users (id, lang, created) SELECT DISTINCT rowid % 4999 + 1, 'ru', 0 FROM assets`,
		`INSERT INTO requests (user_id, asset_id, chat_id, status, answer_id, created, finished)
			SELECT rowid % 4999 + 1, id, rowid % 4999 + 1, status, iif(finished, 1, NULL), created, finished FROM assets`,
		`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error)
			SELECT assets.id, 'RENDER', t.value, created, finished, iif(status = 'COMPLETED', 'done', iif(t.value = 3, 'gave_up',
			'rescheduled')), error
			FROM assets, json_each('[1, 2, 3]') t WHERE finished IS NOT NULL AND (status = 'FAILED' OR t.value = 1)`,
		`INSERT INTO jobs (kind, asset_id, fairness_key, position, due, attempt, started, created)
			SELECT 'RENDER', id, 1, -created, 0, status = 'PROCESSING', iif(status = 'PROCESSING', created, NULL), created
			FROM assets WHERE finished IS NULL`,
		`UPDATE assets SET needs_attention = 1 WHERE status = 'FAILED'`,
		`UPDATE assets SET needs_attention = 0 WHERE id IN (SELECT id FROM resolved)`,
	} {
		mutate(d.t, d.store, statement)
	}
}

// BenchmarkLibrary measures GET / with 100,000 videos, from the request to the last byte of the page.
func BenchmarkLibrary(b *testing.B) {
	d := newDesk(b, "http://localhost:8080")
	d.crowd(100_000, 20)
	session := d.signIn(8)
	late := text(b, d.store, `SELECT created || '-' || id FROM assets ORDER BY created LIMIT 1 OFFSET 100`)
	lateFailure := text(
		b,
		d.store,
		`SELECT created || '-' || id FROM assets WHERE status = 'FAILED' ORDER BY created LIMIT 1 OFFSET 30`,
	)
	for _, c := range []struct{ name, query string }{
		{"all", ""},
		{"failed", "status=FAILED"},
		{"rendering", "status=PROCESSING"},
		{"waiting", "status=PENDING"},
		{"ready", "status=COMPLETED"},
		{"late", "after=" + late},
		{"late, failed", "status=FAILED&after=" + lateFailure},
		{"one letter", "q=м"},
		{"one letter, failed", "q=м&status=FAILED"},
		{"one letter, late", "q=м&after=" + late},
		{"a first name", "q=мария"},
		{"a surname", "q=Белых"},
		{"a surname, failed, late", "q=Белых&status=FAILED&after=" + lateFailure},
		{"a whole name", "q=Мария+Белых"},
		{"an id", "q=" + late},
		{"nothing", "q=ъ"},
	} {
		d.measure(b, c.name, "/?"+c.query, session)
	}
}

// measure is a benchmark of one page.
func (d *office) measure(b *testing.B, name, path, session string) {
	b.Run(name, func(b *testing.B) {
		var took []time.Duration
		for b.Loop() {
			began := time.Now()
			w := d.send(call{method: "GET", path: path, session: session})
			took = append(took, time.Since(began))
			d.want(200, w)
		}
		slices.Sort(took)
		for name, share := range map[string]int{"p50-ms": 50, "p99-ms": 99} {
			b.ReportMetric(float64(took[(len(took)-1)*share/100].Microseconds())/1000, name)
		}
	})
}

// TestWhatNeedsAnAdminHasAButton holds the rule in SQL against that of the cards and of Retry.
func TestWhatNeedsAnAdminHasAButton(t *testing.T) {
	for _, id := range []int64{7, 8, 9} {
		d := newDesk(t, "http://localhost:8080")
		ids := needing(t, d)
		admin, want := d.admins[id], map[string]bool{}
		for _, a := range d.list(d.signIn(id), "?status=FAILED").Assets {
			if a.CanRetry && a.Successor == "" {
				want[a.ID] = true
			}
		}
		list, err := d.store.NeedsAttention(
			t.Context(),
			admin,
			store.Filter{Limit: 100},
			store.NeedsAttention{},
			store.NeedsAttention{Failed: d.store.Now()},
		)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, n := range list {
			got[n.Last] = true
			if n.Last == ids["tail"] && n.ID != ids["head"] {
				t.Errorf("got %s for the line; want its first, whose people wait, too", n.ID)
			}
			if _, err := d.queue.Retry(t.Context(), n.ID, retry.AdminClicked{Admin: admin}); err != nil {
				t.Errorf("admin %d: got %v; want no refusal of what was listed", id, err)
			}
		}
		if !maps.Equal(got, want) || len(got) == 0 {
			t.Errorf("admin %d: got %v; want those with a button, %v", id, got, want)
		}
	}
}

func TestTheFilterShowsThePlatformThatWasChosen(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	page := d.want(200, d.send(call{method: "GET", path: "/?platform=RUMBLE", session: d.signIn(8)}))
	if !strings.Contains(page, `<option value="RUMBLE" selected>Rumble</option>`) {
		t.Errorf("got %s; want Rumble selected though no video is there", page)
	}
}
