// What admins are told of: the causes as the store, the queue and the machine show them.

package watch

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"retake.example/internal/media"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
)

// LowDisk is how many bytes free on the disk are so few that an admin should know.
const LowDisk = 2 << 30

// Queue is what the watch asks the queue.
type Queue interface {
	// Outage returns the outage under way, when the next render is tried, and whether failures count again.
	Outage() (o store.Outage, next time.Time, spent bool)
	// View subscribes to changes.
	View(told func(assetID string, percent int)) (end func())
}

// Options say whom to tell of what.
type Options struct {
	Page   string                             // its address
	Role   func(id int64) (store.Admin, bool) // by the settings; see Store.RoleOf
	Admins func(ctx context.Context) ([]int64, error)
	Free   func() (bytes int64, err error)      // on the disk
	Room   func() (low bool, used, limit int64) // for videos, in bytes; nil: no limit
	Faults func() []Fault                       // what cannot be used; nil: nothing
	// files that should be gone; nil: there are none
	Undeleted func() media.Undeleted
	Tell      func(ctx context.Context, admin int64, m Message) (later time.Duration, err error)
	Gather    time.Duration // see Source
}

// NewProgramBoard returns a Board that tells the admins of a program of its troubles.
func NewProgramBoard(st *store.Store, queue Queue, o Options, log *slog.Logger) *Board {
	var board *Board
	board = NewBoard(Source{Now: st.Now, Admins: o.Admins, Tell: o.Tell, Gather: o.Gather, Log: log,
		Told: func(ctx context.Context, admin int64) (map[string]Told, error) {
			known, err := st.Alerts(ctx, admin)
			told := map[string]Told{}
			for cause, a := range known {
				told[cause] = Told(a)
			}
			return told, err
		},
		Keep: func(ctx context.Context, admin int64, told map[string]Told) error {
			return st.Tx(ctx, func(tx *store.Tx) error {
				for cause, t := range told {
					if err := tx.KeepAlert(admin, cause, store.Alert(t)); err != nil {
						return err
					}
				}
				return nil
			})
		},
		Look: func(ctx context.Context, id int64, told map[string]Told) ([]Trouble, error) {
			admin, ok, err := st.RoleOf(ctx, o.Role, id)
			if err != nil || !ok { // removed since
				return nil, err
			}
			return Troubles(ctx, st, queue, admin, told, o, board.Reported)
		}})
	return board
}

// Watch has the board tell until ctx ends, and look after each change in the queue.
func (b *Board) Watch(ctx context.Context, queue Queue) {
	defer queue.View(func(string, int) { b.Change() })()
	b.Run(ctx)
}

// Troubles returns the state of all causes for an admin. reported returns what cannot be looked up: see Board.Report.
func Troubles(ctx context.Context, st *store.Store, queue Queue, admin store.Admin, told map[string]Told, o Options,
	reported func(cause string) error) (all []Trouble, err error) {
	outage, err := st.Outage(ctx)
	if err != nil {
		return nil, err
	}
	_, _, spent := queue.Outage()
	all = append(all, OutageOf(outage.Began, outage.Reason, spent, telegram.TryButton))
	if bytes, err := o.Free(); err == nil { // without it, the page says so
		all = append(all, DiskOf(bytes, LowDisk, told[Disk], o.Page))
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
	now := st.Now()
	all = append(all, ChannelsOf(ended, o.Page), EndingOf(channels, now, o.Page), BackupOf(reported(Backup)),
		AlarmOf(reported(Alarm)))
	if admin.Owner {
		needs, err := st.Attention(ctx, admin, time.Time{})
		if err != nil {
			return nil, err
		}
		all = append(all, HaltedOf(needs[store.NeedsContinuing], o.Page))
	}
	if o.Undeleted != nil {
		all = append(all, UndeletedOf(o.Undeleted(), now, o.Page))
	}
	if o.Room != nil {
		all = append(all, RoomOf(o.Room, o.Page))
	}
	if o.Faults != nil {
		all = append(all, faultsByCause(o.Faults())...)
	}

	news, err := st.Attention(ctx, store.Admin{Owner: true}, Since(told[Failed], now))
	if err != nil {
		return nil, err
	}
	all = append(all, Digest(Failed, news[store.NeedsRetry], now, o.Page,
		func(ctx context.Context) (string, int, error) {
			need, err := st.NeedYou(ctx, admin, store.Filter{})
			return fmt.Sprintf("%s:%s:%d", telegram.AgainButton, need.Newest, need.Count), need.Count, err
		}))
	undelivered, err := st.NotDelivered(ctx, Since(told[Undelivered], now))
	if err != nil {
		return nil, err
	}
	all = append(all, Digest(Undelivered, undelivered, now, o.Page,
		func(ctx context.Context) (string, int, error) {
			n, until, err := st.CountUndelivered(ctx, admin, store.Filter{})
			return fmt.Sprintf("%s:%d:%d", telegram.SendButton, until.UnixMilli(), n), n, err
		}))
	if news, err = st.Attention(ctx, store.Admin{Owner: true}, Since(told[Unpublished], now)); err != nil {
		return nil, err
	}
	return append(all, Digest(Unpublished, news[store.NeedsPublication], now, o.Page,
		func(ctx context.Context) (string, int, error) {
			n, until, err := st.CountUnpublished(ctx, admin, store.Filter{})
			return fmt.Sprintf("%s:%d:%d", telegram.PutButton, until.UnixMilli(), n), n, err
		})), nil
}

// faultsByCause returns the trouble of each cause that has codes; without a fault it is over. The button that takes the
// updates back from a webhook is on the page: a bot with a webhook hears no presses.
func faultsByCause(faults []Fault) (all []Trouble) {
	for _, cause := range []string{Telegram, Media, Engine, Voice} {
		var f Fault
		for _, one := range faults {
			if one.Cause == cause {
				f = one
			}
		}
		all = append(all, FaultOf(cause, f))
	}
	return all
}
