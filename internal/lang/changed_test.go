package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestTexts_EveryTextOfTheBotHasOneSubject(t *testing.T) {
	for key := range load(t, "en", "bot") {
		var of []string
		for _, s := range subjects {
			if s.has(key) {
				of = append(of, s.ID)
			}
		}
		if len(of) != 1 || TextOf(key) == nil {
			t.Errorf("%s: got the subjects %q; want one", key, of)
		}
	}
	if got, want := len(Texts()), len(load(t, "en", "bot")); got != want {
		t.Errorf("got %d texts; want %d", got, want)
	}
}

func TestTexts_TheDefaultsFit(t *testing.T) {
	for _, l := range Languages {
		for _, text := range Texts() {
			if faults := Check(Changed{l, text.Key, text.Default(l)}); len(faults) > 0 {
				t.Errorf("%s %s: got %v", l, text.Key, faults)
			}
			for _, form := range text.Forms(l) {
				if got := text.Preview(l, form, text.Default(l)[form]); strings.ContainsAny(got, "{}") || got == "" {
					t.Errorf("%s %s: got the preview %q; want every variable filled", l, text.Key, got)
				}
			}
		}
	}
}

func TestTexts_FormsAreThoseOfWholeNumbers(t *testing.T) {
	for l, want := range map[string]string{"ru": "[one few many] [1 21 31] [2 3 4] [5 6 7]", "en": "[one other] [1] [2 3 4]"} {
		forms := TextOf("limit_open").Forms(l)
		got := fmt.Sprint(forms)
		for _, f := range forms {
			got += " " + fmt.Sprint(Numbers(l, f))
		}
		if got != want {
			t.Errorf("%s: got %s; want %s", l, got, want)
		}
	}
}

func TestChange_SaysTheChangedText(t *testing.T) {
	t.Cleanup(func() { Change(nil) })
	before := Say("ru", "confirm", Vars{"Name": "Ева"})
	if aside := Change([]Changed{
		{"ru", "confirm", map[string]string{"other": "{{ .Name }} – верно? 100 % <3"}},
		{"ru", "limit_open", map[string]string{"one": "{{.Count}} раз", "few": "{{.Count}} раза", "many": "{{.Count}} разов"}},
	}); aside != nil {
		t.Fatalf("got set aside %v; want none", aside)
	}
	for want, got := range map[string]string{
		"Ева – верно? 100 % <3":       Say("ru", "confirm", Vars{"Name": "Ева"}),
		"{{.Name}} – верно? 100 % <3": Say("ru", "confirm", Vars{"Name": "{{.Name}}"}),
		"21 раз":                      Say("ru", "limit_open", Vars{"Count": 21}),
		"3 раза":                      Say("ru", "limit_open", Vars{"Count": 3}),
		"11 разов":                    Say("ru", "limit_open", Vars{"Count": int64(11)}),
	} {
		if got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
	if got := Say("en", "confirm", Vars{"Name": "Ева"}); got != "Make a video for “Ева”?" {
		t.Errorf("got %q in the other language; want it as it was", got)
	}
	Change(nil)
	if got := Say("ru", "confirm", Vars{"Name": "Ева"}); got != before {
		t.Errorf("got %q; want %q again", got, before)
	}
}

func TestCheck_RefusesWhatCannotBeSaid(t *testing.T) {
	for want, text := range map[string]string{
		"text_fault_empty":   " \n\u200b",
		"text_fault_syntax":  "Hello {{.Name}",
		"text_fault_unknown": "Hello {{.Name}}, you are {{.Age}}",
		"text_fault_missing": "Hello!",
		"text_fault_markup":  "Hello <b>{{.Name}}</b>",
		"text_fault_long":    "{{.Name}}" + strings.Repeat("x", 4096-49),
		"":                   "{{.Name}}" + strings.Repeat("x", 4096-50),
	} {
		faults := Check(Changed{"en", "confirm", map[string]string{"other": text}})
		if want == "" && len(faults) == 0 {
			continue
		}
		if len(faults) != 1 || faults[0].ID != want || faults[0].Form != "other" {
			t.Errorf("%.40q: got %v; want %s", text, faults, want)
		}
	}
	for _, text := range []string{"{{if .Name}}x{{end}} {{.Name}}", "{{.Name | len}}", "{Name} {{.Name}}", "{{.Name}} }}"} {
		if faults := Check(Changed{"en", "confirm", map[string]string{"other": text}}); len(faults) != 1 ||
			faults[0].ID != "text_fault_syntax" {
			t.Errorf("%q: got %v; want text_fault_syntax", text, faults)
		}
	}
	for _, text := range []string{"**{{.Name}}**", "__{{.Name}}__", "[{{.Name}}](https://example.org)", "<i>{{.Name}}"} {
		if faults := Check(Changed{"en", "confirm", map[string]string{"other": text}}); len(faults) != 1 ||
			faults[0].ID != "text_fault_markup" {
			t.Errorf("%q: got %v; want text_fault_markup", text, faults)
		}
	}
	if faults := Check(Changed{"ru", "limit_open", map[string]string{"one": "{{.Count}}", "few": "две", "many": "{{.Count}}"}}); len(faults) != 1 ||
		faults[0].Form != "few" {
		t.Errorf("got %v; want that only the form without its variable is refused", faults)
	}
}

func TestCheck_MeasuresWhatTelegramTakes(t *testing.T) {
	t.Cleanup(func() { Change(nil) })
	fill := func(key string, n int) map[string]string {
		text := ""
		for _, name := range TextOf(key).Vars {
			text += "{{." + name + "}}"
		}
		return map[string]string{"other": text + strings.Repeat("я", n-TextOf(key).Filled(text))}
	}
	for key, room := range map[string]int{"button_more": 64, "button_get": 64, "toast_ready": 200, "request_created": 200,
		"progress_queue": 200, "my_data": 1024, "command_new": 256, "apology": 4096,
		"caption": 1024 - 2 - len([]rune(Say("ru", "done", nil))) - 1} { // 🎉 counts as two
		if faults := Check(Changed{"ru", key, fill(key, room)}); faults != nil {
			t.Errorf("%s with %d characters: got %v; want that it fits", key, room, faults)
		}
		if faults := Check(Changed{"ru", key, fill(key, room+1)}); len(faults) != 1 || faults[0].ID != "text_fault_long" ||
			faults[0].Vars["Of"] != room {
			t.Errorf("%s with %d characters: got %v; want that it is too long", key, room+1, faults)
		}
	}
	if faults := Check(Changed{"ru", "button_more", map[string]string{"other": "a\nb"}}); len(faults) != 1 ||
		faults[0].ID != "text_fault_lines" {
		t.Errorf("got %v; want a button in one line", faults)
	}
	// A shorter neighbour makes room.
	done := Changed{"ru", "done", map[string]string{"other": "Вот"}}
	long := Changed{"ru", "caption", fill("caption", 1024-2-3)}
	if aside := Change([]Changed{long, done}); aside != nil {
		t.Errorf("got set aside %v; want that both are said", aside)
	}
	if aside := Change([]Changed{long}); len(aside) != 1 || aside[0].Key != "caption" {
		t.Errorf("got set aside %v; want the caption, which does not fit beside the default", aside)
	}
}

func TestChange_SetsAsideWhatNoLongerFits(t *testing.T) {
	t.Cleanup(func() { Change(nil) })
	aside := Change([]Changed{
		{"ru", "confirm", map[string]string{"other": "Старый текст: {{.Child}} {{.Name}}"}}, // the variable is gone
		{"ru", "caption", map[string]string{"other": "Без имени"}},                          // there was none
		{"ru", "limit_open", map[string]string{"other": "Уже делаю: {{.Count}}"}},           // it had one form
		{"ru", "button_more", map[string]string{"one": "1", "few": "2", "many": "3"}},       // it had several
		{"ru", "greeting_of_old", map[string]string{"other": "Привет"}},                     // there is no such text
		{"de", "confirm", map[string]string{"other": "{{.Name}}?"}},                         // and no such language
		{"ru", "done", map[string]string{"other": "Вот!"}},
	})
	got := map[string]string{}
	for _, a := range aside {
		got[a.Lang+" "+a.Key] = a.Fault.ID
	}
	want := map[string]string{"ru confirm": "text_fault_unknown", "ru caption": "text_fault_missing",
		"ru limit_open": "text_fault_forms", "ru button_more": "text_fault_forms", "ru greeting_of_old": "text_fault_gone",
		"de confirm": "text_fault_gone"}
	if !maps.Equal(got, want) {
		t.Errorf("got set aside %v; want %v", got, want)
	}
	if got := Say("ru", "caption", Vars{"Name": "Ева"}); !strings.Contains(got, "Ева") {
		t.Errorf("got %q; want the default", got)
	}
	if got := Say("ru", "done", nil); got != "Вот!" {
		t.Errorf("got %q; want the change that fits", got)
	}
	for _, text := range Texts() {
		if _, changed := text.Said("ru"); changed != (text.Key == "done") {
			t.Errorf("%s: got changed %v", text.Key, changed)
		}
	}
	if !slices.Contains(TextOf("confirm").Vars, "Name") {
		t.Error("the catalogue has changed")
	}
}
