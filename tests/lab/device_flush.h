/* device_flush.h: how often a disk was told to flush */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICE_FLUSH_H
#define DEVICE_FLUSH_H

/* How often the disk below an open file has flushed its cache since the boot: virtio-pmem or virtio-blk. */
long device_flushes(int fd);

#endif
