// process_linux.go asks Linux to kill children when this process dies, whatever it dies of, and finds the grandchildren
// that have left their group.

package video

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// groupAttributes puts a child into a group of its own. The kernel sends Pdeathsig when the thread that started the
// child ends; Go ends a thread only with a goroutine that locked it, and none here does.
func groupAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// killMarked kills every process of the machine that was started with this entry ("NAME=value") in its environment, also
// one that left the group of the program it comes from. A process that was started with an empty environment, that
// overwrites its own, or that belongs to another user, escapes.
func killMarked(entry string) {
	// One that is being started while we look has no environment for a moment: only the second look in which nothing
	// is found proves that nothing is there. One that the kernel cannot kill must not keep us for ever.
	clean := 0
	for end := time.Now().Add(2 * time.Second); clean < 2 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		clean++
		if killMarkedOnce([]byte(entry)) {
			clean = 0
		}
	}
}

// killMarkedOnce tells whether it found such a process.
func killMarkedOnce(entry []byte) (found bool) {
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
		if environ, err := os.ReadFile(file); err == nil && has(environ, entry) {
			found = true
			_ = p.Kill() // it may have ended
		}
		_ = p.Release()
	}
	return found
}

// has tells whether an environment, with a zero byte after each entry, holds this one.
func has(environ, entry []byte) bool {
	for e := range bytes.SplitSeq(environ, []byte{0}) {
		if bytes.Equal(e, entry) {
			return true
		}
	}
	return false
}
