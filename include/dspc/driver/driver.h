// driver.h - dspc as one call: options in, exit status out.
#ifndef DSPC_DRIVER_DRIVER_H
#define DSPC_DRIVER_DRIVER_H

/// Exit status: 0, 1 after errors of the user, 70 after one of ours.
int dsp_driver_main(int argc, char **argv);

#endif
