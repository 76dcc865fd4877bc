// voicequality_test.go measures how natural a voice sounds: its harmonics against its noise, and its bandwidth.

package video

import (
	"math"
	"math/cmplx"
	"testing"
)

// harmonicToNoise is how much stronger the harmonics of a voice are than its noise, in decibels: the mean of all frames
// that have a pitch. It is found in the autocorrelation of the sound, divided by that of the window (P. Boersma,
// Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound, 1993).
func harmonicToNoise(clip []int16) float64 {
	const size, hop = soundRate * 60 / 1000, soundRate * 10 / 1000
	const shortest, longest = soundRate / 500, soundRate / 75 // of a pitch period
	window := make([]float64, size)
	for i := range window {
		window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/size)
	}
	correlate := func(x []float64, lag int) (sum float64) {
		for i := lag; i < len(x); i++ {
			sum += x[i] * x[i-lag]
		}
		return sum
	}
	ofWindow := map[int]float64{}
	for lag := shortest; lag <= longest; lag++ {
		ofWindow[lag] = correlate(window, lag) / correlate(window, 0)
	}
	var peak float64
	for _, s := range clip {
		peak = max(peak, math.Abs(float64(s)))
	}
	var sum, n float64
	frame := make([]float64, size)
	for from := 0; from+size <= len(clip); from += hop {
		var mean, top float64
		for _, s := range clip[from : from+size] {
			mean += float64(s) / size
		}
		for i, s := range clip[from : from+size] {
			top = max(top, math.Abs(float64(s)))
			frame[i] = (float64(s) - mean) * window[i]
		}
		if top < peak*0.1 {
			continue
		}
		whole, best := correlate(frame, 0), 0.0
		for lag := shortest; lag <= longest; lag++ {
			best = max(best, correlate(frame, lag)/whole/ofWindow[lag])
		}
		if best = min(best, 0.9999); best > 0.6 {
			sum, n = sum+10*math.Log10(best/(1-best)), n+1
		}
	}
	return sum / n
}

// bandwidth is the highest frequency, in Hz, at which a clip is less than 40 dB below its loudest third of an octave.
func bandwidth(clip []int16) float64 {
	const size = 2048
	power := make([]float64, size/2)
	for from := 0; from+size <= len(clip); from += size / 2 {
		x := make([]complex128, size)
		for i, s := range clip[from : from+size] {
			x[i] = complex(float64(s)*(0.5-0.5*math.Cos(2*math.Pi*float64(i)/size)), 0)
		}
		for i, v := range fourier(x)[:size/2] {
			power[i] += real(v)*real(v) + imag(v)*imag(v)
		}
	}
	const bin = float64(soundRate) / size
	third := func(middle float64) (sum float64) {
		from, to := int(middle/1.122/bin), min(size/2, int(middle*1.122/bin)+1)
		for _, p := range power[from:to] {
			sum += p
		}
		return sum
	}
	var loudest, highest float64
	for f := 100.0; f < soundRate/2; f *= 1.02 {
		loudest = max(loudest, third(f))
	}
	for f := 100.0; f < soundRate/2; f *= 1.02 {
		if third(f) > loudest*1e-4 {
			highest = f
		}
	}
	return highest
}

// fourier transforms a power of two of samples.
func fourier(x []complex128) []complex128 {
	if len(x) == 1 {
		return x
	}
	var even, odd []complex128
	for i, v := range x {
		if i%2 == 0 {
			even = append(even, v)
		} else {
			odd = append(odd, v)
		}
	}
	even, odd = fourier(even), fourier(odd)
	out := make([]complex128, len(x))
	for k := range even {
		turned := odd[k] * cmplx.Rect(1, -2*math.Pi*float64(k)/float64(len(x)))
		out[k], out[k+len(even)] = even[k]+turned, even[k]-turned
	}
	return out
}

// TestVoiceQuality_OfTheVoicesThatAreHere says how natural they are, with the -v flag: docs/engines.md has the figures.
// What it demands is only that a video has a clear and full voice.
func TestVoiceQuality_OfTheVoicesThatAreHere(t *testing.T) {
	hum := make([]int16, soundRate)
	for i := range hum {
		hum[i] = int16(8000 * math.Sin(2*math.Pi*200*float64(i)/soundRate))
	}
	if got := harmonicToNoise(hum); got < 30 {
		t.Errorf("a pure tone: got %.1f dB; want hardly any noise", got)
	}
	if got := bandwidth(hum); got < 150 || got > 400 {
		t.Errorf("a tone of 200 Hz: got a bandwidth of %.0f Hz", got)
	}
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]VoiceConfig{"espeak-ng": {Engine: VoiceCommand}, "RHVoice": {Engine: VoiceRHVoice}} {
		if v.present() != nil {
			t.Logf("%s: not installed", name)
			continue
		}
		m := newMaker(t, func(c *Config) { c.Voice = v })
		for lang, line := range map[string]string{"ru": "Маша, с Новым годом! Пусть сбудутся все мечты!",
			"en": "Emma, happy New Year! May all your wishes come true!"} {
			clip, err := m.speakText(t.Context(), proven, line, "Маша", lang)
			if err != nil {
				t.Fatal(err)
			}
			noise, width := harmonicToNoise(clip), bandwidth(clip)
			t.Logf("%s, %s: harmonics %.1f dB above the noise, up to %.1f kHz", name, lang, noise, width/1000)
			if noise < 6 || width < 3500 {
				t.Errorf("%s, %s: got %.1f dB and %.0f Hz; want at least 6 and 3500", name, lang, noise, width)
			}
		}
	}
}
