// films_kinds_test.go has films that differ from plain ones in one thing each: their pace, their place in time, their
// shape, their sound, their container.

package video

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// mirrored turns the pictures of a film over, in the header of its first track.
func mirrored(b []byte) []byte {
	at := bytes.Index(b, []byte("tkhd")) + 4 + 40
	binary.BigEndian.PutUint32(b[at:], 0xffff0000)        // -1: leftwards
	binary.BigEndian.PutUint32(b[at+24:], uint32(96)<<16) // and back into view
	return b
}

// farAway makes a film whose samples lie behind 4 GB of nothing.
func farAway(t *testing.T, path string) {
	near, err := plainFilm()
	if err != nil {
		t.Fatal(err)
	}
	m := open(t, near)
	const gap = 4<<30 + 1000
	info, err := os.Stat(near)
	if err != nil {
		t.Fatal(err)
	}
	moov := rebuild(m.moov, samplePath, func(stbl []byte) []byte {
		var w bytes.Buffer
		atoms, _ := split(stbl)
		for _, a := range atoms {
			if a.kind != "stco" {
				putBox(&w, a.kind, a.payload)
				continue
			}
			far := bytes.Clone(a.payload[:8])
			for at := 8; at < len(a.payload); at += 4 {
				far = binary.BigEndian.AppendUint64(far, gap+uint64(binary.BigEndian.Uint32(a.payload[at:])))
			}
			putBox(&w, "co64", far)
		}
		return w.Bytes()
	})
	var head, index bytes.Buffer
	putBox(&head, "ftyp", m.ftyp)
	put(&head, 1)
	head.WriteString("mdat")
	head.Write(binary.BigEndian.AppendUint64(nil, uint64(gap+info.Size())-uint64(8+len(m.ftyp))))
	putBox(&index, "moov", moov)
	b, err := os.ReadFile(near)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at, part := range map[int64][]byte{0: head.Bytes(), gap: b, gap + info.Size(): index.Bytes()} {
		if _, err := f.WriteAt(part, at); err != nil {
			t.Fatal(err)
		}
	}
}

// grows makes a film whose pictures become larger in the middle.
func grows(t *testing.T, path string) {
	folder := t.TempDir()
	var both []byte
	for _, size := range []string{"96x64", "192x128"} {
		part := filepath.Join(folder, size+".h264")
		ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=s="+size+":d=0.5:r=30", "-pix_fmt", "yuv420p", "-bf", "0", part)
		b, err := os.ReadFile(part)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, b...)
	}
	write(t, filepath.Join(folder, "both.h264"), string(both))
	ffmpeg(t, "-r", "30", "-f", "h264", "-i", filepath.Join(folder, "both.h264"), "-f", "lavfi", "-i", "sine=d=1",
		"-c:v", "copy", path)
}

// plainly is what a plain film of a second becomes.
func plainly(make func(*testing.T, string), kind string) oddFilm {
	return oddFilm{make: make, kind: kind, w: 96, h: 64, length: second, rate: rate{30, 1}, frames: 30}
}

func (c oddFilm) shaped(w, h int) oddFilm {
	c.w, c.h = w, h
	return c
}

func (c oddFilm) lasting(length time.Duration, r rate, frames int) oddFilm {
	c.length, c.rate, c.frames = length, r, frames
	return c
}

func (c oddFilm) finishing(frames int) oddFilm {
	c.finished = frames
	return c
}

func (c oddFilm) in(codec string) oddFilm {
	c.codec = codec
	return c
}

func (c oddFilm) asTemplate(refused string) oddFilm {
	c.notSent = refused
	return c
}

func refusedFilm(make func(*testing.T, string), kind, words string) oddFilm {
	return oddFilm{make: make, kind: kind, refused: words}
}

// yuv makes a film of what encoders of telephones make pictures of.
func yuv(args ...string) func(*testing.T, string) {
	return filmed(append([]string{"-pix_fmt", "yuv420p"}, args...)...)
}

var filmKinds = map[string]oddFilm{
	"of 240 frames": plainly(filmedAt("240", "-pix_fmt", "yuv420p"), "").lasting(second, rate{60, 1}, 60).finishing(240),

	"with every fifth picture left out": plainly(yuv("-vf", "select='mod(n+3,5)'", "-fps_mode", "vfr"), "").finishing(24),
	"that stands still for a while": plainly(yuv("-vf", "select='lt(n,11)+gt(n,18)'", "-fps_mode", "vfr"),
		"").finishing(22),

	"turned by 180": plainly(again("-c", "copy", "-metadata:s:v", "rotate=180"), ""),
	"turned by 270": plainly(again("-c", "copy", "-metadata:s:v", "rotate=270"), "").shaped(64, 96),
	"mirrored":      plainly(spoilt(mirrored, "-pix_fmt", "yuv420p"), ""),
	"of odd size":   plainly(filmed("-vf", "format=yuv444p,crop=95:63", "-pix_fmt", "yuv444p"), "").shaped(95, 63),
	"of odd size, 4:2:0": plainly(filmed("-vf", "format=yuv444p,crop=95:63,format=yuv420p", "-c:v", "libvpx-vp9", "-deadline",
		"realtime", "-c:a",
		"libopus"), "webm").shaped(95, 63).in("vp9"),
	"with narrow pixels": plainly(yuv("-vf", "setsar=3/4"), "").shaped(72, 64),
	"too small":          refusedFilm(yuv("-s", "12x12"), "", "pixels"),
	"that grows":         plainly(grows, ""),

	"that begins within": plainly(func(t *testing.T, path string) {
		first, err := plainFilm()
		if err != nil {
			t.Fatal(err)
		}
		ffmpeg(t, "-ss", "0.4", "-i", first, "-c", "copy", path)
	}, "").lasting(600*time.Millisecond, rate{30, 1}, 18),
	"that ends within": plainly(again("-c", "copy", "-t", "0.5"), "").lasting(second*17/30, rate{30, 1}, 17),
	"cut from an open one": plainly(func(t *testing.T, path string) {
		first := filepath.Join(t.TempDir(), "open.mp4")
		yuv("-x264-params", "open-gop=1:keyint=10:bframes=3:b-pyramid=normal")(t, first)
		ffmpeg(t, "-ss", "0.4", "-i", first, "-c", "copy", path)
	}, "").lasting(600*time.Millisecond, rate{30, 1}, 18),
	"before its time": plainly(again("-c", "copy", "-output_ts_offset", "-0.5", "-avoid_negative_ts", "disabled"),
		"").lasting(second/2, rate{30, 1}, 15),
	"on a clock of days": plainly(again("-c", "copy", "-output_ts_offset", "100000"), "mkv"),
	"since 1970": plainly(again("-c", "copy", "-movflags", "frag_keyframe+empty_moov", "-output_ts_offset", "1700000000"),
		""),
	"without edit list": plainly(yuv("-use_editlist", "0"), ""),
	"far away":          plainly(farAway, ""),
	"with notes behind it": plainly(spoilt(func(b []byte) []byte { return append(b, bytes.Repeat([]byte{0xaa}, 5000)...) },
		"-pix_fmt", "yuv420p", "-movflags", "+faststart"), ""),
	"for DASH": plainly(yuv("-movflags", "+dash"), ""),
	"for CMAF": plainly(yuv("-movflags", "+cmaf"), ""),

	"with sound of six ears":   plainly(yuv("-ac", "6"), ""),
	"with sound of one ear":    plainly(yuv("-ac", "1"), ""),
	"with sound of telephones": plainly(yuv("-ac", "1", "-ar", "8000"), ""),
	"with sound at 96 kHz":     plainly(yuv("-ar", "96000"), ""),
	"with late sound": plainly(func(t *testing.T, path string) {
		first, err := plainFilm()
		if err != nil {
			t.Fatal(err)
		}
		again("-itsoffset", "0.4", "-i", first, "-map", "0:v", "-map", "1:a", "-c", "copy", "-t", "1")(t, path)
	}, ""),
	"with late pictures": plainly(func(t *testing.T, path string) {
		first, err := plainFilm()
		if err != nil {
			t.Fatal(err)
		}
		again("-itsoffset", "0.4", "-i", first, "-map", "1:v", "-map", "0:a", "-c", "copy")(t, path)
	}, ""),
	"with ALAC":           plainly(yuv("-c:a", "alac"), "mov"),
	"with AC-3":           plainly(yuv("-c:a", "ac3"), ""),
	"with MP3":            plainly(yuv("-c:a", "libmp3lame"), ""),
	"with Opus":           plainly(yuv("-c:a", "libopus"), ""),
	"with FLAC":           plainly(yuv("-c:a", "flac"), "mkv"),
	"with PCM":            plainly(yuv("-c:a", "pcm_s16be"), "mov"),
	"with PCM of 24 bits": plainly(yuv("-c:a", "pcm_s24le"), "mov"),
	"with PCM of 8 bits":  plainly(yuv("-c:a", "pcm_u8", "-ar", "8000"), "mov"),
	"with two sounds":     plainly(yuv("-map", "0:v", "-map", "1:a", "-map", "1:a"), ""),
	"with short sound":    plainly(yuv("-af", "atrim=end=0.3"), ""),
	"with an empty sound": plainly(yuv("-af", "atrim=end=0.0001"), ""),

	"with two films": plainly(yuv("-map", "0:v", "-map", "0:v", "-map", "1:a", "-s:v:1", "32x32"), ""),
	"with a cover": plainly(func(t *testing.T, path string) {
		png := filepath.Join(t.TempDir(), "a.png")
		ffmpeg(t, "-f", "lavfi", "-i", "color=s=200x200:d=1", "-frames:v", "1", png)
		again("-i", png, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic")(t, path)
	}, ""),
	"with a photo for a cover": plainly(func(t *testing.T, path string) {
		jpeg := filepath.Join(t.TempDir(), "a.jpg")
		ffmpeg(t, "-f", "lavfi", "-i", "color=s=200x200:d=1", "-frames:v", "1", jpeg)
		again("-i", jpeg, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic")(t, path)
	}, ""),
	"with words": plainly(func(t *testing.T, path string) {
		srt := filepath.Join(t.TempDir(), "a.srt")
		write(t, srt, "1\n00:00:00,000 --> 00:00:30,000\nSECRET\n")
		again("-i", srt, "-map", "0", "-map", "1", "-c", "copy", "-c:s", "mov_text")(t, path)
	}, ""),
	"that is a song with a cover": refusedFilm(func(t *testing.T, path string) {
		jpeg := filepath.Join(t.TempDir(), "a.jpg")
		ffmpeg(t, "-f", "lavfi", "-i", "color=s=200x200:d=1", "-frames:v", "1", jpeg)
		ffmpeg(t, "-f", "lavfi", "-i", "sine=d=1", "-i", jpeg, "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v:0",
			"attached_pic", path)
	}, "m4a", "video"),

	"in 4:2:2":            plainly(filmed("-pix_fmt", "yuv422p"), ""),
	"in 4:2:2 of 10 bits": plainly(filmed("-pix_fmt", "yuv422p10le"), ""),
	"in grey":             plainly(filmed("-pix_fmt", "gray"), ""),
	"in all of the range": plainly(filmed("-pix_fmt", "yuvj420p"), ""),
	"without losses":      plainly(yuv("-qp", "0"), ""),
	"interlaced, bottom first": plainly(filmedAt("25", "-pix_fmt", "yuv420p", "-flags", "+ildct+ilme", "-top", "0"),
		"").lasting(second, rate{25, 1}, 25),
	"said to be interlaced": plainly(yuv("-x264-params", "fake-interlaced=1"), ""),
	"in Motion JPEG":        plainly(filmed("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"), "mov").in("mjpeg"),
	"in DV": refusedFilm(filmedAt("25", "-s", "720x576", "-c:v", "dvvideo", "-ar", "48000"), "mov",
		"dvvideo"),

	"in MPEG-TS": plainly(yuv(), "ts").asTemplate("not taken here"),
	"in MKV":     plainly(yuv(), "mkv"),

	"without pictures yet": refusedFilm(yuv("-t", "0"), "", "no picture"),
	"of nothing": refusedFilm(func(t *testing.T, path string) { write(t, path, string(make([]byte, 4096))) }, "",
		"no index"),
}

// TestFilms_OfEachKindAreRightOrRefusedInWords is the table of what films may differ in.
func TestFilms_OfEachKindAreRightOrRefusedInWords(t *testing.T) {
	for name, c := range filmKinds {
		t.Run(name, c.bring)
	}
}
