/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/ids/conformance.tsv: what the real vfio-pci made of each string, in the lab. Ours must
 * come to the same entries and the same functions, say "not an ID" of the same pieces, and what
 * it says besides must be in the table.
 */
#include "rules.h"

#include "vfio_ids.h"

#define TABLE	    "tests/ids/conformance.tsv"
#define ROWS_MIN    200
#define ARENA_SIZE  (4 << 20)
#define COLUMNS	    6
#define LINE_SIZE   16384
#define COLUMN_SIZE 8192

enum column { TEXT_COLUMN, REFUSED, REGISTERED, INVALID, FUNCTIONS, BESIDES };

/* Those of the lab's machine that have no driver, in the order of addresses. */
static const struct {
	const char *address;
	struct pci_ids ids;
} functions[] = {
	{"00:00.0", {0x8086, 0x29c0, 0x1af4, 0x1100, 0x060000}},
	{"00:1f.0", {0x8086, 0x2918, 0x1af4, 0x1100, 0x060100}},
	{"01:00.0", {0x10ee, 0x5000, 0x10ee, 0x000e, 0x120000}},
	{"01:00.1", {0x10ee, 0x5001, 0x10ee, 0x000e, 0x120000}},
	{"03:00.0", {0x10ee, 0xffff, 0xffff, 0xffff, 0x120001}},
};

/* How the table calls what we say besides; the words are explained in its head. */
static const struct {
	const char *word;
	const char *message;
} besides[] = {
	{"too-long", "vfio-pci refuses ids= of more than 1023 characters"},
	{"no-value", "the kernel wants a value here"},
	{"behind-end", "vfio-pci.ids= behind \"--\""},
	{"maybe-cut", "the command line is as long"},
	{"maybe-cut", "bootconfig made the command line longer"},
	{"trailing", "text after the ID is ignored"},
	{"class-unused", "a class without a mask"},
	{"too-wide", "no device can match"},
};

/* "\0240" is a byte, "\\" a backslash. */
static struct text decode(const char *p, char *buf)
{
	char *to = buf;

	while (*p) {
		int n = 0;
		unsigned value;

		if (*p != '\\') {
			*to++ = *p++;
		} else if (sscanf(p, "\\0%3o%n", &value, &n) == 1) {
			*to++ = (char)value;
			p += n;
		} else {
			*to++ = p[1];
			p += 2;
		}
	}
	return (struct text){buf, (size_t)(to - buf)};
}

static void add_word(char *list, const char *separator, const char *word)
{
	size_t used = strlen(list);

	snprintf(list + used, COLUMN_SIZE - used, "%s%s", used > 0 ? separator : "",
		 word);
}

static void find_entries(const struct policy *policy, char *entries, char *taken)
{
	bool has[ARRAY_SIZE(functions)] = {false};

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct pci_match *id = &policy->rules[i].selector.id;
		char entry[64];

		if (!policy->rules[i].is_module_id)
			continue;
		snprintf(entry, sizeof(entry), "%x:%x:%x:%x:%x:%x", id->vendor,
			 id->device, id->subvendor, id->subdevice, id->class,
			 id->class_mask);
		add_word(entries, " ", entry);
		for (size_t k = 0; k < ARRAY_SIZE(functions); k++)
			has[k] |= pci_match_has(id, &functions[k].ids);
	}
	for (size_t k = 0; k < ARRAY_SIZE(functions); k++)
		if (has[k])
			add_word(taken, " ", functions[k].address);
}

/* What is said besides "not an ID": each word once. How often that is said. */
static unsigned find_words(const struct policy *policy, const char *label, char *words)
{
	unsigned invalid = 0;

	for (size_t i = 0; i < policy->problem_count; i++) {
		const char *message = policy->problems[i].message, *word = NULL;

		if (strcmp(message, ids_warning_message(IDS_INVALID)) == 0) {
			invalid++;
			continue;
		}
		for (size_t k = 0; k < ARRAY_SIZE(besides) && !word; k++)
			if (strncmp(message, besides[k].message,
				    strlen(besides[k].message)) == 0)
				word = besides[k].word;
		if (!word)
			fail_msg("%s: \"%s\" has no word in the table", label, message);
		else if (!strstr(words, word))
			add_word(words, ",", word);
	}
	return invalid;
}

static const char *or_none(const char *list)
{
	return list[0] ? list : "-";
}

static void check_row(char *const *columns)
{
	static char bytes[LINE_SIZE];
	char entries[COLUMN_SIZE] = "", taken[COLUMN_SIZE] = "", words[COLUMN_SIZE] = "";
	struct arena arena = {.base = calloc(1, ARENA_SIZE), .size = ARENA_SIZE};
	bool is_refused = strcmp(columns[REFUSED], "-") != 0;
	const char *label = columns[TEXT_COLUMN];
	struct policy policy;
	unsigned invalid;

	assert_int_equal(policy_init(&policy, &arena), 0);
	add_line(&policy, decode(label, bytes));
	find_entries(&policy, entries, taken);
	invalid = find_words(&policy, label, words);
	check_string(label, or_none(words), columns[BESIDES]);
	if (is_refused) {
		/* Where the kernel takes nothing at all, we say why. */
		check_true(label, strstr(words, "too-long") || strstr(words, "no-value"));
		check_string(label, columns[REGISTERED], "-");
	} else {
		check_string(label, or_none(entries), columns[REGISTERED]);
		check_string(label, or_none(taken), columns[FUNCTIONS]);
		check_int(label, invalid, strtoul(columns[INVALID], NULL, 10));
	}
	free(arena.base);
}

static void test_table(void **state unused)
{
	static char line[LINE_SIZE], head[LINE_SIZE];
	FILE *file = fopen(TABLE, "re");
	size_t rows = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char *columns[COLUMNS], *rest = NULL;
		size_t n = 0;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#') {
			add_word(head, "\n", line);
			continue;
		}
		for (char *p = strtok_r(line, "\t", &rest); p && n < COLUMNS;
		     p = strtok_r(NULL, "\t", &rest))
			columns[n++] = p;
		check_int(line, n, COLUMNS);
		check_row(columns);
		rows++;
	}
	fclose(file);
	assert_true(rows >= ROWS_MIN);
	/* Nothing undocumented: each word that rows may have is explained. */
	for (size_t i = 0; i < ARRAY_SIZE(besides); i++) {
		char start[32];

		snprintf(start, sizeof(start), "\n#      %s: ", besides[i].word);
		check_contains(besides[i].word, head, start);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
