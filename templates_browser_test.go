// Tests of the template studio in a real browser: from a film to a parent's video.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"retake.example/internal/desk"
	"retake.example/internal/video"
)

// summer makes a film of a telephone: portrait, five seconds.
func summer(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Лето на даче.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "gradients=s=360x640:r=25:d=5:c0=0x1d4e89:c1=0xf7b267:x0=0:y0=0:x1=360:y1=640",
		"-f", "lavfi", "-i", "sine=d=5", "-pix_fmt", "yuv420p", "-shortest", path).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return path
}

// shelved gives an office a shelf with a template of its owner's, which is offered.
func (d *office) shelved() (id string) {
	d.t.Helper()
	s := d.shelf()
	id, err := s.AddFilm(d.t.Context(), "Summer", summer(d.t), "mp4")
	if err == nil {
		err = s.Offer(d.opts.Offers, []string{"new-year", id})
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return id
}

// shelf gives an office a shelf with the built-in templates.
func (d *office) shelf() *video.Shelf {
	d.t.Helper()
	m, err := video.New(video.Config{Engine: video.EngineTemplate, Offered: []string{"new-year"}, Languages: []string{"ru", "en"},
		Timeout: time.Minute, Work: d.t.TempDir(), Cache: d.t.TempDir(), Templates: filepath.Join(d.t.TempDir(), "templates")})
	if err != nil {
		d.t.Fatal(err)
	}
	s, err := video.NewShelf(m)
	if err != nil {
		d.t.Fatal(err)
	}
	d.change(func(o *desk.Options) {
		o.Shelf = s
		o.Covers = desk.NewCovers(s.Has, func(ctx context.Context, id, path string) error {
			return m.Cover(ctx, video.Order{Asset: "cover", Name: "Emma", Lang: "en", Template: id}, path)
		})
	})
	return s
}

// readsTemplates reads the pages of templates.
func (c *critic) readsTemplates(t *testing.T) {
	t.Helper()
	var id string
	d := openDesk(t, func(d *office) {})
	id = d.shelved()
	c.moves(d, 8)
	for _, language := range []string{"en", "ru"} {
		c.Await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: '" + language + "' }) })")
		c.reads("templates/"+language+"/list", "/templates?notice=templates", 200)
		c.reads("templates/"+language+"/new", "/studio", 200)
		c.reads("templates/"+language+"/studio", "/studio/"+id, 200)
	}
	c.Await("fetch('/language', { method: 'POST', body: new URLSearchParams({ lang: 'en' }) })")
}

// mouse sends an event of the mouse.
func (b browser) mouse(kind string, x, y float64) {
	b.Helper()
	b.Command("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": x, "y": y, "button": "left",
		"buttons": 1, "clickCount": 1})
}

// where is the middle of an element on the screen.
func (b browser) where(selector string) (x, y float64) {
	b.Helper()
	quoted, _ := json.Marshal(selector)
	got := b.JS(fmt.Sprintf("(r => (r.left + r.width / 2) + ' ' + (r.top + r.height / 2))"+
		"(document.querySelector(%s).getBoundingClientRect())", quoted))
	if _, err := fmt.Sscan(got, &x, &y); err != nil {
		b.Fatal(err)
	}
	return x, y
}

func (b browser) fill(id, value string) {
	b.Helper()
	text, _ := json.Marshal(value)
	b.JS(fmt.Sprintf("(i => { i.value = %s; i.dispatchEvent(new Event('input', { bubbles: true })); "+
		"return i.value })(document.getElementById('%s'))", text, id))
}

func (b browser) number(id string) int {
	b.Helper()
	n, err := strconv.Atoi(b.JS("document.getElementById('" + id + "').value"))
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// TestAFilmBecomesAParentsVideo is the whole way of somebody who has a browser and a film.
func TestAFilmBecomesAParentsVideo(t *testing.T) {
	notShort(t)
	began := time.Now()
	address := openDemo(t)
	b := newBrowser(t)
	b.Visit(address + "/admin")
	b.Until("location.pathname === '/' && document.readyState === 'complete'")
	home := regexp.MustCompile(`^http://[^/]+`).FindString(b.JS("location.href"))

	// Upload.
	b.Visit(home + "/templates")
	b.Do(chromedp.Click(`a[href="/studio"]`))
	b.Until("location.pathname === '/studio' && document.readyState === 'complete'")
	b.Do(chromedp.SetUploadFiles("#file", []string{summer(t)}), chromedp.Click(".actions .primary"))
	b.Until("location.pathname === '/studio/leto-na-dache' && document.readyState === 'complete'")
	const still = "document.querySelector('.stage img')"
	b.Until(still + ".complete && " + still + ".naturalWidth === 360")
	b.Shoot("studio-1")

	// Drag the box, and pull its corner.
	before := b.JS(still + ".src")
	x0, y0, w0, h0 := b.number("s1.x"), b.number("s1.y"), b.number("s1.w"), b.number("s1.h")
	b.JS("document.querySelector('.stage').scrollIntoView({ block: 'center' })")
	x, y := b.where(".box")
	b.mouse("mousePressed", x, y)
	b.mouse("mouseMoved", x, y-60)
	b.mouse("mouseMoved", x+4, y-120)
	b.mouse("mouseReleased", x+4, y-120)
	b.Until(still + ".src !== " + strconv.Quote(before))
	if b.number("s1.y") >= y0 || b.number("s1.x") <= x0 || b.number("s1.w") != w0 {
		t.Errorf("got the box at %d, %d; want it to follow the pointer from %d, %d", b.number("s1.x"), b.number("s1.y"), x0, y0)
	}
	x, y = b.where(".grip")
	b.mouse("mousePressed", x, y)
	b.mouse("mouseMoved", x-30, y+20)
	b.mouse("mouseReleased", x-30, y+20)
	b.Until(fmt.Sprintf("Number(document.getElementById('s1.w').value) < %d && "+
		"Number(document.getElementById('s1.h').value) > %d", w0, h0))

	// The bar on the timeline follows the pointer, and one of its ends alone.
	s0, e0 := b.JS("document.getElementById('s1.start').value"), b.JS("document.getElementById('s1.end').value")
	b.JS("document.querySelector('.bars').scrollIntoView({ block: 'center' })")
	x, y = b.where("[data-bar=s1]")
	b.mouse("mousePressed", x, y)
	b.mouse("mouseMoved", x+20, y)
	b.mouse("mouseReleased", x+20, y)
	b.Until("Number(document.getElementById('s1.start').value) > " + s0 + " && " +
		"Number(document.getElementById('s1.end').value) > " + e0)
	s1, e1 := b.JS("document.getElementById('s1.start').value"), b.JS("document.getElementById('s1.end').value")
	right, _ := strconv.ParseFloat(b.JS("document.querySelector('[data-bar=s1]').getBoundingClientRect().right"), 64)
	b.mouse("mousePressed", right-3, y)
	b.mouse("mouseMoved", right-30, y)
	b.mouse("mouseReleased", right-30, y)
	b.Until("document.getElementById('s1.start').value === '" + s1 + "' && " +
		"Number(document.getElementById('s1.end').value) < " + e1)

	// What is wrong stands beside its field, and goes when it is right.
	b.fill("s1.end", "99")
	b.Until("!document.getElementById('s1.end-fault').hidden && document.getElementById('s1.end').ariaInvalid === 'true'")
	b.Shoot("studio-2-fault")
	b.fill("s1.end", "4")
	b.Until("document.getElementById('s1.end-fault').hidden && document.getElementById('s1.end').ariaInvalid === null")

	// Another name is seen at once; a moment is set by the timeline.
	before = b.JS(still + ".src")
	b.fill("name", "Александра")
	b.Until(still + ".src !== " + strconv.Quote(before) + " && " + still + ".complete")
	b.fill("time", "2.4")
	b.Until("document.getElementById('at').value === '2.40'")
	b.Shoot("studio-3-name")

	// A picture is sent and lies on the film, and so does another text.
	b.Do(chromedp.SetUploadFiles("#extra", []string{star(t)}), chromedp.Click("#extras button"))
	b.Until("document.querySelector('#extras [role=status]').textContent.startsWith('star.png')")
	b.Do(chromedp.Click("[value=add-image]"))
	b.Until("document.readyState === 'complete' && document.getElementById('i1.file') !== null")
	b.JS("document.getElementById('i1.file').value = 'star.png'")
	for field, value := range map[string]string{"x": "10", "y": "10", "w": "80", "h": "80"} {
		b.fill("i1."+field, value)
	}
	b.Do(chromedp.Click("[value=add-text]"))
	b.Until("document.readyState === 'complete' && document.getElementById('t1.x') !== null && " +
		"document.getElementById('i1.file').value === 'star.png'")
	for field, value := range map[string]string{"text.ru": "Ура!", "text.en": "Hooray!", "x": "100", "y": "20",
		"w": "200", "h": "60"} {
		b.fill("t1."+field, value)
	}
	b.Until("[...document.querySelectorAll('.fault')].every(p => p.hidden)")
	before = b.JS(still + ".src")
	b.fill("t1.size", "40")
	b.Until(still + ".src !== " + strconv.Quote(before) + " && " + still + ".complete")
	b.Shoot("studio-3-more")

	// A video of it.
	b.Do(chromedp.Click("[value=video]"))
	b.Until("document.querySelector('#trial video')?.videoWidth === 360")
	b.Shoot("studio-4-video")

	// Save, and offer it.
	b.Do(chromedp.Click("[value=save]"))
	b.Until("document.readyState === 'complete' && " +
		"document.querySelectorAll('#studio [name=version][value=\"2\"]').length === 1")
	b.Do(chromedp.Click("[value=offer]"))
	b.Until("location.pathname === '/templates' && document.readyState === 'complete'")
	b.Shoot("studio-5-list")

	// A parent gets it, from a bot that was never restarted.
	b.Visit(address)
	b.Until("document.querySelectorAll('.phone').length === 3")
	maria := phone{b, 0}
	maria.write("Маша")
	maria.press("Лето на даче")
	maria.hasVideos(1)
	if got := b.JS(maria.find("video") + ".videoWidth + 'x' + " + maria.find("video") + ".videoHeight"); got != "360x640" {
		b.Until(maria.find("video") + ".videoWidth === 360")
	}
	b.Shoot("studio-6-parent")
	t.Logf("from an empty folder to the parent's video: %v", time.Since(began).Round(time.Second))

	// Everything is in Activity.
	b.Visit(home + "/activity?what=templates")
	for _, want := range []string{"made the template leto-na-dache", "saved the template leto-na-dache@2", "offered the template leto-na-dache"} {
		if got := b.JS("document.body.innerText"); !strings.Contains(got, want) {
			t.Errorf("got %s; want %q", got, want)
		}
	}

	// Without JavaScript the same by numbers.
	b.NoScripts()
	b.Visit(home + "/studio/leto-na-dache")
	b.Do(chromedp.SetValue("[id='s1.y']", "20"), chromedp.Click("[value=show]"))
	b.Until("document.getElementById('s1.y').getAttribute('value') === '20' && document.readyState === 'complete' && " +
		still + " !== null && " + still + ".naturalWidth === 360") // of the page that came back
	b.Shoot("studio-7-plain")
	b.Do(chromedp.SetValue("[id='s1.x']", "5000"), chromedp.Click("[value=save]"))
	b.Until("document.readyState === 'complete' && !document.getElementById('s1.box-fault').hidden")
	b.Do(chromedp.SetValue("[id='s1.x']", "30"), chromedp.Click("[value=save]"))
	b.Until("document.readyState === 'complete' && document.querySelector('[name=version]').value === '3'")
	b.Do(chromedp.Click("[value='back:2']"))
	b.Until("document.readyState === 'complete' && document.querySelector('[name=version]').value === '2'")
	if os.Getenv("SHOTS_DIR") != "" {
		b.Shoot("studio-8-back")
	}
}

// star is a picture for a template.
func star(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "star.png")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=gold:s=64x64", "-frames:v", "1",
		path).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return path
}
