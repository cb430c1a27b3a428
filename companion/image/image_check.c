/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table in the image's binder, line by line against the configuration. */
#include "image_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "accel.h"
#include "arena.h"
#include "compiler.h"
#include "config.h"
#include "confined.h"
#include "depmod_index.h"
#include "elf_file.h"
#include "files.h"
#include "image_options.h"
#include "image_read.h"
#include "inventory.h"
#include "kernel_cmdline.h"
#include "message.h"
#include "modalias.h"
#include "next_boot.h"
#include "paths.h"
#include "reason.h"
#include "run.h"
#include "sentences.h"
#include "table.h"
#include "uki.h"
#include "version.h"

/* ---- the file --------------------------------------------------------------------------- */

#define MESSAGE_SIZE_MAX 4096
#define CMDLINE_SIZE_MAX ((size_t)1024 * 1024) /* far more than any kernel takes */

/* What the child says: a kind, then what belongs to it. */
enum record {
	RECORD_ENTRY = 1, /* struct entry_record, its name and target */
	RECORD_DATA, /* of the last entry: as many bytes as it has */
	RECORD_TRAILER,
	RECORD_END, /* struct end_record, segments, message, command line, version */
};

struct entry_record {
	uint32_t ino, mode, nlink, size, major, minor;
	uint32_t name, target; /* lengths */
};

struct end_record {
	int32_t error;
	uint32_t is_uki, has_message;
	uint32_t message, cmdline, uname; /* lengths */
	uint32_t segments;
	uint64_t error_offset, entry_count;
};

struct task {
	struct text bytes;
	struct arena *arena;
	bool (*wants)(const char *path);
	struct image *image;
};

/* ---- the file: the child ---------------------------------------------------------------- */

struct sender {
	struct confined_out *out;
	struct tree *tree; /* knows whose data somebody wants */
	struct text data; /* of the last entry: complete when the next one comes */
};

static void put_kind(struct confined_out *out, enum record kind)
{
	uint32_t word = kind;

	confined_put(out, &word, sizeof(word));
}

static void send_data(struct sender *s)
{
	if (!s->data.p)
		return;
	put_kind(s->out, RECORD_DATA);
	confined_put(s->out, s->data.p, s->data.n);
	s->data = (struct text){NULL, 0};
}

static int send_entry(void *arg, const struct cpio_entry *e, char **ret_data)
{
	struct sender *s = arg;
	const struct entry_record record = {
		.ino = e->ino,
		.mode = e->mode,
		.nlink = e->nlink,
		.size = e->size,
		.major = e->major,
		.minor = e->minor,
		.name = (uint32_t)strlen(e->name),
		.target = (uint32_t)e->target.n,
	};
	int r;

	send_data(s);
	r = tree_add(s->tree, e, ret_data);
	if (r < 0)
		return r;
	put_kind(s->out, RECORD_ENTRY);
	confined_put(s->out, &record, sizeof(record));
	confined_put(s->out, e->name, record.name);
	if (record.target > 0)
		confined_put(s->out, e->target.p, record.target);
	if (*ret_data)
		s->data = (struct text){*ret_data, e->size};
	return 0;
}

static void send_trailer(void *arg)
{
	struct sender *s = arg;

	send_data(s);
	tree_end_archive(s->tree);
	put_kind(s->out, RECORD_TRAILER);
}

static struct text limited(const char *text)
{
	return (struct text){text, text ? strnlen(text, MESSAGE_SIZE_MAX) : 0};
}

static void send_end(struct confined_out *out, int error, const char *message,
		     const struct uki *uki, const struct image *image)
{
	const struct text said = limited(message);
	const struct end_record record = {
		.error = error,
		.is_uki = uki->initrd.p != NULL,
		.has_message = message != NULL,
		.message = (uint32_t)said.n,
		.cmdline = (uint32_t)uki->cmdline.n,
		.uname = (uint32_t)uki->uname.n,
		.segments = (uint32_t)image->segment_count,
		.error_offset = image->error_offset,
		.entry_count = image->entry_count,
	};

	put_kind(out, RECORD_END);
	confined_put(out, &record, sizeof(record));
	confined_put(out, image->segments,
		     image->segment_count * sizeof(image->segments[0]));
	if (said.n > 0)
		confined_put(out, said.p, said.n);
	if (uki->cmdline.n > 0)
		confined_put(out, uki->cmdline.p, uki->cmdline.n);
	if (uki->uname.n > 0)
		confined_put(out, uki->uname.p, uki->uname.n);
}

/* The bytes of the image: the file, or the initramfs in a unified kernel image. */
static int find_image(struct text file, struct uki *uki, struct text *ret,
		      const char **ret_message)
{
	int r;

	*ret = file;
	if (!uki_is_program(file))
		return 0;
	r = uki_parse(file, uki, ret_message);
	if (r < 0)
		return r;
	if (!uki->initrd.p) {
		*ret_message =
			"this program of EFI has no section .initrd: a kernel, or a "
			"unified kernel image without an initramfs";
		return -EBADMSG;
	}
	if (uki->cmdline.n > CMDLINE_SIZE_MAX || uki->uname.n > CMDLINE_SIZE_MAX) {
		*ret_message = "its section .cmdline or .uname has more than 1 MiB";
		return -EBADMSG;
	}
	*ret = uki->initrd;
	return 0;
}

static void read_in_child(void *arg, struct confined_out *out)
{
	const struct task *j = arg;
	struct sender sender = {.out = out, .tree = &j->image->tree};
	const struct cpio_sink sink = {send_entry, send_trailer, &sender};
	const char *message = NULL;
	struct uki uki = {0};
	struct text bytes;
	int r;

	*j->image = (struct image){0};
	r = find_image(j->bytes, &uki, &bytes, &message);
	if (r < 0)
		uki = (struct uki){0};
	if (r == 0) {
		r = image_read(bytes, j->arena, j->wants, &sink, j->image);
		message = r < 0 ? "out of memory" : j->image->message;
		send_data(&sender);
	}
	send_end(out, r, message, &uki, j->image);
}

/* ---- the file: the parent --------------------------------------------------------------- */

/* A text of the child; NULL if there is no memory or no text. */
static char *take_text(struct confined *c, struct arena *arena, size_t n, size_t max)
{
	char *buf = n <= max ? arena_alloc(arena, n + 1, 1) : NULL;

	return buf && confined_read(c, buf, n) == 0 ? buf : NULL;
}

static int take_entry(struct confined *c, struct tree *tree, struct text *ret_data)
{
	static char name[CPIO_PATH_MAX + 1], target[CPIO_PATH_MAX + 1];
	struct entry_record record;
	struct cpio_entry entry;
	char *data = NULL;
	int r = confined_read(c, &record, sizeof(record));

	*ret_data = (struct text){NULL, 0};
	if (r < 0)
		return r;
	if (record.name >= sizeof(name) || record.target >= sizeof(target))
		return -EPROTO;
	r = confined_read(c, name, record.name);
	if (r == 0)
		r = confined_read(c, target, record.target);
	if (r < 0)
		return r;
	name[record.name] = '\0';
	entry = (struct cpio_entry){
		.ino = record.ino,
		.mode = record.mode,
		.nlink = record.nlink,
		.size = record.size,
		.major = record.major,
		.minor = record.minor,
		.name = name,
		.target = {target, record.target},
	};
	r = tree_add(tree, &entry, &data);
	*ret_data = (struct text){data, record.size};
	return r;
}

static int take_end(struct confined *c, const struct task *j, struct uki *ret_uki,
		    const char **ret_message)
{
	struct image *image = j->image;
	struct end_record record;
	const char *message = NULL;
	int r = confined_read(c, &record, sizeof(record));

	if (r < 0)
		return r;
	if (record.error > 0 || record.segments > IMAGE_SEGMENTS_MAX ||
	    record.message > MESSAGE_SIZE_MAX)
		return -EPROTO;
	image->segment_count = record.segments;
	image->error_offset = record.error_offset;
	image->entry_count = record.entry_count;
	r = confined_read(c, image->segments,
			  record.segments * sizeof(image->segments[0]));
	for (size_t i = 0; r == 0 && i < record.segments; i++)
		if ((unsigned)image->segments[i].compression > COMPRESSION_ZSTD)
			r = -EPROTO;
	if (r < 0)
		return r;
	message = take_text(c, j->arena, record.message, MESSAGE_SIZE_MAX);
	*ret_uki = (struct uki){
		.cmdline = {take_text(c, j->arena, record.cmdline, CMDLINE_SIZE_MAX),
			    record.cmdline},
		.uname = {take_text(c, j->arena, record.uname, CMDLINE_SIZE_MAX),
			  record.uname},
	};
	if (!message || !ret_uki->cmdline.p || !ret_uki->uname.p)
		return -EPROTO;
	if (record.is_uki)
		ret_uki->initrd = TEXT("");
	if (record.error < 0)
		*ret_message = message;
	else if (record.has_message)
		image->message = message;
	return record.error;
}

/* Builds the tree of what the child says, to its end. */
static int take_image(struct confined *c, const struct task *j, struct uki *ret_uki,
		      const char **ret_message)
{
	struct tree *tree = &j->image->tree;
	struct text data = {NULL, 0};
	int r = tree_init(tree, j->arena, j->wants);

	while (r == 0) {
		uint32_t kind;

		r = confined_read(c, &kind, sizeof(kind));
		if (r < 0)
			break;
		switch ((enum record)kind) {
		case RECORD_ENTRY:
			r = take_entry(c, tree, &data);
			continue;
		case RECORD_DATA:
			r = data.p ? confined_read(c, (char *)(uintptr_t)data.p, data.n)
				   : -EPROTO;
			data.p = NULL;
			continue;
		case RECORD_TRAILER:
			tree_end_archive(tree);
			continue;
		case RECORD_END:
			return take_end(c, j, ret_uki, ret_message);
		}
		r = -EPROTO;
	}
	return r;
}

static int read_confined(const struct task *j, struct uki *ret_uki,
			 const char **ret_message)
{
	static struct confined c;
	const char *why;
	int r;

	*ret_message = NULL;
	c.seconds = 0;
	r = confined_start(&c, read_in_child, (void *)(uintptr_t)j);
	if (r < 0) {
		*ret_message = "no process can be started that reads it";
		return r;
	}
	*j->image = (struct image){0};
	r = take_image(&c, j, ret_uki, ret_message);
	why = confined_end(&c);
	if (r < 0 && !*ret_message)
		*ret_message = r == -ENOMEM ? "out of memory"
			       : why	    ? why
					    : "the process that read it ended too early";
	return r;
}

static int open_image(const char *file, struct stat *ret, struct arena *arena,
		      const char **ret_message)
{
	cleanup_with(close_fd) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, ret) < 0) {
		int error = errno;

		*ret_message =
			arena_printf(arena, "it cannot be opened: %s", errno_text(error));
		return -error;
	}
	if (S_ISREG(ret->st_mode) && ret->st_size > 0 &&
	    (uint64_t)ret->st_size <= IMAGE_SIZE_MAX)
		return TAKE_FD(fd);
	*ret_message = !S_ISREG(ret->st_mode) ? "this is no image: not a regular file"
		       : ret->st_size == 0    ? "this is no image: it is empty"
					   : "this is no image: it has more than 4 GiB";
	return -EINVAL;
}

/*
 * Reads @file. @ret_uki: cmdline and uname are copies, and initrd.p is NULL if the file is no
 * unified kernel image. 0, or -errno with a sentence in @ret_message: nothing could be read.
 */
static int image_file_read(const char *file, struct arena *arena,
			   bool (*wants)(const char *path), struct uki *ret_uki,
			   struct image *ret, const char **ret_message)
{
	struct stat before = {0}, after;
	cleanup_with(close_fd) int fd = open_image(file, &before, arena, ret_message);
	struct task j = {.arena = arena, .wants = wants, .image = ret};
	void *bytes;
	int r;

	if (fd < 0)
		return fd;
	/* Only the child looks at it: a file that is cut meanwhile ends who does (SIGBUS). */
	bytes = mmap(NULL, (size_t)before.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED) {
		int error = errno;

		*ret_message =
			arena_printf(arena, "it cannot be read: %s", errno_text(error));
		return -error;
	}
	j.bytes = (struct text){bytes, (size_t)before.st_size};
	r = read_confined(&j, ret_uki, ret_message);
	munmap(bytes, (size_t)before.st_size);
	if (fstat(fd, &after) < 0 || after.st_size != before.st_size ||
	    after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
	    after.st_mtim.tv_nsec != before.st_mtim.tv_nsec) {
		*ret_message = CONFINED_CHANGED;
		return -EBADMSG;
	}
	return r;
}

#define TABLE_CHECK "table"
#define SHOWN_MAX   8 /* lines that differ */

struct line {
	struct text origin; /* FILE:LINE */
	struct text section; /* "[profile TABLE_CHECK]", or empty */
	struct text text;
	bool is_matched;
};

struct lines {
	struct line *items;
	size_t count;
};

/* The file of an origin: a section ends with it, as for config_parse(). */
static struct text file_of(struct text origin)
{
	while (origin.n > 0 && origin.p[origin.n - 1] != ':')
		origin.n--;
	return origin;
}

/* The lines of a table's text, which is in its normal form. */
static int split(struct text table, struct arena *arena, struct lines *ret)
{
	struct text line, origin = {"", 0}, section = {"", 0};
	size_t count = 1;

	for (size_t i = 0; i < table.n; i++)
		count += table.p[i] == '\n';
	*ret = (struct lines){.items = arena_alloc(arena, count, sizeof(*ret->items))};
	if (!ret->items)
		return -ENOMEM;
	while (text_cut(&table, '\n', &line)) {
		if (text_has_prefix(line, "#:")) {
			struct text next =
				text_trim((struct text){line.p + 2, line.n - 2});

			if (!text_is_same(file_of(next), file_of(origin)))
				section = (struct text){"", 0};
			origin = next;
		} else if (line.n > 0 && line.p[0] == '[') {
			section = line;
		} else if (line.n > 0) {
			ret->items[ret->count++] =
				(struct line){origin, section, line, false};
		}
	}
	return 0;
}

/* Marks the lines that both have, in any order. */
static void match(struct lines *a, struct lines *b)
{
	size_t from = 0;

	for (size_t i = 0; i < a->count; i++) {
		/* Mostly they come in the same order. */
		for (size_t k = 0; k < b->count; k++) {
			struct line *x = &a->items[i],
				    *y = &b->items[(from + k) % b->count];

			if (y->is_matched || !text_is_same(x->text, y->text) ||
			    !text_is_same(x->section, y->section))
				continue;
			x->is_matched = y->is_matched = true;
			from = (from + k + 1) % b->count;
			break;
		}
	}
}

static bool is_same_order(const struct lines *a, const struct lines *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (!text_is_same(a->items[i].text, b->items[i].text) ||
		    !text_is_same(a->items[i].section, b->items[i].section))
			return false;
	return true;
}

static size_t count_unmatched(const struct lines *lines)
{
	size_t n = 0;

	for (size_t i = 0; i < lines->count; i++)
		n += !lines->items[i].is_matched;
	return n;
}

/* "bind 10ee:5000" (/etc/earlybind.conf:1), ... */
static const char *list_unmatched(struct check *c, const struct lines *lines)
{
	const char *list = "";
	size_t shown = 0, all = count_unmatched(lines);

	for (size_t i = 0; i < lines->count && shown < SHOWN_MAX; i++) {
		const struct line *l = &lines->items[i];

		if (l->is_matched)
			continue;
		list = check_print(c, "%s%s\"%.*s\" (%.*s)", list,
				   shown++ > 0 ? ", " : "", (int)MIN(l->text.n, 120u),
				   l->text.p, (int)MIN(l->origin.n, 120u), l->origin.p);
	}
	if (shown < all)
		list = check_print(c, "%s and %zu more", list, all - shown);
	return list;
}

/* @policy is what @wanted was made of. */
static void compare(struct check *c, struct text table, struct text wanted,
		    const struct sources *sources, const struct policy *policy)
{
	const char *where = sources_describe(sources, c->arena);
	const char *name = sources->count == 1 ? where : "the configuration";
	struct lines have, want;
	size_t missing, extra;

	table = sources_cut_recorded(table);
	if (text_is_same(table, wanted)) {
		if (wanted.n == 0)
			check_say(c, FINDING_PASS, TABLE_CHECK,
				  "it is empty, and there is no configuration");
		else
			check_say(c, FINDING_PASS, TABLE_CHECK,
				  "it has the %zu rule%s of %s", policy->rule_count,
				  plural(policy->rule_count), where);
		return;
	}
	if (split(table, c->arena, &have) < 0 || split(wanted, c->arena, &want) < 0) {
		check_say(c, FINDING_UNKNOWN, TABLE_CHECK, "out of memory");
		return;
	}
	match(&want, &have);
	missing = count_unmatched(&want);
	extra = count_unmatched(&have);
	if (missing > 0)
		check_say(c, FINDING_FAIL, TABLE_CHECK,
			  "it is older than %s: the image lacks %s; run %s", name,
			  list_unmatched(c, &want), c->rebuild);
	if (extra > 0)
		check_say(c, FINDING_FAIL, TABLE_CHECK,
			  "it is older than %s: the image still has %s; run %s", name,
			  list_unmatched(c, &have), c->rebuild);
	if (missing + extra > 0)
		return;
	if (!is_same_order(&have, &want))
		check_say(
			c, FINDING_FAIL, TABLE_CHECK,
			"it is older than %s: the rules stood in another order, and the "
			"first that matches counts; run %s",
			name, c->rebuild);
	else
		check_say(
			c, FINDING_NOTE, TABLE_CHECK,
			"it has the rules of %s, but messages at boot will name the old "
			"line numbers; %s corrects that",
			name, c->rebuild);
}

/* The text of the image's table. False if it has none that can be read. */
static bool read_table(struct check *c, struct text binder, struct text *ret)
{
	const char *message = NULL;
	size_t offset;
	int r;

	if (section_find(binder, &offset, &message) == 0) {
		r = table_decode(binder.p + offset, sizeof(struct table_section), ret);
		if (r == 0)
			return true;
		message = r == -EPROTONOSUPPORT
				  ? "it is of a newer version than this program"
				  : "its checksum is wrong: none of its rules will count";
	}
	check_say(c, FINDING_FAIL, TABLE_CHECK, "the table is damaged: %s; run %s",
		  message, c->rebuild);
	return false;
}

/*
 * What the table would be now, without what is recorded: that is of the machine as it was then,
 * and no rule. False if none can be made, which is said.
 */
static bool encode(struct check *c, struct policy *policy, struct text *ret)
{
	const struct table_section *section;
	struct sources own = *c->sources;
	size_t length;

	if (policy_init(policy, c->arena) < 0) {
		check_say(c, FINDING_UNKNOWN, TABLE_CHECK, "out of memory");
		return false;
	}
	own.critical = own.known = (struct recorded){0};
	sources_parse(&own, policy);
	for (size_t i = 0; i < policy->problem_count; i++)
		if (policy->problems[i].is_error) {
			check_say(
				c, FINDING_FAIL, TABLE_CHECK,
				"the configuration has errors, and no image can have its "
				"rules until they are corrected: see \"earlybind embed "
				"--check\"");
			return false;
		}
	if (sources_encode(&own, policy, c->arena, &section, &length) < 0) {
		check_say(c, FINDING_FAIL, TABLE_CHECK,
			  "no table can be made of the configuration: see \"earlybind "
			  "embed --check\"");
		return false;
	}
	*ret = (struct text){section->text, length};
	return true;
}

/* Whether the image was made while the configuration had errors. */
static void check_mark(struct check *check)
{
	const struct tree_node *node = tree_find(&check->image.tree, IMAGE_EARLIER_MARK);
	struct text bytes = {"", 0};
	const char *message;

	if (!node)
		return;
	if (tree_is_file(node) && node->file->data.p)
		bytes = node->file->data;
	message = earlier_describe(bytes, check->arena);
	check_say(check, FINDING_FAIL, TABLE_CHECK, "%s",
		  message ? message : "out of memory");
}

/* Its table against the configuration. The rules of the image go to check->policy. */
static void check_table(struct check *check, struct text binder)
{
	struct text table, wanted;
	struct policy policy;

	if (!read_table(check, binder, &table))
		return;
	config_parse(&check->policy, SOURCE_TABLE, TEXT(""), table);
	if (encode(check, &policy, &wanted))
		compare(check, table, wanted, check->sources, &policy);
}

#define BINDER_CHECK "binder"

/* How it gets into the image. */
static void say_missing(struct check *c)
{
	const char *remedy = "";

	switch (c->generator) {
	case GENERATOR_INITRAMFS_TOOLS:
		remedy =
			"see that /usr/share/initramfs-tools/hooks/earlybind is there and "
			"executable, then run";
		break;
	case GENERATOR_DRACUT:
		remedy =
			"see that dracut's module 50earlybind is installed and not omitted, "
			"then run";
		break;
	case GENERATOR_MKINITCPIO:
		remedy =
			"add earlybind to HOOKS in /etc/mkinitcpio.conf, before udev, kms or "
			"systemd, then run";
		break;
	case GENERATOR_BOOSTER:
	case GENERATOR_OTHER:
	case GENERATOR_UNKNOWN:
		check_say(c, FINDING_FAIL, BINDER_CHECK,
			  "earlybind is not in the image: there is no /" IMAGE_BINDER
			  "; append it with earlybind image --append %s --output FILE",
			  c->file);
		return;
	}
	check_say(c, FINDING_FAIL, BINDER_CHECK,
		  "earlybind is not in the image: there is no /" IMAGE_BINDER "; %s %s",
		  remedy, c->rebuild);
}

static void check_version(struct check *c, struct text bytes)
{
	struct text version = program_version(bytes);

	if (version.n == 0)
		check_say(c, FINDING_UNKNOWN, BINDER_CHECK, "its version is not known");
	else if (!text_is(version, EARLYBIND_VERSION))
		check_say(c, FINDING_NOTE, BINDER_CHECK,
			  "it is of version %.*s and this program of " EARLYBIND_VERSION
			  ": run %s",
			  (int)version.n, version.p, c->rebuild);
	else
		check_say(c, FINDING_PASS, BINDER_CHECK,
			  "it is there, static, of version %.*s", (int)version.n,
			  version.p);
}

/* The binder: *ret is its file. False if there is none: then nothing more is to be said. */
static bool check_binder(struct check *check, struct text *ret)
{
	const struct tree_node *node = tree_find(&check->image.tree, IMAGE_BINDER);
	const char *message;

	if (!node && check->is_unwanted) {
		check_say(check, FINDING_PASS, BINDER_CHECK,
			  "earlybind is not in the image, and there are no rules");
		return false;
	}
	if (!node) {
		say_missing(check);
		return false;
	}
	if (!tree_is_file(node) || !node->file->data.p) {
		check_say(check, FINDING_FAIL, BINDER_CHECK,
			  "/" IMAGE_BINDER " is not a file, or too large: run %s",
			  check->rebuild);
		return false;
	}
	if ((node->file->mode & 0111) == 0)
		check_say(check, FINDING_FAIL, BINDER_CHECK,
			  "/" IMAGE_BINDER
			  " is not executable: install it with mode 755, "
			  "then run %s",
			  check->rebuild);
	*ret = node->file->data;
	if (program_check(*ret, &message) < 0)
		check_say(check, FINDING_FAIL, BINDER_CHECK,
			  "/" IMAGE_BINDER " will not start: %s; install it again, then "
			  "run %s",
			  message, check->rebuild);
	else
		check_version(check, *ret);
	return true;
}

/* Whether the data of this file of an image are looked at. */
static bool check_wants(const char *path)
{
	static const char *const suffixes[] = {
		IMAGE_BINDER,
		IMAGE_EARLIER_MARK,
		"/systemd/system/earlybind.service",
		"/modules.dep.bin",
		"/modules.alias.bin",
		"/modules.builtin",
		"/modules.builtin.bin",
		"/modules.builtin.alias.bin",
	};

	if (strcmp(path, IMAGE_MKINITCPIO_CONFIG) == 0 || image_options_want(path) ||
	    strncmp(path, IMAGE_INIT_TOP "/", sizeof(IMAGE_INIT_TOP)) == 0 ||
	    strstr(path, "service.d/"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (text_has_suffix(text_of(path), suffixes[i]))
			return true;
	return false;
}

const char *generator_name(enum generator generator)
{
	switch (generator) {
	case GENERATOR_INITRAMFS_TOOLS:
		return "initramfs-tools";
	case GENERATOR_DRACUT:
		return "dracut";
	case GENERATOR_MKINITCPIO:
		return "mkinitcpio";
	case GENERATOR_BOOSTER:
		return "booster";
	case GENERATOR_OTHER:
	case GENERATOR_UNKNOWN:
		break;
	}
	return "unknown";
}

static bool has(const struct check *c, const char *path)
{
	return tree_find(&c->image.tree, path) != NULL;
}

static enum generator recognise(const struct check *c)
{
	if (has(c, "conf/initramfs.conf") && has(c, "scripts"))
		return GENERATOR_INITRAMFS_TOOLS;
	if (has(c, "usr/lib/dracut") || has(c, "lib/dracut") || has(c, "var/lib/dracut"))
		return GENERATOR_DRACUT;
	if (has(c, IMAGE_MKINITCPIO_CONFIG) &&
	    (has(c, "buildconfig") || has(c, "init_functions") || has(c, "hooks")))
		return GENERATOR_MKINITCPIO;
	if (has(c, "etc/booster.init.yaml"))
		return GENERATOR_BOOSTER;
	return has(c, "init") ? GENERATOR_OTHER : GENERATOR_UNKNOWN;
}

/* /init is a link to systemd, or the program itself. */
static bool is_init_systemd(const struct check *c)
{
	const struct tree_node *init = tree_find(&c->image.tree, "init");

	return tree_is_file(init) && text_is(init->name, "systemd");
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_kernel(const struct check *c, const char *release)
{
	for (size_t i = 0; i < c->kernel_count; i++)
		if (strcmp(c->kernels[i], release) == 0)
			return true;
	return false;
}

static void find_kernels(struct check *c)
{
	/* The last one counts only through a link lib; here it shows what the image is for. */
	static const char *const places[] = {IMAGE_MODULES_PLACES, "usr/lib/modules"};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct tree_node *n = tree_find(&c->image.tree, places[i]);

		for (n = n ? n->children : NULL; n; n = n->next)
			if (tree_is_folder(n) && !has_kernel(c, n->name.p) &&
			    c->kernel_count < CHECK_KERNELS_MAX)
				c->kernels[c->kernel_count++] = n->name.p;
	}
	qsort(c->kernels, c->kernel_count, sizeof(*c->kernels), compare_names);
}

static const char *rebuild_command(struct check *c)
{
	const char *kernel = c->kernel		    ? c->kernel
			     : c->kernel_count == 1 ? c->kernels[0]
						    : NULL;

	/* Not the initramfs alone. */
	if (c->uki.initrd.p && c->generator != GENERATOR_MKINITCPIO)
		return "the program that made this unified kernel image";
	switch (c->generator) {
	case GENERATOR_INITRAMFS_TOOLS:
		return check_print(c, "update-initramfs -u -k %s",
				   kernel ? kernel : "all");
	case GENERATOR_DRACUT:
		return kernel ? check_print(c, "dracut --force --kver %s", kernel)
			      : "dracut --regenerate-all --force";
	case GENERATOR_MKINITCPIO:
		return "mkinitcpio -P";
	case GENERATOR_BOOSTER:
	case GENERATOR_OTHER:
	case GENERATOR_UNKNOWN:
		break;
	}
	return "the program that made it";
}

/* Sets generator, has_systemd, kernels and rebuild; says what the image is. */
static void check_image(struct check *check)
{
	struct check *c = check;
	const struct image *image = &c->image;

	c->generator = recognise(c);
	c->has_systemd = is_init_systemd(c);
	find_kernels(c);
	c->rebuild = c->copy_command ? c->copy_command : rebuild_command(c);
	if (image->message)
		check_say(
			c, FINDING_FAIL, "image",
			"at offset %llu: %s; what follows is about what is in front of it",
			(unsigned long long)image->error_offset, image->message);
	else
		check_say(c, FINDING_PASS, "image", "the kernel can unpack all of it");
	if (image->tree.lost_count > 0)
		check_say(c, FINDING_NOTE, "image",
			  "%zu file%s the kernel cannot unpack: the folder is missing",
			  image->tree.lost_count, plural(image->tree.lost_count));
	if (has(c, "kernel/x86/microcode"))
		check_say(c, FINDING_NOTE, "image",
			  "microcode of the processor is in front");
	if (!has(c, "init"))
		check_say(
			c, FINDING_NOTE, "image",
			"there is no /init: it is a part of an image, or the kernel mounts "
			"the root file system by itself");
}

/* What is in a unified kernel image beside its initramfs. */
static void check_uki(struct check *c)
{
	const char *own = arena_copy(c->arena, text_trim(c->uki.cmdline));
	struct cmdline_arg arg;
	struct text rest;

	if (!c->uki.initrd.p || !own)
		return;
	c->options = boot_uki_options(c->file, c->arena, c->kernel, own);
	rest = text_of(c->options);
	check_say(
		c, FINDING_NOTE, "image",
		"this is a unified kernel image: offsets count from its section .initrd");
	while (cmdline_next(&rest, &arg) && !cmdline_is_end(&arg))
		if (text_is(arg.name, "rd.earlybind") && text_is(arg.value, "0"))
			check_say(c, FINDING_FAIL, "cmdline",
				  "rd.earlybind=0 is on its kernel command line (section "
				  ".cmdline%s): no rule counts; delete it where %s reads "
				  "it",
				  arg.name.p >= c->options + strlen(own) ? " of an addon"
									 : "",
				  c->rebuild);
}

void check_say(struct check *check, enum finding_kind kind, const char *name,
	       const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	findings_vadd(&check->findings, kind, name, format, ap);
	va_end(ap);
}

const char *check_print(struct check *check, const char *format, ...)
{
	const char *line;
	va_list ap;

	va_start(ap, format);
	line = arena_vprintf(check->arena, format, ap);
	va_end(ap);
	return line ? line : "";
}

/* ---- modules and drivers ---------------------------------------------------------------- */

#define MODULES_CHECK "modules"
#define MISSING_MAX   8 /* that are named */

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
static void say_missing_module(struct check *c, const char *release, const char *module,
			       const struct search *s)
{
	if (!s->has_index)
		check_say(c, FINDING_FAIL, MODULES_CHECK,
			  "kernel %s: there is no modules.dep.bin, so that %s is not "
			  "found: run depmod %s, then %s",
			  release, module, release, c->rebuild);
	else if (s->is_damaged)
		check_say(
			c, FINDING_FAIL, MODULES_CHECK,
			"kernel %s: modules.dep.bin is damaged, so that %s is not found: "
			"run depmod %s, then %s",
			release, module, release, c->rebuild);
	else if (*s->missing)
		check_say(c, FINDING_FAIL, MODULES_CHECK,
			  "kernel %s: %s needs %s, which is not in the image: run %s",
			  release, module, s->missing, c->rebuild);
	else
		check_say(c, FINDING_FAIL, MODULES_CHECK,
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
			say_missing_module(c, release, wanted[i], &s);
			is_fine = false;
		} else if (!format) {
			check_say(
				c, FINDING_FAIL, MODULES_CHECK,
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
		check_say(c, FINDING_PASS, MODULES_CHECK,
			  "kernel %s: %s, with all that they need", release, list);
}

/* The modules that the binder loads, for every kernel of the image. */
static void check_modules(struct check *check)
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
		check_say(c, FINDING_FAIL, MODULES_CHECK,
			  "there are no modules for kernel %s in the image: it is for "
			  "another kernel; run %s",
			  c->kernel, c->rebuild);
	else if (c->kernel_count == 0)
		check_say(
			c, FINDING_UNKNOWN, MODULES_CHECK,
			"there are no modules in the image: vfio-pci must be built into "
			"the kernel, or in another part of the image");
}

#define DRIVERS_CHECK "drivers"
#define NOTES_MAX     64

/* What a rule names: a function of this machine, or what the rule says of any. */
struct target {
	const char *name; /* "0000:01:00.0", "10ee:5000" */
	struct pci_match ids; /* PCI_ANY where it is not known */
	const struct selector *selector; /* of the rule; NULL: of a function */
};

struct drivers {
	struct check *check;
	const struct target *target;
	bool is_builtin;
	const char *seen[NOTES_MAX]; /* "TARGET MODULE" */
	size_t seen_count;
};

static bool is_possible(uint32_t pattern, uint32_t known)
{
	return pattern == PCI_ANY || known == PCI_ANY || pattern == known;
}

/* Whether a driver with these fields of an alias may be for a card of the group. */
static bool is_of_accel(const uint32_t *field, unsigned group)
{
	const struct pci_ids ids = {
		.vendor = (uint16_t)field[0],
		.device = (uint16_t)field[1],
		.subvendor = (uint16_t)field[2],
		.subdevice = (uint16_t)field[3],
		.class = (field[4] & 0xff) << 16 | (field[5] & 0xff) << 8,
	};
	uint16_t vendor;
	size_t at = 0;

	if (field[1] != PCI_ANY)
		return accel_group_has(group, &ids);
	while (accel_group_vendor(group, &at, &vendor))
		if (vendor == field[0])
			return true;
	return false;
}

/* An alias that leaves the base class open is for this class only if the rule says more. */
static bool is_of_class(const uint32_t *field, const struct selector *s)
{
	for (int i = 0; i < 3; i++) {
		int shift = 16 - 8 * i;
		uint32_t mask = s->class_mask >> shift & 0xff;

		if (mask == 0 || (field[4 + i] == PCI_ANY &&
				  (i > 0 || (s->terms & (TERM_ID | TERM_ACCEL)))))
			continue;
		if (field[4 + i] == PCI_ANY ||
		    ((field[4 + i] ^ s->class >> shift) & mask))
			return false;
	}
	return true;
}

/* "pci:v000010EEd00005000sv*sd*bc12sc00i*" */
static bool is_alias_of(struct text alias, const struct target *t)
{
	const struct pci_match *ids = &t->ids;
	const struct selector *s = t->selector;
	bool has_class = ids->class != PCI_ANY;
	const uint32_t known[ALIAS_FIELDS] = {
		ids->vendor,
		ids->device,
		ids->subvendor,
		ids->subdevice,
		has_class ? ids->class >> 16 & 0xff : PCI_ANY,
		has_class ? ids->class >> 8 & 0xff : PCI_ANY,
		has_class ? ids->class & 0xff : PCI_ANY,
	};
	uint32_t field[ALIAS_FIELDS];

	if (!alias_parse(alias, "pci:", field))
		return false;
	for (size_t i = 0; i < ALIAS_FIELDS; i++)
		if (!is_possible(field[i], known[i]))
			return false;
	if (s && (s->terms & TERM_CLASS))
		return is_of_class(field, s) &&
		       (!(s->terms & TERM_ACCEL) || is_of_accel(field, s->accel));
	/* A driver of a whole class says nothing about a device of unknown class. */
	if (s && (s->terms & TERM_ACCEL))
		return field[0] != PCI_ANY && is_of_accel(field, s->accel);
	return field[0] != PCI_ANY || has_class;
}

static bool is_ours(struct text module)
{
	return text_is(module, "vfio_pci") || text_is(module, "pci_stub");
}

static int note(void *arg, struct text key, struct text module)
{
	struct drivers *d = arg;
	struct check *c = d->check;
	const char *pair;

	if (!is_alias_of(key, d->target) || is_ours(module))
		return 0;
	pair = check_print(c, "%s %.*s", d->target->name, (int)module.n, module.p);
	for (size_t i = 0; i < d->seen_count; i++)
		if (strcmp(d->seen[i], pair) == 0)
			return 0;
	if (d->seen_count == NOTES_MAX)
		return 1;
	d->seen[d->seen_count++] = pair;
	if (d->is_builtin)
		check_say(c, FINDING_NOTE, DRIVERS_CHECK,
			  "%.*s is built into the kernel and gets %s first; the binder "
			  "then takes it over",
			  (int)module.n, module.p, d->target->name);
	else
		check_say(c, FINDING_NOTE, DRIVERS_CHECK,
			  "%.*s is in the image and will lose: %s is bound before it can "
			  "load",
			  (int)module.n, module.p, d->target->name);
	return 0;
}

static void look_up(struct drivers *d, const char *file)
{
	struct check *c = d->check;
	char path[CPIO_PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		for (size_t k = 0; k < c->kernel_count; k++) {
			const struct tree_node *n;

			if (c->kernel && strcmp(c->kernel, c->kernels[k]) != 0)
				continue;
			snprintf(path, sizeof(path), "%s/%s/%s", places[i], c->kernels[k],
				 file);
			n = tree_find(&c->image.tree, path);
			/* A damaged index has been reported with the modules. */
			if (tree_is_file(n) && n->file->data.p)
				(void)!index_each(n->file->data, note, d);
		}
}

static void check_target(struct drivers *d, const struct target *target)
{
	d->target = target;
	d->is_builtin = false;
	look_up(d, "modules.alias.bin");
	d->is_builtin = true;
	look_up(d, "modules.builtin.alias.bin");
	d->target = NULL;
}

/* The functions of this machine that a boot with this image binds. -errno without a PCI bus. */
static int check_devices(struct drivers *d, struct run *run)
{
	struct check *c = d->check;
	int r = next_boot_plan(c->world, c->arena, NULL, NULL, run);

	for (size_t i = 0; r == 0 && i < run->plan.device_count; i++) {
		const struct plan_device *pd = &run->plan.devices[i];
		const struct pci_ids *ids = &pd->device->ids;
		char address[BDF_SIZE];
		const struct target target = {
			.name = bdf_format(pd->device->bdf, address),
			.ids = {ids->vendor, ids->device, ids->subvendor, ids->subdevice,
				ids->class, 0xffffff},
		};

		if (pd->action <= ACTION_DONE)
			check_target(d, &target);
	}
	return r;
}

/* What rules say of the devices of any machine: by place or serial number, nothing. */
static void check_rules(struct drivers *d, const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct selector *s = &rule->selector;
		struct target target = {
			.ids = {PCI_ANY, PCI_ANY, PCI_ANY, PCI_ANY, PCI_ANY, 0},
			.selector = s,
		};
		char name[64];

		if (s->terms & TERM_ID)
			target.ids = s->id;
		if (rule->kind != RULE_BIND || !policy_has_rule_active(policy, rule) ||
		    (target.ids.vendor == PCI_ANY &&
		     !(s->terms & (TERM_CLASS | TERM_ACCEL))))
			continue;
		if (target.ids.class_mask != 0xffffff)
			target.ids.class = PCI_ANY;
		snprintf(name, sizeof(name), "%.*s", (int)MIN(rule->text.n, 63u),
			 rule->text.p);
		target.name = name;
		check_target(d, &target);
	}
}

/* Other drivers of the image for the devices that the rules name. */
static void check_drivers(struct check *check)
{
	static struct run run;
	struct drivers d = {.check = check};
	const char *message;

	/* What is wrong with its table or its modprobe.d has been reported. */
	if (next_boot_read_opened(check->world, check, NULL, &run, &message) < 0)
		return;
	if (check_devices(&d, &run) < 0)
		check_rules(&d, &run.policy);
}

/* ---- all of it -------------------------------------------------------------------------- */

int check_open(struct check *check, const char **ret_message)
{
	struct check *c = check;
	int r = image_file_read(c->file, c->arena, check_wants, &c->uki, &c->image,
				ret_message);

	if (r < 0)
		return r;
	if (!c->kernel && c->uki.uname.n > 0)
		c->kernel = arena_copy(c->arena, text_trim(c->uki.uname));
	if (policy_init(&c->policy, c->arena) < 0) {
		*ret_message = "out of memory";
		return -ENOMEM;
	}
	if (c->image.entry_count == 0) {
		*ret_message = check_print(
			c, "nothing of it can be unpacked: at offset %llu: %s",
			(unsigned long long)c->image.error_offset,
			c->image.message ? c->image.message : "there is no file in it");
		return -EBADMSG;
	}
	return 0;
}

int check_run(struct check *check, const char **ret_message)
{
	struct check *c = check;
	struct text binder;
	int r;

	r = check_open(c, ret_message);
	if (r < 0)
		return r;
	check_image(c);
	check_uki(c);
	if (check_binder(c, &binder)) {
		check_mark(c);
		check_table(c, binder);
		check_options(c);
		check_order(c);
		check_modules(c);
		check_drivers(c);
	}
	return 0;
}
