// Tests of one person who does not stop: a hundred thousand messages hold up nobody else.

package main

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
)

// heldRenderer makes a video when it is told to.
type heldRenderer struct {
	video string
	begun chan video.Order
	make  chan struct{}
}

func (h heldRenderer) Make(ctx context.Context, o video.Order, progress func(int)) (video.Video, error) {
	select {
	case h.begun <- o:
	case <-ctx.Done():
		return video.Video{}, ctx.Err()
	}
	select {
	case <-h.make:
	case <-ctx.Done():
		return video.Video{}, ctx.Err()
	}
	info, err := os.Stat(h.video)
	if err != nil {
		return video.Video{}, err
	}
	return video.Video{Path: h.video, Size: info.Size(), Duration: time.Second, Width: 90, Height: 160}, nil
}

func TestAHundredThousandMessagesOfOnePersonAreRefusedOnceAndHoldUpNobody(t *testing.T) {
	notShort(t)
	t.Parallel()
	const messages = 100_000
	path, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := newCrowd(t, 1)
	server := httptest.NewServer(c)
	cfg, err := LoadConfig(
		"",
		[]string{
			"RETAKE_DATA_DIR=" + dir,
			"RETAKE_WEB_LISTEN=127.0.0.1:0",
			"RETAKE_TELEGRAM_TOKEN=" + testToken,
			"RETAKE_TELEGRAM_API_URL=" + server.URL,
			"RETAKE_QUEUE_WORKERS=1",
			"RETAKE_RENDER_ENGINE=command",
			`RETAKE_RENDER_COMMAND=["false"]`,
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	held := heldRenderer{path, make(chan video.Order), make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	log := &journal{}
	go func() {
		done <- serveWith(ctx, cfg, slog.New(slog.NewTextHandler(log, nil)), io.Discard, func(renderer) renderer { return held })
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		c.tg.Close()
		server.Close()
	})
	person := func(id int64) *asker {
		p := &asker{c.tg.Person(id, "П", "ru"), make(chan heard, 1000)}
		c.mu.Lock()
		c.people[id] = p
		c.mu.Unlock()
		return p
	}
	hears := func(p *asker, what string, fits func(heard) bool) heard {
		t.Helper()
		deadline := time.After(stall)
		for {
			select {
			case m := <-p.hears:
				if fits(m) {
					return m
				}
			case <-deadline:
				t.Fatalf("%d: %s did not come\n%s", p.ID(), what, log)
			}
		}
	}
	begins := func() video.Order {
		t.Helper()
		select {
		case o := <-held.begun:
			return o
		case <-time.After(stall):
			t.Fatalf("no video was begun\n%s", log)
			return video.Order{}
		}
	}
	asks := func(p *asker, name string) {
		t.Helper()
		p.Send(name)
		question := hears(p, "the question", func(m heard) bool { return strings.HasPrefix(m.Data, telegram.YesButton+":") })
		p.Press(question.ID, question.Data)
	}

	eve := person(1)
	first := time.Now()
	asks(eve, "Ева")
	if o := begins(); o.Name != "Ева" {
		t.Fatalf("got a video for %q", o.Name)
	}
	for _, name := range []string{"Ева один", "Ева два"} { // they wait
		asks(eve, name)
	}
	began := time.Now()
	for i := range messages {
		eve.Send("Ева " + letters(i))
	}
	names := []string{"Борис", "Вера", "Глеб"}
	others := []*asker{person(2), person(3), person(4)}
	for i, p := range others {
		asks(p, names[i])
	}
	read := time.Now()
	t.Logf("%d messages were read in %v", messages, read.Sub(began))
	// One of hers whose turn was the same may go before them: it was first.
	var order []string
	for range 4 {
		held.make <- struct{}{}
		order = append(order, begins().Name)
	}
	if order = slices.DeleteFunc(order, func(name string) bool { return !slices.Contains(names, name) }); !slices.Equal(
		order,
		names,
	) {
		t.Errorf("got %q among the next four; want %q", order, names)
	}
	held.make <- struct{}{} // the last of them
	for i, p := range others {
		hears(p, "the video", func(m heard) bool { return m.Video && strings.Contains(m.Text, names[i]) })
	}
	refused, asked := 0, 0
	for _, m := range answers(eve.Person) {
		switch {
		case m.Text == lang.Say("ru", "too_many", nil):
			refused++
		case strings.HasPrefix(m.Text, "Делаем видео"):
			asked++
		}
	}
	if most := 1 + int(read.Sub(first)/time.Minute); refused < 1 || refused > most {
		t.Errorf("got %d refusals; want 1, or one in each minute that the machine took", refused)
	}
	if asked < 2 || asked > 70 {
		t.Errorf("got %d answers to hers; want some of the first", asked)
	}
	s, err := thisProgram().OpenBeside(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// and three names with their Yes
	if n := count(t, s, `SELECT count(*) FROM inbox`); n < messages+6 { // what is handled does not say who it was from
		t.Errorf("got %d in the inbox; want all %d of hers", n, messages+6)
	}
	if n := count(t, s, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`); n > 60 {
		t.Errorf("got %d that wait; want no more than can be answered in a minute", n)
	}
	if n := c.tg.LimitBreaches(); n > 0 {
		t.Errorf("the bot was faster than Telegram allows %d times", n)
	}
}
