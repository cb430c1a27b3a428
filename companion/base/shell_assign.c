/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX.1-2017, Shell Command Language; dash's src/parser.c and bash's parse.y where they
 * differ. A recursive descent over the bytes; nothing is read twice but the text in backquotes.
 */
#include "shell_assign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

#define CONDITION    "it depends on a condition"
#define NESTED	     "it is nested too deeply"
#define MISSING	     "a command is missing"
#define SUBSTITUTION "a substitution begins here and does not end"
#define HERE	     "this here-document is not understood"
#define ONLY_BASH    "only bash knows +="
#define ENDLESS	     "a command begins here and does not end"

struct shell_variable {
	struct shell_variable *next;
	struct text name;
	enum shell_known known;
	struct text value;
	bool is_array;
};

/* An assignment of the command that is being read, and what it may have to be undone to. */
struct pending {
	struct shell_assignment *assignment;
	struct shell_variable *variable;
	struct shell_variable before;
	enum shell_known
		known; /* behind "export": its words are read with what was before */
};

#define PENDING_MAX 64

/* The value that is being read; its text is in the buffer. */
struct value {
	struct text self; /* the name that it is for */
	size_t n;
	bool has_self;
	size_t self_at, self_n; /* what it has of that variable's value before */
	bool has_glob; /* characters without quotes that some shells expand */
	const char *why, *mistake;
	struct shell_place why_place;
};

struct parser {
	struct shell *shell;
	const char *p, *end;
	struct shell_place place;
	struct shell_assignment **tail;
	unsigned depth;
	size_t command_count;
	unsigned condition_depth; /* within "if" and the like */
	unsigned subshell_depth; /* nothing in it has an effect outside */
	struct text
		here; /* the end mark of a here-document that begins with the next line */
	bool here_has_tabs, here_is_quoted;
	char *buf;
	struct value v;
};

static int read_dollar(struct parser *s, bool is_quoted);
static int read_quotes(struct parser *s, char quote);
static const char *read_list(struct parser *s, const char *const *ends);

static const char no_memory[] = "out of memory";

/* ---- places and reasons ------------------------------------------------------------------ */

static bool is_over(const struct parser *s)
{
	return s->shell->lost || s->p >= s->end;
}

static char peek_at(const struct parser *s, size_t i)
{
	return !is_over(s) && i < (size_t)(s->end - s->p) ? s->p[i] : '\0';
}

static char peek(const struct parser *s)
{
	return peek_at(s, 0);
}

static char take(struct parser *s)
{
	char c = *s->p++;

	s->place.column++;
	if (c == '\n')
		s->place = (struct shell_place){s->place.line + 1, 1};
	return c;
}

static void skip(struct parser *s, size_t n)
{
	while (n-- > 0 && !is_over(s))
		(void)take(s);
}

/* From here on nothing is known. */
static int lose_at(struct parser *s, struct shell_place place, const char *why)
{
	if (!s->shell->lost) {
		s->shell->lost = why;
		s->shell->lost_place = place;
	}
	return -1;
}

static int lose(struct parser *s, const char *why)
{
	return lose_at(s, s->place, why);
}

/* What would have an effect on variables, unless it is in a subshell. */
static int lose_effect(struct parser *s, struct shell_place place, const char *why)
{
	return s->subshell_depth > 0 ? 0 : lose_at(s, place, why);
}

static int lose_end(struct parser *s, struct shell_place place, const char *why)
{
	s->shell->is_endless |= !s->shell->lost;
	return lose_at(s, place, why);
}

/* The value is not understood, and what follows may be. */
static void doubt(struct parser *s, struct shell_place place, const char *why)
{
	if (s->v.why)
		return;
	s->v.why = why;
	s->v.why_place = place;
}

/* ---- variables --------------------------------------------------------------------------- */

static struct shell_variable *find(const struct shell *shell, struct text name)
{
	struct shell_variable *v = shell->variables;

	while (v && !text_is_same(v->name, name))
		v = v->next;
	return v;
}

static struct shell_variable *add_variable(struct shell *shell, struct text name)
{
	struct shell_variable *v = arena_alloc(shell->arena, 1, sizeof(*v));

	if (!v)
		return NULL;
	*v = (struct shell_variable){.next = shell->variables, .name = name};
	shell->variables = v;
	shell->variable_count++;
	return v;
}

static struct shell_variable *find_or_add(struct parser *s, struct text name)
{
	struct shell_variable *v = find(s->shell, name);

	if (!v && s->shell->variable_count >= SHELL_VARIABLES_MAX)
		(void)lose(s, "there are too many variables");
	else if (!v && !(v = add_variable(s->shell, name)))
		(void)lose(s, no_memory);
	return v;
}

/* Memory, or NULL: then all is lost. */
static void *allocate(struct parser *s, size_t count, size_t size)
{
	void *p = arena_alloc(s->shell->arena, count, size);

	if (!p)
		(void)lose(s, no_memory);
	return p;
}

static bool is_name_char(char c, bool is_first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!is_first && c >= '0' && c <= '9');
}

static struct text peek_name(const struct parser *s)
{
	size_t n = 0;

	while (is_name_char(peek_at(s, n), n == 0))
		n++;
	return (struct text){s->p, n};
}

/* Those that a shell changes by itself, or that cannot be assigned. */
static bool is_special(struct text name)
{
	static const char *const names[] = {
		"_",	     "RANDOM",	"SECONDS", "LINENO",	    "UID",
		"EUID",	     "PPID",	"GROUPS",  "FUNCNAME",	    "DIRSTACK",
		"HISTCMD",   "SRANDOM", "OPTIND",  "EPOCHREALTIME", "EPOCHSECONDS",
		"SHELLOPTS", "IFS",	"LC_ALL",  "LC_CTYPE",	    "POSIXLY_CORRECT",
		"LANG",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_is(name, names[i]))
			return true;
	return text_has_prefix(name, "BASH");
}

/* ---- words ------------------------------------------------------------------------------- */

static void put(struct parser *s, char c)
{
	if (s->v.n < SHELL_VALUE_MAX)
		s->buf[s->v.n++] = c;
	else
		doubt(s, s->place, "it is too long");
}

static int put_text(struct parser *s, struct text t)
{
	for (size_t i = 0; i < t.n && !s->v.why; i++)
		put(s, t.p[i]);
	return 0;
}

/* A value, as text to put; doubt if it is not known. */
static int put_variable(struct parser *s, struct text name, struct shell_place place)
{
	const struct shell_variable *v = find(s->shell, name);

	if (!v || v->known == SHELL_UNSET)
		doubt(s, place,
		      "it has a variable that this file does not assign before");
	else if (v->known == SHELL_UNCLEAR)
		doubt(s, place, "it has a variable whose value is not understood");
	else if (v->is_array)
		doubt(s, place, "it has an array");
	if (!v || s->v.why)
		return 0;
	if (text_is_same(name, s->v.self) && !s->v.has_self) {
		s->v.has_self = true;
		s->v.self_at = s->v.n;
		s->v.self_n = v->value.n;
	}
	return put_text(s, v->value);
}

/* The commands in backquotes, without the backslashes that these need. */
static int read_backquotes(struct parser *s, bool is_quoted)
{
	struct shell_place start = s->place;
	struct parser inner = *s;
	size_t n = 0;
	char *copy;

	(void)take(s);
	doubt(s, start, "it is the output of a command");
	copy = allocate(s, (size_t)(s->end - s->p) + 1, 1);
	if (!copy)
		return -1;
	while (!is_over(s) && peek(s) != '`') {
		char c = take(s);

		if (c == '\\' && !is_over(s)) {
			c = take(s);
			if (c == '\n')
				continue;
			if (!strchr("$`\\", c) && !(is_quoted && c == '"'))
				copy[n++] = '\\';
		}
		copy[n++] = c;
	}
	if (is_over(s))
		return lose_end(s, start, "a backquote begins here and does not end");
	(void)take(s);
	inner.p = copy;
	inner.end = copy + n;
	inner.subshell_depth++;
	inner.here = (struct text){NULL, 0};
	if (++inner.depth > DEPTH_MAX)
		return lose(s, NESTED);
	(void)read_list(&inner, NULL);
	if (!s->shell->lost)
		return 0;
	s->shell->lost_place = start;
	s->shell->is_endless = false;
	return -1;
}

/* $(...), at its parenthesis. */
static int read_command(struct parser *s, struct shell_place start)
{
	static const char *const ends[] = {")", NULL};
	struct value before = s->v;
	struct text here = s->here;

	if (peek_at(s, 1) == '(' || peek_at(s, 1) == '\\')
		return lose(s, "arithmetic is not understood");
	(void)take(s);
	if (++s->depth > DEPTH_MAX)
		return lose(s, NESTED);
	s->subshell_depth++;
	s->here = (struct text){NULL, 0};
	if (!read_list(s, ends))
		return lose_end(s, start, SUBSTITUTION);
	s->subshell_depth--;
	s->depth--;
	s->here = here;
	/* The words in it were read in the place of the value. */
	s->v = before;
	doubt(s, start, "it is the output of a command");
	return 0;
}

/* The WORD of ${NAME:-WORD}, up to the brace: plain characters and variables. */
static int read_operand(struct parser *s, struct shell_place start, bool is_quoted)
{
	if (++s->depth > DEPTH_MAX)
		return lose(s, NESTED);
	while (!is_over(s) && peek(s) != '}') {
		int r = 0;

		if (strchr("\"'\\`{~\n", peek(s)))
			return lose(s, "this character within ${...} is not understood");
		if (peek(s) == '$')
			r = read_dollar(s, is_quoted);
		else
			put(s, take(s));
		if (r < 0)
			return r;
	}
	s->depth--;
	if (is_over(s))
		return lose_end(s, start, SUBSTITUTION);
	(void)take(s);
	return 0;
}

/* ${NAME}, ${NAME:-WORD}, ${NAME:+WORD} and so on, at its brace. */
static int read_braces(struct parser *s, struct shell_place start, bool is_quoted)
{
	const struct shell_variable *v;
	bool is_known, is_used, has_colon;
	struct value before;
	struct text name;
	char c;
	int r;

	(void)take(s);
	name = peek_name(s);
	skip(s, name.n);
	if (peek(s) == '}' && name.n > 0) {
		(void)take(s);
		return put_variable(s, name, start);
	}
	has_colon = peek(s) == ':';
	c = peek_at(s, has_colon);
	if (is_over(s))
		return lose_end(s, start, SUBSTITUTION);
	if (name.n == 0 || c == '\0' || !strchr(has_colon ? "-+=?" : "-+=?#%", c))
		return lose(s, "this kind of ${...} is not understood");
	skip(s, (size_t)has_colon + 1);
	if (c == '=' && lose_effect(s, start, "${NAME=...} assigns a variable") < 0)
		return -1;
	if (c == '?' && lose_effect(s, start, "${NAME?...} may end the shell") < 0)
		return -1;
	v = find(s->shell, name);
	is_known = v && v->known == SHELL_KNOWN && !v->is_array;
	/* A variable that this file did not assign may come from elsewhere. */
	if (!is_known || !strchr("-+", c))
		doubt(s, start, "it has a substitution that is not understood");
	is_used = is_known && (c == '+') == (!has_colon || v->value.n > 0);
	before = s->v;
	r = read_operand(s, start, is_quoted);
	if (r < 0 || is_used || !is_known)
		return r;
	/* The word is passed over. */
	s->v = before;
	return c == '-' ? put_variable(s, name, start) : 0;
}

/* At a '$'. */
static int read_dollar(struct parser *s, bool is_quoted)
{
	struct shell_place start = s->place;
	struct text name;
	char c;

	(void)take(s);
	c = peek(s);
	name = peek_name(s);
	if (name.n > 0) {
		skip(s, name.n);
		if (peek(s) == '\\' && peek_at(s, 1) == '\n')
			return lose(s, "a name that goes on in the next line is not "
				       "understood");
		return put_variable(s, name, start);
	}
	if (c == '(')
		return read_command(s, start);
	if (c == '{')
		return read_braces(s, start, is_quoted);
	if (c == '[' || (c == '\\' && peek_at(s, 1) == '\n'))
		return lose(s, "this character behind \"$\" is not understood");
	if (c != '\0' && strchr("@*#?-$!0123456789", c)) {
		(void)take(s);
		doubt(s, start, "it has a parameter of the shell");
		return 0;
	}
	if (!is_quoted && (c == '\'' || c == '"')) {
		const char *from = s->p;

		doubt(s, start, "$'...' and $\"...\" are not understood");
		(void)take(s);
		if (read_quotes(s, c) < 0)
			return -1;
		/* Where it ends depends on the shell. */
		if (c == '\'' && memchr(from, '\\', (size_t)(s->p - from)))
			return lose_at(s, start, "$'...' is not understood");
		return 0;
	}
	put(s, '$');
	return 0;
}

/* Behind a quote. */
static int read_quotes(struct parser *s, char quote)
{
	struct shell_place start = s->place;

	start.column--;
	while (!is_over(s)) {
		int r = 0;

		if (quote == '"' && peek(s) == '$') {
			r = read_dollar(s, true);
		} else if (quote == '"' && peek(s) == '`') {
			r = read_backquotes(s, true);
		} else {
			char c = take(s);

			if (c == quote)
				return 0;
			if (quote == '"' && c == '\\' && !is_over(s) &&
			    strchr("$`\"\\\n", peek(s))) {
				c = take(s);
				if (c == '\n')
					continue;
			}
			put(s, c);
		}
		if (r < 0)
			return r;
	}
	return lose_end(s, start, "a quote begins here and does not end");
}

/* Characters that are taken for quotes, and are none to a shell. */
static void look_for_mistake(struct parser *s)
{
	struct text rest = {s->p, (size_t)(s->end - s->p)};
	uint32_t c;

	if (peek(s) == '\r')
		s->v.mistake =
			"it ends in a carriage return, which a shell takes for a part "
			"of the value: save the file with the line ends of Unix";
	else if (text_character(rest, &c) > 1 &&
		 ((c >= 0x2018 && c <= 0x201f) || c == 0xab || c == 0xbb))
		s->v.mistake =
			"typographic quotes are ordinary characters to a shell: write "
			"straight ones";
}

/* A character that no quote protects. */
static int read_plain(struct parser *s, bool is_first)
{
	struct shell_place start = s->place;
	char c, last = is_first ? '=' : s->p[-1];

	look_for_mistake(s);
	c = take(s);
	if (c == '\'' || c == '"')
		return read_quotes(s, c);
	if (c == '\\') {
		if (is_over(s))
			return lose_end(s, start, "a backslash ends the file");
		c = take(s);
		if (c != '\n')
			put(s, c);
		return 0;
	}
	if (c == '~' && (last == '=' || last == ':'))
		doubt(s, start, "it has a home folder");
	if (strchr("*?[{~", c))
		s->v.has_glob = true;
	put(s, c);
	return 0;
}

/* One word, up to a blank or an operator. */
static int read_word(struct parser *s)
{
	bool is_first = true;

	while (!is_over(s) && !strchr(" \t\n;&|<>()", peek(s))) {
		int r;

		if (peek(s) == '$') {
			/* dash splits and expands it in some places. */
			s->v.has_glob = true;
			r = read_dollar(s, false);
		} else if (peek(s) == '`') {
			s->v.has_glob = true;
			r = read_backquotes(s, false);
		} else {
			r = read_plain(s, is_first);
		}
		is_first = false;
		if (r < 0)
			return r;
	}
	return 0;
}

static void begin_value(struct parser *s, struct text name)
{
	s->v = (struct value){.self = name};
}

/* ---- blanks ------------------------------------------------------------------------------ */

static void skip_blanks(struct parser *s)
{
	while (peek(s) == ' ' || peek(s) == '\t' ||
	       (peek(s) == '\\' && peek_at(s, 1) == '\n'))
		skip(s, peek(s) == '\\' ? 2 : 1);
	if (peek(s) == '#')
		while (!is_over(s) && peek(s) != '\n')
			(void)take(s);
}

/* The lines of a here-document, of which nothing may be a substitution. */
static void skip_here(struct parser *s)
{
	struct shell_place start = s->place;

	while (!is_over(s)) {
		const char *stop = memchr(s->p, '\n', (size_t)(s->end - s->p));
		struct text line = {s->p, (size_t)((stop ? stop : s->end) - s->p)};
		bool has_meaning = false;

		for (size_t i = 0; i < line.n; i++)
			has_meaning |= strchr("$`\\", line.p[i]) != NULL;
		if (has_meaning && !s->here_is_quoted) {
			(void)lose(s, HERE);
			return;
		}
		skip(s, line.n + (stop != NULL));
		while (s->here_has_tabs && line.n > 0 && line.p[0] == '\t')
			line = (struct text){line.p + 1, line.n - 1};
		if (text_is_same(line, s->here)) {
			s->here = (struct text){NULL, 0};
			return;
		}
	}
	(void)lose_end(s, start, "a here-document begins here and does not end");
}

static void skip_newlines(struct parser *s)
{
	skip_blanks(s);
	while (peek(s) == '\n') {
		(void)take(s);
		if (s->here.p)
			skip_here(s);
		skip_blanks(s);
	}
}

/* ---- simple commands --------------------------------------------------------------------- */

/* << and its word. */
static int read_here(struct parser *s)
{
	struct text word;
	char *copy;

	skip(s, 2);
	if (s->here.p || s->subshell_depth > 0 || peek(s) == '<')
		return lose(s, HERE);
	s->here_has_tabs = peek(s) == '-';
	skip(s, s->here_has_tabs);
	skip_blanks(s);
	word.p = s->p;
	begin_value(s, TEXT(""));
	if (read_word(s) < 0)
		return -1;
	word.n = (size_t)(s->p - word.p);
	for (size_t i = 0; i < word.n; i++)
		if (strchr("$`\\\n", word.p[i]))
			return lose(s, HERE);
	s->here_is_quoted = s->v.n != word.n;
	copy = allocate(s, s->v.n + 1, 1);
	if (word.n == 0 || !copy)
		return lose(s, HERE);
	memcpy(copy, s->buf, s->v.n);
	s->here = (struct text){copy, s->v.n};
	return 0;
}

/* 2>FILE: the length of the number. */
static size_t peek_number(const struct parser *s)
{
	size_t n = 0;

	while (peek_at(s, n) >= '0' && peek_at(s, n) <= '9')
		n++;
	return peek_at(s, n) == '<' || peek_at(s, n) == '>' ? n : 0;
}

static int read_redirection(struct parser *s)
{
	char c = peek(s);

	if (c == '<' && peek_at(s, 1) == '<')
		return read_here(s);
	(void)take(s);
	if (peek(s) == '(')
		return lose(s, "a substitution of a process is not understood");
	if (peek(s) == '&' || peek(s) == '>' || (c == '>' && peek(s) == '|'))
		(void)take(s);
	skip_blanks(s);
	begin_value(s, TEXT(""));
	if (is_over(s) || strchr("\n;&|<>()", peek(s)) || peek_number(s) > 0)
		return lose(s, "a redirection without a file");
	return read_word(s);
}

/* (WORD "WORD" ...), at its parenthesis. */
static int read_array(struct parser *s)
{
	struct shell_place start = s->place;

	if (s->shell->dialect != SHELL_BASH)
		return lose(s, "sh has no arrays");
	(void)take(s);
	for (size_t count = 0; !is_over(s); count++) {
		skip_blanks(s);
		while (peek(s) == '\n') {
			(void)take(s);
			skip_blanks(s);
		}
		if (peek(s) == ')') {
			(void)take(s);
			return 0;
		}
		if (!is_over(s) && strchr(";&|<>(", peek(s)))
			return lose(s, "this character is not understood in an array");
		if (count > 0)
			put(s, ' ');
		if (read_word(s) < 0)
			return -1;
		if (s->v.has_glob)
			doubt(s, start, "it has words that the shell expands");
	}
	return lose_end(s, start, "an array begins here and does not end");
}

/* What an addition comes to; p is NULL if that is not known. */
static struct text add_up(struct parser *s, const struct shell_assignment *a,
			  const struct shell_variable *v)
{
	bool has_blank = a->is_array && v->value.n > 0 && a->value.n > 0;
	size_t n = v->value.n + has_blank + a->value.n;
	char *copy;

	if (v->known != SHELL_KNOWN || a->is_array != v->is_array || n > SHELL_VALUE_MAX)
		return (struct text){NULL, 0};
	copy = allocate(s, n + 1, 1);
	if (!copy)
		return (struct text){NULL, 0};
	memcpy(copy, v->value.p, v->value.n);
	if (has_blank)
		copy[v->value.n] = ' ';
	memcpy(copy + n - a->value.n, a->value.p, a->value.n);
	return (struct text){copy, n};
}

/* The value behind NAME= or NAME+=, and what the variable is then. */
static int assign(struct parser *s, struct shell_assignment *a, struct shell_variable *v)
{
	struct text whole = {NULL, 0};
	char *copy;

	a->raw.p = s->p;
	begin_value(s, a->name);
	a->is_array = peek(s) == '(';
	if ((a->is_array ? read_array(s) : read_word(s)) < 0)
		return -1;
	a->raw.n = (size_t)(s->p - a->raw.p);
	if (a->is_addition && s->shell->dialect != SHELL_BASH)
		doubt(s, a->place, ONLY_BASH);
	if (v->is_array && !a->is_array)
		doubt(s, a->place, "the variable is an array");
	a->why = s->v.why;
	a->why_place = s->v.why_place;
	a->mistake = s->v.mistake;
	copy = allocate(s, s->v.n + 1, 1);
	if (!copy)
		return -1;
	a->has_itself = s->v.has_self;
	a->value = a->itself = (struct text){copy, 0};
	if (!a->why) {
		memcpy(copy, s->buf, s->v.n);
		a->value.n = s->v.n;
		a->itself = (struct text){copy + s->v.self_at, s->v.self_n};
		whole = a->is_addition ? add_up(s, a, v) : a->value;
	}
	v->known = whole.p ? SHELL_KNOWN : SHELL_UNCLEAR;
	v->value = whole;
	v->is_array = a->is_array || (v->is_array && !whole.p);
	return 0;
}

struct command {
	struct pending pending[PENDING_MAX];
	size_t count;
	bool is_foggy; /* shells disagree about where its assignments end */
	bool has_redirection;
	bool has_word;
	bool is_special; /* where its assignments stay, and its failure ends the shell */
};

static int read_assignment(struct parser *s, struct command *c, struct text name)
{
	struct shell_variable *v = find_or_add(s, name);
	struct shell_assignment *a = v ? allocate(s, 1, sizeof(*a)) : NULL;

	if (!a)
		return -1;
	if (c->count == PENDING_MAX)
		return lose(s, "there are too many assignments in a command");
	if (is_special(name) &&
	    lose_effect(s, s->place, "this variable means something to the shell") < 0)
		return -1;
	*a = (struct shell_assignment){.place = s->place, .name = name};
	skip(s, name.n);
	a->is_addition = peek(s) == '+';
	skip(s, a->is_addition ? 2 : 1);
	c->is_foggy |= a->is_addition && s->shell->dialect != SHELL_BASH;
	c->pending[c->count++] = (struct pending){a, v, *v, SHELL_UNSET};
	if (assign(s, a, v) < 0)
		return -1;
	if (a->is_array && !is_over(s) && !strchr(" \t\n;&|)", peek(s)))
		return lose(s, "this character is not understood behind an array");
	return 0;
}

/* Ends a command: @why is why its assignments are not to be relied on, NULL if they are. */
static void commit(struct parser *s, struct command *c, const char *why, bool is_undone)
{
	if (s->shell->lost)
		return;
	for (size_t i = c->count; i-- > 0;) {
		struct shell_variable before = c->pending[i].before;

		/* What was added behind it stays in the list. */
		before.next = c->pending[i].variable->next;
		if (is_undone || s->subshell_depth > 0)
			*c->pending[i].variable = before;
		else if (why)
			c->pending[i].variable->known = SHELL_UNCLEAR;
	}
	for (size_t i = 0; i < c->count && s->subshell_depth == 0; i++) {
		struct shell_assignment *a = c->pending[i].assignment;

		if (why && !a->why) {
			a->why = why;
			a->why_place = a->place;
			a->value = a->itself = (struct text){"", 0};
		}
		*s->tail = a;
		s->tail = &a->next;
	}
}

/* Built-in commands of dash and bash that may change variables or what follows. */
static bool has_effect(struct text word)
{
	static const char *const names[] = {
		".",	    "alias",	 "bg",	     "bind",	"break",   "builtin",
		"caller",   "cd",	 "chdir",    "command", "compgen", "complete",
		"compopt",  "continue",	 "coproc",   "declare", "dirs",	   "disown",
		"enable",   "eval",	 "exec",     "exit",	"fc",	   "fg",
		"function", "getopts",	 "hash",     "history", "jobs",	   "let",
		"local",    "logout",	 "mapfile",  "popd",	"printf",  "pushd",
		"read",	    "readarray", "readonly", "return",	"select",  "set",
		"shift",    "shopt",	 "source",   "suspend", "time",	   "times",
		"trap",	    "type",	 "typeset",  "ulimit",	"umask",   "unalias",
		"unset",    "wait",	 "[[",	     "in",	"kill",	   "help",
		"logout",   "then",	 "do",	     "done",	"fi",	   "elif",
		"else",	    "esac",	 "}",	     "{",	"!",	   "if",
		"while",    "until",	 "for",	     "case",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_is(word, names[i]))
			return true;
	return false;
}

static bool is_literal(struct text word)
{
	for (size_t i = 0; i < word.n; i++)
		if (strchr("\"'\\$`*?[{~", word.p[i]))
			return text_is(word, "[");
	return true;
}

/* NAME=VALUE behind "export", where some shells split and expand VALUE. */
static int read_export(struct parser *s, struct command *c, struct text name)
{
	struct pending *p = &c->pending[c->count];

	if (read_assignment(s, c, name) < 0)
		return -1;
	p->known = p->variable->known;
	p->variable->known = SHELL_UNCLEAR;
	if (!s->v.has_glob)
		return 0;
	doubt(s, p->assignment->place, "a shell may split or expand it behind export");
	p->known = SHELL_UNCLEAR;
	p->assignment->why = s->v.why;
	p->assignment->why_place = s->v.why_place;
	p->assignment->value = p->assignment->itself = (struct text){"", 0};
	return 0;
}

static int read_exports(struct parser *s, struct command *c)
{
	skip_blanks(s);
	while (!is_over(s) && !strchr("\n;&|)", peek(s))) {
		struct text name = peek_name(s);

		if (name.n == 0 || !strchr("= \t\n;&|)", peek_at(s, name.n)))
			return lose(s, "these words behind export are not understood");
		if (peek_at(s, name.n) != '=')
			skip(s, name.n);
		else if (read_export(s, c, name) < 0)
			return -1;
		skip_blanks(s);
	}
	for (size_t i = 0; i < c->count; i++)
		c->pending[i].variable->known = c->pending[i].known;
	return 0;
}

/* The first word of a command, and what it may do. */
static int read_command_word(struct parser *s, struct command *c)
{
	struct shell_place start = s->place;
	struct text word = {s->p, 0};

	c->has_word = true;
	begin_value(s, TEXT(""));
	if (read_word(s) < 0)
		return -1;
	word.n = (size_t)(s->p - word.p);
	if (!is_literal(word))
		return lose_effect(s, start, "it is unknown what this command does");
	if (has_effect(word))
		return lose_effect(s, start, "this command may change any variable");
	c->is_special = text_is(word, ":") || text_is(word, "export");
	return 0;
}

/* NAME= or NAME+= at the start of a command; the name, or an empty one. */
static struct text peek_assignment(struct parser *s)
{
	struct text name = peek_name(s);
	char c = peek_at(s, name.n);

	if (name.n > 0 && c == '[')
		(void)lose(s, "an element of an array is not understood");
	if (c != '=' && !(c == '+' && peek_at(s, name.n + 1) == '='))
		name.n = 0;
	return name;
}

static bool is_export(const struct parser *s)
{
	char after = peek_at(s, 6);

	return (size_t)(s->end - s->p) > 6 &&
	       text_has_prefix((struct text){s->p, 6}, "export") &&
	       (after == ' ' || after == '\t');
}

/* Of a simple command, one word or redirection. False at its end. */
static bool read_piece(struct parser *s, struct command *c)
{
	struct text name = {NULL, 0};

	skip_blanks(s);
	if (is_over(s) || strchr("\n;&|)", peek(s)))
		return false;
	if (peek(s) == '(')
		return lose(s, "a parenthesis is not understood here") == 0;
	skip(s, peek_number(s));
	if (peek(s) == '<' || peek(s) == '>') {
		c->has_redirection = true;
		return read_redirection(s) == 0;
	}
	if (!c->has_word) {
		name = peek_assignment(s);
		if (name.n > 0)
			return read_assignment(s, c, name) == 0;
		if (is_export(s) && c->count == 0 && !c->has_redirection) {
			skip(s, 6);
			return read_exports(s, c) == 0 && false;
		}
		if (read_command_word(s, c) < 0)
			return false;
	} else {
		begin_value(s, TEXT(""));
		if (read_word(s) < 0)
			return false;
	}
	/* bash: {NAME}>FILE assigns NAME. */
	if ((peek(s) == '<' || peek(s) == '>') && s->p[-1] == '}')
		return lose(s, "this redirection is not understood") == 0;
	return true;
}

static void read_simple(struct parser *s, bool is_conditional)
{
	struct shell_place start = s->place;
	struct command c = {.count = 0};
	const char *from = s->p, *why = NULL;

	while (read_piece(s, &c))
		continue;
	if (!s->shell->lost && s->p == from) {
		(void)lose(s, MISSING);
		return;
	}
	if (c.has_redirection && (!c.has_word || c.is_special))
		(void)lose_effect(s, start, "this redirection may end the shell");
	if (c.is_special && c.count > 0)
		(void)lose_effect(s, start, "this command is not understood");
	if (is_conditional || s->condition_depth > 0)
		why = CONDITION;
	else if ((peek(s) == '|' && peek_at(s, 1) != '|') ||
		 (peek(s) == '&' && peek_at(s, 1) != '&'))
		why = "it is in a shell of its own";
	if (c.is_foggy)
		why = ONLY_BASH;
	if (c.has_word)
		why = "it is only for the command that follows it";
	commit(s, &c, why, c.has_word && !c.is_foggy);
}

/* ---- compound commands ------------------------------------------------------------------- */

/* A word of the grammar: letters and signs alone, with a blank or an operator behind it. */
static struct text peek_reserved(const struct parser *s)
{
	size_t n = 0;

	while (peek_at(s, n) != '\0' && !strchr(" \t\n;&|<>()", peek_at(s, n)))
		n++;
	return (struct text){s->p, n};
}

static const char *find_end(struct text word, const char *const *ends)
{
	for (; ends && *ends; ends++)
		if (text_is(word, *ends))
			return *ends;
	return NULL;
}

static void read_redirections(struct parser *s)
{
	skip_blanks(s);
	while (peek(s) == '<' || peek(s) == '>' || peek_number(s) > 0) {
		skip(s, peek_number(s));
		if (read_redirection(s) < 0)
			return;
		skip_blanks(s);
	}
}

/* A list that has to end in one of these words: the word, or NULL. */
static const char *read_part(struct parser *s, const char *a, const char *b,
			     const char *c)
{
	const char *const ends[] = {a, b, c, NULL};
	struct shell_place start = s->place;
	size_t before = s->command_count;
	const char *end = read_list(s, ends);

	if (!end)
		(void)lose_end(s, start, ENDLESS);
	else if (s->command_count == before && strcmp(a, ";;") != 0)
		(void)lose(s, MISSING);
	return end;
}

static void read_if(struct parser *s)
{
	const char *end;

	do {
		(void)read_part(s, "then", NULL, NULL);
		end = read_part(s, "fi", "else", "elif");
	} while (end && strcmp(end, "elif") == 0);
	if (end && strcmp(end, "else") == 0)
		(void)read_part(s, "fi", NULL, NULL);
}

static void read_while(struct parser *s)
{
	(void)read_part(s, "do", NULL, NULL);
	(void)read_part(s, "done", NULL, NULL);
}

/* Words up to the end of the line. */
static void read_words(struct parser *s)
{
	skip_blanks(s);
	while (!is_over(s) && !strchr("\n;&|<>()", peek(s))) {
		begin_value(s, TEXT(""));
		if (read_word(s) < 0)
			return;
		skip_blanks(s);
	}
}

static void read_for(struct parser *s)
{
	struct shell_variable *v;
	struct text name;

	skip_blanks(s);
	name = peek_name(s);
	skip(s, name.n);
	if (name.n == 0 || is_special(name) || !strchr(" \t\n;", peek(s))) {
		(void)lose(s, "this loop is not understood");
		return;
	}
	v = s->subshell_depth == 0 ? find_or_add(s, name) : NULL;
	if (v)
		v->known = SHELL_UNCLEAR;
	skip_newlines(s);
	if (text_is(peek_reserved(s), "in")) {
		skip(s, 2);
		read_words(s);
		if (peek(s) != ';' && peek(s) != '\n')
			(void)lose(s, "this loop is not understood");
	}
	if (peek(s) == ';')
		(void)take(s);
	skip_newlines(s);
	if (!text_is(peek_reserved(s), "do")) {
		(void)lose(s, "this loop is not understood");
		return;
	}
	skip(s, 2);
	(void)read_part(s, "done", NULL, NULL);
}

/* The patterns of a case, with their parenthesis. */
static void read_patterns(struct parser *s)
{
	if (peek(s) == '(')
		(void)take(s);
	while (!is_over(s)) {
		const char *from;

		skip_blanks(s);
		from = s->p;
		begin_value(s, TEXT(""));
		if (read_word(s) < 0)
			return;
		skip_blanks(s);
		if (s->p == from || (peek(s) != '|' && peek(s) != ')'))
			(void)lose(s, "this pattern is not understood");
		else if (take(s) == ')')
			return;
	}
}

static void read_case(struct parser *s)
{
	const char *end = ";;";

	skip_blanks(s);
	begin_value(s, TEXT(""));
	if (read_word(s) < 0)
		return;
	skip_newlines(s);
	if (!text_is(peek_reserved(s), "in")) {
		(void)lose(s, "this case is not understood");
		return;
	}
	skip(s, 2);
	while (end && strcmp(end, ";;") == 0) {
		skip_newlines(s);
		if (text_is(peek_reserved(s), "esac")) {
			skip(s, 4);
			return;
		}
		read_patterns(s);
		end = read_part(s, ";;", "esac", NULL);
	}
}

static void read_group(struct parser *s)
{
	(void)read_part(s, "}", NULL, NULL);
}

static void read_subshell(struct parser *s)
{
	if (peek(s) == '(' || peek(s) == '\\') {
		(void)lose(s, "arithmetic is not understood");
		return;
	}
	s->subshell_depth++;
	(void)read_part(s, ")", NULL, NULL);
	s->subshell_depth--;
}

static const struct {
	const char *word;
	void (*read)(struct parser *s);
} compounds[] = {
	{"if", read_if},      {"while", read_while}, {"until", read_while},
	{"for", read_for},    {"case", read_case},   {"{", read_group},
	{"(", read_subshell},
};

/* One command; what it assigns is not certain if it @is_conditional. */
static void read_command_of_list(struct parser *s, bool is_conditional)
{
	struct text word = peek(s) == '(' ? (struct text){s->p, 1} : peek_reserved(s);

	s->command_count++;
	if (++s->depth > DEPTH_MAX)
		(void)lose(s, NESTED);
	for (size_t i = 0; i < ARRAY_SIZE(compounds); i++) {
		if (!text_is(word, compounds[i].word))
			continue;
		skip(s, word.n);
		s->condition_depth++;
		compounds[i].read(s);
		s->condition_depth--;
		read_redirections(s);
		s->depth--;
		return;
	}
	if (text_is(word, "!")) {
		skip(s, 1);
		skip_blanks(s);
		if (is_over(s))
			(void)lose_end(s, s->place, ENDLESS);
		else
			read_command_of_list(s, true);
	} else {
		read_simple(s, is_conditional);
	}
	s->depth--;
}

/* Commands with | && || between. */
static void read_chain(struct parser *s)
{
	bool is_conditional = false;

	while (!is_over(s)) {
		char c;

		read_command_of_list(s, is_conditional);
		skip_blanks(s);
		c = peek(s);
		if (c != '|' && !(c == '&' && peek_at(s, 1) == '&'))
			return;
		skip(s, peek_at(s, 1) == c ? 2 : 1);
		if (peek(s) == '\\' || (c == '|' && peek(s) == '&'))
			(void)lose(s, "this operator is not understood");
		is_conditional = true;
		skip_newlines(s);
		if (is_over(s))
			(void)lose_end(s, s->place, ENDLESS);
	}
}

/* Up to one of @ends, which is taken; NULL at the end of the text. */
static const char *read_list(struct parser *s, const char *const *ends)
{
	while (true) {
		const char *end = NULL;
		char c;

		skip_newlines(s);
		if (is_over(s))
			return NULL;
		if (peek(s) == ')')
			end = find_end(TEXT(")"), ends);
		else if (peek(s) == ';' && peek_at(s, 1) == ';')
			end = find_end(TEXT(";;"), ends);
		else
			end = find_end(peek_reserved(s), ends);
		if (end) {
			skip(s, strlen(end));
			return end;
		}
		read_chain(s);
		c = peek(s);
		if (is_over(s) || c == '\n' || c == ')' ||
		    (c == ';' && peek_at(s, 1) == ';'))
			continue;
		if (c != ';' && c != '&') {
			(void)lose(s, "this is not understood");
			return NULL;
		}
		(void)take(s);
		if (peek(s) == '\\' || peek(s) == '&' || peek(s) == '>')
			(void)lose(s, "this operator is not understood");
	}
}

/* ---- the shell --------------------------------------------------------------------------- */

void shell_init(struct shell *shell, struct arena *arena, enum shell_dialect dialect)
{
	*shell = (struct shell){.arena = arena, .dialect = dialect};
}

int shell_define(struct shell *shell, const char *name, const char *value)
{
	struct shell_variable *v = add_variable(shell, text_of(name));

	if (!v)
		return -ENOMEM;
	v->known = SHELL_KNOWN;
	v->value = text_of(value);
	return 0;
}

int shell_read(struct shell *shell, struct text bytes, struct shell_assignment **ret)
{
	struct shell_assignment *first = NULL;
	struct parser s = {
		.shell = shell,
		.p = bytes.p,
		.end = bytes.n > 0 ? bytes.p + bytes.n : bytes.p,
		.place = {1, 1},
		.tail = &first,
	};

	*ret = NULL;
	if (shell->lost || bytes.n == 0)
		return 0;
	s.buf = allocate(&s, SHELL_VALUE_MAX, 1);
	if (memchr(bytes.p, '\0', bytes.n))
		(void)lose(&s, "the file has a byte of zero");
	(void)read_list(&s, NULL);
	if (s.here.p && !shell->lost)
		(void)lose_end(&s, s.place, "a here-document does not end");
	if (shell->lost == no_memory)
		return -ENOMEM;
	*ret = first;
	return 0;
}

enum shell_known shell_get(const struct shell *shell, const char *name,
			   struct text *ret_value)
{
	const struct shell_variable *v = find(shell, text_of(name));

	if (shell->lost)
		return SHELL_UNCLEAR;
	if (v && v->known == SHELL_KNOWN)
		*ret_value = v->value;
	return v ? v->known : SHELL_UNSET;
}
