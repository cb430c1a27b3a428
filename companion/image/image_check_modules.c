/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the binder will find the modules that it loads, and all that they need. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image_check.h"
#include "depmod_index.h"
#include "paths.h"

#define NAME	    "modules"
#define MISSING_MAX 8 /* that are named */

static const char *const wanted[] = {"vfio_pci", "vfio_iommu_type1"};

/* Where the modules of one kernel are: the image's own, and those that were appended. */
static const char *const places[] = {IMAGE_MODULES_PLACES};

static const struct tree_node *find_file(const struct check *c, const char *place,
					 const char *release, struct text name)
{
	char path[CPIO_PATH_MAX];
	int n;

	n = snprintf(path, sizeof(path), "%s/%s/%.*s", place, release, (int)name.n,
		     name.p);
	return n > 0 && (size_t)n < sizeof(path) ? tree_find(&c->image.tree, path) : NULL;
}

static bool data_of(const struct check *c, const char *place, const char *release,
		    const char *name, struct text *ret)
{
	const struct tree_node *n = find_file(c, place, release, text_of(name));

	if (!tree_is_file(n) || !n->file->data.p)
		return false;
	*ret = n->file->data;
	return true;
}

/* "vfio_pci" in a list of "kernel/.../vfio-pci.ko" */
static bool is_in_list(struct text list, const char *module)
{
	struct text line, part, name;

	while (text_cut(&list, '\n', &line)) {
		while (text_cut(&line, '/', &part))
			name = part;
		part = name;
		if (text_cut(&part, '.', &name) && text_is_param(name, module))
			return true;
	}
	return false;
}

static bool is_builtin(const struct check *c, const char *place, const char *release,
		       const char *module)
{
	struct text bytes, value;

	return (data_of(c, place, release, "modules.builtin.bin", &bytes) &&
		index_find(bytes, module, &value) == 0) ||
	       (data_of(c, place, release, "modules.builtin", &bytes) &&
		is_in_list(bytes, module));
}

enum found {
	FOUND_NOTHING,
	FOUND_BUILTIN,
	FOUND_FILE,
};

/* What is known of one module in one place. */
struct search {
	enum found found;
	bool has_index; /* modules.dep.bin, which libkmod reads */
	bool is_damaged;
	bool is_listed; /* in it */
	struct text path;
	const char *missing; /* files of which it says that they are needed */
};

/* A line of modules.dep: "kernel/a.ko: kernel/b.ko kernel/c.ko", all of them. */
static void look_for_files(struct check *c, const char *place, const char *release,
			   struct text line, struct search *s)
{
	struct text word;
	size_t shown = 0;

	(void)text_cut(&line, ':', &s->path);
	word = s->path;
	do {
		if (tree_is_file(find_file(c, place, release, word)))
			continue;
		if (shown++ >= MISSING_MAX)
			continue;
		s->missing = check_print(c, "%s%s/%s/%s/%.*s", s->missing,
					 *s->missing ? ", " : "", place, release,
					 (int)word.n, word.p);
	} while (text_word(&line, &word));
	s->found = *s->missing ? FOUND_NOTHING : FOUND_FILE;
}

static struct search search(struct check *c, const char *place, const char *release,
			    const char *module)
{
	struct search s = {.missing = ""};
	struct text index, line;
	int r;

	if (is_builtin(c, place, release, module)) {
		s.found = FOUND_BUILTIN;
		return s;
	}
	s.has_index = data_of(c, place, release, "modules.dep.bin", &index);
	if (!s.has_index)
		return s;
	r = index_find(index, module, &line);
	s.is_damaged = r == -EBADMSG;
	s.is_listed = r == 0;
	if (r == 0)
		look_for_files(c, place, release, line, &s);
	return s;
}

/* The best of what the places have. */
static struct search search_all(struct check *c, const char *release, const char *module)
{
	struct search best = {.missing = ""};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct search s = search(c, places[i], release, module);

		if (s.found != FOUND_NOTHING)
			return s;
		best.has_index = best.has_index || s.has_index;
		best.is_damaged = best.is_damaged || s.is_damaged;
		best.is_listed = best.is_listed || s.is_listed;
		if (*s.missing)
			best.missing = s.missing;
	}
	return best;
}

/* The name of the suffix behind ".ko", for people. */
static const char *format_of(struct text path)
{
	static const char *const formats[] = {".xz", ".zst", ".gz"};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		size_t n = strlen(formats[i]);

		if (path.n > n && memcmp(path.p + path.n - n, formats[i], n) == 0)
			return formats[i] + 1;
	}
	return path.n > 3 && memcmp(path.p + path.n - 3, ".ko", 3) == 0 ? "" : NULL;
}

/* What is wrong with a module. */
static void say_missing(struct check *c, const char *release, const char *module,
			const struct search *s)
{
	if (!s->has_index)
		check_say(c, FINDING_FAIL, NAME,
			  "kernel %s: there is no modules.dep.bin, so that %s is not "
			  "found: run depmod %s, then %s",
			  release, module, release, c->rebuild);
	else if (s->is_damaged)
		check_say(
			c, FINDING_FAIL, NAME,
			"kernel %s: modules.dep.bin is damaged, so that %s is not found: "
			"run depmod %s, then %s",
			release, module, release, c->rebuild);
	else if (*s->missing)
		check_say(c, FINDING_FAIL, NAME,
			  "kernel %s: %s needs %s, which is not in the image: run %s",
			  release, module, s->missing, c->rebuild);
	else
		check_say(c, FINDING_FAIL, NAME,
			  "kernel %s: %s is neither in the image nor built in: no device "
			  "will be bound; run %s, and if that does not help, the kernel "
			  "has no such module",
			  release, module, c->rebuild);
}

static void check_kernel(struct check *c, const char *release)
{
	const char *list = "";
	bool is_fine = true;

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct search s = search_all(c, release, wanted[i]);
		const char *format =
			s.found == FOUND_FILE ? format_of(s.path) : "built in";

		if (s.found == FOUND_NOTHING) {
			say_missing(c, release, wanted[i], &s);
			is_fine = false;
		} else if (!format) {
			check_say(
				c, FINDING_FAIL, NAME,
				"kernel %s: %.*s is compressed in a way that the binder "
				"cannot read: it knows xz, zst and gz",
				release, (int)s.path.n, s.path.p);
			is_fine = false;
		} else {
			list = check_print(c, "%s%s%s%s%s%s", list, *list ? ", " : "",
					   wanted[i], *format ? " (" : "", format,
					   *format ? ")" : "");
		}
	}
	if (is_fine)
		check_say(c, FINDING_PASS, NAME, "kernel %s: %s, with all that they need",
			  release, list);
}

void check_modules(struct check *check)
{
	struct check *c = check;
	bool is_there = !c->kernel;

	for (size_t i = 0; i < c->kernel_count; i++) {
		if (c->kernel && strcmp(c->kernels[i], c->kernel) != 0)
			continue;
		is_there = true;
		check_kernel(c, c->kernels[i]);
	}
	if (!is_there)
		check_say(c, FINDING_FAIL, NAME,
			  "there are no modules for kernel %s in the image: it is for "
			  "another kernel; run %s",
			  c->kernel, c->rebuild);
	else if (c->kernel_count == 0)
		check_say(
			c, FINDING_UNKNOWN, NAME,
			"there are no modules in the image: vfio-pci must be built into "
			"the kernel, or in another part of the image");
}
