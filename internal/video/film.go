// film.go looks at the film of a template: its size, its pace, and how it becomes the video that names are drawn on.

package video

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
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

// rates are those that a film may end up with.
var rates = []rate{{24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {48, 1}, {50, 1}, {60000, 1001}, {60, 1}}

// nearestRate reads a rate such as "25/1" or "2997/100" and returns the one that a film of it ends up with: the same,
// or a multiple or a part of it, in which every picture lasts equally long. For others, as of telephones whose rate
// wavers, it is the nearest one; for those far below all, 30.
func nearestRate(s string) (rate, error) {
	fps, ok := framesASecond(s)
	if !ok {
		return rate{}, fmt.Errorf("it has no frame rate (%q)", s)
	}
	const close = 0.005 // as a logarithm: 24 and 23.976 lie 0.001 apart
	for k := 1.0; k <= 8; k++ {
		for _, times := range []float64{k, 1 / k} {
			if best, off := rateNear(fps * times); off < close {
				return best, nil
			}
		}
	}
	if fps < 20 {
		return rate{30, 1}, nil
	}
	best, _ := rateNear(fps)
	return best, nil
}

// framesASecond reads a rate such as "30000/1001".
func framesASecond(s string) (fps float64, ok bool) {
	num, den, _ := strings.Cut(s, "/")
	n, err1 := strconv.ParseFloat(num, 64)
	d, err2 := strconv.ParseFloat(den, 64)
	return n / d, err1 == nil && err2 == nil && n > 0 && d > 0
}

// skips reports whether a film of so many frames a second on average has its pictures at a steady pace of which it
// leaves some out, as recorders of screens do while nothing moves. pace is what every picture's time is a multiple of.
func skips(average, pace string) bool {
	of, ok1 := framesASecond(average)
	p, ok2 := framesASecond(pace)
	if !ok1 || !ok2 {
		return false
	}
	_, off := rateNear(p)
	times := p / of
	return off < 1e-4 && math.Abs(times-math.Round(times)) > 0.01*times
}

// rateNear returns the rate that is nearest to so many frames a second, and how far off it is.
func rateNear(fps float64) (best rate, off float64) {
	off = math.Inf(1)
	for _, r := range rates {
		if o := math.Abs(math.Log(fps * float64(r.den) / float64(r.num))); o < off {
			best, off = r, o
		}
	}
	return best, off
}

// Limits of a film that becomes a template.
const (
	maxFilmEdge = 1920
	maxFilm     = 10 * time.Minute
)

// film is what a film becomes: as a template's, or as the work of an engine that telephones do not play.
type film struct {
	path          string // of the source
	source        facts
	width, height int // pixels of the video, even
	rate          rate
	frames        int
	pad           string // the pictures of the source in a filter graph, if it is the first input
	filter        string // what ffmpeg does to them
}

func (f film) length() time.Duration { return f.rate.at(f.frames) }

// probeFilm looks at a template's film; with proven it has been decoded before. The error is Faults if the author can
// fix it.
func (m *Maker) probeFilm(ctx context.Context, t *tools, d *design, proven func(film) bool) (film, error) {
	path := filepath.Join(d.folder, filepath.FromSlash(d.film))
	seen, err := m.seenFilm(d, path)
	if err != nil {
		return film{}, err
	}
	if f, ok := m.knownFilm(seen); ok {
		f.path = path
		return f, nil
	}
	f, err := t.probeSource(ctx, path, d.width, d.height)
	if err == nil && !proven(f) {
		err = t.decode(ctx, anyFormat, path, f.source)
	}
	if err == nil {
		err = t.canToneMap(ctx, f.source)
	}
	if t.blamesFile(ctx, err) {
		if _, ok := errors.AsType[unfit](err); !ok {
			err = fmt.Errorf("ffmpeg cannot read this as a video (%s)", oneLine(err))
		}
		return film{}, permanent{coded{Faults{fmt.Sprintf("%s: %v", d.film, err)}, CodeTemplate}}
	}
	if err == nil {
		m.keepFilm(seen, f)
	}
	return f, err
}

// mostFilms is how many films are remembered as good.
const mostFilms = 100

// seenFilm names the file of a film, and what it shall become: a template that is being worked on has the film of the
// one there is, which was decoded to its end when somebody first looked at it.
func (m *Maker) seenFilm(d *design, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	of, _ := info.Sys().(*syscall.Stat_t)
	if of == nil {
		return "", fmt.Errorf("%s: this machine does not tell files apart", d.film)
	}
	return fmt.Sprint(of.Dev, of.Ino, info.Size(), info.ModTime().UnixNano(), d.width, d.height), nil
}

func (m *Maker) knownFilm(seen string) (film, bool) {
	m.loading.Lock()
	defer m.loading.Unlock()
	f, ok := m.films[seen]
	return f, ok
}

func (m *Maker) keepFilm(seen string, f film) {
	m.loading.Lock()
	defer m.loading.Unlock()
	if len(m.films) >= mostFilms {
		clear(m.films)
	}
	m.films[seen] = f
}

func (t *tools) probeSource(ctx context.Context, path string, width, height int) (film, error) {
	source, err := t.probe(ctx, path, anyFormat)
	switch {
	case errors.Is(err, errNoVideo):
		return film{}, unfit{errors.New("it is not a video: it has no pictures or no duration")}
	case err != nil:
		return film{}, err
	case source.duration > maxFilm:
		return film{}, unfit{fmt.Errorf("the film is %v long: at most %v are possible",
			source.duration.Round(time.Second), maxFilm)}
	case source.unread != "":
		return film{}, unfit{errors.New("its sound is in a format that ffmpeg cannot decode: export the film with AAC")}
	}
	f, err := becomes(source, width, height)
	f.path = path
	return f, err
}

// becomes says what a film becomes: of the given size in pixels, or with 0 of its own, up to maxFilmEdge.
func becomes(source facts, width, height int) (f film, err error) {
	f = film{source: source, width: width, height: height, pad: fmt.Sprintf("[0:%d]", source.video)}
	if f.rate, err = nearestRate(source.rate); err != nil {
		return film{}, unfit{err}
	}
	// Half a frame is left away rather than shown twice.
	f.frames = max(1, int(source.duration.Seconds()*float64(f.rate.num)/float64(f.rate.den)+0.01))
	var shape string
	if f.width == 0 {
		k := min(1, float64(maxFilmEdge)/float64(max(source.width, source.height)))
		f.width, f.height = int(float64(source.width)*k+0.5)&^1, int(float64(source.height)*k+0.5)&^1
		shape = fmt.Sprintf("scale=%d:%d:flags=bicubic", f.width, f.height)
	} else {
		shape = fmt.Sprintf("scale=iw*sar:ih,setsar=1,scale=%[1]d:%[2]d:"+
			"force_original_aspect_ratio=increase:flags=bicubic,crop=%[1]d:%[2]d", f.width, f.height)
	}
	// What does not say how its colours are coded is taken for what players take it for.
	matrix := "auto"
	if source.hdr || (source.space == "" || source.space == "unknown") && max(source.width, source.height) >= 1280 {
		matrix = "bt709"
	}
	// The pictures are shaped before their colours are changed: that takes far less memory.
	first := facts{interlaced: source.interlaced}.ordinary()
	last := facts{alpha: source.alpha, hdr: source.hdr, transfer: source.transfer}.ordinary()
	// A source that ends a moment early shows its last frame a little longer: the number of frames is a promise. It is
	// not given as -frames:v, which would cut the sound too. Times are counted from the first picture.
	f.filter = strings.Join(slices.Concat([]string{"setpts=PTS-STARTPTS"}, first,
		[]string{fmt.Sprintf("fps=%s:start_time=0", f.rate), shape}, last,
		[]string{fmt.Sprintf("scale=in_color_matrix=%s:out_color_matrix=bt709:out_range=tv,format=yuv420p,setsar=1,"+
			"tpad=stop_mode=clone:stop=-1,trim=end_frame=%d,settb=%d/%d,setpts=N",
			matrix, f.frames, f.rate.den, f.rate.num)}), ",")
	return f, nil
}
