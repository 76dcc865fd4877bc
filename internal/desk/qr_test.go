// Tests of the QR codes: what is drawn is read again.

package desk

import (
	"fmt"
	"image"
	"image/color"
	"regexp"
	"strings"
	"testing"

	qr "github.com/piglig/go-qr"
)

var (
	viewBox = regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`)
	runs    = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-\d+z`)
)

// drawn paints a code of the page, as a browser does.
func drawn(t *testing.T, svg string) image.Image {
	t.Helper()
	var side int
	if m := viewBox.FindStringSubmatch(svg); m == nil || m[1] != m[2] {
		t.Fatalf("got %.200s; want a square", svg)
	} else {
		fmt.Sscan(m[1], &side)
	}
	const scale = 4
	img := image.NewGray(image.Rect(0, 0, side*scale, side*scale))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for _, m := range runs.FindAllStringSubmatch(svg, -1) {
		var x, y, n int
		fmt.Sscan(m[1]+" "+m[2]+" "+m[3], &x, &y, &n)
		for dx := range n * scale {
			for dy := range scale {
				img.SetGray(x*scale+dx, y*scale+dy, color.Gray{})
			}
		}
	}
	return img
}

func TestQRCode_IsReadAsTheLink(t *testing.T) {
	link := "https://t.me/retake_bot?start=owner-ABCDEFGHIJKLMNOP"
	svg, err := QRCode(link, `The "link" <b>`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := qr.Decode(drawn(t, string(svg)))
	if err != nil || got != link {
		t.Errorf("got %q, %v; want %q", got, err, link)
	}
	if !strings.Contains(string(svg), `aria-label="The &#34;link&#34; &lt;b&gt;"`) {
		t.Errorf("got %.200s; want its label, escaped", svg)
	}
}
