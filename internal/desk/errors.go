// What a client is told about an error: a status, a code for programs and a message for people.

package desk

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"syscall"

	"retake.example/internal/media"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// HTTPError is an error that the client is told, in words for people and a code for programs.
type HTTPError struct {
	Status   int
	Code, ID string // ID is of the message
	Vars     Vars
}

func (e HTTPError) Error() string { return e.Code + ": " + e.ID }

// Words is the message in the reader's language.
func (e HTTPError) Words(r *http.Request) string { return sayTo(r)(e.ID, e.Vars) }

// Invalid refuses what was sent.
func Invalid(id string, vars Vars) HTTPError {
	return HTTPError{http.StatusUnprocessableEntity, "INVALID", id, vars}
}

// Errors that handlers and middleware return by name.
var (
	SignedOut = HTTPError{http.StatusUnauthorized, "UNAUTHORIZED", "error_signed_out", nil}
	BadToken  = HTTPError{http.StatusUnauthorized, "BAD_TOKEN", "error_bad_token", nil}
	OtherSite = HTTPError{http.StatusForbidden, "CROSS_ORIGIN", "error_other_site", nil}
	BadLink   = HTTPError{http.StatusForbidden, "BAD_LINK", "error_bad_link", nil}
	TooMany   = HTTPError{http.StatusTooManyRequests, "TOO_MANY", "error_too_many", nil}
	TooLarge  = HTTPError{http.StatusRequestEntityTooLarge, "TOO_LARGE", "error_too_large", nil}
	NotFound  = HTTPError{http.StatusNotFound, "NOT_FOUND", "error_not_found", nil}
	NoMethod  = HTTPError{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "error_method", nil}
	Conflict  = HTTPError{http.StatusConflict, "CONFLICT", "error_conflict", nil}
	NotReady  = HTTPError{http.StatusConflict, "NOT_READY", "error_not_ready", nil}
	DiskFull  = HTTPError{http.StatusInsufficientStorage, "DISK_FULL", "upload_disk_full", nil}
	Away      = HTTPError{http.StatusServiceUnavailable, "STORE_AWAY", "error_store_away", nil}
	Unable    = HTTPError{http.StatusServiceUnavailable, Unavailable, "error_unable", nil}
	Internal  = HTTPError{http.StatusInternalServerError, "INTERNAL", "error_internal", nil}
)

// What one session does too much of at a time.
var (
	TooManyPages   = HTTPError{http.StatusTooManyRequests, "TOO_MANY", "error_too_many_pages", nil}
	TooManyUploads = HTTPError{http.StatusTooManyRequests, "TOO_MANY", "upload_too_many", nil}
)

// Unavailable is the code for what the machine cannot do just now.
const Unavailable = "UNAVAILABLE"

// httpErrors are what the client is told about an error.
var httpErrors = []struct {
	err    error
	answer HTTPError
}{
	{store.ErrNotFound, NotFound},
	{store.ErrForbidden, HTTPError{http.StatusForbidden, "FORBIDDEN", "error_forbidden", nil}},
	{store.ErrNotFailed, HTTPError{http.StatusConflict, "NOT_FAILED", "error_not_failed", nil}},
	{store.ErrExists, Exists},
	{store.ErrConflict, Conflict},
	{store.ErrNotPublishable, HTTPError{http.StatusConflict, "NOT_PUBLISHABLE", "error_not_publishable", nil}},
	{fs.ErrNotExist, NotFound},
	{ErrJSON, Invalid("error_json", nil)},
	{ErrShown, Invalid("error_shown", nil)},
	{ErrForm, Invalid("error_form", nil)},
	{ErrSlow, HTTPError{http.StatusRequestTimeout, "TOO_SLOW", "error_slow", nil}},
	{ErrQuery, Invalid("error_query", nil)},
	{ErrLong, HTTPError{http.StatusRequestURITooLong, "TOO_LONG", "error_long", nil}},
	{ErrNoFile, Invalid("upload_no_file", nil)},
	{ErrTwoFiles, Invalid("upload_two_files", nil)},
	{ErrBroken, Invalid("upload_broken", nil)},
	{ErrTooLarge, HTTPError{TooLarge.Status, TooLarge.Code, "upload_too_large", nil}},
	{ErrUnsupported, HTTPError{http.StatusUnsupportedMediaType, "UNSUPPORTED", "upload_unsupported", nil}},
	{video.ErrUnplayable, HTTPError{http.StatusUnsupportedMediaType, "UNSUPPORTED", "upload_unplayable", nil}},
	{video.ErrDiskFull, DiskFull},
	{syscall.ENOSPC, DiskFull},
}

// HTTPErrorOf says what the client is told about an error: Internal for one that nobody foresaw.
func HTTPErrorOf(err error) HTTPError {
	if e, ok := errors.AsType[HTTPError](err); ok {
		return e
	}
	if _, ok := errors.AsType[*media.Trouble](err); ok {
		return Away
	}
	if code := video.CodeOf(err); code == video.CodeMachine || code == video.CodeTimeout {
		return Unable
	}
	if busy, ok := errors.AsType[store.Busy](err); ok {
		return HTTPError{http.StatusConflict, "BUSY", Busy(string(busy)), nil}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return TooLarge
	}
	if bad, ok := errors.AsType[BadTitle](err); ok {
		return Invalid(string(bad), nil)
	}
	for _, e := range httpErrors {
		if errors.Is(err, e.err) {
			return e.answer
		}
	}
	return Internal
}

// Fail answers a request that ended in an error. begun: an answer is on its way already, so that the error can only
// be logged.
func (d *Desk) Fail(w http.ResponseWriter, r *http.Request, err error, begun bool) {
	e := HTTPErrorOf(err)
	d.note(r, e, err)
	if begun {
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	say := sayTo(r)
	words := e.Words(r)
	_, signedIn := visitorOf(r)
	title := "title_error"
	switch e.Status {
	case http.StatusNotFound:
		title = "title_not_found"
	case http.StatusForbidden:
		title = "title_forbidden"
	}
	switch {
	case WantsJSON(r):
		err = JSON(w, e.Status, map[string]any{"success": false,
			"error": map[string]string{"code": e.Code, "message": words}})
	case e.Code == SignedOut.Code:
		err = redirect(w, "/login")
	case e.Code == BadLink.Code && d.hasSession(r): // an old link, pressed again
		err = redirect(w, "/")
	case e.Code == BadLink.Code:
		err = d.page(w, r, e.Status, "login", Frame{Title: say("title_login", nil)},
			Door{Problem: words, BotOn: d.opts.BotOn})
	case r.Pattern == "/studio" && e.Status != http.StatusForbidden && e.Status != http.StatusNotFound:
		err = d.page(w, r, e.Status, "studio-new", Frame{Title: say("studio_new", nil), SignedIn: true},
			d.opts.Uploads.Page(words))
	case r.Pattern == "/uploads":
		err = d.page(w, r, e.Status, "upload", Frame{Title: say("title_upload", nil), SignedIn: true},
			d.opts.Uploads.Page(words))
	default:
		err = d.page(w, r, e.Status, "error", Frame{Title: say(title, nil), SignedIn: signedIn}, words)
	}
	if err != nil {
		d.log.Error("answer with an error", "route", r.Pattern, "err", err)
	}
}

// note logs what is not the client's doing.
func (d *Desk) note(r *http.Request, e HTTPError, err error) {
	if slices.Contains([]string{Internal.Code, Away.Code, Platform, Unavailable}, e.Code) && r.Context().Err() == nil {
		// The route, not the URL: that may hold the token of a sign-in link.
		d.log.Error("request failed", "method", r.Method, "route", r.Pattern, "err", err)
	}
}
