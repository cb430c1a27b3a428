# shellcheck shell=sh
# dracut's command line files in an image: plan --image reads them as the binder does.
# shellcheck disable=SC2154

mkdir "$work/cmdline-files"
cd "$work/cmdline-files" || exit
# As it was before other parts wrote to it.
"$here/mktree.py" "$here/trees/configured.tree" machine

"$EARLYBIND" embed --sysroot machine --binder "$BINDER" --output with-rules >/dev/null
files_image() { # IMAGE PATH=TEXT...
	PYTHONPATH=$here /usr/bin/python3 - "$@" <<-'END'
		import sys, images
		tree = images.SHAPES["dracut"](open("with-rules", "rb").read())
		for word in sys.argv[2:]:
		    path, _, text = word.partition("=")
		    tree[path] = images.file(text.encode().decode("unicode_escape").encode())
		with open(sys.argv[1], "wb") as out:
		    out.write(images.cpio(tree))
	END
}
# The last value counts: the file's, then the kernel's.
files_image a.img 'etc/cmdline.d/01-default.conf=quiet vfio-pci.ids=10de:2489\n'
check files-folder says '02:00.0.*10de:2489.*vfio-pci.ids' plan --sysroot machine --image a.img --cmdline 'ro'
check files-kernel-wins says '10de:228b' plan --sysroot machine --image a.img --cmdline 'vfio-pci.ids=10de:228b'
files_image b.img 'etc/cmdline.d/b.conf=rd.earlybind.bind=10de:2489 -- rd.earlybind=0\n' 'etc/cmdline=x\n'
check files-end says '10de:2489' plan --sysroot machine --image b.img --cmdline 'ro'
files_image c.img 'etc/cmdline=rd.earlybind=0\n'
check files-off says 'rd.earlybind=0' plan --sysroot machine --image c.img --cmdline 'ro'
files_image d.img 'etc/cmdline.d/readme=rd.earlybind=0\n'
check files-other-name says '3 to bind, 1 kept' plan --sysroot machine --image d.img --cmdline 'ro'
cd "$work" || exit
