// Tests of a person's list of wishes.

package store

import (
	"fmt"
	"testing"
)

// A failed wish counts as asked for again only if the later one is for the same video.
func TestRequestsOf_RetriedIsWhatWasAskedForAgain(t *testing.T) {
	for name, c := range map[string]struct {
		key, template, lang string
		want                bool
	}{"the same": {"x", "t", "ru", true}, "another name": {"y", "t", "ru", false},
		"another template": {"x", "u", "ru", false},
		"another language": {"x", "t", "en", false}} {
		now := noon
		s := clocked(t, &now)
		inserts(t, s, aUser, anAsset, fmt.Sprintf(`INSERT INTO assets (id, name, name_key, template, lang, origin, created)
			VALUES ('bbbbbbbbbbbbbbbbbbbbbbbbbb', '%s', '%[1]s', '%s', '%s', 'REQUEST', 2)`, c.key, c.template, c.lang),
			`INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished)
				VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'FAILED', 1, 1)`,
			`INSERT INTO requests (user_id, asset_id, chat_id, status, created) VALUES (1, 'bbbbbbbbbbbbbbbbbbbbbbbbbb', 1, 'PENDING', 2)`)
		wanted, err := s.RequestsOf(t.Context(), 1, 10)
		if err != nil || len(wanted) != 2 || wanted[1].Retried != c.want || wanted[0].Retried {
			t.Errorf("%s: got %+v, %v; want the failed one asked for again: %v", name, wanted, err, c.want)
		}
	}
}
