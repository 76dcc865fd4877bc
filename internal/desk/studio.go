// The template studio: a film becomes a template. Where, when and how it shows the name is set with a picture of it.

package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"retake.example/internal/lang"
	"retake.example/internal/media"
	"retake.example/internal/video"
)

// mostPlaces is how often the studio lets a template show the name, and how many other texts and images it lets it
// have. By hand there may be more.
const mostPlaces = 12

// longestStudioField is how many letters a field of the studio may have.
const longestStudioField = 300

// Bench is what the studio shows of a template.
type Bench struct {
	Success  bool              `json:"success"`
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	Offered  bool              `json:"offered"`
	Version  int               `json:"version"`
	Versions []video.Version   `json:"versions"`
	Width    int               `json:"width"` // pixels
	Height   int               `json:"height"`
	Seconds  float64           `json:"seconds"` // of the film
	Sheet    video.Sheet       `json:"template"`
	Extras   video.Extras      `json:"files"` // that texts and images may name
	Warnings []string          `json:"warnings,omitempty"`
	Folder   string            `json:"folder"`
	Faults   map[string]string `json:"-"` // by field
	Others   []string          `json:"-"` // faults of what the studio has no field for
	Scene    bool              `json:"-"` // the film is drawn by Retake
	Name     string            `json:"-"`
	Lang     string            `json:"-"`
	At       string            `json:"-"` // seconds
	Picture  string            `json:"-"` // address of a still
	Film     string            `json:"-"` // address of a trial
	Langs    []Language        `json:"-"`
}

// Fault is what is wrong with a field.
func (s Bench) Fault(field string) Fault { return Fault{field, s.Faults[field]} }

// About are the attributes that tell of what is wrong with a field.
func (s Bench) About(field string) template.HTMLAttr {
	invalid := ""
	if s.Faults[field] != "" {
		invalid = ` aria-invalid="true"`
	}
	return template.HTMLAttr(`aria-describedby="` + field + `-fault"` + invalid)
}

// AskTemplate answers with the form for the film of a new template.
func (d *Desk) AskTemplate(w http.ResponseWriter, r *http.Request) error {
	if err := d.draws(); err != nil {
		return err
	}
	return d.answer(w, r, "studio-new", Frame{Title: sayTo(r)("studio_new", nil), Here: "/settings"},
		d.opts.Uploads.Page(""))
}

// AddTemplate makes a template of a film that an owner sends. It is not offered yet.
func (d *Desk) AddTemplate(w http.ResponseWriter, r *http.Request) error {
	if err := d.draws(); err != nil {
		return err
	}
	leave, ok := d.uploads.enter(sessionOf(r))
	if !ok {
		return d.opts.Uploads.Refuse(w, r, TooManyUploads)
	}
	defer leave()
	sent, err := d.opts.Uploads.Receive(w, r, lang.ParseTitle)
	if err != nil {
		return fmt.Errorf("take the film of a template: %w", err)
	}
	defer sent.Discard()
	title := cmp.Or(sent.Title, lang.TitleOf(sent.File), sayTo(r)("studio_untitled", nil))
	id, err := d.opts.Shelf.AddFilm(r.Context(), title, sent.Path, sent.Kind)
	if faults, ok := errors.AsType[video.Faults](err); ok {
		return filmFault(faults)
	} else if err != nil {
		return fmt.Errorf("make a template of a film: %w", shelved(err))
	}
	if err := d.noteTemplate(AdminOf(r), "template add", id); err != nil {
		return err
	}
	return doneAt(w, r, "/studio/"+id+"?notice=template-added", "added", id)
}

// filmFault says why a film cannot become a template.
func filmFault(faults video.Faults) error {
	why := strings.Join(slices.Sorted(maps.Values(video.FieldsOf(faults))), "; ")
	switch {
	case strings.Contains(why, "at most 10m0s"):
		return Invalid("studio_film_long", nil)
	case strings.Contains(why, "not a video") || strings.Contains(why, "cannot read this as a video"):
		return HTTPErrorOf(video.ErrUnplayable)
	}
	return Invalid("studio_film_fault", Vars{"Why": why})
}

// Studio answers with the page of a template of the operator's.
func (d *Desk) Studio(w http.ResponseWriter, r *http.Request) error {
	view, t, err := d.studio(r, nil)
	if err != nil {
		return err
	}
	err = d.lookAt(r.Context(), &view, t.ID, t.Text)
	if _, ofFields := errors.AsType[video.Faults](err); err != nil && !ofFields { // else it stands at its field
		view.Others = append(view.Others, d.unable(r, err).Words(r))
	}
	return d.answer(w, r, "studio", d.studioFrame(r, view), view)
}

func (d *Desk) studioFrame(r *http.Request, view Bench) Frame {
	return Frame{Title: cmp.Or(view.Title, view.ID), SignedIn: true, Here: "/settings",
		Notice: Notice(sayTo(r), r.URL.Query())}
}

// studio begins the page with the template as it is, changed by the fields that were sent.
func (d *Desk) studio(r *http.Request, sent map[string]string) (view Bench, t video.Template, err error) {
	if err := d.draws(); err != nil {
		return view, t, err
	}
	if t, err = d.opts.Shelf.Template(r.PathValue("id")); err != nil || !t.Own {
		return view, t, fs.ErrNotExist
	}
	language := languageOf(r)
	_, offered := d.opts.Offers.Find(t.ID)
	view = Bench{Success: true, ID: t.ID, Offered: offered, Version: t.Version, Versions: t.Versions,
		Title:  d.opts.Shelf.Title(t.Order, language),
		Folder: path.Join(d.opts.Shelf.Folder(), t.ID), Faults: map[string]string{}, Scene: t.Film == "",
		Name: cmp.Or(sent["name"], sayTo(r)("studio_sample", nil)), Lang: cmp.Or(sent["lang"], language), At: sent["at"]}
	if !slices.Contains(lang.Languages, view.Lang) {
		return view, t, Invalid("error_language", Vars{"Offered": strings.Join(lang.Languages, ", ")})
	}
	for _, l := range lang.Languages {
		view.Langs = append(view.Langs, Language{l, languageName(l)})
	}
	if view.Sheet, err = video.ReadSheet(t.Text, lang.Languages); err != nil {
		view.Others = append(view.Others, oneFault(err)) // written by hand
		err = nil
	}
	if view.Extras, err = d.opts.Shelf.Extras(t.ID); err != nil {
		return view, t, err
	}
	as := func() video.Place { return video.Place{Text: map[string]string{}} }
	view.Sheet.Segments = counted(view.Sheet.Segments, sent["places"], as)
	view.Sheet.Texts = counted(view.Sheet.Texts, sent["texts"], as)
	view.Sheet.Images = counted(view.Sheet.Images, sent["images"], func() video.Image { return video.Image{} })
	bind(&view.Sheet, func(field string, value *string) {
		if text, ok := sent[field]; ok {
			*value = text
		}
	})
	return view, t, nil
}

// counted is a list with as many as the form has: those that are not saved yet come behind the others.
func counted[T any](list []T, n string, another func() T) []T {
	if n, err := strconv.Atoi(n); err == nil && n >= 0 && n <= max(len(list), mostPlaces) {
		for len(list) < n {
			list = append(list, another())
		}
		return list[:n]
	}
	return list
}

func oneFault(err error) string {
	if faults, ok := errors.AsType[video.Faults](err); ok && len(faults) > 0 {
		return Excerpt(faults[0])
	}
	return Excerpt(err.Error())
}

// bind calls do with each field of a sheet, by its name in the form.
func bind(s *video.Sheet, do func(field string, value *string)) {
	texts := func(prefix string, by *map[string]string) {
		if *by == nil {
			*by = map[string]string{}
		}
		for _, l := range lang.Languages {
			text := (*by)[l]
			do(prefix+"."+l, &text)
			(*by)[l] = text
		}
	}
	texts("title", &s.Title)
	do("aspect", &s.Aspect)
	do("still", &s.Still)
	do("music", &s.Music)
	fields := func(at string, values map[string]*string) {
		for name, value := range values {
			do(at+name, value)
		}
	}
	places := func(kind string, list []video.Place) {
		for i := range list {
			p, at := &list[i], fmt.Sprintf("%s%d.", kind, i+1)
			fields(at, map[string]*string{"start": &p.Start, "end": &p.End, "x": &p.X, "y": &p.Y, "w": &p.W, "h": &p.H,
				"size": &p.Size, "font": &p.Font, "style": &p.Style, "color": &p.Color, "outline": &p.Outline,
				"glow": &p.Glow, "align": &p.Align, "animation": &p.Animation})
			texts(at+"text", &p.Text)
		}
	}
	places("s", s.Segments)
	places("t", s.Texts)
	for n := range s.Images {
		i := &s.Images[n]
		fields(fmt.Sprintf("i%d.", n+1), map[string]*string{"file": &i.File, "start": &i.Start, "end": &i.End, "x": &i.X,
			"y": &i.Y, "w": &i.W, "h": &i.H, "opacity": &i.Opacity, "animation": &i.Animation})
	}
	texts("voice.text", &s.Voice.Text)
	do("voice.start", &s.Voice.Start)
	do("voice.duck", &s.Voice.Duck)
}

// write returns the template.toml that the fields make, and what is wrong with them before anybody reads it.
func (d *Desk) write(r *http.Request, view *Bench, t video.Template) ([]byte, error) {
	say := sayTo(r)
	bind(&view.Sheet, func(field string, value *string) {
		name, inner, _ := strings.Cut(field, ".")
		if name != "title" && strings.HasPrefix(inner, "text.") || strings.HasPrefix(field, "voice.text") {
			field = strings.TrimSuffix(field, path.Ext(field)) // the languages of a text have one place for faults
		} else if name == "title" {
			field = name
		}
		switch {
		case strings.ContainsFunc(*value, isUnseen):
			view.Faults[field] = say("studio_hidden", nil)
		case len([]rune(*value)) > longestStudioField:
			view.Faults[field] = say("studio_long", Vars{"N": longestStudioField})
		}
	})
	if len(view.Faults) > 0 {
		return nil, video.Faults{}
	}
	return view.Sheet.Write(t.Text, lang.Languages)
}

// isUnseen reports whether a letter is not seen, or turns others round.
func isUnseen(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Co, unicode.Cs) || unicode.Is(unicode.Bidi_Control, r) && r != '\u200e' &&
		r != '\u200f'
}

// lookAt finds out what a template.toml makes of the film. What is wrong stands at its field then, and the error is
// video.Faults.
func (d *Desk) lookAt(ctx context.Context, view *Bench, id string, text []byte) error {
	draft, err := d.opts.Shelf.Draft(id, text)
	var about video.About
	if err == nil {
		about, err = draft.About(ctx)
	}
	if err != nil {
		d.blame(view, err)
		return err
	}
	view.Width, view.Height, view.Seconds = about.Width, about.Height, about.Length.Seconds()
	view.Warnings = about.Warnings
	if view.At == "" {
		view.At = strconv.FormatFloat(draft.StillAt().Seconds(), 'f', 2, 64)
	}
	return nil
}

// placeKey matches a key of a segment, a text or an image in a template's fault.
var placeKey = regexp.MustCompile(`^(segment|text|image)\[(\d+)\]\.(\w+)$`)

// blame puts the faults of a template at their fields.
func (d *Desk) blame(view *Bench, err error) {
	faults, ok := errors.AsType[video.Faults](err)
	if !ok {
		return
	}
	for key, text := range video.FieldsOf(faults) {
		field := key
		if m := placeKey.FindStringSubmatch(key); m != nil {
			field = m[1][:1] + m[2] + "." + m[3]
		}
		if _, known := studioFaults[field[strings.LastIndex(field, ".")+1:]]; !known {
			view.Others = append(view.Others, Excerpt(text))
			continue
		}
		view.Faults[field] = text
	}
	slices.Sort(view.Others)
}

// studioFaults are what the studio asks for in a field, by the last part of its name; Vars are W, H and Length.
var studioFaults = map[string]string{"title": "studio_fault_title", "still": "studio_fault_still",
	"start": "studio_fault_start", "end": "studio_fault_end", "box": "studio_fault_box", "text": "studio_fault_text",
	"size": "studio_fault_size", "font": "studio_fault_font", "color": "studio_fault_color",
	"outline": "studio_fault_color", "glow": "studio_fault_color", "duck": "studio_fault_duck",
	"music": "studio_fault_music", "file": "studio_fault_file", "opacity": "studio_fault_opacity",
	"style": "error_form", "align": "error_form", "animation": "error_form", "aspect": "error_form"}

// translate says the faults of fields in the reader's words.
func (d *Desk) translate(r *http.Request, view *Bench) {
	say := sayTo(r)
	for field, text := range view.Faults {
		id := studioFaults[field[strings.LastIndex(field, ".")+1:]]
		switch { // what is only there while something else is has no times of its own
		case strings.HasPrefix(field, "t") && id == "studio_fault_text":
			id = "studio_fault_words"
		case !strings.HasPrefix(field, "s") && id == "studio_fault_end":
			id = "studio_fault_until"
		}
		if id == "" || text == say("studio_hidden", nil) || text == say("studio_long", Vars{"N": longestStudioField}) {
			continue
		}
		view.Faults[field] = say(id, Vars{"W": view.Width, "H": view.Height, "Length": decimal(say, view.Seconds),
			"Sign": "{{.Name}}"})
	}
}

// WorkOnTemplate shows what the fields make of the film, saves them as a new version, or goes back to an older one.
func (d *Desk) WorkOnTemplate(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	view, t, err := d.studio(r, sent)
	if err != nil {
		return err
	}
	do, number, _ := strings.Cut(sent["do"], ":")
	arranged := false // there is one place, text or image more, or one less
	switch do {
	case "back":
		return d.goBack(w, r, t, number)
	case "show", "video", "save":
	default:
		if arranged = arrange(&view.Sheet, do, number); !arranged {
			return Invalid("error_form", nil)
		}
	}
	// What the film is does not depend on what was typed.
	if was := view; d.lookAt(r.Context(), &was, t.ID, t.Text) == nil {
		view.Width, view.Height, view.Seconds = was.Width, was.Height, was.Seconds
		view.At = cmp.Or(view.At, was.At)
	}
	text, err := d.write(r, &view, t)
	if err == nil {
		err = d.lookAt(r.Context(), &view, t.ID, text)
	}
	outcome := map[string]any{"success": true}
	if err == nil {
		switch do {
		case "save":
			return d.saveTemplate(w, r, view, t, text, sent["version"])
		case "show":
			err = d.showStill(r, &view, t.ID, text)
			outcome["picture"] = view.Picture
			outcome["width"], outcome["height"] = view.Width, view.Height
		case "video":
			err = d.showVideo(r, &view, t.ID, text)
			outcome["video"] = view.Film
		}
	}
	_, ofFields := errors.AsType[video.Faults](err)
	if err != nil && !ofFields {
		return d.refuseUnable(w, r, view, fmt.Errorf("show template %s: %w", t.ID, err))
	}
	d.translate(r, &view)
	if len(view.Faults)+len(view.Others) == 0 || arranged {
		if WantsJSON(r) {
			return JSON(w, http.StatusOK, outcome)
		}
		if arranged { // what is new has not been filled in
			view.Faults, view.Others = map[string]string{}, nil
		}
		return d.page(w, r, http.StatusOK, "studio", d.studioFrame(r, view), view)
	}
	return d.refuseTemplate(w, r, view)
}

func (d *Desk) refuseTemplate(w http.ResponseWriter, r *http.Request, view Bench) error {
	fields := maps.Clone(view.Faults)
	if len(view.Others) > 0 {
		fields["template"] = strings.Join(view.Others, "\n")
	}
	return d.refuse(w, r, Invalid("studio_faults", nil), "studio", cmp.Or(view.Title, view.ID), view, fields)
}

// unable says that the machine could not do what was asked, and why.
func (d *Desk) unable(r *http.Request, err error) HTTPError {
	e := HTTPErrorOf(err)
	if e.Code == Internal.Code || e.ID == Unable.ID || errors.Is(err, fs.ErrNotExist) {
		e = HTTPError{http.StatusServiceUnavailable, Unavailable, "studio_unable",
			Vars{"Why": Reason(sayTo(r), video.CodeOf(err), err.Error(), "problem_render")}}
	}
	d.note(r, e, err)
	return e
}

// refuseUnable answers that the machine could not do what was asked. The form has what was typed.
func (d *Desk) refuseUnable(w http.ResponseWriter, r *http.Request, view Bench, err error) error {
	e := d.unable(r, err)
	d.translate(r, &view)
	view.Others = append(view.Others, e.Words(r))
	return d.refuse(w, r, e, "studio", cmp.Or(view.Title, view.ID), view, map[string]string{})
}

// arrange adds a place, a text or an image like the last one, or removes one. It reports whether that was asked.
func arrange(s *video.Sheet, do, number string) bool {
	switch do {
	case "add", "remove":
		s.Segments = changed(s.Segments, do == "add", number, 1, likePlace)
	case "add-text", "remove-text":
		s.Texts = changed(s.Texts, do == "add-text", number, 0, likePlace)
	case "add-image", "remove-image":
		s.Images = changed(s.Images, do == "add-image", number, 0, func(i video.Image) video.Image { return i })
	default:
		return false
	}
	return true
}

func likePlace(p video.Place) video.Place {
	if p.Text = maps.Clone(p.Text); p.Text == nil {
		p.Text = map[string]string{}
	}
	return p
}

// changed is a list with one more, or one less as long as there are more than so many.
func changed[T any](list []T, add bool, number string, least int, like func(T) T) []T {
	n, err := strconv.Atoi(number)
	switch {
	case add && len(list) < mostPlaces:
		var last T
		if len(list) > 0 {
			last = list[len(list)-1]
		}
		return append(list, like(last))
	case !add && err == nil && n >= 1 && n <= len(list) && len(list) > least:
		return slices.Delete(list, n-1, n)
	}
	return list
}

// name reads the name that the template is tried with; a fault of it stands at its field.
func (d *Desk) tryName(r *http.Request, view *Bench, draft *video.Draft) (string, error) {
	name, _, problem := lang.ParseName(view.Name)
	if problem == "" {
		if err := draft.CanDraw(name); errors.Is(err, video.ErrCannotDraw) {
			problem = "name_undrawable"
		} else if err != nil {
			return "", err
		}
	}
	if problem != "" {
		view.Faults["name"] = sayTo(r)(problem, nil)
		return "", video.Faults{}
	}
	return name, nil
}

// try begins a trial: it waits for one of the slots, and reads the template and the name. leave ends it.
func (d *Desk) try(r *http.Request, slots chan struct{}, view *Bench, id string, text []byte) (
	draft *video.Draft, o video.Order, leave func(), err error) {
	if leave, err = turn(r.Context(), slots); err != nil {
		return nil, o, nil, err
	}
	o = video.Order{Asset: "trial", Lang: view.Lang}
	if draft, err = d.opts.Shelf.Draft(id, text); err == nil {
		o.Name, err = d.tryName(r, view, draft)
	}
	if err != nil {
		leave()
	}
	return draft, o, leave, err
}

func (d *Desk) showStill(r *http.Request, view *Bench, id string, text []byte) error {
	draft, o, leave, err := d.try(r, d.trials.stills, view, id, text)
	if err != nil {
		return err
	}
	defer leave()
	at, err := strconv.ParseFloat(strings.Replace(view.At, ",", ".", 1), 64)
	if err != nil || !(at >= 0 && at <= view.Seconds) {
		view.Faults["at"] = sayTo(r)("studio_fault_still", Vars{"Length": decimal(sayTo(r), view.Seconds)})
		return video.Faults{}
	}
	moment := time.Duration(min(at, view.Seconds-0.001) * float64(time.Second))
	file, discard, err := draft.Still(r.Context(), o, moment)
	if err != nil {
		return err
	}
	key, err := d.trials.keep(file, ".jpg", discard)
	view.Picture = "/studio/" + id + "/trial/" + key
	return err
}

func (d *Desk) showVideo(r *http.Request, view *Bench, id string, text []byte) error {
	draft, o, leave, err := d.try(r, d.trials.films, view, id, text)
	if err != nil {
		return err
	}
	defer leave()
	made, err := draft.Make(r.Context(), o)
	if err != nil {
		return err
	}
	key, err := d.trials.keep(made.Path, ".mp4", made.Discard)
	view.Film = "/studio/" + id + "/trial/" + key
	return err
}

// saveTemplate makes the fields the next version of the template. If it is offered, the bot makes that one from now on.
func (d *Desk) saveTemplate(w http.ResponseWriter, r *http.Request, view Bench, t video.Template, text []byte,
	seen string) error {
	for l, title := range view.Sheet.Title {
		if _, problem := lang.ParseTitle(title); problem != "" {
			view.Faults["title"] = sayTo(r)(problem, nil) + " (" + l + ")"
			return d.refuseTemplate(w, r, view)
		}
	}
	from := t.Version
	if n, err := strconv.Atoi(seen); err == nil {
		from = n
	}
	version, err := d.opts.Shelf.Save(r.Context(), t.ID, text, from)
	if _, ok := errors.AsType[video.Faults](err); ok {
		d.blame(&view, err)
		d.translate(r, &view)
		return d.refuseTemplate(w, r, view)
	} else if err != nil {
		return d.refuseUnable(w, r, view, fmt.Errorf("save template %s: %w", t.ID, shelved(err)))
	}
	if err := d.served(r, t.ID, "template save", fmt.Sprintf("%s@%d", t.ID, version)); err != nil {
		return err
	}
	return doneAt(w, r, "/studio/"+t.ID+"?notice=template-saved", "saved", fmt.Sprintf("%s@%d", t.ID, version))
}

// goBack makes another version the current one.
func (d *Desk) goBack(w http.ResponseWriter, r *http.Request, t video.Template, number string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return Invalid("error_form", nil)
	}
	if err := d.opts.Shelf.Back(t.ID, n); err != nil {
		return fmt.Errorf("go back to version %d of template %s: %w", n, t.ID, shelved(err))
	}
	if err := d.served(r, t.ID, "template back", fmt.Sprintf("%s@%d", t.ID, n)); err != nil {
		return err
	}
	return doneAt(w, r, "/studio/"+t.ID+"?notice=template-back", "back", fmt.Sprintf("%s@%d", t.ID, n))
}

// served notes what was done with a template, and lets the bot have its current version if it is offered.
func (d *Desk) served(r *http.Request, id, action, of string) error {
	if _, offered := d.opts.Offers.Find(id); !offered {
		return d.noteTemplate(AdminOf(r), action, of)
	}
	return d.offer(action, of, AdminOf(r), func(ids []string) ([]string, error) { return ids, nil })
}

// AddStudioFile keeps a picture, a sound or a font for a template. Nothing shows it yet.
func (d *Desk) AddStudioFile(w http.ResponseWriter, r *http.Request) error {
	if err := d.draws(); err != nil {
		return err
	}
	id := r.PathValue("id")
	leave, ok := d.uploads.enter(sessionOf(r))
	if !ok {
		return d.opts.Uploads.Refuse(w, r, TooManyUploads)
	}
	defer leave()
	sent, err := d.opts.Uploads.ReceiveExtra(w, r)
	if errors.Is(err, ErrUnsupported) {
		return Invalid("studio_file_kind", nil)
	} else if err != nil {
		return fmt.Errorf("take a file of a template: %w", err)
	}
	defer sent.Discard()
	name, err := d.opts.Shelf.AddExtra(r.Context(), id, lang.TitleOf(sent.File), sent.Path, sent.Kind)
	if faults, ok := errors.AsType[video.Faults](err); ok {
		return Invalid("studio_file_fault", Vars{"Why": faults[0]})
	} else if err != nil {
		return fmt.Errorf("keep a file of template %s: %w", id, shelved(err))
	}
	if err := d.noteTemplate(AdminOf(r), "template file", id); err != nil {
		return err
	}
	return doneAt(w, r, "/studio/"+id+"?notice=template-file", "added", name)
}

// StudioFilm answers with the film of a template as a browser plays it.
func (d *Desk) StudioFilm(w http.ResponseWriter, r *http.Request) error {
	if err := d.draws(); err != nil {
		return err
	}
	t, err := d.opts.Shelf.Template(r.PathValue("id"))
	if err != nil {
		return err
	}
	f, err := d.opts.Shelf.OpenFilm(r.Context(), t, languageOf(r))
	if err != nil {
		return fmt.Errorf("film of template %s: %w", t.ID, err)
	}
	defer f.Close()
	return serveTrial(w, r, f, cmp.Or(t.Film, "scene.mp4"))
}

// StudioTrial answers with a picture or a video that was tried.
func (d *Desk) StudioTrial(w http.ResponseWriter, r *http.Request) error {
	key := r.PathValue("f")
	file, _, ok := d.trials.find(key)
	if !ok {
		return NotFound
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return serveTrial(w, r, f, key)
}

func serveTrial(w http.ResponseWriter, r *http.Request, f *os.File, name string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", cmp.Or(media.TypeOf(path.Base(name)), "video/mp4"))
	w.Header().Set("Cache-Control", "private, no-cache")
	http.ServeContent(w, r, "", info.ModTime(), f)
	return nil
}
