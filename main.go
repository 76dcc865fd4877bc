// Retake: settings, log, signals, and the wiring of store, queue, bot and page.

package main

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"retake.example/internal/chat"
	"retake.example/internal/config"

	"retake.example/internal/retry"

	"retake.example/internal/store"

	"golang.org/x/sync/errgroup"

	"retake.example/internal/backup"
	"retake.example/internal/check"
	"retake.example/internal/cli"
	"retake.example/internal/db"
	"retake.example/internal/desk"
	"retake.example/internal/fake/demo"
	"retake.example/internal/folder"
	"retake.example/internal/lang"
	"retake.example/internal/logs"
	"retake.example/internal/media"
	"retake.example/internal/metrics"
	"retake.example/internal/outage"
	"retake.example/internal/rumble"
	"retake.example/internal/seal"
	"retake.example/internal/service"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
	"retake.example/internal/watch"
	"retake.example/internal/youtube"
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

// typed is a command line, and where its answer goes.
type typed struct {
	cli.Line
	out io.Writer
}

// settings loads what the command works with.
func (c typed) settings() (config.Config, error) { return LoadConfig(c.Config, os.Environ()) }

// newLog is the log of a program with these settings.
func newLog(cfg config.Config) *slog.Logger {
	return logs.New(os.Stderr, logs.Options{Format: cfg.Log.Format, Level: cfg.Log.Level, Replace: telegram.Redact(cfg.Telegram.Token),
		Journal: logs.IsJournal(os.Stderr, os.Getenv("JOURNAL_STREAM"))})
}

// with makes a command of a function that needs the settings.
func with(do func(context.Context, config.Config, typed) error) func(context.Context, typed) error {
	return func(ctx context.Context, c typed) error {
		cfg, err := c.settings()
		if err != nil {
			return err
		}
		return do(ctx, cfg, c)
	}
}

// commands are what cli.Commands names.
var commands = map[string]func(context.Context, typed) error{
	"admin add":        with(adminAdd),
	"admin link":       with(adminLink),
	"admin list":       with(adminList),
	"admin remove":     with(adminRemove),
	"backup":           with(makeBackup),
	"check":            checkAll,
	"completion":       func(_ context.Context, c typed) error { return c.print(cli.Completion(c.Words[0])) },
	"demo":             showDemo,
	"export":           with(exportUser),
	"healthcheck":      with(healthcheck),
	"help":             func(_ context.Context, c typed) error { return c.print(cli.Help(c.Words)) },
	"init":             func(_ context.Context, c typed) error { return c.print(cli.Init(c.word(0), defaults, os.Args[0])) },
	"media move":       with(moveMedia),
	"restore":          with(restore),
	"retry":            with(retryCommand),
	"serve":            with(serveAll),
	"template check":   with(checkTemplate),
	"template preview": with(previewTemplate),
	"version":          printVersion,
}

// word returns one of the words after the command, or "".
func (c typed) word(i int) string {
	if i < len(c.Words) {
		return c.Words[i]
	}
	return ""
}

// print prints a text that there is unless there is an error.
func (c typed) print(text string, err error) error {
	if err == nil {
		_, err = io.WriteString(c.out, text)
	}
	return err
}

func printVersion(_ context.Context, c typed) error {
	built, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("nothing is known of this build")
	}
	return c.print(cli.Version(version, built), nil)
}

func healthcheck(ctx context.Context, cfg config.Config, _ typed) error {
	if err := desk.CheckHealth(ctx, cfg.Web.Listen); err != nil {
		return fmt.Errorf("no healthy serve at %s (web.listen): %w", cfg.Web.Listen, err)
	}
	return nil
}

// run carries out one command line.
func run(ctx context.Context, args []string, out io.Writer) error {
	line, err := cli.Parse(args)
	if err != nil {
		return err
	}
	return commands[line.Command](ctx, typed{line, out})
}

// ---- serve

// serveAll runs the bot, the queue and the page.
func serveAll(ctx context.Context, cfg config.Config, c typed) error {
	return serve(ctx, cfg, newLog(cfg), c.out, func(r renderer) renderer { return r })
}

// serve runs the program on its data folder until ctx ends. wrap stands between the queue and the renderer.
func serve(ctx context.Context, cfg config.Config, log *slog.Logger, out io.Writer, wrap func(renderer) renderer) error {
	unlock, err := folder.Lock(cfg.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	path, backups := cfg.Database(), keeper(cfg, log)
	st, err := OpenStoreWith(path, store.Options{Before: func(version int) error { return backups.Upgrade(ctx, version) }})
	if err != nil {
		return err
	}
	defer st.Close()
	opened, err := openMedia(cfg, cfg.Media.Store)
	if err != nil {
		return err
	}
	files := media.NewSweeper(opened)
	defer files.Close()
	ours, err := tidy(ctx, st, files, cfg.DataDir)
	if err != nil && !isAway(err) && !errors.Is(err, media.ErrNotYours) {
		return err
	}
	notSwept := func(err error) { log.Warn("files that nobody needs stay where they are", "err", err) } // they cost room, no more
	if err != nil {
		notSwept(err)
	}
	work := filepath.Join(cfg.DataDir, "work")
	maker, err := newMaker(cfg, work)
	if err != nil {
		return asSetting(err)
	}
	uploads, err := desk.NewUploads(filepath.Join(work, "uploads"), cfg.Media.MaxUploadMB<<20, 30*time.Second, workshop{maker}.room)
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
			MaxUpload: int64(cfg.Telegram.MaxUploadMB) << 20, Keep: store.Keep(cfg.Privacy), Elsewhere: elsewhere(cfg), BaseURL: cfg.Web.BaseURL, Role: role(cfg),
			Admins: cfg.Staff(), Rude: rude, CanDraw: maker.CanDraw, Second: cfg.Second, Meter: meter,
		}, log)
		if err != nil {
			return err
		}
		msgs = sender
	}
	studio, err := newStudio(st, files, cfg)
	if err != nil {
		return fmt.Errorf("the key of the channels' tokens: %w", err)
	}
	queue := NewQueue(st, wrap(workshop{maker}), msgs, files, Options{Workers: cfg.Workers(), Attempts: cfg.Queue.Attempts,
		Backoff: Exponential(cfg.Queue.Backoff, cfg.Queue.BackoffMax), Drain: 5 * time.Second,
		Outages: outage.New(cfg.Queue.OutageAfter, cfg.Queue.OutageMax, probeEvery), Sites: studio.sites(), Voices: maker, Meter: meter}, log)
	studio.queue = queue
	var bot *Bot
	var resume func(context.Context, []store.Update)
	if sender != nil {
		bot = NewBot(sender, queue)
		resume = bot.Resume
	}
	seen.queue, seen.bot = queue, bot
	seen.board = newBoard(st, queue, bot, boardOptions{cfg.Web.BaseURL, role(cfg),
		func(ctx context.Context) ([]int64, error) { return st.Admins(ctx, cfg.Staff()) }, maker.Free, time.Minute}, log)
	backups.Told = func(err error) { seen.board.Report(watch.Backup, err) }
	seen.pulse = watch.NewPulse(5*time.Second, func() error { return st.Tx(context.Background(), func(*store.Tx) error { return nil }) })
	web := NewWeb(st, queue, files, WebOptions{BaseURL: cfg.Web.BaseURL, Role: role(cfg), Offers: offers,
		Lang: cfg.Language, ReuseFor: cfg.Render.ReuseFor, CanDraw: maker.CanDraw, BotOn: bot != nil,
		Ready: seen.missing, Free: maker.Free,
		Staff: desk.Staff{Owners: cfg.Telegram.Owners, Admins: cfg.Telegram.Admins}, Limits: limits(cfg), Covers: covers(cfg, maker),
		Uploads: uploads, Inspect: workshop{maker}.inspect, Studio: studio,
		Stuck: watch.NewMemo(seen.stuck).Reasons, Metrics: meter.Handler(), Token: cfg.Web.MetricsToken,
		Resume: resume, Backups: func() desk.Backup { return desk.Backup(backups.State()) }}, log)
	listener, err := net.Listen("tcp", cfg.Web.Listen)
	if err != nil {
		return fmt.Errorf("web.listen: %w", err)
	}
	server := desk.NewServer(web.Handler(), desk.Patience{Header: 10 * time.Second, Form: 30 * time.Second, Idle: 2 * time.Minute}, log)
	server.RegisterOnShutdown(web.Close)

	if err := setUpLink(ctx, st, cfg, out); err != nil {
		return err
	}
	log.Info("retake is running", "version", version, "page", cfg.Web.BaseURL, "data", cfg.DataDir)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return queue.Run(ctx) })
	group.Go(func() error { queue.Purge(ctx, store.Keep(cfg.Privacy)); return nil })
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
		if n, err := leftOnDisk(ctx, cfg, st); n > 0 || err != nil {
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
		if err := unlessStopped(ctx, sweep(ctx, st, files)); err != nil {
			notSwept(err)
		}
		return nil
	})
	group.Go(func() error { backups.Run(ctx); return nil })
	group.Go(func() error { folder.Woken(ctx, queue.Wake); return nil }) // another process of ours changed the database
	return group.Wait()
}

// elsewhere reports whether names leave this machine but for Telegram: to a service that makes the videos, or says the names.
func elsewhere(cfg config.Config) bool {
	return cfg.Render.Engine == video.EngineHTTP || cfg.Render.Engine == video.EngineTemplate && cfg.Voice.Engine == video.VoiceHTTP
}

// workshop is the queue's renderer.
type workshop struct{ *video.Maker }

func (w workshop) Render(ctx context.Context, o Order, progress func(int)) (Rendered, error) {
	v, err := w.Make(ctx, video.Order(o), progress)
	return rendered(v), err
}

func rendered(v video.Video) Rendered {
	return Rendered{Path: v.Path, Thumb: v.Thumb, Size: v.Size, Duration: v.Duration, Width: v.Width, Height: v.Height, Discard: v.Discard}
}

// inspect looks at an upload, and room for one; their errors are those that the page knows.
func (w workshop) inspect(ctx context.Context, path string) (Rendered, error) {
	v, err := w.Inspect(ctx, path)
	return rendered(v), forPage(err)
}

func (w workshop) room(need int64) error { return forPage(w.Room(need)) }

func forPage(err error) error {
	switch {
	case errors.Is(err, video.ErrUnplayable):
		return fmt.Errorf("%w: %w", desk.ErrUnplayable, err)
	case errors.Is(err, video.ErrDiskFull):
		return fmt.Errorf("%w: %w", desk.ErrDiskFull, err)
	}
	return err
}

func newMaker(cfg config.Config, work string) (*video.Maker, error) {
	return video.New(makerConfig(cfg, work))
}

func makerConfig(cfg config.Config, work string) video.Config {
	voice := video.VoiceConfig(cfg.Voice)
	if voice.Engine == "none" {
		voice.Engine = ""
	}
	return video.Config{Engine: cfg.Render.Engine, Offered: cfg.Offered(), Templates: cfg.Render.Templates,
		Languages: lang.Languages, Command: cfg.Render.Command, URL: cfg.Render.URL, AllowPrivate: cfg.Render.AllowPrivate,
		MaxBytes: cfg.Telegram.MaxUploadMB << 20, FFmpeg: cfg.Render.FFmpeg, Timeout: cfg.Render.Timeout,
		Work: work, Cache: cfg.CacheDir, Workers: cfg.Workers(), Patience: cfg.Queue.OutageMax, Voice: voice}
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
		return maker.Cover(ctx, video.Order{Asset: "cover", Name: sampleName(cfg.Language), Lang: cfg.Language, Template: id}, path)
	})
}

// sampleName is the name of nobody in particular.
func sampleName(language string) string {
	if language == "ru" {
		return "Маша"
	}
	return "Emma"
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

// ---- files

// openMedia opens a store of finished files, "disk" or "s3".
func openMedia(cfg config.Config, st string) (media.Store, error) {
	if st == "s3" {
		files, err := media.NewS3(media.S3Config(cfg.Media.S3), cfg.Queue.OutageMax)
		if err != nil {
			return nil, fmt.Errorf("media.s3: %w", err)
		}
		return files, nil
	}
	files, err := media.OpenDisk(filepath.Join(cfg.DataDir, "media"))
	if err != nil {
		return nil, fmt.Errorf("the media folder: %w", err)
	}
	return files, nil
}

// leftOnDisk counts the files that videos need and that were not moved to the bucket.
func leftOnDisk(ctx context.Context, cfg config.Config, st *store.Store) (n int, err error) {
	dir := filepath.Join(cfg.DataDir, "media")
	if _, err := os.Stat(dir); cfg.Media.Store == "disk" || err != nil {
		return 0, nil
	}
	used, err := st.MediaKeys(ctx)
	if err != nil {
		return 0, unlessStopped(ctx, err)
	}
	for _, key := range used {
		if _, err := os.Stat(filepath.Join(dir, key)); err == nil {
			n++
		}
	}
	return n, nil
}

// isAway reports whether an error is one of a bucket, which may be gone by itself.
func isAway(err error) bool {
	_, ok := errors.AsType[*media.Trouble](err)
	return ok
}

// tidy prepares a store of files for the sweep. ours: it may be swept. A bucket is swept only for the data folder that used
// it first.
func tidy(ctx context.Context, st *store.Store, files media.Store, dataDir string) (ours bool, err error) {
	if some, err := st.HasMedia(ctx); err != nil || !some { // an empty database is rather a lost one than a reason to delete videos
		return false, err
	}
	if kept, err := backup.Kept(filepath.Join(dataDir, "retake.db")); err != nil || len(kept) > 0 { // it may be wanted again, with its videos
		return false, err
	}
	owner, err := folder.ID(dataDir)
	if err == nil {
		err = cmp.Or(files.Ready(ctx), files.Tidy(ctx, owner))
	}
	return err == nil, err
}

// sweep deletes the files that no asset refers to: their asset was deleted, or the program died before it was written.
func sweep(ctx context.Context, st *store.Store, files *media.Sweeper) error {
	return files.Sweep(ctx, func(ctx context.Context, keys []string) ([]string, error) {
		return st.Unneeded(ctx, slices.DeleteFunc(keys, func(key string) bool { return !ourFile.MatchString(key) }))
	})
}

// ourFile is a media key that the queue or the page made.
var ourFile = regexp.MustCompile(`^[A-Z2-7]{26}\.(mp4|mov|webm|mkv|jpg)$`)

// setUpLink prints a sign-in link as long as nobody has used one.
func setUpLink(ctx context.Context, st *store.Store, cfg config.Config, out io.Writer) error {
	if had, err := st.HadSession(ctx); err != nil || had {
		return err
	}
	var admin int64 // the operator
	if len(cfg.Telegram.Owners) > 0 {
		admin = cfg.Telegram.Owners[0]
	}
	link, err := NewLink(ctx, st, cfg.Web.BaseURL, admin)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nSign in to the page (works once, for 15 minutes):\n  %s\n\n", link)
	return err
}

// ---- publishing

// studio is what the queue and the page publish with.
type studio struct {
	store   *store.Store
	queue   *Queue
	files   media.Store
	box     *seal.Box
	youtube *youtube.Client // nil: the program is not known to Google
	rumble  *rumble.Client
	cfg     config.Config
}

func newStudio(st *store.Store, files media.Store, cfg config.Config) (*studio, error) {
	s := &studio{store: st, files: files, cfg: cfg,
		rumble: rumble.New(rumble.Config{AccessToken: cfg.Rumble.AccessToken, BaseURL: cfg.Rumble.BaseURL, ChannelID: cfg.Rumble.ChannelID})}
	if cfg.YouTube.ClientID != "" {
		s.youtube = newYouTube(cfg, func() time.Time { return st.Now() })
	}
	if cfg.YouTube.TokenKey != "" {
		s.box = seal.New(cfg.YouTube.TokenKey)
		return s, nil
	}
	var err error
	s.box, err = seal.FromFile(cfg.TokenKey())
	return s, err
}

func newYouTube(cfg config.Config, now func() time.Time) *youtube.Client {
	return youtube.New(youtube.Config{ClientID: cfg.YouTube.ClientID, ClientSecret: cfg.YouTube.ClientSecret, BaseURL: cfg.YouTube.BaseURL,
		AuthURL: cfg.YouTube.AuthURL, TokenURL: cfg.YouTube.TokenURL, WatchURL: cfg.YouTube.WatchURL,
		RedirectURL: cfg.Web.BaseURL + "/channels/callback", Now: now})
}

// sites are the platforms that videos are published on by the program itself.
func (s *studio) sites() map[string]platform {
	sites := map[string]platform{}
	if s.youtube != nil {
		sites["YOUTUBE"] = onYouTube{s}
	}
	if s.rumble.Token() {
		sites["RUMBLE"] = onRumble{s}
	}
	return sites
}

// noAccess is what happens where a channel has no token that can be read.
type noAccess struct{ error }

func (noAccess) AccessEnded() bool { return true }
func (noAccess) WholeApp() bool    { return false }

// owner is whose token it is, for the seal.
func owner(external string) string { return "YOUTUBE " + external }

// account returns access to a channel.
func (s *studio) account(ctx context.Context, channel int64) (*youtube.Account, error) {
	if s.youtube == nil {
		return nil, retry.Permanent(errors.New("youtube notSetUp: youtube.client_id is empty"))
	}
	c, err := s.store.Channel(ctx, channel)
	if err != nil {
		return nil, fmt.Errorf("channel %d: %w", channel, err)
	}
	sealed, err := s.store.Token(ctx, channel)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, noAccess{errors.New("youtube disconnected: the channel was disconnected here")}
	case err != nil:
		return nil, fmt.Errorf("token of channel %d: %w", channel, err)
	}
	var token youtube.Token
	text, err := s.box.Unseal(sealed, owner(c.External))
	if err == nil {
		err = json.Unmarshal(text, &token)
	}
	if err != nil {
		return nil, noAccess{errors.New("youtube tokenKey: the token was sealed with another key than this one")}
	}
	return s.youtube.With(token, func(ctx context.Context, t youtube.Token) error {
		sealed, err := s.seal(t, c.External)
		if err != nil {
			return err
		}
		return s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.KeepToken(channel, c.Connected, sealed) })
	}), nil
}

func (s *studio) seal(t youtube.Token, external string) ([]byte, error) {
	text, err := json.Marshal(t)
	return s.box.Seal(text, owner(external)), err
}

// open opens the files of a video; its picture may be missing.
func (s *studio) open(ctx context.Context, v store.Video) (file, thumb io.ReadSeekCloser, err error) {
	if file, err = s.files.Open(ctx, v.File); err != nil {
		return nil, nil, fmt.Errorf("open the video: %w", err)
	}
	if v.Thumb != "" {
		if thumb, err = s.files.Open(ctx, v.Thumb); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("open its picture: %w", err), file.Close())
		}
	}
	return file, thumb, nil
}

// onYouTube publishes on YouTube.
type onYouTube struct{ *studio }

func (s onYouTube) Publish(ctx context.Context, t store.Task, keep func(store.Upload) error) (again time.Duration, err error) {
	account, err := s.account(ctx, t.Publication.Channel)
	if err != nil {
		return 0, err
	}
	file, thumb, err := s.open(ctx, t.Asset.Video)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	v := youtube.Video{File: file, Size: t.Asset.Video.Size, Type: desk.TypeOf(t.Asset.Video.File)}
	if thumb != nil {
		defer thumb.Close()
		v.Thumb, v.ThumbType = thumb, "image/jpeg"
	}
	u := t.Publication.Upload
	at := youtube.State{Session: u.Session, Since: u.Since, Sent: u.Sent, ID: u.ID, Step: u.Step, Uploaded: u.Uploaded, Dressed: u.Dressed, Warning: u.Warning}
	return account.Publish(ctx, v, s.described(t.Publication.Metadata, t.Publication.PublishAt), at, func(at youtube.State) error {
		u := store.Upload{Session: at.Session, Since: at.Since, Sent: at.Sent, ID: at.ID, Step: at.Step, Uploaded: at.Uploaded, Dressed: at.Dressed, Warning: at.Warning}
		if u.ID != "" {
			u.URL = s.youtube.Watch(u.ID)
		}
		return keep(u)
	})
}

// Withdraw ends an upload, and deletes the video if there is one already.
func (s onYouTube) Withdraw(ctx context.Context, w store.Withdrawal) error {
	began := s.store.Now()
	account, err := s.account(ctx, w.Channel)
	id := w.Upload.ID
	if err == nil && id == "" {
		id, err = account.Abandon(ctx, youtube.State{Session: w.Upload.Session, Since: w.Upload.Since}, w.Size)
	}
	if err == nil && id != "" {
		err = account.Delete(ctx, id)
	}
	if err != nil {
		return s.noticed(ctx, w.Channel, began, err)
	}
	return nil
}

// described is metadata as YouTube takes it. A time that has passed in the queue means at once. Only what everybody may see
// has a time: YouTube would show the video to all at it, whatever was chosen since.
func (s *studio) described(m store.Metadata, at time.Time) youtube.Metadata {
	if m.Privacy != "public" || !at.After(s.store.Now()) {
		at = time.Time{}
	}
	return youtube.Metadata{Title: m.Title, Description: m.Description, Tags: desk.Tags(m.Tags), Language: m.Language, Privacy: m.Privacy,
		Category: cmp.Or(m.Category, "22"), Playlist: m.Playlist, Kids: m.Kids == "yes", Synthetic: m.Synthetic == "yes", Notify: m.Notify == "yes", PublishAt: at}
}

// notPublic is what Rumble has no way to keep.
type notPublic struct{ error }

func (notPublic) Permanent() bool      { return true }
func (notPublic) Pause() time.Duration { return 0 }
func (notPublic) Step() string         { return "edit" }

// onRumble publishes on Rumble.
type onRumble struct{ *studio }

func (s onRumble) Publish(ctx context.Context, t store.Task, keep func(store.Upload) error) (again time.Duration, err error) {
	file, thumb, err := s.open(ctx, t.Asset.Video)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	v := rumble.Video{File: file, Size: t.Asset.Video.Size, Type: desk.TypeOf(t.Asset.Video.File), Name: t.Asset.Video.File}
	if thumb != nil {
		defer thumb.Close()
		v.Thumb, v.ThumbType = thumb, "image/jpeg"
	}
	u, m := t.Publication.Upload, t.Publication.Metadata
	if u.ID != "" { // it was there when the program ended
		return 0, nil
	}
	if u.Step == "" && m.Privacy != "public" { // saved for the video since
		return 0, notPublic{errors.New("rumble refused-privacy: what is uploaded there is shown to everybody")}
	}
	made, err := s.rumble.Publish(ctx, v, rumble.Metadata{Title: m.Title, Description: m.Description, Guid: t.AssetID},
		rumble.State{Step: u.Step, Sent: u.Sent}, func(at rumble.State) error { return keep(store.Upload{Step: at.Step, Sent: at.Sent}) })
	if err != nil {
		return 0, err
	}
	return 0, keep(store.Upload{Step: "processing", Sent: v.Size, ID: made.ID, URL: made.URL})
}

// About says what there is to publish with.
func (s *studio) About(ctx context.Context) (desk.Studio, error) {
	reset := youtube.Midnight(s.store.Now())
	begun, err := s.store.UploadsSince(ctx, reset.AddDate(0, 0, -1))
	return desk.Studio{YouTube: s.youtube != nil, Callback: s.cfg.Web.BaseURL + "/channels/callback", Consent: s.cfg.YouTube.AuthURL,
		PerDay: s.cfg.YouTube.UploadsPerDay, Left: max(0, s.cfg.YouTube.UploadsPerDay-begun), Reset: reset,
		Rumble: s.rumble.Token(), RumblePage: s.rumble.UploadPage()}, err
}

func (s *studio) HandPage() string { return s.rumble.UploadPage() }

// Ask returns the address at which Google asks the admin of a session for access. channel: the one that is reconnected; 0: any.
func (s *studio) Ask(ctx context.Context, session [32]byte, channel int64) (string, error) {
	if s.youtube == nil {
		return "", desk.NoClient
	}
	if channel == 0 {
		return s.youtube.Ask(session, ""), nil
	}
	c, err := s.store.Channel(ctx, channel)
	return s.youtube.Ask(session, c.External), err
}

// Answer connects the channel that Google has given access to. What failed because that had ended goes on.
func (s *studio) Answer(ctx context.Context, session [32]byte, query url.Values, admin store.Admin) (store.Channel, error) {
	if s.youtube == nil {
		return store.Channel{}, desk.NoClient
	}
	grant, err := s.youtube.Answer(ctx, session, query)
	if other, ok := errors.AsType[*youtube.OtherChannel](err); ok {
		return store.Channel{}, desk.OtherChannel(s.titleOf(ctx, other.Want), other.Got.Title)
	}
	for is, refusal := range map[error]desk.Refusal{youtube.ErrState: desk.OldState, youtube.ErrDenied: desk.Denied, youtube.ErrScopes: desk.NotAll,
		youtube.ErrNoRefresh: desk.NoRefresh, youtube.ErrNoChannel: desk.NoChannel} {
		if errors.Is(err, is) {
			return store.Channel{}, refusal
		}
	}
	if err != nil {
		return store.Channel{}, err
	}
	c := store.Channel{Platform: "YOUTUBE", External: grant.Channel.ID, Title: grant.Channel.Title, Creator: admin.ID}
	sealed, err := s.seal(grant.Token, c.External)
	if err != nil {
		return c, err
	}
	if err := s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		if c.ID, err = tx.Connect(c, sealed); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "connect", Platform: c.Platform})
	}); err != nil {
		return c, err
	}
	return c, s.queue.Reconnected(context.WithoutCancel(ctx), admin)
}

// titleOf is what a channel is called.
func (s *studio) titleOf(ctx context.Context, external string) string {
	all, _ := s.store.Channels(ctx) // without a title the id has to do
	for _, c := range all {
		if c.External == external {
			return c.Title
		}
	}
	return external
}

// Check asks whether a channel still works. If its access had ended and is back, what failed for that goes on.
func (s *studio) Check(ctx context.Context, channel int64, admin store.Admin) error {
	if _, err := s.store.Token(ctx, channel); errors.Is(err, store.ErrNotFound) {
		if _, err := s.store.Channel(ctx, channel); err != nil {
			return err
		}
		return desk.NotThere
	}
	began := s.store.Now()
	account, err := s.account(ctx, channel)
	var c youtube.Channel
	if err == nil {
		c, err = account.Mine(ctx)
	}
	if err != nil {
		return s.noticed(ctx, channel, began, err)
	}
	if err := s.store.Tx(ctx, func(tx *store.Tx) error { return tx.Checked(channel, c.Title) }); err != nil {
		return err
	}
	return s.queue.Reconnected(ctx, admin)
}

// noticed records what an error of YouTube says about a channel, and returns it.
func (s *studio) noticed(ctx context.Context, channel int64, began time.Time, err error) error {
	if of, ok := errors.AsType[retry.ChannelTrouble](err); ok && of.AccessEnded() {
		lost := s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.LoseAccess(channel, began, err.Error()) })
		return errors.Join(err, lost)
	}
	return err
}

// Disconnect gives the access to a channel back and forgets its token. desk.NotRevoked: Google could not be told, but the
// token is gone here.
func (s *studio) Disconnect(ctx context.Context, channel int64, admin store.Admin) error {
	account, err := s.account(ctx, channel)
	if err == nil {
		err = account.Revoke(ctx)
	}
	if err != nil && errors.Is(err, store.ErrNotFound) {
		return err
	}
	forgot := s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err := tx.Disconnect(channel, "youtube disconnected: the channel was disconnected here"); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "disconnect", Platform: "YOUTUBE"})
	})
	of, isOf := errors.AsType[retry.ChannelTrouble](err)
	switch {
	case forgot != nil:
		return forgot
	case err == nil, isOf && of.AccessEnded(): // there was nothing to give back
		return nil
	}
	return fmt.Errorf("%w: %w", desk.NotRevoked, err)
}

// published returns a video and its publication on a platform, if this admin may change it.
func (s *studio) published(ctx context.Context, assetID, platform string, admin store.Admin) (a store.Asset, p store.Publication, err error) {
	err = s.store.Tx(ctx, func(tx *store.Tx) (err error) {
		if a, err = tx.Asset(assetID); err != nil {
			return err
		}
		if p, err = tx.Publication(assetID, platform); err == nil && !admin.MayChange(&p.Creator) {
			err = store.ErrForbidden
		}
		return err
	})
	return a, p, err
}

// Update changes a video on its platform to what is saved for it. desk.NoChange: it is not there, or nothing can be changed there.
func (s *studio) Update(ctx context.Context, assetID, platform string, admin store.Admin) error {
	a, p, err := s.published(ctx, assetID, platform, admin)
	switch {
	case err != nil:
		return err
	case platform != "YOUTUBE", p.Upload.ID == "", p.Status != store.Completed:
		return desk.NoChange
	case a.Metadata.Kids == "": // the law wants a choice, and none would be sent as no
		return desk.Invalid("fault_kids_open", nil)
	}
	began := s.store.Now()
	account, err := s.account(ctx, p.Channel)
	if err == nil {
		err = account.Update(ctx, p.Upload.ID, s.described(a.Metadata, p.PublishAt))
	}
	if err != nil {
		return s.noticed(ctx, p.Channel, began, err)
	}
	return s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err := tx.Changed(p.ID, assetID, a.Metadata); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "update", AssetID: assetID, Platform: platform})
	})
}

// Remove deletes a video on its platform, where that can be done from here, and forgets the publication.
func (s *studio) Remove(ctx context.Context, assetID, platform string, admin store.Admin) error {
	_, p, err := s.published(ctx, assetID, platform, admin)
	if err != nil {
		return err
	}
	c, err := s.store.Channel(ctx, p.Channel)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	// What was disconnected is out of reach: there only the list can be changed.
	if p.Upload.ID != "" && c.State != "" && c.State != "DISCONNECTED" {
		began := s.store.Now()
		account, err := s.account(ctx, p.Channel)
		if err == nil {
			err = account.Delete(ctx, p.Upload.ID)
		}
		if err != nil {
			return s.noticed(ctx, p.Channel, began, err)
		}
	}
	var gone store.Gone
	err = s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		if err := tx.Unpublish(assetID, platform); err != nil {
			return err
		}
		if gone, err = tx.LetGo(assetID); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "unpublish", AssetID: assetID, Platform: platform})
	})
	if err == nil {
		s.queue.Discard(context.WithoutCancel(ctx), gone)
	}
	return err
}

// MarkPublished records that somebody has put a video on a platform, or found it there, at an address.
func (s *studio) MarkPublished(ctx context.Context, assetID, platform, address string, admin store.Admin) error {
	if _, _, err := s.published(ctx, assetID, platform, admin); err != nil {
		return err
	}
	id, err := "", error(nil)
	if platform == "YOUTUBE" {
		id, err = youtube.VideoID(address, s.cfg.YouTube.WatchURL)
		address = s.cfg.YouTube.WatchURL + id
	} else {
		address, err = s.rumble.CheckURL(address)
	}
	wrong, _ := errors.AsType[*rumble.AddressError](err)
	switch {
	case errors.Is(err, youtube.ErrNoAddress), wrong != nil && wrong.Why == rumble.NoAddress:
		return desk.BadURL
	case errors.Is(err, youtube.ErrOtherSite), wrong != nil && wrong.Why == rumble.OtherSite:
		return desk.OtherURL
	case err != nil:
		return desk.NoVideoURL
	}
	return s.store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.MarkPublished(assetID, platform, address, id); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "mark published", AssetID: assetID, Platform: platform})
	})
}

// ---- watching

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

// ---- the other commands

// checkAll says of everything on this machine whether it is well.
func checkAll(ctx context.Context, c typed) error {
	cfg, err := c.settings()
	if faults, ok := errors.AsType[config.Faults](err); ok {
		return config.Faults{check.Refused(c.out, faults).Error()}
	} else if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "retake-check-") // not the data folder's: a running serve renders there
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	cfg.CacheDir = filepath.Join(work, "cache")
	parts, err := partsOf(cfg, work)
	if err != nil {
		return err
	}
	return check.Run(ctx, c.out, 20*time.Second, slices.Collect(maps.Values(cfg.Secrets())), parts.Probes()...)
}

// partsOf are what retake check looks at.
func partsOf(cfg config.Config, work string) (check.Parts, error) {
	db, name := cfg.Database(), sampleName(cfg.Language)
	parts := check.Parts{File: cfg.File, Listen: cfg.Web.Listen, BaseURL: cfg.Web.BaseURL, DataDir: cfg.DataDir, Process: folder.Running(cfg.DataDir),
		Backups: cfg.BackupDir(), NoBackups: cfg.Backup.Every == 0, BackupRoom: source(cfg).Room, Least: video.Reserve, Low: desk.LowDisk,
		Database: func(ctx context.Context) ([]string, bool, error) { return LookAt(ctx, db) }}
	for key, value := range cfg.Secrets() {
		parts.Secret = parts.Secret || value != "" && cfg.File != "" && strings.HasPrefix(cfg.From[key], cfg.File+":")
	}
	parts.Owners = func(ctx context.Context) (n int, strangers []int64) {
		people := cfg.Staff()
		appointed, _ := store.AppointedIn(ctx, db) // a database that cannot be read has a line of its own, and so has a bot without an answer
		for _, a := range appointed {
			if people = append(people, a.ID); a.Owner {
				n++
			}
		}
		if cfg.Telegram.Token != "" {
			strangers, _ = telegram.Strangers(ctx, telegram.NewClient(), cfg.Telegram.APIURL, cfg.Telegram.Token, people)
		}
		return len(cfg.Telegram.Owners) + n, strangers
	}
	parts.Bot = func(ctx context.Context) (name, webhook string, err error) {
		if cfg.Telegram.Token == "" {
			return "", "", nil
		}
		self, err := telegram.Look(ctx, telegram.NewClient(), cfg.Telegram.APIURL, cfg.Telegram.Token)
		return self.Name, self.Webhook, err
	}
	if cfg.Media.Store == "s3" {
		parts.Media = func(ctx context.Context) error {
			bucket, err := media.NewS3(media.S3Config(cfg.Media.S3), 0)
			if err != nil {
				return err
			}
			return bucket.Try(ctx)
		}
	}
	if cfg.YouTube.ClientID != "" {
		parts.YouTube = func(ctx context.Context) (unknown bool, err error) {
			err = newYouTube(cfg, time.Now).Look(ctx)
			return errors.Is(err, youtube.ErrUnknown), err
		}
	}
	made := makerConfig(cfg, work)
	made.Offered, made.Templates = []string{"new-year"}, "" // the offered ones are tried by themselves
	maker, err := video.New(made)
	if err != nil {
		return parts, err
	}
	parts.FFmpeg, parts.Font = maker.Tools, maker.Font
	if cfg.Render.Engine != video.EngineTemplate {
		parts.Engine = maker.Engine
	}
	parts.VoiceEngine, parts.VoiceAsked = cfg.Voice.Engine, len(cfg.Voice.Command) > 0
	parts.Voice = func(ctx context.Context) error {
		if err := maker.Voice(); err != nil {
			return err
		}
		return maker.Speak(ctx, name, cfg.Language)
	}
	parts.Templates = cfg.Offered()
	parts.Template = func(ctx context.Context, id string) ([]string, error) {
		return video.TryTemplate(ctx, makerConfig(cfg, ""), id, name, cfg.Language)
	}
	return parts, nil
}

// openRunning opens the store beside a running serve, or without one.
func openRunning(cfg config.Config) (*store.Store, error) {
	path := cfg.Database()
	switch version, err := db.Version(path); {
	case err != nil:
		return nil, err
	case version == 0:
		return nil, fmt.Errorf("there is no database in %s yet, start retake serve first: %w", cfg.DataDir, os.ErrNotExist)
	case version < schemaVersion():
		return nil, fmt.Errorf("the database in %s is of an older version, start retake serve first: it makes a backup and brings it up to date", cfg.DataDir)
	}
	return OpenStore(path)
}

// userID reads the Telegram id of a person.
func (c typed) userID() (int64, error) {
	id, err := strconv.ParseInt(c.Words[0], 10, 64)
	if err != nil || id <= 0 {
		return 0, c.Wrong("%q is no Telegram user id: a number is expected", c.Words[0])
	}
	return id, nil
}

// retryCommand does what the button on the page does, for one video or for all. A running serve goes on with it.
func retryCommand(ctx context.Context, cfg config.Config, c typed) error {
	all := cli.Value[bool](c.Line, "all-failed")
	if all == (len(c.Words) == 1) {
		return c.Wrong("one ASSET is expected, or -all-failed")
	}
	st, err := openRunning(cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	queue := NewQueue(st, nil, nil, nil, Options{}, newLog(cfg))
	if all {
		err = retryAllFailed(ctx, st, queue, c.out)
	} else {
		var outcome retry.Outcome
		outcome, err = queue.Retry(ctx, c.Words[0], retry.AdminClicked{Admin: store.Admin{Owner: true}})
		err = c.print(string(outcome)+"\n", err)
	}
	return errors.Join(err, folder.Wake(cfg.DataDir))
}

// retryAllFailed presses Retry all, and names what it could do nothing for.
func retryAllFailed(ctx context.Context, st *store.Store, queue *Queue, out io.Writer) error {
	operator, began := store.Admin{Owner: true}, st.Now()
	need, err := st.NeedYou(ctx, operator, store.Filter{})
	if err != nil {
		return err
	}
	videos, err := retry.All(ctx, st, queue, operator, store.Filter{}, need.Newest, need.Count)
	var publications retry.Tally
	if err == nil {
		publications, err = retry.AllPublications(ctx, st, queue, operator, store.Filter{}, began, math.MaxInt32)
	}
	fmt.Fprintf(out, "Tried again: %s, %s. Under way already: %d.\n", cli.Count(videos.Restarted, "video"),
		cli.Count(publications.Restarted, "publication"), videos.Joined+publications.Joined)
	still, lost := st.StillFailed(ctx, began)
	if err = errors.Join(err, lost); err != nil || len(still) == 0 {
		return err
	}
	var left []string
	for _, f := range still {
		left = append(left, cli.Left(f.AssetID, f.Platform, f.Step))
	}
	return fmt.Errorf("not tried again:\n  %s", strings.Join(left, "\n  "))
}

// ---- admins

func adminLink(ctx context.Context, cfg config.Config, c typed) error {
	id, err := c.userID()
	if err != nil {
		return err
	}
	st, err := openRunning(cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	switch _, ok, err := st.RoleOf(ctx, role(cfg), id); {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%d is no admin: not in telegram.owners, not in telegram.admins, and not by retake admin add", id)
	}
	link, err := NewLink(ctx, st, cfg.Web.BaseURL, id)
	return c.print(link+"\n", err)
}

// changeAdmins runs a transaction about admins and has a running serve take notice.
func changeAdmins(ctx context.Context, cfg config.Config, change func(*store.Tx) error) error {
	st, err := openRunning(cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := st.Tx(ctx, change); err != nil {
		return err
	}
	return folder.Wake(cfg.DataDir)
}

func adminAdd(ctx context.Context, cfg config.Config, c typed) error {
	id, err := c.userID()
	if err != nil {
		return err
	}
	a := store.Admin{ID: id, Owner: cli.Value[bool](c.Line, "owner")}
	rank := cli.Rank(a.Owner)
	given, stands := role(cfg)(id)
	already := given.Owner
	if !already {
		if err := changeAdmins(ctx, cfg, func(tx *store.Tx) error {
			now, _, err := tx.RoleOf(role(cfg), id)
			if already = stands && now.Owner == a.Owner; already || err != nil { // a command may have made an admin of the settings an owner
				return err
			}
			return tx.Appoint(a)
		}); err != nil {
			return err
		}
	}
	if already {
		return c.print(fmt.Sprintf("%d is an %s already, by %s.\n", id, cli.Rank(given.Owner), cfg.WhereAdmin(id)), nil)
	}
	return c.print(fmt.Sprintf("%d is an %s now, and signs in with /admin in the bot, or with the link of: retake admin link %[1]d\n", id, rank), nil)
}

func adminRemove(ctx context.Context, cfg config.Config, c typed) error {
	id, err := c.userID()
	if err != nil {
		return err
	}
	err = changeAdmins(ctx, cfg, func(tx *store.Tx) error { return tx.Dismiss(id) })
	_, given := role(cfg)(id)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	case given:
		return fmt.Errorf("%d stands in %s: take the number out there, and start serve again", id, cfg.WhereAdmin(id))
	case err != nil:
		return fmt.Errorf("%d is no admin", id)
	}
	return c.print(fmt.Sprintf("%d is no admin any more, and signed out everywhere.\n", id), nil)
}

func adminList(ctx context.Context, cfg config.Config, c typed) error {
	var lines [][3]string
	for _, id := range cfg.Staff() {
		given, _ := role(cfg)(id)
		lines = append(lines, [3]string{strconv.FormatInt(id, 10), cli.Rank(given.Owner), cfg.WhereAdmin(id)})
	}
	st, err := openRunning(cfg)
	switch {
	case errors.Is(err, os.ErrNotExist): // serve has not run yet
	case err != nil:
		return err
	default:
		defer st.Close()
		appointed, err := st.Appointed(ctx)
		if err != nil {
			return err
		}
		for _, a := range appointed {
			lines = append(lines, [3]string{strconv.FormatInt(a.ID, 10), cli.Rank(a.Owner), "retake admin add, " + a.Added.Format(time.DateOnly)})
		}
	}
	if len(lines) == 0 {
		return c.print("Nobody is an admin: retake admin add ID -owner makes somebody one.\n", nil)
	}
	return c.print(cli.Columns(lines), nil)
}

// exportUser writes what is kept about a user: to a file that is not there yet, or out.
func exportUser(ctx context.Context, cfg config.Config, c typed) (err error) {
	id, err := c.userID()
	if err != nil {
		return err
	}
	st, err := openRunning(cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	_, admin, err := st.RoleOf(ctx, role(cfg), id)
	if err != nil {
		return err
	}
	var x store.Export
	err = st.Tx(ctx, func(tx *store.Tx) (err error) { x, err = tx.Export(id, admin); return err })
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("nothing is kept about %d", id)
	} else if err != nil {
		return err
	}
	out := c.out
	if name := c.word(1); name != "" {
		var file *os.File
		if file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil { // names of children are in it
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(x)
}

// moveMedia brings the files of all videos to the store of the settings from the other one. When it is interrupted, it is
// finished by running it again.
func moveMedia(ctx context.Context, cfg config.Config, c typed) error {
	if faults := cfg.S3Faults(); len(faults) > 0 {
		var all config.Faults
		for _, key := range slices.Sorted(maps.Keys(faults)) {
			all = append(all, key+": "+faults[key])
		}
		return all
	}
	st, err := openRunning(cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	unlock, err := folder.Lock(cfg.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	way := map[string]string{"disk": "s3", "s3": "disk"}
	from, err := openMedia(cfg, way[cfg.Media.Store])
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := openMedia(cfg, cfg.Media.Store)
	if err != nil {
		return err
	}
	defer to.Close()
	ours, err := tidy(ctx, st, from, cfg.DataDir)
	if err == nil && ours { // what is not moved would stay for ever
		err = sweep(ctx, st, media.NewSweeper(from))
	}
	if err != nil && !errors.Is(err, media.ErrNotYours) {
		return err
	}
	keys, err := st.MediaKeys(ctx)
	if err != nil {
		return err
	}
	line := time.Now()
	m, err := media.Move(ctx, from, to, keys, func(n int, sent, size int64) {
		if sent == size || time.Since(line) > 5*time.Second {
			line = time.Now()
			fmt.Fprintf(c.out, "%d of %d: %s, %.1f of %.1f MB\n", n, len(keys), keys[n-1], float64(sent)/1e6, float64(size)/1e6)
		}
	})
	fmt.Fprintf(c.out, "%d files with %.1f MB were moved to %s; %d were there already.\n", m.Files, float64(m.Bytes)/1e6, cfg.Media.Store, m.There)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted: run it again, and it goes on")
	case err != nil:
		return fmt.Errorf("%w; run it again, and it goes on", err)
	case len(m.Missing) > 0:
		return fmt.Errorf("in neither place: %s", strings.Join(m.Missing, ", "))
	}
	return nil
}

// ---- backups

// source is what backups are made of.
func source(cfg config.Config) backup.Source {
	return backup.Source{Path: cfg.Database(), Snapshot: db.Snapshot, Media: func(ctx context.Context, path string) (files []backup.File, err error) {
		parts, err := store.Parts(ctx, path)
		for _, p := range parts {
			files = append(files, backup.File{Key: p.Key, Size: p.Size})
		}
		return files, err
	}}
}

// keeper makes backups by itself.
func keeper(cfg config.Config, log *slog.Logger) *backup.Keeper {
	return &backup.Keeper{Source: source(cfg), Dir: cfg.BackupDir(), Every: cfg.Backup.Every, Keep: cfg.Backup.Keep, Log: log}
}

func makeBackup(ctx context.Context, cfg config.Config, c typed) error {
	path, out := c.Words[0], c.out
	if version, err := db.Version(cfg.Database()); err != nil || version == 0 {
		return cmp.Or(err, fmt.Errorf("there is no database in %s yet, start retake serve first", cfg.DataDir))
	}
	if err := source(cfg).Make(ctx, path); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	fmt.Fprintf(out, "%s is a copy of the database; %s lists the videos and pictures that belong to it.\n", path, backup.List(path))
	if cfg.YouTube.TokenKey == "" {
		fmt.Fprintf(out, "Keep these elsewhere, too: the videos, %s and your config.toml. Not in one place with this copy, if you can: the key opens what is sealed in it.\n", cfg.TokenKey())
	} else {
		fmt.Fprintln(out, "Keep the videos and your config.toml elsewhere, too.")
	}
	return nil
}

// restore puts a backup in the place of the database and tells what that means.
func restore(ctx context.Context, cfg config.Config, c typed) error {
	file, out := c.Words[0], c.out
	if err := folder.Ours(cfg.DataDir); err != nil {
		return err
	}
	unlock, err := folder.Lock(cfg.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	var told backup.Report
	run := backup.Restore{File: file, Path: cfg.Database(), Newest: schemaVersion(), Force: cli.Value[bool](c.Line, "force"),
		Check: db.Check, Snapshot: db.Snapshot, Latest: store.Latest, Settle: db.Settle,
		Prepare: func(ctx context.Context, fresh, before string) error {
			st, err := OpenStore(fresh)
			if err != nil {
				return err
			}
			was, err := st.Recover(ctx, before)
			told = backup.Report{Settled: was.Settled, Held: was.Held, Unclear: was.Unclear, Forgotten: was.Forgotten, Admins: was.Admins}
			if err == nil {
				told.Sealed, err = unreadable(ctx, cfg, st)
			}
			return errors.Join(err, st.Close())
		}}
	aside, err := run.Run(ctx)
	switch {
	case err != nil && aside != "":
		return fmt.Errorf("the database that was there is %s, and the backup is not in its place: %w", aside, err)
	case err != nil:
		return fmt.Errorf("nothing was changed: %w", err)
	}
	fmt.Fprintf(out, "%s is the database now.\n", file)
	if aside != "" {
		fmt.Fprintf(out, "What was there is kept as %s. As long as it is there, no video is deleted that only it knows; remove it when you are sure.\n", aside)
	}
	missing, err := missingFiles(ctx, cfg)
	if err != nil {
		fmt.Fprintf(out, "Nobody knows whether all videos are there: %v\n", err)
	}
	for _, p := range missing {
		if p.Upload {
			told.Lost = append(told.Lost, p.Key)
		} else {
			told.Again++
		}
	}
	for _, line := range told.Lines() {
		fmt.Fprintln(out, line)
	}
	_, err = fmt.Fprintln(out, "Everybody is signed out of the page; retake serve prints a link to sign in with.")
	return err
}

// unreadable counts the channels whose tokens this machine cannot open.
func unreadable(ctx context.Context, cfg config.Config, st *store.Store) (n int, err error) {
	channels, err := st.Channels(ctx)
	if err != nil {
		return 0, err
	}
	var box *seal.Box
	if cfg.YouTube.TokenKey != "" {
		box = seal.New(cfg.YouTube.TokenKey)
	} else if _, err := os.Stat(cfg.TokenKey()); err == nil {
		if box, err = seal.FromFile(cfg.TokenKey()); err != nil {
			return 0, fmt.Errorf("the key of the channels' tokens: %w", err)
		}
	}
	for _, c := range channels {
		token, err := st.Token(ctx, c.ID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			continue
		case err != nil:
			return 0, err
		case box == nil:
			n++
		default:
			if _, err := box.Unseal(token, owner(c.External)); err != nil {
				n++
			}
		}
	}
	return n, nil
}

// missingFiles lists the files that the database needs and that are not there.
func missingFiles(ctx context.Context, cfg config.Config) ([]store.Part, error) {
	parts, err := store.Parts(ctx, cfg.Database())
	if err != nil {
		return nil, err
	}
	files, err := openMedia(cfg, cfg.Media.Store)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	return backup.Absent(parts, func(p store.Part) string { return p.Key }, func(each func([]string) error) error { return files.Keys(ctx, each) })
}

// ---- templates

func checkTemplate(ctx context.Context, cfg config.Config, c typed) error {
	sentences, err := video.CheckTemplate(ctx, makerConfig(cfg, ""), c.Words[0])
	for _, sentence := range sentences {
		fmt.Fprintln(c.out, sentence)
	}
	return err
}

// previewTemplate shows what a template makes of a name.
func previewTemplate(ctx context.Context, cfg config.Config, c typed) error {
	p := video.Preview{Template: c.Words[0], Name: c.Words[1], Lang: cmp.Or(cli.Value[string](c.Line, "lang"), cfg.Language), At: cli.Value[time.Duration](c.Line, "at")}
	if !slices.Contains(lang.Languages, p.Lang) {
		return cli.Usage(fmt.Sprintf("retake: -lang: one of %s is expected", strings.Join(lang.Languages, ", ")))
	}
	file := "preview.mp4"
	if p.At >= 0 {
		file = "preview.png"
	}
	file = cmp.Or(cli.Value[string](c.Line, "o"), file)
	return c.print(file+"\n", p.Make(ctx, makerConfig(cfg, ""), file, folder.Copy))
}

// ---- demo

// breakable is the demo's renderer: it has a switch.
type breakable struct {
	renderer
	broken func() bool
}

func (b breakable) Render(ctx context.Context, o Order, progress func(int)) (Rendered, error) {
	if b.broken() {
		return Rendered{}, errors.New("the renderer is switched off (the demo's switch)")
	}
	return b.renderer.Render(ctx, o, progress)
}

// showDemo runs the program with a fresh data folder and stand-ins for Telegram, whose chats are a page in the browser, for YouTube
// and for Rumble.
func showDemo(ctx context.Context, c typed) error {
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
		st, err := openRunning(cfg)
		if err != nil {
			return "", err
		}
		defer st.Close()
		return NewLink(ctx, st, cfg.Web.BaseURL, 0)
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
	fmt.Fprint(c.out, town.Welcome())
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

// ---- settings

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

// role is what the settings let somebody do on the page.
func role(cfg config.Config) func(id int64) (store.Admin, bool) {
	return store.RoleBySettings(cfg.Telegram.Owners, cfg.Telegram.Admins)
}
