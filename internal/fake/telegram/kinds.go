// Messages without text: what a person sends when the bot wants a name.

package telegram

import (
	"fmt"
	"maps"
	"slices"
)

// The fields of each kind, as far as a decoder of the Bot API needs them.
var kinds = map[string]func() any{
	"voice":      func() any { return media("duration", 3, "mime_type", "audio/ogg") },
	"audio":      func() any { return media("duration", 180, "mime_type", "audio/mpeg", "title", "Song") },
	"document":   func() any { return media("file_name", "list.pdf", "mime_type", "application/pdf") },
	"video":      func() any { return media("width", 720, "height", 1280, "duration", 5, "mime_type", "video/mp4") },
	"video_note": func() any { return media("length", 240, "duration", 5) },
	"animation":  func() any { return media("width", 320, "height", 240, "duration", 2, "mime_type", "video/mp4") },
	"photo":      func() any { return []any{media("width", 90, "height", 67), media("width", 1280, "height", 960)} },
	"sticker": func() any {
		return media("type", "regular", "width", 512, "height", 512, "is_animated", false, "is_video", false, "emoji", "🎄")
	},
	"location": func() any { return map[string]any{"latitude": 55.7558, "longitude": 37.6173} },
	"contact":  func() any { return map[string]any{"phone_number": "+70000000000", "first_name": "Anna"} },
	"dice":     func() any { return map[string]any{"emoji": "🎲", "value": 4} },
	"poll": func() any {
		return map[string]any{"id": randomDigits(), "question": "Which name?", "type": "regular", "total_voter_count": 0,
			"is_closed": false, "is_anonymous": true, "allows_multiple_answers": false,
			"options": []any{map[string]any{"text": "Anna", "voter_count": 0}, map[string]any{"text": "Maria",
				"voter_count": 0}}}
	},
}

// SendKind sends the bot a message without text, and returns its id: voice,
// audio, document, video, video_note, animation, photo, sticker, location,
// contact, dice or poll. It panics on another kind.
func (p *Person) SendKind(kind string) int64 {
	content := kinds[kind]
	if content == nil {
		panic(fmt.Sprintf("telegram: no kind %q; there are %v", kind, slices.Sorted(maps.Keys(kinds))))
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.setBlocked(false)
	return p.s.receive(p.chat, &message{from: p.user, kind: kind, extra: content()})
}

// media makes a file object with the fields named in pairs.
func media(pairs ...any) map[string]any {
	out := map[string]any{"file_id": "AwACAgIAAxkBAAI" + randomText(42), "file_unique_id": "AgAD" + randomText(9),
		"file_size": 4096}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}
