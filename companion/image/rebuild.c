/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rebuild.h"

#include <string.h>

#include "elf_file.h"
#include "image_check.h"
#include "paths.h"
#include "shell_assign.h"
#include "version.h"

/* Without the remedy at its end: that is what is about to be done, or has been. */
static const char *without_remedy(struct check *c, const char *message)
{
	const char *end = NULL, *cut;

	for (const char *p = message; (p = strstr(p, "; ")); p++)
		end = p;
	if (!end || !strstr(end, c->rebuild))
		return message;
	cut = arena_copy(c->findings.arena,
			 (struct text){message, (size_t)(end - message)});
	return cut ? cut : message;
}

static const char *first(struct check *c, enum finding_kind kind, const char *name)
{
	for (size_t i = 0; i < c->findings.count; i++) {
		const struct finding *f = &c->findings.items[i];

		if (f->kind == kind && (!name || strcmp(f->name, name) == 0))
			return f->message;
	}
	return NULL;
}

/* Why the binder of the image is another than the one that would come into it now. */
static const char *difference(struct check *c, struct text binder)
{
	struct text version = program_version(binder);
	const char *note = first(c, FINDING_NOTE, "table");

	if (note)
		return note;
	if (!text_is(version, EARLYBIND_VERSION))
		return arena_printf(
			c->findings.arena,
			"its binder is of version %.*s, and " EARLYBIND_VERSION
			" is installed",
			(int)version.n, version.n > 0 ? version.p : "");
	return "its binder is another one than the one that is installed";
}

/* By what was found in the image. */
static void judge(struct check *c, const struct rebuild_machine *machine,
		  struct rebuild_verdict *v)
{
	const struct tree_node *node = tree_find(&c->image.tree, IMAGE_BINDER);

	v->made_by = c->generator;
	for (size_t i = 0; i < c->findings.count; i++)
		c->findings.items[i].message =
			without_remedy(c, c->findings.items[i].message);
	/* dracut's module leaves itself out where there are no rules. */
	if (!node && !machine->has_rules &&
	    (c->generator == GENERATOR_DRACUT || c->generator == GENERATOR_MKINITCPIO)) {
		v->state = REBUILD_CURRENT;
		v->reason = "there are no rules, and earlybind is not in it";
		return;
	}
	v->has_failed = c->findings.counts[FINDING_FAIL] > 0;
	if (v->has_failed) {
		v->state = REBUILD_STALE;
		v->reason = first(c, FINDING_FAIL, NULL);
		v->is_doubtful =
			c->has_foreign_words && c->findings.counts[FINDING_FAIL] == 1;
	} else if (!node || !tree_is_file(node) ||
		   !program_is_same(node->file->data, machine->binder_copy->bytes)) {
		v->state = REBUILD_STALE;
		v->reason = difference(c, node ? node->file->data : TEXT(""));
	} else {
		v->reason = first(c, FINDING_NOTE, "modprobe.d");
		v->is_doubtful = v->reason != NULL;
		v->state = v->is_doubtful ? REBUILD_STALE : REBUILD_CURRENT;
		if (!v->is_doubtful)
			v->reason = "up to date";
	}
	if (!v->reason)
		v->reason = "it is out of date";
}

struct rebuild_verdict rebuild_judge(const struct installed_image *image,
				     const struct rebuild_machine *machine,
				     struct arena *arena, struct findings *findings)
{
	static struct check c;
	struct rebuild_verdict v = {.state = REBUILD_STALE, .has_failed = true};
	struct arena own;
	const char *message = "out of memory";

	*findings = (struct findings){.arena = arena};
	if (!image->file) {
		v.state = REBUILD_ABSENT;
		v.reason = "it has no image";
		return v;
	}
	if (arena_map(&own, IMAGE_ARENA_SIZE) < 0) {
		v.reason = message;
		return v;
	}
	c = (struct check){.file = image->file,
			   .kernel = image->kernel,
			   .copy_command = rebuild_copy_command(image, arena),
			   .arena = &own,
			   .world = machine->world,
			   .sysroot = machine->sysroot,
			   .sources = &machine->binder_copy->sources,
			   .findings = {.arena = arena}};
	if (check_run(&c, &message) < 0)
		v.reason = arena_printf(arena, "%s", message);
	else
		judge(&c, machine, &v);
	if (!v.reason)
		v.reason = "it cannot be read";
	*findings = c.findings;
	arena_unmap(&own);
	return v;
}

/* The generator's own command would put an initramfs in its place; mkinitcpio makes both. */
static bool is_uki(const struct installed_image *image)
{
	return image->entry && image->entry->is_uki;
}

bool rebuild_command(enum generator generator, const struct installed_image *image,
		     const char *ret_argv[static REBUILD_ARGUMENTS_MAX])
{
	const char *const commands[][REBUILD_ARGUMENTS_MAX] = {
		[GENERATOR_INITRAMFS_TOOLS] = {"update-initramfs",
					       image->path && !image->is_missing ? "-u"
										 : "-c",
					       "-k", image->kernel},
		/* Its own place for the image where there is none yet. */
		[GENERATOR_DRACUT] = {"dracut", "--force", "--kver", image->kernel,
				      image->path},
		[GENERATOR_MKINITCPIO] = {"mkinitcpio", "-P"},
		[GENERATOR_BOOSTER] = {NULL},
		[GENERATOR_OTHER] = {NULL},
	};

	memcpy(ret_argv, commands[generator], sizeof(commands[generator]));
	if (is_uki(image) && generator != GENERATOR_MKINITCPIO)
		ret_argv[0] = NULL;
	if (image->copy_command[0]) {
		memset(ret_argv, 0, sizeof(commands[generator]));
		memcpy(ret_argv, image->copy_command, sizeof(image->copy_command));
	}
	return ret_argv[0] != NULL;
}

const char *rebuild_copy_command(const struct installed_image *image, struct arena *arena)
{
	const char *line = NULL;

	for (size_t i = 0; i < INSTALLED_COMMAND_MAX && image->copy_command[i]; i++)
		line = i == 0 ? image->copy_command[0]
			      : arena_printf(arena, "%s %s", line ? line : "",
					     image->copy_command[i]);
	return line;
}

const char *rebuild_obstacle(struct text conf, struct arena *arena)
{
	struct shell_assignment *list;
	struct shell shell;
	struct text value;

	/* Where it is not understood, the image that is made says whether it was. */
	shell_init(&shell, arena, SHELL_SH);
	if (shell_read(&shell, conf, &list) < 0 ||
	    shell_get(&shell, "update_initramfs", &value) != SHELL_KNOWN ||
	    !text_is(value, "no"))
		return NULL;
	return "update_initramfs=no in /etc/" UPDATE_INITRAMFS_CONF
	       " keeps update-initramfs from updating any image: set it to yes";
}
