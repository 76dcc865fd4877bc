// Tests that no name leaves the database but to those it belongs to, and that the privacy page is true.

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/text/unicode/norm"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
)

// traces are the forms in which a name may be found where none should be: as typed, folded, decomposed, escaped, in
// Latin letters, and each of its words.
func traces(name string, latin ...string) (all []string) {
	for _, word := range append(strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '-' }), name) {
		quoted := strconv.QuoteToASCII(word)
		all = append(all, word, norm.NFD.String(word), url.QueryEscape(word), quoted[1:len(quoted)-1])
	}
	return append(all, latin...)
}

// quoting is a renderer that breaks for some names until it is repaired, and quotes them in every way.
type quoting struct {
	renderer
	repaired *atomic.Bool
}

func (h quoting) Make(ctx context.Context, o video.Order, progress func(int)) (video.Video, error) {
	if strings.HasPrefix(o.Name, "Сбоева") || strings.HasPrefix(o.Name, "Пантелеймон") && !h.repaired.Load() {
		return video.Video{}, fmt.Errorf(
			"cannot make %s, %s, %s, %q, %+q, %s, %s, %s, %s",
			o.Name,
			strings.ToLower(o.Name),
			strings.ToUpper(o.Name),
			o.Name,
			o.Name,
			url.QueryEscape(o.Name),
			base64.StdEncoding.EncodeToString([]byte(o.Name)),
			html.EscapeString(strings.Fields(o.Name)[0]),
			string([]rune(o.Name)[:4]),
		)
	}
	return h.renderer.Make(ctx, o, progress)
}

// TestNoNameLeavesTheDatabaseButToWhomItBelongs runs the whole program, with its own renderer and voice, through all
// that happens to names, and looks for them where they should not be.
func TestNoNameLeavesTheDatabaseButToWhomItBelongs(t *testing.T) {
	t.Parallel()
	names := map[string][]string{ // in Latin letters
		"Аглаида":         {"aglaida", "aglaída"},
		"Зебулония":       {"zebuloniya", "zebulonia", "zebulonija"},
		"Ягуария-Эсмира":  {"yaguariya", "jaguarija", "yaguaria", "esmira", "ehsmira"},
		"Siobhánna":       {"siobhanna"},
		"Пантелеймон":     {"panteleimon", "panteleymon", "pantelejmon"},
		"Сбоева Фёкла":    {"sboeva", "fekla", "fyokla", "фекла"},
		"Черновикия":      {"chernovikiya", "chernovikia"},
		"Отменизавра":     {"otmenizavra"},
		"Самоделкиния":    {"samodelkiniya", "samodelkinia"},
		"Загрузилия":      {"zagruziliya", "zagruzilia"},
		"Цифрозавра":      {"cifrozavra", "tsifrozavra"},
		"Матьпятилетняя":  {"matpyatiletnyaya"}, // what a person is called
		"Админагорделиво": {"adminagordelivo"},
	}
	templates := t.TempDir()
	film := filepath.Join(templates, "clock")
	if err := os.Mkdir(film, 0o700); err != nil {
		t.Fatal(err)
	}
	if b, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3", "-f", "lavfi",
		"-i", "sine=d=3", filepath.Join(film, "film.mp4")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	if err := os.WriteFile(filepath.Join(film, "template.toml"), []byte("title = \"Clock\"\nfilm = "+
		"\"film.mp4\"\n[[segment]]\nstart = 1\nend = 2\nbox = [10, 10, 300, 80]\n[voice]\ntext = \"{{.Name}}!\"\nstart "+
		"= 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tg := faketelegram.New(testToken)
	api := httptest.NewServer(tg)
	l, err := listenNear("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	cfg, err := LoadConfig(
		"",
		[]string{
			"RETAKE_DATA_DIR=" + dir,
			"RETAKE_WEB_LISTEN=" + address,
			"RETAKE_WEB_BASE_URL=http://" + address,
			"RETAKE_TELEGRAM_TOKEN=" + testToken,
			"RETAKE_TELEGRAM_API_URL=" + api.URL,
			"RETAKE_TELEGRAM_OWNERS=[900]",
			"RETAKE_RENDER_TEMPLATES=" + templates,
			"RETAKE_RENDER_TEMPLATE=clock",
			"RETAKE_QUEUE_BACKOFF=20ms",
			"RETAKE_QUEUE_OUTAGE_AFTER=1000",
			"RETAKE_LIMITS_OPEN=100",
			"RETAKE_LIMITS_PER_HOUR=100",
			"RETAKE_LIMITS_PER_DAY=100",
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, tg: tg, log: &journal{}}
	log := slog.New(
		slog.NewTextHandler(
			w.log,
			&slog.HandlerOptions{Level: slog.LevelDebug - 8, AddSource: true, ReplaceAttr: telegram.Redact(testToken)},
		),
	)
	var repaired atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	printed := &journal{}
	go func() {
		done <- serveWith(ctx, cfg, log, printed, func(r renderer) renderer { return quoting{r, &repaired} })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		tg.Close()
		api.Close()
	})
	var places []string
	look := func() { // which files there are, now
		filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error {
			places = append(places, strings.TrimPrefix(path, dir))
			return nil
		})
	}

	parent, other, admin := tg.Person(
		1,
		"Матьпятилетняя",
		"ru",
	), tg.Person(
		2,
		"Ольга",
		"ru",
	), tg.Person(
		900,
		"Админагорделиво",
		"ru",
	)
	w.until("the start", func() bool { return strings.Contains(w.log.String(), "retake is running") })
	for _, name := range []string{"Аглаида", "Зебулония", "Ягуария-Эсмира", "Siobhánna", "Пантелеймон", "Сбоева Фёкла"} {
		w.asks(parent, name)
	}
	look()
	w.asks(other, "Аглаида")
	w.getsVideos(parent, 4)
	w.getsVideos(other, 1)
	look()
	sorry := w.hears(parent, "видео для Пантелеймон")
	w.hears(parent, "видео для Сбоева Фёкла")
	repaired.Store(true)
	press(parent, sorry, 0)
	w.getsVideos(parent, 5)
	w.names(parent, "Черновикия")
	parent.Send("Цифрозавра5")
	w.hears(parent, "цифры")
	parent.SendKind("voice")
	w.hears(parent, "только текст")
	for _, command := range []string{"/start", "/status", "/help", "/privacy", "/my_data", "/language", "/nonsense",
		"/cancel Отменизавра"} {
		parent.Send(command)
	}
	w.hears(parent, "В этом файле всё")
	parent.Press(sorry.ID, "make:Черновикия")
	parent.Press(sorry.ID, "retry_failed_video:Аглаида")

	// An admin looks, makes one, uploads one, tries again, and deletes.
	admin.Send("/admin")
	link := regexp.MustCompile(`http://\S+/login/\S+`).FindString(w.hears(admin, "/login/").Text)
	resp, err := http.DefaultTransport.RoundTrip(post(t, link))
	if err != nil || len(resp.Cookies()) != 1 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	session := resp.Cookies()[0]
	do := func(method, target, kind string, body io.Reader) string {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+address+target, body)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(session)
		r.Header.Set("Accept", "application/json")
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	const plain = "application/x-www-form-urlencoded"
	do("POST", "/assets", plain, strings.NewReader("name="+url.QueryEscape("Самоделкиния")))
	do("POST", "/assets", plain, strings.NewReader("name="+url.QueryEscape("Цифрозавра5")))
	path, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	upload, kind := form(part{"title", "", "Загрузилия"}, part{"file", "Загрузилия.mp4", string(content)})
	if got := do("POST", "/uploads", kind, bytes.NewReader(upload)); !strings.Contains(got, "uploaded") {
		t.Errorf("got %s; want it uploaded", got)
	}
	broken, kind := form(part{"title", "", "Загрузилия"}, part{"file", "Загрузилия.mp4", "no video"})
	do("POST", "/uploads", kind, bytes.NewReader(broken))
	var library struct {
		Assets []struct{ ID, Name, Status string }
	}
	settled := func() bool {
		library.Assets = nil
		if err := json.Unmarshal([]byte(do("GET", "/", "", nil)), &library); err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc(library.Assets, func(a struct{ ID, Name, Status string }) bool {
			return a.Status == "PENDING" || a.Status == "PROCESSING"
		})
	}
	w.until("the admin's video", settled)
	look()
	var metrics string
	for _, a := range library.Assets {
		for _, target := range []string{"/assets/" + a.ID, "/media/" + a.ID, "/thumbs/" + a.ID,
			"/?q=" + url.QueryEscape(a.Name), "/assets/" + url.PathEscape(a.Name), "/retry-all?q=" + url.QueryEscape(a.Name)} {
			do("GET", target, "", nil)
		}
		do("POST", "/assets/"+a.ID+"/retry", plain, strings.NewReader("platform="+url.QueryEscape(a.Name)))
		do(
			"POST",
			"/assets/"+a.ID+"/publish",
			plain,
			strings.NewReader("rumble=yes&privacy=public&made_for_kids=yes&title="+url.QueryEscape(a.Name)),
		)
		if a.Name == "Загрузилия" || a.Name == "Самоделкиния" {
			do("POST", "/assets/"+a.ID+"/delete", plain, strings.NewReader("title="+url.QueryEscape(a.Name)))
			do("POST", "/bin", plain, strings.NewReader("do=erase&id="+a.ID+"&title="+url.QueryEscape(a.Name)))
		}
	}
	for _, target := range []string{"/activity", "/settings", "/channels", "/readyz", "/healthz"} {
		do("GET", target, "", nil)
	}
	metrics = do("GET", "/metrics", "", nil)
	w.until("the end of the retries", settled)

	parent.Send("/delete_my_data")
	press(parent, w.hears(parent, "Удалить всё, что я о вас храню?"), 0)
	w.until("the answer", func() bool {
		return slices.ContainsFunc(answers(parent), func(m faketelegram.Message) bool {
			return strings.Contains(m.Text, "удалил") || strings.Contains(m.Text, "удалено")
		})
	})
	// Only the name that somebody else asked for, too, is still there to be seen and heard.
	w.until("the files of forgotten names gone", func() bool {
		clips, _ := filepath.Glob(filepath.Join(dir, "cache", "voice", "*"))
		films, _ := filepath.Glob(filepath.Join(dir, "media", "[A-Z2-7]*"))
		return len(clips) == 1 && len(films) == 2
	})
	look()

	if n := len(slices.DeleteFunc(slices.Clone(places),
		func(p string) bool { return !strings.Contains(p, "/cache/voice/") })); n < 5 {
		t.Errorf("got %d sightings of spoken names in %q; want the voice to have been used", n, places)
	}
	if !strings.Contains(w.log.String(), "attempt failed") || strings.Contains(w.log.String(), "cannot make") {
		t.Errorf("got the log %s; want the failures in it, and none of the engine's words", w.log)
	}
	var buttons, files []string
	for _, c := range tg.Calls() {
		for _, data := range regexp.MustCompile(`"callback_data":"((?:[^"\\]|\\.)*)"`).FindAllStringSubmatch(c.
			Params["reply_markup"], -1) {
			buttons = append(buttons, data[1])
		}
		files = append(files, c.Method)
	}
	if len(buttons) < 20 {
		t.Errorf("got %d buttons; want all there were", len(buttons))
	}
	for where, text := range map[string]string{"the log": w.log.String(), "what is printed": printed.String(),
		"/metrics": metrics, "file names": strings.Join(places, "\n"),
		"buttons": strings.Join(buttons, "\n"), "methods": strings.Join(files, " ")} {
		text = strings.ToLower(strings.ReplaceAll(text, `\\`, `\`)) // the log escapes what is escaped
		for name, latin := range names {
			for _, trace := range traces(name, latin...) {
				if i := strings.Index(text, strings.ToLower(trace)); i >= 0 {
					t.Errorf("%s: got %q of %s in …%s…", where, trace, name, text[max(0, i-200):min(len(text), i+100)])
					break
				}
			}
		}
	}
}
