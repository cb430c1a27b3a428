/*
 * floor: the least that binding devices to vfio-pci can cost
 *
 * Usage: floor MODULES ADDRESS...
 *        floor MODULES --ids VENDOR:DEVICE...
 *
 * With --ids it finds the devices by the bare loop over modalias, as what is told only the IDs must.
 *
 * The same system calls as the binder's, and nothing else: no rules, no configuration, no
 * search for modules (MODULES lists their files, one a line, in the order of dependency),
 * no report. It writes the overrides, loads the modules, binds what the loading has not
 * bound, and reads the links back. Exit code 0 if every device is on vfio-pci.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEVICES	   "/sys/bus/pci/devices/"
#define BIND	   "/sys/bus/pci/drivers/vfio-pci/bind"
#define DRIVER	   "vfio-pci"
#define COMPRESSED 4 /* MODULE_INIT_COMPRESSED_FILE */
#define FOUND_MAX  64

static int store(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written = -1;

	if (fd >= 0) {
		written = write(fd, text, strlen(text));
		close(fd);
	}
	if (written < 0)
		perror(path);
	return written < 0 ? -1 : 0;
}

static int is_bound(const char *address)
{
	char path[128], target[256];
	ssize_t length;

	snprintf(path, sizeof(path), DEVICES "%s/driver", address);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return 0;
	target[length] = '\0';
	return strcmp(strrchr(target, '/') + 1, DRIVER) == 0;
}

static int load(const char *path)
{
	const char *dot = strrchr(path, '.');
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = -1;

	if (fd >= 0) {
		r = (int)syscall(SYS_finit_module, fd, "",
				 dot && strcmp(dot, ".ko") != 0 ? COMPRESSED : 0);
		close(fd);
	}
	if (r < 0)
		perror(path);
	return r;
}

/* The steps are functions that are not inlined: the measurement sets its marks on them. */
static __attribute__((noinline)) int claim(char *const *devices)
{
	char path[512];

	for (; *devices; devices++) {
		snprintf(path, sizeof(path), DEVICES "%s/driver_override", *devices);
		if (store(path, DRIVER) < 0)
			return 1;
	}
	return 0;
}

static __attribute__((noinline)) int load_modules(const char *list)
{
	FILE *modules = fopen(list, "re");
	char path[512];

	if (!modules)
		return 2;
	while (fgets(path, sizeof(path), modules)) {
		path[strcspn(path, "\n")] = '\0';
		if (load(path) < 0)
			return 1;
	}
	fclose(modules);
	return 0;
}

static __attribute__((noinline)) int bind_left(char *const *devices)
{
	for (; *devices; devices++)
		if (!is_bound(*devices) && store(BIND, *devices) < 0)
			return 1;
	return 0;
}

static __attribute__((noinline)) int verify(char *const *devices)
{
	for (; *devices; devices++)
		if (!is_bound(*devices))
			return 1;
	return 0;
}

static int has_id(int devices, const char *address, char *const *ids)
{
	char path[300], alias[128];
	unsigned vendor, device, v, d;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/modalias", address);
	fd = openat(devices, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, alias, sizeof(alias) - 1);
		close(fd);
	}
	if (n < 0)
		return 0;
	alias[n] = '\0';
	if (sscanf(alias, "pci:v%8xd%8x", &vendor, &device) != 2)
		return 0;
	for (; *ids; ids++)
		if (sscanf(*ids, "%x:%x", &v, &d) == 2 && v == vendor && d == device)
			return 1;
	return 0;
}

/* The addresses of the devices with one of the IDs; NULL ends the list. */
static char **find(char *const *ids)
{
	static char *found[FOUND_MAX + 1];
	DIR *dir = opendir(DEVICES);
	struct dirent *entry;
	size_t count = 0;

	while (dir && count < FOUND_MAX && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && has_id(dirfd(dir), entry->d_name, ids))
			found[count++] = strdup(entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

int main(int argc, char **argv)
{
	char **devices = argv + 2;
	int r;

	if (argc < 3)
		return 2;
	if (strcmp(argv[2], "--ids") == 0)
		devices = find(argv + 3);
	r = claim(devices);
	if (r == 0)
		r = load_modules(argv[1]);
	if (r == 0)
		r = bind_left(devices);
	return r == 0 ? verify(devices) : r;
}
