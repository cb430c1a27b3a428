/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What could stand at the end of a command line, for the shells. One candidate per line, with
 * a tab and what it means; ":files" and ":dirs" leave it to the shell.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "options.h"

/* Prints the candidates for the last of the words behind the command's name, argv[0]. */
void complete_words(const struct command_spec *spec, int argc, char **argv,
		    struct arena *arena) nonnull(1, 3, 4);

/* A candidate, if it begins as @word does. */
void complete_candidate(const char *word, const char *candidate, const char *meaning)
	nonnull(1, 2, 3);
