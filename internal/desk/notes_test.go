// Tests of what a card says about a voice and about pictures that a browser may not show.

package desk

import (
	"strings"
	"testing"

	"retake.example/internal/store"
)

func TestCard_SaysWhichVoiceSpokeAndWhatABrowserMayNotPlay(t *testing.T) {
	const music, other, codec = "Music only: no voice here", "espeak-ng says it", "The pictures are in "
	for _, c := range []struct {
		codec, note string
		want, never []string
	}{
		{"h264", "", nil, []string{music, other, codec, `"note"`}},
		{"", "", nil, []string{music, other, codec, `"note"`, `"codec"`}},
		{"h264", "MUSIC_ONLY", []string{music, `"note":"MUSIC_ONLY"`, `"codec":"h264"`}, []string{other, codec}},
		{"h264", "OTHER_VOICE", []string{other, `"note":"OTHER_VOICE"`}, []string{music, codec}},
		{"hevc", "", []string{codec + "HEVC (H.265)", `"codec":"hevc"`}, []string{music, other}},
		{"prores", "", []string{codec + "ProRes"}, []string{music, other}},
		{"av1", "", []string{`"codec":"av1"`}, []string{codec}},
	} {
		t.Run(c.codec+c.note, func(t *testing.T) {
			r := newRig(t)
			var a store.Asset
			admin := int64(8)
			if err := r.store.Tx(t.Context(), func(tx *store.Tx) (err error) {
				a, _, err = tx.ShareOrCreate(store.Order{Admin: &admin, Name: "Anna", Key: "anna", Template: "new-year", Lang: "en"}, tx.Now())
				if err != nil {
					return err
				}
				tasks, err := tx.Claim(store.Render, false, 1)
				if err != nil {
					return err
				}
				return tx.FinishRender(tasks[0].Job, store.Video{File: a.ID + ".mp4", Codec: c.codec, Note: c.note})
			}); err != nil {
				t.Fatal(err)
			}
			for name, h := range map[string]Handler{"library": r.Library, "page": r.Asset} {
				shown := ""
				for _, json := range []bool{false, true} {
					shown += r.do(h, sent{method: "GET", id: a.ID, json: json}).Body.String()
				}
				for _, want := range c.want {
					if !strings.Contains(shown, want) {
						t.Errorf("%s: got no %q", name, want)
					}
				}
				for _, never := range c.never {
					if strings.Contains(shown, never) {
						t.Errorf("%s: got %q", name, never)
					}
				}
			}
		})
	}
}
