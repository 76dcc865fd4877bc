// The example generator: a whole one for Retake's engine "http", small enough to start your own from.
//
//	go run ./docs/generator -listen 127.0.0.1:9000
//
// With engine = "http" and url = "http://127.0.0.1:9000/" Retake orders its videos here. All that a generator must do
// is in the two handlers; render is where yours differs. Everyone who can reach it can use it: on another machine, put
// a web server with TLS and a password in front and write both into the url.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"
)

// keep is how long a finished video is kept for orders with the same key.
const keep = time.Hour

// order is what Retake sends.
type order struct{ ID, Name, Lang, Template string }

// job is one video. err and path are set before done is closed, and never afterwards.
type job struct {
	id, key string
	done    chan struct{}
	path    string
	err     error
}

// failed reports whether the job has ended without a video.
func (j *job) failed() bool {
	select {
	case <-j.done:
		return j.err != nil
	default:
		return false
	}
}

type generator struct {
	ctx     context.Context // of the whole program: its end stops ffmpeg
	folder  string          // for temporary files
	turn    chan struct{}   // has room for one token: one video is made at a time
	working sync.WaitGroup

	mu    sync.Mutex
	byID  map[string]*job
	byKey map[string]*job
}

func newGenerator(ctx context.Context, folder string) *generator {
	return &generator{ctx: ctx, folder: folder, turn: make(chan struct{}, 1), byID: map[string]*job{},
		byKey: map[string]*job{}}
}

func (g *generator) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", g.take)
	mux.HandleFunc("GET /jobs/{id}", g.answer)
	return mux
}

// take accepts an order. Retake sends the same key when it asks for the same video again, for example after a restart:
// the answer is then the job that is there, and no video is made twice. A job that has failed is no answer to a new
// order: nobody may have asked for its end.
func (g *generator) take(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&o); err != nil || o.Name == "" {
		http.Error(w, "an order looks like {\"id\":\"…\",\"name\":\"…\",\"lang\":\"ru\",\"template\":\"…\"}",
			http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	key := r.Header.Get("Idempotency-Key")
	j := g.byKey[key]
	if j == nil || key == "" || j.failed() {
		j = &job{id: rand.Text(), key: key, done: make(chan struct{})}
		g.byID[j.id], g.byKey[key] = j, j
		g.working.Go(func() { g.work(j, o) })
	}
	g.mu.Unlock()
	w.Header().Set("Location", "/jobs/"+j.id)
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusAccepted)
}

// answer says how a job stands: 202 while it is being done, 200 with the video, 500 with what went wrong.
func (g *generator) answer(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	j := g.byID[r.PathValue("id")]
	g.mu.Unlock()
	if j == nil {
		http.NotFound(w, r)
		return
	}
	select {
	case <-j.done:
	default:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if j.err != nil {
		g.forget(j) // the next order with this key starts again
		http.Error(w, j.err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "video/mp4")
	http.ServeFile(w, r, j.path)
}

// work does a job when it is its turn.
func (g *generator) work(j *job, o order) {
	defer close(j.done)
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-g.ctx.Done():
		j.err = g.ctx.Err()
		return
	}
	began := time.Now()
	j.path, j.err = render(g.ctx, filepath.Join(g.folder, j.id), o)
	// a child's name has no place in a log
	log.Printf("job %s: %v, %v", j.id, time.Since(began).Round(time.Millisecond), j.err)
	time.AfterFunc(keep, func() { g.forget(j) })
}

func (g *generator) forget(j *job) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.byID, j.id)
	if g.byKey[j.key] == j {
		delete(g.byKey, j.key)
	}
	os.RemoveAll(filepath.Join(g.folder, j.id))
}

// render makes the video in a new folder. The name is not part of the command line, which everybody on the machine can
// read, nor of the filters, where it could be taken for a command: drawtext reads it from a file and expands nothing.
func render(ctx context.Context, folder string, o order) (path string, err error) {
	greeting := "Happy New Year!"
	if o.Lang == "ru" {
		greeting = "С Новым годом!"
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", err
	}
	for file, text := range map[string]string{"name.txt": o.Name, "greeting.txt": greeting} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	defer os.Remove(filepath.Join(folder, "name.txt"))
	size := min(120, 1000/utf8.RuneCountInString(o.Name)) // a long name has to fit, too
	picture := fmt.Sprintf("drawtext=textfile=name.txt:expansion=none:font=Sans:fontsize=%d:fontcolor=white:"+
		"x=(w-text_w)/2:y='h*0.42+24*sin(2*t)':alpha='min(1,t)':shadowx=3:shadowy=3:shadowcolor=black@0.4,"+
		"drawtext=textfile=greeting.txt:expansion=none:font=Sans:fontsize=56:fontcolor=gold:"+
		"x=(w-text_w)/2:y=h*0.58:alpha='min(1,max(0,t-1))',format=yuv420p", size)
	const bells = "aevalsrc='0.2*sin(2*PI*262*(1+mod(floor(t*2),4)/4)*t)*exp(-4*mod(t,0.5))':s=48000:d=6"
	cmd := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-loglevel", "error",
		"-f", "lavfi", "-i", "gradients=s=720x1280:r=30:d=6:c0=0x16225c:c1=0xb03060:speed=0.02",
		"-f", "lavfi", "-i", bells, "-vf", picture,
		"-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-t", "6", "-movflags", "+faststart", "video.mp4")
	var said bytes.Buffer
	cmd.Dir, cmd.Stderr = folder, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("ffmpeg: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return filepath.Join(folder, "video.mp4"), nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "`address` to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends and leaves nothing behind.
func run(ctx context.Context, listen string) error {
	folder, err := os.MkdirTemp("", "generator-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g := newGenerator(ctx, folder)
	server := &http.Server{Handler: g.handler(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	log.Printf("listening on http://%s/", listener.Addr())
	err = server.Serve(listener)
	stop()
	g.working.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
