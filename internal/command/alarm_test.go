// What retake check tries of [watch], and what leaves the machine of a reason.

package command

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"retake.example/internal/config"
	"retake.example/internal/watch"
)

func settings(t *testing.T, environ ...string) config.Config {
	t.Helper()
	defaults, err := os.ReadFile("../../config.toml")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.FromDefaults(string(defaults), append(environ, "RETAKE_LANGUAGE=en"))
	if err != nil {
		t.Fatal(err)
	}
	cfg.CacheDir = t.TempDir()
	return cfg
}

func TestCheck_TriesTheSecondWayAndThePing(t *testing.T) {
	var got []string
	status := 200
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.URL.Path+" "+string(body))
		w.WriteHeader(status)
	}))
	defer server.Close()
	parts, err := partsOf(settings(t, "RETAKE_WATCH_WEBHOOK="+server.URL+"/hook", "RETAKE_WATCH_PING="+server.URL+"/ping"),
		&Program{}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := parts.Alarm(t.Context()); err != nil || !slices.Equal(got, []string{"/ping ",
		"/hook A test message: Retake can reach you here, too."}) {
		t.Errorf("got %q, %v; want the ping and a test message", got, err)
	}
	status = 404
	if err := parts.Alarm(t.Context()); err == nil || !strings.Contains(err.Error(), "watch.ping: the answer is 404") ||
		!strings.Contains(err.Error(), "watch.webhook: the answer is 404") {
		t.Errorf("got %v; want both refused", err)
	}
	if parts, err = partsOf(settings(t), &Program{}, t.TempDir()); err != nil || parts.Alarm != nil {
		t.Errorf("got a probe, %v; want none without [watch]", err)
	}
}

func TestAlarm_AReasonLeavesOnlyInPlainWords(t *testing.T) {
	cfg := settings(t)
	said := wayText(cfg, watch.Message{ID: "outage_began", Vars: map[string]any{"Reason": "exit status 3: Маша is odd"}})
	if strings.Contains(said, "Маша") || !strings.Contains(said, cfg.Web.BaseURL) {
		t.Errorf("got %q; want the page's address instead of what an engine printed", said)
	}
	if said = wayText(cfg, watch.BackupOf(io.ErrShortWrite).Message); !strings.Contains(said, "short write") {
		t.Errorf("got %q; want the reason, which is about the disk", said)
	}
}
