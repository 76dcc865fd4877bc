// Completion code for shells.

package cli

import (
	"fmt"
	"slices"
	"strings"
)

// offer lists what may follow some words: commands and values with their meaning.
type offer struct {
	after string
	words [][2]string
}

// offers lists what may follow which words.
func offers() (list []offer) {
	add := func(after, word, means string) {
		i := slices.IndexFunc(list, func(o offer) bool { return o.after == after })
		if i < 0 {
			i, list = len(list), append(list, offer{after: after})
		}
		if !slices.ContainsFunc(list[i].words, func(w [2]string) bool { return w[0] == word }) {
			list[i].words = append(list[i].words, [2]string{word, means})
		}
	}
	for _, before := range []string{"", "help"} {
		for _, c := range Commands {
			first, second, two := strings.Cut(c.Name, " ")
			if !two {
				add(before, first, c.Short)
				continue
			}
			add(before, first, strings.Join(groupOf(first), ", "))
			add(strings.TrimSpace(before+" "+first), second, c.Short)
		}
	}
	for _, c := range Commands {
		for _, choice := range c.Choices {
			add(c.Name, choice, c.Short)
		}
	}
	return list
}

// quoted puts a text between single quotes, as the three shells take it.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Completion returns the script of a shell: bash, zsh or fish. The error is Usage.
func Completion(shell string) (string, error) {
	switch shell {
	case "bash":
		return inBash(), nil
	case "zsh":
		return inZsh(), nil
	case "fish":
		return inFish(), nil
	}
	return "", Usage(fmt.Sprintf("retake completion: %q is not one of bash, zsh, fish", shell))
}

func inBash() string {
	var b strings.Builder
	b.WriteString(`_retake() {
	local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[*]:1:COMP_CWORD-1}" words=''
	if [[ $word == -* ]]; then
		case "$before " in
`)
	for _, c := range Commands {
		fmt.Fprintf(&b, "\t\t%s*) words=%s ;;\n", quoted(c.Name+" "), quoted(dashed(c)))
	}
	b.WriteString("\t\tesac\n\telse\n\t\tcase \"$before\" in\n")
	for _, o := range offers() {
		var words []string
		for _, w := range o.words {
			words = append(words, w[0])
		}
		fmt.Fprintf(&b, "\t\t%s) words=%s ;;\n", quoted(o.after), quoted(strings.Join(words, " ")))
	}
	b.WriteString("\t\tesac\n\tfi\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n" +
		"complete -o default -F _retake retake\n")
	return b.String()
}

// dashed returns the flags of a command as they are typed.
func dashed(c Command) string {
	words := []string{"-h"}
	for _, f := range c.flags() {
		words = append(words, "-"+f.Name)
	}
	return strings.Join(words, " ")
}

func inZsh() string {
	var b strings.Builder
	b.WriteString(`#compdef retake
_retake() {
	local before="${(j: :)words[2,CURRENT-1]}"
	local -a offered
	if [[ ${words[CURRENT]} == -* ]]; then
		case "$before " in
`)
	meaning := strings.NewReplacer(":", `\:`)
	for _, c := range Commands {
		fmt.Fprintf(&b, "\t\t%s*) offered=('-h:what it does'", quoted(c.Name+" "))
		for _, f := range c.flags() {
			b.WriteString(" " + quoted("-"+f.Name+":"+meaning.Replace(f.Use)))
		}
		b.WriteString(") ;;\n")
	}
	b.WriteString("\t\tesac\n\telse\n\t\tcase \"$before\" in\n")
	for _, o := range offers() {
		fmt.Fprintf(&b, "\t\t%s) offered=(", quoted(o.after))
		for i, w := range o.words {
			if i > 0 {
				b.WriteString(" ")
			}
			b.WriteString(quoted(w[0] + ":" + meaning.Replace(w[1])))
		}
		b.WriteString(") ;;\n")
	}
	b.WriteString("\t\tesac\n\tfi\n\tif (( $#offered )); then _describe retake offered; else _files; fi\n}\n" +
		"if [[ $funcstack[1] == _retake ]]; then _retake \"$@\"; else compdef _retake retake; fi\n")
	return b.String()
}

func inFish() string {
	var b strings.Builder
	b.WriteString(`function __retake_after
	set -l said (commandline -opc)
	set -e said[1]
	test "$said" = "$argv"
end
function __retake_in
	set -l said (commandline -opc)
	set -e said[1]
	string match -q -- "$argv *" "$said "
end
complete -c retake -s h -d 'what it does'
`)
	for _, o := range offers() {
		for _, w := range o.words {
			fmt.Fprintf(&b, "complete -c retake -f -n %s -a %s -d %s\n", quoted("__retake_after "+o.after), w[0],
				quoted(w[1]))
		}
	}
	for _, c := range Commands {
		for _, f := range c.flags() {
			takes := ""
			if f.Arg != "" {
				takes = " -r"
			}
			fmt.Fprintf(&b, "complete -c retake -n %s -o %s%s -d %s\n", quoted("__retake_in "+c.Name), f.Name, takes,
				quoted(f.Use))
		}
	}
	return b.String()
}
