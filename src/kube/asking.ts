// What a part needs that asks the API server beside the watches: now and then, until everything stops.

import type { Logger } from '../telemetry/logger.ts';
import type { Clock, Random } from './clock.ts';
import type { ServerContact } from './reflector/server-contact.ts';
import type { Transport } from './transport/transport.ts';

export interface Asking {
  readonly transport: Transport;
  readonly contact: ServerContact;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly stopping: AbortSignal;
}
