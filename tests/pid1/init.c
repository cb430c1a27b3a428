/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the binder becomes in the tests of PID 1: says in /out/result what it found, one fact
 * a line. It mounts its own /proc for that, at /out/proc, after it has looked at the mounts.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Copies the lines that begin with @start. */
static void copy_lines(FILE *out, const char *path, const char *start)
{
	FILE *in = fopen(path, "re");
	char line[4096];

	while (in && fgets(line, sizeof(line), in))
		if (strncmp(line, start, strlen(start)) == 0)
			fputs(line, out);
	if (in)
		fclose(in);
}

int main(int argc, char **argv)
{
	static const char *const reports[] = {"/run/earlybind/report.json",
					      "/dev/.earlybind/report.json"};
	char line[4096], place[4096], type[64];
	int fds[64];
	FILE *out, *in;

	for (int fd = 0; fd < 64; fd++)
		fds[fd] = fcntl(fd, F_GETFD) >= 0;
	out = fopen("/out/result", "we");
	if (!out)
		return EXIT_FAILURE;
	fprintf(out, "pid %d\n", (int)getpid());
	for (int i = 0; i < argc; i++)
		fprintf(out, "arg %s\n", argv[i]);
	fprintf(out, "HOME %s\n", getenv("HOME") ? getenv("HOME") : "(unset)");
	for (int fd = 0; fd < 64; fd++)
		if (fds[fd])
			fprintf(out, "fd %d\n", fd);
	for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++)
		if (access(reports[i], F_OK) == 0)
			fprintf(out, "report %s\n", reports[i]);
	(void)mkdir("/out/proc", 0755);
	if (mount("proc", "/out/proc", "proc", 0, NULL) < 0)
		fputs("no proc\n", out);
	in = fopen("/out/proc/self/mountinfo", "re");
	while (in && fgets(line, sizeof(line), in))
		if (sscanf(line, "%*s %*s %*s %*s %4095s %*s %*s - %63s", place, type) ==
			    2 ||
		    sscanf(line, "%*s %*s %*s %*s %4095s %*s - %63s", place, type) == 2)
			if (strncmp(place, "/out", 4) != 0)
				fprintf(out, "mount %s %s\n", place, type);
	if (in)
		fclose(in);
	copy_lines(out, "/out/proc/self/status", "SigBlk");
	copy_lines(out, "/out/proc/self/status", "SigIgn");
	copy_lines(out, "/out/proc/self/status", "SigCgt");
	return fclose(out) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
