/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grub.h"

#include <errno.h>
#include <string.h>

#include "cmdline_words.h"

#define LINE	     "GRUB_CMDLINE_LINUX"
#define LINE_DEFAULT "GRUB_CMDLINE_LINUX_DEFAULT"
#define VALUE_MAX    ((size_t)16 * 1024)

struct reader {
	struct grub_settings *g;
	const char *p, *end;
	unsigned line;
	unsigned start; /* the line where what does not end begins */
	char *value;
	size_t n;
	bool is_strange; /* something in the value is not understood */
};

void grub_init(struct grub_settings *g, struct arena *arena)
{
	*g = (struct grub_settings){.arena = arena, .line = "", .line_default = ""};
}

static const char **variable(struct grub_settings *g, struct text name)
{
	if (text_is(name, LINE))
		return &g->line;
	return text_is(name, LINE_DEFAULT) ? &g->line_default : NULL;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

static void put(struct reader *r, const char *p, size_t n)
{
	if (n > VALUE_MAX - r->n) {
		r->is_strange = true;
		return;
	}
	memcpy(r->value + r->n, p, n);
	r->n += n;
}

static char take(struct reader *r)
{
	r->line += *r->p == '\n';
	return *r->p++;
}

/* Up to the end of "$(" or "`": what is in it is a program's matter. */
static int skip_command(struct reader *r, char close)
{
	unsigned depth = 1;

	r->is_strange = true;
	while (r->p < r->end) {
		char c = take(r);

		if (c == '\\' && r->p < r->end)
			(void)take(r);
		else if (close == ')' && c == '(')
			depth++;
		else if (c == close && --depth == 0)
			return 0;
	}
	return -EINVAL;
}

/* Behind a '$'. */
static int read_dollar(struct reader *r)
{
	bool is_braced = r->p < r->end && *r->p == '{';
	const char **known;
	struct text name;

	if (r->p < r->end && *r->p == '(') {
		r->p++;
		return skip_command(r, ')');
	}
	name.p = r->p + is_braced;
	for (name.n = 0; name.p + name.n < r->end && is_name(name.p[name.n]);)
		name.n++;
	known = variable(r->g, name);
	r->p = name.p + name.n;
	if (is_braced) {
		if (r->p >= r->end || *r->p != '}')
			known = NULL;
		while (r->p < r->end && *r->p != '}')
			(void)take(r);
		if (r->p >= r->end)
			return -EINVAL;
		r->p++;
	}
	if (known)
		put(r, *known, strlen(*known));
	else
		r->is_strange = true;
	return 0;
}

static int read_quoted(struct reader *r, char quote)
{
	r->start = r->line;
	while (r->p < r->end) {
		char c = take(r);
		int e = 0;

		if (c == quote)
			return 0;
		if (quote == '"' && c == '$') {
			e = read_dollar(r);
		} else if (quote == '"' && c == '`') {
			e = skip_command(r, '`');
		} else if (quote == '"' && c == '\\' && r->p < r->end &&
			   strchr("$`\"\\\n", *r->p)) {
			c = take(r);
			if (c != '\n')
				put(r, &c, 1);
		} else {
			put(r, &c, 1);
		}
		if (e < 0)
			return e;
	}
	return -EINVAL;
}

/* One word, from the first character of a value to the blank behind it. */
static int read_word(struct reader *r)
{
	int e = 0;

	while (r->p < r->end && e == 0 && !strchr(" \t\r\n;&|<>()", *r->p)) {
		char c = take(r);

		if (c == '\'' || c == '"') {
			e = read_quoted(r, c);
		} else if (c == '$') {
			r->start = r->line;
			e = read_dollar(r);
		} else if (c == '`') {
			r->start = r->line;
			e = skip_command(r, '`');
		} else if (c == '\\' && r->p < r->end) {
			c = take(r);
			if (c != '\n')
				put(r, &c, 1);
		} else {
			put(r, &c, 1);
		}
	}
	return e;
}

/* Up to the end of the line, over quotes. Tells whether there was more than a comment. */
static int skip_line(struct reader *r, bool *ret_more)
{
	*ret_more = false;
	while (r->p < r->end) {
		int e = 0;

		while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\r'))
			r->p++;
		if (r->p < r->end && *r->p == '#')
			while (r->p < r->end && *r->p != '\n')
				r->p++;
		if (r->p >= r->end)
			break;
		if (*r->p == '\n') {
			(void)take(r);
			break;
		}
		*ret_more = true;
		r->n = 0;
		if (strchr(";&|<>()", *r->p))
			r->p++;
		else
			e = read_word(r);
		if (e < 0)
			return e;
	}
	return 0;
}

/* Whether a word of this text is one of the two variables. */
static bool names_one(struct grub_settings *g, const char *from, const char *to)
{
	while (from < to) {
		struct text name = {from, 0};

		while (from < to && is_name(*from))
			from++;
		name.n = (size_t)(from - name.p);
		if (variable(g, name))
			return true;
		from += name.n == 0;
	}
	return false;
}

static void doubt(struct reader *r, const char *file, unsigned line)
{
	if (r->g->doubt_file)
		return;
	r->g->doubt_file = file;
	r->g->doubt_line = line;
}

/* NAME=VALUE. */
static int read_line(struct reader *r, const char *file)
{
	const char *from = r->p, **known;
	unsigned line = r->line;
	bool is_added, has_more;
	struct text name, text;
	const char *copy;
	int e;

	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t'))
		r->p++;
	if ((size_t)(r->end - r->p) > sizeof("export ") - 1 &&
	    memcmp(r->p, "export ", sizeof("export ") - 1) == 0)
		r->p += sizeof("export ") - 1;
	name.p = r->p;
	for (name.n = 0; name.p + name.n < r->end && is_name(name.p[name.n]);)
		name.n++;
	r->p += name.n;
	is_added = r->end - r->p >= 2 && r->p[0] == '+' && r->p[1] == '=';
	known = variable(r->g, name);
	if (!known || (!is_added && (r->p >= r->end || *r->p != '='))) {
		r->p = name.p;
		e = skip_line(r, &has_more);
		/* A comment may name them, and $GRUB_CMDLINE_LINUX sets nothing. */
		while (from < r->p && (*from == ' ' || *from == '\t'))
			from++;
		if (e == 0 && from < r->p && *from != '#' && has_more &&
		    names_one(r->g, from, r->p))
			doubt(r, file, line);
		return e;
	}
	r->p += is_added ? 2 : 1;
	r->n = 0;
	r->is_strange = false;
	if (is_added)
		put(r, *known, strlen(*known));
	e = read_word(r);
	if (e < 0)
		return e;
	text = (struct text){r->value, r->n};
	copy = arena_copy(r->g->arena, text);
	if (!copy)
		return -ENOMEM;
	e = skip_line(r, &has_more);
	if (e < 0)
		return e;
	if (r->is_strange || has_more)
		doubt(r, file, line);
	*known = copy;
	return 0;
}

int grub_parse(struct grub_settings *g, const char *file, struct text bytes,
	       unsigned *ret_line)
{
	struct reader r = {
		.g = g,
		.p = bytes.p,
		.end = bytes.n > 0 ? bytes.p + bytes.n : bytes.p,
		.line = 1,
		.value = arena_alloc(g->arena, VALUE_MAX, 1),
	};

	if (!r.value)
		return -ENOMEM;
	while (r.p < r.end) {
		int e = read_line(&r, file);

		if (e < 0) {
			*ret_line = r.start > 0 ? r.start : r.line;
			return e;
		}
	}
	return 0;
}

/* ---- what is written ----------------------------------------------------------------------- */

/* Characters that mean nothing to GRUB's language (its manual, "Quoting"). */
static bool is_plain(struct text word)
{
	for (size_t i = 0; i < word.n; i++)
		if (!is_name(word.p[i]) && !strchr("._,=:/+@%-", word.p[i]))
			return false;
	return true;
}

static const char *quote(const char *words, struct arena *arena)
{
	struct text rest = text_of(words), word;
	const char *out = "";

	while (out && words_next(&rest, &word))
		out = arena_printf(arena, is_plain(word) ? "%s %.*s" : "%s '%.*s'", out,
				   (int)word.n, word.p);
	return out;
}

const char *grub_unquote(const char *words, struct arena *arena)
{
	char *copy = arena_copy(arena, text_trim(text_of(words)));
	size_t n = 0;

	/* No parameter has such a quote of its own: words_check(). */
	for (const char *p = copy; p && *p; p++)
		if (*p != '\'')
			copy[n++] = *p;
	if (copy)
		copy[n] = '\0';
	return copy;
}

const char *grub_line(const char *variable, const char *words, struct arena *arena)
{
	const char *quoted = quote(words, arena);

	return quoted ? arena_printf(arena, "%s=\"$%s%s\"", variable, variable, quoted)
		      : NULL;
}

const char *grub_drop_in(const char *words, const char *last, struct arena *arena)
{
	const char *line = grub_line(LINE, words, arena);
	const char *behind = *last ? grub_line(LINE_DEFAULT, last, arena) : "";

	if (!line || !behind)
		return NULL;
	return arena_printf(arena,
			    "# Written by earlybind cmdline --set.\n"
			    "# earlybind cmdline --remove takes it away.\n%s\n%s%s",
			    line, behind, *behind ? "\n" : "");
}

const char *grub_without_lines(struct text bytes, struct arena *arena,
			       const char **ret_taken)
{
	char *buf = arena_alloc(arena, bytes.n + 1, 1), *taken;
	const size_t mark = sizeof(GRUB_MARK) - 1;
	size_t n = 0, taken_n = 0;

	taken = arena_alloc(arena, bytes.n + 1, 1);
	if (!buf || !taken)
		return NULL;
	while (bytes.n > 0) {
		const char *stop = memchr(bytes.p, '\n', bytes.n);
		size_t whole = stop ? (size_t)(stop - bytes.p) + 1 : bytes.n;
		size_t length = stop ? whole - 1 : whole;
		struct text line = {bytes.p, length};

		if (length > mark && text_has_prefix(line, LINE) &&
		    memcmp(line.p + length - mark, GRUB_MARK, mark) == 0) {
			memcpy(taken + taken_n, line.p, whole);
			taken_n += whole;
		} else {
			memcpy(buf + n, line.p, whole);
			n += whole;
		}
		bytes.p += whole;
		bytes.n -= whole;
	}
	*ret_taken = taken;
	return buf;
}
