// What a reflector is made of: the resource, where its records go, and what it shares with the reflectors beside it.

import type { KubernetesRecord } from '../../model/records.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Clock, Random } from '../clock.ts';
import type { Encoding } from '../decoding/list-body.ts';
import type { ResourceDescriptor } from '../resources.ts';
import type { Transport } from '../transport/transport.ts';
import type { Pace } from './requests.ts';
import type { Elsewhere } from './served-as.ts';
import type { ServerContact } from './server-contact.ts';
import type { ReflectorStore } from './store.ts';

export interface ReflectorOptions<R extends KubernetesRecord> {
  readonly resource: ResourceDescriptor<R>;
  /** Unset: all namespaces. */
  readonly namespace?: string;
  /** Asked after a 404: where the objects are served now. Unset: nowhere else. */
  readonly elsewhere?: Elsewhere<R> | undefined;
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
  /** Unset: lists are read in one go. */
  readonly pace?: Pace | undefined;
  /** Called after each change of what `status()` says about state, sync and blindness. */
  readonly onStatusChange: () => void;
}
