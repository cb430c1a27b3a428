/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "complete.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "accel.h"
#include "bdf.h"
#include "export.h"
#include "files.h"
#include "identity.h"
#include "inventory.h"
#include "message.h"
#include "module_tree.h"
#include "pci_names.h"
#include "paths.h"
#include "policy.h"
#include "rule_request.h"
#include "sources.h"
#include "wall.h"
#include "world.h"

struct completion {
	const struct command_spec *spec;
	struct arena *arena;
	const char *word; /* the last one, not finished */
	const char *sysroot; /* NULL for this machine */
	struct text option; /* "--by=" of "--by=t", or empty */
	size_t before; /* words that are no options, before it */
};

void complete_candidate(const char *word, const char *candidate, const char *meaning)
{
	struct text rest = text_of(candidate);

	if (strncmp(word, candidate, strlen(word)) != 0)
		return;
	/* Another word than this one is no candidate. */
	for (size_t n; rest.n > 0; rest.p += n, rest.n -= n) {
		n = text_safe_length(rest);
		if (n == 0)
			return;
	}
	put_text(stdout, text_of(candidate));
	putchar('\t');
	put_text(stdout, text_of(meaning));
	putchar('\n');
}

/* An address without the domain 0000 where the word has none either. */
static const char *short_address(const struct completion *c, const char *address)
{
	bool is_zero = strncmp(address, "0000:", 5) == 0;

	return is_zero && strncmp(c->word, "0000", 4) != 0 ? address + 5 : address;
}

static void complete_devices(const struct completion *c)
{
	struct names *names = NULL;
	struct inventory now;
	struct world *world;

	if (world_open(c->sysroot, &world) < 0 ||
	    inventory_read(world, c->arena, NULL, NULL, &now) < 0)
		return;
	/* Without names there are IDs. */
	if (names_open(c->arena, c->sysroot, NULL, &names) < 0)
		names = NULL;
	for (size_t i = 0; i < now.count; i++) {
		const struct pci_device *d = &now.devices[i];
		const char *vendor, *device, *meaning;
		char address[BDF_SIZE];

		if (d->is_bridge)
			continue;
		vendor = names_vendor(names, d->ids.vendor, c->arena);
		device = names_device(names, &d->ids, c->arena);
		meaning = arena_printf(c->arena, "[%04x:%04x]%s%s%s%s%s%s%s",
				       d->ids.vendor, d->ids.device, vendor ? " " : "",
				       vendor ? vendor : "", device ? " " : "",
				       device ? device : "", d->driver[0] ? " (" : "",
				       d->driver, d->driver[0] ? ")" : "");
		bdf_format(d->bdf, address);
		complete_candidate(c->word, short_address(c, address),
				   meaning ? meaning : "");
	}
}

static const struct word_help terms[] = {
	{"path=", "the way to the card from its root port"},
	{"serial=", "the serial number of the card"},
	{"slot=", "the slot that the card is in"},
	{"class=", "2, 4 or 6 digits of the class"},
};

static bool has_start(const char *word, const char *whole)
{
	return strncmp(whole, word, strlen(word)) == 0;
}

/* "path=": what the devices of this machine have there. */
static void complete_names(const struct completion *c)
{
	struct identity identity;
	struct inventory now;
	struct world *world;

	if (world_open(c->sysroot, &world) < 0 ||
	    inventory_read(world, c->arena, NULL, NULL, &now) < 0 ||
	    identity_open(world, c->arena, &now, &identity) < 0)
		return;
	for (size_t i = 0; i < now.count; i++) {
		struct text rest = text_of(identity_names(&identity, &now.devices[i]));
		char address[BDF_SIZE];
		struct text word;

		bdf_format(now.devices[i].bdf, address);
		while (text_word(&rest, &word)) {
			const char *name = arena_copy(c->arena, word);

			if (name && strchr(name, '='))
				complete_candidate(c->word, name, address);
		}
	}
}

/* Terms; of a word that is not begun there would be too many. */
static bool complete_terms(const struct completion *c)
{
	bool is_begun = false;

	for (size_t i = 0; i < ARRAY_SIZE(terms) && c->word[0]; i++) {
		if (has_start(terms[i].word, c->word)) {
			complete_names(c);
			return true;
		}
		is_begun |= has_start(c->word, terms[i].word);
		complete_candidate(c->word, terms[i].word, terms[i].meaning);
	}
	return is_begun;
}

/* The groups of accelerators; likewise. */
static bool complete_groups(const struct completion *c)
{
	static const char term[] = "accel=";
	size_t n = MIN(strlen(c->word), strlen(term));

	if (n == 0 || strncmp(c->word, term, n) != 0)
		return false;
	for (unsigned g = 0; accel_group_description(g); g++) {
		const char *text =
			arena_printf(c->arena, "%s%s", term, accel_group_name(g));

		if (text)
			complete_candidate(c->word, text, accel_group_description(g));
	}
	return true;
}

/* The rules that there are: what remove can take away. */
static void complete_rules(const struct completion *c)
{
	const struct strings none = {0};
	static struct sources sources;
	struct policy policy;
	struct world *world;

	if (world_open(c->sysroot, &world) < 0 ||
	    sources_read(world, c->arena, &none, &sources) < 0 ||
	    policy_init(&policy, c->arena) < 0)
		return;
	sources_parse(&sources, &policy);
	for (size_t i = 0; i < policy.rule_count; i++) {
		const struct rule *rule = &policy.rules[i];
		const char *text = arena_copy(c->arena, rule->text);

		/* For "remove". */
		if (text && rule->kind != RULE_CRITICAL)
			complete_candidate(c->word, text, rule_kind_name(rule->kind));
	}
}

static void complete_formats(const struct completion *c)
{
	const struct export_format *format;

	for (size_t i = 0; (format = export_format(i)); i++)
		complete_candidate(c->word, format->name, format->summary);
}

/* A value, behind the option's name where they are one word. */
static void complete_one_value(const struct completion *c, const char *value,
			       const char *meaning)
{
	const char *word =
		arena_printf(c->arena, "%.*s%s", (int)c->option.n, c->option.p, value);

	if (word)
		complete_candidate(c->word, word, meaning);
}

static void complete_kernels(const struct completion *c)
{
	const char *folder = path_below(c->arena, c->sysroot, MODULES_PATH);
	DIR *d = folder ? opendir(folder) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (module_tree_is_version(e->d_name))
			complete_one_value(c, e->d_name, "kernel");
	if (d)
		closedir(d);
}

static void complete_ways(const struct completion *c)
{
	const char *name, *why;

	for (size_t i = 0; (name = proposal_name(i, &why)); i++)
		complete_one_value(c, name, why);
	complete_one_value(c, "exact", "as typed");
}

static void complete_value(const struct completion *c, const struct option_spec *option)
{
	const char *value;

	for (size_t i = 0; option->value && (value = option->value(i)); i++)
		complete_one_value(c, value, option->help);
	if (option->value)
		return;
	if (strcmp(option->argument, "VERSION") == 0)
		complete_kernels(c);
	else if (strcmp(option->argument, "WAY") == 0)
		complete_ways(c);
	else if (strcmp(option->argument, "DIR") == 0)
		puts(":dirs");
	else if (strcmp(option->argument, "FILE") == 0 ||
		 strcmp(option->argument, OPTIONS_TREE) == 0 ||
		 strcmp(option->argument, "IMAGE") == 0)
		puts(":files");
}

static void complete_options(const struct completion *c)
{
	const struct option_spec *option;

	for (size_t i = 0; (option = option_at(c->spec, i)); i++) {
		const char *name = arena_printf(c->arena, "--%s", option->name);

		if (name)
			complete_candidate(c->word, name, option->help);
	}
}

static void complete_selector(const struct completion *c, bool has_options)
{
	bool is_known = complete_terms(c);

	is_known |= complete_groups(c);
	/* Options stand behind a device. */
	for (size_t i = 0; has_options && c->before > 0 && rule_options[i].word; i++) {
		const struct word_help *option = &rule_options[i];

		is_known |= c->word[0] && has_start(c->word, option->word);
		complete_candidate(c->word, option->word, option->meaning);
	}
	if (!is_known)
		complete_devices(c);
}

/* What the command's synopsis calls its words. */
static void complete_word(const struct completion *c)
{
	const char *synopsis = c->spec->synopsis;

	if (!c->spec->ret_words)
		return;
	if (strncmp(synopsis, "FORMAT", strlen("FORMAT")) == 0 && c->before == 0)
		complete_formats(c);
	else if (strcmp(c->spec->name, "remove") == 0)
		complete_rules(c);
	else if (strstr(synopsis, "DEVICE") || strstr(synopsis, "SELECTOR"))
		complete_selector(c, strstr(synopsis, "RULE-OPTION"));
}

/* The option that the word @word is, with what is behind its '='. */
static const struct option_spec *find_option(const struct command_spec *spec,
					     const char *word, const char **ret_value)
{
	struct text rest = text_of(word), name;

	*ret_value = NULL;
	if (!text_has_prefix(rest, "--"))
		return NULL;
	(void)text_cut(&rest, '=', &name);
	name.p += 2;
	name.n -= 2;
	*ret_value = rest.p;
	return option_find(spec, name);
}

void complete_words(const struct command_spec *spec, int argc, char **argv,
		    struct arena *arena)
{
	struct completion c = {.spec = spec, .arena = arena, .word = argv[argc - 1]};
	const struct option_spec *option = NULL; /* that waits for its value */
	const char *value;

	for (int i = 1; i < argc - 1; i++) {
		const struct option_spec *found;

		if (option) {
			if (strcmp(option->name, "sysroot") == 0)
				c.sysroot = argv[i];
			option = NULL;
			continue;
		}
		found = find_option(spec, argv[i], &value);
		if (found && !option_is_alone(found) && !value)
			option = found;
		else if (found && value && strcmp(found->name, "sysroot") == 0)
			c.sysroot = value;
		c.before += argv[i][0] != '-';
	}
	if (wall_set(c.sysroot) < 0)
		return;
	/* Of "--config=FI" the shell knows the part behind "=". */
	if (!option && find_option(spec, c.word, &value) && value) {
		option = find_option(spec, c.word, &value);
		c.option = (struct text){c.word, (size_t)(value - c.word)};
	}
	if (option && option->argument)
		complete_value(&c, option);
	else if (c.word[0] == '-')
		complete_options(&c);
	else
		complete_word(&c);
}
