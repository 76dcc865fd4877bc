// verify.go compares files with what they should be, and reports readings that broke off.

package media

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
)

// sumHeader is the metadata of an object that holds the SHA-256 of what was put; sumKey is how the client spells it
// in answers.
const sumHeader, sumKey = "sha256", "Sha256"

// sums identify the content of a file.
type sums struct {
	sha256 string // in hex; "" if the file could not be read twice
	etag   string // as services form it from MD5 sums, for a file sent in parts of one size
}

// sumsOf reads a file and goes back to where it began.
func sumsOf(file io.Reader, part int64) (sums, error) {
	seeker, ok := file.(io.Seeker)
	if !ok {
		return sums{}, nil
	}
	began, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return sums{}, err
	}
	all, parts := sha256.New(), md5.New()
	var last []byte // the sum of the last part
	n := 0
	for {
		of := md5.New()
		read, err := io.CopyN(io.MultiWriter(all, of), file, part)
		if read > 0 || n == 0 {
			last = of.Sum(nil)
			parts.Write(last)
			n++
		}
		if err == io.EOF {
			break
		} else if err != nil {
			return sums{}, err
		}
	}
	if _, err := seeker.Seek(began, io.SeekStart); err != nil {
		return sums{}, err
	}
	s := sums{sha256: inHex(all), etag: hex.EncodeToString(last)}
	if n > 1 {
		s.etag = fmt.Sprintf("%s-%d", inHex(parts), n)
	}
	return s, nil
}

func inHex(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// Damaged is the error for a file that is not what was put.
type Damaged struct {
	Key, text string
}

func (d *Damaged) Error() string { return fmt.Sprintf("the file %s is damaged: %s", d.Key, d.text) }

// Code returns the code of the error.
func (d *Damaged) Code() string { return "media_damaged" }

// Verify reads all of a file before it is handed to somebody who cannot give it back, such as a platform. size is
// how many bytes it should have; 0 if nobody knows. The error is a *Damaged if the file has another size or content
// than what was put, fs.ErrNotExist if there is none, or that of reading it. The content is compared where the
// store knows its sum: in a bucket.
func Verify(ctx context.Context, s Store, key string, size int64) error {
	file, err := s.Open(ctx, key)
	if err != nil {
		return err
	}
	defer file.Close()
	all := sha256.New()
	n, err := io.Copy(all, file)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Damaged{key, "it is shorter than the store says"}
	case err != nil:
		return err
	case size > 0 && n != size:
		return &Damaged{key, fmt.Sprintf("it has %d bytes; %d are expected", n, size)}
	}
	if o, ok := file.(*object); ok && o.sum != "" && o.sum != inHex(all) {
		return &Damaged{key, "its content is not what was put"}
	}
	return nil
}

// Reported is a file that remembers why reading it broke off. Who serves a file over HTTP has sent the header by
// then, and nothing else tells that the rest is missing.
type Reported struct {
	io.ReadSeekCloser
	err error
}

// Report returns a file that remembers.
func Report(file io.ReadSeekCloser) *Reported { return &Reported{ReadSeekCloser: file} }

// Read implements io.Reader.
func (r *Reported) Read(p []byte) (int, error) {
	n, err := r.ReadSeekCloser.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// Err returns why reading broke off; nil if it did not, or because the reader left.
func (r *Reported) Err() error {
	if errors.Is(r.err, context.Canceled) || errors.Is(r.err, fs.ErrClosed) {
		return nil
	}
	return r.err
}
