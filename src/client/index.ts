// `digger/client`: a replica of the address picture for programs in TypeScript and JavaScript; docs/replica.md.

export type { Answer, Holder, Outcome } from './answer.ts';
export type { EntityKind, EntityName, ReplicaEntity } from './entity-store.ts';
export type { FeedFailure } from './feed-stream.ts';
export type { FrameChanges, PictureBounds } from './picture.ts';
export { QuestionError, type ReplicaQuestion } from './question.ts';
export {
  connect,
  DEFAULT_BOUNDS,
  Replica,
  type ReplicaEvents,
  type ReplicaOptions,
  type ReplicaUse,
} from './replica.ts';
export { resolutionJson, type ResolutionObjects } from './resolution-json.ts';
export { Verdict } from '../timelines/resolve.ts';
export type { AddressRole } from '../timelines/timeline.ts';
