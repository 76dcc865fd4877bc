// Package folder keeps a data folder for one process at a time, and lets others of the same program reach that one.
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
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Lock makes a data folder this process's own until unlock.
func Lock(dir string) (unlock func(), err error) {
	cannot := func(err error) error {
		return fmt.Errorf("the data folder cannot be used: %w: make it writable for this user, or set another data_dir", err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, cannot(err)
	}
	f, err := os.OpenFile(path(dir), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, cannot(err)
	}
	if err := flock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("the data folder %s is in use by process %s: stop that one, or set another data_dir", dir, ownerOf(dir))
	}
	if err = f.Truncate(0); err == nil { // first: nobody may take an old number for ours
		_, err = f.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	}
	if err != nil {
		f.Close()
		return nil, cannot(err)
	}
	return func() { f.Close() }, nil
}

// flock locks a file, with a moment's patience for a command that only looks whether somebody has the lock.
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

// Wake sends SIGUSR1 to the process that holds the data folder, if there is one: the database has changed.
func Wake(dir string) error {
	unlock, err := Lock(dir)
	if err == nil {
		unlock() // nobody runs: the next start sees it
		return nil
	}
	pid, err := strconv.Atoi(ownerOf(dir))
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGUSR1)
	}
	if _, starting := errors.AsType[*strconv.NumError](err); starting || errors.Is(err, syscall.ESRCH) {
		return nil // its number is not there yet, or that of the one before still is: it will see the change
	}
	return err
}

// Woken calls do whenever another process has called Wake, until ctx ends.
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

// Running returns the process that holds the data folder, 0 if there is none. It changes nothing.
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

// ID returns what tells a data folder from any other. It is made the first time.
func ID(dir string) (string, error) {
	path := filepath.Join(dir, "id")
	id, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		id = []byte(rand.Text())
		err = os.WriteFile(path, id, 0o640)
	}
	return string(id), err
}

// Ours returns an error if a data folder belongs to another user: what this one puts there that one could not use.
func Ours(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("the data folder %s belongs to user %d: run this as that one, such as with sudo -u '#%d'", dir, owner.Uid, owner.Uid)
	}
	return nil
}

// Copy copies a file, also to another disk.
func Copy(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
