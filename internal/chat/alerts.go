// What admins are told, and what they answer with a press.

package chat

import (
	"context"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/watch"
)

// Alert sends an admin a message. later is how long Telegram asks to wait. An admin whom no message reaches is no
// error: they may not have written to the bot yet.
func (c *Chat) Alert(ctx context.Context, admin int64, m watch.Message) (later time.Duration, err error) {
	language, err := c.Store.Language(ctx, admin)
	if err != nil {
		language = c.Language
	}
	var k telegram.Keyboard
	for _, button := range m.Buttons {
		text := lang.Say(language, button.ID, button.Vars)
		k = append(k, []telegram.Button{telegram.NewButton(text, button.Data, "")})
	}
	text := lang.Say(language, m.ID, plainFirst(language, m.Vars))
	_, err = c.Talk.As(telegram.Pending).Alarm().Send(ctx, admin, text, k)
	if c.unclear.enough(admin, err) {
		return 0, nil
	}
	if wait, waits := retry.After(err); waits {
		return max(wait, time.Second), err
	}
	if telegram.ClassOf(err) == telegram.Gone {
		return 0, nil
	}
	return 0, err
}

// unclear counts for each admin how often a message may have arrived although its call failed.
type unclear struct {
	mu sync.Mutex
	n  map[int64]int
}

// enough reports whether a message may have arrived so often that it isn't sent again.
func (u *unclear) enough(admin int64, err error) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err == nil {
		delete(u.n, admin)
	}
	if !telegram.MaybeSent(err) {
		return false
	}
	if u.n == nil {
		u.n = map[int64]int{}
	}
	if u.n[admin]++; u.n[admin] < telegram.MaxCopies {
		return false
	}
	delete(u.n, admin)
	return true
}

// tellAdmins sends every admin a message, aside and patiently: Telegram may be away for a while.
func (c *Chat) tellAdmins(m watch.Message) {
	c.aside.Accept(c.Work, admins, func(ctx context.Context) {
		admins, err := c.Store.Admins(ctx, c.Admins)
		if err != nil && ctx.Err() == nil {
			c.Log.Error("look who is an admin", "err", err)
		}
		for _, admin := range admins {
			err := telegram.Patiently(ctx, func() error { _, err := c.Alert(ctx, admin, m); return err })
			if err != nil && ctx.Err() == nil {
				c.Log.Warn("tell an admin", "err", err)
			}
		}
	})
}

// Again tries all again that an admin was told of, and may try again.
func (c *Chat) Again(ctx context.Context, t *Turn, q retry.Retrier, u store.User, message int, kind, arg string) error {
	admin, ok, err := c.Store.RoleOf(ctx, c.Role, u.ID)
	if err != nil || !ok {
		return err
	}
	last, number, _ := strings.Cut(arg, ":")
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil
	}
	shown := retry.Shown{Count: n, Newest: last}
	if kind != telegram.AgainButton {
		ms, err := strconv.ParseInt(last, 10, 64)
		if err != nil {
			return nil
		}
		shown = retry.Shown{Publications: n, Until: store.Moment(ms)}
		if kind == telegram.SendButton {
			shown = retry.Shown{Undelivered: n, Until: store.Moment(ms)}
		}
	}
	all, err := retry.Everything(ctx, c.Store, q, admin, store.Filter{}, shown)
	if err != nil {
		return err
	}
	c.StripButtons(u.ID, message)
	answer := AnswerTo(u, "alert_nothing", nil, nil)
	if again := all.Restarted + all.Joined; again > 0 {
		answer = AnswerTo(u, "alert_again", lang.Vars{"Count": again}, nil)
	}
	return c.Answers(ctx, t, answer)
}

// longestReason is how many characters of an error an admin is told: the page has all of it.
const longestReason = 500

// readable returns what a message says, without the control bytes and the length that errors of other programs may
// have.
func readable(vars lang.Vars) lang.Vars {
	out := lang.Vars{}
	for key, value := range vars {
		if text, ok := value.(string); ok {
			text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
				if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
					return ' '
				}
				return r
			}, text)), " ")
			if runes := []rune(text); len(runes) > longestReason {
				text = string(runes[:longestReason]) + "…"
			}
			value = text
		}
		out[key] = value
	}
	return out
}

// plainFirst is readable with the reason in plain words before the words of the program that failed, if it is known.
func plainFirst(language string, vars lang.Vars) lang.Vars {
	out := readable(vars)
	if raw, ok := out["Reason"].(string); ok {
		say := func(id string, vars desk.Vars) string { return lang.Say(language, id, vars) }
		if plain := desk.Reason(say, "", raw, ""); plain != "" {
			out["Reason"] = plain + "\n" + raw
		}
	}
	return out
}

// SendLink sends an admin a sign-in link, and says if it opens on the server only.
func (c *Chat) SendLink(ctx context.Context, u store.User, link string) error {
	text := lang.Say(u.Lang, "admin_link", lang.Vars{"Link": link})
	if at, err := url.Parse(link); err == nil {
		host := at.Hostname()
		if ip := net.ParseIP(host); host == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
			text += "\n\n" + lang.Say(u.Lang, "admin_link_local", nil)
		}
	}
	_, err := c.Talk.Send(ctx, u.ID, text, nil)
	return err
}

// Stats tells an admin how many videos there are, and which links led people here.
func (c *Chat) Stats(ctx context.Context, u store.User) error {
	n, err := c.Store.Counts(ctx, store.Filter{})
	if err != nil {
		return err
	}
	sources, err := c.Store.Sources(ctx, 10)
	if err != nil {
		return err
	}
	text := lang.Say(u.Lang, "stats", lang.Vars{"Pending": n[store.Pending], "Processing": n[store.Processing],
		"Completed": n[store.Completed], "Failed": n[store.Failed]})
	for _, s := range sources {
		text += "\n" + lang.Say(u.Lang, "stats_source", lang.Vars{"Tag": s.Tag, "People": s.People})
	}
	_, err = c.Talk.Send(ctx, u.ID, text, nil)
	return err
}
