// Package outage tells whether videos fail for a reason that is not their own: so many different names in a row,
// asked for by more than one person, for the same reason, with no video made in between.
package outage

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Watch watches the videos that are made and those that fail. During an outage it lets one at a time be tried.
// RecordFailure and RecordSuccess give the same answer when they are called again with the same: the transaction that
// asks may run twice. What such a transaction allowed is taken back by Undo.
type Watch struct {
	after int           // different names
	limit time.Duration // the longest outage: then failures count again, so that everybody is told in the end
	every time.Duration // between two probes

	mu      sync.Mutex
	began   time.Time // zero: there is no outage
	reason  string
	next    time.Time // when a video is tried
	last    time.Time // next, before the probe was allowed
	running int       // videos that were allowed and are not done
	probing bool      // one of them is the probe
	others  int       // how many of them began before the probe
	rows    [2][]row  // each of one reason, in rows[1] of one that holds the name; during an outage, one is what began it
	which   int       // that one is
	ended   string    // the asset that ended the last outage

	// Assets, and keys of names, that failed while another video was made: their reason is their own.
	own map[string]bool
}

// Failure is an attempt at a video that failed.
type Failure struct {
	Asset   string
	Name    string  // as it was typed: engines put it into their errors
	Key     string  // of the name: what a person may type in several ways, and ask for again and again
	Users   []int64 // users waiting for the video; two of them are enough, none if unknown
	Attempt int
	Problem string
}

type row struct {
	asset, key, reason string
	attempt            int
	named              bool // the reason holds the name
	users              [2]int64
}

// New returns a Watch for which that many different names are an outage. An outage holds for limit at most, and a
// video is tried each time that every has passed.
func New(after int, limit, every time.Duration) *Watch {
	return &Watch{after: after, limit: limit, every: every, own: map[string]bool{}}
}

// people is how many must wait for the failing videos: a single one may try five bad names.
const people = 2

// particulars are the parts of a reason that differ from one video to the next: numbers, addresses, names of folders.
var particulars = regexp.MustCompile(`(job|prepare)-[a-z2-7]{26}|[\pL\d]*\d[\pL\d]*`)

// theName is what engines' errors hold in the place of the name.
const theName = "[name]"

// patience is how many times as many names must fail for a reason that holds the name: that is rather their own,
// but some engines put the name into every error.
const patience = 4

// RecordFailure looks at a failed attempt. held says that it belongs to an outage and costs no attempt. spent is
// not nil if the outage begins with it: how many earlier attempts that has cost each asset. A reason that holds the
// name is the video's own, unless there are too many of them.
func (w *Watch) RecordFailure(f Failure, now time.Time) (held bool, spent map[string]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := strings.ReplaceAll(f.Problem, f.Asset, "")
	if f.Name != "" {
		text = strings.ReplaceAll(text, f.Name, theName)
	}
	this := row{asset: f.Asset, key: f.Key, reason: particulars.ReplaceAllString(text, "0"), attempt: f.Attempt,
		named: strings.Contains(text, theName)}
	copy(this.users[:], f.Users)
	which, many := 0, w.after
	if this.named {
		which, many = 1, patience*w.after
	}
	if !w.began.IsZero() {
		row := w.rows[w.which]
		if last := len(row) - 1; last >= 0 && row[last] == this {
			spent = spentOn(row)
		}
		return w.holds(now), spent
	}
	if w.own[this.asset] || this.named && w.own[this.key] {
		return false, nil
	}
	rows := slices.DeleteFunc(w.rows[which], func(r row) bool { return r == this || r.reason != this.reason })
	rows = append(rows, this)
	w.rows[which] = rows
	if names, users := different(rows); names < many || users < people {
		return false, nil
	}
	w.began, w.reason, w.next, w.which = now, f.Problem, now.Add(w.every), which
	return true, spentOn(rows)
}

// ShouldWait returns how long an asset that has used its attempts should wait, because others fail for the same
// reason and that may be an outage that is not known yet: so long that as many as make one can be tried, if each
// takes as long. It is one if more other names fail alike, too. It returns 0 if the asset should not wait.
func (w *Watch) ShouldWait(asset string, created, now time.Time, took time.Duration) (wait time.Duration, more int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rows := w.rows[0]
	in := func(r row) bool { return r.asset == asset }
	i := slices.IndexFunc(rows, in)
	if i < 0 || !slices.ContainsFunc(rows, func(r row) bool { return r.key != rows[i].key }) {
		return 0, 0
	}
	if created.After(now) || now.Sub(created) >= w.limit { // of the future: by a clock that was ahead
		return 0, 0
	}
	names, _ := different(rows)
	return max(w.every, time.Duration(w.after)*took), max(1, w.after-names)
}

// different counts the names in rows, and the people waiting for them. A name counts as a person if nobody knows who
// waits for it.
func different(rows []row) (names, users int) {
	keys, ids := map[string]bool{}, map[any]bool{}
	for _, r := range rows {
		keys[r.key] = true
		if r.users[0] == 0 {
			ids[r.key] = true
		}
		for _, id := range r.users {
			if id != 0 {
				ids[id] = true
			}
		}
	}
	return len(keys), len(ids)
}

// spentOn counts the attempts of each asset in rows, but for the last one, which is given back when it is held.
func spentOn(rows []row) map[string]int {
	n := map[string]int{}
	for _, r := range rows {
		n[r.asset]++
	}
	n[rows[len(rows)-1].asset]--
	return n
}

// holds reports whether there is an outage that holds videos. A beginning in the future was dated by a clock that was
// ahead: it would hold them until then.
func (w *Watch) holds(now time.Time) bool {
	if w.began.IsZero() {
		return false
	}
	if w.began.After(now) {
		w.began = now
	}
	return now.Sub(w.began) < w.limit
}

// manyOwn is how many assets and names are remembered to fail for reasons of their own.
const manyOwn = 10_000

// RecordSuccess counts a video that was made. over says that it ends an outage.
func (w *Watch) RecordSuccess(asset string) (over bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.began.IsZero() && w.ended == asset {
		return true
	}
	if over = !w.began.IsZero(); over {
		w.ended = asset
	}
	if len(w.own) > manyOwn {
		clear(w.own)
	}
	for _, r := range slices.Concat(w.rows[0], w.rows[1]) {
		w.own[r.asset] = true
		if r.named && !over { // in an outage no name is to blame
			w.own[r.key] = true
		}
	}
	w.rows, w.began, w.reason, w.next = [2][]row{}, time.Time{}, "", time.Time{}
	return over
}

// Allow reports whether a video may be made now. During an outage it allows one, and no other before that is done.
// Each call that returns true is followed by one of Done or Undo.
func (w *Watch) Allow(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.holds(now) {
		if w.next.Sub(now) > w.every { // the clock was set back since
			w.next = now.Add(w.every)
		}
		if w.probing || now.Before(w.next) {
			return false
		}
		w.probing, w.others, w.last, w.next = true, w.running, w.next, now.Add(w.every)
	}
	w.running++
	return true
}

// Done ends what Allow has allowed: the attempt has ended, or none was begun. Nobody says which one it was; so the
// probe counts as done when it and all that began before it are: there is never a second one beside it.
func (w *Watch) Done() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = max(0, w.running-1)
	if w.others--; w.others < 0 {
		w.probing, w.others = false, 0
	}
}

// Undo takes back what Allow has allowed, in a transaction that was rolled back: another probe may begin at once.
func (w *Watch) Undo() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = max(0, w.running-1)
	if w.probing && w.running == w.others { // it was the probe
		w.probing, w.others, w.next = false, 0, w.last
	}
}

// State returns when the outage under way began, why, when the next video is tried, and whether the outage has
// lasted so long that failures count again. The times are zero if there is none.
func (w *Watch) State(now time.Time) (began time.Time, reason string, next time.Time, spent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	spent = !w.holds(now) && !w.began.IsZero()
	return w.began, w.reason, w.next, spent
}

// ProbeNow lets a video be tried at once. It returns false if there is no outage.
func (w *Watch) ProbeNow() (during bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if during = !w.began.IsZero(); during {
		w.next = time.Time{}
	}
	return during
}

// Resume continues an outage that an earlier process recorded, and lets a video be tried at once.
func (w *Watch) Resume(began time.Time, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began, w.reason, w.next = began, reason, time.Time{}
}
