# kernel.bash: the guest's kernel, modules and busybox: downloaded once, kept in a cache
# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The cache holds one folder a kernel version, with "kernel" and "base.cpio".
# Nothing is installed: packages are downloaded and unpacked. Once a folder is
# there, no network is needed; newer kernels are fetched by lab/run --renew.

lab_cache=${PMEM_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/libpmem-lab}
cache_format=1 # to be raised with each change of what a folder holds

guest_modules=(
	virtio_pci virtio_blk virtio_console virtio_pmem
	nfit nd_pmem dax_pmem device_dax
	crc32c-intel crc32c_generic ext4 xfs brd
)

apt_options=(-qq)

# The meta package's name stays, the versioned one that it depends on changes.
kernel_package() {
	apt-cache "${apt_options[@]}" depends linux-image-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -1
}

# pack FOLDER: prints an archive that the kernel can unpack.
pack() {
	(cd "$1" && find . -mindepth 1 | cpio --quiet -o -H newc)
}

# download_packages FOLDER: busybox and the kernel; fails if the package lists are missing or too old.
download_packages() {
	local package
	package=$(kernel_package)
	[[ $package ]] || return 1
	(cd "$1" && apt-get "${apt_options[@]}" download busybox-static "$package") >"$1/log" 2>&1
}

# Package lists of our own, for machines whose lists are missing or old: that needs no root.
renew_lists() {
	mkdir -p "$1/lists/partial"
	apt_options+=(-o "Dir::State::Lists=$1/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
	apt-get "${apt_options[@]}" update >"$1/log" 2>&1
}

# collect_modules UNPACKED VERSION TREE: what the guest needs, with what that needs.
collect_modules() {
	local modules=$1/lib/modules/$2 target=$3/usr/lib/modules/$2 name
	[[ -d $modules ]] || modules=$1/usr/lib/modules/$2
	mkdir -p "$target" "$1/for-depmod/lib/modules"
	ln -s "$(realpath "$modules")" "$1/for-depmod/lib/modules/$2"
	depmod -b "$1/for-depmod" "$2"
	for name in "${guest_modules[@]}"; do
		modprobe -C /dev/null -d "$1/for-depmod" -S "$2" --show-depends "$name"
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | xargs cp -t "$target"
	find "$target" -name '*.ko.xz' -exec xz -d {} +
	cp "$modules"/modules.{builtin,builtin.modinfo,order} "$target"
	depmod -b "$3/usr" "$2"
}

# make_tree UNPACKED VERSION TREE: the part of the initramfs that is the same in every run.
make_tree() {
	local name
	mkdir -p "$3"/{dev,proc,sys,tmp,etc,root,media} "$3"/usr/{bin,sbin,lib,lib64}
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "$3/$name"
	done
	find "$1" -path '*/bin/busybox' -type f -exec cp {} "$3/usr/bin/busybox" \;
	for name in $("$3/usr/bin/busybox" --list); do
		[[ -e $3/usr/bin/$name ]] || ln -s busybox "$3/usr/bin/$name"
	done
	ln -s ../bin/busybox "$3/usr/sbin/modprobe" # where the kernel looks for it
	collect_modules "$1" "$2" "$3"
	echo "root:x:0:0:root:/root:/bin/sh" >"$3/etc/passwd"
}

# field FILE OFFSET SIZE: a number in the header of a bzImage.
field() {
	od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# take_kernel BZIMAGE FILE: unpacked, which saves three emulated seconds a boot; as it is where that fails.
# Source of the offsets: the kernel's Documentation/arch/x86/boot.rst.
take_kernel() {
	local start length
	start=$((($(field "$1" 0x1f1 1) + 1) * 512 + $(field "$1" 0x248 4)))
	# The archive's last four bytes say how large it was; they are not xz's.
	length=$(($(field "$1" 0x24c 4) - 4))
	if ! dd if="$1" bs=64K iflag=skip_bytes,count_bytes skip="$start" count="$length" status=none |
		xz -dc >"$2" 2>/dev/null; then
		cp "$1" "$2"
	fi
}

# Fills one folder of the cache; it appears whole or not at all.
fill_cache() (
	work=$(mktemp -d "$lab_cache/new.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM HUP
	echo "lab: downloading a kernel for the guest (about 70 MB, once)" >&2
	if ! download_packages "$work" && ! { renew_lists "$work" && download_packages "$work"; }; then
		cat "$work/log" >&2
		fail "the guest's kernel could not be downloaded with apt-get, and $lab_cache has none"
	fi
	mkdir "$work/unpacked" "$work/tree" "$work/ready"
	for package in "$work"/*.deb; do
		dpkg -x "$package" "$work/unpacked"
	done
	version=$(basename "$work"/unpacked/boot/vmlinuz-*)
	version=${version#vmlinuz-}
	make_tree "$work/unpacked" "$version" "$work/tree"
	pack "$work/tree" >"$work/ready/base.cpio"
	take_kernel "$work/unpacked/boot/vmlinuz-$version" "$work/ready/kernel"
	mv -T "$work/ready" "$lab_cache/$cache_format-$version" 2>/dev/null ||
		[[ -f $lab_cache/$cache_format-$version/base.cpio ]]
)

# The newest folder of the cache; empty if there is none.
newest_kernel() {
	mkdir -p "$lab_cache"
	find "$lab_cache" -mindepth 1 -maxdepth 1 -name "$cache_format-*" | sort -V | tail -1
}

# find_kernel [renew]: sets kernel_folder, downloading if need be.
find_kernel() {
	kernel_folder=$(newest_kernel)
	if [[ ! $kernel_folder || ${1:-} == renew ]]; then
		fill_cache
		kernel_folder=$(newest_kernel)
	fi
}
