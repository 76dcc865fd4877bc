// finish.go makes a file that an engine left fit to be sent: one that every telephone plays, that holds nothing but
// the film, and that comes with a still.

package video

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// finish turns the file of an engine into a Video. What is provably plain is copied without a decoder; else ffmpeg
// brings the tracks into a plain MP4, and what telephones do not play is encoded again.
func (t *tools) finish(ctx context.Context, folder, path string) (Video, error) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return Video{}, coded{errors.New("the engine left no video file"), CodeNoVideo}
	}
	m, f, err := provePlain(path)
	if err != nil {
		if m, f, err = t.convert(ctx, folder, path); err != nil {
			if t.blamesFile(ctx, err) {
				err = coded{err, CodeUnplayable}
			}
			return Video{}, err
		}
	}
	out, key := filepath.Join(folder, "sendable.mp4"), filepath.Join(folder, "keys.mp4")
	keys, still := m.keyFrames(f.duration * 2 / 5)
	if err := errors.Join(m.write(out), keys.write(key), m.close()); err != nil {
		return Video{}, fmt.Errorf("write the video: %w", err)
	}
	thumb := filepath.Join(folder, "thumb.jpg")
	if err := t.decodeKeys(ctx, key, still, thumb); err != nil {
		return Video{}, err
	}
	return finished(folder, out, thumb, f)
}

// mostKeys is about how many of a film's key frames are decoded: each takes as long as many others.
const mostKeys = 8

// keyFrames is a movie of the pictures, or of some of them, that need no others to be decoded, and the number of the
// last one in it that is shown up to a time.
func (m *movie) keyFrames(at time.Duration) (keys *movie, still int) {
	v := *m.track("vide")
	var all, chosen []sample
	var times []int64
	clock := int64(0)
	for _, q := range v.samples {
		if q.sync {
			all, times = append(all, q), append(times, clock)
		}
		clock += int64(q.duration)
	}
	for i := 0; i < len(all); i += (len(all) + mostKeys - 1) / mostKeys {
		if times[i] <= int64(at.Seconds()*float64(v.scale)) {
			still = len(chosen)
		}
		q := all[i]
		q.shift = int32(v.start) // it is shown at once
		chosen = append(chosen, q)
	}
	v.samples = chosen
	return m.only(&v), still
}

// decodeKeys decodes the key frames of a film, which its index says nothing about: one that is damaged is seen until
// the next. It writes the one with the given number as a JPEG.
func (t *tools) decodeKeys(ctx context.Context, path string, still int, jpeg string) error {
	one := *t
	one.threads = 1 // more of them cost more than they do for a few pictures
	args := append([]string{"-xerror"}, one.input(hardened, path)...)
	args = append(args, "-an", "-vf", fmt.Sprintf("select='eq(n,%d)',scale=iw*sar:ih,setsar=1,%s", still, thumbFilter),
		"-fps_mode", "passthrough")
	err := one.run(ctx, append(args, jpegOutput(jpeg)...), nil)
	if ended, ok := errors.AsType[*exitError](err); ok && t.blamesFile(ctx, err) {
		return coded{isDamaged(ended.stderr), CodeUnplayable}
	}
	return err
}

// convert makes a plain MP4 of a film, by copying its pictures if they are plain ones.
func (t *tools) convert(ctx context.Context, folder, path string) (m *movie, f facts, err error) {
	source, err := t.examine(ctx, path, uploaded)
	if err != nil {
		return nil, f, err
	}
	if source.unread != "" {
		return nil, f, unfit{errors.New("its sound is in a format that ffmpeg cannot decode: AAC is what plays everywhere")}
	}
	copied, encoded := filepath.Join(folder, "copied.mp4"), filepath.Join(folder, "encoded.mp4")
	if source.codec == "h264" && source.format == "yuv420p" && !source.hdr && !source.interlaced {
		if err := t.copyFilm(ctx, source, path, copied); err != nil {
			return nil, f, fmt.Errorf("copy: %w", err)
		}
		if m, f, err = provePlain(copied); err == nil {
			return m, f, nil
		}
	}
	if err := t.encodeFilm(ctx, source, path, encoded); err != nil {
		return nil, f, fmt.Errorf("encode: %w", err)
	}
	if m, f, err = provePlain(encoded); err != nil {
		return nil, f, fmt.Errorf("encoded video: %w", err)
	}
	return m, f, nil
}

// copyFilm writes an MP4 of the pictures as they are.
func (t *tools) copyFilm(ctx context.Context, f facts, path, out string) error {
	args := append(t.soundTracks(f, path), "-map", fmt.Sprintf("0:%d", f.video), "-c:v", "copy")
	return t.run(ctx, slices.Concat(args, nothingElse, []string{"-f", "mp4", "file:" + out}), nil)
}

// encodeFilm writes an MP4 of the pictures as everybody can play them.
func (t *tools) encodeFilm(ctx context.Context, f facts, path, out string) error {
	if err := t.canToneMap(ctx, f); err != nil {
		return err
	}
	g, err := becomes(f, 0, 0)
	if err != nil {
		return err
	}
	args := append([]string{"-xerror"}, t.soundTracks(f, path)...)
	args = append(args, "-filter_complex", g.pad+g.filter+"[v]", "-map", "[v]")
	args = slices.Concat(args, encodeVideo(g.width, g.height, g.rate), t.oneThread(), nothingElse)
	return t.run(ctx, append(args, "-f", "mp4", "file:"+out), nil)
}

// soundTracks are the options to read a film and to write its sound, or silence, as AAC: Telegram takes a silent MP4
// for an animation.
func (t *tools) soundTracks(f facts, path string) []string {
	args := t.input(uploaded, path, f.decoder()...)
	if f.sound == "" {
		args = append(args, "-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo", "-map", "1:a:0", "-t", inSeconds(f.duration))
		return append(args, encodeSound...)
	}
	// What is heard after the last picture would be heard over a picture that stands still.
	args = append(args, "-map", fmt.Sprintf("0:%d", f.audio), "-af", f.soundFilter()+",atrim=end="+inSeconds(f.duration))
	return append(args, encodeSound...)
}

// soundFilter moves the sound so that it begins when the pictures do: silence is put before it, or its beginning is
// cut.
func (f facts) soundFilter() string {
	return fmt.Sprintf("asetpts=PTS-%s/TB,aresample=48000:async=1:first_pts=0", inSeconds(f.start))
}

// nothingElse are the options of an output that has pictures and sound and nothing else: no tags, chapters or time
// codes.
var nothingElse = []string{"-map_metadata", "-1", "-map_chapters", "-1", "-write_tmcd", "0", "-fflags", "+bitexact"}

// canToneMap returns what is wrong with a film in HDR if this ffmpeg cannot turn it into ordinary colours.
func (t *tools) canToneMap(ctx context.Context, f facts) error {
	if !f.hdr {
		return nil
	}
	out, err := output(ctx, t.ffmpeg, "-hide_banner", "-h", "filter=zscale")
	if err != nil {
		return err
	}
	if !strings.Contains(string(out), "Filter zscale") {
		return unfit{errors.New("this film is HDR, and this ffmpeg has no zscale: export it as SDR (BT.709)")}
	}
	return nil
}
