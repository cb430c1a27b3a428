/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: split, and read into a policy. */
#include "fuzz.h"

#include "kernel_cmdline.h"
#include "policy.h"

static void split(struct text whole)
{
	struct text rest = whole;
	struct cmdline_arg arg;

	for (;;) {
		struct text before = rest;
		bool value;

		if (!cmdline_next(&rest, &arg))
			break;
		require(rest.p > before.p && is_within(rest, whole));
		require(is_within(arg.name, whole) && arg.name.p >= before.p);
		if (arg.value.p) {
			require(is_within(arg.value, whole));
			require(arg.value.p > arg.name.p + arg.name.n);
			require(arg.value.p + arg.value.n <= rest.p);
			/* Only the first '=' splits. */
			require(!arg.name.n ||
				!memchr(arg.name.p + 1, '=', arg.name.n - 1));
		}
		require(!arg.name.n || !memchr(arg.name.p, '\0', arg.name.n));
		(void)!cmdline_bool(&arg, &value);
		(void)cmdline_is_end(&arg);
	}
	require(rest.n == 0);
	require(!cmdline_next(&rest, &arg));
}

/* A control character ends a piece; the last one is the kernel's own. */
static size_t cut(struct text whole, struct cmdline_piece pieces[static 3])
{
	struct text rest = whole, part;
	size_t n = 0;

	for (; n < 2 && text_cut(&rest, '\1', &part); n++)
		pieces[n] = (struct cmdline_piece){TEXT("file.conf"), part};
	pieces[n] = (struct cmdline_piece){.bytes = rest};
	return n + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text whole = fuzz_text(data, size);
	struct cmdline_piece pieces[3];
	struct policy policy;

	split(whole);
	require(policy_init(&policy, fuzz_arena(0)) == 0);
	policy_add_cmdline(&policy, pieces, cut(whole, pieces));
	require(policy.rule_count <= RULES_MAX && policy.problem_count <= PROBLEMS_MAX);
	require(policy.timeout >= 1 && policy.timeout <= TIMEOUT_MAX);
	require(policy.recovery_timeout >= 1 && policy.recovery_timeout <= TIMEOUT_MAX);
	for (size_t i = 0; i < policy.problem_count; i++)
		require(policy.problems[i].message && policy.problems[i].message[0]);
	free((char *)whole.p);
	return 0;
}
