// The addresses of uploads under way. Anyone who has one can write to that upload, so the database holds them sealed.

package publish

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"retake.example/internal/store"
)

// sessionOwner is what the seal of an upload's address is bound to.
func sessionOwner(publication int64) string { return fmt.Sprintf("SESSION %d", publication) }

func (s *Sites) sealSession(publication int64, address string) string {
	if address == "" {
		return ""
	}
	return base64.RawStdEncoding.EncodeToString(s.box.Seal([]byte(address), sessionOwner(publication)))
}

// session returns the address of the upload of a publication; "" if it has none. The error is errLost.
func (s *Sites) session(p store.Publication) (string, error) {
	if p.Upload.Session == "" {
		return "", nil
	}
	sealed, err := base64.RawStdEncoding.DecodeString(p.Upload.Session)
	if err != nil {
		return "", errLost
	}
	address, err := s.box.Unseal(sealed, sessionOwner(p.ID))
	if err != nil {
		return "", errLost
	}
	return string(address), nil
}

// sealOld seals the addresses that an earlier version has stored as they were.
func (s *Sites) sealOld(ctx context.Context) error {
	n := 0
	err := s.store.Tx(ctx, func(tx *store.Tx) (err error) { n, err = tx.SealSessions(s.sealSession); return err })
	if err != nil || n == 0 {
		return err
	}
	return s.store.Checkpoint(ctx) // otherwise the write-ahead log still holds them
}

// errLost is the error of an upload whose address was sealed with another key, and which may have become a video: only
// the owner of the channel can tell.
var errLost = lostUpload{errors.New("youtube sessionKey: the upload was sealed with another key than this one")}

type lostUpload struct{ error }

func (lostUpload) Permanent() bool { return true }

func (lostUpload) Code() string { return "youtube_unclear" }

func (lostUpload) Step() string { return "unknown" }

func (lostUpload) Pause() time.Duration { return 0 }
