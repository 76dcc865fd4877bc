// mix_test.go lays clips over music, in memory and in films, and listens to both.

package video

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// soundFilm makes a film of so many seconds with music, as a prepared template has it. It returns film and WAV file.
func soundFilm(t *testing.T, music stereo) (film, wav string) {
	t.Helper()
	wav, film = filepath.Join(t.TempDir(), "music.wav"), filepath.Join(t.TempDir(), "film.mp4")
	write(t, wav, string(music.wav()))
	args := []string{"-f", "lavfi", "-i", fmt.Sprintf("color=s=64x64:r=30:d=%f", float64(len(music.left))/soundRate),
		"-i", wav, "-map", "0:v", "-map", "1:a"}
	ffmpeg(
		t,
		append(slices.Concat(args, encodeVideo(64, 64, rate{30, 1}), encodeSound), "-movflags", "+faststart", film)...)
	return film, wav
}

// tone is a sine of a level in decibels below full scale, in both ears.
func tone(seconds, frequency, level float64) stereo {
	s := newStereo(seconds)
	for i := range s.left {
		v := math.Pow(10, level/20) * math.Sin(2*math.Pi*frequency*float64(i)/soundRate)
		s.left[i], s.right[i] = v, v
	}
	return s
}

// drums beat so hard that the encoder changes its windows all the time.
func drums(seconds float64) stereo {
	s := newStereo(seconds)
	for i := range s.left {
		x := float64(i % 4000)
		v := 0.5 * math.Exp(-x/600) * math.Sin(2*math.Pi*1900*x/soundRate+1)
		s.left[i], s.right[i] = v, v
	}
	return s
}

// voiceLike is a clip that comes and goes like syllables do, over many frequencies.
func voiceLike(seconds float64) []int16 {
	clip := make([]int16, int(seconds*soundRate))
	for i := range clip {
		x := float64(i) / soundRate
		var v float64
		for k := 1.0; k < 12; k++ {
			v += math.Sin(2*math.Pi*210*k*x+k*k) / k
		}
		clip[i] = int16(8000 * v * math.Pow(math.Sin(math.Pi*3*x), 2))
	}
	return clip
}

// hear decodes the sound of a film.
func hear(t *testing.T, path string) []int16 {
	t.Helper()
	return samples(ffmpeg(t, "-i", path, "-map", "0:a", "-f", "s16le", "-"))
}

// packets returns the bytes of every packet of sound.
func packets(t *testing.T, film *movie) [][]byte {
	t.Helper()
	var out [][]byte
	for _, s := range film.sound().samples {
		b, err := io.ReadAll(io.NewSectionReader(s.file, s.offset, int64(s.size)))
		if err != nil || len(b) != int(s.size) {
			t.Fatalf("packet: got %d bytes, %v; want %d", len(b), err, s.size)
		}
		out = append(out, b)
	}
	return out
}

// mixInto mixes a clip into a film and returns the new film and the patch.
func mixInto(t *testing.T, film, wav string, clip []int16, start time.Duration, duck float64) (string, patch) {
	t.Helper()
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	m, folder := open(t, film), t.TempDir()
	p, err := proven.mixVoice(t.Context(), m, wav, clip, start, duck, folder)
	if err != nil {
		t.Fatalf("mixVoice: got %v; want nil", err)
	}
	t.Cleanup(func() { p.from.close() })
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("folder: got %v, %v; want nothing in it", left, err)
	}
	return patched(t, m, p), p
}

// patched writes the film with the patch and returns its path.
func patched(t *testing.T, film *movie, p patch) string {
	t.Helper()
	for i, s := range p.from.sound().samples[p.first:p.last] {
		q := &film.sound().samples[p.at+i]
		s.duration = q.duration
		*q = s
	}
	out := filepath.Join(t.TempDir(), "out.mp4")
	if err := film.write(out); err != nil {
		t.Fatal(err)
	}
	return out
}

// wanted is the music with the clip, as it was meant.
func wanted(t *testing.T, wav string, clip []int16, at int, duck float64) []int16 {
	t.Helper()
	w, err := openWave(wav)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	sound, err := w.read(0, w.frames)
	if err != nil {
		t.Fatal(err)
	}
	layOver(sound, 0, clip, at, duck)
	return sound
}

// rms is the effective value of the difference of two sounds.
func rms(a, b []int16) float64 {
	var sum float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(a)))
}

func TestMixVoiceEncodesOnlyWhatSoundsDifferent(t *testing.T) {
	clip := voiceLike(1.5)
	for name, c := range map[string]struct {
		music stereo
		// After the voice a decoder may make other noise of the same strength: where packets say only "noise of this
		// strength here", its generator goes on from wherever it is.
		random float64
	}{
		"in music of tones":      {tone(9, 440, -12), 0},
		"in music with its hiss": {jingle(9, 5, false), 1},
		"in music of beats":      {drums(9), 25},
	} {
		t.Run(name, func(t *testing.T) {
			film, wav := soundFilm(t, c.music)
			out, p := mixInto(t, film, wav, clip, 4*time.Second, -10)
			end := p.at + p.last - p.first
			if got, most := p.last-p.first, 2*soundRate/packetSamples+4+2*cutReach; got > most {
				t.Errorf("got %d packets; want at most %d", got, most)
			}
			old, now := packets(t, open(t, film)), packets(t, open(t, out))
			if len(old) != len(now) {
				t.Fatalf("got %d packets; want %d", len(now), len(old))
			}
			for i := range old {
				if (i < p.at || i >= end) && !bytes.Equal(old[i], now[i]) {
					t.Errorf("packet %d: got another one; want it as it was", i)
				}
			}

			before, after := hear(t, film), hear(t, out)
			if len(before) != len(after) {
				t.Fatalf("got %d samples; want %d", len(after), len(before))
			}
			// Two packets make what is heard: at the seams they are an old one and a new one.
			const each = 2 * packetSamples // numbers, of both ears
			first, last := each*(p.at-1), each*end
			if !slices.Equal(before[:first], after[:first]) {
				t.Error("before the voice: got other sound; want the same")
			}
			if got := rms(before[last:], after[last:]); got > c.random {
				t.Errorf("after the voice: got a difference of %.2f; want at most %.0f", got, c.random)
			}

			// The codec itself is the measure: a film that is encoded as a whole from the same sound.
			want := wanted(t, wav, clip, 4*soundRate, -10)
			whole := hear(t, encodeWave(t, want))
			codec := rms(whole[first:last], want[first:last])
			if got := rms(after[first:last], want[first:last]); got > 1.2*codec {
				t.Errorf("difference to what was meant: got %.1f; want at most 1.2 × %.1f", got, codec)
			}
			if noise := rms(after[first:last], whole[first:last]); 20*math.Log10(
				rms(whole[first:last], make([]int16, last-first))/noise,
			) < 25 {
				t.Errorf("difference to the film that is encoded as a whole: got %.1f; want 25 dB less than the sound", noise)
			}
			for name, seam := range map[string]int{"first": first, "last": last - each} {
				got := rms(after[seam:seam+each], want[seam:seam+each])
				near := rms(whole[seam:seam+each], want[seam:seam+each])
				t.Logf("%s seam: %.2f, encoded as a whole %.2f", name, got, near)
				if got > 1.5*near+2 {
					t.Errorf("%s seam: got a difference of %.1f; want at most 1.5 × %.1f", name, got, near)
				}
			}
		})
	}
}

// encodeWave encodes stereo sound in one piece.
func encodeWave(t *testing.T, sound []int16) string {
	t.Helper()
	pcm, out := filepath.Join(t.TempDir(), "sound.pcm"), filepath.Join(t.TempDir(), "sound.mp4")
	write(t, pcm, string(samplesBytes(sound)))
	ffmpeg(t, append(append([]string{"-f", "s16le", "-ar", "48000", "-ac", "2", "-i", pcm}, encodeSound...), out)...)
	return out
}

func TestPatchSoundCoversTheWholeChange(t *testing.T) {
	film, wav := soundFilm(t, tone(4, 440, -30))
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	// A sudden tone also moves the cut, because it changes the windows before it; music that fades does not.
	loud := func(n int, _ int16) float64 { return 16000 * math.Sin(2*math.Pi*1000*float64(n)/soundRate) }
	soft := func(n int, music int16) float64 { return float64(music) * max(0.1, 1-float64(n)/1200) }
	for name, c := range map[string]struct {
		first, last int // samples
		change      func(n int, music int16) float64
	}{
		"loud, of whole packets":              {80 * packetSamples, 100 * packetSamples, loud},
		"soft, of whole packets":              {80 * packetSamples, 100 * packetSamples, soft},
		"loud, from within a packet":          {80*packetSamples + 1, 100 * packetSamples, loud},
		"soft, from within a packet":          {80*packetSamples + 1, 100 * packetSamples, soft},
		"loud, from near the end of a packet": {81*packetSamples - 10, 100 * packetSamples, loud},
		"soft, from near the end of a packet": {81*packetSamples - 10, 100 * packetSamples, soft},
		"loud, to within a packet":            {80 * packetSamples, 100*packetSamples + 1000, loud},
		"soft, to within a packet":            {80 * packetSamples, 100*packetSamples + 1000, soft},
		"loud, from the beginning":            {0, 20 * packetSamples, loud},
		"soft, from the beginning":            {0, 20 * packetSamples, soft},
		"loud, to the end":                    {170 * packetSamples, 4 * soundRate, loud},
		"soft, to the end":                    {170 * packetSamples, 4 * soundRate, soft},
	} {
		t.Run(name, func(t *testing.T) {
			want := wanted(t, wav, nil, 0, 0)
			for i := c.first; i < c.last; i++ {
				v := int16(c.change(i-c.first, want[2*i]))
				want[2*i], want[2*i+1] = v, v
			}
			m := open(t, film)
			p, err := proven.patchSound(t.Context(), m.sound(), func(first, last int) ([]int16, error) {
				return slices.Clone(want[2*first : 2*last]), nil
			}, 4*soundRate, c.first, c.last, t.TempDir())
			if err != nil {
				t.Fatalf("patchSound: got %v; want nil", err)
			}
			defer p.from.close()
			after, whole := hear(t, patched(t, m, p)), hear(t, encodeWave(t, want))
			for n := 0; n+1 < len(want)/2/packetSamples; n++ {
				i, end := 2*n*packetSamples, 2*(n+1)*packetSamples
				if got, codec := rms(after[i:end], want[i:end]), rms(whole[i:end], want[i:end]); got > 2*codec+50 {
					t.Errorf("samples from %d on: got a difference of %.0f; want at most 2 × %.0f", i/2, got, codec)
				}
			}
		})
	}
}

func TestMixVoiceEncodesEverythingWhereNothingFits(t *testing.T) {
	film, wav := soundFilm(t, tone(6, 440, -12))
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	for name, unreadable := range map[string]func(n int) bool{
		"before the voice": func(n int) bool { return n < 150 },
		"after the voice":  func(n int) bool { return n > 150 && n < 250 },
	} {
		t.Run(name, func(t *testing.T) {
			m := open(t, film)
			for n := range m.sound().samples {
				if unreadable(n) {
					m.sound().samples[n].size = 1
				}
			}
			p, err := proven.mixVoice(t.Context(), m, wav, voiceLike(0.5), 3*time.Second, -10, t.TempDir())
			if err != nil {
				t.Fatalf("mixVoice: got %v; want nil", err)
			}
			defer p.from.close()
			if all := len(m.sound().samples); p.at != 0 || p.first != 0 || p.last != all {
				t.Errorf("got packets %d to %d at %d; want all %d", p.first, p.last, p.at, all)
			}
		})
	}
}

func TestMixVoiceAtTheEdgesOfTheFilm(t *testing.T) {
	film, wav := soundFilm(t, tone(3, 440, -20))
	for name, c := range map[string]struct {
		clip  float64       // seconds
		start time.Duration // of the order
		at    float64       // second at which it is heard
		end   float64
	}{
		"from the beginning":                  {1, 0, 0, 1},
		"where it ends with the film":         {1, 2 * time.Second, 2, 3},
		"earlier if it would not end in time": {1, 2900 * time.Millisecond, 2, 3},
		"earlier if it begins after the film": {1, time.Hour, 2, 3},
		"cut if it is longer than the film":   {4, time.Second, 0, 3},
	} {
		t.Run(name, func(t *testing.T) {
			steady := make([]int16, int(c.clip*soundRate))
			for i := range steady {
				steady[i] = int16(12000 * math.Sin(2*math.Pi*1000*float64(i)/soundRate))
			}
			out, _ := mixInto(t, film, wav, steady, c.start, -30)
			sound := hear(t, out)
			if got, least := len(sound), 2*3*soundRate; got < least {
				t.Fatalf("got %d samples; want at least %d", got, least)
			}
			level := func(second float64) float64 { // of the 20 ms from there on
				i := 2 * int(second*soundRate)
				part := sound[i : i+2*soundRate/50]
				return rms(part, make([]int16, len(part)))
			}
			for _, second := range []float64{c.at + 0.02, c.at + 0.5, c.end - 0.5} {
				if got := level(second); got < 7000 || got > 10000 {
					t.Errorf("level at %.2f s: got %.0f; want that of the voice", second, got)
				}
			}
			if c.clip > 3 && level(2.97) > 1500 {
				t.Errorf("level at the end: got %.0f; want it faded out", level(2.97))
			}
			if c.at > 1 && (level(c.at-0.5) < 2000 || level(c.at-0.5) > 2700) {
				t.Errorf("level before the voice: got %.0f; want that of the music", level(c.at-0.5))
			}
		})
	}
}

func TestMixVoiceRefusesWhatDoesNotMatch(t *testing.T) {
	film, wav := soundFilm(t, tone(2, 440, -20))
	short := filepath.Join(t.TempDir(), "short.wav")
	write(t, short, string(tone(1, 440, -20).wav()))
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options []string // of the film's sound; nil: as it should be
		music   string
		change  func(sound *track)
		want    bool // errMismatch, not another error
	}{
		"another rate":                   {[]string{"-c:a", "aac", "-ar", "44100"}, wav, nil, true},
		"one channel":                    {[]string{"-c:a", "aac", "-ar", "48000", "-ac", "1"}, wav, nil, true},
		"another codec":                  {[]string{"-c:a", "flac", "-strict", "-2"}, wav, nil, true},
		"no sound":                       {[]string{"-an"}, wav, nil, true},
		"sound without a lead-in":        {nil, wav, func(s *track) { s.start = 0 }, true},
		"packets of several lengths":     {nil, wav, func(s *track) { s.samples[9].duration = 960 }, true},
		"music that is too short":        {nil, short, nil, true},
		"music that is no WAV file":      {nil, film, nil, false},
		"music that is not there at all": {nil, wav + ".gone", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			path := film
			if c.options != nil {
				path = filepath.Join(t.TempDir(), "other.mp4")
				ffmpeg(t, append(append([]string{"-i", film, "-c:v", "copy"}, c.options...), path)...)
			}
			m, folder := open(t, path), t.TempDir()
			if c.change != nil {
				c.change(m.sound())
			}
			_, err := proven.mixVoice(t.Context(), m, c.music, voiceLike(0.5), 500*time.Millisecond, -10, folder)
			if err == nil || errors.Is(err, errMismatch) != c.want {
				t.Errorf("got %v; want errMismatch: %t", err, c.want)
			}
			if left, _ := os.ReadDir(folder); len(left) > 0 {
				t.Errorf("folder: got %v; want nothing in it", left)
			}
		})
	}
}

func TestMusicIsSofterWhileTheVoiceSpeaks(t *testing.T) {
	music, silence := samples(tone(4, 440, -12).wav()[44:]), make([]int16, soundRate)
	for _, duck := range []float64{0, -6, -10, -20} {
		sound := slices.Clone(music)
		layOver(sound, 0, silence, 3*soundRate/2, duck)
		level := func(s []int16, from, to float64) float64 {
			part := s[2*int(from*soundRate) : 2*int(to*soundRate)]
			return 20 * math.Log10(rms(part, make([]int16, len(part))))
		}
		if got := level(sound, 1.5, 2.5) - level(music, 1.5, 2.5); math.Abs(got-duck) > 0.2 {
			t.Errorf("duck %.0f dB: got %.1f; want the same", duck, got)
		}
		for _, part := range [][2]int{{0, 3*soundRate/2 - duckAttack}, {5*soundRate/2 + duckRelease, 4 * soundRate}} {
			if !slices.Equal(sound[2*part[0]:2*part[1]], music[2*part[0]:2*part[1]]) {
				t.Errorf("duck %.0f dB: got other music in samples %v; want the same", duck, part)
			}
		}
		for i := 2; i < len(sound); i++ { // a sine of 440 Hz moves by 0.058 of its peak
			if step := math.Abs(float64(sound[i]) - float64(sound[i-2])); step > 0.06*8231 {
				t.Fatalf("duck %.0f dB: got a step of %.0f at sample %d; want no click", duck, step, i/2)
			}
		}
	}
}

func TestMixIsTheSameInEveryWindow(t *testing.T) {
	music, clip := samples(tone(2, 440, -12).wav()[44:]), voiceLike(0.5)
	whole, part := slices.Clone(music), slices.Clone(music[2*50000:])
	layOver(whole, 0, clip, 40000, -10)
	layOver(part, 50000, clip, 40000, -10)
	if !slices.Equal(part, whole[2*50000:]) {
		t.Error("got another sound from sample 50000 on; want the same")
	}
}

func TestMixDoesNotClip(t *testing.T) {
	music := samples(tone(2, 440, 0).wav()[44:])
	clip := make([]int16, soundRate)
	for i := range clip {
		clip[i] = int16(26000 * math.Sin(2*math.Pi*300*float64(i)/soundRate))
	}
	layOver(music, 0, clip, soundRate/2, 0)
	var top int16
	for _, s := range music[soundRate+20000 : 2*soundRate] {
		top = max(top, s, -s)
	}
	if top < 30000 || top > 32200 {
		t.Errorf("got a peak of %d; want just below full scale", top)
	}
}
