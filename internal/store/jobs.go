package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Kind is what a job does.
type Kind string

const (
	Render    Kind = "RENDER"    // make the video
	Announce  Kind = "ANNOUNCE"  // tell one user that the work has begun
	Deliver   Kind = "DELIVER"   // send the video to one user
	Apologise Kind = "APOLOGISE" // tell one user that it did not work, with the button
	Publish   Kind = "PUBLISH"   // put the video on a platform
)

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
	WaitingSince  time.Time // when the first of its waits in a row began; zero: it has not waited
	Waits         int       // how many those are
	Copies        int       // attempts that may have sent the message although they failed

	// ErrorCode is the stable code of the failure that is being written: of what the caller passes as its problem. It is
	// not stored with the job.
	ErrorCode string
}

// sinceMs scans a column of milliseconds; 0: the zero time.
type sinceMs time.Time

func (s *sinceMs) Scan(column any) error {
	ms, ok := column.(int64)
	if !ok {
		return fmt.Errorf("%T is no time", column)
	}
	*s = sinceMs(Moment(ms))
	return nil
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

// Enqueue owes a job, once per subject. A render takes its turn as enqueueRender says, everything else as enqueueAt
// does. It is due at once, whatever the clock says.
func (tx *Tx) Enqueue(kind Kind, assetID string, request, fairnessKey int64) error {
	if kind == Render {
		return tx.enqueueRender(assetID, fairnessKey)
	}
	return tx.enqueueAt(kind, assetID, request, 0, fairnessKey, 0)
}

// owe has the queue look for a job of a kind, at once or when it is due (ms).
func (tx *Tx) MarkDue(kind Kind, due int64) {
	switch {
	case due > 0:
		tx.later = true
	case !slices.Contains(tx.due, kind):
		tx.due = append(tx.due, kind)
	}
}

// reached is how far the positions of the waiting renders are. What is made in advance is behind all of them.
const reached = `ifnull((SELECT position FROM jobs WHERE kind = 'RENDER' AND started IS NULL AND position < ` + lastPosition + `
	ORDER BY position, id LIMIT 1), 0)`

// arrival is the number of the job that is being enqueued: they come in this order, whatever the clock says.
const arrival = `(ifnull((SELECT max(id) FROM jobs), 0) + 1)`

// longQueue is how many renders wait when people who have had a video before go ahead of those who have not.
const longQueue = 10

// A job that is not the first of its fairness key does not wait for ever, even while more comes than goes: so many
// later jobs pass it at the most. Many more of people who are known may pass it: ten thousand new accounts must not
// hold them up.
const (
	passing      = `2000`
	passingKnown = `20000`
)

// enqueueRender enqueues a render. Its position is one level after the last of its fairness key, but not before the
// level that the queue has reached: a newcomer starts level with everybody else's next job. A level takes no more
// newcomers when the oldest job of the next level has been passed by enough of them. Levels are two apart: in a long
// queue, somebody who has had a video before takes the place ahead of all newcomers of a level. Ten thousand new
// accounts then hold up nobody who is known. In a short queue everybody is alike.
func (tx *Tx) enqueueRender(assetID string, fairnessKey int64) error {
	ahead, err := tx.goesAhead(fairnessKey)
	if err != nil {
		return err
	}
	_, err = tx.sql.Exec(`
		INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created)
		VALUES (?1, ?2, ?3, iif(?3 = `+advanceKeySQL+`, max(`+nextPosition+`, `+lastPosition+`), `+nextPosition+`), 0, ?5)
		ON CONFLICT DO NOTHING`, Render, assetID, fairnessKey, ahead, tx.now)
	tx.MarkDue(Render, 0)
	return err
}

// nextPosition is the position of the next render ?1 of the fairness key ?3; ?4: it goes ahead.
const nextPosition = `max(ifnull((SELECT max(position) FROM jobs WHERE kind = ?1 AND fairness_key = ?3), 0) + 2,
	ifnull((SELECT iif(id + iif(?4, ` + passingKnown + `, ` + passing + `) < ` + arrival + `, position, NULL) FROM jobs
		WHERE kind = 'RENDER' AND started IS NULL AND position > (` + reached + ` | 1) AND position < ` + lastPosition + `
		ORDER BY position, id LIMIT 1), iif(?4, ` + reached + ` & ~1, ` + reached + ` | 1)))`

// goesAhead reports whether the next render of a fairness key goes ahead of newcomers.
func (tx *Tx) goesAhead(fairnessKey int64) (ahead bool, err error) {
	err = tx.sql.Get(`SELECT (SELECT count(*) FROM (SELECT 1 FROM jobs WHERE kind = 'RENDER' AND started IS NULL
			AND position < `+lastPosition+` LIMIT 0 + ?2)) = ?2
		AND (`+hasVideo+` OR NOT EXISTS (SELECT 1 FROM users WHERE id = ?1))`, []any{fairnessKey, longQueue}, &ahead) // or an admin
	return ahead, err
}

// positionOf is the position of a message for the request ?3, or of an upload, of the fairness key ?5. Who asked first
// is answered first, however long the video took: the position of a message is the number of its request. Uploads go in
// the order of their arrival. The next one of a fairness key lets so many later ones pass: nobody waits for all the
// messages of somebody else, and nobody waits for ever.
const positionOf = `max(ifnull((SELECT max(position) FROM jobs WHERE kind = ?1 AND fairness_key = ?5) + ` + passing + `, 0),
	ifnull(?3, ` + arrival + `))`

// enqueueAt is Enqueue for a job that is not due before a time (ms; 0: at once), also of a publication.
func (tx *Tx) enqueueAt(kind Kind, assetID string, request, publication, fairnessKey, due int64) error {
	_, err := tx.sql.Exec(`
		INSERT INTO jobs (kind, asset_id, request_id, publication_id, fairness_key, position, due, created)
		VALUES (?1, ?2, ?3, ?4, ?5, `+positionOf+`, ?6, ?7)
		ON CONFLICT DO NOTHING`,
		kind, assetID, null(request), null(publication), fairnessKey, due, tx.now)
	tx.MarkDue(kind, due)
	return err
}

const jobColumns = `id, kind, asset_id, ifnull(request_id, 0), ifnull(publication_id, 0), attempt, ifnull(started, 0), ifnull(sent, 0), crashes,
	ifnull(waiting_since, 0), waits, copies`

func (j *Job) into(started *int64) []any {
	return []any{&j.ID, &j.Kind, &j.AssetID, &j.RequestID, &j.PublicationID, &j.Attempt, started, &j.Sent, &j.Crashes,
		(*sinceMs)(&j.WaitingSince), &j.Waits, &j.Copies}
}

// claimable leaves out deliveries of a video that another one has to upload first: they go by the file_id it brings.
const claimable = `SELECT w.id, w.kind, w.asset_id, ifnull(w.request_id, 0), ifnull(w.publication_id, 0), w.attempt + 1, ?2, ifnull(w.sent, 0), w.crashes,
		ifnull(w.waiting_since, 0), w.waits, w.copies,
		ifnull(r.user_id, 0), ifnull(r.chat_id, 0), ifnull(u.lang, ''), ifnull(r.status, ''), u.unreachable IS NOT NULL, ifnull(r.progress_id, 0), w.fan_out IS NOT NULL, w.position
	` + toBegin

// toBegin picks the jobs w of the kind ?1 that may begin at ?2, at most ?4; ?3: quarantined ones.
const toBegin = `FROM jobs w LEFT JOIN requests r ON r.id = w.request_id LEFT JOIN users u ON u.id = r.user_id
	WHERE w.kind = ?1 AND w.started IS NULL AND w.quarantined = ?3 AND (w.due <= ?2 OR w.quarantined)
		AND (w.fairness_key <> ` + advanceKeySQL + ` OR NOT EXISTS (
			SELECT 1 FROM jobs o WHERE o.kind = 'RENDER' AND o.fairness_key = ` + advanceKeySQL + ` AND o.started IS NOT NULL))
		AND (w.kind <> 'PUBLISH' OR EXISTS (SELECT 1 FROM publishable v WHERE v.id = w.asset_id))
		AND (w.kind <> 'DELIVER' OR EXISTS (SELECT 1 FROM assets WHERE id = w.asset_id AND file_id IS NOT NULL) OR NOT EXISTS (
			SELECT 1 FROM jobs e WHERE e.asset_id = w.asset_id AND e.kind = 'DELIVER' AND (e.started IS NOT NULL
				OR e.quarantined = ?3 AND (e.due <= ?2 OR e.quarantined) AND (e.position, e.id) < (w.position, w.id))))
	ORDER BY w.position, w.id LIMIT 0 + ?4` // because of a bare LIMIT ? SQLite would plan it again at every run

// Claim begins the next attempts of a kind: of those whose turn it is and that are due, at most limit. quarantined
// picks the jobs that ran when the process died, which are left out otherwise.
func (tx *Tx) Claim(kind Kind, quarantined bool, limit int) (tasks []Task, err error) {
	for again := true; again && len(tasks) < limit; {
		i := len(tasks)
		var until int64
		if tasks, until, err = tx.next(tasks, kind, quarantined, limit); err != nil {
			return nil, err
		}
		if kind == Announce {
			if tasks, err = tx.withoutOvertaken(tasks); err != nil {
				return nil, err
			}
		}
		single := len(tasks)
		if again = until > 0; again {
			single--
		}
		for ; i < single; i++ {
			if err := tx.begin(&tasks[i]); err != nil {
				return nil, err
			}
		}
		if again {
			n := limit - single
			if kind == Deliver && tasks[single].Asset.FileID == "" {
				n = 1
			}
			some, err := tx.beginSome(tasks[single], n, until)
			if err != nil {
				return nil, err
			}
			tasks = append(tasks[:single], some...)
		}
		if kind == Render && !quarantined && len(tasks) == 0 {
			more, err := tx.beginNextInAdvance()
			if err != nil {
				return nil, err
			}
			again = more
		}
	}
	return tasks, nil
}

// next adds to tasks what can be begun next, until they are limit or the last one is a fan-out. until is the position
// of what is next after that; 0: there is no fan-out.
func (tx *Tx) next(tasks []Task, kind Kind, quarantined bool, limit int) (_ []Task, until int64, err error) {
	i := len(tasks)
	rows, err := tx.sql.Query(claimable, kind, tx.now, quarantined, limit-i)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	var t Task
	var started, position int64
	var many bool
	dest := append(
		t.Job.into(&started),
		&t.To.User,
		&t.To.Chat,
		&t.To.Lang,
		&t.To.Status,
		&t.To.Unreachable,
		&t.To.Progress,
		&many,
		&position,
	)
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, 0, err
		}
		if until > 0 {
			until = position
			break
		}
		if many {
			until = math.MaxInt64
		}
		t.Started = Moment(started)
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
	return tasks, until, nil
}

// begin begins the attempt of a task.
func (tx *Tx) begin(t *Task) (err error) {
	if _, err := tx.sql.Exec(`UPDATE jobs SET attempt = ?, started = ? WHERE id = ?`, t.Attempt, tx.now, t.ID); err != nil {
		return err
	}
	switch t.Kind {
	case Render:
		if err := tx.setLive(t.AssetID, Pending, Processing); err != nil {
			// %v: nothing of it is there, but something to claim is
			return fmt.Errorf("claim job %d: its asset is not pending: %v", t.ID, err)
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

// record writes how an attempt ended into the history.
func (tx *Tx) record(j Job, outcome, problem string) error {
	_, err := tx.sql.Exec(
		`INSERT INTO attempts (asset_id, request_id, kind, platform, attempt, started, finished, outcome, error, error_code)
		VALUES (?, ?, ?, (SELECT platform FROM publications WHERE id = ?), ?, ?, ?, ?, ?, ?)`,
		j.AssetID,
		null(j.RequestID),
		j.Kind,
		j.PublicationID,
		j.Attempt,
		j.Started.UnixMilli(),
		tx.now,
		outcome,
		null(problem),
		null(j.ErrorCode),
	)
	return err
}

// recordWait writes into the history that a job waits. A wait that goes on has one row, which keeps its beginning.
func (tx *Tx) recordWait(j Job, problem string) error {
	if j.Waits > 0 {
		n, err := tx.sql.Exec(
			`UPDATE attempts SET finished = ?, error = ?, error_code = ? WHERE outcome = 'deferred' AND id = (
				SELECT max(id) FROM attempts WHERE asset_id = ? AND kind = ? AND platform IS (SELECT platform FROM publications WHERE id = ?))`,
			tx.now,
			problem,
			null(j.ErrorCode),
			j.AssetID,
			j.Kind,
			j.PublicationID,
		)
		if err != nil || n == 1 {
			return err
		}
	}
	return tx.record(j, "deferred", problem)
}

// finish deletes a job that is done. ErrNotFound: it is no longer this worker's.
func (tx *Tx) finish(j Job) error {
	if err := one(tx.sql.Exec(`DELETE FROM jobs WHERE id = ? AND attempt = ? AND started IS NOT NULL`, j.ID, j.Attempt)); err != nil {
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

// FinishRender completes an asset and owes the video to everybody waiting for it. ErrNotFound: the asset or the job
// is gone, and the files belong to nobody.
func (tx *Tx) FinishRender(j Job, v Video) error {
	if err := one(tx.sql.Exec(`UPDATE assets SET status = 'COMPLETED', file = ?, thumb = ?, size = ?, duration = ?,
			width = ?, height = ?, codec = ?, note = ?, finished = ?
		WHERE id = ? AND status = 'PROCESSING' AND `+runs,
		v.File, null(v.Thumb), v.Size, v.Duration.Milliseconds(), v.Width, v.Height, null(v.Codec), null(v.Note), tx.now,
		j.AssetID, j.ID, j.Attempt)); err != nil {
		return err
	}
	if err := tx.finish(j); err != nil {
		return err
	}
	return tx.EnqueueAll(Deliver, j.AssetID)
}

// FinishMessage records that a message of a job has arrived and ends the job. It returns the id of the progress message
// that has served its purpose, or 0: an announcement's own, if it was overtaken.
func (tx *Tx) FinishMessage(t *Task, messageID int) (spent int, err error) {
	if err := tx.finish(t.Job); err != nil {
		return 0, err
	}
	if err := tx.delivered(t.RequestID); err != nil {
		return 0, err
	}
	if t.Kind == Announce {
		n, err := tx.sql.Exec(`UPDATE requests SET progress_id = ? WHERE id = ? AND `+awaited, null(messageID), t.RequestID)
		if err != nil || n == 1 {
			return 0, err
		}
		// Kept even so: should the program die before it is taken back, the answer will do that.
		_, err = tx.sql.Exec(`UPDATE requests SET progress_id = ? WHERE id = ?`, null(messageID), t.RequestID)
		return messageID, err
	}
	n, err := tx.sql.Exec(
		`UPDATE requests SET answer_id = ? WHERE id = ? AND ifnull(progress_id, 0) = ?`,
		null(messageID),
		t.RequestID,
		t.To.Progress,
	)
	if err != nil || n == 1 {
		return t.To.Progress, err
	}
	// The announcement has arrived since then. That is seldom, and RETURNING every time would cost more.
	err = found(
		tx.sql.Get(
			`UPDATE requests SET answer_id = ? WHERE id = ? RETURNING ifnull(progress_id, 0)`,
			[]any{null(messageID), t.RequestID},
			&spent,
		),
	)
	return spent, err
}

// VideoArrived records that a user has the video, before the rest of the DELIVER job is done, so that no later attempt
// sends it again.
func (tx *Tx) VideoArrived(j Job, messageID int, fileID string) error {
	if err := one(tx.sql.Exec(`UPDATE jobs SET sent = ? WHERE id = ? AND attempt = ? AND started IS NOT NULL`, messageID, j.ID, j.Attempt)); err != nil {
		return err
	}
	if _, err := tx.sql.Exec(`UPDATE requests SET status = 'COMPLETED', finished = ?, answer_id = ? WHERE id = ? AND status = 'PROCESSING'`,
		tx.now, messageID, j.RequestID); err != nil {
		return err
	}
	tx.touch(j.AssetID)
	if err := tx.delivered(j.RequestID); err != nil {
		return err
	}
	tx.MarkDue(Deliver, 0) // to those who waited for the file_id
	_, err := tx.sql.Exec(`UPDATE assets SET file_id = ? WHERE id = ?`, null(fileID), j.AssetID)
	return err
}

// GiveBack undoes the beginning of an attempt that the stop of the program cut off: a stop is not a failure.
func (tx *Tx) GiveBack(j Job) error {
	return tx.release(j, 0, j.Attempt-1, j.Crashes, false, "")
}

// release makes a started job wait again, unless it is an announcement that has been overtaken by the video or the
// apology.
func (tx *Tx) release(j Job, due int64, attempt, crashes int, quarantined bool, problem string) error {
	if j.Kind == Announce {
		n, err := tx.sql.Exec(`DELETE FROM jobs WHERE id = ? AND attempt = ? AND started IS NOT NULL
			AND EXISTS (SELECT 1 FROM assets a WHERE a.id = jobs.asset_id AND a.finished IS NOT NULL)`, j.ID, j.Attempt)
		if err != nil || n == 1 {
			return err
		}
	}
	if err := one(tx.sql.Exec(`UPDATE jobs SET started = NULL, due = ?, attempt = ?, crashes = ?, quarantined = ?,
			last_error = ifnull(?, last_error), waiting_since = ?, waits = ?, copies = ?, asked = ?
		WHERE id = ? AND attempt = ? AND started IS NOT NULL`, due, attempt, crashes, quarantined, null(problem), stamp(j.WaitingSince), j.Waits, j.Copies,
		max(due-tx.now, 0),
		j.ID, j.Attempt)); err != nil {
		return err
	}
	tx.MarkDue(j.Kind, due)
	tx.touch(j.AssetID)
	switch j.Kind {
	case Render:
		return tx.setLive(j.AssetID, Processing, Pending)
	case Publish: // one that the platform has stays PROCESSING: the platform works on it
		_, err := tx.sql.Exec(
			`UPDATE publications SET status = 'PENDING', started = NULL WHERE id = ? AND remote_id IS NULL`,
			j.PublicationID,
		)
		return err
	}
	return nil
}

// Running returns a job if this attempt of it is still under way, else ErrNotFound.
func (tx *Tx) Running(j Job) (Job, error) {
	var started int64
	err := found(tx.sql.Get(`SELECT `+jobColumns+` FROM jobs WHERE id = ? AND attempt = ? AND started IS NOT NULL`,
		[]any{j.ID, j.Attempt}, j.into(&started)...))
	j.Started = Moment(started)
	return j, err
}

// Reschedule makes a failed job run again at due. The attempt was a real one, so the waits before it are over.
func (tx *Tx) Reschedule(j Job, due time.Time, problem string) error {
	j.WaitingSince, j.Waits = time.Time{}, 0
	if err := tx.record(j, "rescheduled", problem); err != nil {
		return err
	}
	return tx.release(j, due.UnixMilli(), j.Attempt, 0, false, problem)
}

// RescheduleAnew is Reschedule for a job that got further than before: its attempts count from the beginning.
func (tx *Tx) RescheduleAnew(j Job, due time.Time, problem string) error {
	if err := tx.record(j, "rescheduled", problem); err != nil {
		return err
	}
	j.WaitingSince, j.Waits = time.Time{}, 0
	return tx.release(j, due.UnixMilli(), 0, 0, false, problem)
}

// Defer makes a job that has to wait run again at due and gives the attempt back. All waits in a row are one row of the
// history, however often the job looks. The history of messages leaves them out.
func (tx *Tx) Defer(j Job, due time.Time, problem string) error {
	if j.RequestID == 0 {
		if err := tx.recordWait(j, problem); err != nil {
			return err
		}
	}
	if j.WaitingSince.IsZero() || j.WaitingSince.After(tx.Now()) { // of the future: by a clock that was ahead
		j.WaitingSince = tx.Now()
	}
	j.Waits++
	return tx.release(j, due.UnixMilli(), j.Attempt-1, 0, false, problem)
}

// GiveUp ends a job permanently. For a render the asset and its requests are FAILED and everybody affected is owed an
// apology; FailCrowds does the same for the requests that are too many for one transaction. The request of a message
// stays owed and is marked undelivered: see OweAgain. step says what a publication needs, if that is known.
func (tx *Tx) GiveUp(j Job, problem, step string) error {
	if err := tx.record(j, "gave_up", problem); err != nil {
		return err
	}
	if err := one(tx.sql.Exec(`DELETE FROM jobs WHERE id = ? AND attempt = ? AND started IS NOT NULL`, j.ID, j.Attempt)); err != nil {
		return err
	}
	tx.touch(j.AssetID)
	switch j.Kind {
	case Render:
		if err := one(tx.sql.Exec(`UPDATE assets SET status = 'FAILED', error = ?, error_code = ?, finished = ?, needs_attention = 1
			WHERE id = ? AND status = 'PROCESSING'`, problem, null(j.ErrorCode), tx.now, j.AssetID)); err != nil {
			return err
		}
		if _, err := tx.FailSome(j.AssetID); err != nil {
			return err
		}
		// A clock that was set back may make an older video count as made since.
		if _, err := tx.sql.Exec(`UPDATE assets SET needs_attention = 0 WHERE id IN (SELECT id FROM resolved WHERE id = ?)`, j.AssetID); err != nil {
			return err
		}
		return tx.EnqueueAll(Apologise, j.AssetID)
	case Announce, Deliver, Apologise:
		return tx.undelivered(j)
	case Publish:
		// Only a session can be asked for what had left as a whole before the trouble came.
		return one(tx.sql.Exec(`UPDATE publications AS p SET status = 'FAILED', error = ?2, error_code = ?5, completed = ?3,
				step = iif(`+sentUnseen+`, 'unknown', ?1)
			WHERE id = ?4 AND status IN ('PENDING', 'PROCESSING')`, step, problem, tx.now, j.PublicationID, null(j.ErrorCode)))
	}
	return nil
}

// MakeAgain ends a DELIVER job whose video is no longer in the media store: its request goes over to one that is made
// again, or is being made, or was made since. What is finished stays as it is, so that one is another asset.
func (tx *Tx) MakeAgain(j Job) error {
	if err := tx.finish(j); err != nil {
		return err
	}
	a, err := tx.Asset(j.AssetID)
	if err != nil {
		return err
	}
	var user, chat, progress int64
	if err := tx.sql.Get(`DELETE FROM requests WHERE id = ? RETURNING user_id, chat_id, ifnull(progress_id, 0)`, []any{j.RequestID}, &user, &chat, &progress); err != nil {
		return err
	}
	if _, err := tx.sql.Exec(`UPDATE assets SET advance = 0 WHERE id = ? AND advance = 1`, a.ID); err != nil {
		return err // the next one goes to everybody instead
	}
	next, err := tx.liveTwin(a.NameKey, a.Template, a.Lang)
	if errors.Is(err, ErrNotFound) {
		next, err = tx.finishedTwin(a.NameKey, a.Template, a.Lang, a.Finished.Add(time.Millisecond))
	}
	if errors.Is(err, ErrNotFound) {
		next, err = tx.create(Asset{Name: a.Name, NameKey: a.NameKey, Template: a.Template, Lang: a.Lang,
			Creator: a.Creator, Advance: a.Advance}, user)
	}
	if err != nil {
		return err
	}
	if _, err := tx.Join(next, user, chat); err != nil || progress == 0 {
		return err
	}
	// They have a progress message, which goes on.
	if _, err := tx.sql.Exec(`UPDATE requests SET progress_id = ? WHERE user_id = ? AND asset_id = ? AND progress_id IS NULL`, progress, user, next.ID); err != nil {
		return err
	}
	_, err = tx.sql.Exec(`DELETE FROM jobs WHERE kind = 'ANNOUNCE' AND started IS NULL AND request_id IN (
		SELECT id FROM requests WHERE user_id = ? AND asset_id = ? AND progress_id = ?)`, user, next.ID, progress)
	return err
}

// Orphans lists the jobs that were under way when the last process died.
func (tx *Tx) Orphans() ([]Job, error) {
	rows, err := tx.sql.Query(`SELECT ` + jobColumns + ` FROM jobs WHERE started IS NOT NULL ORDER BY id`)
	return collect(rows, err, func(j *Job) error {
		var started int64
		if err := rows.Scan(j.into(&started)...); err != nil {
			return err
		}
		j.Started = Moment(started)
		return nil
	})
}

// Rescue gives an orphan's attempt back. blamed: it ran alone; quarantined: it will, before all others.
func (tx *Tx) Rescue(j Job, blamed, quarantined bool) error {
	if err := tx.record(j, "crashed", "the program ended while this ran"); err != nil {
		return err
	}
	crashes := j.Crashes
	if blamed {
		crashes++
	}
	return tx.release(j, 0, j.Attempt-1, crashes, quarantined, "")
}

// longestWait is how long a render or a message may have to wait, longestHold how long an upload: a day in autumn, with
// its hour more. Only a clock that was set back asks for more.
const (
	longestWait = time.Hour
	longestHold = 25 * time.Hour
)

// CapWaits lets no job wait longer from now on than it asked for when it began to wait. Where nobody knows that, no
// render and no message waits longer than longestWait, and no upload longer than longestHold unless it is scheduled.
func (tx *Tx) CapWaits() error {
	if _, err := tx.sql.Exec(`UPDATE jobs SET due = ?1 + asked WHERE started IS NULL AND due > 0 AND due > ?1 AND asked > 0
		AND due > ?1 + asked`,
		tx.now); err != nil {
		return err
	}
	if _, err := tx.sql.Exec(`UPDATE jobs SET due = ?1 WHERE started IS NULL AND due > 0 AND due > ?1 AND asked = 0 AND kind <> 'PUBLISH'`, tx.now+longestWait.Milliseconds()); err != nil {
		return err
	}
	hold := tx.now + longestHold.Milliseconds()
	if _, err := tx.sql.Exec(`UPDATE jobs SET due = ?1 WHERE started IS NULL AND due > 0 AND due > ?1 AND kind = 'PUBLISH' AND NOT EXISTS (
		SELECT 1 FROM publications p WHERE p.id = publication_id AND p.step = 'scheduled')`, hold); err != nil {
		return err
	}
	_, err := tx.sql.Exec(`UPDATE channels SET paused_until = ?1 WHERE paused_until > ?1`, hold)
	return err
}

// ShiftWaits moves the beginnings of all waits by as much as the clock was set: what counts is how long a job has
// waited, or a clock that is far ahead for a minute would end all waits.
func (tx *Tx) ShiftWaits(by time.Duration) error {
	_, err := tx.sql.Exec(`UPDATE jobs SET waiting_since = max(waiting_since + ?, 1) WHERE waiting_since IS NOT NULL`,
		by.Milliseconds())
	return err
}

// NextDue returns when the next waiting job becomes due, or a zero time if none waits.
func (s *Store) NextDue(ctx context.Context, after time.Time) (time.Time, error) {
	var due sql.NullInt64
	err := s.db.Read().
		QueryRowContext(ctx, `SELECT min(due) FROM jobs WHERE started IS NULL AND due > 0 AND due > ?`, after.UnixMilli()).
		Scan(&due)
	return Moment(due.Int64), err
}

// Line lists the assets that wait to be rendered, in the order of their positions.
func (s *Store) Line(ctx context.Context) ([]string, error) {
	return s.texts(ctx, `SELECT asset_id FROM jobs WHERE kind = 'RENDER' AND started IS NULL ORDER BY position, id`)
}

// OldestWaiting returns since when the asset waits that has waited longest; zero: none does. Nobody waits for what is
// made in advance.
func (s *Store) OldestWaiting(ctx context.Context) (time.Time, error) {
	var created sql.NullInt64
	err := s.db.Read().QueryRowContext(ctx, `SELECT created FROM assets
		WHERE status = 'PENDING' AND (advance IS NULL OR EXISTS (SELECT 1 FROM requests r WHERE r.asset_id = assets.id))
		ORDER BY created LIMIT 1`).Scan(&created) // not min, which reads all that wait
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return Moment(created.Int64), err
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
