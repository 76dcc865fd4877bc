// docs/api.md is true: every command in it is run, and every answer in it has the shape of what comes.

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// lacks lists what a documented answer has and a real one has not. Of lists, the first elements are compared; values
// only where they are fixed words.
func lacks(path string, documented, real any) (faults []string) {
	switch want := documented.(type) {
	case map[string]any:
		got, ok := real.(map[string]any)
		if !ok {
			return []string{path + ": no object"}
		}
		for key, value := range want {
			if _, ok := got[key]; !ok {
				faults = append(faults, path+"."+key+": missing")
				continue
			}
			faults = append(faults, lacks(path+"."+key, value, got[key])...)
		}
	case []any:
		got, ok := real.([]any)
		if !ok || len(want) > 0 && len(got) == 0 {
			return []string{path + ": no list, or an empty one"}
		}
		if len(want) > 0 {
			return lacks(path+"[0]", want[0], got[0])
		}
	case string:
		fixed := regexp.MustCompile(`\.(code|outcome|status|action|origin)$`).MatchString(path) &&
			!strings.Contains(path, "activity")
		if got, ok := real.(string); !ok || fixed && got != want {
			return []string{fmt.Sprintf("%s: got %v; want %s", path, real, want)}
		}
	case bool:
		if real != want {
			return []string{fmt.Sprintf("%s: got %v; want %v", path, real, want)}
		}
	case float64:
		if _, ok := real.(float64); !ok {
			return []string{path + ": no number"}
		}
	}
	return faults
}

func TestTheDocumentedCommandsWork(t *testing.T) {
	var failed, published, newest, ready, second string
	maker, err := video.New(
		video.Config{
			Engine:  "command",
			Offered: []string{"new-year"},
			Command: []string{"true"},
			Timeout: time.Minute,
			Work:    t.TempDir(),
			Cache:   t.TempDir(),
			Workers: 1,
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	d := openDesk(t, func(d *office) {
		d.change(func(o *desk.Options) { o.Inspect = maker.Inspect })
		d.shelf()
		published = publication(t, d.store, failedPublication)
		d.filmed("video", "thumb")
		failed = ask(t, d.store, "Маша Б", 1, 2).ID
		fail(t, d.queue, store.Render, retry.Permanent(errors.New("ffmpeg: took longer than 5m0s")))
		newest = madeByAdmin(t, d.store, 8, "Ева", "ева").ID
		failForGood(t, d.queue)
		second = madeByAdmin(t, d.store, 8, "Зоя", "зоя").ID
		d.filmed("video", "thumb")
		ready = madeByAdmin(t, d.store, 8, "Ника", "ника").ID
		d.filmed("video", "thumb")
		d.channel("UC1", "Our greetings")
		calm(t, d.store)
	})
	dir := t.TempDir()
	film, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(film, filepath.Join(dir, "film.mp4")); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\necho %s\n", d.opts.BaseURL+d.link(8))
	if err := os.WriteFile(filepath.Join(dir, "retake"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(sh|json)\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	var out []byte
	commands, answers := 0, 0
	for _, b := range blocks {
		if b[1] == "sh" {
			commands++
			cmd := exec.Command("sh", "-euc", b[2])
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "PAGE="+d.opts.BaseURL,
				"FAILED="+failed, "PUBLISHED="+published, "NEWEST="+newest, "READY="+ready, "SECOND="+second)
			if out, err = cmd.Output(); err != nil {
				t.Fatalf("%s: %v\n%s", b[2], err, out)
			}
			continue
		}
		answers++
		var documented, real any
		if err := json.Unmarshal([]byte(b[2]), &documented); err != nil {
			t.Errorf("%s: %v", b[2], err)
		}
		for line := range strings.Lines(string(out)) { // of several commands, each has this answer, or the last
			if err := json.Unmarshal([]byte(line), &real); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
		for _, fault := range lacks("", documented, real) {
			t.Errorf("%s\n%s", fault, out)
		}
	}
	if commands < 12 || answers < 10 {
		t.Errorf("got %d commands and %d answers; want all of them", commands, answers)
	}
}

// TestEveryCodeIsDocumented finds the codes in the source.
func TestEveryCodeIsDocumented(t *testing.T) {
	text, err := os.ReadFile("docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	files, _ := filepath.Glob("internal/desk/*.go")
	for _, path := range append(files, "web.go") {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, b...)
	}
	codes := regexp.MustCompile(`Status\w+, (?:Code: )?"([A-Z_]+)"`).FindAllSubmatch(source, -1)
	if len(codes) < 15 {
		t.Fatalf("got %d codes; want all of them", len(codes))
	}
	for _, c := range codes {
		if !strings.Contains(string(text), fmt.Sprintf("`%s`", c[1])) {
			t.Errorf("%s is not in docs/api.md", c[1])
		}
	}
}

// TestEveryRouteIsDocumented compares the table of docs/api.md with the rights of every route.
func TestEveryRouteIsDocumented(t *testing.T) {
	text, err := os.ReadFile("docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{} // the scope that a token needs, by route
	for _, row := range regexp.MustCompile("(?m)^\\| `((?:GET|POST) /\\S*)` \\| (\\w+) \\| \\S.* \\|$").
		FindAllStringSubmatch(string(text), -1) {
		documented[row[1]] = row[2]
	}
	written := strings.NewReplacer(":id", "ID", ":key", "KEY", ":token", "TOKEN", ":picture", "PICTURE",
		":profile", "PROFILE", ":f", "FILE", "*", "FILE")
	for route, right := range rights {
		method, path, _ := strings.Cut(route, " ")
		want := string(right.needs(method))
		switch {
		case slices.Contains(public, path):
			want = "none"
		case right.scope == noToken:
			want = "session"
		}
		address := written.Replace(route)
		if got := documented[address]; got != want {
			t.Errorf("%s: got %q in docs/api.md; want a row that says %s", address, got, want)
		}
		delete(documented, address)
	}
	for address := range documented {
		t.Errorf("docs/api.md has %s, which is no route", address)
	}
}
