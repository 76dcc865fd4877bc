// The set-up: from the bot's token to the first video in Telegram, in five steps. Owners see it until it is done.

package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"retake.example/internal/config"
	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
)

// botSelf is the bot as Telegram knows it.
type botSelf interface {
	Link(ctx context.Context) (string, error)
	Profile(ctx context.Context, language string) (telegram.Profile, error)
	SetProfile(ctx context.Context, language string, from, to telegram.Profile) error
}

// The steps of the set-up.
const (
	stepToken  = "token"
	stepOwner  = "owner"
	stepChoose = "choose"
	stepTest   = "test"
	stepDone   = "done"
)

// chosenSteps can be gone back to: they change what was there before.
var chosenSteps = []string{stepChoose, stepTest, stepDone}

// Setup is the page.
type Setup struct {
	Success bool            `json:"success"`
	Step    string          `json:"step"`
	Bot     string          `json:"bot,omitempty"`        // its link
	Where   string          `json:"token_from,omitempty"` // what sets the token, if the page cannot
	Owned   bool            `json:"has_owner"`
	Expires time.Time       `json:"code_expires,omitzero"` // zero: no code works
	Test    string          `json:"test,omitempty"`        // id of the test video
	Faults  []Trouble       `json:"faults,omitempty"`
	Owner   store.AdminName `json:"-"` // of the first owner, as far as known
	Problem string          `json:"-"` // what was wrong with the form
	Start   string          `json:"-"` // link that makes somebody the owner; "": this browser has no code that works
	Code    string          `json:"-"` // what to send to the bot instead
	QR      template.HTML   `json:"-"` // of that link, or of the bot's

	LanguageLocked string     `json:"-"` // what sets it, if the page cannot
	Languages      []Language `json:"-"`
	Lang           string     `json:"-"`
	Templates      []Template `json:"-"`
	Template       string     `json:"-"`
	Sample         string     `json:"-"` // a name for the test video
	Title          string     `json:"-"` // of the template
	Cards          []Card     `json:"-"` // the test video
}

// number is the place of a step among the five.
func number(step string) int {
	return slices.Index([]string{stepToken, stepOwner, stepChoose, stepTest, stepDone}, step)
}

// Past reports whether a step lies behind the open one.
func (s Setup) Past(step string) bool { return number(step) < number(s.Step) }

// Steps are all of them.
func (Setup) Steps() []string { return []string{stepToken, stepOwner, stepChoose, stepTest, stepDone} }

// PastStep is a step that lies behind.
type PastStep struct {
	View Setup
	Step string
}

// About is what is said of a step that lies behind.
func (s Setup) About(step string) PastStep { return PastStep{s, step} }

// setUp is how far the set-up is.
type setUp struct {
	cfg   config.Config
	row   store.Setup
	chose bool // a template, on the page
	bot   bool // there is a bot
	owned bool // there is an owner
	needs bool // the bot or its owner is missing
	open  bool // that, or the rest of the set-up is not done
}

// setUp looks how far the set-up is. There is none where no settings can be changed.
func (d *Desk) setUp(ctx context.Context) (u setUp, err error) {
	if d.opts.Settings == nil {
		return u, nil
	}
	u.cfg, u.bot = d.opts.Settings.Current(), d.opts.BotOn
	if u.row, err = d.store.Setup(ctx); err == nil {
		u.open = true
	} else if !errors.Is(err, store.ErrNotFound) {
		return u, fmt.Errorf("set-up: %w", err)
	}
	if u.owned = len(d.opts.Staff.Owners) > 0; !u.owned {
		if u.owned, err = d.store.HasOwner(ctx); err != nil {
			return u, fmt.Errorf("set-up: %w", err)
		}
	}
	offers, err := d.store.Offers(ctx)
	if err != nil {
		return u, fmt.Errorf("set-up: %w", err)
	}
	u.chose = len(offers) > 0
	u.needs = !u.bot || !u.owned
	u.open = u.open || u.needs
	return u, nil
}

// step is the first that is not done. asked is one that the reader wants to see.
func (u setUp) step(asked string, delivered bool) string {
	switch {
	case !u.bot:
		return stepToken
	case !u.owned:
		return stepOwner
	case slices.Contains(chosenSteps, asked):
		return asked
	case delivered:
		return stepDone
	case u.row.Test != "", u.chose, u.cfg.Origin("language") == config.FromPage:
		return stepTest
	}
	return stepChoose
}

// home is where somebody who has signed in begins.
func (d *Desk) home(ctx context.Context, admin store.Admin) (string, error) {
	u, err := d.setUp(ctx)
	if err == nil && u.needs && admin.Owner {
		return "/setup", nil
	}
	return "/", err
}

// lockedBy says what sets a key that the page cannot set; "": it can.
func lockedBy(cfg config.Config, key string) string {
	if !cfg.Locked(key) {
		return ""
	}
	return cfg.From[key]
}

// SetUp answers with the page, and with the library when there is nothing left to set up.
func (d *Desk) SetUp(w http.ResponseWriter, r *http.Request) error {
	u, err := d.setUp(r.Context())
	switch {
	case err != nil:
		return err
	case d.opts.Settings == nil:
		return NotFound
	case !u.open && WantsJSON(r):
		return NotFound
	case !u.open:
		return redirect(w, "/")
	}
	view, err := d.setupView(r, u)
	if err != nil {
		return err
	}
	return d.answer(w, r, "setup", Frame{Title: sayTo(r)("title_setup", nil), Here: "/setup"}, view)
}

// setupView is the page as far as the set-up is.
func (d *Desk) setupView(r *http.Request, u setUp) (s Setup, err error) {
	ctx := r.Context()
	s = Setup{Success: true, Owned: u.owned, Expires: u.row.Expires, Test: u.row.Test, Faults: d.faults(r),
		Where: lockedBy(u.cfg, "telegram.token"), LanguageLocked: lockedBy(u.cfg, "language"),
		Lang: u.cfg.Language, Template: d.opts.Offers.List()[0].ID}
	var tests []store.Listed
	if u.row.Test != "" {
		test, err := d.store.Card(ctx, u.row.Test)
		switch {
		case err == nil:
			tests = append(tests, test)
		case !errors.Is(err, store.ErrNotFound): // somebody has deleted it
			return s, fmt.Errorf("set-up: %w", err)
		}
	}
	s.Step = u.step(r.URL.Query().Get("step"), len(tests) > 0 && tests[0].Served > 0)
	if u.bot {
		s.Bot = d.botLink(ctx)
	}
	if u.owned {
		if s.Owner, err = d.firstOwner(ctx); err != nil {
			return s, err
		}
	}
	switch s.Step {
	case stepOwner:
		return s, d.offerCode(r, u, &s)
	case stepChoose:
		s.Languages = languagesOfPage()
		if d.draws() == nil { // other engines have no templates to choose from
			s.Templates = d.templates(d.opts.Shelf.Available(), languageOf(r))
		}
	case stepTest:
		s.Sample = sayTo(r)("setup_sample", nil)
		s.Title = video.TitleOf(d.opts.Offers.List(), s.Template, languageOf(r))
		s.Cards, err = d.cards(r, tests...)
	case stepDone:
		s.QR, err = qrOf(r, s.Bot)
	}
	return s, err
}

// qrOf draws the link of the bot, if it is known.
func qrOf(r *http.Request, link string) (template.HTML, error) {
	if link == "" {
		return "", nil
	}
	return QRCode(link, sayTo(r)("qr_label", Vars{"Link": link}))
}

// templates describes templates, with their pictures.
func (d *Desk) templates(offers []video.Offer, language string) (list []Template) {
	for _, o := range offers {
		t := Template{ID: o.ID, Title: video.TitleOf(offers, o.ID, language)}
		if d.opts.Covers.Has(o.ID) {
			t.Picture = "/templates/" + o.ID + ".jpg"
		}
		list = append(list, t)
	}
	return list
}

// linkTime is how long a page waits for Telegram to say who the bot is.
const linkTime = 4 * time.Second

// botLink is the address of the bot; "" while Telegram does not tell. It is asked once.
func (d *Desk) botLink(ctx context.Context) string {
	if known := d.bot.Load(); known != nil {
		return *known
	}
	if d.opts.Bot == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, linkTime)
	defer cancel()
	link, err := d.opts.Bot.Link(ctx)
	if err != nil {
		d.log.Warn("ask Telegram who the bot is", "err", err)
		return ""
	}
	d.bot.Store(&link)
	return link
}

// firstOwner is what the first owner is called.
func (d *Desk) firstOwner(ctx context.Context) (store.AdminName, error) {
	staff, err := d.staff(ctx)
	if err != nil || len(staff.Owners) == 0 {
		return store.AdminName{}, err
	}
	return staff.Names[staff.Owners[0]], nil
}

// ---- the owner

// codeBegins is what a code begins with, so that it is never taken for the source of a visitor.
const codeBegins = "owner-"

// newCode returns 80 random bits that can be typed.
func newCode() string { return codeBegins + rand.Text()[:16] }

// OwnerCode returns the hash of a code that somebody sent to the bot; not ok: it is none.
func OwnerCode(text string) (hash [32]byte, ok bool) {
	text = strings.TrimSpace(text)
	if len(text) < len(codeBegins) || !strings.EqualFold(text[:len(codeBegins)], codeBegins) {
		return hash, false
	}
	return sha256.Sum256([]byte(strings.ToUpper(text))), true
}

// codeCookie is the name of the cookie with the code, of which the database has only the hash.
func (d *Desk) codeCookie() string { return d.cookie + "-code" }

// offerCode shows the code that this browser was given, if it still works.
func (d *Desk) offerCode(r *http.Request, u setUp, s *Setup) (err error) {
	kept, err := r.Cookie(d.codeCookie())
	if err != nil || u.row.Expires.IsZero() || s.Bot == "" {
		return nil
	}
	if hash, ok := OwnerCode(kept.Value); !ok || hash != u.row.Code {
		return nil
	}
	s.Start, s.Code = s.Bot+"?start="+kept.Value, "/start "+kept.Value
	s.QR, err = QRCode(s.Start, sayTo(r)("qr_label", Vars{"Link": s.Start}))
	return err
}

// offerOwnership makes a new code and gives it to the browser.
func (d *Desk) offerOwnership(w http.ResponseWriter) (code string, err error) {
	code = newCode()
	hash, _ := OwnerCode(code)
	if err := d.store.Tx(d.ctx, func(tx *store.Tx) error { return tx.OfferOwnership(hash) }); err != nil {
		return "", fmt.Errorf("make a code for the owner: %w", err)
	}
	d.setCookie(w, d.codeCookie(), code, store.OwnerCodeLife)
	return code, nil
}

// ---- what is sent

// AdvanceSetup takes one step.
func (d *Desk) AdvanceSetup(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	u, err := d.setUp(r.Context())
	switch {
	case err != nil:
		return err
	case !u.open:
		return NotFound
	}
	act := map[string]func(http.ResponseWriter, *http.Request, setUp, map[string]string) error{
		"token": d.connectBot, "code": d.newOwnerCode, "choose": d.chooseFirst, "test": d.testVideo, "finish": d.finishSetup,
	}[sent["do"]]
	if act == nil {
		return Invalid("error_form", nil)
	}
	err = act(w, r, u, sent)
	if refused, ok := errors.AsType[HTTPError](err); ok && refused.Status < http.StatusInternalServerError {
		return d.refuseSetup(w, r, u, refused)
	}
	return err
}

// refuseSetup shows the page again, with what was wrong. What was typed is not shown: it may be a token.
func (d *Desk) refuseSetup(w http.ResponseWriter, r *http.Request, u setUp, e HTTPError) error {
	view, err := d.setupView(r, u)
	if err != nil {
		return err
	}
	say := sayTo(r)
	view.Problem = say(e.ID, e.Vars)
	if WantsJSON(r) {
		return e
	}
	return d.page(w, r, e.Status, "setup", Frame{Title: say("title_setup", nil), SignedIn: true, Here: "/setup"}, view)
}

// token finds a bot's token in what was pasted: it may be the whole message of @BotFather.
var token = regexp.MustCompile(`\b\d{5,}:[A-Za-z0-9_-]{30,}`)

// connectBot asks Telegram about a token, keeps it, and has the program go on with it.
func (d *Desk) connectBot(w http.ResponseWriter, r *http.Request, u setUp, sent map[string]string) error {
	if where := lockedBy(u.cfg, "telegram.token"); where != "" {
		return HTTPError{http.StatusConflict, "LOCKED", "setup_token_locked", Vars{"Where": where}}
	}
	found := token.FindString(sent["token"])
	if found == "" {
		return Invalid("setup_token_shape", nil)
	}
	_, err := telegram.Look(r.Context(), telegram.NewClient(), u.cfg.Telegram.APIURL, found)
	switch class := telegram.ClassOf(err); {
	case err == nil:
	case class == telegram.Token:
		return Invalid("setup_token_wrong", nil)
	case class == telegram.LoggedOut:
		return Invalid("setup_token_logged_out", nil)
	case class == telegram.Stopped:
		return err
	default:
		d.log.Warn("ask Telegram about a token", "err", err)
		return HTTPError{http.StatusConflict, "UNREACHABLE", "setup_unreachable", nil}
	}
	if !u.owned {
		if _, err := d.offerOwnership(w); err != nil {
			return err
		}
	} else if err := d.store.Tx(d.ctx, (*store.Tx).BeginSetup); err != nil {
		return fmt.Errorf("begin the set-up: %w", err)
	}
	if err := d.set(r, map[string]string{"telegram.token": config.TOML(found)}); err != nil {
		return err
	}
	return doneAt(w, r, "/setup", "connected", "")
}

// set changes settings. The set-up has no fields for what is wrong with others.
func (d *Desk) set(r *http.Request, set map[string]string) error {
	err := d.change(r, set, nil)
	if faults, ok := errors.AsType[config.Faults](err); ok {
		return Invalid("setup_faults", Vars{"Faults": faults.Error()})
	}
	return err
}

// newOwnerCode makes a code for a browser that has none.
func (d *Desk) newOwnerCode(w http.ResponseWriter, r *http.Request, u setUp, _ map[string]string) error {
	if u.owned || !u.bot {
		return doneAt(w, r, "/setup", "joined", "")
	}
	code, err := d.offerOwnership(w)
	if err != nil {
		return err
	}
	if WantsJSON(r) {
		return JSON(w, http.StatusOK, map[string]any{"success": true, "outcome": "offered", "code": code,
			"link": d.botLink(r.Context()) + "?start=" + code})
	}
	return redirect(w, "/setup")
}

// chooseFirst sets the language and the template, as far as the page can.
func (d *Desk) chooseFirst(w http.ResponseWriter, r *http.Request, u setUp, sent map[string]string) error {
	if u.needs {
		return redirect(w, "/setup")
	}
	set := map[string]string{}
	if l := sent["language"]; l != "" && lockedBy(u.cfg, "language") == "" {
		if !slices.Contains(lang.Languages, l) {
			return Invalid("error_language", Vars{"Offered": strings.Join(lang.Languages, ", ")})
		}
		set["language"] = config.TOML(l)
	}
	if id := sent["template"]; id != "" && d.draws() == nil {
		if !slices.ContainsFunc(d.opts.Shelf.Available(), func(o video.Offer) bool { return o.ID == id }) {
			return Invalid("setup_template", nil)
		}
		if err := d.offer("template offer", id, AdminOf(r), func(ids []string) ([]string, error) {
			return append([]string{id}, slices.DeleteFunc(ids, func(o string) bool { return o == id })...), nil
		}); err != nil {
			return fmt.Errorf("set-up: %w", err)
		}
	}
	if err := d.store.Tx(d.ctx, (*store.Tx).BeginSetup); err != nil {
		return fmt.Errorf("set-up: %w", err)
	}
	if len(set) > 0 {
		if err := d.set(r, set); err != nil {
			return err
		}
	}
	return doneAt(w, r, "/setup?step="+stepTest, "saved", "")
}

// NoChat refuses a test video that nobody could get.
var NoChat = HTTPError{http.StatusConflict, "NO_CHAT", "setup_no_chat", nil}

// testVideo asks for a video in the name of an owner, who gets it in Telegram like everybody.
func (d *Desk) testVideo(w http.ResponseWriter, r *http.Request, u setUp, sent map[string]string) error {
	if u.needs {
		return redirect(w, "/setup")
	}
	owner, language, err := d.recipient(r)
	if err != nil {
		return err
	}
	design := d.opts.Offers.List()[0].Template()
	named, problem, err := NameRules{CanDraw: d.opts.CanDraw, Rude: d.opts.Rude}.Read(design, sent["name"])
	switch {
	case err != nil:
		return err
	case problem != "":
		return Invalid(problem, nil)
	}
	var a store.Asset
	err = d.store.Tx(d.ctx, func(tx *store.Tx) (err error) {
		order := store.Order{User: owner, Chat: owner, Name: named.Name, Key: named.Key, Template: design, Lang: language}
		var result store.Result
		if a, result, err = tx.ShareOrCreate(order, tx.Now().Add(-d.opts.ReuseFor)); err != nil {
			return err
		}
		if err := tx.Note(store.Event{User: owner, Action: "ask", AssetID: a.ID, Outcome: string(result)}); err != nil {
			return err
		}
		return tx.KeepTest(a.ID)
	})
	if err != nil {
		return fmt.Errorf("make a test video: %w", err)
	}
	return doneAt(w, r, "/setup?step="+stepTest, "created", a.ID)
}

// recipient is the owner who looks, or else the first who has written to the bot.
func (d *Desk) recipient(r *http.Request) (owner int64, language string, err error) {
	staff, err := d.staff(r.Context())
	if err != nil {
		return 0, "", err
	}
	for _, id := range append([]int64{AdminOf(r).ID}, staff.Owners...) {
		language, err := d.store.Language(r.Context(), id)
		if err == nil || !errors.Is(err, store.ErrNotFound) {
			return id, language, err
		}
	}
	return 0, "", NoChat
}

// finishSetup ends the set-up.
func (d *Desk) finishSetup(w http.ResponseWriter, r *http.Request, u setUp, _ map[string]string) error {
	if u.needs {
		return redirect(w, "/setup")
	}
	if err := d.store.Tx(d.ctx, (*store.Tx).EndSetup); err != nil {
		return fmt.Errorf("end the set-up: %w", err)
	}
	return doneAt(w, r, "/?notice=set-up", "set-up", "")
}
