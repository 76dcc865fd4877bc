// Package chromium drives a real Chromium for tests: its tabs, what is on their pages, and how to wait for it.
package chromium

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"retake.example/internal/testrig"
)

// Browser is one tab of a Chromium, in a test.
type Browser struct {
	*testing.T
	Ctx context.Context // of chromedp
}

// New starts a Chromium that runs until the end of the test, and returns its first tab.
func New(t *testing.T, more ...chromedp.ExecAllocatorOption) Browser {
	t.Helper()
	testrig.NotShort(t)
	options := append(more, chromedp.DefaultExecAllocatorOptions[:]...)
	for _, flag := range []string{"disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	options = append(options, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("accept-lang", "en-US")) // whatever the machine speaks
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	return tab(t, ctx)
}

// Another is a tab of the same Chromium that shares no cookie with this one.
func (b Browser) Another() Browser {
	b.Helper()
	return tab(b.T, b.Ctx, chromedp.WithNewBrowserContext())
}

func tab(t *testing.T, ctx context.Context, options ...chromedp.ContextOption) Browser {
	t.Helper()
	ctx, cancel := chromedp.NewContext(ctx, options...)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as this context
		t.Fatal(err)
	}
	b := Browser{t, ctx}
	b.Do(chromedp.EmulateViewport(1280, 900))
	return b
}

// In is the same tab in a part of the test.
func (b Browser) In(t *testing.T) Browser { return Browser{t, b.Ctx} }

// run runs one action, for at most as long as a test waits for anything.
func run[T any](b Browser, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(b.Ctx, testrig.Stall)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// Do runs actions when the page is there: before that, nothing listens to what they press.
func (b Browser) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	b.Until("true")
	b.do(actions...)
}

func (b Browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if _, err := run(b, chromedp.Steps(actions...)); err != nil {
		b.Fatal(err)
	}
}

// Command sends the browser a command of its protocol.
func (b Browser) Command(method string, params map[string]any) {
	b.Helper()
	b.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		var none struct{}
		return t.Call(ctx, method, params, &none)
	}))
}

// NoScripts turns off the scripts of the pages. What a test evaluates still runs.
func (b Browser) NoScripts() {
	b.Helper()
	b.Command("Emulation.setScriptExecutionDisabled", map[string]any{"value": true})
}

// Visit goes to an address and waits until its page and its frames are there: chromedp's own wait ends early when the
// page that is left reports late that one of its frames has stopped loading.
func (b Browser) Visit(address string) {
	b.Helper()
	b.leaves(chromedp.Navigate(address))
}

// Follow clicks on an element and waits for the page that it leads to.
func (b Browser) Follow(selector string) {
	b.Helper()
	b.leaves(chromedp.Click(selector, chromedp.NodeVisible))
}

// leaves waits until an action has led to another page.
func (b Browser) leaves(action chromedp.Action[chromedp.Void]) {
	b.Helper()
	b.Until("window.left = true") // a mark, which its page takes along
	b.do(action)
	b.Until("!window.left")
}

// JS evaluates an expression when the page is there and returns it as text. One that throws asks for what the page does
// not have yet: it is evaluated again until it does not, or nothing changes any more. One that has an effect must throw
// before it, as a click on nothing does.
func (b Browser) JS(expression string) string {
	b.Helper()
	return b.value(expression, "[String("+expression+")]")
}

// Await waits for what a promise becomes and returns it as text. It is made as JS evaluates an expression.
func (b Browser) Await(promise string) string {
	b.Helper()
	return b.value(promise, "("+promise+").then(v => [String(v)])", chromedp.EvalAwaitPromise)
}

// value evaluates what gives a list of one text.
func (b Browser) value(said, list string, options ...chromedp.EvaluateOption) string {
	b.Helper()
	var value []string
	err := b.untilKnown(func() (known bool, err error) {
		value, err = run(b, chromedp.Evaluate[[]string](there+" ? "+list+" : []", options...))
		return len(value) > 0, err
	})
	if err != nil {
		b.Fatalf("%s: %v; the page says:\n%s", said, err, b.Says())
	}
	return value[0]
}

// there is true of a page when all of it has been read and its scripts listen.
const there = "document.readyState === 'complete'"

// between reports whether an error says that a page was being left or has only begun.
func between(err error) bool {
	_, ok := errors.AsType[*cdproto.Error](err)
	return ok
}

// look evaluates an expression; nothing is true of a page that is not there yet, or between two pages.
func (b Browser) look(expression string) (bool, error) {
	v, err := run(b, chromedp.Evaluate[string]("String("+there+" && ("+expression+"))"))
	if between(err) {
		return false, nil
	}
	return v == "true", err
}

// Is reports whether an expression is true of the page when it is there. An exception fails the test.
func (b Browser) Is(expression string) bool {
	b.Helper()
	b.Until("true")
	is, err := b.look(expression)
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return is
}

// compiles reports whether an exception comes from an expression that runs. One that does not compile has no stack.
func compiles(e *chromedp.ExceptionError) bool {
	return e.Exception == nil || e.Exception.ClassName != "SyntaxError" ||
		strings.Contains(e.Exception.Description, "\n    at ")
}

// Until waits until an expression is true. One that throws is not true yet: it asks for what the page does not have.
func (b Browser) Until(expression string) {
	b.Helper()
	if err := b.until(expression); err != nil {
		b.Fatalf("%s: %v; the page says:\n%s", expression, err, b.Says())
	}
}

func (b Browser) until(expression string) error {
	return b.untilKnown(func() (bool, error) { return b.look(expression) })
}

// untilKnown waits until is reports true, through exceptions of an expression that compiles.
func (b Browser) untilKnown(is func() (bool, error)) (failed error) {
	var thrown error
	err := testrig.Until(b, func() bool {
		known, err := is()
		if exception, ok := errors.AsType[*chromedp.ExceptionError](err); ok && compiles(exception) {
			thrown = err
			return false
		}
		failed = err
		return known || err != nil
	}, func() string { return ticking.ReplaceAllString(b.Says(), "") })
	if err != nil {
		failed = errors.Join(err, thrown)
	}
	return failed
}

// ticking are times that go on automatically: a page on which nothing else changes stands still.
var ticking = regexp.MustCompile(`\d+\s\S+\s(ago|назад)`)

// Says is the text of the page; "" between two pages.
func (b Browser) Says() string {
	b.Helper()
	text, err := run(b, chromedp.Evaluate[string]("String(document.body?.innerText ?? '')"))
	if err != nil && !between(err) {
		b.Fatalf("the text of the page: %v", err)
	}
	return text
}

// Press clicks with the mouse on the middle of an element, which must be in sight.
func (b Browser) Press(selector string) {
	b.Helper()
	b.Do(chromedp.Click(selector, chromedp.NodeVisible))
}

// Types presses keys one by one. A key whose press the page takes for itself writes nothing.
func (b Browser) Types(text string) {
	b.Helper()
	for _, letter := range text {
		events := kb.Encode(letter)
		if len(events) == 3 { // a letter of its own would be written whatever the page made of the press
			events[0].Text = events[1].Text
			events = slices.Delete(events, 1, 2)
		}
		for _, k := range events {
			if _, err := chromedp.Call(b.Ctx, input.DispatchKeyEvent, *k); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// Prefers sets the colours that the reader prefers: "light" or "dark".
func (b Browser) Prefers(scheme string, more ...*emulation.MediaFeature) {
	b.Helper()
	_, err := chromedp.Call(b.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: append(more, &emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme})})
	if err != nil {
		b.Fatal(err)
	}
}

// Shoot keeps a picture of what is seen of the page in the folder SHOTS_DIR, for people who want to look.
func (b Browser) Shoot(name string) {
	b.Helper()
	b.Keep(name, chromedp.CaptureScreenshot())
}

// Keep keeps a picture if SHOTS_DIR names a folder for it.
func (b Browser) Keep(name string, picture chromedp.Action[[]byte]) {
	b.Helper()
	dir := os.Getenv("SHOTS_DIR")
	if dir == "" {
		return
	}
	png, err := run(b, picture)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600)
	}
	if err != nil {
		b.Error(err)
	}
}
