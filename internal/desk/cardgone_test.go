// Tests of the card of a video that should go.

package desk

import (
	"net/http"
	"strings"
	"testing"
)

func TestCard_WhatAPersonHadDeletedHasNoButtonToPublishIt(t *testing.T) {
	r := newRig(t)
	id := r.finished(8, "Summer")
	r.mutate(`INSERT INTO publications (asset_id, platform, creator, created, status, step, error, completed)
		VALUES (?, 'RUMBLE', 8, 1, 'FAILED', '', 'broken', 2)`, id)
	for _, gone := range []bool{false, true} {
		if gone {
			r.mutate(`UPDATE assets SET delete_requested_at = 3`)
		}
		w := r.do(r.Asset, sent{method: http.MethodGet, id: id, json: true})
		_, publication, _ := strings.Cut(w.Body.String(), `"publications":[`)
		publication, _, _ = strings.Cut(publication, "]")
		if got := strings.Contains(publication, `"can_retry":true`); got == gone {
			t.Errorf("to be deleted %v: got %s; want a button %v", gone, publication, !gone)
		}
	}
}
