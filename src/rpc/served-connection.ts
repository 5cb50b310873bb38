// A connection of the gRPC port as its listener knows it, whichever thread has its socket.

import { CallConnection } from './calls/call-record.ts';
import type { ClientCertificate } from './tls/client-certificate.ts';

export abstract class ServedConnection extends CallConnection {
  /** `address:port` of this end. */
  abstract readonly localName: string;
  /** `address:port` of the other end, as calls name it. */
  abstract readonly peerName: string;
  /** The other side has ended it. */
  hasEnded = false;
  /** Verified; unset: it showed none. */
  certificate: ClientCertificate | undefined = undefined;
}
