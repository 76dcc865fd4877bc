// Package service tells systemd that the program is ready, alive, reading its settings, or stopping.
package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// ErrReload is why a context ends when the program goes on with other settings.
var ErrReload = errors.New("the settings are read again")

// Reloading tells the service manager that the program reads its settings. Attend or Reloaded says when that is over.
func Reloading() error { return tell(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec()) }

// Reloaded tells the service manager that the program goes on as it was.
func Reloaded() error { return tell(daemon.SdNotifyReady) }

// HasTerminal reports whether the program was started from a terminal that has not been closed since. The end of that
// is a hangup.
func HasTerminal() bool {
	f, err := os.Open("/dev/tty")
	if err == nil {
		f.Close()
	}
	return err == nil
}

// Attend tells the service manager that the program is ready once ready returns nil, and that it stops when ctx
// ends, unless the cause is ErrReload; then it returns. Meanwhile it resets the manager's watchdog, if there is one, each time only after alive
// has returned. alive waits as long as it takes, so a program that hangs is restarted; an error of alive is an
// answer. Without a service manager Attend does nothing.
func Attend(ctx context.Context, ready, alive func(context.Context) error) error {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	patience, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("the watchdog: %w", err)
	}
	if err := ready(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if err := tell(daemon.SdNotifyReady); err != nil {
		return err
	}
	var due <-chan time.Time // nil: there is no watchdog
	if patience > 0 {
		ticker := time.NewTicker(patience / 3)
		defer ticker.Stop()
		due = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), ErrReload) {
				return nil
			}
			return tell(daemon.SdNotifyStopping)
		case <-due:
			_ = alive(ctx)
			if ctx.Err() != nil {
				continue
			}
			if err := tell(daemon.SdNotifyWatchdog); err != nil {
				return err
			}
		}
	}
}

func tell(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}
