// The help texts, made of the table of commands.

package cli

import (
	"fmt"
	"strings"
)

// usage returns the usage line of a command.
func (c Command) usage() string {
	line := "usage: retake " + c.Name
	for _, f := range c.flags() {
		line += " [" + f.String() + "]"
	}
	return strings.TrimSpace(line + " " + c.Args)
}

func (f Flag) String() string { return strings.TrimSpace("-" + f.Name + " " + f.Arg) }

// Call returns a command with its arguments, without its flags.
func (c Command) Call() string { return strings.TrimSpace(c.Name + " " + c.Args) }

// Help returns the text of help: the list of commands, the commands of a group, or the help of one command. The error
// is Usage.
func Help(words []string) (string, error) {
	var b strings.Builder
	if len(words) == 0 {
		b.WriteString("Retake: greeting videos by Telegram, published where you want them.\n\n" +
			"usage: retake [command] [flags]\n")
		for _, group := range groups {
			fmt.Fprintf(&b, "\n%s\n", group)
			for _, c := range Commands {
				if c.Group == group {
					item(&b, c.Call(), c.Short)
				}
			}
		}
		b.WriteString("\nretake help COMMAND, or retake COMMAND -h, explains one command.\n" +
			"Exit codes: 0 success, 1 failure, 2 usage, 78 configuration.\n")
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
		fmt.Fprintf(&b, "\nretake help %s COMMAND explains one command.\n", name)
		return b.String(), nil
	}
	_, _, err := find(words)
	if err == nil {
		err = Usage(fmt.Sprintf("retake: %q is not a command\nusage: retake help [COMMAND...]", name))
	}
	return "", err
}

// item writes a term and its meaning, side by side if the term is short enough.
func item(b *strings.Builder, term, meaning string) {
	if len(term) > 26 {
		fmt.Fprintf(b, "  %s\n  %-26s  %s\n", term, "", meaning)
		return
	}
	fmt.Fprintf(b, "  %-26s  %s\n", term, meaning)
}
