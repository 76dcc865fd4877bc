// Tests of the second way to the operator: what it tells, what it never tells, and that Telegram tells when it fails.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"retake.example/internal/command"
	"retake.example/internal/store"
	"retake.example/internal/watch"
)

// TestAlarm_TellsWithoutANameAndItsFailureIsTold runs the second way on a database, with an outage whose reason has the
// name that an engine printed, beside a board that is Telegram's.
func TestAlarm_TellsWithoutANameAndItsFailureIsTold(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	heard := make(chan string, 10)
	status := 200
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(status)
		heard <- r.URL.Path + " " + string(body)
	}))
	defer hook.Close()
	hear := func(want string) {
		t.Helper()
		select {
		case got := <-heard:
			if !strings.Contains(got, want) || strings.Contains(got, "Маша") {
				t.Errorf("got %q; want %q, and no name", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("got nothing; want %q", want)
		}
	}
	cfg, err := LoadConfig("", []string{"RETAKE_WATCH_WEBHOOK=" + hook.URL + "/hook",
		"RETAKE_WATCH_PING=" + hook.URL + "/ping",
		"RETAKE_LANGUAGE=en"})
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, func(tx *store.Tx) error { return tx.BeginOutage("cannot say Маша", nil) })
	told := watch.Options{Page: cfg.Web.BaseURL, Role: command.Role(cfg), Free: func() (int64, error) { return 38e9, nil }}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	main := watch.NewProgramBoard(s, q, told, log)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	alarm := command.NewAlarm(cfg, s, q, told, main, log)
	ended := make(chan struct{})
	go func() { defer close(ended); alarm.Run(ctx, q, func() []watch.Reason { return nil }) }()
	first, second := <-heard, <-heard // in either order
	if both := first + second; !strings.Contains(both, "/ping ") ||
		!strings.Contains(both, "/hook ⚠️ Several videos in a row") || strings.Contains(both, "Маша") {
		t.Errorf("got %q; want the ping and the outage, and no name", both)
	}
	if err := main.Reported(watch.Alarm); err != nil {
		t.Errorf("got %v; want no trouble", err)
	}
	status = 403
	alarm.Report(watch.Backup, errors.New("no room"))
	hear("The backup failed:\n\nno room")
	told403 := func() bool { return main.Reported(watch.Alarm) != nil }
	if err := until(t, told403, func() string { return fmt.Sprint(main.Reported(watch.Alarm)) }); err != nil {
		t.Fatalf("got no trouble, %v; want the refusal told by Telegram", err)
	}
	if err := main.Reported(watch.Alarm); !strings.Contains(err.Error(), "watch.webhook: the answer is 403") {
		t.Errorf("got %v; want the answer", err)
	}
	stop()
	<-ended
}
