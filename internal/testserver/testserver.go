// Package testserver runs real servers for tests: programs of build/, as processes on this computer.
package testserver

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Server is a server that tests kill and start again.
type Server struct {
	Address string // host and port

	t       testing.TB
	program string
	args    []string
	env     []string
	cmd     *exec.Cmd // nil: it is stopped
}

// New returns a server that is not started. It ends with the test. The program is one of build/, the arguments have it
// listen at the address, and env are more variables.
func New(t testing.TB, address string, env []string, program string, args ...string) *Server {
	s := &Server{Address: address, t: t, program: program, args: args, env: env}
	t.Cleanup(s.Stop)
	return s
}

// FreeAddress returns an address of this computer that nothing listens at.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Start starts a stopped server, at the same address and with all it has stored. It returns when the server listens.
func (s *Server) Start() {
	s.t.Helper()
	s.Launch()
	s.Wait()
}

// Launch starts a stopped server and does not wait.
func (s *Server) Launch() {
	s.t.Helper()
	s.cmd = exec.Command(Program(s.t, s.program), s.args...)
	s.cmd.Env = append(os.Environ(), s.env...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// Wait returns when the server listens.
func (s *Server) Wait() {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp", s.Address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s does not listen: %v", s.program, err)
		}
		time.Sleep(20 * time.Millisecond) // until it listens
	}
}

// Stop kills the server.
func (s *Server) Stop() {
	if s.cmd != nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		s.cmd = nil
	}
}

// Program returns the path of a program of build/, which is beside the source.
func Program(t testing.TB, program string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("there is no go.mod here or above")
		}
	}
	path := filepath.Join(dir, "build", program)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("build/%s is missing: make test, packaging/testservers.sh and packaging/npmservers.sh install it", program)
	}
	return path
}
