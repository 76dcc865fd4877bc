// Tests of what errors say about another try.

package retry_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"retake.example/internal/retry"
)

// says is an error that says no or yes to everything that it can be asked.
type says bool

func (says) Error() string { return "an error" }

func (s says) Permanent() bool { return bool(s) }

func (s says) Unreachable() bool { return bool(s) }

func (s says) Progressed() bool { return bool(s) }

func (s says) RetryAfter() (time.Duration, bool) { return time.Second, bool(s) }

func TestErrors_SayNoToo(t *testing.T) {
	for _, yes := range []bool{false, true} {
		err := fmt.Errorf("wrapped: %w", says(yes))
		_, waits := retry.After(err)
		for what, got := range map[string]bool{"permanent": retry.IsPermanent(err), "unreachable": retry.Unreachable(err),
			"progressed": retry.Progressed(err), "waits": waits} {
			if got != yes {
				t.Errorf("%s: got %v; want what the error says: %v", what, got, yes)
			}
		}
	}
	plain := errors.New("plain")
	if _, waits := retry.After(plain); waits || retry.IsPermanent(plain) || retry.Unreachable(plain) || retry.Progressed(plain) {
		t.Error("an error that says nothing: got something; want a failure like any other")
	}
}
