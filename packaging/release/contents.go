// What lies in the archives and packages: the program, the files of a service, and the documents, in whose folders every
// link between them works.

package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"retake.example/internal/cli"
)

// file is one that people get.
type file struct {
	text []byte
	mode fs.FileMode
}

// completions are where the shells of Debian look for them.
var completions = map[string]string{"bash": "retake", "zsh": "_retake", "fish": "retake.fish"}

// contents are the files of an archive by their paths in it. The program of the stage is one of them.
func (m maker) contents() (map[string]file, error) {
	files := map[string]file{}
	var wrong []error
	add := func(path string, text []byte, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", path, err))
		}
		files[filepath.ToSlash(path)] = file{text, 0o644}
	}
	program, err := os.ReadFile(filepath.Join(m.stage, "retake"))
	add("retake", program, err)
	files["retake"] = file{program, 0o755}
	config, err := changed("config.toml", forService)
	add("config.toml", config, err)
	unit, err := os.ReadFile("packaging/retake.service")
	add("retake.service", unit, err)
	unit, err = changed("packaging/retake.service", forSeveral)
	add("retake@.service", unit, err)
	add("retake.1", []byte(cli.Man(debVersion(m.version), m.at)), nil)
	for shell, name := range completions {
		text, err := cli.Completion(shell)
		add("completions/"+name, []byte(text), err)
	}
	for _, pattern := range []string{"LICENSE", "*.md", "docs/*.*", "docs/generator/main.go", "packaging/*.json",
		"packaging/alerts.yml", "packaging/litestream.yml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			wrong = append(wrong, fmt.Errorf("%s: no file, %w", pattern, cmp.Or(err, fs.ErrNotExist)))
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			add(path, text, err)
		}
	}
	return files, errors.Join(wrong...)
}

// documents reports whether a file of an archive is read by people, and lies in /usr/share/doc/retake of the package.
func documents(path string) bool {
	return strings.HasSuffix(path, ".md") || strings.HasPrefix(path, "docs/") || strings.HasPrefix(path, "packaging/")
}

// fill writes what the package takes from the stage: doc, all documents, and what stands beside it.
func (m maker) fill(files map[string]file) error {
	write := func(path string, text []byte) error {
		path = filepath.Join(m.stage, path)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		return errors.Join(err, os.WriteFile(path, text, 0o644))
	}
	var wrong []error
	for path, f := range files {
		if path == "retake" {
			continue // it was built there
		}
		if documents(path) {
			path = "doc/" + path
		}
		wrong = append(wrong, write(path, f.text))
	}
	history := fmt.Sprintf("retake (%s) stable; urgency=medium\n\n  * What has changed is in CHANGELOG.md.\n\n -- %s  %s\n",
		debVersion(m.version), maintainer, m.at.Format(time.RFC1123Z))
	for path, text := range map[string][]byte{"changelog.gz": []byte(history), "retake.1.gz": files["retake.1"].text} {
		text, err := zipped(text)
		wrong = append(wrong, err, write(path, text))
	}
	return errors.Join(wrong...)
}

// maintainer is that of nfpm.yaml.
const maintainer = "The makers of Retake <retake@localhost>"

// zipped compresses a text, always to the same bytes.
func zipped(text []byte) ([]byte, error) {
	var b bytes.Buffer
	zip, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = zip.Write(text)
	err = errors.Join(err, zip.Close())
	return b.Bytes(), err
}

func changed(path string, change func([]byte) ([]byte, error)) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return change(text)
}

// forService is config.toml as it lies in /etc/retake: its data are where systemd makes room for them.
func forService(config []byte) ([]byte, error) {
	line := regexp.MustCompile(`(?m)^data_dir = "data" {10}`)
	if len(line.FindAll(config, -1)) != 1 {
		return nil, errors.New(`config.toml: one line with data_dir = "data" is expected`)
	}
	return line.ReplaceAll(config, []byte(`data_dir = "/var/lib/retake"`)), nil
}

// forSeveral is the unit for one bot of several: everything that it names lies beside that of the others.
func forSeveral(unit []byte) ([]byte, error) {
	text := string(unit)
	for _, part := range []struct{ one, each string }{
		{"systemctl edit retake,", "systemctl edit retake@NAME,"},
		{"Retake, a Telegram bot that makes greeting videos", "Retake, the bot %i"},
		{"/etc/retake/config.toml", "/etc/retake/%i/config.toml"},
		{"/etc/retake/credentials", "/etc/retake/%i/credentials"},
		{"StateDirectory=retake\n", "StateDirectory=retake-%i\n"},
		{"/var/lib/retake\n", "/var/lib/retake-%i\n"},
	} {
		if !strings.Contains(text, part.one) {
			return nil, fmt.Errorf("packaging/retake.service: %q is expected", part.one)
		}
		text = strings.ReplaceAll(text, part.one, part.each)
	}
	return []byte(text), nil
}
