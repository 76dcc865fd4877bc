// writer.go looks at what writers do: it makes them run every function twice, and records the plan of each statement.

package dbtest

import (
	"flag"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"retake.example/internal/db/internal/testhook"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Twice makes every database that is opened from now on, until the test is over, run each transaction function twice:
// what the first run did to the database is taken back. A function that did anything else, such as counting, shows
// it.
func Twice(t testing.TB) {
	t.Helper()
	before := testhook.Twice.Swap(true)
	t.Cleanup(func() { testhook.Twice.Store(before) })
}

// AlwaysTwice is Twice for all tests of a package: its TestMain calls it. Benchmarks run each function once, because
// they measure what the program does.
func AlwaysTwice() {
	flag.Parse()
	testhook.Twice.Store(flag.Lookup("test.bench").Value.String() == "")
}

// Statement is a statement that a writer has prepared.
type Statement struct {
	Query string
	Plan  []string // the lines of EXPLAIN QUERY PLAN, also for the triggers it fires
	text  string   // the statement and all triggers, where aliases are found
}

// Statements collects the statements that writers prepare until the test is over. Each connection prepares a
// statement once.
type Statements struct {
	mu  sync.Mutex
	all []Statement
}

// CollectStatements begins to collect. Only one test at a time may.
func CollectStatements(t testing.TB) *Statements {
	t.Helper()
	s := &Statements{}
	see := func(tls *libc.TLS, db uintptr, query string) {
		statement := Statement{Query: query, Plan: plan(tls, db, query), text: query + ";" + strings.Join(ask(tls, db,
			`SELECT ifnull(sql, '') FROM sqlite_schema WHERE type IN ('trigger', 'view')`, 0), ";")}
		s.mu.Lock()
		defer s.mu.Unlock()
		if !slices.ContainsFunc(s.all, func(known Statement) bool { return known.Query == query }) {
			s.all = append(s.all, statement)
		}
	}
	if !testhook.Prepared.CompareAndSwap(nil, &see) {
		t.Fatal("another test collects statements")
	}
	t.Cleanup(func() { testhook.Prepared.Store(nil) })
	return s
}

// All returns what has been collected, each statement once.
func (s *Statements) All() []Statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

var scan = regexp.MustCompile(`^SCAN (\w+)`)

// Scans returns which of some tables the statement, or a trigger that it fires, reads from end to end. A table that
// grows with the program's use must not be among them: all writers wait meanwhile.
func (s Statement) Scans(tables ...string) (scanned []string) {
	for _, line := range s.Plan {
		m := scan.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for _, table := range tables {
			is := m[1] == table || regexp.MustCompile(`(?i)\b`+table+`\s+(AS\s+)?`+m[1]+`\b`).MatchString(s.text)
			if is && !slices.Contains(scanned, table) {
				scanned = append(scanned, table)
			}
		}
	}
	return scanned
}

// plan explains a statement on the connection that has prepared it.
func plan(tls *libc.TLS, db uintptr, query string) []string {
	explainTriggers(tls, db, 1)
	defer explainTriggers(tls, db, 0)
	return ask(tls, db, "EXPLAIN QUERY PLAN "+query, 3)
}

func explainTriggers(tls *libc.TLS, db uintptr, on int32) {
	values := libc.NewVaList(on, uintptr(0))
	defer libc.Xfree(tls, values)
	sqlite3.Xsqlite3_db_config(tls, db, sqlite3.SQLITE_DBCONFIG_TRIGGER_EQP, values)
}

// ask returns a column of all rows of a query. Its parameters are NULL.
func ask(tls *libc.TLS, db uintptr, query string, column int32) (all []string) {
	text, err := libc.CString(query)
	if err != nil {
		panic(err)
	}
	defer libc.Xfree(tls, text)
	out := libc.Xmalloc(tls, 8)
	defer libc.Xfree(tls, out)
	if code := sqlite3.Xsqlite3_prepare_v2(tls, db, text, -1, out, 0); code != sqlite3.SQLITE_OK {
		return nil // such as a PRAGMA, which has no plan
	}
	stmt := *at[uintptr](out)
	defer sqlite3.Xsqlite3_finalize(tls, stmt)
	for sqlite3.Xsqlite3_step(tls, stmt) == sqlite3.SQLITE_ROW {
		p := sqlite3.Xsqlite3_column_text(tls, stmt, column)
		n := sqlite3.Xsqlite3_column_bytes(tls, stmt, column)
		all = append(all, string(unsafe.Slice(at[byte](p), n)))
	}
	return all
}
