// progress_test.go watches how far a video is while it is made.

package video

import "testing"

func TestMake_ProgressMovesSteadily(t *testing.T) {
	m := ownTemplate(t, `title = "x"
film = "film.mp4"
[[segment]]
start = "0.4s"
end = "3.6s"
box = [0, 0, 64, 48]
`, "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25", "-f", "lavfi", "-i", "sine", "-t", "4", "-c:v", "libx264", "-g", "5")
	var seen []int
	v, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Маша", Lang: "ru", Template: "mine"}, func(percent int) {
		seen = append(seen, percent)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Discard(); err != nil {
		t.Error(err)
	}
	if len(seen) < 40 || seen[0] != 0 || seen[len(seen)-1] != 100 {
		t.Fatalf("got %v; want 0 to 100 in small steps", seen)
	}
	for i := range len(seen) - 1 {
		if step := seen[i+1] - seen[i]; step <= 0 || step > 6 {
			t.Errorf("got a step from %d to %d; want small ones forwards", seen[i], seen[i+1])
		}
	}
}
