// refusal.go is what a client is told when its wish is not granted.

package desk

import (
	"errors"
	"io/fs"
	"net/http"
	"syscall"
)

// Refusal is an error that the client is told, in words for people and a code for programs.
type Refusal struct {
	Status   int
	Code, ID string // ID is of the message
	Vars     Vars
}

func (r Refusal) Error() string { return r.Code + ": " + r.ID }

// Invalid refuses what was sent.
func Invalid(id string, vars Vars) Refusal {
	return Refusal{http.StatusUnprocessableEntity, "INVALID", id, vars}
}

// Refusals that are named where they happen.
var (
	SignedOut = Refusal{http.StatusUnauthorized, "UNAUTHORIZED", "error_signed_out", nil}
	BadToken  = Refusal{http.StatusUnauthorized, "BAD_TOKEN", "error_bad_token", nil}
	OtherSite = Refusal{http.StatusForbidden, "CROSS_ORIGIN", "error_other_site", nil}
	BadLink   = Refusal{http.StatusForbidden, "BAD_LINK", "error_bad_link", nil}
	TooMany   = Refusal{http.StatusTooManyRequests, "TOO_MANY", "error_too_many", nil}
	TooLarge  = Refusal{http.StatusRequestEntityTooLarge, "TOO_LARGE", "error_too_large", nil}
	NotFound  = Refusal{http.StatusNotFound, "NOT_FOUND", "error_not_found", nil}
	NotReady  = Refusal{http.StatusConflict, "NOT_READY", "error_not_ready", nil}
	DiskFull  = Refusal{http.StatusInsufficientStorage, "DISK_FULL", "upload_disk_full", nil}
	Away      = Refusal{http.StatusServiceUnavailable, "STORE_AWAY", "error_store_away", nil}
	Internal  = Refusal{http.StatusInternalServerError, "INTERNAL", "error_internal", nil}
)

// refusals are what the client is told for an error.
var refusals = []struct {
	err    error
	answer Refusal
}{
	{fs.ErrNotExist, NotFound},
	{ErrJSON, Invalid("error_json", nil)},
	{ErrShown, Invalid("error_shown", nil)},
	{ErrForm, Invalid("error_form", nil)},
	{ErrSlow, Refusal{http.StatusRequestTimeout, "TOO_SLOW", "error_slow", nil}},
	{ErrQuery, Invalid("error_query", nil)},
	{ErrLong, Refusal{http.StatusRequestURITooLong, "TOO_LONG", "error_long", nil}},
	{ErrNoFile, Invalid("upload_no_file", nil)},
	{ErrTwoFiles, Invalid("upload_two_files", nil)},
	{ErrBroken, Invalid("upload_broken", nil)},
	{ErrTooLarge, Refusal{TooLarge.Status, TooLarge.Code, "upload_too_large", nil}},
	{ErrUnsupported, Refusal{http.StatusUnsupportedMediaType, "UNSUPPORTED", "upload_unsupported", nil}},
	{ErrUnplayable, Refusal{http.StatusUnsupportedMediaType, "UNSUPPORTED", "upload_unplayable", nil}},
	{ErrDiskFull, DiskFull},
	{syscall.ENOSPC, DiskFull},
}

// RefusalOf says what the client is told for an error; Internal for one that nobody foresaw.
func RefusalOf(err error) Refusal {
	if r, ok := errors.AsType[Refusal](err); ok {
		return r
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return TooLarge
	}
	if bad, ok := errors.AsType[BadTitle](err); ok {
		return Invalid(string(bad), nil)
	}
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.answer
		}
	}
	return Internal
}
