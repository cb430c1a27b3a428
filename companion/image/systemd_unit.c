/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "systemd_unit.h"

#include <errno.h>
#include <string.h>

enum kind {
	KIND_LIST, /* of words */
	KIND_COMMAND, /* the first word of each */
	KIND_VALUE, /* the last one counts */
};

static const struct setting {
	const char *section;
	const char *name;
	enum kind kind;
	size_t offset;
} settings[] = {
	{"[Unit]", "Before", KIND_LIST, offsetof(struct unit, before)},
	{"[Unit]", "After", KIND_LIST, offsetof(struct unit, after)},
	{"[Unit]", "ConditionPathExists", KIND_LIST, offsetof(struct unit, paths)},
	{"[Unit]", "AssertPathExists", KIND_LIST, offsetof(struct unit, paths)},
	{"[Unit]", "DefaultDependencies", KIND_VALUE,
	 offsetof(struct unit, default_dependencies)},
	{"[Service]", "ExecStart", KIND_COMMAND, offsetof(struct unit, commands)},
	{"[Service]", "TimeoutStartSec", KIND_VALUE, offsetof(struct unit, timeout)},
	{"[Service]", "TimeoutSec", KIND_VALUE, offsetof(struct unit, timeout)},
	{"[Service]", "Type", KIND_VALUE, offsetof(struct unit, type)},
};

bool unit_has(const struct unit_list *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (text_is(list->words[i], word))
			return true;
	return false;
}

static void add(struct unit_list *list, struct text word)
{
	if (list->count < UNIT_WORDS_MAX)
		list->words[list->count++] = word;
}

static void add_command(struct unit_list *list, struct text value)
{
	struct text word;

	while (value.n > 0 && value.p[0] != '\0' && strchr("@-:+!|", value.p[0])) {
		value.p++;
		value.n--;
	}
	if (text_word(&value, &word))
		add(list, word);
}

static void set(struct unit *unit, const struct setting *s, struct text value)
{
	void *field = (char *)unit + s->offset;
	struct unit_list *list = field;
	struct text word;

	if (s->kind == KIND_VALUE) {
		*(struct text *)field = value;
	} else if (value.n == 0) {
		list->count = 0;
	} else if (s->kind == KIND_COMMAND) {
		add_command(list, value);
	} else {
		while (text_word(&value, &word))
			add(list, word);
	}
}

static void parse_line(struct unit *unit, struct text line, struct text *section)
{
	struct text name;

	line = text_trim(line);
	if (line.n == 0)
		return;
	if (line.p[0] == '[') {
		*section = line;
		return;
	}
	if (!text_cut(&line, '=', &name) || !line.p)
		return;
	name = text_trim(name);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (text_is(*section, settings[i].section) &&
		    text_is(name, settings[i].name))
			set(unit, &settings[i], text_trim(line));
}

/* A '\' at the end joins the next line, and comments in between are skipped. */
int unit_parse(struct text bytes, struct arena *arena, struct unit *unit)
{
	/* Every line goes through here once, and is not longer joined than apart. */
	char *buf = arena_alloc(arena, bytes.n + 1, 1);
	struct text line, section = TEXT(""), whole = {buf, 0};

	if (!buf)
		return -ENOMEM;
	while (text_cut(&bytes, '\n', &line)) {
		struct text start = text_trim(line);
		bool is_joined;

		if (start.n > 0 && (start.p[0] == '#' || start.p[0] == ';'))
			continue;
		while (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		is_joined = line.n > 0 && line.p[line.n - 1] == '\\';
		if (line.n > 0)
			memcpy(buf + whole.n, line.p, line.n);
		whole.n += line.n;
		if (is_joined) {
			buf[whole.n - 1] = ' ';
			continue;
		}
		parse_line(unit, whole, &section);
		buf += whole.n;
		whole = (struct text){buf, 0};
	}
	parse_line(unit, whole, &section);
	return 0;
}
