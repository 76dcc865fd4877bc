// Another try that somebody asks for: a parent with a button, an admin for a video or a publication. Only Retry in
// queue.go calls these, in its transaction.

package retry

import (
	"errors"

	"retake.example/internal/store"
)

// RestartForUser makes the try that a user asks for with the button of an apology. It returns ErrNotFound, ErrForbidden
// if the user has no request on the asset, ErrNotFailed, or store.Refused at a limit.
func RestartForUser(tx *store.Tx, assetID string, why ButtonPressed) (Outcome, error) {
	asset, err := tx.Asset(assetID)
	if err != nil {
		return "", err
	}
	mine, err := tx.HasRequest(why.User, assetID)
	switch {
	case err != nil:
		return "", err
	case !mine:
		return "", store.ErrForbidden
	case asset.Status != store.Failed:
		return "", store.ErrNotFailed
	}
	next, made, err := tx.NextTry(asset, why.User)
	if err != nil {
		return "", err
	}
	if made { // it costs a render
		if err := tx.Allow(why.User, why.Limits); err != nil {
			return "", err
		}
	}
	if _, err := tx.Join(next, why.User, why.Chat); err != nil {
		return "", err
	}
	out := Joined
	if made {
		out = Restarted
	}
	return out, tx.Note(store.Event{User: why.User, Action: "retry", AssetID: assetID, Outcome: string(out)})
}

// peopleAtOnce is how many people are linked to a new try in one transaction: ten thousand take the writer 0.6 s.
const peopleAtOnce = 200

// RestartForAll makes the try that an admin asks for, for everyone who was affected and has not retried yet. A message
// that was given up is sent again. It returns ErrNotFound, ErrForbidden or ErrNotFailed. Of a crowd it takes only some:
// after is the request of the last of them, from which RestartMore goes on; 0: nobody is left.
func RestartForAll(tx *store.Tx, assetID string, admin store.Admin) (out Outcome, after int64, err error) {
	asset, err := tx.Asset(assetID)
	switch {
	case err != nil:
		return "", 0, err
	case !admin.MayChange(asset.Creator):
		return "", 0, store.ErrForbidden
	}
	if asset.Status != store.Failed { // a new try of a failed one reaches everybody anyway
		n, after, err := sendAgain(tx, assetID, 0)
		if err != nil {
			return "", 0, err
		}
		if n > 0 {
			return Restarted, after, noteRestart(tx, assetID, admin, Restarted, after)
		}
	}
	switch {
	case asset.Status.Live():
		return Joined, 0, nil
	case asset.Status != store.Failed:
		return "", 0, store.ErrNotFailed
	}
	waiters, err := some(tx, asset, 0)
	if err != nil {
		return "", 0, err
	}
	fairnessKey := admin.ID
	if len(waiters) > 0 {
		fairnessKey = waiters[0].User
	}
	next, made, err := tx.NextTry(asset, fairnessKey)
	if err != nil {
		return "", 0, err
	}
	if after, err = join(tx, next, waiters); err != nil {
		return "", 0, err
	}
	out = Joined
	if made {
		out = Restarted
	}
	return out, after, noteRestart(tx, assetID, admin, out, after)
}

// noteRestart notes what an admin has tried again. after > 0: not for everybody yet; the next start goes on with it.
func noteRestart(tx *store.Tx, assetID string, admin store.Admin, out Outcome, after int64) error {
	e := store.Event{Admin: &admin.ID, Action: "retry", AssetID: assetID, Outcome: string(out)}
	if after > 0 {
		return tx.NoteBegun(e)
	}
	return tx.Note(e)
}

// RestartMore goes on where RestartForAll stopped: it links some more people to the new try, or sends some more
// messages again. after is as there. What has failed, too, in the meantime is not tried again: everyone is told of
// that, or has the apology of the first try.
func RestartMore(tx *store.Tx, assetID string, after int64) (int64, error) {
	var next store.Asset
	asset, err := tx.Asset(assetID)
	failed := asset.Status == store.Failed
	if err == nil && failed {
		next, err = tx.LaterTry(asset)
	}
	if errors.Is(err, store.ErrNotFound) {
		return 0, tx.NoteEnded(assetID)
	} else if err != nil {
		return 0, err
	}
	if failed {
		var waiters []store.Waiter
		if waiters, err = some(tx, asset, after); err == nil {
			after, err = join(tx, next, waiters)
		}
	} else {
		_, after, err = sendAgain(tx, assetID, after)
	}
	if err == nil && after == 0 {
		err = tx.NoteEnded(assetID)
	}
	return after, err
}

// sendAgain owes the next people the messages about a video again that were given up, and returns how many. last is the
// request of the last of them if there may be more.
func sendAgain(tx *store.Tx, assetID string, after int64) (n int, last int64, err error) {
	if n, last, err = tx.SendAgain(assetID, after, peopleAtOnce); n < peopleAtOnce {
		last = 0
	}
	return n, last, err
}

// some lists the next people whom a video failed.
func some(tx *store.Tx, failed store.Asset, after int64) ([]store.Waiter, error) {
	if _, err := tx.FailSome(failed.ID); err != nil { // of a crowd there may be some left
		return nil, err
	}
	return tx.Unserved(failed, after, peopleAtOnce)
}

// join links people to a try. It returns the request of the last of them if there may be more.
func join(tx *store.Tx, next store.Asset, waiters []store.Waiter) (after int64, err error) {
	for _, w := range waiters {
		if _, err := tx.Join(next, w.User, w.Chat); err != nil {
			return 0, err
		}
	}
	if len(waiters) < peopleAtOnce {
		return 0, nil
	}
	return waiters[peopleAtOnce-1].Request, nil
}

// RestartPublication makes one new try of a failed publication. It returns ErrNotFound, ErrForbidden,
// ErrNotFailed or ErrNotPublishable. back: access to its channel has been restored, for which nobody needs a right.
func RestartPublication(tx *store.Tx, assetID, platform string, admin store.Admin, back bool) (Outcome, error) {
	p, err := tx.Publication(assetID, platform)
	switch {
	case err != nil:
		return "", err
	case !back && !admin.MayChange(&p.Creator):
		return "", store.ErrForbidden
	case p.Status.Live():
		return Joined, nil
	case p.Status != store.Failed, back && p.Step != "reconnect":
		return "", store.ErrNotFailed
	}
	if err := tx.Republish(assetID, p); err != nil {
		return "", err
	}
	return Restarted, tx.Note(
		store.Event{
			Admin:    &admin.ID,
			Action:   "retry",
			AssetID:  assetID,
			Platform: platform,
			Outcome:  string(Restarted),
		},
	)
}
