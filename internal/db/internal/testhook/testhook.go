// Package testhook is how dbtest reaches the databases that package db opens. Only these two can import it, so nothing
// in the program can switch on what only tests want.
package testhook

import (
	"sync/atomic"

	"modernc.org/libc"
)

// Twice makes every database that is opened while it is set run each transaction function twice: db.DB.Tx may do so at
// any time, and a function that is not prepared for it shows it then.
var Twice atomic.Bool

// Prepared, if set, is called for each statement that a writer has just prepared, with SQLite's handle of its
// connection.
var Prepared atomic.Pointer[func(tls *libc.TLS, db uintptr, query string)]
