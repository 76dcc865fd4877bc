// process_linux.go asks Linux to kill children when this process dies, whatever it dies of.

package video

import "syscall"

// groupAttributes puts a child into a group of its own. The kernel sends Pdeathsig when the thread that started the
// child ends; Go ends a thread only with a goroutine that locked it, and none here does.
func groupAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
