/* methods.h: every way to flush and to copy that there is, for select.c to rank */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_ARCH_METHODS_H
#define PMEM_ARCH_METHODS_H

#include "arch.h"
#include "copy.h"

/* x86_64.c */
extern const struct flush_method flush_clwb, flush_clflushopt, flush_clflush;
/* aarch64.c */
extern const struct flush_method flush_dc_cvadp, flush_dc_cvap;
/* ppc64le.c */
extern const struct flush_method flush_dcbstps;
/* riscv64.c */
extern const struct flush_method flush_cbo_clean;
/* generic.c */
extern const struct flush_method flush_none;

/* copy_x86_64.c */
extern const struct copy_method copy_direct, copy_avx, copy_sse2;
/* copy_plain.c */
extern const struct copy_method copy_plain;

#endif
