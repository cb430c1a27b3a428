/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmdline_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The kernel's longest, with bootconfig's part, and then some (init/main.c). */
#define CMDLINE_MAX ((size_t)40 * 1024)

#define ETC_FOLDER "cmdline.d"
#define ETC_FILE   "cmdline"
#define RUN_FOLDER "initramfs/cmdline.d"

struct reader {
	struct world *world;
	struct arena *arena;
	struct policy *policy;
	struct cmdline_piece pieces[2 * CMDLINE_FILES_MAX + 2];
	size_t count;
};

struct listing {
	struct arena *arena;
	char *names[CMDLINE_FILES_MAX];
	size_t count;
	size_t lost;
};

static void lose(struct reader *r, struct text file, struct text what,
		 const char *message)
{
	const struct origin origin = {.source = SOURCE_CMDLINE, .file = file};

	policy_lose_source(r->policy, &origin, what, message);
}

/* A name for reports, which are lines: without control characters. */
static struct text show_name(struct reader *r, enum world_root root, const char *path)
{
	char *name = arena_printf(r->arena, "%s/%s", world_root_path(root), path);

	if (!name)
		return text_of(path);
	for (char *p = name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return text_of(name);
}

static void add_file(struct reader *r, enum world_root root, const char *path)
{
	static char buf[CMDLINE_FILE_SIZE_MAX];
	int n = r->world->ops->read(r->world, root, path, buf, sizeof(buf));
	struct text name;
	char *copy;

	if (n == -ENOENT || n == 0)
		return;
	name = show_name(r, root, path);
	copy = n > 0 ? arena_copy(r->arena, (struct text){buf, (size_t)n}) : NULL;
	if (copy)
		r->pieces[r->count++] = (struct cmdline_piece){name, {copy, (size_t)n}};
	else
		lose(r, name, name,
		     n == -E2BIG ? "longer than 16383 bytes: it does not count"
				 : "cannot be read");
}

static int add_name(void *arg, const char *name)
{
	static const char suffix[] = ".conf";
	struct listing *listing = arg;
	size_t n = strlen(name);

	/* As the shell's *.conf */
	if (name[0] == '.' || n < sizeof(suffix) - 1 ||
	    strcmp(name + n - (sizeof(suffix) - 1), suffix) != 0)
		return 0;
	if (listing->count == CMDLINE_FILES_MAX) {
		listing->lost++;
		return 1;
	}
	listing->names[listing->count] = arena_copy(listing->arena, text_of(name));
	if (!listing->names[listing->count]) {
		listing->lost++;
		return 1;
	}
	listing->count++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_folder(struct reader *r, enum world_root root, const char *folder)
{
	struct listing listing = {.arena = r->arena};
	int error = r->world->ops->list(r->world, root, folder, add_name, &listing);

	if ((error < 0 && error != -ENOENT) || listing.lost > 0) {
		struct text name = show_name(r, root, folder);

		lose(r, name, name,
		     error < 0 ? "cannot be read"
			       : "more than 32 files: some of them do not count");
	}
	qsort(listing.names, listing.count, sizeof(*listing.names), compare_names);
	for (size_t i = 0; i < listing.count; i++) {
		const char *path =
			arena_printf(r->arena, "%s/%s", folder, listing.names[i]);

		if (path)
			add_file(r, root, path);
		else
			lose(r, text_of(folder), text_of(folder), "out of memory");
	}
}

static void add_kernels(struct reader *r)
{
	char *buf = arena_alloc(r->arena, CMDLINE_MAX, 1);
	int n = buf ? r->world->ops->read(r->world, WORLD_PROC, "cmdline", buf,
					  CMDLINE_MAX)
		    : -ENOMEM;

	if (n == -E2BIG)
		n = CMDLINE_MAX;
	if (n >= 0)
		r->pieces[r->count++] = (struct cmdline_piece){.bytes = {buf, (size_t)n}};
	else
		lose(r, (struct text){NULL, 0}, TEXT("command line"),
		     "cannot be read: only the table counts");
}

void cmdline_read(struct world *world, struct arena *arena, bool has_files,
		  struct policy *policy)
{
	struct reader r = {.world = world, .arena = arena, .policy = policy};

	if (has_files) {
		add_folder(&r, WORLD_ETC, ETC_FOLDER);
		add_file(&r, WORLD_ETC, ETC_FILE);
	}
	add_kernels(&r);
	if (has_files)
		add_folder(&r, WORLD_RUN, RUN_FOLDER);
	policy_add_cmdline(policy, r.pieces, r.count);
}
