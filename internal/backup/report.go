// report.go says what a restore changed, in the words of the command line.

package backup

import "fmt"

// Report is what became of a restore.
type Report struct {
	Settled   int      // answers that were sent after the backup was made, as the replaced database knows
	Held      int      // people to whom nothing is sent until an admin decides
	Unclear   int      // publications that an admin has to look for
	Forgotten int      // people who asked to be forgotten after the backup was made
	Admins    int      // people whom the backup makes admins
	Sealed    int      // channels whose access this machine cannot open
	Lost      []string // keys of missing files that cannot be made again
	Again     int      // missing files that can
}

// mostLost is how many missing files are named: a media store that is gone would fill the screen, and hide what
// follows.
const mostLost = 20

// Lines returns the sentences about what is not as it was.
func (r Report) Lines() (lines []string) {
	for _, key := range r.Lost[:min(mostLost, len(r.Lost))] {
		lines = append(lines, "missing: "+key)
	}
	if more := len(r.Lost) - mostLost; more > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more", more))
	}
	for _, c := range []struct {
		n         int
		one, many string
	}{
		{len(r.Lost), "1 file that an admin sent is missing: bring it back from a copy of the media store, or send " +
			"it again on the page.",
			"%d files that admins sent are missing: bring them back from a copy of the media store, or send them again " +
				"on the page."},
		{r.Again, "1 file of a greeting is missing. Telegram may still have the video; else it is made again when " +
			"somebody asks.",
			"%d files of greetings are missing. Telegram may still have the videos; else they are made again when " +
				"somebody asks."},
		{r.Settled, "1 answer that the backup owed has been sent since, as the database that was there knows: it is " +
			"not sent again.",
			"%d answers that the backup owed have been sent since, as the database that was there knows: they are not " +
				"sent again."},
		{r.Held, "1 person was waiting when the backup was made, and may have been answered since. Nothing is sent " +
			"to them until an owner presses Send now, or Let it be, on the page.",
			"%d people were waiting when the backup was made, and may have been answered since. Nothing is sent to " +
				"them until an owner presses Send now, or Let it be, on the page."},
		{r.Unclear, "1 video was to be published when the backup was made, and may have been since. Its card on the " +
			"page asks an admin to look.",
			"%d videos were to be published when the backup was made, and may have been since. Their cards on the page " +
				"ask an admin to look."},
		{r.Forgotten, "1 person had asked since to be forgotten, and is not in it any more.",
			"%d people had asked since to be forgotten, and are not in it any more."},
		{r.Admins, "1 person is an admin by the backup: look with retake admin list whether they still should be.",
			"%d people are admins by the backup: look with retake admin list whether they still should be."},
		{r.Sealed, "1 channel has to be connected again on the page: its access is sealed with another token.key " +
			"than the one here.",
			"%d channels have to be connected again on the page: their access is sealed with another token.key than " +
				"the one here."},
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
