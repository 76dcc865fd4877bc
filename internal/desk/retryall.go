// retryall.go reads a press on Retry all.

package desk

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// ErrShown is what Shown returns for a request that does not say what was shown.
var ErrShown = errors.New("not what was shown")

// Found is what a page of the library was asked for.
type Found struct {
	Status   string `json:"-"` // "": all
	Platform string `json:"-"` // "": all
	Query    string `json:"-"` // the search, as it was typed
}

// Address is a page about what was found.
func (f Found) Address(path string) string {
	return Address(path, "status", f.Status, "platform", f.Platform, "q", f.Query)
}

// Seen is what the page that asks had shown: how many videos, and the id of the one that had failed last; how many
// publications, and when the last of them had failed.
type Seen struct {
	Found
	Count        int
	Newest       string
	Publications int
	Until        time.Time
}

// Shown reads what the page that asks had shown. Without a number and the last of them nothing is tried again: no request
// means all. Other errors are those of Fields.
func Shown(w http.ResponseWriter, r *http.Request) (Seen, error) {
	sent, err := Fields(w, r)
	if err != nil {
		return Seen{}, err
	}
	seen := Seen{Found: Found{sent["status"], sent["platform"], sent["q"]}, Newest: sent["newest"]}
	for _, n := range []struct {
		field string
		into  *int
		last  string
	}{{"count", &seen.Count, "newest"}, {"publications", &seen.Publications, "until"}} {
		if sent[n.field] == "" {
			continue
		}
		if *n.into, err = strconv.Atoi(sent[n.field]); err != nil || *n.into < 1 || sent[n.last] == "" {
			return Seen{}, ErrShown
		}
	}
	if seen.Publications > 0 {
		seen.Until, err = time.Parse(time.RFC3339Nano, sent["until"])
	}
	if err != nil || seen.Count+seen.Publications == 0 {
		return Seen{}, ErrShown
	}
	return seen, nil
}
