// Videos made in advance, while nobody waits for anything: the names on the list, what became of them, and their end.

package store

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Renders in advance have a fairness key of their own, which is nobody's Telegram id, and positions behind all others.
// They are begun one at a time, and only when nothing else could be.
const (
	advanceKey    = -1 << 62
	advanceKeySQL = `-4611686018427387904`
	lastPosition  = `1152921504606846976`
)

// InAdvance is an order for videos in advance, all with one template and in one language.
type InAdvance struct {
	Admin          int64 // who wants them; 0: the operator
	Template, Lang string
	Names          []Named
}

// Named is a name as the video shows it, and its folded form.
type Named struct{ Name, Key string }

// Added is what came of such an order.
type Added struct {
	Queued int `json:"queued"` // are on the list now
	Ready  int `json:"ready"`  // are there, and stay
	Listed int `json:"listed"` // were on the list, or are being made
}

// And adds up what came of two orders.
func (a Added) And(more Added) Added {
	return Added{a.Queued + more.Queued, a.Ready + more.Ready, a.Listed + more.Listed}
}

// AddInAdvance puts names on the list. A video that was finished after since is taken over: it stays until it is
// withdrawn. A long list is several transactions, between which others write.
func (s *Store) AddInAdvance(ctx context.Context, o InAdvance, since time.Time) (n Added, err error) {
	for names := range slices.Chunk(o.Names, PurgeBatch) {
		var some Added
		err := s.Tx(ctx, func(tx *Tx) (err error) { some, err = tx.addInAdvance(o, names, since); return err })
		if err != nil {
			return n, err
		}
		n = n.And(some)
	}
	return n, s.Tx(ctx, func(tx *Tx) error {
		return tx.Note(Event{Admin: &o.Admin, Action: "advance", Outcome: "queued"})
	})
}

func (tx *Tx) addInAdvance(o InAdvance, names []Named, since time.Time) (n Added, err error) {
	for _, named := range names {
		live, err := tx.liveTwin(named.Key, o.Template, o.Lang)
		switch {
		case err == nil && live.Advance:
			n.Listed++
			continue
		case err != nil && !errors.Is(err, ErrNotFound):
			return n, err
		}
		adopted, err := tx.adopt(named.Key, o.Template, o.Lang, since)
		if err != nil {
			return n, err
		}
		if adopted {
			n.Ready++
			continue
		}
		rows, err := tx.sql.Exec(`INSERT INTO advance (name, name_key, template, lang, creator, created)
			VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			named.Name, named.Key, o.Template, o.Lang, o.Admin, tx.now)
		if err != nil {
			return n, err
		}
		n.Queued += int(rows)
		n.Listed += 1 - int(rows)
	}
	tx.MarkDue(Render, 0)
	tx.touch("")
	return n, nil
}

// adopt lets the video that is there for a name stay until it is withdrawn, if it was finished after since.
func (tx *Tx) adopt(key, template, lang string, since time.Time) (bool, error) {
	a, err := tx.finishedTwin(key, template, lang, since)
	switch {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil || a.Advance:
		return err == nil, err
	}
	tx.touch(a.ID)
	_, err = tx.sql.Exec(`UPDATE assets SET advance = 1 WHERE id = ?`, a.ID)
	return err == nil, err
}

// beginNextInAdvance makes the asset and the job of the next name on the list, unless one is being made or waits for
// its next attempt: a broken engine costs one name at a time. more reports whether there is a job to claim now. A name
// that somebody waits for is passed over until that video is there.
func (tx *Tx) beginNextInAdvance() (more bool, err error) {
	var busy bool
	if err := tx.sql.Get(`SELECT EXISTS (SELECT 1 FROM jobs WHERE kind = 'RENDER' AND fairness_key = `+advanceKeySQL+`)`, nil,
		&busy); busy || err != nil {
		return false, err
	}
	for {
		var id, creator, created int64
		a := Asset{Advance: true, Creator: &creator}
		err := found(tx.sql.Get(`SELECT id, name, name_key, template, lang, creator, created FROM advance v
			WHERE NOT EXISTS (SELECT 1 FROM assets a WHERE a.name_key = v.name_key AND a.template = v.template
				AND a.lang = v.lang AND a.origin = 'REQUEST' AND a.status IN ('PENDING', 'PROCESSING'))
			ORDER BY id LIMIT 1`, nil, &id, &a.Name, &a.NameKey, &a.Template, &a.Lang, &creator, &created))
		if errors.Is(err, ErrNotFound) {
			return false, nil
		} else if err != nil {
			return false, err
		}
		if _, err := tx.sql.Exec(`DELETE FROM advance WHERE id = ?`, id); err != nil {
			return false, err
		}
		adopted, err := tx.adopt(a.NameKey, a.Template, a.Lang, Moment(created))
		if err != nil {
			return false, err
		}
		if adopted { // made for somebody in the meantime
			continue
		}
		_, err = tx.create(a, advanceKey)
		return err == nil, err
	}
}

// wanted gives the render of a video in advance the position of somebody who asks for it.
func (tx *Tx) wanted(a Asset, fairnessKey int64) error {
	if !a.Advance || !a.Status.Live() {
		return nil
	}
	ahead, err := tx.goesAhead(fairnessKey)
	if err != nil {
		return err
	}
	_, err = tx.sql.Exec(`UPDATE jobs SET fairness_key = ?3, position = `+nextPosition+`
		WHERE asset_id = ?2 AND kind = ?1 AND fairness_key = `+advanceKeySQL, Render, a.ID, fairnessKey, ahead)
	tx.MarkDue(Render, 0)
	return err
}

// StopAdvance takes all names from the list, with what waits for its next attempt and nobody has asked for. What is
// being made is finished. It returns how many names that are. ErrNotFound: there is nothing to stop.
func (tx *Tx) StopAdvance(admin int64) (n int, err error) {
	listed, err := tx.sql.Exec(`DELETE FROM advance`)
	if err != nil {
		return 0, err
	}
	waiting, err := tx.sql.Exec(`DELETE FROM assets WHERE status = 'PENDING' AND id IN (
		SELECT asset_id FROM jobs WHERE kind = 'RENDER' AND started IS NULL AND fairness_key = ` + advanceKeySQL + `)`)
	if err != nil {
		return 0, err
	}
	if listed+waiting == 0 {
		return 0, ErrNotFound
	}
	tx.touch("")
	return int(listed + waiting), tx.Note(Event{Admin: &admin, Action: "advance", Outcome: "stopped"})
}

// WithdrawAdvance lets no video that was made in advance go to anybody else, and returns how many those are. The purge
// deletes those that an admin ordered and that are on no platform. ErrNotFound: there are none.
func (tx *Tx) WithdrawAdvance(admin int64) (n int, err error) {
	switch n, err = tx.withdraw(`true`); {
	case err != nil:
		return 0, err
	case n == 0:
		return 0, ErrNotFound
	}
	return n, tx.Note(Event{Admin: &admin, Action: "advance", Outcome: "withdrawn"})
}

func (tx *Tx) withdraw(which string, args ...any) (int, error) {
	n, err := tx.sql.Exec(`UPDATE assets SET advance = 0 WHERE advance = 1 AND status = 'COMPLETED' AND `+which, args...)
	tx.touch("")
	return int(n), err
}

// KeepEdition records what a template is made of from now on. If that has changed, the videos that were made of it in
// advance are withdrawn; n is how many.
func (tx *Tx) KeepEdition(template, edition string) (n int, err error) {
	var known string
	err = found(tx.sql.Get(`SELECT edition FROM editions WHERE template = ?`, []any{template}, &known))
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return 0, err
	case err == nil && known == edition:
		return 0, nil
	case err == nil:
		if n, err = tx.withdraw(`template = ?`, template); err != nil {
			return 0, err
		}
	}
	_, err = tx.sql.Exec(`INSERT INTO editions (template, edition) VALUES (?1, ?2)
		ON CONFLICT (template) DO UPDATE SET edition = ?2`, template, edition)
	return n, err
}

// Advance is how far the videos in advance are, and what is left of them will take.
type Advance struct {
	Waiting int           // names on the list
	Live    int           // being made, or waiting for their next attempt
	Ready   int           // go to everybody who asks
	Failed  int           // need an admin
	Left    time.Duration // until the rest is made if nobody asks for anything, roughly; 0: unknown
	Bytes   int64         // that the rest will take, roughly; 0: unknown
}

// Rest is how many are to be made yet.
func (a Advance) Rest() int { return a.Waiting + a.Live }

// All is how many there are, those that failed included.
func (a Advance) All() int { return a.Rest() + a.Ready + a.Failed }

// Advance counts the videos in advance, and estimates by the latest renders what is left.
func (s *Store) Advance(ctx context.Context) (a Advance, err error) {
	var each, size float64
	err = s.db.Read().QueryRowContext(ctx, `SELECT (SELECT count(*) FROM advance),
		(SELECT count(*) FROM assets WHERE advance = 1 AND status IN ('PENDING', 'PROCESSING')),
		(SELECT count(*) FROM assets WHERE advance = 1 AND status = 'COMPLETED'),
		(SELECT count(*) FROM assets WHERE advance = 1 AND status = 'FAILED' AND needs_attention = 1),
		ifnull((SELECT avg(ms) FROM (SELECT finished - started ms FROM attempts WHERE kind = 'RENDER' AND outcome = 'done'
			ORDER BY id DESC LIMIT 20)), 0),
		ifnull((SELECT avg(size) FROM (SELECT size FROM assets WHERE status = 'COMPLETED' AND origin = 'REQUEST'
			ORDER BY created DESC, id DESC LIMIT 20)), 0)`).Scan(&a.Waiting, &a.Live, &a.Ready, &a.Failed, &each, &size)
	a.Left = time.Duration(each*float64(a.Rest())) * time.Millisecond
	a.Bytes = int64(size * float64(a.Rest()))
	return a, err
}

// AdvanceNext lists up to so many names of the list, those that are made next first.
func (s *Store) AdvanceNext(ctx context.Context, limit int) ([]string, error) {
	return s.texts(ctx, `SELECT name FROM advance ORDER BY id LIMIT ?`, limit)
}

// AdvanceLive lists the videos in advance that are being made or wait for their next attempt.
func (s *Store) AdvanceLive(ctx context.Context) ([]Listed, error) {
	return s.listed(ctx, `WHERE a.advance = 1 AND a.status IN ('PENDING', 'PROCESSING') ORDER BY a.created, a.id LIMIT 20`)
}

// Popular returns the names that at least so many people have asked for, as orders in advance: one for each template
// and language. It says nothing of who they are.
func (s *Store) Popular(ctx context.Context, people int) (orders []InAdvance, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT max(a.name), a.name_key, a.template, a.lang
		FROM requests r JOIN assets a ON a.id = r.asset_id WHERE a.origin = 'REQUEST' AND a.delete_requested_at IS NULL
		GROUP BY a.template, a.lang, a.name_key HAVING count(DISTINCT r.user_id) >= ?
		ORDER BY a.template, a.lang, count(DISTINCT r.user_id) DESC`, people)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var o InAdvance
		var named Named
		if err := rows.Scan(&named.Name, &named.Key, &o.Template, &o.Lang); err != nil {
			return nil, err
		}
		if last := len(orders) - 1; last >= 0 && orders[last].Template == o.Template && orders[last].Lang == o.Lang {
			orders[last].Names = append(orders[last].Names, named)
			continue
		}
		o.Names = []Named{named}
		orders = append(orders, o)
	}
	return orders, rows.Err()
}
