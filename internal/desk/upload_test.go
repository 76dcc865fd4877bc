// Tests of what the first bytes of a file tell.

package desk

import (
	"bytes"
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
		"a whole film":                   {"mp4", ftyp + mdat, false},
		"a film without its last byte":   {"mp4", ftyp + mdat[:11], true},
		"a film that ends between boxes": {"mov", ftyp, false},
		"a film with a long box":         {"mp4", ftyp + "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x14123", true},
		"a whole film with a long box":   {"mp4", ftyp + "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x141234", false},
		"a film with an endless box":     {"mp4", ftyp + "\x00\x00\x00\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff1234", false},
		"a film with a huge box":         {"mp4", ftyp + "\x00\x00\x00\x01mdat\x7f\xff\xff\xff\xff\xff\xff\xff1234", true},
		"a box up to the end":            {"mp4", ftyp + "\x00\x00\x00\x00mdat1234", false},
		"a little after the last box":    {"mp4", ftyp + mdat + "123", false},
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
		"a title behind it that is refused": {func(f *multipart.Writer) { file(f, film); f.WriteField("title", "bad") }, 0, nil,
			BadTitle("name_bad")},
		"the form breaks off behind it": {func(f *multipart.Writer) { file(f, film); f.WriteField("title", "good") }, 20, nil, ErrForm},
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
