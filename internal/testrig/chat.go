// What people do in their chats with the bot, and what they see there.

package testrig

import (
	"fmt"
	"slices"
	"strings"

	"retake.example/internal/fake/telegram"
	bot "retake.example/internal/telegram"
)

// Token is the bot's, at the simulated Telegram.
const Token = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqq"

// Waits waits until a condition is true, and ends the test when that stands still.
type Waits func(what string, is func() bool)

// Answers lists what the bot has said to somebody.
func Answers(p *telegram.Person) (out []telegram.Message) {
	for _, m := range p.Messages() {
		if m.FromBot {
			out = append(out, m)
		}
	}
	return out
}

// AnswersAfter notes what somebody sees now. What it returns lists what the bot has said to them since then, whatever
// it has deleted meanwhile.
func AnswersAfter(p *telegram.Person) func() []telegram.Message {
	last := 0
	for _, m := range p.Messages() {
		last = max(last, m.ID)
	}
	return func() []telegram.Message {
		return slices.DeleteFunc(Answers(p), func(m telegram.Message) bool { return m.ID <= last })
	}
}

// Videos counts the videos that somebody has got.
func Videos(p *telegram.Person) (n int) {
	for _, m := range p.Messages() {
		if m.Video != nil {
			n++
		}
	}
	return n
}

// Press presses the n-th button of a message.
func Press(p *telegram.Person, m telegram.Message, n int) {
	p.Press(m.ID, slices.Concat(m.Buttons...)[n].Data)
}

// Hears waits until the bot has said a text to somebody, and returns that message.
func Hears(wait Waits, p *telegram.Person, text string) (found telegram.Message) {
	wait(fmt.Sprintf("%q said to %d", text, p.ID()), func() bool {
		for _, m := range Answers(p) {
			if strings.Contains(m.Text, text) {
				found = m
			}
		}
		return found.ID != 0
	})
	return found
}

// Names sends a name and returns the question that follows.
func Names(wait Waits, p *telegram.Person, name string) (question telegram.Message) {
	sent := p.Send(name)
	wait("the question about "+name, func() bool {
		for _, m := range Answers(p) {
			if int64(m.ID) > sent && len(m.Buttons) > 0 && strings.HasPrefix(m.Buttons[0][0].Data, bot.YesButton+":") {
				question = m
				return true
			}
		}
		return false
	})
	return question
}

// GetsVideos waits until somebody has got so many videos.
func GetsVideos(wait Waits, p *telegram.Person, n int) {
	wait(fmt.Sprintf("video %d of %d", n, p.ID()), func() bool { return Videos(p) == n })
}
