// Command render measures the renderer beside plain ffmpeg, in one run, and checks what it made.
//
// A vertical film of 30 and of 60 s, at 720p and at 1080p, gets a name for 4.5 s: by ffmpeg alone, which encodes all of
// it again (drawtext, veryfast), by MLT if melt is installed, with the same encoder, and by Retake, which encodes the
// frames of the name and splices them in, without and with a voice. Every round runs all of them one after another;
// ratios are of medians. The seconds of the processor are those of all programs that took part.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-fonts/dejavu/dejavusansbold"

	"retake.example/internal/video"
)

var (
	rounds = flag.Int("rounds", 8, "how many times everything is made; of several, the first warms up; 0: prepare only")
	check  = flag.Bool("check", true, "look at the videos that were made")
	folder = flag.String("folder", "", "keeps the films, so that the next run need not prepare them")
	films  = flag.String("films", "30x720,60x720,30x1080,60x1080", "seconds and width of the films, in pixels")
)

const (
	name    = "Александра"
	rate    = 30
	nameIn  = 300 // frame
	nameOut = 435
	voiceIn = 10500 * time.Millisecond
)

func main() {
	flag.Parse()
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root := *folder
	if root == "" {
		var err error
		if root, err = os.MkdirTemp("", "retake-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(root)
	}
	for film := range strings.SplitSeq(*films, ",") {
		b := bench{root: root, dir: filepath.Join(root, film)}
		if _, err := fmt.Sscanf(film, "%dx%d", &b.seconds, &b.w); err != nil {
			return fmt.Errorf("film %q: %w", film, err)
		}
		b.h = b.w * 16 / 9
		if err := b.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// bench is a folder with the film and the makers.
type bench struct {
	seconds, w, h int
	frames        int
	root, dir     string // of all films, and of this one
	film          string
	font          string
	silent, voice *video.Maker
}

func (b *bench) run(ctx context.Context) error {
	b.frames = b.seconds * rate
	b.film, b.font = filepath.Join(b.dir, "templates", "long", "film.mp4"), filepath.Join(b.dir, "font.ttf")
	if err := b.setUp(ctx); err != nil {
		return err
	}
	if *rounds == 0 {
		return nil
	}
	times, cpu := map[string][]time.Duration{}, map[string][]time.Duration{}
	results := map[string]string{}
	type way struct {
		name string
		make func(out string) error
	}
	ways := []way{
		{"ffmpeg drawtext, veryfast, all frames", func(out string) error { return b.naive("veryfast", out) }},
		{"Retake, music only", func(out string) error { return order(ctx, b.silent, out) }},
		{"Retake, with a new voice", func(out string) error {
			if err := os.RemoveAll(filepath.Join(b.dir, "cache", "voice")); err != nil {
				return err
			}
			return order(ctx, b.voice, out)
		}},
		{"Retake, with a voice that was heard before", func(out string) error { return order(ctx, b.voice, out) }},
		{
			"limit: ffmpeg -c copy",
			func(out string) error { return ffmpeg("-i", b.film, "-c", "copy", "-movflags", "+faststart", out) },
		},
	}
	if _, err := exec.LookPath("melt"); err == nil {
		ways = append(ways, way{"MLT (melt), veryfast, all frames", b.melt})
	}
	for round := range *rounds {
		for _, w := range ways {
			out := filepath.Join(b.dir, "out.mp4")
			began, spent := time.Now(), processor()
			if err := w.make(out); err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			if round > 0 || *rounds == 1 {
				times[w.name] = append(times[w.name], time.Since(began))
				cpu[w.name] = append(cpu[w.name], processor()-spent)
			}
			results[w.name] = filepath.Join(b.dir, fmt.Sprintf("%d.mp4", len(w.name)))
			if err := os.Rename(out, results[w.name]); err != nil {
				return err
			}
		}
	}
	fmt.Printf(
		"%dx%d, %d frames, name in %d of them; %d cores; median of %d\n\n",
		b.w,
		b.h,
		b.frames,
		nameOut-nameIn,
		runtime.NumCPU(),
		max(1, *rounds-1),
	)
	fmt.Printf("| %-44s | %7s | %s\n|---|---:|---:|---:|---:|---:|\n", "", "seconds",
		"against ffmpeg | of the processor | against ffmpeg | MB |")
	naive, hard := median(times[ways[0].name]), median(cpu[ways[0].name])
	for _, w := range ways {
		m := median(times[w.name])
		info, err := os.Stat(results[w.name])
		if err != nil {
			return err
		}
		fmt.Printf(
			"| %-44s | %7.2f | %.2fx | %.2f | %.2fx | %.1f |\n",
			w.name,
			m.Seconds(),
			naive.Seconds()/m.Seconds(),
			median(cpu[w.name]).Seconds(),
			hard.Seconds()/median(cpu[w.name]).Seconds(),
			float64(info.Size())/1e6,
		)
	}
	music, spoken := median(times[ways[1].name]), median(times[ways[2].name])
	fmt.Printf(
		"\nA new voice adds %.2f s, one heard before %.2f s. Retake takes %.1f times as long as the limit.\n\n",
		(spoken - music).Seconds(),
		(median(times[ways[3].name]) - music).Seconds(),
		music.Seconds()/median(times[ways[4].name]).Seconds(),
	)
	if !*check {
		return nil
	}
	return b.report(results[ways[0].name], results[ways[1].name], results[ways[3].name])
}

// processor is how long the processor has worked for this program and all that it has started.
func processor() (spent time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err == nil {
			spent += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return spent
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

// makeFilm makes a film that goes round and round the winter night.
func (b *bench) makeFilm(ctx context.Context) error {
	short, whole := filepath.Join(b.root, "short.mp4"), filepath.Join(b.dir, "whole.mp4")
	if _, err := os.Stat(short); err != nil {
		night, err := b.maker("night", "new-year", "")
		if err == nil {
			err = order(ctx, night, short)
		}
		if err != nil {
			return err
		}
	}
	if err := ffmpeg("-stream_loop", fmt.Sprint(b.seconds/10-1), "-i", short, "-frames:v", fmt.Sprint(b.frames),
		"-t", fmt.Sprint(b.seconds), "-vf", fmt.Sprintf("scale=%d:%d", b.w, b.h), "-c:v", "libx264",
		"-preset", "veryfast", "-crf", "16", "-c:a", "aac", "-b:a", "160k", whole); err != nil {
		return err
	}
	return os.Rename(whole, b.film)
}

// setUp makes the film and prepares the template.
func (b *bench) setUp(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(b.film), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(b.font, dejavusansbold.TTF, 0o600); err != nil {
		return err
	}
	if _, err := os.Stat(b.film); err != nil {
		if err := b.makeFilm(ctx); err != nil {
			return err
		}
	}
	text := fmt.Sprintf(`title = "Bench"
film  = "film.mp4"
[[segment]]
start = %g
end   = %g
box   = [%d, %d, %d, %d]
size  = %d
[voice]
text  = "{{.Name}}, с Новым годом!"
start = "%v"
`, float64(nameIn)/rate, float64(nameOut)/rate, 44*b.w/720, 303*b.w/720, 632*b.w/720, 258*b.w/720, 200*b.w/720, voiceIn)
	if err := os.WriteFile(filepath.Join(filepath.Dir(b.film), "template.toml"), []byte(text), 0o600); err != nil {
		return err
	}
	var err error
	if b.silent, err = b.maker("silent", "long", ""); err != nil {
		return err
	}
	if b.voice, err = b.maker("voiced", "long", video.VoiceCommand); err != nil {
		return err
	}
	if err := b.voice.Voice(); err != nil {
		return err
	}
	return errors.Join(b.silent.Prepare(ctx), b.voice.Prepare(ctx))
}

func (b *bench) maker(folder, template, voice string) (*video.Maker, error) {
	return video.New(
		video.Config{Engine: video.EngineTemplate, Offered: []string{template}, Templates: filepath.Join(b.dir, "templates"),
			Languages: []string{
				"ru",
				"en",
			}, Timeout: time.Minute, Work: filepath.Join(b.dir, folder, "work"), Cache: filepath.Join(b.dir, "cache"),
			Workers: 1, Voice: video.VoiceConfig{Engine: voice}},
	)
}

// order makes a video as the queue does, with its checks and its still.
func order(ctx context.Context, m *video.Maker, out string) error {
	v, err := m.Make(ctx, video.Order{Asset: "bench", Name: name, Lang: "ru"}, nil)
	if err != nil {
		return err
	}
	return errors.Join(os.Rename(v.Path, out), v.Discard())
}

// drawtext is the filter of who does without Retake.
func (b *bench) drawtext() string {
	return fmt.Sprintf(
		"drawtext=fontfile=%s:text=%s:fontsize=%d:fontcolor=0xffd860:"+
			"borderw=3:bordercolor=0x702e14:x=(w-tw)/2:y=%d-th/2:enable='between(n,%d,%d)'",
		b.font,
		name,
		96*b.w/720,
		432*b.w/720,
		nameIn,
		nameOut-1,
	)
}

func (b *bench) naive(preset, out string) error {
	return ffmpeg(
		"-i",
		b.film,
		"-vf",
		b.drawtext(),
		"-c:v",
		"libx264",
		"-preset",
		preset,
		"-crf",
		"20",
		"-c:a",
		"copy",
		"-movflags",
		"+faststart",
		out,
	)
}

// melt has MLT do what naive does: its own title over the frames of the name, as many threads as there are cores.
func (b *bench) melt(out string) error {
	_, err := output("melt", "-silent", b.film, "-attach", "dynamictext", "argument="+name, fmt.Sprintf("in=%d", nameIn),
		fmt.Sprintf("out=%d", nameOut-1), "family=DejaVu Sans", "weight=750", fmt.Sprintf("size=%d", 96*b.w/720),
		"fgcolour=#ffd860", "olcolour=#702e14", "outline=3", "halign=center", "valign=middle",
		fmt.Sprintf("geometry=0/%d:%dx%d", 303*b.w/720, b.w, 258*b.w/720), "-consumer", "avformat:"+out,
		fmt.Sprintf("real_time=-%d", runtime.NumCPU()), "vcodec=libx264", "preset=veryfast", "crf=20", "acodec=aac",
		"ab=160k", "movflags=+faststart")
	return err
}

func ffmpeg(args ...string) error {
	_, err := output("ffmpeg", append([]string{"-nostdin", "-v", "error", "-y"}, args...)...)
	return err
}

func output(program string, args ...string) (string, error) {
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}
