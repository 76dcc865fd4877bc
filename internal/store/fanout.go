package store

import (
	"slices"
	"strings"
)

// messageWorkers is how many messages of one kind are under way at a time. Telegram's limiter sets the pace; so many
// keep it also where each takes half a second.
const MessageWorkers = 16

// beginSome begins the messages of a fan-out to those of its requests that come before until, at most n. The fan-out is
// over with the last of them. Its position is that of its next request: each of its people goes before everyone who
// asked later, and after everyone who asked earlier.
func (tx *Tx) beginSome(fanOut Task, n int, until int64) ([]Task, error) {
	var created int64
	rows, err := tx.sql.Query(
		`SELECT c.request_id, c.user_id, c.chat_id, u.lang, c.status, u.unreachable IS NOT NULL, ifnull(c.progress_id, 0),
			c.created
		FROM fan_outs c JOIN users u ON u.id = c.user_id WHERE c.job = ? ORDER BY c.request_id LIMIT 0 + ?`,
		fanOut.ID,
		n+1,
	)
	tasks, err := collect(rows, err, func(t *Task) error {
		*t = fanOut
		return rows.Scan(
			&t.RequestID,
			&t.To.User,
			&t.To.Chat,
			&t.To.Lang,
			&t.To.Status,
			&t.To.Unreachable,
			&t.To.Progress,
			&created,
		)
	})
	if err != nil {
		return nil, err
	}
	rest := slices.IndexFunc(tasks, func(t Task) bool { return t.RequestID > until })
	if rest < 0 && len(tasks) > n {
		rest = n
	}
	var next int64
	if rest >= 0 {
		next = tasks[rest].RequestID
		tasks = tasks[:rest]
	} else if fanOut.Kind == Apologise {
		if next, err = tx.FailSome(fanOut.AssetID); err != nil {
			return nil, err
		}
	}
	if len(tasks) > 0 {
		args := append(make([]any, 0, 5+3*len(tasks)), fanOut.Kind, fanOut.AssetID, fanOut.Attempt, tx.now, created)
		for i := range tasks {
			args = append(args, tasks[i].RequestID, tasks[i].RequestID, tasks[i].To.User)
		}
		const row = `(?1, ?2, 0, ?3, ?4, ?5, ?, ?, ?)`
		id, err := tx.sql.Insert(
			`INSERT INTO jobs (kind, asset_id, due, attempt, started, created, position, request_id, fairness_key) VALUES `+
				row+strings.Repeat(", "+row, len(tasks)-1),
			args...)
		if err != nil {
			return nil, err
		}
		for i := range tasks { // the ids of one statement follow each other
			tasks[i].ID = id - int64(len(tasks)-1-i)
		}
	}
	if next == 0 {
		_, err = tx.sql.Exec(`DELETE FROM jobs WHERE id = ?`, fanOut.ID)
	} else {
		_, err = tx.sql.Exec(`UPDATE jobs SET fan_out = ?1 - 1, position = ?1 WHERE id = ?2`, next, fanOut.ID)
	}
	return tasks, err
}

// FanoutMin is how many a fan-out has at least. Fewer are begun at once anyway: they have a row each, and the positions
// of their fairness keys.
const FanoutMin = MessageWorkers + 1

// dropAtOnce is how many announcements that nobody needs any more go in one transaction: those of ten thousand people
// take the writer 40 ms.
const dropAtOnce = 1000

// dropAnnouncements deletes announcements of a finished asset. Those that are too many for one transaction are left for
// the claims that meet them.
func (tx *Tx) dropAnnouncements(assetID string) error {
	n, err := tx.sql.Exec(`DELETE FROM jobs WHERE id IN (
		SELECT id FROM jobs WHERE kind = 'ANNOUNCE' AND asset_id = ? AND started IS NULL LIMIT 0 + ?)`, assetID, dropAtOnce)
	tx.later = tx.later || n == dropAtOnce
	return err
}

// withoutOvertaken takes those away that announce a finished asset. Their jobs go, too.
func (tx *Tx) withoutOvertaken(tasks []Task) ([]Task, error) {
	last := ""
	for _, t := range tasks {
		if t.Asset.Finished.IsZero() || t.AssetID == last {
			continue
		}
		if last != "" { // one asset in a transaction
			tx.later = true
			break
		}
		last = t.AssetID
		if err := tx.dropAnnouncements(last); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(tasks, func(t Task) bool { return !t.Asset.Finished.IsZero() }), nil
}

// EnqueueAll enqueues a message to everyone waiting for a finished asset, instead of the announcement they may not have
// had yet.
func (tx *Tx) EnqueueAll(kind Kind, assetID string) error {
	if err := tx.dropAnnouncements(assetID); err != nil {
		return err
	}
	tx.MarkDue(kind, 0)
	const waiting = `FROM requests WHERE asset_id = ?2 AND restore_hold = 0
		AND status = iif(?1 = 'DELIVER', 'PROCESSING', 'FAILED')`
	var many bool
	if err := tx.sql.Get(`SELECT ?1 = 'APOLOGISE' AND EXISTS (`+lastToFail+`)
			OR (SELECT count(*) FROM (SELECT 1 `+waiting+` LIMIT 0 + ?3)) = ?3`, []any{kind, assetID, FanoutMin},
		&many); err != nil {
		return err
	}
	if many {
		_, err := tx.sql.Exec(
			`INSERT INTO jobs (kind, asset_id, fan_out, fairness_key, position, due, created)
				SELECT ?1, ?2, 0, 0, ifnull(min(id), 0), 0, ?3 `+waiting,
			kind,
			assetID,
			tx.now,
		)
		return err
	}
	_, err := tx.sql.Exec(`INSERT INTO jobs (kind, asset_id, request_id, fairness_key, position, due, created)
		SELECT ?1, asset_id, id, user_id, `+strings.NewReplacer("?5", "user_id", "?3", "id").Replace(positionOf)+`, 0, ?3 `+waiting+`
		ORDER BY id ON CONFLICT DO NOTHING`, kind, assetID, tx.now)
	return err
}

// failAtOnce is how many requests of a failed asset become FAILED in one transaction: those of ten thousand people take
// the writer 80 ms.
const failAtOnce = 1000

// lastToFail finds the last request of the asset ?2 if it is not finished. They are failed in their order, so there is
// none to fail if that one has been.
const lastToFail = `SELECT 1 FROM (SELECT finished FROM requests WHERE asset_id = ?2 ORDER BY id DESC LIMIT 1)
	WHERE finished IS NULL`

// FailSome makes requests of a failed asset FAILED, the first of those that are not, at most failAtOnce. It returns the
// first one, or 0 if all were.
func (tx *Tx) FailSome(assetID string) (first int64, err error) {
	var last int64
	err = tx.sql.Get(`SELECT ifnull(min(id), 0), ifnull(max(id), 0) FROM (
		SELECT id FROM requests WHERE asset_id = ?1 AND finished IS NULL
			AND EXISTS (SELECT 1 FROM assets WHERE id = ?1 AND status = 'FAILED') ORDER BY id LIMIT 0 + ?2)`,
		[]any{assetID, failAtOnce}, &first, &last)
	if err != nil || first == 0 {
		return 0, err
	}
	tx.touch(assetID)
	_, err = tx.sql.Exec(`UPDATE requests SET status = 'FAILED', finished = (SELECT finished FROM assets WHERE id = ?1)
		WHERE asset_id = ?1 AND id BETWEEN ?2 AND ?3 AND finished IS NULL`, assetID, first, last)
	return first, err
}

// FailCrowds goes on where GiveUp stopped at a crowd: it makes some more of its requests FAILED. Their apologies are
// owed by the fan-out that GiveUp has left. more reports whether it is to be called again.
func (tx *Tx) FailCrowds() (more bool, err error) {
	var assetID string
	err = found(tx.sql.Get(`SELECT asset_id FROM jobs WHERE kind = ? AND fairness_key = 0 AND fan_out IS NOT NULL
		AND EXISTS (`+strings.ReplaceAll(lastToFail, "?2", "jobs.asset_id")+`) LIMIT 1`, []any{Apologise}, &assetID))
	if err == ErrNotFound {
		return false, nil
	} else if err != nil {
		return false, err
	}
	_, err = tx.FailSome(assetID)
	return true, err
}
