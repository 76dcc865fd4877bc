package desk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestMustRead_WhoReadsSlowlyGetsAllAndWhoDoesNotIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		c := readConn{server, time.Minute}
		got := make(chan []byte)
		go func() {
			var all []byte
			for b := make([]byte, 1); len(all) < 20; all = append(all, b...) {
				time.Sleep(50 * time.Second) // fake
				io.ReadFull(client, b)
			}
			got <- all
		}()
		want := []byte("twenty bytes, slowly")
		if n, err := c.Write(want); n != len(want) || err != nil {
			t.Errorf("got %d, %v; want all %d written", n, err, len(want))
		}
		if all := <-got; !bytes.Equal(all, want) {
			t.Errorf("got %q; want %q", all, want)
		}
		began := time.Now()
		if n, err := c.Write(want); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("got %d, %v after %v; want nothing written within a minute", n, err, time.Since(began))
		}
	})
}

func TestMustRead_AnAnswerThatNobodyReadsEnds(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.CopyN(w, endless{}, 1<<40) // a film of a terabyte
		answered <- err
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		s := NewServer(page, Timeouts{time.Minute, time.Minute, time.Minute}, slog.New(slog.DiscardHandler))
		ended <- RunServer(ctx, s, MustRead(listener, 100*time.Millisecond), time.Minute)
	}()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	io.WriteString(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if err := <-answered; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v; want the answer given up", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// endless is a film without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
