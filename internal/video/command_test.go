// command_test.go runs engines that behave and engines that do not.

package video

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

func TestCommandMakesAVideo(t *testing.T) {
	for name, file := range map[string]string{
		"from a file that is fit to be sent":    clipWithSound(t),
		"from a file without sound":             clip(t, 30, "-movflags", "+faststart"),
		"from a file with its index at the end": clip(t, 30, "-f", "lavfi", "-i", "sine", "-shortest"),
		"from a file with sound that Telegram refuses": clip(t, 30, "-f", "lavfi", "-i", "sine", "-shortest", "-c:a", "flac",
			"-strict", "-2"),
		"from a fragmented file": clip(t, 30, "-f", "lavfi", "-i", "sine", "-shortest", "-movflags",
			"+frag_keyframe+empty_moov"),
		"from a single frame": clip(t, 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SOURCE", file)
			m := commandMaker(t, `cp "$SOURCE" "$RETAKE_OUTPUT"`, nil)
			v, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Маша", Lang: "ru"}, nil)
			if err != nil {
				t.Fatalf("Make: got %v; want nil", err)
			}
			if v.Width != 64 || v.Height != 48 || v.Duration <= 0 || v.Size <= 0 {
				t.Errorf("got %d×%d, %v, %d bytes; want 64×48 and more than nothing", v.Width, v.Height, v.Duration, v.Size)
			}
			if f, err := m.tools.probe(t.Context(), v.Path, hardened); err != nil || f.sound != "aac" {
				t.Errorf("got sound %q, %v; want aac", f.sound, err)
			}
			wantIndexFirst(t, v.Path)
			if got, want := len(pictures(t, v.Path)), len(pictures(t, file)); got != want {
				t.Errorf("got %d frames; want %d", got, want)
			}
			wantThumb(t, v, 64, 48)
			if err := v.Discard(); err != nil {
				t.Errorf("Discard: got %v; want nil", err)
			}
			wantEmpty(t, m)
		})
	}
}

func TestCommandFails(t *testing.T) {
	good := clipWithSound(t)
	b, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(t.TempDir(), "half.mp4")
	write(t, half, string(b[:len(b)/2]))
	list := filepath.Join(t.TempDir(), "list.m3u8")
	write(t, list, "#EXTM3U\n#EXTINF:1,\n"+good+"\n#EXT-X-ENDLIST\n")
	t.Setenv("GOOD", good)
	t.Setenv("HALF", half)
	t.Setenv("LIST", list)
	for name, c := range map[string]struct {
		script    string
		permanent bool
		want      string // in the error
	}{
		"permanently with exit status 65": {"echo this child has no video >&2; exit 65", true,
			"exit status 65: this child has no video"},
		"for now with exit status 1":    {"echo no network >&2; exit 1", false, "exit status 1: no network"},
		"for now when a signal ends it": {"kill -9 $$", false, "signal: killed"},
		"with its last words after printing much": {"head -c 10000000 /dev/zero | tr '\\0' x >&2; echo last words " +
			">&2; exit 1", false, "xxxlast words"},
		"when it leaves nothing":                  {"exit 0", false, "no video file"},
		"when it leaves an empty file":            {`: >"$RETAKE_OUTPUT"`, false, "no video file"},
		"when it leaves garbage":                  {`head -c 100000 /dev/urandom >"$RETAKE_OUTPUT"`, false, "probe"},
		"when it leaves half a video":             {`cp "$HALF" "$RETAKE_OUTPUT"`, false, ""},
		"when it leaves a list of other files":    {`cp "$LIST" "$RETAKE_OUTPUT"`, false, "probe"},
		"when it leaves a link to a file of ours": {`ln -s "$GOOD" "$RETAKE_OUTPUT"`, false, "no video file"},
		"when it leaves a folder":                 {`mkdir "$RETAKE_OUTPUT"`, false, "no video file"},
		"without telling the name that it printed": {`echo "cannot draw $RETAKE_NAME" >&2; exit 1`, false,
			"cannot draw [name]"},
		"without telling the name when it gives up": {`echo "I know no $RETAKE_NAME" >&2; exit 65`, true,
			"I know no [name]"},
		"without bytes that are not text":              {`printf 'a\377b' >&2; exit 1`, false, "a\uFFFDb"},
		"and takes its temporary files with it":        {`mktemp >/dev/null; exit 1`, false, "exit status 1"},
		"quickly when a child keeps its stderr open":   {`sleep 300 & exit 1`, false, "exit status 1"},
		"quickly when a child has left for a new home": {`setsid sleep 2 & exit 1`, false, "exit status 1"},
	} {
		t.Run(name, func(t *testing.T) {
			m := commandMaker(t, c.script, nil)
			before := time.Now()
			_, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Мария-Анна", Lang: "ru"}, nil)
			if err == nil || isPermanent(err) != c.permanent || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, permanent %v; want %q, %v", err, isPermanent(err), c.want, c.permanent)
			}
			if text := err.Error(); len(text) > tailSize+200 || !utf8.ValidString(text) || strings.Contains(text, "Мария") {
				t.Errorf(
					"error: got %d bytes, valid %v: %.300s; want at most 2 KiB of text without the name",
					len(text),
					utf8.ValidString(text),
					text,
				)
			}
			if took := time.Since(before); took > 4*time.Minute { // on a busy machine each look takes seconds
				t.Errorf("took %v; want nobody to wait for a child", took)
			}
			wantEmpty(t, m)
		})
	}
}

func TestCommandIsKilledWithAllItsChildren(t *testing.T) {
	for name, script := range map[string]string{
		"when it hangs":                        `sleep 300`,
		"when it hangs and so do its forks":    `sleep 300 & (sleep 300 & sleep 300) & wait`,
		"when it will not be told":             `trap '' TERM INT HUP; while :; do sleep 300; done`,
		"when it never stops printing":         `yes >&2`,
		"when it exits and its forks do not":   `sleep 300 & sleep 300 2>/dev/null & cp "$SOURCE" "$RETAKE_OUTPUT"`,
		"when it fails and its forks do not":   `sleep 300 & (sleep 300 &) ; exit 1`,
		"when it has closed what we listen to": `exec 2>&-; sleep 300`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SOURCE", clipWithSound(t))
			m := commandMaker(t, `exec 9>"$ALIVE"; echo up >&9; `+script, func(c *Config) { c.Timeout = 700 * time.Millisecond })
			if err := m.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantSoon(t, m.cfg.Timeout+time.Second, func() time.Duration {
				// Everything that the engine starts inherits the writing end; the reading end sees when the last one is dead.
				pipe := filepath.Join(t.TempDir(), "alive")
				if err := syscall.Mkfifo(pipe, 0o600); err != nil {
					t.Fatal(err)
				}
				alive, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer alive.Close()
				t.Setenv("ALIVE", pipe)
				m.cfg.Command = passing(m.cfg.Command[len(m.cfg.Command)-2:]...)
				before := time.Now()
				v, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Маша", Lang: "ru"}, nil)
				took := time.Since(before)
				if isPermanent(err) {
					t.Errorf("got the permanent error %v; want a transient one or none", err)
				}
				if err := alive.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
					t.Fatal(err)
				}
				if up, err := io.ReadAll(alive); err != nil || string(up) != "up\n" {
					t.Errorf("children: got %q, %v; want all of them gone", up, err)
				}
				if err := v.Discard(); err != nil {
					t.Error(err)
				}
				wantEmpty(t, m)
				return took
			})
		})
	}
}

func TestCommandSaysThatItTookTooLong(t *testing.T) {
	m := commandMaker(t, "echo half done >&2; sleep 300", func(c *Config) { c.Timeout = 300 * time.Millisecond })
	_, err := m.Make(t.Context(), Order{Name: "Маша"}, nil)
	if err == nil || !strings.Contains(err.Error(), "took longer than 300ms: half done") ||
		errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want that it took longer than 300ms, and what it printed", err)
	}
}

func TestCommandStopsWithItsContext(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	if err := syscall.Mkfifo(started, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STARTED", started)
	m := commandMaker(t, `echo "$RETAKE_ASSET" >"$STARTED"; sleep 300`, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		os.ReadFile(started) // returns when the engine has written
		cancel()
	}()
	_, err := m.Make(ctx, Order{Asset: "a1", Name: "Маша"}, nil)
	if !errors.Is(err, context.Canceled) || isPermanent(err) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	wantEmpty(t, m)
}

func TestCommandEnvironment(t *testing.T) {
	out := filepath.Join(t.TempDir(), "env")
	t.Setenv("OUT", out)
	t.Setenv("RETAKE_TELEGRAM_TOKEN", "hidden")
	t.Setenv("RETAKE_TELEGRAM_TOKEN_FILE", "hidden")
	t.Setenv("RETAKE_YOUTUBE_CLIENT_SECRET", "hidden")
	t.Setenv("RETAKE_MEDIA_S3_ACCESS_KEY", "hidden")
	t.Setenv("RETAKE_VOICE_KEY", "hidden")
	t.Setenv("RETAKE_VOICE_KEY_FILE", "hidden")
	t.Setenv("RETAKE_RENDER_URL", "http://user:hidden@generator/")
	t.Setenv("RETAKE_NAME", "somebody else")
	t.Setenv("RETAKE_DATA_DIR", "hidden")
	m := commandMaker(t, `env >"$OUT"; exit 1`, nil)
	if _, err := m.Make(t.Context(), Order{Asset: "a1", Name: "Маша; $(rm) 'x'", Lang: "ru", Template: "new-year"},
		nil); err == nil {
		t.Fatal("Make: got nil; want an error")
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got := "\n" + string(b)
	for _, want := range []string{"RETAKE_NAME=Маша; $(rm) 'x'", "RETAKE_LANG=ru", "RETAKE_TEMPLATE=new-year",
		"RETAKE_ASSET=a1",
		"PATH=" + os.Getenv("PATH")} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("got no line %q in %s", want, got)
		}
	}
	if !strings.Contains(got, "\nRETAKE_OUTPUT="+m.cfg.Work+"/job-") {
		t.Errorf("got no RETAKE_OUTPUT in the work folder: %s", got)
	}
	if !strings.Contains(got, "\nRETAKE_JOB=") || strings.Contains(got, "\nRETAKE_JOB=\n") {
		t.Errorf("got no RETAKE_JOB in %s", got)
	}
	if strings.Contains(got, "hidden") || strings.Contains(got, "somebody else") {
		t.Errorf("got secrets or an old name in %s", got)
	}
}

func TestCommandDrawsEveryName(t *testing.T) {
	if err := commandMaker(t, "", nil).CanDraw("new-year", "\U00012000"); err != nil {
		t.Errorf("got %v; want nil", err)
	}
}
