// Tests of a small disk that fills up while people ask.

package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk holds, in a child, the folder of a disk of 96 MB.
const smallDisk = "SMALL_DISK"

// TestAFullDisk runs itself again where a small disk can be mounted: in a namespace of its own, which needs no root.
func TestAFullDisk(t *testing.T) {
	dir := os.Getenv(smallDisk)
	if dir == "" {
		t.Parallel()
		dir = t.TempDir()
		cmd := exec.Command(
			"unshare",
			"-rm",
			"sh",
			"-c",
			`mount -t tmpfs -o size=96m none "$1" && exec "$0" -test.run '^TestAFullDisk$' -test.v`,
			os.Args[0],
			dir,
		)
		cmd.Env = append(os.Environ(), smallDisk+"="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestAFullDisk") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	w := newWorldIn(t, dir, newYear)
	first, second, third := w.tg.Person(1, "П", "ru"), w.tg.Person(2, "П", "ru"), w.tg.Person(3, "П", "ru")
	w.asks(first, "Маша")
	w.getsVideos(first, 1)

	// To the last byte: what Telegram has stays with Telegram.
	w.fill(0)
	second.Send("Оля")
	w.until("the refusal", func() bool { return strings.Contains(w.log.String(), "store updates") })
	if n := w.tg.Pending(); n != 1 {
		t.Errorf("got %d updates at Telegram; want the one that could not be stored", n)
	}
	w.free()
	w.until("the question", func() bool { return len(answers(second)) > 0 })
	press(second, answers(second)[0], 0)
	w.getsVideos(second, 1)

	// Nearly: what is asked is stored, and waits for room.
	w.fill(32 << 20)
	w.asks(third, "Вера")
	w.until("an attempt", func() bool { return strings.Contains(w.log.String(), "code=DISK_FULL") })
	w.free()
	mutate(t, w.store, `UPDATE jobs SET due = 0 WHERE due < 9e15`)
	w.queue.Wake()
	w.getsVideos(third, 1)
	w.calm()
	isPeace(t, w.store)
	if n := count(t, w.store, `SELECT count(*) FROM attempts WHERE outcome IN ('rescheduled', 'gave_up')`); n != 0 {
		t.Errorf("got %d failed attempts; want none: no video is to blame", n)
	}
}

// fill fills the disk but for so many bytes.
func (w *world) fill(but int) {
	w.Helper()
	f, err := os.Create(filepath.Join(w.dir, "ballast"))
	if err != nil {
		w.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		w.Fatal(err)
	}
	size, _ := f.Seek(0, io.SeekEnd)
	if err := f.Truncate(size - int64(but)); err != nil {
		w.Fatal(err)
	}
}

func (w *world) free() {
	w.Helper()
	if err := os.Remove(filepath.Join(w.dir, "ballast")); err != nil {
		w.Fatal(err)
	}
}
