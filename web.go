// The page's routes and middleware, and the retries that admins ask for. The only file that imports echo: the pages
// are in internal/desk.

package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"retake.example/internal/desk"
	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// Templates and static files are embedded apart: one folder for both would serve the templates' source to anyone.
var (
	//go:embed web/templates/*.html
	templateFiles embed.FS
	//go:embed web/static
	staticFiles embed.FS
)

// Web is the admin page.
type Web struct {
	ctx     context.Context // the program's
	desk    *desk.Desk
	store   *store.Store
	log     *slog.Logger
	queue   *Queue
	proxies []netip.Prefix // whose X-Forwarded-For counts
	origin  *http.CrossOriginProtection
	https   bool           // browsers reach the page by it
	failed  *rate.Limiter  // answers to links and tokens that don't work, for all clients together
	told    rate.Sometimes // the log, about too many of them
	echo    *echo.Echo
}

// NewWeb prepares the page; Handler serves it. ctx is the program's: what an admin has sent goes on until it ends,
// also when the browser has gone.
func NewWeb(ctx context.Context, st *store.Store, queue *Queue, files media.Store, opts desk.Options,
	log *slog.Logger) *Web {
	opts.Retrier, opts.Forecast, opts.Load, opts.Remover, opts.Feed = queue, queue, queue, queue, queue
	opts.Attempts, opts.Files = queue.opts.Attempts, files
	opts.Templates, opts.Static = folderOf(templateFiles, "web/templates"), folderOf(staticFiles, "web/static")
	pages, err := desk.New(ctx, st, opts, log)
	if err != nil {
		panic(err) // embedded: every test reads them
	}
	w := &Web{
		ctx:     ctx,
		desk:    pages,
		store:   st,
		log:     log,
		queue:   queue,
		proxies: opts.Proxies,
		origin:  http.NewCrossOriginProtection(),
		echo:    echo.New(),
	}
	// Tokens cannot be guessed: this only spares somebody who tries a page for each. It counts failures of all
	// addresses together, because behind a proxy all may have the same one, and refuses no link that works.
	w.https = strings.HasPrefix(desk.Origin(opts.BaseURL), "https:")
	w.failed, w.told = rate.NewLimiter(1, 20), rate.Sometimes{Interval: time.Minute}
	if err := w.origin.AddTrustedOrigin(desk.Origin(opts.BaseURL)); err != nil {
		panic(err) // the settings take addresses only
	}
	w.routes()
	return w
}

func folderOf(files fs.FS, name string) fs.FS {
	folder, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // embedded
	}
	return folder
}

// Handler serves the whole page.
func (w *Web) Handler() http.Handler { return w.echo }

// Close ends the streams of open pages, for which a shutdown of the server would wait.
func (w *Web) Close() { w.desk.Close() }

func (w *Web) routes() {
	e, d := w.echo, w.desk
	e.IPExtractor = func(r *http.Request) string { return desk.ClientAddress(r, w.proxies) }
	e.HTTPErrorHandler = w.fail
	e.Pre(w.guard)

	get := []string{http.MethodGet, http.MethodHead}
	e.Match(get, "/healthz", on(d.Healthz))
	e.Match(get, "/readyz", on(d.Readyz))
	e.Match(get, "/static/*", on(d.StaticFile))
	e.Match(get, "/login", on(d.LoginPage))
	e.Match(get, "/login/:token", on(d.LoginPage), w.fewFailures)
	e.POST("/login/:token", on(d.Login), w.fewFailures)
	e.POST("/language", on(d.ChooseLanguage))
	e.Match(get, "/metrics", on(d.Bearer(d.Metrics)), w.fewFailures)

	// whatever is not listed above wants a session or a token, routes that do not exist included
	in := e.Group("", w.fewFailures, through(d.SignedIn))
	in.Match(get, "/", on(d.Library))
	in.POST("/assets/:id/retry", on(w.retry))
	in.GET("/channels/callback", on(desk.OwnersOnly(d.Connected))) // no HEAD: it spends the answer
	in.POST("/retry-all", on(w.retryAll))
	in.POST("/try-now", on(w.tryNow))
	in.GET("/events", on(d.Events))
	for path, page := range d.Views() {
		in.Match(get, path, on(page))
	}
	for path, act := range d.Actions() {
		in.POST(path, on(act))
	}
}

// on makes a handler of ours one of echo's. It passes on what the route's pattern has found in the path.
func on(h desk.Handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		for i, name := range c.ParamNames() {
			c.Request().SetPathValue(name, c.ParamValues()[i])
		}
		return h(c.Response(), c.Request())
	}
}

// through makes middleware of ours echo's.
func through(middle func(desk.Handler) desk.Handler) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Request().Pattern = c.Path()
			return middle(func(_ http.ResponseWriter, r *http.Request) error {
				c.SetRequest(r) // it knows who is signed in
				return next(c)
			})(c.Response(), c.Request())
		}
	}
}

// guard goes before everything: headers for every answer, no requests from other sites, a panic is an error.
func (w *Web) guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p == http.ErrAbortHandler {
				panic(p) // net/http's own way to hang up
			} else if p != nil {
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		desk.Protect(c.Response().Header())
		if w.https {
			c.Response().Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		if err := w.origin.Check(c.Request()); err != nil {
			return desk.OtherSite
		}
		if err := desk.CheckQuery(c.Request()); err != nil {
			return err
		}
		return next(c)
	}
}

// fewFailures answers only some of the sign-in links and tokens that don't work in words of their own.
func (w *Web) fewFailures(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		code := desk.HTTPErrorOf(err).Code
		if code != desk.BadLink.Code && code != desk.BadToken.Code || w.failed.AllowN(w.store.Now(), 1) {
			return err
		}
		w.told.Do(func() {
			w.log.Warn("somebody tries many sign-in links or tokens that don't work", "address", c.RealIP())
		})
		return desk.TooMany
	}
}

// fail answers a request that ended in an error.
func (w *Web) fail(err error, c echo.Context) {
	switch {
	case errors.Is(err, echo.ErrNotFound):
		err = desk.NotFound
	case errors.Is(err, echo.ErrMethodNotAllowed):
		err = desk.NoMethod
	}
	r := c.Request()
	r.Pattern = c.Path()
	w.desk.Fail(c.Response(), r, err, c.Response().Committed)
}

// retry tries a video, or one of its publications, again.
func (w *Web) retry(rw http.ResponseWriter, r *http.Request) error {
	sent, err := desk.Fields(rw, r)
	if err == nil && sent["platform"] != "" {
		err = desk.MayPublish(r)
	}
	if err != nil {
		return err
	}
	outcome, err := w.queue.Retry(w.ctx, r.PathValue("id"),
		retry.AdminClicked{Admin: desk.AdminOf(r), Platform: sent["platform"]})
	if err != nil {
		return err
	}
	return desk.Done(rw, r, string(outcome), "")
}

// retryAll tries all that an admin was shown to need them again.
func (w *Web) retryAll(rw http.ResponseWriter, r *http.Request) error {
	seen, err := desk.Shown(rw, r)
	if err != nil {
		return err
	}
	f, err := seen.Filter()
	if err == nil && seen.Publications > 0 {
		err = desk.MayPublish(r)
	}
	if err != nil {
		return err
	}
	t, err := retry.Everything(w.ctx, w.store, w.queue, desk.AdminOf(r), f, seen.Shown)
	if err != nil {
		return fmt.Errorf("%w: %w", seen.Stopped(t), err)
	}
	return desk.Retried(rw, r, t)
}

// tryNow tries a video during an outage at once.
func (w *Web) tryNow(rw http.ResponseWriter, r *http.Request) error {
	if err := w.queue.TryNow(w.ctx, desk.AdminOf(r)); err != nil {
		return fmt.Errorf("try now: %w", err)
	}
	return desk.Done(rw, r, "trying", "")
}
