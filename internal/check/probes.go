// probes.go is the list of what is looked at.

package check

import "context"

// Parts are what a Retake is made of on this machine, and ways to look at those that other rooms know.
type Parts struct {
	File            string // of the settings; "": none
	Secret          bool   // that holds one
	Listen, BaseURL string
	DataDir         string
	Backups         string                 // the folder of backups
	NoBackups       bool                   // none is made by itself
	BackupRoom      func(dir string) error // see Backups
	Process         int                    // that runs on the data folder; 0: none
	Least, Low      int64                  // bytes on the disk; see Disk

	Bot      func(context.Context) (name, webhook string, err error) // see Bot
	Owners   func(context.Context) (n int, strangers []int64)        // see Owners
	Database func(context.Context) (broken []string, newer bool, err error)
	FFmpeg   func(context.Context) (version string, err error)

	Engine func(context.Context) error // the operator's own; nil: templates make the videos, and what follows counts

	Font        func() (pkg string, here bool)
	VoiceEngine string
	VoiceAsked  bool // it is not the one that is there by itself
	Voice       func(context.Context) error
	Templates   []string
	Template    func(ctx context.Context, id string) (warnings []string, err error)

	Media   func(context.Context) error                     // a bucket; nil: the disk
	YouTube func(context.Context) (unknown bool, err error) // nil: it is off
}

// Probes are those of all parts, in the order in which somebody sets them up.
func (p Parts) Probes() []Probe {
	list := []Probe{
		{Name: "settings", Look: func(context.Context) []Finding { return File(p.File, p.Secret) }},
		{Name: "bot", Look: func(ctx context.Context) []Finding { return Bot(p.Bot(ctx)) }},
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
			return Told(err, version+" makes a video")
		}},
	}
	if p.Engine != nil {
		list = append(list, Probe{Name: "engine", Look: func(ctx context.Context) []Finding {
			return Told(p.Engine(ctx), "it is there; docs/engines.md says how to try it")
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
			return Told(p.Media(ctx), "the bucket keeps, gives back and deletes")
		}})
	}
	if p.YouTube != nil {
		list = append(list, Probe{Name: "youtube", Look: func(ctx context.Context) []Finding {
			unknown, err := p.YouTube(ctx)
			return YouTube(err, unknown, p.BaseURL)
		}})
	}
	return list
}
