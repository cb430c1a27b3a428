/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "boot_report.h"
#include "commands.h"
#include "sentences.h"
#include "device_words.h"
#include "driver.h"
#include "files.h"
#include "message.h"
#include "module_tree.h"
#include "next_boot.h"
#include "reason.h"
#include "rule_request.h"

#define EXIT_NOTHING_READ 3
#define FILE_MAX	  ((size_t)16 * 1024 * 1024) /* /proc/interrupts of a large machine */

const struct machine_check *machine_check_at(size_t i)
{
	/* In the order of a machine's life: firmware, kernel, image, boot, devices. */
	static const struct machine_check *const tables[] = {
		firmware_checks, boot_checks, device_checks, recipe_checks};

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct machine_check *c = tables[t]; c->run; c++)
			if (i-- == 0)
				return c;
	return NULL;
}

/* ---- for the checks ---------------------------------------------------------------------- */

void machine_say(struct machine *d, enum finding_kind kind, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	findings_vadd(&d->findings, kind, d->name, format, ap);
	va_end(ap);
}

const char *machine_print(struct machine *d, const char *format, ...)
{
	const char *line;
	va_list ap;

	va_start(ap, format);
	line = arena_vprintf(d->arena, format, ap);
	va_end(ap);
	return line ? line : "";
}

const char *machine_device(struct machine *d, const struct pci_device *device)
{
	char address[BDF_SIZE], id[ID_SIZE];

	return machine_print(d, "%s [%s]", bdf_format(device->bdf, address),
			     format_id(&device->ids, id));
}

const char *machine_driver(const struct pci_device *device)
{
	return device->driver[0] ? device->driver : "no driver";
}

bool device_is_on_vfio(const struct pci_device *device)
{
	return driver_is_vfio(device->driver);
}

int machine_read(struct machine *d, enum world_root root, const char *path,
		 struct text *ret)
{
	int r = file_read_world(d->world, root, path, d->arena, FILE_MAX, ret);

	if (r == 0)
		*ret = text_trim(*ret);
	return r;
}

int machine_read_attribute(struct machine *d, const struct pci_device *device,
			   const char *name, struct text *ret)
{
	char path[JOB_PATH_SIZE], address[BDF_SIZE];

	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s/%s",
		 bdf_format(device->bdf, address), name);
	return machine_read(d, WORLD_SYS, path, ret);
}

#define NAMES_SHOWN 8

struct name_list {
	struct machine *d;
	const char *names[NAMES_SHOWN];
	int count;
};

/* The first names in their order. */
static int add_name(void *arg, const char *name)
{
	struct name_list *l = arg;
	const char *copy = machine_print(l->d, "%s", name);
	size_t at = MIN((size_t)l->count, (size_t)NAMES_SHOWN);

	l->count++;
	while (at > 0 && strverscmp(l->names[at - 1], copy) > 0) {
		if (at < NAMES_SHOWN)
			l->names[at] = l->names[at - 1];
		at--;
	}
	if (at < NAMES_SHOWN)
		l->names[at] = copy;
	return 0;
}

int machine_list(struct machine *d, enum world_root root, const char *path,
		 const char **ret_names)
{
	struct name_list l = {.d = d};
	int r = d->world->ops->list(d->world, root, path, add_name, &l);

	if (r < 0)
		return r;
	if (!ret_names)
		return l.count;
	*ret_names = "";
	for (int i = 0; i < l.count && i < NAMES_SHOWN; i++)
		*ret_names = machine_print(d, "%s%s%s", *ret_names, i > 0 ? ", " : "",
					   l.names[i]);
	if (l.count > NAMES_SHOWN)
		*ret_names = machine_print(d, "%s and %d more", *ret_names,
					   l.count - NAMES_SHOWN);
	return l.count;
}

/* ---- what is known ----------------------------------------------------------------------- */

/* -EINVAL for a word that is no selector, which is said. */
static int parse_words(struct machine *d)
{
	struct parse_error error;

	for (size_t i = 0; i < d->words.count; i++) {
		struct text word = text_of(d->words.items[i]);

		if (device_word_parse(word, &d->selectors[i], &error) == 0)
			continue;
		say_wrong_word("check", word, error.message);
		return -EINVAL;
	}
	return 0;
}

/* What the words ask of a function. */
static unsigned want(const void *arg, const struct pci_device *device)
{
	const struct machine *d = arg;
	unsigned facts = 0;

	for (size_t i = 0; i < d->words.count; i++)
		facts |= selector_open_facts(&d->selectors[i], device);
	return facts;
}

static int read_machine(struct machine *d)
{
	struct run *run = &d->run;

	d->has_rule = !run->policy.off && policy_has_bind_rule(&run->policy);
	return next_boot_plan(d->world, d->arena, want, d, run);
}

static void read_release(struct machine *d)
{
	struct text t;

	if (machine_read(d, WORLD_PROC, "sys/kernel/osrelease", &t) < 0)
		return;
	d->running = machine_print(d, "%.*s", (int)MIN(t.n, 128u), t.p);
	if (!module_tree_is_version(d->running))
		d->running = NULL;
}

/* Whether the plan names the very device that the rule means, and it can be passed on. */
static bool is_meant(const struct plan_device *pd)
{
	return pd->action != ACTION_KEEP && pd->reason != REASON_IDENTITY_MISMATCH &&
	       pd->reason != REASON_BRIDGE && pd->reason != REASON_IOMMU_DEVICE;
}

static const struct plan_device *find_planned(const struct machine *d,
					      const struct pci_device *device)
{
	for (size_t i = 0; i < d->run.plan.device_count; i++)
		if (d->run.plan.devices[i].device == device)
			return &d->run.plan.devices[i];
	return NULL;
}

/* The words name no device that the next boot has. */
static void say_no_target(struct machine *d)
{
	const struct selector *s = &d->selectors[0];
	struct pci_device device = {.bdf = s->address};
	struct judgement judgement = {.verdict = JUDGED_FINE};

	if ((s->terms & TERM_ADDRESS) && !s->any_function &&
	    inventory_read_ids(d->world, device.bdf, &device.ids) == 0)
		judge_device(&d->judge, &device, (struct allowance){0}, &judgement);
	if (judgement.verdict != JUDGED_FINE && judgement.why)
		say_error("%s: %s", machine_device(d, &device), judgement.why);
	else
		say_error("no device is %s: see \"earlybind list\"", d->words.items[0]);
	if (judge_config_error(&d->run.policy))
		say_error("the configuration has errors: %s first",
			  judge_correct(&d->run.policy, d->arena));
}

/* -ENODEV if the words name no device, which is said. */
static int find_targets(struct machine *d)
{
	const struct inventory *inv = &d->run.inventory;

	d->targets = arena_alloc(d->arena, inv->count + 1, sizeof(*d->targets));
	if (!d->targets)
		return -ENOMEM;
	for (size_t i = 0; i < inv->count; i++) {
		const struct pci_device *device = &inv->devices[i];
		const struct plan_device *pd = find_planned(d, device);
		bool is_wanted = d->words.count == 0 && pd && is_meant(pd);

		for (size_t k = 0; k < d->words.count && !is_wanted; k++)
			is_wanted = selector_has_match(&d->selectors[k], device);
		if (is_wanted)
			d->targets[d->target_count++] =
				(struct target){.device = device,
						.planned = pd,
						.name = machine_device(d, device)};
	}
	for (size_t i = 0; i < d->target_count; i++)
		judge_device(&d->judge, d->targets[i].device, (struct allowance){0},
			     &d->targets[i].judgement);
	if (d->words.count > 0 && d->target_count == 0) {
		say_no_target(d);
		return -ENODEV;
	}
	return 0;
}

static int read_all(struct machine *d)
{
	int r;

	r = sources_read(d->world, d->arena, &d->configs, &d->sources);
	if (r == 0)
		r = next_boot_read(d->world, d->sysroot, d->arena, &d->sources, NULL,
				   &d->files, &d->run);
	if (r < 0)
		return r;
	r = read_machine(d);
	if (r < 0) {
		char message[REASON_MESSAGE_SIZE];

		say_error("%s", reason_message(REASON_NO_SYSFS, errno_text(r), message));
		return r;
	}
	if (machine_read(d, WORLD_PROC, "cmdline", &d->cmdline) < 0)
		d->cmdline = (struct text){NULL, 0};
	read_release(d);
	/* Without it there are no kernels, which the checks say. */
	(void)!installed_find(d->sysroot, d->arena, &d->installed);
	d->boot_error =
		boot_read(d->world, d->arena, &d->boot, &d->boot_path, &d->boot_message);
	if (d->boot_error == 0)
		d->boot_error = late_reports_add(d->world, d->arena, &d->boot);
	r = usages_read(d->world, d->arena, &d->usages);
	if (r == 0)
		r = holders_read(d->world, d->arena, d->sysroot, &d->holders);
	if (r == 0)
		r = recipes_read(d->world, d->sysroot, &d->run.policy, d->arena,
				 &d->recipes);
	if (r < 0)
		say_error("out of memory");
	d->judge = (struct judge){
		.arena = d->arena,
		.policy = &d->run.policy,
		.inventory = &d->run.inventory,
		.plan = &d->run.plan,
		.usages = &d->usages,
		.holders = &d->holders,
		.world = d->world,
	};
	return r;
}

/* ---- output ------------------------------------------------------------------------------ */

static void print_text(const struct machine *d)
{
	const struct findings *f = &d->findings;
	const char *comma = "";

	for (int kind = 0; kind < FINDING_KINDS; kind++)
		for (size_t i = 0; i < f->count; i++)
			if ((int)f->items[i].kind == kind)
				finding_print(&f->items[i]);
	if (f->lost_count > 0)
		paragraph_line(stdout, 0, "and %zu more", f->lost_count);
	for (int kind = 0; kind < FINDING_KINDS; kind++) {
		if (f->counts[kind] == 0)
			continue;
		printf("%s%zu %s", comma, f->counts[kind],
		       finding_kind_name((enum finding_kind)kind));
		comma = ", ";
	}
	puts(comma[0] ? "" : "nothing was checked");
}

static int print_json(const struct machine *d)
{
	struct json json;

	if (begin_json(d->arena, d->findings.count + d->target_count, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_put_string(&json, "running", d->running);
	json_open(&json, "kernels", '[');
	for (size_t i = 0; i < d->installed.count; i++) {
		json_open(&json, NULL, '{');
		json_put_string(&json, "release", d->installed.items[i].kernel);
		json_put_string(&json, "image", d->installed.items[i].path);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < d->target_count; i++) {
		char address[BDF_SIZE];

		json_put_string(&json, NULL,
				bdf_format(d->targets[i].device->bdf, address));
	}
	json_close(&json, ']');
	findings_write(&d->findings, &json);
	json_close(&json, '}');
	return end_json(&json);
}

static bool is_wanted(const struct machine *d, const char *name)
{
	for (size_t i = 0; i < d->only.count; i++)
		if (strcmp(d->only.items[i], name) == 0)
			return true;
	return d->only.count == 0;
}

int machine_check_run(struct machine *machine)
{
	struct machine *d = machine;
	size_t i = 0;

	d->findings.arena = d->arena;
	if (parse_words(d) < 0)
		return EXIT_WRONG_USAGE;
	if (open_world(d->sysroot, &d->world) < 0 || read_all(d) < 0)
		return EXIT_NOTHING_READ;
	if (find_targets(d) < 0)
		return EXIT_FAILED;
	for (const struct machine_check *c; (c = machine_check_at(i)); i++) {
		d->name = c->name;
		if (is_wanted(d, d->name))
			c->run(d);
	}
	if (d->is_json && print_json(d) != 0)
		return EXIT_NOTHING_READ;
	if (!d->is_json)
		print_text(d);
	return d->findings.counts[FINDING_FAIL] > 0 ? EXIT_FAILED : EXIT_OK;
}
