// Why something went wrong, in words.

package desk

import (
	"regexp"
	"strings"
)

// reasons say in words what an error is about, by what it contains. The first that fits wins.
var reasons = []struct{ sign, id string }{
	{"the media store ", "reason_store_away"}, // first: what follows is only how
	{"media.s3.", "reason_store_away"},
	{"no font here covers this name", "reason_font"},
	{"engine refused", "reason_refused"},
	{"disk is nearly full", "reason_disk_low"},
	{"no space left on device", "reason_disk_full"},
	{"voice: ", "reason_voice"},
	{"took longer than", "reason_slow"},
	{"deadline exceeded", "reason_slow"},
	{"the program ended", "reason_crash"},
	{"panic:", "reason_panic"},
	{"ffmpeg was not found", "reason_ffmpeg"},
	{"executable file not found", "reason_program"},
	{"connection refused", "reason_no_answer"},
	{"no such host", "reason_unreachable"},
	{"keep the video", "reason_keep"},
	{"the engine left no video file", "reason_no_video"},
	{"probe: ", "reason_unplayable"},
	{"the video has ", "reason_too_large"},
	{"unknown template", "reason_template_gone"},
	{"template.toml:", "reason_template_faults"},
	{"generator ", "reason_generator"},
}

// Reason says in words what went wrong: the message otherwise if no reason fits, "" if nothing did. The error itself is for
// whoever wants to know more.
func Reason(say Say, problem, otherwise string) string {
	if problem == "" {
		return ""
	}
	if platform, word := wordOf(problem); word != "" {
		return say(about(platform, word), Vars{"Name": platform})
	}
	for _, r := range reasons {
		if strings.Contains(problem, r.sign) {
			return say(r.id, nil)
		}
	}
	return say(otherwise, nil)
}

// platformError is how an error of a platform begins: with its name, and its own word for what went wrong.
var platformError = regexp.MustCompile(`(?:^|: )(youtube|rumble) ([A-Za-z]\w*(?:-\w+)*)(?:: |$)`)

// wordOf returns the name of the platform that an error comes from and its word for it; "" if it comes from none.
func wordOf(problem string) (platform, word string) {
	m := platformError.FindStringSubmatch(problem)
	if m == nil {
		return "", ""
	}
	return PlatformName(strings.ToUpper(m[1])), m[2]
}

// about is the id of the message about a word of a platform. What begins like a family of words and is none that is
// known has the sentence of the family.
func about(platform, word string) string {
	if id := words[platform+" "+word]; id != "" {
		return id
	}
	for _, family := range []struct{ prefix, id string }{{"http5", "platform_connection"}, {"processing-failed-", "youtube_processing"},
		{"rejected-", "youtube_rejected"}, {"thumbnail-", "youtube_thumbnail"}, {"playlist-", "youtube_playlist"}, {"privacy-", "youtube_privacy"}} {
		if strings.HasPrefix(word, family.prefix) {
			return family.id
		}
	}
	return "reason_unpublished"
}

// words are the messages about the words of the platforms: those of YouTube's list of errors, of Google's consent, of
// Rumble's answers, and our own.
var words = map[string]string{
	"YouTube connection":              "platform_connection",
	"YouTube http408":                 "platform_connection",
	"YouTube http429":                 "youtube_busy",
	"YouTube backendError":            "platform_connection",
	"YouTube internalError":           "platform_connection",
	"YouTube alreadyExists":           "platform_connection",
	"YouTube temporarily_unavailable": "platform_connection",
	"YouTube server_error":            "platform_connection",
	"YouTube rateLimitExceeded":       "youtube_busy",
	"YouTube userRateLimitExceeded":   "youtube_busy",
	"YouTube sessionGone":             "youtube_session",
	"YouTube quotaExceeded":           "youtube_quota",
	"YouTube dailyLimitExceeded":      "youtube_quota",
	"YouTube uploadLimitExceeded":     "youtube_limit",

	"YouTube invalid_grant":           "youtube_ended",
	"YouTube authError":               "youtube_ended",
	"YouTube http401":                 "youtube_ended",
	"YouTube access_denied":           "youtube_ended",
	"YouTube disconnected":            "youtube_disconnected",
	"YouTube tokenKey":                "youtube_token_key",
	"YouTube notSetUp":                "error_no_client",
	"YouTube insufficientPermissions": "youtube_permissions",
	"YouTube invalid_client":          "youtube_client",
	"YouTube unauthorized_client":     "youtube_client",
	"YouTube deleted_client":          "youtube_client",
	"YouTube disabled_client":         "youtube_client",
	"YouTube admin_policy_enforced":   "youtube_policy",

	"YouTube youtubeSignupRequired":             "youtube_no_channel",
	"YouTube authenticatedUserNotChannel":       "youtube_no_channel",
	"YouTube authenticatedUserAccountClosed":    "youtube_closed",
	"YouTube authenticatedUserAccountSuspended": "youtube_suspended",
	"YouTube accountClosed":                     "youtube_closed",
	"YouTube accountSuspended":                  "youtube_suspended",
	"YouTube channelClosed":                     "youtube_closed",
	"YouTube channelSuspended":                  "youtube_suspended",
	"YouTube forbidden":                         "youtube_forbidden",

	"YouTube invalidTitle":            "youtube_title",
	"YouTube invalidDescription":      "youtube_description",
	"YouTube invalidTags":             "youtube_tags",
	"YouTube invalidCategoryId":       "youtube_category",
	"YouTube invalidPublishAt":        "youtube_publish_at",
	"YouTube invalidVideoMetadata":    "youtube_metadata",
	"YouTube invalidFilename":         "youtube_filename",
	"YouTube mediaBodyRequired":       "youtube_empty",
	"YouTube defaultLanguageNotSet":   "youtube_language",
	"YouTube forbiddenPrivacySetting": "youtube_privacy_setting",
	"YouTube forbiddenLicenseSetting": "youtube_license",
	"YouTube http413":                 "youtube_too_large",
	"YouTube videoNotFound":           "youtube_gone",

	"YouTube processing-failed-conversion":      "youtube_conversion",
	"YouTube processing-failed-transcodeFailed": "youtube_conversion",
	"YouTube processing-failed-streamingFailed": "youtube_conversion",
	"YouTube processing-failed-invalidFile":     "youtube_invalid_file",
	"YouTube processing-failed-emptyFile":       "youtube_empty",
	"YouTube processing-failed-tooSmall":        "youtube_too_small",
	"YouTube processing-failed-codec":           "youtube_codec",
	"YouTube processing-failed-uploadAborted":   "youtube_aborted",
	"YouTube processing-failed-uploadFailed":    "youtube_aborted",
	"YouTube processing-slow":                   "youtube_slow",

	"YouTube rejected-copyright":                "youtube_copyright",
	"YouTube rejected-claim":                    "youtube_copyright",
	"YouTube rejected-trademark":                "youtube_trademark",
	"YouTube rejected-inappropriate":            "youtube_inappropriate",
	"YouTube rejected-termsOfUse":               "youtube_terms",
	"YouTube rejected-legal":                    "youtube_legal",
	"YouTube rejected-duplicate":                "youtube_duplicate",
	"YouTube rejected-length":                   "youtube_length",
	"YouTube rejected-uploaderAccountClosed":    "youtube_closed",
	"YouTube rejected-uploaderAccountSuspended": "youtube_suspended",

	"YouTube thumbnail-forbidden": "youtube_verify",

	"YouTube restored":  "platform_restored",
	"Rumble restored":   "platform_restored",
	"YouTube forgotten": "platform_forgotten",
	"Rumble forgotten":  "platform_forgotten",

	"Rumble connection":          "platform_connection",
	"Rumble http429":             "rumble_busy",
	"Rumble rumbleFault":         "platform_connection",
	"Rumble answerLost":          "rumble_unknown",
	"Rumble badToken":            "rumble_token",
	"Rumble badChannel":          "rumble_channel",
	"Rumble refused":             "rumble_refused",
	"Rumble refused-title":       "rumble_title",
	"Rumble refused-description": "rumble_description",
	"Rumble refused-privacy":     "fault_rumble_private",
	"Rumble refused-video":       "rumble_video",
	"Rumble refused-thumb":       "rumble_thumb",
	"Rumble refused-guid":        "rumble_twice",
}

// fields are those of the form that a platform has refused, by its words.
var fields = map[string]string{
	"YouTube invalidTitle":            "title",
	"YouTube invalidVideoMetadata":    "title",
	"YouTube invalidDescription":      "description",
	"YouTube invalidTags":             "tags",
	"YouTube invalidCategoryId":       "category",
	"YouTube defaultLanguageNotSet":   "language",
	"YouTube forbiddenPrivacySetting": "privacy",
	"Rumble refused-title":            "title",
	"Rumble refused-description":      "description",
	"Rumble refused-privacy":          "privacy",
}

// fieldOf is the field of the form that an error is about; "" for none in particular.
func fieldOf(problem string) string {
	platform, word := wordOf(problem)
	return fields[platform+" "+word]
}
