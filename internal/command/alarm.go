// The second way on which the operator is told what needs them, beside Telegram.

package command

import (
	"context"
	"log/slog"
	"time"

	"retake.example/internal/alarm"
	"retake.example/internal/config"
	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/watch"
)

// Alarm tells by [watch] of the settings what admins are told by Telegram, and pings while work flows.
type Alarm struct {
	ways  alarm.Ways
	ping  string
	board *watch.Board // nil: there is no way
	log   *slog.Logger
}

// wayID is the operator, who is no person of Telegram: under it the database keeps what was told this way.
const wayID = 0

// NewAlarm returns the Alarm of a program. o is what its admins are told by; main hears when a message fails.
func NewAlarm(cfg config.Config, st *store.Store, queue watch.Queue, o watch.Options, main *watch.Board,
	log *slog.Logger) *Alarm {
	a := &Alarm{ways: waysOf(cfg), ping: cfg.Watch.Ping, log: log}
	if !a.ways.On() {
		return a
	}
	o.Admins = func(context.Context) ([]int64, error) { return []int64{wayID}, nil }
	o.Tell = func(ctx context.Context, _ int64, m watch.Message) (time.Duration, error) {
		taken, err := a.ways.Send(ctx, "Retake", wayText(cfg, m))
		if ctx.Err() == nil {
			main.Report(watch.Alarm, err)
		}
		if err != nil && !taken {
			return 5 * time.Minute, err
		}
		return 0, err
	}
	a.board = watch.NewProgramBoard(st, queue, o, log)
	return a
}

func waysOf(cfg config.Config) alarm.Ways {
	w := cfg.Watch
	return alarm.Ways{Webhook: w.Webhook, Shape: w.WebhookShape, SMTP: w.SMTP, User: w.SMTPUser, Secret: w.SMTPPassword,
		From: w.MailFrom, To: w.MailTo}
}

// wayText is a message in the language of the settings. What an engine printed may contain a name, so only a reason that
// is known in plain words leaves this machine; the page has the others.
func wayText(cfg config.Config, m watch.Message) string {
	vars := lang.Vars{"Link": cfg.Web.BaseURL}
	for key, value := range m.Vars {
		vars[key] = value
	}
	if raw, ok := vars["Reason"].(string); ok && m.ID != "alert_backup" {
		say := func(id string, vars desk.Vars) string { return lang.Say(cfg.Language, id, vars) }
		if vars["Reason"] = desk.Reason(say, "", raw, ""); vars["Reason"] == "" {
			vars["Reason"] = cfg.Web.BaseURL
		}
	}
	return lang.Say(cfg.Language, m.ID, vars)
}

// Report sets the state of a trouble that cannot be looked up, as Board.Report does.
func (a *Alarm) Report(cause string, problem error) {
	if a.board != nil {
		a.board.Report(cause, problem)
	}
}

// Run tells and pings until ctx ends. stuck returns why work does not flow; while it does, the ping goes out each minute.
func (a *Alarm) Run(ctx context.Context, queue watch.Queue, stuck func() []watch.Reason) {
	if a.board != nil {
		go a.board.Watch(ctx, queue)
	}
	if a.ping == "" {
		return
	}
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	failed := false
	for ctx.Err() == nil {
		if len(stuck()) == 0 {
			err := a.ways.Ping(ctx, a.ping)
			if err != nil && !failed && ctx.Err() == nil {
				a.log.Warn("the ping that says that all is well", "err", err)
			}
			failed = err != nil
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
