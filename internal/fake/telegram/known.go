// What the Bot API knows: methods, their parameters and the fields inside them.
// Telegram ignores whatever it does not know, and so hides a slip of the pen for
// ever; this server refuses it and keeps it for the test to see.

package telegram

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Parameters that many methods share.
const (
	toChat  = "business_connection_id chat_id message_thread_id direct_messages_topic_id "
	options = "disable_notification protect_content allow_paid_broadcast message_effect_id suggested_post_parameters" +
		" reply_parameters reply_markup "
	captioned = "caption parse_mode caption_entities show_caption_above_media "
	editing   = "business_connection_id chat_id message_id inline_message_id reply_markup "
)

// parameters lists what each method takes, by its name in small letters.
// https://core.telegram.org/bots/api, version 9.4
var parameters = map[string][]string{
	"getme":          nil,
	"getwebhookinfo": nil,
	"getupdates":     strings.Fields("offset limit timeout allowed_updates"),
	"deletewebhook":  strings.Fields("drop_pending_updates"),
	"sendmessage":    strings.Fields(toChat + options + "text parse_mode entities link_preview_options"),
	"sendvideo": strings.Fields(toChat + options + captioned +
		"video duration width height thumbnail cover start_timestamp" +
		" has_spoiler supports_streaming"),
	"sendanimation": strings.Fields(toChat + options + captioned +
		"animation duration width height thumbnail has_spoiler"),
	"senddocument": strings.Fields(toChat + options +
		"document thumbnail caption parse_mode caption_entities disable_content_type_detection"),
	"sendvoice":              strings.Fields(toChat + options + "voice caption parse_mode caption_entities duration"),
	"sendchataction":         strings.Fields("business_connection_id chat_id message_thread_id action"),
	"editmessagetext":        strings.Fields(editing + "text parse_mode entities link_preview_options"),
	"editmessagecaption":     strings.Fields(editing + captioned),
	"editmessagereplymarkup": strings.Fields(editing),
	"deletemessage":          strings.Fields("chat_id message_id"),
	"answercallbackquery":    strings.Fields("callback_query_id text show_alert url cache_time"),
	"setmycommands":          strings.Fields("commands scope language_code"),
	"getmycommands":          strings.Fields("scope language_code"),
	"deletemycommands":       strings.Fields("scope language_code"),
	"setmyname":              strings.Fields("name language_code"),
	"getmyname":              strings.Fields("language_code"),
	"setmydescription":       strings.Fields("description language_code"),
	"getmydescription":       strings.Fields("language_code"),
	"setmyshortdescription":  strings.Fields("short_description language_code"),
	"getmyshortdescription":  strings.Fields("language_code"),
	"getfile":                strings.Fields("file_id"),
	"getchat":                strings.Fields("chat_id"),
	"getchatmember":          strings.Fields("chat_id user_id"),
}

var entityFields = strings.Fields("type offset length url user language custom_emoji_id unix_time date_time_format")

// fields lists what the JSON inside a parameter may hold, by the path to it;
// [] stands for the elements of a list.
var fields = map[string][]string{
	"reply_markup": strings.Fields("inline_keyboard keyboard is_persistent resize_keyboard one_time_keyboard" +
		" input_field_placeholder selective remove_keyboard force_reply"),
	"reply_markup.inline_keyboard[][]": strings.Fields("text icon_custom_emoji_id style url callback_data web_app" +
		" login_url switch_inline_query switch_inline_query_current_chat switch_inline_query_chosen_chat" +
		" copy_text callback_game pay"),
	"link_preview_options": strings.Fields("is_disabled url prefer_small_media prefer_large_media show_above_text"),
	"entities[]":           entityFields,
	"caption_entities[]":   entityFields,
	"commands[]":           strings.Fields("command description"),
	"scope":                strings.Fields("type chat_id user_id"),
	"reply_parameters": strings.Fields("message_id chat_id allow_sending_without_reply quote quote_parse_mode" +
		" quote_entities quote_position checklist_task_id"),
}

// updateKinds are the kinds of updates that a bot can ask for.
var updateKinds = strings.Fields("message edited_message channel_post edited_channel_post business_connection" +
	" business_message edited_business_message deleted_business_messages message_reaction" +
	" message_reaction_count inline_query chosen_inline_result callback_query shipping_query pre_checkout_query " +
	"purchased_paid_media poll" +
	" poll_answer my_chat_member chat_member chat_join_request chat_boost removed_chat_boost")

// Mistakes returns what the bot asked for that the Bot API does not know: methods,
// parameters, fields and kinds of updates. A test of the bot wants none.
func (s *Server) Mistakes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mistakes)
}

// mistaken records a mistake and returns the refusal.
func (s *Server) mistaken(format string, args ...any) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	s.mistakes = append(s.mistakes, text)
	s.broadcast()
	return bad("the Bot API does not know %s", text)
}

// unknown returns the refusal of what is in a call and not in the Bot API, nil if
// there is no such thing.
func (s *Server) unknown(r *request) *apiError {
	known := parameters[strings.ToLower(r.method)]
	attached := map[string]bool{}
	for name, value := range r.params {
		if !slices.Contains(known, name) {
			return s.mistaken("the parameter %s of %s", name, r.method)
		}
		if file, ok := strings.CutPrefix(value, "attach://"); ok {
			attached[file] = true
		}
		var inside any
		if json.Unmarshal([]byte(value), &inside) == nil {
			if path := strange(name, inside); path != "" {
				return s.mistaken("the field %s of %s", path, r.method)
			}
		}
	}
	for name := range r.files {
		if !slices.Contains(known, name) && !attached[name] {
			return s.mistaken("the file %s of %s", name, r.method)
		}
	}
	var kinds []string
	if json.Unmarshal([]byte(r.text("allowed_updates")), &kinds) == nil {
		for _, k := range kinds {
			if !slices.Contains(updateKinds, k) {
				return s.mistaken("updates of the kind %s", k)
			}
		}
	}
	return nil
}

// strange returns the path of the first field that is not known, "" if all are.
func strange(path string, value any) string {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			if found := strange(path+"[]", element); found != "" {
				return found
			}
		}
	case map[string]any:
		known, listed := fields[path]
		for name, inside := range v {
			if listed && !slices.Contains(known, name) {
				return path + "." + name
			}
			if found := strange(path+"."+name, inside); found != "" {
				return found
			}
		}
	}
	return ""
}
