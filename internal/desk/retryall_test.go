// Tests of what the page says of Retry all.

package desk

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/retry"
)

func english(id string, vars Vars) string { return lang.Say("en", id, vars) }

func TestRetriedCountsInWords(t *testing.T) {
	for query, want := range map[string]string{
		"notice=retried&restarted=3&joined=0&skipped=0": "3 videos are being tried again.",
		"notice=retried&restarted=1":                    "1 video is being tried again.",
		"notice=retried&restarted=2&joined=1&skipped=0": "2 videos are being tried again. 1 was on its way already.",
		"notice=retried&restarted=1&joined=2&skipped=1": "1 video is being tried again. 2 were on their way already. 1 was left as it was.",
		"notice=retried&joined=1":                       "1 was on its way already.",
		"notice=retried&skipped=2":                      "2 were left as they were.",
		"notice=retried":                                "None of these is left to try again: they are on their way already, or gone.",
		"notice=retried&restarted=<b>&joined=-4":        "None of these is left to try again: they are on their way already, or gone.",
		"notice=created&restarted=3":                    "The video is in the queue.",
		"notice=nonsense&restarted=3":                   "",
		"":                                              "",
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := Notice(english, q); got != want {
			t.Errorf("%s: got %q; want %q", query, got, want)
		}
	}
}

func TestShownWantsANumberAndTheLastOfThem(t *testing.T) {
	until := time.Date(2026, 11, 22, 4, 5, 6, 789e6, time.UTC)
	for body, want := range map[string]struct {
		seen Seen
		err  error
	}{
		"count=3&newest=A":      {Seen{Shown: retry.Shown{Count: 3, Newest: "A"}}, nil},
		"count=3&newest=A&q=ма": {Seen{Found{Query: "ма"}, retry.Shown{Count: 3, Newest: "A"}}, nil},
		"publications=2&until=2026-11-22T04:05:06.789Z&platform=YOUTUBE&status=COMPLETED": {
			Seen{Found{"COMPLETED", "YOUTUBE", ""}, retry.Shown{Publications: 2, Until: until}}, nil},
		"count=1&newest=A&publications=2&until=2026-11-22T04:05:06.789Z": {Seen{Shown: retry.Shown{
			Count: 1, Newest: "A", Publications: 2, Until: until}}, nil},
		"undelivered=4&until=2026-11-22T04:05:06.789Z": {Seen{Shown: retry.Shown{Undelivered: 4, Until: until}}, nil},
		"undelivered=4":                   {Seen{}, ErrShown},
		"count=3":                         {Seen{}, ErrShown},
		"newest=A":                        {Seen{}, ErrShown},
		"count=0&newest=A":                {Seen{}, ErrShown},
		"count=x&newest=A":                {Seen{}, ErrShown},
		"publications=2":                  {Seen{}, ErrShown},
		"publications=2&until=now":        {Seen{}, ErrShown},
		"count=1&newest=A&publications=2": {Seen{}, ErrShown},
		"publications=2&newest=A":         {Seen{}, ErrShown},
		"":                                {Seen{}, ErrShown},
		"count=%zz":                       {Seen{}, ErrForm},
	} {
		seen, err := Shown(httptest.NewRecorder(), httptest.NewRequest("POST", "/retry-all", strings.NewReader(body)))
		if seen != want.seen || !errors.Is(err, want.err) {
			t.Errorf("%q: got %+v, %v; want %+v", body, seen, err, want)
		}
	}
}
