package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Listed is an asset with what the page shows beside it.
type Listed struct {
	Asset
	Waiting, Served, Unserved int // requests: live, COMPLETED, FAILED
	Untold                    int // requests whose message was given up
	Successor                 string
	Resolved                  bool      // it has failed, and needs nobody any more
	Attempt                   int       // of its RENDER job; 0: none is owed
	Due                       time.Time // of its RENDER job while that waits
	LastError                 string    // of its RENDER job's last attempt
}

// Attempt is one run of a job, from the history.
type Attempt struct {
	Kind     Kind      `json:"-"`
	Platform string    `json:"-"` // of a PUBLISH
	Number   int       `json:"number"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Outcome  string    `json:"outcome"`
	Error    string    `json:"error,omitzero"` // as it came

	ErrorCode string `json:"-"` // stable code of Error
}

// Filter picks assets for the page.
type Filter struct {
	Status   Status // "": all but the earlier tries at a video; Failed: those that need somebody
	Platform string // those that have a publication there; "": all
	Search   string // as lang.SearchKey folds it: how a word of the name begins, and what follows; "": all
	Exact    string // or the id of one asset, as it was typed
	After    string // Place of the last asset of the page before
	Limit    int
}

// A search finds assets a by their names, and one by its id: ?1 to ?2 is the range of the tails that begin with it, ?3
// the id.
const (
	foundKeys   = `(SELECT name_key FROM name_suffixes WHERE suffix >= ?1 AND suffix < ?2)`
	foundByID   = `a.id = ?3 AND NOT ` + foundByName
	foundByName = `EXISTS (SELECT 1 FROM name_suffixes t WHERE t.name_key = a.name_key AND t.suffix >= ?1 AND t.suffix < ?2)`
	onPlatform  = ` AND EXISTS (SELECT 1 FROM publications p WHERE p.asset_id = a.id AND p.platform = ?7)`
)

// manyNames is how many names a search may find that are counted: more would take too long for a page.
const manyNames = 4000

// Many is what Counts returns for every status when a search finds too many names to count.
const Many = -1

// Retried is no status of an asset: Counts gives under it how many have failed and need nobody any more, without those
// that were tried again.
const Retried Status = "RETRIED"

// args are what finding needs. No letter sorts after U+10FFFF.
func (f Filter) args() []any { return []any{f.Search, f.Search + "\U0010FFFF", f.Exact} }

// Place names an asset's place in the library, also once the asset is gone.
func (a Asset) Place() string { return fmt.Sprintf("%d-%s", a.Created.UnixMilli(), a.ID) }

// Library lists assets, newest first. ErrNotFound: f.After is no place. found is how many Counts gave for the filter:
// it tells the shorter way to them; Many: so many that walking back in time is.
func (s *Store) Library(ctx context.Context, f Filter, found int) ([]Listed, error) {
	args := append(f.args(), f.Status, f.After, f.Limit)
	where, order := ``, ` ORDER BY a.created DESC, a.id DESC`
	page := order + ` LIMIT ?6`
	switch {
	case f.Status == Failed:
		where += ` AND a.needs_attention = 1 AND ?4 <> ''`
	case f.Status != "":
		where += ` AND a.status = ?4`
	}
	byID := where
	if f.Status == "" && f.Platform == "" {
		where += ` AND a.replaced = 0`
	}
	// walk goes back in time from the newest.
	walk := func(where string) string { return `WHERE true` + where + page }
	if f.Platform != "" {
		args = append(args, f.Platform)
		walk = func(where string) string {
			return `WHERE a.id IN (SELECT a.id FROM publications p CROSS JOIN assets a ON a.id = p.asset_id
				WHERE p.platform = ?7` + strings.ReplaceAll(where, `(a.created, a.id)`, `(p.asset_created, p.asset_id)`) + `
				ORDER BY p.asset_created DESC, p.asset_id DESC LIMIT ?6)` + order
		}
	}
	if f.After != "" {
		created, id, ok := strings.Cut(f.After, "-")
		ms, err := strconv.ParseInt(created, 10, 64)
		if !ok || err != nil {
			return nil, ErrNotFound
		}
		args[4] = id
		args = append(args, ms)
		place := fmt.Sprintf(` AND (a.created, a.id) < (?%d, ?5)`, len(args))
		where, byID = where+place, byID+place
	}
	if f.Search == "" {
		return s.listed(ctx, walk(where), args...)
	}
	var all int
	if err := s.db.Read().QueryRowContext(ctx, `SELECT ifnull(sum(n), 0) FROM name_counts WHERE name_key = '' AND part = ?1
		AND ?2 IN ('', status)`,
		f.Platform, f.Status).Scan(&all); err != nil {
		return nil, err
	}
	switch {
	// Few are gathered and sorted. Of many, the newest are found sooner by walking back in time and asking of each whether
	// its name is one of those: a page is full after limit × all / found. So many have no id in common.
	case found == Many, found*found > 4*f.Limit*all:
		return s.listed(ctx, walk(` AND `+foundByName+where), args...)
	case f.Platform != "" && all <= manyNames: // of many videos with such a name few may be there
		return s.listed(ctx, walk(` AND (a.id = ?3 OR `+foundByName+`)`+where), args...)
	case f.Platform != "":
		where, byID = where+onPlatform, byID+onPlatform
	}
	where = `SELECT id FROM (
		SELECT a.id, a.created FROM assets a INDEXED BY assets_by_name WHERE a.name_key IN ` + foundKeys + where + `
		UNION ALL SELECT a.id, a.created FROM assets a WHERE ` + foundByID + byID + `) a` + page
	return s.listed(ctx, `WHERE a.id IN (`+where+`)`+order, args...)
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

// Cards returns those of some assets that are still there, as Library lists them.
func (s *Store) Cards(ctx context.Context, ids ...string) ([]Listed, error) {
	return s.listed(ctx, `WHERE a.id IN (SELECT value FROM json_each(?1)) ORDER BY a.created DESC, a.id DESC`, list(ids))
}

// Detail is an asset with all that its own page shows.
type Detail struct {
	Listed
	Tries  []Try        // at the same video, oldest first: this one and up to five before and after it
	Shares []Share      // languages of those who have asked for it, most first
	Deeds  []AuditEntry // the last ten, newest first
	Owed   Kind         // what keeps it from being deleted; "": nothing
}

// Try is one of several assets that were to become the same video.
type Try struct {
	ID       string    `json:"id"`
	Status   Status    `json:"status"`
	Created  time.Time `json:"created"`
	Resolved bool      `json:"resolved"` // it has failed, and was tried again
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
		after (id, n) AS (SELECT ?1, 0 UNION ALL SELECT a.id, n + 1 FROM after JOIN assets a ON a.retry_of = after.id
		WHERE n < 5)
		SELECT a.id, a.status, a.created FROM (SELECT id, n FROM before UNION SELECT id, n FROM after) t
		JOIN assets a ON a.id = t.id
		ORDER BY t.n`, id)
	d.Tries, err = collect(rows, err, func(t *Try) error {
		var created int64
		err := rows.Scan(&t.ID, &t.Status, &created)
		t.Created = Moment(created)
		return err
	})
	if err != nil {
		return d, err
	}
	for i := range d.Tries {
		d.Tries[i].Resolved = d.Tries[i].Status == Failed && (i+1 < len(d.Tries) || d.Resolved)
	}
	rows, err = s.db.Read().
		QueryContext(ctx, `SELECT u.lang, count(*) FROM requests r CROSS JOIN users u ON u.id = r.user_id
		WHERE r.asset_id = ? GROUP BY u.lang ORDER BY 2 DESC, 1`, id)
	if d.Shares, err = collect(rows, err, func(s *Share) error { return rows.Scan(&s.Lang, &s.People) }); err != nil {
		return d, err
	}
	d.Deeds, err = s.deeds(
		ctx,
		`SELECT at, 'a' source, id, admin, action, asset_id, platform, outcome, 0 attempt FROM audit
		WHERE asset_id = ? ORDER BY at DESC, id DESC LIMIT 10`,
		id,
	)
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
			(SELECT count(*) FROM requests r WHERE r.asset_id = a.id AND r.answer_id IS NULL AND r.restore_hold = 0
				AND a.finished IS NOT NULL AND r.status <> 'COMPLETED'
				AND NOT EXISTS (SELECT 1 FROM jobs m WHERE m.request_id = r.id AND m.kind IN ('DELIVER', 'APOLOGISE'))
				AND NOT EXISTS (SELECT 1 FROM fan_outs c WHERE c.request_id = r.id)),
			ifnull((SELECT n.id FROM assets n WHERE n.retry_of = a.id), ''), a.status = 'FAILED' AND a.needs_attention = 0,
			ifnull(j.attempt, 0), CASE WHEN j.started IS NULL THEN ifnull(j.due, 0) ELSE 0 END, ifnull(j.last_error, '')
		FROM assets a LEFT JOIN jobs j ON j.asset_id = a.id AND j.kind = 'RENDER' `+where, args...)
	return collect(rows, err, func(l *Listed) error {
		var due int64
		dest, done := l.Asset.into()
		if err := rows.Scan(append(forPages(dest), &l.Waiting, &l.Served, &l.Unserved, &l.Untold, &l.Successor,
			&l.Resolved, &l.Attempt, &due, &l.LastError)...); err != nil {
			return err
		}
		done()
		l.Due = Moment(due)
		return nil
	})
}

// Attempts lists the runs of the RENDER and PUBLISH jobs of assets, oldest first, by asset.
func (s *Store) Attempts(ctx context.Context, assets ...string) (map[string][]Attempt, error) {
	all := map[string][]Attempt{}
	rows, err := s.db.Read().
		QueryContext(ctx, `SELECT asset_id, kind, ifnull(platform, ''), attempt, started, finished, outcome,
			ifnull(error, ''), ifnull(error_code, '') FROM attempts
		WHERE asset_id IN (SELECT value FROM json_each(?)) AND kind IN ('RENDER', 'PUBLISH') ORDER BY id`, list(assets))
	_, err = collect(rows, err, func(a *Attempt) error {
		var asset string
		var started, finished int64
		err := rows.Scan(&asset, &a.Kind, &a.Platform, &a.Number, &started, &finished, &a.Outcome, &a.Error, &a.ErrorCode)
		if err != nil {
			return err
		}
		a.Started, a.Finished = Moment(started), Moment(finished)
		all[asset] = append(all[asset], *a)
		return nil
	})
	return all, err
}

// Earlier lists the failed tries before each of the given assets, oldest first, up to ten of each.
func (s *Store) Earlier(ctx context.Context, assets ...string) (map[string][]Try, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		WITH RECURSIVE before (last, id, n) AS (
			SELECT a.id, a.retry_of, 1 FROM assets a JOIN json_each(?) k ON a.id = k.value WHERE a.retry_of IS NOT NULL
			UNION ALL SELECT last, a.retry_of, n + 1 FROM before JOIN assets a ON a.id = before.id
			WHERE a.retry_of IS NOT NULL AND n < 10)
		SELECT last, a.id, a.status, a.created FROM before JOIN assets a ON a.id = before.id ORDER BY n DESC`, list(assets))
	all := map[string][]Try{}
	_, err = collect(rows, err, func(t *Try) error {
		var last string
		var created int64
		err := rows.Scan(&last, &t.ID, &t.Status, &created)
		t.Created, t.Resolved = Moment(created), t.Status == Failed
		all[last] = append(all[last], *t)
		return err
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

// Counts returns how many assets of each status there are, or are found by a search: Failed counts those that need
// somebody, Retried the other failures that have no later try, and the earlier tries at a video are not counted.
func (s *Store) Counts(ctx context.Context, f Filter) (map[Status]int, error) {
	query := `SELECT part, status, n FROM name_counts WHERE name_key = '' AND (part = ?4 OR part IN ('NEEDS', 'REPLACED')) AND n > 0`
	if f.Search != "" {
		var names int
		err := s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM name_suffixes WHERE suffix >= ? AND suffix < ? LIMIT ?)`,
			f.Search, f.args()[1], manyNames+1).Scan(&names)
		if err != nil {
			return nil, err
		}
		if names > manyNames {
			return map[Status]int{Pending: Many, Processing: Many, Completed: Many, Failed: Many, Retried: Many}, nil
		}
		query = `SELECT part, status, sum(n) FROM (
			SELECT part, status, n FROM name_counts WHERE n > 0 AND (part = ?4 OR part IN ('NEEDS', 'REPLACED')) AND name_key IN ` + foundKeys + `
			UNION ALL SELECT ?4, a.status, 1 FROM assets a WHERE ` + foundByID + `
				AND (?4 = '' OR EXISTS (SELECT 1 FROM publications p WHERE p.asset_id = a.id AND p.platform = ?4))
			UNION ALL SELECT 'NEEDS', a.status, 1 FROM assets a WHERE ` + foundByID + ` AND a.needs_attention = 1) GROUP BY 1, 2`
	}
	rows, err := s.db.Read().QueryContext(ctx, query, append(f.args(), f.Platform)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out, needs := map[Status]int{}, 0
	for rows.Next() {
		var part string
		var status Status
		var n int
		if err := rows.Scan(&part, &status, &n); err != nil {
			return nil, err
		}
		switch part {
		case "NEEDS":
			needs += n
		case "REPLACED":
			out[Failed] -= n
		default:
			out[status] += n
		}
	}
	if failed := out[Failed]; f.Platform == "" && failed+needs > 0 {
		out[Failed], out[Retried] = needs, failed-needs
	}
	for status, n := range out {
		if n <= 0 {
			delete(out, status)
		}
	}
	return out, rows.Err()
}

// Platforms lists the platforms that any asset is on, or on its way to.
func (s *Store) Platforms(ctx context.Context) ([]string, error) {
	return s.texts(
		ctx,
		`SELECT DISTINCT part FROM name_counts WHERE name_key = '' AND part NOT IN ('', 'NEEDS', 'REPLACED') AND n > 0
		ORDER BY part DESC`,
	)
}
