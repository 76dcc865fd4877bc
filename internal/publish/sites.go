// The platforms that the queue publishes on, and access to their channels.

package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"retake.example/internal/config"
	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/rumble"
	"retake.example/internal/seal"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/youtube"
)

// Sites is access to the platforms.
type Sites struct {
	store     *store.Store
	files     media.Store
	box       *seal.Box
	youtube   *youtube.Client // nil: youtube.client_id is empty
	watch     string          // address of a video on YouTube, without its id
	rumble    *rumble.Client
	talk      *telegram.Talk // nil: the bot is off
	maxUpload int64          // to Telegram, in bytes
	all       map[string]Site

	mu       sync.Mutex
	accounts map[int64]held // of channels of YouTube
}

// held is access that is in use. A channel has one at a time: two that refresh the same token at once may end the
// access, where each refresh brings a new one.
type held struct {
	connected time.Time // when the channel was
	account   *youtube.Account
}

// NewSites prepares access to the platforms of the settings. talk is the bot's; nil: it is off. The error is about the
// key that seals tokens, or the database.
func NewSites(st *store.Store, files media.Store, cfg config.Config, talk *telegram.Talk) (*Sites, error) {
	s := &Sites{store: st, files: files, watch: cfg.YouTube.WatchURL, talk: talk,
		maxUpload: int64(cfg.Telegram.MaxUploadMB) << 20, all: map[string]Site{}, accounts: map[int64]held{},
		rumble: rumble.New(
			rumble.Config{AccessToken: cfg.Rumble.AccessToken, BaseURL: cfg.Rumble.BaseURL, ChannelID: cfg.Rumble.ChannelID},
		)}
	if cfg.YouTube.ClientID != "" {
		s.youtube = NewYouTube(cfg, st.Now)
	}
	for _, p := range Places {
		s.all[p.ID] = p.with(s)
	}
	var err error
	if s.box, err = Box(cfg); err != nil {
		return nil, err
	}
	return s, s.sealOld(context.Background())
}

// Box seals the tokens of channels and the secrets of the settings. It makes the key if there is none.
func Box(cfg config.Config) (*seal.Box, error) {
	if cfg.YouTube.TokenKey != "" {
		return seal.New(cfg.YouTube.TokenKey), nil
	}
	return seal.FromFile(cfg.TokenKey())
}

// Platforms returns the platforms that the program can publish on, by the names they have in the database.
func (s *Sites) Platforms() map[string]Platform {
	all := map[string]Platform{}
	for id, p := range s.all {
		if p.Ready() {
			all[id] = p
		}
	}
	return all
}

// errOff is the error of a platform that cannot be used because a key of the configuration is empty.
func errOff(platform, key string) error {
	return retry.Permanent(retry.WithCode(errors.New(platform+" notSetUp: "+key+" is empty"), platform+"_not_set_up"))
}

// noAccess is the error of a channel that cannot be used until an owner connects it again.
type noAccess struct {
	error
	code string
}

func (noAccess) AccessEnded() bool { return true }

func (noAccess) WholeApp() bool { return false }

// Code returns a stable word for the reason.
func (e noAccess) Code() string { return e.code }

// Owner is what the seal of a channel's token is bound to.
func Owner(external string) string { return "YOUTUBE " + external }

// account returns access to a channel of YouTube.
func (s *Sites) account(ctx context.Context, channel int64) (*youtube.Account, error) {
	if s.youtube == nil {
		return nil, errOff("youtube", "youtube.client_id")
	}
	c, err := s.store.Channel(ctx, channel)
	if err != nil {
		return nil, fmt.Errorf("channel %d: %w", channel, err)
	}
	sealed, err := s.store.Token(ctx, channel)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, noAccess{errors.New("youtube disconnected: the channel was disconnected here"), "youtube_disconnected"}
	case err != nil:
		return nil, fmt.Errorf("token of channel %d: %w", channel, err)
	}
	var token youtube.Token
	text, err := s.box.Unseal(sealed, Owner(c.External))
	if err == nil {
		err = json.Unmarshal(text, &token)
	}
	if err != nil {
		return nil, noAccess{errors.New("youtube tokenKey: the token was sealed with another key than this one"),
			"youtube_token_key"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.accounts[channel]; h.account != nil && h.connected.Equal(c.Connected) {
		return h.account, nil
	}
	account := s.youtube.With(token, func(ctx context.Context, t youtube.Token) error {
		sealed, err := s.seal(t, c.External)
		if err != nil {
			return err
		}
		return s.store.Tx(
			context.WithoutCancel(ctx),
			func(tx *store.Tx) error { return tx.KeepToken(channel, c.Connected, sealed, t.Ends) },
		)
	})
	s.accounts[channel] = held{c.Connected, account}
	return account, nil
}

func (s *Sites) seal(t youtube.Token, external string) ([]byte, error) {
	text, err := json.Marshal(t)
	return s.box.Seal(text, Owner(external)), err
}

// noticed stores what an error of a platform says about a channel, and returns the error.
func (s *Sites) noticed(ctx context.Context, channel int64, began time.Time, err error) error {
	return noticed(ctx, s.store, channel, began, err)
}

func noticed(ctx context.Context, st *store.Store, channel int64, began time.Time, err error) error {
	if of, ok := errors.AsType[retry.ChannelTrouble](err); ok && of.AccessEnded() {
		lost := st.Tx(
			context.WithoutCancel(ctx),
			func(tx *store.Tx) error { return tx.LoseAccess(channel, began, err.Error()) },
		)
		return errors.Join(err, lost)
	}
	return err
}
