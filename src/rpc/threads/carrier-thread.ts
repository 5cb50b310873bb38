// The first file of a thread that carries connections (`carrier.ts`). It ends when the main thread ends it; an error
// that nothing here expects ends it too, and is told there.

import { parentPort, workerData } from 'node:worker_threads';

import { Carrier } from './carrier.ts';
import type { CarrierStart, ToCarrier } from './protocol.ts';

const main = parentPort;
if (main === null) throw new Error('bug: not a thread of its own');
const carrier = new Carrier(workerData as CarrierStart, (message, transfer) => main.postMessage(message, transfer));
main.on('message', (message: ToCarrier) => carrier.take(message));
