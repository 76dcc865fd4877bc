// clip.go makes a clip of what an engine spoke: 48 kHz, one channel, nothing but voice, and always equally loud.

package video

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"
)

const (
	clipLoudness = -15.0                 // LUFS
	maxClip      = 15 * soundRate        // samples
	clipMargin   = 15 * soundRate / 1000 // samples left before and after the voice, for soft consonants
	faintest     = 0.003                 // peak of what counts as sound, where 1 is full scale
	clipKnee     = 0.5                   // the loudest that passes the limiter unchanged
	clipPeak     = 0.79                  // the loudest that leaves it: -2 dB, so that between samples it is not -1.5
)

// hardenedSound are the options before sound from outside: a local file, and of a kind that names no other files.
var hardenedSound = reading("wav,mp3,flac,ogg,aac," + mpeg4Files)

// normalise reads a sound file and returns the voice in it.
func (t *tools) normalise(ctx context.Context, path string) ([]int16, error) {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil, errors.New("the engine left no sound file")
	}
	sound, ok := plainVoice(path)
	if !ok {
		var err error
		if sound, err = t.decodeSound(ctx, path); err != nil {
			return nil, fmt.Errorf("read the sound: %w", err)
		}
	}
	clip := trim(sound)
	switch {
	case len(clip) == 0:
		return nil, errors.New("the engine left silence")
	case len(clip) > maxClip:
		return nil, fmt.Errorf("the engine spoke for longer than %v", maxClip/soundRate*time.Second)
	}
	gain := math.Pow(10, (clipLoudness-loudness(clip))/20)
	for i, s := range clip {
		clip[i] = sample16(soften(float64(s)/32768*gain, clipKnee, clipPeak))
	}
	return clip, nil
}

// decodeSound has ffmpeg read a sound file. The decoder stops at twice the longest clip, whatever a file claims: there
// may be silence around the voice.
func (t *tools) decodeSound(ctx context.Context, path string) ([]int16, error) {
	args := append(append(t.oneThread(), hardenedSound...), "-t", strconv.Itoa(2*maxClip/soundRate), "-i", "file:"+path,
		"-map", "0:a:0", "-ar", strconv.Itoa(soundRate), "-ac", "1", "-f", "s16le", "pipe:1")
	pcm := &limited{left: 2 * 2 * maxClip}
	err := run(ctx, child{argv: t.command(args), stdout: pcm, tool: true})
	return samples(pcm.Bytes()), err
}

// plainVoice reads a WAV file of 16 bit and one channel, as voices write it, and brings it to 48 kHz: that takes a few
// milliseconds, where starting ffmpeg takes a tenth of a second. It is not ok for any other file.
func plainVoice(path string) (voice []int16, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPlainVoice+1))
	if err != nil || len(b) > maxPlainVoice || len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, false
	}
	le, rate := binary.LittleEndian, 0
	for b = b[12:]; len(b) >= 8; {
		kind, size := string(b[:4]), uint64(le.Uint32(b[4:]))
		b = b[8:]
		part := b[:min(size, uint64(len(b)))] // a program that writes to a pipe does not know the size
		switch kind {
		case "fmt ":
			const pcm = 1
			if len(part) < 16 || le.Uint16(part) != pcm || le.Uint16(part[2:]) != 1 || le.Uint16(part[14:]) != 16 {
				return nil, false
			}
			rate = int(le.Uint32(part[4:]))
		case "data":
			if rate < 8000 || rate > 2*soundRate || len(part)/2 > 2*maxClip/soundRate*rate {
				return nil, false
			}
			return resample(samples(part[:len(part)&^1]), rate), true
		}
		b = b[min(size+size%2, uint64(len(b))):]
	}
	return nil, false
}

// maxPlainVoice is how many bytes a plain WAV file may have: twice the longest clip at 96 kHz.
const maxPlainVoice = 2*2*2*maxClip + 4096

// sincReach is how many samples of the source, before and after, make one of the result.
const sincReach = 16

// resample brings a sound to 48 kHz, with a sinc under a Hann window.
func resample(in []int16, rate int) []int16 {
	if rate == soundRate {
		return in
	}
	up, down := soundRate, rate
	for a, b := up, down; ; a, b = b, a%b {
		if b == 0 {
			up, down = up/a, down/a
			break
		}
	}
	pass := min(1, float64(soundRate)/float64(rate)) // what is too high for the result is left out
	reach := int(math.Ceil(sincReach / pass))
	taps := make([][]float32, up)
	for phase := range taps {
		taps[phase] = make([]float32, 2*reach)
		for k := range taps[phase] {
			x := (float64(k-reach+1) - float64(phase)/float64(up)) * pass
			w := 0.5 + 0.5*math.Cos(math.Pi*min(1, math.Abs(x)/sincReach))
			v := 1.0
			if x != 0 {
				v = math.Sin(math.Pi*x) / (math.Pi * x)
			}
			taps[phase][k] = float32(v * w * pass)
		}
	}
	out := make([]int16, len(in)*up/down)
	for n := range out {
		at := n * down
		middle := at/up - reach + 1
		var sum float32
		for k, tap := range taps[at%up] {
			if i := middle + k; i >= 0 && i < len(in) {
				sum += tap * float32(in[i])
			}
		}
		out[n] = sample16(float64(sum) / 32768)
	}
	return out
}

// loudnessRate is how often in a second the loudness of a clip is taken.
const loudnessRate = 60

// swellOf returns how loud a clip is from moment to moment, 0 to 1: as loud as at its loudest. It rises with the
// voice and falls more slowly, so that a light that follows it breathes and does not flicker.
func swellOf(clip []int16) []float32 {
	const step = soundRate / loudnessRate
	loud := make([]float32, len(clip)/step+loudnessRate/2)
	var most, held float32
	for i := range loud {
		var sum float64
		part := clip[min(len(clip), i*step):min(len(clip), (i+1)*step)]
		for _, s := range part {
			sum += float64(s) * float64(s)
		}
		now := float32(math.Sqrt(sum / step))
		held = max(held+(now-held)*0.5, held*0.90)
		loud[i], most = held, max(most, held)
	}
	for i := range loud {
		loud[i] /= max(1, most)
	}
	return loud
}

// biquad is a filter: what goes in, from the newest, and what came out count with these factors.
type biquad struct{ in, out [3]float64 }

// kWeighting are the filters of ITU-R BS.1770 at 48 kHz, which hear like a head with ears.
var kWeighting = []biquad{
	{[3]float64{1.53512485958697, -2.69169618940638, 1.19839281085285}, [3]float64{1, -1.69065929318241,
		0.73248077421585}},
	{[3]float64{1, -2, 1}, [3]float64{1, -1.99004745483398, 0.99007225036621}},
}

// loudness measures a sound that is not silent in LUFS, as ITU-R BS.1770 says: the mean of blocks of 0.4 s that
// overlap, without those that are 10 dB softer than the mean of all. A sound that is shorter than a block is one.
func loudness(clip []int16) float64 {
	heard := make([]float64, len(clip))
	for i, s := range clip {
		heard[i] = float64(s) / 32768
	}
	for _, f := range kWeighting {
		var x1, x2, y1, y2 float64
		for i, x := range heard {
			y := f.in[0]*x + f.in[1]*x1 + f.in[2]*x2 - f.out[1]*y1 - f.out[2]*y2
			x1, x2, y1, y2 = x, x1, y, y1
			heard[i] = y
		}
	}
	const block, step = 400 * soundRate / 1000, 100 * soundRate / 1000
	var power []float64
	for from := 0; from == 0 || from+block <= len(heard); from += step {
		part := heard[from:min(from+block, len(heard))]
		var sum float64
		for _, v := range part {
			sum += v * v
		}
		power = append(power, sum/float64(len(part)))
	}
	mean := func(gate float64) float64 {
		var sum, n float64
		for _, p := range power {
			if p >= gate {
				sum, n = sum+p, n+1
			}
		}
		return sum / n
	}
	return 10*math.Log10(mean(mean(0)/10)) - 0.691
}

// trim cuts away what is silent before and after: 40 dB below the peak. Nothing is left of what is silent altogether.
func trim(clip []int16) []int16 {
	var peak float64
	for _, s := range clip {
		peak = max(peak, math.Abs(float64(s)))
	}
	if peak < faintest*32768 {
		return nil
	}
	heard := func(s int16) bool { return math.Abs(float64(s)) > peak/100 }
	first, last := 0, len(clip)
	for !heard(clip[first]) {
		first++
	}
	for !heard(clip[last-1]) {
		last--
	}
	return clip[max(0, first-clipMargin):min(len(clip), last+clipMargin)]
}

// soften bends what is louder than the knee so that nothing exceeds the top; full scale is 1.
func soften(v, knee, top float64) float64 {
	if over := math.Abs(v) - knee; over > 0 {
		return math.Copysign(knee+(top-knee)*math.Tanh(over/(top-knee)), v)
	}
	return v
}

func sample16(v float64) int16 { return int16(math.Round(min(max(v*32768, -32768), 32767))) }
