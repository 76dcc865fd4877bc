// video.go is the package's face: what the operator chooses, what is ordered, what comes back.

// Package video makes greeting videos: with a template on which it draws and speaks the name, with a program of the
// operator's, with a generator behind HTTP, or on a farm of other machines. Every video it returns has been probed, has
// sound, and has its index first.
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
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Engines that make a video.
const (
	EngineTemplate = "template" // a film on which the name is drawn
	EngineCommand  = "command"  // a program of the operator's
	EngineHTTP     = "http"     // a generator that is asked over HTTP
	EngineFarm     = "farm"     // other machines that run this program: see Farm
)

// Config is what the operator chose.
type Config struct {
	Engine       string        // EngineTemplate, EngineCommand, EngineHTTP or EngineFarm
	Offered      []string      // templates, at least one; the first is for orders that name none
	Templates    string        // folder with the operator's own templates; "": there are none
	Languages    []string      // of the orders; every text of a template is there in each
	Command      []string      // of EngineCommand: program and arguments, no shell
	URL          string        // of EngineHTTP
	AllowPrivate bool          // EngineHTTP may be sent on to addresses of a private network
	MaxBytes     int64         // of a video; 0: no limit
	FFmpeg       string        // path of ffmpeg; "": beside this program, then PATH. ffprobe lies beside it or in PATH
	Timeout      time.Duration // for one video
	Work         string        // folder for the jobs' temporary folders
	Cache        string        // folder for prepared templates and spoken clips
	Workers      int           // videos made at the same time
	Cores        int           // for ffmpeg, shared by all of them: as many work on a video here at a time; 0: all
	Patience     time.Duration // how long videos wait, at no attempt's cost, while the disk is full
	Voice        VoiceConfig
	Fonts        string // folder with the fonts to draw with; "": those of this machine
	Farm         Farm   // of EngineFarm
	Forms        string // folder with the operator's spoken-ru.txt and so on: how names are said; "": there are none
}

// Order is one video to make.
type Order struct {
	Asset    string // random id, safe in file names
	Name     string // of the child, as it will be seen
	Lang     string // "ru" or "en"
	Template string // "": the first that is offered
	Attempt  int    // the number of this try
}

// Video is a finished video in its job's temporary folder. The caller moves the files away and then calls Discard.
type Video struct {
	Path          string        // MP4, H.264 and AAC from templates, index first
	Thumb         string        // JPEG, at most 320 pixels and 200 kB
	Width, Height int           // pixels, as shown
	Duration      time.Duration // of the pictures
	Size          int64         // bytes
	Codec         string        // of the pictures, as ffmpeg calls it: "h264", "hevc"
	Note          string        // NoteOtherVoice or NoteMusicOnly if the name is not spoken by the voice that is set

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
	cfg    Config
	fonts  fonts
	remote *remote                            // of EngineHTTP
	free   func(folder string) (int64, error) // bytes that are free on its disk

	watching sync.Mutex           // guards full
	full     map[string]time.Time // since when an order, by its asset, has found no room

	taking sync.Mutex   // held while room is looked for and taken
	taken  atomic.Int64 // bytes that running jobs will still write

	working    chan struct{} // holds one for each video that ffmpeg works on here, up to Cores
	inspecting chan struct{} // holds one for each Inspect under way

	looking sync.Mutex // held while ffmpeg is looked for
	tools   *tools     // nil until ffmpeg has shown that it works

	loading   sync.Mutex // guards templates, offers and films
	templates map[string]*template
	offers    []string        // what is offered, the first for orders that name none
	films     map[string]film // that were found to be good, by their file and size
}

// jobPrefix and preparePrefix begin the names of temporary folders, so that sweeping removes nothing else.
const (
	jobPrefix     = "job-"
	preparePrefix = "prepare-"
)

// New checks the configuration and the offered templates, makes the folders and removes what an earlier process left
// in them: only one process may use them at a time. A missing ffmpeg is not an error here, see Ready. The error of a
// template with faults is Faults.
func New(cfg Config) (*Maker, error) {
	switch {
	case !slices.Contains([]string{EngineTemplate, EngineCommand, EngineHTTP, EngineFarm}, cfg.Engine):
		return nil, fmt.Errorf("unknown engine %q: want %q, %q, %q or %q", cfg.Engine, EngineTemplate, EngineCommand,
			EngineHTTP, EngineFarm)
	case cfg.Engine == EngineFarm && cfg.Farm == nil:
		return nil, errors.New("engine farm: there is no farm")
	case cfg.Engine == EngineCommand && (len(cfg.Command) == 0 || cfg.Command[0] == ""):
		return nil, errors.New("engine command: no command is configured")
	case len(cfg.Offered) == 0 || cfg.Offered[0] == "":
		return nil, errors.New("no template is offered")
	case cfg.Timeout <= 0:
		return nil, fmt.Errorf("timeout of a video is %v: want more than 0", cfg.Timeout)
	case cfg.Work == "" || cfg.Cache == "":
		return nil, errors.New("no folder for temporary files or for prepared templates")
	}
	if err := cfg.Voice.check(); err != nil {
		return nil, err
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
	killLeftBehind(filepath.Join(cfg.Work, jobPrefix))
	killLeftBehind(filepath.Join(cfg.Cache, preparePrefix))
	if err := errors.Join(sweep(cfg.Work, jobPrefix), sweep(cfg.Cache, preparePrefix),
		dropClips(filepath.Join(cfg.Cache, "voice"), maxClips, time.Now().Add(-clipLife))); err != nil {
		return nil, err
	}
	m := &Maker{cfg: cfg, fonts: fonts{folder: cfg.Fonts}, free: freeBytes, working: make(chan struct{}, cfg.cores()),
		inspecting: make(chan struct{}, maxInspections), full: map[string]time.Time{}, templates: map[string]*template{},
		offers: cfg.Offered, films: map[string]film{}}
	switch cfg.Engine {
	case EngineTemplate, EngineFarm:
		for _, id := range cfg.Offered {
			if _, err := m.template(id); err != nil {
				return nil, err
			}
		}
	case EngineHTTP:
		var err error
		if m.remote, err = newRemote(cfg.URL, cfg.AllowPrivate, cfg.MaxBytes); err != nil {
			return nil, err
		}
	}
	return m, nil
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

// Offer changes what is offered: at least one template, the first for orders that name none.
func (m *Maker) Offer(ids []string) {
	m.loading.Lock()
	defer m.loading.Unlock()
	m.offers = slices.Clone(ids)
}

func (m *Maker) offered() []string {
	m.loading.Lock()
	defer m.loading.Unlock()
	return m.offers
}

// draws reports whether videos are made from templates, here or on a farm.
func (m *Maker) draws() bool { return m.cfg.Engine == EngineTemplate || m.cfg.Engine == EngineFarm }

// Title returns what a template is called in a language: its id if it has no other name.
func (m *Maker) Title(id, lang string) string {
	if m.draws() {
		if t, err := m.template(id); err == nil {
			return t.titles.in(lang)
		}
	}
	return id
}

// CanDraw returns nil if a template can show the name, ErrCannotDraw if no font covers it.
// What other engines can draw is their own affair: for them the answer is always nil.
func (m *Maker) CanDraw(id, name string) error {
	if !m.draws() {
		return nil
	}
	t, err := m.template(id)
	if err != nil {
		return err
	}
	return m.canDraw(t, name)
}

func (m *Maker) canDraw(t *template, name string) error {
	for _, c := range t.segments {
		for _, lang := range m.cfg.Languages { // one font has to cover the words around the name too
			if _, err := m.fonts.pickFor(t.files, c.font, c.text.say(lang, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Make makes one video. It calls progress, if there is one, with 0 to 100, never going back; while a template is still
// being prepared that is 0. When ctx ends, so do all programs, and the error is the cause of the context. After an
// error nothing is left of the job.
func (m *Maker) Make(ctx context.Context, o Order, progress func(percent int)) (Video, error) {
	if o.Template == "" {
		o.Template = m.offered()[0]
	}
	var chosen *template
	if m.draws() {
		var err error
		if chosen, err = m.template(o.Template); err != nil {
			return Video{}, err
		}
		if !slices.Contains(m.cfg.Languages, o.Lang) {
			return Video{}, permanent{fmt.Errorf("templates have no language %q", o.Lang)}
		}
		if err := m.CanDraw(o.Template, o.Name); err != nil {
			return Video{}, err
		}
	}
	report := forward(progress)
	report(0)
	if m.cfg.Engine == EngineFarm {
		return m.receive(ctx, o, report)
	}
	return m.make(ctx, chosen, o, report)
}

// make makes a video here, of a template if the engine draws.
func (m *Maker) make(ctx context.Context, chosen *template, o Order, report func(int)) (Video, error) {
	t, err := m.ready(ctx)
	if err != nil {
		return Video{}, err
	}
	var p prepared
	if chosen != nil {
		all, err := m.prepare(ctx, t, chosen)
		if err != nil {
			return Video{}, m.patient(o.Asset, err)
		}
		p = all[o.Lang]
	}
	release, err := m.reserve(2 * p.size)
	if err = m.patient(o.Asset, err); err != nil {
		return Video{}, err
	}
	defer release()
	if chosen != nil { // waiting for a core is no part of the time that a video may take
		done, err := m.core(ctx)
		if err != nil {
			return Video{}, err
		}
		defer done()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, m.cfg.Timeout, coded{fmt.Errorf("took longer than %v",
		m.cfg.Timeout), CodeTimeout})
	defer cancel()
	folder, err := newFolder(m.cfg.Work, jobPrefix)
	if err != nil {
		return Video{}, err
	}
	v, err := m.makeIn(ctx, t, p, folder, o, report)
	if err != nil {
		return Video{}, errors.Join(err, os.RemoveAll(folder))
	}
	report(100)
	return v, nil
}

func (m *Maker) makeIn(ctx context.Context, t *tools, p prepared, folder string, o Order,
	report func(int)) (Video, error) {
	if p.design != nil {
		v, err := m.drawName(ctx, t, p, folder, o, report)
		if err == nil {
			err = m.fits(v.Path)
		}
		return v, err
	}
	engine := m.command
	if m.cfg.Engine == EngineHTTP {
		engine = m.remote.fetch
	}
	watched, stop := m.watchDisk(ctx)
	path, err := engine(watched, folder, o)
	stop()
	if err == nil {
		err = m.fits(path)
	}
	if err != nil {
		return Video{}, err
	}
	done, err := m.core(ctx)
	if err != nil {
		return Video{}, err
	}
	defer done()
	v, err := t.finish(ctx, folder, path)
	if err == nil {
		err = m.fits(v.Path) // a sound track may have been added
	}
	return v, err
}

// cores is how many videos ffmpeg may work on at a time.
func (c Config) cores() int {
	if c.Cores > 0 {
		return c.Cores
	}
	return runtime.NumCPU()
}

// core waits until ffmpeg may work on one more video. The caller calls done.
func (m *Maker) core(ctx context.Context) (done func(), err error) {
	select {
	case m.working <- struct{}{}:
		return func() { <-m.working }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
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
