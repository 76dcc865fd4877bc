// Tests of what differs here and on a platform, in words.

package desk

import (
	"testing"
)

func TestValueInWords_AsTheFormSaysIt(t *testing.T) {
	say := sayIn("en")
	for _, c := range [][3]string{
		{"privacy", "public", say("privacy_public", nil)}, {"privacy", "", ""}, {"language", "ru", languageName("ru")},
		{"category", categories[0].ID, say(categories[0].Name, nil)}, {"category", "999", "999"},
		{"synthetic", "yes", say("synthetic_yes", nil)}, {"synthetic", "", ""}, {"title", "public", "public"},
	} {
		if got := valueInWords(say, c[0], c[1]); got != c[2] {
			t.Errorf("%s, %q: got %q; want %q", c[0], c[1], got, c[2])
		}
	}
}
