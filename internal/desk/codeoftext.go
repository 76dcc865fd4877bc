// The codes of errors that were stored before errors had codes, by their text. It can be deleted with the last of them.

package desk

import (
	"regexp"
	"strings"
)

// codeOfText returns the code of an error by its text, or "" if it has none.
func codeOfText(problem string) string {
	if m := platformError.FindStringSubmatch(problem); m != nil {
		platform, word := m[1], m[2]
		if code := wordCodes[platform+" "+word]; code != "" {
			return code
		}
		for prefix, code := range wordFamilies {
			if strings.HasPrefix(word, prefix) {
				return platform + code
			}
		}
		return platform
	}
	for _, s := range signs {
		if strings.Contains(problem, s.text) {
			return s.code
		}
	}
	return ""
}

// platformError is how an error of a platform begins: with its name, and its own word for what went wrong.
var platformError = regexp.MustCompile(`(?:^|: )(youtube|rumble|telegram) ([A-Za-z]\w*(?:-\w+)*)(?:: |$)`)

// signs are parts of the texts of other errors. The first that fits wins.
var signs = []struct{ text, code string }{
	{"the media store ", "media_s3"}, // first: what follows is only how
	{"media.s3.", "media_s3"},
	{"no font here covers this name", "CANNOT_DRAW"},
	{"engine refused", "ENGINE_REFUSED"},
	{"disk is nearly full", "DISK_FULL"},
	{"no space left on device", "NO_SPACE"},
	{"voice: ", "VOICE"},
	{"took longer than", "TIMEOUT"},
	{"deadline exceeded", "TIMEOUT"},
	{"the program ended", "CRASHED"},
	{"panic:", "PANIC"},
	{"ffmpeg was not found", "FFMPEG_MISSING"},
	{"ffprobe was not found", "FFMPEG_MISSING"},
	{"executable file not found", "PROGRAM_MISSING"},
	{"connection refused", "NO_ANSWER"},
	{"no such host", "UNREACHABLE"},
	{"keep the ", "KEEP"},
	{"keep a video", "KEEP"},
	{"the engine left no video file", "NO_VIDEO"},
	{"probe: ", "UNPLAYABLE"},
	{"the video was cut short", "UNPLAYABLE"},
	{"the video has ", "VIDEO_TOO_LARGE"},
	{"unknown template", "TEMPLATE_MISSING"},
	{"template.toml:", "TEMPLATE"},
	{"generator ", "GENERATOR"},
}

// wordFamilies are the codes of words that begin alike.
var wordFamilies = map[string]string{"http5": "_unreachable", "processing-failed-": "_processing_failed",
	"rejected-":  "_rejected",
	"thumbnail-": "_thumbnail", "playlist-": "_playlist", "privacy-": "_privacy"}

// wordCodes are the codes of the platforms' words.
var wordCodes = map[string]string{
	"youtube connection":                        "youtube_connection",
	"youtube http408":                           "youtube_unreachable",
	"youtube http429":                           "youtube_busy",
	"youtube backendError":                      "youtube_unreachable",
	"youtube internalError":                     "youtube_unreachable",
	"youtube alreadyExists":                     "youtube_again",
	"youtube temporarily_unavailable":           "youtube_unreachable",
	"youtube server_error":                      "youtube_unreachable",
	"youtube rateLimitExceeded":                 "youtube_busy",
	"youtube userRateLimitExceeded":             "youtube_busy",
	"youtube sessionGone":                       "youtube_session",
	"youtube quotaExceeded":                     "youtube_quota",
	"youtube dailyLimitExceeded":                "youtube_quota",
	"youtube uploadLimitExceeded":               "youtube_upload_limit",
	"youtube invalid_grant":                     "youtube_access_ended",
	"youtube authError":                         "youtube_access_ended",
	"youtube http401":                           "youtube_access_ended",
	"youtube access_denied":                     "youtube_access_ended",
	"youtube disconnected":                      "youtube_disconnected",
	"youtube tokenKey":                          "youtube_token_key",
	"youtube notSetUp":                          "youtube_not_set_up",
	"youtube insufficientPermissions":           "youtube_permissions",
	"youtube invalid_client":                    "youtube_client",
	"youtube unauthorized_client":               "youtube_client",
	"youtube deleted_client":                    "youtube_client",
	"youtube disabled_client":                   "youtube_client",
	"youtube admin_policy_enforced":             "youtube_policy",
	"youtube youtubeSignupRequired":             "youtube_no_channel",
	"youtube authenticatedUserNotChannel":       "youtube_no_channel",
	"youtube authenticatedUserAccountClosed":    "youtube_account_closed",
	"youtube authenticatedUserAccountSuspended": "youtube_account_suspended",
	"youtube accountClosed":                     "youtube_account_closed",
	"youtube accountSuspended":                  "youtube_account_suspended",
	"youtube channelClosed":                     "youtube_account_closed",
	"youtube channelSuspended":                  "youtube_account_suspended",
	"youtube forbidden":                         "youtube_forbidden",
	"youtube invalidTitle":                      "youtube_invalid_title",
	"youtube invalidDescription":                "youtube_invalid_description",
	"youtube invalidTags":                       "youtube_invalid_tags",
	"youtube invalidCategoryId":                 "youtube_invalid_category",
	"youtube invalidPublishAt":                  "youtube_invalid_publish_at",
	"youtube invalidVideoMetadata":              "youtube_invalid_metadata",
	"youtube invalidFilename":                   "youtube_invalid_file",
	"youtube mediaBodyRequired":                 "youtube_empty_file",
	"youtube defaultLanguageNotSet":             "youtube_invalid_language",
	"youtube forbiddenPrivacySetting":           "youtube_privacy_setting",
	"youtube forbiddenLicenseSetting":           "youtube_license",
	"youtube http413":                           "youtube_too_large",
	"youtube videoNotFound":                     "youtube_gone",
	"youtube processing-failed-conversion":      "youtube_processing_failed_convert",
	"youtube processing-failed-transcodeFailed": "youtube_processing_failed_convert",
	"youtube processing-failed-streamingFailed": "youtube_processing_failed_convert",
	"youtube processing-failed-invalidFile":     "youtube_processing_failed_file",
	"youtube processing-failed-emptyFile":       "youtube_processing_failed_empty",
	"youtube processing-failed-tooSmall":        "youtube_processing_failed_small",
	"youtube processing-failed-codec":           "youtube_processing_failed_codec",
	"youtube processing-failed-uploadAborted":   "youtube_processing_failed_aborted",
	"youtube processing-failed-uploadFailed":    "youtube_processing_failed_aborted",
	"youtube processing-slow":                   "youtube_processing_slow",
	"youtube rejected-copyright":                "youtube_rejected_copyright",
	"youtube rejected-claim":                    "youtube_rejected_copyright",
	"youtube rejected-trademark":                "youtube_rejected_trademark",
	"youtube rejected-inappropriate":            "youtube_rejected_inappropriate",
	"youtube rejected-termsOfUse":               "youtube_rejected_terms",
	"youtube rejected-legal":                    "youtube_rejected_legal",
	"youtube rejected-duplicate":                "youtube_rejected_duplicate",
	"youtube rejected-length":                   "youtube_rejected_length",
	"youtube rejected-uploaderAccountClosed":    "youtube_rejected_account_closed",
	"youtube rejected-uploaderAccountSuspended": "youtube_rejected_account_suspended",
	"youtube thumbnail-forbidden":               "youtube_thumbnail_verify",
	"youtube restored":                          "youtube_restored",
	"rumble restored":                           "rumble_restored",
	"telegram restored":                         "telegram_restored",
	"telegram forgotten":                        "telegram_forgotten",
	"telegram videoNotFound":                    "telegram_not_found",
	"telegram disconnected":                     "telegram_disconnected",
	"telegram noRights":                         "telegram_no_rights",
	"telegram chatNotFound":                     "telegram_no_channel",
	"telegram notChannel":                       "telegram_not_channel",
	"youtube forgotten":                         "youtube_forgotten",
	"rumble forgotten":                          "rumble_forgotten",
	"rumble connection":                         "rumble_connection",
	"rumble http429":                            "rumble_busy",
	"rumble rumbleFault":                        "rumble_fault",
	"rumble answerLost":                         "rumble_unclear",
	"rumble badToken":                           "rumble_token",
	"rumble badChannel":                         "rumble_channel",
	"rumble refused":                            "rumble_refused",
	"rumble refused-title":                      "rumble_invalid_title",
	"rumble refused-description":                "rumble_invalid_description",
	"rumble refused-privacy":                    "rumble_not_public",
	"rumble refused-video":                      "rumble_video",
	"rumble refused-thumb":                      "rumble_thumbnail",
	"rumble refused-guid":                       "rumble_twice",
}
