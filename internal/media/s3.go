// s3.go keeps files in a bucket of a service that speaks S3.

package media

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Config says where a bucket is and who asks.
type S3Config struct {
	Endpoint  string // such as https://s3.eu-central-1.amazonaws.com
	Region    string
	Bucket    string
	AccessKey string
	SecretKey string
	Prefix    string // of all keys: a folder in the bucket; "": the bucket is ours alone
}

// S3 keeps files in a bucket.
type S3 struct {
	config    S3Config
	client    *minio.Client
	transport *http.Transport
	patience  time.Duration
	stall     time.Duration // without a byte ends a connection

	mu     sync.Mutex
	failed time.Time // since when nothing has worked; zero: the last thing did
	unsure bool      // the last file was refused: to look is not enough to know that all is well
}

const (
	tries     = 3                // of a request, within seconds
	pause     = 30 * time.Second // until a job asks again
	readiness = 10 * time.Second // for an answer to Ready
	own       = ".retake-"       // begins the keys of the store's own files, which are no media keys
)

// NewS3 prepares a store; it connects when it is used. While the service is away the errors of the first hours, as many as
// patience has, ask to wait.
func NewS3(c S3Config, patience time.Duration) (*S3, error) {
	at, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, err
	}
	secure := at.Scheme == "https"
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, err
	}
	s := &S3{transport: transport, patience: patience, stall: time.Minute}
	dialer := net.Dialer{Timeout: 5 * time.Second}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return impatient{conn, s.stall}, nil
	}
	s.client, err = minio.New(at.Host, &minio.Options{Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""), Secure: secure,
		Region: c.Region, Transport: transport, MaxRetries: tries})
	if err != nil {
		return nil, err
	}
	if c.Prefix = strings.Trim(c.Prefix, "/"); c.Prefix != "" {
		c.Prefix += "/"
	}
	s.config = c
	return s, nil
}

// Put is Store's.
func (s *S3) Put(ctx context.Context, key, path string, progress func(sent int64)) error {
	return putFile(ctx, s, key, path, progress)
}

// put sends large files in parts. The service checks the MD5 of each, so a file that is kept is the file that was sent.
func (s *S3) put(ctx context.Context, key string, file io.Reader, size int64, progress func(sent int64)) error {
	opts := minio.PutObjectOptions{SendContentMd5: true}
	if progress != nil {
		opts.Progress = &counter{size: size, told: progress}
	}
	_, err := s.client.PutObject(ctx, s.config.Bucket, s.config.Prefix+key, file, size, opts)
	err = s.met(ctx, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, refused := errors.AsType[minio.ErrorResponse](err)
	s.unsure = refused || s.unsure && err != nil
	return err
}

// Open is Store's.
func (s *S3) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if err := check(key); err != nil {
		return nil, err
	}
	return s.open(ctx, key)
}

func (s *S3) open(ctx context.Context, key string) (*object, error) {
	info, err := s.client.StatObject(ctx, s.config.Bucket, s.config.Prefix+key, minio.StatObjectOptions{})
	if err = s.met(ctx, err); err != nil {
		if errors.Is(err, fs.ErrNotExist) { // an answer without a body: it may be the bucket that is gone
			err = cmp.Or(s.look(ctx), err)
		}
		return nil, err
	}
	return &object{s: s, ctx: ctx, key: key, etag: info.ETag, size: info.Size}, nil
}

// Delete is Store's.
func (s *S3) Delete(ctx context.Context, key string) error {
	if err := check(key); err != nil {
		return err
	}
	return s.remove(ctx, key)
}

func (s *S3) remove(ctx context.Context, key string) error {
	err := s.met(ctx, s.client.RemoveObject(ctx, s.config.Bucket, s.config.Prefix+key, minio.RemoveObjectOptions{}))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Keys is Store's.
func (s *S3) Keys(ctx context.Context, each func(keys []string) error) error {
	inside, cancel := context.WithCancel(ctx)
	defer cancel()
	var keys []string
	for o := range s.client.ListObjects(inside, s.config.Bucket, minio.ListObjectsOptions{Prefix: s.config.Prefix}) {
		if o.Err != nil {
			return s.met(ctx, o.Err)
		}
		if key := strings.TrimPrefix(o.Key, s.config.Prefix); check(key) == nil {
			keys = append(keys, key)
		}
		if len(keys) == some {
			if err := each(keys); err != nil {
				return err
			}
			keys = keys[:0]
		}
	}
	if err := s.met(ctx, ctx.Err()); err != nil || len(keys) == 0 {
		return err
	}
	return each(keys)
}

// look lists no more than one object.
func (s *S3) look(ctx context.Context) error {
	inside, cancel := context.WithCancel(ctx)
	defer cancel()
	for o := range s.client.ListObjects(inside, s.config.Bucket, minio.ListObjectsOptions{Prefix: s.config.Prefix, MaxKeys: 1}) {
		return s.met(ctx, o.Err)
	}
	return s.met(ctx, ctx.Err())
}

// Ready is Store's. It looks; after a file was refused it keeps one of its own to know whether that works again.
func (s *S3) Ready(ctx context.Context) error {
	s.mu.Lock()
	unsure := s.unsure
	s.mu.Unlock()
	if unsure {
		return s.Try(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readiness, errSlow)
	defer cancel()
	return s.look(ctx)
}

var errSlow = fmt.Errorf("no answer within %v", readiness)

// Try keeps a small file, reads it, deletes it and lists what is there. The error is a sentence.
func (s *S3) Try(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readiness, errSlow)
	defer cancel()
	key, text := own+rand.Text(), "retake"
	if err := s.put(ctx, key, strings.NewReader(text), int64(len(text)), nil); err != nil {
		return err
	}
	file, err := s.open(ctx, key)
	if err != nil {
		return err
	}
	defer file.Close()
	switch got, err := io.ReadAll(file); {
	case err != nil:
		return err
	case string(got) != text:
		return errors.New("the media store keeps another file than it was given")
	}
	return cmp.Or(s.remove(ctx, key), s.look(ctx))
}

// Tidy is Store's.
func (s *S3) Tidy(ctx context.Context, owner string) error {
	const key = own + "owner"
	file, err := s.open(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.put(ctx, key, strings.NewReader(owner), int64(len(owner)), nil); err == nil {
			file, err = s.open(ctx, key)
		}
	}
	if err != nil {
		return err
	}
	defer file.Close()
	first, err := io.ReadAll(io.LimitReader(file, 1<<10))
	if err != nil {
		return err
	}
	if string(first) != owner {
		return fmt.Errorf("%w; if that one is gone, delete %s%s in the bucket %s", ErrNotYours, s.config.Prefix, key, s.config.Bucket)
	}
	inside, cancel := context.WithCancel(ctx)
	defer cancel()
	for upload := range s.client.ListIncompleteUploads(inside, s.config.Bucket, s.config.Prefix, false) {
		err := upload.Err
		if err == nil && check(strings.TrimPrefix(upload.Key, s.config.Prefix)) == nil {
			err = s.client.RemoveIncompleteUpload(ctx, s.config.Bucket, upload.Key)
		}
		if err = s.met(ctx, err); err != nil {
			return err
		}
	}
	return nil
}

// Close is Store's.
func (s *S3) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

// ---- what goes wrong

// Trouble is why the service did not do what it was asked to do, when that is no fault of the file.
type Trouble struct {
	text  string
	err   error
	waits bool
}

func (t *Trouble) Error() string { return t.text }
func (t *Trouble) Unwrap() error { return t.err }

// RetryAfter says that a job waits: files are not lost because a service is away for an hour.
func (t *Trouble) RetryAfter() (time.Duration, bool) { return pause, t.waits }

// met makes an error of the client one of ours, and remembers since when nothing works.
func (s *S3) met(ctx context.Context, err error) error {
	refusal, answered := errors.AsType[minio.ErrorResponse](err)
	_, local := errors.AsType[*fs.PathError](err)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.failed = time.Time{}
		return nil
	case answered && refusal.Code == minio.NoSuchKey:
		s.failed = time.Time{}
		return &fs.PathError{Op: "open", Path: refusal.Key, Err: fs.ErrNotExist}
	case errors.Is(context.Cause(ctx), errSlow):
		err, answered = errSlow, false
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %v", ctx.Err(), err)
	case local: // the file that was to be sent
		return err
	}
	if s.failed.IsZero() {
		s.failed = time.Now()
	}
	t := &Trouble{err: err, waits: time.Since(s.failed) < s.patience}
	if answered {
		t.text = s.refused(refusal)
	} else {
		t.text = fmt.Sprintf("the media store at %s cannot be reached: %v", s.config.Endpoint, bare(err))
	}
	return t
}

// refused says in a sentence what the service's answer means.
func (s *S3) refused(r minio.ErrorResponse) string {
	switch r.Code {
	case "NoSuchBucket":
		return fmt.Sprintf("media.s3.bucket: there is no bucket %q at %s", s.config.Bucket, s.config.Endpoint)
	case "InvalidAccessKeyId", "XAdminUserNotFound":
		return "media.s3.access_key: the media store does not know this key"
	case "SignatureDoesNotMatch":
		return "media.s3.secret_key: this is not the secret of the access key"
	case "AccessDenied", "AllAccessDisabled", "AccountProblem":
		return fmt.Sprintf("the media store forbids it: media.s3.access_key needs leave to list, read, write and delete in the bucket %q (%s)", s.config.Bucket, r.Code)
	case "AuthorizationHeaderMalformed", "PermanentRedirect", "InvalidRegion":
		return fmt.Sprintf("media.s3.region: the bucket %q is not in the region %q (%s)", s.config.Bucket, s.config.Region, r.Code)
	case "RequestTimeTooSkewed":
		return "the media store refuses because the clock of this computer is wrong"
	}
	return fmt.Sprintf("the media store at %s refuses: %s %s", s.config.Endpoint, r.Code, oneLine(r.Message))
}

// bare is an error without the request it belongs to, which is long and says nothing to an operator.
func bare(err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		return of.Err
	}
	return err
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return s[:min(len(s), 200)]
}

// impatient is a connection that ends when no byte has moved for a while. What is written moves the time to read on, too:
// the answer to a long upload comes after it.
type impatient struct {
	net.Conn
	patience time.Duration
}

func (c impatient) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c impatient) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// ---- reading

// object is a file in the bucket that is being read, from where it was sought.
type object struct {
	s        *S3
	ctx      context.Context
	key      string
	etag     string
	at, size int64
	body     io.ReadCloser // of the answer that is being read, from at on; nil: there is none
	closed   bool
}

// Read asks for the rest of the file once, and again if that breaks off.
func (o *object) Read(p []byte) (int, error) {
	switch {
	case o.closed:
		return 0, fs.ErrClosed
	case len(p) == 0:
		return 0, nil
	}
	for again := false; ; again = true {
		if o.at >= o.size {
			return 0, io.EOF
		}
		if o.body == nil {
			if err := o.ask(); err != nil {
				return 0, err
			}
		}
		n, err := o.body.Read(p)
		o.at += int64(n)
		if err != nil {
			o.drop()
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // the answer was shorter than the file
		}
		switch {
		case n > 0:
			return n, nil
		case err != nil && (again || o.ctx.Err() != nil):
			return 0, o.s.met(o.ctx, err)
		}
	}
}

func (o *object) ask() error {
	var opts minio.GetObjectOptions
	opts.Set("Range", fmt.Sprintf("bytes=%d-%d", o.at, o.size-1))
	if o.etag != "" {
		opts.Set("If-Match", `"`+o.etag+`"`) // a file that was replaced is not read on
	}
	one := minio.Core{Client: o.s.client} // whose GetObject is one request
	body, _, head, err := one.GetObject(o.ctx, o.s.config.Bucket, o.s.config.Prefix+o.key, opts)
	if err != nil {
		return o.s.met(o.ctx, err)
	}
	if part := head.Get("Content-Range"); o.at > 0 && !strings.HasPrefix(part, fmt.Sprintf("bytes %d-", o.at)) { // a proxy, perhaps
		body.Close()
		return o.s.met(o.ctx, fmt.Errorf("it was asked for what follows byte %d and answered with %q", o.at, part))
	}
	o.body = body
	return nil
}

// Seek moves to where the next Read begins.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.size
	}
	switch {
	case o.closed:
		return 0, fs.ErrClosed
	case offset < 0:
		return 0, &fs.PathError{Op: "seek", Path: o.key, Err: fs.ErrInvalid}
	}
	if offset != o.at {
		o.drop()
		o.at = offset
	}
	return offset, nil
}

func (o *object) drop() {
	if o.body != nil {
		o.body.Close()
		o.body = nil
	}
}

// Close ends the reading.
func (o *object) Close() error {
	o.drop()
	o.closed = true
	return nil
}
