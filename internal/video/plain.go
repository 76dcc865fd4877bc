// plain.go proves without a decoder that an MP4 plays on every telephone, and writes MP4s that hold nothing but a
// film.

package video

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// plainKinds are the boxes that a film needs, by the box they are in. All else, tags and places among it, stays
// behind.
var plainKinds = map[string][]string{
	"moov": {"mvhd", "trak"},
	"trak": {"tkhd", "edts", "mdia"},
	"mdia": {"mdhd", "hdlr", "minf"},
	"minf": {"vmhd", "smhd", "dinf", "stbl"},
}

// plainType is the ftyp of what we write.
var plainType = []byte("isom\x00\x00\x02\x00isomiso2avc1mp41")

// stripped returns the payload of a box without what a film does not need: tags, chapters, when and by what it was
// made.
func stripped(kind string, payload []byte) []byte {
	if kinds, ok := plainKinds[kind]; ok {
		var w bytes.Buffer
		atoms, _ := split(payload) // readMovie has found them whole
		for _, a := range atoms {
			if slices.Contains(kinds, a.kind) {
				putBox(&w, a.kind, stripped(a.kind, a.payload))
			}
		}
		return w.Bytes()
	}
	out := bytes.Clone(payload)
	switch kind {
	case "mvhd", "tkhd", "mdhd": // creation and modification
		if len(out) >= 20 {
			times := 8
			if out[0] == 1 { // any other version is read as 0
				times = 16
			}
			clear(out[4 : 4+times])
		}
	case "hdlr": // the name
		if len(out) > 24 {
			out = append(out[:24], 0)
		}
	case "stsd": // the encoder's name in the first entry
		const name, size = 8 + 8 + 42, 32
		if len(out) >= name+size && string(out[12:16]) == "avc1" {
			clear(out[name : name+size])
		}
	}
	return out
}

// only returns a movie of some of the tracks.
func (m *movie) only(kept ...*track) *movie {
	out := &movie{file: m.file, ftyp: m.ftyp}
	var w bytes.Buffer
	header := bytes.Clone(find(m.moov, "mvhd"))
	var length uint64
	for _, t := range kept {
		length = max(length, headerLength(find(t.box, "tkhd"), 20, 28))
	}
	putHeaderLength(header, 16, 24, length)
	putBox(&w, "mvhd", header)
	for _, t := range kept {
		putBox(&w, "trak", t.box)
		out.tracks = append(out.tracks, *t)
	}
	out.moov = w.Bytes()
	return out
}

// headerLength reads a duration from a header box: at one offset in version 0, at another in version 1.
func headerLength(b []byte, at0, at1 int) uint64 {
	switch {
	case len(b) >= at1+8 && b[0] == 1:
		return binary.BigEndian.Uint64(b[at1:])
	case len(b) >= at0+4 && b[0] == 0:
		return uint64(binary.BigEndian.Uint32(b[at0:]))
	}
	return 0
}

func putHeaderLength(b []byte, at0, at1 int, v uint64) {
	switch {
	case len(b) >= at1+8 && b[0] == 1:
		binary.BigEndian.PutUint64(b[at1:], v)
	case len(b) >= at0+4 && b[0] == 0:
		binary.BigEndian.PutUint32(b[at0:], uint32(min(v, math.MaxUint32)))
	}
}

// errDoubt says that a file may be right, but that it takes ffmpeg to find out, or to make it right.
var errDoubt = errors.New("this MP4 is not plain")

func doubt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errDoubt, fmt.Sprintf(format, args...))
}

// provePlain opens an MP4 that every telephone plays: one track of H.264 in 8 bits and 4:2:0 within its level, of
// whole pictures from the beginning to the end, and one of AAC. Other tracks are left out. The error says what is not
// proved; the caller closes the movie.
func provePlain(path string) (m *movie, f facts, err error) {
	whole, err := openMovie(path)
	if err != nil {
		return nil, f, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, whole.close())
		}
	}()
	var v, s *track
	for i := range whole.tracks {
		switch t := &whole.tracks[i]; {
		case t.handler == "vide" && v == nil:
			v = t
		case t.handler == "soun" && s == nil:
			s = t
		case t.handler == "vide" || t.handler == "soun":
			return nil, f, doubt("it has several tracks of pictures or sound")
		}
	}
	if v == nil || s == nil {
		return nil, f, doubt("it lacks pictures or sound")
	}
	if find(whole.moov, "mvex") != nil {
		return nil, f, doubt("it comes in fragments")
	}
	if f, err = v.provePictures(whole); err != nil {
		return nil, f, err
	}
	heard, err := s.proveSound(whole)
	if err == nil && heard > f.duration.Seconds()+0.5 {
		err = doubt("its sound goes on for %.1f s after the pictures", heard-f.duration.Seconds())
	}
	return whole.only(v, s), f, err
}

// proveTimes checks that a track begins at once and is shown as a whole, and returns how long it lasts in seconds.
func (t *track) proveTimes(m *movie) (float64, error) {
	if len(t.samples) == 0 {
		return 0, doubt("a track is empty")
	}
	first, clock := int64(math.MaxInt64), int64(0)
	for _, s := range t.samples {
		first = min(first, clock+int64(s.shift))
		clock += int64(s.duration)
	}
	scale := float64(t.scale)
	length := float64(clock) / scale
	if lead := float64(t.start-first) / scale; math.Abs(lead) > 0.1 {
		return 0, doubt("a track begins %.2f s early or late", lead)
	}
	edit := find(t.box, "edts", "elst")
	header := find(m.moov, "mvhd")
	ticks := headerLength(header, 12, 20)
	if len(header) > 0 && header[0] == 1 {
		ticks >>= 32 // the time scale is a word of four bytes in both versions
	}
	if edit != nil && ticks > 0 {
		shown := float64(headerLength(edit, 8, 8)) / float64(ticks)
		if math.Abs(length-shown) > 0.2 {
			return 0, doubt("of %.1f s, %.1f are shown", length, shown)
		}
	}
	reference := find(t.box, "mdia", "minf", "dinf", "dref")
	if len(reference) < 20 || binary.BigEndian.Uint32(reference[4:]) != 1 || reference[19]&1 == 0 {
		return 0, doubt("its samples lie in another file")
	}
	if length <= 0 {
		return 0, doubt("a track has no duration")
	}
	return length, nil
}

func (t *track) provePictures(m *movie) (f facts, err error) {
	s, lengthSize, err := parameterSets(t.avcC())
	if err != nil {
		return f, doubt("%v", err)
	}
	length, err := t.proveTimes(m)
	if err != nil {
		return f, err
	}
	switch {
	case s.profile != 66 && s.profile != 77 && s.profile != 100, s.chroma != 1, s.depth != 8:
		return f, doubt("profile %d, chroma %d, %d bits", s.profile, s.chroma, s.depth)
	case !s.progressive:
		return f, doubt("it is interlaced")
	case s.transfer == 16 || s.transfer == 18:
		return f, doubt("it is HDR")
	case !s.fits(len(t.samples), length):
		return f, doubt("%d×%d at %.4g frames a second exceed level %d", s.width, s.height,
			float64(len(t.samples))/length, s.level)
	case !t.samples[0].sync:
		return f, doubt("it does not begin with a key frame")
	}
	var b []byte
	order := sequence{sps: s, sets: t.avcC(), pictures: pictureSets(t.avcC()), lengthSize: lengthSize}
	for i, q := range t.samples {
		b = slices.Grow(b[:0], int(q.size))[:q.size]
		if _, err := q.file.ReadAt(b, q.offset); err != nil {
			return f, err
		}
		if err := order.check(b, q.sync); err != nil {
			return f, doubt("picture %d: %v", i, err)
		}
	}
	f = facts{width: s.width * int(s.sar[0]) / int(s.sar[1]), height: s.height, frames: len(t.samples),
		duration: time.Duration(length * float64(time.Second)), codec: "h264", sound: "aac"}
	turned, ok := quarterTurn(find(t.box, "tkhd"))
	if !ok {
		return f, doubt("it is shown mirrored or askew")
	}
	if turned {
		f.width, f.height = f.height, f.width
	}
	if min(f.width, f.height) < shortestEdge || max(f.width, f.height) > longestEdge {
		return f, doubt("%d×%d pixels", f.width, f.height)
	}
	return f, nil
}

// quarterTurn reads the matrix of a track header: whether the picture is turned by 90 degrees. It is ok if it is
// turned by right angles only.
func quarterTurn(tkhd []byte) (turned, ok bool) {
	at := 40
	if len(tkhd) > 0 && tkhd[0] == 1 {
		at = 52
	}
	if len(tkhd) < at+36 {
		return false, false
	}
	number := func(i int) int32 { return int32(binary.BigEndian.Uint32(tkhd[at+4*i:])) }
	a, b, c, d := number(0), number(1), number(3), number(4)
	const one = 1 << 16
	switch {
	case a == d && (a == one || a == -one) && b == 0 && c == 0:
		return false, true
	case b == -c && (b == one || b == -one) && a == 0 && d == 0:
		return true, true
	}
	return false, false
}

// proveSound returns how long the sound of a track lasts in seconds.
func (t *track) proveSound(m *movie) (length float64, err error) {
	if length, err = t.proveTimes(m); err != nil {
		return 0, err
	}
	c := t.aacConfig()
	if len(c) < 2 {
		return 0, doubt("the sound is not AAC")
	}
	const lowComplexity = 2
	if kind, channels := c[0]>>3, c[1]>>3&15; kind != lowComplexity || channels < 1 || channels > 2 {
		return 0, doubt("the sound is AAC of the kind %d with %d channels", kind, channels)
	}
	var b []byte
	for i, q := range t.samples {
		b = slices.Grow(b[:0], int(q.size))[:q.size]
		if _, err := q.file.ReadAt(b, q.offset); err != nil {
			return 0, err
		}
		if len(b) == 0 || len(b) > 16 && bytes.Count(b, []byte{0}) == len(b) {
			return 0, doubt("packet %d of the sound is empty", i)
		}
	}
	return length, nil
}
