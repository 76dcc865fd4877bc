// The list of all probes.

package check

import "context"

// Parts describes this installation: settings, and functions that examine the parts which other packages know.
type Parts struct {
	File            string // of the settings; empty: none
	Secret          bool   // the file holds a secret
	Listen, BaseURL string
	DataDir         string
	Backups         string                 // the folder of backups
	NoBackups       bool                   // automatic backups are off
	BackupRoom      func(dir string) error // see Backups
	Process         int                    // that uses the data folder; 0: none
	Least, Low      int64                  // bytes on the disk; see Disk

	UploadMB int64                                                   // telegram.max_upload_mb
	API      string                                                  // telegram.api_url
	Bot      func(context.Context) (name, webhook string, err error) // see Bot
	Owners   func(context.Context) (n int, strangers []int64)        // see Owners
	Database func(context.Context) (broken []string, newer bool, err error)
	FFmpeg   func(context.Context) (version string, err error)

	// an engine of the operator; nil: templates make the videos, and what follows is examined
	Engine func(context.Context) error

	Font        func() (pkg string, here bool)
	VoiceEngine string
	VoiceAsked  bool // the settings name it
	Voice       func(context.Context) error
	Templates   []string
	Template    func(ctx context.Context, id string) (warnings []string, err error)

	Media   func(context.Context) error                     // the bucket; nil: media are on disk
	Copies  func(context.Context) error                     // the bucket of backups; nil: they are not copied
	YouTube func(context.Context) (unknown bool, err error) // nil: off
	Alarm   func(context.Context) error                     // a message by the second way, and the ping; nil: off

	Channels []Channel // of Telegram that are connected
}

// Channel is a Telegram channel that videos are posted in.
type Channel struct {
	Title string
	Look  func(context.Context) error // nil error: the bot may post there
}

// Probes returns the probes of all parts, in the order in which an operator sets them up.
func (p Parts) Probes() []Probe {
	list := []Probe{
		{Name: "settings", Look: func(context.Context) []Finding { return File(p.File, p.Secret) }},
		{Name: "bot", Look: func(ctx context.Context) []Finding {
			return append(Bot(p.Bot(ctx)), UploadLimit(p.UploadMB, p.API)...)
		}},
		{Name: "owners", Look: func(ctx context.Context) []Finding { return Owners(p.Owners(ctx)) }},
		{Name: "port", Look: func(ctx context.Context) []Finding { return Port(ctx, p.Listen, p.Process) }},
		{Name: "page", Look: func(context.Context) []Finding { return Page(p.Listen, p.BaseURL) }},
		{Name: "data folder", Look: func(context.Context) []Finding { return Folder(p.DataDir, "data_dir") }},
		{Name: "disk", After: "data folder", Look: func(context.Context) []Finding {
			return Disk(p.DataDir, p.Least,
				p.Low)
		}},
		{Name: "database", After: "data folder",
			Look: func(ctx context.Context) []Finding { return Database(p.Database(ctx)) }},
		{Name: "backups", After: "disk", Look: func(context.Context) []Finding {
			return Backups(p.Backups, p.DataDir, p.NoBackups, p.BackupRoom)
		}},
		{Name: "ffmpeg", Look: func(ctx context.Context) []Finding {
			version, err := p.FFmpeg(ctx)
			if hole := holesOf(version); err == nil && hole != "" {
				return []Finding{Warn("%s makes a video, but %s", version, hole)}
			}
			return Told(err, version+" makes a video")
		}},
	}
	if p.Engine != nil {
		list = append(list, Probe{Name: "engine", Look: func(ctx context.Context) []Finding {
			return Told(p.Engine(ctx), "it exists; docs/engines.md says how to try it")
		}})
	} else {
		list = append(list, Probe{Name: "font", Look: func(context.Context) []Finding { return Font(p.Font()) }},
			Probe{Name: "voice", After: "ffmpeg", Look: func(ctx context.Context) []Finding {
				return Voice(p.VoiceEngine, p.VoiceAsked, p.Voice(ctx))
			}})
		for _, id := range p.Templates {
			list = append(list, Probe{Name: "template " + id, After: "ffmpeg",
				Look: func(ctx context.Context) []Finding {
					return Template(p.Template(ctx, id))
				}})
		}
	}
	if p.Media != nil {
		list = append(list, Probe{Name: "media", Look: func(ctx context.Context) []Finding {
			return Told(p.Media(ctx), "the bucket stores, returns and deletes files")
		}})
	}
	if p.Copies != nil {
		list = append(list, Probe{Name: "backup copies", Look: func(ctx context.Context) []Finding {
			return Told(p.Copies(ctx), "the bucket stores, returns and deletes files")
		}})
	}
	if p.YouTube != nil {
		list = append(list, Probe{Name: "youtube", Look: func(ctx context.Context) []Finding {
			unknown, err := p.YouTube(ctx)
			return YouTube(err, unknown, p.BaseURL)
		}})
	}
	if p.Alarm != nil {
		list = append(list, Probe{Name: "watch", Look: func(ctx context.Context) []Finding {
			return Told(p.Alarm(ctx), "a test message was sent, or the ping made")
		}})
	}
	for _, c := range p.Channels {
		list = append(list, Probe{Name: "channel " + c.Title, After: "bot", Look: func(ctx context.Context) []Finding {
			return Told(c.Look(ctx), "the bot may post there")
		}})
	}
	return list
}
