// preview_test.go checks and previews templates as their authors do.

package video

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// atTheEdge is a template whose name stands as low as its author may put it.
const atTheEdge = `title = "x"
scene = "new-year"
aspect = "landscape"
[[segment]]
start = "1s"
end = "4s"
box = [340, 660, 600, 48]
[[text]]
text = "Дорогая Аня"
box = [0, 0, 400, 30]
animation = "dance"
`

func TestCheck_DrawsANameAtTheEdge(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "edge")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, designFile), atTheEdge)
	cfg := Config{Languages: []string{"ru"}, Timeout: time.Minute}
	if said, err := CheckTemplate(t.Context(), cfg, folder); err != nil {
		t.Fatalf("check: got %q, %v; want a sentence", said, err)
	}
	for _, at := range []time.Duration{time.Second, 2500 * time.Millisecond, 3900 * time.Millisecond} {
		p := Preview{Template: folder, Name: "Маша", Lang: "ru", At: at}
		if err := p.Make(t.Context(), cfg, filepath.Join(t.TempDir(), "x.png"), nil); err != nil {
			t.Errorf("preview at %v: got %v; want a picture", at, err)
		}
	}
}

// broken is a part of a template that panics when it is drawn at the end of its time.
type broken struct{ *sticker }

func (broken) animate(_ *overlay, _ string, now, _, out float32) {
	if now > out-0.1 {
		panic("Маша")
	}
}

func (broken) bounds(string) box { return box{0, 0, 10, 10} }

func TestCheck_DrawsTheLastFrame(t *testing.T) {
	f := film{width: 64, height: 48, rate: rate{30, 1}, frames: 300}
	one := shown{broken{&sticker{layer: newLayer(2, 2)}}, "fade", time.Second, 3 * time.Second}
	err := rehearseOne(t.Context(), f, one)
	if !isCrash(err) || !strings.Contains(err.Error(), "preview_test.go") || strings.Contains(err.Error(), "Маша") {
		t.Errorf("got %v; want where it crashed, without the name", err)
	}
}
