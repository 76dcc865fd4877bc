// Tests that every series is there from the start, and that a scrape never tells half a truth.

package metrics

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"retake.example/internal/watch"
)

func scrape(t *testing.T, m *Meter, look func() (State, error)) (status int, text string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler(look).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Code, w.Body.String()
}

func TestMeter_EverySeriesIsThereFromTheStart(t *testing.T) {
	_, text := scrape(t, New("1.2.3"), func() (State, error) { return State{}, nil })
	var want []string
	for _, kind := range kinds {
		for _, outcome := range outcomes {
			want = append(want, fmt.Sprintf("retake_attempts_total{kind=%q,outcome=%q} 0", kind, outcome))
		}
		want = append(
			want,
			fmt.Sprintf("retake_workers{kind=%q} 0", kind),
			fmt.Sprintf("retake_jobs{kind=%q,state=\"later\"} 0", kind),
		)
	}
	for _, method := range methods {
		for _, result := range results {
			want = append(want, fmt.Sprintf("retake_telegram_calls_total{method=%q,result=%q} 0", method, result))
		}
	}
	for _, cause := range causes {
		want = append(want, fmt.Sprintf("retake_trouble{cause=%q} 0", cause))
	}
	for _, reason := range watch.ReasonCodes {
		want = append(want, fmt.Sprintf("retake_ready{reason=%q} 1", reason))
	}
	want = append(want, "retake_bot_on 0", "retake_outage 0", "retake_telegram_contact_timestamp_seconds 0", `version="1.2.3"`)
	for _, line := range want {
		if !strings.Contains(text, line) {
			t.Errorf("want %q; it is missing", line)
		}
	}
}

func TestMeter_TellsWhatItWasTold(t *testing.T) {
	m := New("")
	look := func() (State, error) {
		return State{BotOn: true, Stuck: map[string]bool{"stuck": true}, Troubles: map[string]bool{"telegram": true, "disk": false}, Contact: time.UnixMilli(1500), Wishes: 7,
			Loads: []Load{{Kind: "RENDER", Workers: 3, Idle: 1}}}, nil
	}
	m.Ended("RENDER", "done")
	m.Called("sendVideo", "webhook")
	m.Received(5)
	m.Rendered(3 * time.Second)
	_, text := scrape(t, m, look)
	for _, line := range []string{`retake_trouble{cause="telegram"} 1`, `retake_trouble{cause="disk"} 0`,
		`retake_outage 0`, "retake_bot_on 1", `retake_ready{reason="stuck"} 0`, `retake_ready{reason="disk"} 1`,
		"retake_telegram_contact_timestamp_seconds 1.5", "# TYPE retake_requests_total counter", "retake_requests_total 7",
		`retake_workers_busy{kind="RENDER"} 2`, `retake_attempts_total{kind="RENDER",outcome="done"} 1`,
		`retake_telegram_calls_total{method="sendVideo",result="webhook"} 1`, "retake_telegram_updates_total 5",
		"retake_render_seconds_count 1", "retake_render_seconds_sum 3"} {
		if !strings.Contains(text, line) {
			t.Errorf("want %q; it is missing", line)
		}
	}
}

func TestMeter_WhatCannotBeLookedUpIsNoZero(t *testing.T) {
	status, text := scrape(t, New(""), func() (State, error) { return State{}, errors.New("the database is closed") })
	if status != 500 || !strings.Contains(text, "the database is closed") || strings.Contains(text, "retake_jobs") {
		t.Errorf("got %d %q; want 500 with the reason", status, text)
	}
}
