// frames.go draws frames on several goroutines and hands them over in order.

package video

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"retake.example/internal/routine"
)

// drawInOrder calls draw for the frames from first up to, not including, end, on several goroutines, and emit with what
// they drew, one after another in order. The worker is the goroutine's number, so that each can have its own canvas.
// It stops at the first error of emit, when draw panics, or when ctx ends. A panic becomes the error crashed describes.
func drawInOrder(ctx context.Context, workers, first, end, size int, draw func(worker, frame int, buf []byte),
	emit func(frame int, buf []byte) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	var drawing routine.Group
	defer drawing.Wait()
	defer stop(nil)
	// Each worker draws every workers-th frame and has two buffers: one being drawn, one being written.
	done, free := make([]chan []byte, workers), make([]chan []byte, workers)
	for w := range workers {
		done[w], free[w] = make(chan []byte, 2), make(chan []byte, 2)
		free[w] <- make([]byte, size)
		free[w] <- make([]byte, size)
		drawing.Run(func() {
			defer crashed(func(err error) { stop(fmt.Errorf("draw the frames: %w", err)) })
			for frame := first + w; frame < end; frame += workers {
				select {
				case buf := <-free[w]:
					draw(w, frame, buf)
					done[w] <- buf // never blocks: there are no more than two
				case <-ctx.Done():
					return
				}
			}
		})
	}
	for frame := first; frame < end; frame++ {
		w := (frame - first) % workers
		select {
		case buf := <-done[w]:
			if err := emit(frame, buf); err != nil {
				return err
			}
			free[w] <- buf
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// crash is a panic in one of this package's goroutines, which would otherwise end the whole program.
type crash struct{ why, where string }

func (c crash) Error() string { return "crashed: " + c.why + " at " + c.where }

func isCrash(err error) bool {
	_, ok := errors.AsType[crash](err)
	return ok
}

// crashed is deferred by every goroutine that works on a name. It reports a panic as an error with the lines of code
// that led to it. What a library panics with may quote the text it worked on, so only the runtime's own words are kept.
func crashed(report func(error)) {
	p := recover()
	if p == nil {
		return
	}
	c := crash{why: fmt.Sprintf("%T", p)}
	if e, ok := p.(runtime.Error); ok {
		c.why = e.Error()
	}
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	var lines []string
	for more := true; more; {
		var f runtime.Frame
		if f, more = frames.Next(); f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			lines = append(lines, fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line))
		}
	}
	c.where = strings.Join(lines, ", from ")
	report(c)
}
