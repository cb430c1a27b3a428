// SPDX-License-Identifier: GPL-2.0
/*
 * lab_supplier - makes PCI functions depend on a device that is late
 *
 *   insmod lab_supplier.ko of=0000:03:00.0,0000:04:00.0 after_ms=2000,-1
 *
 * Every function of the list gets a supplier, a platform device, by a device link, as
 * firmware and subsystems make them for clocks, power and IOMMUs. As long as the supplier has
 * no driver, the driver core puts off every probe of the function (drivers/base/core.c:
 * device_links_check_suppliers() says -EPROBE_DEFER), whichever driver it is. The supplier
 * gets its driver after so many ms, or never with -1. No driver may have the function yet.
 *
 * There is no exit function, the module cannot go.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/workqueue.h>

#define NAME	      "lab-supplier"
#define MAX_FUNCTIONS 8

static char *of[MAX_FUNCTIONS];
static int of_count;
module_param_array(of, charp, &of_count, 0444);
MODULE_PARM_DESC(of, "addresses of the functions");

static int after_ms[MAX_FUNCTIONS];
module_param_array(after_ms, int, NULL, 0444);
MODULE_PARM_DESC(after_ms, "milliseconds until the supplier of each is there, -1: never");

struct supplier {
	struct platform_device *device;
	struct delayed_work work;
	bool is_there;
};

static struct supplier suppliers[MAX_FUNCTIONS];

static int supplier_probe(struct platform_device *device)
{
	return READ_ONCE(suppliers[device->id].is_there) ? 0 : -ENODEV;
}

static struct platform_driver supplier_driver = {
	.driver.name = NAME,
	.probe = supplier_probe,
};

static void supplier_comes(struct work_struct *work)
{
	struct supplier *s = container_of(to_delayed_work(work), struct supplier, work);

	WRITE_ONCE(s->is_there, true);
	dev_info(&s->device->dev, "the supplier is there: %d\n",
		 device_attach(&s->device->dev));
}

static int make_supplier(int i)
{
	unsigned int domain, bus, slot, function;
	struct supplier *s = &suppliers[i];
	struct pci_dev *consumer;
	int rc = 0;

	if (sscanf(of[i], "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return -EINVAL;
	consumer = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
	if (!consumer)
		return -ENODEV;
	s->device = platform_device_register_simple(NAME, i, NULL, 0);
	if (IS_ERR(s->device))
		rc = PTR_ERR(s->device);
	else if (!device_link_add(&consumer->dev, &s->device->dev, 0))
		rc = -EINVAL;
	else
		pci_info(consumer, "depends on %s\n", dev_name(&s->device->dev));
	pci_dev_put(consumer);
	if (rc == 0 && after_ms[i] >= 0) {
		INIT_DELAYED_WORK(&s->work, supplier_comes);
		schedule_delayed_work(&s->work, msecs_to_jiffies(after_ms[i]));
	}
	return rc;
}

static int __init lab_supplier_init(void)
{
	int i, rc = platform_driver_register(&supplier_driver);

	if (rc)
		return rc;
	/* What is made already stays, and so must the module. */
	for (i = 0; i < of_count; i++) {
		rc = make_supplier(i);
		if (rc)
			pr_err("lab_supplier: no supplier for %s: %d\n", of[i], rc);
	}
	return 0;
}
module_init(lab_supplier_init);

MODULE_DESCRIPTION("earlybind lab: devices that depend on one that is late");
MODULE_LICENSE("GPL");
