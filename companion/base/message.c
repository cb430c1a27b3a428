/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands.h"
#include "reason.h"
#include "text.h"
#include "wall.h"

#define WIDTH_DEFAULT 79 /* of a terminal that does not say, and of help */
#define WIDTH_MIN     40
#define WIDTH_MAX     1000

static bool has_color;
static bool is_warning;

void say_as_warnings(void)
{
	is_warning = true;
}

static size_t read_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {0};
	uint64_t n = 0;

	if (!isatty(fd))
		return SIZE_MAX;
	if (!columns || text_decimal(text_of(columns), WIDTH_MAX, &n) < 0)
		n = ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
	/* A serial line has no size. */
	if (n == 0)
		return WIDTH_DEFAULT;
	n = n < WIDTH_MIN ? WIDTH_MIN : MIN(n, (uint64_t)WIDTH_MAX);
	return (size_t)n - 1;
}

static size_t known_width; /* of the standard output; 0: not yet */

size_t terminal_width(FILE *out)
{
	if (out != stdout)
		return read_width(fileno(out));
	if (known_width == 0)
		known_width = read_width(fileno(out));
	return known_width;
}

void terminal_wrap(void)
{
	known_width = MIN(terminal_width(stdout), (size_t)WIDTH_DEFAULT);
}

/* https://no-color.org: set and not empty. */
static bool is_wanted(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (!no || no[0] == '\0') && term &&
	       strcmp(term, "dumb") != 0;
}

int terminal_set_color(const char *when)
{
	if (!when || strcmp(when, "auto") == 0)
		has_color = is_wanted();
	else if (strcmp(when, "always") == 0 || strcmp(when, "never") == 0)
		has_color = when[0] == 'a';
	else
		return -EINVAL;
	return 0;
}

void put_style(FILE *out, enum style style)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "\033[0m", [STYLE_HEAD] = "\033[1m",
		[STYLE_GOOD] = "\033[32m", [STYLE_CAREFUL] = "\033[33m",
		[STYLE_BAD] = "\033[31m",
	};

	if (has_color)
		fputs(codes[style], out);
}

bool terminal_has_unicode(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && value[0] != '\0')
			return strcasestr(value, "UTF-8") || strcasestr(value, "utf8");
	}
	return false;
}

#define MESSAGE_MAX 4096
#define TEXT_MAX    80 /* of what a problem is about */
#define EXCERPT_MAX 72 /* of a line that is shown above a caret, in columns */

size_t text_safe_length(struct text t)
{
	uint32_t c = 0;
	size_t n = text_character(t, &c);

	return char_is_shown(c) ? n : 0;
}

/* Writes one character of @t and takes it off. */
static void put_char(FILE *out, struct text *t)
{
	size_t n = text_safe_length(*t);

	if (n > 0)
		fwrite(t->p, 1, n, out);
	else
		fputc('?', out);
	n = MAX(n, (size_t)1);
	t->p += n;
	t->n -= n;
}

/* Most text is printable ASCII: how much of it stands at the start of @t. */
static size_t plain_length(struct text t)
{
	size_t n = 0;

	while (n < t.n && t.p[n] >= 0x20 && t.p[n] < 0x7f)
		n++;
	return n;
}

void put_text(FILE *out, struct text t)
{
	while (t.n > 0) {
		size_t n = plain_length(t);

		if (n == 0) {
			put_char(out, &t);
			continue;
		}
		fwrite(t.p, 1, n, out);
		t.p += n;
		t.n -= n;
	}
}

const char *text_safe(struct text t, struct arena *arena)
{
	char *copy = arena_copy(arena, t);
	size_t n = 0;

	while (copy && t.n > 0) {
		size_t length = text_safe_length(t), step = MAX(length, (size_t)1);

		memcpy(copy + n, length > 0 ? t.p : "?", step);
		n += step;
		t.p += step;
		t.n -= step;
	}
	return copy;
}

void text_add_word(struct text_buffer *b, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		text_add(b, "%s", word);
		return;
	}
	text_add(b, "'");
	for (const char *quote; (quote = strchr(word, '\'')); word = quote + 1)
		text_add(b, "%.*s'\\''", (int)(quote - word), word);
	text_add(b, "%s'", word);
}

void text_add_command(struct text_buffer *b, const char *const *argv, size_t max)
{
	for (size_t i = 0; i < max && argv[i]; i++) {
		text_add(b, "%s", i > 0 ? " " : "");
		text_add_word(b, argv[i]);
	}
}

size_t text_columns(struct text t)
{
	size_t n = plain_length(t);

	t.p += n;
	t.n -= n;
	for (; t.n > 0; n++) {
		size_t step = MAX(text_safe_length(t), (size_t)1);

		t.p += step;
		t.n -= step;
	}
	return n;
}

/* Behind a blank, or at the start of a further line. */
static void add_word(struct paragraph *p, size_t limit, struct text word)
{
	size_t n = text_columns(word), blank = p->has_word;

	if (p->column + blank + n > limit && p->column > p->indent) {
		fprintf(p->out, "\n%*s", (int)p->indent, "");
		p->column = p->indent;
	} else if (p->has_word) {
		fputc(' ', p->out);
		p->column++;
	}
	put_text(p->out, word);
	p->column += n;
	p->has_word = true;
}

/* A line that keeps its blanks; further ones, on a terminal, are indented. */
static void put_message(FILE *out, struct text line)
{
	struct paragraph p = {out, 0, DEVICE_INDENT, false};
	size_t limit = terminal_width(out);
	struct text word;

	while (text_cut(&line, ' ', &word))
		add_word(&p, limit, word);
	paragraph_end(&p);
}

static const char *prefix(void)
{
	return is_warning ? "W: earlybind: " : "earlybind: ";
}

void say_error(const char *format, ...)
{
	char line[MESSAGE_MAX];
	struct text_buffer b = {.buf = line, .size = sizeof(line)};
	va_list ap;

	text_add(&b, "%s", prefix());
	va_start(ap, format);
	text_vadd(&b, format, ap);
	va_end(ap);
	/* What was written so far comes first, also where both go to one file. */
	fflush(stdout);
	put_message(stderr, text_of(text_shown(&b)));
}

/* The line that @p points into, from @base on, and the caret below @p. */
static void put_caret(FILE *out, const char *base, size_t offset, const char *end)
{
	const char *stop = memchr(base, '\n', (size_t)(end - base));
	struct text line = {base, (size_t)((stop ? stop : end) - base)};
	size_t at = 0, skip = 0;

	/* A long line: what leads to the caret, and some of what follows. */
	while (offset - skip > EXCERPT_MAX / 2)
		skip++;
	if (line.n <= EXCERPT_MAX)
		skip = 0;
	line.p += skip;
	line.n -= skip;
	offset -= MIN(skip, offset);

	fputs("    ", out);
	for (size_t column = 0;
	     line.n > 0 && column < EXCERPT_MAX && line.p[0] != '\r';) {
		const char *from = line.p;

		if (line.p[0] == '\t') {
			fputc(' ', out);
			line.p++;
			line.n--;
		} else {
			put_char(out, &line);
		}
		column++;
		if ((size_t)(line.p - from) <= offset) {
			offset -= (size_t)(line.p - from);
			at = column;
		} else {
			offset = 0;
		}
	}
	fprintf(out, "\n    %*s^\n", (int)at, "");
}

void put_problem(FILE *out, const struct problem *problem, const char *end)
{
	const struct origin *origin = &problem->origin;
	bool has_line = !is_warning && end && origin->base && origin->column > 0 &&
			origin->base <= end;
	struct text shown = {problem->text.p, MIN(problem->text.n, (size_t)TEXT_MAX)};
	char where[ORIGIN_SIZE], line[MESSAGE_MAX];
	struct text_buffer b = {.buf = line, .size = sizeof(line)};

	text_add(&b, "%s%s%s", is_warning ? prefix() : "", origin_format(origin, where),
		 problem->is_error ? ": " : ": warning: ");
	if (!has_line)
		text_add(&b, "\"%.*s\": ", (int)shown.n, shown.p);
	text_add(&b, "%s", problem->message);
	put_message(out, text_of(text_shown(&b)));
	if (has_line)
		put_caret(out, origin->base, origin->column - 1, end);
}

static void add_words(struct paragraph *p, const char *format, va_list ap)
	printf_like(2, 0);

static void add_words(struct paragraph *p, const char *format, va_list ap)
{
	size_t limit = terminal_width(p->out);
	char buf[MESSAGE_MAX];
	struct text_buffer b = {.buf = buf, .size = sizeof(buf)};
	struct text rest, word;

	text_vadd(&b, format, ap);
	rest = text_of(text_shown(&b));
	while (text_word(&rest, &word))
		add_word(p, limit, word);
}

void paragraph_add(struct paragraph *paragraph, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_words(paragraph, format, ap);
	va_end(ap);
}

void paragraph_verdict(struct paragraph *paragraph, enum style style, const char *format,
		       ...)
{
	va_list ap;

	put_style(paragraph->out, style);
	va_start(ap, format);
	add_words(paragraph, format, ap);
	va_end(ap);
	put_style(paragraph->out, STYLE_PLAIN);
}

void paragraph_end(struct paragraph *paragraph)
{
	fputc('\n', paragraph->out);
}

void paragraph_line(FILE *out, size_t indent, const char *format, ...)
{
	struct paragraph p = {out, indent, indent, false};
	va_list ap;

	fprintf(out, "%*s", (int)indent, "");
	va_start(ap, format);
	add_words(&p, format, ap);
	va_end(ap);
	paragraph_end(&p);
}

const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* What surrounds the items, and the longest item. */
#define JSON_FRAME_SIZE ((size_t)4 * 1024 * 1024)
#define JSON_ITEM_SIZE	2048

int open_world(const char *sysroot, struct world **ret)
{
	int r = wall_set(sysroot);

	if (r == 0)
		r = world_open(sysroot, ret);
	if (r < 0)
		say_error("%s: it cannot be opened: %s", sysroot ? sysroot : "/",
			  errno_text(r));
	return r;
}

void say_no_inventory(int error)
{
	char message[REASON_MESSAGE_SIZE];

	if (error == -ENOMEM)
		reason_message(REASON_LIMIT, "memory for devices", message);
	else
		reason_message(REASON_NO_SYSFS, errno_text(error), message);
	say_error("%s", message);
}

int begin_json(struct arena *arena, size_t items, struct json *ret)
{
	*ret = (struct json){.size = JSON_FRAME_SIZE + items * JSON_ITEM_SIZE};
	ret->buf = arena_alloc(arena, ret->size, 1);
	if (ret->buf)
		return 0;
	say_error("out of memory");
	return -ENOMEM;
}

int end_json(const struct json *json)
{
	if (json->is_full) {
		say_error("the result is too large to be written as JSON");
		return EXIT_FAILED;
	}
	fwrite(json->buf, 1, json->used, stdout);
	return 0;
}
