// retryall.go reads a press on Retry all and says what it has done.

package desk

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// ErrShown is what Shown returns for a request that does not say what was shown.
var ErrShown = errors.New("not what was shown")

// Seen is what the page that asks had shown: how many videos, the id of the one that had failed last, and the search that
// had found them.
type Seen struct {
	Count  int
	Newest string
	Query  string
}

// Shown reads what the page that asks had shown. Without a count and an id nothing is tried again: no request means all.
// Other errors are those of Fields.
func Shown(w http.ResponseWriter, r *http.Request) (Seen, error) {
	sent, err := Fields(w, r)
	if err != nil {
		return Seen{}, err
	}
	count, err := strconv.Atoi(sent["count"])
	if err != nil || count < 1 || sent["newest"] == "" {
		return Seen{}, ErrShown
	}
	return Seen{count, sent["newest"], sent["q"]}, nil
}

// retried says what came of Retry all, by the numbers in the address of the library.
func retried(query url.Values) string {
	var parts []string
	for _, p := range []struct{ key, one, many string }{
		{"restarted", "is being tried again", "are being tried again"},
		{"joined", "was on its way already", "were on their way already"},
		{"skipped", "was left as it was", "were left as they were"},
	} {
		n, err := strconv.Atoi(query.Get(p.key))
		if err != nil || n < 1 {
			continue
		}
		if n == 1 {
			parts = append(parts, "1 {video} "+p.one)
		} else {
			parts = append(parts, fmt.Sprintf("%d {videos} %s", n, p.many))
		}
	}
	say := strings.Join(parts, ", ") + "."
	switch len(parts) {
	case 0:
		return "None of these is left to try again: they are on their way already, or gone."
	case 1:
		return strings.NewReplacer("{", "", "}", "").Replace(say)
	}
	return strings.NewReplacer("{video} ", "", "{videos} ", "").Replace(say)
}

// Stopped says how far Retry all came before something of ours went wrong.
func Stopped(done, of int) string {
	return fmt.Sprintf("Something went wrong on our side after %d of %d. The others are as they were; you can press Retry all again.", done, of)
}
