// The message files are complete and used, and nobody is told anything that is not in them.

package lang

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/BurntSushi/toml"
)

// load reads the messages of a language in some rooms: the forms of every id.
func load(t *testing.T, lang string, rooms ...string) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	for _, room := range rooms {
		text, err := messages.ReadFile("messages/" + room + "." + lang + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		var raw map[string]any
		if _, err := toml.Decode(string(text), &raw); err != nil {
			t.Fatal(err)
		}
		for id, v := range raw {
			if out[id] != nil {
				t.Errorf("%s: %s is in two files", lang, id)
			}
			out[id] = map[string]string{}
			switch v := v.(type) {
			case string:
				out[id]["other"] = v
			case map[string]any:
				for form, text := range v {
					out[id][form] = text.(string)
				}
			}
		}
	}
	return out
}

// sources reads the files that the patterns name.
func sources(t *testing.T, patterns ...string) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}

var placeholder = regexp.MustCompile(`\{\{\.(\w+)\}\}`)

func placeholders(forms map[string]string) []string {
	var out []string
	for _, text := range forms {
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestEveryLanguageSaysTheSame(t *testing.T) {
	plurals := map[string][]string{"ru": {"few", "many", "one", "other"}, "en": {"one", "other"}}
	en := load(t, "en", rooms...)
	for _, l := range Languages {
		all := load(t, l, rooms...)
		for id, forms := range en {
			if all[id] == nil {
				t.Errorf("%s: %s is missing", l, id)
				continue
			}
			if got, want := placeholders(all[id]), placeholders(forms); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the placeholders %q; want %q", l, id, got, want)
			}
		}
		for id, forms := range all {
			if en[id] == nil {
				t.Errorf("%s: %s is in no other language", l, id)
			}
			if len(forms) == 1 {
				continue
			}
			for _, form := range plurals[l] {
				if forms[form] == "" {
					t.Errorf("%s: %s has no form %q", l, id, form)
				}
			}
		}
	}
}

// TestEveryMessageIsUsedAndThere reads the program's source: an id in quotes that looks like one of ours must exist,
// and every message must be named somewhere.
func TestEveryMessageIsUsedAndThere(t *testing.T) {
	en := load(t, "en", "bot")
	source := sources(t, "../../bot.go", "../chat/*.go", "../watch/troubles.go", "../command/check.go", "name.go", "talk.go")
	commands := regexp.MustCompile(`(?s)(user|admin)Commands +=.*?\}`).FindAllString(source, -1)
	if len(commands) != 2 {
		t.Fatalf("got the lists of commands %q; want two", commands)
	}
	for id := range en {
		if name, ok := strings.CutPrefix(id, "command_"); ok {
			if !strings.Contains(strings.Join(commands, ""), fmt.Sprintf("%q", name)) {
				t.Errorf("%s: there is no such command", id)
			}
			continue
		}
		if !strings.Contains(source, fmt.Sprintf("%q", id)) {
			t.Errorf("%s is used nowhere", id)
		}
	}
	for _, c := range commands {
		for _, m := range regexp.MustCompile(`"(\w+)"`).FindAllStringSubmatch(c, -1) {
			if en["command_"+m[1]] == nil {
				t.Errorf("the command %s has no description", m[1])
			}
		}
	}
	said := regexp.MustCompile(`(?:lang\.Say\([^,]+, |Reply\(ctx, u, |AnswerTo\(u, |answer\(\w+, |lapsed = |toast = |` +
		`problem = (?:worse\(problem, )?)"([a-z_]+)"`)
	found := said.FindAllStringSubmatch(source, -1)
	if len(found) < 40 {
		t.Fatalf("got %d messages in the source; want at least 40, or this test looks for calls that are gone",
			len(found))
	}
	for _, m := range found {
		if id := m[1]; en[id] == nil && id != "command_" {
			t.Errorf("the source says %q, which is no message", id)
		}
	}
}

// TestThePageSaysEveryMessageOfItsOwn reads the page's source and its templates in the same way.
func TestThePageSaysEveryMessageOfItsOwn(t *testing.T) {
	en := load(t, "en", rooms...)
	source := sources(t, "../../web.go", "../command/page.go", "../desk/*.go", "../../web/templates/*.html", "name.go",
		"title.go", "changed.go")
	for id := range load(t, "en", "page", "publishing", "counts") {
		if !strings.Contains(source, fmt.Sprintf("%q", id)) {
			t.Errorf("%s is used nowhere", id)
		}
	}
	said := regexp.MustCompile(`\b(?:say|rich) (?:\. )?"([a-z_]+)"`).FindAllStringSubmatch(source, -1)
	if len(said) < 80 {
		t.Fatalf("got %d messages in the templates; want at least 80, or this test looks for calls that are gone",
			len(said))
	}
	for _, m := range said {
		if en[m[1]] == nil {
			t.Errorf("a template says %q, which is no message", m[1])
		}
	}
}

// attributes are those that a browser shows or reads out.
var attributes = regexp.MustCompile(`(?:aria-label|placeholder|alt|title)="([^"]*)"`)

// letters finds words of a language between the tags of a template.
var letters = regexp.MustCompile(`\pL{2,}`)

// TestTemplatesHoldNoWords: whatever a reader sees or hears comes from the message files.
func TestTemplatesHoldNoWords(t *testing.T) {
	source := sources(t, "../../web/templates/*.html")
	source = regexp.MustCompile(`(?s)\{\{.*?\}\}`).ReplaceAllString(source, "")
	for _, tag := range regexp.MustCompile(`(?s)<[^>]*>`).FindAllString(source, -1) {
		for _, m := range attributes.FindAllStringSubmatch(tag, -1) {
			if letters.MatchString(m[1]) {
				t.Errorf("%q is in a template", m[1])
			}
		}
	}
	for _, text := range regexp.MustCompile(`(?s)<[^>]*>`).Split(source, -1) {
		if letters.MatchString(strings.ReplaceAll(text, "Retake", "")) {
			t.Errorf("%q is in a template", strings.TrimSpace(text))
		}
	}
}

// TestTheBotSpeaksOnlyFromTheMessageFiles reads the bot's source: what it sends is never written there.
func TestTheBotSpeaksOnlyFromTheMessageFiles(t *testing.T) {
	files, err := filepath.Glob("../chat/*.go")
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]int{"Send": 2, "Edit": 3, "Replace": 3, "Answer": 2, "Press": 1} // which argument a user reads
	sends := 0
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if strings.ContainsFunc(n.Value, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) {
				t.Errorf("%s is in the source", n.Value)
			}
		case *ast.CallExpr:
			call, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if i, speaks := text[call.Sel.Name]; speaks && len(n.Args) > i {
				sends++
				if lit, ok := n.Args[i].(*ast.BasicLit); ok && lit.Value != `""` {
					t.Errorf("%s is sent as it is in the source", lit.Value)
				}
			}
		}
		return true
	}
	for _, name := range append(files, "../../bot.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, look)
	}
	if sends < 5 {
		t.Errorf("got %d places that send; want at least 5, or this test looks for calls that are gone", sends)
	}
}

func TestTheSentencesOfTheContract(t *testing.T) {
	for id, want := range map[string]string{
		"apology": "Упс! Что-то пошло не так при создании видео для Маша. 😔\n\n" +
			"Не переживайте, вы можете попробовать еще раз!",
		"button_retry":    "🔄 Попробовать еще раз",
		"request_created": "Запрос создан! Скоро отправим видео.",
	} {
		if got := Say("ru", id, Vars{"Name": "Маша"}); got != want {
			t.Errorf("%s: got %q; want %q", id, got, want)
		}
	}
}

func TestPlurals(t *testing.T) {
	for n, want := range map[int]string{1: "около 1 минуты", 2: "около 2 минут", 5: "около 5 минут",
		21: "около 21 минуты"} {
		if got := Say("ru", "progress_place", Vars{"Place": 3, "Count": n}); !strings.Contains(got, want) {
			t.Errorf("got %q; want %q in it", got, want)
		}
	}
}

func TestANameIsDataWhateverItLooksLike(t *testing.T) {
	for _, name := range []string{"{{.Name}}", "<b>x</b>", "*x*", "&amp;", `"`} {
		if got := Say("en", "confirm", Vars{"Name": name}); got != "Make a video for “"+name+"”?" {
			t.Errorf("got %q; want %s as it is", got, name)
		}
	}
}

func TestMatch(t *testing.T) {
	for code, want := range map[string]string{"ru": "ru", "ru-RU": "ru", "en-GB": "en", "en": "en", "de": "fallback",
		"": "fallback", "!!": "fallback", "uk": "fallback"} {
		if got := Match(code, "fallback"); got != want {
			t.Errorf("%q: got %s; want %s", code, got, want)
		}
	}
}

func TestLettersThatFoldOddlyStillMakeOneName(t *testing.T) {
	for name, spellings := range map[string][]string{
		// fold to i with a dot above it: a capital İ is not an I
		"a dotless i with a dot above it": {"ı\u0307lker", "\u0130lker"},
		"an n after an apostrophe":        {"ŉaam", "'naam", "\u02bcnaam"},
		"Cherokee letters":                {"ꭰᏸ", "ᎠᏰ", "Ꭰᏸ"},
	} {
		t.Run(name, func(t *testing.T) {
			first, key, _ := ParseName(spellings[0])
			for _, s := range spellings {
				n, k, problem := ParseName(s)
				if k != key || problem != "" || NameKey(k) != k {
					t.Errorf("%+q: got the key %+q, %q; want %+q", s, k, problem, key)
				}
				if again, _, _ := ParseName(n); again != n {
					t.Errorf("got %+q for %+q; want it unchanged", again, n)
				}
			}
			if first == "" {
				t.Error("got no name")
			}
		})
	}
}

func TestForUser_ALanguageWithoutTextsGetsEnglish(t *testing.T) {
	for code, want := range map[string]struct{ byDefault, chosen string }{
		"ru": {"ru", "ru"}, "en-GB": {"en", "en"}, "de": {"en", "ru"}, "uk": {"en", "ru"}, "pt-br": {"en", "ru"},
		"zh-hans": {"en", "ru"}, "": {"ru", "ru"}, "!!": {"ru", "ru"}, "RU": {"ru", "ru"}, "en": {"en", "en"},
	} {
		if a, b := ForUser(code, "ru", false), ForUser(code, "ru", true); a != want.byDefault || b != want.chosen {
			t.Errorf("%q: got %s by default and %s when chosen; want %s and %s", code, a, b, want.byDefault,
				want.chosen)
		}
	}
}
