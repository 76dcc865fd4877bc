// Package outage tells whether videos fail for a reason that is not their own: so many different ones in a row, for the same
// reason, with none made in between.
package outage

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Watch watches the videos that are made and those that fail. During an outage it lets one at a time be tried. Judge and Made
// say the same when they are asked the same again: what they were asked for may have to be written twice.
type Watch struct {
	after int           // different videos
	limit time.Duration // the longest outage: then failures count again, so that everybody is told in the end
	every time.Duration // between two tries

	mu     sync.Mutex
	began  time.Time // zero: there is no outage
	reason string
	next   time.Time // when a video is tried
	trying bool
	rows   [2][]failure    // each for one reason, in rows[1] for one that holds the name; during an outage, one is what began it
	which  int             // that one is
	own    map[string]bool // assets, and names in small letters, that failed while another was made: their reason is their own
	ended  string          // the asset that ended the last outage
}

type failure struct {
	asset, reason string
	attempt       int
	name          string // in small letters; empty: it is not in the reason
}

// New returns a Watch for which so many different videos are an outage.
func New(after int, limit, every time.Duration) *Watch {
	return &Watch{after: after, limit: limit, every: every, own: map[string]bool{}}
}

// particulars are the parts of a reason that differ from one video to the next: numbers, addresses, names of folders.
var particulars = regexp.MustCompile(`(job|prepare)-[a-z2-7]{26}|[\pL\d]*\d[\pL\d]*`)

// theName is what engines put into an error where it held the name.
const theName = "[name]"

// patience is how many times as many videos must fail for a reason that holds the name: it is rather their own, but some
// engines tell the name with whatever goes wrong.
const patience = 4

// Judge looks at a failed attempt. held: it belongs to an outage. spent: the outage begins with it, and has cost so many
// earlier attempts of each asset. A reason that holds the name is the video's own, unless there are too many of them.
func (w *Watch) Judge(asset, name string, attempt int, problem string, now time.Time) (held bool, spent map[string]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := strings.ReplaceAll(strings.ReplaceAll(problem, asset, ""), name, theName)
	this, which, many := failure{asset, particulars.ReplaceAllString(text, "0"), attempt, ""}, 0, w.after
	if strings.Contains(text, theName) {
		this.name, which, many = strings.ToLower(name), 1, patience*w.after
	}
	if !w.began.IsZero() {
		row := w.rows[w.which]
		if last := len(row) - 1; last >= 0 && row[last] == this {
			spent = spentOn(row)
		}
		return now.Before(w.began.Add(w.limit)), spent
	}
	if w.own[asset] || w.own[this.name] {
		return false, nil
	}
	row := slices.DeleteFunc(w.rows[which], func(f failure) bool { return f == this || f.reason != this.reason })
	row = append(row, this)
	w.rows[which] = row
	if spent = spentOn(row); len(spent) < many {
		return false, nil
	}
	w.began, w.reason, w.next, w.which = now, problem, now.Add(w.every), which
	return true, spent
}

// Suspect says how long an asset that has spent its attempts should wait, since others fail for the same reason and it may be an
// outage that is not known yet: for so long that as many as make one can be tried, if each takes as long. It is one when more
// others fail alike, too. 0: it should not wait.
func (w *Watch) Suspect(asset string, created, now time.Time, took time.Duration) (wait time.Duration, more int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	row := w.rows[0]
	in := func(f failure) bool { return f.asset == asset }
	alone := !slices.ContainsFunc(row, func(f failure) bool { return !in(f) })
	if alone || !slices.ContainsFunc(row, in) || !now.Before(created.Add(w.limit)) {
		return 0, 0
	}
	return max(w.every, time.Duration(w.after)*took), w.after - len(spentOn(row))
}

// spentOn counts the attempts of each asset in a row, but for the last, which is given back where it is held.
func spentOn(row []failure) map[string]int {
	n := map[string]int{}
	for _, f := range row {
		n[f.asset]++
	}
	n[row[len(row)-1].asset]--
	return n
}

// manyOwn is how many assets and names are remembered to fail for reasons of their own.
const manyOwn = 10_000

// Made is told that a video was made. over: it ends an outage.
func (w *Watch) Made(asset string) (over bool) {
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
	for _, f := range slices.Concat(w.rows[0], w.rows[1]) {
		w.own[f.asset] = true
		if f.name != "" && !over { // in an outage no name is to blame
			w.own[f.name] = true
		}
	}
	w.rows, w.began, w.reason, w.next = [2][]failure{}, time.Time{}, "", time.Time{}
	return over
}

func (w *Watch) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// Admit reports whether a video may be tried now. During an outage nobody else may until Left is called.
func (w *Watch) Admit(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.began.IsZero() || !now.Before(w.began.Add(w.limit)) {
		return true
	}
	if w.trying || now.Before(w.next) {
		return false
	}
	w.trying, w.next = true, now.Add(w.every)
	return true
}

// Left is told when an attempt has ended, or none was begun after Admit.
func (w *Watch) Left() { w.set(func() { w.trying = false }) }

// State returns when the outage under way began, why, when the next video is tried, and whether the outage has lasted so long
// that failures count again; zero times: there is none.
func (w *Watch) State(now time.Time) (began time.Time, reason string, next time.Time, spent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.began, w.reason, w.next, !w.began.IsZero() && !now.Before(w.began.Add(w.limit))
}

// Hurry lets a video be tried at once. during: there is an outage.
func (w *Watch) Hurry() (during bool) {
	w.set(func() {
		if during = !w.began.IsZero(); during {
			w.next = time.Time{}
		}
	})
	return during
}

// Resume goes on with an outage of before, and lets a video be tried at once.
func (w *Watch) Resume(began time.Time, reason string) {
	w.set(func() { w.began, w.reason, w.next = began, reason, time.Time{} })
}
