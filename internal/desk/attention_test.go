// Tests of what needs an admin: one card for each chain of retries, every kind with its action, and one count for all.

package desk

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// fails adds a video that has failed; of is the try before it.
func (r *rig) fails(letter, name, of string) string {
	id := strings.Repeat(letter, 26)
	r.mutate(`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, retry_of, created)
		VALUES (?1, ?2, ?2, 'new-year', 'ru', 'REQUEST', 8, nullif(?3, ''), 1)`, id, name, of)
	r.mutate(`UPDATE assets SET status = 'FAILED', finished = 2, error = 'no', error_code = 'TIMEOUT', needs_attention = 1 WHERE id = ?`, id)
	return id
}

func TestLibrary_AChainOfRetriesIsOneCard(t *testing.T) {
	r := newRig(t)
	first := r.fails("a", "маша", "")
	second := r.fails("b", "маша", first)
	last := r.fails("c", "маша", second)
	old := r.fails("d", "оля", "")
	r.mutate(`UPDATE assets SET needs_attention = 0 WHERE id = ?`, old)
	read := func(path string) (l Library) {
		t.Helper()
		body := r.do(r.Library, sent{method: "GET", path: path, json: true}).Body.Bytes()
		if err := json.Unmarshal(body, &l); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		return l
	}
	all := read("/")
	var ids []string
	for _, c := range all.Cards {
		ids = append(ids, c.ID)
		if c.ID == last && (len(c.Earlier) != 2 || c.Earlier[0].ID != first || c.Earlier[1].ID != second) {
			t.Errorf("got earlier tries %+v; want the two before it", c.Earlier)
		}
	}
	if !slices.Equal(ids, []string{old, last}) || all.Counts["FAILED"] != 1 || all.Counts["RETRIED"] != 1 ||
		all.Attention.Count != 1 {
		t.Errorf("got cards %v, counts %v, attention %d; want one card a chain, and one failure", ids, all.Counts,
			all.Attention.Count)
	}
	if failed := read("/?status=FAILED"); len(failed.Cards) != 1 || failed.Cards[0].ID != last {
		t.Errorf("got %+v; want what still needs somebody", failed.Cards)
	}
	page := r.do(r.Library, sent{method: "GET"}).Body.String()
	if !strings.Contains(page, "2 earlier tries") || !strings.Contains(page, ">Retried</span>") {
		t.Errorf("got %s; want the earlier tries under it, and a grey pill", page)
	}
	r.mutate(`DELETE FROM assets WHERE id = ?`, last)
	if again := read("/"); len(again.Cards) != 2 || again.Cards[1].ID != second {
		t.Errorf("got %+v; want the try before a deleted one", again.Cards)
	}
}

func TestAttention_HasEveryKindWithAReasonAndOneAction(t *testing.T) {
	r := newRig(t)
	r.fails("a", "маша", "")
	sent1, hand, gone := r.finished(8, "Лев"), r.finished(8, "Ева"), r.finished(8, "Оля")
	r.mutate(`INSERT INTO users (id, lang, created) VALUES (1, 'ru', 1)`)
	r.mutate(`INSERT INTO requests (user_id, asset_id, chat_id, status, created, undelivered) VALUES (1, ?, 1, 'PROCESSING', 1, 5)`, sent1)
	r.mutate(`INSERT INTO channels (id, platform, external_id, title, state, error, token, creator, connected, checked)
		VALUES (5, 'YOUTUBE', 'UC5', 'Greetings', 'ENDED', 'invalid_grant', x'00', 8, 1, 1)`)
	r.mutate(`INSERT INTO publications (asset_id, platform, creator, status, step, created) VALUES (?, 'RUMBLE', 8, 'PENDING', 'manual', 1)`, hand)
	r.mutate(`INSERT INTO publications (asset_id, platform, creator, status, step, error, error_code, created, completed)
		VALUES (?, 'YOUTUBE', 8, 'FAILED', 'edit', 'no', 'youtube_invalid_title', 1, 2)`, hand)
	r.mutate(`UPDATE assets SET delete_requested_at = 5 WHERE id = ?`, gone)
	r.mutate(`INSERT INTO inbox (update_id, chat_id, raw, received, error, set_aside) VALUES (7, 1, '{}', 1, 'update_failed', 5)`)
	r.mutate(`INSERT INTO announcements (texts, status, creator, created, changed, started, trouble)
		VALUES ('{"":"News"}', 'paused', 8, 1, 1, 5, 'telegram_refused')`)
	var got Attended
	body := r.do(r.Attention, sent{method: "GET", path: "/attention", json: true}).Body.Bytes()
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, i := range got.Attention.Items {
		kinds = append(kinds, i.Kind)
		if i.Name == "" || i.Reason == "" || i.Act == "" || i.Since.IsZero() {
			t.Errorf("got %+v; want a name, a reason, an action and a time", i)
		}
	}
	if !slices.Equal(kinds, store.AttentionKinds) || got.Attention.Count != len(kinds) {
		t.Errorf("got %v, %d in all; want one of each: %v", kinds, got.Attention.Count, store.AttentionKinds)
	}
	census, err := r.store.Census(t.Context())
	if err != nil || census.Attention.Total() != got.Attention.Count {
		t.Errorf("got %v in the metrics, %v; want the same as on the page", census.Attention, err)
	}
	others, err := r.store.Attention(t.Context(), store.Admin{ID: 7}, time.Time{})
	if err != nil || others.Total() != 2 {
		t.Errorf("got %v, %v for another admin; want the channel and what is to be taken down", others, err)
	}
	page := r.do(r.Library, sent{method: "GET"}).Body.String()
	if at := strings.Index(page, `id="attention"`); at < 0 || at > strings.Index(page, "<h1>") {
		t.Errorf("got it at %d; want it above everything else", at)
	}
}

func TestLibrary_SaysWhatTheMediaStoreDoesNotDelete(t *testing.T) {
	r := newRig(t)
	page := func() string { return r.do(r.Library, sent{method: "GET"}).Body.String() }
	r.opts.Undeleted = func() media.Undeleted { return media.Undeleted{} }
	if got := page(); strings.Contains(got, "still stored") {
		t.Errorf("got %s; want nothing said", got)
	}
	for err, want := range map[error]string{
		errors.New("unlinkat a.mp4: permission denied"):                                 "look at its permissions",
		retry.WithCode(errors.New("the media store forbids it"), "media_s3_permission"): "settings",
	} {
		r.opts.Undeleted = func() media.Undeleted { return media.Undeleted{Files: 2, Since: time.Now(), Err: err} }
		if got := page(); !strings.Contains(got, "2 deleted files are still stored") || !strings.Contains(got, want) {
			t.Errorf("got %s; want %q", got, want)
		}
		var l Library
		if json.Unmarshal(r.do(r.Library, sent{method: "GET", json: true}).Body.Bytes(), &l); l.Health.Undeleted.Files != 2 {
			t.Errorf("got %+v", l.Health)
		}
	}
}
