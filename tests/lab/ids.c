/*
 * ids: loads vfio-pci once with each line of its input as parameters, and takes it out again
 *
 * Usage: ids MODULE <STRINGS
 *
 * "\0240" in a line is the byte with that octal number, "\\" a backslash. In the kernel log
 * stands then, for the N-th line:
 *   lab: ids N                                 what the module and the kernel say
 *   lab: ids N: ERROR; FUNCTION FUNCTION...    comes in between; ERROR is "-" for none
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME   "vfio_pci"
#define DRIVER "/sys/bus/pci/drivers/vfio-pci"

/* include/uapi/linux/module.h */
#define MODULE_INIT_COMPRESSED_FILE 4

static void decode(char *line)
{
	char *to = line;

	for (const char *p = line; *p; p++) {
		if (*p != '\\') {
			*to++ = *p;
		} else if (*++p == '0') {
			unsigned value = 0;

			for (int i = 0; i < 3 && p[1] >= '0' && p[1] <= '7'; i++)
				value = value * 8 + (unsigned)(*++p - '0');
			*to++ = (char)value;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

static int load(const char *module, const char *parameters)
{
	size_t length = strlen(module);
	int is_plain = length > 3 && strcmp(module + length - 3, ".ko") == 0;
	int fd = open(module, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return errno;
	r = syscall(SYS_finit_module, fd, parameters,
		    is_plain ? 0 : MODULE_INIT_COMPRESSED_FILE) < 0
		    ? errno
		    : 0;
	close(fd);
	return r;
}

static void put_functions(char *buf, size_t size)
{
	DIR *dir = opendir(DRIVER);
	struct dirent *entry;
	size_t used = 0;

	buf[0] = '\0';
	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, "0000:", 5) == 0 && used < size)
			used += (size_t)snprintf(buf + used, size - used, " %s",
						 entry->d_name);
	if (dir)
		closedir(dir);
}

int main(int argc, char **argv)
{
	char *line = NULL, functions[1024];
	int kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	unsigned n = 0;
	size_t size = 0;

	if (argc != 2 || kmsg < 0)
		return EXIT_FAILURE;
	while (getline(&line, &size, stdin) > 0) {
		int error;

		line[strcspn(line, "\n")] = '\0';
		decode(line);
		dprintf(kmsg, "<6>lab: ids %u\n", ++n);
		error = load(argv[1], line);
		put_functions(functions, sizeof(functions));
		dprintf(kmsg, "<6>lab: ids %u: %s;%s\n", n, error ? strerror(error) : "-",
			functions);
		while (error == 0 && syscall(SYS_delete_module, NAME, O_NONBLOCK) < 0 &&
		       errno != ENOENT)
			usleep(1000);
	}
	dprintf(kmsg, "<6>lab: ids end\n");
	return EXIT_SUCCESS;
}
