// s3.go keeps files in a bucket of a service that speaks S3.

package media

import (
	"bytes"
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
	Setting   string // the section that says so, for errors; "": media.s3
}

// S3 keeps files in a bucket.
type S3 struct {
	config    S3Config
	client    *minio.Client
	transport *http.Transport
	patience  time.Duration
	stall     time.Duration // a connection ends after so long without a byte

	mu     sync.Mutex
	failed clocks // since when each kind of call has failed
	unsure bool   // the last file could not be kept: to look is not enough to know that all is well
}

const (
	tries     = 3                // of a request, within seconds
	pause     = 30 * time.Second // until a job asks again
	readiness = 5 * time.Second  // for each answer to Ready and Try
	sending   = time.Minute      // for the file of Try, also over a slow line
	own       = ".retake-"       // begins the keys of the store's own files, which are not media keys
	partSize  = 16 << 20         // bytes; a larger file is sent in parts
	leastPart = 5 << 20          // bytes; the smallest part that services accept
)

// call is a kind of request. Each has a clock of its own: a bucket may be readable and refuse every write.
type call int

const (
	reads call = iota
	writes
	lists
	deletes
)

// clocks hold since when calls of a kind have failed, and when one last did.
type clocks map[call]struct{ since, last time.Time }

// IsZero reports whether no kind of call fails.
func (c clocks) IsZero() bool { return len(c) == 0 }

// forgotten is how long after a failure the next one is a new trouble rather than the same: nobody asked in between.
const forgotten = time.Hour

// NewS3 prepares a store; it connects when it is used. While the service is away, errors ask to wait for as long as
// patience; the clock runs for each kind of call alone.
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
	s := &S3{transport: transport, patience: patience, stall: time.Minute, failed: clocks{}}
	dialer := net.Dialer{Timeout: 5 * time.Second}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return impatient{conn, s.stall}, nil
	}
	s.client, err = minio.New(at.Host, &minio.Options{Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""),
		Secure: secure, Region: c.Region, Transport: watched{transport}, MaxRetries: tries})
	if err != nil {
		return nil, err
	}
	if c.Prefix = strings.Trim(c.Prefix, "/"); c.Prefix != "" {
		c.Prefix += "/"
	}
	c.Setting = cmp.Or(c.Setting, "media.s3")
	s.config = c
	return s, nil
}

// Put is Store's.
func (s *S3) Put(ctx context.Context, key, path string, progress func(sent int64)) error {
	return putFile(ctx, s, key, path, progress)
}

func (s *S3) put(ctx context.Context, key string, file io.Reader, size int64, progress func(sent int64)) error {
	return s.send(ctx, key, file, size, partSize, progress)
}

// send keeps a file and looks at what was kept: there are services that answer 200 and keep nothing, and some that
// keep the framing of a body whose hash comes in pieces (aws-chunked) as a part of the file. So the body is sent as
// it is, with an MD5 that the service checks.
func (s *S3) send(ctx context.Context, key string, file io.Reader, size int64, part uint64,
	progress func(sent int64)) error {
	want, err := sumsOf(file, int64(part))
	if err != nil {
		return err
	}
	opts := minio.PutObjectOptions{SendContentMd5: true, DisableContentSha256: true, PartSize: part}
	if want.sha256 != "" {
		opts.UserMetadata = map[string]string{sumHeader: want.sha256}
	}
	if progress != nil {
		opts.Progress = &counter{size: size, told: progress}
	}
	_, err = s.client.PutObject(ctx, s.config.Bucket, s.config.Prefix+key, file, size, opts)
	if err = s.met(ctx, writes, err); err == nil {
		err = s.confirm(ctx, key, size, want)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, trouble := errors.AsType[*Trouble](err)
	s.unsure = trouble && t.answered || s.unsure && err != nil
	return err
}

// confirm looks at a file that was kept, and removes one that is not what was sent. An ETag of MD5 sums is
// compared; a service that forms it otherwise, as with encryption, is asked for all of the file.
func (s *S3) confirm(ctx context.Context, key string, size int64, want sums) error {
	info, err := s.client.StatObject(ctx, s.config.Bucket, s.config.Prefix+key, minio.StatObjectOptions{})
	switch refusal, answered := errors.AsType[minio.ErrorResponse](err); {
	case answered && refusal.Code == minio.NoSuchKey:
		return s.trouble(writes, true, CodeLost, "the media store answered that it keeps the file, and does not have it", err)
	case err != nil:
		return s.met(ctx, reads, err)
	}
	switch {
	case info.Size == size && (want.sha256 == "" || want.etag == info.ETag):
		return nil
	case info.Size == size:
		file := &object{s: s, ctx: ctx, key: key, etag: info.ETag, size: info.Size}
		got, err := sumsOf(file, partSize)
		file.Close()
		if err != nil || got.sha256 == want.sha256 {
			return err
		}
	}
	err = s.trouble(writes, true, CodeDamaged, "the media store keeps another file than it was given", nil)
	if failed := s.remove(context.WithoutCancel(ctx), key); failed != nil {
		return errors.Join(err, failed)
	}
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
	if err != nil {
		_, answered := errors.AsType[minio.ErrorResponse](err)
		if err = s.met(ctx, reads, err); answered { // the answer to HEAD has no body: the list may say more
			err = cmp.Or(s.look(ctx), err)
		}
		return nil, err
	}
	s.met(ctx, reads, nil)
	return &object{s: s, ctx: ctx, key: key, etag: info.ETag, size: info.Size, sum: info.UserMetadata[sumKey]}, nil
}

// Delete is Store's.
func (s *S3) Delete(ctx context.Context, key string) error {
	if err := check(key); err != nil {
		return err
	}
	return s.remove(ctx, key)
}

// remove deletes a key, with all of its versions where the bucket keeps some, and checks that it is gone.
func (s *S3) remove(ctx context.Context, key string) error {
	name, kept := s.config.Prefix+key, false
	watching := context.WithValue(ctx, markerKey{}, &kept)
	err := s.met(ctx, deletes, s.client.RemoveObject(watching, s.config.Bucket, name, minio.RemoveObjectOptions{}))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if kept {
		if err := s.removeVersions(ctx, name); err != nil {
			return err
		}
	}
	_, err = s.client.StatObject(ctx, s.config.Bucket, name, minio.StatObjectOptions{})
	refusal, answered := errors.AsType[minio.ErrorResponse](err)
	switch {
	case err == nil:
		return s.trouble(deletes, true, CodeKept, "the media store answered that it deleted the file, and still has it", nil)
	case answered && refusal.StatusCode == http.StatusNotFound, answered && refusal.StatusCode == http.StatusForbidden:
		return nil // 403 is how a key that may not list hears of a file that is not there
	}
	return s.met(ctx, reads, err)
}

// removeVersions deletes everything that a bucket with versions keeps under a name, markers included.
func (s *S3) removeVersions(ctx context.Context, name string) error {
	inside, cancel := context.WithCancel(ctx)
	defer cancel()
	opts := minio.ListObjectsOptions{Prefix: name, Recursive: true, WithVersions: true}
	for o := range s.client.ListObjects(inside, s.config.Bucket, opts) {
		err := o.Err
		if err == nil && o.Key == name {
			err = s.client.RemoveObject(ctx, s.config.Bucket, name, minio.RemoveObjectOptions{VersionID: o.VersionID})
		}
		if refusal, answered := errors.AsType[minio.ErrorResponse](err); answered {
			return s.trouble(deletes, true, CodeVersions, fmt.Sprintf("the bucket %q keeps old versions of files, and this key "+
				"may not delete them: turn versioning off, or allow s3:ListBucketVersions and s3:DeleteObjectVersion (%s)",
				s.config.Bucket, refusal.Code), err)
		}
		if err := s.met(ctx, deletes, err); err != nil {
			return err
		}
	}
	return s.met(ctx, deletes, ctx.Err())
}

// markerKey is the key of a *bool in a context, which becomes true when a deletion only hides a file.
type markerKey struct{}

// watched is a transport that looks at answers to deletions, and lets no answer be endless.
type watched struct{ http.RoundTripper }

// longestAnswer is how many bytes an answer may have that is not a file: a list of a thousand keys has a tenth.
const longestAnswer = 8 << 20

// RoundTrip implements http.RoundTripper.
func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := w.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	// A file is read for as long as it should be: see object. A query asks for something else.
	if file := r.Method == http.MethodGet && r.URL.RawQuery == "" && answer.StatusCode < 300; !file {
		answer.Body = bounded{io.LimitReader(answer.Body, longestAnswer), answer.Body}
	}
	if kept, ok := r.Context().Value(markerKey{}).(*bool); ok {
		// The version of the marker is there on services that do not say what it is.
		*kept = answer.Header.Get("X-Amz-Delete-Marker") == "true" || answer.Header.Get("X-Amz-Version-Id") != ""
	}
	return answer, nil
}

// bounded is a body of which only so much is read.
type bounded struct {
	io.Reader
	io.Closer
}

// Keys is Store's.
func (s *S3) Keys(ctx context.Context, each func(keys []string) error) error {
	inside, cancel := context.WithCancel(ctx)
	defer cancel()
	var keys []string
	for o := range s.client.ListObjects(inside, s.config.Bucket, minio.ListObjectsOptions{Prefix: s.config.Prefix}) {
		if o.Err != nil {
			return s.met(ctx, lists, o.Err)
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
	if err := s.met(ctx, lists, ctx.Err()); err != nil || len(keys) == 0 {
		return err
	}
	return each(keys)
}

// look lists no more than one object.
func (s *S3) look(ctx context.Context) error {
	inside, cancel := context.WithCancel(ctx)
	defer cancel()
	opts := minio.ListObjectsOptions{Prefix: s.config.Prefix, MaxKeys: 1}
	for o := range s.client.ListObjects(inside, s.config.Bucket, opts) {
		return s.met(ctx, lists, o.Err)
	}
	return s.met(ctx, lists, ctx.Err())
}

// Ready is Store's. It looks; after a file could not be kept it keeps one of its own to learn whether that works
// again.
func (s *S3) Ready(ctx context.Context) error {
	s.mu.Lock()
	unsure := s.unsure
	s.mu.Unlock()
	if unsure {
		return s.try(ctx, []byte("retake"))
	}
	return within(ctx, readiness, s.look)
}

// Try keeps a file that has two parts, reads it, deletes it and lists what is there. The error is a sentence.
func (s *S3) Try(ctx context.Context) error {
	text := make([]byte, leastPart+1)
	rand.Read(text)
	return s.try(ctx, text)
}

// try does each of its steps within a time of its own: a service that hangs is told from one that is slow.
func (s *S3) try(ctx context.Context, text []byte) error {
	key := own + rand.Text()
	put := func(ctx context.Context) error {
		return s.send(ctx, key, bytes.NewReader(text), int64(len(text)), leastPart, nil)
	}
	read := func(ctx context.Context) error {
		file, err := s.open(ctx, key)
		if err != nil {
			return err
		}
		defer file.Close()
		got, err := io.ReadAll(io.LimitReader(file, int64(len(text))+1))
		if err == nil && !bytes.Equal(got, text) {
			err = s.trouble(reads, true, CodeDamaged, "the media store keeps another file than it was given", nil)
		}
		return err
	}
	err := within(ctx, sending, put)
	if err == nil {
		err = within(ctx, sending, read)
	}
	if err != nil {
		_ = within(context.WithoutCancel(ctx), readiness, func(ctx context.Context) error { return s.remove(ctx, key) })
		return err
	}
	if err := within(ctx, 2*readiness, func(ctx context.Context) error { return s.remove(ctx, key) }); err != nil {
		return err
	}
	return within(ctx, readiness, s.look)
}

// slow is the cause of a context that ended because there was no answer.
type slow time.Duration

func (d slow) Error() string { return fmt.Sprintf("no answer within %v", time.Duration(d)) }

func within(ctx context.Context, d time.Duration, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d, slow(d))
	defer cancel()
	return do(ctx)
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
		return fmt.Errorf("%w; if that one is gone, delete %s%s in the bucket %s", ErrNotYours, s.config.Prefix, key,
			s.config.Bucket)
	}
	inside, cancel := context.WithCancel(ctx)
	defer cancel()
	for upload := range s.client.ListIncompleteUploads(inside, s.config.Bucket, s.config.Prefix, false) {
		err := upload.Err
		if err == nil && check(strings.TrimPrefix(upload.Key, s.config.Prefix)) == nil {
			err = s.client.RemoveIncompleteUpload(ctx, s.config.Bucket, upload.Key)
		}
		// A service that does not list uploads, or not to this key, has its own way to end them.
		if _, answered := errors.AsType[minio.ErrorResponse](err); answered {
			return nil
		}
		if err = s.met(ctx, lists, err); err != nil {
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

// impatient is a connection that ends when no byte has moved for a while. A write puts off the end of reading, too:
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
