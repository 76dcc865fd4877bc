// The table of commands. A new command is an entry here and a function in internal/command.

package cli

import "time"

// groups are the headings of the help, in order.
var groups = []string{"Start", "Every day", "Data", "For scripts"}

// Commands lists all commands in the order of the help.
var Commands = []Command{
	{Name: "init", Group: "Start", Args: "[PLACE]", Short: "write a commented config.toml and print the next steps",
		Long: "PLACE is a folder, or a file that ends in .toml; the default is the current folder. The file holds\n" +
			"every setting with its default; those to set first are not commented out. An existing file is left\n" +
			"unchanged.",
		Examples: []string{"retake init", "retake init /etc/retake"}},
	{Name: "check", Group: "Start", Config: true, Short: "check your setup, and say how to fix what is missing",
		Long: "Each line begins with ok, warning or fault. With a warning Retake works, but lacks something; with\n" +
			"a fault it cannot work, and the exit code is 1. It changes nothing and can run beside a running\n" +
			"serve.",
		Examples: []string{"retake check", "retake check -config /etc/retake/config.toml"}},
	{Name: "config", Group: "Start", Config: true, Short: "print the settings that hold, and where each comes from",
		Long: "It is TOML with a comment behind each setting: default, page, file or environment. Of secrets it\n" +
			"only says whether they are set.",
		Examples: []string{"retake config", "retake config -config /etc/retake/config.toml"}},
	{Name: "serve", Group: "Start", Config: true, Short: "run the bot, the queue and the page (the default)",
		Long: "It runs until SIGINT or SIGTERM, or its terminal is closed; unfinished work continues at the next\n" +
			"start. SIGHUP reads the settings again. Until someone has signed in to the page, each start prints a\n" +
			"sign-in link.",
		Examples: []string{"retake", "retake serve -config /etc/retake/config.toml"}},
	{Name: "worker", Group: "Start", Config: true,
		Short: "make videos for a Retake on another machine; see docs/farm.md",
		Long: "It takes orders from the farm at farm.url, one for each core, and needs no database and no token. What\n" +
			"films are made with comes from the other machine; ffmpeg and the voice must be installed here. It\n" +
			"runs until SIGINT or SIGTERM, and then finishes what it has begun, for a minute at most.",
		Examples: []string{"retake worker", "retake worker -config /etc/retake/worker.toml"}},
	{Name: "demo", Group: "Start", Short: "try Retake in the browser, with simulated Telegram, YouTube and Rumble",
		Long: "It needs no settings and no accounts, and leaves nothing behind. If a port is taken, it uses another\n" +
			"one and says so.",
		Flags:    []Flag{{"port", "PORT", "8090", "where it answers on this computer, 1 to 65535"}},
		Examples: []string{"retake demo", "retake demo -port 9090"}},

	{Name: "admin add", Group: "Every day", Args: "ID", Config: true,
		Short: "make someone an admin; a running serve notices at once",
		Long: "ID is a Telegram user id; @userinfobot tells people their own. Admins may see everything and\n" +
			"change what they made. Everyone in telegram.owners and telegram.admins of the settings is an admin\n" +
			"already.",
		Flags:    []Flag{{"owner", "", false, "an owner, who may do everything on the page"}},
		Examples: []string{"retake admin add 222222222", "retake admin add 111111111 -owner"}},
	{Name: "admin list", Group: "Every day", Config: true, Short: "list the admins, and where each was appointed",
		Examples: []string{"retake admin list"}},
	{Name: "admin remove", Group: "Every day", Args: "ID", Config: true,
		Short:    "remove an admin; their sessions, links and API tokens end at once",
		Long:     "Admins listed in config.toml must be removed there.",
		Examples: []string{"retake admin remove 222222222"}},
	{Name: "admin link", Group: "Every day", Args: "ID", Config: true,
		Short:    "print a sign-in link for an admin; it works once, for 15 minutes",
		Long:     "ID is the Telegram id of an admin.",
		Examples: []string{"retake admin link 111111111"}},
	{Name: "retry", Group: "Every day", Args: "[ASSET]", Config: true,
		Short: "retry a failed video, or all; a running serve notices at once",
		Long: "Everyone waiting for the video gets it. ASSET is its id, as its page shows it. With -all-failed\n" +
			"Retake retries every video that needs attention and every failed publication that a retry can\n" +
			"help, and sends messages again that did not arrive. What could not be retried is listed, and the\n" +
			"exit code is 1.",
		Flags:    []Flag{{"all-failed", "", false, "retry everything that failed, instead of one video"}},
		Examples: []string{"retake retry 7QKJ3N5XW2MZV4TB6YHRCADFGE", "retake retry -all-failed"}},
	{Name: "ban", Group: "Every day", Args: "ID", Config: true,
		Short: "give a person or a group nothing any more; a running serve notices at once",
		Long: "ID is a Telegram user id, or that of a group, which is below 0 and needs -- in front. What they alone wait\n" +
			"for and has not begun is dropped. They are not told. Deleting their data does not end the ban.",
		Examples: []string{"retake ban 333333333", "retake ban -- -1001234567890"}},
	{Name: "unban", Group: "Every day", Args: "ID", Config: true, Short: "end a ban",
		Examples: []string{"retake unban 333333333"}},
	{Name: "pause", Group: "Every day", Config: true,
		Short:    "take no new wishes; users are told so kindly",
		Long:     "What was asked for before is still made and sent. A running serve notices at once.",
		Examples: []string{"retake pause"}},
	{Name: "resume", Group: "Every day", Config: true, Short: "take wishes again",
		Examples: []string{"retake resume"}},
	{Name: "warm", Group: "Every day", Args: "FILE", Config: true,
		Short: "make the videos of a list of names in advance; a running serve makes them",
		Long: "FILE has one name a line. They are made one at a time while nobody waits, and then sent at once to\n" +
			"everyone who asks. Lines that cannot be made are listed, and the exit code is 1; the others are made.\n" +
			"The page shows how far it is, stops it, and withdraws the videos.",
		Flags: []Flag{
			{"lang", "LANG", "", "the language of the videos; default: language of the settings"},
			{"template", "ID", "", "an offered template; default: the first"},
		},
		Examples: []string{"retake warm names.txt", "retake warm names.txt -lang en -template birthday"}},
	{Name: "template check", Group: "Every day", Args: "DIR", Config: true,
		Short:    "check the template in a folder; each fault has its line",
		Long:     "DIR is a folder with a template.toml, or the name of a built-in template.",
		Examples: []string{"retake template check templates/clock"}},
	{Name: "template preview", Group: "Every day", Args: "DIR NAME", Config: true,
		Short: "make its video for a name, or one picture with -at 3s",
		Flags: []Flag{
			{"at", "TIME", -time.Second, "a picture of this moment, such as 3s, instead of the video"},
			{"lang", "LANG", "", "the language of the video; default: language of the settings"},
			{"o", "FILE", "", "the file to write; default: preview.mp4 or preview.png"},
		},
		Examples: []string{`retake template preview templates/clock "Маша"`,
			`retake template preview birthday Emma -lang en -at 6s -o still.png`}},

	{Name: "backup", Group: "Data", Args: "FILE", Config: true,
		Short: "copy the database to a new file; serve may be running",
		Long: "It overwrites nothing. FILE.media lists the videos and pictures that belong to it. They are not in\n" +
			"the backup, nor is the key of the channels' tokens. serve makes a backup every day; see\n" +
			"docs/backup.md.",
		Examples: []string{"retake backup /mnt/backup/monday.db"}},
	{Name: "restore", Group: "Data", Args: "FILE", Config: true,
		Short: "replace the database by a backup; serve must be stopped",
		Long: "FILE is checked in full first, and the old database is kept. Messages that the backup has as\n" +
			"unsent may have been sent since then: they are held, and the page asks an owner what to do.",
		Flags: []Flag{{"force", "", false, "even if the database is newer than the backup"}},
		Examples: []string{"retake restore /mnt/backup/monday.db",
			"retake restore data/backups/retake-20261122T031500Z.db -force"}},
	{Name: "export", Group: "Data", Args: "USER [FILE]", Config: true,
		Short: "print everything stored about a Telegram user, as JSON",
		Long: "For people who ask what you store about them and cannot send /my_data to the bot. USER is a\n" +
			"Telegram id. FILE must not exist yet; without it the data is printed.",
		Examples: []string{"retake export 333333333", "retake export 333333333 data.json"}},
	{Name: "media move", Group: "Data", Config: true,
		Short: "move the videos to where media.store says; serve must be stopped",
		Long: "A file is deleted in the old place once the new one has it. If interrupted, run it again to\n" +
			"continue.",
		Examples: []string{"retake media move"}},

	{Name: "healthcheck", Group: "For scripts", Config: true, Short: "ask whether the running program is healthy",
		Long: "It asks the page at web.listen. If all is well it prints nothing and exits with 0, otherwise with\n" +
			"1.",
		Examples: []string{"retake healthcheck"}},
	{Name: "version", Group: "For scripts", Short: "print the version and how it was built",
		Examples: []string{"retake version"}},
	{Name: "completion", Group: "For scripts", Args: "SHELL", Choices: []string{"bash", "zsh", "fish"},
		Short: "print completion code for bash, zsh or fish",
		Examples: []string{"retake completion bash > /etc/bash_completion.d/retake", "source <(retake completion zsh)",
			"retake completion fish > ~/.config/fish/completions/retake.fish"}},
	{Name: "help", Group: "For scripts", Args: "[COMMAND...]", Short: "list the commands, or explain one",
		Examples: []string{"retake help", "retake help admin link"}},
}
