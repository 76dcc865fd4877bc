// phrase.go reads the texts of a template, and puts a name into them.

package video

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// phrase returns a text in all languages; usual is what it is without the key, "" if it must be there.
func (s section) phrase(key, usual string) phrase {
	v, there := s.values[key]
	if !there {
		if usual == "" {
			s.fault(
				key,
				"is missing: a text, or one for each language, such as { %s = \"…\" }",
				strings.Join(s.r.languages, ` = "…", `),
			)
		}
		return phrase{"": usual}
	}
	table, ok := v.(map[string]any)
	if !ok {
		if _, isText := v.(string); !isText {
			s.fault(key, "a text in quotes, or one for each language, is expected")
			return nil
		}
		return phrase{"": s.text(key)}
	}
	out := phrase{}
	inner := section{s.r, join(s.path, key), table}
	for _, lang := range slices.Sorted(maps.Keys(table)) {
		if !slices.Contains(s.r.languages, lang) {
			inner.fault(plainKey(lang), "there is no such language: %s are expected", strings.Join(s.r.languages, ", "))
			continue
		}
		out[lang] = inner.text(lang)
	}
	for _, lang := range s.r.languages {
		if _, there := table[lang]; !there {
			inner.fault(lang, "this language is missing")
		}
	}
	return out
}

// placeholder is what stands in braces in a text, with the spaces around it.
var placeholder = regexp.MustCompile(`\{\{\s*(.*?)\s*\}\}`)

// checkNames refuses all but {{.Name}} in braces.
func (s section) checkNames(key string, p phrase, needed bool) {
	for _, lang := range slices.Sorted(maps.Keys(p)) {
		text, where := p[lang], join(key, lang)
		if lang == "" {
			where = key
		}
		names := 0
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			if m[1] == ".Name" {
				names++
			}
		}
		rest := namePlaceholder.ReplaceAllLiteralString(text, "")
		switch {
		case strings.Contains(rest, "{{") || strings.Contains(rest, "}}"):
			s.fault(where, "only {{.Name}} can stand in double braces")
		case needed && names == 0 && strings.TrimSpace(text) != "":
			s.fault(where, "must contain {{.Name}}, which stands for the name")
		}
	}
}

// namePlaceholder is where the name goes.
var namePlaceholder = regexp.MustCompile(`\{\{\s*\.Name\s*\}\}`)

// say returns the text for a language with the name in it, to be drawn. The name is data: whatever it contains stays as
// it is, but for stress marks, which only the voice needs.
func (p phrase) say(lang, name string) string { return p.aloud(lang, unstressed(name)) }

// aloud returns the text for a language with the name in it as it is to be spoken.
func (p phrase) aloud(lang, name string) string {
	return namePlaceholder.ReplaceAllLiteralString(p.in(lang), name)
}
