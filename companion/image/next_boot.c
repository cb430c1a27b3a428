/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "next_boot.h"

#include <errno.h>

#include "image_check.h"
#include "message.h"
#include "paths.h"
#include "elf_table.h"

/* The problems of the table are those of the files, but there they have a line to show. */
static void take_file_problems(struct policy *policy, const struct policy *files)
{
	size_t kept = 0;

	for (size_t i = 0; i < policy->problem_count; i++)
		if (policy->problems[i].origin.source != SOURCE_TABLE)
			policy->problems[kept++] = policy->problems[i];
	policy->problem_count = kept;
	policy->problems_lost = files->problems_lost;
	for (size_t i = 0; i < files->problem_count; i++) {
		const struct problem *p = &files->problems[i];

		policy_add_problem(policy, &p->origin, p->text, p->message, p->is_error);
	}
}

int next_boot_read(struct world *world, struct arena *arena, struct sources *sources,
		   const char *cmdline, struct policy *ret_files, struct run *ret)
{
	struct run_options options = {.is_dry_run = true};
	const struct table_section *section;
	size_t length;
	int r;

	if (policy_init(ret_files, arena) < 0)
		goto out_of_memory;
	sources_parse(sources, ret_files);
	sources_add_critical(world, arena, sources, ret_files);
	r = sources_encode(sources, ret_files, arena, &section, &length);
	if (r < 0)
		return r;
	options.table = (struct text){(const char *)section, sizeof(*section)};
	if (cmdline)
		options.cmdline = text_of(cmdline);
	if (run_read_policy(world, arena, &options, ret) < 0)
		goto out_of_memory;
	if (!ret->policy.off)
		take_file_problems(&ret->policy, ret_files);
	return 0;

out_of_memory:
	say_error("out of memory");
	return -ENOMEM;
}

int next_boot_read_image(struct world *world, struct arena *arena, const char *image,
			 const char *cmdline, struct run *ret)
{
	static struct check check;
	struct run_options options = {.is_dry_run = true};
	const struct tree_node *node;
	const char *message;
	struct text binder;
	size_t offset;
	int r;

	check = (struct check){.file = image, .arena = arena};
	r = check_open(&check, &message);
	if (r < 0) {
		say_error("%s: %s", image, message);
		return r;
	}
	node = tree_find(&check.image.tree, IMAGE_BINDER);
	if (!tree_is_file(node) || !node->file->data.p) {
		say_error(
			"%s: earlybind is not in the image, so nothing will be bound: see "
			"earlybind check --image",
			image);
		return -ENOENT;
	}
	binder = node->file->data;
	r = section_find(binder, &offset, &message);
	if (r < 0) {
		say_error("%s: the table of its binder is damaged: %s", image, message);
		return r;
	}
	options.table = (struct text){binder.p + offset, sizeof(struct table_section)};
	if (cmdline)
		options.cmdline = text_of(cmdline);
	r = run_read_policy(world, arena, &options, ret);
	if (r < 0)
		say_error("out of memory");
	return r;
}
