# shellcheck shell=sh
# cmdline --set where the running kernel is a unified image that ukify made by its settings alone.
# The helpers are those of cmdline.sh, which is read before.
# shellcheck disable=SC2154
# Needs: cmdline

mkdir "$work/ukify"
cd "$work/ukify" || exit

uki='etc/kernel/uki.conf=[UKI]\nOSRelease=@/etc/os-release\n'
loader ukify-words GenuineIntel 'root=UUID=1 rw quiet' "${uki}Cmdline=root=UUID=1 rw quiet\n"
round ukify-words ukify-words --set
# Set and not made: neither done, nor is it time to reboot.
ukify_is_left() {
	loader ukify-left GenuineIntel 'root=UUID=1 rw quiet' "${uki}Cmdline=root=UUID=1 rw quiet\n"
	"$EARLYBIND" cmdline --sysroot ukify-left --set --json >out.json &&
		jq -e '.done == false and .next == [] and (.changes | length) == 2' out.json &&
		"$EARLYBIND" cmdline --sysroot ukify-left --json >out.json
	jq -e '.set and .next == []' out.json &&
		says 'next: intel_iommu=on is set; .* make the unified image again with ukify' \
			cmdline --sysroot ukify-left
}
check ukify-left ukify_is_left
loader ukify-more GenuineIntel 'root=UUID=1 rw quiet' \
	"${uki}Cmdline = root=UUID=1 rw\n  quiet\n[PE]\n"
round ukify-more ukify-more --set
loader ukify-file GenuineIntel 'root=UUID=1 rw quiet' "${uki}Cmdline=@/etc/cmdline-uki\n" \
	'etc/cmdline-uki=root=UUID=1 rw quiet\n'
round ukify-file ukify-file --set
# Quotes around all of it are no part of it.
loader ukify-quotes GenuineIntel 'root=UUID=1 rw quiet' \
	"${uki}Cmdline = \"root=UUID=1 rw quiet\"\n[PE]\n"
round ukify-quotes ukify-quotes --set
loader ukify-quotes-more GenuineIntel 'root=UUID=1 rw quiet' \
	"${uki}Cmdline='root=UUID=1 rw\n  quiet'\n"
round ukify-quotes-more ukify-quotes-more --set
# Blanks within them stay.
loader ukify-quotes-blanks GenuineIntel 'root=UUID=1 rw quiet' \
	"${uki}Cmdline=\" root=UUID=1 rw quiet\t\"\n"
round ukify-quotes-blanks ukify-quotes-blanks --set
# kernel-install gives ukify the words of its own file, whatever the settings say.
loader ukify-by-install GenuineIntel 'root=UUID=1 rw quiet' "${uki}Cmdline=root=UUID=1 rw\n" \
	'etc/kernel/cmdline=root=UUID=1 rw quiet\n'
check ukify-by-install says 'by /etc/kernel/cmdline' cmdline --sysroot ukify-by-install
# Settings that this boot does not have are not changed.
loader ukify-other GenuineIntel 'root=UUID=2 ro' "${uki}Cmdline=root=UUID=1 rw\n"
check ukify-other untouched 'add intel_iommu=on to the kernel command line' ukify-other
# A value that goes on in the next line is one: what stands there is against it.
loader ukify-against GenuineIntel 'root=UUID=1 rw intel_iommu=off' "${uki}Cmdline=root=UUID=1 rw\n  intel_iommu=off\n"
check ukify-against says 'intel_iommu=off is set already' cmdline --sysroot ukify-against --set
cd "$work" || exit
