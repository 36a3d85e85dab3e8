// cmocka_all.h - cmocka and the headers that it wants before it.
#ifndef TEST_UNIT_RUNTIME_CMOCKA_ALL_H
#define TEST_UNIT_RUNTIME_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
