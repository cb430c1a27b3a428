# The two programs. The companion is linked with the binder's library: the plan that it
# shows is computed by the code that boots.

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wvla -Wundef -Wwrite-strings -Wformat=2 -Wno-format-truncation
OUR_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(if $(WERROR),-Werror) -I$(BUILD)/data

# The folders in their order: each may include and call what is in those before it, never what is
# behind it. Folders of the companion have all of the binder's before them.
BINDER_FOLDERS := base pci machine rules bus plan run
COMPANION_FOLDERS := base host config image bootloader recipes check capture cmd
ROOMS := $(addprefix binder/,$(BINDER_FOLDERS)) $(addprefix companion/,$(COMPANION_FOLDERS))

BINDER_SOURCES := $(sort $(foreach folder,$(BINDER_FOLDERS),$(wildcard binder/$(folder)/*.c))) \
	binder/pid1.c
COMPANION_SOURCES := $(sort $(foreach folder,$(COMPANION_FOLDERS),$(wildcard companion/$(folder)/*.c)))

# $(call folders-until,FOLDER,LIST): LIST up to FOLDER.
folders-until = $(if $(2),$(firstword $(2)) $(if $(filter $(1),$(firstword $(2))),,$(call \
	folders-until,$(1),$(wordlist 2,$(words $(2)),$(2)))))
# $(call room-includes,FOLDER): what a file of FOLDER may include; all of them for main.c.
room-includes = $(addprefix -I,$(call folders-until,$(1),$(ROOMS)))
# $(call own-includes,FILE)
own-includes = $(if $(filter $(patsubst %/,%,$(dir $(1))),$(ROOMS)),$(call \
	room-includes,$(patsubst %/,%,$(dir $(1)))),$(ALL_INCLUDES))
ALL_INCLUDES := $(addprefix -I,$(ROOMS)) -Ibinder

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
	$(Q)$(RELEASE_CC) $(RELEASE_CFLAGS) $(OUR_CFLAGS) $(call own-includes,$<) -MMD -MP -c $< -o $@

$(BUILD)/release/companion/%.o: companion/%.c $(RELEASE_STAMPS) $(THIRD_PARTY_COMPANION_STAMPS)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(RELEASE_CC) $(RELEASE_CFLAGS) $(OUR_CFLAGS) $(call own-includes,$<) -MMD -MP -c $< -o $@

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
accel-objects = $(BUILD)/$(1)/binder/pci/accel.o $(BUILD)/$(1)/companion/host/pci_names.o
$(call accel-objects,release): $(ACCEL)

-include $(wildcard $(BUILD)/release/*/*.d $(BUILD)/release/*/*/*.d)
