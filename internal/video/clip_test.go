// clip_test.go normalises sounds of every level and kind, and measures them with ffmpeg.

package video

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// normalised normalises a file.
func normalised(t *testing.T, path string) ([]int16, error) {
	t.Helper()
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	return proven.normalise(t.Context(), path)
}

// spokenFile has espeak-ng speak for real and returns the WAV file; options are ffmpeg's for another kind of file.
func spokenFile(t *testing.T, file, text string, options ...string) string {
	t.Helper()
	wav, out := filepath.Join(t.TempDir(), "spoken.wav"), filepath.Join(t.TempDir(), file)
	argv := espeakCommand("en", wav)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(text)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	ffmpeg(t, append(append([]string{"-i", wav}, options...), out)...)
	return out
}

// loudnessOf measures a clip with ffmpeg: LUFS, and the true peak in decibels.
func loudnessOf(t *testing.T, clip []int16) (loudness, peak float64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.pcm")
	write(t, path, string(samplesBytes(clip)))
	out, err := exec.Command("ffmpeg", "-hide_banner", "-nostats", "-f", "s16le", "-ar", "48000", "-ac", "1", "-i", path,
		"-af", "ebur128=peak=true", "-f", "null", "-").CombinedOutput()
	summary := string(out[max(0, strings.LastIndex(string(out), "Summary:")):])
	found := regexp.MustCompile(`(?s)I: +(\S+) LUFS.*Peak: +(\S+) dBFS`).FindStringSubmatch(summary)
	if err != nil || found == nil {
		t.Fatalf("ebur128: %v: %s", err, out)
	}
	loudness, _ = strconv.ParseFloat(found[1], 64)
	peak, _ = strconv.ParseFloat(found[2], 64)
	return loudness, peak
}

func TestClipsAreEquallyLoud(t *testing.T) {
	const text = "Dear William, happy new year!"
	for name, path := range map[string]string{
		"as espeak-ng speaks": spokenFile(t, "x.wav", text),
		"softly":              spokenFile(t, "x.wav", text, "-af", "volume=-25dB"),
		"much too loud":       spokenFile(t, "x.wav", text, "-af", "volume=20dB"),
		"between silence":     spokenFile(t, "x.wav", text, "-af", "adelay=2000,apad=pad_dur=3"),
		"in stereo":           spokenFile(t, "x.wav", text, "-ac", "2", "-ar", "44100"),
		"in floating point":   spokenFile(t, "x.wav", text, "-c:a", "pcm_f32le"),
		"as MP3":              spokenFile(t, "x.mp3", text),
		"as FLAC":             spokenFile(t, "x.flac", text),
		"as Opus":             spokenFile(t, "x.ogg", text, "-c:a", "libopus"),
		"as bare AAC":         spokenFile(t, "x.aac", text),
		"as M4A":              spokenFile(t, "x.m4a", text),
		"for half a second":   spokenFile(t, "x.wav", "hi"),
		"for a blink":         spokenFile(t, "x.wav", "hi", "-af", "atrim=0.1:0.3"),
	} {
		clip, err := normalised(t, path)
		if err != nil {
			t.Errorf("%s: got %v; want nil", name, err)
			continue
		}
		// A meter needs some time: what is short is measured three times in a row.
		measured := clip
		if len(clip) < soundRate {
			measured = append(append(measured, clip...), clip...)
		}
		loudness, peak := loudnessOf(t, measured)
		if math.Abs(loudness-clipLoudness) > 1.5 || peak > -1.5 {
			t.Errorf(
				"%s: got %.1f LUFS with a peak of %.1f dB in %d samples; want %.1f ± 1.5 and at most -1.5",
				name,
				loudness,
				peak,
				len(clip),
				clipLoudness,
			)
		}
		if seconds := float64(len(clip)) / soundRate; len(clip) > soundRate && (seconds < 1.5 || seconds > 3) {
			t.Errorf("%s: got %.2f s; want the voice without the silence around it", name, seconds)
		}
	}
}

func TestClipBeginsAndEndsWithTheVoice(t *testing.T) {
	wav := filepath.Join(t.TempDir(), "x.wav")
	ffmpeg(t, "-f", "lavfi", "-i", "sine=1000:d=1:r=48000", "-af", "adelay=700,apad=pad_dur=1.3", wav)
	clip, err := normalised(t, wav)
	if err != nil {
		t.Fatalf("got %v; want nil", err)
	}
	if got, want := len(clip), soundRate+2*clipMargin; math.Abs(float64(got-want)) > 200 {
		t.Errorf("got %d samples; want about %d", got, want)
	}
}

func TestClipRefusesWhatIsNoVoice(t *testing.T) {
	folder := t.TempDir()
	make := func(name string, args ...string) string {
		path := filepath.Join(folder, name)
		ffmpeg(t, append(args, path)...)
		return path
	}
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		write(t, path, content)
		return path
	}
	good := make("good.wav", "-f", "lavfi", "-i", "sine=d=1")
	link := filepath.Join(folder, "link.wav")
	if err := os.Symlink(good, link); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ path, want string }{
		"nothing":                  {filepath.Join(folder, "gone.wav"), "no sound file"},
		"an empty file":            {file("empty.wav", ""), "no sound file"},
		"a folder":                 {folder, "no sound file"},
		"a link to a file of ours": {link, "no sound file"},
		"garbage":                  {file("garbage.wav", strings.Repeat("xyz", 5000)), "read the sound"},
		"a WAV file without sound": {make("bare.wav", "-f", "lavfi", "-i", "anullsrc=d=0"), ""},
		"silence":                  {make("silence.wav", "-f", "lavfi", "-i", "anullsrc=d=2"), "silence"},
		"hum below hearing":        {make("hum.wav", "-f", "lavfi", "-i", "sine=50:d=2", "-af", "volume=-40dB"), "silence"},
		"a speech":                 {make("long.wav", "-f", "lavfi", "-i", "sine=d=15.2"), "longer than 15s"},
		"an endless speech":        {make("endless.mp3", "-f", "lavfi", "-i", "sine=d=40"), "longer than 15s"},
		"a list of other files":    {file("list.wav", "#EXTM3U\n#EXTINF:1,\n"+good+"\n#EXT-X-ENDLIST\n"), "read the sound"},
		"a film without sound":     {make("film.mp4", "-f", "lavfi", "-i", "testsrc2=s=64x48:d=1"), "read the sound"},
	} {
		clip, err := normalised(t, c.path)
		if err == nil || isPermanent(err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %d samples, %v; want a transient error with %q", name, len(clip), err, c.want)
		}
	}
}

func TestSoftenBendsOnlyWhatIsLoud(t *testing.T) {
	last := -2.0
	for v := -2.0; v <= 2; v += 1.0 / 512 {
		got := soften(v, 0.5, 0.79)
		if math.Abs(v) <= 0.5 && got != v || math.Abs(got) > 0.79 || got < last || math.Abs(got) > math.Abs(v) {
			t.Fatalf("%f: got %f after %f; want it unchanged up to 0.5, rising, and at most 0.79", v, got, last)
		}
		last = got
	}
	if got := fmt.Sprint(sample16(2), sample16(-2), sample16(0)); got != "32767 -32768 0" {
		t.Errorf("got %s; want the ends of the range", got)
	}
}

// TestClip_APlainVoiceIsReadAsFFmpegReadsIt compares the two ways at the rates that voices speak at.
func TestClip_APlainVoiceIsReadAsFFmpegReadsIt(t *testing.T) {
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	for _, rate := range []string{"8000", "16000", "22050", "24000", "44100", "48000"} {
		path := filepath.Join(t.TempDir(), "voice.wav")
		ffmpeg(
			t,
			"-f",
			"lavfi",
			"-i",
			"aevalsrc='0.4*sin(2*PI*(200+900*t)*t)+0.1*sin(2*PI*2500*t)':d=1:s="+rate,
			"-c:a",
			"pcm_s16le",
			"-ac",
			"1",
			path,
		)
		got, ok := plainVoice(path)
		if !ok {
			t.Fatalf("%s: got it refused; want it read", rate)
		}
		want, err := proven.decodeSound(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if d := len(got) - len(want); d < -40 || d > 40 {
			t.Fatalf("%s: got %d samples; want %d", rate, len(got), len(want))
		}
		var signal, noise float64
		for i := 500; i < min(len(got), len(want))-500; i++ {
			d := float64(got[i]) - float64(want[i])
			signal, noise = signal+float64(want[i])*float64(want[i]), noise+d*d
		}
		if quality := 10 * math.Log10(signal/max(noise, 1)); quality < 40 {
			t.Errorf("%s: got %.1f dB between the two; want 40", rate, quality)
		}
	}
}

func TestClip_WhatIsNoPlainVoiceIsLeftToFFmpeg(t *testing.T) {
	folder := t.TempDir()
	for name, args := range map[string][]string{
		"stereo.wav": {"-ac", "2"}, "float.wav": {"-c:a", "pcm_f32le"}, "bytes.wav": {"-c:a",
			"pcm_u8"}, "x.mp3": {}, "x.flac": {},
	} {
		path := filepath.Join(folder, name)
		ffmpeg(t, append(append([]string{"-f", "lavfi", "-i", "sine=d=1"}, args...), path)...)
		if _, ok := plainVoice(path); ok {
			t.Errorf("%s: got it read; want it left", name)
		}
	}
	for name, content := range map[string]string{"nothing": "", "short": "RIFF", "no data": "RIFF\x04\x00\x00\x00WAVE",
		"no format":          "RIFF\x0c\x00\x00\x00WAVEdata\x02\x00\x00\x00xx",
		"a size without end": "RIFF\x0c\x00\x00\x00WAVEfmt \xff\xff\xff\xff"} {
		path := filepath.Join(folder, "x.wav")
		write(t, path, content)
		if _, ok := plainVoice(path); ok {
			t.Errorf("%s: got it read; want it left", name)
		}
	}
}
