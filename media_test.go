// Tests of videos that are kept in a bucket, with a real S3 server: made, sent, played, uploaded, deleted and moved,
// also while that server is away.

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/media/s3test"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// closedShelf is a shelf that nothing can be put on.
type closedShelf struct{ *bench }

func (closedShelf) Ready(context.Context) error { return waits{time.Hour} }

func TestNoVideoIsMadeWhileItCannotBeKept(t *testing.T) {
	s := newStore(t)
	ask(t, s, "Маша", 1)
	made := false
	b := &bench{render: func(context.Context, video.Order) error { made = true; return nil }}
	q := newQueue(s)
	q.render, q.media = b, closedShelf{b}
	task := begin(t, s, store.Render)
	end, err := q.do(t.Context(), &task)
	if wait, yes := retry.After(err); end != nil || !yes || wait != time.Hour || made {
		t.Errorf("got %v, made: %v; want a wait, and no video", err, made)
	}
}

func TestThePageWithABucket(t *testing.T) {
	notShort(t)
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		bucket := bucketOf(t, server)
		u := newCounter(t, mostBytes, time.Minute, roomy)
		u.files, u.queue.media = bucket, bucket
		u.change(func(*desk.Options) {})
		film := footage(t, "film.mp4")
		id := u.upload("Лето", "film.mp4", string(film))
		if keys := keysOf(t, bucket); !slices.Equal(keys, []string{id + ".jpg", id + ".mp4"}) {
			t.Fatalf("got %q; want the video and its picture", keys)
		}
		play := func(method string, header map[string]string) (status int, h http.Header, body []byte) {
			t.Helper()
			w := u.send(call{method: method, path: "/media/" + id, session: u.session, header: header})
			return w.Code, w.Header(), w.Body.Bytes()
		}
		size := len(film)
		for name, c := range map[string]struct {
			method, ask, value string
			status             int
			want               []byte
			length             string
		}{
			"all of it": {"GET", "", "", 200, film, fmt.Sprint(size)},
			"the head":  {"HEAD", "", "", 200, nil, fmt.Sprint(size)},
			"a part":    {"GET", "Range", "bytes=1000-1999", 206, film[1000:2000], "1000"},
			"the end":   {"GET", "Range", "bytes=-100", 206, film[size-100:], "100"},
			"from the middle on": {"GET", "Range", fmt.Sprintf("bytes=%d-", size/2), 206, film[size/2:],
				fmt.Sprint(size - size/2)},
			"beyond the end":    {"GET", "Range", fmt.Sprintf("bytes=%d-", size), 416, nil, ""},
			"what is kept":      {"GET", "If-None-Match", `"` + id + `.mp4"`, 304, nil, ""},
			"what was another":  {"GET", "If-None-Match", `"other"`, 200, film, fmt.Sprint(size)},
			"a part of another": {"GET", "If-Range", `"other"`, 200, film, fmt.Sprint(size)},
		} {
			header := map[string]string{}
			if c.ask != "" {
				header[c.ask] = c.value
			}
			if c.ask == "If-Range" {
				header["Range"] = "bytes=0-9"
			}
			status, h, body := play(c.method, header)
			if status != c.status || c.length != "" && h.Get("Content-Length") != c.length ||
				c.want != nil && !bytes.Equal(body, c.want) ||
				c.method == "HEAD" && len(body) > 0 {
				t.Errorf("%s: got %d, %d bytes, %v; want %d and %d bytes", name, status, len(body), h, c.status, len(c.want))
			}
			if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, "media-src 'self'") {
				t.Errorf("%s: got policy %q; want one without other hosts", name, policy)
			}
		}

		server.Stop()
		if w := u.send(call{method: "GET", path: "/media/" + id, session: u.session, json: true}); w.Code != 503 ||
			refused(t, w.Body.String()) != desk.Away.Code {
			t.Errorf("got %d %s; want %s", w.Code, w.Body, desk.Away.Code)
		}
		words := lang.Say("en", desk.Away.ID, nil)
		if page := u.want(200, u.send(call{method: "GET", path: "/upload", session: u.session})); !strings.Contains(
			page,
			words,
		) {
			t.Errorf("got %s; want words about it before somebody sends anything", page)
		}
		body, kind := form(part{"title", "", "Зима"}, part{"file", "film.mp4", string(film)})
		if a := u.post(bytes.NewReader(body), kind, false, nil); a.status != 503 || !strings.Contains(a.body, words) {
			t.Errorf("got %d %s; want a refusal in words", a.status, a.body)
		}
		if strings.Contains(u.log.String(), "Зима") || !strings.Contains(u.log.String(), "cannot be reached") {
			t.Errorf("got log %s; want the reason, without the title", &u.log)
		}

		server.Start()
		for _, folder := range []string{u.waiting, u.work, u.folder} {
			if left := filesIn(t, folder); len(left) > 0 {
				t.Errorf("got %q; want nothing left of the upload", left)
			}
		}
		if keys := keysOf(t, bucket); len(keys) != 2 || count(t, u.store, `SELECT count(*) FROM assets`) != 1 {
			t.Errorf("got %q; want nothing of the upload that was refused", keys)
		}
		if status, _, got := play("GET", nil); status != 200 || !bytes.Equal(got, film) {
			t.Errorf("got %d, %d bytes; want the video again", status, len(got))
		}
		u.want(303, u.send(call{method: "POST", path: "/assets/" + id + "/delete", session: u.session}))
		if keys := keysOf(t, bucket); len(keys) != 2 {
			t.Errorf("got %q; want the files kept for as long as the deletion can be undone", keys)
		}
		u.want(303, u.send(call{method: "POST", path: "/bin", session: u.session, body: "do=erase&id=" + id}))
		if keys := keysOf(t, bucket); len(keys) != 0 {
			t.Errorf("got %q; want an empty bucket", keys)
		}
	})
}

func TestAVideoGoesToYouTubeFromABucketThatGoesAwayMeanwhile(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		var chunks atomic.Int64
		b := newBroadcaster(t, func(_ http.ResponseWriter, r *http.Request) {
			if r.Method == "PUT" && chunks.Add(1) == 4 {
				server.Stop()
			}
		})
		c := b.connect()
		bucket := bucketOf(t, server)
		b.equip(bucket)
		const size = 40 << 20
		sum := b.film("V.mp4", size)
		b.shelve("A.jpg", footage(t, "photo.jpg"))
		id := b.video("V.mp4", size)
		b.publishes(id, store.Publication{Platform: "YOUTUBE", Channel: c.ID})
		b.run()
		w := &world{T: t, log: b.log}
		w.until("the wait", func() bool {
			return count(
				t,
				b.store,
				`SELECT count(*) FROM jobs WHERE kind = 'PUBLISH' AND attempt = 0 AND started IS NULL
					AND last_error LIKE '%cannot be reached%'`,
			) == 1
		})
		if n := count(t, b.store, `SELECT count(*) FROM publications WHERE status = 'FAILED'`); n != 0 ||
			len(b.tube.Videos()) != 0 {
			t.Errorf("got %d failed, %d videos; want a publication that waits", n, len(b.tube.Videos()))
		}
		server.Start()
		b.ahead.Add(int64(time.Minute))
		b.queue.Wake()
		b.becomes(id, "YOUTUBE", "COMPLETED ")
		if v := b.tube.Videos(); len(v) != 1 || v[0].SHA256 != sum || v[0].ThumbSize == 0 || b.tube.Inserts() != 1 {
			t.Errorf("got %+v of %d uploads; want the one video, whole, with its picture", v, b.tube.Inserts())
		}
		if in := b.tube.BytesIn(); in > size*105/100 {
			t.Errorf("got %d bytes on the wire; want at most 1.05 times %d", in, size)
		}
	})
}
