// The manual page, made of the table of commands.

package cli

import (
	"fmt"
	"strings"
	"time"
)

// Man returns the manual page of a version, as man and mandoc read it.
func Man(version string, day time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH RETAKE 1 %s \"Retake %s\" \"User Commands\"\n", day.UTC().Format(time.DateOnly), roff(version))
	b.WriteString(".SH NAME\nretake \\- greeting videos by Telegram, published where you want them\n")
	b.WriteString(".SH SYNOPSIS\n\\fBretake\\fR [\\fICOMMAND\\fR] [\\fIFLAGS\\fR] [\\fIARGUMENTS\\fR]\n")
	b.WriteString(".SH DESCRIPTION\nThe bot, its queue and the page for admins are one program with one SQLite file.\n" +
		"Without a command it serves.\n.SH COMMANDS\n")
	for _, group := range groups {
		fmt.Fprintf(&b, ".SS %s\n", roff(group))
		for _, c := range Commands {
			if c.Group == group {
				c.man(&b)
			}
		}
	}
	b.WriteString(`.SH EXIT STATUS
.TP
.B 0
success
.TP
.B 1
failure
.TP
.B 2
usage
.TP
.B 78
a mistake in the settings
.SH ENVIRONMENT
Each setting can be given as \fBRETAKE_\fISECTION\fB_\fIKEY\fR, a secret also in a file that
\fBRETAKE_\fISECTION\fB_\fIKEY\fB_FILE\fR names.
.SH FILES
.TP
.I config.toml
The settings, in the working directory unless \fB\-config\fR names another file. The Debian package has
.IR /etc/retake/config.toml .
.TP
.I /etc/retake/credentials/
Secrets of the service: one file each, named by its key, such as
.IR telegram.token .
.TP
.I /var/lib/retake/
The data of the service: the database, the videos, backups.
.SH SEE ALSO
.BR ffmpeg (1),
.BR systemctl (1),
.I /usr/share/doc/retake/README.md
`)
	return b.String()
}

// man writes the entry of a command.
func (c Command) man(b *strings.Builder) {
	fmt.Fprintf(b, ".TP\n\\fBretake %s\\fR", roff(c.Name))
	if c.Args != "" {
		fmt.Fprintf(b, " \\fI%s\\fR", roff(c.Args))
	}
	fmt.Fprintf(b, "\n%s.\n", roff(strings.ToUpper(c.Short[:1])+c.Short[1:]))
	if c.Long != "" {
		fmt.Fprintf(b, "%s\n", roff(c.Long))
	}
	b.WriteString(".RS\n")
	for _, f := range c.flags() {
		fmt.Fprintf(b, ".TP\n\\fB\\-%s\\fR", roff(f.Name))
		if f.Arg != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(f.Arg))
		}
		fmt.Fprintf(b, "\n%s\n", roff(f.Use))
	}
	b.WriteString(".PP\n.EX\n")
	for _, e := range c.Examples {
		fmt.Fprintf(b, "%s\n", roff(e))
	}
	b.WriteString(".EE\n.RE\n")
}

// roff makes a text one that is printed as it is.
func roff(text string) string {
	lines := strings.Split(strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
