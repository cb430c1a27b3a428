# Boots in QEMU: tests/lab (the cases), the demonstration, and the measurement.

.PHONY: lab demo bench

# CASE="NAME..." for some of them; names or their beginnings.
lab:
	$(Q)mkdir -p $(dir $(RESULTS))
	$(Q)tests/lab/run.sh $(CASE)

demo:
	$(Q)tests/lab/demo.sh

bench:
	$(Q)tests/bench/run.sh
