// The ledger: what each person has spent in the last day, under a pseudonym, so that limits outlive a deletion of data.

package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"
)

const (
	ledgerLife = 24 * time.Hour // of a row
	ledgerDay  = 24 * time.Hour // after which new rows get a new key
	// ledgerKeyLife is how long a key lives from the beginning of its day: until the last row made with it is gone. Nobody
	// can tell whose a row was after that.
	ledgerKeyLife = ledgerDay + ledgerLife
)

// Limits are how much may be asked for. 0: no limit.
type Limits struct {
	Open int // requests of one user that wait at a time
	Hour int // requests of one user in an hour, retries included
	Day  int // requests of one user in 24 hours, retries included
	All  int // requests of all users together in 24 hours, retries included; people without a video yet have 4/5 of it
}

// Refused is the error of a request that may not be made now.
type Refused struct {
	Reason string    // banned, paused, open, hour, day or all
	Count  int       // how many requests wait, if that is the reason
	Until  time.Time // when the next request may be made; zero: that depends on something else
}

func (r Refused) Error() string { return "refused: " + r.Reason }

// Usage is how much a user has asked for, retries included.
type Usage struct{ Open, Hour, Day int }

// Usage counts what is still to come, and the wishes and retries of the last hour and day, whatever became of them.
func (tx *Tx) Usage(user int64) (u Usage, err error) {
	if err := tx.sql.Get(openRequests, []any{user}, &u.Open); err != nil {
		return u, err
	}
	people, err := pseudonyms(tx.sql.Get, user, tx.now)
	if err != nil {
		return u, err
	}
	err = tx.sql.Get(`SELECT count(*) FILTER (WHERE at > ?3), count(*) FROM ledger WHERE person IN (?1, ?2) AND at > ?4 AND at <= ?5`,
		[]any{people[0], people[1], tx.now - time.Hour.Milliseconds(), tx.now - ledgerLife.Milliseconds(), tx.now},
		&u.Hour, &u.Day)
	return u, err
}

// hasVideo is true for a user ?1 who has had a video.
const hasVideo = `EXISTS (SELECT 1 FROM requests WHERE user_id = ?1 AND status = 'COMPLETED')`

const openRequests = `SELECT count(*) FROM requests WHERE user_id = ? AND ` + awaited

// Allow returns Refused if a user may not ask for a video now: they are banned, no wishes are taken, or a limit is
// reached.
func (tx *Tx) Allow(user int64, l Limits) error { return allow(tx.sql.Get, user, l, tx.now) }

// Allow is like Tx.Allow. It only looks, so that a press can be answered before its transaction.
func (s *Store) Allow(ctx context.Context, user int64, l Limits) error {
	return allow(func(query string, args []any, dest ...any) error {
		return s.db.Read().QueryRowContext(ctx, query, args...).Scan(dest...)
	}, user, l, s.now().UnixMilli())
}

// getter reads a single row.
type getter func(query string, args []any, dest ...any) error

func allow(get getter, user int64, l Limits, now int64) error {
	var banned, paused bool
	if err := get(`SELECT EXISTS (SELECT 1 FROM bans WHERE chat_id = ?), EXISTS (SELECT 1 FROM pause)`, []any{user},
		&banned, &paused); err != nil {
		return err
	}
	switch {
	case banned:
		return Refused{Reason: "banned"}
	case paused:
		return Refused{Reason: "paused"}
	}
	var open int
	if err := get(openRequests, []any{user}, &open); err != nil {
		return err
	}
	if l.Open > 0 && open >= l.Open {
		return Refused{Reason: "open", Count: open}
	}
	people, err := pseudonyms(get, user, now)
	if err != nil {
		return err
	}
	// A fifth is kept for people who have had a video: thousands of new accounts must not take the day from them.
	all, served := l.All, false
	if all > 0 {
		if err := get(`SELECT `+hasVideo, []any{user}, &served); err != nil {
			return err
		}
	}
	if !served {
		all -= all / 5
	}
	var latest Refused // of the limits that are reached: when the last of them allows the next request
	for _, r := range []struct {
		reason, whose string
		limit         int
		window        time.Duration
	}{
		{"hour", `person IN (?1, ?2)`, l.Hour, time.Hour},
		{"day", `person IN (?1, ?2)`, l.Day, ledgerLife},
		{"all", `true`, all, ledgerLife},
	} {
		if r.limit == 0 {
			continue
		}
		var at int64 // of the request that is as many ago as the limit
		err := found(get(`SELECT at FROM ledger WHERE `+r.whose+` AND at > ?3 AND at <= ?5 ORDER BY at DESC LIMIT 1 OFFSET 0 + ?4`,
			[]any{people[0], people[1], now - r.window.Milliseconds(), r.limit - 1, now}, &at))
		switch until := Moment(at + r.window.Milliseconds()); {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return err
		case until.After(latest.Until):
			latest = Refused{Reason: r.reason, Until: until}
		}
	}
	if latest.Reason != "" {
		return latest
	}
	return nil
}

// spend records that a user has asked for a video.
func (tx *Tx) spend(user int64) error {
	day := dayOf(tx.now)
	var key [sha256.Size]byte
	rand.Read(key[:])
	if _, err := tx.sql.Exec(`INSERT INTO ledger_keys (day, key) VALUES (?, ?) ON CONFLICT DO NOTHING`, day, key[:]); err != nil {
		return err
	}
	people, err := pseudonyms(tx.sql.Get, user, tx.now)
	if err != nil {
		return err
	}
	_, err = tx.sql.Exec(`INSERT INTO ledger (person, at) VALUES (?, ?)`, people[0], tx.now)
	return err
}

// dayOf returns when the day of a moment began, both in ms.
func dayOf(ms int64) int64 { return ms - ms%ledgerDay.Milliseconds() }

// pseudonyms returns what the ledger calls a user today and what it called them yesterday: HMACs of their id with the
// key of the day. A day without rows has no key, and the name is nil, which no row has.
func pseudonyms(get getter, user, now int64) (people [2][]byte, err error) {
	for i := range people {
		var key []byte
		err := found(
			get(`SELECT key FROM ledger_keys WHERE day = ?`, []any{dayOf(now) - int64(i)*ledgerDay.Milliseconds()}, &key),
		)
		if errors.Is(err, ErrNotFound) {
			continue
		} else if err != nil {
			return people, err
		}
		mac := hmac.New(sha256.New, key)
		binary.Write(mac, binary.BigEndian, user)
		people[i] = mac.Sum(nil)
	}
	return people, nil
}
