// Tests of what needs an admin and of the filters of the library: what is found, and what it costs to find it.

package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// tale is a store to which things happen one after another. Its assets are called a1, a2, … in the order they were
// made.
type tale struct {
	t   testing.TB
	q   *retries
	at  time.Time
	ids []string
}

func newTale(t testing.TB) *tale {
	s := &tale{t: t, q: newRetries(newStore(t)), at: time.UnixMilli(1_000_000_000_000)}
	setNow(s.q.store, func() time.Time { return s.at })
	return s
}

// tell makes the steps of a story happen, a second apart. What cannot be done is not.
func (s *tale) tell(story string) {
	s.t.Helper()
	for step := range strings.SplitSeq(story, "; ") {
		words, n := strings.Fields(step), int64(0)
		s.at = s.at.Add(time.Second)
		for _, word := range words[1:] {
			fmt.Sscan(word, &n)
		}
		id := ""
		if last := words[len(words)-1]; last[0] == 'a' {
			var nth int
			fmt.Sscanf(last, "a%d", &nth)
			id = s.ids[nth-1]
		}
		var err error
		st := s.q.store
		switch words[0] {
		case "ask": // user n for a name
			ask(s.t, st, words[1], n)
		case "make": // by admin n
			err = st.Tx(s.t.Context(), func(tx *store.Tx) error {
				_, _, err := tx.ShareOrCreate(
					store.Order{Admin: &n, Name: words[1], Key: strings.ToLower(words[1]), Template: "new-year", Lang: "ru"},
					tx.Now(),
				)
				return err
			})
		case "fail", "done": // the next render
			var tasks []store.Task
			if err = st.Tx(s.t.Context(), func(tx *store.Tx) (err error) {
				tasks,
					err = tx.Claim(store.Render, false, 1)
				return err
			}); err != nil ||
				len(tasks) == 0 {
				break
			}
			task := tasks[0]
			s.at = s.at.Add(time.Second)
			if words[0] == "fail" {
				_, err = s.q.Retry(s.t.Context(), task.AssetID, retry.JobFailed{Job: task.Job, Err: retry.Permanent(errEngine)})
			} else {
				err = st.Tx(s.t.Context(), func(tx *store.Tx) error {
					return tx.FinishRender(task.Job,
						store.Video{File: task.AssetID, Size: 1})
				})
			}
		case "press": // user n
			_, err = s.q.Retry(s.t.Context(), id, retry.ButtonPressed{User: n, Chat: n})
		case "retry": // the owner
			_, err = s.q.Retry(s.t.Context(), id, retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}})
		case "cancel": // user n
			err = st.Tx(s.t.Context(), func(tx *store.Tx) error { _, err := tx.Cancel(n, id); return err })
		case "forget": // user n
			err = st.Tx(s.t.Context(), func(tx *store.Tx) error { _, err := tx.Forget(n); return err })
		case "block": // user n
			err = st.Tx(s.t.Context(), func(tx *store.Tx) error { return tx.SetReachable(n, false) })
		case "delete":
			mutate(s.t, st, `DELETE FROM assets WHERE id = ?`, id)
		case "back": // the clock, by so many seconds
			s.at = s.at.Add(-time.Duration(n) * time.Second)
		default:
			s.t.Fatalf("unknown step %q", step)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrForbidden) &&
			!errors.Is(err, store.ErrNotFailed) {
			s.t.Fatalf("%s: %v", step, err)
		}
		for _, id := range strings.Fields(text(s.t, st, `SELECT group_concat(id, ' ') FROM (SELECT id FROM assets
			ORDER BY rowid)`)) {
			if !slices.Contains(s.ids, id) {
				s.ids = append(s.ids, id)
			}
		}
	}
}

// flagged lists the assets that need an admin.
func (s *tale) flagged() (names []string) {
	for _, id := range strings.Fields(text(s.t, s.q.store, `SELECT group_concat(id, ' ') FROM assets WHERE needs_attention`)) {
		names = append(names, fmt.Sprintf("a%d", slices.Index(s.ids, id)+1))
	}
	slices.Sort(names)
	return names
}

func TestWhatNeedsAnAdmin(t *testing.T) {
	for name, c := range map[string]struct {
		story  string
		want   string // assets with the flag
		people int    // who would be told
		seven  int    // of those, admin 7 may retry
		masha  int    // of those, a search for маша finds
	}{
		"a failure":                          {"ask Маша 1; fail", "a1", 1, 0, 1},
		"what waits, runs or works does not": {"ask Маша 1; done; ask Лев 1; ask Ева 2", "", 0, 0, 0},
		"a user who tries again":             {"ask Маша 1; fail; press 1 a1", "", 0, 0, 0},
		"one user of two who tries again":    {"ask Маша 1; ask Маша 2; fail; press 1 a1", "", 0, 0, 0},
		"a successor that fails, too":        {"ask Маша 1; ask Маша 2; fail; press 1 a1; fail", "a2", 2, 0, 1},
		"an earlier try failed somebody else": {"ask Маша 1; ask Маша 2; fail; press 1 a1; fail; ask " +
			"Маша 1", "a2", 1, 0, 1},
		"a successor that works":     {"ask Маша 1; fail; press 1 a1; done", "", 0, 0, 0},
		"a successor of a successor": {"ask Маша 1; fail; press 1 a1; fail; press 1 a2", "", 0, 0, 0},
		"an admin who tries again":   {"ask Маша 1; ask Маша 2; fail; retry a1", "", 0, 0, 0},
		"an admin's second try": {"ask Маша 1; ask Маша 2; fail; retry a1; fail; " +
			"retry a1", "", 0, 0, 0},
		"the only user asks again":            {"ask Маша 1; fail; ask Маша 1", "", 0, 0, 0},
		"one of two asks again":               {"ask Маша 1; ask Маша 2; fail; ask Маша 1", "a1", 1, 0, 1},
		"one of two asks again and is served": {"ask Маша 1; ask Маша 2; fail; ask Маша 1; done", "a1", 1, 0, 1},
		"both ask again, one after the other": {"ask Маша 1; ask Маша 2; fail; ask Маша 1; ask Маша 2",
			"", 0, 0, 0},
		"the second joins what the first was served with": {"ask Маша 1; ask Маша 2; fail; ask Маша 1; done; " +
			"press 2 a1", "", 0, 0, 0},
		"somebody else asks for the name":         {"ask Маша 1; fail; ask Маша 2", "a1", 1, 0, 1},
		"somebody else asks for another name":     {"ask Маша 1; fail; ask Лев 1", "a1", 1, 0, 1},
		"the new wish fails, too":                 {"ask Маша 1; ask Маша 2; fail; ask Маша 1; fail", "a1 a2", 2, 0, 2},
		"two wishes, of which one is tried again": {"ask Маша 1; fail; ask Маша 2; fail; retry a1", "a2", 1, 0, 1},
		"two wishes, of which each is tried again": {"ask Маша 1; fail; ask Маша 2; fail; retry a1; retry a2",
			"", 0, 0, 0},
		"a user who is forgotten takes the video along": {"ask Маша 1; fail; forget 1", "", 0, 0, 0},
		"one of two is forgotten":                       {"ask Маша 1; ask Маша 2; fail; forget 1", "a1", 1, 0, 1},
		"the one who did not ask again is forgotten":    {"ask Маша 1; ask Маша 2; fail; ask Маша 1; forget 2", "", 0, 0, 0},
		"anyone who cancels has asked again":            {"ask Маша 1; fail; ask Маша 1; cancel 1 a2", "", 0, 0, 0},
		"a successor that is cancelled":                 {"ask Маша 1; fail; press 1 a1; cancel 1 a2", "", 0, 0, 0},
		"a failure that is deleted":                     {"ask Маша 1; fail; delete a1", "", 0, 0, 0},
		"the first of two tries is deleted": {"ask Маша 1; ask Маша 2; fail; press 1 a1; fail; " +
			"delete a1", "a2", 1, 0, 1},
		"the first of two tries was all that kept it": {"ask Маша 1; ask Маша 2; fail; press 2 a1; fail; ask Маша 2; " +
			"delete a1", "", 0, 0, 0},
		"what replaced it is deleted":                 {"ask Маша 1; fail; ask Маша 1; done; delete a2", "", 0, 0, 0},
		"an admin's video that nobody waits for":      {"make Ева 7; fail", "a1", 0, 1, 0},
		"an admin's video, and an asker of it":        {"make Ева 7; ask Ева 1; fail", "a1", 1, 1, 0},
		"an admin's video, made for somebody since":   {"make Ева 7; fail; ask Ева 1", "", 0, 0, 0},
		"an admin's video that is tried again":        {"make Ева 7; fail; retry a1; fail", "a2", 0, 1, 0},
		"an admin's video beside a failure of others": {"ask Ева 1; fail; make Ева 7; fail; make Ева 9", "a1", 1, 0, 0},
		"a search finds some": {"make Ева 7; fail; ask Маша 1; fail; ask Лев 2; fail",
			"a1 a2 a3", 2, 1, 1},
		"somebody whom no message reaches": {"ask Маша 1; ask Маша 2; fail; block 2", "a1", 1, 0, 1},
		"a person is counted once":         {"ask Маша 1; fail; ask Лев 1; fail", "a1 a2", 1, 0, 1},
		"a clock that was set back":        {"make Ева 7; done; make Ева 7; back 900; fail", "", 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTale(t)
			s.tell(c.story)
			if got := strings.Join(s.flagged(), " "); got != c.want {
				t.Errorf("got %q; want %q", got, c.want)
			}
			for _, look := range []struct {
				name  string
				admin store.Admin
				f     store.Filter
				want  int
			}{
				{"an owner", store.Admin{ID: 8, Owner: true}, store.Filter{}, len(strings.Fields(c.want))},
				{"an owner's failed ones", store.Admin{ID: 8, Owner: true}, store.Filter{Status: store.Failed},
					len(strings.Fields(c.want))},
				{"an owner's search", store.Admin{ID: 8, Owner: true}, store.Filter{Search: "маша"}, c.masha},
				{"an owner's finished ones", store.Admin{ID: 8, Owner: true}, store.Filter{Status: store.Completed}, 0},
				{"admin 7", store.Admin{ID: 7}, store.Filter{}, c.seven},
				{"admin 7's search", store.Admin{ID: 7}, store.Filter{Search: "ев"}, c.seven},
				{"admin 7's vain search", store.Admin{ID: 7}, store.Filter{Search: "маша"}, 0},
				{"admin 7's waiting ones", store.Admin{ID: 7}, store.Filter{Status: store.Pending}, 0},
			} {
				look.f.Limit = 100
				n, err := s.q.store.Needs(t.Context(), look.admin, look.f)
				need, err2 := s.q.store.NeedYou(t.Context(), look.admin, look.f)
				list, err3 := s.q.store.NeedsAttention(
					t.Context(),
					look.admin,
					look.f,
					store.NeedsAttention{},
					store.NeedsAttention{Failed: s.at.AddDate(20, 0, 0)},
				)
				if err := errors.Join(err, err2, err3); err != nil {
					t.Fatal(err)
				}
				if n != look.want || need.Count != n || len(need.Names) != n || len(list) != n || n > 0 != (need.Newest != "") {
					t.Errorf("%s: got %d, %+v and %v; want %d", look.name, n, need, list, look.want)
				}
				if look.name == "an owner" && need.People != c.people {
					t.Errorf("got %d people; want %d", need.People, c.people)
				}
			}
			// What tries again reaches exactly those people.
			told := map[int64]bool{}
			write(t, s.q.store, func(tx *store.Tx) error {
				list, err := s.q.store.NeedsAttention(
					t.Context(),
					store.Admin{Owner: true},
					store.Filter{Limit: 100},
					store.NeedsAttention{},
					store.NeedsAttention{Failed: s.at.AddDate(20, 0, 0)},
				)
				for _, n := range list {
					all, err2 := tx.Unserved(store.Asset{ID: n.ID}, 0, 1000)
					err = errors.Join(err, err2)
					for _, w := range all {
						told[w.User] = true
					}
				}
				return err
			})
			if got := len(told) - count(t, s.q.store,
				`SELECT count(*) FROM users WHERE unreachable IS NOT NULL`); got != c.people {
				t.Errorf("got %d people whom Retry reaches; want %d", got, c.people)
			}
		})
	}
}

// modelled works out again which of the flagged assets still need somebody, from nothing but what the tables say.
func (s *tale) modelled(flagged map[string]bool) {
	type asset struct {
		id, key, earlier, status string
		finished                 int64
	}
	type request struct {
		user   int64
		asset  string
		failed bool
	}
	st := s.q.store
	rows, err := readDB(
		s.t,
		st,
	).Query(`SELECT id, name_key, ifnull(retry_of, ''), status, ifnull(finished, 0) FROM assets`)
	assets, err := collect(
		rows,
		err,
		func(a *asset) error { return rows.Scan(&a.id, &a.key, &a.earlier, &a.status, &a.finished) },
	)
	if err != nil {
		s.t.Fatal(err)
	}
	rows, err = readDB(s.t, st).Query(`SELECT user_id, asset_id, status = 'FAILED' FROM requests ORDER BY id`)
	requests, err := collect(rows, err, func(r *request) error { return rows.Scan(&r.user, &r.asset, &r.failed) })
	if err != nil {
		s.t.Fatal(err)
	}
	byID := map[string]asset{}
	for _, a := range assets {
		byID[a.id] = a
	}
	for id, needs := range flagged {
		a, here := byID[id]
		if !here {
			delete(flagged, id)
			continue
		}
		successor, twin, unserved, line := false, false, false, map[string]bool{}
		for _, b := range assets {
			successor = successor || b.earlier == id
			twin = twin || b.key == a.key && (b.finished == 0 || b.status == "COMPLETED" && b.finished >= a.finished)
		}
		for e := id; e != ""; e = byID[e].earlier {
			line[e] = true
		}
		for i, r := range requests {
			unserved = unserved || r.failed && line[r.asset] && !slices.ContainsFunc(requests[i+1:], func(later request) bool {
				return later.user == r.user && byID[later.asset].key == a.key
			})
		}
		flagged[id] = needs && !successor && (!twin || unserved)
	}
	for _, a := range assets {
		if _, known := flagged[a.id]; a.status == "FAILED" && !known {
			flagged[a.id] = true
			s.modelled(flagged) // a clock that was set back may have settled it
			return
		}
	}
}

func TestWhateverHappensTheFlagsAreRight(t *testing.T) {
	for seed := range uint64(25) {
		r, s, flagged, story := rand.New(rand.NewPCG(seed, 1)), newTale(t), map[string]bool{}, ""
		for range 60 {
			step := []string{"ask %[1]s %[2]d", "ask %[1]s %[2]d", "make %[1]s %[3]d", "fail", "fail", "fail", "done",
				"press %[2]d a%[4]d", "press %[2]d a%[4]d", "retry a%[4]d", "cancel %[2]d a%[4]d", "forget %[2]d", "delete a%[4]d",
				"back 20"}[r.IntN(14)]
			if strings.Contains(step, "%[4]") && len(s.ids) == 0 {
				continue
			}
			step = fmt.Sprintf(
				step+"%.0[1]s",
				[]string{"Маша", "Лев"}[r.IntN(2)],
				r.IntN(4)+1,
				r.IntN(2)+7,
				max(1, len(s.ids)-r.IntN(6)),
			)
			story += "; " + step
			s.tell(step)
			s.modelled(flagged)
			var want []string
			for id, needs := range flagged {
				if needs {
					want = append(want, fmt.Sprintf("a%d", slices.Index(s.ids, id)+1))
				}
			}
			slices.Sort(want)
			n, err := s.q.store.Needs(t.Context(), store.Admin{Owner: true}, store.Filter{})
			if got := s.flagged(); !slices.Equal(got, want) || n != len(want) || err != nil {
				t.Fatalf("%s: got %v, counted %d, %v; want %v", story[2:], got, n, err, want)
			}
		}
	}
}

func TestNoTriggerReadsAWholeTable(t *testing.T) {
	s := newStore(t)
	rows, err := readDB(t, s).Query(`SELECT sql FROM sqlite_schema WHERE type = 'trigger'`)
	all, err := collect(rows, err, func(sql *string) error { return rows.Scan(sql) })
	if err != nil || len(all) < 10 {
		t.Fatalf("got %d triggers, %v", len(all), err)
	}
	for _, trigger := range all {
		head, body, _ := strings.Cut(strings.TrimSuffix(trigger, "END"), "BEGIN\n")
		for statement := range strings.SplitSeq(body, ";\n") {
			statement = regexp.MustCompile(`\b(new|old)\.\w+`).ReplaceAllString(statement, "?1")
			if strings.Contains(statement, "raise(") || strings.TrimSpace(statement) == "" {
				continue
			}
			rows, err := readDB(t, s).Query("EXPLAIN QUERY PLAN "+statement, 1)
			plan, err := collect(rows, err, func(line *string) error {
				var a, b, c int
				return rows.Scan(&a, &b, &c, line)
			})
			if err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
			for _, line := range plan {
				if regexp.MustCompile(`SCAN (assets|requests|publications|jobs|name_counts|name_suffixes|users|[abenrstu])\b|AUTOMATIC`).
					MatchString(line) {
					t.Errorf("%s: got %q; want a search of an index", strings.Fields(head)[5], line)
				}
			}
			if strings.Contains(statement, "FROM resolved") || strings.Contains(statement, "JOIN resolved") {
				if got := strings.Join(plan, "; "); !strings.Contains(
					got,
					"INDEX assets_needing_by_key (name_key=? AND template=? AND lang=?)",
				) {
					t.Errorf("%s: got %s; want the few that need somebody looked at alone", strings.Fields(head)[5], got)
				}
			}
		}
	}
}

func TestPublicationsOfManyAssets(t *testing.T) {
	s := newStore(t)
	one, two := ask(t, s, "Маша", 1), ask(t, s, "Лев", 1)
	mutate(
		t,
		s,
		`INSERT INTO publications (asset_id, platform, creator, status, step, publish_at, remote_url, error, warning, created,
			started, completed) VALUES
		(?1, 'YOUTUBE', 7, 'COMPLETED', '', 5, 'https://y', NULL, 'no thumbnail', 1, 2, 3), (?1, 'RUMBLE', 0, 'PENDING', '',
		NULL, NULL, NULL, NULL, 4, NULL, NULL)`,
		one.ID,
	)
	got, err := s.Publications(t.Context(), one.ID, two.ID, "nothing")
	want := map[string][]store.Publication{one.ID: {
		{
			ID:        1,
			Platform:  "YOUTUBE",
			Status:    store.Completed,
			PublishAt: store.Moment(5),
			Upload:    store.Upload{URL: "https://y", Warning: "no thumbnail"},
			Creator:   7,
			Completed: store.Moment(3),
		},
		{ID: 2, Platform: "RUMBLE", Status: store.Pending},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

// Publications that failed and those that are not as they should be are one kind, read by two indexes: of both together
// the newest are listed, and no more than was asked for.
func TestNeeding_OfTwoSourcesTheNewestAreListed(t *testing.T) {
	s := newTale(t)
	s.tell("ask A 1; done; ask B 2; done; ask C 3; done; ask D 4; done")
	for i, what := range []string{"failed", "standing", "failed", "standing"} {
		statement := `INSERT INTO publications (asset_id, platform, creator, created, status, step, error, completed)
			VALUES (?1, 'RUMBLE', 8, 1, 'FAILED', '', 'rumble: 400', ?2)`
		if what == "standing" {
			statement = `INSERT INTO publications (asset_id, platform, creator, created, status, remote_id, remote_url,
				completed, standing, standing_at) VALUES (?1, 'RUMBLE', 8, 1, 'COMPLETED', 'v' || ?2, 'https://example.com', 1,
				'private', ?2)`
		}
		mutate(t, s.q.store, statement, s.ids[i], 1000+i)
	}
	counts, list, err := s.q.store.Needing(t.Context(), store.Admin{ID: 8, Owner: true}, 2)
	var got []string
	for _, n := range list {
		got = append(got, n.AssetID)
	}
	if want := []string{s.ids[3], s.ids[2]}; err != nil || counts[store.NeedsPublication].N != 4 || !slices.Equal(got, want) {
		t.Errorf("got %d counted, %v listed, %v; want 4, %v", counts[store.NeedsPublication].N, got, err, want)
	}
}
