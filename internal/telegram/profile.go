// The bot's profile: its name and its descriptions, in each language.

package telegram

import (
	"context"

	"github.com/go-telegram/bot"
)

// Profile is what people see of the bot before they write to it, in one language.
type Profile struct {
	Name        string `json:"name"`
	Description string `json:"description"`       // in the empty chat
	Short       string `json:"short_description"` // in the profile, and where the link is shared
}

// How many characters Telegram takes of each.
const (
	MaxName        = 64
	MaxDescription = 512
	MaxShort       = 120
)

// Profile returns what somebody sees whose app speaks a language; "": all whose language has no texts of its own.
func (t *Talk) Profile(ctx context.Context, language string) (p Profile, err error) {
	name, err := invoke(ctx, t, Call{Method: "getMyName"}, t.API.GetMyName, &bot.GetMyNameParams{LanguageCode: language})
	if err != nil {
		return p, err
	}
	about, err := invoke(ctx, t, Call{Method: "getMyDescription"}, t.API.GetMyDescription,
		&bot.GetMyDescriptionParams{LanguageCode: language})
	if err != nil {
		return p, err
	}
	short, err := invoke(ctx, t, Call{Method: "getMyShortDescription"}, t.API.GetMyShortDescription,
		&bot.GetMyShortDescriptionParams{LanguageCode: language})
	return Profile{name.Name, about.Description, short.ShortDescription}, err
}

// SetProfile changes the texts of a language that differ from what was there. Telegram takes few changes of a name a
// day, so one that stays is not sent.
func (t *Talk) SetProfile(ctx context.Context, language string, from, to Profile) error {
	if to.Name != from.Name {
		_, err := invoke(ctx, t, Call{Method: "setMyName"}, t.API.SetMyName,
			&bot.SetMyNameParams{Name: to.Name, LanguageCode: language})
		if err != nil {
			return err
		}
	}
	if to.Description != from.Description {
		_, err := invoke(ctx, t, Call{Method: "setMyDescription"}, t.API.SetMyDescription,
			&bot.SetMyDescriptionParams{Description: to.Description, LanguageCode: language})
		if err != nil {
			return err
		}
	}
	if to.Short == from.Short {
		return nil
	}
	_, err := invoke(ctx, t, Call{Method: "setMyShortDescription"}, t.API.SetMyShortDescription,
		&bot.SetMyShortDescriptionParams{ShortDescription: to.Short, LanguageCode: language})
	return err
}
