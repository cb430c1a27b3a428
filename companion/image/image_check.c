/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table in the image's binder, line by line against the configuration. */
#include "image_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config.h"
#include "elf_file.h"
#include "image_file.h"
#include "image_options.h"
#include "kernel_cmdline.h"
#include "message.h"
#include "paths.h"
#include "reason.h"
#include "run.h"
#include "table.h"
#include "version.h"

#define TABLE_CHECK "table"
#define SHOWN_MAX   8 /* lines that differ */

struct line {
	struct text origin; /* FILE:LINE */
	struct text section; /* "[profile TABLE_CHECK]", or empty */
	struct text text;
	bool is_matched;
};

struct lines {
	struct line *items;
	size_t count;
};

/* The file of an origin: a section ends with it, as for config_parse(). */
static struct text file_of(struct text origin)
{
	while (origin.n > 0 && origin.p[origin.n - 1] != ':')
		origin.n--;
	return origin;
}

/* The lines of a table's text, which is in its normal form. */
static int split(struct text table, struct arena *arena, struct lines *ret)
{
	struct text line, origin = {"", 0}, section = {"", 0};
	size_t count = 1;

	for (size_t i = 0; i < table.n; i++)
		count += table.p[i] == '\n';
	*ret = (struct lines){.items = arena_alloc(arena, count, sizeof(*ret->items))};
	if (!ret->items)
		return -ENOMEM;
	while (text_cut(&table, '\n', &line)) {
		if (text_has_prefix(line, "#:")) {
			struct text next =
				text_trim((struct text){line.p + 2, line.n - 2});

			if (!text_is_same(file_of(next), file_of(origin)))
				section = (struct text){"", 0};
			origin = next;
		} else if (line.n > 0 && line.p[0] == '[') {
			section = line;
		} else if (line.n > 0) {
			ret->items[ret->count++] =
				(struct line){origin, section, line, false};
		}
	}
	return 0;
}

/* Marks the lines that both have, in any order. */
static void match(struct lines *a, struct lines *b)
{
	size_t from = 0;

	for (size_t i = 0; i < a->count; i++) {
		/* Mostly they come in the same order. */
		for (size_t k = 0; k < b->count; k++) {
			struct line *x = &a->items[i],
				    *y = &b->items[(from + k) % b->count];

			if (y->is_matched || !text_is_same(x->text, y->text) ||
			    !text_is_same(x->section, y->section))
				continue;
			x->is_matched = y->is_matched = true;
			from = (from + k + 1) % b->count;
			break;
		}
	}
}

static bool is_same_order(const struct lines *a, const struct lines *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (!text_is_same(a->items[i].text, b->items[i].text) ||
		    !text_is_same(a->items[i].section, b->items[i].section))
			return false;
	return true;
}

static size_t count_unmatched(const struct lines *lines)
{
	size_t n = 0;

	for (size_t i = 0; i < lines->count; i++)
		n += !lines->items[i].is_matched;
	return n;
}

/* "bind 10ee:5000" (/etc/earlybind.conf:1), ... */
static const char *list_unmatched(struct check *c, const struct lines *lines)
{
	const char *list = "";
	size_t shown = 0, all = count_unmatched(lines);

	for (size_t i = 0; i < lines->count && shown < SHOWN_MAX; i++) {
		const struct line *l = &lines->items[i];

		if (l->is_matched)
			continue;
		list = check_print(c, "%s%s\"%.*s\" (%.*s)", list,
				   shown++ > 0 ? ", " : "", (int)MIN(l->text.n, 120u),
				   l->text.p, (int)MIN(l->origin.n, 120u), l->origin.p);
	}
	if (shown < all)
		list = check_print(c, "%s and %zu more", list, all - shown);
	return list;
}

/* @policy is what @wanted was made of. */
static void compare(struct check *c, struct text table, struct text wanted,
		    const struct sources *sources, const struct policy *policy)
{
	const char *where = sources_describe(sources, c->arena);
	const char *name = sources->count == 1 ? where : "the configuration";
	struct lines have, want;
	size_t missing, extra;

	table = sources_cut_recorded(table);
	if (text_is_same(table, wanted)) {
		if (wanted.n == 0)
			check_say(c, FINDING_PASS, TABLE_CHECK,
				  "it is empty, and there is no configuration");
		else
			check_say(c, FINDING_PASS, TABLE_CHECK,
				  "it has the %zu rule%s of %s", policy->rule_count,
				  plural(policy->rule_count), where);
		return;
	}
	if (split(table, c->arena, &have) < 0 || split(wanted, c->arena, &want) < 0) {
		check_say(c, FINDING_UNKNOWN, TABLE_CHECK, "out of memory");
		return;
	}
	match(&want, &have);
	missing = count_unmatched(&want);
	extra = count_unmatched(&have);
	if (missing > 0)
		check_say(c, FINDING_FAIL, TABLE_CHECK,
			  "it is older than %s: the image lacks %s; run %s", name,
			  list_unmatched(c, &want), c->rebuild);
	if (extra > 0)
		check_say(c, FINDING_FAIL, TABLE_CHECK,
			  "it is older than %s: the image still has %s; run %s", name,
			  list_unmatched(c, &have), c->rebuild);
	if (missing + extra > 0)
		return;
	if (!is_same_order(&have, &want))
		check_say(
			c, FINDING_FAIL, TABLE_CHECK,
			"it is older than %s: the rules stood in another order, and the "
			"first that matches counts; run %s",
			name, c->rebuild);
	else
		check_say(
			c, FINDING_NOTE, TABLE_CHECK,
			"it has the rules of %s, but messages at boot will name the old "
			"line numbers; %s corrects that",
			name, c->rebuild);
}

/* The text of the image's table. False if it has none that can be read. */
static bool read_table(struct check *c, struct text binder, struct text *ret)
{
	const char *message = NULL;
	size_t offset;
	int r;

	if (section_find(binder, &offset, &message) == 0) {
		r = table_decode(binder.p + offset, sizeof(struct table_section), ret);
		if (r == 0)
			return true;
		message = r == -EPROTONOSUPPORT
				  ? "it is of a newer version than this program"
				  : "its checksum is wrong: none of its rules will count";
	}
	check_say(c, FINDING_FAIL, TABLE_CHECK, "the table is damaged: %s; run %s",
		  message, c->rebuild);
	return false;
}

/*
 * What the table would be now, without what is recorded: that is of the machine as it was then,
 * and no rule. False if none can be made, which is said.
 */
static bool encode(struct check *c, struct policy *policy, struct text *ret)
{
	const struct table_section *section;
	struct sources own = *c->sources;
	size_t length;

	if (policy_init(policy, c->arena) < 0) {
		check_say(c, FINDING_UNKNOWN, TABLE_CHECK, "out of memory");
		return false;
	}
	own.critical = own.known = (struct recorded){0};
	sources_parse(&own, policy);
	for (size_t i = 0; i < policy->problem_count; i++)
		if (policy->problems[i].is_error) {
			check_say(
				c, FINDING_FAIL, TABLE_CHECK,
				"the configuration has errors, and no image can have its "
				"rules until they are corrected: see \"earlybind embed "
				"--check\"");
			return false;
		}
	if (sources_encode(&own, policy, c->arena, &section, &length) < 0) {
		check_say(c, FINDING_FAIL, TABLE_CHECK,
			  "no table can be made of the configuration: see \"earlybind "
			  "embed --check\"");
		return false;
	}
	*ret = (struct text){section->text, length};
	return true;
}

/* Whether the image was made while the configuration had errors. */
static void check_mark(struct check *check)
{
	const struct tree_node *node = tree_find(&check->image.tree, IMAGE_EARLIER_MARK);
	struct text bytes = {"", 0};
	const char *message;

	if (!node)
		return;
	if (tree_is_file(node) && node->file->data.p)
		bytes = node->file->data;
	message = earlier_describe(bytes, check->arena);
	check_say(check, FINDING_FAIL, TABLE_CHECK, "%s",
		  message ? message : "out of memory");
}

/* Its table against the configuration. The rules of the image go to check->policy. */
static void check_table(struct check *check, struct text binder)
{
	struct text table, wanted;
	struct policy policy;

	if (!read_table(check, binder, &table))
		return;
	config_parse(&check->policy, SOURCE_TABLE, TEXT(""), table);
	if (encode(check, &policy, &wanted))
		compare(check, table, wanted, check->sources, &policy);
}

#define BINDER_CHECK "binder"

/* How it gets into the image. */
static void say_missing(struct check *c)
{
	const char *remedy = "";

	switch (c->generator) {
	case GENERATOR_INITRAMFS_TOOLS:
		remedy =
			"see that /usr/share/initramfs-tools/hooks/earlybind is there and "
			"executable, then run";
		break;
	case GENERATOR_DRACUT:
		remedy =
			"see that dracut's module 50earlybind is installed and not omitted, "
			"then run";
		break;
	case GENERATOR_MKINITCPIO:
		remedy =
			"add earlybind to HOOKS in /etc/mkinitcpio.conf, before udev, kms or "
			"systemd, then run";
		break;
	case GENERATOR_BOOSTER:
	case GENERATOR_OTHER:
	case GENERATOR_UNKNOWN:
		check_say(c, FINDING_FAIL, BINDER_CHECK,
			  "earlybind is not in the image: there is no /" IMAGE_BINDER
			  "; append it with earlybind image --append %s --output FILE",
			  c->file);
		return;
	}
	check_say(c, FINDING_FAIL, BINDER_CHECK,
		  "earlybind is not in the image: there is no /" IMAGE_BINDER "; %s %s",
		  remedy, c->rebuild);
}

static void check_version(struct check *c, struct text bytes)
{
	struct text version = program_version(bytes);

	if (version.n == 0)
		check_say(c, FINDING_UNKNOWN, BINDER_CHECK, "its version is not known");
	else if (!text_is(version, EARLYBIND_VERSION))
		check_say(c, FINDING_NOTE, BINDER_CHECK,
			  "it is of version %.*s and this program of " EARLYBIND_VERSION
			  ": run %s",
			  (int)version.n, version.p, c->rebuild);
	else
		check_say(c, FINDING_PASS, BINDER_CHECK,
			  "it is there, static, of version %.*s", (int)version.n,
			  version.p);
}

/* The binder: *ret is its file. False if there is none: then nothing more is to be said. */
static bool check_binder(struct check *check, struct text *ret)
{
	const struct tree_node *node = tree_find(&check->image.tree, IMAGE_BINDER);
	const char *message;

	if (!node && check->is_unwanted) {
		check_say(check, FINDING_PASS, BINDER_CHECK,
			  "earlybind is not in the image, and there are no rules");
		return false;
	}
	if (!node) {
		say_missing(check);
		return false;
	}
	if (!tree_is_file(node) || !node->file->data.p) {
		check_say(check, FINDING_FAIL, BINDER_CHECK,
			  "/" IMAGE_BINDER " is not a file, or too large: run %s",
			  check->rebuild);
		return false;
	}
	if ((node->file->mode & 0111) == 0)
		check_say(check, FINDING_FAIL, BINDER_CHECK,
			  "/" IMAGE_BINDER
			  " is not executable: install it with mode 755, "
			  "then run %s",
			  check->rebuild);
	*ret = node->file->data;
	if (program_check(*ret, &message) < 0)
		check_say(check, FINDING_FAIL, BINDER_CHECK,
			  "/" IMAGE_BINDER " will not start: %s; install it again, then "
			  "run %s",
			  message, check->rebuild);
	else
		check_version(check, *ret);
	return true;
}

/* Whether the data of this file of an image are looked at. */
static bool check_wants(const char *path)
{
	static const char *const suffixes[] = {
		IMAGE_BINDER,
		IMAGE_EARLIER_MARK,
		"/systemd/system/earlybind.service",
		"/modules.dep.bin",
		"/modules.alias.bin",
		"/modules.builtin",
		"/modules.builtin.bin",
		"/modules.builtin.alias.bin",
	};

	if (strcmp(path, IMAGE_MKINITCPIO_CONFIG) == 0 || image_options_want(path) ||
	    strncmp(path, IMAGE_INIT_TOP "/", sizeof(IMAGE_INIT_TOP)) == 0 ||
	    strstr(path, "service.d/"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (text_has_suffix(text_of(path), suffixes[i]))
			return true;
	return false;
}

const char *generator_name(enum generator generator)
{
	switch (generator) {
	case GENERATOR_INITRAMFS_TOOLS:
		return "initramfs-tools";
	case GENERATOR_DRACUT:
		return "dracut";
	case GENERATOR_MKINITCPIO:
		return "mkinitcpio";
	case GENERATOR_BOOSTER:
		return "booster";
	case GENERATOR_OTHER:
	case GENERATOR_UNKNOWN:
		break;
	}
	return "unknown";
}

static bool has(const struct check *c, const char *path)
{
	return tree_find(&c->image.tree, path) != NULL;
}

static enum generator recognise(const struct check *c)
{
	if (has(c, "conf/initramfs.conf") && has(c, "scripts"))
		return GENERATOR_INITRAMFS_TOOLS;
	if (has(c, "usr/lib/dracut") || has(c, "lib/dracut") || has(c, "var/lib/dracut"))
		return GENERATOR_DRACUT;
	if (has(c, IMAGE_MKINITCPIO_CONFIG) &&
	    (has(c, "buildconfig") || has(c, "init_functions") || has(c, "hooks")))
		return GENERATOR_MKINITCPIO;
	if (has(c, "etc/booster.init.yaml"))
		return GENERATOR_BOOSTER;
	return has(c, "init") ? GENERATOR_OTHER : GENERATOR_UNKNOWN;
}

/* /init is a link to systemd, or the program itself. */
static bool is_init_systemd(const struct check *c)
{
	const struct tree_node *init = tree_find(&c->image.tree, "init");

	return tree_is_file(init) && text_is(init->name, "systemd");
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_kernel(const struct check *c, const char *release)
{
	for (size_t i = 0; i < c->kernel_count; i++)
		if (strcmp(c->kernels[i], release) == 0)
			return true;
	return false;
}

static void find_kernels(struct check *c)
{
	/* The last one counts only through a link lib; here it shows what the image is for. */
	static const char *const places[] = {IMAGE_MODULES_PLACES, "usr/lib/modules"};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct tree_node *n = tree_find(&c->image.tree, places[i]);

		for (n = n ? n->children : NULL; n; n = n->next)
			if (tree_is_folder(n) && !has_kernel(c, n->name.p) &&
			    c->kernel_count < CHECK_KERNELS_MAX)
				c->kernels[c->kernel_count++] = n->name.p;
	}
	qsort(c->kernels, c->kernel_count, sizeof(*c->kernels), compare_names);
}

static const char *rebuild_command(struct check *c)
{
	const char *kernel = c->kernel		    ? c->kernel
			     : c->kernel_count == 1 ? c->kernels[0]
						    : NULL;

	/* Not the initramfs alone. */
	if (c->uki.initrd.p && c->generator != GENERATOR_MKINITCPIO)
		return "the program that made this unified kernel image";
	switch (c->generator) {
	case GENERATOR_INITRAMFS_TOOLS:
		return check_print(c, "update-initramfs -u -k %s",
				   kernel ? kernel : "all");
	case GENERATOR_DRACUT:
		return kernel ? check_print(c, "dracut --force --kver %s", kernel)
			      : "dracut --regenerate-all --force";
	case GENERATOR_MKINITCPIO:
		return "mkinitcpio -P";
	case GENERATOR_BOOSTER:
	case GENERATOR_OTHER:
	case GENERATOR_UNKNOWN:
		break;
	}
	return "the program that made it";
}

/* Sets generator, has_systemd, kernels and rebuild; says what the image is. */
static void check_image(struct check *check)
{
	struct check *c = check;
	const struct image *image = &c->image;

	c->generator = recognise(c);
	c->has_systemd = is_init_systemd(c);
	find_kernels(c);
	c->rebuild = c->copy_command ? c->copy_command : rebuild_command(c);
	if (image->message)
		check_say(
			c, FINDING_FAIL, "image",
			"at offset %llu: %s; what follows is about what is in front of it",
			(unsigned long long)image->error_offset, image->message);
	else
		check_say(c, FINDING_PASS, "image", "the kernel can unpack all of it");
	if (image->tree.lost_count > 0)
		check_say(c, FINDING_NOTE, "image",
			  "%zu file%s the kernel cannot unpack: the folder is missing",
			  image->tree.lost_count, plural(image->tree.lost_count));
	if (has(c, "kernel/x86/microcode"))
		check_say(c, FINDING_NOTE, "image",
			  "microcode of the processor is in front");
	if (!has(c, "init"))
		check_say(
			c, FINDING_NOTE, "image",
			"there is no /init: it is a part of an image, or the kernel mounts "
			"the root file system by itself");
}

/* What is in a unified kernel image beside its initramfs. */
static void check_uki(struct check *c)
{
	const char *own = arena_copy(c->arena, text_trim(c->uki.cmdline));
	struct cmdline_arg arg;
	struct text rest;

	if (!c->uki.initrd.p || !own)
		return;
	c->options = boot_uki_options(c->file, c->arena, c->kernel, own);
	rest = text_of(c->options);
	check_say(
		c, FINDING_NOTE, "image",
		"this is a unified kernel image: offsets count from its section .initrd");
	while (cmdline_next(&rest, &arg) && !cmdline_is_end(&arg))
		if (text_is(arg.name, "rd.earlybind") && text_is(arg.value, "0"))
			check_say(c, FINDING_FAIL, "cmdline",
				  "rd.earlybind=0 is on its kernel command line (section "
				  ".cmdline%s): no rule counts; delete it where %s reads "
				  "it",
				  arg.name.p >= c->options + strlen(own) ? " of an addon"
									 : "",
				  c->rebuild);
}

void check_say(struct check *check, enum finding_kind kind, const char *name,
	       const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	findings_vadd(&check->findings, kind, name, format, ap);
	va_end(ap);
}

const char *check_print(struct check *check, const char *format, ...)
{
	const char *line;
	va_list ap;

	va_start(ap, format);
	line = arena_vprintf(check->arena, format, ap);
	va_end(ap);
	return line ? line : "";
}

int check_open(struct check *check, const char **ret_message)
{
	struct check *c = check;
	int r = image_file_read(c->file, c->arena, check_wants, &c->uki, &c->image,
				ret_message);

	if (r < 0)
		return r;
	if (!c->kernel && c->uki.uname.n > 0)
		c->kernel = arena_copy(c->arena, text_trim(c->uki.uname));
	if (policy_init(&c->policy, c->arena) < 0) {
		*ret_message = "out of memory";
		return -ENOMEM;
	}
	if (c->image.entry_count == 0) {
		*ret_message = check_print(
			c, "nothing of it can be unpacked: at offset %llu: %s",
			(unsigned long long)c->image.error_offset,
			c->image.message ? c->image.message : "there is no file in it");
		return -EBADMSG;
	}
	return 0;
}

int check_run(struct check *check, const char **ret_message)
{
	struct check *c = check;
	struct text binder;
	int r;

	r = check_open(c, ret_message);
	if (r < 0)
		return r;
	check_image(c);
	check_uki(c);
	if (check_binder(c, &binder)) {
		check_mark(c);
		check_table(c, binder);
		check_options(c);
		check_order(c);
		check_modules(c);
		check_drivers(c);
	}
	return 0;
}
