# Functions that take a path and that companion/base/wall.c does not know (WALL in mk/programs.mk).
#
# Usage: nm -A OBJECT... | awk -v wall='FUNCTION...' -f mk/wall.awk
#
# The companion and its libraries may call those of the wall, and those below with the reason why
# they need none. Each other use is printed, and the code is then 1.

BEGIN {
	n = split(wall, names, " ")
	for (i = 1; i <= n; i++)
		is_known[names[i]] = 1
	# Nothing of a tree: folders that we made in /tmp (mkdtemp, nftw, remove); programs; what the
	# binder does in an initramfs only; dlopen of libkmod, which finds no library in a static program.
	n = split("mkdtemp nftw remove posix_spawnp execv execve mount umount2 statfs symlinkat dlopen", \
		names, " ")
	for (i = 1; i <= n; i++)
		is_known[names[i]] = 1
	all = "access acct bindtextdomain canonicalize_file_name chdir chmod chown chroot creat dlopen"
	all = all " eaccess euidaccess execl execle execlp execv execve execvp execvpe faccessat fchmodat"
	all = all " fchownat fopen fopen64 freopen fstatat ftok fts_open ftw getxattr glob inotify_add_watch"
	all = all " lchown lgetxattr link linkat listxattr llistxattr lremovexattr lsetxattr lstat lutimes"
	all = all " mkdir mkdirat mkdtemp mkfifo mkfifoat mknod mknodat mkostemp mkostemps mkstemp mkstemps"
	all = all " mktemp mount name_to_handle_at nftw open open64 openat openat64 opendir pathconf"
	all = all " posix_spawn posix_spawnp readlink readlinkat realpath remove removexattr rename renameat"
	all = all " renameat2 rmdir scandir setxattr stat statfs statvfs statx swapon symlink symlinkat"
	all = all " tempnam tmpnam truncate umount umount2 unlink unlinkat utime utimensat utimes"
	n = split(all, names, " ")
	for (i = 1; i <= n; i++)
		takes_path[names[i]] = 1
}

NF > 1 && $(NF - 1) == "U" {
	count++
	if ($NF in takes_path && !($NF in is_known)) {
		sub(/:.*/, "", $1)
		print $1 " uses " $NF "(), which goes through the wall around --sysroot: add it to WALL and to companion/base/wall.c"
		failed = 1
	}
}

END {
	if (!count)
		print "no use of a function was found"
	exit failed || !count
}
