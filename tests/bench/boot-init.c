/*
 * boot-init: the first process of the real root: tells when the boot came to it
 *
 * The kernel starts it with init=/lab-init when the image under test has mounted the root. Its
 * first call asks for the time since the kernel started. What it tells goes to the machine's
 * second serial port:
 *
 *   boot us                since the kernel started (CLOCK_BOOTTIME)
 *   driver ADDRESS NAME    of each PCI function that has a driver
 *   root us                here begins the coldplug of the real root, with lab.coldplug
 *   exec us FILE           each time the binder was started
 *   log us TEXT            each line of earlybind's in the kernel log
 *   error TEXT
 *   end                    always the last line
 *
 * With lab.coldplug on the kernel command line it does what the units of udev do in the real root:
 * starts udevd, triggers every device, waits. The kernel has counted the programs since its start:
 * trace_event=sched:sched_process_exec. Last the machine is switched off.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PORT	"/dev/ttyS1"
#define DEVICES "/sys/bus/pci/devices"
#define TRACING "/sys/kernel/tracing"
#define BINDER	"/usr/lib/earlybind/binder"
#define UDEVD	"/lib/systemd/systemd-udevd"

static FILE *out;

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

static void open_port(void)
{
	struct termios mode;

	out = fopen(PORT, "we");
	if (!out)
		_exit(1);
	if (tcgetattr(fileno(out), &mode) == 0) {
		cfmakeraw(&mode);
		(void)tcsetattr(fileno(out), TCSANOW, &mode);
	}
}

static void tell_drivers(void)
{
	DIR *dir = opendir(DEVICES);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char path[512], target[512] = "";

		snprintf(path, sizeof(path), DEVICES "/%s/driver", entry->d_name);
		if (readlink(path, target, sizeof(target) - 1) > 0)
			fprintf(out, "driver %s %s\n", entry->d_name,
				strrchr(target, '/') + 1);
	}
	if (!dir)
		fprintf(out, "error " DEVICES ": %s\n", strerror(errno));
	else
		closedir(dir);
}

/* "binder-212  [000] .....  1.234567: sched_process_exec: filename=/usr/... pid=212 old_pid=212" */
static void tell_programs(void)
{
	FILE *trace = fopen(TRACING "/trace", "re");
	char line[1024], *file, *stamp;

	if (!trace)
		fprintf(out, "error " TRACING "/trace: %s\n", strerror(errno));
	while (trace && fgets(line, sizeof(line), trace)) {
		file = strstr(line, ": sched_process_exec: filename=" BINDER " ");
		if (!file)
			continue;
		*file = '\0';
		stamp = strrchr(line, ' ');
		fprintf(out, "exec %ld " BINDER "\n",
			stamp ? (long)(strtod(stamp, NULL) * 1e6) : 0);
	}
	if (trace)
		fclose(trace);
}

/* Each read(2) of the kernel log gives one record: "PRIORITY,NUMBER,us,FLAGS;TEXT\n". */
static void tell_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char record[8192];
	ssize_t n;

	if (fd < 0)
		fprintf(out, "error /dev/kmsg: %s\n", strerror(errno));
	while (fd >= 0 && (n = read(fd, record, sizeof(record) - 1)) != -1) {
		long us = 0;
		char *text;

		record[n] = '\0';
		text = strchr(record, ';');
		if (!text || strncmp(text + 1, "earlybind", 9) != 0)
			continue;
		text[1 + strcspn(text + 1, "\n")] = '\0';
		(void)sscanf(record, "%*[^,],%*[^,],%ld", &us);
		fprintf(out, "log %ld %s\n", us, text + 1);
	}
	/* Records were lost: what is counted would be too little. */
	if (fd >= 0 && errno == EPIPE)
		fprintf(out, "error /dev/kmsg: the buffer is too small\n");
	if (fd >= 0)
		close(fd);
}

static void run(const char *const *argv)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (child < 0 || status != 0)
		fprintf(out, "error %s: status %#x\n", argv[0], (unsigned int)status);
}

/* As systemd-udevd.service, systemd-udev-trigger.service and systemd-udev-settle.service do. */
static void coldplug(void)
{
	const char *const daemon[] = {UDEVD, "--daemon", NULL};
	const char *const trigger[] = {"/bin/udevadm", "trigger", "--type=devices",
				       "--action=add", NULL};
	const char *const settle[] = {"/bin/udevadm", "settle", "--timeout=600", NULL};

	fprintf(out, "root %ld\n", now());
	run(daemon);
	run(trigger);
	run(settle);
}

static bool is_asked(const char *word)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "re");
	bool is_there = file && fgets(line, sizeof(line), file) && strstr(line, word);

	if (file)
		fclose(file);
	return is_there;
}

int main(void)
{
	long since_start = now();

	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	open_port();
	fprintf(out, "boot %ld\n", since_start);
	tell_drivers();
	if (is_asked(" lab.coldplug")) {
		if (mount("tracefs", TRACING, "tracefs", 0, NULL) < 0 && errno != EBUSY)
			fprintf(out, "error tracefs: %s\n", strerror(errno));
		coldplug();
		tell_programs();
		tell_log();
	}
	fputs("end\n", out);
	fclose(out);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
