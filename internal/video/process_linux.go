// process_linux.go asks Linux to kill children when this process dies, whatever it dies of, limits what they may use,
// and finds the grandchildren that have left their group.

package video

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// groupAttributes puts a child into a group of its own. The kernel sends Pdeathsig when the thread that started the
// child ends; Go ends a thread only with a goroutine that locked it, and none here does.
func groupAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// limit sets what a running program and all that it starts may use. The program has run for some microseconds, in
// which its libraries are loaded; what it has allocated by then counts too. Memory is RLIMIT_DATA, not RLIMIT_AS:
// address space that nobody may write to, which allocators reserve per core, costs nothing. Nothing leaves a core
// dump: it would hold a name.
func limit(pid int, l limits) {
	_ = setLimit(pid, unix.RLIMIT_CORE, 0) // that the program has ended is found out by wait
	for resource, most := range map[int]uint64{unix.RLIMIT_DATA: l.memory, unix.RLIMIT_CPU: l.cpu,
		unix.RLIMIT_FSIZE: l.file, unix.RLIMIT_NPROC: l.processes} {
		if most > 0 {
			_ = setLimit(pid, resource, most)
		}
	}
}

// setLimit lowers a limit; one that is lower already stays.
func setLimit(pid, resource int, most uint64) error {
	var old unix.Rlimit
	if err := unix.Prlimit(pid, resource, nil, &old); err != nil {
		return err
	}
	most = min(most, old.Max)
	return unix.Prlimit(pid, resource, &unix.Rlimit{Cur: min(most, old.Cur), Max: most}, nil)
}

// machineMemory is the memory of the machine in bytes; 0 if the kernel does not say.
func machineMemory() uint64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return uint64(info.Totalram) * uint64(info.Unit)
}

// killMarked kills every process of the machine with this entry ("NAME=value") in its environment, also one that left
// the group of the program it comes from. A process that was started with an empty environment, that overwrites its
// own, or that belongs to another user, escapes.
func killMarked(entry string) {
	killWhere(func(e []byte) bool { return string(e) == entry })
}

// killLeftBehind kills what programs that worked in temporary folders with this path and prefix left behind when our
// process was killed: their TMPDIR tells.
func killLeftBehind(prefix string) {
	killWhere(func(e []byte) bool { return bytes.HasPrefix(e, []byte("TMPDIR="+prefix)) })
}

func killWhere(is func(entry []byte) bool) {
	// One that is being started while we look has no environment for a moment: only the second look in which nothing
	// is found proves that nothing is there. One that the kernel cannot kill must not keep us for ever.
	clean := 0
	for end := time.Now().Add(2 * time.Second); clean < 2 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		clean++
		if killOnce(is) {
			clean = 0
		}
	}
}

// killOnce tells whether it found such a process.
func killOnce(is func(entry []byte) bool) (found bool) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ") // without /proc there is nothing to be done
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		// The handle comes first: should the process end and its number be given to another, we kill neither.
		p, err := os.FindProcess(pid)
		if err != nil {
			continue
		}
		if environ, err := os.ReadFile(file); err == nil && has(environ, is) {
			found = true
			_ = p.Kill() // it may have ended
		}
		_ = p.Release()
	}
	return found
}

// has tells whether an environment, with a zero byte after each entry, holds such an entry.
func has(environ []byte, is func(entry []byte) bool) bool {
	for e := range bytes.SplitSeq(environ, []byte{0}) {
		if is(e) {
			return true
		}
	}
	return false
}
