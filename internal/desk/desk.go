// What all pages share: their options, the type whose methods answer requests, and its constructor.

// Package desk is the page where admins see every video, play it and press Retry. Each file holds one page: its
// handler beside its view. Handlers are plain net/http; routes are in web.go.
package desk

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"retake.example/internal/backup"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
	"retake.example/internal/watch"
)

// Options are the operator's choices for the page, and what the pages need beside the database.
type Options struct {
	BaseURL  string                               // where browsers find the page; https makes the cookie Secure
	Proxies  []netip.Prefix                       // whose X-Forwarded-For is believed
	Role     func(id int64) (store.Admin, bool)   // who may sign in by the settings; see Store.RoleOf
	Offers   *video.Offers                        // the templates of videos made on the page
	Lang     string                               // of videos made on the page
	ReuseFor time.Duration                        // how long a finished video is shared with the next order for its name
	Attempts int                                  // that a job has
	CanDraw  func(template, name string) error    // nil error: that template has every letter
	Rude     []string                             // no video in advance is made of these
	Ready    func(ctx context.Context) []string   // messages or sentences about what is missing; none: all is well
	Free     func() (bytes int64, err error)      // on the disk
	Room     func() (low bool, used, limit int64) // for videos; nil: no limit
	BotOn    bool                                 // /admin in the bot gives a sign-in link
	Staff    Staff                                // the same people, for their names in the activity list
	Limits   []Limit                              // as Settings shows them
	Covers   *Covers                              // pictures of the templates; nil: there are none
	Shelf    *video.Shelf                         // all templates; nil: none can be made here
	Uploads  *Uploads                             // takes the files of videos that admins send
	Stuck    func() []string                      // why work does not flow, a sentence each
	Metrics  http.Handler                         // answers /metrics
	Token    string                               // opens /metrics to a program without a session; "": none does

	// Inspect finds out what a file shows and draws a still of it. The file stays. It returns video.ErrUnplayable if
	// it is no video.
	Inspect func(ctx context.Context, path string) (video.Video, error)
	Resume  func(ctx context.Context, updates []store.Update) // handles updates that were held; nil: the bot is off
	Backups func() backup.State                               // how they go; nil: nobody knows
	Keeper  backupKeeper                                      // makes and shows them; nil: nobody does
	// files that should be gone; nil: there are none
	Undeleted func() media.Undeleted
	Faults    func() []watch.Fault // what cannot be used; nil: nothing
	// TakeOver takes the bot's updates back from a webhook; nil: the bot is off.
	TakeOver func(ctx context.Context) error
	// RenewMenus sends the bot's menus of commands again, whose texts have changed; nil: the bot is off.
	RenewMenus func()
	// Invite returns the address that opens the bot with a code; nil: the bot is off.
	Invite   func(ctx context.Context, code string) (link string, err error)
	Purge    purge     // nil: nobody knows whether the clock is trusted
	Farm     farmhands // nil: videos are not made on other machines
	Settings settings  // that owners may change; nil: nobody can
	Bot      botSelf   // nil: the bot is off
	// Announcer sends announcements; nil: they are off.
	Announcer announcer

	Templates fs.FS // the pages, *.html
	Static    fs.FS // styles, the script, icons
	Files     files

	Retrier  retry.Retrier
	Forecast forecast
	Load     load
	Remover  remover
	Feed     feed

	Platforms platforms
	Published published
	Consent   consent
	Channels  channelKeeper
}

// files are the files of finished videos. Their methods return fs.ErrNotExist if there is none with that key.
type files interface {
	Ready(ctx context.Context) error // nil: they can be read and put, or why not, in a sentence
	Open(ctx context.Context, key string) (io.ReadSeekCloser, error)
	Put(ctx context.Context, key, path string, progress func(sent int64)) error
	Delete(ctx context.Context, key string) error
}

// Handler answers a request. Desk.Fail answers it if there is an error.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Desk answers requests for the pages.
type Desk struct {
	ctx    context.Context // the program's
	opts   Options
	store  *store.Store
	log    *slog.Logger
	pages  Pages
	cookie string          // name of the session cookie
	over   context.Context // ends when the server takes no more requests
	end    context.CancelFunc
	bot    atomic.Pointer[string] // its link, once Telegram has told
	live   *Live

	streams, uploads share

	offering  sync.Mutex // held while what is offered changes
	trials    *trials
	past      past            // sums of the statistics
	films     context.Context // in which films are prepared
	preparing sync.WaitGroup
	stop      context.CancelFunc
}

// New prepares the pages. It reads the templates, and returns an error if one of them is broken. ctx is the
// program's: what an admin has sent, and work that follows a commit, goes on until ctx ends, also when the browser
// has gone.
func New(ctx context.Context, st *store.Store, opts Options, log *slog.Logger) (*Desk, error) {
	d := &Desk{ctx: ctx, opts: opts, store: st, log: log, cookie: CookieName(st.Path(), opts.BaseURL), live: NewLive(),
		streams: share{most: liveStreams}, uploads: share{most: mostUploads}, trials: newTrials()}
	d.films, d.stop = context.WithCancel(ctx)
	d.over, d.end = context.WithCancel(context.Background())
	says := map[string]Say{}
	for _, l := range lang.Languages {
		says[l] = sayIn(l)
	}
	var err error
	if d.pages, err = NewPages(opts.Templates, "*.html", says, st.Now); err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	opts.Feed.View(d.live.Tell)
	return d, nil
}

// Close ends the streams of open pages, for which a shutdown of the server would wait, and the preparation of films.
func (d *Desk) Close() {
	d.end()
	d.live.Close()
	d.stop()
	d.preparing.Wait()
}

// CookieName is the name of the session cookie of the bot with that database at that address. Browsers don't tell the
// ports of a host apart: each bot has a name of its own.
func CookieName(database, baseURL string) string {
	of := sha256.Sum256([]byte(database + "\n" + baseURL))
	name := fmt.Sprintf("retake-%x", of[:4])
	if isHTTPS(baseURL) {
		name = "__Host-" + name // no other host of the domain can plant it
	}
	return name
}

func isHTTPS(address string) bool { return strings.HasPrefix(strings.ToLower(address), "https:") }

// secure reports whether browsers reach the page by https.
func (d *Desk) secure() bool { return isHTTPS(d.opts.BaseURL) }

// choice reports whether there is more than one template to make a video with.
func (d *Desk) choice() bool { return len(d.opts.Offers.List()) > 1 }

// problems says what is missing.
func (d *Desk) problems(r *http.Request) (said []string) {
	say := sayTo(r)
	for _, problem := range d.opts.Ready(r.Context()) {
		said = append(said, say(problem, nil))
	}
	return said
}
