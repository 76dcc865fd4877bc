// The table of commands is complete, and each line is understood or its fault named.

package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryCommandIsDescribed(t *testing.T) {
	for i, c := range Commands {
		if !slices.Contains(groups, c.Group) {
			t.Errorf("%s: the help has no heading %q", c.Name, c.Group)
		}
		if c.Short == "" || len(c.Short) > 100 || strings.HasSuffix(c.Short, ".") || len(c.Examples) == 0 {
			t.Errorf("%s: got %q and %d examples; want a line without a full stop, and examples", c.Name, c.Short,
				len(c.Examples))
		}
		if slices.IndexFunc(Commands, func(o Command) bool { return o.Name == c.Name }) != i {
			t.Errorf("%s is there twice", c.Name)
		}
		help, err := Help(strings.Fields(c.Name))
		for _, want := range append(append([]string{c.Short, c.Long, "usage: retake " + c.Name}, c.Examples...),
			c.Args) {
			if !strings.Contains(help, want) || err != nil {
				t.Errorf("retake help %s: got %q, %v; want %q in it", c.Name, help, err, want)
			}
		}
		for _, f := range c.Flags {
			if !strings.Contains(help, "-"+f.Name) || f.Use == "" || f.Arg == "" != (f.Default == false) {
				t.Errorf("%s: got flag %+v; want it in the help, with its use, and a value unless it is a switch",
					c.Name, f)
			}
		}
		for _, e := range c.Examples {
			if strings.Contains(e, "completion") {
				continue // between other words of a shell
			}
			words, err := exec.Command("sh", "-c", "printf '%s\\n' "+e).Output()
			if err != nil {
				t.Fatal(err)
			}
			if line, err := Parse(strings.Split(strings.TrimSpace(string(words)), "\n")[1:]); err != nil ||
				line.Command != c.Name && e != "retake" {
				t.Errorf("the example %q: got %+v, %v; want %s", e, line, err, c.Name)
			}
		}
	}
}

func TestALineIsReadOrItsFaultIsNamed(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"nothing is serve":        {"", "serve"},
		"flags alone are serve's": {"-config x", "serve config=x"},
		"flags before, between and after": {"template preview -at 3s a -config x b -o f",
			"template preview [a b] config=x at=3s o=f"},
		"everybody takes -config":         {"version -config x", "version config=x"},
		"help that was asked for":         {"-h", "help"},
		"help of a command":               {"retry -h", "help [retry]"},
		"help beats what is wrong beside": {"retry a --help", "help [retry]"},
		"help of a group":                 {"template --help", "help [template]"},
		"help takes any number":           {"help template check", "help [template check]"},
		"a name with a slip":              {"helthcheck", `"helthcheck" is not a command; did you mean healthcheck?`},
		"letters that changed places":     {"serev", "did you mean serve?"},
		"the second word with a slip": {"template chekc x",
			`"template chekc" is not a command; did you mean check?`},
		"half of a name":                    {"media", "media needs one of: move"},
		"nothing like it":                   {"dance", `"dance" is not a command` + "\n"},
		"a command behind a dash":           {"--check", "did you mean retake check?"},
		"the version as others say it":      {"--version", "version"},
		"the same in short":                 {"-v", "version"},
		"a flag that is another's":          {"serve -at 3s", "flag provided but not defined: -at"},
		"a time that is none":               {"template preview a b -at x", `invalid value "x" for flag -at`},
		"a word too few":                    {"template preview a", "NAME is missing"},
		"a word too many":                   {"version now", `unexpected argument "now"`},
		"a word behind two dashes is taken": {"template check -- -x", "template check [-x]"},
	} {
		t.Run(name, func(t *testing.T) {
			line, err := Parse(strings.Fields(c.line))
			got := line.Command
			if len(line.Words) > 0 {
				got += " [" + strings.Join(line.Words, " ") + "]"
			}
			if line.Config != "" {
				got += " config=" + line.Config
			}
			if line.Command == "template preview" && err == nil {
				got += " at=" + Value[time.Duration](line, "at").String() + " o=" + Value[string](line, "o")
			}
			if _, usage := errors.AsType[Usage](err); usage {
				got = err.Error()
			}
			if err == nil && got != c.want || err != nil && !strings.Contains(got, c.want) {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
			if err != nil && (strings.Count(got, "\n") != 1 || !strings.Contains(got, "\nusage: retake")) {
				t.Errorf("got %q; want what is wrong, and how it is right", got)
			}
		})
	}
}

func TestHelpOfNothingSuggests(t *testing.T) {
	if _, err := Help([]string{"tempalte"}); err == nil || !strings.Contains(err.Error(), "did you mean template?") {
		t.Errorf("got %v; want a suggestion", err)
	}
	if text, err := Help(nil); err != nil || !strings.Contains(text, "template preview DIR NAME") {
		t.Errorf("got %q, %v; want all commands", text, err)
	}
	if _, err := Completion("tcsh"); err == nil {
		t.Error("got lines for a shell that is not known")
	}
}

// TestShellsOffer asks real shells what they offer.
func TestShellsOffer(t *testing.T) {
	ask := map[string]string{
		"bash": `source "$0"; line="$1"
COMP_WORDS=($line); [[ $line == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _retake; printf '%s\n' "${COMPREPLY[@]}"`,
		"zsh": `compdef() {}; _files() { print FILES }; _describe() { print -rl -- ${offered%%:*} }; source "$0"
words=(${(s: :)1}); [[ $1 == *" " ]] && words+=("")
CURRENT=$#words; for w in $(_retake); do [[ $w == ${words[CURRENT]}* || $w == FILES ]] && print -- $w; done; true`,
		"fish": `source $argv[1]; complete -C $argv[2] | string replace -r '\t.*' ''`,
	}
	for shell, script := range ask {
		t.Run(shell, func(t *testing.T) {
			text, err := Completion(shell)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "retake")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for line, want := range map[string]string{
				"retake te":                 "template",
				"retake template ":          "check preview",
				"retake template p":         "preview",
				"retake help media ":        "move",
				"retake completion ":        "bash fish zsh",
				"retake template preview -": "-at -config -h -lang -o",
				"retake serve -c":           "-config",
			} {
				cmd := exec.Command(shell, "-c", script, file, line)
				out, err := cmd.CombinedOutput()
				got := strings.Fields(string(out))
				slices.Sort(got)
				if strings.Join(got, " ") != want || err != nil {
					t.Errorf("%q: got %q, %v; want %s", line, got, err, want)
				}
			}
		})
	}
}

func TestInit(t *testing.T) {
	const defaults = "# of the defaults\n\ndata_dir = \"data\"     # all of it\nlanguage = \"ru\"\n\n" +
		"[telegram]   # a section\ntoken = \"\"    # secret\napi_url = \"https://x\"      # or another\nowners = []\n"
	t.Chdir(t.TempDir())
	for _, c := range []struct{ place, file, dataDir string }{
		{"", "config.toml", "data"}, {"deep/er", "deep/er/config.toml", "deep/er/data"}, {"other/my.toml",
			"other/my.toml", "other/data"},
	} {
		next, err := Init(c.place, defaults, "./retake")
		if err != nil || !strings.Contains(next, c.file+" is written") || !strings.Contains(next,
			"3. ./retake serve") ||
			strings.Contains(next, "-config "+mustAbs(t, c.file)) != (c.place != "") {
			t.Errorf("%q: got %q, %v; want the next steps, which name the file unless it is found without its name",
				c.place,
				next, err)
		}
		info, err := os.Stat(c.file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%q: got %v, %v; want a file for nobody else", c.place, info, err)
		}
		dataDir := c.dataDir
		if c.place != "" {
			dataDir = mustAbs(t, dataDir)
		}
		text, _ := os.ReadFile(c.file)
		_, body, _ := strings.Cut(string(text), "\n\n")
		if want := "data_dir = \"" + dataDir +
			"\"     # all of it\nlanguage = \"ru\"\n\n" +
			"[telegram]   # a section\ntoken = \"\"    # secret\n# api_url = \"https://x\"    # or another\nowners = " +
			"[]\n"; body != want {
			t.Errorf("%q: got\n%s; want\n%s", c.place, body, want)
		}
		if err := os.WriteFile(c.file, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Init(c.place, defaults, "retake"); err == nil || !strings.Contains(err.Error(), "stays as it is") {
			t.Errorf("%q again: got %v; want a refusal", c.place, err)
		}
		if text, _ := os.ReadFile(c.file); string(text) != "mine" {
			t.Errorf("%q again: the file was changed to %q", c.place, text)
		}
	}
}

func TestVersionTellsWhatWasBuilt(t *testing.T) {
	built := &debug.BuildInfo{GoVersion: "go1.26.0", Settings: []debug.BuildSetting{{Key: "GOOS", Value: "linux"},
		{Key: "GOARCH", Value: "arm64"},
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.time", Value: "2026-11-22T09:00:00Z"},
		{Key: "vcs.modified", Value: "true"}}}
	if got, want := Version("v1.2.3", built),
		"retake v1.2.3\ncommit 0123456789ab of 2026-11-22, changed since\ngo1.26.0, linux/arm64\n"; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	if got, want := Version("dev", &debug.BuildInfo{GoVersion: "go1.26.0"}),
		"retake dev\nof an unknown commit\ngo1.26.0, /\n"; got != want {
		t.Errorf("outside a repository: got %q; want %q", got, want)
	}
}

func TestWhatWasLeftIsExplained(t *testing.T) {
	for _, c := range []struct{ platform, step, want string }{{"", "", "A: it could not"}, {"YOUTUBE", "unknown",
		"A on YOUTUBE: it may have arrived"},
		{"RUMBLE", "", "A on RUMBLE: it could not"}, {"YOUTUBE", "reconnect", "must be reconnected"}} {
		if got := Left("A", c.platform, c.step); !strings.Contains(got, c.want) {
			t.Errorf("got %q; want %q in it", got, c.want)
		}
	}
	if got := Count(1, "video") + ", " + Count(0, "video"); got != "1 video, 0 videos" {
		t.Errorf("got %s", got)
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
