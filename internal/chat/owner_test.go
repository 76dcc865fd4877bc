// Tests of the code with which the owner of a new bot is found.

package chat

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"

	"retake.example/internal/desk"
	"retake.example/internal/lang"
	"retake.example/internal/store"
)

func TestOwn_TheFirstWithTheCodeIsToldSoAndOthersAreGreeted(t *testing.T) {
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, given := range []bool{false, true} { // whether the settings name an owner
		st, err := store.Open(filepath.Join(t.TempDir(), "retake.db"), store.Options{Schema: string(schema)})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		c, err := New(st, Options{Token: "1000:secret", APIURL: "http://127.0.0.1:1", Second: time.Second, Language: "en",
			HasOwner: given}, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if err != nil {
			t.Fatal(err)
		}
		right, _ := desk.OwnerCode("owner-RIGHT")
		wrong, _ := desk.OwnerCode("owner-WRONG")
		err = st.Tx(t.Context(), func(tx *store.Tx) error { return tx.OfferOwnership(right) })
		if err != nil {
			t.Fatal(err)
		}
		for i, step := range []struct {
			user int64
			code [32]byte
			owns bool
		}{{6, wrong, false}, {5, right, !given}, {6, right, false}, {5, right, false}} {
			u := store.User{ID: step.user, Lang: "ru"}
			turn := NewTurn(store.Update{ID: int64(i + 1)}, "ru")
			if err := c.Own(t.Context(), turn, u, &models.User{ID: u.ID, FirstName: "Мария"}, step.code); err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, a := range turn.left.Answers {
				if a.Chat != u.ID {
					t.Errorf("%d: got an answer in chat %d", i, a.Chat)
				}
				said = append(said, a.Text)
			}
			want := []string{lang.Say("ru", "owner_code_over", nil), lang.Say("ru", "start", nil)}
			if step.owns {
				want = []string{lang.Say("ru", "owner_now", nil)}
			}
			if strings.Join(said, "|") != strings.Join(want, "|") {
				t.Errorf("given %v, %d: got %q; want %q", given, i, said, want)
			}
		}
		names, err := st.AdminNames(t.Context())
		if owns, _ := st.HasOwner(t.Context()); err != nil || owns == given || (names[5].Name == "Мария") == given {
			t.Errorf("given %v: got an owner %v, called %+v, %v", given, owns, names[5], err)
		}
	}
}
