# shellcheck shell=sh
# Whatever check, status and apply send people to is what apply then does, of each state that an
# image can be in, with both generators. That the generators' own commands do it is in tests/image.
# shellcheck disable=SC2154,SC2153 # here, BINDER and so on are of run.sh

mkdir "$work/pairs"
cd "$work/pairs" || exit
version=6.1.0-18-amd64
"$here/mktree.py" "$here/trees/alveo.tree" plain
echo root=/dev/sda1 >plain/proc/cmdline
mkdir -p plain/usr/sbin plain/usr/lib/earlybind plain/boot "plain/lib/modules/$version" \
	plain/etc/modprobe.d plain/etc/dracut.conf.d
cp "$BINDER" plain/usr/lib/earlybind/binder
: >"plain/boot/vmlinuz-$version"
echo 'bind 10ee:5000' >plain/etc/earlybind.conf
"$EARLYBIND" embed --sysroot plain --binder "$BINDER" --output with-rules >/dev/null

# A machine in one state: STATE is what is not as it must be.
set_up() { # GENERATOR STATE
	rm -rf machine
	cp -a plain machine
	inside=with-rules more=
	case $1 in
	dracut) program=dracut shape=dracut-systemd image=/boot/initramfs-$version.img ;;
	*) program=update-initramfs shape=initramfs-tools image=/boot/initrd.img-$version ;;
	esac
	cp /bin/true "machine/usr/sbin/$program"
	case $2 in
	old-table) inside=$BINDER ;;
	no-binder) inside=- ;;
	rules-gone) rm machine/etc/earlybind.conf ;;
	options-missing) echo 'options vfio-pci disable_vga=1' >machine/etc/modprobe.d/vfio.conf ;;
	options-left) more='etc/modprobe.d/vfio.conf=options vfio-pci disable_vga=1' ;;
	ids-alone)
		rm machine/etc/earlybind.conf
		echo 'options vfio-pci ids=10ee:5000' >machine/etc/modprobe.d/vfio.conf
		inside=-
		;;
	words-missing) echo 'kernel_cmdline="vfio-pci.ids=10ee:5001"' >machine/etc/dracut.conf.d/a.conf ;;
	words-left) more='etc/cmdline.d/01-default.conf=vfio-pci.ids=10ee:5001' ;;
	words-alone)
		rm machine/etc/earlybind.conf
		echo 'kernel_cmdline="vfio-pci.ids=10ee:5001"' >machine/etc/dracut.conf.d/a.conf
		inside=-
		;;
	esac
	"$here/make_image.py" $shape "$inside" "machine$image" $version ${more:+"$more"}
	[ "$2" != torn ] || head -c 4096 with-rules >"machine$image"
}

# Commands behind "run": up to the end of the sentence, without a path that is apply's own.
commands_in() { # FILE
	tr -s ' \n' ' ' <"$1" | grep -oE '(update-initramfs -u -k [^ ;,:]+|dracut --force --kver [^ ;,:]+|earlybind apply|earlybind check --fix)' |
		sort -u
}

pair() { # GENERATOR STATE
	set_up "$1" "$2"
	"$EARLYBIND" apply --sysroot machine --dry-run >apply.txt 2>&1 || return
	commands_in apply.txt | grep -v '^earlybind' >does.txt
	[ "$2" = fine ] || grep -q . does.txt || { echo "apply does nothing"; cat apply.txt; return 1; }
	code=0
	"$EARLYBIND" check --sysroot machine --only image >said.txt 2>&1 || code=$?
	"$EARLYBIND" plan --sysroot machine >>said.txt 2>&1 || true
	[ "$2" = fine ] || "$EARLYBIND" status --sysroot machine >>said.txt 2>&1 || true
	cat said.txt
	commands_in said.txt >named.txt
	if [ "$2" = fine ]; then
		[ "$code" -eq 0 ] && [ ! -s does.txt ] && [ ! -s named.txt ]
		return
	fi
	grep -q . named.txt || { echo "no command is named"; return 1; }
	while read -r command; do
		# "earlybind apply" does something, which was looked at above.
		case $command in
		earlybind*) ;;
		*) grep -qxF "$command" does.txt || { echo "apply does not: $command"; return 1; } ;;
		esac
	done <named.txt
	# Of an image that no entry names check says that it cannot tell.
	if [ "$2" = torn ]; then
		grep -q '^cannot tell image' said.txt && ! grep -q '^pass' said.txt
		return
	fi
	[ "$code" -eq 1 ]
}
for generator in initramfs-tools dracut; do
	for state in fine old-table no-binder options-missing options-left ids-alone rules-gone torn \
		words-missing words-left words-alone; do
		case $generator-$state in
		initramfs-tools-words-*) ;;
		*) check "pair-$generator-$state" pair $generator $state ;;
		esac
	done
done
cd "$work" || exit
