// What owners are asked about the bot's messages and the purge, as a browser shows it.

package main

import (
	"testing"
	"time"

	"retake.example/internal/desk"
)

func TestOwnersAreAskedInTheBrowser(t *testing.T) {
	purge := &doubtful{}
	c, d := newCritic(t), openDesk(t, func(d *office) {
		d.opts.Purge = purge
		d.change(func(*desk.Options) {})
		for i := range 3 {
			mutate(t, d.store, `INSERT INTO inbox (update_id, chat_id, raw, received, error, set_aside)
				VALUES (?1, ?1, '{}', 1, 'telegram_refused', ?2)`, i+1, time.Now().Add(-time.Hour).UnixMilli())
		}
	})
	c.moves(d, 8)
	for _, l := range []string{"en", "ru"} {
		c.Await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: '" + l + "' }) })")
		purge.becomes(0, true)
		c.reads("owners/"+l+"/limited", "/", 200)
		c.Press("form[action='/purge'] button")
		c.Until("!document.querySelector('form[action=\"/purge\"]') && document.readyState === 'complete'")
		purge.becomes(72*time.Hour, false)
		c.reads("owners/"+l+"/doubted", "/", 200)
		c.reads("owners/"+l+"/unanswered", "/attention", 200)
	}
	c.Press("form[action='/unanswered'] button")
	c.Until("!document.querySelector('form[action=\"/unanswered\"]') && document.readyState === 'complete'")
	if got := c.JS("document.querySelector('#notice').innerText.trim()"); got != "Бот пробует ещё раз." {
		t.Errorf("got the notice %q; want that it is tried again", got)
	}
	if n := count(t, d.store, `SELECT count(*) FROM inbox WHERE set_aside IS NULL AND raw IS NOT NULL`); n != 3 {
		t.Errorf("got %d updates to be handled; want all", n)
	}
}
