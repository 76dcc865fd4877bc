// inspect.go looks at a video that somebody sent, before anybody is told that it is one.

package video

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ErrUnplayable says that a file is no video, or that it is damaged.
var ErrUnplayable = errors.New("the file does not play")

const (
	maxInspections = 2               // at a time; others wait
	inspectTimeout = 2 * time.Minute // a file that takes longer is meant to
	shortestEdge   = 16              // pixels
	longestEdge    = 16384
)

// Inspect probes the MP4, QuickTime, Matroska or WebM file at path, decodes it at both ends and draws a still. The file
// stays where and as it is; Discard removes the still. The error of a file that is at fault is ErrUnplayable.
func (m *Maker) Inspect(ctx context.Context, path string) (Video, error) {
	t, err := m.ready(ctx)
	if err != nil {
		return Video{}, err
	}
	select {
	case m.inspecting <- struct{}{}:
		defer func() { <-m.inspecting }()
	case <-ctx.Done():
		return Video{}, context.Cause(ctx)
	}
	if err := m.Room(0); err != nil {
		return Video{}, err
	}
	folder, err := newFolder(m.cfg.Work, jobPrefix)
	if err != nil {
		return Video{}, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, inspectTimeout, fmt.Errorf("took longer than %v", inspectTimeout))
	defer cancel()
	v, err := t.inspect(limited, folder, path)
	if err == nil {
		return v, nil
	}
	if t.blamesFile(ctx, err) {
		err = fmt.Errorf("%w: %w", ErrUnplayable, err)
	}
	return Video{}, errors.Join(err, os.RemoveAll(folder))
}

func (t *tools) inspect(ctx context.Context, folder, path string) (Video, error) {
	f, err := t.probe(ctx, path, uploaded)
	if err != nil {
		return Video{}, fmt.Errorf("probe: %w", err)
	}
	if min(f.width, f.height) < shortestEdge || max(f.width, f.height) > longestEdge {
		return Video{}, fmt.Errorf("%w: %d×%d pixels", errNoVideo, f.width, f.height)
	}
	if err := t.decodeEnds(ctx, uploaded, path); err != nil {
		return Video{}, fmt.Errorf("decode: %w", err)
	}
	thumb := filepath.Join(folder, "thumb.jpg")
	if err := t.drawStill(ctx, uploaded, path, f.duration*2/5, thumb, "-noaccurate_seek"); err != nil {
		return Video{}, fmt.Errorf("still: %w", err)
	}
	return finished(folder, path, thumb, f)
}
