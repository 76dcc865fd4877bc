// Tests that every code has its sentence, and that a code counts for more than the text of an error.

package desk

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"retake.example/internal/farm"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/rumble"
	"retake.example/internal/store"
	"retake.example/internal/tgchannel"
	"retake.example/internal/youtube"
)

// TestReasons_EveryCodeHasItsSentence compares all of them with a list that people read: what a code says is never
// changed unseen.
func TestReasons_EveryCodeHasItsSentence(t *testing.T) {
	var got strings.Builder
	for _, code := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintln(&got, code)
		for _, language := range lang.Languages {
			say := sayIn(language)
			sentence := Reason(say, code, "", "reason_other")
			if id := reasons[code]; sentence == id || sentence == "" || strings.Contains(sentence, "<no value>") ||
				strings.Contains(sentence, "{{") {
				t.Errorf("%s, %s: got %q for %s; want a sentence", code, language, sentence, id)
			}
			fmt.Fprintf(&got, "\t%s\t%s\n", language, sentence)
		}
	}
	const path = "testdata/reasons.txt"
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(path, []byte(got.String()), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got.String() {
		t.Errorf("the sentences are not those of %s. If they are right, delete it: this test writes it again", path)
	}
}

func TestReasons_EveryRoomsCodesAreKnown(t *testing.T) {
	rooms := map[string][]string{"youtube": youtube.Codes(), "rumble": rumble.Codes(), "tgchannel": tgchannel.Codes(),
		"media": {media.CodeUnreachable, media.CodeBusy, media.CodeBucket, media.CodeAccessKey, media.CodeSecretKey,
			media.CodeRegion,
			media.CodeClock, media.CodePermission, media.CodeQuota, media.CodeRefused, media.CodeLost,
			media.CodeDamaged, media.CodeKept, media.CodeVersions},
		// of the renderer
		"video": {"UNREACHABLE", "BUSY", "DISK_FULL", "MACHINE", "NO_VIDEO", "UNPLAYABLE", "VIDEO_TOO_LARGE", "TEMPLATE",
			"ENGINE", "TIMEOUT", "ENGINE_REFUSED", "CANNOT_DRAW"},
		"farm": {farm.CodeAway, farm.CodeEmpty, farm.CodeParts, farm.CodeDied, farm.CodeFilm, farm.CodeStore}}
	for room, codes := range rooms {
		if len(codes) == 0 {
			t.Errorf("%s: got no codes", room)
		}
		for _, code := range codes {
			if reasons[code] == "" {
				t.Errorf("%s: %s has no message", room, code)
			}
		}
	}
}

func TestReasons_ACodeCountsForMoreThanTheText(t *testing.T) {
	for name, c := range map[string]struct{ code, text, want string }{
		"a code":                            {"MACHINE", "", "reason_machine"},
		"a code and another text":           {"KEEP", "ffmpeg: voice: connection refused", "reason_keep"},
		"a code that is more exact":         {"youtube_rejected_brand_new", "", "youtube_rejected"},
		"a platform's code that is unknown": {"youtube_brand_new", "", "reason_unpublished"},
		"a code that is unknown":            {"NEVER_HEARD", "no space left on device", "reason_other"},
		"no code":                           {"", "no space left on device", "reason_disk_full"},
		"neither":                           {"", "", ""},
		"the thumbnail cannot be kept":      {"", "keep the thumbnail: open x.jpg: permission denied", "reason_keep"},
		"there is no ffprobe":               {"", "ffprobe was not found", "reason_ffmpeg"},
		"the video was cut short":           {"", "the video was cut short", "reason_unplayable"},
	} {
		if got := Reason(ids, c.code, c.text, "reason_other"); got != c.want {
			t.Errorf("%s: got %q; want %q", name, got, c.want)
		}
	}
}

func TestCard_TheCodeOfTheLastAttemptIsThatOfTheError(t *testing.T) {
	c := Card{Status: "FAILED", Error: "ffmpeg: exit status 1", History: []Try{
		{Attempt: store.Attempt{Error: "voice: x"},
			Code: "VOICE"}, {Attempt: store.Attempt{Error: "ffmpeg: exit status 1"}, Code: "MACHINE"}}}
	if c.Explain(ids); c.Code != "MACHINE" || c.Reason != "reason_machine" || c.History[0].Reason != "reason_voice" {
		t.Errorf("got %+v; want the code of the last attempt", c)
	}
	c = Card{Status: "FAILED", Error: "other", Code: "KEEP", History: c.History}
	if c.Explain(ids); c.Reason != "reason_keep" {
		t.Errorf("got %+v; want its own code", c)
	}
}

func TestTold_ACodeOfAPlatformIsARefusal(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string // id; "": no refusal
	}{
		"a platform's code": {fmt.Errorf("check: %w", retry.WithCode(errors.New("said so"), "youtube_permissions")),
			"youtube_permissions"},
		"another platform": {retry.WithCode(errors.New("said so"), "rumble_token"), "rumble_token"},
		"an unknown one":   {retry.WithCode(errors.New("said so"), "youtube_brand_new"), "reason_unpublished"},
		"a code of ours":   {retry.WithCode(errors.New("youtube quotaExceeded: x"), "KEEP"), ""},
		"no code":          {errors.New("disk broken"), ""},
	} {
		got, ok := errors.AsType[HTTPError](Told(c.err))
		if ok != (c.want != "") || got.ID != c.want {
			t.Errorf("%s: got %+v; want %q", name, got, c.want)
		}
	}
}
