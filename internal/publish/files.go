// The files of a video, opened when a platform first reads them.

package publish

import (
	"context"
	"fmt"
	"io"

	"retake.example/internal/media"
)

// lazy is a file that is opened when it is first read: a platform that has all of a video needs none of it any more.
type lazy struct {
	ctx   context.Context
	files media.Store
	key   string
	file  io.ReadSeekCloser
}

func (l *lazy) open() (err error) {
	if l.file == nil {
		if l.file, err = l.files.Open(l.ctx, l.key); err != nil {
			l.file, err = nil, fmt.Errorf("open a file of the video: %w", err)
		}
	}
	return err
}

func (l *lazy) Read(p []byte) (int, error) {
	if err := l.open(); err != nil {
		return 0, err
	}
	return l.file.Read(p)
}

func (l *lazy) Seek(offset int64, whence int) (int64, error) {
	if err := l.open(); err != nil {
		return 0, err
	}
	return l.file.Seek(offset, whence)
}

func (l *lazy) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// opened returns a file of a video that is opened when it is first read.
func (s *Sites) opened(ctx context.Context, key string) *lazy {
	return &lazy{ctx: ctx, files: s.files, key: key}
}
