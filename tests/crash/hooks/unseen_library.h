/* unseen_library.h: a library that is compiled without hooks */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UNSEEN_LIBRARY_H
#define UNSEEN_LIBRARY_H

/* Stores 8 letters. */
void store_in_library(char *at);

#endif
