// What axe-core finds wrong with a page.

package chromium

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/chromedp/chromedp"

	"retake.example/internal/testrig"
)

// axe reads axe-core, which looks at pages as somebody who cannot see them well does.
func axe() (string, error) {
	source, err := os.ReadFile(filepath.Join(testrig.Root(), "build/axe/axe.min.js"))
	if err != nil {
		return "", fmt.Errorf("axe-core is not here, which looks at the pages: run `make test`, which fetches it (%w)", err)
	}
	return string(source), nil
}

// LearnAxe gives axe-core to the page, by the debugger: the policy lets no other script in.
func (b Browser) LearnAxe() {
	b.Helper()
	source, err := axe()
	if err == nil {
		_, err = run(b, chromedp.Evaluate[chromedp.Void](source))
	}
	if err != nil {
		b.Fatal("axe-core does not run: ", err)
	}
}

// Violations asks axe-core, which the page must have learned. What is folded away is unfolded for it.
func (b Browser) Violations() (list []string) {
	b.Helper()
	answer, err := run(b, chromedp.Evaluate[struct {
		Violations []struct {
			ID, Help string
			Nodes    []struct {
				Target               []any
				HTML, FailureSummary string
			}
		}
		Passed int
	}](`(async () => {
		const folded = [...document.querySelectorAll('details:not([open])')];
		folded.forEach(d => { d.open = true });
		const r = await axe.run(document, { preload: false, resultTypes: ['violations'],
			runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
		folded.forEach(d => { d.open = false });
		return { violations: r.violations, passed: r.passes.length };
	})()`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatal(err)
	}
	if answer.Passed < 10 {
		b.Errorf("got %d rules that axe-core found kept; want that it looked", answer.Passed)
	}
	for _, v := range answer.Violations {
		n := v.Nodes[0]
		list = append(list, fmt.Sprintf("%s: %s, at %d places, first at %v: %s\n%s", v.ID, v.Help, len(v.Nodes), n.Target,
			n.HTML, n.FailureSummary))
	}
	return list
}
