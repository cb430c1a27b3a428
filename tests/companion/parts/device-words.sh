# shellcheck shell=sh
# What people type for a device: a slot's address, and names.
# shellcheck disable=SC2154 # here and so on are of run.sh

# ---- a slot ----

golden word-slot-list list --sysroot busy 03:00
golden word-slot-add add --dry-run --sysroot busy 01:00
golden word-slot-add-exact add --dry-run --by exact --sysroot busy 0000:01:00
golden word-slot-remove remove --dry-run --sysroot configured 01:00
for command in check explain status 'keep --dry-run' 'release --dry-run' 'export qemu'; do
	# shellcheck disable=SC2086 # two words
	same() {
		"$EARLYBIND" $command --sysroot bound '01:00.*' >one.txt 2>&1 || true
		"$EARLYBIND" $command --sysroot bound 01:00 >two.txt 2>&1 || true
		cmp one.txt two.txt && grep -q 01:00.0 two.txt
	}
	check "word-slot-${command%% *}" same
done
golden word-slot-absent add --dry-run --sysroot busy 05:00
golden word-slot-wrong list --sysroot busy 05:20

# ---- a name ----

golden word-name-list list --sysroot busy "rtx 4090" i350
golden word-name-list-none list --sysroot busy voodoo
golden word-name-list-no-ids list --sysroot no-iommu alveo
golden word-name-add add --dry-run --sysroot busy geforce
golden word-name-add-two add --sysroot four-gpus nvidia
golden word-name-add-all add --all --dry-run --sysroot busy i350
golden word-name-add-part add --dry-run --sysroot busy i350 optional
golden word-name-add-force add --force --dry-run --sysroot busy voodoo
golden word-name-keep keep --dry-run --sysroot busy "samsung nvme"
golden word-name-keep-two keep --sysroot four-gpus nvidia
golden word-name-remove remove --dry-run --sysroot configured xilinx
golden word-name-remove-none remove --dry-run --sysroot busy geforce
golden word-name-explain explain --sysroot busy geforce
golden word-name-check check --sysroot busy geforce
golden word-option-misspelt add --dry-run --sysroot busy 01:00.0 optinal

# The commands that a refusal names do what they say.
carried_out() {
	cp -a "$1" words
	"$EARLYBIND" add --sysroot words "$2" 2>&1 | grep -o 'earlybind add .*' >commands.txt
	[ -s commands.txt ] || return 1
	while read -r _ line; do
		# shellcheck disable=SC2086 # words
		"$EARLYBIND" $line --dry-run --sysroot words || return 1
	done <commands.txt
	rm -r words
}
check word-commands-are-carried-out carried_out four-gpus nvidia
check word-commands-are-carried-out-in-part carried_out busy intel

# A name that is an ID, too, is the ID.
id_wins() {
	cp -a alveo words
	printf '10ee  10ee:5001 Inc.\n\t5000  Board 01:00.1\n' >words/usr/share/misc/pci.ids
	"$EARLYBIND" list --sysroot words 10ee:5001 >out.txt 2>err.txt &&
		! grep -q '^  0000:01:00.0 ' out.txt && grep -q '^  0000:01:00.1 ' out.txt
	rm -r words
}
check word-id-wins id_wins
