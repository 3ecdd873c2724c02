/* consumer.cc: C++ with its library, exceptions and threads: works when it is compiled with hooks */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct shape {
	virtual ~shape() = default;
	virtual int corners() const = 0;
};

struct square : shape {
	int corners() const override
	{
		return 4;
	}
};

static int thrown(int value)
{
	if (value > 2)
		throw std::runtime_error("more than two");
	return value;
}

int main()
{
	std::map<std::string, int> counts;
	std::atomic<int> sum{0};
	std::vector<std::thread> threads;
	std::unique_ptr<shape> some(new square);

	for (int i = 0; i < 4; i++)
		threads.emplace_back([&sum, i] { sum += i; });
	for (std::thread &thread : threads)
		thread.join();
	counts["a string that is too long for its own room"] = some->corners();
	try {
		thrown(3);
	} catch (const std::runtime_error &error) {
		counts[error.what()] = sum;
	}
	for (const auto &count : counts)
		std::printf("%s: %d\n", count.first.c_str(), count.second);
	return 0;
}
