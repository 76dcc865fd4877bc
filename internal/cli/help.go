// help.go says in words what the table holds.

package cli

import (
	"fmt"
	"strings"
)

// usage is how a command is written.
func (c Command) usage() string {
	line := "usage: retake " + c.Name
	for _, f := range c.flags() {
		line += " [" + f.String() + "]"
	}
	return strings.TrimSpace(line + " " + c.Args)
}

func (f Flag) String() string { return strings.TrimSpace("-" + f.Name + " " + f.Arg) }

// Call is a command with its words, without its flags.
func (c Command) Call() string { return strings.TrimSpace(c.Name + " " + c.Args) }

// Help returns what help prints: everything in short, the commands that begin with a word, or all about one. The error
// is Usage.
func Help(words []string) (string, error) {
	var b strings.Builder
	if len(words) == 0 {
		b.WriteString("Retake: greeting videos by Telegram, published where you want them.\n\nusage: retake [command] [flags]\n")
		for _, group := range groups {
			fmt.Fprintf(&b, "\n%s\n", group)
			for _, c := range Commands {
				if c.Group == group {
					item(&b, c.Call(), c.Short)
				}
			}
		}
		b.WriteString("\nretake help COMMAND, or retake COMMAND -h, says more about one.\n" +
			"Exit codes: 0 all is well, 1 failure, 2 usage, 78 configuration.\n")
		return b.String(), nil
	}
	name := strings.Join(words, " ")
	if c, ok := Find(name); ok {
		fmt.Fprintf(&b, "retake %s: %s\n\n%s\n", c.Name, c.Short, c.usage())
		if c.Long != "" {
			fmt.Fprintf(&b, "\n%s\n", c.Long)
		}
		if flags := c.flags(); len(flags) > 0 {
			b.WriteString("\nFlags\n")
			for _, f := range flags {
				item(&b, f.String(), f.Use)
			}
		}
		b.WriteString("\nExamples\n")
		for _, e := range c.Examples {
			fmt.Fprintf(&b, "  %s\n", e)
		}
		return b.String(), nil
	}
	if group := groupOf(name); len(group) > 0 {
		fmt.Fprintf(&b, "usage: retake %s COMMAND\n\n", name)
		for _, second := range group {
			c, _ := Find(name + " " + second)
			item(&b, c.Call(), c.Short)
		}
		fmt.Fprintf(&b, "\nretake help %s COMMAND says more about one.\n", name)
		return b.String(), nil
	}
	_, _, err := find(words)
	if err == nil {
		err = Usage(fmt.Sprintf("retake: there is no command %q\nusage: retake help [COMMAND...]", name))
	}
	return "", err
}

// item writes a term and what it means, side by side where there is room.
func item(b *strings.Builder, term, meaning string) {
	if len(term) > 26 {
		fmt.Fprintf(b, "  %s\n  %-26s  %s\n", term, "", meaning)
		return
	}
	fmt.Fprintf(b, "  %-26s  %s\n", term, meaning)
}
