/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of one run: a fixed piece of memory given by the caller. An allocation
 * either fits or returns NULL, which the caller reports as a limit; nothing is freed,
 * but all that was allocated since a moment.
 * Memory comes zeroed: the caller hands over zero pages, which cost nothing until used.
 */
#pragma once

#include <stdarg.h>

#include "compiler.h"
#include "text.h"

/* With ASan so many bytes behind each allocation belong to nobody: who writes there is stopped. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_RED_ZONE 16
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_RED_ZONE 16
#endif
#endif
#ifndef ARENA_RED_ZONE
#define ARENA_RED_ZONE 0
#endif

struct arena {
	char *base;
	size_t size;
	size_t used;
	/*
	 * Where something does not fit, so many bytes are mapped, once, and all that follows is
	 * there. What was allocated before stays where it is. 0: none.
	 */
	size_t more;
};

void *arena_alloc(struct arena *arena, size_t count, size_t size) must_check nonnull(1);

/* Gives back what was allocated since @arena->used was @used: it is zeroed again. */
void arena_rewind(struct arena *arena, size_t used) nonnull(1);

/*
 * The last allocation, @last, keeps @bytes. The rest goes back to the arena, as it is: nothing
 * was written there.
 */
void arena_shrink(struct arena *arena, const void *last, size_t bytes) nonnull(1, 2);

/* An arena of @size bytes of address space: what is not used takes no memory. -errno. */
int arena_map(struct arena *ret, size_t size) must_check nonnull(1);
void arena_unmap(struct arena *arena) nonnull(1);

/* A NUL-terminated copy of @t, or NULL. */
char *arena_copy(struct arena *arena, struct text t) must_check nonnull(1);

/* A formatted string, never cut; or NULL, and the arena is as it was. */
char *arena_printf(struct arena *arena, const char *format, ...) must_check nonnull(1, 2)
	printf_like(2, 3);
char *arena_vprintf(struct arena *arena, const char *format, va_list ap) must_check
	nonnull(1, 2) printf_like(2, 0);

/*
 * A text that grows piece by piece, in memory of the caller (@buf, @size) or in @arena.
 * A piece that does not fit sets @is_full, and later ones are ignored: whoever uses the
 * text asks for @is_full, or lets text_shown() mark it.
 */
struct text_buffer {
	struct arena *arena; /* NULL: @size bytes are all there is */
	char *buf; /* with a NUL, once something was added */
	size_t size;
	size_t used; /* without the NUL */
	bool is_full;
};

void text_add(struct text_buffer *b, const char *format, ...) nonnull(1, 2)
	printf_like(2, 3);
void text_vadd(struct text_buffer *b, const char *format, va_list ap) nonnull(1, 2)
	printf_like(2, 0);

/* For a line that is cut on purpose, to which something was added: it ends in "..." then. */
const char *text_shown(struct text_buffer *b) nonnull(1);
