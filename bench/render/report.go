// report.go checks the videos that were measured: frames, times, sound, likeness, decoding.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"retake.example/internal/video"
)

// made is a video of ours, and the prepared film it was made from.
type made struct{ name, path, folder, prepared string }

// report prints what was looked at; what is wrong is an error.
func (b *bench) report(naive, silent, spoken string) error {
	var wrong []error
	line := func(what string, ok bool, found string, args ...any) {
		verdict := "ok   "
		if !ok {
			verdict = "WRONG"
			wrong = append(wrong, errors.New(what))
		}
		fmt.Printf("%s %s: %s\n", verdict, what, fmt.Sprintf(found, args...))
	}
	videos := []made{
		{name: "music only", path: silent, folder: "silent"},
		{name: "with voice", path: spoken, folder: "voiced"},
	}
	for i := range videos {
		v := &videos[i]
		found, err := filepath.Glob(filepath.Join(b.dir, "cache", "long-*.mp4"))
		if err != nil || len(found) != 1 {
			return fmt.Errorf("prepared film: got %v, %v; want one", found, err)
		}
		v.prepared = found[0]
		want, err := hashes(v.prepared, "v", false)
		if err != nil {
			return err
		}
		got, err := hashes(v.path, "v", false)
		if err != nil {
			return err
		}
		same, changed, monotonic := 0, 0, true
		for i := range min(len(got), len(want)) {
			monotonic = monotonic && got[i].time == i
			switch inside := i >= nameIn && i < nameOut; {
			case inside && got[i].sum != want[i].sum:
				changed++
			case !inside && got[i].sum == want[i].sum:
				same++
			}
		}
		line(
			v.name+", frames",
			len(got) == b.frames && monotonic,
			"%d of %d, times rising evenly: %v",
			len(got),
			b.frames,
			monotonic,
		)
		line(
			v.name+", frames without the name",
			same == b.frames-(nameOut-nameIn),
			"%d bit-identical, of %d",
			same,
			b.frames-(nameOut-nameIn),
		)
		line(v.name+", frames with the name", changed == nameOut-nameIn, "%d changed, of %d", changed, nameOut-nameIn)
		if _, err := output("ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", v.path, "-f", "null", "-"); err != nil {
			line(v.name+", decoding", false, "%v", err)
		} else {
			line(v.name+", decoding", true, "no error with -xerror")
		}
	}
	for _, v := range videos {
		if err := sound(line, v); err != nil {
			return err
		}
	}
	if err := b.likeness(line, naive, silent); err != nil {
		return err
	}
	return errors.Join(wrong...)
}

// frame is a line of ffmpeg's framemd5.
type frame struct {
	time int // in frames for pictures, in samples for sound
	sum  string
}

// hashes lists the decoded frames of a stream, or with packets its encoded ones.
func hashes(path, stream string, packets bool) ([]frame, error) {
	args := []string{"-nostdin", "-v", "error", "-i", path, "-map", "0:" + stream}
	if packets {
		args = append(args, "-c", "copy")
	}
	out, err := output("ffmpeg", append(args, "-f", "framemd5", "-")...)
	if err != nil {
		return nil, err
	}
	var found []frame
	for l := range strings.Lines(out) {
		if strings.HasPrefix(l, "#") {
			continue
		}
		f := strings.Split(l, ",")
		at, err := strconv.Atoi(strings.TrimSpace(f[2]))
		if err != nil {
			return nil, err
		}
		found = append(found, frame{at, strings.TrimSpace(f[5])})
	}
	return found, nil
}

// sound compares packets: none may differ without a voice, and with one only those while it speaks.
func sound(line func(string, bool, string, ...any), v made) error {
	want, err := hashes(v.prepared, "a", true)
	if err != nil {
		return err
	}
	got, err := hashes(v.path, "a", true)
	if err != nil {
		return err
	}
	if len(got) != len(want) {
		line(v.name+", sound packets", false, "%d; want %d", len(got), len(want))
		return nil
	}
	first, last, changed := 0, 0, 0
	for i := range got {
		if got[i] != want[i] {
			if changed == 0 {
				first = i
			}
			last, changed = i, changed+1
		}
	}
	if v.folder == "silent" {
		line(v.name+", sound packets", changed == 0, "%d, of which %d differ", len(got), changed)
		return nil
	}
	at := func(i int) time.Duration { return time.Duration(want[i].time) * time.Second / 48000 }
	near := changed > 0 && at(first) > voiceIn-time.Second && at(last) < voiceIn+5*time.Second
	line(
		v.name+", sound packets",
		near,
		"%d of %d differ, from %v to %v",
		changed,
		len(got),
		at(first).Round(time.Millisecond),
		at(last).Round(time.Millisecond),
	)
	return nil
}

// likeness measures SSIM against what an encoder without loss would have shown.
func (b *bench) likeness(line func(string, bool, string, ...any), naive, silent string) error {
	without := fmt.Sprintf("between(n,0,%d)+between(n,%d,%d)", nameIn-1, nameOut, b.frames-1)
	with := fmt.Sprintf("between(n,%d,%d)", nameIn, nameOut-1)
	like := func(path, filter, frames string) (float64, error) {
		return ssim(
			"-i",
			path,
			"-i",
			b.film,
			"-lavfi",
			fmt.Sprintf("[0:v]select='%[1]s'[a];[1:v]%[2]s,select='%[1]s'[b];[a][b]ssim", frames, filter),
		)
	}
	ours, err := like(silent, "null", without)
	if err != nil {
		return err
	}
	theirs, err := like(naive, b.drawtext(), without)
	if err != nil {
		return err
	}
	line("likeness without the name", ours > 0.97, "SSIM %.4f (ffmpeg drawtext, veryfast: %.4f)", ours, theirs)
	if theirs, err = like(naive, b.drawtext(), with); err != nil {
		return err
	}
	var sum float64
	stills := 0
	for n := nameIn + 5; n < nameOut; n += 15 {
		still := filepath.Join(b.dir, "still.png")
		at := time.Duration(n) * time.Second / rate
		if err := b.silent.Still(context.Background(), video.Order{Asset: "bench", Name: name, Lang: "ru", Template: "long"},
			at, still); err != nil {
			return err
		}
		s, err := ssim(
			"-i",
			silent,
			"-i",
			still,
			"-lavfi",
			fmt.Sprintf(
				"[0:v]select='eq(n,%d)',setpts=0[a];"+
					"[1:v]scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,setpts=0[b];[a][b]ssim",
				n,
			),
		)
		if err != nil {
			return err
		}
		sum += s
		stills++
	}
	line(
		"likeness with the name",
		sum/float64(stills) > 0.97,
		"SSIM %.4f, mean of %d frames (ffmpeg drawtext, veryfast: %.4f)",
		sum/float64(stills),
		stills,
		theirs,
	)
	return os.Remove(filepath.Join(b.dir, "still.png"))
}

var ssimAll = regexp.MustCompile(`All:([\d.]+)`)

func ssim(args ...string) (float64, error) {
	out, err := output(
		"ffmpeg",
		append(append([]string{"-nostdin", "-hide_banner"}, args...), "-frames:v", "100000", "-f", "null", "-")...)
	if err != nil {
		return 0, err
	}
	m := ssimAll.FindStringSubmatch(out)
	if m == nil {
		return 0, errors.New("ffmpeg told no SSIM")
	}
	return strconv.ParseFloat(m[1], 64)
}
