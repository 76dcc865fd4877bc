// Compressed answers: pages, JSON, styles and the script are a fifth of their size.

package desk

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"sync"
)

// worthIt is from how many bytes on an answer is compressed: less fits in one packet anyway.
const worthIt = 1400

// takesGzip reports whether the client reads gzip.
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.TrimSpace(q) != "q=0" {
			return true
		}
	}
	return false
}

var gzips = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return w }}

// gzipped compresses an answer.
func gzipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzips.Get().(*gzip.Writer)
	defer gzips.Put(z)
	z.Reset(&out)
	z.Write(b) // a buffer takes everything
	z.Close()
	return out.Bytes()
}

// writeFor answers a request, compressed if the client can read that.
func writeFor(w http.ResponseWriter, r *http.Request, status int, kind string, b []byte) error {
	w.Header().Set("Vary", "Accept-Encoding")
	if len(b) >= worthIt && takesGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		b = gzipped(b)
	}
	return write(w, status, kind, b)
}
