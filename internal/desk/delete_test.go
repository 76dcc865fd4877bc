// Tests of who may delete a video.

package desk

import (
	"net/http"
	"testing"
)

func TestDelete_OnlyByWhoMayChangeTheVideo(t *testing.T) {
	r := newRig(t)
	id := r.finished(7, "Video")
	if w := r.do(r.Delete, sent{id: id, admin: 9, json: true}); w.Code != http.StatusForbidden {
		t.Errorf("somebody else: got %d", w.Code)
	}
	if n := r.number(`SELECT count(*) FROM assets`); n != 1 {
		t.Fatalf("got %d videos; want it there", n)
	}
	w := r.do(r.Delete, sent{id: id, admin: 7, json: true})
	if w.Code != 200 || r.number(`SELECT count(*) FROM assets`) != 0 {
		t.Errorf("who made it: got %d; want it gone", w.Code)
	}
}
