// A question about a picture, answered.

import { resolveInterval } from '../timelines/interval.ts';
import { type Question, resolve, resolveOthers, Verdict } from '../timelines/resolve.ts';
import { type Answer, intervalAnswer, momentAnswer } from './answer.ts';
import type { Picture } from './picture.ts';
import type { ReplicaHolder } from './holder-message.ts';

// Used again for every question: what is found is copied into the answer.
const found = new Verdict<ReplicaHolder>();
const others = new Verdict<ReplicaHolder>();

/** The address in canonical form, everything else allowed; `nowMs` by the server's clock. */
export function askPicture(
  picture: Picture,
  question: Question & { readonly untilMs?: number | undefined },
  nowMs: number,
  staleness: number | undefined,
): Answer {
  const { atMs, untilMs } = question;
  if (atMs !== undefined && untilMs !== undefined) {
    const verdict = resolveInterval(picture, { ...question, atMs }, untilMs, nowMs);
    const holder = verdict.outcome === 'RESOLVED' ? verdict.runs[0]?.holder : undefined;
    return intervalAnswer(verdict, othersOf(picture, holder, Math.min(untilMs, nowMs)), staleness);
  }
  resolve(picture, question, nowMs, found);
  const holder = found.outcome === 'RESOLVED' ? found.holders[0] : undefined;
  return momentAnswer(found, othersOf(picture, holder, Math.min(atMs ?? nowMs, nowMs)), staleness);
}

/** Of a node: the pods in its network that could be meant too. */
function othersOf(
  picture: Picture,
  holder: ReplicaHolder | undefined,
  atMs: number,
): Verdict<ReplicaHolder> | undefined {
  if (holder?.kind !== 'Node') return undefined;
  resolveOthers(picture, holder.name, atMs, others);
  return others;
}
