// Two admins with two browsers: what an old form, a closed page or a race may not take back.

package desk

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"retake.example/internal/publish"
	"retake.example/internal/store"
)

// forms says what keeps each form of the pages from taking back what somebody else did since it was opened. A hidden
// field tells what its admin saw, or the transaction decides by what is there.
var forms = map[string]string{
	"/assets/{}/metadata":    "version",
	"/assets/{}/publish":     "version",
	"/channels/{}/defaults":  "version",
	"/assets/{}/update move": "was",
	"/bot":                   "version",
	"/texts/{}":              "version",
	"/studio/{}":             "version",
	"/announcements/{}":      "version",

	"/assets":                 "only makes something",
	"/studio":                 "only makes something",
	"/studio/{}/files":        "only adds something, and never overwrites",
	"/studio/{} back":         "an older version becomes the current one, which older forms are told",
	"/texts/{} reset":         "leads to the default from whatever is there",
	"/templates":              "by its id, in the order that is there",
	"/configuration":          "only what differs from what was shown",
	"/setup":                  "the step decides by what is there",
	"/admins":                 "by the id, in the transaction, which knows the last owner",
	"/tokens":                 "only makes something, or revokes it by its id",
	"/uploads":                "only makes something",
	"/advance":                "adds names that are not there",
	"/advance/stop":           "empties a list; stopped twice is stopped",
	"/advance/withdraw":       "withdraws what is there; made again on demand",
	"/assets/{}/retry":        "Retry decides in its transaction: a second press joins",
	"/retry-all":              "newest and until: nothing that was not shown",
	"/assets/{}/update":       "what both have changed is shown by the platform's version",
	"/assets/{}/published":    "only where no video is known, in the transaction",
	"/assets/{}/unpublish":    "only what was seen: the fence on video, session and status",
	"/assets/{}/delete":       "goes to the bin, from which it comes back",
	"/assets/{}/block":        "blocked twice is blocked",
	"/selection":              "goes to the bin, from which it comes back",
	"/selection/publish":      "a version of each video, and what is there already stays",
	"/bin":                    "by its id; what is not there any more is not found",
	"/backups":                "only makes something",
	"/channels/connect":       "the answer of the platform counts",
	"/channels/{}/check":      "looks",
	"/channels/{}/disconnect": "the fence on the time of the connection",
	"/wishes":                 "says which of two states, not the other one",
	"/farm/drain":             "says which of two states, not the other one",
	"/held":                   "decided once: what is not held any more stays",
	"/take-over":              "taken over twice is taken over",
	"/trust-clock":            "trusted twice is trusted",
	"/purge":                  "what is deleted is not deleted again",
	"/try-now":                "only during an outage",
	"/language":               "of one browser",
	"/logout":                 "of one browser",
	"/logout-everywhere":      "of one person",
	"/login/{}":               "spends its link once",
	"{}":                      "one of the others, in the list of what needs an admin",
}

func TestForms_EachTellsWhatItsAdminSawOrIsDecidedInTheTransaction(t *testing.T) {
	whole := regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	action, blank := regexp.MustCompile(`action="([^"]*)"`), regexp.MustCompile(`\{\{.*?\}\}`)
	pages, err := filepath.Glob("../../web/templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range whole.FindAllStringSubmatch(string(text), -1) {
			to := action.FindStringSubmatch(form[1])
			if to == nil || !strings.Contains(form[1], `method="post"`) {
				continue // it asks
			}
			key := blank.ReplaceAllString(to[1], "{}")
			if strings.Contains(form[2], `name="do" value="move"`) {
				key += " move"
			}
			if strings.Contains(form[2], `value="back:`) && !strings.Contains(form[1], `id="studio"`) {
				key += " back"
			}
			if strings.Contains(form[2], `value="reset"`) && !strings.Contains(form[2], "<textarea") {
				key += " reset"
			}
			how, known := forms[key]
			if seen[key] = true; !known {
				t.Errorf("%s: the form to %s isn't in the table: what if it is an old one?", filepath.Base(page), key)
			}
			for _, field := range []string{"version", "was"} {
				if how == field && !strings.Contains(form[2], `name="`+field+`"`) && !strings.Contains(form[2], `{{template "fields"`) {
					t.Errorf("%s: the form to %s does not tell what its admin saw", filepath.Base(page), key)
				}
			}
			if how != "version" && strings.Contains(form[2], "<textarea") && key != "/advance" {
				t.Errorf("%s: the form to %s saves a text without a version", filepath.Base(page), key)
			}
		}
	}
	for key := range forms {
		if !seen[key] {
			t.Errorf("no page has a form to %s", key)
		}
	}
}

func (r *rig) channel(title string) (id int64) {
	r.Helper()
	if err := r.store.Tx(r.Context(), func(tx *store.Tx) (err error) {
		id, err = tx.Connect(store.Channel{Platform: "YOUTUBE", External: "UC" + title, Title: title}, []byte{1})
		return err
	}); err != nil {
		r.Fatal(err)
	}
	return id
}

func TestDefaults_TwoAdminsAreMergedAndWhatBothChangedIsShown(t *testing.T) {
	r := newRig(t)
	id := fmt.Sprint(r.channel("A"))
	saved := func() store.Defaults {
		t.Helper()
		list, err := r.store.Channels(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return list[0].Defaults
	}
	opened := func() url.Values {
		d := saved()
		m := withChannel(store.Metadata{}, store.Metadata{}, d)
		v := url.Values{"version": {versionOf(m)}, "description": {d.Description}, "tags": {d.Tags}, "language": {d.Language},
			"privacy": {d.Privacy}, "made_for_kids": {d.Kids}, "playlist": {d.Playlist}, "like_last_time_was": {""}}
		if d.Last {
			v.Set("like_last_time", "yes")
			v.Set("like_last_time_was", "yes")
		}
		return v
	}
	save := func(v url.Values, want int) string {
		t.Helper()
		w := r.do(r.SaveDefaults, sent{id: id, body: v.Encode()})
		if w.Code != want {
			t.Fatalf("got %d %s; want %d", w.Code, w.Body, want)
		}
		return w.Body.String()
	}
	save(url.Values{"description": {"one"}, "tags": {"a"}, "privacy": {"public"}}, 303)
	old := opened()
	theirs := opened()
	theirs.Set("privacy", "private")
	theirs.Set("like_last_time", "yes")
	save(theirs, 303)

	old.Set("tags", "b")
	save(old, 303) // the old form changes another field
	if d := saved(); d.Privacy != "private" || d.Tags != "b" || !d.Last || d.Description != "one" {
		t.Errorf("got %+v; want both changes, and still private", d)
	}
	old.Set("privacy", "unlisted")
	page := save(old, 409)
	if !strings.Contains(page, english("error_conflict", nil)) || saved().Privacy != "private" {
		t.Errorf("got %+v and %s; want the conflict shown and nothing saved", saved(), page)
	}
	again := opened()
	again.Set("privacy", "unlisted")
	if save(again, 303); saved().Privacy != "unlisted" {
		t.Errorf("got %+v; want it saved after it was seen", saved())
	}
	if save(url.Values{"tags": {"c"}}, 303); saved().Tags != "c" {
		t.Error("want what a program sends without a version saved")
	}
}

func TestMove_AnOldFormIsToldTheNewTime(t *testing.T) {
	r := newRig(t)
	id := r.finished(7, "Лето")
	now := time.Now().UTC().Add(48 * time.Hour).Truncate(time.Minute)
	r.mutate(`INSERT INTO publications (asset_id, platform, creator, created, step, metadata, publish_at)
		VALUES (?, 'TELEGRAM', 7, 0, 'scheduled', '{"title": "A", "privacy": "public"}', ?)`, id, now.UnixMilli())
	r.opts.Published = moved{r.out}
	form := url.Values{"platform": {"TELEGRAM"}, "do": {"move"}, "when": {"later"}, "zone": {"UTC"},
		"at": {now.Add(24 * time.Hour).Format("2006-01-02T15:04")}, "was": {now.Add(-time.Hour).Format(time.RFC3339)}}
	w := r.do(r.UpdatePublished, sent{id: id, body: form.Encode()})
	if text := w.Body.String(); w.Code != 409 || !strings.Contains(text, now.Format("2006-01-02 15:04 UTC")) ||
		!strings.Contains(text, `name="was" value="`+now.Format("2006-01-02T15:04:05Z")+`"`) {
		t.Errorf("got %d %s; want the time that is there, and a form that knows of it", w.Code, text)
	}
}

// moved refuses every other time: somebody else was first.
type moved struct{ *outside }

func (m moved) Postpone(context.Context, string, string, time.Time, time.Time, store.Admin) error {
	return publish.ErrMoved
}
