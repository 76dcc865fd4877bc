// process_other.go is for systems that cannot kill children when this process dies, limit them from outside or tell
// the environment of others: a hung one has to be ended by hand, and ffmpeg has its list of protocols alone.

//go:build !linux

package video

import "syscall"

func groupAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func limit(int, limits) {}

func machineMemory() uint64 { return 0 }

func killMarked(string) {}

func killLeftBehind(string) {}

func withoutNetwork(start func() error) error { return start() }
