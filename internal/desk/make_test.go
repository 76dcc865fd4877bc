// Tests of making a video on the page.

package desk

import "testing"

func TestMakeAsset_HasTheLanguageThatWasPicked(t *testing.T) {
	r := newRig(t)
	r.opts.CanDraw = func(string, string) error { return nil }
	for body, want := range map[string]string{"name=Anna": "en", "name=Olga&lang=ru": "ru"} {
		if w := r.do(r.MakeAsset, sent{body: body}); w.Code != 303 {
			t.Fatalf("%s: got %d, %s", body, w.Code, w.Body)
		}
		if n := r.number(`SELECT count(*) FROM assets WHERE lang = ?`, want); n != 1 {
			t.Errorf("%s: got %d videos in %s; want one", body, n, want)
		}
	}
	if w := r.do(r.MakeAsset, sent{body: "name=Anna&lang=xx", json: true}); w.Code != 422 {
		t.Errorf("got %d; want a refusal of a language that nobody speaks", w.Code)
	}
}
