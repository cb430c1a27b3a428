/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of a command, from one description that also writes its --help. */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "text.h"

/* An option that may be repeated. */
#define STRINGS_MAX 64

struct strings {
	const char *items[STRINGS_MAX];
	size_t count;
};

struct option_spec {
	const char *name; /* without "--" */
	const char *argument; /* what --help calls its value; NULL for a switch; with
				 "[=" in front it may be missing, and is "" then */
	const char *help;
	/* Where it goes: one of these. */
	bool *ret_flag;
	const char **ret_string;
	struct strings *ret_strings;
	char letter; /* "-v" is the same; 0 for none */
	/* Its values one by one, for completion, and NULL behind the last; NULL: any. */
	const char *(*value)(size_t i);
};

/* A word with a meaning: the last of a list has none. */
struct word_help {
	const char *word;
	const char *meaning;
};

struct command_spec {
	const char *name;
	const char *synopsis; /* what follows the name in "usage:" */
	const char *text; /* paragraphs, and lines "  WORD   MEANING" */
	const char *example; /* one command line and, if needed, what it means */
	const char *words_head; /* the line above @words; NULL: there are none */
	const struct word_help *words; /* that may stand in its arguments */
	const struct option_spec *options;
	size_t option_count;
	struct strings
		*ret_words; /* arguments that are no options; NULL: there are none */
};

/*
 * Parses everything behind the command's name, argv[0]. Options and other words may be mixed;
 * behind "--" there are only words. False if the command ends here, since --help was printed
 * or an error said, with the exit code.
 */
bool options_parse(const struct command_spec *spec, int argc, char **argv,
		   int *ret_code) must_check nonnull(1, 3, 4);

/* The options of a command, with those that all have, one by one; NULL behind the last. */
const struct option_spec *option_at(const struct command_spec *spec, size_t i) nonnull(1);

/* The option with this name, without "--"; NULL: there is none. "root" is "sysroot". */
const struct option_spec *option_find(const struct command_spec *spec, struct text name)
	nonnull(1);

/* Whether its value does not stand in the next word. */
bool option_is_alone(const struct option_spec *option) nonnull(1);

/*
 * What options_parse() opens a value by whose argument is called OPTIONS_TREE: a folder, or what
 * becomes one. It gives NULL, and has said why, if it cannot.
 */
#define OPTIONS_TREE "TREE"
typedef const char *options_opener(const char *path);
void options_open_trees_by(options_opener *by) nonnull(1);

/* From now on options_parse() gives all words to @take instead, and the command ends. */
struct arena;
typedef void options_taker(const struct command_spec *spec, int argc, char **argv,
			   struct arena *arena);
void options_hand_to(options_taker *take, struct arena *arena) nonnull(1, 2);

/* The candidate that is most like @word, or NULL if none is near; @get gives its name. */
const char *nearest_name(const char *word, const char *(*get)(const void *arg, size_t i),
			 const void *arg, size_t count) nonnull(1, 2);
