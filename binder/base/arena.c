/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arena.h"

#include <stdio.h>
#include <string.h>

#define ARENA_ALIGN 16

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
	size_t start = (arena->used + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	if (start > arena->size || bytes > arena->size - start)
		return NULL;
	arena->used = start + bytes;
	return arena->base + start;
}

void arena_rewind(struct arena *arena, size_t used)
{
	memset(arena->base + used, 0, arena->used - used);
	arena->used = used;
}

char *arena_copy(struct arena *arena, struct text t)
{
	char *copy = arena_alloc(arena, t.n + 1, 1);

	if (!copy)
		return NULL;
	if (t.n > 0)
		memcpy(copy, t.p, t.n);
	copy[t.n] = '\0';
	return copy;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list ap)
{
	char line[ARENA_LINE_MAX];
	int n = vsnprintf(line, sizeof(line), format, ap);

	if (n < 0)
		return NULL;
	return arena_copy(arena, (struct text){line, MIN((size_t)n, sizeof(line) - 1)});
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	char *line;
	va_list ap;

	va_start(ap, format);
	line = arena_vprintf(arena, format, ap);
	va_end(ap);
	return line;
}
