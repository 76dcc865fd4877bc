// The caption of a post, made of what is said about the video.

package tgchannel

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// Metadata is what is said about a video. A channel knows no privacy and no schedule: what is not public must not be
// posted, and the queue waits for the time.
type Metadata struct {
	Title, Description string
	Tags               []string
}

// Caption is a text whose first Bold UTF-16 units are bold. It is sent with entities, never as markup.
type Caption struct {
	Text string
	Bold int
}

// What Telegram takes, in UTF-16 units. Source: core.telegram.org/bots/api#sendvideo.
const (
	maxCaption = 1024
	maxTags    = 200 // our own share for hashtags
)

// CaptionOf returns the caption: the title in bold, the description, and the tags as hashtags. What does not fit is
// cut from the description, between words where there are any.
func CaptionOf(m Metadata) Caption {
	title := shorten(clean(m.Title), maxCaption)
	c := Caption{Text: title, Bold: units(title)}
	tags := hashtags(m.Tags)
	room := maxCaption - c.Bold
	if tags != "" {
		room -= units("\n\n" + tags)
	}
	if room < 0 {
		return c
	}
	join := func(part string) {
		if c.Text != "" && part != "" {
			c.Text += "\n\n"
		}
		c.Text += part
	}
	join(shorten(clean(m.Description), room-units("\n\n")))
	join(tags)
	return c
}

// clean takes out what Telegram does not show or counts otherwise, and spaces at the ends.
func clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text))
}

// shorten cuts a text to so many units, with an ellipsis.
func shorten(text string, most int) string {
	if units(text) <= most {
		return text
	}
	n, end := 1, 0 // the ellipsis
	for i, r := range text {
		if n += utf16.RuneLen(r); n > most {
			break
		}
		end = i + len(string(r))
	}
	if end == 0 {
		return ""
	}
	text = text[:end]
	if i := strings.LastIndexFunc(text, unicode.IsSpace); i > len(text)/2 {
		text = text[:i]
	}
	return strings.TrimRightFunc(text, unicode.IsSpace) + "…"
}

// hashtags makes one line of tags. A hashtag has letters, digits and underscores, and not digits alone.
func hashtags(tags []string) string {
	line := ""
	for _, tag := range tags {
		words := strings.FieldsFunc(tag, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r)
		})
		tag = strings.Join(words, "_")
		if !strings.ContainsFunc(tag, unicode.IsLetter) {
			continue
		}
		next := strings.TrimSpace(line + " #" + tag)
		if units(next) > maxTags {
			break
		}
		line = next
	}
	return line
}

// units counts as Telegram does.
func units(text string) (n int) {
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}
