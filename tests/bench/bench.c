/*
 * bench: times the binder beside the floor and the shell recipe
 *
 * Runs in the initramfs of one boot of the lab, started by its preinit before /init: no
 * udev, no other process. Each round runs every contender once, each time from the same
 * state: the devices without driver and override, no vfio module loaded, no /run/earlybind.
 *
 * What it measures goes to the machine's second serial port, one line per run:
 *
 *   run NAME wall_us user_us system_us peak_kib
 *   idle NAME runs wall_us user_us     means of many runs that have nothing to do
 *   report LINE                        the binder's last report, line by line
 *   error TEXT
 *   end                                always the last line
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	    10 /* the first warms up and is not told */
#define IDLE_RUNS   200
#define PORT	    "/dev/ttyS1"
#define MODULES	    "/lab/modules"
#define BINDER	    "/usr/lib/earlybind/binder"
#define MGMT	    "0000:01:00.0"
#define USER	    "0000:01:00.1"
#define MAX_MODULES 16

struct contender {
	const char *name;
	const char *argv[6];
};

static const struct contender contenders[] = {
	{"floor", {"/lab/floor", MODULES, MGMT, USER}},
	{"binder",
	 {BINDER, "--cmdline", "intel_iommu=on vfio-pci.ids=10ee:5000,10ee:5001"}},
	{"shell", {"/bin/sh", "/lab/shell-recipe.sh", MGMT, USER}},
};

static const struct contender idlers[] = {
	{"off", {BINDER, "--cmdline", "vfio-pci.ids=10ee:5000,10ee:5001 rd.earlybind=0"}},
	{"norule", {BINDER, "--cmdline", "intel_iommu=on quiet"}},
};

static const char *const devices[] = {MGMT, USER};
static FILE *out;

struct result {
	long wall, user, system, peak; /* microseconds, KiB */
	int status;
};

static long microseconds(struct timeval tv)
{
	return tv.tv_sec * 1000000L + tv.tv_usec;
}

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

/* Runs a program from fork to the end of it, with nothing on its standard streams. */
static struct result measure(const struct contender *contender)
{
	struct result result = {0};
	struct rusage usage = {0};
	long begin = now();
	pid_t child = fork();

	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		execv(contender->argv[0], (char *const *)contender->argv);
		_exit(127);
	}
	while (wait4(child, &result.status, 0, &usage) < 0 && errno == EINTR)
		;
	result.wall = now() - begin;
	result.user = microseconds(usage.ru_utime);
	result.system = microseconds(usage.ru_stime);
	result.peak = usage.ru_maxrss;
	return result;
}

static void store(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fprintf(out, "error %s: %s\n", path, strerror(errno));
	close(fd);
}

static int is_bound(const char *address)
{
	char path[128], target[256] = "";

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", address);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		return 0;
	return strcmp(strrchr(target, '/') + 1, "vfio-pci") == 0;
}

/* The module's name of a line of MODULES: the file's, with '_' for '-'. */
static void module_name(const char *line, char *name, size_t size)
{
	const char *base = strrchr(line, '/');
	char *c;

	snprintf(name, size, "%.*s", (int)size - 1, base ? base + 1 : line);
	name[strcspn(name, ".\n")] = '\0';
	for (c = name; *c; c++)
		if (*c == '-')
			*c = '_';
}

static void unload_modules(void)
{
	char names[MAX_MODULES][64], line[512];
	FILE *list = fopen(MODULES, "re");
	int count = 0;

	while (list && count < MAX_MODULES && fgets(line, sizeof(line), list))
		module_name(line, names[count++], sizeof(names[0]));
	if (list)
		fclose(list);
	while (count-- > 0)
		if (syscall(SYS_delete_module, names[count], O_NONBLOCK) < 0 &&
		    errno != ENOENT)
			fprintf(out, "error cannot unload %s: %s\n", names[count],
				strerror(errno));
}

/* Where the binder's time goes, for a person who looks. */
static void tell_report(void)
{
	char line[512];
	FILE *report = fopen("/run/earlybind/report.json", "re");

	while (report && fgets(line, sizeof(line), report))
		fprintf(out, "report %s", line);
	if (report)
		fclose(report);
}

/* /run/earlybind holds files only. */
static void remove_report(void)
{
	DIR *dir = opendir("/run/earlybind");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	(void)rmdir("/run/earlybind");
}

/* Back to the state that every run starts from. */
static void reset(void)
{
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		store("/sys/bus/pci/drivers/vfio-pci/unbind", devices[i]);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override",
			 devices[i]);
		store(path, "\n");
	}
	unload_modules();
	remove_report();
}

static void run_contender(const struct contender *contender, int round)
{
	struct result result = measure(contender);

	if (result.status != 0 || !is_bound(MGMT) || !is_bound(USER))
		fprintf(out, "error %s did not bind (status %#x)\n", contender->name,
			(unsigned int)result.status);
	else if (round > 0)
		fprintf(out, "run %s %ld %ld %ld %ld\n", contender->name, result.wall,
			result.user, result.system, result.peak);
	if (round == ROUNDS - 1)
		tell_report();
	reset();
}

/* Ticks that all processors spent in user mode; the clock of /proc/stat. */
static long user_ticks(void)
{
	long user = 0, nice = 0;
	FILE *stat = fopen("/proc/stat", "re");

	if (stat) {
		if (fscanf(stat, "cpu %ld %ld", &user, &nice) != 2)
			user = nice = 0;
		fclose(stat);
	}
	return user + nice;
}

/*
 * A run that has nothing to do ends within one tick, and the kernel's split of so short a
 * time into user and system time is a guess. Over many runs in a row the ticks tell.
 */
static void run_idler(const struct contender *idler)
{
	long ticks = user_ticks(), begin = now();
	int i;

	for (i = 0; i < IDLE_RUNS; i++) {
		struct result result = measure(idler);

		if (result.status != 0) {
			fprintf(out, "error %s ended with status %#x\n", idler->name,
				(unsigned int)result.status);
			return;
		}
	}
	ticks = user_ticks() - ticks;
	fprintf(out, "idle %s %d %ld %ld\n", idler->name, IDLE_RUNS,
		(now() - begin) / IDLE_RUNS,
		ticks * (1000000L / sysconf(_SC_CLK_TCK)) / IDLE_RUNS);
	if (access("/sys/module/vfio_pci", F_OK) == 0)
		fprintf(out, "error %s loaded a module\n", idler->name);
}

static void open_port(void)
{
	struct termios mode;

	out = fopen(PORT, "we");
	if (!out) {
		perror(PORT);
		exit(1);
	}
	if (tcgetattr(fileno(out), &mode) == 0) {
		cfmakeraw(&mode);
		(void)tcsetattr(fileno(out), TCSANOW, &mode);
	}
}

int main(void)
{
	const int contender_count = sizeof(contenders) / sizeof(contenders[0]);
	size_t i;
	int round;

	setenv("PATH", "/sbin:/usr/sbin:/bin:/usr/bin", 1);
	/* As /init of initramfs-tools sets it. */
	setenv("MODPROBE_OPTIONS", "-qb", 1);
	open_port();
	/* Each round begins with another contender: none always follows the same one. */
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < (size_t)contender_count; i++)
			run_contender(&contenders[(i + (size_t)round) %
						  (size_t)contender_count],
				      round);
	for (i = 0; i < sizeof(idlers) / sizeof(idlers[0]); i++)
		run_idler(&idlers[i]);
	fputs("end\n", out);
	fclose(out);
	return 0;
}
