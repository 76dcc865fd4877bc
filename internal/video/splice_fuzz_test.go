// splice_fuzz_test.go puts any bytes through the MP4 reader and the splicer.

package video

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/metrics"
	"testing"
	"time"
)

func boxed(kind string, payloads ...[]byte) []byte {
	var w bytes.Buffer
	putBox(&w, kind, bytes.Join(payloads, nil))
	return w.Bytes()
}

// smallTrack is the trak box of 6 samples of a few bytes, two of them in each of the chunks that begin at the offsets;
// extra boxes go to its sample table.
func smallTrack(
	handler string,
	scale, duration, start uint32,
	description []byte,
	offsets []uint32,
	extra ...[]byte,
) []byte {
	tables := [][]byte{
		boxed("stsd", words([]uint32{0, 1}), description),
		boxed("stts", words([]uint32{0, 1, 6, duration})),
		boxed("stsz", words([]uint32{0, 0, 6, 3, 5, 4, 6, 2, 4})),
		boxed("stsc", words([]uint32{0, 1, 1, 2, 1})),
		boxed("stco", words(append([]uint32{0, uint32(len(offsets))}, offsets...))),
	}
	return boxed("trak",
		boxed("edts", boxed("elst", words([]uint32{0, 1, 6 * duration, start, 1 << 16}))),
		boxed("mdia",
			boxed("mdhd", words([]uint32{0, 0, 0, scale, 6 * duration, 0})),
			boxed("hdlr", words([]uint32{0, 0}), []byte(handler), make([]byte, 13)),
			boxed("minf", boxed("stbl", append(tables, extra...)...))))
}

// smallMovie is a whole MP4 file of pictures with key frames 1, 3 and 5, and of sound, with more boxes in its index.
func smallMovie(duration uint32, more ...[]byte) []byte {
	avc := boxed("avc1", make([]byte, 78), boxed("avcC", []byte{1, 100, 0, 31, 0xff, 0xe1, 0, 0}))
	aac := boxed(
		"mp4a",
		make([]byte, 28),
		boxed("esds", []byte{0, 0, 0, 0, 3, 22, 0, 0, 0, 4, 17, 64, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 2, 17, 144}),
	)
	sync := boxed("stss", words([]uint32{0, 3, 1, 3, 5}))
	shifts := boxed("ctts", words([]uint32{0, 2, 2, 512, 4, 1024}))
	media := make([]byte, 48)
	for i := range media {
		media[i] = byte(i)
	}
	ftyp := boxed("ftyp", []byte("isom\x00\x00\x02\x00isom"))
	index := func(base uint32) []byte {
		return boxed("moov", append([][]byte{boxed("mvhd", make([]byte, 100)),
			smallTrack("vide", 15360, duration, 512, avc, []uint32{base, base + 16, base + 32}, sync, shifts),
			smallTrack("soun", 48000, 1024, 1024, aac, []uint32{base + 8, base + 24, base + 30})}, more...)...)
	}
	base := uint32(len(ftyp) + len(index(0)) + 8)
	return bytes.Join([][]byte{ftyp, index(base), boxed("mdat", media)}, nil)
}

// changed returns a copy of a file with a number after the n-th box of a kind, counted from its letters on, changed.
func changed(file []byte, kind string, n, offset int, value uint32) []byte {
	file = bytes.Clone(file)
	pos := 0
	for range n + 1 {
		pos += bytes.Index(file[pos:], []byte(kind)) + 4
	}
	binary.BigEndian.PutUint32(file[pos+offset:], value)
	return file
}

// hostileMovies are MP4 files that ask for too much, or that are not what they seem.
func hostileMovies() map[string][]byte {
	whole := smallMovie(512)
	crowd := make([][]byte, 0, 20) // each of its tracks claims the media of all the others
	for range 20 {
		crowd = append(crowd, smallTrack("soun", 48000, 1024, 0, nil, []uint32{0, 0, 0}))
	}
	return map[string][]byte{
		"a box of 2^60 bytes":             []byte("\x00\x00\x00\x01moov\x10\x00\x00\x00\x00\x00\x00\x00"),
		"a box of more than 2^63 bytes":   []byte("\x00\x00\x00\x01moov\xff\xff\xff\xff\xff\xff\xff\xff"),
		"a box inside of 0 bytes":         []byte("\x00\x00\x00\x00moov\x00\x00\x00\x00trak"),
		"a million samples of one byte":   changed(changed(whole, "stsz", 0, 4, 1), "stsz", 0, 8, 1<<20),
		"samples that last for years":     changed(changed(whole, "stts", 0, 12, 1<<32-1), "mdhd", 0, 12, 1),
		"samples outside of the file":     changed(whole, "stco", 0, 8, 1<<20),
		"samples that lie in one another": smallMovie(512, crowd...),
		"an index of empty boxes":         smallMovie(512, bytes.Repeat(boxed("free"), 5_000)),
		"a track with two sample tables":  twoTables(whole),
	}
}

// twoTables doubles the sample table of the first track: only the first of the two can be meant.
func twoTables(file []byte) []byte {
	m := bytes.Index(file, []byte("minf")) - 4
	size := int(binary.BigEndian.Uint32(file[m:]))
	twice := append(bytes.Clone(file[m:m+size]), file[m+8:m+size]...)
	binary.BigEndian.PutUint32(twice, uint32(len(twice)))
	out := bytes.Join([][]byte{file[:m], twice, file[m+size:]}, nil)
	for _, kind := range []string{"moov", "trak", "mdia"} {
		i := bytes.Index(out, []byte(kind)) - 4
		binary.BigEndian.PutUint32(out[i:], binary.BigEndian.Uint32(out[i:])+uint32(size-8))
	}
	return out
}

// fileOf returns an open file without a name.
func fileOf(t *testing.T, b []byte) *os.File {
	t.Helper()
	f, err := os.CreateTemp(shared, "fuzz-*.mp4")
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(f.Name())
	t.Cleanup(func() { f.Close() })
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	return f
}

// allocated is how many bytes the program has ever asked for.
func allocated() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

func FuzzSplice(f *testing.F) {
	f.Add(smallMovie(512), uint8(2), uint8(4))
	f.Add(smallMovie(512), uint8(0), uint8(6))
	f.Add(smallMovie(1024), uint8(2), uint8(4)) // another pace
	for _, b := range hostileMovies() {
		if len(b) < 10_000 { // large ones make it slow
			f.Add(b, uint8(0), uint8(2))
		}
	}
	good := smallMovie(512)
	f.Fuzz(func(t *testing.T, b []byte, first, last uint8) {
		if len(b) > 1<<20 {
			t.Skip("more of the same")
		}
		defer time.AfterFunc(20*time.Second, func() { panic("it does not end") }).Stop()
		before := allocated()
		m, err := readMovie(fileOf(t, b))
		if used, limit := allocated()-before, 1<<20+400*int64(len(b)); used > limit {
			t.Errorf("got %d bytes allocated for a file of %d; want at most %d", used, len(b), limit)
		}
		if err != nil {
			return
		}
		for i := range m.tracks {
			m.tracks[i].avcC()
			m.tracks[i].aacConfig()
		}
		_, _ = plainSound(m)
		// A movie whose own frames replace themselves stays as it is, whatever it is.
		p := patch{handler: "vide", at: int(first), from: m, first: int(first), last: int(last)}
		before = allocated()
		spliced(t, m, p)
		if used, limit := allocated()-before, 4<<20+4000*int64(len(b)); used > limit {
			t.Errorf("got %d bytes allocated to splice a file of %d; want at most %d", used, len(b), limit)
		}
		// It and one that is right take frames from each other, or refuse.
		film, err := readMovie(fileOf(t, good))
		if err != nil {
			t.Fatal(err)
		}
		spliced(t, film, patch{handler: "vide", at: 2, from: m, first: int(first), last: int(last)})
		spliced(t, m, patch{handler: "vide", at: int(first), from: film, first: 2, last: 4})
		spliced(t, m, patch{handler: "soun", at: int(first), from: film, first: 1, last: int(last)})
	})
}

// spliced splices a patch into a film and checks that the resulting file can be read and holds every sample at its
// time: those of the patch in their place, all others as they were. Refused, the film is written as it is.
func spliced(t *testing.T, film *movie, p patch) {
	t.Helper()
	out := filepath.Join(shared, fmt.Sprintf("spliced-%d.mp4", os.Getpid()))
	defer os.Remove(out)
	err := splice(film, []patch{p}, out)
	refused := errors.Is(err, errMismatch)
	if refused {
		if _, err := os.Stat(out); err == nil {
			t.Error("got a file; want none of what is refused")
		}
		err = film.write(out)
	}
	if err != nil {
		t.Fatalf("splice: got %v; want nil or errMismatch", err)
	}
	got, err := openMovie(out)
	if err != nil {
		t.Fatalf("the spliced film: got %v; want it readable", err)
	}
	defer got.close()
	if len(got.tracks) != len(film.tracks) {
		t.Fatalf("got %d tracks; want %d", len(got.tracks), len(film.tracks))
	}
	replaced := film.track(p.handler)
	for i := range film.tracks {
		old, now := &film.tracks[i], &got.tracks[i]
		if len(old.samples) != len(now.samples) || old.scale != now.scale || old.start != now.start ||
			old.handler != now.handler ||
			!bytes.Equal(stripped("stsd", old.stsd), now.stsd) {
			t.Fatalf("track %d: got %d samples; want %d", i, len(now.samples), len(old.samples))
		}
		for k, want := range old.samples {
			has := now.samples[k]
			if has.duration != want.duration {
				t.Fatalf("track %d, sample %d: got it %d long; want %d", i, k, has.duration, want.duration)
			}
			if old == replaced && !refused && k >= p.at && k < p.at+p.last-p.first {
				want = p.from.track(p.handler).samples[p.first+k-p.at]
			} else if has.shift != want.shift {
				t.Fatalf("track %d, sample %d: got it shifted by %d; want %d", i, k, has.shift, want.shift)
			}
			if has.sync != want.sync || !bytes.Equal(bytesOf(t, has), bytesOf(t, want)) {
				t.Fatalf("track %d, sample %d: got another than it was", i, k)
			}
		}
	}
}

func bytesOf(t *testing.T, s sample) []byte {
	t.Helper()
	b := make([]byte, s.size)
	if _, err := s.file.ReadAt(b, s.offset); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadMovieRefusesWhatAsksForTooMuch(t *testing.T) {
	if _, err := parse(t, smallMovie(512)); err != nil {
		t.Fatalf("got %v; want a whole movie read", err)
	}
	for name, b := range hostileMovies() {
		t.Run(name, func(t *testing.T) {
			if m, err := parse(t, b); err == nil {
				t.Errorf("got %d tracks; want an error", len(m.tracks))
			}
		})
	}
}
