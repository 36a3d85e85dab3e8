// project.c - a folder that builds on a machine without dspc and LLVM.
//
// Needs:  emitted code, and the sources of the runtime.
// Leaves: FOLDER/model.c (and kernels), FOLDER/runtime, FOLDER/CMakeLists.txt.
#include "project.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "link.h"

enum { LONGEST_PATH = 4096 };

static bool fail(const char *path) {
  fprintf(stderr, "dspc: error: cannot write %s: %s\n", path, strerror(errno));
  return false;
}

static bool make_folder(const char *path) {
  return mkdir(path, 0777) == 0 || errno == EEXIST || fail(path);
}

static bool write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  bool fine = file && fputs(text, file) >= 0;
  if (file && fclose(file)) fine = false;
  return fine || fail(path);
}

static bool join(char *path, const char *folder, const char *name) {
  return snprintf(path, LONGEST_PATH, "%s/%s", folder, name) < LONGEST_PATH;
}

static bool copy_file(const char *from, const char *to) {
  char buffer[1 << 15];
  FILE *in = fopen(from, "rb"), *out = in ? fopen(to, "wb") : NULL;
  bool fine = out != NULL;
  for (size_t n; fine && (n = fread(buffer, 1, sizeof buffer, in)) > 0;)
    fine = fwrite(buffer, 1, n, out) == n;
  if (in && ferror(in)) fine = false;
  if (in) fclose(in);
  if (out && fclose(out)) fine = false;
  return fine || fail(to);
}

/// Is it a source of the runtime?
static bool is_source(const char *name) {
  const char *dot = strrchr(name, '.');
  return strcmp(name, "CMakeLists.txt") == 0 ||
         (dot && (!strcmp(dot, ".c") || !strcmp(dot, ".h") ||
                  !strcmp(dot, ".cu") || !strcmp(dot, ".cuh")));
}

static bool copy_folder(const char *from, const char *to);

static bool copy_entry(const char *from, const char *to, const char *name) {
  char source[LONGEST_PATH], copy[LONGEST_PATH];
  struct stat about;
  if (name[0] == '.') return true;
  if (!join(source, from, name) || !join(copy, to, name)) {
    errno = ENAMETOOLONG;
    return fail(to);
  }
  if (stat(source, &about)) return fail(source);
  if (S_ISDIR(about.st_mode)) return copy_folder(source, copy);
  return !is_source(name) || copy_file(source, copy);
}

static bool copy_folder(const char *from, const char *to) {
  DIR *folder = opendir(from);
  bool fine = folder ? make_folder(to) : fail(from);
  for (struct dirent *e; fine && (e = readdir(folder)) != NULL;)
    fine = copy_entry(from, to, e->d_name);
  if (folder) closedir(folder);
  return fine;
}

static const char cmake_text[] =
    "# %s, emitted by dspc: cmake -B build && cmake --build build\n"
    "cmake_minimum_required(VERSION 3.22)\n"
    "%s"
    "project(%s LANGUAGES C%s)\n"
    "if(NOT CMAKE_BUILD_TYPE)\n"
    "  set(CMAKE_BUILD_TYPE Release)\n"
    "endif()\n"
    "set(CMAKE_C_STANDARD 17)\n"
    "set(DSPRT_TARGET %s)\n"
    "add_subdirectory(runtime)\n"
    "add_executable(%s %s.c%s)\n"
    "target_compile_options(%s PRIVATE\n"
    "  $<$<COMPILE_LANGUAGE:C>:-Wall;-Wextra;-Werror;-O3;-ffast-math>)\n"
    "target_link_libraries(%s PRIVATE dsprt_%s)\n";

static bool write_cmake(const char *folder, const char *model,
                        DspTarget target) {
  char path[LONGEST_PATH], kernels[256], text[4096];
  bool cuda = target == DSP_TARGET_CUDA;
  snprintf(kernels, sizeof kernels, " %s_kernels.cu", model);
  snprintf(text, sizeof text, cmake_text, model,
           cuda ? "if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)\n"
                  "  set(CMAKE_CUDA_ARCHITECTURES 90)\n"
                  "endif()\n"
                  "set(CMAKE_CUDA_STANDARD 17)\n"
                : "",
           model, cuda ? " CUDA" : "",
           cuda ? "cuda" : "cpu", model, model, cuda ? kernels : "", model,
           model, cuda ? "cuda" : "cpu");
  return join(path, folder, "CMakeLists.txt") && write_file(path, text);
}

static bool write_emitted(const char *folder, const char *model,
                          const DspEmitted *emitted) {
  char path[LONGEST_PATH];
  snprintf(path, sizeof path, "%s/%s.c", folder, model);
  if (!write_file(path, emitted->host)) return false;
  snprintf(path, sizeof path, "%s/%s_kernels.h", folder, model);
  if (emitted->header && !write_file(path, emitted->header)) return false;
  snprintf(path, sizeof path, "%s/%s_kernels.cu", folder, model);
  return !emitted->kernels || write_file(path, emitted->kernels);
}

bool dsp_write_project(const char *folder, const char *model, DspTarget target,
                       const DspEmitted *emitted) {
  static const char *const parts[] = {"include", "common", "cpu", "cuda"};
  char sources[LONGEST_PATH], from[LONGEST_PATH], to[LONGEST_PATH];
  if (!dsp_find_runtime("runtime", sources, sizeof sources)) {
    fprintf(stderr, "dspc: error: the sources of the runtime were not found; "
                    "set DSPC_RUNTIME_DIR to the folder that holds them\n");
    return false;
  }
  bool fine = make_folder(folder) && write_emitted(folder, model, emitted) &&
              write_cmake(folder, model, target) &&
              join(to, folder, "runtime") && make_folder(to);
  for (size_t i = 0; i < sizeof parts / sizeof parts[0] && fine; i++) {
    bool other = strcmp(parts[i], target == DSP_TARGET_CPU ? "cuda" : "cpu");
    char runtime[LONGEST_PATH];
    fine = join(from, sources, parts[i]) && join(runtime, folder, "runtime") &&
           join(to, runtime, parts[i]) && (!other || copy_folder(from, to));
  }
  return fine && join(from, sources, "CMakeLists.txt") &&
         join(to, folder, "runtime/CMakeLists.txt") && copy_file(from, to);
}

bool dsp_build_project(const char *program, const char *model,
                       DspTarget target, const DspEmitted *emitted) {
  char folder[LONGEST_PATH], build[LONGEST_PATH], made[LONGEST_PATH];
  snprintf(folder, sizeof folder, "%s.project", program);
  if (!join(build, folder, "build") || !join(made, build, model)) return false;
  char *configure[] = {(char *)"cmake", (char *)"-S", folder,
                       (char *)"-B",    build,        NULL};
  char *compile[] = {(char *)"cmake", (char *)"--build", build,
                     (char *)"--parallel", NULL};
  if (!dsp_write_project(folder, model, target, emitted) ||
      !dsp_run_command(configure) || !dsp_run_command(compile))
    return false;
  return rename(made, program) == 0 || fail(program);
}
