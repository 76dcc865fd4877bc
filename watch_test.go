// Tests of watching: what admins are told, what /readyz and /metrics say, and that the documents say the same.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/retry"
	"retake.example/internal/telegram"
	"retake.example/internal/video"

	"retake.example/internal/store"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/folder"
	"retake.example/internal/lang"
	"retake.example/internal/watch"
)

// saying counts what the bot has said to somebody that holds a text.
func saying(p *faketelegram.Person, text string) (n int) {
	for _, m := range answers(p) {
		if strings.Contains(m.Text, text) {
			n++
		}
	}
	return n
}

// parents has each of so many ask for a video at the same time; the names begin alike.
func (w *world) parents(n int, name string) (all []*faketelegram.Person) {
	w.Helper()
	var questions []faketelegram.Message
	for i := range n {
		p := w.tg.Person(int64(i)+1, "Мария", "ru")
		all, questions = append(all, p), append(questions, w.names(p, name+strings.Repeat("а", i+1)))
	}
	for i, p := range all {
		press(p, questions[i], 0)
	}
	return all
}

func TestTwentyVideosThatWaitForOneKeyAreAllDelivered(t *testing.T) {
	w := newWorld(t)
	admin := w.tg.Person(900, "Admin", "ru")
	admin.Send("/start")
	w.breakEngine()
	parents := w.parents(20, "Маш")
	told := w.hears(admin, "Несколько видео подряд не получились")
	for _, p := range parents {
		w.hears(p, "Видео готовится дольше обычного")
	}
	w.mendEngine()
	press(admin, told, 0)
	for _, p := range parents {
		w.getsVideos(p, 1)
	}
	w.hears(admin, "Видео снова делаются")
	w.calm()
	if n := saying(admin, "⚠️"); n != 1 {
		t.Errorf("got %d warnings to the admin; want 1", n)
	}
	for _, p := range parents {
		if saying(p, "Упс!") != 0 {
			t.Errorf("%d got an apology; want none", p.ID())
		}
	}
}

// TestOneKeyOneMessage is the same with the probe of each minute and a night in between.
func TestOneKeyOneMessageAndTheProbeFindsOut(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		var expired atomic.Bool
		expired.Store(true)
		b := &bench{render: func(context.Context, video.Order) error {
			if expired.Load() {
				return errKey
			}
			return nil
		}}
		for i := range int64(20) {
			ask(t, s, fmt.Sprint("Имя ", i), i+1)
		}
		var told []string
		tell := func(q *Queue) (stop func()) {
			board := watch.NewProgramBoard(s, q, watch.Options{Page: "http://x", Gather: time.Minute,
				Role:   func(id int64) (store.Admin, bool) { return store.Admin{ID: id, Owner: true}, true },
				Admins: func(context.Context) ([]int64, error) { return []int64{900}, nil }, Free: func() (int64, error) { return 38e9, nil },
				Tell: func(_ context.Context, _ int64, m watch.Message) (time.Duration, error) {
					told = append(told, m.ID)
					return 0, nil
				}}, slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() { board.Watch(ctx, q); close(done) }()
			return func() { cancel(); <-done }
		}
		q, stop := start(t, s, b, outages())
		end := tell(q)
		time.Sleep(8 * time.Hour)
		end()
		stop()
		q, stop = start(t, s, b, outages()) // a restart in between
		defer stop()
		defer tell(q)()
		time.Sleep(time.Hour)
		expired.Store(false)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := count(t, s, `SELECT count(*) FROM requests WHERE status = 'COMPLETED'`); n != 20 || b.heard("APOLOGISE") != 0 {
			t.Errorf("got %d served and %d apologies; want 20 and none", n, b.heard("APOLOGISE"))
		}
		if !slices.Equal(told, []string{"outage_began", "outage_over"}) {
			t.Errorf("got the messages %q; want the beginning and the end", told)
		}
	})
}

func TestFiveBadNamesAreFiveApologiesAndOneDigestWithAButton(t *testing.T) {
	w := newWorld(t)
	admin := w.tg.Person(900, "Admin", "en")
	admin.Send("/start")
	w.breakEngine()
	parents := w.parents(5, "Ш")
	for _, p := range parents {
		w.hears(p, "Упс!")
	}
	first := w.hears(admin, "could not be made in the last hour")
	if count(t, w.store, `SELECT count(*) FROM outage`) != 0 || saying(admin, "Several videos in a row") != 0 {
		t.Error("got an outage; want none")
	}
	if strings.Contains(first.Text, "Ш") || !strings.Contains(first.Text, "http://localhost/?status=FAILED") {
		t.Errorf("got %q; want no name, and the way to the page", first.Text)
	}
	// Within the hour there is no second message, and a restart changes nothing about that.
	w.stop()
	w.start()
	late := w.tg.Person(77, "Ольга", "ru")
	w.asks(late, "Шу")
	w.hears(late, "Упс!")
	w.calm()
	w.mendEngine()
	press(admin, first, 0)
	answer := w.hears(admin, "All right, I am trying")
	n := 0
	fmt.Sscanf(answer.Text, "All right, I am trying %d again.", &n)
	if want := first.Buttons[0][0].Text; want != fmt.Sprintf("🔄 Try again: %d", n) {
		t.Errorf("got %q; want what the button said: %s", answer.Text, want)
	}
	w.until(fmt.Sprintf("%d videos", n), func() bool {
		got := 0
		for _, p := range parents {
			got += videos(p)
		}
		return got == n
	})
	if got := count(t, w.store, `SELECT count(*) FROM audit WHERE admin = 900 AND action = 'retry' AND outcome = 'restarted'`); got != n {
		t.Errorf("got %d retries in the activity list; want %d", got, n)
	}
	if got := saying(admin, "could not be made"); got != 1 {
		t.Errorf("got %d messages about failures; want 1 in an hour", got)
	}
	// Somebody else's press does nothing, and the second finds nothing to do.
	late.Press(first.ID, telegram.AgainButton+":x:5")
	admin.Press(first.ID, telegram.AgainButton+":"+store.NewID()+":5")
	w.hears(admin, "There is nothing left to try again")
}

func TestFailedPublicationsAreToldWithAButton(t *testing.T) {
	w := newWorld(t)
	admin := w.tg.Person(900, "Admin", "en")
	admin.Send("/start")
	id := publishes(t, w.store, connected(t, w.store, "UC1"), "Лето")
	fail(t, w.queue, store.Publish, retry.Permanent(errUnavailable))
	told := w.hears(admin, "1 video could not be published in the last hour")
	press(admin, told, 0)
	w.hears(admin, "All right, I am trying 1 again.")
	if n := count(t, w.store, `SELECT count(*) FROM publications WHERE asset_id = ? AND status = 'PENDING'`, id); n != 1 {
		t.Errorf("got %d publications that wait; want 1", n)
	}
	// A channel whose access has ended is a cause of its own: its publications are no failures of theirs.
	fail(t, w.queue, store.Publish, errRevoked)
	w.hears(admin, "A channel has to be connected again")
	w.calm()
	if n := saying(admin, "could not be published"); n != 1 {
		t.Errorf("got %d messages about publications; want 1", n)
	}
}

func TestAnAdminWhomACommandMadeMayPressUntilACommandRemovesThem(t *testing.T) {
	w := newWorld(t)
	write(t, w.store, func(tx *store.Tx) error { return tx.Appoint(store.Admin{ID: 7, Owner: true}) })
	admin := w.tg.Person(7, "Admin", "en")
	admin.Send("/start")
	id := publishes(t, w.store, connected(t, w.store, "UC1"), "Лето")
	fail(t, w.queue, store.Publish, retry.Permanent(errUnavailable))
	told := w.hears(admin, "1 video could not be published in the last hour")
	press(admin, told, 0)
	w.hears(admin, "All right, I am trying 1 again.")
	failed := func() int {
		return count(t, w.store, `SELECT count(*) FROM publications WHERE asset_id = ? AND status = 'FAILED'`, id)
	}
	if n := failed(); n != 0 {
		t.Errorf("got %d publications that are failed; want none", n)
	}
	fail(t, w.queue, store.Publish, retry.Permanent(errUnavailable))
	write(t, w.store, func(tx *store.Tx) error { return tx.Dismiss(7) })
	admin.Press(told.ID, fmt.Sprintf("%s:%d:1", telegram.PutButton, time.Now().Add(time.Hour).UnixMilli()))
	w.calm()
	if n := failed(); n != 1 || saying(admin, "All right") != 1 {
		t.Errorf("got %d publications that are failed, %d answers; want that a former admin's press does nothing", n, saying(admin, "All right"))
	}
}

// TestAnAdminWhoIsNoneAnyMoreIsToldNothing is of one who is removed between the list of admins and the look at their role.
func TestAnAdminWhoIsNoneAnyMoreIsToldNothing(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	q.outages.Resume(time.Now(), "no key")
	write(t, s, func(tx *store.Tx) error { return tx.BeginOutage("no key", nil) })
	b := watch.NewProgramBoard(s, q, watch.Options{Role: func(id int64) (store.Admin, bool) { return store.Admin{ID: id}, id == 8 }, Free: func() (int64, error) { return 38e9, nil }}, nil)
	for id, want := range map[int64]bool{7: false, 8: true} {
		all, err := b.Look(t.Context(), id, nil)
		if got := slices.ContainsFunc(all, func(t watch.Trouble) bool { return len(t.Of) > 0 }); err != nil || got != want {
			t.Errorf("%d: got %v, %v; want that they are told: %v", id, all, err, want)
		}
	}
}

func TestAnAdminIsOfferedWhatTheyMayTryAgain(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	madeByAdmin(t, s, 7, "Ева", "ева")
	failForGood(t, q)
	ask(t, s, "Маша", 1)
	failForGood(t, q)
	for id, want := range map[int64]string{7: "retry_all:1", 8: "retry_all:2", 9: ""} {
		all, err := watch.Troubles(t.Context(), s, q, store.Admin{ID: id, Owner: id == 8}, nil, watch.Options{Free: func() (int64, error) { return 38e9, nil }}, nil)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(t watch.Trouble) bool { return t.Cause == watch.Failed })
		m, err := all[i].Write(t.Context())
		got := ""
		for _, b := range m.Buttons {
			kind, rest, _ := strings.Cut(b.Data, ":")
			got = kind + ":" + rest[strings.LastIndex(rest, ":")+1:]
			if len(b.Data) > 64 {
				t.Errorf("got %q; want at most 64 bytes", b.Data)
			}
		}
		if err != nil || all[i].N != 2 || got != want {
			t.Errorf("%d: got %d failures, the button %q, %v; want 2, %q", id, all[i].N, got, err, want)
		}
	}
}

func TestEveryTroubleIsAMessageInEveryLanguage(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	q.outages.Resume(time.Now(), "no key")
	write(t, s, func(tx *store.Tx) error { return tx.BeginOutage("no key", nil) })
	channel := connected(t, s, "UC1")
	publishes(t, s, channel, "Лето")
	fail(t, q, store.Publish, errRevoked)
	all, err := watch.Troubles(t.Context(), s, q, store.Admin{ID: 8, Owner: true}, nil, watch.Options{Page: "http://x", Free: func() (int64, error) { return 1.5 * (1 << 30), nil }},
		errors.New("no room for it"))
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, trouble := range all {
		if len(trouble.Of) > 0 {
			said[trouble.Cause] = lang.Say("en", trouble.ID, trouble.Vars)
			if ru := lang.Say("ru", trouble.ID, trouble.Vars); ru == said[trouble.Cause] || strings.Contains(ru, "<no value>") {
				t.Errorf("got %q in Russian", ru)
			}
		}
	}
	for cause, want := range map[string]string{watch.Outage: "one reason:\n\nno key\n", watch.Disk: "1.5 GB are left", watch.Channel: "A channel has to be connected again", watch.Backup: "no room for it"} {
		if !strings.Contains(said[cause], want) || strings.Contains(said[cause], "<no value>") {
			t.Errorf("%s: got %q; want %q in it", cause, said[cause], want)
		}
	}
	for _, trouble := range all { // in Russian a comma is the decimal point
		if ru := lang.Say("ru", trouble.ID, trouble.Vars); trouble.Cause == watch.Disk && !strings.Contains(ru, "осталось 1,5 ГБ") {
			t.Errorf("got %q; want 1,5", ru)
		}
	}
	if len(said) != 4 {
		t.Errorf("got %q; want four", said)
	}
}

// ---- readiness

// space is a disk.
type space struct {
	free int64
	full error
}

func (d space) Free() (int64, error) { return d.free, nil }
func (d space) Room(int64) error     { return d.full }

func TestReadyMeansThatWorkFlows(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		hang := make(chan struct{})
		b := &bench{render: func(_ context.Context, o video.Order) error {
			if o.Name == "Маша" {
				<-hang
			}
			return nil
		}}
		o := outages()
		o.Workers = 1
		q, stop := start(t, s, b, o)
		defer stop()
		defer close(hang)
		cfg, err := fromDefaults(nil)
		if err != nil {
			t.Fatal(err)
		}
		disk := &space{free: 38e9}
		missing := []string{"problem_bot_off"} // on purpose
		w := &watch.Program{Missing: func(context.Context) []string { return missing }, Store: s, Queue: q, Longest: cfg.Render.Timeout, Room: disk, Began: time.Now(),
			Board: watch.NewProgramBoard(s, q, watch.Options{}, nil)}
		w.Pulse = watch.NewPulse(5*time.Second, func() error { return s.Tx(context.Background(), func(*store.Tx) error { return nil }) })
		says := func(want string) {
			t.Helper()
			synctest.Wait()
			got := w.Stuck()
			if want == "" && len(got) != 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0], want)) {
				t.Errorf("got %q; want %q", got, want)
			}
		}
		says("")
		ask(t, s, "Лев", 1)
		time.Sleep(time.Hour)
		says("")
		ask(t, s, "Маша", 1)
		ask(t, s, "Аня", 2)
		time.Sleep(8 * time.Minute)
		says("")
		time.Sleep(8 * time.Minute) // a render has five, and as many again to be kept
		says("RENDER jobs wait, and none of the 1 workers has ended in 16m0s")
		missing = append(missing, "ffmpeg was not found.")
		disk.full = errors.New("the disk is nearly full")
		w.Board.Report(watch.Backup, errors.New("no room for it"))
		if got := w.Stuck(); len(got) != 4 || got[0] != "ffmpeg was not found." {
			t.Errorf("got %q; want ffmpeg, the disk, the line and the backup", got)
		}
		disk.full, missing = nil, nil
		w.Board.Report(watch.Backup, nil)
		hang <- struct{}{}
		time.Sleep(time.Second)
		says("")
		q.outages.Resume(time.Now().Add(-time.Minute), "no connection")
		says("Videos have failed one after the other for 1m0s")
		q.outages.RecordSuccess("A")

		// A writer that hangs, as on a disk that does.
		release := make(chan struct{})
		go s.Tx(context.Background(), func(*store.Tx) error { <-release; return nil })
		says("The database takes no changes: no answer within 5s")
		close(release)
		time.Sleep(time.Second)
		says("")
	})
}

func TestReadySaysWhyInTextAndJSON(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	if got := d.want(200, d.send(call{method: "GET", path: "/readyz", json: true})); strings.TrimSpace(got) != `{"reasons":[],"success":true}` {
		t.Errorf("got %s", got)
	}
	d.stuck = []string{"Telegram has not answered for 4m0s."}
	if got := d.want(503, d.send(call{method: "GET", path: "/readyz"})); got != "Telegram has not answered for 4m0s.\n" {
		t.Errorf("got %q; want the sentence", got)
	}
	if got := d.want(503, d.send(call{method: "GET", path: "/readyz", json: true})); strings.TrimSpace(got) != `{"reasons":["Telegram has not answered for 4m0s."],"success":false}` {
		t.Errorf("got %s", got)
	}
	d.want(200, d.send(call{method: "GET", path: "/healthz"})) // it is up
	if d.log.Len() > 0 {
		t.Errorf("got log %s; want silence", &d.log)
	}
}

func TestMetricsAreForWhoHasTheTokenOrIsSignedIn(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	bearer := func(token string) call {
		return call{method: "GET", path: "/metrics", header: map[string]string{"Authorization": "Bearer " + token}}
	}
	if got := d.want(200, d.send(bearer("0123456789abcdef"))); !strings.Contains(got, "retake_build_info") {
		t.Errorf("got %s; want metrics", got)
	}
	d.want(200, d.send(call{method: "GET", path: "/metrics", session: d.signIn(7)}))
	for _, wrong := range []string{"", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF"} {
		d.want(401, d.send(bearer(wrong)))
	}
	d.want(401, d.send(call{method: "GET", path: "/", header: map[string]string{"Authorization": "Bearer 0123456789abcdef"}, json: true})) // it opens nothing else
	d.change(func(o *desk.Options) { o.Token = "" })
	d.want(401, d.send(bearer("")))
}

// ---- metrics

// served is the program with its page and a token for its metrics, in a process of its own.
type served struct {
	*world
	*victim
	page string
}

const metricsToken = "a-token-of-this-test"

func newServed(t *testing.T) served {
	t.Helper()
	v := newVictim(t)
	l, err := listenNear("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	path := filepath.Join(v.dir, "config.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fixed := strings.Replace(string(text), `listen = "127.0.0.1:0"`, fmt.Sprintf("listen = %q\nbase_url = \"http://%s\"\nmetrics_token = %q", address, address, metricsToken), 1)
	fixed = strings.Replace(fixed, "[telegram]\n", "[telegram]\nowners = [900]\n", 1) +
		"[log]\nformat = \"json\"\n"
	if err := os.WriteFile(path, []byte(fixed), 0o600); err != nil {
		t.Fatal(err)
	}
	s := served{&world{T: t, tg: v.tg, log: v.log}, v, "http://" + address}
	v.start(0)
	s.until("the page", func() bool {
		resp, err := http.Get(s.page + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == 200
	})
	return s
}

// families reads /metrics with the parser of Prometheus.
func (s served) families() map[string]*dto.MetricFamily {
	s.world.Helper()
	r, err := http.NewRequest("GET", s.page+"/metrics", nil)
	if err != nil {
		s.world.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+metricsToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.world.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		body, _ := io.ReadAll(resp.Body)
		s.world.Fatalf("got %s, %s\n%s", resp.Status, resp.Header.Get("Content-Type"), body)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		s.world.Fatal(err)
	}
	return all
}

// value returns one of them; labels are "name=value".
func value(t testing.TB, all map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	for _, m := range all[name].GetMetric() {
		var has []string
		for _, l := range m.GetLabel() {
			has = append(has, l.GetName()+"="+l.GetValue())
		}
		if !slices.Equal(has, labels) {
			continue
		}
		if h := m.GetHistogram(); h != nil {
			return float64(h.GetSampleCount())
		}
		return m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	t.Errorf("%s%q is not there", name, labels)
	return -1
}

func TestWhatIsMeasuredIsTrueAndDocumented(t *testing.T) {
	t.Parallel()
	s := newServed(t)
	s.breaks()
	good, again, bad := s.world.tg.Person(101, "Мария", "ru"), s.world.tg.Person(102, "Ольга", "ru"), s.world.tg.Person(103, "Пётр", "ru")
	s.asks(good, "Аглая")
	s.getsVideos(good, 1)
	s.asks(again, "Аглая")
	s.getsVideos(again, 1)
	s.asks(bad, "Сбой")
	s.hears(bad, "Упс!")
	s.hears(again, "Готово") // what follows a video is sent
	var all map[string]*dto.MetricFamily
	s.until("rest", func() bool {
		all = s.families()
		return value(t, all, "retake_telegram_inbox") == 0 && // an attempt counts when its end is on the disk
			value(t, all, "retake_attempts_total", "kind=APOLOGISE", "outcome=done") > 0 && value(t, all, "retake_attempts_total", "kind=DELIVER", "outcome=done") > 1
	})

	t.Run("the numbers are right", func(t *testing.T) {
		for want, list := range map[float64][][]string{
			0: {{"retake_assets", "status=PENDING"}, {"retake_requests_open"}, {"retake_outage"}, {"retake_trouble", "cause=disk"}, {"retake_trouble", "cause=backup"},
				{"retake_publications", "platform=YOUTUBE", "status=FAILED"}, {"retake_channels", "state=ENDED"}, {"retake_workers_busy", "kind=RENDER"},
				{"retake_telegram_calls_total", "method=sendMessage", "result=too_many"}, {"retake_attempts_total", "kind=PUBLISH", "outcome=gave_up"},
				{"retake_jobs", "kind=RENDER", "state=waiting"}, {"retake_job_oldest_waiting_seconds", "kind=RENDER"}},
			1: {{"retake_assets", "status=COMPLETED"}, {"retake_assets", "status=FAILED"}, {"retake_assets_needing_admin"}, {"retake_render_seconds"},
				{"retake_attempts_total", "kind=RENDER", "outcome=done"}, {"retake_attempts_total", "kind=RENDER", "outcome=gave_up"},
				{"retake_attempts_total", "kind=APOLOGISE", "outcome=done"}},
			2: {{"retake_attempts_total", "kind=RENDER", "outcome=rescheduled"}, {"retake_attempts_total", "kind=DELIVER", "outcome=done"},
				{"retake_telegram_calls_total", "method=sendVideo", "result=ok"}, {"retake_workers", "kind=RENDER"}},
			3: {{"retake_requests_total"}},
			6: {{"retake_telegram_updates_total"}}, // three names, three presses of Yes
		} {
			for _, l := range list {
				if got := value(t, all, l[0], l[1:]...); got != want {
					t.Errorf("%s%q: got %v; want %v", l[0], l[1:], got, want)
				}
			}
		}
		sent := 0.0
		for _, c := range s.world.tg.Calls() {
			if c.Method == "sendMessage" && c.OK {
				sent++
			}
		}
		if got := value(t, all, "retake_telegram_calls_total", "method=sendMessage", "result=ok"); got != sent {
			t.Errorf("got %v messages sent; want the %v that Telegram has", got, sent)
		}
		for _, some := range [][]string{{"retake_disk_free_bytes"}, {"retake_database_bytes", "file=main"}, {"retake_database_bytes", "file=wal"},
			{"retake_telegram_wait_seconds"}, {"process_resident_memory_bytes"}, {"go_goroutines"}} {
			if value(t, all, some[0], some[1:]...) <= 0 {
				t.Errorf("%q: got nothing; want some", some)
			}
		}
		if ago := float64(time.Now().UnixMilli())/1000 - value(t, all, "retake_telegram_contact_timestamp_seconds"); ago < 0 || ago > 60 {
			t.Errorf("got contact %v s ago; want just now", ago)
		}
	})
	t.Run("no label tells of a person", func(t *testing.T) {
		for _, f := range all {
			for _, m := range f.GetMetric() {
				for _, l := range m.GetLabel() {
					fixed := regexp.MustCompile(`^(kind|state|outcome|method|result|status|platform|cause|file|version|goversion|quantile)$`).MatchString(l.GetName())
					if v := l.GetValue(); !fixed || strings.Contains(v, "10") && l.GetName() != "goversion" || strings.ContainsAny(v, "АГлаяСбой") {
						t.Errorf("%s has the label %s=%q", f.GetName(), l.GetName(), v)
					}
				}
			}
		}
	})
	t.Run("looking writes nothing", func(t *testing.T) {
		state := func() string {
			text := ""
			for _, name := range []string{"retake.db", "retake.db-wal"} {
				info, err := os.Stat(filepath.Join(s.victim.dir, name))
				if err != nil {
					t.Fatal(err)
				}
				text += fmt.Sprint(name, info.Size(), info.ModTime())
			}
			return text
		}
		before := state()
		for range 5 {
			s.families()
			resp, err := http.Get(s.page + "/readyz")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		if after := state(); after != before {
			t.Errorf("got %s; want %s", after, before)
		}
	})
	t.Run("the document lists them all", func(t *testing.T) {
		text, err := os.ReadFile("docs/watching.md")
		if err != nil {
			t.Fatal(err)
		}
		documented := map[string]string{} // labels by name
		for _, m := range regexp.MustCompile("(?m)^\\| `(retake_\\w+)` \\| (\\w+) \\|([^|]*)\\| [^|]+\\|$").FindAllStringSubmatch(string(text), -1) {
			documented[m[1]] = m[2] + " " + strings.Join(regexp.MustCompile(`\w+`).FindAllString(m[3], -1), " ")
		}
		real := map[string]string{}
		for name, f := range all {
			if !strings.HasPrefix(name, "retake_") {
				continue
			}
			var labels []string
			for _, l := range f.GetMetric()[0].GetLabel() {
				labels = append(labels, l.GetName())
			}
			real[name] = strings.ToLower(f.GetType().String()) + " " + strings.Join(labels, " ")
		}
		if !maps.Equal(documented, real) {
			for _, name := range slices.Sorted(maps.Keys(real)) {
				if documented[name] != real[name] {
					t.Errorf("%s: the table says %q; it is %q", name, documented[name], real[name])
				}
			}
			for name := range documented {
				if _, ok := real[name]; !ok {
					t.Errorf("%s: there is no such metric", name)
				}
			}
		}
	})
	t.Run("the dashboard and the alerts use what there is", func(t *testing.T) {
		for _, path := range []string{"packaging/grafana.json", "packaging/alerts.yml"} {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(path, ".json") && !json.Valid(text) {
				t.Errorf("%s is no JSON", path)
			}
			names := regexp.MustCompile(`\b(retake|process|go)_\w+`).FindAllString(string(text), -1)
			for _, name := range names {
				base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
				if all[name] == nil && all[base].GetType() != dto.MetricType_HISTOGRAM {
					t.Errorf("%s uses %s, which is no metric", path, name)
				}
			}
			if len(names) < 10 {
				t.Errorf("%s: got %d metrics; want more", path, len(names))
			}
			for _, m := range regexp.MustCompile(`(\w+)\\?"?=~?\\?"([^"\\$]+)\\?"`).FindAllStringSubmatch(string(text), -1) {
				for one := range strings.SplitSeq(m[2], "|") {
					if m[1] != "job" && !labelled(all, m[1], one) { // which Prometheus adds
						t.Errorf("%s asks for %s=%q, which no metric has", path, m[1], one)
					}
				}
			}
		}
	})
	t.Run("the documented commands work", func(t *testing.T) {
		text, err := os.ReadFile("docs/watching.md")
		if err != nil {
			t.Fatal(err)
		}
		blocks := regexp.MustCompile("(?s)```(sh|json|text)\n(.*?)```").FindAllStringSubmatch(string(text), -1)
		var out []byte
		for _, b := range blocks {
			if b[1] == "sh" {
				cmd := exec.Command("sh", "-euc", b[2])
				cmd.Env = append(os.Environ(), "PAGE="+s.page, "TOKEN="+metricsToken)
				if out, err = cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", b[2], err, out)
				}
				continue
			}
			for line := range strings.Lines(b[2]) { // each line of an answer is there, whatever its numbers
				line = regexp.MustCompile(`[0-9.e+]+$`).ReplaceAllString(strings.TrimSpace(line), "")
				if !strings.Contains(string(out), line) {
					t.Errorf("got %s; want %q in it", out, line)
				}
			}
		}
		if len(blocks) < 4 {
			t.Errorf("got %d blocks; want all of them", len(blocks))
		}
	})
	t.Run("an owner of the settings is told", func(t *testing.T) {
		owner := s.world.tg.Person(900, "Owner", "ru")
		owner.Send("/start")
		st, err := openStore(filepath.Join(s.victim.dir, "retake.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		publishes(t, st, connected(t, st, "UC1"), "Лето")
		fail(t, newQueue(st), store.Publish, errRevoked)
		if err := folder.Wake(s.victim.dir); err != nil {
			t.Fatal(err)
		}
		s.hears(owner, "Доступ к YouTube закончился (1 канал)")
		all := s.families()
		for want, l := range map[float64][]string{0: {"retake_trouble", "cause=outage"}, 1: {"retake_trouble", "cause=channel"}} {
			if got := value(t, all, l[0], l[1:]...); got != want {
				t.Errorf("%q: got %v; want %v", l, got, want)
			}
		}
		if got := value(t, all, "retake_publications", "platform=YOUTUBE", "status=FAILED"); got != 1 {
			t.Errorf("got %v failed publications; want 1", got)
		}
	})
	t.Run("the log is JSON without names", func(t *testing.T) {
		lines := 0
		for line := range strings.Lines(s.world.log.String()) {
			if !strings.HasPrefix(line, "{") {
				continue // the link for the first sign-in
			}
			lines++
			var v struct{ Time, Level, Msg string }
			if err := json.Unmarshal([]byte(line), &v); err != nil || v.Time == "" || v.Level == "" || v.Msg == "" || strings.Contains(line, "Сбой") {
				t.Errorf("got %s, %v; want time, level and msg, and no name", line, err)
			}
		}
		if lines < 3 {
			t.Errorf("got %d lines\n%s\nwant some", lines, s.world.log)
		}
	})
}

// labelled reports whether any metric has a label with that value.
func labelled(all map[string]*dto.MetricFamily, name, value string) bool {
	for _, f := range all {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == name && l.GetValue() == value {
					return true
				}
			}
		}
	}
	return false
}
