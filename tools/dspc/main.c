// main.c - dspc, the compiler.
#include "dspc/driver/driver.h"

int main(int argc, char **argv) { return dsp_driver_main(argc, argv); }
