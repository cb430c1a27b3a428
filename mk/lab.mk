# Boots in QEMU: tests/lab (the cases), the demonstration, and the measurement.

.PHONY: lab demo bench

# CASE="NAME..." for some of them; names or their beginnings.
export CASE
lab:
	$(Q)$(MAKE) --no-print-directory run-suites SUITES=lab

demo:
	$(Q)tests/lab/demo.sh

bench:
	$(Q)tests/bench/run.sh
