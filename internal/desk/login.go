// Signing in and out: links that work once, sessions, who the visitor is, and in which language they read.

package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
)

// tokenLength is how many characters a token has.
const tokenLength = 43

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
	err = st.Tx(ctx, func(tx *store.Tx) error { return tx.SaveLink(hashOf(token), admin, tx.Now().Add(store.LinkLife)) })
	if err != nil {
		return "", fmt.Errorf("save a sign-in link: %w", err)
	}
	return strings.TrimSuffix(baseURL, "/") + "/login/" + token, nil
}

// visitor is who is signed in, and by which session or token.
type visitor struct {
	admin   store.Admin
	session [32]byte    // its hash
	scope   store.Scope // of the token; "": it is a session
}

type visitorKey struct{}

func visitorOf(r *http.Request) (visitor, bool) {
	v, ok := r.Context().Value(visitorKey{}).(visitor)
	return v, ok
}

// AdminOf returns who is signed in. It panics behind a route without SignedIn.
func AdminOf(r *http.Request) store.Admin { return r.Context().Value(visitorKey{}).(visitor).admin }

func sessionOf(r *http.Request) [32]byte { return r.Context().Value(visitorKey{}).(visitor).session }

// SignedIn lets requests with a session of somebody who is still an admin through, and programs with a token of an
// owner.
func (d *Desk) SignedIn(next Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if token, ok := bearer(r); ok {
			v, err := d.byToken(r, token)
			if err != nil {
				return err
			}
			return next(w, r.WithContext(context.WithValue(r.Context(), visitorKey{}, v)))
		}
		cookie, err := r.Cookie(d.cookie)
		if err != nil {
			return SignedOut
		}
		v := visitor{session: hashOf(cookie.Value)}
		var stale bool
		if v.admin, stale, err = d.whose(r.Context(), v.session); err != nil {
			return err
		}
		if stale {
			err := d.store.Tx(r.Context(), func(tx *store.Tx) error { return tx.Seen(v.session) })
			if err == nil {
				d.setCookie(w, d.cookie, cookie.Value, store.SessionLife)
				// a full disk, say: reading needs no write, and a later request prolongs it
			} else if r.Context().Err() == nil {
				d.log.Warn("prolong a session", "err", err)
			}
		}
		return next(w, r.WithContext(context.WithValue(r.Context(), visitorKey{}, v)))
	}
}

// hasSession reports whether the browser is signed in.
func (d *Desk) hasSession(r *http.Request) bool {
	cookie, err := r.Cookie(d.cookie)
	if err != nil {
		return false
	}
	_, _, err = d.whose(r.Context(), hashOf(cookie.Value))
	return err == nil
}

// OwnersOnly refuses other admins.
func OwnersOnly(next Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !AdminOf(r).Owner {
			return OnlyOwners
		}
		return next(w, r)
	}
}

// Bearer lets through who has the token of /metrics, or is signed in.
func (d *Desk) Bearer(next Handler) Handler {
	signedIn := d.SignedIn(next)
	return func(w http.ResponseWriter, r *http.Request) error {
		given, ok := bearer(r)
		if ok && d.opts.Token != "" && subtle.ConstantTimeCompare([]byte(given), []byte(d.opts.Token)) == 1 {
			return next(w, r)
		}
		return signedIn(w, r)
	}
}

// Metrics answers /metrics.
func (d *Desk) Metrics(w http.ResponseWriter, r *http.Request) error {
	d.opts.Metrics.ServeHTTP(w, r)
	return nil
}

// whose returns the admin of a session, or SignedOut if it has ended or they are no longer an admin. stale: see
// Store.Session.
func (d *Desk) whose(ctx context.Context, session [32]byte) (admin store.Admin, stale bool, err error) {
	id, stale, err := d.store.Session(ctx, session)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return admin, false, SignedOut
	case err != nil:
		return admin, false, fmt.Errorf("read a session: %w", err)
	}
	admin, ok, err := d.store.RoleOf(ctx, d.opts.Role, id)
	if err == nil && !ok {
		err = SignedOut
	}
	return admin, stale, err
}

// still returns nil while a visitor may go on.
func (d *Desk) still(ctx context.Context, v visitor) (err error) {
	if v.scope != "" {
		_, _, err = d.holder(ctx, v.session)
	} else {
		_, _, err = d.whose(ctx, v.session)
	}
	return err
}

// setCookie gives the browser a cookie for life, or takes it away if life is negative.
func (d *Desk) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: d.secure(), SameSite: http.SameSiteLaxMode})
}

// Door is the page where one signs in.
type Door struct {
	Token   string // of a good link; "": the page says how to get one
	Problem string
	BotOn   bool
}

// LoginPage shows the button that spends a link, or says how to get one. It spends nothing itself: Telegram's preview
// opens every link.
func (d *Desk) LoginPage(w http.ResponseWriter, r *http.Request) error {
	view := Door{BotOn: d.opts.BotOn, Token: r.PathValue("token")}
	if view.Token != "" {
		if err := d.isGood(r.Context(), view.Token); err != nil {
			return err
		}
	}
	return d.page(w, r, http.StatusOK, "login", Frame{Title: sayTo(r)("title_login", nil)}, view)
}

// isGood returns BadLink unless a sign-in link works. It costs one look at an index, and less for what no link can be.
func (d *Desk) isGood(ctx context.Context, token string) error {
	if len(token) != tokenLength {
		return BadLink
	}
	switch good, err := d.store.LinkIsGood(ctx, hashOf(token)); {
	case err != nil:
		return fmt.Errorf("look at a sign-in link: %w", err)
	case !good:
		return BadLink
	}
	return nil
}

// Login spends a link. The session is always a new one, and the browser's old one ends. Only a link that works costs a
// transaction: those who guess hold up nobody.
func (d *Desk) Login(w http.ResponseWriter, r *http.Request) error {
	if err := d.isGood(r.Context(), r.PathValue("token")); err != nil {
		return err
	}
	old := ""
	if cookie, err := r.Cookie(d.cookie); err == nil {
		old = cookie.Value
	}
	session := newToken()
	var who store.Admin
	err := d.store.Tx(r.Context(), func(tx *store.Tx) error {
		admin, err := tx.SpendLink(hashOf(r.PathValue("token")), hashOf(session))
		if err != nil {
			return err
		}
		var ok bool
		switch who, ok, err = tx.RoleOf(d.opts.Role, admin); {
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
		return BadLink
	case err != nil:
		return fmt.Errorf("sign in: %w", err)
	}
	d.setCookie(w, d.cookie, session, store.SessionLife)
	to, err := d.home(r.Context(), who)
	if err != nil {
		return err
	}
	return redirect(w, to)
}

// Logout ends the session, and LogoutEverywhere all sessions of that admin.
func (d *Desk) Logout(w http.ResponseWriter, r *http.Request) error {
	return d.logout(w, r, (*store.Tx).SignOut)
}

// LogoutEverywhere is like Logout.
func (d *Desk) LogoutEverywhere(w http.ResponseWriter, r *http.Request) error {
	return d.logout(w, r, (*store.Tx).SignOutEverywhere)
}

func (d *Desk) logout(w http.ResponseWriter, r *http.Request, end func(tx *store.Tx, session [32]byte) error) error {
	if err := d.store.Tx(r.Context(), func(tx *store.Tx) error { return end(tx, sessionOf(r)) }); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	d.setCookie(w, d.cookie, "", -time.Second)
	w.Header().Set("Clear-Site-Data", `"cache"`) // videos that were watched
	return doneAt(w, r, "/login", "signed out", "")
}

// ChooseLanguage keeps the language in which somebody wants to read the page.
func (d *Desk) ChooseLanguage(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	chosen := sent["lang"]
	if !slices.Contains(lang.Languages, chosen) {
		return Invalid("error_language", Vars{"Offered": strings.Join(lang.Languages, ", ")})
	}
	d.setCookie(w, langCookie, chosen, 365*24*time.Hour)
	to := "/settings"
	if from, err := url.Parse(r.Referer()); err == nil && from.Path == "/setup" {
		to = from.Path
	}
	return doneAt(w, r, to, "chosen", "")
}
