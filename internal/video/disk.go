// disk.go keeps room on the disk, whatever an engine does, and refuses what is too large.

package video

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"syscall"
	"time"

	"retake.example/internal/routine"
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

// Room returns an error if the disk of the jobs has not so many bytes beyond the reserve and what running jobs will
// still write: ErrDiskFull, unless the disk cannot be looked at.
func (m *Maker) Room(need int64) error { return m.room(need + m.taken.Load()) }

// room is Room without regard to running jobs.
func (m *Maker) room(need int64) error {
	free, err := m.free(m.cfg.Work)
	if err != nil {
		return fmt.Errorf("look for room on the disk: %w", err)
	}
	if need += Reserve; free < need {
		return coded{fmt.Errorf("%w: %d MB are free in %s, %d MB are needed: remove what can be spared",
			ErrDiskFull, free>>20, m.cfg.Work, need>>20), CodeDiskFull}
	}
	return nil
}

// fullPause is how long a video waits for room before it is tried again.
const fullPause = 30 * time.Second

// patient makes the lack of room for an order one that waits. When that order has waited for as long as the patience
// lasts, it becomes a failure, because somebody must be told. Other orders, which may need less, change nothing about
// it.
func (m *Maker) patient(asset string, err error) error {
	m.watching.Lock()
	defer m.watching.Unlock()
	if !errors.Is(err, ErrDiskFull) {
		delete(m.full, asset)
		return err
	}
	now := time.Now()
	maps.DeleteFunc(m.full, func(_ string, since time.Time) bool { return now.Sub(since) > 2*m.cfg.Patience })
	since, waiting := m.full[asset]
	if !waiting {
		since = now
		m.full[asset] = now
	}
	if now.Sub(since) < m.cfg.Patience {
		return waits{coded{err, CodeDiskFull}, fullPause}
	}
	return err
}

// reserve takes room for a job, which others then do not count on, until release.
func (m *Maker) reserve(need int64) (release func(), err error) {
	m.taking.Lock()
	defer m.taking.Unlock()
	if err := m.Room(need); err != nil {
		return nil, err
	}
	m.taken.Add(need)
	return func() { m.taken.Add(-need) }, nil
}

// watchDisk returns a context that ends when the reserve is touched, with an error that says so. The caller calls
// stop. An engine that writes hundreds of megabytes between two looks gets further than the reserve; its folder goes
// as soon as it is dead.
func (m *Maker) watchDisk(ctx context.Context) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	ended := routine.Go(func() error {
		tick := time.NewTicker(diskInterval)
		defer tick.Stop()
		for {
			select {
			case <-watched.Done():
				return nil
			case <-tick.C:
				if err := m.room(0); err != nil {
					cancel(fmt.Errorf("the engine filled the disk: %w", err))
					return nil
				}
			}
		}
	})
	return watched, func() {
		cancel(nil)
		<-ended
	}
}

// fits returns an error if a file is larger than a video may be. The next one may be smaller: the error is not
// permanent.
func (m *Maker) fits(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return nil // that there is no file is found out later
	}
	return m.mayHave(info.Size())
}

// mayHave is fits for a size in bytes.
func (m *Maker) mayHave(size int64) error {
	if m.cfg.MaxBytes == 0 || size <= m.cfg.MaxBytes {
		return nil
	}
	return coded{fmt.Errorf("the video has %.1f MB; it may have %.1f MB", float64(size)/1e6,
		float64(m.cfg.MaxBytes)/1e6), CodeTooLarge}
}
