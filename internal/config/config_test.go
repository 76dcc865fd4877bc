// Where settings come from, and how faults in them are told.

package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

type settings struct {
	Name  string `toml:"name"`
	Inner struct {
		N    int           `toml:"n"`
		D    time.Duration `toml:"d"`
		IDs  []int64       `toml:"ids"`
		Argv []string      `toml:"argv"`
	} `toml:"inner"`
	hidden string
}

func load(s *settings, environ []string, texts ...string) error {
	var sources []Source
	for _, text := range texts {
		sources = append(sources, Source{"f", text})
	}
	_, err := Load(s, "X", environ, nil, func(is func(bool, string, string, ...any)) {
		is(s.Inner.N != 13, "inner.n", "13 is unlucky")
	}, sources...)
	return err
}

func TestLaterSourcesWinAndTheEnvironmentWinsOverAll(t *testing.T) {
	var s settings
	err := load(&s, []string{"X_INNER_N=3", "OTHER=1"}, "name = 'a'\n[inner]\nn = 1\nd = '1s'\nids = [1]\nargv = ['x']",
		"name = 'b'\n[inner]\nn = 2\nids = []")
	if err != nil || s.Name != "b" || s.Inner.N != 3 || s.Inner.D != time.Second || len(s.Inner.IDs) != 0 ||
		len(s.Inner.Argv) != 1 {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestFaultsNameTheKeyAndTheLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"an unknown key":              {"nam = 1", "f:1: nam: there is no such key"},
		"an unknown section":          {"\n[other]\nx = 1", "f:2: other: there is no such section"},
		"a wrong type":                {"\n\nname = 1", "f:3: name: a text"},
		"a fraction":                  {"[inner]\nn = 1.5", "f:2: inner.n: a whole number"},
		"a duration without its unit": {"[inner]\nd = 5", "f:2: inner.d: a duration"},
		"a list of the wrong things":  {"[inner]\nids = [1, 'x']", "f:2: inner.ids: a list of numbers"},
		"a text for a list":           {"[inner]\nargv = 'x'", "f:2: inner.argv: a list of texts"},
		"a value for a section":       {"inner = 5", "f:1: inner: this is a section"},
		"a section twice":             {"[[inner]]\nn = 1", "inner: this is a section"},
		"a table for a key":           {"[name]\nx = 1", "name"},
		"a key without a name":        {`"" = "x"`, "there is no such key"},
		"a field that is no setting":  {"hidden = 'x'", "f:1: hidden: there is no such key"},
		"a date":                      {"name = 2026-01-01", "f:1: name: a text"},
		"what is no TOML":             {"name = [1,\n", "f:"},
		"what check refuses":          {"[inner]\nn = 13", "f:2: inner.n: 13 is unlucky"},
	} {
		t.Run(name, func(t *testing.T) {
			s := settings{hidden: "kept"}
			err := load(&s, nil, c.text)
			if s.hidden != "kept" {
				t.Error("a field that is no setting was set")
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want %q in it", err, c.want)
			}
		})
	}
}

func TestASecretPutInPlaceOfItsFileIsNotPrinted(t *testing.T) {
	var s settings
	err := load(&s, []string{"X_NAME_FILE=123:SECRET"})
	if err == nil || strings.Contains(err.Error(), "SECRET") || !strings.Contains(err.Error(), "X_NAME_FILE") {
		t.Errorf("got %v; want the variable named and its value not", err)
	}
}

func TestCredentialsOfTheServiceManagerAreSettings(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"x_name": "SECRET\n", "x_inner.ids": "[1, 2]", "x_inner.n": "7",
		"other_name": "not ours"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	var s settings
	err := load(&s, []string{"CREDENTIALS_DIRECTORY=" + dir, "X_INNER_N=8"}, "name = 'of the file'\n[inner]\nd = '1s'")
	if err != nil || s.Name != "SECRET" || !slices.Equal(s.Inner.IDs, []int64{1, 2}) || s.Inner.N != 8 ||
		s.Inner.D != time.Second {
		t.Errorf("got %+v, %v; want the credentials over the file, and the environment over both", s, err)
	}
	for name, want := range map[string]string{"x_nam": "the credential x_nam: nam: there is no such key",
		"x_inner.d": "the credential x_inner.d: inner.d: a duration"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, name), []byte("SECRET"), 0o400); err != nil {
				t.Fatal(err)
			}
			var s settings
			if err := load(&s, []string{"CREDENTIALS_DIRECTORY=" + dir}); err == nil || !strings.Contains(err.Error(),
				want) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("got %v; want %q and not what is in it", err, want)
			}
		})
	}
	if err := load(&s, []string{"CREDENTIALS_DIRECTORY=" + filepath.Join(dir, "none")}); err == nil ||
		!strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("got %v; want that the folder cannot be read", err)
	}
}

func TestWhereAKeyWasSetIsKnown(t *testing.T) {
	var s settings
	from, err := Load(&s, "X", []string{"X_INNER_D=1s"}, nil, func(func(bool, string, string, ...any)) {},
		Source{"the defaults", "name = 'a'\n[inner]\nn = 1"}, Source{"f", "\n[inner]\nn = 2"})
	if err != nil || from["name"] != "the defaults:1" || from["inner.n"] != "f:3" || from["inner.d"] != "X_INNER_D" {
		t.Errorf("got %v, %v; want the last place of each key", from, err)
	}
}

func TestEveryKeyThatHoldsASecretIsKnownForOne(t *testing.T) {
	var s Settings
	secrets, keys := s.Secrets(), map[string]string{}
	variables(keys, reflect.TypeFor[Settings](), "X", "")
	named := regexp.MustCompile(`(^|[._])(token|secret|key|credentials|smtp_password|webhook|ping)$`)
	for _, key := range keys {
		_, known := secrets[key]
		if is := named.MatchString(key) && !strings.HasSuffix(key, ".s3.access_key"); is != known { // a name
			t.Errorf("%s: got %v; want that it is known for a secret: %v", key, known, is)
		}
	}
	if len(keys) < 50 {
		t.Errorf("got %d keys; want all", len(keys))
	}
}
