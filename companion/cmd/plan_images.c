/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan_images.h"

#include <stdio.h>
#include <string.h>

#include "image_check.h"
#include "installed.h"
#include "message.h"
#include "rebuild.h"
#include "sentences.h"
#include "sources.h"

static void add(struct plan_images *images, const char *image, const char *text,
		bool is_unknown)
{
	if (images->count == PLAN_IMAGES_MAX) {
		images->more++;
		return;
	}
	images->items[images->count].image = image;
	images->items[images->count].text = text ? text : "out of memory";
	images->items[images->count++].is_unknown = is_unknown || !text;
}

/* Of the checks of an image those that compare it with the machine's files. */
static bool is_about_rules(const struct finding *f)
{
	static const char *const names[] = {"binder", "table", "modprobe.d", "cmdline"};

	if (f->kind != FINDING_FAIL && f->kind != FINDING_UNKNOWN)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(f->name, names[i]) == 0)
			return true;
	return false;
}

/* In memory of its own, which is given back: an image is large. */
static void compare(const struct check *like, const char *name, struct arena *arena,
		    struct plan_images *ret)
{
	static struct check c;
	const char *message;
	struct arena own;

	c = *like;
	c.findings.arena = arena;
	if (arena_map(&own, IMAGE_ARENA_SIZE) < 0) {
		add(ret, name, NULL, true);
		return;
	}
	c.arena = &own;
	if (check_run(&c, &message) < 0)
		add(ret, name, arena_copy(arena, text_of(message)), true);
	for (size_t i = 0; i < c.findings.count; i++)
		if (is_about_rules(&c.findings.items[i]))
			add(ret, name, c.findings.items[i].message,
			    c.findings.items[i].kind == FINDING_UNKNOWN);
	arena_unmap(&own);
}

void plan_images_read(struct world *world, const char *sysroot, const char *image,
		      bool has_rules, struct arena *arena, struct plan_images *ret)
{
	static const struct strings none;
	static struct sources sources;
	static struct installed found;
	struct check like = {.file = image,
			     .world = world,
			     .sysroot = sysroot,
			     .is_unwanted = !has_rules,
			     .sources = &sources};

	*ret = (struct plan_images){0};
	if (sources_read(world, arena, &none, &sources) < 0)
		return;
	if (image) {
		compare(&like, image, arena, ret);
		return;
	}
	if (installed_find(sysroot, arena, &found) < 0)
		return;
	for (size_t i = 0; i < found.count; i++) {
		const struct installed_image *k = &found.items[i];

		if (!k->file || k->is_missing)
			continue;
		like.file = k->file;
		like.kernel = k->kernel;
		like.copy_command = rebuild_copy_command(k, arena);
		compare(&like, k->path, arena, ret);
	}
}

void plan_images_print(const struct plan_images *images, bool is_of_image)
{
	for (size_t i = 0; i < images->count; i++) {
		struct paragraph line = {stdout, 0, DEVICE_INDENT, false};

		paragraph_add(&line, "note: %s:", images->items[i].image);
		paragraph_add(&line,
			      images->items[i].is_unknown ? "it cannot be compared: %s"
			      : is_of_image ? "this machine's files would change it: %s"
					    : "it differs from these files: %s",
			      images->items[i].text);
		paragraph_end(&line);
	}
	if (images->more > 0)
		paragraph_line(stdout, 0, "and %zu more", images->more);
}

void plan_images_write(const struct plan_images *images, struct json *json)
{
	json_open(json, "images", '[');
	for (size_t i = 0; i < images->count; i++) {
		json_open(json, NULL, '{');
		json_put_string(json, "image", images->items[i].image);
		json_put_string(json, "difference", images->items[i].text);
		json_put_bool(json, "unknown", images->items[i].is_unknown);
		json_close(json, '}');
	}
	json_close(json, ']');
}
