// The kinds of buttons: what the data of a button says before the colon.

package telegram

// What a press of a button asks for, and what its data holds after the colon. No button carries a name.
const (
	RetryButton  = "retry_failed_video" // asset id; this word never changes: apologies of years ago carry it
	YesButton    = "make"               // draft id, or draft id:template id where there is a choice
	ChangeButton = "change"             // draft id
	PlayButton   = "play"               // draft id
	CancelButton = "cancel"             // asset id
	GetButton    = "get"                // asset id
	MoreButton   = "more"
	LangButton   = "lang"   // language
	ForgetButton = "forget" // yes or no
	TryButton    = "try"
	AgainButton  = "retry_all"   // asset id:count, the last of the failed videos and how many there were
	PutButton    = "publish_all" // ms:count, when the last of the failed publications was, and how many there were
	NewsButton   = "news"        // yes, no, or stop below an announcement
	SendButton   = "send_all"    // ms:count, when the last message was given up, and how many videos these are about
)
