// exchange.h - which elements go to whom, as strided boxes.
#ifndef DSPRT_CUDA_EXCHANGE_H
#define DSPRT_CUDA_EXCHANGE_H

#include "dsprt_program.h"

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

int64_t dsprt_box_elements(const DsprtBox *box);

/// Sends and receives, `messages` [ranks] of elements of `type`.  Collective.
void dsprt_exchange(DsprtRun *run, DsprtType type, const void *in, void *out,
                    const DsprtMessage *messages);

/// The boxes of a switch between two cuts: `send` for `peer` in this rank's
/// part when `from` is cut, `receive` of what `peer` sends in the part when
/// `to` is cut.  Returns false for cuts whose common elements are no box.
int dsprt_switch_boxes(const DsprtShape *shape, DsprtCut from, DsprtCut to,
                       int rank, int peer, int ranks, DsprtMessage *message);

/// The part that `rank` holds when `cut` is cut, as a box of the whole.
DsprtBox dsprt_part_box(const DsprtShape *shape, DsprtCut cut, int rank,
                        int ranks);
/// `elements` neighbours from `offset` on.
DsprtBox dsprt_flat_box(int64_t offset, int64_t elements);

#endif
