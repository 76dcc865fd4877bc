// process.go is the one place that starts other programs: each in a group that dies together, at low priority, with an
// environment of its own, with limits, and with bounded memory for what it prints.

package video

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// niceness keeps the bot and the page quick while a video is made.
const niceness = 10

// child says what to run. Of env, the program sees only what is on a list: see environmentOf.
type child struct {
	argv   []string
	env    []string
	stdout io.Writer // nil: thrown away
	feed   bool      // true: process.stdin is the program's input; otherwise it has none
	tool   bool      // ffmpeg or ffprobe, which start nothing themselves, need little and no network
}

// process is a running child.
type process struct {
	ctx    context.Context
	cmd    *exec.Cmd
	stderr tail
	stdin  io.WriteCloser
	mark   string // an entry of the environment of an operator's program, by which its descendants are found
}

// exitError says how a program ended that did not succeed, and its last words.
type exitError struct {
	program string
	how     string // "exit status 1", "signal: killed", "took longer than 5m0s"
	code    int    // -1 if it did not exit on its own
	signal  syscall.Signal
	stderr  string
	cause   error // why we stopped it, nil if it ended on its own
}

func (e *exitError) Error() string {
	if e.stderr == "" {
		return e.program + ": " + e.how
	}
	return e.program + ": " + e.how + ": " + e.stderr
}

func (e *exitError) Unwrap() error { return e.cause }

// errNotStarted marks a program that could not be started: the machine is the reason, never what it should have read.
var errNotStarted = errors.New("the program could not be started")

// start runs a program until it ends or ctx does. The caller calls wait.
func start(ctx context.Context, c child) (*process, error) {
	p := &process{ctx: ctx, cmd: exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = environmentOf(c), c.stdout, &p.stderr
	if !c.tool {
		p.mark = "RETAKE_JOB=" + rand.Text()
		p.cmd.Env = append(p.cmd.Env, p.mark)
	}
	p.cmd.SysProcAttr = groupAttributes()
	p.cmd.Cancel = p.killGroup
	// A grandchild outside the group may hold a pipe open. It must not hold this worker.
	p.cmd.WaitDelay = 500 * time.Millisecond
	if c.feed {
		stdin, err := p.cmd.StdinPipe()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNotStarted, err)
		}
		p.stdin = stdin
	}
	begin := p.cmd.Start
	if c.tool { // it reads files, which somebody may have made to call somewhere
		begin = func() error { return withoutNetwork(p.cmd.Start) }
	}
	if err := begin(); ctx.Err() != nil && p.cmd.Process == nil {
		return nil, fmt.Errorf("%s: %w", c.argv[0], context.Cause(ctx)) // the time was up before it began
	} else if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errNotStarted, c.argv[0], err)
	}
	// It may have ended already. Then there is nothing to limit.
	_ = syscall.Setpriority(syscall.PRIO_PGRP, p.cmd.Process.Pid, niceness)
	limit(p.cmd.Process.Pid, c.limits(ctx))
	return p, nil
}

func (p *process) killGroup() error {
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return os.ErrProcessDone
}

// wait waits for the end, kills what the program left behind, and returns nil only after exit status 0.
func (p *process) wait() error {
	err := p.cmd.Wait()
	// Its number cannot have been given to a new group yet: the kernel counts through all others first.
	_ = p.killGroup()
	if p.mark != "" {
		killMarked(p.mark)
	}
	state := p.cmd.ProcessState
	if p.ctx.Err() == nil && state.Success() && (err == nil || errors.Is(err, exec.ErrWaitDelay)) {
		return nil
	}
	e := &exitError{program: p.cmd.Args[0], how: state.String(), code: state.ExitCode(), stderr: p.stderr.text()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.signal = status.Signal()
	}
	if p.ctx.Err() != nil {
		e.cause = context.Cause(p.ctx)
		e.how = e.cause.Error()
		e.code = -1
	}
	return e
}

// run starts a program and waits for it.
func run(ctx context.Context, c child) error {
	p, err := start(ctx, c)
	if err != nil {
		return err
	}
	return p.wait()
}

// What a program may see of our own environment: where programs, libraries and its user's folder are, and how to write
// text and time. Nothing else is passed on, because nobody can list every variable that may hold a secret.
var (
	forTools   = []string{"PATH", "LD_LIBRARY_PATH"}
	forEngines = append([]string{"HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ"}, forTools...)
)

// given are the variables that a program gets from us, besides its mark: docs/engines.md lists them.
var given = []string{"RETAKE_NAME", "RETAKE_LANG", "RETAKE_TEMPLATE", "RETAKE_ASSET", "RETAKE_OUTPUT", "TMPDIR"}

// environmentOf returns the environment of a child: the variables of ours that it may see, then those of c.env that
// are meant for it. ffmpeg and ffprobe write their errors in English, because blamesFile reads them.
func environmentOf(c child) []string {
	if c.tool {
		return append(only(os.Environ(), forTools), "LC_ALL=C")
	}
	locale := slices.DeleteFunc(os.Environ(), func(kv string) bool { return !strings.HasPrefix(kv, "LC_") })
	return slices.Concat(only(os.Environ(), forEngines), locale, only(c.env, given))
}

// only returns the entries ("NAME=value") with one of the names.
func only(entries, names []string) (out []string) {
	for _, kv := range entries {
		if name, _, _ := strings.Cut(kv, "="); slices.Contains(names, name) {
			out = append(out, kv)
		}
	}
	return out
}

// limits are what a child may use. A zero is no limit.
type limits struct {
	memory    uint64 // bytes of private memory
	cpu       uint64 // seconds of all its threads
	file      uint64 // bytes of one file
	processes uint64 // of its user, threads included
}

const (
	toolMemory   = 1536 << 20 // preparing a 4K HDR film takes less than 800 MB on two cores
	toolTime     = 2 * 3600   // CPU seconds: prepareTimeout on four cores
	toolFile     = 4 << 30    // no MP4 of ours may be larger
	engineFile   = 64 << 30   // temporary files included; the disk is watched besides
	maxProcesses = 8192       // a fork bomb ends; a desktop with its thousands of threads goes on
	maxThreads   = 8          // of one ffmpeg: each holds frames
)

// limits returns what a child that is stopped when ctx ends may use.
func (c child) limits(ctx context.Context) limits {
	if c.tool {
		return limits{memory: toolMemory, cpu: toolTime, file: toolFile, processes: maxProcesses}
	}
	// An engine may be a model of many gigabytes, but one that takes all there is would have the kernel kill others.
	all := machineMemory()
	l := limits{memory: all - min(1<<30, all/4), file: engineFile, processes: maxProcesses}
	// One that escapes the end of its time has no more than all cores could have given it by then.
	if end, ok := ctx.Deadline(); ok {
		l.cpu = uint64(max(1, time.Until(end)/time.Second)+1) * uint64(runtime.NumCPU())
	}
	return l
}
