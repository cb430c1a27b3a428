// SPDX-License-Identifier: GPL-2.0
/*
 * lab_variant.c - the stand-in for a variant of vfio-pci
 *
 * Included by labcard_vfio_pci.c and labany_vfio_pci.c, which define LAB_VARIANT_NAME and
 * LAB_VARIANT_ID. It is as little as drivers/vfio/pci/mlx5 would be without migration: vfio-pci
 * by another name, with an alias "vfio_pci:..." that nothing loads by itself. As some of
 * the real ones, its driver has dashes where its module has underscores.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/version.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

static int lab_open(struct vfio_device *core)
{
	struct vfio_pci_core_device *vdev =
		container_of(core, struct vfio_pci_core_device, vdev);
	int rc = vfio_pci_core_enable(vdev);

	if (rc)
		return rc;
	vfio_pci_core_finish_enable(vdev);
	return 0;
}

static const struct vfio_device_ops lab_ops = {
	.name = LAB_VARIANT_NAME,
	.init = vfio_pci_core_init_dev,
	.release = vfio_pci_core_release_dev,
	.open_device = lab_open,
	.close_device = vfio_pci_core_close_device,
	.ioctl = vfio_pci_core_ioctl,
	.device_feature = vfio_pci_core_ioctl_feature,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vfio_pci_core_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
#endif
};

static int lab_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	struct vfio_pci_core_device *vdev;
	int rc;

	vdev = vfio_alloc_device(vfio_pci_core_device, vdev, &dev->dev, &lab_ops);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	dev_set_drvdata(&dev->dev, vdev);
	rc = vfio_pci_core_register_device(vdev);
	if (rc)
		vfio_put_device(&vdev->vdev);
	return rc;
}

static void lab_remove(struct pci_dev *dev)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(&dev->dev);

	vfio_pci_core_unregister_device(vdev);
	vfio_put_device(&vdev->vdev);
}

static const struct pci_device_id lab_ids[] = {LAB_VARIANT_ID, {0}};
MODULE_DEVICE_TABLE(pci, lab_ids);

static struct pci_driver lab_driver = {
	.name = LAB_VARIANT_NAME,
	.id_table = lab_ids,
	.probe = lab_probe,
	.remove = lab_remove,
	.driver_managed_dma = true,
};
module_pci_driver(lab_driver);

MODULE_DESCRIPTION("earlybind lab: stand-in for a variant of vfio-pci");
MODULE_LICENSE("GPL");
