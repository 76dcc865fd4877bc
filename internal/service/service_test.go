package service

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// manager hears what the program tells, as systemd does.
type manager struct {
	*testing.T
	conn *net.UnixConn
}

func newManager(t *testing.T, watchdog time.Duration) *manager {
	t.Helper()
	dir, err := os.MkdirTemp("", "n") // the address of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	t.Setenv("WATCHDOG_USEC", strconv.FormatInt(watchdog.Microseconds(), 10))
	return &manager{t, conn}
}

// hears returns the next message, or "" when none comes in a time.
func (m *manager) hears(within time.Duration) string {
	m.Helper()
	m.conn.SetReadDeadline(time.Now().Add(within))
	b := make([]byte, 100)
	n, err := m.conn.Read(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		m.Fatal(err)
	}
	return string(b[:n])
}

func well(context.Context) error { return nil }

// attend runs Attend until the test ends it. ended waits for that.
func (m *manager) attend(ready, alive func(context.Context) error) (end context.CancelFunc, ended func() error) {
	ctx, end := context.WithCancel(m.Context())
	done := make(chan error, 1)
	go func() { done <- Attend(ctx, ready, alive) }()
	return end, func() error { return <-done }
}

const soon = 10 * time.Second

func TestTheManagerIsToldOfTheStartTheLifeAndTheEnd(t *testing.T) {
	m := newManager(t, 60*time.Millisecond)
	began := make(chan struct{})
	end, ended := m.attend(func(context.Context) error { <-began; return nil }, well)
	if got := m.hears(100 * time.Millisecond); got != "" {
		t.Errorf("before the program was ready: got %q; want silence", got)
	}
	close(began)
	for _, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := m.hears(soon); got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
	end()
	got := m.hears(soon)
	for got == "WATCHDOG=1" { // it was on its way
		got = m.hears(soon)
	}
	if got != "STOPPING=1" {
		t.Errorf("got %q; want STOPPING=1", got)
	}
	if err := ended(); err != nil {
		t.Error(err)
	}
}

func TestWhatHangsStopsTheFood(t *testing.T) {
	m := newManager(t, 60*time.Millisecond)
	asked, answer := make(chan struct{}), make(chan error)
	end, ended := m.attend(well, func(ctx context.Context) error {
		asked <- struct{}{}
		select {
		case err := <-answer:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if got := m.hears(soon); got != "READY=1" {
		t.Fatalf("got %q; want READY=1", got)
	}
	<-asked
	if got := m.hears(600 * time.Millisecond); got != "" {
		t.Errorf("ten patiences without an answer: got %q; want silence", got)
	}
	answer <- errors.New("the disk is full") // an error is an answer, too
	if got := m.hears(soon); got != "WATCHDOG=1" {
		t.Errorf("after the answer: got %q; want WATCHDOG=1", got)
	}
	<-asked
	end()
	if got := m.hears(soon); got != "STOPPING=1" {
		t.Errorf("stopped while nothing answers: got %q; want STOPPING=1", got)
	}
	if err := ended(); err != nil {
		t.Error(err)
	}
}

func TestAManagerWithoutAWatchdogIsToldTheRest(t *testing.T) {
	m := newManager(t, 0)
	os.Unsetenv("WATCHDOG_USEC")
	end, ended := m.attend(well, func(context.Context) error { t.Error("somebody was asked"); return nil })
	if got := m.hears(soon); got != "READY=1" {
		t.Errorf("got %q; want READY=1", got)
	}
	end()
	if got := m.hears(soon); got != "STOPPING=1" {
		t.Errorf("got %q; want STOPPING=1", got)
	}
	if err := ended(); err != nil {
		t.Error(err)
	}
}

func TestWithoutAManagerNothingHappens(t *testing.T) {
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		t.Setenv(name, "") // and back again afterwards
		os.Unsetenv(name)
	}
	nobody := func(context.Context) error { t.Error("somebody was asked"); return nil }
	if err := Attend(t.Context(), nobody, nobody); err != nil {
		t.Error(err)
	}
}

func TestAProgramThatDoesNotGetReadySaysWhy(t *testing.T) {
	m := newManager(t, time.Minute)
	if err := Attend(t.Context(), func(context.Context) error { return os.ErrPermission }, well); !errors.Is(err, os.ErrPermission) {
		t.Errorf("got %v; want the reason", err)
	}
	if got := m.hears(100 * time.Millisecond); got != "" {
		t.Errorf("got %q; want silence", got)
	}
}
