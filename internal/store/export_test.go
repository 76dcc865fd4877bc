// Tests of exports, and of what is left of a person who was forgotten.

package store_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// peopled is a store with all that can be kept of person 111000111, who is an admin, too, and as much of person
// 222000222; both wait for one video.
func peopled(t *testing.T) *store.Store {
	t.Helper()
	s := newStore(t)
	q := newRetries(s)
	for _, p := range []struct {
		id   int64
		mark string
	}{{111000111, "Марк"}, {222000222, "Глаша"}} {
		ask(t, s, p.mark+"видео", p.id)
		complete(t, s)
		d := begin(t, s, store.Deliver)
		write(t, s, func(tx *store.Tx) error { return tx.VideoArrived(d.Job, int(p.id)+7, "file-id") })
		write(t, s, func(tx *store.Tx) error { _, err := tx.FinishMessage(&d, int(p.id)+8); return err })
		mutate(
			t,
			s,
			`INSERT INTO publications (asset_id, platform, creator, created, status, started, completed, remote_url, metadata)
				VALUES (?, 'RUMBLE', ?, 5000, 'COMPLETED', 1, 2, ?, ?)`,
			d.AssetID,
			p.id,
			"https://rumble.com/"+p.mark,
			`{"title":"`+p.mark+`заголовок"}`,
		)
		ask(t, s, p.mark+"сбой", p.id)
		failForGood(t, q)
		a := begin(t, s, store.Apologise)
		if _, err := q.Retry(t.Context(), a.AssetID,
			retry.JobFailed{Job: a.Job, Err: retry.Permanent(errors.New("blocked by " + p.mark + "человек"))}); err != nil {
			t.Fatal(err)
		}
		ask(t, s, p.mark+"ждёт", p.id)
		complete(t, s)
		mutate(t, s, `UPDATE jobs SET last_error = ? WHERE kind = 'DELIVER' AND fairness_key = ?`, p.mark+"отложено", p.id)
		mutate(t, s, `UPDATE jobs SET due = 9e15`)
		write(t, s, func(tx *store.Tx) error {
			_, err := tx.SaveDraft(p.id, p.mark+"черновик")
			if err == nil {
				_, err = tx.Receive([]store.Update{{ID: p.id + 5, Chat: p.id, Raw: `{"text":"` + p.mark + `письмо"}`}})
			}
			admin := p.id
			return errors.Join(
				err,
				tx.NameAdmin(p.id, p.mark+"зовут", p.mark),
				tx.Note(store.Event{User: p.id, Action: p.mark + "дело"}),
				tx.Note(store.Event{Admin: &admin, Action: p.mark + "служба"}),
				tx.AddUpload(
					store.Asset{
						ID:      store.NewID(),
						Name:    p.mark + "загрузка",
						NameKey: "з" + p.mark,
						Lang:    "ru",
						Creator: &admin,
						Video:   store.Video{File: store.NewID() + ".mp4", Size: 1},
					},
				),
			)
		})
		link := hashOf(p.mark)
		write(t, s, func(tx *store.Tx) error {
			return errors.Join(
				tx.SaveLink(link, p.id, tx.Now().Add(time.Minute)),
				tx.SaveLink(hashOf(p.mark+"2"), p.id, tx.Now().Add(time.Minute)),
			)
		})
		write(t, s, func(tx *store.Tx) error { _, err := tx.SpendLink(link, hashOf("s"+p.mark)); return err })
		write(t, s, func(tx *store.Tx) error {
			_, err := tx.Connect(
				store.Channel{Platform: "YOUTUBE", External: p.mark, Title: p.mark + "канал", Creator: p.id},
				[]byte("secret"),
			)
			return err
		})
	}
	ask(t, s, "Общая", 111000111, 222000222)
	mutate(t, s, `UPDATE users SET unreachable = seen`)
	return s
}

func TestAnExportHoldsAllThatIsKeptOfAPersonAndNothingOfOthers(t *testing.T) {
	s := peopled(t)
	var x store.Export
	write(t, s, func(tx *store.Tx) (err error) { x, err = tx.Export(111000111, true); return err })
	b, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Марквидео", "Марксбой", "blocked by Маркчеловек", "Маркждёт", "Маркотложено",
		"Маркчерновик", "Маркписьмо", "Маркзовут", "Маркдело", "Маркслужба", "Маркзагрузка",
		"Марккана", "Маркзаголовок", "https://rumble.com/Марк", `"telegram_id": 111000111`, `"answer_message": 111000119`,
		"not_reachable_since", "sign_in_links_valid_until", `"last_used"`, "Общая"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("got %s; want %s in it", b, want)
		}
	}
	for _, private := range []string{"Глаша", "222000222", "secret", errEngine.Error()} {
		if strings.Contains(string(b), private) {
			t.Errorf("got %s; want nothing of %q", b, private)
		}
	}
	for _, stamp := range regexp.MustCompile(`"(?:asked|first_wrote|last_wrote|at|since|typed|made|begun)": `+
		`("[^"]*")`).FindAllStringSubmatch(string(b), -1) {
		var at time.Time
		if err := json.Unmarshal([]byte(stamp[1]), &at); err != nil || at.Year() < 1970 || at.Location() != time.UTC {
			t.Errorf("got %s, %v; want a time, UTC", stamp[0], err)
		}
	}
	write(t, s, func(tx *store.Tx) (err error) { x, err = tx.Export(111000111, false); return err })
	if b, err := json.Marshal(x); err != nil || strings.Contains(string(b), "Маркслужба") || x.Admin != nil {
		t.Errorf("got %s, %v; want what is kept of a user alone", b, err)
	}
	write(t, s, func(tx *store.Tx) error {
		if _, err := tx.Export(333, false); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v; want ErrNotFound", err)
		}
		return nil
	})
}

func TestAnExportOfAnAdminHoldsWhatAnAdminIs(t *testing.T) {
	s := newStore(t)
	write(t, s, func(tx *store.Tx) error {
		return errors.Join(
			tx.Appoint(store.Admin{ID: 7, Owner: true}, 0, store.ByCommand),
			tx.KeepAlert(7, "disk", store.Alert{At: time.UnixMilli(1000)}),
			tx.SaveToken([32]byte{1}, 7, "script", store.ScopeRead, 0),
			tx.Invite([32]byte{2}, false, 7),
			tx.KeepAlert(8, "disk", store.Alert{At: time.UnixMilli(2000)}),
		)
	})
	var x store.Export
	write(t, s, func(tx *store.Tx) (err error) { x, err = tx.Export(7, true); return err })
	if a := x.Admin; a == nil || len(a.Tokens) != 1 || !a.Tokens[0].Used.IsZero() || len(a.Invites) != 1 ||
		len(a.Ranks) != 1 || !a.Ranks[0].Owner || len(a.Told) != 1 || a.Told[0].Cause != "disk" ||
		a.Told[0].At.UnixMilli() != 1000 {
		t.Errorf("got %+v; want the rank, what they were told, the token and the invitation", x.Admin)
	}
	write(t, s, func(tx *store.Tx) error { return tx.Dismiss(7, 0) })
	if n := count(t, s, `SELECT count(*) FROM alerts WHERE admin = 7`); n != 0 {
		t.Errorf("got %d rows about one who is no admin any more; want none", n)
	}
}

// TestNothingOfAForgottenPersonIsLeft looks through the whole database.
func TestNothingOfAForgottenPersonIsLeft(t *testing.T) {
	s := peopled(t)
	var gone store.Deleted
	write(t, s, func(tx *store.Tx) (err error) { gone, err = tx.Forget(222000222); return err })
	if len(gone.Kept) != 1 || len(gone.Assets) != 2 {
		t.Fatalf("got %+v; want two videos gone, and the published one left to the admins", gone)
	}
	write(t, s, func(tx *store.Tx) error { return tx.Unpublish(gone.Kept[0], "RUMBLE") })
	write(t, s, func(tx *store.Tx) error { _, err := tx.LetGo(gone.Kept[0]); return err })
	tables, err := texts(t, s, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil || len(tables) < 10 {
		t.Fatal(tables, err)
	}
	for _, table := range tables {
		columns, err := texts(t, s, `SELECT name FROM pragma_table_info(?)`, table)
		if err != nil {
			t.Fatal(err)
		}
		for _, column := range columns {
			// An admin's deeds stay, without which nobody could say who did them, and what they made is the operator's.
			mine := `creator, admin`
			if table == "audit" && column == "action" || table == "assets" && column != "error" || table == "channels" ||
				strings.Contains(mine, column) ||
				table == "name_suffixes" ||
				table == "name_counts" {
				continue
			}
			if n := count(t, s, `SELECT count(*) FROM `+table+` WHERE `+column+` IN (222000222, '222000222') OR `+column+
				` LIKE '%Глаша%'`); n != 0 {
				t.Errorf("%s.%s: got %d rows of the person; want none", table, column, n)
			}
		}
	}
	for query, want := range map[string]int{
		`SELECT count(*) FROM assets WHERE name LIKE 'Глаша%'`:                          1, // the upload of the admin
		`SELECT count(*) FROM assets WHERE creator = 222000222`:                         1, // that one
		`SELECT count(*) FROM audit WHERE action = 'Глашаслужба' AND admin = 222000222`: 1,
		`SELECT count(*) FROM audit WHERE action = 'Глашадело'`:                         1, // that somebody did it
		`SELECT count(*) FROM name_counts WHERE name_key LIKE '%глаша%'`:                0,
		`SELECT count(*) FROM sessions`:                                                 1,
		`SELECT count(*) FROM links`:                                                    1,
		`SELECT count(*) FROM requests r JOIN assets a ON a.id = asset_id`:              4, // those of the other
	} {
		if n := count(t, s, query); n != want {
			t.Errorf("%s: got %d; want %d", query, n, want)
		}
	}
	sound(t, s)
}
