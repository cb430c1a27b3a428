# shellcheck shell=sh
# An image is taken apart by a child that can do nothing else: each of its ends is told.

# An image whose reading takes a while: a file of 400 MB.
{
	printf '070701'
	printf '%08X' 1 33188 0 0 1 0 419430400 0 0 0 0 2 0
	printf 'x\0\0\0'
	head -c 419430400 /dev/zero
} | gzip -1 >long.img

# The child of "check --image FILE" is stopped, COMMAND done with its number, and then it goes on.
confined_meets() { # CODE WORDS FILE COMMAND...
	want=$1 words=$2 file=$3 code=0
	shift 3
	"$EARLYBIND" check --image "$file" >confined.txt 2>&1 &
	parent=$! child=
	while [ -z "$child" ] && kill -0 "$parent" 2>/dev/null; do
		read -r child <"/proc/$parent/task/$parent/children" || true
	done
	kill -STOP "$child"
	"$@" "$child"
	kill -CONT "$child" 2>/dev/null || true
	wait "$parent" || code=$?
	cat confined.txt
	[ "$code" -eq "$want" ] && tr -s ' \n' ' ' <confined.txt | grep -q "$words"
}
cut_image() { : >cut.img; }
kill_child() { kill -KILL "$1"; }
crash_child() { kill -SEGV "$1"; }
cp long.img cut.img
check image-cut-while-read confined_meets 3 'changed while it was read' cut.img cut_image
check image-reader-killed confined_meets 3 'was killed' long.img kill_child
[ "$SUITE" = companion-asan ] ||
	check image-reader-crashed confined_meets 3 'crashed' long.img crash_child
# What else is mapped, as indexes of modules, is read by the program itself.
bus_parent() { kill -BUS "$parent"; }
[ "$SUITE" = companion-asan ] ||
	check mapped-file-cut confined_meets 1 'was cut while it was read' long.img bus_parent
image_is_whole() {
	"$EARLYBIND" check --image long.img >confined.txt 2>&1 || true
	grep -q 'the kernel can unpack all of it' confined.txt
}
check image-read-by-child image_is_whole
rm -f long.img cut.img
