/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pci_names.h"

#include <errno.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accel.h"
#include "confined.h"
#include "message.h"
#include "paths.h"

#define NAME_SIZE    512
#define NAME_SECONDS 10

struct question {
	int flags; /* PCI_LOOKUP_ */
	int numbers[4]; /* as pci_lookup_name() wants them */
};

struct names {
	const char *path;
	struct confined child;
	bool is_asked, has_failed;
};

/* ---- the child ----------------------------------------------------------------------------- */

struct server {
	const char *path;
	struct pci_access *access;
	char error[NAME_SIZE];
};

/* libpci wants an error handler that does not return. */
static jmp_buf on_error;
static struct server *failed;

static void __attribute__((noreturn)) printf_like(1, 2) libpci_error(char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(failed->error, sizeof(failed->error), format, ap);
	va_end(ap);
	longjmp(on_error, 1);
}

static void load(void *arg)
{
	struct server *s = failed = arg;

	s->access = pci_alloc();
	s->access->error = libpci_error;
	pci_set_name_list_path(s->access, (char *)s->path, 0);
	if (setjmp(on_error) == 0)
		pci_load_name_list(s->access);
}

/* What is wrong with the file comes first. */
static void serve(void *arg, struct confined_out *out)
{
	struct server *s = arg;
	struct question q;

	confined_put_text(out, text_trim(text_of(s->error)));
	for (;;) {
		char buf[NAME_SIZE];
		const char *name;

		confined_take(out, &q, sizeof(q));
		name = pci_lookup_name(s->access, buf, sizeof(buf),
				       q.flags | PCI_LOOKUP_NO_NUMBERS, q.numbers[0],
				       q.numbers[1], q.numbers[2], q.numbers[3]);
		confined_put_text(out, text_of(name ? name : ""));
	}
}

/* ---- the parent ---------------------------------------------------------------------------- */

static const char *find_file(struct arena *arena, const char *sysroot)
{
	static const char *const paths[] = {PCI_IDS_PATHS};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const char *path =
			arena_printf(arena, "%s%s", sysroot ? sysroot : "", paths[i]);

		if (path && access(path, R_OK) == 0)
			return path;
	}
	return NULL;
}

int names_open(struct arena *arena, const char *sysroot, const char *path,
	       struct names **ret)
{
	struct server server = {0};
	struct names *names;
	int r;

	*ret = NULL;
	if (!path)
		path = find_file(arena, sysroot);
	if (!path)
		return -ENOENT;
	if (access(path, R_OK) < 0)
		return -errno;
	names = arena_alloc(arena, 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	names->path = server.path = path;
	names->child.seconds = NAME_SECONDS;
	names->child.prepare = load;
	r = confined_start(&names->child, serve, &server);
	if (r < 0)
		return r;
	*ret = names;
	return 0;
}

static const char *fail(struct names *names, int r)
{
	if (!names->has_failed)
		say_error("the names of devices are not complete: %s: %s", names->path,
			  r == -ETIMEDOUT ? "reading it took too long"
					  : "the process that read it ended");
	names->has_failed = true;
	(void)confined_end(&names->child);
	return NULL;
}

/* What is wrong with the file is said with the first name: until then the child reads it. */
static int take_error(struct names *names, struct arena *arena)
{
	struct text t;
	int r = confined_read_text(&names->child, NAME_SIZE, arena, &t);

	if (r == 0 && t.n > 0)
		say_error("the names of devices are not complete: %.*s", (int)t.n, t.p);
	names->is_asked = true;
	return r;
}

static const char *look_up(struct names *names, struct arena *arena, struct question q)
{
	struct text name;
	int r;

	if (!names || names->has_failed)
		return NULL;
	r = names->is_asked ? 0 : take_error(names, arena);
	if (r == 0)
		r = confined_ask(&names->child, &q, sizeof(q));
	if (r == 0)
		r = confined_read_text(&names->child, NAME_SIZE, arena, &name);
	if (r != 0)
		return fail(names, r);
	return name.n > 0 ? name.p : NULL;
}

const char *names_class(struct names *names, const struct pci_ids *ids,
			struct arena *arena)
{
	const char *name =
		look_up(names, arena,
			(struct question){PCI_LOOKUP_CLASS, {(int)(ids->class >> 8)}});
	const char *number = name ? strstr(name, " [") : NULL;

	/* libpci adds the number where it knows the base class only. */
	return number ? arena_copy(arena, (struct text){name, (size_t)(number - name)})
		      : name;
}

const char *names_vendor(struct names *names, unsigned vendor, struct arena *arena)
{
	return look_up(names, arena, (struct question){PCI_LOOKUP_VENDOR, {(int)vendor}});
}

const char *names_device(struct names *names, const struct pci_ids *ids,
			 struct arena *arena)
{
	const char *name =
		look_up(names, arena,
			(struct question){PCI_LOOKUP_DEVICE, {ids->vendor, ids->device}});

	/* By its class alone, the table knows no more of a card than the class says. */
	if (name || accel_find(ids) < 0 || accel_role(ids) == ACCEL_GPU_CLASS)
		return name;
	return accel_card_name(accel_find(ids));
}

const char *names_subsystem(struct names *names, const struct pci_ids *ids,
			    struct arena *arena)
{
	return look_up(names, arena,
		       (struct question){PCI_LOOKUP_SUBSYSTEM | PCI_LOOKUP_DEVICE,
					 {ids->vendor, ids->device, ids->subvendor,
					  ids->subdevice}});
}

/* The lists of mk/accel.awk. */
#define ACCEL_LEAF(...)
#define ACCEL_SUB(...)
#define ACCEL_VENDOR(...)

static const char *const card_names[] = {
#define ACCEL_GROUP(...)
#define ACCEL_ENTRY(device, subsystem, leaf, name) name,
#include "accel.inc"
#undef ACCEL_GROUP
#undef ACCEL_ENTRY
};

static const char *const descriptions[] = {
#define ACCEL_ENTRY(...)
#define ACCEL_GROUP(name, leaves, description) description,
#include "accel.inc"
};

const char *accel_card_name(int entry)
{
	return entry >= 0 && (size_t)entry < ARRAY_SIZE(card_names) ? card_names[entry]
								    : "";
}

const char *accel_group_description(unsigned group)
{
	return group < ARRAY_SIZE(descriptions) ? descriptions[group] : NULL;
}
