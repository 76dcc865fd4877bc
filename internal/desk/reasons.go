// Why something went wrong, in words: one message for each code that an error can carry.

package desk

import (
	"cmp"
	"strings"

	"retake.example/internal/publish"
)

// reasons are the messages about the codes of errors. A code never changes: it is stored. One that is
// more exact than any here has the message of its family: youtube_rejected_length2 that of youtube_rejected.
var reasons = map[string]string{
	// Making videos: the engine, the machine, the program itself.
	"CANNOT_DRAW":      "reason_font",
	"ENGINE_REFUSED":   "reason_refused",
	"ENGINE":           "reason_engine",
	"GENERATOR":        "reason_generator",
	"DISK_FULL":        "reason_disk_low",
	"NO_SPACE":         "reason_disk_full",
	"VOICE":            "reason_voice",
	"TIMEOUT":          "reason_slow",
	"CRASHED":          "reason_crash",
	"PANIC":            "reason_panic",
	"MACHINE":          "reason_machine",
	"FFMPEG_MISSING":   "reason_ffmpeg",
	"PROGRAM_MISSING":  "reason_program",
	"NO_ANSWER":        "reason_no_answer",
	"UNREACHABLE":      "reason_unreachable",
	"BUSY":             "reason_busy",
	"KEEP":             "reason_keep",
	"NO_VIDEO":         "reason_no_video",
	"UNPLAYABLE":       "reason_unplayable",
	"VIDEO_TOO_LARGE":  "reason_too_large",
	"TEMPLATE_MISSING": "reason_template_gone",
	"TEMPLATE":         "reason_template_faults",

	// The farm.
	"FARM_AWAY":  "reason_farm_away",
	"FARM_EMPTY": "reason_farm_empty",
	"FARM_PARTS": "reason_farm_parts",
	"FARM_DIED":  "reason_farm_died",
	"FARM_FILM":  "reason_farm_film",
	"FARM_STORE": "reason_farm_store",

	// The media store.
	"media_s3":             "reason_store_away",
	"media_s3_unreachable": "reason_store_away",
	"media_s3_busy":        "reason_store_away",
	"media_s3_refused":     "reason_store_away",
	"media_s3_access_key":  "reason_store_settings",
	"media_s3_secret_key":  "reason_store_settings",
	"media_s3_region":      "reason_store_settings",
	"media_s3_bucket":      "reason_store_settings",
	"media_s3_permission":  "reason_store_settings",
	"media_s3_versions":    "reason_store_settings",
	"media_s3_clock":       "reason_store_clock",
	"media_s3_quota":       "reason_store_full",
	"media_s3_lost":        "reason_store_broken",
	"media_s3_damaged":     "reason_store_broken",
	"media_s3_kept":        "reason_store_broken",

	// Any platform: its codes begin with its own name, and these hold where it has no message of its own.
	"platform":              "reason_unpublished",
	"platform_connection":   "platform_connection",
	"platform_unreachable":  "platform_connection",
	"platform_unreadable":   "platform_connection",
	"platform_access_ended": "platform_ended",
	"platform_disconnected": "platform_disconnected",
	"platform_not_found":    "platform_gone",
	"platform_not_public":   "fault_not_public",
	"platform_not_set_up":   "fault_place_off",
	"platform_restored":     "platform_restored",
	"platform_forgotten":    "platform_forgotten",

	// YouTube.
	"youtube":                            "reason_unpublished",
	"youtube_connection":                 "platform_connection",
	"youtube_unreachable":                "platform_connection",
	"youtube_unreadable":                 "platform_connection",
	"youtube_again":                      "platform_connection",
	"youtube_busy":                       "youtube_busy",
	"youtube_session":                    "youtube_session",
	"youtube_quota":                      "youtube_quota",
	"youtube_upload_limit":               "youtube_limit",
	"youtube_access_ended":               "youtube_ended",
	"youtube_disconnected":               "youtube_disconnected",
	"youtube_token_key":                  "youtube_token_key",
	"youtube_not_set_up":                 "error_no_client",
	"youtube_permissions":                "youtube_permissions",
	"youtube_client":                     "youtube_client",
	"youtube_policy":                     "youtube_policy",
	"youtube_api_disabled":               "youtube_api_disabled",
	"youtube_redirect_mismatch":          "youtube_redirect",
	"youtube_no_channel":                 "youtube_no_channel",
	"youtube_account_closed":             "youtube_closed",
	"youtube_account_suspended":          "youtube_suspended",
	"youtube_forbidden":                  "youtube_forbidden",
	"youtube_consent_old":                "error_old_state",
	"youtube_consent_denied":             "error_denied",
	"youtube_consent_partial":            "error_not_all",
	"youtube_no_refresh":                 "error_no_refresh",
	"youtube_other_channel":              "youtube_other_channel",
	"youtube_invalid_title":              "youtube_title",
	"youtube_invalid_description":        "youtube_description",
	"youtube_invalid_tags":               "youtube_tags",
	"youtube_invalid_category":           "youtube_category",
	"youtube_invalid_publish_at":         "youtube_publish_at",
	"youtube_invalid_metadata":           "youtube_metadata",
	"youtube_invalid_file":               "youtube_filename",
	"youtube_invalid_language":           "youtube_language",
	"youtube_invalid_privacy":            "youtube_privacy_setting",
	"youtube_privacy_setting":            "youtube_privacy_setting",
	"youtube_playlist_unknown":           "youtube_playlist_unknown",
	"youtube_license":                    "youtube_license",
	"youtube_empty_file":                 "youtube_empty",
	"youtube_too_large":                  "youtube_too_large",
	"youtube_refused":                    "youtube_refused",
	"youtube_not_found":                  "youtube_gone",
	"youtube_gone":                       "youtube_gone",
	"youtube_unclear":                    "youtube_unclear",
	"youtube_conflict":                   "youtube_conflict",
	"youtube_otherwise":                  "youtube_otherwise",
	"youtube_processing_failed":          "youtube_processing",
	"youtube_processing_failed_convert":  "youtube_conversion",
	"youtube_processing_failed_file":     "youtube_invalid_file",
	"youtube_processing_failed_empty":    "youtube_empty",
	"youtube_processing_failed_small":    "youtube_too_small",
	"youtube_processing_failed_codec":    "youtube_codec",
	"youtube_processing_failed_aborted":  "youtube_aborted",
	"youtube_processing_slow":            "youtube_slow",
	"youtube_rejected":                   "youtube_rejected",
	"youtube_rejected_copyright":         "youtube_copyright",
	"youtube_rejected_trademark":         "youtube_trademark",
	"youtube_rejected_inappropriate":     "youtube_inappropriate",
	"youtube_rejected_terms":             "youtube_terms",
	"youtube_rejected_legal":             "youtube_legal",
	"youtube_rejected_duplicate":         "youtube_duplicate",
	"youtube_rejected_length":            "youtube_length",
	"youtube_rejected_account_closed":    "youtube_closed",
	"youtube_rejected_account_suspended": "youtube_suspended",
	"youtube_thumbnail":                  "youtube_thumbnail",
	"youtube_thumbnail_verify":           "youtube_verify",
	"youtube_playlist":                   "youtube_playlist",
	"youtube_privacy":                    "youtube_privacy",
	"youtube_restored":                   "platform_restored",
	"youtube_forgotten":                  "platform_forgotten",

	// Rumble.
	"rumble":                     "reason_unpublished",
	"rumble_connection":          "platform_connection",
	"rumble_unreachable":         "platform_connection",
	"rumble_unreadable":          "platform_connection",
	"rumble_fault":               "platform_connection",
	"rumble_busy":                "rumble_busy",
	"rumble_unclear":             "rumble_unknown",
	"rumble_token":               "rumble_token",
	"rumble_channel":             "rumble_channel",
	"rumble_refused":             "rumble_refused",
	"rumble_invalid_title":       "rumble_title",
	"rumble_invalid_description": "rumble_description",
	"rumble_not_public":          "fault_not_public",
	"rumble_video":               "rumble_video",
	"rumble_thumbnail":           "rumble_thumb",
	"rumble_twice":               "rumble_twice",
	"rumble_restored":            "platform_restored",
	"rumble_forgotten":           "platform_forgotten",

	// A Telegram channel.
	"telegram":              "reason_unpublished",
	"telegram_unreachable":  "platform_connection",
	"telegram_busy":         "telegram_busy",
	"telegram_refused":      "telegram_refused",
	"telegram_file":         "telegram_file",
	"telegram_unclear":      "telegram_unclear",
	"telegram_no_channel":   "telegram_no_channel",
	"telegram_not_channel":  "telegram_not_channel",
	"telegram_no_rights":    "telegram_no_rights",
	"telegram_not_found":    "telegram_not_found",
	"telegram_too_old":      "telegram_too_old",
	"telegram_too_large":    "telegram_too_large",
	"telegram_not_public":   "fault_not_public",
	"telegram_not_set_up":   "telegram_not_set_up",
	"telegram_disconnected": "telegram_disconnected",
	"telegram_access_ended": "telegram_ended",
	"telegram_restored":     "platform_restored",
	"telegram_forgotten":    "platform_forgotten",
}

// platformOf is the name of the platform that a code comes from; "" if it comes from none.
func platformOf(code string) string {
	prefix, _, _ := strings.Cut(code, "_")
	place, known := publish.PlaceOf(strings.ToUpper(prefix))
	if !known {
		return ""
	}
	return place.Name
}

// messageOf is the id of the message about a code; "" if there is none.
func messageOf(code string) string {
	prefix, rest, _ := strings.Cut(code, "_")
	ofAny := reasons["platform_"+rest]
	for all := code; all != ""; all = all[:max(0, strings.LastIndex(all, "_"))] {
		if id := reasons[all]; id != "" && !(all == prefix && ofAny != "") {
			return id
		}
	}
	switch {
	case platformOf(code) == "":
		return ""
	case ofAny != "":
		return ofAny
	}
	return reasons["platform"]
}

// Reason says in words what went wrong, by the code of an error and, for those that were stored without one, its
// text. It is the message otherwise if the code has none, and "" if nothing went wrong. The text itself is for those
// who want to know more.
func Reason(say Say, code, problem, otherwise string) string {
	if code == "" && problem == "" {
		return ""
	}
	code = cmp.Or(code, codeOfText(problem))
	return say(cmp.Or(messageOf(code), otherwise), Vars{"Name": platformOf(code)})
}

// fields are those of the form that a platform has refused, by the codes of its errors.
var fields = map[string]string{
	"youtube_invalid_title":       "title",
	"youtube_invalid_metadata":    "title",
	"youtube_invalid_description": "description",
	"youtube_invalid_tags":        "tags",
	"youtube_invalid_category":    "category",
	"youtube_invalid_language":    "language",
	"youtube_invalid_privacy":     "privacy",
	"youtube_privacy_setting":     "privacy",
	"youtube_playlist_unknown":    "playlist",
	"rumble_invalid_title":        "title",
	"rumble_invalid_description":  "description",
	"rumble_not_public":           "privacy",
	"telegram_not_public":         "privacy",
}
