// Tests of the store: what the schema refuses, what the claim costs, what reaches the disk.

package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
)

func TestSchemaRefuses(t *testing.T) {
	id := func(n int) string { return fmt.Sprintf("%026d", n) }
	asset := `INSERT INTO assets (id, name, name_key, template, lang, origin, created, status, file, error, finished,
		creator, retry_of) VALUES `
	plain := `INSERT INTO assets (id, name, name_key, template, lang, origin, created) VALUES `
	for name, c := range map[string]struct{ before, statement, constraint string }{
		"a second live asset of one key": {
			asset + `('` + id(1) + `','Маша','маша','t','ru','REQUEST',0,'PENDING',NULL,NULL,NULL,NULL,NULL)`,
			asset + `('` + id(2) + `','Маша','маша','t','ru','REQUEST',0,'PROCESSING',NULL,NULL,NULL,NULL,NULL)`, "name_key"},
		"a second successor of one asset": {
			asset + `('` + id(1) + `','a','a','t','ru','REQUEST',0,'FAILED',NULL,'e',1,NULL,NULL), ('` + id(2) +
				`','b','b','t','ru','REQUEST',0,'PENDING',NULL,NULL,NULL,NULL,'` + id(1) + `')`,
			asset + `('` + id(3) + `','c','c','t','ru','REQUEST',0,'PENDING',NULL,NULL,NULL,NULL,'` + id(1) + `')`, "retry_of"},
		"an admin who is nobody":          {"", `INSERT INTO admins (id, owner, added) VALUES (0, 0, 0)`, "id > 0"},
		"an admin who is more than owner": {"", `INSERT INTO admins (id, owner, added) VALUES (1, 2, 0)`, "owner"},
		"a short, guessable asset id": {"",
			asset + `('7','a','a','t','ru','REQUEST',0,'PENDING',NULL,NULL,NULL,NULL,NULL)`, "length(id)"},
		"an asset without a name": {"",
			asset + `('` + id(1) + `','','a','t','ru','REQUEST',0,'PENDING',NULL,NULL,NULL,NULL,NULL)`, "name"},
		"an unknown status": {"",
			asset + `('` + id(1) + `','a','a','t','ru','REQUEST',0,'DONE','f',NULL,1,NULL,NULL)`, "status"},
		"a finished asset without a time": {"",
			asset + `('` + id(1) + `','a','a','t','ru','REQUEST',0,'FAILED',NULL,'e',NULL,NULL,NULL)`,
			"finished_has_time"},
		"a live asset with a time": {"",
			asset + `('` + id(1) + `','a','a','t','ru','REQUEST',0,'PENDING',NULL,NULL,1,NULL,NULL)`, "finished_has_time"},
		"a completed asset without a file": {"",
			asset + `('` + id(1) + `','a','a','t','ru','REQUEST',0,'COMPLETED',NULL,NULL,1,NULL,NULL)`, "completed_has_file"},
		"a failed asset without an error": {"",
			asset + `('` + id(1) + `','a','a','t','ru','REQUEST',0,'FAILED',NULL,NULL,1,NULL,NULL)`, "failed_has_error"},
		"a live asset with an error": {"",
			asset + `('` + id(1) + `','a','a','t','ru','REQUEST',0,'PENDING',NULL,'e',NULL,NULL,NULL)`, "failed_has_error"},
		"an upload of nobody": {"",
			asset + `('` + id(1) + `','a','a','t','ru','UPLOAD',0,'PENDING',NULL,NULL,NULL,NULL,NULL)`, "upload_has_creator"},
		"a failed asset that works again": {
			asset + `('` + id(1) + `','a','a','t','ru','REQUEST',0,'FAILED',NULL,'e',1,NULL,NULL)`,
			`UPDATE assets SET status = 'PENDING', error = NULL, finished = NULL`, "assets_finished_is_final"},
		"a completed asset that fails": {
			asset + `('` + id(1) + `','a','a','t','ru','REQUEST',0,'COMPLETED','f',NULL,1,NULL,NULL)`,
			`UPDATE assets SET status = 'FAILED', file = NULL, error = 'e'`, "assets_finished_is_final"},
		"two requests of one user for one asset": {
			"base;INSERT INTO requests (user_id, asset_id, chat_id, status, created) VALUES (1, '" + id(9) +
				"', 1, 'PENDING', 0)",
			`INSERT INTO requests (user_id, asset_id, chat_id, status, created) VALUES (1, '` + id(9) + `', 1, 'PENDING', 0)`,
			"requests.user_id"},
		"a finished request without a time": {"base",
			`INSERT INTO requests (user_id, asset_id, chat_id, status, created) VALUES (1, '` + id(9) + `', 1, 'FAILED', 0)`,
			"finished_has_time"},
		"a failed request that waits again": {
			"base;INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished) VALUES (1, '" + id(9) +
				"', 1, 'FAILED', 0, 1)",
			`UPDATE requests SET status = 'PENDING', finished = NULL`, "requests_finished_is_final"},
		"a request for an asset that is not there": {"base",
			`INSERT INTO requests (user_id, asset_id, chat_id, status, created) VALUES (1, 'nothing', 1, ` +
				`'PENDING', 0)`, "FOREIGN KEY"},
		"a second publication on one platform": {
			"base;INSERT INTO publications (asset_id, platform, creator, created) VALUES ('" + id(9) + "', 'YOUTUBE', 1, 0)",
			`INSERT INTO publications (asset_id, platform, creator, created) VALUES ('` + id(9) + `', 'YOUTUBE', 1, 0)`,
			"publications.asset_id"},
		"a platform in small letters": {"base",
			`INSERT INTO publications (asset_id, platform, creator, created) VALUES ('` + id(9) + `', 'Vimeo', 1, 0)`,
			"platform"},
		"a pending publication with an old error": {
			"base;INSERT INTO publications (asset_id, platform, creator, created, status, error, completed) VALUES ('" + id(9) +
				"', 'YOUTUBE', 1, 0, 'FAILED', 'e', 1)",
			`UPDATE publications SET status = 'PENDING'`, "pending_is_clean"},
		"a publication that moves": {
			"base;INSERT INTO publications (asset_id, platform, creator, created) VALUES ('" + id(9) + "', 'YOUTUBE', 1, 0)",
			`UPDATE publications SET platform = 'RUMBLE'`, "publications_place_is_final"},
		"a live asset that needs an admin": {"base", `UPDATE assets SET needs_attention = 1`, "only_a_failure_needs"},
		"a failed publication without an error": {"base",
			`INSERT INTO publications (asset_id, platform, creator, created, status, completed) VALUES ('` + id(9) +
				`', 'YOUTUBE', 1, 0, 'FAILED', 1)`, "failed_has_error"},
		"two jobs of one kind for one asset": {
			"base;INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created) VALUES ('RENDER', '" + id(9) + "', 1, 1, 0, 0)",
			`INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created) VALUES ('RENDER', '` + id(9) + `', 1, 1, 0, 0)`,
			"UNIQUE constraint failed: jobs.asset_id"},
		"two messages of one kind for one request": {
			"base;INSERT INTO requests (id, user_id, asset_id, chat_id, status, created) VALUES (1, 1, '" + id(9) +
				"', 1, 'PENDING', 0);" +
				"INSERT INTO jobs (kind, asset_id, request_id, fairness_key, position, due, created) VALUES ('APOLOGISE', '" + id(9) +
				"', 1, 1, 1, 0, 0)",
			`INSERT INTO jobs (kind, asset_id, request_id, fairness_key, position, due, created) VALUES ('APOLOGISE', '` + id(9) +
				`', 1, 2, 2, 0, 0)`,
			"UNIQUE constraint failed: jobs.request_id, jobs.kind"},
		"two jobs for one publication": {
			"base;INSERT INTO publications (id, asset_id, platform, creator, created) VALUES (1, '" + id(9) +
				"', 'YOUTUBE', 1, 0);" +
				"INSERT INTO jobs (kind, asset_id, publication_id, fairness_key, position, due, created) VALUES ('PUBLISH', '" + id(9) +
				"', 1, 1, 1, 0, 0)",
			`INSERT INTO jobs (kind, asset_id, publication_id, fairness_key, position, due, created) VALUES ('PUBLISH', '` + id(9) +
				`', 1, 2, 2, 0, 0)`,
			"UNIQUE constraint failed: jobs.publication_id"},
		"a message job for nobody": {"base", `INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created)
			VALUES ('APOLOGISE', '` + id(9) + `', 1, 1, 0, 0)`,
			"message_has_request"},
		"a crowd under way": {"base", `INSERT INTO jobs (kind, asset_id, fan_out, fairness_key, position, due, created, attempt, started)
			VALUES ('APOLOGISE', '` + id(9) + `', 0, 0, 1, 0, 0, 1, 1)`,
			"fan_out IS NULL OR"},
		"a crowd of videos": {"base", `INSERT INTO jobs (kind, asset_id, fan_out, fairness_key, position, due, created) VALUES ` +
			`('RENDER', '` + id(9) + `', 0, 0, 1, 0, 0)`,
			"message_has_request"},
		"a publish job without a publication": {"base", `INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created)
			VALUES ('PUBLISH', '` + id(9) + `', 1, 1, 0, 0)`,
			"publish_has_publication"},
		"a job under way that is no attempt": {"base", `INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created, started)
			VALUES ('RENDER', '` + id(9) + `', 1, 1, 0, 0, 1)`,
			"started_is_an_attempt"},
		"an attempt given back that never was": {
			"base;INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created) VALUES ('RENDER', '" + id(9) + "', 1, 1, 0, 0)",
			`UPDATE jobs SET attempt = attempt - 1`, "attempt >= 0"},
		"text in a number": {"", `INSERT INTO users (id, lang, created) VALUES (1, 'ru', ` +
			`'yesterday')`, "cannot store TEXT"},
		"a finished publication without a time": {"base", `INSERT INTO publications (asset_id, platform, creator, created,
			status) VALUES ('` + id(9) + `', 'YOUTUBE', 1, 0, 'COMPLETED')`, "finished_has_time"},
		"a publication with broken metadata": {"base", `INSERT INTO publications (asset_id, platform, creator, created,
			metadata) VALUES ('` + id(9) + `', 'YOUTUBE', 1, 0, '{')`, "json_valid"},
		"an asset with broken metadata": {"base", `UPDATE assets SET metadata = '{'`, "json_valid"},
		"a done attempt with an error": {"base", `INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome,
			error) VALUES ('` + id(9) + `', 'RENDER', 1, 1, 2, 'done', 'e')`,
			"done_has_no_error"},
		"a failed attempt without an error": {"base", `INSERT INTO attempts (asset_id, kind, attempt, started, finished,
			outcome) VALUES ('` + id(9) + `', 'RENDER', 1, 1, 2, 'gave_up')`,
			"done_has_no_error"},
		"an unknown outcome": {"base", `INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome,
			error) VALUES ('` + id(9) + `', 'RENDER', 1, 1, 2, 'lost', 'e')`, "outcome ="},
		"an unknown kind of job": {"base", `INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created)
			VALUES ('DANCE', '` + id(9) + `', 1, 1, 0, 0)`, "kind ="},
		"a suspect that is a number": {"base", `INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created, quarantined)
			VALUES ('RENDER', '` + id(9) + `', 1, 1, 0, 0, 2)`, "quarantined IN"},
		"an unknown origin": {"base", plain + `('` + id(8) + `', 'b', 'b', 't', 'ru', 'GIFT', 0)`, "origin IN"},
		"a name with spaces around": {"base", plain + `('` + id(8) + `', ' b', 'b', 't', 'ru', 'REQUEST', 0)`,
			"name = trim(name)"},
		"an asset without a key": {"base", plain + `('` + id(8) + `', 'b', '', 't', 'ru', 'REQUEST', 0)`, "name_key <>"},
		"a session by its cookie": {"base", `INSERT INTO sessions (hash, admin, created, seen) VALUES (x'00', 1, ` +
			`1, 1)`, "length(hash)"},
		"an unknown status of a request": {"base", `INSERT INTO requests (user_id, asset_id, chat_id, status, created)
			VALUES (1, '` + id(9) + `', 1, 'LOST', 0)`,
			"status ="},
		"a link by its token instead of its hash": {"", `INSERT INTO links (hash, admin, expires) VALUES (x'00', 1, 1)`,
			"length(hash)"},
		"an update set aside without its content": {"", `INSERT INTO inbox (update_id, chat_id, received, error, set_aside)
			VALUES (1, 1, 1, 'e', 1)`,
			"set_aside_has_content_and_reason"},
		"an update set aside without a reason": {"", `INSERT INTO inbox (update_id, chat_id, raw, received, set_aside)
			VALUES (1, 1, '{}', 1, 1)`,
			"set_aside_has_content_and_reason"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			for _, q := range strings.Split(c.before, ";") {
				switch q {
				case "":
				case "base":
					mutate(t, s, `INSERT INTO users (id, lang, created) VALUES (1, 'ru', 0)`)
					mutate(t, s, asset+`('`+id(9)+`','a','a','t','ru','REQUEST',0,'PENDING',NULL,NULL,NULL,NULL,NULL)`)
				default:
					mutate(t, s, q)
				}
			}
			err := try(s, c.statement)
			if err == nil || !strings.Contains(err.Error(), c.constraint) {
				t.Errorf("got %v; want a refusal that names %q", err, c.constraint)
			}
		})
	}
}

func TestACommittedTransactionIsThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "retake.db")
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	a := ask(t, s, "Маша", 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = openStore(path); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Asset(t.Context(), a.ID)
	if err != nil || got.Name != "Маша" || got.Status != store.Pending {
		t.Errorf("got %+v, %v; want Маша, PENDING", got, err)
	}
}

func TestOneUsersThousandRequestsDelayAnotherByOneRender(t *testing.T) {
	s := newStore(t)
	for i := range 1000 {
		ask(t, s, fmt.Sprintf("Имя %d", i), 1)
	}
	for range 3 {
		begin(t, s, store.Render)
	}
	ask(t, s, "Оля", 2)
	ask(t, s, "Юля", 2)
	var order []string
	for range 4 {
		order = append(order, begin(t, s, store.Render).Asset.Name)
	}
	if order[1] != "Оля" || order[3] != "Юля" {
		t.Errorf("got %q; want the other user's to take every second turn", order)
	}
	if places, err := s.Line(t.Context()); err != nil || len(places) != 995 {
		t.Errorf("got %d in line, %v; want 995", len(places), err)
	}
}

func TestAskingAgain(t *testing.T) {
	week := 7 * 24 * time.Hour
	wish := func(t *testing.T, s *store.Store, user int64, lang string) (a store.Asset, g store.Result) {
		write(t, s, func(tx *store.Tx) (err error) {
			if _, err := tx.UpsertUser(user, lang); err != nil {
				return err
			}
			a, g, err = tx.ShareOrCreate(
				store.Order{User: user, Chat: user, Name: "Маша", Key: "маша", Template: "new-year", Lang: lang},
				tx.Now().Add(-week),
			)
			return err
		})
		return a, g
	}
	t.Run("joins the video that is being made", func(t *testing.T) {
		s := newStore(t)
		first, _ := wish(t, s, 1, "ru")
		second, grant := wish(t, s, 2, "ru")
		if second.ID != first.ID || grant != store.Shared {
			t.Errorf("got %s, %s; want the asset %s, joined", second.ID, grant, first.ID)
		}
	})
	t.Run("of the same user changes nothing", func(t *testing.T) {
		s := newStore(t)
		wish(t, s, 1, "ru")
		if _, grant := wish(t, s, 1, "ru"); grant != store.Waiting {
			t.Errorf("got %s; want waiting", grant)
		}
		if n := count(t, s, `SELECT count(*) FROM requests`); n != 1 {
			t.Errorf("got %d requests; want 1", n)
		}
	})
	t.Run("in another language is another video", func(t *testing.T) {
		s := newStore(t)
		first, _ := wish(t, s, 1, "ru")
		if second, grant := wish(t, s, 2, "en"); second.ID == first.ID || grant != store.Created {
			t.Errorf("got %s, %s; want a new asset", second.ID, grant)
		}
	})
	t.Run("sends a finished one at once", func(t *testing.T) {
		s := newStore(t)
		first, _ := wish(t, s, 1, "ru")
		complete(t, s)
		second, grant := wish(t, s, 2, "ru")
		if second.ID != first.ID || grant != store.Ready {
			t.Errorf("got %s, %s; want %s, ready", second.ID, grant, first.ID)
		}
		if n := count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'DELIVER'`); n != 2 {
			t.Errorf("got %d deliveries owed; want 2", n)
		}
	})
	t.Run("after the time of reuse makes a new one", func(t *testing.T) {
		s := newStore(t)
		wish(t, s, 1, "ru")
		complete(t, s)
		setNow(s, func() time.Time { return time.Now().Add(week + time.Minute) })
		if _, grant := wish(t, s, 2, "ru"); grant != store.Created {
			t.Errorf("got %s; want created", grant)
		}
	})
}

func TestCancelling(t *testing.T) {
	t.Run("drops the asset when nobody else waits", func(t *testing.T) {
		s := newStore(t)
		a := ask(t, s, "Маша", 1)
		write(t, s, func(tx *store.Tx) error { _, err := tx.Cancel(1, a.ID); return err })
		if n := count(t, s, `SELECT (SELECT count(*) FROM assets) + (SELECT count(*) FROM jobs) + (SELECT count(*)
			FROM requests)`); n != 0 {
			t.Errorf("got %d rows left; want 0", n)
		}
	})
	t.Run("leaves it for the others", func(t *testing.T) {
		s := newStore(t)
		a := ask(t, s, "Маша", 1, 2)
		write(t, s, func(tx *store.Tx) error { _, err := tx.Cancel(1, a.ID); return err })
		if n := count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'RENDER'`); n != 1 {
			t.Errorf("got %d renders owed; want 1", n)
		}
	})
	t.Run("is too late once the work has begun", func(t *testing.T) {
		s := newStore(t)
		a := ask(t, s, "Маша", 1)
		begin(t, s, store.Render)
		if err := s.Tx(t.Context(), func(tx *store.Tx) error {
			_,
				err := tx.Cancel(1, a.ID)
			return err
		}); err != store.ErrNotFound {
			t.Errorf("got %v; want ErrNotFound", err)
		}
	})
}

func TestTheInbox(t *testing.T) {
	t.Run("takes an update once", func(t *testing.T) {
		s := newStore(t)
		for i, want := range []int{2, 1} {
			write(t, s, func(tx *store.Tx) error {
				fresh, err := tx.Receive([]store.Update{{ID: 1, Chat: 1, Raw: "{}"}, {ID: int64(2 + i), Chat: 1, Raw: "{}"}})
				if len(fresh) != want {
					t.Errorf("got %d fresh updates; want %d", len(fresh), want)
				}
				return err
			})
		}
	})
	t.Run("sets an update aside after the last try and erases it", func(t *testing.T) {
		s := newStore(t)
		write(t, s, func(tx *store.Tx) error { _, err := tx.Receive([]store.Update{{ID: 1, Raw: "{}"}}); return err })
		for want := range 3 {
			write(t, s, func(tx *store.Tx) error {
				tries, err := tx.RecordAttempt(1)
				if tries != want+1 {
					t.Errorf("got %d tries; want %d", tries, want+1)
				}
				return err
			})
		}
		write(t, s, func(tx *store.Tx) error { return tx.SetAside(1, "{}", "e") })
		if left, err := s.Inbox(t.Context()); err != nil || len(left) != 0 {
			t.Errorf("got %d left, %v; want none", len(left), err)
		}
	})
	t.Run("polls from the start after six days of silence", func(t *testing.T) {
		s := newStore(t)
		write(t, s, func(tx *store.Tx) error { _, err := tx.Receive([]store.Update{{ID: 70, Raw: "{}"}}); return err })
		if n, _ := s.Offset(t.Context()); n != 71 {
			t.Errorf("got %d; want 71", n)
		}
		setNow(s, func() time.Time { return time.Now().Add(6*24*time.Hour + time.Minute) })
		if n, _ := s.Offset(t.Context()); n != 0 {
			t.Errorf("got %d; want 0", n)
		}
		// Telegram restarts its count
		write(t, s, func(tx *store.Tx) error { _, err := tx.Receive([]store.Update{{ID: 3, Raw: "{}"}}); return err })
		if n, _ := s.Offset(t.Context()); n != 4 {
			t.Errorf("got %d; want 4", n)
		}
	})
	t.Run("goes on though the clock is set back", func(t *testing.T) {
		s := newStore(t)
		for i, now := range []time.Time{time.Now(), time.Now().Add(-24 * time.Hour)} {
			setNow(s, func() time.Time { return now })
			write(t, s, func(tx *store.Tx) error {
				_, err := tx.Receive([]store.Update{{ID: int64(10 + i), Raw: "{}"}})
				return err
			})
		}
		if n, _ := s.Offset(t.Context()); n != 12 {
			t.Errorf("got %d; want 12", n)
		}
	})
}

func TestAnAnswerTakesAwayTheProgressMessageAlsoIfThatCameAfterItWasBegun(t *testing.T) {
	for name, kind := range map[string]store.Kind{"a video": store.Deliver, "an apology": store.Apologise} {
		t.Run(name, func(t *testing.T) {
			q := newRetries(newStore(t))
			ask(t, q.store, "Маша", 1, 2, 3)
			early := begin(t, q.store, store.Announce)
			write(t, q.store, func(tx *store.Tx) error { _, err := tx.FinishMessage(&early, 4); return err })
			late := begin(t, q.store, store.Announce)
			if kind == store.Deliver {
				complete(t, q.store)
				video := begin(t, q.store, kind) // the first one uploads it
				write(t, q.store, func(tx *store.Tx) error { return tx.VideoArrived(video.Job, 6, "file-id") })
				write(t, q.store, func(tx *store.Tx) error { return tx.GiveBack(video.Job) })
			} else {
				failForGood(t, q)
			}
			answers := beginAll(t, q.store, kind, 3)
			spent := map[int64]int{}
			write(t, q.store, func(tx *store.Tx) error {
				_, err := tx.FinishMessage(&late, 5)
				for _, task := range answers {
					if err == nil {
						spent[task.To.User], err = tx.FinishMessage(&task, 7)
					}
				}
				return err
			})
			if want := map[int64]int{early.To.User: 4, late.To.User: 5, 3: 0}; !maps.Equal(spent, want) {
				t.Errorf("got %v taken away; want %v", spent, want)
			}
			if n := count(t, q.store, `SELECT count(*) FROM requests WHERE answer_id = 7`); n != 3 {
				t.Errorf("got %d answers kept; want 3", n)
			}
		})
	}
}

func TestTheInboxForgetsWhatIsHandledAndOldAndNothingElse(t *testing.T) {
	s := newStore(t)
	write(t, s, func(tx *store.Tx) error {
		if _, err := tx.Receive([]store.Update{{ID: 1, Raw: "{}"}, {ID: 2, Raw: "{}"}}); err != nil {
			return err
		}
		return tx.Handled(1)
	})
	setNow(s, func() time.Time { return time.Now().Add(6*24*time.Hour + time.Minute) })
	write(t, s, func(tx *store.Tx) error { _, err := tx.Receive([]store.Update{{ID: 3, Raw: "{}"}}); return err })
	write(t, s, func(tx *store.Tx) error { _, _, err := tx.Purge(store.Keep{}); return err })
	left, err := s.Inbox(t.Context())
	if n := count(t, s, `SELECT count(*) FROM inbox`); err != nil || n != 2 || len(left) != 2 || left[0].ID != 2 {
		t.Errorf("got %d rows, %v, %v; want the update that waits and the new one", n, left, err)
	}
}

func TestStatusKnowsWhatWasRetried(t *testing.T) {
	q := newRetries(newStore(t))
	task := func() store.Task { ask(t, q.store, "Маша", 1); return failForGood(t, q) }()
	for _, want := range [][]bool{{false}, {false, true}} {
		list, err := q.store.RequestsOf(t.Context(), 1, 10)
		var got []bool
		for _, w := range list {
			got = append(got, w.Retried)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
		if len(list) == 1 {
			if _, err := q.Retry(t.Context(), task.AssetID, retry.ButtonPressed{User: 1, Chat: 1}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAFinishedVideoOfAnotherLanguageIsNotReused(t *testing.T) {
	s := newStore(t)
	ask(t, s, "Маша", 1)
	complete(t, s)
	write(t, s, func(tx *store.Tx) error {
		if _, err := tx.UpsertUser(2, "en"); err != nil {
			return err
		}
		_, grant, err := tx.ShareOrCreate(
			store.Order{User: 2, Chat: 2, Name: "Маша", Key: "маша", Template: "new-year", Lang: "en"},
			time.UnixMilli(0),
		)
		if grant != store.Created {
			t.Errorf("got %s; want a video in the user's own language", grant)
		}
		return err
	})
}

func TestAStopDoesNotForgetCrashes(t *testing.T) {
	s := newStore(t)
	ask(t, s, "Яд", 1)
	mutate(t, s, `UPDATE jobs SET crashes = 3 WHERE kind = 'RENDER'`)
	task := begin(t, s, store.Render)
	write(t, s, func(tx *store.Tx) error { return tx.GiveBack(task.Job) })
	if n := count(t, s, `SELECT crashes FROM jobs WHERE kind = 'RENDER'`); n != 3 {
		t.Errorf("got %d crashes; want the 3 earlier ones", n)
	}
}

func TestTwoHundredUsersWhoAskForOneNameShareOneAsset(t *testing.T) {
	s := newStore(t)
	var wg sync.WaitGroup
	for u := range 200 {
		wg.Go(func() { ask(t, s, "Маша", int64(u+1)) })
	}
	wg.Wait()
	if a, r := count(t, s, `SELECT count(*) FROM assets`), count(t, s, `SELECT count(*) FROM requests`); a != 1 || r != 200 {
		t.Errorf("got %d assets, %d requests; want 1, 200", a, r)
	}
}

func TestJoiningWhileItCompletesStillGetsTheVideo(t *testing.T) {
	s := newStore(t)
	ask(t, s, "Маша", 1)
	task := begin(t, s, store.Render)
	var wg sync.WaitGroup
	for u := range 50 {
		wg.Go(func() { ask(t, s, "Маша", int64(u+2)) })
	}
	wg.Go(func() {
		if err := s.Tx(context.Background(), func(tx *store.Tx) error { return tx.FinishRender(task.Job, store.Video{File: "f"}) }); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	// Those who came too late to join asked with no reuse and made a second asset; nobody may be left without either.
	if n := count(t, s, `SELECT count(*) FROM requests r WHERE NOT EXISTS (
		SELECT 1 FROM jobs j WHERE j.request_id = r.id AND j.kind = 'DELIVER' OR j.asset_id = r.asset_id AND j.kind = 'RENDER')
		AND NOT EXISTS (SELECT 1 FROM fan_outs c WHERE c.request_id = r.id AND c.kind = 'DELIVER')`); n != 0 {
		t.Errorf("got %d requests for which no work is owed; want 0", n)
	}
}

func TestOneUploadsAndTheOthersWaitForItsFileID(t *testing.T) {
	s := newStore(t)
	ask(t, s, "Маша", 1, 2, 3)
	ask(t, s, "Оля", 4)
	complete(t, s)
	complete(t, s)
	both := beginAll(t, s, store.Deliver, 16)
	if len(both) != 2 || both[0].AssetID == both[1].AssetID {
		t.Fatalf("got %d jobs; want one upload of each video", len(both))
	}
	if more := beginAll(t, s, store.Deliver, 16); len(more) > 0 {
		t.Errorf("got %d jobs; want nothing to claim before the upload ends", len(more))
	}
	write(t, s, func(tx *store.Tx) error { return tx.VideoArrived(both[0].Job, 1, "id") })
	if next := beginAll(t, s, store.Deliver, 16); len(next) != 2 || next[0].Asset.FileID != "id" {
		t.Errorf("got %d jobs; want the two who waited, with the file_id of the upload", len(next))
	}
}

func TestAFinishReportedTwiceCountsOnce(t *testing.T) {
	s := newStore(t)
	ask(t, s, "Маша", 1)
	task := complete(t, s)
	if err := s.Tx(t.Context(), func(tx *store.Tx) error { return tx.FinishRender(task.Job, store.Video{File: "other"}) }); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v; want ErrNotFound", err)
	}
	if n := count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'DELIVER'`); n != 1 {
		t.Errorf("got %d deliveries; want 1", n)
	}
}

func TestButtonDataFitsTelegram(t *testing.T) {
	for range 100 {
		if id := store.NewID(); len(id) > 36 || len(telegram.RetryButton+":"+id) > 64 {
			t.Fatalf("got id %q; want at most 36 characters", id)
		}
	}
	if a, b := store.NewID(), store.NewID(); a == b {
		t.Errorf("got %s twice; want random ids", a)
	}
}
