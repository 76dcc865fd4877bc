// Tests that workers, servers and centres may die at any moment: the film comes, and no attempt is spent by it.

package farm

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/farm/natstest"
	"retake.example/internal/video"
)

func nothing(context.Context, video.Order) error { return nil }

func TestFilm_ComesFromAnotherMachineAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	start(t, s.URL(), 2, nothing)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			o := order1(fmt.Sprint("asset", i))
			film(t.Context(), t, c, o).want(t, o)
		})
	}
	wg.Wait()
	if got := leftovers(t, c); got != nothingLeft {
		t.Errorf("got %s; want %s", got, nothingLeft)
	}
	if _, again := c.Orders(); again != 0 {
		t.Errorf("got %d redeliveries; want 0", again)
	}
}

func TestFilm_AKilledWorkerCostsNoAttempt(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	dir := t.TempDir()
	doomed := process(t, s.URL(), dir)
	o := order1("a")
	o.Name = "stuck"
	out := begin(t.Context(), t, c, o)
	until(t, "the worker begins", func() bool { return exists(filepath.Join(dir, "begun")) })
	doomed.Process.Kill()
	start(t, s.URL(), 1, nothing)
	(<-out).want(t, o)
	if _, again := c.Orders(); again != 1 {
		t.Errorf("got %d redeliveries; want 1", again)
	}
	if got := leftovers(t, c); got != nothingLeft {
		t.Errorf("got %s; want %s", got, nothingLeft)
	}
}

func TestFilm_AKilledServerCostsNoAttempt(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	begun, goOn := make(chan bool, 10), make(chan bool)
	var made atomic.Int64
	start(t, s.URL(), 1, func(context.Context, video.Order) error {
		made.Add(1)
		begun <- true
		<-goOn
		return nil
	})
	o, waiting := order1("a"), order1("b")
	first, second := begin(t.Context(), t, c, o), begin(t.Context(), t, c, waiting)
	<-begun
	s.Stop()
	close(goOn) // the film is finished while nobody can take it
	s.Start()
	(<-first).want(t, o)
	(<-second).want(t, waiting)
	if n := made.Load(); n != 2 {
		t.Errorf("got %d films made for 2 orders; want 2", n)
	}
}

func TestFilm_ARestartedCentreTakesUpItsOrders(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	begun, goOn := make(chan bool, 10), make(chan bool)
	var made atomic.Int64
	start(t, s.URL(), 1, func(context.Context, video.Order) error {
		made.Add(1)
		begun <- true
		<-goOn
		return nil
	})
	first := centre(t, s.URL())
	ctx, stop := context.WithCancel(t.Context())
	running, waiting := order1("running"), order1("waiting")
	one := begin(ctx, t, first, running)
	<-begun
	two := begin(ctx, t, first, waiting)
	until(t, "both orders are placed", func() bool { return leftovers(t, first) == "2 orders, 0 fates, films " })
	stop()
	if a, b := <-one, <-two; !errors.Is(a.err, context.Canceled) || !errors.Is(b.err, context.Canceled) {
		t.Fatalf("got %v, %v; want both canceled", a.err, b.err)
	}
	first.Close()
	close(goOn) // the first is finished without a centre
	<-begun
	second := centre(t, s.URL())
	film(t.Context(), t, second, running).want(t, running)
	film(t.Context(), t, second, waiting).want(t, waiting)
	if n := made.Load(); n != 2 {
		t.Errorf("got %d films made for 2 orders; want 2", n)
	}
}

func TestFilm_APoisonedOrderFailsAndHarmsNoOther(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	dir := t.TempDir()
	defer revived(t, s.URL(), dir)()
	poison := order1("poison")
	poison.Name = "poison"
	bad := wanted(t, c, poison)
	until(t, "it is placed", func() bool { return strings.HasPrefix(leftovers(t, c), "1 orders") })
	for i := range 4 {
		o := order1(fmt.Sprint("good", i))
		(<-wanted(t, c, o)).want(t, o)
	}
	r := <-bad
	of, ok := errors.AsType[trouble](r.err)
	if !ok || of.code != CodeDied || of.permanent || of.wait != 0 {
		t.Errorf("got %v; want a failure with %s", r.err, CodeDied)
	}
	if got := leftovers(t, c); got != nothingLeft {
		t.Errorf("got %s; want %s", got, nothingLeft)
	}
}

// revived starts a worker in a process of its own again and again, as systemd does, until stop is called.
func revived(t *testing.T, url, dir string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			p := process(t, url, dir)
			end := context.AfterFunc(ctx, func() { p.Process.Kill() })
			p.Wait()
			end()
		}
	})
	return func() { cancel(); wg.Wait() }
}

func TestFilm_WhatRunsBesideAPoisonedOrderIsNotBlamed(t *testing.T) {
	t.Parallel()
	s := natstest.New(t)
	c := centre(t, s.URL())
	dir := t.TempDir()
	poison, beside := order1("poison"), order1("beside")
	poison.Name, poison.Lang, beside.Name = "poison", "beside", "beside"
	bad, good := wanted(t, c, poison), wanted(t, c, beside)
	until(t, "both are placed", func() bool { return leftovers(t, c) == "2 orders, 0 fates, films " })
	defer revived(t, s.URL(), dir)()
	(<-good).want(t, beside)
	r := <-bad
	if of, ok := errors.AsType[trouble](r.err); !ok || of.code != CodeDied {
		t.Errorf("got %v; want a failure with %s", r.err, CodeDied)
	}
}

func TestFilm_TheLeaderOfThreeServersIsKilled(t *testing.T) {
	t.Parallel()
	nodes := natstest.Cluster(t)
	var urls string
	for i, n := range nodes {
		if i > 0 {
			urls += ","
		}
		urls += n.URL()
	}
	how := quick
	how.away = 30 * time.Second // an election takes a while on a busy computer
	c := centreOf(t, Options{Access: Access{URL: urls}, Replicas: 3}, how)
	until(t, "the streams are there", func() bool { _, _, err := c.standing(); return err == nil })
	begun, goOn := make(chan bool, 10), make(chan bool)
	start(t, urls, 2, func(context.Context, video.Order) error {
		begun <- true
		<-goOn
		return nil
	})
	var out []chan result
	for i := range 4 {
		out = append(out, begin(t.Context(), t, c, order1(fmt.Sprint("asset", i))))
	}
	<-begun
	g, _, err := c.standing()
	if err != nil {
		t.Fatal(err)
	}
	info, err := g.orders.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range nodes {
		if info.Cluster.Leader == fmt.Sprint("node", i) {
			n.Stop()
		}
	}
	close(goOn)
	for i, o := range out {
		(<-o).want(t, order1(fmt.Sprint("asset", i)))
	}
}
