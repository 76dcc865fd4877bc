// Text as Telegram counts it: UTF-16 units, entities that fit, blanks cut off.

package telegram

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	maxText    = 4096 // UTF-16 units
	maxCaption = 1024
	maxToast   = 200
)

// Entity marks a part of a text; offset and length count UTF-16 units.
type Entity struct {
	Type     string `json:"type"`
	Offset   int    `json:"offset"`
	Length   int    `json:"length"`
	URL      string `json:"url,omitempty"`
	Language string `json:"language,omitempty"`
}

var entityTypes = []string{
	"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold", "italic", "underline",
	"strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code", "pre", "text_link", "text_mention",
	"custom_emoji",
}

// units is the length of a text in UTF-16 units.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// formatted reads a text with its entities from a call and returns both as
// Telegram would keep them: without the blanks at both ends.
func formatted(r *request, textParam, entitiesParam string) (string, []Entity, *apiError) {
	text := r.text(textParam)
	if !utf8.ValidString(text) {
		return "", nil, bad("strings must be encoded in UTF-8")
	}
	if mode := r.text("parse_mode"); mode != "" {
		return "", nil, bad("unsupported parse_mode: this stand-in for Telegram takes entities only, not %q", mode)
	}
	var entities []Entity
	if raw := r.text(entitiesParam); raw != "" {
		if err := json.Unmarshal([]byte(raw), &entities); err != nil {
			return "", nil, bad("can't parse entities: %v", err)
		}
	}
	if err := checkEntities(text, entities); err != nil {
		return "", nil, err
	}
	text, entities = trim(text, entities)
	return text, entities, nil
}

func checkEntities(text string, entities []Entity) *apiError {
	size := units(text)
	starts := make([]bool, size+1) // where a character begins, and the end
	at := 0
	for _, r := range text {
		starts[at] = true
		at += utf16.RuneLen(r)
	}
	starts[size] = true
	for _, e := range entities {
		end := e.Offset + e.Length
		switch {
		case !slices.Contains(entityTypes, e.Type):
			return bad("can't parse MessageEntity: Unsupported type specified")
		case e.Offset < 0:
			return bad("receive an entity with incorrect offset %d", e.Offset)
		case e.Length < 0:
			return bad("receive an entity with incorrect length %d", e.Length)
		case e.Offset > size:
			return bad("entity begins after the end of the text at UTF-16 offset %d", e.Offset)
		case end > size:
			return bad("entity beginning at UTF-16 offset %d ends after the end of the text at UTF-16 offset %d", e.Offset, end)
		case !starts[e.Offset]:
			return bad("entity begins in a middle of a UTF-16 symbol at UTF-16 offset %d", e.Offset)
		case !starts[end]:
			return bad("entity beginning at UTF-16 offset %d ends in a middle of a UTF-16 symbol at UTF-16 offset %d",
				e.Offset, end)
		case e.Type == "text_link" && !reachable(e.URL):
			return bad("entity URL '%s' is invalid: Wrong HTTP URL", e.URL)
		}
	}
	return nil
}

// trim cuts blanks off both ends and moves the entities along; those that
// covered nothing else disappear.
func trim(text string, entities []Entity) (string, []Entity) {
	trimmed := strings.TrimLeftFunc(text, unicode.IsSpace)
	shift := units(text) - units(trimmed)
	trimmed = strings.TrimRightFunc(trimmed, unicode.IsSpace)
	size := units(trimmed)
	var kept []Entity
	for _, e := range entities {
		from, to := max(e.Offset-shift, 0), min(e.Offset+e.Length-shift, size)
		if from < to {
			e.Offset, e.Length = from, to-from
			kept = append(kept, e)
		}
	}
	return trimmed, kept
}

var command = regexp.MustCompile(`(?:^|\s)(/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)`)

// commandsIn marks the commands in what a person typed, as Telegram does.
func commandsIn(text string) []Entity {
	var out []Entity
	for _, m := range command.FindAllStringSubmatchIndex(text, -1) {
		out = append(out, Entity{Type: "bot_command", Offset: units(text[:m[2]]), Length: units(text[m[2]:m[3]])})
	}
	return out
}
