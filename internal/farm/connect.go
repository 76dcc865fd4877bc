// connect.go connects to NATS, with what the operator configured.

package farm

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
)

// Access is where NATS is, and how to get in.
type Access struct {
	URL         string // servers, with commas between them: tls://host:4222
	Credentials string // "": none; user:password, the seed of a user's NKey, or the text of a .creds file
	CA          string // file with the certificates that sign the servers'; "": those of this machine
}

// How long one question to NATS may take, and how long to wait before a server is tried again.
const (
	askFor     = 5 * time.Second
	reconnect  = 500 * time.Millisecond
	pingEvery  = 5 * time.Second
	pingsUntil = 2
)

// login returns the option that the credentials stand for.
func login(credentials string) (nats.Option, error) {
	seed := strings.TrimSpace(credentials)
	if strings.Contains(credentials, "BEGIN NATS USER JWT") {
		_, err := nkeys.ParseDecoratedJWT([]byte(credentials))
		if err == nil {
			_, err = nkeys.ParseDecoratedUserNKey([]byte(credentials))
		}
		if err != nil {
			return nil, errors.New("the text of the .creds file is damaged")
		}
		return nats.UserCredentialBytes([]byte(credentials)), nil
	}
	if user, password, ok := strings.Cut(seed, ":"); ok {
		return nats.UserInfo(user, password), nil
	}
	pair, err := nkeys.FromSeed([]byte(seed))
	if err != nil {
		return nil, errors.New("it is not user:password, the seed of an NKey, or the text of a .creds file")
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, errors.New("that NKey has no public half")
	}
	return nats.Nkey(public, pair.Sign), nil
}

// Check returns what is wrong with credentials, without quoting them.
func Check(credentials string) error {
	if credentials == "" {
		return nil
	}
	_, err := login(credentials)
	return err
}

// line is a connection that keeps trying for ever.
type line struct {
	*nats.Conn
	js  jetstream.JetStream
	log *slog.Logger

	mu     sync.Mutex
	failed error                // why it could not connect the last time
	told   map[string]time.Time // when the log was last told of a problem that lasts
}

// connect returns a line, also if no server answers now, or one refuses the credentials: it may learn of them yet.
func (a Access) connect(name string, log *slog.Logger) (*line, error) {
	l := &line{log: log, told: map[string]time.Time{}}
	options := []nats.Option{nats.Name(name), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(reconnect), nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(pingsUntil),
		nats.Timeout(askFor), nats.ReconnectBufSize(-1), // what cannot be sent now is an error now
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("the connection to the farm is gone", "err", err)
			}
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.failed = err
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("the farm answers") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { l.complain("farm", err) }),
	}
	if a.Credentials != "" {
		in, err := login(a.Credentials)
		if err != nil {
			return nil, fmt.Errorf("farm.credentials: %w", err)
		}
		options = append(options, in)
	}
	if a.CA != "" {
		text, err := os.ReadFile(a.CA)
		if err != nil {
			return nil, fmt.Errorf("farm.ca: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("farm.ca: %s holds no certificate", a.CA)
		}
		options = append(options, nats.Secure(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}))
	}
	var err error
	if l.Conn, err = nats.Connect(a.URL, options...); err != nil {
		return nil, fmt.Errorf("farm: %w", err)
	}
	if l.js, err = jetstream.New(l.Conn, jetstream.WithDefaultTimeout(askFor)); err != nil {
		l.Close()
		return nil, fmt.Errorf("farm: %w", err)
	}
	return l, nil
}

// down returns why there is no connection; nil: there is one.
func (l *line) down() error {
	if l.IsConnected() {
		return nil
	}
	if err := l.LastError(); err != nil { // a server has refused to let us in
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.failed
	}
	return errors.New("no answer")
}

// complain tells the log of a problem that may last, once a minute.
func (l *line) complain(what string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.told[what]) > time.Minute {
		l.told[what] = now
		l.log.Warn(what, "err", err)
	}
}

// hosts names the servers, without what an address may hold of a secret.
func (a Access) hosts() string {
	var hosts []string
	for address := range strings.SplitSeq(a.URL, ",") {
		if u, err := url.Parse(strings.TrimSpace(address)); err == nil {
			hosts = append(hosts, u.Host)
		}
	}
	return cmp.Or(strings.Join(hosts, ", "), "farm.url")
}

// missing reports whether JetStream says that a message, an object, a stream or a consumer is not there.
func missing(err error) bool {
	return errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, jetstream.ErrObjectNotFound)
}

// refusedTwin reports whether a stream refused a message because it has one with that subject.
func refusedTwin(err error) bool {
	const storeFailed = 10077 // "maximum messages per subject exceeded"
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == storeFailed && strings.Contains(api.Description, "per subject")
}

// question limits the time of a question to NATS.
func question(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, askFor)
}
