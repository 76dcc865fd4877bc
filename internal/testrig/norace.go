//go:build !race

package testrig

const raced = false
