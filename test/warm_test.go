package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNamesInAdvance_OfAFile(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	v.sets("[render]\n", "[render]\ntemplate = \"new-year\"\noffer = [\"birthday\"]\n")
	file, list := filepath.Join(v.dir, "config.toml"), filepath.Join(v.dir, "names.txt")
	if err := os.WriteFile(list, []byte("Маша\nСука\n\nмаша\nЛев\nх\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(want string, code int, args ...string) {
		t.Helper()
		out, got := retake(t, nil, append([]string{"warm", "-config", file}, args...)...)
		if got != code || !strings.Contains(out, want) {
			t.Errorf("%s: got exit %d, %q; want %d and %q in it", args, got, out, code, want)
		}
		if strings.Contains(out, "Сука") {
			t.Errorf("%s: got %q; want no name in it", args, out)
		}
	}
	run("start retake serve first", exitFailure, list)
	v.start()
	w := &world{T: t, tg: v.tg, log: v.log}
	w.until("a database", func() bool { _, err := os.Stat(filepath.Join(v.dir, "retake.db")); return err == nil })
	w.until("the bot", func() bool { return strings.Contains(v.log.String(), "retake is running") })
	run("To be made in advance: 2 names. Ready already: 0. On the list already: 0.\nLeft to make in all: 2 videos", exitFailure, list)
	s, err := openStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	w.until("both made by the running program", func() bool {
		a, err := s.Advance(t.Context())
		return err == nil && a.Ready == 2 && a.Rest() == 0
	})
	if n := count(t, s, `SELECT count(*) FROM audit WHERE admin IS NULL OR user_id IS NOT NULL`); n != 0 {
		t.Errorf("%d of what was done are a person's; want none", n)
	}
	out, _ := retake(t, nil, "warm", "-config", file, list)
	for _, want := range []string{"Ready already: 2.", "line 2: I can't put that word", "line 6: That is very short"} {
		if !strings.Contains(out, want) {
			t.Errorf("got %q; want %q", out, want)
		}
	}
	run("-lang: one of ru, en is expected", exitUsage, list, "-lang", "xx")
	run("-template: one of new-year, birthday is expected", exitUsage, list, "-template", "xx")
	if err := os.WriteFile(list, []byte("Emma\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run("To be made in advance: 1 name.", 0, list, "-lang", "en", "-template", "birthday")
	w.until("Emma", func() bool {
		return count(t, s, `SELECT count(*) FROM assets WHERE name = 'Emma' AND template = 'birthday' AND lang = 'en' AND
			advance = 1 AND status = 'COMPLETED'`) == 1
	})
}
