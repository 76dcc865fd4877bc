// Uploads: the page, and how the file that an admin sends reaches the disk and then the media store.

package desk

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// What is wrong with an upload that is not taken. Others are video.ErrUnplayable and video.ErrDiskFull.
var (
	ErrNoFile      = errors.New("no file was sent")
	ErrTwoFiles    = errors.New("more than one file was sent")
	ErrTooLarge    = errors.New("the file is larger than an upload may be")
	ErrUnsupported = errors.New("the file is not a kind of video that is accepted")
	ErrBroken      = errors.New("the upload ended halfway")
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

// NewUploads takes files of up to max bytes into a folder, from which it removes all that an earlier process left. A
// client that sends nothing for as long as patience is given up. room returns nil if the disk has so many bytes to
// spare.
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

// Receive writes the part "file" of a multipart form to the disk. The part "title" is read by parse, which returns ""
// or what is wrong with it: as soon as it is there, so that nobody sends gigabytes with a title that is refused.
// After an error nothing is left; it is one of those above, BadTitle, ErrForm, or a fault of ours.
func (u *Uploads) Receive(w http.ResponseWriter, r *http.Request,
	parse func(text string) (title, problem string)) (Upload, error) {
	if r.ContentLength > u.max+MaxBody {
		return Upload{}, ErrTooLarge
	}
	b := &body{ReadCloser: http.MaxBytesReader(w, r.Body, u.max+MaxBody), control: http.NewResponseController(w),
		patience: u.patience}
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

// Refuse takes nothing of a request. It returns why once the client had a moment to notice: browsers read the answer
// after they have sent something.
func (u *Uploads) Refuse(w http.ResponseWriter, r *http.Request, why error) error {
	b := &body{ReadCloser: http.MaxBytesReader(w, r.Body, u.max+MaxBody), control: http.NewResponseController(w)}
	return errors.Join(why, b.end(min(u.patience, linger)))
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
		// %v: what is not there is not what the client asked for
		return fmt.Errorf("make a file for an upload: %v", err)
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
		return video.ErrUnplayable
	case err == io.EOF:
		return nil
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %w", video.ErrDiskFull, err)
	case errors.As(err, &disk):
		return err
	}
	return ErrForm
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

// end throws away what still comes within a while. If that is not all, the deadline stays: nobody shall wait for the
// rest.
func (b *body) end(within time.Duration) error {
	if err := b.control.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, b.ReadCloser); err != nil {
		return nil
	}
	return b.control.SetReadDeadline(time.Time{})
}

// AskUpload answers with the form.
func (d *Desk) AskUpload(w http.ResponseWriter, r *http.Request) error {
	say, problem := sayTo(r), ""
	if err := d.opts.Files.Ready(r.Context()); err != nil { // before somebody sends gigabytes
		problem = say(Away.ID, nil)
	}
	return d.answer(w, r, "upload", Frame{Title: say("title_upload", nil)}, d.opts.Uploads.Page(problem))
}

// Upload keeps a video that an admin sends. However it ends, nothing is left of the files on their way.
func (d *Desk) Upload(w http.ResponseWriter, r *http.Request) error {
	ctx, admin := r.Context(), AdminOf(r)
	leave, ok := d.uploads.enter(sessionOf(r))
	if !ok {
		return d.opts.Uploads.Refuse(w, r, TooManyUploads)
	}
	defer leave()
	sent, err := d.opts.Uploads.Receive(w, r, lang.ParseTitle)
	if err != nil {
		return fmt.Errorf("take an upload: %w", err)
	}
	defer sent.Discard()
	made, err := d.opts.Inspect(ctx, sent.Path)
	if err != nil {
		return fmt.Errorf("look at an upload: %w", err)
	}
	defer made.Discard()
	a := store.Asset{ID: store.NewID(),
		Name: cmp.Or(sent.Title, lang.TitleOf(sent.File),
			sayTo(r)("upload_untitled", nil)), Lang: d.opts.Lang, Creator: &admin.ID}
	a.NameKey = lang.NameKey(a.Name)
	a.Video = store.Video{File: a.ID + "." + sent.Kind, Thumb: a.ID + ".jpg", Size: made.Size,
		Duration: made.Duration, Width: made.Width, Height: made.Height, Codec: made.Codec}
	err = d.opts.Files.Put(ctx, a.Video.Thumb, made.Thumb, nil) // the small one first: it fails sooner
	if err == nil {
		err = d.opts.Files.Put(ctx, a.Video.File, sent.Path, nil)
	}
	if err == nil {
		err = d.store.Tx(ctx, func(tx *store.Tx) error { return tx.AddUpload(a) })
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep an upload: %w", err), d.opts.Files.Delete(d.ctx, a.Video.File),
			d.opts.Files.Delete(d.ctx, a.Video.Thumb))
	}
	return doneAt(w, r, "/assets/"+a.ID+"?notice=uploaded", "uploaded", a.ID)
}
