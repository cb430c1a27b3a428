/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "module_alias.h"

#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "modalias.h"

struct text aliases_read(struct kmod_ctx *ctx)
{
	int fd = memfd_create("aliases", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct text none = {NULL, 0}, aliases = none;
	off_t used = -1;
	char *p;

	if (fd < 0)
		return none;
	/* Sealed: whatever is in the index, it takes no more memory than that. */
	if (ftruncate(fd, ALIASES_SIZE_MAX) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0 &&
	    kmod_dump_index(ctx, KMOD_INDEX_MODULES_ALIAS, fd) == 0) {
		(void)kmod_dump_index(ctx, KMOD_INDEX_MODULES_BUILTIN_ALIAS, fd);
		used = lseek(fd, 0, SEEK_CUR);
	}
	if (used > 0) {
		p = mmap(NULL, (size_t)used, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p != MAP_FAILED)
			aliases = (struct text){p, (size_t)used};
	}
	close(fd);
	return aliases.p || used != 0 ? aliases : TEXT("");
}

static bool has_module(void *arg, const char *name)
{
	return modload_has_module(arg, name);
}

int aliases_find_variant(const char *const dirs[MODULE_DIRS_MAX], const char *modalias,
			 struct job_result *ret)
{
	static struct text aliases[MODULE_DIRS_MAX];
	char name[DRIVER_NAME_SIZE];
	struct pci_ids ids;
	int r = modalias_parse(text_of(modalias), &ids);

	for (size_t i = 0; i < MODULE_DIRS_MAX && dirs[i] && r == 0; i++) {
		struct kmod_ctx *ctx = modload_kept_context(i, dirs[i]);

		if (!ctx)
			return -ENOMEM;
		if (!aliases[i].p)
			aliases[i] = aliases_read(ctx);
		/* There is none in an image whose modules are all in the other folder. */
		if (!aliases[i].p ||
		    variant_find(aliases[i], &ids, has_module, ctx, name) < 0)
			continue;
		ret->length = (uint32_t)strlen(name);
		memcpy(ret->text, name, ret->length);
		return 0;
	}
	return r < 0 ? r : -ENOENT;
}
