// film.go looks at the film of a template: its size, its pace, and how it becomes the video that names are drawn on.

package video

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// rate is a number of frames a second as a fraction: 30000/1001 is that of American television.
type rate struct{ num, den int }

// at returns the time of a frame.
func (r rate) at(frame int) time.Duration {
	return time.Duration(float64(frame) * float64(r.den) / float64(r.num) * float64(time.Second))
}

// frame returns the frame nearest to a time.
func (r rate) frame(at time.Duration) int {
	return int(math.Round(at.Seconds() * float64(r.num) / float64(r.den)))
}

// seconds is the time of a frame as ffmpeg reads it.
func (r rate) seconds(frame int) string { return fmt.Sprintf("%.6f", r.at(frame).Seconds()) }

func (r rate) String() string { return fmt.Sprintf("%d/%d", r.num, r.den) }

// timescale is the number of ticks a second that an MP4 needs so that every frame lasts a whole number of them.
func (r rate) timescale() int {
	scale := r.num
	for scale < 10_000 {
		scale *= 2
	}
	return scale
}

// rates are those that a film may end up with: the nearest is taken, so that phones, whose pace wavers, do no harm.
var rates = []rate{{24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {48, 1}, {50, 1}, {60000, 1001}, {60, 1}}

// nearestRate reads a rate such as "25/1" or "2997/100".
func nearestRate(s string) (rate, error) {
	num, den, _ := strings.Cut(s, "/")
	n, err1 := strconv.ParseFloat(num, 64)
	d, err2 := strconv.ParseFloat(den, 64)
	if err1 != nil || err2 != nil || n <= 0 || d <= 0 {
		return rate{}, fmt.Errorf("it has no frame rate (%q)", s)
	}
	best, off := rates[0], math.Inf(1)
	for _, r := range rates {
		if o := math.Abs(math.Log(n / d * float64(r.den) / float64(r.num))); o < off {
			best, off = r, o
		}
	}
	return best, nil
}

// Limits of a film that becomes a template.
const (
	maxFilmEdge = 1920
	maxFilm     = 10 * time.Minute
)

// film is what a template's film becomes.
type film struct {
	path          string // of the source
	width, height int    // pixels of the video, even
	rate          rate
	frames        int
	filter        string // what ffmpeg does to the source's frames
	sound         bool   // the source has some
}

func (f film) length() time.Duration { return f.rate.at(f.frames) }

// probeFilm looks at a template's film. The error is Faults if the author can mend it.
func (m *Maker) probeFilm(ctx context.Context, t *tools, d *design) (film, error) {
	fault := func(format string, args ...any) (film, error) {
		return film{}, permanent{Faults{fmt.Sprintf("%s: %s", d.film, fmt.Sprintf(format, args...))}}
	}
	f := film{path: filepath.Join(d.folder, filepath.FromSlash(d.film))}
	facts, err := t.probe(ctx, f.path, anyFormat)
	if err != nil {
		if !t.blamesFile(ctx, err) {
			return film{}, err
		}
		return fault("this is no video that ffmpeg can read (%s)", oneLine(err))
	}
	switch {
	case facts.hdr:
		return fault("this film is HDR: export it as SDR (BT.709), or its colours will be pale")
	case facts.duration > maxFilm:
		return fault("the film is %v long: at most %v are possible", facts.duration.Round(time.Second), maxFilm)
	}
	if f.rate, err = nearestRate(facts.rate); err != nil {
		return fault("%v", err)
	}
	f.sound = facts.sound != ""
	// Half a frame is left away rather than shown twice.
	f.frames = int(facts.duration.Seconds()*float64(f.rate.num)/float64(f.rate.den) + 0.01)
	var shape string
	if f.width, f.height = d.width, d.height; f.width == 0 {
		k := min(1, float64(maxFilmEdge)/float64(max(facts.width, facts.height)))
		f.width, f.height = int(float64(facts.width)*k+0.5)&^1, int(float64(facts.height)*k+0.5)&^1
		shape = fmt.Sprintf("scale=%d:%d:flags=bicubic", f.width, f.height)
	} else {
		shape = fmt.Sprintf("scale=iw*sar:ih,setsar=1,scale=%[1]d:%[2]d:force_original_aspect_ratio=increase:flags=bicubic,crop=%[1]d:%[2]d", f.width, f.height)
	}
	// What does not say how its colours are coded is taken for what players take it for.
	matrix := "auto"
	if (facts.space == "" || facts.space == "unknown") && max(facts.width, facts.height) >= 1280 {
		matrix = "bt709"
	}
	// A source that ends a moment early shows its last frame a little longer: the number of frames is a promise. It is not
	// given as -frames:v, which would cut the sound too.
	f.filter = fmt.Sprintf("fps=%s:start_time=0,%s,scale=in_color_matrix=%s:out_color_matrix=bt709:out_range=tv,format=yuv420p,setsar=1,tpad=stop_mode=clone:stop=-1,trim=end_frame=%d,settb=%d/%d,setpts=N",
		f.rate, shape, matrix, f.frames, f.rate.den, f.rate.num)
	return f, nil
}
