// What the tests share: a server with the real client library in front of it.

package telegram_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"retake.example/internal/fake/telegram"
)

const token = "7000000001:AAH-secret"

// world is one running server, a client of it, and a clock.
type world struct {
	*telegram.Server
	t   *testing.T
	web *httptest.Server
	bot *bot.Bot
	ctx context.Context

	mu    sync.Mutex
	clock time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Server: telegram.New(token), t: t, clock: time.Now()}
	w.SetNow(func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.clock
	})
	w.web = httptest.NewServer(w.Server)
	w.web.Config.ErrorLog = nil
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	w.ctx = ctx
	t.Cleanup(func() {
		cancel()
		w.Close()
		w.web.Close()
	})
	w.bot = w.client(nil)
	return w
}

// client makes one more client; a nil handler means that it never polls.
func (w *world) client(handle bot.HandlerFunc) *bot.Bot {
	w.t.Helper()
	if handle == nil {
		handle = func(context.Context, *bot.Bot, *models.Update) {}
	}
	b, err := bot.New(token, bot.WithServerURL(w.web.URL), bot.WithDefaultHandler(handle), bot.WithNotAsyncHandlers(),
		bot.WithErrorsHandler(func(error) {}))
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// pass moves the clock.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	w.clock = w.clock.Add(d)
	w.mu.Unlock()
}

// until waits for something to be true in the server.
func (w *world) until(what func() bool) {
	w.t.Helper()
	if err := w.Wait(w.ctx, what); err != nil {
		w.t.Fatalf("waiting: %v", err)
	}
}

func (w *world) send(chat int64, text string) *models.Message {
	w.t.Helper()
	m, err := w.bot.SendMessage(w.ctx, &bot.SendMessageParams{ChatID: chat, Text: text})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// answer is what the API says to a call made by hand.
type answer struct {
	OK          bool            `json:"ok"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Result      json.RawMessage `json:"result"`
	Parameters  struct {
		RetryAfter int `json:"retry_after"`
	} `json:"parameters"`
	Status int
}

// form calls a method with an urlencoded form, given as name, value, name…
func (w *world) form(method string, pairs ...string) answer {
	w.t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return w.post(method, "application/x-www-form-urlencoded", strings.NewReader(values.Encode()))
}

func (w *world) post(method, kind string, body io.Reader) answer {
	w.t.Helper()
	resp, err := http.Post(w.web.URL+"/bot"+token+"/"+method, kind, body)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	a := answer{Status: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		w.t.Fatal(err)
	}
	return a
}

// fetched is an update as far as these tests look into it.
type fetched struct {
	ID      int64           `json:"update_id"`
	Message *models.Message `json:"message"`
	Edited  *models.Message `json:"edited_message"`
	Post    *models.Message `json:"channel_post"`
	Press   json.RawMessage `json:"callback_query"`
	Member  json.RawMessage `json:"my_chat_member"`
}

func (w *world) updates(pairs ...string) []fetched {
	w.t.Helper()
	a := w.form("getUpdates", pairs...)
	var list []fetched
	if err := json.Unmarshal(a.Result, &list); !a.OK || err != nil {
		w.t.Fatalf("getUpdates: %+v, %v", a, err)
	}
	return list
}

// mp4 builds the smallest file that looks like an MP4 of 720×1280 and 3 s.
func mp4(sound bool) []byte {
	box := func(name string, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		out := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
		return append(append(out, name...), body...)
	}
	handler := func(kind string) []byte {
		return box("mdia", box("hdlr", make([]byte, 8), []byte(kind), make([]byte, 12)))
	}
	header := make([]byte, 84)
	binary.BigEndian.PutUint32(header[76:], 720<<16)
	binary.BigEndian.PutUint32(header[80:], 1280<<16)
	length := make([]byte, 100)
	binary.BigEndian.PutUint32(length[12:], 1000)
	binary.BigEndian.PutUint32(length[16:], 3000)
	tracks := [][]byte{box("mvhd", length), box("trak", box("tkhd", header), handler("vide"))}
	if sound {
		tracks = append(tracks, box("trak", box("tkhd", make([]byte, 84)), handler("soun")))
	}
	return bytes.Join([][]byte{box("ftyp", []byte("isom"), make([]byte, 4)), box("moov", tracks...), box("mdat",
		make([]byte, 500))}, nil)
}

func picture(side int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, side, side)), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}
