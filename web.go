// The desk: the page where admins see every video, play it and press Retry. Routes, sign-in, and what templates show.

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"retake/internal/desk"
	"retake/internal/lang"
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
	pageLang = "en"             // the page speaks no other
)

// policy lets the page load nothing but its own files and run nothing but its own script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types retake"

// mediaFiles opens the files of finished videos; fs.ErrNotExist when there is none with that key.
type mediaFiles interface {
	Open(key string) (*os.File, error)
}

// WebOptions are the operator's choices for the page.
type WebOptions struct {
	BaseURL  string                             // where browsers find the page; https makes the cookie Secure
	Role     func(id int64) (Admin, bool)       // who may sign in; asked at each request, only reads
	Offers   []Offer                            // the templates of videos made on the page; at least one
	Lang     string                             // of videos made on the page
	ReuseFor time.Duration                      // how long a finished video serves the next wish for the name
	CanDraw  func(template, name string) error  // nil error: that template has every letter
	Ready    func(ctx context.Context) []string // sentences about what is missing; none: all is well
	BotOn    bool                               // /admin in the bot gives a sign-in link
	Settings desk.Settings                      // as the page of that name shows them
	Covers   *desk.Covers                       // pictures of the templates; nil: there are none
}

// Web is the admin page.
type Web struct {
	store  *Store
	queue  *Queue
	files  mediaFiles
	opts   WebOptions
	log    *slog.Logger
	pages  *template.Template
	cookie string // name of the session cookie
	origin *http.CrossOriginProtection
	tries  middleware.RateLimiterStore // of sign-in links, by address
	echo   *echo.Echo
}

// NewWeb prepares the page; Handler serves it.
func NewWeb(store *Store, queue *Queue, files mediaFiles, opts WebOptions, log *slog.Logger) *Web {
	w := &Web{store: store, queue: queue, files: files, opts: opts, log: log, cookie: "retake",
		origin: http.NewCrossOriginProtection(), echo: echo.New()}
	if w.secure() {
		w.cookie = "__Host-retake" // no other host of the domain can plant it
	}
	// Tokens cannot be guessed: this only keeps somebody who tries from being a load on the database.
	w.tries = middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{
		Rate: 0.5, Burst: 20, ExpiresIn: 5 * time.Minute})
	w.pages = template.Must(template.New("").Funcs(template.FuncMap{
		"clock":   func(t time.Time) string { return desk.Clock(t, store.now()) },
		"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	}).ParseFS(templateFiles, "web/templates/*.html"))
	w.routes()
	return w
}

// Handler serves the whole page.
func (w *Web) Handler() http.Handler { return w.echo }

// choice reports whether there is more than one template to make a video with.
func (w *Web) choice() bool { return len(w.opts.Offers) > 1 }

func (w *Web) secure() bool { return strings.HasPrefix(w.opts.BaseURL, "https:") }

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

	in := e.Group("", w.signedIn) // whatever is not listed above wants a session, routes that do not exist included
	in.Match(get, "/", w.library)
	in.Match(get, "/assets/:id", w.asset)
	in.POST("/assets", w.makeAsset)
	in.POST("/assets/:id/retry", w.retry)
	in.Match(get, "/retry-all", w.askRetryAll)
	in.POST("/retry-all", w.retryAll)
	in.Match(get, "/media/:id", w.media)
	in.Match(get, "/thumbs/:id", w.thumb)
	in.POST("/logout", w.logout((*Tx).SignOut))
	in.POST("/logout-everywhere", w.logout((*Tx).SignOutEverywhere))
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
		h := c.Response().Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "same-origin") // not no-referrer: Chromium would send Origin: null with forms on plain http
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if err := w.origin.Check(c.Request()); err != nil {
			return errOtherSite
		}
		return next(c)
	}
}

// ---- errors

// refusal is an error that the client is told, in words for people and a code for programs.
type refusal struct {
	status        int
	code, message string
}

func (r refusal) Error() string { return r.message }

func invalid(message string) refusal {
	return refusal{http.StatusUnprocessableEntity, "INVALID", message}
}

var (
	errSignedOut = refusal{http.StatusUnauthorized, "UNAUTHORIZED", "Please sign in first."}
	errOtherSite = refusal{http.StatusForbidden, "CROSS_ORIGIN", "This request came from another site, so nothing was done."}
	errBadLink   = refusal{http.StatusForbidden, "BAD_LINK", "This link has been used already, or its 15 minutes are over."}
	errTooMany   = refusal{http.StatusTooManyRequests, "TOO_MANY", "That was a lot of tries. Please wait a minute."}
	errTooLarge  = refusal{http.StatusRequestEntityTooLarge, "TOO_LARGE", "That is more than this form takes."}
	errNotFound  = refusal{http.StatusNotFound, "NOT_FOUND", "There is nothing here. It may have been deleted."}
	errInternal  = refusal{http.StatusInternalServerError, "INTERNAL", "Something went wrong on our side. The log of the program says more."}
)

// refusals says what the client is told for an error of the store or the queue. Any other is a 500.
var refusals = []struct {
	err    error
	answer refusal
}{
	{ErrNotFound, errNotFound},
	{fs.ErrNotExist, errNotFound},
	{echo.ErrNotFound, errNotFound},
	{ErrForbidden, refusal{http.StatusForbidden, "FORBIDDEN", "Only an owner, or the admin who made this video, can try it again."}},
	{ErrNotFailed, refusal{http.StatusConflict, "NOT_FAILED", "This has not failed, so there is nothing to try again."}},
	{desk.ErrJSON, invalid("That is not a JSON object with texts in it.")},
	{desk.ErrShown, invalid("This wants count, how many were shown, and newest, the last of them: see /retry-all.")},
	{desk.ErrForm, invalid("That form cannot be read.")},
	{echo.ErrMethodNotAllowed, refusal{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "This address does not take that kind of request."}},
}

func refusalOf(err error) refusal {
	if r, ok := errors.AsType[refusal](err); ok {
		return r
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge
	}
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.answer
		}
	}
	return errInternal
}

// fail answers a request that ended in an error. What is not the client's doing is logged here, and only here.
func (w *Web) fail(err error, c echo.Context) {
	r := refusalOf(err)
	if r.code == errInternal.code && c.Request().Context().Err() == nil {
		// The route, not the URL: that may hold the token of a sign-in link.
		w.log.Error("request failed", "method", c.Request().Method, "route", c.Path(), "err", err)
	}
	if c.Response().Committed {
		return
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	switch {
	case desk.WantsJSON(c.Request()):
		err = c.JSON(r.status, map[string]any{"success": false, "error": map[string]string{"code": r.code, "message": r.message}})
	case r == errSignedOut:
		err = c.Redirect(http.StatusSeeOther, "/login")
	case r == errBadLink:
		err = w.page(c, r.status, "login", loginPage{frame: frame{Title: "Sign in"}, Problem: r.message, BotOn: w.opts.BotOn})
	default:
		err = w.page(c, r.status, "error", errorPage{frame: frame{Title: "That did not work"}, Message: r.message})
	}
	if err != nil {
		w.log.Error("answer with an error", "route", c.Path(), "err", err)
	}
}

// ---- answers

// page writes a template. It is executed first: a page that breaks halfway is a 500, not half a page.
func (w *Web) page(c echo.Context, status int, name string, data any) error {
	var b bytes.Buffer
	if err := w.pages.ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	return c.HTMLBlob(status, b.Bytes())
}

// answer gives what a program and a page show alike: as JSON, or in the template.
func (w *Web) answer(c echo.Context, name string, data any) error {
	if desk.WantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, data)
	}
	return w.page(c, http.StatusOK, name, data)
}

// done answers a form or a program whose wish was granted.
func done(c echo.Context, outcome, id string) error {
	if desk.WantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, struct {
			Success bool   `json:"success"`
			Outcome string `json:"outcome"`
			ID      string `json:"id,omitzero"`
		}{true, outcome, id})
	}
	return c.Redirect(http.StatusSeeOther, "/?notice="+url.QueryEscape(outcome))
}

// ---- health

// healthz says that the database answers. Neither check is logged.
func (w *Web) healthz(c echo.Context) error { return w.check(c, nil) }

// readyz says what is missing, a sentence a line.
func (w *Web) readyz(c echo.Context) error { return w.check(c, w.opts.Ready(c.Request().Context())) }

func (w *Web) check(c echo.Context, missing []string) error {
	if _, err := w.store.HadSession(c.Request().Context()); err != nil {
		missing = append(missing, "The database does not answer.")
	}
	if len(missing) > 0 {
		return c.String(http.StatusServiceUnavailable, strings.Join(missing, "\n")+"\n")
	}
	return c.String(http.StatusOK, "ok\n")
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
func NewLink(ctx context.Context, store *Store, baseURL string, admin int64) (url string, err error) {
	token := newToken()
	err = store.Tx(ctx, func(tx *Tx) error { return tx.SaveLink(hashOf(token), admin, moment(tx.now).Add(linkLife)) })
	if err != nil {
		return "", fmt.Errorf("save a sign-in link: %w", err)
	}
	return strings.TrimSuffix(baseURL, "/") + "/login/" + token, nil
}

// frame is what every page has.
type frame struct {
	Title    string
	SignedIn bool
	Here     string // path of the page, where the header has a link to it
	Notice   string
}

type loginPage struct {
	frame
	Token   string // of a good link; "": the page says how to get one
	Problem string
	BotOn   bool
}

type errorPage struct {
	frame
	Message string
}

// signedIn lets requests with a session of somebody who is still an admin through.
func (w *Web) signedIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx := c.Request().Context()
		cookie, err := c.Cookie(w.cookie)
		if err != nil {
			return errSignedOut
		}
		id, stale, err := w.store.Session(ctx, hashOf(cookie.Value))
		switch {
		case errors.Is(err, ErrNotFound):
			return errSignedOut
		case err != nil:
			return fmt.Errorf("read a session: %w", err)
		}
		admin, ok := w.opts.Role(id)
		if !ok {
			return errSignedOut
		}
		if stale {
			if err := w.store.Tx(ctx, func(tx *Tx) error { return tx.Seen(hashOf(cookie.Value)) }); err != nil {
				return fmt.Errorf("prolong a session: %w", err)
			}
			w.setCookie(c, cookie.Value, sessionLife)
		}
		c.Set("admin", admin)
		c.Set("session", hashOf(cookie.Value))
		return next(c)
	}
}

// adminOf returns who is signed in, sessionHash by which session.
func adminOf(c echo.Context) Admin        { return c.Get("admin").(Admin) }
func sessionHash(c echo.Context) [32]byte { return c.Get("session").([32]byte) }

// setCookie gives the browser a session for life, or takes it away when that is negative.
func (w *Web) setCookie(c echo.Context, value string, life time.Duration) {
	c.SetCookie(&http.Cookie{Name: w.cookie, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: w.secure(), SameSite: http.SameSiteLaxMode})
}

// loginPage shows the button that spends a link, or says how to get one. It spends nothing itself: Telegram's preview
// opens every link.
func (w *Web) loginPage(c echo.Context) error {
	p := loginPage{frame: frame{Title: "Sign in"}, BotOn: w.opts.BotOn, Token: c.Param("token")}
	if p.Token == "" {
		return w.page(c, http.StatusOK, "login", p)
	}
	if err := w.mayTry(c); err != nil {
		return err
	}
	good, err := w.store.LinkIsGood(c.Request().Context(), hashOf(p.Token))
	switch {
	case err != nil:
		return fmt.Errorf("look at a sign-in link: %w", err)
	case !good:
		return errBadLink
	}
	return w.page(c, http.StatusOK, "login", p)
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
	err := w.store.Tx(c.Request().Context(), func(tx *Tx) error {
		admin, err := tx.SpendLink(hashOf(c.Param("token")), hashOf(session))
		if err != nil {
			return err
		}
		if _, ok := w.opts.Role(admin); !ok {
			return ErrNotFound // the same answer as for a spent link: nobody learns who is an admin
		}
		if err := tx.SignOut(hashOf(old)); err != nil {
			return err
		}
		return tx.Note(Event{Admin: &admin, Action: "sign in"})
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return errBadLink
	case err != nil:
		return fmt.Errorf("sign in: %w", err)
	}
	w.setCookie(c, session, sessionLife)
	return c.Redirect(http.StatusSeeOther, "/")
}

func (w *Web) mayTry(c echo.Context) error {
	if ok, err := w.tries.Allow(c.RealIP()); err != nil || !ok {
		return errTooMany
	}
	return nil
}

// logout ends the session, or all of that admin's.
func (w *Web) logout(end func(tx *Tx, session [32]byte) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := w.store.Tx(c.Request().Context(), func(tx *Tx) error { return end(tx, sessionHash(c)) }); err != nil {
			return fmt.Errorf("sign out: %w", err)
		}
		w.setCookie(c, "", -time.Second)
		if desk.WantsJSON(c.Request()) {
			return done(c, "signed out", "")
		}
		return c.Redirect(http.StatusSeeOther, "/login")
	}
}

// ---- the library

// card is a video as the page and the JSON show it.
type card struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Status     Status    `json:"status"`
	Origin     string    `json:"origin"` // telegram, page or upload
	Lang       string    `json:"lang"`
	Template   string    `json:"template,omitzero"`
	Title      string    `json:"template_title,omitzero"` // where there is more than one template
	Created    time.Time `json:"created"`
	Finished   time.Time `json:"finished,omitzero"`
	Video      string    `json:"video,omitzero"` // path of the file on this page
	Thumb      string    `json:"thumb,omitzero"` // path of the picture on this page
	Duration   int64     `json:"duration_ms,omitzero"`
	Waiting    int       `json:"waiting"`    // people: for the video
	Served     int       `json:"served"`     // people: have it
	Apologised int       `json:"apologised"` // people: have the apology, or it is on its way
	Untold     int       `json:"untold"`     // people: no message reaches them
	Attempt    int       `json:"attempt,omitzero"`
	Attempts   int       `json:"attempts,omitzero"` // there are at the most
	NextTry    time.Time `json:"next_try,omitzero"`
	Percent    int       `json:"percent,omitzero"`
	Place      int       `json:"place,omitzero"`  // in the queue, from 1
	Reason     string    `json:"reason,omitzero"` // of the failure, in words
	Error      string    `json:"error,omitzero"`  // of the failure, as it came
	RetryOf    string    `json:"retry_of,omitzero"`
	Successor  string    `json:"successor,omitzero"`
	CanRetry   bool      `json:"can_retry"` // this admin, now
	Replaced   bool      `json:"replaced"`  // a later try is under way or has worked: no button
	History    []try     `json:"history,omitempty"`
}

// try is one attempt at making a video.
type try struct {
	Number   int       `json:"number"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Outcome  string    `json:"outcome"`
	Error    string    `json:"error,omitzero"`
}

type tab struct {
	Status Status
	Label  string
	Count  int
	On     bool
}

// option is a template that a video can be made with.
type option struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// needs is how many videos need the admin: the rest of Need is looked for only where it is asked for.
type needs struct {
	Count int `json:"count"`
}

type libraryPage struct {
	frame    `json:"-"`
	Success  bool           `json:"success"`
	Cards    []card         `json:"assets"`
	Counts   map[Status]int `json:"counts"`
	Next     string         `json:"after,omitzero"`      // of the next page; none: this is the last
	Options  []option       `json:"templates,omitempty"` // none: there is no choice
	Problems []string       `json:"problems,omitempty"`
	Need     needs          `json:"need_you"` // what Retry all is about
	Status   Status         `json:"-"`
	Platform string         `json:"-"`
	Query    string         `json:"-"` // as it was typed
	Total    int            `json:"-"` // with this status, of those found
	Paged    bool           `json:"-"` // this is not the first page
	Tabs     []tab          `json:"-"`
	Live     bool           `json:"-"` // something is going on that is worth looking again for
	BotOn    bool           `json:"-"`
}

// Address is that of this library with another status or page; the search and the platform stay.
func (p libraryPage) Address(status Status, after string) string {
	return desk.Address("/", "status", string(status), "q", p.Query, "platform", p.Platform, "after", after)
}

type retryAllPage struct {
	frame   `json:"-"`
	Success bool `json:"success"`
	Need    `json:"need_you"`
	Query   string `json:"-"` // the search that they were found by
}

type assetPage struct {
	frame   `json:"-"`
	Success bool `json:"success"`
	Card    card `json:"asset"`
}

func (w *Web) library(c echo.Context) error {
	f := Filter{Status: Status(c.QueryParam("status")), Platform: c.QueryParam("platform"), After: c.QueryParam("after"), Limit: pageSize}
	switch f.Status {
	case "", Pending, Processing, Completed, Failed:
	default:
		return invalid("There is no such status: it is PENDING, PROCESSING, COMPLETED or FAILED.")
	}
	switch f.Platform {
	case "", "YOUTUBE", "RUMBLE":
	default:
		return invalid("There is no such platform: it is YOUTUBE or RUMBLE.")
	}
	f.Exact = strings.TrimSpace(c.QueryParam("q"))
	f.Search = lang.SearchKey(f.Exact)
	p, err := w.loadLibrary(c.Request().Context(), adminOf(c), f)
	if err != nil {
		return fmt.Errorf("library: %w", err)
	}
	p.Notice = desk.Notice(c.QueryParams())
	return w.answer(c, "library", p)
}

func (w *Web) loadLibrary(ctx context.Context, admin Admin, f Filter) (libraryPage, error) {
	p := libraryPage{frame: frame{Title: "Library", Here: "/", SignedIn: true}, Success: true,
		Status: f.Status, Platform: f.Platform, Query: f.Exact, Paged: f.After != "", BotOn: w.opts.BotOn, Problems: w.opts.Ready(ctx)}
	var err error
	if p.Counts, err = w.store.Counts(ctx, f); err != nil {
		return p, err
	}
	for _, n := range p.Counts {
		p.Total += n
	}
	for _, t := range []tab{{"", "All", p.Total, false}, {Failed, "Failed", p.Counts[Failed], false}, {Processing, "Rendering", p.Counts[Processing], false},
		{Pending, "Waiting", p.Counts[Pending], false}, {Completed, "Ready", p.Counts[Completed], false}} {
		if t.On = t.Status == f.Status; t.On {
			p.Total = t.Count
		}
		p.Tabs = append(p.Tabs, t)
	}
	size := f.Limit
	f.Limit++ // one more than is shown tells whether there is a next page
	list, err := w.store.Library(ctx, f, p.Total)
	if err != nil {
		return p, err
	}
	if len(list) > size {
		list = list[:size]
		p.Next = list[size-1].ID
	}
	if w.choice() {
		for _, o := range w.opts.Offers {
			p.Options = append(p.Options, option{o.ID, titleOf(w.opts.Offers, o.ID, pageLang)})
		}
	}
	if f.Platform == "" { // a video that failed is on none
		if p.Need.Count, err = w.store.Needs(ctx, admin, f); err != nil {
			return p, err
		}
	}
	p.Live = p.Counts[Pending]+p.Counts[Processing] > 0
	p.Cards, err = w.cards(ctx, admin, list...)
	return p, err
}

func (w *Web) asset(c echo.Context) error {
	ctx := c.Request().Context()
	l, err := w.store.Card(ctx, c.Param("id"))
	if err != nil {
		return fmt.Errorf("asset: %w", err)
	}
	cards, err := w.cards(ctx, adminOf(c), l)
	if err != nil {
		return fmt.Errorf("asset: %w", err)
	}
	p := assetPage{frame: frame{Title: l.Name, SignedIn: true}, Success: true, Card: cards[0]}
	return w.answer(c, "asset", p)
}

// cards makes cards of assets for an admin.
func (w *Web) cards(ctx context.Context, admin Admin, list ...Listed) ([]card, error) {
	var all, failed []string
	live := false
	for _, l := range list {
		if all = append(all, l.ID); l.Status == Failed {
			failed = append(failed, l.ID)
		}
		live = live || l.Status.Live()
	}
	var outlooks map[string]Outlook
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
	cards := []card{} // empty in JSON, not null
	for _, l := range list {
		c := newCard(l, outlooks[l.ID], w.queue.opts.Attempts, w.store.now())
		if w.choice() {
			c.Title = titleOf(w.opts.Offers, l.Template, pageLang)
		}
		for _, r := range runs[l.ID] {
			if r.Kind == Render {
				c.History = append(c.History, try{r.Number, r.Started, r.Finished, r.Outcome, r.Error})
			}
		}
		if l.Status == Failed {
			c.Replaced = replaced[l.ID]
			c.CanRetry = !c.Replaced && admin.MayRetry(l.Asset)
		}
		cards = append(cards, c)
	}
	return cards, nil
}

// newCard makes the part of a card that needs no further look at the store. attempts is how many a job has.
func newCard(l Listed, o Outlook, attempts int, now time.Time) card {
	c := card{ID: l.ID, Name: l.Name, Status: l.Status, Lang: l.Lang, Template: l.Template, Created: l.Created, Finished: l.Finished,
		Waiting: l.Waiting, Served: l.Served, Apologised: l.Unserved, Untold: l.Untold, RetryOf: l.RetryOf, Successor: l.Successor}
	switch {
	case l.Origin == "UPLOAD":
		c.Origin = "upload"
	case l.Creator != nil:
		c.Origin = "page"
	default:
		c.Origin = "telegram"
	}
	switch l.Status {
	case Pending:
		if l.Due.After(now) {
			c.NextTry = l.Due
		} else {
			c.Place = o.Place
		}
		if l.Attempt > 0 { // the one to come
			c.Attempt, c.Attempts = l.Attempt+1, attempts
		}
		c.Error = l.LastError
	case Processing:
		c.Attempt, c.Attempts, c.Percent, c.Error = l.Attempt, attempts, o.Percent, l.LastError
	case Completed:
		c.Video = "/media/" + l.ID
		if l.Video.Thumb != "" {
			c.Thumb = "/thumbs/" + l.ID
		}
		c.Duration = l.Video.Duration.Milliseconds()
		c.Waiting -= l.Untold // they wait in vain
	case Failed:
		c.Error = l.Error
		c.Apologised -= l.Untold
	}
	c.Reason = desk.Reason(c.Error)
	return c
}

// Rev changes when anything on the card but the clock does, so that the page's script leaves the others alone.
func (c card) Rev() (string, error) {
	b, err := json.Marshal(c)
	return fmt.Sprintf("%x", sha256.Sum256(b))[:16], err
}

// Initial stands in for a picture.
func (c card) Initial() string {
	for _, r := range c.Name {
		return strings.ToUpper(string(r))
	}
	return ""
}

// Hue picks one of the four backgrounds of a card without a picture.
func (c card) Hue() byte { return c.ID[len(c.ID)-1] % 4 }

// Excerpt is the error where many are shown.
func (c card) Excerpt() string { return desk.Excerpt(c.Error) }

// Length is how long the video plays: 0:42.
func (c card) Length() string { return desk.Length(c.Duration) }

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
		return invalid(lang.Say(pageLang, problem, nil))
	}
	admin := adminOf(c)
	var a Asset
	var grant Grant
	err = w.store.Tx(c.Request().Context(), func(tx *Tx) (err error) {
		wish := Wish{Admin: &admin.ID, Name: name, Key: key, Template: template, Lang: w.opts.Lang}
		if a, grant, err = tx.ShareOrCreate(wish, moment(tx.now).Add(-w.opts.ReuseFor)); err != nil {
			return err
		}
		return tx.Note(Event{Admin: &admin.ID, Action: "make", AssetID: a.ID, Outcome: string(grant)})
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
	return "", invalid("That template is not offered here. These are: " + strings.Join(ids, ", ") + ".")
}

func (w *Web) retry(c echo.Context) error {
	sent, err := desk.Fields(c.Response(), c.Request())
	if err != nil {
		return err
	}
	outcome, err := w.queue.Retry(c.Request().Context(), c.Param("id"), AdminClicked{adminOf(c), sent["platform"]})
	if err != nil {
		return err
	}
	return done(c, string(outcome), "")
}

// askRetryAll says what Retry all would do. Its form carries what was shown, so that nothing else is tried again.
func (w *Web) askRetryAll(c echo.Context) error {
	query := strings.TrimSpace(c.QueryParam("q"))
	need, err := w.store.NeedYou(c.Request().Context(), adminOf(c), Filter{Status: Failed, Search: lang.SearchKey(query)})
	if err != nil {
		return fmt.Errorf("retry all: %w", err)
	}
	p := retryAllPage{frame{Title: "Retry all", SignedIn: true}, true, need, query}
	return w.answer(c, "retry-all", p)
}

func (w *Web) retryAll(c echo.Context) error {
	seen, err := desk.Shown(c.Response(), c.Request())
	if err != nil {
		return err
	}
	t, err := w.queue.RetryAll(c.Request().Context(), adminOf(c), Filter{Status: Failed, Search: lang.SearchKey(seen.Query)}, seen.Newest, seen.Count)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", refusal{errInternal.status, errInternal.code, desk.Stopped(t.Restarted+t.Joined+t.Skipped, seen.Count)}, err)
	case !desk.WantsJSON(c.Request()):
		return c.Redirect(http.StatusSeeOther, fmt.Sprintf("/?notice=retried&restarted=%d&joined=%d&skipped=%d", t.Restarted, t.Joined, t.Skipped))
	case t.Outcome == "":
		return ErrNotFailed
	}
	return c.JSON(http.StatusOK, struct {
		Success bool `json:"success"`
		Tally
	}{true, t})
}

// ---- files

func (w *Web) media(c echo.Context) error {
	return w.file(c, "video/mp4", func(v Video) string { return v.File })
}

func (w *Web) thumb(c echo.Context) error {
	return w.file(c, "image/jpeg", func(v Video) string { return v.Thumb })
}

// file serves a file of a finished asset. Which file that is comes from the database, never from the URL.
func (w *Web) file(c echo.Context, kind string, pick func(Video) string) error {
	a, err := w.store.Asset(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	key := pick(a.Video)
	if key == "" {
		return ErrNotFound
	}
	f, err := w.files.Open(key)
	if err != nil {
		return fmt.Errorf("file of asset %s: %w", a.ID, err)
	}
	defer f.Close()
	h := c.Response().Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "private, no-cache") // kept by the browser, shown only while signed in
	h.Set("ETag", `"`+key+`"`)                  // a finished asset never changes
	http.ServeContent(c.Response(), c.Request(), "", a.Finished, f)
	return nil
}

func (w *Web) staticFile(c echo.Context) error {
	path := "web/static/" + c.Param("*")
	b, err := staticFiles.ReadFile(path)
	if err != nil { // a folder, too: nobody lists them
		return ErrNotFound
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	c.Response().Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(b))) // embedded files have no date
	http.ServeContent(c.Response(), c.Request(), path, time.Time{}, bytes.NewReader(b))
	return nil
}

// ---- activity and settings

func (w *Web) activity(c echo.Context) error {
	after := c.QueryParam("after")
	deeds, err := w.store.Activity(c.Request().Context(), after, pageSize+1) // one more tells whether there is a next page
	if err != nil {
		return fmt.Errorf("activity: %w", err)
	}
	list := desk.NewActivity(w.opts.Settings.Staff, adminOf(c).ID, after, pageSize)
	for _, d := range deeds {
		list.Add(desk.Deed(d))
	}
	return w.show(c, "Activity", "/activity", list)
}

func (w *Web) settings(c echo.Context) error {
	ctx, p := c.Request().Context(), w.opts.Settings
	visits, err := w.store.Visits(ctx, adminOf(c).ID, sessionHash(c))
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	for _, v := range visits {
		p.Visits = append(p.Visits, desk.Visit(v))
	}
	p.Problems = w.opts.Ready(ctx)
	return w.show(c, "Settings", "/settings", p)
}

func (w *Web) cover(c echo.Context) error {
	return w.opts.Covers.Serve(c.Response(), c.Request(), c.Param("picture"))
}

// show answers with a view: as JSON, or in the template called as its path.
func (w *Web) show(c echo.Context, title, path string, view any) error {
	if desk.WantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, view)
	}
	return w.page(c, http.StatusOK, path[1:], struct {
		frame
		View any
	}{frame{Title: title, Here: path, SignedIn: true}, view})
}
