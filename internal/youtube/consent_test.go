// Consent: who comes back with a channel, and who does not.

package youtube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestConsent_ConsentBringsAChannelThatCanBeUsed(t *testing.T) {
	w := newWorld(t)
	at := w.client.Ask(session, "")
	q, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]string{
		"access_type": "offline", "prompt": "consent", "code_challenge_method": "S256", "client_id": "client",
		"redirect_uri": "http://localhost:8080/channels/callback", "scope": strings.Join(scopes, " "),
	} {
		if got := q.Query().Get(k); got != want {
			t.Errorf("%s: got %q; want %q", k, got, want)
		}
	}
	g, err := w.client.Answer(context.Background(), session, w.decide(at, "allow", family))
	if err != nil {
		t.Fatal(err)
	}
	if g.Channel != (Channel{family, "Family Celebrations"}) || !slices.Equal(g.Token.Scopes, scopes) {
		t.Errorf("got %v with %v", g.Channel, g.Token.Scopes)
	}
	if want := w.clock.Now().Add(3599 * time.Second); !g.Token.Expiry.Equal(want) {
		t.Errorf("expiry: got %v; want %v", g.Token.Expiry, want)
	}
	c, err := w.client.With(g.Token, nil).Mine(context.Background())
	if err != nil || c != g.Channel {
		t.Errorf("got %v, %v", c, err)
	}
}

func TestConsent_AnAnswerIsTakenOnceFromTheSessionThatAskedWithinTenMinutes(t *testing.T) {
	w := newWorld(t)
	answer := func(s [32]byte, q url.Values) error {
		_, err := w.client.Answer(context.Background(), s, q)
		return err
	}
	q := w.decide(w.client.Ask(session, ""), "allow", north)
	if err := answer([32]byte{9}, q); err != ErrState {
		t.Errorf("another session: got %v; want %v", err, ErrState)
	}
	if err := answer(session, q); err != ErrState {
		t.Errorf("after another session tried: got %v; want %v", err, ErrState)
	}
	q = w.decide(w.client.Ask(session, ""), "allow", north)
	if err := answer(session, q); err != nil {
		t.Fatal(err)
	}
	if err := answer(session, q); err != ErrState {
		t.Errorf("spent: got %v; want %v", err, ErrState)
	}
	q = w.decide(w.client.Ask(session, ""), "allow", north)
	w.clock.Add(10 * time.Minute)
	if err := answer(session, q); err != ErrState {
		t.Errorf("old: got %v; want %v", err, ErrState)
	}
	if err := answer(session, url.Values{"code": {"4/x"}}); err != ErrState {
		t.Errorf("without state: got %v; want %v", err, ErrState)
	}
}

func TestConsent_OnlySomeConsentsAreKeptAndTheOldestGoesFirst(t *testing.T) {
	w := newWorld(t)
	first := w.decide(w.client.Ask(session, ""), "deny", "")
	for range maxAsks {
		w.clock.Add(time.Millisecond)
		w.client.Ask(session, "")
	}
	last := w.decide(w.client.Ask(session, ""), "deny", "")
	if n := len(w.client.asks.open); n != maxAsks {
		t.Errorf("got %d; want %d", n, maxAsks)
	}
	if _, err := w.client.Answer(context.Background(), session, first); err != ErrState {
		t.Errorf("the oldest: got %v; want %v", err, ErrState)
	}
	if _, err := w.client.Answer(context.Background(), session, last); err != ErrDenied {
		t.Errorf("the newest: got %v; want %v", err, ErrDenied)
	}
}

func TestConsent_WhatConsentCanLack(t *testing.T) {
	for _, one := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request) bool
		edit   func(at string) string
		want   error
	}{
		{name: "no refresh token", edit: func(at string) string {
			return strings.Replace(at, "access_type=offline",
				"access_type=online", 1)
		}, want: ErrNoRefresh},
		{name: "a scope was not granted", edit: func(at string) string {
			return strings.Replace(at, url.QueryEscape(" "+scope+"youtube.force-ssl"), "", 1)
		}, want: ErrScopes},
		{name: "no channel", answer: func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/youtube/v3/channels" {
				return false
			}
			fmt.Fprint(w, `{"kind":"youtube#channelListResponse"}`)
			return true
		}, want: ErrNoChannel},
		{name: "no YouTube at all", answer: func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/youtube/v3/channels" {
				return false
			}
			w.WriteHeader(401)
			fmt.Fprint(w, `{"error":{"errors":[{"reason":"youtubeSignupRequired"}]}}`)
			return true
		}, want: ErrNoChannel},
	} {
		t.Run(one.name, func(t *testing.T) {
			w := newWorld(t)
			w.before = one.answer
			at := w.client.Ask(session, "")
			if one.edit != nil {
				at = one.edit(at)
			}
			if _, err := w.client.Answer(context.Background(), session, w.decide(at, "allow", north)); err != one.want {
				t.Errorf("got %v; want %v", err, one.want)
			}
		})
	}
}

func TestConsent_AnotherChannelIsToldByName(t *testing.T) {
	w := newWorld(t)
	_, err := w.client.Answer(context.Background(), session, w.decide(w.client.Ask(session, family), "allow", north))
	var other *OtherChannel
	if !errors.As(err, &other) || other.Want != family || other.Got != (Channel{north, "Greetings from the North"}) {
		t.Fatalf("got %v", err)
	}
	if _, err := w.client.Answer(
		context.Background(),
		session,
		w.decide(w.client.Ask(session, north), "allow", north),
	); err != nil {
		t.Errorf("the same channel: got %v", err)
	}
}

func TestConsent_ACodeIsWorthNothingWithoutTheVerifier(t *testing.T) {
	w := newWorld(t)
	mine, stolen := w.decide(
		w.client.Ask(session, ""),
		"allow",
		north,
	), w.decide(
		w.client.Ask(session, ""),
		"allow",
		family,
	)
	mine.Set("code", stolen.Get("code"))
	_, err := w.client.Answer(context.Background(), session, mine)
	wantError(t, err, "invalid_grant")
}

func TestConsent_ARefreshedTokenIsKeptWithTheOldRefreshToken(t *testing.T) {
	w := newWorld(t)
	g := w.grant()
	var kept []Token
	a := w.client.With(g.Token, func(_ context.Context, t Token) error { kept = append(kept, t); return nil })
	mine := func() {
		t.Helper()
		if _, err := a.Mine(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	mine()
	if len(kept) != 0 {
		t.Fatal("a fresh token was refreshed")
	}
	w.clock.Add(59 * time.Minute)
	mine()
	mine()
	if len(kept) != 1 || kept[0].Refresh != g.Token.Refresh || kept[0].Access == g.Token.Access ||
		!slices.Equal(kept[0].Scopes, scopes) {
		t.Fatalf("got %d refreshes", len(kept))
	}
	if !kept[0].Expiry.Equal(w.clock.Now().Add(3599 * time.Second)) {
		t.Errorf("got %v", kept[0].Expiry)
	}
	lost := errors.New("the disk is full")
	w.clock.Add(time.Hour)
	a = w.client.With(kept[0], func(context.Context, Token) error { return lost })
	if _, err := a.Mine(context.Background()); !errors.Is(err, lost) {
		t.Errorf("got %v; want %v", err, lost)
	}
}

func TestConsent_AccessEndsWhenARefreshOrAFreshTokenIsRefused(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	w.tube.SetFault("badtoken", true)
	_, err := a.Mine(context.Background())
	if e := wantError(t, err, "authError"); !e.AccessEnded() {
		t.Error("a refused fresh token did not end the access")
	}
	w.tube.SetFault("badtoken", false)
	if _, err := a.Mine(context.Background()); err != nil {
		t.Errorf("repaired: got %v", err)
	}
	w.tube.SetFault("revoked", true)
	_, err = a.Mine(context.Background())
	if e := wantError(t, err, "invalid_grant"); !e.AccessEnded() || e.Step() != "reconnect" {
		t.Error("a refused refresh did not end the access")
	}
	if _, err := w.account().Mine(context.Background()); err != nil {
		t.Errorf("connected again: got %v", err)
	}
	_, err = w.client.With(Token{}, nil).Mine(context.Background())
	if e := wantError(t, err, "authError"); !e.AccessEnded() {
		t.Error("access without a token did not end")
	}
}

func TestConsent_OneRefusedTokenIsRefreshedAndTheCallRepeated(t *testing.T) {
	w := newWorld(t)
	g := w.grant()
	g.Token.Access = "ya29.wrong"
	n := 0
	a := w.client.With(g.Token, func(context.Context, Token) error { n++; return nil })
	if _, err := a.Mine(context.Background()); err != nil || n != 1 {
		t.Errorf("got %v after %d refreshes; want nil after 1", err, n)
	}
}

func TestConsent_GivenBackAccessIsOver(t *testing.T) {
	w := newWorld(t)
	a := w.account()
	for range 2 { // the second time it is gone already
		if err := a.Revoke(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := a.Mine(context.Background())
	wantError(t, err, "invalid_grant")
}

// withToken changes what Google's token server answers.
func (w *world) withToken(change func(map[string]any)) {
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/token" {
			return false
		}
		answer := httptest.NewRecorder()
		w.tube.ServeHTTP(answer, r)
		var v map[string]any
		if err := json.Unmarshal(answer.Body.Bytes(), &v); err != nil {
			w.Error(err)
		}
		change(v)
		writeAnswer(rw, v)
		return true
	}
}

func TestAnswer_AScopeThatIsLeftOutIsWhatWasAskedFor(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"none":  func(v map[string]any) { delete(v, "scope") },
		"empty": func(v map[string]any) { v["scope"] = "" },
	} {
		w := newWorld(t)
		w.withToken(change)
		if g := w.grant(); !slices.Equal(g.Token.Scopes, scopes) {
			t.Errorf("%s: got %v", name, g.Token.Scopes)
		}
	}
}

func TestToken_WithoutALifetimeIsUsedUntilItIsRefused(t *testing.T) {
	w := newWorld(t)
	w.withToken(func(v map[string]any) { delete(v, "expires_in") })
	g := w.grant()
	n := 0
	a := w.client.With(g.Token, func(context.Context, Token) error { n++; return nil })
	for range 3 {
		if _, err := a.Mine(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if n != 0 || !g.Token.Expiry.IsZero() {
		t.Errorf("got %d refreshes, expiry %v; want none", n, g.Token.Expiry)
	}
	w.clock.Add(2 * time.Hour) // now YouTube refuses it
	if _, err := a.Mine(context.Background()); err != nil || n != 1 {
		t.Errorf("got %v after %d refreshes; want 1", err, n)
	}
}

func TestToken_SaysWhenTheAccessEnds(t *testing.T) {
	w := newWorld(t)
	week := 7 * 24 * time.Hour
	w.withToken(func(v map[string]any) { v["refresh_token_expires_in"] = int(week / time.Second) })
	g := w.grant()
	end := w.clock.Now().Add(week)
	if !g.Token.Ends.Equal(end) {
		t.Errorf("got %v; want %v", g.Token.Ends, end)
	}
	w.before = nil // a refresh does not always say it again
	w.clock.Add(2 * time.Hour)
	var kept Token
	a := w.client.With(g.Token, func(_ context.Context, t Token) error { kept = t; return nil })
	if _, err := a.Mine(context.Background()); err != nil || !kept.Ends.Equal(end) {
		t.Errorf("got %v, %v; want %v", err, kept.Ends, end)
	}
	text, err := json.Marshal(Token{Access: "a", Refresh: "r"})
	if err != nil || strings.Contains(string(text), "ends") {
		t.Errorf("got %s, %v; want no end where none is known", text, err)
	}
}

func TestToken_ARotatedRefreshTokenIsKept(t *testing.T) {
	w := newWorld(t)
	g := w.grant()
	w.withToken(func(v map[string]any) { v["refresh_token"] = "1//rotated" })
	w.clock.Add(2 * time.Hour)
	var kept Token
	a := w.client.With(g.Token, func(_ context.Context, t Token) error { kept = t; return nil })
	if _, err := a.Mine(context.Background()); err != nil || kept.Refresh != "1//rotated" {
		t.Errorf("got %v, %q", err, kept.Refresh)
	}
}

// This is why a channel is only forgotten here, and not revoked, while another one is connected.
func TestRevoke_EndsTheAccessOfTheAccountsOtherChannelsToo(t *testing.T) {
	w := newWorld(t)
	one := w.account()
	g, err := w.client.Answer(context.Background(), session, w.decide(w.client.Ask(session, ""), "allow", family))
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Revoke(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, err = w.client.With(g.Token, nil).Mine(context.Background())
	if e := wantError(t, err, "invalid_grant"); !e.AccessEnded() {
		t.Errorf("got %v; want the other access ended", err)
	}
}

func TestRevoke_WhatGoogleDidNotSayIsNotDone(t *testing.T) {
	for _, answer := range badAnswers {
		if answer.status == 200 || strings.HasPrefix(answer.body, "{\"error") {
			continue // of the API
		}
		w := newWorld(t)
		a := w.account()
		w.before = func(rw http.ResponseWriter, r *http.Request) bool {
			answer.give(rw)
			return true
		}
		wantAnswer(t, a.Revoke(context.Background()), answer)
	}
}

func TestAnswer_EachRefusalOfTheConsentPageHasItsCode(t *testing.T) {
	for problem, want := range map[string]string{
		"redirect_uri_mismatch": "youtube_redirect_mismatch", "admin_policy_enforced": "youtube_policy",
		"invalid_client": "youtube_client",
		"server_error":   "youtube_unreachable", "temporarily_unavailable": "youtube_unreachable",
		"something":     "youtube_refused",
		"access_denied": "youtube_consent_denied",
	} {
		w := newWorld(t)
		state := w.decide(w.client.Ask(session, ""), "deny", "").Get("state")
		_, err := w.client.Answer(context.Background(), session, url.Values{"state": {state}, "error": {problem}})
		coded, ok := errors.AsType[interface {
			error
			Code() string
		}](err)
		if !ok || coded.Code() != want || !slices.Contains(Codes(), want) {
			t.Errorf("%s: got %v; want %s", problem, err, want)
		}
	}
}

func TestConsent_TokensAndStatesAreHiddenWhereverTheyArePrinted(t *testing.T) {
	token := Token{Access: "ya29.SECRET", Refresh: "1//SECRET"}
	state := State{Session: "https://h/?upload_id=SECRET"}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", token, "state", state)
	all := log.String() + fmt.Sprint(
		token,
		state,
	) + fmt.Sprintf(
		"%v %+v %#v %s %q",
		token,
		state,
		token,
		state,
		token,
	) +
		fmt.Sprintf(
			"%#v %v",
			state,
			Grant{Token: token},
		)
	if strings.Contains(all, "SECRET") {
		t.Errorf("got %s", all)
	}
	text, err := json.Marshal(token)
	if err != nil || !strings.Contains(string(text), "1//SECRET") {
		t.Errorf("it cannot be kept: %s, %v", text, err)
	}
}
