// The client: connecting a channel, posting to it, editing and deleting posts.

// Package tgchannel publishes videos in Telegram channels in which the bot is an admin. Where Telegram has the video
// already, it is posted by its file_id and nothing is uploaded again.
//
// The Bot API cannot be asked which posts a channel has, only whether one of a known number is there. So the package
// strictly tells apart a post that cannot be there and one whose answer was lost: the first may be sent again, for the
// second a person has to look.
package tgchannel

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Poster are the calls of the Bot API that write posts: sendVideo, editMessageCaption, editMessageReplyMarkup (Touch,
// which leaves the post without buttons) and deleteMessage. Their errors are *Refusal if Telegram refused, and any
// other error if there was no answer. One that has a method MaybeSent() bool tells whether the call may have been done
// all the same. An empty fileID means the file itself.
type Poster interface {
	// It calls leaving before the last bytes may leave, and does not send them if that returns an error.
	SendVideo(ctx context.Context, channel int64, fileID string, c Caption, leaving func() error) (message int64,
		err error)
	EditCaption(ctx context.Context, channel, message int64, c Caption) error
	Touch(ctx context.Context, channel, message int64) error
	Delete(ctx context.Context, channel, message int64) error
}

// Looker are the calls that read: getChat, which takes an id or "@name", and getChatMember for the bot itself. Their
// errors are like those of Poster.
type Looker interface {
	Chat(ctx context.Context, ref string) (Chat, error)
	Rights(ctx context.Context, channel int64) (Rights, error)
}

// Chat is what getChat tells.
type Chat struct {
	ID              int64
	Type            string // "channel", "private", …
	Title, Username string // Username: without @; "": a private channel
}

// Rights are what the bot may do in a chat.
type Rights struct {
	Admin              bool // an administrator or the creator
	Post, Edit, Delete bool // can_post_messages, can_edit_messages, can_delete_messages
}

// Channel is one that videos are posted in.
type Channel struct {
	ID              int64
	Title, Username string
}

// Client posts to channels. It may be used by any number of goroutines.
type Client struct {
	post Poster
	look Looker
}

// New returns a client.
func New(post Poster, look Looker) *Client { return &Client{post, look} }

var (
	userName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{3,31}$`)
	numberID = regexp.MustCompile(`^-100[0-9]{5,15}$`)
)

// Connect returns the channel that a person names, as @name, t.me/name, its address or its number, if the bot may
// post there.
func (c *Client) Connect(ctx context.Context, name string) (Channel, error) {
	ref := strings.TrimSpace(name)
	for _, prefix := range []string{"https://", "http://", "www.", "t.me/", "telegram.me/", "s/", "@"} {
		ref = strings.TrimPrefix(ref, prefix)
	}
	ref, _, _ = strings.Cut(strings.TrimSuffix(ref, "/"), "?")
	switch {
	case userName.MatchString(ref):
		ref = "@" + ref
	case !numberID.MatchString(ref):
		return Channel{}, fail("telegram_no_channel", "noName", "this isn't the name of a channel")
	}
	chat, err := c.look.Chat(ctx, ref)
	switch {
	case err != nil:
		return Channel{}, judge(err)
	case chat.Type != "channel":
		return Channel{}, fail("telegram_not_channel", "notChannel", "the chat is a "+chat.Type)
	}
	return Channel{chat.ID, chat.Title, chat.Username}, c.may(ctx, chat.ID)
}

// Check returns the channel as it is now, and an error if the bot may not post there any more.
func (c *Client) Check(ctx context.Context, channel int64) (Channel, error) {
	return c.Connect(ctx, strconv.FormatInt(channel, 10))
}

// may returns an error unless the bot may post in the channel.
func (c *Client) may(ctx context.Context, channel int64) error {
	rights, err := c.look.Rights(ctx, channel)
	switch {
	case err != nil:
		return judge(err)
	case !rights.Admin || !rights.Post:
		return fail("telegram_no_rights", "noRights", "the bot may not post in the channel")
	}
	return nil
}

// State is how far a publication has come; the caller stores it.
type State struct {
	Step string // "uploading": all of the post has left, and its answer is awaited or was lost; "": it is not there
}

const uploading = "uploading"

// Published is the post.
type Published struct {
	ID  int64  // of the message
	URL string // at which people who may see the channel see it
}

// Publish posts a video. save stores the state and must have stored it when it returns: {"uploading"} before the last
// bytes of the post leave, and {""} when it is certain that it is not there.
//
// A call that finds {"uploading"} knows that an earlier one ended without an answer: the error's Step is "unknown",
// and stays so until the caller, told by a person that the post is not there, begins with an empty state.
func (c *Client) Publish(
	ctx context.Context,
	channel int64,
	fileID string,
	m Metadata,
	s State,
	save func(State) error,
) (Published, error) {
	if s.Step == uploading {
		return Published{}, unclear("the program ended before the answer came")
	}
	// While Telegram is away this question fails, and not the post, after which nobody could tell whether it is there.
	to, err := c.Check(ctx, channel)
	if err != nil {
		return Published{}, err
	}
	last := lastBytes{save: save}
	id, err := c.post.SendVideo(ctx, to.ID, fileID, CaptionOf(m), last.leave)
	switch left, failed := last.end(); {
	case failed != nil:
		return Published{}, failed
	case err == nil:
		return Published{id, Link(to, id)}, nil
	case !left: // so it is not there
	case !neverSent(err):
		return Published{}, unclear(err.Error())
	default:
		if err := save(State{}); err != nil {
			return Published{}, err
		}
	}
	err = judge(err)
	// Telegram has many words for a file_id that it doesn't take: a refusal in words that we don't know may be one.
	if e, ok := errors.AsType[*Error](err); ok && e.reason == "http400" && fileID != "" {
		err = fail("telegram_file", "file", e.message)
	}
	return Published{}, err
}

// lastBytes stores that the last bytes of a post leave. What sends them may go on reading for a moment once the call
// is over.
type lastBytes struct {
	save func(State) error

	mu         sync.Mutex
	left, over bool
	failed     error
}

var errOver = errors.New("telegram: the call is over")

func (l *lastBytes) leave() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.over:
		return errOver
	case !l.left && l.failed == nil:
		l.failed = l.save(State{uploading})
		l.left = l.failed == nil
	}
	return l.failed
}

// end returns whether they may have left, and why that could not be stored.
func (l *lastBytes) end() (left bool, failed error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	return l.left, l.failed
}

// Update changes the caption of a post. It is not an error if nothing had to be changed.
func (c *Client) Update(ctx context.Context, channel, message int64, m Metadata) error {
	err := c.post.EditCaption(ctx, channel, message, CaptionOf(m))
	if says(err, "message is not modified") {
		return nil
	}
	return judge(err)
}

// There reports whether a post is in the channel. The Bot API has no call that reads a post, but one that would take
// away its buttons, of which it has none, fails only if it is not there.
func (c *Client) There(ctx context.Context, channel, message int64) (bool, error) {
	err := c.post.Touch(ctx, channel, message)
	if says(err, "message is not modified") {
		return true, nil
	}
	err = judge(err)
	if e, ok := errors.AsType[*Error](err); ok && (e.code == "telegram_not_found" || e.code == "telegram_too_old") {
		return e.code == "telegram_too_old", nil
	}
	return err == nil, err
}

// Delete deletes a post. It is not an error if Telegram says that there is no such post.
func (c *Client) Delete(ctx context.Context, channel, message int64) error {
	err := judge(c.post.Delete(ctx, channel, message))
	if e, ok := errors.AsType[*Error](err); ok && e.code == "telegram_not_found" {
		return nil
	}
	return err
}

// postPath is the path of a post: /name/12 in a public channel, /c/1234567890/12 in a private one.
var postPath = regexp.MustCompile(`^/(?:s/)?(?:c/([0-9]{5,15})|([A-Za-z][A-Za-z0-9_]{3,31}))/([0-9]{1,18})/?$`)

// Why Post refuses an address.
var (
	ErrNoAddress = errors.New("telegram: this isn't a valid URL")
	ErrOtherSite = errors.New("telegram: this address isn't at Telegram, or in another channel")
	ErrNoPost    = errors.New("telegram: this isn't the address of a post")
)

// Post returns the message that an address shows in a channel. The scheme may be left out.
func Post(in Channel, text string) (message int64, err error) {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !strings.Contains(u.Host, ".") || u.User != nil {
		return 0, ErrNoAddress
	}
	host := strings.TrimPrefix(strings.ToLower(u.Host), "www.")
	found := postPath.FindStringSubmatch(u.Path)
	switch {
	case host != "t.me" && host != "telegram.me":
		return 0, ErrOtherSite
	case found == nil:
		return 0, ErrNoPost
	case found[1] != "" && "-100"+found[1] != strconv.FormatInt(in.ID, 10),
		found[2] != "" && !strings.EqualFold(found[2], in.Username):
		return 0, ErrOtherSite
	}
	message, err = strconv.ParseInt(found[3], 10, 64)
	if err != nil || message == 0 {
		return 0, ErrNoPost
	}
	return message, nil
}

// Link returns the address of a post. In a private channel only its members can open it.
func Link(in Channel, message int64) string {
	if in.Username != "" {
		return fmt.Sprintf("https://t.me/%s/%d", in.Username, message)
	}
	return fmt.Sprintf("https://t.me/c/%s/%d", strings.TrimPrefix(strconv.FormatInt(in.ID, 10), "-100"), message)
}
