// Texts that owners have changed: which of them are said instead of those that come with the program, and which cannot
// be.

package lang

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
)

// Changed is a text of the bot that an owner has changed, by form.
type Changed struct {
	Lang, Key string
	Forms     map[string]string
}

// Fault is what is wrong with a form of a changed text: the id of a message of the page and what it says.
type Fault struct {
	Form, ID string
	Vars     Vars
}

// Aside is a changed text that is not said, and why.
type Aside struct {
	Changed
	Fault Fault
}

// place is a text in a language.
type place struct{ lang, key string }

// said are the changed texts that are said, by form. What it points to does not change: another takes its place.
var said atomic.Pointer[map[place]map[string]string]

// Change replaces all changed texts: what is said from now on is one of these, or comes with the program. Those that do
// not fit any more, because the program now has another text there, are set aside.
func Change(all []Changed) (aside []Aside) {
	fit := map[place]map[string]string{}
	for _, c := range all {
		fit[place{c.Lang, c.Key}] = maps.Clone(c.Forms)
	}
	for left := -1; left != len(fit); { // what comes with the program may be longer than what is set aside
		left = len(fit)
		for _, c := range all {
			at := place{c.Lang, c.Key}
			if fit[at] == nil {
				continue
			}
			if faults := check(fit, c); len(faults) > 0 {
				aside = append(aside, Aside{c, faults[0]})
				delete(fit, at)
			}
		}
	}
	said.Store(&fit)
	return aside
}

// current returns the changed texts that are said.
func current() map[place]map[string]string {
	if all := said.Load(); all != nil {
		return *all
	}
	return nil
}

// Tidy returns a text as it is kept: without spaces around it and without characters that nobody sees, with the line
// ends and the variables as they are written in the message files.
func Tidy(text string) string {
	text = Visible(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"))
	return holder.ReplaceAllString(strings.TrimSpace(text), "{{.$1}}")
}

// Check returns what is wrong with a text; none: it can be said. A length is measured beside the texts that are said in
// the same message now.
func Check(c Changed) []Fault { return check(current(), c) }

// markup is what other bots write for bold, italic and links. This one sends plain text.
var markup = regexp.MustCompile(`</?[A-Za-z][^<>]*>|\*\*[^*\n]+\*\*|__[^_\n]+__|\[[^\]\n]+\]\(https?://[^)\s]*\)`)

func check(among map[place]map[string]string, c Changed) (faults []Fault) {
	t := byKey[c.Key]
	if t == nil || t.forms[c.Lang] == nil {
		return []Fault{{ID: "text_fault_gone"}}
	}
	forms := t.Forms(c.Lang)
	for form := range c.Forms {
		if !slices.Contains(forms, form) {
			faults = append(faults, Fault{ID: "text_fault_forms"})
		}
	}
	for _, form := range forms {
		if fault := t.fault(among, c.Lang, form, c.Forms[form]); fault.ID != "" {
			fault.Form = form
			faults = append(faults, fault)
		}
	}
	return faults
}

// fault returns what is wrong with a form of a text; its ID is "" if nothing is.
func (t *Text) fault(among map[place]map[string]string, lang, form, text string) Fault {
	text = Tidy(text)
	bare := holder.ReplaceAllString(text, "")
	has, wants := variables(text), variables(t.texts[lang][form])
	switch {
	case text == "":
		return Fault{ID: "text_fault_empty"}
	case t.oneLine() && strings.Contains(text, "\n"):
		return Fault{ID: "text_fault_lines"}
	case strings.ContainsAny(bare, "{}"):
		return Fault{ID: "text_fault_syntax"}
	}
	for _, name := range has {
		if !slices.Contains(t.Vars, name) {
			return Fault{ID: "text_fault_unknown", Vars: Vars{"Var": "{{." + name + "}}"}}
		}
	}
	for _, name := range wants {
		if !slices.Contains(has, name) {
			return Fault{ID: "text_fault_missing", Vars: Vars{"Var": "{{." + name + "}}"}}
		}
	}
	if found := markup.FindString(text); found != "" {
		return Fault{ID: "text_fault_markup", Vars: Vars{"Markup": found}}
	}
	if n, room := t.Filled(text), t.room(among, lang); n > room {
		return Fault{ID: "text_fault_long", Vars: Vars{"N": n, "Of": room}}
	}
	return Fault{}
}

// oneLine reports whether Telegram shows the text in one line.
func (t *Text) oneLine() bool { return t.Kind == Button || t.Kind == Command }

// ---- lengths

// together are texts that one message holds, one of each part: * is any ending.
var together = []struct {
	kind  Kind
	parts [][]string
}{
	{Caption, [][]string{{"caption"}, {"done"}}},
	{Message, [][]string{{"help"}, {"help_admin"}}},
	{Message, [][]string{{"admin_link"}, {"admin_link_local"}}},
	{Message, [][]string{{"limit_open", "limit_hour", "limit_day", "limit_all"}, {"goes_on_*"}}},
	{Message, [][]string{{"privacy"}, {"privacy_videos", "privacy_videos_kept"},
		{"privacy_history", "privacy_history_kept"}, {"privacy_people", "privacy_people_kept"},
		{"privacy_nobody", "privacy_service", "privacy_farm"}, {"privacy_ways"}}},
	// These are toasts, too.
	{Toast, [][]string{{"request_created"}}},
	{Toast, [][]string{{"progress_next", "progress_queue", "progress_place", "progress_percent", "progress_held",
		"progress_sending", "progress_sending_minutes"}}},
}

// lines are how long a line of a list may be, so that the list fits into a message.
var lines = map[string]int{"status_title": 500, "status_pending": 340, "status_processing": 340, "status_sending": 340,
	"status_completed": 340, "status_failed": 340, "status_retried": 340, "status_name": 130, "stats": 700,
	"stats_source": 330}

// Room returns how many characters a text may have, with its variables as long as they can be and beside what is said
// in the same message.
func (t *Text) Room(lang string) int { return t.room(current(), lang) }

func (t *Text) room(among map[place]map[string]string, lang string) int {
	room := limits[t.Kind]
	if n := lines[t.Key]; n > 0 {
		room = n
	}
	for _, b := range t.beside {
		others := 0
		for _, part := range b.others {
			others += 2 + longestOf(among, lang, part)
		}
		room = min(room, b.limit-others)
	}
	return room
}

// beside is a message that holds a text with others: one of each part.
type beside struct {
	limit  int
	others [][]*Text
}

// findTogether tells each text what it stands beside.
func findTogether() {
	for _, message := range together {
		parts := make([][]*Text, len(message.parts))
		for i, part := range message.parts {
			for _, t := range texts {
				if (Subject{texts: part}).has(t.Key) {
					parts[i] = append(parts[i], t)
				}
			}
		}
		for i, part := range parts {
			for _, t := range part {
				t.beside = append(t.beside, beside{limits[message.kind], slices.Delete(slices.Clone(parts), i, i+1)})
			}
		}
	}
}

// longestOf returns how long the longest of some texts is.
func longestOf(among map[place]map[string]string, lang string, some []*Text) (most int) {
	for _, t := range some {
		forms := among[place{lang, t.Key}]
		if forms == nil {
			most = max(most, t.longest[lang])
		}
		for _, text := range forms {
			most = max(most, t.Filled(text))
		}
	}
	return most
}

// Said returns what is said now, by form, and whether an owner has changed it.
func (t *Text) Said(lang string) (forms map[string]string, changed bool) {
	forms, changed = current()[place{lang, t.Key}]
	if !changed {
		forms = t.texts[lang]
	}
	return maps.Clone(forms), changed
}
