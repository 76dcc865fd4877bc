// Package s3test runs a real S3 server for tests: versitygw, on this computer, with a folder of its own.
package s3test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Server is an S3 server with one bucket.
type Server struct {
	Address              string // host and port; http
	Region, Bucket       string
	AccessKey, SecretKey string

	t        testing.TB
	dir      string
	versions string    // a folder for them; "": none are kept
	cmd      *exec.Cmd // nil: it is stopped
}

// Versioned makes a server whose bucket keeps old versions of files.
func Versioned(s *Server) { s.versions = s.t.TempDir() }

// New starts a server, which ends with the test.
func New(t testing.TB, change ...func(*Server)) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s := &Server{Address: l.Addr().String(), Region: "us-east-1", Bucket: "videos", AccessKey: "tester",
		SecretKey: "a-secret-of-the-tests", t: t, dir: t.TempDir()}
	for _, change := range change {
		change(s)
	}
	t.Cleanup(s.Stop)
	s.Start()
	client, err := minio.New(s.Address, &minio.Options{Creds: credentials.NewStaticV4(s.AccessKey, s.SecretKey, ""),
		Region: s.Region})
	if err == nil {
		err = client.MakeBucket(t.Context(), s.Bucket, minio.MakeBucketOptions{})
	}
	if err == nil && s.versions != "" {
		err = client.EnableVersioning(t.Context(), s.Bucket)
	}
	if err != nil {
		t.Fatalf("make a bucket: %v", err)
	}
	return s
}

// Start starts a stopped server, at the same address and with all its files. It returns when the server listens.
func (s *Server) Start() {
	s.t.Helper()
	args := []string{"--port", s.Address, "--quiet", "posix"}
	if s.versions != "" {
		args = append(args, "--versioning-dir", s.versions)
	}
	s.cmd = exec.Command(tool(s.t), append(args, s.dir)...)
	s.cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp", s.Address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the S3 server does not listen: %v", err)
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

// tool finds the server's program, which packaging/versitygw.sh puts beside the source.
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
	path := filepath.Join(dir, "build", "versitygw")
	if _, err := os.Stat(path); err != nil {
		t.Fatal("build/versitygw is missing: make test and packaging/versitygw.sh install it")
	}
	return path
}
