// Access to a channel by way of a real OAuth server, oidc-provider, whose refresh tokens stay or are new each time.

package publish

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"retake.example/internal/config"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/testserver"
	"retake.example/internal/youtube"
)

// authority is that server.
type authority struct {
	*testing.T
	url string
}

// startAuthority starts one. refresh: rotate or keep.
func startAuthority(t *testing.T, refresh string) authority {
	address := testserver.FreeAddress(t)
	scope := "https://www.googleapis.com/auth/youtube."
	testserver.New(t, address, nil, "npm/oidc.mjs", address, refresh, "http://localhost/channels/callback",
		scope+"upload", scope+"readonly", scope+"force-ssl").Start()
	return authority{t, "http://" + address}
}

// ask posts a form as the program, and reads the answer into out.
func (a authority) ask(path string, form url.Values, out any) {
	a.Helper()
	form.Set("client_id", "client")
	form.Set("client_secret", "secret")
	answer, err := http.PostForm(a.url+path, form)
	if err != nil {
		a.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		a.Fatalf("%s: got %s", path, answer.Status)
	}
	if out != nil {
		if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
			a.Fatalf("%s: %v", path, err)
		}
	}
}

var leadsTo = regexp.MustCompile(`action="([^"]+)"`)

// consents is an owner in a browser, who signs in and consents. It returns what the browser brings back.
func (a authority) consents(ask string) url.Values {
	a.Helper()
	jar, _ := cookiejar.New(nil) // never fails
	browser := http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/channels/callback" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	answer, err := browser.Get(ask)
	if err != nil {
		a.Fatal(err)
	}
	for range 3 {
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			a.Fatal(err)
		}
		if back, err := answer.Location(); err == nil {
			return back.Query()
		}
		form := leadsTo.FindSubmatch(text)
		if form == nil {
			a.Fatalf("got %s %s; want a form", answer.Status, text)
		}
		to, err := answer.Request.URL.Parse(string(form[1]))
		if err != nil {
			a.Fatal(err)
		}
		prompt := "consent"
		if strings.Contains(string(text), `name="login"`) {
			prompt = "login"
		}
		answer, err = browser.PostForm(to.String(), url.Values{"prompt": {prompt}, "login": {"owner"}, "password": {"x"}})
		if err != nil {
			a.Fatal(err)
		}
	}
	a.Fatal("got form after form; want the way back")
	return nil
}

// guards answers in place of YouTube: with the channel, to those whose token the server knows.
func (a authority) guards(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != "/google/youtube/v3/channels" {
		return false
	}
	var v struct{ Active bool }
	a.ask("/introspect", url.Values{"token": {strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")}}, &v)
	if !v.Active {
		google(401, "authError")(w)
		return true
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"kind": "youtube#channelListResponse", "items": [{"id": "UC1", "snippet": {"title": "Greetings"}}]}`)
	return true
}

func TestOAuth_ConnectsRefreshesAndEnds(t *testing.T) {
	for _, refresh := range []string{"keep", "rotate"} {
		t.Run(refresh, func(t *testing.T) {
			t.Parallel()
			a := startAuthority(t, refresh)
			r := newRig(t, func(cfg *config.Config) {
				cfg.YouTube.AuthURL, cfg.YouTube.TokenURL = a.url+"/auth", a.url+"/token"
			})
			r.intercept(a.guards)
			connect := func() store.Channel {
				t.Helper()
				ask, err := r.studio.Ask(t.Context(), [32]byte{1}, 0)
				r.must(err)
				c, err := r.studio.Answer(t.Context(), [32]byte{1}, a.consents(ask), owner)
				r.must(err)
				return c
			}
			kept := func(c store.Channel) (token youtube.Token) {
				t.Helper()
				sealed, err := r.store.Token(t.Context(), c.ID)
				r.must(err)
				text, err := r.sites.box.Unseal(sealed, Owner(c.External))
				r.must(err)
				r.must(json.Unmarshal(text, &token))
				return token
			}
			c := connect()
			if c.External != "UC1" || c.Title != "Greetings" || r.state(c.ID) != "CONNECTED" {
				t.Fatalf("got %+v, %s", c, r.state(c.ID))
			}

			// An hour later the access token is over. Those who need another at the same time share one.
			for range 3 {
				before := kept(c)
				r.ahead.Add(int64(2 * time.Hour))
				var all sync.WaitGroup
				for range 4 {
					all.Go(func() {
						if err := r.studio.Check(t.Context(), c.ID, owner); err != nil {
							t.Errorf("got %v; want the access refreshed", err)
						}
					})
				}
				all.Wait()
				after := kept(c)
				if after.Access == before.Access || (after.Refresh != before.Refresh) != (refresh == "rotate") {
					t.Errorf("got another access token %v, another refresh token %v", after.Access != before.Access,
						after.Refresh != before.Refresh)
				}
			}

			// A program that begins again has what it needs.
			again, err := NewSites(r.store, r.sites.files, r.studio.cfg, r.sites.talk)
			r.must(err)
			r.ahead.Add(int64(2 * time.Hour))
			r.must(NewStudio(again, r, r.studio.cfg).Check(t.Context(), c.ID, owner))
			r.sites, r.studio = again, NewStudio(again, r, r.studio.cfg)

			// The owner takes the access away at Google: what waits for the channel fails, and goes on with the next consent.
			id := r.owe("YOUTUBE", c.ID, time.Time{})
			a.ask("/revoke", url.Values{"token": {kept(c).Refresh}}, nil)
			r.ahead.Add(int64(2 * time.Hour))
			err = r.studio.Check(t.Context(), c.ID, owner)
			if kindOf(err) != "ended" || retry.CodeOf(err) != "youtube_access_ended" || r.state(c.ID) != "ENDED" {
				t.Fatalf("got %v, %s; want the access ended", err, r.state(c.ID))
			}
			if p := r.on(id, "YOUTUBE"); p.Status != store.Failed || p.Step != "reconnect" {
				t.Errorf("got %+v; want it to wait for the channel", p)
			}
			if got := connect(); got.ID != c.ID || r.state(c.ID) != "CONNECTED" {
				t.Errorf("got %+v, %s; want the channel back", got, r.state(c.ID))
			}
			r.must(r.studio.Check(t.Context(), c.ID, owner))
			if p := r.on(id, "YOUTUBE"); p.Status != store.Pending {
				t.Errorf("got %+v; want it to go on", p)
			}
		})
	}
}
