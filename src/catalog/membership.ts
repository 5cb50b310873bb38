// Which pods and which outside addresses the EndpointSlices give to which service.
//
// A pod is meant by uid, or by namespace and name where a slice has no uid. Several slices may name the same pod (dual
// stack, slices being rebalanced, mirrored endpoints): memberships are counted, so it is in the service once, and an update of a
// slice costs what the slice holds, not what the service does. Readiness is not looked at: an endpoint that is not
// ready still belongs to its service.

import { canonicalIps } from '../model/ip.ts';
import type { EndpointSliceRecord } from '../model/records.ts';
import type { Shelved } from './record-table.ts';
import type { ServiceState, Target } from './service-state.ts';

export interface SliceDraft {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceName: string;
  /** Distinct keys of targets, in the order of the slice. */
  readonly keys: readonly string[];
  /** Distinct canonical addresses. */
  readonly manual: readonly string[];
}

export class SliceState implements Shelved {
  readonly uid: string;
  service: ServiceState | undefined;
  targets: readonly Target[] = NO_TARGETS;
  manual: readonly string[] = [];
  seenIn = 0;
  fingerprint = 0;

  constructor(uid: string) {
    this.uid = uid;
  }
}

const NO_TARGETS: readonly Target[] = Object.freeze([]);

export function draftSlice(record: EndpointSliceRecord): SliceDraft {
  const keys = new Set<string>();
  const manual = new Set<string>();
  const { namespace, name, uid, serviceName } = record;
  if (serviceName === '') return { namespace, name, uid, serviceName, keys: [], manual: [] };
  for (const { target, addresses } of record.endpoints) {
    if (target?.kind === 'Pod') {
      keys.add(target.uid !== '' ? target.uid : targetKey(target.namespace || namespace, target.name));
    } else if (target?.kind !== 'Node') {
      for (const address of canonicalIps(addresses)) manual.add(address);
    }
  }
  return { namespace, name, uid, serviceName, keys: [...keys], manual: [...manual] };
}

export function targetKey(namespace: string, name: string): string {
  return `/${namespace}/${name}`;
}

export function isSameSlice(state: SliceState, draft: SliceDraft): boolean {
  return (
    (state.service?.name ?? '') === draft.serviceName &&
    state.manual.length === draft.manual.length &&
    state.targets.length === draft.keys.length &&
    state.manual.every((address, at) => address === draft.manual[at]) &&
    state.targets.every(({ key }, at) => key === draft.keys[at])
  );
}

export interface MembershipOptions {
  /** The state of a service, made if there is none. */
  readonly service: (namespace: string, name: string) => ServiceState;
  /** Nothing may speak of this service any more. */
  readonly release: (service: ServiceState) => void;
  /** The services of the pod behind this target changed. */
  readonly touchedTarget: (target: Target) => void;
  /** The outside addresses of this service changed. */
  readonly touchedService: (service: ServiceState) => void;
}

export class Membership {
  readonly #targets = new Map<string, Target>();
  readonly #options: MembershipOptions;
  /** Targets without a uid; as long as there are none, nobody needs to be looked up by name. */
  #byName = 0;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Services whose slices name this pod, each once, in no particular order. */
  servicesOf(uid: string, namespace: string, name: string): readonly ServiceState[] {
    const byUid = this.#targets.get(uid)?.services ?? NONE;
    if (this.#byName === 0) return byUid;
    const byName = this.#targets.get(targetKey(namespace, name))?.services ?? NONE;
    return byName.length === 0 ? byUid : [...new Set([...byUid, ...byName])];
  }

  /** The slice now says what the draft says; `undefined`: it is gone. */
  update(slice: SliceState, draft: SliceDraft | undefined): void {
    const { service: oldService, targets: oldTargets, manual: oldManual } = slice;
    const named = draft !== undefined && draft.serviceName !== '';
    const service = named ? this.#options.service(draft.namespace, draft.serviceName) : undefined;
    slice.service = service;
    slice.targets = named ? draft.keys.map((key) => this.#target(key)) : NO_TARGETS;
    slice.manual = named ? draft.manual : [];
    // First add, then take away: what stays is never gone in between.
    if (service !== undefined) {
      service.slices += 1;
      for (const target of slice.targets) this.#count(service, target, 1);
      for (const address of slice.manual) this.#countManual(service, address, 1);
    }
    if (oldService !== undefined) {
      oldService.slices -= 1;
      for (const target of oldTargets) this.#count(oldService, target, -1);
      for (const address of oldManual) this.#countManual(oldService, address, -1);
      this.#options.release(oldService);
    }
  }

  #target(key: string): Target {
    let target = this.#targets.get(key);
    if (target === undefined) {
      target = { key, services: NONE };
      this.#targets.set(key, target);
      if (key.startsWith('/')) this.#byName += 1;
    }
    return target;
  }

  #count(service: ServiceState, target: Target, by: 1 | -1): void {
    const count = (service.members.get(target) ?? 0) + by;
    if (count > 0) service.members.set(target, count);
    if (by === 1 && count === 1) {
      target.services = target.services.length === 0 ? service.alone : [...target.services, service];
      this.#options.touchedTarget(target);
    } else if (count === 0) {
      service.members.delete(target);
      target.services = target.services.length === 1 ? NONE : target.services.filter((each) => each !== service);
      this.#options.touchedTarget(target);
      if (target.services.length === 0) {
        this.#targets.delete(target.key);
        if (target.key.startsWith('/')) this.#byName -= 1;
      }
    }
  }

  #countManual(service: ServiceState, address: string, by: 1 | -1): void {
    const count = (service.manual.get(address) ?? 0) + by;
    if (count === 0) service.manual.delete(address);
    else service.manual.set(address, count);
    if (count === 0 || (by === 1 && count === 1)) this.#options.touchedService(service);
  }
}

const NONE: readonly ServiceState[] = Object.freeze([]);
