// Tests of the set-up: each of its steps, whom it lets in, and what it keeps to itself.

package desk

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	qr "github.com/piglig/go-qr"

	"retake.example/internal/config"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
)

const (
	botToken  = "7000000001:AAFdRPqmHk1Xw3ZJtB9yuC7sLvE2oN5gQ8i"
	botSecret = "AAFdRPqmHk1Xw3ZJtB9yuC7sLvE2oN5gQ8i"
)

// someSettings are settings that the page changes. The program would go on with them.
type someSettings struct {
	cfg     config.Config
	changed []string
	use     func(config.Config)
}

func (s *someSettings) Current() config.Config { return s.cfg }

func (s *someSettings) Refused() error { return nil }

func (s *someSettings) Change(_ context.Context, admin int64, set map[string]string, _ []string) error {
	cfg, err := s.cfg.With(set)
	if err != nil {
		return err
	}
	for key, value := range set {
		s.changed = append(s.changed, fmt.Sprint(admin, " ", key, " = ", value))
	}
	s.cfg = cfg
	s.use(cfg)
	return nil
}

// setupRig is a desk with nothing set up but what a file and the environment say, Telegram, and a browser.
type setupRig struct {
	*rig
	settings *someSettings
	telegram *faketelegram.Server
	web      *httptest.Server // Telegram's
	language string
	code     string // in the browser's cookie
}

// profiled is the bot as that Telegram knows it.
type profiled struct {
	address string
	texts   map[string]telegram.Profile
	refuses error
}

func (p *profiled) Link(ctx context.Context) (string, error) {
	self, err := telegram.Look(ctx, telegram.NewClient(), p.address, botToken)
	return "https://t.me/" + self.Name, err
}

func (p *profiled) Profile(_ context.Context, language string) (telegram.Profile, error) {
	return p.texts[language], nil
}

func (p *profiled) SetProfile(_ context.Context, language string, _, to telegram.Profile) error {
	if p.refuses == nil {
		p.texts[language] = to
	}
	return p.refuses
}

func newSetupRig(t *testing.T, file string, environ ...string) *setupRig {
	t.Helper()
	defaults, err := os.ReadFile("../../config.toml")
	if err != nil {
		t.Fatal(err)
	}
	r := &setupRig{rig: newRig(t), telegram: faketelegram.New(botToken), language: "en"}
	r.web = httptest.NewServer(r.telegram)
	t.Cleanup(func() {
		r.telegram.Close()
		r.web.Close()
	})
	environ = append(environ, "RETAKE_TELEGRAM_API_URL="+r.web.URL)
	cfg, err := config.FromDefaults(string(defaults), environ, config.Source{Name: "config.toml", Text: file})
	if err != nil {
		t.Fatal(err)
	}
	bot := &profiled{address: r.web.URL, texts: map[string]telegram.Profile{}}
	use := func(c config.Config) {
		if c.Telegram.Token != "" {
			r.opts.Bot, r.opts.BotOn = bot, true
		}
	}
	use(cfg)
	r.end() // after a change another program would answer
	r.settings = &someSettings{cfg: cfg, use: use}
	r.opts.Settings, r.opts.Staff = r.settings, Staff{Owners: cfg.Telegram.Owners}
	r.opts.CanDraw = func(string, string) error { return nil }
	m, err := video.New(video.Config{Engine: video.EngineTemplate, Offered: []string{"new-year"},
		Languages: []string{"ru", "en"}, Timeout: time.Minute, Work: t.TempDir(), Cache: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if r.opts.Shelf, err = video.NewShelf(m); err != nil {
		t.Fatal(err)
	}
	return r
}

// send is a request of the operator's browser, which keeps its cookies.
func (r *setupRig) send(method, path, body string, json bool) *httptest.ResponseRecorder {
	r.Helper()
	ctx := context.WithValue(r.Context(), visitorKey{}, visitor{admin: store.Admin{Owner: true}})
	req := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept-Language", r.language)
	if json {
		req.Header.Set("Accept", "application/json")
	}
	if r.code != "" {
		req.AddCookie(&http.Cookie{Name: r.codeCookie(), Value: r.code})
	}
	h := r.SetUp
	if method == http.MethodPost {
		h = r.AdvanceSetup
	}
	w := httptest.NewRecorder()
	if err := h(w, req); err != nil {
		r.Desk.Fail(w, req, err, false)
	}
	for _, c := range w.Result().Cookies() {
		if c.Name == r.codeCookie() {
			r.code = c.Value
		}
	}
	return w
}

// form sends a form and returns where it led to.
func (r *setupRig) form(pairs ...string) string {
	r.Helper()
	w := r.send(http.MethodPost, "/setup", strings.TrimPrefix(Address("", pairs...), "?"), false)
	if w.Code != http.StatusSeeOther {
		r.Fatalf("%q: got %d, %s; want to be led on", pairs, w.Code, w.Body)
	}
	return w.Header().Get("Location")
}

// refused sends a form and wants to see the page again, with some words.
func (r *setupRig) refused(status int, words string, pairs ...string) {
	r.Helper()
	w := r.send(http.MethodPost, "/setup", strings.TrimPrefix(Address("", pairs...), "?"), false)
	if w.Code != status || !strings.Contains(w.Body.String(), words) || !strings.Contains(w.Body.String(), "<h1>") {
		r.Errorf("%q: got %d, %s; want %d and %q", pairs, w.Code, w.Body, status, words)
	}
}

// shows opens the page and wants some words on it.
func (r *setupRig) shows(path string, words ...string) (page string) {
	r.Helper()
	w := r.send(http.MethodGet, path, "", false)
	page = w.Body.String()
	for _, want := range words {
		if w.Code != http.StatusOK || !strings.Contains(page, want) {
			r.Errorf("%s: got %d, %s; want %q", path, w.Code, page, want)
		}
	}
	return page
}

// step is the open one.
func (r *setupRig) step(want string) {
	r.Helper()
	if w := r.send(http.MethodGet, "/setup", "", true); !strings.Contains(w.Body.String(), `"step":"`+want+`"`) {
		r.Errorf("got %s; want step %q", w.Body, want)
	}
}

// becomes reports whether a code makes somebody the owner.
func (r *setupRig) becomes(user int64, code string) (yes bool) {
	r.Helper()
	hash, ok := OwnerCode(code)
	if !ok {
		r.Fatalf("%q is no code", code)
	}
	if err := r.store.Tx(r.Context(), func(tx *store.Tx) (err error) {
		if _, err = tx.UpsertUser(user, "ru"); err != nil {
			return err
		}
		if yes, err = tx.BecomeOwner(hash, user); err == nil && yes {
			err = tx.NameAdmin(user, "Мария", "masha")
		}
		return err
	}); err != nil {
		r.Fatal(err)
	}
	return yes
}

func TestSetUp_ATokenIsTakenAsItWasPastedAndShownNowhere(t *testing.T) {
	r := newSetupRig(t, "")
	r.shows("/setup", "@BotFather", "/newbot", `aria-current="step"`, "Connect the bot")
	r.language = "ru"
	r.shows("/setup", "@BotFather", "/newbot", "Подключить бота")
	r.language = "en"
	r.step(stepToken)

	r.refused(422, "There is no token in that text", "do", "token", "token", "hello")
	r.refused(422, "Telegram does not know this token", "do", "token", "token", "7000000001:"+strings.Repeat("x", 35))
	r.telegram.SetDown(true)
	r.refused(409, "Telegram does not answer", "do", "token", "token", botToken)
	r.telegram.SetDown(false)
	if len(r.settings.changed) != 0 {
		t.Errorf("got %q; want that nothing was changed", r.settings.changed)
	}

	message := "Done! Congratulations on your new bot.\n\nUse this token to access the HTTP API:\n" + botToken +
		"\nKeep your token secure"
	if to := r.form("do", "token", "token", message); to != "/setup" {
		t.Errorf("got led to %q", to)
	}
	if got := fmt.Sprint(r.settings.changed); got != `[0 telegram.token = "`+botToken+`"]` {
		t.Errorf("got %s; want the token alone", got)
	}
	page := r.shows("/setup", "https://t.me/retake_bot?start=owner-", "/start owner-", "<svg class=\"qr\"")
	for what, text := range map[string]string{"page": page, "log": r.log.String(),
		"JSON": r.send(http.MethodGet, "/setup", "", true).Body.String()} {
		if strings.Contains(text, botSecret) {
			t.Errorf("the token is in the %s: %s", what, text)
		}
	}
	if n := r.number(`SELECT count(*) FROM setup WHERE hex(code) LIKE '%6F776E6572%'`); n != 0 {
		t.Error("the code itself is in the database")
	}
}

func TestSetUp_TheLinkTheCodeAndTheQRCodeAreTheSame(t *testing.T) {
	r := newSetupRig(t, "")
	r.form("do", "token", "token", botToken)
	r.step(stepOwner)
	page := r.shows("/setup")
	link := "https://t.me/retake_bot?start=" + r.code
	if got, err := qr.Decode(drawn(t, page[strings.Index(page, `<svg class="qr"`):])); err != nil || got != link {
		t.Errorf("got %q, %v; want %q", got, err, link)
	}
	if !strings.Contains(page, `href="`+link+`"`) || !strings.Contains(page, ">/start "+r.code+"<") {
		t.Errorf("got %s; want the link and the code", page)
	}
	if body := r.send(http.MethodGet, "/setup", "", true).Body.String(); strings.Contains(body, r.code) ||
		!strings.Contains(body, `"code_expires"`) {
		t.Errorf("got %s; want when the code ends, and not the code", body)
	}

	// Another browser of the operator's has no code, and can have one: the first ends then.
	first := r.code
	r.code = ""
	if page := r.shows("/setup", "Show the link"); strings.Contains(page, first) {
		t.Error("another browser sees the code")
	}
	r.form("do", "code")
	if r.code == first || r.becomes(5, first) {
		t.Error("the old code still works")
	}
	if r.shows("/setup", r.code); !r.becomes(5, strings.ToLower(r.code)) {
		t.Error("the new code does not work, typed in small letters")
	}
	r.step(stepChoose)
	r.shows("/setup", "Мария", "@masha")
	if r.becomes(6, r.code) {
		t.Error("a second person became owner with the same code")
	}
	second := r.code
	r.form("do", "code")
	if r.code != second {
		t.Error("a new code was made although there is an owner")
	}
}

func TestSetUp_ACodeThatHasRunOutIsReplaced(t *testing.T) {
	r := newSetupRig(t, "")
	r.form("do", "token", "token", botToken)
	r.mutate(`UPDATE setup SET expires = expires - 16 * 60 * 1000`)
	if page := r.shows("/setup", "Show the link"); strings.Contains(page, r.code) {
		t.Error("the page shows a code that has run out")
	}
	if r.becomes(5, r.code) {
		t.Error("a code that has run out worked")
	}
	old := r.code
	r.form("do", "code")
	if r.code == old || !r.becomes(5, r.code) {
		t.Error("the new code does not work")
	}
}

func TestSetUp_GoesOnWhereItWasLeftUntilItIsDone(t *testing.T) {
	r := newSetupRig(t, "")
	if w := r.send(http.MethodPost, "/setup", "do=test&name=Emma", false); w.Header().Get("Location") != "/setup" {
		t.Errorf("got %d; want the first step first", w.Code)
	}
	r.form("do", "token", "token", botToken)
	r.becomes(5, r.code)
	r.step(stepChoose)
	r.shows("/setup", `value="birthday"`, `value="new-year" checked`)
	r.refused(422, "not offered", "do", "choose", "language", "xx")
	r.refused(422, "no such template", "do", "choose", "template", "no-such")
	if to := r.form("do", "choose", "language", "en", "template", "birthday"); to != "/setup?step=test" {
		t.Errorf("got led to %q", to)
	}
	if got := fmt.Sprint(r.settings.changed[1:]); !strings.Contains(got, `language = "en"`) {
		t.Errorf("got %s", got)
	}
	if first := r.opts.Offers.List()[0].ID; first != "birthday" {
		t.Errorf("got %s offered first; want the one that was chosen", first)
	}
	r.step(stepTest)
	r.shows("/setup?step=choose", "Save and go on")
	r.refused(422, "digits", "do", "test", "name", "Emma7")
	r.form("do", "test", "name", "Emma")
	r.step(stepTest)
	r.shows("/setup", "Look at Telegram", "Emma")
	if n := r.number(`SELECT count(*) FROM requests r JOIN assets a ON a.id = r.asset_id
		WHERE r.user_id = 5 AND r.chat_id = 5 AND a.name = 'Emma' AND a.lang = 'ru'`); n != 1 {
		t.Errorf("got %d requests of the owner; want 1, in their language", n)
	}
	r.shows("/setup?step=done", "https://t.me/retake_bot", "/admin")
	r.mutate(`UPDATE requests SET status = 'COMPLETED', finished = 1`)
	r.step(stepDone)
	if to := r.form("do", "finish"); to != "/?notice=set-up" {
		t.Errorf("got led to %q", to)
	}
	if w := r.send(http.MethodGet, "/setup", "", false); w.Header().Get("Location") != "/" {
		t.Errorf("got %d, %s; want the library", w.Code, w.Body)
	}
	if w := r.send(http.MethodGet, "/setup", "", true); w.Code != http.StatusNotFound {
		t.Errorf("got %d; want 404", w.Code)
	}
	for _, body := range []string{"do=code", "do=token&token=" + url.QueryEscape(botToken)} {
		if w := r.send(http.MethodPost, "/setup", body, false); w.Code != http.StatusNotFound {
			t.Errorf("%s: got %d; want 404", body, w.Code)
		}
	}
}

func TestSetUp_WhatFileOrEnvironmentSetIsLocked(t *testing.T) {
	for _, c := range []struct {
		file  string
		env   []string
		where string
	}{
		{"[telegram]\ntoken = \"" + botToken + "\"\n", nil, "config.toml:2"},
		{"", []string{"RETAKE_TELEGRAM_TOKEN=" + botToken}, "RETAKE_TELEGRAM_TOKEN"},
	} {
		r := newSetupRig(t, c.file, c.env...)
		r.step(stepOwner)
		r.shows("/setup", "Show the link", "The token is set in "+c.where)
		r.refused(409, "The token is set in "+c.where, "do", "token", "token", botToken)
		r.form("do", "code")
		if page := r.shows("/setup", r.code); strings.Contains(page, botSecret) {
			t.Error("the token is on the page")
		}
	}
	r := newSetupRig(t, "language = \"en\"\n")
	r.form("do", "token", "token", botToken)
	r.becomes(5, r.code)
	r.shows("/setup", "Set in config.toml:1")
	r.form("do", "choose", "language", "ru", "template", "birthday")
	if got := len(r.settings.changed); got != 1 {
		t.Errorf("got %q; want the token alone", r.settings.changed)
	}
}

func TestSetUp_WhoeverConfiguredABotAndAnOwnerNeverMeetsIt(t *testing.T) {
	r := newSetupRig(t, "[telegram]\ntoken = \""+botToken+"\"\nowners = [8]\n")
	if w := r.send(http.MethodGet, "/setup", "", false); w.Header().Get("Location") != "/" {
		t.Errorf("got %d, %s; want the library", w.Code, w.Body)
	}
	if w := r.send(http.MethodPost, "/setup", "do=code", true); w.Code != http.StatusNotFound {
		t.Errorf("got %d, %s; want 404", w.Code, w.Body)
	}
	for owner, want := range map[bool]string{true: "/", false: "/"} {
		if to, err := r.home(t.Context(), store.Admin{ID: 8, Owner: owner}); err != nil || to != want {
			t.Errorf("got %q, %v; want %q", to, err, want)
		}
	}
	if n := r.number(`SELECT count(*) FROM setup`); n != 0 {
		t.Error("a set-up has begun")
	}
}

func TestSetUp_IsWhereAnOwnerBeginsAndNobodyElse(t *testing.T) {
	r := newSetupRig(t, "")
	for owner, want := range map[bool]string{true: "/setup", false: "/"} {
		if to, err := r.home(t.Context(), store.Admin{ID: 7, Owner: owner}); err != nil || to != want {
			t.Errorf("owner %v: got %q, %v; want %q", owner, to, err, want)
		}
	}
	library := func() string { return r.do(r.Library, sent{method: http.MethodGet}).Body.String() }
	if page := library(); !strings.Contains(page, `href="/setup"`) {
		t.Errorf("got %s; want a way to the set-up", page)
	}
	r.form("do", "token", "token", botToken)
	r.becomes(5, r.code)
	if page := library(); !strings.Contains(page, `href="/setup"`) {
		t.Error("an unfinished set-up is not on the library")
	}
	r.form("do", "finish")
	if page := library(); strings.Contains(page, `href="/setup"`) {
		t.Error("a finished set-up is on the library")
	}
}

func TestSetUp_ATestVideoNeedsAChat(t *testing.T) {
	r := newSetupRig(t, "[telegram]\nowners = [8]\n")
	r.form("do", "token", "token", botToken)
	r.refused(409, "Send /start to the bot", "do", "test", "name", "Emma")
	if err := r.store.Tx(t.Context(), func(tx *store.Tx) error { _, err := tx.UpsertUser(8, "en"); return err }); err != nil {
		t.Fatal(err)
	}
	r.form("do", "test", "name", "Emma")
	r.opts.Rude = []string{"дурак*"}
	r.refused(422, "that word", "do", "test", "name", "Дурак")
}

func TestSetUp_OwnerCodesAreToldFromSources(t *testing.T) {
	for _, text := range []string{"", "newspaper", "owner", "owne-r"} {
		if _, ok := OwnerCode(text); ok {
			t.Errorf("%q is taken for a code", text)
		}
	}
	if _, ok := OwnerCode(" " + newCode()); !ok {
		t.Error("a code is not taken for one")
	}
}

// ---- the bot's own page

func newBotRig(t *testing.T) (*setupRig, *profiled) {
	r := newSetupRig(t, "[telegram]\ntoken = \""+botToken+"\"\nowners = [8]\n")
	return r, r.opts.Bot.(*profiled)
}

func TestBot_ItsTextsAreSetInEachLanguage(t *testing.T) {
	r, bot := newBotRig(t)
	form := url.Values{"lang": {"ru"}, "name": {" Поздравления "}, "description": {"Видео\u202e\r\nс именем"},
		"short_description": {"Ви\u2066део\a"}}.Encode()
	w := r.do(r.ChangeBot, sent{path: "/bot", body: form})
	if to := w.Header().Get("Location"); to != "/bot?lang=ru&notice=saved" {
		t.Errorf("got %d, %q, %s", w.Code, to, w.Body)
	}
	want := telegram.Profile{Name: "Поздравления", Description: "Видео\nс именем", Short: "Видео"}
	if got := bot.texts["ru"]; got != want || bot.texts[""] != (telegram.Profile{}) {
		t.Errorf("got %+v; want %+v in Russian alone", bot.texts, want)
	}
	w = r.do(r.BotPage, sent{method: http.MethodGet, path: "/bot?lang=ru"})
	for _, want := range []string{"https://t.me/retake_bot", `<svg class="qr"`, "Поздравления", "Save in Telegram"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("got %d, %s; want %q", w.Code, w.Body, want)
		}
	}
	if n := r.number(`SELECT count(*) FROM audit WHERE action = 'bot' AND admin = 8`); n != 1 {
		t.Errorf("got %d notes; want 1", n)
	}
}

func TestBot_AnOldFormIsToldThatTheTextsHaveChanged(t *testing.T) {
	r, bot := newBotRig(t)
	page := r.do(r.BotPage, sent{method: http.MethodGet, path: "/bot?lang=en"}).Body.String()
	version := regexp.MustCompile(`name="version" value="(\w+)"`).FindStringSubmatch(page)
	if version == nil {
		t.Fatalf("got %s; want a form that knows what it shows", page)
	}
	bot.texts["en"] = telegram.Profile{Name: "Theirs"}
	form := url.Values{"lang": {"en"}, "name": {"Mine"}, "version": {version[1]}}.Encode()
	w := r.do(r.ChangeBot, sent{path: "/bot", body: form})
	if w.Code != 409 || !strings.Contains(w.Body.String(), `value="Mine"`) || bot.texts["en"].Name != "Theirs" {
		t.Errorf("got %d, %+v, %s; want what was typed, and theirs kept", w.Code, bot.texts, w.Body)
	}
}

func TestBot_WhatTelegramWouldRefuseIsSaidAtItsField(t *testing.T) {
	r, bot := newBotRig(t)
	form := url.Values{"name": {strings.Repeat("😀", 33)}, "short_description": {strings.Repeat("я", 121)}}.Encode()
	w := r.do(r.ChangeBot, sent{path: "/bot", body: form})
	if w.Code != 422 || !strings.Contains(w.Body.String(), "at most 64 characters") ||
		!strings.Contains(w.Body.String(), "at most 120 characters") || len(bot.texts) != 0 {
		t.Errorf("got %d, %s, %v", w.Code, w.Body, bot.texts)
	}
	w = r.do(r.ChangeBot, sent{path: "/bot", body: "lang=xx"})
	if w.Code != 422 {
		t.Errorf("got %d, %s; want 422", w.Code, w.Body)
	}
	r.opts.Bot = nil
	if w = r.do(r.BotPage, sent{method: http.MethodGet, path: "/bot", json: true}); w.Code != 409 {
		t.Errorf("got %d, %s; want 409 without a bot", w.Code, w.Body)
	}
}
