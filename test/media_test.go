package test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retake.example/internal/config"
	"retake.example/internal/folder"
	"retake.example/internal/media"
	"retake.example/internal/media/s3test"
	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

// inBucket are the settings for the bucket of a server, as variables of the environment.
func inBucket(t *testing.T, s *s3test.Server) []string {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(s.SecretKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		"RETAKE_MEDIA_STORE=s3",
		"RETAKE_MEDIA_S3_ENDPOINT=" + s.URL + "/",
		"RETAKE_MEDIA_S3_BUCKET=" + s.Bucket,
		"RETAKE_MEDIA_S3_ACCESS_KEY=" + s.AccessKey,
		"RETAKE_MEDIA_S3_SECRET_KEY_FILE=" + secret,
		"RETAKE_MEDIA_S3_PREFIX=retake",
	}
}

func TestTheSettingsOfABucketAreReadAndChecked(t *testing.T) {
	notShort(t)
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		c, err := testrig.LoadConfig("", inBucket(t, server))
		if err != nil {
			t.Fatal(err)
		}
		got, want := c.Media.S3, config.Bucket{
			Endpoint:  server.URL,
			Region:    "us-east-1",
			Bucket:    server.Bucket,
			AccessKey: server.AccessKey,
			SecretKey: server.SecretKey,
			Prefix:    "retake",
		}
		if c.Media.Store != "s3" || got != want {
			t.Errorf("got %s, %+v; want s3, %+v", c.Media.Store, got, want)
		}
		out, code := retake(
			t,
			[]string{"RETAKE_MEDIA_STORE=s3", "RETAKE_MEDIA_S3_ENDPOINT=s3.example.com", "RETAKE_MEDIA_S3_REGION="},
			"serve",
		)
		for _, key := range []string{"endpoint: with store s3, an address without a path", "region: ", "bucket: ",
			"access_key: ", "secret_key: "} {
			if !strings.Contains(out, "media.s3."+key) {
				t.Errorf("got %s; want a line about %s", out, key)
			}
		}
		if code != exitConfig {
			t.Errorf("got exit %d; want %d", code, exitConfig)
		}
		for name, c := range map[string]struct {
			change string
			want   string
		}{
			"a shelf":        {"RETAKE_MEDIA_STORE=shelf", "media.store: disk or s3 is expected"},
			"a wrong bucket": {"RETAKE_MEDIA_S3_BUCKET=none", `media.s3.bucket: there is no bucket "none"`},
			"a wrong key":    {"RETAKE_MEDIA_S3_ACCESS_KEY=none", "media.s3.access_key: the media store does not know this key"},
			"a wrong address": {"RETAKE_MEDIA_S3_ENDPOINT=http://127.0.0.1:1",
				"the media store at http://127.0.0.1:1 cannot be reached"},
		} {
			t.Run(name, func(t *testing.T) {
				out, code := retake(t, append(inBucket(t, server), c.change), "check")
				if code == 0 || !strings.Contains(out, c.want) {
					t.Errorf("got exit %d, %s; want a failure and %q", code, out, c.want)
				}
			})
		}
		if out, _ := retake(t, inBucket(t, server), "check"); !strings.Contains(out, "\nok       media: ") {
			t.Errorf("right settings: got %s; want them ok", out)
		}
	})
}

// TestServeLivesThroughABucketThatIsAway runs the whole program.
func TestServeLivesThroughABucketThatIsAway(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		v := newVictim(t)
		settings, err := os.OpenFile(filepath.Join(v.dir, "config.toml"), os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = fmt.Fprintf(
				settings,
				"[media]\nstore = \"s3\"\n[media.s3]\nendpoint = %q\nbucket = %q\naccess_key = %q\nsecret_key = "+
					"%q\nprefix = \"retake\"\n",
				server.URL,
				server.Bucket,
				server.AccessKey,
				server.SecretKey,
			)
		}
		if err = errors.Join(err, settings.Close()); err != nil {
			t.Fatal(err)
		}
		v.start()
		w := &world{T: t, tg: v.tg, log: v.log}
		first := v.tg.Person(1, "П", "ru")
		w.asks(first, "Оля")
		w.getsVideos(first, 1)
		files := keysOf(t, bucketOf(t, server))
		if len(files) == 0 || !strings.HasSuffix(files[len(files)-1], ".mp4") {
			t.Errorf("got %q in the bucket; want the video", files)
		}
		if onDisk, err := os.ReadDir(filepath.Join(v.dir, "media")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, %v on the disk; want no such folder", onDisk, err)
		}

		server.Stop()
		v.kill()
		v.start()
		w.until("the second start", func() bool { return strings.Count(v.log.String(), "retake is running") == 2 })
		w.until("the reason", func() bool { return strings.Contains(v.log.String(), "cannot be reached") })
		s, err := openStore(filepath.Join(v.dir, "retake.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		mutate(t, s, `UPDATE assets SET file_id = NULL`) // Telegram has lost the video
		second, third := v.tg.Person(2, "В", "ru"), v.tg.Person(3, "Т", "ru")
		w.asks(second, "Петя")
		w.asks(third, "Оля")
		waiting := `SELECT count(*) FROM jobs WHERE kind = ? AND attempt = 0 AND started IS NULL
			AND last_error LIKE '%cannot be reached%'`
		w.until("the wait of a video", func() bool { return count(t, s, waiting, store.Render) == 1 })
		w.until("the wait of a delivery", func() bool { return count(t, s, waiting, store.Deliver) == 1 })

		server.Start()
		mutate(t, s, `UPDATE jobs SET due = 0`) // half a minute has passed
		if err := folder.Wake(v.dir); err != nil {
			t.Fatal(err)
		}
		w.getsVideos(second, 1)
		w.getsVideos(third, 1)
		if now := keysOf(t, bucketOf(t, server)); len(now) != 2*len(files) {
			t.Errorf("got %q in the bucket; want both videos", now)
		}
		if strings.Contains(v.log.String(), server.SecretKey) {
			t.Error("the secret is in the log")
		}
	})
}

func TestVideosMoveToABucketAndBack(t *testing.T) {
	s3test.Each(t, func(t *testing.T, server *s3test.Server) {
		bucket, dir := bucketOf(t, server), t.TempDir()
		environ := append(inBucket(t, server), "RETAKE_DATA_DIR="+dir)
		back := append(slices.Clone(environ), "RETAKE_MEDIA_STORE=disk")
		move := func(environ []string, code int, want string) string {
			t.Helper()
			out, got := retake(t, environ, "media", "move")
			if got != code || !strings.Contains(out, want) {
				t.Errorf("got exit %d, %s; want %d and %q", got, out, code, want)
			}
			return out
		}
		move(environ, exitFailure, "start retake serve first")
		s, err := openStore(filepath.Join(dir, "retake.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		disk, err := media.OpenDisk(filepath.Join(dir, "media"))
		if err != nil {
			t.Fatal(err)
		}
		defer disk.Close()
		var keys []string
		for i, name := range []string{"Маша", "Оля", "Петя"} {
			ask(t, s, name, int64(i+1))
			keys = append(keys, complete(t, s).AssetID+".mp4")
			path := filepath.Join(t.TempDir(), "film")
			if err := os.WriteFile(path, bytes.Repeat([]byte{byte(i + 1)}, 1_000_000*(i+1)), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := disk.Put(t.Context(), keys[i], path, nil); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(keys)
		if err := os.WriteFile(filepath.Join(dir, "media", store.NewID()+".mp4"), []byte("nobody needs it"),
			0o600); err != nil {
			t.Fatal(err)
		}

		unlock, err := folder.Lock(dir)
		if err != nil {
			t.Fatal(err)
		}
		move(environ, exitFailure, "is in use by process")
		unlock()
		move([]string{"RETAKE_DATA_DIR=" + dir}, exitConfig, "media.s3.bucket: a text is expected")
		server.Stop()
		move(environ, exitFailure, "cannot be reached")
		if there := keysOf(t, disk); len(there) != 3 {
			t.Errorf("got %q; want the videos where they were", there)
		}
		server.Start()

		out := move(environ, 0, "3 files with 6.0 MB were moved to s3; 0 were there already.")
		for i, key := range keys {
			if !strings.Contains(out, fmt.Sprintf("of 3: %s, ", key)) || !strings.Contains(out, fmt.Sprintf("%d of 3: ", i+1)) {
				t.Errorf("got %s; want a line about each file", out)
			}
		}
		if there := keysOf(t, bucket); !slices.Equal(there, keys) || len(keysOf(t, disk)) != 0 {
			t.Errorf("got %q in the bucket; want %q there alone", there, keys)
		}
		move(environ, 0, "0 files with 0.0 MB were moved to s3; 3 were there already.")

		move(back, 0, "3 files with 6.0 MB were moved to disk; 0 were there already.")
		if there := keysOf(t, disk); !slices.Equal(there, keys) || len(keysOf(t, bucket)) != 0 {
			t.Errorf("got %q on the disk; want %q there alone", there, keys)
		}
		if err := disk.Delete(t.Context(), keys[1]); err != nil {
			t.Fatal(err)
		}
		move(environ, exitFailure, "in neither place: "+keys[1])
		if there := keysOf(t, bucket); !slices.Equal(there, []string{keys[0], keys[2]}) {
			t.Errorf("got %q; want those that are there moved", there)
		}
	})
}
