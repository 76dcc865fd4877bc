package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestVersionsAreOrderedByDebianAsTheyWereMade(t *testing.T) {
	made := []string{"5ab1cd2-dirty", "v0.9.0", "v1.2.3-rc1", "v1.2.3", "v1.2.3-4-g5ab1cd2", "v1.2.3-4-g5ab1cd2-dirty",
		"v1.2.10"}
	for i, version := range made[1:] {
		older, newer := debVersion(made[i]), debVersion(version)
		if out, err := exec.Command("dpkg", "--compare-versions", older, "lt", newer).CombinedOutput(); err != nil ||
			len(out) > 0 {
			t.Errorf("%s is not before %s: %v %s", older, newer, err, out)
		}
	}
	for version, want := range map[string]string{"v1.2.3": "1.2.3", "v1.2.3-4-g5ab1cd2": "1.2.3+4.g5ab1cd2",
		"5ab1cd2": "0+5ab1cd2"} {
		if got := debVersion(version); got != want {
			t.Errorf("%s: got %s; want %s", version, got, want)
		}
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
