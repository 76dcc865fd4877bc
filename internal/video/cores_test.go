// cores_test.go has more workers than cores.

package video

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestCores_AnEngineIsNotWaitedForWithACore takes the only core: the engine works, what it made is not looked at.
func TestCores_AnEngineIsNotWaitedForWithACore(t *testing.T) {
	begun := filepath.Join(t.TempDir(), "begun")
	film := clipWithSound(t)
	m := newMaker(t, func(c *Config) {
		c.Engine, c.Workers, c.Cores = EngineCommand, 2, 1
		c.Command = []string{"sh", "-c", `cp "` + film + `" "$RETAKE_OUTPUT" && : >"` + begun + `"`}
	})
	done, err := m.core(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	why := errors.New("stopped by the test")
	go func() {
		for tick := time.NewTicker(time.Millisecond); ; <-tick.C {
			if _, err := os.Stat(begun); err == nil || ctx.Err() != nil {
				stop(why)
				return
			}
		}
	}()
	if _, err := m.Make(ctx, anna, nil); !errors.Is(err, why) {
		t.Errorf("without a core: got %v; want that it waits until the end", err)
	}
	done()
	v, err := m.Make(t.Context(), anna, nil)
	if err != nil {
		t.Fatalf("with a core: got %v; want a video", err)
	}
	if err := v.Discard(); err != nil {
		t.Error(err)
	}
}
