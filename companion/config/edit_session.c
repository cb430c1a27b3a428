/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edit_session.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "config.h"
#include "dracut.h"
#include "files.h"
#include "filter.h"
#include "framebuffer.h"
#include "message.h"
#include "paths.h"
#include "reason.h"
#include "report.h"
#include "run.h"
#include "virtual_functions.h"

int config_edit_start(struct config_edit *edit, struct arena *arena, struct text bytes)
{
	*edit = (struct config_edit){.arena = arena, .bytes = bytes};
	edit->changes = arena_alloc(arena, CONFIG_CHANGES_MAX, sizeof(*edit->changes));
	return edit->changes ? 0 : -ENOMEM;
}

static int add_change(struct config_edit *edit, struct text before, struct text after)
{
	if (edit->change_count == CONFIG_CHANGES_MAX)
		return -E2BIG;
	edit->changes[edit->change_count++] = (struct config_change){before, after};
	return 0;
}

/* Bytes that are put together; the buffer is large enough. */
struct output {
	char *p;
	size_t n;
};

static void put(struct output *out, struct text t)
{
	if (t.p && t.n > 0)
		memcpy(out->p + out->n, t.p, t.n);
	out->n += t.n;
}

/* The next line with its end; *ret_line is without it. */
static bool next_line(struct text *rest, struct text *ret_whole, struct text *ret_line)
{
	const char *start = rest->p;

	if (rest->n == 0 || !text_cut(rest, '\n', ret_line))
		return false;
	*ret_whole = (struct text){start, ret_line->n + (rest->p ? 1 : 0)};
	if (ret_line->n > 0 && ret_line->p[ret_line->n - 1] == '\r')
		ret_line->n--;
	return true;
}

/* As the first line ends; a new file as the machine's own. */
static struct text line_end(struct text bytes)
{
	const char *end = bytes.n > 0 ? memchr(bytes.p, '\n', bytes.n) : NULL;

	if (end && end > bytes.p && end[-1] == '\r')
		return TEXT("\r\n");
	return TEXT("\n");
}

/*
 * Where a line goes that belongs to @profile: an offset. False if there is no such section.
 *
 *	bind 01:00.0
 *	                   <- here, above the blank line
 *	# for playing
 *	[profile games]
 */
static bool find_place(struct text bytes, struct text profile, size_t *ret)
{
	struct text rest = bytes, whole, line, name;
	bool is_inside = profile.n == 0, has_content = false, is_behind_comment = false;
	size_t place = 0;

	while (next_line(&rest, &whole, &line)) {
		size_t start = (size_t)(whole.p - bytes.p), end = start + whole.n;
		struct text words = text_trim(line);

		if (config_section(line, &name) > 0) {
			if (is_inside) {
				/* What a file begins with belongs to the file. */
				*ret = has_content ? place : start;
				return true;
			}
			is_inside = profile.n > 0 && text_is_same(name, profile);
			has_content = is_inside;
			place = end;
			is_behind_comment = false;
			continue;
		}
		if (words.n == 0) {
			/* A comment with a blank line below it stands for itself. */
			if (is_behind_comment) {
				place = start;
				has_content = true;
			}
			is_behind_comment = false;
		} else if (words.p[0] == '#') {
			is_behind_comment = true;
		} else {
			place = end;
			has_content = true;
			is_behind_comment = false;
		}
	}
	*ret = bytes.n;
	return is_inside;
}

int config_edit_append(struct config_edit *edit, struct text profile,
		       const struct text *lines, size_t count)
{
	struct text bytes = edit->bytes, end = line_end(bytes);
	const struct text head[] = {TEXT("[profile "), profile, TEXT("]")};
	struct output out = {.n = 0}, title = {.n = 0};
	size_t place, size = bytes.n + profile.n + 64;
	bool has_place = find_place(bytes, profile, &place);
	int r = 0;

	for (size_t i = 0; i < count; i++)
		size += lines[i].n + end.n;
	out.p = arena_alloc(edit->arena, size, 1);
	title.p = arena_alloc(edit->arena, profile.n + 64, 1);
	if (!out.p || !title.p)
		return -ENOMEM;

	put(&out, (struct text){bytes.p, place});
	if (place > 0 && bytes.p[place - 1] != '\n')
		put(&out, end);
	if (!has_place) {
		if (bytes.n > 0) {
			put(&out, end);
			r = add_change(edit, (struct text){NULL, 0}, TEXT(""));
		}
		for (size_t i = 0; i < ARRAY_SIZE(head); i++)
			put(&title, head[i]);
		put(&out, (struct text){title.p, title.n});
		put(&out, end);
		if (r == 0)
			r = add_change(edit, (struct text){NULL, 0},
				       (struct text){title.p, title.n});
	}
	for (size_t i = 0; i < count && r == 0; i++) {
		/* The name of a file in a comment may have a line end. */
		const char *line = text_safe(lines[i], edit->arena);

		if (!line)
			return -ENOMEM;
		put(&out, text_of(line));
		put(&out, end);
		r = add_change(edit, (struct text){NULL, 0}, text_of(line));
	}
	if (r < 0)
		return r;
	if (place < bytes.n)
		put(&out, (struct text){bytes.p + place, bytes.n - place});
	edit->bytes = (struct text){out.p, out.n};
	return 0;
}

/* Whether the selectors from *at on have @part; the others before it are passed. */
static bool take(const struct text *selectors, size_t count, size_t *at, struct text part)
{
	while (*at < count && selectors[*at].p < part.p)
		(*at)++;
	return *at < count && selectors[*at].p == part.p && selectors[*at].n == part.n;
}

/* The word around @p. */
static struct text word_around(struct text line, const char *p)
{
	const char *start = p, *end = p;

	while (start > line.p && !char_is_blank(start[-1]))
		start--;
	while (end < line.p + line.n && !char_is_blank(*end))
		end++;
	return (struct text){start, (size_t)(end - start)};
}

int config_edit_remove(struct config_edit *edit, const struct text *selectors,
		       size_t count)
{
	struct text rest = edit->bytes, whole, line, part;
	struct output out = {.p = arena_alloc(edit->arena, edit->bytes.n, 1)};
	size_t at = 0;

	if (!out.p)
		return -ENOMEM;
	while (next_line(&rest, &whole, &line)) {
		size_t start = out.n, kept = 0;
		struct text list;
		int r;

		while (at < count && selectors[at].p < whole.p)
			at++;
		if (at == count || selectors[at].p >= line.p + line.n) {
			put(&out, whole);
			continue;
		}
		list = word_around(line, selectors[at].p);
		put(&out, (struct text){whole.p, (size_t)(list.p - whole.p)});
		for (struct text parts = list; text_cut(&parts, ',', &part);) {
			if (take(selectors, count, &at, part))
				continue;
			if (kept++ > 0)
				put(&out, TEXT(","));
			put(&out, part);
		}
		if (kept == 0) {
			out.n = start;
			r = add_change(edit, line, (struct text){NULL, 0});
		} else {
			const char *behind = list.p + list.n, *end = line.p + line.n;

			put(&out, (struct text){behind, (size_t)(end - behind)});
			r = add_change(edit, line,
				       (struct text){out.p + start, out.n - start});
			behind = end;
			end = whole.p + whole.n;
			put(&out, (struct text){behind, (size_t)(end - behind)});
		}
		if (r < 0)
			return r;
	}
	edit->bytes = (struct text){out.p, out.n};
	return 0;
}

/* What a file begins with that was not there. */
#define FIRST_LINE "# What vfio-pci gets at boot: earlybind.conf(5)\n"

struct text edit_profile(const struct edit *e)
{
	return e->profile ? text_of(e->profile) : TEXT("");
}

static int out_of_memory(void)
{
	say_error("out of memory");
	return -ENOMEM;
}

static bool is_profile(struct text name)
{
	for (struct text rest = name; rest.n > 0;) {
		size_t n = text_safe_length(rest);

		if (n == 0 || strchr(" []#", rest.p[0]))
			return false;
		rest.p += n;
		rest.n -= n;
	}
	return name.n > 0 && name.n <= 64;
}

/* The file that is edited: what --config names is no part of the tree. */
static int lock_own(struct edit *e)
{
	e->file = (struct edit_file){
		.name = e->config ? e->config : ETC_PREFIX CONFIG_NAME,
		.sysroot = e->config ? NULL : e->sysroot,
		.is_outside = e->config,
		.mode = 0644,
	};
	e->lock = -1;
	if (e->is_dry_run || e->is_interactive)
		return 0;
	return edit_lock(e->file.sysroot, EDIT_WAIT_SECONDS, &e->lock);
}

static int read_own(struct edit *e, struct text *ret)
{
	int r = edit_file_read(&e->file, e->arena, CONFIG_SIZE_MAX, &e->old);

	if (r == -EINVAL)
		say_error("%s: it is no file", e->file.name);
	else if (r < 0)
		say_error("%s: it cannot be read: %s", e->file.name, errno_text(r));
	if (r < 0)
		return r;
	e->is_new = !e->old.p;
	*ret = e->is_new ? TEXT(FIRST_LINE) : e->old;
	return 0;
}

/* The file that is edited comes first; behind it what else counts. */
static int read_sources(struct edit *e)
{
	struct strings named = {.count = 0};
	struct sources *s = &e->sources;
	struct text bytes;
	int r = read_own(e, &bytes);

	if (e->config)
		named.items[named.count++] = e->config;
	*s = (struct sources){0};
	if (r == 0 && !(e->config && e->is_new))
		r = sources_read(e->world, e->arena, &named, s);
	if (r < 0)
		return r;
	if (s->count == 0 || !text_is(s->files[0].name, e->file.name)) {
		if (s->count == CONFIG_FILES_MAX) {
			say_error("more than %d configuration files: join some of them",
				  CONFIG_FILES_MAX);
			return -E2BIG;
		}
		memmove(&s->files[1], &s->files[0], s->count * sizeof(s->files[0]));
		s->files[0].name = text_of(e->file.name);
		s->count++;
	}
	s->files[0].bytes = bytes;
	return 0;
}

/* The rules of the command line and modprobe.d, then those of the files. */
static int read_policy(struct edit *e)
{
	struct run_options options = {.is_dry_run = true};
	const char *cmdline;
	static struct run run;
	struct policy files;

	if (policy_init(&files, e->arena) < 0)
		return out_of_memory();
	sources_parse(&e->sources, &files);
	for (size_t i = 0; i < files.problem_count; i++) {
		if (!files.problems[i].is_error)
			continue;
		(void)sources_print_problems(&e->sources, &files);
		say_error(CONFIG_FIRST);
		return -EINVAL;
	}
	cmdline = dracut_read_cmdline(e->world, e->sysroot, e->arena);
	if (cmdline)
		options.cmdline = text_of(cmdline);
	if (run_read_policy(e->world, e->arena, &options, &run) < 0)
		return out_of_memory();
	e->before = run.policy;
	e->before.profile = edit_profile(e);
	sources_parse(&e->sources, &e->before);
	sources_add_critical(e->world, e->arena, &e->sources, &e->before);
	return 0;
}

/* Every function, with its path; serial numbers only for who asks for one. */
static unsigned filter(const void *arg, const struct pci_device *d)
{
	const struct edit *e = arg;
	unsigned wants = policy_filter(&e->before, d) | FACT_WANTED | FACT_PATH;

	for (size_t i = 0; i < e->asked_count; i++)
		wants |= selector_open_facts(&e->asked[i], d);
	return wants;
}

static int read_machine(struct edit *e)
{
	char message[REASON_MESSAGE_SIZE];
	int r = inventory_read(e->world, e->arena, filter, e, &e->inventory);

	if (r == 0)
		framebuffers_read(e->world, e->arena, &e->inventory);
	if (r == 0)
		r = identity_open(e->world, e->arena, &e->inventory, &e->identity);
	if (r == 0)
		r = companions_find(&e->before, &e->inventory, NULL, e->arena,
				    &e->companions);
	if (r == 0)
		r = usages_read(e->world, e->arena, &e->usages);
	if (r == 0)
		r = holders_read(e->world, e->arena, e->sysroot, &e->holders);
	if (r == -ENOMEM)
		return out_of_memory();
	if (r < 0) {
		say_error("%s", reason_message(REASON_NO_SYSFS, errno_text(r), message));
		return r;
	}
	if (e->inventory.unread_count > 0)
		say_error("warning: %zu function%s could not be read: run this as root",
			  e->inventory.unread_count, plural(e->inventory.unread_count));
	/* Without names the addresses and IDs say it. */
	if (names_open(e->arena, e->sysroot, NULL, &e->names) < 0)
		e->names = NULL;
	return 0;
}

int edit_open(struct edit *e)
{
	int r;

	if (e->profile && !is_profile(edit_profile(e))) {
		say_error("--profile \"%s\": a name is one word without [, ] and #",
			  e->profile);
		return -EINVAL;
	}
	r = open_world(e->sysroot, &e->world);
	if (r == 0)
		r = lock_own(e);
	if (r == 0)
		r = read_sources(e);
	if (r == 0)
		r = read_policy(e);
	if (r == 0)
		r = read_machine(e);
	if (r < 0)
		return r;
	r = config_edit_start(&e->text, e->arena, e->sources.files[0].bytes);
	return r < 0 ? out_of_memory() : 0;
}

/* The policy without the rules of files: a copy that can be added to. */
static int copy_others(struct edit *e, struct policy *ret)
{
	struct policy copy = e->before;

	copy.rules = arena_alloc(e->arena, RULES_MAX, sizeof(*copy.rules));
	copy.problems = arena_alloc(e->arena, PROBLEMS_MAX, sizeof(*copy.problems));
	if (!copy.rules || !copy.problems)
		return out_of_memory();
	copy.rule_count = 0;
	copy.problem_count = 0;
	for (size_t i = 0; i < e->before.rule_count; i++)
		if (e->before.rules[i].origin.source != SOURCE_CONFIG)
			copy.rules[copy.rule_count++] = e->before.rules[i];
	*ret = copy;
	return 0;
}

int edit_check(struct edit *e)
{
	const struct table_section *section;
	struct sources *s = &e->sources;
	struct policy files;
	size_t length;
	int r;

	if (e->text.bytes.n > CONFIG_SIZE_MAX) {
		say_error("%s: it would be larger than %zu bytes", e->file.name,
			  CONFIG_SIZE_MAX);
		return -E2BIG;
	}
	s->files[0].bytes = e->text.bytes;
	if (policy_init(&files, e->arena) < 0)
		return out_of_memory();
	sources_parse(s, &files);
	if (files.problem_count > 0) {
		(void)sources_print_problems(s, &files);
		return -EINVAL;
	}
	r = sources_encode(s, &files, e->arena, &section, &length);
	if (r == 0)
		r = copy_others(e, &e->after);
	if (r < 0)
		return r;
	sources_parse(s, &e->after);
	e->next = e->inventory;
	if (plan_make(&e->after, &e->next, e->arena, &e->plan) < 0 ||
	    virtual_functions_foresee(e->world, e->arena, &e->after, &e->next, &e->plan) <
		    0)
		return out_of_memory();
	return 0;
}

static void put_line(char sign, struct text line)
{
	if (!line.p)
		return;
	putchar(sign);
	put_text(stdout, line);
	putchar('\n');
}

/* What the image's maker will read it with. */
static int check_own(const void *arg, struct text bytes)
{
	const struct edit *e = arg;
	struct sources s = {.count = 1};
	struct policy policy;

	s.files[0] = (struct config_file){.name = text_of(e->file.name), .bytes = bytes};
	if (policy_init(&policy, e->arena) < 0)
		return -ENOMEM;
	sources_parse(&s, &policy);
	return policy.problem_count > 0 ? -EINVAL : 0;
}

static int write_own(struct edit *e)
{
	int r;

	if (e->lock < 0 && edit_lock(e->file.sysroot, EDIT_WAIT_SECONDS, &e->lock) < 0)
		return -EBUSY;
	e->file.check = check_own;
	e->file.arg = e;
	r = edit_file_replace(&e->file, e->old, e->text.bytes, e->arena);
	lock_release(&e->lock);
	if (r < 0)
		edit_file_say(&e->file, r);
	return r;
}

int edit_finish(struct edit *e)
{
	if (e->text.change_count == 0) {
		puts("nothing to change");
		return EXIT_OK;
	}
	put_text(stdout, text_of(e->file.name));
	printf("%s%s%s%s:\n", e->is_new ? " (new)" : "", e->profile ? " [profile " : "",
	       e->profile ? e->profile : "", e->profile ? "]" : "");
	for (size_t i = 0; i < e->text.change_count; i++) {
		put_line('-', e->text.changes[i].before);
		put_line('+', e->text.changes[i].after);
	}
	if (e->is_dry_run) {
		puts("nothing is written: this is a dry run");
		return EXIT_OK;
	}
	if (write_own(e) < 0)
		return EXIT_FAILED;
	e->is_written = true;
	puts("next: run \"earlybind apply\" to update the images, then reboot");
	return EXIT_OK;
}

static void write_line(struct json *json, const char *key, struct text line)
{
	if (line.p)
		json_put_text(json, key, line);
	else
		json_put_null(json, key);
}

static void write_changes(const struct edit *e, struct json *json)
{
	json_open(json, "changes", '[');
	for (size_t i = 0; i < e->text.change_count; i++) {
		json_open(json, NULL, '{');
		write_line(json, "before", e->text.changes[i].before);
		write_line(json, "after", e->text.changes[i].after);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static bool is_about_group(const struct edit *e, const bool *is_about, int group)
{
	for (size_t i = 0; i < e->inventory.count; i++)
		if (is_about[i] && e->inventory.devices[i].iommu_group == group)
			return true;
	return false;
}

/* By the plan with the change in it. */
static void write_next_boot(const struct edit *e, const bool *is_about, struct json *json)
{
	size_t count = is_about ? e->inventory.count : 0;
	char address[BDF_SIZE];

	json_open(json, "devices", '[');
	for (size_t i = 0; i < count; i++) {
		const struct plan_device *pd =
			is_about[i] ? plan_find(&e->plan, &e->inventory.devices[i])
				    : NULL;

		if (pd)
			report_write_device(pd, NULL, json);
	}
	json_close(json, ']');
	json_open(json, "unnamed", '[');
	for (size_t i = 0; i < count; i++)
		if (is_about[i] && !plan_find(&e->plan, &e->inventory.devices[i]))
			json_put_string(json, NULL,
					bdf_format(e->inventory.devices[i].bdf, address));
	json_close(json, ']');
	json_open(json, "groups", '[');
	for (size_t i = 0; is_about && i < e->plan.group_count; i++)
		if (is_about_group(e, is_about, e->plan.groups[i].id))
			report_write_group(&e->plan.groups[i], json);
	json_close(json, ']');
}

void edit_write(const struct edit *e, const bool *is_about, struct json *json)
{
	json_put_string(json, "file", e->file.name);
	json_put_string(json, "profile", e->profile);
	json_put_bool(json, "written", e->is_written);
	write_changes(e, json);
	write_next_boot(e, is_about, json);
	json_open(json, "next", '[');
	if (e->is_written)
		json_put_string(json, NULL, "earlybind apply");
	json_close(json, ']');
}

bool edit_is_own(const struct edit *e, const struct rule *rule)
{
	const struct config_file *file = &e->sources.files[0];
	struct text profile = edit_profile(e);

	return rule->origin.source == SOURCE_CONFIG &&
	       rule->origin.file.p == file->name.p &&
	       text_is_same(rule->profile, profile);
}

bool edit_has_selector(const struct selector *selector, const struct pci_device *d)
{
	return selector_has_match(selector, d);
}

bool edit_has_match(const struct edit *e, const struct rule *rule,
		    const struct pci_device *d)
{
	return policy_has_rule_active(&e->before, rule) &&
	       edit_has_selector(&rule->selector, d);
}

const struct rule *edit_along(const struct edit *e, const struct pci_device *d)
{
	const struct companions *a =
		e->companions ? &e->companions[d - e->inventory.devices] : NULL;

	const struct plan_device *pd = plan_find(&e->plan, d);

	/* The next boot may leave it to the host, whatever has it now. */
	if (!a || !a->rule || a->is_named || a->is_kept ||
	    (pd && pd->reason == REASON_HOST_DEVICE))
		return NULL;
	return a->rule;
}

const char *edit_describe(struct edit *e, const struct pci_device *d)
{
	const char *vendor = names_vendor(e->names, d->ids.vendor, e->arena);
	const char *device = names_device(e->names, &d->ids, e->arena);
	char address[BDF_SIZE];
	const char *text;

	text = arena_printf(e->arena, "%s [%04x:%04x]%s%s%s%s",
			    bdf_format(d->bdf, address), d->ids.vendor, d->ids.device,
			    vendor ? " " : "", vendor ? vendor : "", device ? " " : "",
			    device ? device : "");
	return text ? text : "";
}

struct judge edit_judge(const struct edit *e)
{
	return (struct judge){
		.arena = e->arena,
		.policy = &e->after,
		.inventory = &e->next,
		.plan = &e->plan,
		.usages = &e->usages,
		.holders = &e->holders,
		.world = e->world,
	};
}

const char *edit_describe_rule(struct edit *e, const struct rule *rule)
{
	char origin[ORIGIN_SIZE];
	const char *text;

	text = arena_printf(e->arena, "%.*s (%s)",
			    (int)MIN(rule->text.n, (size_t)SELECTOR_SIZE), rule->text.p,
			    origin_format(&rule->origin, origin));
	return text ? text : "";
}
