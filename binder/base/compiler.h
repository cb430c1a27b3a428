/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes and small macros shared by every module. */
#pragma once

#include <stddef.h>

#define must_check	  __attribute__((warn_unused_result))
#define nonnull(...)	  __attribute__((nonnull(__VA_ARGS__)))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define unused		  __attribute__((unused))
#define noinline	  __attribute__((noinline))
#define cleanup_with(f)	  __attribute__((cleanup(f)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#ifdef __cppcheck__ /* takes a statement in an initializer for a broken one */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#else
/* Each argument is evaluated once. */
#define MIN(a, b) \
	({ \
		__auto_type min_a_ = (a); \
		__auto_type min_b_ = (b); \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	})
#define MAX(a, b) \
	({ \
		__auto_type max_a_ = (a); \
		__auto_type max_b_ = (b); \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	})
#endif

/* Reads a file descriptor out of a variable with cleanup, which then owns nothing. */
#define TAKE_FD(fd) \
	({ \
		int taken_fd_ = (fd); \
		(fd) = -1; \
		taken_fd_; \
	})
