// Tests of the button that plays a name.

package chat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/testrig"
	"retake.example/internal/video"
)

const playToken = "123456:AAbbccddeeffgghhiijjkkllmmnnooppqqr"

// voice says every name but those that it cannot, and counts.
type voice struct {
	silent bool
	err    error
	said   []string
}

func (v *voice) Speaks() bool { return !v.silent }

func (v *voice) Say(_ context.Context, name, language string) (video.Saying, error) {
	v.said = append(v.said, language+" "+name)
	return video.Saying{Ogg: []byte("OggS OpusHead"), Length: 900 * time.Millisecond}, v.err
}

// playing is a chat with somebody who was asked about a name.
type playing struct {
	*Chat
	tg       *faketelegram.Server
	person   *faketelegram.Person
	user     store.User
	question Answer
	log      bytes.Buffer
	updates  int64
}

func newPlaying(t *testing.T, v Voice, offers ...video.Offer) *playing {
	t.Helper()
	st := testrig.NewStore(t)
	p := &playing{tg: faketelegram.New(playToken), user: store.User{ID: 5, Lang: "ru"}}
	server := httptest.NewServer(p.tg)
	t.Cleanup(func() { p.tg.Close(); server.Close() })
	p.person = p.tg.Person(5, "Мария", "ru")
	p.person.Send("/start")
	if len(offers) == 0 {
		offers = []video.Offer{{ID: "new-year", Title: func(string) string { return "🎄" }}}
	}
	var err error
	p.Chat, err = New(st, Options{Token: playToken, APIURL: server.URL, Second: time.Second, Language: "ru", Voice: v,
		Offers: video.NewOffers(offers...), CanDraw: func(string, string) error { return nil }},
		slog.New(slog.NewTextHandler(&p.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Tx(t.Context(), func(tx *store.Tx) error { _, err := tx.UpsertUser(5, "ru"); return err }); err != nil {
		t.Fatal(err)
	}
	turn := NewTurn(store.Update{ID: 1, Chat: 5}, "ru")
	if err := p.Ask(t.Context(), turn, p.user, "Маша"); err != nil || len(turn.left.Answers) != 1 {
		t.Fatalf("got %+v, %v; want the question", turn.left.Answers, err)
	}
	p.question = turn.left.Answers[0]
	return p
}

// button is the data of the button, "" if there is none.
func (p *playing) button() string {
	for _, row := range p.question.Keyboard {
		for _, b := range row {
			if strings.HasPrefix(b.Data, telegram.PlayButton+":") {
				return strings.TrimPrefix(b.Data, telegram.PlayButton+":")
			}
		}
	}
	return ""
}

// press presses the button, and returns what the toast says.
func (p *playing) press(t *testing.T, u store.User, draft string) string {
	t.Helper()
	p.updates++
	turn := NewTurn(store.Update{ID: 100 + p.updates, Chat: u.ID}, "ru")
	if err := p.Play(t.Context(), turn, "query", u, draft); err != nil {
		t.Fatal(err)
	}
	if turn.press != "query" {
		t.Error("got the press unanswered")
	}
	return turn.toast
}

func (p *playing) voices() (n int) {
	for _, m := range p.person.Messages() {
		if m.Voice != nil {
			n++
		}
	}
	return n
}

func TestPlay_SendsTheNameOnceAndLeavesTheQuestionOpen(t *testing.T) {
	v := &voice{}
	p := newPlaying(t, v)
	draft := p.button()
	if draft == "" || len(p.question.Keyboard) != 2 || len(p.question.Keyboard[0]) != 2 {
		t.Fatalf("got %v; want Yes and Change, and the button in a row of its own", p.question.Keyboard)
	}
	if toast := p.press(t, p.user, draft); toast != "" || p.voices() != 1 || len(v.said) != 1 || v.said[0] != "ru Маша" {
		t.Fatalf("got the toast %q, %d messages, %q said; want the name, as one message", toast, p.voices(), v.said)
	}
	for range 3 {
		if toast := p.press(t, p.user, draft); toast != lang.Say("ru", "toast_said", nil) {
			t.Errorf("got the toast %q; want that it was sent", toast)
		}
	}
	if p.voices() != 1 || len(v.said) != 1 {
		t.Errorf("got %d messages, %d times said; want one", p.voices(), len(v.said))
	}
	if name, err := p.Store.Draft(t.Context(), 5, draft); name != "Маша" || err != nil {
		t.Errorf("got %q, %v; want the question still open", name, err)
	}
	other := store.User{ID: 6, Lang: "ru"}
	if toast := p.press(t, other, draft); toast != lang.Say("ru", "toast_lapsed", nil) || len(v.said) != 1 {
		t.Errorf("somebody else: got the toast %q, %d times said; want that it does not work", toast, len(v.said))
	}
	if toast := p.press(t, p.user, "nothing"); toast != lang.Say("ru", "toast_lapsed", nil) {
		t.Errorf("another draft: got the toast %q; want that it does not work", toast)
	}
}

func TestPlay_SaysKindlyWhatTheVoiceCannot(t *testing.T) {
	for want, v := range map[string]*voice{
		"toast_unsayable": {err: video.ErrUnsayable},
		"toast_unsaid":    {err: errors.New("espeak-ng: exit status 1")},
	} {
		p := newPlaying(t, v)
		if toast := p.press(t, p.user, p.button()); toast != lang.Say("ru", want, nil) || p.voices() != 0 {
			t.Errorf("got the toast %q and %d messages; want %s and none", toast, p.voices(), want)
		}
		v.err = nil // a press that failed is none
		if toast := p.press(t, p.user, p.button()); toast != "" || p.voices() != 1 {
			t.Errorf("again: got the toast %q and %d messages; want the name", toast, p.voices())
		}
		if strings.Contains(p.log.String(), "Маша") {
			t.Errorf("got the name in the log:\n%s", p.log.String())
		}
	}
	v := &voice{}
	p := newPlaying(t, v)
	p.tg.Inject(faketelegram.Fault{Method: "sendVoice", Status: 400,
		Description: "Bad Request: VOICE_MESSAGES_FORBIDDEN"})
	if toast := p.press(t, p.user, p.button()); toast != lang.Say("ru", "toast_unsaid", nil) || p.voices() != 0 {
		t.Errorf("somebody who forbids voice messages: got the toast %q and %d messages", toast, p.voices())
	}
}

func TestPlay_IsThereOnlyWithAVoiceAndNowhereCarriesTheName(t *testing.T) {
	if p := newPlaying(t, nil); p.button() != "" {
		t.Error("without the setting: got the button")
	}
	if p := newPlaying(t, &voice{silent: true}); p.button() != "" {
		t.Error("without a voice: got the button")
	}
	title := func(string) string { return "🎄" }
	p := newPlaying(t, &voice{}, video.Offer{ID: "new-year", Title: title}, video.Offer{ID: "birthday", Title: title})
	if p.button() == "" || len(p.question.Keyboard) != 4 {
		t.Errorf("where there is a choice: got %v; want two templates, Change, and the button", p.question.Keyboard)
	}
	for _, row := range p.question.Keyboard {
		for _, b := range row {
			if len(b.Data) > 64 || strings.Contains(b.Data, "Маша") {
				t.Errorf("got %q; want at most 64 bytes and no name", b.Data)
			}
		}
	}
}

// A voice may be a service that costs money: it is asked no more often than somebody may ask for videos.
func TestPlay_CostsNoMoreThanTheLimitsAllow(t *testing.T) {
	type step struct {
		after time.Duration
		user  int64
		toast string // the beginning; "": the name is said
	}
	enough := lang.Say("ru", "toast_said_enough", nil)
	for name, c := range map[string]struct {
		hour, day, all int
		prepare        func(tx *store.Tx) error
		steps          []step
	}{
		"of an hour": {hour: 2, steps: []step{{0, 5, ""}, {0, 5, ""}, {0, 5, enough + " Можно продолжить через 60 минут."},
			{59 * time.Minute, 5, enough + " Можно продолжить через 1 минуту."}, {time.Minute, 5, ""}}},
		"of a day": {day: 1, steps: []step{{0, 5, ""}, {2 * time.Hour, 5, enough + " Можно продолжить через 22 часа."},
			{0, 6, ""}, {22 * time.Hour, 5, ""}}},
		"of all": {all: 2, steps: []step{{0, 5, ""}, {0, 6, ""}, {0, 5, enough}, {24 * time.Hour, 6, ""}}},
		"none":   {steps: []step{{0, 5, ""}, {0, 5, ""}, {0, 5, ""}}},
		"data deleted": {hour: 1, steps: []step{{0, 5, ""}, {0, 5, enough}},
			prepare: func(tx *store.Tx) error {
				_, err := tx.Forget(5)
				return errors.Join(err, func() error { _, err := tx.UpsertUser(5, "ru"); return err }())
			}},
		"videos at their limit": {hour: 1, steps: []step{{0, 5, lang.Say("ru", "limit_hour", nil)}},
			prepare: func(tx *store.Tx) error { return tx.Note(store.Event{User: 5, Action: "ask"}) }},
		"paused": {steps: []step{{0, 5, lang.Say("ru", "limit_paused", nil)}},
			prepare: func(tx *store.Tx) error { return tx.Pause(8) }},
	} {
		t.Run(name, func(t *testing.T) {
			v := &voice{}
			now := time.Date(2026, 12, 30, 10, 30, 0, 0, time.UTC)
			p := newPlaying(t, v)
			p.tg.Person(6, "Ольга", "ru").Send("/start")
			testrig.SetNow(p.Store, func() time.Time { return now })
			p.HourLimit, p.DayLimit, p.AllLimit = c.hour, c.day, c.all
			said := 0
			for i, s := range c.steps {
				now = now.Add(s.after)
				var draft string
				if err := p.Store.Tx(t.Context(), func(tx *store.Tx) (err error) {
					if i == len(c.steps)-1 && c.prepare != nil {
						err = c.prepare(tx)
					}
					if _, e := tx.UpsertUser(s.user, "ru"); err == nil && e == nil {
						draft, err = tx.SaveDraft(s.user, "Маша")
					}
					return err
				}); err != nil {
					t.Fatal(err)
				}
				toast := p.press(t, store.User{ID: s.user, Lang: "ru"}, draft)
				if s.toast == "" {
					said++
				}
				if s.toast == "" && toast != "" || !strings.HasPrefix(toast, s.toast) || len(v.said) != said {
					t.Fatalf("press %d: got %q and %d names said; want %q and %d", i, toast, len(v.said), s.toast, said)
				}
			}
		})
	}
}

func TestPlayed_RemembersNoMoreThanSome(t *testing.T) {
	var p played
	for i := range mostPlayed + 1 {
		p.add(fmt.Sprint(i))
		if !p.has(fmt.Sprint(i)) || len(p.drafts) > mostPlayed {
			t.Fatalf("got %d drafts remembered, the last among them: %v", len(p.drafts), p.has(fmt.Sprint(i)))
		}
	}
}

func TestPlay_AVoiceThatIsOffSaysSo(t *testing.T) {
	p := newPlaying(t, &voice{})
	draft := p.button()
	p.Voice = nil
	if got, want := p.press(t, p.user, draft), lang.Say("ru", "toast_lapsed", nil); got != want || p.voices() != 0 {
		t.Errorf("got %q; want %q", got, want)
	}
}
