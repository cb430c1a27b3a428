/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded views of text. Every parser works on views: nothing is cut in place, nothing
 * needs a terminator, nothing depends on the locale.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

struct text {
	const char *p;
	size_t n;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

/* Where and why a parser stopped: offset in bytes from the start of what it was given. */
struct parse_error {
	size_t offset;
	const char *message;
};

struct text text_of(const char *string) nonnull(1);

bool text_is(struct text t, const char *string) nonnull(2);
bool text_is_same(struct text a, struct text b);
bool text_has_prefix(struct text t, const char *prefix) nonnull(2);
bool text_has_suffix(struct text t, const char *suffix) nonnull(2);

/* The kernel's comparison of parameter names: '-' and '_' are the same character. */
bool text_is_param(struct text name, const char *want) nonnull(2);

/* The number in the @n bytes (4 at most) at @at, the least first; they must be there. */
static inline uint32_t text_le(struct text bytes, size_t at, size_t n)
{
	uint32_t value = 0;

	while (n-- > 0)
		value = value << 8 | (uint8_t)bytes.p[at + n];
	return value;
}

/* Without blanks, tabs and line ends on both sides. */
struct text text_trim(struct text t);

/*
 * Takes the part before the next @separator off the front of @rest.
 * Returns true and the part, or false when nothing is left. "a,,b" has three parts,
 * "a," has two, "" has one. A view whose p is NULL is used up.
 */
bool text_cut(struct text *rest, char separator, struct text *ret_part) nonnull(1, 3);

/* Takes the next word (separated by blanks and tabs) off @rest. */
bool text_word(struct text *rest, struct text *ret_word) nonnull(1, 2);

/* Whole-string numbers: -EINVAL on anything but digits, -ERANGE above @max. */
int text_decimal(struct text t, uint64_t max, uint64_t *ret) must_check nonnull(3);
int text_hex(struct text t, uint64_t max, uint64_t *ret) must_check nonnull(3);

/*
 * The character in UTF-8 at the start of @t: the number of its bytes, 0 if there is none or
 * it is not valid (overlong, a surrogate, above U+10FFFF).
 */
size_t text_character(struct text t, uint32_t *ret) nonnull(2);

/*
 * Whether a character of foreign text is put out as it is: no control character (C0, DEL, C1),
 * no end of a line or paragraph, nothing that turns the direction of writing around, no byte
 * order mark and nothing that XML and YAML do not have.
 */
bool char_is_shown(uint32_t c);

bool char_is_blank(char c); /* what separates words: blank, tab, CR, LF */
bool char_is_space(char c); /* the kernel's isspace(): ASCII white space and 0xa0 */
int char_hex(char c); /* 0 to 15, or -1 */

/* A short text for an errno, for a detail: "no such device (ENODEV)" and the like. */
const char *errno_text(int error);
