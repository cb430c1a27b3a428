/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind import: what other tools' files say, as rules, and what can be deleted then. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "compiler.h"
#include "config.h"
#include "edit_session.h"
#include "inventory.h"
#include "judgement.h"
#include "message.h"
#include "options.h"
#include "plan.h"
#include "policy.h"
#include "reason.h"
#include "recipe_parse.h"
#include "report.h"
#include "rule_edit.h"
#include "sentences.h"
#include "sources.h"
#include "usage.h"
#include "virtual_functions.h"

#define EXIT_NOTHING	 3
#define NOTE_INDENT	 4
#define LINE_MAX_COLUMNS 76

/* ---- rules that mean what recipes mean -------------------------------------------------- */

enum proposal_state {
	PROPOSAL_NEW,
	PROPOSAL_CONFIGURED, /* the configuration has it already */
	PROPOSAL_COVERED, /* another recipe names the device, and better */
	PROPOSAL_LOST, /* something takes its place today: offered as a comment */
	PROPOSAL_REFUSED, /* the next boot would leave all of its devices to the host */
};

struct proposal {
	const struct recipe *recipe;
	struct selector selector; /* an address has got the ID of its device */
	enum proposal_state state;
	bool is_optional; /* no device is there now */
	/* The origin of the rule that it is covered by; why it is refused; NULL for none. */
	const char *why;
};

struct proposals {
	struct proposal *items; /* in the order of the recipes */
	size_t count;
	size_t new_count;
};

struct maker {
	const struct recipes *recipes;
	const struct inventory *inventory;
	const struct policy *policy;
	struct arena *arena;
	struct proposals *proposals;
};

static bool has_match(const struct selector *s, const struct pci_device *d)
{
	return recipe_has_match(
		&(struct recipe){.selectors = (struct selector *)s, .selector_count = 1},
		d);
}

static size_t count_matches(const struct maker *m, const struct selector *s)
{
	size_t count = 0;

	for (size_t i = 0; i < m->inventory->count; i++)
		count += has_match(s, &m->inventory->devices[i]);
	return count;
}

/* The claim that a place and an ID belong together, from the devices that are there. */
static void add_claim(const struct maker *m, struct selector *s)
{
	bool is_several = s->any_function || s->path.any_function;
	const struct pci_device *first = NULL;
	struct pci_match id = {PCI_ANY, PCI_ANY, PCI_ANY, PCI_ANY, 0, 0};

	for (size_t i = 0; i < m->inventory->count; i++) {
		const struct pci_device *d = &m->inventory->devices[i];

		if (!has_match(s, d))
			continue;
		if (first && first->ids.vendor != d->ids.vendor)
			return;
		is_several |= first != NULL;
		first = first ? first : d;
	}
	if (!first || (s->terms & TERM_ID))
		return;
	id.vendor = first->ids.vendor;
	if (!is_several)
		id.device = first->ids.device;
	s->terms |= TERM_ID;
	s->id = id;
}

/* Whether a recipe names the device alone, where @s names a whole card. */
static const struct recipe *find_exact(const struct maker *m, const struct selector *s,
				       const struct pci_device *d)
{
	for (size_t i = 0; i < m->recipes->count && s->any_function; i++) {
		const struct recipe *r = &m->recipes->items[i];

		for (size_t k = 0; k < r->selector_count; k++)
			if (r->kind == RECIPE_ADDRESS && !r->is_running &&
			    recipe_is_effective(r) && !r->selectors[k].any_function &&
			    has_match(&r->selectors[k], d))
				return r;
	}
	return NULL;
}

static bool does_name(const struct recipe *r, enum recipe_kind kind,
		      const struct pci_device *d)
{
	return r->kind == kind && !r->is_running && recipe_is_effective(r) &&
	       recipe_has_match(r, d);
}

/* Whether a device is named by its address somewhere, and by which recipe. */
static const struct recipe *find_address(const struct maker *m,
					 const struct pci_device *d)
{
	for (size_t i = 0; i < m->recipes->count; i++)
		if (does_name(&m->recipes->items[i], RECIPE_ADDRESS, d))
			return &m->recipes->items[i];
	return NULL;
}

/* Whether an ID that no other device has names the device. */
static const struct recipe *find_own_id(const struct maker *m, const struct pci_device *d)
{
	for (size_t i = 0; i < m->recipes->count; i++) {
		const struct recipe *r = &m->recipes->items[i];

		for (size_t k = 0; k < r->selector_count; k++)
			if (r->kind == RECIPE_IDS && !r->is_running &&
			    recipe_is_effective(r) && has_match(&r->selectors[k], d) &&
			    count_matches(m, &r->selectors[k]) == 1)
				return r;
	}
	return NULL;
}

/* A file's recipe that names the device: it may know more than the boot shows. */
static const struct recipe *find_in_files(const struct maker *m,
					  const struct pci_device *d)
{
	const struct recipe *found = find_address(m, d);

	for (size_t i = 0; i < m->recipes->count && !found; i++)
		if (does_name(&m->recipes->items[i], RECIPE_IDS, d))
			found = &m->recipes->items[i];
	return found;
}

/*
 * What this boot has gives way to files that name all of its devices.
 * An ID of several devices gives way to the address of one of them; an address to an ID that
 * only its device has.
 */
static const struct recipe *find_better(const struct maker *m, const struct proposal *p)
{
	bool is_id = p->recipe->kind == RECIPE_IDS;
	bool is_running = p->recipe->is_running;
	const struct recipe *better = NULL;
	size_t count = count_matches(m, &p->selector);

	if (is_id && !is_running && count < 2)
		return NULL;
	for (size_t i = 0; i < m->inventory->count; i++) {
		const struct pci_device *d = &m->inventory->devices[i];

		if (!has_match(&p->selector, d))
			continue;
		if (is_running)
			better = find_in_files(m, d);
		else
			better = is_id ? find_address(m, d) : find_own_id(m, d);
		if (!is_running && !is_id && !better)
			better = find_exact(m, &p->selector, d);
		if (is_id && !is_running ? better != NULL : better == NULL)
			return better;
	}
	return better;
}

/* A rule of the configuration with the same selector, or for the same address. */
static const struct rule *find_rule(const struct maker *m, const struct selector *s)
{
	for (size_t i = 0; i < m->policy->rule_count; i++) {
		const struct rule *rule = &m->policy->rules[i];
		struct selector other = rule->selector;

		if (rule->kind != RULE_BIND || rule->profile.n > 0)
			continue;
		if (selector_is_same(&other, s))
			return rule;
		if ((s->terms & other.terms & TERM_ADDRESS) &&
		    selector_is_address_of(&other, s->address) &&
		    (other.any_function || !s->any_function))
			return rule;
	}
	return NULL;
}

static bool is_proposed(const struct maker *m, const struct selector *s)
{
	for (size_t i = 0; i < m->proposals->count; i++)
		if (selector_is_same(&m->proposals->items[i].selector, s))
			return true;
	return false;
}

/* Whether each of its devices, of which there is one at least, has a rule or a proposal. */
static bool is_settled(const struct maker *m, const struct selector *s)
{
	size_t count = 0;

	for (size_t i = 0; i < m->inventory->count; i++) {
		const struct pci_device *d = &m->inventory->devices[i];
		bool is_named = false;

		if (!has_match(s, d))
			continue;
		for (size_t k = 0; k < m->proposals->count && !is_named; k++)
			is_named = m->proposals->items[k].state != PROPOSAL_LOST &&
				   has_match(&m->proposals->items[k].selector, d);
		if (!is_named)
			return false;
		count++;
	}
	return count > 0;
}

static int propose(const struct maker *m, const struct recipe *r,
		   const struct selector *selector)
{
	struct proposal p = {.recipe = r, .selector = *selector};
	const struct recipe *better;
	const struct rule *rule;
	char origin[ORIGIN_SIZE];

	add_claim(m, &p.selector);
	if (is_proposed(m, &p.selector) || (r->is_replaced && is_settled(m, &p.selector)))
		return 0;
	rule = find_rule(m, &p.selector);
	better = find_better(m, &p);
	p.is_optional = r->is_late ||
			(m->inventory->count > 0 && count_matches(m, &p.selector) == 0);
	if (rule) {
		p.state = PROPOSAL_CONFIGURED;
		p.why = arena_copy(m->arena,
				   text_of(origin_format(&rule->origin, origin)));
	} else if (better) {
		p.state = PROPOSAL_COVERED;
		p.why = recipe_place(m->recipes, better);
	} else if (r->is_replaced) {
		p.state = PROPOSAL_LOST;
	} else {
		m->proposals->new_count++;
	}
	if ((rule || better) && !p.why)
		return -ENOMEM;
	if (r->is_replaced && (rule || better))
		return 0;
	m->proposals->items[m->proposals->count++] = p;
	return 0;
}

/* A list of IDs that another one takes the place of: both were meant. */
static bool is_lost(const struct recipe *r)
{
	return r->kind == RECIPE_IDS && r->is_replaced && !r->is_repeated &&
	       !r->is_generated && r->fate == RECIPE_DELETE;
}

static int propose_all(const struct maker *m, bool (*is_wanted)(const struct recipe *r))
{
	for (size_t i = 0; i < m->recipes->count; i++) {
		const struct recipe *r = &m->recipes->items[i];

		for (size_t k = 0; k < r->selector_count && is_wanted(r); k++)
			if (propose(m, r, &r->selectors[k]) < 0)
				return -ENOMEM;
	}
	return 0;
}

/*
 * A rule for each thing that the effective recipes name, once. Without a device in
 * @inventory nothing is known of the machine. -ENOMEM.
 */
static int proposals_make(const struct recipes *recipes,
			  const struct inventory *inventory, const struct policy *policy,
			  struct arena *arena, struct proposals *ret)
{
	struct maker m = {recipes, inventory, policy, arena, ret};
	size_t total = 0;

	*ret = (struct proposals){0};
	for (size_t i = 0; i < recipes->count; i++)
		total += recipes->items[i].selector_count;
	ret->items = arena_alloc(arena, total, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	if (propose_all(&m, recipe_is_effective) < 0)
		return -ENOMEM;
	return propose_all(&m, is_lost);
}

struct writer {
	struct arena *arena;
	struct text *lines;
	size_t count;
	char line[LINE_MAX_COLUMNS + SELECTOR_SIZE];
	bool is_optional;
	const char *options; /* of recipes; NULL for none */
};

static int put_line(struct writer *w, const char *line)
{
	if (!line)
		return -ENOMEM;
	w->lines[w->count++] = text_of(line);
	return 0;
}

/* Ends the rule that was begun. */
static int flush(struct writer *w)
{
	int r = 0;

	if (w->line[0])
		r = put_line(w, arena_printf(w->arena, "bind  %s%s%s%s", w->line,
					     w->is_optional ? "  optional" : "",
					     w->options ? "  " : "",
					     w->options ? w->options : ""));
	w->line[0] = '\0';
	return r;
}

static int put_selector(struct writer *w, const struct proposal *p)
{
	size_t room = LINE_MAX_COLUMNS - strlen("bind  ,  optional");
	char text[SELECTOR_SIZE];

	selector_format(&p->selector, text);
	if (w->line[0] &&
	    (w->is_optional != p->is_optional || w->options != p->recipe->options ||
	     strlen(w->line) + strlen(text) > room) &&
	    flush(w) < 0)
		return -ENOMEM;
	if (w->line[0])
		strcat(w->line, ",");
	strcat(w->line, text);
	w->is_optional = p->is_optional;
	w->options = p->recipe->options;
	return 0;
}

/* What has no effect today, as comments. */
static int put_lost(struct writer *w, const struct proposals *proposals)
{
	const struct recipe *last = NULL;

	for (size_t i = 0; i < proposals->count; i++) {
		const struct proposal *p = &proposals->items[i];
		char text[SELECTOR_SIZE];

		if (p->state != PROPOSAL_LOST)
			continue;
		if (p->recipe != last &&
		    put_line(w, arena_printf(w->arena,
					     "# from %s:%u, which has no effect today:",
					     p->recipe->file, p->recipe->line)) < 0)
			return -ENOMEM;
		last = p->recipe;
		if (put_line(w, arena_printf(w->arena, "# bind  %s",
					     selector_format(&p->selector, text))) < 0)
			return -ENOMEM;
	}
	return 0;
}

/*
 * The new rules as lines of a configuration, with a comment about their origin in front of
 * those of each recipe. -ENOMEM.
 */
static int proposals_write(const struct proposals *proposals, struct arena *arena,
			   struct text **ret_lines, size_t *ret_count)
{
	struct writer w = {.arena = arena};
	const struct recipe *last = NULL;

	/* At worst a comment and a rule for each. */
	w.lines = arena_alloc(arena, 2 * proposals->count + 1, sizeof(*w.lines));
	if (!w.lines)
		return -ENOMEM;
	for (size_t i = 0; i < proposals->count; i++) {
		const struct proposal *p = &proposals->items[i];
		const struct recipe *r = p->recipe;

		if (p->state != PROPOSAL_NEW)
			continue;
		if ((!last || r != last) &&
		    (flush(&w) < 0 ||
		     put_line(&w, r->line > 0 ? arena_printf(arena, "# from %s:%u",
							     r->file, r->line)
					      : arena_printf(arena, "# from %s",
							     r->file)) < 0))
			return -ENOMEM;
		last = r;
		if (put_selector(&w, p) < 0)
			return -ENOMEM;
	}
	if (flush(&w) < 0 || put_lost(&w, proposals) < 0)
		return -ENOMEM;
	*ret_lines = w.lines;
	*ret_count = w.count;
	return 0;
}

static int make_wishes(const struct proposals *proposals, struct arena *arena,
		       struct rule_requests *w)
{
	w->kind = RULE_BIND;
	w->options = "";
	for (size_t i = 0; i < proposals->count; i++) {
		const struct proposal *p = &proposals->items[i];
		struct rule_request *request = &w->items[w->count];
		char text[SELECTOR_SIZE];

		if (p->state != PROPOSAL_NEW)
			continue;
		if (w->count == WISHES_MAX) {
			say_error("more than %d rules", WISHES_MAX);
			return -1;
		}
		request->selector = p->selector;
		request->text =
			arena_copy(arena, text_of(selector_format(&p->selector, text)));
		if (!request->text) {
			say_error("out of memory");
			return -1;
		}
		w->count++;
	}
	return 0;
}

/*
 * Writes these lines into the configuration, unless the new rules would take what the host
 * cannot do without. Shows the change, or says what is wrong; the exit code.
 */
static int proposals_apply(const struct proposals *proposals, const struct text *lines,
			   size_t count, const char *sysroot, struct arena *arena)
{
	static struct edit e;
	static struct rule_requests w;

	e = (struct edit){.arena = arena, .sysroot = sysroot};
	w = (struct rule_requests){0};
	if (make_wishes(proposals, arena, &w) < 0 || edit_open(&e) < 0)
		return EXIT_FAILED;
	if (config_edit_append(&e.text, TEXT(""), lines, count) < 0) {
		say_error("the rules cannot be added: they are too many");
		return EXIT_FAILED;
	}
	if (edit_check(&e) < 0)
		return EXIT_FAILED;
	if (addition_judge(&e, &w) != JUDGED_FINE) {
		say_error("nothing is written: add the rules one by one with \"earlybind "
			  "add\"");
		return EXIT_FAILED;
	}
	return edit_finish(&e);
}

/* ---- the command's state ------------------------------------------------------------ */

struct import {
	const char *sysroot;
	bool is_json;
	bool is_dry_run;
	bool is_write;

	struct arena *arena;
	struct world *world;
	struct sources sources;
	struct policy policy; /* of the configuration alone */
	struct inventory inventory;
	struct recipes recipes;
	struct proposals proposals;
	struct text *lines; /* for the configuration */
	size_t line_count;
	struct policy after; /* of the configuration with these lines */
	struct inventory
		next; /* of the next boot, where some functions are not there yet */
	struct plan plan; /* by it */
};

/* What the next boot does by the configuration with the new rules. -ENOMEM. */
static int make_plan(struct import *im)
{
	struct text_buffer all = {.arena = im->arena};
	int r;

	for (size_t i = 0; i < im->line_count; i++)
		text_add(&all, "%.*s\n", (int)im->lines[i].n, im->lines[i].p);
	if (all.is_full || policy_init(&im->after, im->arena) < 0)
		return -ENOMEM;
	sources_parse(&im->sources, &im->after);
	if (im->line_count > 0)
		config_parse(&im->after, SOURCE_CONFIG, TEXT("import"),
			     (struct text){all.buf, all.used});
	r = plan_make(&im->after, &im->inventory, im->arena, &im->plan);
	im->next = im->inventory;
	if (r == 0)
		r = virtual_functions_foresee(im->world, im->arena, &im->after, &im->next,
					      &im->plan);
	for (size_t i = 0; r == 0 && i < im->plan.device_count; i++) {
		struct plan_device *pd = &im->plan.devices[i];
		const char *note = physical_sentence(im->world, im->arena, pd, NULL);

		pd->note = note ? note : pd->note;
	}
	return r;
}

/* There is no rule that could have the allow=: the command that writes one. */
static const char *refusal_of(const struct import *im, const struct pci_device *d,
			      const struct judgement *judgement)
{
	struct text cause = judged_cause(judgement);
	char address[BDF_SIZE], name[BDF_SIZE];

	bdf_format(d->bdf, address);
	if (judgement->needs_allow != ALLOW_CONSOLE)
		return arena_printf(im->arena, "%s: %s", address, judgement->why);
	return arena_printf(im->arena,
			    "%s: %.*s; if the local screen may go dark: \"earlybind add "
			    "--force %s\"",
			    address, (int)cause.n, cause.p,
			    device_short_address(d, name));
}

/*
 * Why the next boot would leave each device that it has to the host: a rule keeps it, or the host
 * cannot do without it. NULL: it would not.
 */
static const char *why_refused(const struct import *im, const struct judge *judge,
			       const struct selector *s)
{
	const char *why = NULL;

	for (size_t i = 0; i < im->next.count; i++) {
		const struct pci_device *d = &im->next.devices[i];
		struct judgement judgement;

		if (!has_match(s, d))
			continue;
		judge_device(judge, d, (struct allowance){0}, &judgement);
		if (judgement.verdict == JUDGED_FINE)
			return NULL;
		if (!why)
			why = refusal_of(im, d, &judgement);
	}
	return why;
}

/* Whether the set-up has a device now that no keep rule names. */
static bool has_device_now(const struct import *im, const struct selector *s)
{
	for (size_t i = 0; i < im->next.count; i++) {
		const struct pci_device *d = &im->next.devices[i];
		const struct plan_device *pd = plan_find(&im->plan, d);

		if (driver_is_for_others(text_of(d->driver)) &&
		    (!pd || pd->action != ACTION_KEEP) && has_match(s, d))
			return true;
	}
	return false;
}

/* Without its line nothing would bind a device that is bound now. */
static void keep_recipe(struct import *im, const struct proposal *p)
{
	struct recipe *r = &im->recipes.items[p->recipe - im->recipes.items];

	if (r->fate != RECIPE_DELETE || !has_device_now(im, &p->selector))
		return;
	r->fate = RECIPE_STAY;
	r->note = "nothing else binds a device that it binds now: remove it once a rule "
		  "does, or if you give that device back";
}

/* Takes back what the next boot would refuse. -ENOMEM. */
static int refuse_proposals(struct import *im)
{
	struct usages usages;
	const struct judge judge = {
		.arena = im->arena,
		.policy = &im->after,
		.inventory = &im->next,
		.plan = &im->plan,
		.usages = &usages,
		.world = im->world,
	};
	size_t before = im->proposals.new_count;

	if (usages_read(im->world, im->arena, &usages) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < im->proposals.count; i++) {
		struct proposal *p = &im->proposals.items[i];
		const char *why;

		if (p->state != PROPOSAL_NEW)
			continue;
		why = why_refused(im, &judge, &p->selector);
		if (!why)
			continue;
		p->state = PROPOSAL_REFUSED;
		p->why = why;
		im->proposals.new_count--;
		keep_recipe(im, p);
	}
	if (im->proposals.new_count == before)
		return 0;
	return proposals_write(&im->proposals, im->arena, &im->lines, &im->line_count) < 0
		       ? -ENOMEM
		       : make_plan(im);
}

static int read_all(struct import *im)
{
	static const struct strings none;
	int r;

	if (open_world(im->sysroot, &im->world) < 0 ||
	    sources_read(im->world, im->arena, &none, &im->sources) < 0)
		return EXIT_FAILED;
	if (policy_init(&im->policy, im->arena) < 0)
		goto out_of_memory;
	sources_parse(&im->sources, &im->policy);
	/* Without a bus nothing is known of the devices, which is no failure here. */
	r = inventory_read(im->world, im->arena, recipes_filter, NULL, &im->inventory);
	if (r < 0)
		im->inventory = (struct inventory){0};
	if (recipes_read(im->world, im->sysroot, &im->policy, im->arena, &im->recipes) <
	    0)
		goto out_of_memory;
	recipes_add_bound(&im->recipes, im->world, &im->inventory, &im->policy);
	if (proposals_make(&im->recipes, &im->inventory, &im->policy, im->arena,
			   &im->proposals) < 0 ||
	    proposals_write(&im->proposals, im->arena, &im->lines, &im->line_count) < 0 ||
	    make_plan(im) < 0 || refuse_proposals(im) < 0)
		goto out_of_memory;
	world_close(im->world);
	return EXIT_OK;

out_of_memory:
	say_error("out of memory");
	return EXIT_FAILED;
}

/* ---- text -------------------------------------------------------------------------------- */

static const char *what_to_delete(const struct recipe *r)
{
	switch (r->extent) {
	case RECIPE_LINE:
		return "delete the line";
	case RECIPE_WORDS:
		return "remove these words from the line";
	case RECIPE_FILE:
		return "delete the file";
	}
	return "";
}

static void put_place(const char *file, unsigned line, unsigned column)
{
	put_text(stdout, text_of(file));
	if (line > 0)
		printf(":%u", line);
	if (column > 0)
		printf(":%u", column);
}

/* The rules that are not proposed, though the recipe has them. */
static void put_covered(const struct import *im, const struct recipe *r)
{
	static const char *const words[] = {
		[PROPOSAL_CONFIGURED] = "the rule is there already, in",
		[PROPOSAL_COVERED] = "the rule has a more exact name, in",
		[PROPOSAL_REFUSED] = "no rule, as the next boot would refuse it.",
	};

	for (size_t i = 0; i < im->proposals.count; i++) {
		const struct proposal *p = &im->proposals.items[i];
		char text[SELECTOR_SIZE];

		if (p->recipe == r && p->why)
			paragraph_line(stdout, NOTE_INDENT, "%s: %s %s",
				       selector_format(&p->selector, text),
				       words[p->state], p->why);
	}
}

static bool is_same_place(const struct recipe *a, const struct recipe *b)
{
	return (a->line > 0 || a->extent == RECIPE_WORDS) && a->line == b->line &&
	       a->extent == b->extent && strcmp(a->file, b->file) == 0;
}

static bool is_same_text(const struct recipe *a, const struct recipe *b)
{
	return text_is_same(a->text, b->text);
}

static void put_text_of(const struct import *im, const struct recipe *r)
{
	if (r->text.n > 0)
		paragraph_line(stdout, NOTE_INDENT, "%.*s",
			       (int)MIN(r->text.n, (size_t)512), r->text.p);
	put_covered(im, r);
}

static void put_advice(const struct recipe *r)
{
	if (r->note)
		paragraph_line(stdout, NOTE_INDENT, "%s", r->note);
	if (r->fate == RECIPE_DELETE)
		paragraph_line(stdout, NOTE_INDENT, "%s%s%s", what_to_delete(r),
			       r->after ? ", " : "", r->after ? r->after : "");
}

/* A copy of what stays is no news. */
static bool is_shown(const struct recipe *r, enum recipe_fate fate)
{
	return r->fate == fate && !r->is_generated &&
	       !(fate == RECIPE_STAY && r->is_repeated);
}

static size_t count_fate(const struct import *im, enum recipe_fate fate)
{
	size_t count = 0;

	for (size_t i = 0; i < im->recipes.count; i++)
		count += is_shown(&im->recipes.items[i], fate);
	return count;
}

/* What stands in one line and has the same advice is shown together. */
static void print_fate(const struct import *im, enum recipe_fate fate, const char *title)
{
	const struct recipe *last = NULL;

	if (count_fate(im, fate) == 0)
		return;
	puts(title);
	for (size_t i = 0; i < im->recipes.count; i++) {
		const struct recipe *r = &im->recipes.items[i];
		bool is_together;

		if (!is_shown(r, fate))
			continue;
		is_together = last && is_same_place(last, r) && last->note == r->note;
		if (is_together && is_same_text(last, r))
			continue;
		if (last && !is_together)
			put_advice(last);
		if (!last || !is_same_place(last, r)) {
			put_place(r->file, r->line, 0);
			putchar('\n');
		}
		put_text_of(im, r);
		last = r;
	}
	if (last)
		put_advice(last);
	putchar('\n');
}

static void print_rules(const struct import *im)
{
	/* Those that are written are shown when they are. */
	if (im->line_count > 0 && !im->is_write)
		puts("Rules that mean the same, for /etc/earlybind.conf:\n");
	for (size_t i = 0; i < im->line_count && !im->is_write; i++) {
		put_text(stdout, im->lines[i]);
		putchar('\n');
	}
	if (im->line_count > 0 && !im->is_write)
		putchar('\n');
}

static bool is_planned(const struct plan_device *pd)
{
	return pd && pd->action <= ACTION_DONE;
}

/* Of a device that the rules do not bind. */
static const char *why_not(const struct import *im, const struct plan_device *pd)
{
	char message[REASON_MESSAGE_SIZE];
	const char *text = NULL;

	if (!pd)
		return "no rule names it";
	text = arena_printf(im->arena, "%s",
			    reason_message(pd->reason, pd->detail, message));
	return text ? text : "out of memory";
}

static void put_planned(const struct import *im, const struct plan_device *pd)
{
	const struct pci_device *d = pd->device;
	char id[ID_SIZE];
	struct paragraph line = describe_device(d->bdf, format_id(&d->ids, id));

	if (!is_planned(pd)) {
		paragraph_verdict(&line, STYLE_BAD, "is not bound:");
		paragraph_add(&line, "%s", why_not(im, pd));
	} else if (pd->action == ACTION_DONE) {
		paragraph_verdict(&line, STYLE_GOOD, "is bound to %s,", pd->wanted);
		paragraph_add(&line, "as now");
	} else {
		paragraph_verdict(&line, STYLE_GOOD, "is bound to %s", pd->wanted);
		paragraph_add(&line, "(now: %s)", d->driver[0] ? d->driver : "no driver");
	}
	if (pd->note)
		paragraph_add(&line, "- %s", pd->note);
	paragraph_end(&line);
}

static bool is_left(const struct import *im, const struct pci_device *d)
{
	return driver_is_for_others(text_of(d->driver)) &&
	       !is_planned(plan_find(&im->plan, d));
}

/* What the next boot does by the rules; and what is bound now and will not be. */
static void print_plan(const struct import *im)
{
	const char *title = "Bound now, and not by the rules of earlybind:\n";

	if (im->plan.device_count > 0)
		puts("What the next boot does, with these rules added:\n");
	for (size_t i = 0; i < im->plan.device_count; i++)
		put_planned(im, &im->plan.devices[i]);
	if (im->plan.device_count > 0)
		putchar('\n');
	for (size_t i = 0; i < im->inventory.count; i++) {
		const struct pci_device *d = &im->inventory.devices[i];
		struct paragraph line;
		char id[ID_SIZE];

		if (!is_left(im, d))
			continue;
		if (title)
			puts(title);
		title = NULL;
		line = describe_device(d->bdf, format_id(&d->ids, id));
		paragraph_add(
			&line, "bound to %s now: %s", d->driver,
			inventory_find(&im->next, d->bdf)
				? why_not(im, plan_find(&im->plan, d))
				: "it is a virtual function of a card that the rules "
				  "take, so the next boot does not have it");
		paragraph_end(&line);
	}
	if (!title)
		putchar('\n');
}

static void print_findings(const struct import *im)
{
	if (im->recipes.finding_count == 0)
		return;
	puts("What is wrong with them:\n");
	for (size_t i = 0; i < im->recipes.finding_count; i++) {
		const struct recipe_finding *f = &im->recipes.findings[i];

		put_place(f->file, f->line, f->column);
		putchar('\n');
		paragraph_line(stdout, NOTE_INDENT, "%s", f->message);
	}
	putchar('\n');
}

static void print_text(const struct import *im)
{
	print_rules(im);
	print_plan(im);
	print_findings(im);
	print_fate(im, RECIPE_DELETE,
		   "Not needed once an image with the rules has booted:\n");
	print_fate(im, RECIPE_STAY, "To stay as it is:\n");
	print_fate(im, RECIPE_LOOK, "No rule could be made of this, so look at it:\n");
	paragraph_line(
		stdout, 0,
		"%zu rule%s to add, %zu finding%s, %zu to delete, %zu to stay, %zu to look at",
		im->proposals.new_count, plural(im->proposals.new_count),
		im->recipes.finding_count, plural(im->recipes.finding_count),
		count_fate(im, RECIPE_DELETE), count_fate(im, RECIPE_STAY),
		count_fate(im, RECIPE_LOOK));
	/* What would stop --write, which says it by itself. */
	if (!im->is_write && judge_config_error(&im->policy)) {
		(void)sources_print_problems(&im->sources, &im->policy);
		say_error(CONFIG_FIRST);
	}
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void write_recipe(const struct recipe *r, struct json *json)
{
	static const char *const extents[] = {
		[RECIPE_LINE] = "line",
		[RECIPE_WORDS] = "words",
		[RECIPE_FILE] = "file",
	};
	char text[SELECTOR_SIZE];

	json_open(json, NULL, '{');
	json_put_string(json, "file", r->file);
	json_put_number(json, "line", r->line);
	json_put_text(json, "text", r->text);
	json_put_string(json, "kind", recipe_kind_name(r->kind));
	json_put_string(json, "fate", recipe_fate_name(r->fate));
	json_put_bool(json, "effective", recipe_is_effective(r));
	json_put_bool(json, "generated", r->is_generated);
	json_put_string(json, "extent", extents[r->extent]);
	json_put_string(json, "note", r->note);
	json_open(json, "selectors", '[');
	for (size_t i = 0; i < r->selector_count; i++)
		json_put_string(json, NULL, selector_format(&r->selectors[i], text));
	json_close(json, ']');
	json_close(json, '}');
}

static void write_proposal(const struct proposal *p, struct json *json)
{
	static const char *const states[] = {
		[PROPOSAL_NEW] = "new",		[PROPOSAL_CONFIGURED] = "configured",
		[PROPOSAL_COVERED] = "covered", [PROPOSAL_LOST] = "lost",
		[PROPOSAL_REFUSED] = "refused",
	};
	bool is_refused = p->state == PROPOSAL_REFUSED;
	char text[SELECTOR_SIZE];

	json_open(json, NULL, '{');
	json_put_string(json, "selector", selector_format(&p->selector, text));
	json_put_string(json, "state", states[p->state]);
	json_put_string(json, "options", p->recipe->options);
	json_put_bool(json, "optional", p->is_optional);
	json_put_string(json, "file", p->recipe->file);
	json_put_number(json, "line", p->recipe->line);
	json_put_string(json, "covered_by", is_refused ? NULL : p->why);
	json_put_string(json, "refused", is_refused ? p->why : NULL);
	json_close(json, '}');
}

static void write_plan(const struct import *im, struct json *json)
{
	char address[BDF_SIZE];

	json_open(json, "devices", '[');
	for (size_t i = 0; i < im->plan.device_count; i++)
		report_write_device(&im->plan.devices[i], NULL, json);
	json_close(json, ']');
	json_open(json, "left", '[');
	for (size_t i = 0; i < im->inventory.count; i++)
		if (is_left(im, &im->inventory.devices[i]))
			json_put_string(
				json, NULL,
				bdf_format(im->inventory.devices[i].bdf, address));
	json_close(json, ']');
}

static int print_json(const struct import *im)
{
	const struct recipes *recipes = &im->recipes;
	struct json json;

	if (begin_json(im->arena,
		       recipes->count + recipes->finding_count + im->proposals.count +
			       im->inventory.count,
		       &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_open(&json, "found", '[');
	for (size_t i = 0; i < recipes->count; i++)
		write_recipe(&recipes->items[i], &json);
	json_close(&json, ']');
	json_open(&json, "rules", '[');
	for (size_t i = 0; i < im->proposals.count; i++)
		write_proposal(&im->proposals.items[i], &json);
	json_close(&json, ']');
	json_open(&json, "findings", '[');
	for (size_t i = 0; i < recipes->finding_count; i++) {
		const struct recipe_finding *f = &recipes->findings[i];

		json_open(&json, NULL, '{');
		json_put_string(&json, "file", f->file);
		json_put_number(&json, "line", f->line);
		json_put_number(&json, "column", f->column);
		json_put_string(&json, "lint", recipe_lint_name(f->lint));
		json_put_string(&json, "message", f->message);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	write_plan(im, &json);
	json_close(&json, '}');
	return end_json(&json);
}

/* ---- the command ------------------------------------------------------------------------- */

/* Findings about what was not understood, and so is in no rule. */
static bool has_loss(const struct recipes *recipes)
{
	for (size_t i = 0; i < recipes->finding_count; i++) {
		enum recipe_lint lint = recipes->findings[i].lint;

		if (lint == LINT_UNREAD || lint == LINT_SYNTAX || lint == LINT_IDS ||
		    lint == LINT_NOT_UNDERSTOOD)
			return true;
	}
	return recipes->is_cut;
}

static int verdict(const struct import *im)
{
	if (count_fate(im, RECIPE_LOOK) > 0 || has_loss(&im->recipes))
		return EXIT_FAILED;
	if (im->recipes.count == 0)
		return EXIT_NOTHING;
	return EXIT_OK;
}

static int import(struct import *im)
{
	int code;

	if (im->is_write && (im->is_dry_run || im->is_json)) {
		say_error("--write goes with neither --dry-run nor --json");
		return EXIT_WRONG_USAGE;
	}
	code = read_all(im);
	if (code != EXIT_OK)
		return code;
	if (im->recipes.is_cut)
		say_error("there is more than earlybind has room for: not all of it is "
			  "shown");
	if (im->is_json)
		code = print_json(im);
	else if (im->recipes.count > 0 || im->recipes.finding_count > 0)
		print_text(im);
	else
		paragraph_line(
			stdout, 0, "%s",
			"nothing found: no file that earlybind knows, no "
			"parameter of this boot and no driver passes a device through");
	if (im->is_write && im->proposals.new_count > 0) {
		putchar('\n');
		code = proposals_apply(&im->proposals, im->lines, im->line_count,
				       im->sysroot, im->arena);
	}
	return code != EXIT_OK ? code : verdict(im);
}

int command_import(int argc, char **argv, struct arena *arena)
{
	static struct import im;
	const struct option_spec options[] = {
		{"dry-run", NULL, "write nothing (the default)",
		 .ret_flag = &im.is_dry_run},
		{"json", NULL, "print JSON for scripts", .ret_flag = &im.is_json},
		{"sysroot", "DIR", "read the tree below DIR, not this machine",
		 .ret_string = &im.sysroot},
		{"write", NULL, "add the rules to /etc/earlybind.conf",
		 .ret_flag = &im.is_write},
	};
	const struct command_spec spec = {
		.name = "import",
		.synopsis = "[OPTION...]",
		.text = "Reads what is there already. In files: vfio-pci's options, "
			"softdeps, blacklists and tricks in modprobe.d, kernel command "
			"lines of boot loaders, lists of modules for the image. Of tools: "
			"driverctl, Unraid, Proxmox, libvirt, Xen. And the command line "
			"of this boot, with the devices that vfio-pci or pci-stub has "
			"now.\nPrints the rules that mean the same, and what is wrong "
			"with what was found. Says what must stay, and what can be "
			"deleted once an image with the rules has booted. Files of other "
			"tools are never changed.\n"
			"\n"
			"exit code: 0 all that was found is understood; 1 something could not "
			"be read or turned into a rule, or not be written; 2 wrong usage; 3 nothing was found\n",
		.example = "earlybind import --json | jq -r '.findings[].message'",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	im = (struct import){.arena = arena};
	return options_parse(&spec, argc, argv, &code) ? import(&im) : code;
}
