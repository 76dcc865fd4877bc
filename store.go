// Every SQL statement of Retake, the types they fill, and the transactions they run in.

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"retake.example/internal/db"
)

//go:embed schema.sql
var schema string

// steps lead from one version of the schema to the next; they are only ever added to. What CREATE … IF NOT EXISTS of schema.sql
// adds needs no more than a step that does nothing.
var steps = []string{
	// For each row that it checks SQLite builds a table of the words of IN (…), if there are more than two; OR needs none. What is
	// stored stays as it is, so the text may be replaced (sqlite.org/lang_altertable.html).
	`PRAGMA writable_schema = 1;
	UPDATE sqlite_schema SET sql = replace(replace(replace(replace(sql,
		'status IN (''PENDING'', ''PROCESSING'', ''COMPLETED'', ''FAILED'')',
		'status = ''PENDING'' OR status = ''PROCESSING'' OR status = ''COMPLETED'' OR status = ''FAILED'''),
		'kind IN (''RENDER'', ''ANNOUNCE'', ''DELIVER'', ''APOLOGISE'', ''PUBLISH'')',
		'kind = ''RENDER'' OR kind = ''ANNOUNCE'' OR kind = ''DELIVER'' OR kind = ''APOLOGISE'' OR kind = ''PUBLISH'''),
		'kind IN (''ANNOUNCE'', ''DELIVER'', ''APOLOGISE'')',
		'kind = ''ANNOUNCE'' OR kind = ''DELIVER'' OR kind = ''APOLOGISE'''),
		'outcome IN (''done'', ''rescheduled'', ''deferred'', ''gave up'', ''crashed'')',
		'outcome = ''done'' OR outcome = ''rescheduled'' OR outcome = ''deferred'' OR outcome = ''gave up'' OR outcome = ''crashed''')
	WHERE type = 'table' AND name IN ('assets', 'requests', 'publications', 'jobs', 'attempts');
	PRAGMA writable_schema = RESET;
	DROP INDEX jobs_waiting;
	ALTER TABLE outage DROP COLUMN told;
	ALTER TABLE users ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
	UPDATE users SET seen = CAST(unixepoch('subsec') * 1000 AS INTEGER);
	ALTER TABLE assets ADD COLUMN unwanted INTEGER`,
	// What a restored backup owes is held. The schema makes the view anew.
	`ALTER TABLE requests ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held BETWEEN 0 AND 2);
	 ALTER TABLE inbox ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1));
	 DROP VIEW unserved`,
	// A message that is owed to many is a row.
	`ALTER TABLE jobs ADD COLUMN crowd INTEGER CHECK (crowd IS NULL OR request_id IS NULL AND started IS NULL);
	PRAGMA writable_schema = 1;
	UPDATE sqlite_schema SET sql = replace(sql, '= (request_id IS NOT NULL)', '= (request_id IS NOT NULL OR crowd IS NOT NULL)')
	WHERE type = 'table' AND name = 'jobs';
	PRAGMA writable_schema = RESET`,
	// A crowd says which progress messages its people have. The schema makes the view anew.
	`DROP VIEW IF EXISTS crowds`,
	// The schema adds the view publishable.
	``,
}

// schemaVersion is the version of the schema.
func schemaVersion() int { return len(steps) + 1 }

var (
	ErrNotFound  = errors.New("not found")
	ErrForbidden = errors.New("forbidden")
	ErrNotFailed = errors.New("not failed")
	ErrExists    = errors.New("exists already")
	// ErrNotPublishable refuses to publish a video because the person who asked for it had it deleted.
	ErrNotPublishable = errors.New("not publishable")
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

// Kind is what a job does.
type Kind string

const (
	Render    Kind = "RENDER"    // make the video
	Announce  Kind = "ANNOUNCE"  // tell one user that the work has begun
	Deliver   Kind = "DELIVER"   // send the video to one user
	Apologise Kind = "APOLOGISE" // tell one user that it did not work, with the button
	Publish   Kind = "PUBLISH"   // put the video on a platform
)

// Asset is one video, asked for or uploaded.
type Asset struct {
	ID       string
	Name     string // what was typed
	NameKey  string // its folded form
	Template string
	Lang     string
	Origin   string // REQUEST or UPLOAD
	Creator  *int64 // admin who made it on the page; nil: users asked for it
	RetryOf  string // the failed asset this one succeeds, or ""
	Status   Status
	Video    Video  // zero until COMPLETED
	FileID   string // Telegram's, after the first upload
	Error    string // for admins
	Metadata Metadata
	Created  time.Time
	Finished time.Time
	Unwanted time.Time // since when it should go, but may be on a platform; zero: it may stay
}

// Video is a finished file in the media store.
type Video struct {
	File, Thumb   string // keys in the media store
	Size          int64  // bytes
	Duration      time.Duration
	Width, Height int // px
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

func (m Metadata) column() string {
	b, _ := json.Marshal(m) // texts always work
	return string(b)
}

// Job is work still owed. ID and Attempt together fence every update a worker makes.
type Job struct {
	ID            int64
	Kind          Kind
	AssetID       string
	RequestID     int64 // 0 unless it is a message to a user
	PublicationID int64 // 0 unless it is a PUBLISH
	Attempt       int   // begun so far, this one included
	Started       time.Time
	Sent          int // DELIVER: message id of the video that has arrived
	Crashes       int
}

// Recipient is the user a message job is for.
type Recipient struct {
	User, Chat  int64
	Lang        string
	Status      Status
	Unreachable bool
	Progress    int // the progress message when the job was begun; 0: none yet
}

// Task is a claimed job with all that its worker needs.
type Task struct {
	Job
	Asset       *Asset // also that of others: its worker only reads it
	To          Recipient
	Publication *Publication // nil unless it is a PUBLISH
}

// Store is the database.
type Store struct {
	db  *db.DB
	now func() time.Time
	// claim is the end of each transaction, in which workers may take the work that it owes. settled is told whether that is on
	// the disk. Of those that share a commit the last one claims for all.
	claim   func(tx *Tx) error
	settled func(tx *Tx, done bool)
	owed    []Kind // by those before it; only in transactions
}

// OpenStore opens the database file at path, creating it or bringing it up to date.
func OpenStore(path string) (*Store, error) { return OpenStoreAfter(path, nil) }

// OpenStoreAfter is OpenStore that calls before with the version of a database that it is about to bring up to date, and stops if
// that fails.
func OpenStoreAfter(path string, before func(version int) error) (*Store, error) {
	d, err := db.Open(path, schema, steps, before)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &Store{db: d, now: time.Now, claim: func(*Tx) error { return nil }, settled: func(*Tx, bool) {}}, nil
}

func (s *Store) Close() error { return s.db.Close() }

// LookAt reads the file of a database that another process may be using, and changes nothing. broken is what is damaged in it;
// newer: it belongs to a newer version of the program.
func LookAt(ctx context.Context, path string) (broken []string, newer bool, err error) {
	d, err := db.Look(path)
	if err != nil {
		return nil, false, err
	}
	defer d.Close()
	version, broken, err := db.Examine(ctx, d)
	return broken, version > len(steps)+1, err
}

// AppointedIn is Appointed of a file that another process may be using.
func AppointedIn(ctx context.Context, path string) ([]Appointed, error) {
	d, err := db.Look(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return appointed(ctx, d)
}

// ofDisk reports whether an error is that of a full or broken disk.
func ofDisk(err error) bool { return db.OfDisk(err) }

// Tx is a transaction with one time of its own.
type Tx struct {
	*db.Tx
	now    int64    // unix ms
	owed   []Kind   // there may be a job of these to begin at once
	later  bool     // there may be one that becomes due
	tasks  []Task   // claimed for workers of the queue
	assets []string // that changed
}

// Tx runs fn in a transaction; its effects are on the disk when Tx returns nil. The function must touch nothing but tx, and
// may be run twice: the last time counts.
func (s *Store) Tx(ctx context.Context, fn func(*Tx) error) (err error) {
	now := s.now().UnixMilli()
	tx := &Tx{}
	done := false
	defer func() { s.settled(tx, done) }()
	err = s.db.Tx(ctx, func(d *db.Tx) error {
		if tx.Tx != nil {
			s.settled(tx, false)
		}
		tx = &Tx{Tx: d, now: now, owed: s.owed}
		if err := fn(tx); err != nil {
			return err
		}
		if s.owed = tx.owed; !d.Last {
			return nil
		}
		s.owed = nil
		return s.claim(tx)
	})
	done = err == nil
	return err
}

// NewID returns 128 random bits as 26 characters that are safe in file names and callback data.
func NewID() string { return rand.Text() }

func (tx *Tx) touch(assetID string) { tx.assets = append(tx.assets, assetID) }

// one turns "no row changed" into ErrNotFound.
func one(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// found turns "no row" into ErrNotFound.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// rows are those of a transaction or of the readers.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// collect scans every row of a query and closes it.
func collect[T any, R rows](rows R, err error, scan func(*T) error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var v T
		if err := scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

func null[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// stamp is what a column holds of a time; NULL: none.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// ---- users

// User is a person who wrote to the bot.
type User struct {
	ID   int64
	Lang string
}

// Meet returns the user, creating them with lang at the first contact. Whoever writes can be reached again.
func (tx *Tx) Meet(id int64, lang string) (User, error) {
	u := User{ID: id}
	err := tx.Get(`
		INSERT INTO users (id, lang, created, seen) VALUES (?1, ?2, ?3, ?3)
		ON CONFLICT (id) DO UPDATE SET unreachable = NULL, seen = ?3
		RETURNING lang`, []any{id, lang, tx.now}, &u.Lang)
	return u, err
}

// Met returns a user who has written in the last day and can be reached: meeting them again would change nothing. Else ErrNotFound.
func (s *Store) Met(ctx context.Context, id int64) (User, error) {
	u := User{ID: id}
	err := found(s.db.Read().QueryRowContext(ctx, `SELECT lang FROM users WHERE id = ? AND unreachable IS NULL AND seen > ?`,
		id, s.now().Add(-24*time.Hour).UnixMilli()).Scan(&u.Lang))
	return u, err
}

// SetLang stores the language a user chose.
func (tx *Tx) SetLang(user int64, lang string) error {
	return one(tx.Exec(`UPDATE users SET lang = ? WHERE id = ?`, lang, user))
}

// Language returns the language of a user.
func (s *Store) Language(ctx context.Context, user int64) (lang string, err error) {
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT lang FROM users WHERE id = ?`, user).Scan(&lang))
	return lang, err
}

// SetReachable records whether messages reach a user. A user nobody knows is not an error.
func (tx *Tx) SetReachable(user int64, yes bool) error {
	_, err := tx.Exec(`UPDATE users SET unreachable = CASE WHEN ? THEN NULL ELSE ifnull(unreachable, ?) END WHERE id = ?`, yes, tx.now, user)
	return err
}

// SaveDraft keeps a name until its Yes is pressed and returns the id that the button carries.
func (tx *Tx) SaveDraft(user int64, name string) (string, error) {
	if _, err := tx.Exec(`DELETE FROM drafts WHERE created < ?`, tx.now-draftLife.Milliseconds()); err != nil {
		return "", err
	}
	id := NewID()
	_, err := tx.Exec(`INSERT INTO drafts (id, user_id, name, created) VALUES (?, ?, ?, ?)`, id, user, name, tx.now)
	return id, err
}

// TakeDraft returns a user's draft and forgets it.
func (tx *Tx) TakeDraft(user int64, id string) (name string, err error) {
	err = found(tx.Get(`DELETE FROM drafts WHERE id = ? AND user_id = ? RETURNING name`, []any{id, user}, &name))
	return name, err
}

// Usage is how much a user has asked for, retries included.
type Usage struct{ Open, Hour, Day int }

// Usage counts what is still to come, and the wishes and retries of the last hour and day, whatever became of them.
func (tx *Tx) Usage(user int64) (u Usage, err error) {
	if err := tx.Get(`SELECT count(*) FROM requests WHERE user_id = ? AND `+awaited, []any{user}, &u.Open); err != nil {
		return u, err
	}
	err = tx.Get(`SELECT count(*) FILTER (WHERE at > ?2), count(*) FROM audit WHERE user_id = ?1 AND at > ?3`,
		[]any{user, tx.now - time.Hour.Milliseconds(), tx.now - 24*time.Hour.Milliseconds()}, &u.Hour, &u.Day)
	return u, err
}

// awaited picks the requests that something is still owed to: a delivery that was given up is not.
const awaited = `requests.status IN ('PENDING', 'PROCESSING') AND (
	EXISTS (SELECT 1 FROM assets a WHERE a.id = requests.asset_id AND a.status IN ('PENDING', 'PROCESSING'))
	OR EXISTS (SELECT 1 FROM jobs j WHERE j.request_id = requests.id AND j.kind = 'DELIVER')
	OR EXISTS (SELECT 1 FROM crowds c WHERE c.request_id = requests.id AND c.kind = 'DELIVER'))`

// Gone is what a deletion leaves to be done outside of the database.
type Gone struct {
	Files  []string // media keys that nothing refers to any more
	Assets []string // that went
	Names  []string // theirs
	Kept   []string // assets that should have gone, and that an admin has to take off a platform first
}

func (g *Gone) add(a Asset) {
	g.Assets, g.Names = append(g.Assets, a.ID), append(g.Names, a.Name)
	for _, key := range []string{a.Video.File, a.Video.Thumb} {
		if key != "" {
			g.Files = append(g.Files, key)
		}
	}
}

// out picks the publications p that are on a platform, or may be: it has said so, it is being asked, or its answer was lost.
const out = `(p.remote_id IS NOT NULL OR p.session_uri IS NOT NULL OR p.status = 'COMPLETED' OR p.step = 'unknown' OR ` + sentToRumble + `)`

// sentToRumble picks the publications p of which Rumble has all bytes and has not confirmed it. Nobody can ask Rumble about them.
// Before the last bytes leave the program stores that they do, so Rumble cannot have any other.
const sentToRumble = `p.platform = 'RUMBLE' AND p.step = 'uploading' AND p.sent >= (SELECT size FROM assets v WHERE v.id = p.asset_id)`

// mayBePublished picks the publications p whose video may be published.
const mayBePublished = `EXISTS (SELECT 1 FROM publishable v WHERE v.id = p.asset_id)`

// Forget deletes a user with all that is kept of them: their sign-ins, too, if they are an admin, and every asset that only
// they asked for, with the successors that nobody waits for. What may be on a platform stays until an admin has taken it off
// there: Unpublish deletes it then. Nobody else is given it until then.
func (tx *Tx) Forget(user int64) (gone Gone, err error) {
	rows, err := tx.Query(`
		WITH RECURSIVE theirs (id) AS (
			SELECT asset_id FROM requests WHERE user_id = ?1
			UNION SELECT s.id FROM assets s JOIN theirs ON s.retry_of = theirs.id)
		SELECT a.id, a.name, ifnull(a.file, ''), ifnull(a.thumb, ''), EXISTS (SELECT 1 FROM publications p WHERE p.asset_id = a.id AND `+out+`)
		FROM assets a JOIN theirs ON theirs.id = a.id
		WHERE a.creator IS NULL AND NOT EXISTS (SELECT 1 FROM requests o WHERE o.asset_id = a.id AND o.user_id <> ?1)`, user)
	var kept []string
	theirs, err := collect(rows, err, func(a *Asset) error {
		var shown bool
		err := rows.Scan(&a.ID, &a.Name, &a.Video.File, &a.Video.Thumb, &shown)
		if shown {
			kept = append(kept, a.ID)
		}
		return err
	})
	if err != nil {
		return gone, err
	}
	for _, a := range theirs {
		tx.touch(a.ID)
		if !slices.Contains(kept, a.ID) {
			gone.add(a)
			_, err = tx.Exec(`DELETE FROM assets WHERE id = ?`, a.ID)
		} else if _, err = tx.Exec(`UPDATE assets SET unwanted = ?, file_id = NULL WHERE id = ?`, tx.now, a.ID); err == nil {
			gone.Kept = append(gone.Kept, a.ID)
		}
		if err != nil {
			return gone, err
		}
	}
	if err := tx.EndPublishing(); err != nil {
		return gone, err
	}
	for _, statement := range []string{
		`DELETE FROM users WHERE id = ?`,
		`DELETE FROM sessions WHERE admin = ?`,
		`DELETE FROM links WHERE admin = ?`,
		// The rows stay: they hold Telegram's offset and keep an update from being handled twice.
		`UPDATE inbox SET raw = NULL, chat_id = 0 WHERE chat_id = ?`,
	} {
		if _, err := tx.Exec(statement, user); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

// EndPublishing ends the publishing of all videos that should go. Their PUBLISH jobs are deleted, so a running attempt can store
// nothing and sends nothing more. Publications of which the platform has nothing are deleted. The others fail: Withdrawals lists
// those that can be ended at the platform, and an admin has to look for the rest. So does a video that is uploaded and that the
// platform would show later.
func (tx *Tx) EndPublishing() error {
	const theirs = `asset_id IN (SELECT id FROM assets WHERE unwanted IS NOT NULL)`
	if _, err := tx.Exec(`DELETE FROM jobs WHERE kind = 'PUBLISH' AND ` + theirs); err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM publications AS p WHERE p.` + theirs + ` AND NOT ` + out); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE publications AS p SET status = 'FAILED', step = iif(p.step = 'unknown' OR `+sentToRumble+`, 'unknown', ''),
			error = lower(platform) || ' forgotten: the person who asked for this video had it deleted', completed = ?1
		WHERE p.`+theirs+` AND (p.status IN ('PENDING', 'PROCESSING')
			OR p.status = 'COMPLETED' AND p.platform = 'YOUTUBE' AND p.remote_id IS NOT NULL AND p.publish_at > ?1)`, tx.now)
	return err
}

// Withdrawal is the publication of a video that should go, of which a platform has something.
type Withdrawal struct {
	AssetID string
	Size    int64 // bytes of the video
	Publication
}

// Withdrawals lists the publications that the program itself can end at the platform: those that were under way when the person
// who asked for the video had it deleted.
func (s *Store) Withdrawals(ctx context.Context) ([]Withdrawal, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT a.id, a.size, `+publicationColumns+`, ifnull(p.session_uri, ''), ifnull(p.session_at, 0)
		FROM assets a CROSS JOIN publications p ON p.asset_id = a.id
		WHERE a.unwanted IS NOT NULL AND p.status = 'FAILED' AND (p.remote_id IS NOT NULL OR p.session_uri IS NOT NULL) ORDER BY p.id`)
	return collect(rows, err, func(w *Withdrawal) error {
		var since int64
		dest, done := w.into()
		err := rows.Scan(append(append([]any{&w.AssetID, &w.Size}, dest...), &w.Upload.Session, &since)...)
		done()
		w.Upload.Since = moment(since)
		return err
	})
}

// Withdrawn deletes a publication that was ended at the platform, and the video if it is on no other.
func (tx *Tx) Withdrawn(w Withdrawal) (gone Gone, err error) {
	if _, err := tx.Exec(`DELETE FROM publications WHERE id = ? AND status = 'FAILED' AND ifnull(remote_id, '') = ? AND ifnull(session_uri, '') = ?`,
		w.ID, w.Upload.ID, w.Upload.Session); err != nil {
		return gone, err
	}
	tx.touch(w.AssetID)
	return tx.LetGo(w.AssetID)
}

// Arrived stores the platform's id of a video whose last bytes had left when its publishing was ended.
func (tx *Tx) Arrived(j Job, u Upload) error {
	tx.touch(j.AssetID)
	_, err := tx.Exec(`UPDATE publications AS p SET step = '', remote_id = ?, remote_url = ?, uploaded = ?, session_uri = NULL, session_at = NULL
		WHERE p.id = ? AND p.status = 'FAILED' AND p.remote_id IS NULL AND NOT `+mayBePublished,
		u.ID, null(u.URL), stamp(u.Uploaded), j.PublicationID)
	return err
}

// LetGo deletes a video that should have gone, if it is on no platform any more.
func (tx *Tx) LetGo(assetID string) (gone Gone, err error) {
	a, err := tx.asset(`WHERE a.id = ? AND a.unwanted IS NOT NULL AND NOT EXISTS (SELECT 1 FROM publications p WHERE p.asset_id = a.id)`, assetID)
	if errors.Is(err, ErrNotFound) {
		return gone, nil
	} else if err != nil {
		return gone, err
	}
	gone.add(a)
	tx.touch(a.ID)
	_, err = tx.Exec(`DELETE FROM assets WHERE id = ?`, a.ID)
	return gone, err
}

// Unwanted is a video that should go, and may be on a platform.
type Unwanted struct {
	ID    string    `json:"id"`
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
}

// Unwanted lists up to ten of them, the one first that should have gone first.
func (s *Store) Unwanted(ctx context.Context) ([]Unwanted, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, name, unwanted FROM assets WHERE unwanted IS NOT NULL ORDER BY unwanted, id LIMIT 10`)
	return collect(rows, err, func(u *Unwanted) error {
		var since int64
		err := rows.Scan(&u.ID, &u.Name, &since)
		u.Since = moment(since)
		return err
	})
}

// Export is everything that is kept about one user, for them to read.
type Export struct {
	What   string         `json:"what"`
	Made   time.Time      `json:"made"`
	User   Person         `json:"user"`
	Drafts []ExportDraft  `json:"names_not_confirmed"`
	Videos []ExportVideo  `json:"videos"`
	Acts   []ExportAct    `json:"actions"`
	Inbox  []ExportUpdate `json:"messages_not_answered_yet"`
	Admin  *ExportAdmin   `json:"admin,omitempty"` // nil: they are none
}

// Person is a user as an Export has them.
type Person struct {
	ID          int64     `json:"telegram_id"`
	Lang        string    `json:"language"`
	Created     time.Time `json:"first_wrote"`
	Seen        time.Time `json:"last_wrote"` // to the day
	Unreachable time.Time `json:"not_reachable_since,omitzero"`
}

// ExportDraft is a name that was typed and not confirmed.
type ExportDraft struct {
	Name  string    `json:"name"`
	Typed time.Time `json:"typed"`
}

// ExportVideo is a wish for a video.
type ExportVideo struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Template  string      `json:"template"`
	Lang      string      `json:"language"`
	Status    Status      `json:"status"`
	Chat      int64       `json:"chat"`
	Asked     time.Time   `json:"asked"`
	Finished  time.Time   `json:"finished,omitzero"`
	Progress  int         `json:"progress_message,omitzero"`
	Answer    int         `json:"answer_message,omitzero"`
	Size      int64       `json:"video_bytes,omitzero"`
	Duration  int64       `json:"video_ms,omitzero"`
	Published []ExportPub `json:"published,omitempty"`
	Owed      []ExportJob `json:"messages_to_come,omitempty"`
	Troubles  []ExportTry `json:"messages_that_failed,omitempty"`
}

// ExportPub is where a video is published.
type ExportPub struct {
	Platform string    `json:"platform"`
	Status   Status    `json:"status"`
	Title    string    `json:"title,omitzero"`
	URL      string    `json:"url,omitzero"`
	Since    time.Time `json:"since"`
}

// ExportJob is a message that is still to be sent.
type ExportJob struct {
	Kind  Kind      `json:"kind"`
	Since time.Time `json:"since"`
	Error string    `json:"error,omitzero"`
}

// ExportTry is a message that could not be sent.
type ExportTry struct {
	Kind  Kind      `json:"kind"`
	At    time.Time `json:"at"`
	Error string    `json:"error"`
}

// ExportAct is something a person did.
type ExportAct struct {
	At       time.Time `json:"at"`
	Action   string    `json:"action"`
	Video    string    `json:"video,omitzero"`
	Platform string    `json:"platform,omitzero"`
	Outcome  string    `json:"outcome,omitzero"`
}

// ExportUpdate is what Telegram has brought from them and has not been answered.
type ExportUpdate struct {
	At  time.Time       `json:"at"`
	Raw json.RawMessage `json:"update"`
}

// ExportAdmin is what is kept about an admin.
type ExportAdmin struct {
	Ranks    []ExportRank  `json:"made_an_admin_by_command"`
	Told     []ExportTold  `json:"alerts"`
	Visits   []ExportVisit `json:"sign_ins"`
	Links    []time.Time   `json:"sign_in_links_valid_until"`
	Acts     []ExportAct   `json:"actions"`
	Made     []ExportMade  `json:"videos_made_or_uploaded"`
	Released []ExportPub   `json:"publications"`
	Channels []ExportPub   `json:"channels_connected"`
}

// ExportRank is that somebody was made an admin.
type ExportRank struct {
	Since time.Time `json:"since"`
	Owner bool      `json:"owner"`
}

// ExportTold is which trouble an admin was told of last.
type ExportTold struct {
	Cause string    `json:"cause"`
	At    time.Time `json:"at"`
}

// ExportVisit is a session.
type ExportVisit struct {
	Begun time.Time `json:"begun"`
	Seen  time.Time `json:"last_used"`
}

// ExportMade is a video that an admin has made or uploaded.
type ExportMade struct {
	ID   string    `json:"id"`
	Name string    `json:"name"`
	At   time.Time `json:"at"`
}

// Export collects all that is kept about a user, and nothing of anybody else: what others wished for is not in it, and neither is
// why a video failed, which is about the program. admin: they may sign in to the page. ErrNotFound: nobody knows them.
func (tx *Tx) Export(user int64, admin bool) (x Export, err error) {
	x = Export{What: "Everything that this bot keeps about one Telegram user. Times are UTC.", Made: when(tx.now), User: Person{ID: user},
		Drafts: []ExportDraft{}, Videos: []ExportVideo{}, Acts: []ExportAct{}, Inbox: []ExportUpdate{}}
	var created, seen, unreachable int64
	err = found(tx.Get(`SELECT lang, created, seen, ifnull(unreachable, 0) FROM users WHERE id = ?`, []any{user}, &x.User.Lang, &created, &seen, &unreachable))
	if err != nil && !(admin && errors.Is(err, ErrNotFound)) {
		return x, err
	}
	x.User.Created, x.User.Seen, x.User.Unreachable = when(created), when(seen), when(unreachable)
	if err := pull(tx, &x.Drafts, `SELECT name, created FROM drafts WHERE user_id = ? ORDER BY created`, []any{user},
		func(d *ExportDraft, scan scanner) error { return scan(&d.Name, at(&d.Typed)) }); err != nil {
		return x, err
	}
	requests := map[int]int64{} // by the place in Videos
	if err := pull(tx, &x.Videos, `SELECT r.id, a.id, a.name, a.template, a.lang, r.status, r.chat_id, r.created, ifnull(r.finished, 0), ifnull(r.progress_id, 0),
			ifnull(r.answer_id, 0), ifnull(a.size, 0), ifnull(a.duration, 0)
		FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.user_id = ? ORDER BY r.id`, []any{user},
		func(v *ExportVideo, scan scanner) error {
			var request int64
			err := scan(&request, &v.ID, &v.Name, &v.Template, &v.Lang, &v.Status, &v.Chat, at(&v.Asked), at(&v.Finished), &v.Progress, &v.Answer, &v.Size, &v.Duration)
			requests[len(requests)] = request
			return err
		}); err != nil {
		return x, err
	}
	for i := range x.Videos {
		v := &x.Videos[i]
		err := errors.Join(
			pull(tx, &v.Published, exportPublications+` WHERE p.asset_id = ? ORDER BY p.id`, []any{v.ID}, scanPublication),
			pull(tx, &v.Owed, `SELECT kind, created, ifnull(last_error, '') FROM jobs WHERE request_id = ?1
				UNION ALL SELECT kind, created, '' FROM crowds WHERE request_id = ?1 ORDER BY created`, []any{requests[i]},
				func(j *ExportJob, scan scanner) error { return scan(&j.Kind, at(&j.Since), &j.Error) }),
			pull(tx, &v.Troubles, `SELECT kind, finished, ifnull(error, '') FROM attempts WHERE request_id = ? ORDER BY id`, []any{requests[i]},
				func(t *ExportTry, scan scanner) error { return scan(&t.Kind, at(&t.At), &t.Error) }))
		if err != nil {
			return x, err
		}
	}
	err = errors.Join(
		pull(tx, &x.Acts, exportActs+` WHERE user_id = ? ORDER BY at, id`, []any{user}, scanAct),
		pull(tx, &x.Inbox, `SELECT received, raw FROM inbox WHERE raw IS NOT NULL AND chat_id = ? ORDER BY update_id`, []any{user},
			func(u *ExportUpdate, scan scanner) error {
				var raw string
				err := scan(at(&u.At), &raw)
				if u.Raw = json.RawMessage(raw); err == nil && !json.Valid(u.Raw) {
					u.Raw, err = json.Marshal(raw)
				}
				return err
			}))
	if err != nil || !admin {
		return x, err
	}
	x.Admin = &ExportAdmin{}
	return x, errors.Join(
		pull(tx, &x.Admin.Ranks, `SELECT added, owner FROM admins WHERE id = ?`, []any{user},
			func(r *ExportRank, scan scanner) error { return scan(at(&r.Since), &r.Owner) }),
		pull(tx, &x.Admin.Told, `SELECT cause, at FROM alerts WHERE admin = ? ORDER BY cause`, []any{user},
			func(t *ExportTold, scan scanner) error { return scan(&t.Cause, at(&t.At)) }),
		pull(tx, &x.Admin.Visits, `SELECT created, seen FROM sessions WHERE admin = ? ORDER BY created`, []any{user},
			func(v *ExportVisit, scan scanner) error { return scan(at(&v.Begun), at(&v.Seen)) }),
		pull(tx, &x.Admin.Links, `SELECT expires FROM links WHERE admin = ? ORDER BY expires`, []any{user},
			func(t *time.Time, scan scanner) error { return scan(at(t)) }),
		pull(tx, &x.Admin.Acts, exportActs+` WHERE admin = ? ORDER BY at, id`, []any{user}, scanAct),
		pull(tx, &x.Admin.Made, `SELECT id, name, created FROM assets WHERE creator = ? ORDER BY created, id`, []any{user},
			func(m *ExportMade, scan scanner) error { return scan(&m.ID, &m.Name, at(&m.At)) }),
		pull(tx, &x.Admin.Released, exportPublications+` WHERE p.creator = ? ORDER BY p.id`, []any{user}, scanPublication),
		pull(tx, &x.Admin.Channels, `SELECT platform, '', title, '', connected FROM channels WHERE creator = ? ORDER BY id`, []any{user}, scanPublication))
}

const (
	exportPublications = `SELECT p.platform, p.status, ifnull(p.metadata ->> 'title', ''), ifnull(p.remote_url, ''), p.created FROM publications p`
	exportActs         = `SELECT at, action, ifnull(asset_id, ''), ifnull(platform, ''), outcome FROM audit`
)

func scanPublication(p *ExportPub, scan scanner) error {
	return scan(&p.Platform, &p.Status, &p.Title, &p.URL, at(&p.Since))
}

func scanAct(a *ExportAct, scan scanner) error {
	return scan(at(&a.At), &a.Action, &a.Video, &a.Platform, &a.Outcome)
}

// scanner is the Scan of a row.
type scanner func(dest ...any) error

// pull appends the rows of a query.
func pull[T any](tx *Tx, into *[]T, query string, args []any, scan func(*T, scanner) error) error {
	rows, err := tx.Query(query, args...)
	all, err := collect(rows, err, func(v *T) error { return scan(v, rows.Scan) })
	*into = append(*into, all...)
	return err
}

// when is a time as people read it in a file.
func when(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// at scans a column of milliseconds into a time.
func at(t *time.Time) sql.Scanner { return (*stamped)(t) }

type stamped time.Time

func (s *stamped) Scan(column any) error {
	ms, ok := column.(int64)
	if !ok {
		return fmt.Errorf("%T is no time", column)
	}
	*s = stamped(when(ms))
	return nil
}

// ---- what is kept no longer

// Keep is how long what people sent is kept; 0: for good.
type Keep struct {
	Inbox   time.Duration // what they wrote and could not be answered
	Videos  time.Duration // what they asked for, with the name and whose wish it was, since it was finished
	History time.Duration // the activity list, and attempts with their errors
	People  time.Duration // since they wrote or pressed last
}

// These times are nobody's choice: the program has no use for such rows after them.
const (
	inboxLife = 6 * 24 * time.Hour // Telegram sends nothing again after one
	draftLife = 24 * time.Hour
)

// A stale kind picks, of its rows, up to ?2 that are older than ?1. It reads the old end of an index, and not further.
type stale struct {
	keep  func(Keep) time.Duration
	pick  string
	purge func(tx *Tx, ids []string, gone *Gone) error
}

func each(statement string) func(*Tx, []string, *Gone) error {
	return func(tx *Tx, ids []string, _ *Gone) error {
		_, err := tx.Exec(statement, list(ids))
		return err
	}
}

const listed = ` IN (SELECT value FROM json_each(?))`

var stales = []stale{
	{func(k Keep) time.Duration { return k.Inbox },
		`SELECT update_id FROM (SELECT update_id, received FROM inbox WHERE raw IS NOT NULL AND held = 0 ORDER BY update_id LIMIT 0 + ?2) WHERE received < ?1`,
		each(`UPDATE inbox SET raw = NULL, error = 'it could not be answered for so long that it was erased' WHERE update_id` + listed)},
	{func(Keep) time.Duration { return inboxLife },
		`SELECT update_id FROM inbox WHERE received < ?1 AND raw IS NULL ORDER BY received LIMIT 0 + ?2`,
		each(`DELETE FROM inbox WHERE update_id` + listed)},
	{func(Keep) time.Duration { return draftLife },
		`SELECT id FROM (SELECT id, created FROM drafts ORDER BY rowid LIMIT 0 + ?2) WHERE created < ?1`,
		each(`DELETE FROM drafts WHERE id` + listed)},
	{func(Keep) time.Duration { return sessionLife }, // as few as there are admins
		`SELECT rowid FROM sessions WHERE seen < ?1 LIMIT 0 + ?2`,
		each(`DELETE FROM sessions WHERE rowid` + listed)},
	{func(Keep) time.Duration { return time.Minute }, // after they have expired
		`SELECT rowid FROM links WHERE expires < ?1 LIMIT 0 + ?2`,
		each(`DELETE FROM links WHERE rowid` + listed)},
	// What is held waits for an admin, however old it is. Whose wish a video was, first: of a video that thousands wanted, no more than some go at a time.
	{func(k Keep) time.Duration { return k.Videos },
		`SELECT id FROM (SELECT id, asset_id, created FROM requests WHERE held <> 1 ORDER BY id LIMIT 0 + ?2) r WHERE created < ?1
			AND EXISTS (SELECT 1 FROM assets a WHERE a.id = r.asset_id AND a.finished < ?1)
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.request_id = r.id) AND NOT EXISTS (SELECT 1 FROM crowds c WHERE c.request_id = r.id)`,
		each(`DELETE FROM requests WHERE id` + listed)},
	{func(k Keep) time.Duration { return k.Videos },
		`SELECT id FROM assets a WHERE creator IS NULL AND youtube = 0 AND rumble = 0 AND finished < ?1
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.asset_id = a.id)
			AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.asset_id = a.id AND r.held = 1) ORDER BY finished LIMIT (?2 + 9) / 10`,
		(*Tx).purgeVideos},
	{func(k Keep) time.Duration { return k.History },
		`SELECT id FROM audit WHERE at < ?1 ORDER BY at LIMIT 0 + ?2`,
		each(`DELETE FROM audit WHERE id` + listed)},
	{func(k Keep) time.Duration { return k.History },
		`SELECT id FROM (SELECT id, finished FROM attempts ORDER BY id LIMIT 0 + ?2) WHERE finished < ?1`,
		each(`DELETE FROM attempts WHERE id` + listed)},
	{func(k Keep) time.Duration { return k.People },
		`SELECT id FROM users u WHERE seen < ?1 AND NOT EXISTS (SELECT 1 FROM requests WHERE user_id = u.id AND ` + awaited + `)
			AND NOT EXISTS (SELECT 1 FROM requests WHERE user_id = u.id AND held = 1) ORDER BY seen LIMIT (?2 + 9) / 10`,
		each(`DELETE FROM users WHERE id` + listed)},
}

// purgeSome is how many rows a transaction purges at the most: it takes some milliseconds.
const purgeSome = 200

// Stale reports whether anything has been kept for too long. It writes nothing, and reads little of what is not too old.
func (s *Store) Stale(ctx context.Context, k Keep) (bool, error) {
	for _, kind := range stales {
		if kind.keep(k) == 0 {
			continue
		}
		rows, err := s.texts(ctx, kind.pick, s.now().Add(-kind.keep(k)).UnixMilli(), purgeSome)
		if err != nil || len(rows) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// Purge deletes some of what has been kept for too long; n is how many rows, 0: nothing is left.
func (tx *Tx) Purge(k Keep) (gone Gone, n int, err error) {
	for _, kind := range stales {
		if kind.keep(k) == 0 {
			continue
		}
		rows, err := tx.Query(kind.pick, tx.now-kind.keep(k).Milliseconds(), purgeSome)
		ids, err := collect(rows, err, func(id *string) error { return rows.Scan(id) })
		if err != nil {
			return gone, 0, err
		}
		if len(ids) > 0 {
			return gone, len(ids), kind.purge(tx, ids, &gone)
		}
	}
	return gone, 0, nil
}

// purgeVideos deletes assets, the oldest first, until as many people as one transaction is for have lost their link to one.
func (tx *Tx) purgeVideos(ids []string, gone *Gone) error {
	for _, id := range ids {
		n, err := tx.Exec(`DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE asset_id = ? LIMIT 0 + ?)`, id, purgeSome)
		if err != nil || n == purgeSome {
			return err
		}
		a, err := tx.Asset(id)
		if err != nil {
			return err
		}
		tx.touch(id)
		gone.add(a)
		if _, err := tx.Exec(`DELETE FROM assets WHERE id = ?`, id); err != nil {
			return err
		}
	}
	return nil
}

// ---- assets and requests

const assetColumns = `a.id, a.name, a.name_key, a.template, a.lang, a.origin, a.creator, ifnull(a.retry_of, ''), a.status,
	ifnull(a.file, ''), ifnull(a.thumb, ''), ifnull(a.size, 0), ifnull(a.duration, 0), ifnull(a.width, 0), ifnull(a.height, 0),
	ifnull(a.file_id, ''), ifnull(a.error, ''), a.metadata, a.created, ifnull(a.finished, 0), ifnull(a.unwanted, 0)`

// into lists where assetColumns go; done must run after the scan.
func (a *Asset) into() (dest []any, done func()) {
	var duration, created, finished, unwanted int64
	return []any{&a.ID, &a.Name, &a.NameKey, &a.Template, &a.Lang, &a.Origin, &a.Creator, &a.RetryOf, &a.Status,
			&a.Video.File, &a.Video.Thumb, &a.Video.Size, &duration, &a.Video.Width, &a.Video.Height,
			&a.FileID, &a.Error, &a.Metadata, &created, &finished, &unwanted}, func() {
			a.Video.Duration = time.Duration(duration) * time.Millisecond
			a.Created, a.Finished, a.Unwanted = moment(created), moment(finished), moment(unwanted)
		}
}

func (tx *Tx) asset(where string, args ...any) (a Asset, err error) {
	dest, done := a.into()
	err = found(tx.Get(`SELECT `+assetColumns+` FROM assets a `+where, args, dest...))
	done()
	return a, err
}

// Asset returns one asset.
func (tx *Tx) Asset(id string) (Asset, error) { return tx.asset(`WHERE a.id = ?`, id) }

// Wish is somebody's wish for a video.
type Wish struct {
	User, Chat int64
	Admin      *int64 // set instead of User and Chat when an admin asks on the page
	Name, Key  string
	Template   string
	Lang       string
}

// Grant is what a wish led to.
type Grant string

const (
	Created Grant = "created" // a new asset
	Shared  Grant = "joined"  // linked to one that is being made
	Waiting Grant = "waiting" // the user was linked to it already
	Ready   Grant = "ready"   // a finished one is sent
)

// ShareOrCreate links a wish to the video of that name that is being made or was finished after since, or makes a new
// asset with its RENDER job.
func (tx *Tx) ShareOrCreate(w Wish, since time.Time) (Asset, Grant, error) {
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
		return a, grant, nil
	}
	added, err := tx.Join(a, w.User, w.Chat)
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
		AND a.status = 'COMPLETED' AND a.finished >= ? AND a.unwanted IS NULL ORDER BY a.finished DESC LIMIT 1`, key, template, lang, since.UnixMilli())
}

// create inserts a PENDING asset and its RENDER job, which takes its turn in the lane of a user, or of its creator.
func (tx *Tx) create(a Asset, lane int64) (Asset, error) {
	a.ID, a.Origin, a.Status, a.Created = NewID(), "REQUEST", Pending, moment(tx.now)
	if _, err := tx.Exec(`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, retry_of, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID, a.Name, a.NameKey, a.Template, a.Lang, a.Origin, a.Creator, null(a.RetryOf), tx.now); err != nil {
		return a, err
	}
	if a.Creator != nil {
		lane = *a.Creator
	}
	tx.touch(a.ID)
	return a, tx.enqueue(Render, a.ID, 0, lane)
}

// AddUpload adds a video that an admin sent, whose files are in the media store.
func (tx *Tx) AddUpload(a Asset) error {
	v := a.Video
	if _, err := tx.Exec(`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, file, thumb, size, duration, width, height, created, finished)
		VALUES (?, ?, ?, '', ?, 'UPLOAD', ?, 'COMPLETED', ?, ?, ?, ?, ?, ?, ?12, ?12)`,
		a.ID, a.Name, a.NameKey, a.Lang, a.Creator, v.File, v.Thumb, v.Size, v.Duration.Milliseconds(), v.Width, v.Height, tx.now); err != nil {
		return err
	}
	tx.touch(a.ID)
	return tx.Note(Event{Admin: a.Creator, Action: "upload", AssetID: a.ID})
}

// Join links a user to an asset that is being made or finished, once, and owes them the message that follows from it.
// added is false when they were linked to it already.
func (tx *Tx) Join(a Asset, user, chat int64) (added bool, err error) {
	status := a.Status
	if status == Completed {
		status = Processing // until that user has the video
	}
	n, err := tx.Exec(`INSERT INTO requests (user_id, asset_id, chat_id, status, created) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (user_id, asset_id) DO NOTHING`, user, a.ID, chat, status, tx.now)
	if err != nil {
		return false, err
	}
	tx.touch(a.ID)
	var id int64
	if err := tx.Get(`SELECT id FROM requests WHERE user_id = ? AND asset_id = ?`, []any{user, a.ID}, &id); err != nil {
		return false, err
	}
	switch {
	case a.Status == Completed:
		err = tx.enqueue(Deliver, a.ID, id, user)
	case n == 1:
		err = tx.enqueue(Announce, a.ID, id, user)
	}
	if err == nil && n == 0 { // whoever asks is owed it, whatever was before
		_, err = tx.Exec(`UPDATE requests SET held = 0 WHERE id = ? AND held > 0`, id)
	}
	return n == 1, err
}

// HasRequest reports whether a user waits or waited for an asset.
func (tx *Tx) HasRequest(user int64, assetID string) (yes bool, err error) {
	err = tx.Get(`SELECT EXISTS (SELECT 1 FROM requests WHERE user_id = ? AND asset_id = ?)`, []any{user, assetID}, &yes)
	return yes, err
}

// NextTry returns what takes the place of a failed asset: a live one with the same key, one that was finished since, or
// a new successor, of the last in the line, with its RENDER job in the given lane.
func (tx *Tx) NextTry(failed Asset, lane int64) (next Asset, made bool, err error) {
	if next, err = tx.liveTwin(failed.NameKey, failed.Template, failed.Lang); !errors.Is(err, ErrNotFound) {
		return next, false, err
	}
	if next, err = tx.finishedTwin(failed.NameKey, failed.Template, failed.Lang, failed.Finished); !errors.Is(err, ErrNotFound) {
		return next, false, err
	}
	last, err := tx.asset(`JOIN (
		WITH RECURSIVE chain (id, n) AS (
			SELECT ?, 0 UNION ALL SELECT s.id, n + 1 FROM assets s JOIN chain ON s.retry_of = chain.id)
		SELECT id FROM chain ORDER BY n DESC LIMIT 1) last ON last.id = a.id`, failed.ID)
	if err != nil {
		return last, false, err
	}
	next, err = tx.create(Asset{Name: last.Name, NameKey: last.NameKey, Template: last.Template, Lang: last.Lang,
		Creator: last.Creator, RetryOf: last.ID}, lane)
	return next, true, err
}

// Waiter is a user and the chat they are answered in.
type Waiter struct{ User, Chat int64 }

// Unserved lists the users whom an asset or one of its successors failed and who have not asked for the same video since.
// CROSS JOIN makes SQLite begin with the few assets.
func (tx *Tx) Unserved(failed Asset) ([]Waiter, error) {
	rows, err := tx.Query(`
		WITH RECURSIVE chain (id) AS (
			SELECT ?1 UNION ALL SELECT s.id FROM assets s JOIN chain ON s.retry_of = chain.id)
		SELECT u.user_id, u.chat_id FROM chain CROSS JOIN unserved u ON u.id = chain.id ORDER BY u.request`, failed.ID)
	return collect(rows, err, func(w *Waiter) error { return rows.Scan(&w.User, &w.Chat) })
}

// Cancel takes a user's request for a video that has not been begun away, and the asset with it when nobody else waits
// for it. It returns the id of the progress message. ErrNotFound: there is no such request, or its turn has come.
func (tx *Tx) Cancel(user int64, assetID string) (progress int, err error) {
	if err := found(tx.Get(`DELETE FROM requests WHERE user_id = ? AND asset_id = ? AND status = 'PENDING' RETURNING ifnull(progress_id, 0)`,
		[]any{user, assetID}, &progress)); err != nil {
		return 0, err
	}
	tx.touch(assetID)
	_, err = tx.Exec(`DELETE FROM assets WHERE id = ?1 AND status = 'PENDING' AND creator IS NULL
		AND NOT EXISTS (SELECT 1 FROM requests WHERE asset_id = ?1)`, assetID)
	return progress, err
}

// Busy refuses to delete a video: a job of that kind is still owed for it. RENDER: somebody waits for the video itself.
type Busy Kind

func (b Busy) Error() string { return "still owed: " + string(b) }

// owed is the kind of what keeps an asset from being deleted, or ”. A video that nobody waits for is owed to nobody.
const owed = `SELECT CASE WHEN a.finished IS NULL AND EXISTS (SELECT 1 FROM requests r WHERE r.asset_id = a.id) THEN 'RENDER'
	ELSE ifnull((SELECT kind FROM jobs j WHERE j.asset_id = a.id AND kind <> 'RENDER' ORDER BY kind = 'ANNOUNCE', j.id LIMIT 1), '') END
	FROM assets a WHERE a.id = ?`

// Delete deletes an asset with all that belongs to it, unless it is Busy. What was done stays in the activity list.
func (tx *Tx) Delete(assetID string) error {
	var kind Kind
	if err := found(tx.Get(owed, []any{assetID}, &kind)); err != nil {
		return err
	}
	if kind != "" {
		return Busy(kind)
	}
	tx.touch(assetID)
	return one(tx.Exec(`DELETE FROM assets WHERE id = ?`, assetID))
}

// SaveMetadata keeps what a finished video is published with.
func (tx *Tx) SaveMetadata(assetID string, m Metadata) error {
	tx.touch(assetID)
	return one(tx.Exec(`UPDATE assets SET metadata = ? WHERE id = ? AND status = 'COMPLETED'`, m.column(), assetID))
}

// ForgetFileID drops Telegram's handle of a video because Telegram refuses it.
func (tx *Tx) ForgetFileID(assetID, fileID string) error {
	_, err := tx.Exec(`UPDATE assets SET file_id = NULL WHERE id = ? AND file_id = ?`, assetID, fileID)
	return err
}

// setLive moves an asset and those who wait for it between PENDING and PROCESSING.
func (tx *Tx) setLive(assetID string, from, to Status) error {
	if err := one(tx.Exec(`UPDATE assets SET status = ? WHERE id = ? AND status = ?`, to, assetID, from)); err != nil {
		return err
	}
	tx.touch(assetID)
	_, err := tx.Exec(`UPDATE requests SET status = ? WHERE asset_id = ? AND status IN ('PENDING', 'PROCESSING')`, to, assetID)
	return err
}

// ---- jobs

// enqueue owes a job, once per subject. Its turn is one after the last of its lane, but not before the turn the queue
// has reached: a newcomer starts level with everybody else's next job. It is due at once, whatever the clock says.
func (tx *Tx) enqueue(kind Kind, assetID string, request, lane int64) error {
	return tx.enqueueAt(kind, assetID, request, 0, lane, 0)
}

// owe has the queue look for a job of a kind, at once or when it is due (ms).
func (tx *Tx) owe(kind Kind, due int64) {
	switch {
	case due > 0:
		tx.later = true
	case !slices.Contains(tx.owed, kind):
		tx.owed = append(tx.owed, kind)
	}
}

// reached is how far the turns of the kind ?1 are.
const reached = `ifnull((SELECT turn FROM jobs WHERE kind = ?1 AND started IS NULL ORDER BY turn, id LIMIT 1), 0)`

// enqueueAt is enqueue for a job that is not due before a time (ms; 0: at once), also of a publication.
func (tx *Tx) enqueueAt(kind Kind, assetID string, request, publication, lane, due int64) error {
	_, err := tx.Exec(`
		INSERT INTO jobs (kind, asset_id, request_id, publication_id, lane, turn, due, created)
		VALUES (?1, ?2, ?3, ?4, ?5, max(
			ifnull((SELECT max(turn) FROM jobs WHERE kind = ?1 AND lane = ?5), 0) + 1,
			`+reached+`), ?6, ?7)
		ON CONFLICT DO NOTHING`,
		kind, assetID, null(request), null(publication), lane, due, tx.now)
	tx.owe(kind, due)
	return err
}

const jobColumns = `id, kind, asset_id, ifnull(request_id, 0), ifnull(publication_id, 0), attempt, ifnull(started, 0), ifnull(sent, 0), crashes`

func (j *Job) into(started *int64) []any {
	return []any{&j.ID, &j.Kind, &j.AssetID, &j.RequestID, &j.PublicationID, &j.Attempt, started, &j.Sent, &j.Crashes}
}

// claimable leaves out deliveries of a video that another one has to upload first: they go by the file_id it brings.
const claimable = `SELECT w.id, w.kind, w.asset_id, ifnull(w.request_id, 0), ifnull(w.publication_id, 0), w.attempt + 1, ?2, ifnull(w.sent, 0), w.crashes,
		ifnull(r.user_id, 0), ifnull(r.chat_id, 0), ifnull(u.lang, ''), ifnull(r.status, ''), u.unreachable IS NOT NULL, ifnull(r.progress_id, 0), w.crowd IS NOT NULL
	` + toBegin

// toBegin picks the jobs w of the kind ?1 that may begin at ?2, at most ?4; ?3: suspects.
const toBegin = `FROM jobs w LEFT JOIN requests r ON r.id = w.request_id LEFT JOIN users u ON u.id = r.user_id
	WHERE w.kind = ?1 AND w.started IS NULL AND w.suspect = ?3 AND (w.due <= ?2 OR w.suspect)
		AND (w.kind <> 'PUBLISH' OR EXISTS (SELECT 1 FROM publishable v WHERE v.id = w.asset_id))
		AND (w.kind <> 'DELIVER' OR EXISTS (SELECT 1 FROM assets WHERE id = w.asset_id AND file_id IS NOT NULL) OR NOT EXISTS (
			SELECT 1 FROM jobs e WHERE e.asset_id = w.asset_id AND e.kind = 'DELIVER' AND (e.started IS NOT NULL
				OR e.suspect = ?3 AND (e.due <= ?2 OR e.suspect) AND (e.turn, e.id) < (w.turn, w.id))))
	ORDER BY w.turn, w.id LIMIT 0 + ?4` // because of a bare LIMIT ? SQLite would plan it anew at every run

// Claim begins the next attempts of a kind: of those whose turn it is and that are due, at most limit. suspects picks the
// jobs that ran when the process died, which are left out otherwise.
func (tx *Tx) Claim(kind Kind, suspects bool, limit int) (tasks []Task, err error) {
	for crowd := 0; crowd >= 0 && len(tasks) < limit; {
		i := len(tasks)
		if tasks, crowd, err = tx.next(tasks, kind, suspects, limit); err != nil {
			return nil, err
		}
		for ; i < len(tasks); i++ {
			if i == crowd {
				continue
			}
			if err := tx.begin(&tasks[i]); err != nil {
				return nil, err
			}
		}
		if crowd >= 0 {
			n := limit - (len(tasks) - 1) // as many as the others leave
			if kind == Deliver && tasks[crowd].Asset.FileID == "" {
				n = 1
			}
			some, err := tx.beginSome(tasks[crowd], n)
			if err != nil {
				return nil, err
			}
			tasks = slices.Replace(tasks, crowd, crowd+1, some...)
		}
	}
	return tasks, nil
}

// next adds to tasks what can be begun next, until they are limit. crowd is the place of a crowd among them, or -1: a second one
// has to wait until the first leaves workers.
func (tx *Tx) next(tasks []Task, kind Kind, suspects bool, limit int) (_ []Task, crowd int, err error) {
	crowd = -1
	i := len(tasks)
	rows, err := tx.Query(claimable, kind, tx.now, suspects, limit-i)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	var t Task
	var started int64
	var many bool
	dest := append(t.Job.into(&started), &t.To.User, &t.To.Chat, &t.To.Lang, &t.To.Status, &t.To.Unreachable, &t.To.Progress, &many)
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, 0, err
		}
		if many && crowd >= 0 {
			break
		}
		if many {
			crowd = len(tasks)
		}
		t.Started = moment(started)
		tasks = append(tasks, t)
	}
	if rows.Err() != nil {
		return nil, 0, rows.Err()
	}
	rows.Close()
	for ; i < len(tasks); i++ {
		if i > 0 && tasks[i].AssetID == tasks[i-1].AssetID { // they wait for the same video
			tasks[i].Asset = tasks[i-1].Asset
			continue
		}
		a, err := tx.Asset(tasks[i].AssetID)
		if err != nil {
			return nil, 0, err
		}
		tasks[i].Asset = &a
	}
	return tasks, crowd, nil
}

// begin begins the attempt of a task.
func (tx *Tx) begin(t *Task) (err error) {
	if _, err := tx.Exec(`UPDATE jobs SET attempt = ?, started = ? WHERE id = ?`, t.Attempt, tx.now, t.ID); err != nil {
		return err
	}
	switch t.Kind {
	case Render:
		if err := tx.setLive(t.AssetID, Pending, Processing); err != nil {
			return fmt.Errorf("claim job %d: its asset is not pending: %v", t.ID, err) // %v: nothing of it is there, but something to claim is
		}
		t.Asset.Status = Processing
	case Publish:
		if t.Publication, err = tx.beginPublishing(t.PublicationID); err != nil {
			return fmt.Errorf("claim job %d: its publication: %v", t.ID, err)
		}
		tx.touch(t.AssetID)
	}
	return nil
}

// beginSome begins the messages of a crowd to its next n requests. The crowd is over with the last of them; until then it
// takes turns with everybody else, so that nobody waits for all of it.
func (tx *Tx) beginSome(crowd Task, n int) ([]Task, error) {
	var turn, created int64
	rows, err := tx.Query(`SELECT c.request_id, c.user_id, c.chat_id, u.lang, c.status, u.unreachable IS NOT NULL, ifnull(c.progress_id, 0), c.turn, c.created
		FROM crowds c JOIN users u ON u.id = c.user_id WHERE c.job = ? ORDER BY c.request_id LIMIT 0 + ?`, crowd.ID, n+1)
	tasks, err := collect(rows, err, func(t *Task) error {
		*t = crowd
		return rows.Scan(&t.RequestID, &t.To.User, &t.To.Chat, &t.To.Lang, &t.To.Status, &t.To.Unreachable, &t.To.Progress, &turn, &created)
	})
	if err != nil {
		return nil, err
	}
	last := len(tasks) <= n
	tasks = tasks[:min(n, len(tasks))]
	if len(tasks) > 0 {
		args := append(make([]any, 0, 6+2*len(tasks)), crowd.Kind, crowd.AssetID, turn, crowd.Attempt, tx.now, created)
		for i := range tasks {
			args = append(args, tasks[i].RequestID, tasks[i].To.User)
		}
		const row = `(?1, ?2, ?3, 0, ?4, ?5, ?6, ?, ?)`
		id, err := tx.Insert(`INSERT INTO jobs (kind, asset_id, turn, due, attempt, started, created, request_id, lane) VALUES `+
			row+strings.Repeat(", "+row, len(tasks)-1), args...)
		if err != nil {
			return nil, err
		}
		for i := range tasks { // the ids of one statement follow each other
			tasks[i].ID = id - int64(len(tasks)-1-i)
		}
	}
	if last {
		_, err = tx.Exec(`DELETE FROM jobs WHERE id = ?`, crowd.ID)
	} else {
		_, err = tx.Exec(`UPDATE jobs SET crowd = ?, turn = turn + 1 WHERE id = ?`, tasks[n-1].RequestID, crowd.ID)
	}
	return tasks, err
}

// record writes how an attempt ended into the history.
func (tx *Tx) record(j Job, outcome, problem string) error {
	_, err := tx.Exec(`INSERT INTO attempts (asset_id, request_id, kind, platform, attempt, started, finished, outcome, error)
		VALUES (?, ?, ?, (SELECT platform FROM publications WHERE id = ?), ?, ?, ?, ?, ?)`,
		j.AssetID, null(j.RequestID), j.Kind, j.PublicationID, j.Attempt, j.Started.UnixMilli(), tx.now, outcome, null(problem))
	return err
}

// finish deletes a job that is done. ErrNotFound: it is no longer this worker's.
func (tx *Tx) finish(j Job) error {
	if err := one(tx.Exec(`DELETE FROM jobs WHERE id = ? AND attempt = ? AND started IS NOT NULL`, j.ID, j.Attempt)); err != nil {
		return err
	}
	tx.touch(j.AssetID)
	if j.RequestID != 0 {
		return nil // the request knows the message
	}
	return tx.record(j, "done", "")
}

// runs picks what a worker may write of its job: nothing once that is no longer its own.
const runs = `EXISTS (SELECT 1 FROM jobs WHERE id = ? AND attempt = ? AND started IS NOT NULL)`

// FinishRender completes an asset and owes the video to everybody who waits for it. ErrNotFound: the asset or the job
// is gone, and the files belong to nobody.
func (tx *Tx) FinishRender(j Job, v Video) error {
	if err := one(tx.Exec(`UPDATE assets SET status = 'COMPLETED', file = ?, thumb = ?, size = ?, duration = ?, width = ?, height = ?, finished = ?
		WHERE id = ? AND status = 'PROCESSING' AND `+runs,
		v.File, null(v.Thumb), v.Size, v.Duration.Milliseconds(), v.Width, v.Height, tx.now, j.AssetID, j.ID, j.Attempt)); err != nil {
		return err
	}
	if err := tx.finish(j); err != nil {
		return err
	}
	return tx.oweAll(Deliver, j.AssetID)
}

// fewest is how many a crowd has at least. Fewer are begun at once anyway: they have a row each, and the turns of their lanes.
const fewest = messageWorkers + 1

// oweAll owes a message to all who wait for a finished asset, instead of the announcement they may not have had yet.
func (tx *Tx) oweAll(kind Kind, assetID string) error {
	if _, err := tx.Exec(`DELETE FROM jobs WHERE kind = 'ANNOUNCE' AND asset_id = ? AND started IS NULL`, assetID); err != nil {
		return err
	}
	tx.owe(kind, 0)
	const waiting = `FROM requests WHERE asset_id = ?2 AND held = 0 AND status = iif(?1 = 'DELIVER', 'PROCESSING', 'FAILED')`
	var n int
	if err := tx.Get(`SELECT count(*) FROM (SELECT 1 `+waiting+` LIMIT 0 + ?3)`, []any{kind, assetID, fewest}, &n); err != nil {
		return err
	}
	if n == fewest {
		_, err := tx.Exec(`INSERT INTO jobs (kind, asset_id, crowd, lane, turn, due, created) VALUES (?1, ?2, 0, 0, `+reached+`, 0, ?3)`, kind, assetID, tx.now)
		return err
	}
	_, err := tx.Exec(`INSERT INTO jobs (kind, asset_id, request_id, lane, turn, due, created)
		SELECT ?1, asset_id, id, user_id, max(ifnull((SELECT max(turn) FROM jobs WHERE kind = ?1 AND lane = user_id), 0) + 1, `+reached+`), 0, ?3 `+waiting+`
		ORDER BY id ON CONFLICT DO NOTHING`, kind, assetID, tx.now)
	return err
}

// FinishMessage records that a message of a job has arrived and ends the job. It returns the id of the progress message
// that has served its purpose, or 0: an announcement's own, if it was overtaken.
func (tx *Tx) FinishMessage(t *Task, messageID int) (spent int, err error) {
	if err := tx.finish(t.Job); err != nil {
		return 0, err
	}
	if t.Kind == Announce {
		n, err := tx.Exec(`UPDATE requests SET progress_id = ? WHERE id = ? AND `+awaited, null(messageID), t.RequestID)
		if err != nil || n == 1 {
			return 0, err
		}
		// Kept even so: should the program die before it is taken back, the answer will do that.
		_, err = tx.Exec(`UPDATE requests SET progress_id = ? WHERE id = ?`, null(messageID), t.RequestID)
		return messageID, err
	}
	n, err := tx.Exec(`UPDATE requests SET answer_id = ? WHERE id = ? AND ifnull(progress_id, 0) = ?`, null(messageID), t.RequestID, t.To.Progress)
	if err != nil || n == 1 {
		return t.To.Progress, err
	}
	// The announcement has arrived since then. That is seldom, and RETURNING every time would cost more.
	err = found(tx.Get(`UPDATE requests SET answer_id = ? WHERE id = ? RETURNING ifnull(progress_id, 0)`, []any{null(messageID), t.RequestID}, &spent))
	return spent, err
}

// VideoArrived records that a user has the video, before the rest of the DELIVER job is done, so that no later attempt
// sends it again.
func (tx *Tx) VideoArrived(j Job, messageID int, fileID string) error {
	if err := one(tx.Exec(`UPDATE jobs SET sent = ? WHERE id = ? AND attempt = ? AND started IS NOT NULL`, messageID, j.ID, j.Attempt)); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE requests SET status = 'COMPLETED', finished = ?, answer_id = ? WHERE id = ? AND status = 'PROCESSING'`,
		tx.now, messageID, j.RequestID); err != nil {
		return err
	}
	tx.touch(j.AssetID)
	tx.owe(Deliver, 0) // to those who waited for the file_id
	_, err := tx.Exec(`UPDATE assets SET file_id = ? WHERE id = ?`, null(fileID), j.AssetID)
	return err
}

// GiveBack undoes the beginning of an attempt that the stop of the program cut off: a stop is not a failure.
func (tx *Tx) GiveBack(j Job) error {
	return tx.release(j, 0, j.Attempt-1, j.Crashes, false, "")
}

// release makes a started job wait again, unless it is an announcement that has been overtaken by the video or the
// apology.
func (tx *Tx) release(j Job, due int64, attempt, crashes int, suspect bool, problem string) error {
	if j.Kind == Announce {
		n, err := tx.Exec(`DELETE FROM jobs WHERE id = ? AND attempt = ? AND started IS NOT NULL
			AND asset_id IN (SELECT id FROM assets WHERE finished IS NOT NULL)`, j.ID, j.Attempt)
		if err != nil || n == 1 {
			return err
		}
	}
	if err := one(tx.Exec(`UPDATE jobs SET started = NULL, due = ?, attempt = ?, crashes = ?, suspect = ?, last_error = ifnull(?, last_error)
		WHERE id = ? AND attempt = ? AND started IS NOT NULL`, due, attempt, crashes, suspect, null(problem), j.ID, j.Attempt)); err != nil {
		return err
	}
	tx.owe(j.Kind, due)
	tx.touch(j.AssetID)
	switch j.Kind {
	case Render:
		return tx.setLive(j.AssetID, Processing, Pending)
	case Publish: // one that the platform has stays PROCESSING: the platform works on it
		_, err := tx.Exec(`UPDATE publications SET status = 'PENDING', started = NULL WHERE id = ? AND remote_id IS NULL`, j.PublicationID)
		return err
	}
	return nil
}

// Running returns a job if this attempt of it is still under way, else ErrNotFound.
func (tx *Tx) Running(j Job) (Job, error) {
	var started int64
	err := found(tx.Get(`SELECT `+jobColumns+` FROM jobs WHERE id = ? AND attempt = ? AND started IS NOT NULL`,
		[]any{j.ID, j.Attempt}, j.into(&started)...))
	j.Started = moment(started)
	return j, err
}

// Reschedule makes a failed job run again at due.
func (tx *Tx) Reschedule(j Job, due time.Time, problem string) error {
	if err := tx.record(j, "rescheduled", problem); err != nil {
		return err
	}
	return tx.release(j, due.UnixMilli(), j.Attempt, 0, false, problem)
}

// Defer makes a job that has to wait run again at due and gives the attempt back. The history of messages leaves it
// out: a day without Telegram would fill it.
func (tx *Tx) Defer(j Job, due time.Time, problem string) error {
	if j.RequestID == 0 {
		if err := tx.record(j, "deferred", problem); err != nil {
			return err
		}
	}
	return tx.release(j, due.UnixMilli(), j.Attempt-1, 0, false, problem)
}

// GiveUp ends a job for good. For a render the asset and its requests are FAILED and everybody affected is owed an
// apology. Giving up on a message leaves its request as it is. step says what a publication needs, if that is known.
func (tx *Tx) GiveUp(j Job, problem, step string) error {
	if err := tx.record(j, "gave up", problem); err != nil {
		return err
	}
	if err := one(tx.Exec(`DELETE FROM jobs WHERE id = ? AND attempt = ? AND started IS NOT NULL`, j.ID, j.Attempt)); err != nil {
		return err
	}
	tx.touch(j.AssetID)
	switch j.Kind {
	case Render:
		if err := one(tx.Exec(`UPDATE assets SET status = 'FAILED', error = ?, finished = ?, needs = 1 WHERE id = ? AND status = 'PROCESSING'`,
			problem, tx.now, j.AssetID)); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE requests SET status = 'FAILED', finished = ? WHERE asset_id = ? AND status IN ('PENDING', 'PROCESSING')`,
			tx.now, j.AssetID); err != nil {
			return err
		}
		// A clock that was set back may have a video of before count as made since.
		if _, err := tx.Exec(`UPDATE assets SET needs = 0 WHERE id IN (SELECT id FROM settled WHERE id = ?)`, j.AssetID); err != nil {
			return err
		}
		return tx.oweAll(Apologise, j.AssetID)
	case Publish:
		// Rumble cannot be asked for what had left as a whole before the trouble came.
		return one(tx.Exec(`UPDATE publications AS p SET status = 'FAILED', error = ?2, completed = ?3,
				step = iif(`+sentToRumble+`, 'unknown', ?1)
			WHERE id = ?4 AND status IN ('PENDING', 'PROCESSING')`, step, problem, tx.now, j.PublicationID))
	}
	return nil
}

// MakeAgain ends a DELIVER job whose video is in the media store no more: its request goes over to one that is made anew, or is being
// made, or was made since. What is finished stays as it is, so that one is another asset.
func (tx *Tx) MakeAgain(j Job) error {
	if err := tx.finish(j); err != nil {
		return err
	}
	a, err := tx.Asset(j.AssetID)
	if err != nil {
		return err
	}
	var user, chat, progress int64
	if err := tx.Get(`DELETE FROM requests WHERE id = ? RETURNING user_id, chat_id, ifnull(progress_id, 0)`, []any{j.RequestID}, &user, &chat, &progress); err != nil {
		return err
	}
	next, err := tx.liveTwin(a.NameKey, a.Template, a.Lang)
	if errors.Is(err, ErrNotFound) {
		next, err = tx.finishedTwin(a.NameKey, a.Template, a.Lang, a.Finished.Add(time.Millisecond))
	}
	if errors.Is(err, ErrNotFound) {
		next, err = tx.create(Asset{Name: a.Name, NameKey: a.NameKey, Template: a.Template, Lang: a.Lang, Creator: a.Creator}, user)
	}
	if err != nil {
		return err
	}
	if _, err := tx.Join(next, user, chat); err != nil || progress == 0 {
		return err
	}
	// They have a progress message, which goes on.
	if _, err := tx.Exec(`UPDATE requests SET progress_id = ? WHERE user_id = ? AND asset_id = ? AND progress_id IS NULL`, progress, user, next.ID); err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM jobs WHERE kind = 'ANNOUNCE' AND started IS NULL AND request_id IN (
		SELECT id FROM requests WHERE user_id = ? AND asset_id = ? AND progress_id = ?)`, user, next.ID, progress)
	return err
}

// Orphans lists the jobs that were under way when the last process died.
func (tx *Tx) Orphans() ([]Job, error) {
	rows, err := tx.Query(`SELECT ` + jobColumns + ` FROM jobs WHERE started IS NOT NULL ORDER BY id`)
	return collect(rows, err, func(j *Job) error {
		var started int64
		if err := rows.Scan(j.into(&started)...); err != nil {
			return err
		}
		j.Started = moment(started)
		return nil
	})
}

// Rescue gives an orphan's attempt back and makes it a suspect, which runs alone. blamed: it ran alone this time too.
func (tx *Tx) Rescue(j Job, blamed bool) error {
	if err := tx.record(j, "crashed", "the program ended while this ran"); err != nil {
		return err
	}
	crashes := j.Crashes
	if blamed {
		crashes++
	}
	// An upload may take an hour, for which nobody else shall wait.
	return tx.release(j, 0, j.Attempt-1, crashes, j.Kind != Publish, "")
}

// longestWait is how long a render or a message may have to wait, longestHold how long an upload: a day in autumn, with its
// hour more. Only a clock that was set back asks for more.
const (
	longestWait = time.Hour
	longestHold = 25 * time.Hour
)

// CapWaits lets no render and no message wait longer than longestWait, and no upload longer than longestHold unless it is
// scheduled.
func (tx *Tx) CapWaits() error {
	if _, err := tx.Exec(`UPDATE jobs SET due = ?1 WHERE due > ?1 AND kind <> 'PUBLISH'`, tx.now+longestWait.Milliseconds()); err != nil {
		return err
	}
	hold := tx.now + longestHold.Milliseconds()
	if _, err := tx.Exec(`UPDATE jobs SET due = ?1 WHERE due > ?1 AND kind = 'PUBLISH' AND NOT EXISTS (
		SELECT 1 FROM publications p WHERE p.id = publication_id AND p.step = 'scheduled')`, hold); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE channels SET hold = ?1 WHERE hold > ?1`, hold)
	return err
}

// NextDue returns when the next waiting job becomes due, or a zero time if none waits.
func (s *Store) NextDue(ctx context.Context, after time.Time) (time.Time, error) {
	var due sql.NullInt64
	err := s.db.Read().QueryRowContext(ctx, `SELECT min(due) FROM jobs WHERE started IS NULL AND due > 0 AND due > ?`, after.UnixMilli()).Scan(&due)
	return moment(due.Int64), err
}

// ---- the outage

// Outage is what keeps videos from being made.
type Outage struct {
	Began  time.Time // zero: there is none
	Reason string
}

// Outage returns the outage under way, if there is one.
func (s *Store) Outage(ctx context.Context) (o Outage, err error) {
	var began int64
	err = s.db.Read().QueryRowContext(ctx, `SELECT began, reason FROM outage`).Scan(&began, &o.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		return o, nil
	}
	o.Began = moment(began)
	return o, err
}

// BeginOutage records an outage and gives back the attempts that it has cost: so many of each asset's.
func (tx *Tx) BeginOutage(reason string, spent map[string]int) error {
	if _, err := tx.Exec(`INSERT INTO outage (id, began, reason) VALUES (1, ?, ?) ON CONFLICT DO NOTHING`, tx.now, reason); err != nil {
		return err
	}
	for id, n := range spent {
		if _, err := tx.Exec(`UPDATE jobs SET attempt = max(attempt - ?, 0) WHERE asset_id = ? AND kind = 'RENDER' AND started IS NULL`, n, id); err != nil {
			return err
		}
	}
	tx.touch("")
	return nil
}

// Hold defers a render that failed in an outage, behind the others: each is tried in turn.
func (tx *Tx) Hold(j Job, due time.Time, problem string) error {
	// One line of the history is enough for a day of tries.
	if _, err := tx.Exec(`DELETE FROM attempts WHERE outcome = 'deferred'
		AND id = (SELECT max(id) FROM attempts WHERE asset_id = ? AND kind = 'RENDER')`, j.AssetID); err != nil {
		return err
	}
	if err := tx.Defer(j, due, problem); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE jobs SET turn = (SELECT max(turn) FROM jobs WHERE kind = 'RENDER') + 1 WHERE id = ?`, j.ID)
	return err
}

// Untried reports whether there are at least n other renders that no attempt has failed of.
func (tx *Tx) Untried(than Job, n int) (yes bool, err error) {
	err = tx.Get(`SELECT count(*) >= ?2 FROM (SELECT 1 FROM jobs WHERE kind = 'RENDER' AND last_error IS NULL AND id <> ?1 LIMIT 0 + ?2)`, []any{than.ID, n}, &yes)
	return yes, err
}

// EndOutage forgets the outage; the renders that it made wait are due.
func (tx *Tx) EndOutage() error {
	if _, err := tx.Exec(`DELETE FROM outage`); err != nil {
		return err
	}
	return tx.HurryRenders()
}

// HurryRenders makes every render that waits due.
func (tx *Tx) HurryRenders() error {
	_, err := tx.Exec(`UPDATE jobs SET due = ?1 WHERE kind = 'RENDER' AND started IS NULL AND due > ?1`, tx.now)
	tx.owe(Render, 0)
	tx.touch("")
	return err
}

// ---- watching

// Census counts what there is, as /metrics tells it.
type Census struct {
	Jobs         []Backlog
	Assets       map[Status]int
	Needs        int // assets that need an admin
	Open, Wishes int // requests that are not over; all there ever were
	Inbox        int // updates that are not handled
	Publications []Published
	Channels     map[string]int // by state
}

// Backlog is the work of one kind that is owed.
type Backlog struct {
	Kind    Kind
	State   string // waiting for a worker, later, or started
	N       int
	Waiting time.Duration // how long the first of them has waited
}

// Published counts the publications on a platform that have a status.
type Published struct {
	Platform string
	Status   Status
	N        int
}

// Census reads no table that grows with the years from its beginning to its end.
func (s *Store) Census(ctx context.Context) (c Census, err error) {
	now := s.now().UnixMilli()
	rows, err := s.db.Read().QueryContext(ctx, `SELECT kind, CASE WHEN started IS NOT NULL THEN 'started' WHEN due > ?1 THEN 'later' ELSE 'waiting' END state,
		sum(CASE WHEN crowd IS NULL THEN 1 ELSE (SELECT count(*) FROM crowds c WHERE c.job = jobs.id) END), min(max(due, created)) FROM jobs GROUP BY 1, 2`, now)
	if c.Jobs, err = collect(rows, err, func(b *Backlog) error {
		var since int64
		err := rows.Scan(&b.Kind, &b.State, &b.N, &since)
		b.Waiting = time.Duration(max(now-since, 0)) * time.Millisecond
		return err
	}); err != nil {
		return c, err
	}
	if c.Assets, err = s.Counts(ctx, Filter{}); err != nil {
		return c, err
	}
	if c.Needs, err = s.Needs(ctx, Admin{Owner: true}, Filter{}); err != nil {
		return c, err
	}
	if err := s.db.Read().QueryRowContext(ctx, `SELECT (SELECT count(*) FROM requests WHERE status IN ('PENDING', 'PROCESSING')),
		ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'requests'), 0), (SELECT count(*) FROM inbox WHERE raw IS NOT NULL)`).
		Scan(&c.Open, &c.Wishes, &c.Inbox); err != nil {
		return c, err
	}
	rows, err = s.db.Read().QueryContext(ctx, `SELECT platform, status, count(*) FROM publications GROUP BY platform, status`)
	if c.Publications, err = collect(rows, err, func(p *Published) error { return rows.Scan(&p.Platform, &p.Status, &p.N) }); err != nil {
		return c, err
	}
	channels, err := s.Channels(ctx)
	c.Channels = map[string]int{}
	for _, channel := range channels {
		c.Channels[channel.State]++
	}
	return c, err
}

// NextUp returns since when the job of a kind waits that would be begun next; zero: none could be begun.
func (s *Store) NextUp(ctx context.Context, kind Kind) (time.Time, error) {
	var since int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT max(w.due, w.created) `+toBegin, kind, s.now().UnixMilli(), false, 1).Scan(&since)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return moment(since), err
}

// Given is what was given up after a time.
type Given struct {
	N     int
	First time.Time
}

// GivenUp counts the videos that were given up after a time and still need an admin.
func (s *Store) GivenUp(ctx context.Context, after time.Time) (Given, error) {
	return s.given(ctx, `SELECT count(*), ifnull(min(finished), 0) FROM assets WHERE needs = 1 AND finished > ?`, after)
}

// NotPublished counts the publications that failed after a time and are failed, but for those that wait for their channel.
func (s *Store) NotPublished(ctx context.Context, after time.Time) (Given, error) {
	return s.given(ctx, `SELECT count(*), ifnull(min(completed), 0) FROM publications p
		WHERE status = 'FAILED' AND completed > ? AND step <> 'reconnect' AND `+mayBePublished, after)
}

func (s *Store) given(ctx context.Context, query string, after time.Time) (g Given, err error) {
	var first int64
	err = s.db.Read().QueryRowContext(ctx, query, after.UnixMilli()).Scan(&g.N, &first)
	g.First = moment(first)
	return g, err
}

// Alert is what an admin was told last of a cause of trouble, and which troubles of it they know that are not over.
type Alert struct {
	At    time.Time
	About []string
}

// Alerts returns what an admin was told, by cause.
func (s *Store) Alerts(ctx context.Context, admin int64) (map[string]Alert, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT cause, at, about FROM alerts WHERE admin = ?`, admin)
	all := map[string]Alert{}
	_, err = collect(rows, err, func(cause *string) error {
		var at int64
		var about string
		if err := rows.Scan(cause, &at, &about); err != nil {
			return err
		}
		a := Alert{At: moment(at)}
		err := json.Unmarshal([]byte(about), &a.About)
		all[*cause] = a
		return err
	})
	return all, err
}

// KeepAlert records what an admin was told of a cause.
func (tx *Tx) KeepAlert(admin int64, cause string, a Alert) error {
	_, err := tx.Exec(`INSERT INTO alerts (admin, cause, at, about) VALUES (?, ?, ?, ?)
		ON CONFLICT (admin, cause) DO UPDATE SET at = excluded.at, about = excluded.about`, admin, cause, a.At.UnixMilli(), list(append([]string{}, a.About...)))
	return err
}

// Watcher is a user who looks at a progress message.
type Watcher struct {
	Request, Chat int64
	AssetID       string
	Lang          string
	Progress      int // message id
	Status        Status
}

// Watchers lists the requests that are under way and have a progress message.
func (s *Store) Watchers(ctx context.Context) ([]Watcher, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT requests.id, chat_id, asset_id, u.lang, progress_id, a.status
		FROM requests JOIN users u ON u.id = user_id JOIN assets a ON a.id = asset_id
		WHERE progress_id IS NOT NULL AND u.unreachable IS NULL AND held = 0 AND `+awaited)
	return collect(rows, err, func(w *Watcher) error {
		return rows.Scan(&w.Request, &w.Chat, &w.AssetID, &w.Lang, &w.Progress, &w.Status)
	})
}

// Awaited reports whether something is still owed to a request.
func (s *Store) Awaited(ctx context.Context, request int64) (yes bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM requests WHERE id = ? AND `+awaited+`)`, request).Scan(&yes)
	return yes, err
}

// Line lists the assets that wait to be rendered, in the order of their turns.
func (s *Store) Line(ctx context.Context) ([]string, error) {
	return s.texts(ctx, `SELECT asset_id FROM jobs WHERE kind = 'RENDER' AND started IS NULL ORDER BY turn, id`)
}

func (s *Store) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.db.Read().QueryContext(ctx, query, args...)
	return collect(rows, err, func(t *string) error { return rows.Scan(t) })
}

// OldestWaiting returns since when the asset waits that has waited longest; zero: none does.
func (s *Store) OldestWaiting(ctx context.Context) (time.Time, error) {
	var created sql.NullInt64
	err := s.db.Read().QueryRowContext(ctx, `SELECT min(created) FROM assets WHERE status = 'PENDING'`).Scan(&created)
	return moment(created.Int64), err
}

// RenderTimes returns how long the last few successful renders took, newest first.
func (s *Store) RenderTimes(ctx context.Context) ([]time.Duration, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT finished - started FROM attempts
		WHERE kind = 'RENDER' AND outcome = 'done' ORDER BY id DESC LIMIT 20`)
	return collect(rows, err, func(d *time.Duration) error {
		var ms int64
		err := rows.Scan(&ms)
		*d = time.Duration(ms) * time.Millisecond
		return err
	})
}

// MediaKeys lists every key that an asset refers to.
func (s *Store) MediaKeys(ctx context.Context) ([]string, error) {
	return s.texts(ctx, `SELECT file FROM assets WHERE file IS NOT NULL UNION ALL SELECT thumb FROM assets WHERE thumb IS NOT NULL`)
}

// HasMedia reports whether any asset refers to a key.
func (s *Store) HasMedia(ctx context.Context) (yes bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM assets WHERE status = 'COMPLETED')`).Scan(&yes)
	return yes, err
}

// Unneeded picks, of media keys that begin with the id of an asset, those that no asset refers to. An asset that is not
// finished may yet come to refer to its own.
func (s *Store) Unneeded(ctx context.Context, keys []string) ([]string, error) {
	return s.texts(ctx, `SELECT k.value FROM json_each(?) k WHERE NOT EXISTS (
		SELECT 1 FROM assets a WHERE a.id = substr(k.value, 1, 26) AND (a.finished IS NULL OR k.value IN (a.file, a.thumb)))`, list(keys))
}

// Asset returns one asset as last committed.
func (s *Store) Asset(ctx context.Context, id string) (a Asset, err error) {
	dest, done := a.into()
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT `+assetColumns+` FROM assets a WHERE a.id = ?`, id).Scan(dest...))
	done()
	return a, err
}

// Wanted is one of a user's requests, as they see it.
type Wanted struct {
	AssetID  string
	Name     string
	Template string
	Status   Status
	Finished bool // the video exists, whether it has arrived or not
	Retried  bool // the user has asked for the same video again since
}

// RequestsOf lists a user's latest requests, newest first.
func (s *Store) RequestsOf(ctx context.Context, user int64, limit int) ([]Wanted, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT a.id, a.name, a.template, r.status, a.status = 'COMPLETED', EXISTS (
			SELECT 1 FROM requests later JOIN assets b ON b.id = later.asset_id
			WHERE later.user_id = r.user_id AND later.id > r.id AND b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang)
		FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.user_id = ? ORDER BY r.id DESC LIMIT ?`, user, limit)
	return collect(rows, err, func(w *Wanted) error {
		return rows.Scan(&w.AssetID, &w.Name, &w.Template, &w.Status, &w.Finished, &w.Retried)
	})
}

// Press is what a press of the retry button will meet: decided before Retry, only to answer the press in time.
type Press string

const (
	PressNew     Press = "new"     // a failed asset of theirs that they have not retried
	PressAgain   Press = "again"   // they wait for it already
	PressReady   Press = "ready"   // the video exists
	PressUnknown Press = "unknown" // not theirs, or gone
)

// Foresee looks at a press without changing anything.
func (s *Store) Foresee(ctx context.Context, user int64, assetID string) (Press, error) {
	var ready bool
	var latest Status
	err := s.db.Read().QueryRowContext(ctx, `
		SELECT a.status = 'COMPLETED' OR EXISTS (
			SELECT 1 FROM assets b WHERE b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang
			AND b.origin = 'REQUEST' AND b.status = 'COMPLETED' AND b.finished >= a.finished), (
			SELECT b.status FROM requests l JOIN assets b ON b.id = l.asset_id
			WHERE l.user_id = r.user_id AND b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang
			ORDER BY l.id DESC LIMIT 1)
		FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.user_id = ? AND r.asset_id = ?`, user, assetID).Scan(&ready, &latest)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return PressUnknown, nil
	case err != nil:
		return "", err
	case latest.Live():
		return PressAgain, nil
	case ready:
		return PressReady, nil
	}
	return PressNew, nil
}

// ---- publications

// Publication is one asset on one platform.
type Publication struct {
	ID        int64
	Platform  string // YOUTUBE or RUMBLE
	Channel   int64  // 0: the platform is not connected by channels
	Creator   int64  // admin
	Status    Status
	Step      string // finer than the status: see the schema
	Metadata  Metadata
	PublishAt time.Time // zero: at once
	Upload    Upload
	Error     string
	Attempt   int       // of its PUBLISH job; 0: none is owed, or none was made
	Due       time.Time // of its PUBLISH job while that waits; zero: at once
	LastError string    // of its PUBLISH job's last attempt
}

// Upload is how far a publication has come on its platform.
type Upload struct {
	Session  string    // URI of a resumable upload: a secret, read for the worker only
	Since    time.Time // when that began
	Step     string    // uploading or processing
	Sent     int64     // bytes that the platform has confirmed
	ID       string    // there, once it has all of them
	URL      string
	Uploaded time.Time // when it had
	Dressed  bool      // picture and playlist have had their turn
	Warning  string    // published, but something smaller did not work
}

const publicationColumns = `p.id, p.platform, ifnull(p.channel_id, 0), p.creator, p.status, p.step, p.metadata, ifnull(p.publish_at, 0),
	p.sent, ifnull(p.remote_id, ''), ifnull(p.remote_url, ''), ifnull(p.uploaded, 0), p.dressed, ifnull(p.warning, ''), ifnull(p.error, '')`

// into lists where publicationColumns go; done must run after the scan.
func (p *Publication) into() (dest []any, done func()) {
	var at, uploaded int64
	u := &p.Upload
	return []any{&p.ID, &p.Platform, &p.Channel, &p.Creator, &p.Status, &p.Step, &p.Metadata, &at,
			&u.Sent, &u.ID, &u.URL, &uploaded, &u.Dressed, &u.Warning, &p.Error}, func() {
			p.PublishAt, u.Uploaded, u.Step = moment(at), moment(uploaded), p.Step
		}
}

func (tx *Tx) publication(where string, args ...any) (p Publication, err error) {
	dest, done := p.into()
	err = found(tx.Get(`SELECT `+publicationColumns+` FROM publications p WHERE `+where, args, dest...))
	done()
	return p, err
}

// Publication returns one asset's publication on a platform.
func (tx *Tx) Publication(assetID, platform string) (Publication, error) {
	return tx.publication(`p.asset_id = ? AND p.platform = ?`, assetID, platform)
}

// Publish owes an asset to a platform. One with the step manual waits for an admin instead, one with the step scheduled
// until its time. It returns ErrExists if the publication is there, on its way, or failed (then Retry is the way), and
// ErrNotPublishable if the video may not be published.
func (tx *Tx) Publish(assetID string, p Publication) error {
	var may bool
	if err := tx.Get(`SELECT EXISTS (SELECT 1 FROM publishable WHERE id = ?)`, []any{assetID}, &may); err != nil {
		return err
	}
	if !may {
		return ErrNotPublishable
	}
	if _, err := tx.Publication(assetID, p.Platform); !errors.Is(err, ErrNotFound) {
		return cmp.Or(err, ErrExists)
	}
	if err := tx.Get(`INSERT INTO publications (asset_id, platform, channel_id, creator, step, metadata, publish_at, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		[]any{assetID, p.Platform, null(p.Channel), p.Creator, p.Step, p.Metadata.column(), stamp(p.PublishAt), tx.now}, &p.ID); err != nil {
		return err
	}
	tx.touch(assetID)
	switch p.Step {
	case "manual":
		return nil
	case "scheduled":
		return tx.enqueueAt(Publish, assetID, 0, p.ID, p.Creator, p.PublishAt.UnixMilli())
	}
	return tx.owePublishing(assetID, p)
}

// owePublishing owes a publication, when its channel may upload again.
func (tx *Tx) owePublishing(assetID string, p Publication) error {
	var hold int64
	var why string
	err := found(tx.Get(`SELECT hold, hold_for FROM channels WHERE id = ? AND hold > ?`, []any{p.Channel, tx.now}, &hold, &why))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if _, err := tx.Exec(`UPDATE publications SET step = ? WHERE id = ?`, why, p.ID); err != nil {
		return err
	}
	return tx.enqueueAt(Publish, assetID, 0, p.ID, p.Creator, hold)
}

// Republish makes a failed publication PENDING again, as if it had never been tried, and owes it. What is uploaded, or under
// way to it, stays, unless the platform has rejected it; before that begins, what was saved for the video counts, if
// somebody has chosen whether it is made for kids. It returns ErrNotPublishable if the video may not be published.
func (tx *Tx) Republish(assetID string, p Publication) error {
	var may bool
	if err := tx.Get(`SELECT EXISTS (SELECT 1 FROM publishable WHERE id = ?)`, []any{assetID}, &may); err != nil {
		return err
	}
	if !may {
		return ErrNotPublishable
	}
	if p.Step == "rejected" {
		if _, err := tx.Exec(`UPDATE publications SET session_uri = NULL, session_at = NULL, sent = 0, uploaded = NULL, dressed = 0,
			remote_id = NULL, remote_url = NULL WHERE id = ?`, p.ID); err != nil {
			return err
		}
	}
	if err := one(tx.Exec(`UPDATE publications SET status = 'PENDING', step = '', error = NULL, warning = NULL, started = NULL, completed = NULL,
			sent = iif(session_uri IS NULL AND remote_id IS NULL, 0, sent),
			metadata = CASE WHEN session_uri IS NULL AND remote_id IS NULL
				THEN ifnull((SELECT a.metadata FROM assets a WHERE a.id = asset_id AND a.metadata ->> 'made_for_kids' <> ''), metadata) ELSE metadata END
		WHERE id = ? AND status = 'FAILED'`, p.ID)); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE publications SET publish_at = NULL WHERE id = ? AND metadata ->> 'privacy' <> 'public'`, p.ID); err != nil {
		return err // a schedule ends with the wish that everybody sees it
	}
	tx.touch(assetID)
	return tx.owePublishing(assetID, p)
}

// beginPublishing makes a publication PROCESSING and returns it with all that its worker needs.
func (tx *Tx) beginPublishing(id int64) (*Publication, error) {
	if err := one(tx.Exec(`UPDATE publications AS p SET status = 'PROCESSING', started = ifnull(started, ?),
			step = CASE WHEN step IN ('uploading', 'processing') THEN step ELSE '' END
		WHERE id = ? AND status IN ('PENDING', 'PROCESSING') AND `+mayBePublished, tx.now, id)); err != nil {
		return nil, err
	}
	p, err := tx.publication(`p.id = ?`, id)
	if err != nil {
		return nil, err
	}
	var since int64
	err = tx.Get(`SELECT ifnull(session_uri, ''), ifnull(session_at, 0) FROM publications WHERE id = ?`, []any{id}, &p.Upload.Session, &since)
	p.Upload.Since = moment(since)
	return &p, err
}

// KeepUpload records how far a publication has come. A job that comes on is not what kills the process. It returns ErrNotFound if
// the attempt has ended or the video may not be published any more: the caller has to stop then.
func (tx *Tx) KeepUpload(j Job, u Upload) error {
	if err := one(tx.Exec(`UPDATE jobs SET crashes = 0 WHERE id = ? AND attempt = ? AND started IS NOT NULL`, j.ID, j.Attempt)); err != nil {
		return err
	}
	tx.touch(j.AssetID)
	var before string
	if err := tx.Get(`SELECT ifnull(session_uri, '') FROM publications WHERE id = ?`, []any{j.PublicationID}, &before); err != nil {
		return err
	}
	if u.Session != "" && u.Session != before {
		if _, err := tx.Exec(`DELETE FROM uploads WHERE at < ?`, tx.now-48*time.Hour.Milliseconds()); err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO uploads VALUES (?)`, tx.now); err != nil {
			return err
		}
	}
	return one(tx.Exec(`UPDATE publications AS p SET session_uri = ?, session_at = ?, step = ?, sent = ?, remote_id = ?, remote_url = ?,
			uploaded = ?, dressed = ?, warning = ? WHERE id = ? AND status = 'PROCESSING' AND `+mayBePublished,
		null(u.Session), stamp(u.Since), u.Step, u.Sent, null(u.ID), null(u.URL), stamp(u.Uploaded), u.Dressed, null(u.Warning), j.PublicationID))
}

// UploadsSince counts the uploads that began at that time or later.
func (s *Store) UploadsSince(ctx context.Context, since time.Time) (n int, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM uploads WHERE at >= ?`, since.UnixMilli()).Scan(&n)
	return n, err
}

// LookAgain makes a job wait whose publication the platform has and works on: that is no attempt.
func (tx *Tx) LookAgain(j Job, due time.Time) error {
	return tx.release(j, due.UnixMilli(), j.Attempt-1, 0, false, "")
}

// FinishPublishing completes a publication. Its channel works, then. back: access to that had ended.
func (tx *Tx) FinishPublishing(j Job) (back bool, err error) {
	if err := one(tx.Exec(`UPDATE publications SET status = 'COMPLETED', step = '', completed = ?, session_uri = NULL, session_at = NULL
		WHERE id = ? AND status = 'PROCESSING' AND `+runs, tx.now, j.PublicationID, j.ID, j.Attempt)); err != nil {
		return false, err
	}
	if err := tx.finish(j); err != nil {
		return false, err
	}
	const channel = `(SELECT channel_id FROM publications WHERE id = ?)`
	n, err := tx.Exec(`UPDATE channels SET state = 'CONNECTED', error = NULL WHERE state = 'ENDED' AND id = `+channel, j.PublicationID)
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(`UPDATE channels SET checked = ? WHERE token IS NOT NULL AND id = `+channel, tx.now, j.PublicationID)
	return n == 1, err
}

// MarkPublished completes a publication that an admin has made by hand, or found on the platform; id is its own there, "" where nobody
// knows it. ErrNotFailed: it needs nothing by hand.
func (tx *Tx) MarkPublished(assetID, platform, url, id string) error {
	tx.touch(assetID)
	err := one(tx.Exec(`UPDATE publications SET status = 'COMPLETED', step = iif(?5 IS NULL, 'manual', ''), remote_url = ?1, remote_id = ?5, error = NULL,
			started = ifnull(started, ?2), completed = ?2
		WHERE asset_id = ?3 AND platform = ?4 AND step IN ('manual', 'unknown') AND status IN ('PENDING', 'FAILED')`, url, tx.now, assetID, platform, null(id)))
	if errors.Is(err, ErrNotFound) {
		if _, err := tx.Publication(assetID, platform); err != nil {
			return err
		}
		return ErrNotFailed
	}
	return err
}

// Changed records what a video is published with from now on. A schedule ends with the wish that everybody sees it.
func (tx *Tx) Changed(publication int64, assetID string, m Metadata) error {
	tx.touch(assetID)
	return one(tx.Exec(`UPDATE publications SET metadata = ?1, publish_at = iif(?2 = 'public', publish_at, NULL) WHERE id = ?3`,
		m.column(), m.Privacy, publication))
}

// Unpublish forgets a publication; one that waits is not made, then, and one that the platform has is its own. Busy: it is
// on its way.
func (tx *Tx) Unpublish(assetID, platform string) error {
	p, err := tx.Publication(assetID, platform)
	switch {
	case err != nil:
		return err
	case p.Upload.ID == "" && (p.Status == Processing || p.Status == Pending && p.Upload.Sent > 0):
		return Busy(Publish)
	}
	tx.touch(assetID)
	// The answer to the only part of a small file may have been lost: it may be there.
	err = one(tx.Exec(`DELETE FROM publications WHERE id = ? AND NOT (status = 'PENDING' AND session_uri IS NOT NULL AND remote_id IS NULL)`, p.ID))
	if errors.Is(err, ErrNotFound) {
		return Busy(Publish)
	}
	return err
}

// Publications lists the publications of assets, by asset, without their sessions.
func (s *Store) Publications(ctx context.Context, assets ...string) (map[string][]Publication, error) {
	all := map[string][]Publication{}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT p.asset_id, `+publicationColumns+`,
			ifnull(j.attempt, 0), CASE WHEN j.started IS NULL THEN ifnull(j.due, 0) ELSE 0 END, ifnull(j.last_error, '')
		FROM publications p LEFT JOIN jobs j ON j.publication_id = p.id
		WHERE p.asset_id IN (SELECT value FROM json_each(?)) ORDER BY p.id`, list(assets))
	_, err = collect(rows, err, func(p *Publication) error {
		var asset string
		var due int64
		dest, done := p.into()
		err := rows.Scan(append(append([]any{&asset}, dest...), &p.Attempt, &due, &p.LastError)...)
		done()
		p.Due = moment(due)
		all[asset] = append(all[asset], *p)
		return err
	})
	return all, err
}

// ---- channels

// Channel is a place to publish that an owner has connected.
type Channel struct {
	ID        int64
	Platform  string
	External  string // the platform's id of it
	Title     string
	State     string // CONNECTED; ENDED: the platform refuses the token; DISCONNECTED: an owner took the token away
	Error     string // why it has ended
	Creator   int64  // admin who connected it last
	Connected time.Time
	Checked   time.Time // when it last worked
	Hold      time.Time // until then no upload begins; zero: nothing holds them
	HoldFor   string    // quota: of the whole app; limit: of the channel
}

const channelColumns = `id, platform, external_id, title, state, ifnull(error, ''), creator, connected, checked, hold, hold_for`

// Channels lists every channel there is or was, the first to be connected first.
func (s *Store) Channels(ctx context.Context) ([]Channel, error) {
	return s.channels(ctx, `SELECT `+channelColumns+` FROM channels ORDER BY id`)
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
		var connected, checked, hold int64
		err := rows.Scan(&c.ID, &c.Platform, &c.External, &c.Title, &c.State, &c.Error, &c.Creator, &connected, &checked, &hold, &c.HoldFor)
		c.Connected, c.Checked = moment(connected), moment(checked)
		if c.Hold = moment(hold); !c.Hold.After(now) {
			c.Hold, c.HoldFor = time.Time{}, ""
		}
		return err
	})
}

// Token returns the sealed token of a channel. ErrNotFound: it has none.
func (s *Store) Token(ctx context.Context, channel int64) (sealed []byte, err error) {
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT token FROM channels WHERE id = ? AND token IS NOT NULL`, channel).Scan(&sealed))
	return sealed, err
}

// Connect adds a channel with its sealed token, or connects it again.
func (tx *Tx) Connect(c Channel, sealed []byte) (id int64, err error) {
	tx.touch("")
	const hold = `FROM channels WHERE platform = ?1 AND hold_for = 'quota' AND hold > ?6` // of the app: of a new channel, too
	err = tx.Get(`INSERT INTO channels (platform, external_id, title, state, token, creator, connected, checked, hold, hold_for)
		VALUES (?1, ?2, ?3, 'CONNECTED', ?4, ?5, ?6, ?6, ifnull((SELECT max(hold) `+hold+`), 0), iif(EXISTS (SELECT 1 `+hold+`), 'quota', ''))
		ON CONFLICT (platform, external_id) DO UPDATE SET title = ?3, state = 'CONNECTED', token = ?4, error = NULL, creator = ?5, connected = ?6, checked = ?6
		RETURNING id`, []any{c.Platform, c.External, c.Title, sealed, c.Creator, tx.now}, &id)
	return id, err
}

// KeepToken replaces the token that a channel was given at that time by what a refresh brought, unless it was disconnected or
// connected again meanwhile.
func (tx *Tx) KeepToken(channel int64, connected time.Time, sealed []byte) error {
	_, err := tx.Exec(`UPDATE channels SET token = ? WHERE id = ? AND connected = ? AND token IS NOT NULL`, sealed, channel, connected.UnixMilli())
	return err
}

// Checked records that a channel works, and what it is called now.
func (tx *Tx) Checked(channel int64, title string) error {
	tx.touch("")
	return one(tx.Exec(`UPDATE channels SET checked = ?, title = ?, state = 'CONNECTED', error = NULL WHERE id = ? AND token IS NOT NULL`, tx.now, title, channel))
}

// Disconnect forgets the token of a channel. What waits to be published there fails, with a button.
func (tx *Tx) Disconnect(channel int64, problem string) error {
	tx.touch("")
	if err := one(tx.Exec(`UPDATE channels SET state = 'DISCONNECTED', token = NULL, error = NULL WHERE id = ?`, channel)); err != nil {
		return err
	}
	return tx.failWaiting(channel, problem)
}

// EndAccess gives a publication up because the platform refuses the token of its channel. What else waits to be published
// there fails with it: none of it is tried in vain.
func (tx *Tx) EndAccess(j Job, problem string) error {
	if err := tx.GiveUp(j, problem, "reconnect"); err != nil {
		return err
	}
	var channel int64
	if err := tx.Get(`SELECT ifnull(channel_id, 0) FROM publications WHERE id = ?`, []any{j.PublicationID}, &channel); err != nil {
		return err
	}
	return tx.LoseAccess(channel, j.Started, problem)
}

// Renewed reports whether the channel of a publication was connected again after that attempt began.
func (tx *Tx) Renewed(j Job) (yes bool, err error) {
	err = tx.Get(`SELECT EXISTS (SELECT 1 FROM publications p JOIN channels c ON c.id = p.channel_id
		WHERE p.id = ? AND c.state = 'CONNECTED' AND c.connected > ?)`, []any{j.PublicationID, j.Started.UnixMilli()}, &yes)
	return yes, err
}

// LoseAccess records that the platform refused the token that a channel had at that time.
func (tx *Tx) LoseAccess(channel int64, at time.Time, problem string) error {
	tx.touch("")
	err := one(tx.Exec(`UPDATE channels SET state = 'ENDED', error = ? WHERE id = ? AND state = 'CONNECTED' AND connected <= ?`,
		problem, channel, at.UnixMilli()))
	if errors.Is(err, ErrNotFound) { // known already, or connected again since
		return nil
	}
	return cmp.Or(err, tx.failWaiting(channel, problem))
}

// failWaiting gives the waiting publications of a channel up; those under way find out themselves.
func (tx *Tx) failWaiting(channel int64, problem string) error {
	if _, err := tx.Exec(`UPDATE publications SET status = 'FAILED', step = 'reconnect', error = ?, completed = ?
		WHERE channel_id = ? AND id IN (SELECT publication_id FROM jobs WHERE kind = 'PUBLISH' AND started IS NULL)`, problem, tx.now, channel); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM jobs WHERE kind = 'PUBLISH' AND started IS NULL
		AND publication_id IN (SELECT id FROM publications WHERE channel_id = ?)`, channel)
	return err
}

// HoldUploads makes a job wait that the platform lets not upload now, with all other uploads to its channel, or with
// wholeApp to any channel of the platform, also those that are wished for until then. why: quota or limit.
func (tx *Tx) HoldUploads(j Job, wholeApp bool, until time.Time, why, problem string) error {
	if err := tx.Defer(j, until, problem); err != nil {
		return err
	}
	tx.touch("")
	const channels = `(SELECT c.id FROM publications p JOIN channels this ON this.id = p.channel_id JOIN channels c ON c.id = this.id OR ?2 AND c.platform = this.platform
		WHERE p.id = ?1)`
	if _, err := tx.Exec(`UPDATE channels SET hold = ?3, hold_for = ?4 WHERE id IN `+channels, j.PublicationID, wholeApp, until.UnixMilli(), why); err != nil {
		return err
	}
	const waiting = `(SELECT id FROM publications WHERE status = 'PENDING' AND session_uri IS NULL AND channel_id IN ` + channels + `)`
	if _, err := tx.Exec(`UPDATE publications SET step = ?3 WHERE id IN `+waiting, j.PublicationID, wholeApp, why); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE jobs SET due = max(due, ?3) WHERE kind = 'PUBLISH' AND started IS NULL AND publication_id IN `+waiting,
		j.PublicationID, wholeApp, until.UnixMilli())
	return err
}

// Ended is a publication that failed because access to its channel had ended.
type Ended struct{ AssetID, Platform string }

// Reconnected lists the publications that failed because access to their channel had ended, and it works again.
func (s *Store) Reconnected(ctx context.Context) ([]Ended, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT p.asset_id, p.platform FROM channels c CROSS JOIN publications p ON p.channel_id = c.id
		WHERE c.state = 'CONNECTED' AND p.status = 'FAILED' AND p.step = 'reconnect' AND `+mayBePublished+` ORDER BY p.id`)
	return collect(rows, err, func(e *Ended) error { return rows.Scan(&e.AssetID, &e.Platform) })
}

// ---- inbox

// Update is one of Telegram's updates, as it came.
type Update struct {
	ID, Chat int64
	Raw      string // JSON
}

// Receive stores updates and returns those it had not seen before. Rows older than six days go: Telegram sends nothing
// again after one. The order of received is that of arrival even if the clock is set back.
func (tx *Tx) Receive(updates []Update) (fresh []Update, err error) {
	for _, u := range updates {
		n, err := tx.Exec(`INSERT INTO inbox (update_id, chat_id, raw, received)
			VALUES (?, ?, ?, max(?, ifnull((SELECT max(received) FROM inbox), 0)))
			ON CONFLICT (update_id) DO NOTHING`, u.ID, u.Chat, u.Raw, tx.now)
		if err != nil {
			return nil, err
		}
		if n == 1 {
			fresh = append(fresh, u)
		}
	}
	_, err = tx.Exec(`DELETE FROM inbox WHERE received < ? AND raw IS NULL`, tx.now-inboxLife.Milliseconds())
	return fresh, err
}

// Offset returns the update id to ask Telegram for next. After six days without an update it is 0, because Telegram
// counts anew after a week.
func (s *Store) Offset(ctx context.Context) (offset int64, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT update_id + 1 FROM inbox WHERE received >= ? ORDER BY received DESC, update_id DESC LIMIT 1`,
		s.now().Add(-inboxLife).UnixMilli()).Scan(&offset)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return offset, err
}

// Inbox lists the updates not handled yet, oldest first.
func (s *Store) Inbox(ctx context.Context) ([]Update, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT update_id, chat_id, raw FROM inbox
		WHERE raw IS NOT NULL AND held = 0 ORDER BY received, update_id`)
	return collect(rows, err, func(u *Update) error { return rows.Scan(&u.ID, &u.Chat, &u.Raw) })
}

// Handled marks an update done and erases it.
func (tx *Tx) Handled(updateID int64) error {
	_, err := tx.Exec(`UPDATE inbox SET raw = NULL WHERE update_id = ?`, updateID)
	return err
}

// Stumbled counts a failed try to handle an update; the limit-th sets it aside, and aside is then true.
func (tx *Tx) Stumbled(updateID int64, problem string, limit int) (aside bool, err error) {
	err = found(tx.Get(`UPDATE inbox SET tries = tries + 1,
			error = CASE WHEN tries + 1 >= ?2 THEN ?3 END, raw = CASE WHEN tries + 1 < ?2 THEN raw END
		WHERE update_id = ?1 RETURNING error IS NOT NULL`, []any{updateID, limit, problem}, &aside))
	return aside, err
}

// ---- backups

// Parts lists the files that the database at path needs, whatever its version is.
func Parts(ctx context.Context, path string) ([]Part, error) {
	d, err := db.Look(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	rows, err := d.QueryContext(ctx, `SELECT file, ifnull(size, 0), origin = 'UPLOAD' FROM assets WHERE file IS NOT NULL
		UNION ALL SELECT thumb, 0, origin = 'UPLOAD' FROM assets WHERE thumb IS NOT NULL`)
	return collect(rows, err, func(p *Part) error { return rows.Scan(&p.Key, &p.Size, &p.Upload) })
}

// Part is a file that the database needs.
type Part struct {
	Key    string
	Size   int64 // bytes; 0: unknown
	Upload bool  // an admin sent it: it cannot be made again
}

// Latest returns when anything happened last that the database at path knows; zero: nothing has.
func Latest(ctx context.Context, path string) (time.Time, error) {
	d, err := db.Look(path)
	if err != nil {
		return time.Time{}, err
	}
	defer d.Close()
	var last sql.NullInt64
	err = d.QueryRowContext(ctx, `SELECT max(at) FROM (SELECT max(at) at FROM audit UNION ALL SELECT max(received) FROM inbox
		UNION ALL SELECT max(finished) FROM attempts UNION ALL SELECT max(created) FROM assets UNION ALL SELECT max(finished) FROM assets
		UNION ALL SELECT max(finished) FROM requests UNION ALL SELECT max(completed) FROM publications)`).Scan(&last)
	return moment(last.Int64), err
}

// Recovered is what became of what a backup owes.
type Recovered struct {
	Held      int // people to whom nothing is sent until an admin decides
	Settled   int // messages that the database of before knows to have been sent
	Unclear   int // publications that an admin has to look for on their platform
	Forgotten int // people who had asked for that since
	Admins    int // by the backup alone: they may have been removed since
}

// Recover makes the database of a backup fit to go on with. What it owes to people may have been sent after it was made: what the
// database at before, which goes on where the backup ends, does not know about is held. An empty before, or one that cannot be
// read or is of another past, knows nothing. Everybody is signed out: a session that was ended since must not come back.
func (s *Store) Recover(ctx context.Context, before string) (r Recovered, err error) {
	if before != "" {
		d, err := db.Look(before)
		if err != nil {
			return r, err
		}
		defer d.Close()
		var ours bool
		err = s.Tx(ctx, func(tx *Tx) (err error) { ours, err = tx.begins(later{d}); return err })
		if err == nil && ours {
			if err = s.Tx(ctx, func(tx *Tx) (err error) { r, err = tx.recover(later{d}); return err }); err == nil {
				return r, nil
			}
		}
		if !errors.Is(err, errLater) && err != nil {
			return r, err
		}
	}
	err = s.Tx(ctx, func(tx *Tx) (err error) { r, err = tx.recover(later{}); return err })
	return r, err
}

// errLater says that a later database could not be asked.
var errLater = errors.New("the database that was there cannot be asked")

// later is a database that may know what happened after a backup; without one it knows nothing.
type later struct{ *sql.DB }

// ask scans the single row of a query. ErrNotFound: there is none.
func (l later) ask(query string, args []any, dest ...any) error {
	if l.DB == nil {
		return ErrNotFound
	}
	err := found(l.QueryRow(query, args...).Scan(dest...))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: %v", errLater, err)
	}
	return err
}

// begins reports whether a later database goes on where this one ends: it knows the last deed.
func (tx *Tx) begins(l later) (yes bool, err error) {
	var id, at int64
	var action string
	if err := found(tx.Get(`SELECT id, at, action FROM audit ORDER BY id DESC LIMIT 1`, nil, &id, &at, &action)); err != nil {
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		return false, err
	}
	return yes, l.ask(`SELECT EXISTS (SELECT 1 FROM audit WHERE id = ? AND at = ? AND action = ?)`, []any{id, at, action}, &yes)
}

func (tx *Tx) recover(l later) (r Recovered, err error) {
	orphans, err := tx.Orphans()
	if err != nil {
		return r, err
	}
	for _, j := range orphans { // nothing died
		if err := tx.GiveBack(j); err != nil && !errors.Is(err, ErrNotFound) {
			return r, err
		}
	}
	for _, statement := range []string{`DELETE FROM sessions`, `DELETE FROM links`, `DELETE FROM outage`, `DELETE FROM alerts WHERE cause NOT IN ('failed', 'unpublished')`,
		fmt.Sprintf(`UPDATE alerts SET at = %d`, tx.now),                 // a digest is of what happens from now on
		`DELETE FROM jobs WHERE kind = 'DELIVER' AND sent IS NOT NULL`} { // the video is there; what follows it is a courtesy
		if _, err := tx.Exec(statement); err != nil {
			return r, err
		}
	}
	if r.Admins, err = tx.recoverAdmins(l); err != nil {
		return r, err
	}
	if r.Forgotten, err = tx.forgetAgain(l); err != nil {
		return r, err
	}
	rows, err := tx.Query(`SELECT id, user_id, asset_id FROM requests WHERE ` + awaited + `
		OR EXISTS (SELECT 1 FROM jobs j WHERE j.request_id = requests.id AND j.kind IN ('DELIVER', 'APOLOGISE'))
		OR EXISTS (SELECT 1 FROM crowds c WHERE c.request_id = requests.id) ORDER BY id`)
	owed, err := collect(rows, err, func(r *owedTo) error { return rows.Scan(&r.id, &r.user, &r.asset) })
	if err != nil {
		return r, err
	}
	for _, o := range owed {
		settled, err := tx.settleOrHold(l, o)
		if err != nil {
			return r, err
		}
		if settled {
			r.Settled++
		}
	}
	if err := tx.recoverInbox(l); err != nil {
		return r, err
	}
	if r.Unclear, err = tx.recoverPublications(l); err != nil {
		return r, err
	}
	return r, tx.Get(held, nil, &r.Held)
}

// recoverAdmins takes the admins of the database of before, if it knows any: nobody who was removed comes back. Otherwise it counts
// those of the backup.
func (tx *Tx) recoverAdmins(l later) (n int, err error) {
	type appointed struct{ id, owner, added int64 }
	var all []appointed
	err = errLater
	if l.DB != nil {
		var rows *sql.Rows
		rows, err = l.Query(`SELECT id, owner, added FROM admins`)
		all, err = collect(rows, err, func(a *appointed) error { return rows.Scan(&a.id, &a.owner, &a.added) })
	}
	if err != nil { // there is none, or it is of before there were admins in it
		return n, tx.Get(`SELECT count(*) FROM admins`, nil, &n)
	}
	if _, err := tx.Exec(`DELETE FROM admins`); err != nil {
		return 0, err
	}
	for _, a := range all {
		if _, err := tx.Exec(`INSERT INTO admins (id, owner, added) VALUES (?, ?, ?)`, a.id, a.owner, a.added); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// forgetAgain forgets the people who are in the backup and not in the database of before: they had asked for that.
func (tx *Tx) forgetAgain(l later) (n int, err error) {
	if l.DB == nil {
		return 0, nil
	}
	rows, err := tx.Query(`SELECT id FROM users`)
	all, err := collect(rows, err, func(id *int64) error { return rows.Scan(id) })
	if err != nil {
		return 0, err
	}
	for _, id := range all {
		var known bool
		if err := l.ask(`SELECT EXISTS (SELECT 1 FROM users WHERE id = ?)`, []any{id}, &known); err != nil {
			return n, err
		}
		if !known {
			if _, err := tx.Forget(id); err != nil { // their files go with the next sweep
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// owedTo is a request that a message is owed to, or will be.
type owedTo struct {
	id, user int64
	asset    string
}

// settleOrHold decides about what is owed to a request. settled: the database of before knows that it was sent. What it knows to be
// still owed stays so; all else is held.
func (tx *Tx) settleOrHold(l later, o owedTo) (settled bool, err error) {
	var status Status
	var answer, progress, at int64
	var served bool
	// Served is who has had a video of that key by then, whether by this request or by a later one.
	err = l.ask(`SELECT r.status, ifnull(r.answer_id, 0), ifnull(r.progress_id, 0), ifnull(r.finished, 0), EXISTS (
			SELECT 1 FROM requests n JOIN assets b ON b.id = n.asset_id WHERE n.user_id = r.user_id AND n.id >= r.id AND n.status = 'COMPLETED'
				AND b.name_key = a.name_key AND b.template = a.template AND b.lang = a.lang)
		FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.id = ? AND r.user_id = ? AND r.asset_id = ?`,
		[]any{o.id, o.user, o.asset}, &status, &answer, &progress, &at, &served)
	switch {
	case errors.Is(err, ErrNotFound):
		if _, err := tx.Exec(`UPDATE requests SET held = 1 WHERE id = ?`, o.id); err != nil {
			return false, err
		}
		_, err := tx.Exec(`DELETE FROM jobs WHERE request_id = ?`, o.id)
		return false, err
	case err != nil:
		return false, err
	}
	var failed bool
	if err := tx.Get(`SELECT status = 'FAILED' FROM requests WHERE id = ?`, []any{o.id}, &failed); err != nil {
		return false, err
	}
	if served || failed && answer != 0 {
		if _, err := tx.Exec(`UPDATE requests SET status = 'COMPLETED', finished = ?, held = 0 WHERE id = ? AND status IN ('PENDING', 'PROCESSING')`, max(at, 1), o.id); err != nil {
			return false, err
		}
		if _, err := tx.Exec(`UPDATE requests SET answer_id = ? WHERE id = ?`, null(answer), o.id); err != nil {
			return false, err
		}
		_, err := tx.Exec(`DELETE FROM jobs WHERE request_id = ?`, o.id)
		return true, err
	}
	if progress != 0 {
		if _, err := tx.Exec(`DELETE FROM jobs WHERE request_id = ? AND kind = 'ANNOUNCE'`, o.id); err != nil {
			return false, err
		}
		_, err = tx.Exec(`UPDATE requests SET progress_id = ? WHERE id = ?`, progress, o.id)
	}
	return false, err
}

// recoverInbox holds the updates that waited, unless the database of before knows of them, and takes those over that came since:
// Telegram does not send them again.
func (tx *Tx) recoverInbox(l later) error {
	rows, err := tx.Query(`SELECT update_id FROM inbox WHERE raw IS NOT NULL`)
	waiting, err := collect(rows, err, func(id *int64) error { return rows.Scan(id) })
	if err != nil {
		return err
	}
	for _, id := range waiting {
		var handled bool
		err := l.ask(`SELECT raw IS NULL FROM inbox WHERE update_id = ?`, []any{id}, &handled)
		switch {
		case errors.Is(err, ErrNotFound):
			_, err = tx.Exec(`UPDATE inbox SET held = 1 WHERE update_id = ?`, id)
		case err == nil && handled:
			err = tx.Handled(id)
		}
		if err != nil {
			return err
		}
	}
	if l.DB == nil {
		return nil
	}
	since, err := l.Query(`SELECT update_id, chat_id, raw, received, tries, error FROM inbox WHERE received >= ?`, tx.now-6*24*time.Hour.Milliseconds())
	if err != nil {
		return fmt.Errorf("%w: %v", errLater, err)
	}
	defer since.Close()
	for since.Next() {
		var id, chat, received, tries int64
		var raw, problem sql.NullString
		if err := since.Scan(&id, &chat, &raw, &received, &tries, &problem); err != nil {
			return fmt.Errorf("%w: %v", errLater, err)
		}
		if _, err := tx.Exec(`INSERT INTO inbox (update_id, chat_id, raw, received, tries, error) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			id, chat, raw, received, tries, problem); err != nil {
			return err
		}
	}
	if err := since.Err(); err != nil {
		return fmt.Errorf("%w: %v", errLater, err)
	}
	return nil
}

// sessionAsks is how long an upload's session can certainly be asked what became of it: YouTube keeps them for a week.
const sessionAsks = 6 * 24 * time.Hour

// recoverPublications fails the publications that may have been made since, so that an admin looks: nothing is published twice
// unasked. Those that the platform can be asked about, that are not due, or that the database of before knows, go on.
func (tx *Tx) recoverPublications(l later) (unclear int, err error) {
	rows, err := tx.Query(`SELECT p.id, p.asset_id, p.platform FROM publications p JOIN jobs j ON j.publication_id = p.id
		WHERE p.remote_id IS NULL AND j.due <= ?1 AND ifnull(p.session_at, 0) < ?2`, tx.now, tx.now-sessionAsks.Milliseconds())
	type waiting struct {
		id              int64
		asset, platform string
	}
	all, err := collect(rows, err, func(w *waiting) error { return rows.Scan(&w.id, &w.asset, &w.platform) })
	if err != nil {
		return 0, err
	}
	for _, w := range all {
		var untouched, done bool
		var remote, url sql.NullString
		var completed int64
		err := l.ask(`SELECT status = 'PENDING' AND session_uri IS NULL AND remote_id IS NULL, status = 'COMPLETED', remote_id, remote_url, ifnull(completed, 0)
			FROM publications WHERE asset_id = ? AND platform = ?`, []any{w.asset, w.platform}, &untouched, &done, &remote, &url, &completed)
		switch {
		case err != nil && !errors.Is(err, ErrNotFound):
			return unclear, err
		case untouched:
			continue
		case done:
			_, err = tx.Exec(`UPDATE publications SET status = 'COMPLETED', step = '', started = ifnull(started, ?1), completed = ?1,
				session_uri = NULL, session_at = NULL, remote_id = ?2, remote_url = ?3 WHERE id = ?4`, completed, remote, url, w.id)
		default:
			unclear++
			_, err = tx.Exec(`UPDATE publications SET status = 'FAILED', step = 'unknown', completed = ?, session_uri = NULL, session_at = NULL,
				error = lower(platform) || ' restored: it was to be published when the backup was made, and may have been since' WHERE id = ?`, tx.now, w.id)
		}
		if err != nil {
			return unclear, err
		}
		if _, err := tx.Exec(`DELETE FROM jobs WHERE publication_id = ?`, w.id); err != nil {
			return unclear, err
		}
	}
	return unclear, nil
}

// held counts the people about whom an admin has to decide.
const held = `SELECT count(*) FROM (SELECT user_id FROM requests WHERE held = 1 UNION SELECT chat_id FROM inbox WHERE held = 1 AND raw IS NOT NULL)`

// Held counts the people who were owed something by a backup that was put back, about whom no admin has decided yet.
func (s *Store) Held(ctx context.Context) (people int, err error) {
	err = s.db.Read().QueryRowContext(ctx, held).Scan(&people)
	return people, err
}

// SendHeld owes what is held, and returns the updates that are to be handled. ErrNotFound: nothing is held.
func (tx *Tx) SendHeld() ([]Update, error) {
	var n int
	if err := tx.Get(held, nil, &n); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrNotFound
	}
	type waiting struct {
		id, user int64
		asset    string
		kind     Kind
	}
	rows, err := tx.Query(`SELECT r.id, r.user_id, r.asset_id, CASE r.status WHEN 'FAILED' THEN ?1
			ELSE iif(a.status = 'COMPLETED', 'DELIVER', iif(r.progress_id IS NULL, 'ANNOUNCE', '')) END
		FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.held = 1 ORDER BY r.id`, Apologise)
	all, err := collect(rows, err, func(w *waiting) error { return rows.Scan(&w.id, &w.user, &w.asset, &w.kind) })
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		if w.kind == "" { // its video will be owed to it
			continue
		}
		if err := tx.enqueue(w.kind, w.asset, w.id, w.user); err != nil {
			return nil, err
		}
	}
	if _, err := tx.Exec(`UPDATE requests SET held = 0 WHERE held = 1`); err != nil {
		return nil, err
	}
	tx.touch("")
	rows, err = tx.Query(`UPDATE inbox SET held = 0 WHERE held = 1 AND raw IS NOT NULL RETURNING update_id, chat_id, raw`)
	updates, err := collect(rows, err, func(u *Update) error { return rows.Scan(&u.ID, &u.Chat, &u.Raw) })
	slices.SortFunc(updates, func(a, b Update) int { return cmp.Compare(a.ID, b.ID) })
	return updates, err
}

// LeaveHeld has nothing sent of what is held: /status offers it to whoever has not had it. ErrNotFound: nothing is held.
func (tx *Tx) LeaveHeld() error {
	n, err := tx.Exec(`UPDATE requests SET held = 2 WHERE held = 1`)
	if err != nil {
		return err
	}
	m, err := tx.Exec(`UPDATE inbox SET held = 0, raw = NULL WHERE held = 1`)
	tx.touch("")
	return one(n+m, err)
}

// ---- admins

// SaveLink stores the hash of a one-time sign-in link.
func (tx *Tx) SaveLink(hash [32]byte, admin int64, expires time.Time) error {
	if _, err := tx.Exec(`DELETE FROM links WHERE expires < ?`, tx.now); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO links (hash, admin, expires) VALUES (?, ?, ?)`, hash[:], admin, expires.UnixMilli())
	return err
}

// SpendLink exchanges a link for a session, once. ErrNotFound: spent, expired or never made.
func (tx *Tx) SpendLink(link, session [32]byte) (admin int64, err error) {
	if err := found(tx.Get(`DELETE FROM links WHERE hash = ? AND expires >= ? RETURNING admin`, []any{link[:], tx.now}, &admin)); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(`DELETE FROM sessions WHERE seen < ?`, tx.now-sessionLife.Milliseconds()); err != nil {
		return 0, err
	}
	_, err = tx.Exec(`INSERT INTO sessions (hash, admin, created, seen) VALUES (?, ?, ?, ?)`, session[:], admin, tx.now, tx.now)
	return admin, err
}

// LinkIsGood reports whether a link can still be spent.
func (s *Store) LinkIsGood(ctx context.Context, link [32]byte) (yes bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM links WHERE hash = ? AND expires >= ?)`,
		link[:], s.now().UnixMilli()).Scan(&yes)
	return yes, err
}

// sessionLife is how long a session lasts after its last visit.
const sessionLife = 14 * 24 * time.Hour

// Session returns the admin of a session, or ErrNotFound. stale: the visit should be recorded with Seen.
func (s *Store) Session(ctx context.Context, hash [32]byte) (admin int64, stale bool, err error) {
	now := s.now().UnixMilli()
	err = found(s.db.Read().QueryRowContext(ctx, `SELECT admin, seen < ? FROM sessions WHERE hash = ? AND seen >= ?`,
		now-time.Hour.Milliseconds(), hash[:], now-sessionLife.Milliseconds()).Scan(&admin, &stale))
	return admin, stale, err
}

// Seen prolongs a session.
func (tx *Tx) Seen(hash [32]byte) error {
	_, err := tx.Exec(`UPDATE sessions SET seen = ? WHERE hash = ?`, tx.now, hash[:])
	return err
}

// SignOut ends a session, if there is one, and notes it.
func (tx *Tx) SignOut(hash [32]byte) error {
	return tx.end("sign out", `DELETE FROM sessions WHERE hash = ? RETURNING admin`, hash)
}

// SignOutEverywhere ends all sessions of the admin who has this one, and notes it.
func (tx *Tx) SignOutEverywhere(hash [32]byte) error {
	return tx.end("sign out everywhere", `DELETE FROM sessions WHERE admin = (SELECT admin FROM sessions WHERE hash = ?) RETURNING admin`, hash)
}

// end carries out a deletion of sessions, which SQLite has done to the last row before it returns the first.
func (tx *Tx) end(action, deletion string, hash [32]byte) error {
	var admin int64
	err := found(tx.Get(deletion, []any{hash[:]}, &admin))
	switch {
	case errors.Is(err, ErrNotFound): // it has ended already
		return nil
	case err != nil:
		return err
	}
	tx.touch("") // open pages look whether their session is over
	return tx.Note(Event{Admin: &admin, Action: action})
}

// Visit is a session that has not ended.
type Visit struct {
	Begun, Seen time.Time // Seen is written once an hour: it may have been used up to an hour later
	Recent      bool      // so it may be in use
	This        bool      // the session that asks
}

// Visits lists the sessions of an admin, the newest first.
func (s *Store) Visits(ctx context.Context, admin int64, this [32]byte) ([]Visit, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT created, seen, seen >= ?, hash = ? FROM sessions
		WHERE admin = ? AND seen >= ? ORDER BY created DESC, rowid DESC`,
		s.now().Add(-time.Hour).UnixMilli(), this[:], admin, s.now().Add(-sessionLife).UnixMilli())
	return collect(rows, err, func(v *Visit) error {
		var begun, seen int64
		err := rows.Scan(&begun, &seen, &v.Recent, &v.This)
		v.Begun, v.Seen = moment(begun), moment(seen)
		return err
	})
}

// HadSession reports whether anybody is signed in.
func (s *Store) HadSession(ctx context.Context) (yes bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sessions)`).Scan(&yes)
	return yes, err
}

// Appointed is an admin whom the command line has made, beside those of the settings.
type Appointed struct {
	Admin
	Added time.Time
}

// Appointed lists the admins whom the command line has made, the first before the others.
func (s *Store) Appointed(ctx context.Context) ([]Appointed, error) {
	return appointed(ctx, s.db.Read())
}

func appointed(ctx context.Context, d *sql.DB) ([]Appointed, error) {
	rows, err := d.QueryContext(ctx, `SELECT id, owner, added FROM admins ORDER BY added, id`)
	return collect(rows, err, func(a *Appointed) error {
		var added int64
		err := rows.Scan(&a.ID, &a.Owner, &added)
		a.Added = moment(added)
		return err
	})
}

// RoleOf returns what somebody may do: as much as the settings say, or as the command line has made of them since.
func (s *Store) RoleOf(ctx context.Context, settings func(id int64) (Admin, bool), id int64) (a Admin, ok bool, err error) {
	return roleOf(settings, id, func(query string, owner *bool) error { return s.db.Read().QueryRowContext(ctx, query, id).Scan(owner) })
}

// RoleOf is that of the store, within the transaction.
func (tx *Tx) RoleOf(settings func(id int64) (Admin, bool), id int64) (a Admin, ok bool, err error) {
	return roleOf(settings, id, func(query string, owner *bool) error { return tx.Get(query, []any{id}, owner) })
}

func roleOf(settings func(id int64) (Admin, bool), id int64, get func(query string, owner *bool) error) (a Admin, ok bool, err error) {
	if a, ok = settings(id); ok && a.Owner {
		return a, true, nil
	}
	var owner bool
	err = found(get(`SELECT owner FROM admins WHERE id = ?`, &owner))
	switch {
	case errors.Is(err, ErrNotFound):
		return a, ok, nil
	case err != nil:
		return a, false, fmt.Errorf("read the role of an admin: %w", err)
	}
	return Admin{ID: id, Owner: owner}, true, nil
}

// Admins are those of the settings and those whom the command line has made. With an error they are those of the settings.
func (s *Store) Admins(ctx context.Context, settings []int64) (ids []int64, err error) {
	appointed, err := s.Appointed(ctx)
	if err != nil {
		return settings, fmt.Errorf("read the admins: %w", err)
	}
	ids = slices.Clone(settings)
	for _, a := range appointed {
		if !slices.Contains(ids, a.ID) {
			ids = append(ids, a.ID)
		}
	}
	return ids, nil
}

// Appoint makes somebody an admin, or changes what one may do who was made before, and notes it.
func (tx *Tx) Appoint(a Admin) error {
	if _, err := tx.Exec(`INSERT INTO admins (id, owner, added) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner`,
		a.ID, a.Owner, tx.now); err != nil {
		return err
	}
	rank := "admin"
	if a.Owner {
		rank = "owner"
	}
	tx.touch("")
	return tx.Note(Event{Admin: new(int64), Action: "appoint", Outcome: rank})
}

// Dismiss takes back what Appoint did, and ends the sessions and the links of whom it was, and what they were told. ErrNotFound: nobody was made that.
func (tx *Tx) Dismiss(id int64) error {
	if err := one(tx.Exec(`DELETE FROM admins WHERE id = ?`, id)); err != nil {
		return err
	}
	for _, end := range []string{`DELETE FROM sessions WHERE admin = ?`, `DELETE FROM links WHERE admin = ?`, `DELETE FROM alerts WHERE admin = ?`} {
		if _, err := tx.Exec(end, id); err != nil {
			return err
		}
	}
	tx.touch("")
	return tx.Note(Event{Admin: new(int64), Action: "dismiss"})
}

// Event is one line of the activity list: who did what to which asset, with what outcome.
type Event struct {
	Admin    *int64 // nil: a user pressed
	User     int64
	Action   string
	AssetID  string
	Platform string
	Outcome  string
}

// Note adds an event to the activity list.
func (tx *Tx) Note(e Event) error {
	_, err := tx.Exec(`INSERT INTO audit (at, admin, user_id, action, asset_id, platform, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		tx.now, e.Admin, null(e.User), e.Action, null(e.AssetID), null(e.Platform), e.Outcome)
	return err
}

// Deed is an event as the activity list shows it. What the program itself tried again, or gave up, is one too: it is not
// in the table audit but follows from the attempts, and goes with their asset.
type Deed struct {
	Key      string // names the place in the list, for Activity
	At       time.Time
	Admin    *int64 // nil: a user, or the program
	Action   string // of the event; render or publish: the program's
	AssetID  string
	Platform string
	Outcome  string // of the event, or of the program's attempt
	Attempt  int    // of the program; 0: somebody did it
	Name     string // of the asset; "": it is gone, or there was none
}

// Activity lists what was done, newest first, from the place after the deed with that key; "": from the beginning.
// ErrNotFound: that is no key.
func (s *Store) Activity(ctx context.Context, after string, limit int) ([]Deed, error) {
	// Of deeds with the same time, those of people come first, then those of the program, each by their ids.
	at, person, program := int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64)
	if after != "" {
		kind, id := "", int64(0)
		if n, err := fmt.Sscanf(after, "%d-%1s-%d", &at, &kind, &id); err != nil || n != 3 {
			return nil, ErrNotFound
		}
		switch kind {
		case "a":
			person = id
		case "p":
			person, program = 0, id
		default:
			return nil, ErrNotFound
		}
	}
	return s.deeds(ctx, `
		SELECT * FROM (SELECT at, 'a' source, id, admin, action, asset_id, platform, outcome, 0 attempt
			FROM audit WHERE (at, id) < (?1, ?2) ORDER BY at DESC, id DESC LIMIT ?4)
		UNION ALL
		SELECT * FROM (SELECT finished, 'p', id, NULL, lower(kind), asset_id, platform, outcome, attempt
			FROM attempts WHERE kind IN ('RENDER', 'PUBLISH') AND outcome IN ('rescheduled', 'gave up', 'crashed')
			AND (finished, id) < (?1, ?3) ORDER BY finished DESC, id DESC LIMIT ?4)
		ORDER BY at DESC, source, id DESC LIMIT ?4`, at, person, program, limit)
}

// deeds reads some of them, in the order of the list.
func (s *Store) deeds(ctx context.Context, some string, args ...any) ([]Deed, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT d.at, d.source, d.id, d.admin, d.action, ifnull(d.asset_id, ''), ifnull(d.platform, ''), d.outcome, d.attempt, ifnull(a.name, '')
		FROM (`+some+`) d LEFT JOIN assets a ON a.id = d.asset_id ORDER BY d.at DESC, d.source, d.id DESC`, args...)
	return collect(rows, err, func(d *Deed) error {
		var at, id int64
		var source string
		err := rows.Scan(&at, &source, &id, &d.Admin, &d.Action, &d.AssetID, &d.Platform, &d.Outcome, &d.Attempt, &d.Name)
		d.At, d.Key = moment(at), fmt.Sprintf("%d-%s-%d", at, source, id)
		return err
	})
}

// ---- the page

// Listed is an asset with what the page shows beside it.
type Listed struct {
	Asset
	Waiting, Served, Unserved int // requests: live, COMPLETED, FAILED
	Untold                    int // requests whose message was given up
	Successor                 string
	Attempt                   int       // of its RENDER job; 0: none is owed
	Due                       time.Time // of its RENDER job while that waits
	LastError                 string    // of its RENDER job's last attempt
}

// Attempt is one run of a job, from the history.
type Attempt struct {
	Kind              Kind
	Platform          string // of a PUBLISH
	Number            int
	Started, Finished time.Time
	Outcome           string
	Error             string
}

// Filter picks assets for the page.
type Filter struct {
	Status   Status // "": all
	Platform string // YOUTUBE or RUMBLE: those that have a publication there; "": all
	Search   string // as lang.SearchKey folds it: how a word of the name begins, and what follows; "": all
	Exact    string // or the id of one asset, as it was typed
	After    string // Place of the last asset of the page before
	Limit    int
}

// A search finds assets a by their names, and one by its id: ?1 to ?2 is the range of the tails that begin with it, ?3 the id.
const (
	foundKeys   = `(SELECT name_key FROM tails WHERE tail >= ?1 AND tail < ?2)`
	foundByID   = `a.id = ?3 AND a.name_key NOT IN ` + foundKeys
	foundByName = `a.name_key IN ` + foundKeys
)

// args are what finding needs. No letter sorts after U+10FFFF.
func (f Filter) args() []any { return []any{f.Search, f.Search + "\U0010FFFF", f.Exact} }

// Place names an asset's place in the library, also once the asset is gone.
func (a Asset) Place() string { return fmt.Sprintf("%d-%s", a.Created.UnixMilli(), a.ID) }

// Library lists assets, newest first. ErrNotFound: f.After is no place. found is how many Counts gave for the filter: it tells the shorter way to them.
func (s *Store) Library(ctx context.Context, f Filter, found int) ([]Listed, error) {
	args := append(f.args(), f.Status, f.After, f.Limit)
	where, on, page := ``, ``, ` ORDER BY a.created DESC, a.id DESC LIMIT ?6`
	if f.Status != "" {
		where += ` AND a.status = ?4`
	}
	switch f.Platform {
	case "YOUTUBE":
		on, where = `_on_youtube`, where+` AND a.youtube = 1`
	case "RUMBLE":
		on, where = `_on_rumble`, where+` AND a.rumble = 1`
	}
	if f.After != "" {
		created, id, ok := strings.Cut(f.After, "-")
		ms, err := strconv.ParseInt(created, 10, 64)
		if !ok || err != nil {
			return nil, ErrNotFound
		}
		args[4] = id
		where += fmt.Sprintf(` AND (a.created, a.id) < (%d, ?5)`, ms)
	}
	if f.Search == "" {
		return s.listed(ctx, `WHERE true`+where+page, args...)
	}
	var all int
	if err := s.db.Read().QueryRowContext(ctx, `SELECT ifnull(sum(n), 0) FROM tallies WHERE name_key = '' AND part = ?1 AND ?2 IN ('', status)`,
		f.Platform, f.Status).Scan(&all); err != nil {
		return nil, err
	}
	switch {
	// Few are gathered and sorted. Of many, the newest are found sooner by walking back in time and asking of each whether its
	// name is one of those: a page is full after limit × all / found. So many have no id in common.
	case found*found > 4*f.Limit*all:
		where = `SELECT id FROM assets a WHERE +` + foundByName + where + page // the + keeps SQLite from gathering
	default:
		where = `SELECT id FROM (
			SELECT a.id, a.created FROM assets a INDEXED BY assets_by_name` + on + ` WHERE ` + foundByName + where + `
			UNION ALL SELECT a.id, a.created FROM assets a WHERE ` + foundByID + where + `) a` + page
	}
	return s.listed(ctx, `WHERE a.id IN (`+where+`) ORDER BY a.created DESC, a.id DESC`, args...)
}

// Card returns one asset as Library lists it.
func (s *Store) Card(ctx context.Context, id string) (Listed, error) {
	all, err := s.listed(ctx, `WHERE a.id = ?1`, id)
	if err != nil {
		return Listed{}, err
	}
	if len(all) == 0 {
		return Listed{}, ErrNotFound
	}
	return all[0], nil
}

// Detail is an asset with all that its own page shows.
type Detail struct {
	Listed
	Tries  []Try   // at the same video, oldest first: this one and up to five before and after it
	Shares []Share // languages of those who have asked for it, most first
	Deeds  []Deed  // the last ten, newest first
	Owed   Kind    // what keeps it from being deleted; "": nothing
}

// Try is one of several assets that were to become the same video.
type Try struct {
	ID      string    `json:"id"`
	Status  Status    `json:"status"`
	Created time.Time `json:"created"`
}

// Share is how many people have a language.
type Share struct {
	Lang   string `json:"lang"`
	People int    `json:"people"`
}

// Detail returns one asset with all that its own page shows.
func (s *Store) Detail(ctx context.Context, id string) (d Detail, err error) {
	if d.Listed, err = s.Card(ctx, id); err != nil {
		return d, err
	}
	rows, err := s.db.Read().QueryContext(ctx, `
		WITH RECURSIVE before (id, retry_of, n) AS (
			SELECT id, retry_of, 0 FROM assets WHERE id = ?1
			UNION ALL SELECT a.id, a.retry_of, n - 1 FROM before JOIN assets a ON a.id = before.retry_of WHERE n > -5),
		after (id, n) AS (SELECT ?1, 0 UNION ALL SELECT a.id, n + 1 FROM after JOIN assets a ON a.retry_of = after.id WHERE n < 5)
		SELECT a.id, a.status, a.created FROM (SELECT id, n FROM before UNION SELECT id, n FROM after) t JOIN assets a ON a.id = t.id
		ORDER BY t.n`, id)
	d.Tries, err = collect(rows, err, func(t *Try) error {
		var created int64
		err := rows.Scan(&t.ID, &t.Status, &created)
		t.Created = moment(created)
		return err
	})
	if err != nil {
		return d, err
	}
	rows, err = s.db.Read().QueryContext(ctx, `SELECT u.lang, count(*) FROM requests r CROSS JOIN users u ON u.id = r.user_id
		WHERE r.asset_id = ? GROUP BY u.lang ORDER BY 2 DESC, 1`, id)
	if d.Shares, err = collect(rows, err, func(s *Share) error { return rows.Scan(&s.Lang, &s.People) }); err != nil {
		return d, err
	}
	d.Deeds, err = s.deeds(ctx, `SELECT at, 'a' source, id, admin, action, asset_id, platform, outcome, 0 attempt FROM audit
		WHERE asset_id = ? ORDER BY at DESC, id DESC LIMIT 10`, id)
	if err != nil {
		return d, err
	}
	return d, found(s.db.Read().QueryRowContext(ctx, owed, id).Scan(&d.Owed))
}

func (s *Store) listed(ctx context.Context, where string, args ...any) ([]Listed, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT `+assetColumns+`,
			(SELECT count(*) FROM requests r WHERE r.asset_id = a.id AND r.status IN ('PENDING', 'PROCESSING')),
			(SELECT count(*) FROM requests r WHERE r.asset_id = a.id AND r.status = 'COMPLETED'),
			(SELECT count(*) FROM requests r WHERE r.asset_id = a.id AND r.status = 'FAILED'),
			(SELECT count(*) FROM requests r WHERE r.asset_id = a.id AND r.answer_id IS NULL AND r.held = 0
				AND a.finished IS NOT NULL AND r.status <> 'COMPLETED'
				AND NOT EXISTS (SELECT 1 FROM jobs m WHERE m.request_id = r.id AND m.kind IN ('DELIVER', 'APOLOGISE'))
				AND NOT EXISTS (SELECT 1 FROM crowds c WHERE c.request_id = r.id)),
			ifnull((SELECT n.id FROM assets n WHERE n.retry_of = a.id), ''),
			ifnull(j.attempt, 0), CASE WHEN j.started IS NULL THEN ifnull(j.due, 0) ELSE 0 END, ifnull(j.last_error, '')
		FROM assets a LEFT JOIN jobs j ON j.asset_id = a.id AND j.kind = 'RENDER' `+where, args...)
	return collect(rows, err, func(l *Listed) error {
		var due int64
		dest, done := l.Asset.into()
		if err := rows.Scan(append(dest, &l.Waiting, &l.Served, &l.Unserved, &l.Untold, &l.Successor, &l.Attempt, &due, &l.LastError)...); err != nil {
			return err
		}
		done()
		l.Due = moment(due)
		return nil
	})
}

// Attempts lists the runs of the RENDER and PUBLISH jobs of assets, oldest first, by asset.
func (s *Store) Attempts(ctx context.Context, assets ...string) (map[string][]Attempt, error) {
	all := map[string][]Attempt{}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT asset_id, kind, ifnull(platform, ''), attempt, started, finished, outcome, ifnull(error, '') FROM attempts
		WHERE asset_id IN (SELECT value FROM json_each(?)) AND kind IN ('RENDER', 'PUBLISH') ORDER BY id`, list(assets))
	_, err = collect(rows, err, func(a *Attempt) error {
		var asset string
		var started, finished int64
		if err := rows.Scan(&asset, &a.Kind, &a.Platform, &a.Number, &started, &finished, &a.Outcome, &a.Error); err != nil {
			return err
		}
		a.Started, a.Finished = moment(started), moment(finished)
		all[asset] = append(all[asset], *a)
		return nil
	})
	return all, err
}

// Replaced picks those of the given failed assets of which a later try is on its way or has worked.
func (s *Store) Replaced(ctx context.Context, failed ...string) (map[string]bool, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		WITH RECURSIVE later (first, id) AS (
			SELECT value, value FROM json_each(?)
			UNION ALL SELECT first, n.id FROM later JOIN assets n ON n.retry_of = later.id)
		SELECT first FROM later JOIN assets a ON a.id = later.id WHERE a.status <> 'FAILED'`, list(failed))
	all := map[string]bool{}
	_, err = collect(rows, err, func(first *string) error {
		err := rows.Scan(first)
		all[*first] = true
		return err
	})
	return all, err
}

// list makes one argument of many ids, for json_each.
func list(ids []string) string {
	b, _ := json.Marshal(ids) // texts always work
	return string(b)
}

// Counts returns how many assets of each status there are, or are found by a search.
func (s *Store) Counts(ctx context.Context, f Filter) (map[Status]int, error) {
	query := `SELECT status, n FROM tallies WHERE name_key = '' AND part = ?4 AND n > 0`
	if f.Search != "" {
		query = `SELECT status, sum(n) FROM (
			SELECT status, n FROM tallies WHERE n > 0 AND part = ?4 AND name_key IN ` + foundKeys + `
			UNION ALL SELECT a.status, 1 FROM assets a WHERE ` + foundByID + `
				AND CASE ?4 WHEN 'YOUTUBE' THEN a.youtube WHEN 'RUMBLE' THEN a.rumble ELSE true END) GROUP BY status`
	}
	rows, err := s.db.Read().QueryContext(ctx, query, append(f.args(), f.Platform)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[Status]int{}
	for rows.Next() {
		var status Status
		var n int
		if err := rows.Scan(&status, &n); err != nil {
			return nil, err
		}
		out[status] = n
	}
	return out, rows.Err()
}

// Platforms lists the platforms that any asset is on, or on its way to.
func (s *Store) Platforms(ctx context.Context) ([]string, error) {
	return s.texts(ctx, `SELECT DISTINCT part FROM tallies WHERE name_key = '' AND part IN ('RUMBLE', 'YOUTUBE') AND n > 0 ORDER BY part DESC`)
}

// ---- what needs an admin

// Needy is a video that needs an admin: its last try has failed, and another would make it or bring it to somebody.
type Needy struct {
	ID     string // of the first try: one who asks for another of it reaches everybody whom any of them failed
	Last   string // id of the last try
	Name   string
	Failed time.Time // the last try
}

// Need sums up the videos that need an admin.
type Need struct {
	Count  int      `json:"count"`
	People int      `json:"people"`          // who would be told of another try; each once, and nobody whom no message reaches
	Newest string   `json:"newest,omitzero"` // id of the try that failed last
	Names  []string `json:"names,omitempty"` // the ten that failed last

	Publications int       `json:"publications"`   // of videos that are there, which another try may help
	Until        time.Time `json:"until,omitzero"` // when the last of those failed
}

// Others is how many are not named.
func (n Need) Others() int { return n.Count - len(n.Names) }

// needy picks the assets a that need an admin, that a filter shows, and that Admin.MayChange allows; needyArgs are what
// it needs. No filter at all still means the failed ones.
func needy(admin Admin, f Filter) string {
	where := `a.needs = 1 AND ?4 IN ('', 'FAILED')`
	if !admin.Owner {
		where += ` AND a.creator = ?5`
	}
	if f.Search != "" {
		where += ` AND ` + foundByName
	}
	return where
}

func needyArgs(admin Admin, f Filter, more ...any) []any {
	return append(append(f.args(), f.Status, admin.ID), more...)
}

// Needs counts the videos that need an admin, of those that a filter shows on all its pages.
func (s *Store) Needs(ctx context.Context, admin Admin, f Filter) (n int, err error) {
	query := `SELECT ifnull(sum(n), 0) FROM tallies WHERE part = 'NEEDS' AND ?4 IN ('', 'FAILED') AND name_key `
	switch {
	case !admin.Owner:
		query = `SELECT count(*) FROM assets a WHERE ` + needy(admin, f)
	case f.Search == "":
		query += `= ''`
	default:
		query += `IN ` + foundKeys
	}
	err = s.db.Read().QueryRowContext(ctx, query, needyArgs(admin, f)...).Scan(&n)
	return n, err
}

// NeedYou sums up the videos that need an admin, of those that a filter shows on all its pages.
func (s *Store) NeedYou(ctx context.Context, admin Admin, f Filter) (n Need, err error) {
	where := needy(admin, f)
	rows, err := s.db.Read().QueryContext(ctx, `
		WITH RECURSIVE earlier (id, retry_of) AS (
			SELECT e.id, e.retry_of FROM assets a JOIN assets e ON e.id = a.retry_of WHERE `+where+`
			UNION ALL SELECT e.id, e.retry_of FROM earlier JOIN assets e ON e.id = earlier.retry_of)
		SELECT a.id, a.name, (SELECT count(*) FROM assets a WHERE `+where+`), (
			SELECT count(*) FROM (SELECT DISTINCT user_id FROM requests WHERE status = 'FAILED') f JOIN users p ON p.id = f.user_id
			WHERE p.unreachable IS NULL AND EXISTS (SELECT 1 FROM unserved a
				WHERE a.user_id = p.id AND (`+where+` OR a.id IN (SELECT id FROM earlier))))
		FROM assets a WHERE `+where+` ORDER BY a.finished DESC, a.id DESC LIMIT 10`, needyArgs(admin, f)...)
	n.Names, err = collect(rows, err, func(name *string) error {
		var id string
		err := rows.Scan(&id, name, &n.Count, &n.People)
		if n.Newest == "" {
			n.Newest = id
		}
		return err
	})
	return n, err
}

// Needy lists up to f.Limit videos that need an admin and failed after one and until another, oldest failure first.
// f.After does not matter: what was listed before may be gone.
func (s *Store) Needy(ctx context.Context, admin Admin, f Filter, after, until Needy) ([]Needy, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT (WITH RECURSIVE line (id, earlier) AS (
				SELECT a.id, a.retry_of UNION ALL SELECT e.id, e.retry_of FROM line JOIN assets e ON e.id = line.earlier)
			SELECT id FROM line WHERE earlier IS NULL), a.id, a.name, a.finished
		FROM assets a WHERE `+needy(admin, f)+` AND (a.finished, a.id) > (?6, ?7) AND (a.finished, a.id) <= (?8, ?9)
		ORDER BY a.finished, a.id LIMIT ?10`, needyArgs(admin, f,
		after.Failed.UnixMilli(), after.Last, until.Failed.UnixMilli(), until.Last, f.Limit)...)
	return collect(rows, err, func(n *Needy) error {
		var failed int64
		err := rows.Scan(&n.ID, &n.Last, &n.Name, &failed)
		n.Failed = moment(failed)
		return err
	})
}

// StillFailed is a video that needs an admin, or a failed publication.
type StillFailed struct {
	AssetID  string
	Platform string // of a publication
	Step     string // of that: see the schema
}

// StillFailed lists what had failed by a time and is no better.
func (s *Store) StillFailed(ctx context.Context, by time.Time) ([]StillFailed, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT id, '', '' FROM assets WHERE needs = 1 AND finished <= ?1
		UNION ALL SELECT asset_id, platform, step FROM publications WHERE status = 'FAILED' AND completed <= ?1`, by.UnixMilli())
	return collect(rows, err, func(f *StillFailed) error { return rows.Scan(&f.AssetID, &f.Platform, &f.Step) })
}

// Unpublished is a failed publication that another try may help.
type Unpublished struct {
	ID                int64
	AssetID, Platform string
	Failed            time.Time
}

// unpublished picks the failed publications p that a filter shows, that Admin.MayChange allows, and that need no more than
// another try, of videos that may be published: one whose answer was lost may be there, one that was rejected would be uploaded once more, and without its
// channel each would fail again. Only finished videos
// have any. Their assets a are looked at for a search only: every page of the library counts these.
func unpublished(admin Admin, f Filter) string {
	where := `FROM publications p`
	if f.Search != "" {
		where += ` CROSS JOIN assets a ON a.id = p.asset_id` // in this order: few have failed
	}
	where += ` WHERE p.status = 'FAILED' AND p.step NOT IN ('unknown', 'rejected') AND ?4 IN ('', 'COMPLETED') AND ?6 IN ('', p.platform)
		AND (p.step <> 'reconnect' OR EXISTS (SELECT 1 FROM channels c WHERE c.id = p.channel_id AND c.state = 'CONNECTED'))
		AND ` + mayBePublished
	if !admin.Owner {
		where += ` AND p.creator = ?5`
	}
	if f.Search != "" {
		where += ` AND ` + foundByName
	}
	return where
}

// CountUnpublished counts the failed publications that another try may help, of the videos that a filter shows, and tells
// when the last of them failed.
func (s *Store) CountUnpublished(ctx context.Context, admin Admin, f Filter) (n int, until time.Time, err error) {
	var last int64
	err = s.db.Read().QueryRowContext(ctx, `SELECT count(*), ifnull(max(p.completed), 0) `+unpublished(admin, f),
		needyArgs(admin, f, f.Platform)...).Scan(&n, &last)
	return n, moment(last), err
}

// Unpublished lists up to f.Limit of them that failed after one and by a time, the oldest failure first.
func (s *Store) Unpublished(ctx context.Context, admin Admin, f Filter, after Unpublished, until time.Time) ([]Unpublished, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT p.id, p.asset_id, p.platform, p.completed `+unpublished(admin, f)+`
		AND (p.completed, p.id) > (?7, ?8) AND p.completed <= ?9 ORDER BY p.completed, p.id LIMIT ?10`,
		needyArgs(admin, f, f.Platform, after.Failed.UnixMilli(), after.ID, until.UnixMilli(), f.Limit)...)
	return collect(rows, err, func(u *Unpublished) error {
		var failed int64
		err := rows.Scan(&u.ID, &u.AssetID, &u.Platform, &failed)
		u.Failed = moment(failed)
		return err
	})
}
