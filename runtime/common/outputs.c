// outputs.c - one file that all ranks write.
//
// Needs:  ranks that wait for each other between the steps.
// Leaves: the whole file under its name, or nothing under it.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ports.h"
#include "shape.h"

static char *part_name(const char *path) {
  size_t room = strlen(path) + sizeof ".part";
  char *name = malloc(room);
  if (name) snprintf(name, room, "%s.part", path);
  return name;
}

static bool failed(const char *path, DsprtErrors *errors) {
  dsprt_error(errors, "%s: %s", path, strerror(errno));
  return false;
}

static DsprtNewTensor *list_outputs(const DsprtProgram *program) {
  DsprtNewTensor *list = calloc((size_t)program->noutputs + 1, sizeof *list);
  for (int i = 0; list && i < program->noutputs; i++) {
    list[i].name = program->outputs[i].name;
    list[i].shape = program->outputs[i].file;
    list[i].shape.type = program->outputs[i].shape.type;
  }
  return list;
}

static bool write_all(int fd, const void *data, int64_t bytes, int64_t at) {
  const char *next = data;
  while (bytes > 0) {
    ssize_t n = pwrite(fd, next, (size_t)bytes, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    next += n;
    at += n;
    bytes -= n;
  }
  return true;
}

/// Creates the file of full length with its header.
static bool create(const char *name, const char *header, size_t length,
                   int64_t bytes) {
  int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
  if (fd < 0) return false;
  bool ok = ftruncate(fd, (off_t)bytes) == 0 &&
            write_all(fd, header, (int64_t)length, 0);
  return close(fd) == 0 && ok;
}

bool dsprt_outputs_create(const DsprtProgram *program, const char *path,
                          DsprtErrors *errors) {
  size_t length = 0;
  int64_t bytes = 0;
  char *name = part_name(path);
  DsprtNewTensor *list = list_outputs(program);
  char *header = NULL;
  if (list)
    header =
        dsprt_tensors_header(list, (size_t)program->noutputs, &length, &bytes);
  errno = ENOMEM;
  bool ok = name && header && create(name, header, length, bytes);
  if (!ok) failed(path, errors);
  free(header);
  free(list);
  free(name);
  return ok;
}

/// Ranks that hold the same part leave it to the one with index 0 on the axes
/// on which the value is whole.
static bool writes(const DsprtRun *run, const DsprtPort *port) {
  return (port->cut.count || run->at[0] == 0) &&
         (port->inner.count || run->at[1] == 0);
}

static bool write_part(const DsprtRun *run, const DsprtPort *port, int fd,
                       int64_t begin) {
  if (!writes(run, port)) return true;
  DsprtRuns runs = dsprt_port_runs(run, port);
  int64_t size = dsprt_type_bytes(port->shape.type);
  const unsigned char *data = dsprt_port_data(run, port);
  for (int64_t i = 0; i < runs.count; i++)
    if (!write_all(fd, data + i * runs.length * size, runs.length * size,
                   begin + dsprt_run_begin(&runs, i) * size))
      return false;
  return true;
}

static bool write_parts(const DsprtRun *run, const DsprtProgram *program,
                        const DsprtNewTensor *list, const char *name) {
  int fd = open(name, O_WRONLY | O_CLOEXEC);
  bool ok = fd >= 0;
  for (int i = 0; ok && i < program->noutputs; i++)
    ok = write_part(run, &program->outputs[i], fd, list[i].begin);
  ok = ok && fsync(fd) == 0;
  if (fd >= 0) ok = close(fd) == 0 && ok;
  return ok;
}

bool dsprt_outputs_write(const DsprtRun *run, const DsprtProgram *program,
                         const char *path, DsprtErrors *errors) {
  size_t length = 0;
  int64_t bytes = 0;
  char *name = part_name(path);
  DsprtNewTensor *list = list_outputs(program);
  char *header = NULL;
  if (list)
    header =
        dsprt_tensors_header(list, (size_t)program->noutputs, &length, &bytes);
  errno = ENOMEM;
  bool ok = name && header && write_parts(run, program, list, name);
  if (!ok) failed(path, errors);
  free(header);
  free(list);
  free(name);
  return ok;
}

bool dsprt_outputs_finish(const char *path, DsprtErrors *errors) {
  char *name = part_name(path);
  errno = ENOMEM;
  bool ok = name && rename(name, path) == 0;
  if (!ok) failed(path, errors);
  free(name);
  return ok;
}

void dsprt_outputs_abandon(const char *path) {
  char *name = part_name(path);
  if (name) unlink(name);
  free(name);
}
