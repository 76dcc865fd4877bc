// errors.go holds the errors that carry intent: what is permanent, and the name that no error may carry.

package video

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Codes of errors. They are stored, and what people are told hangs on them: never change one.
const (
	CodeUnreachable = "UNREACHABLE" // the generator or the voice service is away: every order has to wait
	CodeBusy        = "BUSY"        // it says when to ask again
	CodeDiskFull    = "DISK_FULL"   // the reserve would be touched
	CodeMachine     = "MACHINE"     // ffmpeg is missing, was killed, or could not be started: no file is at fault
	CodeNoVideo     = "NO_VIDEO"    // the engine left no file
	CodeUnplayable  = "UNPLAYABLE"  // the engine left a file that isn't a video, is damaged, or is of a kind not taken
	CodeTooLarge    = "VIDEO_TOO_LARGE"
	CodeTemplate    = "TEMPLATE"       // the template has faults that its author can fix
	CodeEngine      = "ENGINE"         // the engine ran and failed
	CodeTimeout     = "TIMEOUT"        // the video took longer than render.timeout
	CodeRefused     = "ENGINE_REFUSED" // the engine says that it will never make this video
	CodeCannotDraw  = "CANNOT_DRAW"    // no font covers the name
)

// ErrCannotDraw says that no font on this machine covers the name. It is permanent.
var ErrCannotDraw error = permanent{coded{errors.New("no font here covers this name"), CodeCannotDraw}}

// permanent marks an error that no further attempt can change. Every other error of this package is transient.
type permanent struct{ error }

func (permanent) Permanent() bool { return true }
func (p permanent) Unwrap() error { return p.error }

// coded gives an error its code.
type coded struct {
	error
	code string
}

// Code returns one of the codes above.
func (c coded) Code() string  { return c.code }
func (c coded) Unwrap() error { return c.error }

// waits is an error that is over some time later: nothing was tried, so it spends no attempt. What is counted, and for
// how long one order may wait, is for the caller to say.
type waits struct {
	coded
	after time.Duration
}

// RetryAfter returns how long to wait before the next attempt; this one does not count.
func (w waits) RetryAfter() (wait time.Duration, yes bool) { return w.after, true }
func (w waits) Unwrap() error                              { return w.coded }

// CodeOf returns the code of an error of this package, "" if it has none.
func CodeOf(err error) string {
	if c, ok := errors.AsType[interface {
		error
		Code() string
	}](err); ok {
		return c.Code()
	}
	return ""
}

// redact replaces the name in text that a program printed by "[name]", also where it is in another case, another
// Unicode form or escaped, and where the beginning of the text was cut off in the middle of the name.
func redact(text, name string) string {
	if name == "" {
		return text
	}
	quoted := strconv.QuoteToASCII(name)
	var forms []string
	for _, f := range []string{name, norm.NFC.String(name), norm.NFD.String(name),
		quoted[1 : len(quoted)-1], url.QueryEscape(name), url.PathEscape(name)} {
		forms = append(forms, regexp.QuoteMeta(f))
	}
	text = regexp.MustCompile("(?i)"+strings.Join(forms, "|")).ReplaceAllLiteralString(text, "[name]")
	for i := range name {
		if i > 0 && strings.HasPrefix(text, name[i:]) {
			return "[name]" + text[len(name)-i:]
		}
	}
	return text
}

// unfit is what is wrong with a film itself, in words for its author.
type unfit struct{ error }

func (u unfit) Unwrap() error { return u.error }

// isRefusal reports whether an error is permanent.
func isRefusal(err error) bool {
	_, ok := errors.AsType[permanent](err)
	return ok
}
