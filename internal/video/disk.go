// disk.go keeps room on the disk, whatever an engine does, and refuses what is too large.

package video

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Reserve is what stays free for the database and the log whatever an engine does, in bytes.
const Reserve = 64 << 20

// diskInterval is how often the disk is looked at while an engine runs.
const diskInterval = 200 * time.Millisecond

// freeBytes returns how much may still be written to the disk of a folder.
func freeBytes(folder string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: folder, Err: err}
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// Free returns how many bytes may still be written to the disk of the jobs.
func (m *Maker) Free() (int64, error) { return m.free(m.cfg.Work) }

// ErrDiskFull says that the reserve would be touched.
var ErrDiskFull = errors.New("the disk is nearly full")

// Room returns an error if the disk of the jobs has not so many bytes beyond the reserve: ErrDiskFull, unless the disk
// cannot be looked at.
func (m *Maker) Room(need int64) error {
	free, err := m.free(m.cfg.Work)
	if err != nil {
		return fmt.Errorf("look for room on the disk: %w", err)
	}
	if need += Reserve; free < need {
		return fmt.Errorf("%w: %d MB are free in %s, %d MB are needed: remove what can be spared",
			ErrDiskFull, free>>20, m.cfg.Work, need>>20)
	}
	return nil
}

// fullPause is how long a video waits for room before it is tried again.
const fullPause = 30 * time.Second

// waitsForRoom is a lack of room that was seen before anything was made: it spends no attempt.
type waitsForRoom struct{ error }

func (waitsForRoom) RetryAfter() (time.Duration, bool) { return fullPause, true }
func (w waitsForRoom) Unwrap() error                   { return w.error }

// patient makes a lack of room one that waits, unless the disk has been full for longer than the patience lasts: then
// somebody must be told.
func (m *Maker) patient(err error) error {
	m.watching.Lock()
	defer m.watching.Unlock()
	switch {
	case !errors.Is(err, ErrDiskFull):
		m.full = time.Time{}
		return err
	case m.full.IsZero():
		m.full = time.Now()
	}
	if time.Since(m.full) < m.cfg.Patience {
		return waitsForRoom{err}
	}
	return err
}

// watchDisk returns a context that ends when the reserve is touched, with an error that says so. Whoever calls it calls
// stop. An engine that writes hundreds of megabytes between two looks gets further than the reserve; its folder goes as
// soon as it is dead.
func (m *Maker) watchDisk(ctx context.Context) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(diskInterval)
		defer tick.Stop()
		for {
			select {
			case <-watched.Done():
				return
			case <-tick.C:
				if err := m.Room(0); err != nil {
					cancel(fmt.Errorf("the engine filled the disk: %w", err))
					return
				}
			}
		}
	}()
	return watched, func() {
		cancel(nil)
		<-ended
	}
}

// fits returns an error if a file is larger than a video may be. The next one may be smaller: the error is not permanent.
func (m *Maker) fits(path string) error {
	info, err := os.Lstat(path)
	if err != nil || m.cfg.MaxBytes == 0 || info.Size() <= m.cfg.MaxBytes {
		return nil // that there is no file is found out later
	}
	return fmt.Errorf("the video has %.1f MB; it may have %.1f MB", float64(info.Size())/1e6, float64(m.cfg.MaxBytes)/1e6)
}
