package worker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// What tidies up after a stop is waited for, but not for as long as a dead connection takes.
func TestOutlive_EndsAWhileAfterTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, late := range []bool{false, true} {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			if late {
				stop()
			}
			longer, done := Outlive(ctx, 3*time.Second)
			if !late {
				time.Sleep(time.Hour)
				if longer.Err() != nil {
					t.Error("got it ended; want it to last as long as the other")
				}
				stop()
			}
			stopped := time.Now()
			time.Sleep(2 * time.Second)
			if longer.Err() != nil {
				t.Error("got it ended after two seconds; want three")
			}
			<-longer.Done()
			if took := time.Since(stopped); took != 3*time.Second {
				t.Errorf("got %v; want three seconds", took)
			}
			done()
		}
	})
}
