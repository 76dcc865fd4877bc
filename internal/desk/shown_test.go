// Tests of how the answer of Retry all is read.

package desk

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"retake.example/internal/retry"
)

// shownOf is what a page has shown.
func shownOf(count int, newest string, publications, undelivered int, until time.Time) retry.Shown {
	return retry.Shown{Count: count, Newest: newest, Publications: publications, Undelivered: undelivered, Until: until}
}

func TestShown_EachNumberComesWithTheLastOfWhatWasShown(t *testing.T) {
	const until = "2026-12-20T12:00:00Z"
	for sent, want := range map[string]Seen{
		"": {}, "count=1": {}, "count=0&newest=a": {}, "count=-1&newest=a": {}, "count=x&newest=a": {}, "publications=1": {},
		"undelivered=1": {}, "publications=1&until=yesterday": {}, "newest=a": {}, "publications=1&until=" + until + "&count=0&newest=a": {},
		"count=3&newest=a":                      {Shown: shownOf(3, "a", 0, 0, time.Time{})},
		"publications=2&until=" + until:         {Shown: shownOf(0, "", 2, 0, time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC))},
		"undelivered=4&until=" + until:          {Shown: shownOf(0, "", 0, 4, time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC))},
		"count=1&newest=a&status=FAILED&q=маша": {Found: Found{Status: "FAILED", Query: "маша"}, Shown: shownOf(1, "a", 0, 0, time.Time{})},
	} {
		fields, err := url.ParseQuery(sent)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "/retry-all", strings.NewReader(fields.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		got, err := Shown(httptest.NewRecorder(), r)
		if refused := want == (Seen{}); refused != errors.Is(err, ErrShown) || !refused && (err != nil || got != want) {
			t.Errorf("%q: got %+v, %v; want %+v", sent, got, err, want)
		}
	}
}
