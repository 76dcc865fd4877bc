// probe.go looks at a finished file before anybody is told that it is a video, and makes it fit to be sent.

package video

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Limits for the still that is sent along; they are Telegram's.
const (
	thumbEdge  = 320
	thumbBytes = 200_000
)

// What is wrong with a file that ffprobe or ffmpeg has no objection to.
var (
	errNoVideo = unfit{errors.New("not a video: no picture or no duration")}
	errNoStill = unfit{errors.New("no still could be made of the video")}
)

// facts are what ffprobe says about a video.
type facts struct {
	width, height int // as shown
	duration      time.Duration
	sound         string // codec of the first sound track, "" if there is none
	rate          string // frames a second as a fraction
	space         string // colour matrix as ffmpeg calls it, "" if the file does not say
	hdr           bool   // colours that an ordinary screen shows pale
}

// probe reads what kind of video a file is; options are those for inputs: hardened, uploaded or anyFormat. It returns an error if
// it has no video stream or no duration.
func (t *tools) probe(ctx context.Context, path string, options []string) (facts, error) {
	argv := append([]string{t.ffprobe, "-v", "error"}, options...)
	out, err := output(ctx, append(argv, "-of", "json", "-show_entries",
		"format=duration:stream=codec_type,codec_name,width,height,avg_frame_rate,color_transfer,color_space,sample_aspect_ratio:stream_disposition=attached_pic:stream_side_data=rotation",
		"file:"+path)...)
	if err != nil {
		return facts{}, err
	}
	var found struct {
		Format  struct{ Duration string }
		Streams []struct {
			Kind        string `json:"codec_type"`
			Codec       string `json:"codec_name"`
			Width       int
			Height      int
			Rate        string `json:"avg_frame_rate"`
			Transfer    string `json:"color_transfer"`
			Space       string `json:"color_space"`
			Aspect      string `json:"sample_aspect_ratio"`
			Disposition struct {
				Picture int `json:"attached_pic"`
			}
			Side []struct{ Rotation float64 } `json:"side_data_list"`
		}
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return facts{}, fmt.Errorf("answer of ffprobe: %w", err)
	}
	var f facts
	for _, s := range found.Streams {
		switch {
		case s.Kind == "video" && s.Disposition.Picture == 0 && f.width == 0:
			f.width, f.height, f.rate, f.space = s.Width, s.Height, s.Rate, s.Space
			var num, den int
			if n, _ := fmt.Sscanf(s.Aspect, "%d:%d", &num, &den); n == 2 && num > 0 && den > 0 {
				s.Width = s.Width * num / den
				f.width = s.Width
			}
			f.hdr = s.Transfer == "smpte2084" || s.Transfer == "arib-std-b67"
			for _, d := range s.Side {
				if int(d.Rotation)%180 != 0 {
					f.width, f.height = s.Height, s.Width
				}
			}
		case s.Kind == "audio" && f.sound == "":
			f.sound = s.Codec
		}
	}
	seconds, _ := strconv.ParseFloat(found.Format.Duration, 64) // "N/A" is as good as 0
	f.duration = time.Duration(seconds * float64(time.Second))
	if f.width <= 0 || f.height <= 0 || f.duration <= 0 {
		return facts{}, errNoVideo
	}
	return f, nil
}

// finish turns a file of an engine into a Video: probed, with sound and its index first, decoded at both ends, with a
// still from well inside it.
func (t *tools) finish(ctx context.Context, folder, path string) (Video, error) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return Video{}, errors.New("the engine left no video file")
	}
	f, err := t.probe(ctx, path, hardened)
	if err != nil {
		return Video{}, fmt.Errorf("probe: %w", err)
	}
	if path, err = t.fitForSending(ctx, folder, path, f); err != nil {
		return Video{}, fmt.Errorf("remux: %w", err)
	}
	thumb := filepath.Join(folder, "thumb.jpg")
	if err := t.decodeEnds(ctx, hardened, path); err != nil {
		return Video{}, fmt.Errorf("decode: %w", err)
	}
	if err := t.drawStill(ctx, hardened, path, f.duration*2/5, thumb, "-noaccurate_seek"); err != nil {
		return Video{}, fmt.Errorf("still: %w", err)
	}
	return finished(folder, path, thumb, f)
}

// finished is the Video whose files are all there.
func finished(folder, path, thumb string, f facts) (Video, error) {
	if info, err := os.Stat(thumb); err != nil || info.Size() == 0 || info.Size() > thumbBytes {
		return Video{}, errNoStill
	}
	info, err := os.Stat(path)
	if err != nil {
		return Video{}, err
	}
	return Video{Path: path, Thumb: thumb, Width: f.width, Height: f.height, Duration: f.duration, Size: info.Size(), folder: folder}, nil
}

// fitForSending returns a file with a sound track (Telegram takes a silent MP4 for an animation) and its index first
// (players start at once): the given one if it is so already, else a new one with the same pictures.
func (t *tools) fitForSending(ctx context.Context, folder, path string, f facts) (string, error) {
	first, err := indexFirst(path)
	if err != nil {
		return "", err
	}
	if f.sound == "aac" && first {
		return path, nil
	}
	out := filepath.Join(folder, "sendable.mp4")
	args := t.input(hardened, path)
	switch f.sound {
	case "":
		args = append(args, "-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo", "-map", "0:V:0", "-map", "1:a:0",
			"-t", strconv.FormatFloat(f.duration.Seconds(), 'f', 3, 64))
		args = append(args, encodeSound...)
	case "aac":
		args = append(args, "-map", "0:V:0", "-map", "0:a:0", "-c:a", "copy")
	default:
		args = append(append(args, "-map", "0:V:0", "-map", "0:a:0"), encodeSound...)
	}
	return out, t.run(ctx, append(args, "-c:v", "copy", "-movflags", "+faststart", "-f", "mp4", "file:"+out), nil)
}

// decodeEnds decodes the first and the last half second, which a truncated or damaged file does not survive.
func (t *tools) decodeEnds(ctx context.Context, limits []string, path string) error {
	args := append([]string{"-xerror"}, t.input(limits, path, "-t", "0.5")...)
	args = append(args, t.input(limits, path, "-sseof", "-0.4")...)
	return t.run(ctx, append(args, "-map", "0:V:0", "-f", "null", "-", "-map", "1:V:0", "-f", "null", "-"), nil)
}

// drawStill writes the frame at the given time as a JPEG; with -noaccurate_seek the key frame before it, which is there
// whatever the file says of its length.
func (t *tools) drawStill(ctx context.Context, limits []string, path string, at time.Duration, jpeg string, seek ...string) error {
	args := t.input(limits, path, append(seek, "-ss", strconv.FormatFloat(at.Seconds(), 'f', 3, 64))...)
	args = append(args, "-map", "0:V:0", "-vf", thumbFilter)
	return t.run(ctx, append(args, thumbOutput(jpeg)...), nil)
}

// thumbFilter makes a frame as small as a still may be.
var thumbFilter = fmt.Sprintf("scale=w='min(%[1]d,iw)':h='min(%[1]d,ih)':force_original_aspect_ratio=decrease:out_color_matrix=bt601:out_range=pc,format=yuvj420p", thumbEdge)

func thumbOutput(jpeg string) []string {
	return []string{"-frames:v", "1", "-q:v", "4", "-f", "image2", "-update", "1", "file:" + jpeg}
}

// input are the options to read a file from outside; limits are hardened or uploaded.
func (t *tools) input(limits []string, path string, options ...string) []string {
	return append(append(append(t.oneThread(), limits...), options...), "-i", "file:"+path)
}
