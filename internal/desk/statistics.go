// Statistics: pictures and tables of the daily totals. They name no person.

package desk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"html"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	Top    int    // the largest number
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
	Bars  string // the outline of all its bars, as an SVG path
}

// ChartRow is a day in the table under a picture.
type ChartRow struct {
	Date string
	N    []int
}

// tableRows are the rows of the table under a picture. A year has thousands of cells, for which a template takes a
// hundred times as long.
func tableRows(say Say, c Chart) template.HTML {
	words := map[int]string{} // of seconds: the same few come again
	var b []byte
	for _, row := range c.Rows {
		b = append(b, `<tr><th scope="row">`+row.Date+`</th>`...)
		for _, n := range row.N {
			b = append(b, "<td>"...)
			if !c.Time {
				b = strconv.AppendInt(b, int64(n), 10)
			} else {
				if words[n] == "" {
					words[n] = html.EscapeString(wholeSeconds(say, n))
				}
				b = append(b, words[n]...)
			}
			b = append(b, "</td>"...)
		}
		b = append(b, "</tr>"...)
	}
	return template.HTML(b)
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
	slot := 10 * (len(labels) + 1)
	c.Width = slot * len(days)
	for at := range c.Series {
		var bars strings.Builder
		for i, row := range c.Rows {
			n := row.N[at]
			c.Series[at].Total += n
			if n > 0 {
				fmt.Fprintf(&bars, "M%d %dV%.1fh9V%[2]dz", slot*i+5+10*at, chartHeight, chartHeight*(1-float64(n)/float64(c.Top)))
			}
		}
		c.Series[at].Bars = bars.String()
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

// sums are the totals of some days, added up in each way that the page shows.
type sums struct {
	first                       time.Time // when they begin, UTC
	days                        []DayTotals
	all                         DayTotals
	templates                   map[string]*DayTotals
	reasons, sources, platforms map[string]int // by code, tag and platform
	file                        []byte         // the totals themselves, as lines of CSV
}

func newSums(first time.Time, span int) *sums {
	s := &sums{first: first, days: make([]DayTotals, span), templates: map[string]*DayTotals{}, reasons: map[string]int{},
		sources: map[string]int{}, platforms: map[string]int{}}
	for i := range s.days {
		s.days[i].Date = first.AddDate(0, 0, i).Format(time.DateOnly)
	}
	return s
}

func (s *sums) add(totals []store.Total) {
	changed := map[*DayTotals]bool{&s.all: true}
	var file bytes.Buffer
	lines := csv.NewWriter(&file) // a buffer takes everything
	for _, t := range totals {
		if at := int(t.Day.Sub(s.first).Hours() / 24); at >= 0 && at < len(s.days) {
			s.days[at].add(t)
			changed[&s.days[at]] = true
		}
		s.all.add(t)
		lines.Write([]string{t.Day.Format(time.DateOnly), t.What, t.Template, harmless(t.Detail), strconv.Itoa(t.N)})
		if t.Template = video.TemplateOf(t.Template); t.Template != "" {
			if s.templates[t.Template] == nil {
				s.templates[t.Template] = &DayTotals{}
			}
			s.templates[t.Template].add(t)
			changed[s.templates[t.Template]] = true
		}
		switch t.What {
		case "failed":
			s.reasons[cmp.Or(t.Detail, "-")] += t.N
		case "source":
			s.sources[t.Detail] += t.N
		case "published":
			s.platforms[t.Detail] += t.N
		}
	}
	lines.Flush()
	s.file = slices.Concat(s.file, file.Bytes())
	for d := range changed {
		d.Median, d.Most = quantile(d.waits, 50), quantile(d.waits, 95)
	}
}

// clone is a copy that can be added to.
func (s *sums) clone() *sums {
	c := &sums{s.first, slices.Clone(s.days), s.all.clone(), map[string]*DayTotals{}, maps.Clone(s.reasons),
		maps.Clone(s.sources), maps.Clone(s.platforms), s.file}
	for id, t := range s.templates {
		of := t.clone()
		c.templates[id] = &of
	}
	return c
}

func (d DayTotals) clone() DayTotals {
	d.waits = maps.Clone(d.waits)
	return d
}

// past keeps the sums of the days that are over, by how many days a page shows: nothing adds to them any more. Those of
// a year take a tenth of a second to read.
type past struct {
	mu     sync.Mutex
	bySpan map[int]*sums
}

// fresh is how many days are read each time: today, and the day before, which a transaction may have begun in.
const fresh = 2

// sums are those of so many days, of which today is the last.
func (d *Desk) sums(ctx context.Context, span int) (*sums, error) {
	today := d.store.Now().UTC().Truncate(24 * time.Hour)
	first, last := today.AddDate(0, 0, 1-span), today.AddDate(0, 0, -fresh)
	d.past.mu.Lock()
	defer d.past.mu.Unlock()
	over := d.past.bySpan[span]
	if over == nil || !over.first.Equal(first) {
		totals, err := d.store.Totals(ctx, first, last)
		if err != nil {
			return nil, err
		}
		over = newSums(first, span)
		over.add(totals)
		if d.past.bySpan == nil {
			d.past.bySpan = map[int]*sums{}
		}
		d.past.bySpan[span] = over
	}
	totals, err := d.store.Totals(ctx, last.AddDate(0, 0, 1), today)
	if err != nil {
		return nil, err
	}
	s := over.clone()
	s.add(totals)
	return s, nil
}

// Statistics answers with the page.
func (d *Desk) Statistics(w http.ResponseWriter, r *http.Request) error {
	n, err := span(r)
	if err != nil {
		return err
	}
	sums, err := d.sums(r.Context(), n)
	if err != nil {
		return fmt.Errorf("statistics: %w", err)
	}
	say := sayTo(r)
	view := newStatistics(say, sums)
	for i, row := range view.Templates {
		view.Templates[i].Name = video.TitleOf(d.opts.Offers.List(), row.Name, languageOf(r))
	}
	return d.answer(w, r, "statistics", Frame{Title: say("nav_statistics", nil), Here: "/statistics"}, view)
}

// newStatistics shows the sums of some days.
func newStatistics(say Say, s *sums) Statistics {
	v := Statistics{Success: true, Span: len(s.days), Spans: spans, Days: s.days, All: s.all}
	reasons, platforms := map[string]int{}, map[string]int{}
	for code, n := range s.reasons {
		reasons[Reason(say, code, "", "reason_other")] += n
	}
	for id, n := range s.platforms {
		platforms[PlatformName(id)] += n
	}
	for _, id := range slices.Sorted(maps.Keys(s.templates)) {
		v.Templates = append(v.Templates, Row{id, *s.templates[id]})
	}
	v.Reasons, v.Sources, v.Platforms = ranked(reasons), ranked(s.sources), ranked(platforms)
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
	sums, err := d.sums(r.Context(), n)
	if err != nil {
		return fmt.Errorf("statistics: %w", err)
	}
	w.Header().Set("Content-Disposition", `attachment; filename="retake-statistics.csv"`)
	return writeFor(w, r, http.StatusOK, "text/csv; charset=UTF-8",
		slices.Concat([]byte("day,what,template,detail,count\n"), sums.file))
}

// harmless keeps a spreadsheet from reading the tag of a link as a formula.
func harmless(text string) string {
	if text != "" && (text[0] == '-' || text[0] == '=' || text[0] == '+' || text[0] == '@') {
		return "'" + text
	}
	return text
}
