// espeak_test.go has the real espeak-ng say which sounds it would make of names from everywhere.

package video

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// phonemes asks espeak-ng how it reads SSML in a language.
func phonemes(t *testing.T, lang, ssml string) string {
	t.Helper()
	argv := espeakCommand(lang, filepath.Join(t.TempDir(), "x.wav"))
	cmd := exec.Command(argv[0], append(argv[1:], "-q", "-x")...)
	cmd.Stdin = strings.NewReader(ssml)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("espeak-ng: %v", err)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

func TestEspeakReadsNamesAsTheirOwnLanguageDoes(t *testing.T) {
	for _, c := range []struct{ name, lang, voice string }{
		{"Маша", "en", "ru"}, {"William", "ru", "en-us"}, {"Әлия", "ru", "kk"}, {"Әлия", "en", "kk"},
		{"Єва", "ru", "uk"}, {"Ґанна", "en", "uk"}, {"Ўладзімір", "en", "uk"}, {"Ђорђе", "en", "sr"},
		{"محمد", "ru", "ar"}, {"محمد", "en", "ar"}, {"پریسا", "en", "fa"}, {"דוד", "ru", "he"},
		{"Γιώργος", "en", "el"}, {"Արամ", "en", "hy"}, {"ნინო", "ru", "ka"}, {"आरव", "en", "hi"}, {"রবি", "ru", "bn"},
		{"கமல்", "en", "ta"}, {"สมชาย", "en", "th"}, {"민준", "ru", "ko"}, {"さくら", "en", "ja"}, {"サクラ", "ru", "ja"},
		{"小明", "en", "cmn-latn-pinyin"}, {"小明", "ru", "cmn-latn-pinyin"},
	} {
		greeting := map[string][2]string{"ru": {"Дорогой ", "! С Новым годом"}, "en": {"Dear ", "! Happy new year"}}[c.lang]
		ssml := espeakText(greeting[0]+c.name+greeting[1], c.lang, nil)
		own := espeakVoice(c.lang)
		want := `<voice name="` + own + `">` + greeting[0] + `</voice><voice name="` + c.voice + `">` + c.name +
			`! </voice>` +
			`<voice name="` + own + `">` + strings.TrimPrefix(
			greeting[1],
			"! ",
		) + `</voice>`
		if ssml != want {
			t.Errorf("%s in %s: got %s; want %s", c.name, c.lang, ssml, want)
		}
		got := phonemes(t, c.lang, ssml)
		alone := phonemes(t, c.lang, `<voice name="`+c.voice+`">`+c.name+`! </voice>`)
		rest := phonemes(t, c.lang, `<voice name="`+own+`">`+strings.TrimPrefix(greeting[1], "! ")+`</voice>`)
		if !strings.HasSuffix(got, " "+alone+" "+rest) {
			t.Errorf("%s in %s: got %s; want it to end with %s %s", c.name, c.lang, got, alone, rest)
		}
	}
}

func TestEspeakKnowsEveryVoiceThatIsNamed(t *testing.T) {
	out, err := exec.Command(espeak, "--voices").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		known[strings.Fields(line)[1]] = true
	}
	voices := []string{espeakVoice("en"), espeakVoice("ru")}
	for _, w := range writings {
		voices = append(voices, w.voice)
	}
	for _, n := range neighbours {
		voices = append(voices, n.voice)
	}
	for _, v := range voices {
		if !known[v] {
			t.Errorf("voice %s: got nothing; want it in espeak-ng --voices", v)
		}
	}
}

func TestEspeakTextKeepsVoicesTogether(t *testing.T) {
	for _, c := range []struct{ text, lang, want string }{
		{"Маша, привет", "ru", `<voice name="ru">Маша, привет</voice>`},
		{"Dear Zoë Müller-O'Connor!", "en", `<voice name="en-us">Dear Zoë Müller-O'Connor!</voice>`},
		{"محمد علي, привет", "ru", `<voice name="ar">محمد علي, </voice><voice name="ru">привет</voice>`},
		{"Anna-Мария", "ru", `<voice name="en-us">Anna-</voice><voice name="ru">Мария</voice>`},
		{"AnnaМария", "ru", `<voice name="en-us">Anna</voice><voice name="ru">Мария</voice>`},
		{"Әлия Маша", "kk", `<voice name="kk">Әлия Маша</voice>`},
		{"Іван", "uk", `<voice name="uk">Іван</voice>`},
		{"Әлия", "uk", `<voice name="uk">Әлия</voice>`},
		{"Anna", "de", `<voice name="de">Anna</voice>`},
		{"x!y &#120;", "en", `<voice name="en-us">x! y   120;</voice>`},
		{"7 лет, Маша", "ru", `<voice name="ru">7 лет, Маша</voice>`},
		{"...", "en", `<voice name="en-us">   </voice>`},
		{"", "en", `<voice name="en-us"></voice>`},
		{"Σοφία さくら子", "el", `<voice name="el">Σοφία </voice><voice name="ja">さくら</voice><voice ` +
			`name="cmn-latn-pinyin">子</voice>`},
	} {
		if got := espeakText(c.text, c.lang, nil); got != c.want {
			t.Errorf("%s in %s: got %s; want %s", c.text, c.lang, got, c.want)
		}
	}
}

func TestEspeakTakesNothingInANameForACommand(t *testing.T) {
	plain := phonemes(t, "en", espeakText("Dear x", "en", nil))
	for _, name := range []string{"[[x]]", "!x", "?!x", ".x", "! ? x", "<x>", "x&", "<! x", "x\x00", "x\n", "\x1b[x", "😀x",
		"{x}", "x|", "#x", "$x", "~x", "\\x", "x/", "*x*", "\u202ex"} {
		if got := phonemes(t, "en", espeakText("Dear "+name, "en", nil)); got != plain {
			t.Errorf("%q: got %s; want %s", name, got, plain)
		}
	}
	// A pause, a sound and an endless break, if it were markup.
	hostile := `Dear <break time="9999s"/><audio src="/etc/passwd"/>]]><voice name="ar">O'Connor`
	if got := espeakText(hostile, "en", nil); strings.Count(got, "<") != 2 || strings.ContainsAny(got, "&[]{}") {
		t.Errorf("got %s; want no markup but one voice", got)
	}
}
