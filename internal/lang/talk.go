// What people write to the bot in place of a name, such as thanks and greetings, and which message answers it.

package lang

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

//go:embed talk/*.toml
var talk embed.FS

// chats are the kinds of small talk, the one that decides first: "no, thanks" is a no, "hello and thank you" a thanks.
var chats = []string{"chat_no", "chat_thanks", "chat_hello", "chat_yes"}

// phrases holds the small talk of all languages: its words joined by spaces, and the message that answers it. A filler
// has no message. longestPhrase is how many words the longest has.
var (
	phrases       = map[string]string{}
	longestPhrase int
)

func init() {
	for _, l := range Languages {
		var lists struct{ Thanks, Hello, Yes, No, Filler []string }
		if _, err := toml.DecodeFS(talk, "talk/"+l+".toml", &lists); err != nil {
			panic(fmt.Sprintf("small talk of %s: %v", l, err)) // embedded: a test loads them
		}
		for id, list := range map[string][]string{"chat_thanks": lists.Thanks, "chat_hello": lists.Hello,
			"chat_yes": lists.Yes,
			"chat_no":  lists.No, "": lists.Filler} {
			for _, phrase := range list {
				words := talkWords(phrase)
				phrases[strings.Join(words, " ")] = id
				longestPhrase = max(longestPhrase, len(words))
			}
		}
	}
}

// SmallTalk returns the id of the message that answers thanks, a greeting, a yes or a no, in any of Languages, or "".
// All of the text must be small talk: «Спасибо!» is, «Вера, спасибо» is not.
func SmallTalk(text string) string {
	words := talkWords(text)
	if len(words) == 0 || len(words) > 12 {
		return ""
	}
	found := map[string]bool{}
	for len(words) > 0 {
		n := min(longestPhrase, len(words))
		for ; n > 0; n-- {
			if id, ok := phrases[strings.Join(words[:n], " ")]; ok {
				found[id] = true
				break
			}
		}
		if n == 0 {
			return ""
		}
		words = words[n:]
	}
	i := slices.IndexFunc(chats, func(id string) bool { return found[id] })
	if i < 0 {
		return ""
	}
	return chats[i]
}

// talkWords returns the folded words of a text, without signs and emoji. Digits stay: they are no small talk.
func talkWords(text string) []string {
	var words []string
	if len(text) > 500 {
		return nil
	}
	for word := range strings.FieldsFuncSeq(NameKey(text), func(r rune) bool {
		return !isWritten(r) && r != '\'' && !(r >= '0' && r <= '9')
	}) {
		if word = strings.ReplaceAll(strings.Trim(word, "'"), "ё", "е"); word != "" {
			words = append(words, word)
		}
	}
	return words
}
