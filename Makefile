# make demo: see it work in the browser.   make test: run the tests.   Both install what is missing on Debian.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
RUN     := ffmpeg fonts-comfortaa espeak-ng
TEST    := $(RUN) chromium curl

.PHONY: demo test check torture build

demo: build
	@./packaging/need.sh $(RUN)
	@./retake demo

test:
	@./packaging/need.sh $(TEST)
	@./packaging/axe.sh
	@./packaging/versitygw.sh
	go test -timeout 30m ./...

# Everything a change must pass: format, vet, staticcheck, and the tests with the race detector in random order.
check:
	@./packaging/need.sh $(TEST) gcc libc6-dev
	@./packaging/axe.sh
	@./packaging/versitygw.sh
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt -w the files above"; exit 1; }
	go vet ./...
	cd bench && go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	CGO_ENABLED=1 go test -race -shuffle=on -timeout 60m ./...

# Every point at which the program can be killed, the power cut, and a disk fail: some twenty minutes.
torture:
	@./packaging/need.sh $(TEST) strace
	go test -run '^Test(Killed|PowerCuts|TheDisk|AFullDisk|AnUpgradeThat|ABackup|OfTwo)' -v -timeout 60m . -args -long
	go test -run 'PowerCut|PowerFails' -v ./internal/db/...

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o retake .
