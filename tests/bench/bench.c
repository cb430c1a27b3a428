/*
 * bench: times and counts the programs that bench.py names, in one boot
 *
 * Runs in the initramfs of a machine of the lab, started by its preinit before /init: no udev,
 * no other process. /lab/cases has a line for each case, of words that tabs separate:
 *
 *   KIND NAME DEVICES ROUNDS PROGRAM [ARGUMENT...]
 *
 * Lines of the same DEVICES in a row are one group: each round runs every case of it once, and
 * begins with another one than the round before. KIND is "bind" (the first DEVICES of
 * /lab/devices must be on vfio-pci afterwards; each run starts with them free and without the
 * modules of /lab/modules), "look" (it must end with 0) or "idle" (the same, for ROUNDS runs in
 * a row, which are too short for one).
 *
 * What it measures goes to the machine's second serial port:
 *
 *   run NAME DEVICES wall_us user_us system_us peak_kib faults switches
 *   idle NAME wall_us user_us    means
 *   at NAME DEVICES us MARK      when a run passed a mark of /lab/marks, since its exec
 *   count NAME DEVICES MARK calls faults    from that mark to the next one
 *   report LINE                  the binder's last report, line by line
 *   error TEXT
 *   end                          always the last line
 *
 * The marks are uprobes and a kprobe. They are set only while a run is watched, which is one
 * more than the rounds: a run that is timed has none, and the programs have no code for them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PORT	    "/dev/ttyS1"
#define CASES	    "/lab/cases"
#define DEVICES	    "/lab/devices"
#define MODULES	    "/lab/modules"
#define MARKS	    "/lab/marks"
#define TRACING	    "/sys/kernel/tracing/"
#define MAX_MODULES 16
#define MAX_DEVICES 64
#define MAX_CASES   64
#define MAX_WORDS   (MAX_DEVICES + 8)
#define MAX_MARKS   16
#define LINE_MAX    (40 * 1024)

struct contender {
	char *kind, *name;
	int devices, rounds;
	char *argv[MAX_WORDS];
};

static struct contender cases[MAX_CASES];
static char *devices[MAX_DEVICES];
static FILE *out;

struct result {
	long wall, user, system, peak, faults, switches; /* microseconds, KiB */
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

static int store(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		r = -errno;
	close(fd);
	return r;
}

static void must_store(const char *path, const char *text)
{
	int r = store(path, text);

	if (r < 0)
		fprintf(out, "error %s: %s\n", path, strerror(-r));
}

static void add_usage(struct result *result, const struct rusage *usage)
{
	result->user += microseconds(usage->ru_utime);
	result->system += microseconds(usage->ru_stime);
	result->faults += usage->ru_minflt + usage->ru_majflt;
	result->switches += usage->ru_nvcsw + usage->ru_nivcsw;
	if (usage->ru_maxrss > result->peak)
		result->peak = usage->ru_maxrss;
}

/* In the child. @is_watched: the trace is to follow it, and to begin here. */
static void become(const struct contender *c, int is_watched)
{
	char pid[16];
	int null = open("/dev/null", O_RDWR);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (is_watched) {
		snprintf(pid, sizeof(pid), "%d", getpid());
		must_store(TRACING "set_event_pid", pid);
		must_store(TRACING "trace_marker", "mark_exec");
	}
	execv(c->argv[0], c->argv);
	_exit(127);
}

/*
 * Runs a program from fork to the end of it, with nothing on its standard streams. What it left
 * behind, a worker, is this process's child then, and counts.
 */
static struct result measure(const struct contender *c, int is_watched)
{
	struct result result = {0};
	struct rusage usage = {0};
	long begin = now();
	pid_t child = fork(), ended;
	int status;

	if (child == 0)
		become(c, is_watched);
	while ((ended = wait4(-1, &status, 0, &usage)) > 0 || errno == EINTR) {
		if (ended <= 0)
			continue;
		add_usage(&result, &usage);
		if (ended != child)
			continue;
		result.wall = now() - begin;
		result.status = status;
	}
	return result;
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
static void reset(const struct contender *c)
{
	char path[128];

	if (strcmp(c->kind, "bind") != 0)
		return;
	for (int i = 0; i < c->devices; i++) {
		if (is_bound(devices[i]))
			must_store("/sys/bus/pci/drivers/vfio-pci/unbind", devices[i]);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override",
			 devices[i]);
		must_store(path, "\n");
	}
	unload_modules();
	remove_report();
}

static int has_done_it(const struct contender *c, const struct result *result)
{
	int missing = result->status != 0;

	for (int i = 0; strcmp(c->kind, "bind") == 0 && i < c->devices; i++)
		missing |= !is_bound(devices[i]);
	if (missing)
		fprintf(out, "error %s did not do it (status %#x, %d devices)\n", c->name,
			(unsigned int)result->status, c->devices);
	return !missing;
}

static void run_once(const struct contender *c, int round)
{
	struct result r = measure(c, 0);

	/* The first one warms up and is not told. */
	if (has_done_it(c, &r) && round > 0)
		fprintf(out, "run %s %d %ld %ld %ld %ld %ld %ld\n", c->name, c->devices,
			r.wall, r.user, r.system, r.peak, r.faults, r.switches);
	reset(c);
}

/* ---- watched runs -------------------------------------------------------------------------- */

static char marks[MAX_MARKS][32];
static int mark_count;

/* Lines of MARKS: the definition of a probe, with the name mark_...; in the order of a run. */
static void define_marks(void)
{
	FILE *file = fopen(MARKS, "re");
	char line[512];

	if (mount("tracefs", TRACING, "tracefs", 0, NULL) < 0)
		fprintf(out, "error tracefs: %s\n", strerror(errno));
	(void)store(TRACING "trace_clock", "mono");
	(void)store(TRACING "buffer_size_kb", "24576");
	(void)store(TRACING "options/event-fork", "1");
	while (file && fgets(line, sizeof(line), file)) {
		const char *to = strstr(line, "/lab/") || strstr(line, "/usr/")
					 ? TRACING "uprobe_events"
					 : TRACING "kprobe_events";
		int fd = open(to, O_WRONLY | O_APPEND | O_CLOEXEC);

		line[strcspn(line, "\n")] = '\0';
		if (fd < 0 || write(fd, line, strlen(line)) < 0)
			fprintf(out, "error mark %s: %s\n", line, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	if (file)
		fclose(file);
}

/* When the line was written, in microseconds; @mark is the end of the number, ": mark_...". */
static long time_of(const char *line, const char *mark)
{
	const char *p = mark;

	while (p > line && p[-1] != ' ')
		p--;
	return (long)(strtod(p, NULL) * 1e6);
}

static int number_of(const char *mark)
{
	size_t n = strcspn(mark, ": \n");

	for (int i = 0; i < mark_count; i++)
		if (strlen(marks[i]) == n && memcmp(marks[i], mark, n) == 0)
			return i;
	if (mark_count == MAX_MARKS)
		return 0;
	snprintf(marks[mark_count], sizeof(marks[0]), "%.*s", (int)n, mark);
	return mark_count++;
}

/*
 * Reads the trace. A mark counts where it is passed for the first time, but for mark_override:
 * of that every time is told.
 */
static void tell_trace(const struct contender *c, int is_counted)
{
	long calls[MAX_MARKS] = {0}, faults[MAX_MARKS] = {0}, start = 0;
	FILE *trace = fopen(TRACING "trace", "re");
	int phase = 0, is_seen[MAX_MARKS] = {0};
	static char line[1024];

	mark_count = 0;
	while (trace && fgets(line, sizeof(line), trace)) {
		char *mark = strstr(line, ": mark_");
		int i;

		if (line[0] == '#' || (!mark && mark_count == 0))
			continue;
		if (!mark) {
			calls[phase] += strstr(line, ": sys_enter:") != NULL;
			faults[phase] += strstr(line, ": page_fault_user:") != NULL;
			continue;
		}
		mark += 2;
		i = number_of(mark);
		if (mark_count == 1)
			start = time_of(line, strstr(line, ": "));
		if (!is_counted &&
		    (!is_seen[i] || strncmp(mark, "mark_override", 13) == 0))
			fprintf(out, "at %s %d %ld %s\n", c->name, c->devices,
				time_of(line, strstr(line, ": ")) - start, marks[i]);
		if (!is_seen[i] && strncmp(mark, "mark_override", 13) != 0)
			phase = i;
		is_seen[i] = 1;
	}
	if (trace)
		fclose(trace);
	for (int i = 0; is_counted && i < mark_count; i++)
		fprintf(out, "count %s %d %s %ld %ld\n", c->name, c->devices, marks[i],
			calls[i], faults[i]);
}

/* kernel/trace/trace.c: tracing_open() clears it for who truncates it. */
static void clear_trace(void)
{
	int fd = open(TRACING "trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
}

/* One more run: for its times at the marks, or for what it calls and touches between them. */
static void watch(const struct contender *c, int is_counted)
{
	const char *enable = is_counted ? "1" : "0";
	struct result result;

	must_store(TRACING "events/raw_syscalls/sys_enter/enable", enable);
	must_store(TRACING "events/exceptions/page_fault_user/enable", enable);
	if (access(TRACING "events/eb", F_OK) == 0)
		must_store(TRACING "events/eb/enable", "1");
	clear_trace();
	must_store(TRACING "tracing_on", "1");
	result = measure(c, 1);
	must_store(TRACING "trace_marker", "mark_end");
	must_store(TRACING "tracing_on", "0");
	must_store(TRACING "events/raw_syscalls/sys_enter/enable", "0");
	must_store(TRACING "events/exceptions/page_fault_user/enable", "0");
	if (access(TRACING "events/eb", F_OK) == 0)
		must_store(TRACING "events/eb/enable", "0");
	if (has_done_it(c, &result))
		tell_trace(c, is_counted);
	if (strcmp(c->name, "binder") == 0)
		tell_report();
	reset(c);
}

/* ---- cases --------------------------------------------------------------------------------- */

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
static void run_idler(const struct contender *c)
{
	long ticks = user_ticks(), begin = now();

	for (int i = 0; i < c->rounds; i++) {
		struct result result = measure(c, 0);

		if (!has_done_it(c, &result))
			return;
	}
	ticks = user_ticks() - ticks;
	fprintf(out, "idle %s %ld %ld\n", c->name, (now() - begin) / c->rounds,
		ticks * (1000000L / sysconf(_SC_CLK_TCK)) / c->rounds);
	if (access("/sys/module/vfio_pci", F_OK) == 0)
		fprintf(out, "error %s loaded a module\n", c->name);
	watch(c, 1);
}

static void run_group(const struct contender *group, int count)
{
	if (strcmp(group->kind, "idle") == 0) {
		for (int i = 0; i < count; i++)
			run_idler(&group[i]);
		return;
	}
	for (int round = 0; round < group->rounds; round++)
		for (int i = 0; i < count; i++)
			run_once(&group[(i + round) % count], round);
	for (int i = 0; i < count; i++) {
		watch(&group[i], 0);
		watch(&group[i], 1);
	}
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

static int read_devices(void)
{
	FILE *file = fopen(DEVICES, "re");
	char line[64];
	int count = 0;

	while (file && count < MAX_DEVICES && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		devices[count++] = strdup(line);
	}
	if (file)
		fclose(file);
	return count;
}

static int read_cases(int device_count)
{
	FILE *file = fopen(CASES, "re");
	static char line[LINE_MAX];
	int count = 0;

	while (file && count < MAX_CASES && fgets(line, sizeof(line), file)) {
		struct contender *c = &cases[count++];
		char *rest = strdup(line);
		int words = 0;

		rest[strcspn(rest, "\n")] = '\0';
		c->kind = strsep(&rest, "\t");
		c->name = strsep(&rest, "\t");
		c->devices = atoi(rest ? strsep(&rest, "\t") : "0");
		c->rounds = atoi(rest ? strsep(&rest, "\t") : "0");
		while (rest && words < MAX_WORDS - 1)
			c->argv[words++] = strsep(&rest, "\t");
		if (!c->argv[0] || c->rounds < 1 ||
		    (strcmp(c->kind, "bind") == 0 && c->devices > device_count))
			fprintf(out, "error " CASES ": %s", line);
	}
	if (file)
		fclose(file);
	return count;
}

int main(void)
{
	int count, end;

	setenv("PATH", "/sbin:/usr/sbin:/bin:/usr/bin", 1);
	/* As /init of initramfs-tools sets it. */
	setenv("MODPROBE_OPTIONS", "-qb", 1);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	open_port();
	count = read_cases(read_devices());
	define_marks();
	for (int i = 0; i < count; i = end) {
		for (end = i + 1; end < count && cases[end].devices == cases[i].devices &&
				  strcmp(cases[end].kind, cases[i].kind) == 0;
		     end++)
			;
		run_group(&cases[i], end - i);
	}
	fputs("end\n", out);
	fclose(out);
	return 0;
}
