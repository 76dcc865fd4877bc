package desk

import (
	"strings"
	"testing"
)

func TestWhatTheMediaStoreSaysIsAboutThePlace(t *testing.T) {
	for _, problem := range []string{
		"keep a video: the media store at https://s3.example.com cannot be reached: dial tcp 192.0.2.1:443: connect: connection refused",
		"keep the video: media.s3.secret_key: this is not the secret of the access key",
		"open the video: the media store forbids it: media.s3.access_key needs leave to list, read, write and delete in the bucket \"x\" (AccessDenied)",
	} {
		if got := Reason(spell("."), problem, "reason_other"); !strings.HasPrefix(got, "reason_store_away ") {
			t.Errorf("%s: got %s; want reason_store_away", problem, got)
		}
	}
}
