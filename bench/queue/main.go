// Command queue measures Retake's queue beside others, in one run, and writes the table of docs/benchmarks.md.
//
// Every round runs all of them one after another, each in a process of its own with its data in a folder of its own on
// the same disk; the order is reversed from round to round. A server runs only while a queue of its is measured.
// Retake's own figures come from its benchmarks, which use the product's store and queue.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"retake.example/bench/queue/load"
)

// raw is the unit of the product's own measure of the disk: commits a second, one after another, each on disk.
const raw = "raw/s"

// tooLong ends a queue that hangs.
const tooLong = 5 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	rounds := flag.Int("rounds", 3, "how often everything is measured; the medians count")
	peer := flag.String("peer", "", "measure only this queue in Go, in this process: what the command runs itself as")
	flag.Parse()
	err := error(nil)
	if *peer != "" {
		err = measure(ctx, *peer)
	} else {
		err = run(ctx, *rounds, flag.Args())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "queue:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, peer string) error {
	open := peers[peer]
	if open == nil {
		return fmt.Errorf("no queue is called %q", peer)
	}
	q, err := open(ctx, os.Getenv("QUEUE_SERVER"))
	if err != nil {
		return err
	}
	f, err := load.Run(ctx, q)
	if err != nil {
		return err
	}
	fmt.Println(f)
	return nil
}

// contender is a row of the table.
type contender struct {
	name   string
	start  func(ctx context.Context, dir string) (*server, error) // nil without a server
	cmd    []string
	dir    string // to run in, if not in the folder for the data
	apart  bool   // it has more workers than the others, and none is compared with it
	turns  []load.Figures
	failed error // of any turn: then it has no figures
}

// bench is what all turns share.
type bench struct {
	dir  string // of all data
	root string // of the product's source
	ours []*contender
	all  []*contender
}

// run measures all, or those whose names contain one of the words; only a whole run is written down.
func run(ctx context.Context, rounds int, words []string) error {
	root, err := output("go", "list", "-m", "-f", "{{.Dir}}", "retake")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "retake-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	m, err := machine(dir)
	if err != nil {
		return err
	}
	b := &bench{dir: dir, root: root}
	fmt.Println("Building.")
	if err := b.setUp(ctx); err != nil {
		return err
	}
	whole := len(words) == 0
	if !whole {
		b.all = slices.DeleteFunc(b.all, func(c *contender) bool {
			return !slices.ContainsFunc(
				words,
				func(w string) bool { return strings.Contains(strings.ToLower(c.name), strings.ToLower(w)) },
			)
		})
	}
	for round := range rounds {
		order := slices.Clone(b.all)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, c := range order {
			f, err := b.turn(ctx, c)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				c.failed = err
				fmt.Printf("round %d: %s: FAILED: %v\n", round+1, c.name, err)
				continue
			}
			c.turns = append(c.turns, f)
			disk := ""
			if v, ok := f[raw]; ok {
				disk = fmt.Sprintf(" %.0f %s", v, raw)
			}
			fmt.Printf("round %d: %s:%s%s\n", round+1, c.name, strings.TrimPrefix(f.String(), "BenchmarkQueue 1"), disk)
		}
	}
	text := b.table() + "\n" + m + fmt.Sprintf("; medians of %d rounds\n", rounds)
	fmt.Print("\n", text)
	var failed []error
	for _, c := range b.all {
		if c.failed != nil {
			failed = append(failed, fmt.Errorf("%s: %w", c.name, c.failed))
		}
	}
	if whole {
		failed = append(failed, write(filepath.Join(root, "docs", "benchmarks.md"), text+method))
	}
	return errors.Join(failed...)
}

//go:embed package.json
var packages []byte

//go:embed bull.js
var bull []byte

// setUp builds what is measured, and finds the versions.
func (b *bench) setUp(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	product := filepath.Join(b.dir, "retake.test")
	lite := filepath.Join(b.dir, "riverlite")
	node := filepath.Join(b.root, "build", "bullmq") // kept for the next run
	for _, c := range []struct {
		dir  string
		args []string
	}{
		{b.root, []string{"go", "test", "-c", "-o", product, "."}},
		{filepath.Join(b.root, "bench", "queue", "load"), []string{"go", "build", "-o", lite, "./riverlite"}},
	} {
		cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
		cmd.Dir, cmd.Env = c.dir, append(os.Environ(), "CGO_ENABLED=0") // as the product is built
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(c.args, " "), err, out)
		}
	}
	if err := install(ctx, node); err != nil {
		return err
	}
	v, err := versions(lite, node)
	if err != nil {
		return err
	}
	benchmark := func(name string) []string {
		return []string{
			product,
			"-test.run",
			"^$",
			"-test.bench",
			"^" + name + "$",
			"-test.benchtime",
			"1x",
			"-test.count",
			"1",
		}
	}
	b.ours = []*contender{
		{name: "**Retake**", cmd: benchmark("BenchmarkQueue"), dir: b.root},
		{
			name: "**Retake**, a million finished assets in the file",
			cmd:  benchmark("BenchmarkQueueWithAMillion"),
			dir:  b.root,
		},
	}
	b.all = append(
		slices.Clone(b.ours),
		&contender{
			name:  fmt.Sprintf("River %s, PostgreSQL %s", v["river"], v["postgres"]),
			cmd:   []string{self, "-peer", "river"},
			start: postgres,
		},
		&contender{
			name:  fmt.Sprintf("River %s, PostgreSQL %s, 2,000 workers", v["river"], v["postgres"]),
			cmd:   []string{self, "-peer", "river-2000"},
			start: postgres,
			apart: true,
		},
		&contender{name: fmt.Sprintf("River %s, SQLite", v["riverlite"]), cmd: []string{lite}},
		&contender{
			name:  fmt.Sprintf("BullMQ %s, Redis %s", v["bullmq"], v["redis"]),
			cmd:   []string{"node", filepath.Join(node, "bull.js"), load.JSON()},
			start: redisServer,
		},
		&contender{
			name:  fmt.Sprintf("asynq %s, Redis %s", v["asynq"], v["redis"]),
			cmd:   []string{self, "-peer", "asynq"},
			start: redisServer,
		},
		&contender{name: fmt.Sprintf("backlite %s, SQLite", v["backlite"]), cmd: []string{self, "-peer", "backlite"}},
	)
	return nil
}

// install has npm fetch BullMQ, unless it is there.
func install(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "bull.js"), bull, 0o644); err != nil {
		return err
	}
	list := filepath.Join(dir, "package.json")
	if had, err := os.ReadFile(list); err == nil && bytes.Equal(had, packages) {
		if _, err := os.Stat(filepath.Join(dir, "installed")); err == nil {
			return nil
		}
	}
	if err := os.WriteFile(list, packages, 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(
		ctx,
		"npm",
		"install",
		"--silent",
		"--no-audit",
		"--no-fund",
		"--ignore-scripts",
		"--no-package-lock",
	)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm install: %w: %s", err, out)
	}
	return os.WriteFile(filepath.Join(dir, "installed"), nil, 0o644)
}

// turn measures a contender once, with nothing of the last one left on the disk or waiting for it.
func (b *bench) turn(ctx context.Context, c *contender) (_ load.Figures, err error) {
	data := filepath.Join(b.dir, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	syscall.Sync()
	ctx, cancel := context.WithTimeoutCause(ctx, tooLong, fmt.Errorf("not done after %v", tooLong))
	defer cancel()
	cmd := exec.CommandContext(ctx, c.cmd[0], c.cmd[1:]...)
	cmd.Dir, cmd.Env = data, append(os.Environ(), "TMPDIR="+data)
	if c.dir != "" {
		cmd.Dir = c.dir
	}
	if c.start != nil {
		s, err := c.start(ctx, b.dir)
		if err != nil {
			return nil, err
		}
		defer s.stop()
		cmd.Env = append(cmd.Env, "QUEUE_SERVER="+s.address)
	}
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &log, 10*time.Second
	if err := cmd.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("%w\n%s", err, strings.TrimSpace(out.String()+log.String()))
	}
	return parse(out.String())
}

// parse reads the line of a benchmark: its name, how often it ran, and pairs of value and unit.
func parse(out string) (load.Figures, error) {
	for line := range strings.Lines(out) {
		w := strings.Fields(line)
		if len(w) < 4 || !strings.HasPrefix(w[0], "Benchmark") {
			continue
		}
		f := load.Figures{}
		for pair := range slices.Chunk(w[2:], 2) {
			v, err := strconv.ParseFloat(pair[0], 64)
			if err != nil || len(pair) != 2 || v <= 0 {
				return nil, fmt.Errorf("not a figure: %q", pair)
			}
			f[pair[1]] = v
		}
		for _, u := range load.Units {
			if _, ok := f[u]; !ok && u != load.Bulk {
				return nil, fmt.Errorf("no %s in %q", u, line)
			}
		}
		return f, nil
	}
	return nil, fmt.Errorf("no figures in %q", out)
}

func output(program string, args ...string) (string, error) {
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", program, err)
	}
	return strings.TrimSpace(string(out)), nil
}
