// What each of YouTube's reasons means.

package youtube

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestErrors_EachReasonHasOneMeaning(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) // 04:00 Pacific
	c := New(Config{Now: func() time.Time { return now }})
	const page = "<html>not JSON</html>"
	// what: the methods, as "permanent", "wait D", "away", "app", "pause D", "ended", then step and field.
	for _, one := range []struct {
		status             int
		reason, code, what string
		header             string
		message            string
		body               string // "": Google's, with the reason
		expects            string // the reason that is told, if it is another
	}{
		{status: 500, reason: "backendError", code: "youtube_unreachable", what: "wait 30s away"},
		{status: 500, reason: "internalError", code: "youtube_unreachable", what: "wait 30s away"},
		{status: 503, body: page, code: "youtube_unreachable", what: "wait 30s away", expects: "http503"},
		{status: 503, body: page, code: "youtube_unreachable", what: "wait 7s away", header: "7", expects: "http503"},
		{status: 503, body: page, code: "youtube_unreachable", what: "wait 1m30s away", expects: "http503",
			header: now.Add(90 * time.Second).Format(http.TimeFormat)},
		{status: 503, body: page, code: "youtube_unreachable", what: "wait 24h0m0s away", header: "99999999999",
			expects: "http503"},
		{status: 502, reason: "whatever", code: "youtube_unreachable", what: "wait 30s away"},
		{status: 500, reason: "invalidTitle", code: "youtube_unreachable", what: "wait 30s away"},
		{status: 408, body: page, code: "youtube_unreachable", what: "wait 30s away", expects: "http408"},
		{status: 429, body: page, code: "youtube_busy", what: "wait 1m0s", expects: "http429"},
		{status: 429, body: page, code: "youtube_busy", what: "wait 5s", header: "5", expects: "http429"},
		{status: 429, body: page, code: "youtube_busy", what: "wait 1m0s", header: "-5", expects: "http429"},
		{status: 409, reason: "alreadyExists", code: "youtube_again", what: ""},
		{status: 403, reason: "rateLimitExceeded", code: "youtube_busy", what: "wait 1m0s"},
		{status: 403, reason: "userRateLimitExceeded", code: "youtube_busy", what: "wait 3m0s", header: "180"},
		{status: 403, reason: "quotaExceeded", code: "youtube_quota", what: "wait 20h0m0s app step quota"},
		{status: 403, reason: "dailyLimitExceeded", code: "youtube_quota", what: "wait 20h0m0s app step quota"},
		{status: 429, reason: "rateLimitExceeded", code: "youtube_quota", what: "wait 20h0m0s app step quota",
			message: "Quota exceeded for limit 'Uploads per day'"},
		{status: 400, reason: "uploadLimitExceeded", code: "youtube_upload_limit", what: "wait 24h0m0s step limit"},
		{status: 401, reason: "authError", code: "youtube_access_ended", what: "permanent ended step reconnect"},
		{status: 401, reason: "newWord", code: "youtube_access_ended", what: "permanent ended step reconnect"},
		{status: 401, body: page, code: "youtube_unreadable", what: "wait 30s away", expects: "http401"},
		{status: 403, reason: "insufficientPermissions", code: "youtube_permissions",
			what: "permanent ended step reconnect"},
		{status: 400, reason: "invalid_grant", code: "youtube_access_ended", what: "permanent ended step reconnect"},
		{status: 401, reason: "invalid_client", code: "youtube_client", what: "permanent ended step reconnect"},
		{status: 400, reason: "redirect_uri_mismatch", code: "youtube_redirect_mismatch",
			what: "permanent step account"},
		{status: 403, reason: "accessNotConfigured", code: "youtube_api_disabled", what: "permanent step account"},
		{status: 403, code: "youtube_api_disabled", what: "permanent step account", expects: "SERVICE_DISABLED",
			body: `{"error":{"status":"PERMISSION_DENIED","message":"m","details":[{"reason":"SERVICE_DISABLED"}]}}`},
		{status: 401, reason: "youtubeSignupRequired", code: "youtube_no_channel", what: "permanent step account"},
		{status: 403, reason: "authenticatedUserNotChannel", code: "youtube_no_channel",
			what: "permanent step account"},
		{status: 403, reason: "authenticatedUserAccountClosed", code: "youtube_account_closed",
			what: "permanent step account"},
		{status: 403, reason: "authenticatedUserAccountSuspended", code: "youtube_account_suspended",
			what: "permanent step account"},
		{status: 403, reason: "channelClosed", code: "youtube_account_closed", what: "permanent step account"},
		{status: 403, reason: "channelSuspended", code: "youtube_account_suspended", what: "permanent step account"},
		{status: 403, reason: "forbidden", code: "youtube_forbidden", what: "permanent step account"},
		{status: 400, reason: "invalidTitle", code: "youtube_invalid_title", what: "permanent step edit field title"},
		{status: 400, reason: "invalidDescription", code: "youtube_invalid_description",
			what: "permanent step edit field description"},
		{status: 400, reason: "invalidTags", code: "youtube_invalid_tags", what: "permanent step edit field tags"},
		{status: 400, reason: "invalidCategoryId", code: "youtube_invalid_category",
			what: "permanent step edit field category"},
		{status: 400, reason: "invalidPublishAt", code: "youtube_invalid_publish_at",
			what: "permanent step edit field at"},
		{status: 400, reason: "invalidVideoMetadata", code: "youtube_invalid_metadata",
			what: "permanent step edit field title"},
		{status: 400, reason: "invalidFilename", code: "youtube_invalid_file", what: "permanent step edit"},
		{status: 400, reason: "mediaBodyRequired", code: "youtube_empty_file", what: "permanent step edit"},
		{status: 400, reason: "defaultLanguageNotSet", code: "youtube_invalid_language",
			what: "permanent step edit field language"},
		{status: 403, reason: "forbiddenPrivacySetting", code: "youtube_privacy_setting",
			what: "permanent step edit field privacy"},
		{status: 403, reason: "forbiddenLicenseSetting", code: "youtube_license", what: "permanent step edit"},
		{status: 404, reason: "playlistNotFound", code: "youtube_playlist_unknown",
			what: "permanent step edit field playlist"},
		{status: 404, reason: "videoNotFound", code: "youtube_not_found", what: "permanent"},
		{status: 413, reason: "somethingLarge", code: "youtube_too_large", what: "permanent step edit"},
		{status: 413, body: page, code: "youtube_unreadable", what: "wait 30s away", expects: "http413"},
		{status: 400, reason: "somethingNew", code: "youtube_refused", what: ""},
		{status: 400, reason: "somethingNew", code: "youtube_refused", what: "pause 9s", header: "9"},
		{status: 404, reason: "somethingNew", code: "youtube_refused", what: ""},
		{status: 404, body: page, code: "youtube_unreadable", what: "wait 30s away", expects: "http404"},
		{status: 403, body: page, code: "youtube_unreadable", what: "wait 30s away", expects: "http403"},
		{status: 403, body: `{"message":"blocked"}`, code: "youtube_unreadable", what: "wait 30s away",
			expects: "http403"},
		{status: 403, body: `null`, code: "youtube_unreadable", what: "wait 30s away", expects: "http403"},
		{status: 307, body: page, code: "youtube_unreadable", what: "wait 30s away", expects: "http307"},
		{status: 307, reason: "forbidden", code: "youtube_unreadable", what: "wait 30s away"},
	} {
		t.Run(fmt.Sprint(one.status, one.reason, one.header, one.body), func(t *testing.T) {
			body := one.body
			if body == "" {
				body = fmt.Sprintf(`{"error":{"code":%d,"message":"%s.","errors":[{"domain":"d","reason":"%s"}]}}`,
					one.status, one.message, one.reason)
			}
			e := c.refusal(
				answer{status: one.status, header: http.Header{"Retry-After": {one.header}}, body: []byte(body)},
			)
			if got := telling(e); got != one.what {
				t.Errorf("got %q; want %q", got, one.what)
			}
			if one.expects == "" {
				one.expects = one.reason
			}
			if e.Reason() != one.expects || !strings.HasPrefix(e.Error(), "youtube "+one.expects) {
				t.Errorf("got %q with the reason %q; want the reason %q", e, e.Reason(), one.expects)
			}
			if e.Code() != one.code || !slices.Contains(Codes(), e.Code()) {
				t.Errorf("got the code %q; want %q, which is in the list", e.Code(), one.code)
			}
		})
	}
}

// telling is what an error says of itself, in words.
func telling(e *Error) string {
	var got []string
	say := func(yes bool, what string) {
		if yes {
			got = append(got, what)
		}
	}
	wait, waits := e.RetryAfter()
	say(e.Permanent(), "permanent")
	say(waits, "wait "+wait.String())
	say(e.Unreachable(), "away")
	say(e.WholeApp(), "app")
	say(e.Pause() > 0, "pause "+e.Pause().String())
	say(e.AccessEnded(), "ended")
	say(e.Step() != "", "step "+e.Step())
	say(e.Field() != "", "field "+e.Field())
	return strings.Join(got, " ")
}

func TestErrors_ALinkLeadsToWhereItIsFixed(t *testing.T) {
	c := New(Config{})
	const page = "https://console.developers.google.com/apis/api/youtube.googleapis.com/overview?project=123"
	for _, one := range []struct{ status, body, want, text string }{
		{"403", `{"error":{"message":"Enable it by visiting ` + page +
			` then retry.","errors":[{"reason":"accessNotConfigured"}]}}`, page, page},
		{"403", `{"error":{"message":"Off.","details":[{"reason":"SERVICE_DISABLED","metadata":{"activationUrl":"` +
			page + `&key=SECRET"}}]}}`, page, ""},
		{"403", `{"error":{"message":"Off.","errors":[{"reason":"accessNotConfigured"}]}}`, library, ""},
		{"403", `{"error":{"message":"See https://evil.example/?project=1","errors":[{"reason":"forbidden"}]}}`, "",
			"https://evil.example/…"},
		{"403", `{"error":{"message":"See https://console.cloud.google.com/x?key=SECRET",` +
			`"errors":[{"reason":"forbidden"}]}}`,
			"https://console.cloud.google.com/x", "https://console.cloud.google.com/x…"},
		{"400", `{"error":{"errors":[{"reason":"redirect_uri_mismatch"}]}}`, credentials, ""},
	} {
		status, _ := strconv.Atoi(one.status)
		e := c.refusal(answer{status: status, header: http.Header{}, body: []byte(one.body)})
		if e.Link() != one.want || !strings.Contains(e.Error(), one.text) ||
			strings.Contains(e.Error()+e.Link(), "SECRET") {
			t.Errorf("%s: got the link %q in %q; want %q", one.body, e.Link(), e, one.want)
		}
	}
}

func TestCodes_AreWordsAndHaveNoDoubles(t *testing.T) {
	all := Codes()
	for i, code := range all {
		if !regexp.MustCompile(`^youtube_[a-z_]+$`).MatchString(code) || i > 0 && all[i-1] >= code {
			t.Errorf("got %q after %q", code, all[max(i-1, 0)])
		}
	}
}

func TestErrors_AMessageIsOneShortLineWithoutSecretsOrMarkup(t *testing.T) {
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

func TestErrors_AQuotaRefusalRightAfterMidnightMayBeOfTheDayBefore(t *testing.T) {
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
		e := c.refusal(
			answer{
				status: 403,
				header: http.Header{},
				body:   []byte(`{"error":{"errors":[{"reason":"quotaExceeded"}]}}`),
			},
		)
		if wait, waits := e.RetryAfter(); !waits || wait.String() != one[1] {
			t.Errorf("at %s: got %v; want %s", one[0], wait, one[1])
		}
	}
}

func TestMidnight_TheDayBeginsAtMidnightInThePacificZone(t *testing.T) {
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
