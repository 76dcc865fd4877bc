package folder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestWhoHoldsTheFolderIsWoken(t *testing.T) {
	dir := t.TempDir()
	if err := Wake(dir); err != nil {
		t.Errorf("nobody holds it: got %v", err)
	}
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	woken, ended := make(chan bool), make(chan bool)
	go func() {
		Woken(ctx, func() {
			select {
			case woken <- true:
			case <-ctx.Done():
			}
		})
		close(ended)
	}()
	soon := time.After(30 * time.Second)
	for heard := false; !heard; { // the first may come before anybody listens
		if err := Wake(dir); err != nil {
			t.Fatal(err)
		}
		select {
		case heard = <-woken:
		case <-time.After(10 * time.Millisecond):
		case <-soon:
			t.Fatal("nobody was woken")
		}
	}
	cancel()
	<-ended
}

// TestOneThatIsJustStartingNeedsNoCall: it holds the folder, and has not written its number yet.
func TestOneThatIsJustStartingNeedsNoCall(t *testing.T) {
	for name, text := range map[string]string{"no number": "", "that of one who is gone": "2147483646\n"} {
		dir := t.TempDir()
		unlock, err := Lock(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		if err := os.WriteFile(path(dir), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		if err := Wake(dir); err != nil {
			t.Errorf("%s: got %v; want nothing", name, err)
		}
	}
}

// TestLock_WritesItsNumberOverALongerOne covers a number of an earlier process with more digits.
func TestLock_WritesItsNumberOverALongerOne(t *testing.T) {
	for _, old := range []string{"4194304\n", "99999999999999999999\n", "12", "12345\nmore\nlines", ""} {
		dir := t.TempDir()
		if err := os.WriteFile(path(dir), []byte(old), 0o600); err != nil {
			t.Fatal(err)
		}
		unlock, err := Lock(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := Running(dir); got != os.Getpid() {
			t.Errorf("over %q: got process %d; want %d", old, got, os.Getpid())
		}
		if text, err := os.ReadFile(path(dir)); err != nil || string(text) != strconv.Itoa(os.Getpid())+"\n" {
			t.Errorf("over %q: got %q, %v; want the number of this process alone", old, text, err)
		}
		if _, err := Lock(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d:", os.Getpid())) {
			t.Errorf("over %q: a second lock: got %v; want a refusal with the number", old, err)
		}
		unlock()
		if got := Running(dir); got != 0 {
			t.Errorf("after unlock: got process %d; want none", got)
		}
	}
}

// TestWake_AForeignNumberGetsNoSignal: the folder is held from another container, where the same number is another
// process.
func TestWake_AForeignNumberGetsNoSignal(t *testing.T) {
	stranger := exec.Command("sleep", "60") // SIGUSR1 ends it
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer stranger.Wait()
	defer stranger.Process.Kill()
	for _, number := range []int{stranger.Process.Pid, -stranger.Process.Pid} {
		dir := t.TempDir()
		unlock, err := Lock(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path(dir), []byte(strconv.Itoa(number)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Wake(dir); !errors.Is(err, ErrElsewhere) {
			t.Errorf("number %d: got %v; want ErrElsewhere", number, err)
		}
		unlock()
	}
	var status syscall.WaitStatus
	if pid, err := syscall.Wait4(stranger.Process.Pid, &status, syscall.WNOHANG, nil); pid != 0 || err != nil {
		t.Errorf("the stranger has ended: %v, %v", status.Signal(), err)
	}
}

func TestID_IsKeptAndAnEmptyOneIsNot(t *testing.T) {
	dir := t.TempDir()
	id, err := ID(dir)
	if err != nil || len(id) < 20 {
		t.Fatalf("got %q, %v; want an id", id, err)
	}
	if again, err := ID(dir); again != id || err != nil {
		t.Errorf("got %q, %v; want %q", again, err, id)
	}
	for _, broken := range []string{"", "\n"} {
		if err := os.WriteFile(filepath.Join(dir, "id"), []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		fresh, err := ID(dir)
		if err != nil || len(fresh) < 20 || fresh == id {
			t.Errorf("after %q: got %q, %v; want a new one", broken, fresh, err)
		}
		if again, err := ID(dir); again != fresh || err != nil {
			t.Errorf("after %q: got %q, then %q", broken, fresh, again)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v; want nothing else in the folder", entries, err)
	}
}

// TestFiles_NobodyElseReadsThem has a umask that allows everything.
func TestFiles_NobodyElseReadsThem(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "data")
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err := ID(dir); err != nil {
		t.Fatal(err)
	}
	if err := Copy(filepath.Join(dir, "id"), filepath.Join(dir, "copy")); err != nil {
		t.Fatal(err)
	}
	Private()
	if f, err := os.Create(filepath.Join(dir, "anything")); err != nil {
		t.Fatal(err)
	} else {
		f.Close()
	}
	for _, name := range []string{"", "lock", "id", "copy", "anything"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%q: got %v, %v; want it for its owner only", name, info.Mode(), err)
		}
	}
}
