// Every message that is pending times every answer that Telegram may give, at the first and at the last attempt.

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retake.example/internal/chat"
	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// fate is what becomes of a message after an answer.
type fate int

const (
	arrives   fate = iota
	waiting        // it is tried again, and no attempt is spent
	declined       // an attempt is spent; after the last one it is undelivered
	badFileID      // declined, but of a file_id: the file is uploaded, and no attempt is spent
	nobody         // the chat is gone
)

// answerOf is an answer of Telegram, or of a proxy before it.
type answerOf struct {
	status int // 0: the connection is closed
	body   string
	fate   fate
	maybe  bool // the message may have arrived
}

func no(code int, words string) string {
	return fmt.Sprintf(`{"ok":false,"error_code":%d,"description":%q}`, code, words)
}

var allAnswers = map[string]answerOf{
	"200":                       {200, `{"ok":true,"result":{"message_id":7,"date":1,"chat":{"id":5,"type":"private"}}}`, arrives, true},
	"200 cut after the id":      {200, `{"ok":true,"result":{"message_id":7,"from":{"id`, arrives, true},
	"200 cut before the id":     {200, `{"ok":true,"result":{"mess`, waiting, true},
	"200 cut in the id":         {200, `{"ok":true,"result":{"message_id":7`, waiting, true},
	"200 ok without a result":   {200, `{"ok":true}`, waiting, true},
	"200 ok with null":          {200, `{"ok":true,"result":null}`, waiting, true},
	"200 of another type":       {200, `{"ok":true,"result":"x"}`, waiting, true},
	"200 empty":                 {200, ``, waiting, true},
	"200 HTML":                  {200, `<h1>hello</h1>`, waiting, true},
	"200 garbage":               {200, "\x00\xff\x1f", waiting, true},
	"200 says no, not why":      {200, `{"ok":false}`, waiting, false},
	"no answer":                 {0, ``, waiting, true},
	"302":                       {302, `elsewhere`, waiting, false},
	"400 HTML":                  {400, `<h1>400</h1>`, waiting, false},
	"400 logged out":            {400, no(400, "Logged out"), waiting, false},
	"401":                       {401, no(401, "Unauthorized"), waiting, false},
	"403 HTML":                  {403, `<h1>403</h1>`, waiting, false},
	"404":                       {404, no(404, "Not Found"), waiting, false},
	"409 webhook":               {409, no(409, "Conflict: terminated by setWebhook request"), waiting, false},
	"409 other poller":          {409, no(409, "Conflict: terminated by other getUpdates request"), waiting, false},
	"429":                       {429, `{"ok":false,"error_code":429,"parameters":{"retry_after":7}}`, waiting, false},
	"429 HTML":                  {429, `<h1>429</h1>`, waiting, false},
	"500":                       {500, no(500, "Internal Server Error"), waiting, false},
	"502 HTML":                  {502, `<h1>502</h1>`, waiting, false},
	"504 HTML":                  {504, `<h1>504</h1>`, waiting, false},
	"403 blocked":               {403, no(403, "Forbidden: bot was blocked by the user"), nobody, false},
	"403 in new words":          {403, no(403, "Forbidden: by a law of 2031"), nobody, false},
	"400 chat not found":        {400, no(400, "Bad Request: chat not found"), nobody, false},
	"400 deactivated":           {400, no(400, "Bad Request: INPUT_USER_DEACTIVATED"), nobody, false},
	"400 in new words":          {400, no(400, "Bad Request: words of 2031"), badFileID, false},
	"400 without words":         {400, no(400, ""), badFileID, false},
	"400 type of file":          {400, no(400, "Bad Request: type of file mismatch"), badFileID, false},
	"400 FILE_ID_INVALID":       {400, no(400, "Bad Request: FILE_ID_INVALID"), badFileID, false},
	"402":                       {402, no(402, "Payment Required"), declined, false},
	"406":                       {406, no(406, "Not Acceptable: CHANNEL_PRIVATE"), declined, false},
	"413 JSON":                  {413, no(413, "Request Entity Too Large"), declined, false},
	"413 HTML":                  {413, `<h1>413</h1>`, declined, false},
	"418, which nobody expects": {418, no(418, "I'm a teapot"), declined, false},
}

// pendings are the messages that can be pending, by their kind and the file_id of their video.
var pendings = map[string]struct {
	kind   store.Kind
	fileID string
}{
	"announcement": {store.Announce, ""}, "apology": {store.Apologise, ""}, "upload": {store.Deliver, ""},
	"video": {store.Deliver, "BAAC1"}, "animation": {store.Deliver, "animation:CgAC1"},
	"document": {store.Deliver, "document:BQAC1"},
}

// TestPromise_EveryMessageTimesEveryAnswer holds the promises of docs/reliability.md against each: nobody waits in
// silence, nothing that is owed disappears, Telegram's own faults spend no attempt, and nobody gets more than two
// copies.
func TestPromise_EveryMessageTimesEveryAnswer(t *testing.T) {
	s := newStore(t)
	files, err := media.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	film := filepath.Join(t.TempDir(), "film")
	if err := os.WriteFile(film, []byte("film"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := files.Put(t.Context(), "film.mp4", film, nil); err != nil {
		t.Fatal(err)
	}
	var now answerOf
	sends := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if strings.HasSuffix(r.URL.Path, "/getMe") { // whether Telegram is there
			io.WriteString(w, `{"ok":true,"result":{"id":1}}`)
			return
		}
		sends++
		if now.status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", map[bool]string{true: "text/html"}[strings.HasPrefix(now.body, "<")])
		w.WriteHeader(now.status)
		io.WriteString(w, now.body)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	defer server.Close()
	user := int64(100)
	for name, r := range allAnswers {
		for what, p := range pendings {
			for _, attempts := range []int{1, 3} {
				user++
				now, sends = r, 0
				m := pendingOf(t, s, p.kind, p.fileID, user, attempts)
				m.url, m.files = server.URL, files
				m.try()
				label := fmt.Sprintf("%s, %s, attempt %d", name, what, attempts)
				want := r.fate
				if want == badFileID && p.fileID == "" {
					want = declined
				}
				m.met(label, want, attempts)
				for tries := 0; m.pending() && tries < 10; tries++ { // to the end, or as long as it waits
					m.try()
				}
				if r.maybe && sends > 2 {
					t.Errorf("%s: got %d copies; want two at most", label, sends)
				}
				m.isHeardOf(label)
			}
		}
	}
}

// message is one that is pending for a user.
type message struct {
	t     *testing.T
	q     *Queue
	kind  store.Kind
	user  int64
	asset string
	url   string
	files opener
}

// pendingOf owes a user a message whose next attempt is the first or, when attempts is more, the last.
func pendingOf(t *testing.T, s *store.Store, kind store.Kind, fileID string, user int64, attempts int) *message {
	t.Helper()
	q := newQueue(s)
	a := ask(t, s, "К"+letters(int(user)), user)
	switch kind {
	case store.Deliver:
		task := begin(t, s, store.Render)
		write(t, s, func(tx *store.Tx) error {
			return tx.FinishRender(task.Job, store.Video{File: "film.mp4", Size: 4})
		})
	case store.Apologise:
		failForGood(t, q)
	}
	mutate(t, s, `DELETE FROM jobs WHERE kind <> ? OR asset_id <> ?`, kind, a.ID)
	mutate(t, s, `UPDATE jobs SET attempt = ?`, attempts-1)
	mutate(t, s, `UPDATE assets SET file_id = ? WHERE id = ?`, null(fileID), a.ID)
	return &message{t: t, q: q, kind: kind, user: user, asset: a.ID}
}

// try makes an attempt as the queue does, with a bot that has just started.
func (m *message) try() {
	m.t.Helper()
	mutate(m.t, m.q.store, `UPDATE jobs SET due = 0`)
	sender, err := NewSender(m.q.store, m.files, chat.Options{Token: testToken, APIURL: m.url, Offers: video.NewOffers(newYear...),
		Language: "ru", MaxUpload: 50 << 20, Second: time.Second}, slog.New(slog.DiscardHandler))
	if err != nil {
		m.t.Fatal(err)
	}
	m.q.msgs = sender
	task := begin(m.t, m.q.store, m.kind)
	if end := m.q.attempt(m.t.Context(), m.t.Context(), &task); end != nil {
		write(m.t, m.q.store, end.Write)
	}
}

func (m *message) pending() bool { return m.count(`SELECT count(*) FROM jobs WHERE kind = ?2`) == 1 }

// count counts something of the request; its asset is ?1, the kind of the message ?2.
func (m *message) count(query string) int {
	m.t.Helper()
	return count(m.t, m.q.store, query+` AND asset_id = ?1`, m.asset, m.kind)
}

// met checks what an attempt has left.
func (m *message) met(label string, want fate, attempt int) {
	m.t.Helper()
	spent := count(m.t, m.q.store, `SELECT ifnull(max(attempt), -1) FROM jobs WHERE asset_id = ?`, m.asset)
	ok := false
	switch want {
	case arrives:
		ok = spent == -1 && m.arrived()
	case waiting:
		ok = spent == attempt-1
	case badFileID:
		ok = spent == attempt-1 &&
			count(m.t, m.q.store, `SELECT count(*) FROM assets WHERE id = ? AND file_id IS NULL`, m.asset) == 1
	case declined:
		ok = spent == attempt && attempt < 3 || spent == -1 && attempt == 3 && m.marked()
	case nobody:
		ok = spent == -1 && m.blocked()
	}
	if !ok {
		m.t.Errorf("%s: got %d attempts spent (-1: nothing is pending), arrived %v, marked %v, blocked %v; want %v", label,
			spent, m.arrived(), m.marked(), m.blocked(), want)
	}
}

func (m *message) arrived() bool {
	return m.count(`SELECT count(*) FROM requests WHERE (answer_id = 7 OR progress_id = 7)`) == 1
}

func (m *message) marked() bool {
	return m.count(`SELECT count(*) FROM requests WHERE undelivered IS NOT NULL AND undelivered_code <> ''`) == 1
}

func (m *message) blocked() bool {
	return count(m.t, m.q.store, `SELECT count(*) FROM users WHERE id = ? AND unreachable IS NOT NULL`, m.user) == 1
}

// isHeardOf checks that a message has arrived, is pending, or is known to admins, who can send it again; and that the
// message to somebody who has blocked the bot is pending again when they come back.
func (m *message) isHeardOf(label string) {
	m.t.Helper()
	owner := retry.AdminClicked{Admin: store.Admin{ID: 8, Owner: true}}
	switch {
	case m.arrived(), m.pending():
	case m.blocked():
		write(m.t, m.q.store, func(tx *store.Tx) error { _, err := tx.Return(m.user); return err })
		if m.kind != store.Announce && !m.pending() { // an announcement is outlived by its video
			m.t.Errorf("%s: got nothing after unblocking; want the message", label)
		}
	case !m.marked():
		m.t.Errorf("%s: got a message that nobody knows of", label)
	case m.kind == store.Apologise: // a new try is for everyone
	default:
		if out, err := m.q.Retry(context.Background(), m.asset, owner); err != nil || out != retry.Restarted || !m.pending() {
			m.t.Errorf("%s: sent again: got %s, %v; want %s", label, out, err, retry.Restarted)
		}
	}
	mutate(m.t, m.q.store, `DELETE FROM jobs`)
}
