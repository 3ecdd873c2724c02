// iostream.cc: output by the C++ library, in every way that it has: iostream POOL [fast]
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <sys/mman.h>

int main(int argc, char *argv[])
{
	if (argc > 2)
		std::ios_base::sync_with_stdio(false);
	const int fd = open(argv[1], O_RDWR);
	char *const pool = static_cast<char *>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	if (pool == MAP_FAILED)
		return 1;
	std::cout << "one" << std::endl;
	std::strcpy(pool, "a");
	std::cout << "two " << 2 << std::flush;
	std::strcpy(pool + 64, "b");
	std::cout << '\n';
	std::cout.flush();
	std::puts("three");
	std::cerr << "not this\n";
	return 0;
}
