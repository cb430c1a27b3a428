/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every access to the machine fails once, in every way that it can, and whatever others can do
 * meanwhile is done at every access: the run still ends in time, and each device is bound,
 * untouched, given back or held, with a verdict and a report that say so. Two faults in one
 * run are drawn at random, the same ones each time.
 *
 * All of that takes a minute or two: "make faults". Among the other tests it is a fifth of it.
 */
#include "test.h"

#include "fake_scenarios.h"

#define SHOWN_MAX 10 /* failures */
#define PAIRS	  100 /* of faults, for each scenario */
#define SHARE	  5 /* one of so many, unless FAULTS=all */

enum end {
	END_FINE,
	END_LATE,
	END_LEAK,
	END_UNEXPLAINED,
	END_COUNT,
};

static struct {
	unsigned runs, pairs;
	unsigned ends[END_COUNT];
	unsigned kinds; /* bits of enum fake_fault */
	uint64_t longest;
} figures;

static enum end end_of(const char *message)
{
	if (!message)
		return END_FINE;
	if (strstr(message, "it took"))
		return END_LATE;
	return strstr(message, "leak") ? END_LEAK : END_UNEXPLAINED;
}

/* Plays and checks; counts. The accesses that there were. */
static unsigned play(const struct fake_scenario *scenario,
		     const struct fake_injection *injection, uint16_t *possible)
{
	char label[256];
	struct fake_boot boot;
	struct fake_world *w;
	const char *message;
	unsigned accesses;
	enum end end;

	snprintf(label, sizeof(label), "%s: access %u: %s, access %u: %s", scenario->name,
		 injection->at, fake_fault_name(injection->fault), injection->second_at,
		 fake_fault_name(injection->second));
	fake_label = label;
	w = fake_play(scenario, injection, &boot);
	message = fake_check_scenario(w, scenario, &boot);
	end = end_of(message);
	if (end != END_FINE && figures.runs - figures.ends[END_FINE] < SHOWN_MAX)
		print_error("%s: %s\n%s%s\n", label, message, w->trace, w->log);
	figures.runs++;
	figures.ends[end]++;
	if (w->fault_count > 0)
		figures.kinds |= 1u << injection->fault;
	if (boot.end - boot.start > figures.longest)
		figures.longest = boot.end - boot.start;
	accesses = MIN(w->accesses, (unsigned)FAKE_ACCESSES_MAX);
	if (possible)
		memcpy(possible, w->possible, accesses * sizeof(*possible));
	fake_boot_free(&boot);
	fake_free(w);
	return accesses;
}

static bool is_whole(void)
{
	const char *word = getenv("FAULTS");

	return word && strcmp(word, "all") == 0;
}

/* Whether it is the turn of the next injection. */
static bool is_its_turn(void)
{
	static unsigned number;

	return is_whole() || number++ % SHARE == 0;
}

static void check_all_fine(unsigned runs_before, unsigned fine_before)
{
	unsigned runs = figures.runs - runs_before;
	unsigned fine = figures.ends[END_FINE] - fine_before;

	if (fine != runs)
		fail_msg("%u of %u runs did not end well", runs - fine, runs);
}

/* A quarter of the scenarios each: the state is which. */
static void test_single_faults(void **state)
{
	static uint16_t possible[FAKE_ACCESSES_MAX];
	unsigned runs = figures.runs, fine = figures.ends[END_FINE];

	for (size_t i = (uintptr_t)*state; i < fake_scenario_count; i += 4) {
		const struct fake_scenario *scenario = &fake_scenarios[i];
		const struct fake_injection none = {0};
		unsigned n = play(scenario, &none, possible);

		check_true(scenario->name, n > 30);
		for (unsigned at = 1; at <= n; at++)
			for (enum fake_fault fault = FAULT_ERROR; fault < FAULT_COUNT;
			     fault++)
				if ((possible[at - 1] & 1u << fault) && is_its_turn())
					(void)play(scenario,
						   &(struct fake_injection){
							   .at = at, .fault = fault},
						   NULL);
	}
	check_all_fine(runs, fine);
}

/* xorshift32: the same numbers on every machine. */
static unsigned draw(uint32_t *seed, unsigned below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % below;
}

/* A fault that is possible at an access, by lot. */
static enum fake_fault draw_fault(uint32_t *seed, unsigned possible)
{
	enum fake_fault fault;

	do
		fault = FAULT_ERROR + draw(seed, FAULT_COUNT - FAULT_ERROR);
	while (!(possible & 1u << fault));
	return fault;
}

static void test_pairs_of_faults(void **state unused)
{
	static uint16_t possible[FAKE_ACCESSES_MAX];
	unsigned runs = figures.runs, fine = figures.ends[END_FINE];
	uint32_t seed = 20240229;

	for (size_t i = 0; i < fake_scenario_count; i++) {
		const struct fake_scenario *scenario = &fake_scenarios[i];
		const struct fake_injection none = {0};
		unsigned n = play(scenario, &none, possible);

		for (unsigned k = 0; k < (is_whole() ? PAIRS : PAIRS / SHARE); k++) {
			struct fake_injection pair = {0};

			pair.at = 1 + draw(&seed, n - 1);
			pair.fault = draw_fault(&seed, possible[pair.at - 1]);
			/* What is possible then depends on the first one: most is. */
			pair.second_at = pair.at + 1 + draw(&seed, n - pair.at + 10);
			pair.second =
				draw_fault(&seed, possible[MIN(pair.second_at, n) - 1]);
			(void)play(scenario, &pair, NULL);
			figures.pairs++;
		}
	}
	check_all_fine(runs, fine);
}

static unsigned count_bits(unsigned bits)
{
	unsigned n = 0;

	for (; bits; bits &= bits - 1)
		n++;
	return n;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"test_single_faults_1", test_single_faults, NULL, NULL, (void *)0},
		{"test_single_faults_2", test_single_faults, NULL, NULL, (void *)1},
		{"test_single_faults_3", test_single_faults, NULL, NULL, (void *)2},
		{"test_single_faults_4", test_single_faults, NULL, NULL, (void *)3},
		{"test_pairs_of_faults", test_pairs_of_faults, NULL, NULL, NULL},
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	fprintf(stderr,
		"fault injection: %zu scenarios x %u kinds, %u runs (%u with two faults), "
		"%u unexplained ends, %u past the deadline, %u leaks, longest %llu s of the "
		"model's time\n",
		fake_scenario_count, count_bits(figures.kinds), figures.runs,
		figures.pairs, figures.ends[END_UNEXPLAINED], figures.ends[END_LATE],
		figures.ends[END_LEAK],
		(unsigned long long)((figures.longest + FAKE_SECOND / 2) / FAKE_SECOND));
	return r;
}
