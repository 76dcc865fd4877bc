// Titles of uploads: what is accepted and what is made of a file name.

package lang

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseTitle(t *testing.T) {
	for text, want := range map[string]struct{ title, problem string }{
		"Лето":                         {"Лето", ""},
		"  Лето\t на\u00a0 даче\n":     {"Лето на даче", ""},
		"":                             {"", ""},
		" \u200d ":                     {"", ""},
		"\u0301":                       {"", ""},
		"e\u0301te\u0301":              {"été", ""},
		"100 % <b>?":                   {"100 % <b>?", ""},
		"🎄":                            {"🎄", ""},
		"👩\u200d👧":                     {"👩\u200d👧", ""},
		"می\u200cخواهم":                {"می\u200cخواهم", ""},
		"a\u202eb":                     {"", "title_hidden"},
		"a\u2066b":                     {"", "title_hidden"},
		"a\x00b":                       {"", "title_hidden"},
		"a\x1b[31m":                    {"", "title_hidden"},
		"a\ue000":                      {"", "title_hidden"},
		"\xff":                         {"", "title_hidden"},
		strings.Repeat("я", 100):       {strings.Repeat("я", 100), ""},
		strings.Repeat("e\u0301", 100): {strings.Repeat("é", 100), ""},
		strings.Repeat("я", 101):       {"", "title_long"},
		strings.Repeat(" ", 500) + "я": {"я", ""},
	} {
		if title, problem := ParseTitle(text); title != want.title || problem != want.problem {
			t.Errorf("%q: got %q, %q; want %q, %q", text, title, problem, want.title, want.problem)
		}
	}
}

func TestTheNameOfAFileMakesATitle(t *testing.T) {
	for file, want := range map[string]string{
		"Лето на даче.mp4":  "Лето на даче",
		"IMG_0042.MOV":      "IMG_0042",
		"a.b.webm":          "a.b",
		"/home/me/x.mkv":    "x",
		`C:\Users\me\x.mkv`: "x",
		"no ending":         "no ending",
		"1. Наше лето":      "1. Наше лето",
		".mp4":              "",
		"...":               "",
		"":                  "",
		"\u202egpj.mp4":     "gpj",
		"\xff\xfex.mp4":     "x",
		"a\x00b.mp4":        "ab",
		strings.Repeat("ш", 99) + " ж лишнее.mp4": strings.Repeat("ш", 99),
	} {
		got := TitleOf(file)
		if got != want || !utf8.ValidString(got) {
			t.Errorf("%q: got %q; want %q", file, got, want)
		}
	}
}
