// text_test.go measures names: what can be drawn, where lines break, which way they run, and what is redacted.

package video

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestCanDraw(t *testing.T) {
	m := newMaker(t, func(*Config) {})
	for _, name := range []string{"Маша", "Ян", "Александра-Виктория", "Łukasz", "Әлия", "محمد", "שרה", "O'Connor",
		"O’Connor",
		"Анна Мария", "Їжак", "Zoë", "Zoe\u0308", "Й", "И\u0306", "Νίκος", "გიორგი", "Ա\u0580\u0561\u0574"} {
		if err := m.CanDraw("new-year", name); err != nil {
			t.Errorf("%s: got %v; want nil", name, err)
		}
	}
	for what, name := range map[string]string{
		"a script without a font": "\U00012000\U00012001",
		"a coloured emoji":        "🦄",
		"a mix with one such":     "Маша\U00012000",
		"nothing":                 "",
		"a space":                 " ",
		"a private letter":        "\uE83A",
	} {
		if err := m.CanDraw("new-year", name); !errors.Is(err, ErrCannotDraw) || !isPermanent(err) {
			t.Errorf("%s: got %v; want ErrCannotDraw, permanent", what, err)
		}
	}
}

func TestCanDrawAnswersManyAtOnce(t *testing.T) {
	m := newMaker(t, func(*Config) {})
	names := []string{"Маша", "محمد", "שרה", "Łukasz", "Әлия", "გიორგი"}
	errs := make(chan error)
	for range 4 {
		for _, name := range names {
			go func() { errs <- m.CanDraw("new-year", name) }()
		}
	}
	for range 4 * len(names) {
		if err := <-errs; err != nil {
			t.Errorf("got %v; want nil", err)
		}
	}
}

func TestNamesFit(t *testing.T) {
	f := &fonts{}
	for name, c := range map[string]struct{ lines, letters int }{
		"Ян":                    {1, 2},
		"Маша":                  {1, 4},
		"Zoe\u0308":             {1, 3}, // a letter and its mark are one
		"Александра-Виктория":   {2, 19},
		"Анна Мария":            {1, 9},
		"محمد":                  {1, 1}, // a joined word stays whole
		"محمد علي":              {1, 2},
		"שרה":                   {1, 3},
		"Константинопольский":   {1, 19},
		strings.Repeat("Щ", 50): {2, 50},
		strings.Repeat("Щ", 24) + " " + strings.Repeat("Щ", 25): {2, 49},
	} {
		t.Run(name, func(t *testing.T) {
			face, err := f.pick(name)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(fit(face, name, nameBox.place().maxW, nameBox.place().maxH, nameBox.place().maxSize)); got != c.lines {
				t.Errorf("got %d lines; want %d", got, c.lines)
			}
			l := newLettering(face, name, nameBox.place(), gold)
			if len(l.letters) != c.letters {
				t.Errorf("got %d moving letters; want %d", len(l.letters), c.letters)
			}
			if l.ink.width() > nameBox.place().maxW+2 || l.ink.height() > nameBox.place().maxH+2 {
				t.Errorf(
					"got ink of %.0f×%.0f; want at most %.0f×%.0f",
					l.ink.width(),
					l.ink.height(),
					nameBox.place().maxW,
					nameBox.place().maxH,
				)
			}
			if middle := (l.ink.y0 + l.ink.y1) / 2; abs(middle-nameBox.place().y) > 20 {
				t.Errorf("got the middle at %.0f; want %.0f", middle, nameBox.place().y)
			}
		})
	}
}

// TestASentenceRunsAsItsLanguageDoes whatever the name that it begins with.
func TestASentenceRunsAsItsLanguageDoes(t *testing.T) {
	m := templateMaker(t)
	c := caption{text: phrase{"": "{{.Name}}, hello!"}, box: area{0, 0, 600, 200}, size: 100, style: gold}
	things, err := m.letters(&design{}, []caption{c}, time.Second, "en", "נועה")
	if err != nil {
		t.Fatal(err)
	}
	l := things[0].animated.(*lettering)
	if first, last := l.letters[0].x, l.letters[len(l.letters)-1].x; first > last || l.rtl {
		t.Errorf("got the name at %.0f and the exclamation mark at %.0f; want the sentence from left to right", first, last)
	}
}

func TestLinesBreakWhereTheTypeIsLargest(t *testing.T) {
	f := &fonts{}
	for text, c := range map[string]struct {
		w, h, size float32
		first      string
	}{
		"Анна-Виктория Мария":    {600, 300, 200, "Анна-Виктория"},
		"May your year sparkle!": {900, 400, 120, "May your"}, // of two that are as large, the even one
	} {
		face, err := f.pick(text)
		if err != nil {
			t.Fatal(err)
		}
		lines := fit(face, text, c.w, c.h, c.size)
		if len(lines) != 2 || len(lines[0].glyphs) != len([]rune(c.first)) {
			t.Errorf(
				"%s: got %d lines, %d glyphs in the first; want the break after %s",
				text,
				len(lines),
				len(lines[0].glyphs),
				c.first,
			)
		}
	}
}

func TestTextRunsInItsOwnDirection(t *testing.T) {
	f := &fonts{}
	for name, leftmost := range map[string]rune{"שרה": 'ה', "Маша": 'М', "O'Connor": 'O'} {
		face, err := f.pick(name)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := face.faces[0].font.NominalGlyph(leftmost)
		if got := shape(face, name, 100).glyphs[0].id; got != want {
			t.Errorf("%s: got glyph %d on the left; want %d, %c", name, got, want, leftmost)
		}
		letters := newLettering(face, name, nameBox.place(), gold).letters
		if first, last := letters[0].x, letters[len(letters)-1].x; (first < last) == (name == "שרה") {
			t.Errorf(
				"%s: got the first letter to arrive at %.0f, the last at %.0f; want them as they are read",
				name,
				first,
				last,
			)
		}
	}
}

func TestRedact(t *testing.T) {
	for name, c := range map[string]struct{ text, name, want string }{
		"the name as it is":                  {"no Маша here", "Маша", "no [name] here"},
		"the name in another case":           {"MARIA maria", "Maria", "[name] [name]"},
		"the name in another form":           {"Zoe\u0308!", "Zoë", "[name]!"},
		"the name escaped for JSON":          {`{"n":"\u041c\u0430\u0448\u0430"}`, "Маша", `{"n":"[name]"}`},
		"the name escaped for a URL":         {"/v?n=%D0%9C%D0%B0%D1%88%D0%B0", "Маша", "/v?n=[name]"},
		"a name with signs of its own":       {"O'Connor (x)", "O'Connor (x)", "[name]"},
		"a name that was cut off in front":   {"ария здесь", "Мария", "[name] здесь"},
		"nothing when there is no name":      {"text", "", "text"},
		"nothing when the name is not there": {"text", "Маша", "text"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := redact(c.text, c.name); got != c.want {
				t.Errorf("got %q; want %q", got, c.want)
			}
		})
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		writes []string
		want   string
	}{
		"of nothing":     {nil, ""},
		"of a few words": {[]string{" a ", "b\n"}, "a b"},
		"of one long write": {[]string{strings.Repeat("x", 3*tailSize), "end"},
			strings.Repeat("x", tailSize-3) + "end"},
		"of many short ones": {strings.Split(strings.Repeat("abc,", tailSize), ","),
			strings.Repeat("abc", tailSize)[2*tailSize:]},
		"from the start of a letter on": {[]string{strings.Repeat("я", tailSize), "x"},
			strings.Repeat("я", tailSize/2-1) + "x"},
	} {
		t.Run(name, func(t *testing.T) {
			var got tail
			for _, w := range c.writes {
				if n, err := got.Write([]byte(w)); n != len(w) || err != nil {
					t.Errorf("Write: got %d, %v; want %d, nil", n, err, len(w))
				}
			}
			if got.text() != c.want {
				t.Errorf("got %q; want %q", got.text(), c.want)
			}
		})
	}
}

func TestJingleIsAudibleAndNotClipped(t *testing.T) {
	s := jingle(float64(shortStory.seconds), float64(shortStory.name), false)
	if want := int(shortStory.seconds * soundRate); len(s.left) != want || len(s.right) != want {
		t.Fatalf("got %d and %d samples; want %d", len(s.left), len(s.right), want)
	}
	var peak, sum float64
	for i := range s.left {
		peak = max(peak, s.left[i], -s.left[i], s.right[i], -s.right[i])
		sum += s.left[i]*s.left[i] + s.right[i]*s.right[i]
	}
	if loudness := sum / float64(2*len(s.left)); peak > 0.7 || loudness < 0.005 || loudness > 0.05 {
		t.Errorf("got a peak of %.2f and a mean square of %.4f; want at most 0.7, and 0.005 to 0.05", peak, loudness)
	}
	if got, want := len(s.wav()), 44+4*len(s.left); got != want {
		t.Errorf("WAV: got %d bytes; want %d", got, want)
	}
}

func TestFit_WhatIsAboveALineStaysBelowTheOneBeforeIt(t *testing.T) {
	f := &fonts{}
	for _, name := range []string{"Nguyễn Thị Tuyết Mai", "Анна-Виктория Мария", "Åsgjerd Ágústsdóttir"} {
		face, err := f.pick(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := fit(face, name, 400, 258, 200)
		if len(lines) != 2 {
			t.Fatalf("%s: got %d lines; want two", name, len(lines))
		}
		foot, top := lines[0].ink(lines[0].glyphs).y1, lines[1].ink(lines[1].glyphs).y0+lineStep(lines)
		if between := (top - foot) / lines[0].size; between < 0.05 {
			t.Errorf("%s: got %.2f em between the lines; want 0.05 or more", name, between)
		}
		if high := lineStep(lines) + lines[1].ink(lines[1].glyphs).y1 - lines[0].ink(lines[0].glyphs).y0; high > 258+1 {
			t.Errorf("%s: got lines that are %.0f pixels high; want at most 258", name, high)
		}
	}
}
