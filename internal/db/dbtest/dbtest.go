// Package dbtest stands between SQLite and the files of a folder, for tests: it writes down what is done to them,
// builds what a power cut at any moment would leave, and lets calls fail.
package dbtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

// Kind is what is done to a file.
type Kind byte

const (
	Write    Kind = 'W'
	Sync     Kind = 'S'
	Truncate Kind = 'T'
	Delete   Kind = 'D'
	unsynced Kind = 'U' // a Sync that failed
)

// SQLite's codes for what can go wrong.
const (
	Full       = sqlite3.SQLITE_FULL
	BadWrite   = sqlite3.SQLITE_IOERR_WRITE
	BadSync    = sqlite3.SQLITE_IOERR_FSYNC
	BadTrunc   = sqlite3.SQLITE_IOERR_TRUNCATE
	BadDelete  = sqlite3.SQLITE_IOERR_DELETE
	sectorSize = 512
)

// Disk is what SQLite does to the files of one folder. Its syncs take no time: they are only written down.
type Disk struct {
	dir string

	mu    sync.Mutex
	ops   []op
	fault func(Kind) int32
	fired bool
}

type op struct {
	kind Kind
	name string // of the file
	at   int64  // offset of a write, size after a truncation; of a deletion 1: the folder was synced
	data []byte
}

// Watch stands before the folder until the test is over. Whatever opens a database there meets the Disk, without
// knowing.
func Watch(t testing.TB, dir string) *Disk {
	t.Helper()
	register()
	d := &Disk{dir: filepath.Clean(dir)}
	all.Lock()
	defer all.Unlock()
	all.disks[d.dir] = d
	t.Cleanup(d.Leave)
	return d
}

// Leave does what the end of the test does: a test of a thousand disks has no room for all that was written to them.
func (d *Disk) Leave() {
	all.Lock()
	delete(all.disks, d.dir)
	all.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops = nil
}

// Ops returns how many operations there have been, of some kinds or of all. What a program says now, it says after
// them.
func (d *Disk) Ops(kinds ...Kind) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(kinds) == 0 {
		return len(d.ops)
	}
	for _, o := range d.ops {
		if slices.Contains(kinds, o.kind) {
			n++
		}
	}
	return n
}

// Fail makes the n-th operation from now that is of one of the kinds fail, once, with one of SQLite's codes.
func (d *Disk) Fail(n int, code int32, kinds ...Kind) { d.fail(n, code, kinds, false) }

// FailEvery makes every n-th of them fail until Repair is called.
func (d *Disk) FailEvery(n int, code int32, kinds ...Kind) { d.fail(n, code, kinds, true) }

// Repair ends all failures.
func (d *Disk) Repair() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = nil
}

func (d *Disk) fail(n int, code int32, kinds []Kind, again bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fired = false
	left := n
	d.fault = func(k Kind) int32 {
		if !slices.Contains(kinds, k) {
			return 0
		}
		if left--; left > 0 {
			return 0
		}
		left, d.fired = n, true
		if !again {
			d.fault = nil
		}
		return code
	}
}

// Failed reports whether what Fail asked for has happened.
func (d *Disk) Failed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fired
}

// note writes an operation down, or returns the code it is to fail with.
func (d *Disk) note(o op) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault != nil {
		if code := d.fault(o.kind); code != 0 {
			if o.kind == Sync { // the system may forget what it could not write, and say so only once
				d.ops = append(d.ops, op{kind: unsynced, name: o.name})
			}
			return code
		}
	}
	d.ops = append(d.ops, o)
	return 0
}

// Cut is a way for the power to fail. What was written since a file's last sync is there with the probability Kept;
// of that, with the probability Torn, only some of its sectors. Kept 1 is a program that is killed while the system
// lives on.
type Cut struct{ Kept, Torn float64 }

// After writes into a folder what is left when the power fails after so many operations.
func (d *Disk) After(ops int, c Cut, random *rand.Rand, dir string) error {
	d.mu.Lock()
	done := d.ops[:ops:ops]
	d.mu.Unlock()
	for name, content := range c.left(done, random) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (c Cut) left(done []op, random *rand.Rand) map[string][]byte {
	safe := durable(done)
	files := map[string][]byte{}
	for i, o := range done {
		if o.kind == Sync || o.kind == unsynced {
			continue
		}
		content, there := files[o.name]
		if !safe[i] && random.Float64() >= c.Kept {
			if !there && o.kind == Write {
				files[o.name] = nil // its name is there, but nothing in it
			}
			continue
		}
		switch o.kind {
		case Write:
			data := o.data
			if !safe[i] && len(data) > sectorSize && random.Float64() < c.Torn {
				data = data[:sectorSize*(1+random.IntN(len(data)/sectorSize))]
			}
			if more := int(o.at) + len(data) - len(content); more > 0 {
				content = append(content, make([]byte, more)...)
			}
			copy(content[o.at:], data)
			files[o.name] = content
		case Truncate:
			files[o.name] = content[:min(int(o.at), len(content))]
		case Delete:
			delete(files, o.name)
		}
	}
	return files
}

// durable tells which operations no power cut can undo: those on a file before its next good sync, unless one failed in
// between. A deletion is durable when the folder was synced or, as a journal of the file system has it, after any sync.
func durable(done []op) []bool {
	safe := make([]bool, len(done))
	pending := map[string][]int{}
	var deleted []int
	for i, o := range done {
		switch o.kind {
		case Write, Truncate:
			pending[o.name] = append(pending[o.name], i)
		case Delete: // whatever comes next under that name is another file
			delete(pending, o.name)
			safe[i] = o.at != 0
			deleted = append(deleted, i)
		case unsynced:
			delete(pending, o.name)
		case Sync:
			for _, p := range append(pending[o.name], deleted...) {
				safe[p] = true
			}
			delete(pending, o.name)
			deleted = nil
		}
	}
	return safe
}

// ---- the VFS: SQLite's own, with our functions before some of its

var all = struct {
	sync.Mutex
	disks   map[string]*Disk
	open    map[uintptr]file    // by the address of SQLite's file
	ours    map[uintptr]uintptr // methods of SQLite's own to ours
	theirs  map[uintptr]uintptr // and back
	xOpen   uintptr
	xDelete uintptr
}{disks: map[string]*Disk{}, open: map[uintptr]file{}, ours: map[uintptr]uintptr{}, theirs: map[uintptr]uintptr{}}

type file struct {
	disk *Disk
	name string
}

// register makes ours the VFS of every database that is opened from now on in this process.
var register = sync.OnceFunc(func() {
	tls := libc.NewTLS()
	own := sqlite3.Xsqlite3_vfs_find(tls, 0)
	p := libc.Xmalloc(tls, types.Size_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	v := at[sqlite3.Tsqlite3_vfs](p)
	*v = *at[sqlite3.Tsqlite3_vfs](own)
	name, err := libc.CString("dbtest")
	if err != nil {
		panic(err)
	}
	all.xOpen, all.xDelete = v.FxOpen, v.FxDelete
	v.FpNext, v.FzName, v.FxOpen, v.FxDelete = 0, name, pointer(xOpen), pointer(xDelete)
	if code := sqlite3.Xsqlite3_vfs_register(tls, p, 1); code != 0 {
		panic(fmt.Sprintf("register the VFS: %d", code))
	}
})

// at returns what lies at an address outside of Go's memory.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// pointer and function translate between Go's functions and the addresses that SQLite keeps of them.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }

func function[F any](address uintptr) F {
	return *(*F)(unsafe.Pointer(&struct{ address uintptr }{address}))
}

// diskOf finds who watches a path; nil: nobody.
func diskOf(path uintptr) (d *Disk, name string) {
	if path == 0 {
		return nil, ""
	}
	p := libc.GoString(path)
	all.Lock()
	defer all.Unlock()
	return all.disks[filepath.Dir(p)], filepath.Base(p)
}

func xOpen(tls *libc.TLS, vfs, path, f uintptr, flags int32, out uintptr) int32 {
	code := function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](
		all.xOpen,
	)(
		tls,
		vfs,
		path,
		f,
		flags,
		out,
	)
	d, name := diskOf(path)
	methods := at[uintptr](f)
	if code != 0 || *methods == 0 || d == nil {
		return code
	}
	all.Lock()
	defer all.Unlock()
	all.open[f] = file{d, name}
	if all.ours[*methods] == 0 {
		p := libc.Xmalloc(tls, types.Size_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
		m := at[sqlite3.Tsqlite3_io_methods](p)
		*m = *at[sqlite3.Tsqlite3_io_methods](*methods)
		m.FxWrite, m.FxSync, m.FxTruncate = pointer(xWrite), pointer(xSync), pointer(xTruncate)
		all.ours[*methods], all.theirs[p] = p, *methods
	}
	*methods = all.ours[*methods]
	return 0
}

// of returns the file at an address and SQLite's own methods of it.
func of(f uintptr) (file, *sqlite3.Tsqlite3_io_methods) {
	all.Lock()
	defer all.Unlock()
	return all.open[f], at[sqlite3.Tsqlite3_io_methods](all.theirs[*at[uintptr](f)])
}

func xWrite(tls *libc.TLS, f, from uintptr, n int32, offset int64) int32 {
	file, own := of(f)
	data := slices.Clone(unsafe.Slice(at[byte](from), n))
	if code := file.disk.note(op{Write, file.name, offset, data}); code != 0 {
		return code
	}
	return function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](own.FxWrite)(tls, f, from, n, offset)
}

func xSync(_ *libc.TLS, f uintptr, _ int32) int32 {
	file, _ := of(f)
	return file.disk.note(op{kind: Sync, name: file.name})
}

func xTruncate(tls *libc.TLS, f uintptr, size int64) int32 {
	file, own := of(f)
	if code := file.disk.note(op{kind: Truncate, name: file.name, at: size}); code != 0 {
		return code
	}
	return function[func(*libc.TLS, uintptr, int64) int32](own.FxTruncate)(tls, f, size)
}

func xDelete(tls *libc.TLS, vfs, path uintptr, syncFolder int32) int32 {
	if d, name := diskOf(path); d != nil {
		if code := d.note(op{kind: Delete, name: name, at: int64(syncFolder)}); code != 0 {
			return code
		}
	}
	return function[func(*libc.TLS, uintptr, uintptr, int32) int32](all.xDelete)(tls, vfs, path, syncFolder)
}
