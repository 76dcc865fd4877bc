// Package seal makes secrets unreadable without a key that lies elsewhere, so that whoever has a copy of the database,
// such as a backup, does not have them.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrKey is what Unseal returns for what was sealed with another key, for another owner, or changed since.
var ErrKey = errors.New("this key does not open it")

// Box seals with one key.
type Box struct{ aead cipher.AEAD }

// shortest is how many characters a key has at least: those of 16 random bytes as hex.
const shortest = 32

// Check says what is wrong with a key; nil: nothing is.
func Check(key string) error {
	if len(key) < shortest {
		return fmt.Errorf("it has %d characters; %d random ones are needed, such as openssl rand -base64 32 makes",
			len(key), shortest)
	}
	return nil
}

// New returns the box of a key, which Check has nothing against.
func New(key string) *Box {
	sum := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		panic(err) // the sum of any text is 32 bytes long
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the block size that it wants
	}
	return &Box{aead}
}

// FromFile returns the box of the key in a file. The first time it makes the key, for nobody but this user to read.
func FromFile(path string) (*Box, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return made(path)
	}
	if err != nil {
		return nil, err
	}
	key := strings.TrimSpace(string(text))
	if err := Check(key); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return New(key), nil
}

// made makes a key, and keeps it in a file before anything is sealed with it.
func made(path string) (*Box, error) {
	key := rand.Text() + rand.Text()
	temp, err := os.CreateTemp(filepath.Dir(path), ".key-*") // readable by nobody else
	if err != nil {
		return nil, err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(key + "\n")
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return nil, err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return nil, err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	return New(key), errors.Join(folder.Sync(), folder.Close())
}

// Seal makes a secret unreadable. owner says whose it is: nobody can be given another's.
func (b *Box) Seal(secret []byte, owner string) []byte {
	return b.aead.Seal(nil, nil, secret, []byte(owner))
}

// Unseal makes it readable again. ErrKey: it is not that owner's, or was sealed with another key.
func (b *Box) Unseal(sealed []byte, owner string) ([]byte, error) {
	secret, err := b.aead.Open(nil, nil, sealed, []byte(owner))
	if err != nil {
		return nil, ErrKey
	}
	return secret, nil
}
