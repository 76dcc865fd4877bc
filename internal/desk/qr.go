// QR codes of links, drawn as SVG into the page: no file, no script, sharp at any size.

package desk

import (
	"fmt"
	"html"
	"html/template"
	"strings"

	qr "github.com/piglig/go-qr"
)

// quiet is the white margin that a reader needs around a code, in its squares.
const quiet = 4

// QRCode draws a text. label says to people who cannot see it what it is.
func QRCode(text, label string) (template.HTML, error) {
	code, err := qr.EncodeText(text, qr.Medium)
	if err != nil {
		return "", fmt.Errorf("QR code: %w", err)
	}
	var dark strings.Builder
	for y := range code.Size() {
		for x := 0; x < code.Size(); x++ {
			from := x
			for code.Module(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&dark, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	side := code.Size() + 2*quiet
	return template.HTML(fmt.Sprintf(`<svg class="qr" role="img" aria-label="%s" viewBox="0 0 %d %[2]d" `+
		`shape-rendering="crispEdges"><path fill="#fff" stroke="none" d="M0 0h%[2]dv%[2]dh-%[2]dz"/>`+
		`<path fill="#000" stroke="none" d="%[3]s"/></svg>`, html.EscapeString(label), side, dark.String())), nil
}
