// splice_test.go reads MP4 files that are whole, damaged and hostile, and puts small ones together.

package video

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// clipVideo are the options for pictures of clips.
var clipVideo = encodeVideo(64, 48, rate{30, 1})

// smallFilm encodes a clip of 30 frames with key frames at 10 and 20, and the segment that could stand between them.
func smallFilm(t *testing.T) (template, segment string) {
	t.Helper()
	template = clip(
		t,
		30,
		append(slices.Concat([]string{"-f", "lavfi", "-i", "sine", "-shortest"}, clipVideo, encodeSound),
			"-force_key_frames", "expr:eq(n,10)+eq(n,20)")...)
	segment = clip(t, 10, append(slices.Clone(clipVideo), "-vf", "negate")...)
	return template, segment
}

func open(t *testing.T, path string) *movie {
	t.Helper()
	m, err := openMovie(path)
	if err != nil {
		t.Fatalf("openMovie: got %v; want nil", err)
	}
	t.Cleanup(func() { m.close() })
	return m
}

func TestSpliceReplacesOnlyTheSegment(t *testing.T) {
	template, segment := smallFilm(t)
	out := filepath.Join(t.TempDir(), "out.mp4")
	if err := splice(open(t, template), []patch{{handler: "vide", at: 10, from: open(t, segment), last: 10}},
		out); err != nil {
		t.Fatalf("splice: got %v; want nil", err)
	}
	sums := func(path string) (sums, times []string) {
		for _, line := range pictures(t, path) {
			fields := strings.Split(line, ",")
			sums, times = append(sums, strings.TrimSpace(fields[5])), append(times, strings.TrimSpace(fields[2]))
		}
		return sums, times
	}
	got, gotTimes := sums(out)
	want, wantTimes := sums(template)
	middle, _ := sums(segment)
	copy(want[10:20], middle)
	if !slices.Equal(got, want) {
		t.Errorf("frames: got %v; want %v", got, want)
	}
	if !slices.Equal(gotTimes, wantTimes) {
		t.Errorf("times: got %v; want %v", gotTimes, wantTimes)
	}
	wantIndexFirst(t, out)
}

func TestSpliceRefusesWhatDoesNotMatch(t *testing.T) {
	template, segment := smallFilm(t)
	for name, c := range map[string]struct {
		change func(template, segment *movie)
		start  int
	}{
		"other parameter sets": {func(_, s *movie) {
			s.track("vide").stsd = bytes.Replace(s.track("vide").stsd, s.track("vide").avcC(),
				make([]byte, len(s.track("vide").avcC())), 1)
		}, 10},
		"a start without a key frame":  {func(_, _ *movie) {}, 9},
		"an end without a key frame":   {func(_, s *movie) { s.track("vide").samples = s.track("vide").samples[:9] }, 10},
		"a segment without key frame":  {func(_, s *movie) { s.track("vide").samples[0].sync = false }, 10},
		"a segment beyond the end":     {func(_, _ *movie) {}, 29},
		"a start before the beginning": {func(_, _ *movie) {}, -1},
		"another reorder delay":        {func(_, s *movie) { s.track("vide").start += 512 }, 10},
		"a segment without frames":     {func(_, s *movie) { s.track("vide").samples = nil }, 10},
		"a template without pictures":  {func(f, _ *movie) { f.tracks = f.tracks[1:] }, 10},
		"another codec":                {func(_, s *movie) { copy(s.track("vide").stsd[12:], "hvc1") }, 10},
	} {
		t.Run(name, func(t *testing.T) {
			f, s := open(t, template), open(t, segment)
			c.change(f, s)
			last := len(s.track("vide").samples)
			out := filepath.Join(t.TempDir(), "out.mp4")
			if err := splice(f, []patch{{handler: "vide", at: c.start, from: s, last: last}}, out); !errors.Is(
				err,
				errMismatch,
			) {
				t.Errorf("got %v; want errMismatch", err)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("got a file; want none")
			}
		})
	}
}

// parse reads bytes as an MP4 file.
func parse(t *testing.T, b []byte) (*movie, error) {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "*.mp4")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	return readMovie(f)
}

func TestReadMovieRefusesADamagedFile(t *testing.T) {
	template, _ := smallFilm(t)
	whole, err := os.ReadFile(template)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parse(t, whole); err != nil {
		t.Fatalf("whole file: got %v; want nil", err)
	}
	t.Run("wherever it is cut", func(t *testing.T) {
		for n := 1; n < len(whole); n += len(whole)/100 + 1 {
			if _, err := parse(t, whole[:n]); err == nil {
				t.Errorf("%d of %d bytes: got nil; want an error", n, len(whole))
			}
		}
	})
	// Offsets are of the fields after the box's type.
	for name, c := range map[string]struct {
		box    string
		offset int
		value  uint32
	}{
		"with more sizes than it can hold":      {"stsz", 8, 1 << 30},
		"with a time table that is too long":    {"stts", 8, 1 << 31},
		"with a time table that is too short":   {"stts", 8, 1},
		"with countless time entries":           {"stts", 4, 1 << 31},
		"with a key frame that does not exist":  {"stss", 8, 31},
		"with key frame number 0":               {"stss", 8, 0},
		"with a chunk that does not exist":      {"stsc", 8, 999},
		"with too many frames in a chunk":       {"stsc", 12, 1 << 31},
		"with a second sample description":      {"stsc", 16, 2},
		"with samples outside the file":         {"stco", 8, 1 << 31},
		"with no time scale":                    {"mdhd", 12, 0},
		"with two edits":                        {"elst", 4, 2},
		"with a box that is larger than all":    {"stbl", -8, 1 << 31},
		"with a box that is smaller than empty": {"minf", -8, 3},
	} {
		t.Run(name, func(t *testing.T) {
			b := slices.Clone(whole)
			at := bytes.LastIndex(b, []byte("moov"))
			at += bytes.Index(b[at:], []byte(c.box)) + 4
			binary.BigEndian.PutUint32(b[at+c.offset:], c.value)
			if _, err := parse(t, b); err == nil {
				t.Error("got nil; want an error")
			}
		})
	}
}

// TestSplice_NoTwoKeyFramesInARowHaveOneNumber replaces a single frame before and after a key frame, where the
// encoders' numbers meet.
func TestSplice_NoTwoKeyFramesInARowHaveOneNumber(t *testing.T) {
	keys := func(at ...int) string {
		var terms []string
		for _, n := range at {
			terms = append(terms, fmt.Sprintf("eq(n,%d)", n))
		}
		return clip(t, 12, append(slices.Clone(clipVideo), "-force_key_frames", "expr:"+strings.Join(terms, "+"))...)
	}
	segment := clip(t, 4, append(slices.Clone(clipVideo), "-vf", "negate")...)
	one := clip(t, 1, append(slices.Clone(clipVideo), "-vf", "negate")...)
	for name, c := range map[string]struct {
		film, segment string
		at, last      int
	}{
		"after the first frame":    {keys(1, 5), segment, 1, 4},
		"before the next key":      {keys(4, 5), one, 4, 1},
		"between others":           {keys(4, 8), segment, 4, 4},
		"after two keys":           {keys(3, 4, 8), segment, 4, 4},
		"between two keys":         {keys(1, 2, 3, 4), one, 2, 1},
		"between two, later":       {keys(1, 2, 3, 4), one, 3, 1},
		"before the last of three": {keys(9, 10, 11), one, 10, 1},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out.mp4")
			err := splice(open(t, c.film), []patch{{handler: "vide", at: c.at, from: open(t, c.segment), last: c.last}}, out)
			if errors.Is(err, errMismatch) {
				return // it will be encoded as a whole
			}
			if err != nil {
				t.Fatal(err)
			}
			v := open(t, out).track("vide")
			p, lengthSize, err := parameterSets(v.avcC())
			if err != nil {
				t.Fatal(err)
			}
			for i := 1; i < len(v.samples); i++ {
				a, ok1 := v.samples[i-1].idrID(p, lengthSize)
				b, ok2 := v.samples[i].idrID(p, lengthSize)
				if ok1 && ok2 && a == b {
					t.Errorf("frames %d and %d: got the number %d twice", i-1, i, a)
				}
			}
		})
	}
}
