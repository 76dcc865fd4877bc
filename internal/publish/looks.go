// Looks: whether what was published is on its platform as it should be.

package publish

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/worker"
	"retake.example/internal/youtube"
)

const (
	lookPause  = time.Minute
	lookAgain  = 10 * time.Minute // after a platform that did not answer
	lookBatch  = 50               // videos in one question
	lookBudget = 500              // units a day, of the 10,000 that Google gives an app
)

// Looks looks at published videos.
type Looks struct {
	sites *Sites
	log   *slog.Logger
	pause map[int64]time.Time // by channel: not before
	spent int                 // units
	reset time.Time           // when there are as many again
	woken chan struct{}
}

// NewLooks prepares looks; Run does them.
func NewLooks(s *Sites, log *slog.Logger) *Looks {
	return &Looks{sites: s, log: log, pause: map[int64]time.Time{}, woken: make(chan struct{}, 1)}
}

// Wake makes Run look at what is due now. A channel that has asked to wait is not asked before.
func (l *Looks) Wake() { worker.Nudge(l.woken) }

// Run looks at what is due until ctx ends.
func (l *Looks) Run(ctx context.Context) {
	tick := time.NewTicker(lookPause)
	defer tick.Stop()
	for {
		if err := l.Once(ctx); err != nil && ctx.Err() == nil {
			l.log.Error("look at what is published", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-l.woken:
		}
	}
}

// LookNow makes all videos due for a look that are still looked at.
func LookNow(ctx context.Context, st *store.Store) error {
	channels, err := st.Channels(ctx)
	if err != nil {
		return err
	}
	return st.Tx(ctx, func(tx *store.Tx) error {
		for _, c := range channels {
			err = errors.Join(err, tx.LookNow(c.ID))
		}
		return err
	})
}

// Once looks at what is due now. The error is the database's.
func (l *Looks) Once(ctx context.Context) error {
	due, err := l.sites.store.Looks(ctx, 10*lookBatch)
	if err != nil {
		return err
	}
	byChannel := map[int64][]store.Look{}
	for _, p := range due {
		byChannel[p.Channel] = append(byChannel[p.Channel], p)
	}
	var all error
	for channel, list := range byChannel {
		place, _ := PlaceOf(list[0].Platform)
		site := l.sites.all[place.ID]
		if site == nil || !site.Ready() {
			continue
		}
		at, tells := site.(Witness)
		if !tells { // nobody can be asked
			all = errors.Join(all, l.sites.store.Tx(ctx, func(tx *store.Tx) (err error) {
				for _, p := range list {
					err = errors.Join(err, tx.LookAt(p, time.Time{}))
				}
				return err
			}))
			continue
		}
		for batch := range slices.Chunk(list, lookBatch) {
			if !l.allowed(channel, at.Spends()) {
				break
			}
			if err := l.look(ctx, at, channel, batch); err != nil {
				all = errors.Join(all, err)
			}
		}
	}
	return all
}

// allowed reports whether a platform may be asked about a channel now, for so many units.
func (l *Looks) allowed(channel int64, units int) bool {
	now := l.sites.store.Now()
	if !now.Before(l.reset) {
		l.spent, l.reset = 0, youtube.Midnight(now)
	}
	return now.After(l.pause[channel]) && (units == 0 || l.spent < lookBudget)
}

// look looks at some videos of a channel.
func (l *Looks) look(ctx context.Context, at Witness, channel int64, list []store.Look) error {
	s, began := l.sites, l.sites.store.Now()
	l.spent += at.Spends()
	found, err := at.Look(ctx, channel, list)
	if err != nil {
		wait, _ := retry.After(err)
		l.pause[channel] = began.Add(max(wait, lookAgain))
		if err = s.noticed(ctx, channel, began, err); ctx.Err() == nil {
			l.log.Warn("a platform does not say how its videos are", "channel", channel, "err", err)
		}
	}
	if len(found) == 0 && err != nil {
		return nil
	}
	return s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		for _, p := range list {
			var problem error
			if is, told := found[p.ID]; told {
				problem = tx.Looked(p, is)
			} else if err == nil {
				problem = tx.LookAt(p, tx.Now().Add(lookAgain))
			}
			if problem != nil {
				return problem
			}
		}
		return nil
	})
}

// Spends is what a question for up to fifty videos costs.
func (s onYouTube) Spends() int { return youtube.StandingsCost }

// Look asks for up to fifty videos at once. One answer without a video is not enough: it is left out, to be looked for
// once more.
func (s onYouTube) Look(ctx context.Context, channel int64, list []store.Look) (map[int64]store.Finding, error) {
	account, err := s.account(ctx, channel)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = p.Upload.ID
	}
	found, err := account.Standings(ctx, ids)
	if err != nil {
		return nil, err
	}
	all := map[int64]store.Finding{}
	for _, p := range list {
		is := found[p.Upload.ID]
		if is.Is == youtube.Missing {
			continue
		}
		now, sent := store.Finding{Standing: standing(is, p.Publication, s.store.Now()), There: store.Edits{}},
			s.described(p.Metadata, p.PublishAt)
		fields, theirs := account.Edited(is, sent)
		for _, d := range differences(p.Metadata, sent, theirs, fields) {
			if now.Standing == "" || d.Field != "privacy" && d.Field != fieldAt { // the standing says that
				now.There[d.Field] = d.Theirs
			}
		}
		all[p.ID] = now
	}
	return all, nil
}

// Spends is nothing: Telegram has no quota of a day.
func (onTelegram) Spends() int { return 0 }

// Look asks for the posts one by one: an edit that changes nothing finds out whether a post is there. It ends at the
// first question without an answer.
func (s onTelegram) Look(ctx context.Context, channel int64, list []store.Look) (map[int64]store.Finding, error) {
	if _, _, err := s.channel(ctx, channel); err != nil {
		return nil, err
	}
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	all := map[int64]store.Finding{}
	for _, p := range list {
		in, message, err := postOf(p.Publication)
		if err != nil {
			return all, err
		}
		there, err := client.There(ctx, in, message)
		if err != nil {
			return all, err
		}
		all[p.ID] = store.Finding{There: p.There} // Telegram tells of an edit when it is made: see PostEdited
		if !there {
			all[p.ID] = store.Finding{Standing: "gone"}
		}
	}
	return all, nil
}

// standing is how a video was found, as the database has it; "" if it is as it should be.
func standing(found youtube.Standing, p store.Publication, now time.Time) string {
	switch found.Is {
	case youtube.Gone:
		return "gone"
	case youtube.Failed:
		return "failed"
	case youtube.Rejected:
		return "rejected"
	case youtube.TakenDown:
		return "taken down"
	case youtube.Private, youtube.Unlisted, youtube.Scheduled:
		if p.Metadata.Privacy == "public" && !p.PublishAt.After(now) {
			return "private"
		}
	}
	return ""
}

// PublishAgain handles a video that was found not to be on its platform as it should be. If it is there it is
// shown to everybody; otherwise it is uploaded again. It returns store.ErrNotFailed if it is as it should be.
func (s *Studio) PublishAgain(ctx context.Context, assetID, platform string, admin store.Admin) error {
	_, p, err := s.published(ctx, assetID, platform, admin)
	switch {
	case err != nil:
		return err
	case p.Standing == "":
		return store.ErrNotFailed
	case p.Standing != "private":
		if err := s.store.Tx(ctx, func(tx *store.Tx) error { return tx.Lost(assetID, p) }); err != nil {
			return err
		}
		_, err := s.queue.Retry(ctx, assetID, retry.AdminClicked{Admin: admin, Platform: platform})
		return err
	}
	began := s.store.Now()
	account, err := s.account(ctx, p.Channel)
	if err == nil { // what else somebody changed there stays
		err = account.Show(ctx, p.Upload.ID, s.described(p.Metadata, p.PublishAt))
	}
	if err != nil {
		return s.noticed(ctx, p.Channel, began, err)
	}
	return s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err := tx.Changed(p, assetID, p.Metadata, p.PublishAt, p.There); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "update", AssetID: assetID, Platform: platform})
	})
}

// Accept records that a video may be on its platform as it was found. It returns store.ErrNotFailed if it is as it
// should be.
func (s *Studio) Accept(ctx context.Context, assetID, platform string, admin store.Admin) error {
	_, p, err := s.published(ctx, assetID, platform, admin)
	if err != nil {
		return err
	}
	return s.store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.Accept(assetID, p); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "accept", AssetID: assetID, Platform: platform})
	})
}
