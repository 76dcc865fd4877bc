package folder

import (
	"context"
	"os"
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
