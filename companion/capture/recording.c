/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "compiler.h"
#include "files.h"
#include "message.h"
#include "paths.h"
#include "text.h"

/* ---- tar: POSIX pax, as much of it as recordings need ----------------------------------- */

#define TAR_BLOCK 512

enum tar_type { TAR_FILE, TAR_DIR, TAR_LINK };

struct tar_entry {
	enum tar_type type;
	bool is_pax; /* @size bytes of records about the next entry follow */
	uint64_t size;
	bool has_name,
		has_target; /* from such records: those of the header do not count */
	char name[PATH_MAX];
	char target[PATH_MAX];
};

#define BLOCK	     TAR_BLOCK
#define SIZE_MAX_TAR 077777777777ull

/* Types of entries. */
#define TYPE_FILE '0'
#define TYPE_LINK '2'
#define TYPE_DIR  '5'
#define TYPE_PAX  'x' /* records about the next entry */

struct header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char target[100];
	char magic[6];
	char version[2];
	char owner[32];
	char group[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char rest[12];
};

_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

/* A field of text needs no NUL where it is full. */
static void set_text(char *field, size_t size, const char *text, size_t n)
{
	memcpy(field, text, n < size ? n : size);
}

static int put_header(struct tar_writer *w, struct header *h, uint64_t size)
{
	const uint8_t *bytes = (const uint8_t *)h;
	unsigned sum = 0;

	snprintf(h->mode, sizeof(h->mode), "%07o",
		 h->type == TYPE_DIR	? 0755u
		 : h->type == TYPE_LINK ? 0777u
					: 0644u);
	snprintf(h->uid, sizeof(h->uid), "%07o", 0u);
	snprintf(h->gid, sizeof(h->gid), "%07o", 0u);
	snprintf(h->size, sizeof(h->size), "%011llo", (unsigned long long)size);
	snprintf(h->mtime, sizeof(h->mtime), "%011o", 0u);
	memcpy(h->magic, "ustar", sizeof(h->magic));
	memcpy(h->version, "00", sizeof(h->version));
	snprintf(h->major, sizeof(h->major), "%07o", 0u);
	snprintf(h->minor, sizeof(h->minor), "%07o", 0u);
	/* The checksum counts itself as blanks. */
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += bytes[i];
	snprintf(h->checksum, sizeof(h->checksum), "%06o", sum);
	return w->put(w->arg, (struct text){(const char *)h, sizeof(*h)});
}

static int put_bytes(struct tar_writer *w, struct text bytes)
{
	static const char zeros[BLOCK];
	size_t pad = (BLOCK - bytes.n % BLOCK) % BLOCK;
	int r = bytes.n > 0 ? w->put(w->arg, bytes) : 0;

	return r == 0 && pad > 0 ? w->put(w->arg, (struct text){zeros, pad}) : r;
}

/* "LENGTH KEY=VALUE\n", where the length counts itself. */
static int put_record(struct tar_writer *w, const char *key, const char *value)
{
	size_t n = strlen(key) + strlen(value) + 3, digits = 1;
	struct header h = {.name = "pax", .type = TYPE_PAX};
	char record[PATH_MAX + 64];
	int r, length;

	for (size_t ten = 10; n + digits >= ten; ten *= 10)
		digits++;
	length = snprintf(record, sizeof(record), "%zu %s=%s\n", n + digits, key, value);
	if (length < 0 || (size_t)length >= sizeof(record))
		return -ENAMETOOLONG;
	r = put_header(w, &h, (uint64_t)length);
	return r < 0 ? r : put_bytes(w, (struct text){record, (size_t)length});
}

/* Puts the name into its field, or its two; false if it does not fit. */
static bool set_name(struct header *h, const char *name)
{
	size_t n = strlen(name);

	if (n <= sizeof(h->name)) {
		set_text(h->name, sizeof(h->name), name, n);
		return true;
	}
	/* Split at the first slash behind which the rest fits. */
	for (size_t i = n - sizeof(h->name) - 1; i <= sizeof(h->prefix) && i < n; i++) {
		if (name[i] != '/' || i == 0)
			continue;
		set_text(h->prefix, sizeof(h->prefix), name, i);
		set_text(h->name, sizeof(h->name), name + i + 1, n - i - 1);
		return true;
	}
	return false;
}

static int put(struct tar_writer *w, char type, const char *name, const char *target,
	       struct text bytes)
{
	struct header h = {.type = type};
	size_t n = strlen(name);
	int r = 0;

	if (n == 0 || name[0] == '/' || name[n - 1] == '/')
		return -EINVAL;
	if (n >= PATH_MAX || strlen(target) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (bytes.n > SIZE_MAX_TAR)
		return -EFBIG;
	if (!set_name(&h, name)) {
		set_text(h.name, sizeof(h.name), name, n);
		r = put_record(w, "path", name);
	}
	if (r == 0 && strlen(target) > sizeof(h.target))
		r = put_record(w, "linkpath", target);
	set_text(h.target, sizeof(h.target), target, strlen(target));
	if (r == 0)
		r = put_header(w, &h, bytes.n);
	return r < 0 ? r : put_bytes(w, bytes);
}

int tar_put_dir(struct tar_writer *w, const char *name)
{
	return put(w, TYPE_DIR, name, "", TEXT(""));
}

int tar_put_file(struct tar_writer *w, const char *name, struct text bytes)
{
	return put(w, TYPE_FILE, name, "", bytes);
}

int tar_put_link(struct tar_writer *w, const char *name, const char *target)
{
	return put(w, TYPE_LINK, name, target, TEXT(""));
}

/* Two blocks of zeros. */
int tar_put_end(struct tar_writer *w)
{
	static const char zeros[2 * BLOCK];

	return w->put(w->arg, (struct text){zeros, sizeof(zeros)});
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Octal digits up to a blank or a NUL; -EBADMSG. */
static int get_octal(const char *field, size_t size, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0;

	while (i < size && field[i] >= '0' && field[i] <= '7')
		value = value << 3 | (uint64_t)(field[i++] - '0');
	if (i == 0 || (i < size && field[i] != ' ' && field[i] != '\0'))
		return -EBADMSG;
	*ret = value;
	return 0;
}

static bool has_checksum(const unsigned char *block, const struct header *h)
{
	size_t start = offsetof(struct header, checksum);
	uint64_t want;
	unsigned sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= start && i < start + sizeof(h->checksum) ? ' ' : block[i];
	return get_octal(h->checksum, sizeof(h->checksum), &want) == 0 && want == sum;
}

/*
 * Reads a header into @e, which keeps the name and target that records have set. -ENOENT at the
 * end, -EBADMSG if it is none, -ENOTSUP for another kind of entry.
 */
static int tar_read_header(const unsigned char block[TAR_BLOCK], struct tar_entry *e)
{
	static const unsigned char zeros[BLOCK];
	struct header h;

	if (memcmp(block, zeros, BLOCK) == 0)
		return -ENOENT;
	memcpy(&h, block, sizeof(h));
	if (memcmp(h.magic, "ustar", 5) != 0 || !has_checksum(block, &h) ||
	    get_octal(h.size, sizeof(h.size), &e->size) < 0)
		return -EBADMSG;
	e->is_pax = h.type == TYPE_PAX;
	if (e->is_pax)
		return 0;
	if (h.type != TYPE_FILE && h.type != '\0' && h.type != TYPE_DIR &&
	    h.type != TYPE_LINK)
		return -ENOTSUP;
	e->type = h.type == TYPE_DIR	? TAR_DIR
		  : h.type == TYPE_LINK ? TAR_LINK
					: TAR_FILE;
	/* GNU's magic ends in a blank, and has other things where the prefix is. */
	if (!e->has_name)
		snprintf(e->name, sizeof(e->name), "%.*s%s%.*s",
			 h.magic[5] == '\0' ? (int)sizeof(h.prefix) : 0, h.prefix,
			 h.magic[5] == '\0' && h.prefix[0] != '\0' ? "/" : "",
			 (int)sizeof(h.name), h.name);
	if (!e->has_target)
		snprintf(e->target, sizeof(e->target), "%.*s", (int)sizeof(h.target),
			 h.target);
	return 0;
}

static int set_field(struct text value, char field[PATH_MAX], bool *ret)
{
	if (value.n == 0 || value.n >= PATH_MAX || memchr(value.p, '\0', value.n))
		return -EBADMSG;
	memcpy(field, value.p, value.n);
	field[value.n] = '\0';
	*ret = true;
	return 0;
}

/* -EBADMSG */
static int tar_read_pax(struct text records, struct tar_entry *e)
{
	while (records.n > 0) {
		struct text rest = records, digits, key;
		uint64_t length;
		int r = 0;

		if (!text_cut(&rest, ' ', &digits) ||
		    text_decimal(digits, records.n, &length) < 0 ||
		    length < digits.n + 3 || records.p[length - 1] != '\n')
			return -EBADMSG;
		rest = (struct text){records.p + digits.n + 1,
				     (size_t)length - digits.n - 2};
		if (!text_cut(&rest, '=', &key) || !rest.p)
			return -EBADMSG;
		if (text_is(key, "path"))
			r = set_field(rest, e->name, &e->has_name);
		else if (text_is(key, "linkpath"))
			r = set_field(rest, e->target, &e->has_target);
		if (r < 0)
			return r;
		records.p += length;
		records.n -= length;
	}
	return 0;
}

/* A file that is larger once it is unpacked is no recording: a big machine has 4 MiB. */
#define UNPACKED_MAX ((uint64_t)256 * 1024 * 1024)
#define ENTRIES_MAX  200000 /* with the folders above them */
#define DEPTH_MAX    64
#define PIECE_SIZE   (64 * 1024)

/* Links are made last: until then no name leads anywhere else. */
struct link {
	char *name, *target;
	struct link *next;
};

struct recording {
	int fd;
	bool is_gzip, has_stream, has_ended;
	z_stream z;
	unsigned char in[PIECE_SIZE];
	size_t in_used, in_count;
	uint64_t total; /* bytes that were unpacked */
	size_t entries;
	int folder;
	struct link *links;
	const char *message; /* what is wrong */
};

static char folder_name[sizeof(TEMPORARY_PATH "/earlybind.XXXXXX")];

static int fail(struct recording *r, const char *message)
{
	r->message = message;
	return -EBADMSG;
}

/* ---- bytes ---------------------------------------------------------------------------------- */

/* At the end of the file nothing is left in r->in. */
static int fill(struct recording *r)
{
	ssize_t n;

	if (r->in_used < r->in_count)
		return 0;
	do
		n = read(r->fd, r->in, sizeof(r->in));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	r->in_used = 0;
	r->in_count = (size_t)n;
	return 0;
}

static int read_plain(struct recording *r, unsigned char *p, size_t n)
{
	while (n > 0) {
		int e = fill(r);
		size_t part = MIN(n, r->in_count - r->in_used);

		if (e < 0)
			return e;
		if (part == 0)
			return fail(r, "it ends too early");
		memcpy(p, r->in + r->in_used, part);
		r->in_used += part;
		p += part;
		n -= part;
	}
	return 0;
}

/* Some more of what there is to come, at most what r->z has room for. */
static int unpack_some(struct recording *r)
{
	z_stream *z = &r->z;
	int e = fill(r), code;
	size_t given = r->in_count - r->in_used;

	if (e < 0)
		return e;
	if (given == 0)
		return fail(r, "it ends too early");
	z->next_in = r->in + r->in_used;
	z->avail_in = (unsigned)given;
	code = inflate(z, Z_NO_FLUSH);
	r->in_used += given - z->avail_in;
	r->has_ended = code == Z_STREAM_END;
	if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
		return fail(r, "what gzip compressed is damaged");
	return 0;
}

static int read_gzip(struct recording *r, unsigned char *p, size_t n)
{
	int e = 0;

	r->z.next_out = p;
	r->z.avail_out = (unsigned)n;
	while (r->z.avail_out > 0 && e == 0)
		e = r->has_ended ? fail(r, "it ends too early") : unpack_some(r);
	r->z.next_out = NULL;
	return e;
}

/* gzip's checksum stands behind all of it: what follows the last entry is read, too. */
static int check_end(struct recording *r)
{
	unsigned char rest[TAR_BLOCK];
	int e = 0;

	while (r->has_stream && !r->has_ended && e == 0) {
		r->z.next_out = rest;
		r->z.avail_out = sizeof(rest);
		e = unpack_some(r);
		r->total += sizeof(rest) - r->z.avail_out;
		if (e == 0 && r->total > UNPACKED_MAX)
			e = fail(r, "it is larger than 256 MiB once it is unpacked");
	}
	r->z.next_out = NULL;
	return e;
}

/* Exactly @n bytes, at most PIECE_SIZE. */
static int take(struct recording *r, void *p, size_t n)
{
	r->total += n;
	if (r->total > UNPACKED_MAX)
		return fail(r, "it is larger than 256 MiB once it is unpacked");
	return r->is_gzip ? read_gzip(r, p, n) : read_plain(r, p, n);
}

/* ---- names ---------------------------------------------------------------------------------- */

/* A name of the tree; "" is the tree itself. NULL: it leads out of it. */
static const char *check_name(char *name)
{
	size_t n;
	struct text rest, part;

	while (strncmp(name, "./", 2) == 0)
		name += 2;
	n = strlen(name);
	while (n > 0 && name[n - 1] == '/')
		name[--n] = '\0';
	if (strcmp(name, ".") == 0)
		return "";
	rest = text_of(name);
	while (text_cut(&rest, '/', &part))
		if (n > 0 && (part.n == 0 || text_is(part, ".") || text_is(part, "..")))
			return NULL;
	return name;
}

/* Whether the target of the link @name stays in the tree. */
static bool is_inside(const char *name, const char *target)
{
	struct text rest = text_of(target), part;
	size_t depth = 0;

	for (const char *p = strchr(name, '/'); p; p = strchr(p + 1, '/'))
		depth++;
	if (target[0] == '/' || target[0] == '\0')
		return false;
	while (text_cut(&rest, '/', &part)) {
		if (text_is(part, "..") && depth-- == 0)
			return false;
		if (part.n > 0 && !text_is(part, ".") && !text_is(part, ".."))
			depth++;
	}
	return true;
}

/* The folders above @name. There are no links yet that they could lead through. */
static int make_parents(struct recording *r, const char *name)
{
	char path[PATH_MAX];

	size_t depth = 0;

	if (strlen(name) >= sizeof(path))
		return fail(r, "a name in it is too long");
	strcpy(path, name);
	for (char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		if (++depth > DEPTH_MAX)
			return fail(r, "a name in it is too long");
		*p = '\0';
		if (mkdirat(r->folder, path, 0700) == 0)
			r->entries++;
		else if (errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return 0;
}

/* ---- entries -------------------------------------------------------------------------------- */

static int skip(struct recording *r, uint64_t n)
{
	static unsigned char piece[PIECE_SIZE];
	int e = 0;

	for (; n > 0 && e == 0; n -= MIN(n, sizeof(piece)))
		e = take(r, piece, (size_t)MIN(n, sizeof(piece)));
	return e;
}

static uint64_t padding(uint64_t size)
{
	return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

static int put_file(struct recording *r, const char *name, uint64_t size)
{
	static unsigned char piece[PIECE_SIZE];
	int fd = openat(r->folder, name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int e = fd < 0 ? -errno : 0;

	for (uint64_t left = size; left > 0 && e == 0;) {
		size_t n = (size_t)MIN(left, sizeof(piece));

		e = take(r, piece, n);
		if (e == 0 && write(fd, piece, n) != (ssize_t)n)
			e = -EIO;
		left -= n;
	}
	if (fd >= 0)
		close(fd);
	return e < 0 ? e : skip(r, padding(size));
}

static int keep_link(struct recording *r, const char *name, const char *target)
{
	struct link *l;

	if (!is_inside(name, target))
		return fail(r, "a link in it leads out of it");
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = (struct link){strdup(name), strdup(target), r->links};
	r->links = l;
	return l->name && l->target ? 0 : -ENOMEM;
}

static int make_links(struct recording *r)
{
	for (const struct link *l = r->links; l; l = l->next)
		if (symlinkat(l->target, r->folder, l->name) < 0)
			return -errno;
	return 0;
}

static int put_entry(struct recording *r, const struct tar_entry *e)
{
	char copy[PATH_MAX];
	const char *name;
	int code;

	if (++r->entries > ENTRIES_MAX)
		return fail(r, "there are more than 200000 entries in it");
	strcpy(copy, e->name);
	name = check_name(copy);
	if (!name)
		return fail(r, "a name in it leads out of it");
	if (name[0] == '\0')
		return skip(r, e->size + padding(e->size));
	code = make_parents(r, name);
	if (code < 0)
		return code;
	switch (e->type) {
	case TAR_FILE:
		return put_file(r, name, e->size);
	case TAR_DIR:
		code = mkdirat(r->folder, name, 0700) < 0 && errno != EEXIST ? -errno : 0;
		return code < 0 ? code : skip(r, e->size + padding(e->size));
	case TAR_LINK:
		code = keep_link(r, name, e->target);
		return code < 0 ? code : skip(r, e->size + padding(e->size));
	}
	return 0;
}

static int take_pax(struct recording *r, uint64_t size, struct tar_entry *e)
{
	char records[2 * PATH_MAX + 256];
	int code;

	if (size > sizeof(records))
		return fail(r, "a name in it is too long");
	code = take(r, records, (size_t)size);
	if (code == 0)
		code = skip(r, padding(size));
	if (code == 0 && tar_read_pax((struct text){records, (size_t)size}, e) < 0)
		code = fail(r, "it is damaged");
	return code;
}

static int unpack(struct recording *r)
{
	struct tar_entry e = {.name = ""};
	unsigned char block[TAR_BLOCK];
	int code;

	for (;;) {
		code = take(r, block, sizeof(block));
		if (code < 0)
			return code;
		code = tar_read_header(block, &e);
		if (code == -ENOENT) {
			code = check_end(r);
			return code < 0 ? code : make_links(r);
		}
		if (code < 0)
			return fail(
				r,
				code == -ENOTSUP
					? "it has an entry that is no file, folder or link"
					: "it is no tar file, or damaged");
		code = e.is_pax ? take_pax(r, e.size, &e) : put_entry(r, &e);
		if (code < 0)
			return code;
		if (!e.is_pax)
			e = (struct tar_entry){.name = ""};
	}
}

/* ---- the folder ----------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st unused, int type unused,
		      struct FTW *ftw unused)
{
	(void)remove(path);
	return 0;
}

static void remove_folder(void)
{
	(void)nftw(folder_name, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int open_folder(struct recording *r)
{
	strcpy(folder_name, TEMPORARY_PATH "/earlybind.XXXXXX");
	if (!mkdtemp(folder_name))
		return -errno;
	(void)atexit(remove_folder);
	r->folder = open(folder_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return r->folder < 0 ? -errno : 0;
}

static int start(struct recording *r)
{
	int e = fill(r);

	if (e < 0)
		return e;
	r->is_gzip = r->in_count >= 2 && r->in[0] == 0x1f && r->in[1] == 0x8b;
	if (!r->is_gzip)
		return 0;
	r->has_stream = inflateInit2(&r->z, 16 + MAX_WBITS) == Z_OK;
	return r->has_stream ? 0 : -ENOMEM;
}

static void finish(struct recording *r)
{
	if (r->has_stream)
		inflateEnd(&r->z);
	if (r->folder >= 0)
		close(r->folder);
	close(r->fd);
	while (r->links) {
		struct link *next = r->links->next;

		free(r->links->name);
		free(r->links->target);
		free(r->links);
		r->links = next;
	}
}

const char *recording_open(const char *path)
{
	static struct recording r;
	struct stat st;
	int e;

	r = (struct recording){.folder = -1};
	if (stat(path, &st) < 0 || S_ISDIR(st.st_mode))
		return path;
	if (!S_ISREG(st.st_mode)) {
		say_error("%s is neither a folder nor a recording", path);
		return NULL;
	}
	r.fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	e = r.fd < 0 ? -errno : 0;
	if (e == 0)
		e = start(&r);
	if (e == 0)
		e = open_folder(&r);
	if (e == 0)
		e = unpack(&r);
	if (r.fd >= 0)
		finish(&r);
	if (e == 0)
		return folder_name;
	say_error("%s cannot be unpacked: %s", path,
		  r.message ? r.message : errno_text(e));
	return NULL;
}
