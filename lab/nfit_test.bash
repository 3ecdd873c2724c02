# nfit_test.bash: the kernel's own emulated NVDIMMs, for what QEMU's lack: built once, kept in the cache
# shellcheck shell=bash disable=SC2154 # kernel_folder is kernel.bash's
# SPDX-License-Identifier: BSD-3-Clause
#
# The kernel's module nfit_test makes NVDIMMs of vmalloc()ed memory that clear
# errors, have flush hints and count unsafe shutdowns. Distributions do not ship
# it: it is built here from the kernel's source package, against its headers,
# none of which are installed. Source: the kernel's tools/testing/nvdimm.

nfit_test_modules=(nfit_test_iomap libnvdimm nd_btt nfit nd_pmem dax_pmem device_dax nfit_test) # in the order of loading
nfit_test_parts=(drivers/nvdimm drivers/dax drivers/acpi/nfit tools/testing/nvdimm)

# download_source VERSION FOLDER: the source and the headers of exactly this kernel.
download_source() {
	local package_version common kbuild compiler
	package_version=$(apt-cache show "linux-image-$1" | sed -n 's/^Version: //p' | head -1)
	common=linux-headers-${1%-*}-common
	read -r kbuild compiler < <(apt-cache depends "linux-headers-$1" |
		sed -n 's/^ *Depends: \(linux-kbuild-.*\|linux-compiler-.*\)$/\1/p' | sort -r | tr '\n' ' ')
	(cd "$2" && apt-get "${apt_options[@]}" download "linux-headers-$1=$package_version" "$common=$package_version" \
		"$kbuild=$package_version" "$compiler=$package_version" \
		"linux-source-$(cut -d. -f1,2 <<<"$1")=$package_version") >"$2/log" 2>&1
}

# unpack_source FOLDER: the headers, and of the source what is built.
unpack_source() {
	local package
	for package in "$1"/*.deb; do
		dpkg -x "$package" "$1/unpacked"
	done
	xz -T0 -dc "$1"/unpacked/usr/src/linux-source-*.tar.xz |
		tar -x -C "$1" --strip-components=1 --wildcards "${nfit_test_parts[@]/#/linux-source-*/}"
	sed -i "s,/usr/src/,$1/unpacked/usr/src/," "$1/unpacked/usr/src/linux-headers-$2/Makefile"
	mend_mapping "$1/tools/testing/nvdimm"
}

# As it is, storing to a mapping of this memory is a BUG in the kernel: pages of a file lack the mark that they are a
# device's, and pages of a device-dax are looked for at an address that is none.
mend_mapping() {
	local found='get_nfit_res(addr)->buf + (addr - get_nfit_res(addr)->res.start)'
	sed -i 's/= page_to_pfn_t(page);/= phys_to_pfn_t(page_to_phys(page), PFN_DEV | PFN_MAP);/' "$1/pmem-dax.c"
	sed -i "s/vmalloc_to_page((void \*)addr)/vmalloc_to_page($found)/" "$1/dax-dev.c"
}

# Fills in one file of the kernel's folder in the cache; it appears whole or not at all.
build_nfit_test() (
	version=${kernel_folder##*/"$cache_format"-}
	work=$(mktemp -d "$lab_cache/new.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM HUP
	echo "lab: downloading the kernel's source and building nfit_test (about 160 MB and a minute, once)" >&2
	command -v make gcc-12 >/dev/null || fail "missing packages: gcc-12 make; script/setup installs them"
	if ! download_source "$version" "$work"; then
		cat "$work/log" >&2
		fail "the source of kernel $version could not be downloaded with apt-get; try lab/run --renew"
	fi
	unpack_source "$work" "$version"
	if ! make -C "$work/unpacked/usr/src/linux-headers-$version" "M=$work/tools/testing/nvdimm" -j"$(nproc)" modules \
		KCFLAGS="-I$work/drivers/nvdimm -I$work/drivers/acpi/nfit" >"$work/log" 2>&1; then
		tail -20 "$work/log" >&2
		fail "nfit_test could not be built"
	fi
	mkdir -p "$work/tree/usr/lib/modules/nfit_test"
	find "$work/tools" -name '*.ko' -exec cp -t "$work/tree/usr/lib/modules/nfit_test" {} +
	strip -d "$work"/tree/usr/lib/modules/nfit_test/*.ko
	echo "${nfit_test_modules[@]}" >"$work/tree/usr/lib/modules/nfit_test/order"
	pack "$work/tree" >"$work/nfit_test.cpio"
	mv "$work/nfit_test.cpio" "$kernel_folder/nfit_test.cpio"
)

# find_nfit_test: builds it if need be.
find_nfit_test() {
	if [[ ! -e $kernel_folder/nfit_test.cpio ]]; then
		build_nfit_test
	fi
}
