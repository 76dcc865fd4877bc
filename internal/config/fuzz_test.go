// No text, environment or secret breaks the reading of settings, and no secret gets into a fault.

package config

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"retake.example/internal/farm"
)

// marker stands for a secret: it must be in no error, wherever in the values somebody put it.
const marker = "HunterHunter"

// place is what a fault begins with: where it stands, a file with or without the line, and then the key or what is
// wrong.
var place = regexp.MustCompile(`^(config\.toml|the defaults|RETAKE_\w+)(:\d+)?: .`)

func FuzzSettings(f *testing.F) {
	sample, err := os.ReadFile("../../config.toml")
	if err != nil {
		f.Fatal(err)
	}
	defaults := string(sample)
	f.Add(defaults, "")
	f.Add("[telegram]\ntoken = '123:"+marker+"'\nowners = [1]\n[youtube]\ntoken_key = \""+marker+"\"\n", "")
	for _, value := range []string{marker, "1" + marker, "true" + marker, "'" + marker, `"` + marker, `"` + marker +
		`\uzz"`, `"` + marker + `\q"`, "12_." + marker, "1979-05-27T" + marker, "[" + marker, "{a = 1, " + marker + "}",
		`"""` + marker, `"a" ` + marker, `"` + marker + "\x01\"", `"` + marker + "\xff\"", "99999999999999999999",
		"0x" + marker, `"a\nb"`} {
		f.Add("[media.s3]\nsecret_key = "+value+"\n", "")
		f.Add("", value)
	}
	for _, text := range []string{"\"a\\nb\" = 1", "'\x1b[31m' = 1", "\"\\u202e\" = 1", "[queue]\nworkers = 1000000000",
		"[telegram]\nmax_upload_mb = 9223372036854775807", "[media]\nmax_upload_mb = 9223372036854775807",
		"web = 1\n[web]", "[web]\nlisten = 5\n[web.listen]", "[[render]]", "render.command = ['a', 1]",
		"data_dir = '''\nlisten = 5\n'''\n[web]\nlisten = 5", "[ web ]\n\"listen\" = 5",
		"language = 'ru'\nlanguage = 'en'"} {
		f.Add(text, "")
	}
	known := Known{Languages: []string{"en", "ru"}, FarmLogin: farm.Check, Formats: []string{"text", "json"}, Levels: []string{"info"},
		TokenKey: func(key string) error {
			if len(key) < 32 {
				return errors.New("it is too short")
			}
			return nil
		}}
	f.Fuzz(func(t *testing.T, text, secret string) {
		var s Settings
		var environ []string
		if secret != "" && !strings.ContainsAny(secret, "\x00") {
			environ = []string{"RETAKE_RUMBLE_ACCESS_TOKEN=" + secret, "RETAKE_TELEGRAM_TOKEN=" + secret,
				"RETAKE_TELEGRAM_OWNERS=" + secret, "RETAKE_QUEUE_WORKERS=" + secret,
				"RETAKE_MEDIA_S3_SECRET_KEY_FILE=" + secret}
		}
		_, err := Load(&s, "RETAKE", environ, nil, s.Check(known), Source{"the defaults", defaults}, Source{"config.toml",
			text})
		if err != nil {
			faults, ok := err.(Faults)
			if !ok || len(faults) == 0 {
				t.Fatalf("got %v; want Faults", err)
			}
			for _, fault := range faults {
				wantPlainFault(t, text, fault)
			}
			return
		}
		// What was accepted stands its own checks, also a second time, and is not absurd.
		s.check(known, func(ok bool, key, format string, args ...any) {
			if !ok {
				t.Errorf("%s was accepted and is refused the second time", key)
			}
		})
		if n := s.Workers(); n < 1 || n > 256 {
			t.Errorf("got %d workers; want no more than a machine can have", n)
		}
		for _, mb := range []int64{s.Telegram.MaxUploadMB, s.Media.MaxUploadMB} {
			if bytes := mb << 20; bytes>>20 != mb || bytes <= 0 {
				t.Errorf("got %d MB, which are %d bytes", mb, bytes)
			}
		}
		if !slices.Contains(known.Languages, s.Language) || s.DataDir == "" || s.Queue.Attempts < 1 ||
			s.Queue.Backoff <= 0 || len(s.Offered()) == 0 {
			t.Errorf("got %+v; want settings that work", s)
		}
	})
}

// wantPlainFault checks whether one line says where something is wrong, and gives no secret away.
func wantPlainFault(t *testing.T, text, fault string) {
	t.Helper()
	m := place.FindStringSubmatch(fault)
	if m == nil || !utf8.ValidString(fault) || strings.ContainsFunc(fault, func(r rune) bool {
		return unicode.In(r,
			unicode.C)
	}) {
		t.Errorf("got %+q; want its place first, and nothing that changes how a line is shown", fault)
	}
	if m != nil && m[2] != "" && m[1] == "config.toml" {
		if n, err := strconv.Atoi(m[2][1:]); err != nil || n < 1 || n > strings.Count(text, "\n")+1 {
			t.Errorf("got %+q; want a line that there is", fault)
		}
	}
	if strings.Contains(fault, marker) {
		var values map[string]any
		if _, err := toml.Decode(text, &values); err != nil || !isKey(values) {
			t.Errorf("got %+q; want no secret in it", fault)
		}
	}
}

// isKey reports whether the marker is in the name of a key, which a fault may say.
func isKey(v any) bool {
	table, _ := v.(map[string]any)
	for key, value := range table {
		if strings.Contains(key, marker) || isKey(value) {
			return true
		}
	}
	return false
}
