package store

import (
	"os"
	"testing"

	"retake.example/internal/db/dbtest"
)

// rightClock are the tests that say something about a clock that is right, and why a wrong one leads elsewhere.
var rightClock = map[string]string{
	"TestClock_AMinuteThatIsWrongLosesKeepsAndLocksNothing": "it has wrong clocks of its own",
	"TestDefer_AWaitThatBeganInTheFutureBeginsNow":          "it has wrong clocks of its own",
	"TestWhatNeedsAnAdmin/a_clock_that_was_set_back":        "it has wrong clocks of its own",

	"TestForget_InEveryStateOfAVideoNothingIsLeft":         "what became due in a wrong minute waits until the program sees the jump",
	"TestJobs_EachEndOfAnAttemptCountsAndWaitsAsItShould":  "what became due in a wrong minute waits until the program sees the jump",
	"TestJobs_AnOutageGivesBackTheAttemptsOfARunningVideo": "what became due in a wrong minute waits until the program sees the jump",
	"TestJobs_AnAttemptThatEndsForgetsTheCrashesBeforeIt":  "what became due in a wrong minute waits until the program sees the jump",
	"TestCapWaits_WhatAJobAskedForStays":                   "it has wrong clocks of its own",
	"TestPauseUploads_KeepsALongerHold":                    "a hold looks over in a minute that is ahead",
	"TestSetup_WrongCodesEndTheRightOne":                   "a code looks over in a minute that is ahead",
	"TestLimits_OutliveADeletionAndAreForgottenInADay":     "what was asked for in a wrong minute locks nobody out",
	"TestLimitsCountWhatWasAskedForAndNotWhatIsLeftOfIt":   "what was asked for in a wrong minute locks nobody out",
	"TestAllow_TheDayGoesOnOverMidnight":                   "what was asked for in a wrong minute locks nobody out",
	"TestAllow_NewcomersHaveFourFifthsOfTheDay":            "what was asked for in a wrong minute locks nobody out",
	"TestPreviewRetry_AVideoThatShouldGoIsNotReady":        "a video made in the future is not made since: another one is made",
	"TestUsageHasItsHourAndItsDay":                         "what was asked for in a wrong minute locks nobody out",
	"TestInbox_AnotherBotBeginsFromTheBeginning":           "updates of the future set no offset: Telegram sends those again that are known",
	"TestTheInbox": "updates of the future set no offset: Telegram sends those again that are known",
	"TestForgettingAUserLeavesNoTraceOfThemAndAllOfTheOthers": "updates of the future set no offset: Telegram sends those again that " +
		"are known",
	"TestADraftBelongsToWhoTypedIt":                       "a draft of the future is not yesterday's",
	"TestAUserWhoIsKnownAndCanBeReachedIsNotWrittenAgain": "somebody seen in the future is written once more",
	"TestAskingAgain":                                     "a video made in the future is not made since: another one is made",
	"TestAPageGoesOnAfterAVideoThatWasDeleted":            "the library is in the order of the clock",
}

// TestMain makes every transaction of the tests run twice: a function that does anything else than what it does to the
// database shows it.
func TestMain(m *testing.M) {
	dbtest.AlwaysTwice()
	dbtest.Skip(rightClock)
	os.Exit(m.Run())
}
