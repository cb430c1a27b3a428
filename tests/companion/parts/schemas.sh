# shellcheck shell=sh
# shellcheck disable=SC2154 # here comes from run.sh
# JSON output is as docs/schema says: of every command on every tree here, and of all that golden
# and contract saw, at the end of run.sh. A damaged one does not pass.
# Needs: check check-images

schema_trees() {
	# shellcheck disable=SC2086 # a word each
	"$here/schemas.py" trees $all_trees
}
check schemas-same "$here/schemas.py" same
check schemas-trees schema_trees

"$here/mktree.py" "$here/trees/configured.tree" schema-configured
mkdir -p damaged-documents
schema_sample() { # SCHEMA.NAME PROGRAM ARGUMENT...
	sample=damaged-documents/$1.json
	shift
	"$@" >"$sample" 2>err.txt || [ -s "$sample" ]
}
schema_damage() {
	schema_sample list.alveo "$EARLYBIND" list --json --sysroot alveo
	schema_sample list.accel "$EARLYBIND" list --json --accel=all
	schema_sample plan.alveo "$EARLYBIND" plan --json --sysroot schema-configured
	schema_sample plan.move "$EARLYBIND" plan --json --move 01:00=5 --sysroot groups
	schema_sample status.late "$EARLYBIND" status --json --sysroot late
	schema_sample status.no-report "$EARLYBIND" status --json --sysroot alveo
	schema_sample check.doctor "$EARLYBIND" check --json --sysroot doctor
	schema_sample check.image "$EARLYBIND" check --json --image check-dracut.img --sysroot configured
	schema_sample explain.bound "$EARLYBIND" explain --json 01:00.0 --sysroot bound
	schema_sample import.driverctl "$EARLYBIND" import --json --sysroot import-driverctl
	schema_sample export.gpus "$EARLYBIND" export json --sysroot four-gpus-bound
	schema_sample add.alveo "$EARLYBIND" add --json --dry-run 02:00.0 --sysroot alveo
	schema_sample keep.alveo "$EARLYBIND" keep --json --dry-run 02:00.0 --sysroot alveo
	schema_sample remove.bound "$EARLYBIND" remove --json --dry-run 01:00.0 --sysroot schema-configured
	schema_sample cmdline.grub "$EARLYBIND" cmdline --json --set --dry-run --sysroot sources-loaders
	schema_sample report.alveo "$BINDER_RUN" --sysroot alveo
	"$here/schemas.py" files damaged-documents && "$here/schemas.py" damaged damaged-documents
}
check schemas-damaged schema_damage
