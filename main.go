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
	"runtime/debug"
	"syscall"
	"time"

	"retake.example/internal/chat"
	"retake.example/internal/cli"
	"retake.example/internal/command"
	"retake.example/internal/config"
	"retake.example/internal/db"
	"retake.example/internal/desk"
	"retake.example/internal/fake/demo"
	"retake.example/internal/folder"
	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/metrics"
	"retake.example/internal/outage"
	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/routine"
	"retake.example/internal/service"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
	"retake.example/internal/watch"
	"retake.example/internal/worker"
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
	folder.Private()                         // before anything can make a file
	if err := db.UseOFDLocks(); err != nil { // before anything can open the database
		fmt.Fprintln(os.Stderr, "retake:", err)
		os.Exit(exitFailure)
	}
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if service.HasTerminal() && !signal.Ignored(syscall.SIGHUP) { // its end is a hangup
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	context.AfterFunc(ctx, func() { // a second signal ends the program at once; but a closed terminal sends several
		signal.Ignore(syscall.SIGHUP)
		stop()
	})
	err := run(ctx, os.Args[1:], os.Stdout)
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
		Serve: func(ctx context.Context, r command.Run) error {
			return serve(ctx, r, func(r renderer) renderer { return r })
		},
		Demo: showDemo}
}

// serve is one run of the program on its data folder, until ctx ends. wrap stands between the queue and the renderer.
func serve(ctx context.Context, run command.Run, wrap func(renderer) renderer) error {
	defer run.Listener.Close()
	cfg, log := run.Config, run.Log
	st, err := OpenStoreWith(cfg.Database(), store.Options{Before: func(version int) error {
		return command.Keeper(cfg, log, nil).Upgrade(ctx, version)
	}})
	if err != nil {
		return err
	}
	defer st.Close()
	if err := desk.LoadTexts(ctx, st, log); err != nil {
		return err
	}
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
	// they cost room, no more
	notSwept := func(err error) { log.Warn("files that nobody needs stay where they are", "err", err) }
	if err != nil {
		notSwept(err)
	}
	work := filepath.Join(cfg.DataDir, "work")
	centre, err := command.OpenFarm(cfg, log)
	if err != nil {
		return err
	}
	defer centre.Close()
	maker, err := command.NewMaker(cfg, work, centre)
	if err != nil {
		return err
	}
	shelf, offers, err := command.OpenTemplates(ctx, cfg, st, maker, log)
	if err != nil {
		return err
	}
	uploads, err := desk.NewUploads(filepath.Join(work, "uploads"), cfg.Media.MaxUploadMB<<20, 30*time.Second, maker.Room)
	if err != nil {
		return fmt.Errorf("the folder of uploads: %w", err)
	}
	rude, err := lang.OperatorsWords(filepath.Join(cfg.DataDir, "rude"))
	if err != nil {
		return fmt.Errorf("the lists of rude words: %w", err)
	}

	meter := metrics.New(version)
	var sender *Sender
	var msgs messenger
	var talk *telegram.Talk
	var delivered func(user int64)
	if cfg.Telegram.Token != "" {
		sender, err = NewSender(st, files, chat.Options{
			Token: cfg.Telegram.Token, APIURL: cfg.Telegram.APIURL, Offers: offers, ReuseFor: cfg.Render.ReuseFor,
			Language: cfg.Language, LanguageChosen: cfg.LanguageChosen(), OpenLimit: cfg.Limits.Open,
			HourLimit: cfg.Limits.PerHour, DayLimit: cfg.Limits.PerDay,
			AllLimit:  cfg.Limits.AllPerDay,
			MaxUpload: cfg.Telegram.MaxUploadMB << 20, Keep: store.Keep(cfg.Privacy), Elsewhere: elsewhere(cfg),
			Farm:    centre.On(),
			BaseURL: cfg.Web.BaseURL, Role: command.Role(cfg),
			Admins: cfg.Staff(), HasOwner: len(cfg.Telegram.Owners) > 0, Rude: rude, CanDraw: maker.CanDraw,
			Voice: command.Playing(cfg, maker), Announcements: cfg.Telegram.Announcements,
			PerSecond: cfg.Telegram.PerSecond, Second: cfg.Second, Meter: meter,
		}, log)
		if err != nil {
			return err
		}
		msgs, talk, delivered = sender, &sender.Talk, sender.AskForNews
	}
	sites, err := publish.NewSites(st, files, cfg, talk)
	if err != nil {
		return fmt.Errorf("the key of the channels' tokens: %w", err)
	}
	queue := NewQueue(
		st, wrap(maker), msgs, files,
		Options{Workers: cfg.Workers(), Attempts: cfg.Queue.Attempts, OutageMax: cfg.Queue.OutageMax,
			Backoff: retry.Exponential(cfg.Queue.Backoff, cfg.Queue.BackoffMax), Drain: 5 * time.Second,
			Outages: outage.New(
				cfg.Queue.OutageAfter,
				cfg.Queue.OutageMax,
				probeEvery,
			), Sites: sites.Platforms(), Voices: maker, Meter: meter, Farm: centre, Delivered: delivered},
		log,
	)
	studio := publish.NewStudio(sites, queue, cfg)
	var bot *Bot
	if sender != nil {
		bot = NewBot(sender, queue)
	}
	stored := watch.NewGlance(250*time.Millisecond, files.Ready) // no page waits for a bucket that hangs
	missing := func(ctx context.Context) []string { return command.Missing(ctx, cfg, maker, stored.Err) }
	seen := &watch.Program{
		Store:   st,
		Queue:   queue,
		Room:    maker,
		Missing: missing,
		Longest: cfg.Render.Timeout,
		Farm:    centre,
		Began:   st.Now(),
		Writer: watch.NewProbe(
			5*time.Second,
			func() error { return st.Tx(context.Background(), func(*store.Tx) error { return nil }) },
		),
	}
	room := worker.NewRoom(cfg.Limits.MediaGB << 30)
	told := watch.Options{Page: cfg.Web.BaseURL, Role: command.Role(cfg), Free: maker.Free, Room: room.Low,
		Undeleted: files.Undeleted, Gather: time.Minute,
		Admins: func(ctx context.Context) ([]int64, error) { return st.Admins(ctx, cfg.Staff()) }}
	seen.Faults = watch.Waits(st, cfg.Render.Engine != video.EngineHTTP)
	if bot != nil {
		seen.Contact, seen.Pauses, seen.Faults = bot.Contact, bot.Pauses, watch.Together(bot.Faults, seen.Faults)
		told.Faults, told.Tell = seen.Faults, bot.Alert
	}
	seen.Board = watch.NewProgramBoard(st, queue, told, log)
	stuck := watch.NewCache(seen.Stuck)
	purger := worker.NewPurger(st, store.Keep(cfg.Privacy), log)
	alarm := command.NewAlarm(cfg, st, queue, told, seen.Board, log)
	backups, err := command.KeeperWithCopies(cfg, log, func(err error) {
		seen.Board.Report(watch.Backup, err)
		alarm.Report(watch.Backup, err)
	})
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(context.WithoutCancel(ctx)) // what admins have sent goes on while the server ends
	defer stop()
	pages := desk.Options{BaseURL: cfg.Web.BaseURL, Proxies: cfg.Proxies(),
		Role: command.Role(cfg), Offers: offers, Settings: run.Settings(st),
		Lang: cfg.Language, ReuseFor: cfg.Render.ReuseFor, CanDraw: maker.CanDraw, Rude: rude, BotOn: bot != nil,
		Ready: missing, Free: maker.Free, Room: room.Low,
		Staff: desk.Staff{Owners: cfg.Telegram.Owners, Admins: cfg.Telegram.Admins}, Limits: command.Limits(cfg),
		Covers: command.Covers(cfg, maker, shelf), Shelf: shelf,
		Uploads: uploads, Inspect: maker.Inspect, Platforms: studio, Published: studio, Consent: studio, Channels: studio,
		Stuck: stuck.Sentences,
		Metrics: meter.Handler(func() (metrics.State, error) {
			return metrics.Measure(seen, stuck, backups.State, publish.IDs())
		}),
		Token:   cfg.Web.MetricsToken,
		Backups: backups.State, Keeper: backups, Faults: seen.Faults, Undeleted: files.Undeleted,
		Purge: purger, Farm: centre}
	if bot != nil {
		pages.Bot, pages.Resume, pages.TakeOver, pages.Invite = talk, bot.Resume, talk.DeleteWebhook, bot.InvitationLink
		pages.RenewMenus = func() { bot.RenewMenu(0) }
		if cfg.Telegram.Announcements {
			pages.Announcer = bot
		}
	}
	web := NewWeb(working, st, queue, files, pages, log)
	listener := desk.MustRead(run.Listener, time.Minute)
	server := desk.NewServer(
		web.Handler(),
		desk.Timeouts{Header: 10 * time.Second, Form: 30 * time.Second, Idle: 2 * time.Minute},
		log,
	)
	server.RegisterOnShutdown(web.Close)

	if !run.Again {
		if err := command.SetUpLink(ctx, st, cfg, run.Out); err != nil {
			return err
		}
	}
	log.Info("retake is running", "version", version, "page", cfg.Web.BaseURL, "data", cfg.DataDir)

	group, ctx := routine.WithContext(ctx)
	group.Go(func() error { return queue.Run(ctx) })
	group.Go(func() error {
		purger.Run(ctx, queue.Discard, func() {
			queue.ForgetOldNames()
			room.Make(ctx, st, queue.Discard, log)
		})
		return nil
	})
	if bot != nil {
		group.Go(func() error { return bot.Run(ctx) })
		group.Go(func() error { seen.Board.Watch(ctx, queue); return nil })
	}
	group.Go(func() error { alarm.Run(ctx, queue, stuck.Reasons); return nil })
	group.Go(func() error { return desk.RunServer(ctx, server, listener, 5*time.Second) })
	group.Go(func() error {
		answers := func(ctx context.Context) error {
			return errors.Join(queue.Alive(ctx), desk.CheckHealth(ctx, listener.Addr().String()))
		}
		return service.Attend(ctx, answers, queue.Alive)
	})
	group.Go(func() error { // the first video should not wait for its template
		for _, problem := range missing(ctx) {
			log.Warn(lang.Say("en", problem, nil))
		}
		if n, err := command.LeftOnDisk(ctx, cfg, st); n > 0 || err != nil {
			log.Warn("videos are still on the disk and cannot be played: stop, and run retake media move",
				"files", n, "err", err)
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
		debug.FreeOSMemory() // the names of a million files were garbage, which an idle program would keep
		return nil
	})
	group.Go(func() error { command.DeleteAgain(ctx, st, files, time.Hour, log); return nil })
	group.Go(func() error { backups.Run(ctx); return nil })
	group.Go(func() error { centre.Run(ctx, maker.Kit); return nil })
	looks := publish.NewLooks(sites, log)
	group.Go(func() error { looks.Run(ctx); return nil })
	wake := func() { queue.Wake(); looks.Wake() }
	group.Go(func() error { folder.Woken(ctx, wake); return nil }) // another process of ours changed the database
	return group.Wait()
}

// elsewhere reports whether names leave this machine but for Telegram: to a service that makes the videos, or says the
// names.
func elsewhere(cfg config.Config) bool {
	return cfg.Render.Engine == video.EngineHTTP ||
		cfg.Render.Engine != video.EngineCommand && cfg.Voice.Engine == video.VoiceHTTP
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

// showDemo runs the program with a fresh data folder and stand-ins for Telegram, whose chats are a page in the browser,
// for YouTube and for Rumble.
func showDemo(ctx context.Context, port string, out io.Writer) error {
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
	listener, err := listenNear("127.0.0.1:" + port)
	if err != nil {
		return err
	}
	page, err := listenNear(cfg.Web.Listen)
	if err != nil {
		return err
	}
	page.Close() // serve opens it again
	town, err := demo.New(listener, demo.Program{
		SignIn: func(ctx context.Context) (string, error) {
			st, err := thisProgram().OpenBeside(cfg)
			if err != nil {
				return "", err
			}
			defer st.Close()
			return desk.NewLink(ctx, st, cfg.Web.BaseURL, 0)
		},
		Look: func(ctx context.Context) error { return thisProgram().LookNow(ctx, cfg) },
	})
	if err != nil {
		return err
	}
	defer town.Close()
	google := town.URL + "/google"
	cfg.YouTube.ClientID, cfg.YouTube.ClientSecret, cfg.YouTube.BaseURL = demo.ClientID, demo.ClientSecret, google
	cfg.YouTube.AuthURL, cfg.YouTube.TokenURL = google+"/o/oauth2/v2/auth", google+"/token"
	cfg.YouTube.WatchURL = google + "/watch?v="
	cfg.Rumble.AccessToken, cfg.Rumble.BaseURL = demo.RumbleToken, town.URL+"/rumble"
	cfg.DataDir, cfg.CacheDir = filepath.Join(dir, "data"), filepath.Join(cache, "retake")
	cfg.Telegram.Token, cfg.Telegram.APIURL = demo.BotToken, town.URL
	cfg.Web.Listen, cfg.Web.BaseURL = page.Addr().String(), "http://"+page.Addr().String()
	cfg.Render.Offer = []string{"birthday"}
	cfg.Telegram.Owners = []int64{1}    // nobody: there is nothing to set up
	cfg.Queue.Backoff = 2 * time.Second // so that nobody waits half a minute for the apology

	group, ctx := routine.WithContext(ctx)
	group.Go(func() error { return town.Serve(listener) })
	group.Go(func() error {
		<-ctx.Done()
		town.Close()
		return nil
	})
	group.Go(func() error {
		log := slog.New(
			slog.NewTextHandler(
				os.Stderr,
				&slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: telegram.Redact(demo.BotToken)},
			),
		)
		return command.Serve(ctx, command.Fixed(cfg, log, io.Discard), func(ctx context.Context, run command.Run) error {
			return serve(ctx, run, func(r renderer) renderer { return breakable{r, town.Broken.Load} })
		})
	})
	fmt.Fprint(out, town.Welcome(port))
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
	return config.LoadFile(defaults, path, environ, nil)
}

// fromDefaults returns the defaults, changed by sources and then by the environment.
func fromDefaults(environ []string, sources ...config.Source) (config.Config, error) {
	return config.FromDefaults(defaults, environ, sources...)
}
