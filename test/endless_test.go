// Readers of what other machines send: none of them reads without an end.

package test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/alarm"
	"retake.example/internal/desk"
	"retake.example/internal/rumble"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
	"retake.example/internal/youtube"
)

// TestReaders_NoAnswerIsEndless has others beside it, in the rooms of what they read: TestS3_NoAnswerIsEndless,
// TestSend_NoMailServerIsEndless, TestErrors_AnEndlessAnswerIsBounded, TestServiceMisbehaves.
func TestReaders_NoAnswerIsEndless(t *testing.T) {
	const most = 40 << 20 // what is read, and what the kernel holds, which is far more of an answer that is packed
	tube := func(address string) *youtube.Client {
		return youtube.New(youtube.Config{ClientID: "c", ClientSecret: "s", BaseURL: address, AuthURL: address,
			TokenURL: address + "/token", WatchURL: address, RedirectURL: address, Now: time.Now})
	}
	engine := func(ctx context.Context, c video.Config) error {
		c.Timeout, c.Work, c.Cache, c.Workers, c.MaxBytes = time.Minute, t.TempDir(), t.TempDir(), 1, 1<<20
		m, err := video.New(c)
		if err == nil {
			_, err = m.Make(ctx, video.Order{Asset: "a1", Name: "Маша", Lang: "ru"}, nil)
		}
		return err
	}
	for name, read := range map[string]func(ctx context.Context, address string) error{
		"Telegram": func(ctx context.Context, address string) error {
			_, err := telegram.Look(ctx, telegram.NewClient(), address, testToken)
			return err
		},
		"Google's tokens": func(ctx context.Context, address string) error { return tube(address).Look(ctx) },
		"YouTube": func(ctx context.Context, address string) error {
			_, err := tube(address).With(youtube.Token{Access: "a", Refresh: "r"},
				func(context.Context, youtube.Token) error { return nil }).Mine(ctx)
			return err
		},
		"Rumble": func(ctx context.Context, address string) error {
			_, err := rumble.New(rumble.Config{AccessToken: strings.Repeat("0123456789", 4), BaseURL: address}).Publish(ctx,
				rumble.Video{File: bytes.NewReader([]byte("film")), Size: 4, Type: "video/mp4", Name: "a.mp4"},
				rumble.Metadata{Title: "x"}, rumble.State{}, func(rumble.State) error { return nil })
			return err
		},
		"an engine": func(ctx context.Context, address string) error {
			return engine(ctx, video.Config{Engine: video.EngineHTTP, URL: address, AllowPrivate: true,
				Offered: []string{"new-year"}})
		},
		"what a webhook says": func(ctx context.Context, address string) error {
			_, err := alarm.Ways{Webhook: address}.Send(ctx, "a", "b")
			return cmp.Or(err, io.EOF) // only the status counts
		},
		"what a dead man's switch says": func(ctx context.Context, address string) error {
			return cmp.Or(alarm.Ways{}.Ping(ctx, address), io.EOF)
		},
		"a poll of Telegram": func(ctx context.Context, address string) error {
			_, err := telegram.Poll(ctx, telegram.NewClient(), address, testToken, 0)
			return err
		},
		"the health of the page": func(ctx context.Context, address string) error {
			if err := desk.CheckHealth(ctx, address[len("http://"):]); err != nil {
				return err
			}
			return io.EOF // it reads the status only
		},
	} {
		for _, answer := range []struct{ kind, begin, packed string }{{"application/json", `{"ok":true,"result":"`, ""},
			{"video/mp4", "", ""}, {"application/json", `{"ok":true,"result":"`, "gzip"}, {"video/mp4", "", "gzip"}} {
			t.Run(name+"/"+answer.kind+answer.packed, func(t *testing.T) {
				var sent atomic.Int64
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					io.Copy(io.Discard, r.Body)
					w.Header().Set("Content-Type", answer.kind)
					to := io.Writer(w)
					if answer.packed != "" { // a thousand times as long as it looks, also to who has not asked for it
						w.Header().Set("Content-Encoding", answer.packed)
						pack := gzip.NewWriter(w)
						defer pack.Close()
						to = pack
					}
					io.WriteString(to, answer.begin)
					for page := bytes.Repeat([]byte("a"), 64<<10); ; sent.Add(int64(len(page))) {
						if _, err := to.Write(page); err != nil {
							return
						}
					}
				}))
				defer server.Close()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := read(ctx, server.URL); err == nil || ctx.Err() != nil {
					t.Errorf("got %v, %v; want the answer refused before the time is up", err, ctx.Err())
				}
				if n := sent.Load(); n > most && answer.packed == "" {
					t.Errorf("got %d bytes taken; want at most %d", n, most)
				}
			})
		}
	}
}
