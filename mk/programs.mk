# The two programs. The companion is linked with the binder's library: the plan that it
# shows is computed by the code that boots.

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wvla -Wundef -Wwrite-strings -Wformat=2 -Wno-format-truncation
OUR_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(if $(WERROR),-Werror) \
	-fstack-protector-strong -I$(BUILD)/data

# The folders in their order: each may include and call what is in those before it, never what is
# behind it. Folders of the companion have all of the binder's before them.
BINDER_FOLDERS := base pci machine rules bus plan run
COMPANION_FOLDERS := base host groups config image bootloader recipes check capture cmd
ROOMS := $(addprefix binder/,$(BINDER_FOLDERS)) $(addprefix companion/,$(COMPANION_FOLDERS))

BINDER_SOURCES := $(sort $(foreach folder,$(BINDER_FOLDERS),$(wildcard binder/$(folder)/*.c))) \
	binder/pid1.c
COMPANION_SOURCES := $(sort $(foreach folder,$(COMPANION_FOLDERS),$(wildcard companion/$(folder)/*.c)))

# $(call folders-until,FOLDER,LIST): LIST up to FOLDER.
folders-until = $(if $(2),$(firstword $(2)) $(if $(filter $(1),$(firstword $(2))),,$(call \
	folders-until,$(1),$(wordlist 2,$(words $(2)),$(2)))))
# $(call room-includes,FOLDER): what a file of FOLDER may include; all of them for main.c.
room-includes = $(addprefix -I,$(call folders-until,$(1),$(ROOMS)))
ALL_INCLUDES := $(addprefix -I,$(ROOMS)) -Ibinder
# $(call own-includes,FILE)
own-includes = $(if $(filter $(patsubst %/,%,$(dir $(1))),$(ROOMS)),$(call \
	room-includes,$(patsubst %/,%,$(dir $(1)))),$(ALL_INCLUDES)) \
	$(if $(filter tests/%,$(1)),-Itests/fake -Itests/unit)

# ---- objects, in several variants ----------------------------------------------------------
# NAME_COMPILE, NAME_LINK and NAME_NEEDS say how; CPPFLAGS, CFLAGS and LDFLAGS of the
# environment or the command line stand behind them. What is compiled with one variant's
# command is below $(BUILD)/NAME, and it is compiled anew when that command changes.

# What makes code larger with -Os, and more room between arrays than the ABI asks for: together
# 900 bytes of the binder.
SMALLER := -fno-move-loop-invariants -fno-tree-sra -fno-inline-small-functions -fno-caller-saves \
	$(if $(filter x86_64-%,$(shell $(RELEASE_CC) -dumpmachine)),-malign-data=abi)
release_COMPILE := $(RELEASE_CC) $(RELEASE_CFLAGS) $(SMALLER) -g $(OUR_CFLAGS)
release_LINK := $(RELEASE_CC) $(RELEASE_LDFLAGS)
release_NEEDS := $(RELEASE_STAMPS) $(THIRD_PARTY_COMPANION_STAMPS)

# $(call objects,VARIANT,SOURCES)
objects = $(patsubst %.c,$(BUILD)/$(1)/%.o,$(2))
# $(call compile,VARIANT,SOURCE)
compile = $($(1)_COMPILE) $(call own-includes,$(2)) $(CPPFLAGS) $(CFLAGS)
# $(call link,VARIANT): a recipe line
link = $(Q)$($(1)_LINK) $(CFLAGS) $(LDFLAGS) $(WALL_LINK) -o $@ $(filter %.o %.a,$^)

# The functions of the C library that take a path (and fdopen), as the companion has them: companion/base/wall.c
# keeps each below --sysroot, whoever calls it, also libkmod and libpci (ld(1), --wrap).
WALL := open openat fopen fdopen opendir stat lstat fstatat access readlink readlinkat realpath mkdir \
	mkdirat unlink unlinkat rename renameat symlink mkostemp
comma := ,
WALL_LINK := $(addprefix -Wl$(comma)--wrap=,$(WALL)) -Wl,--undefined=__wrap_open

# $(call variant,NAME)
define variant
$(BUILD)/$(1)/compile: FORCE
	$$(call update,$$($(1)_COMPILE) $$(CPPFLAGS) $$(CFLAGS) in $(ROOMS))

# A source that is gone changes no file that make would look at.
$(BUILD)/$(1)/link: FORCE
	$$(call update,$$($(1)_LINK) $$(CFLAGS) $$(LDFLAGS) $$(WALL) of $(BINDER_SOURCES) $(COMPANION_SOURCES))

# The accelerator table is there before anything is compiled; who includes it, .d files say.
$(BUILD)/$(1)/%.o: %.c $(BUILD)/$(1)/compile $($(1)_NEEDS) | $(ACCEL) $(SENTENCES)
	$$(call say,CC,$$(patsubst $(BUILD)/%,%,$$@))
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(call compile,$(1),$$<) -MMD -MP -c $$< -o $$@

-include $(wildcard $(BUILD)/$(1)/*/*.d $(BUILD)/$(1)/*/*/*.d)
endef

# The accelerator table, as C: for the binder its IDs, for the companion the names as well.
ACCEL := $(BUILD)/data/accel.inc
ACCEL_SOURCES := data/accel-groups.csv data/accelerators.csv
$(ACCEL): mk/accel.awk $(ACCEL_SOURCES)
	$(call say,AWK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)LC_ALL=C awk -f $< $(ACCEL_SOURCES) >$@

# Words of the binder's sentences, which a recording keeps.
SENTENCES := $(BUILD)/data/sentences.inc
SENTENCE_SOURCES := $(wildcard binder/*/*.c binder/*/*.def)
$(SENTENCES): mk/sentences.awk $(SENTENCE_SOURCES)
	$(call say,AWK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)LC_ALL=C awk -f $< $(SENTENCE_SOURCES) >$@

$(eval $(call variant,release))

# ---- the programs --------------------------------------------------------------------------

BINDER_OBJECTS := $(call objects,release,$(BINDER_SOURCES))
COMPANION_OBJECTS := $(call objects,release,$(COMPANION_SOURCES))

# "make DEBUG=1" makes those for gdb instead (mk/check.mk); what else is made uses the others.
ALL_IN := $(BUILD)/$(if $(DEBUG),$(if $(filter-out all,$(MAKECMDGOALS)),,debug/))

.PHONY: all packages packages-build
all: packages-build
	$(Q)$(MAKE) --no-print-directory $(ALL_IN)binder $(ALL_IN)earlybind

# What builds and installs the programs changes nothing else on the machine: a package that is
# missing is named, with the command that installs it.
packages-build:
	$(Q)PACKAGES=check mk/packages.sh build

packages:
	$(Q)mk/packages.sh build docs package

# The binder has no wall.
$(BUILD)/binder.debug: private WALL_LINK :=
$(BUILD)/binder.debug: $(call objects,release,binder/main.c) $(BINDER_OBJECTS) $(BINDER_LIBS) \
		$(BUILD)/release/link
	$(call say,LD,$@)
	$(call link,release)

# TABLE=FILE fills the table at build time, for images that carry no configuration.
$(BUILD)/binder: $(BUILD)/binder.debug $(if $(TABLE),$(TABLE) $(BUILD)/earlybind)
	$(call say,STRIP,$@)
	$(Q)$(STRIP) -s -o $@ $<
	$(call assert-static,$@)
	$(if $(TABLE),$(Q)$(BUILD)/earlybind embed --generic --binder $@ --config $(TABLE) --output $@)

$(BUILD)/earlybind.debug: $(COMPANION_OBJECTS) $(BINDER_OBJECTS) $(COMPANION_LIBS) \
		$(BUILD)/release/link
	$(call say,LD,$@)
	$(call link,release)

$(BUILD)/earlybind: $(BUILD)/earlybind.debug
	$(call say,STRIP,$@)
	$(Q)$(STRIP) -s -o $@ $<
	$(call assert-static,$@)
