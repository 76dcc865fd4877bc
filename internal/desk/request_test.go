// Tests of how requests are read.

package desk

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// oneConn is a listener with one connection.
type oneConn struct {
	conn net.Conn
	once sync.Once
	over chan struct{}
}

func (l *oneConn) Accept() (conn net.Conn, err error) {
	l.once.Do(func() { conn = l.conn })
	if conn == nil {
		<-l.over
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }
func (l *oneConn) Close() error {
	close(l.over)
	return nil
}

func TestFields_WhoSendsTooMuchSendsAllOfItAndReadsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, conn := net.Pipe()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := Fields(w, r)
			w.WriteHeader(HTTPErrorOf(err).Status)
		})}
		go server.Serve(&oneConn{conn: conn, over: make(chan struct{})})
		defer server.Close()
		sent := make(chan error, 1)
		go func() {
			const size = 4 << 20
			_, err := fmt.Fprintf(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", size,
				strings.Repeat("x", size))
			sent <- err
		}()
		resp, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil || resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Fatalf("got %v, %v; want 413", resp, err)
		}
		if err := <-sent; err != nil {
			t.Errorf("got %v; want nobody cut off before they read why", err)
		}
		time.Sleep(time.Minute) // of the bubble: the server closes such a connection slowly
	})
}
