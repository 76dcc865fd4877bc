// Tests of what cannot be used and what is held back, and of the words for it.

package watch

import (
	"errors"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

func TestReasons_WhatCannotBeUsedIsSaidAtOnce(t *testing.T) {
	now := time.Now()
	for code := range sentences {
		cause, _, _ := strings.Cut(code, "_")
		got := Sentences(Reasons(State{BotOn: true, Contact: now, Faults: []Fault{{Cause: cause, Code: code, Since: now}}}, now))
		if len(got) != 1 || !strings.HasPrefix(got[0], sentences[code]) || !strings.HasSuffix(sentences[code], ".") {
			t.Errorf("%s: got %q; want its sentence at once", code, got)
		}
		m := FaultOf(cause, Fault{Cause: cause, Code: code})
		if cause == Telegram && (m.ID != "alert_"+code || len(m.Of) != 1) {
			t.Errorf("%s: got %+v; want its message", code, m)
		}
	}
	// Why Telegram is silent is said instead of that it is.
	silent := State{BotOn: true, Contact: now.Add(-time.Hour)}
	for _, c := range []struct {
		faults []Fault
		want   string
	}{
		{nil, "Telegram has not answered for 1h0m0s."},
		{[]Fault{{Telegram, "telegram_token", now.Add(-time.Hour)}},
			"Telegram refuses the token of the bot: set telegram.token " +
				"to the one that @BotFather shows. (for 1h0m0s)"},
		{[]Fault{{Telegram, "telegram_new", time.Time{}}}, "telegram cannot be used: telegram_new."},
	} {
		silent.Faults = c.faults
		if got := Sentences(Reasons(silent, now)); len(got) != 1 || got[0] != c.want {
			t.Errorf("%v: got %q; want %q", c.faults, got, c.want)
		}
	}
	silent.Faults = []Fault{{Media, "media_s3_quota", now}}
	if got := Sentences(Reasons(silent, now)); len(got) != 2 {
		t.Errorf("a full bucket, and a silent Telegram: got %q; want both", got)
	}
	if got := FaultOf(Telegram, Fault{}); len(got.Of) != 0 || got.ID != "" {
		t.Errorf("no fault: got %+v", got)
	}
}

func TestReasons_APauseOfMoreThanHalfAMinuteIsSaid(t *testing.T) {
	now := time.Now()
	pause := func(oneChat bool, method string, since, until time.Duration) Pause {
		return Pause{oneChat, method, now.Add(since), now.Add(until), "telegram_rate"}
	}
	for name, c := range map[string]struct {
		pauses []Pause
		want   []string
	}{
		"a short one":      {[]Pause{pause(false, "", -10*time.Second, 20*time.Second)}, nil},
		"one that is over": {[]Pause{pause(false, "", -time.Hour, 0)}, nil},
		"of all": {[]Pause{pause(false, "", -10*time.Second, 21*time.Second)},
			[]string{"Messages are held back for 21s more: telegram_rate."}},
		"of one chat": {[]Pause{pause(true, "", 0, time.Hour)}, []string{"Messages to one chat are held back " +
			"for 1h0m0s more: telegram_rate."}},
		"of many, the last ends": {[]Pause{pause(true, "", 0, time.Hour), pause(true, "", 0, 2*time.Hour),
			pause(true, "", 0, time.Minute)}, []string{"Messages to 3 chats are held back for 2h0m0s more: telegram_rate."}},
		"of a method": {[]Pause{pause(false, "setMyCommands", 0, 490*time.Second), pause(true, "", 0, time.Hour)},
			[]string{"Calls of setMyCommands are held back for 8m10s more: telegram_rate.",
				"Messages to one chat are held back for 1h0m0s more: telegram_rate."}},
	} {
		got := Sentences(Reasons(State{Pauses: c.pauses}, now))
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s: got %q; want %q", name, got, c.want)
		}
	}
}

func TestReasons_AClockThatWasSetBackHidesNothing(t *testing.T) {
	now := time.Now()
	line := Line{Kind: "RENDER", Workers: 2, Idle: 1, Begun: now.Add(24 * time.Hour), Next: now.Add(-time.Hour)}
	if got := Sentences(Reasons(State{Lines: []Line{line}}, now)); len(got) != 1 {
		t.Errorf("got %q; want a line that is stuck", got)
	}
	if got := Sentences(Reasons(State{Outage: now.Add(time.Hour)}, now)); len(got) != 1 || !strings.Contains(got[0], "for 0s:") {
		t.Errorf("got %q; want an outage that has just begun", got)
	}
}

func TestPulse_APanicIsAnAnswer(t *testing.T) {
	asked := 0
	p := NewProbe(time.Minute, func() error {
		if asked++; asked == 1 {
			var names []string
			return errors.New(names[asked])
		}
		return errors.New("the second")
	})
	for _, want := range []string{"panic: runtime error: index out of range", "the second"} {
		if err := p.Err(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
}

func TestTroubles_WhatOthersSaidIsOneReadableLine(t *testing.T) {
	for said, want := range map[string]string{
		"the key has expired":                      "the key has expired",
		"first\nsecond\r\n\tthird\x00\x1b[31m red": "first second third [31m red",
		"\u202egnp.exe\u2028next \xff end":         "gnp.exe next end",
		strings.Repeat("я", 1000):                  strings.Repeat("я", 300) + "…",
		strings.Repeat("я", 300):                   strings.Repeat("я", 300),
	} {
		for name, m := range map[string]Trouble{"outage": OutageOf(time.Now(), said, false, "try"),
			"backup": BackupOf(errors.New(said))} {
			if got := m.Vars["Reason"]; got != want {
				t.Errorf("%s: got %q of %q; want %q", name, got, said, want)
			}
		}
	}
}

func TestReasons_MessagesThatWereGivenUpAreCounted(t *testing.T) {
	now := time.Now()
	got := Sentences(Reasons(State{Undelivered: store.Given{N: 3, First: now.Add(-2 * time.Hour)}}, now))
	if len(got) != 1 || !strings.HasPrefix(got[0], "3 messages were given up, the first of them 2h0m0s ago: ") {
		t.Errorf("got %q; want their number and since when", got)
	}
}
