package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Status is where an asset, a request or a publication stands.
type Status string

const (
	Pending    Status = "PENDING"
	Processing Status = "PROCESSING"
	Completed  Status = "COMPLETED"
	Failed     Status = "FAILED"
)

// Live reports whether there is still something to wait for.
func (s Status) Live() bool { return s == Pending || s == Processing }

// Asset is one video, asked for or uploaded.
type Asset struct {
	ID              string
	Name            string // what was typed
	NameKey         string // its folded form
	Template        string
	Lang            string
	Origin          string // REQUEST or UPLOAD
	Creator         *int64 // admin who made it on the page; nil: users asked for it
	RetryOf         string // the failed asset this one succeeds, or ""
	Status          Status
	Video           Video  // zero until COMPLETED
	FileID          string // Telegram's, after the first upload
	Error           string // for admins
	Metadata        Metadata
	Created         time.Time
	Finished        time.Time
	DeleteRequested time.Time // since when it should go, but may be on a platform; zero: it may stay
	Advance         bool      // made in advance: goes to everybody who asks for it, however old it is

	ErrorCode string // stable code of Error; "": it has none
}

// Video is a finished file in the media store.
type Video struct {
	File, Thumb   string // keys in the media store
	Size          int64  // bytes
	Duration      time.Duration
	Width, Height int    // px
	Codec         string // of the pictures, as ffmpeg calls it; "": nobody knows
	Note          string // OTHER_VOICE or MUSIC_ONLY if the name is not spoken by the voice that is set
}

// Metadata is what a video is published with, as the form on its page saves it. Privacy is "" until that happens.
type Metadata struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Tags        string `json:"tags"`          // with commas between them
	Language    string `json:"language"`      // BCP 47
	Kids        string `json:"made_for_kids"` // yes or no; "": nobody has chosen
	Privacy     string `json:"privacy"`       // private, unlisted or public
	Category    string `json:"category"`      // YouTube's number of it; "": people and blogs
	Playlist    string `json:"playlist"`      // YouTube's id of it, or ""
	Synthetic   string `json:"synthetic"`     // yes or no: looks real and is not; "": no
	Notify      string `json:"notify"`        // yes or no: subscribers are told; "": no
}

// Scan reads the column.
func (m *Metadata) Scan(column any) error {
	if column == "{}" { // as it is for most, on the way of every message
		*m = Metadata{}
		return nil
	}
	return json.Unmarshal([]byte(fmt.Sprint(column)), m)
}

// shown is the metadata of a row for a page, which a damaged row must not take away: it shows none then. What is
// published is read with Scan, which refuses a damaged row.
type shown Metadata

func (s *shown) Scan(column any) error {
	if (*Metadata)(s).Scan(column) != nil {
		*s = shown{}
	}
	return nil
}

// forPages is where the columns of a row go that a page shows.
func forPages(dest []any) []any {
	for i, d := range dest {
		if m, ok := d.(*Metadata); ok {
			dest[i] = (*shown)(m)
		}
	}
	return dest
}

func (m Metadata) column() string {
	b, _ := json.Marshal(m) // texts always work
	return string(b)
}

// Deleted is what a deletion leaves to be done outside of the database.
type Deleted struct {
	Files  []string // media keys that nothing refers to any more
	Assets []string // that went
	Names  []string // theirs
	Kept   []string // assets that should have gone, and that an admin has to take off a platform first
}

func (g *Deleted) Add(a Asset) {
	g.Assets, g.Names = append(g.Assets, a.ID), append(g.Names, a.Name)
	for _, key := range []string{a.Video.File, a.Video.Thumb} {
		if key != "" {
			g.Files = append(g.Files, key)
		}
	}
}

// out picks the publications p that are on a platform, or may be: it has said so, it is being asked, or its answer was
// lost.
const out = `(p.remote_id IS NOT NULL OR p.session_uri IS NOT NULL OR p.status = 'COMPLETED' OR p.step = ` +
	`'unknown' OR ` + sentUnseen + `)`

// LetGo deletes a video that should have gone, if it is on no platform any more.
func (tx *Tx) LetGo(assetID string) (gone Deleted, err error) {
	a, err := tx.asset(
		`WHERE a.id = ? AND a.delete_requested_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM publications p WHERE p.asset_id = a.id)`,
		assetID,
	)
	if errors.Is(err, ErrNotFound) {
		return gone, nil
	} else if err != nil {
		return gone, err
	}
	gone.Add(a)
	tx.touch(a.ID)
	_, err = tx.sql.Exec(`DELETE FROM assets WHERE id = ?`, a.ID)
	return gone, err
}

const assetColumns = `a.id, a.name, a.name_key, a.template, a.lang, a.origin, a.creator, ifnull(a.retry_of, ''), a.status,
	ifnull(a.file, ''), ifnull(a.thumb, ''), ifnull(a.size, 0), ifnull(a.duration, 0), ifnull(a.width, 0), ifnull(a.height, 0),
	ifnull(a.file_id, ''), ifnull(a.error, ''), a.metadata, a.created, ifnull(a.finished, 0), ifnull(a.delete_requested_at, 0), ifnull(a.error_code, ''),
	ifnull(a.advance, 0), ifnull(a.codec, ''), ifnull(a.note, '')`

// into lists where assetColumns go; done must run after the scan.
func (a *Asset) into() (dest []any, done func()) {
	var duration, created, finished, deleteRequested int64
	return []any{&a.ID, &a.Name, &a.NameKey, &a.Template, &a.Lang, &a.Origin, &a.Creator, &a.RetryOf, &a.Status,
			&a.Video.File, &a.Video.Thumb, &a.Video.Size, &duration, &a.Video.Width, &a.Video.Height,
			&a.FileID, &a.Error, &a.Metadata, &created, &finished, &deleteRequested, &a.ErrorCode, &a.Advance,
			&a.Video.Codec, &a.Video.Note}, func() {
			a.Video.Duration = time.Duration(duration) * time.Millisecond
			a.Created, a.Finished, a.DeleteRequested = Moment(created), Moment(finished), Moment(deleteRequested)
		}
}

func (tx *Tx) asset(where string, args ...any) (a Asset, err error) {
	dest, done := a.into()
	err = found(tx.sql.Get(`SELECT `+assetColumns+` FROM assets a `+where, args, dest...))
	done()
	return a, err
}

// Asset returns one asset.
func (tx *Tx) Asset(id string) (Asset, error) { return tx.asset(`WHERE a.id = ?`, id) }

// Order asks for a video.
type Order struct {
	User, Chat int64
	Admin      *int64 // set instead of User and Chat when an admin asks on the page
	Name, Key  string
	Template   string
	Lang       string
	Message    int // the question, which becomes the progress message; 0: one is sent
}

// Result is what an order led to.
type Result string

const (
	Created Result = "created" // a new asset
	Shared  Result = "joined"  // linked to one that is being made
	Waiting Result = "waiting" // the user was linked to it already
	Ready   Result = "ready"   // a finished one is sent
)

// ShareOrCreate links a wish to the video of that name that is being made, was finished after since or was made in
// advance, or makes a new asset with its RENDER job.
func (tx *Tx) ShareOrCreate(w Order, since time.Time) (Asset, Result, error) {
	a, err := tx.liveTwin(w.Key, w.Template, w.Lang)
	if errors.Is(err, ErrNotFound) {
		a, err = tx.finishedTwin(w.Key, w.Template, w.Lang, since)
	}
	grant := Shared
	switch {
	case errors.Is(err, ErrNotFound):
		grant = Created
		a, err = tx.create(Asset{Name: w.Name, NameKey: w.Key, Template: w.Template, Lang: w.Lang, Creator: w.Admin}, w.User)
		if err != nil {
			return a, "", err
		}
	case err != nil:
		return a, "", err
	case a.Status == Completed:
		grant = Ready
	}
	if w.Admin != nil {
		return a, grant, tx.wanted(a, *w.Admin)
	}
	added, err := tx.join(a, w.User, w.Chat, w.Message)
	if !added && grant == Shared {
		grant = Waiting
	}
	return a, grant, err
}

func (tx *Tx) liveTwin(key, template, lang string) (Asset, error) {
	return tx.asset(`WHERE a.name_key = ? AND a.template = ? AND a.lang = ? AND a.origin = 'REQUEST'
		AND a.status IN ('PENDING', 'PROCESSING')`, key, template, lang)
}

func (tx *Tx) finishedTwin(key, template, lang string, since time.Time) (Asset, error) {
	return tx.asset(`WHERE a.name_key = ? AND a.template = ? AND a.lang = ? AND a.origin = 'REQUEST'
		AND a.status = 'COMPLETED' AND (a.finished >= ? AND a.finished <= ? AND a.advance IS NULL OR a.advance = 1)
		AND a.delete_requested_at IS NULL ORDER BY a.finished DESC LIMIT 1`, key, template, lang, min(since.UnixMilli(), tx.now),
		tx.now)
}

// create inserts a PENDING asset and its RENDER job, under the fairness key of a user, or of its creator. One
// that is made in advance comes after everything else until somebody asks for it.
func (tx *Tx) create(a Asset, fairnessKey int64) (Asset, error) {
	a.ID, a.Origin, a.Status, a.Created = NewID(), "REQUEST", Pending, Moment(tx.now)
	if _, err := tx.sql.Exec(`INSERT INTO assets
			(id, name, name_key, template, lang, origin, creator, retry_of, created, advance)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID, a.Name, a.NameKey, a.Template, a.Lang, a.Origin, a.Creator, null(a.RetryOf), tx.now,
		null(a.Advance)); err != nil {
		return a, err
	}
	switch {
	case a.Advance:
		fairnessKey = advanceKey
	case a.Creator != nil:
		fairnessKey = *a.Creator
	}
	tx.touch(a.ID)
	return a, tx.Enqueue(Render, a.ID, 0, fairnessKey)
}

// AddUpload adds a video that an admin sent, whose files are in the media store.
func (tx *Tx) AddUpload(a Asset) error {
	v := a.Video
	if _, err := tx.sql.Exec(`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, file, thumb,
		size, duration, width, height, created, finished, codec)
		VALUES (?, ?, ?, '', ?, 'UPLOAD', ?, 'COMPLETED', ?, ?, ?, ?, ?, ?, ?12, ?12, ?)`,
		a.ID, a.Name, a.NameKey, a.Lang, a.Creator, v.File, v.Thumb, v.Size, v.Duration.Milliseconds(), v.Width, v.Height,
		tx.now, null(v.Codec)); err != nil {
		return err
	}
	tx.touch(a.ID)
	return tx.Note(Event{Admin: a.Creator, Action: "upload", AssetID: a.ID})
}

// NextTry returns what takes the place of a failed asset: a live one with the same key, one that was finished since, or
// a new successor, of the last in the line, with its RENDER job under the given fairness key.
func (tx *Tx) NextTry(failed Asset, fairnessKey int64) (next Asset, made bool, err error) {
	if next, err = tx.LaterTry(failed); err == nil {
		return next, false, tx.succeed(next, failed)
	} else if !errors.Is(err, ErrNotFound) {
		return next, false, err
	}
	last, err := tx.asset(`WHERE a.id = `+lastTry, failed.ID)
	if err != nil {
		return last, false, err
	}
	tx.touch(last.ID) // it has been tried again, says its card
	next, err = tx.create(Asset{Name: last.Name, NameKey: last.NameKey, Template: last.Template, Lang: last.Lang,
		Creator: last.Creator, RetryOf: last.ID, Advance: last.Advance}, fairnessKey)
	return next, true, err
}

// LaterTry returns what has taken the place of a failed asset already: a live one with the same key, or one that was
// finished since. ErrNotFound: there is none.
func (tx *Tx) LaterTry(failed Asset) (Asset, error) {
	next, err := tx.liveTwin(failed.NameKey, failed.Template, failed.Lang)
	if errors.Is(err, ErrNotFound) {
		next, err = tx.finishedTwin(failed.NameKey, failed.Template, failed.Lang, failed.Finished)
	}
	return next, err
}

// lastTry is the id of the last of the tries that begin with the asset ?1.
const lastTry = `(WITH RECURSIVE chain (id, n) AS (
		SELECT ?1, 0 UNION ALL SELECT s.id, n + 1 FROM assets s JOIN chain ON s.retry_of = chain.id)
	SELECT id FROM chain ORDER BY n DESC LIMIT 1)`

// succeed makes an asset that somebody else asked for, or the first of the tries before it, the successor of the last
// try of a failed one, as if the press that leads to it had made it. Otherwise each press of a crowd would make the
// triggers look for somebody who has not pressed yet.
func (tx *Tx) succeed(next, failed Asset) error {
	var last string
	err := tx.sql.Get(`SELECT id FROM assets WHERE id = `+lastTry+` AND status = 'FAILED'
		AND (?2 IS NULL OR finished <= ?2)`, []any{failed.ID, stamp(next.Finished)}, &last)
	if errors.Is(err, sql.ErrNoRows) { // the next one has this place already
		return nil
	} else if err != nil {
		return err
	}
	if err := one(tx.sql.Exec(`UPDATE assets SET retry_of = ?1 WHERE origin = 'REQUEST' AND id = (
		WITH RECURSIVE line (id, earlier) AS (
			SELECT id, retry_of FROM assets WHERE id = ?2
			UNION ALL SELECT e.id, e.retry_of FROM line CROSS JOIN assets e ON e.id = line.earlier)
		SELECT id FROM line WHERE earlier IS NULL)`, last, next.ID)); err != nil {
		return err
	}
	tx.touch(last)
	_, err = tx.sql.Exec(`UPDATE assets SET needs_attention = 0 WHERE id = ?`, last)
	return err
}

// Busy refuses to delete a video: a job of that kind is still owed for it. RENDER: somebody waits for the video itself.
type Busy Kind

func (b Busy) Error() string { return "still owed: " + string(b) }

// owed is the kind of what keeps an asset from being deleted, or ”. A video that nobody waits for is pending for
// nobody.
const owed = `SELECT CASE WHEN a.finished IS NULL AND EXISTS (SELECT 1 FROM requests r
	WHERE r.asset_id = a.id) THEN 'RENDER'
	ELSE ifnull((SELECT kind FROM jobs j WHERE j.asset_id = a.id AND kind <> 'RENDER' ORDER BY kind = 'ANNOUNCE', j.id
	LIMIT 1), '') END
	FROM assets a WHERE a.id = ?`

// Delete deletes an asset with all that belongs to it, unless it is Busy. What was done stays in the activity list.
func (tx *Tx) Delete(assetID string) error {
	var kind Kind
	if err := found(tx.sql.Get(owed, []any{assetID}, &kind)); err != nil {
		return err
	}
	if kind != "" {
		return Busy(kind)
	}
	tx.touch(assetID)
	return one(tx.sql.Exec(`DELETE FROM assets WHERE id = ?`, assetID))
}

// SaveMetadata keeps what a finished video is published with.
func (tx *Tx) SaveMetadata(assetID string, m Metadata) error {
	tx.touch(assetID)
	return one(tx.sql.Exec(`UPDATE assets SET metadata = ? WHERE id = ? AND status = 'COMPLETED'`, m.column(), assetID))
}

// ForgetFileID drops Telegram's handle of a video because Telegram refuses it.
func (tx *Tx) ForgetFileID(assetID, fileID string) error {
	_, err := tx.sql.Exec(`UPDATE assets SET file_id = NULL WHERE id = ? AND file_id = ?`, assetID, fileID)
	return err
}

// KeepFileID records the handle with which Telegram sends the video of an asset again, if it had forgotten it or had
// none.
func (tx *Tx) KeepFileID(assetID, fileID string) error {
	_, err := tx.sql.Exec(`UPDATE assets SET file_id = ? WHERE id = ? AND file_id IS NULL`, fileID, assetID)
	return err
}

// setLive moves an asset and the requests waiting for it between PENDING and PROCESSING.
func (tx *Tx) setLive(assetID string, from, to Status) error {
	if err := one(tx.sql.Exec(`UPDATE assets SET status = ? WHERE id = ? AND status = ?`, to, assetID, from)); err != nil {
		return err
	}
	tx.touch(assetID)
	_, err := tx.sql.Exec(
		`UPDATE requests SET status = ? WHERE asset_id = ? AND status IN ('PENDING', 'PROCESSING')`,
		to,
		assetID,
	)
	return err
}

// MediaKeys lists every key that an asset refers to, those in the bin included.
func (s *Store) MediaKeys(ctx context.Context) ([]string, error) {
	return s.texts(
		ctx,
		`SELECT file FROM assets WHERE file IS NOT NULL UNION ALL SELECT thumb FROM assets WHERE thumb IS NOT NULL
		UNION ALL SELECT file FROM bin WHERE file IS NOT NULL UNION ALL SELECT thumb FROM bin WHERE thumb IS NOT NULL`,
	)
}

// HasMedia reports whether any asset refers to a key, or whether one that is gone may have: a file may have stayed when
// the last video was deleted. A database that knows of neither is rather a new one in the place of one that was lost.
func (s *Store) HasMedia(ctx context.Context) (yes bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM assets WHERE status = 'COMPLETED')
		OR EXISTS (SELECT 1 FROM audit e WHERE asset_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM assets WHERE id = e.asset_id))`).Scan(&yes)
	return yes, err
}

// Unneeded picks, of media keys that begin with the id of an asset, those that no asset refers to. An asset that is not
// finished may yet come to refer to its own.
func (s *Store) Unneeded(ctx context.Context, keys []string) ([]string, error) {
	return s.texts(ctx, `SELECT k.value FROM json_each(?) k WHERE NOT EXISTS (
		SELECT 1 FROM assets a WHERE a.id = substr(k.value, 1, 26) AND (a.finished IS NULL OR k.value IN (a.file, a.thumb)))
		AND NOT EXISTS (SELECT 1 FROM bin b WHERE b.id = substr(k.value, 1, 26) AND k.value IN (b.file, b.thumb))`,
		list(keys))
}

// Asset returns one asset as last committed.
func (s *Store) Asset(ctx context.Context, id string) (a Asset, err error) {
	dest, done := a.into()
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT `+assetColumns+` FROM assets a WHERE a.id = ?`, id).Scan(dest...))
	done()
	return a, err
}
