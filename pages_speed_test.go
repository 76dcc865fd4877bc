// How much of a processor each page takes in a library of a million videos, every one of another name.

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/metrics"
)

// longestPage is what a page may take of a processor.
const longestPage = 10 * time.Millisecond

// million fills a library with n videos of n names over three years, with all that belongs to them: some have failed,
// some are published, some wait, and messages of some were given up.
func (d *office) million(b *testing.B, n int) {
	b.Helper()
	d.channel("UC1", "Our greetings")
	first := strings.Fields(`Агата Аглая Адам Айша Алексей Алиса Анна Антон Арина Артём Богдан Вадим Вера Виктор Глеб Дарья
		Денис Ева Егор Жанна Захар Злата Иван Илья Кира Лев Лука Майя Макар Марина Мария Марк Матвей Мирон Ника Олег Павел
		Роман София Тимур`)
	syllables := strings.Fields(`ба во ги ду жа зе ки ло ма не пи ру са ту фе хо це ча ши ще`)
	var keys []string
	for _, name := range first {
		keys = append(keys, lang.NameKey(name))
	}
	jsonOf := func(v []string) string { b, _ := json.Marshal(v); return string(b) }
	mutate(b, d.store, `WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 50000)
		INSERT INTO users (id, lang, created) SELECT 1000000 + n, 'ru', 1 FROM i`)
	const chunk = 20_000
	begin := d.store.Now().Add(-3 * 365 * 24 * time.Hour).UnixMilli()
	step := (d.store.Now().UnixMilli() - begin - time.Hour.Milliseconds()) / int64(n)
	for at := 0; at < n; at += chunk {
		const rows = `WITH RECURSIVE i (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM i WHERE n + 1 < ?2),
			s (n, id, created, status, end) AS (SELECT n, printf('%026d', n), ?3 + n * ?4, CASE WHEN n > ?5 - 3 THEN 'PROCESSING'
				WHEN n > ?5 - 1000 THEN 'PENDING' WHEN n % 50 = 1 THEN 'FAILED' ELSE 'COMPLETED' END,
				'' || (?6 ->> (n % 20)) || (?6 ->> (n / 20 % 20)) || (?6 ->> (n / 400 % 20)) || (?6 ->> (n / 8000 % 20)) FROM i) `
		args := []any{at, min(at+chunk, n), begin, step, n, jsonOf(syllables), jsonOf(first), jsonOf(keys)}
		for _, statement := range []string{
			`INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, thumb, size, duration, width, height,
				file_id, error, error_code, created, finished, codec)
				SELECT id, (?7 ->> ((n + n / 160000 * 7) % 40)) || ' ' || end, (?8 ->> ((n + n / 160000 * 7) % 40)) || ' ' || end,
				'new-year', 'ru', 'REQUEST', status,
				iif(status = 'COMPLETED', n || '.mp4', NULL), iif(status = 'COMPLETED', n || '.jpg', NULL), 4000000, 41900, 1280,
				720, 'BAACAgIAAxkBAAI' || n, iif(status = 'FAILED', 'ffmpeg: took longer than 5m0s', NULL),
				iif(status = 'FAILED', 'timeout', NULL), created,
				iif(status IN ('COMPLETED', 'FAILED'), created + 30000, NULL), 'h264' FROM s`,
			`INSERT INTO requests (user_id, asset_id, chat_id, status, answer_id, created, finished)
				SELECT 1000001 + n % 50000, id, 1000001 + n % 50000, status, iif(status IN ('COMPLETED', 'FAILED'), 1, NULL),
				created, iif(status IN ('COMPLETED', 'FAILED'), created + 31000, NULL) FROM s WHERE ?6 <> ?7 OR ?8 = ''`,
			`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome, error)
				SELECT id, 'RENDER', 1, created, created + 30000, iif(status = 'COMPLETED', 'done', 'gave_up'),
				iif(status = 'FAILED', 'ffmpeg: took longer than 5m0s', NULL)
				FROM s WHERE status IN ('COMPLETED', 'FAILED') AND (?6 <> ?7 OR ?8 = '')`,
			`INSERT INTO audit (at, user_id, admin, action, asset_id, outcome)
				SELECT created, iif(n % 100, 1000001 + n % 50000, NULL), iif(n % 100, NULL, 8), iif(n % 100, 'ask', 'edit'), id,
				'created' FROM s WHERE ?6 <> ?7 OR ?8 = ''`,
			`INSERT INTO publications (asset_id, platform, channel_id, creator, created, status, remote_id, remote_url, completed,
				publish_at)
				SELECT id, iif(n % 20, 'TELEGRAM', 'YOUTUBE'), iif(n % 20, NULL, 1), 8, created, 'COMPLETED', 'v' || n, 'https://example.com/' || n,
				created + 60000, iif(n % 40, NULL, created + 60000)
				FROM s WHERE n % 10 = 0 AND status = 'COMPLETED' AND (?6 <> ?7 OR ?8 = '')`,
			`INSERT INTO jobs (kind, asset_id, fairness_key, position, due, attempt, started, created)
				SELECT 'RENDER', id, 1000001 + n % 50000, created, 0, status = 'PROCESSING',
				iif(status = 'PROCESSING', created, NULL), created
				FROM s WHERE status IN ('PENDING', 'PROCESSING') AND (?6 <> ?7 OR ?8 = '')`,
		} {
			mutate(b, d.store, rows+statement, args...)
		}
	}
	for _, statement := range []string{
		// The last failures are tries at one video.
		`WITH tries AS (SELECT id, lag(id) OVER (ORDER BY created) before FROM
			(SELECT id, created FROM assets WHERE status = 'FAILED' ORDER BY created DESC LIMIT 8))
			UPDATE assets SET retry_of = (SELECT before FROM tries WHERE tries.id = assets.id)
			WHERE id IN (SELECT id FROM tries WHERE before IS NOT NULL)`,
		`WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 365)
			INSERT INTO totals SELECT strftime('%s', 'now') / 86400 - n, w.value, t.value, d.value, 1 + n
			FROM i, json_each('["asked","made","failed","waited"]') w, json_each('["new-year","birthday","spring","film"]') t,
			json_each('["10","20","30","60","100","300"]') d WHERE true ON CONFLICT DO NOTHING`,
	} {
		mutate(b, d.store, statement)
	}
	d.needy(b, n)
}

// needy lets some of n videos and all else that can need an admin need one. Of a million these are 800 failed videos, as
// many with messages that were given up, 250 publications, 50 to hand over and 20 to take down; 7 made some of them.
func (d *office) needy(b *testing.B, n int) {
	b.Helper()
	d.channel("UC2", "Ended")
	d.channel("UC3", "Ended as well")
	const some = `WITH RECURSIVE i (n) AS (SELECT ?2 UNION ALL SELECT n + ?3 FROM i WHERE n + ?3 < ?1),
		s (n, id) AS (SELECT n, printf('%026d', n) FROM i) `
	for _, s := range []struct {
		first, step int
		statement   string
	}{
		{1, 1250, `UPDATE assets SET needs_attention = 1 WHERE id IN (SELECT id FROM s) AND status = 'FAILED'`},
		{51, 2500, `UPDATE requests SET undelivered = created + 40000, undelivered_code = 'telegram_maybe_sent'
			WHERE asset_id IN (SELECT id FROM s) AND status = 'FAILED'`},
		// three people each
		{2, 2500, `INSERT INTO requests (user_id, asset_id, chat_id, status, created, undelivered, undelivered_code)
			SELECT u.id, a.id, u.id, 'PROCESSING', a.created, a.created + 40000, 'telegram_maybe_sent'
			FROM s CROSS JOIN assets a ON a.id = s.id CROSS JOIN users u ON u.id BETWEEN 1000010 AND 1000012
			WHERE a.status = 'COMPLETED'`},
		{2, 5000, `UPDATE assets SET creator = 7 WHERE id IN (SELECT id FROM s)`},
		{10, 10000, `UPDATE publications SET status = 'FAILED', error = 'telegram: 400', error_code = 'platform_refused',
			remote_id = NULL, remote_url = NULL WHERE asset_id IN (SELECT id FROM s)`},
		{20, 10000, `UPDATE publications SET status = 'FAILED', step = 'edit', error = 'youtube: 400',
			error_code = 'invalid_title', remote_id = NULL, remote_url = NULL WHERE asset_id IN (SELECT id FROM s)`},
		{40, 10000, `UPDATE publications SET status = 'FAILED', step = 'reconnect', error = 'youtube: 401', channel_id = 2,
			remote_id = NULL, remote_url = NULL WHERE asset_id IN (SELECT id FROM s)`},
		{30, 20000, `UPDATE publications SET standing = 'private', standing_at = completed + 60000
			WHERE asset_id IN (SELECT id FROM s)`},
		{3, 20000, `INSERT INTO publications (asset_id, platform, creator, created, step)
			SELECT id, 'RUMBLE', iif(n % 40000 = 3, 7, 8), created, 'manual' FROM s CROSS JOIN assets USING (id)
			WHERE status = 'COMPLETED'`},
		{50, 50000, `UPDATE assets SET delete_requested_at = finished WHERE id IN (SELECT id FROM s)`},
		{1, n, `UPDATE channels SET state = 'ENDED', error = 'invalid_grant' WHERE id > 1`},
		{1, n / 20, `INSERT INTO inbox (update_id, chat_id, raw, received, error, set_aside)
			SELECT -n, 1000001, '{}', 1, 'update_failed', 1 FROM s`},
		{1, n, `INSERT INTO announcements (texts, status, creator, created, changed, started, trouble)
			VALUES ('{"":"News"}', 'paused', 8, 1, 1, 1, 'telegram_refused')`},
	} {
		mutate(b, d.store, some+s.statement, n, s.first, s.step)
	}
}

// BenchmarkPages measures what each page takes of a processor, from the request to its last byte, and fails for one that
// takes more than longestPage. PAGES_FOLDER is where the library is kept, so that the next run only measures.
func BenchmarkPages(b *testing.B) {
	path := filepath.Join(cmp.Or(os.Getenv("PAGES_FOLDER"), b.TempDir()), "retake.db")
	s, err := openStore(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	d := newDeskOf(b, "http://localhost:8080", s)
	d.change(func(o *desk.Options) {
		o.Keeper, o.Announcer, o.Bot = &shelfOfCopies{}, calmAnnouncer{}, &namedBot{}
		o.Metrics = metrics.New("test").Handler(func() (metrics.State, error) {
			_, err := s.Census(b.Context())
			return metrics.State{}, err
		})
	})
	if count(b, s, `SELECT count(*) FROM announcements`) == 0 { // the last thing of all that is filled in
		d.million(b, int(number(b, "PAGES", 1_000_000)))
	}
	sessions := map[int64]string{7: d.session(7), 8: d.session(8)}
	of := func(query string) string { return text(b, d.store, query) }
	one := func(status string) string {
		return of(`SELECT id FROM assets WHERE status = '` + status + `' ORDER BY created DESC LIMIT 1 OFFSET 300`)
	}
	late := of(`SELECT created || '-' || id FROM assets ORDER BY created LIMIT 1 OFFSET 100`)
	ready, failed := one("COMPLETED"), one("FAILED")
	chain := of(`SELECT id FROM assets WHERE retry_of IS NOT NULL ORDER BY created DESC LIMIT 1`)
	name := strings.Fields(of(`SELECT name_key FROM assets WHERE id = '` + ready + `'`))
	many := strings.Split(of(`SELECT group_concat(id, ' ') FROM (SELECT id FROM assets WHERE status = 'COMPLETED'
		ORDER BY created DESC LIMIT 24)`), " ")
	paths := slices.Concat([]string{
		"/", "/?status=FAILED", "/?status=PENDING", "/?status=PROCESSING", "/?status=COMPLETED", "/?platform=YOUTUBE",
		"/?platform=TELEGRAM&status=COMPLETED", "/?platform=RUMBLE", "/?after=" + late, "/?status=FAILED&after=" + late,
		"/?day=2025-06-01", "/?q=" + ready, "/?q=ъ", "/?q=" + name[0] + "+" + name[1], "/?q=" + name[1][:4],
	}, searches("а", "м", "с", "ба", "мария", "мария+б", "мария+бава"), []string{
		"/assets/" + ready, "/assets/" + failed, "/assets/" + chain, "/assets/" + one("PENDING"), "/assets/" + ready + "/publish",
		"/assets/" + ready + "/delete", "/selection?do=delete&id=" + strings.Join(many, "&id="),
		"/selection?do=publish&id=" + strings.Join(many, "&id="),
		"/attention", "/retry-all", "/retry-all?q=м", "/activity", "/activity?by=people", "/activity?by=program",
		"/activity?who=1", "/activity?who=users", "/activity?what=edited", "/activity?what=asked", "/activity?what=retried",
		"/activity?what=published", "/activity?what=deleted", "/activity?what=rights", "/activity?what=announcements",
		"/activity?what=sign-ins", "/activity?day=2025-06-01", "/activity?who=users&what=asked&day=2025-06-01",
		"/activity?asset=" + ready, "/statistics", "/statistics?days=7", "/statistics?days=365", "/statistics.csv?days=365",
		"/scheduled", "/scheduled?month=2025-06", "/channels", "/channels/1/disconnect", "/settings", "/bin", "/advance",
		"/admins", "/tokens", "/texts", "/texts/apology", "/configuration", "/upload", "/announcements", "/announcements/new",
		"/announcements/1", "/backups", "/bot", "/metrics", "/readyz",
	})
	measure := func(admin int64, path string, json bool) {
		var took []time.Duration
		for range 9 {
			used := processorTime()
			w := d.send(call{method: "GET", path: path, session: sessions[admin], json: json})
			took = append(took, processorTime()-used)
			if w.Code != 200 {
				b.Fatalf("%s: got %d", path, w.Code)
			}
		}
		slices.Sort(took)
		median := took[len(took)/2]
		// not by Logf, of which a benchmark shows ten lines
		fmt.Printf("%6.2f ms, at most %6.2f: %s, admin %d, JSON %v\n", median.Seconds()*1000,
			took[len(took)-1].Seconds()*1000,
			path, admin, json)
		if median > longestPage {
			b.Errorf("%s, admin %d, JSON %v takes %v of a processor; want %v at the most", path, admin, json, median,
				longestPage)
		}
	}
	for _, json := range []bool{false, true} {
		for _, path := range paths {
			measure(8, path, json)
		}
		for _, path := range []string{"/", "/?status=FAILED", "/?q=м", "/attention", "/retry-all"} { // whose are few
			measure(7, path, json)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// searches are the first pages of searches, of what failed among what they find, and of what is ready.
func searches(words ...string) (paths []string) {
	for _, word := range words {
		for _, status := range []string{"", "FAILED", "COMPLETED"} {
			paths = append(paths, fmt.Sprintf("/?q=%s&status=%s", word, status))
		}
	}
	return paths
}
