// Where the frames of one subscriber go, and what the feed says when no more of them follow.
//
// The feed knows no sockets: a sink takes one frame at a time and says when there is room for the next.

import type { Frame } from '../../wire/frame.ts';

/**
 * Why the feed ended a subscription. `complete`: a snapshot was asked for and sent. `behind`: the consumer has seen
 * more than this process yet, and waited in vain.
 */
export type EndReason = 'complete' | 'draining' | 'stalled' | 'behind';

/** Where frames go. */
export interface FrameSink {
  /** Takes a frame; calls `taken` once, later, when there is room for the next. */
  write(frame: Frame, taken: () => void): void;
  /** No frame follows. `silentMs`: since the newest one was written. */
  end(reason: EndReason, silentMs: number): void;
}
