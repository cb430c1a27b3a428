# earlybind. "make help" lists the targets.
#
# Variables: V=1 shows commands; DISTFILES=DIR has the third-party sources (no downloads);
# TABLE=FILE fills the binder's table from a configuration; DESTDIR= for install;
# PREFIX= as well; CPPFLAGS, CFLAGS and LDFLAGS stand behind ours; WERROR=1 makes warnings errors;
# PACKAGES=check lists missing packages instead of installing them; BUILD=DIR (build).

BUILD ?= build
DESTDIR ?=
SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

export BUILD DISTFILES EARLYBIND_CACHE
RESULTS ?= $(BUILD)/results.tsv
export RESULTS

include mk/toolchain.mk
include mk/third-party.mk
include mk/programs.mk
include mk/install.mk
include mk/deb.mk
include mk/rpm.mk
include mk/check.mk
include mk/lint.mk
include mk/lab.mk

.PHONY: help clean distclean
help:
	@echo 'make             builds build/binder and build/earlybind, static musl'
	@echo 'make packages    installs what make, make install and make deb need; tests, lint and demo do that themselves'
	@echo 'make DEBUG=1     builds build/debug/binder and build/debug/earlybind: glibc, ASan, UBSan, -Og'
	@echo 'make demo        boots the Alveo machine in QEMU, without and with earlybind'
	@echo 'make test        unit tests, fuzzers (10 s each), image tests, boots in the lab'
	@echo 'make test-all    the same on three Debian releases, with all generators'
	@echo 'make matrix      the table of its boots, for docs/tests.md'
	@echo 'make check       the unit tests only, twice; make unit and make unit-musl: once (TEST=plan)'
	@echo 'make install     installs to DESTDIR: programs, hooks, manual pages (PREFIX=/usr)'
	@echo 'make uninstall   removes them'
	@echo 'make deb         a Debian package: build/earlybind_VERSION_ARCH.deb'
	@echo 'make deb-source  its source package in build/dist; make dist: the tarballs only'
	@echo 'make lintian     what Debian checks in both packages'
	@echo 'make rpm         an RPM package, and its source package, in build/rpm'
	@echo 'make graph       circles of files, symbols that one other file uses, the number of files'
	@echo 'make lint        layout, functions, layers, static analysis, scripts, claims of the documentation'
	@echo 'make format      lays the code out'
	@echo 'make pictures    draws the pictures of the README from docs/pictures/*.txt'
	@echo 'make bench       the binder beside the bare system calls and other tools; writes docs/benchmarks.md'
	@echo 'make bench-counts   instructions and system calls beside those of tests/bench/counts.tsv'
	@echo 'make coverage    line coverage of the unit tests'
	@echo 'make faults      every access to the machine fails once, in every way'
	@echo 'make property    plans of machines and rules by lot (CASES=, SEED=)'
	@echo 'make consistency what the commands say of each device of machines by lot (MACHINES=, SEED=)'
	@echo 'make damaged     each file of the trees damaged in 16 ways, under ASan (SECONDS=, SEED=); hours'
	@echo 'make mutants     whether the tests see small bugs (ONLY=, SECONDS=, JOBS=2)'
	@echo 'make fuzz        all fuzzers, FUZZ_SECONDS=60 each, other inputs each time (FUZZ_SEED=)'
	@echo 'make lab         the boots only; CASE=NAME for one, CASE=all'
	@echo 'make compile_commands.json   for clangd'
	@echo 'make clean'

clean:
	rm -rf $(BUILD)
