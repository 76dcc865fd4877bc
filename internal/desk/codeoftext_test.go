// Tests of errors that were stored before errors had codes. They go with codeoftext.go.

package desk

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"retake.example/internal/lang"
	"retake.example/internal/store"
)

// httpErrors that the platforms are known for: YouTube's list of errors, what it says of a video, Google's consent, Rumble's
// documentation, and what this program calls its own troubles.
const known = `youtube: connection http408 http429 http500 http503 backendError internalError alreadyExists temporarily_unavailable server_error
	rateLimitExceeded userRateLimitExceeded sessionGone quotaExceeded dailyLimitExceeded uploadLimitExceeded
	invalid_grant authError http401 access_denied disconnected tokenKey notSetUp insufficientPermissions invalid_client unauthorized_client deleted_client disabled_client admin_policy_enforced
	youtubeSignupRequired authenticatedUserNotChannel authenticatedUserAccountClosed authenticatedUserAccountSuspended accountClosed accountSuspended channelClosed channelSuspended forbidden
	invalidTitle invalidDescription invalidTags invalidCategoryId invalidPublishAt invalidVideoMetadata invalidFilename mediaBodyRequired defaultLanguageNotSet
	forbiddenPrivacySetting forbiddenLicenseSetting http413 videoNotFound
	processing-failed-conversion processing-failed-invalidFile processing-failed-emptyFile processing-failed-tooSmall processing-failed-codec processing-failed-uploadAborted
	processing-failed-uploadFailed processing-failed-transcodeFailed processing-failed-streamingFailed processing-failed-other processing-failed-terminated processing-slow
	rejected-copyright rejected-inappropriate rejected-duplicate rejected-termsOfUse rejected-uploaderAccountSuspended rejected-length rejected-claim
	rejected-uploaderAccountClosed rejected-trademark rejected-legal thumbnail-forbidden thumbnail-connection playlist-playlistNotFound privacy-private privacy-unscheduled restored
	rumble: connection http429 http503 rumbleFault answerLost refused-privacy badToken badChannel refused refused-title refused-description refused-video refused-thumb refused-guid restored`

func TestEveryRefusalOfAPlatformHasASentence(t *testing.T) {
	platform, n := "", 0
	for word := range strings.FieldsSeq(known) {
		if name, ok := strings.CutSuffix(word, ":"); ok {
			platform = name
			continue
		}
		n++
		for _, language := range lang.Languages {
			say := func(id string, vars Vars) string { return lang.Say(language, id, vars) }
			for _, problem := range []string{platform + " " + word + ": Said it.", platform + " " + word, "update what is published: " + platform + " " + word + ": Said it."} {
				got := Reason(say, "", problem, "reason_other")
				if got == say("reason_unpublished", nil) || got == say("reason_other", nil) || strings.Contains(got, "_") && !strings.Contains(got, "client_") && !strings.Contains(got, "access_token") || strings.Contains(got, "<no value>") || strings.Contains(got, "Said") {
					t.Errorf("%s, %q: got %q; want a sentence of its own", language, problem, got)
				}
			}
		}
	}
	if n < 80 {
		t.Errorf("got %d words; want all of them", n)
	}
}

func TestWhatNoPlatformSaidIsNotTakenForThat(t *testing.T) {
	for problem, want := range map[string]string{
		"youtube brandNew: Said it.":             "reason_unpublished",
		"generator said: connection refused":     "reason_no_answer",
		"notyoutube quotaExceeded: x":            "reason_other",
		"youtube is not set up":                  "reason_other",
		"open the video: file does not exist":    "reason_other",
		"connect: youtube quotaExceeded: used":   "youtube_quota",
		"":                                       "",
		"YOUTUBE quotaExceeded: x":               "reason_other",
		"youtube rejected-somethingNew: x":       "youtube_rejected",
		"rumble refused-somethingNew: Said it.":  "reason_unpublished",
		"rumble connection: connection refused":  "platform_connection",
		"youtube <script>: x":                    "reason_other",
		"engine refused: youtube is not to know": "reason_refused",
	} {
		if got := Reason(ids, "", problem, "reason_other"); got != want {
			t.Errorf("%q: got %s; want %s", problem, got, want)
		}
	}
}

func TestWhatAPlatformSaysAtOnceIsARefusal(t *testing.T) {
	err := fmt.Errorf("check: %w", errors.New("youtube quotaExceeded: used up"))
	if r, ok := errors.AsType[HTTPError](Told(err)); !ok || r.Status != http.StatusBadGateway || r.ID != "youtube_quota" || r.Vars["Name"] != "YouTube" {
		t.Errorf("got %+v; want a refusal in words", r)
	}
	ours := errors.New("disk broken")
	if got := Told(ours); got != ours || Told(nil) != nil {
		t.Errorf("got %v; want it as it was", got)
	}
	denied := fmt.Errorf("youtube access_denied: %w", Denied)
	if r, _ := errors.AsType[HTTPError](Told(denied)); r.Code != "DENIED" {
		t.Errorf("got %+v; want the refusal that it is", r)
	}
}

func TestAFieldThatWasRefusedIsMarked(t *testing.T) {
	for problem, want := range map[string]string{"youtube invalidTags: x": "tags", "rumble refused-title: x": "title", "youtube invalidFilename: x": "", "x": ""} {
		p := Publication{Platform: "YOUTUBE", Status: "FAILED", Step: "edit", Error: problem, MayChange: true}
		p.explain(ids)
		d := Detail{Card: Card{Publications: []Publication{p}}, Form: NewForm(ids, WithDefaults(store.Metadata{}, "x", "ru", false), false)}
		d.Fixes(store.Metadata{}, "YOUTUBE")
		if p.Field != want || d.Form.First != want || d.Fix == nil || !d.Mending || want != "" && d.Form.Faults[want] != p.Reason {
			t.Errorf("%q: got %q, %v; want %q", problem, p.Field, d.Form.Faults, want)
		}
	}
}

func TestWhatTheMediaStoreSaysIsAboutThePlace(t *testing.T) {
	for _, problem := range []string{
		"keep a video: the media store at https://s3.example.com cannot be reached: dial tcp 192.0.2.1:443: connect: connection refused",
		"keep the video: media.s3.secret_key: this is not the secret of the access key",
		"open the video: the media store forbids it: media.s3.access_key needs leave to list, read, write and delete in the bucket \"x\" (AccessDenied)",
	} {
		if got := Reason(spell("."), "", problem, "reason_other"); !strings.HasPrefix(got, "reason_store_away ") {
			t.Errorf("%s: got %s; want reason_store_away", problem, got)
		}
	}
}
