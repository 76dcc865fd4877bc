// The catalogue of the bot's texts: what they are about, where Telegram shows them, which variables and forms they
// have.

package lang

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/BurntSushi/toml"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Kind is where Telegram shows a text.
type Kind string

// The kinds of texts.
const (
	Message Kind = "message"
	Caption Kind = "caption" // below a video or a file
	Button  Kind = "button"
	Toast   Kind = "toast"   // over the chat, for a moment, when a button was pressed
	Command Kind = "command" // beside a command in the menu
)

// limits are how many characters Telegram takes. It names no limit for a button: apps cut longer ones.
var limits = map[Kind]int{Message: 4096, Caption: 1024, Button: 64, Toast: 200, Command: 256}

// Subject is a group of texts about one thing.
type Subject struct {
	ID    string // start, names, …
	texts []string
}

// subjects lists the texts by what they are about: ids, or beginnings of ids with a *.
var subjects = []Subject{
	{"start", []string{"start", "help", "help_admin", "ask_name", "chat_*", "only_text", "group", "unknown_command"}},
	{"names", []string{"confirm", "choose", "button_yes", "button_change", "button_play", "confirm_*", "name_*",
		"toast_said", "toast_said_enough", "toast_unsaid",
		"toast_unsayable"}},
	{"progress", []string{"request_created", "progress_*", "button_cancel", "cancelled", "cancel_*", "already_waiting"}},
	{"video", []string{"caption", "done", "button_more"}},
	{"failure", []string{"apology", "button_retry", "toast_trying", "toast_waiting", "toast_ready", "toast_lapsed",
		"press_*", "trouble"}},
	{"status", []string{"status_*", "button_get"}},
	{"limits", []string{"limit_*", "goes_on_*", "too_many"}},
	{"language", []string{"language_*"}},
	{"privacy", []string{"privacy*", "my_data", "forget_ask", "button_forget", "button_keep", "forgotten*", "kept"}},
	{"news", []string{"news_*", "button_news_*", "toast_news_*", "help_news"}},
	{"commands", []string{"command_*"}},
	{"admins", []string{"admin_*", "owner_*", "invitation_*", "stats*", "alert_*", "alarm_*", "outage_*",
		"asked_to_go", "posting_in", "trying_now",
		"button_try_now", "button_retry_all"}},
}

func (s Subject) has(key string) bool {
	return slices.ContainsFunc(s.texts, func(text string) bool {
		beginning, many := strings.CutSuffix(text, "*")
		return text == key || many && strings.HasPrefix(key, beginning)
	})
}

// Subjects lists the ids of the subjects, in their order.
func Subjects() (ids []string) {
	for _, s := range subjects {
		ids = append(ids, s.ID)
	}
	return ids
}

// Text is a text of the bot.
type Text struct {
	Key     string
	Subject string // id
	Kind    Kind
	Vars    []string                     // names of its variables
	forms   map[string][]string          // by language; see Forms
	texts   map[string]map[string]string // as they come, by language and form
	longest map[string]int               // of them, by language, with the variables as long as they can be
	beside  []beside
}

var (
	texts  []*Text // in the order of the subjects and of the file
	byKey  = map[string]*Text{}
	holder = regexp.MustCompile(`\{\{\s*\.(\w+)\s*\}\}`) // of a variable
)

// single is the form of a text that has only one.
const single = "other"

func init() {
	written, order := map[string]map[string]map[string]string{}, []string(nil)
	for _, l := range Languages {
		file, err := messages.ReadFile("messages/bot." + l + ".toml")
		raw := map[string]any{}
		if err == nil {
			var meta toml.MetaData
			meta, err = toml.Decode(string(file), &raw)
			for _, k := range meta.Keys() {
				if len(k) == 1 && l == Languages[0] {
					order = append(order, k[0])
				}
			}
		}
		if err != nil {
			panic(fmt.Sprintf("texts of %s: %v", l, err)) // embedded: a test loads them
		}
		written[l] = map[string]map[string]string{}
		for key, value := range raw {
			forms := map[string]string{}
			if text, ok := value.(string); ok {
				forms[single] = text
			} else if table, ok := value.(map[string]any); ok {
				for form, text := range table {
					forms[form] = fmt.Sprint(text)
				}
			}
			written[l][key] = forms
		}
	}
	for _, s := range subjects {
		for _, key := range order {
			if s.has(key) {
				t := newText(s.ID, key, written)
				texts, byKey[key] = append(texts, t), t
			}
		}
	}
	findTogether()
}

func newText(subject, key string, written map[string]map[string]map[string]string) *Text {
	t := &Text{Key: key, Subject: subject, Kind: kindOf(key), forms: map[string][]string{},
		texts: map[string]map[string]string{}, longest: map[string]int{}}
	for _, l := range Languages {
		all := written[l][key]
		t.forms[l] = []string{single}
		if len(all) > 1 {
			t.forms[l] = formsOf(l)
		}
		t.texts[l] = map[string]string{}
		for _, form := range t.forms[l] {
			t.texts[l][form] = all[form]
			t.Vars = append(t.Vars, variables(all[form])...)
		}
	}
	slices.Sort(t.Vars)
	t.Vars = slices.Compact(t.Vars)
	for _, l := range Languages {
		for _, text := range t.texts[l] {
			t.longest[l] = max(t.longest[l], t.Filled(text))
		}
	}
	return t
}

func kindOf(key string) Kind {
	switch word, _, _ := strings.Cut(key, "_"); {
	case word == "button", key == "language_name":
		return Button
	case word == "toast", word == "command":
		return Kind(word)
	case key == "caption", key == "done", key == "my_data":
		return Caption
	}
	return Message
}

// Texts lists the texts of the bot, by subject.
func Texts() []*Text { return texts }

// TextOf returns the text with that key; nil: there is none.
func TextOf(key string) *Text { return byKey[key] }

// Forms lists the forms of a text in a language: one, or those that whole numbers have there.
func (t *Text) Forms(lang string) []string { return t.forms[lang] }

// Default returns the text as it comes, by form.
func (t *Text) Default(lang string) map[string]string { return maps.Clone(t.texts[lang]) }

// variables lists the variables in a text.
func variables(text string) (names []string) {
	for _, m := range holder.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fillIn puts values in the places of variables. One without a value stays.
func fillIn(text string, vars Vars) string {
	return holder.ReplaceAllStringFunc(text, func(place string) string {
		if value, ok := vars[holder.FindStringSubmatch(place)[1]]; ok {
			return fmt.Sprint(value)
		}
		return place
	})
}

// ---- numbers

var formNames = map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few",
	plural.Many: "many", plural.Other: "other"}

// formFor returns the form for a whole number.
func formFor(lang string, n int) string {
	return formNames[plural.Cardinal.MatchPlural(language.Make(lang), max(n, -n), 0, 0, 0, 0)]
}

// formsOf lists the forms that whole numbers have, in the order in which they come.
func formsOf(lang string) (forms []string) {
	for n := 1; n <= 120; n++ {
		if f := formFor(lang, n); !slices.Contains(forms, f) {
			forms = append(forms, f)
		}
	}
	return forms
}

// Numbers are the first numbers that a form is for, such as 1, 21 and 31.
func Numbers(lang, form string) (numbers []int) {
	for n := 1; n <= 120 && len(numbers) < 3; n++ {
		if formFor(lang, n) == form {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// pick returns the form of a text that the count in vars asks for.
func pick(lang string, forms map[string]string, vars Vars) string {
	if len(forms) > 1 {
		if n, err := strconv.Atoi(fmt.Sprint(vars["Count"])); err == nil {
			return cmp.Or(forms[formFor(lang, n)], forms[single])
		}
	}
	return forms[single]
}

// ---- examples

// samples are what the variables may be, in each language or in all.
var samples = map[string]map[string]any{
	"Name": {"ru": "Маша", "": "Emma"}, "Title": {"ru": "Новый год", "": "New Year"},
	"Reason": {"ru": "Генератор не отвечает.", "": "The generator does not answer."},
	"Link":   {"": "https://example.org/"}, "Tag": {"": "flyer"},
	"Place": {"": 3}, "Percent": {"": 42}, "Hours": {"": 6}, "GB": {"": 4}, "Tenth": {"": 2}, "All": {"": 12},
	"Pending": {"": 3}, "Processing": {"": 1}, "Completed": {"": 240}, "Failed": {"": 2}, "People": {"": 17},
}

// Sample returns what the variables of a text may be, for a form.
func (t *Text) Sample(lang, form string) Vars {
	vars := Vars{}
	for _, name := range t.Vars {
		value, ok := samples[name][lang]
		if !ok {
			value = samples[name][""]
		}
		if name == "Count" {
			value = 5
			if numbers := Numbers(lang, form); len(numbers) > 0 {
				value = numbers[0]
			}
		}
		vars[name] = value
	}
	return vars
}

// Longest returns how many characters the variables of a text have at most.
func (t *Text) Longest() map[string]int {
	longest := map[string]int{}
	for _, name := range t.Vars {
		switch {
		case name == "Name" && strings.HasPrefix(t.Key, "status_") && t.Key != "status_name":
			longest[name] = 130 // with the title of the template
		case name == "Name":
			longest[name] = 50
		case name == "Title", name == "Tag":
			longest[name] = 64
		case name == "Link":
			longest[name] = 200
		case name == "Reason":
			longest[name] = 1200
		default: // a number
			longest[name] = 9
		}
	}
	return longest
}

// Filled returns how many characters a text has when its variables are as long as they can be. A character outside of
// the basic plane, such as most emoji, counts as two: Telegram is not said to count otherwise.
func (t *Text) Filled(text string) int {
	vars := Vars{}
	for name, n := range t.Longest() {
		vars[name] = strings.Repeat("x", n)
	}
	return Units(fillIn(text, vars))
}

// Units is how many characters Telegram takes a text to have: it counts UTF-16 units.
func Units(text string) int { return len(utf16.Encode([]rune(text))) }

// Most is how many characters Telegram takes in a text of a kind.
func (k Kind) Most() int { return limits[k] }

// Preview fills a text with samples.
func (t *Text) Preview(lang, form, text string) string { return fillIn(text, t.Sample(lang, form)) }
