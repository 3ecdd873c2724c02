# loop.bash: file systems on loop devices, for the lanes that need real ones
# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause

mounts=$(mktemp -d)

# Whatever was mounted and attached goes, in the reverse order.
clean_up() {
	local mounted
	for mounted in "$mounts"/*/fs "$mounts"/*/backing; do
		if mountpoint -q "$mounted" 2>/dev/null; then
			umount -l "$mounted" || true
		fi
	done
	rm -rf "$mounts"
}
trap clean_up EXIT

# Why loop devices cannot be used here; empty where they can.
no_loop_reason() {
	if ((EUID != 0)); then
		echo "loop devices need root"
	elif ! losetup -f >/dev/null 2>&1; then
		echo "this machine has no loop devices"
	fi
}

# make_filesystem TYPE IMAGE: formats a file.
make_filesystem() {
	case $1 in
	ext4) mkfs.ext4 -q -F -b 4096 "$2" ;;
	xfs) mkfs.xfs -q -f "$2" ;;
	btrfs) mkfs.btrfs -q -f "$2" ;;
	esac >/dev/null
}

# mount_image TYPE IMAGE NAME: mounts it at $mounts/NAME/fs; the loop device goes with the mount.
mount_image() {
	mkdir -p "$mounts/$3/fs"
	mount -t "$1" -o loop "$2" "$mounts/$3/fs"
}
