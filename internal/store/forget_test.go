// Tests of a person who asks to be forgotten, with everything in every state.

package store

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

const (
	forgotten = int64(777_000_777)
	other     = int64(888_000_888)
	childName = "Глафирочка"
)

// left returns which of some texts the files of the database hold anywhere: rows, free pages or the log.
func left(t *testing.T, s *Store, texts ...string) (found []string) {
	t.Helper()
	if err := s.db.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-wal"} {
		content, err := os.ReadFile(s.Path() + end)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, text := range texts {
			if bytes.Contains(content, []byte(text)) {
				found = append(found, text+" in *"+end)
			}
		}
	}
	return found
}

func TestForget_InEveryStateOfAVideoNothingIsLeft(t *testing.T) {
	// Each leads the wish from where the one before it has led it.
	states := []struct {
		name string
		next func(t *testing.T, s *Store)
	}{
		{"asked for", func(*testing.T, *Store) {}},
		{"being made", func(t *testing.T, s *Store) { claims(t, s, Render, 1) }},
		{"waiting for another attempt", func(t *testing.T, s *Store) {
			do(t, s, func(tx *Tx) error {
				jobs, err := tx.Orphans()
				if err == nil {
					err = tx.Reschedule(jobs[0], tx.Now(), "engine: "+childName)
				}
				return err
			})
		}},
		{"made", func(t *testing.T, s *Store) {
			task := claims(t, s, Render, 1)[0]
			do(t, s, func(tx *Tx) error { return tx.FinishRender(task.Job, Video{File: "file", Thumb: "thumb", Size: 9}) })
		}},
		{"being sent", func(t *testing.T, s *Store) { claims(t, s, Deliver, 1) }},
		{"sent", func(t *testing.T, s *Store) {
			do(t, s, func(tx *Tx) error {
				jobs, err := tx.Orphans()
				if err == nil {
					err = tx.VideoArrived(jobs[0], 5, "handle-of-telegram")
				}
				return err
			})
		}},
	}
	for _, shared := range []bool{false, true} {
		for until := range states {
			t.Run(fmt.Sprintf("%s, shared %v", states[until].name, shared), func(t *testing.T) {
				s := fresh(t)
				var asset Asset
				var draft string
				do(t, s, func(tx *Tx) (err error) {
					if _, err = tx.Receive([]Update{{ID: 1, Chat: forgotten, Raw: childName}, {ID: 2, Chat: forgotten, Raw: childName}}); err != nil {
						return err
					}
					if err = tx.Handled(1); err != nil {
						return err
					}
					asset = asks(t, tx, forgotten, childName)
					if shared {
						asks(t, tx, other, childName)
					}
					if err = tx.Note(Event{User: forgotten, Action: "ask", AssetID: asset.ID}); err != nil {
						return err
					}
					if err = tx.SaveLink([32]byte{1}, forgotten, tx.Now().Add(time.Minute)); err != nil {
						return err
					}
					draft, err = tx.SaveDraft(forgotten, childName)
					return err
				})
				for _, state := range states[:until+1] {
					state.next(t, s)
				}
				var gone Deleted
				do(t, s, func(tx *Tx) (err error) { gone, err = tx.Forget(forgotten); return err })

				numbers := map[string]int64{}
				for _, column := range []string{"users.id", "requests.user_id", "drafts.user_id", "jobs.fairness_key", "inbox.chat_id", "links.admin",
					"audit.user_id"} {
					table, name, _ := bytes.Cut([]byte(column), []byte("."))
					var n int64
					if err := s.db.Read().QueryRow(fmt.Sprintf(`SELECT count(*) FROM %s WHERE %s = %d`, table, name, forgotten)).Scan(&n); err != nil {
						t.Fatal(err)
					}
					if n != 0 {
						numbers[column] = n
					}
				}
				if len(numbers) > 0 {
					t.Errorf("got rows that name the person: %v", numbers)
				}
				_, err := s.Asset(t.Context(), asset.ID)
				switch {
				case shared && (err != nil || len(gone.Assets) > 0 || len(gone.Files) > 0):
					t.Errorf("got %v, %+v; want the video kept for the other", err, gone)
				case !shared:
					if !slices.Equal(gone.Assets, []string{asset.ID}) || !slices.Contains(gone.Names, childName) {
						t.Errorf("got %+v; want the video and how its name sounds gone", gone)
					}
					if until >= 3 && !slices.Equal(gone.Files, []string{"file", "thumb"}) {
						t.Errorf("got %q; want both files gone", gone.Files)
					}
					if found := left(t, s, childName, draft, "handle-of-telegram", fmt.Sprint(forgotten)); len(found) > 0 {
						t.Errorf("got %q; want nothing of it in the files", found)
					}
				}
				if shared && until < 3 { // the other still gets it
					do(t, s, func(tx *Tx) error {
						jobs, err := tx.Orphans()
						for _, j := range jobs {
							err = tx.GiveBack(j)
						}
						return err
					})
					task := claims(t, s, Render, 1)
					if len(task) != 1 {
						t.Fatal("got no render; want the other served")
					}
					do(t, s, func(tx *Tx) error { return tx.FinishRender(task[0].Job, Video{File: "file"}) })
					if sent := claims(t, s, Deliver, 9); len(sent) != 1 || sent[0].To.User != other {
						t.Errorf("got %+v; want one video for the other", sent)
					}
				}
			})
		}
	}
}

func TestForget_InEveryStateOfAPublicationNothingIsPublishedLater(t *testing.T) {
	for name, c := range map[string]struct {
		set  string // of the publication
		kept bool   // something is on the platform, or may be
	}{
		"waiting":                  {`status = 'PENDING'`, false},
		"scheduled":                {`status = 'PENDING', step = 'scheduled', publish_at = 99`, false},
		"being sent":               {`status = 'PROCESSING', started = 1, step = 'uploading', session_uri = 's', session_at = 1, sent = 3`, true},
		"processed":                {`status = 'PROCESSING', started = 1, step = 'processing', remote_id = 'r'`, true},
		"published":                {`status = 'COMPLETED', completed = 1, remote_id = 'r'`, true},
		"published by hand":        {`status = 'COMPLETED', completed = 1, step = 'manual'`, true},
		"failed before it began":   {`status = 'FAILED', error = 'e', completed = 1, step = 'reconnect'`, false},
		"failed in between":        {`status = 'FAILED', error = 'e', completed = 1, step = 'reconnect', session_uri = 's', session_at = 1`, true},
		"failed, and is there":     {`status = 'FAILED', error = 'e', completed = 1, step = 'rejected', remote_id = 'r'`, true},
		"perhaps there":            {`status = 'FAILED', error = 'e', completed = 1, step = 'unknown'`, true},
		"on Rumble, all of it out": {`platform = 'RUMBLE', status = 'PROCESSING', started = 1, step = 'uploading', sent = 9`, true},
		"on Rumble, in between":    {`platform = 'RUMBLE', status = 'PROCESSING', started = 1, step = 'uploading', sent = 3`, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := fresh(t)
			var asset Asset
			do(t, s, func(tx *Tx) error { asset = asks(t, tx, forgotten, childName); return nil })
			task := claims(t, s, Render, 1)[0]
			do(t, s, func(tx *Tx) error {
				if err := tx.FinishRender(task.Job, Video{File: "file", Size: 9}); err != nil {
					return err
				}
				platform := "YOUTUBE"
				if bytes.Contains([]byte(c.set), []byte("RUMBLE")) {
					platform = "RUMBLE"
				}
				for _, statement := range []string{
					`INSERT INTO channels (id, platform, external_id, title, state, token, creator, connected, checked)
						VALUES (1, 'YOUTUBE', 'UC', 'x', 'CONNECTED', x'00', 8, 1, 1)`,
					`INSERT INTO publications (id, asset_id, platform, channel_id, creator, created) VALUES (1, '` + asset.ID + `', '` + platform + `', 1, 8, 1)`,
					`UPDATE publications SET ` + c.set + ` WHERE id = 1`,
					`UPDATE assets SET file_id = 'handle-of-telegram'`,
					`INSERT INTO jobs (kind, asset_id, publication_id, fairness_key, position, due, created) SELECT 'PUBLISH', asset_id, id, 8, 1, 0, 1
						FROM publications WHERE status IN ('PENDING', 'PROCESSING')`,
				} {
					if _, err := tx.sql.Exec(statement); err != nil {
						return fmt.Errorf("%s: %w", statement, err)
					}
				}
				return nil
			})
			var gone Deleted
			do(t, s, func(tx *Tx) (err error) { gone, err = tx.Forget(forgotten); return err })
			a, err := s.Asset(t.Context(), asset.ID)
			if kept := err == nil; kept != c.kept || slices.Contains(gone.Kept, asset.ID) != kept {
				t.Fatalf("got %v, %+v; want it kept for the admins: %v", err, gone, c.kept)
			}
			if c.kept && (a.DeleteRequested.IsZero() || a.FileID != "") {
				t.Errorf("got %v, %q; want it unwanted, without Telegram's handle", a.DeleteRequested, a.FileID)
			}
			if tasks := claims(t, s, Publish, 9); len(tasks) > 0 {
				t.Errorf("got %+v; want nothing published any more", tasks)
			}
			do(t, s, func(tx *Tx) error { // nobody else is given it
				next := asks(t, tx, other, childName)
				if next.ID == asset.ID {
					t.Error("got the video of the person who was forgotten; want another made")
				}
				return nil
			})
		})
	}
}
