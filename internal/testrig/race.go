//go:build race

package testrig

// raced: the tests look for data races, and the program they start does, too.
const raced = true
