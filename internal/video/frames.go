// frames.go draws frames on several goroutines and hands them over in order.

package video

import (
	"context"
	"sync"
)

// drawInOrder calls draw for the frames from first up to, not including, end, on several goroutines, and emit with what
// they drew, one after another in order. A worker numbers the goroutine, so that each can have a canvas of its own.
// It stops at the first error of emit, or when ctx ends.
func drawInOrder(ctx context.Context, workers, first, end, size int, draw func(worker, frame int, buf []byte), emit func(frame int, buf []byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var drawing sync.WaitGroup
	defer drawing.Wait()
	defer cancel()
	// Each worker draws every workers-th frame and has two buffers: one being drawn, one being written.
	done, free := make([]chan []byte, workers), make([]chan []byte, workers)
	for w := range workers {
		done[w], free[w] = make(chan []byte, 2), make(chan []byte, 2)
		free[w] <- make([]byte, size)
		free[w] <- make([]byte, size)
		drawing.Go(func() {
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
