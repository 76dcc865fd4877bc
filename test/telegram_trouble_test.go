// Tests of a Telegram that cannot be used: what /readyz says, and the way back.

package test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// ready returns what /readyz says.
func (s served) ready() string {
	resp, err := http.Get(s.page + "/readyz")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return string(text)
}

func TestTelegram_AWebhookIsSaidAtOnceAndTakenOver(t *testing.T) {
	s := newServed(t)
	s.victim.tg.SetWebhook("https://example.com/hook")
	s.until("/readyz names the webhook", func() bool { return strings.Contains(s.ready(), "webhook") })
	browser := s.victim.owner(s.page)
	resp, err := browser.PostForm(s.page+"/take-over", url.Values{})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	s.until("all is well again", func() bool { return s.ready() == "ok\n" })
	if got := s.victim.tg.Webhook(); got != "" {
		t.Errorf("got the webhook %q; want none", got)
	}
}

func TestTelegram_ARefusedTokenIsSaidAtOnce(t *testing.T) {
	s := newServed(t)
	s.victim.tg.SetRevoked(true)
	s.until("/readyz names the token", func() bool { return strings.Contains(s.ready(), "refuses the token") })
	s.victim.tg.SetRevoked(false)
	s.until("all is well again", func() bool { return s.ready() == "ok\n" })
}
