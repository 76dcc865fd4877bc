// Another try that somebody asks for: a parent with a button, an admin for a video or a publication. Only Retry in
// queue.go calls these, in its transaction.

package retry

import "retake.example/internal/store"

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

// RestartForAll makes the try that an admin asks for, for everyone who was affected and has not retried yet. A message
// that was given up is sent again. It returns ErrNotFound, ErrForbidden or ErrNotFailed.
func RestartForAll(tx *store.Tx, assetID string, admin store.Admin) (Outcome, error) {
	asset, err := tx.Asset(assetID)
	switch {
	case err != nil:
		return "", err
	case !admin.MayChange(asset.Creator):
		return "", store.ErrForbidden
	}
	if asset.Status != store.Failed { // a new try of a failed one reaches everybody anyway
		n, err := tx.SendAgain(assetID)
		if err != nil {
			return "", err
		}
		if n > 0 {
			return Restarted, tx.Note(
				store.Event{Admin: &admin.ID, Action: "retry", AssetID: assetID, Outcome: string(Restarted)},
			)
		}
	}
	switch {
	case asset.Status.Live():
		return Joined, nil
	case asset.Status != store.Failed:
		return "", store.ErrNotFailed
	}
	waiters, err := tx.Unserved(asset)
	if err != nil {
		return "", err
	}
	fairnessKey := admin.ID
	if len(waiters) > 0 {
		fairnessKey = waiters[0].User
	}
	next, made, err := tx.NextTry(asset, fairnessKey)
	if err != nil {
		return "", err
	}
	for _, w := range waiters {
		if _, err := tx.Join(next, w.User, w.Chat); err != nil {
			return "", err
		}
	}
	out := Joined
	if made {
		out = Restarted
	}
	return out, tx.Note(store.Event{Admin: &admin.ID, Action: "retry", AssetID: assetID, Outcome: string(out)})
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
