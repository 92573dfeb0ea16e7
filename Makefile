# make test     everything that must hold before a change lands; sets itself up on Debian
# make build    both programs into ./bin
# make demo     an office and the hub on this machine, to look at
# make packages the .deb of agent and hub into ./dist, the same to the byte wherever they are built
# make storms   the long run of the simulated storms: SEEDS in memory, SQLSEEDS on SQLite files
# make planted  plants each of twenty-four faults in turn, and lets storms find it
# make fuzz     every byte from outside, FUZZTIME for each of its doors
# make bench    measures, and writes docs/benchmarks.md and docs/benchmarks-desk.md; needs Node and npm, takes ten minutes
# make ghid     the pictures of the clerk's guide, and of every page in three languages
# make clean    removes ./bin and ./dist

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
.PHONY: build demo ghid bench storms minute planted fuzz packages clean test setup fmt vet lint vuln cross race verify test-systemd test-wine

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)
GOBUILD = CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION) -X main.builtAt=$(SOURCE_DATE_EPOCH)'

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
NFPM := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0

# What packages are made from: a version that Debian can order, the commit's
# time for every file in them, and for which machine.
PKGVERSION := $(shell git describe --tags --exact-match 2>/dev/null | sed 's/^v//' | grep . || \
	echo "0.$$(git rev-list --count HEAD 2>/dev/null || echo 0)+$$(git describe --always --dirty=.dirty 2>/dev/null || echo unversioned)")
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
ARCH ?= amd64
DIST ?= dist

# Debian package : the program or file that shows it is there.
# gcc and libc6-dev are for the race detector only; the programs are built without C.
# poppler-utils reads what the desk printed.
# fonts-dejavu-core has the Romanian comma-below letters that the screenshots show.
# debootstrap and systemd-container are for a PC with a real systemd, and one with Wine.
# npm fetches axe-core.
PARTS := \
	ca-certificates:/etc/ssl/certs/ca-certificates.crt \
	git:git \
	gcc:gcc \
	libc6-dev:/usr/include/stdlib.h \
	chromium:chromium \
	poppler-utils:pdftotext \
	fonts-dejavu-core:/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf \
	dpkg:dpkg-deb \
	debootstrap:debootstrap \
	systemd-container:systemd-nspawn \
	iproute2:ip \
	npm:npm

# axe-core, the accessibility rules that the desk's pages are held to, in the
# version and with the checksum of its lock.
AXE := bin/axe/node_modules/axe-core/axe.min.js
AXELOCK := agent/page/testdata/axe

build:
	$(GOBUILD) -o bin/ ./cmd/condica ./cmd/condica-hub

demo:
	go run ./cmd/condica demo

packages: VERSION := $(PKGVERSION)
packages:
	@mkdir -p $(DIST)/linux-$(ARCH)
	GOOS=linux GOARCH=$(ARCH) $(GOBUILD) -o $(DIST)/linux-$(ARCH)/ ./cmd/condica ./cmd/condica-hub
	@for name in condica condica-hub; do \
		ARCH=$(ARCH) VERSION=$(PKGVERSION) BUILT=$(DIST)/linux-$(ARCH) SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) \
			go run $(NFPM) package --config installer/linux/$$name.yaml --packager deb --target $(DIST)/; \
	done

# Two runs, at a quiet time: the peers are installed into a folder of their own,
# and only ratios within a run mean anything.
bench:
	@go test ./docs/bench -run '^$$' -bench '^BenchmarkOffice$$' -benchtime 1x -timeout 60m -write ../benchmarks.md
	@go test ./docs/bench -run '^$$' -bench '^BenchmarkDesk$$' -benchtime 1x -timeout 60m -write-desk ../benchmarks-desk.md

# The pictures of docs/ghid-ghiseu.md, and every page in every look and language
# into DIST/ghid, for people to look at.
ghid: $(AXE)
	@mkdir -p docs/ghid $(DIST)/ghid/ro $(DIST)/ghid/hu $(DIST)/ghid/en
	@CONDICA_GUIDE=$(CURDIR)/docs/ghid go test ./agent/page -count=1 -run '^TestGuidePictures$$'
	@for l in ro hu en; do CONDICA_SHOTS=$(abspath $(DIST))/ghid/$$l CONDICA_SHOTS_LANG=$$l \
		go test ./agent/page -count=1 -run '^TestPictures$$' || exit 1; done

SEEDS ?= 300000
SQLSEEDS ?= 10000
FROM ?= 0
STORM = GOGC=800 go test ./sync/simtest -count=1 -v -timeout 24h -run 'TestStorms$$' -args

# A fixed minute of it, in each run of the tests.
minute:
	$(STORM) -from $(FROM) -for 45s
	$(STORM) -from $(FROM) -for 15s -sqlite

storms:
	$(STORM) -from $(FROM) -seeds $(SEEDS)
	$(STORM) -from $(FROM) -seeds $(SQLSEEDS) -sqlite

planted:
	go test ./sync/simtest -count=1 -v -timeout 2h -run TestPlantedFaults -args -planted

FUZZTIME ?= 10m
fuzz:
	@for pkg in ./sync/wire ./sync/bundle ./sync/link ./localdb ./hub ./spclep; do \
		for target in $$(go test $$pkg -list '^Fuzz' | grep '^Fuzz'); do \
			echo "== $$pkg $$target"; go test $$pkg -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME); \
		done; \
	done

clean:
	rm -rf bin dist

# One after the other, the quick ones first: two cores are soon busy.
test:
	@for step in setup fmt verify vet lint vuln cross minute race test-systemd test-wine; do \
		echo "== $$step"; $(MAKE) --no-print-directory $$step || { echo "make test: $$step did not pass" >&2; exit 1; }; \
	done

setup:
	@command -v go >/dev/null || { echo "make: Go $$(sed -n 's/^go //p' go.mod) or newer is needed to build and test." >&2; exit 1; }
	@missing=; for part in $(PARTS); do \
		command -v "$${part#*:}" >/dev/null || test -e "$${part#*:}" || missing+=" $${part%%:*}"; \
	done; \
	if [ -z "$$missing" ]; then echo "all parts are here"; exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "make: these Debian packages are missing, and only root can install them:$$missing." >&2; exit 1; \
	fi; \
	echo "installing$$missing"; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing </dev/null >/dev/null
	@$(MAKE) --no-print-directory --silent $(AXE)

$(AXE): $(AXELOCK)/package.json $(AXELOCK)/package-lock.json
	@mkdir -p bin/axe && cp $^ bin/axe/
	@npm ci --prefix bin/axe --ignore-scripts --no-audit --no-fund
	@touch $@

fmt:
	@odd=$$(gofmt -l .); test -z "$$odd" || { echo "not as gofmt writes it:" $$odd >&2; exit 1; }

verify:
	@go mod download && go mod verify

vet:
	@go vet ./...
	@GOOS=windows CGO_ENABLED=0 go vet ./...

lint:
	@go run $(STATICCHECK) ./...

# The list of known holes lives on the network. Where it (or the program) is
# out of reach that is said and passed over; a hole that is found (status 3)
# and any other trouble is not.
vuln:
	@if ! GOBIN=$(CURDIR)/bin/tools go install $(GOVULNCHECK) >/dev/null 2>&1; then \
		echo "govulncheck could not be fetched: known holes were not looked for"; exit 0; \
	fi; \
	out=$$(bin/tools/govulncheck ./... 2>&1) && { echo "$$out"; exit 0; }; \
	case "$$out" in \
	*"fetching vulnerabilities"*) echo "the list of known holes cannot be reached: they were not looked for";; \
	*) echo "$$out" >&2; exit 1;; \
	esac

cross:
	@for target in linux/amd64 linux/arm64 windows/amd64; do \
		echo "building for $$target"; \
		GOOS=$${target%/*} GOARCH=$${target#*/} $(GOBUILD) -o /dev/null ./cmd/...; \
	done

# CONDICA_REAL=1: a story that lacks its real part (a browser, ...) fails instead
# of being listed as not run. -count=1: stories start programs they have built,
# which the cache of test results knows nothing of. The longest go first: the last
# would run alone, on one core of two.
# Three long stories of one thread over a database run without the race
# detector, which takes ten times as long over them and has nothing to see.
ALONE := ^(TestJournalCutAtEveryByte|TestClocks|TestThirtyDaysOffline)$$
race:
	@CONDICA_REAL=1 go test -count=1 -timeout 20m -run '$(ALONE)' ./localdb
	@CONDICA_REAL=1 go test -race -count=1 -timeout 20m -skip '^Test(Packages|Systemd|Wine)|$(ALONE)' ./localdb ./agent/page ./cmd/condica ./...

# The packages on a Debian with a real systemd, and the Windows program under
# Wine. Both systems are fetched once and kept in the user's cache; without the
# race detector, which has nothing to see in other processes.
test-systemd:
	@CONDICA_REAL=1 go test -count=1 -timeout 20m -run '^Test(Packages|Systemd)' ./installer/linux

test-wine:
	@CONDICA_REAL=1 go test -count=1 -timeout 20m -run '^TestWine' ./installer/windows
