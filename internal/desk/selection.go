// Many videos at once: the selection of the library is deleted, published or downloaded, and what was deleted can be
// restored for a day.

package desk

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"retake.example/internal/store"
)

// Chosen is the page that asks before many videos are deleted.
type Chosen struct {
	Success bool          `json:"success"`
	Assets  []store.Asset `json:"-"`
	IDs     string        `json:"ids"`
	Kept    int           `json:"kept"` // that cannot be deleted now
}

// Selection does what a form asks for the videos that are ticked: it downloads them, or asks where or whether they go.
func (d *Desk) Selection(w http.ResponseWriter, r *http.Request) error {
	all, err := d.selected(r, r.URL.Query()["id"])
	if err != nil {
		return err
	}
	switch r.URL.Query().Get("do") {
	case "download":
		return d.download(w, r, all)
	case "delete":
		return d.askDeleteMany(w, r, all)
	case "publish":
		return d.askPublishMany(w, r, all)
	}
	return Invalid("error_query", nil)
}

// selected are the videos with some ids, the newest first. Somebody else may have deleted some of them.
func (d *Desk) selected(r *http.Request, ids []string) ([]store.Listed, error) {
	all, err := d.store.Cards(r.Context(), ids...)
	if err == nil && len(all) == 0 {
		err = Invalid("error_nothing_selected", nil)
	}
	if err != nil {
		return nil, fmt.Errorf("selection: %w", err)
	}
	return all, nil
}

func (d *Desk) askDeleteMany(w http.ResponseWriter, r *http.Request, all []store.Listed) error {
	admin, view := AdminOf(r), Chosen{Success: true}
	var ids []string
	for _, a := range all {
		if !admin.MayChange(a.Creator) || a.Status.Live() {
			view.Kept++
			continue
		}
		view.Assets, ids = append(view.Assets, a.Asset), append(ids, a.ID)
	}
	view.IDs = strings.Join(ids, " ")
	return d.answer(w, r, "delete-many", Frame{Title: sayTo(r)("title_delete", nil)}, view)
}

// download answers with the files of videos in one archive. They are compressed already: it only holds them together.
func (d *Desk) download(w http.ResponseWriter, r *http.Request, all []store.Listed) error {
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="retake-videos.zip"`)
	archive, used := zip.NewWriter(w), map[string]int{}
	for _, a := range all {
		if a.Status != store.Completed {
			continue
		}
		f, err := d.opts.Files.Open(r.Context(), a.Video.File)
		if errors.Is(err, fs.ErrNotExist) {
			continue // Telegram may still have it
		} else if err != nil {
			return fmt.Errorf("file of asset %s: %w", a.ID, err)
		}
		name := fileName(a.Asset)
		if used[name]++; used[name] > 1 { // the same name in another language, say
			name = strings.TrimSuffix(name, path.Ext(name)) + " " + strconv.Itoa(used[name]) + path.Ext(name)
		}
		into, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: a.Finished})
		if err == nil {
			_, err = io.Copy(into, f)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("file of asset %s: %w", a.ID, err)
		}
	}
	return archive.Close()
}

// DeleteMany puts videos into the bin. Those that are busy, or not this admin's to delete, stay.
func (d *Desk) DeleteMany(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	admin, n := AdminOf(r), 0
	for _, id := range strings.Fields(sent["ids"]) {
		err := d.bin(r, id, admin)
		if _, busy := errors.AsType[store.Busy](err); busy || errors.Is(err, store.ErrForbidden) ||
			errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		n++
	}
	if n == 0 {
		return Invalid("error_nothing_selected", nil)
	}
	return doneAt(w, r, "/?notice=deleted", "deleted", "")
}

// bin puts a finished video into the bin.
func (d *Desk) bin(r *http.Request, id string, admin store.Admin) error {
	return d.store.Tx(r.Context(), func(tx *store.Tx) error {
		a, err := tx.Asset(id)
		switch {
		case err != nil:
			return err
		case !admin.MayChange(a.Creator):
			return store.ErrForbidden
		case a.Status.Live():
			return store.Busy(store.Render)
		}
		if err := tx.Bin(a, admin.ID); err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "delete", AssetID: a.ID, Outcome: "deleted"})
	})
}

// Bin is the page of what was deleted in the last day.
type Bin struct {
	Success bool           `json:"success"`
	Videos  []store.Binned `json:"deleted"`
}

// Bin answers with the page.
func (d *Desk) Bin(w http.ResponseWriter, r *http.Request) error {
	all, err := d.store.InBin(r.Context(), AdminOf(r))
	if err != nil {
		return fmt.Errorf("bin: %w", err)
	}
	view := Bin{true, append([]store.Binned{}, all...)} // empty in JSON, not null
	return d.answer(w, r, "bin", Frame{Title: sayTo(r)("bin", nil), Here: "/"}, view)
}

// RestoreOrErase brings a deleted video back, or deletes it permanently.
func (d *Desk) RestoreOrErase(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	admin, id := AdminOf(r), sent["id"]
	var gone store.Deleted
	outcome, action := "restored", "restore"
	switch sent["do"] {
	case "restore":
	case "erase":
		outcome, action = "erased", "erase"
	default:
		return Invalid("error_form", nil)
	}
	err = d.store.Tx(r.Context(), func(tx *store.Tx) (err error) {
		if action == "restore" {
			err = tx.Restore(id, admin)
		} else if gone, err = tx.EmptyBin(admin, id); err == nil && len(gone.Assets) == 0 {
			err = store.ErrNotFound
		}
		if err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: action, AssetID: id})
	})
	if err != nil {
		return fmt.Errorf("%s a deleted video: %w", action, err)
	}
	if len(gone.Assets) > 0 {
		d.opts.Remover.Discard(d.ctx, gone)
	}
	return doneAt(w, r, "/bin?notice="+outcome, outcome, id)
}
