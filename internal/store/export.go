package store

import (
	"encoding/json"
	"errors"
	"time"
)

// Export is everything that is kept about one user, for them to read.
type Export struct {
	What   string         `json:"what"`
	Made   time.Time      `json:"made"`
	User   Person         `json:"user"`
	Drafts []ExportDraft  `json:"names_not_confirmed"`
	Videos []ExportVideo  `json:"videos"`
	Acts   []ExportAct    `json:"actions"`
	Inbox  []ExportUpdate `json:"messages_not_answered_yet"`
	News   []ExportNews   `json:"asked_about_announcements"` // at most one
	Copies []ExportCopy   `json:"announcements"`
	Admin  *ExportAdmin   `json:"admin,omitempty"` // nil: they are none
}

// Person is a user as an Export has them.
type Person struct {
	ID          int64     `json:"telegram_id"`
	Lang        string    `json:"language"`
	Created     time.Time `json:"first_wrote"`
	Seen        time.Time `json:"last_wrote"` // to the day
	Unreachable time.Time `json:"not_reachable_since,omitzero"`
	Banned      time.Time `json:"banned_since,omitzero"`
	Source      string    `json:"came_by_link,omitempty"` // the tag of t.me/bot?start=tag
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

// ExportNews is what somebody said to the question whether they want announcements.
type ExportNews struct {
	Asked    time.Time `json:"asked"`
	Answer   Answer    `json:"answer,omitzero"`
	Answered time.Time `json:"answered,omitzero"`
}

// ExportCopy is what became of an announcement for them.
type ExportCopy struct {
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome"`
	Text    string    `json:"text"`
}

// ExportAdmin is what is kept about an admin.
type ExportAdmin struct {
	Names    []AdminName   `json:"telegram_name"`
	Ranks    []ExportRank  `json:"made_an_admin"`
	Told     []ExportTold  `json:"alerts"`
	Visits   []ExportVisit `json:"sign_ins"`
	Links    []time.Time   `json:"sign_in_links_valid_until"`
	Invites  []time.Time   `json:"invitations_valid_until"`
	Tokens   []ExportToken `json:"api_tokens"`
	Acts     []ExportAct   `json:"actions"`
	Made     []ExportMade  `json:"videos_made_or_uploaded"`
	Released []ExportPub   `json:"publications"`
	Channels []ExportPub   `json:"channels_connected"`
	Wrote    []ExportWrote `json:"announcements_written"`
}

// ExportWrote is an announcement that an owner wrote.
type ExportWrote struct {
	At     time.Time          `json:"at"`
	Status AnnouncementStatus `json:"status"`
}

// ExportToken is a token of theirs. Used and Expires are zero for never.
type ExportToken struct {
	Title   string    `json:"title"`
	Scope   string    `json:"scope"`
	Created time.Time `json:"since"`
	Used    time.Time `json:"last_used,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
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

// Export collects all that is kept about a user, and nothing of anybody else: what others wished for is not in it, and
// neither is why a video failed, which is about the program. admin: they may sign in to the page. ErrNotFound: nobody
// knows them.
func (tx *Tx) Export(user int64, admin bool) (x Export, err error) {
	x = Export{
		What:   "Everything that this bot keeps about one Telegram user. Times are UTC.",
		Made:   when(tx.now),
		User:   Person{ID: user},
		Drafts: []ExportDraft{},
		Videos: []ExportVideo{},
		Acts:   []ExportAct{},
		Inbox:  []ExportUpdate{},
		News:   []ExportNews{},
		Copies: []ExportCopy{},
	}
	var created, seen, unreachable, banned int64
	err = found(tx.sql.Get(`SELECT lang, created, seen, ifnull(unreachable, 0), ifnull(source, ''),
		ifnull((SELECT since FROM bans WHERE chat_id = id), 0) FROM users WHERE id = ?`, []any{user},
		&x.User.Lang, &created, &seen, &unreachable, &x.User.Source, &banned))
	if err != nil && !(admin && errors.Is(err, ErrNotFound)) {
		return x, err
	}
	x.User.Created, x.User.Seen, x.User.Unreachable = when(created), when(seen), when(unreachable)
	x.User.Banned = when(banned)
	if err := pull(tx, &x.Drafts, `SELECT name, created FROM drafts WHERE user_id = ? ORDER BY created`, []any{user},
		func(d *ExportDraft, scan scanner) error { return scan(&d.Name, at(&d.Typed)) }); err != nil {
		return x, err
	}
	requests := map[int]int64{} // by the place in Videos
	if err := pull(tx, &x.Videos, `SELECT r.id, a.id, a.name, a.template, a.lang, r.status, r.chat_id, r.created,
		ifnull(r.finished, 0), ifnull(r.progress_id, 0),
			ifnull(r.answer_id, 0), ifnull(a.size, 0), ifnull(a.duration, 0)
		FROM requests r JOIN assets a ON a.id = r.asset_id WHERE r.user_id = ? ORDER BY r.id`, []any{user},
		func(v *ExportVideo, scan scanner) error {
			var request int64
			err := scan(&request, &v.ID, &v.Name, &v.Template, &v.Lang, &v.Status, &v.Chat, at(&v.Asked), at(&v.Finished),
				&v.Progress, &v.Answer, &v.Size, &v.Duration)
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
				UNION ALL SELECT kind, created, '' FROM fan_outs WHERE request_id = ?1 ORDER BY created`, []any{requests[i]},
				func(j *ExportJob, scan scanner) error { return scan(&j.Kind, at(&j.Since), &j.Error) }),
			pull(
				tx,
				&v.Troubles,
				`SELECT kind, finished, ifnull(error, '') FROM attempts WHERE request_id = ? ORDER BY id`,
				[]any{requests[i]},
				func(t *ExportTry, scan scanner) error { return scan(&t.Kind, at(&t.At), &t.Error) },
			),
		)
		if err != nil {
			return x, err
		}
	}
	err = errors.Join(
		pull(tx, &x.Acts, exportActs+` WHERE user_id = ? ORDER BY at, id`, []any{user}, scanAct),
		pull(tx, &x.News, `SELECT asked, ifnull(answer, ''), ifnull(answered, 0) FROM consents WHERE user_id = ?`,
			[]any{user}, func(n *ExportNews, scan scanner) error { return scan(at(&n.Asked), &n.Answer, at(&n.Answered)) }),
		pull(tx, &x.Copies, `SELECT c.at, c.outcome, ifnull(a.texts ->> ('$."' || ?2 || '"'), a.texts ->> '$.""')
			FROM announced c JOIN announcements a ON a.id = c.announcement_id WHERE c.user_id = ?1 ORDER BY c.at, c.id`,
			[]any{user, x.User.Lang},
			func(c *ExportCopy, scan scanner) error { return scan(at(&c.At), &c.Outcome, &c.Text) }),
		pull(
			tx,
			&x.Inbox,
			`SELECT received, raw FROM inbox WHERE raw IS NOT NULL AND chat_id = ? ORDER BY update_id`,
			[]any{user},
			func(u *ExportUpdate, scan scanner) error {
				var raw string
				err := scan(at(&u.At), &raw)
				if u.Raw = json.RawMessage(raw); err == nil && !json.Valid(u.Raw) {
					u.Raw, err = json.Marshal(raw)
				}
				return err
			},
		),
	)
	if err != nil || !admin {
		return x, err
	}
	x.Admin = &ExportAdmin{}
	return x, errors.Join(
		pull(tx, &x.Admin.Names, `SELECT name, username FROM admin_names WHERE id = ?`, []any{user},
			func(n *AdminName, scan scanner) error { return scan(&n.Name, &n.Username) }),
		pull(tx, &x.Admin.Ranks, `SELECT added, owner FROM admins WHERE id = ?`, []any{user},
			func(r *ExportRank, scan scanner) error { return scan(at(&r.Since), &r.Owner) }),
		pull(tx, &x.Admin.Told, `SELECT cause, at FROM alerts WHERE admin = ? ORDER BY cause`, []any{user},
			func(t *ExportTold, scan scanner) error { return scan(&t.Cause, at(&t.At)) }),
		pull(tx, &x.Admin.Visits, `SELECT created, seen FROM sessions WHERE admin = ? ORDER BY created`, []any{user},
			func(v *ExportVisit, scan scanner) error { return scan(at(&v.Begun), at(&v.Seen)) }),
		pull(tx, &x.Admin.Links, `SELECT expires FROM links WHERE admin = ? ORDER BY expires`, []any{user},
			func(t *time.Time, scan scanner) error { return scan(at(t)) }),
		pull(tx, &x.Admin.Invites, `SELECT expires FROM invitations WHERE inviter = ? ORDER BY expires`, []any{user},
			func(t *time.Time, scan scanner) error { return scan(at(t)) }),
		pull(tx, &x.Admin.Tokens, `SELECT title, scope, created, ifnull(used, 0), ifnull(expires, 0) FROM tokens
			WHERE admin = ? ORDER BY id`, []any{user}, func(t *ExportToken, scan scanner) error {
			return scan(&t.Title, &t.Scope, at(&t.Created), at(&t.Used), at(&t.Expires))
		}),
		pull(tx, &x.Admin.Acts, exportActs+` WHERE admin = ? ORDER BY at, id`, []any{user}, scanAct),
		pull(tx, &x.Admin.Made, `SELECT id, name, created FROM assets WHERE creator = ? ORDER BY created, id`, []any{user},
			func(m *ExportMade, scan scanner) error { return scan(&m.ID, &m.Name, at(&m.At)) }),
		pull(tx, &x.Admin.Released, exportPublications+` WHERE p.creator = ? ORDER BY p.id`, []any{user}, scanPublication),
		pull(
			tx,
			&x.Admin.Channels,
			`SELECT platform, '', title, '', connected FROM channels WHERE creator = ? ORDER BY id`,
			[]any{user},
			scanPublication,
		),
		pull(tx, &x.Admin.Wrote, `SELECT created, status FROM announcements WHERE creator = ? ORDER BY id`, []any{user},
			func(w *ExportWrote, scan scanner) error { return scan(at(&w.At), &w.Status) }),
	)
}

const (
	exportPublications = `SELECT p.platform, p.status, ifnull(p.metadata ->> 'title', ''), ifnull(p.remote_url, ''),
		p.created FROM publications p`
	exportActs = `SELECT at, action, ifnull(asset_id, ''), ifnull(platform, ''), outcome FROM audit`
)

func scanPublication(p *ExportPub, scan scanner) error {
	return scan(&p.Platform, &p.Status, &p.Title, &p.URL, at(&p.Since))
}

func scanAct(a *ExportAct, scan scanner) error {
	return scan(at(&a.At), &a.Action, &a.Video, &a.Platform, &a.Outcome)
}
