// refusal.go is what a client is told when its wish is not granted.

package desk

import (
	"errors"
	"io/fs"
	"net/http"
	"syscall"
)

// HTTPError is an error that the client is told, in words for people and a code for programs.
type HTTPError struct {
	Status   int
	Code, ID string // ID is of the message
	Vars     Vars
}

func (r HTTPError) Error() string { return r.Code + ": " + r.ID }

// Invalid refuses what was sent.
func Invalid(id string, vars Vars) HTTPError {
	return HTTPError{http.StatusUnprocessableEntity, "INVALID", id, vars}
}

// Refusals that are named where they happen.
var (
	SignedOut = HTTPError{http.StatusUnauthorized, "UNAUTHORIZED", "error_signed_out", nil}
	BadToken  = HTTPError{http.StatusUnauthorized, "BAD_TOKEN", "error_bad_token", nil}
	OtherSite = HTTPError{http.StatusForbidden, "CROSS_ORIGIN", "error_other_site", nil}
	BadLink   = HTTPError{http.StatusForbidden, "BAD_LINK", "error_bad_link", nil}
	TooMany   = HTTPError{http.StatusTooManyRequests, "TOO_MANY", "error_too_many", nil}
	TooLarge  = HTTPError{http.StatusRequestEntityTooLarge, "TOO_LARGE", "error_too_large", nil}
	NotFound  = HTTPError{http.StatusNotFound, "NOT_FOUND", "error_not_found", nil}
	NotReady  = HTTPError{http.StatusConflict, "NOT_READY", "error_not_ready", nil}
	DiskFull  = HTTPError{http.StatusInsufficientStorage, "DISK_FULL", "upload_disk_full", nil}
	Away      = HTTPError{http.StatusServiceUnavailable, "STORE_AWAY", "error_store_away", nil}
	Internal  = HTTPError{http.StatusInternalServerError, "INTERNAL", "error_internal", nil}
)

// httpErrors are what the client is told for an error.
var httpErrors = []struct {
	err    error
	answer HTTPError
}{
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
	{ErrUnplayable, HTTPError{http.StatusUnsupportedMediaType, "UNSUPPORTED", "upload_unplayable", nil}},
	{ErrDiskFull, DiskFull},
	{syscall.ENOSPC, DiskFull},
}

// HTTPErrorOf says what the client is told for an error; Internal for one that nobody foresaw.
func HTTPErrorOf(err error) HTTPError {
	if r, ok := errors.AsType[HTTPError](err); ok {
		return r
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return TooLarge
	}
	if bad, ok := errors.AsType[BadTitle](err); ok {
		return Invalid(string(bad), nil)
	}
	for _, r := range httpErrors {
		if errors.Is(err, r.err) {
			return r.answer
		}
	}
	return Internal
}
