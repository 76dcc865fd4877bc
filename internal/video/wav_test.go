// wav_test.go reads WAV files: as ffmpeg and this package write them, and damaged.

package video

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestWaveReadsAnyPartOfTheSound(t *testing.T) {
	sound := tone(0.1, 440, -6)
	sound.right[1000] = 0.25
	own, theirs := filepath.Join(t.TempDir(), "own.wav"), filepath.Join(t.TempDir(), "theirs.wav")
	write(t, own, string(sound.wav()))
	ffmpeg(t, "-i", own, theirs) // with a list of who made it before the sound
	for _, path := range []string{own, theirs} {
		w, err := openWave(path)
		if err != nil {
			t.Fatalf("openWave: got %v; want nil", err)
		}
		defer w.close()
		if w.frames != 4800 {
			t.Errorf("got %d frames; want 4800", w.frames)
		}
		want := samples(sound.wav()[44:])
		for _, part := range [][2]int{{0, 4800}, {999, 1002}, {4800, 4800}} {
			if got, err := w.read(part[0], part[1]); err != nil || !slices.Equal(got, want[2*part[0]:2*part[1]]) {
				t.Errorf("frames %v: got others or %v; want those of the file", part, err)
			}
		}
		if _, err := w.read(4000, 4801); err == nil {
			t.Error("beyond the end: got nil; want an error")
		}
	}
}

func TestWaveRefusesOtherFiles(t *testing.T) {
	good := tone(0.1, 440, -6).wav()
	with := func(at int, b ...byte) string {
		changed := slices.Clone(good)
		copy(changed[at:], b)
		return string(changed)
	}
	for name, content := range map[string]string{
		"an empty file":              "",
		"another kind":               with(0, 'O', 'g', 'g', 'S'),
		"one channel":                with(22, 1),
		"another rate":               with(24, 0x44, 0xac),
		"24 bits":                    with(34, 24),
		"floating point":             with(20, 3),
		"nothing but a head":         string(good[:36]),
		"sound before its format":    string(good[:12]) + string(good[36:]),
		"a chunk beyond the end":     with(16, 0xff, 0xff, 0xff, 0x7f),
		"a format that is cut short": string(good[:20]),
	} {
		path := filepath.Join(t.TempDir(), "x.wav")
		write(t, path, content)
		if _, err := openWave(path); err == nil {
			t.Errorf("%s: got nil; want an error", name)
		}
	}
	cut := filepath.Join(t.TempDir(), "cut.wav")
	write(t, cut, string(good[:44+400]))
	w, err := openWave(cut)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if w.frames != 100 {
		t.Errorf("a file that was cut: got %d frames; want the 100 that are there", w.frames)
	}
}
