/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "message.h"
#include "paths.h"

#define KERNEL_LOG_MAX ((size_t)4 * 1024 * 1024)
#define RECORD_MAX     8192 /* kernel/printk/printk.c: PRINTK_MESSAGE_MAX */
#define LINE_SHOWN     120
#define DOMAIN_MAX     ((size_t)1024 * 1024)

static const char out_of_memory[] = "out of memory";

/* A read of the device gives one record, of a file in a tree as much as fits. */
static int read_log(struct mover *m)
{
	int fd cleanup_with(close_fd) = -1;
	const char *path = path_below(m->arena, m->sysroot, KERNEL_LOG_PATH);
	char *buf = arena_alloc(m->arena, KERNEL_LOG_MAX, 1);
	size_t used = 0;

	if (!path || !buf)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (KERNEL_LOG_MAX - used >= RECORD_MAX) {
		ssize_t n = read(fd, buf + used, KERNEL_LOG_MAX - used);

		/* The oldest record was overwritten meanwhile: the next one follows. */
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	m->log = (struct text){buf, used};
	return 0;
}

/* "6,512,11842215,-;nvme 0000:03:00.0: ..." (Documentation/ABI/testing/dev-kmsg) */
static bool parse_record(struct text line, uint64_t *ret_microseconds, struct text *ret)
{
	struct text head, sequence, level, time;

	if (line.n == 0 || char_is_blank(line.p[0]) || !text_cut(&line, ';', &head) ||
	    !line.p)
		return false;
	*ret = line;
	return text_cut(&head, ',', &level) && text_cut(&head, ',', &sequence) &&
	       text_cut(&head, ',', &time) &&
	       text_decimal(time, UINT64_MAX, ret_microseconds) == 0;
}

static bool has_start(struct text t, const char *first, const char *second)
{
	size_t n = strlen(first), k = strlen(second);

	return t.n >= n + k && memcmp(t.p, first, n) == 0 &&
	       memcmp(t.p + n, second, k) == 0;
}

/* The first line of its driver, behind the last one of earlybind about it. */
static const char *describe_log(struct mover *m, const struct pci_device *d)
{
	char address[BDF_SIZE], own[BDF_SIZE + 2], dev[BDF_SIZE + 2],
		driver[DRIVER_NAME_SIZE + 1];
	struct text rest, line, text, found = {NULL, 0};
	uint64_t at, found_at = 0;

	if (!m->is_read)
		m->error = read_log(m);
	m->is_read = true;
	if (m->error < 0)
		return arena_printf(m->arena, "the kernel log cannot be read: %s",
				    errno_text(m->error));
	if (d->driver[0] == '\0')
		return "the kernel log says nothing of a device that loses its driver";
	bdf_format(d->bdf, address);
	snprintf(own, sizeof(own), "%s ", address);
	/* drivers/base/core.c: dev_printk_emit(), "%s %s: " */
	snprintf(dev, sizeof(dev), "%s:", address);
	snprintf(driver, sizeof(driver), "%s ", d->driver);
	rest = m->log;
	while (text_cut(&rest, '\n', &line)) {
		if (!parse_record(line, &at, &text))
			continue;
		if (has_start(text, "earlybind: ", own)) {
			found.p = NULL;
		} else if (!found.p && has_start(text, driver, dev)) {
			found = text;
			found_at = at;
		}
	}
	if (!found.p)
		return arena_printf(m->arena, "the kernel log has no line of %s about it",
				    d->driver);
	return arena_printf(m->arena, "kernel log, %u.%03u s after its start: \"%.*s\"",
			    (unsigned)(found_at / 1000000),
			    (unsigned)(found_at / 1000 % 1000),
			    (int)MIN(found.n, (size_t)LINE_SHOWN), found.p);
}

/* Changes @when if the file is older. */
static bool is_older(struct mover *m, const char *path, time_t *when)
{
	const char *file = path ? path_below(m->arena, m->sysroot, path) : NULL;
	struct stat st;

	/* One that was unpacked without times tells none. */
	if (!file || lstat(file, &st) < 0 || st.st_mtime <= 0 ||
	    (*when != 0 && st.st_mtime >= *when))
		return false;
	*when = st.st_mtime;
	return true;
}

/*
 * Each binding is an event that makes udev write its entry anew; later events do, too. The link in
 * sysfs has the time of the first look at it since (fs/kernfs/inode.c: set_default_inode_attr()).
 * So both are no earlier than the move, and the earlier of them is nearer to it.
 */
static const char *describe_when(struct mover *m, const struct pci_device *d)
{
	char address[BDF_SIZE], text[32];
	const char *by = "udev's last event about it";
	time_t when = 0;
	struct tm tm;

	bdf_format(d->bdf, address);
	(void)is_older(m, arena_printf(m->arena, UDEV_DATA_PREFIX "+pci:%s", address),
		       &when);
	if (!m->sysroot && d->driver[0] &&
	    is_older(m,
		     arena_printf(m->arena, SYS_PCI_DEVICES_PATH "/%s/driver", address),
		     &when))
		by = "the first look at the link of its driver";
	if (when == 0 || !gmtime_r(&when, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		return "when is not known: udev has no entry of it";
	return arena_printf(m->arena, "at %s or before, by %s", text, by);
}

/* Its saved overrides: NULL for none. */
static const char *ask_driverctl(struct mover *m, const struct pci_device *d)
{
	char address[BDF_SIZE], path[64], buf[DRIVER_NAME_SIZE];
	struct text driver;

	snprintf(path, sizeof(path), DRIVERCTL_NAME "/pci-%s",
		 bdf_format(d->bdf, address));
	if (world_read_text(m->world, WORLD_ETC, path, buf, sizeof(buf), &driver) < 0)
		return NULL;
	return arena_printf(
		m->arena, "driverctl has an override of it: " ETC_PREFIX "%s names %.*s",
		path, (int)driver.n, driver.p);
}

struct domains {
	struct mover *mover;
	const char *element; /* the source of a hostdev, as libvirt writes it */
	const char *found; /* the name of a domain */
};

/* A domain file: the element in a <hostdev> with managed='yes'. */
static int ask_domain(void *arg, const char *name)
{
	struct domains *domains = arg;
	struct mover *m = domains->mover;
	size_t n = strlen(name), used = m->arena->used;
	const char *path = arena_printf(m->arena, LIBVIRT_DOMAINS_NAME "/%s", name);
	const char *at, *start = NULL;
	struct text xml;

	if (n <= 4 || strcmp(name + n - 4, ".xml") != 0 || !path ||
	    file_read_world(m->world, WORLD_ETC, path, m->arena, DOMAIN_MAX, &xml) < 0)
		return 0;
	at = strstr(xml.p, domains->element);
	for (const char *p = xml.p; at && (p = strstr(p, "<hostdev ")) && p < at; p++)
		start = p;
	if (start) {
		const char *managed = strstr(start, "managed='yes'");

		if (managed && managed < at)
			domains->found = name;
	}
	arena_rewind(m->arena, used);
	if (domains->found)
		domains->found =
			arena_copy(m->arena, (struct text){name, n - strlen(".xml")});
	return domains->found != NULL;
}

static const char *describe_who(struct mover *m, const struct pci_device *d)
{
	struct domains domains = {.mover = m};
	const char *driverctl = ask_driverctl(m, d);

	domains.element = arena_printf(
		m->arena,
		"<address domain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'/>",
		d->bdf.domain, d->bdf.bus, d->bdf.device, d->bdf.function);
	if (!domains.element)
		return NULL;
	(void)m->world->ops->list(m->world, WORLD_ETC, LIBVIRT_DOMAINS_NAME, ask_domain,
				  &domains);
	if (driverctl)
		return driverctl;
	if (domains.found)
		return arena_printf(m->arena,
				    "the domain %s of libvirt has it with managed='yes': "
				    "libvirt gives it back when the domain ends",
				    domains.found);
	return "who did it is not recorded: no override of driverctl and no domain of "
	       "libvirt with managed='yes' is about it";
}

size_t mover_describe(struct mover *mover, const struct pci_device *d,
		      const char *ret_lines[static MOVER_LINES])
{
	const char *lines[] = {describe_when(mover, d), describe_log(mover, d),
			       describe_who(mover, d)};
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (i != 1 || mover->error != -ENOENT)
			ret_lines[count++] = lines[i] ? lines[i] : out_of_memory;
	return count;
}
