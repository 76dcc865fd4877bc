// The command export: everything kept about a user.

package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"retake.example/internal/config"
	"retake.example/internal/store"
)

// exportUser writes what is kept about a user: to a file that is not there yet, or out.
func exportUser(ctx context.Context, cfg config.Config, c Invocation) (err error) {
	id, err := c.userID()
	if err != nil {
		return err
	}
	st, err := c.Program.OpenBeside(cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	_, admin, err := st.RoleOf(ctx, Role(cfg), id)
	if err != nil {
		return err
	}
	var x store.Export
	err = st.Tx(ctx, func(tx *store.Tx) (err error) { x, err = tx.Export(id, admin); return err })
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("nothing is kept about %d", id)
	} else if err != nil {
		return err
	}
	out := c.Out
	if name := c.word(1); name != "" {
		var file *os.File
		// names of children are in it
		if file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(x)
}
