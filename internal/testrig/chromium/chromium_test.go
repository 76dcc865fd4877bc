// Tests of how a test waits for a page.

package chromium

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestUntil_WaitsForWhatAPageHasNotYet(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/" { // its field comes late
			w.Write([]byte(`<body><a id="on" href="/next">on</a><script>setTimeout(() => {
				document.body.append(Object.assign(document.createElement('input'), { id: 'late', value: 'here' })) }, 300)
				setTimeout(() => {
				document.body.append(Object.assign(document.createElement('input'), { id: 'later', value: 'here too' })) }, 900)
				</script>`))
			return
		}
		w.Write([]byte(`<body><input id="next" value="there">`))
	}))
	defer page.Close()
	b := New(t)
	b.Visit(page.URL)
	b.Until("document.getElementById('late').value === 'here'")
	if got := b.JS("document.getElementById('later').value"); got != "here too" {
		t.Errorf("got %q; want what comes later still", got)
	}
	b.Until("JSON.parse(document.getElementById('late').value === 'here' ? 'true' : '')")
	b.Do(chromedp.Click("#on"))
	b.Until("document.getElementById('next').value === 'there'")
	b.NoScripts()
	b.Visit(page.URL)
	b.Follow("#on")
	if !b.Is("document.getElementById('next').value === 'there'") {
		t.Errorf("got %s; want the page that the link leads to", b.JS("location.href"))
	}
}

func TestJS_WaitsForAPageOfWhichOnlyTheBeginningIsThere(t *testing.T) {
	rest := make(chan struct{})
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/" {
			w.Write([]byte(`<body><a href="/slow">on</a>`))
			return
		}
		w.Write([]byte(`<body><button onclick="window.pressed = window.listens">press</button>` + strings.Repeat(" ", 1<<12)))
		w.(http.Flusher).Flush()
		<-rest
		w.Write([]byte(`<script>window.listens = 'heard'</script>`))
	}))
	defer page.Close()
	b := New(t)
	b.Visit(page.URL)
	b.JS("document.querySelector('a').click()")
	for !strings.Contains(b.Says(), "press") { // the beginning
	}
	time.AfterFunc(300*time.Millisecond, func() { close(rest) }) // while the press waits
	b.JS("document.querySelector('button').click()")
	if got := b.JS("window.pressed"); got != "heard" {
		t.Errorf("got %s; want the press heard by the whole page", got)
	}
}

func TestUntil_FailsAtOnceOnWhatIsNoExpression(t *testing.T) {
	b := New(t)
	for _, wrong := range []string{"document.(", "a b", "'", ")("} {
		if err := b.until(wrong); err == nil || !strings.Contains(err.Error(), "SyntaxError") {
			t.Errorf("%s: got %v; want a syntax error", wrong, err)
		}
	}
}

func TestUntil_TellsExceptionsFromSyntaxErrors(t *testing.T) {
	b := New(t)
	for expression, want := range map[string]bool{"nobody.value": true, "document.getElementById('x').value": true,
		"JSON.parse('')": true, "(() => { throw 'x' })()": true, "a b": false} {
		_, err := b.look("true && " + expression)
		exception, ok := errors.AsType[*chromedp.ExceptionError](err)
		if !ok || compiles(exception) != want {
			t.Errorf("%s: got %v; want an exception, of an expression that compiles: %v", expression, err, want)
		}
	}
}
