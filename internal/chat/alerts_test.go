// What admins are told, what they can read of errors that others wrote, and what their buttons do.

package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/testrig"
	"retake.example/internal/watch"
)

func TestReadable_HoldsNoControlBytesAndIsShort(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                      "plain",
		"\x1b[31mred\x1b[0m\x00\r\n": "[31mred [0m",
		"a\u202eb\u200bc":            "a b c",
		"bad \xff byte":              "bad byte",
		"two\nlines":                 "two lines",
		strings.Repeat("ы", 600):     strings.Repeat("ы", 500) + "…",
	} {
		if got := readable(lang.Vars{"Reason": in})["Reason"]; got != want {
			t.Errorf("%q: got %q; want %q", in, got, want)
		}
	}
	if got := readable(lang.Vars{"Count": 3})["Count"]; got != 3 {
		t.Errorf("got %v; want numbers as they are", got)
	}
}

func TestAlert_ThePlainReasonIsFirst(t *testing.T) {
	for raw, want := range map[string]string{
		"write x: no space left on device\x1b[0m": "The disk is full.\nwrite x: no space left on device [0m",
		"nobody has heard of this":                "nobody has heard of this",
	} {
		if got := plainFirst("en", lang.Vars{"Reason": raw})["Reason"]; got != want {
			t.Errorf("%q: got %q; want %q", raw, got, want)
		}
	}
}

func TestAlert_ThatMayHaveArrivedIsSentTwiceAtMost(t *testing.T) {
	var u unclear
	maybe := maybeSent(t)
	for i, want := range []bool{false, true, false, true} {
		if got := u.enough(1, maybe); got != want {
			t.Errorf("%d: got %v; want %v", i+1, got, want)
		}
	}
	u.enough(1, maybe)
	u.enough(1, nil)
	if u.enough(1, maybe) {
		t.Error("after a success: got enough; want to count from the beginning")
	}
	if u.enough(1, errors.New("refused")) || u.enough(2, maybe) {
		t.Error("got enough for another error or admin")
	}
}

// retrier is a Retry that a test sees.
type retrier struct {
	mu    sync.Mutex
	asked []string // "asset admin platform"
}

func (r *retrier) Retry(_ context.Context, asset string, why retry.Cause) (retry.Outcome, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	click := why.(retry.AdminClicked)
	r.asked = append(r.asked, strings.TrimSpace(fmt.Sprint(asset, " ", click.Admin.ID, " ", click.Platform)))
	return retry.Restarted, nil
}

// Each button tries again what it was shown with, and nothing that has failed since.
func TestAgain_TriesWhatTheButtonWasShownWith(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	c.Role = func(id int64) (store.Admin, bool) { return store.Admin{ID: id, Owner: true}, id == 8 }
	testrig.Write(t, c.Store, func(tx *store.Tx) error { _, err := tx.UpsertUser(8, "ru"); return err })
	now := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
	// A video of each kind of trouble, and one that failed later.
	for i, status := range []string{"FAILED", "FAILED", "COMPLETED", "COMPLETED"} {
		at := now.Add(time.Duration(i%2) * time.Minute).UnixMilli()
		testrig.Mutate(t, c.Store, `INSERT INTO assets (id, name, name_key, template, lang, origin, status, error, error_code,
			created, finished, file, needs_attention) VALUES (?1, ?1, ?1, 't', 'ru', 'REQUEST', ?2,
			iif(?2 = 'FAILED', 'x', NULL), iif(?2 = 'FAILED', 'timeout', NULL), ?3, ?3,
			iif(?2 = 'FAILED', NULL, 'x.mp4'), ?2 = 'FAILED')`, fmt.Sprintf("%026d", i), status, at)
		if status == "COMPLETED" {
			testrig.Mutate(t, c.Store, `INSERT INTO publications (asset_id, platform, creator, created, status, error, completed)
				VALUES (?, 'YOUTUBE', 8, ?2, 'FAILED', 'x', ?2)`, fmt.Sprintf("%026d", i), at)
			testrig.Mutate(t, c.Store, `INSERT INTO requests (user_id, asset_id, chat_id, status, created, undelivered,
				undelivered_code) VALUES (1, ?, 1, 'PROCESSING', ?2, ?2, 'telegram_maybe_sent')`, fmt.Sprintf("%026d", i), at)
		}
	}
	failed, ready := fmt.Sprintf("%026d", 0), fmt.Sprintf("%026d", 2)
	ms := fmt.Sprint(now.UnixMilli())
	owner := store.User{ID: 8, Lang: "ru"}
	for name, step := range map[string]struct {
		user      store.User
		kind, arg string
		asked     string
	}{
		"videos":               {owner, telegram.AgainButton, failed + ":1", failed + " 8"},
		"publications":         {owner, telegram.PutButton, ms + ":1", ready + " 8 YOUTUBE"},
		"messages":             {owner, telegram.SendButton, ms + ":1", ready + " 8"},
		"nothing any more":     {owner, telegram.AgainButton, "gone:1", ""},
		"somebody else":        {maria, telegram.AgainButton, failed + ":1", "-"},
		"no number":            {owner, telegram.AgainButton, failed + ":many", "-"},
		"no time":              {owner, telegram.SendButton, "soon:1", "-"},
		"no time, publication": {owner, telegram.PutButton, "soon:1", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			q := &retrier{}
			said, _ := turns(t, c, tg, 5, func(ctx context.Context, turn *Turn) error {
				return c.Again(ctx, turn, q, step.user, 9, step.kind, step.arg)
			})
			c.Wait()
			aside, _ := tg.since()
			said += "|" + aside
			answers, silent := strings.Contains(said, "editMessageReplyMarkup"), step.asked == "-"
			if got := strings.Join(q.asked, "|"); got != strings.Trim(step.asked, "-") || answers == silent {
				t.Errorf("tried %q and said %q; want %q, and its buttons gone: %v", got, said, step.asked, !silent)
			}
			want := says("alert_again", lang.Vars{"Count": 1})
			if step.asked == "" {
				want = says("alert_nothing", nil)
			}
			if !silent && !strings.Contains(said, want) {
				t.Errorf("said %q; want %q", said, want)
			}
		})
	}
}

func TestTellAdmins_TellsEachInTheirLanguage(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	c.Admins = []int64{8, 9}
	testrig.Write(t, c.Store, func(tx *store.Tx) error { _, err := tx.UpsertUser(9, "en"); return err })
	refused := false
	tg.say = func(string, string) string {
		if !refused { // the first time
			refused = true
			return `{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`
		}
		return ""
	}
	c.tellAdmins(watch.Message{ID: "asked_to_go", Vars: lang.Vars{"Link": "https://x/assets/1"}})
	c.Wait()
	vars := lang.Vars{"Link": "https://x/assets/1"}
	said, _ := tg.since()
	if want := says("asked_to_go", vars) + "|sendMessage " + lang.Say("en", "asked_to_go", vars); said != want {
		t.Errorf("got %q; want %q: one who has blocked the bot keeps it from nobody", said, want)
	}
}

func TestAlert_SaysHowLongToWait(t *testing.T) {
	for answer, want := range map[string]time.Duration{
		`{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":7}}`: 7 * time.Second,
		`{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`:           0,
		``: 0,
	} {
		c, tg := newChat(t, time.Second)
		tg.say = func(string, string) string { return answer }
		later, err := c.Alert(t.Context(), 8, watch.Message{ID: "asked_to_go", Vars: lang.Vars{"Link": "x"},
			Buttons: []watch.Button{{ID: "button_retry", Data: "retry_all:x:1"}}})
		if later.Round(time.Second) != want || (err == nil) != (want == 0) {
			t.Errorf("%s: got %v, %v; want %v", answer, later, err, want)
		}
		if got := tg.shows(); got != "retry_all:x:1" {
			t.Errorf("got buttons %q; want that of the alert", got)
		}
	}
}

func TestSendLink_SaysIfItOpensOnTheServerOnly(t *testing.T) {
	for link, local := range map[string]bool{"http://localhost:8080/login/x": true, "http://127.0.0.1/login/x": true,
		"http://[::1]:80/login/x": true, "http://0.0.0.0/login/x": true, "https://desk.example.com/login/x": false,
		"http://192.168.1.5/login/x": false} {
		c, tg := newChat(t, time.Millisecond)
		if err := c.SendLink(t.Context(), maria, link); err != nil {
			t.Fatal(err)
		}
		said, _ := tg.since()
		if !strings.Contains(said, link) || strings.Contains(said, lang.Say("ru", "admin_link_local", nil)) != local {
			t.Errorf("%s: got %q; want that it opens there only: %v", link, said, local)
		}
	}
}

func TestStats_CountsVideosAndWhereFromPeopleCame(t *testing.T) {
	c, tg := newChat(t, time.Millisecond)
	wishes(t, c, "Маша", 7)
	wishes(t, c, "Даша", 8)
	testrig.Complete(t, c.Store)
	testrig.Write(t, c.Store, func(tx *store.Tx) error { return tx.SetSource(1, "school") })
	if err := c.Stats(t.Context(), maria); err != nil {
		t.Fatal(err)
	}
	want := says("stats", lang.Vars{"Pending": 1, "Processing": 0, "Completed": 1, "Failed": 0}) + "\n" +
		lang.Say("ru", "stats_source", lang.Vars{"Tag": "school", "People": 1})
	if said, _ := tg.since(); said != want {
		t.Errorf("got %q; want %q", said, want)
	}
}

// maybeSent is the error of a message whose answer cannot be read.
func maybeSent(t *testing.T) error {
	t.Helper()
	err := telegram.NewGate(time.Second).Do(t.Context(), telegram.Call{Method: "sendMessage", Chat: 5},
		func(context.Context) error { return errors.New("cannot decode") })
	if !telegram.MaybeSent(err) {
		t.Fatalf("got %v; want one that may have been sent", err)
	}
	return err
}
