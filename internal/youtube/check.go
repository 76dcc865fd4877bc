// What YouTube would refuse about a video, found before anything is sent.

package youtube

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// What YouTube takes. Source: developers.google.com/youtube/v3/docs/videos.
const (
	maxTitle       = 100  // characters
	maxDescription = 5000 // bytes
	maxTags        = 500  // as CountTags counts
)

// MaxAhead is how far ahead a schedule may be.
const MaxAhead = 2 * 366 * 24 * time.Hour

// Fault is what YouTube would refuse: the field of the form, and the code of the reason.
type Fault struct{ Field, Code string }

var (
	playlistID = regexp.MustCompile(`^[\w-]{2,64}$`)
	categoryID = regexp.MustCompile(`^[1-9][0-9]{0,2}$`)
)

// Check returns what YouTube would refuse of the metadata, in the order of the form; nil: nothing. A language is a
// BCP 47 tag, or "" for none. A time that has passed means at once.
func Check(m Metadata, now time.Time) (all []Fault) {
	for _, reason := range refused(m, now) {
		all = append(all, Fault{meanings[reason].field, meanings[reason].code})
	}
	return all
}

// invalid returns the first fault as the error that YouTube would answer with, or nil.
func invalid(m Metadata, now time.Time) error {
	if reasons := refused(m, now); len(reasons) > 0 {
		return known(reasons[0], "refused before it was sent")
	}
	return nil
}

// refused returns the reasons that YouTube would give.
func refused(m Metadata, now time.Time) (reasons []string) {
	for _, rule := range []struct {
		reason string
		broken bool
	}{
		{"invalidTitle", utf8.RuneCountInString(m.Title) > maxTitle || blank(m.Title) || !writable(m.Title, "")},
		{"invalidDescription", len(m.Description) > maxDescription || !writable(m.Description, "\n\r\t")},
		{"invalidTags", CountTags(m.Tags) > maxTags || slices.ContainsFunc(m.Tags, func(tag string) bool {
			return blank(tag) || !writable(tag, "")
		})},
		{"invalidLanguage", m.Language != "" && !isLanguage(m.Language)},
		{"invalidPrivacy", !slices.Contains([]string{"private", "unlisted", "public"}, m.Privacy)},
		{"invalidCategoryId", !categoryID.MatchString(m.Category)},
		{"invalidPlaylist", m.Playlist != "" && !playlistID.MatchString(m.Playlist)},
		{"invalidPublishAt", m.PublishAt.After(now.Add(MaxAhead))},
	} {
		if rule.broken {
			reasons = append(reasons, rule.reason)
		}
	}
	return reasons
}

// CountTags counts as YouTube does: the commas between tags, and two quotes around a tag with a space.
func CountTags(tags []string) int {
	n := max(len(tags)-1, 0)
	for _, tag := range tags {
		if n += utf8.RuneCountInString(tag); strings.Contains(tag, " ") {
			n += 2
		}
	}
	return n
}

// writable reports whether a text is one that YouTube takes: no angle brackets, and no control characters but those.
func writable(text, controls string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return r == '<' || r == '>' || unicode.IsControl(r) && !strings.ContainsRune(controls, r)
	})
}

// blank reports whether nothing of a text can be seen.
func blank(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsSpace(r) && !unicode.IsControl(r) &&
			!unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) &&
			r != '\u2800' && r != '\u034f' // Braille of no dots, and a joiner
	})
}

// isLanguage reports whether a text is a BCP 47 tag of a language.
func isLanguage(text string) bool {
	tag, err := language.Parse(text)
	return err == nil && tag != language.Und
}
