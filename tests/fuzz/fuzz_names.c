/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libpci and libkmod read for the companion, by their own readers: '0' as the first byte is a
 * pci.ids, anything else a file of modprobe.d. The libraries are as they are in the programs, without
 * sanitizers; their memory is ASan's.
 */
#include "fuzz.h"

#include <libkmod.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <unistd.h>

static jmp_buf on_error;

static void __attribute__((noreturn)) refuse(char *format unused, ...)
{
	longjmp(on_error, 1);
}

static void read_names(const char *path)
{
	struct pci_access *access = pci_alloc();
	char buf[512];

	access->error = refuse;
	pci_set_name_list_path(access, strdup(path), 1);
	if (setjmp(on_error) == 0)
		pci_load_name_list(access);
	if (setjmp(on_error) == 0)
		for (int i = 0; i < 4; i++) {
			const int flags[] = {PCI_LOOKUP_VENDOR, PCI_LOOKUP_DEVICE,
					     PCI_LOOKUP_SUBSYSTEM | PCI_LOOKUP_DEVICE,
					     PCI_LOOKUP_CLASS};
			const char *name = pci_lookup_name(
				access, buf, sizeof(buf),
				flags[i] | PCI_LOOKUP_NO_NUMBERS,
				i == 3 ? 0x0300 : 0x10de, 0x2489, 0x10de, 0x228b);

			require(!name || strlen(name) < sizeof(buf));
		}
	pci_free_name_list(access);
	pci_cleanup(access);
}

static void read_options(const char *path)
{
	const char *const files[] = {path, NULL};
	struct kmod_ctx *ctx = kmod_new("/nowhere", files);
	struct kmod_config_iter *iter = ctx ? kmod_config_get_options(ctx) : NULL;

	while (iter && kmod_config_iter_next(iter))
		require(kmod_config_iter_get_key(iter)[0] != '\n');
	if (iter)
		kmod_config_iter_free_iter(iter);
	if (ctx)
		kmod_unref(ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char path[64];

	if (size == 0)
		return 0;
	if (fd < 0)
		fd = memfd_create("names", MFD_CLOEXEC);
	require(fd >= 0 && ftruncate(fd, 0) == 0);
	require(pwrite(fd, data + 1, size - 1, 0) == (ssize_t)(size - 1));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (data[0] == '0')
		read_names(path);
	else
		read_options(path);
	return 0;
}
