// Package lang says things to people in their language. The texts are in messages: a TOML file per language for each of
// the bot, the page, publishing, what the page counts, videos in advance, the settings, the set-up, and announcements.
// It also decides what a name is.
package lang

import (
	"embed"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed messages/*.toml
var messages embed.FS

// Languages lists the languages that are complete, as BCP 47 tags.
var Languages = []string{"ru", "en"}

// rooms are the parts that say messages; each has its files.
var rooms = []string{"bot", "page", "publishing", "counts", "advance", "configuration", "setup", "admins", "studio",
	"announcements"}

var (
	speakers = map[string]*i18n.Localizer{}
	plain    = map[string]string{} // messages without placeholders, by language and id: a page has hundreds of them
	matcher  language.Matcher
)

func init() {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	var tags []language.Tag
	for _, l := range Languages {
		for _, room := range rooms {
			file, err := bundle.LoadMessageFileFS(messages, "messages/"+room+"."+l+".toml")
			if err != nil {
				panic(fmt.Sprintf("messages of %s: %v", l, err)) // embedded: a test loads them
			}
			for _, m := range file.Messages {
				if m.One == "" && !strings.Contains(m.Other, "{{") {
					plain[l+m.ID] = m.Other
				}
			}
		}
		tags = append(tags, language.MustParse(l))
		speakers[l] = i18n.NewLocalizer(bundle, l)
	}
	matcher = language.NewMatcher(tags)
}

// ForUser returns the language for somebody whose Telegram client speaks code, a BCP 47 tag. Of a language that we have
// no texts in, English is the likelier second one; unless the operator chose the language for such people. Without a
// code it is the operator's.
func ForUser(code, operators string, chosen bool) string {
	if l := Match(code, ""); l != "" {
		return l
	}
	if _, err := language.Parse(code); err != nil || code == "" || chosen {
		return operators
	}
	return "en"
}

// Match returns the language to use for a BCP 47 code as Telegram or a browser sends it ("ru-RU" is ru), or fallback
// when none of Languages is close.
func Match(code, fallback string) string {
	tag, err := language.Parse(code)
	if err != nil {
		return fallback
	}
	if _, i, sure := matcher.Match(tag); sure >= language.High {
		return Languages[i]
	}
	return fallback
}

// Prefer returns the language that an Accept-Language header asks for first, or fallback when it names none of
// Languages.
func Prefer(header, fallback string) string {
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return fallback
	}
	for _, tag := range tags {
		if l := Match(tag.String(), ""); l != "" {
			return l
		}
	}
	return fallback
}

// Vars fill the placeholders of a message. Count picks the plural form.
type Vars map[string]any

// Say returns the message with that id, as an owner has changed it or as it comes with the program. An id that does not
// exist, which a test excludes, is returned as it is.
func Say(lang, id string, vars Vars) string {
	speaker, ok := speakers[lang]
	if !ok {
		lang, speaker = "en", speakers["en"]
	}
	if forms, ok := current()[place{lang, id}]; ok {
		return fillIn(pick(lang, forms, vars), vars)
	}
	if text, ok := plain[lang+id]; ok {
		return text
	}
	cfg := &i18n.LocalizeConfig{MessageID: id, TemplateData: map[string]any(vars)}
	if n, ok := vars["Count"]; ok {
		cfg.PluralCount = n
	}
	text, err := speaker.Localize(cfg)
	if err != nil {
		return id
	}
	return text
}
