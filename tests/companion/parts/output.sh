# shellcheck shell=sh
# --output of capture and embed (image writes by the same functions): what is no regular file is written into and stays what
# it is; of a link the target is replaced. Nodes of our own, in our folder.

cat >minimal.conf <<'END'
bind 10ee:5000
END
writes() { # COMMAND: --output follows
	case $1 in
	capture) echo "capture --sysroot alveo --output" ;;
	embed) echo "embed --generic --binder $BINDER --config minimal.conf --output" ;;
	esac
}
out_file() {
	rm -f "out.$1"
	# shellcheck disable=SC2046 # words
	"$EARLYBIND" $(writes "$1") "out.$1" && [ -s "out.$1" ]
}
out_pipe() {
	rm -f out.pipe && mkfifo out.pipe && { timeout 20 cat out.pipe >out.piped & }
	# shellcheck disable=SC2046 # words
	timeout 20 "$EARLYBIND" $(writes "$1") out.pipe && wait && [ -p out.pipe ] &&
		cmp out.piped "out.$1"
}
out_link() {
	rm -f out.link out.target && echo old >out.target && ln -s out.target out.link
	# shellcheck disable=SC2046 # words
	"$EARLYBIND" $(writes "$1") out.link && [ -L out.link ] && cmp out.target "out.$1"
}
out_node() {
	rm -f out.null && mknod -m 666 out.null c 1 3 && stat -c '%F %a %t:%T' out.null >before.txt
	# shellcheck disable=SC2046 # words
	"$EARLYBIND" $(writes "$1") out.null && stat -c '%F %a %t:%T' out.null >after.txt &&
		diff before.txt after.txt
	# A link to it, as /dev/stdout is one.
	rm -f out.link && ln -s out.null out.link
	# shellcheck disable=SC2046 # words
	"$EARLYBIND" $(writes "$1") out.link && [ -L out.link ] && [ -c out.null ]
}
for command in capture embed; do
	check "output-$command" out_file "$command"
	check "output-$command-pipe" out_pipe "$command"
	check "output-$command-link" out_link "$command"
	[ "$(id -u)" -ne 0 ] || check "output-$command-node" out_node "$command"
done
