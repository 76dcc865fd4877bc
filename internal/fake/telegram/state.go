// What the chat page shows, as JSON: the whole at once and every change live.

package telegram

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// shownMessages is how much of a chat the page holds.
const shownMessages = 150

// heartbeat keeps idle event streams from being taken for dead ones.
const heartbeat = 15 * time.Second

type pageState struct {
	Boot   string      `json:"boot"`
	Broken bool        `json:"broken"`
	Chats  []chatState `json:"chats"`
}

// chatState is one phone. Rev grows with each change, so that of two pictures
// of a chat the page knows the newer one.
type chatState struct {
	Person   int64          `json:"person"`
	Name     string         `json:"name"`
	Language string         `json:"language"`
	Rev      int64          `json:"rev"`
	Blocked  bool           `json:"blocked"`
	Action   string         `json:"action,omitempty"`
	ActionMS int64          `json:"action_ms,omitempty"` // how much longer it is to be seen
	Messages []messageState `json:"messages"`
	Pressed  []pressState   `json:"pressed"` // not answered yet
	Toasts   []toastState   `json:"toasts"`  // the last few
}

type messageState struct {
	ID       int         `json:"id"`
	Bot      bool        `json:"bot"`
	Kind     string      `json:"kind"`
	Text     string      `json:"text"`
	Entities []Entity    `json:"entities,omitempty"`
	Buttons  [][]Button  `json:"buttons,omitempty"`
	Video    *videoState `json:"video,omitempty"`
	Document *fileState  `json:"document,omitempty"`
	Voice    *fileState  `json:"voice,omitempty"`
	At       int64       `json:"at"` // milliseconds since 1970
	Edited   bool        `json:"edited,omitempty"`
	Read     bool        `json:"read,omitempty"`
}

type videoState struct {
	File      string `json:"file"`
	Thumbnail string `json:"thumbnail,omitempty"`
	Width     int    `json:"width"`
	Height    int    `json:"height"`
	Seconds   int    `json:"seconds"`
	Silent    bool   `json:"silent,omitempty"`
}

type fileState struct {
	File string `json:"file"`
	Name string `json:"name"`
}

type pressState struct {
	Message int    `json:"message"`
	Data    string `json:"data"`
}

type toastState struct {
	Number int    `json:"number"` // counts up, so that none is shown twice
	Text   string `json:"text"`
	Alert  bool   `json:"alert,omitempty"`
}

func (p *page) state(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, p.picture())
}

func (p *page) picture() pageState {
	out := pageState{Boot: p.boot, Broken: p.broken(), Chats: []chatState{}}
	for _, who := range p.opts.People {
		out.Chats = append(out.Chats, who.picture())
	}
	return out
}

func (p *page) broken() bool { return p.canBreak() && p.opts.Broken() }

// picture is the chat as it is now.
func (p *Person) picture() chatState {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	now := p.s.now()
	out := chatState{
		Person: p.user.ID, Name: p.user.FirstName, Language: p.user.LanguageCode, Rev: p.chat.rev, Blocked: p.blocked,
		Messages: []messageState{}, Pressed: []pressState{}, Toasts: []toastState{},
	}
	if left := p.chat.until.Sub(now); p.chat.action != "" && left > 0 {
		out.Action, out.ActionMS = p.chat.action, left.Milliseconds()
	}
	shown := p.chat.messages
	for _, m := range shown[max(0, len(shown)-shownMessages):] {
		out.Messages = append(out.Messages, m.picture())
	}
	for _, q := range p.presses {
		if now.Sub(q.at) <= pressLife {
			out.Pressed = append(out.Pressed, pressState{Message: q.message, Data: q.data})
		}
	}
	for i := max(0, len(p.toasts)-5); i < len(p.toasts); i++ {
		out.Toasts = append(out.Toasts, toastState{Number: i + 1, Text: p.toasts[i].Text, Alert: p.toasts[i].Alert})
	}
	return out
}

func (m *message) picture() messageState {
	out := messageState{
		ID: m.id, Bot: m.from.IsBot, Kind: m.kind, Text: m.text, Entities: m.entities, Buttons: m.buttons,
		At: m.at.UnixMilli(), Edited: m.edits > 0, Read: m.read,
	}
	if f := m.file; f != nil && f.kind == "document" {
		out.Document = &fileState{File: f.id, Name: f.name}
	} else if f != nil && f.kind == "voice" {
		out.Voice = &fileState{File: f.id}
	} else if f != nil {
		out.Video = &videoState{File: f.id, Width: f.width, Height: f.height, Seconds: f.duration,
			Silent: f.kind == "animation"}
		if f.thumb != nil {
			out.Video.Thumbnail = f.thumb.id
		}
	}
	return out
}

// events streams every change after its beginning: "chat" with the whole
// picture of a chat that changed, "broken" with the position of the switch.
// A page pulls the whole state whenever its stream has begun, and so misses
// nothing that happened while it had none.
func (p *page) events(w http.ResponseWriter, r *http.Request) {
	stream := http.NewResponseController(w)
	// A deadline for writing is meant for answers that end. Where none can be
	// set there is none to lift.
	_ = stream.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	sent := map[int64]int64{}
	for _, who := range p.opts.People {
		sent[who.ID()] = who.picture().Rev
	}
	broken := p.broken()
	fmt.Fprint(w, "retry: 1000\n\n")
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		p.s.mu.Lock()
		changed := p.s.changed
		p.s.mu.Unlock()
		for _, who := range p.opts.People {
			if now := who.picture(); now.Rev != sent[now.Person] {
				sent[now.Person] = now.Rev
				event(w, "chat", now)
			}
		}
		if now := p.broken(); now != broken {
			broken = now
			event(w, "broken", broken)
		}
		if stream.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			fmt.Fprint(w, ": still here\n\n")
		case <-r.Context().Done():
			return
		case <-p.s.done:
			return
		}
	}
}

func event(w http.ResponseWriter, name string, data any) {
	raw, err := json.Marshal(data)
	if err != nil {
		panic(err) // only our own plain types are in there
	}
	fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, raw)
}
