/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot_entries.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "arena.h"
#include "compiler.h"
#include "files.h"
#include "paths.h"
#include "text.h"
#include "uki.h"
#include "world.h"

/* ---- the firmware's entries ------------------------------------------------------------- */

#define VARIABLE_MAX ((size_t)16 * 1024)

#define HEAD_SIZE  6 /* attributes of the entry, and the length of its path */
#define NODE_SIZE  4 /* type, subtype, length */
#define NODE_MEDIA 4
#define MEDIA_DISK 1
#define MEDIA_FILE 4

static struct text skip(struct text t, size_t n)
{
	return (struct text){t.p + n, t.n - n};
}

static size_t put_utf8(char *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (char)c;
		return 1;
	}
	/* Half of a pair: no label of a loader has one. */
	if (c >= 0xd800 && c < 0xe000)
		c = '?';
	if (c < 0x800) {
		p[0] = (char)(0xc0 | c >> 6);
		p[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	p[0] = (char)(0xe0 | c >> 12);
	p[1] = (char)(0x80 | (c >> 6 & 0x3f));
	p[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/* UTF-16 up to its end or a zero; *ret_used is what it takes with that. NULL without memory. */
static const char *read_utf16(struct text t, struct arena *arena, size_t *ret_used)
{
	char *text = arena_alloc(arena, t.n / 2 * 3 + 1, 1), *p = text;
	size_t at = 0;

	for (; text && at + 2 <= t.n; at += 2) {
		uint32_t c = text_le(t, at, 2);

		if (c == 0)
			break;
		p += put_utf8(p, c);
	}
	if (!text)
		return NULL;
	*p = '\0';
	*ret_used = MIN(at + 2, t.n);
	return text;
}

/* The partition and the file, from the nodes of a device path. */
static int read_path(struct text path, struct arena *arena, struct efi_entry *entry)
{
	size_t used;

	while (path.n >= NODE_SIZE) {
		uint32_t type = text_le(path, 0, 1), subtype = text_le(path, 1, 1);
		size_t size = text_le(path, 2, 2);

		if (size < NODE_SIZE || size > path.n)
			return -EBADMSG;
		if (type == NODE_MEDIA && subtype == MEDIA_DISK && size >= NODE_SIZE + 4)
			entry->partition = text_le(path, NODE_SIZE, 4);
		if (type == NODE_MEDIA && subtype == MEDIA_FILE) {
			entry->program = read_utf16(
				(struct text){path.p + NODE_SIZE, size - NODE_SIZE},
				arena, &used);
			if (!entry->program)
				return -ENOMEM;
		}
		path = skip(path, size);
	}
	return 0;
}

int efi_entry_parse(struct text bytes, struct arena *arena, struct efi_entry *ret)
{
	struct efi_entry entry = {.number = ret->number};
	size_t path, used = 0;
	int r;

	if (bytes.n < EFI_ATTRIBUTES + HEAD_SIZE)
		return -EBADMSG;
	path = text_le(bytes, EFI_ATTRIBUTES + 4, 2);
	bytes = skip(bytes, EFI_ATTRIBUTES + HEAD_SIZE);
	entry.label = read_utf16(bytes, arena, &used);
	if (!entry.label)
		return -ENOMEM;
	bytes = skip(bytes, used);
	if (path > bytes.n)
		return -EBADMSG;
	r = read_path((struct text){bytes.p, path}, arena, &entry);
	if (r < 0)
		return r;
	entry.options = read_utf16(skip(bytes, path), arena, &used);
	if (!entry.options)
		return -ENOMEM;
	*ret = entry;
	return 0;
}

const char *efi_entry_name(struct arena *arena, unsigned number)
{
	return arena_printf(arena, EFI_VARIABLES "Boot%04X" EFI_GLOBAL, number);
}

int efi_entry_read(struct world *world, struct arena *arena, struct efi_entry *ret)
{
	struct text bytes;
	const char *name;
	int r = file_read_world(world, WORLD_SYS, BOOT_CURRENT, arena, VARIABLE_MAX,
				&bytes);

	if (r < 0)
		return r;
	if (bytes.n != EFI_ATTRIBUTES + 2)
		return -EBADMSG;
	ret->number = text_le(bytes, EFI_ATTRIBUTES, 2);
	name = efi_entry_name(arena, ret->number);
	if (!name)
		return -ENOMEM;
	r = file_read_world(world, WORLD_SYS, name, arena, VARIABLE_MAX, &bytes);
	return r < 0 ? r : efi_entry_parse(bytes, arena, ret);
}

#define ENTRY_SIZE_MAX ((size_t)64 * 1024)
#define MENU_SIZE_MAX  ((size_t)1024 * 1024)
#define UKI_SIZE_MAX   ((off_t)4 << 30)
#define NAMES_MAX      1024 /* files of one folder that are looked at */

bool boot_entry_line(struct text line, struct text *ret_key, struct text *ret_value)
{
	*ret_value = line;
	if (!text_word(ret_value, ret_key) || ret_key->p[0] == '#')
		return false;
	*ret_value = text_trim(*ret_value);
	return true;
}

/* ---- parsers ------------------------------------------------------------------------------- */

/* The next entry, empty; NULL if there are too many. */
static struct boot_entry *add_entry(struct boot_entries *entries,
				    enum boot_entry_kind kind, const char *source)
{
	struct boot_entry *e;

	if (entries->count == BOOT_ENTRIES_MAX) {
		entries->is_cut = true;
		return NULL;
	}
	e = &entries->items[entries->count++];
	*e = (struct boot_entry){.kind = kind, .source = source, .options = ""};
	return e;
}

/* The last entry, @e, is none if it boots no kernel. @e may be NULL. */
static void drop_empty(struct boot_entries *entries, const struct boot_entry *e)
{
	if (e && !e->kernel)
		entries->count--;
}

/* A path without "..", with one '/' in front; NULL for another one. */
static const char *copy_path(struct arena *arena, struct text path)
{
	struct text rest, part;
	char *copy;

	/* GRUB: "($root)/vmlinuz" */
	if (path.n > 0 && path.p[0] == '(') {
		const char *end = memchr(path.p, ')', path.n);

		if (!end)
			return NULL;
		path.n -= (size_t)(end + 1 - path.p);
		path.p = end + 1;
	}
	while (path.n > 0 && (path.p[0] == '/' || path.p[0] == '\\')) {
		path.p++;
		path.n--;
	}
	if (path.n == 0 || memchr(path.p, '\0', path.n))
		return NULL;
	copy = arena_printf(arena, "/%.*s", (int)MIN(path.n, (size_t)4096), path.p);
	/* Files of the loader may have the separators of EFI. */
	for (char *p = copy; p && *p; p++)
		if (*p == '\\')
			*p = '/';
	rest = text_of(copy ? copy : "");
	while (text_cut(&rest, '/', &part))
		if (text_is(part, ".."))
			return NULL;
	return copy;
}

static void add_initrd(struct boot_entries *entries, struct boot_entry *e,
		       struct arena *arena, struct text path)
{
	const char *copy = copy_path(arena, path);

	if (!copy)
		return;
	if (e->initrd_count == BOOT_INITRDS_MAX)
		entries->is_cut = true;
	else
		e->initrds[e->initrd_count++] = copy;
}

static void add_options(struct boot_entry *e, struct arena *arena, struct text words)
{
	const char *joined =
		arena_printf(arena, "%s%s%.*s", e->options, e->options[0] ? " " : "",
			     (int)MIN(words.n, ENTRY_SIZE_MAX), words.p);

	if (joined)
		e->options = joined;
}

int boot_entries_add_specification(struct boot_entries *entries, struct arena *arena,
				   const char *source, struct text bytes)
{
	struct boot_entry *e = add_entry(entries, BOOT_ENTRY_SPECIFICATION, source);
	struct text line, key, value;

	while (e && text_cut(&bytes, '\n', &line)) {
		if (!boot_entry_line(line, &key, &value) || value.n == 0)
			continue;
		if (text_is(key, "title"))
			e->title = arena_copy(arena, value);
		else if (text_is(key, "version"))
			e->version = arena_copy(arena, value);
		else if (text_is(key, "linux") || text_is(key, "efi") ||
			 text_is(key, "uki"))
			e->kernel = copy_path(arena, value);
		else if (text_is(key, "initrd"))
			add_initrd(entries, e, arena, value);
		else if (text_is(key, "options"))
			add_options(e, arena, value);
		e->is_uki = e->is_uki || text_is(key, "uki");
	}
	drop_empty(entries, e);
	return 0;
}

/* A word of GRUB's language, without its quotes; what is inside is not expanded. */
static bool grub_word(struct text *rest, struct text *ret)
{
	char quote = '\0';
	size_t n = 0;

	while (rest->n > 0 && char_is_blank(rest->p[0])) {
		rest->p++;
		rest->n--;
	}
	if (rest->n == 0)
		return false;
	if (rest->p[0] == '\'' || rest->p[0] == '"') {
		quote = rest->p[0];
		rest->p++;
		rest->n--;
	}
	while (n < rest->n && (quote ? rest->p[n] != quote : !char_is_blank(rest->p[n])))
		n++;
	*ret = (struct text){rest->p, n};
	n += quote && n < rest->n;
	rest->p += n;
	rest->n -= n;
	return true;
}

int boot_entries_add_grub(struct boot_entries *entries, struct arena *arena,
			  const char *source, struct text bytes)
{
	struct boot_entry *e = NULL;
	struct text line, word;

	while (text_cut(&bytes, '\n', &line)) {
		if (!grub_word(&line, &word))
			continue;
		if (text_is(word, "menuentry")) {
			drop_empty(entries, e);
			e = add_entry(entries, BOOT_ENTRY_GRUB, source);
			if (e && grub_word(&line, &word))
				e->title = arena_copy(arena, word);
		} else if (e && text_has_prefix(word, "linux") &&
			   grub_word(&line, &word)) {
			e->kernel = copy_path(arena, word);
			add_options(e, arena, text_trim(line));
		} else if (e && text_has_prefix(word, "initrd")) {
			while (grub_word(&line, &word))
				add_initrd(entries, e, arena, word);
		}
	}
	drop_empty(entries, e);
	return 0;
}

static bool is_key(struct text key, const char *name)
{
	return key.n == strlen(name) && strncasecmp(key.p, name, key.n) == 0;
}

static void add_list(struct boot_entries *entries, struct boot_entry *e,
		     struct arena *arena, struct text list)
{
	struct text path;

	while (text_cut(&list, ',', &path))
		add_initrd(entries, e, arena, path);
}

int boot_entries_add_syslinux(struct boot_entries *entries, struct arena *arena,
			      const char *source, struct text bytes)
{
	struct text line, key, value, word;
	struct boot_entry *e = NULL;

	while (text_cut(&bytes, '\n', &line)) {
		if (!boot_entry_line(line, &key, &value) || value.n == 0)
			continue;
		if (is_key(key, "label")) {
			drop_empty(entries, e);
			e = add_entry(entries, BOOT_ENTRY_SYSLINUX, source);
			if (e)
				e->title = arena_copy(arena, value);
		} else if (e && (is_key(key, "linux") || is_key(key, "kernel"))) {
			e->kernel = copy_path(arena, value);
		} else if (e && is_key(key, "initrd")) {
			add_list(entries, e, arena, value);
		} else if (e && is_key(key, "append")) {
			add_options(e, arena, value);
			while (text_word(&value, &word))
				if (text_has_prefix(word, "initrd="))
					add_list(entries, e, arena,
						 (struct text){word.p + 7, word.n - 7});
		}
	}
	drop_empty(entries, e);
	return 0;
}

/* ---- the machine's files ------------------------------------------------------------------- */

struct search {
	const char *sysroot;
	struct arena *arena;
	struct boot_entries *found;
};

static bool is_file(const struct search *s, const char *path)
{
	const char *file = path ? path_below(s->arena, s->sysroot, path) : NULL;
	struct stat st;

	return file && stat(file, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * Where a path of the loader is here: on the partition of the loader's files, on /boot, which
 * may be a partition of its own, on the root, or in a subvolume of it ("/@/boot/vmlinuz"). If it
 * is nowhere, where it should be on that partition.
 */
static const char *resolve(const struct search *s, const char *partition,
			   const char *path)
{
	const char *tail = path ? strstr(path, BOOT_PATH "/") : NULL;
	const char *tries[4];

	if (!path)
		return NULL;
	tries[0] = arena_printf(s->arena, "%s%s", partition, path);
	tries[1] = path;
	tries[2] = arena_printf(s->arena, BOOT_PATH "%s", path);
	tries[3] = tail;
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++)
		if (is_file(s, tries[i]))
			return tries[i];
	return tail ? tail : tries[0];
}

static void resolve_from(const struct search *s, size_t first, const char *partition)
{
	for (size_t i = first; i < s->found->count; i++) {
		struct boot_entry *e = &s->found->items[i];

		e->kernel = resolve(s, partition, e->kernel);
		for (size_t k = 0; k < e->initrd_count; k++)
			e->initrds[k] = resolve(s, partition, e->initrds[k]);
	}
}

typedef int parse_fn(struct boot_entries *entries, struct arena *arena,
		     const char *source, struct text bytes);

static int read_one(const struct search *s, const char *partition, const char *path,
		    size_t max, parse_fn *parse)
{
	const char *file = path ? path_below(s->arena, s->sysroot, path) : NULL;
	size_t first = s->found->count;
	struct text bytes;
	int r;

	if (!file)
		return -ENOMEM;
	if (!is_file(s, path))
		return 0;
	r = file_read(file, s->arena, max, &bytes, NULL);
	if (r == -E2BIG)
		s->found->is_cut = true;
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = parse(s->found, s->arena, path, bytes);
	resolve_from(s, first, partition);
	return r;
}

static int compare_names(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)b, *(const char *const *)a);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n > k && strcasecmp(name + n - k, suffix) == 0;
}

/* The files of a folder that end in @suffix, the newest version first. */
static size_t list_folder(const struct search *s, const char *folder, const char *suffix,
			  const char *names[static NAMES_MAX])
{
	const char *file = folder ? path_below(s->arena, s->sysroot, folder) : NULL;
	DIR *d = file ? opendir(file) : NULL;
	size_t count = 0;
	struct dirent *e;

	while (d && count < NAMES_MAX && (e = readdir(d))) {
		if (e->d_name[0] == '.' || !has_suffix(e->d_name, suffix))
			continue;
		names[count] = arena_printf(s->arena, "%s/%s", folder, e->d_name);
		count += names[count] != NULL;
	}
	if (d)
		closedir(d);
	if (count == NAMES_MAX)
		s->found->is_cut = true;
	qsort(names, count, sizeof(*names), compare_names);
	return count;
}

/* The version of a UKI's kernel, and its command line; nothing if it is damaged. */
static void read_uki(const struct search *s, const char *path, struct boot_entry *e)
{
	const char *file = path_below(s->arena, s->sysroot, path);
	cleanup_with(close_fd) int fd =
		file ? open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	struct uki_texts texts;
	struct stat st;
	void *bytes;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0 ||
	    st.st_size > UKI_SIZE_MAX)
		return;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return;
	if (uki_read_texts((struct text){bytes, (size_t)st.st_size}, s->arena, &texts) ==
	    0) {
		/* An addon of another kernel is none. */
		bool is_other = e->version && texts.uname.p &&
				!text_is(text_trim(texts.uname), e->version);

		if (!e->version && texts.uname.p)
			e->version = arena_copy(s->arena, text_trim(texts.uname));
		if (!is_other && texts.cmdline.p && texts.cmdline.n <= ENTRY_SIZE_MAX)
			add_options(e, s->arena, text_trim(texts.cmdline));
	}
	munmap(bytes, (size_t)st.st_size);
}

/*
 * systemd-stub adds the command lines of addons: those for all kernels first, then those of
 * the UKI (src/boot/stub.c: load_addons()).
 */
static void read_addons(const struct search *s, const char *folder, struct boot_entry *e)
{
	const char *names[NAMES_MAX];
	size_t count = list_folder(s, folder, ".addon.efi", names);

	/* list_folder() has the last name first. */
	while (count-- > 0)
		read_uki(s, names[count], e);
}

static void read_all_addons(const struct search *s, const char *path,
			    struct boot_entry *e)
{
	const char *folder = strcasestr(path, "/EFI/Linux/");

	if (folder)
		read_addons(s,
			    arena_printf(s->arena, "%.*s/loader/addons",
					 (int)(folder - path), path),
			    e);
	read_addons(s, arena_printf(s->arena, "%s.extra.d", path), e);
}

const char *boot_uki_options(const char *file, struct arena *arena, const char *version,
			     const char *cmdline)
{
	struct boot_entries none = {0};
	const struct search s = {NULL, arena, &none};
	struct boot_entry e = {.version = version, .options = cmdline};

	read_all_addons(&s, file, &e);
	return e.options;
}

static void add_uki(const struct search *s, const char *path)
{
	struct boot_entry *e;

	if (!is_file(s, path))
		return;
	e = add_entry(s->found, BOOT_ENTRY_UKI, path);
	if (!e)
		return;
	e->kernel = path;
	e->is_uki = true;
	read_uki(s, path, e);
	read_all_addons(s, path, e);
}

static int read_partition(const struct search *s, const char *partition)
{
	const char *names[NAMES_MAX];
	size_t count =
		list_folder(s, arena_printf(s->arena, "%s/loader/entries", partition),
			    ".conf", names);
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = read_one(s, partition, names[i], ENTRY_SIZE_MAX,
			     boot_entries_add_specification);
	count = list_folder(s, arena_printf(s->arena, "%s/EFI/Linux", partition), ".efi",
			    names);
	for (size_t i = 0; i < count; i++)
		add_uki(s, names[i]);
	return r;
}

/* proxmox-boot-tool mounts its partitions only while it copies. */
static bool has_unmounted(const struct search *s)
{
	if (!is_file(s, PROXMOX_MARK))
		return false;
	for (size_t i = 0; i < s->found->count; i++)
		if (s->found->items[i].kernel &&
		    strcasestr(s->found->items[i].kernel, "/EFI/proxmox/"))
			return false;
	return true;
}

int boot_entries_find(const char *sysroot, struct arena *arena, struct boot_entries *ret)
{
	static const struct {
		const char *partition, *path;
		parse_fn *parse;
	} menus[] = {
		{BOOT_PATH, "/boot/grub/grub.cfg", boot_entries_add_grub},
		{BOOT_PATH, "/boot/grub2/grub.cfg", boot_entries_add_grub},
		{BOOT_PATH, "/boot/extlinux/extlinux.conf", boot_entries_add_syslinux},
		{BOOT_PATH, "/boot/syslinux/syslinux.cfg", boot_entries_add_syslinux},
		{"", "/extlinux/extlinux.conf", boot_entries_add_syslinux},
		{"", "/syslinux/syslinux.cfg", boot_entries_add_syslinux},
	};
	static const char *const partitions[] = {BOOT_FOLDERS};
	struct search s = {sysroot, arena, ret};
	int r = 0;

	*ret = (struct boot_entries){0};
	for (size_t i = 0; i < ARRAY_SIZE(partitions) && r == 0; i++)
		r = read_partition(&s, partitions[i]);
	for (size_t i = 0; i < ARRAY_SIZE(menus) && r == 0; i++)
		r = read_one(&s, menus[i].partition, menus[i].path, MENU_SIZE_MAX,
			     menus[i].parse);
	ret->has_unmounted = has_unmounted(&s);
	return r;
}
