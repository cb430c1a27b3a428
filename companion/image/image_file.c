/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "confined.h"
#include "files.h"

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

/* ---- the child ----------------------------------------------------------------------------- */

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

/* ---- the parent ---------------------------------------------------------------------------- */

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

int image_file_read(const char *file, struct arena *arena,
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
