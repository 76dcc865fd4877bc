// The table of YouTube's reasons: which class each belongs to, and the stable code that messages hang on.

package youtube

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// meaning is what a reason means. Field is the field of the form that is refused; link is where a person can fix it.
type meaning struct {
	class             class
	code, field, link string
}

const (
	credentials = "https://console.cloud.google.com/apis/credentials"
	library     = "https://console.cloud.google.com/apis/library/youtube.googleapis.com"
)

// meanings are the documented reasons of the YouTube Data API, of Google's common errors and of its OAuth server, and
// our own. Sources: developers.google.com/youtube/v3/docs/errors, RFC 6749 section 5.2,
// cloud.google.com/apis/design/errors.
var meanings = map[string]meaning{
	"backendError":            {class: away, code: "youtube_unreachable"},
	"internalError":           {class: away, code: "youtube_unreachable"},
	"temporarily_unavailable": {class: away, code: "youtube_unreachable"},
	"server_error":            {class: away, code: "youtube_unreachable"},

	"alreadyExists": {class: again, code: "youtube_again"}, // a session that is being opened twice; it goes away
	"sessionGone":   {class: again, code: "youtube_session"},

	"rateLimitExceeded":       {class: busy, code: "youtube_busy"},
	"userRateLimitExceeded":   {class: busy, code: "youtube_busy"},
	"uploadRateLimitExceeded": {class: busy, code: "youtube_busy"},
	"RATE_LIMIT_EXCEEDED":     {class: busy, code: "youtube_busy"},
	"quotaExceeded":           {class: quota, code: "youtube_quota"},
	"dailyLimitExceeded":      {class: quota, code: "youtube_quota"},
	"uploadLimitExceeded":     {class: limit, code: "youtube_upload_limit"},

	"authError":                       {class: ended, code: "youtube_access_ended"},
	"invalid_grant":                   {class: ended, code: "youtube_access_ended"},
	"access_denied":                   {class: ended, code: "youtube_access_ended"},
	"insufficientPermissions":         {class: ended, code: "youtube_permissions"},
	"ACCESS_TOKEN_SCOPE_INSUFFICIENT": {class: ended, code: "youtube_permissions"},
	"admin_policy_enforced":           {class: ended, code: "youtube_policy"},
	"invalid_client":                  {class: ended, code: "youtube_client", link: credentials},
	"unauthorized_client":             {class: ended, code: "youtube_client", link: credentials},
	"deleted_client":                  {class: ended, code: "youtube_client", link: credentials},
	"disabled_client":                 {class: ended, code: "youtube_client", link: credentials},

	"accessNotConfigured":   {class: setup, code: "youtube_api_disabled", link: library},
	"SERVICE_DISABLED":      {class: setup, code: "youtube_api_disabled", link: library},
	"redirect_uri_mismatch": {class: setup, code: "youtube_redirect_mismatch", link: credentials},

	"youtubeSignupRequired": {
		class: account,
		code:  "youtube_no_channel",
		link:  "https://www.youtube.com/create_channel",
	},
	"authenticatedUserNotChannel": {
		class: account,
		code:  "youtube_no_channel",
		link:  "https://www.youtube.com/create_channel",
	},
	"forbidden":                         {class: account, code: "youtube_forbidden"},
	"authenticatedUserAccountClosed":    {class: account, code: "youtube_account_closed"},
	"accountClosed":                     {class: account, code: "youtube_account_closed"},
	"channelClosed":                     {class: account, code: "youtube_account_closed"},
	"authenticatedUserAccountSuspended": {class: account, code: "youtube_account_suspended"},
	"accountSuspended":                  {class: account, code: "youtube_account_suspended"},
	"channelSuspended":                  {class: account, code: "youtube_account_suspended"},

	"invalidTitle":            {class: edit, code: "youtube_invalid_title", field: "title"},
	"invalidDescription":      {class: edit, code: "youtube_invalid_description", field: "description"},
	"invalidTags":             {class: edit, code: "youtube_invalid_tags", field: "tags"},
	"invalidCategoryId":       {class: edit, code: "youtube_invalid_category", field: "category"},
	"invalidPublishAt":        {class: edit, code: "youtube_invalid_publish_at", field: "at"},
	"invalidVideoMetadata":    {class: edit, code: "youtube_invalid_metadata", field: "title"},
	"invalidLanguage":         {class: edit, code: "youtube_invalid_language", field: "language"},
	"defaultLanguageNotSet":   {class: edit, code: "youtube_invalid_language", field: "language"},
	"invalidPrivacy":          {class: edit, code: "youtube_invalid_privacy", field: "privacy"},
	"forbiddenPrivacySetting": {class: edit, code: "youtube_privacy_setting", field: "privacy"},
	"forbiddenLicenseSetting": {class: edit, code: "youtube_license"},
	"invalidFilename":         {class: edit, code: "youtube_invalid_file"},
	"mediaBodyRequired":       {class: edit, code: "youtube_empty_file"},
	"uploadTooLarge":          {class: edit, code: "youtube_too_large"},
	"playlistNotFound":        {class: edit, code: "youtube_playlist_unknown", field: "playlist"},
	"invalidPlaylist":         {class: edit, code: "youtube_playlist_unknown", field: "playlist"},

	"videoNotFound": {class: notFound, code: "youtube_not_found"},
	"notFound":      {class: notFound, code: "youtube_not_found"},
	"answerLost":    {class: unclear, code: "youtube_unclear"},
}

// otherCodes are those that no reason of the table has.
var otherCodes = []string{
	"youtube_unreadable",
	"youtube_connection",
	"youtube_refused",
	"youtube_gone",
	"youtube_rejected",
	"youtube_processing_failed",
	"youtube_conflict",
	"youtube_otherwise",
	"youtube_thumbnail",
	"youtube_thumbnail_verify",
	"youtube_playlist",
	"youtube_privacy",
	"youtube_processing_slow",
	"youtube_consent_old",
	"youtube_consent_denied",
	"youtube_consent_partial",
	"youtube_no_refresh",
	"youtube_other_channel",
}

// Codes returns every code that an error or a warning of this package can carry, in order.
func Codes() []string {
	all := map[string]bool{}
	for _, m := range meanings {
		all[m.code] = true
	}
	for _, code := range otherCodes {
		all[code] = true
	}
	return slices.Sorted(maps.Keys(all))
}

var (
	markup = regexp.MustCompile(`<[^>]*>`)
	// secrets are tokens, the addresses of uploads, and what stands behind the "?" of any address.
	secrets = regexp.MustCompile(`ya29\.\S+|1//\S+|\S*upload_id=\S*|\S*\?\S+`)
	console = regexp.MustCompile(`https://console\.(?:developers|cloud)\.google\.com/[\w./-]*(?:\?project=[\w.:-]*\w)?`)
)

// consoleLink returns the address of Google's console in a text, with the project and nothing else behind it; ""
// without one.
func consoleLink(text string) string { return strings.TrimRight(console.FindString(text), ".") }

// LinkOf returns the page on which a person can fix what an error with that code and text is about; "" if there is
// none.
func LinkOf(code, text string) string {
	if link := consoleLink(text); link != "" {
		return link
	}
	for _, m := range meanings {
		if m.code == code {
			return m.link
		}
	}
	return ""
}

// tidy makes one line of a message, without markup, secrets or more than people read. An address of Google's console
// keeps its project, because the link is of no use without it.
func tidy(text string) string {
	text = secrets.ReplaceAllStringFunc(markup.ReplaceAllString(text, ""), func(found string) string {
		before, _, isAddress := strings.Cut(found, "?")
		switch {
		case !isAddress || strings.Contains(found, "upload_id="):
			return "…"
		case consoleLink(found) != "":
			u, err := url.Parse(consoleLink(found))
			if err == nil && u.RawQuery != "" {
				return u.String()
			}
		}
		return before + "…"
	})
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if r := []rune(text); len(r) > 300 {
		text = string(r[:299]) + "…"
	}
	return text
}
