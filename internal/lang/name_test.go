// Names of all peoples are taken as they are written, and what is not a name is refused for the right reason.

package lang

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// realNames are names as people write them, by script. Each is shown as it stands here.
var realNames = map[string]string{
	"Cyrillic": "Маша,Ян,Анна Мария,Александра-Виктория,Ёлка,Йоанна,Їжак,Софія,Ґалаґан,Дем’ян," +
		"Әлия,Өмірбек,Ғалия,Ұлжан,Қуаныш," +
		"Ђорђе,Љубица,Његош,Џејн,Ўктам,Ҳабиб,Гӏали,Айҫылу,Ԓина,Ӱнай,О’Генри,Ве\u0301ра",
	"Latin": "Emma,Łukasz,Zoë,Nguyễn Thị Ánh,Ø,O'Connor,O’Neil,D'Angelo,Jean-Luc," +
		"Gal·la,G‘ayrat,O‘tkir,Ulug‘,İpek,Işıl,Şeyma," +
		"Ğani,Þórunn,Ðuro,Ægir,Œuvrard,François,Señora,Ștefan,Győző,Žofie,Ķirsis,Jürgen," +
		"Weiß,Ngozi Ọlá,Ŋala,J. R.,J.R.,St. John,Mary Jo,Ħanna,Kahu‘ula",
	"Greek":      "Μαρία,Ἀλέξανδρος,Ιωάννα,Χλόη,Ψυχή,Άγγελος",
	"Armenian":   "Արմեն,Անահիտ,Գոռ,Մարիամ,Լևոն",
	"Georgian":   "გიორგი,ნინო,ანა,თამარ",
	"Hebrew":     "שרה,עמית,בת־שבע,ג׳ורג׳,נועם,חַנָּה",
	"Arabic":     "محمد,علی\u200cرضا,فاطمة الزهراء,نورالدين,عبد الله,مُحَمَّد,ژاله,گلنار,پروین,ٹیپو,ئاسو,ۋاڭ",
	"Devanagari": "नेहा,आरव,श्री,कृष्ण,ॐ,अँजलि,ज़ोया,शक्\u200dति,प्रज्ञा",
	"Bengali":    "অনন্যা,রিতুপর্ণা,র\u200d্যাচেল,মিষ্টি,কৃষ্ণেন্দু",
	"Gurmukhi":   "ਗੁਰਪ੍ਰੀਤ,ਸਿਮਰਨ,ਜਸਲੀਨ",
	"Gujarati":   "આરવ,ક્રિષ્ના,દિવ્યા",
	"Oriya":      "ଅନନ୍ୟା,ଜଗନ୍ନାଥ",
	"Tamil":      "கவின்,ஸ்ரீ,மீனாட்சி,யாழினி",
	"Telugu":     "ఆరాధ్య,శ్రీనివాస్,లక్ష్మి",
	"Kannada":    "ಆರಾಧ್ಯ,ಶ್ರೀ,ಕಾವ್ಯ",
	"Malayalam":  "അനില്\u200d,അനിൽ,ശ്രീജ,മീനാക്ഷി",
	"Sinhala":    "ශ්\u200dරීමතී,නිමල්,කුමාරි",
	"Thai":       "ไทย,น้ำฝน,ศิริพร,กมลวรรณ,ปู",
	"Lao":        "ຄຳ,ນາງ ແກ້ວ,ສົມສັກ",
	"Khmer":      "សុខា,ស្រីមុំ,ធារ៉ា",
	"Myanmar":    "အောင်,မေ,သန္တာ,ခင်မျိုး",
	"Tibetan":    "བསྟན་འཛིན,པདྨ,ཚེ་རིང",
	"Ethiopic":   "አበበ,ሰላም,ትዕግስት",
	"Hangul":     "한별,솔,김민준,별",
	"Han":        "伟,〆子,美玲,迪丽热巴·迪力木拉提,歐陽娜娜,佐々木,𠮷野",
	"Hiragana":   "さくら,あ,ゆうき,みすゞ",
	"Katakana":   "エマ,ジョン・スミス,サーシャ,ガブリエル",
	"Mongolian":  "ᠪᠠᠲᠤ,ᠰᠠᠷᠠᠨ",
	"Cherokee":   "ᏣᎳᎩ,ᏎᏉᏯ",
	"Inuktitut":  "ᓴᓂᑭᓗᐊᖅ,ᐊᓇ",
	"Nko":        "ߒߞߏ,ߝߊ߫ߕߎ߬",
	"Thaana":     "އަލީ,މަރިޔަމް",
	"Syriac":     "ܡܪܝܡ,ܐܦܪܝܡ",
	"Tifinagh":   "ⵜⵉⵏⵀⵉⵏⴰⵏ,ⵎⴰⵙⵉⵏⵉⵙⴰ",
	"Adlam":      "𞤀𞤥𞤢𞤣𞤵,𞤊𞤢𞤼𞤵",
	"Yi":         "ꀀ,ꆈꌠ",
	"Javanese":   "ꦱꦫꦶ,ꦧꦸꦢꦶ",
}

func TestName_OfAllPeoplesIsTaken(t *testing.T) {
	count := 0
	for script, names := range realNames {
		for name := range strings.SplitSeq(names, ",") {
			if name == "Ø" {
				continue // one letter: see below
			}
			count++
			want := norm.NFC.String(name)
			got, key, problem := ParseName(name)
			if got != want || problem != "" || key == "" {
				t.Errorf("%s %q: got %q (%+[3]q), key %q, problem %q; want it as it is", script, name, got, key,
					problem)
			}
			if again, _, _ := ParseName(got); again != got {
				t.Errorf("%s %q: got %q for what it gave; want it unchanged", script, got, again)
			}
			if IsRude(key, append(ParseWords(RudeWords("ru")), ParseWords(RudeWords("en"))...)) {
				t.Errorf("%s %q: it is on the list of rude words", script, name)
			}
		}
	}
	if count < 150 || len(realNames) < 25 {
		t.Errorf("got %d names in %d scripts; want 150 in 25", count, len(realNames))
	}
}

func TestName_IsTidied(t *testing.T) {
	for typed, want := range map[string]string{
		"  анна   мария ": "Анна Мария", "Маша!": "Маша", "«Маша!»": "Маша", "«Маша»": "Маша", "\"Emma\"": "Emma",
		"'Emma'": "Emma",
		"„Anna“": "Anna", "‚Anna‘": "Anna", "`Anna`": "Anna", "“Emma” 🎉": "Emma", "Emma 🎉": "Emma", "🎉Emma🎉": "Emma",
		"Маша ❤️":              "Маша",
		"Emma 👩\u200d👧\u200d👦": "Emma", "Emma 🏴󠁧󠁢󠁥󠁮󠁧󠁿": "Emma", "Emma 👋🏽": "Emma", "1️⃣ Emma": "Emma", "Emma :)": "Emma",
		"Маша))": "Маша", "Маша <3": "Маша",
		"Emma :D": "Emma", "(Маша)": "Маша", "Маша.": "Маша", "Маша,": "Маша", "Маша…": "Маша", "- Маша": "Маша",
		"*Маша*": "Маша", "Маша?!": "Маша",
		"Маша -": "Маша", "Маша'": "Маша", "Маша\u0301!": "Маша\u0301", "'!Маша!'": "Маша", "😀\u0301Маша": "Маша",
		"Анна–Мария": "Анна-Мария", "Анна—Мария": "Анна-Мария", "Анна - Мария": "Анна-Мария",
		"анна – мария": "Анна-Мария", "Анна--Мария": "Анна-Мария",
		"Жан‐Жак": "Жан-Жак", "Жан‑Жак": "Жан-Жак", "Жан−Жак": "Жан-Жак", "G\u02bbayrat": "G‘ayrat", "O`tkir": "O‘tkir",
		"O\u02bctkir": "O’tkir", "O´Neil": "O’Neil",
		"О''Нил": "О'Нил", "Gal\u2022la": "Gal·la", "Ga\u0140la": "Gal·la", "gal·la": "Gal·la",
		"迪丽热巴•迪力木拉提": "迪丽热巴·迪力木拉提", "ｼﾞｮﾝ･ｽﾐｽ": "ジョン・スミス",
		"j.r.": "J.R.", "А.С.Пушкин": "А.С.Пушкин", "צה\"ל": "צה״ל", "Ｍａｓｈａ": "Masha", "𝕸𝖆𝖘𝖍𝖆": "Masha",
		"ⓜⓐⓢⓗⓐ": "Masha", "ﬁona": "Fiona", "ﻣﺤﻤﺪ": "محمد",
		"Mаша": "Маша", "Aннa": "Анна", "Μaria": "Maria", "Cара": "Сара", "Сapa": "Capa", "Ма\u034fша": "Маша",
		"Ма\ufe0fша": "Маша", "Ма\u00adша": "Маша",
		"Ма\u200bша": "Маша", "Ма\u2060ша": "Маша", "\ufeffМаша": "Маша", "Ма\u17b4ша": "Маша", "Ма\u180bша": "Маша",
		"Ма\u3164ша": "Маша", "葛\U000e0100城": "葛城",
		"\u2068Маша\u2069": "Маша", "Маша\u200e": "Маша", "علی\u200c رضا": "علی رضا",
		"علی\u200c\u200cرضا": "علی\u200cرضا", "بستن\u200c": "بستن",
		"བསྟན་འཛིན་": "བསྟན་འཛིན", "Ве\u0301ра": "Ве\u0301ра", "ве\u0301ра": "Ве\u0301ра", "'naam": "'naam",
		"Анна\u00a0Мария": "Анна Мария", "Анна\u3000Мария": "Анна Мария",
		"محـــمد": "محمد", "رحمـٰن": "رحم\u0670ن", "ߒߞߺߏ": "ߒߞߏ", "🅰nna": "Anna", "🅰🅽🅽🅰": "ANNA", "🅐nna": "Anna",
		"Anna 🅰️": "Anna", "約翰．史密斯": "約翰·史密斯", "J．R. Ann": "J.R. Ann", "ኃይለ፡ማርያም": "ኃይለ ማርያም", "徐〇": "徐〇",
		"Г1айша": "Гӏайша", "ГIайша": "Гӏайша", "ГӀайша": "Гӏайша", "г1айша": "Гӏайша", "Хьажкъ1ан": "Хьажкъӏан",
		"Х1АВА": "ХӀАВА", "КІРА": "КІРА", "Кіра": "Кіра", "Марія": "Марія", "Цlала": "Цӏала",
	} {
		if got, _, problem := ParseName(typed); got != norm.NFC.String(want) || problem != "" {
			t.Errorf("%q: got %q, %q; want %q", typed, got, problem, want)
		}
	}
}

func TestName_RefusedForTheRightReason(t *testing.T) {
	for text, want := range map[string]string{
		"": "name_short", " ": "name_short", "М": "name_short", "Ø": "name_short", "М\u0301": "name_short",
		"ㅋ": "name_short", "М.": "name_short", "O'": "name_short",
		"М1😀": "name_digits", "Маша2015": "name_digits", "Маша 5": "name_digits", "Ⅷ": "name_digits",
		"٣": "name_digits", "Маша ２": "name_digits", "123": "name_digits",
		"М1\u202e": "name_hidden", "Ма\u202eша": "name_hidden", "\u202eМаша": "name_hidden",
		"Ма\u200eша": "name_hidden", "Ма\u2067ша": "name_hidden", "Ма\x00ша": "name_hidden",
		"Ма\u200dша": "name_hidden", "Ма\u200cша": "name_hidden", "Ма\ue000ша": "name_hidden",
		"x\U000e0041x": "name_hidden",
		"Ма😀ша":        "name_characters", "Ма👨\u200d👩\u200d👧ша": "name_characters", "---": "name_characters",
		"''":           "name_characters",
		"\u02bc\u02bc": "name_characters", "\u02bb\u02bb": "name_characters",
		"’’": "name_characters", "´´": "name_characters", "🎉": "name_characters", "ㅤㅤ": "name_characters",
		"\u115f\u1160": "name_characters", "...": "name_characters",
		"\u0301\u0302": "name_characters", "ˆˆ": "name_characters", "<b>Маша</b>": "name_characters",
		"{{.Name}}": "name_characters", "Маша, Оля": "name_characters",
		"Маша/Оля": "name_characters", "Маша & Оля": "name_characters", "Маша_Оля": "name_characters", "a" +
			strings.Repeat("\u0335", 6) + "b": "name_characters",
		"Маша \u0301Оля": "name_characters", "Ма\u20ddша": "name_characters", "\xff\xfe": "name_characters",
		"Приветик. Маша": "name_characters",
		"t.me/masha":     "name_link", "@masha": "name_link", "https://example.com/x": "name_link",
		"www.masha": "name_link", "example.com": "name_link", "маша.рф": "name_link",
		"«example.com»": "name_link", "masha@mail.ru": "name_link", "x.com": "name_link",
		strings.Repeat("а", 51): "name_long", strings.Repeat("Маша ", 2000): "name_long", strings.Repeat("a\u0301",
			51): "name_long",
	} {
		if name, key, got := ParseName(text); got != want || name != "" || key != "" {
			t.Errorf("%.80q: got %q, %q, %q; want %q", text, name, key, got, want)
		}
	}
}

func TestName_LengthHasBothEnds(t *testing.T) {
	for text, want := range map[string]string{
		strings.Repeat("я", 50): "", strings.Repeat("я", 51): "name_long", strings.Repeat("e\u0301", 50): "", " " +
			strings.Repeat("я", 50) + "! 🎉": "",
		"Ян": "", "Я": "name_short", "伟": "", "솔": "", "あ": "", "ॐ": "", "メ": "", "မေ": "", "जी": "",
	} {
		if name, _, got := ParseName(text); got != want || want == "" && utf8.RuneCountInString(name) > longestName {
			t.Errorf("%q: got %q, %q; want %q", text, name, got, want)
		}
	}
}

func TestNameKey_OneNameHasOneKey(t *testing.T) {
	for _, same := range [][]string{
		{"Маша", "МАША", "маша", "Ма\u0301ша", "Mаша", "Маша!", "«Маша»", "Ма\u034fша", "Ма\ufe0eша", "Ма\u180cша",
			"Ма\u17b5ша", "Ма\u00adша", "Ма\u200bша", "Маша\ufe0f", "\u2066Маша\u2069"},
		{"Masha", "Ｍａｓｈａ", "𝕸𝖆𝖘𝖍𝖆", "𝐌𝐚𝐬𝐡𝐚", "ⓜⓐⓢⓗⓐ", "🄼🄰🅂🄷🄰", "Mаshа", "МASHA"},
		{"Анна-Мария", "Анна–Мария", "Анна — Мария", "анна‑мария", "Aннa-Mapия"},
		{"O'Neil", "o’neil", "O`Neil", "O´Neil", "O\u02bcNeil", "O\u02bbNeil", "O‘Neil"},
		{"Gal·la", "GAL·LA", "Ga\u0140la", "Gal\u2219la"},
		{"迪丽热巴·迪力木拉提", "迪丽热巴・迪力木拉提", "迪丽热巴-迪力木拉提"},
		{"בת־שבע", "בת-שבע"}, {"ג׳ורג׳", "ג'ורג'", "ג’ורג’"}, {"علی\u200cرضا", "علیرضا"}, {"ශ්\u200dරීමතී", "ශ්රීමතී"}, {"അനില്\u200d",
			"അനില്"},
		{"ジョン・スミス", "ｼﾞｮﾝ･ｽﾐｽ"}, {"محمد", "ﻣﺤﻤﺪ"}, {"Zoë", "Zoe\u0308", "ZOË"}, {"Weiß", "WEISS", "weiẞ"}, {"Fiona",
			"ﬁona"}, {"葛城", "葛\U000e0100城"},
		{"Ве\u0301ра", "Вера", "ВЕРА"}, {"น้ำฝน", "น้\u0e4d\u0e32ฝน"},
	} {
		_, want, problem := ParseName(same[0])
		if problem != "" {
			t.Errorf("%q: got %q; want a name", same[0], problem)
		}
		for _, typed := range same {
			name, key, problem := ParseName(typed)
			if key != want || problem != "" || NameKey(name) != key || NameKey(key) != key || NameKey(typed) != key &&
				!strings.ContainsAny(typed, "!«—") {
				t.Errorf("%q: got the key %q (of the text itself %q), %q; want %q as for %q", typed, key,
					NameKey(typed), problem, want, same[0])
			}
		}
	}
	seen := map[string]string{}
	for _, name := range []string{"Маша", "Masha", "Алена", "Алёна", "Галла", "Gal·la", "Galla", "Сара", "Capa", "Иа",
		"Йа", "Анна", "Анна Мария", "Анна-Мария", "Мария", "Zoe", "Zoë", "Ѓорѓи", "Горги"} {
		_, key, _ := ParseName(name)
		if other, ok := seen[key]; ok || key == "" {
			t.Errorf("%s and %s: got one key, %q; want one each", name, other, key)
		}
		seen[key] = name
	}
}

func TestName_TypedForWantOfALetterIsTheSame(t *testing.T) {
	for _, same := range [][]string{{"Гӏайша", "Г1айша", "ГIайша", "ГІайша", "Гlайша", "г1айша", "Г1АЙША"},
		{"محمد", "محـــمد"}, {"Anna", "🅐nna", "🅰🅽🅽🅰"}, {"徐〇·伟", "徐〇．伟"},
		{"St.O'ahu", "St.O\u02bbahu"}} {
		_, want, _ := ParseName(same[0])
		for _, typed := range same {
			if _, key, problem := ParseName(typed); key != want || problem != "" {
				t.Errorf("%q: got %q, %q; want %q as for %q", typed, key, problem, want, same[0])
			}
		}
	}
}

func TestNameKey_EveryInvisibleCharacterIsNone(t *testing.T) {
	rude := []string{"дурак*"}
	for r := rune(1); r <= 0xe01ef; r++ {
		if !ignorable(r) {
			continue
		}
		if got := NameKey("Ма" + string(r) + "ша"); got != "маша" {
			t.Fatalf("%U: got the key %+q; want маша", r, got)
		}
		if _, key, problem := ParseName("ду" + string(r) + "рак"); problem == "" && !IsRude(key, rude) {
			t.Fatalf("%U: got the key %+q; want it refused, or rude", r, key)
		}
	}
}

func TestWithoutStress(t *testing.T) {
	for name, want := range map[string]string{"Ве\u0301ра": "Вера", "Айгу\u0301ль": "Айгуль", "María": "María",
		"Ѓорѓи": "Ѓорѓи", "Йо\u0301сиф": "Йосиф", "Маша": "Маша", "": ""} {
		if got := WithoutStress(name); got != want {
			t.Errorf("%q: got %q; want %q", name, got, want)
		}
	}
}
