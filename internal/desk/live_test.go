package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipe is a viewer's connection in fake time: what was written when.
type pipe struct {
	http.ResponseWriter
	began  time.Time
	wrote  []string // "seconds: events"
	broken atomic.Bool
}

func (p *pipe) Write(b []byte) (int, error) {
	if p.broken.Load() {
		return 0, errors.New("broken pipe")
	}
	said := strings.NewReplacer("retry: 1000\n", "", "event: ", "", "\ndata: ", " ", "\ndata:", "", "\n\n",
		";").Replace(string(b))
	p.wrote = append(p.wrote, fmt.Sprintf("%.2f %s", time.Since(p.began).Seconds(), said))
	return len(b), nil
}

func (p *pipe) FlushError() error { return nil }

// onlooker is somebody who looks at the page, in fake time.
type onlooker struct {
	*pipe
	*Live
	may  atomic.Bool // still
	gone bool
	quit func()
}

func newWatch(t *testing.T) *onlooker {
	w := &onlooker{pipe: &pipe{ResponseWriter: httptest.NewRecorder(), began: time.Now()}, Live: NewLive()}
	w.may.Store(true)
	ctx, quit := context.WithCancel(t.Context())
	w.quit = quit
	go func() {
		w.Serve(w.pipe, httptest.NewRequestWithContext(ctx, "GET", "/events", nil), w.may.Load)
		w.gone = true
	}()
	synctest.Wait()
	return w
}

func (w *onlooker) after(d time.Duration) {
	time.Sleep(d) // fake
	synctest.Wait()
}

func TestWhatAViewerIsToldAndWhen(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(w *onlooker)
		want    []string
	}{
		"the first hint is that anything may have changed": {func(*onlooker) {}, []string{"0.00 asset ;"}},
		"a change is told at once": {func(w *onlooker) {
			w.after(time.Second)
			w.Tell("A", 0)
		}, []string{"0.00 asset ;", "1.00 asset A;"}},
		"a burst is told together, each asset once": {func(w *onlooker) {
			w.after(time.Second)
			for _, id := range []string{"A", "B", "C", "B", "C"} {
				w.Tell(id, 0)
				synctest.Wait()
			}
		}, []string{"0.00 asset ;", "1.00 asset A;", "1.15 asset B;asset C;"}},
		"a percentage is no change": {func(w *onlooker) {
			w.after(time.Second)
			w.Tell("A", 40)
		}, []string{"0.00 asset ;", `1.00 progress {"id":"A","pct":40};`}},
		"only the last percentage is told": {func(w *onlooker) {
			w.Tell("A", 40)
			w.Tell("A", 41)
		}, []string{"0.00 asset ;", `0.15 progress {"id":"A","pct":41};`}},
		"a change says more than a percentage, before it and after it": {func(w *onlooker) {
			w.Tell("A", 40)
			w.Tell("A", 0)
			w.Tell("A", 41)
		}, []string{"0.00 asset ;", "0.15 asset A;"}},
		"anything says more than all the rest": {func(w *onlooker) {
			w.Tell("A", 0)
			w.Tell("", 0)
			w.Tell("B", 0)
			w.Tell("C", 50)
		}, []string{"0.00 asset ;", "0.15 asset ;"}},
		"a viewer with more news than can be kept is told that anything may have changed": {func(w *onlooker) {
			for i := range liveNews + 1 {
				w.Tell(fmt.Sprint(i), 0)
			}
		}, []string{"0.00 asset ;", "0.15 asset ;"}},
		"a stream is pinged every 15 seconds": {func(w *onlooker) { w.after(31 * time.Second) },
			[]string{"0.00 asset ;", "15.00 ping;", "30.00 ping;"}},
		"news does not put off the ping": {func(w *onlooker) {
			w.after(10 * time.Second)
			w.Tell("A", 0)
			w.after(5 * time.Second)
		}, []string{"0.00 asset ;", "10.00 asset A;", "15.00 ping;"}},
		"who may not see it any more is told nothing": {func(w *onlooker) {
			w.may.Store(false)
			w.Tell("A", 0)
		}, []string{"0.00 asset ;"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWatch(t)
				c.happens(w)
				w.after(liveRest)
				w.quit()
				synctest.Wait()
				if !slices.Equal(w.wrote, c.want) {
					t.Errorf("got %q; want %q", w.wrote, c.want)
				}
			})
		})
	}
}

func TestAStreamEnds(t *testing.T) {
	for name, end := range map[string]func(w *onlooker){
		"when the viewer goes":   func(w *onlooker) { w.quit() },
		"when the program stops": func(w *onlooker) { w.Live.Close() },
		"at the next hint after the session is over": func(w *onlooker) {
			w.may.Store(false)
			w.Tell("",
				0)
			w.after(liveRest)
		},
		"at the next ping after somebody is no admin any more": func(w *onlooker) { w.may.Store(false); w.after(livePing) },
		"when nothing can be written":                          func(w *onlooker) { w.broken.Store(true); w.after(livePing) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWatch(t)
				if w.gone || len(w.viewers) != 1 {
					t.Fatalf("got gone %v and %d viewers; want one who stays", w.gone, len(w.viewers))
				}
				end(w)
				synctest.Wait()
				if !w.gone || len(w.viewers) != 0 {
					t.Errorf("got gone %v and %d viewers; want nobody", w.gone, len(w.viewers))
				}
				w.quit()
			})
		})
	}
}

func TestAFormLeadsBackToThePageItWasSentFrom(t *testing.T) {
	for referer, want := range map[string]string{
		"":                  "/?notice=joined",
		"http://localhost/": "/?notice=joined",
		"http://localhost/?status=FAILED&q=маша&after=X": "/?after=X&notice=joined&q=%D0%BC%D0%B0%D1%88%D0%B0&status=FAILED",
		"http://localhost/?notice=created&q=a":           "/?notice=joined&q=a",
		"http://localhost/assets/ABC?x=1":                "/assets/ABC?notice=joined&x=1",
		"http://localhost/settings":                      "/?notice=joined",
		"http://localhost/login/TOKEN":                   "/?notice=joined",
		"http://localhost/assets/../x":                   "/?notice=joined",
		"http://localhost//evil.example/":                "/?notice=joined",
		`http://localhost/\evil.example/`:                "/?notice=joined",
		"http://localhost/%2f%2fevil.example":            "/?notice=joined",
		"https://evil.example/assets/A%0d%0aX":           "/?notice=joined",
		"//evil.example":                                 "/?notice=joined",
		"javascript:alert(1)":                            "/?notice=joined",
		"http://[::1":                                    "/?notice=joined",
	} {
		r := httptest.NewRequest("POST", "/assets/X/retry", nil)
		r.Header.Set("Referer", referer)
		if got := Back(r, "joined"); got != want {
			t.Errorf("%q: got %q; want %q", referer, got, want)
		}
	}
}
