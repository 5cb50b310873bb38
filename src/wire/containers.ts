// The containers of a pod, read where they lie: inside the entity's encoded `rest`.
//
// Only those who look for containers by their ids ask, so nothing is decoded in advance and nothing kept beside the
// entity: ids are random text that is nowhere twice.

import { type ByteString, sliceBytes } from '../model/byte-string.ts';
import { FieldTags } from './field-tags.ts';
import { varintAt } from './labels.ts';

/** A container as its pod tells of it. */
export interface ContainerIds {
  /** `containerd://…`; empty: it was not created yet. */
  readonly id: string;
  /** Its predecessor; empty: none is known. */
  readonly previousId: string;
  /** The one with `id` has terminated. */
  readonly ended: boolean;
  readonly name: string;
  /** The fields of `digger.v1.Container`; a part of what it was read from, which it keeps in memory. */
  readonly message: ByteString;
}

/** `rest`: of a pod's entity. In its order: sidecars, ordinary ones, then all others. */
export function containersIn(rest: ByteString): readonly ContainerIds[] {
  const found: ContainerIds[] = [];
  for (let start = 0; start < rest.length; ) {
    const tag = varintAt(rest, start);
    const length = varintAt(rest, tag.end);
    const end = length.end + length.value;
    if (tag.value === CONTAINERS || tag.value === OTHER_CONTAINERS) found.push(readContainer(rest, length.end, end));
    start = end;
  }
  return found;
}

function readContainer(rest: ByteString, from: number, to: number): ContainerIds {
  let [id, previousId, name, ended] = ['', '', '', false];
  for (let start = from; start < to; ) {
    const tag = varintAt(rest, start);
    const { value, end: behind } = varintAt(rest, tag.end);
    // Nothing in a container is of another wire type than numbers and what has a length.
    const isNumber = (tag.value & 7) === 0;
    const end = isNumber ? behind : behind + value;
    if (tag.value === ID) id = rest.slice(behind, end);
    else if (tag.value === PREVIOUS_ID) previousId = rest.slice(behind, end);
    else if (tag.value === NAME) name = rest.slice(behind, end);
    else if (tag.value === ENDED) ended = value !== 0;
    start = end;
  }
  return { id, previousId, ended, name, message: sliceBytes(rest, from, to) };
}

const pod = new FieldTags('digger.v1.Pod');
const CONTAINERS = pod.delimited('containers');
const OTHER_CONTAINERS = pod.delimited('otherContainers');
const container = new FieldTags('digger.v1.Container');
const ID = container.delimited('containerId');
const PREVIOUS_ID = container.delimited('previousContainerId');
const NAME = container.delimited('name');
const ENDED = container.varint('ended');
