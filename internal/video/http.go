// http.go is the engine "http": a generator of the operator's, reached over the network, makes the video.

package video

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// How a generator is asked whether the video is ready.
const (
	usualPause = 2 * time.Second        // between two questions, when it names no time
	minPause   = 250 * time.Millisecond // when it says "now"
	maxPause   = time.Minute            // when it names more
	patience   = time.Minute            // for the beginning of an answer to such a question
)

// maxRest is the longest time that a generator may ask to be left alone.
const maxRest = time.Hour

// maxRedirects is how many redirects are followed to one answer.
const maxRedirects = 5

// maxReason is how much of a generator's own words an error holds, in bytes.
const maxReason = 2 << 10

// remote is the engine "http". The order goes to its address as
//
//	POST address
//	Content-Type: application/json
//	Idempotency-Key: <id>
//
//	{"id":"…","name":"…","lang":"ru","template":"…"}
//
// and the generator answers 200 with the video, or 202 with the Location at which GET answers 202 until it answers 200
// with the video. The id is the asset's, in every attempt: a generator that keeps to it finds the job that an earlier
// attempt began, and makes no video twice.
type remote struct {
	address      *url.URL      // without user and password
	user         *url.Userinfo // for the address only; nil: none
	allowPrivate bool          // whether other hosts may be private ones
	maxBytes     int64         // of a video; 0: no limit
	patience     time.Duration
}

// newRemote prepares an engine for an http or https address, which may hold a user and a password. Such an address is
// as good as a password, so no error says more of it than the host. A video of more than maxBytes is refused; 0 is no
// limit. With allowPrivate the generator may refer to any other host, else to public ones only.
func newRemote(address string, allowPrivate bool, maxBytes int64) (*remote, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errors.New("engine http: its address is not like http://generator:9000/")
	}
	r := &remote{address: u, user: u.User, allowPrivate: allowPrivate, maxBytes: maxBytes, patience: patience}
	u.User, u.Fragment = nil, ""
	return r, nil
}

// fetch asks for a video and writes it to path, a new file in folder that only we can read. The whole takes at most as
// long as ctx; then the error is its cause. An error with RetryAfter says how long the generator wants to be left
// alone.
func (r *remote) fetch(ctx context.Context, folder string, o Order) (path string, err error) {
	path = filepath.Join(folder, "output.mp4")
	if err = r.order(ctx, path, o); err == nil {
		return path, nil
	}
	var request *url.Error
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	} else if errors.As(err, &request) {
		err = request.Err // without the address
	}
	return "", &remoteError{"generator " + r.address.Host + redactWhole(oneLine(err), o.Name), err}
}

// redactWhole is redact for a text whose beginning was not cut off, after a colon: no name begins with one, so the
// first letters are not taken for the end of a name.
func redactWhole(text, name string) string { return redact(": "+text, name) }

// remoteError is an error without the name; what it asks for is asked by its cause.
type remoteError struct {
	text  string
	cause error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.cause }

// awayPause is how long an order waits before it asks a place again that is away.
const awayPause = 10 * time.Second

// away makes an error of a service that cannot be reached one that waits: it says nothing about the order.
func away(err error) error { return waits{coded{err, CodeUnreachable}, awayPause} }

// unreachable reports whether a request failed before a service of HTTP was there: no address for the name, no
// connection, no TLS, or an answer that is not HTTP. A connection that ends later is an attempt: the order may be the
// reason.
func unreachable(err error) bool {
	var dial *net.OpError
	var dns *net.DNSError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &dns) || errors.As(err, &record) ||
		errors.As(err, &alert) || errors.As(err, &certificate) || errors.Is(err, http.ErrSchemeMismatch) ||
		err != nil && (strings.Contains(err.Error(), "malformed HTTP") || strings.Contains(err.Error(),
			"TLS handshake timeout"))
}

// order places the order and asks until there is a video or an error.
func (r *remote) order(ctx context.Context, path string, o Order) error {
	body, err := json.Marshal(struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Lang     string `json:"lang"`
		Template string `json:"template"`
	}{o.Asset, o.Name, o.Lang, o.Template})
	if err != nil {
		return err
	}
	c := r.newCourier(o.Asset)
	defer c.close()
	client := http.Client{Transport: c, CheckRedirect: r.checkRedirect}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.address.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	for where := (*url.URL)(nil); ; {
		req.Header.Set("Accept", "video/mp4")
		req.Header.Set("User-Agent", "Retake")
		answer, err := client.Do(req)
		if err != nil && ctx.Err() == nil && unreachable(err) && !isRefusal(err) {
			if request, ok := errors.AsType[*url.Error](err); ok {
				err = request.Err // without the address
			}
			return away(err)
		}
		if err != nil {
			return err
		}
		if code := answer.StatusCode; where != nil && (code == http.StatusNotFound || code == http.StatusGone) {
			answer.Body.Close()
			return fmt.Errorf("answered %d: it has forgotten the order", code) // the next attempt places it again
		} else if code != http.StatusAccepted {
			return r.receive(answer, path, o.Name)
		}
		answer.Body.Close()
		if location := answer.Header.Get("Location"); location != "" {
			if where, err = answer.Request.URL.Parse(location); err != nil {
				return errors.New("answered 202 with a Location that is not a valid URL")
			}
			if err := checkStep(answer.Request.URL, where); err != nil {
				return err
			}
		}
		if where == nil {
			return errors.New("answered 202 without a Location at which to ask for the video")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause(answer.Header, time.Now())):
		}
		if req, err = http.NewRequestWithContext(ctx, http.MethodGet, where.String(), nil); err != nil {
			return err
		}
	}
}

// receive writes the video of an answer to path, or returns what the answer is instead.
func (r *remote) receive(answer *http.Response, path, name string) error {
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return refused(answer, name)
	}
	kind := answer.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(kind)
	if err != nil || media != "application/octet-stream" && !strings.HasPrefix(media, "video/") {
		return away(fmt.Errorf("answered 200 with %.100q; want video/mp4", kind)) // somebody else answers in its place
	}
	// The name is not at fault and the generator can be told to encode smaller: this is no permanent error.
	tooLong := fmt.Errorf("the video is longer than %d MB", r.maxBytes/1e6)
	if r.maxBytes > 0 && answer.ContentLength > r.maxBytes {
		return tooLong
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	body := io.Reader(answer.Body)
	if r.maxBytes > 0 {
		body = io.LimitReader(body, r.maxBytes+1)
	}
	n, err := io.Copy(file, body)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("the video was cut short after %d bytes", n)
	case err != nil:
		err = fmt.Errorf("receive the video: %w", err)
	case n == 0:
		err = errors.New("answered 200 without a video")
	case r.maxBytes > 0 && n > r.maxBytes:
		err = tooLong
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// refused turns an answer that isn't a video into an error: permanent if it is the order's fault.
func refused(answer *http.Response, name string) error {
	return judged(answer, fmt.Errorf("answered %d %s%s", answer.StatusCode, http.StatusText(answer.StatusCode),
		reason(answer, name)))
}

// judged gives an error about an answer what its status means: a wait, a permanent failure, or another attempt. 502,
// 503 and 504 are what a proxy answers when the service behind it is away.
func judged(answer *http.Response, err error) error {
	switch code := answer.StatusCode; {
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		// "At once" is no time to wait: it would be asked again and again, and no attempt would ever be spent.
		if after, ok := retryTime(answer.Header, time.Now()); ok && after > 0 {
			return waits{coded{err, CodeBusy}, min(after, maxRest)}
		}
		if code == http.StatusServiceUnavailable {
			return away(err)
		}
	case code == http.StatusBadGateway || code == http.StatusGatewayTimeout:
		return away(err)
	case code == http.StatusRequestTimeout || code == http.StatusTooEarly:
	case code == http.StatusUnauthorized || code == http.StatusPaymentRequired || code == http.StatusForbidden ||
		code == http.StatusProxyAuthRequired:
		// An expired key or an empty account: the operator's to fix, and no name's fault.
	case code >= 400 && code < 500:
		return permanent{coded{err, CodeRefused}}
	}
	return err
}

// reason is a colon and what the generator wrote about a refusal, in one line without the name, if that is text. More
// is read than is kept: where reading stopped, half a name would not be recognised.
func reason(answer *http.Response, name string) string {
	media, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(media, "text/") && !strings.HasSuffix(media, "json") {
		return ""
	}
	const margin = 1 << 10
	b, _ := io.ReadAll(io.LimitReader(answer.Body, maxReason+2*margin)) // what came before an error is worth reading
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(b), "\uFFFD"))
	if text = strings.Join(strings.Fields(text), " "); text == "" {
		return ""
	}
	text = redactWhole(text, name)
	if len(b) == maxReason+2*margin {
		text = text[:max(0, len(text)-margin)]
	}
	return strings.ToValidUTF8(text[:min(len(text), maxReason)], "")
}

// retryTime reads Retry-After, which is a number of seconds or a date. A number beyond all bounds is as good as a
// large one.
func retryTime(h http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now)), true
	}
	return 0, false
}

// pause is how long to wait before the next question.
func pause(h http.Header, now time.Time) time.Duration {
	after, ok := retryTime(h, now)
	if !ok {
		return usualPause
	}
	return min(max(after, minPause), maxPause)
}

// isOwn tells whether an address is at the configured host and port.
func (r *remote) isOwn(u *url.URL) bool {
	return strings.EqualFold(u.Hostname(), r.address.Hostname()) && port(u) == port(r.address)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// checkRedirect follows five redirects at most, and only to where a video may come from. The order, and with it the
// name, goes to the configured host only; a redirect that turns it into a GET sends no name. None of these errors but
// the first goes away without somebody who configures another address or repairs the generator.
func (r *remote) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if req.Method == http.MethodPost && !r.isOwn(req.URL) {
		return permanent{fmt.Errorf("wants the order to go to %s: configure that address if the name may go there",
			req.URL.Host)}
	}
	req.Header.Del("Referer") // it would tell other hosts the configured address
	return checkStep(via[len(via)-1].URL, req.URL)
}

// checkStep refuses addresses that are not http or https, and those that leave https for http.
func checkStep(from, to *url.URL) error {
	switch {
	case to.Scheme != "http" && to.Scheme != "https" || to.Host == "":
		return permanent{errors.New("refers to an address that is not http or https")}
	case from.Scheme == "https" && to.Scheme == "http":
		return permanent{fmt.Errorf("refers from https to http at %s", to.Host)}
	}
	return nil
}

// courier carries the requests of one order. Its connections end with it.
//
// It adds what only the configured host may see, user, password and Idempotency-Key, to each request for that host,
// rather than letting them be headers of the first request: net/http repeats those after a redirect, the key wherever
// it leads, the password at every port and subdomain of the host.
type courier struct {
	*remote
	key string

	orders, own, others *http.Transport
}

func (r *remote) newCourier(key string) *courier {
	c := &courier{remote: r, key: key}
	c.orders = newTransport(nil, 0) // a generator may make the whole video before it answers
	c.own = newTransport(nil, r.patience)
	control := refusePrivate
	if r.allowPrivate {
		control = nil
	}
	c.others = newTransport(control, r.patience)
	return c
}

// newTransport makes connections that are for one order. They use no proxy of the environment: it would make the
// connections in our place, so that control would see its address only, and it would see the name.
func newTransport(control func(network, address string, _ syscall.RawConn) error,
	patience time.Duration) *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 30 * time.Second, Control: control}).DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    30 * time.Second,
		ResponseHeaderTimeout:  patience,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // the limit is for what is sent, and a video does not shrink
	}
}

// RoundTrip implements http.RoundTripper.
func (c *courier) RoundTrip(req *http.Request) (*http.Response, error) {
	if !c.isOwn(req.URL) {
		return c.others.RoundTrip(req)
	}
	req = req.Clone(req.Context())
	if c.user != nil {
		password, _ := c.user.Password()
		req.SetBasicAuth(c.user.Username(), password)
	}
	if req.Method != http.MethodPost {
		return c.own.RoundTrip(req)
	}
	req.Header.Set("Idempotency-Key", c.key)
	return c.orders.RoundTrip(req)
}

func (c *courier) close() {
	for _, t := range []*http.Transport{c.orders, c.own, c.others} {
		t.CloseIdleConnections()
	}
}

// inside are networks that are not the public internet, beside those that netip knows.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),     // this network
	netip.MustParsePrefix("100.64.0.0/10"), // behind a provider's address translation
	netip.MustParsePrefix("192.0.0.0/24"),  // protocol assignments
	netip.MustParsePrefix("198.18.0.0/15"), // benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),   // reserved
	netip.MustParsePrefix("::/96"),         // IPv4 in the old notation
	netip.MustParsePrefix("2002::/16"),     // IPv4 inside 6to4
	netip.MustParsePrefix("fec0::/10"),     // once site-local
}

// translated are the IPv6 addresses behind which a gateway finds the IPv4 address in their last four bytes.
var translated = netip.MustParsePrefix("64:ff9b::/96")

// isPublic tells whether an address is one of the public internet.
func isPublic(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if translated.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	return a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(inside,
		func(p netip.Prefix) bool { return p.Contains(a) })
}

// refusePrivate refuses connections to anything but the public internet. A generator may refer to another host; one
// that has been taken over must not thereby have us read what only this machine can reach. It looks at the address
// that is about to be connected to, so a host name that changes its meaning in between does not help. The refusal is
// permanent: the generator would refer to the same place again.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !isPublic(at.Addr()) {
		return permanent{fmt.Errorf("the generator refers to %s, which is not on the public internet", at.Addr())}
	}
	return nil
}
