# shellcheck shell=sh
# A recording is compressed, and --sysroot reads it as a file; one that is damaged or hostile is
# refused with a reason, and leaves nothing behind.

same_recording() { # FILE COMMAND...
	file=$1
	shift
	code=0 recorded=0
	"$EARLYBIND" "$@" --sysroot configured >out.txt 2>err.txt || code=$?
	"$EARLYBIND" "$@" --sysroot "$file" >recorded.txt 2>recorded-err.txt || recorded=$?
	diff -u out.txt recorded.txt && diff -u err.txt recorded-err.txt && [ "$code" -eq "$recorded" ]
}
record() { # FILE
	"$EARLYBIND" capture --sysroot configured --output "$1"
}
for file in recording.tar recording.tar.gz recording.tgz; do
	check "recording-$file" record "$file"
	for command in list plan status check; do
		check "recording-$file-$command" same_recording "$file" "$command"
	done
done
gzipped() {
	gzip -dc recording.tar.gz | cmp - recording.tar && cmp recording.tar.gz recording.tgz &&
		[ "$(($(wc -c <recording.tar.gz) * 10))" -lt "$(wc -c <recording.tar)" ]
}
check recording-is-compressed gzipped
recorded_again() {
	"$EARLYBIND" capture --sysroot recording.tar.gz --output again.tar && cmp again.tar recording.tar
}
check recording-of-a-recording recorded_again
# GNU tar writes other headers.
packed() {
	mkdir -p packed && tar -xf recording.tar -C packed && tar -C packed -czf packed.tar.gz . &&
		same_recording packed.tar.gz check
}
check recording-by-gnu-tar packed

/usr/bin/python3 - <<'END'
import gzip, io, tarfile, zlib
def pack(name, *entries):
    with tarfile.open(name, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        for entry, kind, what in entries:
            info = tarfile.TarInfo(entry)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(what)
                tar.addfile(info, io.BytesIO(what))
            else:
                info.linkname = what
                tar.addfile(info)
F, L, H, C = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
pack("bad-up.tgz", ("sys/../../out", F, b"x"))
pack("bad-absolute.tgz", ("/etc/out", F, b"x"))
pack("bad-link.tgz", ("sys", L, "/etc"))
pack("bad-link-up.tgz", ("sys/bus", L, "../../etc"))
pack("bad-through.tgz", ("sys", L, "proc"), ("sys/out", F, b"x"))
pack("bad-hard.tgz", ("sys", H, "proc"))
pack("bad-node.tgz", ("sys", C, ""))
pack("bad-twice.tgz", ("sys/x", F, b"x"), ("sys/x", F, b"y"))
with gzip.open("bad-huge.tgz", "wb") as f:
    info = tarfile.TarInfo("sys/huge")
    info.size = 300 << 20
    f.write(info.tobuf())
    for _ in range(300):
        f.write(bytes(1 << 20))
good = open("recording.tar.gz", "rb").read()
open("bad-cut.tgz", "wb").write(good[:len(good) // 2])
# Behind gzip's header of 10 bytes, which has no checksum.
for i in range(40):
    broken = bytearray(good)
    broken[10 + (len(good) - 11) * i // 39] ^= 0x55
    open(f"bad-byte-{i}.tgz", "wb").write(broken)
open("bad-text.tar", "w").write("bind 10ee:5000\n" * 100)
open("bad-empty.tar", "w")
END
for file in bad-up bad-absolute bad-link bad-link-up bad-through bad-hard bad-node bad-twice bad-huge \
	bad-cut; do
	golden "recording-$file" list --sysroot $file.tgz
done
golden recording-bad-text list --sysroot bad-text.tar
golden recording-bad-empty list --sysroot bad-empty.tar
mkfifo pipe.tar
golden recording-bad-pipe list --sysroot pipe.tar
# The checksum finds what the tar's own do not.
damaged_byte() {
	for file in bad-byte-*.tgz; do
		code=0
		"$EARLYBIND" list --sysroot "$file" >out.txt 2>err.txt || code=$?
		if [ $code -ne 1 ] || ! grep -q "cannot be unpacked" err.txt; then
			echo "$file" && cat err.txt && return 1
		fi
	done
}
check recording-bad-byte damaged_byte
golden recording-fix check --fix --sysroot recording.tar.gz
# In a /tmp of its own: other suites unpack there as well. Sanitizers make their log's folder. The program
# is open, as it may be below /tmp.
# shellcheck disable=SC2016 # for the inner shell
nothing_left() {
	unshare --user --map-root-user --mount sh -c 'mount -t tmpfs tmp /tmp &&
		/proc/self/fd/7 list --sysroot recording.tar.gz >out.txt && ! find /tmp -name "earlybind.*" |
			grep .' 7<"$EARLYBIND"
}
check recording-leaves-nothing nothing_left
