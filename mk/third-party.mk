# Foreign libraries: third_party/sources.lock -> verified tarball -> unpacked and patched ->
# static libraries. To be included by the top-level Makefile after mk/toolchain.mk.
#
# Every library is compiled by us, file by file, with the few settings of third_party/config/:
# only decoders, only what the programs use, no configure scripts. Twice: for the release
# programs (musl, $(BUILD)/sysroot) and for the developer build, unit tests and fuzzers (the
# distribution's C library, -g -O1, $(BUILD)/sysroot-host).
#
# Sets     BINDER_LIBS COMPANION_LIBS TEST_LIBS               archives in link order
#          THIRD_PARTY_BINDER_STAMPS THIRD_PARTY_COMPANION_STAMPS THIRD_PARTY_TEST_STAMPS
#          HOST_CPPFLAGS HOST_LIBS HOST_TEST_LIBS HOST_STAMPS the same for HOST_CC
# Targets  third-party                       everything
#          third-party-binder third-party-companion third-party-test third-party-host
#          distfiles                         all tarballs to $(BUILD)/distfiles, for DISTFILES=
#
# A program is made so:
#   $(OBJS): $(RELEASE_STAMPS) $(THIRD_PARTY_BINDER_STAMPS)     (headers; they change on a bump)
#   program: $(OBJS) $(BINDER_LIBS)

TP := $(BUILD)/third-party
TP_LOCK := third_party/sources.lock
TP_MAKEFILES := mk/third-party.mk
TP_NAMES := kmod zstd xz zlib lz4 bzip2 lzo2 pciutils jansson cmocka

# A source is unpacked anew, and what depends on it is made anew, when its lines in the lock or
# its patches change: their hash is part of the stamp's name. (name:hash, one word for each)
TP_IDS := $(shell for n in $(TP_NAMES); do \
	printf '%s:%s ' $$n $$({ awk -v n=$$n '$$1 == n || $$2 == n' $(TP_LOCK); \
		cat third_party/patches/$$n/*.patch 2>/dev/null; } | sha256sum | cut -c1-16); done)

# $(call tp-src,NAME): where it is unpacked; $(call tp-unpacked,NAME): the stamp of that.
tp-src = $(TP)/src/$(1)
tp-unpacked = $(TP)/src/$(1)/.earlybind-$(patsubst $(1):%,%,$(filter $(1):%,$(TP_IDS)))

define tp-source
$(call tp-unpacked,$(1)): third_party/fetch.sh
	$$(call say,FETCH,$(1))
	$$(Q)BUILD=$(BUILD) third_party/fetch.sh -x $(call tp-src,$(1)) $(1)
	$$(Q)touch $$@
endef
$(foreach name,$(TP_NAMES),$(eval $(call tp-source,$(name))))

# ---- what is compiled -------------------------------------------------------------------
# For each library: archive, source files below its folder (a fixed list in a fixed order),
# flags, public headers (FROM[:TO] below sysroot/include), libraries whose headers it needs.

kmod_ARCHIVE := libkmod.a
kmod_FILES := $(addprefix libkmod/,libkmod.c libkmod-builtin.c libkmod-config.c libkmod-elf.c \
	libkmod-file.c libkmod-file-xz.c libkmod-file-zlib.c libkmod-file-zstd.c libkmod-index.c \
	libkmod-list.c libkmod-module.c libkmod-signature.c) \
	$(addprefix shared/,array.c hash.c strbuf.c util.c)
kmod_FLAGS = -std=gnu11 -Wno-cpp -include $(TP)/$(1)/probed.h \
	-include third_party/config/kmod/config.h -I$(call tp-src,kmod) \
	-I$(call tp-src,kmod)/libkmod -I$(call tp-src,zstd)/lib \
	-I$(call tp-src,xz)/src/liblzma/api -I$(call tp-src,zlib)
kmod_HEADERS := libkmod/libkmod.h
kmod_NEEDS := zstd xz zlib

# What ZSTD_LIB_MINIFY=1 means in zstd's own makefile, and no assembly.
zstd_ARCHIVE := libzstd.a
zstd_FILES := $(addprefix lib/common/,debug.c entropy_common.c error_private.c fse_decompress.c \
	xxhash.c zstd_common.c) \
	$(addprefix lib/decompress/,huf_decompress.c zstd_ddict.c zstd_decompress.c \
	zstd_decompress_block.c)
zstd_SMALL ?= -DHUF_FORCE_DECOMPRESS_X1=1 -DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT=1 \
	-DZSTD_NO_INLINE=1 -DZSTD_STRIP_ERROR_STRINGS=1 -DDYNAMIC_BMI2=0 -DZSTD_DISABLE_ASM=1 \
	-DHUF_DISABLE_FAST_DECODE=1
zstd_FLAGS = -DNDEBUG -DDEBUGLEVEL=0 -DXXH_NAMESPACE=ZSTD_ -DZSTD_LEGACY_SUPPORT=0 \
	-DZSTD_TRACE=0 $(zstd_SMALL)
zstd_HEADERS := lib/zstd.h lib/zstd_errors.h

xz_ARCHIVE := liblzma.a
xz_FILES := $(addprefix src/liblzma/,check/check.c check/crc32_small.c check/crc64_small.c \
	common/alone_decoder.c common/block_decoder.c common/block_header_decoder.c common/block_util.c common/common.c \
	common/filter_common.c common/filter_decoder.c common/filter_flags_decoder.c \
	common/index_hash.c common/stream_decoder.c common/stream_flags_common.c \
	common/stream_flags_decoder.c common/vli_decoder.c common/vli_size.c \
	lz/lz_decoder.c lzma/lzma2_decoder.c lzma/lzma_decoder.c \
	simple/arm.c simple/arm64.c simple/armthumb.c simple/riscv.c simple/simple_coder.c \
	simple/simple_decoder.c simple/x86.c)
xz_FLAGS = -std=gnu11 -DNDEBUG -DHAVE_CONFIG_H -DTUKLIB_SYMBOL_PREFIX=lzma_ \
	-Ithird_party/config/xz \
	$(addprefix -I$(call tp-src,xz)/src/,liblzma/api liblzma/common liblzma/check liblzma/lz \
	liblzma/rangecoder liblzma/lzma liblzma/delta liblzma/simple common)
xz_HEADERS := src/liblzma/api/lzma.h src/liblzma/api/lzma

# Reads gzip files only. Z_TESTW=0 means CRC-32 by bytes: 1 KiB of tables instead of 27.
zlib_ARCHIVE := libz.a
zlib_FILES := adler32.c crc32.c deflate.c gzclose.c gzlib.c gzread.c inffast.c inflate.c inftrees.c trees.c zutil.c
zlib_SMALL ?= -DZ_TESTW=0
zlib_FLAGS = -std=gnu11 -D_LARGEFILE64_SOURCE=1 -DHAVE_UNISTD_H -DHAVE_HIDDEN -DNO_GZCOMPRESS \
	$(zlib_SMALL)
zlib_HEADERS := zlib.h zconf.h

pciutils_ARCHIVE := libpci.a
pciutils_FILES := $(addprefix lib/,access.c caps.c dump.c filter.c generic.c init.c names.c \
	names-cache.c names-hash.c names-hwdb.c names-net.c names-parse.c params.c)
pciutils_FLAGS = -std=gnu11 -Ithird_party/config/pciutils
pciutils_HEADERS := lib/pci.h:pci/ lib/header.h:pci/ lib/types.h:pci/
pciutils_OWN_HEADERS := pciutils/config.h:pci/

jansson_ARCHIVE := libjansson.a
jansson_FILES := $(addprefix src/,dump.c error.c hashtable.c hashtable_seed.c load.c memory.c \
	pack_unpack.c strbuffer.c strconv.c utf.c value.c version.c)
jansson_FLAGS = -std=gnu11 -DHAVE_CONFIG_H -Ithird_party/config/jansson
jansson_HEADERS := src/jansson.h
jansson_OWN_HEADERS := jansson/jansson_config.h

# Images may be compressed with these. What only compresses is dropped by the linker.
lz4_ARCHIVE := liblz4.a
lz4_FILES := lib/lz4.c
lz4_FLAGS = -std=gnu11 -DNDEBUG
lz4_HEADERS := lib/lz4.h

bzip2_ARCHIVE := libbz2.a
bzip2_FILES := blocksort.c bzlib.c compress.c crctable.c decompress.c huffman.c randtable.c
bzip2_FLAGS = -std=gnu11 -D_FILE_OFFSET_BITS=64
bzip2_HEADERS := bzlib.h

lzo2_ARCHIVE := liblzo2.a
lzo2_FILES := src/lzo1x_d2.c
lzo2_FLAGS = -std=gnu11 -I$(call tp-src,lzo2)/include -I$(call tp-src,lzo2)/src
lzo2_HEADERS := include/lzo

cmocka_ARCHIVE := libcmocka.a
cmocka_FILES := src/cmocka.c
cmocka_FLAGS = -std=gnu11 -DHAVE_CONFIG_H -Ithird_party/config/cmocka -I$(call tp-src,cmocka)/include
cmocka_HEADERS := include/cmocka.h include/cmocka_pbc.h

# ---- how: each library in two variants ----------------------------------------------------

# Fixed here: what the rest of the build adds to RELEASE_CFLAGS does not reach these libraries.
release_SYSROOT := $(BUILD)/sysroot
tp_release_COMPILE := $(RELEASE_CC) $(RELEASE_CFLAGS)
release_NEEDS := $(RELEASE_STAMPS)
host_SYSROOT := $(BUILD)/sysroot-host
tp_host_COMPILE := $(HOST_CC) -g -O1 -fno-omit-frame-pointer -fno-common $(PREFIX_MAP)
host_NEEDS :=

# $(call tp-variant,VARIANT)
define tp-variant
# Other flags or another compiler: everything anew.
$(TP)/$(1)/flags: FORCE
	$$(call update,$$(tp_$(1)_COMPILE) $(zstd_SMALL) $(zlib_SMALL))

# What differs between C libraries.
$(TP)/$(1)/probed.h: $(TP)/$(1)/flags $(TP_MAKEFILES) | $$($(1)_NEEDS)
	$$(call say,PROBE,$$@)
	$$(Q)for function in basename:DECL_BASENAME secure_getenv:SECURE_GETENV; do \
		printf '#define _GNU_SOURCE 1\n#include <string.h>\n#include <stdlib.h>\n%s\n' \
			"void *probe(void); void *probe(void) { return (void *)$$$${function%:*}; }" \
			>$$@.c; \
		if $$(tp_$(1)_COMPILE) -Werror -c $$@.c -o $$@.o 2>/dev/null; then \
			echo "#define HAVE_$$$${function#*:} 1"; \
		elif [ $$$$function = basename:DECL_BASENAME ]; then \
			echo "#define HAVE_DECL_BASENAME 0"; \
		fi; \
	done >$$@.tmp
	$$(Q)rm -f $$@.c $$@.o; mv -f $$@.tmp $$@
endef

# $(call tp-library,VARIANT,NAME)
define tp-library
$(1)_$(2)_OBJECTS := $(patsubst %.c,$(TP)/$(1)/$(2)/%.o,$($(2)_FILES))

$$($(1)_$(2)_OBJECTS): $(TP)/$(1)/$(2)/%.o: $(call tp-unpacked,$(2)) $(TP)/$(1)/flags \
		$(foreach need,$($(2)_NEEDS),$(call tp-unpacked,$(need))) \
		$(if $(filter kmod,$(2)),$(TP)/$(1)/probed.h) \
		$(wildcard third_party/config/$(2)/*.h) $(TP_MAKEFILES) $($(1)_NEEDS)
	$$(call say,CC,$$(patsubst $(BUILD)/%,%,$$@))
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(tp_$(1)_COMPILE) $(call $(2)_FLAGS,$(1)) -c $(call tp-src,$(2))/$$*.c -o $$@

$($(1)_SYSROOT)/lib/$($(2)_ARCHIVE): $$($(1)_$(2)_OBJECTS)
	$$(call say,AR,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)rm -f $$@
	$$(Q)$$(AR) rcsD $$@ $$($(1)_$(2)_OBJECTS)

$($(1)_SYSROOT)/.$(2): $($(1)_SYSROOT)/lib/$($(2)_ARCHIVE)
	$$(Q)mkdir -p $($(1)_SYSROOT)/include/pci
	$$(Q)set -e; for header in $(addprefix $(call tp-src,$(2))/,$($(2)_HEADERS)) \
			$(addprefix third_party/config/,$($(2)_OWN_HEADERS)); do \
		case $$$$header in *:*) to=$$$${header#*:} ;; *) to= ;; esac; \
		cp -R "$$$${header%:*}" $($(1)_SYSROOT)/include/$$$$to; \
	done
	$$(Q)touch $$@
endef

$(foreach variant,release host,$(eval $(call tp-variant,$(variant))) \
	$(foreach name,$(TP_NAMES),$(eval $(call tp-library,$(variant),$(name)))))

# ---- what the rest of the build uses -----------------------------------------------------

TP_BINDER := kmod zstd xz zlib
TP_COMPANION := pciutils jansson lz4 bzip2 lzo2
tp-archives = $(foreach name,$(2),$($(1)_SYSROOT)/lib/$($(name)_ARCHIVE))
tp-stamps = $(foreach name,$(2),$($(1)_SYSROOT)/.$(name))

BINDER_LIBS := $(call tp-archives,release,$(TP_BINDER))
COMPANION_LIBS := $(call tp-archives,release,$(TP_COMPANION) $(TP_BINDER))
TEST_LIBS := $(call tp-archives,release,cmocka)
THIRD_PARTY_BINDER_STAMPS := $(call tp-stamps,release,$(TP_BINDER))
THIRD_PARTY_COMPANION_STAMPS := $(call tp-stamps,release,$(TP_COMPANION) $(TP_BINDER))
THIRD_PARTY_TEST_STAMPS := $(call tp-stamps,release,cmocka)

HOST_CPPFLAGS := -isystem $(host_SYSROOT)/include
HOST_LIBS := $(call tp-archives,host,$(TP_COMPANION) $(TP_BINDER))
HOST_TEST_LIBS := $(call tp-archives,host,cmocka)
HOST_STAMPS := $(call tp-stamps,host,$(TP_NAMES))

.PHONY: third-party third-party-binder third-party-companion third-party-test \
	third-party-host distfiles
third-party: third-party-companion third-party-test third-party-host
third-party-binder: $(THIRD_PARTY_BINDER_STAMPS)
third-party-companion: $(THIRD_PARTY_COMPANION_STAMPS)
third-party-test: $(THIRD_PARTY_TEST_STAMPS)
third-party-host: $(HOST_STAMPS)
distfiles:
	$(Q)BUILD=$(BUILD) third_party/fetch.sh -o $(BUILD)/distfiles
