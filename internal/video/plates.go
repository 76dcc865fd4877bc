// plates.go has the frames on which names are drawn as a decoder gives them out, and draws on them.

package video

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// mostPlates is how many bytes of decoded frames the cache keeps: those of half a minute at 720p. To decode them for
// every video, and to have ffmpeg lay the name on them, costs as much as to encode them.
const mostPlates = 2 << 30

// drawnFrames is how many frames of a prepared film show the name.
func (p prepared) drawnFrames() (n int) {
	for _, k := range p.takes {
		n += k.last - k.first
	}
	return n
}

// keepPlates decodes the frames of the takes into a file of the cache, unless they are there or there is no room:
// then each video decodes them.
func (m *Maker) keepPlates(ctx context.Context, t *tools, p prepared) (err error) {
	size := int64(p.drawnFrames()) * int64(yuvSize(p.width, p.height))
	if info, err := os.Stat(p.plates); err == nil && info.Size() == size {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(m.cfg.Cache, "*.yuv"))
	if err != nil {
		return err
	}
	all := size
	for _, path := range files {
		if info, err := os.Stat(path); err == nil && path != p.plates {
			all += info.Size()
		}
	}
	if all > mostPlates || m.Room(size) != nil {
		return nil
	}
	folder, err := newFolder(m.cfg.Cache, preparePrefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, filepath.Base(p.plates))
	if err := t.run(ctx, t.decodeTakes(p, "file:"+path), nil); err != nil {
		return fmt.Errorf("decode the frames of the name: %w", err)
	}
	return keep(path, p.plates)
}

// decodeTakes are the options to write the frames of all takes, one after another, as yuv420p.
func (t *tools) decodeTakes(p prepared, out string) (args []string) {
	var films, joined strings.Builder
	for i, k := range p.takes {
		args = append(append(args, t.oneThread()...), "-ss", p.rate.seconds(k.first), "-i", "file:"+p.path)
		fmt.Fprintf(&films, "[%d:v]%s,trim=end_frame=%d[take%[1]d];", i, countFrames(p.rate, 0), k.last-k.first)
		fmt.Fprintf(&joined, "[take%d]", i)
	}
	return append(args, "-filter_complex", fmt.Sprintf("%s%sconcat=n=%d,%s[v]", &films, &joined, len(p.takes),
		countFrames(p.rate, 0)), "-map", "[v]", "-frames:v", fmt.Sprint(p.drawnFrames()), "-pix_fmt", "yuv420p",
		"-f", "rawvideo", out)
}

// plates are the decoded frames of all takes, from a file or as they are decoded.
type plates struct {
	file    *os.File
	decoder *process // nil: they come from a file
	stop    context.CancelFunc
}

// openPlates opens the frames of a prepared film. The caller closes them.
func (t *tools) openPlates(ctx context.Context, p prepared) (*plates, error) {
	f, err := os.Open(p.plates)
	if err == nil {
		return &plates{file: f}, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	ctx, stop := context.WithCancel(ctx)
	decoder, err := start(ctx, child{argv: t.command(t.decodeTakes(p, "pipe:1")), stdout: w, tool: true})
	if err != nil {
		stop()
		return nil, errors.Join(err, r.Close())
	}
	return &plates{r, decoder, stop}, nil
}

// next reads the next frame. A decoder that died is the reason if there is none.
func (s *plates) next(frame []byte) error {
	_, err := io.ReadFull(s.file, frame)
	if err == nil {
		return nil
	}
	if s.decoder != nil {
		err = errors.Join(s.decoder.wait(), err)
		s.decoder = nil
	}
	return fmt.Errorf("frames of the film: %w", err)
}

func (s *plates) close() {
	s.file.Close()
	if s.stop != nil {
		s.stop()
	}
	if s.decoder != nil {
		_ = s.decoder.wait() // it was stopped, or had given all frames
	}
}

// plate is a frame of a film in memory, as yuv420p.
type plate struct {
	pix  []byte
	w, h int
}

// lay draws a w×h sheet in yuva420p, with its corner at (x, y), all even. What of it is beyond the plate is left out.
//
//go:norace
func (p plate) lay(sheet []byte, w, h, x, y int) {
	n, all := w*h, p.w*p.h
	us, vs, as := sheet[n:n+n/4], sheet[n+n/4:n*3/2], sheet[n*3/2:n*5/2]
	wide, high := min(w, p.w-x), min(h, p.h-y)
	for row := 0; row < high; row += 2 {
		a, b := as[row*w:row*w+wide], as[(row+1)*w:(row+1)*w+wide]
		s, t := sheet[row*w:row*w+wide], sheet[(row+1)*w:(row+1)*w+wide]
		at := (y+row)*p.w + x
		upper, lower := p.pix[at:at+wide], p.pix[at+p.w:at+p.w+wide]
		half := row / 2 * (w / 2)
		su, sv := us[half:half+wide/2], vs[half:half+wide/2]
		at = (y+row)/2*(p.w/2) + x/2
		u, v := p.pix[all+at:all+at+wide/2], p.pix[all*5/4+at:all*5/4+at+wide/2]
		for i := 0; i+1 < wide; i += 2 {
			if i+8 <= wide && binary.NativeEndian.Uint64(a[i:])|binary.NativeEndian.Uint64(b[i:]) == 0 {
				i += 6
				continue
			}
			sum := uint32(a[i]) + uint32(a[i+1]) + uint32(b[i]) + uint32(b[i+1])
			if sum == 0 {
				continue
			}
			upper[i], upper[i+1] = mixed(upper[i], s[i], uint32(a[i])), mixed(upper[i+1], s[i+1], uint32(a[i+1]))
			lower[i], lower[i+1] = mixed(lower[i], t[i], uint32(b[i])), mixed(lower[i+1], t[i+1], uint32(b[i+1]))
			u[i/2], v[i/2] = mixed(u[i/2], su[i/2], (sum+2)/4), mixed(v[i/2], sv[i/2], (sum+2)/4)
		}
	}
}

// mixed is a value with another one over it, of 255 parts alpha.
func mixed(under, over byte, alpha uint32) byte {
	v := uint32(under)*(255-alpha) + uint32(over)*alpha + 128
	return byte((v + v>>8) >> 8)
}
