# Boots in QEMU: tests/lab (the cases), the demonstration, and the measurement.

.PHONY: lab matrix demo bench bench-counts

# CASE="NAME..." for some of them (tests/lab/run.py), CASE=all for every one.
export CASE
lab:
	$(Q)$(MAKE) --no-print-directory run-suites SUITES=lab

# From the last run of all boots (make test-all, make lab CASE=all).
matrix:
	$(Q)/usr/bin/python3 tests/lab/matrix.py docs/tests.md

demo:
	$(Q)tests/lab/demo.sh

# What rules cost beside the reading of the bus.
$(BUILD)/matching: tests/bench/matching.c $(BINDER_OBJECTS) $(BINDER_LIBS)
	$(call say,LD,$@)
	$(Q)$(call compile,release,$<) $(RELEASE_LDFLAGS) $(LDFLAGS) -o $@ $^

# Writes docs/benchmarks.md. BENCH="--only two,counted" or "--scale 50000" for a part of it.
bench: all $(BUILD)/matching
	$(Q)tests/bench/run.sh $(BENCH)
	$(Q)/usr/bin/python3 tests/bench/page.py $(BUILD)/lab/bench.json tests/bench/counts.tsv \
		docs/benchmarks.md docs/benchmarks.svg
	$(Q)tests/companion/bench.py $(BUILD)/earlybind $(BUILD)/matching

# Instructions and system calls beside those of tests/bench/counts.tsv; WRITE=1 writes that anew.
bench-counts: all $(BUILD)/matching
	$(Q)tests/bench/counts.py $(if $(WRITE),--write) $(BUILD)
