// The platforms that the queue publishes on, and access to their channels.

package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"retake.example/internal/config"
	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/rumble"
	"retake.example/internal/seal"
	"retake.example/internal/store"
	"retake.example/internal/youtube"
)

// A Platform is a site that videos are published on.
type Platform interface {
	// Publish carries a publication on from t.Publication.Upload. It keeps what must not be done twice before it does it.
	// With again > 0 the platform is still working on the video: ask again after that time.
	Publish(ctx context.Context, t store.Task, keep func(store.Upload) error) (again time.Duration, err error)
}

// A Withdrawer is a platform where an upload that is under way can be ended.
type Withdrawer interface {
	// Withdraw ends an upload, and deletes the video if it has become one. After nil the platform has nothing of it.
	Withdraw(ctx context.Context, w store.Withdrawal) error
}

// Sites is access to the platforms.
type Sites struct {
	store   *store.Store
	files   media.Store
	box     *seal.Box
	youtube *youtube.Client // nil: youtube.client_id is empty
	rumble  *rumble.Client
}

// NewSites prepares access to the platforms of the settings. The error is about the key that seals tokens, or the
// database.
func NewSites(st *store.Store, files media.Store, cfg config.Config) (*Sites, error) {
	s := &Sites{store: st, files: files,
		rumble: rumble.New(
			rumble.Config{AccessToken: cfg.Rumble.AccessToken, BaseURL: cfg.Rumble.BaseURL, ChannelID: cfg.Rumble.ChannelID},
		)}
	if cfg.YouTube.ClientID != "" {
		s.youtube = NewYouTube(cfg, st.Now)
	}
	if cfg.YouTube.TokenKey != "" {
		s.box = seal.New(cfg.YouTube.TokenKey)
	} else {
		var err error
		if s.box, err = seal.FromFile(cfg.TokenKey()); err != nil {
			return nil, err
		}
	}
	return s, s.sealOld(context.Background())
}

// Platforms returns the platforms that the program can publish on, by the names they have in the database.
func (s *Sites) Platforms() map[string]Platform {
	all := map[string]Platform{}
	if s.youtube != nil {
		all["YOUTUBE"] = onYouTube{s}
	}
	if s.rumble.Token() {
		all["RUMBLE"] = onRumble{s}
	}
	return all
}

// noAccess is the error of a channel without a readable token.
type noAccess struct{ error }

func (noAccess) AccessEnded() bool { return true }

func (noAccess) WholeApp() bool { return false }

// Owner is what the seal of a channel's token is bound to.
func Owner(external string) string { return "YOUTUBE " + external }

// account returns access to a channel.
func (s *Sites) account(ctx context.Context, channel int64) (*youtube.Account, error) {
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
	text, err := s.box.Unseal(sealed, Owner(c.External))
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
		return s.store.Tx(
			context.WithoutCancel(ctx),
			func(tx *store.Tx) error { return tx.KeepToken(channel, c.Connected, sealed, t.Ends) },
		)
	}), nil
}

func (s *Sites) seal(t youtube.Token, external string) ([]byte, error) {
	text, err := json.Marshal(t)
	return s.box.Seal(text, Owner(external)), err
}

// noticed stores what an error of YouTube says about a channel, and returns the error.
func (s *Sites) noticed(ctx context.Context, channel int64, began time.Time, err error) error {
	if of, ok := errors.AsType[retry.ChannelTrouble](err); ok && of.AccessEnded() {
		lost := s.store.Tx(
			context.WithoutCancel(ctx),
			func(tx *store.Tx) error { return tx.LoseAccess(channel, began, err.Error()) },
		)
		return errors.Join(err, lost)
	}
	return err
}
