// What the buttons of templates say.

package video

import "testing"

func TestTitleOf_ATemplateWithoutATitleGoesByItsID(t *testing.T) {
	offers := []Offer{{ID: "birthday", Title: func(language string) string {
		return map[string]string{"ru": "День рождения"}[language]
	}}}
	for _, c := range []struct{ id, lang, want string }{
		{"birthday", "ru", "День рождения"}, {"birthday", "en", "birthday"}, {"wedding", "ru", "wedding"}, {"", "ru", ""},
	} {
		if got := TitleOf(offers, c.id, c.lang); got != c.want {
			t.Errorf("%s in %s: got %q; want %q", c.id, c.lang, got, c.want)
		}
	}
}
