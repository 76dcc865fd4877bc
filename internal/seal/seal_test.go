// What is sealed opens with its key, for its owner, as it was sealed, and not otherwise.

package seal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnlyTheKeyOpens(t *testing.T) {
	key, secret := strings.Repeat("k", shortest), []byte("1//a-refresh-token")
	sealed := New(key).Seal(secret, "YOUTUBE UC1")
	if bytes.Contains(sealed, secret[3:]) || bytes.Equal(sealed, New(key).Seal(secret, "YOUTUBE UC1")) {
		t.Errorf("got %q; want two different texts without the secret", sealed)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, c := range map[string]struct {
		key, owner string
		sealed     []byte
		err        error
	}{
		"the same key and owner": {key, "YOUTUBE UC1", sealed, nil},
		"another key":            {key + "!", "YOUTUBE UC1", sealed, ErrKey},
		"another owner":          {key, "YOUTUBE UC2", sealed, ErrKey},
		"a changed byte":         {key, "YOUTUBE UC1", changed, ErrKey},
		"cut short":              {key, "YOUTUBE UC1", sealed[:5], ErrKey},
		"nothing":                {key, "YOUTUBE UC1", nil, ErrKey},
	} {
		got, err := New(c.key).Unseal(c.sealed, c.owner)
		if !errors.Is(err, c.err) || (err == nil) != bytes.Equal(got, secret) {
			t.Errorf("%s: got %q, %v; want %v", name, got, err, c.err)
		}
	}
}

func TestTheKeyIsMadeOnceForThisUserOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token.key")
	first, err := FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Unseal(first.Seal([]byte("secret"), "x"), "x"); err != nil || string(got) != "secret" {
		t.Errorf("got %q, %v; want the first key again", got, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v; want 0600", info.Mode(), err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("got %v; want nothing beside it", files)
	}
	if err := os.WriteFile(path, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := FromFile(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v; want a short key refused by the name of its file", err)
	}
}

func TestCheck_AKeyHas32CharactersOrMore(t *testing.T) {
	for n, ok := range map[int]bool{0: false, 1: false, 31: false, 32: true, 33: true, 44: true, 1000: true} {
		if err := Check(strings.Repeat("k", n)); (err == nil) != ok {
			t.Errorf("%d characters: got %v; want accepted %v", n, err, ok)
		}
		path := filepath.Join(t.TempDir(), "token.key")
		if err := os.WriteFile(path, []byte(" "+strings.Repeat("k", n)+"\n\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := FromFile(path); (err == nil) != ok {
			t.Errorf("a file of %d characters: got %v; want accepted %v", n, err, ok)
		}
	}
}

func TestFromFile_TheKeyIsWithoutTheSpaceAroundIt(t *testing.T) {
	key, path := strings.Repeat("k", shortest), filepath.Join(t.TempDir(), "token.key")
	if err := os.WriteFile(path, []byte("\t"+key+" \r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	box, err := FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := New(key).Unseal(box.Seal([]byte("secret"), "x"), "x"); err != nil || string(got) != "secret" {
		t.Errorf("got %q, %v; want it opened by the key alone", got, err)
	}
}
