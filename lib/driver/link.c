// link.c - from emitted C to a program: runs the compiler that the runtime was
// built with.
#include "link.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MAX_WORDS = 256, MAX_LINE = 16384 };

typedef struct Flags {
  char text[3 * MAX_LINE];
  char *words[MAX_WORDS];
  size_t nwords, used;
} Flags;

/// A file or folder of the runtime: in $DSPC_RUNTIME_DIR, or beside the binary.
bool dsp_find_runtime(const char *name, char *path, size_t size) {
  const char *env = getenv("DSPC_RUNTIME_DIR");
  static const char *const places[] = {"lib/dspc", "lib"};
  if (env) {
    snprintf(path, size, "%s/%s", env, name);
    return access(path, R_OK) == 0;
  }
  char self[4096];
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  if (n <= 0) return false;
  self[n] = '\0';
  for (int up = 0; up < 2; up++) {
    char *slash = strrchr(self, '/');
    if (slash) *slash = '\0';
  }
  for (size_t i = 0; i < 2; i++) {
    snprintf(path, size, "%s/%s/%s", self, places[i], name);
    if (access(path, R_OK) == 0) return true;
  }
  return false;
}

static void add_words(Flags *flags, const char *words) {
  char *at = flags->text + flags->used;
  size_t room = sizeof flags->text - flags->used;
  int n = snprintf(at, room, "%s", words);
  flags->used += (size_t)n < room ? (size_t)n + 1 : room;
  for (char *word = strtok(at, " \n"); word; word = strtok(NULL, " \n"))
    if (flags->nwords + 1 < MAX_WORDS) flags->words[flags->nwords++] = word;
}

/// The value of `key` in the flags file, or false.
static bool read_key(FILE *file, const char *key, char *value) {
  char line[MAX_LINE];
  rewind(file);
  while (fgets(line, sizeof line, file)) {
    char *equals = strstr(line, " = ");
    if (!equals || strncmp(line, key, (size_t)(equals - line)) ||
        strlen(key) != (size_t)(equals - line))
      continue;
    strcpy(value, equals + 3);
    return true;
  }
  return false;
}

bool dsp_run_command(char **words) {
  pid_t child;
  int status;
  int error = posix_spawnp(&child, words[0], NULL, NULL, words, environ);
  if (error) {
    fprintf(stderr, "dspc: error: cannot start %s: %s\n", words[0],
            strerror(error));
    return false;
  }
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  fprintf(stderr, "dspc: error: %s failed on the emitted program\n", words[0]);
  return false;
}

bool dsp_link_program(const char *source, const char *program) {
  char path[5000], value[MAX_LINE];
  FILE *file = dsp_find_runtime("dsprt_cpu.flags", path, sizeof path)
                   ? fopen(path, "r")
                   : NULL;
  if (!file) {
    fprintf(stderr,
            "dspc: error: the runtime was not found; set DSPC_RUNTIME_DIR to "
            "the folder with dsprt_cpu.flags\n");
    return false;
  }
  static Flags flags;
  flags = (Flags){.nwords = 0};
  bool fine = read_key(file, "compiler", value);
  if (fine) add_words(&flags, value);
  fine = fine && read_key(file, "compile", value);
  if (fine) add_words(&flags, value);
  const char *files[] = {source, "-o", program};
  for (size_t i = 0; i < 3 && fine; i++)
    flags.words[flags.nwords++] = (char *)(size_t)files[i];
  fine = fine && read_key(file, "link", value);
  if (fine) add_words(&flags, value);
  fclose(file);
  if (!fine) {
    fprintf(stderr, "dspc: error: %s lacks compiler, compile or link\n", path);
    return false;
  }
  flags.words[flags.nwords] = NULL;
  return dsp_run_command(flags.words);
}
