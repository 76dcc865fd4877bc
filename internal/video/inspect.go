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

// ErrUnplayable says that a file is no video, that it is damaged, or that it is of a kind that is not taken.
var ErrUnplayable = errors.New("the file does not play")

const (
	maxInspections = 2 // at a time; others wait
	inspectTimeout = 5 * time.Minute
	shortestEdge   = 16 // pixels
	longestEdge    = 16384
)

// Inspect probes the MP4, QuickTime, Matroska or WebM file at path, decodes it and draws a still. The file stays where
// and as it is; Discard removes the still. The error of a file that is at fault is ErrUnplayable; one of a machine
// that is too busy, or of an ffmpeg that cannot run, is not.
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
	timeout := coded{fmt.Errorf("took longer than %v", inspectTimeout), CodeTimeout}
	limited, cancel := context.WithTimeoutCause(ctx, inspectTimeout, timeout)
	defer cancel()
	v, err := t.inspect(limited, folder, path)
	if err == nil {
		return v, nil
	}
	if t.blamesFile(ctx, err) {
		err = fmt.Errorf("%w: %w", ErrUnplayable, coded{err, CodeUnplayable})
	}
	return Video{}, errors.Join(err, os.RemoveAll(folder))
}

func (t *tools) inspect(ctx context.Context, folder, path string) (Video, error) {
	f, err := t.examine(ctx, path, uploaded)
	if err != nil {
		return Video{}, err
	}
	thumb := filepath.Join(folder, "thumb.jpg")
	at := f.start + f.duration*2/5
	if err := t.drawStillOf(ctx, uploaded, path, f, fmt.Sprintf("0:%d", f.video), at, thumb,
		"-noaccurate_seek"); err != nil {
		return Video{}, fmt.Errorf("still: %w", refusedKind(err))
	}
	return finished(folder, path, thumb, f)
}

// examine is the check of every film, wherever it comes from: an upload, a template, an engine whose work
// is not provably plain. Its tracks are read, its pictures have a size, and they and the sound are decoded.
func (t *tools) examine(ctx context.Context, path string, options []string) (facts, error) {
	f, err := t.probe(ctx, path, options)
	if err != nil {
		return f, fmt.Errorf("probe: %w", err)
	}
	if min(f.width, f.height) < shortestEdge || max(f.width, f.height) > longestEdge {
		return f, fmt.Errorf("%w: %d×%d pixels", errNoVideo, f.width, f.height)
	}
	return f, t.decode(ctx, options, path, f)
}
