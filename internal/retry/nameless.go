// What the log may hold of an error: no names.

package retry

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Nameless replaces a name in a text, also in another case or escaped.
func Nameless(text, name string) string {
	if name == "" {
		return text
	}
	quoted := strconv.QuoteToASCII(name)
	var forms []string
	for _, form := range []string{name, quoted[1 : len(quoted)-1], url.QueryEscape(name), url.PathEscape(name)} {
		forms = append(forms, regexp.QuoteMeta(form))
	}
	return regexp.MustCompile("(?i)"+strings.Join(forms, "|")).ReplaceAllLiteralString(text, "[name]")
}
