// Package s3test runs a real S3 server for tests: versitygw, on this computer, with a folder of its own.
package s3test

import (
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"retake.example/internal/testserver"
)

// Server is an S3 server with one bucket, without TLS.
type Server struct {
	*testserver.Server
	Region, Bucket       string
	AccessKey, SecretKey string
}

// New starts a server, which ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	return start(t)
}

// Versioned starts a server whose bucket keeps old versions of files.
func Versioned(t testing.TB) *Server {
	t.Helper()
	s := start(t, "--versioning-dir", t.TempDir())
	if err := s.client(t).EnableVersioning(t.Context(), s.Bucket); err != nil {
		t.Fatalf("keep versions: %v", err)
	}
	return s
}

func start(t testing.TB, more ...string) *Server {
	t.Helper()
	address := testserver.FreeAddress(t)
	s := &Server{Region: "us-east-1", Bucket: "videos", AccessKey: "tester", SecretKey: "a-secret-of-the-tests"}
	args := append([]string{"--port", address, "--quiet", "posix"}, append(more, t.TempDir())...)
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
	c, err := minio.New(s.Address, &minio.Options{Creds: credentials.NewStaticV4(s.AccessKey, s.SecretKey, ""),
		Region: s.Region})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
