// jingle.go plays the music of the scene "new-year": Jingle Bells (1857) on a music box made of sines, with sleigh
// bells.

package video

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
)

const (
	soundRate  = 48000 // samples a second
	beat       = 0.27  // seconds
	musicStart = 0.35  // second
)

// note is a tone: steps in half tones above middle C, and how many beats until the next one.
type note struct {
	tone  int
	beats float64
}

// chorus is the refrain in C with its second ending, 32 beats, so that it closes on the keynote.
var chorus = []note{
	{16, 1}, {16, 1}, {16, 2}, {16, 1}, {16, 1}, {16, 2},
	{16, 1}, {19, 1}, {12, 1.5}, {14, 0.5}, {16, 4},
	{17, 1}, {17, 1}, {17, 1.5}, {17, 0.5}, {17, 1}, {16, 1}, {16, 1}, {16, 0.5}, {16, 0.5},
	{19, 1}, {19, 1}, {17, 1}, {14, 1}, {12, 4},
}

// firstEnding is its first ending, which leads back to the beginning: it takes the place of the last two bars.
var firstEnding = []note{{16, 1}, {14, 1}, {14, 1}, {16, 1}, {14, 2}, {19, 2}}

// chords accompany the chorus: one for each four beats, lowest tone first. firstEnding has others at its end.
var chords = [][3]int{
	{0, 7, 12}, {0, 7, 12}, {0, 4, 10}, {0, 7, 12},
	{5, 9, 12}, {0, 7, 12}, {-5, 5, 11}, {0, 7, 12},
}

var chordsAgain = [][3]int{{2, 6, 12}, {-5, 5, 11}}

// stereo is sound: samples from -1 to 1 for the left and the right ear.
type stereo struct{ left, right []float64 }

func newStereo(seconds float64) stereo {
	n := int(math.Round(seconds * soundRate))
	return stereo{make([]float64, n), make([]float64, n)}
}

// partial is one sine of a tone: frequency as a multiple of the keynote, strength, and how fast it dies.
type partial struct{ times, strength, decay float64 }

var (
	// The third partial of a struck steel comb is far from harmonic: that is what makes it sound like a music box.
	comb = []partial{{1, 0.30, 3.0}, {2, 0.11, 4.6}, {3.93, 0.065, 9}, {7.1, 0.02, 16}}
	// The accompaniment is softer and shorter.
	harp = []partial{{1, 0.12, 3.4}, {2, 0.035, 5.5}, {3, 0.012, 8}}
	// A chime of high bells announces the name.
	bell = []partial{{1, 0.055, 2.4}, {2.76, 0.03, 4}, {5.4, 0.012, 7}}
)

// jingle makes the music for a film of so many seconds, with the refrain once or twice; chime is the second at which
// the name appears.
func jingle(seconds, chime float64, twice bool) stereo {
	dry := newStereo(seconds)
	at := musicStart
	tune, below := chorus, chords
	if twice {
		tune = slices.Concat(chorus[:len(chorus)-5], firstEnding, chorus)
		below = slices.Concat(chords[:6], chordsAgain, chords)
	}
	for _, n := range tune {
		dry.strike(at, n.tone, comb, 1, 0)
		at += n.beats * beat
	}
	end := at - chorus[len(chorus)-1].beats*beat
	for i, c := range below {
		bar := musicStart + float64(i)*4*beat
		for k, tone := range []int{c[0], c[2], c[1], c[2]} {
			dry.strike(bar+float64(k)*beat, tone, harp, 1, 0.5*float64(k%2)-0.25)
		}
	}
	for i, tone := range []int{0, 7, 12, 16, 19, 24} { // a last chord, rolled
		dry.strike(end+0.05*float64(i), tone, harp, 0.8, 0.12*float64(i)-0.3)
	}
	dry.chime(chime, 24)
	dry.sleighBells(musicStart, end)
	wet := reverb(dry)
	wet.fadeOut(0.9)
	wet.level(0.60)
	return wet
}

// chime lets high bells run up to a second at which something appears: a major chord on a tone.
func (s stereo) chime(at float64, tone int) {
	for i, step := range []int{0, 4, 7, 12, 16, 19, 24} {
		s.strike(at-0.30+0.055*float64(i), tone+step, bell, 1, 0.13*float64(i)-0.4)
	}
}

// strike adds a tone at a time in seconds; pan goes from -1, left, to 1, right.
func (s stereo) strike(at float64, tone int, partials []partial, strength, pan float64) {
	frequency := 261.6256 * math.Pow(2, float64(tone)/12)
	from := int(at * soundRate)
	for _, p := range partials {
		step := 2 * math.Pi * frequency * p.times / soundRate
		fade := math.Exp(-p.decay / soundRate)
		k := p.strength * strength
		for i := from; i < len(s.left) && k > 1e-4; i++ {
			attack := min(1, float64(i-from)/48) // one millisecond: no click
			v := math.Sin(step*float64(i-from)) * k * attack
			s.left[i] += v * (1 - pan) / 2 * math.Sqrt2
			s.right[i] += v * (1 + pan) / 2 * math.Sqrt2
			k *= fade
		}
	}
}

// sleighBells shakes a strap of little bells on every beat, harder on the first of two.
func (s stereo) sleighBells(from, until float64) {
	r := rand.New(rand.NewPCG(18, 57))
	for i := 0; from+float64(i)*beat < until; i++ {
		strength := 0.5
		if i%2 == 0 {
			strength = 0.8
		}
		for range 7 {
			at := from + float64(i)*beat + 0.03*r.Float64()
			pitch := 4300 + 4200*r.Float64()
			s.strike(
				at,
				int(math.Round(12*math.Log2(pitch/261.6256))),
				[]partial{{1, 0.011, 20}, {1.31, 0.008, 26}},
				strength,
				r.Float64()-0.5,
			)
		}
	}
}

// fadeOut lets the last seconds die away.
func (s stereo) fadeOut(seconds float64) {
	n := int(seconds * soundRate)
	for i := range n {
		at := len(s.left) - n + i
		k := 1 - float64(i)/float64(n)
		s.left[at] *= k * k
		s.right[at] *= k * k
	}
}

// level makes the loudest sample as loud as peak. It lifts what is soft a little: a phone's speaker is small.
func (s stereo) level(peak float64) {
	var top float64
	for i := range s.left {
		top = max(top, math.Abs(s.left[i]), math.Abs(s.right[i]))
	}
	const drive = 1.0
	for i := range s.left {
		s.left[i] = math.Tanh(drive*s.left[i]/top) / math.Tanh(drive) * peak
		s.right[i] = math.Tanh(drive*s.right[i]/top) / math.Tanh(drive) * peak
	}
}

// wav returns the sound as the bytes of a 16-bit WAV file.
func (s stereo) wav() []byte {
	const channels, width = 2, 2
	size := uint32(len(s.left) * channels * width)
	var w bytes.Buffer
	w.WriteString("RIFF")
	w.Write(binary.LittleEndian.AppendUint32(nil, 36+size))
	w.WriteString("WAVEfmt ")
	for _, v := range []uint32{16, 1 | channels<<16, soundRate, soundRate * channels * width,
		channels*width | 8*width<<16} {
		w.Write(binary.LittleEndian.AppendUint32(nil, v))
	}
	w.WriteString("data")
	w.Write(binary.LittleEndian.AppendUint32(nil, size))
	samples := make([]byte, 0, size)
	for i := range s.left {
		samples = binary.LittleEndian.AppendUint16(samples, uint16(int16(math.Round(s.left[i]*32767))))
		samples = binary.LittleEndian.AppendUint16(samples, uint16(int16(math.Round(s.right[i]*32767))))
	}
	w.Write(samples)
	return w.Bytes()
}
