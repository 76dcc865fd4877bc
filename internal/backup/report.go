// report.go says what a restore means, in the words of the command line.

package backup

import "fmt"

// Report is what became of a restore.
type Report struct {
	Settled   int      // answers that the database of before knows to have been sent
	Held      int      // people to whom nothing is sent until an admin decides
	Unclear   int      // publications that an admin has to look for
	Forgotten int      // people
	Admins    int      // people who are so by the backup
	Sealed    int      // channels whose access this machine cannot open
	Lost      []string // files that are missing and cannot be made again
	Again     int      // files that are missing and can
}

// Lines are the sentences about what is not as it was.
func (r Report) Lines() (lines []string) {
	for _, key := range r.Lost {
		lines = append(lines, "missing: "+key)
	}
	for _, c := range []struct {
		n         int
		one, many string
	}{
		{len(r.Lost), "1 file that an admin sent is missing: bring it back from a copy of the media store, or send it again on the page.",
			"%d files that admins sent are missing: bring them back from a copy of the media store, or send them again on the page."},
		{r.Again, "1 file of a greeting is missing. Telegram may still have the video; else it is made again when somebody asks.",
			"%d files of greetings are missing. Telegram may still have the videos; else they are made again when somebody asks."},
		{r.Settled, "1 answer that the backup owed has been sent since, as the database that was there knows: it is not sent again.",
			"%d answers that the backup owed have been sent since, as the database that was there knows: they are not sent again."},
		{r.Held, "1 person was waiting when the backup was made, and may have been answered since. Nothing is sent to them until an owner presses Send now, or Let it be, on the page.",
			"%d people were waiting when the backup was made, and may have been answered since. Nothing is sent to them until an owner presses Send now, or Let it be, on the page."},
		{r.Unclear, "1 video was to be published when the backup was made, and may have been since. Its card on the page asks an admin to look.",
			"%d videos were to be published when the backup was made, and may have been since. Their cards on the page ask an admin to look."},
		{r.Forgotten, "1 person had asked since to be forgotten, and is not in it any more.",
			"%d people had asked since to be forgotten, and are not in it any more."},
		{r.Admins, "1 person is an admin by the backup: look with retake admin list whether they still should be.",
			"%d people are admins by the backup: look with retake admin list whether they still should be."},
		{r.Sealed, "1 channel has to be connected again on the page: its access is sealed with another token.key than the one here.",
			"%d channels have to be connected again on the page: their access is sealed with another token.key than the one here."},
	} {
		switch c.n {
		case 0:
		case 1:
			lines = append(lines, c.one)
		default:
			lines = append(lines, fmt.Sprintf(c.many, c.n))
		}
	}
	return lines
}
