// Sending files: a video the first time by upload, then by the file_id that Telegram gave it.

package telegram

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

// Video is a video to send: by FileID, or File and Thumb when that is "".
type Video struct {
	FileID        string // what SendVideo returned
	File          io.Reader
	Size          int64     // bytes of File
	Thumb         io.Reader // JPEG; nil: none
	Caption       string
	Bold          int // so many UTF-16 units of the caption, from its start, are bold
	Keyboard      Keyboard
	Duration      time.Duration
	Width, Height int // px
}

// Telegram sometimes keeps an uploaded video as something else: without sound it becomes an animation, and of a form
// that its apps don't play, a document. Its file_id can only be sent as what it is, so the one that SendVideo returns
// begins with one of these. A file_id never holds a colon.
const (
	asAnimation = "animation:"
	asDocument  = "document:"
)

// SendVideo sends a video and returns the message's id and the file_id to send it by the next time.
func (t *Talk) SendVideo(ctx context.Context, chat int64, v Video) (message int, fileID string, err error) {
	c := Call{Method: "sendVideo", Chat: chat, FileID: v.FileID != "", Upload: v.FileID == ""}
	send, limit := t.sendVideo, callTime
	switch {
	case c.Upload:
		limit = 0 // for as long as it moves
	case strings.HasPrefix(v.FileID, asAnimation):
		c.Method, send = "sendAnimation", t.sendAnimation
	case strings.HasPrefix(v.FileID, asDocument):
		c.Method, send = "sendDocument", t.resendDocument
	}
	err = t.call(ctx, c, limit, func(ctx context.Context) error {
		m, err := send(ctx, chat, v)
		if err = sent(c.Method, m, err); err != nil {
			return err
		}
		message = m.ID
		switch {
		case m.Video != nil:
			fileID = m.Video.FileID
		case m.Animation != nil:
			fileID = asAnimation + m.Animation.FileID
		case m.Document != nil:
			fileID = asDocument + m.Document.FileID
		}
		return nil
	})
	return message, fileID, err
}

func (t *Talk) sendVideo(ctx context.Context, chat int64, v Video) (*models.Message, error) {
	p := &bot.SendVideoParams{ChatID: chat, MessageThreadID: t.topic, Caption: v.Caption,
		CaptionEntities: boldOf(v.Bold), ReplyMarkup: v.Keyboard.markup(), SupportsStreaming: true,
		Duration: int(v.Duration.Round(time.Second).Seconds()), Width: v.Width, Height: v.Height,
		Video: &models.InputFileString{Data: v.FileID}}
	if v.FileID == "" {
		p.Video = &models.InputFileUpload{Filename: "video.mp4", Data: &reader{v.File}}
		if v.Thumb != nil {
			p.Thumbnail = &models.InputFileUpload{Filename: "thumb.jpg", Data: &reader{v.Thumb}}
		}
	}
	return t.API.SendVideo(ctx, p)
}

func (t *Talk) sendAnimation(ctx context.Context, chat int64, v Video) (*models.Message, error) {
	return t.API.SendAnimation(ctx, &bot.SendAnimationParams{ChatID: chat, MessageThreadID: t.topic, Caption: v.Caption,
		CaptionEntities: boldOf(v.Bold), ReplyMarkup: v.Keyboard.markup(), Animation: known(v, asAnimation)})
}

func (t *Talk) resendDocument(ctx context.Context, chat int64, v Video) (*models.Message, error) {
	return t.API.SendDocument(ctx, &bot.SendDocumentParams{ChatID: chat, MessageThreadID: t.topic, Caption: v.Caption,
		CaptionEntities: boldOf(v.Bold), ReplyMarkup: v.Keyboard.markup(), Document: known(v, asDocument)})
}

// known names a file that Telegram keeps as something else than a video.
func known(v Video, as string) *models.InputFileString {
	return &models.InputFileString{Data: strings.TrimPrefix(v.FileID, as)}
}

// SendDocument sends a small file.
func (t *Talk) SendDocument(ctx context.Context, chat int64, name string, file []byte, caption string) error {
	c := Call{Method: "sendDocument", Chat: chat, Upload: true}
	return t.call(ctx, c, 0, func(ctx context.Context) error {
		m, err := t.API.SendDocument(ctx, &bot.SendDocumentParams{ChatID: chat, MessageThreadID: t.topic, Caption: caption,
			Document: &models.InputFileUpload{Filename: name, Data: bytes.NewReader(file)}})
		return sent(c.Method, m, err)
	})
}

// SendVoice sends a voice message: OGG with OPUS.
func (t *Talk) SendVoice(ctx context.Context, chat int64, ogg []byte, length time.Duration) error {
	c := Call{Method: "sendVoice", Chat: chat, Upload: true}
	return t.call(ctx, c, 0, func(ctx context.Context) error {
		m, err := t.API.SendVoice(ctx, &bot.SendVoiceParams{ChatID: chat, MessageThreadID: t.topic,
			Duration: max(1, int(length.Round(time.Second).Seconds())),
			Voice:    &models.InputFileUpload{Filename: "voice.ogg", Data: bytes.NewReader(ogg)}})
		return sent(c.Method, m, err)
	})
}

// reader is a file for the client library, which reads it in a goroutine of its own: a panic in there would end the
// program, and the library panics itself on a reader that is no pointer.
type reader struct{ io.Reader }

func (r *reader) Read(p []byte) (n int, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			n, err = 0, fmt.Errorf("panic: %T", problem)
		}
	}()
	return r.Reader.Read(p)
}
