// Tests of the names of people and of the words of an operator.

package lang_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"retake.example/internal/lang"
)

func TestNamesOfAllPeoplesAreWelcome(t *testing.T) {
	for name, want := range map[string]string{
		"Маша": "Маша", "ян": "Ян", "анна мария": "Анна Мария", "Александра-Виктория": "Александра-Виктория",
		"Łukasz":   "Łukasz",
		"O'Connor": "O'Connor", "Әлия": "Әлия", "محمد": "محمد", "שרה": "שרה", "さくら": "さくら", "  Анна   Мария ": "Анна Мария",
		"Mari\u0301a": "Mar\u00eda", "ДАША": "ДАША", "O\u2019Neil": "O\u2019Neil",
	} {
		got, key, problem := lang.ParseName(name)
		if got != want || problem != "" || key == "" {
			t.Errorf("%q: got %q, %q; want %q", name, got, problem, want)
		}
	}
	if a, b := lang.NameKey("О\u2019НИЛ"), lang.NameKey("о'нил"); a != b {
		t.Errorf("got keys %q and %q; want the same", a, b)
	}
}

func TestTheOperatorsListsOfRudeWordsAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rude")
	ours, err := lang.OperatorsWords(dir)
	if err != nil || len(ours) == 0 {
		t.Fatalf("got %q, %v; want our lists at the first start", ours, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ru.txt"), []byte("брюква\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	words, err := lang.OperatorsWords(dir)
	if err != nil || !slices.Contains(words, "брюква") || len(words) >= len(ours) {
		t.Errorf("got %d words, %v; want the operator's own list in place of ours", len(words), err)
	}
}
