// The command serve: one run of the program after another, each with the settings as they were when it began.

package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"retake.example/internal/config"
	"retake.example/internal/folder"
	"retake.example/internal/routine"
	"retake.example/internal/service"
	"retake.example/internal/store"
)

// Run is one run of the program, which lasts until its context ends.
type Run struct {
	Config   config.Config
	Log      *slog.Logger
	Out      io.Writer
	Listener net.Listener                    // of the page
	Again    bool                            // a run of this process came before
	Settings func(st *store.Store) *Settings // how the page changes them
}

// Start is how serve begins.
type Start struct {
	// Load reads the settings, with those that page returns for the data folder and the key of these.
	Load func(page func(config.Config) (config.Page, error)) (config.Config, error)
	Log  func(config.Config) *slog.Logger
	Out  io.Writer
}

// Fixed begins with settings that are read from nowhere.
func Fixed(cfg config.Config, log *slog.Logger, out io.Writer) Start {
	return Start{Load: func(page func(config.Config) (config.Page, error)) (config.Config, error) {
		set, err := page(cfg)
		if err != nil {
			return cfg, err
		}
		return cfg.With(set)
	}, Log: func(config.Config) *slog.Logger { return log }, Out: out}
}

// Serve locks the data folder, listens for the page and calls run until ctx ends, or run returns an error. When the
// settings change, or at SIGHUP without a terminal, it ends the run as a stop does and begins the next one with the new
// settings. Connections that come meanwhile wait for it. Settings with faults change nothing.
func Serve(ctx context.Context, s Start, run func(context.Context, Run) error) error {
	cfg, err := load(ctx, s, nil)
	if err != nil {
		return err
	}
	woken := make(chan os.Signal, 1) // between two runs nobody hears folder.Wake, which would end the program
	signal.Notify(woken, syscall.SIGUSR1)
	defer signal.Stop(woken)
	unlock, err := folder.Lock(cfg.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	k := &keeper{start: s, cfg: cfg, log: s.Log(cfg)}
	if err := k.listen(cfg.Web.Listen); err != nil {
		return err
	}
	defer func() { k.listener.Close() }()
	stop := k.hearHangups(ctx)
	defer stop()
	for again := false; ; again = true {
		this, r, err := k.begin(ctx)
		if err != nil {
			return err
		}
		r.Again = again
		if err := run(this, r); err != nil || ctx.Err() != nil || !k.hasNext() {
			return err
		}
	}
}

// keeper keeps what outlives a run.
type keeper struct {
	start Start

	changing sync.Mutex // held from the reading of new settings to their adoption

	mu       sync.Mutex    // guards what follows
	cfg      config.Config // of the run
	log      *slog.Logger
	next     *config.Config // of the next run; nil: there is no reason for one
	end      context.CancelCauseFunc
	listener net.Listener
	address  string // where it listens
	refused  error  // why the settings were last not read again
}

// listen listens on another address from now on.
func (k *keeper) listen(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("web.listen: %w", err)
	}
	if k.listener != nil {
		k.listener.Close()
	}
	k.listener, k.address = l, address
	return nil
}

// begin makes the next run. The server of each closes its listener, so that it gets a copy: while none listens, the
// system keeps connections waiting.
func (k *keeper) begin(ctx context.Context) (context.Context, Run, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next != nil {
		k.cfg, k.log, k.next = *k.next, k.start.Log(*k.next), nil
	}
	for _, key := range k.cfg.Unreadable {
		k.log.Warn("a secret was sealed with another key than this one: set it again on the page", "setting", key)
	}
	f, err := k.listener.(*net.TCPListener).File()
	if err != nil {
		return nil, Run{}, fmt.Errorf("web.listen: %w", err)
	}
	defer f.Close()
	listener, err := net.FileListener(f)
	if err != nil {
		return nil, Run{}, fmt.Errorf("web.listen: %w", err)
	}
	ctx, k.end = context.WithCancelCause(ctx)
	return ctx, Run{Config: k.cfg, Log: k.log, Out: k.start.Out, Listener: listener,
		Settings: func(st *store.Store) *Settings { return &Settings{k, st} }}, nil
}

func (k *keeper) hasNext() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.next != nil
}

// adopt ends the run for one with other settings.
func (k *keeper) adopt(cfg config.Config) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if cfg.DataDir != k.cfg.DataDir {
		return config.Faults{cmp.Or(cfg.From["data_dir"], "the settings") + ": data_dir: a change needs a restart"}
	}
	if cfg.Web.Listen != k.address {
		if err := k.listen(cfg.Web.Listen); err != nil {
			return config.Faults{cfg.From["web.listen"] + ": " + err.Error()}
		}
	}
	k.next, k.refused = &cfg, nil
	k.end(service.ErrReload)
	return nil
}

// reload reads the settings again.
func (k *keeper) reload(ctx context.Context) {
	k.changing.Lock()
	defer k.changing.Unlock()
	told := service.Reloading()
	cfg, err := load(ctx, k.start, nil)
	if err == nil {
		err = k.adopt(cfg)
	}
	if err != nil {
		k.mu.Lock()
		k.refused = err
		log := k.log
		k.mu.Unlock()
		log.Error("the settings are not changed", "err", err)
		told = errors.Join(told, service.Reloaded())
	}
	if told != nil {
		k.log.Warn("the service manager does not hear of the settings", "err", told)
	}
}

// hearHangups reads the settings again at each SIGHUP. If there is a terminal the signal tells of its end, and main
// stops the program.
func (k *keeper) hearHangups(ctx context.Context) (stop func()) {
	if service.HasTerminal() || signal.Ignored(syscall.SIGHUP) {
		return func() {}
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	var hearing routine.Group
	hearing.Keep(ctx, func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
				k.reload(ctx)
			}
		}
	})
	return func() {
		signal.Stop(hangups)
		cancel()
		hearing.Wait()
	}
}
