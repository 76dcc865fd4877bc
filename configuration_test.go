// Tests of the form of the settings, of what it leads to in the running program, and of its secrets.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"
	"testing"

	"retake.example/internal/config"
	"retake.example/internal/desk"
	"retake.example/internal/store"
)

// dials are settings that change at once and without a program.
type dials struct {
	mu        sync.Mutex
	store     *store.Store
	base, cfg config.Config
	page      config.Page
	refused   error
}

func newDials(t testing.TB, s *store.Store, environ ...string) *dials {
	t.Helper()
	cfg, err := fromDefaults(environ)
	if err != nil {
		t.Fatal(err)
	}
	return &dials{store: s, base: cfg, cfg: cfg, page: config.Page{}}
}

func (d *dials) Current() config.Config {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cfg
}

func (d *dials) Refused() error { return d.refused }

func (d *dials) Change(ctx context.Context, admin int64, set map[string]string, reset []string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	page := maps.Clone(d.page)
	maps.Copy(page, set)
	for _, key := range reset {
		delete(page, key)
	}
	cfg, err := d.base.With(page)
	if err != nil {
		return err
	}
	d.cfg, d.page = cfg, page
	var rows []store.Setting
	for key, value := range set {
		row := store.Setting{Key: key, Value: value}
		if config.IsSecret(key) {
			row.Value, row.Sealed = "", []byte("sealed")
		}
		rows = append(rows, row)
	}
	return d.store.Tx(ctx, func(tx *store.Tx) error { return tx.ChangeSettings(admin, rows, reset) })
}

// knob finds a setting in the JSON of the page.
func (d *office) knob(session, key string) (found map[string]any) {
	d.t.Helper()
	var view struct {
		Sections []struct{ Fields []map[string]any }
	}
	body := d.want(200, d.send(call{method: "GET", path: "/configuration", session: session, json: true}))
	if err := json.Unmarshal([]byte(body), &view); err != nil {
		d.t.Fatal(err)
	}
	for _, s := range view.Sections {
		for _, f := range s.Fields {
			if f["key"] == key {
				found = f
			}
		}
	}
	if found == nil {
		d.t.Fatalf("%s is not on the page", key)
	}
	return found
}

func (d *office) configure(session string, form url.Values) string {
	d.t.Helper()
	d.Close() // after a change another run would answer
	return d.want(303, d.send(call{method: "POST", path: "/configuration", session: session, body: form.Encode()}))
}

func TestConfiguration_OwnersSaveSeeWhereItComesFromAndGoBack(t *testing.T) {
	d := newDesk(t, "http://localhost")
	d.change(func(o *desk.Options) { o.Settings = newDials(t, d.store, "RETAKE_LIMITS_OPEN=2") })
	owner := d.signIn(8)
	d.configure(owner, url.Values{"limits.per_hour": {"4"}, "shown.limits.per_hour": {"10"},
		"privacy.videos": {"30"}, "unit.privacy.videos": {"days"}, "shown.privacy.videos": {"2160h"},
		"language": {"en"}, "shown.language": {"ru"},
		"render.reuse_for": {"168"}, "unit.render.reuse_for": {"hours"}, "shown.render.reuse_for": {"168h"},
		"limits.per_day": {"30"}, "shown.limits.per_day": {"30"}})
	cfg := d.opts.Settings.Current()
	if cfg.Limits.PerHour != 4 || cfg.Privacy.Videos.Hours() != 720 || cfg.Language != "en" {
		t.Errorf("got %+v, %+v, %q; want what was sent", cfg.Limits, cfg.Privacy, cfg.Language)
	}
	for key, want := range map[string]config.Origin{"limits.per_hour": "page", "limits.per_day": "default",
		"render.reuse_for": "default", "limits.open": "environment"} {
		if got := d.knob(owner, key)["origin"]; got != string(want) {
			t.Errorf("%s: got %v; want %s", key, got, want)
		}
	}
	page := d.want(200, d.send(call{method: "GET", path: "/configuration", session: owner}))
	for _, want := range []string{"RETAKE_LIMITS_OPEN", `name="limits.open" value="2" inputmode="numeric" autocomplete="off" ` +
		`autocapitalize="off" spellcheck="false" aria-describedby="limits.open-hint" disabled`, `name="default.limits.per_hour"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	activity := d.want(200, d.send(call{method: "GET", path: "/activity", session: owner}))
	if !strings.Contains(activity, "language, limits.per_hour, privacy.videos") {
		t.Error("the activity lacks the names of the keys")
	}
	d.configure(owner, url.Values{"watch.webhook": {"https://ntfy.sh/our-topic"}, "watch.webhook_shape": {"slack"},
		"shown.watch.webhook_shape": {"ntfy"}, "watch.smtp": {"mail.example.com:587"}, "watch.mail_from": {"us@example.com"},
		"watch.mail_to": {"me@example.com, you@example.com"}})
	if got := d.opts.Settings.Current().Watch; got.Webhook != "https://ntfy.sh/our-topic" ||
		got.WebhookShape != "slack" || len(got.MailTo) != 2 || got.MailTo[1] != "you@example.com" {
		t.Errorf("got %+v; want the alerts that were set", got)
	}
	page = d.want(200, d.send(call{method: "GET", path: "/configuration", session: owner}))
	if strings.Contains(page, "our-topic") ||
		!strings.Contains(page, `value="me@example.com, you@example.com"`) {
		t.Error("the webhook, which is a secret, is on the page, or the addresses are not")
	}
	d.configure(owner, url.Values{"limits.per_hour": {"4"}, "shown.limits.per_hour": {"4"},
		"default.limits.per_hour": {"yes"}})
	if got := d.knob(owner, "limits.per_hour"); got["origin"] != "default" || got["value"] != "10" {
		t.Errorf("got %v; want the default", got)
	}
	if got := d.opts.Settings.Current().Language; got != "en" {
		t.Errorf("got %q; want what was saved before", got)
	}
}

func TestConfiguration_FaultsStandAtTheirFieldsAndNothingIsLost(t *testing.T) {
	d := newDesk(t, "http://localhost")
	d.change(func(o *desk.Options) { o.Settings = newDials(t, d.store, "RETAKE_LIMITS_OPEN=2") })
	owner := d.signIn(8)
	secret := "s3cr3t-of-the-client"
	for name, c := range map[string]struct {
		key, value string
		more       url.Values
	}{
		"no number":             {"limits.per_hour", "many", nil},
		"too small":             {"limits.per_hour", "0", nil},
		"too large":             {"telegram.per_second", "31", nil},
		"larger than a number":  {"limits.per_hour", "99999999999999999999", nil},
		"half an hour":          {"privacy.videos", "0.5", url.Values{"unit.privacy.videos": {"hours"}}},
		"shorter than a day":    {"privacy.videos", "23", url.Values{"unit.privacy.videos": {"hours"}}},
		"no time":               {"queue.backoff", "0", url.Values{"unit.queue.backoff": {"hours"}}},
		"no such language":      {"language", "xx", nil},
		"no address":            {"watch.webhook", "ntfy", nil},
		"no mail server":        {"watch.smtp", "mail", nil},
		"no shape":              {"watch.webhook_shape", "pigeon", nil},
		"longer than a number":  {"queue.backoff", "999999", url.Values{"unit.queue.backoff": {"days"}}},
		"longer than lives":     {"privacy.videos", "40000", url.Values{"unit.privacy.videos": {"days"}}},
		"no such unit":          {"queue.backoff", "3", url.Values{"unit.queue.backoff": {"moons"}}},
		"fixed elsewhere":       {"limits.open", "9", nil},
		"half of what YouTube":  {"youtube.client_secret", secret, nil},
		"no token of a bot":     {"telegram.token", "1:" + secret, nil},
		"a client without half": {"youtube.client_id", "an-id", nil},
	} {
		form := url.Values{c.key: {c.value}, "limits.per_day": {"77"}, "shown.limits.per_day": {"30"}}
		maps.Copy(form, c.more)
		body := d.want(422, d.send(call{method: "POST", path: "/configuration", session: owner, body: form.Encode()}))
		at := c.key
		if at == "youtube.client_id" {
			at = "youtube.client_secret"
		}
		if !strings.Contains(body, `id="`+at+`-fault"`) {
			t.Errorf("%s: no fault at %s", name, at)
		}
		if !strings.Contains(body, `name="limits.per_day" value="77"`) {
			t.Errorf("%s: what was typed is lost", name)
		}
		if strings.Contains(body, secret) {
			t.Errorf("%s: the secret is in the page", name)
		}
		if strings.Contains(body, "<code>") {
			t.Errorf("%s: a raw fault is on the page", name)
		}
		answer := d.want(422, d.send(call{method: "POST", path: "/configuration", session: owner, json: true,
			header: map[string]string{"Content-Type": "application/json"},
			body:   fmt.Sprintf(`{%q: %q}`, c.key, c.value+c.more.Get("unit."+c.key)+" ")}))
		if !strings.Contains(answer, fmt.Sprintf("%q:", at)) || strings.Contains(answer, secret) {
			t.Errorf("%s: got %s; want a fault at %s", name, answer, at)
		}
	}
	if got := d.opts.Settings.Current(); got.Limits.PerDay != 30 {
		t.Errorf("got %d; want nothing saved", got.Limits.PerDay)
	}
	answer := d.want(422, d.send(call{method: "POST", path: "/configuration", session: owner, json: true,
		header: map[string]string{"Content-Type": "application/json"}, body: `{"render.engine": "command"}`}))
	if !strings.Contains(answer, `"render.engine":`) {
		t.Errorf("got %s; want what cannot be set here refused", answer)
	}
}

func TestConfiguration_SecretsAreWrittenOnly(t *testing.T) {
	d := newDesk(t, "http://localhost")
	d.change(func(o *desk.Options) {
		o.Settings = newDials(t, d.store, "RETAKE_RUMBLE_ACCESS_TOKEN=from-the-environment")
	})
	owner := d.signIn(8)
	d.configure(owner, url.Values{"youtube.client_id": {"an-id"}, "youtube.client_secret": {"hush-hush"}})
	if got := d.opts.Settings.Current().YouTube.ClientSecret; got != "hush-hush" {
		t.Errorf("got %q; want what was sent", got)
	}
	d.configure(owner, url.Values{"youtube.client_secret": {""}, "limits.per_day": {"31"}}) // it stays
	for _, json := range []bool{false, true} {
		body := d.want(200, d.send(call{method: "GET", path: "/configuration", session: owner, json: json}))
		if strings.Contains(body, "hush-hush") || strings.Contains(body, "from-the-environment") {
			t.Errorf("a secret is on the page\n%s", body)
		}
	}
	if got := d.knob(owner, "youtube.client_secret"); got["set"] != true || got["value"] != "" {
		t.Errorf("got %v; want it set", got)
	}
	if got := d.knob(owner, "rumble.access_token"); got["set"] != true || got["locked"] != true {
		t.Errorf("got %v; want it set and locked", got)
	}
	d.configure(owner, url.Values{"default.youtube.client_secret": {"yes"}, "default.youtube.client_id": {"yes"}})
	if got := d.knob(owner, "youtube.client_secret"); got["set"] != false {
		t.Errorf("got %v; want it gone", got)
	}
}
