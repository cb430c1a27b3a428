/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Alveo machine, and a run over it up to the plan. */
#pragma once

#include "test.h"

#include "fake_check.h"

struct machine {
	struct fake_world *w;
	struct arena arena;
	struct run run;
};

/* @is_running: all drivers have their devices. */
static inline struct machine *machine_new(bool is_running)
{
	struct machine *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->w = fake_new();
	fake_load_machine(m->w, "alveo", is_running);
	m->arena = test_arena((size_t)4 * 1024 * 1024);
	return m;
}

static inline void machine_free(struct machine *m)
{
	test_arena_free(&m->arena);
	fake_free(m->w);
	free(m);
}
