// Tests of the code with which the owner of a new bot is found.

package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"retake.example/internal/db/dbtest"
)

// newSetup is a store with a code that works, and its clock.
func newSetup(t *testing.T) (s *Store, code [32]byte, now *time.Time) {
	t.Helper()
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	now = new(time.Time)
	*now = time.Now()
	s, err = Open(filepath.Join(t.TempDir(), "retake.db"),
		Options{Schema: string(schema), Now: dbtest.Clock(func() time.Time { return *now })})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	code = [32]byte{1}
	do(t, s, func(tx *Tx) error { return tx.OfferOwnership(code) })
	return s, code, now
}

// becomes reports whether a code makes a user the owner.
func becomes(t *testing.T, s *Store, code [32]byte, user int64) (yes bool) {
	t.Helper()
	do(t, s, func(tx *Tx) (err error) {
		yes, err = tx.BecomeOwner(code, user)
		return err
	})
	return yes
}

// owners are those whom the database names.
func owners(t *testing.T, s *Store) (ids []int64) {
	t.Helper()
	all, err := s.Appointed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Owner {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

func TestSetup_TheFirstWithTheCodeBecomesOwnerAndNobodyElse(t *testing.T) {
	s, code, _ := newSetup(t)
	if u, err := s.Setup(t.Context()); err != nil || u.Code != code || u.Expires.IsZero() {
		t.Errorf("got %+v, %v; want a code that works", u, err)
	}
	if !becomes(t, s, code, 5) {
		t.Error("the right code made nobody the owner")
	}
	if becomes(t, s, code, 6) {
		t.Error("the code worked twice")
	}
	do(t, s, func(tx *Tx) error { return tx.OfferOwnership([32]byte{2}) }) // however it came about
	if becomes(t, s, [32]byte{2}, 6) {
		t.Error("a code worked although there is an owner")
	}
	if got := owners(t, s); len(got) != 1 || got[0] != 5 {
		t.Errorf("got owners %v; want 5 alone", got)
	}
	if yes, err := s.HasOwner(t.Context()); err != nil || !yes {
		t.Errorf("got %v, %v; want an owner", yes, err)
	}
}

func TestSetup_ACodeEnds(t *testing.T) {
	s, code, now := newSetup(t)
	*now = now.Add(OwnerCodeLife + time.Millisecond)
	if becomes(t, s, code, 5) {
		t.Error("a code that has run out worked")
	}
	if u, err := s.Setup(t.Context()); err != nil || !u.Expires.IsZero() {
		t.Errorf("got %+v, %v; want a set-up without a code", u, err)
	}
	*now = now.Add(-time.Hour) // it was made while the clock was ahead
	if becomes(t, s, code, 5) {
		t.Error("a code of the future worked")
	}
}

// Anybody can send the bot codes: they must not keep the owner out.
func TestSetup_WrongCodesHarmNobody(t *testing.T) {
	s, code, _ := newSetup(t)
	for n := range 1000 {
		if becomes(t, s, [32]byte{9, byte(n), byte(n >> 8)}, int64(7+n%3)) {
			t.Fatal("a wrong code worked")
		}
	}
	if !becomes(t, s, code, 5) || len(owners(t, s)) != 1 {
		t.Error("the right code did not work after wrong ones")
	}
}

func TestSetup_IsOverWhenItIsDone(t *testing.T) {
	s, code, _ := newSetup(t)
	do(t, s, func(tx *Tx) error { return tx.KeepTest("x") })
	if u, err := s.Setup(t.Context()); err != nil || u.Test != "x" || u.Code != code {
		t.Errorf("got %+v, %v; want the test video and the code", u, err)
	}
	do(t, s, (*Tx).EndSetup)
	if _, err := s.Setup(t.Context()); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v; want ErrNotFound", err)
	}
	if becomes(t, s, code, 5) {
		t.Error("the code works after the set-up")
	}
	do(t, s, (*Tx).BeginSetup)
	if _, err := s.Setup(t.Context()); err != nil {
		t.Error(err)
	}
}
