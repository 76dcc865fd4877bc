// wav.go reads 16-bit PCM: from WAV files, and from bytes.

package video

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// wave is an open WAV file: 16 bit, stereo, 48 kHz.
type wave struct {
	file   *os.File
	offset int64 // of the first sample
	frames int   // samples of each channel
}

// stereoFrame is how many bytes the two samples of one moment take.
const stereoFrame = 4

// openWave opens a WAV file. The caller closes it.
func openWave(path string) (*wave, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	w, err := readWave(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return w, nil
}

func (w *wave) close() error { return w.file.Close() }

func readWave(f *os.File) (*wave, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var head [12]byte
	if _, err := f.ReadAt(head[:], 0); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, errors.New("not a WAV file")
	}
	known := false
	for at := int64(12); ; {
		var chunk [24]byte
		if n, err := f.ReadAt(chunk[:], at); n < 8 {
			return nil, fmt.Errorf("wav: no sound: %w", err)
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		at += 8
		switch string(chunk[:4]) {
		case "fmt ":
			le := binary.LittleEndian
			known = le.Uint16(chunk[8:]) == 1 && le.Uint16(chunk[10:]) == 2 && le.Uint32(chunk[12:]) == soundRate &&
				le.Uint16(chunk[22:]) == 16
		case "data":
			if !known {
				return nil, errors.New("wav: not 16 bit, stereo and 48 kHz")
			}
			return &wave{f, at, int(min(size, info.Size()-at) / stereoFrame)}, nil
		}
		at += size + size%2
	}
}

// read returns the samples of both channels, taking turns, from frame first up to, not including, last.
func (w *wave) read(first, last int) ([]int16, error) {
	b := make([]byte, (last-first)*stereoFrame)
	if _, err := io.ReadFull(io.NewSectionReader(w.file, w.offset+int64(first)*stereoFrame, int64(len(b))),
		b); err != nil {
		return nil, fmt.Errorf("wav: %w", err)
	}
	return samples(b), nil
}

// samples reads little-endian samples.
func samples(b []byte) []int16 {
	out := make([]int16, len(b)/2)
	for i := range out {
		out[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return out
}

// samplesBytes is the reverse of samples.
func samplesBytes(s []int16) []byte {
	b := make([]byte, 0, 2*len(s))
	for _, v := range s {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}
