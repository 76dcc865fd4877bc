// Announcements: who agreed to get some, their texts, and what became of each copy.

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrAnnouncing refuses to send an announcement while another one is being sent.
var ErrAnnouncing = errors.New("another announcement is being sent")

// AnnouncementStatus is how far an announcement is.
type AnnouncementStatus string

// The statuses.
const (
	Draft   AnnouncementStatus = "draft"
	Sending AnnouncementStatus = "sending"
	Halted  AnnouncementStatus = "paused"
	Done    AnnouncementStatus = "done"
)

// Restored is the trouble of an announcement that was being sent when the backup was made.
const Restored = "restored"

// Announcement is a message to everyone who has agreed to get some.
type Announcement struct {
	ID        int64              `json:"id"`
	Texts     map[string]string  `json:"-"` // by language; "": for those without one of their own
	Status    AnnouncementStatus `json:"status"`
	Creator   int64              `json:"-"`
	Created   time.Time          `json:"created"`
	Changed   time.Time          `json:"-"`
	Started   time.Time          `json:"started,omitzero"`
	Finished  time.Time          `json:"finished,omitzero"`
	People    int                `json:"people"` // had agreed when it was started
	Delivered int                `json:"delivered"`
	Blocked   int                `json:"blocked"`
	Failed    int                `json:"failed"`
	Trouble   string             `json:"trouble,omitzero"` // why the program has paused it

	reached int64
}

// Left is how many people may still get it.
func (a Announcement) Left() int { return max(0, a.People-a.Delivered-a.Blocked-a.Failed) }

// Text is what people of a language get.
func (a Announcement) Text(lang string) string {
	if own := a.Texts[lang]; own != "" {
		return own
	}
	return a.Texts[""]
}

const announcementColumns = `id, texts, status, creator, created, changed, ifnull(started, 0), ifnull(finished, 0), people,
	delivered, blocked, failed, ifnull(trouble, ''), reached`

func scanAnnouncement(a *Announcement, scan scanner) error {
	var texts string
	if err := scan(&a.ID, &texts, &a.Status, &a.Creator, at(&a.Created), at(&a.Changed), at(&a.Started), at(&a.Finished),
		&a.People, &a.Delivered, &a.Blocked, &a.Failed, &a.Trouble, &a.reached); err != nil {
		return err
	}
	return json.Unmarshal([]byte(texts), &a.Texts)
}

// mostAnnouncements is how many the list holds.
const mostAnnouncements = 200

// Announcements lists the announcements, the newest first.
func (s *Store) Announcements(ctx context.Context) ([]Announcement, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+announcementColumns+` FROM announcements
		ORDER BY id DESC LIMIT ?`, mostAnnouncements)
	return collect(rows, err, func(a *Announcement) error { return scanAnnouncement(a, rows.Scan) })
}

// Announcement returns one.
func (s *Store) Announcement(ctx context.Context, id int64) (a Announcement, err error) {
	row := s.db.Read().QueryRowContext(ctx, `SELECT `+announcementColumns+` FROM announcements WHERE id = ?`, id)
	return a, found(scanAnnouncement(&a, row.Scan))
}

// Announcing returns the announcement that is being sent. ErrNotFound: none is.
func (s *Store) Announcing(ctx context.Context) (a Announcement, err error) {
	row := s.db.Read().QueryRowContext(ctx, `SELECT `+announcementColumns+` FROM announcements WHERE status = 'sending'`)
	return a, found(scanAnnouncement(&a, row.Scan))
}

// FailedCopies counts the copies of an announcement that failed, by the code of the error. Those that were purged are
// in none.
func (s *Store) FailedCopies(ctx context.Context, id int64) (map[string]int, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT ifnull(code, ''), count(*) FROM announced
		WHERE announcement_id = ? AND outcome = 'failed' GROUP BY code`, id)
	all := map[string]int{}
	_, err = collect(rows, err, func(code *string) error {
		var n int
		err := rows.Scan(code, &n)
		all[*code] = n
		return err
	})
	return all, err
}

// announced counts the copies of all announcements by what became of them.
func (s *Store) announced(ctx context.Context) (map[string]int, error) {
	var delivered, blocked, failed int
	err := s.db.Read().QueryRowContext(ctx, `SELECT ifnull(sum(delivered), 0), ifnull(sum(blocked), 0),
		ifnull(sum(failed), 0) FROM announcements`).Scan(&delivered, &blocked, &failed)
	return map[string]int{CopyDelivered: delivered, CopyBlocked: blocked, CopyFailed: failed}, err
}

// SaveAnnouncement keeps the texts of a draft, and returns its id. id 0: of a new one. seen is when the texts that the
// admin saw were changed; zero: whatever they are. ErrConflict: somebody has changed them since, or it is no draft any
// more.
func (tx *Tx) SaveAnnouncement(id int64, texts map[string]string, seen time.Time, admin int64) (int64, error) {
	b, err := json.Marshal(texts)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		err := tx.sql.Get(`INSERT INTO announcements (texts, creator, created, changed) VALUES (?1, ?2, ?3, ?3)
			RETURNING id`, []any{string(b), admin, tx.now}, &id)
		if err != nil {
			return 0, err
		}
		return id, tx.announcementChanged("write", id, admin)
	}
	err = tx.announcementIs(id, `status = 'draft'`, seen)
	if err != nil {
		return 0, err
	}
	// A time of its own: two changes in one millisecond would look the same to an old form.
	if _, err := tx.sql.Exec(`UPDATE announcements SET texts = ?, changed = max(changed + 1, ?) WHERE id = ?`, string(b),
		tx.now, id); err != nil {
		return 0, err
	}
	return id, tx.announcementChanged("write", id, admin)
}

// announcementIs returns ErrNotFound if there is no such announcement, and ErrConflict if it is not as it is expected
// to be.
func (tx *Tx) announcementIs(id int64, expected string, seen time.Time) error {
	var changed int64
	var fits bool
	err := found(tx.sql.Get(`SELECT changed, `+expected+` FROM announcements WHERE id = ?`, []any{id}, &changed, &fits))
	if err == nil && (!fits || !seen.IsZero() && changed != seen.UnixMilli()) {
		err = ErrConflict
	}
	return err
}

// announcementChanged notes what an admin did with an announcement.
func (tx *Tx) announcementChanged(what string, id, admin int64) error {
	tx.touch("")
	return tx.Note(Event{Admin: &admin, Action: "announcement " + what, Outcome: fmt.Sprint(id)})
}

// alone returns ErrAnnouncing if another announcement is being sent.
func (tx *Tx) alone(id int64) error {
	var busy bool
	err := tx.sql.Get(`SELECT EXISTS (SELECT 1 FROM announcements WHERE status = 'sending' AND id <> ?)`, []any{id}, &busy)
	if err == nil && busy {
		err = ErrAnnouncing
	}
	return err
}

// StartAnnouncement has a draft sent to everyone who has agreed by now: so many people, as Consents has counted them.
// seen is as in SaveAnnouncement.
func (tx *Tx) StartAnnouncement(id int64, seen time.Time, people int, admin int64) error {
	if err := tx.announcementIs(id, `status = 'draft'`, seen); err != nil {
		return err
	}
	if err := tx.alone(id); err != nil {
		return err
	}
	if _, err := tx.sql.Exec(`UPDATE announcements SET status = 'sending', started = ?, people = ? WHERE id = ?`, tx.now,
		people, id); err != nil {
		return err
	}
	return tx.announcementChanged("start", id, admin)
}

// PauseAnnouncement stops sending. The message under way still arrives.
func (tx *Tx) PauseAnnouncement(id, admin int64) error {
	if err := tx.announcementIs(id, `status = 'sending'`, time.Time{}); err != nil {
		return err
	}
	if _, err := tx.sql.Exec(`UPDATE announcements SET status = 'paused' WHERE id = ?`, id); err != nil {
		return err
	}
	return tx.announcementChanged("pause", id, admin)
}

// ContinueAnnouncement goes on where it was paused.
func (tx *Tx) ContinueAnnouncement(id, admin int64) error {
	if err := tx.announcementIs(id, `status = 'paused'`, time.Time{}); err != nil {
		return err
	}
	if err := tx.alone(id); err != nil {
		return err
	}
	if _, err := tx.sql.Exec(`UPDATE announcements SET status = 'sending', trouble = NULL WHERE id = ?`, id); err != nil {
		return err
	}
	return tx.announcementChanged("continue", id, admin)
}

// RepeatAnnouncement sends those copies again that failed, once all others have gone out.
func (tx *Tx) RepeatAnnouncement(id, admin int64) error {
	if err := tx.announcementIs(id, `status = 'done'`, time.Time{}); err != nil {
		return err
	}
	if err := tx.alone(id); err != nil {
		return err
	}
	n, err := tx.sql.Exec(`UPDATE announced SET outcome = 'waiting', at = ?, tries = 0, code = NULL
		WHERE announcement_id = ? AND outcome = 'failed'`, tx.now, id)
	if err == nil && n == 0 {
		err = ErrConflict
	}
	if err != nil {
		return err
	}
	if _, err := tx.sql.Exec(`UPDATE announcements SET status = 'sending', finished = NULL, failed = failed - ?
		WHERE id = ?`, n, id); err != nil {
		return err
	}
	return tx.announcementChanged("repeat", id, admin)
}

// copiesAtOnce is how many copies are deleted in one transaction: those of a million people take the writer seconds.
const copiesAtOnce = 1000

// DeleteAnnouncement deletes one that is not being sent, with all that is known of its copies. more: there are too many
// for one transaction, and it is to be called again. It can be sent to nobody from then on, who may have had it.
func (tx *Tx) DeleteAnnouncement(id, admin int64) (more bool, err error) {
	if err := tx.announcementIs(id, `status <> 'sending'`, time.Time{}); err != nil {
		return false, err
	}
	n, err := tx.sql.Exec(`DELETE FROM announced WHERE id IN (
		SELECT id FROM announced WHERE announcement_id = ? LIMIT 0 + ?)`, id, copiesAtOnce)
	if err != nil {
		return false, err
	}
	if n == copiesAtOnce {
		_, err = tx.sql.Exec(`UPDATE announcements SET status = 'done', finished = ifnull(finished, ?), trouble = NULL
			WHERE id = ?`, tx.now, id)
		return true, err
	}
	if _, err := tx.sql.Exec(`DELETE FROM announcements WHERE id = ?`, id); err != nil {
		return false, err
	}
	return false, tx.announcementChanged("delete", id, admin)
}

// HaltAnnouncement is how the program pauses an announcement: code says why. One that is paused already stays so.
func (tx *Tx) HaltAnnouncement(id int64, code string) error {
	tx.touch("")
	_, err := tx.sql.Exec(`UPDATE announcements SET status = 'paused', trouble = ? WHERE id = ? AND status = 'sending'`,
		code, id)
	return err
}

// FinishAnnouncement ends an announcement whose last copy has gone out.
func (tx *Tx) FinishAnnouncement(id int64) error {
	tx.touch("")
	n, err := tx.sql.Exec(`UPDATE announcements SET status = 'done', finished = ? WHERE id = ? AND status = 'sending'`,
		tx.now, id)
	if err != nil || n == 0 {
		return err
	}
	// of people who have changed their minds
	_, err = tx.sql.Exec(`DELETE FROM announced WHERE announcement_id = ? AND outcome = 'waiting'`, id)
	return err
}

// A Copy is that of an announcement for one person.
type Copy struct {
	Announcement int64
	User         int64
	Lang         string
	Tries        int // before this one
}

// wants picks the people u with their consents c who get an announcement that was started at ?2.
const wants = `c.answer = 'agreed' AND c.answered <= ?2 AND u.unreachable IS NULL
	AND NOT EXISTS (SELECT 1 FROM bans b WHERE b.chat_id = c.user_id)`

// NextCopy returns who gets an announcement next, as of this moment. ErrNotFound: nobody now; again is when somebody
// will, and zero: everyone has had it.
func (s *Store) NextCopy(ctx context.Context, a Announcement) (c Copy, again time.Time, err error) {
	c.Announcement = a.ID
	started := a.Started.UnixMilli()
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT c.user_id, u.lang FROM consents c CROSS JOIN users u ON u.id = c.user_id
		WHERE c.user_id > ?1 AND `+wants+` ORDER BY c.user_id LIMIT 1`, a.reached, started).Scan(&c.User, &c.Lang))
	if !errors.Is(err, ErrNotFound) {
		return c, again, err
	}
	var due int64
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT c.user_id, u.lang, w.tries, w.at FROM announced w
		CROSS JOIN consents c ON c.user_id = w.user_id CROSS JOIN users u ON u.id = c.user_id
		WHERE w.announcement_id = ?1 AND w.outcome = 'waiting' AND `+wants+` ORDER BY w.at LIMIT 1`, a.ID, started).
		Scan(&c.User, &c.Lang, &c.Tries, &due))
	if err == nil && due > s.now().UnixMilli() {
		return c, Moment(due), ErrNotFound
	}
	return c, again, err
}

// Wants reports whether somebody still gets their copy of an announcement, as of this moment.
func (s *Store) Wants(ctx context.Context, of Copy) (yes bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM announcements a CROSS JOIN consents c
		CROSS JOIN users u ON u.id = c.user_id WHERE a.id = ?1 AND c.user_id = ?2 AND a.status = 'sending' AND `+
		strings.ReplaceAll(wants, "?2", "a.started")+`)`, of.Announcement, of.User).Scan(&yes)
	return yes, err
}

// What can become of a copy.
const (
	CopyDelivered = "delivered"
	CopyWaiting   = "waiting"
	CopyBlocked   = "blocked"
	CopyFailed    = "failed"
)

// KeepCopy records what became of a copy. code is that of the error; again, when one that waits is tried again. show
// has open pages look.
func (tx *Tx) KeepCopy(c Copy, outcome, code string, again time.Time, show bool) error {
	when := tx.now
	if outcome == CopyWaiting {
		when = again.UnixMilli()
	}
	if _, err := tx.sql.Exec(`INSERT INTO announced (announcement_id, user_id, outcome, at, code)
		SELECT a.id, u.id, ?3, ?4, ?5 FROM announcements a CROSS JOIN users u WHERE a.id = ?1 AND u.id = ?2
		ON CONFLICT (announcement_id, user_id) DO UPDATE SET outcome = excluded.outcome, at = excluded.at,
			code = excluded.code, tries = tries + 1`, c.Announcement, c.User, outcome, when, null(code)); err != nil {
		return err
	}
	if show {
		tx.touch("")
	}
	if _, err := tx.sql.Exec(`UPDATE announcements SET reached = max(reached, ?2), delivered = delivered + (?3 = 'delivered'),
		blocked = blocked + (?3 = 'blocked'), failed = failed + (?3 = 'failed') WHERE id = ?1`,
		c.Announcement, c.User, outcome); err != nil {
		return err
	}
	if outcome == CopyDelivered { // what could not be delivered to them may be now
		return tx.OweAgain(c.User)
	}
	return nil
}

// MessagesDue reports whether messages that people are waiting for could be sent now.
func (s *Store) MessagesDue(ctx context.Context) (yes bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM jobs
		WHERE kind IN ('ANNOUNCE', 'DELIVER', 'APOLOGISE') AND started IS NULL AND due <= ?)`, s.now().UnixMilli()).Scan(&yes)
	return yes, err
}

// Waiting returns how many people wait for a video, each counted once for each video.
func (s *Store) Waiting(ctx context.Context) (n int, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM requests WHERE finished IS NULL`).Scan(&n)
	return n, err
}
