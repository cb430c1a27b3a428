/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot_report.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "paths.h"
#include "report.h"

/* A list of the report and what is made of each of its objects. */
struct loader {
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

static int fail(struct loader *l, const char *message)
{
	l->message = message;
	return -EBADMSG;
}

/* A list of the report, and memory for what is made of it. NULL on failure. */
static void *open_list(struct loader *l, const json_t *root, const char *key, size_t size,
		       const json_t **ret)
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

static int load_devices(struct loader *l, const json_t *root)
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

static int load_rules(struct loader *l, const json_t *root)
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
			get(item, "text"), get(item, "origin"), get(item, "kind"),
			json_is_true(json_object_get(item, "active")),
			json_string_value(json_object_get(item, "elsewhere"))};

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

static int load_modules(struct loader *l, const json_t *root)
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

static int load_problems(struct loader *l, const json_t *root)
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

static int load(struct loader *l, const json_t *root)
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

int boot_read_report(struct world *world, enum world_root root, const char *file,
		     struct arena *arena, struct boot *ret, const char **ret_message)
{
	struct boot boot = {.reason = "", .message = ""};
	struct loader loader = {.arena = arena, .boot = &boot, .message = ""};
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

const struct boot_device *boot_find(const struct boot *boot, struct bdf bdf)
{
	const struct boot_device key = {.bdf = bdf};

	return bsearch(&key, boot->devices, boot->device_count, sizeof(key),
		       compare_devices);
}
