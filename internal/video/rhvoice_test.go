// rhvoice_test.go has names spoken that a voice cannot read, by RHVoice and others: none of them costs a video.

package video

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// onlyPrograms leaves nothing to be found but some programs, and what shell scripts need. An RHVoice-test among them is
// a script that does as RHVoice does: it takes its options and a text, and writes a sound unless there is nothing to
// say.
func onlyPrograms(t *testing.T, programs ...string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for _, name := range append([]string{"sh", "cat", "cp", "head", "env"}, programs...) {
		if name == rhvoice {
			write(t, filepath.Join(folder, name), `#!/bin/sh
echo "$*" >"`+folder+`/args"; cat >"`+folder+`/stdin"
while [ $# -gt 0 ]; do
	case $1 in
	-p|-r) shift 2;;
	-o) out=$2; shift 2;;
	*) echo "unknown option $1" >&2; exit 1;;
	esac
done
[ -s "`+folder+`/stdin" ] && cp "`+beep(t)+`" "$out"
exit 0
`)
			continue
		}
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", folder)
	return folder
}

func TestRHVoice_Speaks(t *testing.T) {
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		voice, name, lang string
		args, stdin, note string
	}{
		"Russian": {"", "Айгу́ль", "ru", "-p anna -r 90 -o ", "Привет, Айгу́ль!", ""},
		// the words around are not English
		"English":                     {"", "William", "en", "-p slt -r 90 -o ", "Привет", NoteOtherVoice},
		"English words":               {"", "Zoë", "en", "-p slt -r 90 -o ", "Hello, Zoe!", ""},
		"a voice that was chosen":     {"elena+slt", "Маша", "ru", "-p elena+slt -r 90 -o ", "Привет, Маша!", ""},
		"signs that are commands":     {"", "Ма<ш>а\x00[[", "ru", "-p anna -r 90 -o ", "Привет, Ма ш а   !", ""},
		"a name that begins with -":   {"", "-v", "en", "-p slt -r 90 -o ", "Hello, -v!", ""},
		"Latin letters in Russian":    {"", "William", "ru", "", "", NoteOtherVoice},
		"Cyrillic letters in English": {"", "Маша", "en", "", "", NoteOtherVoice},
		"Kazakh letters":              {"", "Әлия", "ru", "", "", NoteOtherVoice},
		"Chinese":                     {"", "小明", "ru", "", "", NoteOtherVoice},
		"Arabic":                      {"", "محمد", "ru", "", "", NoteOtherVoice},
	} {
		t.Run(name, func(t *testing.T) {
			folder := onlyPrograms(t, rhvoice, espeak)
			m := newMaker(t, func(cfg *Config) { cfg.Voice = VoiceConfig{Engine: VoiceRHVoice, Voice: c.voice} })
			clip, note, err := m.speak(t.Context(), proven, func(name string) string {
				if c.lang == "en" && c.stdin != "Привет" {
					return "Hello, " + name + "!"
				}
				return "Привет, " + name + "!"
			}, c.name, c.lang)
			if len(clip) == 0 || note != c.note || err != nil {
				t.Errorf("got %d samples, %q, %v; want %q", len(clip), note, err, c.note)
			}
			args, _ := os.ReadFile(filepath.Join(folder, "args"))
			stdin, _ := os.ReadFile(filepath.Join(folder, "stdin"))
			if c.note == "" && (!strings.HasPrefix(string(args), c.args) || string(stdin) != c.stdin) {
				t.Errorf("got arguments %q and the text %q; want %q and %q", args, stdin, c.args, c.stdin)
			}
			if c.note != "" && len(args) > 0 {
				t.Errorf("got RHVoice asked with %q; want it left out", args)
			}
		})
	}
}

// TestVoice_ANameInOtherLettersDoesNotCostTheVideo whatever the voice does with it, and whether espeak-ng is there or
// not.
func TestVoice_ANameInOtherLettersDoesNotCostTheVideo(t *testing.T) {
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	refuses := func(code int, kind, body string) func(*testing.T) VoiceConfig {
		return func(t *testing.T) VoiceConfig {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", kind)
				w.WriteHeader(code)
				w.Write([]byte(body))
			}))
			t.Cleanup(server.Close)
			return VoiceConfig{Engine: VoiceHTTP, URL: server.URL}
		}
	}
	script := func(script string) func(*testing.T) VoiceConfig {
		return func(t *testing.T) VoiceConfig {
			path := filepath.Join(t.TempDir(), "voice.sh")
			write(t, path, "#!/bin/sh\n"+script+"\n")
			return VoiceConfig{Engine: VoiceCommand, Command: []string{"/bin/sh", path}}
		}
	}
	silence := filepath.Join(t.TempDir(), "silence.wav")
	write(t, silence, string(stereo{make([]float64, soundRate), make([]float64, soundRate)}.wav()))
	for what, voice := range map[string]func(*testing.T) VoiceConfig{
		"a command that leaves nothing": script("cat >/dev/null"),
		"a command that leaves silence": script(`cp "` + silence + `" "$RETAKE_OUTPUT"`),
		"a command that leaves garbage": script(`head -c 5000 /dev/zero >"$RETAKE_OUTPUT"`),
		"a command that fails":          script("cat >&2; exit 1"),
		"a command that refuses":        script("exit 65"),
		"a command that is not there": func(*testing.T) VoiceConfig {
			return VoiceConfig{Engine: VoiceCommand,
				Command: []string{"/none/x"}}
		},
		"a service that refuses the letters": refuses(400, "application/json", `{"error":"unsupported characters"}`),
		"a service that refuses the text":    refuses(422, "application/json", "{}"),
		"a service that sends nothing":       refuses(200, "audio/wav", ""),
		"RHVoice":                            func(*testing.T) VoiceConfig { return VoiceConfig{Engine: VoiceRHVoice} },
	} {
		for _, espeakIsHere := range []bool{true, false} {
			t.Run(what, func(t *testing.T) {
				programs, want := []string{rhvoice}, NoteMusicOnly
				if espeakIsHere {
					programs, want = append(programs, espeak), NoteOtherVoice
				}
				onlyPrograms(t, programs...)
				m := newMaker(t, func(cfg *Config) { cfg.Voice = voice(t) })
				clip, note, err := m.speak(
					t.Context(),
					proven,
					func(name string) string { return name + ", с Новым годом!" },
					"小明",
					"ru",
				)
				if (len(clip) > 0) != espeakIsHere || note != want || err != nil {
					t.Errorf("with espeak-ng %v: got %d samples, %q, %v; want %q", espeakIsHere, len(clip), note, err, want)
				}
			})
		}
	}
}

func TestVoice_AVideoSaysWhoSpoke(t *testing.T) {
	m := ownTemplate(t, `title = "x"
film = "film.mp4"
[[segment]]
start = "0.2s"
end = "0.8s"
box = [0, 0, 64, 48]
[voice]
text = "{{.Name}}"
`, "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25", "-f", "lavfi", "-i", "sine", "-t", "1", "-c:v", "libx264", "-g", "5")
	broken := []string{"/bin/sh", "-c", "cat >/dev/null"}
	for name, c := range map[string]struct {
		voice VoiceConfig
		path  []string // programs that are here
		want  string
	}{
		"the voice that is set": {VoiceConfig{Engine: VoiceCommand}, nil, ""},
		"nobody by choice":      {VoiceConfig{}, nil, ""},
		"another voice":         {VoiceConfig{Engine: VoiceCommand, Command: broken}, nil, NoteOtherVoice},
		"nobody": {VoiceConfig{Engine: VoiceCommand, Command: broken}, []string{"ffmpeg", "ffprobe"},
			NoteMusicOnly},
	} {
		t.Run(name, func(t *testing.T) {
			if c.path != nil {
				onlyPrograms(t, c.path...)
			}
			m.cfg.Voice = c.voice
			v, err := m.Make(t.Context(), Order{Asset: "a1", Name: "محمد", Lang: "ru", Template: "mine"}, nil)
			if err != nil || v.Note != c.want {
				t.Fatalf("got the note %q, %v; want %q and a video", v.Note, err, c.want)
			}
			if err := v.Discard(); err != nil {
				t.Error(err)
			}
		})
	}
}
