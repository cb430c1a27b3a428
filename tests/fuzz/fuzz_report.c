/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reports of a boot, as the companion reads them back: that of /run, behind a byte of
 * ones that of PID 1, and behind another one that of a late device.
 */
#include "fuzz.h"

#include <jansson.h>

#include "boot_report.h"
#include "paths.h"

struct file_world {
	struct world world;
	struct text early, run, late;
};

/* The loaded document is never given back: here it is, for there is one after the other. */
struct block {
	struct block *next;
	max_align_t bytes[];
};

static struct block *blocks;

static void *take_block(size_t size)
{
	struct block *block = malloc(sizeof(*block) + size);

	require(block);
	block->next = blocks;
	blocks = block;
	return block->bytes;
}

static void keep_block(void *block unused)
{
}

static void free_blocks(void)
{
	while (blocks) {
		struct block *next = blocks->next;

		free(blocks);
		blocks = next;
	}
}

static int read_one(struct world *world, enum world_root root, const char *path,
		    char *buf, size_t size)
{
	struct file_world *w = (struct file_world *)world;
	struct text bytes = root == WORLD_DEV		? w->early
			    : strstr(path, "/devices/") ? w->late
							: w->run;

	return fuzz_read(bytes, buf, size);
}

static int list_one(struct world *world unused, enum world_root root unused,
		    const char *path unused, int (*each)(void *arg, const char *name),
		    void *arg)
{
	return each(arg, "0000:01:00.0.json") || each(arg, "x.json");
}

static const struct world_ops ops = {.read = read_one, .list = list_one};

static void check_text(const char *text)
{
	require(text && strlen(text) < (1 << 20));
}

static void check(const struct boot *boot)
{
	check_text(boot->reason);
	check_text(boot->message);
	for (size_t i = 0; i < boot->device_count; i++) {
		const struct boot_device *d = &boot->devices[i];
		const char *const texts[] = {d->id,	d->action, d->verdict, d->wanted,
					     d->before, d->after,  d->rule,    d->origin,
					     d->reason, d->message};

		for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
			check_text(texts[k]);
		require(i == 0 || bdf_compare(d[-1].bdf, d->bdf) <= 0);
		require(boot_find(boot, d->bdf));
	}
	for (size_t i = 0; i < boot->rule_count; i++) {
		check_text(boot->rules[i].text);
		check_text(boot->rules[i].origin);
		check_text(boot->rules[i].kind);
	}
	require(boot->missing_count <= boot->rule_count);
	for (size_t i = 0; i < boot->missing_count; i++)
		check_text(boot->missing[i].text);
	for (size_t i = 0; i < boot->module_count; i++) {
		check_text(boot->modules[i].name);
		check_text(boot->modules[i].outcome);
	}
	for (size_t i = 0; i < boot->problem_count; i++) {
		check_text(boot->problems[i].origin);
		check_text(boot->problems[i].text);
		check_text(boot->problems[i].message);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Three reports of the greatest size, and what is made of them. */
	static struct arena arena = {.size = 64 << 20};
	struct file_world w = {.world = {&ops}};
	struct text whole = fuzz_text(data, size), rest = whole;
	const char *path = NULL, *message = NULL;
	struct boot boot;
	int r;

	if (!arena.base) {
		arena.base = calloc(1, arena.size);
		require(arena.base);
		json_set_alloc_funcs(take_block, keep_block);
		json_object_seed(1);
	}
	if (text_cut(&rest, '\xff', &w.run) && text_cut(&rest, '\xff', &w.early))
		w.late = rest;
	r = boot_read(&w.world, &arena, &boot, &path, &message);
	require(path);
	if (r == 0) {
		check(&boot);
		r = late_reports_add(&w.world, &arena, &boot);
		require(r == 0 || r == -ENOMEM);
		if (r == 0)
			check(&boot);
	} else {
		require(r == -EBADMSG || r == -EPROTONOSUPPORT || r == -ENOENT ||
			r == -E2BIG || r == -ENOMEM);
		require(r != -EBADMSG || message);
	}
	free_blocks();
	arena_rewind(&arena, 0);
	free((char *)whole.p);
	return 0;
}
