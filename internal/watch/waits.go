// What renders wait for: the generator or the farm, the voice, the media store. The queue knows, also after a restart.

package watch

import (
	"context"
	"slices"
	"strings"
	"time"

	"retake.example/internal/farm"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// Waits returns a function that returns what renders wait for now because it cannot be used. spoken: what is
// unreachable for a video is the service that says names; otherwise it is the generator.
func Waits(st *store.Store, spoken bool) func() []Fault {
	return func() (all []Fault) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		waits, err := st.RenderWaits(ctx)
		if err != nil {
			return nil // the database says so itself
		}
		for _, w := range waits {
			farmed := Fault{Cause: Engine, Code: "farm_unreachable", Since: w.Since}
			switch {
			case w.Code == farm.CodeAway || w.Code == farm.CodeEmpty || w.Code == farm.CodeStore:
				if !slices.ContainsFunc(all, func(f Fault) bool { return f.Code == farmed.Code }) { // the first of them
					all = append(all, farmed)
				}
			case w.Code == video.CodeUnreachable && spoken:
				all = append(all, Fault{Cause: Voice, Code: "voice_unreachable", Since: w.Since})
			case w.Code == video.CodeUnreachable:
				all = append(all, Fault{Cause: Engine, Code: "engine_unreachable", Since: w.Since})
			case strings.HasPrefix(w.Code, "media_"):
				all = append(all, Fault{Cause: Media, Code: w.Code, Since: w.Since})
			}
		}
		return all
	}
}

// Together returns a function that returns what several return.
func Together(sources ...func() []Fault) func() []Fault {
	return func() (all []Fault) {
		for _, faults := range sources {
			all = append(all, faults()...)
		}
		return all
	}
}

// butMedia leaves out the faults of the media store, where that is asked itself.
func butMedia(all []Fault) (others []Fault) {
	for _, f := range all {
		if f.Cause != Media {
			others = append(others, f)
		}
	}
	return others
}
