// process_other.go is for systems that cannot kill children when this process dies, nor tell the environment of others:
// a hung one has to be ended by hand.

//go:build !linux

package video

import "syscall"

func groupAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killMarked(string) {}
