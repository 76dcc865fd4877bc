// ffmpeg.go finds ffmpeg, makes sure that it can do what is needed, and runs it.

package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// install is what an operator does about a missing ffmpeg.
const install = "install it with `apt-get install -y ffmpeg`"

// tools are an ffmpeg and an ffprobe that work.
type tools struct {
	ffmpeg, ffprobe string
	version         string   // of ffmpeg, part of the key of what it encoded
	tried           []string // the files of both
	stamp           string   // of these files when they were tried
	sample          []byte   // a video that both could read then
	threads         int
}

// x264 settings that end up in the stream's headers. Template and segment share them: a splice needs equal headers,
// also where one input knows the shape of its pixels and the other does not.
// The rest keeps frames within their group (no open GOP) and key frames where they are asked for.
const x264 = "ref=1:bframes=2:b-adapt=1:b-pyramid=none:weightp=1:8x8dct=1:cabac=1:open-gop=0:scenecut=0:" +
	"keyint=90:min-keyint=1:stitchable=1:sps-id=0:sar=1/1"

// Ready returns nil if videos can be made, or an error that says what to do. It tries a tiny encode, and looks at the
// films of the offered templates, the first time and remembers success; after a failure it looks again.
func (m *Maker) Ready(ctx context.Context) error {
	t, err := m.ready(ctx)
	if err == nil && m.cfg.Engine == EngineFarm {
		return m.cfg.Farm.Ready()
	}
	if err != nil || m.cfg.Engine != EngineTemplate {
		return err
	}
	for _, id := range m.offered() {
		k, err := m.template(id)
		if err != nil {
			return err
		}
		if err := m.look(ctx, t, k); err != nil {
			return fmt.Errorf("template %s: %w", id, err)
		}
	}
	return nil
}

// ready returns tools that have shown that they work. Those that were replaced since, as by an upgrade, are tried
// again: what they encode has to match what they encoded before.
func (m *Maker) ready(ctx context.Context) (*tools, error) {
	m.looking.Lock()
	defer m.looking.Unlock()
	if m.tools != nil && m.tools.stamp == m.tools.look() {
		return m.tools, nil
	}
	t, err := findTools(m.cfg.FFmpeg)
	if err != nil {
		return nil, coded{err, CodeMachine}
	}
	switch {
	case m.cfg.Workers > 1:
		t.threads = 1
	case m.cfg.cores() > maxThreads:
		t.threads = maxThreads
	case m.cfg.Cores > 0:
		t.threads = m.cfg.Cores
	}
	if err := t.try(ctx, m.cfg.Work); ctx.Err() != nil {
		return nil, context.Cause(ctx) // a stop says nothing about ffmpeg
	} else if err != nil {
		return nil, coded{err, CodeMachine}
	}
	m.tools = t
	return t, nil
}

// look returns what tells the files of both programs from any that replace them.
func (t *tools) look() string {
	var stamp strings.Builder
	for _, path := range t.tried {
		info, err := os.Stat(path)
		if err != nil {
			fmt.Fprintln(&stamp, err)
			continue
		}
		fmt.Fprintln(&stamp, info.Size(), info.ModTime().UnixNano())
	}
	return stamp.String()
}

// findTools looks for the two programs: at the configured path, else beside our own, else in PATH.
func findTools(configured string) (*tools, error) {
	if configured == "" {
		configured = "ffmpeg"
		if own, err := os.Executable(); err == nil {
			if beside, err := exec.LookPath(filepath.Join(filepath.Dir(own), "ffmpeg")); err == nil {
				configured = beside
			}
		}
	}
	ffmpeg, err := exec.LookPath(configured)
	if err != nil {
		return nil, fmt.Errorf("ffmpeg was not found (%s): %s", configured, install)
	}
	ffprobe, err := exec.LookPath(filepath.Join(filepath.Dir(ffmpeg), "ffprobe"))
	if err != nil {
		if ffprobe, err = exec.LookPath("ffprobe"); err != nil {
			return nil, fmt.Errorf("ffprobe was not found beside %s: %s", ffmpeg, install)
		}
	}
	return &tools{ffmpeg: ffmpeg, ffprobe: ffprobe}, nil
}

// tryTimeout is how long the trial may take: a tenth of a second where nothing else runs.
const tryTimeout = 2 * time.Minute

// try encodes and reads back two frames with sound.
func (t *tools) try(ctx context.Context, work string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, tryTimeout, fmt.Errorf("took longer than %v", tryTimeout))
	defer cancel()
	t.tried = []string{t.ffmpeg, t.ffprobe}
	t.stamp = t.look()
	version, err := output(ctx, t.ffmpeg, "-version")
	if err != nil {
		return trialFailed(t.ffmpeg+" does not run", err)
	}
	// "ffmpeg version 5.1.9-0+deb12u1 Copyright …"
	words := strings.Fields(string(version))
	if len(words) < 3 || words[1] != "version" {
		return fmt.Errorf("%s is not ffmpeg: %s", t.ffmpeg, install)
	}
	t.version = words[2]
	folder, err := newFolder(work, jobPrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "try.mp4")
	args := append([]string{"-f", "lavfi", "-i", "color=s=64x64:r=30", "-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo",
		"-frames:v", "2", "-t", "0.1"}, encodeVideo(64, 64, rate{30, 1})...)
	args = append(append(args, encodeSound...), "-movflags", "+faststart", "-f", "mp4", path)
	if err := t.run(ctx, args, nil); err != nil {
		return trialFailed(t.ffmpeg+" cannot encode H.264 and AAC", err)
	}
	if t.sample, err = os.ReadFile(path); err != nil {
		return err
	}
	if err := t.readSample(ctx); err != nil {
		return trialFailed(t.ffprobe+" cannot read a video", err)
	}
	return nil
}

// trialFailed says what to do about ffmpeg: install it, unless the machine was too busy for it.
func trialFailed(what string, err error) error {
	var ended *exitError
	killed := errors.As(err, &ended) && ended.code < 0
	busy := errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EMFILE)
	if killed || busy {
		return fmt.Errorf("%s (%s): this machine is too busy or short of memory", what, oneLine(err))
	}
	return fmt.Errorf("%s (%s): %s", what, oneLine(err), install)
}

// readSample reads the good video of the trial, from its stdin: the disk has no part in it.
func (t *tools) readSample(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, tryTimeout, fmt.Errorf("took longer than %v", tryTimeout))
	defer cancel()
	for _, argv := range [][]string{
		{t.ffprobe, "-v", "error", "-show_entries", "stream=codec_name", "-i", "pipe:0"},
		t.command([]string{"-xerror", "-i", "pipe:0", "-f", "null", "-"}),
	} {
		p, err := start(ctx, child{argv: argv, feed: true, tool: true})
		if err != nil {
			return err
		}
		_, _ = p.stdin.Write(t.sample) // if it wants no more, how it ends says why
		if err := endInput([]*process{p}); err != nil {
			return err
		}
	}
	return nil
}

// machineWords are what the C library calls conditions of the machine, in the words of ffmpeg run with LC_ALL=C.
var machineWords = regexp.MustCompile("Cannot allocate memory|No space left on device|Input/output error|" +
	"Too many open files|Resource temporarily unavailable|Disk quota exceeded|Permission denied|" +
	"No such file or directory|Read-only file system|Stale file handle|error while loading shared libraries")

// blamesFile reports whether a failure is the fault of the file that was looked at: it is one of our own verdicts
// about the file, or ffmpeg or ffprobe has read it, complained and exited. A program that could not be started, was
// killed, ran out of time or memory, or fails with a good file too, says nothing about a file.
func (t *tools) blamesFile(ctx context.Context, err error) bool {
	if ctx.Err() != nil || err == nil {
		return false
	}
	if _, ok := errors.AsType[unfit](err); ok {
		return true
	}
	var ended *exitError
	switch {
	case !errors.As(err, &ended) || ended.cause != nil:
		return false
	case ended.signal == syscall.SIGXCPU || ended.signal == syscall.SIGXFSZ:
		return true // its own demands, however busy the machine is
	case ended.code <= 0 || ended.code == 126 || ended.code == 127 || machineWords.MatchString(ended.stderr):
		return false
	}
	return t.readSample(ctx) == nil
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// encodeVideo are the options for pictures that are encoded to be kept.
func encodeVideo(w, h int, r rate) []string { return encodeWith("veryfast", 20, "", w, h, r) }

// encodeTakeVideo are the options for the frames of a take: twice as quick as those of the film it is spliced into, as
// like the original, and larger by two fifths, which matters little for a few seconds. None of it shows in the headers.
func encodeTakeVideo(w, h int, r rate) []string {
	return encodeWith("superfast", 21, ":b-adapt=0:mbtree=0:rc-lookahead=0:partitions=none:subme=0", w, h, r)
}

func encodeWith(preset string, crf int, more string, w, h int, r rate) []string {
	level := levelOf(w, h, r)
	return []string{"-c:v", "libx264", "-preset", preset, "-crf", strconv.Itoa(crf), "-profile:v", "high", "-level", level,
		"-x264-params", x264 + more, "-pix_fmt", "yuv420p", "-colorspace", "bt709", "-color_primaries", "bt709",
		"-color_trc", "bt709", "-color_range", "tv", "-video_track_timescale", strconv.Itoa(r.timescale())}
}

// encodeSound are the options for sound that is encoded.
var encodeSound = []string{"-c:a", "aac", "-b:a", "160k", "-ar", "48000", "-ac", "2"}

// command makes an ffmpeg command line; the arguments are all but the general ones.
func (t *tools) command(args []string) []string {
	argv := []string{t.ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y"}
	if t.threads > 0 {
		n := strconv.Itoa(t.threads)
		argv = append(argv, "-filter_threads", n, "-filter_complex_threads", n)
	}
	return append(argv, args...)
}

// oneThread are the options that limit the threads of a decoder or an encoder, if they are limited.
func (t *tools) oneThread() []string {
	if t.threads == 0 {
		return nil
	}
	return []string{"-threads", strconv.Itoa(t.threads)}
}

// run runs ffmpeg to its end. With a report it is told of every frame that is done.
func (t *tools) run(ctx context.Context, args []string, report func(frame int)) error {
	p, err := t.start(ctx, args, report, false)
	if err != nil {
		return err
	}
	return p.wait()
}

// start starts ffmpeg; with feed, its input comes from process.stdin. With a report it is told of every frame that is
// done, or that was written to stdin.
func (t *tools) start(ctx context.Context, args []string, report func(frame int), feed bool) (*process, error) {
	c := child{argv: t.command(args), feed: feed, tool: true}
	if report != nil && !feed {
		c.argv = append(c.argv[:1:1], append([]string{"-progress", "pipe:1"}, c.argv[1:]...)...)
		c.stdout = &frameCounter{report: report}
	}
	p, err := start(ctx, c)
	if err == nil && report != nil && feed {
		p.stdin = &fed{WriteCloser: p.stdin, report: report}
	}
	return p, err
}

// fed is the input of an ffmpeg that reads frames, of which each Write is one. What was read is as good as done, for it
// reads no further than it encodes; its own words come only twice a second, in which most of a video is made.
type fed struct {
	io.WriteCloser
	frames int
	report func(frame int)
}

func (f *fed) Write(p []byte) (int, error) {
	n, err := f.WriteCloser.Write(p)
	if err == nil {
		f.frames++
		f.report(f.frames)
	}
	return n, err
}

// output runs ffmpeg or ffprobe and returns what it prints, up to 1 MiB.
func output(ctx context.Context, argv ...string) ([]byte, error) {
	out := &limited{left: 1 << 20}
	err := run(ctx, child{argv: argv, stdout: out, tool: true})
	return out.Bytes(), err
}

// limited is a buffer that takes only so many bytes and throws the rest away. The buffer is not embedded: its
// ReadFrom, which io.Copy prefers, knows no limit.
type limited struct {
	kept bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	keep := p[:min(len(p), l.left)]
	l.left -= len(keep)
	l.kept.Write(keep)
	return len(p), nil
}

// Bytes returns what was kept.
func (l *limited) Bytes() []byte { return l.kept.Bytes() }

// frameCounter reads ffmpeg's -progress lines and reports the number of frames done.
type frameCounter struct {
	report func(frame int)
	rest   []byte // the beginning of a line whose end has not arrived
}

func (f *frameCounter) Write(p []byte) (int, error) {
	f.rest = append(f.rest, p...)
	for {
		line, rest, found := bytes.Cut(f.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		f.rest = rest
		if value, ok := bytes.CutPrefix(line, []byte("frame=")); ok {
			if n, err := strconv.Atoi(string(bytes.TrimSpace(value))); err == nil {
				f.report(n)
			}
		}
	}
}
