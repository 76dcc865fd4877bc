// The form of what a video is published with. Its limits are YouTube's: Rumble's are wider.

package desk

import (
	"cmp"
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"retake.example/internal/lang"
	"retake.example/internal/store"
)

// What YouTube takes.
const (
	maxTitle       = 100  // characters
	maxDescription = 5000 // bytes
	maxTags        = 500  // as CountTags counts
)

// spoken are the languages that the form offers for a video, by the names they have for themselves. Any other can be
// typed.
var spoken = []Language{{"ru", "Русский"}, {"en", "English"}, {"be", "Беларуская"}, {"de", "Deutsch"},
	{"es", "Español"}, {"fr", "Français"},
	{"it", "Italiano"}, {"kk", "Қазақша"}, {"pl", "Polski"}, {"pt", "Português"}, {"tr", "Türkçe"}, {"uk",
		"Українська"}}

var privacies = []string{"private", "unlisted", "public"}

// languageName is the name that a language has for itself.
func languageName(code string) string {
	for _, l := range spoken {
		if l.Code == code {
			return l.Name
		}
	}
	if tag, err := language.Parse(code); err == nil {
		if name := display.Self.Name(tag); name != "" {
			return name
		}
	}
	return code
}

// languageCode reads a language as somebody types it: its code in any form, or the name of one that is offered. What
// is neither stays.
func languageCode(text string) string {
	text = strings.TrimSpace(text)
	for _, l := range spoken {
		if strings.EqualFold(l.Name, text) {
			return l.Code
		}
	}
	if tag, err := language.Parse(text); err == nil && text != "" {
		return tag.String()
	}
	return text
}

// isLanguage reports whether a code is one of BCP 47; "" says nothing about the language.
func isLanguage(code string) bool {
	tag, err := language.Parse(code)
	return code == "" || err == nil && tag != language.Und
}

// categories are those that YouTube has: its numbers, and the messages with their names.
var categories = []struct{ ID, Name string }{{"22", "category_people"}, {"24", "category_entertainment"},
	{"1", "category_film"}, {"10", "category_music"},
	{"23", "category_comedy"}, {"27", "category_education"}, {"26", "category_howto"}, {"20",
		"category_games"}, {"17", "category_sport"}, {"19", "category_travel"},
	{"15", "category_pets"}, {"2", "category_cars"}, {"25", "category_news"}, {"28", "category_science"}, {"29",
		"category_nonprofit"}}

// playlistID is what YouTube's ids of playlists are made of.
var playlistID = regexp.MustCompile(`^[\w-]{2,64}$`)

// WithDefaults returns the metadata, or what the form begins with while nobody has saved any. A greeting has no title
// then: its name is a child's.
func WithDefaults(m store.Metadata, name, language string, greeting bool) store.Metadata {
	if m.Privacy == "" {
		m = store.Metadata{Title: name, Language: language, Privacy: privacies[0]}
		if greeting {
			m.Title = ""
		}
	}
	m.Category, m.Synthetic, m.Notify = cmp.Or(m.Category, categories[0].ID), cmp.Or(m.Synthetic,
		"no"), cmp.Or(m.Notify, "no")
	return m
}

// withChannel puts the defaults of a channel into what the form begins with, while nobody has saved anything.
func withChannel(m, saved store.Metadata, d store.Defaults) store.Metadata {
	if saved.Privacy != "" {
		return m
	}
	m.Description, m.Tags, m.Kids, m.Playlist = d.Description, d.Tags, d.Kids, d.Playlist
	m.Privacy, m.Language = cmp.Or(d.Privacy, m.Privacy), cmp.Or(d.Language, m.Language)
	return m
}

// Merge returns the metadata with the fields that were sent, tidied. Those that were not sent stay.
func Merge(m store.Metadata, sent map[string]string) store.Metadata {
	for field, to := range fieldsOf(&m) {
		if text, ok := sent[field]; ok {
			*to = lang.Visible(strings.ToValidUTF8(text, "\uFFFD"))
		}
	}
	m.Title = oneLine(m.Title)
	m.Description = strings.TrimSpace(strings.ReplaceAll(m.Description, "\r\n", "\n")) // browsers send both
	m.Tags = strings.Join(m.TagList(), ", ")
	m.Playlist, m.Language = strings.TrimSpace(m.Playlist), languageCode(m.Language)
	// its address, as a browser shows it
	if u, err := url.Parse(m.Playlist); err == nil && u.Query().Get("list") != "" {
		m.Playlist = u.Query().Get("list")
	}
	return m
}

// fieldsOf are the fields of the form, by the names that it has for them.
func fieldsOf(m *store.Metadata) map[string]*string {
	return map[string]*string{"title": &m.Title, "description": &m.Description, "tags": &m.Tags,
		"language":      &m.Language,
		"made_for_kids": &m.Kids, "privacy": &m.Privacy, "category": &m.Category, "playlist": &m.Playlist,
		"synthetic": &m.Synthetic, "notify": &m.Notify}
}

// blank are letters and symbols that show nothing.
const blank = "\u115F\u1160\u2800\u3164\uFFA0"

// isVisible reports whether a text shows anything.
func isVisible(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && !strings.ContainsRune(blank, r)
	})
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// countTags counts as Google does: the commas, too, and two quotes around a tag with a space in it.
func countTags(tags []string) int {
	n := max(0, len(tags)-1)
	for _, tag := range tags {
		n += utf8.RuneCountInString(tag)
		if strings.Contains(tag, " ") {
			n += 2
		}
	}
	return n
}

// Form is the form with what is in it and what is wrong with that.
type Form struct {
	store.Metadata
	Version   string            `json:"version"` // of what is saved; see versionOf
	Conflict  bool              `json:"-"`       // somebody else has changed a field, too, since the form was opened
	Greeting  bool              `json:"-"`       // made for a child
	Languages []Language        `json:"-"`
	Choices   []Choice          `json:"-"` // categories
	Faults    map[string]string `json:"-"` // in words, by field; nil: nothing is wrong
	First     string            `json:"-"` // the first field with a fault
	Counts    []Counter         `json:"-"`

	fresh    bool           // nobody has saved anything
	defaults store.Defaults // that it began with
}

// Choice is one of a list, with its name in words.
type Choice struct{ ID, Name string }

// Counter tells how much of a field is used.
type Counter struct {
	Field, Label string // Label: id of the message
	N, Of        int
}

// NewForm makes the form with some metadata in it.
func NewForm(say Say, m store.Metadata, greeting bool) *Form {
	f := &Form{Metadata: m, Version: versionOf(m), Greeting: greeting, Languages: spoken, Counts: []Counter{
		{"title", "count_title", utf8.RuneCountInString(m.Title), maxTitle},
		{"description", "count_description", len(m.Description), maxDescription},
		{"tags", "count_tags", countTags(m.TagList()), maxTags},
	}}
	for _, c := range categories {
		f.Choices = append(f.Choices, Choice{c.ID, say(c.Name, nil)})
	}
	for _, rule := range []struct {
		field, id string
		broken    bool
	}{
		{"title", "fault_angle", strings.ContainsAny(m.Title, "<>")},
		{"title", "title_hidden", m.Title != "" && !isVisible(m.Title)},
		{"title", "fault_title", f.Counts[0].Over()},
		{"description", "fault_angle", strings.ContainsAny(m.Description, "<>")},
		{"description", "fault_description", f.Counts[1].Over()},
		{"tags", "fault_angle", strings.ContainsAny(m.Tags, "<>")},
		{"tags", "fault_tags", f.Counts[2].Over()},
		{"language", "fault_language", !isLanguage(m.Language)},
		{"made_for_kids", "fault_kids", !slices.Contains([]string{"", "yes", "no"}, m.Kids)},
		{"privacy", "fault_privacy", !slices.Contains(privacies, m.Privacy)},
		{"category", "fault_category",
			!slices.ContainsFunc(f.Choices, func(c Choice) bool { return c.ID == m.Category })},
		{"playlist", "fault_playlist", m.Playlist != "" && !playlistID.MatchString(m.Playlist)},
		{"synthetic", "fault_yes_no", m.Synthetic != "yes" && m.Synthetic != "no"},
		{"notify", "fault_yes_no", m.Notify != "yes" && m.Notify != "no"},
	} {
		if rule.broken {
			f.refuse(rule.field, say(rule.id, nil))
		}
	}
	return f
}

// refuse says what is wrong with a field, unless something is already.
func (f *Form) refuse(field, why string) {
	if f.Faults == nil {
		f.Faults = map[string]string{}
	}
	f.First = cmp.Or(f.First, field)
	if f.Faults[field] == "" {
		f.Faults[field] = why
	}
}

// Whole refuses what may stay open only until the video is published.
func (f *Form) Whole(say Say) {
	if f.Title == "" {
		f.refuse("title", say("fault_title_empty", nil))
	}
	if f.Kids == "" {
		f.refuse("made_for_kids", say("fault_kids_open", nil))
	}
}

// Refused shows that a platform has refused a field, and why.
func (f *Form) Refused(field, why string) {
	if slices.Contains(inForm, field) {
		f.refuse(field, why)
	}
}

// inForm are the fields of the form.
var inForm = []string{"title", "description", "tags", "language", "made_for_kids", "privacy", "category", "playlist",
	"synthetic", "notify"}

// More reports whether something is wrong with a field that is folded away.
func (f *Form) More() bool {
	return f.Faults["category"]+f.Faults["playlist"]+f.Faults["synthetic"]+f.Faults["notify"] != ""
}

// Over reports whether there is more than fits.
func (c Counter) Over() bool { return c.N > c.Of }

// Fault is what is wrong with a field.
type Fault struct{ Field, Text string }

// Fault returns what is wrong with a field; its text is "" if nothing is.
func (f *Form) Fault(field string) Fault { return Fault{field, f.Faults[field]} }

// About are the attributes that tell of what is wrong with a field and of the notes beside it, which go by their ids.
func (f *Form) About(field string, notes ...string) template.HTMLAttr {
	invalid := ""
	if f.Faults[field] != "" {
		invalid, notes = ` aria-invalid="true"`, append([]string{field + "-fault"}, notes...)
	}
	if len(notes) == 0 {
		return ""
	}
	return template.HTMLAttr(`aria-describedby="` + strings.Join(notes, " ") + `"` + invalid)
}

// Focus is the attribute that leads to the first field with a fault.
func (f *Form) Focus(field string) template.HTMLAttr {
	if f.First == field {
		return "autofocus"
	}
	return ""
}

// Count returns the counter of a field.
func (f *Form) Count(field string) Counter {
	return f.Counts[slices.IndexFunc(f.Counts, func(c Counter) bool { return c.Field == field })]
}
