// Tests of /metrics: who may read it, and that what is measured is true and documented.

package test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"retake.example/internal/folder"
	"retake.example/internal/store"
	"retake.example/internal/testserver"
)

// served is the program with its page and a token for its metrics, in a process of its own.
type served struct {
	*world
	*victim
	page string
}

const metricsToken = "a-token-of-this-test"

func newServed(t *testing.T) served {
	t.Helper()
	v := newVictim(t)
	address := testserver.FreeAddress(t)
	path := filepath.Join(v.dir, "config.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fixed := strings.Replace(
		string(text),
		`listen = "127.0.0.1:0"`,
		fmt.Sprintf("listen = %q\nbase_url = \"http://%s\"\nmetrics_token = %q", address, address, metricsToken),
		1,
	)
	fixed = strings.Replace(fixed, "[telegram]\n", "[telegram]\nowners = [900]\n", 1) +
		"[log]\nformat = \"json\"\n"
	if err := os.WriteFile(path, []byte(fixed), 0o600); err != nil {
		t.Fatal(err)
	}
	s := served{&world{T: t, tg: v.tg, log: v.log}, v, "http://" + address}
	v.start()
	s.until("the page", func() bool {
		resp, err := http.Get(s.page + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == 200
	})
	return s
}

// families reads /metrics with the parser of Prometheus.
func (s served) families() map[string]*dto.MetricFamily {
	s.world.Helper()
	r, err := http.NewRequest("GET", s.page+"/metrics", nil)
	if err != nil {
		s.world.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+metricsToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.world.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		body, _ := io.ReadAll(resp.Body)
		s.world.Fatalf("got %s, %s\n%s", resp.Status, resp.Header.Get("Content-Type"), body)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		s.world.Fatal(err)
	}
	return all
}

// value returns one of them; labels are "name=value".
func value(t testing.TB, all map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	for _, m := range all[name].GetMetric() {
		var has []string
		for _, l := range m.GetLabel() {
			has = append(has, l.GetName()+"="+l.GetValue())
		}
		if !slices.Equal(has, labels) {
			continue
		}
		if h := m.GetHistogram(); h != nil {
			return float64(h.GetSampleCount())
		}
		return m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	t.Errorf("%s%q is not there", name, labels)
	return -1
}

func TestWhatIsMeasuredIsTrueAndDocumented(t *testing.T) {
	t.Parallel()
	s := newServed(t)
	s.breaks()
	good, again, bad := s.world.tg.Person(
		101,
		"Мария",
		"ru",
	), s.world.tg.Person(
		102,
		"Ольга",
		"ru",
	), s.world.tg.Person(
		103,
		"Пётр",
		"ru",
	)
	s.asks(good, "Аглая")
	s.getsVideos(good, 1)
	s.asks(again, "Аглая")
	s.getsVideos(again, 1)
	s.asks(bad, "Сбой")
	s.hears(bad, "Упс!")
	s.hears(again, "Готово") // what follows a video is sent
	var all map[string]*dto.MetricFamily
	s.until("rest", func() bool {
		all = s.families()
		return value(t, all, "retake_telegram_inbox") == 0 && // an attempt counts when its end is on the disk
			value(
				t,
				all,
				"retake_attempts_total",
				"kind=APOLOGISE",
				"outcome=done",
			) > 0 && value(t, all, "retake_attempts_total", "kind=DELIVER", "outcome=done") > 1
	})

	t.Run("the numbers are right", func(t *testing.T) {
		for want, list := range map[float64][][]string{
			0: {{"retake_assets", "status=PENDING"}, {"retake_requests_open"}, {"retake_outage"},
				{"retake_trouble", "cause=disk"}, {"retake_trouble", "cause=backup"},
				{"retake_publications", "platform=YOUTUBE", "status=FAILED"}, {"retake_channels",
					"state=ENDED"}, {"retake_workers_busy", "kind=RENDER"},
				{"retake_telegram_calls_total", "method=sendMessage", "result=too_many"}, {"retake_attempts_total", "kind=PUBLISH",
					"outcome=gave_up"},
				{"retake_jobs", "kind=RENDER", "state=waiting"}, {"retake_job_oldest_waiting_seconds", "kind=RENDER"}},
			1: {{"retake_bot_on"}, {"retake_ready", "reason=stuck"}, {"retake_ready", "reason=backup"},
				{"retake_assets", "status=COMPLETED"}, {"retake_assets", "status=FAILED"}, {"retake_assets_needing_admin"},
				{"retake_render_seconds"},
				{"retake_attempts_total", "kind=RENDER", "outcome=done"}, {"retake_attempts_total", "kind=RENDER",
					"outcome=gave_up"},
				{"retake_attempts_total", "kind=APOLOGISE", "outcome=done"}},
			2: {{"retake_attempts_total", "kind=RENDER", "outcome=rescheduled"},
				{"retake_attempts_total", "kind=DELIVER", "outcome=done"},
				{"retake_telegram_calls_total", "method=sendVideo", "result=ok"}, {"retake_workers", "kind=RENDER"}},
			3: {{"retake_requests_total"}},
			6: {{"retake_telegram_updates_total"}}, // three names, three presses of Yes
		} {
			for _, l := range list {
				if got := value(t, all, l[0], l[1:]...); got != want {
					t.Errorf("%s%q: got %v; want %v", l[0], l[1:], got, want)
				}
			}
		}
		sent := 0.0
		for _, c := range s.world.tg.Calls() {
			if c.Method == "sendMessage" && c.OK {
				sent++
			}
		}
		if got := value(t, all, "retake_telegram_calls_total", "method=sendMessage", "result=ok"); got != sent {
			t.Errorf("got %v messages sent; want the %v that Telegram has", got, sent)
		}
		for _, some := range [][]string{{"retake_disk_free_bytes"}, {"retake_database_bytes", "file=main"},
			{"retake_database_bytes", "file=wal"},
			{"retake_telegram_wait_seconds"}, {"process_resident_memory_bytes"}, {"go_goroutines"}} {
			if value(t, all, some[0], some[1:]...) <= 0 {
				t.Errorf("%q: got nothing; want some", some)
			}
		}
		if ago := float64(time.Now().UnixMilli())/1000 - value(t, all,
			"retake_telegram_contact_timestamp_seconds"); ago < 0 ||
			ago > 60 {
			t.Errorf("got contact %v s ago; want just now", ago)
		}
	})
	t.Run("no label tells of a person", func(t *testing.T) {
		for _, f := range all {
			for _, m := range f.GetMetric() {
				for _, l := range m.GetLabel() {
					fixed := regexp.MustCompile(
						`^(kind|state|outcome|method|result|status|platform|cause|file|reason|version|goversion|quantile|answer)$`).
						MatchString(l.GetName())
					if v := l.GetValue(); !fixed || strings.Contains(v, "10") && l.GetName() != "goversion" ||
						strings.ContainsAny(v, "АГлаяСбой") {
						t.Errorf("%s has the label %s=%q", f.GetName(), l.GetName(), v)
					}
				}
			}
		}
	})
	t.Run("looking writes nothing", func(t *testing.T) {
		state := func() string {
			text := ""
			for _, name := range []string{"retake.db", "retake.db-wal"} {
				info, err := os.Stat(filepath.Join(s.victim.dir, name))
				if err != nil {
					t.Fatal(err)
				}
				text += fmt.Sprint(name, info.Size(), info.ModTime())
			}
			return text
		}
		before := state()
		for range 5 {
			s.families()
			resp, err := http.Get(s.page + "/readyz")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		if after := state(); after != before {
			t.Errorf("got %s; want %s", after, before)
		}
	})
	t.Run("the document lists them all", func(t *testing.T) {
		text, err := os.ReadFile("docs/watching.md")
		if err != nil {
			t.Fatal(err)
		}
		documented := map[string]string{} // labels by name
		for _, m := range regexp.MustCompile("(?m)^\\| `(retake_\\w+)` \\| (\\w+) \\|([^|]*)\\| [^|]+\\|$").
			FindAllStringSubmatch(string(text), -1) {
			documented[m[1]] = m[2] + " " + strings.Join(regexp.MustCompile(`\w+`).FindAllString(m[3], -1), " ")
		}
		real := map[string]string{}
		for name, f := range all {
			if !strings.HasPrefix(name, "retake_") {
				continue
			}
			var labels []string
			for _, l := range f.GetMetric()[0].GetLabel() {
				labels = append(labels, l.GetName())
			}
			real[name] = strings.ToLower(f.GetType().String()) + " " + strings.Join(labels, " ")
		}
		if !maps.Equal(documented, real) {
			for _, name := range slices.Sorted(maps.Keys(real)) {
				if documented[name] != real[name] {
					t.Errorf("%s: the table says %q; it is %q", name, documented[name], real[name])
				}
			}
			for name := range documented {
				if _, ok := real[name]; !ok {
					t.Errorf("%s: there is no such metric", name)
				}
			}
		}
	})
	t.Run("the dashboard and the alerts use what there is", func(t *testing.T) {
		for _, path := range []string{"packaging/grafana.json", "packaging/alerts.yml"} {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(path, ".json") && !json.Valid(text) {
				t.Errorf("%s is no JSON", path)
			}
			names := regexp.MustCompile(`\b(retake|process|go)_\w+`).FindAllString(string(text), -1)
			for _, name := range names {
				base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
				if all[name] == nil && all[base].GetType() != dto.MetricType_HISTOGRAM {
					t.Errorf("%s uses %s, which is no metric", path, name)
				}
			}
			if len(names) < 10 {
				t.Errorf("%s: got %d metrics; want more", path, len(names))
			}
			for _, m := range regexp.MustCompile(`(\w+)\\?"?=~?\\?"([^"\\$]+)\\?"`).FindAllStringSubmatch(string(text), -1) {
				for one := range strings.SplitSeq(m[2], "|") {
					if m[1] != "job" && !labelled(all, m[1], one) { // which Prometheus adds
						t.Errorf("%s asks for %s=%q, which no metric has", path, m[1], one)
					}
				}
			}
		}
	})
	t.Run("the documented commands work", func(t *testing.T) {
		text, err := os.ReadFile("docs/watching.md")
		if err != nil {
			t.Fatal(err)
		}
		blocks := regexp.MustCompile("(?s)```(sh|json|text)\n(.*?)```").FindAllStringSubmatch(string(text), -1)
		var out []byte
		for _, b := range blocks {
			if b[1] == "sh" {
				cmd := exec.Command("sh", "-euc", b[2])
				cmd.Env = append(os.Environ(), "PAGE="+s.page, "TOKEN="+metricsToken)
				if out, err = cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", b[2], err, out)
				}
				continue
			}
			for line := range strings.Lines(b[2]) { // each line of an answer is there, whatever its numbers
				line = regexp.MustCompile(`[0-9.e+]+$`).ReplaceAllString(strings.TrimSpace(line), "")
				if !strings.Contains(string(out), line) {
					t.Errorf("got %s; want %q in it", out, line)
				}
			}
		}
		if len(blocks) < 4 {
			t.Errorf("got %d blocks; want all of them", len(blocks))
		}
	})
	t.Run("an owner of the settings is told", func(t *testing.T) {
		owner := s.world.tg.Person(900, "Owner", "ru")
		owner.Send("/start")
		st, err := openStore(filepath.Join(s.victim.dir, "retake.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		publishes(t, st, connected(t, st, "UC1"), "Лето")
		task := begin(t, st, store.Publish)
		write(t, st, func(tx *store.Tx) error { return tx.EndAccess(task.Job, "the access has ended") })
		if err := folder.Wake(s.victim.dir); err != nil {
			t.Fatal(err)
		}
		s.hears(owner, "Доступ к YouTube закончился (1 канал)")
		all := s.families()
		for want, l := range map[float64][]string{0: {"retake_trouble", "cause=outage"},
			1: {"retake_trouble", "cause=channel"}} {
			if got := value(t, all, l[0], l[1:]...); got != want {
				t.Errorf("%q: got %v; want %v", l, got, want)
			}
		}
		if got := value(t, all, "retake_publications", "platform=YOUTUBE", "status=FAILED"); got != 1 {
			t.Errorf("got %v failed publications; want 1", got)
		}
	})
	t.Run("the log is JSON without names", func(t *testing.T) {
		lines := 0
		for line := range strings.Lines(s.world.log.String()) {
			if !strings.HasPrefix(line, "{") {
				continue // the link for the first sign-in
			}
			lines++
			var v struct{ Time, Level, Msg string }
			if err := json.Unmarshal([]byte(line), &v); err != nil || v.Time == "" || v.Level == "" || v.Msg == "" ||
				strings.Contains(line, "Сбой") {
				t.Errorf("got %s, %v; want time, level and msg, and no name", line, err)
			}
		}
		if lines < 3 {
			t.Errorf("got %d lines\n%s\nwant some", lines, s.world.log)
		}
	})
}

// labelled reports whether any metric has a label with that value.
func labelled(all map[string]*dto.MetricFamily, name, value string) bool {
	for _, f := range all {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == name && l.GetValue() == value {
					return true
				}
			}
		}
	}
	return false
}
