// Tests of what the first bytes of a file tell.

package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/video"
)

func TestTheFirstBytesTellTheKind(t *testing.T) {
	const ebml = "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01"
	for head, want := range map[string]string{
		"\x00\x00\x00\x20ftypisom\x00\x00":            "mp4",
		"\x00\x00\x00\x20ftypM4V \x00\x00":            "mp4",
		"\x00\x00\x00\x14ftypqt  \x00\x00":            "mov",
		"\x00\x00\x10\x00moov\x00\x00\x00\x6c":        "mov", // before there was ftyp
		"\x00\x00\x00\x08wide\x00\x00\x00\x00":        "mov",
		ebml + "\x42\x82\x84webm\x42\x87\x81\x04":     "webm",
		ebml + "\x42\x82\x88matroska\x42\x87\x81\x04": "mkv",
		ebml + "\x42\x82\x83xml":                      "",
		"RIFF\x00\x00\x00\x00AVI LIST":                "",
		"<!doctype html><title>ftyp":                  "",
		"GIF89a\x00\x00\x00\x00\x00\x00":              "",
		"\x00\x00\x00\x20ftyp":                        "",
		"":                                            "",
	} {
		if got := kindOf([]byte(head)); got != want {
			t.Errorf("%q: got %q; want %q", head, got, want)
		}
	}
}

func TestAFileThatIsCutShortTellsIt(t *testing.T) {
	const segment, ftyp, mdat = "\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67", "\x00\x00\x00\x0cftypisom", "\x00\x00\x00\x0cmdat1234"
	for name, c := range map[string]struct {
		kind, file string
		cut        bool
	}{
		"a whole recording":              {"mkv", segment + "\x01\x00\x00\x00\x00\x00\x00\x0512345", false},
		"something follows it":           {"mkv", segment + "\x01\x00\x00\x00\x00\x00\x00\x05123456", false},
		"a recording without its end":    {"webm", segment + "\x01\x00\x00\x00\x00\x00\x00\x051234", true},
		"one that was never closed":      {"webm", segment + "\x01\xff\xff\xff\xff\xff\xff\xff1234", false},
		"one whose length is short":      {"mkv", segment + "\x85", false},
		"one that ends in its length":    {"mkv", segment + "\x01\x00", false},
		"one that ends after its length": {"mkv", segment + "\x01\x00\x00\x00\x00\x00\x00\x05", true},
		"a whole film":                   {"mp4", ftyp + mdat, false},
		"a film without its last byte":   {"mp4", ftyp + mdat[:11], true},
		"a film that ends between boxes": {"mov", ftyp, false},
		"a film with a long box": {"mp4", ftyp + "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x14123",
			true},
		"a whole film with a long box": {"mp4", ftyp + "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x141234",
			false},
		"a film with an endless box": {"mp4", ftyp + "\x00\x00\x00\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff1234",
			false},
		"a film with a huge box": {"mp4", ftyp + "\x00\x00\x00\x01mdat\x7f\xff\xff\xff\xff\xff\xff\xff1234",
			true},
		"a box up to the end":         {"mp4", ftyp + "\x00\x00\x00\x00mdat1234", false},
		"a little after the last box": {"mp4", ftyp + mdat + "123", false},
	} {
		if got := isCut(strings.NewReader(c.file), c.kind, int64(len(c.file))); got != c.cut {
			t.Errorf("%s: got %v; want %v", name, got, c.cut)
		}
	}
}

func TestUploads_ARefusedOneLeavesNoFile(t *testing.T) {
	film := "\x00\x00\x00\x0cftypisom\x00\x00\x00\x0cmdat1234"
	for name, c := range map[string]struct {
		write func(form *multipart.Writer)
		cut   int // bytes that never come
		room  func(need int64) error
		want  error
	}{
		"too large": {func(f *multipart.Writer) { file(f, film+strings.Repeat("x", 3000)) }, 0, nil, ErrTooLarge},
		"no video":  {func(f *multipart.Writer) { file(f, "GIF89a\x00\x00\x00\x00\x00\x00") }, 0, nil, ErrUnsupported},
		"cut short": {func(f *multipart.Writer) { file(f, film[:len(film)-1]) }, 0, nil, video.ErrUnplayable},
		"two files": {func(f *multipart.Writer) { file(f, film); file(f, film) }, 0, nil, ErrTwoFiles},
		"a title behind it that is refused": {func(f *multipart.Writer) {
			file(f, film)
			f.WriteField("title",
				"bad")
		}, 0, nil,
			BadTitle("name_bad")},
		"the form breaks off behind it": {func(f *multipart.Writer) { file(f, film); f.WriteField("title", "good") },
			20, nil, ErrForm},
		"no room for the rest": {func(f *multipart.Writer) { file(f, film) }, 0, func(need int64) error {
			if need > stride {
				return video.ErrDiskFull
			}
			return nil
		}, video.ErrDiskFull},
	} {
		t.Run(name, func(t *testing.T) {
			if c.room == nil {
				c.room = func(int64) error { return nil }
			}
			dir := filepath.Join(t.TempDir(), "uploads")
			u, err := NewUploads(dir, 2000, time.Minute, c.room)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			form := multipart.NewWriter(&b)
			c.write(form)
			form.Close()
			var got error
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, got = u.Receive(w, r, func(text string) (string, string) {
					if text == "bad" {
						return "", "name_bad"
					}
					return text, ""
				})
			}))
			resp, err := http.Post(server.URL, form.FormDataContentType(), bytes.NewReader(b.Bytes()[:b.Len()-c.cut]))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			server.Close()
			if !errors.Is(got, c.want) {
				t.Errorf("got %v; want %v", got, c.want)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("got %v, %v left; want an empty folder", left, err)
			}
		})
	}
}

func file(form *multipart.Writer, content string) {
	w, err := form.CreateFormFile("file", "film.mp4")
	if err != nil {
		panic(err) // the buffer takes all
	}
	io.WriteString(w, content)
}

func TestUploads_SeveralFilesEachHaveTheirResult(t *testing.T) {
	r := newRig(t)
	r.opts.Files = film{}
	var err error
	if r.opts.Uploads, err = NewUploads(filepath.Join(t.TempDir(), "uploads"), 5000, time.Minute,
		func(int64) error { return nil }); err != nil {
		t.Fatal(err)
	}
	inspected := 0
	r.opts.Inspect = func(_ context.Context, path string) (video.Video, error) {
		if inspected++; inspected == 2 {
			return video.Video{}, video.ErrUnplayable
		}
		return video.Video{Path: path, Thumb: path, Codec: "hevc", Width: 320, Height: 240}, nil
	}
	const good = "\x00\x00\x00\x0cftypisom\x00\x00\x00\x0cmdat1234"
	send := func(json bool) *httptest.ResponseRecorder {
		var b bytes.Buffer
		form := multipart.NewWriter(&b)
		form.WriteField("several", "yes")
		form.WriteField("title", "One for all")
		for _, f := range []struct{ name, content string }{{"One.mp4", good}, {"page.mp4", "<!doctype html><p>no video"},
			{"Two.mp4", good}, {"Three.mp4", good}} {
			w, err := form.CreateFormFile("file", f.name)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, f.content)
		}
		form.Close()
		inspected = 0
		owner := visitor{admin: store.Admin{ID: 8, Owner: true}}
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
			req = req.WithContext(context.WithValue(req.Context(), visitorKey{}, owner))
			if err := r.Upload(rw, req); err != nil {
				r.Desk.Fail(rw, req, err, false)
			}
		}))
		defer server.Close()
		req, _ := http.NewRequest(http.MethodPost, server.URL, &b)
		req.Header.Set("Content-Type", form.FormDataContentType())
		if json {
			req.Header.Set("Accept", "application/json")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		w := httptest.NewRecorder()
		w.Code = resp.StatusCode
		io.Copy(w.Body, resp.Body)
		return w
	}
	var got Uploaded
	w := send(true)
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || got.Success || len(got.Files) != 4 {
		t.Fatalf("got %d %s, %v; want four results", w.Code, w.Body, err)
	}
	for i, want := range []struct{ name, code string }{{"One", ""}, {"", "UNSUPPORTED"}, {"", "UNSUPPORTED"}, {"Three", ""}} {
		if f := got.Files[i]; f.Name != want.name || f.Error["code"] != want.code || (f.ID != "") != (want.code == "") {
			t.Errorf("got %+v; want %+v", f, want)
		}
	}
	if page := send(false).Body.String(); strings.Count(page, `href="/assets/`) != 2 || strings.Count(page, `class="fault"`) != 2 {
		t.Errorf("got %s; want two videos and two faults", page)
	}
	if n := r.number(`SELECT count(*) FROM assets WHERE origin = 'UPLOAD' AND codec = 'hevc'`); n != 4 {
		t.Errorf("got %d videos; want two of each form", n)
	}
	if left, err := os.ReadDir(r.opts.Uploads.dir); err != nil || len(left) > 0 {
		t.Errorf("got %v, %v left; want an empty folder", left, err)
	}
}
