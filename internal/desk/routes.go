// The routes of pages that need nothing but the desk; web.go has the others.

package desk

// Views are the pages and files for signed-in admins, by path.
func (d *Desk) Views() map[string]Handler {
	return map[string]Handler{
		"/attention":      d.Attention,
		"/selection":      d.Selection,
		"/bin":            d.Bin,
		"/backups":        OwnersOnly(d.Backups),
		"/setup":          OwnersOnly(d.SetUp),
		"/bot":            d.BotPage,
		"/configuration":  OwnersOnly(d.Configuration),
		"/admins":         OwnersOnly(d.Admins),
		"/tokens":         OwnersOnly(d.Tokens),
		"/advance":        d.Advance,
		"/texts":          OwnersOnly(d.Texts),
		"/texts/:key":     OwnersOnly(d.Text),
		"/statistics":     d.Statistics,
		"/statistics.csv": d.StatisticsFile,

		"/templates/:picture":   d.Cover,
		"/debug/pprof/:profile": OwnersOnly(d.Pprof),
		"/templates":            OwnersOnly(d.TemplateList),
		"/studio":               OwnersOnly(d.AskTemplate),
		"/studio/:id":           OwnersOnly(d.Studio),
		"/studio/:id/film":      OwnersOnly(d.StudioFilm),
		"/studio/:id/trial/:f":  OwnersOnly(d.StudioTrial),
	}
}

// Actions are the forms of signed-in admins, by path.
func (d *Desk) Actions() map[string]Handler {
	return map[string]Handler{
		"/selection":        d.DeleteMany,
		"/bin":              d.RestoreOrErase,
		"/backups":          OwnersOnly(d.MakeOrTryBackup),
		"/setup":            OwnersOnly(d.AdvanceSetup),
		"/bot":              OwnersOnly(d.ChangeBot),
		"/configuration":    OwnersOnly(d.SaveConfiguration),
		"/admins":           OwnersOnly(d.ChangeAdmins),
		"/tokens":           OwnersOnly(d.ChangeTokens),
		"/advance":          OwnersOnly(d.AddAdvance),
		"/advance/stop":     OwnersOnly(d.StopAdvance),
		"/advance/withdraw": OwnersOnly(d.WithdrawAdvance),
		"/farm/drain":       OwnersOnly(d.Drain),
		"/take-over":        OwnersOnly(d.TakeOver),
		"/trust-clock":      OwnersOnly(d.TrustClock),
		"/held":             OwnersOnly(d.DecideHeld),
		"/wishes":           OwnersOnly(d.Wishes),
		"/templates":        OwnersOnly(d.ChangeTemplates),
		"/studio":           OwnersOnly(d.AddTemplate),
		"/studio/:id":       OwnersOnly(d.WorkOnTemplate),
		"/texts/:key":       OwnersOnly(d.ChangeText),
	}
}
