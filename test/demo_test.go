// Tests of retake demo as somebody starts it who wants to see Retake.

package test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"retake.example/internal/testserver"
)

// demo starts one at a port and returns where it says that it is, and what else it says.
func demo(t *testing.T, port string) (address, said string) {
	t.Helper()
	cmd := exec.Command(binary(t), "demo", "-port", port)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "XDG_CACHE_HOME=")
	out := &journal{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("got %v at its end; want nil\n%s", err, out)
		}
	})
	w := &world{T: t, log: out}
	w.until("the address", func() bool {
		address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(out.String())
		return address != ""
	})
	return address, out.String()
}

func TestDemo_IsAtThePortThatWasAskedForOrSaysWhereElse(t *testing.T) {
	notShort(t)
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	address, said := demo(t, port)
	if strings.HasSuffix(address, ":"+port) || !strings.Contains(said, fmt.Sprintf(
		"Another program uses port %s, so the demo is at port %s.", port, address[strings.LastIndexByte(address, ':')+1:])) {
		t.Errorf("%s is taken: got %s, %q; want another, and a sentence", port, address, said)
	}
	_, free, err := net.SplitHostPort(testserver.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	other, said := demo(t, free)
	if other != "http://127.0.0.1:"+free || strings.Contains(said, "Another program") {
		t.Errorf("%s is free: got %s, %q; want that one, and no more said", free, other, said)
	}
	for _, at := range []string{address, other} {
		resp, err := http.Get(at)
		if page := body(t, resp, err); resp.StatusCode != 200 || !strings.Contains(page, "Retake") {
			t.Errorf("%s: got %s, %q; want the phones", at, resp.Status, page)
		}
	}
	for _, wrong := range []string{"0", "65536", "x", "-1", ""} {
		if out, code := retake(t, nil, "demo", "-port="+wrong); code != exitUsage || !strings.Contains(out, "1 to 65535") {
			t.Errorf("-port=%s: got exit %d, %q; want %d and what is allowed", wrong, code, out, exitUsage)
		}
	}
}
