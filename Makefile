# make demo: see it work in the browser.   make test: run the tests.   Both install what is missing on Debian.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
RUN     := ffmpeg fonts-comfortaa espeak-ng
TEST    := $(RUN) chromium curl

.PHONY: demo test check load build

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

# Ten thousand people ask for two thousand names in ten minutes, and again beside a million finished videos: 15 minutes.
load:
	@./packaging/need.sh $(RUN)
	go test -run '^$$' -bench '^BenchmarkLoad' -benchtime 1x -timeout 120m .

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o retake .
