// Ending an upload that should not become a video.

package youtube

import (
	"context"
	"errors"
	"net/http"
)

// Abandon ends the resumable upload of a file of size bytes. It returns the id of the video if the upload had become
// one already, and "" if it never will. Google ends an upload on a DELETE of its address and answers 499
// (cloud.google.com/storage/docs/performing-resumable-uploads#cancel-upload). An upload that YouTube keeps open without
// its last byte cannot become a video either, because nobody sends that byte.
func (a *Account) Abandon(ctx context.Context, s State, size int64) (id string, err error) {
	id, err = a.ask(ctx, s, size)
	if err != nil || id != "" {
		return id, unlessGone(err)
	}
	if _, err := a.do(ctx, request{method: http.MethodDelete, url: s.Session, wait: a.c.stall}); err != nil {
		return "", err
	}
	// Bytes that were on their way may have made it a video before the DELETE.
	id, err = a.ask(ctx, s, size)
	return id, unlessGone(err)
}

// ask asks an upload for its video. It returns errGone if there is no such upload.
func (a *Account) ask(ctx context.Context, s State, size int64) (id string, err error) {
	_, id, _, err = a.put(ctx, Video{Size: size}, s.Session, -1)
	var refused *Error
	old := a.c.now().Sub(s.Since) > sessionAge
	if errors.As(err, &refused) && (refused.status == 499 || old && refused.status/100 == 4) {
		err = errGone
	}
	return id, err
}

// unlessGone drops the error of an upload that does not exist.
func unlessGone(err error) error {
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}
