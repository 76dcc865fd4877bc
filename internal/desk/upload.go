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

// Upload is a file that has arrived, whole, or one that is refused.
type Upload struct {
	Title string // "": there is none
	File  string // what it is called on the sender's machine: only for people
	Kind  string // mp4, mov, webm or mkv, by its first bytes
	Path  string // where it is: in a file with a name of our own; "": it is refused
	Err   error  // why it is refused
}

// Discard removes the file.
func (u Upload) Discard() error {
	if u.Path == "" {
		return nil
	}
	return os.Remove(u.Path)
}

// mostFiles is how many files a form may have.
const mostFiles = 100

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

// Receive is ReceiveAll for a form with one file.
func (u *Uploads) Receive(w http.ResponseWriter, r *http.Request,
	parse func(text string) (title, problem string)) (Upload, error) {
	all, err := u.receive(w, r, taking{parse: parse, kind: kindOf})
	if err != nil {
		return Upload{}, err
	}
	return all[0], nil
}

// ReceiveAll writes the parts "file" of a multipart form to the disk, together as much as one file may have. The part
// "title" is read by parse, which returns "" or what is wrong with it: as soon as it is there, so that nobody sends
// gigabytes with a title that is refused. After an error nothing is left; it is one of those above, BadTitle, ErrForm,
// or a fault of ours. There is one file unless the part "several" says before that more may come: then one that is no
// video does not keep the others from being taken.
func (u *Uploads) ReceiveAll(w http.ResponseWriter, r *http.Request,
	parse func(text string) (title, problem string)) ([]Upload, error) {
	return u.receive(w, r, taking{several: true, parse: parse, kind: kindOf})
}

// ReceiveExtra is Receive for a picture, a sound or a font.
func (u *Uploads) ReceiveExtra(w http.ResponseWriter, r *http.Request) (Upload, error) {
	all, err := u.receive(w, r, taking{parse: lang.ParseTitle, kind: extraKindOf})
	if err != nil {
		return Upload{}, err
	}
	return all[0], nil
}

// taking is what a form may send.
type taking struct {
	several bool // files, if it says so
	parse   func(text string) (title, problem string)
	kind    func(head []byte) string // of a file, by its first bytes; "": it is not taken
}

func (u *Uploads) receive(w http.ResponseWriter, r *http.Request, as taking) ([]Upload, error) {
	if r.ContentLength > u.max+MaxBody {
		return nil, ErrTooLarge
	}
	b := &body{ReadCloser: http.MaxBytesReader(w, r.Body, u.max+MaxBody), control: http.NewResponseController(w),
		patience: u.patience}
	r.Body = b
	all, err := u.form(r, as)
	if tooLarge := new(http.MaxBytesError); errors.As(b.err, &tooLarge) {
		err = ErrTooLarge
	} else if b.err != nil {
		err = fmt.Errorf("%w: %w", ErrBroken, b.err)
	} else {
		// Even of a good form something may follow: after the last byte the server notices when the client hangs up.
		err = errors.Join(err, b.end(min(u.patience, linger)))
	}
	if err != nil {
		for _, up := range all {
			err = errors.Join(err, up.Discard())
		}
	}
	return all, err
}

// Refuse takes nothing of a request. It returns why once the client had a moment to notice: browsers read the answer
// after they have sent something.
func (u *Uploads) Refuse(w http.ResponseWriter, r *http.Request, why error) error {
	b := &body{ReadCloser: http.MaxBytesReader(w, r.Body, u.max+MaxBody), control: http.NewResponseController(w)}
	return errors.Join(why, b.end(min(u.patience, linger)))
}

// form reads the parts of a form. After an error the files that are there still are.
func (u *Uploads) form(r *http.Request, as taking) (all []Upload, err error) {
	if err := u.room(2 * max(0, r.ContentLength)); err != nil { // twice: the media store makes a copy
		return nil, err
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, ErrForm
	}
	title, most := "", 1
	for {
		part, err := parts.NextPart()
		switch {
		case err == io.EOF && len(all) == 0:
			return nil, ErrNoFile
		case err == io.EOF && len(all) == 1:
			all[0].Title = title // that of several would be the same for all of them
			return all, all[0].Err
		case err == io.EOF:
			return all, nil
		case err != nil:
			return all, ErrForm
		}
		switch part.FormName() {
		case "title":
			text, err := io.ReadAll(io.LimitReader(part, 4<<10)) // longer than any title
			if err != nil {
				return all, ErrForm
			}
			var problem string
			if title, problem = as.parse(string(text)); problem != "" {
				return all, BadTitle(problem)
			}
		case "several":
			if as.several {
				most = mostFiles
			}
		case "file":
			if len(all) == most {
				return all, ErrTwoFiles
			}
			var up Upload
			err := u.save(&up, part, as.kind)
			all = append(all, up)
			if one := &all[len(all)-1]; most > 1 && isOfFile(err) {
				one.Err = errors.Join(err, one.Discard())
				one.Path = ""
			} else if err != nil {
				return all, err
			}
		}
	}
}

// isOfFile reports whether an error is about one file, and says nothing of the others.
func isOfFile(err error) bool {
	return errors.Is(err, ErrUnsupported) || errors.Is(err, video.ErrUnplayable)
}

// save writes a part to a new file, unless its first bytes are those of no kind that is taken.
func (u *Uploads) save(up *Upload, part *multipart.Part, kind func(head []byte) string) (err error) {
	head := make([]byte, 512)
	n, _ := io.ReadFull(part, head)
	if n == 0 && part.FileName() == "" {
		return ErrNoFile // what browsers send when nothing was chosen
	}
	head = head[:n] // an error is met again after them
	up.File = part.FileName()
	if up.Kind = kind(head); up.Kind == "" {
		return ErrUnsupported
	}
	up.Path = filepath.Join(u.dir, rand.Text())
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

// Uploaded is what came of several files.
type Uploaded struct {
	Success bool       `json:"success"` // all of them are kept
	Outcome string     `json:"outcome,omitzero"`
	Files   []SentFile `json:"files"`
}

// SentFile is one of them.
type SentFile struct {
	File  string            `json:"file"`        // what it is called on the sender's machine
	ID    string            `json:"id,omitzero"` // of its video
	Name  string            `json:"name,omitzero"`
	Error map[string]string `json:"error,omitempty"`
}

// Upload keeps videos that an admin sends. However it ends, nothing is left of the files on their way.
func (d *Desk) Upload(w http.ResponseWriter, r *http.Request) error {
	leave, ok := d.uploads.enter(sessionOf(r))
	if !ok {
		return d.opts.Uploads.Refuse(w, r, TooManyUploads)
	}
	defer leave()
	all, err := d.opts.Uploads.ReceiveAll(w, r, lang.ParseTitle)
	if err != nil {
		return fmt.Errorf("take an upload: %w", err)
	}
	defer func() {
		for _, sent := range all {
			sent.Discard()
		}
	}()
	if len(all) == 1 {
		a, err := d.keepUpload(r, all[0])
		if err != nil {
			return err
		}
		return doneAt(w, r, "/assets/"+a.ID+"?notice=uploaded", "uploaded", a.ID)
	}
	say, view, status := sayTo(r), Uploaded{Success: true}, http.StatusOK
	for _, sent := range all {
		file := SentFile{File: sent.File}
		a, err := d.keepUpload(r, sent)
		if err != nil {
			e := HTTPErrorOf(err)
			d.note(r, e, err)
			file.Error, view.Success = map[string]string{"code": e.Code, "message": say(e.ID, e.Vars)}, false
			status = e.Status
		} else {
			file.ID, file.Name, view.Outcome = a.ID, a.Name, "uploaded"
		}
		view.Files = append(view.Files, file)
	}
	if view.Outcome != "" { // some of them are here
		status = http.StatusOK
	}
	if WantsJSON(r) {
		return JSON(w, status, view)
	}
	return d.page(w, r, status, "uploaded", Frame{Title: say("title_uploaded", nil), SignedIn: true}, view)
}

// keepUpload makes a video of a file.
func (d *Desk) keepUpload(r *http.Request, sent Upload) (a store.Asset, err error) {
	if sent.Err != nil {
		return a, sent.Err
	}
	ctx, admin := r.Context(), AdminOf(r)
	made, err := d.opts.Inspect(ctx, sent.Path)
	if err != nil {
		return a, fmt.Errorf("look at an upload: %w", err)
	}
	defer made.Discard()
	a = store.Asset{ID: store.NewID(),
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
		return a, errors.Join(fmt.Errorf("keep an upload: %w", err), d.opts.Files.Delete(d.ctx, a.Video.File),
			d.opts.Files.Delete(d.ctx, a.Video.Thumb))
	}
	return a, nil
}
