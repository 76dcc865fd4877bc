package store

var (
	ErrNotFound  = errors.New("not found")
	ErrForbidden = errors.New("forbidden")
	ErrNotFailed = errors.New("not failed")
	ErrExists    = errors.New("exists already")
	// ErrNotPublishable refuses to publish a video because the person who asked for it had it deleted.
	ErrNotPublishable = errors.New("not publishable")
)

// Store is the database.
type Store struct {
	db  *db.DB
	now func() time.Time
	// claim is the end of each transaction, in which workers may take the work that it owes. settled is told whether that is on
	// the disk. Of those that share a commit the last one claims for all.
	claim   func(tx *Tx) error
	settled func(tx *Tx, done bool)
	owed    []Kind // by those before it; only in transactions
}

func (s *Store) Close() error { return s.db.Close() }

// ofDisk reports whether an error is that of a full or broken disk.
func ofDisk(err error) bool { return db.OfDisk(err) }

// Tx is a transaction with one time of its own.
type Tx struct {
	*db.Tx
	now    int64    // unix ms
	owed   []Kind   // there may be a job of these to begin at once
	later  bool     // there may be one that becomes due
	tasks  []Task   // claimed for workers of the queue
	assets []string // that changed
}

// Tx runs fn in a transaction; its effects are on the disk when Tx returns nil. The function must touch nothing but tx, and
// may be run twice: the last time counts.
func (s *Store) Tx(ctx context.Context, fn func(*Tx) error) (err error) {
	now := s.now().UnixMilli()
	tx := &Tx{}
	done := false
	defer func() { s.settled(tx, done) }()
	err = s.db.Tx(ctx, func(d *db.Tx) error {
		if tx.Tx != nil {
			s.settled(tx, false)
		}
		tx = &Tx{Tx: d, now: now, owed: s.owed}
		if err := fn(tx); err != nil {
			return err
		}
		if s.owed = tx.owed; !d.Last {
			return nil
		}
		s.owed = nil
		return s.claim(tx)
	})
	done = err == nil
	return err
}

// NewID returns 128 random bits as 26 characters that are safe in file names and callback data.
func NewID() string { return rand.Text() }

func (tx *Tx) touch(assetID string) { tx.assets = append(tx.assets, assetID) }

// one turns "no row changed" into ErrNotFound.
func one(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// found turns "no row" into ErrNotFound.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// rows are those of a transaction or of the readers.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// collect scans every row of a query and closes it.
func collect[T any, R rows](rows R, err error, scan func(*T) error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var v T
		if err := scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

func null[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// stamp is what a column holds of a time; NULL: none.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func Moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// scanner is the Scan of a row.
type scanner func(dest ...any) error

// pull appends the rows of a query.
func pull[T any](tx *Tx, into *[]T, query string, args []any, scan func(*T, scanner) error) error {
	rows, err := tx.Query(query, args...)
	all, err := collect(rows, err, func(v *T) error { return scan(v, rows.Scan) })
	*into = append(*into, all...)
	return err
}

// when is a time as people read it in a file.
func when(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// at scans a column of milliseconds into a time.
func at(t *time.Time) sql.Scanner { return (*stamped)(t) }

type stamped time.Time

func (s *stamped) Scan(column any) error {
	ms, ok := column.(int64)
	if !ok {
		return fmt.Errorf("%T is no time", column)
	}
	*s = stamped(when(ms))
	return nil
}

func each(statement string) func(*Tx, []string, *Gone) error {
	return func(tx *Tx, ids []string, _ *Gone) error {
		_, err := tx.Exec(statement, list(ids))
		return err
	}
}

const listed = ` IN (SELECT value FROM json_each(?))`

func (s *Store) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.db.Read().QueryContext(ctx, query, args...)
	return collect(rows, err, func(t *string) error { return rows.Scan(t) })
}

// list makes one argument of many ids, for json_each.
func list(ids []string) string {
	b, _ := json.Marshal(ids) // texts always work
	return string(b)
}
