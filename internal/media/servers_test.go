// Tests of a bucket on several servers, over http and https, and on services that lie, refuse and hang.

package media

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/media/s3test"
	"retake.example/internal/testserver"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"
)

// fakeS3 is a second server, of other authors. handle, unless nil, answers before it does.
func fakeS3(t *testing.T, secure bool, handle func(w http.ResponseWriter, r *http.Request, next http.Handler)) *S3 {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("videos"); err != nil {
		t.Fatal(err)
	}
	next := gofakes3.New(backend).Server()
	return serve(t, secure, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handle == nil {
			next.ServeHTTP(w, r)
			return
		}
		handle(w, r, next)
	}))
}

// serve returns a store at a service, with settings that change has changed.
func serve(t *testing.T, secure bool, h http.Handler, change ...func(*S3Config)) *S3 {
	t.Helper()
	service := httptest.NewUnstartedServer(h)
	if secure {
		service.StartTLS()
	} else {
		service.Start()
	}
	t.Cleanup(service.Close)
	c := S3Config{Endpoint: service.URL, Region: "us-east-1", Bucket: "videos", AccessKey: "key", SecretKey: "secret",
		Prefix: "retake"}
	for _, change := range change {
		change(&c)
	}
	s, err := NewS3(c, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if secure {
		pool := x509.NewCertPool()
		pool.AddCert(service.Certificate())
		s.transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// s3rver returns a store at a third server, of other authors: it keeps what it is sent as it is, also the frames of a
// body that comes in signed pieces.
func s3rver(t *testing.T, secure bool) *S3 {
	t.Helper()
	address := testserver.FreeAddress(t)
	c, args := S3Config{Endpoint: "http://" + address, Region: "us-east-1", Bucket: "videos", AccessKey: "S3RVER",
		SecretKey: "S3RVER", Prefix: "retake"}, []string{address, t.TempDir(), "videos"}
	if secure {
		certificate, key := testserver.Certificate(t)
		c.Endpoint, args = "https://"+address, append(args, certificate, key)
	}
	testserver.New(t, address, nil, "npm/s3rver.mjs", args...).Start()
	s, err := NewS3(c, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// overBoth runs a test over http and over https.
func overBoth(t *testing.T, test func(t *testing.T, secure bool)) {
	t.Helper()
	t.Run("http", func(t *testing.T) { test(t, false) })
	t.Run("https", func(t *testing.T) { test(t, true) })
}

// before is a store at a real server with something between.
func before(
	t *testing.T,
	server *s3test.Server,
	handle func(w http.ResponseWriter, r *http.Request, next http.Handler),
) *S3 {
	t.Helper()
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	onwards, err := minio.DefaultTransport(server.IsSecure())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(onwards.CloseIdleConnections)
	next := &httputil.ReverseProxy{Transport: onwards, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
	return serve(t, server.IsSecure(),
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r, next) }),
		func(c *S3Config) {
			c.Region, c.Bucket, c.AccessKey, c.SecretKey = server.Region, server.Bucket, server.AccessKey, server.SecretKey
		})
}

func codeOf(err error) string {
	var coded interface{ Code() string }
	if errors.As(err, &coded) {
		return coded.Code()
	}
	return ""
}

func TestS3_EachServerKeepsWhatItIsGiven(t *testing.T) {
	for name, open := range map[string]func(t *testing.T, secure bool) *S3{
		"versitygw": func(t *testing.T, secure bool) *S3 {
			if secure {
				return newS3(t, s3test.Secure(t), nil)
			}
			return newS3(t, s3test.New(t), nil)
		},
		"versitygw with versions": func(t *testing.T, secure bool) *S3 {
			return newS3(t, s3test.Versioned(t, secure), nil)
		},
		"gofakes3": func(t *testing.T, secure bool) *S3 { return fakeS3(t, secure, nil) },
		"s3rver":   s3rver,
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, secure bool) {
				s := open(t, secure)
				if err := s.Try(t.Context()); err != nil {
					t.Errorf("Try: %v", err)
				}
				for _, size := range []int{0, 1, partSize, partSize + 7} {
					path, want := film(t, size)
					if err := s.Put(t.Context(), "a.mp4", path, nil); err != nil {
						t.Fatalf("%d bytes: %v", size, err)
					}
					if err := Verify(t.Context(), s, "a.mp4", int64(size)); err != nil {
						t.Errorf("%d bytes: Verify: %v", size, err)
					}
					if err := Verify(t.Context(), s, "a.mp4", int64(size)+1); codeOf(err) != "media_damaged" {
						t.Errorf("%d bytes: Verify of another size: got %v; want it damaged", size, err)
					}
					file, err := s.Open(t.Context(), "a.mp4")
					if err != nil {
						t.Fatal(err)
					}
					if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, want) {
						t.Errorf("got %d bytes, %v; want the %d that were put", len(got), err, size)
					}
					file.Close()
				}
				disk, _ := newDisk(t)
				if m, err := Move(t.Context(), s, disk, []string{"a.mp4"}, func(int, int64, int64) {}); err != nil || m.Files != 1 {
					t.Errorf("Move: got %+v, %v", m, err)
				}
				if err := s.Tidy(t.Context(), "us"); err != nil {
					t.Errorf("Tidy: %v", err)
				}
				if err := s.Tidy(t.Context(), "them"); !errors.Is(err, ErrNotYours) {
					t.Errorf("Tidy by somebody else: got %v; want ErrNotYours", err)
				}
				if list := keys(t, s); len(list) > 0 {
					t.Errorf("got %q; want nothing left", list)
				}
				if !s.failed.IsZero() {
					t.Error("something is thought to fail")
				}
			})
		})
	}
}

// TestS3_WhatIsDeletedIsGoneWithAllVersions looks with the client of the service.
func TestS3_WhatIsDeletedIsGoneWithAllVersions(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		server := s3test.Versioned(t, secure)
		s := newS3(t, server, nil)
		versions := func() (n int) {
			opts := minio.ListObjectsOptions{Recursive: true, WithVersions: true}
			for o := range s.client.ListObjects(t.Context(), server.Bucket, opts) {
				if o.Err != nil {
					t.Fatal(o.Err)
				}
				if o.Key == "retake/a.mp4" {
					n++
				}
			}
			return n
		}
		for _, key := range []string{"a.mp4", "a.mp4", "a.mp4.jpg"} {
			if err := s.Put(t.Context(), key, source(t, "a film"), nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.client.RemoveObject(t.Context(), server.Bucket, "retake/a.mp4", minio.RemoveObjectOptions{}); err != nil {
			t.Fatal(err) // as a version of this program did that only hid files
		}
		if versions() < 3 {
			t.Fatal("the bucket keeps no versions: this test shows nothing")
		}
		for range 2 {
			if err := s.Delete(t.Context(), "a.mp4"); err != nil {
				t.Fatal(err)
			}
			if n := versions(); n != 0 {
				t.Errorf("got %d versions of the deleted file; want none", n)
			}
		}
		if list := keys(t, s); !slices.Equal(list, []string{"a.mp4.jpg"}) {
			t.Errorf("got %q; want the other file", list)
		}
	})
}

// refuse answers as the service does.
func refuse(w http.ResponseWriter, r *http.Request, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>No</Message></Error>`, code)
	}
}

func isFile(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/videos/retake/") }

// TestS3_ALyingServiceIsNotBelieved has every way in which an answer of success is not true.
func TestS3_ALyingServiceIsNotBelieved(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		type lie struct {
			of   func(w http.ResponseWriter, r *http.Request, next http.Handler)
			code string // of Put
		}
		body := func(change func([]byte) []byte) func(http.ResponseWriter, *http.Request, http.Handler) {
			return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Method == http.MethodPut && isFile(r) {
					text, _ := io.ReadAll(r.Body)
					text = change(text)
					r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
					r.Header.Del("Content-Md5")
					r.Header.Set("Content-Length", fmt.Sprint(len(text)))
				}
				next.ServeHTTP(w, r)
			}
		}
		for name, c := range map[string]lie{
			"it keeps nothing": {func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Method == http.MethodPut && isFile(r) {
					io.Copy(io.Discard, r.Body)
					w.Header().Set("ETag", `"900150983cd24fb0d6963f7d28e17f72"`)
					return
				}
				next.ServeHTTP(w, r)
			}, CodeLost},
			"it keeps the framing of the body too": {body(func(b []byte) []byte {
				return append([]byte("5;chunk-signature=0\r\n"), b...)
			}), CodeDamaged},
			"it keeps half":                {body(func(b []byte) []byte { return b[:len(b)/2] }), CodeDamaged},
			"it keeps as many other bytes": {body(func(b []byte) []byte { b[0] ^= 1; return b }), CodeDamaged},
		} {
			for _, size := range []int{1000, partSize + 5} {
				s := fakeS3(t, secure, c.of)
				path, _ := film(t, size)
				err := s.Put(t.Context(), "a.mp4", path, nil)
				if got := codeOf(err); got != c.code && size == 1000 || err == nil {
					t.Errorf("%s, %d bytes: Put: got %v (%q); want %s", name, size, err, got, c.code)
				}
				if !waits(err) {
					t.Errorf("%s, %d bytes: got an error that does not ask to wait: a video is lost", name, size)
				}
				if list := keys(t, s); len(list) > 0 {
					t.Errorf("%s, %d bytes: got %q kept; want nothing that is not the file", name, size, list)
				}
				if s.Ready(t.Context()) == nil || s.Try(t.Context()) == nil {
					t.Errorf("%s: Ready or Try says that all is well", name)
				}
			}
		}
	})
}

// TestS3_AnETagOfItsOwnKindIsNoDamage: a service that encrypts forms it otherwise.
func TestS3_AnETagOfItsOwnKindIsNoDamage(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		s := fakeS3(t, secure, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method == http.MethodHead || r.Method == http.MethodGet && isFile(r) {
				r.Header.Del("If-Match")
				next.ServeHTTP(&etagged{w}, r)
				return
			}
			next.ServeHTTP(w, r)
		})
		for _, size := range []int{1000, partSize + 5} {
			path, _ := film(t, size)
			if err := s.Put(t.Context(), "a.mp4", path, nil); err != nil {
				t.Errorf("%d bytes: got %v", size, err)
			}
		}
	})
}

type etagged struct{ http.ResponseWriter }

func (e *etagged) WriteHeader(status int) {
	e.Header().Set("ETag", `"00000000000000000000000000000000"`)
	e.ResponseWriter.WriteHeader(status)
}

func (e *etagged) Write(p []byte) (int, error) {
	e.Header().Set("ETag", `"00000000000000000000000000000000"`)
	return e.ResponseWriter.Write(p)
}

// TestS3_ADeletionIsTrue has every way in which one does not happen.
func TestS3_ADeletionIsTrue(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		answers := func(status int, code string) func(http.ResponseWriter, *http.Request, http.Handler) {
			return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Method == http.MethodDelete {
					if status == http.StatusNoContent {
						w.WriteHeader(status)
					} else {
						refuse(w, r, status, code)
					}
					return
				}
				next.ServeHTTP(w, r)
			}
		}
		for name, c := range map[string]struct {
			handle func(http.ResponseWriter, *http.Request, http.Handler)
			code   string
		}{
			"it works": {func(w http.ResponseWriter, r *http.Request,
				next http.Handler) {
				next.ServeHTTP(w, r)
			}, ""},
			"it is forbidden":                   {answers(403, "AccessDenied"), CodePermission},
			"the file is locked":                {answers(400, "InvalidRequest"), CodeRefused},
			"the key is not known":              {answers(403, "InvalidAccessKeyId"), CodeAccessKey},
			"it says so, and does not":          {answers(204, ""), CodeKept},
			"a proxy says that it is not there": {answers(404, "NoSuchKey"), CodeKept},
			"old versions may not be deleted": {func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				switch {
				case r.Method == http.MethodDelete && !r.URL.Query().Has("versionId"):
					w.Header().Set("X-Amz-Delete-Marker", "true")
					w.Header().Set("X-Amz-Version-Id", "2")
					w.WriteHeader(http.StatusNoContent)
				case r.URL.Query().Has("versions"):
					refuse(w, r, http.StatusForbidden, "AccessDenied")
				default:
					next.ServeHTTP(w, r)
				}
			}, CodeVersions},
		} {
			s := fakeS3(t, secure, c.handle)
			if err := s.Put(t.Context(), "a.mp4", source(t, "a film"), nil); err != nil {
				t.Fatal(err)
			}
			err := s.Delete(t.Context(), "a.mp4")
			if got := codeOf(err); got != c.code || (err == nil) != (c.code == "") {
				t.Errorf("%s: got %v (%q); want code %q", name, err, got, c.code)
			}
			if c.code != "" && !waits(err) {
				t.Errorf("%s: got an error that does not ask to try again", name)
			}
			if err := s.Try(t.Context()); (err == nil) != (c.code == "") {
				t.Errorf("%s: Try: got %v", name, err)
			}
		}
	})
}

// TestS3_EachRefusalHasItsCodeAndWords asks in every way there is.
func TestS3_EachRefusalHasItsCodeAndWords(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		for _, c := range []struct {
			status     int
			code, want string
			words      string
		}{
			{404, "NoSuchBucket", CodeBucket, `there is no bucket "videos"`},
			{403, "InvalidAccessKeyId", CodeAccessKey, "media.s3.access_key"},
			{403, "SignatureDoesNotMatch", CodeSecretKey, "media.s3.secret_key"},
			{403, "AccessDenied", CodePermission, "needs permission"},
			{401, "Whatever", CodePermission, "needs permission"},
			{403, "RequestTimeTooSkewed", CodeClock, "the clock of this computer is wrong"},
			{400, "AuthorizationHeaderMalformed", CodeRegion, "media.s3.region"},
			{400, "IllegalLocationConstraintException", CodeRegion, "media.s3.region"},
			{403, "QuotaExceeded", CodeQuota, "no room left"},
			{403, "XMinioAdminBucketQuotaExceeded", CodeQuota, "no room left"},
			{507, "InsufficientStorage", CodeQuota, "no room left"},
			{429, "TooManyRequests", CodeBusy, "is busy"},
			{400, "Whatever", CodeRefused, "refuses: Whatever No"},
			{405, "MethodNotAllowed", CodePermission, "needs permission"},
		} {
			s := serve(
				t,
				secure,
				http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { refuse(w, r, c.status, c.code) }),
			)
			_, opened := s.Open(t.Context(), "a.mp4")
			for how, err := range map[string]error{"Ready": s.Ready(t.Context()), "Try": s.Try(t.Context()), "Open": opened,
				"Put":  s.Put(t.Context(), "a.mp4", source(t, "x"), nil),
				"Keys": s.Keys(t.Context(), func([]string) error { return nil })} {
				if got := codeOf(err); got != c.want || !strings.Contains(fmt.Sprint(err), c.words) {
					t.Errorf("%d %s: %s: got %q, %v; want %q with %q", c.status, c.code, how, got, err, c.want, c.words)
				}
				if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
					t.Errorf("%d %s: %s: got more than a line: %q", c.status, c.code, how, err)
				}
			}
		}
		// What is no answer of the service.
		for name, h := range map[string]http.HandlerFunc{
			"a proxy's page": func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadGateway)
				io.WriteString(w, "<html><h1>502 Bad Gateway</h1></html>")
			},
			"a cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		} {
			s := serve(t, secure, h)
			if err := within(t.Context(), readiness, s.look); codeOf(err) != CodeUnreachable || !waits(err) {
				t.Errorf("%s: got %v; want the service unreachable", name, err)
			}
		}
	})
}

// TestS3_ABucketThatReadsAndRefusesWritesIsGivenUp: reading must not turn back the clock of writing.
func TestS3_ABucketThatReadsAndRefusesWritesIsGivenUp(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		s := before(t, server, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method == http.MethodPut {
				io.Copy(io.Discard, r.Body)
				refuse(w, r, http.StatusForbidden, "QuotaExceeded")
				return
			}
			next.ServeHTTP(w, r)
		})
		direct := newS3(t, server, nil)
		if err := direct.Put(t.Context(), "there.mp4", source(t, "a film"), nil); err != nil {
			t.Fatal(err)
		}
		put := func() error { return s.Put(t.Context(), "a.mp4", source(t, "x"), nil) }
		if err := put(); !waits(err) {
			t.Fatalf("got %v; want a wait", err)
		}
		age := func(kind call, since, last time.Duration) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.failed[kind] = struct{ since, last time.Time }{time.Now().Add(-since), time.Now().Add(-last)}
		}
		age(writes, 2*s.patience, time.Minute)
		file, err := s.Open(t.Context(), "there.mp4")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := io.ReadAll(file); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.look(t.Context()), s.Delete(t.Context(), "other.mp4")); err != nil {
			t.Fatal(err)
		}
		if err := put(); err == nil || waits(err) {
			t.Errorf("after patience, with reads between: got %v; want an error that does not ask to wait", err)
		}
		if err := s.Ready(t.Context()); err == nil || waits(err) {
			t.Errorf("Ready: got %v; want an error that does not ask to wait", err)
		}
		// A failure of this morning is not an outage of all day: nobody asked in between.
		age(writes, 23*time.Hour, 22*time.Hour)
		if err := put(); !waits(err) {
			t.Errorf("after a failure long ago: got %v; want a new wait", err)
		}
	})
}

// TestS3_ReadyTriesAfterARefusalWhateverCameBetween refuses a file, then breaks the connection, then only reads.
func TestS3_ReadyTriesAfterARefusalWhateverCameBetween(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		var mode atomic.Value
		mode.Store("well")
		var puts atomic.Int64
		s := fakeS3(t, secure, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method == http.MethodPut {
				puts.Add(1)
				switch mode.Load() {
				case "refuses":
					refuse(w, r, http.StatusForbidden, "AccessDenied")
					return
				case "breaks":
					panic(http.ErrAbortHandler)
				}
			}
			next.ServeHTTP(w, r)
		})
		put := func() error { return s.Put(t.Context(), "a.mp4", source(t, "x"), nil) }
		if err := errors.Join(put(), s.Ready(t.Context())); err != nil || puts.Load() != 1 {
			t.Fatalf("got %v, %d files sent; want all well, and no more than a look", err, puts.Load())
		}
		for _, m := range []string{"refuses", "breaks"} {
			mode.Store(m)
			if put() == nil {
				t.Fatal("got no error")
			}
		}
		mode.Store("refuses")
		if err := s.Ready(t.Context()); codeOf(err) != CodePermission {
			t.Errorf("got %v; want Ready to try, and to be refused", err)
		}
		mode.Store("well")
		sent := puts.Load()
		if err := s.Ready(t.Context()); err != nil || puts.Load() != sent+1 {
			t.Errorf("got %v; want Ready to try, and all to be well", err)
		}
		if err := s.Ready(t.Context()); err != nil || puts.Load() != sent+1 {
			t.Errorf("got %v, a file more; want no more than a look", err)
		}
	})
}

// TestS3_AHangingServiceCostsEachStepItsOwnTime asks a service that answers nothing, and one that is slow at
// everything.
func TestS3_AHangingServiceCostsEachStepItsOwnTime(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		hang := make(chan bool)
		s := serve(t, secure, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}))
		defer close(hang)
		began := time.Now()
		err := within(t.Context(), 100*time.Millisecond, s.look)
		if codeOf(err) != CodeUnreachable || !waits(err) || !strings.Contains(err.Error(), "no answer within 100ms") {
			t.Errorf("got %v after %v; want no answer within 100ms", err, time.Since(began))
		}
		remove := func(ctx context.Context) error { return s.remove(ctx, "a.mp4") }
		if err := within(t.Context(), 100*time.Millisecond, remove); codeOf(err) != CodeUnreachable {
			t.Errorf("deleting: got %v; want no answer", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Ready(ctx); !errors.Is(err, context.Canceled) || waits(err) {
			t.Errorf("a reader who left: got %v; want the end of ctx", err)
		}
	})
}

// TestS3_ABucketThatListsNoUploadsIsTidied has services without that call.
func TestS3_ABucketThatListsNoUploadsIsTidied(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		for status, code := range map[int]string{501: "NotImplemented", 405: "MethodNotAllowed", 403: "AccessDenied",
			400: "InvalidArgument"} {
			s := fakeS3(t, secure, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.URL.Query().Has("uploads") {
					refuse(w, r, status, code)
					return
				}
				next.ServeHTTP(w, r)
			})
			if err := s.Tidy(t.Context(), "us"); err != nil {
				t.Errorf("%s: got %v; want the bucket to be ours", code, err)
			}
		}
	})
}

// TestVerify_AFileThatChangedIsNotHandedOn changes it behind the store's back.
func TestVerify_AFileThatChangedIsNotHandedOn(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		s := newS3(t, server, nil)
		if err := s.Put(t.Context(), "a.mp4", source(t, "a film"), nil); err != nil {
			t.Fatal(err)
		}
		info, err := s.client.StatObject(t.Context(), server.Bucket, "retake/a.mp4", minio.StatObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		other := "A film"
		if _, err := s.client.PutObject(t.Context(), server.Bucket, "retake/a.mp4", strings.NewReader(other),
			int64(len(other)),
			minio.PutObjectOptions{UserMetadata: map[string]string{sumHeader: info.UserMetadata[sumKey]}}); err != nil {
			t.Fatal(err)
		}
		if err := Verify(t.Context(), s, "a.mp4", 6); codeOf(err) != "media_damaged" {
			t.Errorf("got %v; want it damaged", err)
		}
		disk, _ := newDisk(t)
		if err := disk.Put(t.Context(), "a.mp4", source(t, "a film"), nil); err != nil {
			t.Fatal(err)
		}
		for size, want := range map[int64]string{0: "", 6: "", 7: "media_damaged", 5: "media_damaged"} {
			if err := Verify(t.Context(), disk, "a.mp4", size); codeOf(err) != want || (err == nil) != (want == "") {
				t.Errorf("on disk, %d bytes: got %v; want %q", size, err, want)
			}
		}
		for _, store := range []Store{s, disk} {
			if err := Verify(t.Context(), store, "none.mp4", 0); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a file that is not there: got %v; want fs.ErrNotExist", err)
			}
		}
	})
}

// TestReport_AStreamThatBreaksOffIsReported serves a file from a bucket that breaks off after the header.
func TestReport_AStreamThatBreaksOffIsReported(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		var broken atomic.Bool
		s := fakeS3(t, secure, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if broken.Load() && r.Method == http.MethodGet && isFile(r) {
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		})
		path, _ := film(t, 300_000)
		if err := s.Put(t.Context(), "a.mp4", path, nil); err != nil {
			t.Fatal(err)
		}
		var reports []error
		page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			file, err := s.Open(r.Context(), "a.mp4")
			if err != nil {
				t.Error(err)
				return
			}
			defer file.Close()
			f := Report(file)
			http.ServeContent(w, r, "a.mp4", time.Time{}, f)
			reports = append(reports, f.Err())
		}))
		get := func() error {
			answer, err := http.Get(page.URL)
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			_, err = io.Copy(io.Discard, answer.Body)
			return err
		}
		if err := get(); err != nil {
			t.Error(err)
		}
		broken.Store(true)
		if err := get(); err == nil {
			t.Error("got a whole answer; want one that breaks off")
		}
		page.Close()
		if len(reports) != 2 || reports[0] != nil || codeOf(reports[1]) != CodeUnreachable {
			t.Errorf("got %v; want nothing, then what broke off", reports)
		}
		if got := (&Reported{err: context.Canceled}).Err(); got != nil {
			t.Errorf("a reader who left: got %v; want nothing", got)
		}
	})
}
