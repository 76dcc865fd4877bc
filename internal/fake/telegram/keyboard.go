// Inline keyboards: the buttons below a message, and which ones are refused.

package telegram

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// Button is one button below a message: it is pressed with Data, or opens URL.
type Button struct {
	Text string `json:"text"`
	Data string `json:"callback_data,omitempty"`
	URL  string `json:"url,omitempty"`
	// Style is the colour: "primary", "success", "danger", or "" for the usual one.
	Style string `json:"style,omitempty"`
}

// maxData is how much a button can carry, in bytes.
const maxData = 64

// keyboard reads reply_markup. Only inline keyboards belong to a message; the
// other kinds change the writer's own keyboard and leave nothing behind.
func keyboard(r *request) ([][]Button, *apiError) {
	raw := r.text("reply_markup")
	if raw == "" || raw == "null" {
		return nil, nil
	}
	var markup struct {
		Inline   *[][]Button     `json:"inline_keyboard"`
		Keyboard json.RawMessage `json:"keyboard"`
		Remove   json.RawMessage `json:"remove_keyboard"`
		Force    json.RawMessage `json:"force_reply"`
	}
	if err := json.Unmarshal([]byte(raw), &markup); err != nil {
		return nil, bad("can't parse reply keyboard markup JSON object")
	}
	if markup.Inline == nil {
		if markup.Keyboard == nil && markup.Remove == nil && markup.Force == nil {
			return nil, bad("object expected as reply markup")
		}
		return nil, nil
	}
	var rows [][]Button
	for _, row := range *markup.Inline {
		for _, b := range row {
			if err := checkButton(b); err != nil {
				return nil, err
			}
		}
		if len(row) > 0 {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func checkButton(b Button) *apiError {
	switch {
	case !slices.Contains([]string{"", "primary", "success", "danger"}, b.Style):
		return bad("can't parse inline keyboard button: unknown style %q", b.Style)
	case strings.TrimSpace(b.Text) == "":
		return bad("inline keyboard button text must be non-empty")
	case b.URL != "" && !reachable(b.URL):
		return bad("inline keyboard button URL '%s' is invalid: Wrong HTTP URL", b.URL)
	case b.URL != "":
		return nil
	case b.Data == "":
		return bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
	case len(b.Data) > maxData:
		return bad("BUTTON_DATA_INVALID")
	}
	return nil
}

// reachable says whether Telegram takes an address for a link. A host without
// a dot is refused, so http://localhost:8080 cannot be behind a button.
func reachable(address string) bool {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "tg", "ton":
		return u.Host != ""
	case "http", "https":
		host := u.Hostname()
		return strings.Contains(host, ".") || strings.Contains(host, ":")
	}
	return false
}

func sameButtons(a, b [][]Button) bool {
	return slices.EqualFunc(a, b, func(x, y []Button) bool { return slices.Equal(x, y) })
}

func copyButtons(rows [][]Button) [][]Button {
	out := make([][]Button, len(rows))
	for i, row := range rows {
		out[i] = slices.Clone(row)
	}
	return out
}
