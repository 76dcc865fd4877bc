// One count for each thing that needs somebody: tabs, attention, API, metrics and /stats agree.

package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

// needing is what needs an owner in the test below, by kind; each has another number where that is possible.
var needing = map[string]int{
	store.NeedsRetry:       5,
	store.NeedsSending:     2, // videos, with three messages
	store.NeedsAnswer:      1, // all four updates in one
	store.NeedsPublication: 4, // three failed, one is not as it should be on the platform
	store.NeedsHand:        3,
	store.NeedsTakeDown:    1,
	store.NeedsChannel:     2,
	store.NeedsContinuing:  1,
}

// needsAll writes all that needs somebody into the database of a program that is stopped, and what looks like it and
// needs nobody: an earlier try, a failure that is settled, a publication whose channel is what needs somebody.
func needsAll(t *testing.T, path string) {
	t.Helper()
	now := time.Now().Add(-2 * time.Minute).UnixMilli() // told at once, and not too long ago to be told
	do := func(statement string, args ...any) {
		t.Helper()
		values := make([]any, len(args))
		for i, a := range args {
			if text, ok := a.(string); ok {
				a = "'" + text + "'"
			}
			values[i] = a
		}
		mutateOutside(t, path, fmt.Sprintf(statement, values...))
	}
	type id string // or NULL
	n := 0
	asset := func(retryOf id) string {
		t.Helper()
		n++
		this := fmt.Sprintf("%026d", n)
		do(`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, retry_of, created)
			VALUES (%s, %s, %s, 'new-year', 'ru', 'REQUEST', 900, %v, %v)`, this, "имя "+letters(n), "имя "+letters(n), retryOf, now)
		return this
	}
	failed := func(retryOf id, needs int) string {
		this := asset(retryOf)
		do(`UPDATE assets SET status = 'FAILED', finished = %v, error = 'no', error_code = 'timeout', needs_attention = %v
			WHERE id = %s`, now, needs, this)
		return this
	}
	ready := func() string {
		this := asset("NULL")
		do(`UPDATE assets SET status = 'COMPLETED', finished = %v, file = 'x.mp4', size = 9 WHERE id = %s`, now, this)
		return this
	}
	published := func(asset, columns, values string) {
		do(`INSERT INTO publications (asset_id, platform, creator, created, ` + columns + `) VALUES ('` + asset + `', ` + values + `)`)
	}
	for range needing[store.NeedsRetry] - 1 {
		failed("NULL", 1)
	}
	failed(id("'"+failed("NULL", 0)+"'"), 1)
	failed("NULL", 0)

	do(`INSERT INTO users (id, lang, created) VALUES (1, 'ru', 1), (2, 'ru', 1)`)
	first, second := ready(), ready()
	for _, r := range [][2]any{{1, first}, {1, second}, {2, second}} {
		do(`INSERT INTO requests (user_id, asset_id, chat_id, status, created, undelivered, undelivered_code)
			VALUES (%[1]v, %[2]v, %[1]v, 'PROCESSING', %[3]v, %[3]v, 'telegram_maybe_sent')`, r[0], r[1], now)
	}
	for update := range 4 { // whose numbers are older than those of Telegram's next ones
		do(`INSERT INTO inbox (update_id, chat_id, raw, received, error, set_aside)
			VALUES (%v, 55, '{}', %v, 'update_failed', %v)`, -1-update, now, now)
	}
	do(`INSERT INTO channels (id, platform, external_id, title, state, error, token, creator, connected, checked)
		VALUES (1, 'YOUTUBE', 'UC1', 'A', 'ENDED', 'invalid_grant', x'00', 900, %[1]v, %[1]v),
			(2, 'YOUTUBE', 'UC2', 'B', 'ENDED', 'invalid_grant', x'00', 900, %[1]v, %[1]v)`, now)
	at := fmt.Sprint(now)
	for range needing[store.NeedsPublication] - 1 {
		published(ready(), "status, step, error, completed", "'RUMBLE', 900, "+at+", 'FAILED', 'edit', 'no', "+at)
	}
	published(ready(), "status, remote_id, completed, standing, standing_at",
		"'YOUTUBE', 900, "+at+", 'COMPLETED', 'v1', "+at+", 'private', "+at)
	published(ready(), "channel_id, status, step, error, completed",
		"'YOUTUBE', 900, "+at+", 1, 'FAILED', 'reconnect', 'no', "+at)
	for range needing[store.NeedsHand] {
		published(ready(), "step", "'RUMBLE', 900, "+at+", 'manual'")
	}
	gone := ready()
	published(gone, "status, step, completed", "'RUMBLE', 900, "+at+", 'COMPLETED', 'manual', "+at)
	do(`UPDATE assets SET delete_requested_at = %v WHERE id = %s`, now, gone)
	do(`INSERT INTO announcements (texts, status, creator, created, changed, started, trouble)
		VALUES ('{"":"News"}', 'paused', 900, %[1]v, %[1]v, %[1]v, 'telegram_refused')`, now)
}

func TestCounts_AgreeOnThePageInTheAPIInTheMetricsAndInStats(t *testing.T) {
	s := newServed(t)
	s.kill()
	owner := s.world.tg.Person(900, "Мария", "en")
	owner.Send("/start")
	needsAll(t, filepath.Join(s.dir, "retake.db"))
	s.start()
	client := s.owner(s.page)
	get := func(path string, into any) string {
		t.Helper()
		r, err := http.NewRequest("GET", s.page+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Language", "en")
		if into != nil {
			r.Header.Set("Accept", "application/json")
		}
		resp, err := client.Do(r)
		text := body(t, resp, err)
		if into != nil {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				t.Fatalf("%s: %v\n%s", path, err, text)
			}
		}
		return text
	}
	all := 0
	for _, n := range needing {
		all += n
	}
	const retryable = 5 + 3 + 2 // what Retry all can do something about

	// The API.
	type attention struct {
		Count int            `json:"count"`
		Kinds map[string]int `json:"by_kind"`
		Items []struct {
			Kind     string `json:"kind"`
			Messages int    `json:"messages"`
		} `json:"items"`
	}
	var library struct {
		Counts    map[string]int `json:"counts"`
		Need      map[string]int `json:"need_you"`
		Attention attention      `json:"attention"`
	}
	get("/", &library)
	var page struct {
		Attention attention `json:"attention"`
	}
	get("/attention", &page)
	for where, a := range map[string]attention{"/": library.Attention, "/attention": page.Attention} {
		if a.Count != all || fmt.Sprint(a.Kinds) != fmt.Sprint(needing) || len(a.Items) != all {
			t.Errorf("%s: got %+v; want %v, %d in all", where, a, needing, all)
		}
	}
	messages := 0
	for _, i := range page.Attention.Items {
		messages += i.Messages
	}
	if messages != 3+4 {
		t.Errorf("got %d messages; want those of people without an answer, too", messages)
	}
	if n := library.Counts; n["FAILED"] != needing[store.NeedsRetry] || n["RETRIED"] != 1 {
		t.Errorf("got counts %v; want the failures that need somebody, and one that does not", n)
	}
	if n := library.Need; n["count"]+n["publications"]+n["undelivered"] != retryable {
		t.Errorf("got %v; want %d that another try may help", n, retryable)
	}
	var again struct {
		Need map[string]any `json:"need_you"`
	}
	get("/retry-all", &again)
	if n := again.Need; fmt.Sprint(n["count"], n["publications"], n["undelivered"]) != "5 3 2" {
		t.Errorf("got %v; want the same as what Retry all is about", n)
	}

	// The pages.
	html := get("/", nil)
	for _, want := range []string{
		fmt.Sprintf(`<a href="/attention">Needs your attention</a> <b>%d</b>`, all), fmt.Sprintf("Retry all %d…", retryable),
		fmt.Sprintf(`<a href="/?status=FAILED">Failed <b>%d</b></a>`, library.Counts["FAILED"]),
		fmt.Sprintf(`<a href="/?status=COMPLETED">Ready <b>%d</b></a>`, library.Counts["COMPLETED"]),
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the library lacks %s", want)
		}
	}
	for _, path := range []string{"/", "/attention"} {
		if got := len(regexp.MustCompile(`<li id="need-`).FindAllString(get(path, nil), -1)); got != all {
			t.Errorf("%s: got %d rows; want %d", path, got, all)
		}
	}
	if got := strings.Count(get("/?status=FAILED", nil), `<li class="card"`); got != library.Counts["FAILED"] {
		t.Errorf("got %d failed cards; want %d", got, library.Counts["FAILED"])
	}

	// The metrics.
	families := s.families()
	for kind, n := range needing {
		if got := value(t, families, "retake_attention", "kind="+kind); got != float64(n) {
			t.Errorf("got %v of %s in the metrics; want %d", got, kind, n)
		}
	}
	for _, status := range []string{"FAILED", "RETRIED", "COMPLETED"} {
		if got := value(t, families, "retake_assets", "status="+status); got != float64(library.Counts[status]) {
			t.Errorf("got %v %s in the metrics; want %d", got, status, library.Counts[status])
		}
	}
	for name, n := range map[string]int{"retake_assets_needing_admin": needing[store.NeedsRetry],
		"retake_messages_undelivered": messages, "retake_telegram_set_aside": 4} {
		if got := value(t, families, name); got != float64(n) {
			t.Errorf("got %s %v; want %d", name, got, n)
		}
	}
	if got := value(t, families, "retake_channels", "state=ENDED"); got != float64(needing[store.NeedsChannel]) {
		t.Errorf("got %v channels in the metrics; want %d", got, needing[store.NeedsChannel])
	}

	// The bot.
	owner.Send("/stats")
	s.hears(owner, fmt.Sprintf("Completed: %d\nFailed: %d", library.Counts["COMPLETED"], library.Counts["FAILED"]))
}
