# literals.sed: makes each line of a file a string literal of C
# SPDX-License-Identifier: BSD-3-Clause
s/[\"]/\\&/g
s/.*/"&\\n"/
