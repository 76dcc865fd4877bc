// What people are told of their privacy.

package chat

import (
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

func TestPrivacy_SaysWhatTheSettingsSay(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		opts   Options
		lang   string
		says   []string
		silent []string
	}{
		"defaults": {Options{Keep: store.Keep{Videos: 90 * day, History: 180 * day, People: 365 * day}}, "en",
			[]string{"I delete a video", "90 days after it was made", "dates of your requests after 180 days", "for 365 days, I forget", "to nobody",
				"/my_data", "/delete_my_data", "Backups may keep it"}, []string{"service", "until you delete"}},
		"in Russian": {Options{Keep: store.Keep{Videos: 21 * day, History: 2 * day, People: 30*day + time.Hour}}, "ru",
			[]string{"через 21 день", "через 2 дня", "не пишете мне 31 день", "никому не передаю", "/my_data"}, []string{"сервису"}},
		"all is kept": {Options{Elsewhere: true}, "en", []string{"stay until you delete them", "to a service"},
			[]string{" days after", "to nobody.", "{{"}},
		"a farm": {Options{Farm: true}, "en", []string{"to other computers of the people who run this bot", "an hour at most"},
			[]string{"service"}},
		"a farm whose voice is a service": {Options{Farm: true, Elsewhere: true}, "ru", []string{"сервису"}, []string{"компьютерам"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.opts.Privacy(c.lang)
			for _, want := range c.says {
				if !strings.Contains(got, want) {
					t.Errorf("got %s; want %q in it", got, want)
				}
			}
			for _, not := range append(c.silent, "<no value>", "privacy_") {
				if strings.Contains(got, not) {
					t.Errorf("got %s; want no %q in it", got, not)
				}
			}
		})
	}
}
