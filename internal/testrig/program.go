// The program as it is built, its settings, and what is sent to its page.

package testrig

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"retake.example/internal/config"
)

// Long is for make torture; without it the tests that kill the program or break its disk take a sample.
var Long = flag.Bool("long", false, "try every point at which the program can be killed or its disk can fail")

// made is the folder of what is made once for the tests of a package.
var made = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "retake-test-") })

// Clean deletes what was made once. TestMain calls it after the last test.
func Clean() {
	if dir, err := made(); err == nil {
		os.RemoveAll(dir)
	}
}

var built = sync.OnceValues(func() (string, error) {
	dir, err := made()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "retake"), build(filepath.Join(dir, "retake"))
})

// Program builds Retake once and returns the path of the program.
func Program(t testing.TB) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Build builds Retake with more flags.
func Build(t testing.TB, path string, flags ...string) {
	t.Helper()
	if err := build(path, flags...); err != nil {
		t.Fatal(err)
	}
}

func build(path string, flags ...string) error {
	args := append([]string{"build", "-o", path}, flags...)
	if raced {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build retake: %w: %s", err, out)
	}
	return nil
}

// Defaults is config.toml.
func Defaults() string {
	text, err := os.ReadFile(filepath.Join(Root(), "config.toml"))
	if err != nil {
		panic(err)
	}
	return string(text)
}

// LoadConfig reads the settings as the program does.
func LoadConfig(path string, environ []string) (config.Config, error) {
	return config.LoadFile(Defaults(), path, environ, nil)
}

// FromDefaults returns the defaults, changed by sources and then by the environment.
func FromDefaults(environ []string, sources ...config.Source) (config.Config, error) {
	return config.FromDefaults(Defaults(), environ, sources...)
}

// Post is a POST without a body.
func Post(t testing.TB, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Part is a part of a form: its field, the name of the file or nothing, and its content.
type Part [3]string

// Form is a body with these parts, and its Content-Type.
func Form(parts ...Part) (body []byte, kind string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		field, file, content := p[0], p[1], p[2]
		header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"`, field)}}
		if file != "" {
			header.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, field, file))
			header.Set("Content-Type", "text/html") // what the client says does not matter
		}
		to, err := w.CreatePart(header)
		if err == nil {
			_, err = io.WriteString(to, content)
		}
		if err != nil {
			panic(err) // a buffer takes all
		}
	}
	w.Close()
	return b.Bytes(), w.FormDataContentType()
}
