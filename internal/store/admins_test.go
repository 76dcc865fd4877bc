// Tests of what admins may do, and of their sessions.

package store

import (
	"fmt"
	"testing"
	"time"
)

func TestMayChange_AnOwnerAnythingTheOthersTheirs(t *testing.T) {
	mine, other := int64(7), int64(9)
	for _, c := range []struct {
		admin   Admin
		creator *int64
		want    bool
	}{{Admin{ID: 7}, &mine, true}, {Admin{ID: 7}, &other, false}, {Admin{ID: 7}, nil, false},
		{Admin{ID: 7, Owner: true}, &other, true}, {Admin{ID: 7, Owner: true}, nil, true}, {Admin{}, nil, false}} {
		if got := c.admin.MayChange(c.creator); got != c.want {
			t.Errorf("%+v, made by %v: got %v; want %v", c.admin, c.creator, got, c.want)
		}
	}
}

func TestVisits_TheNewestFirst(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	for i, hash := range []string{"0a", "0c", "0b"} {
		inserts(t, s, fmt.Sprintf(`INSERT INTO sessions (hash, admin, created, seen) VALUES (CAST(x'%s' || zeroblob(31) AS BLOB), 8,
			$now - %d, $now - %d)`, hash, []int{2000, 9000, 5000}[i], []int{3_600_001, 3_600_000, 0}[i]))
	}
	visits, err := s.Visits(t.Context(), 8, [32]byte{0x0b})
	if err != nil || len(visits) != 3 {
		t.Fatalf("got %+v, %v; want three", visits, err)
	}
	for i, want := range []Session{{Begun: noon.Add(-2 * time.Second)},
		{Begun: noon.Add(-5 * time.Second), Recent: true, This: true},
		{Begun: noon.Add(-9 * time.Second), Recent: true}} {
		got := visits[i]
		if !got.Begun.Equal(want.Begun) || got.Recent != want.Recent || got.This != want.This {
			t.Errorf("got %+v in place %d; want %+v", got, i, want)
		}
	}
}

// A session that has ended is not listed, and one at its last moment is.
func TestVisits_OfSessionsThatHaveNotEnded(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	inserts(t, s, `INSERT INTO sessions (hash, admin, created, seen) VALUES (zeroblob(32), 8, $now, $now)`)
	for after, want := range map[time.Duration]int{SessionLife: 1, SessionLife + time.Millisecond: 0} {
		now = noon.Add(after)
		if visits, err := s.Visits(t.Context(), 8, [32]byte{}); err != nil || len(visits) != want {
			t.Errorf("%v after: got %d, %v; want %d", after, len(visits), err, want)
		}
	}
}

// An owner who becomes an admin loses what only owners have; one who stays an owner keeps it.
func TestAppoint_AnAdminHasNoTokensAndInvitesNobody(t *testing.T) {
	for owner, want := range map[bool]int{true: 2, false: 0} {
		now := noon
		s := clocked(t, &now)
		do(t, s, func(tx *Tx) error { return tx.Appoint(Admin{ID: 7, Owner: true}, 8, "page") })
		inserts(t, s, `INSERT INTO tokens (hash, admin, title, scope, created, expires) VALUES (zeroblob(32), 7, 'x', 'read', 1, $now)`,
			`INSERT INTO invitations (hash, owner, inviter, expires) VALUES (zeroblob(32), 0, 7, $now)`)
		do(t, s, func(tx *Tx) error { return tx.Appoint(Admin{ID: 7, Owner: owner}, 8, "page") })
		if n := number(t, s, `SELECT (SELECT count(*) FROM tokens) + (SELECT count(*) FROM invitations)`); n != want {
			t.Errorf("owner %v: got %d tokens and invitations; want %d", owner, n, want)
		}
	}
}
