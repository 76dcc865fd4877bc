// An office in every state a page can show, for the critic.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// furnish fills a library with a card of each kind, and with names and errors that try to be something else. The newest
// are the first two dozen. It returns ids by what they are.
func furnish(t *testing.T, d *office) (ids map[string]string) {
	t.Helper()
	path, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	film, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ids = map[string]string{}
	clock := time.Now().Add(-26 * time.Hour)
	setNow(d.store, func() time.Time { clock = clock.Add(10 * time.Second); return clock })

	for i, name := range slices.Concat(hostile, odd) {
		id, wound := store.NewID(), wounded[i%len(wounded)]
		ids[name] = id
		mutate(t, d.store, `INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, error, created, finished) VALUES (?, ?, ?, 'new-year', 'ru', 'REQUEST', 7, 'FAILED', ?, ?, ?)`,
			id, name, fmt.Sprint("hostile", i), wound, d.store.Now().UnixMilli(), d.store.Now().UnixMilli())
		for n := range 3 {
			mutate(t, d.store, `INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error) VALUES (?, 'RENDER', ?, 1, ?, 'rescheduled', ?)`,
				id, n+1, d.store.Now().UnixMilli(), wound)
		}
		write(t, d.store, func(tx *store.Tx) error {
			if _, err := tx.UpsertUser(1, "ru"); err != nil {
				return err
			}
			return tx.Note(store.Event{User: 1, Action: "ask", AssetID: id, Outcome: hostile[i%len(hostile)]})
		})
	}
	for i, name := range append(slices.Clone(odd), hostile[0]) { // finished, too
		id := store.NewID()
		ids["film of "+name] = id
		mutate(t, d.store, `INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, file, size, duration, created, finished) VALUES (?, ?, ?, 'gone', 'ru', 'UPLOAD', 8, 'COMPLETED', 'x.mp4', 1, 754000, ?, ?)`,
			id, name, fmt.Sprint("odd", i), d.store.Now().UnixMilli(), d.store.Now().UnixMilli())
	}

	for _, state := range []string{failedPublication, pendingPublication, runningPublication, completedPublication} {
		id := store.NewID()
		mutate(t, d.store, `INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, file, size, duration, created, finished) VALUES (?, ?, ?, 'gone', 'ru', 'UPLOAD', 8, 'COMPLETED', 'x.mp4', 1, 754000, ?, ?)`,
			id, "Studio tour", "studio tour"+id, d.store.Now().UnixMilli(), d.store.Now().UnixMilli())
		for _, platform := range []string{"YOUTUBE", "RUMBLE"} {
			mutate(t, d.store, `INSERT INTO publications (asset_id, platform, remote_url, creator, created, status, error, started, completed) VALUES (?, ?, 'javascript:alert(1)', 7, 0, `+state+`)`, id, platform)
		}
		ids["on platforms"] = id
	}

	perhaps(t, d, ids)

	clock = time.Now().Add(-time.Hour)
	ids["made by an admin"] = madeByAdmin(t, d.store, 7, "Ава", "ава").ID
	d.filmed(string(film), still(t))
	ids["finished"] = ask(t, d.store, "Маша", 1, 2, 3, 4).ID
	d.filmed(string(film), still(t))
	mutate(t, d.store, `UPDATE requests SET status = 'COMPLETED', finished = 1 WHERE asset_id = ? AND user_id < 4`, ids["finished"])

	ids["failed"] = ask(t, d.store, "Ноа", 1, 2, 3, 4, 5).ID
	for range 3 {
		mutate(t, d.store, `UPDATE jobs SET due = 0 WHERE kind = 'RENDER'`)
		fail(t, d.queue, store.Render, errors.New("ffmpeg: took longer than 5m0s"))
	}
	mutate(t, d.store, `DELETE FROM jobs WHERE kind = 'APOLOGISE' AND request_id = (SELECT max(id) FROM requests)`) // 5 is not told
	ids["replaced"] = ask(t, d.store, "Ева", 2).ID
	failForGood(t, d.queue)
	if _, err := d.queue.Retry(t.Context(), ids["replaced"], retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}}); err != nil {
		t.Fatal(err)
	}
	ids["replacing"] = begin(t, d.store, store.Render).AssetID
	ids["rendering"] = ask(t, d.store, "Иван", 1).ID
	fail(t, d.queue, store.Render, errors.New("generator said 503: try later"))
	mutate(t, d.store, `UPDATE jobs SET due = 0 WHERE asset_id = ?`, ids["rendering"])
	rendering := begin(t, d.store, store.Render)
	_, done := d.queue.Track(t.Context(), &rendering)
	t.Cleanup(done)
	d.queue.Progress(&rendering, 62)
	clock = time.Now().Add(-5 * time.Minute)
	ids["tried again in an hour"] = ask(t, d.store, "Лея", 3).ID
	fail(t, d.queue, store.Render, errors.New("connect: connection refused"))
	ids["next"] = ask(t, d.store, "Ольга", 1, 2).ID
	ids["waiting"] = ask(t, d.store, "София", 2).ID
	setNow(d.store, time.Now)
	return ids
}

// inAWhile is when what is scheduled happens: perhaps in the next month.
func inAWhile() time.Time { return time.Now().Add(30 * time.Hour) }

// perhaps puts a video in every state that a publication can be in, and a channel in each of its own.
func perhaps(t *testing.T, d *office, ids map[string]string) {
	t.Helper()
	channel := d.channel("UC1", "Our greetings")
	mutate(t, d.store, `UPDATE channels SET paused_until = ?, paused_for = 'quota' WHERE id = ?`, time.Now().Add(5*time.Hour).UnixMilli(), channel)
	soon := d.channel("UC2", odd[1]+hostile[1])
	mutate(t, d.store, `UPDATE channels SET connected = ? WHERE id = ?`, time.Now().Add(-150*time.Hour).UnixMilli(), soon)
	mutate(t, d.store, `UPDATE channels SET state = 'ENDED', error = 'youtube invalid_grant: Token has been expired or revoked.' WHERE id = ?`, d.channel("UC3", odd[2]))
	mutate(t, d.store, `UPDATE channels SET state = 'DISCONNECTED', token = NULL WHERE id = ?`, d.channel("UC4", "An old channel"))
	later, passed := inAWhile().UnixMilli(), time.Now().UnixMilli()
	texts := `{"title": "A greeting from Santa, with all his reindeer and the whole workshop behind him", "description": "One\nTwo three\nFour", "tags": "santa, new year", "language": "en", "made_for_kids": "yes", "privacy": "public", "category": "22"}`
	for i, p := range []struct {
		platform, status, step, err, warning, remote string
		due, at                                      int64
		attempt                                      int
	}{
		{"YOUTUBE", "PENDING", "", "", "", "", 0, 0, 0},
		{"YOUTUBE", "PENDING", "uploading", "", "", "", later, 0, 1},
		{"YOUTUBE", "PENDING", "quota", "", "", "", later, 0, 1},
		{"YOUTUBE", "PENDING", "limit", "", "", "", later, 0, 1},
		{"RUMBLE", "PENDING", "scheduled", "", "", "", later, later, 0},
		{"RUMBLE", "PENDING", "manual", "", "", "", 0, 0, 0},
		{"YOUTUBE", "PROCESSING", "uploading", "", "", "", 0, 0, 1},
		{"YOUTUBE", "PROCESSING", "processing", "", "", "abc", 0, 0, 1},
		{"YOUTUBE", "COMPLETED", "", "", "youtube thumbnail-forbidden: no\n<odd>", "abc", 0, 0, 0},
		{"YOUTUBE", "COMPLETED", "", "", "", "abc", 0, later, 0},
		{"RUMBLE", "COMPLETED", "manual", "", "", "v1", 0, 0, 0},
		{"YOUTUBE", "FAILED", "reconnect", "youtube invalid_grant: Token has been expired or revoked.", "", "", 0, 0, 0},
		{"YOUTUBE", "FAILED", "edit", "youtube invalidTitle: " + wounded[0], "", "", 0, 0, 0},
		{"YOUTUBE", "FAILED", "account", "youtube youtubeSignupRequired: " + hostile[1], "", "", 0, 0, 0},
		{"YOUTUBE", "FAILED", "rejected", "youtube rejected-copyright", "", "abc", 0, 0, 0},
		{"RUMBLE", "FAILED", "unknown", "rumble answerLost: EOF", "", "", 0, 0, 0},
		{"YOUTUBE", "FAILED", "unknown", "youtube restored: it was to be published when the backup was made, and may have been since", "", "", 0, 0, 0},
		{"RUMBLE", "FAILED", "", "rumble http503: " + wounded[3], "", "", 0, 0, 0},
	} {
		id := store.NewID()
		ids[strings.TrimSpace(p.platform+" "+p.status+" "+p.step)+strings.Repeat(" ", min(1, len(p.warning)))] = id
		mutate(t, d.store, `INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, file, size, duration, metadata, created, finished) VALUES (?, ?, ?, '', 'ru', 'UPLOAD', 8, 'COMPLETED', 'x.mp4', 1000, 754000, ?, ?, ?)`,
			id, strings.TrimSpace("Film "+p.step), "film"+id, strings.Replace(texts, "Santa", "Father Christmas", i%2), d.store.Now().UnixMilli(), d.store.Now().UnixMilli())
		if p.remote != "" {
			p.remote += fmt.Sprint(i) // a video is on a platform once
		}
		mutate(t, d.store, `INSERT INTO publications (asset_id, platform, channel_id, creator, created, status, step, error, warning, remote_id, remote_url, sent, publish_at, metadata, started, completed)
			VALUES (?1, ?2, iif(?2 = 'YOUTUBE', ?12, NULL), 8, 0, ?3, ?4, ?5, ?6, ?7, iif(?7 IS NULL, NULL, 'https://example.com/' || ?7), ?8, ?9, ?10, iif(?3 <> 'PENDING', ?11, NULL), iif(?3 IN ('COMPLETED', 'FAILED'), ?11, NULL))`,
			id, p.platform, p.status, p.step, null(p.err), null(p.warning), null(p.remote), 420*min(1, len(p.step)), null(p.at), texts, passed, channel)
		if p.attempt > 0 || p.due > 0 {
			mutate(t, d.store, `INSERT INTO jobs (kind, asset_id, publication_id, fairness_key, position, due, attempt, started, last_error, created)
				SELECT 'PUBLISH', asset_id, id, 8, 0, ?, ?, NULL, iif(step = 'uploading', 'youtube connection: EOF', NULL), 0 FROM publications WHERE asset_id = ?`, p.due, p.attempt, id)
		}
	}
}

// calmAnnouncer has nothing to send.
type calmAnnouncer struct{}

func (calmAnnouncer) TryAnnouncement(context.Context, int64, string, string) error { return nil }
func (calmAnnouncer) Pace() (all, announcements float64)                           { return 25, 12.5 }

// readsAnnouncements looks at the pages of announcements.
func (c *critic) readsAnnouncements(t *testing.T) {
	t.Helper()
	d := openDesk(t, func(*office) {})
	c.moves(d, 8)
	c.reads("announcements/off", "/announcements", 200)
	d = openDesk(t, func(d *office) {
		writtenToAll(t, d.store)
		d.change(func(o *desk.Options) { o.Announcer = calmAnnouncer{} })
	})
	c.moves(d, 8)
	for _, language := range []string{"ru", "en"} {
		c.Await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: '" + language + "' }) })")
		c.reads("announcements/"+language+"/list", "/announcements", 200)
		c.reads("announcements/"+language+"/new", "/announcements/new", 200)
		c.reads("announcements/"+language+"/draft", "/announcements/1", 200)
		c.reads("announcements/"+language+"/stopped", "/announcements/2", 200)
		c.reads("announcements/"+language+"/done", "/announcements/3", 200)
		c.reads("announcements/"+language+"/sending", "/announcements/4", 200)
	}
}

// writtenToAll has an announcement in each state, with texts that try to be something else.
func writtenToAll(t *testing.T, s *store.Store) {
	t.Helper()
	for user := int64(900); user < 912; user++ {
		write(t, s, func(tx *store.Tx) error {
			if _, err := tx.UpsertUser(user, "ru"); err != nil {
				return err
			}
			return tx.SetConsent(user, store.Agreed)
		})
	}
	long := strings.Repeat(hostile[0]+" "+odd[1]+"\n", 20)
	for i, texts := range []map[string]string{{"": "A birthday video is here!\n\nSend me a name.", "ru": long}, {"": long},
		{"": "Happy New Year!"}, {"": "Happy New Year again!"}} {
		write(t, s, func(tx *store.Tx) error {
			id, err := tx.SaveAnnouncement(0, texts, time.Time{}, 8)
			if err != nil || i == 0 {
				return err
			}
			if err := tx.StartAnnouncement(id, time.Time{}, 9, 8); err != nil {
				return err
			}
			for n := range int64(9) {
				outcome, code := []string{store.CopyDelivered, store.CopyBlocked, store.CopyFailed}[n%3], ""
				if outcome == store.CopyFailed {
					code = []string{"telegram_refused", store.MaybeSent}[n%2]
				}
				if err := tx.KeepCopy(store.Copy{Announcement: id, User: 900 + n}, outcome, code, tx.Now(), false); err != nil {
					return err
				}
			}
			switch i {
			case 1:
				return tx.HaltAnnouncement(id, "telegram_refused")
			case 2:
				return tx.FinishAnnouncement(id)
			}
			return nil
		})
	}
}
