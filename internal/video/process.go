// process.go runs other programs: as a group that dies together, at low priority, with bounded memory for what they say.

package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// niceness keeps the bot and the page quick while a video is made.
const niceness = 10

// child says what to run.
type child struct {
	argv   []string
	env    []string
	stdout io.Writer // nil: thrown away
	feed   bool      // true: process.stdin is the program's input; otherwise it has none
}

// process is a running child.
type process struct {
	ctx    context.Context
	cmd    *exec.Cmd
	stderr tail
	stdin  io.WriteCloser
}

// exitError says how a program ended that did not end well, and its last words.
type exitError struct {
	program string
	how     string // "exit status 1", "signal: killed", "took longer than 5m0s"
	code    int    // -1 if it did not exit by itself
	stderr  string
	cause   error // why it was stopped, nil if it ended by itself
}

func (e *exitError) Error() string {
	if e.stderr == "" {
		return e.program + ": " + e.how
	}
	return e.program + ": " + e.how + ": " + e.stderr
}

func (e *exitError) Unwrap() error { return e.cause }

// start runs a program until it ends or ctx does. Whoever calls it calls wait.
func start(ctx context.Context, c child) (*process, error) {
	p := &process{ctx: ctx, cmd: exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = c.env, c.stdout, &p.stderr
	p.cmd.SysProcAttr = groupAttributes()
	p.cmd.Cancel = p.killGroup
	// A grandchild outside the group may hold a pipe open: it must not hold this worker.
	p.cmd.WaitDelay = 500 * time.Millisecond
	if c.feed {
		stdin, err := p.cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		p.stdin = stdin
	}
	if err := p.cmd.Start(); ctx.Err() != nil && p.cmd.Process == nil {
		return nil, fmt.Errorf("%s: %w", c.argv[0], context.Cause(ctx)) // the time was up before it began
	} else if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.argv[0], err)
	}
	// It may have ended already; then there is nothing to be nice about.
	_ = syscall.Setpriority(syscall.PRIO_PGRP, p.cmd.Process.Pid, niceness)
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
	state := p.cmd.ProcessState
	if p.ctx.Err() == nil && state.Success() && (err == nil || errors.Is(err, exec.ErrWaitDelay)) {
		return nil
	}
	e := &exitError{program: p.cmd.Args[0], how: state.String(), code: state.ExitCode(), stderr: p.stderr.text()}
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

// environment returns our own environment without the variables that drop names.
func environment(drop func(name string) bool) []string {
	var out []string
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); !drop(name) {
			out = append(out, kv)
		}
	}
	return out
}
