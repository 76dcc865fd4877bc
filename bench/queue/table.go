// table.go makes the table and puts it into the document.

package main

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"retake.example/bench/queue/load"
)

// method says what the figures mean.
var method = fmt.Sprintf(`
%s jobs that do nothing, %d producers, %d workers. *enqueue*: the producers alone, one job a call. *bulk*: %s jobs a
call. *drain*: the workers alone, until the last job is recorded as done. *enqueue + work*: producers and workers
together. *idle*: from the call of enqueue until the handler starts, in a queue with nothing else to do, %d samples
with varied gaps. A queue that cannot do all jobs in %v to %v is measured by those it did. Every job is counted: one
that is lost, handled twice or not recorded as done fails the queue. Each runs in a process of its own, in turn with
the others on the same disk; the order is reversed from round to round, and a server runs only while a queue of its is
measured. Ratios are of medians. Of its turns Retake takes medians, too, of five laps: its two rows are to be
compared, and between two laps on this disk lie 10 %% and more. Its bulk calls are so short that a lap has 1,000 of
them.

What a job is, and when it is on disk:

- **Retake**: a message that is pending for somebody and that nobody sends: a row with its foreign keys, its fair turn
  and its uniqueness, in its own file, by its own store and queue. Enqueueing and starting are on disk before the
  producer or the worker goes on; ends are written together with those that came meanwhile, and nothing is said to be
  done before. *bulk* is a video that %[4]s people wait for: what it owes them is one row, and each of them gets a row
  of their own when a worker begins, so the price of that is in *drain*. (With a row for each at once, as it was
  before, *bulk* was 0.9 times the best peer's.)
- **River**: a row in PostgreSQL (fsync and synchronous_commit on) or SQLite (synchronous=FULL), on disk when enqueue
  returns. Finished jobs are written in batches after the worker went on: a crash runs the last ones again. It looks
  for jobs every 1 ms, not every 100 ms, but takes no more at once than it has workers: hence its row with 2,000.
- **BullMQ**, **asynq**: an entry in Redis with appendfsync always, so enqueueing, starting and finishing are on disk
  when Redis answers. One Node process is all producers and workers of BullMQ. asynq looks for jobs every 2 ms, not
  every second, and has no bulk call.
- **backlite**: a row in SQLite (synchronous=FULL); a transaction for each enqueueing and each finishing, and one for
  each start of up to %[3]d jobs. It waits 100 ms when all workers are busy, which cannot be set.
- **raw single FULL commits**: one row a transaction, one after another, with Retake's driver and settings.
`, number(load.Jobs, load.Enqueue), load.Producers, load.Workers, number(load.Batch, load.Bulk),
	load.Samples, load.Limit, load.SamplesLimit)

// table has a row for each contender, and what Retake leads by.
func (b *bench) table() string {
	var t strings.Builder
	row := func(name string, cell func(unit string) string) {
		fmt.Fprintf(&t, "| %s |", name)
		for _, u := range load.Units {
			fmt.Fprintf(&t, " %s |", cell(u))
		}
		t.WriteString("\n")
	}
	t.WriteString(
		"| jobs a second | enqueue | bulk | drain | enqueue + work | idle p50, ms | idle p99, ms " +
			"|\n|---|--:|--:|--:|--:|--:|--:|\n",
	)
	medians := map[*contender]load.Figures{}
	for _, c := range b.all {
		if c.failed != nil {
			row(c.name, func(string) string { return "failed" })
			continue
		}
		m := medianOf(c.turns)
		medians[c] = m
		row(c.name, func(u string) string { return number(m[u], u) })
	}
	ours := medians[b.ours[0]]
	commits := ours[raw]
	// One commit after another is a producer alone, and the time of one is the least that a durable enqueue can take.
	row("raw single FULL commits", func(u string) string {
		switch u {
		case load.Enqueue:
			return number(commits, u)
		case load.P50:
			return number(1e3/commits, u)
		}
		return "–"
	})
	row("lead over the best peer with as many workers", func(u string) string {
		var best float64
		for c, m := range medians {
			if v := m[u]; !slices.Contains(b.ours, c) && !c.apart && v > 0 && (best == 0 || better(v, best, u)) {
				best = v
			}
		}
		if ms(u) {
			return ratio(best/ours[u], "×")
		}
		return ratio(ours[u]/best, "×")
	})
	row("against raw commits", func(u string) string {
		if ms(u) {
			return ratio(ours[u]*commits/1e3, " commits")
		}
		return ratio(ours[u]/commits, "×")
	})
	return t.String()
}

func ms(unit string) bool { return strings.HasSuffix(unit, "-ms") }

func better(a, b float64, unit string) bool { return (a > b) != ms(unit) }

func medianOf(turns []load.Figures) load.Figures {
	all := map[string][]float64{}
	for _, f := range turns {
		for u, v := range f {
			all[u] = append(all[u], v)
		}
	}
	m := load.Figures{}
	for u, v := range all {
		slices.Sort(v)
		m[u] = (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	return m
}

// number has two digits after the point for milliseconds, and commas in thousands.
func number(v float64, unit string) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) { // not measured
		return "–"
	}
	if ms(unit) {
		return fmt.Sprintf("%.2f", v)
	}
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func ratio(v float64, unit string) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return fmt.Sprintf("%.1f%s", v, unit)
}

const begin, end = "<!-- queue: written by make bench -->\n", "<!-- queue: end -->\n"

// write puts the text between the two marks of the document, which has other sections, too.
func write(path, text string) error {
	old, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		old, err = []byte("# Benchmarks\n"), nil
	}
	if err != nil {
		return err
	}
	before, rest, marked := strings.Cut(string(old), begin)
	_, after, ended := strings.Cut(rest, end)
	switch {
	case !marked:
		before += "\n## The queue\n\n"
	case !ended:
		return fmt.Errorf("%s: the mark %q is missing", path, end)
	}
	return os.WriteFile(path, []byte(before+begin+text+end+after), 0o644)
}

// versions finds those of the peers.
func versions(lite, node string) (map[string]string, error) {
	v := map[string]string{}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for _, p := range []struct{ name, binary, module string }{
		{"river", self, "github.com/riverqueue/river"},
		{"riverlite", lite, "github.com/riverqueue/river"},
		{"asynq", self, "github.com/hibiken/asynq"},
		{"backlite", self, "github.com/mikestefanello/backlite"},
	} {
		info, err := buildinfo.ReadFile(p.binary)
		if err != nil {
			return nil, err
		}
		for _, d := range info.Deps {
			if d.Path == p.module {
				v[p.name] = strings.TrimPrefix(d.Version, "v")
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(node, "node_modules", "bullmq", "package.json"))
	if err != nil {
		return nil, err
	}
	var bullmq struct{ Version string }
	if err := json.Unmarshal(text, &bullmq); err != nil {
		return nil, err
	}
	v["bullmq"] = bullmq.Version
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	digits := regexp.MustCompile(`\d+(\.\d+)+`)
	for name, program := range map[string]string{"postgres": filepath.Join(bin, "postgres"), "redis": "redis-server"} {
		out, err := output(program, "--version")
		if err != nil {
			return nil, err
		}
		v[name] = digits.FindString(out)
	}
	return v, nil
}

// machine describes where this runs. A file system in memory is refused: nothing is ever on disk there.
func machine(dir string) (string, error) {
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "", err
	}
	model := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindSubmatch(cpu)
	if model == nil {
		model = [][]byte{nil, []byte(runtime.GOARCH)}
	}
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "", err
	}
	files, err := fileSystem(dir)
	if err != nil {
		return "", err
	}
	if files == "tmpfs" || files == "ramfs" {
		return "", fmt.Errorf("%s is in memory: set TMPDIR to a folder on a disk", dir)
	}
	node, err := output("node", "--version")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(
		"%s; %s, %d cores, Linux %s, %s; %s, Node %s",
		time.Now().Format(time.DateOnly),
		model[1],
		runtime.NumCPU(),
		strings.TrimSpace(string(kernel)),
		files,
		runtime.Version(),
		strings.TrimPrefix(node, "v"),
	), nil
}

// fileSystem is the kind of the innermost mount that a path is in.
func fileSystem(path string) (string, error) {
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return "", err
	}
	var at, kind string
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f[1]) >= len(at) && (f[1] == "/" || path == f[1] || strings.HasPrefix(path, f[1]+"/")) {
			at, kind = f[1], f[2]
		}
	}
	return kind, nil
}
