/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kmod's build configuration for a static libkmod, put before every kmod file with -include.
 * It takes the place of the config.h that meson would write.
 *
 * The three decoders are linked in: dlopen() does not work in a static program. Whether the
 * C library declares basename() in string.h and has secure_getenv() differs between versions
 * (musl 1.2.5 dropped the former): mk/third-party.mk probes both and sets HAVE_DECL_BASENAME
 * and HAVE_SECURE_GETENV.
 */
#pragma once

#define _GNU_SOURCE 1

#define PACKAGE	      "kmod"
#define VERSION	      "34.2"
#define KMOD_FEATURES "+ZSTD +XZ +ZLIB -LIBCRYPTO"

#define SYSCONFDIR	 "/etc"
#define DISTCONFDIR	 "/usr/lib"
#define MODULE_DIRECTORY "/lib/modules"

#define ENABLE_ZSTD	   1
#define ENABLE_XZ	   1
#define ENABLE_ZLIB	   1
#define ENABLE_ZSTD_DLOPEN 0
#define ENABLE_XZ_DLOPEN   0
#define ENABLE_ZLIB_DLOPEN 0
#define ENABLE_OPENSSL	   0

/* Errors reach the caller's log through kmod_set_log_fn(); debug messages are compiled out. */
#define ENABLE_LOGGING 1
#define ENABLE_DEBUG   0
#define ENABLE_ELFDBG  0

/*
 * finit_module() is the program's own (binder/modload.c), which has a word to say about the
 * kernel's errors. Neither musl nor glibc declares it.
 */
#define HAVE_FINIT_MODULE		  1
#define HAVE_STATIC_ASSERT		  1
#define HAVE_NORETURN			  1
#define HAVE_STRUCT_STAT_ST_MTIM	  1
#define HAVE___BUILTIN_CLZ		  1
#define HAVE___BUILTIN_TYPES_COMPATIBLE_P 1
#define HAVE___BUILTIN_UADD_OVERFLOW	  1
#define HAVE___BUILTIN_UADDL_OVERFLOW	  1
#define HAVE___BUILTIN_UADDLL_OVERFLOW	  1
#define HAVE___BUILTIN_UMUL_OVERFLOW	  1
#define HAVE___BUILTIN_UMULL_OVERFLOW	  1
#define HAVE___BUILTIN_UMULLL_OVERFLOW	  1

long finit_module(int fd, const char *args, int flags);
