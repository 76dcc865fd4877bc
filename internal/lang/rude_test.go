// A list of rude words matches names however they are disguised, and says which of its lines match nothing.

package lang

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRude_TheShippedLists(t *testing.T) {
	list := append(ParseWords(RudeWords("ru")), ParseWords(RudeWords("en"))...)
	for name, want := range map[string]bool{"Маша": false, "Дерьмовый": true, "анна сука": true, "Сукайна": false,
		"Dick": false, "Assol": false,
		"FUCKER": true, "Эбабанза": false, "Себастьян": false, "Cyka": true, "суkа": true, "хyй": true, "ｆｕｃｋ": true,
		"𝖋𝖚𝖈𝖐": true, "ᶠᵘᶜᵏ": true, "fuсk": true,
		"ꜰᴜᴄᴋ": true, "fück": true, "с\u0336у\u0336к\u0336а\u0336": true, "су\u0301ка": true, "су\u034fка": true,
		"су\ufe0fка": true, "с у к а": true, "с-у-к-а": true, "С.У.К.А.": true,
		"су'ка": true, "Б. Ля": false, "Анна-Сука": true, "Хуана": false, "Хуйя": false} {
		if got := IsRude(NameKey(name), list); got != want {
			t.Errorf("%s: got %v; want %v", name, got, want)
		}
	}
}

func TestRude_EveryWayToWriteAnEntry(t *testing.T) {
	list := ParseWords("\ufeffдурак\r\nдурная голова # a remark\r\n\r\n# all remark\r\nтили-тили*\r\n  Fool*  \r\nÊvil")
	if len(list) != 5 {
		t.Fatalf("got %q; want five entries", list)
	}
	for name, want := range map[string]bool{"Дурак": true, "Анна дурак": true, "Дурачок": false, "Дурная Голова": true,
		"дурная-голова": true, "Голова Дурная": false, "Дурная": false,
		"Дурная Голова Анна": true, "Тили Тили": true, "Тили-тилитесто": true, "Тили": false, "Тили Анна Тили": false,
		"Foolish": true, "FOOL": true, "evil": true, "Эвил": false} {
		if got := IsRude(NameKey(name), list); got != want {
			t.Errorf("%s: got %v; want %v", name, got, want)
		}
	}
}

func TestRude_AFaultIsToldWithItsLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a star in the middle":  {"дурак\nду*рак\n", "ru.txt:2: a * may"},
		"a star alone":          {"дурак\n*\n", "ru.txt:2: there is no letter"},
		"digits":                {"# x\n\nдурак1\n", "ru.txt:3: a name has no digits"},
		"signs that names lack": {"дурак, болван\n", "ru.txt:1: a name has no such signs"},
		"only a hyphen":         {"-\n", "ru.txt:1: there is no letter"},
		"an old encoding":       {"дурак\n\xe4\xf3\xf0\xe0\xea\n", "ru.txt:2: this line is not UTF-8"},
		"sixteen bits":          {"\xff\xfe\x34\x04", "ru.txt:1: this file is UTF-16"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "ru.txt"), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			words, err := OperatorsWords(dir)
			if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, c.want)) || words != nil {
				t.Errorf("got %q, %v; want only the fault %q", words, err, c.want)
			}
		})
	}
	dir := t.TempDir()
	for file, text := range map[string]string{"ru.txt": "1\nдурак\n2", "en.txt": "a+b"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OperatorsWords(dir); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v; want all three faults", err)
	}
}

func TestRude_ANewListIsWrittenAndRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rude")
	words, err := OperatorsWords(dir)
	if err != nil || !IsRude("сука", words) || !IsRude("bitch", words) {
		t.Fatalf("got %q, %v; want the shipped lists at the first start already", words, err)
	}
	again, err := OperatorsWords(dir)
	if err != nil || !slices.Equal(again, words) {
		t.Errorf("got %q, %v; want the same at the second", again, err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != len(Languages) {
		t.Errorf("got %v, %v; want a file for each language and nothing beside them", files, err)
	}
	for _, l := range Languages {
		path := filepath.Join(dir, l+".txt")
		info, err := os.Stat(path)
		if text, readErr := os.ReadFile(path); err != nil || readErr != nil || string(text) != RudeWords(l) ||
			info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %q, %v, %v; want the list as shipped, for its user only", l, text, info, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "ru.txt"), []byte("\ufeffбрюква"), 0o600); err != nil {
		t.Fatal(err)
	}
	own, err := OperatorsWords(dir)
	if err != nil || !slices.Contains(own, "брюква") || IsRude("сука", own) {
		t.Errorf("got %q, %v; want the operator's own list in place of ours", own, err)
	}
}

func TestRude_AFolderThatCannotBeWrittenIsToldAndLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if words, err := OperatorsWords(dir); err == nil || words != nil {
		t.Errorf("got %q, %v; want an error", words, err)
	}
}
