/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arena.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#if ARENA_RED_ZONE > 0
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, n)   ((void)(start), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(start, n) ((void)(start), (void)(n))
#endif

#define ARENA_ALIGN 16
/* So much behind the last allocation is poisoned: all of it would take as long as a command. */
#define ARENA_MOAT ((size_t)64 * 1024)

/* What is between the last allocation and this one is poisoned, and what is behind this one. */
static void hand_out(const struct arena *arena, size_t start, size_t bytes)
{
	size_t end = start + bytes;

	ASAN_POISON_MEMORY_REGION(arena->base + arena->used, start - arena->used);
	ASAN_UNPOISON_MEMORY_REGION(arena->base + start, bytes);
	ASAN_POISON_MEMORY_REGION(arena->base + end, MIN(arena->size - end, ARENA_MOAT));
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
	size_t red_zone = arena->used > 0 ? ARENA_RED_ZONE : 0;
	size_t start =
		(arena->used + red_zone + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	if (start > arena->size || bytes > arena->size - start)
		return NULL;
	hand_out(arena, start, bytes);
	arena->used = start + bytes;
	return arena->base + start;
}

void arena_rewind(struct arena *arena, size_t used)
{
	ASAN_UNPOISON_MEMORY_REGION(arena->base + used, arena->used - used);
	memset(arena->base + used, 0, arena->used - used);
	ASAN_POISON_MEMORY_REGION(arena->base + used, arena->used - used);
	arena->used = used;
}

void arena_shrink(struct arena *arena, const void *last, size_t bytes)
{
	size_t used = (size_t)((const char *)last - arena->base) + bytes;

	ASAN_POISON_MEMORY_REGION(arena->base + used, arena->used - used);
	arena->used = used;
}

int arena_map(struct arena *ret, size_t size)
{
	char *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return -errno;
	*ret = (struct arena){.base = base, .size = size};
	return 0;
}

void arena_unmap(struct arena *arena)
{
	ASAN_UNPOISON_MEMORY_REGION(arena->base, arena->size);
	munmap(arena->base, arena->size);
	*arena = (struct arena){0};
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
