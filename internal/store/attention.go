// What needs an admin: the counts and the list that the page, the API, the metrics and the messages to admins share,
// and what Retry all is about.

package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// The kinds of what needs an admin, the most urgent first.
const (
	NeedsChannel     = "channel"      // a channel to which access has ended
	NeedsRetry       = "failed"       // a video
	NeedsSending     = "undelivered"  // a video with messages that were given up
	NeedsAnswer      = "unanswered"   // what people sent to the bot and could not be handled or answered, all in one
	NeedsPublication = "publication"  // failed, unclear, or not as it should be on the platform
	NeedsHand        = "hand-off"     // a publication that somebody has to upload
	NeedsTakeDown    = "take-down"    // a video that should go, and may be on a platform
	NeedsContinuing  = "announcement" // one that the program has paused
)

// AttentionKinds are all of them.
var AttentionKinds = []string{NeedsChannel, NeedsRetry, NeedsSending, NeedsAnswer, NeedsPublication,
	NeedsHand, NeedsTakeDown, NeedsContinuing}

// Attention counts, by kind, what needs an admin.
type Attention map[string]Given

// Total is how much that is.
func (a Attention) Total() (n int) {
	for _, g := range a {
		n += g.N
	}
	return n
}

// needs is where a kind of what needs an admin is read, by an index of its own: every page of the library asks for all
// of them. Its columns stand for those of Needing; creator is whose it is; "" means the owners'.
type needs struct{ kind, asset, platform, channel, creator, since, from string }

// anybody is the creator, in needs, of what concerns every admin: the one who asks.
const anybody = "?2"

// What failed only because access to its channel has ended needs nobody: the channel does. Of a video that may not be
// published nothing but taking it down is asked.
var needed = []needs{
	{NeedsChannel, `NULL`, `platform`, `id`, anybody, `checked`, `channels WHERE state = 'ENDED'`},
	{NeedsRetry, `id`, `''`, `NULL`, `creator`, `finished`, `assets WHERE needs_attention = 1`},
	{NeedsSending, `id`, `''`, `NULL`, `creator`, `undelivered`,
		`assets WHERE undelivered IS NOT NULL AND needs_attention = 0`},
	{NeedsAnswer, `NULL`, `''`, `NULL`, ``, `first`, `(SELECT min(set_aside) first FROM inbox WHERE set_aside IS NOT NULL)
		WHERE first IS NOT NULL`},
	{NeedsPublication, `asset_id`, `platform`, `channel_id`, `creator`, `completed`, `publications p
		WHERE status = 'FAILED' AND asset_id NOT IN ` + toGo + `
			AND (step <> 'reconnect' OR EXISTS (SELECT 1 FROM channels c WHERE c.id = p.channel_id AND c.state = 'DISCONNECTED'))`},
	{NeedsPublication, `asset_id`, `platform`, `channel_id`, `creator`, `standing_at`,
		`publications WHERE standing IS NOT NULL`},
	{NeedsHand, `asset_id`, `platform`, `NULL`, `creator`, `created`, `publications WHERE status = 'PENDING' AND step = 'manual'
			AND asset_id NOT IN ` + toGo},
	{NeedsTakeDown, `id`, `''`, `NULL`, anybody, `delete_requested_at`, `assets WHERE delete_requested_at IS NOT NULL`},
	{NeedsContinuing, `NULL`, `''`, `id`, ``, `started`, `announcements WHERE trouble IS NOT NULL`},
}

// eachNeed joins a query of each of them.
func eachNeed(query string) string {
	var parts []string
	for _, n := range needed {
		concerns := `(?1 OR ` + cmp.Or(n.creator, `NULL`) + ` = ?2)`
		parts = append(parts, strings.NewReplacer("$kind", n.kind, "$asset", n.asset, "$platform", n.platform,
			"$channel", n.channel, "$since", n.since, "$from", n.from, "$concerns", concerns).Replace(query))
	}
	return strings.Join(parts, " UNION ALL ")
}

var (
	countsOfNeeds = eachNeed(`SELECT '$kind' kind, count(*) n, min($since) first, max($since) last FROM $from
		AND $since > ?3 AND $concerns`)
	newestOfNeeds = eachNeed(`SELECT * FROM (SELECT '$kind' kind, $asset asset_id, $platform platform, $channel channel_id,
		$since since FROM $from AND $since > 0 AND $concerns ORDER BY $since DESC LIMIT ?3)`)
)

// Attention counts what needs an admin and began after a time; the zero time: all of it.
func (s *Store) Attention(ctx context.Context, admin Admin, after time.Time) (Attention, error) {
	all, since := Attention{}, int64(0)
	if !after.IsZero() {
		since = after.UnixMilli()
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT kind, sum(n), min(first), max(last) FROM (`+countsOfNeeds+`)
		WHERE n > 0 GROUP BY kind`, admin.Owner, admin.ID, since)
	_, err = collect(rows, err, func(kind *string) error {
		var n int
		var first, last int64
		err := rows.Scan(kind, &n, &first, &last)
		all[*kind] = Given{n, Moment(first), Moment(last)}
		return err
	})
	return all, err
}

// Needing is one thing that needs an admin.
type Needing struct {
	Kind     string
	AssetID  string // "": none
	Name     string // of the asset, or of the channel
	Platform string // of a publication or a channel
	Channel  int64  // or the announcement
	Since    time.Time
	Step     string // of a publication: see the schema
	Standing string // of a publication
	Error    string // as it came; "": there is none
	Code     string
	Messages int // that are undelivered, or not answered
}

// Needing counts what needs an admin, and lists up to so many things of each kind, by the order of AttentionKinds and
// the newest first.
func (s *Store) Needing(ctx context.Context, admin Admin, each int) (Attention, []Needing, error) {
	counts, err := s.Attention(ctx, admin, time.Time{})
	if err != nil || len(counts) == 0 {
		return counts, nil, err
	}
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT v.kind, ifnull(v.asset_id, ''), coalesce(a.name, c.title, ''), v.platform, ifnull(v.channel_id, 0), v.since,
			ifnull(p.step, ''), ifnull(p.standing, ''), coalesce(p.error, iif(v.kind = 'failed', a.error, c.error), ''),
			coalesce(p.error_code, iif(v.kind = 'failed', a.error_code, NULL),
				(SELECT max(r.undelivered_code) FROM requests r WHERE r.asset_id = v.asset_id AND r.undelivered IS NOT NULL),
				(SELECT error FROM inbox WHERE v.kind = 'unanswered' AND set_aside IS NOT NULL ORDER BY set_aside DESC LIMIT 1),
				(SELECT trouble FROM announcements WHERE v.kind = 'announcement' AND id = v.channel_id), ''),
			iif(v.kind = 'unanswered', (SELECT count(*) FROM inbox WHERE set_aside IS NOT NULL),
				(SELECT count(*) FROM requests r WHERE r.asset_id = v.asset_id AND r.undelivered IS NOT NULL))
		FROM (`+newestOfNeeds+`) v
		LEFT JOIN assets a ON a.id = v.asset_id
		LEFT JOIN publications p ON p.asset_id = v.asset_id AND p.platform = v.platform
		LEFT JOIN channels c ON c.id = v.channel_id AND v.kind = 'channel'`, admin.Owner, admin.ID, each)
	list, err := collect(rows, err, func(n *Needing) error {
		var since int64
		err := rows.Scan(&n.Kind, &n.AssetID, &n.Name, &n.Platform, &n.Channel, &since, &n.Step, &n.Standing, &n.Error,
			&n.Code, &n.Messages)
		n.Since = Moment(since)
		return err
	})
	slices.SortFunc(list, func(a, b Needing) int {
		return cmp.Or(slices.Index(AttentionKinds, a.Kind)-slices.Index(AttentionKinds, b.Kind), b.Since.Compare(a.Since),
			strings.Compare(b.AssetID, a.AssetID), strings.Compare(a.Platform, b.Platform), cmp.Compare(a.Channel, b.Channel))
	})
	seen := map[string]int{}
	list = slices.DeleteFunc(list, func(n Needing) bool { seen[n.Kind]++; return seen[n.Kind] > each }) // of two sources
	return counts, list, err
}

// NeedsAttention is a video that needs an admin: its last try has failed, and another would make it or bring it to
// somebody.
type NeedsAttention struct {
	ID     string // of the first try: one who asks for another of it reaches everybody whom any of them failed
	Last   string // id of the last try
	Name   string
	Failed time.Time // the last try
}

// RetryNeeds sums up the videos that need an admin.
type RetryNeeds struct {
	Count  int      `json:"count"`
	People int      `json:"people"`          // who would be told of another try; each once, and nobody whom no message reaches
	Crowd  bool     `json:"crowd,omitzero"`  // there may be more of them
	Newest string   `json:"newest,omitzero"` // id of the try that failed last
	Names  []string `json:"names,omitempty"` // the ten that failed last

	Publications int       `json:"publications"`   // of videos that are there, which another try may help
	Undelivered  int       `json:"undelivered"`    // videos with messages that were given up
	Until        time.Time `json:"until,omitzero"` // when the last of both failed
}

// manyUnserved is how many videos, and of these how many wishes, are looked at to count the people: all of them would
// take too long for a page.
const manyUnserved = 100

// Others is how many are not named.
func (n RetryNeeds) Others() int { return n.Count - len(n.Names) }

// named picks those of few assets a that a search finds by their names: it compares the names, and looks up none.
const named = `instr(' ' || replace(a.name_key, '-', ' '), ' ' || ?1) > 0`

// needy picks the assets a that need an admin, that a filter shows, and that Admin.MayChange allows; needyArgs are what
// it needs. No filter at all still means the failed ones.
func needy(admin Admin, f Filter) string {
	where := `a.needs_attention = 1 AND ?4 IN ('', 'FAILED')`
	if !admin.Owner {
		where += ` AND a.creator = ?5`
	}
	if f.Search != "" {
		where += ` AND ` + named
	}
	return where
}

func needyArgs(admin Admin, f Filter, more ...any) []any {
	return append(append(f.args(), f.Status, admin.ID), more...)
}

// Needs counts the videos that need an admin, of those that a filter shows on all its pages.
// A search compares the name of each: few need an admin, while it may find a million names.
func (s *Store) Needs(ctx context.Context, admin Admin, f Filter) (n int, err error) {
	query := `SELECT count(*) FROM assets a WHERE ` + needy(admin, f)
	if admin.Owner && f.Search == "" {
		query = `SELECT ifnull(sum(n), 0) FROM name_counts WHERE part = 'NEEDS' AND ?4 IN ('', 'FAILED') AND name_key = ''`
	}
	err = s.db.Read().QueryRowContext(ctx, query, needyArgs(admin, f)...).Scan(&n)
	return n, err
}

// NeedYou sums up the videos that need an admin, of those that a filter shows on all its pages.
func (s *Store) NeedYou(ctx context.Context, admin Admin, f Filter) (n RetryNeeds, err error) {
	if n.Count, err = s.Needs(ctx, admin, f); err != nil || n.Count == 0 {
		return n, err
	}
	where := needy(admin, f)
	rows, err := s.db.Read().QueryContext(ctx, `SELECT a.id, a.name FROM assets a WHERE `+where+`
		ORDER BY a.finished DESC, a.id DESC LIMIT 10`, needyArgs(admin, f)...)
	n.Names, err = collect(rows, err, func(name *string) error {
		var id string
		err := rows.Scan(&id, name)
		n.Newest = cmp.Or(n.Newest, id)
		return err
	})
	if err != nil {
		return n, err
	}
	for _, videos := range []int{manyUnserved, -1} { // if nobody wants the newest, somebody may want one of the others
		err = s.db.Read().QueryRowContext(ctx, `
			WITH RECURSIVE chain (id, retry_of) AS (
				SELECT * FROM (SELECT a.id, a.retry_of FROM assets a WHERE `+where+`
					ORDER BY a.finished DESC, a.id DESC LIMIT ?7)
				UNION SELECT e.id, e.retry_of FROM chain JOIN assets e ON e.id = chain.retry_of)
			SELECT count(DISTINCT user_id), count(*) >= ?6 OR ?7 BETWEEN 0 AND ?8 - 1 FROM (
				SELECT u.user_id FROM chain CROSS JOIN unserved u ON u.id = chain.id
				JOIN users p ON p.id = u.user_id WHERE p.unreachable IS NULL LIMIT ?6)`,
			needyArgs(admin, f, manyUnserved, videos, n.Count)...).Scan(&n.People, &n.Crowd)
		if err != nil || n.People > 0 || !n.Crowd {
			break
		}
	}
	return n, err
}

// NeedsAttention lists up to f.Limit videos that need an admin and failed after one and until another, oldest failure
// first. f.After does not matter: what was listed before may be gone.
func (s *Store) NeedsAttention(
	ctx context.Context, admin Admin, f Filter, after, until NeedsAttention,
) ([]NeedsAttention, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT (WITH RECURSIVE line (id, earlier) AS (
				SELECT a.id, a.retry_of UNION ALL SELECT e.id, e.retry_of FROM line JOIN assets e ON e.id = line.earlier)
			SELECT id FROM line WHERE earlier IS NULL), a.id, a.name, a.finished
		FROM assets a WHERE `+needy(admin, f)+` AND (a.finished, a.id) > (?6, ?7) AND (a.finished, a.id) <= (?8, ?9)
		ORDER BY a.finished, a.id LIMIT ?10`, needyArgs(admin, f,
		after.Failed.UnixMilli(), after.Last, until.Failed.UnixMilli(), until.Last, f.Limit)...)
	return collect(rows, err, func(n *NeedsAttention) error {
		var failed int64
		err := rows.Scan(&n.ID, &n.Last, &n.Name, &failed)
		n.Failed = Moment(failed)
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
		SELECT id, '', '' FROM assets WHERE needs_attention = 1 AND finished <= ?1
		UNION ALL SELECT asset_id, platform, step FROM publications WHERE status = 'FAILED' AND completed <= ?1
		UNION ALL SELECT asset_id, platform, standing FROM publications WHERE standing IS NOT NULL AND standing_at <= ?1`, by.UnixMilli())
	return collect(rows, err, func(f *StillFailed) error { return rows.Scan(&f.AssetID, &f.Platform, &f.Step) })
}

// Unpublished is a failed publication that another try may help.
type Unpublished struct {
	ID                int64
	AssetID, Platform string
	Failed            time.Time
}

// unpublished picks the failed publications p that a filter shows, that Admin.MayChange allows, and that need no more
// than another try, of videos that may be published: one whose answer was lost may be there, one that was rejected
// would be uploaded once more, and without its channel each would fail again. Only finished videos have any. Their
// assets a are looked at for a search only: every page of the library counts these.
func unpublished(admin Admin, f Filter) string {
	where := `FROM publications p`
	if f.Search != "" {
		where += ` CROSS JOIN assets a ON a.id = p.asset_id` // in this order: few have failed
	}
	where += ` WHERE p.status = 'FAILED' AND p.step NOT IN ('unknown', 'rejected') AND ?4 IN ('', 'COMPLETED') AND ?6 IN ('', p.platform)
		AND (p.step <> 'reconnect' OR EXISTS (SELECT 1 FROM channels c WHERE c.id = p.channel_id AND c.state = 'CONNECTED'))
		AND p.asset_id NOT IN ` + toGo
	if !admin.Owner {
		where += ` AND p.creator = ?5`
	}
	if f.Search != "" {
		where += ` AND ` + named
	}
	return where
}

// CountUnpublished counts the failed publications that another try may help, of the videos that a filter shows, and
// tells when the last of them failed.
func (s *Store) CountUnpublished(ctx context.Context, admin Admin, f Filter) (n int, until time.Time, err error) {
	var last int64
	err = s.db.Read().QueryRowContext(ctx, `SELECT count(*), ifnull(max(p.completed), 0) `+unpublished(admin, f),
		needyArgs(admin, f, f.Platform)...).Scan(&n, &last)
	return n, Moment(last), err
}

// Unpublished lists up to f.Limit of them that failed after one and by a time, the oldest failure first.
func (s *Store) Unpublished(
	ctx context.Context,
	admin Admin,
	f Filter,
	after Unpublished,
	until time.Time,
) ([]Unpublished, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT p.id, p.asset_id, p.platform, p.completed `+unpublished(admin, f)+`
		AND (p.completed, p.id) > (?7, ?8) AND p.completed <= ?9 ORDER BY p.completed, p.id LIMIT ?10`,
		needyArgs(admin, f, f.Platform, after.Failed.UnixMilli(), after.ID, until.UnixMilli(), f.Limit)...)
	return collect(rows, err, func(u *Unpublished) error {
		var failed int64
		err := rows.Scan(&u.ID, &u.AssetID, &u.Platform, &failed)
		u.Failed = Moment(failed)
		return err
	})
}

// undelivered picks the videos a with messages that were given up, of those that a filter shows and that
// Admin.MayChange allows. Another try of a video that needs an admin sends its messages, too.
func undelivered(admin Admin, f Filter) string {
	where := `FROM assets a WHERE a.undelivered IS NOT NULL AND a.needs_attention = 0 AND ?4 IN ('', a.status)`
	if !admin.Owner {
		where += ` AND a.creator = ?5`
	}
	if f.Search != "" {
		where += ` AND ` + named
	}
	return where
}

// CountUndelivered counts the videos with messages that were given up, of those that a filter shows, and tells when the
// last of them had its first.
func (s *Store) CountUndelivered(ctx context.Context, admin Admin, f Filter) (n int, until time.Time, err error) {
	var last int64
	err = s.db.Read().QueryRowContext(ctx, `SELECT count(*), ifnull(max(a.undelivered), 0) `+undelivered(admin, f),
		needyArgs(admin, f)...).Scan(&n, &last)
	return n, Moment(last), err
}

// UndeliveredVideos lists up to f.Limit of them, whose first message was given up by a time. What is listed goes when
// it is sent again; after is the last of the list before.
func (s *Store) UndeliveredVideos(
	ctx context.Context, admin Admin, f Filter, after string, until time.Time,
) ([]string, error) {
	return s.texts(ctx, `SELECT a.id `+undelivered(admin, f)+` AND a.undelivered <= ?6 AND a.id > ?7
		ORDER BY a.id LIMIT ?8`, needyArgs(admin, f, until.UnixMilli(), after, f.Limit)...)
}
