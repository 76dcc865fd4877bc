package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestVersionsAreOrderedByDebianAsTheyWereMade(t *testing.T) {
	made := []string{"0~git20261130.533+g5ab1cd2", "0~git20261130.533+g5ab1cd2-dirty", "0~git20261130.534+g01b1cd2",
		"0~git20261201.534+gf1b1cd2", "v0.9.0", "v1.2.3-rc1", "v1.2.3", "v1.2.3-4-g5ab1cd2", "v1.2.3-4-g5ab1cd2-dirty",
		"v1.2.10"}
	for i, version := range made[1:] {
		older, newer := debVersion(made[i]), debVersion(version)
		if out, err := exec.Command("dpkg", "--compare-versions", older, "lt", newer).CombinedOutput(); err != nil ||
			len(out) > 0 {
			t.Errorf("%s is not before %s: %v %s", older, newer, err, out)
		}
	}
	for version, want := range map[string]string{"v1.2.3": "1.2.3", "v1.2.3-4-g5ab1cd2": "1.2.3+4.g5ab1cd2",
		"0~git20261130.533+g5ab1cd2-dirty": "0~git20261130.533+g5ab1cd2+dirty"} {
		if got := debVersion(version); got != want {
			t.Errorf("%s: got %s; want %s", version, got, want)
		}
	}
}

// TestTheScriptNamesACommit asks packaging/version.sh in a repository before and after its first tag.
func TestTheScriptNamesACommit(t *testing.T) {
	script, err := os.ReadFile("../version.sh")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "packaging", "version.sh")
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o755), os.WriteFile(path, script, 0o755)); err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@b"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE=2026-11-30T23:30:00-03:00")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
	}
	git("init", "-q")
	git("add", ".")
	for _, step := range []struct {
		do   []string
		want string
	}{
		{[]string{"commit", "-q", "-m", "one"}, `^0~git20261201\.1\+g[0-9a-f]+$`},
		{[]string{"commit", "-q", "--allow-empty", "-m", "two"}, `^0~git20261201\.2\+g[0-9a-f]+$`},
		{[]string{"tag", "-a", "-m", "first", "v1.0.0"}, `^v1\.0\.0$`},
		{[]string{"commit", "-q", "--allow-empty", "-m", "three"}, `^v1\.0\.0-1-g[0-9a-f]+$`},
	} {
		git(step.do...)
		if got, err := output(path); err != nil || !regexp.MustCompile(step.want).MatchString(got) {
			t.Errorf("git %v: got %q, %v; want %s", step.do, got, err, step.want)
		}
	}
}

// TestEveryLinkWorksInWhatPeopleGet follows the links between the documents of the archive, and of the package, where they
// lie apart from the program.
func TestEveryLinkWorksInWhatPeopleGet(t *testing.T) {
	t.Chdir("../..")
	m := maker{version: "v1.2.3", stage: t.TempDir(), at: time.Unix(1e9, 0).UTC()}
	if err := os.WriteFile(filepath.Join(m.stage, "retake"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	files, err := m.contents()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.fill(files); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"retake.1.gz": ".TH RETAKE", "changelog.gz": "retake (1.2.3) "} {
		packed, err := os.Open(filepath.Join(m.stage, name))
		if err != nil {
			t.Fatal(err)
		}
		defer packed.Close()
		zip, err := gzip.NewReader(packed)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(zip); err != nil || !strings.HasPrefix(string(text), want) {
			t.Errorf("%s: got %.80s, %v; want %s…", name, text, err, want)
		}
	}
	nfpm, err := os.ReadFile("packaging/nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	beside := map[string]bool{}
	for _, m := range regexp.MustCompile(`dst: /usr/share/doc/retake/(\S+)`).FindAllStringSubmatch(string(nfpm), -1) {
		beside[m[1]] = true
	}
	links := 0
	for path, f := range files {
		if !strings.HasSuffix(path, ".md") {
			continue
		}
		for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(string(f.text), -1) {
			place, heading, _ := strings.Cut(m[1], "#")
			if strings.Contains(place, ":") {
				continue
			}
			links++
			to := filepath.Join(filepath.Dir(path), place)
			if place == "" {
				to = path
			}
			target, there := files[to]
			if !there || !documents(to) && !beside[to] {
				t.Errorf("%s: the link to %s leads nowhere", path, m[1])
			} else if heading != "" && !slices.Contains(headings(target.text), heading) {
				t.Errorf("%s: %s has no heading %s", path, to, heading)
			}
		}
	}
	if links < 50 {
		t.Errorf("got %d links; want those of all documents", links)
	}
}

// headings are the names by which links lead to the headings of a document.
func headings(text []byte) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} -]`).ReplaceAllString(strings.ToLower(string(m[1])), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

func TestAUnitForSeveralBotsSharesNothing(t *testing.T) {
	unit, err := changed("../retake.service", forSeveral)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(unit)) {
		line = strings.TrimSpace(line)
		path := strings.Contains(line, "/etc/retake") || strings.Contains(line, "/var/lib/retake") ||
			strings.HasPrefix(line, "StateDirectory=")
		if path && !strings.HasPrefix(line, "#") && !strings.Contains(line, "%i") {
			t.Errorf("got %q; want a place of each bot", line)
		}
	}
	if _, err := forSeveral([]byte("[Unit]\n")); err == nil {
		t.Error("got no error from a unit that names no places")
	}
}

func TestTheSettingsOfAServiceDifferByTheFolderOfItsData(t *testing.T) {
	config, err := os.ReadFile("../../config.toml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := forService(config)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(string(config), `data_dir = "data"          `, `data_dir = "/var/lib/retake"`,
		1); string(got) != want {
		t.Errorf("got %.400s; want %.400s", got, want)
	}
	if _, err := forService(got); err == nil {
		t.Error("got no error from settings without the line")
	}
}

func TestWhatTheProgramIsBuiltFromIsListed(t *testing.T) {
	m := maker{version: "v1.2.3", ffmpeg: "5.1.9", at: time.Unix(1e9, 0).UTC()}
	own, err := os.Executable() // it is built from modules, too: none but the standard library
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.sbom(own)
	if err != nil {
		t.Fatal(err)
	}
	again, err := m.sbom(own)
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("got %s, %v; want the same again", again, err)
	}
	var got struct {
		BOMFormat, SpecVersion, SerialNumber string
		Metadata                             struct {
			Timestamp string
			Component component
		}
		Components []component
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.BOMFormat != "CycloneDX" || len(got.SerialNumber) != 45 ||
		got.Metadata.Timestamp != "2001-09-09T01:46:40Z" || got.Metadata.Component.Version != "v1.2.3" ||
		len(got.Metadata.Component.Hashes) != 1 || len(got.Components) == 0 || got.Components[0].Name != "go" {
		t.Errorf("got %s", text)
	}
	if last := got.Components[len(got.Components)-1]; last.Name != "ffmpeg" || last.Version != "5.1.9" {
		t.Errorf("got %+v; want the ffmpeg that it was tested with", last)
	}
}
