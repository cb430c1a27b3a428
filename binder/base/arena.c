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

/*
 * Just these bytes may be touched. What is in front of them was poisoned as what is behind the
 * allocation before.
 */
static void hand_out(const struct arena *arena, size_t start, size_t bytes)
{
	size_t end = start + bytes;

	ASAN_UNPOISON_MEMORY_REGION(arena->base + start, bytes);
	ASAN_POISON_MEMORY_REGION(arena->base + end, MIN(arena->size - end, ARENA_MOAT));
}

/* Small pages: a large one would take 2 MiB, and the time to clear it, for a few KiB of a report. */
static int map_more(struct arena *arena)
{
	int r = arena->more > 0 ? arena_map(arena, arena->more) : -ENOMEM;

	if (r == 0)
		(void)madvise(arena->base, arena->size, MADV_NOHUGEPAGE);
	return r;
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
		return map_more(arena) == 0 ? arena_alloc(arena, count, size) : NULL;
	hand_out(arena, start, bytes);
	arena->used = start + bytes;
	return arena->base + start;
}

void arena_rewind(struct arena *arena, size_t used)
{
	/* All that is here was allocated since. */
	if (used > arena->used)
		used = 0;
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
	struct text_buffer b = {.arena = arena};

	text_vadd(&b, format, ap);
	return b.is_full ? NULL : b.buf;
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

/* Exactly so much more that @n bytes and the NUL fit. */
static bool make_room(struct text_buffer *b, size_t n)
{
	size_t size = b->used + n + 1;
	char *buf;

	if (!b->arena)
		return false;
	if (b->buf && b->buf + b->size == b->arena->base + b->arena->used &&
	    size - b->size <= b->arena->size - b->arena->used) {
		hand_out(b->arena, (size_t)(b->buf - b->arena->base), size);
		b->arena->used += size - b->size;
	} else {
		buf = arena_alloc(b->arena, size, 1);
		if (!buf)
			return false;
		if (b->buf && b->used > 0)
			memcpy(buf, b->buf, b->used);
		b->buf = buf;
	}
	b->size = size;
	return true;
}

static int print(struct text_buffer *b, const char *format, va_list ap) printf_like(2, 0);
static int print(struct text_buffer *b, const char *format, va_list ap)
{
	return vsnprintf(b->size > 0 ? b->buf + b->used : NULL, b->size - b->used, format,
			 ap);
}

void text_vadd(struct text_buffer *b, const char *format, va_list ap)
{
	va_list again;
	int n;

	if (b->is_full)
		return;
	va_copy(again, ap);
	n = print(b, format, ap);
	if (n >= 0 && (size_t)n >= b->size - b->used && make_room(b, (size_t)n))
		n = print(b, format, again);
	va_end(again);
	b->is_full = n < 0 || (size_t)n >= b->size - b->used;
	if (!b->is_full)
		b->used += (size_t)n;
	else if (n >= 0 && b->size > 0)
		b->used = b->size - 1;
}

void text_add(struct text_buffer *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	text_vadd(b, format, ap);
	va_end(ap);
}

const char *text_shown(struct text_buffer *b)
{
	static const char mark[] = "...";

	if (b->is_full && b->used >= sizeof(mark) - 1)
		memcpy(b->buf + b->used - (sizeof(mark) - 1), mark, sizeof(mark));
	return b->buf;
}
