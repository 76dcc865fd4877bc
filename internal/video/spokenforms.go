// spokenforms.go knows how names are said that voices stress wrongly: the operator's list, then a built-in one.

package video

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// stressMark stands after a stressed vowel: «Макси́м».
const stressMark = '\u0301'

// cyrillicVowels are the letters whose stress can be marked. On Latin letters the same mark makes another letter: é.
const cyrillicVowels = "аеёиоуыэюяіїєАЕЁИОУЫЭЮЯІЇЄ"

// unstressed returns a text without the stress marks of Cyrillic letters, which are for the voice and not for the eye.
func unstressed(text string) string {
	if !strings.ContainsRune(text, stressMark) {
		return text
	}
	var out strings.Builder
	var before rune
	for _, r := range text {
		if r != stressMark || !strings.ContainsRune(cyrillicVowels, before) {
			out.WriteRune(r)
		}
		before = r
	}
	return out.String()
}

// stressedRussian are common names of children in Russia that espeak-ng stresses on another syllable.
const stressedRussian = `Адели́на Аде́ль Адэли́на Айгу́ль Айда́р Айжа́н Айли́н Айну́р Айсу́ Айша́ Ала́н Али́ Алиха́н
	Алия́ Амели́я Ами́р Амирха́н Анса́р Арма́н Арсе́н Арсла́н Асе́ль Баги́р Баха́р Била́л Гара́й Гузе́ль Гульна́з Дами́р
	Да́на Дания́р Даниэ́ла Дари́на Джама́л Дильна́з Евангели́на Евсе́й Ерофе́й Жанги́р Зухра́ Идри́с Ила́н Илиа́на
	Ильда́р Ильна́р Ильну́р Илья́с Имра́н Иоа́нн Кама́ль Ками́ль Капитоли́на Кари́м Карлыга́ш Касья́н Кери́м Клементи́на
	Куаны́ш Курала́й Ларио́н Лейса́н Лена́р Лина́р Лука́ Людови́к Ляйса́н Макси́м Мариа́м Марья́м Милоли́ка Милосла́ва
	Мира́н Муса́ Наби́ Нине́ль Нурла́н Нурсулта́н Раи́ль Рами́ль Рамза́н Рая́н Рева́з Роксола́на Русте́м Сали́м Сами́р
	Санжа́р Санса́р Сарки́с Севери́н Темирла́н Тигра́н Ума́р Усма́н Фаде́й Хава́ Хадиджа́ Хаджимура́т Хамза́ Чулпа́н
	Шири́н Эвели́н Эле́н Элиа́на Эльма́р Эма́н Э́стер Ю́на Юну́с Яни́на Ясми́н Яха́ Ми́шенька`

// russianForms are the same by what spokenKey makes of them.
var russianForms = sync.OnceValue(func() map[string]string {
	forms := map[string]string{}
	for _, form := range strings.Fields(stressedRussian) {
		forms[spokenKey(form)] = form
	}
	return forms
})

// spokenKey is what a name and its spoken form have in common.
func spokenKey(name string) string {
	return strings.ToLower(norm.NFC.String(unstressed(strings.Join(strings.Fields(name), " "))))
}

// formsFile is the name of the operator's list for a language.
func formsFile(lang string) string { return "spoken-" + lang + ".txt" }

// readForms reads the operator's list for a language in a folder, "" if there are none: a line for each name, "Айгуль =
// Айгу́ль", and comments that begin with "#". A list that is not there is empty. Lines that cannot be read are faults,
// in words for the operator, and the others count.
func readForms(folder, lang string) (forms map[string]string, faults []string, err error) {
	if folder == "" {
		return nil, nil, nil
	}
	path := filepath.Join(folder, formsFile(lang))
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	forms = map[string]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, form, found := strings.Cut(line, "=")
		name, form = strings.TrimSpace(name), strings.TrimSpace(form)
		if !found || name == "" || form == "" {
			faults = append(faults, fmt.Sprintf("%s:%d: a line such as «Айгуль = Айгу́ль» is expected", filepath.Base(path), n))
			continue
		}
		forms[spokenKey(name)] = form
	}
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return forms, faults, nil
}

// form returns how a voice is to say a name: as it was typed if it has a stress mark, else as the operator's list says,
// of the whole name or of each of its words, else as the built-in list says, which is about espeak-ng. folder is
// readForms's.
func (v VoiceConfig) form(folder, name, lang string) (string, error) {
	name = norm.NFC.String(name)
	if unstressed(name) != name {
		return name, nil
	}
	own, _, err := readForms(folder, lang)
	if err != nil {
		return "", fmt.Errorf("spoken forms: %w", err)
	}
	lists := []map[string]string{own}
	if v.isEspeak() {
		lists = append(lists, russianForms()) // whatever the language: the Russian voice reads Russian letters
	}
	look := func(part string) (string, bool) {
		for _, list := range lists {
			if form, ok := list[spokenKey(part)]; ok {
				return form, true
			}
		}
		return part, false
	}
	if form, ok := look(name); ok {
		return form, nil
	}
	var out strings.Builder
	rest := name
	for rest != "" {
		end := strings.IndexFunc(rest, isBetweenWords)
		if end < 0 {
			end = len(rest)
		}
		form, _ := look(rest[:end])
		out.WriteString(form)
		rest = rest[end:]
		next := strings.IndexFunc(rest, func(r rune) bool { return !isBetweenWords(r) })
		if next < 0 {
			next = len(rest)
		}
		out.WriteString(rest[:next])
		rest = rest[next:]
	}
	return out.String(), nil
}

// isBetweenWords reports whether a sign separates the parts of a name.
func isBetweenWords(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) }
