/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands: each takes what follows "earlybind" and returns the exit code. */
#pragma once

#include "arena.h"
#include "compiler.h"

/* Exit codes that all commands share; the others are in each command's --help. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_WRONG_USAGE = 2,
};

int command_add(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_apply(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_bind(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_capture(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_check(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_cmdline(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_embed(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_explain(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_export(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_image(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_import(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_keep(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_list(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_plan(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_release(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_remove(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_select(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
int command_status(int argc, char **argv, struct arena *arena) must_check nonnull(2, 3);
