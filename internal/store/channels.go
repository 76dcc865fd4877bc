package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"retake.example/internal/db"
	"retake.example/internal/lang"
)

// Channel is a place to publish that an owner has connected.
type Channel struct {
	ID          int64     `json:"id"`
	Platform    string    `json:"platform"`
	External    string    `json:"external_id"` // the platform's id of it
	Title       string    `json:"title"`
	State       string    `json:"state"`                 // CONNECTED; ENDED: the platform refuses the token; DISCONNECTED: an owner took the token away
	Error       string    `json:"error,omitzero"`        // why it has ended, as it came
	Creator     int64     `json:"-"`                     // admin who connected it last
	Connected   time.Time `json:"connected"`             // last
	Checked     time.Time `json:"checked,omitzero"`      // when it last worked
	Ends        time.Time `json:"access_ends,omitzero"`  // when the platform will end the access; zero: it did not say
	PausedUntil time.Time `json:"paused_until,omitzero"` // until then no upload begins; zero: nothing holds them
	PausedFor   string    `json:"paused_for,omitzero"`   // quota: of the whole app; limit: of the channel
	Defaults    Defaults  `json:"defaults,omitzero"`
}

// EndsSoon reports whether the platform will end the access within two days: an owner should connect the channel again
// before.
func (c Channel) EndsSoon(now time.Time) bool {
	return c.State == "CONNECTED" && c.Ends.After(now) && c.Ends.Before(now.Add(48*time.Hour))
}

const channelColumns = `id, platform, external_id, title, state, ifnull(error, ''), creator, connected, checked, paused_until, paused_for, ifnull(ends, 0), defaults`

// Defaults are what the form to publish on a channel begins with, in the fields of Metadata that a channel's videos
// share.
type Defaults struct {
	Description string `json:"description,omitzero"`
	Tags        string `json:"tags,omitzero"`
	Language    string `json:"language,omitzero"`
	Kids        string `json:"made_for_kids,omitzero"`
	Privacy     string `json:"privacy,omitzero"`
	Playlist    string `json:"playlist,omitzero"`
	Last        bool   `json:"like_last_time,omitzero"` // as they were when the last video was published there
}

// Scan reads the column. A damaged one is none.
func (d *Defaults) Scan(column any) error {
	*d = Defaults{}
	if json.Unmarshal([]byte(fmt.Sprint(column)), d) != nil {
		*d = Defaults{}
	}
	return nil
}

// Defaults returns the defaults of a channel.
func (tx *Tx) Defaults(channel int64) (d Defaults, err error) {
	err = found(tx.sql.Get(`SELECT defaults FROM channels WHERE id = ?`, []any{channel}, &d))
	return d, err
}

// SetDefaults sets the defaults of a channel.
func (tx *Tx) SetDefaults(channel int64, d Defaults) error {
	tx.touch("")
	b, _ := json.Marshal(d) // texts always work
	return one(tx.sql.Exec(`UPDATE channels SET defaults = ? WHERE id = ?`, string(b), channel))
}

// LastOn returns what the last video that was sent to a channel was published with. ErrNotFound: there is none.
func (s *Store) LastOn(ctx context.Context, channel int64) (m Metadata, err error) {
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT metadata FROM publications WHERE channel_id = ?
		ORDER BY id DESC LIMIT 1`, channel).Scan((*shown)(&m)))
	return m, err
}

// Channels lists every channel there is or was, the first to be connected first.
func (s *Store) Channels(ctx context.Context) ([]Channel, error) {
	return s.channels(ctx, `SELECT `+channelColumns+` FROM channels ORDER BY id`)
}

// ConnectedIn lists the connected channels of a platform in a database file that another process may be using.
func ConnectedIn(ctx context.Context, path, platform string) ([]Channel, error) {
	d, err := db.Look(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	rows, err := d.QueryContext(ctx, `SELECT external_id, title FROM channels
		WHERE platform = ? AND state = 'CONNECTED' ORDER BY id`, platform)
	return collect(rows, err, func(c *Channel) error { return rows.Scan(&c.External, &c.Title) })
}

// Channel returns one of them.
func (s *Store) Channel(ctx context.Context, id int64) (Channel, error) {
	all, err := s.channels(ctx, `SELECT `+channelColumns+` FROM channels WHERE id = ?`, id)
	if err != nil || len(all) == 0 {
		return Channel{}, cmp.Or(err, ErrNotFound)
	}
	return all[0], nil
}

func (s *Store) channels(ctx context.Context, query string, args ...any) ([]Channel, error) {
	rows, err := s.db.Read().QueryContext(ctx, query, args...)
	now := s.now()
	return collect(rows, err, func(c *Channel) error {
		var connected, checked, hold, ends int64
		err := rows.Scan(
			&c.ID,
			&c.Platform,
			&c.External,
			&c.Title,
			&c.State,
			&c.Error,
			&c.Creator,
			&connected,
			&checked,
			&hold,
			&c.PausedFor,
			&ends,
			&c.Defaults,
		)
		c.Connected, c.Checked, c.Ends = Moment(connected), Moment(checked), Moment(ends)
		if c.PausedUntil = Moment(hold); !c.PausedUntil.After(now) {
			c.PausedUntil, c.PausedFor = time.Time{}, ""
		}
		return err
	})
}

// Token returns the sealed token of a channel. ErrNotFound: it has none.
func (s *Store) Token(ctx context.Context, channel int64) (sealed []byte, err error) {
	err = found(
		s.db.Read().
			QueryRowContext(ctx, `SELECT token FROM channels WHERE id = ? AND token IS NOT NULL`, channel).
			Scan(&sealed),
	)
	return sealed, err
}

// Connect adds a channel with its sealed token, or connects it again.
func (tx *Tx) Connect(c Channel, sealed []byte) (id int64, err error) {
	tx.touch("")
	const hold = `FROM channels WHERE platform = ?1 AND paused_for = 'quota' AND paused_until > ?6` // of the app: of a new channel, too
	err = tx.sql.Get(
		`INSERT INTO channels (platform, external_id, title, state, token, creator, connected, checked, ends, paused_until, paused_for)
		VALUES (?1, ?2, ?3, 'CONNECTED', ?4, ?5, ?6, ?6, ?7, ifnull((SELECT max(paused_until) `+hold+`), 0), iif(EXISTS (SELECT 1 `+hold+`), 'quota', ''))
		ON CONFLICT (platform, external_id) DO UPDATE SET title = ?3, state = 'CONNECTED', token = ?4, error = NULL, creator = ?5, connected = ?6, checked = ?6, ends = ?7
		RETURNING id`,
		[]any{c.Platform, c.External, lang.Visible(c.Title), sealed, c.Creator, tx.now, stamp(c.Ends)},
		&id,
	)
	return id, err
}

// KeepToken replaces the token that a channel was given at that time by what a refresh brought, unless it was
// disconnected or connected again meanwhile. ends is when the platform will end the access; zero: it did not say.
func (tx *Tx) KeepToken(channel int64, connected time.Time, sealed []byte, ends time.Time) error {
	_, err := tx.sql.Exec(`UPDATE channels SET token = ?, ends = ? WHERE id = ? AND connected = ? AND token IS NOT NULL`,
		sealed, stamp(ends), channel, connected.UnixMilli())
	return err
}

// Checked records that a channel works, and what it is called now.
func (tx *Tx) Checked(channel int64, title string) error {
	tx.touch("")
	return one(
		tx.sql.Exec(
			`UPDATE channels SET checked = ?, title = ?, state = 'CONNECTED', error = NULL WHERE id = ? AND token IS NOT NULL`,
			tx.now,
			lang.Visible(title),
			channel,
		),
	)
}

// Disconnect forgets the token of a channel. What waits to be published there fails, with a button.
func (tx *Tx) Disconnect(channel int64, problem string) error {
	tx.touch("")
	if err := one(tx.sql.Exec(`UPDATE channels SET state = 'DISCONNECTED', token = NULL, error = NULL WHERE id = ?`, channel)); err != nil {
		return err
	}
	return tx.failWaiting(channel, problem, "disconnected")
}

// EndAccess gives a publication up because the platform refuses the token of its channel. What else waits to be
// published there fails with it: none of it would work.
func (tx *Tx) EndAccess(j Job, problem string) error {
	if err := tx.GiveUp(j, problem, "reconnect"); err != nil {
		return err
	}
	var channel int64
	if err := tx.sql.Get(`SELECT ifnull(channel_id, 0) FROM publications WHERE id = ?`, []any{j.PublicationID}, &channel); err != nil {
		return err
	}
	return tx.LoseAccess(channel, j.Started, problem)
}

// Renewed reports whether the channel of a publication was connected again after that attempt began.
func (tx *Tx) Renewed(j Job) (yes bool, err error) {
	err = tx.sql.Get(`SELECT EXISTS (SELECT 1 FROM publications p JOIN channels c ON c.id = p.channel_id
		WHERE p.id = ? AND c.state = 'CONNECTED' AND c.connected > ?)`, []any{j.PublicationID, j.Started.UnixMilli()}, &yes)
	return yes, err
}

// LoseAccess records that the platform refused the token that a channel had at that time.
func (tx *Tx) LoseAccess(channel int64, at time.Time, problem string) error {
	tx.touch("")
	err := one(
		tx.sql.Exec(`UPDATE channels SET state = 'ENDED', error = ? WHERE id = ? AND state = 'CONNECTED' AND connected <= ?`,
			problem, channel, at.UnixMilli()),
	)
	if errors.Is(err, ErrNotFound) { // known already, or connected again since
		return nil
	}
	return cmp.Or(err, tx.failWaiting(channel, problem, "access_ended"))
}

// LoseChannel is LoseAccess for a channel by its id on the platform, from now on. It does nothing if there is none.
func (tx *Tx) LoseChannel(platform, external, problem string) error {
	var id int64
	err := found(tx.sql.Get(`SELECT id FROM channels WHERE platform = ? AND external_id = ?`, []any{platform, external},
		&id))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.LoseAccess(id, Moment(tx.now), problem)
}

// failWaiting gives the waiting publications of a channel up; those under way find out themselves. The code of their
// error is that of the platform, such as youtube_disconnected.
func (tx *Tx) failWaiting(channel int64, problem, code string) error {
	if _, err := tx.sql.Exec(`UPDATE publications SET status = 'FAILED', step = 'reconnect', error = ?, error_code = lower(platform) || '_' || ?, completed = ?
		WHERE channel_id = ? AND id IN (SELECT publication_id FROM jobs WHERE kind = 'PUBLISH' AND started IS NULL)`, problem, code, tx.now, channel); err != nil {
		return err
	}
	_, err := tx.sql.Exec(`DELETE FROM jobs WHERE kind = 'PUBLISH' AND started IS NULL
		AND publication_id IN (SELECT id FROM publications WHERE channel_id = ?)`, channel)
	return err
}

// PauseUploads makes a job wait that the platform lets not upload now, with all other uploads to its channel, or with
// wholeApp to any channel of the platform, also those that are wished for until then. A longer hold of a channel stays.
// why: quota or limit.
func (tx *Tx) PauseUploads(j Job, wholeApp bool, until time.Time, why, problem string) error {
	if err := tx.Defer(j, until, problem); err != nil {
		return err
	}
	tx.touch("")
	const channels = `(SELECT c.id FROM publications p JOIN channels this ON this.id = p.channel_id JOIN channels c ON c.id = this.id OR ?2 AND c.platform = this.platform
		WHERE p.id = ?1)`
	if _, err := tx.sql.Exec(`UPDATE channels SET paused_until = ?3, paused_for = ?4 WHERE paused_until < ?3 AND id IN `+channels,
		j.PublicationID, wholeApp, until.UnixMilli(), why); err != nil {
		return err
	}
	const waiting = `(SELECT id FROM publications WHERE status = 'PENDING' AND session_uri IS NULL AND channel_id IN ` + channels + `)`
	if _, err := tx.sql.Exec(`UPDATE publications SET step = ?3 WHERE id IN `+waiting, j.PublicationID, wholeApp, why); err != nil {
		return err
	}
	_, err := tx.sql.Exec(
		`UPDATE jobs SET due = max(due, ?3), asked = max(asked, ?3 - ?4) WHERE kind = 'PUBLISH' AND started IS NULL AND publication_id IN `+waiting,
		j.PublicationID,
		wholeApp,
		until.UnixMilli(),
		tx.now,
	)
	return err
}

// WaitingForChannels counts the publications that failed because their channel was not connected any more, and that
// will go on when it is, by channel.
func (s *Store) WaitingForChannels(ctx context.Context) (map[int64]int, error) {
	all := map[int64]int{}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT p.channel_id, count(*) FROM publications p
		WHERE +p.channel_id IS NOT NULL AND p.status = 'FAILED' AND p.step = 'reconnect' AND p.asset_id NOT IN `+toGo+`
		GROUP BY +p.channel_id`) // few have failed, many are on a channel
	_, err = collect(rows, err, func(channel *int64) error {
		var n int
		err := rows.Scan(channel, &n)
		all[*channel] = n
		return err
	})
	return all, err
}

// Ended is a publication that failed because access to its channel had ended.
type Ended struct{ AssetID, Platform string }

// Reconnected lists the publications that failed because access to their channel had ended, and it works again.
func (s *Store) Reconnected(ctx context.Context) ([]Ended, error) {
	rows, err := s.db.Read().
		QueryContext(ctx, `SELECT p.asset_id, p.platform FROM channels c CROSS JOIN publications p ON p.channel_id = c.id
		WHERE c.state = 'CONNECTED' AND p.status = 'FAILED' AND p.step = 'reconnect' AND p.asset_id NOT IN `+toGo+` ORDER BY p.id`)
	return collect(rows, err, func(e *Ended) error { return rows.Scan(&e.AssetID, &e.Platform) })
}
