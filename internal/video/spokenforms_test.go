// spokenforms_test.go has espeak-ng say several hundred names, and looks where it puts the stress.

package video

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// childrensNames are common names of children in Russia with their stress.
const childrensNames = `
Алекса́ндр Алекса́ндра Алексе́й Али́на Али́са А́лла Альби́на Ами́на Амели́я Анастаси́я Анато́лий Ангели́на
Андре́й А́нна Анто́н Антони́на Ари́на Арсе́ний Арту́р Аде́ль Айгу́ль Али́ Богда́н Бори́с Вади́м Валенти́н
Валенти́на Вале́рий Вале́рия Варва́ра Васили́са Васи́лий Ве́ра Верони́ка Викто́рия Ви́ктор Вита́лий Влади́мир
Владисла́в Вячесла́в Гали́на Генна́дий Гео́ргий Ге́рман Григо́рий Дави́д Дании́л Дани́ла Да́рья Да́ша Дени́с
Диа́на Ди́ма Дми́трий Добры́ня Е́ва Евге́ний Евге́ния Евдоки́я Его́р Екатери́на Еле́на Елизаве́та Ефи́м Жа́нна
Заха́р Зинаи́да Зла́та Зо́я Ива́н И́горь Илья́ Ильда́р И́нна Ио́сиф Ири́на Ками́лла Кари́на Кароли́на Ки́ра
Кири́лл Кла́вдия Константи́н Ксе́ния Ксю́ша Кристи́на Лари́са Леони́д Ле́ра Ли́дия Ли́за Ли́лия Лиа́на Лука́
Любо́вь Людми́ла Мака́р Макси́м Мари́на Мари́я Ма́рта Матве́й Ма́ша Миле́на Ми́ла Мила́на Миросла́ва Миро́н
Михаи́л Ми́ша Ми́тя Наде́жда На́стя Ната́лья Ната́ша Ники́та Никола́й Ни́на Окса́на Оле́г Оле́ся О́льга О́ля
Па́вел Па́ша Поли́на Плато́н Радми́ла Раши́д Рене́та Рина́т Рома́н Русла́н Русте́м Саве́лий Са́ша Светла́на
Святосла́в Серге́й Снежа́на Со́фья Софи́я Со́ня Станисла́в Степа́н Стефа́ния Таи́сия Тама́ра Та́ня Татья́на
Тимофе́й Тиму́р Ти́хон Улья́на Фе́ликс Фили́пп Эвели́на Эдуа́рд Эли́на Эльви́ра Эми́ль Эми́лия Ю́лия Ю́рий Я́на
Яросла́в Яросла́ва Я́ков Алия́ Гульна́ра Зари́на Ками́ля Мади́на Саби́на Сали́м Ясми́на Али́сочка А́ня Ва́ня
Ко́ля Ка́тя Ле́на Воло́дя Ми́шенька Ле́ночка Гри́ша Ди́на Да́на Дари́на Эма́н Тео́на Ми́рра Кери́м
Эльда́р Исла́м Аза́т Дами́р Рами́ль Раши́да Наби́ Мура́д Магоме́д Ю́ля Афана́сий Анфи́са Агла́я Ага́та Демья́н
Елисе́й Ерофе́й Емелья́н Игна́т Игна́тий Климе́нт Кузьма́ Лавре́нтий Лукья́н Мстисла́в Наза́р Нау́м Ники́фор
Оста́п Про́хор Радисла́в Ростисла́в Са́вва Серафи́м Серафи́ма Таде́уш Тара́с Трофи́м Фома́ Эми́р Юлиа́н Юлиа́на
Ма́йя Ма́рфа Ма́рья Мела́ния Ни́ка Но́нна Пелаге́я Праско́вья Раи́са Ро́за Ру́фь Си́ма Сте́ша Ула́на Фаи́на
Фе́кла Христи́на Э́мма Э́рика А́гния Адели́на Адэли́на Аза́лия Аи́да Айда́р Айда́на Айжа́н Айли́н Айну́р Айсы́лу
Айсу́ Айша́ Ака́кий Ала́н Ала́на Алевти́на Алиха́н Альбе́рт Альфи́я Ами́р Ами́ра Амирха́н Анва́р Ани́са Анто́ша
Анса́р Ара́м Аре́н Арме́н Арма́н Арсла́н Арсе́н Арте́мий Асе́ль Асла́н А́ся Ахме́д Аэли́та Баги́р Баха́р Бэ́лла
Бе́лла Била́л Богда́на Борисла́в Була́т Ва́ля Ва́ря Ве́ня Ви́ка Вио́ла Виоле́тта Владисла́ва Владле́н Владле́на
Га́ля Гева́рг Гево́рг Ге́ля Ге́на Гле́бушка Го́ша Гузе́ль Гульзи́ра Гу́ля Гульна́з Гульша́т Дания́р Даниэ́ль
Даниэ́ла Дарья́на Дая́на Дави́да Джама́л Джами́ля Джулье́тта Дильна́з Дина́ра Домини́ка Ду́ся Евангели́на
Евла́мпия Евсе́й Его́рка Еля́на Еми́лия Есе́ния Ефроси́нья Жасми́н Же́ня Жанги́р Жанна́т Жо́ра За́ра Заха́рий
Заи́ра Земфи́ра Зи́на Зи́нур Злато́слава Зухра́ Ибраги́м Иве́тта Игна́ша Идри́с Изабе́лла Ила́н Илиа́на Ило́на
Ильна́р Ильну́р Ильси́яр Илья́с Имра́н И́нга Ине́сса Иоа́нн Иола́нта Ира́клий И́ра И́рма Исканде́р Исмаи́л И́я
Казбе́к Кайра́т Кале́рия Кама́ль Ками́ла Ками́ль Капитоли́на Кари́м Карлыга́ш Касья́н Катари́на Катери́на
Катю́ша Ке́ша Кла́ра Клементи́на Конста́нция Ко́стя Кристиа́н Куаны́ш Курала́й Ла́да Ла́на Ларио́н Лау́ра Ле́йла
Лейса́н Лена́р Леони́да Лео́на Лео́нтий Ли́на Лина́р Ло́ла Луи́за Луке́рья Лю́ба Лю́да Людови́к Люси́я
Ляйса́н Ля́ля Мавлю́да Магдали́на Макси́мка Мансу́р Маргари́та Мара́т Мариа́нна Мариа́м Марсе́ль Ма́ртин Марты́н
Марья́м Марья́на Матве́йка Мати́льда Махму́д Меде́я Мели́сса Мила́да Милоли́ка Милосла́ва Мину́ра Ми́ра
Мира́н Миросла́в Миха́йло Ми́я Мо́ника Мусли́м Муса́ Мустафа́ Нади́р Нади́ра На́дя Наза́рий Наи́ль Наи́ля
Наста́сья Натэ́лла Не́лли Нико́ль Нине́ль Нурла́н Нурсулта́н Олимпиа́да Оле́жка Оли́вия Осма́н Па́влик Па́трик
По́ля Рави́ль Ра́да Ра́дик Раджа́б Раи́ль Райя́на Рами́на Рамаза́н Рамза́н Рани́я Рая́на Рая́н Рева́з Реги́на
Рена́т Рена́та Ри́мма Ри́та Риша́т Ро́берт Родио́н Рокса́на Роксола́на Рома́на Роме́о Ро́ма Руби́на Рудо́льф
Русла́на Руста́м Сабри́на Саи́д Саи́да Салава́т Сама́нта Сами́р Сами́ра Самуи́л Санса́р Санжа́р Са́ра Сарки́с
Сафи́я Све́та Святосла́ва Се́ва Севастья́н Севери́н Селе́на Сели́на Сла́ва Снежа́нна Соломо́н Софи́ко Ста́с
Сте́лла Сулейма́н Султа́н Суса́нна Таги́р Таи́с Талга́т Тами́ла Тамерла́н Та́я Темирла́н Тигра́н Тимо́ша Ти́ма
Ти́на То́ля То́ня Томи́рис Ума́р Усма́н Усти́нья Фаде́й Фари́да Фари́д Фатима́ Фе́дя Федо́т Феодо́сий Фи́ля
Фло́ра Хадиджа́ Хава́ Хали́д Хамза́ Харито́н Хаса́н Хаджимура́т Цвета́на Чинги́з Чулпа́н Шами́ль Шарло́тта
Шири́н Шу́ра Эвели́н Эдга́р Э́дик Эле́н Элеоно́ра Элиа́на Эли́за Э́лла Э́ля Э́льза Эльви́на Эльма́р Эльми́ра
Эльна́ра Эми́лий Эммануи́л Эми́лио Э́мили Э́рик Эсми́ра Э́стер Ю́на Юну́с Юсу́ф Ю́ра Юсу́п Я́ник Яни́на
Ясми́н Яха́ Я́ша
Алёна Артём Пётр Семён Фёдор Лёша Серёжа`

// stressedVowel is the number of the vowel that is stressed in a word with a mark, and how many vowels it has.
func stressedVowel(word string) (at, n int) {
	at = -1
	for _, r := range strings.ToLower(word) {
		if _, vowel := stressedVowels[r]; vowel {
			if n++; r == 'ё' {
				at = n - 1
			}
		} else if r == stressMark {
			at = n - 1
		}
	}
	if n == 1 {
		at = 0
	}
	return at, n
}

// heardVowel is the same of phonemes as espeak-ng prints them.
func heardVowel(phonemes string) (at, n int) {
	at, next := -1, false
	for _, sign := range phoneme.FindAllString(phonemes, -1) {
		switch {
		case sign == "'":
			next = true
		case sign != "@-" && sign != "I^" && strings.ContainsRune("aAeEiIoOuUyYV@8", rune(sign[0])):
			if next {
				at, next = n, false
			}
			n++
		}
	}
	if n == 1 {
		at = 0
	}
	return at, n
}

func TestSpokenForms_EspeakStressesNamesAsPeopleDo(t *testing.T) {
	espeakNG, stress := VoiceConfig{Engine: VoiceCommand}, espeakPhonemes(t.Context())
	names := strings.Fields(childrensNames)
	var plain, formed strings.Builder
	for _, name := range names {
		form, err := espeakNG.form("", unstressed(name), "ru")
		if err != nil {
			t.Fatal(err)
		}
		plain.WriteString(espeakText(unstressed(name)+".", "ru", stress) + "\n")
		formed.WriteString(espeakText(form+"! ", "ru", stress) + "\n")
	}
	alone, heard := phonemeLines(t, plain.String()), phonemeLines(t, formed.String())
	if len(alone) != len(names) || len(heard) != len(names) {
		t.Fatalf("got %d and %d names said; want %d", len(alone), len(heard), len(names))
	}
	wrong := 0
	for i, name := range names {
		at, vowels := stressedVowel(name)
		if got, n := heardVowel(alone[i]); got != at || n != vowels {
			wrong++
		}
		if got, n := heardVowel(heard[i]); got != at || n != vowels {
			t.Errorf("%s: got the stress on vowel %d of %d; want %d of %d (%s)", name, got+1, n, at+1, vowels, heard[i])
		}
	}
	if wrong < 50 {
		t.Errorf("got %d names that espeak-ng stresses wrongly without a form; want some, or this list says nothing", wrong)
	}
	t.Logf("of %d names espeak-ng stresses %d wrongly without spoken forms", len(names), wrong)
}

// phonemeLines asks espeak-ng how it reads sentences, one of which is on each line.
func phonemeLines(t *testing.T, ssml string) (lines []string) {
	t.Helper()
	cmd := exec.Command(espeak, "-v", "ru", "-m", "--stdin", "-q", "-x")
	cmd.Stdin = strings.NewReader(ssml)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestSpokenForms_ATypedStressIsSaidAndNotDrawn(t *testing.T) {
	for typed, want := range map[string]string{"Макси́м": "Максим", "Ма́ша-А́ня": "Маша-Аня", "Zoe\u0301": "Zoe\u0301",
		"José":  "José",
		"Ѓорѓи": "Ѓорѓи", "К\u0301": "К\u0301", "Ма\u0301\u0301ша": "Ма\u0301ша"} {
		if got := (phrase{"": "{{.Name}}!"}).say("ru", typed); got != want+"!" {
			t.Errorf("%s: got %q drawn; want %q", typed, got, want)
		}
		if got := (phrase{"": "{{.Name}}!"}).aloud("ru", typed); got != typed+"!" {
			t.Errorf("%s: got %q spoken; want it as it was typed", typed, got)
		}
	}
	form, err := (VoiceConfig{Engine: VoiceCommand}).form("", "Ма́ксим", "ru")
	if err != nil || form != "Ма́ксим" {
		t.Errorf("got %q, %v; want the stress that was typed, not the one of the list", form, err)
	}
	if at, n := heardVowel(phonemes(t, "ru", espeakText(form, "ru", espeakPhonemes(t.Context())))); at != 0 || n != 2 {
		t.Errorf("got the stress on vowel %d of %d; want the first of two", at+1, n)
	}
}

func TestSpokenForms_TheOperatorsListComesFirst(t *testing.T) {
	folder := t.TempDir()
	write(
		t,
		filepath.Join(folder, "spoken-ru.txt"),
		"\ufeff# stress\n\nАйгуль = А́йгуль\nнастя=На\u0301стенька\n Анна  Мария = Аннамари́я\nno form\n= x\ny =\n",
	)
	v := VoiceConfig{Engine: VoiceCommand}
	for name, want := range map[string]string{"Айгуль": "А́йгуль", "АЙГУЛЬ": "А́йгуль", "Настя": "На\u0301стенька",
		"Анна Мария": "Аннамари́я",
		"Анна":       "Анна", "Максим": "Макси́м", "Максим-Лука": "Макси́м-Лука́", "Настя Максим": "На\u0301стенька Макси́м",
		"Marie": "Marie", "": ""} {
		if got, err := v.form(folder, name, "ru"); got != want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, want)
		}
	}
	service := VoiceConfig{Engine: VoiceHTTP}
	for name, want := range map[string]string{"Айгуль": "А́йгуль", "Максим": "Максим"} {
		if got, err := service.form(folder, name, "ru"); got != want || err != nil {
			t.Errorf("%s by a service: got %q, %v; want %q: the built-in list is about espeak-ng", name, got, err, want)
		}
	}
	if got, err := v.form(folder, "Айгуль", "en"); got != "Айгу́ль" || err != nil {
		t.Errorf("in a language without a list: got %q, %v; want the built-in form", got, err)
	}
	_, faults, err := readForms(folder, "ru")
	if len(faults) != 3 || err != nil || !strings.HasPrefix(faults[0], "spoken-ru.txt:6: ") {
		t.Errorf("got faults %q, %v; want three with their lines", faults, err)
	}
	m, _ := voiceMaker(t, "")
	m.cfg.Forms = folder
	if err := m.Speak(t.Context(), "Anna", "en"); err == nil || !strings.Contains(err.Error(), "spoken-ru.txt:6") {
		t.Errorf("check: got %v; want the lines that cannot be read", err)
	}
	if err := os.Mkdir(filepath.Join(folder, "spoken-en.txt"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := v.form(folder, "Anna", "en"); err == nil || isPermanent(err) {
		t.Errorf("a list that cannot be read: got %v; want a transient error", err)
	}
}
