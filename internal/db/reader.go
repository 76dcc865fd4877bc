// The pool for queries, which keeps its statements prepared.

package db

import (
	"context"
	"database/sql"
	"sync"
)

// mostKept is how many statements a Reader keeps prepared: those that the program has, and many that it puts together.
const mostKept = 400

// Reader answers queries. Preparing a statement takes longer than most of them take to run, so each is prepared once.
type Reader struct {
	*sql.DB
	mu   sync.RWMutex
	kept map[string]*sql.Stmt
}

// statement returns the prepared statement for a query; nil: there is none, and the query is run as it is.
func (r *Reader) statement(ctx context.Context, query string) *sql.Stmt {
	r.mu.RLock()
	kept, full := r.kept[query], len(r.kept) >= mostKept
	r.mu.RUnlock()
	if kept != nil || full {
		return kept
	}
	s, err := r.PrepareContext(ctx, query)
	if err != nil {
		return nil // running it says so, too
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if kept := r.kept[query]; kept != nil { // somebody else was sooner
		s.Close()
		return kept
	}
	r.kept[query] = s
	return s
}

// QueryContext is that of sql.DB.
func (r *Reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := r.statement(ctx, query); s != nil {
		return s.QueryContext(ctx, args...)
	}
	return r.DB.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of sql.DB.
func (r *Reader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if s := r.statement(ctx, query); s != nil {
		return s.QueryRowContext(ctx, args...)
	}
	return r.DB.QueryRowContext(ctx, query, args...)
}
