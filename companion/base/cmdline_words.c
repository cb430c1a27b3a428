/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmdline_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Those that count each time they are given. */
static const char *const adding[] = {
	"rd.earlybind.bind",
	"rd.earlybind.profile",
	"console",
	"earlycon",
	"video",
	"rd.driver.pre",
	"rd.driver.blacklist",
	"modprobe.blacklist",
	"module_blacklist",
	"rd.break",
};

bool words_next(struct text *rest, struct text *ret_word)
{
	bool is_quoted = false;
	size_t n = 0;

	while (rest->n > 0 && (char_is_blank(rest->p[0]) || rest->p[0] == '\0')) {
		rest->p++;
		rest->n--;
	}
	if (rest->n == 0)
		return false;
	while (n < rest->n && (is_quoted || !char_is_blank(rest->p[n])))
		is_quoted ^= rest->p[n++] == '"';
	*ret_word = (struct text){rest->p, n};
	rest->p += n;
	rest->n -= n;
	return true;
}

/* What stands before the first '='. */
static struct text word_name(struct text word)
{
	const char *end = word.n > 0 ? memchr(word.p, '=', word.n) : NULL;

	return end ? (struct text){word.p, (size_t)(end - word.p)} : word;
}

static char folded(char c)
{
	return c == '-' ? '_' : c;
}

/* As for the kernel, '-' and '_' are the same. */
static bool is_same_name(struct text a, struct text b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (folded(a.p[i]) != folded(b.p[i]))
			return false;
	return true;
}

static struct text value_of(struct text word)
{
	struct text name = word_name(word);

	return name.n == word.n ? (struct text){"", 0}
				: (struct text){name.p + name.n + 1, word.n - name.n - 1};
}

/* Whether a list of values by commas has @want. */
static bool has_value(struct text list, struct text want)
{
	struct text part;

	while (text_cut(&list, ',', &part))
		if (text_is_same(part, want))
			return true;
	return false;
}

int words_find(struct text line, struct text param, struct text *ret_other)
{
	struct text name = word_name(param), word, last = {NULL, 0};
	bool is_adding = false, has_it = false;

	for (size_t i = 0; i < ARRAY_SIZE(adding); i++)
		is_adding = is_adding || text_is_param(name, adding[i]);
	while (words_next(&line, &word) && !text_is(word, "--"))
		if (is_same_name(word_name(word), name)) {
			has_it = has_it || text_is_same(value_of(word), value_of(param));
			last = word;
		}
	if (is_adding || !last.p)
		return has_it;
	if (text_is_same(value_of(last), value_of(param)) ||
	    has_value(value_of(last), value_of(param)))
		return 1;
	*ret_other = last;
	return -EEXIST;
}

/* Where the words of the kernel end: what stands behind "--" is for init. */
static size_t end_of_words(struct text line)
{
	struct text rest = line, word;
	size_t end = 0;

	while (words_next(&rest, &word) && !text_is(word, "--"))
		end = (size_t)(word.p + word.n - line.p);
	return end;
}

const char *words_add(struct text line, struct text param, bool is_replaced,
		      struct arena *arena)
{
	char *buf = arena_alloc(arena, line.n + param.n + 2, 1);
	struct text rest = line, word;
	size_t n = 0, at = 0, end = end_of_words(line);
	bool is_done = false;

	if (!buf)
		return NULL;
	while (words_next(&rest, &word)) {
		size_t from = (size_t)(word.p - line.p);

		if (from >= end)
			break;
		if (!is_replaced || !is_same_name(word_name(word), word_name(param)))
			continue;
		/* The first of them is replaced, others go with the blanks in front. */
		memcpy(buf + n, line.p + at, from - at);
		n += from - at;
		if (!is_done) {
			memcpy(buf + n, param.p, param.n);
			n += param.n;
		} else {
			while (n > 0 && char_is_blank(buf[n - 1]))
				n--;
		}
		is_done = true;
		at = from + word.n;
	}
	if (end > at) {
		memcpy(buf + n, line.p + at, end - at);
		n += end - at;
		at = end;
	}
	if (!is_done) {
		if (n > 0)
			buf[n++] = ' ';
		memcpy(buf + n, param.p, param.n);
		n += param.n;
		if (end == 0 && line.n > 0 && !char_is_blank(line.p[0]))
			buf[n++] = ' ';
	}
	memcpy(buf + n, line.p + at, line.n - at);
	buf[n + line.n - at] = '\0';
	return buf;
}

/*
 * The length of @buf, which has @n bytes, once a line is gone of which nothing is left there and in
 * @rest: for ukify's settings an empty one would end the value.
 */
static size_t length_without_line(const char *buf, size_t n, struct text rest)
{
	size_t start = n;

	while (start > 0 && (buf[start - 1] == ' ' || buf[start - 1] == '\t'))
		start--;
	while (rest.n > 0 && (rest.p[0] == ' ' || rest.p[0] == '\t'))
		rest = (struct text){rest.p + 1, rest.n - 1};
	return start > 0 && buf[start - 1] == '\n' && (rest.n == 0 || rest.p[0] == '\n')
		       ? start - 1
		       : n;
}

const char *words_remove(struct text line, struct text param, struct arena *arena)
{
	char *buf = arena_alloc(arena, line.n + 1, 1);
	struct text rest = line, word;
	size_t n = 0, at = 0;

	if (!buf)
		return NULL;
	while (words_next(&rest, &word)) {
		size_t from = (size_t)(word.p - line.p);

		if (!text_is_same(word, param))
			continue;
		memcpy(buf + n, line.p + at, from - at);
		n += from - at;
		at = from + word.n;
		/* One blank goes with it. */
		if (n > 0 && char_is_blank(buf[n - 1]) && buf[n - 1] != '\n')
			n--;
		else if (at < line.n && (line.p[at] == ' ' || line.p[at] == '\t'))
			at++;
		n = length_without_line(buf, n, (struct text){line.p + at, line.n - at});
	}
	memcpy(buf + n, line.p + at, line.n - at);
	buf[n + line.n - at] = '\0';
	return buf;
}

const char *words_check(struct text param)
{
	if (word_name(param).n == 0)
		return "it has no name";
	if (param.p[0] == '-')
		return "it looks like an option of a program";
	for (size_t i = 0; i < param.n; i++) {
		char c = param.p[i];

		if (c <= ' ' || c >= 0x7f)
			return "it has a blank, or a character that is not ASCII";
		if (strchr("\"'$`\\!#", c))
			return "it has a character that shells and boot loaders take for "
			       "something else: \" ' $ ` \\ ! or #";
	}
	return NULL;
}
