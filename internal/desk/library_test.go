// Tests of what the library offers.

package desk

import (
	"strings"
	"testing"

	"retake.example/internal/video"
)

func TestLibrary_OffersTemplatesWhereThereIsAChoice(t *testing.T) {
	r := newRig(t)
	offer := func(id string) video.Offer {
		return video.Offer{ID: id, Title: func(string) string { return "Title of " + id }}
	}
	for n, offers := range [][]video.Offer{{offer("a")}, {offer("a"), offer("b")}} {
		r.opts.Offers = video.NewOffers(offers...)
		page := r.do(r.Library, sent{method: "GET"}).Body.String()
		for _, o := range offers {
			if got := strings.Contains(page, "Title of "+o.ID); got != (n > 0) {
				t.Errorf("%d offered: %s on the page: %v", n+1, o.ID, got)
			}
		}
	}
}

func TestLibrary_TheChosenPlatformIsAmongThoseToChoose(t *testing.T) {
	for chosen, want := range map[string]int{"": 2, "YOUTUBE": 2, "TELEGRAM": 3} {
		l := Library{Platform: chosen}
		l.Choose([]string{"YOUTUBE", "RUMBLE"})
		seen := map[string]int{}
		for _, o := range l.Platforms {
			seen[o.ID]++
		}
		if len(l.Platforms) != want || chosen != "" && seen[chosen] != 1 {
			t.Errorf("%q: got %+v; want %d, each once", chosen, l.Platforms, want)
		}
	}
}
