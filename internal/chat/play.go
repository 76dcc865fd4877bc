// [Play the name]: how the voice says a name, before a video is made of it.

package chat

import (
	"context"
	"errors"
	"sync"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
)

// Voice says names.
type Voice interface {
	// Speaks reports whether there is a voice now.
	Speaks() bool
	// Say returns how a name is said in a language. The error is video.ErrUnsayable if no voice can say it.
	Say(ctx context.Context, name, language string) (video.Saying, error)
}

// sayIn is how long a press of the button waits for the voice: Telegram takes an answer to it only for a while.
const sayIn = 8 * time.Second

// mostPlayed is how many drafts are remembered as played.
const mostPlayed = 10_000

// played are the drafts whose name was sent: each is once, however often the button is pressed. After a restart it may
// be once more. A voice may cost money, so a person hears no more names than they may ask for videos: the same limits
// count here, apart from those of videos.
type played struct {
	mu        sync.Mutex
	drafts    map[string]bool
	hour, day tally
}

// tally is how often each person has used the voice since a moment.
type tally struct {
	since time.Time
	n     map[int64]int // by person
	all   int
}

func (p *played) has(draft string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.drafts[draft]
}

func (p *played) add(draft string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drafts == nil || len(p.drafts) >= mostPlayed {
		p.drafts = map[string]bool{}
	}
	p.drafts[draft] = true
}

// count counts one use of the voice, unless a limit is reached; then it returns when the voice can be used again.
func (p *played) count(user int64, l store.Limits, now time.Time) (until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	windows := []struct {
		*tally
		long    time.Duration
		of, all int
	}{{&p.hour, time.Hour, l.Hour, 0}, {&p.day, 24 * time.Hour, l.Day, l.All}}
	for _, w := range windows {
		if passed := now.Sub(w.since); passed >= w.long || passed < 0 {
			*w.tally = tally{since: now, n: map[int64]int{}}
		}
		if w.of > 0 && w.n[user] >= w.of || w.all > 0 && w.tally.all >= w.all {
			until = w.since.Add(w.long)
		}
	}
	if until.IsZero() {
		for _, w := range windows {
			w.n[user]++
			w.tally.all++
		}
	}
	return until
}

// playRow is the row with the button, if there is a voice.
func (c *Chat) playRow(u store.User, draft string) telegram.Keyboard {
	if c.Voice == nil || !c.Voice.Speaks() {
		return nil
	}
	return telegram.Row(telegram.NewButton(lang.Say(u.Lang, "button_play", nil), telegram.PlayButton, draft))
}

// Play sends how the name of a draft is said, once. The draft stays: the question is still open. The press is answered
// last, as its toast says so when the voice cannot.
func (c *Chat) Play(ctx context.Context, t *Turn, query string, u store.User, draft string) error {
	toast, err := c.play(ctx, u, draft)
	t.Press(query, toast)
	return err
}

// play returns what the toast says; "": nothing.
func (c *Chat) play(ctx context.Context, u store.User, draft string) (toast string, err error) {
	name, err := c.Store.Draft(ctx, u.ID, draft)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return lang.Say(u.Lang, "toast_lapsed", nil), nil
	case err != nil:
		return "", err
	case c.Voice == nil || lang.IsRude(lang.NameKey(name), c.Rude): // by settings that are newer than the question
		return lang.Say(u.Lang, "toast_lapsed", nil), nil
	case c.played.has(draft):
		return lang.Say(u.Lang, "toast_said", nil), nil
	}
	err = c.Store.Allow(ctx, u.ID, c.Limits())
	if refused, ok := errors.AsType[store.Refused](err); ok {
		return c.Refusal(refused, u.Lang), nil
	} else if err != nil {
		return "", err
	}
	now := c.Store.Now()
	if until := c.played.count(u.ID, c.Limits(), now); !until.IsZero() {
		return lang.Say(u.Lang, "toast_said_enough", nil) + " " + goesOn(until.Sub(now), u.Lang), nil
	}
	soon, cancel := context.WithTimeout(ctx, sayIn)
	defer cancel()
	said, err := c.Voice.Say(soon, name, u.Lang)
	switch {
	case errors.Is(err, video.ErrUnsayable):
		return lang.Say(u.Lang, "toast_unsayable", nil), nil
	case ctx.Err() != nil:
		return "", err
	case err != nil:
		c.Log.Warn("a name could not be played", "err", err)
		return lang.Say(u.Lang, "toast_unsaid", nil), nil
	}
	if err = c.Talk.SendVoice(ctx, u.ID, said.Ogg, said.Length); telegram.ClassOf(err) == telegram.Refused {
		return lang.Say(u.Lang, "toast_unsaid", nil), nil // people can forbid voice messages
	} else if err == nil {
		c.played.add(draft)
	}
	return "", err
}
