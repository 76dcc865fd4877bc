package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/db/dbtest"
	"retake.example/internal/media"
	"retake.example/internal/store"
)

func TestWhetherWorkFlows(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	well := State{
		BotOn:   true,
		Contact: ago(time.Minute),
		Lines:   []Line{{Kind: "RENDER", Workers: 2, Idle: 2, Begun: ago(time.Hour), Longest: 10 * time.Minute}},
	}
	line := func(l Line) State {
		s := well
		l.Kind, l.Workers, l.Longest = "RENDER", 2, 10*time.Minute
		s.Lines = []Line{l}
		return s
	}
	with := func(change func(s *State)) State {
		s := well
		change(&s)
		return s
	}
	for name, test := range map[string]struct {
		state State
		want  string // in the only reason; "": there is none
	}{
		"nothing to do":  {well, ""},
		"just asked for": {line(Line{Idle: 2, Begun: ago(time.Hour), Next: ago(time.Second)}), ""},
		"waits, and nobody does it": {line(Line{Idle: 1, Begun: ago(time.Hour), Next: ago(2 * time.Minute)}),
			"RENDER jobs have waited for 2m0s, and 1 of 2 workers are idle"},
		"begins, though the clock jumped": {line(Line{Idle: 1, Begun: ago(time.Second), Next: ago(time.Hour)}), ""},
		"a long queue that moves":         {line(Line{Begun: ago(5 * time.Minute), Next: ago(3 * time.Hour)}), ""},
		"a queue that does not": {line(Line{Begun: ago(12 * time.Minute), Next: ago(3 * time.Hour)}),
			"none of the 2 workers has ended in 12m0s"},
		"all busy, and somebody new": {line(Line{Begun: ago(12 * time.Minute), Next: ago(time.Minute)}), ""},
		"held on purpose":            {line(Line{Idle: 2, Begun: ago(time.Hour), Next: ago(time.Hour), Held: true}), ""},
		"an upload of an hour": {with(func(s *State) {
			s.Lines = []Line{{Kind: "PUBLISH", Workers: 2, Begun: ago(time.Hour), Next: ago(time.Hour)}}
		}), ""},
		"an outage": {with(func(s *State) { s.Outage = ago(90 * time.Second) }), "for 1m30s: an outage"},
		"Telegram is silent": {with(func(s *State) { s.Contact = ago(4 * time.Minute) }),
			"Telegram has not answered for 4m0s"},
		"the bot is off":   {with(func(s *State) { s.BotOn, s.Contact = false, time.Time{} }), ""},
		"the disk is full": {with(func(s *State) { s.Room = errors.New("1 MB is free") }), "No room: 1 MB is free"},
		"the writer hangs": {with(func(s *State) { s.Writer = errors.New("no answer within 5s") }),
			"takes no changes: no answer within 5s"},
		"the backup did fail": {with(func(s *State) { s.Backup = errors.New("no room") }), "The last backup failed."},
	} {
		t.Run(name, func(t *testing.T) {
			reasons := Reasons(test.state, now)
			for _, r := range reasons {
				if !slices.Contains(ReasonCodes, r.Code) {
					t.Errorf("got the code %q; want one of %q", r.Code, ReasonCodes)
				}
			}
			got := Sentences(reasons)
			if test.want == "" && len(got) > 0 || test.want != "" && (len(got) != 1 || !strings.Contains(got[0], test.want)) {
				t.Errorf("got %q; want %q", got, test.want)
			}
		})
	}
}

func TestAQuestionThatIsNotAnsweredIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		answer := make(chan error)
		p := NewProbe(5*time.Second, func() error { asked.Add(1); return <-answer })
		for range 3 {
			began := time.Now()
			if err := p.Err(t.Context()); err == nil || time.Since(began) != 5*time.Second {
				t.Errorf("got %v after %v; want an error after 5s", err, time.Since(began))
			}
		}
		if asked.Load() != 1 {
			t.Errorf("got %d questions; want 1", asked.Load())
		}
		answer <- nil
		synctest.Wait()
		go func() { answer <- nil }()
		if err := p.Err(t.Context()); err != nil || asked.Load() != 2 {
			t.Errorf("got %v, %d questions; want an answer to the second", err, asked.Load())
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Err(ended); err == nil {
			t.Error("got no error; want that of the context")
		}
	})
}

func TestWhoAsksOftenGetsWhatWasSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		m := NewCache(func() []Reason { asked++; return []Reason{{"disk", fmt.Sprint(asked)}} })
		for range 100 {
			m.Reasons()
		}
		time.Sleep(2 * time.Second)
		if got := m.Sentences(); asked != 2 || got[0] != "2" {
			t.Errorf("got %q after %d questions; want the second answer", got, asked)
		}
	})
}

// crew is two admins, who are told things; what they were told is kept as a database keeps it.
type crew struct {
	*testing.T
	mu    sync.Mutex // held by the test while it runs
	board *Board
	kept  map[int64]map[string]Told
	heard []string // "minutes admin id …"
	began time.Time
	away  time.Duration // Telegram asks to wait so long
	stop  func()

	outage    time.Time
	spent     bool
	free      int64
	channels  []string
	ending    []store.Channel
	undeleted media.Undeleted
	failures  []time.Time
}

func newCrew(t *testing.T) *crew {
	c := &crew{T: t, kept: map[int64]map[string]Told{1: {}, 2: {}}, began: time.Now(), free: 100}
	c.mu.Lock()
	c.start()
	return c
}

// start begins a process that tells them.
func (c *crew) start() {
	source := Source{Now: dbtest.Clock(time.Now), Gather: time.Minute, Log: slog.New(slog.DiscardHandler),
		Admins: func(context.Context) ([]int64, error) { return []int64{1, 2}, nil },
		Told: func(_ context.Context, admin int64) (map[string]Told, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			return maps.Clone(c.kept[admin]), nil
		},
		Keep: func(_ context.Context, admin int64, told map[string]Told) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			maps.Copy(c.kept[admin], told)
			return nil
		},
		Tell: func(_ context.Context, admin int64, m Message) (time.Duration, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.away > 0 {
				return c.away, errors.New("telegram is away")
			}
			c.heard = append(
				c.heard,
				strings.TrimSpace(fmt.Sprintf("%d %d %s %v", int(time.Since(c.began).Minutes()), admin, m.ID, m.Vars["Count"])),
			)
			return 0, nil
		}}
	source.Look = func(_ context.Context, admin int64, told map[string]Told) ([]Trouble, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		since, now := Since(told[Failed], time.Now()), time.Now()
		n, first := 0, time.Time{}
		for _, at := range c.failures {
			if at.After(since) {
				if n++; first.IsZero() {
					first = at
				}
			}
		}
		return []Trouble{
			OutageOf(c.outage, "no key", c.spent, "try"),
			DiskOf(c.free, 80, told[Disk], ""),
			ChannelsOf(c.channels, ""),
			EndingOf(c.ending, now, ""),
			UndeletedOf(c.undeleted, now, ""),
			BackupOf(c.board.Reported(Backup)),
			Digest(Failed, store.Given{N: n, First: first}, now, "",
				func(context.Context) (string, int, error) { return "again", n, nil }),
		}, nil
	}
	c.board = NewBoard(source)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { c.board.Run(ctx); close(done) }()
	c.stop = func() {
		c.mu.Unlock()
		cancel()
		<-done
		c.mu.Lock()
	}
}

// hears lets minutes pass, and fails unless the first admin has heard exactly that since, "minutes id …", and the
// other the same.
func (c *crew) hears(minutes int, want ...string) {
	c.Helper()
	c.board.Change()
	c.mu.Unlock()
	time.Sleep(time.Duration(minutes) * time.Minute)
	synctest.Wait()
	c.mu.Lock()
	var got [2][]string
	for _, line := range c.heard {
		parts := strings.SplitN(line, " ", 3)
		admin := int(parts[1][0] - '1')
		got[admin] = append(got[admin], parts[0]+" "+strings.TrimSuffix(parts[2], " <nil>"))
	}
	c.heard = nil
	if dbtest.WasAhead() != 0 { // they may hear more, and sooner: what was told in the future counts as not told
		for _, line := range want {
			id := strings.Fields(line)[1]
			for _, admin := range got {
				if !slices.ContainsFunc(admin, func(line string) bool { return strings.Fields(line)[1] == id }) {
					c.Errorf("at minute %d got %q; want %s in it", int(time.Since(c.began).Minutes()), admin, id)
				}
			}
		}
		return
	}
	if !slices.Equal(got[0], want) || !slices.Equal(got[1], want) {
		c.Errorf("at minute %d got %q and %q; want %q for both", int(time.Since(c.began).Minutes()), got[0], got[1], want)
	}
}

func bubble(t *testing.T, fn func(c *crew)) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew(t)
		defer func() { c.stop() }()
		c.hears(5)
		fn(c)
	})
}

func TestAnOutageIsToldOnceAndSoIsItsEnd(t *testing.T) {
	bubble(t, func(c *crew) {
		c.outage = time.Now()
		c.hears(120, "5 outage_began")
		c.stop() // a restart changes nothing
		c.start()
		c.hears(60)
		c.spent = true
		c.hears(10, "185 outage_long")
		c.outage, c.spent = time.Time{}, false
		c.hears(120, "195 outage_over")
	})
}

// TestWhatComesAndGoesIsToldOnceAnHour: it says no more than that, and in the end the truth.
func TestWhatComesAndGoesIsToldOnceAnHour(t *testing.T) {
	bubble(t, func(c *crew) {
		c.outage = time.Now()
		c.hears(2, "5 outage_began")
		c.outage = time.Time{}
		c.hears(3, "7 outage_over")
		c.outage = time.Now()
		c.hears(5)
		c.outage = time.Time{}
		c.hears(30)
		c.stop()
		c.start()
		c.outage = time.Now()
		c.hears(21, "65 outage_began") // minute 66
		c.outage = time.Time{}
		c.hears(20, "67 outage_over") // an hour after the last end, which was told in minute 7
	})
}

func TestTheDiskIsToldWhenItIsLowAndNotAtEachByte(t *testing.T) {
	bubble(t, func(c *crew) {
		c.free = 79
		c.hears(90, "5 alert_disk")
		c.free = 81 // still low: it goes up and down by a video
		c.hears(5)
		c.free = 79
		c.hears(5)
		c.free = 200
		c.hears(5)
		c.free = 10
		c.hears(5, "110 alert_disk")
	})
}

func TestChannelsAreToldWhenOneMoreEnds(t *testing.T) {
	bubble(t, func(c *crew) {
		c.channels = []string{"3"}
		c.hears(10, "5 alert_channel 1")
		c.channels = []string{"3", "4"}
		c.hears(60, "65 alert_channel 2")
		c.channels = []string{"4"}
		c.hears(60)
		c.channels = nil
		c.hears(10)
		c.channels = []string{"3"}
		c.hears(10, "145 alert_channel 1")
	})
}

func TestEnding_EachEndIsToldOnceTwoDaysBefore(t *testing.T) {
	bubble(t, func(c *crew) {
		ends := func(id int64, in time.Duration) store.Channel {
			return store.Channel{ID: id, State: "CONNECTED", Ends: time.Now().Add(in)}
		}
		a, b := ends(1, 49*time.Hour), ends(2, 100*time.Hour)
		c.ending = []store.Channel{a, b, {ID: 3, State: "CONNECTED"}, {ID: 4, State: "ENDED", Ends: a.Ends}}
		c.hears(30)
		c.hears(60, "65 alert_ending 1")
		c.hears(24 * 60)
		a.Ends = a.Ends.Add(7 * 24 * time.Hour) // connected again
		c.ending = []store.Channel{a, b}
		c.hears(29*60, "3125 alert_ending 1")
		c.hears(48 * 60)
	})
}

func TestUndeleted_IsToldOnceItHasLastedAnHour(t *testing.T) {
	bubble(t, func(c *crew) {
		c.undeleted = media.Undeleted{Files: 2, Since: time.Now(), Err: errors.New("no")}
		c.hears(59)
		c.hears(10, "65 alert_undeleted 2")
		c.hears(48 * 60)
		c.undeleted = media.Undeleted{}
		c.hears(60)
		c.undeleted = media.Undeleted{Files: 1, Since: time.Now(), Err: errors.New("no")}
		c.hears(59)
		c.hears(10, "3074 alert_undeleted 1")
	})
}

func TestABackupThatFailsIsToldUntilOneWorks(t *testing.T) {
	bubble(t, func(c *crew) {
		c.board.Report(Backup, errors.New("no room"))
		c.hears(120, "5 alert_backup")
		c.board.Report(Backup, errors.New("still none"))
		c.hears(60)
		c.board.Report(Backup, nil)
		c.hears(1)
		c.board.Report(Backup, errors.New("no room"))
		c.hears(1, "186 alert_backup")
	})
}

func TestFailuresAreGatheredAndToldOnceAnHour(t *testing.T) {
	bubble(t, func(c *crew) {
		fails := func(n int) {
			for range n {
				c.failures = append(c.failures, time.Now())
			}
		}
		fails(3)
		c.hears(10, "6 alert_failed 3")
		fails(1)
		c.hears(20)
		c.stop()
		c.start()
		fails(1)
		c.hears(60, "66 alert_failed 2")
		c.hears(120)
		fails(1)
		c.hears(2, "216 alert_failed 1")
		// Telegram is away for hours: then it is told when it was.
		c.away = time.Hour
		c.hears(60)
		fails(2)
		c.hears(300)
		c.away = 0
		c.hears(65, "577 alert_failed_later 2")
	})
}

func TestWithATelegramThatIsAwayNothingIsForgottenAndNothingStaleSaid(t *testing.T) {
	bubble(t, func(c *crew) {
		c.away = 10 * time.Second
		c.outage = time.Now()
		c.channels = []string{"3"}
		c.hears(30)
		c.outage = time.Time{}
		c.hears(30)
		c.away = 0
		c.hears(5, "65 alert_channel 1")
	})
}

// TestAClockThatIsSetBackSilencesNobody: what was told in a time to come does not count.
func TestAClockThatIsSetBackSilencesNobody(t *testing.T) {
	bubble(t, func(c *crew) {
		for _, kept := range c.kept {
			kept[Outage] = Told{At: time.Now().Add(24 * time.Hour)}
			kept[Failed] = Told{At: time.Now().Add(24 * time.Hour)}
		}
		c.outage = time.Now()
		c.failures = []time.Time{time.Now()}
		c.hears(5, "5 outage_began", "6 alert_failed 1")
	})
}
