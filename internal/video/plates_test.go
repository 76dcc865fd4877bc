// plates_test.go makes videos with and without decoded frames in the cache.

package video

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestPlates_AreWhatADecoderGivesOut makes one name with kept frames, and without.
func TestPlates_AreWhatADecoderGivesOut(t *testing.T) {
	const toml = `title = "x"
film  = "film.mp4"
[[segment]]
start = 0.5
end   = 1.2
box   = [10, 10, 300, 60]
[[segment]]
start = 1.5
end   = 2
box   = [10, 90, 150, 60]
animation = "rise"
`
	m := ownTemplate(t, toml, "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30", "-t", "2", "-pix_fmt", "yuv420p")
	with, p := makeOwn(t, m, "Александра")
	want := int64(p.drawnFrames() * yuvSize(p.width, p.height))
	if info, err := os.Stat(p.plates); err != nil || info.Size() != want || p.drawnFrames() != 36 {
		t.Fatalf("got %v, %v for %d frames; want %d bytes of 36", info, err, p.drawnFrames(), want)
	}
	// Another template has taken all that there is.
	if err := os.Remove(p.plates); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(m.cfg.Cache, "other-0123456789abcdef.yuv")
	write(t, other, "")
	if err := os.Truncate(other, mostPlates-want+1); err != nil {
		t.Fatal(err)
	}
	without, p := makeOwn(t, m, "Александра")
	if _, err := os.Stat(p.plates); !os.IsNotExist(err) {
		t.Errorf("got %v; want no frames kept beyond the limit", err)
	}
	if !slices.Equal(pictures(t, with.Path), pictures(t, without.Path)) {
		t.Error("got other pictures of decoded frames than of kept ones; want the same")
	}
	// With the last template of that kind its frames go.
	if err := os.Rename(other, filepath.Join(m.cfg.Cache, "mine-0123456789abcdef.yuv")); err != nil {
		t.Fatal(err)
	}
	k, err := m.template("mine")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.removeOld(m.tools, k); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(m.cfg.Cache, "*.yuv")); err != nil || len(left) > 0 {
		t.Errorf("got %v, %v; want old frames removed", left, err)
	}
}

func TestPlates_AnEncoderThatHasNoFilmSaysSo(t *testing.T) {
	m := ownTemplate(t, "title = \"x\"\nfilm = \"film.mp4\"\n[[segment]]\nstart = 0\nend = 1\nbox = [0, 0, 60, 60]\n",
		"-f", "lavfi", "-i", "testsrc2=s=64x64:r=30", "-t", "1", "-pix_fmt", "yuv420p")
	_, p := makeOwn(t, m, "Маша")
	p.plates, p.path = "/none.yuv", "/none.mp4"
	film, err := m.tools.openPlates(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer film.close()
	if err := film.next(make([]byte, yuvSize(64, 64))); err == nil || m.tools.blamesFile(t.Context(), err) {
		t.Errorf("got %v; want what is wrong with the machine", err)
	}
}

// TestPlates_ANameLiesAsFFmpegWouldLayIt compares with ffmpeg's own filter, also at the edges.
func TestPlates_ANameLiesAsFFmpegWouldLayIt(t *testing.T) {
	const w, h, sw, sh = 64, 48, 40, 32
	random := rand.New(rand.NewPCG(1, 2))
	noise := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.IntN(256))
		}
		return b
	}
	film, sheet := noise(yuvSize(w, h)), noise(yuvaSize(sw, sh))
	alpha := sheet[sw*sh*3/2:]
	clear(alpha[:sw*sh/2]) // the upper half has nothing
	for i := range alpha {
		alpha[i] = alpha[i/sw&^1*sw+i%sw&^1] // at its edges, ffmpeg leaves neighbours out of the mean
	}
	for _, at := range [][2]int{{0, 0}, {10, 6}, {24, 16}, {40, 30}} {
		folder := t.TempDir()
		write(t, filepath.Join(folder, "film"), string(film))
		write(t, filepath.Join(folder, "sheet"), string(sheet))
		want := ffmpeg(t, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", w, h), "-i",
			filepath.Join(folder, "film"), "-f", "rawvideo", "-pix_fmt", "yuva420p", "-s", fmt.Sprintf("%dx%d", sw, sh), "-i",
			filepath.Join(folder, "sheet"), "-filter_complex",
			fmt.Sprintf("[0:v][1:v]overlay=%d:%d:format=yuv420", at[0], at[1]), "-f", "rawvideo", "-")
		got := plate{slices.Clone(film), w, h}
		got.lay(sheet, sw, sh, at[0], at[1])
		for i := range want {
			if d := int(got.pix[i]) - int(want[i]); d < -2 || d > 2 {
				t.Fatalf("at %v, byte %d: got %d; want %d", at, i, got.pix[i], want[i])
			}
		}
	}
}
