// network_linux.go starts ffmpeg and ffprobe without a network: besides their own list of protocols, the kernel refuses
// them every socket.

package video

import (
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"retake.example/internal/routine"
)

// withoutNetwork calls start on a thread that can open no socket. What start starts can't either, nor can its children.
// Where the kernel does not know how to refuse that, there is ffmpeg's list of protocols alone.
func withoutNetwork(start func() error) error {
	failed := make(chan error, 1)
	closedThread() <- func() { failed <- routine.Call(start) }
	return <-failed
}

// closedThread is what a thread without a network has to do. The thread never ends: the kernel kills what a thread has
// started when it does. Go starts no other threads from a locked one, so none of them lacks the network.
var closedThread = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	routine.Go(func() error {
		runtime.LockOSThread()
		_ = refuseSockets()
		for start := range work {
			start()
		}
		return nil
	})
	return work
})

// foreign is the first number of a system call of x32, the second set of calls of amd64.
const foreign = 0x40000000

// refuseSockets makes the kernel refuse this thread, and all that it starts from now on, new sockets, and io_uring, by
// which there are sockets, too. It works for any user, also in a container and under systemd's restrictions.
func refuseSockets() error {
	own, ok := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	if !ok {
		return unix.ENOSYS
	}
	const (
		load, equal  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		least, give  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, unix.BPF_RET | unix.BPF_K
		number, arch = 0, 4 // where struct seccomp_data has them
	)
	filter := []unix.SockFilter{
		{Code: load, K: arch},
		{Code: equal, Jf: 5, K: own}, // refuse
		{Code: load, K: number},
		{Code: least, Jt: 3, K: foreign},
		{Code: equal, Jt: 2, K: unix.SYS_SOCKET},
		{Code: equal, Jt: 1, K: unix.SYS_IO_URING_SETUP},
		{Code: give, K: unix.SECCOMP_RET_ALLOW},
		{Code: give, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}
