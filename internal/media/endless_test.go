package media

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"
)

// TestS3_NoAnswerIsEndless asks a service in every way whose answers have no end.
func TestS3_NoAnswerIsEndless(t *testing.T) {
	for name, begin := range map[string]string{
		"a list":         `<ListBucketResult><Contents><Key>`,
		"an upload's id": `<InitiateMultipartUploadResult><UploadId>`,
		"no XML":         "",
	} {
		t.Run(name, func(t *testing.T) {
			var most atomic.Int64 // bytes of one answer that left
			page := make([]byte, 64<<10)
			for i := range page {
				page[i] = 'a'
			}
			s := serve(t, false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.Header().Set("ETag", `"x"`)
				io.WriteString(w, begin)
				for sent := int64(0); r.Method != http.MethodHead; sent += int64(len(page)) {
					if _, err := w.Write(page); err != nil {
						return
					}
					if sent > most.Load() {
						most.Store(sent)
					}
				}
			}))
			for how, err := range map[string]error{
				"Keys":   s.Keys(t.Context(), func([]string) error { return nil }),
				"look":   s.look(t.Context()),
				"Put":    s.Put(t.Context(), "a.mp4", source(t, "x"), nil),
				"Delete": s.Delete(t.Context(), "a.mp4"),
			} {
				if err == nil {
					t.Errorf("%s: got no error; want the answer refused", how)
				}
			}
			if n := most.Load(); n > 2*longestAnswer { // what the kernel holds included
				t.Errorf("got %d bytes of one answer taken; want no more than %d", n, longestAnswer)
			}
		})
	}
}
