// Tests of uploads that break off, are slow, meet a full disk or a crash: nothing is left of them.

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/video"
)

// begun opens a connection, sends the beginning of an upload, and returns it with what is still to be sent.
func (u *counter) begun(content string) (conn net.Conn, rest []byte) {
	u.t.Helper()
	conn, err := net.Dial("tcp", u.server.Listener.Addr().String())
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { conn.Close() })
	body, kind := form(part{"title", "", "Лето"}, part{"file", "film.mp4", content})
	half := len(body) / 2
	fmt.Fprintf(
		conn,
		"POST /uploads HTTP/1.1\r\nHost: localhost\r\nCookie: %s=%s\r\nAccept: application/json\r\nContent-Type: "+
			"%s\r\nContent-Length: %d\r\n\r\n%s",
		u.cookie,
		u.session,
		kind,
		len(body),
		body[:half],
	)
	return conn, body[half:]
}

// arrived waits until the beginning of a file is there.
func (u *counter) arrived() {
	u.t.Helper()
	(&world{T: u.t.(*testing.T), log: &journal{}}).until("the beginning of a file", func() bool {
		files, _ := os.ReadDir(u.waiting)
		return len(files) == 1
	})
}

func TestAnUploadThatBreaksOffLeavesNothing(t *testing.T) {
	u := newCounter(t, mostBytes, time.Minute, roomy)
	conn, _ := u.begun(string(grown(footage(t, "film.mp4"), 600_000)))
	u.arrived()
	conn.Close()
	<-u.left
	u.wantNothing(0)
	if u.log.Len() > 0 {
		t.Errorf("got log %s; want nothing", &u.log)
	}
}

func TestAnUploadCancelledWhileItIsLookedAtLeavesNothing(t *testing.T) {
	for _, c := range []struct {
		counted bool // with a Content-Length
		behind  int  // bytes behind the form
	}{{true, 0}, {false, 0}, {true, 50_000}} {
		u := newCounter(t, mostBytes, time.Minute, roomy)
		ctx, cancel := context.WithCancel(t.Context())
		u.change(func(o *desk.Options) {
			o.Inspect = func(ctx context.Context, path string) (video.Video, error) {
				cancel()
				<-ctx.Done()
				return video.Video{}, ctx.Err()
			}
		})
		body, kind := form(part{"title", "", "Лето"}, part{"file", "film.mp4", string(footage(t, "film.mp4"))})
		reader := io.Reader(bytes.NewReader(append(body, make([]byte, c.behind)...)))
		if !c.counted {
			reader = io.MultiReader(reader)
		}
		r, err := http.NewRequestWithContext(ctx, "POST", u.server.URL+"/uploads", reader)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		r.AddCookie(&http.Cookie{Name: u.cookie, Value: u.session})
		if resp, err := http.DefaultTransport.RoundTrip(r); err == nil {
			t.Errorf("got %s; want no answer", resp.Status)
		}
		<-u.left
		u.wantNothing(0)
		if u.log.Len() > 0 {
			t.Errorf("got log %s; want nothing", &u.log)
		}
	}
}

func TestAnUploadMayBeLookedAtForAsLongAsItTakes(t *testing.T) {
	const patience = 50 * time.Millisecond
	u := newCounter(t, mostBytes, patience, roomy)
	inspect := u.opts.Inspect
	u.change(func(o *desk.Options) {
		o.Inspect = func(ctx context.Context, path string) (video.Video, error) {
			select {
			case <-ctx.Done():
			case <-time.After(4 * patience):
			}
			return inspect(ctx, path)
		}
	})
	u.upload("Лето", "film.mp4", string(footage(t, "film.mp4")))
	u.wantNothing(1)
}

func TestAClientThatSendsNothingIsGivenUp(t *testing.T) {
	u := newCounter(t, mostBytes, 100*time.Millisecond, roomy)
	// what is left of the second, a server reads on its own
	for _, size := range []int{600_000, len(footage(t, "film.mp4")) + 8} {
		conn, _ := u.begun(string(grown(footage(t, "film.mp4"), size)))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 422 || !strings.Contains(string(body), lang.Say("en", "upload_broken", nil)) ||
			!resp.Close {
			t.Errorf("got %d %s, %v; want it told and hung up", resp.StatusCode, body, err)
		}
		<-u.left
		u.wantNothing(0)
	}
}

func TestASlowClientHasAllTheTimeInTheWorld(t *testing.T) {
	const patience = time.Second
	u := newCounter(t, mostBytes, patience, roomy)
	conn, rest := u.begun(string(footage(t, "film.mp4")))
	pause := time.NewTicker(patience / 10)
	defer pause.Stop()
	for piece := range slices.Chunk(rest, len(rest)/14) { // longer than patience, all in all
		<-pause.C
		conn.Write(piece)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("got %v, %v; want it taken", resp, err)
	}
	u.wantNothing(1)
}

func TestAFullDiskIsToldInTime(t *testing.T) {
	full := fmt.Errorf("%w: 1 MB is free", video.ErrDiskFull)
	film := string(grown(footage(t, "film.mp4"), 600_000))
	for name, c := range map[string]struct {
		free    int64
		counted bool // the client says how much it will send
		spoil   func(u *counter)
		looked  bool
	}{
		"before anything is written": {free: 1_100_000, counted: true},
		"while it is written":        {free: 4 << 20},
		"by the disk itself, when it is kept": {free: 1 << 40,
			spoil: func(u *counter) { u.files = fullShelf{u.files}; u.change(func(*desk.Options) {}) }},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			u := newCounter(t, 1<<20, time.Minute, func(need int64) error {
				asked++
				if need > c.free {
					return full
				}
				return nil
			})
			if c.spoil != nil {
				c.spoil(u)
			}
			body, kind := form(part{"title", "", "Лето"}, part{"file", "film.mp4", film})
			reader := io.Reader(bytes.NewReader(body))
			if !c.counted {
				reader = io.MultiReader(reader)
			}
			a := u.post(reader, kind, true, nil)
			if a.status != 507 || refused(t, a.body) != "DISK_FULL" ||
				!strings.Contains(a.body, lang.Say("en", "upload_disk_full", nil)) {
				t.Errorf("got %d %s; want DISK_FULL", a.status, a.body)
			}
			if c.counted != (asked == 1) {
				t.Errorf("looked at the disk %d times", asked)
			}
			u.wantNothing(0)
		})
	}
}

// fullShelf has room for a picture alone.
type fullShelf struct{ media.Store }

func (f fullShelf) Put(ctx context.Context, key, path string, progress func(int64)) error {
	if !strings.HasSuffix(key, ".jpg") {
		return &os.PathError{Op: "write", Path: key, Err: syscall.ENOSPC}
	}
	return f.Store.Put(ctx, key, path, progress)
}

func TestAFaultOfOursLeavesNothingOfAnUpload(t *testing.T) {
	for name, spoil := range map[string]func(u *counter){
		"the database does not take it": func(u *counter) {
			mutate(u.t, u.store, `CREATE TRIGGER spoilt BEFORE INSERT ON audit WHEN new.action = 'upload' BEGIN
				SELECT raise(ABORT, 'SECRET'); END`)
		},
		"there is no ffmpeg": func(u *counter) {
			u.change(func(o *desk.Options) {
				o.Inspect = func(context.Context, string) (video.Video, error) {
					return video.Video{}, errors.New("SECRET: ffmpeg was not found")
				}
			})
		},
		"a panic": func(u *counter) {
			u.change(func(o *desk.Options) {
				o.Inspect = func(context.Context, string) (video.Video, error) { panic("SECRET") }
			})
		},
		"the folder is gone": func(u *counter) { os.RemoveAll(u.waiting) },
	} {
		t.Run(name, func(t *testing.T) {
			u := newCounter(t, mostBytes, time.Minute, roomy)
			spoil(u)
			body, kind := form(part{"title", "", "Лето"}, part{"file", "film.mp4", string(footage(t, "film.mp4"))})
			a := u.post(bytes.NewReader(body), kind, true, nil)
			if a.status != 500 || refused(t, a.body) != "INTERNAL" || strings.Contains(a.body, "SECRET") {
				t.Errorf("got %d %s; want neutral words", a.status, a.body)
			}
			if n := strings.Count(u.log.String(), "level=ERROR"); n != 1 || strings.Contains(u.log.String(), "Лето") {
				t.Errorf("got log %s; want one line without the title", &u.log)
			}
			os.MkdirAll(u.waiting, 0o700)
			u.wantNothing(0)
		})
	}
}

func TestALargeUploadNeedsLittleMemory(t *testing.T) {
	const size = 300 << 20
	u := newCounter(t, size+1, time.Minute, roomy)
	head, kind := form(part{"title", "", "Лето"}, part{"file", "film.mp4", "\x00\x00\x00\x18ftypisom"})
	boundary := kind[strings.Index(kind, "boundary=")+len("boundary="):]
	end := "\r\n--" + boundary + "--\r\n"
	begin := strings.TrimSuffix(string(head), end)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a := u.post(
		io.MultiReader(strings.NewReader(begin), io.LimitReader(zeros{}, size-12), strings.NewReader(end)),
		kind,
		true,
		nil,
	)
	runtime.ReadMemStats(&after)
	if a.status != 415 || !strings.Contains(a.body, lang.Say("en", "upload_unplayable", nil)) {
		t.Errorf("got %d %s; want all of it taken, and then found to be no video", a.status, a.body)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
		t.Errorf("allocated %d MB, which is more than a tenth of the file", grown>>20)
	} else {
		t.Logf("allocated %d KB in all", grown>>10)
	}
	u.wantNothing(0)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestUploads_ASessionHasThreeAtATime(t *testing.T) {
	u := newCounter(t, mostBytes, time.Minute, roomy)
	film := string(grown(footage(t, "film.mp4"), 600_000))
	conn, rest := u.begun(film)
	u.begun(film)
	u.begun(film)
	(&world{T: t, log: &journal{}}).until("three uploads", func() bool {
		files, _ := os.ReadDir(u.waiting)
		return len(files) == 3
	})
	body, kind := form(part{"file", "film.mp4", film})
	send := func() answered { return u.post(bytes.NewReader(body), kind, true, nil) }
	if a := send(); a.status != 429 || !strings.Contains(a.body, "TOO_MANY") {
		t.Errorf("got %d %s; want the fourth refused", a.status, a.body)
	}
	first := u.session
	if u.session = u.signIn(8); send().id == "" {
		t.Error("got it refused; want each session counted alone")
	}
	u.session = first
	conn.Write(rest)
	if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil { // the whole answer: it counts no more
		t.Fatal(err)
	}
	for range 3 {
		<-u.left
	}
	if a := send(); a.id == "" {
		t.Errorf("got %d %s; want it taken once another has arrived", a.status, a.body)
	}
}
