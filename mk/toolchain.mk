# Compilers and flags. To be included by the top-level Makefile.
#
# Sets     RELEASE_CC       musl-gcc: both programs, and the unit tests' second run
#          RELEASE_CFLAGS   code generation and system include directories (no warnings, no -I
#                           of ours, no -std)
#          RELEASE_LDFLAGS  static, without build ID, unused sections dropped
#          RELEASE_STAMPS   to be made before anything is compiled with RELEASE_CC
#          HOST_CC          the distribution's compiler: developer build, fuzzers, sanitizers
#          Q, say, update, assert-static   for recipes, see below
# Respects BUILD (default build), V=1 (show commands).

BUILD ?= build

# Recipes: "$(Q)command", after "$(call say,CC,file)".
ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n' '$(1)' '$(2)'
endif

# $(call update,TEXT): the recipe of a file that depends on FORCE. It writes TEXT only if the
# file has another text, so that what depends on the file is made anew only then. make -n expands
# recipes too, and must write nothing.
update = $(if $(or $(call same,$(file <$@),$(1)),$(findstring n,$(firstword \
	-$(MAKEFLAGS)))),,$(shell mkdir -p $(@D))$(file >$@,$(1)))
same = $(and $(findstring :$(1):,:$(2):),$(findstring :$(2):,:$(1):))
.PHONY: FORCE
FORCE:

RELEASE_CC ?= musl-gcc
HOST_CC ?= gcc
AR ?= ar
READELF ?= readelf
STRIP ?= strip

# No build path may reach the bytes of a program: the same sources give the same bytes.
PREFIX_MAP := -ffile-prefix-map=$(abspath $(BUILD))=build -ffile-prefix-map=$(BUILD)=build \
	-ffile-prefix-map=$(CURDIR)=.

# The two programs never unwind through frames, so they carry no unwind tables. -fno-pie and
# -static belong together: "musl-gcc -static-pie" quietly links a dynamic program.
RELEASE_CFLAGS := -Os -fno-pie -ffunction-sections -fdata-sections -fno-common \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -fno-ident -fomit-frame-pointer \
	$(PREFIX_MAP) -isystem $(BUILD)/include -isystem $(BUILD)/sysroot/include
# No relro: only a dynamic loader makes it read-only, and it costs a page of the file.
RELEASE_LDFLAGS := -static -no-pie -Wl,--gc-sections -Wl,--build-id=none \
	-Wl,-z,noexecstack -Wl,-z,norelro -Wl,-z,noseparate-code \
	-Wl,--sort-section=alignment

# $(call assert-static,FILE): a recipe line that fails if FILE needs a dynamic loader.
assert-static = $(Q)if $(READELF) -lW $(1) | grep -q INTERP; then \
	echo '$(1): not a static program (it names an interpreter)' >&2; rm -f $(1); exit 1; fi

# musl-gcc knows no kernel headers. It gets links to the distribution's linux, asm and
# asm-generic, and to nothing else: with /usr/include itself glibc's headers would leak in.
KERNEL_HEADERS_STAMP := $(BUILD)/include/.stamp
RELEASE_STAMPS := $(KERNEL_HEADERS_STAMP)

$(KERNEL_HEADERS_STAMP):
	$(call say,HEADERS,linux asm asm-generic)
	$(Q)mkdir -p $(@D)
	$(Q)for probe in linux/vfio.h asm/unistd.h asm-generic/errno.h; do \
		path=$$(echo "#include <$$probe>" | $(HOST_CC) -M -x c - | tr ' ' '\n' | \
			grep "/$$probe$$" | head -n 1); \
		if [ -z "$$path" ]; then \
			echo "no <$$probe>: please install linux-libc-dev (kernel headers)" >&2; exit 1; \
		fi; \
		ln -sfn "$${path%/*}" "$(@D)/$${probe%/*}"; \
	done
	$(Q)touch $@
