// The admins: who may sign in, who is added or removed, and invitations by a link.

package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"retake.example/internal/store"
)

// What is refused about admins.
var (
	Locked     = HTTPError{http.StatusConflict, "LOCKED", "admins_locked", nil}
	LastOwner  = HTTPError{http.StatusConflict, "LAST_OWNER", "admins_last_owner", nil}
	NoBot      = HTTPError{http.StatusConflict, "NOT_SET_UP", "admins_bot_off", nil}
	NoTelegram = HTTPError{http.StatusBadGateway, "PLATFORM", "admins_no_telegram", nil}
)

// Staffer is somebody who may sign in.
type Staffer struct {
	ID     int64     `json:"id"`              // Telegram user id
	Name   string    `json:"name,omitzero"`   // as Telegram gave it; "": they have not asked for a link yet
	Owner  bool      `json:"owner"`           // may do everything
	From   string    `json:"from"`            // settings, command, page or invitation
	Seen   time.Time `json:"seen,omitzero"`   // when last on the page, to the hour; zero: not signed in
	Locked bool      `json:"locked,omitzero"` // by the settings
	You    bool      `json:"-"`
}

// Admins is the page.
type Admins struct {
	Success bool      `json:"success"`
	Admins  []Staffer `json:"admins"`
	Open    []Invited `json:"invitations"`
	BotOn   bool      `json:"-"` // there is a bot to invite by
	Link    string    `json:"-"` // a new invitation: shown once
	Until   time.Time `json:"-"` // how long it is open
	Problem string    `json:"-"`
	Typed   string    `json:"-"` // the id that was refused
}

// Invited is an invitation that has not been opened yet.
type Invited struct {
	store.Invitation
	By string `json:"by"`
}

// Admins answers with the page.
func (d *Desk) Admins(w http.ResponseWriter, r *http.Request) error {
	view, err := d.admins(r)
	if err != nil {
		return err
	}
	return d.answer(w, r, "admins", d.adminsFrame(r), view)
}

func (d *Desk) adminsFrame(r *http.Request) Frame {
	return Frame{Title: sayTo(r)("admins_title", nil), Here: "/settings", SignedIn: true}
}

func (d *Desk) admins(r *http.Request) (view Admins, err error) {
	ctx, me := r.Context(), AdminOf(r).ID
	view = Admins{Success: true, Open: []Invited{}, BotOn: d.opts.Invite != nil}
	staff, err := d.staff(ctx)
	if err != nil {
		return view, err
	}
	seen, err := d.store.LastSeen(ctx)
	if err != nil {
		return view, fmt.Errorf("look when admins were here: %w", err)
	}
	appointed, err := d.store.Appointed(ctx)
	if err != nil {
		return view, fmt.Errorf("read the admins: %w", err)
	}
	from := map[int64]string{}
	for _, a := range appointed {
		from[a.ID] = a.Origin
	}
	for _, id := range slices.Concat(d.opts.Staff.Owners, d.opts.Staff.Admins) {
		from[id] = "settings"
	}
	listed := map[int64]bool{}
	for i, id := range slices.Concat(staff.Owners, staff.Admins) {
		if listed[id] { // an admin of the settings whom a command has made an owner
			continue
		}
		listed[id] = true
		view.Admins = append(view.Admins, Staffer{ID: id, Name: staff.Names[id].String(), Owner: i < len(staff.Owners),
			From: from[id], Seen: seen[id], Locked: from[id] == "settings", You: id == me})
	}
	open, err := d.store.Invitations(ctx)
	if err != nil {
		return view, fmt.Errorf("read the invitations: %w", err)
	}
	for _, i := range open {
		view.Open = append(view.Open, Invited{i, staff.Who(sayTo(r), i.Inviter, me)})
	}
	return view, nil
}

// ChangeAdmins adds, removes and invites admins, and changes what they may do.
func (d *Desk) ChangeAdmins(w http.ResponseWriter, r *http.Request) error {
	sent, err := Fields(w, r)
	if err != nil {
		return err
	}
	if sent["do"] == "invite" {
		return d.invite(w, r, sent["owner"] == "yes")
	}
	id, err := strconv.ParseInt(strings.TrimSpace(sent["id"]), 10, 64)
	if err != nil || id <= 0 {
		return d.refuseAdmin(w, r, Invalid("admins_bad_id", nil), sent["id"])
	}
	me, outcome := AdminOf(r).ID, ""
	err = d.store.Tx(d.ctx, func(tx *store.Tx) error {
		switch sent["do"] {
		case "add", "role":
			outcome = "appointed"
			a := store.Admin{ID: id, Owner: sent["owner"] == "yes"}
			if err := d.mayChangeAdmin(tx, id, a.Owner); err != nil {
				return err
			}
			return tx.Appoint(a, me, store.ByPage)
		case "remove":
			outcome = "dismissed"
			if err := d.mayChangeAdmin(tx, id, false); err != nil {
				return err
			}
			return tx.Dismiss(id, me)
		case "uninvite":
			outcome = "uninvited"
			return tx.Uninvite(id, me)
		}
		return Invalid("error_form", nil)
	})
	if e, ok := errors.AsType[HTTPError](err); ok && e.Code != "INVALID" {
		return d.refuseAdmin(w, r, e, "")
	} else if err != nil {
		return fmt.Errorf("change the admins: %w", err)
	}
	return doneAt(w, r, "/admins?notice="+outcome, outcome, "")
}

// mayChangeAdmin refuses to change those of the settings, and to leave no owner. stays: the admin is an owner then.
func (d *Desk) mayChangeAdmin(tx *store.Tx, id int64, stays bool) error {
	owners := d.opts.Staff.Owners
	if slices.Contains(owners, id) || slices.Contains(d.opts.Staff.Admins, id) {
		return Locked
	}
	if stays || len(owners) > 0 {
		return nil
	}
	switch a, _, err := tx.RoleOf(d.opts.Role, id); {
	case err != nil:
		return err
	case !a.Owner:
		return nil
	}
	other, err := tx.OtherOwner(id)
	if err == nil && !other {
		err = LastOwner
	}
	return err
}

// refuseAdmin answers with the page that says what is wrong.
func (d *Desk) refuseAdmin(w http.ResponseWriter, r *http.Request, e HTTPError, typed string) error {
	view, err := d.admins(r)
	if err != nil {
		return err
	}
	view.Problem, view.Typed = sayTo(r)(e.ID, nil), typed
	return d.refuse(w, r, e, "admins", d.adminsFrame(r).Title, view, map[string]string{"id": view.Problem})
}

// invite makes an invitation and shows its link, once.
func (d *Desk) invite(w http.ResponseWriter, r *http.Request, owner bool) error {
	if d.opts.Invite == nil {
		return d.refuseAdmin(w, r, NoBot, "")
	}
	code := invitation + newToken()
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	link, err := d.opts.Invite(ctx, code)
	if err != nil {
		d.log.Warn("ask Telegram for the bot's name", "err", err)
		return d.refuseAdmin(w, r, NoTelegram, "")
	}
	err = d.store.Tx(d.ctx, func(tx *store.Tx) error { return tx.Invite(hashOf(code), owner, AdminOf(r).ID) })
	if err != nil {
		return fmt.Errorf("save an invitation: %w", err)
	}
	until := d.store.Now().Add(store.InvitationLife)
	if WantsJSON(r) {
		return JSON(w, http.StatusOK, map[string]any{"success": true, "outcome": "invited", "link": link, "expires": until})
	}
	view, err := d.admins(r)
	if err != nil {
		return err
	}
	view.Link, view.Until = link, until
	return d.answer(w, r, "admins", d.adminsFrame(r), view)
}

// invitation begins the code of every invitation, which the bot gets with /start.
const invitation = "admin-"

// InvitationOf returns the hash of an invitation's code. ok is false for what cannot be one.
func InvitationOf(code string) (hash [32]byte, ok bool) {
	return hashOf(code), strings.HasPrefix(code, invitation) && len(code) == len(invitation)+tokenLength
}
