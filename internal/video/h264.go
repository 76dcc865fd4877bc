// h264.go reads as much of H.264 as it takes to know what a stream claims to be, and that its samples are whole.

package video

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// sps is what a sequence parameter set (ITU-T H.264, 7.3.2.1) says about a stream.
type sps struct {
	profile, level byte
	chroma         uint32 // 1: 4:2:0
	depth          uint32 // bits
	progressive    bool
	width, height  int // pixels that are shown, before sarWidth:sarHeight
	sar            [2]uint32
	transfer       uint32 // 16: PQ, 18: HLG, 2: not said
	frameNumBits   int
	gaps           bool // numbers of frames may be left out
}

// bits reads numbers of a few bits from a NAL unit; after the end it gives zeros and remembers that it was short.
type bits struct {
	b     []byte
	at    int
	short bool
}

func (r *bits) u(n int) (v uint32) {
	for range n {
		v <<= 1
		if r.at/8 >= len(r.b) {
			r.short = true
			continue
		}
		v |= uint32(r.b[r.at/8]>>(7-r.at%8)) & 1
		r.at++
	}
	return v
}

func (r *bits) flag() bool { return r.u(1) == 1 }

// ue reads an unsigned Exp-Golomb code.
func (r *bits) ue() uint32 {
	zeros := 0
	for !r.short && !r.flag() {
		if zeros++; zeros > 31 {
			r.short = true
		}
	}
	if r.short {
		return 0
	}
	return 1<<zeros - 1 + r.u(zeros)
}

// se reads a signed one.
func (r *bits) se() int32 {
	v := r.ue()
	if v&1 == 1 {
		return int32(v/2 + 1)
	}
	return -int32(v / 2)
}

// unescape removes the bytes that keep start codes out of a NAL unit.
func unescape(nal []byte) []byte {
	out := make([]byte, 0, len(nal))
	zeros := 0
	for _, b := range nal {
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}

// readSPS reads a sequence parameter set with its NAL header.
func readSPS(nal []byte) (s sps, err error) {
	if len(nal) < 5 || nal[0]&0x1f != 7 {
		return s, errors.New("h264: no sequence parameter set")
	}
	b := unescape(nal[1:])
	s.profile, s.level = b[0], b[2]
	s.chroma, s.depth, s.sar, s.transfer = 1, 8, [2]uint32{1, 1}, 2
	r := &bits{b: b[3:]}
	r.ue() // id
	switch s.profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		s.readFormat(r)
	}
	s.frameNumBits = int(r.ue()) + 4
	switch r.ue() { // order of pictures
	case 0:
		r.ue()
	case 1:
		r.u(1)
		r.se()
		r.se()
		n := r.ue()
		for i := uint32(0); i < n && !r.short; i++ {
			r.se()
		}
	}
	r.ue() // reference frames
	s.gaps = r.flag()
	width, units := 16*int(r.ue()+1), int(r.ue()+1)
	s.progressive = r.flag()
	high := 2 // of a unit, in fields
	if s.progressive {
		high = 1
	} else {
		r.u(1)
	}
	height := 16 * units * high
	r.u(1)
	if r.flag() { // cropping, in units of chroma
		x, y := 1, high
		if s.chroma == 1 || s.chroma == 2 {
			x = 2
		}
		if s.chroma == 1 {
			y *= 2
		}
		width -= x * int(r.ue()+r.ue())
		height -= y * int(r.ue()+r.ue())
	}
	s.width, s.height = width, height
	if r.flag() {
		s.readUsability(r)
	}
	if r.short || width <= 0 || height <= 0 || width > 1<<15 || height > 1<<15 || s.frameNumBits > 16 {
		return s, errors.New("h264: damaged sequence parameter set")
	}
	return s, nil
}

func (s *sps) readFormat(r *bits) {
	if s.chroma = r.ue(); s.chroma == 3 {
		r.u(1)
	}
	s.depth = max(r.ue(), r.ue()) + 8
	r.u(1)
	if !r.flag() {
		return
	}
	lists := 8
	if s.chroma == 3 {
		lists = 12
	}
	for i := range lists {
		if !r.flag() {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		last, next := int32(8), int32(8)
		for range size {
			if next != 0 {
				next = (last + r.se() + 256) % 256
			}
			if next != 0 {
				last = next
			}
		}
	}
}

// sampleAspects are the pixel shapes that have a number (table E-1).
var sampleAspects = [][2]uint32{{1, 1}, {1, 1}, {12, 11}, {10, 11}, {16, 11}, {40, 33}, {24, 11}, {20, 11}, {32,
	11}, {80, 33},
	{18, 11}, {15, 11}, {64, 33}, {160, 99}, {4, 3}, {3, 2}, {2, 1}}

func (s *sps) readUsability(r *bits) {
	if r.flag() {
		if n := r.u(8); n == 255 {
			s.sar = [2]uint32{r.u(16), r.u(16)}
		} else if int(n) < len(sampleAspects) {
			s.sar = sampleAspects[n]
		}
	}
	if r.flag() {
		r.u(1)
	}
	if r.flag() {
		r.u(4)
		if r.flag() {
			r.u(8)
			s.transfer = r.u(8)
			r.u(8)
		}
	}
	if s.sar[0] == 0 || s.sar[1] == 0 {
		s.sar = [2]uint32{1, 1}
	}
}

// levels are the limits of H.264 levels (table A-1): macroblocks a second and a frame.
var levels = []struct {
	number           byte // ten times the level
	name             string
	second, perFrame int
}{
	{10, "1", 1485, 99}, {11, "1.1", 3000, 396}, {12, "1.2", 6000, 396}, {13, "1.3", 11880, 396}, {20, "2", 11880, 396},
	{21, "2.1", 19800, 792}, {22, "2.2", 20250, 1620}, {30, "3", 40500, 1620}, {31, "3.1", 108000, 3600},
	{32, "3.2", 216000, 5120}, {40, "4.0", 245760, 8192}, {41, "4.1", 245760, 8192}, {42, "4.2", 522240, 8704},
	{50, "5.0", 589824, 22080}, {51, "5.1", 983040, 36864}, {52, "5.2", 2073600, 36864},
}

// levelOf returns the lowest level from 4.0 on that has room for pictures of a size at a rate: what is lower, no
// player profits from. The last one is for all that no level has room for.
func levelOf(w, h int, r rate) string {
	frame := (w + 15) / 16 * ((h + 15) / 16)
	for _, l := range levels {
		if l.number >= 40 && l.number != 41 && frame <= l.perFrame && frame*r.num <= l.second*r.den {
			return l.name
		}
	}
	return levels[len(levels)-1].name
}

// fits reports whether a stream keeps within the level that it claims, with frames samples in the given seconds. A
// tenth more is taken: rates waver.
func (s sps) fits(frames int, seconds float64) bool {
	macroblocks := s.macroblocks()
	for _, l := range levels {
		if l.number == s.level {
			return macroblocks <= l.perFrame && float64(macroblocks*frames) <= 1.1*float64(l.second)*max(seconds, 1/60.)
		}
	}
	return false // 9 is 1b, of telephones of 2004; 60 and more is beyond what today's decode
}

// parameterSets returns the sequence parameter set of an avcC box, and how many bytes the length of a NAL unit takes.
func parameterSets(avcC []byte) (s sps, lengthSize int, err error) {
	if len(avcC) < 8 || avcC[0] != 1 || avcC[5]&0x1f != 1 {
		return s, 0, errors.New("h264: not one sequence parameter set")
	}
	n := int(binary.BigEndian.Uint16(avcC[6:]))
	if len(avcC) < 8+n {
		return s, 0, errors.New("h264: short parameter sets")
	}
	s, err = readSPS(avcC[8 : 8+n])
	return s, int(avcC[4]&3) + 1, err
}

// Kinds of NAL units.
const (
	nalSlice = 1
	nalIDR   = 5
	nalSPS   = 7
	nalPPS   = 8
)

// pictureSets returns the numbers of the picture parameter sets of an avcC box that parameterSets has read.
func pictureSets(avcC []byte) (ids []uint32) {
	at := 8 + int(binary.BigEndian.Uint16(avcC[6:]))
	if at >= len(avcC) {
		return nil
	}
	b := avcC[at+1:]
	for range avcC[at] {
		if len(b) < 2 {
			break
		}
		n := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; n < 2 || n > len(b) {
			break
		}
		r := &bits{b: unescape(b[1:min(n, 8)])}
		ids = append(ids, r.ue())
		b = b[n:]
	}
	return ids
}

// sequence checks the samples of a stream one after another.
type sequence struct {
	sps
	sets       []byte   // the avcC box
	pictures   []uint32 // its picture parameter sets
	lengthSize int      // bytes of the length of a NAL unit
	last       uint32   // number of the last frame that others may refer to
}

// check reports what is wrong with a sample: its NAL units have to fill it exactly, none may hold what looks like a
// start code, as zeroed disk blocks do, a sync sample has to begin a new sequence, its parameter sets have to be those
// of the avcC box, by which the film was judged, and its slices have to be those of the next picture.
func (q *sequence) check(b []byte, sync bool) error {
	var first slice
	count, before := 0, uint32(0)
	for len(b) > 0 {
		if len(b) < q.lengthSize {
			return errors.New("h264: a sample ends within a length")
		}
		n := 0
		for _, v := range b[:q.lengthSize] {
			n = n<<8 | int(v)
		}
		if b = b[q.lengthSize:]; n == 0 || n > len(b) {
			return fmt.Errorf("h264: a NAL unit of %d in a sample of %d bytes", n, len(b))
		}
		nal := b[:n]
		b = b[n:]
		switch kind := nal[0] & 0x1f; {
		case nal[0]&0x80 != 0 || kind == 0 || kind > 20 || kind > nalSlice && kind < nalIDR:
			return fmt.Errorf("h264: a NAL unit of the kind %d", kind)
		case kind <= nalIDR:
			s, err := q.readSlice(nal)
			if err != nil {
				return err
			}
			if count++; count == 1 {
				first = s
			} else if s.at <= before || s.frame != first.frame || s.idr != first.idr {
				return errors.New("h264: slices of different pictures in a sample")
			}
			before = s.at
		case (kind == nalSPS || kind == nalPPS) && !bytes.Contains(q.sets, nal):
			return errors.New("h264: other parameter sets than at the beginning")
		}
		if holdsStartCode(nal) {
			return errors.New("h264: a start code within a NAL unit")
		}
	}
	if count == 0 || first.at != 0 || sync && !first.idr {
		return errors.New("h264: a sample without the picture that it claims")
	}
	if next := (q.last + 1) & (1<<q.frameNumBits - 1); !first.idr && !q.gaps && first.frame != next {
		return fmt.Errorf("h264: frame %d where %d comes next", first.frame, next)
	}
	if first.reference {
		q.last = first.frame
	}
	return nil
}

// slice is what the header of a slice says (7.3.3).
type slice struct {
	at        uint32 // its first macroblock
	frame     uint32 // number of the picture, as far as there are bits
	idr       bool
	reference bool // other pictures may refer to this one
}

// readSlice reads the header of a slice of whole pictures.
func (q *sequence) readSlice(nal []byte) (s slice, err error) {
	r := &bits{b: unescape(nal[1:min(len(nal), 32)])}
	s = slice{at: r.ue(), idr: nal[0]&0x1f == nalIDR, reference: nal[0]&0x60 != 0}
	kind, set := r.ue(), r.ue()
	s.frame = r.u(q.frameNumBits)
	const lastKind, intra, allIntra = 9, 2, 7
	switch {
	case r.short || nal[len(nal)-1] == 0 || int64(s.at) >= int64(q.macroblocks()) || kind > lastKind:
		err = errors.New("h264: a damaged slice")
	case s.idr && (kind != intra && kind != allIntra || s.frame != 0 || !s.reference):
		err = errors.New("h264: a key frame that refers to others")
	case !slices.Contains(q.pictures, set):
		err = fmt.Errorf("h264: a slice with the parameters %d, which are not there", set)
	}
	return s, err
}

func (s sps) macroblocks() int { return (s.width + 15) / 16 * ((s.height + 15) / 16) }

// holdsStartCode reports whether two zero bytes are followed by less than three.
func holdsStartCode(nal []byte) bool {
	zeros := []byte{0, 0}
	for {
		at := bytes.Index(nal, zeros)
		if at < 0 || at+2 >= len(nal) {
			return false
		}
		if nal[at+2] < 3 {
			return true
		}
		nal = nal[at+2:]
	}
}

// idrID returns the idr_pic_id of a sample that begins with a sync picture; ok is false if it has none.
func (s sps) idrID(sample []byte, lengthSize int) (id uint32, ok bool) {
	for len(sample) > lengthSize {
		n := 0
		for _, v := range sample[:lengthSize] {
			n = n<<8 | int(v)
		}
		if sample = sample[lengthSize:]; n == 0 || n > len(sample) {
			return 0, false
		}
		if sample[0]&0x1f == nalIDR {
			r := &bits{b: unescape(sample[1:min(n, 64)])}
			r.ue() // first macroblock
			r.ue() // kind of slice
			r.ue() // picture parameter set
			r.u(s.frameNumBits)
			if !s.progressive && r.flag() {
				r.u(1)
			}
			id = r.ue()
			return id, !r.short
		}
		sample = sample[n:]
	}
	return 0, false
}
