/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "message.h"
#include "text.h"

#define WORD_MAX       32 /* longer words are no misspelling of ours */
#define MEANING_INDENT 21 /* of what an option means, in help */

static const struct option_spec help_option = {
	.name = "help",
	.help = "show this text",
};

static const char *color_value(size_t i)
{
	static const char *const values[] = {"auto", "always", "never", NULL};

	return values[i];
}

static const char *color_when;
/* Of all commands, as --help. */
static const struct option_spec color_option = {
	.name = "color",
	.argument = "WHEN",
	.help = "auto (on a terminal), always or never",
	.ret_string = &color_when,
	.value = color_value,
};
static const struct option_spec *const common_options[] = {&color_option, &help_option};

const struct option_spec *option_at(const struct command_spec *spec, size_t i)
{
	if (i < spec->option_count)
		return &spec->options[i];
	i -= spec->option_count;
	return i < ARRAY_SIZE(common_options) ? common_options[i] : NULL;
}

/* How many letters differ, are missing, superfluous or swapped with their neighbour. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1], n = strlen(b);
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t k = 0; k <= n; k++)
		last[k] = k;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t *spare = before;

		now[0] = i;
		for (size_t k = 1; k <= n; k++) {
			size_t replaced = last[k - 1] + (a[i - 1] != b[k - 1]);

			now[k] = MIN(last[k], now[k - 1]) + 1;
			now[k] = MIN(now[k], replaced);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
			    a[i - 2] == b[k - 1])
				now[k] = MIN(now[k], before[k - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[n];
}

const char *nearest_name(const char *word, const char *(*get)(const void *arg, size_t i),
			 const void *arg, size_t count)
{
	const char *best = NULL;
	size_t best_distance = 0, n = strlen(word);

	if (n == 0 || n > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *name = get(arg, i);
		size_t d = strncmp(word, name, n) == 0 ? 1 : distance(word, name);

		/* Up to a third of the word may be wrong, or one letter. */
		if (d > MAX(n / 3, (size_t)1) || (best && d >= best_distance))
			continue;
		best = name;
		best_distance = d;
	}
	return best;
}

static const char *option_name(const void *arg, size_t i)
{
	const struct command_spec *spec = arg;

	return option_at(spec, i)->name;
}

bool option_is_alone(const struct option_spec *option)
{
	return !option->argument || option->argument[0] == '[';
}

/* A word of the command line in a column of its own, and what it means. */
static void print_meaning(const char *word, const char *meaning)
{
	struct paragraph p = {stdout, MEANING_INDENT, MEANING_INDENT, false};
	int n = printf("  %-*s ", MEANING_INDENT - 3, word);

	p.column = MAX((size_t)n, p.column);
	paragraph_add(&p, "%s", meaning);
	paragraph_end(&p);
}

static void print_option(const struct option_spec *option)
{
	char left[64], letter[8] = "";

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name,
		 option_is_alone(option) ? "" : " ",
		 option->argument ? option->argument : "");
	print_meaning(left, option->help);
}

/* "  WORD   MEANING", or a paragraph: where further lines of it begin. */
static size_t text_indent(struct text line)
{
	size_t at = 0;

	while (at < line.n && line.p[at] == ' ')
		at++;
	for (size_t i = at; at > 0 && i + 1 < line.n; i++)
		if (line.p[i] == ' ' && line.p[i + 1] == ' ') {
			while (i < line.n && line.p[i] == ' ')
				i++;
			return i;
		}
	return at;
}

static void print_text(struct text line)
{
	size_t at = text_indent(line);
	struct paragraph p = {stdout, at, at, false};

	printf("%.*s", (int)at, line.p);
	paragraph_add(&p, "%.*s", (int)(line.n - at), line.p + at);
	paragraph_end(&p);
}

static void print_help(const struct command_spec *spec)
{
	struct text rest = text_of(spec->text), line;
	const struct option_spec *option;

	terminal_wrap();
	printf("usage: earlybind %s %s\n", spec->name, spec->synopsis);
	while (text_cut(&rest, '\n', &line))
		print_text(line);
	for (size_t i = 0; (option = option_at(spec, i)); i++)
		print_option(option);
	if (spec->words_head)
		printf("\n%s\n", spec->words_head);
	for (const struct word_help *w = spec->words; w && w->word; w++)
		print_meaning(w->word, w->meaning);
	printf("\nexample: %s\n", spec->example);
}

static void unknown(const struct command_spec *spec, struct text name, const char *word)
{
	char copy[WORD_MAX + 1] = "";
	const char *near = NULL;

	if (name.n < sizeof(copy)) {
		memcpy(copy, name.p, name.n);
		near = nearest_name(copy, option_name, spec,
				    spec->option_count + ARRAY_SIZE(common_options));
	}
	if (near)
		say_error("%s: there is no option %s: did you mean --%s?", spec->name,
			  word, near);
	else
		say_error("%s: there is no option %s: see \"earlybind %s --help\"",
			  spec->name, word, spec->name);
}

/* "-v" */
static const struct option_spec *find_letter(const struct command_spec *spec,
					     struct text word)
{
	for (size_t i = 0; word.n == 2 && i < spec->option_count; i++)
		if (spec->options[i].letter == word.p[1])
			return &spec->options[i];
	return NULL;
}

const struct option_spec *option_find(const struct command_spec *spec, struct text name)
{
	const struct option_spec *option;

	/* As util-linux, systemd and dracut call it. */
	if (text_is(name, "root"))
		name = text_of("sysroot");
	for (size_t i = 0; (option = option_at(spec, i)); i++)
		if (text_is(name, option->name))
			break;
	return option;
}

/* Says what is wrong with the value. */
static bool set(const struct command_spec *spec, const struct option_spec *option,
		const char *value)
{
	if (option->ret_flag) {
		*option->ret_flag = true;
		return true;
	}
	/* A command line may be empty; a name may not. */
	if (value[0] == '\0' && option->argument &&
	    strcmp(option->argument, "STRING") != 0) {
		say_error("%s: --%s needs a value: %s", spec->name, option->name,
			  option->argument);
		return false;
	}
	if (option->ret_string) {
		*option->ret_string = value;
		return true;
	}
	if (option->ret_strings->count == STRINGS_MAX) {
		say_error("%s: --%s is given more than %d times", spec->name,
			  option->name, STRINGS_MAX);
		return false;
	}
	option->ret_strings->items[option->ret_strings->count++] = value;
	return true;
}

/* One option, argv[*at]; *at moves on if the value is the next word. NULL: said. */
static const struct option_spec *parse_one(const struct command_spec *spec, int argc,
					   char **argv, int *at)
{
	struct text rest = text_of(argv[*at]), name;
	const struct option_spec *option;

	if (text_is(rest, "-h"))
		return &help_option;
	if (text_has_prefix(rest, "--")) {
		rest.p += 2;
		rest.n -= 2;
	}
	(void)text_cut(&rest, '=', &name);
	option = argv[*at][1] == '-' ? option_find(spec, name) : find_letter(spec, name);
	if (!option) {
		unknown(spec, name, argv[*at]);
		return NULL;
	}
	if (!option->argument && rest.p) {
		say_error("%s: --%s takes no value", spec->name, option->name);
		return NULL;
	}
	if (option == &help_option)
		return option;
	if (!option_is_alone(option) && !rest.p && ++*at == argc) {
		say_error("%s: --%s needs a value: %s", spec->name, option->name,
			  option->argument);
		return NULL;
	}
	if (option_is_alone(option) && option->ret_string && !rest.p) {
		*option->ret_string = "";
		return option;
	}
	return set(spec, option, rest.p ? rest.p : argv[*at]) ? option : NULL;
}

/* A word that is no option. */
static bool take_word(const struct command_spec *spec, const char *word)
{
	struct strings *words = spec->ret_words;

	if (!words) {
		say_error("%s: \"%s\" is one word too many: see \"earlybind %s --help\"",
			  spec->name, word, spec->name);
		return false;
	}
	if (words->count == STRINGS_MAX) {
		say_error("%s: there are more than %d words", spec->name, STRINGS_MAX);
		return false;
	}
	words->items[words->count++] = word;
	return true;
}

static options_taker *taker;
static struct arena *taker_arena;

void options_hand_to(options_taker *take, struct arena *arena)
{
	taker = take;
	taker_arena = arena;
}

static options_opener *opener;

void options_open_trees_by(options_opener *by)
{
	opener = by;
}

static bool open_trees(const struct command_spec *spec)
{
	for (size_t i = 0; i < spec->option_count && opener; i++) {
		const struct option_spec *option = &spec->options[i];

		if (!option->ret_string || !*option->ret_string || !option->argument ||
		    strcmp(option->argument, OPTIONS_TREE) != 0)
			continue;
		*option->ret_string = opener(*option->ret_string);
		if (!*option->ret_string)
			return false;
	}
	return true;
}

bool options_parse(const struct command_spec *spec, int argc, char **argv, int *ret_code)
{
	bool is_behind = false; /* of "--" */

	if (taker) {
		taker(spec, argc, argv, taker_arena);
		*ret_code = EXIT_OK;
		return false;
	}
	for (int i = 1; i < argc; i++) {
		const struct option_spec *option;

		if (is_behind || argv[i][0] != '-' || argv[i][1] == '\0') {
			if (take_word(spec, argv[i]))
				continue;
			*ret_code = EXIT_WRONG_USAGE;
			return false;
		}
		if (strcmp(argv[i], "--") == 0) {
			is_behind = true;
			continue;
		}
		option = parse_one(spec, argc, argv, &i);
		if (!option) {
			*ret_code = EXIT_WRONG_USAGE;
			return false;
		}
		if (option == &help_option) {
			print_help(spec);
			*ret_code = EXIT_OK;
			return false;
		}
	}
	if (terminal_set_color(color_when) < 0) {
		say_error("%s: --color is auto, always or never, not \"%s\"", spec->name,
			  color_when);
		*ret_code = EXIT_WRONG_USAGE;
		return false;
	}
	*ret_code = EXIT_FAILED;
	return open_trees(spec);
}
