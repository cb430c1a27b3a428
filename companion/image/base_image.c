/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base_image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "paths.h"
#include "reason.h"

#define CHUNK ((size_t)1024 * 1024)

/*
 * How an initramfs begins: cpio (init/initramfs.c: do_header()), or compressed in a way that
 * some kernel was built for (lib/decompress.c).
 */
static const struct text magics[] = {
	{"070701", 6},		 {"070702", 6},	 {"\037\213", 2},
	{"\037\236", 2},	 {"BZh", 3},	 {"\135\0\0", 3},
	{"\3757zXZ", 5},	 {"\211LZO", 4}, {"\002\041\114\030", 4},
	{"\050\265\057\375", 4},
};

static bool is_initramfs(struct text bytes)
{
	/* The kernel passes over NUL bytes in front of an archive. */
	while (bytes.n > 0 && bytes.p[0] == '\0') {
		bytes.p++;
		bytes.n--;
	}
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (bytes.n >= magics[i].n &&
		    memcmp(bytes.p, magics[i].p, magics[i].n) == 0)
			return true;
	return false;
}

static ssize_t read_some(int fd, char *buf, size_t n, off_t offset)
{
	ssize_t got;

	do {
		got = pread(fd, buf, n, offset);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static int check_start(const struct original *o)
{
	char buf[4096];
	ssize_t n = read_some(o->fd, buf, sizeof(buf), 0);

	if (n < 0) {
		say_error("%s: it cannot be read: %s", o->path, errno_text((int)n));
		return (int)n;
	}
	if (n >= 2 && memcmp(buf, "MZ", 2) == 0) {
		say_error("%s: this is an EFI program, and nothing can be appended to "
			  "one: write a file of its own, without --append, and give it "
			  "to ukify with a second --initrd",
			  o->path);
		return -EINVAL;
	}
	if (!is_initramfs((struct text){buf, (size_t)n})) {
		say_error("%s: this is no initramfs: it does not begin as one", o->path);
		return -EINVAL;
	}
	return 0;
}

int original_open(struct original *o, const char *path, const char *output)
{
	struct stat out;
	int r;

	*o = (struct original){.path = path};
	/* Not blocked by a FIFO. */
	o->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (o->fd < 0 || fstat(o->fd, &o->st) < 0) {
		r = -errno;
		say_error("%s: it cannot be read: %s", path, errno_text(r));
		return r;
	}
	if (!S_ISREG(o->st.st_mode)) {
		say_error("%s: it is no file", path);
		return -EINVAL;
	}
	if (stat(output, &out) == 0 && out.st_dev == o->st.st_dev &&
	    out.st_ino == o->st.st_ino) {
		say_error("%s: this is the image itself: write another file, boot that, "
			  "and keep the one that boots today",
			  output);
		return -EINVAL;
	}
	return check_start(o);
}

int original_copy(struct original *o, struct new_file *to)
{
	/* As it stands in an archive: the name and its NUL. */
	static const char name[] = BINDER_PATH;
	static char buf[sizeof(name) + CHUNK];
	const size_t length = sizeof(name) - 1; /* without the slash in front */
	size_t kept = 0; /* the end of the piece before: the name may be cut */
	off_t offset = 0;

	while (offset < o->st.st_size) {
		ssize_t n = read_some(o->fd, buf + kept, CHUNK, offset);
		int r;

		if (n == 0)
			n = -ESTALE; /* it was cut meanwhile */
		if (n < 0)
			return (int)n;
		if (n > o->st.st_size - offset)
			n = (ssize_t)(o->st.st_size - offset);
		r = new_file_write(to, (struct text){buf + kept, (size_t)n});
		if (r < 0)
			return r;
		offset += n;
		kept += (size_t)n;
		o->has_binder = o->has_binder || memmem(buf, kept, name + 1, length);
		if (kept > length) {
			memmove(buf, buf + kept - length, length);
			kept = length;
		}
	}
	return 0;
}

const char *original_version(const struct original *o, struct arena *arena)
{
	static const char *const prefixes[] = {"initrd.img-", "initramfs-", "initrd-"};
	static const char suffix[] = ".img";
	const char *slash = strrchr(o->path, '/');
	struct text name = text_of(slash ? slash + 1 : o->path);

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (!text_has_prefix(name, prefixes[i]))
			continue;
		name.n -= strlen(prefixes[i]);
		name.p += strlen(prefixes[i]);
		if (name.n > sizeof(suffix) - 1 &&
		    memcmp(name.p + name.n - (sizeof(suffix) - 1), suffix,
			   sizeof(suffix) - 1) == 0)
			name.n -= sizeof(suffix) - 1;
		/* Not the "linux" of initramfs-linux.img. */
		if (name.n > 0 && name.p[0] >= '0' && name.p[0] <= '9')
			return arena_copy(arena, name);
		return NULL;
	}
	return NULL;
}
