// Publishing in a Telegram channel.

package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"retake.example/internal/media"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/tgchannel"
)

// onTelegram publishes in Telegram channels in which the bot is an admin. The id of a post is CHANNEL/MESSAGE.
type onTelegram struct{ *Sites }

// Ready reports whether the bot is on.
func (s onTelegram) Ready() bool { return s.talk != nil }

// client returns access to the channels, without a video to post.
func (s onTelegram) client() (*tgchannel.Client, error) {
	if s.talk == nil {
		return nil, errOff("telegram", "telegram.token")
	}
	return tgchannel.New(&poster{talk: s.talk}, NewLooker(s.talk)), nil
}

// channel returns a channel and its number at Telegram, if it is connected.
func (s onTelegram) channel(ctx context.Context, id int64) (c store.Channel, number int64, err error) {
	if c, err = s.store.Channel(ctx, id); err != nil {
		return c, 0, fmt.Errorf("channel %d: %w", id, err)
	}
	if c.State == "DISCONNECTED" {
		return c, 0, noAccess{errors.New("telegram disconnected: the channel was disconnected here"),
			"telegram_disconnected"}
	}
	number, err = strconv.ParseInt(c.External, 10, 64)
	return c, number, err
}

// wordsOf is metadata as a caption has it.
func wordsOf(m store.Metadata) tgchannel.Metadata {
	return tgchannel.Metadata{Title: m.Title, Description: m.Description, Tags: m.TagList()}
}

// Publish posts the video: by its file_id if Telegram has it, and by an upload otherwise.
func (s onTelegram) Publish(
	ctx context.Context,
	t store.Task,
	keep func(store.Upload) error,
) (again time.Duration, err error) {
	u, m := t.Publication.Upload, t.Publication.Metadata
	if u.ID != "" { // it was there when the program ended
		return 0, nil
	}
	size := t.Asset.Video.Size
	begun := u.Step == "uploading" && u.Sent >= size // all of it has left
	if !begun {
		if err := forEverybody(t.Publication); err != nil {
			return 0, err
		}
	}
	_, channel, err := s.channel(ctx, t.Publication.Channel)
	if err != nil {
		return 0, err
	}
	if s.talk == nil {
		return 0, errOff("telegram", "telegram.token")
	}
	p := &poster{talk: s.talk.As(telegram.Pending), asset: t.Asset, open: s.opened}
	client := tgchannel.New(p, NewLooker(s.talk))
	if t.Asset.FileID == "" && !begun {
		if err := s.uploadable(ctx, t.Asset.Video); err != nil {
			return 0, err
		}
	}
	at := tgchannel.State{}
	if begun {
		at.Step = u.Step
	} else if err := keep(store.Upload{Step: "uploading"}); err != nil {
		return 0, err
	}
	save := func(at tgchannel.State) error {
		next := store.Upload{Step: at.Step}
		if at.Step != "" {
			next.Sent = size // nobody can ask Telegram how much of it has arrived
		}
		return keep(next)
	}
	post, err := client.Publish(ctx, channel, t.Asset.FileID, wordsOf(m), at, save)
	if t.Asset.FileID != "" && retry.CodeOf(err) == "telegram_file" { // Telegram has forgotten it
		if err := s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
			return tx.ForgetFileID(t.AssetID, t.Asset.FileID)
		}); err != nil {
			return 0, err
		}
		if err := s.uploadable(ctx, t.Asset.Video); err != nil {
			return 0, err
		}
		post, err = client.Publish(ctx, channel, "", wordsOf(m), tgchannel.State{}, save)
	}
	if err != nil {
		return 0, err
	}
	if err := keep(store.Upload{Step: "processing", Sent: size, URL: post.URL,
		ID: postID(channel, post.ID)}); err != nil {
		return 0, err
	}
	if p.fileID == "" {
		return 0, nil
	}
	return 0, s.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return tx.KeepFileID(t.AssetID, p.fileID)
	})
}

// uploadable returns an error if a video cannot be uploaded.
func (s onTelegram) uploadable(ctx context.Context, v store.Video) error {
	if v.Size > s.maxUpload {
		return retry.Permanent(retry.WithCode(errors.New("telegram tooLarge: the file is too large"), "telegram_too_large"))
	}
	if err := media.Verify(ctx, s.files, v.File, v.Size); err != nil {
		return fmt.Errorf("check the video: %w", err)
	}
	return nil
}

// Find returns the post that an address shows, if it is in the publication's channel.
func (s onTelegram) Find(ctx context.Context, _ store.Asset, p store.Publication, address string) (id, url string,
	err error) {
	_, number, err := s.channel(ctx, p.Channel)
	if err != nil {
		return "", "", err
	}
	client, err := s.client()
	if err != nil {
		return "", "", err
	}
	began := s.store.Now()
	c, err := client.Check(ctx, number)
	if err != nil {
		return "", "", s.noticed(ctx, p.Channel, began, err)
	}
	message, err := tgchannel.Post(c, address)
	if err != nil {
		return "", "", urlError(err, tgchannel.ErrNoAddress, tgchannel.ErrOtherSite)
	}
	return postID(number, message), tgchannel.Link(c, message), nil
}

// postOf reads the id of a post.
func postOf(p store.Publication) (channel, message int64, err error) {
	number, post, _ := strings.Cut(p.Upload.ID, "/")
	if channel, err = strconv.ParseInt(number, 10, 64); err == nil {
		message, err = strconv.ParseInt(post, 10, 64)
	}
	return channel, message, err
}

// Change changes the caption. Telegram cannot be asked what a caption is like, but tells of an edit when it is made.
func (s onTelegram) Change(ctx context.Context, p store.Publication, to Version, keep Keep) (Version, error) {
	channel, message, err := postOf(p)
	if err != nil {
		return to, err
	}
	if _, _, err := s.channel(ctx, p.Channel); err != nil {
		return to, err
	}
	client, err := s.client()
	if err != nil {
		return to, err
	}
	sent, ours := tgchannel.CaptionOf(wordsOf(p.Metadata)).Text, tgchannel.CaptionOf(wordsOf(to.Metadata)).Text
	if theirs, edited := p.There[fieldCaption]; edited && theirs != ours {
		switch {
		case ours == sent, keep == KeepTheirs:
			to.There = p.There
			return to, nil
		case keep == KeepNone:
			return to, &Conflict{[]Difference{{fieldCaption, ours, theirs}}}
		}
	}
	return to, client.Update(ctx, channel, message, wordsOf(to.Metadata))
}

// PostEdited records that a post of a channel has another caption from now on, if it is one of ours.
func PostEdited(tx *store.Tx, channel, message int64, caption string) error {
	id, p, err := tx.PublicationAt("TELEGRAM", postID(channel, message))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	there := store.Edits{}
	if caption != tgchannel.CaptionOf(wordsOf(p.Metadata)).Text {
		there[fieldCaption] = caption
	}
	return tx.EditedThere(id, p, there)
}

// postID is the id of a post as publications have it.
func postID(channel, message int64) string { return fmt.Sprintf("%d/%d", channel, message) }

// Erase deletes the post.
func (s onTelegram) Erase(ctx context.Context, p store.Publication, _ int64) error {
	if p.Upload.ID == "" {
		return nil
	}
	channel, message, err := postOf(p)
	if err != nil {
		return err
	}
	if _, _, err := s.channel(ctx, p.Channel); err != nil {
		return err
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	return client.Delete(ctx, channel, message)
}

// Check asks whether the bot may still post in a channel.
func (s onTelegram) Check(ctx context.Context, c store.Channel) (title string, err error) {
	_, number, err := s.channel(ctx, c.ID)
	if err != nil {
		return "", err
	}
	client, err := s.client()
	if err != nil {
		return "", err
	}
	now, err := client.Check(ctx, number)
	return now.Title, err
}

// Release has nothing to give back: the bot stays in the channel until somebody removes it there.
func (onTelegram) Release(context.Context, store.Channel, bool) error { return nil }

// Join finds the channel with a name, an address or a number, in which the bot is an admin.
func (s onTelegram) Join(ctx context.Context, name string) (store.Channel, error) {
	client, err := s.client()
	if err != nil {
		return store.Channel{}, err
	}
	found, err := client.Connect(ctx, name)
	return store.Channel{External: strconv.FormatInt(found.ID, 10), Title: found.Title}, err
}

// poster posts as the bot.
type poster struct {
	talk   *telegram.Talk
	asset  *store.Asset
	open   func(ctx context.Context, key string) *lazy
	fileID string // that Telegram gave to the video
}

// SendVideo posts the video by its file_id, or uploads it.
func (p *poster) SendVideo(ctx context.Context, channel int64, fileID string, c tgchannel.Caption,
	leaving func() error) (int64, error) {
	about := p.asset.Video
	v := telegram.Video{FileID: fileID, Caption: c.Text, Bold: c.Bold, Duration: about.Duration, Width: about.Width,
		Height: about.Height}
	if fileID == "" {
		file := p.open(ctx, about.File)
		defer file.Close()
		v.File, v.Size = &toTheEnd{file: file, left: about.Size, end: leaving}, about.Size
		if about.Thumb != "" {
			thumb := p.open(ctx, about.Thumb)
			defer thumb.Close()
			v.Thumb = thumb
		}
	}
	if fileID != "" {
		if err := leaving(); err != nil {
			return 0, err
		}
	}
	message, id, err := p.talk.SendVideo(ctx, channel, v)
	p.fileID = id
	return int64(message), refusal(err)
}

// toTheEnd is a file that says when its last bytes are read, before it gives them away.
type toTheEnd struct {
	file io.Reader
	left int64
	end  func() error
}

func (r *toTheEnd) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	r.left -= int64(n)
	if r.left <= 0 || err == io.EOF {
		if failed := r.end(); failed != nil {
			return 0, failed
		}
	}
	return n, err
}

// EditCaption changes the caption of a post.
func (p *poster) EditCaption(ctx context.Context, channel, message int64, c tgchannel.Caption) error {
	return refusal(p.talk.EditCaption(ctx, channel, int(message), c.Text, c.Bold))
}

// Touch edits the buttons of a post, which has none, and so changes nothing.
func (p *poster) Touch(ctx context.Context, channel, message int64) error {
	return refusal(p.talk.StripButtons(ctx, channel, int(message)))
}

// Delete deletes a post.
func (p *poster) Delete(ctx context.Context, channel, message int64) error {
	return refusal(p.talk.DeletePost(ctx, channel, int(message)))
}

// looker reads about channels as the bot.
type looker struct{ talk *telegram.Talk }

// NewLooker returns what reads about channels.
func NewLooker(talk *telegram.Talk) tgchannel.Looker { return looker{talk} }

// Chat returns a chat.
func (l looker) Chat(ctx context.Context, ref string) (tgchannel.Chat, error) {
	c, err := l.talk.LookUp(ctx, ref)
	return tgchannel.Chat(c), refusal(err)
}

// Rights returns what the bot may do in a channel.
func (l looker) Rights(ctx context.Context, channel int64) (tgchannel.Rights, error) {
	r, err := l.talk.MyRights(ctx, channel)
	return tgchannel.Rights(r), refusal(err)
}

// refusal makes an error of the Bot API what tgchannel expects: what Telegram itself has said is a Refusal.
func refusal(err error) error {
	e, ok := errors.AsType[*telegram.Error](err)
	if !ok || e.Status < 400 || e.Class == telegram.Stopped || e.Class == telegram.Unreadable {
		return err
	}
	r := &tgchannel.Refusal{Status: e.Status, Description: e.Error()}
	switch e.Class {
	case telegram.Down: // a page of somebody in between is no refusal of Telegram's
		r.Status = max(r.Status, http.StatusInternalServerError)
	case telegram.Gone: // Telegram says that with 400, too
		r.Status = http.StatusForbidden
	}
	r.RetryAfter, _ = e.RetryAfter()
	return r
}
