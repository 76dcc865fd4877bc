package media

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/media/s3test"
)

// newS3 prepares a store at a server, or, when an address is given, at what stands before it.
func newS3(t *testing.T, server *s3test.Server, change func(*S3Config)) *S3 {
	t.Helper()
	c := S3Config{
		Endpoint:  server.URL,
		Region:    server.Region,
		Bucket:    server.Bucket,
		AccessKey: server.AccessKey,
		SecretKey: server.SecretKey,
		Prefix:    "retake",
	}
	if change != nil {
		change(&c)
	}
	s, err := NewS3(c, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// film writes a file of random bytes.
func film(t *testing.T, size int) (path string, content []byte) {
	t.Helper()
	content = make([]byte, size)
	rand.Read(content)
	path = filepath.Join(t.TempDir(), "film")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, content
}

func keys(t *testing.T, s Store) []string {
	t.Helper()
	var list []string
	if err := s.Keys(t.Context(), func(keys []string) error { list = append(list, keys...); return nil }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// waits reports whether an error asks a job to wait.
func waits(err error) bool {
	var w interface{ RetryAfter() (time.Duration, bool) }
	if !errors.As(err, &w) {
		return false
	}
	after, yes := w.RetryAfter()
	return yes && after > 0
}

func TestABucketKeepsLargeAndSmallFilesAndGivesAnyPartOfThem(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		s := newS3(t, server, nil)
		for name, size := range map[string]int{"an empty file": 0, "a picture": 50_000, "a video in parts": 41 << 20} {
			t.Run(name, func(t *testing.T) {
				path, want := film(t, size)
				var sent []int64
				if err := s.Put(t.Context(), "a.mp4", path, func(n int64) { sent = append(sent, n) }); err != nil {
					t.Fatal(err)
				}
				if !slices.IsSorted(sent) || size > 0 && sent[len(sent)-1] != int64(size) {
					t.Errorf("got progress %v; want it to grow to %d", sent, size)
				}
				f, err := s.Open(t.Context(), "a.mp4")
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if got, err := io.ReadAll(f); err != nil || sha256.Sum256(got) != sha256.Sum256(want) {
					t.Errorf("got %d bytes, %v; want the %d that were put", len(got), err, len(want))
				}
				for _, at := range []int{size, size - 1, size / 2, 0, size * 2 / 3, size / 3} {
					if at < 0 {
						continue
					}
					if to, err := f.Seek(int64(at), io.SeekStart); err != nil || to != int64(at) {
						t.Fatalf("seek to %d: got %d, %v", at, to, err)
					}
					part := make([]byte, min(5000, size-at))
					if _, err := io.ReadFull(f, part); err != nil || !bytes.Equal(part, want[at:at+len(part)]) {
						t.Errorf("at %d: got %v, or other bytes; want those of the file", at, err)
					}
				}
				if end, err := f.Seek(0, io.SeekEnd); err != nil || end != int64(size) {
					t.Errorf("got the end at %d, %v; want %d", end, err, size)
				}
				if n, err := f.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("at the end: got %d, %v; want io.EOF", n, err)
				}
			})
		}
		for range 2 { // the second time there is nothing to delete, which is no error
			if err := s.Delete(t.Context(), "a.mp4"); err != nil {
				t.Error(err)
			}
		}
		if _, err := s.Open(t.Context(), "a.mp4"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v; want fs.ErrNotExist", err)
		}
		if list := keys(t, s); len(list) != 0 {
			t.Errorf("got %q; want nothing left", list)
		}
	})
}

func TestABucketIsSharedByFolders(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		ours, all := newS3(
			t,
			server,
			func(c *S3Config) { c.Prefix = "/a/b/" },
		), newS3(
			t,
			server,
			func(c *S3Config) { c.Prefix = "" },
		)
		for s, key := range map[*S3]string{ours: "ours.mp4", all: "other.mp4"} {
			if err := s.Put(t.Context(), key, source(t, "x"), nil); err != nil {
				t.Fatal(err)
			}
		}
		if list := keys(t, ours); !slices.Equal(list, []string{"ours.mp4"}) {
			t.Errorf("got %q; want the file of the folder", list)
		}
		if list := keys(t, all); !slices.Equal(list, []string{"other.mp4"}) {
			t.Errorf("got %q; want the file that is in no folder", list)
		}
		if _, err := ours.Open(t.Context(), "other.mp4"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v; want fs.ErrNotExist for a file of somebody else", err)
		}
		for _, key := range []string{"", ".", "../other.mp4", "a/b", ".retake-x"} {
			_, err := ours.Open(t.Context(), key)
			if err == nil || errors.Is(err, fs.ErrNotExist) || ours.Put(t.Context(), key, source(t, "x"), nil) == nil ||
				ours.Delete(t.Context(), key) == nil {
				t.Errorf("%q is taken for a key", key)
			}
		}
	})
}

func TestWhatIsWrongWithTheSettingsIsSaidInASentence(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close() // nobody listens there now
		for name, c := range map[string]struct {
			change func(*S3Config)
			want   string
		}{
			"all is well": {nil, ""},
			"a bucket":    {func(c *S3Config) { c.Bucket = "pictures" }, `media.s3.bucket: there is no bucket "pictures"`},
			"an access key": {func(c *S3Config) { c.AccessKey = "nobody" },
				"media.s3.access_key: the media store does not know this key"},
			"a secret key": {func(c *S3Config) { c.SecretKey = "a-wrong-secret" },
				"media.s3.secret_key: this is not the secret of the access key"},
			"a region": {func(c *S3Config) { c.Region = "mars-1" }, `media.s3.region: the bucket "videos" is not in the ` +
				`region "mars-1"`},
			"an address": {func(c *S3Config) { c.Endpoint = "http://" + l.Addr().String() }, "cannot be reached: dial tcp"},
		} {
			t.Run(name, func(t *testing.T) {
				s := newS3(t, server, c.change)
				for how, err := range map[string]error{"Ready": s.Ready(t.Context()), "Try": s.Try(t.Context()),
					"Put": s.Put(t.Context(), "a.jpg", source(t, "x"), nil)} {
					switch {
					case c.want == "" && err != nil:
						t.Errorf("%s: got %v; want all to be well", how, err)
					case c.want == "":
					case err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n"):
						t.Errorf("%s: got %v; want one sentence with %q", how, err, c.want)
					case !waits(err):
						t.Errorf("%s: got an error that does not ask to wait; want a job to wait until the settings are right", how)
					case strings.Contains(err.Error(), s.config.SecretKey):
						t.Errorf("%s: the secret is in %q", how, err)
					}
				}
			})
		}
		s := newS3(t, server, nil)
		if _, err := newS3(t, server, func(c *S3Config) { c.Bucket = "pictures" }).Open(t.Context(), "a.jpg"); errors.Is(
			err,
			fs.ErrNotExist,
		) ||
			!waits(err) {
			t.Errorf("a file of a bucket that is gone: got %v; want a wait, not that it never was", err)
		}
		if list := keys(t, s); !slices.Equal(list, []string{"a.jpg"}) {
			t.Errorf("got %q; want nothing of what Ready and Try keep", list)
		}
	})
}

func TestAServiceThatIsAwayIsWaitedForAndThenNotForEver(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		s := newS3(t, server, nil)
		path, want := film(t, 20<<20)
		if err := s.Put(t.Context(), "a.mp4", path, nil); err != nil {
			t.Fatal(err)
		}
		file, err := s.Open(t.Context(), "a.mp4")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		server.Stop()
		all := func() map[string]error {
			_, opened := s.Open(t.Context(), "a.mp4")
			listed := s.Keys(t.Context(), func([]string) error { return nil })
			_, read := file.Read(make([]byte, 1))
			return map[string]error{"Put": s.Put(t.Context(), "b.mp4", path, nil), "Open": opened, "Keys": listed, "Read": read,
				"Delete": s.Delete(t.Context(), "a.mp4"), "Ready": s.Ready(t.Context())}
		}
		for how, err := range all() {
			if !waits(err) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: got %v; want an error that asks to wait", how, err)
			}
		}
		s.patience = 0
		for how, err := range all() {
			if err == nil || waits(err) {
				t.Errorf("%s, when patience is over: got %v; want an error that does not ask to wait", how, err)
			}
		}
		server.Start()
		if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, %v; want the file, by the same reader", len(got), err)
		}
		if err := errors.Join(s.Put(t.Context(), "b.mp4", path, nil), s.Ready(t.Context())); err != nil {
			t.Errorf("got %v; want all to be well again", err)
		}
		if !s.failed.IsZero() {
			t.Error("it does not know that all is well again: the next time away would be short")
		}
	})
}

func TestAPutThatIsStoppedLeavesNothing(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		s := newS3(t, server, nil)
		path, _ := film(t, 40<<20)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := s.Put(ctx, "a.mp4", path, func(sent int64) {
			if sent > 20<<20 {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) || waits(err) {
			t.Errorf("got %v; want context.Canceled", err)
		}
		if err := s.Put(t.Context(), "b.mp4", "/nothing/here", nil); !errors.Is(err, fs.ErrNotExist) || waits(err) {
			t.Errorf("a file that is not there: got %v; want fs.ErrNotExist", err)
		}
		if list := keys(t, s); len(list) != 0 {
			t.Errorf("got %q; want an empty bucket", list)
		}
		for upload := range s.client.ListIncompleteUploads(t.Context(), server.Bucket, "", true) {
			t.Errorf("the parts of %q are still there: somebody pays for them", upload.Key)
		}
	})
}

// TestAReadThatBreaksOffGoesOn reads through a wire that is cut again and again.
func TestAReadThatBreaksOffGoesOn(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		path, want := film(t, 5<<20)
		if err := newS3(t, server, nil).Put(t.Context(), "a.mp4", path, nil); err != nil {
			t.Fatal(err)
		}
		wire := newWire(t, server.Address)
		s := newS3(t, server, func(c *S3Config) { c.Endpoint = wire.at(server) })
		file, err := s.Open(t.Context(), "a.mp4")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		wire.cutAfter.Store(1 << 20)
		if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, %v; want the %d of the file", len(got), err, len(want))
		}
		if n := wire.cuts.Load(); n < 4 {
			t.Errorf("the wire was cut %d times; want a file that came in pieces", n)
		}
	})
}

func TestAServiceThatFallsSilentIsNotWaitedForForEver(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		path, _ := film(t, 5<<20)
		if err := newS3(t, server, nil).Put(t.Context(), "a.mp4", path, nil); err != nil {
			t.Fatal(err)
		}
		wire := newWire(t, server.Address)
		s := newS3(t, server, func(c *S3Config) { c.Endpoint = wire.at(server) })
		s.stall = 100 * time.Millisecond
		file, err := s.Open(t.Context(), "a.mp4")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		wire.silent.Store(true)
		wire.cutAfter.Store(100) // not even an answer's head
		if _, err := io.ReadAll(file); !waits(err) {
			t.Errorf("reading: got %v; want an error that asks to wait", err)
		}
		if err := s.Put(t.Context(), "b.mp4", path, nil); !waits(err) {
			t.Errorf("sending: got %v; want an error that asks to wait", err)
		}
	})
}

func TestAConnectionEndsAMinuteAfterTheLastByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		go io.Copy(io.Discard, far)
		conn, began := impatient{near, time.Minute}, time.Now()
		ended := make(chan error)
		go func() { // as a client reads while it sends
			_, err := conn.Read(make([]byte, 1))
			ended <- err
		}()
		for range 3 {
			time.Sleep(40 * time.Second) // of the bubble
			if _, err := conn.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 3*time.Minute {
			t.Errorf("got %v after %v; want the end a minute after the last byte", err, time.Since(began))
		}
	})
}

// at is the URL of the wire to a server.
func (w *wire) at(server *s3test.Server) string {
	return strings.Replace(server.URL, server.Address, w.address, 1)
}

// wire passes bytes on, and cuts each connection after so many from the far end, or only falls silent; 0: never.
type wire struct {
	address        string
	cutAfter, cuts atomic.Int64
	silent         atomic.Bool
}

func newWire(t *testing.T, to string) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	w := &wire{address: l.Addr().String()}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				far, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer far.Close()
				go io.Copy(far, near)
				if n := w.cutAfter.Load(); n > 0 {
					if sent, _ := io.CopyN(near, far, n); sent == n {
						w.cuts.Add(1)
					}
					if w.silent.Load() {
						<-t.Context().Done()
					}
					return
				}
				io.Copy(near, far)
			}()
		}
	}()
	return w
}

func TestFilesMoveFromOneStoreToTheOther(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		disk, _ := newDisk(t)
		s3 := newS3(t, server, nil)
		content := map[string][]byte{}
		for key, size := range map[string]int{"a.mp4": 18 << 20, "a.jpg": 30_000, "b.mp4": 100_000} {
			path, b := film(t, size)
			content[key] = b
			if err := disk.Put(t.Context(), key, path, nil); err != nil {
				t.Fatal(err)
			}
		}
		wanted := []string{"a.jpg", "a.mp4", "b.mp4"}
		same := func(s Store) {
			t.Helper()
			if list := keys(t, s); !slices.Equal(list, wanted) {
				t.Errorf("got %q; want %q", list, wanted)
			}
			for key, want := range content {
				f, err := s.Open(t.Context(), key)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: got %d bytes, %v; want the %d that were put", key, len(got), err, len(want))
				}
				f.Close()
			}
		}
		for _, way := range []struct{ from, to Store }{{disk, s3}, {s3, disk}} {
			ctx, cancel := context.WithCancel(t.Context())
			m, err := Move(ctx, way.from, way.to, wanted, func(n int, sent, size int64) {
				if wanted[n-1] == "a.mp4" && sent > size/2 {
					cancel()
				}
			})
			if !errors.Is(err, context.Canceled) || m.Files != 1 {
				t.Fatalf("interrupted: got %+v, %v; want one file moved", m, err)
			}
			if list := keys(t, way.from); !slices.Equal(list, wanted[1:]) {
				t.Errorf("interrupted: got %q; want the files that were not moved where they were", list)
			}
			m, err = Move(t.Context(), way.from, way.to, append(wanted, "lost.mp4"), func(int, int64, int64) {})
			if err != nil || m.Files != 2 || m.There != 1 || m.Bytes != 18<<20+100_000 ||
				!slices.Equal(m.Missing, []string{"lost.mp4"}) {
				t.Errorf("got %+v, %v; want two moved, one there, one lost", m, err)
			}
			same(way.to)
			if list := keys(t, way.from); len(list) != 0 {
				t.Errorf("got %q; want an empty store", list)
			}
		}
	})
}

// brokenStore says that it keeps what it loses.
type brokenStore struct{ *Disk }

func (b brokenStore) put(ctx context.Context, key string, file io.Reader, size int64, progress func(int64)) error {
	return b.Disk.put(ctx, key, io.LimitReader(file, size-1), size-1, progress)
}

func TestAFileLeavesItsStoreOnlyWhenTheOtherHasIt(t *testing.T) {
	from, _ := newDisk(t)
	to, _ := newDisk(t)
	if err := from.Put(t.Context(), "a.mp4", source(t, "a film"), nil); err != nil {
		t.Fatal(err)
	}
	m, err := Move(t.Context(), from, brokenStore{to}, []string{"a.mp4"}, func(int, int64, int64) {})
	if err == nil || m.Files != 0 {
		t.Errorf("got %+v, %v; want an error", m, err)
	}
	if list := keys(t, from); !slices.Equal(list, []string{"a.mp4"}) {
		t.Errorf("got %q; want the file where it was", list)
	}
}

// TestAServiceThatKnowsNoRangesIsNotBelieved reads from the middle of a file through something that answers with
// all of it.
func TestAServiceThatKnowsNoRangesIsNotBelieved(t *testing.T) {
	overBoth(t, func(t *testing.T, secure bool) {
		s := serve(t, secure, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.Header().Set("ETag", `"one"`)
			w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")
			if r.Method == http.MethodGet {
				io.WriteString(w, "0123456789")
			}
		}))
		file, err := s.Open(t.Context(), "a.mp4")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if got, err := io.ReadAll(file); err != nil || string(got) != "0123456789" {
			t.Errorf("got %q, %v; want the whole of it", got, err)
		}
		if _, err := file.Seek(4, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(file); err == nil || len(got) > 0 {
			t.Errorf("got %q, %v; want no byte from another place", got, err)
		}
	})
}
