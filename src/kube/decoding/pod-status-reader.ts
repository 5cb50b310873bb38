// `status` of a pod out of its protobuf: see pod-reader.ts.
//
// Of conditions nothing is kept but what two of them say, and of a container's state nothing but whether and when it
// ended.

import { append, DELIMITED, type MessageCursor, tagOf } from './message-cursor.ts';
import { readTime } from './metadata-reader.ts';

export interface ReadContainerStatus {
  name: string;
  containerId: string;
  imageId: string;
  /** Of the container that this one replaced. */
  previousId: string;
  isTerminated: boolean;
  finishedTimeMs: number | undefined;
}

export interface ReadStatus {
  phase: string;
  ready: boolean;
  sandboxReadyTimeMs: number | undefined;
  /** The sandbox's condition was met before: the first that is True counts. */
  isSandboxReady: boolean;
  hostIp: string;
  podIp: string;
  podIps: string[] | undefined;
  hostIps: string[] | undefined;
  startTimeMs: number | undefined;
  ordinary: ReadContainerStatus[] | undefined;
  init: ReadContainerStatus[] | undefined;
  ephemeral: ReadContainerStatus[] | undefined;
}

/** Reads the message `PodStatus` that is next. */
export function readStatus(cursor: MessageCursor): ReadStatus {
  const status = noStatus();
  const outer = cursor.enter();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    switch (tag) {
      case STATUS.phase:
        status.phase = cursor.shared();
        break;
      case STATUS.conditions:
        readCondition(cursor, status);
        break;
      case STATUS.hostIP:
        status.hostIp = cursor.shared();
        break;
      case STATUS.podIP:
        status.podIp = cursor.text();
        break;
      case STATUS.startTime:
        status.startTimeMs = readTime(cursor);
        break;
      case STATUS.containerStatuses:
        status.ordinary = append(status.ordinary, readContainerStatus(cursor));
        break;
      case STATUS.initContainerStatuses:
        status.init = append(status.init, readContainerStatus(cursor));
        break;
      case STATUS.ephemeralContainerStatuses:
        status.ephemeral = append(status.ephemeral, readContainerStatus(cursor));
        break;
      case STATUS.podIPs:
        status.podIps = withIp(status.podIps, readNested(cursor, IP, readText));
        break;
      case STATUS.hostIPs:
        status.hostIps = withIp(status.hostIps, readNested(cursor, IP, readShared));
        break;
      default:
        cursor.skip(tag);
    }
  }
  cursor.leave(outer);
  return status;
}

/** Ready, and KEP-3085: PodReadyToStartContainers. The others say nothing that is kept. */
function readCondition(cursor: MessageCursor, status: ReadStatus): void {
  let type = '';
  let isTrue = false;
  let sinceMs: number | undefined;
  const outer = cursor.enter();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    if (tag === CONDITION.type) type = cursor.shared();
    else if (tag === CONDITION.status) isTrue = cursor.shared() === 'True';
    else if (tag === CONDITION.lastTransitionTime) sinceMs = readTime(cursor);
    else cursor.skip(tag);
  }
  cursor.leave(outer);
  if (!isTrue) return;
  if (type === 'Ready') status.ready = true;
  else if (type === 'PodReadyToStartContainers' && !status.isSandboxReady) {
    status.isSandboxReady = true;
    status.sandboxReadyTimeMs = sinceMs;
  }
}

function readContainerStatus(cursor: MessageCursor): ReadContainerStatus {
  const status: ReadContainerStatus = {
    name: '',
    containerId: '',
    imageId: '',
    previousId: '',
    isTerminated: false,
    finishedTimeMs: undefined,
  };
  const outer = cursor.enter();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    switch (tag) {
      case CONTAINER_STATUS.name:
        status.name = cursor.shared();
        break;
      case CONTAINER_STATUS.state:
        readState(cursor, status);
        break;
      case CONTAINER_STATUS.lastState:
        status.previousId = readNested(cursor, STATE.terminated, readTerminatedId) ?? '';
        break;
      case CONTAINER_STATUS.imageID:
        status.imageId = cursor.text();
        break;
      case CONTAINER_STATUS.containerID:
        status.containerId = cursor.text();
        break;
      default:
        cursor.skip(tag);
    }
  }
  cursor.leave(outer);
  return status;
}

function readState(cursor: MessageCursor, status: ReadContainerStatus): void {
  status.isTerminated = false;
  status.finishedTimeMs = undefined;
  const outer = cursor.enter();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    if (tag === STATE.terminated) {
      status.isTerminated = true;
      status.finishedTimeMs = readFinish(cursor);
    } else cursor.skip(tag);
  }
  cursor.leave(outer);
}

function readTerminatedId(cursor: MessageCursor): string | undefined {
  return readNested(cursor, TERMINATED.containerID, readText);
}

function readFinish(cursor: MessageCursor): number | undefined {
  return readNested(cursor, TERMINATED.finishedAt, readTime);
}

/** One field of the message that is next, which is all that is read of it. */
export function readNested<T>(
  cursor: MessageCursor,
  wanted: number,
  read: (cursor: MessageCursor) => T,
): T | undefined {
  let found: T | undefined;
  const outer = cursor.enter();
  while (cursor.hasMore) {
    const tag = cursor.uint32();
    if (tag === wanted) found = read(cursor);
    else cursor.skip(tag);
  }
  cursor.leave(outer);
  return found;
}

function withIp(ips: string[] | undefined, ip: string | undefined): string[] | undefined {
  return ip === undefined || ip === '' ? ips : append(ips, ip);
}

function readShared(cursor: MessageCursor): string {
  return cursor.shared();
}

function readText(cursor: MessageCursor): string {
  return cursor.text();
}

/**
 * Only of a pod all of whose containers have ended, ephemeral ones aside: see `latestFinish` in
 * pod-from-object.ts.
 */
export function latestFinish({ ordinary, init, ephemeral }: ReadStatus): number | undefined {
  if (ordinary === undefined) return undefined;
  let latest: number | undefined;
  for (const group of [ordinary, init, ephemeral]) {
    for (const { finishedTimeMs } of group ?? []) {
      if (finishedTimeMs === undefined) {
        if (group !== ephemeral) return undefined;
      } else if (latest === undefined || finishedTimeMs > latest) latest = finishedTimeMs;
    }
  }
  return latest;
}

function noStatus(): ReadStatus {
  return {
    phase: '',
    ready: false,
    sandboxReadyTimeMs: undefined,
    isSandboxReady: false,
    hostIp: '',
    podIp: '',
    podIps: undefined,
    hostIps: undefined,
    startTimeMs: undefined,
    ordinary: undefined,
    init: undefined,
    ephemeral: undefined,
  };
}

const STATUS = {
  phase: tagOf(1, DELIMITED),
  conditions: tagOf(2, DELIMITED),
  hostIP: tagOf(5, DELIMITED),
  podIP: tagOf(6, DELIMITED),
  startTime: tagOf(7, DELIMITED),
  containerStatuses: tagOf(8, DELIMITED),
  initContainerStatuses: tagOf(10, DELIMITED),
  podIPs: tagOf(12, DELIMITED),
  ephemeralContainerStatuses: tagOf(13, DELIMITED),
  hostIPs: tagOf(16, DELIMITED),
} as const;

const CONDITION = {
  type: tagOf(1, DELIMITED),
  status: tagOf(2, DELIMITED),
  lastTransitionTime: tagOf(4, DELIMITED),
} as const;

const CONTAINER_STATUS = {
  name: tagOf(1, DELIMITED),
  state: tagOf(2, DELIMITED),
  lastState: tagOf(3, DELIMITED),
  imageID: tagOf(7, DELIMITED),
  containerID: tagOf(8, DELIMITED),
} as const;

const STATE = { terminated: tagOf(3, DELIMITED) } as const;
const TERMINATED = { finishedAt: tagOf(6, DELIMITED), containerID: tagOf(7, DELIMITED) } as const;
const IP = tagOf(1, DELIMITED);

/** Of a pod without one. */
export const NO_STATUS: ReadStatus = noStatus();
