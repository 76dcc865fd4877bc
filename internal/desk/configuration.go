// The form of the settings: what owners may set on the page, where each value comes from, and the way back to its
// default.

package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"retake.example/internal/config"
	"retake.example/internal/lang"
)

// settings are those of the program, which goes on with others after a change.
type settings interface {
	// Current returns those that hold now.
	Current() config.Config
	// Refused returns why they were last not read again, or nil.
	Refused() error
	// Change gives keys values as TOML writes them, and those of reset their defaults. It returns config.Faults if they
	// cannot be used, and has changed nothing then.
	Change(ctx context.Context, admin int64, set map[string]string, reset []string) error
}

// Configuration is the page.
type Configuration struct {
	Success  bool          `json:"success"`
	Sections []KnobSection `json:"sections"`
	Refused  string        `json:"refused,omitzero"` // why file and environment were last not read again
	Problem  string        `json:"-"`                // that belongs to no field
	Faults   bool          `json:"-"`                // something was not saved
}

// KnobSection is a part of the form.
type KnobSection struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`
	Fields []*Knob `json:"fields"`
}

// Knob is a setting with its field.
type Knob struct {
	Key     string        `json:"key"`
	Label   string        `json:"label"`
	Help    string        `json:"help"`
	Kind    string        `json:"kind"`             // number, span, choice, switch, text or secret
	Value   string        `json:"value"`            // never that of a secret
	IsSet   bool          `json:"set"`              // for secrets: there is one
	Origin  config.Origin `json:"origin"`           // default, page, file or environment
	Place   string        `json:"place,omitzero"`   // the line of the file, or the variable
	Locked  bool          `json:"locked"`           // file or environment set it
	Default string        `json:"default,omitzero"` // in words
	Options []KnobOption  `json:"options,omitempty"`
	Number  string        `json:"-"` // of a span: how many units
	Unit    string        `json:"-"`
	Shown   string        `json:"-"` // what the form began with
	Reset   bool          `json:"-"` // back to the default was ticked
	Lost    bool          `json:"-"` // of a secret: it must be typed again
	Fault   string        `json:"-"`

	knob
}

// KnobOption is one that can be chosen.
type KnobOption struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	On    bool   `json:"on"`
}

// knob says what a field accepts.
type knob struct {
	key, kind string
	least     int64 // a number; seconds of a span
	most      int64 // of a number; 0: any
	zero      bool  // a span of 0 is accepted, too
}

const day = 24 * 60 * 60

// longest is the most that a span may be: 100 years.
const longest = 36525 * 24 * time.Hour

// knobs are the fields by section.
var knobs = []struct {
	section string
	fields  []knob
}{
	{"people", []knob{{key: "language", kind: "choice"}, {key: "limits.open", kind: "number", least: 1},
		{key: "limits.per_hour", kind: "number", least: 1}, {key: "limits.per_day", kind: "number", least: 1},
		{key: "limits.all_per_day", kind: "number"}}},
	{"videos", []knob{{key: "render.reuse_for", kind: "span", least: 1, zero: true},
		{key: "render.timeout", kind: "span", least: 1},
		{key: "limits.media_gb", kind: "number", most: 1 << 20},
		{key: "media.max_upload_mb", kind: "number", least: 1, most: 1 << 20}}},
	{"privacy", []knob{{key: "privacy.videos", kind: "span", least: day, zero: true},
		{key: "privacy.people", kind: "span", least: day, zero: true},
		{key: "privacy.history", kind: "span", least: day, zero: true},
		{key: "privacy.inbox", kind: "span", least: day, zero: true}}},
	{"failures", []knob{{key: "queue.attempts", kind: "number", least: 1}, {key: "queue.backoff", kind: "span", least: 1},
		{key: "queue.backoff_max", kind: "span", least: 1}, {key: "queue.outage_after", kind: "number", least: 2},
		{key: "queue.outage_max", kind: "span", least: 1}}},
	{"alerts", []knob{{key: "watch.webhook", kind: "secret"}, {key: "watch.webhook_shape", kind: "choice"},
		{key: "watch.ping", kind: "secret"}, {key: "watch.smtp", kind: "text"}, {key: "watch.smtp_user", kind: "text"},
		{key: "watch.smtp_password", kind: "secret"}, {key: "watch.mail_from", kind: "text"},
		{key: "watch.mail_to", kind: "list"}}},
	{"telegram", []knob{{key: "telegram.token", kind: "secret"},
		{key: "telegram.per_second", kind: "number", least: 1, most: 30},
		{key: "telegram.announcements", kind: "switch"}}},
	{"publishing", []knob{{key: "youtube.client_id", kind: "text"}, {key: "youtube.client_secret", kind: "secret"},
		{key: "youtube.uploads_per_day", kind: "number", least: 1}, {key: "rumble.access_token", kind: "secret"},
		{key: "rumble.channel_id", kind: "text"}}},
	{"copies", []knob{{key: "backup.every", kind: "span", least: 1, zero: true},
		{key: "backup.keep", kind: "number", least: 1}}},
}

// units are those of a span, the longest first.
var units = []struct {
	id   string
	long time.Duration
}{{"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}, {"seconds", time.Second}}

// Configuration answers with the page.
func (d *Desk) Configuration(w http.ResponseWriter, r *http.Request) error {
	if d.opts.Settings == nil {
		return NotFound
	}
	return d.answer(w, r, "configuration", d.configurationFrame(r), d.configuration(r))
}

func (d *Desk) configurationFrame(r *http.Request) Frame {
	return Frame{Title: sayTo(r)("conf_title", nil), SignedIn: true, Here: "/settings"}
}

// configuration is the form with what holds now.
func (d *Desk) configuration(r *http.Request) *Configuration {
	say, cfg := sayTo(r), d.opts.Settings.Current()
	view := &Configuration{Success: true}
	if err := d.opts.Settings.Refused(); err != nil {
		view.Refused = err.Error()
	}
	for _, s := range knobs {
		section := KnobSection{ID: s.section, Title: say("conf_"+s.section, nil)}
		for _, k := range s.fields {
			section.Fields = append(section.Fields, d.knob(say, languageOf(r), cfg, k))
		}
		view.Sections = append(view.Sections, section)
	}
	return view
}

func (d *Desk) knob(say Say, language string, cfg config.Config, k knob) *Knob {
	name := "conf_" + strings.ReplaceAll(k.key, ".", "_")
	f := &Knob{Key: k.key, Label: say(name, nil), Help: say(name+"_help", nil), Kind: k.kind, Origin: cfg.Origin(k.key),
		Locked: cfg.Locked(k.key), IsSet: cfg.IsSet(k.key), Lost: slices.Contains(cfg.Unreadable, k.key), knob: k}
	if f.Locked {
		f.Place = cfg.From[k.key]
	}
	if k.kind == "secret" {
		return f
	}
	switch k.key {
	case "language":
		for _, l := range lang.Languages {
			f.Options = append(f.Options, KnobOption{ID: l, Title: languageName(l)})
		}
	case "telegram.announcements":
		f.Options = []KnobOption{{ID: "false", Title: say("conf_off", nil)}, {ID: "true", Title: say("conf_on", nil)}}
	case "watch.webhook_shape":
		f.Options = []KnobOption{{ID: "ntfy", Title: "ntfy"}, {ID: "slack", Title: "Slack, Mattermost, Discord"}}
	}
	f.put(plainValue(cfg.Value(k.key)))
	f.Shown, f.Default = f.Value, f.words(say, plainValue(cfg.Default(k.key)))
	return f
}

// plainValue is a value without the quotes and brackets of TOML.
func plainValue(text string) string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var parts []string
		for _, p := range v {
			parts = append(parts, fmt.Sprint(p))
		}
		return strings.Join(parts, ", ")
	}
	return text
}

// put shows a value in the field.
func (f *Knob) put(value string) {
	f.Value = value
	switch f.Kind {
	case "span":
		f.Number, f.Unit = value, ""
		if d, err := time.ParseDuration(value); err == nil {
			for _, u := range units {
				if f.Number, f.Unit = strconv.FormatInt(int64(d/u.long), 10), u.id; d%u.long == 0 && (d > 0 || u.id == "days") {
					break
				}
			}
		}
	case "choice", "switch":
		for i, o := range f.Options {
			f.Options[i].On = o.ID == value
		}
	}
}

// About is the attribute that ties the field to its help and its fault.
func (f *Knob) About() template.HTMLAttr {
	if f.Fault == "" {
		return template.HTMLAttr(`aria-describedby="` + f.Key + `-hint"`)
	}
	return template.HTMLAttr(`aria-describedby="` + f.Key + `-fault ` + f.Key + `-hint" aria-invalid="true"`)
}

// Units are those of a span.
func (f *Knob) Units() []string {
	var ids []string
	for _, u := range units {
		ids = append(ids, u.id)
	}
	return ids
}

// words says a value.
func (f *Knob) words(say Say, value string) string {
	switch f.Kind {
	case "span":
		d, _ := time.ParseDuration(value)
		if d == 0 {
			return "0"
		}
		return Span(say, d)
	case "choice", "switch":
		for _, o := range f.Options {
			if o.ID == value {
				return o.Title
			}
		}
	}
	if value == "" {
		return say("conf_nothing", nil)
	}
	return value
}

// take puts what was sent into the field, and reports whether it differs from what was shown.
func (f *Knob) take(sent map[string]string) (changed bool) {
	f.Reset = sent["default."+f.Key] != ""
	value, given := sent[f.Key]
	if shown, ok := sent["shown."+f.Key]; ok {
		f.Shown = shown
	}
	value = strings.TrimSpace(lang.Visible(strings.ToValidUTF8(value, "\uFFFD")))
	switch {
	case !given || f.Kind == "secret" && value == "":
		return false
	case f.Kind == "secret":
		return true
	}
	number, unit := value, sent["unit."+f.Key]
	for _, u := range units {
		if n, err := strconv.ParseInt(value, 10, 32); f.Kind == "span" && u.id == unit && err == nil &&
			max(n, -n) <= int64(math.MaxInt64/u.long) { // what is longer stays without a unit, and is no span
			value = plainValue(config.TOML(time.Duration(n) * u.long))
		}
	}
	f.put(value)
	if f.Kind == "span" && unit != "" {
		f.Number, f.Unit = number, unit // as it was typed
	}
	return f.Value != f.Shown
}

// value returns what was sent as TOML writes it, or sets Fault.
func (f *Knob) value(say Say, typed string) string {
	switch f.Kind {
	case "number":
		n, err := strconv.ParseInt(typed, 10, 32)
		switch {
		case (err != nil || n < f.least || n > f.most) && f.most > 0:
			f.Fault = say("conf_fault_between", Vars{"Least": f.least, "Most": f.most})
		case err != nil || n < f.least:
			f.Fault = say("conf_fault_least", Vars{"Least": f.least})
		}
		return config.TOML(n)
	case "span":
		d, err := time.ParseDuration(typed)
		least := time.Duration(f.least) * time.Second
		switch ok := err == nil && d <= longest && (d >= least || d == 0 && f.zero); {
		case !ok && f.zero:
			f.Fault = say("conf_fault_span_zero", Vars{"Least": Span(say, least)})
		case !ok:
			f.Fault = say("conf_fault_span", Vars{"Least": Span(say, least)})
		}
		return config.TOML(d)
	case "list":
		return config.TOML(strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }))
	case "choice", "switch":
		if !slices.ContainsFunc(f.Options, func(o KnobOption) bool { return o.ID == typed }) {
			f.Fault = say("conf_fault_choice", nil)
		}
		if f.Kind == "switch" {
			return config.TOML(typed == "true")
		}
	}
	return config.TOML(typed)
}

// changeTime is how long a change waits for the end of the server with the old settings.
const changeTime = 5 * time.Second

// change changes settings, and leads some back to their defaults. It goes on when the browser has gone.
func (d *Desk) change(r *http.Request, set map[string]string, reset []string) error {
	if err := d.opts.Settings.Change(context.WithoutCancel(r.Context()), AdminOf(r).ID, set, reset); err != nil {
		return err
	}
	select { // what the browser asks for next, the program answers with the new settings
	case <-d.over.Done():
	case <-time.After(changeTime):
	}
	return nil
}

// SaveConfiguration changes settings. The program goes on with them in its next run, which begins at once.
func (d *Desk) SaveConfiguration(w http.ResponseWriter, r *http.Request) error {
	if d.opts.Settings == nil {
		return NotFound
	}
	say := sayTo(r)
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	view := d.configuration(r)
	set, reset, faults := map[string]string{}, []string{}, map[string]string{}
	fields := map[string]*Knob{}
	for _, s := range view.Sections {
		for _, f := range s.Fields {
			fields[f.Key] = f
			changed := f.take(sent)
			switch {
			case (changed || f.Reset) && f.Locked:
				f.Fault = say("conf_fault_locked", Vars{"Place": f.Place})
			case f.Reset && (f.Origin == config.FromPage || f.Lost):
				reset = append(reset, f.Key)
			case changed && f.Kind == "secret":
				set[f.Key] = config.TOML(strings.TrimSpace(sent[f.Key]))
			case changed:
				set[f.Key] = f.value(say, f.Value)
			}
			if f.Fault != "" {
				faults[f.Key] = f.Fault
			}
		}
	}
	for name := range sent { // of a program: what a form sends is known
		if fields[name] == nil && slices.Contains(config.Keys(), name) {
			faults[name] = say("conf_fault_unknown", nil)
		}
	}
	outcome := "settings_unchanged"
	if len(faults) == 0 && len(set)+len(reset) > 0 {
		outcome = "settings_saved"
		err := d.change(r, set, reset)
		refused, ok := errors.AsType[config.Faults](err)
		if err != nil && !ok {
			return fmt.Errorf("change the settings: %w", err)
		}
		for _, line := range refused {
			view.place(say, line, faults, fields)
		}
	}
	if len(faults) == 0 && view.Problem == "" {
		return doneAt(w, r, "/configuration?notice="+outcome, outcome, "")
	}
	view.Faults = true
	for key := range set {
		if f := fields[key]; f.Kind == "secret" && f.Fault == "" { // the page never shows one
			f.Fault = say("conf_secret_again", nil)
		}
	}
	return d.refuse(w, r, Invalid("error_fields", nil), "configuration", say("conf_title", nil), view, faults)
}

// knobFaults say what is wrong with a field of which the settings know more than the form.
var knobFaults = map[string]string{"youtube.client_secret": "conf_fault_youtube", "telegram.token": "conf_fault_token",
	"watch.webhook": "conf_fault_address", "watch.ping": "conf_fault_address", "watch.smtp": "conf_fault_smtp",
	"watch.mail_from": "conf_fault_mail", "watch.mail_to": "conf_fault_mail"}

// place puts a fault of the settings at its field.
func (c *Configuration) place(say Say, line string, faults map[string]string, fields map[string]*Knob) {
	for key, f := range fields {
		if _, text, ok := strings.Cut(line, ": "+key+": "); ok {
			if id := knobFaults[key]; id != "" {
				text = say(id, nil)
			}
			f.Fault, faults[key] = text, text
			return
		}
	}
	c.Problem, faults["settings"] = line, line
}
