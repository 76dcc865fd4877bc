// Package folder keeps a data folder for one process at a time, and lets other processes of the program reach that
// one.
package folder

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Private makes every file that this process and its children create from now on readable by this user only. Names of
// children are in them.
func Private() { syscall.Umask(0o077) }

// Lock makes a data folder this process's own until unlock is called.
func Lock(dir string) (unlock func(), err error) {
	cannot := func(err error) error {
		return fmt.Errorf("the data folder cannot be used: %w: make it writable for this user, or set another data_dir", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, cannot(err)
	}
	f, err := os.OpenFile(path(dir), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, cannot(err)
	}
	if err := flock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("the data folder %s is in use by process %s: stop that one, or set another data_dir", dir,
			ownerOf(dir))
	}
	// What is left of an earlier, longer number must not follow ours.
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	}
	if err != nil {
		f.Close()
		return nil, cannot(err)
	}
	return func() { f.Close() }, nil
}

// flock locks a file. It waits a moment for a command that only checks whether the lock is held.
func flock(f *os.File) (err error) {
	for range 10 {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func path(dir string) string { return filepath.Join(dir, "lock") }

func ownerOf(dir string) string {
	pid, _ := os.ReadFile(path(dir))
	return strings.TrimSpace(string(pid))
}

// ErrElsewhere is the error of Wake for a data folder that a process holds which cannot be reached from here.
var ErrElsewhere = errors.New("the change is made, but the program that uses the data folder runs on another " +
	"machine or in another container: it takes notice when it is restarted there")

// Wake sends SIGUSR1 to the process that holds the data folder, if there is one: the database has changed.
func Wake(dir string) error {
	for range 2 { // the first may meet the number of an earlier process in the moment before it is replaced
		unlock, err := Lock(dir)
		if err == nil {
			unlock() // nobody runs: the next start sees the change
			return nil
		}
		pid, err := strconv.Atoi(ownerOf(dir))
		if err != nil {
			return nil // it is starting, and will see the change
		}
		switch err := wakeHolder(pid, path(dir)); {
		case errors.Is(err, syscall.ESRCH):
			return nil // the number of an earlier one: this one is starting, too
		case !errors.Is(err, errNotTheHolder):
			return err
		}
	}
	return ErrElsewhere
}

var errNotTheHolder = errors.New("that process does not hold the folder")

// wakeHolder sends SIGUSR1 to a process, but only if it holds the lock. The number may belong to another process: the
// holder's is that of its own machine or container, and SIGUSR1 ends a program that does not expect it. The kernel's
// list of locks answers everybody; the open files of a service that systemd keeps apart can be seen by root only.
func wakeHolder(pid int, lock string) error {
	if pid <= 0 {
		return errNotTheHolder // kill would take it for a group
	}
	if err := syscall.Kill(pid, 0); err != nil {
		return err
	}
	if _, err := os.Stat("/proc/self"); err == nil { // elsewhere than on Linux the number has to do
		var held syscall.Stat_t
		if err := syscall.Stat(lock, &held); err != nil {
			return err
		}
		locks, err := os.ReadFile("/proc/locks")
		if err != nil {
			return err
		}
		// 3: FLOCK  ADVISORY  WRITE 220 08:01:131091 0 EOF
		ours := regexp.MustCompile(fmt.Sprintf(`(?m)^\d+: FLOCK +\S+ +\S+ +%d \S+:%d `, pid, held.Ino))
		if !ours.Match(locks) {
			return errNotTheHolder
		}
	}
	return syscall.Kill(pid, syscall.SIGUSR1)
}

// Woken calls do each time another process calls Wake, until ctx ends.
func Woken(ctx context.Context, do func()) {
	woken := make(chan os.Signal, 1)
	signal.Notify(woken, syscall.SIGUSR1)
	defer signal.Stop(woken)
	for {
		select {
		case <-ctx.Done():
			return
		case <-woken:
			do()
		}
	}
}

// Running returns the id of the process that holds the data folder, and 0 if there is none. It changes nothing.
func Running(dir string) int {
	f, err := os.Open(path(dir))
	if err != nil {
		return 0
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err == nil {
		return 0
	}
	pid, _ := strconv.Atoi(ownerOf(dir))
	return pid
}

// ID returns what tells a data folder from any other. It is made the first time, and again if a power cut left it
// empty.
func ID(dir string) (string, error) {
	name := filepath.Join(dir, "id")
	known, err := os.ReadFile(name)
	if id := strings.TrimSpace(string(known)); id != "" || err != nil && !errors.Is(err, os.ErrNotExist) {
		return id, err
	}
	id := rand.Text()
	if err := write(dir, name, id); err != nil {
		return "", err
	}
	return id, nil
}

// write writes a file that is whole, or not there, whenever the power fails.
func write(dir, name, text string) error {
	temp, err := os.CreateTemp(dir, filepath.Base(name)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(text)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), name); err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Ours returns an error if a data folder belongs to another user, who could not use the files of this one.
func Ours(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("the data folder %s belongs to user %d: run this as that one, such as with sudo -u '#%d'", dir,
			owner.Uid, owner.Uid)
	}
	return nil
}

// Copy copies a file, also to another disk. A new file is readable by this user only.
func Copy(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
