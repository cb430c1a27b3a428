/* SPDX-License-Identifier: 0BSD */
/*
 * liblzma's build configuration: the .xz stream decoder and nothing else.
 *
 * Kernel modules are compressed with LZMA2 and CRC32 (the kernel's modules_install, depmod's
 * documentation) or with xz's default CRC64; the branch filters are what its decoder in the
 * kernel accepts for the machines that have PCI and VFIO. A stream with another check is
 * decoded without being checked.
 */
#pragma once

#define HAVE_STDBOOL_H		      1
#define HAVE_STDINT_H		      1
#define HAVE_INTTYPES_H		      1
#define HAVE__BOOL		      1
#define HAVE_VISIBILITY		      0
#define HAVE___BUILTIN_BSWAPXX	      1
#define HAVE___BUILTIN_ASSUME_ALIGNED 1
#define SIZEOF_SIZE_T		      __SIZEOF_SIZE_T__
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define WORDS_BIGENDIAN 1
#endif

/*
 * CRC tables of 3 KiB instead of 16 KiB in the program, computed when the first stream is decoded:
 * without HAVE_FUNC_ATTRIBUTE_CONSTRUCTOR, which would compute them at each start.
 */
#define HAVE_SMALL 1

#define HAVE_CHECK_CRC32 1
#define HAVE_CHECK_CRC64 1

#define HAVE_DECODERS	      1
#define HAVE_DECODER_LZMA2    1
#define HAVE_DECODER_X86      1
#define HAVE_DECODER_ARM      1
#define HAVE_DECODER_ARMTHUMB 1
#define HAVE_DECODER_ARM64    1
#define HAVE_DECODER_RISCV    1

/* Only named in the library's messages and version functions. */
#define PACKAGE_NAME	  "XZ Utils"
#define PACKAGE_BUGREPORT ""
#define PACKAGE_URL	  ""
