// Package cli describes the command line as a table. Parsing, help, shell completion and the table of the README all
// come from it.
package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Command is one command of the program.
type Command struct {
	Name     string   // one word, or two: "admin link"
	Group    string   // of the help: one of groups
	Args     string   // its arguments: ID is required, [ID] optional, [ID...] any number
	Choices  []string // the values of the first argument, if there is a fixed list
	Short    string   // what it does, in one line without a capital or a full stop
	Long     string   // more, in sentences
	Examples []string // lines as typed
	Config   bool     // it reads the settings
	Flags    []Flag   // besides -config
}

// Flag is an option of a command.
type Flag struct {
	Name    string
	Arg     string // the name of its value in the help; empty: a switch
	Default any    // bool, string or time.Duration
	Use     string
}

// config is accepted by every command, so that a wrapper can always pass it.
var config = Flag{"config", "FILE", "", "the settings; default: config.toml in this folder, if it exists"}

// flags returns the flags that the help of a command shows.
func (c Command) flags() []Flag {
	if c.Config {
		return append([]Flag{config}, c.Flags...)
	}
	return c.Flags
}

// count returns how many arguments a command takes.
func (c Command) count() (least, most int) {
	for word := range strings.FieldsSeq(c.Args) {
		switch {
		case strings.HasSuffix(word, "...]"):
			return least, 1 << 10
		case !strings.HasPrefix(word, "["):
			least++
		}
		most++
	}
	return least, most
}

// Line is a parsed command line.
type Line struct {
	Command string // its name in the table
	Config  string // the file of the settings; empty: not given
	Words   []string
	flags   map[string]any
}

// Value returns the value of a flag.
func Value[T any](l Line, name string) T { return l.flags[name].(T) }

// Usage is an error of a command line, with the correct usage.
type Usage string

func (u Usage) Error() string { return string(u) }

// Parse reads a command line. Without a command it means serve; -h anywhere means help, and -v or
// --version alone means version. The error is Usage.
func Parse(args []string) (Line, error) {
	if len(args) > 0 && slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
		return Line{Command: "help"}, nil
	}
	if len(args) == 1 && slices.Contains([]string{"-v", "-version", "--version"}, args[0]) {
		return Line{Command: "version"}, nil
	}
	c, args, err := find(args)
	if err != nil {
		return Line{}, err
	}
	if c.Name == "help" && c.Args == "" { // of a group, such as admin -h
		return Line{Command: "help", Words: args}, nil
	}
	set := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	line := Line{Command: c.Name, flags: map[string]any{}}
	set.StringVar(&line.Config, config.Name, "", "")
	for _, f := range c.Flags {
		switch d := f.Default.(type) {
		case bool:
			set.Bool(f.Name, d, "")
		case time.Duration:
			set.Duration(f.Name, d, "")
		case string:
			set.String(f.Name, d, "")
		}
	}
	for { // flags may be before, between and after the arguments
		switch err := set.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			return Line{Command: "help", Words: strings.Fields(c.Name)}, nil
		case err != nil && c.Name == "serve" && exists(strings.TrimLeft(args[0], "-")):
			return Line{}, Usage(fmt.Sprintf("retake: did you mean retake %s?\n%s", strings.TrimLeft(args[0], "-"),
				c.usage()))
		case err != nil:
			return Line{}, c.wrong("%v", err)
		}
		if set.NArg() == 0 {
			break
		}
		line.Words, args = append(line.Words, set.Arg(0)), set.Args()[1:]
	}
	set.VisitAll(func(f *flag.Flag) { line.flags[f.Name] = f.Value.(flag.Getter).Get() })
	switch least, most := c.count(); {
	case len(line.Words) < least:
		return line, c.wrong("%s is missing", strings.Fields(c.Args)[len(line.Words)])
	case len(line.Words) > most:
		return line, c.wrong("unexpected argument %q", line.Words[most])
	}
	return line, nil
}

// Wrong returns a Usage error about a parsed line.
func (l Line) Wrong(format string, args ...any) error {
	c, _ := Find(l.Command)
	return c.wrong(format, args...)
}

// find takes the name of a command from the start of a line.
func find(args []string) (c Command, rest []string, err error) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		c, _ = Find("serve")
		return c, args, nil
	}
	first := args[0]
	if c, ok := Find(first); ok {
		return c, args[1:], nil
	}
	group := groupOf(first)
	switch {
	case len(group) == 0:
		return c, nil,
			Usage(fmt.Sprintf("retake: %q is not a command%s\nusage: retake [command]; retake help lists them",
				first, meant(first, firstWords())))
	case len(args) == 1 || slices.Contains([]string{"-h", "-help", "--help"}, args[1]):
		if len(args) > 1 {
			return Command{Name: "help"}, args[:1], nil
		}
		return c, nil,
			Usage(fmt.Sprintf("retake: %s needs one of: %s\nusage: retake %s COMMAND; retake help %[1]s explains them",
				first, strings.Join(group, ", "), first))
	}
	if c, ok := Find(first + " " + args[1]); ok {
		return c, args[2:], nil
	}
	return c, nil, Usage(fmt.Sprintf("retake: %q is not a command%s\nusage: retake %s %s", first+" "+args[1],
		meant(args[1], group), first, strings.Join(group, "|")))
}

// Find returns the command with a name.
func Find(name string) (Command, bool) {
	i := slices.IndexFunc(Commands, func(c Command) bool { return c.Name == name })
	if i < 0 {
		return Command{}, false
	}
	return Commands[i], true
}

func exists(name string) bool {
	_, ok := Find(name)
	return ok
}

// groupOf returns the second words of the commands that begin with first.
func groupOf(first string) (seconds []string) {
	for _, c := range Commands {
		if second, ok := strings.CutPrefix(c.Name, first+" "); ok {
			seconds = append(seconds, second)
		}
	}
	return seconds
}

// firstWords returns the first words of all commands, in the order of the table.
func firstWords() (words []string) {
	for _, c := range Commands {
		if word := strings.Fields(c.Name)[0]; !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words
}

func (c Command) wrong(format string, args ...any) error {
	return Usage(fmt.Sprintf("retake %s: %s\n%s; retake help %[1]s explains it", c.Name, fmt.Sprintf(format, args...),
		c.usage()))
}

// meant suggests the word that was probably meant.
func meant(typed string, words []string) string {
	near := map[int]string{}
	for _, w := range slices.Backward(words) {
		near[distance(typed, w)] = w
	}
	if least := slices.Min(slices.Collect(maps.Keys(near))); least <= max(1, len(typed)/3) {
		return fmt.Sprintf("; did you mean %s?", near[least])
	}
	return ""
}

// distance is the number of letters to change, add, remove or swap to turn one word into the other.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			other := 1
			if a[i] == b[j] {
				other = 0
			}
			row[j+1] = min(last[j]+other, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
