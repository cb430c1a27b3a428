/*
 * reader: the least that a program must read to know that it has nothing to do
 *
 * Usage: reader bus       lists the PCI functions and reads the IDs of each, as the binder does
 *                         of those that no rule is about
 *        reader cmdline   reads the kernel command line
 *        reader sources   reads the kernel command line and the files of modprobe.d
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char buf[32 * 1024];

static ssize_t take(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, buf, sizeof(buf));
		close(fd);
	}
	return n;
}

/* Reads in each entry of a folder the file @name, or the entry itself. */
static int take_all(const char *folder, const char *name)
{
	char path[512];
	struct dirent *entry;
	DIR *dir = opendir(folder);

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s%s", entry->d_name, name);
		(void)take(dirfd(dir), path);
	}
	closedir(dir);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const folders[] = {"/etc/modprobe.d", "/run/modprobe.d",
					      "/usr/local/lib/modprobe.d",
					      "/usr/lib/modprobe.d", "/lib/modprobe.d"};

	if (argc != 2)
		return 2;
	if (strcmp(argv[1], "bus") == 0)
		return take_all("/sys/bus/pci/devices", "/modalias") < 0;
	if (take(AT_FDCWD, "/proc/cmdline") < 0)
		return 1;
	if (strcmp(argv[1], "sources") == 0)
		for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
			(void)take_all(folders[i], "");
	return 0;
}
