// aac.go replaces a run of AAC packets in a film: encoded from a part of the sound, cut where both sides fit together.

package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// What a decoder gives out for packet k is half of packet k-1 and half of packet k: the sound from packetSamples*(k-1)
// up to packetSamples*k of what was encoded. So the first packet only leads in; a film says so with an edit.
const (
	packetSamples = 1024
	silentIn      = 4  // packets of silence before a part, see encodePackets
	leadIn        = 8  // packets before those that can be used: silence, then sound until the encoder is settled
	cutReach      = 6  // packets within which a good cut is looked for: each costs the encoder as much as one heard
	longReach     = 40 // and where there is none so near
)

// patchSound encodes the packets of a film's sound in which the frames from first up to, not including, last are
// heard. sound returns frames as they shall be, of all that there are.
func (t *tools) patchSound(ctx context.Context, old *track, sound func(first, last int) ([]int16, error),
	frames, first, last int, folder string) (patch, error) {
	all := len(old.samples)
	// The packets before the first cut and from the second one on are heard only where nothing changes.
	cut, end := max(0, first/packetSamples), min(all, (last+packetSamples-1)/packetSamples+1)
	for _, reach := range []int{cutReach, longReach} {
		from, to := max(0, cut-reach-leadIn), min(all, end+reach)
		p, err := t.encodePackets(ctx, old, sound, frames, from, to, folder)
		if err != nil {
			return patch{}, err
		}
		p.at, p.last = p.joint(old, from, cut, max(cut-reach, 0), -1), p.joint(old, from, end, to, +1)
		if p.at >= 0 && p.last >= 0 {
			p.first, p.last = p.at-from, p.last-from
			return p, nil
		}
		if err := p.from.close(); err != nil {
			return patch{}, err
		}
	}
	p, err := t.encodePackets(ctx, old, sound, frames, 0, all, folder)
	p.last = all
	return p, err
}

// joint returns the first packet, from one to another, before which a decoder can go over from old packets to those of
// the patch or back; -1 if there is none. The patch's first packet is the one with the number from.
func (p patch) joint(old *track, from, first, last, step int) int {
	for n := first; ; n += step {
		if n == 0 || n == len(old.samples) {
			return n
		}
		a, b := slopeOf(old.samples[n-1]), slopeOf(p.from.sound().samples[n-1-from])
		if a == b && a != unknownSlope {
			return n
		}
		if n == last {
			return -1
		}
	}
}

// plainSound returns the film's sound track if it is as encodeSound makes it.
func plainSound(film *movie) (*track, error) {
	s := film.sound()
	switch {
	case s == nil || s.aacConfig() == nil:
		return nil, fmt.Errorf("%w: the sound of the film is not AAC", errMismatch)
	case s.scale != soundRate || s.start != packetSamples:
		return nil, fmt.Errorf("%w: the sound of the film is not at 48 kHz or begins elsewhere", errMismatch)
	}
	for i, q := range s.samples {
		if q.duration != packetSamples && i < len(s.samples)-1 {
			return nil, fmt.Errorf("%w: packet %d of the film's sound lasts %d samples", errMismatch, i, q.duration)
		}
	}
	return s, nil
}

// encodePackets encodes the packets from one number up to, not including, another. Those that lead in are useless.
//
// A part begins with silence as most films do. From then on ffmpeg's encoder shares out its bits in another way than
// after a sudden beginning, for many seconds: without the silence the part has several times the noise of the film.
func (t *tools) encodePackets(ctx context.Context, old *track, sound func(first, last int) ([]int16, error),
	frames, from, to int, folder string) (patch, error) {
	last := frames
	if to < len(old.samples) { // the encoder looks ahead
		last = min(frames, (to+leadIn)*packetSamples)
	}
	first := from * packetSamples
	pcm, err := sound(min(first, last), last)
	if err != nil {
		return patch{}, err
	}
	if from > 0 {
		clear(pcm[:min(len(pcm), 2*silentIn*packetSamples)])
	}
	path := filepath.Join(folder, "sound.mp4")
	args := append([]string{"-f", "s16le", "-ar", fmt.Sprint(soundRate), "-ac", "2", "-i", "pipe:0"}, t.oneThread()...)
	args = append(append(args, encodeSound...), "-f", "mp4", "file:"+path)
	p, err := t.start(ctx, args, nil, true)
	if err != nil {
		return patch{}, err
	}
	_, err = p.stdin.Write(samplesBytes(pcm))
	// An encoder that died is the reason for a write that failed, not the other way round.
	if err := errors.Join(endInput([]*process{p}), err); err != nil {
		return patch{}, fmt.Errorf("encode the sound: %w", err)
	}
	m, err := openMovie(path)
	if err != nil {
		return patch{}, err
	}
	// The open file stays readable without its name.
	if err := os.Remove(path); err != nil {
		return patch{}, errors.Join(err, m.close())
	}
	s, err := plainSound(m)
	if err == nil && !bytes.Equal(s.aacConfig(), old.aacConfig()) {
		err = fmt.Errorf("%w: different sound parameters", errMismatch)
	}
	if err == nil && len(s.samples) < to-from {
		err = fmt.Errorf("%w: the music is shorter than the film", errMismatch)
	}
	if err != nil {
		return patch{}, errors.Join(err, m.close())
	}
	return patch{handler: "soun", from: m}, nil
}

// slope is how the later half of a packet fades out. The earlier half of the next one has to fade in the same way.
type slope uint8

const (
	unknownSlope slope = iota
	longSine
	longKaiser
	shortSine
	shortKaiser
)

// slopeOf reads the slope from the first bits of a packet: those of a pair of channels with a common window. It is
// unknown for any other packet, and for one that cannot be read.
func slopeOf(s sample) slope {
	var b [2]byte
	if s.size < 2 {
		return unknownSlope
	}
	if _, err := s.file.ReadAt(b[:], s.offset); err != nil {
		return unknownSlope
	}
	// id_syn_ele 3 bits, element_instance_tag 4, common_window 1; ics_reserved_bit 1, window_sequence 2, window_shape
	// 1.
	const pair = 1
	if b[0]>>5 != pair || b[0]&1 == 0 {
		return unknownSlope
	}
	s2 := longSine
	if sequence := b[1] >> 5 & 3; sequence == 1 || sequence == 2 { // LONG_START and EIGHT_SHORT
		s2 = shortSine
	}
	return s2 + slope(b[1]>>4&1)
}

// sound returns the sound track, nil if there is none.
func (m *movie) sound() *track {
	for i := range m.tracks {
		if m.tracks[i].handler == "soun" {
			return &m.tracks[i]
		}
	}
	return nil
}

// aacConfig returns the AudioSpecificConfig of an AAC track, nil for any other codec. The rest of the sample
// description says how many bits a second there are on average: that may differ.
func (t *track) aacConfig() []byte {
	if len(t.stsd) < 8 {
		return nil
	}
	entries, err := split(t.stsd[8:])
	if err != nil || len(entries) != 1 || entries[0].kind != "mp4a" || len(entries[0].payload) < 28 {
		return nil
	}
	esds := find(entries[0].payload[28:], "esds")
	if len(esds) < 4 {
		return nil
	}
	const stream, decoder, specific = 3, 4, 5 // tags of descriptors, each inside the one before
	b := descriptor(esds[4:], stream, 3)      // after an id of two bytes and a byte of flags
	b = descriptor(b, decoder, 13)            // after codec, buffer and bit rates
	return descriptor(b, specific, 0)
}

// descriptor returns what is in a descriptor with this tag after so many bytes, nil if b does not begin with one.
func descriptor(b []byte, tag byte, skip int) []byte {
	if len(b) == 0 || b[0] != tag {
		return nil
	}
	size := 0
	for i := 1; i < len(b) && i <= 4; i++ {
		size = size<<7 | int(b[i]&0x7f)
		if b[i]&0x80 == 0 {
			if b = b[i+1:]; size < skip || size > len(b) {
				return nil
			}
			return b[skip:size]
		}
	}
	return nil
}
