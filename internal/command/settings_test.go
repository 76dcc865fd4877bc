// Tests of settings as the commands read them.

package command_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"retake.example/internal/command"
	"retake.example/internal/config"
	"retake.example/internal/testrig"
)

func TestConfiguration(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte(testrig.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := testrig.LoadConfig(
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
	if want := testrig.Token + " [1 2] /x 3s [a b] 7 3\n"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if admin, ok := command.Role(c)(2); !ok || !admin.Owner {
		t.Errorf("got %v, %v; want an owner", admin, ok)
	}
	if _, ok := command.Role(c)(3); ok {
		t.Error("a stranger is an admin")
	}
	var faults config.Faults
	if _, err := testrig.LoadConfig("/none/config.toml", nil); !errors.As(err, &faults) {
		t.Errorf("a file that is not there: got %v; want config.Faults", err)
	}
}

func TestRoles(t *testing.T) {
	c, err := testrig.LoadConfig("", []string{"RETAKE_TELEGRAM_OWNERS=[1]", "RETAKE_TELEGRAM_ADMINS=[5]"})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int64][2]bool{0: {true, true}, 1: {true, true}, 5: {true, false}, 9: {false, false}} {
		if admin, ok := command.Role(c)(id); ok != want[0] || admin.Owner != want[1] || admin.ID != id {
			t.Errorf("%d: got %+v, %v; want %v", id, admin, ok, want)
		}
	}
}
