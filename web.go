// The desk: the page where admins see every video, play it and press Retry. Routes, sign-in, and what templates show.

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/video"
	"retake.example/internal/worker"

	"retake.example/internal/store"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/media"
)

// Templates and static files are embedded apart: one folder for both would serve the templates' source to anyone.
var (
	//go:embed web/templates/*.html
	templateFiles embed.FS
	//go:embed web/static
	staticFiles embed.FS
)

const (
	linkLife = 15 * time.Minute // of a sign-in link
	pageSize = 24               // cards of a library page
	tongue   = "lang"           // name of the cookie with the language somebody chose
)

// mediaFiles are the files of finished videos; fs.ErrNotExist when there is none with that key.
type mediaFiles interface {
	Ready(ctx context.Context) error // nil: they can be read and put, or why not, in a sentence
	Open(ctx context.Context, key string) (io.ReadSeekCloser, error)
	Put(ctx context.Context, key, path string, progress func(sent int64)) error
	Delete(ctx context.Context, key string) error
}

// WebOptions are the operator's choices for the page.
type WebOptions struct {
	BaseURL  string                             // where browsers find the page; https makes the cookie Secure
	Role     func(id int64) (store.Admin, bool) // who may sign in by the settings; see Store.RoleOf
	Offers   []video.Offer                      // the templates of videos made on the page; at least one
	Lang     string                             // of videos made on the page
	ReuseFor time.Duration                      // how long a finished video serves the next wish for the name
	CanDraw  func(template, name string) error  // nil error: that template has every letter
	Ready    func(ctx context.Context) []string // messages or sentences about what is missing; none: all is well
	Free     func() (bytes int64, err error)    // on the disk
	BotOn    bool                               // /admin in the bot gives a sign-in link
	Staff    desk.Staff                         // the same people, for their names in the activity list
	Limits   []desk.Limit                       // as Settings shows them
	Covers   *desk.Covers                       // pictures of the templates; nil: there are none
	Uploads  *desk.Uploads                      // takes the files of videos that admins send
	Inspect  inspector                          // looks at such a file
	Studio   publisher                          // speaks to the platforms
	Stuck    func() []string                    // why work does not flow, a sentence each
	Metrics  http.Handler                       // answers /metrics
	Token    string                             // opens /metrics to a program without a session; "": none does

	Resume  func(ctx context.Context, updates []store.Update) // handles updates that were held; nil: the bot is off
	Backups func() desk.Backup                                // how they go; nil: nobody knows
}

// publisher connects channels and changes what is on the platforms. What it refuses is one of desk's refusals, an error of
// the store, or what the platform said: "youtube REASON: …".
type publisher interface {
	About(ctx context.Context) (desk.Studio, error)
	HandPage() string                                                                 // where an admin uploads to Rumble by hand
	Ask(ctx context.Context, session [32]byte, channel int64) (url string, err error) // 0: any channel
	Answer(ctx context.Context, session [32]byte, query url.Values, admin store.Admin) (store.Channel, error)
	Check(ctx context.Context, channel int64, admin store.Admin) error
	Disconnect(ctx context.Context, channel int64, admin store.Admin) error
	Update(ctx context.Context, assetID, platform string, admin store.Admin) error
	Remove(ctx context.Context, assetID, platform string, admin store.Admin) error
	MarkPublished(ctx context.Context, assetID, platform, url string, admin store.Admin) error
}

// inspector finds out what a file shows and draws a still of it. The file stays; desk.ErrUnplayable when it is no video.
type inspector func(ctx context.Context, path string) (Rendered, error)

// Web is the admin page.
type Web struct {
	store  *store.Store
	queue  *Queue
	files  mediaFiles
	opts   WebOptions
	log    *slog.Logger
	pages  desk.Pages
	cookie string // name of the session cookie
	origin *http.CrossOriginProtection
	tries  middleware.RateLimiterStore // of sign-in links, by address
	live   *desk.Live
	echo   *echo.Echo
}

// NewWeb prepares the page; Handler serves it.
func NewWeb(st *store.Store, queue *Queue, files mediaFiles, opts WebOptions, log *slog.Logger) *Web {
	w := &Web{store: st, queue: queue, files: files, opts: opts, log: log, cookie: "retake",
		origin: http.NewCrossOriginProtection(), live: desk.NewLive(), echo: echo.New()}
	queue.View(w.live.Tell)
	if w.secure() {
		w.cookie = "__Host-retake" // no other host of the domain can plant it
	}
	// Tokens cannot be guessed: this only keeps somebody who tries from being a load on the database.
	w.tries = middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{
		Rate: 0.5, Burst: 20, ExpiresIn: 5 * time.Minute})
	voices := map[string]desk.Say{}
	for _, l := range lang.Languages {
		voices[l] = voice(l)
	}
	var err error
	if w.pages, err = desk.NewPages(templateFiles, "web/templates/*.html", voices, func() time.Time { return st.Now() }); err != nil {
		panic(err) // embedded: every test reads them
	}
	w.routes()
	return w
}

// voice says the messages of a language.
func voice(language string) desk.Say {
	return func(id string, vars desk.Vars) string { return lang.Say(language, id, vars) }
}

// language is what the client reads: what was chosen on the page, or else what the browser prefers. Programs read English.
func language(c echo.Context) string {
	if chosen, err := c.Cookie(tongue); err == nil && slices.Contains(lang.Languages, chosen.Value) {
		return chosen.Value
	}
	return lang.Prefer(c.Request().Header.Get("Accept-Language"), "en")
}

// problems says what is missing.
func (w *Web) problems(c echo.Context, language string) (said []string) {
	for _, problem := range w.opts.Ready(c.Request().Context()) {
		said = append(said, lang.Say(language, problem, nil))
	}
	return said
}

func say(c echo.Context, id string) string { return lang.Say(language(c), id, nil) }

// Handler serves the whole page.
func (w *Web) Handler() http.Handler { return w.echo }

// Close ends the streams of open pages, for which a shutdown of the server would wait.
func (w *Web) Close() { w.live.Close() }

// choice reports whether there is more than one template to make a video with.
func (w *Web) choice() bool { return len(w.opts.Offers) > 1 }

func (w *Web) secure() bool { return strings.HasPrefix(strings.ToLower(w.opts.BaseURL), "https:") }

func (w *Web) routes() {
	e := w.echo
	e.IPExtractor = echo.ExtractIPDirect() // forwarded headers are anybody's word
	e.HTTPErrorHandler = w.fail
	e.Pre(w.guard)

	get := []string{http.MethodGet, http.MethodHead}
	e.Match(get, "/healthz", w.healthz)
	e.Match(get, "/readyz", w.readyz)
	e.Match(get, "/static/*", w.staticFile)
	e.Match(get, "/login", w.loginPage)
	e.Match(get, "/login/:token", w.loginPage)
	e.POST("/login/:token", w.login)
	e.POST("/language", w.chooseLanguage)

	e.Match(get, "/metrics", echo.WrapHandler(w.opts.Metrics), w.bearer)

	in := e.Group("", w.signedIn) // whatever is not listed above wants a session, routes that do not exist included
	in.Match(get, "/", w.library)
	in.Match(get, "/assets/:id", w.asset)
	in.POST("/assets", w.makeAsset)
	in.Match(get, "/upload", w.askUpload)
	in.POST("/uploads", w.upload)
	in.POST("/assets/:id/retry", w.retry)
	in.POST("/assets/:id/metadata", w.saveMetadata)
	in.Match(get, "/assets/:id/delete", w.askDelete)
	in.POST("/assets/:id/delete", w.delete)
	in.Match(get, "/assets/:id/publish", w.askPublish)
	in.POST("/assets/:id/publish", w.publish)
	in.POST("/assets/:id/published", w.markPublished)
	in.POST("/assets/:id/update", w.updatePublished)
	in.Match(get, "/assets/:id/unpublish", w.askUnpublish)
	in.POST("/assets/:id/unpublish", w.unpublish)
	in.Match(get, "/channels", w.channels)
	in.POST("/channels/connect", w.connect, ownersOnly)
	in.GET("/channels/callback", w.connected, ownersOnly) // no HEAD: it spends the answer
	in.POST("/channels/:id/check", w.checkChannel, ownersOnly)
	in.Match(get, "/channels/:id/disconnect", w.askDisconnect, ownersOnly)
	in.POST("/channels/:id/disconnect", w.disconnect, ownersOnly)
	in.Match(get, "/retry-all", w.askRetryAll)
	in.POST("/retry-all", w.retryAll)
	in.POST("/try-now", w.tryNow)
	in.POST("/held", w.decideHeld, ownersOnly)
	in.GET("/events", w.events)
	in.Match(get, "/media/:id", w.file(func(v store.Video) string { return v.File }))
	in.Match(get, "/thumbs/:id", w.file(func(v store.Video) string { return v.Thumb }))
	in.POST("/logout", w.logout((*store.Tx).SignOut))
	in.POST("/logout-everywhere", w.logout((*store.Tx).SignOutEverywhere))
	in.Match(get, "/activity", w.activity)
	in.Match(get, "/settings", w.settings)
	in.Match(get, "/templates/:picture", w.cover)
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
		if err := w.origin.Check(c.Request()); err != nil {
			return desk.OtherSite
		}
		if err := desk.CheckQuery(c.Request()); err != nil {
			return err
		}
		return next(c)
	}
}

// ---- errors

// refusalOf says what the client is told for an error.
func refusalOf(err error) desk.Refusal {
	busy, isBusy := errors.AsType[store.Busy](err)
	_, isAway := errors.AsType[*media.Trouble](err)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, echo.ErrNotFound):
		return desk.NotFound
	case errors.Is(err, store.ErrForbidden):
		return desk.Refusal{Status: http.StatusForbidden, Code: "FORBIDDEN", ID: "error_forbidden"}
	case errors.Is(err, store.ErrNotFailed):
		return desk.Refusal{Status: http.StatusConflict, Code: "NOT_FAILED", ID: "error_not_failed"}
	case isAway:
		return desk.Away
	case errors.Is(err, store.ErrExists):
		return desk.Exists
	case errors.Is(err, store.ErrNotPublishable):
		return desk.Refusal{Status: http.StatusConflict, Code: "NOT_PUBLISHABLE", ID: "error_not_publishable"}
	case isBusy:
		return desk.Refusal{Status: http.StatusConflict, Code: "BUSY", ID: desk.Busy(string(busy))}
	case errors.Is(err, echo.ErrMethodNotAllowed):
		return desk.Refusal{Status: http.StatusMethodNotAllowed, Code: "METHOD_NOT_ALLOWED", ID: "error_method"}
	}
	return desk.RefusalOf(err)
}

// note logs what is not the client's doing.
func (w *Web) note(c echo.Context, r desk.Refusal, err error) {
	if slices.Contains([]string{desk.Internal.Code, desk.Away.Code, desk.Platform}, r.Code) && c.Request().Context().Err() == nil {
		// The route, not the URL: that may hold the token of a sign-in link.
		w.log.Error("request failed", "method", c.Request().Method, "route", c.Path(), "err", err)
	}
}

// fail answers a request that ended in an error.
func (w *Web) fail(err error, c echo.Context) {
	r := refusalOf(err)
	w.note(c, r, err)
	if c.Response().Committed {
		return
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	words := voice(language(c))(r.ID, r.Vars)
	switch {
	case desk.WantsJSON(c.Request()):
		err = c.JSON(r.Status, map[string]any{"success": false, "error": map[string]string{"code": r.Code, "message": words}})
	case r.Code == desk.SignedOut.Code:
		err = c.Redirect(http.StatusSeeOther, "/login")
	case r.Code == desk.BadLink.Code:
		err = w.page(c, r.Status, "login", desk.Frame{Title: say(c, "title_login")}, desk.Door{Problem: words, BotOn: w.opts.BotOn})
	case c.Path() == "/uploads":
		err = w.page(c, r.Status, "upload", desk.Frame{Title: say(c, "title_upload"), SignedIn: true}, w.opts.Uploads.Page(words))
	default:
		err = w.page(c, r.Status, "error", desk.Frame{Title: say(c, "title_error"), SignedIn: c.Get("admin") != nil}, words)
	}
	if err != nil {
		w.log.Error("answer with an error", "route", c.Path(), "err", err)
	}
}

// ---- answers

func (w *Web) page(c echo.Context, status int, name string, frame desk.Frame, view any) error {
	b, err := w.pages.Fill(language(c), name, desk.Page{Frame: frame, View: view})
	if err != nil {
		return err
	}
	return c.HTMLBlob(status, b)
}

// answer gives what a program and a page show alike: as JSON, or in the template.
func (w *Web) answer(c echo.Context, name string, frame desk.Frame, view any) error {
	if desk.WantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, view)
	}
	frame.SignedIn, frame.Notice = true, desk.Notice(voice(language(c)), c.QueryParams())
	return w.page(c, http.StatusOK, name, frame, view)
}

// done answers a form or a program whose wish was granted.
func done(c echo.Context, outcome, id string) error {
	return doneAt(c, desk.Back(c.Request(), outcome), outcome, id)
}

// doneAt answers a form on another page than the one it was sent from.
func doneAt(c echo.Context, to, outcome, id string) error {
	if desk.WantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, struct {
			Success bool   `json:"success"`
			Outcome string `json:"outcome"`
			ID      string `json:"id,omitzero"`
		}{true, outcome, id})
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// refuse answers a form with faults at its fields: with the page that it stands on, or as JSON.
func (w *Web) refuse(c echo.Context, name, title string, view any, faults map[string]string) error {
	r := desk.Invalid("error_fields", nil)
	if desk.WantsJSON(c.Request()) {
		return c.JSON(r.Status, map[string]any{"success": false, "error": map[string]any{"code": r.Code, "message": say(c, r.ID), "fields": faults}})
	}
	return w.page(c, r.Status, name, desk.Frame{Title: title, SignedIn: true}, view)
}

// ---- health

// healthz says that the database answers. Neither check is logged.
func (w *Web) healthz(c echo.Context) error { return w.check(c, nil) }

// readyz says why work does not flow, a sentence a line.
func (w *Web) readyz(c echo.Context) error { return w.check(c, w.opts.Stuck()) }

func (w *Web) check(c echo.Context, missing []string) error {
	if _, err := w.store.HadSession(c.Request().Context()); err != nil {
		missing = append(missing, "The database does not answer.")
	}
	status, text := http.StatusOK, "ok\n"
	if len(missing) > 0 {
		status, text = http.StatusServiceUnavailable, strings.Join(missing, "\n")+"\n"
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	if desk.WantsJSON(c.Request()) {
		return c.JSON(status, map[string]any{"success": len(missing) == 0, "reasons": append([]string{}, missing...)})
	}
	return c.String(status, text)
}

// bearer lets through who has the token of /metrics, or is signed in.
func (w *Web) bearer(next echo.HandlerFunc) echo.HandlerFunc {
	signedIn := w.signedIn(next)
	return func(c echo.Context) error {
		given, ok := strings.CutPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
		switch {
		case !ok:
			return signedIn(c)
		case w.opts.Token == "" || subtle.ConstantTimeCompare([]byte(given), []byte(w.opts.Token)) != 1:
			return desk.BadToken
		}
		return next(c)
	}
}

// ---- sign-in

// newToken returns 32 random bytes as text.
func newToken() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func hashOf(token string) [32]byte { return sha256.Sum256([]byte(token)) }

// NewLink makes a sign-in link for an admin. It works once, for 15 minutes; only the hash of its token is stored.
func NewLink(ctx context.Context, st *store.Store, baseURL string, admin int64) (url string, err error) {
	token := newToken()
	err = st.Tx(ctx, func(tx *store.Tx) error { return tx.SaveLink(hashOf(token), admin, tx.Now().Add(linkLife)) })
	if err != nil {
		return "", fmt.Errorf("save a sign-in link: %w", err)
	}
	return strings.TrimSuffix(baseURL, "/") + "/login/" + token, nil
}

// signedIn lets requests with a session of somebody who is still an admin through.
func (w *Web) signedIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx := c.Request().Context()
		cookie, err := c.Cookie(w.cookie)
		if err != nil {
			return desk.SignedOut
		}
		admin, stale, err := w.whose(ctx, hashOf(cookie.Value))
		if err != nil {
			return err
		}
		if stale {
			if err := w.store.Tx(ctx, func(tx *store.Tx) error { return tx.Seen(hashOf(cookie.Value)) }); err != nil {
				return fmt.Errorf("prolong a session: %w", err)
			}
			w.setCookie(c, w.cookie, cookie.Value, store.SessionLife)
		}
		c.Set("admin", admin)
		c.Set("session", hashOf(cookie.Value))
		return next(c)
	}
}

// whose returns the admin of a session; desk.SignedOut when it has ended or they are none any more. stale: see Store.Session.
func (w *Web) whose(ctx context.Context, session [32]byte) (admin store.Admin, stale bool, err error) {
	id, stale, err := w.store.Session(ctx, session)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return admin, false, desk.SignedOut
	case err != nil:
		return admin, false, fmt.Errorf("read a session: %w", err)
	}
	admin, ok, err := w.store.RoleOf(ctx, w.opts.Role, id)
	if err == nil && !ok {
		err = desk.SignedOut
	}
	return admin, stale, err
}

// adminOf returns who is signed in, sessionHash by which session.
func adminOf(c echo.Context) store.Admin  { return c.Get("admin").(store.Admin) }
func sessionHash(c echo.Context) [32]byte { return c.Get("session").([32]byte) }

// setCookie gives the browser a cookie for life, or takes it away when that is negative.
func (w *Web) setCookie(c echo.Context, name, value string, life time.Duration) {
	c.SetCookie(&http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: w.secure(), SameSite: http.SameSiteLaxMode})
}

// loginPage shows the button that spends a link, or says how to get one. It spends nothing itself: Telegram's preview
// opens every link.
func (w *Web) loginPage(c echo.Context) error {
	frame, view := desk.Frame{Title: say(c, "title_login")}, desk.Door{BotOn: w.opts.BotOn, Token: c.Param("token")}
	if view.Token == "" {
		return w.page(c, http.StatusOK, "login", frame, view)
	}
	if err := w.mayTry(c); err != nil {
		return err
	}
	good, err := w.store.LinkIsGood(c.Request().Context(), hashOf(view.Token))
	switch {
	case err != nil:
		return fmt.Errorf("look at a sign-in link: %w", err)
	case !good:
		return desk.BadLink
	}
	return w.page(c, http.StatusOK, "login", frame, view)
}

// login spends a link. The session is always a new one, and the browser's old one ends.
func (w *Web) login(c echo.Context) error {
	if err := w.mayTry(c); err != nil {
		return err
	}
	old := ""
	if cookie, err := c.Cookie(w.cookie); err == nil {
		old = cookie.Value
	}
	session := newToken()
	err := w.store.Tx(c.Request().Context(), func(tx *store.Tx) error {
		admin, err := tx.SpendLink(hashOf(c.Param("token")), hashOf(session))
		if err != nil {
			return err
		}
		switch _, ok, err := tx.RoleOf(w.opts.Role, admin); {
		case err != nil:
			return err
		case !ok:
			return store.ErrNotFound // the same answer as for a spent link: nobody learns who is an admin
		}
		if err := tx.SignOut(hashOf(old)); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin, Action: "sign in"})
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return desk.BadLink
	case err != nil:
		return fmt.Errorf("sign in: %w", err)
	}
	w.setCookie(c, w.cookie, session, store.SessionLife)
	return c.Redirect(http.StatusSeeOther, "/")
}

func (w *Web) mayTry(c echo.Context) error {
	if ok, err := w.tries.Allow(c.RealIP()); err != nil || !ok {
		return desk.TooMany
	}
	return nil
}

// logout ends the session, or all of that admin's.
func (w *Web) logout(end func(tx *store.Tx, session [32]byte) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := w.store.Tx(c.Request().Context(), func(tx *store.Tx) error { return end(tx, sessionHash(c)) }); err != nil {
			return fmt.Errorf("sign out: %w", err)
		}
		w.setCookie(c, w.cookie, "", -time.Second)
		if desk.WantsJSON(c.Request()) {
			return done(c, "signed out", "")
		}
		return c.Redirect(http.StatusSeeOther, "/login")
	}
}

// chooseLanguage keeps the language in which somebody wants to read the page.
func (w *Web) chooseLanguage(c echo.Context) error {
	sent, err := desk.Fields(c.Response(), c.Request())
	if err != nil {
		return err
	}
	chosen := sent["lang"]
	if !slices.Contains(lang.Languages, chosen) {
		return desk.Invalid("error_language", desk.Vars{"Offered": strings.Join(lang.Languages, ", ")})
	}
	w.setCookie(c, tongue, chosen, 365*24*time.Hour)
	if desk.WantsJSON(c.Request()) {
		return done(c, "chosen", "")
	}
	return c.Redirect(http.StatusSeeOther, "/settings")
}

// ---- the library

// retryAllView is the question of Retry all about what a filter shows.
type retryAllView struct {
	Success    bool `json:"success"`
	store.Need `json:"need_you"`
	desk.Found
}

// Moment is when the last of the publications failed, as Shown reads it.
func (v retryAllView) Moment() string { return v.Until.Format(time.RFC3339Nano) }

// filterOf is what a page of the library shows.
func filterOf(found desk.Found) (store.Filter, error) {
	f := store.Filter{Status: store.Status(found.Status), Platform: found.Platform, Exact: found.Query, Search: lang.SearchKey(found.Query)}
	switch f.Status {
	case "", store.Pending, store.Processing, store.Completed, store.Failed:
	default:
		return f, desk.Invalid("error_status", nil)
	}
	switch f.Platform {
	case "", "YOUTUBE", "RUMBLE":
	default:
		return f, desk.Invalid("error_platform", nil)
	}
	return f, nil
}

func foundBy(c echo.Context) desk.Found {
	return desk.Found{Status: c.QueryParam("status"), Platform: c.QueryParam("platform"), Query: strings.TrimSpace(c.QueryParam("q"))}
}

func (w *Web) library(c echo.Context) error {
	f, err := filterOf(foundBy(c))
	if err != nil {
		return err
	}
	f.After, f.Limit = c.QueryParam("after"), pageSize
	view, err := w.loadLibrary(c, f)
	if err != nil {
		return fmt.Errorf("library: %w", err)
	}
	return w.answer(c, "library", desk.Frame{Title: say(c, "nav_library"), Here: "/"}, view)
}

func (w *Web) loadLibrary(c echo.Context, f store.Filter) (desk.Library, error) {
	ctx := c.Request().Context()
	view := desk.Library{Success: true, Status: string(f.Status), Platform: f.Platform, Query: f.Exact, Paged: f.After != "", BotOn: w.opts.BotOn,
		Counts: map[string]int{}, Problems: w.problems(c, language(c))}
	counts, err := w.store.Counts(ctx, f)
	if err != nil {
		return view, err
	}
	for status, n := range counts {
		view.Counts[string(status)] = n
	}
	view.Count(voice(language(c)))
	size := f.Limit
	f.Limit++ // one more than is shown tells whether there is a next page
	list, err := w.store.Library(ctx, f, view.Total)
	if err != nil {
		return view, err
	}
	if len(list) > size {
		list = list[:size]
		view.Next = list[size-1].Place()
	}
	if w.choice() {
		for _, o := range w.opts.Offers {
			view.Options = append(view.Options, desk.Option{ID: o.ID, Title: video.TitleOf(w.opts.Offers, o.ID, language(c))})
		}
	}
	platforms, err := w.store.Platforms(ctx)
	if err != nil {
		return view, err
	}
	view.Choose(platforms)
	if f.Platform == "" { // a video that failed is on none
		if view.Need.Count, err = w.store.Needs(ctx, adminOf(c), f); err != nil {
			return view, err
		}
	}
	if view.Need.Publications, _, err = w.store.CountUnpublished(ctx, adminOf(c), f); err != nil {
		return view, err
	}
	if view.Health, err = w.health(c); err != nil {
		return view, err
	}
	channels, err := w.channelList(c)
	if err != nil {
		return view, err
	}
	view.Ended = desk.EndedOf(channels)
	unwanted, err := w.store.Unwanted(ctx)
	if err != nil {
		return view, err
	}
	for _, u := range unwanted {
		view.Unwanted = append(view.Unwanted, desk.Unwanted(u))
	}
	view.Cards, err = w.cards(c, list...)
	return view, err
}

// health says how work goes.
func (w *Web) health(c echo.Context) (h desk.Health, err error) {
	h.Busy, h.Workers = w.queue.Busy()
	if h.Free, err = w.opts.Free(); err != nil {
		w.log.Warn("look for room on the disk", "err", err) // the library is of use without it
	}
	if o, next, spent := w.queue.Outage(); !o.Began.IsZero() {
		h.Outage = &desk.Outage{Began: o.Began, Spent: spent, Reason: desk.Reason(voice(language(c)), o.Reason, "reason_other"), Error: o.Reason, Next: next}
	}
	if w.opts.Backups != nil {
		h.Backup = w.opts.Backups()
	}
	if h.Held, err = w.store.Held(c.Request().Context()); err != nil {
		return h, err
	}
	h.Decide = adminOf(c).Owner
	h.Oldest, err = w.store.OldestWaiting(c.Request().Context())
	return h, err
}

func (w *Web) asset(c echo.Context) error {
	view, err := w.detail(c)
	if err != nil {
		return err
	}
	return w.answer(c, "asset", desk.Frame{Title: view.Card.Name}, view)
}

// detail is the page of the video that the address names.
func (w *Web) detail(c echo.Context) (desk.Detail, error) {
	d, err := w.store.Detail(c.Request().Context(), c.Param("id"))
	if err != nil {
		return desk.Detail{}, fmt.Errorf("asset: %w", err)
	}
	cards, err := w.cards(c, d.Listed)
	if err != nil {
		return desk.Detail{}, fmt.Errorf("asset: %w", err)
	}
	say := voice(language(c))
	view := desk.Detail{Success: true, Card: cards[0], Tries: d.Tries, Shares: append([]store.Share{}, d.Shares...), Busy: say(desk.Busy(string(d.Owed)), nil)}
	if d.Status == store.Completed {
		greeting := d.Origin == "REQUEST"
		view.Form = desk.NewForm(say, desk.Metadata(d.Metadata).Or(d.Name, d.Lang, greeting), greeting)
		view.Fixes(desk.Metadata(d.Metadata), c.QueryParam("fix"))
	}
	staff, err := w.staff(c)
	if err != nil {
		return desk.Detail{}, err
	}
	deeds := desk.NewActivity(say, staff, adminOf(c).ID, "", len(d.Deeds))
	for _, d := range d.Deeds {
		deeds.Add(desk.Deed(d))
	}
	view.Activity = deeds.Lines
	return view, nil
}

// editable is that page if this admin may change what is on it.
func (w *Web) editable(c echo.Context) (desk.Detail, error) {
	view, err := w.detail(c)
	if err == nil && !view.Card.MayEdit {
		err = store.ErrForbidden
	}
	return view, err
}

// cards makes cards of assets for the admin who looks.
func (w *Web) cards(c echo.Context, list ...store.Listed) ([]desk.Card, error) {
	ctx, admin, language := c.Request().Context(), adminOf(c), language(c)
	var all, failed []string
	live := false
	for _, l := range list {
		if all = append(all, l.ID); l.Status == store.Failed {
			failed = append(failed, l.ID)
		}
		live = live || l.Status.Live()
	}
	var outlooks map[string]worker.Outlook
	var err error
	if live { // only they have one, and the queue may be long
		if outlooks, err = w.queue.Outlooks(ctx); err != nil {
			return nil, err
		}
	}
	runs, err := w.store.Attempts(ctx, all...)
	if err != nil {
		return nil, err
	}
	replaced, err := w.store.Replaced(ctx, failed...)
	if err != nil {
		return nil, err
	}
	publications, err := w.store.Publications(ctx, all...)
	if err != nil {
		return nil, err
	}
	channels, err := w.channelList(c)
	if err != nil {
		return nil, err
	}
	cards := []desk.Card{} // empty in JSON, not null
	for _, l := range list {
		card := newCard(l, outlooks[l.ID], w.queue.opts.Attempts, w.store.Now())
		if w.choice() {
			card.Title = video.TitleOf(w.opts.Offers, l.Template, language)
		}
		for _, p := range publications[l.ID] {
			pub := newPublication(p, l.Video.Size, w.queue.opts.Attempts, w.store.Now())
			pub.MayChange = admin.MayChange(&p.Creator)
			pub.CanRetry = pub.MayChange && p.Status == store.Failed && l.Unwanted.IsZero()
			if at := slices.IndexFunc(channels, func(c desk.Channel) bool { return c.ID == p.Channel }); at >= 0 && len(channels) > 1 {
				pub.Channel = channels[at].Title
			}
			if pub.ByHand() {
				pub.HandPage = w.opts.Studio.HandPage()
			}
			card.Publications = append(card.Publications, pub)
		}
		for _, r := range runs[l.ID] {
			card.Add(r.Platform, desk.Try{Number: r.Number, Started: r.Started, Finished: r.Finished, Outcome: r.Outcome, Error: r.Error})
		}
		card.Explain(voice(language))
		card.MayEdit = admin.MayChange(l.Creator)
		card.CanCancel = card.MayEdit && l.Status.Live() && l.Waiting == 0
		card.CanPublish = card.MayEdit && l.Status == store.Completed && l.Unwanted.IsZero() && len(card.Publications) < 2
		if l.Status == store.Failed {
			card.Replaced = replaced[l.ID]
			card.CanRetry = !card.Replaced && card.MayEdit
		}
		cards = append(cards, card)
	}
	return cards, nil
}

// newCard makes the part of a card that needs no further look at the store. attempts is how many a job has.
func newCard(l store.Listed, o worker.Outlook, attempts int, now time.Time) desk.Card {
	c := desk.Card{ID: l.ID, Name: l.Name, Status: string(l.Status), Lang: l.Lang, Template: l.Template, Created: l.Created, Finished: l.Finished,
		Waiting: l.Waiting, Served: l.Served, Apologised: l.Unserved, Untold: l.Untold, RetryOf: l.RetryOf, Successor: l.Successor, Unwanted: l.Unwanted}
	switch {
	case l.Origin == "UPLOAD":
		c.Origin = "upload"
	case l.Creator != nil:
		c.Origin = "page"
	default:
		c.Origin = "telegram"
	}
	switch l.Status {
	case store.Pending:
		if l.Due.After(now) {
			c.NextTry = l.Due
		} else {
			c.Place = o.Place
		}
		if l.Attempt > 0 { // the one to come
			c.Attempt, c.Attempts = l.Attempt+1, attempts
		}
		c.Error = l.LastError
	case store.Processing:
		c.Attempt, c.Attempts, c.Percent, c.Error = l.Attempt, attempts, o.Percent, l.LastError
	case store.Completed:
		c.Video, c.File = "/media/"+l.ID, l.Video.File
		if l.Video.Thumb != "" {
			c.Thumb = "/thumbs/" + l.ID
		}
		c.Duration, c.Size, c.Width, c.Height = l.Video.Duration.Milliseconds(), l.Video.Size, l.Video.Width, l.Video.Height
		c.Waiting -= l.Untold // they wait in vain
	case store.Failed:
		c.Error = l.Error
		c.Apologised -= l.Untold
	}
	return c
}

// ---- actions

// makeAsset makes a video with the name an admin typed and the template they picked, or finds the one there is.
func (w *Web) makeAsset(c echo.Context) error {
	sent, err := desk.Fields(c.Response(), c.Request())
	if err != nil {
		return err
	}
	template, err := w.pick(sent["template"])
	if err != nil {
		return err
	}
	name, key, problem := lang.ParseName(sent["name"])
	if problem == "" && w.opts.CanDraw(template, name) != nil {
		problem = "name_undrawable"
	}
	if problem != "" {
		return desk.Invalid(problem, nil)
	}
	admin := adminOf(c)
	var a store.Asset
	var grant store.Grant
	err = w.store.Tx(c.Request().Context(), func(tx *store.Tx) (err error) {
		wish := store.Wish{Admin: &admin.ID, Name: name, Key: key, Template: template, Lang: w.opts.Lang}
		if a, grant, err = tx.ShareOrCreate(wish, tx.Now().Add(-w.opts.ReuseFor)); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "make", AssetID: a.ID, Outcome: string(grant)})
	})
	if err != nil {
		return fmt.Errorf("make a video: %w", err)
	}
	return done(c, string(grant), a.ID)
}

// pick returns the id of an offered template: the first, unless one was asked for.
func (w *Web) pick(id string) (string, error) {
	var ids []string
	for _, o := range w.opts.Offers {
		if id == "" || id == o.ID {
			return o.ID, nil
		}
		ids = append(ids, o.ID)
	}
	return "", desk.Invalid("error_template", desk.Vars{"Offered": strings.Join(ids, ", ")})
}

func (w *Web) askUpload(c echo.Context) error {
	problem := ""
	if err := w.files.Ready(c.Request().Context()); err != nil { // before somebody sends gigabytes
		problem = say(c, desk.Away.ID)
	}
	return w.answer(c, "upload", desk.Frame{Title: say(c, "title_upload")}, w.opts.Uploads.Page(problem))
}

// upload keeps a video that an admin sends. However it ends, nothing is left of the files on their way.
func (w *Web) upload(c echo.Context) error {
	ctx, admin := c.Request().Context(), adminOf(c)
	sent, err := w.opts.Uploads.Receive(c.Response(), c.Request(), lang.ParseTitle)
	if err != nil {
		return fmt.Errorf("take an upload: %w", err)
	}
	defer sent.Discard()
	made, err := w.opts.Inspect(ctx, sent.Path)
	if err != nil {
		return fmt.Errorf("look at an upload: %w", err)
	}
	defer made.Discard()
	a := store.Asset{ID: store.NewID(), Name: cmp.Or(sent.Title, lang.TitleOf(sent.File), say(c, "upload_untitled")), Lang: w.opts.Lang, Creator: &admin.ID}
	a.NameKey = lang.NameKey(a.Name)
	a.Video = store.Video{File: a.ID + "." + sent.Kind, Thumb: a.ID + ".jpg", Size: made.Size, Duration: made.Duration, Width: made.Width, Height: made.Height}
	err = w.files.Put(ctx, a.Video.Thumb, made.Thumb, nil) // the small one first: it fails sooner
	if err == nil {
		err = w.files.Put(ctx, a.Video.File, sent.Path, nil)
	}
	if err == nil {
		err = w.store.Tx(ctx, func(tx *store.Tx) error { return tx.AddUpload(a) })
	}
	if err != nil {
		gone := context.WithoutCancel(ctx)
		return errors.Join(fmt.Errorf("keep an upload: %w", err), w.files.Delete(gone, a.Video.File), w.files.Delete(gone, a.Video.Thumb))
	}
	if desk.WantsJSON(c.Request()) {
		return done(c, "uploaded", a.ID)
	}
	return c.Redirect(http.StatusSeeOther, "/assets/"+a.ID+"?notice=uploaded")
}

func (w *Web) retry(c echo.Context) error {
	sent, err := desk.Fields(c.Response(), c.Request())
	if err != nil {
		return err
	}
	outcome, err := w.queue.Retry(c.Request().Context(), c.Param("id"), retry.AdminClicked{Admin: adminOf(c), Platform: sent["platform"]})
	if err != nil {
		return err
	}
	return done(c, string(outcome), "")
}

// saveMetadata keeps what a finished video is published with. What cannot be kept comes back as it was typed.
func (w *Web) saveMetadata(c echo.Context) error {
	sent, err := desk.Fields(c.Response(), c.Request())
	if err != nil {
		return err
	}
	view, err := w.editable(c)
	switch {
	case err != nil:
		return err
	case view.Form == nil:
		return desk.NotReady
	}
	view.Form = desk.NewForm(voice(language(c)), view.Form.With(sent), view.Form.Greeting)
	if len(view.Card.Publications) > 0 { // another try and an update send what is saved
		view.Form.Whole(voice(language(c)))
	}
	if view.Form.Faults != nil {
		return w.refuse(c, "asset", view.Card.Name, view, view.Form.Faults)
	}
	admin, id := adminOf(c), view.Card.ID
	err = w.store.Tx(c.Request().Context(), func(tx *store.Tx) error {
		if err := tx.SaveMetadata(id, store.Metadata(view.Form.Metadata)); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "edit", AssetID: id, Outcome: "saved"})
	})
	if err != nil {
		return fmt.Errorf("save metadata: %w", err)
	}
	if platform := sent["retry"]; platform != "" {
		outcome, err := w.queue.Retry(c.Request().Context(), id, retry.AdminClicked{Admin: admin, Platform: platform})
		if err != nil {
			return err
		}
		return doneAt(c, "/assets/"+id+"?notice="+string(outcome), string(outcome), "")
	}
	return doneAt(c, "/assets/"+id+"?notice=saved", "saved", "")
}

// askDelete says what would go, or why it cannot go now.
func (w *Web) askDelete(c echo.Context) error {
	view, err := w.editable(c)
	if err != nil {
		return err
	}
	return w.answer(c, "delete", desk.Frame{Title: say(c, "title_delete")}, view)
}

// delete deletes a video that nothing is owed for to anybody, or cancels one that nobody waits for.
func (w *Web) delete(c echo.Context) error {
	ctx, admin, outcome := context.WithoutCancel(c.Request().Context()), adminOf(c), ""
	var a store.Asset
	err := w.store.Tx(ctx, func(tx *store.Tx) (err error) {
		if a, err = tx.Asset(c.Param("id")); err != nil {
			return err
		}
		if !admin.MayChange(a.Creator) {
			return store.ErrForbidden
		}
		if outcome = "deleted"; a.Status.Live() {
			outcome = "cancelled"
		}
		if err := tx.Delete(a.ID); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "delete", AssetID: a.ID, Outcome: outcome})
	})
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	var gone store.Gone
	gone.Add(a)
	w.queue.Discard(ctx, gone)
	return doneAt(c, "/?notice="+outcome, outcome, "")
}

// askRetryAll says what Retry all would do. Its form carries what was shown, so that nothing else is tried again.
func (w *Web) askRetryAll(c echo.Context) error {
	ctx, admin, view := c.Request().Context(), adminOf(c), retryAllView{Success: true, Found: foundBy(c)}
	f, err := filterOf(view.Found)
	if err != nil {
		return err
	}
	if f.Platform == "" {
		view.Need, err = w.store.NeedYou(ctx, admin, f)
	}
	if err == nil {
		view.Publications, view.Until, err = w.store.CountUnpublished(ctx, admin, f)
	}
	if err != nil {
		return fmt.Errorf("retry all: %w", err)
	}
	return w.answer(c, "retry-all", desk.Frame{Title: say(c, "title_retry_all")}, view)
}

func (w *Web) retryAll(c echo.Context) error {
	ctx, admin := c.Request().Context(), adminOf(c)
	seen, err := desk.Shown(c.Response(), c.Request())
	if err != nil {
		return err
	}
	f, err := filterOf(seen.Found)
	if err != nil {
		return err
	}
	var t retry.Tally
	if seen.Count > 0 {
		t, err = retry.All(ctx, w.store, w.queue, admin, f, seen.Newest, seen.Count)
	}
	if err == nil && seen.Publications > 0 {
		var p retry.Tally
		p, err = retry.AllPublications(ctx, w.store, w.queue, admin, f, seen.Until, seen.Publications)
		t = t.And(p)
	}
	switch {
	case err != nil:
		stopped := desk.Refusal{Status: desk.Internal.Status, Code: desk.Internal.Code, ID: "retry_all_stopped", Vars: desk.Vars{"Done": t.Restarted + t.Joined + t.Skipped, "Of": seen.Count + seen.Publications}}
		return fmt.Errorf("%w: %w", stopped, err)
	case !desk.WantsJSON(c.Request()):
		return c.Redirect(http.StatusSeeOther, fmt.Sprintf("/?notice=retried&restarted=%d&joined=%d&skipped=%d", t.Restarted, t.Joined, t.Skipped))
	case t.Outcome == "":
		return store.ErrNotFailed
	}
	return c.JSON(http.StatusOK, struct {
		Success bool `json:"success"`
		retry.Tally
	}{true, t})
}

// tryNow tries a video during an outage at once.
func (w *Web) tryNow(c echo.Context) error {
	if err := w.queue.TryNow(c.Request().Context(), adminOf(c)); err != nil {
		return fmt.Errorf("try now: %w", err)
	}
	return done(c, "trying", "")
}

// decideHeld has sent, or not, what a backup owes that was put back. It may have been sent before.
func (w *Web) decideHeld(c echo.Context) error {
	fields, err := desk.Fields(c.Response(), c.Request())
	if err != nil {
		return err
	}
	admin, outcome := adminOf(c), map[string]string{"yes": "sent", "no": "left"}[fields["send"]]
	if outcome == "" {
		return desk.Invalid("error_fields", nil)
	}
	var updates []store.Update
	err = w.store.Tx(c.Request().Context(), func(tx *store.Tx) (err error) {
		if outcome == "sent" {
			updates, err = tx.SendHeld()
		} else {
			err = tx.LeaveHeld()
		}
		if errors.Is(err, store.ErrNotFound) {
			err = store.ErrNotFailed
		}
		if err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "decide", Outcome: outcome})
	})
	if err != nil {
		return fmt.Errorf("decide about what is held: %w", err)
	}
	if w.opts.Resume != nil && len(updates) > 0 {
		w.opts.Resume(c.Request().Context(), updates)
	}
	return done(c, outcome, "")
}

// events tells a page what changes, for as long as its reader may see it.
func (w *Web) events(c echo.Context) error {
	return w.live.Serve(c.Response(), c.Request(), func() bool {
		_, _, err := w.whose(c.Request().Context(), sessionHash(c))
		return err == nil
	})
}

// ---- publishing

// channelList reads the channels that were connected once.
func (w *Web) channelList(c echo.Context) (list []desk.Channel, err error) {
	channels, err := w.store.Channels(c.Request().Context())
	if err != nil {
		return nil, fmt.Errorf("channels: %w", err)
	}
	for _, ch := range channels {
		list = append(list, deskChannel(ch))
	}
	return list, nil
}

func deskChannel(c store.Channel) desk.Channel {
	return desk.Channel{ID: c.ID, External: c.External, Title: c.Title, State: c.State, Error: c.Error, Connected: c.Connected, Checked: c.Checked, Hold: c.Hold, HoldFor: c.HoldFor}
}

// newPublication makes the part of a publication that does not depend on who looks. size is that of the video.
func newPublication(p store.Publication, size int64, attempts int, now time.Time) desk.Publication {
	v := desk.Publication{Platform: p.Platform, Status: string(p.Status), Step: p.Step, Metadata: desk.Metadata(p.Metadata), PublishAt: p.PublishAt, Ahead: p.Metadata.Privacy == "public" && p.PublishAt.After(now),
		Sent: p.Upload.Sent, Percent: desk.Percent(p.Upload.Sent, size), RemoteID: p.Upload.ID, URL: p.Upload.URL, Error: cmp.Or(p.Error, p.LastError), Warning: p.Upload.Warning}
	if p.Attempt > 0 {
		v.Attempt, v.Attempts = p.Attempt, attempts
	}
	if p.Status == store.Pending {
		if p.Attempt > 0 { // the one to come
			v.Attempt++
		}
		if p.Due.After(now) {
			v.NextTry = p.Due
		}
	}
	if v.Waits() != "" {
		v.Error = "" // it says the same
	}
	return v
}

// publishing is the form that publishes the video which the address names.
func (w *Web) publishing(c echo.Context) (*desk.Publishing, error) {
	view, err := w.editable(c)
	switch {
	case err != nil:
		return nil, err
	case !view.Card.Unwanted.IsZero():
		return nil, store.ErrNotPublishable
	case view.Form == nil:
		return nil, desk.NotReady
	}
	studio, err := w.opts.Studio.About(c.Request().Context())
	if err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	channels, err := w.channelList(c)
	return desk.NewPublishing(voice(language(c)), view.Card, view.Form, studio, channels), err
}

func (w *Web) askPublish(c echo.Context) error {
	view, err := w.publishing(c)
	if err != nil {
		return err
	}
	return w.answer(c, "publish", desk.Frame{Title: publishTitle(c, view)}, view)
}

func publishTitle(c echo.Context, view *desk.Publishing) string {
	return lang.Say(language(c), "title_publish", lang.Vars{"Name": view.Card.Name})
}

// publish saves what a video is published with, and owes it to the platforms that were chosen.
func (w *Web) publish(c echo.Context) error {
	sent, err := desk.Fields(c.Response(), c.Request())
	if err != nil {
		return err
	}
	view, err := w.publishing(c)
	if err != nil {
		return err
	}
	view.Read(voice(language(c)), sent, w.store.Now())
	if view.Form.Faults != nil {
		return w.refuse(c, "publish", publishTitle(c, view), view, view.Form.Faults)
	}
	admin, id, metadata := adminOf(c), view.Card.ID, store.Metadata(view.Form.Metadata)
	err = w.store.Tx(c.Request().Context(), func(tx *store.Tx) error {
		if err := tx.SaveMetadata(id, metadata); err != nil {
			return err
		}
		for _, t := range view.Targets() {
			if err := tx.Publish(id, store.Publication{Platform: t.Platform, Channel: t.Channel, Creator: admin.ID, Step: t.Step, Metadata: metadata, PublishAt: t.At}); err != nil {
				return err
			}
			if err := tx.Note(store.Event{Admin: &admin.ID, Action: "publish", AssetID: id, Platform: t.Platform, Outcome: "queued"}); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, store.ErrExists) && !desk.WantsJSON(c.Request()) { // what was typed for the rest stays
		if view, err = w.publishing(c); err != nil {
			return err
		}
		view.Read(voice(language(c)), sent, w.store.Now())
		view.Taken(voice(language(c)))
		return w.page(c, desk.Exists.Status, "publish", desk.Frame{Title: publishTitle(c, view), SignedIn: true}, view)
	}
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return doneAt(c, "/assets/"+id+"?notice=publishing", "publishing", "")
}

// markPublished records where an admin has put a video by hand, or found it.
func (w *Web) markPublished(c echo.Context) error {
	sent, err := desk.Fields(c.Response(), c.Request())
	if err != nil {
		return err
	}
	view, p, err := w.published(c, sent["platform"])
	if err != nil {
		return err
	}
	err = w.opts.Studio.MarkPublished(c.Request().Context(), view.Card.ID, p.Platform, sent["url"], adminOf(c))
	if r, ok := errors.AsType[desk.Refusal](err); ok && r.IsURL() {
		p.Typed, p.Fault = sent["url"], voice(language(c))(r.ID, r.Vars)
		return w.refuse(c, "asset", view.Card.Name, view, map[string]string{"url": p.Fault})
	} else if err != nil {
		return fmt.Errorf("mark as published: %w", desk.Told(err))
	}
	return done(c, "published", "")
}

// updatePublished sends what is saved for a video to the platform that it is on.
func (w *Web) updatePublished(c echo.Context) error {
	sent, err := desk.Fields(c.Response(), c.Request())
	if err != nil {
		return err
	}
	view, p, err := w.published(c, sent["platform"])
	if err != nil {
		return err
	}
	if err := w.opts.Studio.Update(c.Request().Context(), view.Card.ID, p.Platform, adminOf(c)); err != nil {
		return fmt.Errorf("update what is published: %w", desk.Told(err))
	}
	return done(c, "updated", "")
}

// published is a publication that this admin may change, on the page of its video.
func (w *Web) published(c echo.Context, platform string) (view desk.Detail, p *desk.Publication, err error) {
	if view, err = w.detail(c); err != nil {
		return view, nil, err
	}
	p = view.Card.On(platform)
	switch {
	case p == nil:
		return view, nil, store.ErrNotFound
	case !p.MayChange:
		return view, nil, store.ErrForbidden
	}
	return view, p, nil
}

func (w *Web) askUnpublish(c echo.Context) error {
	page, p, err := w.published(c, c.QueryParam("platform"))
	if err != nil {
		return err
	}
	view := desk.NewRemoval(page.Card, *p)
	return w.answer(c, "unpublish", desk.Frame{Title: say(c, "title_unpublish")}, view)
}

// unpublish deletes a video on a platform, where that can be done from here, and forgets that it was published there.
func (w *Web) unpublish(c echo.Context) error {
	sent, err := desk.Fields(c.Response(), c.Request())
	if err != nil {
		return err
	}
	page, p, err := w.published(c, sent["platform"])
	if err != nil {
		return err
	}
	view := desk.NewRemoval(page.Card, *p)
	if !view.Confirmed(voice(language(c)), sent["title"]) {
		return w.refuse(c, "unpublish", say(c, "title_unpublish"), view, map[string]string{"title": view.Fault})
	}
	ctx := context.WithoutCancel(c.Request().Context())
	if err := w.opts.Studio.Remove(ctx, view.ID, view.Pub.Platform, adminOf(c)); err != nil {
		return fmt.Errorf("unpublish: %w", desk.Told(err))
	}
	back := "/assets/" + view.ID
	if _, err := w.store.Asset(ctx, view.ID); errors.Is(err, store.ErrNotFound) { // it should have gone long ago
		back = "/"
	} else if err != nil {
		return fmt.Errorf("unpublish: %w", err)
	}
	return doneAt(c, back+"?notice="+view.Outcome(), view.Outcome(), "")
}

// ---- channels

// ownersOnly refuses other admins.
func ownersOnly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !adminOf(c).Owner {
			return desk.OnlyOwners
		}
		return next(c)
	}
}

func (w *Web) channels(c echo.Context) error {
	view, err := w.channelsView(c)
	if err != nil {
		return err
	}
	return w.answer(c, "channels", desk.Frame{Title: say(c, "nav_channels"), Here: "/channels"}, view)
}

func (w *Web) channelsView(c echo.Context) (view desk.Channels, err error) {
	studio, err := w.opts.Studio.About(c.Request().Context())
	if err != nil {
		return view, fmt.Errorf("channels: %w", err)
	}
	list, err := w.channelList(c)
	desk.AllowForms(c.Response().Header(), studio.Consent) // where Connect leads
	return desk.NewChannels(voice(language(c)), list, studio, adminOf(c).Owner, w.store.Now()), err
}

// refuseChannel says on the page of the channels what a platform or Google's consent said.
func (w *Web) refuseChannel(c echo.Context, err error) error {
	r := refusalOf(err)
	if r.Code == desk.Internal.Code || r.Status == http.StatusNotFound || desk.WantsJSON(c.Request()) {
		return err
	}
	view, problem := w.channelsView(c)
	if problem != nil {
		return problem
	}
	w.note(c, r, err)
	view.Problem = voice(language(c))(r.ID, r.Vars)
	return w.page(c, r.Status, "channels", desk.Frame{Title: say(c, "nav_channels"), SignedIn: true, Here: "/channels"}, view)
}

// channelID is the number of a channel; 0 for none.
func channelID(text string) (int64, error) {
	id, err := strconv.ParseInt(cmp.Or(text, "0"), 10, 64)
	if err != nil || id < 0 {
		return 0, store.ErrNotFound
	}
	return id, nil
}

// connect leads to the page where Google asks for access.
func (w *Web) connect(c echo.Context) error {
	sent, err := desk.Fields(c.Response(), c.Request())
	if err != nil {
		return err
	}
	channel, err := channelID(sent["channel"])
	if err != nil {
		return err
	}
	address, err := w.opts.Studio.Ask(c.Request().Context(), sessionHash(c), channel)
	if err != nil {
		return w.refuseChannel(c, fmt.Errorf("ask for a channel: %w", err))
	}
	if desk.WantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, map[string]any{"success": true, "outcome": "asked", "url": address})
	}
	return c.Redirect(http.StatusSeeOther, address)
}

// connected takes Google's answer.
func (w *Web) connected(c echo.Context) error {
	if _, err := w.opts.Studio.Answer(c.Request().Context(), sessionHash(c), c.QueryParams(), adminOf(c)); err != nil {
		return w.refuseChannel(c, fmt.Errorf("connect a channel: %w", desk.Told(err)))
	}
	return doneAt(c, "/channels?notice=connected", "connected", "")
}

// checkChannel asks YouTube whether access to a channel works.
func (w *Web) checkChannel(c echo.Context) error {
	id, err := channelID(c.Param("id"))
	if err == nil {
		err = w.opts.Studio.Check(c.Request().Context(), id, adminOf(c))
	}
	if err != nil {
		return w.refuseChannel(c, fmt.Errorf("check a channel: %w", desk.Told(err)))
	}
	return doneAt(c, "/channels?notice=checked", "checked", "")
}

func (w *Web) askDisconnect(c echo.Context) error {
	id, err := channelID(c.Param("id"))
	if err != nil {
		return err
	}
	channel, err := w.store.Channel(c.Request().Context(), id)
	if err != nil {
		return fmt.Errorf("disconnect: %w", err)
	}
	return w.answer(c, "disconnect", desk.Frame{Title: say(c, "title_disconnect")}, struct {
		Success      bool `json:"success"`
		desk.Channel `json:"channel"`
	}{true, deskChannel(channel)})
}

// disconnect gives access to a channel back and forgets it.
func (w *Web) disconnect(c echo.Context) error {
	id, err := channelID(c.Param("id"))
	if err == nil {
		err = w.opts.Studio.Disconnect(context.WithoutCancel(c.Request().Context()), id, adminOf(c))
	}
	if err != nil {
		return w.refuseChannel(c, fmt.Errorf("disconnect a channel: %w", desk.Told(err)))
	}
	return doneAt(c, "/channels?notice=disconnected", "disconnected", "")
}

// ---- files

// file serves a file of a finished asset. Which file that is comes from the database, never from the URL.
func (w *Web) file(pick func(store.Video) string) echo.HandlerFunc {
	return func(c echo.Context) error {
		a, err := w.store.Asset(c.Request().Context(), c.Param("id"))
		if err != nil {
			return err
		}
		key := pick(a.Video)
		if key == "" {
			return store.ErrNotFound
		}
		f, err := w.files.Open(c.Request().Context(), key)
		if err != nil {
			return fmt.Errorf("file of asset %s: %w", a.ID, err)
		}
		defer f.Close()
		desk.Serve(c.Response(), c.Request(), f, key, a.Finished)
		return nil
	}
}

func (w *Web) staticFile(c echo.Context) error {
	return desk.ServeStatic(c.Response(), c.Request(), staticFiles, "web/static/"+c.Param("*"))
}

// ---- activity and settings

// staff are all who may sign in.
func (w *Web) staff(c echo.Context) (desk.Staff, error) {
	appointed, err := w.store.Appointed(c.Request().Context())
	if err != nil {
		return desk.Staff{}, fmt.Errorf("read the admins: %w", err)
	}
	s := desk.Staff{Owners: slices.Clone(w.opts.Staff.Owners), Admins: slices.Clone(w.opts.Staff.Admins)}
	for _, a := range appointed {
		if a.Owner {
			s.Owners = append(s.Owners, a.ID)
		} else {
			s.Admins = append(s.Admins, a.ID)
		}
	}
	return s, nil
}

func (w *Web) activity(c echo.Context) error {
	after := c.QueryParam("after")
	deeds, err := w.store.Activity(c.Request().Context(), after, pageSize+1) // one more tells whether there is a next page
	if err != nil {
		return fmt.Errorf("activity: %w", err)
	}
	staff, err := w.staff(c)
	if err != nil {
		return err
	}
	list := desk.NewActivity(voice(language(c)), staff, adminOf(c).ID, after, pageSize)
	for _, d := range deeds {
		list.Add(desk.Deed(d))
	}
	return w.answer(c, "activity", desk.Frame{Title: say(c, "nav_activity"), Here: "/activity"}, list)
}

func (w *Web) settings(c echo.Context) error {
	ctx, language := c.Request().Context(), language(c)
	staff, err := w.staff(c)
	if err != nil {
		return err
	}
	view := desk.NewSettings(voice(language), staff, w.opts.Limits, lang.Languages)
	visits, err := w.store.Visits(ctx, adminOf(c).ID, sessionHash(c))
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	for _, v := range visits {
		view.Visits = append(view.Visits, desk.Visit(v))
	}
	for _, o := range w.opts.Offers {
		t := desk.Template{ID: o.ID, Title: video.TitleOf(w.opts.Offers, o.ID, language)}
		if w.opts.Covers.Has(o.ID) {
			t.Picture = "/templates/" + o.ID + ".jpg"
		}
		view.Templates = append(view.Templates, t)
	}
	view.Problems = w.problems(c, language)
	return w.answer(c, "settings", desk.Frame{Title: say(c, "nav_settings"), Here: "/settings"}, view)
}

func (w *Web) cover(c echo.Context) error {
	return w.opts.Covers.Serve(c.Response(), c.Request(), c.Param("picture"))
}
