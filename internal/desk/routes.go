// The routes of pages that need nothing but the desk; web.go has the others.

package desk

// Views are the pages and files for signed-in admins, by path.
func (d *Desk) Views() map[string]Handler {
	return map[string]Handler{
		"/attention":      d.Attention,
		"/selection":      d.Selection,
		"/bin":            d.Bin,
		"/backups":        OwnersOnly(d.Backups),
		"/texts":          OwnersOnly(d.Texts),
		"/texts/:key":     OwnersOnly(d.Text),
		"/statistics":     d.Statistics,
		"/statistics.csv": d.StatisticsFile,

		"/templates/:picture": d.Cover,
	}
}

// Actions are the forms of signed-in admins, by path.
func (d *Desk) Actions() map[string]Handler {
	return map[string]Handler{
		"/selection":  d.DeleteMany,
		"/bin":        d.RestoreOrErase,
		"/backups":    OwnersOnly(d.MakeOrTryBackup),
		"/texts/:key": OwnersOnly(d.ChangeText),
	}
}
