// Answers with files: finished videos, their pictures, styles and the script. And what a browser may do with an answer.

package desk

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"retake.example/internal/media"
	"retake.example/internal/store"
)

// policy lets the page load nothing but its own files and run nothing but its own script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; " +
	"require-trusted-types-for 'script'; trusted-types retake"

// policyFor is policy with forms that lead to another host.
func policyFor(host string) string {
	return strings.Replace(policy, "form-action 'self'", "form-action 'self' "+host, 1)
}

// oneHost is the part of an address that a policy of the page names; "" if it is none.
func oneHost(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Protect sets the headers that every answer has.
func Protect(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	// not no-referrer: Chromium would send Origin: null with forms on plain http
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
}

// Serve answers with a file of a finished video, or the part of it that is asked for.
func Serve(w http.ResponseWriter, r *http.Request, file io.ReadSeeker, key string, finished time.Time) {
	h := w.Header()
	h.Set("Content-Type", media.TypeOf(key))
	h.Set("Cache-Control", "private, no-cache") // kept by the browser, shown only while signed in
	h.Set("ETag", `"`+key+`"`)                  // a finished video never changes
	http.ServeContent(w, r, "", finished, file)
}

// ServeStatic answers with an embedded file; fs.ErrNotExist when there is none.
func ServeStatic(w http.ResponseWriter, r *http.Request, files fs.FS, path string) error {
	b, err := fs.ReadFile(files, path)
	if err != nil { // a folder, too: nobody lists them
		return fs.ErrNotExist
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Vary", "Accept-Encoding")
	if kind := mime.TypeByExtension(filepath.Ext(path)); takesGzip(r) && len(b) >= worthIt && kind != "" {
		b = gzipped(b)
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(b))) // embedded files have no date
	http.ServeContent(w, r, path, time.Time{}, bytes.NewReader(b))
	return nil
}

// Video answers with the file of a finished video.
func (d *Desk) Video(w http.ResponseWriter, r *http.Request) error {
	return d.file(w, r, func(v store.Video) string { return v.File })
}

// Thumb answers with its picture.
func (d *Desk) Thumb(w http.ResponseWriter, r *http.Request) error {
	return d.file(w, r, func(v store.Video) string { return v.Thumb })
}

// file answers with a file of a finished asset. Which file that is comes from the database, never from the URL.
func (d *Desk) file(w http.ResponseWriter, r *http.Request, pick func(store.Video) string) error {
	a, err := d.store.Asset(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	key := pick(a.Video)
	if key == "" {
		return store.ErrNotFound
	}
	f, err := d.opts.Files.Open(r.Context(), key)
	if err != nil {
		return fmt.Errorf("file of asset %s: %w", a.ID, err)
	}
	defer f.Close()
	reported := media.Report(f)
	Serve(w, r, reported, key, a.Finished)
	if err := reported.Err(); err != nil { // the header has left, so nobody else can tell
		d.log.Warn("a file broke off while it was sent", "asset", a.ID, "err", err)
	}
	return nil
}

// StaticFile answers with an embedded file.
func (d *Desk) StaticFile(w http.ResponseWriter, r *http.Request) error {
	return ServeStatic(w, r, d.opts.Static, r.PathValue("*"))
}
