// Package seal encrypts secrets with a key that is kept elsewhere, so that a copy of the database, such as a backup,
// does not reveal them.
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

// ErrKey reports that a value was sealed with another key or for another owner, or was changed since.
var ErrKey = errors.New("this key does not open it")

// Box encrypts with one key: AES-256-GCM with a random nonce.
type Box struct{ aead cipher.AEAD }

// shortest is the least number of characters of a key: 16 random bytes in hex.
const shortest = 32

// Check returns why a key cannot be used, or nil.
func Check(key string) error {
	if len(key) < shortest {
		return fmt.Errorf("it has %d characters, but at least %d random ones are needed: openssl rand -base64 32 "+
			"makes some",
			len(key), shortest)
	}
	return nil
}

// New returns the box of a key that Check accepts.
func New(key string) *Box {
	sum := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		panic(err) // a SHA-256 sum always has 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES always has the block size of GCM
	}
	return &Box{aead}
}

// FromFile returns the box of the key in a file. If there is no file, it makes one that only this user can read.
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

// made makes a key and writes it to a file before anything is sealed with it.
func made(path string) (*Box, error) {
	key := rand.Text() + rand.Text()
	temp, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
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

// Seal encrypts a secret. It opens only for the same owner, so that a row cannot be given another's secret.
func (b *Box) Seal(secret []byte, owner string) []byte {
	return b.aead.Seal(nil, nil, secret, []byte(owner))
}

// Unseal decrypts a secret. It returns ErrKey if the key or the owner is not the one it was sealed with.
func (b *Box) Unseal(sealed []byte, owner string) ([]byte, error) {
	secret, err := b.aead.Open(nil, nil, sealed, []byte(owner))
	if err != nil {
		return nil, ErrKey
	}
	return secret, nil
}
