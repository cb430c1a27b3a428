/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "modules.h"

#include <errno.h>
#include <libkmod.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "confined.h"
#include "driver.h"
#include "inventory.h"
#include "message.h"
#include "modalias.h"
#include "modload.h"
#include "paths.h"

#define BUCKETS		1024
#define CANDIDATES_MAX	64 /* modules for one device */
#define FILES_MAX	256 /* that one module needs, and itself */
#define RELEASE_MAX	128
#define LOOK_UP_SECONDS 10

/* More than any kernel's modules need: 5,000 lines are 400 KB. */
#define ALIASES_SIZE_MAX ((size_t)4 * 1024 * 1024)
#define VARIANTS_SIZE	 ((size_t)64 * 1024)
#define LINE_SIZE	 1024

enum question_kind {
	FIND_ALIAS, /* names, up to an empty one */
	FIND_MODULE, /* an enum module_place, and names and paths up to an empty one */
	DUMP_ALIASES, /* lines "alias PATTERN MODULE", and a NUL */
};

struct question {
	enum question_kind kind;
	char name[124];
};

struct entry {
	struct pci_ids ids;
	struct module_names found;
	struct entry *next;
};

struct modules {
	struct arena *arena;
	const char *dir;
	struct confined child;
	bool has_failed;
	struct entry *buckets[BUCKETS];
};

static const struct module_names none;

/* The release becomes part of a path: a name, not a way out of the directory. */
static int read_release(struct world *world, struct arena *arena, const char **ret)
{
	char buf[RELEASE_MAX];
	struct text t;
	int r;

	r = world_read_text(world, WORLD_PROC, "sys/kernel/osrelease", buf, sizeof(buf),
			    &t);
	if (r < 0)
		return r;
	if (t.n == 0 || memchr(t.p, '/', t.n) || memchr(t.p, '\0', t.n) || t.p[0] == '.')
		return -EINVAL;
	*ret = arena_copy(arena, t);
	return *ret ? 0 : -ENOMEM;
}

/* ---- the child ----------------------------------------------------------------------------- */

struct server {
	const char *dir;
	const char *sysroot; /* of modprobe.d's files; NULL: without them */
	struct kmod_ctx *ctx;
	int error;
};

/* Maps the indexes. */
static void open_indexes(void *arg)
{
	struct server *s = arg;

	s->ctx = s->sysroot ? modload_context(s->sysroot, s->dir)
			    : modload_context_bare(s->dir);
	s->error = s->ctx ? kmod_load_resources(s->ctx) : -ENOMEM;
}

static void put_name(struct confined_out *out, const char *name)
{
	confined_put_text(out, text_of(name ? name : ""));
}

static void tell_alias(const struct server *s, const char *alias,
		       struct confined_out *out)
{
	struct kmod_list *list = NULL, *item;

	if (kmod_module_new_from_lookup(s->ctx, alias, &list) >= 0)
		kmod_list_foreach(item, list)
		{
			struct kmod_module *mod = kmod_module_get_module(item);

			put_name(out, kmod_module_get_name(mod));
			kmod_module_unref(mod);
		}
	kmod_module_unref_list(list);
	put_name(out, "");
}

static void put_file(const struct server *s, struct kmod_module *mod,
		     struct confined_out *out)
{
	const char *dir = kmod_get_dirname(s->ctx), *path = kmod_module_get_path(mod);
	size_t n = strlen(dir);

	put_name(out, kmod_module_get_name(mod));
	if (path && strncmp(path, dir, n) == 0 && path[n] == '/')
		path += n + 1;
	put_name(out, path);
}

static void tell_module(const struct server *s, const char *name,
			struct confined_out *out)
{
	struct kmod_module *mod = NULL;
	struct kmod_list *list = NULL, *item;
	enum module_place place = MODULE_NOWHERE;

	if (kmod_module_new_from_name(s->ctx, name, &mod) < 0)
		mod = NULL;
	else if (kmod_module_get_initstate(mod) == KMOD_MODULE_BUILTIN)
		place = MODULE_BUILT_IN;
	else if (kmod_module_get_path(mod))
		place = MODULE_IN_FILE;
	confined_put(out, &place, sizeof(place));
	if (place == MODULE_IN_FILE && !s->sysroot) {
		list = kmod_module_get_dependencies(mod);
		kmod_list_foreach(item, list)
		{
			struct kmod_module *needed = kmod_module_get_module(item);

			put_file(s, needed, out);
			kmod_module_unref(needed);
		}
		kmod_module_unref_list(list);
		put_file(s, mod, out);
	}
	put_name(out, "");
	kmod_module_unref(mod);
}

/* libkmod writes to a descriptor. */
static void tell_aliases(const struct server *s, struct confined_out *out)
{
	confined_flush(out);
	(void)kmod_dump_index(s->ctx, KMOD_INDEX_MODULES_ALIAS, out->fd);
	(void)kmod_dump_index(s->ctx, KMOD_INDEX_MODULES_BUILTIN_ALIAS, out->fd);
	confined_put(out, "", 1);
}

static void serve(void *arg, struct confined_out *out)
{
	const struct server *s = arg;
	struct question q;

	confined_put(out, &s->error, sizeof(s->error));
	for (;;) {
		confined_take(out, &q, sizeof(q));
		q.name[sizeof(q.name) - 1] = '\0';
		if (q.kind == FIND_ALIAS)
			tell_alias(s, q.name, out);
		else if (q.kind == FIND_MODULE)
			tell_module(s, q.name, out);
		else
			tell_aliases(s, out);
	}
}

/* ---- the parent ---------------------------------------------------------------------------- */

/* Of an index that leads nowhere, or in circles, there is one sentence and no second question. */
static int fail(struct modules *m, int r)
{
	const char *slash = strrchr(m->dir, '/');
	const char *release = slash ? slash + 1 : m->dir;

	if (!m->has_failed && r == -ETIMEDOUT)
		say_error("%s: looking up a module took more than %d s: depmod's indexes "
			  "there may be damaged; run depmod %s",
			  m->dir, LOOK_UP_SECONDS, release);
	else if (!m->has_failed)
		say_error("%s: looking up a module failed: depmod's indexes there may be "
			  "damaged; run depmod %s",
			  m->dir, release);
	m->has_failed = true;
	(void)confined_end(&m->child);
	return -EIO;
}

static int start(struct server *s, struct arena *arena, struct modules **ret)
{
	struct modules *m = arena_alloc(arena, 1, sizeof(*m));
	int r, error;

	*ret = NULL;
	if (!m || !s->dir)
		return -ENOMEM;
	m->arena = arena;
	m->dir = s->dir;
	m->child.seconds = LOOK_UP_SECONDS;
	m->child.prepare = open_indexes;
	/* libkmod looks for the file of each module that another one needs. */
	m->child.has_files = !s->sysroot;
	r = confined_start(&m->child, serve, s);
	if (r < 0)
		return r;
	r = confined_read(&m->child, &error, sizeof(error));
	if (r < 0)
		return fail(m, r);
	if (error < 0) {
		modules_close(m);
		return error;
	}
	*ret = m;
	return 0;
}

int modules_open_dir(const char *dir, struct arena *arena, struct modules **ret)
{
	struct server s = {.dir = dir};

	return start(&s, arena, ret);
}

int modules_open(struct world *world, struct arena *arena, const char *sysroot,
		 const char **ret_release, struct modules **ret)
{
	struct server s = {.sysroot = sysroot ? sysroot : ""};
	int r;

	*ret = NULL;
	*ret_release = "";
	r = read_release(world, arena, ret_release);
	if (r < 0)
		return r;
	s.dir = arena_printf(arena, "%s" MODULES_PATH "/%s", s.sysroot, *ret_release);
	return start(&s, arena, ret);
}

void modules_close(struct modules *modules)
{
	if (modules)
		(void)confined_end(&modules->child);
}

static int ask(struct modules *m, enum question_kind kind, const char *name)
{
	struct question q = {.kind = kind};

	if (m->has_failed)
		return -EIO;
	/* There is no module of such a name. */
	if (strlen(name) >= sizeof(q.name))
		return -ENOENT;
	memcpy(q.name, name, strlen(name) + 1);
	return confined_ask(&m->child, &q, sizeof(q)) < 0 ? fail(m, -EPIPE) : 0;
}

static bool has_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* All that is answered is read, also what there is no room for. */
static int take_names(struct modules *m, struct module_names *ret)
{
	const char *names[CANDIDATES_MAX] = {NULL};
	struct text name;
	int r;

	while ((r = confined_read_text(&m->child, PATH_MAX, m->arena, &name)) == 0 &&
	       name.n > 0)
		if (ret->count < CANDIDATES_MAX && !has_name(names, ret->count, name.p))
			names[ret->count++] = name.p;
	if (r < 0)
		return fail(m, r);
	ret->names = arena_alloc(m->arena, ret->count, sizeof(*ret->names));
	if (!ret->names)
		return -ENOMEM;
	if (ret->count > 0)
		memcpy(ret->names, names, ret->count * sizeof(*names));
	return 0;
}

static struct module_names find(struct modules *m, const struct pci_ids *ids)
{
	struct module_names found = {0};
	char alias[96];

	snprintf(alias, sizeof(alias), "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X",
		 ids->vendor, ids->device, ids->subvendor, ids->subdevice,
		 ids->class >> 16 & 0xff, ids->class >> 8 & 0xff, ids->class & 0xff);
	return ask(m, FIND_ALIAS, alias) == 0 && take_names(m, &found) == 0 ? found
									    : none;
}

bool ids_is_same(const struct pci_ids *a, const struct pci_ids *b)
{
	return a->vendor == b->vendor && a->device == b->device &&
	       a->subvendor == b->subvendor && a->subdevice == b->subdevice &&
	       a->class == b->class;
}

uint32_t ids_hash(const struct pci_ids *ids)
{
	const uint32_t parts[] = {(uint32_t)ids->vendor << 16 | ids->device,
				  (uint32_t)ids->subvendor << 16 | ids->subdevice,
				  ids->class};
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		h = (h ^ parts[i] ^ parts[i] >> 13) * 16777619u;
	return h ^ h >> 16;
}

const struct module_names *modules_find(struct modules *modules,
					const struct pci_ids *ids)
{
	struct entry **bucket, *e;

	if (!modules)
		return &none;
	bucket = &modules->buckets[ids_hash(ids) % BUCKETS];
	for (e = *bucket; e; e = e->next)
		if (ids_is_same(&e->ids, ids))
			return &e->found;
	e = arena_alloc(modules->arena, 1, sizeof(*e));
	if (!e)
		return &none;
	*e = (struct entry){.ids = *ids, .found = find(modules, ids), .next = *bucket};
	*bucket = e;
	return &e->found;
}

static int take_files(struct modules *m, struct module_found *ret)
{
	struct text name, path;
	int r;

	ret->files = arena_alloc(m->arena, FILES_MAX, sizeof(*ret->files));
	if (!ret->files)
		return -ENOMEM;
	r = confined_read(&m->child, &ret->place, sizeof(ret->place));
	while (r == 0 &&
	       (r = confined_read_text(&m->child, PATH_MAX, m->arena, &name)) == 0 &&
	       name.n > 0) {
		r = confined_read_text(&m->child, PATH_MAX, m->arena, &path);
		if (r == 0 && ret->file_count == FILES_MAX)
			r = -E2BIG;
		if (r == 0)
			ret->files[ret->file_count++] =
				(struct module_file){name.p, path.p};
	}
	return r < 0 ? fail(m, r) : 0;
}

int modules_look_up(struct modules *modules, const char *name, struct module_found *ret)
{
	int r;

	*ret = (struct module_found){.place = MODULE_NOWHERE};
	r = ask(modules, FIND_MODULE, name);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : take_files(modules, ret);
}

bool modules_is_built_in(struct modules *modules, const char *name)
{
	struct module_found found;

	return modules && modules_look_up(modules, name, &found) == 0 &&
	       found.place == MODULE_BUILT_IN;
}

struct needs {
	struct arena *arena;
	struct strings *names;
};

static int add(struct needs *n, struct text name)
{
	const char *copy;

	for (size_t i = 0; i < n->names->count; i++)
		if (text_is_param(name, n->names->items[i]))
			return 0;
	if (n->names->count == STRINGS_MAX)
		return 0;
	copy = arena_copy(n->arena, name);
	if (!copy)
		return -ENOMEM;
	n->names->items[n->names->count++] = copy;
	return 0;
}

/* A file that is in the index only is of no use. */
static bool has_module(void *arg, const char *name)
{
	struct modules *m = arg;
	struct module_found found;
	const char *path;

	if (modules_look_up(m, name, &found) < 0 || found.place == MODULE_NOWHERE)
		return false;
	if (found.place == MODULE_BUILT_IN || found.file_count == 0)
		return found.place == MODULE_BUILT_IN;
	path = found.files[found.file_count - 1].path;
	path = path[0] == '/' ? path : arena_printf(m->arena, "%s/%s", m->dir, path);
	return path && access(path, F_OK) == 0;
}

/* Takes a line of the dump, without its end: 0; 1 at the end of all. */
static int take_line(struct modules *m, char line[LINE_SIZE], size_t *ret_n, size_t *left)
{
	char c = '\0';
	int r = 0;

	for (*ret_n = 0; r == 0;) {
		r = *left > 0 ? confined_read(&m->child, &c, 1) : -E2BIG;
		if (r < 0 || c == '\n' || c == '\0')
			break;
		(*left)--;
		if (*ret_n < LINE_SIZE)
			line[(*ret_n)++] = c;
	}
	return r < 0 ? fail(m, r) : c == '\0';
}

/* The lines of the variants of vfio-pci, of which a kernel has a dozen. */
static int read_variants(struct modules *m, struct text *ret)
{
	char *lines = arena_alloc(m->arena, VARIANTS_SIZE, 1);
	char line[LINE_SIZE];
	size_t n, used = 0, left = ALIASES_SIZE_MAX;
	int r = lines ? ask(m, DUMP_ALIASES, "") : -ENOMEM;

	while (r == 0 && (r = take_line(m, line, &n, &left)) == 0)
		if (variant_of_line((struct text){line, n}).p &&
		    n < VARIANTS_SIZE - used) {
			memcpy(lines + used, line, n);
			lines[used + n] = '\n';
			used += n + 1;
		}
	*ret = (struct text){lines, used};
	return r < 0 ? r : 0;
}

static int add_of_machine(struct needs *n, const struct inventory *inventory,
			  struct modules *modules, struct text aliases)
{
	char name[DRIVER_NAME_SIZE];
	int r = 0;

	for (size_t i = 0; i < inventory->count && r == 0; i++)
		if (variant_find(aliases, &inventory->devices[i].ids, has_module, modules,
				 name) == 0)
			r = add(n, text_of(name));
	return r;
}

static int add_all(struct needs *n, struct modules *modules, struct text aliases)
{
	struct text line;
	int r = 0;

	while (r == 0 && text_cut(&aliases, '\n', &line)) {
		struct text module = variant_of_line(line);
		char *name = module.p ? arena_copy(n->arena, module) : NULL;

		if (name && has_module(modules, name))
			r = add(n, module);
	}
	return r;
}

static int add_variants(struct needs *n, struct world *world, const char *dir)
{
	struct modules *modules;
	struct inventory inventory;
	struct text variants;
	int r = modules_open_dir(dir, n->arena, &modules);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = read_variants(modules, &variants);
	if (r == 0 && world &&
	    inventory_read(world, n->arena, NULL, NULL, &inventory) == 0)
		r = add_of_machine(n, &inventory, modules, variants);
	else if (r == 0)
		r = add_all(n, modules, variants);
	modules_close(modules);
	/* What could not be read is said, and left out. */
	return r == -ENOMEM ? r : 0;
}

int needs_find(struct world *world, const struct policy *policy, const char *dir,
	       struct arena *arena, struct strings *ret)
{
	struct needs n = {arena, ret};
	bool has_auto = false;
	int r;

	ret->count = 0;
	r = add(&n, TEXT("vfio_pci"));
	if (r == 0)
		r = add(&n, TEXT("vfio_iommu_type1"));
	for (size_t i = 0; i < policy->rule_count && r == 0; i++) {
		const struct rule *rule = &policy->rules[i];
		const char *name = rule->kind == RULE_BIND && rule->driver.n > 0
					   ? arena_copy(arena, rule->driver)
					   : NULL;

		if (name && strcmp(name, AUTO_DRIVER) == 0)
			has_auto = true;
		else if (name)
			r = add(&n, text_of(driver_module(driver_kernel_name(name))));
	}
	return r == 0 && has_auto ? add_variants(&n, world, dir) : r;
}
