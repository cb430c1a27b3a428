# The two programs. The companion is linked with the binder's library: the plan that it
# shows is computed by the code that boots.

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wvla -Wundef -Wwrite-strings -Wformat=2 -Wno-format-truncation
OUR_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(if $(WERROR),-Werror) -I$(BUILD)/data

BINDER_SOURCES := $(filter-out binder/main.c,$(sort $(wildcard binder/*.c)))
COMPANION_SOURCES := $(sort $(wildcard companion/*.c))

release-object = $(patsubst %.c,$(BUILD)/release/%.o,$(1))
BINDER_OBJECTS := $(call release-object,$(BINDER_SOURCES))
COMPANION_OBJECTS := $(call release-object,$(COMPANION_SOURCES))

.PHONY: all packages-build
all: packages-build
	$(Q)$(MAKE) --no-print-directory $(BUILD)/binder $(BUILD)/earlybind

packages-build:
	$(Q)mk/packages.sh build

$(BUILD)/release/binder/%.o: binder/%.c $(RELEASE_STAMPS) $(THIRD_PARTY_BINDER_STAMPS)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(RELEASE_CC) $(RELEASE_CFLAGS) $(OUR_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/release/companion/%.o: companion/%.c $(RELEASE_STAMPS) $(THIRD_PARTY_COMPANION_STAMPS)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(RELEASE_CC) $(RELEASE_CFLAGS) $(OUR_CFLAGS) -Ibinder -MMD -MP -c $< -o $@

$(BUILD)/binder.debug: $(call release-object,binder/main.c) $(BINDER_OBJECTS) $(BINDER_LIBS)
	$(call say,LD,$@)
	$(Q)$(RELEASE_CC) $(RELEASE_LDFLAGS) -o $@ $^

# TABLE=FILE fills the table at build time, for images that carry no configuration.
$(BUILD)/binder: $(BUILD)/binder.debug $(if $(TABLE),$(TABLE) $(BUILD)/earlybind)
	$(call say,STRIP,$@)
	$(Q)$(STRIP) -s -o $@ $<
	$(call assert-static,$@)
	$(if $(TABLE),$(Q)$(BUILD)/earlybind embed --generic --binder $@ --config $(TABLE) --output $@)

$(BUILD)/earlybind.debug: $(COMPANION_OBJECTS) $(BINDER_OBJECTS) $(COMPANION_LIBS)
	$(call say,LD,$@)
	$(Q)$(RELEASE_CC) $(RELEASE_LDFLAGS) -o $@ $^

$(BUILD)/earlybind: $(BUILD)/earlybind.debug
	$(call say,STRIP,$@)
	$(Q)$(STRIP) -s -o $@ $<
	$(call assert-static,$@)

# The accelerator table, as C: for the binder its IDs, for the companion the names as well.
ACCEL := $(BUILD)/data/accel.inc
ACCEL_SOURCES := data/accel-groups.csv data/accelerators.csv
$(ACCEL): mk/accel.awk $(ACCEL_SOURCES)
	$(call say,AWK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)LC_ALL=C awk -f $< $(ACCEL_SOURCES) >$@

# $(call accel-objects,FOLDER): those that include it.
accel-objects = $(BUILD)/$(1)/binder/accel.o $(BUILD)/$(1)/companion/accel_cards.o
$(call accel-objects,release): $(ACCEL)

-include $(wildcard $(BUILD)/release/*/*.d)
