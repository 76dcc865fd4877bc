// A test of how SQLite runs all statements of the writer: one that reads a growing table from end to end holds up all
// other writers meanwhile.

package store

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/db/dbtest"
)

// growing are the tables that grow with what people do.
var growing = []string{"users", "drafts", "assets", "name_counts", "name_suffixes", "requests", "publications", "jobs", "attempts",
	"inbox", "uploads", "ledger", "audit", "consents", "announced", "bans"}

// partial are the indexes of the few rows that wait for something.
var partial = regexp.MustCompile(`^SCAN \w+ USING (COVERING )?INDEX (requests_restore_hold|inbox_restore_hold|inbox_waiting|inbox_set_aside)$`)

// exceptions are the beginnings of statements that may read all of such a table, and why.
var exceptions = map[string]string{
	`SELECT id, kind, asset_id, ifnull(request_id, 0), ifnull(publication_id, 0), attempt, `:             "once at the start",
	`SELECT id, session_uri FROM publications WHERE session_uri LIKE '%:%'`:                              "once at the start",
	`UPDATE jobs SET waiting_since = max(waiting_since + ?, 1)`:                                          "once when the clock is set",
	`SELECT at, action, ifnull(asset_id, ''), ifnull(platform, ''), outcome FROM audit WHERE admin`:      "the export of an admin",
	`SELECT id, name, created FROM assets WHERE creator`:                                                 "the export of an admin",
	`SELECT p.platform, p.status, ifnull(p.metadata ->> 'title'`:                                         "the export of an admin",
	`SELECT id FROM (WITH block AS (SELECT id, rowid AS n, created AS t FROM drafts`:                     "it stops at the first rows",
	`DELETE FROM publications AS p WHERE p.asset_id IN (SELECT id FROM assets WHERE delete_requested_at`: "p is another table of a trigger",
}

func TestWriter_NoStatementReadsAGrowingTable(t *testing.T) {
	seen := dbtest.CollectStatements(t)
	s := fresh(t)
	populate(t, s)
	callEverything(t, s)
	statements := seen.All()
	if len(statements) < 200 {
		t.Errorf("got %d statements; want those of all methods", len(statements))
	}
	used := map[string]bool{}
	for _, statement := range statements {
		query := strings.Join(strings.Fields(statement.Query), " ")
		if inTests.MatchString(query) {
			continue
		}
		statement.Plan = slices.DeleteFunc(statement.Plan, partial.MatchString)
		scanned := statement.Scans(growing...)
		for begins := range exceptions {
			if strings.HasPrefix(query, begins) {
				used[begins] = true
				scanned = nil
			}
		}
		if len(scanned) > 0 {
			t.Errorf("%s\nreads all of %v:\n%s", query, scanned, strings.Join(statement.Plan, "\n"))
		}
	}
	for begins := range exceptions {
		if !used[begins] {
			t.Errorf("%s: no statement begins so", begins)
		}
	}
}

// inTests picks the statements of the schema and of populate.
var inTests = regexp.MustCompile(`^(CREATE|PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|/\* test)`)

// populate makes a database with an asset, a job and a publication in every state.
func populate(t *testing.T, s *Store) {
	t.Helper()
	do(t, s, func(tx *Tx) error {
		for _, statement := range []string{
			`INSERT INTO users (id, lang, created) VALUES (1, 'ru', 1), (2, 'ru', 1), (3, 'ru', 1)`,
			`INSERT INTO channels (id, platform, external_id, title, state, token, creator, connected, checked)
				VALUES (1, 'YOUTUBE', 'UC', 'x', 'CONNECTED', x'00', 1, 1, 1)`,
			`INSERT INTO channels (id, platform, external_id, title, state, token, error, creator, connected, checked)
				VALUES (2, 'YOUTUBE', 'UC2', 'x', 'ENDED', x'00', 'x', 1, 1, 1)`,
			`INSERT INTO drafts (id, user_id, name, created) VALUES ('x', 1, 'x', 1)`,
			`INSERT INTO inbox (update_id, chat_id, raw, received) VALUES (1, 1, 'x', 1), (5, 2, 'x', 1)`,
			`INSERT INTO inbox (update_id, chat_id, raw, received, restore_hold) VALUES (6, 2, 'x', 1, 1)`,
			`INSERT INTO inbox (update_id, chat_id, raw, received, error, set_aside) VALUES (8, 2, 'x', 1, 'e', 1)`,
			`INSERT INTO bans (chat_id, since) VALUES (9, 1)`,
			`INSERT INTO admins (id, owner, added) VALUES (1, 0, 1)`,
			`INSERT INTO outage (id, began, reason) VALUES (1, 1, 'x')`,
		} {
			if _, err := tx.sql.Exec("/* test */ " + statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		for i, status := range []string{"PENDING", "PROCESSING", "COMPLETED", "FAILED", "COMPLETED", "COMPLETED"} {
			id := stated(i)
			for _, statement := range []string{
				`INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, error, needs_attention, created, finished, delete_requested_at)
					VALUES (?1, 'n' || ?2, 'n' || ?2, 't', 'ru', 'REQUEST', ?3, iif(?3 = 'COMPLETED', 'f', NULL),
					iif(?3 = 'FAILED', 'e', NULL), ?3 = 'FAILED', 1, iif(?3 IN ('COMPLETED', 'FAILED'), 2, NULL), iif(?2 = 4, 3, NULL))`,
				`INSERT INTO requests (id, user_id, asset_id, chat_id, status, progress_id, created, finished, restore_hold, undelivered)
					VALUES (10 + ?2, 1 + ?2 % 2, ?1, 1, iif(?3 = 'COMPLETED', 'PROCESSING', ?3), 7, 1, iif(?3 = 'FAILED', 1, NULL), ?2 = 5,
					iif(?2 = 5, 1, NULL))`,
				`INSERT INTO jobs (kind, asset_id, request_id, fairness_key, position, due, attempt, started, created)
					SELECT iif(?2 < 2, 'RENDER', iif(?2 = 3, 'APOLOGISE', 'DELIVER')), ?1, iif(?2 < 2, NULL, 10 + ?2), 1, 1, 0,
					iif(?3 = 'PENDING', 0, 1), iif(?3 = 'PENDING', NULL, 1), 1 WHERE ?2 < 5`,
				`INSERT INTO publications (id, asset_id, platform, channel_id, creator, status, step, error, created, started, completed,
					remote_id, session_uri, session_at) SELECT 20 + ?2, ?1, 'YOUTUBE', 1, 1, s, iif(s = 'FAILED', 'reconnect', ''),
					iif(s = 'FAILED', 'e', NULL), 1, iif(s = 'PENDING', NULL, 1), iif(s IN ('COMPLETED', 'FAILED'), 2, NULL),
					iif(s = 'COMPLETED', 'r' || ?2, NULL), iif(s = 'PROCESSING', 's', NULL), iif(s = 'PROCESSING', 1, NULL)
					FROM (SELECT iif(?2 = 2, 'PROCESSING', iif(?2 = 4, 'FAILED', 'COMPLETED')) s) WHERE ?3 = 'COMPLETED' OR ?3 = ''`,
				`INSERT INTO jobs (kind, asset_id, publication_id, fairness_key, position, due, attempt, started, created)
					SELECT 'PUBLISH', ?1, 20 + ?2, 1, 1, 0, 1, 1, 1 WHERE ?2 = 2 AND ?3 <> ''`,
			} {
				if _, err := tx.sql.Exec("/* test */ "+statement, id, i, status); err != nil {
					return fmt.Errorf("%s: %w", statement, err)
				}
			}
		}
		for user := range int64(40) {
			asks(t, tx, 100+user, "crowd")
		}
		return nil
	})
}

// stated is the id of the asset with a number.
func stated(i int) string { return fmt.Sprintf("%026d", i) }

var errUndo = errors.New("undone by the test")

// callEverything calls each method of a transaction in many ways, and takes back what each did.
func callEverything(t *testing.T, s *Store) {
	t.Helper()
	callEach(t, s, func(_ *Tx, _ string, call func()) { call() })
}

// callEach does it within do, which is told the name of the method.
func callEach(t *testing.T, s *Store, within func(tx *Tx, method string, call func())) {
	t.Helper()
	var jobs []Job
	do(t, s, func(tx *Tx) error {
		rows, err := tx.sql.Query(`/* test */ SELECT ` + jobColumns + ` FROM jobs ORDER BY id`)
		jobs, err = collect(rows, err, func(j *Job) error { var started int64; return rows.Scan(j.into(&started)...) })
		return err
	})
	all := reflect.TypeFor[*Tx]()
	for i := range all.NumMethod() {
		method := all.Method(i)
		for variant := range 48 {
			err := s.Tx(t.Context(), func(tx *Tx) (err error) {
				defer func() {
					if p := recover(); p != nil {
						err = fmt.Errorf("%s: %v", method.Name, p)
					}
				}()
				in := []reflect.Value{reflect.ValueOf(tx)}
				texts := 0
				for n := 1; n < method.Type.NumIn(); n++ {
					in = append(in, argument(method.Type.In(n), variant, &texts, jobs))
				}
				within(tx, method.Name, func() {
					if method.Type.IsVariadic() {
						method.Func.CallSlice(in)
					} else {
						method.Func.Call(in)
					}
				})
				return errUndo
			})
			if !errors.Is(err, errUndo) {
				t.Errorf("%s: %v", method.Name, err)
				break
			}
		}
	}
}

// argument makes one of a type. texts counts those before it: the first names an asset, the second a platform.
func argument(of reflect.Type, variant int, texts *int, jobs []Job) reflect.Value {
	id, admin := stated(variant%6), int64(1)
	j := jobs[variant%len(jobs)]
	publication := Publication{ID: int64(20 + variant%6), Platform: "YOUTUBE", Channel: 1, Creator: 1, Upload: Upload{ID: "r"}}
	switch of {
	case reflect.TypeFor[string]():
		*texts++
		if *texts == 1 {
			return reflect.ValueOf([]string{id, id, "x"}[variant/6%3])
		}
		return reflect.ValueOf("YOUTUBE")
	case reflect.TypeFor[time.Time]():
		return reflect.ValueOf(time.Now())
	case reflect.TypeFor[Job]():
		return reflect.ValueOf(j)
	case reflect.TypeFor[*Task]():
		return reflect.ValueOf(&Task{Job: j, To: Recipient{User: 1, Chat: 1, Progress: 7 * (variant % 2)}})
	case reflect.TypeFor[Asset]():
		return reflect.ValueOf(Asset{ID: id, Name: "n", NameKey: fmt.Sprint("n", variant%6), Template: "t", Lang: "ru", Creator: &admin,
			Status: []Status{Pending, Completed, Failed}[variant%3], Video: Video{File: "f"}})
	case reflect.TypeFor[Order]():
		w := Order{User: 1, Chat: 1, Name: "n", Key: fmt.Sprint("n", variant%8), Template: "t", Lang: "ru"}
		if variant%2 == 1 {
			w.Admin = &admin
		}
		return reflect.ValueOf(w)
	case reflect.TypeFor[Publication]():
		return reflect.ValueOf(publication)
	case reflect.TypeFor[Upload]():
		return reflect.ValueOf(Upload{Session: "s", Since: time.Now(), ID: "id", URL: "u"})
	case reflect.TypeFor[Channel]():
		return reflect.ValueOf(Channel{ID: 1, Platform: "YOUTUBE", External: "UC", Title: "x", Creator: 1})
	case reflect.TypeFor[Look]():
		return reflect.ValueOf(Look{AssetID: id, Publication: publication})
	case reflect.TypeFor[Withdrawal]():
		return reflect.ValueOf(Withdrawal{AssetID: id, Publication: publication})
	case reflect.TypeFor[Event]():
		return reflect.ValueOf(Event{User: 1, Action: "ask", AssetID: id})
	case reflect.TypeFor[Admin]():
		return reflect.ValueOf(Admin{ID: 1})
	case reflect.TypeFor[[]Update]():
		return reflect.ValueOf([]Update{{ID: 77, Chat: 1, Raw: "x"}})
	case reflect.TypeFor[Kind]():
		return reflect.ValueOf([]Kind{Render, Announce, Deliver, Apologise, Publish}[variant%5])
	case reflect.TypeFor[Keep]():
		keep := []time.Duration{0, time.Hour}
		return reflect.ValueOf(Keep{Inbox: keep[variant%2], Videos: keep[variant/2%2], History: keep[variant/4%2], People: keep[variant/8%2]})
	case reflect.TypeFor[Limits]():
		return reflect.ValueOf(Limits{Open: 100, Hour: 1, Day: 1, All: 1})
	case reflect.TypeFor[func(int64) (Admin, bool)]():
		return reflect.ValueOf(func(int64) (Admin, bool) { return Admin{}, false })
	case reflect.TypeFor[map[string]int]():
		return reflect.ValueOf(map[string]int{id: 1, "assets": 10, "requests": 10, "users": 10, "audit": 10, "attempts": 10, "inbox": 10})
	}
	switch of.Kind() {
	case reflect.Int64:
		return reflect.ValueOf([]int64{1, 2, int64(10 + variant%6), int64(20 + variant%6)}[variant%4]).Convert(of)
	case reflect.Int:
		return reflect.ValueOf(5).Convert(of)
	case reflect.Bool:
		return reflect.ValueOf(variant%2 == 1)
	case reflect.Slice:
		if of.Elem().Kind() == reflect.Uint8 {
			return reflect.ValueOf([]byte{1})
		}
	}
	return reflect.Zero(of)
}
