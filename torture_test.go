// Tests that cut the power and break the disk under the product's own store and queue.

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/db/dbtest"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
	"retake.example/internal/worker"
)

// ---- a town: what is around a store, in one process and in the time of a bubble

// town is people who want videos, Telegram, an engine and a shelf. All it knows is what happened in it, and how many
// operations the disk had seen by then: so it can be led back to the moment at which the power failed.
type town struct {
	dir    string
	disk   *dbtest.Disk
	people int64
	wishes int  // of each of the people, one after the other
	crowd  bool // all of them wish for the same

	mu      sync.Mutex
	events  []event
	changed chan struct{} // closed by the next event
}

type event struct {
	after int // operations of the disk
	what  deed
	user  int64
	asset string
	name  string
	id    int64 // of an update; confirmed: the offset
}

type deed string

const (
	asked      deed = "asked" // an update, and so is
	pressed    deed = "pressed"
	confirmed  deed = "confirmed" // updates below an offset: Telegram forgets them
	announced  deed = "announced"
	apologised deed = "apologised"
	sent       deed = "sent"
	failed     deed = "failed"      // the first try of a name that the engine cannot make
	put        deed = "put"         // a file on the shelf
	visited    deed = "visited"     // somebody was written down, and
	turnedAway deed = "turned away" // somebody was not
)

func newTown(t *testing.T, dir string, people int64, wishes int) *town {
	t.Helper()
	return &town{dir: dir, disk: dbtest.Watch(t, dir), people: people, wishes: wishes, changed: make(chan struct{})}
}

// leave takes the town's database away: there is no room for thousands of them.
func (w *town) leave() {
	w.disk.Leave()
	os.RemoveAll(w.dir)
}

func (w *town) note(e event) {
	e.after = w.disk.Ops()
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.what == asked || e.what == pressed {
		e.id = int64(len(w.events)) + 1
	}
	w.events = append(w.events, e)
	close(w.changed)
	w.changed = make(chan struct{})
}

// history returns what happened so far, and what is closed when more does.
func (w *town) history() ([]event, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events), w.changed
}

func (w *town) count(fits func(event) bool) (n int) {
	all, _ := w.history()
	for _, e := range all {
		if fits(e) {
			n++
		}
	}
	return n
}

// person wishes, waits, and presses the button of every apology, as often as it takes.
func (w *town) person(ctx context.Context, user int64) {
	for round := range w.wishes {
		name := []string{"Общий " + letters(round), "Сбой " + letters(round) + letters(int(user)%2),
			"Свой " + letters(round) + letters(int(user))}[(round+int(user)/3)%3]
		if w.crowd {
			name = []string{"Общий ", "Сбой "}[round%2] + letters(round)
		}
		mine := func(e event) bool { return e.user == user && e.name == name }
		if w.count(func(e event) bool { return mine(e) && e.what == asked }) == 0 {
			w.note(event{what: asked, user: user, name: name})
		}
		for {
			all, more := w.history()
			if slices.ContainsFunc(all, func(e event) bool { return mine(e) && e.what == sent }) {
				break
			}
			apology := slices.IndexFunc(all, func(e event) bool {
				return mine(e) && e.what == apologised &&
					!slices.ContainsFunc(all, func(p event) bool { return mine(p) && p.what == pressed && p.asset == e.asset })
			})
			if apology >= 0 {
				w.note(event{what: pressed, user: user, name: name, asset: all[apology].asset})
				continue
			}
			select {
			case <-more:
			case <-ctx.Done():
				return
			}
		}
		rest(ctx, time.Minute)
	}
}

// rest waits, in the time of the bubble.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// poll is Telegram's: it confirms and returns what there is.
func (w *town) poll(ctx context.Context, offset int64) (updates []event) {
	w.note(event{what: confirmed, id: offset})
	for ctx.Err() == nil {
		all, more := w.history()
		from := offset
		for _, e := range all {
			if e.what == confirmed {
				from = max(from, e.id)
			}
		}
		for _, e := range all {
			if (e.what == asked || e.what == pressed) && e.id >= from {
				updates = append(updates, e)
			}
		}
		if len(updates) > 0 {
			break
		}
		select {
		case <-more:
		case <-ctx.Done():
		}
	}
	return updates
}

// bot stores what Telegram has before it confirms it, as the real one does, and handles it until that works.
func (w *town) bot(ctx context.Context, t *testing.T, q *Queue) {
	var wg sync.WaitGroup
	defer wg.Wait()
	s := q.store
	settle := func(u store.Update) {
		wg.Go(func() {
			for w.handle(ctx, t, q, u) != nil && rest(ctx, time.Second) == nil {
			}
		})
	}
	left, err := s.Inbox(ctx)
	for ; err != nil && ctx.Err() == nil; left, err = s.Inbox(ctx) {
	}
	for _, u := range left {
		settle(u)
	}
	for ; ctx.Err() == nil; rest(ctx, time.Second) {
		offset, err := s.Offset(ctx)
		if err != nil {
			continue
		}
		var updates, fresh []store.Update
		for _, e := range w.poll(ctx, offset) {
			updates = append(updates, store.Update{ID: e.id, Chat: e.user, Raw: string(e.what) + "\n" + e.name + "\n" + e.asset})
		}
		if s.Tx(ctx, func(tx *store.Tx) (err error) { fresh, err = tx.Receive(updates); return err }) == nil {
			for _, u := range fresh {
				settle(u)
			}
		}
	}
}

func (w *town) handle(ctx context.Context, t *testing.T, q *Queue, u store.Update) error {
	part := strings.Split(u.Raw, "\n")
	if deed(part[0]) == pressed {
		switch _, err := q.Retry(ctx, part[2], retry.ButtonPressed{User: u.Chat, Chat: u.Chat}); {
		case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrForbidden), errors.Is(err, store.ErrNotFailed):
			t.Errorf("the button of an apology: got %v; want another try", err)
		case err != nil:
			return err
		}
		return q.store.Tx(ctx, func(tx *store.Tx) error { return tx.Handled(u.ID) })
	}
	return q.store.Tx(ctx, func(tx *store.Tx) error {
		if _, err := tx.UpsertUser(u.Chat, "ru"); err != nil {
			return err
		}
		a, grant, err := tx.ShareOrCreate(
			store.Order{
				User:     u.Chat,
				Chat:     u.Chat,
				Name:     part[1],
				Key:      strings.ToLower(part[1]),
				Template: "new-year",
				Lang:     "ru",
			},
			tx.Now().Add(-time.Hour),
		)
		if err != nil {
			return err
		}
		if err := tx.Note(store.Event{User: u.Chat, Action: "ask", AssetID: a.ID, Outcome: string(grant)}); err != nil {
			return err
		}
		return tx.Handled(u.ID)
	})
}

// visitor is the first of the strangers who only say hello: one a minute, and each is either written down or refused.
const visitor = 1_000_000

func (w *town) visitors(ctx context.Context, s *store.Store, path string) {
	for n := int64(visitor); n < visitor+300 && rest(ctx, time.Minute) == nil; n++ {
		what := visited
		if s.Tx(context.Background(), func(tx *store.Tx) error { _, err := tx.UpsertUser(n, "ru"); return err }) != nil {
			what = turnedAway
		}
		w.note(event{what: what, user: n})
		if n%10 == 5 { // and somebody makes a backup
			if other, err := sql.Open("sqlite", path); err == nil {
				other.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
				other.Close()
			}
		}
	}
}

// As an engine it takes a while, and cannot make the first video of some names.
func (w *town) Make(ctx context.Context, o video.Order, progress func(int)) (video.Video, error) {
	progress(50)
	if err := rest(ctx, 20*time.Second); err != nil {
		return video.Video{}, err
	}
	if strings.HasPrefix(o.Name, "Сбой") {
		mine := func(e event) bool { return e.what == failed && e.name == o.Name }
		if w.count(mine) == 0 {
			w.note(event{what: failed, name: o.Name, asset: o.Asset})
		}
		if w.count(func(e event) bool { return mine(e) && e.asset == o.Asset }) > 0 {
			return video.Video{}, errEngine
		}
	}
	return video.Video{Path: "x", Size: 1}, nil
}

func (w *town) Ready(context.Context) error          { return nil }
func (w *town) Delete(context.Context, string) error { return nil }
func (w *town) Put(_ context.Context, key, _ string, _ func(int64)) error {
	w.note(event{what: put, name: key})
	return nil
}

func (w *town) message(ctx context.Context, what deed, t store.Task) error {
	if err := rest(ctx, time.Second); err != nil {
		return err
	}
	w.note(event{what: what, user: t.To.User, asset: t.AssetID, name: t.Asset.Name})
	return nil
}

func (w *town) Send(ctx context.Context, t store.Task) (int, string, error) {
	return 1, "file-" + t.AssetID, w.message(ctx, sent, t)
}

func (w *town) Tell(ctx context.Context, t store.Task, _ worker.Forecast) (int, error) {
	return 2, w.message(ctx, map[store.Kind]deed{store.Announce: announced, store.Apologise: apologised}[t.Kind], t)
}

func (w *town) Withdraw(context.Context, int64, int) {}

// live lets the town live on a database until everybody has what they wished for. The program is started again, as
// systemd would, when it did not come up, and only then.
func (w *town) live(t *testing.T, path string) {
	t.Helper()
	for range 2 {
		s, err := openStore(path)
		if err != nil {
			continue
		}
		q := NewQueue(
			s,
			w,
			w,
			w,
			Options{Workers: 2, Attempts: 3, Backoff: hours, Drain: time.Minute},
			slog.New(slog.DiscardHandler),
		)
		ctx, stop := context.WithCancel(context.Background())
		var program, people sync.WaitGroup
		var ended error
		gone := make(chan struct{})
		program.Go(func() { ended = q.Run(ctx); close(gone) })
		program.Go(func() { w.bot(ctx, t, q) })
		program.Go(func() { w.visitors(ctx, s, path) })
		for n := range w.people {
			people.Go(func() { w.person(ctx, n+1) })
		}
		over := make(chan struct{})
		go func() { people.Wait(); close(over) }()
		select {
		case <-over:
			rest(ctx, time.Hour) // what follows a video
		case <-gone: // the program ends with its queue
		case <-time.After(48 * time.Hour):
			t.Error("somebody is still waiting")
		}
		stop()
		program.Wait()
		people.Wait()
		if err := s.Close(); err != nil {
			t.Logf("close: %v", err)
		}
		if ended == nil {
			return
		}
		if w.count(func(e event) bool { return e.what == announced }) > 0 {
			t.Errorf("got %v in the middle of the day; want it to go on", ended)
		}
	}
	t.Errorf("the program did not come up")
}

// atPeace looks at what is left when the town has lived. again holds the messages that may have gone out twice.
func (w *town) atPeace(t *testing.T, path string, again map[event]bool) (extra int) {
	t.Helper()
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	isPeace(t, s)
	shelf, out := map[string]bool{}, map[event]int{}
	all, _ := w.history()
	for _, e := range all {
		switch e.what {
		case put:
			shelf[e.name] = true
		case announced, apologised, sent:
			out[event{what: e.what, user: e.user, asset: e.asset}]++
		case visited, turnedAway:
			if n := count(t, s, `SELECT count(*) FROM users WHERE id = ?`, e.user); (n == 1) != (e.what == visited) {
				t.Errorf("got %d rows of somebody who was %s", n, e.what)
			}
		}
	}
	for user := range w.people {
		if n := w.count(func(e event) bool { return e.what == asked && e.user == user+1 }); n != w.wishes {
			t.Errorf("got %d wishes of %d; want %d: somebody is still waiting", n, user+1, w.wishes)
		}
	}
	for e, n := range out {
		extra += n - 1
		if n > 2 || n == 2 && !again[e] {
			t.Errorf("%+v: got %d messages; want 1", e, n)
		}
	}
	keys, err := s.MediaKeys(t.Context())
	for _, key := range keys {
		if !shelf[key] {
			t.Errorf("%s is not on the shelf", key)
		}
	}
	if err != nil {
		t.Error(err)
	}
	return extra
}

// since returns the town as it is when the power has failed after so many operations and is back, with what was left of
// its database in a folder, and the messages on their way then: they may go out again. It says what of the database is
// wrong.
func (w *town) since(
	t *testing.T,
	ops int,
	cut dbtest.Cut,
	random *rand.Rand,
	dir string,
) (next *town, again map[event]bool) {
	t.Helper()
	next = newTown(t, dir, w.people, w.wishes)
	next.crowd = w.crowd
	for _, e := range w.events {
		if e.after <= ops {
			e.after = 0
			if e.what != turnedAway { // a commit whose sync failed may be there or not
				next.events = append(next.events, e)
			}
		}
	}
	if err := w.disk.After(ops, cut, random, dir); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(filepath.Join(dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows, err := readDB(
		t,
		s,
	).Query(`SELECT kind, user_id, r.asset_id, sent IS NULL FROM jobs j JOIN requests r ON r.id = j.request_id
		WHERE started IS NOT NULL`)
	again = map[event]bool{}
	if _, err := collect(rows, err, func(e *event) error {
		var kind store.Kind
		var unsent bool
		if err := rows.Scan(&kind, &e.user, &e.asset, &unsent); err != nil {
			return err
		}
		e.what = map[store.Kind]deed{store.Announce: announced, store.Apologise: apologised, store.Deliver: sent}[kind]
		again[*e] = kind != store.Deliver || unsent
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return next, again
}

// inOwnTime runs fn in a bubble, a day after those before it.
func inOwnTime(t *testing.T, day int, fn func(*testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Duration(day) * 365 * 24 * time.Hour)
		fn(t)
	})
}

// TestPowerCuts lets a town live for a day, cuts the power at hundreds of points of it, and lets the town live on from
// each.
func TestPowerCuts(t *testing.T) {
	notShort(t)
	t.Parallel()
	for name, day := range map[string]struct {
		people         int64
		wishes         int
		points, sample int
	}{"a town": {6, 3, 1500, 100}, "a crowd": {store.FanoutMin + 1, 2, 500, 30}} {
		t.Run(name, func(t *testing.T) {
			points := day.sample
			if *long {
				points = day.points
			}
			dir := t.TempDir()
			w := newTown(t, dir, day.people, day.wishes)
			w.crowd = day.people >= store.FanoutMin
			w.powerCuts(t, dir, points)
		})
	}
}

func (w *town) powerCuts(t *testing.T, dir string, points int) {
	t.Helper()
	path := filepath.Join(dir, "retake.db")
	inOwnTime(t, 0, func(t *testing.T) { w.live(t, path) })
	w.atPeace(t, path, nil)
	if t.Failed() {
		t.FailNow()
	}
	began, ops, seed := time.Now(), w.disk.Ops(), uint64(time.Now().UnixNano())
	cuts := map[string]dbtest.Cut{
		"all that was not synced is lost": {},
		"half of it, some torn":           {Kept: 0.5, Torn: 0.3},
		"nothing, as after kill -9":       {Kept: 1},
	}
	kinds := slices.Sorted(maps.Keys(cuts))
	random := rand.New(rand.NewPCG(seed, 0))
	extra, most := 0, 0
	for n := range points {
		after := 1 + n*ops/points
		kind := kinds[n%len(kinds)]
		name := fmt.Sprintf("%s, after %d of %d (%d)", kind, after, ops, seed)
		dir, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "retake.db")
		next, again := w.since(t, after, cuts[kind], random, dir)
		inOwnTime(t, 1, func(t *testing.T) { next.live(t, path) })
		more := next.atPeace(t, path, again)
		extra, most = extra+more, max(most, more)
		if t.Failed() {
			t.Fatal(name)
		}
		next.leave()
	}
	t.Logf(
		"%d power cuts in a day of %d operations; %d messages went out twice, at most %d after one cut; %.1f s",
		points,
		ops,
		extra,
		most,
		time.Since(began).Seconds(),
	)
}

// TestTheDiskFailsOnce lets one operation of a town's day fail, at every part of the day. Nobody restarts the program,
// except at its very start, and after a sync that failed the power fails, too.
func TestTheDiskFailsOnce(t *testing.T) {
	notShort(t)
	t.Parallel()
	every := 120
	if *long {
		every = 3
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	live := func(t *testing.T, dir string, prepare func(*dbtest.Disk)) *town {
		w := newTown(t, dir, 4, 2)
		prepare(w.disk)
		inOwnTime(t, 0, func(t *testing.T) { w.live(t, filepath.Join(dir, "retake.db")) })
		return w
	}
	plain := live(t, t.TempDir(), func(*dbtest.Disk) {})
	for name, c := range map[string]struct {
		code int32
		kind dbtest.Kind
	}{
		"a write": {dbtest.BadWrite, dbtest.Write}, "a write on a full disk": {dbtest.Full, dbtest.Write},
		"a sync": {dbtest.BadSync, dbtest.Sync}, "a truncation": {dbtest.BadTrunc,
			dbtest.Truncate}, "a deletion": {dbtest.BadDelete, dbtest.Delete},
	} {
		t.Run(name, func(t *testing.T) {
			began, days, most := time.Now(), 0, plain.disk.Ops(c.kind)
			n := 1
			defer func() {
				if t.Failed() {
					t.Logf("it was number %d of %d", n, most)
				}
			}()
			for ; n <= most && !t.Failed(); n += max(1, min(every, most/4)) {
				dir := t.TempDir()
				w := live(t, dir, func(d *dbtest.Disk) { d.Fail(n, c.code, c.kind) })
				if !w.disk.Failed() {
					w.leave()
					continue // this day was shorter
				}
				days++
				w.atPeace(t, filepath.Join(dir, "retake.db"), nil)
				if c.kind == dbtest.Sync {
					ops := w.disk.Ops()
					after := ops - random.IntN(ops/2)
					again := t.TempDir()
					next, twice := w.since(t, after, dbtest.Cut{}, random, again)
					inOwnTime(t, 1, func(t *testing.T) { next.live(t, filepath.Join(again, "retake.db")) })
					next.atPeace(t, filepath.Join(again, "retake.db"), twice)
					next.leave()
				}
				w.leave()
			}
			t.Logf("%d days, each with another of %d; %.1f s", days, most, time.Since(began).Seconds())
		})
	}
}
