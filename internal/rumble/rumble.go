// The client: its configuration, and whether it may upload.

// Package rumble publishes videos on Rumble.
//
// With an access token it sends them through Rumble's upload API, which is one request: nothing can be resumed, asked
// for, changed or deleted there. So the package strictly tells apart a video that cannot have arrived and one whose
// answer was lost: the first may be sent again, for the second a person has to look. Without a token a person uploads
// by hand, and the package knows where, and what the address of a video looks like.
package rumble

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config says who uploads, and where.
type Config struct {
	AccessToken string // "" = by hand
	BaseURL     string // https://rumble.com, or a fake
	ChannelID   string // "" = the account's own channel
}

// Client uploads to one account. It may be used by any number of goroutines.
type Client struct {
	token, channel string
	base           *url.URL
	transport      http.RoundTripper
	stall          time.Duration // an upload of which no byte moved for so long is given up
	answer         time.Duration // how long Rumble may take to answer once it has the video
}

// writeBuffer bounds what waits in this computer for the network, in bytes. Without it several megabytes would count
// as sent that no server has seen, and a connection that is cut in the middle of a short video would look like a lost
// answer.
const writeBuffer = 256 << 10

// New returns a client. The configuration must have been checked: New panics if BaseURL isn't a valid URL.
func New(cfg Config) *Client {
	base, err := url.Parse(strings.TrimRight(cfg.BaseURL, "/"))
	if err != nil || base.Host == "" {
		panic("rumble: the base URL isn't a valid URL")
	}
	dialer := &net.Dialer{Timeout: 30 * time.Second}
	return &Client{
		token: cfg.AccessToken, channel: cfg.ChannelID, base: base,
		stall: time.Minute, answer: 10 * time.Minute,
		// HTTP/1.1, a connection for each upload: then a request goes out once or not at all, and the server can refuse
		// it before the video is sent.
		transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dialer.DialContext(ctx, network, address)
				if tcp, ok := conn.(*net.TCPConn); ok {
					err = tcp.SetWriteBuffer(writeBuffer)
				}
				return conn, err
			},
			TLSHandshakeTimeout:   30 * time.Second,
			TLSNextProto:          map[string]func(string, *tls.Conn) http.RoundTripper{},
			ExpectContinueTimeout: 5 * time.Second,
			DisableKeepAlives:     true,
			DisableCompression:    true,
		},
	}
}

// Token reports whether videos are sent through the upload interface; otherwise a person uploads them.
func (c *Client) Token() bool { return c.token != "" }

// UploadPage returns the address of the page on which a person uploads a video.
func (c *Client) UploadPage() string { return c.base.String() + "/upload.php" }
