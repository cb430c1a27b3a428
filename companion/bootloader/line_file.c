/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "line_file.h"

#include <string.h>

#include "cmdline_words.h"

static struct text skip(struct text t, size_t n)
{
	return (struct text){t.p + n, t.n - n};
}

/*
 * @key, and behind it a blank or one of @separators. Of those that are no blank only the first is
 * one: a value may begin with another.
 */
static bool has_key(struct text *t, const char *key, const char *separators)
{
	size_t n = strlen(key), i = n;
	bool has_sign = false;

	if (t->n <= n || strncasecmp(t->p, key, n) != 0)
		return false;
	while (i < t->n && t->p[i] != '\0' && strchr(separators, t->p[i])) {
		bool is_blank = t->p[i] == ' ' || t->p[i] == '\t';

		if (!is_blank && has_sign)
			break;
		has_sign |= !is_blank;
		i++;
	}
	if (i == n)
		return false;
	*t = skip(*t, i);
	return true;
}

/* Behind the first string in quotes, what is in the second. */
static bool take_second(struct text *t)
{
	struct text string = {NULL, 0};

	for (int i = 0; i < 2; i++) {
		const char *open = t->n > 0 ? memchr(t->p, '"', t->n) : NULL, *close;

		if (!open || (i == 0 && open != t->p))
			return false;
		*t = skip(*t, (size_t)(open + 1 - t->p));
		close = t->n > 0 ? memchr(t->p, '"', t->n) : NULL;
		if (!close)
			return false;
		string = (struct text){t->p, (size_t)(close - t->p)};
		*t = skip(*t, string.n + 1);
	}
	*t = string;
	return true;
}

/* What is in the quotes at its start. A quote that is written twice ends no string: not taken. */
static bool take_string(struct text *t)
{
	const char *close;

	if (t->n < 2 || t->p[0] != '"')
		return false;
	*t = skip(*t, 1);
	close = memchr(t->p, '"', t->n);
	if (!close || (close + 1 < t->p + t->n && close[1] == '"'))
		return false;
	t->n = (size_t)(close - t->p);
	return true;
}

/* Quotes around all of it are no part of it, nor are the blanks beside them. */
static void take_quotes(struct text *t)
{
	char quote = t->n > 1 ? t->p[0] : '\0';

	if ((quote == '"' || quote == '\'') &&
	    memchr(t->p + 1, quote, t->n - 1) == t->p + t->n - 1)
		*t = text_trim((struct text){t->p + 1, t->n - 2});
}

/* The command line in a line without its blanks, if there is one. */
static bool take_line(enum line_form form, struct text *t)
{
	switch (form) {
	case LINE_PLAIN:
		return t->n > 0;
	case LINE_APPEND:
		return has_key(t, "append", " \t");
	case LINE_LIMINE:
		return has_key(t, "cmdline", " \t:=") ||
		       has_key(t, "kernel_cmdline", " \t:=");
	case LINE_REFIND:
		return take_second(t);
	case LINE_STANZA:
		return has_key(t, "options", " \t") && take_string(t);
	case LINE_UKIFY:
		return has_key(t, "cmdline", " \t:=");
	}
	return false;
}

bool line_next(enum line_form form, struct text *rest, struct text *ret)
{
	struct text line;

	while (rest->n > 0 && text_cut(rest, '\n', &line)) {
		struct text t = text_trim(line);

		if (t.n == 0 || !take_line(form, &t))
			continue;
		*ret = text_trim(t);
		/* A value goes on in lines that begin with a blank. */
		while (form == LINE_UKIFY && rest->n > 0 &&
		       (rest->p[0] == ' ' || rest->p[0] == '\t') &&
		       text_cut(rest, '\n', &line)) {
			t = text_trim(line);
			if (t.n > 0)
				ret->n = (size_t)(t.p + t.n - ret->p);
		}
		if (form == LINE_UKIFY)
			take_quotes(ret);
		if (form == LINE_PLAIN)
			*rest = (struct text){rest->p ? rest->p : line.p + line.n, 0};
		return true;
	}
	return false;
}

static bool has_word(struct text words, struct text word)
{
	struct text other;

	while (words_next(&words, &other))
		if (text_is_same(word, other))
			return true;
	return false;
}

bool line_has_booted(struct text line, struct text running, struct text ours)
{
	struct text rest = line, word;
	size_t count = 0;

	while (words_next(&rest, &word)) {
		if (has_word(running, word))
			count++;
		else if (!has_word(ours, word))
			return false;
	}
	return count > 0;
}

bool line_is_linux(enum line_form form, struct text line)
{
	struct text rest = line, word;

	if (form == LINE_PLAIN || form == LINE_UKIFY)
		return true;
	while (words_next(&rest, &word))
		if (text_has_prefix(word, "root=") || text_has_prefix(word, "initrd="))
			return true;
	return false;
}

static const char *add_all(struct text line, struct text words, bool is_replaced,
			   struct arena *arena)
{
	const char *text = arena_copy(arena, line);
	struct text word, other;

	while (text && words_next(&words, &word))
		if (words_find(text_of(text), word, &other) != 1)
			text = words_add(text_of(text), word, is_replaced, arena);
	return text;
}

static const char *remove_all(struct text line, struct text words, struct arena *arena)
{
	const char *text = arena_copy(arena, line);
	struct text word;

	while (text && words_next(&words, &word))
		text = words_remove(text_of(text), word, arena);
	return text;
}

static void put(struct text_buffer *out, struct text t)
{
	/* No file of this kind has a byte of zero; what is behind one is not kept. */
	text_add(out, "%.*s", (int)t.n, t.n > 0 ? t.p : "");
}

static const char *edit(enum line_form form, struct text bytes, struct text words,
			bool is_added, bool is_replaced, struct arena *arena)
{
	struct text_buffer out = {.arena = arena};
	struct text rest = bytes, line;
	const char *done = bytes.p, *text;

	while (line_next(form, &rest, &line)) {
		if (!line_is_linux(form, line))
			continue;
		text = is_added ? add_all(line, words, is_replaced, arena)
				: remove_all(line, words, arena);
		if (!text)
			return NULL;
		put(&out, (struct text){done, (size_t)(line.p - done)});
		put(&out, text_trim(text_of(text)));
		done = line.p + line.n;
	}
	if (bytes.n > 0)
		put(&out, (struct text){done, (size_t)(bytes.p + bytes.n - done)});
	return out.is_full ? NULL : out.buf ? out.buf : "";
}

const char *line_file_add(enum line_form form, struct text bytes, struct text words,
			  bool is_replaced, struct arena *arena)
{
	return edit(form, bytes, words, true, is_replaced, arena);
}

const char *line_file_remove(enum line_form form, struct text bytes, struct text words,
			     struct arena *arena)
{
	return edit(form, bytes, words, false, false, arena);
}
