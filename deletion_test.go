// Tests of deleting videos, and of cancelling them.

package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

func TestAVideoIsDeletedWhenNothingIsOwedForItToAnybody(t *testing.T) {
	requested := func(status store.Status) func(t *testing.T, d *office) string {
		return func(t *testing.T, d *office) string {
			a := ask(t, d.store, "Маша", 1)
			switch status {
			case store.Processing:
				begin(t, d.store, store.Render)
			case store.Completed:
				d.filmed("v", "t")
			case store.Failed:
				failForGood(t, d.queue)
			}
			return a.ID
		}
	}
	made := func(status store.Status, joined bool) func(t *testing.T, d *office) string {
		return func(t *testing.T, d *office) string {
			a := madeByAdmin(t, d.store, 7, "Маша", "маша")
			if joined {
				ask(t, d.store, "Маша", 1)
			}
			switch status {
			case store.Processing:
				begin(t, d.store, store.Render)
			case store.Completed:
				d.filmed("v", "t")
			case store.Failed:
				failForGood(t, d.queue)
			}
			return a.ID
		}
	}
	settled := func(arrange func(t *testing.T, d *office) string) func(t *testing.T, d *office) string {
		return func(t *testing.T, d *office) string { id := arrange(t, d); calm(t, d.store); return id }
	}
	published := func(state string, owed bool) func(t *testing.T, d *office) string {
		return func(t *testing.T, d *office) string {
			id := publication(t, d.store, state)
			d.filmed("v", "t")
			calm(t, d.store)
			if owed {
				mutate(t, d.store, `INSERT INTO jobs (kind, asset_id, publication_id, fairness_key, position, due, created) SELECT 'PUBLISH', asset_id, id, 7, 1, 0, 0 FROM publications`)
			}
			return id
		}
	}
	for name, c := range map[string]struct {
		arrange func(t *testing.T, d *office) string
		want    string // outcome, or a word of the reason
	}{
		"waiting, with somebody waiting":                 {requested(store.Pending), "Somebody is waiting"},
		"waiting, and they have been told that it began": {settled(requested(store.Pending)), "Somebody is waiting"},
		"rendering, with somebody waiting":               {settled(requested(store.Processing)), "Somebody is waiting"},
		"ready, not sent to everybody":                   {requested(store.Completed), "still being sent"},
		"ready, and sent":                                {settled(requested(store.Completed)), "deleted"},
		"failed, not everybody told":                     {requested(store.Failed), "still to be told"},
		"failed, and all told":                           {settled(requested(store.Failed)), "deleted"},
		"an admin's, waiting":                            {made(store.Pending, false), "cancelled"},
		"an admin's, waiting, that a user joined":        {settled(made(store.Pending, true)), "Somebody is waiting"},
		"an admin's, rendering":                          {made(store.Processing, false), "cancelled"},
		"an admin's, rendering, that a user joined":      {settled(made(store.Processing, true)), "Somebody is waiting"},
		"an admin's, ready":                              {made(store.Completed, false), "deleted"},
		"an admin's, ready, being sent to a user":        {made(store.Completed, true), "still being sent"},
		"an admin's, failed":                             {made(store.Failed, false), "deleted"},
		"an admin's, failed, a user not told":            {made(store.Failed, true), "still to be told"},
		"ready, the announcement still on its way": {func(t *testing.T, d *office) string {
			id := requested(store.Pending)(t, d)
			begin(t, d.store, store.Announce)
			d.filmed("v", "t")
			mutate(t, d.store, `DELETE FROM jobs WHERE kind = 'DELIVER'`)
			return id
		}, "on its way"},
		"being published":                   {published(pendingPublication, true), "being published"},
		"published":                         {published(completedPublication, false), "deleted"},
		"publishing failed":                 {published(failedPublication, false), "deleted"},
		"publishing failed and tried again": {published(runningPublication, true), "being published"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:8080")
			id := c.arrange(t, d)
			session := d.signIn(8)
			possible := c.want == "deleted" || c.want == "cancelled"
			asks := d.want(200, d.send(call{method: "GET", path: "/assets/" + id + "/delete", session: session}))
			if button := strings.Contains(asks, `action="/assets/`+id+`/delete"`); button != possible || !possible && !strings.Contains(asks, c.want) || !strings.Contains(asks, `href="/assets/`+id+`"`) {
				t.Errorf("got %s; want a button: %v, else %q, and a way back", asks, possible, c.want)
			}
			if v := d.detail(session, id+"/delete"); (v.Busy == "") != possible || v.Asset.ID != id {
				t.Errorf("got %+v; want the reason against it, or none", v)
			}
			before := d.tables()
			w := d.send(call{method: "POST", path: "/assets/" + id + "/delete", session: session, json: true})
			if !possible {
				if body := d.want(409, w); refused(t, body) != "BUSY" || !strings.Contains(body, c.want) {
					t.Errorf("got %s; want BUSY and %q", body, c.want)
				}
				if body := d.want(409, d.send(call{method: "POST", path: "/assets/" + id + "/delete", session: session})); !strings.Contains(body, c.want) {
					t.Errorf("got %s; want %q on the page", body, c.want)
				}
				if d.tables() != before {
					t.Error("the database changed; want it as it was")
				}
				return
			}
			if body := d.want(200, w); !strings.Contains(body, `"outcome":"`+c.want+`"`) {
				t.Errorf("got %s; want %s", body, c.want)
			}
			for _, table := range []string{"assets", "requests", "jobs", "attempts", "publications", "name_suffixes", "name_counts WHERE name_key <> ''"} {
				if n := count(t, d.store, `SELECT count(*) FROM `+table); n != 0 {
					t.Errorf("got %d rows of %s; want none", n, table)
				}
			}
			if c.want == "deleted" { // its files stay as long as it can be restored
				d.want(200, d.send(call{method: "POST", path: "/bin", session: session, body: "do=erase&id=" + id, json: true}))
				mutate(t, d.store, `DELETE FROM audit WHERE action = 'erase'`)
			}
			if left := filesIn(t, d.folder); len(left) != 0 {
				t.Errorf("got %v on the disk; want nothing", left)
			}
			for _, path := range []string{"/assets/" + id, "/media/" + id, "/thumbs/" + id, "/assets/" + id + "/delete"} {
				d.want(404, d.send(call{method: "GET", path: path, session: session}))
			}
			d.want(404, d.send(call{method: "POST", path: "/assets/" + id + "/delete", session: session}))
			line := d.deeds(session, "").Activity[0]
			if line.Action != "delete" || line.Outcome != c.want || line.Who != "you" || line.Name != "" || line.Asset != "" || !strings.HasPrefix(line.What, c.want) {
				t.Errorf("got %+v; want a line without a name", line)
			}
		})
	}
}

func TestThePageThatAsksSaysWhatGoesAndWhatStays(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 1, 2, 3)
	d.filmed("v", "t")
	calm(t, d.store)
	mutate(t, d.store, `UPDATE assets SET size = 4212345`)
	mutate(t, d.store, `UPDATE requests SET status = 'COMPLETED', finished = 1, answer_id = 1 WHERE user_id < 3`)
	mutate(t, d.store, `INSERT INTO publications (asset_id, platform, creator, created, status, completed, remote_url) VALUES (?, 'RUMBLE', 7, 0, 'COMPLETED', 1, 'https://rumble.com/v1')`, a.ID)
	failed := ask(t, d.store, "Лев", 1, 2)
	failForGood(t, d.queue)
	calm(t, d.store)
	mutate(t, d.store, `UPDATE requests SET answer_id = 1 WHERE status = 'FAILED' AND user_id = 1`)
	session := d.signIn(8)
	for id, want := range map[string][]string{
		a.ID:      {"Delete “Маша”?", "<strong>4.0 MB</strong>", "<strong>2 people</strong> have it", "<strong>1 person</strong> whom no message reaches", "The copy on Rumble stays", "https://rumble.com/v1", "without the name"},
		failed.ID: {"Delete “Лев”?", "failed video is deleted", "<strong>1 person</strong> was told", "answer kindly", "<strong>1 person</strong> whom no message"},
	} {
		page := d.want(200, d.send(call{method: "GET", path: "/assets/" + id + "/delete", session: session}))
		for _, has := range want {
			if !strings.Contains(page, has) {
				t.Errorf("got %s; want %q in it", page, has)
			}
		}
	}
	w := d.send(call{method: "POST", path: "/assets/" + a.ID + "/delete", session: session, header: map[string]string{"Referer": "http://localhost:8080/assets/" + a.ID + "/delete"}})
	d.want(303, w)
	if page := d.want(200, d.send(call{method: "GET", path: w.Header().Get("Location"), session: session})); !strings.Contains(page, "The video is deleted.") || strings.Contains(page, "Маша") {
		t.Errorf("got %s; want the library without it, which says so", page)
	}
}

func TestDeletingOneOfALineOfTriesLeavesTheOthers(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	first := ask(t, d.store, "Маша", 1)
	failForGood(t, d.queue)
	for range 2 {
		if _, err := d.queue.Retry(t.Context(), first.ID, retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
			t.Fatal(err)
		}
		failForGood(t, d.queue)
	}
	calm(t, d.store)
	session := d.signIn(8)
	middle := text(t, d.store, `SELECT id FROM assets WHERE retry_of = ?`, first.ID)
	last := text(t, d.store, `SELECT id FROM assets WHERE retry_of = ?`, middle)
	d.want(303, d.send(call{method: "POST", path: "/assets/" + middle + "/delete", session: session}))
	for _, id := range []string{first.ID, last} {
		_, page := d.page(session, id)
		for _, link := range regexp.MustCompile(`href="(/assets/\w+)"`).FindAllStringSubmatch(page, -1) {
			d.want(200, d.send(call{method: "GET", path: link[1], session: session}))
		}
		if v := d.detail(session, id); len(v.Tries) != 1 || !v.Asset.CanRetry || v.Asset.Successor+v.Asset.RetryOf != "" {
			t.Errorf("got %+v; want a video that stands alone and can be tried again", v)
		}
	}
	for _, id := range []string{first.ID, last} {
		if _, err := d.queue.Retry(t.Context(), id, retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}, Platform: ""}); err != nil {
			t.Error(err)
		}
	}
	if n := count(t, d.store, `SELECT count(*) FROM assets WHERE status = 'PENDING'`); n != 1 {
		t.Errorf("got %d new videos; want one, for both", n)
	}
}

func TestAnOldButtonOfADeletedVideoGetsAKindAnswer(t *testing.T) {
	w := newWorld(t)
	w.breakEngine()
	maria := w.tg.Person(1, "Мария", "ru")
	w.asks(maria, "Маша")
	apology := w.hears(maria, "Упс!")
	w.calm()
	id := text(t, w.store, `SELECT id FROM assets`)
	write(t, w.store, func(tx *store.Tx) error { return tx.Delete(id) })
	press(maria, apology, 0)
	w.hears(maria, lang.Say("ru", "press_lapsed", nil))
	w.repairEngine()
	w.asks(maria, "Маша")
	w.getsVideos(maria, 1)
}

func TestCancellingARenderStopsIt(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		ended := false
		b := &bench{render: func(ctx context.Context, _ video.Order) error { <-ctx.Done(); ended = true; return ctx.Err() }}
		q, stop := start(t, s, b, Options{})
		defer stop()
		a := madeByAdmin(t, s, 7, "Маша", "маша")
		time.Sleep(time.Second)
		w := NewWeb(t.Context(), s, q, nil, desk.Options{BaseURL: "http://localhost:8080", Role: func(id int64) (store.Admin, bool) { return store.Admin{ID: id, Owner: true}, true }, Offers: video.NewOffers(newYear...), Ready: func(context.Context) []string { return nil }}, q.log)
		d := &office{Web: w, t: t, cookie: desk.CookieName(s.Path(), "http://localhost:8080")}
		d.want(303, d.send(call{method: "POST", path: "/assets/" + a.ID + "/delete", session: d.signIn(8)}))
		synctest.Wait()
		if n := count(t, s, `SELECT count(*) FROM assets`); !ended || n != 0 {
			t.Errorf("got %d videos, ended %v; want the render stopped and nothing left", n, ended)
		}
	})
}
