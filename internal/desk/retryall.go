// retryall.go reads a press on Retry all.

package desk

import (
	"errors"
	"net/http"
	"strconv"
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
