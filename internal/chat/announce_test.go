// Tests of how announcements are sent: to whom, behind what, and what the answers of Telegram mean.

package chat

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/testrig"
	"retake.example/internal/worker"
)

// news is a bot that sends announcements, with the people around it.
type news struct {
	*Chat
	t    *testing.T
	tg   *faketelegram.Server
	pool *worker.Pool
}

func newNews(t *testing.T) *news {
	t.Helper()
	tg := faketelegram.New(testrig.Token)
	server := httptest.NewServer(tg)
	t.Cleanup(func() { tg.Close(); server.Close() })
	st := testrig.NewStore(t)
	log := slog.New(slog.DiscardHandler)
	c, err := New(st, Options{Token: testrig.Token, APIURL: server.URL, Language: "ru", Second: 10 * time.Millisecond,
		Announcements: true}, log)
	if err != nil {
		t.Fatal(err)
	}
	return &news{c, t, tg, worker.New(st, worker.Options{}, log)}
}

// person writes to the bot, and answers the question about announcements; "": not yet.
func (n *news) person(id int64, language string, answer store.Answer) *faketelegram.Person {
	n.t.Helper()
	p := n.tg.Person(id, fmt.Sprint("P", id), language)
	p.Send("/start")
	testrig.Write(n.t, n.Store, func(tx *store.Tx) error {
		if _, err := tx.UpsertUser(id, language); err != nil || answer == "" {
			return err
		}
		return tx.SetConsent(id, answer)
	})
	return p
}

// write saves an announcement.
func (n *news) write(texts map[string]string) (id int64) {
	n.t.Helper()
	testrig.Write(n.t, n.Store, func(tx *store.Tx) (err error) {
		id, err = tx.SaveAnnouncement(0, texts, time.Time{}, 8)
		return err
	})
	return id
}

func (n *news) start(id int64) {
	n.t.Helper()
	c, err := n.Store.Consents(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	testrig.Write(n.t, n.Store, func(tx *store.Tx) error { return tx.StartAnnouncement(id, time.Time{}, c.Agreed, 8) })
}

// run sends announcements until end is called or the test ends.
func (n *news) run() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { n.Announce(ctx, n.pool); close(done) }()
	end = sync.OnceFunc(func() { cancel(); <-done })
	n.t.Cleanup(end)
	return end
}

func (n *news) until(what string, is func() bool) {
	n.t.Helper()
	if err := testrig.Until(n.t, is, func() string { return fmt.Sprint(n.tg.Count()) }); err != nil {
		n.t.Fatalf("%s: %v", what, err)
	}
}

func (n *news) of(id int64) store.Announcement {
	n.t.Helper()
	a, err := n.Store.Announcement(context.Background(), id)
	if err != nil {
		n.t.Fatal(err)
	}
	return a
}

func (n *news) is(id int64, status store.AnnouncementStatus) store.Announcement {
	n.t.Helper()
	n.until(string(status), func() bool { return n.of(id).Status == status })
	return n.of(id)
}

// got lists what the bot has said to somebody.
func got(p *faketelegram.Person) (said []string) {
	for _, m := range testrig.Answers(p) {
		said = append(said, m.Text)
	}
	return said
}

func TestAnnounce_OnlyThoseWhoAgreedGetItEachInTheirLanguage(t *testing.T) {
	n := newNews(t)
	ru, en := n.person(1, "ru", store.Agreed), n.person(2, "en", store.Agreed)
	n.person(7, "ru", store.Agreed)
	declined, silent, asked, ended := n.person(3, "ru", store.Declined), n.person(4, "ru", ""), n.person(5, "ru", ""),
		n.person(6, "ru", store.Agreed)
	testrig.Write(t, n.Store, func(tx *store.Tx) error {
		if _, err := tx.AskConsent(5); err != nil {
			return err
		}
		if err := tx.SetReachable(6, false); err != nil { // and comes back
			return err
		}
		if err := tx.SetReachable(6, true); err != nil {
			return err
		}
		return tx.Ban(7, 8, "")
	})
	id := n.write(map[string]string{"": "Новый год!", "en": "New year!"})
	n.start(id)
	n.run()
	a := n.is(id, store.Done)
	if a.People != 2 || a.Delivered != 2 || a.Blocked+a.Failed != 0 {
		t.Errorf("got %+v; want two delivered", a)
	}
	for _, c := range []struct {
		p    *faketelegram.Person
		want []string
	}{{ru, []string{"Новый год!"}}, {en, []string{"New year!"}}, {declined, nil}, {silent, nil}, {asked, nil}, {ended, nil}} {
		if said := got(c.p); !slices.Equal(said, c.want) {
			t.Errorf("%d: got %q; want %q", c.p.ID(), said, c.want)
		}
	}
	m := testrig.Answers(en)[0]
	if len(m.Buttons) != 1 || m.Buttons[0][0].Text != lang.Say("en", "button_news_stop", nil) ||
		m.Buttons[0][0].Data != "news:stop" {
		t.Errorf("got %+v; want the button that ends them", m.Buttons)
	}
}

func TestAnnounce_WhoOptsOutBlocksOrIsForgottenMeanwhileGetsNothing(t *testing.T) {
	n := newNews(t)
	people := map[int64]*faketelegram.Person{}
	for id := int64(1); id <= 6; id++ {
		people[id] = n.person(id, "ru", store.Agreed)
	}
	people[5].Block()
	id := n.write(map[string]string{"": "Новости"})
	n.start(id)
	clear := n.tg.Inject(faketelegram.Fault{Method: "sendMessage", Chat: 1, Times: -1, RetryAfter: 100})
	testrig.Write(t, n.Store, func(tx *store.Tx) error {
		_, err := tx.Forget(3)
		return err
	})
	n.pressStop(2)
	testrig.Write(t, n.Store, func(tx *store.Tx) error { return tx.Ban(4, 8, "") })
	n.run()
	n.until("the first waits", func() bool {
		return testrig.Count(t, n.Store, `SELECT count(*) FROM announced WHERE user_id = 1 AND outcome = 'waiting'`) == 1
	})
	n.until("the last has it", func() bool { return len(got(people[6])) == 1 })
	n.pressStop(1) // while their copy waits for the end of the 429
	clear()
	a := n.is(id, store.Done)
	if a.People != 6 || a.Delivered != 1 || a.Blocked != 1 || a.Failed != 0 || a.Left() != 4 {
		t.Errorf("got %+v; want one delivered, one blocked, four who got none", a)
	}
	for id, p := range people {
		if said := got(p); len(said) > 0 != (id == 6) {
			t.Errorf("%d: got %q", id, said)
		}
	}
	if left := testrig.Text(t, n.Store, `SELECT group_concat(user_id || answer) FROM (SELECT * FROM consents ORDER BY user_id)`); left !=
		"1declined,2declined,4ended,5ended,6agreed" {
		t.Errorf("got %s; want the consent of who has blocked the bot ended, and nothing of who is forgotten", left)
	}
}

// pressStop is a press on the button below an announcement.
func (n *news) pressStop(user int64) {
	n.t.Helper()
	turn := NewTurn(store.Update{ID: n.Store.Now().UnixNano()}, "ru")
	if err := n.AnswerNews(n.t.Context(), turn, "", store.User{ID: user, Lang: "ru"}, 0, noMore); err != nil {
		n.t.Fatal(err)
	}
	if want := lang.Say("ru", "toast_news_no", nil); turn.toast != want || len(turn.left.Answers) > 0 {
		n.t.Errorf("got the toast %q and %v; want %q and no message", turn.toast, turn.left.Answers, want)
	}
}

func TestAnnounce_WhatPeopleWaitForPassesInFront(t *testing.T) {
	n := newNews(t)
	reader := n.person(1, "ru", store.Agreed)
	id := n.write(map[string]string{"": "Новости"})
	n.start(id)
	for user := int64(100); user < 140; user++ { // their videos are ready to be sent
		testrig.Ask(t, n.Store, "Маша", user)
	}
	testrig.Complete(t, n.Store)
	n.run()
	for range 40 { // while any is owed, nothing goes out
		task := testrig.Begin(t, n.Store, store.Deliver)
		if said := got(reader); len(said) > 0 && task.RequestID < 40 {
			t.Fatalf("got %q while %d videos are due", said, 40-int(task.RequestID))
		}
		testrig.Write(t, n.Store, func(tx *store.Tx) error { return tx.VideoArrived(task.Job, 1, "file") })
		testrig.Write(t, n.Store, func(tx *store.Tx) error { _, err := tx.FinishMessage(&task, 1); return err })
	}
	n.is(id, store.Done)
	if said := got(reader); len(said) != 1 {
		t.Errorf("got %q; want it after the videos", said)
	}
}

func TestAnnounce_PausesAndGoesOnWhereItStopped(t *testing.T) {
	n := newNews(t)
	var people []*faketelegram.Person
	for id := int64(1); id <= 60; id++ {
		people = append(people, n.person(id, "ru", store.Agreed))
	}
	id := n.write(map[string]string{"": "Новости"})
	n.start(id)
	end := n.run()
	n.until("some have it", func() bool { return n.of(id).Delivered >= 5 })
	testrig.Write(t, n.Store, func(tx *store.Tx) error { return tx.PauseAnnouncement(id, 8) })
	sent := func() (all int) {
		for _, p := range people {
			all += len(got(p))
		}
		return all
	}
	n.until("the one under way is written down", func() bool { return sent() == n.of(id).Delivered })
	paused := sent()
	end() // whatever is under way has ended
	if sent() > paused+1 || paused == 60 {
		t.Errorf("got %d sent when paused, %d after that; want at most the one under way", paused, sent())
	}
	testrig.Write(t, n.Store, func(tx *store.Tx) error { return tx.ContinueAnnouncement(id, 8) })
	n.run()
	n.is(id, store.Done)
	for _, p := range people {
		if said := got(p); len(said) != 1 {
			t.Errorf("%d: got %q; want it once", p.ID(), said)
		}
	}
}

func TestAnnounce_EachAnswerOfTelegramMeansOneThing(t *testing.T) {
	for name, c := range map[string]struct {
		fault   faketelegram.Fault
		want    string // delivered, blocked or failed
		code    string
		copies  int
		repeats int // copies after "try the failed ones again"
	}{
		"a 429 only slows": {fault: faketelegram.Fault{RetryAfter: 1, Times: 2}, want: "delivered", copies: 1},
		"a 5xx only slows": {fault: faketelegram.Fault{Status: 502, Times: 2}, want: "delivered", copies: 1},
		"a 429 that never ends": {fault: faketelegram.Fault{RetryAfter: 1, Times: mostCopyTries}, want: "failed",
			code: "telegram_rate", repeats: 1},
		"a refusal": {fault: faketelegram.Fault{Status: 400, Description: "Bad Request: no"}, want: "failed",
			code: "telegram_refused", repeats: 1},
		"an answer that is lost": {fault: faketelegram.Fault{NoResult: true}, want: "failed", code: store.MaybeSent,
			copies: 1, repeats: 2},
		"a block": {fault: faketelegram.Fault{Status: 403}, want: "blocked"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNews(t)
			p, other := n.person(1, "ru", store.Agreed), n.person(2, "ru", store.Agreed)
			c.fault.Method, c.fault.Chat = "sendMessage", 1
			n.tg.Inject(c.fault)
			id := n.write(map[string]string{"": "Новости"})
			n.start(id)
			n.run()
			a := n.is(id, store.Done)
			failed, err := n.Store.FailedCopies(t.Context(), id)
			if counts := fmt.Sprint(a.Delivered-1, a.Blocked, a.Failed); err != nil || len(got(p)) != c.copies ||
				len(got(other)) != 1 || counts != map[string]string{"delivered": "1 0 0", "blocked": "0 1 0", "failed": "0 0 1"}[c.want] ||
				c.code != "" && failed[c.code] != 1 {
				t.Fatalf("got %s, %v, %v, %d copies, %d of the other; want %s %s", counts, failed, err, len(got(p)), len(got(other)),
					c.want, c.code)
			}
			if n := testrig.Count(t, n.Store, `SELECT count(*) FROM jobs`); n != 0 {
				t.Errorf("got %d jobs; want no apology for an announcement", n)
			}
			if c.want != "failed" {
				return
			}
			testrig.Write(t, n.Store, func(tx *store.Tx) error { return tx.RepeatAnnouncement(id, 8) })
			a = n.is(id, store.Done)
			if a.Delivered != 2 || a.Failed != 0 || len(got(p)) != c.repeats || len(got(other)) != 1 {
				t.Errorf("repeated: got %+v and %d copies; want it delivered, and nothing more to the other", a, len(got(p)))
			}
		})
	}
}

func TestAnnounce_ATextThatTelegramRefusesIsPausedWithItsReason(t *testing.T) {
	n := newNews(t)
	for id := int64(1); id <= 40; id++ {
		n.person(id, "ru", store.Agreed)
	}
	n.tg.Inject(faketelegram.Fault{Method: "sendMessage", Times: -1, Status: 400, Description: "Bad Request: text"})
	id := n.write(map[string]string{"": "Новости"})
	n.start(id)
	n.run()
	if a := n.is(id, store.Halted); a.Failed != mostRefusals || a.Trouble != "telegram_refused" || a.Delivered != 0 {
		t.Errorf("got %+v; want it paused after %d refusals", a, mostRefusals)
	}
}

func TestAnnounce_ATelegramThatIsAwayCostsNoCopy(t *testing.T) {
	n := newNews(t)
	var people []*faketelegram.Person
	for id := int64(1); id <= 5; id++ {
		people = append(people, n.person(id, "ru", store.Agreed))
	}
	clear := n.tg.Inject(faketelegram.Fault{Times: -1, Status: 502})
	id := n.write(map[string]string{"": "Новости"})
	n.start(id)
	n.run()
	n.until("it was tried", func() bool { return n.tg.Count() > 4 })
	clear()
	if a := n.is(id, store.Done); a.Delivered != 5 {
		t.Errorf("got %+v; want all delivered", a)
	}
	for _, p := range people {
		if said := got(p); len(said) != 1 {
			t.Errorf("%d: got %q; want it once", p.ID(), said)
		}
	}
}

func TestAskForNews_OnceAndNotWhileSomethingIsOwed(t *testing.T) {
	n := newNews(t)
	happy, waiting, off := n.person(1, "en", ""), n.person(2, "en", ""), n.person(3, "en", "")
	a := testrig.Ask(t, n.Store, "Маша", 2)
	for range 2 {
		n.AskForNews(1)
		n.AskForNews(2)
	}
	n.Announcements = false
	n.AskForNews(3)
	n.Wait()
	question := testrig.Answers(happy)
	if len(question) != 1 || question[0].Text != lang.Say("en", "news_ask", nil) || len(question[0].Buttons[0]) != 2 {
		t.Errorf("got %+v; want the question, once", question)
	}
	if len(got(waiting)) > 0 || len(got(off)) > 0 {
		t.Errorf("got %q and %q; want nobody asked while they wait, or while it is off", got(waiting), got(off))
	}
	n.Announcements = true
	testrig.Write(t, n.Store, func(tx *store.Tx) error { _, err := tx.Cancel(2, a.ID); return err })
	n.AskForNews(2)
	n.Wait()
	if said := got(waiting); len(said) != 1 {
		t.Errorf("got %q; want them asked when nothing is owed any more", said)
	}
}

func TestAskForNews_AQuestionThatFoundNoTimeIsPutAfterTheNextVideo(t *testing.T) {
	n := newNews(t)
	p := n.person(1, "en", "")
	n.tg.Inject(faketelegram.Fault{Method: "sendMessage", Status: 400, Description: "Bad Request: no"})
	for range 3 {
		n.AskForNews(1)
		n.Wait()
	}
	if said := got(p); len(said) != 1 {
		t.Errorf("got %q; want it once", said)
	}
}

func TestNews_TheAnswersCountAtOnceAndCanBeChanged(t *testing.T) {
	n := newNews(t)
	u := store.User{ID: 1, Lang: "en"}
	n.person(1, "en", "")
	answer := func() string { return testrig.Text(t, n.Store, `SELECT max(ifnull(answer, 'none')) FROM consents`) }
	update := int64(100)
	step := func(fn func(*Turn) error) *Turn {
		t.Helper()
		update++
		turn := NewTurn(store.Update{ID: update}, "en")
		if err := fn(turn); err != nil {
			t.Fatal(err)
		}
		return turn
	}
	asks := func(turn *Turn) error { return n.News(t.Context(), turn, u) }
	presses := func(arg string) func(*Turn) error {
		return func(turn *Turn) error { return n.AnswerNews(t.Context(), turn, "q", u, 7, arg) }
	}
	turn := step(asks)
	if turn.left.Answers[0].Text != lang.Say("en", "news_ask", nil) || answer() != "none" {
		t.Errorf("got %+v, %s; want the question", turn.left, answer())
	}
	turn = step(presses(wantsNews))
	if a := turn.left.Answers[0]; answer() != "agreed" || a.Message != 7 || a.Text != lang.Say("en", "news_yes", nil) ||
		turn.toast != lang.Say("en", "toast_news_yes", nil) {
		t.Errorf("got %s, %+v, %q", answer(), a, turn.toast)
	}
	turn = step(asks)
	if a := turn.left.Answers[0]; a.Text != lang.Say("en", "news_on", nil) || a.Keyboard[0][0].Data != "news:no" {
		t.Errorf("got %+v; want how to end it", a)
	}
	step(presses(noNews))
	if answer() != "declined" {
		t.Errorf("got %s; want declined", answer())
	}
	step(presses("forged"))
	if turn = step(asks); answer() != "declined" || len(turn.left.Answers[0].Keyboard[0]) != 2 {
		t.Errorf("got %s, %+v; want the question again, because they ask", answer(), turn.left)
	}
}

func TestHelp_NamesTheCommandOnlyWhileAnnouncementsAreOn(t *testing.T) {
	for _, on := range []bool{false, true} {
		c := quiet()
		c.Announcements = on
		for _, l := range lang.Languages {
			if got := strings.Contains(c.Help(l), "/news"); got != on {
				t.Errorf("%s, on %v: got %v", l, on, got)
			}
			if got := strings.Contains(c.Privacy(l), "/news"); got != on {
				t.Errorf("privacy %s, on %v: got %v", l, on, got)
			}
		}
	}
}

// What people wait for goes first, and the announcement rests meanwhile.
func TestAnnounce_RestsWhileMessagesAreDue(t *testing.T) {
	n := newNews(t)
	n.person(1, "ru", store.Agreed)
	n.start(n.write(map[string]string{"": "News"}))
	wishes(t, n.Chat, "Маша", 0)
	var a announcer
	rest, err := n.announce(t.Context(), n.pool, &a)
	if err != nil || rest != n.seconds(betweenSteps) || len(n.tg.Calls()) != 0 {
		t.Errorf("got %v, %v and %d calls; want a rest and none", rest, err, len(n.tg.Calls()))
	}
}
