// The pages of admins and API tokens in a real browser: an invitation and a token are shown once, to be copied.

package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/store"
)

// staffs gives an office admins of every origin, invitations and tokens.
func staffs(t *testing.T, d *office) {
	t.Helper()
	d.change(func(o *desk.Options) {
		o.Invite = func(_ context.Context, code string) (string, error) {
			return "https://t.me/retake_bot?start=" + code, nil
		}
	})
	token := d.token(8, store.ScopeEverything)
	write(t, d.store, func(tx *store.Tx) error {
		return errors.Join(tx.NameAdmin(8, "Анна-Мария", "anna"), tx.NameAdmin(7, strings.Repeat("W", 64), ""),
			tx.NameAdmin(55, odd[2], "somebody"), tx.Appoint(store.Admin{ID: 55, Owner: true}, 0, store.ByCommand),
			tx.Appoint(store.Admin{ID: 56}, 8, store.ByPage), tx.Appoint(store.Admin{ID: 57}, 57, store.ByInvitation),
			tx.Invite(hashOf("one"), true, 8), tx.Invite(hashOf("two"), false, 0),
			tx.SaveToken(hashOf("old"), 8, strings.Repeat("W", 60), store.ScopeRead, time.Hour))
	})
	mutate(t, d.store, `UPDATE tokens SET expires = 1000, used = 1000 WHERE hash <> ?`, hashBytes(token))
}

func hashBytes(token string) []byte { h := hashOf(token); return h[:] }

func TestAnOwnerInvitesAndMakesATokenInTheBrowser(t *testing.T) {
	c, d := newCritic(t), openDesk(t, func(d *office) { staffs(t, d) })
	c.moves(d, 8)
	for _, l := range []string{"en", "ru"} {
		c.Await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: '" + l + "' }) })")
		c.reads("staff/"+l+"/admins", "/admins", 200)
		c.reads("staff/"+l+"/tokens", "/tokens", 200)
		for name, s := range map[string]struct{ path, fill, button, shown, begins string }{
			"invited": {"/admins", "", "button[name=owner][value=yes]", "#link", "https://t.me/retake_bot?start=admin-"},
			"made": {"/tokens", "document.querySelector('#title').value = 'A script'", "button[value=make]", "#token",
				"retake_"},
		} {
			c.open(d, s.path)
			if s.fill != "" {
				c.JS(s.fill)
			}
			c.Press(s.button)
			c.Until("document.querySelector('" + s.shown + "') !== null && document.readyState === 'complete'")
			if got := c.JS("document.querySelector('" + s.shown + "').textContent"); !strings.HasPrefix(got, s.begins) {
				t.Errorf("%s: got %q; want what begins with %s", name, got, s.begins)
			}
			c.Press("[data-copy]")
			c.Until("document.querySelector('[data-copy].copied') !== null")
			t.Run("staff/"+l+"/"+name, func(t *testing.T) { c.examines(t) })
		}
	}
}
