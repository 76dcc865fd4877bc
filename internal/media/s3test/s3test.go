// Package s3test runs a real S3 server for tests: versitygw, on this computer, with a folder of its own.
package s3test

import (
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"retake.example/internal/testserver"
)

// Server is an S3 server with one bucket.
type Server struct {
	*testserver.Server
	URL                  string // where it answers
	Region, Bucket       string
	AccessKey, SecretKey string
}

// New starts a server without TLS, which ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	return start(t, false)
}

// Secure starts a server with TLS, whose certificate clients trust that are made after it in the same test.
func Secure(t testing.TB) *Server {
	t.Helper()
	return start(t, true)
}

// Versioned starts a server whose bucket keeps old versions of files.
func Versioned(t testing.TB, secure bool) *Server {
	t.Helper()
	s := start(t, secure, "--versioning-dir", t.TempDir())
	if err := s.client(t).EnableVersioning(t.Context(), s.Bucket); err != nil {
		t.Fatalf("keep versions: %v", err)
	}
	return s
}

// Each runs a test with a server over http, and again with one over https.
func Each(t *testing.T, test func(t *testing.T, server *Server)) {
	t.Helper()
	t.Run("http", func(t *testing.T) { test(t, New(t)) })
	t.Run("https", func(t *testing.T) { test(t, Secure(t)) })
}

// IsSecure reports whether it speaks TLS.
func (s *Server) IsSecure() bool { return strings.HasPrefix(s.URL, "https:") }

func start(t testing.TB, secure bool, more ...string) *Server {
	t.Helper()
	address := testserver.FreeAddress(t)
	s := &Server{URL: "http://" + address, Region: "us-east-1", Bucket: "videos", AccessKey: "tester",
		SecretKey: "a-secret-of-the-tests"}
	args := []string{"--port", address, "--quiet"}
	if secure {
		certificate, key := testserver.Certificate(t)
		s.URL, args = "https://"+address, append(args, "--cert", certificate, "--key", key)
	}
	args = append(append(append(args, "posix"), more...), t.TempDir())
	s.Server = testserver.New(t, address,
		[]string{"ROOT_ACCESS_KEY=" + s.AccessKey, "ROOT_SECRET_KEY=" + s.SecretKey}, "versitygw", args...)
	s.Start()
	if err := s.client(t).MakeBucket(t.Context(), s.Bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatalf("make a bucket: %v", err)
	}
	return s
}

func (s *Server) client(t testing.TB) *minio.Client {
	t.Helper()
	transport, err := minio.DefaultTransport(s.IsSecure())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := minio.New(s.Address, &minio.Options{Creds: credentials.NewStaticV4(s.AccessKey, s.SecretKey, ""),
		Region: s.Region, Secure: s.IsSecure(), Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
