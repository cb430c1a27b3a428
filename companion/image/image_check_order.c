/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of starting where systemd is the first process: a unit before what loads drivers. */
#include "image_check_order.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "image_check.h"
#include "kernel_cmdline.h"
#include "paths.h"
#include "shell_assign.h"

enum kind {
	KIND_LIST, /* of words */
	KIND_COMMAND, /* the first word of each */
	KIND_VALUE, /* the last one counts */
};

static const struct setting {
	const char *section;
	const char *name;
	enum kind kind;
	size_t offset;
} settings[] = {
	{"[Unit]", "Before", KIND_LIST, offsetof(struct unit, before)},
	{"[Unit]", "After", KIND_LIST, offsetof(struct unit, after)},
	{"[Unit]", "ConditionPathExists", KIND_LIST, offsetof(struct unit, paths)},
	{"[Unit]", "AssertPathExists", KIND_LIST, offsetof(struct unit, paths)},
	{"[Unit]", "DefaultDependencies", KIND_VALUE,
	 offsetof(struct unit, default_dependencies)},
	{"[Service]", "ExecStart", KIND_COMMAND, offsetof(struct unit, commands)},
	{"[Service]", "TimeoutStartSec", KIND_VALUE, offsetof(struct unit, timeout)},
	{"[Service]", "TimeoutSec", KIND_VALUE, offsetof(struct unit, timeout)},
	{"[Service]", "Type", KIND_VALUE, offsetof(struct unit, type)},
};

bool unit_has(const struct unit_list *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (text_is(list->words[i], word))
			return true;
	return false;
}

static void add(struct unit_list *list, struct text word)
{
	if (list->count < UNIT_WORDS_MAX)
		list->words[list->count++] = word;
}

static void add_command(struct unit_list *list, struct text value)
{
	struct text word;

	while (value.n > 0 && value.p[0] != '\0' && strchr("@-:+!|", value.p[0])) {
		value.p++;
		value.n--;
	}
	if (text_word(&value, &word))
		add(list, word);
}

static void set(struct unit *unit, const struct setting *s, struct text value)
{
	void *field = (char *)unit + s->offset;
	struct unit_list *list = field;
	struct text word;

	if (s->kind == KIND_VALUE) {
		*(struct text *)field = value;
	} else if (value.n == 0) {
		list->count = 0;
	} else if (s->kind == KIND_COMMAND) {
		add_command(list, value);
	} else {
		while (text_word(&value, &word))
			add(list, word);
	}
}

static void parse_line(struct unit *unit, struct text line, struct text *section)
{
	struct text name;

	line = text_trim(line);
	if (line.n == 0)
		return;
	if (line.p[0] == '[') {
		*section = line;
		return;
	}
	if (!text_cut(&line, '=', &name) || !line.p)
		return;
	name = text_trim(name);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (text_is(*section, settings[i].section) &&
		    text_is(name, settings[i].name))
			set(unit, &settings[i], text_trim(line));
}

/* A '\' at the end joins the next line, and comments in between are skipped. */
int unit_parse(struct text bytes, struct arena *arena, struct unit *unit)
{
	/* Every line goes through here once, and is not longer joined than apart. */
	char *buf = arena_alloc(arena, bytes.n + 1, 1);
	struct text line, section = TEXT(""), whole = {buf, 0};

	if (!buf)
		return -ENOMEM;
	while (text_cut(&bytes, '\n', &line)) {
		struct text start = text_trim(line);
		bool is_joined;

		if (start.n > 0 && (start.p[0] == '#' || start.p[0] == ';'))
			continue;
		while (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		is_joined = line.n > 0 && line.p[line.n - 1] == '\\';
		if (line.n > 0)
			memcpy(buf + whole.n, line.p, line.n);
		whole.n += line.n;
		if (is_joined) {
			buf[whole.n - 1] = ' ';
			continue;
		}
		parse_line(unit, whole, &section);
		buf += whole.n;
		whole = (struct text){buf, 0};
	}
	parse_line(unit, whole, &section);
	return 0;
}

#define NAME	    "order"
#define UNIT	    "earlybind.service"
#define DROPINS_MAX 64

/* Where units are, the first one counts: systemd.unit(5). */
static const char *const places[] = {"etc/systemd/system", "usr/local/lib/systemd/system",
				     "usr/lib/systemd/system", "lib/systemd/system"};

/* What loads drivers. */
static const char *const loaders[] = {"systemd-modules-load.service",
				      "systemd-udevd.service",
				      "systemd-udev-trigger.service"};

static const struct tree_node *find_below(const struct check *c, const char *place,
					  const char *name, bool is_followed)
{
	char path[CPIO_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", place, name);
	return is_followed ? tree_find(&c->image.tree, path)
			   : tree_find_link(&c->image.tree, path);
}

/* The unit itself or the link that masks it, and its place. */
static const struct tree_node *find_unit(const struct check *c, const char **ret_place)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct tree_node *n = find_below(c, places[i], UNIT, false);

		if (!n)
			continue;
		*ret_place = places[i];
		return n;
	}
	return NULL;
}

/* Whether there is anything that makes systemd run the binder. */
static bool check_has_unit(const struct check *check)
{
	const char *place;

	return find_unit(check, &place) != NULL;
}

static bool is_null_link(const struct tree_node *node)
{
	return tree_is_link(node) && text_is(node->file->target, "/dev/null");
}

/* ---- drop-ins ---------------------------------------------------------------------------- */

struct dropins {
	const struct tree_node *nodes[DROPINS_MAX];
	size_t count;
};

static int compare_nodes(const void *a, const void *b)
{
	const struct tree_node *const *x = a, *const *y = b;

	return strcmp((*x)->name.p, (*y)->name.p);
}

/* One of the same name from a place that counts more replaces it. */
static void add_dropin(struct dropins *d, const struct tree_node *node)
{
	const size_t n = node->name.n;

	if (n < 5 || memcmp(node->name.p + n - 5, ".conf", 5) != 0)
		return;
	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->nodes[i]->name.p, node->name.p) == 0)
			return;
	if (d->count < DROPINS_MAX)
		d->nodes[d->count++] = node;
}

static void find_dropins(const struct check *c, struct dropins *ret)
{
	static const char *const folders[] = {UNIT ".d", "service.d"};

	ret->count = 0;
	for (size_t f = 0; f < ARRAY_SIZE(folders); f++)
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			const struct tree_node *n =
				find_below(c, places[i], folders[f], true);

			for (n = n ? n->children : NULL; n; n = n->next)
				add_dropin(ret, n);
		}
	qsort(ret->nodes, ret->count, sizeof(void *), compare_nodes);
}

/* ---- the unit ---------------------------------------------------------------------------- */

/* The text of a file, or of what a link leads to. */
static bool text_of_node(const struct check *c, const struct tree_node *node,
			 struct text *ret)
{
	char path[CPIO_PATH_MAX];

	if (tree_is_link(node))
		node = tree_find(&c->image.tree, tree_path(node, path));
	if (!tree_is_file(node) || !node->file->data.p)
		return false;
	*ret = node->file->data;
	return true;
}

/* The unit with what its drop-ins say. False if it cannot be read. */
static bool read_unit(struct check *c, const struct tree_node *node, struct unit *ret,
		      struct dropins *ret_dropins)
{
	struct text text;

	if (!text_of_node(c, node, &text) || unit_parse(text, c->arena, ret) < 0)
		return false;
	find_dropins(c, ret_dropins);
	for (size_t i = 0; i < ret_dropins->count; i++)
		if (!is_null_link(ret_dropins->nodes[i]) &&
		    (!text_of_node(c, ret_dropins->nodes[i], &text) ||
		     unit_parse(text, c->arena, ret) < 0))
			return false;
	return true;
}

static bool is_wanted(const struct check *c)
{
	static const char *const kinds[] = {"sysinit.target.wants/" UNIT,
					    "sysinit.target.requires/" UNIT};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			const struct tree_node *n =
				find_below(c, places[i], kinds[k], false);

			if (n)
				return !is_null_link(n);
		}
	return false;
}

static bool is_false(struct text t)
{
	static const char *const words[] = {"no", "false", "off", "0", "n", "f"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (text_is(t, words[i]))
			return true;
	return false;
}

/* What can be judged: paths that are made by nobody before the unit runs. */
static const struct text *failing_path(const struct check *c, const struct unit *unit)
{
	static const char *const others[] = {"/sys", "/proc", "/dev", "/run", "/tmp"};

	for (size_t i = 0; i < unit->paths.count; i++) {
		const struct text *t = &unit->paths.words[i];
		char path[CPIO_PATH_MAX];
		bool is_other = t->n == 0 || t->p[0] != '/' || t->n >= sizeof(path);

		for (size_t k = 0; k < ARRAY_SIZE(others) && !is_other; k++)
			is_other = text_has_prefix(*t, others[k]);
		if (is_other)
			continue;
		snprintf(path, sizeof(path), "%.*s", (int)t->n, t->p);
		if (!tree_find(&c->image.tree, path))
			return t;
	}
	return NULL;
}

/* What the unit lacks; false if it lacks something. */
static bool check_unit(struct check *c, const struct unit *unit, const char *hint)
{
	const struct text *path = failing_path(c, unit);
	const char *missing = "";
	bool is_fine = true;

	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
		const char *comma = *missing ? ", " : "";

		if (!unit_has(&unit->before, loaders[i]))
			missing = check_print(c, "%s%s%s", missing, comma, loaders[i]);
		if (unit_has(&unit->after, loaders[i])) {
			check_say(c, FINDING_FAIL, NAME,
				  UNIT
				  " has After=%s, when drivers are loaded already%s; "
				  "correct that and run %s",
				  loaders[i], hint, c->rebuild);
			is_fine = false;
		}
	}
	if (*missing) {
		check_say(c, FINDING_FAIL, NAME,
			  UNIT " has no Before= for %s, so that drivers may be loaded "
			       "first%s; correct that and run %s",
			  missing, hint, c->rebuild);
		is_fine = false;
	}
	if (!unit_has(&unit->commands, "/" IMAGE_BINDER)) {
		check_say(c, FINDING_FAIL, NAME,
			  UNIT " does not run /" IMAGE_BINDER " (ExecStart=)%s; correct "
			       "that and run %s",
			  hint, c->rebuild);
		is_fine = false;
	}
	if (!is_false(unit->default_dependencies)) {
		check_say(c, FINDING_FAIL, NAME,
			  UNIT " has no DefaultDependencies=no: it would wait for "
			       "sysinit.target, which waits for it%s; correct that and "
			       "run %s",
			  hint, c->rebuild);
		is_fine = false;
	}
	if (path) {
		check_say(c, FINDING_FAIL, NAME,
			  UNIT " will be skipped: it needs %.*s, which is not in the "
			       "image%s; run %s",
			  (int)path->n, path->p, hint, c->rebuild);
		is_fine = false;
	}
	if (unit->timeout.n == 0 || text_is(unit->timeout, "infinity") ||
	    text_is(unit->timeout, "0")) {
		check_say(c, FINDING_FAIL, NAME,
			  UNIT
			  " has no limit of time (TimeoutStartSec=): if it hangs, the "
			  "boot does%s; correct that and run %s",
			  hint, c->rebuild);
		is_fine = false;
	}
	return is_fine;
}

/* The same where systemd is the first process. */
static void check_order_systemd(struct check *check)
{
	static struct unit unit;
	struct check *c = check;
	const struct tree_node *node;
	const char *place, *hint = "";
	struct dropins dropins;

	node = find_unit(c, &place);
	if (!node) {
		check_say(
			c, FINDING_FAIL, NAME,
			"systemd is the first process of the image, and there is no unit " UNIT
			": nothing starts the binder in time; run %s",
			c->rebuild);
		return;
	}
	if (is_null_link(node) || (tree_is_file(node) && node->file->size == 0)) {
		check_say(c, FINDING_FAIL, NAME,
			  UNIT " is masked by /%s/" UNIT ": run systemctl unmask " UNIT
			       ", then %s",
			  place, c->rebuild);
		return;
	}
	unit = (struct unit){0};
	if (!read_unit(c, node, &unit, &dropins)) {
		check_say(c, FINDING_FAIL, NAME,
			  "/%s/" UNIT
			  " or a drop-in of it leads nowhere, or is too large: "
			  "run %s",
			  place, c->rebuild);
		return;
	}
	if (dropins.count > 0) {
		char path[CPIO_PATH_MAX];

		hint = check_print(c, " (a drop-in changes it: /%s)",
				   tree_path(dropins.nodes[dropins.count - 1], path));
	}
	if (!is_wanted(c))
		check_say(c, FINDING_FAIL, NAME,
			  "nothing starts " UNIT ": there is no link to it in "
			  "sysinit.target.wants; run %s",
			  c->rebuild);
	else if (check_unit(c, &unit, hint))
		check_say(c, FINDING_PASS, NAME,
			  UNIT " runs the binder before systemd-modules-load, "
			       "systemd-udevd and systemd-udev-trigger");
}

#define SCRIPT	    "00-earlybind"
#define CMDLINE_MAX 65536

/* ---- initramfs-tools --------------------------------------------------------------------- */

/* "a, b" and one more. */
static const char *add_name(struct check *c, const char *list, struct text name)
{
	return check_print(c, "%s%s%.*s", list, *list ? ", " : "", (int)MIN(name.n, 255u),
			   name.p);
}

/* The script that a line of ORDER runs: /scripts/init-top/NAME "$@" */
static bool script_of(struct text line, struct text *ret)
{
	static const char prefix[] = "/" IMAGE_INIT_TOP "/";
	struct text word;

	if (!text_word(&line, &word) || !text_has_prefix(word, prefix))
		return false;
	*ret = (struct text){word.p + sizeof(prefix) - 1, word.n - (sizeof(prefix) - 1)};
	return true;
}

static bool contains(struct text t, const char *word)
{
	return t.n > 0 && memmem(t.p, t.n, word, strlen(word)) != NULL;
}

static bool is_ours(struct text name)
{
	return contains(name, "earlybind");
}

/* Whether the text of a script loads modules by itself. */
static bool loads_modules(const struct check *c, struct text name)
{
	char path[CPIO_PATH_MAX];
	const struct tree_node *n;

	snprintf(path, sizeof(path), IMAGE_INIT_TOP "/%.*s", (int)MIN(name.n, 255u),
		 name.p);
	n = tree_find(&c->image.tree, path);
	return tree_is_file(n) &&
	       (contains(n->file->data, "modprobe") || contains(n->file->data, "insmod"));
}

struct init_top {
	struct text script; /* ours */
	bool has_script; /* in ORDER */
	bool is_late; /* after udev */
	const char *before; /* what runs before it */
	bool has_loader; /* among that */
};

static void read_order(struct check *c, struct text order, struct init_top *ret)
{
	struct text line, name;
	bool has_udev = false;

	*ret = (struct init_top){.before = ""};
	while (text_cut(&order, '\n', &line) && !ret->has_script) {
		if (!script_of(line, &name))
			continue;
		if (is_ours(name)) {
			ret->has_script = true;
			ret->script = name;
			ret->is_late = has_udev;
			return;
		}
		has_udev = has_udev || text_is(name, "udev");
		ret->has_loader = ret->has_loader || loads_modules(c, name);
		ret->before = add_name(c, ret->before, name);
	}
}

/* Ours among the scripts of the image, called by ORDER or not. */
static const struct tree_node *find_script(const struct check *c)
{
	const struct tree_node *n = tree_find(&c->image.tree, IMAGE_INIT_TOP);

	for (n = n ? n->children : NULL; n; n = n->next)
		if (is_ours(n->name))
			return n;
	return NULL;
}

static void check_init_top(struct check *c)
{
	const struct tree_node *order =
		tree_find(&c->image.tree, IMAGE_INIT_TOP "/ORDER");
	const struct tree_node *script = find_script(c);
	struct init_top top;

	if (!tree_is_file(order) || !order->file->data.p) {
		check_say(c, FINDING_FAIL, NAME,
			  "there is no /" IMAGE_INIT_TOP "/ORDER: no script runs; run %s",
			  c->rebuild);
		return;
	}
	read_order(c, order->file->data, &top);
	if (!top.has_script) {
		check_say(
			c, FINDING_FAIL, NAME,
			"/" IMAGE_INIT_TOP "/ORDER does not run " SCRIPT
			": it was not executable when the image was made, or has an error "
			"of syntax; install it again, then run %s",
			c->rebuild);
		return;
	}
	if (!script || !is_ours(top.script) || !tree_is_file(script) ||
	    (script->file->mode & 0111) == 0) {
		check_say(c, FINDING_FAIL, NAME,
			  "/" IMAGE_INIT_TOP "/%.*s is not in the image as an executable "
			  "file: install it again, then run %s",
			  (int)top.script.n, top.script.p, c->rebuild);
		return;
	}
	if (top.is_late) {
		bool is_renamed = !text_is(top.script, SCRIPT);

		check_say(c, FINDING_FAIL, NAME,
			  "%.*s runs after udev, when the drivers have the devices: %s, "
			  "then run %s",
			  (int)top.script.n, top.script.p,
			  is_renamed
				  ? "its name must sort first: rename it to " SCRIPT
				  : "its PREREQ must be empty, with any other it comes "
				    "late: install it again",
			  c->rebuild);
		return;
	}
	check_say(c, FINDING_PASS, NAME, "%.*s runs before udev in init-top",
		  (int)top.script.n, top.script.p);
	if (*top.before)
		check_say(c, FINDING_NOTE, NAME, "these run before it: %s%s", top.before,
			  top.has_loader
				  ? ", of which one loads modules: its devices may "
				    "be taken first"
				  : "");
}

/* ---- dracut ------------------------------------------------------------------------------ */

static const char *const hook_places[] = {"lib/dracut/hooks", "usr/lib/dracut/hooks",
					  "var/lib/dracut/hooks", "etc/dracut/hooks"};

struct hooks {
	const struct tree_node *ours;
	const char *before; /* those whose names sort before ours */
};

static bool is_hook(const struct tree_node *n)
{
	return n->name.n > 3 && memcmp(n->name.p + n->name.n - 3, ".sh", 3) == 0;
}

static void find_hooks(struct check *c, struct hooks *ret)
{
	const struct tree_node *folders[ARRAY_SIZE(hook_places)];
	char path[CPIO_PATH_MAX];

	*ret = (struct hooks){.before = ""};
	for (size_t i = 0; i < ARRAY_SIZE(hook_places); i++) {
		snprintf(path, sizeof(path), "%s/pre-udev", hook_places[i]);
		folders[i] = tree_find(&c->image.tree, path);
		/* The same folder by another way. */
		for (size_t k = 0; k < i; k++)
			if (folders[k] == folders[i])
				folders[i] = NULL;
		for (const struct tree_node *n = folders[i] ? folders[i]->children : NULL;
		     n; n = n->next)
			if (is_hook(n) && is_ours(n->name) &&
			    (!ret->ours || strcmp(n->name.p, ret->ours->name.p) < 0))
				ret->ours = n;
	}
	for (size_t i = 0; ret->ours && i < ARRAY_SIZE(hook_places); i++)
		for (const struct tree_node *n = folders[i] ? folders[i]->children : NULL;
		     n; n = n->next)
			if (is_hook(n) && strcmp(n->name.p, ret->ours->name.p) < 0)
				ret->before = add_name(c, ret->before, n->name);
}

static void check_pre_udev(struct check *c, const struct hooks *hooks)
{
	check_say(c, FINDING_PASS, NAME, "the hook pre-udev/%s runs before udev",
		  hooks->ours->name.p);
	if (*hooks->before)
		check_say(c, FINDING_NOTE, NAME,
			  "these hooks run before it and may load drivers: %s",
			  hooks->before);
}

/* ---- mkinitcpio -------------------------------------------------------------------------- */

static const struct tree_node *find_runscript(const struct check *c)
{
	return tree_find(&c->image.tree, "hooks/earlybind");
}

/* Whether the image's settings have hooks that run before udev. */
static bool read_early_hooks(struct check *c, const struct tree_node *config,
			     struct text *ret)
{
	struct shell_assignment *list;
	struct shell shell;

	shell_init(&shell, c->arena, SHELL_SH);
	return tree_is_file(config) &&
	       shell_read(&shell, config->file->data, &list) == 0 &&
	       shell_get(&shell, "EARLYHOOKS", ret) == SHELL_KNOWN;
}

static void check_early_hooks(struct check *c)
{
	const struct tree_node *config =
		tree_find(&c->image.tree, IMAGE_MKINITCPIO_CONFIG);
	const struct tree_node *script = find_runscript(c);
	struct text hooks, word;
	const char *before = "";

	if (!read_early_hooks(c, config, &hooks)) {
		check_say(c, FINDING_FAIL, NAME,
			  "/config has no EARLYHOOKS: no hook runs before udev; run %s",
			  c->rebuild);
		return;
	}
	while (text_word(&hooks, &word) && !text_is(word, "earlybind")) {
		if (text_is(word, "udev")) {
			check_say(
				c, FINDING_FAIL, NAME,
				"udev starts before earlybind: put earlybind before udev "
				"in HOOKS of /etc/mkinitcpio.conf, then run %s",
				c->rebuild);
			return;
		}
		before = add_name(c, before, word);
		word = TEXT("");
	}
	if (!text_is(word, "earlybind")) {
		check_say(
			c, FINDING_FAIL, NAME,
			"earlybind is not among EARLYHOOKS of /config: add it to HOOKS in "
			"/etc/mkinitcpio.conf before udev, then run %s",
			c->rebuild);
		return;
	}
	if (!tree_is_file(script) || (script->file->mode & 0111) == 0) {
		check_say(c, FINDING_FAIL, NAME,
			  "/hooks/earlybind is not in the image as an executable file: "
			  "install it again, then run %s",
			  c->rebuild);
		return;
	}
	check_say(c, FINDING_PASS, NAME, "the hook earlybind runs before udev");
	if (*before)
		check_say(c, FINDING_NOTE, NAME, "these hooks run before it: %s", before);
}

/* ---- as the first process ---------------------------------------------------------------- */

/* rdinit= of a command line, the last one; empty if there is none. */
static struct text rdinit_of(struct text cmdline)
{
	struct text value = TEXT("");
	struct cmdline_arg arg;

	while (cmdline_next(&cmdline, &arg) && !cmdline_is_end(&arg))
		if (text_is(arg.name, "rdinit") && arg.value.p)
			value = arg.value;
	return value;
}

/* What the binder as PID 1 hands over to (binder/pid1.c: pid1_run()). */
static bool has_next_init(const struct check *c)
{
	static const char *const programs[] = {"init", "sbin/init", "etc/init",
					       "bin/init", "bin/sh"};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (tree_find(&c->image.tree, programs[i]))
			return true;
	return false;
}

static void check_rdinit(struct check *c)
{
	struct text cmdline;

	if (!has_next_init(c)) {
		check_say(
			c, FINDING_FAIL, NAME,
			"nothing in the image starts the binder, and there is no /init: as "
			"the first process (rdinit=/" IMAGE_BINDER
			") it would have nothing "
			"to go on with, and the kernel would panic: append the binder to a "
			"whole image");
		return;
	}

	check_say(c, FINDING_NOTE, NAME,
		  "nothing in the image starts the binder: it runs only with "
		  "rdinit=/" IMAGE_BINDER " on the kernel command line");
	if (c->options && *c->options)
		cmdline = text_of(c->options);
	else if (file_read_world(c->world, WORLD_PROC, "cmdline", c->arena, CMDLINE_MAX,
				 &cmdline) < 0)
		cmdline = (struct text){NULL, 0};
	if (!cmdline.p)
		check_say(c, FINDING_UNKNOWN, NAME,
			  "the kernel command line is not known here: see that it has "
			  "rdinit=/" IMAGE_BINDER);
	else if (text_is(rdinit_of(cmdline), "/" IMAGE_BINDER))
		check_say(c, FINDING_PASS, NAME,
			  "the kernel command line has rdinit=/" IMAGE_BINDER);
	else
		check_say(
			c, FINDING_FAIL, NAME,
			"the kernel command line has no rdinit=/" IMAGE_BINDER
			": add it in the boot loader, or let %s make an image that starts "
			"the binder",
			c->rebuild);
}

void check_order(struct check *check)
{
	struct check *c = check;
	struct hooks hooks;

	find_hooks(c, &hooks);
	if (c->has_systemd && (hooks.ours || check_has_unit(c))) {
		if (hooks.ours)
			check_say(c, FINDING_FAIL, NAME,
				  "there is a hook pre-udev/%s in an image with systemd, "
				  "where it is too late and would run the binder again: "
				  "run %s",
				  hooks.ours->name.p, c->rebuild);
		check_order_systemd(c);
	} else if (c->generator == GENERATOR_INITRAMFS_TOOLS && find_script(c)) {
		check_init_top(c);
	} else if (!c->has_systemd && hooks.ours) {
		check_pre_udev(c, &hooks);
	} else if (!c->has_systemd && find_runscript(c)) {
		check_early_hooks(c);
	} else {
		check_rdinit(c);
	}
}
