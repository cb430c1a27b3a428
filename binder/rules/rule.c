/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rule.h"

#include <errno.h>
#include <stdio.h>

int on_failure_parse(struct text t, enum on_failure *ret)
{
	if (text_is(t, "restore"))
		*ret = ON_FAILURE_RESTORE;
	else if (text_is(t, "hold"))
		*ret = ON_FAILURE_HOLD;
	else if (text_is(t, "shell"))
		*ret = ON_FAILURE_SHELL;
	else
		return -EINVAL;
	return 0;
}

const char *on_failure_name(enum on_failure on_failure)
{
	switch (on_failure) {
	case ON_FAILURE_DEFAULT:
		return "default";
	case ON_FAILURE_RESTORE:
		return "restore";
	case ON_FAILURE_HOLD:
		return "hold";
	case ON_FAILURE_SHELL:
		return "shell";
	}
	return "";
}

static const struct {
	const char *name;
	enum allow bit;
} allows[] = {
	{"console", ALLOW_CONSOLE},
	{"storage", ALLOW_STORAGE},
	{"network", ALLOW_NETWORK},
};

const char *allow_name(unsigned allow)
{
	for (size_t i = 0; i < ARRAY_SIZE(allows); i++)
		if (allows[i].bit == allow)
			return allows[i].name;
	return "";
}

/* 0 for a word that is none. */
static unsigned find_allow(struct text word)
{
	for (size_t i = 0; i < ARRAY_SIZE(allows); i++)
		if (text_is(word, allows[i].name))
			return allows[i].bit;
	return 0;
}

/* "console,storage" */
static int parse_allow(struct text list, unsigned *allow)
{
	struct text word;

	while (text_cut(&list, ',', &word)) {
		unsigned bit = find_allow(word);

		if (!bit)
			return -EINVAL;
		*allow |= bit;
	}
	return 0;
}

const char *rule_kind_name(enum rule_kind kind)
{
	switch (kind) {
	case RULE_BIND:
		return "bind";
	case RULE_KEEP:
		return "keep";
	case RULE_CRITICAL:
		return "critical";
	}
	return "";
}

const char *with_name(enum with with)
{
	switch (with) {
	case WITH_NOTHING:
		break;
	case WITH_FUNCTIONS:
		return "functions";
	case WITH_GROUP:
		return "group";
	}
	return "";
}

static int parse_with(struct text value, enum with *ret)
{
	for (enum with with = WITH_FUNCTIONS; with <= WITH_GROUP; with++)
		if (text_is(value, with_name(with))) {
			*ret = with;
			return 0;
		}
	return -EINVAL;
}

#define UNKNOWN_OPTION \
	"unknown option: a rule has optional, follow, driver=, on-failure=, allow= and with="

static const char *parse_driver(struct text value, struct rule *rule)
{
	if (rule->kind != RULE_BIND)
		return "driver= is for bind rules: what is kept stays with its own driver";
	if (!driver_is_name(value))
		return "driver= is vfio-pci, auto or a driver's name: 1 to 63 of A-Z, a-z, "
		       "0-9, _ and -";
	rule->driver = value;
	return NULL;
}

/* Returns NULL, or what is wrong with the word. */
static const char *parse_option(struct text word, struct rule *rule)
{
	struct text value = word, name;

	if (text_is(word, "optional")) {
		rule->optional = true;
		return NULL;
	}
	if (text_is(word, "follow")) {
		rule->follow = true;
		return rule->kind == RULE_BIND ? NULL : "follow is for bind rules only";
	}
	if (!text_cut(&value, '=', &name) || !value.p)
		return UNKNOWN_OPTION;
	if (text_is_param(name, "on-failure")) {
		if (on_failure_parse(value, &rule->on_failure) < 0)
			return ON_FAILURE_USAGE;
		return NULL;
	}
	if (text_is(name, "allow")) {
		if (parse_allow(value, &rule->allow) < 0)
			return "allow= is console, storage or network, or several of them "
			       "joined by commas";
		return NULL;
	}
	if (text_is(name, "driver"))
		return parse_driver(value, rule);
	if (text_is(name, "with")) {
		if (rule->kind != RULE_BIND)
			return "with= is an option of bind rules: keep names every function";
		if (parse_with(value, &rule->with) < 0)
			return "with= is functions or group";
		return NULL;
	}
	return UNKNOWN_OPTION;
}

int rule_parse_options(struct text options, char separator, struct rule *rule,
		       struct text *ret_word, const char **ret_message)
{
	struct text word;

	while (separator == ' ' ? text_word(&options, &word)
				: text_cut(&options, separator, &word)) {
		const char *wrong = parse_option(word, rule);

		if (wrong) {
			*ret_word = word;
			*ret_message = wrong;
			return -EINVAL;
		}
	}
	return 0;
}

bool rule_is_recorded(const struct rule *rule)
{
	return rule->kind == RULE_CRITICAL && text_is(rule->origin.file, RECORDED);
}

int rule_parse_critical(struct text options, struct rule *rule, struct text *ret_word,
			const char **ret_message)
{
	struct text word = options;

	(void)text_word(&options, &word);
	rule->allow = find_allow(word);
	if (!rule->allow) {
		*ret_word = word;
		*ret_message = "a critical device is storage, network or console";
		return -EINVAL;
	}
	rule->carries = text_trim(options);
	return 0;
}

const char *origin_format(const struct origin *o, char buf[static ORIGIN_SIZE])
{
	/* ":line:column" always fits. */
	int file = (int)MIN(o->file.n, (size_t)(ORIGIN_SIZE - 32));

	switch (o->source) {
	case SOURCE_CMDLINE:
		if (o->file.n > 0)
			break;
		snprintf(buf, ORIGIN_SIZE, "command line");
		return buf;
	case SOURCE_MODPROBE:
		snprintf(buf, ORIGIN_SIZE, "modprobe.d");
		return buf;
	case SOURCE_ARGUMENT:
		snprintf(buf, ORIGIN_SIZE, "argument");
		return buf;
	case SOURCE_TABLE:
	case SOURCE_CONFIG:
		break;
	}
	if (o->file.n == 0)
		snprintf(buf, ORIGIN_SIZE, "table:%u", o->line);
	else if (o->line == 0)
		snprintf(buf, ORIGIN_SIZE, "%.*s", file, o->file.p);
	else if (o->column > 0)
		snprintf(buf, ORIGIN_SIZE, "%.*s:%u:%u", file, o->file.p, o->line,
			 o->column);
	else
		snprintf(buf, ORIGIN_SIZE, "%.*s:%u", file, o->file.p, o->line);
	return buf;
}
