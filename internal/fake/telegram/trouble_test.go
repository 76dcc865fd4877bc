// Trouble with the bot as a whole, answers that are spoiled, and slow lines.

package telegram_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"retake.example/internal/fake/telegram"
)

func TestTrouble_AWebhookEndsPollingUntilItIsDeleted(t *testing.T) {
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	var wg sync.WaitGroup
	var waiting answer
	wg.Go(func() { waiting = w.form("getUpdates", "timeout", "50") })
	w.until(func() bool { return polls(w) == 1 })
	w.SetWebhook("https://elsewhere.example/hook")
	wg.Wait()
	if waiting.Status != 409 || waiting.Description != "Conflict: terminated by setWebhook request" {
		t.Errorf("the waiting poll: got %+v", waiting)
	}
	p.Send("hello")
	if a := w.form("getUpdates"); a.Status != 409 || !strings.Contains(a.Description, "while webhook is active") {
		t.Errorf("the next poll: got %+v", a)
	}
	if a := w.form("getWebhookInfo"); !strings.Contains(string(a.Result), "elsewhere.example") {
		t.Errorf("got %+v; want the webhook", a)
	}
	if a := w.form("deleteWebhook"); !a.OK || w.Webhook() != "" {
		t.Errorf("got %+v, webhook %q", a, w.Webhook())
	}
	if got := w.updates(); len(got) != 1 {
		t.Errorf("got %d updates; want the one of meanwhile", len(got))
	}
}

func TestTrouble_ATokenIsRevokedAndABotLoggedOut(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	for name, c := range map[string]struct {
		set  func(bool)
		code int
		text string
	}{"revoked": {w.SetRevoked, 401, "Unauthorized"}, "logged out": {w.SetLoggedOut, 400, "Logged out"}} {
		c.set(true)
		for _, method := range []string{"getMe", "getUpdates", "sendMessage"} {
			if a := w.form(method); a.Code != c.code || a.Description != c.text {
				t.Errorf("%s, %s: got %+v", name, method, a)
			}
		}
		c.set(false)
		w.send(5, "x")
	}
}

func TestTrouble_AnswersAreSpoiledAfterTheWork(t *testing.T) {
	for name, c := range map[string]struct {
		fault telegram.Fault
		want  string // how the body ends
		cut   bool
	}{
		"cut after the id":  {telegram.Fault{CutAfter: `"message_id":1,`}, `"message_id":1,`, true},
		"cut in the middle": {telegram.Fault{CutAfter: "of no answer"}, "", true},
		"no result":         {telegram.Fault{NoResult: true}, `{"ok":true}`, false},
	} {
		w := newWorld(t)
		p := w.Person(5, "Мария", "ru")
		w.Inject(c.fault)
		resp, err := http.Post(w.web.URL+"/bot"+token+"/sendMessage?chat_id=5&text=x", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if (err != nil) != c.cut || !strings.HasSuffix(string(body), c.want) || len(body) == 0 {
			t.Errorf("%s: got %s, %v", name, body, err)
		}
		if len(p.Messages()) != 1 || !w.Calls()[len(w.Calls())-1].OK {
			t.Errorf("%s: got %d messages; want it done", name, len(p.Messages()))
		}
	}
	w := newWorld(t)
	p := w.Person(5, "Мария", "ru")
	w.Inject(telegram.Fault{Endless: true})
	resp, err := http.Post(w.web.URL+"/bot"+token+"/sendMessage?chat_id=5&text=x", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := io.Copy(io.Discard, io.LimitReader(resp.Body, 50<<20))
	resp.Body.Close()
	if n < 50<<20 || len(p.Messages()) != 1 {
		t.Errorf("endless: got %d bytes, %d messages", n, len(p.Messages()))
	}
	w.Inject(telegram.Fault{Answer: `{"hello":"I am not the Bot API"}`})
	if a := w.form("getMe"); a.OK || a.Status != 200 {
		t.Errorf("another answer: got %+v", a)
	}
}

func TestTrouble_ASlowLineTakesItsTimeAndOthersPass(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	w.Person(6, "Ольга", "ru")
	w.SetUploadRate(50_000)
	began := time.Now()
	uploaded := make(chan struct{})
	go func() {
		defer close(uploaded)
		_, err := w.bot.SendVideo(w.ctx, &bot.SendVideoParams{ChatID: 5,
			Video: &models.InputFileUpload{Filename: "a.mp4", Data: bytes.NewReader(make([]byte, 100_000))}})
		if err != nil {
			t.Error(err)
		}
	}()
	w.send(6, "x")
	select {
	case <-uploaded:
		t.Error("a message waited for the upload; want it to pass")
	default:
	}
	<-uploaded
	if took := time.Since(began); took < 1900*time.Millisecond {
		t.Errorf("got 100 kB within %v at 50 kB a second", took)
	}
}

func TestTrouble_VideosMayBeKeptAsSomethingElse(t *testing.T) {
	w := newWorld(t)
	w.Person(5, "Мария", "ru")
	w.KeepVideosAs("document")
	m, err := w.bot.SendVideo(w.ctx, &bot.SendVideoParams{ChatID: 5,
		Video: &models.InputFileUpload{Filename: "a.mp4", Data: bytes.NewReader(mp4(true))}})
	if err != nil || m.Video != nil || m.Document == nil {
		t.Fatalf("got %+v, %v", m, err)
	}
	id := &models.InputFileString{Data: m.Document.FileID}
	_, err = w.bot.SendVideo(w.ctx, &bot.SendVideoParams{ChatID: 5, Video: id})
	wantText(t, err, "type of file mismatch")
	if _, err := w.bot.SendDocument(w.ctx, &bot.SendDocumentParams{ChatID: 5, Document: id}); err != nil {
		t.Error(err)
	}
}
