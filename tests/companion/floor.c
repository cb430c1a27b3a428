/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must be read of each function to list it, and nothing else: usage: floor SYS. The floor
 * that tests/companion/bench.py compares earlybind list and plan with.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char *const attributes[] = {
	"modalias", "secondary_bus_number", "driver_override", "revision", "reset_method",
};
static const char *const links[] = {"driver", "iommu_group", "virtfn0"};

int main(int argc, char **argv)
{
	char path[512], buf[4096];
	struct dirent *entry;
	DIR *devices = NULL;
	ssize_t sum = 0;
	int root = -1;

	if (argc == 2)
		root = open(argv[1], O_RDONLY | O_DIRECTORY);
	snprintf(path, sizeof(path), "%s/bus/pci/devices", argc == 2 ? argv[1] : "");
	devices = opendir(path);
	if (root < 0 || !devices)
		return 1;
	while ((entry = readdir(devices))) {
		for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
			int fd;

			snprintf(path, sizeof(path), "bus/pci/devices/%s/%s",
				 entry->d_name, attributes[i]);
			fd = openat(root, path, O_RDONLY);
			if (fd < 0)
				continue;
			sum += read(fd, buf, sizeof(buf));
			close(fd);
		}
		for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
			snprintf(path, sizeof(path), "bus/pci/devices/%s/%s",
				 entry->d_name, links[i]);
			sum += readlinkat(root, path, buf, sizeof(buf));
		}
	}
	return sum > 0 ? 0 : 1;
}
