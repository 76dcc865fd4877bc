// Small talk is heard in every language, and a name is never taken for it.

package lang

import (
	"strings"
	"testing"
)

func TestSmallTalk(t *testing.T) {
	for text, want := range map[string]string{
		"Спасибо": "chat_thanks", "Спасибо!": "chat_thanks", "СПАСИБО!!! ❤️": "chat_thanks",
		"Спасибо большое 🙏": "chat_thanks", "Большое спасибо": "chat_thanks",
		"Большое вам спасибо, бот!": "chat_thanks", "Супер, спасибо": "chat_thanks", "thank you so much": "chat_thanks",
		"Thanks a lot!": "chat_thanks", "thx": "chat_thanks",
		"Спасибо, ещё раз": "chat_thanks", "Мне очень понравилось": "", "мне понравилось!": "chat_thanks",
		"Привет": "chat_hello", "привет!)": "chat_hello", "Здравствуйте": "chat_hello", "Добрый день!": "chat_hello",
		"доброе утро ☀️": "chat_hello", "Hello": "chat_hello",
		"hi there!": "chat_hello", "Good evening": "chat_hello", "What's up?": "chat_hello",
		"Привет, бот": "chat_hello", "👋 привет": "chat_hello", "Hello and thanks": "chat_thanks",
		"С днём рождения!": "chat_hello", "с днем рождения": "chat_hello", "Happy New Year": "chat_hello",
		"Да": "chat_yes", "да!": "chat_yes", "ок": "chat_yes", "Ok 👍": "chat_yes", "Yes, please": "chat_yes",
		"давай": "chat_yes", "да, спасибо": "chat_thanks", "sure": "chat_yes",
		"Нет": "chat_no", "нет, спасибо": "chat_no", "No": "chat_no", "No, thanks": "chat_no", "не надо": "chat_no",
		"cancel": "chat_no", "нет-нет": "chat_no",
		"": "", "🎉": "", "Маша": "", "Emma": "", "Вера, спасибо": "", "Привет, Маша": "", "Hi 5": "", "большое": "",
		"бот": "", "the": "",
		strings.Repeat("да ", 20): "", strings.Repeat("спасибо ", 300): "",
	} {
		if got := SmallTalk(text); got != want {
			t.Errorf("%.60q: got %q; want %q", text, got, want)
		}
	}
}

func TestSmallTalk_IsNoName(t *testing.T) {
	for script, names := range realNames {
		for name := range strings.SplitSeq(names, ",") {
			if got := SmallTalk(name); got != "" {
				t.Errorf("%s %q: got %q; want it taken for a name", script, name, got)
			}
		}
	}
	for _, name := range strings.Fields("Анна Нина Дана Даша Дарья Надя Неля Ника Окта Окса Вера Люба Лада Ладо Яна " +
		"Ян Ия Ада Ева Юля Ким Ким Ли Хан Салам " +
		"Grace Joy Faith Hope Noa Noah Noor Nona Yessica Kay Kai Dan Don Thea Hayden Heidi Hiro Chad Oki Mercy Angel") {
		if got := SmallTalk(name); got != "" {
			t.Errorf("%q: got %q; want it taken for a name", name, got)
		}
	}
	for _, l := range Languages {
		for phrase, id := range phrases {
			if got := Say(l, id, nil); id != "" && (got == id || got == "") {
				t.Errorf("%s: %q is answered with %q; want a message", l, phrase, got)
			}
		}
	}
}
