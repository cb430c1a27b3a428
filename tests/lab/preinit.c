/*
 * preinit: PID 1 of a lab machine for its first moments
 *
 * The image under test is exactly what update-initramfs made. What the lab needs before
 * any of it runs comes in a second, small cpio archive that is appended to the image:
 *
 *   /lab/preinit              this program (rdinit=/lab/preinit)
 *   /lab/lab_identity.ko      gives the emulated functions the identity of the card
 *   /lab/identity             parameters of that module, one line
 *   /lab/bench, optional      run before /init; the machine is switched off afterwards
 *
 * It loads the module and becomes /init with the arguments and the environment that the
 * kernel gave. All that remains of it is the folder /lab in the initramfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODULE	   "/lab/lab_identity.ko"
#define PARAMETERS "/lab/identity"
#define BENCH	   "/lab/bench"

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

static void load_identity(void)
{
	char parameters[4096] = "";
	ssize_t length = 0;
	int fd = open(PARAMETERS, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		length = read(fd, parameters, sizeof(parameters) - 1);
		close(fd);
	}
	if (fd < 0 || length < 0) {
		say(PARAMETERS, strerror(errno));
		return;
	}
	parameters[strcspn(parameters, "\n")] = '\0';

	fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, parameters, 0) < 0)
		say(MODULE, strerror(errno));
	if (fd >= 0)
		close(fd);
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
	(void)argc;
	mount_at("devtmpfs", "/dev", "");
	mount_at("proc", "/proc", "");
	mount_at("sysfs", "/sys", "");
	load_identity();
	if (access(BENCH, X_OK) == 0)
		run_bench();
	umount("/sys");
	umount("/proc");
	umount("/dev");

	argv[0] = "/init";
	execv("/init", argv);
	/* Returning would be a panic anyway; say why first. */
	perror("lab preinit: /init");
	return EXIT_FAILURE;
}
