/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What rules cost beside the reading of the bus: usage: matching TREE [MIX]
 *
 * TREE is one of tests/companion/big.py. Each round reads its bus once without a rule,
 * which is one attribute per function, and then once with each mix of rules; the medians
 * of the processor time are compared. With MIX, only that is run, once: for a count of
 * instructions (0 is without a rule).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "config.h"
#include "filter.h"
#include "plan.h"

#define ROUNDS	   15
#define RULES	   100
#define ARENA_SIZE ((size_t)256 * 1024 * 1024)
#define TEXT_SIZE  (RULES * 64)

/* A line of the configuration: so many digits of the rule's number stand in its middle. */
struct line {
	const char *start;
	int digits;
	const char *end;
};

/* Most match nothing; of the last of @mixed and the third of @ids some do. */
static const struct line mixed[] = {
	{"bind 1d0f:", 4, ""},
	{"bind 10ee:", 4, ":10ee:*"},
	{"keep 8086:", 4, ""},
	{"bind 0003:", 2, ":00.0"},
	{"bind 0004:", 2, ":00.*+10ee:*"},
	{"bind class=12", 2, ""},
	{"bind path=05:0", 1, ".0/00.0+10de:*"},
	{"bind serial=00-0a-35-ff-ff-00-12-", 2, "+10ee:*"},
	{"bind *:*:1462:", 4, ""},
	{"bind 00:0", 1, ".1+15b3:101e"},
};
static const struct line ids[] = {
	{"bind 10de:", 4, ""},
	{"bind 8086:", 4, ""},
	{"keep 15b3:20", 2, ""},
	{"bind 1002:", 4, ":1002:*"},
};
static const struct line everything[] = {{"bind *:*:", 0, "*:*"}};

static const struct {
	const char *name;
	const struct line *lines;
	size_t count;
	bool is_planned; /* the plan is a part of the time */
} mixes[] = {
	{"no rule", NULL, 0, false},
	{"100 mixed rules", mixed, ARRAY_SIZE(mixed), false},
	{"100 IDs", ids, ARRAY_SIZE(ids), false},
	{"100 rules, plan", mixed, ARRAY_SIZE(mixed), true},
	{"100 for all, plan", everything, ARRAY_SIZE(everything), true},
};

static unsigned no_rule(const void *arg unused, const struct pci_device *device unused)
{
	return 0;
}

static size_t write_rules(size_t mix, char *text)
{
	size_t n = 0;

	for (unsigned i = 0; mixes[mix].count > 0 && i < RULES; i++) {
		const struct line *line = &mixes[mix].lines[i % mixes[mix].count];

		n += (size_t)snprintf(text + n, TEXT_SIZE - n, "%s", line->start);
		if (line->digits > 0)
			n += (size_t)snprintf(text + n, TEXT_SIZE - n, "%0*x",
					      line->digits,
					      i & ((1u << 4 * line->digits) - 1));
		n += (size_t)snprintf(text + n, TEXT_SIZE - n, "%s\n", line->end);
	}
	return n;
}

/* Processor time in microseconds. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void give_up(const char *what)
{
	fprintf(stderr, "matching: %s\n", what);
	exit(1);
}

static double measure(struct world *world, struct arena *arena, size_t mix)
{
	static char text[TEXT_SIZE];
	struct inventory inventory;
	struct policy policy;
	struct plan plan;
	double start;
	int r;

	arena_rewind(arena, 0);
	if (policy_init(&policy, arena) < 0)
		give_up("out of memory");
	config_parse(&policy, SOURCE_CONFIG, TEXT("bench"),
		     (struct text){text, write_rules(mix, text)});
	if (policy.problem_count > 0 ||
	    policy.rule_count != (mixes[mix].count ? RULES : 0))
		give_up(policy.problem_count ? policy.problems[0].message
					     : "too few rules");
	start = now();
	r = inventory_read(world, arena, mixes[mix].count ? policy_filter : no_rule,
			   &policy, &inventory);
	if (r == 0 && mixes[mix].is_planned)
		r = plan_make(&policy, &inventory, arena, &plan);
	if (r < 0)
		give_up("the tree cannot be read, or is too large");
	return now() - start;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static double times[ARRAY_SIZE(mixes)][ROUNDS];
	struct arena arena = {.size = ARENA_SIZE};
	struct world *world;

	if (argc < 2 || world_open(argv[1], &world) < 0)
		give_up("usage: matching TREE [MIX]");
	arena.base = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena.base == MAP_FAILED)
		give_up("out of memory");
	if (argc > 2) {
		size_t mix = strtoul(argv[2], NULL, 10);

		if (mix >= ARRAY_SIZE(mixes))
			give_up("there is no such mix");
		printf("%s: %.1f ms\n", mixes[mix].name,
		       measure(world, &arena, mix) / 1e3);
		return 0;
	}
	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t mix = 0; mix < ARRAY_SIZE(mixes); mix++)
			times[mix][round] = measure(world, &arena, mix);
	for (size_t mix = 0; mix < ARRAY_SIZE(mixes); mix++) {
		qsort(times[mix], ROUNDS, sizeof(double), compare);
		printf("  %-18s %7.1f ms  %5.2f times%s\n", mixes[mix].name,
		       times[mix][ROUNDS / 2] / 1e3,
		       times[mix][ROUNDS / 2] / times[0][ROUNDS / 2],
		       mix == 1 || mix == 2 ? "  goal: at most 1.3" : "");
	}
	return 0;
}
