# Tests. "make test" is everything; "make check" the unit tests, twice.
#
# Every check appends one line to $(RESULTS): "pass<TAB>suite<TAB>name", or
# "fail<TAB>suite<TAB>name<TAB>reason". tests/results.sh runs the suites, some beside each
# other, sees to it that none ends without a line, and prints what each took and the sum.
#
# The unit tests are built twice: with the distribution's compiler, ASan and UBSan
# (build/check), and static, with musl, from the very objects of the release programs
# (build/musl). Further builds serve the coverage (build/coverage), valgrind (build/plain) and
# the fuzzers (build/fuzz). "make DEBUG=1" links the two programs as build/check is compiled;
# the suite companion-asan runs them.
#
# TEST="NAME..." runs only tests/unit/test_NAME.

FUZZ_CC ?= clang
FUZZ_SECONDS ?= 60
FUZZ_SECONDS_IN_TEST ?= 10
FUZZ_JOBS ?= 2
COVERAGE_MIN ?= 90
# What is pure: bytes and values in, values out.
COVERAGE_FOLDERS := base pci rules plan

UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
ifneq ($(TEST),)
TESTS_ASKED := $(patsubst %,test_%,$(patsubst test_%,%,$(TEST)))
$(if $(filter-out $(UNIT_TESTS),$(TESTS_ASKED)),$(error there is no \
	$(patsubst %,tests/unit/%.c,$(filter-out $(UNIT_TESTS),$(TESTS_ASKED)))))
UNIT_TESTS := $(TESTS_ASKED)
endif
# Parsers and planning: what starts processes, or tries thousands of faults, takes too long.
VALGRIND_TESTS := $(filter-out $(addprefix test_,apply chooser confined faults golden bind_now memory modload \
	module_tree pid1 process property usage wall worker world),$(UNIT_TESTS))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FAKE_SOURCES := $(sort $(wildcard tests/fake/*.c))
COMPANION_TESTED := $(filter-out companion/cmd/main.c,$(COMPANION_SOURCES))
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_COMPILE := -g -fno-omit-frame-pointer $(OUR_CFLAGS) $(HOST_CPPFLAGS)

check_COMPILE := $(HOST_CC) -Og -Werror $(SANITIZE) $(HOST_COMPILE)
check_LINK := $(HOST_CC) $(SANITIZE)
check_LIBS := $(HOST_TEST_LIBS) $(HOST_LIBS)
check_NEEDS := $(HOST_STAMPS)

# For valgrind, which wants neither of the sanitizers.
plain_COMPILE := $(HOST_CC) -O1 -Werror $(HOST_COMPILE)
plain_LINK := $(HOST_CC)
plain_LIBS := $(HOST_TEST_LIBS) $(HOST_LIBS)
plain_NEEDS := $(HOST_STAMPS)

coverage_COMPILE := $(HOST_CC) -O0 --coverage -fprofile-abs-path -DCOVERAGE $(HOST_COMPILE)
coverage_LINK := $(HOST_CC) --coverage
coverage_LIBS := $(HOST_TEST_LIBS) $(HOST_LIBS)
coverage_NEEDS := $(HOST_STAMPS)

fuzz_COMPILE := $(FUZZ_CC) -O1 -Werror $(SANITIZE) -fsanitize=fuzzer-no-link $(HOST_COMPILE) \
	-Wno-unknown-warning-option
fuzz_LINK := $(FUZZ_CC) $(SANITIZE) -fsanitize=fuzzer
fuzz_LIBS := $(HOST_LIBS)
fuzz_NEEDS := $(HOST_STAMPS)

# ---- programs ------------------------------------------------------------------------------

# $(call test-programs,FOLDER,VARIANT,LIBRARIES): tests and fuzzers below $(BUILD)/FOLDER
define test-programs
$(BUILD)/$(1)/libbinder.a: $(call objects,$(2),$(BINDER_SOURCES) $(FAKE_SOURCES) $(COMPANION_TESTED)) \
		$(BUILD)/$(2)/link
	$$(call say,AR,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)rm -f $$@
	$$(Q)$$(AR) rcsD $$@ $$(filter %.o,$$^)

$(BUILD)/$(1)/test_%: $(BUILD)/$(2)/tests/unit/test_%.o $(BUILD)/$(1)/libbinder.a $(3)
	$$(call say,LD,$$@)
	$$(call link,$(2))

$(BUILD)/$(1)/fuzz_%: $(BUILD)/$(2)/tests/fuzz/fuzz_%.o $(BUILD)/$(1)/libbinder.a $(3)
	$$(call say,LD,$$@)
	$$(call link,$(2))

.PHONY: $(1)-programs
$(1)-programs: $(addprefix $(BUILD)/$(1)/,$(if $(filter fuzz,$(1)),$(FUZZERS),$(if $(filter plain,$(1)),$(VALGRIND_TESTS),$(UNIT_TESTS))))
.SECONDARY: $(patsubst %,$(BUILD)/$(2)/tests/unit/%.o,$(UNIT_TESTS)) \
	$(patsubst %,$(BUILD)/$(2)/tests/fuzz/%.o,$(FUZZERS))
endef
$(foreach name,check plain coverage fuzz,$(eval $(call variant,$(name))) \
	$(eval $(call test-programs,$(name),$(name),$($(name)_LIBS))))
$(eval $(call test-programs,musl,release,$(TEST_LIBS) $(COMPANION_LIBS)))
$(call objects,release,$(wildcard tests/unit/*.c)): $(THIRD_PARTY_TEST_STAMPS)

# libkmod's reader of indexes is compiled into its fuzzer. "private": what the fuzzer is made
# of is compiled without this.
$(BUILD)/fuzz/tests/fuzz/fuzz_modules.o: private fuzz_COMPILE += -I$(call tp-src,kmod) \
	$(call kmod_FLAGS,host)

# make DEBUG=1: both programs with sanitizers, for gdb.
DEBUG_SOURCES := tests/companion/asan_options.c
$(BUILD)/debug/binder: private WALL_LINK :=
$(BUILD)/debug/binder: $(call objects,check,$(DEBUG_SOURCES) binder/main.c $(BINDER_SOURCES)) $(HOST_LIBS) \
		$(BUILD)/check/link
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(call link,check)

$(BUILD)/debug/earlybind: $(call objects,check,$(DEBUG_SOURCES) $(COMPANION_SOURCES) $(BINDER_SOURCES)) $(HOST_LIBS) \
		$(BUILD)/check/link
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(call link,check)

DEBUG_PROGRAMS := $(BUILD)/debug/binder $(BUILD)/debug/earlybind

# Builds on all processors unless "make -jN" says how many.
PARALLEL := $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

# ---- suites --------------------------------------------------------------------------------

.PHONY: suite-build suite-reproducible suite-install suite-runner suite-companion suite-companion-asan suite-pid1 suite-hostile suite-append suite-unit suite-unit-musl suite-valgrind suite-fuzz suite-image suite-packages suite-lab suite-groups suite-builtin run-suites
suite-build:
	$(Q)$(PARALLEL) all
	$(Q)printf 'pass\tbuild\tprograms\n' >>$(RESULTS)

suite-reproducible: all
	$(Q)tests/reproducible.sh

suite-install: all
	$(Q)tests/install.sh

# What runs the others: a crash that it overlooks would overlook all.
suite-runner:
	$(Q)tests/runner.sh

suite-unit:
	$(Q)$(PARALLEL) check-programs
	$(Q)tests/unit/run.sh unit $(addprefix $(BUILD)/check/,$(UNIT_TESTS))

suite-unit-musl:
	$(Q)$(PARALLEL) musl-programs
	$(Q)tests/unit/run.sh unit-musl $(addprefix $(BUILD)/musl/,$(UNIT_TESTS))

suite-valgrind:
	$(Q)$(PARALLEL) plain-programs
	$(Q)UNIT_SECONDS=900 UNIT_UNDER='valgrind --quiet --error-exitcode=99 --leak-check=full --track-origins=yes' \
		tests/unit/run.sh valgrind $(addprefix $(BUILD)/plain/,$(VALGRIND_TESTS))

suite-fuzz:
	$(Q)$(PARALLEL) fuzz-programs
	$(Q)tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_JOBS) $(addprefix $(BUILD)/fuzz/,$(FUZZERS))

# These record their own results, and must record some.
suite-companion: all
	$(Q)tests/companion/run.sh

suite-companion-asan: all
	$(Q)$(PARALLEL) $(DEBUG_PROGRAMS)
	$(Q)tests/companion/asan.sh

$(BUILD)/pid1-init: tests/pid1/init.c $(RELEASE_STAMPS)
	$(call say,CC,$@)
	$(Q)$(call compile,release,$<) $(RELEASE_LDFLAGS) $(LDFLAGS) -o $@ $<

suite-pid1: all $(BUILD)/pid1-init
	$(Q)tests/pid1/run.sh

suite-hostile: all
	$(Q)tests/hostile/run.sh $(HOSTILE_CASES)

suite-append: all
	$(Q)tests/append/run.sh

suite-image: all
	$(Q)tests/image/run.sh $(IMAGE_TESTS)

suite-packages: all manual
	$(Q)tests/packages/run.sh $(PACKAGE_TESTS)
	$(Q)$(if $(filter all,$(PACKAGE_TESTS)),tests/packages/others.sh)
	$(Q)$(if $(filter all,$(PACKAGE_TESTS)),tests/companion/kubevirt.sh)

suite-lab: all
	$(Q)tests/lab/run.sh

suite-groups: all
	$(Q)tests/groups/run.sh

# Of test-all: its kernel is compiled first.
suite-builtin: all
	$(Q)tests/builtin/run.sh

# What they need is built before any of them runs. One that cannot be built stops no other.
NEEDS_unit := check-programs
NEEDS_unit-musl := musl-programs
NEEDS_valgrind := plain-programs
NEEDS_fuzz := fuzz-programs
NEEDS_companion-asan := all $(DEBUG_PROGRAMS)
NEEDS_pid1 := all $(BUILD)/pid1-init
NEEDS_image := all manual
NEEDS_packages := all manual
NEEDS_lab := all manual

.PHONY: suite-programs
suite-programs:
	$(Q)$(PARALLEL) -k $(sort $(foreach suite,$(filter-out runner,$(SUITES)),$(or $(NEEDS_$(suite)),all)))

# One processor is enough for these, and they do not mind a busy one: they run beside each other.
export BESIDE ?= runner build append hostile valgrind reproducible unit fuzz companion \
	companion-asan unit-musl pid1

# SUITES="NAME..." A failing suite does not stop the next one.
run-suites:
	$(Q)mkdir -p $(dir $(RESULTS))
	$(Q)tests/results.sh all '$(MAKE) --no-print-directory' $(SUITES)

# Of those that run beside each other first the ones that wait, for an archive or for a deadline;
# then the longest.
TEST_SUITES := runner build append hostile $(TEST_EXTRA) reproducible install companion-asan \
	companion fuzz unit unit-musl pid1 image packages lab groups

.PHONY: test test-all check unit unit-musl valgrind fuzz faults property consistency mutants damaged golden coverage
test:
	$(Q)mk/packages.sh build test lab docs package
	$(Q)$(MAKE) --no-print-directory run-suites SUITES='$(TEST_SUITES)' \
		FUZZ_SECONDS=$(FUZZ_SECONDS_IN_TEST) FUZZ_JOBS=1

# Every release and generator: about an hour.
test-all:
	$(Q)$(MAKE) --no-print-directory test CASE=all IMAGE_TESTS=all PACKAGE_TESTS=all TEST_EXTRA='valgrind builtin' \
		GROUPS_SUITES=all GROUPS_MACHINES=30

check:
	$(Q)mk/packages.sh build
	$(Q)$(MAKE) --no-print-directory run-suites SUITES='runner unit unit-musl'

unit unit-musl:
	$(Q)mk/packages.sh build
	$(Q)$(MAKE) --no-print-directory run-suites SUITES=$@

valgrind:
	$(Q)mk/packages.sh build test
	$(Q)$(MAKE) --no-print-directory run-suites SUITES=valgrind

fuzz:
	$(Q)mk/packages.sh build test
	$(Q)$(MAKE) --no-print-directory run-suites SUITES=fuzz FUZZ_SEED=$(or $(FUZZ_SEED),0)

# Every access to the machine fails once, in every way: the figures. The unit tests have it too.
faults:
	$(Q)mk/packages.sh build
	$(Q)$(PARALLEL) $(BUILD)/check/test_faults
	$(Q)FAULTS=all $(BUILD)/check/test_faults >$(BUILD)/faults.log 2>&1 || { cat $(BUILD)/faults.log; exit 1; }
	$(Q)grep '^fault injection: ' $(BUILD)/faults.log

# Machines and rules by lot: CASES of them, from SEED on. The unit tests have some of them too.
property:
	$(Q)mk/packages.sh build
	$(Q)$(PARALLEL) $(BUILD)/check/test_property
	$(Q)PROPERTY_CASES=$(or $(CASES),10000) PROPERTY_SEED=$(or $(SEED),1) $(BUILD)/check/test_property

# What the commands say of each device of the trees, and of MACHINES more by lot, from SEED on.
consistency:
	$(Q)mk/packages.sh build test
	$(Q)$(MAKE) --no-print-directory all DEBUG=
	$(Q)tests/companion/consistency.py --lot $(or $(MACHINES),300) --seed $(or $(SEED),1) tests/companion/trees

# Whether the tests see small bugs (tests/mutants), in JOBS copies. It goes on where it was ended.
mutants:
	$(Q)mk/packages.sh build test
	$(Q)$(MAKE) --no-print-directory all DEBUG=
	$(Q)$(PARALLEL) $(BUILD)/check/libbinder.a
	$(Q)tests/mutants/run.py --jobs $(or $(JOBS),2) $(if $(ONLY),--only $(ONLY)) $(if $(SECONDS),--seconds $(SECONDS))

# Each file of the companion's trees, damaged in 16 ways, under ASan and UBSan; hours without SECONDS.
damaged:
	$(Q)mk/packages.sh build test
	$(Q)$(PARALLEL) $(BUILD)/debug/earlybind
	$(Q)tests/companion/damaged.py $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) \
		$(BUILD)/debug/earlybind tests/companion/trees/*.tree

# Writes what the planner gives now over tests/golden; git diff shows what changed.
golden:
	$(Q)$(PARALLEL) $(BUILD)/check/test_golden
	$(Q)GOLDEN=write $(BUILD)/check/test_golden

coverage:
	$(Q)mk/packages.sh build coverage
	$(Q)$(PARALLEL) coverage-programs
	$(Q)find $(BUILD)/coverage -name '*.gcda' -delete
	$(Q)RESULTS=$(BUILD)/coverage/results.tsv tests/unit/run.sh coverage \
		$(addprefix $(BUILD)/coverage/,$(UNIT_TESTS))
	$(Q)tests/coverage.sh $(BUILD)/coverage $(COVERAGE_MIN) $(addprefix binder/,$(COVERAGE_FOLDERS))

# ---- clangd --------------------------------------------------------------------------------

# Commands of the developer build, with what each folder may include.
compile_commands.json: private plain_COMPILE += -Wno-unknown-warning-option
CLANGD_SOURCES := binder/main.c $(BINDER_SOURCES) $(COMPANION_SOURCES) $(FAKE_SOURCES) \
	$(wildcard tests/unit/*.c tests/fuzz/*.c)
define clangd-entry
{"directory": "$(CURDIR)", "file": "$(1)",
 "command": "$(call json-escape,$(filter-out -Werror,$(call compile,plain,$(1)))) -c $(1)"}
endef
json-escape = $(subst ",\",$(subst \,\\,$(1)))

.PHONY: compile_commands.json
compile_commands.json: packages-build $(HOST_STAMPS) $(ACCEL) $(SENTENCES)
	$(file >$@,[)
	$(foreach source,$(CLANGD_SOURCES),$(file >>$@,$(call clangd-entry,$(source))$(if \
		$(filter-out $(source),$(lastword $(CLANGD_SOURCES))),$(comma))))
	$(file >>$@,])
	@echo $@
