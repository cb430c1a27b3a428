/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot_report.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "group.h"
#include "files.h"
#include "hotplug.h"
#include "paths.h"
#include "report.h"
#include "sentences.h"

#define LATE_REPORTS_MAX 4096

/* A list of the report and what is made of each of its objects. */
struct report_loader {
	struct arena *arena;
	struct boot *boot;
	const char *message; /* what is wrong */
	int error;
};

static const char *get(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int fail(struct report_loader *l, const char *message)
{
	l->message = message;
	return -EBADMSG;
}

/* A list of the report, and memory for what is made of it. NULL on failure. */
static void *open_list(struct report_loader *l, const json_t *root, const char *key,
		       size_t size, const json_t **ret)
{
	void *items;

	*ret = json_object_get(root, key);
	if (!json_is_array(*ret)) {
		l->error = fail(l, "a list is missing");
		return NULL;
	}
	items = arena_alloc(l->arena, json_array_size(*ret), size);
	if (!items)
		l->error = -ENOMEM;
	return items;
}

static int compare_devices(const void *a, const void *b)
{
	return bdf_compare(((const struct boot_device *)a)->bdf,
			   ((const struct boot_device *)b)->bdf);
}

static int load_devices(struct report_loader *l, const json_t *root)
{
	struct boot *boot = l->boot;
	const json_t *list;

	boot->devices = open_list(l, root, "devices", sizeof(*boot->devices), &list);
	if (!boot->devices)
		return l->error;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		struct boot_device *d = &boot->devices[i];

		*d = (struct boot_device){
			.id = get(item, "id"),
			.action = get(item, "action"),
			.verdict = get(item, "verdict"),
			.wanted = get(item, "wanted"),
			.before = get(item, "before"),
			.after = get(item, "after"),
			.rule = get(item, "rule"),
			.origin = get(item, "origin"),
			.reason = get(item, "reason"),
			.message = get(item, "message"),
			.note = get(item, "note"),
			.microseconds = (uint64_t)json_integer_value(
				json_object_get(item, "microseconds")),
		};
		if (bdf_parse(text_of(get(item, "address")), &d->bdf) < 0)
			return fail(l, "a device has no address");
		boot->device_count++;
	}
	qsort(boot->devices, boot->device_count, sizeof(*boot->devices), compare_devices);
	return 0;
}

/* Another device at the rule's address was refused: then it has been said there. */
static bool has_device(const struct boot *boot, const struct boot_rule *rule)
{
	for (size_t i = 0; i < boot->device_count; i++)
		if (strcmp(boot->devices[i].rule, rule->text) == 0 &&
		    strcmp(boot->devices[i].origin, rule->origin) == 0)
			return true;
	return false;
}

static struct selector parse_text(const char *text)
{
	struct selector selector;
	struct parse_error error;

	return selector_parse(text_of(text), &selector, &error) == 0
		       ? selector
		       : (struct selector){.terms = 0};
}

static int load_rules(struct report_loader *l, const json_t *root)
{
	struct boot *boot = l->boot;
	const json_t *list;

	boot->rules = open_list(l, root, "rules", sizeof(*boot->rules), &list);
	boot->missing = open_list(l, root, "rules", sizeof(*boot->missing), &list);
	if (!boot->rules || !boot->missing)
		return l->error;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		const json_t *matched = json_object_get(item, "matched");
		struct boot_rule rule = {
			get(item, "text"),
			get(item, "origin"),
			get(item, "kind"),
			json_is_true(json_object_get(item, "active")),
			json_string_value(json_object_get(item, "elsewhere")),
			parse_text(get(item, "text"))};

		boot->rules[boot->rule_count++] = rule;
		/* Without "matched" the boot did not come to look at devices. */
		if (!json_is_integer(matched) || json_integer_value(matched) > 0 ||
		    json_is_true(json_object_get(item, "optional")) || !rule.is_active ||
		    strcmp(rule.kind, "bind") != 0)
			continue;
		if (!has_device(boot, &rule))
			boot->missing[boot->missing_count++] = rule;
	}
	return 0;
}

static int load_modules(struct report_loader *l, const json_t *root)
{
	struct boot *boot = l->boot;
	const json_t *list;

	boot->modules = open_list(l, root, "modules", sizeof(*boot->modules), &list);
	if (!boot->modules)
		return l->error;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		boot->modules[boot->module_count++] = (struct boot_module){
			get(item, "name"),
			get(item, "outcome"),
			(int)json_integer_value(json_object_get(item, "errno")),
		};
	}
	return 0;
}

static int load_problems(struct report_loader *l, const json_t *root)
{
	struct boot *boot = l->boot;
	const json_t *list;

	boot->problems = open_list(l, root, "problems", sizeof(*boot->problems), &list);
	if (!boot->problems)
		return l->error;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		boot->problems[boot->problem_count++] = (struct boot_problem){
			get(item, "origin"), get(item, "text"), get(item, "message")};
		boot->has_loss |= text_is(text_of(get(item, "severity")), "error");
	}
	return 0;
}

static int load(struct report_loader *l, const json_t *root)
{
	json_int_t schema = json_integer_value(json_object_get(root, "schema"));
	int r;

	if (schema < 1)
		return fail(l, "it has no schema number");
	if (schema > REPORT_SCHEMA)
		return -EPROTONOSUPPORT;
	l->boot->is_dry_run = json_is_true(json_object_get(root, "dry_run"));
	l->boot->is_all_bound = json_is_true(json_object_get(root, "all_bound"));
	l->boot->reason = get(root, "reason");
	l->boot->message = get(root, "message");
	l->boot->has_loss = l->boot->reason[0] != '\0' ||
			    json_integer_value(json_object_get(root, "unread")) > 0;
	r = load_devices(l, root);
	if (r == 0)
		r = load_rules(l, root);
	if (r == 0)
		r = load_modules(l, root);
	if (r == 0)
		r = load_problems(l, root);
	return r;
}

/* Reads one report: a file below @root. The errors are those of boot_read(). */
static int boot_read_report(struct world *world, enum world_root root, const char *file,
			    struct arena *arena, struct boot *ret,
			    const char **ret_message)
{
	struct boot boot = {.reason = "", .message = ""};
	struct report_loader loader = {.arena = arena, .boot = &boot, .message = ""};
	struct text bytes;
	json_error_t error;
	json_t *json;
	int r;

	r = file_read_world(world, root, file, arena, REPORT_SIZE_MAX, &bytes);
	if (r < 0)
		return r;
	json = json_loadb(bytes.p, bytes.n, 0, &error);
	if (!json) {
		const char *text =
			arena_printf(arena, "line %d: %s", error.line, error.text);

		*ret_message = text ? text : "";
		return -EBADMSG;
	}
	r = load(&loader, json);
	*ret_message = loader.message;
	if (r == 0)
		*ret = boot;
	return r;
}

/* Devices: those of both runs. A device that was bound already tells what the former did. */
static int add_devices(struct arena *arena, struct boot *boot, const struct boot *former)
{
	struct boot_device *all = arena_alloc(
		arena, boot->device_count + former->device_count, sizeof(*all));
	size_t count = boot->device_count;

	if (!all)
		return -ENOMEM;
	memcpy(all, boot->devices, count * sizeof(*all));
	for (size_t i = 0; i < former->device_count; i++) {
		const struct boot_device *f = &former->devices[i];
		const struct boot_device *found = boot_find(boot, f->bdf);
		struct boot_device *d =
			&all[found ? (size_t)(found - boot->devices) : count];

		if (!found) {
			*d = *f;
			count++;
			if (f->verdict[0] != '\0' && strcmp(f->verdict, "bound") != 0)
				boot->is_all_bound = false;
		} else if (strcmp(d->id, f->id) == 0 && strcmp(d->action, "done") == 0 &&
			   strcmp(d->after, f->after) == 0) {
			d->action = f->action;
			d->before = f->before;
		}
	}
	qsort(all, count, sizeof(*all), compare_devices);
	boot->devices = all;
	boot->device_count = count;
	return 0;
}

/* Rules that name no device, and that the later run does not have, or has the same of. */
static int add_missing(struct arena *arena, struct boot *boot, const struct boot *former)
{
	struct boot_rule *all = arena_alloc(
		arena, boot->missing_count + former->missing_count, sizeof(*all));
	size_t count = boot->missing_count;

	if (!all)
		return -ENOMEM;
	memcpy(all, boot->missing, count * sizeof(*all));
	for (size_t i = 0; i < former->missing_count; i++) {
		const struct boot_rule *f = &former->missing[i];
		bool is_known = has_device(boot, f);

		for (size_t k = 0; k < boot->missing_count; k++)
			is_known = is_known ||
				   (strcmp(boot->missing[k].text, f->text) == 0 &&
				    strcmp(boot->missing[k].origin, f->origin) == 0);
		if (is_known)
			continue;
		all[count++] = *f;
		boot->is_all_bound = false;
	}
	boot->missing = all;
	boot->missing_count = count;
	return 0;
}

/* Rules: those of both runs. */
static int add_rules(struct arena *arena, struct boot *boot, const struct boot *former)
{
	size_t count = boot->rule_count + former->rule_count;
	struct boot_rule *all = arena_alloc(arena, count, sizeof(*all));

	if (!all)
		return -ENOMEM;
	memcpy(all, boot->rules, boot->rule_count * sizeof(*all));
	memcpy(all + boot->rule_count, former->rules, former->rule_count * sizeof(*all));
	boot->rules = all;
	boot->rule_count = count;
	return 0;
}

static int add_former(struct arena *arena, struct boot *boot, const struct boot *former)
{
	int r;

	if (boot->is_dry_run || former->is_dry_run)
		return 0;
	r = add_devices(arena, boot, former);
	if (r == 0)
		r = add_missing(arena, boot, former);
	if (r == 0)
		r = add_rules(arena, boot, former);
	if (r == 0 && boot->module_count == 0) {
		boot->modules = former->modules;
		boot->module_count = former->module_count;
	}
	return r;
}

int boot_read(struct world *world, struct arena *arena, struct boot *ret,
	      const char **ret_path, const char **ret_message)
{
	static const struct {
		enum world_root root;
		const char *file, *path;
	} formers[] = {
		{WORLD_RUN, WORLD_RUN_DIR REPORT_FIRST_FILE,
		 RUN_PREFIX WORLD_RUN_DIR REPORT_FIRST_FILE},
		{WORLD_DEV, WORLD_DEV_DIR REPORT_FILE,
		 DEV_PREFIX WORLD_DEV_DIR REPORT_FILE},
	};
	const char *message = "";
	struct boot former;
	int r;

	*ret_path = RUN_PREFIX WORLD_RUN_DIR REPORT_FILE;
	r = boot_read_report(world, WORLD_RUN, WORLD_RUN_DIR REPORT_FILE, arena, ret,
			     ret_message);
	for (size_t i = 0; i < ARRAY_SIZE(formers); i++) {
		int f;

		if (r < 0 && r != -ENOENT)
			return r;
		f = boot_read_report(world, formers[i].root, formers[i].file, arena,
				     &former, &message);
		if (r == 0 && f == 0)
			r = add_former(arena, ret, &former);
		if (r == 0 || f == -ENOENT)
			continue;
		*ret_path = formers[i].path;
		*ret_message = message;
		r = f;
		if (f == 0)
			*ret = former;
	}
	return r;
}

const struct boot_rule *boot_find_overlooked(const struct boot *boot,
					     const struct pci_device *d)
{
	const struct boot_device *b = boot_find(boot, d->bdf);
	const struct boot_rule *found = NULL;
	char id[ID_SIZE];

	if (boot->is_dry_run || boot->reason[0] != '\0' || d->is_bridge ||
	    (d->driver[0] && driver_is_group_friendly(d->driver)) ||
	    (b && strcmp(b->id, format_id(&d->ids, id)) == 0))
		return NULL;
	for (size_t i = 0; i < boot->rule_count; i++) {
		const struct boot_rule *rule = &boot->rules[i];

		if (!rule->is_active || rule->selector.terms == 0 ||
		    !selector_has_match(&rule->selector, d))
			continue;
		if (strcmp(rule->kind, "keep") == 0)
			return NULL;
		if (!found && strcmp(rule->kind, "bind") == 0)
			found = rule;
	}
	return found;
}

const struct boot_device *boot_find(const struct boot *boot, struct bdf bdf)
{
	const struct boot_device key = {.bdf = bdf};

	if (boot->device_count == 0)
		return NULL;
	return bsearch(&key, boot->devices, boot->device_count, sizeof(key),
		       compare_devices);
}

struct listing {
	struct arena *arena;
	const char **names; /* NULL: only count */
	size_t count;
	size_t max;
	int error;
};

static int add_name(void *arg, const char *name)
{
	static const char suffix[] = ".json";
	struct listing *l = arg;
	size_t n = strlen(name);

	if (name[0] == '.' || n < sizeof(suffix) ||
	    strcmp(name + n - (sizeof(suffix) - 1), suffix) != 0)
		return 0;
	if (l->count == l->max)
		return 1;
	if (l->names) {
		l->names[l->count] =
			arena_printf(l->arena, "%s/%s", DEVICE_REPORTS_FOLDER, name);
		if (!l->names[l->count])
			return l->error = -ENOMEM;
	}
	l->count++;
	return 0;
}

static void add_problem(struct arena *arena, struct boot *boot, const char *name,
			const char *message)
{
	const char *origin = arena_printf(arena, RUN_PREFIX "%s", name);

	boot->problems[boot->problem_count++] =
		(struct boot_problem){origin ? origin : name, "report",
				      message[0] ? message : "cannot be read"};
	boot->has_loss = true;
}

/* Keeps the order of addresses. */
static void add_device(struct boot *boot, const struct boot_device *device)
{
	size_t at = 0;

	while (at < boot->device_count &&
	       bdf_compare(boot->devices[at].bdf, device->bdf) < 0)
		at++;
	if (at == boot->device_count ||
	    bdf_compare(boot->devices[at].bdf, device->bdf) != 0) {
		memmove(&boot->devices[at + 1], &boot->devices[at],
			(boot->device_count - at) * sizeof(*boot->devices));
		boot->device_count++;
	}
	boot->devices[at] = *device;
	boot->devices[at].is_late = true;
}

static void drop_missing(struct boot *boot, const struct boot_device *device)
{
	size_t left = 0;

	for (size_t i = 0; i < boot->missing_count; i++)
		if (strcmp(boot->missing[i].text, device->rule) != 0 ||
		    strcmp(boot->missing[i].origin, device->origin) != 0)
			boot->missing[left++] = boot->missing[i];
	boot->missing_count = left;
}

static int list_reports(struct world *world, struct listing *l)
{
	int r = world->ops->list(world, WORLD_RUN, DEVICE_REPORTS_FOLDER, add_name, l);

	return l->error < 0 ? l->error : r == -ENOENT ? 0 : MIN(r, 0);
}

/* Room for @count more devices and problems. */
static int make_room(struct arena *arena, struct boot *boot, size_t count)
{
	struct boot_device *devices =
		arena_alloc(arena, boot->device_count + count, sizeof(*devices));
	struct boot_problem *problems =
		arena_alloc(arena, boot->problem_count + count, sizeof(*problems));

	if (!devices || !problems)
		return -ENOMEM;
	if (boot->device_count > 0)
		memcpy(devices, boot->devices, boot->device_count * sizeof(*devices));
	if (boot->problem_count > 0)
		memcpy(problems, boot->problems, boot->problem_count * sizeof(*problems));
	boot->devices = devices;
	boot->problems = problems;
	return 0;
}

int late_reports_add(struct world *world, struct arena *arena, struct boot *boot)
{
	struct listing l = {.arena = arena, .max = LATE_REPORTS_MAX};
	int r = list_reports(world, &l);

	if (r == 0 && l.count == 0)
		return 0;
	l.max = l.count;
	l.count = 0;
	l.names = arena_alloc(arena, l.max + 1, sizeof(*l.names));
	if (!l.names || make_room(arena, boot, l.max + 1) < 0)
		return -ENOMEM;
	if (r == 0)
		r = list_reports(world, &l);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		add_problem(arena, boot, DEVICE_REPORTS_FOLDER, "");
	for (size_t i = 0; i < l.count; i++) {
		const char *message = "";
		struct boot one;

		r = boot_read_report(world, WORLD_RUN, l.names[i], arena, &one, &message);
		if (r == -ENOMEM)
			return r;
		if (r < 0 || one.device_count != 1) {
			add_problem(arena, boot, l.names[i],
				    r < 0 ? message : one.message);
			continue;
		}
		add_device(boot, &one.devices[0]);
		drop_missing(boot, &one.devices[0]);
	}
	return 0;
}

bool boot_device_is_bound(const struct boot_device *b)
{
	return strcmp(b->verdict, "bound") == 0;
}

bool boot_device_is_by_hand(const struct boot_device *b)
{
	return b->is_late && strcmp(b->origin, ORIGIN_BY_HAND) == 0;
}

bool boot_device_is_released(const struct boot_device *b)
{
	return strcmp(b->action, ACTION_RELEASE) == 0 &&
	       strcmp(b->verdict, "restored") == 0;
}

const char *boot_device_when(const struct boot_device *b)
{
	if (boot_device_is_by_hand(b))
		return "by hand";
	return b->is_late ? "when it appeared" : "at boot";
}

struct pci_ids boot_device_ids(const struct boot_device *b)
{
	struct text rest = text_of(b->id), part;
	struct pci_ids ids = {0};
	uint64_t value;

	if (text_cut(&rest, ':', &part) && text_hex(part, 0xffff, &value) == 0)
		ids.vendor = (uint16_t)value;
	if (rest.p && text_hex(rest, 0xffff, &value) == 0)
		ids.device = (uint16_t)value;
	return ids;
}

const struct pci_device *boot_device_now(const struct boot_device *b,
					 const struct inventory *now)
{
	const struct pci_device *d = inventory_find(now, b->bdf);
	char id[ID_SIZE];

	return d && strcmp(format_id(&d->ids, id), b->id) == 0 ? d : NULL;
}

bool boot_device_is_changed(const struct boot_device *b, const struct inventory *now)
{
	const struct pci_device *d = boot_device_now(b, now);

	/* What came once may go: a virtual function, a card that is pulled out. */
	if (b->is_late && !d)
		return false;
	if (boot_device_is_bound(b))
		return !d || strcmp(d->driver, b->after) != 0;
	if (strcmp(b->verdict, "held") == 0)
		return !d || d->driver[0] != '\0';
	return false;
}

bool boot_device_is_well(const struct boot_device *b, const struct inventory *now)
{
	if (boot_device_is_changed(b, now))
		return false;
	return boot_device_is_bound(b) || strcmp(b->action, "keep") == 0 ||
	       boot_device_is_released(b);
}

/* Whether one of the lines, "ADDRESS VENDOR:DEVICE VERDICT", is of a stuck device. */
static bool has_stuck(struct text lines)
{
	struct text line, word;

	while (text_cut(&lines, '\n', &line))
		while (text_word(&line, &word))
			if (text_is(word, verdict_name(VERDICT_STUCK)))
				return true;
	return false;
}

/* "0000:01:00.0.verdict": what became of one device later. Others are no verdicts. */
static int add_late(void *arg, const char *name)
{
	struct boot_stuck *stuck = arg;
	struct text address = text_of(name);
	struct bdf bdf;

	if (!text_has_suffix(address, LATE_VERDICT_SUFFIX))
		return 0;
	address.n -= strlen(LATE_VERDICT_SUFFIX);
	if (bdf_parse(address, &bdf) < 0)
		return 0;
	if (stuck->late_count == LATE_REPORTS_MAX)
		return -E2BIG;
	stuck->late[stuck->late_count++] = bdf;
	return 0;
}

void boot_read_stuck(struct world *world, struct arena *arena, struct boot_stuck *ret)
{
	struct text judged = {"", 0};
	int r = file_read_world(world, WORLD_RUN, RUN_OWN LATE_JUDGED_NAME, arena,
				LATE_JUDGED_SIZE, &judged);

	*ret = (struct boot_stuck){.is_possible = (r < 0 && r != -ENOENT) ||
						  (r == 0 && has_stuck(judged))};
	ret->late = arena_alloc(arena, LATE_REPORTS_MAX, sizeof(*ret->late));
	r = ret->late ? world->ops->list(world, WORLD_RUN, DEVICE_REPORTS_FOLDER,
					 add_late, ret)
		      : -ENOMEM;
	if (r < 0 && r != -ENOENT)
		ret->is_possible = true;
	else if (ret->late_count > 0)
		qsort(ret->late, ret->late_count, sizeof(*ret->late), bdf_order);
}

/* Whether it has to be looked up at all. */
static bool may_be_stuck(const struct boot_stuck *stuck, const struct pci_device *d)
{
	return !stuck || stuck->is_possible ||
	       (stuck->late_count > 0 && bsearch(&d->bdf, stuck->late, stuck->late_count,
						 sizeof(*stuck->late), bdf_order));
}

#define OVERRIDE_SIZE 4096 /* as much as an attribute can show */

const char *boot_read_override(struct world *world, struct arena *arena,
			       const struct boot_stuck *stuck, const struct pci_device *d)
{
	char path[JOB_PATH_SIZE], buf[OVERRIDE_SIZE];
	struct text t;

	if ((may_be_stuck(stuck, d) &&
	     hotplug_find(world, d->bdf, &d->ids) == LATE_STUCK) ||
	    world_read_text(world, WORLD_SYS,
			    inventory_attribute(d->bdf, "driver_override", path), buf,
			    sizeof(buf), &t) < 0)
		return NULL;
	return text_is(t, "(null)") ? "" : arena_copy(arena, t);
}
