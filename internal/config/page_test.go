// Which of page, file and environment wins, for each key, and how values are written.

package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

func defaultsOf(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../config.toml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// some are three values for each key of the page, none of them the default, and what must be set besides.
func some(key string, field reflect.Value) (values [3]string, besides []string) {
	switch key {
	case "language":
		return [3]string{`"en"`, `"en"`, `"en"`}, nil
	case "watch.webhook", "watch.ping":
		return [3]string{`"https://a.example"`, `"https://b.example"`, `"https://c.example"`}, nil
	case "watch.webhook_shape":
		return [3]string{`"slack"`, `"slack"`, `"slack"`}, nil
	case "watch.smtp":
		return [3]string{`"a.example:25"`, `"b.example:25"`, `"c.example:25"`},
			[]string{"RETAKE_WATCH_MAIL_FROM=me@example.com", `RETAKE_WATCH_MAIL_TO=["me@example.com"]`}
	case "telegram.token":
		token := func(c string) string { return `"1:` + strings.Repeat(c, 30) + `"` }
		return [3]string{token("a"), token("b"), token("c")}, nil
	case "youtube.client_id":
		return [3]string{`"a"`, `"b"`, `"c"`}, []string{"RETAKE_YOUTUBE_CLIENT_SECRET=x"}
	case "youtube.client_secret":
		return [3]string{`"a"`, `"b"`, `"c"`}, []string{"RETAKE_YOUTUBE_CLIENT_ID=x"}
	}
	switch field.Interface().(type) {
	case time.Duration:
		return [3]string{`"25h"`, `"26h"`, `"27h"`}, nil
	case []string:
		return [3]string{`["a"]`, `["b"]`, `["c"]`}, nil
	case string:
		return [3]string{`"a"`, `"b"`, `"c"`}, nil
	}
	return [3]string{"11", "12", "13"}, nil
}

func TestPage_TheEnvironmentWinsOverTheFileAndTheFileOverThePage(t *testing.T) {
	defaults, file := defaultsOf(t), filepath.Join(t.TempDir(), "config.toml")
	for _, key := range pageKeys {
		var empty Settings
		field, ok := (&loader{cfg: reflect.ValueOf(&empty).Elem()}).field(key)
		if !ok {
			t.Fatalf("%s: there is no such key", key)
		}
		values, besides := some(key, field)
		variable := "RETAKE_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
		for n, want := range []Origin{FromDefault, FromPage, FromFile, FromEnvironment} {
			page, text, environ := Page{}, "", []string{}
			environ = append(environ, besides...)
			if n >= 1 {
				page[key] = values[0]
			}
			if n >= 2 {
				text = key + " = " + values[1]
			}
			if n >= 3 {
				environ = append(environ, variable+"="+strings.Trim(values[2], `"`))
			}
			if n == 0 && besides != nil {
				continue // one without the other is a fault
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := LoadFile(defaults, file, environ, func(Config) (Page, error) { return page, nil })
			if err != nil {
				t.Errorf("%s, %s: %v", key, want, err)
				continue
			}
			if got := c.Origin(key); got != want {
				t.Errorf("%s: got %s (%s); want %s", key, got, c.From[key], want)
			}
			if n > 0 && c.Value(key) != values[n-1] {
				t.Errorf("%s, %s: got %s; want %s", key, want, c.Value(key), values[n-1])
			}
			if locked := n >= 2; c.Locked(key) != locked {
				t.Errorf("%s, %s: got locked %v; want %v", key, want, c.Locked(key), locked)
			}
			// what is fixed without a file takes the page's in the same way
			if n == 1 {
				base, err := FromDefaults(defaults, environ)
				if besides == nil && err != nil {
					t.Fatal(err)
				}
				with, err := base.With(page)
				if err != nil || with.Value(key) != values[0] || with.Origin(key) != FromPage {
					t.Errorf("%s: got %s from %s, %v; want the page's", key, with.Value(key), with.Origin(key), err)
				}
			}
		}
	}
}

func TestPage_AnEmptyTextInTheEnvironmentLeavesItToThePage(t *testing.T) {
	c, err := LoadFile(defaultsOf(t), "", []string{"RETAKE_TELEGRAM_TOKEN=", "RETAKE_LIMITS_ALL_PER_DAY=0"}, func(Config) (Page, error) {
		return Page{"telegram.token": `"1:` + strings.Repeat("a", 30) + `"`, "limits.all_per_day": "5"}, nil
	})
	if err != nil || c.Telegram.Token == "" || c.Limits.AllPerDay != 0 {
		t.Errorf("got %q, %d, %v; want the page's text, and the 0 of the environment", c.Telegram.Token,
			c.Limits.AllPerDay, err)
	}
}

func TestPage_AFileThatIsACopyOfTheDefaultsLocksNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte(defaultsOf(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadFile(defaultsOf(t), file, nil, nil)
	if err != nil || c.File != file || slices.ContainsFunc(Keys(), func(key string) bool { return c.Locked(key) }) {
		t.Errorf("got %q, %v, %v; want the name of the file, and nothing locked", c.File, c.From, err)
	}
}

func TestPage_OnlyWhatIsSafeCanBeSetThere(t *testing.T) {
	for _, key := range Keys() {
		if OnPage(key) {
			continue
		}
		_, err := LoadFile(defaultsOf(t), "", nil, func(Config) (Page, error) { return Page{key: `"x"`}, nil })
		if faults, ok := err.(Faults); !ok || faults[0] != "the page: "+key+": there is no such key" {
			t.Errorf("%s: got %v; want it refused", key, err)
		}
	}
}

func TestConfig_EveryValueIsWrittenAsTOMLReadsIt(t *testing.T) {
	c, err := FromDefaults(defaultsOf(t), []string{`RETAKE_RENDER_COMMAND=["a \"b\"", "<&>", "ё\u007f"]`,
		"RETAKE_TELEGRAM_OWNERS=[1, 2]", "RETAKE_QUEUE_BACKOFF=1h30m", "RETAKE_QUEUE_BACKOFF_MAX=2h0m1s"})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, key := range Keys() {
		text.WriteString(key + " = " + c.Value(key) + "\n")
	}
	var parsed map[string]any
	if _, err := toml.Decode(text.String(), &parsed); err != nil {
		t.Fatalf("%v\n%s", err, &text)
	}
	again, err := FromDefaults(defaultsOf(t), nil, Source{"f", text.String()})
	if err != nil || !reflect.DeepEqual(again.Settings, c.Settings) {
		t.Errorf("got %+v, %v; want %+v", again.Settings, err, c.Settings)
	}
}
