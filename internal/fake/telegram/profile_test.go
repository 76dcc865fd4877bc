// The bot's name and descriptions, set by the real client library.

package telegram_test

import (
	"strings"
	"testing"

	"github.com/go-telegram/bot"

	"retake.example/internal/fake/telegram"
)

func TestProfile_EachLanguageHasItsOwnTextsOrThoseOfAllOthers(t *testing.T) {
	w := newWorld(t)
	me, err := w.bot.GetMe(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := w.bot.GetMyName(w.ctx, &bot.GetMyNameParams{}); err != nil || name.Name != me.FirstName {
		t.Errorf("got %q, %v; want %q, as @BotFather knows it", name.Name, err, me.FirstName)
	}
	for _, err := range []error{
		second(w.bot.SetMyName(w.ctx, &bot.SetMyNameParams{Name: "Greetings"})),
		second(w.bot.SetMyName(w.ctx, &bot.SetMyNameParams{Name: "Поздравления", LanguageCode: "ru"})),
		second(w.bot.SetMyDescription(w.ctx, &bot.SetMyDescriptionParams{Description: "A video with a name"})),
		second(w.bot.SetMyShortDescription(w.ctx, &bot.SetMyShortDescriptionParams{ShortDescription: "Видео",
			LanguageCode: "ru"})),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	for language, want := range map[string]telegram.Profile{
		"":   {Name: "Greetings", Description: "A video with a name"},
		"ru": {Name: "Поздравления", Description: "A video with a name", ShortDescription: "Видео"},
		"de": {Name: "Greetings", Description: "A video with a name"},
	} {
		if got := w.Profile(language); got != want {
			t.Errorf("%q: got %+v; want %+v", language, got, want)
		}
	}
	got, err := w.bot.GetMyShortDescription(w.ctx, &bot.GetMyShortDescriptionParams{LanguageCode: "ru"})
	if err != nil || got.ShortDescription != "Видео" {
		t.Errorf("got %+v, %v", got, err)
	}
	about, err := w.bot.GetMyDescription(w.ctx, &bot.GetMyDescriptionParams{LanguageCode: "ru"})
	if err != nil || about.Description != "A video with a name" {
		t.Errorf("got %+v, %v", about, err)
	}
	_, err = w.bot.SetMyDescription(w.ctx, &bot.SetMyDescriptionParams{Description: strings.Repeat("я", 513)})
	wantText(t, err, "BOT_DESCRIPTION_INVALID")
	if m := w.Mistakes(); len(m) > 0 {
		t.Errorf("got %q; want that the Bot API knows all of it", m)
	}
}

func second(_ bool, err error) error { return err }
