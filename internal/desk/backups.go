// Backups: the copies of the database that there are; another is made, one is tried or downloaded.

package desk

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"retake.example/internal/backup"
	"retake.example/internal/store"
)

// backupKeeper makes backups and shows them.
type backupKeeper interface {
	Copies() ([]backup.Copy, error)
	Now(ctx context.Context, note string) error
	Open(name string) (*os.File, error)
	Drill(ctx context.Context, name string) (files int, err error)
}

// Backups is the page.
type Backups struct {
	Success bool          `json:"success"`
	State   backup.State  `json:"state"`
	Copies  []backup.Copy `json:"backups"`
}

// Backups answers with the page, or with one backup if the address names it.
func (d *Desk) Backups(w http.ResponseWriter, r *http.Request) error {
	if d.opts.Keeper == nil {
		return NotFound
	}
	if name := r.URL.Query().Get("name"); name != "" {
		return d.backup(w, r, name)
	}
	all, err := d.opts.Keeper.Copies()
	if err != nil {
		return fmt.Errorf("backups: %w", err)
	}
	view := Backups{Success: true, Copies: append([]backup.Copy{}, all...)}
	if d.opts.Backups != nil {
		view.State = d.opts.Backups()
	}
	return d.answer(w, r, "backups", Frame{Title: sayTo(r)("backups", nil), Here: "/settings"}, view)
}

// backup answers with the file of a backup. Who takes it is noted: it holds everything.
func (d *Desk) backup(w http.ResponseWriter, r *http.Request, name string) error {
	f, err := d.opts.Keeper.Open(name)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer f.Close()
	if r.Method != http.MethodHead {
		if err := d.noteBackup(r, "download backup", ""); err != nil {
			return err
		}
	}
	w.Header().Set("Content-Type", "application/vnd.sqlite3")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// MakeOrTryBackup makes a backup now, or tries whether one could be restored.
func (d *Desk) MakeOrTryBackup(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	if d.opts.Keeper == nil {
		return NotFound
	}
	switch sent["do"] {
	case "make":
		if err := d.opts.Keeper.Now(d.ctx, ""); err != nil {
			return fmt.Errorf("make a backup: %w", err)
		}
		if err := d.noteBackup(r, "back up", ""); err != nil {
			return err
		}
		return doneAt(w, r, "/backups?notice=backed-up", "backed-up", "")
	case "try":
		outcome := "good"
		if _, err := d.opts.Keeper.Drill(d.ctx, sent["name"]); HTTPErrorOf(err).Status == http.StatusNotFound {
			return fmt.Errorf("try a backup: %w", err)
		} else if err != nil {
			d.log.Error("a backup could not be restored", "backup", sent["name"], "err", err)
			outcome = "bad"
		}
		if err := d.noteBackup(r, "try backup", outcome); err != nil {
			return err
		}
		return doneAt(w, r, "/backups?notice=backup-"+outcome, outcome, "")
	}
	return Invalid("error_form", nil)
}

func (d *Desk) noteBackup(r *http.Request, action, outcome string) error {
	admin := AdminOf(r)
	return d.store.Tx(d.ctx, func(tx *store.Tx) error {
		return tx.Note(store.Event{Admin: &admin.ID, Action: action, Outcome: outcome})
	})
}
