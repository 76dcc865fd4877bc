// Package natstest runs real NATS servers for tests: nats-server with JetStream, on this computer, each with a folder
// of its own.
package natstest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Server is one node.
type Server struct {
	Address string // host and port

	t      testing.TB
	config string
	cmd    *exec.Cmd // nil: it is stopped
}

// URL is what clients connect to.
func (s *Server) URL() string { return "nats://" + s.Address }

// New starts one node, which ends with the test. extra are more lines of its configuration.
func New(t testing.TB, extra ...string) *Server {
	t.Helper()
	s := node(t, "one", freePort(t), strings.Join(extra, "\n"))
	s.Start()
	return s
}

// Cluster starts three nodes that share their streams.
func Cluster(t testing.TB) (nodes []*Server) {
	t.Helper()
	var routes, ports []string
	for range 3 {
		ports = append(ports, freePort(t))
		routes = append(routes, "nats-route://"+ports[len(ports)-1])
	}
	for i, port := range ports {
		nodes = append(nodes, node(t, fmt.Sprint("node", i), freePort(t), fmt.Sprintf(
			"cluster { name: farm, listen: %q, routes: [%s] }", port, strings.Join(routes, ", "))))
	}
	for _, s := range nodes {
		s.launch()
	}
	for _, s := range nodes {
		s.wait()
	}
	return nodes
}

// node writes the configuration of a node.
func node(t testing.TB, name, address, extra string) *Server {
	t.Helper()
	dir := t.TempDir()
	s := &Server{Address: address, t: t, config: filepath.Join(dir, "nats.conf")}
	text := fmt.Sprintf("server_name: %s\nlisten: %q\njetstream { store_dir: %q, sync_interval: always }\n%s\n", name,
		address, filepath.Join(dir, "store"), extra)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Start starts a stopped node, at the same address and with all it has stored. It returns when the node listens.
func (s *Server) Start() {
	s.t.Helper()
	s.launch()
	s.wait()
}

func (s *Server) launch() {
	s.t.Helper()
	s.cmd = exec.Command(tool(s.t), "-c", s.config)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) wait() {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp", s.Address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the NATS server does not listen: %v", err)
		}
		time.Sleep(20 * time.Millisecond) // until it listens
	}
}

// Stop kills the node.
func (s *Server) Stop() {
	if s.cmd != nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		s.cmd = nil
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// tool finds the server's program, which packaging/natsserver.sh puts beside the source.
func tool(t testing.TB) string {
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
	path := filepath.Join(dir, "build", "nats-server")
	if _, err := os.Stat(path); err != nil {
		t.Fatal("build/nats-server is missing: make test and packaging/natsserver.sh install it")
	}
	return path
}
