// API tokens: how programs of an owner use the page, and which routes they open.

package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"retake.example/internal/lang"
	"retake.example/internal/store"
)

// tokenMark begins every token, so that one that got somewhere is recognized.
const tokenMark = "retake_"

// WrongScope refuses a token that does not open a route.
var WrongScope = HTTPError{http.StatusForbidden, "WRONG_SCOPE", "error_scope", nil}

// scopes are the routes for which a token needs another scope than that of its method: read for GET, everything for
// POST. "": no token opens them.
var scopes = map[string]store.Scope{
	"GET /backups": store.ScopeEverything, // a copy holds everything

	"POST /assets":           store.ScopeMake,
	"POST /uploads":          store.ScopeMake,
	"POST /assets/:id/retry": store.ScopeMake, // see MayPublish
	"POST /retry-all":        store.ScopeMake,
	"POST /try-now":          store.ScopeMake,
	"POST /advance":          store.ScopeMake,
	"POST /advance/stop":     store.ScopeMake,
	"POST /advance/withdraw": store.ScopeMake,

	"POST /assets/:id/metadata":  store.ScopePublish,
	"POST /assets/:id/publish":   store.ScopePublish,
	"POST /assets/:id/published": store.ScopePublish,
	"POST /assets/:id/update":    store.ScopePublish,
	"POST /assets/:id/unpublish": store.ScopePublish,
	"POST /selection/publish":    store.ScopePublish,

	// What is signed in with a browser, and what would outlive the token.
	"POST /logout":            "",
	"POST /logout-everywhere": "",
	"POST /channels/connect":  "",
	"GET /channels/callback":  "",
	"GET /admins":             "",
	"POST /admins":            "",
	"GET /tokens":             "",
	"POST /tokens":            "",
}

// opens reports whether a token of a scope opens a route.
func opens(scope store.Scope, method, pattern string) bool {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	needed, ok := scopes[method+" "+pattern]
	if !ok {
		needed = store.ScopeEverything
		if method == http.MethodGet {
			needed = store.ScopeRead
		}
	}
	return needed != "" && reaches(scope, needed)
}

func reaches(scope, needed store.Scope) bool {
	return slices.Index(store.Scopes, scope) >= slices.Index(store.Scopes, needed)
}

// MayPublish refuses a token that may retry videos and not publications.
func MayPublish(r *http.Request) error {
	if v, _ := visitorOf(r); v.scope != "" && !reaches(v.scope, store.ScopePublish) {
		return WrongScope
	}
	return nil
}

// bearer returns the token that a program sends.
func bearer(r *http.Request) (token string, ok bool) {
	return strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// byToken returns the owner whose token a program sends, or BadToken. It costs one look at an index, and less for what
// no token can be.
func (d *Desk) byToken(r *http.Request, token string) (v visitor, err error) {
	if !strings.HasPrefix(token, tokenMark) || len(token) != len(tokenMark)+tokenLength {
		return v, BadToken
	}
	v, stale, err := d.holder(r.Context(), hashOf(token))
	if err != nil {
		return v, err
	}
	if stale {
		err := d.store.Tx(r.Context(), func(tx *store.Tx) error { return tx.UsedToken(v.session) })
		if err != nil && r.Context().Err() == nil { // a full disk, say: reading needs no write
			d.log.Warn("record the use of a token", "err", err)
		}
	}
	if !opens(v.scope, r.Method, r.Pattern) {
		return v, WrongScope
	}
	return v, nil
}

// holder returns whose a token is, by its hash. It works for as long as its owner is one.
func (d *Desk) holder(ctx context.Context, hash [32]byte) (v visitor, stale bool, err error) {
	id, scope, stale, err := d.store.TokenOf(ctx, hash)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return v, false, BadToken
	case err != nil:
		return v, false, fmt.Errorf("read a token: %w", err)
	}
	admin, ok, err := d.store.RoleOf(ctx, d.opts.Role, id)
	if err == nil && !(ok && admin.Owner) {
		err = BadToken
	}
	return visitor{admin, hash, scope}, stale, err
}

// Tokens is the page with the tokens of the owner who looks.
type Tokens struct {
	Success bool          `json:"success"`
	Tokens  []store.Token `json:"tokens"`
	Scopes  []store.Scope `json:"-"`
	Lives   []int         `json:"-"` // days to choose from
	New     string        `json:"-"` // a new token: shown once
	Problem string        `json:"-"`
	Typed   string        `json:"-"`
	now     time.Time
}

// Over reports whether a token has expired.
func (v Tokens) Over(t store.Token) bool { return !t.Expires.IsZero() && t.Expires.Before(v.now) }

// longestTitle is how many characters the name of a token has at the most, and mostTokens how many an owner has.
const (
	longestTitle = 60
	mostTokens   = 50
)

// tokenLives are the days after which a token can expire.
var tokenLives = []int{30, 90, 365}

// Tokens answers with the page.
func (d *Desk) Tokens(w http.ResponseWriter, r *http.Request) error {
	view, err := d.tokens(r)
	if err != nil {
		return err
	}
	return d.answer(w, r, "tokens", d.tokensFrame(r), view)
}

func (d *Desk) tokensFrame(r *http.Request) Frame {
	return Frame{Title: sayTo(r)("tokens_title", nil), Here: "/settings", SignedIn: true}
}

func (d *Desk) tokens(r *http.Request) (Tokens, error) {
	all, err := d.store.Tokens(r.Context(), AdminOf(r).ID)
	if err != nil {
		err = fmt.Errorf("read the tokens: %w", err)
	}
	return Tokens{Success: true, Tokens: append([]store.Token{}, all...), Scopes: store.Scopes, Lives: tokenLives,
		now: d.store.Now()}, err
}

// ChangeTokens makes a token, which is shown once, or ends one.
func (d *Desk) ChangeTokens(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	switch me := AdminOf(r).ID; sent["do"] {
	case "make":
		return d.makeToken(w, r, sent)
	case "revoke":
		id, err := strconv.ParseInt(sent["id"], 10, 64)
		if err != nil {
			return NotFound
		}
		if err := d.store.Tx(d.ctx, func(tx *store.Tx) error { return tx.RevokeToken(id, me) }); err != nil {
			return fmt.Errorf("revoke a token: %w", err)
		}
		return doneAt(w, r, "/tokens?notice=revoked", "revoked", "")
	}
	return Invalid("error_form", nil)
}

func (d *Desk) makeToken(w http.ResponseWriter, r *http.Request, sent map[string]string) error {
	view, err := d.tokens(r)
	if err != nil {
		return err
	}
	title, scope := oneLine(lang.Visible(sent["title"])), store.Scope(sent["scope"])
	days, err := strconv.Atoi(sent["days"])
	field, problem := "", ""
	switch {
	case title == "" || utf8.RuneCountInString(title) > longestTitle:
		field, problem = "title", "tokens_bad_title"
	case !slices.Contains(store.Scopes, scope):
		field, problem = "scope", "tokens_bad_scope"
	case sent["days"] != "" && (err != nil || !slices.Contains(tokenLives, days)):
		field, problem = "days", "tokens_bad_days"
	case len(view.Tokens) >= mostTokens:
		field, problem = "title", "tokens_too_many"
	}
	if problem != "" {
		view.Problem, view.Typed = sayTo(r)(problem, nil), sent["title"]
		return d.refuse(w, r, Invalid(problem, nil), "tokens", d.tokensFrame(r).Title, view,
			map[string]string{field: view.Problem})
	}
	token := tokenMark + newToken()
	if err := d.store.Tx(d.ctx, func(tx *store.Tx) error {
		return tx.SaveToken(hashOf(token), AdminOf(r).ID, title, scope, time.Duration(days)*24*time.Hour)
	}); err != nil {
		return fmt.Errorf("save a token: %w", err)
	}
	if WantsJSON(r) {
		return JSON(w, http.StatusOK, map[string]any{"success": true, "outcome": "made", "token": token})
	}
	if view, err = d.tokens(r); err != nil {
		return err
	}
	view.New = token
	return d.answer(w, r, "tokens", d.tokensFrame(r), view)
}
