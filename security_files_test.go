// What is served of files: none outside of the folders, and none as something else.

package main

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestNoAddressLeadsOutOfAFolder(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	_, address := d.open(usual, nil)
	outside := filepath.Join(filepath.Dir(d.folder), "outside")
	if err := os.WriteFile(outside, []byte("SECRET"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.folder, "stray.mp4"), []byte("SECRET"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := ask(t, d.store, "Маша", 1)
	d.filmed("video", "thumb")
	in := d.as(d.session(8))
	for _, folder := range []string{"/media/", "/thumbs/", "/static/", "/templates/"} {
		for _, way := range []string{"../outside", "../../outside", "..%2foutside", "%2e%2e%2foutside", "%2e%2e/outside",
			"..%5coutside", `..\outside`, "%2e%2e%5coutside",
			"....//outside", "..%252foutside", "..%c0%afoutside", "%00", "../outside%00.mp4", a.ID + "%00",
			a.ID + "%2f..%2f..%2foutside", a.ID + "/../stray.mp4", "%2fetc%2fpasswd",
			"/etc/passwd", outside, url.PathEscape(outside), "stray.mp4", "./stray.mp4", a.ID + ".mp4", "../web.go",
			"../templates/layout.html", "..%2ftemplates%2flayout.html",
			"web%2ftemplates%2flayout.html", "../../schema.sql", "..", ".", "", "new-year", "new-year.jpg%00",
			"../new-year.jpg/..", "~root", "file:%2f%2f%2fetc%2fpasswd"} {
			resp, body := d.raw(address, "GET", folder+way, in)
			if resp.StatusCode != 404 && resp.StatusCode != 400 || strings.Contains(body, "SECRET") ||
				strings.Contains(body, "root:") ||
				strings.Contains(body, "{{") ||
				strings.Contains(body, "CREATE TABLE") {
				t.Errorf("GET %s%s: got %s %q; want 404", folder, way, resp.Status, body)
			}
		}
	}
	if d.log.Len() > 0 {
		t.Errorf("got log %s; want nothing", &d.log)
	}
}

func TestOnlyPlainFilesOfTheMediaFolderAreServed(t *testing.T) {
	for name, plant := range map[string]func(path string) error{
		"a link to a file outside": func(path string) error {
			outside := path + ".outside"
			return errors.Join(os.WriteFile(outside, []byte("SECRET"), 0o600), os.Symlink(outside, path))
		},
		"a link to a file inside": func(path string) error { return os.Symlink("stray.mp4", path) },
		"a link to nothing":       func(path string) error { return os.Symlink("nothing", path) },
		"a link to a folder":      func(path string) error { return os.Symlink("/", path) },
		"a folder":                func(path string) error { return os.Mkdir(path, 0o700) },
		"a pipe": func(path string) error {
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				return err
			}
			f, err := os.OpenFile(path, os.O_RDWR, 0) // so that one who opens it goes on, to a failure of this test
			t.Cleanup(func() { f.Close() })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			a := ask(t, d.store, "Маша", 1)
			file := d.filmed("video", "thumb").AssetID
			if err := os.WriteFile(filepath.Join(d.folder, "stray.mp4"), []byte("SECRET"), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{file + ".mp4", file + ".jpg"} {
				if err := errors.Join(os.Remove(filepath.Join(d.folder, path)), plant(filepath.Join(d.folder, path))); err != nil {
					t.Fatal(err)
				}
			}
			session := d.signIn(8)
			for _, folder := range []string{"/media/", "/thumbs/"} {
				if body := d.want(404, d.send(call{method: "GET", path: folder + a.ID, session: session})); strings.Contains(
					body,
					"SECRET",
				) {
					t.Errorf("%s: got %s", folder, body)
				}
			}
			if d.log.Len() > 0 {
				t.Errorf("got log %s; want nothing", &d.log)
			}
		})
	}
}

func TestAFileIsWhatWeSayItIsWhateverIsInIt(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	_, address := d.open(usual, nil)
	page := `<!doctype html><script>alert(1)</script>`
	a := ask(t, d.store, "Маша", 1)
	d.filmed(page, page)
	in := d.as(d.session(8))
	tag := `"` + a.ID + `.mp4"`
	for _, c := range []struct {
		name, path string
		header     []string
		status     int
		kind, body string
	}{
		{"a video that is a page", "/media/", nil, 200, "video/mp4", page},
		{"a picture that is a page", "/thumbs/", nil, 200, "image/jpeg", page},
		{"somebody who would rather have a page", "/media/", []string{"Accept: text/html"}, 200, "video/mp4", page},
		{"a part", "/media/", []string{"Range: bytes=0-3"}, 206, "video/mp4", page[:4]},
		{"a part of the version that the browser has", "/media/", []string{"Range: bytes=0-3", "If-Range: " + tag}, 206,
			"video/mp4", page[:4]},
		{"a part of a version that is gone", "/media/", []string{"Range: bytes=0-3", `If-Range: "another"`}, 200,
			"video/mp4", page},
		{"a part of a weak version", "/media/", []string{"Range: bytes=0-3", "If-Range: W/" + tag}, 200, "video/mp4", page},
		{"a part of a version of long ago", "/media/",
			[]string{"Range: bytes=0-3", "If-Range: Mon, 02 Jan 2006 15:04:05 GMT"}, 200, "video/mp4", page},
		{"a part beyond the end", "/media/", []string{"Range: bytes=1000-"}, 416, "", ""},
		{"a range that is none", "/media/", []string{"Range: bytes=x-y"}, 416, "", ""},
		{"a unit that is none", "/media/", []string{"Range: frames=0-3"}, 416, "", ""},
		{"parts that are more than the whole", "/media/", []string{"Range: bytes=" + strings.Repeat("0-,", 1000) + "0-"}, 200,
			"video/mp4", page},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, body := d.raw(address, "GET", c.path+a.ID, append(c.header, in)...)
			kind := resp.Header.Get("Content-Type")
			if resp.StatusCode != c.status || c.kind != "" && (kind != c.kind || body != c.body) ||
				strings.HasPrefix(kind, "text/html") ||
				resp.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("got %s %v %q; want %d %s %q", resp.Status, resp.Header, body, c.status, c.kind, c.body)
			}
		})
	}
}
