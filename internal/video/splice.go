// splice.go puts a newly encoded run of frames into a prepared MP4 without touching any other sample.

package video

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// errMismatch says that a patch cannot be spliced into a film: the whole film has to be encoded instead.
var errMismatch = errors.New("the newly encoded part and the film do not match")

// splice writes to out a movie with some runs of samples replaced by those of the patches; all other samples and every
// time stay as they are. The index comes first. It returns errMismatch, and writes nothing, unless patch and track
// were encoded with the same parameters; of pictures also the reorder delay must be equal and the edges be key frames.
func splice(film *movie, patches []patch, out string) error {
	spliced := *film
	spliced.tracks = slices.Clone(film.tracks)
	for _, p := range patches {
		if err := p.check(film); err != nil {
			return err
		}
		t, s := spliced.track(p.handler), p.from.track(p.handler)
		t.samples = slices.Clone(t.samples)
		for i, q := range s.samples[p.first:p.last] {
			q.duration = t.samples[p.at+i].duration
			q.shift = int32(int64(q.shift) * int64(t.scale) / int64(s.scale))
			t.samples[p.at+i] = q
		}
	}
	return spliced.write(out)
}

// check returns errMismatch if the patch cannot be spliced into the film.
func (p patch) check(film *movie) error {
	t, s := film.track(p.handler), p.from.track(p.handler)
	if t == nil || s == nil || p.first < 0 || p.first >= p.last || p.last > len(s.samples) {
		return fmt.Errorf("%w: no %s track with those samples", errMismatch, p.handler)
	}
	end := p.at + p.last - p.first
	if p.at < 0 || end > len(t.samples) {
		return fmt.Errorf("%w: samples %d to %d are beyond the end", errMismatch, p.at, end)
	}
	if p.handler != "vide" {
		return nil // encodePackets has compared what has to be compared
	}
	if a := t.avcC(); a == nil || !bytes.Equal(a, s.avcC()) {
		return fmt.Errorf("%w: different parameter sets", errMismatch)
	}
	if !t.samples[p.at].sync || !s.samples[p.first].sync || end < len(t.samples) && !t.samples[end].sync {
		return fmt.Errorf("%w: frames %d to %d are not between key frames", errMismatch, p.at, end)
	}
	if t.start*int64(s.scale) != s.start*int64(t.scale) {
		return fmt.Errorf("%w: different reorder delay", errMismatch)
	}
	if p.at > 0 && sameIDR(t, t.samples[p.at-1], s.samples[p.first]) ||
		end < len(t.samples) && sameIDR(t, s.samples[p.last-1], t.samples[end]) {
		return fmt.Errorf("%w: two key frames in a row with one number", errMismatch)
	}
	return nil
}

// sameIDR reports whether two neighbours are both key frames with the same idr_pic_id: a decoder may take the second
// for a part of the first (ITU-T H.264, 7.4.3).
func sameIDR(t *track, a, b sample) bool {
	if !a.sync || !b.sync {
		return false
	}
	s, lengthSize, err := parameterSets(t.avcC())
	if err != nil {
		return false
	}
	first, ok1 := a.idrID(s, lengthSize)
	second, ok2 := b.idrID(s, lengthSize)
	return ok1 && ok2 && first == second
}

// idrID reads the number of a key frame.
func (s sample) idrID(p sps, lengthSize int) (id uint32, ok bool) {
	b := make([]byte, s.size)
	if _, err := s.file.ReadAt(b, s.offset); err != nil {
		return 0, false
	}
	return p.idrID(b, lengthSize)
}

// patch is a run of samples of another movie that replaces as many samples of the same track.
type patch struct {
	handler string // of the track: "vide" or "soun"
	at      int    // the first sample that is replaced
	from    *movie
	first   int // the samples that replace it: from the first up to, not including, the last
	last    int
}

// chunk is a run of neighbouring samples of one track in the new file.
type chunk struct {
	track       int
	first, last int   // samples, last is not included
	offset      int64 // from the start of the media
}

// layout interleaves the tracks in chunks of half a second, as a player reads them, and returns the bytes of all
// media.
func (m *movie) layout() (chunks []chunk, size int64) {
	next := make([]int, len(m.tracks))
	clock := make([]int64, len(m.tracks))
	for slot, more := int64(1), true; more; slot++ {
		more = false
		for i, t := range m.tracks {
			c := chunk{track: i, first: next[i], offset: size}
			for next[i] < len(t.samples) && clock[i] < slot*int64(t.scale)/2 {
				clock[i] += int64(t.samples[next[i]].duration)
				size += int64(t.samples[next[i]].size)
				next[i]++
			}
			if c.last = next[i]; c.last > c.first {
				chunks = append(chunks, c)
			}
			more = more || next[i] < len(t.samples)
		}
	}
	return chunks, size
}

// write makes a new file of the movie's samples, wherever they lie now, with the index first. Nothing but the film is
// in it: no tags, no places, no chapters, no times of making.
func (m *movie) write(path string) (err error) {
	m = &movie{file: m.file, ftyp: plainType, moov: stripped("moov", m.moov), tracks: m.tracks}
	chunks, size := m.layout()
	index := m.index(chunks, 0)
	base := int64(8+len(m.ftyp)) + int64(len(index)) + 8
	if base+size >= 1<<32 {
		return errors.New("mp4: more than 4 GiB")
	}
	var head bytes.Buffer
	putBox(&head, "ftyp", m.ftyp)
	head.Write(m.index(chunks, base))
	put(&head, uint32(8+size))
	head.WriteString("mdat")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(head.Bytes()); err != nil {
		return err
	}
	return m.copyMedia(f, chunks)
}

// copyMedia copies all samples in the order of the chunks, neighbours of the old file in one go.
func (m *movie) copyMedia(w io.Writer, chunks []chunk) error {
	var from *os.File
	var start, length int64
	flush := func() error {
		if length == 0 {
			return nil
		}
		n, err := io.Copy(w, io.NewSectionReader(from, start, length))
		if err == nil && n != length {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	for _, c := range chunks {
		for _, s := range m.tracks[c.track].samples[c.first:c.last] {
			if s.file == from && s.offset == start+length {
				length += int64(s.size)
				continue
			}
			if err := flush(); err != nil {
				return err
			}
			from, start, length = s.file, s.offset, int64(s.size)
		}
	}
	return flush()
}

// samplePath leads from the index to the sample tables of a track.
var samplePath = []string{"trak", "mdia", "minf", "stbl"}

// index makes the moov box with new sample tables; base is where the media begins in the file.
func (m *movie) index(chunks []chunk, base int64) []byte {
	i := -1
	payload := rebuild(m.moov, samplePath, func(stbl []byte) []byte {
		i++
		return m.tracks[i].tables(stbl, i, chunks, base)
	})
	var w bytes.Buffer
	putBox(&w, "moov", payload)
	return w.Bytes()
}

// rebuild copies a container box and replaces the payload of every box on the path.
func rebuild(b []byte, path []string, replace func([]byte) []byte) []byte {
	var w bytes.Buffer
	atoms, _ := split(b) // readMovie has already found all of them whole
	for _, a := range atoms {
		switch {
		case a.kind != path[0]:
			putBox(&w, a.kind, a.payload)
		case len(path) == 1:
			putBox(&w, a.kind, replace(a.payload))
		default:
			putBox(&w, a.kind, rebuild(a.payload, path[1:], replace))
		}
	}
	return w.Bytes()
}

// tables makes the payload of an stbl box: new sample tables, and the description as it was.
func (t *track) tables(old []byte, number int, chunks []chunk, base int64) []byte {
	var w bytes.Buffer
	atoms, _ := split(old)
	for _, a := range atoms {
		if a.kind == "stsd" { // all else is made here, or a note about single samples that would be wrong now
			putBox(&w, a.kind, stripped(a.kind, a.payload))
		}
	}
	var durations, shifts, sync, offsets, sizes, runs []uint32
	shifted := false
	for i, s := range t.samples {
		durations = append(durations, s.duration)
		shifts = append(shifts, uint32(s.shift))
		shifted = shifted || s.shift != 0
		if s.sync {
			sync = append(sync, uint32(i+1))
		}
		sizes = append(sizes, s.size)
	}
	for _, c := range chunks {
		if c.track != number {
			continue
		}
		offsets = append(offsets, uint32(base+c.offset))
		if n := uint32(c.last - c.first); len(runs) == 0 || runs[len(runs)-2] != n {
			runs = append(runs, uint32(len(offsets)), n, 1)
		}
	}
	putTable(&w, "stts", 2, runLengths(durations))
	if shifted {
		putTable(&w, "ctts", 2, runLengths(shifts))
	}
	if len(sync) < len(t.samples) {
		putTable(&w, "stss", 1, sync)
	}
	putBox(&w, "stsz", words(append([]uint32{0, 0, uint32(len(sizes))}, sizes...)))
	putTable(&w, "stsc", 3, runs)
	putTable(&w, "stco", 1, offsets)
	return w.Bytes()
}

// runLengths turns values into (how many, value) pairs.
func runLengths(values []uint32) []uint32 {
	var out []uint32
	for i, v := range values {
		if i > 0 && v == values[i-1] {
			out[len(out)-2]++
		} else {
			out = append(out, 1, v)
		}
	}
	return out
}

// putTable writes a box of entries that are width numbers each.
func putTable(w *bytes.Buffer, kind string, width int, values []uint32) {
	putBox(w, kind, words(append([]uint32{0, uint32(len(values) / width)}, values...)))
}

func putBox(w *bytes.Buffer, kind string, payload []byte) {
	put(w, uint32(8+len(payload)))
	w.WriteString(kind)
	w.Write(payload)
}

func put(w *bytes.Buffer, v uint32) { w.Write(words([]uint32{v})) }

func words(values []uint32) []byte {
	b := make([]byte, 0, 4*len(values))
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}
