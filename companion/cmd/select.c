/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind select: what is bound, chosen from a list. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chooser.h"
#include "commands.h"
#include "message.h"
#include "reason.h"
#include "rule_edit.h"

#define ANSWER_MAX 4096

struct selecting {
	struct edit e;
	struct rule_requests w;
	struct removal removal;
	bool is_plain;

	struct chooser chooser;
	const struct pci_device **devices; /* per item; NULL for a head */
	bool *was_chosen; /* per item */
};

/* Groups in the order of their numbers, then the functions without one. */
static int compare_groups(const void *a, const void *b)
{
	const struct pci_device *x = *(const struct pci_device *const *)a;
	const struct pci_device *y = *(const struct pci_device *const *)b;

	if (x->iommu_group == y->iommu_group)
		return bdf_compare(x->bdf, y->bdf);
	if (x->iommu_group == NO_GROUP || y->iommu_group == NO_GROUP)
		return x->iommu_group == NO_GROUP ? 1 : -1;
	return x->iommu_group < y->iommu_group ? -1 : 1;
}

/* Bound by rules as they are; *ret_kept: a keep rule protects it. */
static bool is_bound(const struct edit *e, const struct pci_device *d, bool *ret_kept)
{
	bool has_bind = false, has_keep = false;

	for (size_t i = 0; i < e->before.rule_count; i++) {
		const struct rule *rule = &e->before.rules[i];

		if (!edit_has_match(e, rule, d))
			continue;
		has_bind = has_bind || rule->kind == RULE_BIND;
		has_keep = has_keep || rule->kind == RULE_KEEP;
	}
	*ret_kept = has_keep;
	return has_bind && !has_keep;
}

/* Why a rule for it is refused, without the remedy; "" if it is not. */
static const char *why_refused(const struct edit *e, const struct pci_device *d)
{
	struct judge judge = edit_judge(e);
	struct judgement judgement;

	/* Every function has a line: what processes have open is left to "add". */
	judge.holders = NULL;
	judge_device(&judge, d, (struct allowance){0}, &judgement);
	/* The use itself stands in the line. */
	if (judgement.verdict == JUDGED_REFUSED && judgement.reason == REASON_NONE)
		return "the host needs it";
	return arena_copy(e->arena, judged_cause(&judgement));
}

static const char *describe(struct edit *e, const struct pci_device *d, bool is_kept)
{
	const struct judge judge = edit_judge(e);
	const struct rule *companions = edit_along(e, d);
	const char *refused = is_kept || d->is_bridge ? "" : why_refused(e, d);
	const char *text;
	const struct usage *usage;
	size_t count;

	text = arena_printf(e->arena, "%s%s%s%s%s", edit_describe(e, d),
			    d->driver[0] ? " (" : "", d->driver, d->driver[0] ? ")" : "",
			    is_kept ? "; kept by a rule" : "");
	if (text && companions)
		text = arena_printf(e->arena, "%s; comes along by the rule %s", text,
				    edit_describe_rule(e, companions));
	usage = judge_usages(&judge, d, &count);
	for (size_t i = 0; usage && text && i < count; i++)
		if (usage[i].is_in_use)
			text = arena_printf(e->arena, "%s; %s: %s", text, usage[i].name,
					    usage[i].what);
	if (text && refused && refused[0])
		text = arena_printf(e->arena, "%s; refused: %s", text, refused);
	return text ? text : "";
}

static void add_item(struct selecting *s, const struct pci_device *d, const char *text,
		     enum chooser_kind kind, bool is_chosen)
{
	size_t at = s->chooser.count++;

	s->devices[at] = d;
	s->was_chosen[at] = is_chosen;
	s->chooser.items[at] =
		(struct chooser_item){kind, text, d->iommu_group, is_chosen};
}

static int make_items(struct selecting *s)
{
	struct edit *e = &s->e;
	size_t n = e->inventory.count;
	const struct pci_device **sorted = arena_alloc(e->arena, n + 1, sizeof(void *));

	s->chooser.items = arena_alloc(e->arena, 2 * n + 1, sizeof(*s->chooser.items));
	s->devices = arena_alloc(e->arena, 2 * n + 1, sizeof(void *));
	s->was_chosen = arena_alloc(e->arena, 2 * n + 1, sizeof(*s->was_chosen));
	if (!sorted || !s->chooser.items || !s->devices || !s->was_chosen)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &e->inventory.devices[i];
	qsort(sorted, n, sizeof(struct pci_device *), compare_groups);
	for (size_t i = 0; i < n; i++) {
		const struct pci_device *d = sorted[i];
		bool is_kept, is_chosen = is_bound(e, d, &is_kept);
		const char *head = "no IOMMU group";

		if (d->iommu_group != NO_GROUP)
			head = arena_printf(e->arena, "IOMMU group %d", d->iommu_group);
		if (i == 0 || sorted[i - 1]->iommu_group != d->iommu_group)
			add_item(s, d, head ? head : "", CHOOSER_HEAD, false);
		add_item(s, d, describe(e, d, is_kept),
			 d->is_bridge || edit_along(e, d) ? CHOOSER_FIXED
							  : CHOOSER_CHOICE,
			 is_chosen && !d->is_bridge);
	}
	return 0;
}

/* The list with numbers; returns how many. */
static size_t print_numbered(const struct selecting *s)
{
	size_t number = 0;

	for (size_t i = 0; i < s->chooser.count; i++) {
		const struct chooser_item *item = &s->chooser.items[i];
		struct paragraph p = {stdout, 8, 8, false};

		switch (item->kind) {
		case CHOOSER_HEAD:
			puts(item->text);
			continue;
		case CHOOSER_FIXED:
			fputs("     -  ", stdout);
			break;
		case CHOOSER_CHOICE:
			printf("%3zu [%c] ", ++number, item->is_chosen ? 'x' : ' ');
			break;
		}
		paragraph_add(&p, "%s", item->text);
		paragraph_end(&p);
	}
	return number;
}

/* For a serial line, a dumb terminal and scripts. -EINVAL for an answer that is none. */
static int ask(struct selecting *s, enum chooser_state *ret)
{
	size_t max = print_numbered(s), number = 0;
	bool *is_named = arena_alloc(s->e.arena, max + 1, sizeof(*is_named));
	char answer[ANSWER_MAX];
	struct text word;
	bool has_answer;

	if (!is_named)
		return -ENOMEM;
	fputs("numbers to change, such as 1 3 5-7, or nothing to leave all as it is: ",
	      stdout);
	fflush(stdout);
	*ret = CHOOSER_LEFT;
	has_answer = fgets(answer, sizeof(answer), stdin) != NULL;
	/* The line end of an answer that nobody typed, or that is not there. */
	if (!has_answer || !isatty(STDIN_FILENO))
		putchar('\n');
	if (!has_answer)
		return 0;
	if (!strchr(answer, '\n') && !feof(stdin)) {
		say_error("select: the answer is longer than %d characters", ANSWER_MAX);
		return -EINVAL;
	}
	if (chooser_read_numbers(text_of(answer), max, is_named, &word) < 0) {
		say_error("select: \"%.*s\" is no number from 1 to %zu and no range of "
			  "them",
			  (int)word.n, word.p, max);
		return -EINVAL;
	}
	for (size_t i = 0; i < s->chooser.count; i++) {
		struct chooser_item *item = &s->chooser.items[i];

		if (item->kind == CHOOSER_CHOICE && is_named[number++])
			item->is_chosen = !item->is_chosen;
	}
	*ret = CHOOSER_TAKEN;
	return 0;
}

/* What was chosen becomes wishes and rules to remove; false if nothing is to be done. */
static int read_choice(struct selecting *s)
{
	const struct inventory *inv = &s->e.inventory;
	bool *is_meant = arena_alloc(s->e.arena, inv->count + 1, sizeof(*is_meant));
	size_t others;

	if (!is_meant)
		return -ENOMEM;
	for (size_t i = 0; i < s->chooser.count; i++) {
		bool is_chosen = s->chooser.items[i].is_chosen;
		const struct pci_device *d = s->devices[i];
		int r = 0;

		if (is_chosen && !s->was_chosen[i])
			r = requests_add_device(&s->w, &s->e, d);
		else if (!is_chosen && s->was_chosen[i])
			is_meant[d - inv->devices] = true;
		if (r < 0)
			return r;
	}
	(void)removal_mark(&s->removal, &s->e, NULL, is_meant, &others);
	return others > 0 ? -EPERM : removal_apply(&s->removal, &s->e);
}

/* The exit code; *ret_is_refused: nothing is written, and another choice may do. */
static int change(struct selecting *s, bool *ret_is_refused)
{
	int r = read_choice(s);

	if (r == 0) {
		addition_drop_done(&s->e, &s->w);
		r = addition_apply(&s->e, &s->w);
	}
	*ret_is_refused = r < 0;
	if (r < 0) {
		say_error("nothing is written");
		return EXIT_FAILED;
	}
	removal_show(&s->removal, &s->e);
	addition_show(&s->e, &s->w);
	return edit_finish(&s->e);
}

/* Until the choice is one that can be written, or the list is left. */
static int choose(struct selecting *s, enum chooser_state *ret, int *ret_code)
{
	const struct config_edit start = s->e.text;
	bool is_refused = true;
	int r = 0;

	while (is_refused) {
		r = chooser_run(&s->chooser, s->e.arena, ret);
		if (r < 0 || *ret != CHOOSER_TAKEN)
			return r;
		*ret_code = change(s, &is_refused);
		if (!is_refused)
			return 0;
		puts("what you chose is kept: change it, or leave with q");
		s->e.text = start;
		s->w.count = 0;
		s->removal = (struct removal){0};
	}
	return r;
}

static int run(struct selecting *s)
{
	enum chooser_state state = CHOOSER_LEFT;
	bool is_asked, is_refused;
	int r, code = EXIT_FAILED;

	s->w.options = "";
	s->e.is_interactive = true;
	if (!requests_has_way(&s->w))
		return EXIT_WRONG_USAGE;
	/* As it is: the items are judged by its plan. */
	if (edit_open(&s->e) < 0 || edit_check(&s->e) < 0)
		return EXIT_FAILED;
	r = make_items(s);
	if (r == 0 && !chooser_start(&s->chooser)) {
		puts("there is no device to choose");
		return EXIT_OK;
	}
	is_asked = s->is_plain || !chooser_has_terminal();
	if (r == 0)
		r = is_asked ? ask(s, &state) : choose(s, &state, &code);
	if (r == -EINVAL)
		return EXIT_WRONG_USAGE;
	if (r < 0) {
		say_error("select: the terminal: %s", errno_text(r));
		return EXIT_FAILED;
	}
	if (state == CHOOSER_TAKEN)
		return is_asked ? change(s, &is_refused) : code;
	puts("nothing is changed");
	return EXIT_OK;
}

int command_select(int argc, char **argv, struct arena *arena)
{
	static struct selecting s;
	const struct option_spec options[] = {
		{"by", "WAY", "by serial, path, address, slot or id",
		 .ret_string = &s.w.by},
		{"force", NULL, "also what the host needs", .ret_flag = &s.w.is_forced},
		{"plain", NULL, "ask for numbers, also on a terminal",
		 .ret_flag = &s.is_plain},
		EDIT_OPTIONS(s.e),
	};
	const struct command_spec spec = {
		.name = "select",
		.synopsis = "[OPTION...]",
		.text = "Shows the PCI functions by IOMMU group, marks those that rules "
			"bind, and lets you choose others. Keys: arrows or j and k move, "
			"space changes a function, g its whole group, enter writes, q or "
			"escape leaves without a change. Then it goes on as add and "
			"remove do. Where the input or the output is no terminal, it asks "
			"for the numbers of the functions to change.\n"
			"\n"
			"exit code: 0 done, or nothing to change; 1 refused, or a file cannot "
			"be read or written; 2 wrong usage, or an answer that is no number\n",
		.example = "earlybind select",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	memset(&s, 0, sizeof(s));
	s.e.arena = arena;
	s.w.name = "select";
	s.w.kind = RULE_BIND;
	return options_parse(&spec, argc, argv, &code) ? run(&s) : code;
}
