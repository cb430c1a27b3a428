/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "chooser.h"

#define UP    "\x1b[A"
#define DOWN  "\x1b[B"
#define CLEAR "\x1b[K"

static const struct {
	const char *bytes;
	bool is_all;
	size_t n;
	enum chooser_key key;
} keys[] = {
	{"", false, 0, CHOOSER_KEY_NONE},
	{"j", false, 1, CHOOSER_KEY_DOWN},
	{"kk", false, 1, CHOOSER_KEY_UP},
	{" ", false, 1, CHOOSER_KEY_TOGGLE},
	{"g", false, 1, CHOOSER_KEY_GROUP},
	{"\r", false, 1, CHOOSER_KEY_ENTER},
	{"\n", false, 1, CHOOSER_KEY_ENTER},
	{"q", false, 1, CHOOSER_KEY_LEAVE},
	{"\x03", false, 1, CHOOSER_KEY_LEAVE},
	{"x", false, 1, CHOOSER_KEY_NONE},
	{"\xc3\xa4", false, 1, CHOOSER_KEY_NONE},
	{UP "j", false, 3, CHOOSER_KEY_UP},
	{"\x1bOB", false, 3, CHOOSER_KEY_DOWN},
	{"\x1b[H", false, 3, CHOOSER_KEY_HOME},
	{"\x1b[4~", false, 4, CHOOSER_KEY_END},
	{"\x1b[5~", false, 4, CHOOSER_KEY_PAGE_UP},
	{"\x1b[6~", false, 4, CHOOSER_KEY_PAGE_DOWN},
	{"\x1b[1;5A", false, 6, CHOOSER_KEY_NONE},
	{"\x1b[99;99;99X", false, 11, CHOOSER_KEY_NONE},
	{"\x1bx", false, 2, CHOOSER_KEY_NONE},
	/* The rest may follow, or not */
	{"\x1b", false, 0, CHOOSER_KEY_NONE},
	{"\x1b", true, 1, CHOOSER_KEY_LEAVE},
	{"\x1b[", false, 0, CHOOSER_KEY_NONE},
	{"\x1b[", true, 2, CHOOSER_KEY_NONE},
	{"\x1b[5", false, 0, CHOOSER_KEY_NONE},
	{"\x1b[5", true, 3, CHOOSER_KEY_NONE},
};

static void test_keys(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct text t = test_text(keys[i].bytes);
		enum chooser_key key;

		check_int(keys[i].bytes, chooser_decode(t, keys[i].is_all, &key),
			  keys[i].n);
		if (keys[i].n > 0)
			check_int(keys[i].bytes, key, keys[i].key);
		test_text_free(t);
	}
}

/* Two groups, a function without one, and one with more than fits. */
static const struct chooser_item model[] = {
	{CHOOSER_HEAD, "group 1", 1, false},   {CHOOSER_FIXED, "bridge", 1, false},
	{CHOOSER_CHOICE, "card.0", 1, false},  {CHOOSER_CHOICE, "card.1", 1, true},
	{CHOOSER_HEAD, "group 2", 2, false},   {CHOOSER_CHOICE, "disk", 2, false},
	{CHOOSER_HEAD, "no group", -1, false}, {CHOOSER_CHOICE, "a", -1, true},
	{CHOOSER_CHOICE, "b", -1, false},
};

struct list {
	struct chooser_item items[ARRAY_SIZE(model)];
	struct chooser chooser;
	char screen[CHOOSER_SCREEN_SIZE(50, 100)];
};

static void begin(struct list *list, size_t rows, size_t columns)
{
	memcpy(list->items, model, sizeof(model));
	list->chooser = (struct chooser){.items = list->items,
					 .count = ARRAY_SIZE(model),
					 .rows = rows,
					 .columns = columns};
	assert_true(chooser_start(&list->chooser));
}

/* Presses all keys; the state after the last. */
static enum chooser_state press(struct list *list, const char *bytes)
{
	struct text rest = text_of(bytes);
	enum chooser_state state = CHOOSER_GO_ON;

	while (rest.n > 0) {
		enum chooser_key key;
		size_t n = chooser_decode(rest, true, &key);

		rest.p += n;
		rest.n -= n;
		state = chooser_press(&list->chooser, key);
	}
	return state;
}

/* What is chosen, and the cursor, as one line. */
static const char *describe(const struct list *list)
{
	static char buf[256];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < list->chooser.count; i++)
		if (list->items[i].is_chosen)
			used += (size_t)snprintf(buf + used, sizeof(buf) - used, "%s ",
						 list->items[i].text);
	snprintf(buf + used, sizeof(buf) - used, "@%s",
		 list->items[list->chooser.cursor].text);
	return buf;
}

static const struct {
	const char *bytes, *want;
	enum chooser_state state;
} presses[] = {
	{"", "card.1 a @card.0", CHOOSER_GO_ON},
	{"k", "card.1 a @card.0", CHOOSER_GO_ON},
	{"j", "card.1 a @card.1", CHOOSER_GO_ON},
	{"jj", "card.1 a @disk", CHOOSER_GO_ON},
	{DOWN DOWN DOWN UP, "card.1 a @disk", CHOOSER_GO_ON},
	{"jjjjjjjjjj", "card.1 a @b", CHOOSER_GO_ON},
	{"\x1b[F", "card.1 a @b", CHOOSER_GO_ON},
	{"\x1b[F\x1b[H", "card.1 a @card.0", CHOOSER_GO_ON},
	{"\x1b[6~\x1b[5~", "card.1 a @card.0", CHOOSER_GO_ON},
	{" ", "card.0 card.1 a @card.0", CHOOSER_GO_ON},
	{"  ", "card.1 a @card.0", CHOOSER_GO_ON},
	{"j ", "a @card.1", CHOOSER_GO_ON},
	{"g", "card.0 card.1 a @card.0", CHOOSER_GO_ON},
	{"gg", "a @card.0", CHOOSER_GO_ON},
	/* What has no group is alone. */
	{"\x1b[Fg", "card.1 a b @b", CHOOSER_GO_ON},
	{"\x1b[Fgg", "card.1 a @b", CHOOSER_GO_ON},
	{"xyz\x1b[Z", "card.1 a @card.0", CHOOSER_GO_ON},
	{" \r", "card.0 card.1 a @card.0", CHOOSER_TAKEN},
	{" q", "card.0 card.1 a @card.0", CHOOSER_LEFT},
};

static void test_presses(void **state unused)
{
	static struct list list;

	for (size_t i = 0; i < ARRAY_SIZE(presses); i++) {
		const char *label = presses[i].want;

		begin(&list, 24, 80);
		check_int(label, press(&list, presses[i].bytes), presses[i].state);
		check_string(label, describe(&list), presses[i].want);
	}
}

static void test_screen(void **state unused)
{
	static struct list list;

	begin(&list, 24, 80);
	assert_int_equal(chooser_draw(&list.chooser, list.screen, sizeof(list.screen)),
			 ARRAY_SIZE(model) + 2);
	check_string("whole", list.screen,
		     "group 1" CLEAR "\n"
		     "   -  bridge" CLEAR "\n"
		     "> [!] card.0" CLEAR "\n"
		     "  [x] card.1" CLEAR "\n"
		     "group 2" CLEAR "\n"
		     "  [ ] disk" CLEAR "\n"
		     "no group" CLEAR "\n"
		     "  [x] a" CLEAR "\n"
		     "  [ ] b" CLEAR "\n"
		     "2 chosen; !: without this one, a VM can use nothing of "
		     "the group" CLEAR "\n"
		     "space: bind or leave  g: group  enter: write  q: no change" CLEAR);
	begin(&list, 6, 20);
	(void)press(&list, "jj");
	assert_int_equal(chooser_draw(&list.chooser, list.screen, sizeof(list.screen)),
			 5);
	check_string("small", list.screen,
		     "  [x] card.1" CLEAR "\n"
		     "group 2" CLEAR "\n"
		     "> [ ] disk" CLEAR "\n"
		     "2 chosen, more abov" CLEAR "\n"
		     "space: bind or leav" CLEAR);
}

/* In any size the cursor is in view, and nothing is wider or higher than the terminal. */
static void test_sizes(void **state unused)
{
	static struct list list;

	for (size_t rows = CHOOSER_ROWS_MIN; rows < 16; rows++) {
		for (size_t columns = CHOOSER_COLUMNS_MIN; columns < 100; columns += 13) {
			begin(&list, rows, columns);
			for (size_t step = 0; step < 12; step++) {
				struct text rest, line;
				size_t lines = 0;

				(void)press(&list, step < 6 ? "j" : "k");
				lines = chooser_draw(&list.chooser, list.screen,
						     CHOOSER_SCREEN_SIZE(rows, columns));
				check_true("height", lines < rows);
				check_contains("cursor", list.screen, "> [");
				rest = text_of(list.screen);
				while (text_cut(&rest, '\n', &line)) {
					check_true("width",
						   line.n < columns + strlen(CLEAR));
					lines--;
				}
				check_int("lines", lines, 0);
			}
		}
	}
}

/* Foreign text is made safe; letters of several bytes are one column. */
static void test_hostile(void **state unused)
{
	struct chooser_item items[] = {
		{CHOOSER_CHOICE, "a\x1b[2Jb\xff\xe2\x80\xae\nc", 1, false},
		{CHOOSER_CHOICE, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 1,
		 false},
	};
	struct chooser chooser = {items, ARRAY_SIZE(items), 0, 0, 24, 20};
	char screen[CHOOSER_SCREEN_SIZE(24, 20)];

	assert_true(chooser_start(&chooser));
	assert_int_equal(chooser_draw(&chooser, screen, sizeof(screen)), 4);
	check_contains("safe", screen, "> [ ] a?[2Jb?????c" CLEAR "\n");
	check_contains("letters", screen,
		       "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" CLEAR);
}

static void test_nothing_to_choose(void **state unused)
{
	struct chooser_item items[] = {{CHOOSER_HEAD, "group", 1, false},
				       {CHOOSER_FIXED, "bridge", 1, false}};
	struct chooser chooser = {items, ARRAY_SIZE(items), 0, 0, 24, 80};

	assert_false(chooser_start(&chooser));
	chooser.count = 0;
	assert_false(chooser_start(&chooser));
}

static const struct {
	const char *line, *want, *wrong;
} numbers[] = {
	{"", "", NULL},
	{"\n", "", NULL},
	{"1", "1", NULL},
	{" 3 1\n", "13", NULL},
	{"1,3", "13", NULL},
	{"1, 3,", "13", NULL},
	{"2-4 3", "234", NULL},
	{"9", "9", NULL},
	{"1-1", "1", NULL},
	{"0", NULL, "0"},
	{"10", NULL, "10"},
	{"1 4-2", NULL, "4-2"},
	{"1-10", NULL, "1-10"},
	{"-1", NULL, "-1"},
	{"1-", NULL, "1-"},
	{"1-2-3", NULL, "1-2-3"},
	{"x", NULL, "x"},
	{"99999999999999999999", NULL, "99999999999999999999"},
	{"1 \x1b[A", NULL, "\x1b[A"},
};

static void test_numbers(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct text t = test_text(numbers[i].line), word = {NULL, 0};
		bool named[9] = {false};
		char got[10] = "";

		check_int(numbers[i].line, chooser_read_numbers(t, 9, named, &word),
			  numbers[i].wrong ? -EINVAL : 0);
		for (size_t k = 0, n = 0; k < ARRAY_SIZE(named); k++)
			if (named[k])
				got[n++] = (char)('1' + k);
		if (numbers[i].want)
			check_string(numbers[i].line, got, numbers[i].want);
		check_text(numbers[i].line, word, numbers[i].wrong);
		test_text_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),	cmocka_unit_test(test_presses),
		cmocka_unit_test(test_screen),	cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_nothing_to_choose),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
