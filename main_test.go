package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retake.example/internal/command"

	"retake.example/internal/config"

	"retake.example/internal/store"

	"retake.example/internal/lang"
	"retake.example/internal/media"
)

func TestConfiguration(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte(testToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(
		"",
		[]string{"RETAKE_TELEGRAM_TOKEN_FILE=" + secret, "RETAKE_TELEGRAM_OWNERS=[1, 2]", "RETAKE_DATA_DIR=/x",
			"RETAKE_QUEUE_BACKOFF=3s", "RETAKE_RENDER_ENGINE=command", `RETAKE_RENDER_COMMAND=["a", "b"]`,
			"RETAKE_LIMITS_OPEN=7", "HOME=/"},
	)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(
		c.Telegram.Token,
		c.Telegram.Owners,
		c.DataDir,
		c.Queue.Backoff,
		c.Render.Command,
		c.Limits.Open,
		c.Queue.Attempts,
	)
	if want := testToken + " [1 2] /x 3s [a b] 7 3\n"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if admin, ok := command.Role(c)(2); !ok || !admin.Owner {
		t.Errorf("got %v, %v; want an owner", admin, ok)
	}
	if _, ok := command.Role(c)(3); ok {
		t.Error("a stranger is an admin")
	}
	var faults config.Faults
	if _, err := LoadConfig("/none/config.toml", nil); !errors.As(err, &faults) {
		t.Errorf("a file that is not there: got %v; want config.Faults", err)
	}
}

// sweepAll is what a start does about files that nobody needs.
func sweepAll(t *testing.T, s *store.Store, files media.Store, dir string) error {
	t.Helper()
	ours, err := command.Tidy(t.Context(), s, files, dir)
	if ours {
		err = command.Sweep(t.Context(), s, media.NewSweeper(files))
	}
	return err
}

func TestRoles(t *testing.T) {
	c, err := LoadConfig("", []string{"RETAKE_TELEGRAM_OWNERS=[1]", "RETAKE_TELEGRAM_ADMINS=[5]"})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int64][2]bool{0: {true, true}, 1: {true, true}, 5: {true, false}, 9: {false, false}} {
		if admin, ok := command.Role(c)(id); ok != want[0] || admin.Owner != want[1] || admin.ID != id {
			t.Errorf("%d: got %+v, %v; want %v", id, admin, ok, want)
		}
	}
}

func TestTheSetUpLinkIsPrintedUntilSomebodySignsIn(t *testing.T) {
	s, cfg := newStore(t), config.Config{}
	cfg.Telegram.Owners = []int64{8}
	var out bytes.Buffer
	for range 2 { // a start, and another before anybody used the link
		out.Reset()
		if err := setUpLink(t.Context(), s, cfg, &out); err != nil {
			t.Fatal(err)
		}
	}
	_, token, _ := strings.Cut(strings.TrimSpace(out.String()), "/login/")
	write(t, s, func(tx *store.Tx) error {
		admin, err := tx.SpendLink(hashOf(token), hashOf("session"))
		if admin != 8 {
			t.Errorf("got a link of %d; want the owner's", admin)
		}
		return err
	})
	out.Reset()
	if err := setUpLink(t.Context(), s, cfg, &out); err != nil || out.Len() != 0 {
		t.Errorf("got %q, %v; want nothing printed once somebody has signed in", &out, err)
	}
}

func TestTheOperatorsListsOfRudeWordsAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rude")
	ours, err := lang.OperatorsWords(dir)
	if err != nil || len(ours) == 0 {
		t.Fatalf("got %q, %v; want our lists at the first start", ours, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ru.txt"), []byte("брюква\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	words, err := lang.OperatorsWords(dir)
	if err != nil || !slices.Contains(words, "брюква") || len(words) >= len(ours) {
		t.Errorf("got %d words, %v; want the operator's own list in place of ours", len(words), err)
	}
}
