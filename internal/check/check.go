// Package check examines a machine before and while Retake runs on it. For each part it says whether it works and, if
// not, how to fix it. It changes nothing.
package check

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"retake.example/internal/routine"
)

// Level is the result of a probe.
type Level string

const (
	OK      Level = "ok"
	Warning Level = "warning" // the program works, but lacks something
	Fault   Level = "fault"   // the program cannot work
	Skipped Level = "skipped" // not examined because of another fault
)

// Finding is one line of a probe: what it found, and how to fix it unless all is well.
type Finding struct {
	Level Level
	Text  string
}

// Well, Warn and Wrong make findings.
func Well(format string, args ...any) Finding  { return Finding{OK, fmt.Sprintf(format, args...)} }
func Warn(format string, args ...any) Finding  { return Finding{Warning, fmt.Sprintf(format, args...)} }
func Wrong(format string, args ...any) Finding { return Finding{Fault, fmt.Sprintf(format, args...)} }

// Probe examines one part.
type Probe struct {
	Name  string
	After string // the probe to wait for; if it found a fault, this one is skipped
	Look  func(ctx context.Context) []Finding
}

// grace is how long a probe may take to report that its time was over.
const grace = 500 * time.Millisecond

// Refused writes the faults of refused settings. The error gives their number.
func Refused(out io.Writer, faults []string) error {
	for _, f := range faults {
		if err := line(out, Fault, "settings", f); err != nil {
			return err
		}
	}
	return fmt.Errorf("retake: %s in the settings; nothing else was checked", count(len(faults), "fault"))
}

func line(out io.Writer, level Level, name, text string) error {
	_, err := fmt.Fprintf(out, "%-8s %s: %s\n", level, name, text)
	return err
}

func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// Run runs all probes at the same time, each for at most patience. It writes a line for each finding in the order of
// the probes, as soon as it is known, and then a summary. It never writes secrets of more than five characters. If
// there are faults, the error gives their number.
func Run(ctx context.Context, out io.Writer, patience time.Duration, secrets []string, probes ...Probe) error {
	faults, warnings := 0, 0
	type result struct {
		findings []Finding
		done     chan struct{}
	}
	results := map[string]*result{}
	for _, p := range probes {
		results[p.Name] = &result{done: make(chan struct{})}
	}
	for _, p := range probes {
		routine.Go(func() error {
			r := results[p.Name]
			defer close(r.done)
			if before := results[p.After]; before != nil {
				<-before.done
				if w := worst(before.findings); w == Fault || w == Skipped {
					r.findings = []Finding{{Skipped, "see " + p.After}}
					return nil
				}
			}
			r.findings = p.within(ctx, patience)
			return nil
		})
	}
	var hide []string
	for _, s := range secrets {
		if len(s) > 5 {
			hide = append(hide, s, "[secret]")
		}
	}
	hidden := strings.NewReplacer(hide...)
	for _, p := range probes {
		<-results[p.Name].done
		for _, f := range results[p.Name].findings {
			switch f.Level {
			case Fault:
				faults++
			case Warning:
				warnings++
			}
			text := strings.Join(strings.Fields(f.Text), " ") // one line, even if a program printed several
			if err := line(out, f.Level, p.Name, hidden.Replace(text)); err != nil {
				return err
			}
		}
	}
	sum := "All is well."
	switch {
	case faults > 0:
		return fmt.Errorf("%s, %s", count(faults, "fault"), count(warnings, "warning"))
	case warnings > 0:
		sum = "It will work, with " + count(warnings, "warning") + "."
	}
	_, err := fmt.Fprintln(out, sum)
	return err
}

// within runs the probe with a time limit.
func (p Probe) within(ctx context.Context, patience time.Duration) []Finding {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var found []Finding
	ended := routine.Go(func() error { found = p.Look(ctx); return nil })
	explain := func(err error) []Finding {
		if err != nil {
			return []Finding{Wrong("%v", err)}
		}
		return found
	}
	select {
	case err := <-ended:
		return explain(err)
	case <-ctx.Done():
	}
	select {
	case err := <-ended: // it noticed the end of its time and explains it
		return explain(err)
	case <-time.After(grace):
	}
	return []Finding{Wrong("no answer within %v", patience)}
}

func worst(findings []Finding) (w Level) {
	for _, f := range findings {
		if w != Fault {
			w = f.Level
		}
	}
	return w
}
