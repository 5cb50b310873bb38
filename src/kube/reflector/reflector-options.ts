// What a reflector is made of: the resource, where its records go, and what it shares with the reflectors beside it.

import type { KubernetesRecord } from '../../model/kubernetes/records.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Clock, Random } from '../clock.ts';
import type { Encoding } from '../decoding/list-body.ts';
import type { ResourceDescriptor } from '../resources.ts';
import type { Transport } from '../transport/transport.ts';
import type { Pace } from './requests.ts';
import type { ServerContact } from './server-contact.ts';
import type { ReflectorStore } from './store.ts';
import type { Relocation } from './whereabouts.ts';

export interface ReflectorOptions<R extends KubernetesRecord> {
  readonly resource: ResourceDescriptor<R>;
  /** Unset: all namespaces. */
  readonly namespace?: string;
  readonly store: ReflectorStore<R>;
  readonly transport: Transport;
  readonly contact: ServerContact;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Asked for first. Default: protobuf. */
  readonly encoding?: Encoding | undefined;
  /** Stream the initial list where the server can (KEP-3157); false: always list in pages. Default: true. */
  readonly streamInitialList?: boolean;
  /** Asked after a 404, see whereabouts.ts. Unset: the resource is never anywhere else. */
  readonly relocate?: (() => Promise<Relocation<R>>) | undefined;
  /** Unset: lists are read in one go. */
  readonly pace?: Pace | undefined;
  /** Called after each change of what `status()` says about state, sync and blindness. */
  readonly onStatusChange: () => void;
}
