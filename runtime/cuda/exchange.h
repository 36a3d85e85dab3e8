// exchange.h - which elements go to whom, as strided boxes.
#ifndef DSPRT_CUDA_EXCHANGE_H
#define DSPRT_CUDA_EXCHANGE_H

#include "overlap.h"

enum { DSPRT_BOX_DIMS = 5 };

/// Elements of a buffer: size[0] x .. x size[4], row major, with strides.
typedef struct DsprtBox {
  int64_t offset;
  int64_t size[DSPRT_BOX_DIMS], stride[DSPRT_BOX_DIMS];
} DsprtBox;

/// One message: what `in` gives to a rank, and where `out` takes what that
/// rank gives to this one; `there`: where the other's `out` takes `send`.
typedef struct DsprtMessage {
  DsprtBox send, receive, there;
} DsprtMessage;

/// A change of cuts, of which a collective has one or two.
typedef struct DsprtMove {
  enum {
    DSPRT_MOVE,   ///< from any cuts to any others
    DSPRT_SPREAD, ///< parts to their owners along `axis`, one slot a sender
    DSPRT_GATHER, ///< parts to everyone along `axis`
  } kind;
  DsprtShape shape;
  DsprtCuts from, to;
  int axis; ///< of the mesh; not of a move from any cuts
} DsprtMove;

int64_t dsprt_box_elements(const DsprtBox *box);

/// Sends and receives, `messages` [ranks] of elements of `type`.  Collective.
void dsprt_exchange(DsprtRun *run, DsprtType type, const void *in, void *out,
                    const DsprtMessage *messages);

/// Box `k` of what two ranks have in common, in the buffers of both sides.
/// Returns false when there are no more.
bool dsprt_box_at(const DsprtOverlap *overlap, int64_t k,
                  DsprtBox sides[DSPRT_SIDES]);

/// Boxes of the pair of ranks that needs most: how many messages each rank
/// exchanges with each.  -1: no memory.
int64_t dsprt_rounds(const DsprtMove *move, DsprtMesh mesh);
/// Message `round` of `rank` and `peer`; its boxes may be empty.  Returns false
/// when there is no memory.
bool dsprt_message(const DsprtMove *move, DsprtMesh mesh, int rank, int peer,
                   int64_t round, DsprtMessage *message);

#endif
