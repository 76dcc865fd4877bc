// commands.go is the table. A new command is an entry here and its function in main.go.

package cli

import "time"

// groups are the headings of the help, in their order.
var groups = []string{"Begin", "Every day", "Keep", "For machines"}

// Commands are all there are, in the order of the help.
var Commands = []Command{
	{Name: "init", Group: "Begin", Args: "[PLACE]", Short: "write a commented config.toml, and say what comes next",
		Long: "PLACE is a folder, or a file that ends in .toml; without one it is the folder where you are. The file has every\n" +
			"setting with its default, those that you will want to set first at its top. A file that is there stays as it is.",
		Examples: []string{"retake init", "retake init /etc/retake"}},
	{Name: "check", Group: "Begin", Config: true, Short: "say what is missing on this machine, and what to do about it",
		Long: "Each line begins with ok, warning or fault. A warning costs something that you may do without; a fault keeps Retake\n" +
			"from its work, and makes the exit code 1. It may be run beside a running serve, and changes nothing.",
		Examples: []string{"retake check", "retake check -config /etc/retake/config.toml"}},
	{Name: "serve", Group: "Begin", Config: true, Short: "run the bot, the queue and the page (the default)",
		Long: "It runs until it gets SIGINT or SIGTERM; what was under way goes on at the next start. Until somebody has signed in\n" +
			"to the page, each start prints a link that does it.",
		Examples: []string{"retake", "retake serve -config /etc/retake/config.toml"}},
	{Name: "demo", Group: "Begin", Short: "all of it in the browser, with stand-ins for Telegram, YouTube and Rumble",
		Long:     "It needs no settings and no account, and leaves nothing behind.",
		Examples: []string{"retake demo"}},

	{Name: "admin add", Group: "Every day", Args: "ID", Config: true,
		Short: "make somebody an admin; a running serve notices at once",
		Long: "ID is the number by which Telegram knows a person; @userinfobot tells everybody their own. Admins may watch all, and\n" +
			"change what they made. Those of telegram.owners and telegram.admins in the settings are admins without this.",
		Flags:    []Flag{{"owner", "", false, "who may do everything on the page"}},
		Examples: []string{"retake admin add 222222222", "retake admin add 111111111 -owner"}},
	{Name: "admin list", Group: "Every day", Config: true, Short: "who is an admin, and who says so",
		Examples: []string{"retake admin list"}},
	{Name: "admin remove", Group: "Every day", Args: "ID", Config: true,
		Short:    "take that back: sessions and links of that admin end at once",
		Long:     "Who stands in the settings is removed there.",
		Examples: []string{"retake admin remove 222222222"}},
	{Name: "admin link", Group: "Every day", Args: "ID", Config: true,
		Short:    "a sign-in link for that admin; works once, for 15 minutes",
		Long:     "ID is the Telegram id of an admin.",
		Examples: []string{"retake admin link 111111111"}},
	{Name: "retry", Group: "Every day", Args: "[ASSET]", Config: true,
		Short: "try a failed video again, or all; a running serve notices at once",
		Long: "Everybody who waited for it gets it. ASSET is the id of the video, which its page shows. With -all-failed it is every\n" +
			"video that the page says needs somebody, and every failed publication that another try may help; what could not be tried\n" +
			"again is named, and makes the exit code 1.",
		Flags:    []Flag{{"all-failed", "", false, "all that have failed, in place of one"}},
		Examples: []string{"retake retry 7QKJ3N5XW2MZV4TB6YHRCADFGE", "retake retry -all-failed"}},
	{Name: "template check", Group: "Every day", Args: "DIR", Config: true,
		Short:    "what is wrong with the template in a folder, each fault with its line",
		Long:     "DIR is a folder with a template.toml, or the name of a template that is built in.",
		Examples: []string{"retake template check templates/clock"}},
	{Name: "template preview", Group: "Every day", Args: "DIR NAME", Config: true,
		Short: "its video for a name; with -at 3s one picture",
		Flags: []Flag{
			{"at", "TIME", -time.Second, "a picture of this moment, such as 3s, in place of the video"},
			{"lang", "LANG", "", "the language of the video; default: that of the settings"},
			{"o", "FILE", "", "where it goes; default: preview.mp4 or preview.png"},
		},
		Examples: []string{`retake template preview templates/clock "Маша"`,
			`retake template preview birthday Emma -lang en -at 6s -o still.png`}},

	{Name: "backup", Group: "Keep", Args: "FILE", Config: true,
		Short: "copy the database to a new file, also while serve runs",
		Long: "It overwrites nothing. FILE.media lists the videos and pictures that belong to it; they are not in it, nor is the key of\n" +
			"the channels' tokens. serve makes one every day by itself; see docs/backup.md.",
		Examples: []string{"retake backup /mnt/backup/monday.db"}},
	{Name: "restore", Group: "Keep", Args: "FILE", Config: true,
		Short: "put a backup in the place of the database; while serve is stopped",
		Long: "FILE is read in full first. The database that was there is kept. What the backup owes to people may have been sent since:\n" +
			"it is held, and the page asks an owner what to do.",
		Flags: []Flag{{"force", "", false, "also if the database knows of later things than the backup"}},
		Examples: []string{"retake restore /mnt/backup/monday.db",
			"retake restore data/backups/retake-20261122T031500Z.db -force"}},
	{Name: "export", Group: "Keep", Args: "USER [FILE]", Config: true,
		Short: "all that is kept about a Telegram user, as JSON",
		Long: "For somebody who asks you what you know of them and cannot ask the bot with /my_data. USER is a Telegram id. FILE must\n" +
			"not be there yet; without one it is printed.",
		Examples: []string{"retake export 333333333", "retake export 333333333 data.json"}},
	{Name: "media move", Group: "Keep", Config: true,
		Short:    "the videos to where media.store says, from where they were; while serve is stopped",
		Long:     "A file is deleted in the old place once the new one has it. Interrupted, it goes on when it is run again.",
		Examples: []string{"retake media move"}},

	{Name: "healthcheck", Group: "For machines", Config: true, Short: "is the running program well?",
		Long:     "It asks the page at web.listen, prints nothing when all is well, and exits with 0; otherwise with 1.",
		Examples: []string{"retake healthcheck"}},
	{Name: "version", Group: "For machines", Short: "the version, and what it was built with",
		Examples: []string{"retake version"}},
	{Name: "completion", Group: "For machines", Args: "SHELL", Choices: []string{"bash", "zsh", "fish"},
		Short: "lines that teach bash, zsh or fish the commands",
		Examples: []string{"retake completion bash > /etc/bash_completion.d/retake", "source <(retake completion zsh)",
			"retake completion fish > ~/.config/fish/completions/retake.fish"}},
	{Name: "help", Group: "For machines", Args: "[COMMAND...]", Short: "what there is, or more about one command",
		Examples: []string{"retake help", "retake help admin link"}},
}
