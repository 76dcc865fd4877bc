// Package natstest runs real NATS servers for tests: nats-server with JetStream, on this computer, each with a folder
// of its own.
package natstest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retake.example/internal/testserver"
)

// Server is one node.
type Server struct {
	*testserver.Server
	config string
}

// URL is what clients connect to.
func (s *Server) URL() string { return "nats://" + s.Address }

// New starts one node, which ends with the test. extra are more lines of its configuration.
func New(t testing.TB, extra ...string) *Server {
	t.Helper()
	s := node(t, "one", testserver.FreeAddress(t), strings.Join(extra, "\n"))
	s.Start()
	return s
}

// Cluster starts three nodes that share their streams.
func Cluster(t testing.TB) (nodes []*Server) {
	t.Helper()
	var routes, ports []string
	for range 3 {
		ports = append(ports, testserver.FreeAddress(t))
		routes = append(routes, "nats-route://"+ports[len(ports)-1])
	}
	for i, port := range ports {
		nodes = append(nodes, node(t, fmt.Sprint("node", i), testserver.FreeAddress(t), fmt.Sprintf(
			"cluster { name: farm, listen: %q, routes: [%s] }", port, strings.Join(routes, ", "))))
	}
	for _, s := range nodes {
		s.Launch()
	}
	for _, s := range nodes {
		s.Wait()
	}
	return nodes
}

// node writes the configuration of a node.
func node(t testing.TB, name, address, extra string) *Server {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "nats.conf")
	text := fmt.Sprintf("server_name: %s\nlisten: %q\njetstream { store_dir: %q, sync_interval: always }\n%s\n", name,
		address, filepath.Join(dir, "store"), extra)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &Server{testserver.New(t, address, nil, "nats-server", "-c", config), config}
}

// Change replaces a text in the configuration of a stopped node.
func (s *Server) Change(t testing.TB, old, now string) {
	t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q", s.config, old)
	}
	if err := os.WriteFile(s.config, []byte(strings.Replace(string(text), old, now, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}
