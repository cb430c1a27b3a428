/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader_files.h"

#include <errno.h>
#include <string.h>

#include "arena.h"
#include "boot_entries.h"
#include "cmdline_words.h"
#include "compiler.h"
#include "shell_assign.h"
#include "text.h"

/* ---- command lines as they stand -------------------------------------------------------- */

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

/* ---- GRUB's settings -------------------------------------------------------------------- */

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

/* ---- GRUB's settings: what is written --------------------------------------------------- */

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

/* ---- the menu entry without earlybind --------------------------------------------------- */

#define SUFFIX	 " (without earlybind)"
#define SORT_KEY "zz-earlybind"

const char menu_grub_script[] =
	"#!/bin/sh\n"
	"# Written by earlybind cmdline --menu-entry.\n"
	"# earlybind cmdline --remove takes it away.\n"
	"# The first entry of 10_linux once more, for a boot without earlybind.\n"
	"[ -x /etc/grub.d/10_linux ] || exit 0\n"
	"GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " MENU_PARAMETER "\"\n"
	"export GRUB_CMDLINE_LINUX\n"
	"/etc/grub.d/10_linux 2>/dev/null | awk '\n"
	"!is_done && !is_in && /^[ \\t]*menuentry / {\n"
	"  is_in = 1\n"
	"  sub(/\\047 --class/, \"" SUFFIX "\\047 --class\")\n"
	"  sub(/menuentry_id_option \\047[^\\047]*\\047/,\n"
	"    \"menuentry_id_option \\047earlybind-off\\047\")\n"
	"}\n"
	"is_in { print }\n"
	"is_in && /^[ \\t]*}[ \\t]*$/ { is_in = 0; is_done = 1 }'\n"
	"exit 0\n";

struct text menu_entry_version(struct text entry)
{
	struct text line, key, value;

	while (text_cut(&entry, '\n', &line))
		if (boot_entry_line(line, &key, &value) && text_is(key, "version"))
			return value;
	return (struct text){"", 0};
}

const char *menu_entry_options(struct text entry, struct arena *arena)
{
	char *buf = arena_alloc(arena, entry.n + 1, 1);
	struct text line, key, value;
	size_t n = 0;

	if (!buf)
		return NULL;
	while (text_cut(&entry, '\n', &line)) {
		if (!boot_entry_line(line, &key, &value) || !text_is(key, "options"))
			continue;
		if (n > 0)
			buf[n++] = ' ';
		memcpy(buf + n, value.p, value.n);
		n += value.n;
	}
	buf[n] = '\0';
	return buf;
}

static bool can_boot(struct text entry)
{
	struct text line, key, value;

	while (text_cut(&entry, '\n', &line))
		if (boot_entry_line(line, &key, &value) &&
		    (text_is(key, "linux") || text_is(key, "efi") || text_is(key, "uki")))
			return true;
	return false;
}

static void put_copy(struct text_buffer *out, struct text entry)
{
	struct text line, key, value;
	bool has_title = false, has_options = false;

	while (text_cut(&entry, '\n', &line)) {
		if (line.n == 0 && !entry.p)
			break;
		if (boot_entry_line(line, &key, &value) && text_is(key, "sort-key")) {
			put(out, TEXT("sort-key " SORT_KEY "\n"));
			continue;
		}
		while (line.n > 0 && char_is_blank(line.p[line.n - 1]))
			line.n--;
		put(out, line);
		if (boot_entry_line(line, &key, &value) && !has_title &&
		    text_is(key, "title")) {
			put(out, TEXT(SUFFIX));
			has_title = true;
		} else if (boot_entry_line(line, &key, &value) && !has_options &&
			   text_is(key, "options")) {
			/* Several such lines are joined: the order does not matter. */
			put(out, TEXT(" " MENU_PARAMETER));
			has_options = true;
		}
		put(out, TEXT("\n"));
	}
	if (!has_title)
		put(out, TEXT("title Linux" SUFFIX "\n"));
	if (!has_options)
		put(out, TEXT("options " MENU_PARAMETER "\n"));
}

const char *menu_entry_copy(struct text entry, struct arena *arena)
{
	struct text_buffer out = {.arena = arena};

	if (!can_boot(entry))
		return NULL;
	put_copy(&out, entry);
	return out.is_full ? NULL : out.buf;
}
