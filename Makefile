# make demo: see it work in the browser.   make test: run the tests.   make bench: measure the queue beside others.   All install what is missing on Debian.

VERSION := $(shell packaging/version.sh 2>/dev/null || echo dev)
RUN     := ffmpeg fonts-sil-andika espeak-ng
TEST    := $(RUN) chromium curl systemd zsh fish man-db

.PHONY: demo test lint check bench load fuzz torture build release install-test

demo: build
	@./packaging/need.sh $(RUN)
	@./retake demo

test:
	@./packaging/need.sh $(TEST)
	@./packaging/axe.sh
	@./packaging/testservers.sh
	@./packaging/proxies.sh
	@./packaging/npmservers.sh
	go test -timeout 80m ./...

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt -w the files above"; exit 1; }
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

# The rooms that keep times: their tests run once more with a clock that is ahead by ten years for some transactions and then
# right again, and with one that is set back by five days.
CLOCKED := ./internal/store ./internal/retry ./internal/backup ./internal/watch

# Everything a change must pass: format, vet, staticcheck, govulncheck, and the tests with the race detector in random order.
check: lint
	@./packaging/need.sh $(TEST) gcc libc6-dev
	@./packaging/axe.sh
	@./packaging/testservers.sh
	@./packaging/proxies.sh
	@./packaging/npmservers.sh
	@./packaging/promtool.sh
	cd bench && go vet ./...
	cd bench/queue/load && go vet ./... && go test .
	@./packaging/vulncheck.sh
	CGO_ENABLED=1 go test -race -shuffle=on -timeout 60m ./...
	go test -short -timeout 30m $(CLOCKED) -clock=ahead
	go test -short -timeout 30m $(CLOCKED) -clock=back

# About a quarter of an hour, on a machine with nothing else to do. The table goes into docs/benchmarks.md.
bench:
	@./packaging/need.sh postgresql redis-server
	@command -v node >/dev/null || ./packaging/need.sh nodejs
	@command -v npm >/dev/null || ./packaging/need.sh npm
	cd bench && go run ./queue

# Each fuzz target for about half a minute, or FUZZTIME. What one finds lies in testdata/fuzz beside it: fix it, give the file a
# name, commit it. They are counted, not timed: until Go 1.27 a run that ends by time may fail for no reason (go.dev/issue/75804).
FUZZ := .@FuzzPress@10000x .@FuzzUpdate@30000x internal/config@FuzzSettings@40000x internal/lang@FuzzParseName@400000x \
	internal/lang@FuzzParseTitle@400000x internal/video@FuzzReadDesign@150000x internal/video@FuzzSplice@100000x \
	internal/video@FuzzDrawing@4000x internal/video@FuzzSheet@100000x

fuzz: $(FUZZ:%=fuzz/%)

fuzz/%:
	go test -run '^$$' -fuzz '^$(word 2,$(subst @, ,$*))$$' -fuzztime $(or $(FUZZTIME),$(word 3,$(subst @, ,$*))) -fuzzminimizetime 20x ./$(firstword $(subst @, ,$*))

# Ten thousand people ask for two thousand names in ten minutes, and again beside a million finished videos: 15 minutes.
load:
	@./packaging/need.sh $(RUN)
	go test -run '^$$' -bench '^BenchmarkLoad' -benchtime 1x -timeout 120m .

# Every point at which the program can be killed, the power cut, and a disk fail, and all fuzz targets: some twenty-five minutes.
torture:
	@./packaging/need.sh $(TEST) strace
	go test -run '^Test(Killed|PowerCuts|TheDisk|AFullDisk|AnUpgradeThat|ABackup|OfTwo)' -v -timeout 60m . ./test -args -long
	go test -run 'PowerCut|PowerFails' -v ./internal/db/...
	$(MAKE) fuzz

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o retake .

# What people download, into build/release: archives and Debian packages for amd64 and arm64, what is in them, checksums.
release:
	@./packaging/need.sh ffmpeg
	go run ./packaging/release -version "$(VERSION)"

# The release, installed by the commands of docs/install.md in a copy of this machine that systemd runs. Needs root; some minutes.
install-test: release
	@./packaging/need.sh $(RUN) systemd curl lintian man-db
	go vet -tags install ./packaging
	go test -tags install -count 1 -timeout 60m -v ./packaging
