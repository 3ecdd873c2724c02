/* device_dax.h: lengths, alignment and msync of a device-dax */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICE_DAX_H
#define DEVICE_DAX_H

#include <sys/types.h>

/* Reports one test for each rule that such devices have and files have not. */
void test_device_dax(int fd, dev_t device);

#endif
