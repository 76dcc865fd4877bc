// Statistics: pictures and tables of the daily totals. They name no person.

package desk

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/video"
)

// spans are how many days the page can show.
var spans = []int{7, 30, 90, 365}

// DayTotals is what happened on a day, or in all days together.
type DayTotals struct {
	Date      string `json:"date"`
	Asked     int    `json:"asked"`
	Made      int    `json:"made"`
	Failed    int    `json:"failed"`
	Median    int    `json:"wait_p50_seconds"`
	Most      int    `json:"wait_p95_seconds"`
	New       int    `json:"new"`
	Returning int    `json:"returning"`
	Blocked   int    `json:"blocked"`
	Published int    `json:"published"`

	waits map[int]int // people, by how many seconds they waited at the most
}

func (d *DayTotals) add(t store.Total) {
	switch t.What {
	case "asked":
		d.Asked += t.N
	case "made":
		d.Made += t.N
	case "failed":
		d.Failed += t.N
	case "new":
		d.New += t.N
	case "returning":
		d.Returning += t.N
	case "blocked":
		d.Blocked += t.N
	case "published":
		d.Published += t.N
	case "waited":
		if seconds, err := strconv.Atoi(t.Detail); err == nil {
			if d.waits == nil {
				d.waits = map[int]int{}
			}
			d.waits[seconds] += t.N
			d.Median, d.Most = quantile(d.waits, 50), quantile(d.waits, 95)
		}
	}
}

// quantile is how long so many percent of the people waited at the most.
func quantile(waits map[int]int, percent int) int {
	all, so := 0, 0
	for _, n := range waits {
		all += n
	}
	for _, seconds := range slices.Sorted(maps.Keys(waits)) {
		if so += waits[seconds]; 100*so >= percent*all {
			return seconds
		}
	}
	return 0
}

// Row is a line of a table.
type Row struct {
	Name string `json:"name"`
	DayTotals
}

// Amount is how many there are of something.
type Amount struct {
	Name string `json:"name"`
	N    int    `json:"count"`
}

// Amounts are some of one kind.
type Amounts struct {
	Title   string
	Amounts []Amount
}

// Chart is a picture of some numbers of each day.
type Chart struct {
	Title  string
	Series []Series
	Top    int // the largest number
	Bars   []Bar
	From   string // the first day
	To     string
	Width  int
	Time   bool // the numbers are seconds
	Rows   []ChartRow
}

// Series is one number of each day.
type Series struct {
	Label string
	Class string
	Total int
}

// ChartRow is a day in the table under a picture.
type ChartRow struct {
	Date string
	N    []int
}

// Bar is a number in a picture.
type Bar struct {
	X, Y, W, H float64
	Class      string
}

// Statistics is the page.
type Statistics struct {
	Success   bool        `json:"success"`
	Span      int         `json:"days"`
	All       DayTotals   `json:"total"`
	Days      []DayTotals `json:"by_day"`
	Templates []Row       `json:"by_template"`
	Reasons   []Amount    `json:"failed_by_reason"`
	Sources   []Amount    `json:"sources"`
	Platforms []Amount    `json:"published"`
	Charts    []Chart     `json:"-"`
	Spans     []int       `json:"-"`
}

// chartHeight is that of a picture; its width is ten for each number, and the browser stretches it.
const chartHeight = 100

// chart draws numbers of each day.
func chart(title string, days []DayTotals, labels []string, of func(DayTotals) []int) Chart {
	c := Chart{Title: title}
	for i, label := range labels {
		c.Series = append(c.Series, Series{Label: label, Class: fmt.Sprintf("s%d", i)})
	}
	for _, d := range days {
		row := ChartRow{d.Date, of(d)}
		c.Top = max(c.Top, slices.Max(row.N))
		c.Rows = append(c.Rows, row)
	}
	slot := float64(10 * (len(labels) + 1))
	c.Width = int(slot) * len(days)
	for i, row := range c.Rows {
		for at, n := range row.N {
			c.Series[at].Total += n
			if n > 0 {
				h := float64(chartHeight) * float64(n) / float64(c.Top)
				c.Bars = append(c.Bars, Bar{slot*float64(i) + 5 + 10*float64(at), chartHeight - h, 9, h, c.Series[at].Class})
			}
		}
	}
	if len(days) > 0 {
		c.From, c.To = days[0].Date, days[len(days)-1].Date
	}
	slices.Reverse(c.Rows) // the newest first
	return c
}

// span is how many days a request asks for.
func span(r *http.Request) (int, error) {
	asked := cmp.Or(r.URL.Query().Get("days"), "30")
	n, err := strconv.Atoi(asked)
	if err != nil || !slices.Contains(spans, n) {
		return 0, Invalid("error_span", nil)
	}
	return n, nil
}

// Statistics answers with the page.
func (d *Desk) Statistics(w http.ResponseWriter, r *http.Request) error {
	n, err := span(r)
	if err != nil {
		return err
	}
	totals, err := d.store.Totals(r.Context(), n)
	if err != nil {
		return fmt.Errorf("statistics: %w", err)
	}
	say := sayTo(r)
	view := newStatistics(say, totals, n, d.store.Now())
	for i, row := range view.Templates {
		view.Templates[i].Name = video.TitleOf(d.opts.Offers.List(), row.Name, languageOf(r))
	}
	return d.answer(w, r, "statistics", Frame{Title: say("nav_statistics", nil), Here: "/statistics"}, view)
}

// newStatistics sums up the totals of some days, of which today is the last.
func newStatistics(say Say, totals []store.Total, span int, now time.Time) Statistics {
	v := Statistics{Success: true, Span: span, Spans: spans, Days: make([]DayTotals, span)}
	first := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-span)
	for i := range v.Days {
		v.Days[i].Date = first.AddDate(0, 0, i).Format(time.DateOnly)
	}
	templates, reasons, sources, platforms := map[string]*DayTotals{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, t := range totals {
		if at := int(t.Day.Sub(first).Hours() / 24); at >= 0 && at < span {
			v.Days[at].add(t)
		}
		v.All.add(t)
		if t.Template = video.TemplateOf(t.Template); t.Template != "" {
			if templates[t.Template] == nil {
				templates[t.Template] = &DayTotals{}
			}
			templates[t.Template].add(t)
		}
		switch t.What {
		case "failed":
			reasons[Reason(say, cmp.Or(t.Detail, "-"), "", "reason_other")] += t.N
		case "source":
			sources[t.Detail] += t.N
		case "published":
			platforms[PlatformName(t.Detail)] += t.N
		}
	}
	for _, id := range slices.Sorted(maps.Keys(templates)) {
		v.Templates = append(v.Templates, Row{id, *templates[id]})
	}
	v.Reasons, v.Sources, v.Platforms = ranked(reasons), ranked(sources), ranked(platforms)
	labels := func(ids ...string) (said []string) {
		for _, id := range ids {
			said = append(said, say(id, nil))
		}
		return said
	}
	waits := chart(say("stat_waits", nil), v.Days, labels("stat_p50", "stat_p95"),
		func(d DayTotals) []int { return []int{d.Median, d.Most} })
	waits.Time = true
	waits.Series[0].Total, waits.Series[1].Total = v.All.Median, v.All.Most
	v.Charts = []Chart{
		chart(say("stat_videos", nil), v.Days, labels("stat_asked", "stat_made", "stat_failed"),
			func(d DayTotals) []int { return []int{d.Asked, d.Made, d.Failed} }),
		waits,
		chart(say("stat_people", nil), v.Days, labels("stat_new", "stat_returning", "stat_blocked"),
			func(d DayTotals) []int { return []int{d.New, d.Returning, d.Blocked} }),
		chart(say("stat_published", nil), v.Days, labels("stat_published"),
			func(d DayTotals) []int { return []int{d.Published} }),
	}
	return v
}

// ranked are amounts, the largest first.
func ranked(of map[string]int) []Amount {
	all := []Amount{}
	for name, n := range of {
		all = append(all, Amount{name, n})
	}
	slices.SortFunc(all, func(a, b Amount) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Name, b.Name)) })
	return all
}

// StatisticsFile answers with the totals as they are stored, as CSV.
func (d *Desk) StatisticsFile(w http.ResponseWriter, r *http.Request) error {
	n, err := span(r)
	if err != nil {
		return err
	}
	totals, err := d.store.Totals(r.Context(), n)
	if err != nil {
		return fmt.Errorf("statistics: %w", err)
	}
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	out.Write([]string{"day", "what", "template", "detail", "count"}) // a buffer takes everything
	for _, t := range totals {
		out.Write([]string{t.Day.Format(time.DateOnly), t.What, t.Template, harmless(t.Detail), strconv.Itoa(t.N)})
	}
	out.Flush()
	w.Header().Set("Content-Disposition", `attachment; filename="retake-statistics.csv"`)
	return writeFor(w, r, http.StatusOK, "text/csv; charset=UTF-8", b.Bytes())
}

// harmless keeps a spreadsheet from reading the tag of a link as a formula.
func harmless(text string) string {
	if text != "" && (text[0] == '-' || text[0] == '=' || text[0] == '+' || text[0] == '@') {
		return "'" + text
	}
	return text
}
