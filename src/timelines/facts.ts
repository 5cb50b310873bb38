// What is true of all places at once, and what follows from it for a moment: blind moments above all, at which the
// cluster was not followed, so that an object may have come and gone unheard of.

/** See `digger.v1.AddressFacts`; the ranges are asked at the source. ms since the epoch, or a duration in ms. */
export interface AddressFacts {
  /** Nothing can be told about moments before this one. */
  readonly beganMs: number;
  readonly historyMs: number;
  /** Gaps that are closed, oldest first, not overlapping. */
  readonly blind: readonly BlindMoment[];
  /** The cluster is not followed since then; `undefined` while it is. */
  readonly blindSinceMs: number | undefined;
  /** Before this moment nothing is known of what came and went. */
  readonly unknownUntilMs: number;
  /** Some claims that ended up to this moment are forgotten; -Infinity: none. */
  readonly incompleteUntilMs: number;
  /** How late kubelets report. */
  readonly reportDelayMs: number;
  /** Only some namespaces are watched. */
  readonly isPartial: boolean;
}

export interface BlindMoment {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** How far back can be told, leaving aside what was cut from single timelines. */
export function historySinceMs(facts: AddressFacts, nowMs: number): number {
  return Math.max(facts.beganMs, nowMs - facts.historyMs);
}

/** Since when everything is known that happened; Infinity: the cluster is not followed now. */
export function followedSinceMs(facts: AddressFacts): number {
  if (facts.blindSinceMs !== undefined) return Number.POSITIVE_INFINITY;
  const lastGapMs = facts.blind.at(-1)?.untilMs ?? Number.NEGATIVE_INFINITY;
  return Math.max(facts.beganMs, facts.unknownUntilMs, facts.incompleteUntilMs, lastGapMs);
}

/** The facts, but for what would make an answer less doubtful than the ones before them did. */
export function atLeastAsDoubtful(facts: AddressFacts, before: AddressFacts): AddressFacts {
  const { blindSinceMs = before.blindSinceMs } = facts;
  return {
    ...facts,
    blindSinceMs: blindSinceMs === undefined ? undefined : Math.min(blindSinceMs, before.blindSinceMs ?? blindSinceMs),
    beganMs: Math.max(facts.beganMs, before.beganMs),
    unknownUntilMs: Math.max(facts.unknownUntilMs, before.unknownUntilMs),
    incompleteUntilMs: Math.max(facts.incompleteUntilMs, before.incompleteUntilMs),
    isPartial: facts.isPartial || before.isPartial,
  };
}

/** Whether a holder that was there at the moment may have come and gone unheard of, given that reports take time. */
export function mayHaveMissed(facts: AddressFacts, atMs: number): boolean {
  const { blind, blindSinceMs, reportDelayMs } = facts;
  if (blindSinceMs !== undefined && blindSinceMs <= atMs + reportDelayMs) return true;
  for (const { sinceMs, untilMs } of blind) if (sinceMs <= atMs + reportDelayMs && untilMs > atMs) return true;
  return false;
}

/**
 * Whether something that was first seen at `sinceMs` may by `untilMs` have changed unseen, in a gap before its first
 * sight, or before the first picture.
 */
export function mayHaveHidden(facts: AddressFacts, sinceMs: number, untilMs: number): boolean {
  const { blind, blindSinceMs, unknownUntilMs } = facts;
  if (unknownUntilMs >= sinceMs) return true;
  if (blindSinceMs !== undefined && blindSinceMs <= untilMs) return true;
  for (const gap of blind) if (gap.sinceMs <= untilMs && gap.untilMs >= sinceMs) return true;
  return false;
}
