# make lint: layout, static analysis, scripts, and claims that a program can check.

C_FILES = $(shell git ls-files '*.c' '*.h' '*.def')
OUR_C_FILES = $(filter binder/% companion/%,$(filter %.c,$(C_FILES)))
SHELL_FILES = $(shell git ls-files '*.sh' .ci/run initramfs-hooks packaging/arch/install packaging/arch/hooks)
# Layout is checked for everything but lists that read better as they are.
FORMAT_FILES = $(filter-out %.def,$(C_FILES))
CLANG_FORMAT ?= clang-format

.PHONY: lint graph format lint-format lint-functions lint-shell lint-tidy lint-cppcheck lint-analyzer \
	lint-claims lint-layers lint-wall packages-lint
lint: lint-format lint-functions lint-shell lint-claims lint-layers lint-wall lint-cppcheck lint-analyzer \
	lint-tidy
	@echo 'lint: clean'

packages-lint:
	$(Q)mk/packages.sh build lint docs

format: packages-lint
	$(Q)$(CLANG_FORMAT) -i $(FORMAT_FILES)

lint-format: packages-lint
	$(call say,LINT,layout)
	$(Q)$(CLANG_FORMAT) --dry-run -Werror $(FORMAT_FILES)

# A function fits on a screen.
lint-functions:
	$(call say,LINT,length of functions)
	$(Q)awk -v most=60 -f mk/functions.awk $(OUR_C_FILES)

lint-shell: packages-lint
	$(call say,LINT,scripts)
	$(Q)shellcheck -x -P SCRIPTDIR $(SHELL_FILES)

# The compilers' own view of the headers: the developer build's, with its libraries.
LINT_CPPFLAGS = -std=gnu11 -D_GNU_SOURCE $(ALL_INCLUDES) -I$(BUILD)/data $(HOST_CPPFLAGS)

lint-tidy: packages-lint $(HOST_STAMPS) $(ACCEL) $(SENTENCES)
	$(call say,LINT,clang-tidy)
	$(Q)printf '%s\n' $(OUR_C_FILES) | xargs -P 2 -I '{}' clang-tidy --quiet \
		--warnings-as-errors='*' '{}' -- $(LINT_CPPFLAGS) 2>$(BUILD)/clang-tidy.log || { cat $(BUILD)/clang-tidy.log; false; }

lint-cppcheck: packages-lint $(HOST_STAMPS) $(ACCEL) $(SENTENCES)
	$(call say,LINT,cppcheck)
	$(Q)cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr -j 2 \
		--enable=warning,performance,portability --suppress=missingIncludeSystem \
		--suppress=normalCheckLevelMaxBranches --suppress=unknownMacro \
		-D_GNU_SOURCE -D__cppcheck__ $(ALL_INCLUDES) -I$(BUILD)/data binder companion

# gcc's own: paths that lead to a wrong pointer, a leak or a descriptor that stays open.
lint-analyzer: packages-lint $(HOST_STAMPS) $(ACCEL) $(SENTENCES)
	$(call say,LINT,gcc -fanalyzer)
	$(Q)printf '%s\n' $(filter binder/%,$(OUR_C_FILES)) | xargs -P 2 -I '{}' $(HOST_CC) -O1 \
		-fanalyzer -Werror $(LINT_CPPFLAGS) -c '{}' -o /dev/null

lint-claims: packages-lint
	$(call say,LINT,claims)
	$(Q)$(MAKE) --no-print-directory all DEBUG=
	$(Q)mk/lint-claims.sh $(BUILD)

LAYERS := $(addprefix binder/,$(BINDER_FOLDERS)) binder $(addprefix companion/,$(COMPANION_FOLDERS))
LAYER_SOURCES := binder/main.c $(BINDER_SOURCES) $(COMPANION_SOURCES)

# The include path keeps a folder from what is behind it; this keeps its calls from there.
lint-layers: packages-lint
	$(call say,LINT,layers)
	$(Q)$(MAKE) --no-print-directory all DEBUG=
	$(Q)nm -A $(call objects,release,$(LAYER_SOURCES)) | awk -v rooms='$(LAYERS)' \
		-v root=$(BUILD)/release/ -f mk/layers.awk
	$(Q)nm -A $(call objects,release,$(LAYER_SOURCES)) | mk/graph.py $(BUILD)/release/ --quiet

# The circles of files, and the symbols that only one other file uses.
graph: all
	$(Q)nm -A $(call objects,release,$(LAYER_SOURCES)) | mk/graph.py $(BUILD)/release/ \
		$(wildcard tests/unit/* tests/fuzz/*.[ch] tests/fake/* tests/bench/*.c)
	@echo '$(words $(filter %.c %.h %.def,$(shell git ls-files binder companion))) files in binder and companion'

# No function that takes a path goes past the wall around --sysroot.
lint-wall: packages-lint
	$(call say,LINT,wall)
	$(Q)$(MAKE) --no-print-directory all DEBUG=
	$(Q)nm -A $(COMPANION_OBJECTS) $(BINDER_OBJECTS) $(COMPANION_LIBS) | \
		awk -v wall='$(WALL)' -f mk/wall.awk
