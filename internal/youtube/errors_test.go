// What each of YouTube's reasons means.

package youtube

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestEachReasonHasOneMeaning(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) // 04:00 Pacific
	c := New(Config{Now: func() time.Time { return now }})
	// what: the methods, as "permanent", "wait D", "app", "pause D", "ended", then step and field.
	for _, one := range []struct {
		status           int
		reason, what     string
		header           string
		message, expects string // the reason that is told, when it is another
	}{
		{status: 500, reason: "backendError", what: ""},
		{status: 500, reason: "internalError", what: ""},
		{status: 503, reason: "", what: "", expects: "http503"},
		{status: 503, reason: "", what: "pause 7s", header: "7", expects: "http503"},
		{status: 503, reason: "", what: "pause 1m30s", header: now.Add(90 * time.Second).Format(http.TimeFormat), expects: "http503"},
		{status: 503, reason: "", what: "pause 24h0m0s", header: "9999999", expects: "http503"},
		{status: 502, reason: "whatever", what: ""},
		{status: 408, reason: "", what: "", expects: "http408"},
		{status: 429, reason: "", what: "pause 1m0s", expects: "http429"},
		{status: 429, reason: "", what: "pause 5s", header: "5", expects: "http429"},
		{status: 409, reason: "alreadyExists", what: ""},
		{status: 403, reason: "rateLimitExceeded", what: "pause 1m0s"},
		{status: 403, reason: "userRateLimitExceeded", what: "pause 3m0s", header: "180"},
		{status: 403, reason: "quotaExceeded", what: "wait 20h0m0s app step quota"},
		{status: 403, reason: "dailyLimitExceeded", what: "wait 20h0m0s app step quota"},
		{status: 429, reason: "rateLimitExceeded", what: "wait 20h0m0s app step quota", message: "Quota exceeded for limit 'Uploads per day'"},
		{status: 400, reason: "uploadLimitExceeded", what: "wait 24h0m0s step limit"},
		{status: 401, reason: "authError", what: "permanent ended step reconnect"},
		{status: 401, reason: "", what: "permanent ended step reconnect", expects: "http401"},
		{status: 403, reason: "insufficientPermissions", what: "permanent ended step reconnect"},
		{status: 400, reason: "invalid_grant", what: "permanent ended step reconnect"},
		{status: 401, reason: "invalid_client", what: "permanent ended step reconnect"},
		{status: 401, reason: "youtubeSignupRequired", what: "permanent step account"},
		{status: 403, reason: "authenticatedUserNotChannel", what: "permanent step account"},
		{status: 403, reason: "authenticatedUserAccountClosed", what: "permanent step account"},
		{status: 403, reason: "authenticatedUserAccountSuspended", what: "permanent step account"},
		{status: 403, reason: "channelClosed", what: "permanent step account"},
		{status: 403, reason: "channelSuspended", what: "permanent step account"},
		{status: 403, reason: "forbidden", what: "permanent step account"},
		{status: 400, reason: "invalidTitle", what: "permanent step edit field title"},
		{status: 400, reason: "invalidDescription", what: "permanent step edit field description"},
		{status: 400, reason: "invalidTags", what: "permanent step edit field tags"},
		{status: 400, reason: "invalidCategoryId", what: "permanent step edit field category"},
		{status: 400, reason: "invalidPublishAt", what: "permanent step edit field at"},
		{status: 400, reason: "invalidVideoMetadata", what: "permanent step edit field title"},
		{status: 400, reason: "invalidFilename", what: "permanent step edit"},
		{status: 400, reason: "mediaBodyRequired", what: "permanent step edit"},
		{status: 400, reason: "defaultLanguageNotSet", what: "permanent step edit field language"},
		{status: 403, reason: "forbiddenPrivacySetting", what: "permanent step edit field privacy"},
		{status: 403, reason: "forbiddenLicenseSetting", what: "permanent step edit"},
		{status: 413, reason: "", what: "permanent step edit", expects: "http413"},
		{status: 400, reason: "somethingNew", what: "permanent"},
		{status: 404, reason: "", what: "permanent", expects: "http404"},
	} {
		t.Run(one.reason+fmt.Sprint(one.status, one.header), func(t *testing.T) {
			body := "<html>no JSON</html>"
			if one.reason != "" {
				body = fmt.Sprintf(`{"error":{"code":%d,"message":"%s.","errors":[{"domain":"d","reason":"%s"}]}}`, one.status, one.message, one.reason)
			}
			e := c.refusal(answer{one.status, http.Header{"Retry-After": {one.header}}, []byte(body)})
			var got []string
			say := func(yes bool, what string) {
				if yes {
					got = append(got, what)
				}
			}
			wait, waits := e.RetryAfter()
			say(e.Permanent(), "permanent")
			say(waits, "wait "+wait.String())
			say(e.WholeApp(), "app")
			say(e.Pause() > 0, "pause "+e.Pause().String())
			say(e.AccessEnded(), "ended")
			say(e.Step() != "", "step "+e.Step())
			say(e.Field() != "", "field "+e.Field())
			if all := strings.Join(got, " "); all != one.what {
				t.Errorf("got %q; want %q", all, one.what)
			}
			if one.expects == "" {
				one.expects = one.reason
			}
			if e.Reason() != one.expects || !strings.HasPrefix(e.Error(), "youtube "+one.expects) {
				t.Errorf("got %q with the reason %q; want the reason %q", e, e.Reason(), one.expects)
			}
		})
	}
}

func TestAMessageIsOneShortLineWithoutSecretsOrMarkup(t *testing.T) {
	for _, one := range [][2]string{
		{"a <a href=\"/x\">quota</a>\n is\tgone", "a quota is gone"},
		{"see https://h/upload?upload_id=SECRET&x now", "see … now"},
		{"see https://h/x?key=SECRET now", "see https://h/x… now"},
		{"token ya29.SECRET and 1//SECRET", "token … and …"},
		{strings.Repeat("ж", 400), strings.Repeat("ж", 299) + "…"},
	} {
		if got := tidy(one[0]); got != one[1] {
			t.Errorf("got %q; want %q", got, one[1])
		}
	}
}

func TestARefusalRightAfterMidnightMayBeOfTheDayBefore(t *testing.T) {
	for _, one := range [][2]string{
		{"2026-11-22T07:59:59Z", "1s"},
		{"2026-11-22T08:00:00Z", "1h0m0s"},
		{"2026-11-22T08:59:00Z", "1m0s"},
		{"2026-11-22T09:00:00Z", "23h0m0s"},
		{"2026-03-08T08:30:00Z", "30m0s"}, // the clocks go forward that night
	} {
		now, err := time.Parse(time.RFC3339, one[0])
		if err != nil {
			t.Fatal(err)
		}
		c := New(Config{Now: func() time.Time { return now }})
		e := c.refusal(answer{403, http.Header{}, []byte(`{"error":{"errors":[{"reason":"quotaExceeded"}]}}`)})
		if wait, waits := e.RetryAfter(); !waits || wait.String() != one[1] {
			t.Errorf("at %s: got %v; want %s", one[0], wait, one[1])
		}
	}
}

func TestTheDayOfYouTubeBeginsAtMidnightInThePacificZone(t *testing.T) {
	for _, one := range [][2]string{
		{"2026-11-22T12:00:00Z", "2026-11-23T08:00:00Z"},
		{"2026-11-22T07:59:59Z", "2026-11-22T08:00:00Z"},
		{"2026-11-22T08:00:00Z", "2026-11-23T08:00:00Z"},
		{"2026-07-01T12:00:00Z", "2026-07-02T07:00:00Z"},
		{"2026-11-01T12:00:00Z", "2026-11-02T08:00:00Z"}, // the clocks went back that night
		{"2026-03-08T08:30:00Z", "2026-03-09T07:00:00Z"}, // and forward
	} {
		now, err := time.Parse(time.RFC3339, one[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := Midnight(now).UTC().Format(time.RFC3339); got != one[1] {
			t.Errorf("after %s: got %s; want %s", one[0], got, one[1])
		}
	}
}
