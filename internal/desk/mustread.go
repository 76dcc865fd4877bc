// Connections whose other side has to read what it is sent.

package desk

import (
	"errors"
	"net"
	"os"
	"time"
)

// MustRead ends the writing on a connection if nothing that was written is read within a time, again and again. One
// that never reads would keep megabytes of the kernel's memory forever. A slow reader gets a long answer to its end.
func MustRead(l net.Listener, within time.Duration) net.Listener { return mustRead{l, within} }

type mustRead struct {
	net.Listener
	within time.Duration
}

func (l mustRead) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return readConn{c, l.within}, nil
}

type readConn struct {
	net.Conn
	within time.Duration
}

func (c readConn) Write(p []byte) (n int, err error) {
	for {
		if err := c.SetWriteDeadline(time.Now().Add(c.within)); err != nil {
			return n, err
		}
		moved, err := c.Conn.Write(p[n:])
		if n += moved; moved == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
}
