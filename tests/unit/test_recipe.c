/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other tools' files: what is read from real and from hostile texts. */
#include "test.h"

#include "recipe_parse.h"

typedef void (*parser)(struct recipes *recipes, const char *file, struct text bytes);

/* What came of it: a line for each recipe and finding. */
static const char *describe(struct recipes *recipes, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < recipes->count; i++) {
		const struct recipe *r = &recipes->items[i];

		used += (size_t)snprintf(buf + used, size - used, "%u %s %s", r->line,
					 recipe_kind_name(r->kind),
					 recipe_fate_name(r->fate));
		if (r->kind != RECIPE_IDS && r->module.n > 0)
			used += (size_t)snprintf(buf + used, size - used, " [%.*s]",
						 (int)r->module.n, r->module.p);
		if (r->is_replaced)
			used += (size_t)snprintf(buf + used, size - used, " replaced");
		for (size_t k = 0; k < r->selector_count; k++) {
			char text[SELECTOR_SIZE];

			used += (size_t)snprintf(buf + used, size - used, " %s",
						 selector_format(&r->selectors[k], text));
		}
		if (r->options)
			used += (size_t)snprintf(buf + used, size - used, " {%s}",
						 r->options);
		used += (size_t)snprintf(buf + used, size - used, "\n");
	}
	for (size_t i = 0; i < recipes->finding_count; i++)
		used += (size_t)snprintf(buf + used, size - used, "%u !%s\n",
					 recipes->findings[i].line,
					 recipe_lint_name(recipes->findings[i].lint));
	return buf;
}

static const struct {
	parser parse;
	const char *text;
	const char *want;
} cases[] = {
	/* ---- modprobe.d ---- */
	{recipe_parse_modprobe, "", ""},
	{recipe_parse_modprobe, "# options vfio-pci ids=10de:1b80\n", ""},
	{recipe_parse_modprobe, "options vfio-pci ids=10de:1b80,10de:10f0",
	 "1 ids delete 10de:1b80 10de:10f0\n"},
	{recipe_parse_modprobe, "\n\toptions\tvfio_pci  ids=10DE:1B80 disable_vga=1\r\n",
	 "2 ids delete 10de:1b80\n2 option stay\n"},
	{recipe_parse_modprobe, "options vfio-pci disable_idle_d3=1 disable_denylist\n",
	 "1 option stay\n1 option stay\n"},
	{recipe_parse_modprobe, "options pci-stub ids=8086:1521",
	 "1 ids delete 8086:1521\n"},
	{recipe_parse_modprobe,
	 "options vfio-pci ids=ffffffff:ffffffff:ffffffff:ffffffff:040300:ffff00",
	 "1 ids delete *:*:*:*:040300:ffff00\n"},
	{recipe_parse_modprobe,
	 "options vfio-pci \\\n  ids=10de:1b80,\\\n10de:10f0\nblacklist nouveau",
	 "1 ids delete 10de:1b80 10de:10f0\n4 blacklist delete [nouveau]\n"},
	{recipe_parse_modprobe, "options vfio-pci ids=10de:1b80 10de:10f0",
	 "1 ids delete 10de:1b80\n1 ids delete 10de:10f0\n1 !ids\n"},
	{recipe_parse_modprobe, "options vfio-pci ids=10de:1b80;10de:10f0,junk",
	 "1 ids delete 10de:1b80\n1 !ids\n1 !ids\n"},
	{recipe_parse_modprobe, "options vfio-pc ids=10de:1b80",
	 "1 ids delete 10de:1b80\n1 !name\n"},
	{recipe_parse_modprobe,
	 "options vfio-mdev x=1\noptions vfat x=1\noptions vfio x=1", "3 option stay\n"},
	{recipe_parse_modprobe, "options vfio-pci", ""},
	{recipe_parse_modprobe, "options", ""},
	{recipe_parse_modprobe, "10de:1b80,10de:10f0", "1 !syntax\n"},
	{recipe_parse_modprobe, "foo bar", ""},
	{recipe_parse_modprobe, "foo vfio", "1 !syntax\n"},
	{recipe_parse_modprobe,
	 "softdep nouveau pre: vfio-pci\nsoftdep snd post: vfio-pci",
	 "1 order delete [nouveau]\n"},
	{recipe_parse_modprobe, "softdep vfio-pci pre: vfio\nsoftdep x pre:", ""},
	{recipe_parse_modprobe, "softdep nvidia pre: vfio-pic",
	 "1 order delete [nvidia]\n1 !name\n"},
	{recipe_parse_modprobe, "softdep i915 pre: vfio_virqfd",
	 "1 order delete [i915]\n1 !stale-module\n"},
	{recipe_parse_modprobe,
	 "install nouveau /bin/false\ninstall amdgpu   :  \ninstall x",
	 "1 blacklist delete [nouveau]\n2 blacklist delete [amdgpu]\n"},
	{recipe_parse_modprobe, "install vfio-pci /usr/local/bin/vfio-pci-override.sh",
	 "1 script look [vfio-pci]\n"},
	{recipe_parse_modprobe, "install i915 modprobe vfio-pci; modprobe -i i915",
	 "1 order delete [i915]\n"},
	{recipe_parse_modprobe, "alias pci:v000010DEd00001B80sv*sd*bc03sc00i* vfio-pci",
	 "1 ids delete 10de:1b80:*:*:030000:ffff00\n"},
	{recipe_parse_modprobe,
	 "alias pci:v000010DEd0000zzzz vfio-pci\nalias pci:v vfio-pci",
	 "1 ids look\n2 ids look\n"},
	{recipe_parse_modprobe,
	 "alias pci:v000010EEd00105000sv*sd*bc*sc*i* vfio-pci\n"
	 "alias pci:vFFFFFFFFd00001B80sv*sd*bc*sc*i* vfio-pci",
	 "1 ids look\n2 ids look\n"},
	{recipe_parse_modprobe, "alias pci:v000010DEd* nvidia\nalias vfio-pci", ""},
	{recipe_parse_modprobe, "options xen-pciback hide=(0000:01:00.0)(01:00.1)",
	 "1 address stay 0000:01:00.0 0000:01:00.1 {driver=xen-pciback}\n"},
	{recipe_parse_modprobe_vendor,
	 "blacklist nouveau\ninstall nouveau /bin/true\n"
	 "softdep nouveau pre: vfio-pci",
	 "3 order delete [nouveau]\n"},
	{recipe_parse_modprobe, "\\", ""},
	{recipe_parse_modprobe, "options vfio-pci ids=10de:1b80\\",
	 "1 ids delete 10de:1b80\n"},

	/* ---- command lines ---- */
	{recipe_parse_plain_cmdline,
	 "quiet vfio-pci.ids=10de:1b80 vfio_pci.disable_vga=1",
	 "1 ids delete 10de:1b80\n1 option stay\n"},
	{recipe_parse_plain_cmdline, "a\nintel_iommu=on iommu=pt amd-iommu=on",
	 "2 kernel stay\n2 kernel stay\n2 kernel stay\n"},
	{recipe_parse_plain_cmdline, "video=efifb:off video=HDMI-1:1024x768",
	 "1 kernel stay\n"},
	{recipe_parse_plain_cmdline, "initcall_blacklist=sysfb_init initcall_blacklist=x",
	 "1 kernel stay\n"},
	{recipe_parse_plain_cmdline,
	 "modprobe.blacklist=nouveau,,nvidia modprobe_blacklist=x",
	 "1 blacklist delete [nouveau]\n1 blacklist delete [nvidia]\n"},
	{recipe_parse_plain_cmdline, "rd.driver.pre=vfio-pci rd.driver.pre=ext4,vfio",
	 "1 order delete\n1 order delete\n"},
	{recipe_parse_plain_cmdline, "xen-pciback.hide=(01:00.0)(junk)",
	 "1 address stay 0000:01:00.0 {driver=xen-pciback}\n1 !syntax\n"},
	{recipe_parse_plain_cmdline,
	 "rd.qubes.hide_pci=01:00.0,0000_00_1c.4-00_00.0,0001_40_01.1-00_00.0-00_1f.7",
	 "1 address stay 0000:01:00.0 path=0000:00:1c.4/00.0 "
	 "path=0001:40:01.1/00.0/1f.7 {driver=xen-pciback}\n"},
	/* Not the first bus behind the bridge; no path; too long a one. */
	{recipe_parse_plain_cmdline,
	 "rd.qubes.hide_pci=0000_00_1c.4-01_00.0,0000_00_1c.4-,-,0000_00_1c.4-00_00.9",
	 "1 address stay {driver=xen-pciback}\n1 !syntax\n1 !syntax\n1 !syntax\n1 !syntax\n"},
	{recipe_parse_plain_cmdline, "vfio-pci.ids vfio-pci.ids= x.ids=1:2",
	 "1 ids delete\n1 ids delete\n"},
	{recipe_parse_plain_cmdline, "init=/x -- vfio-pci.ids=10de:1b80", ""},
	{recipe_parse_plain_cmdline, "vfo-pci.ids=10de:1b80",
	 "1 ids delete 10de:1b80\n1 !name\n"},
	{recipe_parse_plain_cmdline, "vfio-pci.ids=10de:1b80, 10de:10f0",
	 "1 ids delete 10de:1b80\n1 ids delete 10de:10f0\n1 !ids\n"},
	{recipe_parse_plain_cmdline, "vfio-pci.ids=\"10de:1b80 10de:10f0\"",
	 "1 ids delete 10de:1b80\n1 !ids\n"},

	/* ---- boot loaders ---- */
	{recipe_parse_grub_default,
	 "GRUB_CMDLINE_LINUX='vfio-pci.ids=10de:1b80'\nOTHER='vfio-pci.ids=1:2'\n",
	 "1 ids delete 10de:1b80\n"},
	{recipe_parse_grub_default,
	 "export GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\nvfio-pci.ids=\\\"10de:1b80\\\"\" # x\n",
	 "1 ids delete 10de:1b80\n"},
	{recipe_parse_grub_default,
	 "GRUB_CMDLINE_LINUX=vfio-pci.ids=10de:1b80;GRUB_CMDLINE_LINUX=",
	 "1 ids delete replaced 10de:1b80\n1 !no-effect\n"},
	{recipe_parse_grub_default,
	 "GRUB_CMDLINE_LINUX=vfio-pci.ids=10de:1b80\n"
	 "GRUB_CMDLINE_LINUX=\"${GRUB_CMDLINE_LINUX} iommu=pt\"\nGRUB_CMDLINE_LINUX+=' quiet'",
	 "1 ids delete 10de:1b80\n2 kernel stay\n3 !not-understood\n"},
	/* No rule comes out of a quoted text, nor of what may not be assigned. */
	{recipe_parse_grub_default,
	 ": \"\nGRUB_CMDLINE_LINUX=vfio-pci.ids=10ee:5000\n\"\n"
	 "A=b GRUB_CMDLINE_LINUX=vfio-pci.ids=10de:1b80\n",
	 "4 ids delete 10de:1b80\n"},
	{recipe_parse_grub_default, "GRUB_CMDLINE_LINUX=\"vfio-pci.ids=10de:1b80",
	 "1 !not-understood\n"},
	{recipe_parse_grub_default, "if true; then\n  GRUB_CMDLINE_LINUX=iommu=pt\nfi",
	 "2 !not-understood\n"},
	{recipe_parse_grub_default,
	 "GRUB_CMDLINE_LINUX=\xe2\x80\x9cvfio-pci.ids=10de:1b80\xe2\x80\x9d\nA=$(x)\n. /x",
	 "1 !syntax\n3 !not-understood\n"},
	{recipe_parse_grub_cfg,
	 "menuentry 'x' {\n\tlinux /vmlinuz iommu=pt\n  module2 /vmlinuz iommu=pt\n#linux iommu=pt\n}",
	 "2 kernel stay\n3 kernel stay\n"},
	{recipe_parse_entry, "title iommu=pt\noptions ro vfio-pci.ids=1:2\n",
	 "2 ids delete 0001:0002\n"},
	{recipe_parse_syslinux, "LABEL x\n  APPEND iommu=pt initrd=/bzroot",
	 "2 kernel stay\n"},

	/* ---- lists of modules ---- */
	{recipe_parse_modules,
	 "# vfio\n; vfio\nvfio\n vfio_pci  ids=10de:1b80\nvfio_virqfd\next4",
	 "3 load delete\n4 ids delete 10de:1b80\n5 load delete\n5 !stale-module\n"},
	{recipe_parse_modules, "softdep nouveau pre: vfio-pci\noptions loop max_loop=4",
	 "1 load delete replaced\n1 !syntax\n"},
	{recipe_parse_dracut, "force_drivers+=\" vfio vfio-pci \"",
	 "1 load delete\n1 load delete\n"},
	{recipe_parse_dracut, "force_drivers+=\"vfio\"", "1 load delete\n1 !blanks\n"},
	{recipe_parse_dracut,
	 "add_drivers+=\" vfio\"\nadd_drivers=vfio\nadd_drivers+=ext4",
	 "1 load delete\n2 load delete\n1 !blanks\n"},
	{recipe_parse_dracut, "kernel_cmdline=\"vfio-pci.ids=10de:1b80\"",
	 "1 ids delete 10de:1b80\n"},
	{recipe_parse_dracut, "install_items+=' /sbin/vfio-pci-override.sh /etc/x '",
	 "1 script look\n"},
	{recipe_parse_mkinitcpio,
	 "MODULES=(vfio_pci \"vfio\" # vfio\n  ext4\n)\nFILES=(/x/vfio.sh)",
	 "1 load delete\n1 load delete\n4 script look\n"},
	{recipe_parse_mkinitcpio, "MODULES=\"vfio-pci\"\nMODULES=(vfio",
	 "1 load delete\n2 !not-understood\n"},
	{recipe_parse_script, "#!/bin/sh\n# vfio-pci\necho x >driver_override\nvfio-pci",
	 "3 script look\n"},
	{recipe_parse_init_script, "case $1 in prereqs) exit;; esac\nmodprobe vfio-pci",
	 "2 load stay\n"},
	{recipe_parse_init_script, "modprobe vfio-pci", "1 load stay\n0 !order\n"},
	{recipe_parse_init_script, "modprobe ext4", ""},
	/* Literal addresses and IDs of programs, through variables and lists. */
	{recipe_parse_script,
	 "#!/bin/sh\nDEVS=\"0000:01:00.0 0000:01:00.1\"\nfor DEV in $DEVS; do\n"
	 "  echo \"vfio-pci\" > /sys/bus/pci/devices/$DEV/driver_override\ndone\n",
	 "4 address stay 0000:01:00.0 0000:01:00.1\n"},
	{recipe_parse_script,
	 "DEVS=(\n 0000:01:00.0 # the card\n 02:00.0)\nfor d in \"${DEVS[@]}\"\ndo\n"
	 "echo vfio-pci | sudo tee /sys/bus/pci/devices/${d}/driver_override\ndone",
	 "6 address stay 0000:01:00.0 0000:02:00.0\n"},
	{recipe_parse_script,
	 "A=0000:01:00.0\nif [ x ]; then A=0000:02:00.0; fi\n"
	 "echo vfio-pci >/sys/bus/pci/devices/$A/driver_override",
	 "3 address stay 0000:01:00.0 0000:02:00.0\n"},
	{recipe_parse_script,
	 "echo 0000:03:00.0 >/sys/bus/pci/drivers/xhci_hcd/unbind\n"
	 "echo 1b21 0612 >/sys/bus/pci/drivers/vfio-pci/new_id\n"
	 "echo 0000:04:00.0 >/sys/bus/pci/drivers/pci-stub/bind",
	 "2 ids stay 1b21:0612\n3 address stay 0000:04:00.0 {driver=pci-stub}\n"},
	{recipe_parse_script,
	 "driverctl --nosave set-override 0000:03:00.0 vfio-pci\n"
	 "driverctl set-override 0000:04:00.0 i40e\n"
	 "virsh nodedev-detach pci_0000_05_00_0\n"
	 "dpdk-devbind.py -b vfio-pci 06:00.0\n"
	 "/usr/local/bin/vfio-pci-bind.sh 0000:07:00.0",
	 "1 address stay 0000:03:00.0\n3 address stay 0000:05:00.0\n"
	 "4 address stay 0000:06:00.0\n5 address stay 0000:07:00.0\n"},
	/* Given back, asked, or another driver: nothing is passed. */
	{recipe_parse_script,
	 "echo > /sys/bus/pci/devices/0000:01:00.0/driver_override # not vfio-pci\n"
	 "echo nouveau > /sys/bus/pci/devices/0000:01:00.0/driver_override\n"
	 "cat /sys/bus/pci/devices/0000:01:00.0/driver_override",
	 "1 script look\n"},
	{recipe_parse_script,
	 "for i in $(find /sys/devices/pci* -name boot_vga); do\n"
	 "echo vfio-pci > $i/driver_override\ndone",
	 "2 script look\n2 !not-understood\n"},
	{recipe_parse_script,
	 "b() { echo vfio-pci > /sys/bus/pci/devices/$1/driver_override\n}",
	 "1 script look\n1 !not-understood\n"},
	{recipe_parse_script, "echo \"vfio-pci > driver_override\n\n",
	 "1 script look\n1 !not-understood\n"},
	{recipe_parse_unit,
	 "[Service]\nExecStart=-/usr/bin/driverctl set-override 0000:03:00.0 vfio-pci\n"
	 "ExecStop=/bin/sh -c 'for d in 01:00.0 01:00.1; do echo vfio-pci > "
	 "/sys/bus/pci/devices/0000:$d/driver_override; done'",
	 "2 address stay 0000:03:00.0\n3 address stay 0000:01:00.0 0000:01:00.1\n"},
	{recipe_parse_unit, "[Unit]\nAfter=vfio-pci\nExecStart=/bin/true vfio", ""},
	{recipe_parse_udev,
	 "SUBSYSTEM==\"vfio\", GROUP=\"kvm\"\n"
	 "ACTION==\"add\", KERNEL==\"0000:01:00.*\", ATTR{driver_override}=\"vfio-pci\"\n"
	 "ATTR{vendor}==\"0x10de\", ATTR{device}==\"0x1b80\", \\\n"
	 " ATTR{driver_override}=\"vfio-pci\"\n"
	 "KERNEL==\"0000:02:00.0\", RUN+=\"/bin/sh -c 'echo vfio-pci > x'\"\n"
	 "DRIVER==\"vfio-pci\", ATTR{power/control}=\"auto\"\n"
	 "ATTR{class}==\"0x030000\", ATTR{driver_override}=\"vfio-pci\"\n"
	 "KERNEL!=\"0000:03:00.0\", ATTR{driver_override}=\"vfio-pci\"",
	 "2 address delete 0000:01:00.*\n3 ids delete 10de:1b80\n"
	 "5 address stay 0000:02:00.0\n7 script look\n8 script look\n"
	 "7 !not-understood\n8 !not-understood\n"},
	{recipe_parse_tmpfiles,
	 "# w x\nw /sys/bus/pci/devices/0000:01:00.0/driver_override - - - - vfio-pci\n"
	 "w+ /sys/bus/pci/devices/*/driver_override - - - - vfio-pci\n"
	 "w /sys/bus/pci/devices/0000:01:00.0/power/control - - - - on\n"
	 "f /run/vfio-pci 0755 - - - vfio-pci",
	 "2 address delete 0000:01:00.0\n3 address look\n"},
	/* ---- mistakes ---- */
	{recipe_parse_modprobe, "options vfio-pci ids=01:00.0,0000:01:00.1",
	 "1 ids delete 0000:01:00.0 0000:01:00.1\n1 !ids\n1 !ids\n"},
	{recipe_parse_modprobe,
	 "options vfio ids=10de:1b80\noptions vfio-pci id=10de:10f0",
	 "1 ids delete 10de:1b80\n2 ids delete 10de:10f0\n1 !name\n2 !name\n"},
	{recipe_parse_modprobe, "options vfio-pci ids=10de:1b80 # a card b=1",
	 "1 ids delete 10de:1b80\n1 !syntax\n"},
	{recipe_parse_modprobe, "options vfio-pci ids = 10de:1b80",
	 "1 ids delete 10de:1b80\n1 !ids\n1 !ids\n"},
	{recipe_parse_plain_cmdline,
	 "vfio_pci.id=10de:1b80 vfio.ids=10de:10f0 vfio-pci-ids=1b21:0612 vfio-pci-ids=x",
	 "1 ids delete 10de:1b80\n1 ids delete 10de:10f0\n1 ids delete 1b21:0612\n"
	 "1 !name\n1 !name\n1 !name\n"},
	{recipe_parse_plain_cmdline, "intel_iommu=off iommu=pt amd_iommu=off",
	 "1 kernel stay\n1 !iommu-off\n1 !iommu-off\n"},
	{recipe_parse_grub_default, "GRUB_CMDLINE_LINUX_RECOVERY=\"single iommu=off\"",
	 ""},
	/* ---- boot loaders by key, by string ---- */
	{recipe_parse_keyed,
	 "# cmdline: vfio-pci.ids=1:1\n  cmdline: root=x vfio-pci.ids=10de:1b80\n"
	 "KERNEL_CMDLINE[default]+=\"quiet vfio-pci.ids=10de:10f0\"\n"
	 "parameters = 'vfio-pci.ids=1b21:0612'\nkernelopts=root=x pci-stub.ids=8086:1572 \n"
	 "CMDLINES vfio-pci.ids=1:1\ncmdline\ncmdline[\noptions \"",
	 "2 ids delete 10de:1b80\n3 ids delete 10de:10f0\n4 ids delete 1b21:0612\n"
	 "5 ids delete 8086:1572\n"},
	{recipe_parse_refind_linux,
	 "\"vfio-pci.ids=1:1\" \"vfio-pci.ids=10de:1b80\"\n# \"x\" \"y\"\n\"t\"\n\"u\" \"ro\"",
	 "1 ids delete 10de:1b80\n"},
	{recipe_parse_kernelstub,
	 "{\"user\": {\"kernel_options\": [\"quiet\",\n\"vfio-pci.ids=10de:1b80\"]}}",
	 "2 ids delete 10de:1b80\n"},
	{recipe_parse_bootc, "# x\nkargs = [\"vfio-pci.ids=10de:1b80\", \"iommu=pt\"]",
	 "2 ids stay 10de:1b80\n2 kernel stay\n"},
	{recipe_parse_nix,
	 "{ ... }: {\nboot.kernelParams = [ \"amd_iommu=on\" # \"vfio-pci.ids=1:1\"\n"
	 " \"vfio-pci.ids=10de:1b80,10de:10f0\" ];\nboot.extraModprobeConfig = ''\n"
	 "  options vfio-pci ids=1b21:0612\n'';\n"
	 "x = \"vfio-pci.ids=${lib.concatStringsSep \\\",\\\" ids}\"; }",
	 "2 kernel stay\n3 ids stay 10de:1b80 10de:10f0\n5 ids stay 1b21:0612\n"
	 "7 !not-understood\n"},
	{recipe_parse_nix, "'' options vfio", ""},
	{recipe_parse_grub_custom,
	 "menuentry x {\n linux /vmlinuz vfio-pci.ids=10de:1b80\n}",
	 "2 ids delete 10de:1b80\n"},
	/* ---- DPDK, VPP, TrueNAS ---- */
	{recipe_parse_dpdk,
	 "#pci 0000:01:00.0 vfio-pci\npci\t0000:02:00.0\tvfio-pci\npci 03:00.0 igb_uio\n"
	 "virtio v uio\npci 04:00.0 i40e\npci eth0 vfio-pci",
	 "2 address delete 0000:02:00.0\n"
	 "3 address delete 0000:03:00.0 {driver=igb_uio}\n6 !syntax\n"},
	{recipe_parse_vpp,
	 "unix { dev 0000:09:00.0 }\ndpdk {\n dev default { num-rx-queues 2 }\n"
	 " dev 0000:02:00.0{ name a }\n # dev 0000:03:00.0\n dev 0000:04:00.0\n}\n"
	 "dev 0000:05:00.0",
	 "4 address stay 0000:02:00.0\n6 address stay 0000:04:00.0\n"},
	{recipe_parse_truenas, "0000:01:00.0 0000:01:00.1\nx",
	 "1 address stay 0000:01:00.0 0000:01:00.1\n2 !syntax\n"},
	{recipe_parse_proxmox_vm,
	 "args: -device vfio-pci,host=0000:02:00.0,x-vga=on -m 1",
	 "1 address stay 0000:02:00.0\n"},
	{recipe_parse_libvirt,
	 "<network><forward mode='hostdev' managed='yes'>\n<address type='pci' domain='0x0' "
	 "bus='0x3' slot='0x10' function='0x1'/></forward></network>\n"
	 "<qemu:arg value='vfio-pci,host=0000:01:00.0'/>\n"
	 "<qemu:arg value='{\"driver\":\"vfio-pci\",\"host\":\"0000:01:00.1\"}'/>",
	 "2 address stay 0000:03:10.1\n3 address stay 0000:01:00.0\n"
	 "4 address stay 0000:01:00.1\n"},
	{recipe_parse_sysfs,
	 "bus/pci/devices/0000:01:00.0/driver_override = pci-stub\n"
	 "mode bus/pci/devices/0000:01:00.0/driver_override = 0644\nx = y",
	 "1 address delete 0000:01:00.0 {driver=pci-stub}\n"},

	/* ---- addresses ---- */
	{recipe_parse_unraid,
	 "BIND=0000:03:00.0|10de:1b80 04:00.0\r\nBIND=\"10de:10f0\"\nVFS=x",
	 "1 address delete 0000:03:00.0+10de:1b80 0000:04:00.0 {with=group}\n2 address delete 10de:10f0 {with=group}\n"},
	{recipe_parse_unraid, "BIND=0000:03:00.0|x junk|10de:1b80",
	 "1 address delete {with=group}\n1 !syntax\n1 !syntax\n"},
	{recipe_parse_unraid, "BIND=\nBIND", "1 address delete {with=group}\n"},
	{recipe_parse_proxmox_vm,
	 "hostpci0: 01:00,pcie=1\nhostpci1: host=0000:02:00.1,x-vga=1",
	 "1 address stay 0000:01:00.*\n2 address stay 0000:02:00.1\n"},
	{recipe_parse_proxmox_vm,
	 "hostpci0: 01:00.0;01:00.1\nhostpci1: mapping=gpu\n[snap]\nhostpci2: 3:0",
	 "1 address stay 0000:01:00.0 0000:01:00.1\n"},
	{recipe_parse_proxmox_vm, "hostpci0:\nhostpci\nhostpci1: ,,;\n",
	 "1 address stay\n3 address stay\n"},
	{recipe_parse_proxmox_mapping,
	 "gpu\n\tmap id=10de:2489,node=a,path=0000:01:00.0,subsystem-id=1462:3e92\n\tmap x\n"
	 "\tmap path=0000:01:00,id=10de:2489\n",
	 "2 address stay 0000:01:00.0+10de:2489:1462:3e92\n4 address stay 0000:01:00.*\n"},
	{recipe_parse_libvirt,
	 "<source>\n<address domain='0x0001' bus='0x41' slot=\"0x1f\" function='0x7'/></source>\n"
	 "<address bus='0x01' slot='0x00' function='0x0'/>",
	 "2 address stay 0001:41:1f.7\n"},
	{recipe_parse_libvirt,
	 "<!-- <source>\n<address bus='1' slot='1' function='1'/> -->\n"
	 "<source/><address bus='1' slot='1' function='1'/>",
	 ""},
	{recipe_parse_libvirt,
	 "<source><address bus='0x100' slot='0' function='0'/><address bus=1 slot='0'/>",
	 ""},
	{recipe_parse_libvirt, "<source><address bus='", ""},
	{recipe_parse_libvirt, "<><source></><!--", ""},
};

static void test_cases(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena = test_arena((size_t)1024 * 1024);
		struct text bytes = test_text(cases[i].text);
		struct recipes recipes;
		char got[4096];

		assert_int_equal(recipes_init(&recipes, &arena), 0);
		cases[i].parse(&recipes, "/x/file", bytes);
		check_string(cases[i].text, describe(&recipes, got, sizeof(got)),
			     cases[i].want);
		check_true(cases[i].text, !recipes.is_cut);
		test_text_free(bytes);
		test_arena_free(&arena);
	}
}

static const parser parsers[] = {
	recipe_parse_modprobe, recipe_parse_plain_cmdline, recipe_parse_grub_default,
	recipe_parse_grub_cfg, recipe_parse_entry,	   recipe_parse_syslinux,
	recipe_parse_modules,  recipe_parse_dracut,	   recipe_parse_mkinitcpio,
	recipe_parse_unit,     recipe_parse_udev,	   recipe_parse_tmpfiles,
	recipe_parse_sysfs,    recipe_parse_init_script,   recipe_parse_driverctl,
	recipe_parse_unraid,   recipe_parse_proxmox_vm,	   recipe_parse_proxmox_mapping,
	recipe_parse_libvirt,  recipe_parse_sysconfig,	   recipe_parse_booster,
};

static void parse_all(struct text bytes)
{
	static struct arena arena;

	if (!arena.base)
		arena = test_arena((size_t)1024 * 1024);
	for (size_t i = 0; i < ARRAY_SIZE(parsers); i++) {
		struct recipes recipes;

		arena_rewind(&arena, 0);
		assert_int_equal(recipes_init(&recipes, &arena), 0);
		parsers[i](&recipes, "/etc/driverctl.d/pci-0000:01:00.0", bytes);
	}
}

/* Every text, cut at each of its bytes, by every parser: nothing outside is read. */
static void test_cut(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text whole = text_of(cases[i].text);

		for (size_t n = 0; n <= whole.n; n += 7) {
			char *copy = malloc(n > 0 ? n : 1);

			assert_non_null(copy);
			memcpy(copy, whole.p, n);
			parse_all((struct text){copy, n});
			free(copy);
		}
	}
}

static void test_garbage(void **state unused)
{
	char bytes[512];
	uint32_t seed = 1;

	for (size_t round = 0; round < 500; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			static const char letters[] =
				"\"'\\\n=()<>$,;:.| vfio-pci0#[\0\xff";

			seed = seed * 1664525 + 1013904223;
			bytes[i] = letters[(seed >> 16) % sizeof(letters)];
		}
		parse_all((struct text){bytes, sizeof(bytes)});
	}
}

/* Limits are kept, and said. */
static void test_limits(void **state unused)
{
	struct arena arena = test_arena((size_t)8 * 1024 * 1024);
	size_t size = (size_t)64 * 1024, used = 0;
	char *many = malloc(size);
	struct recipes recipes;

	assert_non_null(many);
	while (used + 16 < size)
		used += (size_t)snprintf(many + used, size - used, "blacklist x%zu\n",
					 used);
	assert_int_equal(recipes_init(&recipes, &arena), 0);
	recipe_parse_modprobe(&recipes, "f", (struct text){many, used});
	assert_int_equal(recipes.count, RECIPES_MAX);
	assert_true(recipes.is_cut);

	used = (size_t)snprintf(many, size, "options vfio-pci ids=");
	while (used < 1200)
		used += (size_t)snprintf(many + used, size - used, "10de:1b80,");
	arena_rewind(&arena, 0);
	assert_int_equal(recipes_init(&recipes, &arena), 0);
	recipe_parse_modprobe(&recipes, "f", (struct text){many, used});
	assert_int_equal(recipes.finding_count, 1);
	assert_int_equal(recipes.findings[0].lint, LINT_IDS_LENGTH);
	free(many);
	test_arena_free(&arena);
}

/* No memory is no crash: whatever is lost is marked. */
static void test_memory(void **state unused)
{
	size_t least = RECIPES_MAX * sizeof(struct recipe) +
		       RECIPE_FINDINGS_MAX * sizeof(struct recipe_finding) + 64;

	for (size_t more = 0; more < 2048; more += 256) {
		struct arena arena = test_arena(least + more);
		struct recipes recipes;

		assert_int_equal(recipes_init(&recipes, &arena), 0);
		recipe_parse_grub_default(
			&recipes, "f",
			TEXT("GRUB_CMDLINE_LINUX='vfio-pci.ids=10de:1b80,x'"));
		assert_true(recipes.is_cut);
		test_arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),	cmocka_unit_test(test_cut),
		cmocka_unit_test(test_garbage), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
