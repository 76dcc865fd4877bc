// object.go reads a file in a bucket.

package media

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/minio/minio-go/v7"
)

// object is a file in the bucket that is being read.
type object struct {
	s        *S3
	ctx      context.Context
	key      string
	etag     string
	sum      string // SHA-256 of what was put, in hex; "" if it is not known
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
			return 0, o.s.met(o.ctx, reads, err)
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
		return o.s.met(o.ctx, reads, err)
	}
	// A proxy may not know ranges.
	if part := head.Get("Content-Range"); o.at > 0 && !strings.HasPrefix(part, fmt.Sprintf("bytes %d-", o.at)) {
		body.Close()
		return o.s.met(o.ctx, reads, fmt.Errorf("asked for what follows byte %d, it answered with %q", o.at, part))
	}
	o.s.met(o.ctx, reads, nil)
	o.body = body
	return nil
}

// Seek sets where the next Read begins.
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
