/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one way to change a file of the machine: configuration, settings of boot loaders, state.
 *
 *	edit_lock() - edit_file_read() - edit_file_replace() - lock_release()
 *
 * The lock is held from the read to the write, so that no other edit is lost. A file is
 * replaced as a whole: whatever fails, and whenever the program is killed, the old or the new
 * file is there. Symbolic links are followed and kept. Owner, mode, ACL and extended attributes
 * are kept; at no moment can anybody read the new file who could not read the old one.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

#define EDIT_WAIT_SECONDS 30

/*
 * Takes the lock of all edits below @sysroot (NULL: this machine). Another program may hold it
 * for @seconds at most. Says who holds it, or what is wrong; -EBUSY, -errno. *ret is for
 * lock_release(). Where the file system knows no locks, none is taken.
 */
int edit_lock(const char *sysroot, unsigned seconds, int *ret) must_check nonnull(3);

struct edit_file {
	const char *name; /* as users know it: without the sysroot */
	const char *sysroot; /* NULL: this machine */
	bool is_outside; /* named by the user: not below the sysroot */
	mode_t mode; /* of a new file */
	const char *like; /* a new file gets owner, mode and so on of this one, or NULL */
	/* What reads such a file: 0 if @bytes are what they must be. NULL: anything may be there. */
	int (*check)(const void *arg, struct text bytes);
	const void *arg;
};

/* The file as it is, at most @max bytes; p is NULL where there is none. -EINVAL: no file. */
int edit_file_read(const struct edit_file *f, struct arena *arena, size_t max,
		   struct text *ret) must_check nonnull(1, 2, 4);

/*
 * @old, which was read from it, becomes @new. p is NULL: there is no file; missing folders of
 * a new one are made, and that a file goes is no error where it is gone. -ESTALE: somebody else
 * changed it since it was read. -EBADMSG: what was written does not read as @new, or check()
 * refuses it. The old file is there after each failure but one: where the folder cannot be
 * synced, the new one is.
 */
int edit_file_replace(const struct edit_file *f, struct text old, struct text new,
		      struct arena *arena) must_check nonnull(1, 4);

/* Says why the file could not be replaced, and what to do. */
void edit_file_say(const struct edit_file *f, int error) nonnull(1);
