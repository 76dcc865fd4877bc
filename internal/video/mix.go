// mix.go lays a clip over music and makes the music step back meanwhile.

package video

import (
	"context"
	"fmt"
	"math"
	"time"
)

const (
	duckAttack  = 150 * soundRate / 1000 // samples that the music takes to become softer, before the voice begins
	duckRelease = 350 * soundRate / 1000 // and to come back after it
	clipFade    = 5 * soundRate / 1000   // samples in which a clip begins and ends, so that there is no click
	cutFade     = 300 * soundRate / 1000 // samples in which a clip ends that is longer than the film
	mixKnee     = 0.8                    // the loudest that passes the limiter unchanged; 1 is full scale
	mixPeak     = 0.98                   // the loudest that leaves it
)

// mixVoice returns the patch that puts the clip into the sound of a prepared film. The film's sound was encoded with
// encodeSound from the WAV file music, which is as long as the film. Only the packets that sound different are encoded
// again, unless they cannot be joined to the others; then all are. The error is errMismatch if the film's sound is of
// another kind. A clip that would end after the film begins earlier; of one that is longer than the film the end is
// faded out. The caller closes patch.from; the folder holds no file afterwards.
func (t *tools) mixVoice(
	ctx context.Context,
	film *movie,
	music string,
	clip []int16,
	start time.Duration,
	duck float64,
	folder string,
) (patch, error) {
	w, err := openWave(music)
	if err != nil {
		return patch{}, fmt.Errorf("music: %w", err)
	}
	defer w.close()
	old, err := plainSound(film)
	if err != nil {
		return patch{}, err
	}
	frames := min(w.frames, (len(old.samples)-1)*packetSamples)
	clip, at := placeClip(clip, int(start.Seconds()*soundRate), frames)
	mixed := func(first, last int) ([]int16, error) {
		sound, err := w.read(first, last)
		if err == nil {
			layOver(sound, first, clip, at, duck)
		}
		return sound, err
	}
	return t.patchSound(ctx, old, mixed, frames, max(0, at-duckAttack), min(frames, at+len(clip)+duckRelease), folder)
}

// placeClip returns the clip and the sample at which it begins in a film of so many samples.
func placeClip(clip []int16, at, film int) ([]int16, int) {
	if len(clip) <= film {
		return clip, max(0, min(at, film-len(clip)))
	}
	clip = append([]int16(nil), clip[:film]...)
	fade := min(cutFade, film)
	for i := range fade {
		s := &clip[film-1-i]
		*s = int16(int(*s) * i / fade)
	}
	return clip, 0
}

// layOver adds the clip, which begins at the given frame of the film, in the middle of stereo sound that begins at
// frame first.
func layOver(sound []int16, first int, clip []int16, at int, duck float64) {
	for i := range len(sound) / 2 {
		n := first + i - at // since the clip began
		gain := math.Pow(10, duck/20*ducked(n, len(clip)))
		if gain == 1 && (n < 0 || n >= len(clip)) {
			continue
		}
		for ear := range 2 {
			v := float64(sound[2*i+ear]) / 32768 * gain
			if n >= 0 && n < len(clip) {
				edge := min(1, float64(min(n, len(clip)-1-n))/clipFade)
				v = soften(v+float64(clip[n])/32768*edge, mixKnee, mixPeak)
			}
			sound[2*i+ear] = sample16(v)
		}
	}
}

// ducked says how far the music has stepped back, from 0 to 1, at a sample counted from the beginning of the voice.
func ducked(n, length int) float64 {
	x := min(float64(n+duckAttack)/duckAttack, float64(length+duckRelease-n)/duckRelease)
	x = min(max(x, 0), 1)
	return x * x * (3 - 2*x) // no corner at either end
}
