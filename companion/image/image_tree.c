/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image_tree.h"

#include <errno.h>
#include <string.h>

#define BUCKETS 16384

struct tree_hard_link {
	uint32_t ino, major, minor;
	struct tree_file *file;
};

bool tree_is_file(const struct tree_node *node)
{
	return node && S_ISREG(node->file->mode);
}

bool tree_is_folder(const struct tree_node *node)
{
	return node && S_ISDIR(node->file->mode);
}

bool tree_is_link(const struct tree_node *node)
{
	return node && S_ISLNK(node->file->mode);
}

static int fail(struct tree *t, int r, const char *message)
{
	t->message = message;
	return r;
}

static size_t hash(const struct tree_node *parent, struct text name)
{
	uint64_t h = 14695981039346656037u ^ (uintptr_t)parent;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (uint8_t)name.p[i]) * 1099511628211u;
	return (size_t)(h ^ h >> 29) % BUCKETS;
}

/* *ret_length, which may be NULL: how many names have the same hash. */
static struct tree_node *child(const struct tree *t, const struct tree_node *parent,
			       struct text name, size_t *ret_length)
{
	struct tree_node *n;
	size_t length = 0;

	for (n = t->buckets[hash(parent, name)]; n; n = n->chain, length++)
		if (n->parent == parent && n->name.n == name.n &&
		    memcmp(n->name.p, name.p, name.n) == 0)
			break;
	if (ret_length)
		*ret_length = length;
	return n;
}

/* ---- paths ------------------------------------------------------------------------------- */

/*
 * Walks to the folder that holds the last component of @path, which is left in @ret_last: ""
 * if the path is the folder itself. NULL if there is no such folder. @links counts down.
 */
static struct tree_node *walk(const struct tree *t, struct tree_node *at,
			      struct text path, unsigned *links, bool is_followed,
			      struct text *ret_last)
{
	struct text part;

	if (path.n > 0 && path.p[0] == '/')
		at = t->root;
	*ret_last = TEXT("");
	while (text_cut(&path, '/', &part)) {
		struct tree_node *next;
		bool is_last = !path.p || strspn(path.p, "/") >= path.n;

		if (part.n == 0 || text_is(part, "."))
			continue;
		if (!tree_is_folder(at))
			return NULL;
		if (text_is(part, "..")) {
			at = at->parent;
			continue;
		}
		next = child(t, at, part, NULL);
		if (is_last && (!next || !tree_is_link(next) || !is_followed)) {
			*ret_last = part;
			return at;
		}
		if (next && tree_is_link(next)) {
			struct text last;

			if ((*links)-- == 0)
				return NULL;
			next = walk(t, at, next->file->target, links, true, &last);
			if (is_last) {
				*ret_last = last;
				return next;
			}
			if (next && last.n > 0)
				next = child(t, next, last, NULL);
		}
		if (!next)
			return NULL;
		at = next;
	}
	return at;
}

static struct tree_node *find(const struct tree *t, const char *path, bool is_followed)
{
	unsigned links = TREE_LINKS_MAX;
	struct tree_node *folder;
	struct text last;

	folder = walk(t, t->root, text_of(path), &links, is_followed, &last);
	if (!folder || last.n == 0)
		return folder;
	return child(t, folder, last, NULL);
}

const struct tree_node *tree_find(const struct tree *tree, const char *path)
{
	return find(tree, path, true);
}

const struct tree_node *tree_find_link(const struct tree *tree, const char *path)
{
	return find(tree, path, false);
}

const char *tree_path(const struct tree_node *node, char buf[static CPIO_PATH_MAX])
{
	size_t at = CPIO_PATH_MAX - 1;

	buf[at] = '\0';
	for (; node->parent != node; node = node->parent) {
		size_t n = node->name.n, slash = buf[at] != '\0';

		if (n + slash > at)
			return "";
		at -= slash;
		if (slash)
			buf[at] = '/';
		at -= n;
		memcpy(buf + at, node->name.p, n);
	}
	return buf + at;
}

/* ---- entries ----------------------------------------------------------------------------- */

static struct tree_node *attach(struct tree *t, struct tree_node *parent,
				struct text name, struct tree_file *file)
{
	struct tree_node *n = arena_alloc(t->arena, 1, sizeof(*n));
	char *copy = arena_copy(t->arena, name);
	struct tree_node **bucket;

	if (!n || !copy)
		return NULL;
	*n = (struct tree_node){
		.parent = parent ? parent : n, .name = {copy, name.n}, .file = file};
	t->node_count++;
	if (!parent)
		return n;
	bucket = &t->buckets[hash(parent, n->name)];
	n->chain = *bucket;
	*bucket = n;
	n->next = parent->children;
	parent->children = n;
	return n;
}

static void detach(struct tree *t, struct tree_node *node)
{
	struct tree_node **at = &t->buckets[hash(node->parent, node->name)];

	while (*at != node)
		at = &(*at)->chain;
	*at = node->chain;
	for (at = &node->parent->children; *at != node; at = &(*at)->next)
		;
	*at = node->next;
}

/* clean_path(): what is of another kind goes, if it can. True if nothing is left of it. */
static bool clean(struct tree *t, struct tree_node *node, uint32_t mode)
{
	if (!node)
		return true;
	if (((node->file->mode ^ mode) & S_IFMT) == 0 || node == t->root ||
	    node->children)
		return false;
	detach(t, node);
	return true;
}

/* The file that an earlier name of this archive made; or remembers it. maybe_link() */
static int hard_link(struct tree *t, const struct cpio_entry *e, struct tree_file **file)
{
	struct tree_hard_link *l = t->hard_links;

	for (size_t i = 0; i < t->hard_link_count; i++, l++) {
		if (l->ino != e->ino || l->major != e->major || l->minor != e->minor ||
		    ((l->file->mode ^ e->mode) & S_IFMT) != 0)
			continue;
		*file = l->file;
		return 1;
	}
	if (t->hard_link_count == TREE_HARD_LINKS_MAX)
		return fail(t, -E2BIG, "too many hard links in one archive");
	*l = (struct tree_hard_link){e->ino, e->major, e->minor, *file};
	t->hard_link_count++;
	return 0;
}

/* Room for the data of a file, if somebody wants them. */
static int keep(struct tree *t, const struct tree_node *node, const struct cpio_entry *e,
		char **ret_data)
{
	struct tree_file *f = node->file;
	char path[CPIO_PATH_MAX];
	char *data;

	/* The second name of a file gives nothing new, or its data. */
	f->is_wanted = f->is_wanted || t->wants(tree_path(node, path));
	if (e->nlink >= 2 && e->size == 0)
		return 0;
	f->size = e->size;
	f->data = (struct text){NULL, 0};
	if (e->size > TREE_KEEP_MAX || !f->is_wanted)
		return 0;
	if (e->size > TREE_KEEP_ALL_MAX - t->kept)
		return fail(t, -E2BIG, "the files that matter are too large");
	data = arena_alloc(t->arena, e->size + 1, 1);
	if (!data)
		return fail(t, -ENOMEM, "out of memory");
	t->kept += e->size;
	f->data = (struct text){data, e->size};
	*ret_data = data;
	return 0;
}

int tree_add(void *arg, const struct cpio_entry *entry, char **ret_data)
{
	struct tree *t = arg;
	unsigned links = TREE_LINKS_MAX;
	struct tree_node *folder, *node;
	struct tree_file *file;
	struct text last;
	size_t chain;
	int is_linked = 0;

	folder = walk(t, t->root, text_of(entry->name), &links, false, &last);
	if (!tree_is_folder(folder)) {
		t->lost_count++;
		return 0;
	}
	if (last.n == 0)
		return 0; /* "." */
	node = child(t, folder, last, &chain);
	if (!clean(t, node, S_ISLNK(entry->mode) ? 0 : entry->mode)) {
		/* The old one stays: a folder, or a file that gets other data. */
		if (!S_ISREG(entry->mode) || !tree_is_file(node))
			return 0;
	} else {
		node = NULL;
	}
	if (t->node_count >= TREE_NODES_MAX || chain > TREE_CHAIN_MAX)
		return fail(t, -E2BIG, "too many files");
	file = node ? node->file : arena_alloc(t->arena, 1, sizeof(*file));
	if (!file)
		return fail(t, -ENOMEM, "out of memory");
	file->mode = entry->mode;
	if (S_ISLNK(entry->mode)) {
		char *target = arena_copy(t->arena, entry->target);

		if (!target)
			return fail(t, -ENOMEM, "out of memory");
		file->target = (struct text){target, entry->target.n};
	}
	if (S_ISREG(entry->mode) && entry->nlink >= 2) {
		is_linked = hard_link(t, entry, &file);
		if (is_linked < 0)
			return is_linked;
	}
	if (!node)
		node = attach(t, folder, last, file);
	if (!node)
		return fail(t, -ENOMEM, "out of memory");
	node->file = file;
	return S_ISREG(entry->mode) ? keep(t, node, entry, ret_data) : 0;
}

void tree_end_archive(void *arg)
{
	struct tree *t = arg;

	t->hard_link_count = 0;
}

int tree_init(struct tree *tree, struct arena *arena, bool (*wants)(const char *path))
{
	static const char *const folders[] = {"dev", "root"};

	*tree = (struct tree){.arena = arena, .wants = wants, .message = ""};
	tree->buckets = arena_alloc(arena, BUCKETS, sizeof(void *));
	tree->hard_links =
		arena_alloc(arena, TREE_HARD_LINKS_MAX, sizeof(*tree->hard_links));
	for (size_t i = 0; tree->buckets && tree->hard_links && i <= ARRAY_SIZE(folders);
	     i++) {
		struct tree_file *file = arena_alloc(arena, 1, sizeof(*file));
		struct tree_node *node;

		if (!file)
			return -ENOMEM;
		file->mode = S_IFDIR | 0755;
		node = attach(tree, i == 0 ? NULL : tree->root,
			      i == 0 ? TEXT("") : text_of(folders[i - 1]), file);
		if (!node)
			return -ENOMEM;
		if (i == 0)
			tree->root = node;
	}
	return tree->root ? 0 : -ENOMEM;
}
