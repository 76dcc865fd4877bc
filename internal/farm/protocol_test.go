// Tests of what stays in NATS, and for how long.

package farm

import (
	"testing"
	"time"
)

func TestStreams_NothingStaysLongerThanAnHour(t *testing.T) {
	for _, s := range streams(3) {
		if s.MaxAge != time.Hour || s.Replicas != 3 {
			t.Errorf("%s: got %v on %d servers; want an hour on 3", s.Name, s.MaxAge, s.Replicas)
		}
	}
	for _, b := range buckets(3) {
		if want := map[string]time.Duration{filmsBucket: time.Hour, partsBucket: 0}[b.Bucket]; b.TTL != want { // no names
			t.Errorf("%s: got %v; want %v", b.Bucket, b.TTL, want)
		}
	}
}
