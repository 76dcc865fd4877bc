// What a browser complains of while a test uses it.

package chromium

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"retake.example/internal/routine"
)

// Console keeps what a tab complains of.
type Console struct {
	tab Browser

	mu     sync.Mutex
	wanted int64 // status of the pages that are opened
	faults []string
}

// Listen begins to keep it. Pages are expected to have the status 200.
func (b Browser) Listen() *Console {
	b.Helper()
	c := &Console{tab: b, wanted: 200}
	if err := chromedp.Listen(b.Ctx, c.hear); err != nil {
		b.Fatal(err)
	}
	return c
}

// Wants sets the status that the next pages are expected to have.
func (c *Console) Wants(status int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted = status
}

// Complaints are what was heard since they were asked for last.
func (c *Console) Complaints() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	heard := c.faults
	c.faults = nil
	return heard
}

func (c *Console) hear(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fault := func(format string, args ...any) { c.faults = append(c.faults, fmt.Sprintf(format, args...)) }
	said := func(v any) string { b, _ := json.Marshal(v); return string(b) }
	switch e := event.(type) {
	case *log.EventEntryAdded: // the policy reports here; what the network says comes below
		if e.Entry.Source != log.EntrySourceNetwork {
			fault("console: %s %s", e.Entry.Level, e.Entry.Text)
		}
	case *runtime.EventConsoleAPICalled:
		fault("console.%s: %s", e.Type, said(e.Args))
	case *runtime.EventExceptionThrown:
		fault("exception: %s", said(e.ExceptionDetails))
	case *page.EventJavascriptDialogOpening:
		fault("a dialog opened: %s", e.Message)
		// events come one at a time: not here
		routine.Go(func() error {
			_, err := chromedp.Call(c.tab.Ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
			return err
		})
	case *network.EventLoadingFailed:
		if !e.Canceled { // by going to another page
			fault("%s could not be loaded: %s %s", e.Type, e.ErrorText, e.BlockedReason)
		}
	case *network.EventResponseReceived:
		switch {
		case e.Type == network.ResourceTypeDocument && e.Response.Status != c.wanted:
			fault("%s: got %d; want %d", e.Response.URL, e.Response.Status, c.wanted)
		case e.Type != network.ResourceTypeDocument && e.Response.Status >= 400:
			fault("%s: got %d", e.Response.URL, e.Response.Status)
		}
	}
}
