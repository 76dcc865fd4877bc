// probe.go finds out what kind of film a file is: its tracks, the pictures' own times, and whether they can be
// decoded.

package video

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
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

// facts are what is known about a film. Times are those of its pictures, not of its container: sound and subtitles may
// begin earlier and end later.
type facts struct {
	width, height int           // as shown
	start         time.Duration // of the first picture, counted from where ffmpeg begins to read
	duration      time.Duration // from the first picture to the end of the last one
	frames        int           // how many pictures there should be
	video         int           // number of the track with the pictures
	audio         int           // of the one with the sound, if there is some
	codec         string        // of the pictures, as ffmpeg calls it
	format        string        // of the pixels
	sound         string        // codec of the sound, "" if there is none
	unread        string        // codec of sound that ffmpeg cannot decode, when there is no other
	rate          string        // frames a second as a fraction
	space         string        // colour matrix as ffmpeg calls it, "" if the file does not say
	transfer      string        // how brightness is coded
	hdr           bool          // colours that an ordinary screen shows pale
	interlaced    bool          // fields of two moments in one picture, or nobody knows
	alpha         bool          // it is transparent in places
}

// decodable are the decoders that a film may need. ffmpeg has hundreds more, some of formats that nobody has used for
// decades: each reads what a stranger wrote.
var decodable = "h264,hevc,libdav1d,libaom-av1,av1,vp8,vp9,libvpx,libvpx-vp9,mpeg4,h263,mpeg1video,mpeg2video,mjpeg," +
	"prores,png,aac,aac_fixed,aac_latm,mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,libopus,vorbis,libvorbis,flac,alac," +
	"ac3,ac3_fixed,eac3,dca,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb," +
	"adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,pcm_alaw,pcm_mulaw," +
	"pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be," +
	"subrip,srt,ass,ssa,mov_text,webvtt,text,dvdsub,pgssub"

// pixelLimit is that of 8K. A picture of that size takes 50 MB, and a decoder keeps a dozen.
const pixelLimit = 7680 * 4320

// reading are the options before an input: local files only, of some containers, with decoders of the list.
func reading(containers string) []string {
	return []string{"-protocol_whitelist", "file", "-format_whitelist", containers, "-codec_whitelist", decodable,
		"-max_pixels", strconv.Itoa(pixelLimit), "-max_streams", "32"}
}

const mpeg4Files = "mov,mp4,m4a,3gp,3g2,mj2"

var (
	// hardened are the options before what an engine made.
	hardened = reading(mpeg4Files)
	// uploaded are those before what admins send.
	uploaded = reading(mpeg4Files + ",matroska,webm")
	// anyFormat are those before the film of a template. No container here can name another file, as playlists do.
	anyFormat = reading(mpeg4Files + ",matroska,webm,avi,mpegts")
	// anySound are those before the music of a template.
	anySound = reading(mpeg4Files + ",matroska,webm,avi,mpegts,wav,mp3,flac,ogg,aac")
)

// codecNames are what people call codecs whose names here they may not know.
var codecNames = map[string]string{"h264": "H.264", "hevc": "HEVC (H.265)", "av1": "AV1", "vp8": "VP8", "vp9": "VP9",
	"mpeg4": "MPEG-4 Part 2", "mpeg1video": "MPEG-1", "mpeg2video": "MPEG-2", "mjpeg": "Motion JPEG", "prores": "ProRes",
	"h263": "H.263", "cinepak": "Cinepak", "magicyuv": "MagicYUV", "exr": "OpenEXR", "tiff": "TIFF", "aac": "AAC"}

// CodecName is what people call a codec that ffmpeg calls so.
func CodecName(codec string) string {
	if name, ok := codecNames[codec]; ok {
		return name
	}
	return codec
}

// stream is a track as ffprobe describes it.
type stream struct {
	Index       int
	Kind        string `json:"codec_type"`
	Codec       string `json:"codec_name"`
	Width       int
	Height      int
	Format      string `json:"pix_fmt"`
	Order       string `json:"field_order"`
	Rate        string `json:"avg_frame_rate"`
	Pace        string `json:"r_frame_rate"`
	Transfer    string `json:"color_transfer"`
	Space       string `json:"color_space"`
	Aspect      string `json:"sample_aspect_ratio"`
	Start       string `json:"start_time"`
	Duration    string
	Frames      string `json:"nb_frames"`
	Disposition struct {
		Picture int `json:"attached_pic"`
		Default int
	}
	Side []struct{ Rotation float64 } `json:"side_data_list"`
	Tags struct {
		Alpha string `json:"alpha_mode"`
	}
}

const streamEntries = "format=start_time:stream=index,codec_type,codec_name,width,height,pix_fmt,field_order," +
	"avg_frame_rate,r_frame_rate,color_transfer,color_space,sample_aspect_ratio,start_time,duration,nb_frames:" +
	"stream_disposition=attached_pic,default:stream_side_data=rotation:stream_tags=alpha_mode"

// probe reads what kind of video a file is; options are those for inputs: hardened, uploaded or anyFormat. The error
// is unfit if the file has no pictures or no duration, or is of a kind that is not taken.
func (t *tools) probe(ctx context.Context, path string, options []string) (facts, error) {
	argv := append([]string{t.ffprobe, "-v", "error"}, options...)
	out, err := output(ctx, append(argv, "-of", "json", "-show_entries", streamEntries, "file:"+path)...)
	if err != nil {
		return facts{}, refusedKind(err)
	}
	var found struct {
		Format struct {
			Start string `json:"start_time"`
		}
		Streams []stream
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return facts{}, fmt.Errorf("answer of ffprobe: %w", err)
	}
	v := choose(found.Streams, func(s stream) bool {
		return s.Kind == "video" && s.Disposition.Picture == 0 && s.Width > 0 && s.Height > 0 && s.Codec != "png"
	})
	if v == nil {
		return facts{}, errNoVideo
	}
	if v.Width*v.Height > pixelLimit {
		return facts{}, unfit{fmt.Errorf("its pictures have %d×%d pixels: more than 8K is not taken", v.Width, v.Height)}
	}
	f := v.facts()
	known := func(s stream) bool { return s.Kind == "audio" && s.Codec != "" && s.Codec != "unknown" }
	if s := choose(found.Streams, known); s != nil {
		f.sound, f.audio = s.Codec, s.Index
	} else if s := choose(found.Streams, func(s stream) bool { return s.Kind == "audio" }); s != nil {
		f.unread = "unknown"
	}
	begin := seconds(found.Format.Start)
	f.start = max(0, seconds(v.Start)-begin)
	if f.duration = seconds(v.Duration); f.duration > maxLength*time.Second {
		f.duration = 0 // a damaged number
	}
	f.frames, _ = strconv.Atoi(v.Frames)
	if f.duration <= 0 || f.frames == 0 || unknownRate(f.rate) || !f.agree() {
		if err := t.countPackets(ctx, path, options, &f, begin); err != nil {
			return facts{}, err
		}
	}
	if f.duration <= 0 {
		return facts{}, errNoVideo
	}
	if !f.interlaced && skips(f.rate, v.Pace) {
		f.rate = v.Pace
	}
	return f, nil
}

// choose returns the track of a kind that players take: the default one, else the first one.
func choose(streams []stream, is func(stream) bool) (chosen *stream) {
	for i, s := range streams {
		if is(s) && (chosen == nil || chosen.Disposition.Default == 0 && s.Disposition.Default == 1) {
			chosen = &streams[i]
		}
	}
	return chosen
}

// facts are what a track of pictures says of itself.
func (s *stream) facts() facts {
	f := facts{width: s.Width, height: s.Height, video: s.Index, codec: s.Codec, format: s.Format, rate: s.Rate,
		space:    s.Space,
		transfer: s.Transfer, hdr: s.Transfer == "smpte2084" || s.Transfer == "arib-std-b67"}
	var num, den int
	if n, _ := fmt.Sscanf(s.Aspect, "%d:%d", &num, &den); n == 2 && num > 0 && den > 0 {
		f.width = max(1, s.Width*num/den)
	}
	for _, d := range s.Side {
		if int(d.Rotation)%180 != 0 {
			f.width, f.height = f.height, f.width
			break
		}
	}
	switch s.Order {
	case "tt", "bb", "tb", "bt":
		f.interlaced = true
	}
	f.alpha = s.Tags.Alpha == "1" || strings.HasPrefix(s.Format, "yuva") || strings.Contains(s.Format, "rgba") ||
		strings.Contains(s.Format, "bgra") || strings.HasPrefix(s.Format, "gbrap")
	return f
}

// seconds reads what ffprobe prints for a time; "N/A" is 0.
func seconds(text string) time.Duration {
	at, _ := onClock(text)
	return at
}

// onClock reads a time on the clock of a film. That may have run for days, as those of television do, or since 1970.
func onClock(text string) (at time.Duration, ok bool) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > math.MaxInt64/4/float64(time.Second) {
		return 0, false
	}
	return time.Duration(v * float64(time.Second)), true
}

func unknownRate(rate string) bool {
	num, den, _ := strings.Cut(rate, "/")
	return num == "" || num == "0" || den == "0"
}

// agree reports whether there are as many pictures as are shown in the film's time. There are more of them in a film
// that was cut without being encoded again: an edit list leaves them out.
func (f facts) agree() bool {
	var num, den float64
	if n, _ := fmt.Sscanf(f.rate, "%g/%g", &num, &den); n != 2 || den == 0 {
		return false
	}
	shown := f.duration.Seconds() * num / den
	return math.Abs(float64(f.frames)-shown) <= 1+shown/50
}

// countPackets reads the times of all packets of the pictures that are shown, for a file that does not say how long
// they last: what browsers record, every Matroska file, and one with an edit list. begin is when its first track
// starts.
func (t *tools) countPackets(ctx context.Context, path string, options []string, f *facts, begin time.Duration) error {
	c := packetCounter{begin: begin}
	argv := append([]string{t.ffprobe, "-v", "error"}, options...)
	argv = append(argv, "-select_streams", strconv.Itoa(f.video), "-of", "csv=p=0", "-show_entries",
		"packet=pts_time,duration_time,flags", "file:"+path)
	if err := run(ctx, child{argv: argv, stdout: &c, tool: true}); err != nil {
		return refusedKind(err)
	}
	if c.count == 0 {
		return errNoVideo
	}
	length := c.last - c.first
	last := c.length
	if last <= 0 && c.count > 1 {
		last = length / time.Duration(c.count-1)
	}
	f.frames, f.duration, f.start = c.count, length+last, max(0, c.first)
	if unknownRate(f.rate) && f.duration > 0 {
		f.rate = fmt.Sprintf("%d/%d", c.count*1000, max(1, f.duration.Milliseconds()))
	}
	return nil
}

// packetCounter reads lines "time,duration,flags" of packets in any order.
type packetCounter struct {
	begin       time.Duration // of the film
	rest        []byte
	count       int
	first, last time.Duration // since then
	length      time.Duration // of the last one, 0 if nobody says
}

func (c *packetCounter) Write(p []byte) (int, error) {
	c.rest = append(c.rest, p...)
	for {
		line, rest, found := bytes.Cut(c.rest, []byte("\n"))
		if !found {
			if len(c.rest) > 1<<10 {
				c.rest = nil // no time is that long
			}
			return len(p), nil
		}
		c.rest = rest
		fields := strings.Split(strings.TrimSpace(string(line)), ",")
		pts, ok := onClock(fields[0])
		discarded := len(fields) > 2 && strings.Contains(fields[2], "D")
		if pts -= c.begin; !ok || pts.Abs() > maxLength*time.Second || discarded {
			continue
		}
		if c.count == 0 || pts < c.first {
			c.first = pts
		}
		if c.count == 0 || pts >= c.last {
			c.last, c.length = pts, 0
			if len(fields) > 1 {
				c.length = seconds(fields[1])
			}
		}
		c.count++
	}
}

const exportPlain = "export the film as MP4 with H.264 and AAC"

var (
	notTaken  = regexp.MustCompile(`Codec \((\w+)\) not on whitelist`)
	addresses = regexp.MustCompile(`\[[^\[\]]* @ 0x[0-9a-f]+\] `)
)

// refusedKind turns the failure of ffprobe or ffmpeg with a file of a kind that we do not let them read into words for
// the file's author. Other failures stay as they are.
func refusedKind(err error) error {
	ended, ok := errors.AsType[*exitError](err)
	if !ok {
		return err
	}
	words := ended.stderr
	ended.stderr = addresses.ReplaceAllString(words, "")
	codec := notTaken.FindStringSubmatch(words)
	switch {
	case ended.cause != nil:
		return err
	case codec != nil:
		return unfit{fmt.Errorf("a track is in %s, which is not taken here: "+exportPlain, CodecName(codec[1]))}
	case strings.Contains(words, "Format not on whitelist"):
		return unfit{errors.New("the file is of a kind that is not taken here: " + exportPlain)}
	case strings.Contains(words, "max_streams"):
		return unfit{errors.New("the file has more than 32 tracks")}
	case strings.Contains(words, "max pixel count"):
		return unfit{errors.New("its pictures have more pixels than 8K, which is not taken")}
	case strings.Contains(words, "moov atom not found"):
		return unfit{errors.New("the file is no film, or only a part of one: it has no index (moov)")}
	}
	return err
}

var cutWords = regexp.MustCompile("partial file|ended prematurely")

// wholeDecode is up to how many pixels all pictures of a film are decoded to see whether they can be: a minute and a
// half at 1080p. Of a longer one, the first and the last two seconds are.
const wholeDecode = 6_000_000_000

// decode decodes the pictures and the sound of a film and throws them away. The error is unfit if the film is damaged
// or cut short: ffmpeg conceals both as well as it can, so it is told to stop at the first fault, and the pictures are
// counted.
func (t *tools) decode(ctx context.Context, options []string, path string, f facts) error {
	if m, err := openMovie(path); err == nil {
		m.close()
	} else if errors.Is(err, errOutside) {
		return errCut
	}
	if int64(f.width)*int64(f.height)*int64(f.frames) <= wholeDecode {
		n, err := t.decodePart(ctx, options, path, f)
		if least := f.frames - max(2, f.frames/20); err == nil && n < least {
			err = unfit{fmt.Errorf("the file is cut short: only %d of %d pictures can be decoded", n, f.frames)}
		}
		return err
	}
	const part = 2 * time.Second
	for _, at := range []time.Duration{0, f.start + f.duration - part} {
		n, err := t.decodePart(ctx, options, path, f, "-ss", inSeconds(max(0, at)), "-t", inSeconds(part))
		if err == nil && n == 0 {
			err = unfit{errors.New("the file is cut short: there are no pictures at its end")}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func inSeconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }

// decodePart returns how many pictures were decoded.
func (t *tools) decodePart(ctx context.Context, options []string, path string, f facts,
	seek ...string) (frames int, err error) {
	args := append([]string{"-xerror"}, t.input(options, path, seek...)...)
	args = append(args, "-map", fmt.Sprintf("0:%d", f.video))
	if f.sound != "" {
		args = append(args, "-map", fmt.Sprintf("0:%d", f.audio))
	}
	p, err := t.start(ctx, append(args, "-fps_mode", "passthrough", "-f", "null", "-"), func(n int) { frames = n }, false)
	if err != nil {
		return 0, err
	}
	err = p.wait()
	words := addresses.ReplaceAllString(p.stderr.text(), "")
	switch {
	case err == nil && cutWords.MatchString(words):
		return frames, errCut
	case err == nil || !t.blamesFile(ctx, err):
		return frames, err
	case cutWords.MatchString(words):
		return frames, errCut
	}
	if refused := refusedKind(err); refused != err {
		return frames, refused
	}
	return frames, isDamaged(words)
}

// isDamaged is what is wrong with a file of which a decoder said these words.
func isDamaged(words string) error {
	return unfit{fmt.Errorf("the file is damaged (%s)", lastLine(addresses.ReplaceAllString(words, "")))}
}

// errCut is what is wrong with most damaged files.
var errCut = unfit{errors.New("the file is cut short: it ends before the film does")}

// lastLine returns the last line of what a program printed, without the path of the file, which means nothing to its
// author.
func lastLine(words string) string {
	lines := strings.Split(words, "\n")
	_, last, found := strings.Cut(lines[len(lines)-1], ": ")
	if !found || !strings.Contains(lines[len(lines)-1], "file:") {
		last = lines[len(lines)-1]
	}
	return last
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
	return Video{Path: path, Thumb: thumb, Width: f.width, Height: f.height, Duration: f.duration, Size: info.Size(),
		Codec: f.codec, folder: folder}, nil
}

// drawStill writes the frame at the given time as a JPEG; with -noaccurate_seek the key frame before it, which is
// there whatever the file says of its length.
func (t *tools) drawStill(ctx context.Context, options []string, path string, at time.Duration, jpeg string,
	seek ...string) error {
	return t.drawStillOf(ctx, options, path, facts{}, "0:V:0", at, jpeg, seek...)
}

// drawStillOf is drawStill for a film of which more is known.
func (t *tools) drawStillOf(ctx context.Context, options []string, path string, f facts, track string,
	at time.Duration, jpeg string, seek ...string) error {
	one := *t
	one.threads = 1 // more of them cost more than they do for one picture
	args := append(f.decoder(), append(seek, "-ss", inSeconds(at))...)
	filter := strings.Join(slices.Concat(f.ordinary(), []string{"scale=iw*sar:ih,setsar=1", thumbFilter}), ",")
	args = append(one.input(options, path, args...), "-map", track, "-vf", filter)
	// A picture from before the time is no late one that may be dropped.
	return one.run(ctx, append(append(args, "-fps_mode", "passthrough"), thumbOutput(jpeg)...), nil)
}

// thumbFilter makes a frame with square pixels as small as a still may be.
var thumbFilter = fmt.Sprintf("scale=w='min(%[1]d,iw)':h='min(%[1]d,ih)':"+
	"force_original_aspect_ratio=decrease:out_color_matrix=bt601:out_range=pc,format=yuvj420p", thumbEdge)

func thumbOutput(jpeg string) []string {
	return append([]string{"-frames:v", "1"}, jpegOutput(jpeg)...)
}

func jpegOutput(jpeg string) []string {
	return []string{"-q:v", "4", "-f", "image2", "-update", "1", "file:" + jpeg}
}

// input are the options to read a file from outside; limits are hardened, uploaded or anyFormat.
func (t *tools) input(limits []string, path string, options ...string) []string {
	return slices.Concat(t.oneThread(), limits, options, []string{"-i", "file:" + path})
}

// decoder are the options before an input that is filtered. Where pictures change their size in the middle of a film,
// as browsers record a call, the filters go on: new ones would count its time from the beginning. And ffmpeg's own
// decoder of VP8 and VP9 does not see what is transparent.
func (f facts) decoder() []string {
	options := []string{"-reinit_filter:v", "0"}
	switch {
	case f.alpha && f.codec == "vp9":
		options = append(options, "-c:v", "libvpx-vp9")
	case f.alpha && f.codec == "vp8":
		options = append(options, "-c:v", "libvpx")
	}
	return options
}

// ordinary are the filters that make the pictures of a film what every screen shows: whole pictures, opaque on black,
// in the colours of BT.709.
func (f facts) ordinary() (filters []string) {
	if f.interlaced {
		filters = append(filters, "bwdif=mode=send_frame:deint=all")
	}
	if f.alpha {
		filters = append(filters, "format=yuva420p,split[seen][under];[under]format=yuv420p,lutyuv=y=16:u=128:v=128[black];"+
			"[black][seen]overlay=format=yuv420")
	}
	if f.hdr {
		filters = append(filters, "zscale=tin="+f.transfer+":min=2020_ncl:pin=2020:t=linear:npl=203,"+
			"format=gbrpf32le,zscale=p=709,tonemap=hable:desat=0,zscale=t=709:m=709:r=limited,format=yuv420p")
	}
	return filters
}
