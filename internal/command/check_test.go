// What retake check asks Telegram about the connected channels, and the bucket of the backups.

package command

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retake.example/internal/check"
	"retake.example/internal/config"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/media/s3test"
	"retake.example/internal/store"
)

func TestCheck_AsksWhetherTheBotMayPost(t *testing.T) {
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "retake.db")
	st, err := store.Open(path, store.Options{Schema: string(schema)})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	chats := faketelegram.New("1000:secret")
	server := httptest.NewServer(chats)
	defer server.Close()
	defer chats.Close()
	var cfg config.Config
	cfg.Telegram.Token, cfg.Telegram.APIURL = "1000:secret", server.URL
	if list, err := channelsToCheck(cfg, path); err != nil || len(list) != 0 {
		t.Fatalf("got %v, %v; want no channels", list, err)
	}
	err = st.Tx(t.Context(), func(tx *store.Tx) error {
		for external, platform := range map[string]string{"-1001234567890": "TELEGRAM", "UC1": "YOUTUBE"} {
			if _, err := tx.Connect(store.Channel{Platform: platform, External: external, Title: "News"}, []byte{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := channelsToCheck(cfg, path)
	if err != nil || len(list) != 1 || list[0].Title != "News" {
		t.Fatalf("got %v, %v; want the channel of Telegram", list, err)
	}
	news := chats.Channel(-1001234567890, "News")
	if err := list[0].Look(t.Context()); err != nil {
		t.Errorf("got %v", err)
	}
	news.SetRights(chats.Person(8, "Owner", "en"), faketelegram.Rights{Edit: true})
	if err := list[0].Look(t.Context()); err == nil || !strings.Contains(err.Error(), "may not post") {
		t.Errorf("got %v; want that the bot may not post", err)
	}
}

func TestCheck_TriesTheBucketOfTheBackups(t *testing.T) {
	server := s3test.New(t)
	for name, c := range map[string]struct {
		change func(b *config.Bucket)
		level  check.Level // "": nothing is said of it
		says   string
	}{
		"none":           {func(b *config.Bucket) { *b = config.Bucket{} }, "", ""},
		"as it should":   {func(*config.Bucket) {}, check.OK, "stores, returns and deletes"},
		"a wrong secret": {func(b *config.Bucket) { b.SecretKey = "another" }, check.Fault, "backup.s3.secret_key: "},
		"no such bucket": {func(b *config.Bucket) { b.Bucket = "nothing" }, check.Fault, "backup.s3.bucket: "},
	} {
		t.Run(name, func(t *testing.T) {
			defaults, err := os.ReadFile("../../config.toml")
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := config.FromDefaults(string(defaults), nil)
			if err != nil {
				t.Fatal(err)
			}
			cfg.DataDir, cfg.CacheDir = t.TempDir(), t.TempDir()
			cfg.Backup.S3 = config.Bucket{Endpoint: server.URL, Region: server.Region,
				Bucket: server.Bucket, AccessKey: server.AccessKey, SecretKey: server.SecretKey}
			c.change(&cfg.Backup.S3)
			parts, err := partsOf(cfg, &Program{}, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			var level check.Level
			var said string
			for _, p := range parts.Probes() {
				if p.Name == "backup copies" {
					found := p.Look(t.Context())
					level, said = found[0].Level, found[0].Text
				}
			}
			if level != c.level || !strings.Contains(said, c.says) {
				t.Errorf("got %s: %s; want %s: %s", level, said, c.level, c.says)
			}
		})
	}
}
