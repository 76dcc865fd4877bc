// films_test.go makes films as telephones, browsers, cameras and editors make them, and brings each in three ways: as
// an upload, as the film of a template, and as the work of an engine.

package video

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// oddFilm is how a film is made, and what is to come of it.
type oddFilm struct {
	make     func(t *testing.T, path string)
	kind     string // of the file's name, "mp4" if it is ""
	refused  string // in the error, whichever way it comes; "": it is taken
	notSent  string // in the error of an upload, and of an engine: it is taken as the film of a template only
	w, h     int    // as shown
	length   time.Duration
	codec    string // of an upload, "h264" if it is ""
	rate     rate   // of a template
	frames   int    // of a template
	finished int    // frames of an engine's video; 0: as many as the template has
	tagged   bool   // it says more of itself than a film needs
}

// filmed makes a film of a moving picture and a tone.
func filmed(args ...string) func(*testing.T, string) { return filmedAt("30", args...) }

// filmedAt makes one of so many frames a second.
func filmedAt(rate string, args ...string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		args := append([]string{"-f", "lavfi", "-i", "testsrc2=s=96x64:d=1:r=" + rate, "-f", "lavfi", "-i",
			"sine=d=1"}, args...)
		ffmpeg(t, append(args, path)...)
	}
}

// piped makes a film whose container cannot be told its duration afterwards.
func piped(args ...string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		args := append([]string{"-f", "lavfi", "-i", "testsrc2=s=96x64:r=30:d=1", "-f", "lavfi", "-i", "sine=d=1"}, args...)
		write(t, path, string(ffmpeg(t, append(args, "-f", "webm", "pipe:1")...)))
	}
}

// spoilt makes a film and then changes its bytes.
func spoilt(change func([]byte) []byte, args ...string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		filmed(args...)(t, path)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, string(change(b)))
	}
}

// ofTomorrow makes the first sound of a film one that no decoder knows.
func ofTomorrow(b []byte) []byte {
	return bytes.Replace(bytes.Replace(b, []byte("mp4a"), []byte("apac"), 1), []byte("esds"), []byte("dapa"), 1)
}

// plainFilm is the film that others are made of, once for all of them.
var plainFilm = sync.OnceValues(func() (string, error) {
	path := filepath.Join(shared, "plain.mp4")
	out, err := exec.Command("ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=96x64:d=1:r=30",
		"-f", "lavfi", "-i", "sine=d=1", "-pix_fmt", "yuv420p", path).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

// again makes a film of the plain one.
func again(args ...string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		first, err := plainFilm()
		if err != nil {
			t.Fatal(err)
		}
		ffmpeg(t, append(append([]string{"-i", first}, args...), path)...)
	}
}

const second = time.Second

var oddFilms = map[string]oddFilm{
	"plain": {make: filmed("-pix_fmt", "yuv420p"), w: 96, h: 64, length: second, rate: rate{30, 1},
		frames: 30},
	"in fragments": {make: filmed("-pix_fmt", "yuv420p", "-movflags", "+frag_keyframe+empty_moov"), w: 96,
		h: 64, length: second, rate: rate{30, 1}, frames: 30},
	"of a webcam": {make: filmedAt("15", "-pix_fmt", "yuv420p"), w: 96, h: 64, length: second, rate: rate{30,
		1}, frames: 30, finished: 15},
	"of 12.5 frames": {make: filmedAt("25/2", "-frames:v", "12", "-pix_fmt", "yuv420p"), w: 96, h: 64,
		length: 960 * time.Millisecond, rate: rate{25, 1}, frames: 24, finished: 12},
	"in slow motion": {make: filmedAt("120", "-pix_fmt", "yuv420p"), w: 96, h: 64, length: second,
		rate: rate{60, 1}, frames: 60, finished: 120},
	"turned": {make: again("-c", "copy", "-metadata:s:v", "rotate=90"), w: 64, h: 96, length: second,
		rate: rate{30, 1}, frames: 30},
	"with wide pixels": {make: filmed("-vf", "setsar=16/11", "-pix_fmt", "yuv420p"), w: 139, h: 64,
		length: second, rate: rate{30, 1}, frames: 30},
	"interlaced": {make: filmedAt("25", "-vf", "setsar=16/11", "-pix_fmt", "yuv420p", "-flags",
		"+ildct+ilme", "-top", "1"), w: 139, h: 64, length: second, rate: rate{25, 1}, frames: 25},
	"of 10 bits": {make: filmed("-pix_fmt", "yuv420p10le"), w: 96, h: 64, length: second, rate: rate{30, 1},
		frames: 30},
	"with all colours": {make: filmed("-pix_fmt", "yuv444p"), w: 96, h: 64, length: second, rate: rate{30, 1},
		frames: 30},
	"in HEVC": {make: filmed("-c:v", "libx265", "-x265-params", "log-level=error", "-tag:v", "hvc1",
		"-pix_fmt", "yuv420p"), w: 96, h: 64, length: second, codec: "hevc", rate: rate{30, 1}, frames: 30},
	"in MPEG-4 part 2": {make: filmed("-c:v", "mpeg4"), w: 96, h: 64, length: second, codec: "mpeg4",
		rate: rate{30, 1}, frames: 30},
	"in VP9 in MP4": {make: filmed("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"), w: 96,
		h: 64, length: second, codec: "vp9", rate: rate{30, 1}, frames: 30},
	"in AV1": {make: filmed("-c:v", "libaom-av1", "-cpu-used", "8", "-t", "0.2"), w: 96, h: 64,
		length: second / 5, codec: "av1", rate: rate{30, 1}, frames: 6},
	"in ProRes": {make: filmed("-c:v", "prores_ks", "-c:a", "pcm_s16le"), kind: "mov", w: 96, h: 64,
		length: second, codec: "prores", rate: rate{30, 1}, frames: 30},
	"in HDR10": {make: filmed(
		"-c:v",
		"libx265",
		"-x265-params",
		"log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc",
		"-pix_fmt",
		"yuv420p10le",
		"-tag:v",
		"hvc1",
	), w: 96, h: 64, length: second, codec: "hevc", rate: rate{30, 1}, frames: 30},
	"in HLG": {make: filmed(
		"-c:v",
		"libx265",
		"-x265-params",
		"log-level=error:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc",
		"-pix_fmt",
		"yuv420p10le",
		"-tag:v",
		"hvc1",
	), w: 96, h: 64, length: second, codec: "hevc", rate: rate{30, 1}, frames: 30},
	"of a browser": {make: piped("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"), kind: "webm",
		w: 96, h: 64, length: second, codec: "vp8", rate: rate{30, 1}, frames: 30},
	"of another one": {make: piped("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"),
		kind: "webm", w: 96, h: 64, length: second, codec: "vp9", rate: rate{30, 1}, frames: 30},
	"with alpha": {make: filmed("-c:v", "libvpx-vp9", "-deadline", "realtime", "-pix_fmt", "yuva420p",
		"-c:a", "libopus"), kind: "webm", w: 96, h: 64, length: second, codec: "vp9", rate: rate{30, 1}, frames: 30},
	"with longer sound": {make: filmed("-f", "lavfi", "-i", "sine=d=3", "-map", "0:v", "-map", "2:a", "-pix_fmt",
		"yuv420p"), w: 96, h: 64, length: second, rate: rate{30, 1}, frames: 30},
	"that begins late": {make: again("-c", "copy", "-output_ts_offset", "5"), w: 96, h: 64, length: second,
		rate: rate{30, 1}, frames: 30},
	"without sound": {make: filmed("-map", "0:v", "-pix_fmt", "yuv420p"), w: 96, h: 64, length: second,
		rate: rate{30, 1}, frames: 30},
	"with a time code": {make: filmed("-timecode", "01:00:00:00", "-pix_fmt", "yuv420p"), kind: "mov", w: 96,
		h: 64, length: second, rate: rate{30, 1}, frames: 30, tagged: true},
	"with places": {make: filmed(
		"-pix_fmt",
		"yuv420p",
		"-metadata",
		"location=+55.7558+037.6173/",
		"-metadata",
		"title=SECRET",
		"-metadata",
		"comment=SECRET",
		"-metadata",
		"creation_time=2019-01-01",
		"-metadata:s:v",
		"handler_name=SECRET phone",
		"-metadata:s:a",
		"title=SECRET",
	), w: 96, h: 64, length: second, rate: rate{30, 1}, frames: 30, tagged: true},
	"with its own tags": {make: filmed(
		"-pix_fmt",
		"yuv420p",
		"-movflags",
		"use_metadata_tags",
		"-metadata",
		"com.apple.quicktime.location.ISO6709=+55.7558",
		"-metadata",
		"x=SECRET",
	), w: 96, h: 64, length: second, rate: rate{30, 1}, frames: 30, tagged: true},
	"with chapters": {make: func(t *testing.T, path string) {
		chapters := filepath.Join(t.TempDir(), "chapters")
		write(
			t,
			chapters,
			";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=5\ntitle=SECRET\n"+
				"[CHAPTER]\nTIMEBASE=1/10\nSTART=5\nEND=10\ntitle=SECRET\n",
		)
		again("-i", chapters, "-map_metadata", "1", "-c", "copy")(t, path)
	}, w: 96, h: 64, length: second, rate: rate{30, 1}, frames: 30, tagged: true},
	"with a preview track": {make: func(t *testing.T, path string) {
		again("-map", "0:v", "-map", "0:v", "-map", "0:a", "-c:v:0", "mjpeg", "-s:v:0", "32x20", "-c:v:1", "copy",
			"-c:a", "copy",
			"-disposition:v:0", "0", "-disposition:v:1", "default")(t, path)
	}, kind: "mov", w: 96, h: 64, length: second, rate: rate{30, 1}, frames: 30},
	"with words and a picture": {make: func(t *testing.T, path string) {
		folder := t.TempDir()
		srt, png := filepath.Join(folder, "a.srt"), filepath.Join(folder, "a.png")
		write(t, srt, "1\n00:00:00,000 --> 00:00:30,000\nSECRET\n")
		ffmpeg(t, "-f", "lavfi", "-i", "color=s=200x200:d=1", "-frames:v", "1", png)
		again("-i", srt, "-map", "0:v", "-map", "0:a", "-map", "1:s", "-c:v", "copy", "-c:a", "copy", "-attach", png,
			"-metadata:s:t", "mimetype=image/png")(t, path)
	}, kind: "mkv", w: 96, h: 64, length: second, rate: rate{30, 1}, frames: 30},
	"with sound of tomorrow before its own": {make: func(t *testing.T, path string) {
		again("-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy")(t, path)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, string(ofTomorrow(b)))
	}, w: 96, h: 64, length: second, rate: rate{30, 1}, frames: 30},

	"with sound of tomorrow only": {make: spoilt(ofTomorrow, "-pix_fmt", "yuv420p"),
		refused: "its sound is in a format that ffmpeg cannot decode", w: 96, h: 64, length: second},
	"cut short": {make: spoilt(func(b []byte) []byte { return b[:len(b)*2/3] }, "-pix_fmt", "yuv420p",
		"-movflags", "+faststart"), refused: "the file is cut short"},
	"without end": {make: spoilt(func(b []byte) []byte { return b[:len(b)*2/3] }, "-pix_fmt", "yuv420p"),
		refused: "the file is"},
	"zeroed": {make: spoilt(func(b []byte) []byte { clear(b[len(b)*2/3:]); return b }, "-pix_fmt", "yuv420p",
		"-movflags", "+faststart", "-b:v", "400k"), refused: "the file is damaged"},
	"in Cinepak": {make: filmed("-c:v", "cinepak"), kind: "mov",
		refused: "a track is in Cinepak, which is not taken here"},
	"in MagicYUV": {make: filmed("-c:v", "magicyuv"), kind: "mov",
		refused: "a track is in MagicYUV, which is not taken here"},
	"in QTRLE":     {make: filmed("-c:v", "qtrle"), kind: "mov", refused: "a track is in qtrle, which is not taken here"},
	"in FFV1":      {make: filmed("-c:v", "ffv1"), kind: "mkv", refused: "a track is in ffv1, which is not taken here"},
	"a flat file":  {make: filmed("-c:v", "flv"), kind: "flv", refused: "of a kind that is not taken here"},
	"only a sound": {make: filmed("-map", "1:a"), refused: "video: "},
	"a playlist": {make: func(t *testing.T, path string) {
		film := filepath.Join(t.TempDir(), "secret.ts")
		again("-c", "copy")(t, film)
		write(t, path, "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://"+film+"\n#EXT-X-ENDLIST\n")
	}, refused: "of a kind that is not taken here"},
	"a list of files": {make: func(t *testing.T, path string) {
		again("-c", "copy")(t, filepath.Join(filepath.Dir(path), "secret.mp4"))
		write(t, path, "ffconcat version 1.0\nfile secret.mp4\nduration 1\n")
	}, refused: "of a kind that is not taken here"},
}

// TestFilms_EachIsRightOrRefusedInWordsInAllThreeWays is the table of all films.
func TestFilms_EachIsRightOrRefusedInWordsInAllThreeWays(t *testing.T) {
	for name, c := range oddFilms {
		t.Run(name, c.bring)
	}
}

// bring makes a film and brings it in three ways.
func (c oddFilm) bring(t *testing.T) {
	if c.kind == "" {
		c.kind = "mp4"
	}
	if c.codec == "" {
		c.codec = "h264"
	}
	if c.finished == 0 {
		c.finished = c.frames
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x."+c.kind)
	c.make(t, path)
	sent := c
	if c.notSent != "" {
		sent.refused, sent.w = c.notSent, 0
	}
	sent.upload(t, path)
	sent.engine(t, path)
	c.template(t, path)
}

func (c oddFilm) upload(t *testing.T, path string) {
	m := commandMaker(t, "", nil)
	v, err := m.Inspect(t.Context(), path)
	defer wantEmpty(t, m)
	defer v.Discard()
	if c.refused != "" && c.w == 0 {
		if !errors.Is(err, ErrUnplayable) || CodeOf(err) != CodeUnplayable || !strings.Contains(err.Error(), c.refused) {
			t.Errorf("upload: got %v; want it refused with %q", err, c.refused)
		}
		return
	}
	if err != nil || v.Width != c.w || v.Height != c.h || v.Codec != c.codec || !near(v.Duration, c.length) {
		t.Errorf("upload: got %+v, %v; want %d×%d of %s, %v", v, err, c.w, c.h, c.codec, c.length)
	}
}

func (c oddFilm) engine(t *testing.T, path string) {
	m := commandMaker(t, "cp '"+path+"' \"$RETAKE_OUTPUT\"", nil)
	v, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Маша", Lang: "ru"}, nil)
	defer wantEmpty(t, m)
	defer v.Discard()
	if c.refused != "" {
		if err == nil || isPermanent(err) || CodeOf(err) != CodeUnplayable || !strings.Contains(err.Error(), c.refused) {
			t.Errorf("engine: got %v, code %q; want it refused with %q for now", err, CodeOf(err), c.refused)
		}
		return
	}
	if err != nil || v.Width/2 != c.w/2 || v.Height/2 != c.h/2 || !near(v.Duration, c.length) {
		t.Fatalf("engine: got %+v, %v; want %d×%d, %v", v, err, c.w, c.h, c.length)
	}
	c.wantPlain(t, "engine", v.Path, c.finished)
}

func (c oddFilm) template(t *testing.T, path string) {
	folder := filepath.Join(t.TempDir(), "mine")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, e := range []string{filepath.Base(path), "secret.mp4"} {
		err := os.Link(filepath.Join(filepath.Dir(path), e), filepath.Join(folder, e))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(folder, "template.toml"), "title = \"x\"\nfilm = \""+filepath.Base(path)+
		"\"\n[[segment]]\nstart = 0\nend = 0.2\nbox = [0, 0, 60, 60]\n")
	m := ownMaker(t, folder)
	m.cfg.Voice = VoiceConfig{}
	a, err := m.About(t.Context(), "mine")
	if c.refused != "" {
		var faults Faults
		if !errors.As(err, &faults) || !isPermanent(err) || CodeOf(err) != CodeTemplate ||
			!strings.Contains(err.Error(), c.refused) {
			t.Errorf("template: got %v; want a fault with %q", err, c.refused)
		}
		return
	}
	if err != nil || a.Width/2 != c.w/2 || a.Height/2 != c.h/2 || a.Rate != float64(c.rate.num)/float64(c.rate.den) {
		t.Fatalf("template: got %+v, %v; want %d×%d at %v", a, err, c.w, c.h, c.rate)
	}
	v, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Я", Lang: "ru", Template: "mine"}, nil)
	if err != nil {
		t.Fatalf("template: got %v; want what the check says", err)
	}
	still := map[string]bool{}
	for _, line := range c.wantPlain(t, "template", v.Path, c.frames) {
		still[line[strings.LastIndex(line, ","):]] = true
	}
	if len(still) < c.finished*9/10/max(1, c.finished/c.frames) {
		t.Errorf("template: got %d different pictures of %d; want a film that moves to the end", len(still), c.frames)
	}
	if err := v.Discard(); err != nil {
		t.Error(err)
	}
}

func near(got, want time.Duration) bool { return (got - want).Abs() < 40*time.Millisecond }

// wantPlain fails the test unless a file is what every telephone plays, and nothing else. It returns a line for each
// picture.
func (c oddFilm) wantPlain(t *testing.T, way, path string, frames int) (pictures []string) {
	t.Helper()
	for line := range strings.Lines(string(ffmpeg(t, "-xerror", "-i", path, "-map", "0:v", "-map", "0:a", "-fps_mode",
		"passthrough", "-f", "framemd5", "-"))) {
		if strings.HasPrefix(line, "0,") {
			pictures = append(pictures, line)
		}
	}
	if len(pictures) != frames {
		t.Errorf("%s: got %d frames; want %d", way, len(pictures), frames)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"SECRET", "+55.7558", "Lavf", "udta", "tmcd"} {
		if bytes.Contains(b, []byte(word)) {
			t.Errorf("%s: got %q in the file", way, word)
		}
	}
	wantIndexFirst(t, path)
	m, f, err := provePlain(path)
	if err != nil {
		t.Fatalf("%s: got %v; want it proved", way, err)
	}
	defer m.close()
	if heard, err := m.track("soun").proveSound(m); err != nil || heard > f.duration.Seconds()+0.6 {
		t.Errorf("%s: got %.2f s of sound, %v; want %v", way, heard, err, f.duration)
	}
	if whole := open(t, path); len(whole.tracks) != 2 {
		t.Errorf("%s: got %d tracks; want pictures and sound", way, len(whole.tracks))
	}
	if c.tagged {
		wantNoTags(t, way, path)
	}
	return pictures
}

// wantNoTags fails the test unless ffprobe finds neither chapters nor tags, but for those that are always there.
func wantNoTags(t *testing.T, way, path string) {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "format_tags:stream_tags:stream=index",
		"-show_chapters", "-of", "json", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	type tagged struct{ Tags map[string]string }
	var found struct {
		Chapters []any
		Streams  []tagged
		Format   tagged
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	if len(found.Chapters) > 0 || len(found.Streams) != 2 {
		t.Errorf("%s: got %s; want no chapters", way, out)
	}
	always := []string{"major_brand", "minor_version", "compatible_brands", "language", "vendor_id"}
	for _, of := range append(found.Streams, found.Format) {
		for tag, value := range of.Tags {
			if !slices.Contains(always, tag) {
				t.Errorf("%s: got the tag %s=%s; want none", way, tag, value)
			}
		}
	}
}
