package test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"retake.example/internal/testrig"
)

func TestTheCommandExportWritesAFileForThatPersonAlone(t *testing.T) {
	dir := t.TempDir()
	s, err := openStore(filepath.Join(dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	ask(t, s, "Маша", 42)
	ask(t, s, "Глаша", 43)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	env := []string{"RETAKE_DATA_DIR=" + dir}
	path := filepath.Join(t.TempDir(), "42.json")
	if out, code := retake(t, env, "export", "42", path); code != 0 || out != "" {
		t.Fatalf("got exit %d, %s; want 0 and no word", code, out)
	}
	file, err := os.ReadFile(path)
	info, statErr := os.Stat(path)
	if err := errors.Join(err, statErr); err != nil || info.Mode().Perm() != 0o600 ||
		!bytes.Contains(file, []byte(`"name": "Маша"`)) ||
		bytes.Contains(file, []byte("Глаша")) {
		t.Errorf("got %v, %v, %s; want what is kept of that person, for the operator's eyes only", info.Mode(), err, file)
	}
	if out, code := retake(t, env, "export", "42"); code != 0 || !strings.Contains(out, `"name": "Маша"`) {
		t.Errorf("got exit %d, %s; want it printed", code, out)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{{[]string{"export", "42", path}, exitFailure, "exists"}, {[]string{"export", "44"}, exitFailure,
		"nothing is kept about 44"}, {[]string{"export", "Маша"}, exitUsage, "a number is expected"},
		{[]string{"export"}, exitUsage, "usage"}} {
		if out, code := retake(t, env, c.args...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%v: got exit %d, %s; want %d and %q", c.args, code, out, c.code, c.want)
		}
	}
}

// TestThePrivacyPageIsTrue reads docs/privacy.md: it accounts for every table, has the settings as they come, and its
// commands work.
func TestThePrivacyPageIsTrue(t *testing.T) {
	page, err := os.ReadFile("docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	tables, err := texts(t, s, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil || len(tables) < 10 {
		t.Fatal(tables, err)
	}
	for _, table := range tables {
		if !strings.Contains(string(page), "`"+table+"`") {
			t.Errorf("got no word about the table %s; want what it keeps of people, or that it keeps nothing", table)
		}
	}
	for _, block := range regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(path, []byte(block[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := testrig.LoadConfig(path, nil)
		want, wantErr := testrig.FromDefaults(nil)
		if err := errors.Join(err, wantErr); err != nil || got.Privacy != want.Privacy {
			t.Errorf("got %+v, %v; want the settings as they come: %+v", got.Privacy, err, want.Privacy)
		}
	}
	commands := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(commands) == 0 {
		t.Fatal("got no command; want those for anyone who is asked by mail")
	}
	dir, bin := t.TempDir(), t.TempDir()
	if s, err = openStore(filepath.Join(dir, "retake.db")); err != nil {
		t.Fatal(err)
	}
	ask(t, s, "Маша", 123456789)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "retake"), []byte("#!/bin/sh\nexec "+binary(t)+" \"$@\"\n"),
		0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		sh := exec.Command("sh", "-e", "-c", c[1])
		sh.Dir = dir
		sh.Env = append(
			os.Environ(),
			"PATH="+bin+":"+os.Getenv("PATH"),
			"RETAKE_DATA_DIR="+dir,
		)
		if b, err := sh.CombinedOutput(); err != nil {
			t.Errorf("%s: got %v, %s; want it to work", c[1], err, b)
		}
	}
	if file, err := os.ReadFile(filepath.Join(dir, "person.json")); err != nil || !bytes.Contains(file, []byte("Маша")) {
		t.Errorf("got %s, %v; want what is kept of that person", file, err)
	}
}
