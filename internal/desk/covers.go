// Pictures of templates, as the settings show them.

package desk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/jpeg"
	_ "image/png" // covers are drawn as such
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Covers are the pictures of templates: each is drawn when somebody first looks at it, one at a time, and kept.
type Covers struct {
	has  func(id string) bool
	draw func(ctx context.Context, id, path string) error // a PNG or a JPEG
	kept chan map[string][]byte                           // holds the pictures while none is drawn
}

// mostCovers is how many pictures are kept.
const mostCovers = 100

// NewCovers returns the pictures of the templates that there are, which draw makes.
func NewCovers(has func(id string) bool, draw func(ctx context.Context, id, path string) error) *Covers {
	c := &Covers{has: has, draw: draw, kept: make(chan map[string][]byte, 1)}
	c.kept <- map[string][]byte{}
	return c
}

// Has reports whether there is a picture of a template.
func (c *Covers) Has(id string) bool { return c != nil && c.has(id) }

// Serve answers with the picture called ID.jpg; fs.ErrNotExist when there is no such template.
func (c *Covers) Serve(w http.ResponseWriter, r *http.Request, name string) error {
	id, ok := strings.CutSuffix(name, ".jpg")
	if !ok || !c.Has(id) {
		return fs.ErrNotExist
	}
	b, err := c.picture(r.Context(), id)
	if err != nil {
		return fmt.Errorf("picture of template %s: %w", id, err)
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "private, no-cache") // kept by the browser, shown only while signed in
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(b)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	return nil
}

func (c *Covers) picture(ctx context.Context, id string) ([]byte, error) {
	var kept map[string][]byte
	select {
	case kept = <-c.kept:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { c.kept <- kept }()
	if b, ok := kept[id]; ok {
		return b, nil
	}
	dir, err := os.MkdirTemp("", "retake-cover-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "cover")
	if err := c.draw(ctx, id, path); err != nil {
		return nil, err
	}
	b, err := shrunk(path)
	if err == nil {
		if len(kept) >= mostCovers {
			clear(kept)
		}
		kept[id] = b
	}
	return b, err
}

// shrunk makes a JPEG of half the size of a picture: every pixel is the mean of four.
func shrunk(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	large, _, err := image.Decode(f)
	if err != nil {
		return nil, err
	}
	from := large.Bounds()
	small := image.NewRGBA(image.Rect(0, 0, from.Dx()/2, from.Dy()/2))
	for y := range from.Dy() / 2 {
		for x := range from.Dx() / 2 {
			var sum [3]uint32
			for i := range 4 {
				r, g, b, _ := large.At(from.Min.X+2*x+i%2, from.Min.Y+2*y+i/2).RGBA()
				sum[0], sum[1], sum[2] = sum[0]+r, sum[1]+g, sum[2]+b
			}
			at := small.Pix[small.PixOffset(x, y):]
			for i, s := range sum {
				at[i] = byte(s / 4 >> 8)
			}
			at[3] = 255
		}
	}
	var out bytes.Buffer
	err = jpeg.Encode(&out, small, &jpeg.Options{Quality: 85})
	return out.Bytes(), err
}

// Cover answers with the picture of a template.
func (d *Desk) Cover(w http.ResponseWriter, r *http.Request) error {
	return d.opts.Covers.Serve(w, r, r.PathValue("picture"))
}
