/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /init of the machines of tests/groups: sends what earlybind says of the machine over the
 * second serial port, each as a line "FILE name size" with the bytes behind it, and powers off.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define EARLYBIND "/earlybind"
#define CAPTURE	  "/capture.tar.gz"

static void run(const char *const argv[], const char *output)
{
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0644);

		if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
			_exit(126);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void send_all(int to, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(to, p, n);

		if (w <= 0)
			return;
		p += w;
		n -= (size_t)w;
	}
}

static void send_file(int to, const char *path)
{
	int fd = open(path, O_RDONLY);
	char buf[4096];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	n = snprintf(buf, sizeof(buf), "FILE %s %lld\n", path + 1, (long long)st.st_size);
	send_all(to, buf, (size_t)n);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		send_all(to, buf, (size_t)n);
	close(fd);
}

static void mount_on(const char *type, const char *path)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, NULL) < 0)
		printf("%s cannot be mounted\n", path);
}

int main(void)
{
	static const char *const capture[] = {EARLYBIND, "capture", "--output", CAPTURE,
					      NULL};
	static const char *const list[] = {EARLYBIND, "list",	"--by", "group",
					   "--why",   "--json", NULL};
	struct termios raw;
	int to;

	mount_on("proc", "/proc");
	mount_on("sysfs", "/sys");
	mount_on("devtmpfs", "/dev");
	to = open("/dev/ttyS1", O_RDWR | O_NOCTTY);
	if (to >= 0 && tcgetattr(to, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(to, TCSANOW, &raw);
		run(capture, "/capture.txt");
		run(list, "/list.json");
		send_file(to, CAPTURE);
		send_file(to, "/list.json");
		send_all(to, "END\n", 4);
		tcdrain(to);
	}
	reboot(RB_POWER_OFF);
	return 0;
}
