/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grub.h"

#include <errno.h>
#include <string.h>

#include "cmdline_words.h"

#define LINE	     "GRUB_CMDLINE_LINUX"
#define LINE_DEFAULT "GRUB_CMDLINE_LINUX_DEFAULT"

int grub_shell(struct shell *shell, struct arena *arena, enum shell_dialect dialect)
{
	/* grub-mkconfig starts without them. */
	static const char *const variables[] = {
		LINE,
		LINE_DEFAULT,
		"GRUB_CMDLINE_LINUX_RECOVERY",
		"GRUB_CMDLINE_LINUX_XEN_REPLACE",
		"GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT",
		"GRUB_CMDLINE_XEN",
		"GRUB_CMDLINE_XEN_DEFAULT",
	};
	int r = 0;

	shell_init(shell, arena, dialect);
	for (size_t i = 0; i < ARRAY_SIZE(variables) && r == 0; i++)
		r = shell_define(shell, variables[i], "");
	return r;
}

int grub_init(struct grub_settings *g, struct arena *arena, enum shell_dialect dialect)
{
	*g = (struct grub_settings){.line = "", .line_default = ""};
	return grub_shell(&g->shell, arena, dialect);
}

static const char **variable(struct grub_settings *g, struct text name)
{
	if (text_is(name, LINE))
		return &g->line;
	return text_is(name, LINE_DEFAULT) ? &g->line_default : NULL;
}

static void doubt(struct grub_settings *g, const char *file, struct shell_place place,
		  const char *why)
{
	if (g->doubt_file)
		return;
	g->doubt_file = file;
	g->doubt_place = place;
	g->doubt_why = why;
}

static const char *join(const char *before, struct text added, struct arena *arena)
{
	return arena_printf(arena, "%s%.*s", before, (int)added.n,
			    added.p ? added.p : "");
}

int grub_parse(struct grub_settings *g, const char *file, struct text bytes)
{
	bool was_lost = g->shell.lost;
	struct shell_assignment *a;
	int r = shell_read(&g->shell, bytes, &a);

	for (; r == 0 && a; a = a->next) {
		const char **known = variable(g, a->name);

		if (known && a->why)
			doubt(g, file, a->why_place, a->why);
		else if (known)
			*known = a->is_addition ? join(*known, a->value, g->shell.arena)
						: a->value.p;
		if (known && !*known)
			return -ENOMEM;
	}
	if (r < 0 || was_lost || !g->shell.lost)
		return r;
	doubt(g, file, g->shell.lost_place, g->shell.lost);
	return g->shell.is_endless ? -EINVAL : 0;
}

/* ---- what is written ----------------------------------------------------------------------- */

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

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
	struct text_buffer b = {.arena = arena};
	struct text rest = text_of(words), word;

	text_add(&b, "%s", "");
	while (words_next(&rest, &word))
		text_add(&b, is_plain(word) ? " %.*s" : " '%.*s'", (int)word.n, word.p);
	return b.is_full ? NULL : b.buf;
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
