// servers.go starts PostgreSQL and Redis on loopback, every commit and every command on disk before its answer, and
// stops what it started.

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

// server is a process that was started here.
type server struct {
	address string // with a password: loopback is open to every user of the machine
	cmd     *exec.Cmd
	log     *os.File
	ended   chan struct{}
}

// launch starts a server and waits until it answers.
func launch(
	ctx context.Context,
	cmd *exec.Cmd,
	dir, address string,
	ready func(context.Context) error,
) (*server, error) {
	log, err := os.Create(filepath.Join(dir, filepath.Base(cmd.Path)+".log"))
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	s := &server{address: address, cmd: cmd, log: log, ended: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	go func() {
		defer close(s.ended)
		_ = cmd.Wait() // whether it ended as asked does not matter any more
	}()
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := ready(ctx)
		if err == nil {
			return s, nil
		}
		select {
		case <-s.ended:
			err = errors.New("it ended")
		default:
			if ctx.Err() == nil && time.Now().Before(until) {
				continue
			}
		}
		s.stop()
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("start %s: %w\n%s", cmd.Path, err, said)
	}
}

// stop asks for an orderly end, and kills who does not obey.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt) // both end at once on it, PostgreSQL without waiting for its clients
	select {
	case <-s.ended:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	_ = s.log.Close()
}

// postgres starts PostgreSQL with its data below dir, where they stay for the next turn: the log's files are made once.
func postgres(ctx context.Context, dir string) (*server, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	data, secret := filepath.Join(dir, "postgres"), filepath.Join(dir, "secret")
	command := func(name string, args ...string) (*exec.Cmd, error) {
		cmd := exec.Command(filepath.Join(bin, name), args...) // not of the context: stop ends it
		cmd.Dir = dir
		if os.Getuid() != 0 {
			return cmd, nil
		}
		uid, gid, err := unprivileged()
		if err != nil {
			return nil, err
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
		return cmd, errors.Join(
			os.Chown(data, int(uid), int(gid)),
			os.Chown(secret, int(uid), int(gid)),
			os.Chmod(dir, 0o711),
		)
	}
	if _, err := os.Stat(data); errors.Is(err, os.ErrNotExist) {
		if err := errors.Join(os.Mkdir(data, 0o700), os.WriteFile(secret, []byte(rand.Text()), 0o600)); err != nil {
			return nil, err
		}
		initdb, err := command(
			"initdb",
			"-D",
			data,
			"-U",
			"postgres",
			"-E",
			"UTF8",
			"--locale",
			"C",
			"-A",
			"scram-sha-256",
			"--pwfile",
			secret,
		)
		if err != nil {
			return nil, err
		}
		if out, err := initdb.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("initdb: %w: %s", err, out)
		}
	}
	password, err := os.ReadFile(secret)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd, err := command(
		"postgres",
		"-D",
		data,
		"-p",
		port,
		"-c",
		"listen_addresses=127.0.0.1",
		"-c",
		"unix_socket_directories=",
		"-c",
		"fsync=on",
		"-c",
		"synchronous_commit=on",
		"-c",
		"min_wal_size=1GB",
	)
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%s/postgres?sslmode=disable", password, port)
	return launch(ctx, cmd, dir, address, func(ctx context.Context) error {
		c, err := pgx.Connect(ctx, address)
		if err != nil {
			return err
		}
		return c.Close(ctx)
	})
}

// unprivileged is who runs PostgreSQL, which refuses root.
func unprivileged() (uid, gid uint32, err error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		return 0, 0, err
	}
	id, err := strconv.ParseUint(u.Uid, 10, 32)
	group, err2 := strconv.ParseUint(u.Gid, 10, 32)
	return uint32(id), uint32(group), errors.Join(err, err2)
}

// postgresBin finds the folder of the server's programs, which Debian keeps out of the PATH: the newest.
func postgresBin() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed")
	}
	return found[len(found)-1], nil
}

// redisServer starts an empty Redis in the folder of this turn.
func redisServer(ctx context.Context, dir string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	password := rand.Text()
	cmd := exec.Command("redis-server", "-")
	cmd.Dir = filepath.Join(dir, "data")
	cmd.Stdin = strings.NewReader(fmt.Sprintf(`bind 127.0.0.1
port %s
requirepass %s
appendonly yes
appendfsync always
save ""
auto-aof-rewrite-percentage 0
`, port, password)) // no snapshots and no rewriting meanwhile: they would only slow it
	address := fmt.Sprintf("redis://:%s@127.0.0.1:%s", password, port)
	return launch(ctx, cmd, dir, address, func(ctx context.Context) error {
		o, err := redis.ParseURL(address)
		if err != nil {
			return err
		}
		c := redis.NewClient(o)
		return errors.Join(c.Ping(ctx).Err(), c.Close())
	})
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}
