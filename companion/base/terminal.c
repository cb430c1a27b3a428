/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "text.h"

#define WIDTH_DEFAULT 79
#define WIDTH_MIN     40
#define WIDTH_MAX     1000

static bool has_color;

static size_t read_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {0};
	uint64_t n = 0;

	if (!isatty(fd))
		return WIDTH_DEFAULT;
	if (!columns || text_decimal(text_of(columns), WIDTH_MAX, &n) < 0)
		n = ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
	/* A serial line has no size. */
	if (n == 0)
		return WIDTH_DEFAULT;
	n = n < WIDTH_MIN ? WIDTH_MIN : MIN(n, WIDTH_MAX);
	return (size_t)n - 1;
}

size_t terminal_width(FILE *out)
{
	static size_t known;

	if (out != stdout)
		return read_width(fileno(out));
	if (known == 0)
		known = read_width(fileno(out));
	return known;
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
