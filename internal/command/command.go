// What all commands share: the command line, the settings, the log, and a database that serve may be using.

package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"

	"retake.example/internal/cli"
	"retake.example/internal/config"
	"retake.example/internal/db"
	"retake.example/internal/desk"
	"retake.example/internal/folder"
	"retake.example/internal/logs"
	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
)

// Program is the binary that the commands belong to.
type Program struct {
	Version  string
	Defaults string // the text of config.toml
	Schema   int    // the version of the database that this program reads and writes
	Open     func(path string) (*store.Store, error)
	LookAt   func(ctx context.Context, path string) (broken []string, newer bool, err error)
	Retrier  func(st *store.Store, log *slog.Logger) retry.Retrier
	Serve    func(context.Context, Run) error
	Demo     func(ctx context.Context, port string, out io.Writer) error
}

// Invocation is one command line with the place for its answer.
type Invocation struct {
	cli.Line
	Out     io.Writer
	Program *Program
}

// commands are what cli.Commands names.
var commands = map[string]func(context.Context, Invocation) error{
	"admin add":    with(adminAdd),
	"admin link":   with(adminLink),
	"admin list":   with(adminList),
	"admin remove": with(adminRemove),
	"backup":       with(makeBackup),
	"ban":          with(banChat),
	"check":        checkAll,
	"config":       with(printConfig),
	"completion":   func(_ context.Context, c Invocation) error { return c.print(cli.Completion(c.Words[0])) },
	"demo":         demo,
	"export":       with(exportUser),
	"healthcheck":  with(healthcheck),
	"help":         func(_ context.Context, c Invocation) error { return c.print(cli.Help(c.Words)) },
	"init": func(_ context.Context, c Invocation) error {
		return c.print(cli.Init(c.word(0), c.Program.Defaults, os.Args[0]))
	},
	"media move": with(moveMedia),
	"pause":      with(pauseWishes),
	"restore":    with(restore),
	"resume":     with(resumeWishes),
	"retry":      with(retryFailed),
	"serve": func(ctx context.Context, c Invocation) error {
		return Serve(ctx, Start{c.load, NewLog, c.Out}, c.Program.Serve)
	},
	"template check":   with(checkTemplate),
	"template preview": with(previewTemplate),
	"unban":            with(unbanChat),
	"version":          printVersion,
	"warm":             with(warm),
	"worker":           with(runWorker),
}

// Run runs one command line. The error is cli.Usage if it has no meaning, and config.Faults if the settings are wrong.
func (p *Program) Run(ctx context.Context, args []string, out io.Writer) error {
	line, err := cli.Parse(args)
	if err != nil {
		return err
	}
	return commands[line.Command](ctx, Invocation{Line: line, Out: out, Program: p})
}

// with makes a command of a function that needs the settings.
func with(do func(context.Context, config.Config, Invocation) error) func(context.Context, Invocation) error {
	return func(ctx context.Context, c Invocation) error {
		cfg, err := c.settings(ctx)
		if err != nil {
			return err
		}
		return do(ctx, cfg, c)
	}
}

// load reads the settings of the command line and the environment, with those that page returns.
func (c Invocation) load(page func(config.Config) (config.Page, error)) (config.Config, error) {
	return config.LoadFile(c.Program.Defaults, c.Config, os.Environ(), page)
}

// settings are what load reads, with those in the database. A command that repairs it must work without them.
func (c Invocation) settings(ctx context.Context) (config.Config, error) {
	return c.load(func(cfg config.Config) (config.Page, error) {
		page, unreadable, err := pageOf(ctx, cfg)
		if err != nil {
			fmt.Fprintf(os.Stderr, "retake: warning: %v\n", err)
		}
		for _, key := range unreadable {
			fmt.Fprintf(os.Stderr, "retake: warning: %s of the page was sealed with another key than this one\n", key)
		}
		return page, nil
	})
}

// NewLog returns the log of a program with these settings, and makes it the one that everything else writes to.
func NewLog(cfg config.Config) *slog.Logger {
	log := logs.New(
		os.Stderr,
		logs.Options{Format: cfg.Log.Format, Level: cfg.Log.Level, Replace: telegram.Redact(cfg.Telegram.Token),
			Journal: logs.IsJournal(os.Stderr, os.Getenv("JOURNAL_STREAM"))},
	)
	slog.SetDefault(log)
	return log
}

// Role returns what the settings let somebody do on the page.
func Role(cfg config.Config) func(id int64) (store.Admin, bool) {
	return store.RoleBySettings(cfg.Telegram.Owners, cfg.Telegram.Admins)
}

// word returns the word with that number after the command, or "".
func (c Invocation) word(i int) string {
	if i < len(c.Words) {
		return c.Words[i]
	}
	return ""
}

// print prints a text unless there is an error.
func (c Invocation) print(text string, err error) error {
	if err == nil {
		_, err = io.WriteString(c.Out, text)
	}
	return err
}

func printVersion(_ context.Context, c Invocation) error {
	built, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this binary carries no build information")
	}
	return c.print(cli.Version(c.Program.Version, built), nil)
}

func demo(ctx context.Context, c Invocation) error {
	port := cli.Value[string](c.Line, "port")
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return c.Wrong("PORT is a number from 1 to 65535, not %q", port)
	}
	return c.Program.Demo(ctx, port, c.Out)
}

func healthcheck(ctx context.Context, cfg config.Config, _ Invocation) error {
	if err := desk.CheckHealth(ctx, cfg.Web.Listen); err != nil {
		return fmt.Errorf("no healthy serve at %s (web.listen): %w", cfg.Web.Listen, err)
	}
	return nil
}

// OpenBeside opens the database whether serve is running on it or not. It returns an error that is os.ErrNotExist if
// serve has never run.
func (p *Program) OpenBeside(cfg config.Config) (*store.Store, error) {
	path := cfg.Database()
	switch version, err := db.Version(path); {
	case err != nil:
		return nil, err
	case version == 0:
		return nil, fmt.Errorf("there is no database in %s yet, start retake serve first: %w", cfg.DataDir, os.ErrNotExist)
	case version < p.Schema:
		return nil, fmt.Errorf(
			"the database in %s is of an older version, start retake serve first: it makes a backup and upgrades it",
			cfg.DataDir,
		)
	}
	return p.Open(path)
}

// LookNow has the serve that runs look at once at what is published.
func (p *Program) LookNow(ctx context.Context, cfg config.Config) error {
	st, err := p.OpenBeside(cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := publish.LookNow(ctx, st); err != nil {
		return err
	}
	return folder.Wake(cfg.DataDir)
}
