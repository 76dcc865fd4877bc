// errors.go holds the errors that carry intent: what is permanent, and the name that no error may carry.

package video

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// ErrCannotDraw says that no font on this machine covers the name. It is permanent.
var ErrCannotDraw error = permanent{errors.New("no font here covers this name")}

// permanent marks an error that no further attempt can cure. Every other error of this package is transient.
type permanent struct{ error }

func (permanent) Permanent() bool { return true }
func (p permanent) Unwrap() error { return p.error }

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
