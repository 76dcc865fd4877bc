// Sending a video: one request, whose body is made while it goes.

package rumble

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"sync"
	"time"
)

// Video is the file to publish, and its thumbnail.
type Video struct {
	File      io.ReadSeeker
	Size      int64         // in bytes
	Type      string        // video/mp4
	Name      string        // a file name of ours, such as an id with .mp4; Rumble may show it
	Thumb     io.ReadSeeker // nil: none. One that cannot be read is a warning
	ThumbType string        // image/jpeg or image/png
}

// Metadata is what Rumble says about the video. It takes no tags, no privacy and no time.
type Metadata struct {
	Title       string
	Description string // "" = the title is sent instead, because Rumble wants one
	Guid        string // our own id of it
}

// State is how far a publication has come; the caller stores it.
type State struct {
	Step string // "uploading", or "" = no upload has begun
	Sent int64  // bytes of the video that have left; all of them are named only once its answer can be lost
}

// Published is the video on Rumble.
type Published struct {
	ID      string
	URL     string // of its page; "" if Rumble named none
	Warning string // what went wrong though the video is published, as "rumble REASON: message"; "" = nothing
}

// WarningCode is the code of Published.Warning.
const WarningCode = "rumble_thumbnail"

// license is Rumble's "not for sale": the rights to the video stay as they are, and it may be elsewhere too.
const license = "0"

const uploading = "uploading"

// progressEvery is the shortest time between two saves of the progress.
const progressEvery = 500 * time.Millisecond

// What is read at most of an answer, and of a thumbnail, in bytes.
const (
	maxAnswer = 64 << 10
	maxThumb  = 20 << 20
)

var errStalled = errors.New("nothing moved for too long")

// Publish sends the video. save stores the state and must have stored it when it returns: {"uploading", 0} before the
// first byte, the progress at most twice a second, {"uploading", v.Size} before the last bytes leave, and {"", 0} when
// it is certain that the video is not there.
//
// A call that finds {"uploading", v.Size} knows that an earlier one ended while it waited for the answer: the error's
// Step is "unknown", and stays so until the caller, told by a person that the video is not there, begins with an empty
// state. With any other state the video is sent from its beginning.
//
// If ctx ends before the last bytes left, Publish returns the error of ctx and clears the state. Later it is "unknown".
func (c *Client) Publish(ctx context.Context, v Video, m Metadata, s State, save func(State) error) (Published, error) {
	if s.Step == uploading && s.Sent >= v.Size {
		return Published{}, unknown("the program ended before the answer came")
	}
	if c.token == "" {
		return Published{}, account(badToken, "no access token is set")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	thumb, warning := readThumb(v)
	b, err := c.newBody(ctx, v, thumb, m, save)
	if err != nil {
		return Published{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.String()+"/api/simple-upload.php", b)
	if err != nil {
		return Published{}, err
	}
	req.ContentLength = b.length
	req.Header.Set("Content-Type", b.kind)
	req.Header.Set("Expect", "100-continue")
	req.Header.Set("User-Agent", "Retake")
	if err := save(State{Step: uploading}); err != nil {
		return Published{}, err
	}
	b.clock = time.AfterFunc(c.stall, func() { cancel(errStalled) })
	published, err := c.send(ctx, req, b, cancel)
	published.Warning = warning
	if e, ok := errors.AsType[*Error](err); err == nil || ok && e.step == "unknown" {
		return published, err
	}
	if kept := save(State{}); kept != nil {
		err = errors.Join(err, kept)
	}
	return Published{}, err
}

// readThumb reads the thumbnail. The request has to name its size, so it must not break off while it is sent.
func readThumb(v Video) (data []byte, warning string) {
	if v.Thumb == nil {
		return nil, ""
	}
	_, err := v.Thumb.Seek(0, io.SeekStart)
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(v.Thumb, maxThumb+1))
	}
	if len(data) > maxThumb {
		err = errors.New("it is too large")
	}
	if err != nil {
		return nil, "rumble thumbnail-file: it cannot be read"
	}
	return data, ""
}

// send makes the request and says what became of it. It returns when nothing reads the body any more: only then is it
// certain whether the last bytes left.
func (c *Client) send(
	ctx context.Context,
	req *http.Request,
	b *body,
	cancel context.CancelCauseFunc,
) (Published, error) {
	resp, err := c.transport.RoundTrip(req)
	var answer []byte
	if err == nil {
		answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		resp.Body.Close()
	}
	cause := context.Cause(ctx)
	b.clock.Stop()
	cancel(nil)
	<-b.closed
	switch {
	case err == nil:
		return c.judge(resp.StatusCode, resp.Header, answer, b.whole)
	case b.whole:
		return Published{}, c.redact(unknown(fmt.Sprintf("the video was sent, then: %v", cmp.Or(cause, err))))
	case b.err != nil:
		return Published{}, b.err
	case cause != nil && !errors.Is(cause, errStalled):
		return Published{}, ctx.Err()
	}
	message := cmp.Or(cause, err).Error()
	if !b.began {
		return Published{}, c.redact(away("rumble_unreachable", connection, message, 0))
	}
	// It broke off on the way. Each attempt sends the whole video again, so this is one, and not a wait without end.
	return Published{}, c.redact(transient("rumble_connection", connection, message))
}

// body is the form with the video in it. The transport reads and closes it in its own goroutine: the fields below
// closed may be read once that is closed.
type body struct {
	parts  io.Reader
	ctx    context.Context
	length int64
	kind   string        // its Content-Type, with the boundary
	clock  *time.Timer   // ends the request
	stall  time.Duration // what it is set to while the video goes
	answer time.Duration // and then

	once   sync.Once
	closed chan struct{}
	began  bool  // Rumble was there, and the body is being sent
	whole  bool  // the last bytes were handed out
	err    error // why it could not be read
}

// Read is called by the transport.
func (b *body) Read(p []byte) (int, error) {
	b.began = true
	return b.parts.Read(p)
}

func (b *body) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// newBody lays out the form: the words, the thumbnail, the video, and the end, without which Rumble has nothing.
func (c *Client) newBody(
	ctx context.Context,
	v Video,
	thumb []byte,
	m Metadata,
	save func(State) error,
) (*body, error) {
	var words bytes.Buffer
	form := multipart.NewWriter(&words)
	piece := func() *bytes.Reader { // what the form wrote since the last one
		p := bytes.NewReader(bytes.Clone(words.Bytes()))
		words.Reset()
		return p
	}
	for _, field := range [][2]string{
		{"access_token", c.token}, {"title", m.Title}, {"description", cmp.Or(m.Description, m.Title)},
		{"license_type", license}, {"channel_id", c.channel}, {"guid", m.Guid},
	} {
		if field[1] != "" {
			form.WriteField(field[0], field[1])
		}
	}
	b := &body{
		ctx:    ctx,
		kind:   form.FormDataContentType(),
		stall:  c.stall,
		answer: c.answer,
		closed: make(chan struct{}),
	}
	var parts []io.Reader
	if len(thumb) > 0 {
		name := "thumb.jpg"
		if v.ThumbType == "image/png" {
			name = "thumb.png"
		}
		form.CreatePart(fileHeader("thumb", name, v.ThumbType))
		head := piece()
		parts = append(parts, head, bytes.NewReader(thumb))
		b.length += head.Size() + int64(len(thumb))
	}
	if _, err := v.File.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the video: %w", err)
	}
	form.CreatePart(fileHeader("video", v.Name, v.Type))
	head := piece()
	form.Close()
	end := piece()
	b.length += head.Size() + v.Size + end.Size()
	saved := time.Now()
	progress := func(sent int64) error {
		if now := time.Now(); now.Sub(saved) >= progressEvery {
			saved = now
			return save(State{uploading, sent})
		}
		return nil
	}
	b.parts = io.MultiReader(append(parts, head,
		&file{b: b, r: v.File, size: v.Size, progress: progress},
		&last{b: b, r: end, save: func() error { return save(State{uploading, v.Size}) }})...)
	return b, nil
}

func fileHeader(field, name, kind string) textproto.MIMEHeader {
	return textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition(field, name)},
		"Content-Type":        {cmp.Or(kind, "application/octet-stream")},
	}
}

// file is the video in the body, of exactly size bytes.
type file struct {
	b        *body
	r        io.Reader
	size     int64
	sent     int64
	progress func(sent int64) error
}

func (f *file) Read(p []byte) (int, error) {
	f.b.clock.Reset(f.b.stall)
	if f.sent == f.size {
		return 0, io.EOF
	}
	if f.sent > 0 { // a second read means that the bytes of the first were passed on
		if err := f.progress(f.sent); err != nil {
			f.b.err = err
			return 0, err
		}
	}
	n, err := f.r.Read(p[:min(int64(len(p)), f.size-f.sent)])
	f.sent += int64(n)
	if err == io.EOF && f.sent < f.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		f.b.err = fmt.Errorf("read the video: %w", err)
		return n, f.b.err
	}
	return n, nil
}

// last is the end of the body. It leaves only after the state says so, and then Rumble may think for a while.
type last struct {
	b    *body
	r    io.Reader
	save func() error
}

func (l *last) Read(p []byte) (int, error) {
	if !l.b.whole {
		if err := l.b.ctx.Err(); err != nil {
			return 0, err
		}
		if err := l.save(); err != nil {
			l.b.err = err
			return 0, err
		}
		l.b.whole = true
		l.b.clock.Reset(l.b.answer)
	}
	return l.r.Read(p)
}
