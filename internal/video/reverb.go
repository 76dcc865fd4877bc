// reverb.go puts the music into a room: Schroeder's design, echoes that feed themselves and then are smeared.

package video

// Delays in samples at 48 kHz; they share no factor, so no echo lands on another. The right ear's are a little longer.
var (
	combDelays    = []int{1214, 1293, 1390, 1476, 1548, 1623}
	allpassDelays = []int{605, 480, 371}
)

const earDistance = 25

// reverb returns the sound with the room's answer mixed in.
func reverb(dry stereo) stereo {
	const wet = 0.05 // with more, the pure tones of a music box would ring in one ear and not in the other
	room := func(in []float64, spread int) []float64 {
		sum := make([]float64, len(in))
		for _, d := range combDelays {
			addComb(sum, in, d+spread)
		}
		for _, d := range allpassDelays {
			allpass(sum, d+spread)
		}
		for i, v := range sum {
			sum[i] = in[i] + v*wet
		}
		return sum
	}
	return stereo{room(dry.left, 0), room(dry.right, earDistance)}
}

// addComb adds echoes every d samples that get softer and darker.
func addComb(out, in []float64, d int) {
	const feedback, damping = 0.74, 0.30
	line := make([]float64, d)
	var dark float64
	for i, v := range in {
		echo := line[i%d]
		dark = echo*(1-damping) + dark*damping
		line[i%d] = v*0.5 + dark*feedback
		out[i] += echo
	}
}

// allpass smears echoes without colouring them.
func allpass(s []float64, d int) {
	const feedback = 0.5
	line := make([]float64, d)
	for i, v := range s {
		old := line[i%d]
		line[i%d] = v + old*feedback
		s[i] = old - v*feedback
	}
}
