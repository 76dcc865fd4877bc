// The fake accepts and refuses where YouTube does. What it does for a whole upload is tested with the real client.

package youtube

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

type app struct {
	*testing.T
	s    *Server
	base string
}

func newApp(t *testing.T, opts Options) *app {
	opts.ClientID, opts.ClientSecret = "client", "secret"
	s := New(opts)
	front := httptest.NewServer(http.StripPrefix("/youtube", s))
	s.SetBaseURL(front.URL + "/youtube/")
	t.Cleanup(func() {
		front.Close()
		s.Close()
	})
	return &app{t, s, front.URL + "/youtube"}
}

var browser = http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// ask is the address of the consent page; with changes values of its query.
func (a *app) ask(with map[string]string) string {
	sum := sha256.Sum256([]byte("verifier"))
	q := url.Values{
		"client_id": {
			"client",
		},
		"redirect_uri":  {"http://localhost:8080/back"},
		"response_type": {"code"},
		"state":         {"mine"},
		"code_challenge": {
			base64.RawURLEncoding.EncodeToString(sum[:]),
		},
		"code_challenge_method": {"S256"},
		"access_type":           {"offline"},
		"prompt":                {"consent"},
		"scope":                 {scopeBase + "youtube.upload"},
	}
	for k, v := range with {
		q.Set(k, v)
	}
	return a.base + "/o/oauth2/v2/auth?" + q.Encode()
}

// code is the admin's consent.
func (a *app) code() string {
	a.Helper()
	res, err := browser.PostForm(a.ask(nil), url.Values{"decision": {"allow"}, "channel": {"UCfamilyCelebrations002"}})
	if err != nil {
		a.Fatal(err)
	}
	res.Body.Close()
	back, err := res.Location()
	if err != nil || back.Host != "localhost:8080" || back.Query().Get("state") != "mine" {
		a.Fatalf("got %v, %v", back, err)
	}
	return back.Query().Get("code")
}

// token changes a code for a token; with changes values of the form.
func (a *app) token(with map[string]string) map[string]any {
	a.Helper()
	q := url.Values{"grant_type": {"authorization_code"}, "client_id": {"client"}, "client_secret": {"secret"},
		"redirect_uri": {"http://localhost:8080/back"}, "code_verifier": {"verifier"}, "code": {"unknown"}}
	for k, v := range with {
		q.Set(k, v)
	}
	res, err := http.PostForm(a.base+"/token", q)
	if err != nil {
		a.Fatal(err)
	}
	defer res.Body.Close()
	var v map[string]any
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
		a.Fatal(err)
	}
	return v
}

// call makes a call with a token and returns the status, the header and the reason or body.
func (a *app) call(token, method, at, body string, header ...string) (int, http.Header, string) {
	a.Helper()
	if !strings.HasPrefix(at, "http") {
		at = a.base + at
	}
	req, err := http.NewRequest(method, at, strings.NewReader(body))
	if err != nil {
		a.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := browser.Do(req)
	if err != nil {
		a.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		a.Fatal(err)
	}
	var v struct {
		Error struct{ Errors []struct{ Reason string } }
	}
	if json.Unmarshal(text, &v) == nil && len(v.Error.Errors) > 0 {
		return res.StatusCode, res.Header, v.Error.Errors[0].Reason
	}
	return res.StatusCode, res.Header, string(text)
}

func TestFake_ConsentRefusesWhatGoogleRefuses(t *testing.T) {
	a := newApp(t, Options{})
	for _, with := range []map[string]string{
		{"client_id": "other"}, {"redirect_uri": "javascript:alert(1)"}, {"redirect_uri": "http://a;b/"},
		{"response_type": "token"},
		{"code_challenge": ""}, {"code_challenge_method": "plain"}, {"scope": ""}, {"scope": "openid"},
	} {
		for _, do := range []func(string) (*http.Response, error){browser.Get, func(at string) (*http.Response, error) {
			return browser.PostForm(at, url.Values{"decision": {"allow"}, "channel": {"UCfamilyCelebrations002"}})
		}} {
			res, err := do(a.ask(with))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != 400 {
				t.Errorf("%v: got %s; want 400", with, res.Status)
			}
		}
	}
	for _, form := range []url.Values{{"decision": {"allow"}}, {"decision": {"allow"}, "channel": {"UCsomebodyElse"}}} {
		res, err := browser.PostForm(a.ask(nil), form)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 400 {
			t.Errorf("%v: got %s; want 400", form, res.Status)
		}
	}
}

func TestFake_TheConsentPageShowsTheChannelsAndLoadsNothingFromElsewhere(t *testing.T) {
	a := newApp(t, Options{})
	status, header, page := a.call("", "GET", a.ask(nil), "")
	for _, want := range []string{"Family Celebrations", "Greetings from the North", "localhost:8080",
		"Upload videos", a.base + "/page.css"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if policy := header.Get(
		"Content-Security-Policy",
	); status != 200 ||
		!strings.Contains(policy, "default-src 'none'") ||
		!strings.HasSuffix(policy, "form-action 'self' http://localhost:8080") {
		t.Errorf("got %d, %s", status, policy)
	}
	if status, _, css := a.call(
		"",
		"GET",
		"/page.css",
		"",
	); status != 200 ||
		!strings.Contains(css, "prefers-color-scheme") {
		t.Errorf("the style: got %d", status)
	}
}

func TestFake_ACodeIsChangedOnceByTheAppThatAsked(t *testing.T) {
	a := newApp(t, Options{})
	for _, one := range []struct{ key, value, want string }{
		{"client_secret", "wrong", "invalid_client"},
		{"redirect_uri", "http://localhost:8080/other", "redirect_uri_mismatch"},
		{"code_verifier", "", "invalid_grant"}, {"code_verifier", "wrong", "invalid_grant"},
		{"grant_type", "password", "unsupported_grant_type"},
	} {
		if got := a.token(map[string]string{"code": a.code(), one.key: one.value})["error"]; got != one.want {
			t.Errorf("%s: got %v; want %s", one.key, got, one.want)
		}
	}
	code := a.code()
	if got := a.token(map[string]string{"code": code}); got["access_token"] == nil || got["refresh_token"] == nil {
		t.Errorf("got %v", got["error"])
	}
	if got := a.token(map[string]string{"code": code})["error"]; got != "invalid_grant" {
		t.Errorf("again: got %v; want invalid_grant", got)
	}
}

func TestFake_ACallNeedsATokenWithTheScopeForIt(t *testing.T) {
	a := newApp(t, Options{})
	token := a.token(map[string]string{"code": a.code()})["access_token"].(string) // for uploads only
	for _, one := range []struct {
		token, method, at, want string
		status                  int
	}{
		{"", "GET", "/youtube/v3/channels?mine=true", "authError", 401},
		{"ya29.guessed", "GET", "/youtube/v3/channels?mine=true", "authError", 401},
		{token, "GET", "/youtube/v3/channels?mine=true", "insufficientPermissions", 403},
		{token, "GET", "/youtube/v3/videos?id=x", "insufficientPermissions", 403},
		{token, "DELETE", "/youtube/v3/videos?id=x", "insufficientPermissions", 403},
		{token, "POST", "/youtube/v3/playlistItems", "insufficientPermissions", 403},
		{token, "POST", "/upload/youtube/v3/thumbnails/set?videoId=x", "videoNotFound", 404},
	} {
		if status, _, got := a.call(one.token, one.method, one.at, "{}"); status != one.status || got != one.want {
			t.Errorf("%s %s: got %d %s; want %d %s", one.method, one.at, status, got, one.status, one.want)
		}
	}
}

// begin begins an upload of size bytes and returns its session.
func (a *app) begin(token string, size int) string {
	a.Helper()
	status, header, text := a.call(token, "POST", "/upload/youtube/v3/videos?uploadType=resumable&part=snippet,status",
		`{"snippet":{"title":"A greeting","categoryId":"22"},"status":{"privacyStatus":"private"}}`,
		"X-Upload-Content-Type", "video/mp4", "X-Upload-Content-Length", fmt.Sprint(size))
	if status != 200 {
		a.Fatalf("got %d %s", status, text)
	}
	return header.Get("Location")
}

func TestFake_ASessionKeepsWholeStepsOfACutPart(t *testing.T) {
	a := newApp(t, Options{})
	token := a.token(map[string]string{"code": a.code()})["access_token"].(string)
	const size = 4 * unit
	at := a.begin(token, size)
	film := strings.Repeat("x", size)
	had := func(want string) {
		t.Helper()
		status, header, _ := a.call(token, "PUT", at, "", "Content-Range", fmt.Sprintf("bytes */%d", size))
		if got := header.Get("Range"); status != 308 || got != want {
			t.Errorf("got %d %q; want 308 %q", status, got, want)
		}
	}
	had("")
	a.s.SetFault("cut", true)
	req, err := http.NewRequest("PUT", at, strings.NewReader(film[:3*unit]))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", 3*unit-1, size))
	if res, err := browser.Do(req); err == nil {
		t.Errorf("got %s; want no answer", res.Status)
	}
	a.s.SetFault("cut", false)
	had(fmt.Sprintf("bytes=0-%d", unit-1)) // one and a half came
	for _, wrong := range []string{"bytes 0-9/1048576", "bytes 262144-262243/1048576", "bytes 524288-786431/1048576",
		"bytes 262144-524287/99", "nonsense"} {
		if status, _, _ := a.call(token, "PUT", at, film[:unit], "Content-Range", wrong); status != 400 {
			t.Errorf("%s: got %d; want 400", wrong, status)
		}
	}
	if status, _, _ := a.call(
		token,
		"PUT",
		at,
		film[:3*unit],
		"Content-Range",
		fmt.Sprintf("bytes %d-%d/%d", unit, size-1, size),
	); status != 200 {
		t.Errorf("got %d; want 200", status)
	}
	if all := a.s.Videos(); len(all) != 1 || all[0].SHA256 != fmt.Sprintf("%x", sha256.Sum256([]byte(film))) {
		t.Errorf("got %d videos", len(all))
	}
	if status, _, text := a.call(
		token,
		"PUT",
		at,
		"",
		"Content-Range",
		fmt.Sprintf("bytes */%d", size),
	); status != 200 ||
		!strings.Contains(text, a.s.Videos()[0].ID) {
		t.Errorf("asked afterwards: got %d %s", status, text)
	}
}

func TestFake_AVideoPlaysInRanges(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	a := newApp(t, Options{Now: func() time.Time { return now }})
	token := a.token(map[string]string{"code": a.code()})["access_token"].(string)
	at := a.begin(token, 10)
	a.call(token, "PUT", at, "0123456789", "Content-Range", "bytes 0-9/10")
	v := a.s.Videos()[0]
	_, _, page := a.call("", "GET", v.URL, "")
	if !strings.Contains(page, "Still being processed") || !strings.Contains(page, a.base+"/video/"+v.ID) {
		t.Errorf("got %s", page)
	}
	if status, _, text := a.call("", "GET", "/video/"+v.ID, "", "Range", "bytes=2-4"); status != 206 || text != "234" {
		t.Errorf("got %d %q; want 206 234", status, text)
	}
	now = now.Add(4 * time.Second)
	if got := a.s.Videos()[0].Status; got != "processed" {
		t.Errorf("got %s; want processed", got)
	}
	if status, _, _ := a.call("", "GET", "/watch?v=none", ""); status != 404 {
		t.Errorf("got %d; want 404", status)
	}
}

func TestFake_AFaultIsSwitchedByName(t *testing.T) {
	a := newApp(t, Options{})
	for _, f := range a.s.Faults() {
		f.Set(true)
		if !f.On() || f.Label == "" || f.Hint == "" {
			t.Errorf("%s: got %v %q %q", f.ID, f.On(), f.Label, f.Hint)
		}
		f.Set(false)
		if f.On() {
			t.Errorf("%s stayed on", f.ID)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown fault was switched")
		}
	}()
	a.s.SetFault("weather", true)
}

// publish uploads a video of ten bytes and lets it be processed.
func (a *app) publish(token string, now *time.Time, status string) string {
	a.Helper()
	code, header, text := a.call(token, "POST", "/upload/youtube/v3/videos?uploadType=resumable&part=snippet,status",
		`{"snippet":{"title":"A greeting","categoryId":"22"},"status":`+status+`}`,
		"X-Upload-Content-Type", "video/mp4", "X-Upload-Content-Length", "10")
	if code != 200 {
		a.Fatalf("got %d %s", code, text)
	}
	a.call(token, "PUT", header.Get("Location"), "0123456789", "Content-Range", "bytes 0-9/10")
	*now = now.Add(time.Minute)
	all := a.s.Videos()
	return all[len(all)-1].ID
}

// everything is a token for all calls.
func (a *app) everything() string {
	a.Helper()
	ask := a.ask(map[string]string{"scope": scopeBase + "youtube.upload " + scopeBase + "youtube.force-ssl"})
	res, err := browser.PostForm(ask, url.Values{"decision": {"allow"}, "channel": {"UCfamilyCelebrations002"}})
	if err != nil {
		a.Fatal(err)
	}
	res.Body.Close()
	back, err := res.Location()
	if err != nil {
		a.Fatal(err)
	}
	return a.token(map[string]string{"code": back.Query().Get("code")})["access_token"].(string)
}

func TestFaults_WhatOthersDoToTheVideosIsSeen(t *testing.T) {
	begin := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	const scheduled = `{"privacyStatus":"private","publishAt":"2026-11-22T13:00:00Z"}`
	for _, one := range []struct {
		name, fault, status string
		later               time.Duration
		privacy, state      string
		scheduled           bool
	}{
		{"before its time", "", scheduled, 0, "private", "processed", true},
		{"its time came", "", scheduled, 2 * time.Hour, "public", "processed", false},
		{"a schedule that isn't kept", "stuck", scheduled, 2 * time.Hour, "private", "processed", true},
		{"an edit in Studio", "studio", `{"privacyStatus":"unlisted"}`, 0, "public", "processed", false},
		{"a takedown", "takedown", `{"privacyStatus":"public"}`, 0, "public", "rejected", false},
	} {
		t.Run(one.name, func(t *testing.T) {
			now := begin
			a := newApp(t, Options{Now: func() time.Time { return now }})
			a.publish(a.everything(), &now, one.status)
			if one.fault != "" {
				a.s.SetFault(one.fault, true)
			}
			now = now.Add(one.later)
			v := a.s.Videos()[0]
			if v.Privacy != one.privacy || v.Status != one.state || v.PublishAt.IsZero() == one.scheduled {
				t.Errorf("got %s, %s, at %v", v.Privacy, v.Status, v.PublishAt)
			}
			if edited := v.Description == "Edited in YouTube Studio."; edited != (one.fault == "studio") {
				t.Errorf("got %q", v.Description)
			}
			if one.fault == "" {
				return
			}
			a.s.SetFault(one.fault, false)
			if v := a.s.Videos()[0]; one.fault == "stuck" && v.Privacy != "public" ||
				one.fault == "takedown" && v.Status != "processed" {
				t.Errorf("switched off: got %s, %s", v.Privacy, v.Status)
			}
		})
	}
}

func TestFaults_EachRefusalIsGooglesOwn(t *testing.T) {
	for fault, want := range map[string]string{
		"blocked": "403 <!DOCTYPE", "unavailable": "503 Service", "apidisabled": "403 accessNotConfigured",
		"badtoken": "401 authError",
	} {
		a := newApp(t, Options{})
		token := a.everything()
		a.s.SetFault(fault, true)
		status, _, text := a.call(token, "GET", "/youtube/v3/channels?mine=true&part=id", "")
		if got := fmt.Sprint(status, " ", text); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s; want %s", fault, got, want)
		}
	}
	a := newApp(t, Options{})
	code := a.code()
	a.s.SetFault("redirect", true)
	if got := a.token(map[string]string{"code": code})["error"]; got != "redirect_uri_mismatch" {
		t.Errorf("got %v; want redirect_uri_mismatch", got)
	}
	for fault, want := range map[string]int{"signin": 503, "blocked": 403} {
		a.s.SetFault(fault, true)
		for _, at := range []string{"/token", "/revoke"} {
			if status, _, _ := a.call("", "POST", at, ""); status != want {
				t.Errorf("%s %s: got %d; want %d", fault, at, status, want)
			}
		}
		a.s.SetFault(fault, false)
	}
}

func TestFaults_UploadsThatAreForgottenExpireOrFailShortly(t *testing.T) {
	a := newApp(t, Options{})
	token := a.everything()
	ask := func(at string, size int) int {
		status, _, _ := a.call(token, "PUT", at, "", "Content-Range", fmt.Sprintf("bytes */%d", size))
		return status
	}
	a.s.SetFault("forgotten", true)
	at := a.begin(token, 10)
	req, err := http.NewRequest("PUT", at, strings.NewReader("0123456789"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Range", "bytes 0-9/10")
	if res, err := browser.Do(req); err == nil {
		t.Errorf("got %s; want no answer", res.Status)
	}
	if got := ask(at, 10); got != 404 || len(a.s.Videos()) != 1 {
		t.Errorf("got %d and %d videos; want 404 and 1", got, len(a.s.Videos()))
	}
	a.s.SetFault("forgotten", false)
	at = a.begin(token, 10)
	a.s.SetFault("expired", true)
	if got := ask(at, 10); got != 410 {
		t.Errorf("got %d; want 410", got)
	}
	a.s.SetFault("expired", false)

	a.s.SetFault("hiccups", true)
	const parts = 9
	at = a.begin(token, parts*unit)
	film := strings.Repeat("x", unit)
	var got []int
	for has := 0; has < parts; {
		status, _, _ := a.call(
			token,
			"PUT",
			at,
			film,
			"Content-Range",
			fmt.Sprintf("bytes %d-%d/%d", has*unit, (has+1)*unit-1, parts*unit),
		)
		if got = append(got, status); status != 503 {
			has++
		}
	}
	if want := []int{308, 308, 503, 308, 308, 503, 308, 308, 503, 308, 308, 200}; !slices.Equal(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
}

func TestUploads_AreAPlaylistInPagesWithTheNewestFirst(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	a := newApp(t, Options{Now: func() time.Time { return now }})
	token := a.everything()
	var want []string
	for range 7 {
		want = append([]string{a.publish(token, &now, `{"privacyStatus":"private"}`)}, want...)
	}
	_, _, text := a.call(token, "GET", "/youtube/v3/channels?mine=true&part=contentDetails", "")
	var c struct {
		Items []struct {
			ContentDetails struct{ RelatedPlaylists struct{ Uploads string } }
		}
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil || len(c.Items) != 1 {
		t.Fatalf("got %s", text)
	}
	var got []string
	for page, sizes := "", []int{5, 2}; len(sizes) > 0; sizes = sizes[1:] {
		_, _, text := a.call(token, "GET", "/youtube/v3/playlistItems?part=contentDetails&playlistId="+
			c.Items[0].ContentDetails.RelatedPlaylists.Uploads+"&pageToken="+page, "")
		var v struct {
			NextPageToken string
			Items         []struct{ ContentDetails struct{ VideoID string } }
		}
		if err := json.Unmarshal(
			[]byte(text),
			&v,
		); err != nil || len(v.Items) != sizes[0] ||
			(v.NextPageToken == "") != (len(sizes) == 1) {
			t.Fatalf("got %s", text)
		}
		for _, item := range v.Items {
			got = append(got, item.ContentDetails.VideoID)
		}
		page = v.NextPageToken
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
}

func TestToken_SaysHowLongTheAccessLasts(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	a := newApp(t, Options{Now: func() time.Time { return now }, AccessFor: 7 * 24 * time.Hour})
	got := a.token(map[string]string{"code": a.code()})
	if got["refresh_token_expires_in"] != float64(7*24*60*60) {
		t.Errorf("got %v", got["refresh_token_expires_in"])
	}
	refresh := map[string]string{"grant_type": "refresh_token", "refresh_token": got["refresh_token"].(string)}
	now = now.Add(6 * 24 * time.Hour)
	if got := a.token(refresh); got["refresh_token_expires_in"] != float64(24*60*60) {
		t.Errorf("after six days: got %v", got)
	}
	now = now.Add(24 * time.Hour)
	if got := a.token(refresh)["error"]; got != "invalid_grant" {
		t.Errorf("after a week: got %v; want invalid_grant", got)
	}
}
