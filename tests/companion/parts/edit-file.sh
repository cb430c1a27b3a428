# shellcheck shell=sh
# Changing files of the machine: nothing is lost, nothing is cut, nobody can read more than before;
# whatever fails, and whenever the program is killed.
# shellcheck disable=SC2154,SC2016 # here and so on are of run.sh; shells of their own

mkdir "$work/edit-file"
cd "$work/edit-file" || exit

tree() { # NAME: without rules; its configuration is a file of another mode
	rm -rf "$1" "$1.fresh"
	cp -a ../alveo "$1"
	echo 'root=/dev/sda1 intel_iommu=on' >"$1/proc/cmdline"
	mkdir -p "$1/run"
	echo '# ours' >"$1/etc/earlybind.conf"
	chmod 640 "$1/etc/earlybind.conf"
}

# Each of them reads what the one before has written.
parallel() {
	tree parallel
	for device in 00:14.0 00:16.0 00:1f.3 00:1f.4 01:00.0 01:00.1 02:00.1 00:12.0; do
		"$EARLYBIND" add "$device" --sysroot parallel --force >/dev/null 2>&1 ||
			echo "add $device: exit $?" &
	done
	wait
	[ "$(grep -c ^bind parallel/etc/earlybind.conf)" = 8 ]
}
check edit-parallel parallel

# One waits for the lock; what chooses from a list takes it when the choice is made.
waits() {
	tree waits
	mkdir waits/run/earlybind
	rm -f let-go
	flock waits/run/earlybind/edit.lock sh -c 'until [ -e let-go ]; do sleep 0.1; done' &
	until [ -e waits/run/earlybind/edit.lock ]; do sleep 0.1; done
	sleep 0.2
	waits=no
	if ! timeout 0.4 "$EARLYBIND" add 01:00.0 --sysroot waits >/dev/null &&
		grep -qx '# ours' waits/etc/earlybind.conf &&
		"$EARLYBIND" add 01:00.0 --sysroot waits --dry-run >/dev/null; then
		waits=yes
	fi
	: >let-go
	[ $waits = yes ] && "$EARLYBIND" add 01:00.0 --sysroot waits >/dev/null &&
		wait && grep -q ^bind waits/etc/earlybind.conf
}
check edit-waits waits
chosen_meanwhile() {
	tree select
	{
		sleep 1
		echo 1
	} | "$EARLYBIND" select --plain --sysroot select >/dev/null 2>err.txt &
	sleep 0.5
	"$EARLYBIND" add 01:00.0 --sysroot select >/dev/null || return 1
	! wait $! && grep -q 'somebody else has changed it meanwhile' err.txt &&
		[ "$(grep -c ^bind select/etc/earlybind.conf)" = 1 ]
}
check edit-changed-meanwhile chosen_meanwhile

# A full file system: the old file, and nothing beside it.
full_disk() {
	tree full
	i=0
	while [ $((i += 1)) -le 900 ]; do echo "# a comment of the administrator, $i"; done \
		>>full/etc/earlybind.conf
	cp full/etc/earlybind.conf before.conf
	mkdir small
	unshare --user --map-root-user --mount sh -c '
		mount -t tmpfs -o size=52k none small && cp -a full/etc/. small/ &&
		mount --bind small full/etc || exit 99
		code=0
		"$1" add 01:00.0 --sysroot full >/dev/null 2>err.txt || code=$?
		echo "$code" >code.txt
		cmp before.conf full/etc/earlybind.conf && find full/etc | sort >names.txt' - "$EARLYBIND" &&
		[ "$(cat code.txt)" = 1 ] && grep -q 'no space left' err.txt &&
		find full/etc | sort | cmp - names.txt
}
check edit-full-disk full_disk

# The same with a folder that cannot be written to, and a tree without /run.
read_only() {
	tree read-only
	rmdir read-only/run 2>/dev/null || rm -r read-only/run
	cp -a read-only/etc/earlybind.conf before.conf
	unshare --user --map-root-user --mount sh -c '
		mount --bind read-only read-only && mount -o remount,bind,ro read-only || exit 99
		! "$1" add 01:00.0 --sysroot read-only >/dev/null 2>err.txt' - "$EARLYBIND" &&
		grep -q 'it cannot be written: read-only' err.txt &&
		"$EARLYBIND" add 01:00.0 --sysroot read-only >/dev/null &&
		[ ! -e read-only/run ] && [ "$(stat -c %a read-only/etc/earlybind.conf)" = 640 ]
}
check edit-read-only read_only

# kill -9 at each system call.
killed() { # NAME ARGUMENT...
	name=$1
	shift
	[ "$SUITE" != companion-asan ] || return 0
	check "edit-killed-$name" "$here/kill_at.py" kill etc boot var -- "$EARLYBIND" "$@" \
		--sysroot kill
}
intel() {
	tree kill
	printf 'processor\t: 0\nvendor_id\t: GenuineIntel\n\n' >kill/proc/cpuinfo
	echo 'root=/dev/sda1' >kill/proc/cmdline
	rm -rf kill/sys/class/iommu/* kill/etc/default kill/etc/kernel
	mkdir -p kill/usr/sbin kill/boot
}
tree kill
killed add add 01:00.0
intel
mkdir -p kill/etc/default/grub.d
printf 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX=""\n' >kill/etc/default/grub
cp /bin/true kill/usr/sbin/update-grub
killed grub cmdline --set --menu-entry
rm -rf kill/etc/default/grub.d kill/etc/grub.d
killed grub-file cmdline --set
intel
mkdir -p kill/etc/kernel kill/boot/loader/entries
echo 'root=/dev/sda1 quiet' >kill/etc/kernel/cmdline
printf 'title Debian\nlinux /vmlinuz\noptions root=/dev/sda1\n' >kill/boot/loader/entries/a.conf
cp /bin/true kill/usr/sbin/kernel-install
killed words cmdline --set --menu-entry
killed remove cmdline --remove
tree kill
cp -a ../configured/etc/earlybind.conf kill/etc/
killed rules embed --image-build --binder "$BINDER" --output out
cd "$work" || exit
