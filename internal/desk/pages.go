// The templates, filled in each language.

package desk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Vars fill the placeholders of a message.
type Vars = map[string]any

// Say returns the message with that id in one language; Count among vars picks the plural form. What is no message
// comes back as it is.
type Say func(id string, vars Vars) string

// Frame is what every page has.
type Frame struct {
	Title    string
	SignedIn bool
	Here     string // path of the page, where the header has a link to it
	Notice   string // what came of the last action
}

// Page is what a template gets.
type Page struct {
	Frame
	View any
}

// Pages are the templates.
type Pages map[string]*template.Template // by language

// NewPages reads the templates that match a pattern, once for each language. They say messages with say ID NAME VALUE
// …, or with rich, which makes `x` code and *x* strong.
func NewPages(files fs.FS, pattern string, voices map[string]Say, now func() time.Time) (Pages, error) {
	pages, cards := Pages{}, &kept{}
	for language, say := range voices {
		t, err := template.New("").Funcs(template.FuncMap{
			"language":  func() string { return language },
			"languages": languagesOfPage,
			"say":       func(id string, vars ...any) (string, error) { return fill(say, id, vars) },
			"rich": func(id string, vars ...any) (template.HTML, error) {
				for i, v := range vars {
					if text, ok := v.(string); ok {
						vars[i] = mask.Replace(text)
					}
				}
				text, err := fill(say, id, vars)
				return template.HTML(unmask.Replace(rich(text))), err
			},
			"card": func(c Card) (template.HTML, error) {
				filled, err := cards.get(language+c.Rev()+now().Format(time.DateOnly), func() ([]byte, error) {
					var b bytes.Buffer
					err := pages[language].ExecuteTemplate(&b, "card", c)
					return b.Bytes(), err
				})
				if err == nil {
					return filled, nil
				}
				var b bytes.Buffer // one damaged row must not take the library away
				err = pages[language].ExecuteTemplate(&b, "broken-card", c.ID)
				return template.HTML(b.String()), err
			},
			"clock":         func(t time.Time) string { return Clock(say, t, now()) },
			"gigabytes":     func(bytes int64) string { return gigabytes(say, bytes) },
			"took":          func(began, ended time.Time) string { return took(say, ended.Sub(began)) },
			"size":          func(bytes int64) string { return size(say, bytes) },
			"language_name": languageName,
			"exactly":       func(t time.Time) string { return exactly(say, t.UTC()) },
			"platform":      PlatformName,
			"icon":          platformIcon,
			"seconds":       func(n int) string { return wholeSeconds(say, n) },
			"rows":          func(c Chart) template.HTML { return tableRows(say, c) },
			"amounts":       func(title string, of []Amount) any { return Amounts{title, of} },
			"json": func(v any) (string, error) {
				b, err := json.Marshal(v)
				return string(b), err
			},
			"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		}).ParseFS(files, pattern)
		if err != nil {
			return nil, err
		}
		pages[language] = t
	}
	return pages, nil
}

// kept are cards that were filled before. A library is looked at again at each change, and most of its cards are as
// they were; the day is part of the key because their clocks name it.
type kept struct {
	mu    sync.Mutex
	cards map[string]template.HTML
}

// manyCards is how many are kept, some 5 MB.
const manyCards = 2000

func (k *kept) get(key string, fill func() ([]byte, error)) (template.HTML, error) {
	k.mu.Lock()
	card, ok := k.cards[key]
	k.mu.Unlock()
	if ok {
		return card, nil
	}
	b, err := fill()
	if err != nil {
		return "", err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.cards) >= manyCards || k.cards == nil {
		k.cards = map[string]template.HTML{}
	}
	k.cards[key] = template.HTML(b)
	return template.HTML(b), nil
}

// Fill executes a template to its end: a page that breaks halfway is an error, not half a page.
func (p Pages) Fill(language, name string, page Page) ([]byte, error) {
	var b bytes.Buffer
	if err := p[language].ExecuteTemplate(&b, name, page); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// fill says a message with names and values in turn.
func fill(say Say, id string, pairs []any) (string, error) {
	if len(pairs) == 0 {
		return say(id, nil), nil
	}
	vars := Vars{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return "", fmt.Errorf("say %s: %v is not the name of a placeholder", id, pairs[i])
		}
		vars[name] = pairs[i+1]
	}
	return say(id, vars), nil
}

var marks = regexp.MustCompile("`([^`]+)`|\\*([^*]+)\\*")

// What fills a message may hold marks, which are text there. Nobody types these characters: they have no meaning.
var mask, unmask = strings.NewReplacer("`", "\ue000", "*", "\ue001"), strings.NewReplacer("\ue000", "`", "\ue001", "*")

// rich escapes a text and then makes its marks tags.
func rich(text string) string {
	return marks.ReplaceAllStringFunc(html.EscapeString(text), func(mark string) string {
		inner := mark[1 : len(mark)-1]
		if mark[0] == '`' {
			return "<code>" + inner + "</code>"
		}
		return "<strong>" + inner + "</strong>"
	})
}
