// mp4.go reads the index of an MP4 file: where every sample lies, how long it lasts, when it is shown.

package video

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// Limits on what a file may claim about itself: nothing is allocated because a damaged number asks for it.
const (
	maxIndex   = 64 << 20 // bytes of a moov box
	maxSamples = 1 << 20  // of one track: 9 hours at 30 frames a second
	maxLength  = 86_400   // seconds of one track: a new index is laid out in half seconds
	maxTracks  = 16
	maxBoxes   = 1 << 12 // in one other
)

// errOutside is what is wrong with an index that names more than the file holds.
var errOutside = errors.New("is outside the file")

// movie is the index of an MP4 file with one sample description and at most one edit per track.
type movie struct {
	file   *os.File
	ftyp   []byte // payload of the box
	moov   []byte
	tracks []track
}

// track is one stream of samples in decoding order.
type track struct {
	handler string // "vide", "soun"
	scale   uint32 // ticks a second
	start   int64  // ticks of media time at which the presentation begins: the reorder delay of B-frames
	stsd    []byte // payload of the sample description box
	box     []byte // payload of the whole trak box
	samples []sample
}

// sample is one encoded frame. Times are in ticks of its track.
type sample struct {
	file     *os.File
	offset   int64
	size     uint32
	duration uint32
	shift    int32 // shown this much later than decoded
	sync     bool  // decoding can start here
}

// openMovie reads the index of the file at path. The caller closes the file.
func openMovie(path string) (*movie, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := readMovie(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return m, nil
}

func (m *movie) close() error { return m.file.Close() }

// readMovie reads the index of an open file.
func readMovie(f *os.File) (*movie, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	m := &movie{file: f}
	for pos := int64(0); pos < info.Size(); {
		kind, header, size, err := topBox(f, pos, info.Size())
		if err != nil && m.moov != nil && find(m.moov, "mvex") == nil {
			break // cameras append notes that are no box; samples that the file lacks are missed below
		}
		if err != nil && m.ftyp != nil { // it began as an MP4
			err = fmt.Errorf("%w, which %w", err, errOutside)
		}
		if err != nil {
			return nil, err
		}
		switch kind {
		case "ftyp", "moov":
			if size-header > maxIndex {
				return nil, fmt.Errorf("mp4: %s box of %d bytes", kind, size)
			}
			payload := make([]byte, size-header)
			if _, err := f.ReadAt(payload, pos+header); err != nil {
				return nil, fmt.Errorf("mp4: %s box: %w", kind, err)
			}
			if kind == "ftyp" {
				m.ftyp = payload
			} else {
				m.moov = payload
			}
		}
		pos += size
	}
	if m.moov == nil {
		return nil, errors.New("mp4: no index (moov)")
	}
	boxes, err := split(m.moov)
	if err != nil {
		return nil, err
	}
	room := info.Size() // for the samples of all tracks: none lies in another
	for _, b := range boxes {
		if b.kind != "trak" {
			continue
		}
		if len(m.tracks) == maxTracks {
			return nil, fmt.Errorf("mp4: more than %d tracks", maxTracks)
		}
		t, err := readTrack(b.payload, info.Size(), &room)
		if err != nil {
			return nil, fmt.Errorf("mp4: track %d: %w", len(m.tracks), err)
		}
		for i := range t.samples {
			t.samples[i].file = f
		}
		m.tracks = append(m.tracks, t)
	}
	tables := 0
	rebuild(m.moov, samplePath, func([]byte) []byte { tables++; return nil })
	if tables != len(m.tracks) { // each has its first one; index could not tell which is whose
		return nil, fmt.Errorf("mp4: %d sample tables for %d tracks", tables, len(m.tracks))
	}
	return m, nil
}

// topBox reads the header of a box of the file itself; all lengths are in bytes.
func topBox(f io.ReaderAt, pos, end int64) (kind string, header, size int64, err error) {
	var h [16]byte
	if _, err := f.ReadAt(h[:8], pos); err != nil {
		return "", 0, 0, fmt.Errorf("mp4: box at %d: %w", pos, err)
	}
	header, size = 8, int64(binary.BigEndian.Uint32(h[:]))
	switch size {
	case 0: // up to the end of the file
		size = end - pos
	case 1:
		if _, err := f.ReadAt(h[8:], pos+8); err != nil {
			return "", 0, 0, fmt.Errorf("mp4: box at %d: %w", pos, err)
		}
		header, size = 16, int64(binary.BigEndian.Uint64(h[8:]))
	}
	if size < header || size > end-pos {
		return "", 0, 0, fmt.Errorf("mp4: box %q at %d claims %d bytes", h[4:8], pos, size)
	}
	return string(h[4:8]), header, size, nil
}

// atom is a box inside the index: four letters and what is in it.
type atom struct {
	kind    string
	payload []byte
}

// split cuts the payload of a container box into the boxes inside.
func split(b []byte) ([]atom, error) {
	var out []atom
	for len(b) >= 8 {
		header, size := uint64(8), uint64(binary.BigEndian.Uint32(b))
		if size == 1 && len(b) >= 16 {
			header, size = 16, binary.BigEndian.Uint64(b[8:])
		}
		if size < header || size > uint64(len(b)) {
			return nil, fmt.Errorf("mp4: box %q claims %d of %d bytes", b[4:8], size, len(b))
		}
		if len(out) == maxBoxes {
			return nil, fmt.Errorf("mp4: more than %d boxes in one", maxBoxes)
		}
		out = append(out, atom{string(b[4:8]), b[header:size]})
		b = b[size:]
	}
	return out, nil
}

// find returns the payload of the first box on a path of kinds, nil if there is none.
func find(b []byte, path ...string) []byte {
	for _, kind := range path {
		atoms, err := split(b)
		if err != nil {
			return nil
		}
		b = nil
		for _, a := range atoms {
			if a.kind == kind {
				b = a.payload
				break
			}
		}
	}
	return b
}

// reader takes numbers from a box; after the end it gives zeros and remembers that it was short.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) skip(n int) { r.take(n) }

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.b, r.short = nil, true
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u8() uint8   { return r.take(1)[0] }
func (r *reader) u32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }

// table opens a box that holds version and flags, a count, and count entries of the given size in bytes.
func table(stbl []byte, kind string, entry int) (r *reader, count int, err error) {
	b := find(stbl, kind)
	if b == nil {
		return nil, 0, fmt.Errorf("no %s box", kind)
	}
	r = &reader{b: b}
	r.skip(4)
	n := r.u32()
	if r.short || int64(n)*int64(entry) > int64(len(r.b)) {
		return nil, 0, fmt.Errorf("%s box claims %d entries", kind, n)
	}
	return r, int(n), nil
}

// readTrack reads the index of a track and takes the bytes of its samples from room.
func readTrack(trak []byte, fileSize int64, room *int64) (track, error) {
	t := track{box: trak}
	handler := &reader{b: find(trak, "mdia", "hdlr")}
	handler.skip(8)
	t.handler = string(handler.take(4))
	header := &reader{b: find(trak, "mdia", "mdhd")}
	if header.u8() == 1 {
		header.skip(19)
	} else {
		header.skip(11)
	}
	t.scale = header.u32()
	if handler.short || header.short || t.scale == 0 {
		return t, errors.New("no handler or time scale")
	}
	var err error
	if t.start, err = readEdit(find(trak, "edts", "elst")); err != nil {
		return t, err
	}
	stbl := find(trak, "mdia", "minf", "stbl")
	t.stsd = find(stbl, "stsd")
	if err := t.readSizes(stbl, room); err != nil {
		return t, err
	}
	for _, read := range []func([]byte) error{t.readDurations, t.readShifts, t.readSync, t.readOffsets} {
		if err := read(stbl); err != nil {
			return t, err
		}
	}
	for i, s := range t.samples {
		if s.offset < 0 || s.offset > fileSize-int64(s.size) {
			return t, fmt.Errorf("sample %d %w", i, errOutside)
		}
	}
	return t, nil
}

// readEdit returns the media time at which an edit list of one entry begins; 0 without a list.
func readEdit(elst []byte) (int64, error) {
	if elst == nil {
		return 0, nil
	}
	r := &reader{b: elst}
	version := r.u8()
	r.skip(3)
	if n := r.u32(); n != 1 {
		return 0, fmt.Errorf("edit list with %d entries", n)
	}
	var start int64
	if version == 1 {
		r.skip(8)
		start = int64(r.u64())
	} else {
		r.skip(4)
		start = int64(int32(r.u32()))
	}
	if r.short {
		return 0, errors.New("short edit list")
	}
	return start, nil
}

func (t *track) readSizes(stbl []byte, room *int64) error {
	r := &reader{b: find(stbl, "stsz")}
	r.skip(4)
	same, n := r.u32(), r.u32()
	if r.short || n > maxSamples || same == 0 && int64(n)*4 > int64(len(r.b)) || int64(n)*int64(same) > *room {
		return fmt.Errorf("stsz box claims %d samples", n)
	}
	t.samples = make([]sample, n)
	for i := range t.samples {
		t.samples[i].size = same
		if same == 0 {
			t.samples[i].size = r.u32()
		}
		*room -= int64(t.samples[i].size)
	}
	if *room < 0 {
		return errors.New("the samples are larger than the file")
	}
	return nil
}

// spread reads a table of (how many samples, value) pairs; the counts must add up to the samples there are.
func (t *track) spread(r *reader, entries int, set func(s *sample, value uint32)) error {
	k := 0
	for range entries {
		n, value := r.u32(), r.u32()
		if int64(n) > int64(len(t.samples)-k) {
			return errors.New("a time table is longer than the track")
		}
		for range n {
			set(&t.samples[k], value)
			k++
		}
	}
	if k != len(t.samples) {
		return fmt.Errorf("a time table ends after %d of %d samples", k, len(t.samples))
	}
	return nil
}

func (t *track) readDurations(stbl []byte) error {
	r, n, err := table(stbl, "stts", 8)
	if err != nil {
		return err
	}
	length := int64(0) // ticks
	if err := t.spread(r, n, func(s *sample, v uint32) { s.duration = v; length += int64(v) }); err != nil {
		return err
	}
	if length > maxLength*int64(t.scale) {
		return fmt.Errorf("it lasts %d s", length/int64(t.scale))
	}
	return nil
}

func (t *track) readShifts(stbl []byte) error {
	if find(stbl, "ctts") == nil {
		return nil // shown in the order in which they are decoded
	}
	r, n, err := table(stbl, "ctts", 8)
	if err != nil {
		return err
	}
	return t.spread(r, n, func(s *sample, v uint32) { s.shift = int32(v) })
}

func (t *track) readSync(stbl []byte) error {
	if find(stbl, "stss") == nil {
		for i := range t.samples {
			t.samples[i].sync = true
		}
		return nil
	}
	r, n, err := table(stbl, "stss", 4)
	if err != nil {
		return err
	}
	for range n {
		i := r.u32()
		if i < 1 || int64(i) > int64(len(t.samples)) {
			return fmt.Errorf("stss box names sample %d of %d", i, len(t.samples))
		}
		t.samples[i-1].sync = true
	}
	return nil
}

func readChunks(stbl []byte) ([]int64, error) {
	kind, width := "stco", 4
	if find(stbl, "stco") == nil {
		kind, width = "co64", 8
	}
	r, n, err := table(stbl, kind, width)
	if err != nil {
		return nil, err
	}
	chunks := make([]int64, n)
	for i := range chunks {
		if width == 4 {
			chunks[i] = int64(r.u32())
		} else {
			chunks[i] = int64(r.u64())
		}
	}
	return chunks, nil
}

func (t *track) readOffsets(stbl []byte) error {
	chunks, err := readChunks(stbl)
	if err != nil {
		return err
	}
	r, n, err := table(stbl, "stsc", 12)
	if err != nil {
		return err
	}
	type run struct{ first, each int }
	runs := make([]run, n)
	for i := range runs {
		first, each, description := r.u32(), r.u32(), r.u32()
		if description != 1 {
			return errors.New("more than one sample description")
		}
		if first < 1 || int64(first) > int64(len(chunks)) || i > 0 && int(first) <= runs[i-1].first {
			return fmt.Errorf("stsc box names chunk %d of %d", first, len(chunks))
		}
		runs[i] = run{int(first), int(each)}
	}
	k := 0
	for i, q := range runs {
		last := len(chunks)
		if i+1 < len(runs) {
			last = runs[i+1].first - 1
		}
		for _, offset := range chunks[q.first-1 : last] {
			if q.each > len(t.samples)-k {
				return errors.New("the chunks hold more samples than the track has")
			}
			for range q.each {
				t.samples[k].offset = offset
				offset += int64(t.samples[k].size)
				k++
			}
		}
	}
	if k != len(t.samples) {
		return fmt.Errorf("the chunks hold %d of %d samples", k, len(t.samples))
	}
	return nil
}

// track returns the first track of a kind, "vide" or "soun"; nil if there is none.
func (m *movie) track(handler string) *track {
	for i := range m.tracks {
		if m.tracks[i].handler == handler {
			return &m.tracks[i]
		}
	}
	return nil
}

// avcC returns the parameter sets of an H.264 track, nil for any other codec.
func (t *track) avcC() []byte {
	if len(t.stsd) < 8 {
		return nil
	}
	entries, err := split(t.stsd[8:])
	if err != nil || len(entries) != 1 || entries[0].kind != "avc1" || len(entries[0].payload) < 78 {
		return nil
	}
	return find(entries[0].payload[78:], "avcC")
}
