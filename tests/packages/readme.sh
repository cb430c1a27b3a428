#!/bin/sh
# The commands of the README's blocks, as root and as a user with sudo, on a machine without make and
# without sudo for root. As root in a root file system.
#
# Usage: readme.sh KERNEL_VERSION
#
# Prints as steps.sh does. "make" builds for minutes and boots: its targets are only looked up
# (tests/companion/commands.py), and a Makefile that takes note stands for ours.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. /package-tests/lib.sh

readme=/package-tests/README.md
clone=/package-tests/clone
user=newcomer

# The commands of the ``` blocks below a heading, without comments; of "A && B" each.
# shellcheck disable=SC2016 # backquotes of the text
commands() { # HEADING
	sed -n "/^## $1\$/,/^## /p" $readme | sed -n '/^```$/,/^```$/p' | sed '/^```/d; s/  *#.*//' |
		sed 's/ && /\n/g' | sed '/^$/d'
}
# What stands behind "as root without sudo:".
root_command() { sed -n 's/.*# as root without sudo: //p' $readme; }

as_user() { # COMMAND
	run su - $user -c "cd $clone && export DEBIAN_FRONTEND=noninteractive; $1"
}

apt-get update -q >&2
dpkg --purge --force-depends make sudo >/dev/null 2>&1
mkdir -p $clone/build
cp /package-tests/new.deb $clone/build/earlybind_0_amd64.deb
printf 'demo test packages deb:\n\t@echo made $@\n' >$clone/Makefile
useradd -m -s /bin/sh $user
chown -R $user $clone

check "readme: there are commands to try" test "$(commands 'Try it' | wc -l)" -ge 3
check "readme: there are commands to install" test "$(commands 'Install, and bind a card' | wc -l)" -ge 6

# As root, where there is no sudo.
check "root: there is no sudo" sh -c '! command -v sudo'
root_command >/package-tests/root.commands
check "root: there is a command" test -s /package-tests/root.commands
run sh -c "$(root_command)"
check "root: $(root_command)" is "$status" 0
check "root: make is there" command -v make
dpkg --purge make >&2

# As a user with sudo, whose PATH has no sbin.
apt-get install -y -q --no-install-recommends sudo >&2
echo "$user ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/$user
for heading in 'Try it' 'Install, and bind a card'; do
	commands "$heading" >/package-tests/commands
	while read -r command; do
		# No card is in this machine: the rule is for one that is to come.
		case $command in
		# Who types it answers the question whether to continue.
		'sudo apt install '*) echo 'APT::Get::Assume-Yes "true";' >/etc/apt/apt.conf.d/91yes ;;
		*' add '*) command="$(echo "$command" | sed 's/add .*/add 10ee:5000 --force/')" ;;
		esac
		as_user "$command"
		case $command in
		# There has been no boot with it, so status has something to say.
		'earlybind status') check "user: $command" is "$status" 4 ;;
		*) check "user: $command" is "$status" 0 ;;
		esac
	done </package-tests/commands
done
check "user: the rule is there" grep -q '^bind 10ee:5000' /etc/earlybind.conf
