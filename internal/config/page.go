// What can be set on the page: its keys, the values that were set there, and which of page, file and environment wins.

package config

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Page holds what was set on the page: values as TOML writes them, by key. It yields to the file and the environment,
// unless a key there is an empty text or an empty list, which says nothing.
type Page map[string]string

// thePage is what faults call the page.
const thePage = "the page"

// Origin is where a setting comes from.
type Origin string

const (
	FromDefault     Origin = "default"
	FromPage        Origin = "page"
	FromFile        Origin = "file"
	FromEnvironment Origin = "environment" // credentials, too
)

// pageKeys can be set on the page. What starts programs, names the servers that videos come from or go to, or opens the
// page to others is not among them.
var pageKeys = []string{
	"language",
	"telegram.token", "telegram.per_second",
	"queue.attempts", "queue.backoff", "queue.backoff_max", "queue.outage_after", "queue.outage_max",
	"limits.open", "limits.per_hour", "limits.per_day", "limits.all_per_day", "limits.media_gb",
	"privacy.inbox", "privacy.videos", "privacy.history", "privacy.people",
	"render.timeout", "render.reuse_for",
	"backup.every", "backup.keep",
	"watch.webhook", "watch.webhook_shape", "watch.ping", "watch.smtp", "watch.smtp_user", "watch.smtp_password",
	"watch.mail_from", "watch.mail_to",
	"youtube.client_id", "youtube.client_secret", "youtube.uploads_per_day",
	"rumble.access_token", "rumble.channel_id",
	"media.max_upload_mb",
}

// OnPage reports whether a key can be set on the page.
func OnPage(key string) bool { return slices.Contains(pageKeys, key) }

// IsSecret reports whether a key's value must not be shown, logged or stored unsealed.
func IsSecret(key string) bool {
	_, secret := (&Settings{}).Secrets()[key]
	return secret
}

// Keys lists all keys, those of a section together.
func Keys() []string { return keysOf(reflect.TypeFor[Settings](), "") }

// keysOf lists the keys of a section, then those of its sections.
func keysOf(section reflect.Type, prefix string) (keys []string) {
	var below []string
	for _, f := range reflect.VisibleFields(section) {
		switch tag := f.Tag.Get("toml"); {
		case tag == "":
		case f.Type.Kind() == reflect.Struct:
			below = append(below, keysOf(f.Type, prefix+tag+".")...)
		default:
			keys = append(keys, prefix+tag)
		}
	}
	return append(keys, below...)
}

// Origin returns where a key was set.
func (c *Config) Origin(key string) Origin {
	switch from := c.From[key]; {
	case from == "" || strings.HasPrefix(from, builtIn+":"):
		return FromDefault
	case from == thePage:
		return FromPage
	case lineOfFile.MatchString(from):
		return FromFile
	}
	return FromEnvironment
}

// lineOfFile ends the place of a key in a file.
var lineOfFile = regexp.MustCompile(`:\d+$`)

// Locked reports whether the file or the environment sets a key, so that the page cannot.
func (c *Config) Locked(key string) bool {
	origin := c.Origin(key)
	return (origin == FromFile || origin == FromEnvironment) && c.IsSet(key)
}

// Value returns the value of a key as TOML writes it.
func (c *Config) Value(key string) string {
	l := loader{cfg: reflect.ValueOf(&c.Settings).Elem()}
	field, ok := l.field(key)
	if !ok {
		return ""
	}
	return TOML(field.Interface())
}

// Default returns the default of a key as TOML writes it.
func (c *Config) Default(key string) string {
	return (&Config{Settings: c.defaults}).Value(key)
}

// TOML returns a setting as TOML writes it: a text, a number, a truth, a duration, or a list of them.
func TOML(value any) string {
	switch v := value.(type) {
	case time.Duration:
		value = shortest(v)
	case []string:
		value = append([]string{}, v...) // an empty list, not null
	case []int64:
		value = append([]int64{}, v...)
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // JSON of these is TOML
	return strings.ReplaceAll(strings.TrimSpace(b.String()), "\x7f", `\u007f`)
}

// shortest writes a duration without the units that are zero.
func shortest(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// With returns the settings with what was set on the page, where neither file nor environment set it. The error is
// Faults.
func (c Config) With(page Page) (Config, error) {
	l := loader{cfg: reflect.ValueOf(&c.Settings).Elem(), from: map[string]origin{}}
	base := c
	l.page(page, func(key string) bool {
		from := base.Origin(key)
		return from == FromFile || from == FromEnvironment
	})
	from, err := l.checked(c.Settings.Check(known))
	c.From = maps.Clone(c.From)
	maps.Copy(c.From, from)
	return c, err
}

// page sets the keys of the page that nobody else has set.
func (l *loader) page(values Page, isSet func(key string) bool) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		where := origin{name: thePage}
		field, ok := l.field(key)
		if !ok || !OnPage(key) {
			l.fault(where, key, "there is no such key")
			continue
		}
		if isSet(key) && !saysNothing(field) {
			continue
		}
		var parsed struct{ V any }
		if _, err := toml.Decode("V = "+values[key], &parsed); err != nil {
			l.fault(where, key, "the value cannot be read")
			continue
		}
		l.from[key] = where
		l.set(where, key, field, parsed.V)
	}
}

// saysNothing reports whether a setting is an empty text or an empty list.
func saysNothing(field reflect.Value) bool {
	switch field.Kind() {
	case reflect.String, reflect.Slice:
		return field.Len() == 0
	}
	return false
}

// IsSet reports whether a key has a value that is not empty.
func (c *Config) IsSet(key string) bool {
	l := loader{cfg: reflect.ValueOf(&c.Settings).Elem()}
	field, ok := l.field(key)
	return ok && !saysNothing(field)
}

// Place says in words where a key was set: default, page, or the line of a file or the variable.
func (c *Config) Place(key string) string {
	switch origin := c.Origin(key); origin {
	case FromFile, FromEnvironment:
		return string(origin) + ": " + c.From[key]
	default:
		return string(origin)
	}
}
