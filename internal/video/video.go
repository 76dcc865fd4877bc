// video.go is the package's face: what the operator chooses, what is ordered, what comes back.

// Package video makes greeting videos: with a built-in template that draws the name itself, or with a program of the
// operator's. Every video it returns has been probed, has sound, and has its index first.
//
// Errors that no further attempt can cure have a method Permanent() bool that returns true; all others are transient.
// A child's name is in no error, file name or command line.
package video

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Engines that make a video.
const (
	EngineTemplate = "template" // built-in
	EngineCommand  = "command"  // a program of the operator's
)

// Config is what the operator chose.
type Config struct {
	Engine   string        // EngineTemplate or EngineCommand
	Template string        // for orders that name none: "new-year"
	Command  []string      // of EngineCommand: program and arguments, no shell
	FFmpeg   string        // path of ffmpeg; "": beside this program, then PATH. ffprobe lies beside it or in PATH
	Timeout  time.Duration // for one video
	Work     string        // folder for the jobs' temporary folders
	Cache    string        // folder for prepared templates
	Workers  int           // videos made at the same time: with more than one, each gets one thread
}

// Order is one video to make.
type Order struct {
	Asset    string // random id, safe in file names
	Name     string // of the child, as it will be seen
	Lang     string // "ru" or "en"
	Template string // "": the configured one
}

// Video is a finished video in its job's temporary folder. The caller moves the files away and then calls Discard.
type Video struct {
	Path          string // MP4, H.264 and AAC from the built-in templates, index first
	Thumb         string // JPEG, at most 320 pixels and 200 kB
	Width, Height int    // pixels, as shown
	Duration      time.Duration
	Size          int64 // bytes

	folder string
}

// Discard removes the job's temporary folder and whatever is still in it.
func (v Video) Discard() error {
	if v.folder == "" {
		return nil
	}
	return os.RemoveAll(v.folder)
}

// Maker makes videos. Its methods may be called concurrently.
type Maker struct {
	cfg   Config
	fonts fonts

	looking sync.Mutex // held while ffmpeg is looked for
	tools   *tools     // nil until ffmpeg has shown that it works

	preparing chan struct{} // holds one token while templates are looked for and prepared
}

// jobPrefix and preparePrefix begin the names of temporary folders, so that sweeping removes nothing else.
const (
	jobPrefix     = "job-"
	preparePrefix = "prepare-"
)

// New checks the configuration, makes the folders and removes what an earlier process left in them: only one process
// may use them at a time. A missing ffmpeg is not an error here, see Ready.
func New(cfg Config) (*Maker, error) {
	switch {
	case cfg.Engine != EngineTemplate && cfg.Engine != EngineCommand:
		return nil, fmt.Errorf("unknown engine %q: want %q or %q", cfg.Engine, EngineTemplate, EngineCommand)
	case cfg.Engine == EngineCommand && (len(cfg.Command) == 0 || cfg.Command[0] == ""):
		return nil, errors.New("engine command: no command is configured")
	case cfg.Engine == EngineTemplate && cfg.Template != sceneName:
		return nil, fmt.Errorf("unknown template %q: want %q", cfg.Template, sceneName)
	case cfg.Timeout <= 0:
		return nil, fmt.Errorf("timeout of a video is %v: want more than 0", cfg.Timeout)
	case cfg.Work == "" || cfg.Cache == "":
		return nil, errors.New("no folder for temporary files or for prepared templates")
	}
	// ffmpeg and the engine get these paths while they work in another folder.
	for _, folder := range []*string{&cfg.Work, &cfg.Cache} {
		abs, err := filepath.Abs(*folder)
		if err != nil {
			return nil, err
		}
		*folder = abs
		if err := os.MkdirAll(abs, 0o700); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(sweep(cfg.Work, jobPrefix), sweep(cfg.Cache, preparePrefix)); err != nil {
		return nil, err
	}
	return &Maker{cfg: cfg, fonts: fonts{cache: cfg.Cache}, preparing: make(chan struct{}, 1)}, nil
}

// sweep removes the temporary folders that a killed process left behind.
func sweep(folder, prefix string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), prefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(folder, e.Name())))
		}
	}
	return err
}

// newFolder makes a temporary folder with a name that nobody can guess and that says nothing.
func newFolder(parent, prefix string) (string, error) {
	path := filepath.Join(parent, prefix+strings.ToLower(rand.Text()))
	return path, os.Mkdir(path, 0o700)
}

// CanDraw returns nil if the name can be shown, ErrCannotDraw if no font covers it.
// What an engine command can draw is its own affair: for it the answer is always nil.
func (m *Maker) CanDraw(name string) error {
	if m.cfg.Engine == EngineCommand {
		return nil
	}
	_, err := m.fonts.pick(name)
	return err
}

// Make makes one video. It calls progress, if there is one, with 0 to 100, never going back; while a template is still
// being prepared that is 0. When ctx ends, so do all programs, and the error is the cause of the context.
// After an error nothing is left of the job.
func (m *Maker) Make(ctx context.Context, o Order, progress func(percent int)) (Video, error) {
	if o.Template == "" {
		o.Template = m.cfg.Template
	}
	if err := m.check(o); err != nil {
		return Video{}, err
	}
	report := forward(progress)
	report(0)
	t, err := m.ready(ctx)
	if err != nil {
		return Video{}, err
	}
	var template prepared
	if m.cfg.Engine == EngineTemplate {
		templates, err := m.prepare(ctx, t)
		if err != nil {
			return Video{}, err
		}
		template = templates[o.Lang]
	}
	ctx, cancel := context.WithTimeoutCause(ctx, m.cfg.Timeout, fmt.Errorf("took longer than %v", m.cfg.Timeout))
	defer cancel()
	folder, err := newFolder(m.cfg.Work, jobPrefix)
	if err != nil {
		return Video{}, err
	}
	v, err := m.makeIn(ctx, t, template, folder, o, report)
	if err != nil {
		return Video{}, errors.Join(err, os.RemoveAll(folder))
	}
	report(100)
	return v, nil
}

// check refuses orders that no attempt can fulfil.
func (m *Maker) check(o Order) error {
	if m.cfg.Engine == EngineCommand {
		return nil
	}
	if _, ok := sceneWishes[o.Lang]; !ok {
		return permanent{fmt.Errorf("template %s has no language %q", sceneName, o.Lang)}
	}
	if o.Template != sceneName {
		return permanent{fmt.Errorf("unknown template %q", o.Template)}
	}
	return m.CanDraw(o.Name)
}

func (m *Maker) makeIn(ctx context.Context, t *tools, template prepared, folder string, o Order, report func(int)) (Video, error) {
	var path string
	var err error
	still := time.Duration(-1)
	if m.cfg.Engine == EngineCommand {
		path, err = m.command(ctx, folder, o)
	} else {
		path, err = m.drawName(ctx, t, template.path, folder, o.Name, report)
		still = stillAt
	}
	if err != nil {
		return Video{}, err
	}
	return t.finish(ctx, folder, path, still)
}

// forward makes a progress function that passes on only what is new.
func forward(progress func(int)) func(int) {
	last := -1
	return func(percent int) {
		if percent = min(percent, 100); progress != nil && percent > last {
			last = percent
			progress(percent)
		}
	}
}

// languages are those of the built-in template, in a fixed order.
func languages() []string {
	var out []string
	for lang := range sceneWishes {
		out = append(out, lang)
	}
	slices.Sort(out)
	return out
}
