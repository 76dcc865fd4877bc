// Tests of watching: what admins are told, what /readyz and /metrics say, and that the documents say the same.

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
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
	w.repairEngine()
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
				Admins: func(context.Context) ([]int64, error) { return []int64{900}, nil }, Free: func() (int64,
					error) {
					return 38e9, nil
				},
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
		if n := count(t, s, `SELECT count(*) FROM requests WHERE status = 'COMPLETED'`); n != 20 ||
			b.heard("APOLOGISE") != 0 {
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
	w.repairEngine()
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
	if got := count(t, w.store, `SELECT count(*) FROM audit WHERE admin = 900 AND action = 'retry'
		AND outcome = 'restarted'`); got != n {
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

func TestUndeliveredMessagesAreToldWithAButton(t *testing.T) {
	w := newWorld(t)
	admin, parent, other := w.tg.Person(900, "Admin", "en"), w.tg.Person(1, "Parent", "en"), w.tg.Person(2, "Other", "en")
	admin.Send("/start")
	other.Send("/start")
	w.asks(parent, "Маша")
	w.getsVideos(parent, 1)
	w.calm()
	mutate(t, w.store, `INSERT INTO requests (user_id, asset_id, chat_id, status, created, undelivered, undelivered_code)
		SELECT 2, id, 2, 'PROCESSING', created, ?, 'telegram_refused' FROM assets`, time.Now().UnixMilli())
	w.queue.Wake()
	told := w.hears(admin, "Telegram did not take 1 message in the last hour")
	press(admin, told, 0)
	w.hears(admin, "All right, I am trying 1 again.")
	w.getsVideos(other, 1)
}

func TestAnAdminWhomACommandMadeMayPressUntilACommandRemovesThem(t *testing.T) {
	w := newWorld(t)
	write(t, w.store, func(tx *store.Tx) error { return tx.Appoint(store.Admin{ID: 7, Owner: true}, 0, store.ByCommand) })
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
	write(t, w.store, func(tx *store.Tx) error { return tx.Dismiss(7, 0) })
	admin.Press(told.ID, fmt.Sprintf("%s:%d:1", telegram.PutButton, time.Now().Add(time.Hour).UnixMilli()))
	w.calm()
	if n := failed(); n != 1 || saying(admin, "All right") != 1 {
		t.Errorf(
			"got %d publications that are failed, %d answers; want that a former admin's press does nothing",
			n,
			saying(admin, "All right"),
		)
	}
}

// TestAnAdminWhoIsNoneAnyMoreIsToldNothing is of one who is removed between the list of admins and the look at their
// role.
func TestAnAdminWhoIsNoneAnyMoreIsToldNothing(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	q.outages.Resume(time.Now(), "no key")
	write(t, s, func(tx *store.Tx) error { return tx.BeginOutage("no key", nil) })
	b := watch.NewProgramBoard(
		s,
		q,
		watch.Options{
			Role: func(id int64) (store.Admin, bool) { return store.Admin{ID: id}, id == 8 },
			Free: func() (int64, error) { return 38e9, nil },
		},
		nil,
	)
	for id, want := range map[int64]bool{7: false, 8: true} {
		all, err := b.Look(t.Context(), id, nil)
		if got := slices.ContainsFunc(all, func(t watch.Trouble) bool { return len(t.Of) > 0 }); err != nil || got != want {
			t.Errorf("%d: got %v, %v; want that they are told: %v", id, all, err, want)
		}
	}
}

// allWell is what a board says of which nothing was reported.
func allWell(string) error { return nil }

func TestAnAdminIsOfferedWhatTheyMayTryAgain(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	madeByAdmin(t, s, 7, "Ева", "ева")
	failForGood(t, q)
	ask(t, s, "Маша", 1)
	failForGood(t, q)
	for id, want := range map[int64]string{7: "retry_all:1", 8: "retry_all:2", 9: ""} {
		all, err := watch.Troubles(
			t.Context(),
			s,
			q,
			store.Admin{ID: id, Owner: id == 8},
			nil,
			watch.Options{Free: func() (int64, error) { return 38e9, nil }},
			allWell,
		)
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
	mutate(t, s, `UPDATE channels SET ends = ? WHERE id = ?`, s.Now().Add(time.Hour).UnixMilli(), connected(t, s, "UC2"))
	mutate(t, s, `INSERT INTO announcements (texts, status, creator, created, changed, started, trouble)
		VALUES ('{"":"News"}', 'paused', 8, 1, 1, 1, 'telegram_refused')`)
	all, err := watch.Troubles(
		t.Context(),
		s,
		q,
		store.Admin{ID: 8, Owner: true},
		nil,
		watch.Options{Page: "http://x", Free: func() (int64, error) { return 1.5 * (1 << 30), nil },
			Undeleted: func() media.Undeleted { return media.Undeleted{Files: 3, Since: time.Now().Add(-2 * time.Hour)} }},
		func(cause string) error {
			return map[string]error{watch.Backup: errors.New("no room for it"), watch.Alarm: errors.New("the answer is 403")}[cause]
		},
	)
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
	for cause, want := range map[string]string{watch.Outage: "one reason:\n\nno key\n", watch.Disk: "1.5 GB are left",
		watch.Channel: "A channel has to be connected again", watch.Backup: "no room for it",
		watch.Alarm: "the answer is 403", watch.Ending: "Access to a channel ends within two days",
		watch.Undeleted: "3 deleted files have been stored for more than an hour",
		watch.Halted:    "An announcement has stopped before everyone got it"} {
		if !strings.Contains(said[cause], want) || strings.Contains(said[cause], "<no value>") {
			t.Errorf("%s: got %q; want %q in it", cause, said[cause], want)
		}
	}
	for _, trouble := range all { // in Russian a comma is the decimal point
		if ru := lang.Say("ru", trouble.ID, trouble.Vars); trouble.Cause == watch.Disk &&
			!strings.Contains(ru, "осталось 1,5 ГБ") {
			t.Errorf("got %q; want 1,5", ru)
		}
	}
	if len(said) != 8 {
		t.Errorf("got %q; want eight", said)
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
		w := &watch.Program{
			Missing: func(context.Context) []string { return missing },
			Store:   s,
			Queue:   q,
			Longest: cfg.Render.Timeout,
			Room:    disk,
			Began:   time.Now(),
			Board:   watch.NewProgramBoard(s, q, watch.Options{}, nil),
		}
		w.Writer = watch.NewProbe(
			5*time.Second,
			func() error { return s.Tx(context.Background(), func(*store.Tx) error { return nil }) },
		)
		says := func(want string) {
			t.Helper()
			synctest.Wait()
			got := watch.Sentences(w.Stuck())
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
		if got := watch.Sentences(w.Stuck()); len(got) != 4 || got[0] != "ffmpeg was not found." {
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
	if got := d.want(200, d.send(call{method: "GET", path: "/readyz", json: true})); strings.TrimSpace(
		got,
	) != `{"reasons":[],"success":true}` {
		t.Errorf("got %s", got)
	}
	d.stuck = []string{"Telegram has not answered for 4m0s."}
	if got := d.want(503, d.send(call{method: "GET", path: "/readyz"})); got != "Telegram has not answered for 4m0s.\n" {
		t.Errorf("got %q; want the sentence", got)
	}
	if got := d.want(503, d.send(call{method: "GET", path: "/readyz", json: true})); strings.TrimSpace(
		got,
	) != `{"reasons":["Telegram has not answered for 4m0s."],"success":false}` {
		t.Errorf("got %s", got)
	}
	d.want(200, d.send(call{method: "GET", path: "/healthz"})) // it is up
	if d.log.Len() > 0 {
		t.Errorf("got log %s; want silence", &d.log)
	}
}

// ---- metrics
