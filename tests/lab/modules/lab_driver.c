// SPDX-License-Identifier: GPL-2.0
/*
 * lab_driver.c - the stand-in for a card's native driver
 *
 * Included by xclmgmt.c and xocl.c, which define LAB_DRIVER_NAME and LAB_DRIVER_IDS.
 * It claims its IDs by modalias like the real one, keeps the BARs, and behaves as badly
 * as its parameters say:
 *
 *   probe_ms=N    probe takes N ms; -1: until probe_ms is set to 0 in sysfs
 *   remove_ms=N   remove takes N ms; -1: until remove_ms is set to 0
 *   probe_ret=N   probe ends with this error (a negative errno)
 *   defer=N       the first N probes answer -EPROBE_DEFER; -1: all of them
 *   only=ADDRESS  all that is said of this function only; it is well-behaved with others
 *
 * The waits cannot be interrupted, as in the drivers that they stand for: a process that
 * unbinds the device is in state D and cannot be killed.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/pci.h>

#define POLL_MS 20

static int probe_ms;
module_param(probe_ms, int, 0644);
MODULE_PARM_DESC(probe_ms, "milliseconds that probe takes, -1: until set to 0");

static int remove_ms;
module_param(remove_ms, int, 0644);
MODULE_PARM_DESC(remove_ms, "milliseconds that remove takes, -1: until set to 0");

static int probe_ret;
module_param(probe_ret, int, 0644);
MODULE_PARM_DESC(probe_ret, "result of probe, a negative errno");

static int defer;
module_param(defer, int, 0644);
MODULE_PARM_DESC(defer, "probes to defer, -1: all");

static char *only;
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "the function that it behaves badly with; without it all");

static bool is_bad_with(struct pci_dev *dev)
{
	return !only || strcmp(only, pci_name(dev)) == 0;
}

/* Sleeps for *ms milliseconds; the value is read again and again, so that 0 ends it. */
static void dawdle(const int *ms)
{
	unsigned long start = jiffies;

	for (;;) {
		int now = READ_ONCE(*ms);

		if (now >= 0 && jiffies_to_msecs(jiffies - start) >= (unsigned int)now)
			return;
		msleep(POLL_MS);
	}
}

/*
 * Nothing is left to devres: up to 6.12 at least, what pci_request_regions() took went with the
 * driver if that had called pcim_enable_device(); in 7.2 it stays, and whoever comes next finds
 * the BARs taken.
 */
static int lab_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	int rc;

	if (defer && is_bad_with(dev)) {
		if (defer > 0)
			defer--;
		pci_info(dev, "%s: probe deferred\n", LAB_DRIVER_NAME);
		return -EPROBE_DEFER;
	}
	pci_info(dev, "%s: probe\n", LAB_DRIVER_NAME);
	rc = pci_enable_device(dev);
	if (rc)
		return rc;
	rc = pci_request_regions(dev, LAB_DRIVER_NAME);
	if (rc)
		goto disable;
	if (is_bad_with(dev))
		dawdle(&probe_ms);
	if (probe_ret && is_bad_with(dev)) {
		pci_info(dev, "%s: probe fails with %d\n", LAB_DRIVER_NAME, probe_ret);
		rc = probe_ret;
		goto release;
	}
	pci_info(dev, "%s: probed\n", LAB_DRIVER_NAME);
	return 0;

release:
	pci_release_regions(dev);
disable:
	pci_disable_device(dev);
	return rc;
}

static void lab_remove(struct pci_dev *dev)
{
	pci_info(dev, "%s: remove\n", LAB_DRIVER_NAME);
	if (is_bad_with(dev))
		dawdle(&remove_ms);
	pci_release_regions(dev);
	pci_disable_device(dev);
	pci_info(dev, "%s: removed\n", LAB_DRIVER_NAME);
}

static const struct pci_device_id lab_ids[] = {LAB_DRIVER_IDS, {0}};
MODULE_DEVICE_TABLE(pci, lab_ids);

static struct pci_driver lab_driver = {
	.name = LAB_DRIVER_NAME,
	.id_table = lab_ids,
	.probe = lab_probe,
	.remove = lab_remove,
};
module_pci_driver(lab_driver);

MODULE_DESCRIPTION("earlybind lab: stand-in for " LAB_DRIVER_NAME);
MODULE_LICENSE("GPL");
