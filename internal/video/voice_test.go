// voice_test.go has names spoken by espeak-ng and by shell scripts, and looks at what is kept.

package video

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// voiceMaker returns a Maker whose voice is a shell script; "" is espeak-ng.
func voiceMaker(t *testing.T, script string) (*Maker, *tools) {
	t.Helper()
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	v := VoiceConfig{Engine: VoiceCommand}
	if script != "" {
		path := filepath.Join(t.TempDir(), "voice.sh")
		write(t, path, "#!/bin/sh\n"+script+"\n")
		v.Command = passing("/bin/sh", path, "argument")
	}
	return newMaker(t, func(c *Config) { c.Voice = v }), proven
}

// speakText has a line without a spoken form of its own spoken.
func (m *Maker) speakText(ctx context.Context, t *tools, text, name, lang string) ([]int16, error) {
	clip, _, err := m.speak(ctx, t, func(string) string { return text }, name, lang)
	return clip, err
}

// beep is a WAV file of a second.
func beep(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "beep.wav")
	write(t, path, string(tone(1, 500, -20).wav()))
	return path
}

// wantNoRest fails the test if something but clips is left, or if a name of a file can be read.
func wantNoRest(t *testing.T, m *Maker, clips int) {
	t.Helper()
	wantEmpty(t, m)
	kept, err := filepath.Glob(filepath.Join(m.cfg.Cache, "voice", "*"))
	if err != nil || len(kept) != clips {
		t.Errorf("clips: got %v, %v; want %d", kept, err, clips)
	}
	for _, path := range kept {
		name := strings.TrimSuffix(filepath.Base(path), ".pcm")
		if len(name) != 129 || strings.Trim(name, "0123456789abcdef-") != "" {
			t.Errorf("clip: got the name %s; want two hashes", name)
		}
	}
	entries, err := os.ReadDir(m.cfg.Cache)
	for _, e := range entries {
		if e.Name() != "voice" {
			t.Errorf("cache: got %s, %v; want nothing but clips", e.Name(), err)
		}
	}
}

func TestVoiceSaysWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		voice VoiceConfig
		path  string // of programs
		want  string // "" for no error
	}{
		"without an engine": {VoiceConfig{}, "", `set voice.engine to "command", "rhvoice" or "http"`},
		"without espeak-ng": {VoiceConfig{Engine: VoiceCommand}, t.TempDir(),
			"no voice: espeak-ng was not found: install it with `apt-get install -y espeak-ng`, or set voice.command"},
		"without the program": {VoiceConfig{Engine: VoiceCommand, Command: []string{"/no/such/program"}}, "",
			"/no/such/program was not found"},
		"with espeak-ng":       {VoiceConfig{Engine: VoiceCommand}, "", ""},
		"with another program": {VoiceConfig{Engine: VoiceCommand, Command: []string{"sh"}}, "", ""},
		"without RHVoice": {VoiceConfig{Engine: VoiceRHVoice}, t.TempDir(),
			"RHVoice-test was not found: install the packages rhvoice"},
		"with a service": {VoiceConfig{Engine: VoiceHTTP, URL: "https://example.org/v1/audio/speech"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMaker(t, func(cfg *Config) { cfg.Voice = c.voice })
			if c.path != "" {
				t.Setenv("PATH", c.path)
			}
			err := m.Voice()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want %q", err, c.want)
			}
			if err != nil && (c.voice.Engine == "" || c.voice.isEspeak()) {
				clip, note, err := m.speak(t.Context(), nil, func(string) string { return "Anna!" }, "Anna", "en")
				if clip != nil || note != "" || err != nil {
					t.Errorf("speak: got %d samples, %q, %v; want nothing", len(clip), note, err)
				}
			}
		})
	}
}

func TestNewRefusesAVoiceThatCannotBeMeant(t *testing.T) {
	for _, v := range []VoiceConfig{{Engine: "choir"}, {Engine: VoiceRHVoice, Voice: "-h"},
		{Engine: VoiceRHVoice, Voice: "anna elena"}, {Engine: VoiceHTTP}, {Engine: VoiceHTTP, URL: "file:///etc/passwd"},
		{Engine: VoiceCommand, Command: []string{""}}} {
		_, err := New(
			Config{
				Engine:    EngineTemplate,
				Offered:   []string{"new-year"},
				Languages: []string{"ru", "en"},
				Timeout:   time.Minute,
				Work:      t.TempDir(),
				Cache:     t.TempDir(),
				Workers:   1,
				Voice:     v,
			},
		)
		if err == nil {
			t.Errorf("%+v: got nil; want an error", v)
		}
	}
}

func TestEspeakSpeaksNames(t *testing.T) {
	m, tl := voiceMaker(t, "")
	texts := map[string]string{"en": "Dear %s! Happy new year!", "ru": "%s, с Новым годом!"}
	n := 0
	for lang, text := range texts {
		for _, name := range []string{"Маша", "William", "Әлия", "محمد", "小明", "O'Connor", "<b>", "&", "[[x]]", "-w /tmp/x",
			"$(id)", "Ян"} {
			clip, err := m.speakText(t.Context(), tl, fmt.Sprintf(text, name), name, lang)
			if seconds := float64(len(clip)) / soundRate; err != nil || seconds < 0.7 || seconds > 5 {
				t.Errorf("%s in %s: got %.1f s, %v; want 0.7 to 5 s", name, lang, seconds, err)
			}
			n++
		}
	}
	kept, _ := filepath.Glob(filepath.Join(m.cfg.Cache, "voice", "*"))
	wantNoRest(t, m, len(kept))
	if len(kept) != n {
		t.Errorf("got %d clips; want %d", len(kept), n)
	}
}

func TestVoiceCommandGetsTheTextFromStdinOnly(t *testing.T) {
	seen := t.TempDir()
	t.Setenv("SEEN", seen)
	t.Setenv("BEEP", beep(t))
	t.Setenv("RETAKE_TELEGRAM_TOKEN", "hidden")
	t.Setenv("RETAKE_VOICE_KEY", "hidden")
	t.Setenv("RETAKE_DATA_DIR", "/data")
	m, tl := voiceMaker(t, `cat >"$SEEN/stdin"; echo "$0 $*" >"$SEEN/args"; env >"$SEEN/env"; cp "$BEEP" "$RETAKE_OUTPUT"`)
	const text = "С Новым годом, Маша <b>!"
	clip, err := m.speakText(t.Context(), tl, text, "Маша <b>", "ru")
	if err != nil || len(clip) < soundRate*9/10 {
		t.Fatalf("speak: got %d samples, %v; want a second", len(clip), err)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(seen, name))
		if err != nil {
			t.Fatal(err)
		}
		return "\n" + string(b)
	}
	if got := read("stdin"); got != "\n"+text {
		t.Errorf("stdin: got %q; want %q", got, text)
	}
	if got := read("args"); strings.Contains(got, "Маша") || !strings.HasSuffix(got, " argument\n") {
		t.Errorf("arguments: got %q; want those that are configured", got)
	}
	env := read("env")
	if strings.Contains(env, "Маша") || strings.Contains(env, "hidden") {
		t.Errorf("environment: got the name or secrets in %s", env)
	}
	for _, want := range []string{"\nRETAKE_LANG=ru\n", "\nRETAKE_OUTPUT=" + m.cfg.Cache + "/", ".wav\n"} {
		if !strings.Contains(env, want) {
			t.Errorf("environment: got no %q in %s", want, env)
		}
	}
	wantNoRest(t, m, 1)
}

func TestVoiceCommandFailsForNow(t *testing.T) {
	t.Setenv("BEEP", beep(t))
	for name, c := range map[string]struct{ script, want string }{
		"with its last words":             {`echo "no network" >&2; exit 1`, "exit status 1: no network"},
		"without the name":                {`cat >&2; exit 1`, "exit status 1: Hello [name]!"},
		"when a signal ends it":           {"kill -9 $$", "signal: killed"},
		"when it leaves nothing":          {"cat >/dev/null", "no sound file"},
		"when it leaves garbage":          {`head -c 5000 /dev/urandom >"$RETAKE_OUTPUT"`, "read the sound"},
		"when it leaves a link":           {`ln -s "$BEEP" "$RETAKE_OUTPUT"`, "no sound file"},
		"when it fails after the sound":   {`cp "$BEEP" "$RETAKE_OUTPUT"; exit 3`, "exit status 3"},
		"when it reads nothing and fails": {"exec <&-; exit 4", "exit status 4"},
	} {
		t.Run(name, func(t *testing.T) {
			m, tl := voiceMaker(t, c.script)
			clip, err := m.speakText(t.Context(), tl, "Hello Mariam!", "Mariam", "en")
			if err == nil || isPermanent(err) || !strings.Contains(err.Error(), c.want) ||
				strings.Contains(err.Error(), "Mariam") {
				t.Errorf("got %d samples, %v; want a transient error with %q", len(clip), err, c.want)
			}
			wantNoRest(t, m, 0)
		})
	}
}

func TestVoiceCommandNeedNotReadTheText(t *testing.T) {
	t.Setenv("BEEP", beep(t))
	m, tl := voiceMaker(t, `exec <&-; cp "$BEEP" "$RETAKE_OUTPUT"`)
	// More than a pipe holds, so that writing fails.
	if _, err := m.speakText(t.Context(), tl, strings.Repeat("Hello Mariam! ", 10000), "Mariam", "en"); err != nil {
		t.Errorf("got %v; want nil", err)
	}
}

func TestVoiceEndsWithTheContext(t *testing.T) {
	m, tl := voiceMaker(t, "sleep 60 & sleep 60")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, errors.New("stopped by the test"))
	defer cancel()
	begin := time.Now()
	_, err := m.speakText(ctx, tl, "Hello Mariam!", "Mariam", "en")
	if took := time.Since(begin); err == nil || !strings.Contains(err.Error(), "stopped by the test") ||
		took > 5*time.Second {
		t.Errorf("got %v after %v; want the cause at once", err, took)
	}
	wantNoRest(t, m, 0)
}

func TestVoiceIsKept(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	t.Setenv("COUNT", count)
	t.Setenv("BEEP", beep(t))
	m, tl := voiceMaker(t, `echo x >>"$COUNT"; cp "$BEEP" "$RETAKE_OUTPUT"`)
	speak := func(text, lang string) []int16 {
		t.Helper()
		clip, err := m.speakText(t.Context(), tl, text, "Anna", lang)
		if err != nil {
			t.Fatalf("speak: got %v; want nil", err)
		}
		return clip
	}
	runs := func(want int) {
		t.Helper()
		b, _ := os.ReadFile(count)
		if got := strings.Count(string(b), "x"); got != want {
			t.Errorf("got %d runs of the engine; want %d", got, want)
		}
	}
	first := speak("Hello Anna!", "en")
	if !slices.Equal(speak("Hello Anna!", "en"), first) {
		t.Error("got another clip; want the one that is kept")
	}
	runs(1)
	speak("Hello Anna!", "ru")
	speak("Bye Anna!", "en")
	runs(3)
	m.cfg.Voice.Command = append(slices.Clone(m.cfg.Voice.Command), "more")
	speak("Hello Anna!", "en")
	runs(4)
	wantNoRest(t, m, 4)

	kept, _ := filepath.Glob(filepath.Join(m.cfg.Cache, "voice", "*"))
	for _, damage := range []int64{0, 1001} {
		for _, path := range kept {
			if err := os.Truncate(path, damage); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(speak("Hello Anna!", "en"), first) {
			t.Errorf("%d bytes left: got another clip; want it made again", damage)
		}
	}
	runs(6)
}

func TestVoiceKeyTellsEnginesApart(t *testing.T) {
	all := map[string]bool{}
	for _, v := range []VoiceConfig{{Engine: VoiceCommand}, {Engine: VoiceCommand, Command: []string{"a", "b"}},
		{Engine: VoiceCommand, Command: []string{"a b"}},
		{Engine: VoiceHTTP, URL: "https://a"}, {Engine: VoiceHTTP, URL: "https://b"}, {Engine: VoiceHTTP, URL: "https://a",
			Model: "m"},
		{Engine: VoiceHTTP, URL: "https://a", Voice: "m"}, {Engine: VoiceRHVoice}, {Engine: VoiceRHVoice, Voice: "m"}} {
		all[v.key(&tools{}, "en", "x")] = true
	}
	if len(all) != 9 {
		t.Errorf("got %d keys; want 9", len(all))
	}
	a, b := VoiceConfig{
		Engine: VoiceHTTP,
		URL:    "https://a",
		Key:    "1",
	}, VoiceConfig{
		Engine: VoiceHTTP,
		URL:    "https://a",
		Key:    "2",
	}
	if a.key(&tools{}, "en", "x") != b.key(&tools{}, "en", "x") {
		t.Error("a new key for the service: got other clips; want the same")
	}
}

func TestClipsThatWereNotUsedForLongestGo(t *testing.T) {
	folder := t.TempDir()
	var paths []string
	for i := range 5 {
		path := filepath.Join(folder, fmt.Sprint(i))
		write(t, path, "ab")
		at := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	if _, ok := keptClip(paths[0]); !ok { // the oldest one is used
		t.Fatal("keptClip: got nothing; want a clip")
	}
	for _, c := range []struct {
		since time.Duration
		want  []string
	}{{24 * time.Hour, []string{paths[0], paths[3], paths[4]}}, {6*time.Hour + 30*time.Minute,
		[]string{paths[0], paths[4]}}, {0, nil}} {
		if err := dropClips(folder, 3, time.Now().Add(-c.since)); err != nil {
			t.Fatalf("dropClips: got %v; want nil", err)
		}
		if left, _ := filepath.Glob(filepath.Join(folder, "*")); !slices.Equal(left, c.want) {
			t.Errorf("not used for %v: got %v; want %v", c.since, left, c.want)
		}
	}
}

func TestNoClipOfAForgottenNameIsLeft(t *testing.T) {
	m, tl := voiceMaker(t, "")
	for _, name := range []string{"Anna", "Anna Maria", "Leo"} {
		for _, text := range []string{"Hello %s!", "Bye %s!"} {
			if _, err := m.speakText(t.Context(), tl, fmt.Sprintf(text, name), name, "en"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := m.ForgetNames([]string{"Anna", "Nobody"}); err != nil {
		t.Errorf("ForgetNames: got %v; want nil", err)
	}
	wantNoRest(t, m, 4)
	kept, _ := filepath.Glob(filepath.Join(m.clips(), "*"))
	for _, clip := range kept {
		if strings.Contains(clip, "Anna") || strings.Contains(clip, "Leo") {
			t.Errorf("got the file %s; want no name in it", clip)
		}
	}
	long := time.Now().Add(-clipLife - time.Minute)
	if err := os.Chtimes(kept[0], long, long); err != nil {
		t.Fatal(err)
	}
	if err := m.ForgetOldNames(); err != nil {
		t.Errorf("ForgetOldNames: got %v; want nil", err)
	}
	wantNoRest(t, m, 3)
}

func TestVoice_ClipsOfAWeekAnd256AreKept(t *testing.T) {
	m, _ := voiceMaker(t, "")
	if err := os.MkdirAll(m.clips(), 0o700); err != nil {
		t.Fatal(err)
	}
	path := func(i int) string { return filepath.Join(m.clips(), fmt.Sprintf("%03d.pcm", i)) }
	for _, c := range []struct {
		apart time.Duration // one use and the next
		kept  int
	}{{time.Minute, 256}, {time.Hour, 7 * 24}} {
		for i := range 260 {
			used := time.Now().Add(-time.Duration(i)*c.apart - time.Second)
			if err := errors.Join(os.WriteFile(path(i), []byte("ab"), 0o600), os.Chtimes(path(i), used, used)); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.ForgetOldNames(); err != nil {
			t.Fatal(err)
		}
		for i := range 260 {
			if _, err := os.Stat(path(i)); (err == nil) != (i < c.kept) {
				t.Errorf("%v apart: clip %d: got %v; want the %d that were used last", c.apart, i, err, c.kept)
			}
		}
	}
}

func TestManyMaySpeakAtOnce(t *testing.T) {
	m, tl := voiceMaker(t, "")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if _, err := m.speakText(t.Context(), tl, fmt.Sprintf("Hello Anna %d!", i%2), "Anna", "en"); err != nil {
				t.Errorf("speak: got %v; want nil", err)
			}
		})
	}
	all.Wait()
	wantNoRest(t, m, 2)
}
