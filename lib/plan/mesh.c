// mesh.c - meshes of ranks, from text and to text.
//
//   mesh = axis [("," | "x") axis]    axis = [name ":"] size
//
// Needs:  a text that ends with a zero.
// Leaves: sizes of at least 1, names that differ.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dspc/plan/collective.h"

DspPlanMesh dsp_plan_mesh(int64_t ranks) {
  return (DspPlanMesh){.naxes = 1, .sizes = {ranks, 1}, .names = {"ranks"}};
}

int64_t dsp_plan_ranks(const DspPlanMesh *mesh) {
  return mesh->sizes[0] * mesh->sizes[1];
}

/// Reads a name and its colon, if they are there.  False: no name.
static bool read_name(const char **text, char *name) {
  size_t length = 0;
  while (isalnum((unsigned char)(*text)[length]) || (*text)[length] == '_')
    ++length;
  if ((*text)[length] != ':')
    return true;
  if (length == 0 || length >= DSP_PLAN_AXIS_NAME ||
      isdigit((unsigned char)**text))
    return false;
  memcpy(name, *text, length);
  name[length] = '\0';
  *text += length + 1;
  return true;
}

static bool read_axis(const char **text, DspPlanMesh *mesh) {
  uint32_t axis = mesh->naxes;
  char *end;
  if (axis == DSP_PLAN_AXES || !read_name(text, mesh->names[axis]) ||
      !isdigit((unsigned char)**text))
    return false;
  mesh->sizes[axis] = strtoll(*text, &end, 10);
  *text = end;
  ++mesh->naxes;
  return mesh->sizes[axis] >= 1 && mesh->sizes[axis] <= DSP_PLAN_MOST_RANKS;
}

/// Names the axes that have no name.
static void name_axes(DspPlanMesh *mesh) {
  static const char *const names[] = {"outer", "inner"};
  for (uint32_t a = 0; a < mesh->naxes; ++a)
    if (!mesh->names[a][0])
      strcpy(mesh->names[a], mesh->naxes == 1 ? "ranks" : names[a]);
}

bool dsp_plan_mesh_read(const char *text, DspPlanMesh *mesh) {
  DspPlanMesh read = {.sizes = {1, 1}};
  if (!read_axis(&text, &read))
    return false;
  while (*text == ',' || *text == 'x') {
    ++text;
    if (!read_axis(&text, &read))
      return false;
  }
  if (*text || dsp_plan_ranks(&read) > DSP_PLAN_MOST_RANKS)
    return false;
  name_axes(&read);
  read.nodes = read.naxes > 1 && strcmp(read.names[0], "nodes") == 0;
  *mesh = read;
  return strcmp(read.names[0], read.names[1]) != 0;
}

void dsp_plan_mesh_write(const DspPlanMesh *mesh, char *text, size_t size) {
  if (mesh->naxes == 1)
    snprintf(text, size, "%lld", (long long)mesh->sizes[0]);
  else
    snprintf(text, size, "%s:%lld,%s:%lld", mesh->names[0],
             (long long)mesh->sizes[0], mesh->names[1],
             (long long)mesh->sizes[1]);
}
