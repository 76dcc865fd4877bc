// Tests of when a published video is looked at next.

package store

import (
	"testing"
	"time"
)

func TestLooked_TheNextLookIsADayLaterOrMinutesAfterItsTime(t *testing.T) {
	const day, week = 24 * time.Hour, 7 * 24 * time.Hour
	for name, c := range map[string]struct{ completed, at, want time.Duration }{ // from now; at 0: no time; want 0: never
		"just published":                          {-5 * time.Minute, 0, day},
		"for six days":                            {-6 * day, 0, day},
		"for a week":                              {-week, 0, 0},
		"its time is far ahead":                   {-time.Hour, 90 * day, day},
		"its time is today":                       {-time.Hour, time.Hour, time.Hour + 5*time.Minute},
		"its time has just come":                  {-week, -4 * time.Minute, time.Minute},
		"its time has come, and was looked after": {-2 * week, -6 * time.Minute, day},
		"a week after its time":                   {-2 * week, -week, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := fresh(t)
			now := s.Now().UnixMilli()
			at := any(nil)
			if c.at != 0 {
				at = now + c.at.Milliseconds()
			}
			var next int64
			err := s.Tx(t.Context(), func(tx *Tx) error {
				now = tx.now
				for _, statement := range []string{
					`INSERT INTO channels (id, platform, external_id, title, state, token, creator, connected, checked)
						VALUES (1, 'YOUTUBE', 'UC1', 'Greetings', 'CONNECTED', x'00', 8, 1, 1) ON CONFLICT DO NOTHING`,
					`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, created)
						VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'V', 'v', '', 'en', 'UPLOAD', 8, 1) ON CONFLICT DO NOTHING`,
				} {
					if _, err := tx.sql.Exec(statement); err != nil {
						return err
					}
				}
				if c.at != 0 {
					at = now + c.at.Milliseconds()
				}
				if _, err := tx.sql.Exec(`INSERT INTO publications (id, asset_id, platform, channel_id, creator, created, status, remote_id,
						completed, publish_at, look_at) VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 'YOUTUBE', 1, 8, 1, 'COMPLETED', 'v', ?, ?, 1)
						ON CONFLICT DO NOTHING`, now+c.completed.Milliseconds(), at); err != nil {
					return err
				}
				p, err := tx.Publication("aaaaaaaaaaaaaaaaaaaaaaaaaa", "YOUTUBE")
				if err != nil {
					return err
				}
				if err := tx.Looked(Look{AssetID: "aaaaaaaaaaaaaaaaaaaaaaaaaa", Publication: p}, Finding{}); err != nil {
					return err
				}
				return tx.sql.Get(`SELECT ifnull(look_at, 0) FROM publications`, nil, &next)
			})
			if err != nil {
				t.Fatal(err)
			}
			if want := now + c.want.Milliseconds(); c.want == 0 && next != 0 || c.want != 0 && next != want {
				t.Errorf("got %v from now; want %v", time.Duration(next-now)*time.Millisecond, c.want)
			}
		})
	}
}
