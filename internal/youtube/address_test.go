package youtube

import (
	"errors"
	"strings"
	"testing"
)

func TestVideoID_TheAddressOfAVideoIsUnderstoodHoweverItIsCopied(t *testing.T) {
	for text, want := range map[string]any{
		"https://www.youtube.com/watch?v=dQw4w9WgXcQ":         "dQw4w9WgXcQ",
		" http://youtube.com/watch?app=desktop&v=a_b-c&t=4s ": "a_b-c",
		"m.youtube.com/watch?v=dQw4w9WgXcQ":                   "dQw4w9WgXcQ",
		"https://youtu.be/dQw4w9WgXcQ?si=x":                   "dQw4w9WgXcQ",
		"youtube.com/shorts/dQw4w9WgXcQ":                      "dQw4w9WgXcQ",
		"https://www.youtube.com/live/dQw4w9WgXcQ/":           "dQw4w9WgXcQ",
		"http://127.0.0.1:9/google/watch?v=V1":                "V1",
		"":                                                    ErrNoAddress,
		"dQw4w9WgXcQ":                                         ErrNoAddress,
		"javascript:alert(1)":                                 ErrNoAddress,
		"https://a:b@youtube.com/watch?v=dQw4w9WgXcQ":         ErrNoAddress,
		"https://youtube.com/" + strings.Repeat("x", 600):     ErrNoAddress,
		"https://rumble.com/v1.html":                          ErrOtherSite,
		"https://youtube.com.example.com/watch?v=dQw4w9WgXcQ": ErrOtherSite,
		"https://www.youtube.com/@somebody":                   ErrNoVideo,
		"https://www.youtube.com/watch?v=<script>":            ErrNoVideo,
		"https://youtu.be/":                                   ErrNoVideo,
		"https://youtu.be/dQw4w9WgXcQ/more":                   ErrNoVideo,
	} {
		id, err := VideoID(text, "http://127.0.0.1:9/google/watch?v=")
		if problem, ok := want.(error); ok && !errors.Is(err, problem) || !ok && (err != nil || id != want) {
			t.Errorf("%q: got %q, %v; want %v", text, id, err, want)
		}
	}
}
