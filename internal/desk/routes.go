// The routes of pages that need nothing but the desk; web.go has the others.

package desk

// Views are the pages and files for signed-in admins, by path.
func (d *Desk) Views() map[string]Handler {
	return map[string]Handler{
		"/attention":      d.Attention,
		"/selection":      d.Selection,
		"/bin":            d.Bin,
		"/backups":        OwnersOnly(d.Backups),
		"/statistics":     d.Statistics,
		"/statistics.csv": d.StatisticsFile,

		"/templates":           OwnersOnly(d.TemplateList),
		"/templates/:picture":  d.Cover,
		"/studio":              OwnersOnly(d.AskTemplate),
		"/studio/:id":          OwnersOnly(d.Studio),
		"/studio/:id/film":     OwnersOnly(d.StudioFilm),
		"/studio/:id/trial/:f": OwnersOnly(d.StudioTrial),
	}
}

// Actions are the forms of signed-in admins, by path.
func (d *Desk) Actions() map[string]Handler {
	return map[string]Handler{
		"/selection": d.DeleteMany,
		"/bin":       d.RestoreOrErase,
		"/backups":   OwnersOnly(d.MakeOrTryBackup),

		"/templates":  OwnersOnly(d.ChangeTemplates),
		"/studio":     OwnersOnly(d.AddTemplate),
		"/studio/:id": OwnersOnly(d.WorkOnTemplate),
	}
}
