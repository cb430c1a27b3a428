/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text.h"

#include <errno.h>
#include <errno.h>
#include <string.h>

struct text text_of(const char *string)
{
	return (struct text){string, strlen(string)};
}

bool text_is(struct text t, const char *string)
{
	return text_is_same(t, text_of(string));
}

/* memcmp() takes no NULL, not even for nothing. */
bool text_is_same(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool text_has_prefix(struct text t, const char *prefix)
{
	size_t n = strlen(prefix);

	return t.n >= n && text_is_same((struct text){t.p, n}, (struct text){prefix, n});
}

bool text_has_suffix(struct text t, const char *suffix)
{
	size_t n = strlen(suffix);

	return t.n >= n && memcmp(t.p + t.n - n, suffix, n) == 0;
}

bool text_is_param(struct text name, const char *want)
{
	if (name.n != strlen(want))
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char a = name.p[i] == '-' ? '_' : name.p[i];
		char b = want[i] == '-' ? '_' : want[i];

		if (a != b)
			return false;
	}
	return true;
}

bool char_is_shown(uint32_t c)
{
	return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !(c >= 0x2028 && c <= 0x202e) &&
	       !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff && (c | 1) != 0xffff;
}

bool char_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct text text_trim(struct text t)
{
	while (t.n > 0 && char_is_blank(t.p[0])) {
		t.p++;
		t.n--;
	}
	while (t.n > 0 && char_is_blank(t.p[t.n - 1]))
		t.n--;
	return t;
}

bool text_cut(struct text *rest, char separator, struct text *ret_part)
{
	const char *hit;

	if (!rest->p)
		return false;
	hit = rest->n > 0 ? memchr(rest->p, separator, rest->n) : NULL;
	if (!hit) {
		*ret_part = *rest;
		*rest = (struct text){NULL, 0};
		return true;
	}
	*ret_part = (struct text){rest->p, (size_t)(hit - rest->p)};
	rest->n -= ret_part->n + 1;
	rest->p = hit + 1;
	return true;
}

bool text_word(struct text *rest, struct text *ret_word)
{
	struct text t = text_trim(*rest);
	size_t n = 0;

	if (t.n == 0)
		return false;
	while (n < t.n && !char_is_blank(t.p[n]))
		n++;
	*ret_word = (struct text){t.p, n};
	*rest = (struct text){t.p + n, t.n - n};
	return true;
}

size_t text_character(struct text t, uint32_t *ret)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} forms[] = {{0x80, 0x00, 0},
		     {0xe0, 0xc0, 0x80},
		     {0xf0, 0xe0, 0x800},
		     {0xf8, 0xf0, 0x10000}};

	for (size_t n = 1; n <= ARRAY_SIZE(forms) && n <= t.n; n++) {
		uint8_t first = (uint8_t)t.p[0];
		uint32_t c = first & (uint8_t)~forms[n - 1].mask;

		if ((first & forms[n - 1].mask) != forms[n - 1].lead)
			continue;
		for (size_t i = 1; i < n; i++) {
			if (((uint8_t)t.p[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | ((uint8_t)t.p[i] & 0x3f);
		}
		if (c < forms[n - 1].least || c > 0x10ffff ||
		    (c >= 0xd800 && c <= 0xdfff))
			return 0;
		*ret = c;
		return n;
	}
	return 0;
}

bool char_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (unsigned char)c == 0xa0;
}

int char_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int number(struct text t, unsigned base, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (t.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < t.n; i++) {
		int digit = char_hex(t.p[i]);

		if (digit < 0 || (unsigned)digit >= base)
			return -EINVAL;
		if ((unsigned)digit > max || value > (max - (unsigned)digit) / base)
			return -ERANGE;
		value = value * base + (unsigned)digit;
	}
	*ret = value;
	return 0;
}

int text_decimal(struct text t, uint64_t max, uint64_t *ret)
{
	return number(t, 10, max, ret);
}

int text_hex(struct text t, uint64_t max, uint64_t *ret)
{
	return number(t, 16, max, ret);
}

const char *errno_text(int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{EINVAL, "invalid argument (EINVAL)"},
		{ENODEV, "no such device (ENODEV)"},
		{ENOENT, "no such file (ENOENT)"},
		{EBUSY, "busy (EBUSY)"},
		{EAGAIN, "try again (EAGAIN)"},
		{EIO, "input/output error (EIO)"},
		{ENOMEM, "out of memory (ENOMEM)"},
		{ENOSPC, "no space left (ENOSPC)"},
		{EPERM, "not permitted (EPERM)"},
		{EACCES, "permission denied (EACCES)"},
		{EROFS, "read-only (EROFS)"},
		{ENOEXEC, "not a module for this kernel (ENOEXEC)"},
		{EKEYREJECTED, "its signature was rejected (EKEYREJECTED)"},
		{ENOKEY, "it is not signed with a known key (ENOKEY)"},
		{EBADMSG, "damaged (EBADMSG)"},
		{ENOSYS, "not supported (ENOSYS)"},
		{ETIMEDOUT, "timed out (ETIMEDOUT)"},
		{EEXIST, "exists already (EEXIST)"},
		{EISDIR, "it is a directory (EISDIR)"},
		{ENOTDIR, "it is no directory (ENOTDIR)"},
		{ENAMETOOLONG, "its name is too long (ENAMETOOLONG)"},
		{E2BIG, "too large (E2BIG)"},
		{EPIPE, "it was killed before it was done (EPIPE)"},
		{EMFILE, "too many open files (EMFILE)"},
		{EFBIG, "the file may not grow (EFBIG)"},
		{ENXIO, "nobody reads there (ENXIO)"},
	};

	if (error < 0)
		error = -error;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].error == error)
			return texts[i].text;
	return strerror(error);
}
