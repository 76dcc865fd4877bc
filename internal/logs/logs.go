// Package logs writes the log as text or JSON: to a file, a terminal or systemd's journal.
package logs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
)

// Formats and Levels are the values that the settings accept.
var (
	Formats = []string{"text", "json"}
	Levels  = []string{"debug", "info", "warn", "error"}
)

// Options are the operator's choices.
type Options struct {
	Format, Level string // of Formats and Levels
	Replace       func(groups []string, a slog.Attr) slog.Attr
	Journal       bool // the lines go to systemd's journal: see IsJournal
}

// New returns a log that writes to w. In the journal a line of text begins with its priority, as in sd-daemon(3),
// and has no time, because the journal adds it.
func New(w io.Writer, o Options) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.Level)); err != nil {
		level = slog.LevelInfo
	}
	handler := &slog.HandlerOptions{Level: level, ReplaceAttr: o.Replace}
	switch {
	case o.Format == "json":
		return slog.New(slog.NewJSONHandler(w, handler))
	case !o.Journal:
		return slog.New(slog.NewTextHandler(w, handler))
	}
	handler.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
			return slog.Attr{}
		}
		if o.Replace == nil {
			return a
		}
		return o.Replace(groups, a)
	}
	line := &line{out: w}
	return slog.New(&prioritised{slog.NewTextHandler(line, handler), line})
}

// IsJournal reports whether a file is the one that the journal reads, as systemd says in JOURNAL_STREAM.
func IsJournal(f *os.File, stream string) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && stream == fmt.Sprintf("%d:%d", s.Dev, s.Ino)
}

// line writes the priority of a record before the line that its handler writes.
type line struct {
	mu       sync.Mutex
	out      io.Writer
	priority int
}

func (l *line) Write(p []byte) (int, error) { // called with mu held, once a record
	_, err := l.out.Write(append(fmt.Appendf(nil, "<%d>", l.priority), bytes.TrimLeft(p, " ")...))
	return len(p), err
}

type prioritised struct {
	slog.Handler
	line *line
}

// Handle implements slog.Handler.
func (h *prioritised) Handle(ctx context.Context, r slog.Record) error {
	h.line.mu.Lock()
	defer h.line.mu.Unlock()
	switch { // of syslog: error, warning, informational, debug
	case r.Level >= slog.LevelError:
		h.line.priority = 3
	case r.Level >= slog.LevelWarn:
		h.line.priority = 4
	case r.Level >= slog.LevelInfo:
		h.line.priority = 6
	default:
		h.line.priority = 7
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *prioritised) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &prioritised{h.Handler.WithAttrs(attrs), h.line}
}

// WithGroup implements slog.Handler.
func (h *prioritised) WithGroup(name string) slog.Handler {
	return &prioritised{h.Handler.WithGroup(name), h.line}
}
