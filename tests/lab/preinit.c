/*
 * preinit: PID 1 of a lab machine for its first moments
 *
 * The image under test is exactly what update-initramfs made. What the lab needs before
 * any of it runs comes in a second, small cpio archive that is appended to the image:
 *
 *   /lab/preinit              this program (rdinit=/lab/preinit)
 *   /lab/insert               modules to load, one a line: file in /lab, parameters; with
 *                             " &" at the end a process of its own does it meanwhile
 *   /lab/lab_identity.ko      gives the emulated functions the identity of the card
 *   /lab/root.img, optional   is made /dev/loop0, with loop.ko in /lab/insert: a real root that
 *                             no disk has to be waited for
 *   /lab/next, optional       what comes next in place of /init, one line
 *   /lab/bench, optional      run before /init; the machine is switched off afterwards
 *
 * It loads the modules and becomes /init with the arguments and the environment that the
 * kernel gave. All that remains of it is the folder /lab in the initramfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSERT "/lab/insert"
#define ROOT   "/lab/root.img"
#define LOOP   "/dev/loop0"
#define NEXT   "/lab/next"
#define BENCH  "/lab/bench"

/* Tells the kernel log, which the console shows. */
static void say(const char *what, const char *why)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		fd = STDERR_FILENO;
	dprintf(fd, "<3>lab preinit: %s: %s\n", what, why);
	if (fd != STDERR_FILENO)
		close(fd);
}

static void mount_at(const char *type, const char *path, const char *options)
{
	/* The folder is there when the image made it, which is as good. */
	(void)mkdir(path, 0755);
	if (mount(type, path, type, 0, options) < 0)
		say(path, strerror(errno));
}

/* A driver that is slow in its probe keeps the process that loads it for as long. */
static bool is_in_background(char *line)
{
	char *end = strrchr(line, ' ');

	if (!end || strcmp(end, " &") != 0)
		return false;
	*end = '\0';
	return true;
}

static void load_module(char *line)
{
	bool in_background = is_in_background(line);
	char *parameters = strchr(line, ' ');
	char path[8 + 4096];
	pid_t child;
	int fd;

	/* Where there can be no second process, this one does it. */
	child = in_background ? fork() : -1;
	if (child > 0)
		return;
	if (parameters)
		*parameters++ = '\0';
	snprintf(path, sizeof(path), "/lab/%s", line);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, parameters ? parameters : "", 0) < 0)
		say(path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (child == 0)
		_exit(EXIT_SUCCESS);
}

/* The next line without its end; NULL at the end of the file. */
static char *next_line(FILE *file, char *buf, int size)
{
	if (!fgets(buf, size, file))
		return NULL;
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

static void load_modules(void)
{
	FILE *file = fopen(INSERT, "re");
	char line[4096];

	if (!file) {
		say(INSERT, strerror(errno));
		return;
	}
	while (next_line(file, line, sizeof(line)))
		load_module(line);
	fclose(file);
}

/* The file stays when the initramfs is emptied: the device holds it. fsck wants to write to it. */
static void attach_root(void)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int file = open(ROOT, O_RDWR | O_CLOEXEC);
	int number = ioctl(control, LOOP_CTL_GET_FREE);
	int device = open(LOOP, O_RDWR | O_CLOEXEC);

	if (number != 0 || ioctl(device, LOOP_SET_FD, file) < 0)
		say(ROOT, strerror(errno));
	close(control);
	close(file);
	close(device);
}

/* Runs the measurement as a child, then switches the machine off: there is no way back. */
static void run_bench(void)
{
	pid_t child;

	mount_at("tmpfs", "/run", "mode=0755");
	child = fork();
	if (child == 0) {
		execl(BENCH, BENCH, (char *)NULL);
		say(BENCH, strerror(errno));
		_exit(127);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	sync();
	reboot(RB_POWER_OFF);
}

int main(int argc, char **argv)
{
	static char next[256];
	FILE *file;

	(void)argc;
	mount_at("devtmpfs", "/dev", "");
	mount_at("proc", "/proc", "");
	mount_at("sysfs", "/sys", "");
	load_modules();
	if (access(ROOT, F_OK) == 0)
		attach_root();
	if (access(BENCH, X_OK) == 0)
		run_bench();
	umount("/sys");
	umount("/proc");
	umount("/dev");

	argv[0] = "/init";
	file = fopen(NEXT, "re");
	if (file && next_line(file, next, sizeof(next)))
		argv[0] = next;
	if (file)
		fclose(file);
	execv(argv[0], argv);
	/* Returning would be a panic anyway; say why first. */
	perror("lab preinit: what comes next");
	return EXIT_FAILURE;
}
