// Tests of the bot's own page.

package desk

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"retake.example/internal/telegram"
)

// self is the bot of a test: its texts by language.
type self struct {
	profiles map[string]telegram.Profile
	refuses  error
}

func (s *self) Link(context.Context) (string, error) { return "https://t.me/RetakeBot", nil }
func (s *self) Profile(_ context.Context, language string) (telegram.Profile, error) {
	return s.profiles[language], s.refuses
}
func (s *self) SetProfile(_ context.Context, language string, _, now telegram.Profile) error {
	if s.refuses != nil {
		return s.refuses
	}
	s.profiles[language] = now
	return nil
}

func TestBot_EachLanguageHasATabAndItsTexts(t *testing.T) {
	r, bot := newRig(t), &self{profiles: map[string]telegram.Profile{"": {Name: "Everybody's"}, "ru": {Name: "Русское"}}}
	r.opts.Bot = bot
	for language, want := range map[string]string{"": "Everybody&#39;s", "ru": "Русское"} {
		page := r.do(r.BotPage, sent{method: "GET", path: "/bot?lang=" + language}).Body.String()
		if !strings.Contains(page, want) || !strings.Contains(page, "https://t.me/RetakeBot") {
			t.Errorf("%q: got no %s on the page", language, want)
		}
		for _, label := range []string{sayIn("en")("bot_everybody", nil), languageName("ru"), languageName("en")} {
			if strings.Count(page, label+"<") != 1 {
				t.Errorf("%q: got %d tabs %q; want one", language, strings.Count(page, label+"<"), label)
			}
		}
	}
	if w := r.do(r.BotPage, sent{method: "GET", path: "/bot?lang=xx"}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("an unknown language: got %d", w.Code)
	}
	bot.refuses = errors.New("away")
	if w := r.do(r.BotPage, sent{method: "GET", path: "/bot"}); w.Code != http.StatusServiceUnavailable {
		t.Errorf("Telegram is away: got %d", w.Code)
	}
	r.opts.Bot = nil
	if w := r.do(r.BotPage, sent{method: "GET", path: "/bot"}); w.Code != http.StatusConflict {
		t.Errorf("no bot: got %d", w.Code)
	}
}

func TestBot_TextsAreSavedUnlessTheyAreTooLongOrOthersHaveChangedThem(t *testing.T) {
	r, bot := newRig(t), &self{profiles: map[string]telegram.Profile{}}
	r.opts.Bot = bot
	save := func(name, version string) int {
		t.Helper()
		return r.do(r.ChangeBot, sent{body: url.Values{"lang": {"ru"}, "name": {name}, "description": {"d"},
			"short_description": {"s"}, "version": {version}}.Encode(), json: true}).Code
	}
	want := telegram.Profile{Name: "Имя", Description: "d", Short: "s"}
	if got := save("Имя", ""); got != 200 || bot.profiles["ru"] != want {
		t.Errorf("got %d and %+v; want the texts saved", got, bot.profiles)
	}
	if got := save(strings.Repeat("x", telegram.MaxName), ""); got != 200 {
		t.Errorf("the longest name: got %d", got)
	}
	got := save(strings.Repeat("x", telegram.MaxName+1), "")
	if got != http.StatusUnprocessableEntity || len(bot.profiles["ru"].Name) != telegram.MaxName {
		t.Errorf("a longer name: got %d; want it refused", got)
	}
	if got := save("Другое", "an older one"); got != http.StatusConflict || bot.profiles["ru"].Name == "Другое" {
		t.Errorf("changed since: got %d; want it refused", got)
	}
	if n := r.number(`SELECT count(*) FROM audit WHERE action = 'bot' AND admin = 8`); n != 2 {
		t.Errorf("got %d notes; want one of each change", n)
	}
}
