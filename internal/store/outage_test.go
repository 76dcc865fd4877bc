// Tests of whose failures count in an outage.

package store

import (
	"fmt"
	"strings"
	"testing"
)

// An admin who made a video waits for it. One that is made in advance is waited for by nobody.
func TestWaitingPeople_AreThoseWhoAskedOrTheAdmin(t *testing.T) {
	for name, c := range map[string]struct {
		set  string
		want string
	}{"asked for": {``, "[1 2]"}, "made by an admin": {`UPDATE assets SET creator = 8`, "[1 2]"},
		"by an admin alone":  {`UPDATE assets SET creator = 8; DELETE FROM requests`, "[8]"},
		"in advance":         {`UPDATE assets SET creator = 8, advance = 1; DELETE FROM requests`, "[]"},
		"by nobody any more": {`DELETE FROM requests`, "[]"}} {
		s := fresh(t)
		var id string
		do(t, s, func(tx *Tx) error {
			asks(t, tx, 1, "anna")
			id = asks(t, tx, 2, "anna").ID
			for _, statement := range strings.Split(c.set, "; ") {
				if _, err := tx.sql.Exec(statement); statement != "" && err != nil {
					return err
				}
			}
			return nil
		})
		do(t, s, func(tx *Tx) error {
			got, err := tx.WaitingPeople(id, 2)
			if fmt.Sprint(got) != c.want {
				t.Errorf("%s: got %v; want %s", name, got, c.want)
			}
			return err
		})
	}
}
