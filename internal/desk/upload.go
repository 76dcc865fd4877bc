// upload.go takes the file that an admin sends, straight to the disk, and looks at what kind it is.

package desk

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// What is wrong with an upload that is not taken. The last two are for whoever looks at the file after it has arrived, too.
var (
	ErrNoFile      = errors.New("no file was sent")
	ErrTwoFiles    = errors.New("more than one file was sent")
	ErrTooLarge    = errors.New("the file is larger than an upload may be")
	ErrUnsupported = errors.New("the file is no kind of video that is taken")
	ErrBroken      = errors.New("the upload ended halfway")
	ErrUnplayable  = errors.New("the file is cut short or does not play")
	ErrDiskFull    = errors.New("the disk is nearly full")
)

// BadTitle is the id of the message that says what is wrong with a title.
type BadTitle string

func (b BadTitle) Error() string { return string(b) }

const (
	stride = 4 << 20         // bytes that are written between two looks at the disk
	linger = 2 * time.Second // in which a client that was refused may send the rest: browsers read the answer after it
)

// Uploads takes files that admins send.
type Uploads struct {
	dir      string
	max      int64
	patience time.Duration
	room     func(need int64) error
}

// NewUploads takes files of up to max bytes into a folder, from which it removes all that an earlier process left. A client
// that sends nothing for as long as patience is given up. room returns nil if the disk has so many bytes to spare.
func NewUploads(dir string, max int64, patience time.Duration, room func(need int64) error) (*Uploads, error) {
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return nil, err
	}
	return &Uploads{dir, max, patience, room}, nil
}

// Upload is a file that has arrived, whole.
type Upload struct {
	Title string // "": there is none
	File  string // what it is called on the sender's machine: only for people
	Kind  string // mp4, mov, webm or mkv, by its first bytes
	Path  string // where it is: in a file with a name of our own
}

// Discard removes the file.
func (u Upload) Discard() error { return os.Remove(u.Path) }

// UploadPage is what the page with the form shows.
type UploadPage struct {
	Success bool   `json:"success"`
	Max     int64  `json:"max_bytes"`
	Problem string `json:"-"` // with what was sent before
}

// Page describes what is taken.
func (u *Uploads) Page(problem string) UploadPage { return UploadPage{true, u.max, problem} }

// Megabytes is the largest size that is taken.
func (p UploadPage) Megabytes() int64 { return p.Max >> 20 }

// Receive writes the part "file" of a multipart form to the disk. The part "title" is read by parse, which returns "" or
// what is wrong with it: as soon as it is there, so that nobody sends gigabytes with a title that is refused. After an
// error nothing is left; it is one of those above, BadTitle, ErrForm, or a fault of ours.
func (u *Uploads) Receive(w http.ResponseWriter, r *http.Request, parse func(text string) (title, problem string)) (Upload, error) {
	if r.ContentLength > u.max+MaxBody {
		return Upload{}, ErrTooLarge
	}
	b := &body{ReadCloser: http.MaxBytesReader(w, r.Body, u.max+MaxBody), control: http.NewResponseController(w), patience: u.patience}
	r.Body = b
	up, err := u.form(r, parse)
	if tooLarge := new(http.MaxBytesError); errors.As(b.err, &tooLarge) {
		err = ErrTooLarge
	} else if b.err != nil {
		err = fmt.Errorf("%w: %w", ErrBroken, b.err)
	} else {
		// Even of a good form something may follow: after the last byte the server notices when the client hangs up.
		err = errors.Join(err, b.end(min(u.patience, linger)))
	}
	if err != nil && up.Path != "" {
		err = errors.Join(err, up.Discard())
	}
	return up, err
}

// form reads the parts of a form. After an error the file, if there is one, is still there.
func (u *Uploads) form(r *http.Request, parse func(text string) (title, problem string)) (up Upload, err error) {
	if err := u.room(2 * max(0, r.ContentLength)); err != nil { // twice: the media store makes a copy
		return up, err
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return up, ErrForm
	}
	for {
		part, err := parts.NextPart()
		switch {
		case err == io.EOF && up.Path == "":
			return up, ErrNoFile
		case err == io.EOF:
			return up, nil
		case err != nil:
			return up, ErrForm
		}
		switch part.FormName() {
		case "title":
			text, err := io.ReadAll(io.LimitReader(part, 4<<10)) // longer than any title
			if err != nil {
				return up, ErrForm
			}
			var problem string
			if up.Title, problem = parse(string(text)); problem != "" {
				return up, BadTitle(problem)
			}
		case "file":
			if up.Path != "" {
				return up, ErrTwoFiles
			}
			if err := u.save(&up, part); err != nil {
				return up, err
			}
		}
	}
}

// save writes a part to a new file, unless its first bytes are those of no video.
func (u *Uploads) save(up *Upload, part *multipart.Part) (err error) {
	head := make([]byte, 512)
	n, _ := io.ReadFull(part, head)
	if n == 0 && part.FileName() == "" {
		return ErrNoFile // what browsers send when nothing was chosen
	}
	head = head[:n] // an error is met again after them
	if up.Kind = kindOf(head); up.Kind == "" {
		return ErrUnsupported
	}
	up.File, up.Path = part.FileName(), filepath.Join(u.dir, rand.Text())
	file, err := os.OpenFile(up.Path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		up.Path = ""
		return fmt.Errorf("make a file for an upload: %v", err) // %v: what is not there is not what the client asked for
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := io.Copy(file, bytes.NewReader(head))
	for err == nil {
		if err := u.room(size + stride); err != nil { // for the copy, and for what comes now
			return err
		}
		var n int64
		n, err = io.CopyN(file, part, min(stride, u.max+1-size))
		if size += n; size > u.max {
			return ErrTooLarge
		}
	}
	var disk *os.PathError
	switch {
	case err == io.EOF && isCut(file, up.Kind, size):
		return ErrUnplayable
	case err == io.EOF:
		return nil
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	case errors.As(err, &disk):
		return err
	}
	return ErrForm
}

// kindOf tells by its first bytes which kind of video a file wants to be; "" if none that is taken.
func kindOf(head []byte) string {
	if len(head) < 12 {
		return ""
	}
	switch box, brand := string(head[4:8]), string(head[8:12]); {
	case box == "ftyp" && brand != "qt  ":
		return "mp4"
	case box == "ftyp", box == "moov", box == "mdat", box == "wide", box == "free", box == "skip", box == "pnot":
		return "mov" // QuickTime knew files without ftyp
	}
	if !bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")) {
		return ""
	}
	switch { // the DocType of EBML, with its length
	case bytes.Contains(head, []byte("\x42\x82\x84webm")):
		return "webm"
	case bytes.Contains(head, []byte("\x42\x82\x88matroska")):
		return "mkv"
	}
	return ""
}

// isCut reports whether a file says that it is longer than it is: players play what is there, and decoders do not mind.
func isCut(file io.ReaderAt, kind string, size int64) bool {
	if kind == "webm" || kind == "mkv" {
		return isCutMatroska(file, size)
	}
	var box [16]byte // its length, its name, and its length once more if that is long
	for at, boxes := int64(0), 0; at+8 <= size && boxes < 1<<20; boxes++ {
		file.ReadAt(box[:], at) // the last may be shorter
		length := int64(binary.BigEndian.Uint32(box[:]))
		if length == 1 {
			length = int64(binary.BigEndian.Uint64(box[8:]))
		}
		if length < 8 { // the last one, or none: that is ffprobe's concern
			return false
		}
		if length > size-at {
			return true
		}
		at += length
	}
	return false
}

// isCutMatroska looks at the length of the segment, which is the rest of the file. A recording that was never closed does not
// say how long it is.
func isCutMatroska(file io.ReaderAt, size int64) bool {
	head := make([]byte, 512)
	n, _ := file.ReadAt(head, 0)              // it may be shorter
	segment := []byte("\x18\x53\x80\x67\x01") // with a length of seven bytes
	at := bytes.Index(head[:n], segment)
	if at < 0 || at+12 > n {
		return false
	}
	const unknown = 1<<56 - 1
	length := int64(binary.BigEndian.Uint64(head[at+4:]) & unknown)
	return length != unknown && int64(at)+12+length > size
}

// body is what a client sends. It ends when nothing comes for a while, and it remembers why it ended.
type body struct {
	io.ReadCloser
	control  *http.ResponseController
	patience time.Duration
	err      error // nil: it has not ended, or well
}

func (b *body) Read(p []byte) (int, error) {
	if b.err = b.control.SetReadDeadline(time.Now().Add(b.patience)); b.err != nil {
		return 0, b.err
	}
	n, err := b.ReadCloser.Read(p)
	if err != io.EOF {
		b.err = err
	}
	return n, err
}

// end throws away what still comes within a while. If that is not all, the deadline stays: nobody shall wait for the rest.
func (b *body) end(within time.Duration) error {
	if err := b.control.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, b.ReadCloser); err != nil {
		return nil
	}
	return b.control.SetReadDeadline(time.Time{})
}
