// Names that admins type: what a video can be made of, one by one or as a list.

package desk

import (
	"errors"
	"fmt"
	"strings"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// NameRules decide which names a video can be made of.
type NameRules struct {
	CanDraw func(template, name string) error // nil error: that template has every letter
	Rude    []string
}

// Read reads a name. problem is "", or the id of the message that says what is wrong.
func (n NameRules) Read(template, text string) (named store.Named, problem string, err error) {
	if named.Name, named.Key, problem = lang.ParseName(text); problem != "" {
		return named, problem, nil
	}
	if lang.IsRude(named.Key, n.Rude) {
		return named, "name_rude", nil
	}
	switch err := n.CanDraw(template, named.Name); {
	case errors.Is(err, video.ErrCannotDraw):
		return named, "name_undrawable", nil
	case err != nil:
		return named, "", fmt.Errorf("check whether a name can be drawn: %w", err)
	}
	return named, "", nil
}

// BadLine is a line of a list that no video can be made of.
type BadLine struct {
	Line    int    `json:"line"`
	Text    string `json:"text"`
	Problem string `json:"-"`       // id of the message
	Message string `json:"message"` // what is wrong
}

// List reads a list with one name a line. Empty lines are left out, and so are names that were there before.
func (n NameRules) List(template, text string) (names []store.Named, bad []BadLine, err error) {
	known, line := map[string]bool{}, 0
	for typed := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) { // editors of Windows put a mark first
		line++
		if typed = strings.TrimSpace(typed); typed == "" {
			continue
		}
		named, problem, err := n.Read(template, typed)
		switch {
		case err != nil:
			return nil, nil, err
		case problem != "":
			bad = append(bad, BadLine{Line: line, Text: Excerpt(typed), Problem: problem})
		case !known[named.Key]:
			known[named.Key] = true
			names = append(names, named)
		}
	}
	return names, bad, nil
}
