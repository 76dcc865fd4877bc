// The keys of config.toml, and what must hold for their values.

package config

import (
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"retake.example/internal/video"
)

// Larger values are typing errors.
const (
	maxMB        = 1 << 20 // a terabyte
	maxWorkers   = 256
	maxPerSecond = 30 // Telegram's limit for all chats of a bot together
	farmOrders   = 64 // open orders on a farm, unless the operator says otherwise: they cost this machine little
)

// Settings are the keys of config.toml, where each is described.
type Settings struct {
	DataDir  string `toml:"data_dir"`
	Language string `toml:"language"`
	Telegram struct {
		Token       string  `toml:"token"`
		APIURL      string  `toml:"api_url"`
		Owners      []int64 `toml:"owners"`
		Admins      []int64 `toml:"admins"`
		MaxUploadMB int64   `toml:"max_upload_mb"`
		PerSecond   int     `toml:"per_second"`

		Announcements bool `toml:"announcements"`
	} `toml:"telegram"`
	Web struct {
		Listen         string   `toml:"listen"`
		BaseURL        string   `toml:"base_url"`
		MetricsToken   string   `toml:"metrics_token"`
		TrustedProxies []string `toml:"trusted_proxies"`
	} `toml:"web"`
	Watch struct {
		Ping         string   `toml:"ping"`
		Webhook      string   `toml:"webhook"`
		WebhookShape string   `toml:"webhook_shape"`
		SMTP         string   `toml:"smtp"`
		SMTPUser     string   `toml:"smtp_user"`
		SMTPPassword string   `toml:"smtp_password"`
		MailFrom     string   `toml:"mail_from"`
		MailTo       []string `toml:"mail_to"`
	} `toml:"watch"`
	Log struct {
		Format string `toml:"format"`
		Level  string `toml:"level"`
	} `toml:"log"`
	Queue struct {
		Workers     int           `toml:"workers"`
		Attempts    int           `toml:"attempts"`
		Backoff     time.Duration `toml:"backoff"`
		BackoffMax  time.Duration `toml:"backoff_max"`
		OutageAfter int           `toml:"outage_after"`
		OutageMax   time.Duration `toml:"outage_max"`
	} `toml:"queue"`
	Limits struct {
		Open    int `toml:"open"`
		PerHour int `toml:"per_hour"`
		PerDay  int `toml:"per_day"`

		AllPerDay int   `toml:"all_per_day"`
		MediaGB   int64 `toml:"media_gb"`
	} `toml:"limits"`
	Privacy struct {
		Inbox   time.Duration `toml:"inbox"`
		Videos  time.Duration `toml:"videos"`
		History time.Duration `toml:"history"`
		People  time.Duration `toml:"people"`
	} `toml:"privacy"`
	Render struct {
		Engine       string        `toml:"engine"`
		Template     string        `toml:"template"`
		Offer        []string      `toml:"offer"`
		Templates    string        `toml:"templates"`
		Command      []string      `toml:"command"`
		URL          string        `toml:"url"`
		AllowPrivate bool          `toml:"allow_private"`
		FFmpeg       string        `toml:"ffmpeg"`
		Cores        int           `toml:"cores"`
		Timeout      time.Duration `toml:"timeout"`
		ReuseFor     time.Duration `toml:"reuse_for"`
	} `toml:"render"`
	Voice struct {
		video.VoiceConfig
		Play bool `toml:"play"`
	} `toml:"voice"`
	Farm struct {
		URL         string `toml:"url"`
		Credentials string `toml:"credentials"`
		CA          string `toml:"ca"`
		Replicas    int    `toml:"replicas"`
	} `toml:"farm"`
	YouTube struct {
		ClientID      string `toml:"client_id"`
		ClientSecret  string `toml:"client_secret"`
		BaseURL       string `toml:"base_url"`
		AuthURL       string `toml:"auth_url"`
		TokenURL      string `toml:"token_url"`
		WatchURL      string `toml:"watch_url"`
		UploadsPerDay int    `toml:"uploads_per_day"`
		TokenKey      string `toml:"token_key"`
	} `toml:"youtube"`
	Rumble struct {
		AccessToken string `toml:"access_token"`
		ChannelID   string `toml:"channel_id"`
		BaseURL     string `toml:"base_url"`
	} `toml:"rumble"`
	Backup struct {
		Every  time.Duration `toml:"every"`
		Keep   int           `toml:"keep"`
		KeepS3 int           `toml:"keep_s3"`
		Dir    string        `toml:"dir"`
		S3     Bucket        `toml:"s3"`
	} `toml:"backup"`
	Media struct {
		Store       string `toml:"store"`
		MaxUploadMB int64  `toml:"max_upload_mb"`
		S3          Bucket `toml:"s3"`
	} `toml:"media"`
}

// Bucket is one of an S3-compatible service.
type Bucket struct {
	Endpoint  string `toml:"endpoint"`
	Region    string `toml:"region"`
	Bucket    string `toml:"bucket"`
	AccessKey string `toml:"access_key"`
	SecretKey string `toml:"secret_key"`
	Prefix    string `toml:"prefix"`
}

// Known holds what other packages know about the values.
type Known struct {
	Languages []string                // that have texts
	TokenKey  func(key string) error  // why a key cannot encrypt tokens; nil: it can
	FarmLogin func(text string) error // why credentials are none; nil: they are
	Formats   []string                // of the log
	Levels    []string                // of the log
}

// Workers returns how many videos are made at a time.
func (c *Settings) Workers() int {
	if c.Queue.Workers > 0 {
		return c.Queue.Workers
	}
	if c.Render.Engine == "farm" {
		return farmOrders
	}
	return max(1, runtime.NumCPU()-1)
}

// Offered returns the templates that users may choose, the default one first.
func (c *Settings) Offered() []string {
	out := []string{c.Render.Template}
	for _, id := range c.Render.Offer {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// Secrets returns the values that must not be shown or logged, by key.
func (c *Settings) Secrets() map[string]string {
	_, half, _ := strings.Cut(c.Telegram.Token, ":")
	return map[string]string{"telegram.token": half, "web.metrics_token": c.Web.MetricsToken, "voice.key": c.Voice.Key,
		"youtube.client_secret": c.YouTube.ClientSecret,
		"youtube.token_key":     c.YouTube.TokenKey, "rumble.access_token": c.Rumble.AccessToken,
		"media.s3.secret_key": c.Media.S3.SecretKey, "backup.s3.secret_key": c.Backup.S3.SecretKey,
		"farm.credentials": c.Farm.Credentials,
		"watch.ping":       c.Watch.Ping, "watch.webhook": c.Watch.Webhook, "watch.smtp_password": c.Watch.SMTPPassword}
}

// Check returns the rules of the keys, as Load takes them.
func (c *Settings) Check(known Known) func(is func(ok bool, key, format string, args ...any)) {
	return func(is func(ok bool, key, format string, args ...any)) { c.check(known, is) }
}

func (c *Settings) check(known Known, is func(ok bool, key, format string, args ...any)) {
	c.Telegram.Token = strings.TrimSpace(c.Telegram.Token)
	is(c.Telegram.Token == "" || regexp.MustCompile(`^\d+:[A-Za-z0-9_-]{30,}$`).MatchString(c.Telegram.Token),
		"telegram.token", "that isn't a bot token: one looks like 123456789:AAF… as @BotFather gave it")
	is(c.Telegram.PerSecond >= 1 && c.Telegram.PerSecond <= maxPerSecond, "telegram.per_second",
		"1 to %d is expected", maxPerSecond) // core.telegram.org/bots/faq: 30 for all chats
	is(c.DataDir != "", "data_dir", "a folder is expected")
	is(slices.Contains(known.Languages, c.Language), "language", "one of %s is expected",
		strings.Join(known.Languages, ", "))
	for key, address := range map[string]*string{"telegram.api_url": &c.Telegram.APIURL, "web.base_url": &c.Web.BaseURL,
		"youtube.base_url": &c.YouTube.BaseURL, "youtube.auth_url": &c.YouTube.AuthURL,
		"youtube.token_url": &c.YouTube.TokenURL, "rumble.base_url": &c.Rumble.BaseURL} {
		*address = strings.TrimRight(*address, "/")
		is(isAddress(*address), key, "an address such as https://example.com is expected")
	}
	is(!isAddress(c.Web.BaseURL) || isAlone(c.Web.BaseURL), "web.base_url",
		"an address without a path is expected: the page is at the root of its host")
	is(isListen(c.Web.Listen), "web.listen", "an address such as 127.0.0.1:8080 is expected, with a port up to 65535")
	for _, proxy := range c.Web.TrustedProxies {
		_, err := prefix(proxy)
		is(err == nil, "web.trusted_proxies", "IP addresses or networks such as 10.0.0.0/8 are expected; %q isn't one",
			proxy)
	}
	is(c.Web.MetricsToken == "" || len(c.Web.MetricsToken) >= 16 &&
		!strings.ContainsFunc(c.Web.MetricsToken, unicode.IsSpace),
		"web.metrics_token", "16 characters or more without a space are expected: openssl rand -hex 24 makes some")
	for key, address := range map[string]string{"watch.ping": c.Watch.Ping, "watch.webhook": c.Watch.Webhook} {
		is(address == "" || isAddress(address), key, "an address such as https://example.com/secret is expected")
	}
	is(slices.Contains([]string{"ntfy", "slack"}, c.Watch.WebhookShape), "watch.webhook_shape",
		"ntfy or slack is expected")
	_, port, err := net.SplitHostPort(c.Watch.SMTP)
	is(c.Watch.SMTP == "" || err == nil && isPort(port, 1), "watch.smtp",
		"a host and a port such as mail.example.com:587 are expected")
	for key, list := range map[string][]string{"watch.mail_from": {c.Watch.MailFrom}, "watch.mail_to": c.Watch.MailTo} {
		for _, one := range list {
			is(c.Watch.SMTP == "" || isMailbox(one), key, "with watch.smtp, an address such as me@example.com is expected")
		}
		is(c.Watch.SMTP == "" || len(list) > 0, key, "with watch.smtp, an address such as me@example.com is expected")
	}
	is(slices.Contains(known.Formats, c.Log.Format), "log.format", "one of %s is expected",
		strings.Join(known.Formats, ", "))
	is(slices.Contains(known.Levels, c.Log.Level), "log.level", "one of %s is expected",
		strings.Join(known.Levels, ", "))
	for key, n := range map[string]int{"queue.attempts": c.Queue.Attempts, "limits.open": c.Limits.Open,
		"limits.per_hour": c.Limits.PerHour, "limits.per_day": c.Limits.PerDay,
		"youtube.uploads_per_day": c.YouTube.UploadsPerDay,
		"backup.keep":             c.Backup.Keep, "backup.keep_s3": c.Backup.KeepS3} {
		is(n >= 1, key, "1 or more is expected")
	}
	is(c.Limits.AllPerDay >= 0, "limits.all_per_day", "0 or more is expected; 0: no limit")
	is(c.Limits.MediaGB >= 0 && c.Limits.MediaGB <= maxMB, "limits.media_gb", "0 to %d is expected; 0: no limit", maxMB)
	for key, mb := range map[string]int64{"telegram.max_upload_mb": c.Telegram.MaxUploadMB,
		"media.max_upload_mb": c.Media.MaxUploadMB} {
		is(mb >= 1, key, "1 or more is expected")
		is(mb <= maxMB, key, "%d at most are expected", maxMB)
	}
	is(isAddress(c.YouTube.WatchURL), "youtube.watch_url",
		"an address such as https://www.youtube.com/watch?v= is expected, which an id is added to")
	is((c.YouTube.ClientID == "") == (c.YouTube.ClientSecret == ""), "youtube.client_secret",
		"client_id and client_secret are expected together, as Google gave them")
	is(strings.HasSuffix(c.YouTube.TokenURL, "/token"), "youtube.token_url",
		"an address that ends in /token is expected")
	key := known.TokenKey(c.YouTube.TokenKey)
	is(c.YouTube.TokenKey == "" || key == nil, "youtube.token_key", "%v", key)
	is(c.Queue.OutageAfter >= 2, "queue.outage_after", "2 or more is expected")
	is(c.Queue.Workers >= 0, "queue.workers", "0 or more is expected")
	is(c.Queue.Workers <= maxWorkers, "queue.workers", "%d at most are expected", maxWorkers)
	for key, d := range map[string]time.Duration{"queue.backoff": c.Queue.Backoff,
		"queue.backoff_max": c.Queue.BackoffMax, "queue.outage_max": c.Queue.OutageMax,
		"render.timeout": c.Render.Timeout} {
		is(d > 0, key, "a time longer than 0s is expected")
	}
	is(c.Backup.Every >= 0, "backup.every", "0s or more is expected")
	for key, d := range map[string]time.Duration{"privacy.inbox": c.Privacy.Inbox, "privacy.videos": c.Privacy.Videos,
		"privacy.history": c.Privacy.History, "privacy.people": c.Privacy.People} {
		is(d == 0 || d >= 24*time.Hour, key, "24h or more is expected, or 0s to keep it") // the limits count a day
	}
	is(c.Render.Cores >= 0, "render.cores", "0 or more is expected")
	is(c.Render.ReuseFor >= 0, "render.reuse_for", "0s or more is expected")
	is(slices.Contains([]string{"template", "command", "http", "farm"}, c.Render.Engine), "render.engine",
		"template, command, http or farm is expected")
	for key, ids := range map[string][]string{"render.template": {c.Render.Template}, "render.offer": c.Render.Offer} {
		for _, id := range ids {
			is(templateID.MatchString(id), key,
				"the name of a template is expected: up to 32 of a to z, 0 to 9 and hyphen")
		}
	}
	is(c.Render.Engine != "command" || len(c.Render.Command) > 0, "render.command",
		"with engine command, the program and its arguments are expected")
	is(c.Render.Engine != "http" || isAddress(c.Render.URL), "render.url",
		"with engine http, an address such as http://localhost:9000 is expected")
	for key, fault := range c.FarmFaults(c.Render.Engine == "farm") {
		is(false, key, "%s", fault)
	}
	login := known.FarmLogin(c.Farm.Credentials)
	is(login == nil, "farm.credentials", "%v", login)
	is(slices.Contains([]int{1, 3, 5}, c.Farm.Replicas), "farm.replicas", "1, 3 or 5 is expected")
	is(slices.Contains([]string{"disk", "s3"}, c.Media.Store), "media.store", "disk or s3 is expected")
	if c.Media.Store == "s3" {
		for key, fault := range c.S3Faults() {
			is(false, key, "with store s3, %s", fault)
		}
	}
	if c.Backup.S3.Endpoint != "" {
		for key, fault := range c.Backup.S3.faults("backup.s3.") {
			is(false, key, "with backup.s3.endpoint, %s", fault)
		}
	}
	is(slices.Contains([]string{"command", "rhvoice", "http", "none"}, c.Voice.Engine), "voice.engine",
		"command, rhvoice, http or none is expected")
	is(c.Voice.Engine != "http" || isAddress(c.Voice.URL), "voice.url",
		"with engine http, an address such as https://api.example.com/v1/audio/speech is expected")
}

// S3Faults trims the settings of the media bucket and returns what is wrong with them, by key.
func (c *Settings) S3Faults() map[string]string { return c.Media.S3.faults("media.s3.") }

// faults trims the settings of a bucket and returns what is wrong with them, by key. section begins each.
func (s *Bucket) faults(section string) map[string]string {
	faults := map[string]string{}
	s.Endpoint = strings.TrimRight(s.Endpoint, "/")
	if !isAddress(s.Endpoint) || !isAlone(s.Endpoint) {
		faults[section+"endpoint"] = "an address without a path is expected, such as " +
			"https://s3.eu-central-1.amazonaws.com"
	}
	for key, text := range map[string]*string{"region": &s.Region, "bucket": &s.Bucket, "access_key": &s.AccessKey,
		"secret_key": &s.SecretKey} {
		if *text = strings.TrimSpace(*text); *text == "" {
			faults[section+key] = "a text is expected"
		}
	}
	return faults
}

// FarmFaults returns what is wrong with the address of the farm, by key. It must be set if the farm is used. Names
// travel to it, so only a server on this machine may be reached without TLS.
func (c *Settings) FarmFaults(used bool) map[string]string {
	if c.Farm.URL == "" && !used {
		return nil
	}
	for address := range strings.SplitSeq(c.Farm.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(address))
		if err != nil || u.Hostname() == "" || u.Port() != "" && !isPort(u.Port(), 1) || u.Path != "" {
			return map[string]string{"farm.url": "an address such as tls://farm.example.com:4222 is expected"}
		}
		if u.User != nil {
			return map[string]string{"farm.url": "user and password belong into farm.credentials"}
		}
		ip, _ := netip.ParseAddr(u.Hostname())
		if here := u.Hostname() == "localhost" || ip.IsLoopback(); u.Scheme != "tls" && (u.Scheme != "nats" || !here) {
			return map[string]string{"farm.url": "tls:// is expected, because names travel there, or nats:// for this machine"}
		}
	}
	return nil
}

// templateID is the form of a template's name, which is sent in the data of a button.
var templateID = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// isAddress reports whether s is an address of the web with a host, and a port that exists.
func isAddress(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return false
	}
	return u.Port() == "" && !strings.HasSuffix(u.Host, ":") || isPort(u.Port(), 1)
}

// isAlone reports whether an address names a host and nothing behind it or before it.
func isAlone(s string) bool {
	u, err := url.Parse(s)
	return err == nil && strings.Trim(u.Path, "/") == "" && !strings.ContainsAny(s, "?#") && u.User == nil
}

// isMailbox reports whether s is an address of mail, and nothing beside it.
func isMailbox(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

// isListen reports whether a program can listen on s: a host or nothing, and a port. Port 0 is any free one.
func isListen(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || !isPort(port, 0) || strings.ContainsFunc(host, unicode.IsSpace) {
		return false
	}
	if strings.Trim(host, "0123456789.") == "" || strings.Contains(host, ":") { // it can only be an IP address
		_, err = netip.ParseAddr(host)
	}
	return host == "" || err == nil
}

func isPort(s string, least uint64) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n >= least
}

// Proxies returns the networks whose X-Forwarded-For is believed.
func (c *Settings) Proxies() (nets []netip.Prefix) {
	for _, s := range c.Web.TrustedProxies {
		if p, err := prefix(s); err == nil { // Load has refused others
			nets = append(nets, p)
		}
	}
	return nets
}

// prefix reads a network; an address alone is a network of one.
func prefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}
