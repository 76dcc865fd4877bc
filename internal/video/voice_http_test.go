// voice_http_test.go is a service that speaks, refuses and misbehaves.

package video

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

// httpMaker returns a Maker whose voice is a service.
func httpMaker(t *testing.T, handler http.HandlerFunc) (*Maker, *tools) {
	t.Helper()
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newMaker(t, func(c *Config) {
		c.Voice = VoiceConfig{
			Engine: VoiceHTTP,
			URL:    server.URL + "/v1/audio/speech",
			Key:    "sk-secret",
			Model:  "tts-1",
			Voice:  "nova",
		}
	}), proven
}

func TestServiceSpeaks(t *testing.T) {
	sound, err := os.ReadFile(beep(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"audio/wav", "audio/mpeg; charset=binary", "application/octet-stream"} {
		calls := 0
		m, tl := httpMaker(t, func(w http.ResponseWriter, r *http.Request) {
			calls++
			var got map[string]string
			if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
				t.Errorf("body: %v", err)
			}
			if r.Method != "POST" || r.URL.Path != "/v1/audio/speech" || r.Header.Get("Authorization") != "Bearer sk-secret" ||
				r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("got %s %s with %v; want a POST with the key", r.Method, r.URL, r.Header)
			}
			if len(got) != 4 || got["model"] != "tts-1" || got["voice"] != "nova" || got["response_format"] != "wav" ||
				got["input"] != `Hello "Anna" <b>!` {
				t.Errorf("got %q; want model, voice, text and format", got)
			}
			w.Header().Set("Content-Type", kind)
			w.Write(sound)
		})
		for range 2 {
			clip, err := m.speakText(t.Context(), tl, `Hello "Anna" <b>!`, `"Anna" <b>`, "en")
			if err != nil || len(clip) < soundRate*9/10 {
				t.Errorf("%s: got %d samples, %v; want a second", kind, len(clip), err)
			}
		}
		if calls != 1 {
			t.Errorf("%s: got %d calls; want 1", kind, calls)
		}
		wantNoRest(t, m, 1)
	}
}

func TestServiceRefuses(t *testing.T) {
	for _, c := range []struct {
		code       int
		retryAfter string
		wait       time.Duration // -1: none is named
	}{
		{400, "", -1}, {401, "", -1}, {402, "", -1}, {403, "", -1}, {404, "", -1},
		{408, "", -1}, {425, "", -1}, {429, "", -1}, {429, "7", 7 * time.Second}, {429, "0", -1}, // at once is no wait
		{429, "soon", -1}, {429, "-1", -1}, {429, "Mon, 02 Jan 2006 15:04:05 GMT", -1},
		{500, "", -1}, {503, "60", time.Minute}, {204, "", -1}, {301, "", -1}, {307, "", -1},
	} {
		m, tl := httpMaker(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v1/audio/speech" {
				t.Errorf("%d: got a request for %s; want no redirect", c.code, r.URL)
			}
			if c.retryAfter != "" {
				w.Header().Set("Retry-After", c.retryAfter)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.code)
			if c.code != 204 {
				w.Write(
					[]byte("{\"error\":\n \"cannot say Hello Mar\u00eda or Mar\\u00eda with sk-secret\"}" + strings.Repeat("ы", 1000)),
				)
			}
		})
		_, err := m.speakText(t.Context(), tl, "Hello María!", "María", "en")
		if err == nil || isPermanent(err) {
			t.Errorf("%d: got %v; want a transient error", c.code, err)
			continue
		}
		if got := err.Error(); c.code != 204 && !strings.Contains(got, `"cannot say Hello [name] or [name] with [key]"`) ||
			strings.Contains(got, "Mar") ||
			strings.Contains(got, "sk-secret") ||
			len(got) > 500 {
			t.Errorf("%d: got %s; want the reason without name and key", c.code, got)
		}
		wait := time.Duration(-1)
		var later interface{ RetryAfter() (time.Duration, bool) }
		if errors.As(err, &later) {
			wait, _ = later.RetryAfter()
		}
		if wait != c.wait {
			t.Errorf("%d with Retry-After %q: got %v; want %v", c.code, c.retryAfter, wait, c.wait)
		}
		wantNoRest(t, m, 0)
	}
}

func TestServiceMisbehaves(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   string
	}{
		"with a page": {func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/html"); w.Write([]byte("<p>")) },
			"something else than sound"},
		"with nothing": {func(w http.ResponseWriter) { w.Header().Set("Content-Type", "audio/wav") }, "no sound file"},
		"with garbage": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type",
				"audio/wav")
			w.Write(make([]byte, 5000))
		}, "read the sound"},
		"with too much": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "audio/wav")
			w.Write(make([]byte, maxSpoken+1))
		}, "more than 10 MB"},
		"by hanging up": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "ask the service"},
		"in the middle": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "audio/wav")
			w.Header().Set("Content-Length", "100000")
			w.Write(make([]byte, 50000))
		}, "answer of the service"},
	} {
		t.Run(name, func(t *testing.T) {
			m, tl := httpMaker(t, func(w http.ResponseWriter, _ *http.Request) { c.answer(w) })
			_, err := m.speakText(t.Context(), tl, "Hello Mariam!", "Mariam", "en")
			if err == nil || isPermanent(err) || !strings.Contains(err.Error(), c.want) ||
				strings.Contains(err.Error(), "Mariam") {
				t.Errorf("got %v; want a transient error with %q", err, c.want)
			}
			if page := name == "with a page"; isWait(err) != page {
				t.Errorf("got a wait %v; want %v: only a page shows that the service is not there", !page, page)
			}
			wantNoRest(t, m, 0)
		})
	}
}

func isWait(err error) bool {
	var later interface{ RetryAfter() (time.Duration, bool) }
	return errors.As(err, &later)
}

// TestService_ThatIsGoneIsWaitedFor spends no attempt: the name has no part in it.
func TestService_ThatIsGoneIsWaitedFor(t *testing.T) {
	m, tl := httpMaker(t, nil)
	m.cfg.Voice.URL = "http://127.0.0.1:1/v1/audio/speech"
	_, err := m.speakText(t.Context(), tl, "Hello Mariam!", "Mariam", "en")
	if !isWait(err) || CodeOf(err) != CodeUnreachable || strings.Contains(err.Error(), "Mariam") {
		t.Errorf("got %v with %q; want a wait with %q", err, CodeOf(err), CodeUnreachable)
	}
}

func TestServiceEndsWithTheContext(t *testing.T) {
	m, tl := httpMaker(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // before that the server does not see that the client has gone
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errors.New("stopped by the test"))
	defer cancel()
	if _, err := m.speakText(ctx, tl, "Hello Mariam!", "Mariam", "en"); err == nil ||
		!strings.Contains(err.Error(), "stopped by the test") {
		t.Errorf("got %v; want the cause", err)
	}
	wantNoRest(t, m, 0)
}

// TestService_ATextThatItWillNeverSayDoesNotCostTheVideo has espeak-ng say it.
func TestService_ATextThatItWillNeverSayDoesNotCostTheVideo(t *testing.T) {
	for _, code := range []int{405, 413, 415, 422, 451} {
		m, tl := httpMaker(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
		clip, note, err := m.speak(t.Context(), tl, func(name string) string { return "Hello " + name }, "Mariam", "en")
		if len(clip) == 0 || note != NoteOtherVoice || err != nil {
			t.Errorf("%d: got %d samples, %q, %v; want another voice, noted", code, len(clip), note, err)
		}
	}
}

func TestService_IsAskedWithoutAProxy(t *testing.T) {
	proxied := false
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied = true }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	// Go reads the variables once, so what counts is that nobody asks for them.
	if voiceTransport.Proxy != nil {
		t.Error("got a proxy for the voice service; want none: names are said there")
	}
	m, tl := httpMaker(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	if _, _, err := m.speak(t.Context(), tl, func(name string) string { return name }, "Anna", "en"); err != nil ||
		proxied {
		t.Errorf("got %v, and the proxy asked: %v; want it not asked", err, proxied)
	}
}

// TestService_TheRecipeOfTheDocumentsSpeaks with a server on this machine that has the interface that the recipe is
// for, and sends what Piper's voices send: WAV of 22,050 Hz.
func TestService_TheRecipeOfTheDocumentsSpeaks(t *testing.T) {
	document, err := os.ReadFile("../../docs/engines.md")
	if err != nil {
		t.Fatal(err)
	}
	_, recipe, found := strings.Cut(string(document), "```toml\n[voice]\nengine = \"http\"\n")
	if !found {
		t.Fatal("docs/engines.md has no recipe")
	}
	recipe, _, _ = strings.Cut(recipe, "```")
	var v struct{ URL, Model, Voice string }
	if _, err := toml.Decode(recipe, &v); err != nil {
		t.Fatal(err)
	}
	proven, err := provenTools()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Input, Model, Voice string
			Format              string `json:"response_format"`
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || r.Method != http.MethodPost ||
			r.URL.Path != "/v1/audio/speech" || r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, `{"detail":"not what the interface is"}`, http.StatusUnprocessableEntity)
			return
		}
		if asked.Model != v.Model || asked.Voice != "irina" || asked.Format != "wav" {
			http.Error(w, `{"detail":"Model is not installed locally"}`, http.StatusNotFound)
			return
		}
		said := exec.CommandContext(r.Context(), espeak, "-v", "ru", "--stdout", "--stdin") // of 22,050 Hz, too
		said.Stdin = strings.NewReader(asked.Input)
		sound, err := said.Output()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "audio/wav")
		w.Write(sound)
	}))
	defer server.Close()
	address := strings.Replace(v.URL, "http://127.0.0.1:8000", server.URL, 1)
	if address == v.URL {
		t.Fatalf("got the address %s; want one on this machine", v.URL)
	}
	m := newMaker(t, func(c *Config) {
		c.Voice = VoiceConfig{Engine: VoiceHTTP, URL: address, Model: v.Model, Voice: v.Voice}
	})
	clip, note, err := m.speak(t.Context(), proven, func(name string) string { return name + ", с Новым годом!" },
		"Никита", "ru")
	if err != nil || note != "" || len(clip) < soundRate || len(clip) > 4*soundRate {
		t.Errorf("got %d samples, %q, %v; want the greeting spoken", len(clip), note, err)
	}
}
