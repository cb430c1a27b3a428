/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judgement.h"

#include <errno.h>
#include <string.h>

#include "driver.h"
#include "group.h"
#include "guards.h"
#include "message.h"
#include "paths.h"
#include "virtual_functions.h"

/* How a refusal of the boot is taken while rules are written. */
enum weight {
	WEIGHT_NONE,
	WEIGHT_LEFT, /* a warning: no boot takes it from the host */
	WEIGHT_WARNING, /* may be otherwise at boot */
	WEIGHT_FORCE, /* refused without --force */
	WEIGHT_ALLOW, /* refused without --force, which adds an allow= */
	WEIGHT_NEVER,
};

struct weighing {
	enum reason reason;
	enum weight weight;
	unsigned allow; /* what lifts it: of enum allow */
};

static struct weighing weigh(enum reason reason)
{
	static const struct weighing weighings[] = {
		{REASON_NONE, WEIGHT_NONE, 0},
		{REASON_HOST_DEVICE, WEIGHT_LEFT, 0},
		{REASON_BRIDGE, WEIGHT_NEVER, 0},
		{REASON_IOMMU_DEVICE, WEIGHT_NEVER, 0},
		{REASON_BEHIND_VMD, WEIGHT_NEVER, 0},
		{REASON_DENYLISTED, WEIGHT_FORCE, 0},
		{REASON_CONSOLE, WEIGHT_ALLOW, ALLOW_CONSOLE},
		{REASON_LAST_DISPLAY, WEIGHT_ALLOW, ALLOW_CONSOLE},
		{REASON_CRITICAL_STORAGE, WEIGHT_ALLOW, ALLOW_STORAGE},
		{REASON_CRITICAL_NETWORK, WEIGHT_ALLOW, ALLOW_NETWORK},
		{REASON_CRITICAL_CONSOLE, WEIGHT_ALLOW, ALLOW_CONSOLE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(weighings); i++)
		if (weighings[i].reason == reason)
			return weighings[i];
	return (struct weighing){reason, WEIGHT_WARNING, 0};
}

/* What allows to take a function that is used so. */
static unsigned allow_for(enum usage_kind kind)
{
	switch (kind) {
	case USAGE_DISK:
		return ALLOW_STORAGE;
	case USAGE_NETWORK:
		return ALLOW_NETWORK;
	case USAGE_DISPLAY:
	case USAGE_INPUT:
		return ALLOW_CONSOLE;
	case USAGE_NODE:
	case USAGE_VFIO:
		break;
	}
	return 0;
}

static void warn(struct judgement *ret, const char *what)
{
	if (what && ret->warning_count < JUDGED_WARNINGS_MAX)
		ret->warnings[ret->warning_count++] = what;
}

const char *judge_unknown_disk(const struct judge *j, const struct pci_device *d)
{
	if (j->usages->root != ROOT_OTHER || d->ids.class >> 16 != 0x01 ||
	    driver_is_vfio(d->driver))
		return NULL;
	return "which disks / is on is unknown (ZFS without labels in udev, or no PCI "
	       "device): make sure that none of them is on it";
}

const struct usage *judge_usages(const struct judge *j, const struct pci_device *d,
				 size_t *ret_count)
{
	*ret_count = 0;
	if (!j->usages)
		return NULL;
	return j->holders ? holders_find_usages(j->holders, j->usages, d, ret_count)
			  : usages_find(j->usages, d->bdf, ret_count);
}

static void weigh_usages(const struct judge *j, const struct pci_device *d,
			 struct allowance a, struct judgement *ret)
{
	bool is_used = false;
	size_t count;
	const struct usage *usage = judge_usages(j, d, &count);

	for (size_t i = 0; usage && i < count; i++) {
		const struct usage *u = &usage[i];
		bool is_allowed = a.is_forced || (a.allow & allow_for(u->kind));
		const char *what =
			arena_printf(j->arena, "the host uses %s: %s", u->name, u->what);

		if (!u->is_in_use || u->kind == USAGE_VFIO || !what)
			continue;
		is_used = true;
		if (!u->is_critical || is_allowed) {
			warn(ret, what);
		} else if (!ret->why) {
			ret->verdict = JUDGED_REFUSED;
			ret->why = what;
			ret->is_forceable = true;
		}
	}
	if (!is_used)
		warn(ret, judge_unknown_disk(j, d));
}

/* The file that "earlybind remove" edits has the rule. */
static bool has_rule_in_main_file(const struct rule *rule)
{
	static const struct text name = {ETC_PREFIX CONFIG_NAME,
					 sizeof(ETC_PREFIX CONFIG_NAME) - 1};

	return (rule->origin.source == SOURCE_CONFIG ||
		rule->origin.source == SOURCE_TABLE) &&
	       text_is_same(rule->origin.file, name) && rule->profile.n == 0;
}

static void judge_kept(const struct judge *j, const struct plan_device *pd,
		       struct judgement *ret)
{
	const struct rule *rule = pd->rule;
	bool is_own = has_rule_in_main_file(rule);
	char origin[ORIGIN_SIZE];

	ret->verdict = JUDGED_REFUSED;
	ret->reason = pd->reason;
	ret->why = arena_printf(
		j->arena,
		"the rule keep %.*s (%s) protects it: remove that rule first%s%.*s%s",
		(int)MIN(rule->text.n, (size_t)SELECTOR_SIZE), rule->text.p,
		origin_format(&rule->origin, origin),
		is_own ? ", with \"earlybind remove " : "",
		is_own ? (int)rule->text.n : 0, rule->text.p, is_own ? "\"" : "");
}

/* The sentence up to the colon before its remedy; what stands in brackets has no remedy. */
static struct text cause_of(const char *why)
{
	size_t depth = 0;

	for (size_t i = 0; why[i]; i++) {
		depth += why[i] == '(';
		depth -= why[i] == ')' && depth > 0;
		if (depth == 0 && why[i] == ':' && why[i + 1] == ' ')
			return (struct text){why, i};
	}
	return text_of(why);
}

const char *refusal_sentence(struct arena *arena, const struct rule *rule,
			     enum reason reason, const char *detail)
{
	char message[REASON_MESSAGE_SIZE];
	struct text cause;

	reason_message(reason, detail, message);
	if (!rule || !rule->is_module_id || weigh(reason).weight != WEIGHT_ALLOW)
		return arena_printf(arena, "%s", message);
	cause = cause_of(message);
	return arena_printf(
		arena,
		"%.*s: remove its ID from vfio-pci.ids=; if you want that, only a rule "
		"in /etc/earlybind.conf can have the allow= for it",
		(int)cause.n, cause.p);
}

const char *judge_remedy(const struct judge *j, const struct plan_device *pd)
{
	const char *sentence =
		refusal_sentence(j->arena, pd->rule, pd->reason, pd->detail);
	struct text cause = sentence ? cause_of(sentence) : TEXT("");

	if (!sentence || !sentence[cause.n])
		return sentence;
	return sentence + cause.n + sizeof(": ") - 1;
}

/* "remove by hand 10ee:5000 (command line)", with ", " in front behind another one. */
static void add_place(struct text_buffer *b, const struct rule *rule)
{
	char origin[ORIGIN_SIZE];

	text_add(b, "%s%.*s (%s)", b->used ? ", " : "remove by hand ", (int)rule->text.n,
		 rule->text.p, origin_format(&rule->origin, origin));
}

const char *judge_remove_rule(const struct judge *j, const struct rule *rule)
{
	struct text_buffer b = {.arena = j->arena};
	const char *word;

	if (has_rule_in_main_file(rule)) {
		word = arena_copy(j->arena, rule->text);
		if (!word)
			return NULL;
		text_add(&b, "\"earlybind remove ");
		text_add_word(&b, word);
		text_add(&b, "\"");
	} else {
		add_place(&b, rule);
	}
	return b.is_full ? NULL : b.buf;
}

static void judge_reason(const struct judge *j, const struct pci_device *d,
			 enum reason reason, const char *detail, struct allowance a,
			 struct judgement *ret)
{
	const struct weighing weighing = weigh(reason);
	const struct plan_device *pd = plan_find(j->plan, d);
	const char *what =
		refusal_sentence(j->arena, pd ? pd->rule : NULL, reason, detail);

	*ret = (struct judgement){.reason = reason};
	switch (weighing.weight) {
	case WEIGHT_LEFT:
		warn(ret, what);
		return;
	case WEIGHT_FORCE:
		if (!a.is_forced) {
			ret->is_forceable = true;
			break;
		}
		warn(ret, what);
		weigh_usages(j, d, a, ret);
		return;
	case WEIGHT_WARNING:
		warn(ret, what);
		weigh_usages(j, d, a, ret);
		return;
	case WEIGHT_NONE:
		weigh_usages(j, d, a, ret);
		return;
	case WEIGHT_ALLOW:
		ret->needs_allow = weighing.allow;
		if (a.is_forced) {
			ret->verdict = JUDGED_NEEDS_ALLOW;
			return;
		}
		break;
	case WEIGHT_NEVER:
		break;
	}
	ret->verdict = JUDGED_REFUSED;
	ret->why = what;
}

/* A rule for it would name it itself, and be about the device that is there. */
static bool is_as_if(const struct plan_device *pd)
{
	return pd->reason == REASON_HOST_DEVICE || pd->reason == REASON_IDENTITY_MISMATCH;
}

/* What a boot with the plan would say to a rule for @d alone. */
static enum reason refuse_as_if(const struct judge *j, const struct pci_device *d,
				unsigned allow, const char **ret_detail)
{
	const struct refusal context = {j->policy, j->inventory, j->plan,
					NULL,	   j->arena,	 DEFAULT_DRIVER};

	*ret_detail = NULL;
	return refuse_device(&context, d, allow, ret_detail);
}

/* The next boot does not have it: a rule takes the function whose driver would make it. */
static void judge_gone(const struct judge *j, const struct bdf physical,
		       struct judgement *ret)
{
	const struct pci_device key = {.bdf = physical};
	const struct plan_device *pd = plan_find(j->plan, &key);
	char origin[ORIGIN_SIZE], address[BDF_SIZE];

	bdf_format(physical, address);
	ret->verdict = JUDGED_REFUSED;
	ret->reason = REASON_HAS_VFS;
	ret->why = arena_printf(
		j->arena,
		"%s has no virtual functions after the next boot: the rule %.*s (%s) takes %s "
		"from the driver that makes them; leave it to the driver: \"earlybind keep %s\"",
		address, pd ? (int)MIN(pd->rule->text.n, (size_t)SELECTOR_SIZE) : 0,
		pd ? pd->rule->text.p : "",
		pd ? origin_format(&pd->rule->origin, origin) : "", address, address);
}

void judge_maker(const struct judge *j, const struct pci_device *d, struct allowance a,
		 struct judgement *ret)
{
	for (size_t i = 0; i < j->policy->rule_count; i++) {
		const struct rule *rule = &j->policy->rules[i];

		if (a.is_forced || ret->verdict != JUDGED_FINE ||
		    !vfs_is_made_by(j->policy, rule, d->bdf))
			continue;
		*ret = (struct judgement){
			.verdict = JUDGED_REFUSED,
			.why = arena_printf(j->arena,
					    "the rule %s leaves it to its driver, which "
					    "makes virtual functions",
					    vfs_format_rule(j->arena, rule)),
			.is_forceable = true};
	}
}

void judge_device(const struct judge *j, const struct pci_device *d, struct allowance a,
		  struct judgement *ret)
{
	const struct pci_device *same = inventory_find(j->inventory, d->bdf);
	const struct plan_device *pd = plan_find(j->plan, d);
	enum reason reason = pd ? pd->reason : REASON_NONE;
	const char *detail = pd ? pd->detail : NULL;
	struct bdf physical;

	/* The guards tell functions from one another by their place in the inventory. */
	if (same)
		d = same;
	*ret = (struct judgement){.why = NULL};
	if (!same && j->world && inventory_read_pf(j->world, d->bdf, &physical) == 0) {
		judge_gone(j, physical, ret);
		return;
	}
	if (pd && pd->action == ACTION_KEEP) {
		judge_kept(j, pd, ret);
		return;
	}
	if (!pd || is_as_if(pd)) {
		reason = refuse_as_if(j, d, a.allow, &detail);
	} else {
		if (pd->action != ACTION_REFUSE)
			reason = REASON_NONE;
		a.allow |= pd->rule->allow;
	}
	judge_reason(j, d, reason, detail, a, ret);
	if (!pd)
		judge_maker(j, d, a, ret);
}

const char *device_short_address(const struct pci_device *d, char buf[static BDF_SIZE])
{
	const char *address = bdf_format(d->bdf, buf);

	return d->bdf.domain == 0 ? address + sizeof("0000:") - 1 : address;
}

/* Puts a function that is taken into the plan, which has room for it; in place of its refusal. */
static void plan_insert(struct plan *plan, const struct pci_device *d)
{
	size_t at = plan->device_count;

	while (at > 0 && bdf_compare(plan->devices[at - 1].device->bdf, d->bdf) >= 0)
		at--;
	if (!plan_find(plan, d)) {
		memmove(&plan->devices[at + 1], &plan->devices[at],
			(plan->device_count - at) * sizeof(*plan->devices));
		plan->device_count++;
	}
	plan->devices[at] = (struct plan_device){
		.device = d,
		.action = d->driver[0] ? ACTION_RECOVER : ACTION_BIND,
		.wanted = DEFAULT_DRIVER,
	};
}

/* A plan that has room for @count more functions. -ENOMEM. */
static int plan_copy(const struct judge *j, size_t count, struct plan *ret)
{
	struct plan plan = *j->plan;

	plan.devices = arena_alloc(j->arena, plan.device_count + count + 1,
				   sizeof(*plan.devices));
	if (!plan.devices)
		return -ENOMEM;
	if (plan.device_count > 0)
		memcpy(plan.devices, j->plan->devices,
		       plan.device_count * sizeof(*plan.devices));
	*ret = plan;
	return 0;
}

/*
 * Puts @d into @plan unless a rule takes it or something speaks against it. What a rule only brings
 * along and the boot leaves to the host is taken once a rule names it.
 */
static bool take_as_if(const struct judge *j, struct plan *plan,
		       const struct pci_device *d)
{
	const struct plan_device *pd = plan_find(plan, d);
	struct judge as_if = *j;
	struct judgement judgement;

	as_if.plan = plan;
	judge_device(&as_if, d, (struct allowance){0}, &judgement);
	if (judgement.verdict != JUDGED_FINE || (pd && pd->reason != REASON_HOST_DEVICE))
		return false;
	plan_insert(plan, d);
	return true;
}

const char *judge_add_command(const struct judge *j,
			      const struct pci_device *const *devices, size_t count,
			      const struct pci_device **ret_left)
{
	struct plan plan;
	const char *text = NULL;

	*ret_left = NULL;
	if (plan_copy(j, count, &plan) < 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		char address[BDF_SIZE];

		if (!take_as_if(j, &plan, devices[i])) {
			if (!*ret_left)
				*ret_left = devices[i];
			continue;
		}
		text = arena_printf(j->arena, "%s %s", text ? text : "earlybind add",
				    device_short_address(devices[i], address));
		if (!text)
			return NULL;
	}
	return text;
}

int judge_group_then(const struct judge *j, int id, const struct pci_device *const *as_if,
		     size_t count, struct plan_group *ret)
{
	struct plan plan;
	int r = plan_copy(j, count, &plan);

	/* What a rule brings along and the boot refuses stays refused. */
	for (size_t i = 0; r == 0 && i < count; i++)
		if (!plan_find(&plan, as_if[i]))
			(void)take_as_if(j, &plan, as_if[i]);
	return r < 0 ? r : group_make(j->inventory, &plan, id, j->arena, ret);
}

const struct plan_group *plan_find_group(const struct plan *plan, int id)
{
	for (size_t i = 0; i < plan->group_count; i++)
		if (plan->groups[i].id == id)
			return &plan->groups[i];
	return NULL;
}

int judge_group_now(const struct inventory *now, int id, struct arena *arena,
		    struct plan_group *ret)
{
	return group_make(now, NULL, id, arena, ret);
}

const struct problem *judge_config_error(const struct policy *policy)
{
	for (size_t i = 0; i < policy->problem_count; i++)
		if (policy->problems[i].is_error &&
		    (policy->problems[i].origin.source == SOURCE_CONFIG ||
		     policy->problems[i].origin.source == SOURCE_TABLE))
			return &policy->problems[i];
	return NULL;
}

const char *judge_correct(const struct policy *policy, struct arena *arena)
{
	const struct problem *error = judge_config_error(policy);
	char origin[ORIGIN_SIZE];
	const char *text;

	if (!error)
		return "";
	text = arena_printf(arena, "correct %s", origin_format(&error->origin, origin));
	return text ? text : "out of memory";
}

const char *judge_apply(const struct policy *policy, struct arena *arena)
{
	const char *text = "run \"earlybind apply\"";

	if (judge_config_error(policy))
		text = arena_printf(arena, "%s and %s", judge_correct(policy, arena),
				    text);
	return text ? text : "out of memory";
}

/* Counts the bind rules for @d that are not of the module's own ids=; *ret_rule is the last. */
static size_t count_rules(const struct judge *j, const struct pci_device *d,
			  const struct rule **ret_rule)
{
	size_t count = 0;

	*ret_rule = NULL;
	for (size_t i = 0; i < j->policy->rule_count; i++) {
		const struct rule *rule = &j->policy->rules[i];

		if (rule->kind != RULE_BIND || rule->is_module_id ||
		    !policy_has_rule_active(j->policy, rule) ||
		    !selector_has_match(&rule->selector, d))
			continue;
		*ret_rule = rule;
		count++;
	}
	return count;
}

/* Whether "earlybind remove" of it changes nothing for a device that is not meant. */
static bool can_remove(const struct judge *j, const struct rule *rule,
		       const struct pci_device *const *devices, size_t count)
{
	if (!has_rule_in_main_file(rule) || rule->with != WITH_NOTHING)
		return false;
	for (size_t i = 0; i < j->inventory->count; i++) {
		const struct pci_device *d = &j->inventory->devices[i];
		bool is_meant = !selector_has_match(&rule->selector, d);

		for (size_t k = 0; k < count && !is_meant; k++)
			is_meant = bdf_compare(devices[k]->bdf, d->bdf) == 0;
		if (!is_meant)
			return false;
	}
	return true;
}

enum giving { GIVE_REMOVE, GIVE_KEEP, GIVE_BY_HAND };

struct give_back {
	struct arena *arena;
	struct text_buffer lines[GIVE_BACK_MAX];
	/* The last one that was put: functions of a card share one. */
	const struct rule *removed, *taken_out;
};

static void add_module_ids(struct give_back *g, const struct policy *policy,
			   const struct pci_device *d)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule == g->taken_out || !rule->is_module_id ||
		    !policy_has_rule_active(policy, rule) ||
		    !selector_has_match(&rule->selector, d))
			continue;
		g->taken_out = rule;
		add_place(&g->lines[GIVE_BY_HAND], rule);
	}
}

/* What the ids= of modprobe.d name, while those of the command line count in their place. */
static bool read_hidden_ids(const struct judge *j, struct policy *ret)
{
	const struct origin origin = {.source = SOURCE_MODPROBE};
	const struct job job = {.kind = JOB_MODULE_IDS};
	struct job_result result;
	char *copy;

	if (!j->world || !j->policy->has_cmdline_ids || policy_init(ret, j->arena) < 0 ||
	    world_run(j->world, &job,
		      j->world->ops->now(j->world) + j->policy->timeout * SECOND,
		      &result) < 0 ||
	    result.error < 0 || !result.is_found)
		return false;
	copy = arena_copy(j->arena, (struct text){result.text, result.length});
	if (!copy)
		return false;
	policy_add_module_ids(ret, &origin, (struct text){copy, result.length});
	return true;
}

bool judge_has_hidden_id(const struct judge *j, const struct pci_device *d)
{
	struct policy hidden;

	return read_hidden_ids(j, &hidden) && policy_has_module_id(&hidden, d);
}

static void add_give_back(struct give_back *g, const struct judge *j,
			  const struct pci_device *const *devices, size_t count, size_t i)
{
	const struct pci_device *d = inventory_find(j->inventory, devices[i]->bdf);
	const struct plan_device *pd = d ? plan_find(j->plan, d) : NULL;
	const struct rule *rule = NULL;
	size_t rules = d ? count_rules(j, d, &rule) : 0;
	struct text_buffer *b;
	const char *word;
	char address[BDF_SIZE];

	if (!pd || pd->action > ACTION_DONE)
		return;
	/* The module's own ids= would take it for all that a keep rule says. */
	if (policy_has_module_id(j->policy, d))
		add_module_ids(g, j->policy, d);
	if (rules == 0 && pd->rule->is_module_id)
		return;
	if (rules == 1 && can_remove(j, rule, devices, count)) {
		b = &g->lines[GIVE_REMOVE];
		word = rule == g->removed ? NULL : arena_copy(g->arena, rule->text);
		g->removed = rule;
	} else {
		b = &g->lines[GIVE_KEEP];
		word = device_short_address(d, address);
	}
	if (!word)
		return;
	text_add(b, "%s",
		 b->used		       ? " "
		 : b == &g->lines[GIVE_REMOVE] ? "\"earlybind remove "
					       : "\"earlybind keep ");
	text_add_word(b, word);
}

size_t judge_give_back(const struct judge *j, const struct pci_device *const *devices,
		       size_t count, const char *ret[static GIVE_BACK_MAX])
{
	struct give_back g = {.arena = j->arena};
	struct policy hidden;
	size_t lines = 0;

	if (judge_config_error(j->policy))
		return 0;
	for (size_t i = 0; i < GIVE_BACK_MAX; i++)
		g.lines[i] = (struct text_buffer){.arena = j->arena};
	for (size_t i = 0; i < count; i++)
		add_give_back(&g, j, devices, count, i);
	/* They count once those of the command line are out. */
	if (g.lines[GIVE_BY_HAND].used > 0 && read_hidden_ids(j, &hidden))
		for (size_t i = 0; i < count; i++)
			add_module_ids(&g, &hidden, devices[i]);
	for (size_t i = 0; i < GIVE_BACK_MAX; i++) {
		if (g.lines[i].used == 0)
			continue;
		if (i != GIVE_BY_HAND)
			text_add(&g.lines[i], "\"");
		/* Half of a command is none. */
		if (!g.lines[i].is_full)
			ret[lines++] = g.lines[i].buf;
	}
	return lines;
}

bool device_is_on_root_bus(const struct pci_device *d)
{
	if (d->known & FACT_PATH)
		return !d->has_path || d->path.hop_count == 0;
	return d->bdf.bus == 0;
}

/*
 * A free slot that parts a card from what is in its way: it leaves the host, is behind a port, and
 * that is not only functions of the same card. NULL: there is none, or none is known.
 */
static const char *find_slot(const struct judge *j, const struct plan_group *group)
{
	struct pci_device *const *members;
	size_t count;

	members = inventory_group(j->inventory, group->id, &count);
	for (size_t i = 0; i < count; i++) {
		if (device_is_on_root_bus(members[i]) ||
		    !plan_is_leaving_host(j->plan, members[i]))
			continue;
		for (size_t k = 0; k < group->blocker_count; k++)
			if (!bdf_is_same_slot(group->blockers[k]->bdf, members[i]->bdf))
				return group_free_slot(j->causes, members[i]->bdf);
	}
	return NULL;
}

struct text judged_cause(const struct judgement *judgement)
{
	const char *why = judgement->why ? judgement->why : "";

	/* What the host uses has no remedy in it. */
	return judgement->reason != REASON_NONE ? cause_of(why) : text_of(why);
}

/* "02:00.0 must stay: it drives the console" */
static const char *why_left(const struct judge *j, const struct pci_device *d)
{
	struct judgement judgement;
	struct text cause;
	char address[BDF_SIZE];

	judge_device(j, d, (struct allowance){0}, &judgement);
	cause = judged_cause(&judgement);
	if (cause.n == 0)
		return NULL;
	return arena_printf(j->arena, "%s must stay: %.*s",
			    device_short_address(d, address), (int)cause.n, cause.p);
}

/* "bind it too (...)" */
static const char *bind_too(const struct judge *j, const struct plan_group *group,
			    const char *command, bool has_command_line)
{
	const char *it = group->blocker_count == 1 ? "it" : "them";

	return has_command_line
		       ? arena_printf(j->arena, "bind %s too", it)
		       : arena_printf(j->arena, "bind %s too (\"%s\")", it, command);
}

const char *judge_group(const struct judge *j, const struct plan_group *group,
			bool has_command_line)
{
	const char *slot = j->causes ? find_slot(j, group) : NULL;
	const char *move =
		slot ? arena_printf(j->arena, "move the card to %s, which isolates it",
				    slot)
		     : NULL;
	const struct pci_device *left;
	const char *command =
		judge_add_command(j, group->blockers, group->blocker_count, &left);
	const char *text;

	if (group->blocker_count == 0)
		return "";
	text = left	 ? why_left(j, left)
	       : command ? bind_too(j, group, command, has_command_line)
			 : NULL;
	if (text && move)
		text = arena_printf(j->arena, "%s%s%s", text, left ? "; " : ", or ",
				    move);
	else if (!text)
		text = move;
	return text ? text : "";
}

const char *judge_group_next(const struct judge *j, const struct plan_group *group)
{
	const char *remedy = judge_group(j, group, false), *text;
	char address[BDF_SIZE];

	if (group->blocker_count == 0 || strstr(remedy, "\"earlybind "))
		return remedy;
	text = arena_printf(
		j->arena,
		"%s%s\"earlybind list %s --why\" says why the group is so large", remedy,
		remedy[0] ? "; " : "", device_short_address(group->blockers[0], address));
	return text ? text : remedy;
}

bool policy_has_module_id(const struct policy *policy, const struct pci_device *d)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].is_module_id &&
		    policy_has_rule_active(policy, &policy->rules[i]) &&
		    selector_has_match(&policy->rules[i].selector, d))
			return true;
	return false;
}
