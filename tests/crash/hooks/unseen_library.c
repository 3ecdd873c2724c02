/* unseen_library.c: a library that is compiled without hooks */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "unseen_library.h"

#include <string.h>

void store_in_library(char *at)
{
	memcpy(at, "library!", 8);
}
