// Every platform, every action, every kind of answer: what the program makes of it.

package publish

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
)

// answers are what may come in place of a platform's own success.
var answers = []struct {
	name string
	give map[string]func(http.ResponseWriter) // by platform; "": all of them
}{
	{"no answer", map[string]func(http.ResponseWriter){"": func(http.ResponseWriter) { panic(http.ErrAbortHandler) }}},
	{"a page with 502", map[string]func(http.ResponseWriter){"": page(502)}},
	{"a page with 403", map[string]func(http.ResponseWriter){"": page(403)}},
	{"a page with 200", map[string]func(http.ResponseWriter){"": page(200)}},
	{"a redirect", map[string]func(http.ResponseWriter){"": func(w http.ResponseWriter) {
		w.Header().Set("Location", "/sign-in")
		w.WriteHeader(307)
	}}},
	{"an empty 200", map[string]func(http.ResponseWriter){"": says(200, "", "")}},
	{"another's JSON", map[string]func(http.ResponseWriter){"": says(200, "application/json", `{"status":"ok"}`)}},
	{"a list", map[string]func(http.ResponseWriter){"": says(200, "application/json", `[]`)}},
	{"null", map[string]func(http.ResponseWriter){"": says(200, "application/json", `null`)}},
	{"half an answer", map[string]func(http.ResponseWriter){
		"YOUTUBE":  says(200, "application/json", `{"kind":"youtube#videoListResponse","items":[{"id":"`),
		"RUMBLE":   says(200, "application/json", `{"success":true,"video_id":"v`),
		"TELEGRAM": says(200, "application/json", `{"ok":true,"result":{"message_id":7`),
	}},
	{"a success without a result", map[string]func(http.ResponseWriter){
		"YOUTUBE":  says(200, "application/json", `{"items":[]}`),
		"RUMBLE":   says(200, "application/json", `{"success":true}`),
		"TELEGRAM": says(200, "application/json", `{"ok":true}`),
	}},
	{"a part", map[string]func(http.ResponseWriter){"": page(206)}},
	{"a redirect with a page", map[string]func(http.ResponseWriter){"": page(302)}},
	{"308", map[string]func(http.ResponseWriter){"": says(308, "", "")}},
	{"a proxy that wants a password", map[string]func(http.ResponseWriter){"": page(407)}},
	{"a network that wants a sign-in", map[string]func(http.ResponseWriter){"": page(511)}},
	{"another's refusal", map[string]func(http.ResponseWriter){
		"": says(403, "application/json", `{"error":"blocked","reason":"category"}`)}},
	{"slow down", map[string]func(http.ResponseWriter){
		"YOUTUBE":  google(403, "rateLimitExceeded"),
		"RUMBLE":   page(429),
		"TELEGRAM": telegramSays(429, "Too Many Requests: retry after 7"),
	}},
	{"no access", map[string]func(http.ResponseWriter){
		"YOUTUBE":  google(403, "insufficientPermissions"),
		"TELEGRAM": telegramSays(403, "Forbidden: bot was kicked from the channel chat"),
	}},
	{"an unknown refusal", map[string]func(http.ResponseWriter){
		"YOUTUBE":  google(400, "somethingNew"),
		"TELEGRAM": telegramSays(400, "Bad Request: SOMETHING_NEW"),
	}},
}

// says answers with a body of a type.
func says(status int, kind, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header()["Content-Type"] = []string{kind}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func google(status int, reason string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": status, "message": "no",
			"errors": []any{map[string]any{"reason": reason, "domain": "global"}}}})
	}
}

func telegramSays(status int, text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]any{"ok": false, "error_code": status, "description": text,
			"parameters": map[string]any{"retry_after": 7}})
	}
}

// wants is what each action asks for after each answer, in their order: at the beginning of an upload nothing can be
// there; once all of it has left, only YouTube can be asked. What somebody in between refuses has not arrived.
var wants = map[string]map[string]string{
	"YOUTUBE": {
		"publish": strings.Repeat("wait ", 18) + "ended again",
		"check":   strings.Repeat("wait ", 18) + "ended again",
		"update":  strings.Repeat("wait ", 18) + "ended again",
		"delete":  strings.Repeat("wait ", 18) + "ended again",
	},
	"TELEGRAM": {
		"publish": strings.Repeat("wait ", 18) + "ended again",
		"post": strings.Repeat("unclear ", 4) + "wait " + strings.Repeat("unclear ", 7) + "wait wait " +
			strings.Repeat("unclear ", 3) + "wait ended again",
		"check":  strings.Repeat("wait ", 18) + "ended again",
		"update": strings.Repeat("wait ", 18) + "ended again",
		"delete": strings.Repeat("wait ", 18) + "ended again",
	},
	"RUMBLE": {"publish": "unclear unclear wait unclear wait " + strings.Repeat("unclear ", 7) +
		"wait wait wait unclear wait wait"},
}

// calls are those in whose place the answer is given.
var calls = map[string]func(r *http.Request, platform string) bool{
	"publish": func(r *http.Request, platform string) bool {
		return strings.Contains(r.URL.Path, "/upload/youtube") || platform == "RUMBLE" ||
			strings.HasSuffix(r.URL.Path, "/getChat")
	},
	"post":   func(r *http.Request, _ string) bool { return strings.HasSuffix(r.URL.Path, "/sendVideo") },
	"check":  func(r *http.Request, _ string) bool { return !strings.HasSuffix(r.URL.Path, "/token") },
	"update": func(r *http.Request, _ string) bool { return !strings.HasSuffix(r.URL.Path, "/token") },
	"delete": func(r *http.Request, _ string) bool { return !strings.HasSuffix(r.URL.Path, "/token") },
}

func TestActions_EachAnswerMeansTheSameOnEveryPlatform(t *testing.T) {
	for platform, actions := range wants {
		for action, all := range actions {
			for i, want := range strings.Fields(all) {
				answer := answers[i]
				t.Run(platform+" "+action+" "+answer.name, func(t *testing.T) {
					t.Parallel()
					r := newRig(t)
					channel := r.connect(platform)
					id := r.owe(platform, channel, time.Time{})
					published := action == "check" || action == "update" || action == "delete"
					if published {
						r.must(r.work())
						m := greeting
						m.Title = "Another"
						r.write(func(tx *store.Tx) error { return tx.SaveMetadata(id, m) })
					}
					give := answer.give[platform]
					if give == nil {
						give = answer.give[""]
					}
					r.intercept(func(w http.ResponseWriter, q *http.Request) bool {
						if !calls[action](q, platform) {
							return false
						}
						if platform == "RUMBLE" { // as it reads all of the upload first
							q.ParseMultipartForm(1 << 20)
						}
						give(w)
						return true
					})
					var err error
					switch action {
					case "check":
						err = r.studio.Check(t.Context(), channel, owner)
					case "update":
						err = r.studio.Update(t.Context(), id, platform, KeepNone, owner)
					case "delete":
						_, err = r.studio.Remove(t.Context(), id, platform, owner)
					default:
						err = r.work()
					}
					if got := kindOf(err); got != want {
						t.Errorf("got %s (%v); want %s", got, err, want)
					}
					if retry.CodeOf(err) == "" {
						t.Errorf("%v has no code", err)
					}
					ended := r.state(channel) == "ENDED"
					if published && ended != (want == "ended") {
						t.Errorf("got the channel %s", r.state(channel))
					}
					r.intercept(nil)
					if n := len(r.there(platform)); n != map[bool]int{true: 1}[published] {
						t.Errorf("got %d videos there", n)
					}
					if p := r.on(id, platform); published && (p.Status != store.Completed || p.Metadata.Title != greeting.Title) {
						t.Errorf("got %+v; want it as it is there", p)
					}
				})
			}
		}
	}
}
