// What the tests share: a small Bot API with one channel behind real HTTP, and the calls to it.

package tgchannel

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	theChannel = int64(-1001234567890)
	fileID     = "BAACAgIAAxkBAAIfile"
)

type post struct {
	file, caption string
	bold          int
}

// telegram is the Bot API for one channel.
type telegram struct {
	*testing.T
	server *httptest.Server
	client *Client

	mu     sync.Mutex
	posts  map[int64]*post
	next   int64
	calls  []string
	rights map[string]any
	kind   string
	name   string // the channel's
	before func(method string, w http.ResponseWriter) bool
	after  func(method string)
}

func newTelegram(t *testing.T) *telegram {
	tg := &telegram{
		T:     t,
		posts: map[int64]*post{},
		next:  7,
		kind:  "channel",
		name:  "greetings",
		rights: map[string]any{
			"status":              "administrator",
			"can_post_messages":   true,
			"can_edit_messages":   true,
			"can_delete_messages": true,
		},
	}
	tg.server = httptest.NewServer(tg)
	t.Cleanup(tg.server.Close)
	tg.client = New(calls{tg.server.URL}, calls{tg.server.URL})
	return tg
}

// known are the fields of each method, as the Bot API's documentation has them.
var known = map[string]string{
	"sendVideo":              "chat_id video caption caption_entities supports_streaming",
	"editMessageCaption":     "chat_id message_id caption caption_entities",
	"editMessageReplyMarkup": "chat_id message_id",
	"deleteMessage":          "chat_id message_id",
	"getChat":                "chat_id",
	"getChatMember":          "chat_id user_id",
}

func (tg *telegram) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	method := strings.TrimPrefix(r.URL.Path, "/")
	tg.calls = append(tg.calls, method)
	if tg.before != nil && tg.before(method, w) {
		return
	}
	var in map[string]any
	body := json.NewDecoder(r.Body)
	body.UseNumber()
	if err := body.Decode(&in); err != nil {
		tg.Errorf("%s: %v", method, err)
	}
	for field := range in {
		if !slices.Contains(strings.Fields(known[method]), field) {
			tg.Errorf("%s has no field %s", method, field)
		}
	}
	no := func(status int, text string) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]any{"ok": false, "error_code": status, "description": text})
	}
	if ref := fmt.Sprint(in["chat_id"]); ref != fmt.Sprint(theChannel) && ref != "@"+tg.name {
		no(400, "Bad Request: chat not found")
		return
	}
	id := int64(0)
	if n, ok := in["message_id"].(json.Number); ok {
		id, _ = n.Int64()
	}
	var result any = true
	switch method {
	case "getChat":
		result = map[string]any{"id": theChannel, "type": tg.kind, "title": "Greetings", "username": tg.name}
	case "getChatMember":
		result = tg.rights
	case "sendVideo":
		if in["video"] != fileID {
			no(400, "Bad Request: wrong file identifier/HTTP URL specified")
			return
		}
		tg.next++
		tg.posts[tg.next] = newPost(in)
		result = map[string]any{"message_id": tg.next}
	case "editMessageCaption":
		switch p := newPost(in); {
		case tg.posts[id] == nil:
			no(400, "Bad Request: message to edit not found")
			return
		case tg.posts[id].caption == p.caption:
			no(
				400,
				"Bad Request: message is not modified: specified new message content is the same",
			)
			return
		default:
			p.file = tg.posts[id].file
			tg.posts[id] = p
		}
	case "editMessageReplyMarkup":
		if tg.posts[id] == nil {
			no(400, "Bad Request: message to edit not found")
			return
		}
		no(400, "Bad Request: message is not modified: specified new message content is the same")
		return
	case "deleteMessage":
		if tg.posts[id] == nil {
			no(400, "Bad Request: message to delete not found")
			return
		}
		delete(tg.posts, id)
	}
	if tg.after != nil {
		tg.after(method)
	}
	json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": result})
}

// all are the posts in the channel.
func (tg *telegram) all() map[int64]*post {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	return maps.Clone(tg.posts)
}

// said are the methods that were called.
func (tg *telegram) said() []string {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	return slices.Clone(tg.calls)
}

func newPost(in map[string]any) *post {
	p := &post{caption: fmt.Sprint(in["caption"])}
	p.file, _ = in["video"].(string)
	if all, ok := in["caption_entities"].([]any); ok && len(all) == 1 {
		n, _ := all[0].(map[string]any)["length"].(json.Number).Int64()
		p.bold = int(n)
	}
	return p
}

// calls are the calls of the Bot API over HTTP.
type calls struct{ base string }

func (c calls) do(ctx context.Context, method string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", c.base+"/"+method, bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	var v struct {
		OK          bool
		Description string
		Code        int `json:"error_code"`
		Parameters  struct {
			After int `json:"retry_after"`
		}
		Result json.RawMessage
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return fmt.Errorf("%s: the answer isn't Telegram's", method)
	}
	if !v.OK {
		return &Refusal{v.Code, v.Description, time.Duration(v.Parameters.After) * time.Second}
	}
	return json.Unmarshal(v.Result, out)
}

func caption(in map[string]any, c Caption) map[string]any {
	in["caption"] = c.Text
	in["caption_entities"] = []any{map[string]any{"type": "bold", "offset": 0, "length": c.Bold}}
	return in
}

func (c calls) SendVideo(ctx context.Context, channel int64, file string, text Caption,
	leaving func() error) (int64, error) {
	if err := leaving(); err != nil {
		return 0, err
	}
	var v struct {
		ID int64 `json:"message_id"`
	}
	err := c.do(ctx, "sendVideo", caption(map[string]any{"chat_id": channel, "video": file}, text), &v)
	return v.ID, err
}

func (c calls) EditCaption(ctx context.Context, channel, message int64, text Caption) error {
	return c.do(
		ctx,
		"editMessageCaption",
		caption(map[string]any{"chat_id": channel, "message_id": message}, text),
		new(any),
	)
}

func (c calls) Touch(ctx context.Context, channel, message int64) error {
	return c.do(ctx, "editMessageReplyMarkup", map[string]any{"chat_id": channel, "message_id": message}, new(any))
}

func (c calls) Delete(ctx context.Context, channel, message int64) error {
	return c.do(ctx, "deleteMessage", map[string]any{"chat_id": channel, "message_id": message}, new(any))
}

func (c calls) Chat(ctx context.Context, ref string) (chat Chat, err error) {
	return chat, c.do(ctx, "getChat", map[string]any{"chat_id": ref}, &chat)
}

func (c calls) Rights(ctx context.Context, channel int64) (Rights, error) {
	var v struct {
		Status string
		Post   bool `json:"can_post_messages"`
		Edit   bool `json:"can_edit_messages"`
		Delete bool `json:"can_delete_messages"`
	}
	err := c.do(ctx, "getChatMember", map[string]any{"chat_id": channel, "user_id": 1}, &v)
	return Rights{v.Status == "administrator" || v.Status == "creator", v.Post, v.Edit, v.Delete}, err
}
