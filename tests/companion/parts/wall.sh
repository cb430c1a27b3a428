# shellcheck shell=sh disable=SC2154 # of run.sh
# --sysroot is a wall: links of the tree lead to places in the tree, for reading and for
# writing, and nothing of the tree makes a command wait.

# Two trees by the name "tree". In wall/plain files are where they are known; in wall/linked the
# files, and folders above them, are links to the places where they are: absolute ones, and those
# that go above the root.
wall_base() { # FOLDER
	mkdir -p "$1"
	"$here/mktree.py" "$here/trees/import-debian.tree" "$1/tree"
	mkdir -p "$1/tree/usr/lib/earlybind" "$1/tree/run/earlybind" "$1/tree/etc/default/grub.d" \
		"$1/tree/var/lib/earlybind"
	cp "$BINDER" "$1/tree/usr/lib/earlybind/binder"
	echo '{}' >"$1/tree/run/earlybind/report.json"
}
wall_move() { # FROM TO TARGET
	mkdir -p "wall/linked/tree/${2%/*}"
	mv "wall/linked/tree/$1" "wall/linked/tree/$2"
	ln -s "$3" "wall/linked/tree/$1"
}
wall_base wall/plain
wall_base wall/linked
wall_move etc/earlybind.conf store/earlybind.conf /store/earlybind.conf
wall_move etc/modprobe.d store/modprobe.d ../../../../../../../../../store/modprobe.d
wall_move store/modprobe.d/vfio.conf store/vfio.conf /store/vfio.conf
wall_move etc/default/grub store/grub /store/middle/grub
wall_move boot/grub store/boot-grub /store/boot-grub
wall_move usr/lib/earlybind/binder store/binder /etc/../store/binder
wall_move run/earlybind store/run-earlybind /store/run-earlybind
wall_move proc/cmdline store/cmdline /store/cmdline
ln -s ../store wall/linked/tree/store/middle
for file in wall/linked/tree/lib/modules/*/modules.alias.bin; do
	wall_move "${file#wall/linked/tree/}" store/alias.bin /store/alias.bin
done
wall_move lib/modules store/modules /store/modules
wall_move usr/share/misc/pci.ids store/pci.ids /store/pci.ids

wall_same() { # ARGUMENT...
	for tree in plain linked; do
		code=0
		(cd "wall/$tree" && "$EARLYBIND" "$@" --sysroot tree) >"wall/$tree.txt" 2>&1 || code=$?
		echo "=> $code" >>"wall/$tree.txt"
	done
	diff -u wall/plain.txt wall/linked.txt
}
wall_tar() {
	wall_same capture --output c.tar
	for tree in plain linked; do
		tar -tf "wall/$tree/c.tar" | grep -vE '/store(/|$)' | sort >"wall/$tree.txt"
	done
	grep -q modprobe.d/vfio.conf wall/plain.txt && diff -u wall/plain.txt wall/linked.txt
}
for command in "list" "list --json" "plan" "plan --json" "check" "cmdline" "import" "status" \
	"explain 01:00.0" "export --format qemu"; do
	# shellcheck disable=SC2086
	check "wall-reads-$(echo "$command" | tr -s ' -' '-')" wall_same $command
done
check wall-reads-capture wall_tar

# What is written is written there where the links of the tree lead.
wall_writes() { # FILE-OF-PLAIN FILE-OF-LINKED ARGUMENT...
	plain=wall/plain/tree/$1
	linked=wall/linked/tree/$2
	shift 2
	cp "$plain" wall/before
	wall_same "$@" && cmp "$plain" "$linked" && ! cmp -s "$plain" wall/before
}
check wall-writes-rule wall_writes etc/earlybind.conf store/earlybind.conf keep 01:00.1
check wall-writes-import wall_writes etc/earlybind.conf store/earlybind.conf import --write
wall_embeds() {
	wall_same embed --output out && cmp wall/plain/out wall/linked/out &&
		! cmp -s wall/plain/out "$BINDER"
}
check wall-writes-embed wall_embeds
wall_cmdline() {
	wall_same cmdline --add iommu=pt &&
		diff -r wall/plain/tree/etc/default/grub.d wall/linked/tree/etc/default/grub.d &&
		cmp wall/plain/tree/etc/default/grub wall/linked/tree/store/grub
}
check wall-writes-cmdline wall_cmdline
# The links themselves are as they were.
wall_links() {
	[ -L wall/linked/tree/etc/earlybind.conf ] && [ -L wall/linked/tree/etc/default/grub ] &&
		[ -L wall/linked/tree/etc/modprobe.d ]
}
check wall-keeps-links wall_links

# A tree of somebody else, whose links lead to the host.
host=$work/wall/host
mkdir -p "$host/modprobe.d" "$host/entries" "$host/grub.d" "$host/earlybind"
for file in shadow cmdline earlybind.conf grub modprobe.d/x.conf entries/x.conf report.json \
	pci.ids rules; do
	echo "options vfio-pci ids=dead:beef # GRUB_CMDLINE_LINUX=secret" >"$host/$file"
done
wall_escape() { # FROM TO
	rm -rf "wall/evil/tree/$1"
	mkdir -p "wall/evil/tree/$(dirname "$1")"
	ln -s "$2" "wall/evil/tree/$1"
}
wall_base wall/evil
wall_escape etc/earlybind.conf "$host/earlybind.conf"
wall_escape etc/earlybind.conf.d "$host/modprobe.d"
wall_escape etc/modprobe.d "$host/modprobe.d"
wall_escape etc/kernel "$host"
wall_escape etc/default "../../../host"
wall_escape boot/loader "$host"
wall_escape run/earlybind/report.json "$host/report.json"
wall_escape usr/share/misc/pci.ids "$host/pci.ids"
wall_escape proc/cmdline "../../../host/shadow"
wall_escape var/lib/earlybind "$host"
(cd "$host" && find . -type f -exec sha256sum {} + | sort) >wall/host.sums
wall_holds() { # ARGUMENT...
	(cd wall/evil && timeout 20 "$EARLYBIND" "$@" --sysroot tree --color never) >wall/evil.txt 2>&1 || true
	(cd "$host" && find . -type f -exec sha256sum {} + | sort) >wall/host.now
	! grep -aqE 'dead:?beef|secret' wall/evil.txt && diff wall/host.sums wall/host.now
}
wall_holds_tar() {
	(cd wall/evil && "$EARLYBIND" capture --sysroot tree --output c.tar) >wall/evil.txt
	! grep -aqE 'dead:?beef|secret' wall/evil/c.tar
}
for command in "list" "plan" "check" "cmdline" "import" "status" "add 01:00.0" "remove 01:00.0" \
	"cmdline --add iommu=pt" "cmdline --set" "cmdline --menu-entry" "cmdline --remove" \
	"import --write"; do
	# shellcheck disable=SC2086
	check "wall-holds-$(echo "$command" | tr -s ' -' '-')" wall_holds $command
done
check wall-holds-capture wall_holds_tar
wall_holds_embed() {
	(cd wall/evil && "$EARLYBIND" embed --sysroot tree --output out) >wall/evil.txt 2>&1 || true
	! grep -aqE 'dead:?beef' wall/evil/out
}
check wall-holds-embed wall_holds_embed

# A FIFO that nobody writes to, in the place of each file that somebody opens.
wall_fifo() { # PATH ARGUMENT...
	rm -rf wall/fifo
	wall_base wall/fifo
	for file in wall/fifo/tree/$1; do
		rm -f "$file"
		mkfifo "$file"
	done
	shift
	code=0
	(cd wall/fifo && timeout 20 "$EARLYBIND" "$@" --sysroot tree) >wall/fifo.txt 2>&1 || code=$?
	[ "$code" -ne 124 ] && tr -s ' \n' ' ' <wall/fifo.txt | grep -q 'it is a FIFO\|it is no file'
}
for file in 'lib/modules/*/modules.alias.bin' 'lib/modules/*/modules.dep.bin' \
	'lib/modules/*/modules.builtin.bin' usr/share/misc/pci.ids; do
	check "wall-fifo-list-${file##*/}" wall_fifo "$file" list
done
for file in etc/modprobe.d/vfio.conf etc/earlybind.conf proc/cmdline; do
	check "wall-fifo-plan-${file##*/}" wall_fifo "$file" plan
done
check wall-fifo-import wall_fifo etc/default/grub import
check wall-fifo-cmdline wall_fifo etc/default/grub cmdline
check wall-fifo-status wall_fifo run/earlybind/report.json status
check wall-fifo-add wall_fifo etc/earlybind.conf add 01:00.0
