// network_linux_test.go has ffmpeg call somewhere, with all of its protocols allowed.

package video

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestProcess_ToolsHaveNoNetworkAndWeHave(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			calls.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	address := server.Listener.Addr().String()
	path := func(name string) string {
		found, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	ffmpeg, ffprobe, shell := path("ffmpeg"), path("ffprobe"), path("bash")
	for name, argv := range map[string][]string{
		"ffmpeg by http": {ffmpeg, "-v", "error", "-protocol_whitelist", "file,http,tcp", "-i", server.URL, "-f", "null", "-"},
		"ffmpeg by tcp":  {ffmpeg, "-v", "error", "-i", "tcp://" + address + "?timeout=500000", "-f", "null", "-"},
		"ffprobe":        {ffprobe, "-v", "error", server.URL},
		"its children": {shell, "-c", "(exec 3<>/dev/tcp/" + strings.Replace(address, ":", "/", 1) +
			" && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && cat <&3) & wait $!"},
	} {
		for _, tool := range []bool{true, false} {
			before := calls.Load()
			_ = run(t.Context(), child{argv: argv, tool: tool}) // no film comes
			called := calls.Load() > before
			if called == tool {
				t.Errorf("%s, without a network %v: got a call %v", name, tool, called)
			}
		}
	}
	// What a tool lacks, the program has: on whatever thread.
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			c.Close()
		})
	}
	all.Wait()
}

// What each input is read with keeps ffmpeg from the network where the kernel does not.
func TestProcess_TheListOfProtocolsAloneKeepsFFmpegFromTheNetwork(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer server.Close()
	for name, options := range map[string][]string{"what an engine made": hardened, "an upload": uploaded,
		"a template's film": anyFormat, "its music": anySound, "without a list": nil} {
		calls.Store(0)
		_ = run(t.Context(), child{argv: slices.Concat([]string{"ffmpeg", "-v", "error"}, options,
			[]string{"-i", server.URL, "-f", "null", "-"})}) // no film comes
		if called := calls.Load() > 0; called != (options == nil) {
			t.Errorf("%s: got a call %v", name, called)
		}
	}
}

// A panic while a tool is started is an error, and the next one starts.
func TestProcess_AFailureToStartEndsNoThread(t *testing.T) {
	if err := withoutNetwork(func() error { panic("x") }); err == nil {
		t.Error("got no error; want the panic")
	}
	if err := run(t.Context(), child{argv: []string{"true"}, tool: true}); err != nil {
		t.Error(err)
	}
}
