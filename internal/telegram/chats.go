// Handling what came in: in order within a chat, several chats at a time.

package telegram

import (
	"context"
	"sync"

	"retake.example/internal/routine"
)

// Chats hands items to a handler. A chat whose handler is slow holds up no other.
type Chats[T any] struct {
	handle func(context.Context, T)

	mu      sync.Mutex
	waiting map[int64][]T // by chat; a key means that a goroutine serves that chat
	serving routine.Group
}

// NewChats returns Chats with a handler, which is called for one item of a chat at a time. A panic in it costs that
// item alone, and is logged.
func NewChats[T any](handle func(context.Context, T)) *Chats[T] {
	return &Chats[T]{handle: handle, waiting: map[int64][]T{}}
}

// Accept queues an item of a chat. What waits when ctx ends is dropped.
func (c *Chats[T]) Accept(ctx context.Context, chat int64, item T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	queue, served := c.waiting[chat]
	c.waiting[chat] = append(queue, item)
	if !served {
		c.serving.Run(func() { c.serve(ctx, chat) })
	}
}

func (c *Chats[T]) serve(ctx context.Context, chat int64) {
	for {
		c.mu.Lock()
		queue := c.waiting[chat]
		if len(queue) == 0 || ctx.Err() != nil {
			delete(c.waiting, chat)
			c.mu.Unlock()
			return
		}
		c.waiting[chat] = queue[1:]
		c.mu.Unlock()
		routine.Call(func() error { c.handle(ctx, queue[0]); return nil })
	}
}

// Wait returns when nothing is being handled.
func (c *Chats[T]) Wait() { c.serving.Wait() }
