// Retake: settings, log, signals, and the wiring of store, queue, bot and page.

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"retake.example/internal/chat"
	"retake.example/internal/publish"
	"retake.example/internal/worker"

	"retake.example/internal/command"

	"retake.example/internal/config"

	"retake.example/internal/retry"

	"retake.example/internal/store"

	"golang.org/x/sync/errgroup"

	"retake.example/internal/cli"
	"retake.example/internal/db"
	"retake.example/internal/desk"
	"retake.example/internal/fake/demo"
	"retake.example/internal/folder"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/metrics"
	"retake.example/internal/outage"
	"retake.example/internal/service"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
	"retake.example/internal/watch"
)

// version is set by the linker for a release.
var version = "dev"

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
	exitConfig  = 78 // EX_CONFIG of sysexits.h
)

func main() {
	if err := db.UseOFDLocks(); err != nil { // before anything can open the database
		fmt.Fprintln(os.Stderr, "retake:", err)
		os.Exit(exitFailure)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	var usage cli.Usage
	var faults config.Faults
	switch {
	case err == nil:
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(exitUsage)
	case errors.As(err, &faults):
		fmt.Fprintln(os.Stderr, faults)
		os.Exit(exitConfig)
	default:
		fmt.Fprintln(os.Stderr, "retake:", err)
		os.Exit(exitFailure)
	}
}

// run runs one command line.
func run(ctx context.Context, args []string, out io.Writer) error {
	return thisProgram().Run(ctx, args, out)
}

// thisProgram describes this binary, for the commands.
func thisProgram() *command.Program {
	return &command.Program{Version: version, Defaults: defaults, Schema: schemaVersion(), Open: OpenStore, LookAt: LookAt,
		Retrier: func(st *store.Store, log *slog.Logger) retry.Retrier {
			return NewQueue(st, nil, nil, nil, Options{}, log)
		},
		Serve: func(ctx context.Context, cfg config.Config, out io.Writer) error {
			return serve(ctx, cfg, command.NewLog(cfg), out, func(r renderer) renderer { return r })
		},
		Demo: showDemo}
}

// serve runs the program on its data folder until ctx ends. wrap stands between the queue and the renderer.
func serve(ctx context.Context, cfg config.Config, log *slog.Logger, out io.Writer, wrap func(renderer) renderer) error {
	unlock, err := folder.Lock(cfg.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	path, backups := cfg.Database(), command.Keeper(cfg, log)
	st, err := OpenStoreWith(path, store.Options{Before: func(version int) error { return backups.Upgrade(ctx, version) }})
	if err != nil {
		return err
	}
	defer st.Close()
	opened, err := command.OpenMedia(cfg, cfg.Media.Store)
	if err != nil {
		return err
	}
	files := media.NewSweeper(opened)
	defer files.Close()
	ours, err := command.Tidy(ctx, st, files, cfg.DataDir)
	if err != nil && !command.IsAway(err) && !errors.Is(err, media.ErrNotYours) {
		return err
	}
	notSwept := func(err error) { log.Warn("files that nobody needs stay where they are", "err", err) } // they cost room, no more
	if err != nil {
		notSwept(err)
	}
	work := filepath.Join(cfg.DataDir, "work")
	maker, err := command.NewMaker(cfg, work)
	if err != nil {
		return asSetting(err)
	}
	uploads, err := desk.NewUploads(filepath.Join(work, "uploads"), cfg.Media.MaxUploadMB<<20, 30*time.Second, maker.Room)
	if err != nil {
		return fmt.Errorf("the folder of uploads: %w", err)
	}
	rude, err := lang.OperatorsWords(filepath.Join(cfg.DataDir, "rude"))
	if err != nil {
		return fmt.Errorf("the lists of rude words: %w", err)
	}

	var offers []video.Offer
	for _, id := range cfg.Offered() {
		offers = append(offers, video.Offer{ID: id, Title: func(lang string) string { return maker.Title(id, lang) }})
	}
	seen := &watching{store: st, cfg: cfg, room: maker, began: st.Now(), path: path,
		missing: func(ctx context.Context) []string { return missing(ctx, cfg, maker, files) }}
	meter := metrics.New(version, seen.measure)
	var sender *Sender
	var msgs messenger
	if cfg.Telegram.Token != "" {
		sender, err = NewSender(st, files, chat.Options{
			Token: cfg.Telegram.Token, APIURL: cfg.Telegram.APIURL, Offers: offers, ReuseFor: cfg.Render.ReuseFor,
			Language: cfg.Language, OpenLimit: cfg.Limits.Open, HourLimit: cfg.Limits.PerHour, DayLimit: cfg.Limits.PerDay,
			MaxUpload: int64(cfg.Telegram.MaxUploadMB) << 20, Keep: store.Keep(cfg.Privacy), Elsewhere: elsewhere(cfg), BaseURL: cfg.Web.BaseURL, Role: command.Role(cfg),
			Admins: cfg.Staff(), Rude: rude, CanDraw: maker.CanDraw, Second: cfg.Second, Meter: meter,
		}, log)
		if err != nil {
			return err
		}
		msgs = sender
	}
	sites, err := publish.NewSites(st, files, cfg)
	if err != nil {
		return fmt.Errorf("the key of the channels' tokens: %w", err)
	}
	queue := NewQueue(st, wrap(maker), msgs, files, Options{Workers: cfg.Workers(), Attempts: cfg.Queue.Attempts,
		Backoff: Exponential(cfg.Queue.Backoff, cfg.Queue.BackoffMax), Drain: 5 * time.Second,
		Outages: outage.New(cfg.Queue.OutageAfter, cfg.Queue.OutageMax, probeEvery), Sites: sites.Platforms(), Voices: maker, Meter: meter}, log)
	studio := publish.NewStudio(sites, queue, cfg)
	var bot *Bot
	var resume func(context.Context, []store.Update)
	if sender != nil {
		bot = NewBot(sender, queue)
		resume = bot.Resume
	}
	seen.queue, seen.bot = queue, bot
	seen.board = newBoard(st, queue, bot, boardOptions{cfg.Web.BaseURL, command.Role(cfg),
		func(ctx context.Context) ([]int64, error) { return st.Admins(ctx, cfg.Staff()) }, maker.Free, time.Minute}, log)
	backups.Told = func(err error) { seen.board.Report(watch.Backup, err) }
	seen.pulse = watch.NewPulse(5*time.Second, func() error { return st.Tx(context.Background(), func(*store.Tx) error { return nil }) })
	working, stop := context.WithCancel(context.WithoutCancel(ctx)) // what admins have sent goes on while the server ends
	defer stop()
	web := NewWeb(working, st, queue, files, desk.Options{BaseURL: cfg.Web.BaseURL, Role: command.Role(cfg), Offers: offers,
		Lang: cfg.Language, ReuseFor: cfg.Render.ReuseFor, CanDraw: maker.CanDraw, BotOn: bot != nil,
		Ready: seen.missing, Free: maker.Free,
		Staff: desk.Staff{Owners: cfg.Telegram.Owners, Admins: cfg.Telegram.Admins}, Limits: limits(cfg), Covers: covers(cfg, maker),
		Uploads: uploads, Inspect: maker.Inspect, Platforms: studio, Published: studio, Consent: studio, Channels: studio,
		Stuck: watch.NewMemo(seen.stuck).Reasons, Metrics: meter.Handler(), Token: cfg.Web.MetricsToken,
		Resume: resume, Backups: backups.State}, log)
	listener, err := net.Listen("tcp", cfg.Web.Listen)
	if err != nil {
		return fmt.Errorf("web.listen: %w", err)
	}
	server := desk.NewServer(web.Handler(), desk.Timeouts{Header: 10 * time.Second, Form: 30 * time.Second, Idle: 2 * time.Minute}, log)
	server.RegisterOnShutdown(web.Close)

	if err := setUpLink(ctx, st, cfg, out); err != nil {
		return err
	}
	log.Info("retake is running", "version", version, "page", cfg.Web.BaseURL, "data", cfg.DataDir)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return queue.Run(ctx) })
	group.Go(func() error {
		worker.Purge(ctx, st, store.Keep(cfg.Privacy), queue.Discard, queue.ForgetOldNames, log)
		return nil
	})
	if bot != nil {
		group.Go(func() error { return bot.Run(ctx) })
		group.Go(func() error { return runBoard(ctx, queue, seen.board) })
	}
	group.Go(func() error { return desk.RunServer(ctx, server, listener, 5*time.Second) })
	group.Go(func() error {
		answers := func(ctx context.Context) error {
			return errors.Join(queue.Alive(ctx), desk.CheckHealth(ctx, listener.Addr().String()))
		}
		return service.Attend(ctx, answers, queue.Alive)
	})
	group.Go(func() error { // the first video should not wait for its template
		for _, problem := range seen.missing(ctx) {
			log.Warn(lang.Say("en", problem, nil))
		}
		if n, err := command.LeftOnDisk(ctx, cfg, st); n > 0 || err != nil {
			log.Warn("videos are still on the disk and cannot be played: stop, and run retake media move", "files", n, "err", err)
		}
		if err := maker.Voice(); err != nil && cfg.Render.Engine == video.EngineTemplate {
			log.Info("videos have music only", "err", err)
		}
		if err := maker.Prepare(ctx); err != nil && ctx.Err() == nil {
			log.Warn("prepare the template", "err", err)
		}
		return nil
	})
	group.Go(func() error { // a million videos are not waited for
		if !ours {
			return nil
		}
		if err := worker.UnlessStopped(ctx, command.Sweep(ctx, st, files)); err != nil {
			notSwept(err)
		}
		return nil
	})
	group.Go(func() error { backups.Run(ctx); return nil })
	group.Go(func() error { publish.NewLooks(sites, log).Run(ctx); return nil })
	group.Go(func() error { folder.Woken(ctx, queue.Wake); return nil }) // another process of ours changed the database
	return group.Wait()
}

// elsewhere reports whether names leave this machine but for Telegram: to a service that makes the videos, or says the names.
func elsewhere(cfg config.Config) bool {
	return cfg.Render.Engine == video.EngineHTTP || cfg.Render.Engine == video.EngineTemplate && cfg.Voice.Engine == video.VoiceHTTP
}

// limits are what the page's settings show of the configuration.
func limits(cfg config.Config) []desk.Limit {
	return []desk.Limit{
		{Label: "limit_attempts", Value: cfg.Queue.Attempts},
		{Label: "limit_backoff", Value: cfg.Queue.Backoff},
		{Label: "limit_backoff_max", Value: cfg.Queue.BackoffMax},
		{Label: "limit_timeout", Value: cfg.Render.Timeout},
		{Label: "limit_workers", Value: cfg.Workers()},
		{Label: "limit_of_open", Value: cfg.Limits.Open},
		{Label: "limit_of_hour", Value: cfg.Limits.PerHour},
		{Label: "limit_of_day", Value: cfg.Limits.PerDay},
		{Label: "limit_reuse", Value: cfg.Render.ReuseFor},
		{Label: "limit_keep_videos", Value: desk.KeptFor(cfg.Privacy.Videos)},
		{Label: "limit_keep_history", Value: desk.KeptFor(cfg.Privacy.History)},
		{Label: "limit_keep_people", Value: desk.KeptFor(cfg.Privacy.People)},
		{Label: "limit_upload", Value: desk.Megabytes(cfg.Telegram.MaxUploadMB)},
		{Label: "limit_media_upload", Value: desk.Megabytes(cfg.Media.MaxUploadMB)},
	}
}

// covers draws the pictures of the offered templates, with the name of nobody in particular. Other engines have none.
func covers(cfg config.Config, maker *video.Maker) *desk.Covers {
	if cfg.Render.Engine != video.EngineTemplate {
		return nil
	}
	return desk.NewCovers(cfg.Offered(), func(ctx context.Context, id, path string) error {
		return maker.Cover(ctx, video.Order{Asset: "cover", Name: command.SampleName(cfg.Language), Lang: cfg.Language, Template: id}, path)
	})
}

// asSetting makes what is wrong with an offered template stop the start as a bad setting does.
func asSetting(err error) error {
	if retry.IsPermanent(err) {
		return config.Faults{"render.template, render.offer: " + err.Error()}
	}
	return err
}

// missing says what keeps the program from doing its whole job, by messages, or by sentences of those who miss it.
func missing(ctx context.Context, cfg config.Config, maker *video.Maker, files media.Store) (problems []string) {
	if err := maker.Ready(ctx); err != nil {
		problems = append(problems, err.Error())
	}
	if err := maker.Voice(); err != nil && len(cfg.Voice.Command) > 0 {
		problems = append(problems, err.Error())
	}
	if cfg.Telegram.Token == "" {
		problems = append(problems, "problem_bot_off")
	}
	if err := files.Ready(ctx); err != nil {
		problems = append(problems, err.Error())
	}
	return problems
}

// setUpLink prints a sign-in link as long as nobody has used one.
func setUpLink(ctx context.Context, st *store.Store, cfg config.Config, out io.Writer) error {
	if had, err := st.HadSession(ctx); err != nil || had {
		return err
	}
	var admin int64 // the operator
	if len(cfg.Telegram.Owners) > 0 {
		admin = cfg.Telegram.Owners[0]
	}
	link, err := desk.NewLink(ctx, st, cfg.Web.BaseURL, admin)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nSign in to the page (works once, for 15 minutes):\n  %s\n\n", link)
	return err
}

// watching knows how the program is.
type watching struct {
	store *store.Store
	queue *Queue
	bot   *Bot // nil: it is off
	board *watch.Board
	pulse *watch.Pulse // of the database's writer
	cfg   config.Config
	room  interface {
		Room(need int64) error
		Free() (int64, error)
	}
	missing func(ctx context.Context) []string // messages or sentences of what the program lacks
	path    string                             // of the database
	began   time.Time
}

// longest is how long an attempt of a kind of work may take; 0: nobody knows.
func (w *watching) longest(kind store.Kind) time.Duration {
	switch kind {
	case store.Render:
		return w.cfg.Render.Timeout + 5*time.Minute // and to keep it
	case store.Publish:
		return 0
	}
	return 30 * time.Minute // a video over a slow line
}

// stuck says why work does not flow, a sentence each.
func (w *watching) stuck() []string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var lacks []string
	for _, problem := range w.missing(ctx) {
		if problem != "problem_bot_off" { // on purpose
			lacks = append(lacks, lang.Say("en", problem, nil))
		}
	}
	outage, _, spent := w.queue.Outage()
	state := watch.State{Outage: outage.Began, Writer: w.pulse.Err(ctx), Room: w.room.Room(0), Backup: w.board.Reported(watch.Backup)}
	for _, load := range w.queue.Loads() {
		next, err := w.store.NextUp(ctx, load.Kind)
		if err != nil {
			return append(lacks, fmt.Sprintf("The database does not answer: %v.", err))
		}
		if load.Begun.IsZero() {
			load.Begun = w.began
		}
		state.Lines = append(state.Lines, watch.Line{Kind: string(load.Kind), Workers: load.Workers, Idle: load.Idle, Begun: load.Begun,
			Next: next, Longest: w.longest(load.Kind), Held: load.Kind == store.Render && !outage.Began.IsZero() && !spent})
	}
	if w.bot != nil {
		state.BotOn, state.Contact = true, w.bot.Contact()
		if state.Contact.IsZero() {
			state.Contact = w.began
		}
	}
	return append(lacks, watch.Reasons(state, w.store.Now())...)
}

// measure looks up what /metrics tells.
func (w *watching) measure() (state metrics.State, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := w.store.Census(ctx)
	if err != nil {
		return state, err
	}
	outage, _, _ := w.queue.Outage()
	state = metrics.State{Assets: map[string]int{}, Needing: c.Needs, Open: c.Open, Wishes: c.Wishes, Inbox: c.Inbox, Channels: c.Channels, Files: map[string]int64{}}
	if state.Free, err = w.room.Free(); err != nil {
		return state, err
	}
	state.Troubles = map[string]bool{watch.Outage: !outage.Began.IsZero(), watch.Disk: state.Free < desk.LowDisk, watch.Channel: c.Channels["ENDED"] > 0,
		watch.Backup: w.board.Reported(watch.Backup) != nil}
	for _, b := range c.Jobs {
		state.Backlogs = append(state.Backlogs, metrics.Backlog{Kind: string(b.Kind), State: b.State, N: b.N, Waiting: b.Waiting})
	}
	for _, l := range w.queue.Loads() {
		state.Loads = append(state.Loads, metrics.Load{Kind: string(l.Kind), Workers: l.Workers, Idle: l.Idle})
	}
	for status, n := range c.Assets {
		state.Assets[string(status)] = n
	}
	for _, p := range c.Publications {
		state.Publications = append(state.Publications, metrics.Publications{Platform: p.Platform, Status: string(p.Status), N: p.N})
	}
	if w.bot != nil {
		state.Contact = w.bot.Contact()
	}
	for file, path := range map[string]string{"main": w.path, "wal": w.path + "-wal"} {
		info, err := os.Stat(path)
		if err != nil {
			return state, err
		}
		state.Files[file] = info.Size()
	}
	return state, nil
}

// boardOptions say who is told of troubles, and what the store does not know of them.
type boardOptions struct {
	page   string                             // its address
	role   func(id int64) (store.Admin, bool) // by the settings; see Store.RoleOf
	admins func(ctx context.Context) ([]int64, error)
	free   func() (bytes int64, err error) // on the disk
	gather time.Duration                   // see watch.Source
}

// newBoard returns what tells admins of troubles, by the bot; nil: it is off.
func newBoard(st *store.Store, queue *Queue, bot *Bot, o boardOptions, log *slog.Logger) *watch.Board {
	var board *watch.Board
	board = watch.NewBoard(watch.Source{Now: st.Now, Admins: o.admins, Gather: o.gather, Log: log,
		Tell: func(ctx context.Context, admin int64, m watch.Message) (time.Duration, error) {
			return bot.Alert(ctx, admin, m)
		},
		Told: func(ctx context.Context, admin int64) (map[string]watch.Told, error) {
			known, err := st.Alerts(ctx, admin)
			told := map[string]watch.Told{}
			for cause, a := range known {
				told[cause] = watch.Told(a)
			}
			return told, err
		},
		Keep: func(ctx context.Context, admin int64, told map[string]watch.Told) error {
			return st.Tx(ctx, func(tx *store.Tx) error {
				for cause, t := range told {
					if err := tx.KeepAlert(admin, cause, store.Alert(t)); err != nil {
						return err
					}
				}
				return nil
			})
		},
		Look: func(ctx context.Context, id int64, told map[string]watch.Told) ([]watch.Trouble, error) {
			admin, ok, err := st.RoleOf(ctx, o.role, id)
			if err != nil || !ok { // removed since
				return nil, err
			}
			return troubles(ctx, st, queue, admin, told, o, board.Reported(watch.Backup))
		}})
	return board
}

// runBoard has a board tell until ctx ends.
func runBoard(ctx context.Context, queue *Queue, board *watch.Board) error {
	defer queue.View(func(string, int) { board.Change() })()
	board.Run(ctx)
	return nil
}

// troubles are all causes as they stand for an admin.
func troubles(ctx context.Context, st *store.Store, queue *Queue, admin store.Admin, told map[string]watch.Told, o boardOptions,
	backup error) (all []watch.Trouble, err error) {
	outage, err := st.Outage(ctx)
	if err != nil {
		return nil, err
	}
	_, _, spent := queue.Outage()
	all = append(all, watch.OutageOf(outage.Began, outage.Reason, spent, telegram.TryButton))
	if bytes, err := o.free(); err == nil { // without it, the page says so
		all = append(all, watch.DiskOf(bytes, desk.LowDisk, told[watch.Disk], o.page))
	}
	channels, err := st.Channels(ctx)
	if err != nil {
		return nil, err
	}
	var ended []string
	for _, c := range channels {
		if c.State == "ENDED" {
			ended = append(ended, strconv.FormatInt(c.ID, 10))
		}
	}
	all = append(all, watch.ChannelsOf(ended, o.page), watch.BackupOf(backup))

	now := st.Now()
	failed, err := st.GivenUp(ctx, watch.Since(told[watch.Failed], now))
	if err != nil {
		return nil, err
	}
	all = append(all, watch.Digest(watch.Failed, failed.N, failed.First, now, o.page, func(ctx context.Context) (string, int, error) {
		need, err := st.NeedYou(ctx, admin, store.Filter{})
		return fmt.Sprintf("%s:%s:%d", telegram.AgainButton, need.Newest, need.Count), need.Count, err
	}))
	unpublished, err := st.NotPublished(ctx, watch.Since(told[watch.Unpublished], now))
	if err != nil {
		return nil, err
	}
	return append(all, watch.Digest(watch.Unpublished, unpublished.N, unpublished.First, now, o.page, func(ctx context.Context) (string, int, error) {
		n, until, err := st.CountUnpublished(ctx, admin, store.Filter{})
		return fmt.Sprintf("%s:%d:%d", telegram.PutButton, until.UnixMilli(), n), n, err
	})), nil
}

// breakable is the demo's renderer: it has a switch.
type breakable struct {
	renderer
	broken func() bool
}

func (b breakable) Make(ctx context.Context, o video.Order, progress func(int)) (video.Video, error) {
	if b.broken() {
		return video.Video{}, errors.New("the renderer is switched off (the demo's switch)")
	}
	return b.renderer.Make(ctx, o, progress)
}

// showDemo runs the program with a fresh data folder and stand-ins for Telegram, whose chats are a page in the browser, for YouTube
// and for Rumble.
func showDemo(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "retake-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cfg, err := fromDefaults(nil) // alone: the demo touches nothing of the operator's
	if err != nil {
		return err
	}
	cache, err := os.UserCacheDir() // the prepared templates serve the next demo too
	if err == nil {
		var unlock func()
		if unlock, err = folder.Lock(filepath.Join(cache, "retake")); err == nil {
			defer unlock()
		}
	}
	if err != nil { // there is none, or another demo uses it
		cache = dir
	}
	listener, err := listenNear("127.0.0.1:8090")
	if err != nil {
		return err
	}
	page, err := listenNear(cfg.Web.Listen)
	if err != nil {
		return err
	}
	page.Close() // serve opens it again
	town, err := demo.New(listener, func(ctx context.Context) (string, error) {
		st, err := thisProgram().OpenBeside(cfg)
		if err != nil {
			return "", err
		}
		defer st.Close()
		return desk.NewLink(ctx, st, cfg.Web.BaseURL, 0)
	})
	if err != nil {
		return err
	}
	defer town.Close()
	google := town.URL + "/google"
	cfg.YouTube.ClientID, cfg.YouTube.ClientSecret, cfg.YouTube.BaseURL = demo.ClientID, demo.ClientSecret, google
	cfg.YouTube.AuthURL, cfg.YouTube.TokenURL, cfg.YouTube.WatchURL = google+"/o/oauth2/v2/auth", google+"/token", google+"/watch?v="
	cfg.Rumble.AccessToken, cfg.Rumble.BaseURL = demo.RumbleToken, town.URL+"/rumble"
	cfg.DataDir, cfg.CacheDir = filepath.Join(dir, "data"), filepath.Join(cache, "retake")
	cfg.Telegram.Token, cfg.Telegram.APIURL = demo.BotToken, town.URL
	cfg.Web.Listen, cfg.Web.BaseURL = page.Addr().String(), "http://"+page.Addr().String()
	cfg.Render.Offer = []string{"birthday"}
	cfg.Queue.Backoff = 2 * time.Second // so that nobody waits half a minute for the apology

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return town.Serve(listener) })
	group.Go(func() error {
		<-ctx.Done()
		town.Close()
		return nil
	})
	group.Go(func() error {
		log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: telegram.Redact(demo.BotToken)}))
		return serve(ctx, cfg, log, io.Discard, func(r renderer) renderer { return breakable{r, town.Broken.Load} })
	})
	fmt.Fprint(out, town.Welcome())
	return group.Wait()
}

// listenNear listens on an address, or on a free port when that one is taken.
func listenNear(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, _ := net.SplitHostPort(address)
		return net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	return l, err
}

//go:embed config.toml
var defaults string

// LoadConfig reads the settings: see config.LoadFile.
func LoadConfig(path string, environ []string) (config.Config, error) {
	return config.LoadFile(defaults, path, environ)
}

// fromDefaults returns the defaults, changed by sources and then by the environment.
func fromDefaults(environ []string, sources ...config.Source) (config.Config, error) {
	return config.FromDefaults(defaults, environ, sources...)
}
