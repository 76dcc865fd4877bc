// Tests of the pages of admins and API tokens.

package desk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

// staffed is a rig whose roles are those of the settings and the table.
func staffed(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.opts.Role = store.RoleBySettings([]int64{8}, []int64{7})
	r.opts.Staff = Staff{Owners: []int64{8}, Admins: []int64{7}}
	r.opts.Invite = func(_ context.Context, code string) (string, error) { return "https://t.me/x?start=" + code, nil }
	return r
}

func (r *rig) role(id int64) string {
	r.Helper()
	a, ok, err := r.store.RoleOf(r.Context(), r.opts.Role, id)
	switch {
	case err != nil:
		r.Fatal(err)
	case !ok:
		return "nobody"
	case a.Owner:
		return "owner"
	}
	return "admin"
}

func (r *rig) codeOf(w *httptest.ResponseRecorder) string {
	r.Helper()
	var answer struct{ Error struct{ Code string } }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		r.Fatalf("got %s; want JSON", w.Body)
	}
	return answer.Error.Code
}

func TestAdmins_AreAddedChangedAndRemovedByForms(t *testing.T) {
	r := staffed(t)
	for _, c := range []struct{ body, role, activity string }{
		{"do=add&id=55&owner=no", "admin", "appoint admin"},
		{"do=role&id=55&owner=yes", "owner", "appoint owner"},
		{"do=role&id=55&owner=no", "admin", "appoint admin"},
		{"do=remove&id=55", "nobody", "dismiss "},
	} {
		w := r.do(r.ChangeAdmins, sent{path: "/admins", body: c.body})
		if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/admins?notice=") {
			t.Errorf("%s: got %d to %q; want the page with a notice", c.body, w.Code, to)
		}
		if got := r.role(55); got != c.role {
			t.Errorf("%s: got %s; want %s", c.body, got, c.role)
		}
		if r.number(`SELECT count(*) FROM audit WHERE admin = 8 AND id = (SELECT max(id) FROM audit)
			AND action || ' ' || outcome = ?`, c.activity) != 1 {
			t.Errorf("%s: got no line %q of the owner in Activity", c.body, c.activity)
		}
	}
}

func TestAdmins_ThePageSaysWhoTheyAre(t *testing.T) {
	r := staffed(t)
	if err := r.store.Tx(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.NameAdmin(7, "Anna", "anna"), tx.Appoint(store.Admin{ID: 55}, 0, store.ByCommand),
			tx.Appoint(store.Admin{ID: 56, Owner: true}, 8, store.ByPage))
	}); err != nil {
		t.Fatal(err)
	}
	r.mutate(`INSERT INTO sessions (hash, admin, created, seen) VALUES (zeroblob(32), 7, 1000, 1700000000000)`)
	var page Admins
	w := r.do(r.Admins, sent{method: http.MethodGet, path: "/admins", json: true})
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
		t.Fatal(err, w.Body)
	}
	want := map[int64]Staffer{8: {Owner: true, From: "settings", Locked: true},
		7:  {Name: "Anna (@anna)", From: "settings", Locked: true, Seen: time.UnixMilli(1700000000000).UTC()},
		55: {From: "command"}, 56: {Owner: true, From: "page"}}
	if len(page.Admins) != len(want) {
		t.Errorf("got %+v; want %d people", page.Admins, len(want))
	}
	for _, a := range page.Admins {
		w := want[a.ID]
		if w.ID = a.ID; a != w {
			t.Errorf("got %+v; want %+v", a, w)
		}
	}
	html := r.do(r.Admins, sent{method: http.MethodGet, path: "/admins"}).Body.String()
	for _, part := range []string{"Anna (@anna)", "in the settings file", "added by command", "added on the page"} {
		if !strings.Contains(html, part) {
			t.Errorf("got a page without %q", part)
		}
	}
	if n := strings.Count(html, `value="remove"`); n != 2 {
		t.Errorf("got %d people who can be removed; want those who are not in the settings", n)
	}
}

func TestAdmins_RefusesWithAReason(t *testing.T) {
	r := staffed(t)
	for body, code := range map[string]string{
		"do=remove&id=8": "LOCKED", "do=role&id=7&owner=yes": "LOCKED", "do=add&id=x": "INVALID", "do=add&id=-5": "INVALID",
		"do=remove&id=99": "NOT_FOUND", "do=uninvite&id=9": "NOT_FOUND", "do=fly&id=5": "INVALID", "id=5": "INVALID",
	} {
		if got := r.codeOf(r.do(r.ChangeAdmins, sent{body: body, json: true})); got != code {
			t.Errorf("%s: got %s; want %s", body, got, code)
		}
	}
	if w := r.do(r.ChangeAdmins, sent{body: "do=add&id=x"}); w.Code != http.StatusUnprocessableEntity ||
		!strings.Contains(w.Body.String(), `role="alert"`) || !strings.Contains(w.Body.String(), `value="x"`) {
		t.Errorf("got %d %s; want the page with the reason and what was typed", w.Code, w.Body)
	}
	if n := r.number(`SELECT count(*) FROM admins`) + r.number(`SELECT count(*) FROM audit`); n != 0 {
		t.Errorf("got %d rows; want nothing changed", n)
	}
}

func TestAdmins_TheLastOwnerStays(t *testing.T) {
	r := staffed(t)
	r.opts.Role, r.opts.Staff = store.RoleBySettings(nil, []int64{7}), Staff{Admins: []int64{7}}
	r.do(r.ChangeAdmins, sent{body: "do=add&id=55&owner=yes"})
	for _, body := range []string{"do=remove&id=55", "do=role&id=55&owner=no", "do=add&id=55&owner=no"} {
		if got := r.codeOf(r.do(r.ChangeAdmins, sent{body: body, json: true})); got != "LAST_OWNER" {
			t.Errorf("%s: got %s; want LAST_OWNER", body, got)
		}
	}
	if got := r.role(55); got != "owner" {
		t.Fatalf("got %s; want the last owner", got)
	}
	r.do(r.ChangeAdmins, sent{body: "do=add&id=56&owner=yes"})
	r.do(r.ChangeAdmins, sent{body: "do=remove&id=55"})
	if got := r.role(55); got != "nobody" {
		t.Errorf("got %s; want one of two owners removed", got)
	}
}

func TestAdmins_WhoIsRemovedLosesAllAtOnce(t *testing.T) {
	for body, left := range map[string]map[string]int{
		"do=remove&id=55":        {"sessions": 0, "links": 0, "tokens": 0, "invitations": 0, "alerts": 0, "admin_names": 0},
		"do=role&id=55&owner=no": {"sessions": 1, "links": 1, "tokens": 0, "invitations": 0, "alerts": 1, "admin_names": 1},
	} {
		r := staffed(t)
		token := r.token(55, store.ScopeRead)
		if err := r.store.Tx(t.Context(), func(tx *store.Tx) error {
			return errors.Join(tx.SaveLink([32]byte{1}, 55, tx.Now().Add(time.Minute)), tx.Invite([32]byte{2}, true, 55),
				tx.KeepAlert(55, "disk", store.Alert{}), tx.NameAdmin(55, "Anna", ""))
		}); err != nil {
			t.Fatal(err)
		}
		r.mutate(`INSERT INTO sessions (hash, admin, created, seen) VALUES (zeroblob(32), 55, 1000, 1000)`)
		if w := r.bearing(token, http.MethodGet, "/"); w.Code != http.StatusOK {
			t.Fatalf("got %d %s; want that the token works", w.Code, w.Body)
		}
		r.do(r.ChangeAdmins, sent{body: body})
		for table, want := range left {
			if got := r.number(`SELECT count(*) FROM ` + table); got != want {
				t.Errorf("%s: got %d rows of %s; want %d", body, got, table, want)
			}
		}
		if got := r.codeOf(r.bearing(token, http.MethodGet, "/")); got != "BAD_TOKEN" {
			t.Errorf("%s: got %s; want BAD_TOKEN", body, got)
		}
	}
}

// invited makes an invitation and returns its code.
func (r *rig) invited(owner string) string {
	r.Helper()
	w := r.do(r.ChangeAdmins, sent{body: "do=invite&owner=" + owner})
	link := regexp.MustCompile(`https://t\.me/x\?start=([\w-]+)`).FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || link == nil || !strings.Contains(w.Body.String(), "data-copy") {
		r.Fatalf("got %d %s; want the link, to be copied", w.Code, w.Body)
	}
	return link[1]
}

func (r *rig) accept(code string, id int64) (a store.Admin, already bool, err error) {
	hash, ok := InvitationOf(code)
	if !ok {
		return a, false, store.ErrNotFound
	}
	err = r.store.Tx(r.Context(), func(tx *store.Tx) (err error) {
		a, already, err = tx.AcceptInvitation(hash, id, r.opts.Role)
		return err
	})
	return a, already, err
}

func TestInvitation_MakesTheFirstWhoOpensItAnAdmin(t *testing.T) {
	for owner, want := range map[string]string{"yes": "owner", "no": "admin"} {
		r := staffed(t)
		code := r.invited(owner)
		if len(code) > 64 {
			t.Errorf("got a code of %d characters; want what Telegram carries", len(code))
		}
		if r.number(`SELECT count(*) FROM invitations WHERE instr(hash, ?)`, code) != 0 {
			t.Error("got the code in the database; want its hash")
		}
		if html := r.do(r.Admins, sent{method: http.MethodGet}).Body.String(); strings.Contains(html, code) ||
			!strings.Contains(html, `value="uninvite"`) {
			t.Error("got the link again, or no open invitation; want it shown once, and listed")
		}
		if a, already, err := r.accept(code, 8); !already || err != nil || !a.Owner {
			t.Errorf("got %v, %v, %v; want that an owner spends no invitation", a, already, err)
		}
		if _, _, err := r.accept(code, 55); err != nil || r.role(55) != want {
			t.Errorf("got %v and %s; want %s", err, r.role(55), want)
		}
		if _, _, err := r.accept(code, 56); !errors.Is(err, store.ErrNotFound) || r.role(56) != "nobody" {
			t.Errorf("got %v and %s for the second who opened it; want nothing", err, r.role(56))
		}
		if n := r.number(`SELECT count(*) FROM audit WHERE action = 'invite' AND outcome = ?1 AND admin = 8`, want) *
			r.number(`SELECT count(*) FROM audit WHERE action = 'join' AND outcome = ?1 AND admin = 55`, want); n != 1 {
			t.Errorf("got %d; want who invited and who came in Activity", n)
		}
	}
}

func TestInvitation_IsOverWhen(t *testing.T) {
	for name, end := range map[string]func(r *rig){
		"it expires":   func(r *rig) { r.mutate(`UPDATE invitations SET expires = 1000`) },
		"it is ahead":  func(r *rig) { r.mutate(`UPDATE invitations SET expires = expires + 3600000`) },
		"withdrawn":    func(r *rig) { r.do(r.ChangeAdmins, sent{body: "do=uninvite&id=1"}) },
		"its maker is": func(r *rig) { r.opts.Role = store.RoleBySettings(nil, []int64{8}) },
	} {
		r := staffed(t)
		code := r.invited("yes")
		end(r)
		if _, _, err := r.accept(code, 55); !errors.Is(err, store.ErrNotFound) || r.role(55) != "nobody" {
			t.Errorf("%s: got %v, %s; want ErrNotFound", name, err, r.role(55))
		}
	}
	r := staffed(t)
	r.opts.Invite = nil
	if got := r.codeOf(r.do(r.ChangeAdmins, sent{body: "do=invite", json: true})); got != "NOT_SET_UP" {
		t.Errorf("without a bot: got %s; want NOT_SET_UP", got)
	}
	r.opts.Invite = func(context.Context, string) (string, error) { return "", errors.New("no answer") }
	if got := r.codeOf(r.do(r.ChangeAdmins, sent{body: "do=invite", json: true})); got != "PLATFORM" {
		t.Errorf("without Telegram: got %s; want PLATFORM", got)
	}
}

// token makes an owner and a token of theirs.
func (r *rig) token(id int64, scope store.Scope) (token string) {
	r.Helper()
	token = tokenMark + newToken()
	if err := r.store.Tx(r.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.Appoint(store.Admin{ID: id, Owner: true}, 0, store.ByCommand),
			tx.SaveToken(hashOf(token), id, "script", scope, time.Hour))
	}); err != nil {
		r.Fatal(err)
	}
	return token
}

// bearing sends a token to a route.
func (r *rig) bearing(token, method, pattern string) *httptest.ResponseRecorder {
	r.Helper()
	req := httptest.NewRequestWithContext(r.Context(), method, "/", nil)
	req.Pattern = pattern
	req.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	answer := func(w http.ResponseWriter, r *http.Request) error { return Done(w, r, "done", "") }
	if err := r.SignedIn(answer)(w, req); err != nil {
		r.Desk.Fail(w, req, err, false)
	}
	return w
}

func TestTokens_AreShownOnceAndRevoked(t *testing.T) {
	r := staffed(t)
	w := r.do(r.ChangeTokens, sent{body: "do=make&title=My+script&scope=make&days=30"})
	token := regexp.MustCompile(`retake_[\w-]{43}`).FindString(w.Body.String())
	if w.Code != http.StatusOK || token == "" || !strings.Contains(w.Body.String(), "data-copy") {
		t.Fatalf("got %d %s; want the token, to be copied", w.Code, w.Body)
	}
	html := r.do(r.Tokens, sent{method: http.MethodGet}).Body.String()
	if strings.Contains(html, token) || !strings.Contains(html, "My script") || !strings.Contains(html, "never used") {
		t.Errorf("got %s; want its name, and the token no more", html)
	}
	if w := r.bearing(token, http.MethodPost, "/assets"); w.Code != http.StatusOK {
		t.Errorf("got %d %s; want that it works", w.Code, w.Body)
	}
	all, err := r.store.Tokens(t.Context(), 8)
	if err != nil || len(all) != 1 || all[0].Used.IsZero() || all[0].Expires.Sub(all[0].Created) != 30*24*time.Hour {
		t.Errorf("got %+v, %v; want when it was used and when it expires", all, err)
	}
	if got := r.codeOf(r.do(r.ChangeTokens, sent{body: "do=revoke&id=99", json: true})); got != "NOT_FOUND" {
		t.Errorf("got %s; want NOT_FOUND", got)
	}
	r.do(r.ChangeTokens, sent{body: "do=revoke&id=1"})
	if got := r.codeOf(r.bearing(token, http.MethodPost, "/assets")); got != "BAD_TOKEN" {
		t.Errorf("revoked: got %s; want BAD_TOKEN", got)
	}
	if n := r.number(`SELECT count(*) FROM audit WHERE admin = 8 AND action IN ('make token', 'revoke token')`); n != 2 {
		t.Errorf("got %d lines in Activity; want both", n)
	}
}

func TestTokens_RefuseWithAReason(t *testing.T) {
	r := staffed(t)
	for field, body := range map[string]string{"title": "scope=read", "scope": "title=x&scope=all",
		"days": "title=x&scope=read&days=31"} {
		w := r.do(r.ChangeTokens, sent{body: "do=make&" + body, json: true})
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `"fields":{"`+field+`"`) {
			t.Errorf("%s: got %d %s; want the field %s", body, w.Code, w.Body, field)
		}
	}
	long := url.QueryEscape(strings.Repeat("щ", longestTitle+1))
	if w := r.do(r.ChangeTokens, sent{body: "do=make&scope=read&title=" + long}); w.Code != 422 ||
		!strings.Contains(w.Body.String(), `role="alert"`) {
		t.Errorf("got %d %s; want the page with the reason", w.Code, w.Body)
	}
}

func TestTokens_DoNotWork(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(r *rig)
		code string
	}{
		"expired":             {func(r *rig) { r.mutate(`UPDATE tokens SET expires = 1000`) }, "BAD_TOKEN"},
		"of an admin now":     {func(r *rig) { r.mutate(`UPDATE admins SET owner = 0`) }, "BAD_TOKEN"},
		"of nobody now":       {func(r *rig) { r.mutate(`DELETE FROM admins`) }, "BAD_TOKEN"},
		"of somebody else":    {func(r *rig) { r.mutate(`UPDATE tokens SET hash = zeroblob(32)`) }, "BAD_TOKEN"},
		"of too small a kind": {func(r *rig) { r.mutate(`UPDATE tokens SET scope = 'read'`) }, "WRONG_SCOPE"},
	} {
		r := staffed(t)
		token := r.token(55, store.ScopeMake)
		c.end(r)
		if got := r.codeOf(r.bearing(token, http.MethodPost, "/assets")); got != c.code {
			t.Errorf("%s: got %s; want %s", name, got, c.code)
		}
	}
	r := staffed(t)
	for _, token := range []string{"", "x", tokenMark, tokenMark + strings.Repeat("x", 43), strings.Repeat("x", 50)} {
		if got := r.codeOf(r.bearing(token, http.MethodGet, "/")); got != "BAD_TOKEN" {
			t.Errorf("%q: got %s; want BAD_TOKEN", token, got)
		}
	}
}

func TestTokens_ARetryOfAPublicationNeedsThatScope(t *testing.T) {
	for scope, want := range map[store.Scope]bool{"": true, store.ScopeRead: false, store.ScopeMake: false,
		store.ScopePublish: true, store.ScopeEverything: true} {
		ctx := context.WithValue(t.Context(), visitorKey{}, visitor{scope: scope})
		if err := MayPublish(httptest.NewRequestWithContext(ctx, "POST", "/", nil)); (err == nil) != want {
			t.Errorf("%q: got %v; want allowed %v", scope, err, want)
		}
	}
}

func TestChangeAdmins_ANumberOfAPerson(t *testing.T) {
	r := newRig(t)
	for id, want := range map[string]int{"": 422, "x": 422, "-5": 422, "0": 422, " 55 ": 200} {
		w := r.do(r.ChangeAdmins, sent{path: "/admins", body: "do=add&id=" + id, json: true})
		if w.Code != want {
			t.Errorf("%q: got %d; want %d", id, w.Code, want)
		}
	}
	if n := r.number(`SELECT count(*) FROM admins`); n != 1 {
		t.Errorf("got %d admins; want the one with a number", n)
	}
}
