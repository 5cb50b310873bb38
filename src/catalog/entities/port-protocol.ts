// Protocols of ports, as Kubernetes writes them.

import type { Protocol } from '../../model/entities.ts';

/** `undefined` for a protocol that this version does not know. Unset is TCP (Kubernetes API conventions). */
export function toProtocol(protocol: string): Protocol | undefined {
  switch (protocol) {
    case '':
    case 'TCP':
      return 'TCP';
    case 'UDP':
    case 'SCTP':
      return protocol;
    default:
      return undefined;
  }
}
