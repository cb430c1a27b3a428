/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that a shell reads as assignments: GRUB's settings, dracut.conf, mkinitcpio.conf. */
#include "recipe_parse.h"

#include <string.h>

struct scan {
	struct text in;
	size_t at;
	unsigned line;
	char *out; /* NULL: only counts */
	size_t used;
};

static void put(struct scan *s, char c)
{
	if (s->out)
		s->out[s->used] = c;
	s->used++;
}

static char peek(const struct scan *s)
{
	return s->at < s->in.n ? s->in.p[s->at] : '\0';
}

static char take(struct scan *s)
{
	char c = s->in.p[s->at++];

	s->line += c == '\n';
	return c;
}

static bool is_at_end(const struct scan *s)
{
	return s->at >= s->in.n;
}

/* Behind a backslash; @in_quotes: "\n" inside double quotes keeps its backslash. */
static void scan_escape(struct scan *s, bool in_quotes)
{
	char c;

	if (is_at_end(s))
		return;
	c = take(s);
	if (c == '\n')
		return;
	if (in_quotes && !strchr("\"\\$`", c))
		put(s, '\\');
	put(s, c);
}

static void scan_quotes(struct scan *s, char quote)
{
	while (!is_at_end(s)) {
		char c = take(s);

		if (c == quote)
			return;
		if (c == '\\' && quote == '"')
			scan_escape(s, true);
		else
			put(s, c == '\n' ? ' ' : c);
	}
}

/* One word, up to a blank or what ends a command. */
static void scan_word(struct scan *s, const char *stops)
{
	while (!is_at_end(s) && !strchr(stops, peek(s))) {
		char c = take(s);

		if (c == '"' || c == '\'')
			scan_quotes(s, c);
		else if (c == '\\')
			scan_escape(s, false);
		else
			put(s, c);
	}
}

static void skip_line(struct scan *s)
{
	while (!is_at_end(s) && peek(s) != '\n')
		(void)take(s);
}

/* (a "b c" # comment) */
static void scan_array(struct scan *s)
{
	while (!is_at_end(s) && peek(s) != ')') {
		if (char_is_blank(peek(s))) {
			(void)take(s);
		} else if (peek(s) == '#') {
			skip_line(s);
		} else {
			size_t before = s->at;

			scan_word(s, " \t\r\n)");
			put(s, ' ');
			if (s->at == before)
				(void)take(s);
		}
	}
	if (!is_at_end(s))
		(void)take(s);
}

static void scan_value(struct scan *s)
{
	if (peek(s) == '(') {
		(void)take(s);
		scan_array(s);
	} else {
		scan_word(s, " \t\r\n;&|)");
	}
}

static bool is_name_char(char c, bool is_first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!is_first && c >= '0' && c <= '9');
}

/* NAME= or NAME+= at the start of a line, perhaps behind "export". */
static bool scan_name(struct scan *s, struct assignment *ret)
{
	static const char export[] = "export ";
	struct text left = {s->in.p + s->at, s->in.n - s->at};
	size_t start;

	if (text_has_prefix(left, export))
		s->at += sizeof(export) - 1;
	start = s->at;
	while (is_name_char(peek(s), s->at == start))
		s->at++;
	ret->name = (struct text){s->in.p + start, s->at - start};
	ret->is_addition = peek(s) == '+';
	s->at += ret->is_addition;
	if (ret->name.n == 0 || peek(s) != '=')
		return false;
	s->at++;
	return true;
}

static bool take_value(struct recipes *recipes, struct scan *s, struct assignment *ret)
{
	struct scan count = *s;

	scan_value(&count);
	s->out = arena_alloc(recipes->arena, count.used + 1, 1);
	if (!s->out) {
		recipes->is_cut = true;
		return false;
	}
	s->used = 0;
	scan_value(s);
	ret->value = (struct text){s->out, s->used};
	s->out = NULL;
	ret->has_outer_blanks = ret->value.n >= 2 && char_is_blank(ret->value.p[0]) &&
				char_is_blank(ret->value.p[ret->value.n - 1]);
	return true;
}

bool shell_assignment(struct recipes *recipes, struct text *rest, unsigned *line,
		      struct assignment *ret)
{
	struct scan s = {.in = *rest, .line = *line};
	bool is_found = false;

	while (!is_found && !is_at_end(&s)) {
		while (char_is_blank(peek(&s)) && !is_at_end(&s))
			(void)take(&s);
		*ret = (struct assignment){.line = s.line};
		if (scan_name(&s, ret))
			is_found = take_value(recipes, &s, ret);
		/* What follows on the line does not count, nor lines of any other kind. */
		if (!is_found || peek(&s) != ';')
			skip_line(&s);
		else
			(void)take(&s);
	}
	*rest = (struct text){s.in.p + s.at, s.in.n - s.at};
	*line = s.line;
	return is_found;
}

/* Whether the value of a variable goes on with what the variable was before. */
static bool has_itself(const struct assignment *a)
{
	const char *p = a->value.p, *end = p + a->value.n;

	if (a->is_addition)
		return true;
	while (p < end && (p = memchr(p, '$', (size_t)(end - p)))) {
		struct text left;

		p += p + 1 < end && p[1] == '{' ? 2 : 1;
		left = (struct text){p, (size_t)(end - p)};
		if (left.n >= a->name.n && memcmp(left.p, a->name.p, a->name.n) == 0)
			return true;
	}
	return false;
}

static bool is_text(struct text a, struct text b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* GRUB's settings are read one after the other: what was assigned before is lost. */
static void replace_variable(struct recipes *recipes, const char *file,
			     const struct assignment *a)
{
	for (size_t i = 0; i < recipes->count; i++) {
		struct recipe *r = &recipes->items[i];

		if (!r->variable.p || !is_text(r->variable, a->name) || r->is_replaced)
			continue;
		r->is_replaced = true;
		recipe_find(recipes, LINT_NO_EFFECT, r->file, r->line,
			    "%s:%u assigns %.*s anew, without \"$%.*s\" in it: this line "
			    "has no effect",
			    file, a->line, (int)a->name.n, a->name.p, (int)a->name.n,
			    a->name.p);
	}
}

static void parse_words(struct recipes *recipes, const char *file,
			const struct assignment *a)
{
	size_t before = recipes->count;

	recipe_parse_cmdline(recipes, file, a->line, a->value);
	for (size_t i = before; i < recipes->count; i++)
		recipes->items[i].variable = a->name;
}

void recipe_parse_grub_default(struct recipes *recipes, const char *file,
			       struct text bytes)
{
	struct text rest = bytes;
	struct assignment a;
	unsigned line = 1;

	while (shell_assignment(recipes, &rest, &line, &a)) {
		if (!text_has_prefix(a.name, "GRUB_CMDLINE_"))
			continue;
		if (!has_itself(&a))
			replace_variable(recipes, file, &a);
		parse_words(recipes, file, &a);
	}
}

/* A list of modules: each word of vfio is a recipe. */
static void parse_module_list(struct recipes *recipes, const char *file,
			      const struct assignment *a, const char *note)
{
	struct text rest = a->value, word;

	while (text_word(&rest, &word)) {
		struct recipe r = {
			.file = file,
			.line = a->line,
			.text = word,
			.kind = RECIPE_LOAD,
			.fate = RECIPE_DELETE,
			.extent = RECIPE_WORDS,
			.note = note,
		};

		if (recipe_check_module(recipes, file, a->line, word))
			(void)recipe_add(recipes, &r);
	}
}

/* Scripts of the machine's owner that go into the image. */
static void parse_items(struct recipes *recipes, const char *file,
			const struct assignment *a)
{
	struct text rest = a->value, word;

	while (text_word(&rest, &word)) {
		struct recipe r = {
			.file = file,
			.line = a->line,
			.text = word,
			.kind = RECIPE_SCRIPT,
			.fate = RECIPE_LOOK,
			.extent = RECIPE_WORDS,
			.note = "a file of your own goes into the image: if it chooses "
				"devices, write rules for them",
		};

		if (text_has_part(word, "vfio"))
			(void)recipe_add(recipes, &r);
	}
}

/* dracut.conf(5): lists are added up as text, so blanks belong into the quotes (pain 16). */
static void check_blanks(struct recipes *recipes, const char *file,
			 const struct assignment *a)
{
	if (a->is_addition && !a->has_outer_blanks && text_has_part(a->value, "vfio"))
		recipe_find(recipes, LINT_BLANKS, file, a->line,
			    "%.*s+= needs a blank behind the first quote and before the "
			    "last one, or its words stick to those of other files",
			    (int)a->name.n, a->name.p);
}

void recipe_parse_dracut(struct recipes *recipes, const char *file, struct text bytes)
{
	static const char *const lists[] = {"force_drivers", "add_drivers", "drivers",
					    "add_kernel_modules"};
	struct text rest = bytes;
	struct assignment a;
	unsigned line = 1;

	while (shell_assignment(recipes, &rest, &line, &a)) {
		if (text_is(a.name, "kernel_cmdline"))
			parse_words(recipes, file, &a);
		if (text_is(a.name, "install_items")) {
			check_blanks(recipes, file, &a);
			parse_items(recipes, file, &a);
		}
		for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
			if (!text_is(a.name, lists[i]))
				continue;
			check_blanks(recipes, file, &a);
			parse_module_list(recipes, file, &a, NULL);
		}
	}
}

void recipe_parse_mkinitcpio(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes;
	struct assignment a;
	unsigned line = 1;

	while (shell_assignment(recipes, &rest, &line, &a)) {
		if (text_is(a.name, "MODULES"))
			parse_module_list(recipes, file, &a, NULL);
		if (text_is(a.name, "FILES") || text_is(a.name, "BINARIES"))
			parse_items(recipes, file, &a);
	}
}
