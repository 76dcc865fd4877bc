// An owner puts what the bot says in other words, in a real browser.

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestTexts_WhatAnOwnerTypesIsInTheNextMessage(t *testing.T) {
	w := newWorldIn(t, t.TempDir(), newYear) // not parallel: the texts are those of the process
	b := newBrowser(t)
	d := openDesk(t, func(d *office) {
		d.opts.RenewMenus = func() { w.bot.RenewMenu(0) }
		d.store, d.queue = w.store, w.queue
		d.Web = NewWeb(t.Context(), w.store, w.queue, w.files, d.opts, d.logger)
	})
	types := func(field, text string) {
		b.JS(fmt.Sprintf("document.getElementById(%q).value = ''", field))
		b.Do(chromedp.SendKeys("#"+field, text))
	}
	saves := func() {
		b.JS("window.left = true")
		b.Press("button[value=save]")
		b.Until("!window.left && document.readyState === 'complete'")
	}
	b.signsIn(d, 8)
	b.open(d, "/texts?lang=ru&q=confirm")
	b.Press("a[href='/texts/confirm?lang=ru']")
	b.Until("document.readyState === 'complete' && document.getElementById('text_other') !== null")

	types("text_other", "Делаем видео для {{.Child}}?") // which is no variable
	b.Until("document.getElementById('text_other-bubble').textContent === 'Делаем видео для {{.Child}}?'")
	saves()
	if page := b.JS("document.querySelector('main').innerText"); !strings.Contains(page, "{{.Child}}") ||
		b.JS("document.getElementById('text_other').value") != "Делаем видео для {{.Child}}?" {
		t.Fatalf("got %s; want what was typed, and the reason beside it", page)
	}
	types("text_other", "Имя «{{.Name}}» – верно?")
	b.Until("document.getElementById('text_other-bubble').textContent === 'Имя «Маша» – верно?'")
	saves()
	b.Until("document.getElementById('notice').innerText.trim() !== ''")

	person := w.tg.Person(1, "Ира", "ru")
	person.Send("Ева")
	w.hears(person, "Имя «Ева» – верно?")

	b.open(d, "/texts/command_new?lang=ru")
	types("text_other", "Ещё поздравление")
	saves()
	w.until("the menu has the new text", func() bool {
		for _, c := range person.Commands() {
			if c.Name == "new" {
				return c.Description == "Ещё поздравление"
			}
		}
		return false
	})

	b.open(d, "/texts/confirm?lang=ru")
	b.JS("window.left = true")
	b.Press("button[value=reset]")
	b.Until("!window.left && document.readyState === 'complete'")
	person.Send("Зоя")
	w.hears(person, "Делаем видео с именем «Зоя»?")
}
