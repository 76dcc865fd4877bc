// Erasing: what was deleted leaves the write-ahead log, too.

package store

import (
	"context"
	"os"
	"time"
)

// eraseWithin is how long Checkpoint waits for readers. What is left then goes with the next one.
const eraseWithin = 10 * time.Second

// Checkpoint brings the write-ahead log into the file of the database and empties it, so that deleted rows are in
// neither. It waits at most ten seconds for readers, and writes nothing if the log is empty.
func (s *Store) Checkpoint(ctx context.Context) error {
	if info, err := os.Stat(s.path + "-wal"); err == nil && info.Size() == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, eraseWithin)
	defer cancel()
	return s.db.Checkpoint(ctx)
}
