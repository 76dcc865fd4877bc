// Tests of many videos at once: the archive, the bin, and what comes back from it.

package desk

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"net/url"
	"strings"
	"testing"

	"retake.example/internal/publish"
	"retake.example/internal/store"
)

// film is a media store in which every key has the same file.
type film struct{}

type filmFile struct{ *strings.Reader }

func (filmFile) Close() error { return nil }

func (film) Ready(context.Context) error { return nil }
func (film) Open(context.Context, string) (io.ReadSeekCloser, error) {
	return filmFile{strings.NewReader("a film")}, nil
}
func (film) Put(context.Context, string, string, func(int64)) error { return nil }
func (film) Delete(context.Context, string) error                   { return nil }

func TestSelection_DownloadsWithTheNamesOfTheVideos(t *testing.T) {
	r := newRig(t)
	r.opts.Files = film{}
	a, b := r.finished(8, "Маша"), r.finished(8, "маша/..")
	w := r.do(r.Selection, sent{method: "GET", path: "/selection?do=download&id=" + a + "&id=" + b})
	z, err := zip.NewReader(bytes.NewReader(w.Body.Bytes()), int64(w.Body.Len()))
	if err != nil || len(z.File) != 2 {
		t.Fatalf("got %v, %s; want an archive of two", err, w.Body)
	}
	got := z.File[0].Name + ", " + z.File[1].Name
	if !strings.Contains(got, "Маша.mp4") || !strings.Contains(got, "маша.mp4") {
		t.Errorf("got %s; want the names, without what file systems refuse", got)
	}
}

func TestSelection_WhatIsDeletedComesBackWithAllThatBelongedToIt(t *testing.T) {
	r := newRig(t)
	a, b := r.finished(8, "Маша"), r.finished(8, "Лев")
	for _, platform := range publish.IDs() {
		r.published(a, platform)
	}
	r.mutate(`INSERT INTO users (id, lang, created) VALUES (1, 'ru', 1), (2, 'ru', 1)`)
	r.mutate(`INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished)
		VALUES (1, ?1, 1, 'COMPLETED', 1, 2), (2, ?1, 2, 'COMPLETED', 1, 2)`, a)
	r.mutate(`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome) VALUES (?, 'RENDER', 1, 1, 2, 'done')`, a)
	before := r.do(r.Library, sent{method: "GET", json: true}).Body.String()

	question := r.do(r.Selection, sent{method: "GET", path: "/selection?do=delete&id=" + a + "&id=" + b}).Body.String()
	if !strings.Contains(question, "Delete 2 videos?") || !strings.Contains(question, "Маша") {
		t.Fatalf("got %s; want the question with the names", question)
	}
	r.do(r.DeleteMany, sent{body: url.Values{"ids": {a + " " + b}}.Encode()})
	if n := r.number(`SELECT count(*) FROM assets`); n != 0 {
		t.Fatalf("got %d videos; want none", n)
	}
	if size, err := r.store.MediaSize(t.Context()); err != nil || size == 0 {
		t.Errorf("got %d bytes, %v; want the files counted while they are kept", size, err)
	}
	if keys, err := r.store.MediaKeys(t.Context()); err != nil || len(keys) == 0 {
		t.Errorf("got keys %v, %v; want the files kept for a day", keys, err)
	}
	r.mutate(`DELETE FROM users WHERE id = 2`) // who is gone does not come back
	for _, id := range []string{a, b} {
		if w := r.do(r.RestoreOrErase, sent{body: "do=restore&id=" + id}); w.Code != 303 {
			t.Fatalf("got %d, %s; want it restored", w.Code, w.Body)
		}
	}
	if n := r.number(`SELECT count(*) FROM requests WHERE asset_id = ?`, a); n != 1 {
		t.Errorf("got %d people; want the one who is still known", n)
	}
	after := r.do(r.Library, sent{method: "GET", json: true}).Body.String()
	for _, platform := range publish.IDs() {
		if of := `"platform":"` + platform + `"`; strings.Count(after, of) != strings.Count(before, of) ||
			!strings.Contains(after, `"counts":{"COMPLETED":2}`) {
			t.Errorf("got %s; want what there was: %s", after, before)
		}
		counts, err := r.store.Counts(t.Context(), store.Filter{Platform: platform})
		if err != nil || counts[store.Completed] != 1 {
			t.Errorf("%s: got %v, %v; want one video on it", platform, counts, err)
		}
	}
}

func TestBin_AFailureComesBackAsTheFailureItWas(t *testing.T) {
	r := newRig(t)
	id := strings.Repeat("f", 26)
	r.mutate(`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, created, finished, error, needs_attention)
		VALUES (?, 'Ева', 'ева', 'new-year', 'ru', 'REQUEST', 8, 'PENDING', 1, NULL, NULL, 0)`, id)
	r.mutate(`UPDATE assets SET status = 'FAILED', finished = 2, error = 'no', needs_attention = 1 WHERE id = ?`, id)
	r.do(r.Delete, sent{id: id})
	if a, err := r.store.Attention(t.Context(), store.Admin{Owner: true}, r.store.Now().AddDate(-99, 0, 0)); err != nil || a.Total() != 0 {
		t.Errorf("got %v, %v; want nothing that needs somebody", a, err)
	}
	r.do(r.RestoreOrErase, sent{body: "do=restore&id=" + id})
	counts, err := r.store.Counts(t.Context(), store.Filter{})
	if err != nil || counts[store.Failed] != 1 {
		t.Errorf("got %v, %v; want it counted as failed", counts, err)
	}
}

func TestBin_AFailureThatWasMadeSinceNeedsNobodyWhenItComesBack(t *testing.T) {
	r := newRig(t)
	id := strings.Repeat("f", 26)
	r.mutate(`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, created)
		VALUES (?, 'Ева', 'ева', 'new-year', 'ru', 'REQUEST', 8, 'PENDING', 1)`, id)
	r.mutate(`UPDATE assets SET status = 'FAILED', finished = 2, error = 'no', needs_attention = 1 WHERE id = ?`, id)
	r.do(r.Delete, sent{id: id})
	made := r.finished(8, "Ева")
	r.mutate(`UPDATE assets SET template = 'new-year', lang = 'ru', origin = 'REQUEST' WHERE id = ?`, made)
	r.do(r.RestoreOrErase, sent{body: "do=restore&id=" + id})
	if n := r.number(`SELECT needs_attention FROM assets WHERE id = ?`, id); n != 0 {
		t.Error("got a failure that needs somebody; want it settled by the video of that name")
	}
}

func TestBin_ADeletionOfSomebodysDataEmptiesIt(t *testing.T) {
	r := newRig(t)
	a := r.finished(8, "Маша")
	r.mutate(`INSERT INTO users (id, lang, created) VALUES (1, 'ru', 1)`)
	r.mutate(`INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished) VALUES (1, ?, 1, 'COMPLETED', 1, 2)`, a)
	r.do(r.Delete, sent{id: a})
	var gone store.Deleted
	if err := r.store.Tx(t.Context(), func(tx *store.Tx) (err error) { gone, err = tx.Forget(1); return err }); err != nil {
		t.Fatal(err)
	}
	if n := r.number(`SELECT count(*) FROM bin`); n != 0 || len(gone.Files) == 0 {
		t.Errorf("got %d in the bin, files %v; want none, and its files to go", n, gone.Files)
	}
}
