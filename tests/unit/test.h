/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every unit test includes first: cmocka, and checks that name the case of a table. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

/* @label says which case it is: mostly the input. */
#define check_int(label, got, want) \
	do { \
		long long got_ = (long long)(got), want_ = (long long)(want); \
		if (got_ != want_) \
			fail_msg("%s: %s is %lld, not %lld", (label), #got, got_, \
				 want_); \
	} while (0)

#define check_true(label, got) \
	do { \
		if (!(got)) \
			fail_msg("%s: %s is not true", (label), #got); \
	} while (0)

#define check_string(label, got, want) \
	do { \
		const char *got_ = (got), *want_ = (want); \
		if (!got_ || strcmp(got_, want_) != 0) \
			fail_msg("%s: %s is \"%s\", not \"%s\"", (label), #got, \
				 got_ ? got_ : "(null)", want_); \
	} while (0)

/* @want NULL: the view's p is NULL. */
#define check_text(label, got, want) \
	do { \
		struct text got_ = (got); \
		const char *want_ = (want); \
		if (!want_ ? got_.p != NULL : !got_.p || !text_is(got_, want_)) \
			fail_msg("%s: %s is \"%.*s\", not \"%s\"", (label), #got, \
				 (int)got_.n, got_.p ? got_.p : "", \
				 want_ ? want_ : "(null)"); \
	} while (0)

/* @part stands somewhere in @got. */
#define check_contains(label, got, part) \
	do { \
		const char *got_ = (got), *part_ = (part); \
		if (!got_ || !strstr(got_, part_)) \
			fail_msg("%s: %s is \"%s\", without \"%s\"", (label), #got, \
				 got_ ? got_ : "(null)", part_); \
	} while (0)

/* An arena of its own for a test; of the exact size, so that ASan guards its end. */
static inline struct arena test_arena(size_t size)
{
	void *memory = calloc(1, size);

	assert_non_null(memory);
	return (struct arena){.base = memory, .size = size};
}

static inline void test_arena_free(struct arena *arena)
{
	free(arena->base);
	arena->base = NULL;
}

/*
 * A view of a heap copy of exactly the text: reading past its end is seen by ASan. Freed by
 * test_text_free().
 */
static inline struct text test_text(const char *string)
{
	size_t n = strlen(string);
	char *copy = malloc(n > 0 ? n : 1);

	assert_non_null(copy);
	memcpy(copy, string, n);
	return (struct text){copy, n};
}

static inline void test_text_free(struct text t)
{
	free((char *)t.p);
}
