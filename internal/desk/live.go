// Live events: open pages are told that something has changed. What it is they ask themselves: an event is a hint.

package desk

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	liveRest = 150 * time.Millisecond // between two looks at a viewer's news: what comes in the meantime goes together
	livePing = 15 * time.Second       // keeps proxies from hanging up, and tells a page that its stream is alive
	// assets; of more, a viewer who does not keep up is told that anything may have changed
	liveNews = 64
)

// Live holds the open pages.
type Live struct {
	Close func() // ends all streams, and those to come

	over    <-chan struct{}
	mu      sync.Mutex
	viewers map[*viewer]bool
}

type viewer struct {
	wake chan struct{}  // holds a token while there is news
	news map[string]int // by asset: the percentage of its render, or 0 when more than that changed; "": any may have
}

// NewLive returns a Live without viewers.
func NewLive() *Live {
	over, end := context.WithCancel(context.Background())
	return &Live{Close: end, over: over.Done(), viewers: map[*viewer]bool{}}
}

// Tell tells every viewer that an asset changed, or with "" that any may have. With a percentage only that of its
// render did. It never waits.
func (l *Live) Tell(asset string, percent int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for v := range l.viewers {
		v.hear(asset, percent)
	}
}

func (v *viewer) hear(asset string, percent int) {
	_, all := v.news[""]
	old, known := v.news[asset]
	switch {
	case all, known && old == 0: // the hint on its way is enough
	case asset == "", len(v.news) == liveNews:
		v.news = map[string]int{"": 0}
	default:
		v.news[asset] = percent
	}
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// Serve sends events until the viewer goes, still says no, or Close: "asset" with an id as data, empty when any asset
// may have changed, "progress" with {"id":…,"pct":…}, and "ping". The first is an empty "asset": what changed while
// the page was on its way is not missed.
func (l *Live) Serve(w http.ResponseWriter, r *http.Request, still func() bool) {
	v := &viewer{wake: make(chan struct{}, 1), news: map[string]int{}}
	v.hear("", 0)
	l.mu.Lock()
	l.viewers[v] = true
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.viewers, v)
		l.mu.Unlock()
	}()

	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	ping := time.NewTicker(livePing)
	defer ping.Stop()
	wake, rest := v.wake, (<-chan time.Time)(nil)
	hello := "retry: 1000\n" // ms until a page whose stream was cut comes back
	for {
		said := "event: ping\ndata:\n\n"
		select {
		case <-r.Context().Done():
			return
		case <-l.over:
			return
		case <-rest:
			rest, wake = nil, v.wake
			continue
		case <-wake:
			said, hello = hello+l.take(v), ""
			rest, wake = time.After(liveRest), nil
		case <-ping.C:
		}
		if !still() {
			return
		}
		if _, err := io.WriteString(w, said); err != nil {
			return // the viewer has gone
		}
		if err := out.Flush(); err != nil {
			return
		}
	}
}

// take returns a viewer's news as events, and forgets them.
func (l *Live) take(v *viewer) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, asset := range slices.Sorted(maps.Keys(v.news)) {
		if percent := v.news[asset]; percent > 0 {
			fmt.Fprintf(&b, "event: progress\ndata: {\"id\":%q,\"pct\":%d}\n\n", asset, percent)
		} else {
			fmt.Fprintf(&b, "event: asset\ndata: %s\n\n", asset)
		}
	}
	clear(v.news)
	return b.String()
}

// feed is where changes come from.
type feed interface {
	View(told func(assetID string, percent int)) (end func())
}

// Events tells a page what changes, for as long as its reader may see it.
func (d *Desk) Events(w http.ResponseWriter, r *http.Request) error {
	leave, ok := d.streams.enter(sessionOf(r))
	if !ok {
		return TooManyPages
	}
	defer leave()
	d.live.Serve(w, r, func() bool {
		v, _ := visitorOf(r)
		return d.still(r.Context(), v) == nil
	})
	return nil
}
