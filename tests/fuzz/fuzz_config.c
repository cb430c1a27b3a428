/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration, and the table that is made of it: they mean the same. */
#include "fuzz.h"

#include "config.h"
#include "policy.h"
#include "selector.h"

static void compare(const struct policy *a, const struct policy *b)
{
	require(a->rule_count == b->rule_count);
	require(a->problem_count == b->problem_count);
	require(a->timeout == b->timeout && a->recovery_timeout == b->recovery_timeout);
	require(a->on_failure == b->on_failure);
	require(a->ignore_recorded == b->ignore_recorded);
	require(a->known_count == b->known_count);
	for (size_t i = 0; i < a->known_count; i++)
		require(strcmp(a->known[i].selector, b->known[i].selector) == 0 &&
			a->known[i].ids.n == b->known[i].ids.n);
	for (size_t i = 0; i < a->rule_count; i++) {
		const struct rule *x = &a->rules[i], *y = &b->rules[i];
		char first[SELECTOR_SIZE], second[SELECTOR_SIZE];

		require(x->kind == y->kind && x->optional == y->optional);
		require(x->on_failure == y->on_failure && x->allow == y->allow);
		require(x->with == y->with && x->vfs == y->vfs);
		require(x->origin.line == y->origin.line);
		require(x->profile.n == y->profile.n);
		require(strcmp(selector_format(&x->selector, first),
			       selector_format(&y->selector, second)) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text whole = fuzz_text(data, size);
	/* Each line gets its origin in front. */
	size_t capacity = size * 20 + 64;
	char *table = malloc(capacity);
	struct policy file, embedded;
	int n;

	require(table);
	require(policy_init(&file, fuzz_arena(0)) == 0);
	config_parse(&file, SOURCE_CONFIG, TEXT("c"), whole);
	for (size_t i = 0; i < file.problem_count; i++)
		require(file.problems[i].origin.line >= 1);
	n = config_normalise(TEXT("c"), whole, table, capacity);
	require(n >= 0);
	/* Behind a NUL nothing counts; the companion refuses such a file. */
	if (size == 0 || !memchr(data, '\0', size)) {
		require(policy_init(&embedded, fuzz_arena(1)) == 0);
		config_parse(&embedded, SOURCE_TABLE, (struct text){"", 0},
			     (struct text){table, (size_t)n});
		compare(&file, &embedded);
	}
	free(table);
	free((char *)whole.p);
	return 0;
}
