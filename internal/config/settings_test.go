// What each key accepts, on both sides of its bounds, with the shipped defaults around it.

package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retake.example/internal/farm"
)

// shipped loads the defaults, changed by a file and the environment.
func shipped(t *testing.T, text string, environ ...string) (s Settings, from map[string]string, err error) {
	t.Helper()
	defaults, err := os.ReadFile("../../config.toml")
	if err != nil {
		t.Fatal(err)
	}
	known := Known{Languages: []string{"ru", "en"}, TokenKey: func(string) error { return nil }, FarmLogin: farm.Check,
		Formats: []string{"text", "json"}, Levels: []string{"info"}}
	from, err = Load(&s, "RETAKE", environ, nil, s.Check(known), Source{"the defaults", string(defaults)}, Source{"f", text})
	return s, from, err
}

func TestSettings_MailNeedsItsAddresses(t *testing.T) {
	from, to := `RETAKE_WATCH_MAIL_FROM=a@example.com`, `RETAKE_WATCH_MAIL_TO=["b@example.com"]`
	for server, good := range map[string]bool{"mail.example.com:587": true, "mail.example.com": false,
		"mail.example.com:x": false} {
		if _, _, err := shipped(t, "", "RETAKE_WATCH_SMTP="+server, from, to); (err == nil) != good {
			t.Errorf("%s: got %v; want it taken: %v", server, err, good)
		}
	}
	for _, environ := range [][]string{{from}, {to}, {from, `RETAKE_WATCH_MAIL_TO=["B <b@example.com>"]`},
		{from, `RETAKE_WATCH_MAIL_TO=["b@example.com\r\nBcc: c@example.com"]`}} {
		if _, _, err := shipped(t, "", append(environ, "RETAKE_WATCH_SMTP=mail.example.com:587")...); err == nil ||
			!strings.Contains(err.Error(), "watch.mail_") {
			t.Errorf("%q: got %v; want the key of the address", environ, err)
		}
	}
}

func TestSettings_Bounds(t *testing.T) {
	for key, values := range map[string]struct{ good, bad []string }{
		"RETAKE_TELEGRAM_PER_SECOND": {[]string{"1", "25", "30"}, []string{"0", "-1", "31", "1.5"}},
		"RETAKE_LIMITS_ALL_PER_DAY":  {[]string{"0", "1", "100000"}, []string{"-1"}},
		"RETAKE_LIMITS_MEDIA_GB":     {[]string{"0", "1", "1048576"}, []string{"-1", "1048577", "9223372036854775807"}},
		"RETAKE_PRIVACY_INBOX":       {[]string{"0s", "24h", "8760h"}, []string{"23h59m", "1s", "-24h"}},
		"RETAKE_PRIVACY_VIDEOS":      {[]string{"0s", "24h", "8760h"}, []string{"23h59m", "1s", "-24h"}},
		"RETAKE_PRIVACY_HISTORY":     {[]string{"0s", "24h", "8760h"}, []string{"23h59m", "1s", "-24h"}},
		"RETAKE_PRIVACY_PEOPLE":      {[]string{"0s", "24h", "8760h"}, []string{"23h59m", "1s", "-24h"}},
		"RETAKE_WEB_TRUSTED_PROXIES": {
			[]string{"[]", `["127.0.0.1"]`, `["10.0.0.0/8", "::1", "fd00::/8"]`},
			[]string{`["localhost"]`, `["10.0.0.0/33"]`, `["10.0.0"]`, `[""]`, `["fe80::1%eth0"]`, `["10.0.0.1:80"]`,
				"[1]"},
		},
		"RETAKE_WEB_LISTEN": {
			[]string{"127.0.0.1:8080", ":8080", "localhost:1", "[::1]:65535", "0.0.0.0:0", "retake.example:80"},
			[]string{"", "127.0.0.1", "8080", "127.0.0.1:65536", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:",
				":http",
				"256.0.0.1:80", "127.1:80", "[::1", "[zz::1]:80", "a b:80"},
		},
		"RETAKE_WEB_BASE_URL": {
			[]string{"http://localhost:8080", "https://retake.example", "https://retake.example/",
				"http://[::1]:65535"},
			[]string{"", "retake.example", "ftp://retake.example", "http://", "http://:8080", "http://localhost:99999",
				"http://localhost:65536", "http://localhost:0", "http://localhost:", "https://retake.example/desk",
				"https://retake.example/?x=1", "https://retake.example?", "https://retake.example#x",
				"https://me:secret@retake.example", "http://localhost:port"},
		},
		"RETAKE_TELEGRAM_API_URL": {
			[]string{"http://localhost:8081", "https://proxy.example/bot-api"},
			[]string{"http://localhost:99999", "localhost:8081", "http://"},
		},
		"RETAKE_WATCH_PING":          {[]string{"", "https://hc-ping.com/1"}, []string{"hc-ping.com", "ftp://x"}},
		"RETAKE_WATCH_WEBHOOK":       {[]string{"", "https://ntfy.sh/x"}, []string{"ntfy.sh/x"}},
		"RETAKE_WATCH_WEBHOOK_SHAPE": {[]string{"ntfy", "slack"}, []string{"", "teams"}},
		"RETAKE_YOUTUBE_BASE_URL":    {[]string{"http://127.0.0.1:9000"}, []string{"http://127.0.0.1:70000"}},
		"RETAKE_FARM_URL": {
			[]string{"", "tls://farm.example:4222", "tls://a.example, tls://b.example:4222", "nats://127.0.0.1:4222",
				"nats://localhost", "nats://[::1]:4222"},
			[]string{"farm.example:4222", "nats://farm.example:4222", "tls://a.example,nats://b.example", "tls://",
				"https://farm.example", "tls://me:secret@farm.example", "tls://farm.example:99999", "tls://a.example/x"},
		},
		"RETAKE_FARM_CREDENTIALS": {
			[]string{"", "me:secret", " me:secret\n"},
			[]string{"secret", "SUABC", "-----BEGIN NATS USER JWT-----\nx"},
		},
		"RETAKE_FARM_REPLICAS":   {[]string{"1", "3", "5"}, []string{"0", "2", "7", "-1"}},
		"RETAKE_RUMBLE_BASE_URL": {[]string{"http://127.0.0.1:9000"}, []string{"http://127.0.0.1:70000"}},
	} {
		name := strings.ToLower(strings.Replace(strings.TrimPrefix(key, "RETAKE_"), "_", ".", 1))
		for _, value := range values.good {
			if _, _, err := shipped(t, "", key+"="+value); err != nil {
				t.Errorf("%s=%s: got %v; want it accepted", key, value, err)
			}
		}
		for _, value := range values.bad {
			_, _, err := shipped(t, "", key+"="+value)
			if faults, ok := err.(Faults); !ok || len(faults) != 1 || !strings.Contains(faults[0], name+": ") {
				t.Errorf("%s=%s: got %v; want one fault that names %s", key, value, err, name)
			}
		}
	}
}

func TestSettings_AFarmNeedsAnAddressAndTakesManyOrders(t *testing.T) {
	_, _, err := shipped(t, "", "RETAKE_RENDER_ENGINE=farm")
	if faults, ok := err.(Faults); !ok || len(faults) != 1 || !strings.Contains(faults[0], "farm.url: ") {
		t.Errorf("got %v; want one fault that names farm.url", err)
	}
	s, _, err := shipped(t, "", "RETAKE_RENDER_ENGINE=farm", "RETAKE_FARM_URL=tls://farm.example",
		"RETAKE_FARM_CREDENTIALS=me:secret")
	if err != nil || s.Workers() != farmOrders || s.Secrets()["farm.credentials"] != "me:secret" {
		t.Errorf("got %d, %v; want %d orders, and the credentials among the secrets", s.Workers(), err, farmOrders)
	}
}

func TestSettings_DefaultsOfTheNewKeys(t *testing.T) {
	s, _, err := shipped(t, "")
	if err != nil || s.Telegram.PerSecond != 25 || s.Limits.AllPerDay != 0 || s.Limits.MediaGB != 0 ||
		len(s.Proxies()) != 0 {
		t.Errorf("got %+v, %+v, %v; want 25 a second, no limits and no proxies", s.Telegram, s.Limits, err)
	}
}

func TestSettings_Proxies(t *testing.T) {
	s, _, err := shipped(t, "[web]\ntrusted_proxies = ['10.1.2.3/8', '127.0.0.1', '::ffff:192.0.2.1', 'fd00::1/8']")
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32"),
		netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("fd00::/8")}
	if got := s.Proxies(); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestSettings_AKeyIsTracedToItsLineHoweverItIsWritten(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		line string
	}{
		"in its section":           {"\n[rumble]\naccess_token = 's'", "f:3"},
		"in an inline table":       {"\nrumble = { access_token = 's' }", "f:2"},
		"with the section in it":   {"\nrumble.access_token = 's'", "f:2"},
		"in quotes":                {"[rumble]\n\"access_token\" = 's'", "f:2"},
		"with spaces":              {"[ rumble ]\n access_token= 's'", "f:2"},
		"a section in quotes":      {"['rumble']\naccess_token = 's'", "f:2"},
		"all of it in quotes":      {"\"rumble\" . 'access_token' = 's'", "f:1"},
		"inline, the name quoted":  {"'rumble' = { \"access_token\" = 's' }", "f:1"},
		"inline, on several lines": {"[media]\nstore = 'disk'\ns3 = { secret_key = 's' }", "f:3"},
	} {
		t.Run(name, func(t *testing.T) {
			_, from, err := shipped(t, c.text)
			key := "rumble.access_token"
			if strings.Contains(c.text, "s3") {
				key = "media.s3.secret_key"
			}
			if from[key] != c.line || err != nil {
				t.Errorf("got %q, %v; want %s", from[key], err, c.line)
			}
		})
	}
}

func TestSettings_AFileOfASecretIsTrimmed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	for text, want := range map[string]string{"abc\n": "abc", "abc": "abc", " abc\r\n": "abc", "\tabc \n\n": "abc",
		"a b\n": "a b"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, _, err := shipped(t, "", "RETAKE_RUMBLE_ACCESS_TOKEN_FILE="+path, "RETAKE_VOICE_KEY_FILE="+path,
			"RETAKE_MEDIA_S3_SECRET_KEY_FILE="+path)
		if err != nil || s.Rumble.AccessToken != want || s.Voice.Key != want || s.Media.S3.SecretKey != want {
			t.Errorf("%q: got %q, %q, %q, %v; want %q", text, s.Rumble.AccessToken, s.Voice.Key, s.Media.S3.SecretKey,
				err, want)
		}
	}
}

func TestConfig_LanguageChosen(t *testing.T) {
	defaults, err := os.ReadFile("../../config.toml")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text    string
		environ []string
		want    bool
	}{
		"by nobody":          {"", nil, false},
		"by the file":        {"language = 'ru'", nil, true},
		"by the environment": {"", []string{"RETAKE_LANGUAGE=ru"}, true},
	} {
		got, err := FromDefaults(string(defaults), c.environ, Source{"f", c.text})
		if err != nil || got.LanguageChosen() != c.want {
			t.Errorf("%s: got %v, %v; want %v", name, got.LanguageChosen(), err, c.want)
		}
	}
}
